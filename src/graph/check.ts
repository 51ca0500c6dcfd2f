/**
 * Checks of a float graph: every op must read tensors that exist, in an order that can be executed, with weights that
 * fit the shapes and are finite. Whoever reads a graph (interpreter, quantizer) checks it once and then trusts it.
 */
import { elementCount, GraphError, type FloatGraph, type FloatOp, type TensorId } from './float-graph';

/** Largest tensor that a graph may hold, elements: far above what any microcontroller holds. */
export const MAX_TENSOR_ELEMENTS = 1 << 22;
/** Largest number of ops or tensors. */
export const MAX_GRAPH_NODES = 1024;

/** Throws a GraphError unless `graph` can be executed in order and holds only finite numbers. */
export function checkFloatGraph(graph: FloatGraph): void {
  if (graph.tensors.length > MAX_GRAPH_NODES || graph.ops.length > MAX_GRAPH_NODES) {
    throw new GraphError('too-large', `A network may have at most ${MAX_GRAPH_NODES} tensors and operations.`);
  }
  graph.tensors.forEach((tensor, id) => {
    if (tensor.shape.length === 0 || tensor.shape.some((size) => !Number.isInteger(size) || size < 1)) {
      throw new GraphError('bad-tensor', `Tensor ${id} ("${tensor.name}") has the shape [${tensor.shape.join(', ')}].`);
    }
    if (elementCount(tensor.shape) > MAX_TENSOR_ELEMENTS) {
      throw new GraphError(
        'too-large',
        `Tensor ${id} ("${tensor.name}") has more than ${MAX_TENSOR_ELEMENTS} elements.`,
      );
    }
  });

  const elements = (id: TensorId): number => {
    const tensor = graph.tensors[id];
    if (!tensor) throw new GraphError('bad-tensor', `The network refers to tensor ${id}, which does not exist.`);
    return elementCount(tensor.shape);
  };

  elements(graph.input);
  elements(graph.output);
  const known = new Set<TensorId>([graph.input]);
  graph.ops.forEach((op, index) => {
    const inputs = elements(op.input);
    const outputs = elements(op.output);
    if (!known.has(op.input)) {
      throw new GraphError('bad-tensor', `Operation ${index} reads tensor ${op.input} before anything wrote it.`);
    }
    if (known.has(op.output)) {
      throw new GraphError('bad-tensor', `Operation ${index} writes tensor ${op.output}, which is already in use.`);
    }
    known.add(op.output);
    checkOp(op, index, inputs, outputs);
  });
  if (graph.ops.length === 0 || !known.has(graph.output)) {
    throw new GraphError('bad-tensor', 'No operation writes the output of the network.');
  }
}

function checkOp(op: FloatOp, index: number, inputs: number, outputs: number): void {
  switch (op.kind) {
    case 'fullyConnected':
      if (op.weights.length !== inputs * outputs || op.bias.length !== outputs) {
        throw new GraphError(
          'shape-mismatch',
          `Operation ${index} connects ${inputs} inputs to ${outputs} units but has ${op.weights.length} weights and ` +
            `${op.bias.length} biases.`,
        );
      }
      if (!op.weights.every(Number.isFinite) || !op.bias.every(Number.isFinite)) {
        throw new GraphError(
          'not-finite',
          `Operation ${index} has weights that are not numbers: training diverged. Try a smaller learning rate.`,
        );
      }
      return;
    case 'softmax':
      if (inputs !== outputs) {
        throw new GraphError(
          'shape-mismatch',
          `Operation ${index}: softmax of ${inputs} values cannot give ${outputs}.`,
        );
      }
      return;
    default:
      throw new GraphError('unknown-op', `Operation ${index} is of an unknown kind.`);
  }
}
