/** Int8 mean over neighbouring axes, as TFLite's optimized `MEAN` (`QuantizedMeanOrSum`) computes it. */
import type { Int8Mean, Int8Tensor } from '../int8-graph';
import { mbqm, quantizeMultiplier, type Rescale } from '../requantize';

/** Multiplier and shift of a mean over `count` elements; the division is part of them. */
export function meanParameters(
  inputScale: number,
  outputScale: number,
  count: number,
): { readonly multiplier: number; readonly shift: number } {
  const { multiplier, shift } = quantizeMultiplier(inputScale / outputScale);
  const up = Math.min(31 - Math.clz32(count), 32, 31 + shift);
  return { multiplier: Number((BigInt(multiplier) << BigInt(up)) / BigInt(count)), shift: shift - up };
}

/** Prepares a run: the returned function reads `from` and writes `to`. */
export function prepareMean(
  op: Int8Mean,
  input: Int8Tensor,
  output: Int8Tensor,
  from: Int8Array,
  to: Int8Array,
  rescale: Rescale = mbqm,
): () => void {
  const { outer, count, inner, multiplier, shift } = op;
  return () => {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let k = 0; k < count; k++) sum += from[(o * count + k) * inner + i] as number;
        const value = rescale(sum - input.zeroPoint * count, multiplier, shift) + output.zeroPoint;
        to[o * inner + i] = value < -128 ? -128 : value > 127 ? 127 : value;
      }
    }
  };
}
