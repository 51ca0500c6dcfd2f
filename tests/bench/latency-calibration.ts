/**
 * Counts the cycles of random layers on emulated cores and fits the table of src/emit/latency.ts; then compares the
 * prediction of whole networks with their counted cycles. Run: npm run bench -- latency
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  estimateCycles,
  estimateNetworkCycles,
  floatLatencyTerms,
  floatLayerKind,
  latencyTerms,
  streamTerms,
  TIMED_KERNELS,
  timedKernel,
  type FloatLayerKind,
  type TimedCore,
  type TimedKernel,
} from '../../src/emit/latency';
import { lowerGraph } from '../../src/emit/lower-graph';
import { emitMixedHeader } from '../../src/emit/mixed-header';
import { planMixed } from '../../src/emit/mixed-plan';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork, type NetworkPlan } from '../../src/emit/network-plan';
import { runStream, stagesOf } from '../../src/emit/stream';
import { layoutFor } from '../../src/emit/target';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { elementCount, type FloatOp } from '../../src/graph/float-graph';
import { samePadding, windowOutputShape } from '../../src/graph/window2d';
import { checkInt8Graph } from '../../src/quantize/check';
import { removeDeadChannels } from '../../src/quantize/dead-channels';
import type { Int8Graph, Int8Op, Int8Tensor } from '../../src/quantize/int8-graph';
import { mixedFromFloat, type MixedGraph } from '../../src/quantize/mixed-graph';
import { addParameters, mulParameters } from '../../src/quantize/ops/elementwise';
import { meanParameters } from '../../src/quantize/ops/mean';
import { convMultipliers } from '../../src/quantize/ops/output-multipliers';
import { softmaxParameters } from '../../src/quantize/softmax';
import { SampleNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { CrossBench } from '../cross/cross-bench';
import { CROSS_TARGETS, whyMissing, type CrossTarget } from '../cross/cross-target';
import { ZOO, zooGraph } from './model-zoo';
import { fitCosts } from './least-squares';

const MODELS = path.resolve(process.cwd(), '../shared/data/tflite');
const GOLDEN = [
  'kws_ref_model.tflite',
  'responding-to-your-voice-tutorial.i8.lite',
  'gestures-i8.lite',
  'mlp_33_20_10_4.tflite',
];
const CORES: readonly (readonly [string, TimedCore])[] = [
  ['Cortex-M4', 'cortex-m4'],
  ['Cortex-M0+', 'cortex-m0plus'],
];
/** Layers of each kind, and how many share a program. */
const SAMPLES = 32;
const TOGETHER = 16;
/** Products or outputs of a layer: keeps the emulator busy for seconds, not minutes. */
const MOST_WORK = 1_500_000;
/** Kernels that are called once would be compiled for their one layer; most networks call them more than once. */
const GENERIC = ['-fno-ipa-cp', '-fno-inline-functions-called-once'];
const SCALE = Math.fround(0.05);

function tensor(shape: readonly number[]): Int8Tensor {
  return { name: 't', shape, scale: SCALE, zeroPoint: -128 };
}

/** A layer as trained networks have them: common kernels and strides, SAME padding, ReLU at the zero point. */
function layer(kernel: TimedKernel, core: TimedCore, random: Random): Int8Graph {
  for (;;) {
    const graph = attempt(kernel, random);
    const op = graph.ops[0] as Int8Op;
    if (timedKernel(op, graph, core) !== kernel) continue;
    const work = Math.max(...latencyTerms(op, graph, core), ...graph.tensors.map(({ shape }) => elementCount(shape)));
    if (work > MOST_WORK) continue;
    checkInt8Graph(graph);
    return graph;
  }
}

