import { describe, expect, it } from 'vitest';
import { GraphError, type FloatFullyConnected, type FloatGraph } from './float-graph';
import { createFloatInterpreter } from './run-float';

const layer: FloatFullyConnected = {
  kind: 'fullyConnected',
  input: 0,
  output: 1,
  weights: Float32Array.of(1, 2, -1, -1, 4, 4),
  bias: Float32Array.of(0.5, 0, 1),
  activation: 'relu6',
};
const graph: FloatGraph = {
  tensors: [
    { name: 'in', shape: [2] },
    { name: 'hidden', shape: [3] },
    { name: 'out', shape: [3] },
  ],
  ops: [layer, { kind: 'softmax', input: 1, output: 2 }],
  input: 0,
  output: 2,
};

describe('createFloatInterpreter', () => {
  it('computes dense layers with their activation, and softmax', () => {
    const interpreter = createFloatInterpreter(graph);
    const scores = interpreter.run(Float32Array.of(1, 1));
    expect(interpreter.activations[1]).toEqual(Float32Array.of(3.5, 0, 6));
    const sum = Math.exp(3.5) + 1 + Math.exp(6);
    [Math.exp(3.5) / sum, 1 / sum, Math.exp(6) / sum].forEach((value, i) => expect(scores[i]).toBeCloseTo(value, 6));
  });

  it('does not overflow in softmax', () => {
    const large = { ...graph, ops: [{ ...layer, activation: 'none' as const }, graph.ops[1]!] };
    expect([...createFloatInterpreter(large).run(Float32Array.of(1000, 1000))]).toEqual([0, 0, 1]);
  });

  it.each<[string, FloatGraph]>([
    ['shape-mismatch', { ...graph, ops: [{ ...layer, bias: Float32Array.of(1) }, graph.ops[1]!] }],
    ['not-finite', { ...graph, ops: [{ ...layer, bias: Float32Array.of(1, NaN, 1) }, graph.ops[1]!] }],
    ['bad-tensor', { ...graph, ops: [{ ...layer, input: 7 }, graph.ops[1]!] }],
    ['bad-tensor', { ...graph, ops: [layer] }],
    ['bad-tensor', { ...graph, ops: [...graph.ops].reverse() }],
    ['bad-tensor', { ...graph, tensors: [{ name: 'in', shape: [0] }, ...graph.tensors.slice(1)] }],
    ['too-large', { ...graph, tensors: [{ name: 'in', shape: [1 << 30] }, ...graph.tensors.slice(1)] }],
    ['unknown-op', { ...graph, ops: [{ ...layer, kind: 'lstm' as 'softmax' }, graph.ops[1]!] }],
  ])('refuses a graph that cannot run: %s', (code, broken) => {
    expect(() => createFloatInterpreter(broken)).toThrow(expect.objectContaining({ name: 'GraphError', code }));
  });

  it('refuses an input of another length', () => {
    expect(() => createFloatInterpreter(graph).run(new Float32Array(3))).toThrow(GraphError);
  });
});
