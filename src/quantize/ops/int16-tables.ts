/** Functions of int16 values by tables with linear interpolation, as the TensorFlow Lite reference kernels compute them. */
import { roundHalfAway } from '../requantize';
import { INT16_MAX, INT16_MIN } from './int16-parameters';

/** Steps of the tables of softmax. */
const STEPS = 512;

/**
 * `f` over [low, high] at 513 points as Q0.15, each lowered by half the error that interpolation makes in the middle of
 * the step above it. Every operation is rounded to float32, as TensorFlow Lite's LUTPopulate does it.
 */
function table15(f: (x: number) => number, low: number, high: number): Int16Array {
  const { fround } = Math;
  const step = fround((high - low) / STEPS);
  const half = fround(step / 2);
  const at = (i: number): number => fround(low + fround(i * step));
  const scaled = (x: number): number => fround(f(x) * 32_768);
  const values = Int16Array.from({ length: STEPS + 1 }, (_, i) => {
    const value = roundHalfAway(scaled(at(i)));
    if (i === STEPS) return clamp16(value);
    const between = roundHalfAway(fround(fround(scaled(at(i + 1)) + value) / 2));
    const bias = roundHalfAway((between - roundHalfAway(scaled(fround(at(i) + half)))) / 2);
    return clamp16(value - bias);
  });
  return values;
}

function clamp16(value: number): number {
  return value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value;
}

/** exp over [-10, 0]. */
export const EXP_TABLE = table15((x) => Math.fround(Math.exp(x)), -10, 0);
/** 1 / (1 + x) over [0, 1]. */
export const RECIPROCAL_TABLE = table15((x) => Math.fround(1 / Math.fround(1 + x)), 0, 1);

/** The logistic function of i / 24 as Q0.16, less 32768 so that it fits int16; raised likewise. */
export const SIGMOID_TABLE = Int16Array.from({ length: 256 }, (_, i) => {
  if (i === 255) return INT16_MAX;
  const f = (x: number): number => 65_536 / (1 + Math.exp(-x / 24));
  const value = f(i) + (f(i + 0.5) - (f(i) + f(i + 1)) / 2) / 2;
  return Math.floor(value + 0.5) - 32_768;
});

/** Interpolated value of one of the tables of 513. */
function lookUp(value: number, table: Int16Array): number {
  const index = 256 + (value >> 7);
  const base = table[index] as number;
  const slope = (((table[index + 1] as number) - base) << 16) >> 16;
  return base + ((slope * (value & 127) + 64) >> 7);
}

/** Softmax of one row; input and output may be the same array. */
export function softmaxInt16(input: Int16Array, rescale: (difference: number) => number, output: Int16Array): void {
  let max = INT16_MIN;
  for (const value of input) if (value > max) max = value;
  let sum = 0;
  for (let i = 0; i < input.length; i++) {
    const e = lookUp(clamp16(rescale((input[i] as number) - max) + INT16_MAX), EXP_TABLE);
    output[i] = e;
    sum += e;
  }
  // Q16.15; the largest value alone gives almost 1, so there are at most 17 zeros in front.
  const zeros = Math.clz32(sum);
  const shifted = Math.floor((sum * 2 ** (zeros - 1) + 2 ** 13) / 2 ** 14);
  const scale = lookUp(clamp16(shifted - 98_304), RECIPROCAL_TABLE);
  const shift = 31 - zeros;
  for (let i = 0; i < input.length; i++) {
    const value = Math.floor(((output[i] as number) * scale + 2 ** (shift - 1)) / 2 ** shift);
    output[i] = value < 0 ? 0 : value > INT16_MAX ? INT16_MAX : value;
  }
}

/** logistic or tanh of one value that has been scaled to 1 / (3 * 4096). */
export function sigmoidInt16(name: 'logistic' | 'tanh', value: number): number {
  // tanh(x) = 2 logistic(2x) - 1: half as many steps between two values of the table, and twice the result.
  const bits = name === 'logistic' ? 9 : 8;
  const magnitude = Math.abs(value);
  const index = magnitude >> bits;
  const rest = magnitude & ((1 << bits) - 1);
  let result: number;
  if (index >= 255) {
    result = name === 'logistic' ? INT16_MAX * 1024 : 65_535 * 256;
  } else {
    const low = 32_768 + (SIGMOID_TABLE[index] as number);
    const high = 32_768 + (SIGMOID_TABLE[index + 1] as number);
    result = low * (1 << bits) + rest * (high - low);
  }
  if (name === 'logistic') return (value >= 0 ? result + 512 : 2 ** 25 - result + 511) >> 10;
  return (value >= 0 ? result - 2 ** 23 + 128 : 2 ** 23 - result + 127) >> 8;
}