function attempt(kernel: TimedKernel, random: Random): Int8Graph {
  const int = (low: number, high: number): number => low + random.integer(high - low + 1);
  const pick = <T>(items: readonly T[]): T => items[random.integer(items.length)] as T;
  /** As many small numbers as large ones. */
  const scaled = (low: number, high: number): number => Math.round(low * (high / low) ** random.next());
  const one = (op: Int8Op, input: Int8Tensor, output: Int8Tensor): Int8Graph => {
    return { tensors: [input, output], ops: [op], input: 0, output: 1 };
  };
  const window = (
    height: number,
    width: number,
    [kernelHeight, kernelWidth]: readonly [number, number],
    stride: number,
  ) => {
    const [vertical, horizontal] = [
      samePadding(height, kernelHeight, stride, 1),
      samePadding(width, kernelWidth, stride, 1),
    ];
    return {
      ...{ kernelHeight, kernelWidth, strideHeight: stride, strideWidth: stride, dilationHeight: 1, dilationWidth: 1 },
      ...{ padTop: vertical.before, padLeft: horizontal.before, padBottom: vertical.after, padRight: horizontal.after },
    };
  };
  const weights = (count: number, units: number) => {
    const weightScale = Float32Array.from({ length: units }, () => 0.002 + random.next() * 0.01);
    return {
      weights: Int8Array.from({ length: count }, () => int(-90, 90)),
      bias: Int32Array.from({ length: units }, () => int(-500, 500)),
      weightScale,
      ...(kernel.startsWith('plain') ? leftShifts(units) : convMultipliers(SCALE, weightScale, SCALE)),
      ...{ actMin: -128, actMax: 127 },
    };
  };
  const ends = { input: 0, output: 1 };
  const flat = random.integer(5) === 0;
  const [height, width] = flat
    ? pick([[1, scaled(20, 600)] as const, [scaled(20, 100), 1] as const])
    : [scaled(3, 48), scaled(3, 48)];
  const channels = random.integer(4) === 0 ? int(1, 20) : 4 * scaled(1, 32);
  const image = tensor([height, width, channels]);
  const along = (size: number): readonly [number, number] =>
    height === 1 ? [1, size] : width === 1 ? [size, 1] : [size, size];
  switch (kernel) {
    case 'conv':
    case 'plainConv':
    case 'band':
    case 'pointwise': {
      const size =
        kernel === 'pointwise'
          ? ([1, 1] as const)
          : pick([along(3), along(3), along(5), [10, 4] as const, [10, 8] as const]);
      const input =
        kernel === 'band' || random.integer(4) === 0 ? tensor([height, width, pick([1, 1, 3, 3, int(1, 9)])]) : image;
      const inputs = input.shape[2] as number;
      const units = random.integer(3) === 0 ? int(1, 30) : 4 * scaled(1, 32);
      const view = window(height, width, size, kernel === 'pointwise' ? 1 : pick([1, 1, 2]));
      const op: Int8Op = {
        kind: 'conv2d',
        ...ends,
        window: view,
        groups: 1,
        ...weights(size[0] * size[1] * inputs * units, units),
      };
      return one(op, input, tensor(windowOutputShape(input.shape, view, units)));
    }
    case 'planes':
    case 'plainDepthwise':
    case 'taps': {
      const size = pick([along(3), along(3), along(5), along(9), [3, 3] as const]);
      const view = window(height, width, size, pick([1, 1, 2]));
      const op: Int8Op = {
        kind: 'depthwiseConv2d',
        ...ends,
        window: view,
        depthMultiplier: 1,
        ...weights(size[0] * size[1] * channels, channels),
      };
      return one(op, image, tensor(windowOutputShape(image.shape, view, channels)));
    }
    case 'plainDense':
    case 'dense': {
      const [inputs, units] = [scaled(8, 1000), scaled(2, 200)];
      return one(
        { kind: 'fullyConnected', ...ends, ...weights(inputs * units, units) },
        tensor([inputs]),
        tensor([units]),
      );
    }
    case 'maxPool':
    case 'averagePool':
    case 'wholePool': {
      const whole = kernel === 'wholePool';
      const size = whole ? ([height, width] as const) : along(2);
      // Nearly always the windows fill the image.
      const pooled = whole ? image : tensor([height * size[0], width * size[1], channels]);
      const view = window(pooled.shape[0] as number, pooled.shape[1] as number, size, Math.max(...size));
      const kind = kernel === 'maxPool' ? ('maxPool2d' as const) : ('averagePool2d' as const);
      const output = tensor(windowOutputShape(pooled.shape, view, channels));
      return one({ kind, ...ends, window: view, actMin: -128, actMax: 127 }, pooled, output);
    }
    case 'mean': {
      const op: Int8Op = {
        kind: 'mean',
        ...ends,
        outer: 1,
        count: height * width,
        inner: channels,
        ...meanParameters(SCALE, SCALE, height * width),
      };
      return one(op, image, tensor([channels]));
    }
    case 'add':
    case 'mul': {
      const other = {
        ...tensor(image.shape),
        data: Int8Array.from({ length: elementCount(image.shape) }, () => int(-128, 127)),
      };
      const both = { inputs: [0, 2] as const, output: 1, actMin: -128, actMax: 127 };
      const unlike = Math.fround(0.03 + 0.04 * random.next());
      const op: Int8Op =
        kernel === 'add'
          ? { kind: 'add', ...both, subtract: false, ...addParameters(SCALE, unlike, SCALE, false) }
          : { kind: 'mul', ...both, ...mulParameters(SCALE, SCALE, SCALE) };
      return {
        tensors: [image, tensor(image.shape), { ...other, scale: kernel === 'add' ? unlike : SCALE }],
        ops: [op],
        input: 0,
        output: 1,
      };
    }
    case 'softmax': {
      const [rows, classes] = [random.integer(4) === 0 ? int(2, 6) : 1, int(2, 20)];
      const scale = Math.fround(scaled(0.02, 0.3));
      const logits = { ...tensor([rows, classes]), scale: scale === 0 ? Math.fround(0.1) : scale };
      return one({ kind: 'softmax', ...ends, ...softmaxParameters(logits.scale) }, logits, {
        ...tensor([rows, classes]),
        scale: 1 / 256,
      });
    }
    case 'lookup': {
      const table = Int8Array.from({ length: 256 }, (_, i) => i - 128);
      return one({ kind: 'lookup', ...ends, function: 'quantize', alpha: 0, table }, image, tensor(image.shape));
    }
    case 'move': {
      const [h, w] = [Math.ceil(height / 2), Math.ceil(width / 2)];
      return one(
        { kind: 'stridedSlice', ...ends, begin: [0, 0, 0], strides: [2, 2, 1] },
        image,
        tensor([h, w, channels]),
      );
    }
  }
}

