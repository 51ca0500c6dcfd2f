/**
 * Runs an int8 graph bit for bit as the C kernels on the board do. This is the reference the emitted code and the
 * board are compared with.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { checkInt8Graph } from './check';
import { foldBias, fullyConnectedInt8 } from './fully-connected';
import { QuantizeError, type Int8Graph } from './int8-graph';
import { softmaxInt8, softmaxTable } from './softmax';

/** Allocates nothing after creation: results are views that the next `run` overwrites. */
export interface Int8Interpreter {
  readonly inputLength: number;
  readonly outputLength: number;
  /** Input elements -> output elements. Throws QuantizeError `bad-input` on a wrong length. */
  run(input: Int8Array): Int8Array;
  /** Values of every tensor after the last `run`, indexed by tensor id (for looking inside). */
  readonly activations: readonly Int8Array[];
}

/** Checks the graph (see `checkInt8Graph`) and prepares its buffers and tables. */
export function createInt8Interpreter(graph: Int8Graph): Int8Interpreter {
  checkInt8Graph(graph);
  const activations = graph.tensors.map((tensor) => new Int8Array(elementCount(tensor.shape)));
  const at = (id: TensorId): Int8Array => activations[id] as Int8Array;
  const zeroPoint = (id: TensorId): number => graph.tensors[id]?.zeroPoint ?? 0;
  const input = at(graph.input);
  const output = at(graph.output);
  const steps = graph.ops.map((op): (() => void) => {
    const from = at(op.input);
    const to = at(op.output);
    switch (op.kind) {
      case 'fullyConnected': {
        const bias = foldBias(op, zeroPoint(op.input));
        const zeroOut = zeroPoint(op.output);
        return () => fullyConnectedInt8(op, bias, from, zeroOut, to);
      }
      case 'softmax': {
        const table = softmaxTable(op);
        return () => softmaxInt8(from, op.diffMin, table, to);
      }
    }
  });

  return {
    activations,
    inputLength: input.length,
    outputLength: output.length,
    run(values) {
      if (values.length !== input.length) {
        throw new QuantizeError(
          'bad-input',
          `The network takes ${input.length} features, but it was given ${values.length}.`,
        );
      }
      input.set(values);
      for (const step of steps) step();
      return output;
    },
  };
}
