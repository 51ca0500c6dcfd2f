/** Random networks of which some layers stay float. */
import { elementCount } from '../../src/graph/float-graph';
import type { MixedGraph } from '../../src/quantize/mixed-graph';
import { createMixedInterpreter, type MixedValues } from '../../src/quantize/mixed-interpreter';
import { quantizeMixed } from '../../src/quantize/quantize-mixed';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';

/** About a third of the layers is float; at least one is, and one is not. */
export function randomMixed(seed: number): { readonly graph: MixedGraph; readonly random: Random } {
  const random = new Random(seed);
  for (;;) {
    const float = randomNetwork(random);
    const size = elementCount(float.tensors[float.input]?.shape ?? []);
    const chosen = float.ops.flatMap((op) =>
      random.integer(3) === 0 && op.kind !== 'reshape' ? [float.tensors[op.output]?.name ?? ''] : [],
    );
    try {
      const { graph } = quantizeMixed(float, randomInputs(random, size, 8), { floatLayers: chosen });
      const types = new Set(graph.ops.map(({ type }) => type));
      if (types.has('float') && types.has('int8')) return { graph, random };
    } catch (error) {
      // The name of a layer that was fused into the one before it.
      if (!(error instanceof Error) || !error.message.startsWith('There is no layer')) throw error;
    }
  }
}

/** Inputs of the network's type and its outputs, one after another. */
export function mixedCases(
  graph: MixedGraph,
  random: Random,
  cases: number,
): { readonly inputs: readonly MixedValues[]; readonly outputs: readonly MixedValues[] } {
  const interpreter = createMixedInterpreter(graph);
  const length = interpreter.inputLength;
  const inputs = Array.from({ length: cases }, () =>
    graph.tensors[graph.input]?.type === 'int8'
      ? Int8Array.from({ length }, () => Math.floor(random.next() * 256) - 128)
      : Float32Array.from({ length }, () => random.normal()),
  );
  return { inputs, outputs: inputs.map((input) => interpreter.run(input).slice()) };
}