/** Rescaling that only the portable kernels know. */
function leftShifts(units: number): { readonly multiplier: Int32Array; readonly shift: Int32Array } {
  return {
    multiplier: new Int32Array(units).fill(2 ** 30),
    shift: Int32Array.from({ length: units }, (_, i) => (i === 0 ? 1 : -7)),
  };
}

/** Two layers that follow each other line by line: a convolution, then another or a pooling. */
function pair(core: TimedCore, random: Random): { readonly graph: Int8Graph; readonly strip: number } {
  for (;;) {
    const first = layer(random.integer(2) === 0 ? 'conv' : 'pointwise', core, random);
    const image = first.tensors[1] as Int8Tensor;
    const second = attempt(random.integer(2) === 0 ? 'conv' : 'maxPool', random);
    const op = second.ops[0] as Int8Op;
    if (op.kind === 'conv2d') {
      const units = op.bias.length;
      const [inputs, wanted] = [
        op.weights.length / units,
        op.window.kernelHeight * op.window.kernelWidth * (image.shape[2] as number),
      ];
      if (inputs < wanted) continue;
      const weights = op.weights.subarray(0, units * wanted);
      const output = tensor(windowOutputShape(image.shape, op.window, units));
      if (output.shape.some((size) => size < 1)) continue;
      const graph: Int8Graph = {
        tensors: [...first.tensors, output],
        ops: [...first.ops, { ...op, weights, input: 1, output: 2 }],
        input: 0,
        output: 2,
      };
      if (fits(graph, core)) return { graph, strip: 1 + random.integer(4) };
    } else if (op.kind === 'maxPool2d') {
      const output = tensor(windowOutputShape(image.shape, op.window, image.shape[2] as number));
      if (output.shape.some((size) => size < 1)) continue;
      const graph: Int8Graph = {
        tensors: [...first.tensors, output],
        ops: [...first.ops, { ...op, input: 1, output: 2 }],
        input: 0,
        output: 2,
      };
      if (fits(graph, core)) return { graph, strip: 1 + random.integer(4) };
    }
  }
}

