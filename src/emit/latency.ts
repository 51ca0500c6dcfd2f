/**
 * Predicted cycles of a network before it runs anywhere: per kernel and core a linear model of what its loops do, fitted to
 * counted cycles of random layers (tests/bench/latency-calibration.ts; cost model in tests/cross/instruction-count.c). Streams
 * cost what their parts cost, and the lines that they move. It knows no wait states and no caches.
 */
import { elementCount, type FloatOp } from '../graph/float-graph';
import type { Int8Graph, Int8Op } from '../quantize/int8-graph';
import type { Conversion, MixedGraph } from '../quantize/mixed-graph';
import { isPointwise } from './kernel-scratch';
import { multiplyAdds } from './network-cost';
import type { PlannedStream } from './network-plan';
import { runStream, type StreamRun } from './stream';
import { layoutFor, type Target } from './target';
import { bandBlocks, type BandBlock, isBand, isPlanar } from './weight-layout';

/** Cores that the table knows. */
export type TimedCore = 'cortex-m4' | 'cortex-m0plus';

/** Kernels that differ in their loops, or in what of their loops counts. */
export const TIMED_KERNELS = [
  'conv',
  'band',
  'pointwise',
  'planes',
  'taps',
  'dense',
  'plainConv',
  'plainDepthwise',
  'plainDense',
  'maxPool',
  'averagePool',
  'wholePool',
  'mean',
  'add',
  'mul',
  'softmax',
  'lookup',
  'move',
] as const;
export type TimedKernel = (typeof TIMED_KERNELS)[number];

/** Cycles per unit of each term that `latencyTerms` gives for the kernel; none: the core has no such kernel. */
const COSTS: Readonly<Record<TimedCore, Readonly<Partial<Record<TimedKernel, readonly number[]>>>>> = {
  'cortex-m4': {
    conv: [16.9, 38.1, 3.81, 79.2, 115, 0, 166, 255],
    band: [33.7, 83.1, 30.8, 20.9, 8.01, 222, 193, 130, 988],
    pointwise: [15.6, 56.6, 2.82, 0, 0, 92.9, 78.4, 67.7],
    planes: [41.2, 31.3, 49.1, 107, 0, 2.14, 101, 1450],
    taps: [13.8, 67.4, 3.39, 27.7, 28.8, 36.4, 209, 1390],
    dense: [22, 73.9, 66.7, 181, 0],
    plainConv: [4.18, 81.6, 11.5, 0],
    plainDepthwise: [14, 142, 0, 1920],
    plainDense: [4.19, 62.9, 5.74, 113],
    maxPool: [5.21, 3.43, 0, 5.03, 0, 0, 2.46, 79.7],
    averagePool: [0, 0, 0, 2.94, 0, 9.36, 0.781, 61.3],
    wholePool: [0, 0, 0, 8.42, 0, 0, 0, 0],
    mean: [7.25, 9.19, 236],
    add: [33.1, 26.7],
    mul: [26.1, 32.6],
    softmax: [379, 0, 0, 0],
    lookup: [4.87, 43.8],
    move: [1.1, 36.8],
  },
  'cortex-m0plus': {
    conv: [29.4, 64.3, 8.3, 75.5, 56.9, 142, 259, 0],
    pointwise: [29.8, 61.6, 10, 0, 0, 167, 82.5, 0],
    taps: [25.7, 54.8, 16.3, 15.8, 14.6, 217, 735, 1230],
    dense: [15.8, 70.1, 4.93, 129, 230, 0],
    plainConv: [6.61, 171, 14.2, 1710],
    plainDepthwise: [19, 275, 0, 2170],
    plainDense: [6.67, 154, 5.7, 164],
    maxPool: [0, 0, 0, 6.41, 0, 0, 27.4, 170],
    averagePool: [0, 0, 0, 5.71, 0, 5.9, 29.9, 0],
    wholePool: [0, 0, 0, 8.42, 0.742, 48.5, 34, 0],
    mean: [8.02, 112, 20.2],
    add: [155, 302],
    mul: [107, 0],
    softmax: [1640, 0, 0, 0],
    lookup: [9.54, 41],
    move: [1.39, 31.4],
  },
};

/** Cycles of a stream beside its kernels: per call of a stage, and per byte that moves to the front of a buffer. */
const STREAM_COSTS: Readonly<Record<TimedCore, readonly [call: number, byte: number]>> = {
  'cortex-m4': [885, 0.348],
  'cortex-m0plus': [588, 1.04],
};

/** How a layer is computed: at once, or by parts of some lines each. */
interface Parts {
  readonly calls: number;
  /** Parts of the only row, not of rows. */
  readonly columns: boolean;
}

