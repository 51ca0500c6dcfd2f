/**
 * Architectures that people bring as `.tflite` files: those of MLPerf Tiny and of TensorFlow Lite Micro's examples, with
 * random weights (He-initialized, a few outliers), calibrated on random inputs by our own quantizer. Speed, memory and code
 * depend on the architecture alone, but for dead channels, which one of them has.
 *
 * Sources: mlcommons/tiny, benchmark/training (image_classification, anomaly_detection, visual_wake_words,
 * keyword_spotting, streaming_wakeword); tensorflow/tflite-micro, examples/micro_speech, examples/person_detection and
 * magic_wand; Keras' applications (MobileNetV2) and Edge Impulse's object detection for what is built of it.
 */
import type { FloatGraph } from '../../src/graph/float-graph';
import type { Int8Graph } from '../../src/quantize/int8-graph';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, SampleNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';

/** TensorFlow Lite Micro with CMSIS-NN on one network; bytes. */
export interface Peer {
  /** Cycles by the cost model of instruction-count.c, or null when only an estimate can be made. */
  readonly m4: number | null;
  readonly m0plus: number | null;
  /** Arena, input and output included, with static data. */
  readonly ram: number | null;
  readonly code: number | null;
}

export interface ZooModel {
  readonly name: string;
  readonly float: (random: Random) => FloatGraph;
  /** Measured figures, or nulls (docs/decisions/028-zoo.md tells the source). */
  readonly peer: Peer;
}

const RELU = { activation: 'relu', same: true } as const;
const RELU6 = { activation: 'relu6', same: true } as const;
const UNKNOWN: Peer = { m4: null, m0plus: null, ram: null, code: null };

/** ResNet v1 of 8 layers for 32 x 32 x 3: 12,501,632 multiply-adds. */
function resnet8(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [32, 32, 3]);
  let x = n.conv(0, 16, RELU);
  let channels = 16;
  for (const stride of [1, 2, 2]) {
    if (stride === 2) channels *= 2;
    const y = n.conv(n.conv(x, channels, { ...RELU, stride }), channels, { same: true });
    const skip = stride === 1 ? x : n.conv(x, channels, { kernel: 1, stride, same: true });
    x = n.pair('add', skip, y, 'relu');
  }
  x = n.pool(x, 'averagePool2d', { kernel: 8, stride: 8 });
  n.softmax(n.dense(n.flatten(x), 10));
  return n.build();
}

/** Channels of the 13 depthwise-separable layers of MobileNet v1, width 1/4, and their strides. */
const MOBILENET = [
  [16, 1],
  [32, 2],
  [32, 1],
  [64, 2],
  [64, 1],
  [128, 2],
  [128, 1],
  [128, 1],
  [128, 1],
  [128, 1],
  [128, 1],
  [256, 2],
  [256, 1],
] as const;

/**
 * MobileNet v1 0.25 of 96 x 96, two classes. `share`: which part of the channels of layer 0..12 is not dead; TensorFlow's
 * slim writes the first layer of one input channel as a depthwise layer with multiplier 8.
 */
function mobilenet(random: Random, inputs: number, share: (layer: number) => number = () => 1): FloatGraph {
  const n = new SampleNetwork(random, [96, 96, inputs]);
  let x = inputs === 1 ? n.depthwise(0, { ...RELU6, stride: 2, multiplier: 8 }) : n.conv(0, 8, { ...RELU6, stride: 2 });
  MOBILENET.forEach(([channels, stride], layer) => {
    x = n.conv(n.depthwise(x, { ...RELU6, stride }), channels, { ...RELU6, kernel: 1 });
    const pointwise = n.ops.at(-1);
    const dead = channels - Math.round(channels * share(layer));
    if (pointwise?.kind !== 'conv2d' || dead === 0) return;
    const order = Array.from({ length: channels }, (_, c) => [random.next(), c] as const).sort((a, b) => a[0] - b[0]);
    for (const [, c] of order.slice(0, dead)) {
      const taps = pointwise.weights.length / channels;
      pointwise.weights.fill(0, c * taps, (c + 1) * taps);
      // After ReLU6 it is zero, which padding is too.
      pointwise.bias[c] = -1;
    }
  });
  x = n.pool(x, 'averagePool2d', { kernel: 3, stride: 3 });
  n.softmax(n.dense(n.flatten(x), 2));
  return n.build();
}

