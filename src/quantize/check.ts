/**
 * Checks of an int8 graph that may come from outside (a pack read from a board or a file). What passes can be run
 * by the interpreter and by the C kernels without overflow or access out of bounds.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { extent, windowOutputShape, type Window2d } from '../graph/window2d';
import {
  QuantizeError,
  type Int8Conv2d,
  type Int8DepthwiseConv2d,
  type Int8FullyConnected,
  type Int8Graph,
  type Int8Mean,
  type Int8Op,
  type Int8Softmax,
  type Int8Tensor,
  type Int8Weighted,
} from './int8-graph';
import { MAX_SOFTMAX_CLASSES, softmaxDiffMin } from './softmax';

/** Bounds of what a microcontroller model may hold. */
export const MAX_INT8_ELEMENTS = 1 << 20;
export const MAX_INT8_OPS = 256;

/** Largest kernel, stride, dilation, padding or side of an image. */
const MAX_SIDE = 16_384;
/** More values than this could not be averaged in 32 bits. */
const MAX_MEAN_COUNT = 1 << 20;
/** Relative difference of scales that counts as none. */
const SCALE_TOLERANCE = 1e-5;
export const SOFTMAX_OUTPUT_SCALE = 1 / 256;

/** What checks of geometry look at: tensors of int8 and of int16 networks alike. */
export type CheckedTensor = Pick<Int8Tensor, 'shape' | 'scale' | 'zeroPoint'> & {
  readonly data?: Int8Array | Int16Array;
};

export function refuse(message: string, kind = 'int8'): never {
  throw new QuantizeError('bad-input', `This is not a usable ${kind} network: ${message}`);
}

/** Throws a QuantizeError (`bad-input`, `overflow`, `unsupported-op`) unless the graph is safe to run. */
export function checkInt8Graph(graph: Int8Graph): void {
  checkOrder(graph, 'int8', checkInt8Tensor, checkInt8Op);
}

/** The shared part of the checks: every tensor, every op, and that ops read what was written before. */
export function checkOrder<
  Tensor extends CheckedTensor,
  Op extends { readonly kind: string; readonly output: TensorId } & (
    { readonly input: TensorId } | { readonly inputs: readonly TensorId[] }
  ),
>(
  graph: {
    readonly tensors: readonly Tensor[];
    readonly ops: readonly Op[];
    readonly input: TensorId;
    readonly output: TensorId;
  },
  kind: string,
  checkEach: (tensor: Tensor, id: number) => void,
  checkEachOp: (op: Op, inputs: readonly Tensor[], output: Tensor, fail: Fail) => void,
): void {
  if (graph.ops.length === 0 || graph.ops.length > MAX_INT8_OPS || graph.tensors.length > 2 * MAX_INT8_OPS) {
    refuse(`it has ${graph.ops.length} operations and ${graph.tensors.length} tensors.`, kind);
  }
  graph.tensors.forEach(checkEach);
  const inputsOf = (op: Op): readonly TensorId[] => ('inputs' in op ? op.inputs : [op.input]);
  const tensor = (id: TensorId): Tensor =>
    graph.tensors[id] ?? refuse(`it refers to tensor ${id}, which does not exist.`, kind);

  tensor(graph.input);
  tensor(graph.output);
  if (tensor(graph.input).data) refuse('its input is a constant.', kind);
  const written = new Set<TensorId>([graph.input]);
  graph.ops.forEach((op, index) => {
    const fail = (message: string): never => refuse(`operation ${index} (${op.kind}) ${message}`, kind);
    const inputs = inputsOf(op).map(tensor);
    const output = tensor(op.output);
    if (inputs.length === 0 || inputs.length > MAX_INT8_OPS) fail(`has ${inputs.length} inputs.`);
    inputsOf(op).forEach((id, operand) => {
      if (tensor(id).data) {
        if (!((op.kind === 'add' || op.kind === 'mul') && operand === 1)) fail('reads a constant as its input.');
      } else if (!written.has(id)) fail(`reads tensor ${id} before anything wrote it.`);
    });
    if (output.data) fail(`writes tensor ${op.output}, which is constant.`);
    if (written.has(op.output)) fail(`writes tensor ${op.output} again.`);
    written.add(op.output);
    checkEachOp(op, inputs, output, fail);
  });
  if (graph.output === graph.input || !written.has(graph.output)) refuse('nothing writes its output.', kind);
}

export type Fail = (message: string) => never;

