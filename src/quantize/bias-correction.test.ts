import { describe, expect, it } from 'vitest';
import { elementCount, type FloatGraph } from '../graph/float-graph';
import { Random } from '../signal/random';
import { correctBiases } from './bias-correction';
import { quantizationReport } from './error-report';
import { quantizeInDetail } from './quantize-graph';
import { badlyScaled, randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';

function branching(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [6, 6, 3]);
  let x = n.conv(0, 6, { same: true, activation: 'relu' });
  for (let block = 0; block < 2; block++) {
    const branch = n.conv(n.depthwise(x, { same: true, activation: 'relu' }), 6, { kernel: 1 });
    x = n.pair('add', branch, x, 'relu');
  }
  const sides = [n.conv(x, 4, { kernel: 1, activation: 'relu' }), n.conv(x, 4, { same: true, activation: 'relu' })];
  n.softmax(n.dense(n.mean(n.concat(sides, 2)), 4));
  return n.build();
}

describe('correctBiases', () => {
  it.each([
    ['a chain', badlyScaled(new Random(12), 30)],
    ['branches', branching(new Random(3))],
  ])('takes the mean error out of the layers of %s', (_, network) => {
    const length = elementCount(network.tensors[network.input]!.shape);
    const inputs = randomInputs(new Random(2), length, 100);
    const { float, graph } = quantizeInDetail(network, inputs, { weights: 'per-tensor' });
    const corrected = correctBiases(float, graph, inputs);
    // Steps of int8, summed over the layers.
    const bias = (of: typeof graph): number =>
      quantizationReport(float, of, inputs).layers.reduce(
        (sum, { meanError, scale }) => sum + Math.abs(meanError / scale),
        0,
      );
    expect(bias(corrected)).toBeLessThan(bias(graph) * 0.6);
    const without = (of: typeof graph): unknown => of.ops.map((op) => ('bias' in op ? { ...op, bias: null } : op));
    expect(without(corrected)).toEqual(without(graph));
    expect(corrected.tensors).toBe(graph.tensors);
  });

  it('needs inputs', () => {
    const network = branching(new Random(1));
    const { float, graph } = quantizeInDetail(network, randomInputs(new Random(1), 108, 3));
    expect(() => correctBiases(float, graph, [])).toThrow(expect.objectContaining({ code: 'no-calibration-data' }));
  });
});
