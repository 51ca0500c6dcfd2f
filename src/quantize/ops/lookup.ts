/** Functions of one int8 value, tabulated with the arithmetic of the TFLite reference kernels. */
import type { LookupFunction, Rounding } from '../int8-graph';
import {
  clamp,
  frexp,
  INT32_MAX,
  quantizeMultiplier,
  rdp,
  rescaleOf,
  roundHalfAway,
  srdhm,
  type Rescale,
} from '../requantize';

export interface LookupQuantization {
  readonly inputScale: number;
  readonly inputZero: number;
  readonly outputScale: number;
  readonly outputZero: number;
}

/** exp(-2^k) in Q31, for k = -2..5. */
const EXP_FACTORS: readonly (readonly [number, number])[] = [
  [-2, 1672461947],
  [-1, 1302514674],
  [0, 790015084],
  [1, 290630308],
  [2, 39332535],
  [3, 720401],
  [4, 242],
];

/** gemmlowp's exp of a <= 0 with `integerBits` integer bits, as Q31. */
function expOnNegative(a: number, integerBits: number): number {
  if (a === 0) return INT32_MAX;
  const fractionBits = 31 - integerBits;
  const quarter = 1 << (fractionBits - 2);
  const modulo = (a & (quarter - 1)) - quarter;
  const x = (modulo << integerBits) + (1 << 28);
  const x2 = srdhm(x, x);
  const x3 = srdhm(x2, x);
  const x4 = srdhm(x2, x2);
  const tail = rdp(srdhm(rdp(x4, 2) + x3, 715827883) + x2, 1);
  let result = 1895147668 + srdhm(1895147668, x + tail);
  const remainder = modulo - a;
  for (const [exponent, factor] of EXP_FACTORS) {
    if (integerBits > exponent && remainder & (1 << (fractionBits + exponent))) result = srdhm(result, factor);
  }
  return result;
}

function saturatingShiftLeft(value: number, shift: number): number {
  const limit = 2 ** (31 - shift) - 1;
  return value > limit ? INT32_MAX : value < -limit ? -2147483648 : value << shift;
}

/** Newton-Raphson for 2 / (1 + a), a in [0, 1) Q31, as Q2.29: half of it is 1 / (1 + a). */
function newton(a: number): number {
  const half = Math.floor((a + 2 ** 31) / 2);
  let x = 1515870810 + srdhm(half, -1010580540);
  for (let step = 0; step < 3; step++) x += saturatingShiftLeft(srdhm(x, (1 << 29) - srdhm(half, x)), 2);
  return x;
}

/** Logistic and tanh: the input in Q4.27, saturated beyond its range. */
function sigmoidal(
  kind: 'logistic' | 'tanh',
  { inputScale, inputZero }: LookupQuantization,
  rescale: Rescale,
): (q: number) => number {
  const { fraction, exponent } = frexp(inputScale * 2 ** 27);
  let multiplier = roundHalfAway(fraction * 2 ** 31);
  let shift = exponent;
  if (multiplier === 2 ** 31) {
    multiplier = 2 ** 30;
    shift++;
  }
  const radius = Math.floor((15 * 2 ** 27) / 2 ** shift);
  const lowest = kind === 'logistic' ? -128 : -128;
  return (q) => {
    const diff = q - inputZero;
    if (diff <= -radius) return lowest;
    if (diff >= radius) return 127;
    const a = rescale(diff, multiplier, shift);
    const magnitude = -Math.abs(a);
    if (kind === 'logistic') {
      const positive = saturatingShiftLeft(newton(expOnNegative(magnitude, 4)), 1);
      const value = a === 0 ? 1 << 30 : a > 0 ? positive : INT32_MAX - positive;
      return clamp(rdp(value, 23) - 128, -128, 127);
    }
    const positive = saturatingShiftLeft(newton(expOnNegative(magnitude, 5)) - (1 << 29), 2);
    const value = a === 0 ? 0 : a > 0 ? positive : -positive;
    return clamp(rdp(value, 24), -128, 127);
  };
}