/** Calls `fail`, or throws QuantizeError `overflow` or `unsupported-op`, unless the op is safe to run on its tensors. */
export function checkInt8Op(op: Int8Op, inputs: readonly Int8Tensor[], output: Int8Tensor, fail: Fail): void {
  const input = inputs[0] as Int8Tensor;
  switch (op.kind) {
    case 'fullyConnected':
      return checkWeighted(op, checkFullyConnected(op, input, output, fail), fail);
    case 'conv2d':
      return checkWeighted(op, checkConv2d(op, input, output, fail), fail);
    case 'depthwiseConv2d':
      return checkWeighted(op, checkDepthwise(op, input, output, fail), fail);
    case 'maxPool2d':
    case 'averagePool2d':
      checkActivation(op, fail);
      return checkPool(op.window, input, output, fail);
    case 'mean':
      checkMean(op, input, output, fail);
      if (op.count > MAX_MEAN_COUNT) fail(`averages ${op.count} values; ${MAX_MEAN_COUNT} are possible.`);
      return checkMultiplier(op.multiplier, op.shift, 0, 255 * op.count, fail);
    case 'add':
      checkOperands(inputs, output, fail);
      checkActivation(op, fail);
      for (const [multiplier, shift] of [
        [op.multiplierA, op.shiftA],
        [op.multiplierB, op.shiftB],
        [op.multiplierOut, op.shiftOut],
      ] as const) {
        if (shift > 0) fail(`has the shift ${shift}.`);
        checkMultiplier(multiplier, shift, 2 ** 30, 2 ** 30, fail);
      }
      return;
    case 'mul':
      checkOperands(inputs, output, fail);
      checkActivation(op, fail);
      return checkMultiplier(op.multiplier, op.shift, 2 ** 30, 255 * 255, fail);
    case 'concat':
    case 'pad':
    case 'reshape':
    case 'transpose':
    case 'stridedSlice':
    case 'resizeNearest':
      return checkMove(op, inputs, output, fail);
    case 'lookup':
      if (op.function === 'logistic' && (output.scale !== 1 / 256 || output.zeroPoint !== -128)) {
        fail('must have an output with the scale 1/256 and the zero point -128.');
      }
      if (op.function === 'tanh' && (output.scale !== 1 / 128 || output.zeroPoint !== 0)) {
        fail('must have an output with the scale 1/128 and the zero point 0.');
      }
      if (op.table.length !== 256) fail(`has ${op.table.length} values in its table.`);
      if (elementCount(input.shape) !== elementCount(output.shape)) fail('changes the number of values.');
      return;
    case 'softmax':
      return checkSoftmax(op, input, output, fail);
    default:
      throw new QuantizeError('unsupported-op', 'An operation of the network is of an unknown kind.');
  }
}

/** Ops that move values: their geometry, and that scale and zero point stay. */
export type MoveOp = Extract<
  Int8Op,
  { readonly kind: 'concat' | 'pad' | 'reshape' | 'transpose' | 'stridedSlice' | 'resizeNearest' }
>;

export function checkMove(op: MoveOp, inputs: readonly CheckedTensor[], output: CheckedTensor, fail: Fail): void {
  const input = inputs[0] as CheckedTensor;
  switch (op.kind) {
    case 'concat':
      return checkConcat(op.axis, inputs, output, fail);
    case 'pad':
      if (op.before.length !== input.shape.length || op.after.length !== input.shape.length) fail('has other axes.');
      input.shape.forEach((size, axis) => {
        const [before, after] = [op.before[axis] as number, op.after[axis] as number];
        if (!isInteger(before, 0, MAX_INT8_ELEMENTS) || !isInteger(after, 0, MAX_INT8_ELEMENTS)) fail('cuts.');
        if (size + before + after !== output.shape[axis]) fail('does not fit its output.');
      });
      if (output.shape.length !== input.shape.length) fail('changes the rank.');
      return checkSameScale(input, output, fail);
    case 'reshape':
      if (elementCount(input.shape) !== elementCount(output.shape)) fail('changes the number of values.');
      return checkSameScale(input, output, fail);
    case 'transpose':
      if (op.permutation.length !== input.shape.length || output.shape.length !== input.shape.length) {
        fail('has other axes.');
      }
      if (new Set(op.permutation).size !== op.permutation.length) fail('repeats an axis.');
      op.permutation.forEach((from, axis) => {
        if (!isInteger(from, 0, input.shape.length - 1)) fail('has an axis that does not exist.');
        if (input.shape[from] !== output.shape[axis]) fail('does not fit its output.');
      });
      return checkSameScale(input, output, fail);
    case 'stridedSlice': {
      const { length } = input.shape;
      if (op.begin.length !== length || op.strides.length !== length || output.shape.length !== length) {
        fail('has other axes.');
      }
      input.shape.forEach((size, axis) => {
        const [begin, stride] = [op.begin[axis] as number, op.strides[axis] as number];
        if (!isInteger(begin, 0, size - 1) || !isInteger(stride, 1, MAX_INT8_ELEMENTS)) fail('starts outside.');
        if (begin + ((output.shape[axis] as number) - 1) * stride >= size) fail('reads outside its input.');
      });
      return checkSameScale(input, output, fail);
    }
    case 'resizeNearest':
      if (input.shape.length !== 3 || output.shape.length !== 3) fail('needs the shapes [H, W, C].');
      if (input.shape[2] !== output.shape[2]) fail('changes the channels.');
      if ([...input.shape, ...output.shape].some((size) => size > MAX_SIDE)) fail('is too large.');
      return checkSameScale(input, output, fail);
  }
}

