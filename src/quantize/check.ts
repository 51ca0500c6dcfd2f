/**
 * Checks of an int8 graph that may come from outside (a pack read from a board or a file). What passes can be run
 * by the interpreter and by the C kernels without overflow or access out of bounds.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import {
  QuantizeError,
  type Int8FullyConnected,
  type Int8Graph,
  type Int8Softmax,
  type Int8Tensor,
} from './int8-graph';
import { MAX_SOFTMAX_CLASSES, softmaxDiffMin } from './softmax';

/** Bounds of what a microcontroller model may hold. */
export const MAX_INT8_ELEMENTS = 1 << 20;
export const MAX_INT8_OPS = 256;

const SOFTMAX_OUTPUT_SCALE = 1 / 256;

function refuse(message: string): never {
  throw new QuantizeError('bad-input', `This is not a usable int8 network: ${message}`);
}

/** Throws a QuantizeError (`bad-input`, `overflow`, `unsupported-op`) unless the graph is safe to run. */
export function checkInt8Graph(graph: Int8Graph): void {
  if (graph.ops.length === 0 || graph.ops.length > MAX_INT8_OPS || graph.tensors.length > MAX_INT8_OPS + 1) {
    refuse(`it has ${graph.ops.length} operations and ${graph.tensors.length} tensors.`);
  }
  graph.tensors.forEach(checkTensor);
  const tensor = (id: TensorId): Int8Tensor =>
    graph.tensors[id] ?? refuse(`it refers to tensor ${id}, which does not exist.`);

  tensor(graph.input);
  tensor(graph.output);
  const written = new Set<TensorId>([graph.input]);
  graph.ops.forEach((op, index) => {
    const input = tensor(op.input);
    const output = tensor(op.output);
    if (!written.has(op.input)) refuse(`operation ${index} reads tensor ${op.input} before anything wrote it.`);
    if (written.has(op.output)) refuse(`operation ${index} writes tensor ${op.output} again.`);
    written.add(op.output);
    switch (op.kind) {
      case 'fullyConnected':
        return checkFullyConnected(op, index, input, output);
      case 'softmax':
        return checkSoftmax(op, index, input, output);
      default:
        throw new QuantizeError('unsupported-op', `Operation ${index} of the network is of an unknown kind.`);
    }
  });
  if (!written.has(graph.output)) refuse('nothing writes its output.');
}

function checkTensor(tensor: Int8Tensor, id: number): void {
  const sizes = tensor.shape;
  if (sizes.length === 0 || sizes.length > 4 || sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    refuse(`tensor ${id} has the shape [${sizes.join(', ')}].`);
  }
  if (elementCount(sizes) > MAX_INT8_ELEMENTS) refuse(`tensor ${id} has more than ${MAX_INT8_ELEMENTS} elements.`);
  if (!(tensor.scale > 0) || !Number.isFinite(tensor.scale) || Math.fround(tensor.scale) !== tensor.scale) {
    refuse(`tensor ${id} has the scale ${tensor.scale}.`);
  }
  if (!isInteger(tensor.zeroPoint, -128, 127)) refuse(`tensor ${id} has the zero point ${tensor.zeroPoint}.`);
}

function checkFullyConnected(op: Int8FullyConnected, index: number, input: Int8Tensor, output: Int8Tensor): void {
  const inputs = elementCount(input.shape);
  const units = elementCount(output.shape);
  const channels = op.multiplier.length;
  if (op.weights.length !== inputs * units || op.bias.length !== units) {
    refuse(
      `operation ${index} connects ${inputs} inputs to ${units} units but has ${op.weights.length} weights and ` +
        `${op.bias.length} biases.`,
    );
  }
  if ((channels !== 1 && channels !== units) || op.shift.length !== channels || op.weightScale.length !== channels) {
    refuse(`operation ${index} has ${channels} multipliers for ${units} units.`);
  }
  for (let channel = 0; channel < channels; channel++) {
    const multiplier = op.multiplier[channel] as number;
    const shift = op.shift[channel] as number;
    const scale = op.weightScale[channel] as number;
    if (multiplier !== 0 && multiplier < 2 ** 30) refuse(`operation ${index} has the multiplier ${multiplier}.`);
    if (!isInteger(shift, -31, 30)) refuse(`operation ${index} has the shift ${shift}.`);
    if (!(scale > 0) || !Number.isFinite(scale)) refuse(`operation ${index} has the weight scale ${scale}.`);
  }
  if (!isInteger(op.actMin, -128, 127) || !isInteger(op.actMax, op.actMin, 127)) {
    refuse(`operation ${index} has the activation range ${op.actMin}..${op.actMax}.`);
  }
  for (let unit = 0, at = 0; unit < units; unit++) {
    let magnitude = 0;
    for (let i = 0; i < inputs; i++, at++) {
      const weight = op.weights[at] as number;
      if (weight === -128) refuse(`operation ${index} has a weight of -128; weights are -127..127.`);
      magnitude += Math.abs(weight);
    }
    const bound = Math.abs(op.bias[unit] as number) + magnitude * 255;
    const shift = op.shift[channels === 1 ? 0 : unit] as number;
    if (bound * 2 ** Math.max(shift, 0) >= 2 ** 31) {
      throw new QuantizeError('overflow', `Operation ${index}, unit ${unit}: the sum may exceed 32 bits.`);
    }
  }
}

function checkSoftmax(op: Int8Softmax, index: number, input: Int8Tensor, output: Int8Tensor): void {
  const inputs = elementCount(input.shape);
  if (inputs !== elementCount(output.shape)) refuse(`operation ${index}: softmax changes the number of values.`);
  if (inputs > MAX_SOFTMAX_CLASSES) refuse(`operation ${index}: softmax takes at most ${MAX_SOFTMAX_CLASSES} classes.`);
  if (!isInteger(op.leftShift, 0, 31)) refuse(`operation ${index} has the shift ${op.leftShift}.`);
  if (!isInteger(op.multiplier, 2 ** 30, 2 ** 31 - 1))
    refuse(`operation ${index} has the multiplier ${op.multiplier}.`);
  if (op.diffMin !== softmaxDiffMin(op.leftShift)) refuse(`operation ${index} has the cut-off ${op.diffMin}.`);
  if (output.scale !== SOFTMAX_OUTPUT_SCALE || output.zeroPoint !== -128) {
    refuse(`operation ${index}: the output of softmax must have the scale 1/256 and the zero point -128.`);
  }
}

function isInteger(value: number, minimum: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= minimum && value <= maximum;
}
