import { describe, expect, it } from 'vitest';
import { elementCount, type FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { Random } from '../signal/random';
import { quantizationReport } from './error-report';
import { QuantizeError } from './int8-graph';
import { INT16_KINDS } from './int16-graph';
import { createInt16Interpreter } from './interpreter-int16';
import { quantizeGraph, quantizeInDetail } from './quantize-graph';
import { quantizeInt16Values } from './quantize-int16';
import { badlyScaled, randomInputs, randomNetwork, SampleNetwork } from '../../tests/fixtures/sample-networks';

function inputsFor(graph: FloatGraph, random: Random, count: number): Float32Array[] {
  return randomInputs(random, elementCount(graph.tensors[graph.input]?.shape ?? []), count);
}

/** Without hard swish, which int16 does not have. */
function network(random: Random): FloatGraph {
  for (;;) {
    const graph = randomNetwork(random);
    if (!graph.ops.some((op) => op.kind === 'unary' && op.function === 'hardSwish')) return graph;
  }
}

describe('quantizeGraph with int16 activations', () => {
  it('takes every random network, with symmetric scales', () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(seed);
      const float = network(random);
      const weights = seed % 3 === 0 ? 'per-tensor' : 'per-channel';
      const graph = quantizeGraph(float, inputsFor(float, random, 8), { activations: 'int16', weights });
      expect(graph.tensors.every(({ zeroPoint }) => zeroPoint === 0)).toBe(true);
      for (const op of graph.ops) kinds.add(op.kind);
      for (const op of graph.ops) if ('sums' in op) expect(op.sums).toBe('int64');
    }
    expect(INT16_KINDS.filter((kind) => !kinds.has(kind))).toEqual(['resizeNearest']);
  });

  it('is far closer to the float network than int8 where weights are exact', () => {
    // Weights of -1, 0 and 1 are the same in int8: all that is left is the error of the activations.
    const random = new Random(4);
    const n = new SampleNetwork(random, [8, 8, 3]);
    n.dense(n.flatten(n.conv(n.conv(0, 8, { activation: 'relu' }), 6, { activation: 'relu' })), 4);
    const float = n.build();
    for (const op of float.ops) {
      if ('weights' in op) op.weights.forEach((value, i) => (op.weights[i] = Math.sign(Math.round(value * 4))));
    }
    const inputs = inputsFor(float, random, 30);
    const noise = (['int8', 'int16'] as const).map((activations) => {
      const { graph, float: compared } = quantizeInDetail(float, inputs, { activations });
      const { layers } = quantizationReport(compared, graph, inputs);
      return (layers.at(-1) as { sqnrDb: number }).sqnrDb;
    });
    // Eight bits are 48 dB.
    expect((noise[1] as number) - (noise[0] as number)).toBeGreaterThan(40);
    expect(noise[1]).toBeGreaterThan(75);
  });

  it('is not worse than int8 on random networks, layer for layer', () => {
    let [better, compared] = [0, 0];
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const float = network(random);
      const inputs = inputsFor(float, random, 16);
      const [int8, int16] = (['int8', 'int16'] as const).map((activations) => {
        const quantized = quantizeInDetail(float, inputs, { activations });
        return quantizationReport(quantized.float, quantized.graph, inputs).layers;
      });
      int16?.forEach((layer) => {
        const other = int8?.find(({ name }) => name === layer.name);
        if (!other || !Number.isFinite(layer.sqnrDb) || !Number.isFinite(other.sqnrDb)) return;
        compared++;
        if (layer.sqnrDb >= other.sqnrDb - 1) better++;
      });
    }
    expect(compared).toBeGreaterThan(80);
    expect(better / compared).toBeGreaterThan(0.95);
  });

  it('equalizes where it helps, and holds badly scaled channels', () => {
    const random = new Random(9);
    const float = badlyScaled(random, 300);
    const inputs = inputsFor(float, random, 24);
    const { graph, equalized } = quantizeInDetail(float, inputs, {
      activations: 'int16',
      weights: 'per-tensor',
      equalize: 'auto',
    });
    expect(equalized).toBe(true);
    const interpreter = 'activations' in graph ? createInt16Interpreter(graph) : null;
    const input = inputs[0] as Float32Array;
    const output = interpreter?.run(quantizeInt16Values(input, graph.tensors[graph.input] as { scale: number }));
    const expected = createFloatInterpreter(float).run(input);
    const scale = graph.tensors[graph.output]?.scale ?? 0;
    const largest = Math.max(...Array.from(expected, Math.abs));
    expected.forEach((value, i) => expect(Math.abs((output?.[i] ?? 0) * scale - value)).toBeLessThan(0.1 * largest));
  });

  it('names an op that int16 does not have, and what would help', () => {
    const n = new SampleNetwork(new Random(1), [4, 4, 2]);
    n.unary(n.conv(0, 3), 'hardSwish');
    const float = n.build();
    const quantize = (): unknown => quantizeGraph(float, inputsFor(float, new Random(1), 2), { activations: 'int16' });
    expect(quantize).toThrow(QuantizeError);
    expect(quantize).toThrow(/"tensor 2".*hard swish.*ReLU6/);
  });

  it('refuses bias correction, which is for int8', () => {
    const n = new SampleNetwork(new Random(1), [4]);
    n.dense(0, 2);
    const float = n.build();
    expect(() =>
      quantizeGraph(float, inputsFor(float, new Random(1), 2), { activations: 'int16', biasCorrection: true }),
    ).toThrow(/int8 networks only/);
  });

  it('gives biases beyond 32 bits where weights are small beside them', () => {
    const n = new SampleNetwork(new Random(2), [4]);
    n.dense(0, 2);
    const float = n.build();
    for (const op of float.ops) {
      if (!('weights' in op)) continue;
      op.weights.fill(1e-3);
      op.bias.fill(500);
    }
    const graph = quantizeGraph(float, inputsFor(float, new Random(2), 4), { activations: 'int16' });
    const [op] = graph.ops;
    if (op?.kind !== 'fullyConnected') throw new Error('not dense');
    expect(Math.max(...op.bias)).toBeGreaterThan(2 ** 31);
    const scale = graph.tensors[graph.output]?.scale ?? 0;
    const output = createInt16Interpreter(graph).run(new Int16Array(4));
    for (const value of output) expect(value * scale).toBeCloseTo(500, 0);
  });
});

it('rounds values as the reference QUANTIZE does', () => {
  const values = Float32Array.from([0, 0.25, -0.25, 1e9, -1e9, NaN]);
  expect(Array.from(quantizeInt16Values(values, { scale: 0.5 }))).toEqual([0, 1, -1, 32767, -32768, 0]);
});
