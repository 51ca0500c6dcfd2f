/** Integers of int16 layers, as TensorFlow Lite prepares them. */
import type { Activation } from '../../graph/float-graph';
import { QuantizeError, type Int8Add } from '../int8-graph';
import type { Int16Rescale, Int16Sigmoid, Int16Softmax, RescaleFunction } from '../int16-graph';
import { quantizeMultiplier, roundHalfAway } from '../requantize';
import { addParameters } from './elementwise';

export const INT16_MAX = 32_767;
export const INT16_MIN = -32_768;
/** Output scale that the reference kernels demand of softmax, logistic and tanh. */
export const UNIT_SCALE = 1 / 32_768;
/** Bits that the operands of a sum are shifted up by before they are rescaled. */
export const ADD_LEFT_SHIFT_INT16 = 15;
/** Inputs of logistic and tanh get this scale: 4096 steps per unit, three quarters of the range of the table. */
const SIGMOID_STEPS = 4096 * 3;
/** Softmax tabulates exp over [-10, 0] in 65535 steps. */
const SOFTMAX_STEP = 10 / 65_535;

/** The clamp of a layer's output. */
export function activationRangeInt16(
  activation: Activation,
  scale: number,
): { readonly actMin: number; readonly actMax: number } {
  const actMin = activation === 'none' ? INT16_MIN : 0;
  if (activation !== 'relu6') return { actMin, actMax: INT16_MAX };
  return { actMin, actMax: Math.min(INT16_MAX, roundHalfAway(Math.fround(6 / scale))) };
}

/** ADD and SUB of tensors with scales of any size (`pot_scale_int16` false). */
export function addParametersInt16(
  a: number,
  b: number,
  output: number,
  subtract: boolean,
): Pick<Int8Add, 'multiplierA' | 'shiftA' | 'multiplierB' | 'shiftB' | 'multiplierOut' | 'shiftOut'> {
  return addParameters(a, b, output, subtract, ADD_LEFT_SHIFT_INT16);
}

/** Rectifiers, and a change of scale alone. */
export function rescaleParameters(
  name: RescaleFunction,
  input: number,
  output: number,
  alpha = 0,
): Omit<Int16Rescale, 'kind' | 'input' | 'output'> {
  // QUANTIZE divides in double precision, the rectifiers in float32.
  const up = quantizeMultiplier(name === 'quantize' ? input / output : Math.fround(input / output));
  const down = name === 'leakyRelu' ? quantizeMultiplier(Math.fround(Math.fround(input * alpha) / output)) : up;
  const range = activationRangeInt16(name === 'relu' || name === 'relu6' ? name : 'none', output);
  return {
    function: name,
    alpha,
    multiplier: up.multiplier,
    shift: up.shift,
    negativeMultiplier: down.multiplier,
    negativeShift: down.shift,
    ...range,
  };
}

/** Whether a scale counts as this power of two: TensorFlow Lite's CheckedLog2, in float32. */
function isPowerOfTwo(scale: number, exponent: number): boolean {
  const log2 = Math.fround(Math.fround(Math.log(scale)) * Math.fround(1 / Math.fround(Math.log(2))));
  return roundHalfAway(log2) === exponent && Math.abs(Math.fround(log2 - exponent)) < Math.fround(1e-3);
}

/** Throws QuantizeError `overflow` for an input scale that the table cannot hold. */
export function sigmoidParameters(
  name: Int16Sigmoid['function'],
  inputScale: number,
): Pick<Int16Sigmoid, 'multiplier' | 'shift'> {
  if (isPowerOfTwo(inputScale, -12)) return { multiplier: 3, shift: 0 };
  if (name === 'tanh' && isPowerOfTwo(inputScale, -11)) return { multiplier: 6, shift: 0 };
  let multiplier = inputScale * SIGMOID_STEPS;
  if (!(multiplier < INT16_MAX + 1)) {
    throw new QuantizeError('overflow', `The input of ${name} has the scale ${inputScale}: its values are too large.`);
  }
  let shift = 0;
  while (multiplier <= INT16_MAX / 2 && shift <= 30) {
    multiplier *= 2;
    shift++;
  }
  return { multiplier: Math.trunc(multiplier), shift };
}

/** `inputScale` times beta. */
export function softmaxParametersInt16(inputScale: number): Pick<Int16Softmax, 'multiplier' | 'shift'> {
  return quantizeMultiplier(inputScale / SOFTMAX_STEP);
}