export function checkPool(window: Window2d, input: CheckedTensor, output: CheckedTensor, fail: Fail): void {
  checkWindow(window, input, output, elementsOfLastAxis(input), fail);
  if (window.dilationHeight !== 1 || window.dilationWidth !== 1) fail('is dilated.');
  if (!windowsTouchInput(window, input)) fail('has windows that lie in the padding alone.');
  checkSameScale(input, output, fail);
}

export function checkMean(
  op: Pick<Int8Mean, 'outer' | 'count' | 'inner'>,
  input: CheckedTensor,
  output: CheckedTensor,
  fail: Fail,
): void {
  if (![op.outer, op.count, op.inner].every((n) => isInteger(n, 1, MAX_INT8_ELEMENTS))) fail('has no axes.');
  if (op.outer * op.count * op.inner !== elementCount(input.shape)) fail('does not fit its input.');
  if (op.outer * op.inner !== elementCount(output.shape)) fail('does not fit its output.');
}

/** Throws a QuantizeError `bad-input` for what no int8 tensor may be. */
export function checkInt8Tensor(tensor: Int8Tensor, id: number): void {
  checkAnyTensor(tensor, id, 'int8');
  if (!isInteger(tensor.zeroPoint, -128, 127)) refuse(`tensor ${id} has the zero point ${tensor.zeroPoint}.`);
}

/** Shape, scale and constants. */
export function checkAnyTensor(tensor: CheckedTensor, id: number, kind: string): void {
  const sizes = tensor.shape;
  if (sizes.length === 0 || sizes.length > 4 || sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    refuse(`tensor ${id} has the shape [${sizes.join(', ')}].`, kind);
  }
  if (tensor.data && tensor.data.length !== elementCount(sizes)) refuse(`tensor ${id} has other constants.`, kind);
  if (elementCount(sizes) > MAX_INT8_ELEMENTS)
    refuse(`tensor ${id} has more than ${MAX_INT8_ELEMENTS} elements.`, kind);
  if (!(tensor.scale > 0) || !Number.isFinite(tensor.scale) || Math.fround(tensor.scale) !== tensor.scale) {
    refuse(`tensor ${id} has the scale ${tensor.scale}.`, kind);
  }
}

export function elementsOfLastAxis(tensor: CheckedTensor): number {
  return tensor.shape.at(-1) ?? 0;
}

export function checkSameScale(input: CheckedTensor, output: CheckedTensor, fail: Fail): void {
  // Values pass unchanged; files of the converter differ in the last digit of the scale at times.
  const close = Math.abs(input.scale - output.scale) <= SCALE_TOLERANCE * output.scale;
  if (!close || input.zeroPoint !== output.zeroPoint) fail('has an output of another scale than its input.');
}

export function checkActivation(
  { actMin, actMax }: { readonly actMin: number; readonly actMax: number },
  fail: Fail,
  [lowest, highest]: readonly [number, number] = [-128, 127],
): void {
  if (!isInteger(actMin, lowest, highest) || !isInteger(actMax, actMin, highest)) {
    fail(`has the activation range ${actMin}..${actMax}.`);
  }
}

