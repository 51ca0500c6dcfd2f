/** Checks of an int16 graph, as `check.ts` has them for int8: what passes runs without overflow or access out of bounds. */
import { elementCount } from '../graph/float-graph';
import {
  checkActivation,
  checkAnyTensor,
  checkConv2d,
  checkDepthwise,
  checkFullyConnected,
  checkMean,
  checkMove,
  checkMultiplier,
  checkOperands,
  checkOrder,
  checkPool,
  elementsOfLastAxis,
  isInteger,
  refuse,
  type Fail,
  type Weights,
} from './check';
import { QuantizeError } from './int8-graph';
import type { Int16Add, Int16Graph, Int16Op, Int16Tensor, Int16WeightedOp } from './int16-graph';
import { INT16_MAX, INT16_MIN, UNIT_SCALE } from './ops/int16-parameters';

/** Largest magnitude of an activation. */
const MAGNITUDE = 32_768;
const LIMITS = [INT16_MIN, INT16_MAX] as const;
/** Sums of more values, averaged or of exponentials, would not fit 32 bits. */
const MOST_SUMMED = 65_534;
/** Products of a row of a depthwise kernel that the C kernel sums in 32 bits: MOTE_PRODUCTS16. */
const MOST_DEPTHWISE_WIDTH = 512;
/** What the reference kernels' 64-bit rescaling takes. */
const MOST_WIDE_SUM = 2 ** 47;
const MOST_WIDE_SHIFT = 7;
/** 65535 << 15 still fits 32 bits. */
const MOST_SOFTMAX_SHIFT = 15;
/** Relative difference that the reference kernels tolerate between an output's scale and 1/32768. */
const UNIT_TOLERANCE = 5e-4;

/** Throws a QuantizeError (`bad-input`, `overflow`, `unsupported-op`) unless the graph is safe to run. */
export function checkInt16Graph(graph: Int16Graph): void {
  checkOrder(graph, 'int16', checkTensor, checkOp);
}

function checkTensor(tensor: Int16Tensor, id: number): void {
  checkAnyTensor(tensor, id, 'int16');
  // Read from files: the type promises more than they do.
  if ((tensor.zeroPoint as number) !== 0) {
    refuse(`tensor ${id} has the zero point ${tensor.zeroPoint}; int16 activations are symmetric.`, 'int16');
  }
}

function checkOp(op: Int16Op, inputs: readonly Int16Tensor[], output: Int16Tensor, fail: Fail): void {
  const input = inputs[0] as Int16Tensor;
  switch (op.kind) {
    case 'fullyConnected':
      return checkWeighted(op, checkFullyConnected(op, input, output, fail), fail);
    case 'conv2d':
      return checkWeighted(op, checkConv2d(op, input, output, fail), fail);
    case 'depthwiseConv2d':
      if (op.window.kernelWidth > MOST_DEPTHWISE_WIDTH) fail(`has a kernel wider than ${MOST_DEPTHWISE_WIDTH}.`);
      return checkWeighted(op, checkDepthwise(op, input, output, fail), fail);
    case 'maxPool2d':
    case 'averagePool2d':
      checkActivation(op, fail, LIMITS);
      checkPool(op.window, input, output, fail);
      if (op.window.kernelHeight * op.window.kernelWidth > MOST_SUMMED) fail('has too large a window.');
      return;
    case 'mean':
      checkMean(op, input, output, fail);
      if (op.count > MOST_SUMMED) fail(`averages ${op.count} values; ${MOST_SUMMED} are possible.`);
      return checkMultiplier(op.multiplier, op.shift, 0, MAGNITUDE * op.count, fail);
    case 'add':
      checkOperands(inputs, output, fail);
      checkActivation(op, fail, LIMITS);
      return checkAdd(op, fail);
    case 'mul':
      checkOperands(inputs, output, fail);
      checkActivation(op, fail, LIMITS);
      return checkMultiplier(op.multiplier, op.shift, 2 ** 30, MAGNITUDE ** 2, fail);
    case 'concat':
    case 'pad':
    case 'reshape':
    case 'transpose':
    case 'stridedSlice':
    case 'resizeNearest':
      return checkMove(op, inputs, output, fail);
    case 'rescale':
      if (elementCount(input.shape) !== elementCount(output.shape)) fail('changes the number of values.');
      checkActivation(op, fail, LIMITS);
      checkMultiplier(op.multiplier, op.shift, 2 ** 30, MAGNITUDE, fail);
      return checkMultiplier(op.negativeMultiplier, op.negativeShift, 2 ** 30, MAGNITUDE, fail);
    case 'sigmoid':
      if (elementCount(input.shape) !== elementCount(output.shape)) fail('changes the number of values.');
      if (!isInteger(op.multiplier, 1, INT16_MAX)) fail(`has the multiplier ${op.multiplier}.`);
      if (!isInteger(op.shift, 0, 31)) fail(`has the shift ${op.shift}.`);
      return checkUnitScale(output, fail);
    case 'softmax': {
      const classes = elementsOfLastAxis(input);
      if (elementCount(input.shape) !== elementCount(output.shape) || classes !== elementsOfLastAxis(output)) {
        fail('changes the number of values.');
      }
      if (classes > MOST_SUMMED) fail(`takes at most ${MOST_SUMMED} classes.`);
      if (!isInteger(op.multiplier, 2 ** 30, 2 ** 31 - 1)) fail(`has the multiplier ${op.multiplier}.`);
      if (!isInteger(op.shift, -31, MOST_SOFTMAX_SHIFT)) {
        throw new QuantizeError('overflow', 'The inputs of a softmax are too large for int16.');
      }
      return checkUnitScale(output, fail);
    }
    default:
      throw new QuantizeError('unsupported-op', 'An operation of the network is of an unknown kind.');
  }
}

