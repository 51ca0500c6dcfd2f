/**
 * The trained network as data: float32 tensors and ops. No tfjs here; `learn` produces this, `quantize` reads it.
 * Shapes leave out the batch dimension.
 */

import type { Window2d } from './window2d';

export type TensorId = number;

export interface FloatTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Constant tensors only (the second operand of an add or mul): their values. */
  readonly data?: Float32Array;
}

export type Activation = 'none' | 'relu' | 'relu6';

/** y = activation(W x + b); `weights[unit * inputs + input]`, `bias[unit]`. */
export interface FloatFullyConnected {
  readonly kind: 'fullyConnected';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly activation: Activation;
}

/** Softmax over the last axis, beta 1. */
export interface FloatSoftmax {
  readonly kind: 'softmax';
  readonly input: TensorId;
  readonly output: TensorId;
}

/** Input and output are [H, W, C]; weights OHWI [outChannels, kernelHeight, kernelWidth, inChannels / groups]. */
export interface FloatConv2d {
  readonly kind: 'conv2d';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly window: Window2d;
  readonly groups: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly activation: Activation;
}

/** Output channel = input channel * depthMultiplier + m; weights [kernelHeight, kernelWidth, outChannels]. */
export interface FloatDepthwiseConv2d {
  readonly kind: 'depthwiseConv2d';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly window: Window2d;
  readonly depthMultiplier: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly activation: Activation;
}

/** Average: over the taps inside the input. */
export interface FloatPool2d {
  readonly kind: 'maxPool2d' | 'averagePool2d';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly window: Window2d;
  readonly activation: Activation;
}

/** Mean over neighbouring axes: [outer, count, inner] -> [outer, inner]. */
export interface FloatMean {
  readonly kind: 'mean';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** Element-wise; `inputs[1]` may be smaller and repeats: element i takes element i % elements(b). */
export interface FloatAdd {
  readonly kind: 'add' | 'mul';
  readonly inputs: readonly [TensorId, TensorId];
  readonly output: TensorId;
  /** `add` only: a - b instead of a + b. */
  readonly subtract: boolean;
  readonly activation: Activation;
}

export interface FloatConcat {
  readonly kind: 'concat';
  readonly inputs: readonly TensorId[];
  readonly output: TensorId;
  readonly axis: number;
}

export interface FloatPad {
  readonly kind: 'pad';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export interface FloatReshape {
  readonly kind: 'reshape';
  readonly input: TensorId;
  readonly output: TensorId;
}

export interface FloatTranspose {
  readonly kind: 'transpose';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly permutation: readonly number[];
}

/** A function of one value. */
export interface FloatUnary {
  readonly kind: 'unary';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly function: 'relu' | 'relu6' | 'leakyRelu' | 'hardSwish' | 'logistic' | 'tanh';
  /** Slope below zero of leakyRelu, else 0. */
  readonly alpha: number;
}

export interface FloatStridedSlice {
  readonly kind: 'stridedSlice';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly begin: readonly number[];
  readonly strides: readonly number[];
}

export interface FloatResizeNearest {
  readonly kind: 'resizeNearest';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** y = x * scale[c] + shift[c] over the last axis: what remains of a batch normalization after training. */
export interface FloatScaleShift {
  readonly kind: 'scaleShift';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly scale: Float32Array;
  readonly shift: Float32Array;
}

export type FloatOp =
  | FloatFullyConnected
  | FloatSoftmax
  | FloatConv2d
  | FloatDepthwiseConv2d
  | FloatPool2d
  | FloatMean
  | FloatAdd
  | FloatConcat
  | FloatPad
  | FloatReshape
  | FloatTranspose
  | FloatUnary
  | FloatStridedSlice
  | FloatResizeNearest
  | FloatScaleShift;

/** The tensors that an op reads, in order. */
export function floatInputsOf(op: FloatOp): readonly TensorId[] {
  return 'inputs' in op ? op.inputs : [op.input];
}

/** Ops are in execution order. */
export interface FloatGraph {
  readonly tensors: readonly FloatTensor[];
  readonly ops: readonly FloatOp[];
  readonly input: TensorId;
  readonly output: TensorId;
}

export type GraphErrorCode = 'unknown-op' | 'bad-tensor' | 'shape-mismatch' | 'not-finite' | 'too-large';

export class GraphError extends Error {
  override readonly name = 'GraphError';
  constructor(
    readonly code: GraphErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
