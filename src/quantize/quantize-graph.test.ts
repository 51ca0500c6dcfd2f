import { describe, expect, it } from 'vitest';
import type { FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { Random } from '../signal/random';
import { checkInt8Graph } from './check';
import { foldInput, quantizeFeatures } from './input-affine';
import { QuantizeError, type Int8FullyConnected, type Int8Graph } from './int8-graph';
import { createInt8Interpreter } from './interpreter';
import { quantizeGraph } from './quantize-graph';

/** A random network with the given widths, ReLU between layers and softmax at the end. */
function network(widths: readonly number[], random: Random): FloatGraph {
  const ops: FloatGraph['ops'][number][] = [];
  for (let i = 1; i < widths.length; i++) {
    const inputs = widths[i - 1]!;
    const units = widths[i]!;
    ops.push({
      kind: 'fullyConnected',
      input: i - 1,
      output: i,
      weights: Float32Array.from({ length: inputs * units }, () => random.normal() / Math.sqrt(inputs)),
      bias: Float32Array.from({ length: units }, () => random.normal() * 0.3),
      activation: i < widths.length - 1 ? 'relu' : 'none',
    });
  }
  ops.push({ kind: 'softmax', input: widths.length - 1, output: widths.length });
  const shapes = [...widths, widths.at(-1)!];
  const tensors = shapes.map((size, id) => ({ name: `tensor ${id}`, shape: [size] }));
  return { tensors, ops, input: 0, output: widths.length };
}

function inputs(count: number, length: number, random: Random): Float32Array[] {
  return Array.from({ length: count }, () => Float32Array.from({ length }, () => random.normal()));
}

describe.each(['per-tensor', 'per-channel'] as const)('quantizeGraph, %s', (weights) => {
  const random = new Random(11);
  const float = network([12, 20, 10, 4], random);
  const calibration = inputs(300, 12, random);
  const graph = quantizeGraph(float, calibration, { weights });

  it('follows the converter’s rules', () => {
    expect(graph.tensors.at(-1)).toMatchObject({ scale: 1 / 256, zeroPoint: -128 });
    for (const tensor of graph.tensors) {
      expect(Math.fround(tensor.scale)).toBe(tensor.scale);
      expect(Number.isInteger(tensor.zeroPoint)).toBe(true);
    }
    // ReLU is fused: the output starts at 0, its zero point.
    expect(graph.tensors[1]!.zeroPoint).toBe(-128);
    const layer = graph.ops[0] as Int8FullyConnected;
    expect(layer.multiplier.length).toBe(weights === 'per-tensor' ? 1 : 20);
    const largest = Math.max(...layer.weights.map(Math.abs));
    expect(largest).toBe(127);
    for (let unit = 0; unit < 20; unit++) {
      const scale = layer.weightScale[weights === 'per-tensor' ? 0 : unit]!;
      for (let i = 0; i < 12; i++) {
        const at = unit * 12 + i;
        const original = (float.ops[0] as { weights: Float32Array }).weights[at]!;
        expect(Math.abs(layer.weights[at]! * scale - original)).toBeLessThanOrEqual(scale * 0.5001);
      }
    }
  });

  it('stays close to the float network on inputs it has not seen', () => {
    const reference = createFloatInterpreter(float);
    const interpreter = createInt8Interpreter(graph);
    const scaler = { mean: new Float32Array(12), std: new Float32Array(12).fill(1) };
    const affine = foldInput(scaler, graph.tensors[0]!);
    const quantized = new Int8Array(12);
    let worst = 0;
    for (const input of inputs(300, 12, random)) {
      const expected = reference.run(input);
      const actual = interpreter.run(quantizeFeatures(input, affine, quantized));
      actual.forEach((value, i) => (worst = Math.max(worst, Math.abs((value + 128) / 256 - expected[i]!))));
    }
    expect(worst).toBeLessThan(0.06);
  });

  it('is deterministic and allocates its buffers once', () => {
    expect(quantizeGraph(float, calibration, { weights })).toEqual(graph);
    const interpreter = createInt8Interpreter(graph);
    const first = interpreter.run(new Int8Array(12));
    expect(interpreter.run(new Int8Array(12).fill(5))).toBe(first);
    expect(interpreter.activations[graph.output]).toBe(first);
  });
});

describe('quantizeGraph', () => {
  const float = network([4, 3], new Random(1));

  it('refuses to guess ranges', () => {
    expect(() => quantizeGraph(float, [])).toThrow(expect.objectContaining({ code: 'no-calibration-data' }));
    expect(() => quantizeGraph(float, [Float32Array.of(1, NaN, 0, 0)])).toThrow(
      expect.objectContaining({ code: 'not-finite' }),
    );
  });

  it('copes with layers and activations that are all zero', () => {
    const zero = network([4, 3, 2], new Random(1));
    for (const op of zero.ops) {
      if (op.kind === 'fullyConnected') {
        op.weights.fill(0);
        op.bias.fill(0);
      }
    }
    const graph = quantizeGraph(zero, [new Float32Array(4)]);
    expect(createInt8Interpreter(graph).run(new Int8Array(4))).toEqual(Int8Array.of(0, 0));
  });

  it('says so when a bias does not fit', () => {
    const op = float.ops[0] as { bias: Float32Array; weights: Float32Array };
    const huge = { ...float, ops: [{ ...float.ops[0]!, bias: op.bias.map(() => 1e9) }, float.ops[1]!] } as FloatGraph;
    expect(() => quantizeGraph(huge, inputs(4, 4, new Random(2)))).toThrow(QuantizeError);
  });
});

describe('checkInt8Graph', () => {
  const random = new Random(3);
  const good = quantizeGraph(network([6, 5, 3], random), inputs(50, 6, random));
  const layer = good.ops[0] as Int8FullyConnected;
  const withLayer = (changes: Partial<Int8FullyConnected>): Int8Graph => ({
    ...good,
    ops: [{ ...layer, ...changes }, ...good.ops.slice(1)],
  });
  const withTensor = (changes: object): Int8Graph => ({
    ...good,
    tensors: [{ ...good.tensors[0]!, ...changes }, ...good.tensors.slice(1)],
  });

  it('accepts what the quantizer makes', () => {
    expect(() => checkInt8Graph(good)).not.toThrow();
  });

  it.each<[string, Int8Graph]>([
    ['missing weights', withLayer({ weights: layer.weights.slice(1) })],
    ['a weight of -128', withLayer({ weights: layer.weights.slice().fill(-128, 0, 1) })],
    ['a denormalised multiplier', withLayer({ multiplier: layer.multiplier.map(() => 5) })],
    ['a negative multiplier', withLayer({ multiplier: layer.multiplier.map((m) => -m) })],
    ['a wild shift', withLayer({ shift: layer.shift.map(() => 31) })],
    ['a shift that overflows', withLayer({ shift: layer.shift.map(() => 25) })],
    ['an accumulator that overflows', withLayer({ bias: layer.bias.map(() => 2147483647) })],
    [
      'a sum that leaves no room for the zero point',
      withLayer({
        weights: layer.weights.map(() => 0),
        bias: layer.bias.map(() => 2 ** 31 - 256),
        multiplier: layer.multiplier.map(() => 2 ** 31 - 1),
        shift: layer.shift.map(() => 0),
      }),
    ],
    ['too few shifts', withLayer({ shift: layer.shift.slice(1) })],
    ['an unknown tensor', withLayer({ input: 99 })],
    ['an op that reads ahead', withLayer({ input: 2 })],
    ['an op that overwrites', withLayer({ output: 0 })],
    ['an empty activation range', withLayer({ actMin: 5, actMax: 4 })],
    ['a scale of zero', withTensor({ scale: 0 })],
    ['a scale that is no float32', withTensor({ scale: 0.1 })],
    ['a zero point beyond int8', withTensor({ zeroPoint: 128 })],
    ['a negative size', withTensor({ shape: [-6] })],
    ['a huge size', withTensor({ shape: [1 << 30, 1 << 30] })],
    ['no operations', { ...good, ops: [] }],
    ['an output nobody writes', { ...good, ops: good.ops.slice(0, 1) }],
    ['an unknown operation', { ...good, ops: [{ ...layer, kind: 'conv' as 'softmax' } as never] }],
    [
      'a softmax with another output scale',
      { ...good, tensors: good.tensors.map((t, i) => (i === good.output ? { ...t, scale: 0.5 } : t)) },
    ],
    [
      'a softmax with a wrong cut-off',
      { ...good, ops: good.ops.map((op) => (op.kind === 'softmax' ? { ...op, diffMin: -5 } : op)) },
    ],
  ])('refuses %s', (_, graph) => {
    expect(() => checkInt8Graph(graph)).toThrow(QuantizeError);
  });
});

describe('foldInput', () => {
  it('equals scaling, then quantizing', () => {
    const scaler = { mean: Float32Array.of(10, -3, 0), std: Float32Array.of(2, 0.5, 1) };
    const affine = foldInput(scaler, { scale: Math.fround(0.05), zeroPoint: -7 });
    const features = Float32Array.of(12, -3.4, 1e9);
    expect(quantizeFeatures(features, affine, new Int8Array(3))).toEqual(Int8Array.of(20 - 7, -16 - 7, 127));
  });

  it('refuses a spread that float32 cannot hold, and wrong lengths', () => {
    const scaler = { mean: Float32Array.of(1), std: Float32Array.of(1e-44) };
    expect(() => foldInput(scaler, { scale: 0.01, zeroPoint: 0 })).toThrow(QuantizeError);
    const affine = { a: Float32Array.of(1, 1), b: Float32Array.of(0, 0) };
    expect(() => quantizeFeatures(new Float32Array(3), affine, new Int8Array(3))).toThrow(QuantizeError);
  });
});