function checkUnitScale({ scale }: Int16Tensor, fail: Fail): void {
  if (Math.abs(scale / UNIT_SCALE - 1) > UNIT_TOLERANCE) fail('must have an output with the scale 1/32768.');
}

function checkAdd(op: Int16Add, fail: Fail): void {
  const pairs = [
    [op.multiplierA, op.shiftA],
    [op.multiplierB, op.shiftB],
    [op.multiplierOut, op.shiftOut],
  ] as const;
  for (const [multiplier, shift] of pairs) {
    if (shift > 0) fail(`has the shift ${shift}.`);
    checkMultiplier(multiplier, shift, 2 ** 30, 2 ** 30, fail);
  }
  const largest = 2 ** 30 * (op.multiplierA * 2 ** (op.shiftA - 31) + op.multiplierB * 2 ** (op.shiftB - 31));
  if (largest >= 2 ** 31 - 2) throw new QuantizeError('overflow', 'A value of the network may exceed 32 bits.');
}

/** Multipliers, and that no sum overflows. */
function checkWeighted(op: Int16WeightedOp, [channels, channelOf]: Weights, fail: Fail): void {
  const scales = op.multiplier.length;
  if ((scales !== 1 && scales !== channels) || op.shift.length !== scales || op.weightScale.length !== scales) {
    fail(`has ${scales} multipliers for ${channels} channels.`);
  }
  const wide = op.sums === 'int64';
  for (let i = 0; i < scales; i++) {
    const multiplier = op.multiplier[i] as number;
    const scale = op.weightScale[i] as number;
    if (multiplier !== 0 && multiplier < 2 ** 30) fail(`has the multiplier ${multiplier}.`);
    if (!isInteger(op.shift[i] as number, -31, wide ? MOST_WIDE_SHIFT : 30)) fail(`has the shift ${op.shift[i]}.`);
    if (!(scale > 0) || !Number.isFinite(scale)) fail(`has the weight scale ${scale}.`);
  }
  checkActivation(op, fail, LIMITS);
  const magnitudes = new Float64Array(channels);
  for (let i = 0; i < op.weights.length; i++) {
    const weight = op.weights[i] as number;
    if (weight === -128) fail('has a weight of -128; weights are -127..127.');
    const channel = channelOf(i);
    magnitudes[channel] = (magnitudes[channel] as number) + Math.abs(weight);
  }
  magnitudes.forEach((magnitude, channel) => {
    const bias = op.bias[channel] as number;
    if (!Number.isSafeInteger(bias)) fail(`has the bias ${bias}.`);
    const bound = Math.abs(bias) + magnitude * MAGNITUDE;
    const shift = op.shift[scales === 1 ? 0 : channel] as number;
    const largest = bound * 2 ** (wide ? shift : Math.max(shift, 0));
    if (largest >= 2 ** 31 - 1 || (wide && bound >= MOST_WIDE_SUM)) {
      throw new QuantizeError(
        'overflow',
        `A sum of channel ${channel} of the network may exceed ${wide ? 'what int16 layers can rescale' : '32 bits'}.`,
      );
    }
  });
}
