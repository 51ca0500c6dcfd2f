/**
 * Int8 softmax as the TFLite reference computes it: gemmlowp's fixed-point exponential and reciprocal. The input row
 * is reduced by its maximum, so a difference takes at most 256 values and its exponential can be tabulated exactly.
 */
import type { Int8Softmax, Rounding } from './int8-graph';
import { INT32_MAX, INT32_MIN, quantizeMultiplier, rdp, srdhm } from './requantize';

/** Integer bits of the scaled difference (Q5.26). */
const DIFF_INTEGER_BITS = 5;
const DIFF_FRACTION_BITS = 31 - DIFF_INTEGER_BITS;
/** Integer bits of the sum of exponentials (Q12.19). */
const SUM_INTEGER_BITS = 12;
/** More classes than this would need a rounding shift of more than 31 bits. */
export const MAX_SOFTMAX_CLASSES = 511;

/** exp(-2^exponent) in Q31, for exponents -2..4. */
const EXP_FACTORS = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242] as const;

/** exp(a) of a Q5.26 number a <= 0, as Q31. */
export function expOnNegative(a: number): number {
  if (a === 0) return INT32_MAX;
  const quarter = 1 << (DIFF_FRACTION_BITS - 2);
  const modulo = (a & (quarter - 1)) - quarter;
  // exp(x - 1/8) around -1/8 by a fourth-order Taylor polynomial, x in [-1/8, 1/8).
  const x = (modulo << DIFF_INTEGER_BITS) + (1 << 28);
  const x2 = srdhm(x, x);
  const x3 = srdhm(x2, x);
  const x4 = srdhm(x2, x2);
  const tail = rdp(srdhm(rdp(x4, 2) + x3, 715827883) + x2, 1);
  let result = 1895147668 + srdhm(1895147668, x + tail);
  const remainder = modulo - a;
  EXP_FACTORS.forEach((factor, index) => {
    if (remainder & (1 << (DIFF_FRACTION_BITS - 2 + index))) result = srdhm(result, factor);
  });
  return result;
}

function saturatingShiftLeft(value: number, shift: number): number {
  const limit = 2 ** (31 - shift) - 1;
  return value > limit ? INT32_MAX : value < -limit ? INT32_MIN : value << shift;
}

/** 1 / (1 + a) of a Q31 number a in [0, 1), as Q31: three Newton-Raphson steps. */
export function reciprocalOnePlus(a: number): number {
  const half = Math.floor((a + 2 ** 31) / 2);
  let x = 1515870810 + srdhm(half, -1010580540);
  for (let step = 0; step < 3; step++) {
    const error = (1 << 29) - srdhm(half, x);
    x += saturatingShiftLeft(srdhm(x, error), 2);
  }
  return saturatingShiftLeft(x, 1);
}

/** The integers of a softmax over logits of the given float32 scale (beta 1). */
export function softmaxParameters(
  inputScale: number,
  rounding: Rounding = 'double',
): Pick<Int8Softmax, 'multiplier' | 'leftShift' | 'diffMin'> {
  // TensorFlow Lite's single rounding takes shifts up to 30 only. The rescaling itself shifts left: rounded once either way.
  const most = rounding === 'single' ? 2 ** 30 - 1 : INT32_MAX;
  const { multiplier, shift } = quantizeMultiplier(Math.min(inputScale * 2 ** DIFF_FRACTION_BITS, most), 31);
  return { multiplier, leftShift: shift, diffMin: softmaxDiffMin(shift) };
}

/** The smallest difference that still fits Q5.26 after the left shift. */
export function softmaxDiffMin(leftShift: number): number {
  return 0 - Math.floor(((2 ** DIFF_INTEGER_BITS - 1) * 2 ** DIFF_FRACTION_BITS) / 2 ** leftShift);
}

/** Exponentials of the differences 0, -1, ..., -255 as Q31; below `diffMin` they are unused. */
export function softmaxTable(op: Pick<Int8Softmax, 'multiplier' | 'leftShift' | 'diffMin'>): Int32Array {
  const table = new Int32Array(256);
  for (let n = 0; n < 256 && -n >= op.diffMin; n++) table[n] = expOnNegative(srdhm(-n << op.leftShift, op.multiplier));
  return table;
}

/** Softmax of one row; `table` comes from `softmaxTable(op)`. Input and output have the same length. */
export function softmaxInt8(input: Int8Array, diffMin: number, table: Int32Array, output: Int8Array): void {
  const count = input.length;
  let max = -128;
  for (let i = 0; i < count; i++) if ((input[i] as number) > max) max = input[i] as number;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const diff = (input[i] as number) - max;
    if (diff >= diffMin) sum += rdp(table[-diff] as number, SUM_INTEGER_BITS);
  }
  const headroom = Math.clz32(sum);
  const scale = reciprocalOnePlus(sum * 2 ** headroom - 2 ** 31);
  const shift = SUM_INTEGER_BITS - headroom + 31 - 8;
  for (let i = 0; i < count; i++) {
    const diff = (input[i] as number) - max;
    if (diff < diffMin) {
      output[i] = -128;
    } else {
      const value = rdp(srdhm(scale, table[-diff] as number), shift) - 128;
      output[i] = value > 127 ? 127 : value;
    }
  }
}
