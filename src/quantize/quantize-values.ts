/** Real values to int8 and back, as TFLite's QUANTIZE and DEQUANTIZE do it. */
import { clamp, roundHalfAway } from './requantize';
import type { QuantParameters } from './shared-scales';

/** `q = clamp(round(x / scale) + zeroPoint)`, the division in float32, halves away from zero; NaN gives -128. */
export function quantizeValues(
  values: Float32Array,
  { scale, zeroPoint }: QuantParameters,
  out: Int8Array = new Int8Array(values.length),
): Int8Array {
  for (let i = 0; i < values.length; i++) {
    const q = roundHalfAway(Math.fround((values[i] as number) / scale)) + zeroPoint;
    out[i] = Number.isNaN(q) ? -128 : clamp(q, -128, 127);
  }
  return out;
}

/** The real value of one integer. */
export function dequantize(q: number, { scale, zeroPoint }: QuantParameters): number {
  return scale * (q - zeroPoint);
}
