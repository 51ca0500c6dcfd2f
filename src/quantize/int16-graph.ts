/**
 * Networks with int16 activations and int8 weights, TensorFlow Lite's "16x8", exactly as the reference kernels compute
 * them. All zero points are 0. Finer than int8 by eight bits for twice the memory of activations; weights stay as large.
 */
import type { TensorId } from '../graph/float-graph';
import type {
  Int8Concat,
  Int8Conv2d,
  Int8DepthwiseConv2d,
  Int8FullyConnected,
  Int8Graph,
  Int8Pad,
  Int8Pool2d,
  Int8Reshape,
  Int8ResizeNearest,
  Int8StridedSlice,
  Int8Transpose,
  Rounding,
} from './int8-graph';

/** real = scale * q. `scale` is an exact float32 value. Shapes as in `Int8Tensor`. */
export interface Int16Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly scale: number;
  readonly zeroPoint: 0;
  /** Constant tensors only (the second operand of an add or mul). */
  readonly data?: Int16Array;
}

/** What rescales sums of products to the output; see `Int8Weighted`. */
export interface Int16Weighted {
  /** Integers of scale input * weight; beyond int32 where `sums` is int64, below 2^47 in magnitude. */
  readonly bias: Float64Array;
  /**
   * How sums are held, which is what the bias tensor of a `.tflite` is. int64: rescaled by the upper 16 bits of the
   * multiplier, rounded once. int32: as in int8 networks.
   */
  readonly sums: 'int64' | 'int32';
  readonly weightScale: Float32Array;
  /** Q31 multiplier(s) from QuantizeMultiplier; 0 or 2^30..2^31-1. */
  readonly multiplier: Int32Array;
  /** -31..7 with int64 sums, -31..30 with int32 ones. */
  readonly shift: Int32Array;
  readonly actMin: number;
  readonly actMax: number;
}

/** The geometry and the int8 weights of the int8 layer of the same kind. */
type Geometry<Op> = Omit<Op, 'bias' | 'weightScale' | 'multiplier' | 'shift' | 'actMin' | 'actMax'>;

export type Int16FullyConnected = Geometry<Int8FullyConnected> & Int16Weighted;
export type Int16Conv2d = Geometry<Int8Conv2d> & Int16Weighted;
export type Int16DepthwiseConv2d = Geometry<Int8DepthwiseConv2d> & Int16Weighted;
export type Int16WeightedOp = Int16FullyConnected | Int16Conv2d | Int16DepthwiseConv2d;

/** Fields, meaning and arithmetic of the int8 op of the same kind, on wider values. */
export type Int16Pool2d = Int8Pool2d;
export type Int16Concat = Int8Concat;
export type Int16Pad = Int8Pad;
export type Int16Reshape = Int8Reshape;
export type Int16Transpose = Int8Transpose;
export type Int16StridedSlice = Int8StridedSlice;
export type Int16ResizeNearest = Int8ResizeNearest;

/** y = clamp(MBQM(sum of `count` values, multiplier, shift)); see `Int8Mean`. */
export interface Int16Mean {
  readonly kind: 'mean';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
  readonly multiplier: number;
  readonly shift: number;
}

/** y = clamp(MBQM(MBQM(a << 15, mA, sA) +/- MBQM(b << 15, mB, sB), mOut, sOut)); the second input repeats. */
export interface Int16Add {
  readonly kind: 'add';
  readonly inputs: readonly [TensorId, TensorId];
  readonly output: TensorId;
  readonly subtract: boolean;
  readonly multiplierA: number;
  readonly shiftA: number;
  readonly multiplierB: number;
  readonly shiftB: number;
  readonly multiplierOut: number;
  readonly shiftOut: number;
  readonly actMin: number;
  readonly actMax: number;
}

/** y = clamp(MBQM(a * b, multiplier, shift)); the second input repeats. */
export interface Int16Mul {
  readonly kind: 'mul';
  readonly inputs: readonly [TensorId, TensorId];
  readonly output: TensorId;
  readonly multiplier: number;
  readonly shift: number;
  readonly actMin: number;
  readonly actMax: number;
}

export type RescaleFunction = 'relu' | 'relu6' | 'leakyRelu' | 'quantize';

/** y = clamp(MBQM(x, multiplier, shift)), with a multiplier and shift of its own for x < 0. */
export interface Int16Rescale {
  readonly kind: 'rescale';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly function: RescaleFunction;
  /** Slope below zero of leakyRelu, else 0. */
  readonly alpha: number;
  readonly multiplier: number;
  readonly shift: number;
  readonly negativeMultiplier: number;
  readonly negativeShift: number;
  readonly actMin: number;
  readonly actMax: number;
}

/**
 * The input times `multiplier`, shifted right by `shift` and rounded, has the scale 1 / (3 * 4096); its magnitude goes
 * through a table of the logistic function with linear interpolation. Output scale 1/32768.
 */
export interface Int16Sigmoid {
  readonly kind: 'sigmoid';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly function: 'logistic' | 'tanh';
  /** 1..32767. */
  readonly multiplier: number;
  /** 0..31, to the right. */
  readonly shift: number;
}

/** Over the last axis, by tables of exp and 1 / (1 + x) with linear interpolation; output scale 1/32768. */
export interface Int16Softmax {
  readonly kind: 'softmax';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly multiplier: number;
  readonly shift: number;
}

export type Int16Op =
  | Int16FullyConnected
  | Int16Conv2d
  | Int16DepthwiseConv2d
  | Int16Pool2d
  | Int16Mean
  | Int16Add
  | Int16Mul
  | Int16Concat
  | Int16Pad
  | Int16Reshape
  | Int16Transpose
  | Int16StridedSlice
  | Int16ResizeNearest
  | Int16Rescale
  | Int16Sigmoid
  | Int16Softmax;

export const INT16_KINDS = [
  'fullyConnected',
  'conv2d',
  'depthwiseConv2d',
  'maxPool2d',
  'averagePool2d',
  'mean',
  'add',
  'mul',
  'concat',
  'pad',
  'reshape',
  'transpose',
  'stridedSlice',
  'resizeNearest',
  'rescale',
  'sigmoid',
  'softmax',
] as const satisfies readonly Int16Op['kind'][];

export interface Int16Graph {
  readonly activations: 'int16';
  readonly tensors: readonly Int16Tensor[];
  readonly ops: readonly Int16Op[];
  readonly input: TensorId;
  readonly output: TensorId;
  /** Of everything but 64-bit sums, which are always rounded once. Default double. */
  readonly rounding?: Rounding;
}

/** What a network of integers may be. */
export type IntegerGraph = Int8Graph | Int16Graph;

/** Activations of either. */
export type TypedIntegers = Int8Array | Int16Array;

export function isInt16Graph(graph: IntegerGraph): graph is Int16Graph {
  return 'activations' in graph;
}

/** The tensors that an op reads, in order. */
export function inputsOfInt16(op: Int16Op): readonly TensorId[] {
  return 'inputs' in op ? op.inputs : [op.input];
}
