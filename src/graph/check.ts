/**
 * Checks of a float graph: every op must read tensors that exist, in an order that can be executed, with weights that
 * fit the shapes and are finite. Whoever reads a graph (interpreter, quantizer) checks it once and then trusts it.
 */
import {
  elementCount,
  floatInputsOf,
  GraphError,
  type FloatGraph,
  type FloatOp,
  type FloatTensor,
  type TensorId,
} from './float-graph';
import { extent, windowOutputShape, type Window2d } from './window2d';

/** Largest tensor that a graph may hold, elements: far above what any microcontroller holds. */
export const MAX_TENSOR_ELEMENTS = 1 << 22;
/** Largest number of ops or tensors. */
export const MAX_GRAPH_NODES = 1024;

/** Throws a GraphError unless `graph` can be executed in order and holds only finite numbers. */
export function checkFloatGraph(graph: FloatGraph): void {
  if (graph.tensors.length > MAX_GRAPH_NODES || graph.ops.length > MAX_GRAPH_NODES) {
    throw new GraphError('too-large', `A network may have at most ${MAX_GRAPH_NODES} tensors and operations.`);
  }
  graph.tensors.forEach(checkFloatTensor);

  const elements = (id: TensorId): number => {
    const tensor = graph.tensors[id];
    if (!tensor) throw new GraphError('bad-tensor', `The network refers to tensor ${id}, which does not exist.`);
    return elementCount(tensor.shape);
  };

  elements(graph.input);
  elements(graph.output);
  const known = new Set<TensorId>([graph.input]);
  graph.ops.forEach((op, index) => {
    elements(op.output);
    floatInputsOf(op).forEach((id, operand) => {
      elements(id);
      const constant = graph.tensors[id]?.data !== undefined;
      if (constant && !((op.kind === 'add' || op.kind === 'mul') && operand === 1)) {
        throw new GraphError('bad-tensor', `Operation ${index} reads a constant as its input.`);
      }
      if (!constant && !known.has(id)) {
        throw new GraphError('bad-tensor', `Operation ${index} reads tensor ${id} before anything wrote it.`);
      }
    });
    if (known.has(op.output) || graph.tensors[op.output]?.data) {
      throw new GraphError('bad-tensor', `Operation ${index} writes tensor ${op.output}, which is already in use.`);
    }
    known.add(op.output);
    const tensors = floatInputsOf(op).map((id) => graph.tensors[id] as FloatTensor);
    checkFloatOp(op, index, tensors, graph.tensors[op.output] as FloatTensor);
  });
  if (graph.ops.length === 0 || !known.has(graph.output)) {
    throw new GraphError('bad-tensor', 'No operation writes the output of the network.');
  }
}

/** Throws a GraphError `bad-tensor` or `too-large` for a shape that no tensor may have. */
export function checkFloatTensor(tensor: FloatTensor, id: number): void {
  if (tensor.shape.length === 0 || tensor.shape.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new GraphError('bad-tensor', `Tensor ${id} ("${tensor.name}") has the shape [${tensor.shape.join(', ')}].`);
  }
  if (elementCount(tensor.shape) > MAX_TENSOR_ELEMENTS) {
    throw new GraphError('too-large', `Tensor ${id} ("${tensor.name}") has more than ${MAX_TENSOR_ELEMENTS} elements.`);
  }
}

