/**
 * The one intermediate form: an int8 network exactly as the TFLite reference kernels compute it.
 * Read by the TypeScript interpreter, the C emitter, the pack writer and the `.tflite` writer.
 */
import type { TensorId } from '../graph/float-graph';
import type { Window2d } from '../graph/window2d';

/**
 * Activations are int8: real = scale * (q - zeroPoint). `scale` is an exact float32 value. Shapes leave out the batch
 * dimension: [H, W, C] for images, [T, 1, C] or [T, C] for series, [C] for vectors; rank 1..4, row-major, C last.
 */
export interface Int8Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly scale: number;
  /** -128..127. */
  readonly zeroPoint: number;
  /** Constant tensors only (the second operand of an add or mul): their values. They lie in flash, not in the arena. */
  readonly data?: Int8Array;
}

/** What rescales sums of products to the output: one multiplier and shift for all, or one per output channel. */
export interface Int8Weighted {
  /** int32, zero point 0, scale input * weight: as in the `.tflite`, the input's zero point not folded in. */
  readonly bias: Int32Array;
  /** Float32 weight scale(s), as long as `multiplier`. */
  readonly weightScale: Float32Array;
  /** Q31 multiplier(s) from QuantizeMultiplier; 0 or 2^30..2^31-1. */
  readonly multiplier: Int32Array;
  /** Left shift when positive, right shift when negative: -31..30. */
  readonly shift: Int32Array;
  readonly actMin: number;
  readonly actMax: number;
}

/**
 * acc = sum w * (x - z_in) + bias; y = clamp(MBQM(acc, multiplier[c], shift[c]) + z_out, actMin, actMax).
 * Applies to every row of I values: I = weights.length / bias.length, rows = elements(input) / I.
 */
export interface Int8FullyConnected extends Int8Weighted {
  readonly kind: 'fullyConnected';
  readonly input: TensorId;
  readonly output: TensorId;
  /** `weights[unit * inputs + input]`, -127..127. */
  readonly weights: Int8Array;
}

/** Input and output are [H, W, C]. Padded taps contribute nothing: they behave as the input's zero point. */
export interface Int8Conv2d extends Int8Weighted {
  readonly kind: 'conv2d';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly window: Window2d;
  /** Input channels are split into this many groups, output channels likewise; 1 = ordinary convolution. */
  readonly groups: number;
  /** OHWI: [outChannels, kernelHeight, kernelWidth, inChannels / groups], -127..127. */
  readonly weights: Int8Array;
}

/** Output channel = input channel * depthMultiplier + m. */
export interface Int8DepthwiseConv2d extends Int8Weighted {
  readonly kind: 'depthwiseConv2d';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly window: Window2d;
  readonly depthMultiplier: number;
  /** [kernelHeight, kernelWidth, outChannels], -127..127. */
  readonly weights: Int8Array;
}

/** Input and output share scale and zero point. Average: over the taps inside the input, C division, half away from 0. */
export interface Int8Pool2d {
  readonly kind: 'maxPool2d' | 'averagePool2d';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly window: Window2d;
  readonly actMin: number;
  readonly actMax: number;
}

/** TFLite MEAN over neighbouring axes: [outer, count, inner] -> [outer, inner]. multiplier and shift contain 1 / count. */
export interface Int8Mean {
  readonly kind: 'mean';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
  readonly multiplier: number;
  readonly shift: number;
}

/**
 * y = clamp(MBQM(MBQM((a - za) << 20, mA, sA) +/- MBQM((b - zb) << 20, mB, sB), mOut, sOut) + z_out).
 * `inputs[1]` may be smaller and repeats: element i of the output takes element i % elements(b).
 */
