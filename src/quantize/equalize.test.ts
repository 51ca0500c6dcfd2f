import { describe, expect, it } from 'vitest';
import type { FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { Random } from '../signal/random';
import { equalize } from './equalize';
import { badlyScaled, largestDifference, randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';

describe('equalize', () => {
  it('does not change the function', () => {
    const graph = badlyScaled(new Random(4), 300);
    const evened = equalize(graph);
    expect(evened).not.toBe(graph);
    const before = createFloatInterpreter(graph);
    const after = createFloatInterpreter(evened);
    for (const input of randomInputs(new Random(6), 192, 10)) {
      expect(largestDifference(before.run(input), after.run(input))).toBeLessThan(1e-5);
    }
  });

  it('narrows the spread of weights between the channels of a layer', () => {
    const spreadOf = (graph: FloatGraph): number => {
      const op = graph.ops[0] as { weights: Float32Array; bias: Float32Array };
      const per = op.weights.length / op.bias.length;
      const largest = Array.from(op.bias, (_, c) =>
        Math.max(...op.weights.subarray(c * per, (c + 1) * per).map(Math.abs)),
      );
      return Math.max(...largest) / Math.min(...largest);
    };
    const graph = badlyScaled(new Random(4), 300);
    expect(spreadOf(graph)).toBeGreaterThan(40);
    expect(spreadOf(equalize(graph))).toBeLessThan(8);
  });

  it('keeps its hands off ReLU6, tensors with several readers and dead channels', () => {
    const capped = badlyScaled(new Random(4), 300, 'relu6');
    expect(equalize(capped)).toBe(capped);

    const n = new SampleNetwork(new Random(7), [4, 4, 2]);
    const x = n.conv(0, 2, { same: true, activation: 'relu' });
    n.pair('add', n.conv(x, 2, { same: true }), x);
    expect(equalize(n.build()).ops).toEqual(n.ops);

    const dead = badlyScaled(new Random(4), 10);
    (dead.ops[0] as { weights: Float32Array }).weights.fill(0);
    expect((equalize(dead).ops[0] as { weights: Float32Array }).weights.every((w) => w === 0)).toBe(true);
  });
});