/** Stages of MobileNet v2, width 0.35: expansion, channels, blocks, stride of the first. */
const MOBILENET_V2 = [
  [1, 8, 1, 1],
  [6, 8, 2, 2],
  [6, 16, 3, 2],
  [6, 24, 4, 2],
  [6, 32, 3, 1],
  [6, 56, 3, 2],
  [6, 112, 1, 1],
] as const;

/** MobileNet v2 0.35 of 96 x 96 up to the end of its last block, or to the expansion that begins the stage `until`. */
function mobilenetV2Backbone(n: SampleNetwork, until: number): number {
  let x = n.conv(0, 16, { ...RELU6, stride: 2 });
  for (const [stage, [expansion, channels, blocks, stride]] of MOBILENET_V2.entries()) {
    for (let block = 0; block < blocks; block++) {
      const wide = expansion === 1 ? x : n.conv(x, n.channels(x) * expansion, { ...RELU6, kernel: 1 });
      if (stage === until) return wide;
      const y = n.depthwise(wide, { ...RELU6, stride: block === 0 ? stride : 1 });
      const narrow = n.conv(y, channels, { kernel: 1, same: true });
      x = block === 0 ? narrow : n.pair('add', x, narrow);
    }
  }
  return x;
}

/** Keras' MobileNetV2(alpha=0.35) of 96 x 96 x 3 with two classes. */
function mobilenetV2(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [96, 96, 3]);
  const x = n.conv(mobilenetV2Backbone(n, MOBILENET_V2.length), 1280, { ...RELU6, kernel: 1 });
  n.softmax(n.dense(n.mean(x), 2));
  return n.build();
}

/** Edge Impulse's FOMO: MobileNet v2 0.35 cut where images are 12 x 12, and a head that classifies every cell. */
function fomo(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [96, 96, 1]);
  const head = n.conv(mobilenetV2Backbone(n, 3), 32, { ...RELU, kernel: 1 });
  n.softmax(n.conv(head, 3, { kernel: 1 }));
  return n.build();
}

/** ResNet v1 of 20 layers for 32 x 32 x 3, as on CIFAR-10: 40.8 M multiply-adds. */
function resnet20(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [32, 32, 3]);
  let x = n.conv(0, 16, RELU);
  for (const channels of [16, 32, 64]) {
    for (let block = 0; block < 3; block++) {
      const stride = block === 0 && channels > 16 ? 2 : 1;
      const y = n.conv(n.conv(x, channels, { ...RELU, stride }), channels, { same: true });
      const skip = stride === 1 ? x : n.conv(x, channels, { kernel: 1, stride, same: true });
      x = n.pair('add', skip, y, 'relu');
    }
  }
  x = n.pool(x, 'averagePool2d', { kernel: 8, stride: 8 });
  n.softmax(n.dense(n.flatten(x), 10));
  return n.build();
}

/** TensorFlow Lite Micro's magic wand: two convolutions over 128 accelerations. */
function magicWand(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [128, 3, 1]);
  let x = n.conv(0, 8, { ...RELU, kernel: [4, 3] });
  x = n.pool(x, 'maxPool2d', { kernel: 3, stride: 3 });
  x = n.conv(x, 16, { ...RELU, kernel: [4, 1] });
  x = n.pool(x, 'maxPool2d', { kernel: [3, 1], stride: [3, 1] });
  n.softmax(n.dense(n.dense(n.flatten(x), 16, 'relu'), 4));
  return n.build();
}

/** Fully connected autoencoder, 640-128-128-128-128-8 and back: 264,192 multiply-adds. */
function autoencoder(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [640]);
  let x = 0;
  for (const units of [128, 128, 128, 128, 8, 128, 128, 128, 128]) x = n.dense(x, units, 'relu');
  n.dense(x, 640);
  return n.build();
}

/** Streaming wake word: 1-D depthwise-separable layers over 30 frames of 40 features; 826,368 multiply-adds. */
function streamingWakeWord(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [30, 1, 40]);
  let x = 0;
  for (const [channels, taps] of [
    [128, 3],
    [128, 5],
    [128, 10],
    [32, 15],
  ] as const) {
    x = n.conv(n.depthwise(x, { kernel: [taps, 1] }), channels, { kernel: 1, activation: 'relu' });
  }
  n.softmax(n.dense(n.flatten(x), 3));
  return n.build();
}