/** How far, in steps of int8, a class is behind the best one of a few, when all values are equally likely. */
const LIKELY_LEAD = 128;

const WHOLE: Parts = { calls: 1, columns: false };

export function timedKernel(op: Int8Op, graph: Int8Graph, core: TimedCore): TimedKernel {
  const plain = layoutFor(op, core) === 'plain';
  switch (op.kind) {
    case 'conv2d':
      if (plain) return 'plainConv';
      if (isPointwise(op.window)) return 'pointwise';
      return core === 'cortex-m4' && isBand(op) ? 'band' : 'conv';
    case 'depthwiseConv2d':
      if (plain) return 'plainDepthwise';
      return core === 'cortex-m4' && isPlanar(op, graph.tensors[op.output]?.shape[1] ?? 0) ? 'planes' : 'taps';
    case 'fullyConnected':
      return plain ? 'plainDense' : 'dense';
    case 'maxPool2d':
      return 'maxPool';
    case 'averagePool2d': {
      const [height, width] = graph.tensors[op.output]?.shape ?? [];
      return height === 1 && width === 1 ? 'wholePool' : 'averagePool';
    }
    case 'mean':
    case 'add':
    case 'mul':
    case 'softmax':
    case 'lookup':
      return op.kind;
    default:
      return 'move';
  }
}

/** What the loops of the op's kernel do, in units of COSTS. */
export function latencyTerms(op: Int8Op, graph: Int8Graph, core: TimedCore, parts: Parts = WHOLE): readonly number[] {
  const outputs = elementCount(graph.tensors[op.output]?.shape ?? []);
  const { calls } = parts;
  const fours = (count: number): number => Math.ceil(count / 4);
  if ('weights' in op && layoutFor(op, core) === 'plain') {
    const products = multiplyAdds(op, graph);
    return [products, outputs, products / op.bias.length, calls];
  }
  switch (op.kind) {
    case 'conv2d': {
      if (timedKernel(op, graph, core) === 'band') return bandTerms(op, graph, parts);
      const units = op.bias.length;
      const taps = op.weights.length / units;
      const pixels = outputs / units;
      const rest = units % 4 === 0 ? 0 : 1;
      const [rows, beside] = isPointwise(op.window)
        ? [0, 0]
        : [pixels * op.window.kernelHeight, besideInput(op, graph) * op.window.kernelHeight];
      return core === 'cortex-m4'
        ? [
            pixels * fours(units) * fours(taps),
            pixels * fours(units),
            pixels * taps,
            rows,
            beside,
            pixels,
            pixels * rest,
            calls,
          ]
        : [
            pixels * fours(units) * Math.ceil(taps / 2),
            pixels * units,
            pixels * taps,
            rows,
            beside,
            pixels * Math.ceil(units / 32),
            pixels,
            calls,
          ];
    }
    case 'depthwiseConv2d':
      return depthwiseTerms(op, graph, core, parts);
    case 'fullyConnected': {
      const units = op.bias.length;
      const inputs = op.weights.length / units;
      const rows = outputs / units;
      const blocks = Math.ceil(units / 32);
      if (core === 'cortex-m4') {
        return [
          rows * fours(units) * fours(inputs),
          rows * fours(units),
          rows * (units % 4 === 0 ? 0 : 1),
          rows,
          calls,
        ];
      }
      return [rows * fours(units) * inputs, rows * units, rows * inputs, rows * blocks, rows, calls];
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const channels = graph.tensors[op.output]?.shape.at(-1) ?? 1;
      const pixels = outputs / channels;
      const { kernelHeight, kernelWidth } = op.window;
      const vectors =
        core === 'cortex-m4' &&
        op.kind === 'maxPool2d' &&
        channels % 4 === 0 &&
        op.actMin === -128 &&
        op.actMax === 127;
      const [fast, slow] = vectors ? [outputs / 4, 0] : [0, outputs];
      const shape = [kernelHeight * kernelWidth, kernelHeight, 1];
      return [...shape.map((size) => size * fast), ...shape.map((size) => size * slow), pixels, calls];
    }
    case 'mean':
      return [op.outer * op.count * op.inner, op.outer * op.inner, calls];
    case 'softmax': {
      const classes = graph.tensors[op.input]?.shape.at(-1) ?? 1;
      // Classes far behind the best one need no exponential: as many as uniform values would leave out.
      return [outputs * Math.min(1, -op.diffMin / LIKELY_LEAD), outputs, outputs / classes, calls];
    }
    case 'reshape':
      return [0, 0];
    default:
      return [outputs, calls];
  }
}