/** A rectifier with rescaling: values below the zero point times `alpha`. */
function rectifier(
  { inputScale, inputZero, outputScale, outputZero }: LookupQuantization,
  alpha: number,
  actMin: number,
  actMax: number,
  rescale: Rescale,
): (q: number) => number {
  const up = quantizeMultiplier(Math.fround(inputScale / outputScale));
  const down = quantizeMultiplier(Math.fround(Math.fround(inputScale * alpha) / outputScale));
  return (q) => {
    const value = q - inputZero;
    const { multiplier, shift } = value >= 0 ? up : down;
    return clamp(rescale(value, multiplier, shift) + outputZero, actMin, actMax);
  };
}

/** Saturating rounding doubling high multiply of int16. */
function srdhm16(a: number, b: number): number {
  if (a === -32768 && b === -32768) return 32767;
  return (a * b + (1 << 14)) >> 15;
}

/** HARD_SWISH in int16 arithmetic: the reference kernel's steps, in its order. */
function hardSwish({ inputScale, inputZero, outputScale, outputZero }: LookupQuantization): (q: number) => number {
  const hires = Math.fround(inputScale / 128);
  const toInt16 = (multiplier: number): number => Math.min(32767, (multiplier + (1 << 15)) >> 16);
  const relu = quantizeMultiplier(Math.fround(hires / Math.fround(3 / 32768)));
  const out = quantizeMultiplier(Math.fround(hires / outputScale));
  const saturate16 = (value: number): number => clamp(value, -32768, 32767);
  return (q) => {
    const wide = (q - inputZero) * 128;
    const preshift = srdhm16(wide, toInt16(out.multiplier));
    let gate = wide;
    if (relu.shift > 0) gate = saturate16(gate * 2 ** (relu.shift - 1));
    gate = srdhm16(gate, toInt16(relu.multiplier));
    if (relu.shift > 0) gate = saturate16(gate * 2);
    if (relu.shift < 0) gate = rdp(gate, -relu.shift);
    gate = (gate + 32768) >> 1;
    // Unlike the ones before, this product is cut off, not rounded.
    const product = gate === -32768 && preshift === -32768 ? 32767 : Math.trunc((gate * preshift) / 32768);
    return clamp(rdp(product, -out.shift) + outputZero, -128, 127);
  };
}

/** The 256 values of a function: `table[q + 128]`. `alpha` is the slope below zero of leakyRelu. */
export function lookupTable(
  kind: LookupFunction,
  quantization: LookupQuantization,
  alpha = 0,
  rounding: Rounding = 'double',
): Int8Array {
  const rescale = rescaleOf(rounding);
  const { inputScale, inputZero, outputScale, outputZero } = quantization;
  const value = ((): ((q: number) => number) => {
    switch (kind) {
      case 'logistic':
      case 'tanh':
        return sigmoidal(kind, quantization, rescale);
      case 'hardSwish':
        return hardSwish(quantization);
      case 'leakyRelu':
        return rectifier(quantization, alpha, -128, 127, rescale);
      case 'quantize': {
        const { multiplier, shift } = quantizeMultiplier(inputScale / outputScale);
        return (q) => clamp(rescale(q - inputZero, multiplier, shift) + outputZero, -128, 127);
      }
      case 'relu':
      case 'relu6': {
        const { multiplier, shift } = quantizeMultiplier(Math.fround(inputScale / outputScale));
        const top = kind === 'relu' ? 127 : Math.min(127, outputZero + roundHalfAway(Math.fround(6 / outputScale)));
        return (q) => clamp(rescale(q - inputZero, multiplier, shift) + outputZero, Math.max(-128, outputZero), top);
      }
    }
  })();
  return Int8Array.from({ length: 256 }, (_, index) => value(index - 128));
}
