import { describe, expect, it } from 'vitest';
import { elementCount, type FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { Random } from '../signal/random';
import { mixedQuantizationReport } from './error-report';
import { QuantizeError, type Int8Tensor } from './int8-graph';
import { checkMixedGraph, mixedFromInt8, type MixedGraph } from './mixed-graph';
import { createMixedInterpreter } from './mixed-interpreter';
import { quantizeGraph } from './quantize-graph';
import { quantizeMixed } from './quantize-mixed';
import { largestDifference, randomInputs, randomNetwork, SampleNetwork } from '../../tests/fixtures/sample-networks';

/** Convolution, softmax over more classes than int8 can hold, dense layer. */
function wideSoftmax(): FloatGraph {
  const n = new SampleNetwork(new Random(2), [4, 4, 2]);
  const wide = n.dense(n.flatten(n.conv(0, 4, { activation: 'relu' })), 2000);
  n.dense(n.softmax(wide), 3);
  return n.build();
}

const kinds = ({ ops }: MixedGraph): string[] =>
  ops.map(({ type, op }) => (type === 'conversion' ? op.kind : `${type} ${op.kind}`));

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof QuantizeError ? error.code : String(error);
  }
};

describe('quantizeMixed', () => {
  const float = wideSoftmax();
  const inputs = randomInputs(new Random(3), 32, 16);

  it('refuses what int8 cannot hold unless float is allowed', () => {
    expect(codeOf(() => quantizeGraph(float, inputs))).toBe('unsupported-op');
    expect(codeOf(() => quantizeMixed(float, inputs))).toBe('unsupported-op');
    const { graph, reasons } = quantizeMixed(float, inputs, { allowFloat: true });
    expect(kinds(graph)).toEqual([
      'int8 conv2d',
      'int8 reshape',
      'int8 fullyConnected',
      'dequantize',
      'float softmax',
      'quantize',
      'int8 fullyConnected',
    ]);
    expect([...reasons.values()]).toEqual(['Int8 cannot hold it: softmax over 2000 classes.']);
  });

  it('keeps layers float by name, with what only moves values between them', () => {
    const name = (kind: string): string =>
      float.tensors[float.ops.find((op) => op.kind === kind)?.output ?? 0]?.name ?? '';
    const dense = float.tensors[float.ops[2]?.output ?? 0]?.name ?? '';
    const options = { allowFloat: true, floatLayers: [name('conv2d'), dense] };
    const { graph } = quantizeMixed(float, inputs, options);
    expect(kinds(graph)).toEqual([
      'float conv2d',
      'float reshape',
      'float fullyConnected',
      'float softmax',
      'quantize',
      'int8 fullyConnected',
    ]);
    expect(graph.tensors[graph.input]?.type).toBe('float');
    expect(graph.tensors[graph.output]?.type).toBe('int8');
    expect(codeOf(() => quantizeMixed(float, inputs, { floatLayers: ['nowhere'] }))).toBe('bad-input');
  });

  it('without float layers it gives the network that quantizeGraph gives', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const network = randomNetwork(random);
      const samples = randomInputs(random, elementCount(network.tensors[network.input]?.shape ?? []), 8);
      expect(quantizeMixed(network, samples).graph).toEqual(mixedFromInt8(quantizeGraph(network, samples)));
    }
  });

  it('with all layers float it computes what the float network computes', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const network = randomNetwork(random);
      const samples = randomInputs(random, elementCount(network.tensors[network.input]?.shape ?? []), 8);
      const fused = quantizeMixed(network, samples).float;
      const names = fused.ops.map((op) => fused.tensors[op.output]?.name ?? '');
      const { graph } = quantizeMixed(network, samples, { floatLayers: names });
      expect(kinds(graph).every((kind) => kind.startsWith('float'))).toBe(true);
      const [mixed, reference] = [createMixedInterpreter(graph), createFloatInterpreter(fused)];
      for (const input of samples) expect(mixed.run(input)).toEqual(reference.run(input));
    }
  });

  it('comes closer to the float network the more of it is float', () => {
    const n = new SampleNetwork(new Random(9), [6, 6, 3]);
    const first = n.conv(0, 8, { activation: 'relu' });
    n.dense(n.flatten(n.conv(first, 8, { activation: 'relu' })), 4);
    const network = n.build();
    const samples = randomInputs(new Random(4), 108, 32);
    const names = network.ops.map((op) => network.tensors[op.output]?.name ?? '');
    const errors = [[], names.slice(0, 1), names.slice(0, 3), names].map((floatLayers) => {
      const { graph, float: reference } = quantizeMixed(network, samples, { floatLayers });
      const [mixed, exact] = [createMixedInterpreter(graph), createFloatInterpreter(reference)];
      const [from, to] = [graph.tensors[graph.input], graph.tensors[graph.output]] as [Int8Tensor, Int8Tensor];
      const isInt8 = graph.tensors[graph.input]?.type === 'int8';
      return samples.reduce((sum, input) => {
        const given = isInt8
          ? Int8Array.from(input, (x) => Math.max(-128, Math.min(127, Math.round(x / from.scale) + from.zeroPoint)))
          : input;
        const got = mixed.run(given);
        const real = got instanceof Int8Array ? Float32Array.from(got, (q) => to.scale * (q - to.zeroPoint)) : got;
        return sum + largestDifference(real, exact.run(input));
      }, 0);
    });
    expect(errors[3]).toBe(0);
    expect(errors[2]).toBeLessThan(errors[0] as number);
    expect(errors[1]).toBeLessThan(errors[0] as number);
  });

  it('reports the error of the int8 layers', () => {
    const { graph, float: reference } = quantizeMixed(float, inputs, { allowFloat: true });
    const report = mixedQuantizationReport(reference, graph, inputs);
    expect(report.layers.map(({ kind }) => kind)).toEqual(['conv2d', 'reshape', 'fullyConnected', 'fullyConnected']);
    expect(report.layers[0]?.sqnrDb).toBeGreaterThan(25);
    expect(report.inputs).toBe(16);
  });
});

describe('checkMixedGraph', () => {
  const { graph } = quantizeMixed(wideSoftmax(), randomInputs(new Random(3), 32, 4), { allowFloat: true });

  it('refuses ops that read the other type, and values that nothing wrote', () => {
    checkMixedGraph(graph);
    const without = { ...graph, ops: graph.ops.filter(({ type }) => type !== 'conversion') };
    expect(codeOf(() => checkMixedGraph(without))).toBe('bad-input');
    const softmax = graph.ops.findIndex(({ op }) => op.kind === 'softmax');
    const mixed = graph.ops.map((step, index) =>
      index === softmax && step.type === 'float' ? { ...step, op: { ...step.op, input: 3 } } : step,
    ) as MixedGraph['ops'];
    expect(codeOf(() => checkMixedGraph({ ...graph, ops: mixed }))).toBe('bad-input');
    expect(codeOf(() => checkMixedGraph({ ...graph, ops: [...graph.ops].reverse() }))).toBe('bad-input');
    expect(codeOf(() => checkMixedGraph({ ...graph, output: 99 }))).toBe('bad-input');
  });

  it('refuses inputs of another type or length', () => {
    const interpreter = createMixedInterpreter(graph);
    expect(codeOf(() => interpreter.run(new Float32Array(32)))).toBe('bad-input');
    expect(codeOf(() => interpreter.run(new Int8Array(31)))).toBe('bad-input');
    expect(interpreter.run(new Int8Array(32))).toHaveLength(3);
  });
});