/** DS-CNN for 49 x 10 MFCC: as kws_ref_model. */
function dsCnn(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [49, 10, 1]);
  let x = n.conv(0, 64, { ...RELU, kernel: [10, 4], stride: 2 });
  for (let layer = 0; layer < 4; layer++) x = n.conv(n.depthwise(x, RELU), 64, { ...RELU, kernel: 1 });
  x = n.pool(x, 'averagePool2d', { kernel: [25, 5], stride: [25, 5] });
  n.softmax(n.dense(n.flatten(x), 12));
  return n.build();
}

/** micro_speech: one layer of 10 x 8 over 49 x 40 features, written as depthwise with multiplier 8, and a dense one. */
function microSpeech(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [49, 40, 1]);
  const x = n.depthwise(0, { ...RELU, kernel: [10, 8], stride: 2, multiplier: 8 });
  n.softmax(n.dense(n.flatten(x), 4));
  return n.build();
}

/** What MLPerf's visual wake words model keeps of its layers: 21 of 128 dead at first, 234 of 256 at last. */
function alive(layer: number): number {
  return layer < 5 ? 1 : layer < 12 ? 1 - (21 + (layer - 5) * 12) / 128 : 22 / 256;
}

export const ZOO: readonly ZooModel[] = [
  {
    name: 'ResNet-8, 32x32x3',
    float: resnet8,
    peer: { m4: 36_500_000, m0plus: 137_000_000, ram: 55_564, code: 78_496 },
  },
  {
    name: 'MobileNet 0.25, 96x96x3',
    float: (random) => mobilenet(random, 3),
    peer: { m4: 29_100_000, m0plus: 119_000_000, ram: 101_276, code: 83_456 },
  },
  {
    name: 'the same, half dead',
    float: (random) => mobilenet(random, 3, alive),
    peer: { m4: 29_100_000, m0plus: 119_000_000, ram: 101_276, code: 83_456 },
  },
  { name: 'person detection, 96x96x1', float: (random) => mobilenet(random, 1), peer: { ...UNKNOWN, code: 83_456 } },
  {
    name: 'autoencoder 640',
    float: autoencoder,
    peer: { m4: 724_000, m0plus: 2_360_000, ram: 2_972, code: 31_264 },
  },
  {
    name: 'streaming wake word 30x40',
    float: streamingWakeWord,
    peer: { m4: 2_700_000, m0plus: null, ram: 17_204, code: 87_616 },
  },
  { name: 'micro_speech 49x40x1', float: microSpeech, peer: UNKNOWN },
  {
    name: 'DS-CNN 49x10x1',
    float: dsCnn,
    peer: { m4: 9_190_000, m0plus: 39_800_000, ram: 23_388, code: 83_456 },
  },
  { name: 'MobileNet v2 0.35, 96x96x3', float: mobilenetV2, peer: { ...UNKNOWN, code: 83_456 } },
  { name: 'FOMO 96x96x1', float: fomo, peer: { ...UNKNOWN, code: 83_456 } },
  { name: 'ResNet-20, 32x32x3', float: resnet20, peer: { ...UNKNOWN, code: 78_496 } },
  { name: 'magic wand 128x3', float: magicWand, peer: UNKNOWN },
];

const CALIBRATION_INPUTS = 3;

/** The network in int8, as the converter would make it. Deterministic. */
export function zooGraph({ name, float }: ZooModel): Int8Graph {
  const random = new Random(name.length + 7);
  const graph = float(random);
  for (const op of graph.ops) {
    if (!('weights' in op)) continue;
    // He's initialization for what a ReLU follows, with tails as training leaves them.
    op.weights.forEach((weight, i) => {
      op.weights[i] = weight * (op.activation === 'none' ? 1 : Math.SQRT2) * (random.integer(50) === 0 ? 2 : 1);
    });
  }
  const size = (graph.tensors[graph.input]?.shape ?? []).reduce((a, b) => a * b, 1);
  return quantizeGraph(graph, randomInputs(random, size, CALIBRATION_INPUTS));
}