/** Throws a GraphError `shape-mismatch`, `not-finite` or `unknown-op` unless the op fits its tensors. */
export function checkFloatOp(op: FloatOp, index: number, inputs: readonly FloatTensor[], output: FloatTensor): void {
  const outputs = elementCount(output.shape);
  const wrong = (what: string): never => {
    throw new GraphError('shape-mismatch', `Operation ${index} (${op.kind}) ${what}.`);
  };
  const input = inputs[0] ?? wrong('has no input');
  const values = elementCount(input.shape);
  const finite = (...arrays: readonly Float32Array[]): void => {
    if (arrays.every((array) => array.every(Number.isFinite))) return;
    throw new GraphError(
      'not-finite',
      `Operation ${index} has weights that are not numbers: training diverged. Try a smaller learning rate.`,
    );
  };
  const fits = (shape: readonly number[]): void => {
    if (shape.length !== output.shape.length || shape.some((size, axis) => size !== output.shape[axis])) {
      wrong(`gives [${shape.join(', ')}], but its output is [${output.shape.join(', ')}]`);
    }
  };
  const window = ({ padTop, padBottom, padLeft, padRight, ...sizes }: Window2d): void => {
    if (input.shape.length !== 3) wrong('needs the shape [H, W, C]');
    if (!Object.values(sizes).every((size) => isInteger(size, 1))) wrong('has an impossible window');
    if (![padTop, padBottom, padLeft, padRight].every((size) => isInteger(size, 0))) wrong('has impossible padding');
    // More padding than the window reaches would give outputs that see no input at all.
    const [height, width] = [
      extent(sizes.kernelHeight, sizes.dilationHeight),
      extent(sizes.kernelWidth, sizes.dilationWidth),
    ];
    if (Math.max(padTop, padBottom) >= height || Math.max(padLeft, padRight) >= width) wrong('has too much padding');
  };
  switch (op.kind) {
    case 'fullyConnected': {
      const units = op.bias.length;
      const width = op.weights.length / units;
      if (!Number.isInteger(width) || values % width !== 0 || (values / width) * units !== outputs) {
        wrong(`connects ${values} inputs to ${outputs} units but has ${op.weights.length} weights and ${units} biases`);
      }
      return finite(op.weights, op.bias);
    }
    case 'conv2d':
    case 'depthwiseConv2d': {
      const channels = input.shape[2] ?? wrong('needs the shape [H, W, C]');
      const out = op.bias.length;
      const taps = op.window.kernelHeight * op.window.kernelWidth;
      const groups = op.kind === 'conv2d' ? op.groups : 1;
      const weights = op.kind === 'conv2d' ? (taps * channels * out) / groups : taps * out;
      if (!isInteger(groups, 1) || channels % groups !== 0 || out % groups !== 0) wrong(`has ${groups} groups`);
      if (op.weights.length !== weights) {
        wrong(`has ${op.weights.length} weights for ${out} channels`);
      }
      if (
        op.kind === 'depthwiseConv2d' &&
        !(isInteger(op.depthMultiplier, 1) && channels * op.depthMultiplier === out)
      ) {
        wrong('has another multiplier');
      }
      window(op.window);
      fits(windowOutputShape(input.shape, op.window, out));
      return finite(op.weights, op.bias);
    }
    case 'maxPool2d':
    case 'averagePool2d':
      window(op.window);
      if (op.window.dilationHeight !== 1 || op.window.dilationWidth !== 1) wrong('is dilated');
      return fits(windowOutputShape(input.shape, op.window, input.shape[2] ?? wrong('needs the shape [H, W, C]')));
    case 'mean':
      if (![op.outer, op.count, op.inner].every((size) => isInteger(size, 1))) wrong('has no axes');
      if (op.outer * op.count * op.inner !== values || op.outer * op.inner !== outputs) wrong('does not fit');
      return;
    case 'add':
    case 'mul': {
      const second = inputs[1] ?? wrong('needs two inputs');
      if (values !== outputs || outputs % elementCount(second.shape) !== 0) wrong('has inputs that do not fit');
      return second.data && finite(second.data);
    }
    case 'concat': {
      if (!isInteger(op.axis, 0, input.shape.length - 1)) wrong(`joins along axis ${op.axis}`);
      const size = inputs.reduce((sum, { shape }) => sum + (shape[op.axis] ?? 0), 0);
      for (const { shape } of inputs) {
        if (shape.length !== input.shape.length) wrong('joins values of different rank');
        if (shape.some((length, axis) => axis !== op.axis && length !== input.shape[axis])) {
          wrong('joins values of different shape');
        }
      }
      return fits(input.shape.map((length, axis) => (axis === op.axis ? size : length)));
    }
    case 'pad':
      if (op.before.length !== input.shape.length || op.after.length !== input.shape.length) wrong('has other axes');
      if (![...op.before, ...op.after].every((size) => isInteger(size, 0))) wrong('cuts');
      return fits(input.shape.map((size, axis) => size + (op.before[axis] ?? 0) + (op.after[axis] ?? 0)));
    case 'transpose':
      if (op.permutation.length !== input.shape.length) wrong('has other axes');
      if (new Set(op.permutation).size !== input.shape.length) wrong('repeats an axis');
      return fits(op.permutation.map((axis) => input.shape[axis] ?? 0));
    case 'stridedSlice':
      if (output.shape.length !== input.shape.length) wrong('has other axes');
      input.shape.forEach((size, axis) => {
        const [begin, stride] = [op.begin[axis] ?? -1, op.strides[axis] ?? 0];
        const last = begin + ((output.shape[axis] ?? 0) - 1) * stride;
        if (!isInteger(begin, 0) || !isInteger(stride, 1) || last >= size) wrong('reads outside its input');
      });
      return;
    case 'resizeNearest':
      if (input.shape.length !== 3 || output.shape.length !== 3) wrong('needs the shapes [H, W, C]');
      if (input.shape[2] !== output.shape[2]) wrong('changes the channels');
      return;
    case 'scaleShift': {
      const channels = input.shape.at(-1) ?? 0;
      if (op.scale.length !== channels || op.shift.length !== channels || values !== outputs) wrong('does not fit');
      return finite(op.scale, op.shift);
    }
    case 'unary':
      if (!Number.isFinite(op.alpha)) wrong('has a slope that is not a number');
      if (values !== outputs) wrong('changes the number of values');
      return;
    case 'softmax':
      if ((input.shape.at(-1) ?? 0) !== (output.shape.at(-1) ?? 0)) wrong('changes the last axis');
      if (values !== outputs) wrong('changes the number of values');
      return;
    case 'reshape':
      if (values !== outputs) wrong(`of ${values} values cannot give ${outputs}`);
      return;
    default:
      throw new GraphError('unknown-op', `Operation ${index} is of an unknown kind.`);
  }
}

function isInteger(value: number, minimum: number, maximum = MAX_TENSOR_ELEMENTS): boolean {
  return Number.isInteger(value) && value >= minimum && value <= maximum;
}
