/**
 * Float32 arithmetic that the blocks share: square root, logarithm and statistics, in exactly the order of operations
 * of `firmware/mote/src/mote_math.h` (change both). Every intermediate value is rounded to float32, so both sides give
 * the same bits.
 */

const fround = Math.fround;

/** Longest window in frames, and most channels. */
export const MAX_FRAMES = 65536;
export const MAX_CHANNELS = 256;

/** Samples added up before the partial sum joins the total: keeps rounding errors small in long windows. */
const SUM_BLOCK = 64;

const LARGEST = fround(3.40282347e38);

const floatView = new Float32Array(1);
const bitView = new Uint32Array(floatView.buffer);

/** Bits of a float32. */
export function floatBits(x: number): number {
  floatView[0] = x;
  return bitView[0]!;
}

/** The float32 with these bits. */
export function bitsFloat(bits: number): number {
  bitView[0] = bits;
  return floatView[0]!;
}

/** `x`, or 0 for NaN, or the largest finite float32 of the same sign for an infinity. */
export function finite(x: number): number {
  if (x !== x) return 0;
  if (x > LARGEST) return LARGEST;
  if (x < -LARGEST) return -LARGEST;
  return x;
}

/**
 * Correctly rounded float32 square root; 0 for zero, negative numbers and NaN. (The double root rounded once more is
 * correctly rounded: 53 >= 2 * 24 + 2 bits.)
 */
export function sqrt32(x: number): number {
  return x > 0 ? fround(Math.sqrt(x)) : 0;
}

const SQRT2 = fround(1.41421354);
const C9 = fround(0.0965098813);
const C7 = fround(0.124084137);
const C5 = fround(0.173717797);
const C3 = fround(0.289529651);
const C1 = fround(0.868588984);
/** log10(2) in two parts: the first has 7 bits, so its product with an exponent is exact. */
const LOG2_HIGH = 0.30078125;
const LOG2_LOW = fround(0.000248745666);

/**
 * Logarithm to base 10 within 2 ulp; zero, negative numbers and NaN give -10, the logarithm of the 1e-10 that stands
 * for an empty bin; infinity gives log10(2^128). With m in [sqrt(1/2), sqrt(2)) and s = (m - 1) / (m + 1):
 * log10(m) = 2/ln(10) * (s + s^3/3 + s^5/5 + s^7/7 + s^9/9).
 */
export function log10f(x: number): number {
  if (!(x > 0)) return -10;
  let bits = floatBits(x);
  let exponent = 0;
  if (bits < 0x00800000) {
    bits = floatBits(fround(x * 8388608));
    exponent = -23;
  }
  exponent += (bits >>> 23) - 127;
  let m = bitsFloat((bits & 0x007fffff) | 0x3f800000);
  if (m > SQRT2) {
    m = fround(m * 0.5);
    exponent += 1;
  }
  const s = fround(fround(m - 1) / fround(m + 1));
  const z = fround(s * s);
  let p = C9;
  p = fround(fround(p * z) + C7);
  p = fround(fround(p * z) + C5);
  p = fround(fround(p * z) + C3);
  p = fround(fround(p * z) + C1);
  return fround(fround(exponent * LOG2_HIGH) + fround(fround(exponent * LOG2_LOW) + fround(s * p)));
}

/** Statistics of a series, float32. */
export interface Statistics {
  minimum: number;
  maximum: number;
  /** The mean is `mean + residual`: subtract them one after the other. */
  mean: number;
  residual: number;
  rms: number;
  /** Population standard deviation. */
  stdev: number;
  /** Biased, m3 / m2^1.5; 0 for a constant. */
  skewness: number;
  /** Biased excess, m4 / m2^2 - 3; -3 for a constant. */
  kurtosis: number;
}

export function emptyStatistics(): Statistics {
  return { minimum: 0, maximum: 0, mean: 0, residual: 0, rms: 0, stdev: 0, skewness: 0, kurtosis: -3 };
}

/** Exponent field of the power of two that brings |largest| near 1; within 1..253, so that its inverse is normal too. */
function exponentField(largest: number): number {
  const field = (floatBits(largest) >>> 23) & 255;
  return field < 1 ? 1 : field > 253 ? 253 : field;
}

/**
 * Statistics of x[start], x[start + step], ... (`count` values, at least 1), each multiplied by `scale`.
 *
 * The mean is taken of differences from the first value and then corrected once, so that a small signal on a large
 * offset (gravity) keeps its digits; moments are taken of values scaled by a power of two to about 1, so that they
 * neither overflow nor vanish.
 */
export function describe(
  x: Float32Array,
  start: number,
  step: number,
  count: number,
  scale: number,
  result: Statistics,
): void {
  const stop = start + count * step;
  const chunk = SUM_BLOCK * step;
  const first = fround(x[start]! * scale);
  let low = first;
  let high = first;
  let sum = fround(0);
  for (let at = start; at < stop;) {
    const end = Math.min(at + chunk, stop);
    let part = fround(0);
    for (; at < end; at += step) {
      const value = fround(x[at]! * scale);
      if (value < low) low = value;
      if (value > high) high = value;
      part = fround(part + fround(value - first));
    }
    sum = fround(sum + part);
  }
  const mean = fround(first + fround(sum / count));
  result.minimum = low;
  result.maximum = high;
  result.mean = mean;

  let field = exponentField(-low > high ? -low : high);
  let shrink = bitsFloat((254 - field) << 23);
  let squares = fround(0);
  sum = fround(0);
  for (let at = start; at < stop;) {
    const end = Math.min(at + chunk, stop);
    let part = fround(0);
    let part2 = fround(0);
    for (; at < end; at += step) {
      const value = fround(x[at]! * scale);
      const z = fround(value * shrink);
      part = fround(part + fround(value - mean));
      part2 = fround(part2 + fround(z * z));
    }
    sum = fround(sum + part);
    squares = fround(squares + part2);
  }
  const residual = fround(sum / count);
  result.residual = residual;
  result.rms = fround(sqrt32(fround(squares / count)) * bitsFloat(field << 23));

  const below = -fround(fround(low - mean) - residual);
  const above = fround(fround(high - mean) - residual);
  field = exponentField(below > above ? below : above);
  shrink = bitsFloat((254 - field) << 23);
  let sum2 = fround(0);
  let sum3 = fround(0);
  let sum4 = fround(0);
  for (let at = start; at < stop;) {
    const end = Math.min(at + chunk, stop);
    let part2 = fround(0);
    let part3 = fround(0);
    let part4 = fround(0);
    for (; at < end; at += step) {
      const z = fround(fround(fround(fround(x[at]! * scale) - mean) - residual) * shrink);
      const square = fround(z * z);
      part2 = fround(part2 + square);
      part3 = fround(part3 + fround(square * z));
      part4 = fround(part4 + fround(square * square));
    }
    sum2 = fround(sum2 + part2);
    sum3 = fround(sum3 + part3);
    sum4 = fround(sum4 + part4);
  }
  const m2 = fround(sum2 / count);
  const m3 = fround(sum3 / count);
  const m4 = fround(sum4 / count);
  if (m2 > 0) {
    const root = sqrt32(m2);
    result.stdev = fround(root * bitsFloat(field << 23));
    result.skewness = fround(m3 / fround(m2 * root));
    result.kurtosis = fround(fround(m4 / fround(m2 * m2)) - 3);
  } else {
    result.stdev = 0;
    result.skewness = 0;
    result.kurtosis = -3;
  }
}
