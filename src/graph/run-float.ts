/**
 * Plain float interpreter of a float graph: what the network computes before quantization. Used for the float accuracy
 * and for calibration, so that both need neither tfjs nor a backend. Sums are kept in double precision, activations
 * are stored as float32.
 */
import { checkFloatGraph } from './check';
import { elementCount, GraphError, type FloatFullyConnected, type FloatGraph } from './float-graph';

/** Runs one input at a time. Buffers are allocated once: results are views that the next `run` overwrites. */
export interface FloatInterpreter {
  /** Input elements -> output elements. Throws GraphError `shape-mismatch` on a wrong length. */
  run(input: Float32Array): Float32Array;
  /** Values of every tensor after the last `run`, indexed by tensor id (unused tensors stay zero). */
  readonly activations: readonly Float32Array[];
}

export function createFloatInterpreter(graph: FloatGraph): FloatInterpreter {
  checkFloatGraph(graph);
  const activations = graph.tensors.map((tensor) => new Float32Array(elementCount(tensor.shape)));
  const at = (id: number): Float32Array => {
    const values = activations[id];
    if (!values) throw new GraphError('bad-tensor', `The network refers to tensor ${id}, which does not exist.`);
    return values;
  };
  const input = at(graph.input);
  const output = at(graph.output);
  const steps = graph.ops.map((op): (() => void) => {
    const from = at(op.input);
    const to = at(op.output);
    switch (op.kind) {
      case 'fullyConnected':
        return () => fullyConnected(op, from, to);
      case 'softmax':
        return () => softmax(from, to);
    }
  });

  return {
    activations,
    run(values) {
      if (values.length !== input.length) {
        throw new GraphError(
          'shape-mismatch',
          `The network takes ${input.length} features, but it was given ${values.length}.`,
        );
      }
      input.set(values);
      for (const step of steps) step();
      return output;
    },
  };
}

function fullyConnected(op: FloatFullyConnected, from: Float32Array, to: Float32Array): void {
  const inputs = from.length;
  const { weights, bias, activation } = op;
  for (let unit = 0, at = 0; unit < to.length; unit++) {
    let sum = bias[unit] as number;
    for (let input = 0; input < inputs; input++) sum += (weights[at++] as number) * (from[input] as number);
    if (activation !== 'none' && sum < 0) sum = 0;
    if (activation === 'relu6' && sum > 6) sum = 6;
    to[unit] = sum;
  }
}

function softmax(from: Float32Array, to: Float32Array): void {
  let max = -Infinity;
  for (const value of from) if (value > max) max = value;
  let sum = 0;
  for (const value of from) sum += Math.exp(value - max);
  for (let i = 0; i < from.length; i++) to[i] = Math.exp((from[i] as number) - max) / sum;
}