function fits(graph: Int8Graph, core: TimedCore): boolean {
  try {
    checkInt8Graph(graph);
  } catch {
    return false;
  }
  const weighted = graph.ops.filter((op) => 'weights' in op);
  if (weighted.some((op) => layoutFor(op, core) === 'plain')) return false;
  const work = Math.max(...graph.ops.flatMap((op) => latencyTerms(op, graph, core)));
  return stagesOf([0, 1], graph, core) !== null && work < MOST_WORK;
}

const bench = new CrossBench();

/** Counted cycles of each network, many to a program. */
function cyclesOf(
  networks: readonly { readonly graph: Int8Graph; readonly plan: NetworkPlan }[],
  core: TimedCore,
  target: CrossTarget,
  flags: readonly string[] = GENERIC,
): number[] {
  const cycles: number[] = [];
  for (let start = 0; start < networks.length; start += TOGETHER) {
    const some = networks.slice(start, start + TOGETHER);
    const sizes = some.flatMap(({ graph }) =>
      [graph.input, graph.output].map((id) => elementCount(graph.tensors[id]?.shape ?? [])),
    );
    const headers = some.map(({ graph, plan }, i) => {
      bench.write(`n${i}.h`, emitNetworkHeader(graph, plan, { prefix: `n${i}`, target: core, remarks: [] }).text);
      return `#include "n${i}.h"\n__attribute__((noinline)) int run${i}(void);\n__attribute__((noinline)) int run${i}(void) { return n${i}_invoke(given, results); }\n`;
    });
    const source = `#include "platform.h"
static int8_t given[${Math.max(...sizes)}];
static int8_t results[${Math.max(...sizes)}];
${headers.join('')}int program(void) {
  uint32_t state = 1;
  int32_t i;
  for (i = 0; i < (int32_t)sizeof given; i++) {
    state = next_random(state);
    given[i] = (int8_t)((int32_t)(state & 255) - 128);
  }
  bench_begin();
${some.map((_, i) => `  (void)run${i}();\n  bench_mark();\n`).join('')}  bench_end();
  return 42;
}
`;
    const { marks } = bench.count(target, bench.compile(target, bench.write('main.c', source), flags));
    cycles.push(...some.map((_, i) => (marks[i] as number) - (marks[i - 1] ?? 0)));
  }
  return cycles;
}

function whole(graph: Int8Graph, core: TimedCore): { readonly graph: Int8Graph; readonly plan: NetworkPlan } {
  return { graph, plan: planNetwork(graph, core, []) };
}

function percent(ratio: number): string {
  return `${((ratio - 1) * 100).toFixed(0)} %`;
}

/** Layers of each float kind. */
const FLOAT_SAMPLES = 14;
const FLOAT_KINDS = ['dot', 'depthwise', 'pool', 'elementwise', 'exponential', 'other'] as const;