/** `lowest` is the smallest multiplier other than 0; `magnitude` the largest value that is rescaled. */
export function checkMultiplier(
  multiplier: number,
  shift: number,
  lowest: number,
  magnitude: number,
  fail: Fail,
): void {
  if (!isInteger(multiplier, 0, 2 ** 31 - 1) || (multiplier !== 0 && multiplier < lowest)) {
    fail(`has the multiplier ${multiplier}.`);
  }
  if (!isInteger(shift, -31, 30)) fail(`has the shift ${shift}.`);
  if (shift >= 0 && magnitude * 2 ** shift >= 2 ** 31 - 256) {
    throw new QuantizeError('overflow', 'A value of the network may exceed 32 bits.');
  }
}

export function checkOperands(inputs: readonly CheckedTensor[], output: CheckedTensor, fail: Fail): void {
  const [first, second] = inputs;
  if (!first || !second || inputs.length !== 2) return fail('needs two inputs.');
  const count = elementCount(output.shape);
  if (elementCount(first.shape) !== count) fail('has a first input of another size than its output.');
  if (count % elementCount(second.shape) !== 0) fail('has a second input that does not repeat evenly.');
}

function checkConcat(axis: number, inputs: readonly CheckedTensor[], output: CheckedTensor, fail: Fail): void {
  const rank = output.shape.length;
  if (!isInteger(axis, 0, rank - 1)) fail(`joins along axis ${axis}.`);
  let size = 0;
  for (const input of inputs) {
    checkSameScale(input, output, fail);
    if (input.shape.length !== rank) fail('joins values of different rank.');
    input.shape.forEach((length, other) => {
      if (other !== axis && length !== output.shape[other]) fail('joins values of different shape.');
    });
    size += input.shape[axis] as number;
  }
  if (size !== output.shape[axis]) fail('does not fit its output.');
}

function checkWindow(
  window: Window2d,
  input: CheckedTensor,
  output: CheckedTensor,
  channels: number,
  fail: Fail,
): void {
  if (input.shape.length !== 3 || output.shape.length !== 3) fail('needs the shapes [H, W, C].');
  const { padTop, padLeft, padBottom, padRight, ...positive } = window;
  if (!Object.values(positive).every((size) => isInteger(size, 1, MAX_SIDE))) fail('has an impossible window.');
  if (![padTop, padLeft, padBottom, padRight].every((size) => isInteger(size, 0, MAX_SIDE))) {
    fail('has impossible padding.');
  }
  // More padding than the window reaches would give outputs that see no input at all.
  if (Math.max(padTop, padBottom) >= extent(window.kernelHeight, window.dilationHeight)) fail('has too much padding.');
  if (Math.max(padLeft, padRight) >= extent(window.kernelWidth, window.dilationWidth)) fail('has too much padding.');
  const expected = windowOutputShape(input.shape, window, channels);
  if (expected.some((size, axis) => size !== output.shape[axis])) {
    fail(`gives [${expected.join(', ')}], but its output is [${output.shape.join(', ')}].`);
  }
}

/** A dense window with less padding than its size always covers input, unless it hangs over both ends. */
function windowsTouchInput(window: Window2d, input: CheckedTensor): boolean {
  const [height = 0, width = 0] = input.shape;
  return height > 0 && width > 0 && window.padTop < window.kernelHeight && window.padLeft < window.kernelWidth;
}

/** Multipliers, and that no sum overflows: `weightOf` walks the weights of one output channel. */
function checkWeighted(
  op: Int8Weighted & { readonly weights: Int8Array },
  [channels, channelOf]: Weights,
  fail: Fail,
): void {
  const scales = op.multiplier.length;
  if ((scales !== 1 && scales !== channels) || op.shift.length !== scales || op.weightScale.length !== scales) {
    fail(`has ${scales} multipliers for ${channels} channels.`);
  }
  for (let i = 0; i < scales; i++) {
    const multiplier = op.multiplier[i] as number;
    const shift = op.shift[i] as number;
    const scale = op.weightScale[i] as number;
    if (multiplier !== 0 && multiplier < 2 ** 30) fail(`has the multiplier ${multiplier}.`);
    if (!isInteger(shift, -31, 30)) fail(`has the shift ${shift}.`);
    if (!(scale > 0) || !Number.isFinite(scale)) fail(`has the weight scale ${scale}.`);
  }
  checkActivation(op, fail);
  const magnitudes = new Float64Array(channels);
  for (let i = 0; i < op.weights.length; i++) {
    const weight = op.weights[i] as number;
    if (weight === -128) fail('has a weight of -128; weights are -127..127.');
    const channel = channelOf(i);
    magnitudes[channel] = (magnitudes[channel] as number) + Math.abs(weight);
  }
  magnitudes.forEach((magnitude, channel) => {
    // 256: with the input's zero point folded into the bias, a sum on the way may be that large.
    const bound = Math.abs(op.bias[channel] as number) + magnitude * 256;
    const shift = op.shift[scales === 1 ? 0 : channel] as number;
    // Without a right shift the rescaled sum may be as large as the sum: the output's zero point must still fit.
    if (bound * 2 ** Math.max(shift, 0) >= 2 ** 31 - (shift >= 0 ? 256 : 0)) {
      throw new QuantizeError('overflow', `A sum of channel ${channel} of the network may exceed 32 bits.`);
    }
  });
}