/** Products and groups of four channels of two pixels at a time, and of single ones; the band; calls of loops. */
function bandTerms(
  op: Int8Op & { readonly kind: 'conv2d' },
  graph: Int8Graph,
  { calls, columns }: Parts,
): readonly number[] {
  const [height = 0, width = 0] = graph.tensors[op.output]?.shape ?? [];
  const units = op.bias.length;
  const { kernelHeight } = op.window;
  const run = 2 * Math.ceil(op.weights.length / units / kernelHeight / 2);
  const [quads, fours] = [Math.ceil(units / 4), Math.ceil((run * kernelHeight) / 4)];
  // Parts of the only row are rows of their own.
  const blocks = bandBlocks(op, columns ? Math.ceil(width / calls) : width);
  const rows = columns ? calls : height;
  const sum = (of: (block: BandBlock) => number): number =>
    rows * blocks.reduce((total, block) => total + of(block), 0);
  const pairs = sum(({ pixels }) => Math.floor(pixels / 2));
  const singles = sum(({ pixels }) => pixels % 2);
  return [
    pairs * quads * fours,
    pairs * quads,
    singles * quads * fours,
    singles * quads,
    sum(({ words }) => words),
    sum(({ pixels }) => Math.min(pixels, 2)),
    pairs + singles,
    units % 4 === 0 ? 0 : pairs + singles,
    calls,
  ];
}

/** Pixels of the output whose kernel reaches beside the input, to the left or right. */
function besideInput(op: Int8Op & { readonly kind: 'conv2d' }, graph: Int8Graph): number {
  const [height = 0, width = 0] = graph.tensors[op.output]?.shape ?? [];
  const inWidth = graph.tensors[op.input]?.shape[1] ?? 0;
  const { strideWidth, padLeft, kernelWidth, dilationWidth } = op.window;
  let columns = 0;
  for (let x = 0; x < width; x++) {
    const left = x * strideWidth - padLeft;
    if (left < 0 || left + (kernelWidth - 1) * dilationWidth >= inWidth) columns++;
  }
  return columns * height;
}

function depthwiseTerms(
  op: Int8Op & { readonly kind: 'depthwiseConv2d' },
  graph: Int8Graph,
  core: TimedCore,
  { calls, columns }: Parts,
): readonly number[] {
  const [height = 0, width = 0, channels = 0] = graph.tensors[op.output]?.shape ?? [];
  const inWidth = graph.tensors[op.input]?.shape[1] ?? 0;
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, padLeft, padRight } = op.window;
  const taps = kernelHeight * kernelWidth;
  const pixels = height * width;
  // Every part loads all rows that it needs; what parts of the only row load twice is little.
  const lines = columns ? height : height / calls;
  const loaded = (columns ? 1 : calls) * ((lines - 1) * strideHeight + (kernelHeight - 1) * dilationHeight + 1);
  if (core === 'cortex-m4' && isPlanar(op, width)) {
    const pairs = height * channels * Math.ceil(width / 2);
    const quads = Math.ceil(channels / 4);
    return [
      strideWidth === 1 ? pairs : 0,
      strideWidth === 1 ? 0 : pairs,
      height * channels,
      loaded * quads * Math.ceil(inWidth / 4),
      loaded * quads,
      calls * channels * (padLeft + padRight),
      height,
      calls,
    ];
  }
  const quads = Math.ceil(channels / 4);
  const read = loaded * inWidth * channels;
  if (core === 'cortex-m4') {
    return [
      pixels * quads * taps,
      pixels * quads,
      read,
      height * taps,
      pixels,
      pixels * (channels % 4 === 0 ? 0 : 1),
      height,
      calls,
    ];
  }
  const [words, bytes] = channels % 4 === 0 ? [read / 4, 0] : [0, read];
  return [
    pixels * quads * taps,
    pixels * channels,
    pixels * quads * kernelHeight,
    words,
    bytes,
    pixels * Math.ceil(channels / 32),
    height,
    calls,
  ];
}

/** Estimated cycles of one op, or null when the table does not know the target. */
export function estimateCycles(op: Int8Op, graph: Int8Graph, target: Target, parts: Parts = WHOLE): number | null {
  if (target !== 'cortex-m4' && target !== 'cortex-m0plus') return null;
  if (op.kind === 'reshape') return 0;
  const costs = COSTS[target][timedKernel(op, graph, target)];
  if (!costs) return null;
  return latencyTerms(op, graph, target, parts).reduce((sum, term, index) => sum + term * (costs[index] ?? 0), 0);
}

/** How often a stream calls its stages, and what it moves. */
export function streamTerms({ calls, moved }: StreamRun): readonly [calls: number, bytes: number] {
  return [calls.reduce((sum, { count }) => sum + count, 0), moved];
}