export interface Int8Add {
  readonly kind: 'add';
  readonly inputs: readonly [TensorId, TensorId];
  readonly output: TensorId;
  /** a - b instead of a + b. */
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

/** y = clamp(MBQM((a - za) * (b - zb), multiplier, shift) + z_out); `inputs[1]` repeats as in add. */
export interface Int8Mul {
  readonly kind: 'mul';
  readonly inputs: readonly [TensorId, TensorId];
  readonly output: TensorId;
  readonly multiplier: number;
  readonly shift: number;
  readonly actMin: number;
  readonly actMax: number;
}

/** All inputs and the output share scale and zero point; `axis` counts without the batch. */
export interface Int8Concat {
  readonly kind: 'concat';
  readonly inputs: readonly TensorId[];
  readonly output: TensorId;
  readonly axis: number;
}

/** Adds `before[axis]` and `after[axis]` elements that hold the zero point. */
export interface Int8Pad {
  readonly kind: 'pad';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Same bytes, another shape: costs nothing. Also Squeeze, ExpandDims, Flatten. */
export interface Int8Reshape {
  readonly kind: 'reshape';
  readonly input: TensorId;
  readonly output: TensorId;
}

/** Output axis i is input axis permutation[i]. */
export interface Int8Transpose {
  readonly kind: 'transpose';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly permutation: readonly number[];
}

export type LookupFunction = 'relu' | 'relu6' | 'leakyRelu' | 'hardSwish' | 'logistic' | 'tanh' | 'quantize';

/** Any function of one value: y = table[x + 128], tabulated with the reference kernel's arithmetic. */
export interface Int8Lookup {
  readonly kind: 'lookup';
  readonly input: TensorId;
  readonly output: TensorId;
  /** What the table is of; `quantize` changes scale and zero point only. For the report and the `.tflite`. */
  readonly function: LookupFunction;
  /** Slope below zero of leakyRelu, else 0. */
  readonly alpha: number;
  /** 256 values. */
  readonly table: Int8Array;
}

/** output[i] = input[begin + i * stride] per axis; strides are positive. */
export interface Int8StridedSlice {
  readonly kind: 'stridedSlice';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly begin: readonly number[];
  readonly strides: readonly number[];
}

/** Nearest neighbour on [H, W, C]. */
export interface Int8ResizeNearest {
  readonly kind: 'resizeNearest';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Reference int8 softmax over the last axis; output scale is exactly 1/256 and zero point -128. */
export interface Int8Softmax {
  readonly kind: 'softmax';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly multiplier: number;
  readonly leftShift: number;
  /** Differences below this are treated as zero probability; <= 0. */
  readonly diffMin: number;
}

export type Int8Op =
  | Int8FullyConnected
  | Int8Softmax
  | Int8Conv2d
  | Int8DepthwiseConv2d
  | Int8Pool2d
  | Int8Mean
  | Int8Add
  | Int8Mul
  | Int8Concat
  | Int8Pad
  | Int8Reshape
  | Int8Transpose
  | Int8Lookup
  | Int8StridedSlice
  | Int8ResizeNearest;

/** The tensors that an op reads, in order. */
export function inputsOf(op: Int8Op): readonly TensorId[] {
  return 'inputs' in op ? op.inputs : [op.input];
}

/** Opcodes as written into the pack and understood by the C runtime. Never renumber. */
export const INT8_OPCODE: Readonly<Record<Int8Op['kind'], number>> = {
  fullyConnected: 1,
  softmax: 2,
  conv2d: 3,
  depthwiseConv2d: 4,
  maxPool2d: 5,
  averagePool2d: 6,
  mean: 7,
  add: 8,
  mul: 9,
  concat: 10,
  pad: 11,
  reshape: 12,
  transpose: 13,
  lookup: 14,
  stridedSlice: 15,
  resizeNearest: 16,
};

/**
 * How MultiplyByQuantizedMultiplier (MBQM) rounds. `double`: the high half of the product, then the right shift, as
 * TensorFlow Lite Micro and CMSIS-NN are built by default. `single`: once, as built with TFLITE_SINGLE_ROUNDING.
 */
export type Rounding = 'double' | 'single';

export interface Int8Graph {
  readonly tensors: readonly Int8Tensor[];
  readonly ops: readonly Int8Op[];
  readonly input: TensorId;
  readonly output: TensorId;
  /** Of the whole network, tables of look-ups included. Default double. */
  readonly rounding?: Rounding;
}

/**
 * Scaler and input quantization folded into one multiply-add per feature:
 * `q = clamp(roundHalfAway(fround(fround(feature * a[i]) + b[i])), -128, 127)`; NaN gives -128.
 */
export interface InputAffine {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

export type QuantizeErrorCode = 'no-calibration-data' | 'not-finite' | 'unsupported-op' | 'bad-input' | 'overflow';

export class QuantizeError extends Error {
  override readonly name = 'QuantizeError';
  constructor(
    readonly code: QuantizeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
