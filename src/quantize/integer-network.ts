/** A network of integers, int8 or int16, fed with real values: for measuring what quantization costs. */
import { isInt16Graph, type IntegerGraph, type TypedIntegers } from './int16-graph';
import type { Int8Tensor } from './int8-graph';
import { createInt8Interpreter } from './interpreter';
import { createInt16Interpreter } from './interpreter-int16';
import { quantizeInt16Values } from './quantize-int16';
import { quantizeValues } from './quantize-values';

export interface IntegerNetwork {
  /** Quantizes real inputs and gives the integers of the output, a view that the next `run` overwrites. */
  run(input: Float32Array): TypedIntegers;
  /** Integers of every tensor after the last `run`, indexed by tensor id. */
  readonly activations: readonly TypedIntegers[];
  /** The smallest and largest integer of an activation. */
  readonly lowest: number;
  readonly highest: number;
}

/** Checks the graph and prepares its buffers. Throws as the interpreters do. */
export function createIntegerNetwork(graph: IntegerGraph): IntegerNetwork {
  if (isInt16Graph(graph)) {
    const network = createInt16Interpreter(graph);
    const scale = graph.tensors[graph.input]?.scale ?? 1;
    const input = new Int16Array(network.inputLength);
    return {
      activations: network.activations,
      lowest: -32_768,
      highest: 32_767,
      run: (values) => network.run(quantizeInt16Values(values, { scale }, input)),
    };
  }
  const network = createInt8Interpreter(graph);
  const parameters = graph.tensors[graph.input] as Int8Tensor;
  const input = new Int8Array(network.inputLength);
  return {
    activations: network.activations,
    lowest: -128,
    highest: 127,
    run: (values) => network.run(quantizeValues(values, parameters, input)),
  };
}