/** A float layer of the kind, as trained networks have them. */
function floatLayer(kind: FloatLayerKind, random: Random): MixedGraph {
  const int = (low: number, high: number): number => low + random.integer(high - low + 1);
  const n = new SampleNetwork(random, [
    2 * int(2, 8),
    2 * int(2, 8),
    random.integer(4) === 0 ? int(1, 3) : 4 * int(1, 8),
  ]);
  const choice = random.integer(3);
  switch (kind) {
    case 'dot':
      if (choice === 0) n.dense(0, int(2, 24));
      else n.conv(0, 4 * int(1, 8), { kernel: choice === 1 ? 3 : 1, same: true, activation: 'relu' });
      break;
    case 'depthwise':
      n.depthwise(0, { kernel: 3, same: true, activation: 'relu' });
      break;
    case 'pool':
      if (choice === 0) n.mean(0);
      else n.pool(0, choice === 1 ? 'maxPool2d' : 'averagePool2d');
      break;
    case 'elementwise':
      if (choice === 0) n.scaleShift(0);
      else if (choice === 1) n.pair('mul', 0, n.tensor([n.channels(0)], n.normal(n.channels(0))));
      else n.unary(0, 'hardSwish');
      break;
    case 'exponential':
      if (choice === 0) n.softmax(0);
      else n.unary(0, choice === 1 ? 'tanh' : 'logistic');
      break;
    case 'other':
      if (choice === 0) n.pad(0, [1, 1, 0], [1, 1, 0]);
      else if (choice === 1) n.transpose(0, [1, 0, 2]);
      else n.slice(0, [0, 1, 0], [1, 1, 1]);
  }
  return mixedFromFloat(n.build());
}

function floatCyclesOf(graph: MixedGraph, target: CrossTarget): number {
  const { text } = emitMixedHeader(graph, planMixed(graph, target.made), {
    prefix: 'net',
    target: target.made,
    remarks: [],
  });
  bench.write('net.h', text);
  const source = bench.write(
    'main.c',
    `#include "net.h"
#include "platform.h"
static float in[NET_INPUT_SIZE], out[NET_OUTPUT_SIZE];
__attribute__((noinline)) int net_run(void);
__attribute__((noinline)) int net_run(void) { return net_invoke(in, out); }
int program(void) {
  uint32_t state = 1;
  int32_t i;
  for (i = 0; i < NET_INPUT_SIZE; i++) {
    state = next_random(state);
    in[i] = (float)(int32_t)(state & 1023) / 256.0f - 2.0f;
  }
  bench_begin();
  i = net_run();
  bench_end();
  return i == 0 ? 42 : 1;
}
`,
  );
  return bench.count(target, bench.compile(target, source)).cycles;
}

