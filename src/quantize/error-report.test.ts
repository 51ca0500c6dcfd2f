import { describe, expect, it } from 'vitest';
import { Random } from '../signal/random';
import { quantizationReport } from './error-report';
import { quantizeInDetail } from './quantize-graph';
import { randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';

describe('quantizationReport', () => {
  const random = new Random(3);
  const n = new SampleNetwork(random, [6, 6, 2]);
  const gate = n.unary(0, 'logistic');
  n.softmax(n.dense(n.concat([gate, n.unary(n.conv(0, 3, { same: true }), 'relu')], 2), 4));
  const inputs = randomInputs(random, 72, 60);
  const { float, graph } = quantizeInDetail(n.build(), inputs);

  it('measures every layer that has a float counterpart', () => {
    const report = quantizationReport(float, graph, inputs);
    expect(report.inputs).toBe(60);
    expect(graph.ops.length).toBe(6);
    expect(report.layers.map(({ kind }) => kind)).toEqual(['lookup', 'conv2d', 'concat', 'fullyConnected', 'softmax']);
    for (const layer of [report.input, ...report.layers]) {
      expect(layer.sqnrDb).toBeGreaterThan(20);
      expect(layer.maxError).toBeGreaterThanOrEqual(layer.meanAbsoluteError);
      expect(layer.meanAbsoluteError).toBeGreaterThanOrEqual(Math.abs(layer.meanError));
      // Calibrated on the same inputs: nothing is clipped.
      expect(layer.clipped).toBe(0);
    }
    expect(report.layers[1]!.weightScaleSpread).toBeGreaterThan(1);
    expect(report.layers[0]!.weightScaleSpread).toBeNull();
    expect(report.argmaxAgreement).toBeGreaterThan(0.9);
    expect(report.layers[report.weakest!]!.sqnrDb).toBe(Math.min(...report.layers.map(({ sqnrDb }) => sqnrDb)));
  });

  it('sees clipping', () => {
    const louder = inputs.map((input) => input.map((value) => value * 4));
    const report = quantizationReport(float, graph, louder);
    expect(report.input.clipped).toBeGreaterThan(0.1);
    expect(report.input.sqnrDb).toBeLessThan(20);
  });

  it('refuses networks that do not belong together, and no inputs', () => {
    const other = new SampleNetwork(random, [6, 6, 2]);
    other.dense(0, 4);
    expect(() => quantizationReport(other.build(), graph, inputs)).toThrow(/do not belong together/);
    expect(() => quantizationReport(float, graph, [])).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});
