/**
 * Fixed-point rescaling exactly as the TFLite reference kernels do it: in their default, double-rounding build
 * (gemmlowp `SaturatingRoundingDoublingHighMul` followed by `RoundingDivideByPOT`), and with TFLITE_SINGLE_ROUNDING.
 *
 * Products of two int32 have up to 62 bits, more than a double holds; they are split into two exact halves instead of
 * going through BigInt.
 */
import { QuantizeError, type Rounding } from './int8-graph';

export const INT32_MAX = 2147483647;
export const INT32_MIN = -2147483648;

/** A real number as `multiplier * 2^(shift - 31)`, `multiplier` 0 or 2^30..2^31-1. */
export interface QuantizedMultiplier {
  readonly multiplier: number;
  readonly shift: number;
}

const bits = new DataView(new ArrayBuffer(8));

/** C's frexp for positive finite numbers: `value = fraction * 2^exponent`, `fraction` in [0.5, 1). Exact. */
export function frexp(value: number): { readonly fraction: number; readonly exponent: number } {
  if (value === 0) return { fraction: 0, exponent: 0 };
  // Subnormals have no implicit leading bit: scale them into the normal range first.
  const subnormal = value < 2 ** -1022;
  bits.setFloat64(0, subnormal ? value * 2 ** 54 : value);
  const high = bits.getUint32(0);
  const exponent = ((high >>> 20) & 0x7ff) - 1022 - (subnormal ? 54 : 0);
  bits.setUint32(0, (high & 0x800fffff) | (1022 << 20));
  return { fraction: bits.getFloat64(0), exponent };
}

/**
 * TFLite's `QuantizeMultiplier`: `real >= 0` as a Q31 multiplier and a shift in -31..30 (`maxShift` 31 for softmax).
 * Throws QuantizeError `overflow` when `real` is too large, not finite or negative.
 */
export function quantizeMultiplier(real: number, maxShift = 30): QuantizedMultiplier {
  if (!Number.isFinite(real) || real < 0) {
    throw new QuantizeError('overflow', `A scale of ${real} cannot be turned into integers: the network has diverged.`);
  }
  if (real === 0) return { multiplier: 0, shift: 0 };
  const { fraction, exponent } = frexp(real);
  let shift = exponent;
  let multiplier = roundHalfAway(fraction * 2 ** 31);
  if (multiplier === 2 ** 31) {
    multiplier = 2 ** 30;
    shift += 1;
  }
  if (shift < -31) return { multiplier: 0, shift: 0 };
  if (shift > maxShift) {
    throw new QuantizeError('overflow', `A scale of ${real} is too large for 32-bit arithmetic.`);
  }
  return { multiplier, shift };
}

/** Saturating rounding doubling high multiply: `(a * b + 2^30) >> 31`, `a` and `b` int32. */
export function srdhm(a: number, b: number): number {
  if (a === INT32_MIN && b === INT32_MIN) return INT32_MAX;
  const high = b >> 16;
  const low = b & 0xffff;
  return Math.floor((a * high + Math.floor((a * low + 0x40000000) / 0x10000)) / 0x8000);
}

/** Rounding divide by a power of two: ties away from zero. `value` int32, `exponent` 0..31. */
export function rdp(value: number, exponent: number): number {
  const mask = ((1 << exponent) - 1) | 0;
  const remainder = value & mask;
  const threshold = (mask >> 1) + (value < 0 ? 1 : 0);
  return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/** A `MultiplyByQuantizedMultiplier`: `value * multiplier * 2^(shift - 31)`, rounded. */
export type Rescale = (value: number, multiplier: number, shift: number) => number;

/** `MultiplyByQuantizedMultiplier`, double rounding. `value << max(shift, 0)` wraps as in C. */
export function mbqm(value: number, multiplier: number, shift: number): number {
  return shift > 0 ? srdhm(value << shift, multiplier) : rdp(srdhm(value, multiplier), -shift);
}

/**
 * The same with TFLITE_SINGLE_ROUNDING: `(value * multiplier + 2^(30 - shift)) >> (31 - shift)`, halves up.
 * `value << max(shift, 0)` must fit 32 bits.
 */
export function mbqmSingle(value: number, multiplier: number, shift: number): number {
  if (shift >= 0) return srdhm(value << shift, multiplier);
  // What the shift cuts off of the product's low half can never carry into the bit that decides.
  const high = Math.floor(
    (value * (multiplier >> 16) + Math.floor((value * (multiplier & 0xffff)) / 0x10000)) / 0x8000,
  );
  return ((high >> (-shift - 1)) + 1) >> 1;
}

/** The upper 16 bits of a Q31 multiplier, rounded, as 64-bit sums are multiplied by: 0..32767. */
export function reducedMultiplier(multiplier: number): number {
  return multiplier < 0x7fff0000 ? (multiplier + 0x8000) >> 16 : 0x7fff;
}

/**
 * `MultiplyByQuantizedMultiplier` of a 64-bit sum: `(value * reduced + 2^(14 - shift)) >> (15 - shift)`. `value` is an
 * integer below 2^47 in magnitude, `reduced` a reduced multiplier, `shift` -31..7, the result fits 32 bits.
 */
export function mbqmWide(value: number, reduced: number, shift: number): number {
  const down = 15 - shift;
  // Two parts of the product, each exact in a double; the lower one is below 2^31.
  const high = Math.floor(value / 0x10000) * reduced;
  const low = (value - Math.floor(value / 0x10000) * 0x10000) * reduced + 2 ** (down - 1);
  if (down >= 16) return Math.floor((high + Math.floor(low / 0x10000)) / 2 ** (down - 16));
  return high * 2 ** (16 - down) + Math.floor(low / 2 ** down);
}

export function rescaleOf(rounding: Rounding = 'double'): Rescale {
  return rounding === 'single' ? mbqmSingle : mbqm;
}

/** C's round(): half away from zero. Exact, where adding 0.5 first would itself round. */
export function roundHalfAway(value: number): number {
  const whole = Math.trunc(value);
  const rest = value - whole;
  return rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole;
}

export function clamp(value: number, minimum: number, maximum: number): number {
  return value < minimum ? minimum : value > maximum ? maximum : value;
}
