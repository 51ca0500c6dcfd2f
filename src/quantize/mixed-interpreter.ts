/** Runs a mixed network: int8 layers bit for bit as the C kernels, float layers as the float interpreter. */
import { elementCount } from '../graph/float-graph';
import { prepareFloatOp } from '../graph/run-float';
import { QuantizeError, type Int8Tensor } from './int8-graph';
import { prepareInt8Ops } from './interpreter';
import { checkMixedGraph, type MixedGraph } from './mixed-graph';
import { dequantize, quantizeValues } from './quantize-values';

export type MixedValues = Int8Array | Float32Array;

/** Allocates nothing after creation: results are views that the next `run` overwrites. */
export interface MixedInterpreter {
  readonly inputLength: number;
  readonly outputLength: number;
  /** The input's type is that of the network's input. Throws QuantizeError `bad-input` on a wrong length or type. */
  run(input: MixedValues): MixedValues;
  /** Values of every tensor after the last `run`, indexed by tensor id, each of its own type. */
  readonly activations: readonly MixedValues[];
}

/** Checks the graph (see `checkMixedGraph`) and prepares its buffers and tables. */
export function createMixedInterpreter(graph: MixedGraph): MixedInterpreter {
  checkMixedGraph(graph);
  const activations = graph.tensors.map(({ type, shape, data }): MixedValues => {
    const values = type === 'int8' ? new Int8Array(elementCount(shape)) : new Float32Array(elementCount(shape));
    if (data) values.set(data);
    return values;
  });
  // The checks have shown that every op finds tensors of its type.
  const int8At = (id: number): Int8Array => activations[id] as Int8Array;
  const floatAt = (id: number): Float32Array => activations[id] as Float32Array;
  const int8Tensors = graph.tensors as readonly Int8Tensor[];
  const steps = graph.ops.map(({ type, op }): (() => void) => {
    if (type === 'int8') return prepareInt8Ops([op], int8Tensors, int8At)[0] as () => void;
    if (type === 'float') return prepareFloatOp(op, graph.tensors, floatAt);
    if (op.kind === 'quantize') {
      const to = int8Tensors[op.output] as Int8Tensor;
      return () => quantizeValues(floatAt(op.input), to, int8At(op.output));
    }
    const tensor = int8Tensors[op.input] as Int8Tensor;
    const [from, to] = [int8At(op.input), floatAt(op.output)];
    return () => {
      for (let i = 0; i < to.length; i++) to[i] = dequantize(from[i] as number, tensor);
    };
  });
  const input = activations[graph.input] as MixedValues;
  const output = activations[graph.output] as MixedValues;
  return {
    activations,
    inputLength: input.length,
    outputLength: output.length,
    run(values) {
      if (values.length !== input.length || values instanceof Int8Array !== input instanceof Int8Array) {
        throw new QuantizeError(
          'bad-input',
          `The network takes ${input.length} ${input instanceof Int8Array ? 'int8' : 'float'} values, but it was given ` +
            `${values.length} of ${values instanceof Int8Array ? 'int8' : 'float'}.`,
        );
      }
      input.set(values);
      for (const step of steps) step();
      return output;
    },
  };
}