/** Cores of the table, the M4 with its floating point unit. */
function floatTarget(name: string): CrossTarget | undefined {
  const target = CROSS_TARGETS.find((known) => known.name === name);
  if (!target || name !== 'Cortex-M4') return target;
  return { ...target, flags: ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=softfp', '-mfpu=fpv4-sp-d16'] };
}

function calibrateFloat(): void {
  for (const [name, core] of CORES) {
    const target = floatTarget(name);
    if (!target || whyMissing(target) !== null) continue;
    console.log(`${core}, float: [per product, per output, per gathered input, per run], largest error`);
    for (const kind of FLOAT_KINDS) {
      const random = new Random(kind.length * 17 + 3);
      const rows = Array.from({ length: FLOAT_SAMPLES }, () => {
        const graph = floatLayer(kind, random);
        const op = graph.ops.at(-1)?.op as FloatOp;
        if (floatLayerKind(op) !== kind) throw new Error(kind);
        return { terms: floatLatencyTerms(op, graph), cycles: floatCyclesOf(graph, target) };
      });
      const costs = fitCosts(rows);
      const errors = rows.map(({ terms, cycles }) =>
        Math.abs(terms.reduce((sum, term, i) => sum + term * (costs[i] as number), 0) / cycles - 1),
      );
      console.log(`    ${kind}: [${costs.join(', ')}],  // ${(100 * Math.max(...errors)).toFixed(0)} %`);
    }
  }
}

try {
  if (!process.argv[2]) calibrateFloat();
  for (const [name, core] of CORES) {
    const target = CROSS_TARGETS.find((known) => known.name === name);
    const missing = target ? whyMissing(target) : 'unknown';
    if (!target || missing !== null) {
      console.log(`${name}: left out, ${missing ?? ''}`);
      continue;
    }
    if (process.argv[3] && process.argv[3] !== core) continue;
    console.log(`${core}: cycles per term, and the largest error of ${SAMPLES} layers`);
    for (const kernel of TIMED_KERNELS) {
      if (process.argv[2] && !process.argv[2].split(',').includes(kernel)) continue;
      if (core === 'cortex-m0plus' && (kernel === 'band' || kernel === 'planes')) continue;
      const random = new Random(kernel.length * 31 + 1);
      const networks = Array.from({ length: SAMPLES }, () => whole(layer(kernel, core, random), core));
      const counted = cyclesOf(networks, core, target);
      const rows = networks.map(({ graph }, i) => ({
        terms: latencyTerms(graph.ops[0] as Int8Op, graph, core),
        cycles: counted[i] as number,
      }));
      const costs = fitCosts(rows);
      const errors = rows.map(({ terms, cycles }) =>
        Math.abs(terms.reduce((sum, term, i) => sum + term * (costs[i] as number), 0) / cycles - 1),
      );
      if (process.argv[2])
        rows.forEach((r, i) =>
          console.log(
            networks[i]?.graph.tensors.map(({ shape }) => shape.join('x')).join(' to '),
            r.cycles,
            errors[i]?.toFixed(2),
            r.terms.join(),
          ),
        );
      const worst = errors.indexOf(Math.max(...errors));
      const { tensors = [] } = networks[worst]?.graph ?? {};
      console.log(
        `    // ${kernel} worst: ${tensors.map(({ shape }) => shape.join('x')).join(' to ')}, ${counted[worst] ?? 0}, ${rows[worst]?.terms.join()}`,
      );
      console.log(`    ${kernel}: [${costs.join(', ')}], // ${(100 * Math.max(...errors)).toFixed(0)} %`);
    }
    // Streams: what is left when the kernels are taken off. Fitted with the table as it is.
    const random = new Random(77);
    const streamed = Array.from({ length: SAMPLES }, () => {
      const { graph, strip } = pair(core, random);
      return { graph, plan: planNetwork(graph, core, [{ ops: [0, 1], strip }]) };
    });
    const counted = cyclesOf(streamed, core, target);
    const plain = cyclesOf(
      streamed.map(({ graph }) => whole(graph, core)),
      core,
      target,
    );
    const rows = streamed.flatMap(({ plan }, i) => {
      const [stream] = plan.streams;
      const more = (counted[i] as number) - (plain[i] as number);
      return stream && more > 0 ? [{ terms: streamTerms(runStream(stream.stages, stream.strip)), cycles: more }] : [];
    });
    console.log(
      `    streams: [${fitCosts(rows).join(', ')}], // per call of a stage, per byte moved; ${rows.length} pairs`,
    );

    const check = (title: string, graph: Int8Graph): void => {
      const plan = planNetwork(graph, core);
      const [cycles = 0] = cyclesOf([{ graph, plan }], core, target, []);
      const predicted = estimateNetworkCycles(graph, core, plan.streams);
      console.log(
        `  ${title}: predicted ${predicted ?? '-'}, counted ${cycles}, off by ${predicted === null ? '-' : percent(predicted / cycles)}`,
      );
      const ops = graph.ops.map((op) => estimateCycles(op, graph, core));
      if (ops.includes(null))
        console.log(
          `    unknown: ${graph.ops
            .filter((_, i) => ops[i] === null)
            .map(({ kind }) => kind)
            .join(', ')}`,
        );
    };
    for (const model of ZOO) check(model.name, lowerGraph(removeDeadChannels(zooGraph(model)).graph));
    if (!existsSync(MODELS)) continue;
    for (const file of GOLDEN) {
      const model = readTflite(new Uint8Array(readFileSync(path.join(MODELS, file))));
      if (model.kind === 'int8') check(file, lowerGraph(removeDeadChannels(model.graph).graph));
    }
  }
} finally {
  bench.close();
}
