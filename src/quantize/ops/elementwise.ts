/** Int8 sum, difference and product as the TFLite reference kernels compute them. */
import type { Int8Add, Int8Mul, Int8Tensor } from '../int8-graph';
import { mbqm, quantizeMultiplier, type Rescale } from '../requantize';

/** Bits that the operands of a sum are shifted up by before they are rescaled. */
export const ADD_LEFT_SHIFT = 20;

export type AddParameters = Pick<
  Int8Add,
  'multiplierA' | 'shiftA' | 'multiplierB' | 'shiftB' | 'multiplierOut' | 'shiftOut'
>;

/** The rescaling of ADD (`subtract` false) or SUB, whose quotients TFLite Micro forms in float32. */
export function addParameters(
  a: number,
  b: number,
  output: number,
  subtract: boolean,
  leftShift = ADD_LEFT_SHIFT,
): AddParameters {
  const round = subtract ? Math.fround : (value: number): number => value;
  const twice = round(2 * Math.max(a, b));
  const first = quantizeMultiplier(round(a / twice));
  const second = quantizeMultiplier(round(b / twice));
  const out = quantizeMultiplier(round(twice / round(2 ** leftShift * output)));
  return {
    multiplierA: first.multiplier,
    shiftA: first.shift,
    multiplierB: second.multiplier,
    shiftB: second.shift,
    multiplierOut: out.multiplier,
    shiftOut: out.shift,
  };
}

/** The rescaling of MUL. */
export function mulParameters(a: number, b: number, output: number): Pick<Int8Mul, 'multiplier' | 'shift'> {
  return quantizeMultiplier((a * b) / output);
}

/** Prepares a run; `b` repeats when it is shorter. */
export function prepareAdd(
  op: Int8Add,
  [first, second]: readonly [Int8Tensor, Int8Tensor],
  output: Int8Tensor,
  a: Int8Array,
  b: Int8Array,
  to: Int8Array,
  rescale: Rescale = mbqm,
): () => void {
  const sign = op.subtract ? -1 : 1;
  return () => {
    for (let i = 0, j = 0; i < to.length; i++) {
      const x = rescale(((a[i] as number) - first.zeroPoint) << ADD_LEFT_SHIFT, op.multiplierA, op.shiftA);
      const y = rescale(((b[j] as number) - second.zeroPoint) << ADD_LEFT_SHIFT, op.multiplierB, op.shiftB);
      const value = rescale(x + sign * y, op.multiplierOut, op.shiftOut) + output.zeroPoint;
      to[i] = value < op.actMin ? op.actMin : value > op.actMax ? op.actMax : value;
      if (++j === b.length) j = 0;
    }
  };
}

/** Prepares a run; `b` repeats when it is shorter. */
export function prepareMul(
  op: Int8Mul,
  [first, second]: readonly [Int8Tensor, Int8Tensor],
  output: Int8Tensor,
  a: Int8Array,
  b: Int8Array,
  to: Int8Array,
  rescale: Rescale = mbqm,
): () => void {
  return () => {
    for (let i = 0, j = 0; i < to.length; i++) {
      const product = ((a[i] as number) - first.zeroPoint) * ((b[j] as number) - second.zeroPoint);
      const value = rescale(product, op.multiplier, op.shift) + output.zeroPoint;
      to[i] = value < op.actMin ? op.actMin : value > op.actMax ? op.actMax : value;
      if (++j === b.length) j = 0;
    }
  };
}
