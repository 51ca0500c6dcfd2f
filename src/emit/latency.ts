/**
 * Predicted cycles of a network before it runs anywhere: per kind of layer and core a linear model of its products,
 * outputs and gathered inputs, fitted to counted cycles of 224 random layers (tests/bench/latency-calibration.ts; cost
 * model in tests/cross/instruction-count.c). It knows no wait states and no caches.
 */
import { elementCount, type FloatOp } from '../graph/float-graph';
import { inputsOf, type Int8Graph, type Int8Op } from '../quantize/int8-graph';
import type { Conversion, MixedGraph } from '../quantize/mixed-graph';
import { multiplyAdds } from './network-cost';
import { layoutFor, type Target } from './target';

/** Cores that the table knows. */
export type TimedCore = 'cortex-m4' | 'cortex-m0plus';

/** Cycles per product, per output, per gathered input, and per run of neighbouring inputs, pixel or layer. */
type Costs = readonly [product: number, output: number, gathered: number, run: number];

type Layer = 'conv' | 'pointwise' | 'depthwise' | 'fullyConnected' | 'pool' | 'elementwise' | 'softmax' | 'other';

const COSTS: Readonly<Record<TimedCore, Readonly<Record<Layer, Costs>>>> = {
  'cortex-m4': {
    conv: [1.05, 15.4, 3.76, 75.6],
    pointwise: [1.11, 13.1, 1.42, 66.6],
    depthwise: [5.29, 0, 0, 63.2],
    fullyConnected: [1.38, 17.1, 2.8, 172],
    pool: [0, 21.3, 0, 0],
    elementwise: [0, 40, 0, 27.8],
    softmax: [0, 368, 0, 0],
    other: [0, 4.8, 0, 0],
  },
  'cortex-m0plus': {
    conv: [3.66, 72.3, 9.95, 65.3],
    pointwise: [3.75, 69.7, 7.83, 57.2],
    depthwise: [15.3, 0, 0, 113],
    fullyConnected: [4.58, 40.5, 16.3, 254],
    pool: [0, 28.9, 0, 0],
    elementwise: [0, 76, 0, 57],
    softmax: [0, 1600, 0, 0],
    other: [0, 9.51, 0, 23.9],
  },
};

function layerOf(op: Int8Op): Layer {
  switch (op.kind) {
    case 'conv2d': {
      const { kernelHeight, kernelWidth, strideHeight, strideWidth } = op.window;
      return kernelHeight * kernelWidth * strideHeight * strideWidth === 1 ? 'pointwise' : 'conv';
    }
    case 'depthwiseConv2d':
      return 'depthwise';
    case 'fullyConnected':
    case 'softmax':
      return op.kind;
    case 'maxPool2d':
    case 'averagePool2d':
    case 'mean':
      return 'pool';
    case 'add':
    case 'mul':
      return 'elementwise';
    default:
      return 'other';
  }
}

/** What the model multiplies its costs with: products, outputs, gathered inputs, and what it starts. */
export function latencyTerms(op: Int8Op, graph: Int8Graph): readonly [number, number, number, number] {
  const outputs = elementCount(graph.tensors[op.output]?.shape ?? []);
  const products = multiplyAdds(op, graph);
  switch (op.kind) {
    case 'conv2d':
    case 'fullyConnected': {
      const channels = op.bias.length;
      const rows = op.kind === 'conv2d' ? (outputs / channels) * op.window.kernelHeight : 1;
      return [products, outputs, products / channels, rows];
    }
    case 'depthwiseConv2d':
      return [products, outputs, elementCount(graph.tensors[op.input]?.shape ?? []), outputs / op.bias.length];
    case 'maxPool2d':
    case 'averagePool2d':
      return [0, outputs, outputs * op.window.kernelHeight * op.window.kernelWidth, outputs];
    case 'mean':
      return [0, outputs, op.outer * op.count * op.inner, 1];
    case 'reshape':
      return [0, 0, 0, 0];
    default:
      return [0, outputs, inputsOf(op).length * outputs, 1];
  }
}

export { layerOf as latencyLayer };

/** Estimated cycles of one op, or null when the table does not know the target or the kernel that runs the op on it. */
export function estimateCycles(op: Int8Op, graph: Int8Graph, target: Target): number | null {
  if (target !== 'cortex-m4' && target !== 'cortex-m0plus') return null;
  const weighted = op.kind === 'conv2d' || op.kind === 'depthwiseConv2d' || op.kind === 'fullyConnected';
  if (weighted && layoutFor(op, target) === 'plain') return null;
  const costs = COSTS[target][layerOf(op)];
  return latencyTerms(op, graph).reduce((sum, term, index) => sum + term * (costs[index] as number), 0);
}

/** Estimated cycles of one inference, or null as above. */
export function estimateNetworkCycles(graph: Int8Graph, target: Target): number | null {
  let sum = 0;
  for (const op of graph.ops) {
    const cycles = estimateCycles(op, graph, target);
    if (cycles === null) return null;
    sum += cycles;
  }
  return Math.round(sum);
}

/** Kernels of mote_float_ops.h that cost alike. */
export type FloatLayerKind = 'dot' | 'depthwise' | 'pool' | 'elementwise' | 'exponential' | 'other';

/**
 * As above for float kernels, fitted to 84 random layers per core: the M4 with its floating point unit (without it
 * a product costs 100 cycles), the M0+ with GCC's soft floats. Within a quarter for layers with products, coarser for others.
 */
const FLOAT_COSTS: Readonly<Record<TimedCore, Readonly<Record<FloatLayerKind, Costs>>>> = {
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