/** Estimated cycles of one inference with the streams of a plan, or null as above. `graph`: what was planned. */
export function estimateNetworkCycles(
  graph: Int8Graph,
  target: Target,
  streams: readonly PlannedStream[] = [],
): number | null {
  if (target !== 'cortex-m4' && target !== 'cortex-m0plus') return null;
  const parts = new Map<number, Parts>();
  let sum = 0;
  for (const { ops, strip, stages } of streams) {
    const run = runStream(stages, strip);
    streamTerms(run).forEach((term, index) => (sum += term * (STREAM_COSTS[target][index] as number)));
    ops.forEach((op, k) => {
      parts.set(op, { calls: run.calls[k]?.count ?? 1, columns: stages[k]?.columns ?? false });
    });
  }
  for (const [index, op] of graph.ops.entries()) {
    const cycles = estimateCycles(op, graph, target, parts.get(index));
    if (cycles === null) return null;
    sum += cycles;
  }
  return Math.round(sum);
}

/** Cycles per product, per output, per gathered input, and per run of neighbouring inputs. */
type FloatCosts = readonly [product: number, output: number, gathered: number, run: number];

/** Kernels of mote_float_ops.h that cost alike. */
export type FloatLayerKind = 'dot' | 'depthwise' | 'pool' | 'elementwise' | 'exponential' | 'other';

/**
 * As above for float kernels, fitted to 84 random layers per core: the M4 with its floating point unit (without it
 * a product costs 100 cycles), the M0+ with GCC's soft floats. Within a quarter for layers with products, coarser for others.
 */
const FLOAT_COSTS: Readonly<Record<TimedCore, Readonly<Record<FloatLayerKind, FloatCosts>>>> = {
  'cortex-m4': {
    dot: [8.02, 0, 0, 12.1],
    depthwise: [19.4, 0, 0, 0],
    pool: [0, 7.84, 10.1, 0],
    elementwise: [0, 19.9, 0, 0],
    exponential: [0, 72, 0, 0],
    other: [0, 9.3, 0, 0],
  },
  'cortex-m0plus': {
    dot: [250, 188, 0, 0],
    depthwise: [239, 0, 0, 0],
    pool: [0, 0, 85.6, 0],
    elementwise: [0, 216, 0, 3270],
    exponential: [0, 3430, 0, 0],
    other: [0, 9.78, 0, 0],
  },
};

export function floatLayerKind(op: FloatOp | Conversion): FloatLayerKind {
  switch (op.kind) {
    case 'conv2d':
    case 'fullyConnected':
      return 'dot';
    case 'depthwiseConv2d':
      return 'depthwise';
    case 'maxPool2d':
    case 'averagePool2d':
    case 'mean':
      return 'pool';
    case 'add':
    case 'mul':
    case 'scaleShift':
    case 'quantize':
    case 'dequantize':
      return 'elementwise';
    case 'softmax':
      return 'exponential';
    case 'unary':
      return op.function === 'logistic' || op.function === 'tanh' ? 'exponential' : 'elementwise';
    default:
      return 'other';
  }
}

/** What the costs of float kernels are multiplied with: products, outputs, gathered inputs, and runs of products. */
export function floatLatencyTerms(
  op: FloatOp | Conversion,
  graph: Pick<MixedGraph, 'tensors'>,
): readonly [number, number, number, number] {
  const outputs = elementCount(graph.tensors[op.output]?.shape ?? []);
  const products = multiplyAdds(op, graph);
  switch (op.kind) {
    case 'fullyConnected':
      return [products, outputs, 0, outputs];
    case 'conv2d':
      // Side by side, taps of an undilated convolution without groups are one run.
      return [
        products,
        outputs,
        0,
        outputs *
          op.window.kernelHeight *
          (op.groups === 1 && op.window.dilationWidth === 1 ? 1 : op.window.kernelWidth),
      ];
    case 'depthwiseConv2d':
      return [products, outputs, 0, outputs * op.window.kernelHeight];
    case 'maxPool2d':
    case 'averagePool2d':
      return [0, outputs, outputs * op.window.kernelHeight * op.window.kernelWidth, 0];
    case 'mean':
      return [0, outputs, op.outer * op.count * op.inner, 0];
    case 'reshape':
      return [0, 0, 0, 0];
    default:
      return [0, outputs, 0, 1];
  }
}

/** Estimated cycles of a float op or a conversion, or null for a target that the table does not know. */
export function estimateFloatCycles(op: FloatOp | Conversion, graph: MixedGraph, target: Target): number | null {
  if (target !== 'cortex-m4' && target !== 'cortex-m0plus') return null;
  const costs = FLOAT_COSTS[target][floatLayerKind(op)];
  return floatLatencyTerms(op, graph).reduce((sum, term, index) => sum + term * (costs[index] as number), 0);
}