/** Sizes of a layer with weights; gives its output channels, and the channel that each weight belongs to. */
export type Weights = readonly [channels: number, channelOf: (index: number) => number];

export function checkFullyConnected(
  op: Pick<Int8FullyConnected, 'weights'> & { readonly bias: { readonly length: number } },
  input: CheckedTensor,
  output: CheckedTensor,
  fail: Fail,
): Weights {
  const units = op.bias.length;
  const inputs = units === 0 ? 0 : op.weights.length / units;
  const values = elementCount(input.shape);
  if (!isInteger(inputs, 1, MAX_INT8_ELEMENTS) || values % inputs !== 0) {
    fail(`connects ${values} inputs to ${units} units but has ${op.weights.length} weights.`);
  }
  if ((values / inputs) * units !== elementCount(output.shape)) fail(`does not fit its output.`);
  return [units, (index) => Math.floor(index / inputs)];
}

export function checkConv2d(
  op: Pick<Int8Conv2d, 'weights' | 'window' | 'groups'> & { readonly bias: { readonly length: number } },
  input: CheckedTensor,
  output: CheckedTensor,
  fail: Fail,
): Weights {
  const channels = elementsOfLastAxis(input);
  const outChannels = op.bias.length;
  checkWindow(op.window, input, output, outChannels, fail);
  if (!isInteger(op.groups, 1, MAX_SIDE) || channels % op.groups !== 0 || outChannels % op.groups !== 0) {
    fail(`splits ${channels} channels into ${op.groups} groups.`);
  }
  const taps = op.window.kernelHeight * op.window.kernelWidth * (channels / op.groups);
  if (taps > MAX_INT8_ELEMENTS || op.weights.length !== taps * outChannels) {
    fail(`has ${op.weights.length} weights for ${outChannels} channels of ${taps} taps.`);
  }
  return [outChannels, (index) => Math.floor(index / taps)];
}

export function checkDepthwise(
  op: Pick<Int8DepthwiseConv2d, 'weights' | 'window' | 'depthMultiplier'> & {
    readonly bias: { readonly length: number };
  },
  input: CheckedTensor,
  output: CheckedTensor,
  fail: Fail,
): Weights {
  const outChannels = op.bias.length;
  checkWindow(op.window, input, output, outChannels, fail);
  if (
    !isInteger(op.depthMultiplier, 1, MAX_SIDE) ||
    elementsOfLastAxis(input) * op.depthMultiplier !== outChannels ||
    op.weights.length !== op.window.kernelHeight * op.window.kernelWidth * outChannels
  ) {
    fail(`has ${op.weights.length} weights for ${outChannels} channels.`);
  }
  return [outChannels, (index) => index % outChannels];
}

function checkSoftmax(op: Int8Softmax, input: Int8Tensor, output: Int8Tensor, fail: Fail): void {
  const classes = elementsOfLastAxis(input);
  if (elementCount(input.shape) !== elementCount(output.shape) || classes !== elementsOfLastAxis(output)) {
    fail('changes the number of values.');
  }
  if (classes > MAX_SOFTMAX_CLASSES) fail(`takes at most ${MAX_SOFTMAX_CLASSES} classes.`);
  if (!isInteger(op.leftShift, 0, 31)) fail(`has the shift ${op.leftShift}.`);
  if (!isInteger(op.multiplier, 2 ** 30, 2 ** 31 - 1)) fail(`has the multiplier ${op.multiplier}.`);
  if (op.diffMin !== softmaxDiffMin(op.leftShift)) fail(`has the cut-off ${op.diffMin}.`);
  if (output.scale !== SOFTMAX_OUTPUT_SCALE || output.zeroPoint !== -128) {
    fail('must have an output with the scale 1/256 and the zero point -128.');
  }
}

export function isInteger(value: number, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= minimum && value <= maximum;
}
