/**
 * The one intermediate form: an int8 network exactly as the TFLite reference kernels compute it (double rounding).
 * Read by the TypeScript interpreter, the C emitter and the pack writer (and later the `.tflite` writer).
 */
import type { TensorId } from '../graph/float-graph';

/** Activations are int8: real = scale * (q - zeroPoint). `scale` is an exact float32 value. */
export interface Int8Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly scale: number;
  /** -128..127. */
  readonly zeroPoint: number;
}

/**
 * acc = sum w * (x - z_in) + bias; y = clamp(MBQM(acc, multiplier[c], shift[c]) + z_out, actMin, actMax).
 * `multiplier` and `shift` have one element (per tensor) or one per unit (per channel).
 */
export interface Int8FullyConnected {
  readonly kind: 'fullyConnected';
  readonly input: TensorId;
  readonly output: TensorId;
  /** `weights[unit * inputs + input]`, -127..127. */
  readonly weights: Int8Array;
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

/** Reference int8 softmax; output scale is exactly 1/256 and zero point -128. */
export interface Int8Softmax {
  readonly kind: 'softmax';
  readonly input: TensorId;
  readonly output: TensorId;
  readonly multiplier: number;
  readonly leftShift: number;
  /** Differences below this are treated as zero probability; <= 0. */
  readonly diffMin: number;
}

export type Int8Op = Int8FullyConnected | Int8Softmax;

/** Opcodes as written into the pack and understood by the C runtime. Never renumber. */
export const INT8_OPCODE: Readonly<Record<Int8Op['kind'], number>> = { fullyConnected: 1, softmax: 2 };

export interface Int8Graph {
  readonly tensors: readonly Int8Tensor[];
  readonly ops: readonly Int8Op[];
  readonly input: TensorId;
  readonly output: TensorId;
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
