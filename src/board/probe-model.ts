/**
 * A model that nobody trained, for the channels of any board: enough to be written, read back and proved. Used by the
 * hardware test; its labels mean nothing.
 */
import type { InputSpec } from '../dsp/block';
import { compileBlock, createExtractor } from '../dsp/compile';
import { buildModel } from '../emit/build-model';
import type { Model } from '../emit/model';
import { writePack } from '../emit/pack';
import { foldInput } from '../quantize/input-affine';
import { quantizeGraph } from '../quantize/quantize-graph';
import { Random } from '../signal/random';
import { BoardError } from './board';
import type { BoardIdentity } from './board';
import { freeSlot, packRamAtLeast } from './deploy';

/** Known answers tried first, and the fewest that still prove something. */
const SELF_TEST_WINDOWS = 16;
const FEWEST_WINDOWS = 2;
/** Frames of a window tried first, and the fewest. */
const WINDOW_FRAMES = 50;
const FEWEST_FRAMES = 4;
const LABELS = ['probe-a', 'probe-b', 'probe-c'];
const HIDDEN = 8;
const BLOCK = {
  scale: 1,
  average: true,
  minimum: false,
  maximum: true,
  rms: true,
  stdev: false,
  skewness: false,
  kurtosis: false,
};

/** The pack of a probe model that fits the board's free slot and RAM. Rejects with BoardError `model-too-big`. */
export function probePack(identity: BoardIdentity, seed: number): Uint8Array {
  const capacity = freeSlot(identity.slots)?.capacityBytes ?? 0;
  const ram = identity.modelRamBytes ?? Infinity;
  for (let frames = WINDOW_FRAMES; frames >= FEWEST_FRAMES; frames = Math.floor(frames / 2)) {
    for (let windows = SELF_TEST_WINDOWS; windows >= FEWEST_WINDOWS; windows /= 2) {
      const pack = writePack(probeModel(identity, seed, frames, windows));
      if (pack.length <= capacity && packRamAtLeast(pack) <= ram) return pack;
    }
  }
  throw new BoardError(
    'model-too-big',
    `Even the smallest test model does not fit this board (${capacity} bytes of storage, ${ram} bytes of RAM).`,
  );
}

/** Seeded: another seed is another model of the same shape. */
export function probeModel(
  { channels, rateHz }: Pick<BoardIdentity, 'channels' | 'rateHz'>,
  seed: number,
  frames = WINDOW_FRAMES,
  selfTestWindows = SELF_TEST_WINDOWS,
): Model {
  const random = new Random(seed);
  const windowMs = (1000 * frames) / rateHz;
  const input: InputSpec = { channels, rateHz, windowMs, strideMs: windowMs };
  const blocks = [
    compileBlock({ kind: 'flatten', version: 1, channels: channels.map((_, i) => i), params: BLOCK }, input),
  ];
  const windows = Array.from({ length: 4 * SELF_TEST_WINDOWS }, () => {
    const middle = random.between(-5, 5);
    return Float32Array.from({ length: frames * channels.length }, () => middle + random.between(-5, 5));
  });
  const extractor = createExtractor(blocks, input);
  const features = windows.map((window) => extractor.run(window).slice());
  const count = extractor.featureCount;
  const mean = new Float32Array(count);
  const std = new Float32Array(count).fill(5);
  const scaled = features.map((row) => row.map((value) => value / 5));
  const noise = (length: number): Float32Array => Float32Array.from({ length }, () => random.between(-0.6, 0.6));
  const graph = quantizeGraph(
    {
      tensors: [
        { name: 'features', shape: [count] },
        { name: 'hidden', shape: [HIDDEN] },
        { name: 'logits', shape: [LABELS.length] },
        { name: 'probabilities', shape: [LABELS.length] },
      ],
      ops: [
        {
          kind: 'fullyConnected',
          input: 0,
          output: 1,
          weights: noise(count * HIDDEN),
          bias: noise(HIDDEN),
          activation: 'relu',
        },
        {
          kind: 'fullyConnected',
          input: 1,
          output: 2,
          weights: noise(HIDDEN * LABELS.length),
          bias: noise(LABELS.length),
          activation: 'none',
        },
        { kind: 'softmax', input: 2, output: 3 },
      ],
      input: 0,
      output: 3,
    },
    scaled,
    { weights: 'per-channel' },
  );
  const tensor = graph.tensors[graph.input];
  if (!tensor) throw new Error('The graph has no input.');
  return buildModel({
    prefix: `probe_${seed}`,
    labels: LABELS,
    input,
    blocks,
    affine: foldInput({ mean, std }, tensor),
    graph,
    smoothing: { windows: 1, threshold: 0 },
    receipt: {
      app: 'Mote hardware test',
      trainedOn: '',
      dataset: '0'.repeat(64),
      seed,
      split: { trainRecordings: 0, testRecordings: 0, trainWindows: windows.length, testWindows: 0 },
      accuracyFloat: null,
      accuracyInt8: null,
      pipeline: '{}',
    },
    selfTestWindows: windows.slice(0, selfTestWindows),
  });
}
