/**
 * The trained network as data: float32 tensors and ops. No tfjs here; `learn` produces this, `quantize` reads it.
 * Shapes leave out the batch dimension.
 */

export type TensorId = number;

export interface FloatTensor {
  readonly name: string;
  readonly shape: readonly number[];
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

export type FloatOp = FloatFullyConnected | FloatSoftmax;

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
