import { describe, expect, it } from 'vitest';
import { elementCount, type FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { Random } from '../signal/random';
import { quantizationReport } from './error-report';
import { type Int8Graph } from './int8-graph';
import { createInt8Interpreter } from './interpreter';
import { quantizeGraph, quantizeInDetail, type QuantizeOptions } from './quantize-graph';
import { dequantize, quantizeValues } from './quantize-values';
import { badlyScaled, randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';

function sizeOfInput(graph: FloatGraph): number {
  return elementCount(graph.tensors[graph.input]!.shape);
}

/** Signal to noise of the output, dB, against the untouched float network on inputs that did not calibrate. */
function outputSqnr(float: FloatGraph, options: QuantizeOptions = {}, seed = 1): number {
  const random = new Random(seed);
  const graph = quantizeGraph(float, randomInputs(random, sizeOfInput(float), 600), options);
  const reference = createFloatInterpreter(float);
  const network = createInt8Interpreter(graph);
  let signal = 0;
  let noise = 0;
  for (const input of randomInputs(random, sizeOfInput(float), 100)) {
    const expected = reference.run(input);
    const actual = network.run(quantizeValues(input, graph.tensors[graph.input]!));
    expected.forEach((value, i) => {
      signal += value * value;
      noise += (value - dequantize(actual[i]!, graph.tensors[graph.output]!)) ** 2;
    });
  }
  return 10 * Math.log10(signal / noise);
}

const kinds = (graph: Int8Graph): string[] => graph.ops.map((op) => op.kind);

describe('quantizeGraph, op by op', () => {
  it.each<[string, (n: SampleNetwork) => void, string[]]>([
    ['conv2d', (n) => n.conv(0, 5, { same: true, stride: 2 }), ['conv2d']],
    ['depthwiseConv2d', (n) => n.depthwise(0, { multiplier: 2, activation: 'relu6' }), ['depthwiseConv2d']],
    ['fullyConnected', (n) => n.dense(0, 5, 'relu'), ['fullyConnected']],
    ['maxPool2d', (n) => n.pool(0, 'maxPool2d', { same: true, kernel: 3 }), ['maxPool2d']],
    ['averagePool2d', (n) => n.pool(0, 'averagePool2d', { activation: 'relu' }), ['averagePool2d']],
    ['mean', (n) => n.mean(0), ['mean']],
    ['add', (n) => n.pair('add', n.conv(0, 3, { same: true }), 0, 'relu'), ['conv2d', 'add']],
    ['sub', (n) => n.pair('add', n.conv(0, 3, { same: true }), 0, 'none', true), ['conv2d', 'add']],
    ['mul', (n) => n.pair('mul', n.conv(0, 3, { same: true }), 0), ['conv2d', 'mul']],
    ['add of a constant', (n) => n.pair('add', 0, n.tensor([3], Float32Array.of(1, -2, 0.1))), ['add']],
    ['mul by a constant', (n) => n.pair('mul', 0, n.tensor([1], Float32Array.of(-2))), ['mul']],
    ['concat', (n) => n.concat([0, n.conv(0, 2, { same: true })], 2), ['conv2d', 'concat']],
    ['pad', (n) => n.pad(0, [1, 0, 1], [0, 2, 0]), ['pad']],
    ['reshape', (n) => n.flatten(0), ['reshape']],
    ['transpose', (n) => n.transpose(0, [2, 0, 1]), ['transpose']],
    ['stridedSlice', (n) => n.slice(0, [1, 0, 1], [2, 1, 1]), ['stridedSlice']],
    ['resizeNearest', (n) => n.enlarge(0), ['resizeNearest']],
    ['relu alone', (n) => n.unary(0, 'relu'), ['lookup']],
    ['relu6 alone', (n) => n.unary(0, 'relu6'), ['lookup']],
    ['leakyRelu', (n) => n.unary(0, 'leakyRelu', 0.2), ['lookup']],
    ['hardSwish', (n) => n.unary(0, 'hardSwish'), ['lookup']],
    ['logistic', (n) => n.unary(0, 'logistic'), ['lookup']],
    ['tanh', (n) => n.unary(0, 'tanh'), ['lookup']],
    ['softmax', (n) => n.softmax(n.dense(0, 6)), ['fullyConnected', 'softmax']],
    ['scaleShift', (n) => n.scaleShift(0), ['mul', 'add']],
    ['relu after conv', (n) => n.unary(n.conv(0, 4), 'relu'), ['conv2d']],
    ['batch norm and relu after conv', (n) => n.unary(n.scaleShift(n.conv(0, 4)), 'relu6'), ['conv2d']],
  ])('%s', (_, make, expected) => {
    const n = new SampleNetwork(new Random(8), [6, 6, 3]);
    make(n);
    const float = n.build();
    expect(kinds(quantizeGraph(float, randomInputs(new Random(2), 108, 20)))).toEqual(expected);
    expect(outputSqnr(float)).toBeGreaterThan(30);
    expect(outputSqnr(float, { weights: 'per-tensor' })).toBeGreaterThan(30);
  });

  it('a grouped convolution and a dense layer over rows', () => {
    const n = new SampleNetwork(new Random(9), [5, 5, 4]);
    const x = n.conv(0, 6);
    const conv = n.ops[0] as { weights: Float32Array };
    n.ops[0] = { ...n.ops[0], groups: 2, weights: conv.weights.slice(0, 6 * 9 * 2) } as never;
    const rows = n.reshape(x, [9, 6]);
    const output = n.tensor([9, 3]);
    const layer = { weights: n.normal(18), bias: n.normal(3), activation: 'none' as const };
    n.ops.push({ kind: 'fullyConnected', input: rows, output, ...layer });
    expect(outputSqnr(n.build())).toBeGreaterThan(30);
  });
});

describe('scales', () => {
  const calibrate = (n: SampleNetwork): Int8Graph =>
    quantizeGraph(n.build(), randomInputs(new Random(3), elementCount(n.shape(0)), 30));
  const parameters = (graph: Int8Graph, id: number): [number, number] => {
    const { scale, zeroPoint } = graph.tensors[id]!;
    return [scale, zeroPoint];
  };

  it('are shared along ops that only move values, up and down', () => {
    const n = new SampleNetwork(new Random(1), [6, 6, 2]);
    const x = n.conv(0, 4, { same: true });
    const ids = [x];
    ids.push(n.pool(x, 'maxPool2d'));
    ids.push(n.pad(ids.at(-1)!, [1, 1, 0], [1, 1, 0]));
    ids.push(n.transpose(ids.at(-1)!, [1, 0, 2]));
    ids.push(n.slice(ids.at(-1)!, [1, 1, 0], [1, 1, 1]));
    ids.push(n.enlarge(ids.at(-1)!));
    ids.push(n.flatten(ids.at(-1)!));
    const graph = calibrate(n);
    for (const id of ids) expect(parameters(graph, id)).toEqual(parameters(graph, x));
  });

  it('of a concatenation are one, also through the pooling before it', () => {
    const n = new SampleNetwork(new Random(1), [6, 6, 2]);
    const a = n.conv(0, 3, { same: true });
    const b = n.pool(n.conv(0, 3, { same: true }), 'maxPool2d', { kernel: 3, stride: 1, same: true });
    const all = n.concat([a, b], 2);
    const graph = calibrate(n);
    expect(kinds(graph)).toEqual(['conv2d', 'conv2d', 'maxPool2d', 'concat']);
    for (const id of [a, b, b - 1]) expect(parameters(graph, id)).toEqual(parameters(graph, all));
  });

  it('that are fixed, or far finer and needed elsewhere, are rescaled before a concatenation', () => {
    const n = new SampleNetwork(new Random(1), [6, 6, 2]);
    const gate = n.unary(0, 'logistic');
    const wide = n.conv(0, 2, { same: true });
    const all = n.concat([gate, wide], 2);
    const graph = calibrate(n);
    expect(kinds(graph)).toEqual(['lookup', 'conv2d', 'lookup', 'concat']);
    expect(parameters(graph, gate)).toEqual([1 / 256, -128]);
    expect(parameters(graph, wide)).toEqual(parameters(graph, all));
    expect(outputSqnr(n.build())).toBeGreaterThan(30);

    const fine = new SampleNetwork(new Random(1), [6, 6, 2]);
    const small = fine.pair('mul', 0, fine.tensor([1], Float32Array.of(0.01)));
    const joined = fine.concat([small, 0], 2);
    fine.pair('add', fine.conv(joined, 2, { kernel: 1 }), small);
    expect(kinds(calibrate(fine))).toEqual(['mul', 'lookup', 'concat', 'conv2d', 'add']);
  });

  it('that are equal and fixed pass through a concatenation', () => {
    const n = new SampleNetwork(new Random(1), [4, 4, 2]);
    const all = n.concat([n.unary(0, 'tanh'), n.unary(0, 'tanh')], 0);
    const graph = calibrate(n);
    expect(kinds(graph)).toEqual(['lookup', 'lookup', 'concat']);
    expect(parameters(graph, all)).toEqual([1 / 128, 0]);
  });
});

describe('options', () => {
  it('copes with a bias far larger than its weights', () => {
    const n = new SampleNetwork(new Random(1), [6]);
    n.dense(0, 3);
    const layer = n.ops[0] as { weights: Float32Array; bias: Float32Array };
    for (let i = 0; i < 6; i++) layer.weights[i]! *= 1e-9;
    for (let i = 6; i < 12; i++) layer.weights[i]! *= 1e-6;
    layer.bias.set([3, 3, 3]);
    expect(outputSqnr(n.build())).toBeGreaterThan(30);
    expect(() => quantizeGraph(n.build(), [Float32Array.of(1e-6, 0, 0, 0, 0, 0)], { weights: 'per-tensor' })).toThrow(
      /per channel would help/,
    );
  });

  it('equalization mends a network whose channels are badly scaled', () => {
    const float = badlyScaled(new Random(4), 1000);
    for (const weights of ['per-tensor', 'per-channel'] as const) {
      const plain = outputSqnr(float, { weights });
      const evened = outputSqnr(float, { weights, equalize: true });
      const automatic = outputSqnr(float, { weights, equalize: 'auto' });
      expect(evened).toBeGreaterThan(plain + 6);
      expect(automatic).toBe(evened);
    }
  });

  it('auto keeps the network as it is where equalization does not help', () => {
    for (let seed = 0; seed < 6; seed++) {
      const float = badlyScaled(new Random(seed), 1);
      const inputs = randomInputs(new Random(seed), 192, 60);
      const chosen = quantizeInDetail(float, inputs, { equalize: 'auto' });
      const other = quantizeInDetail(float, inputs, { equalize: !chosen.equalized });
      const sqnr = (of: typeof chosen): number => quantizationReport(of.float, of.graph, inputs).layers.at(-1)!.sqnrDb;
      expect(sqnr(chosen)).toBeGreaterThan(sqnr(other) - 1);
    }
  });

  it('bias correction takes the mean error out of every layer', () => {
    const float = badlyScaled(new Random(12), 30);
    const inputs = randomInputs(new Random(2), 192, 128);
    const means = (biasCorrection: boolean): number[] => {
      const { float: prepared, graph } = quantizeInDetail(float, inputs, { weights: 'per-tensor', biasCorrection });
      return quantizationReport(prepared, graph, inputs).layers.map(({ meanError, scale }) =>
        Math.abs(meanError / scale),
      );
    };
    const before = means(false);
    const after = means(true);
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    expect(sum(after)).toBeLessThan(sum(before) / 2);
  });

  it('percentile calibration survives an outlier that ruins min-max', () => {
    const n = new SampleNetwork(new Random(6), [16]);
    n.dense(n.dense(0, 12, 'relu'), 4);
    const float = n.build();
    const random = new Random(7);
    const inputs = randomInputs(random, 16, 400);
    inputs[17]![3] = 400;
    const test = randomInputs(random, 16, 100);
    const sqnr = (options: QuantizeOptions): number => {
      const { float: prepared, graph } = quantizeInDetail(float, inputs, options);
      return quantizationReport(prepared, graph, test).layers.at(-1)!.sqnrDb;
    };
    const all = sqnr({});
    const percentile = sqnr({ calibration: { method: 'percentile', percentile: 99.9 } });
    expect(percentile).toBeGreaterThan(all + 12);
  });

  it('reads a stream of inputs once, in one buffer', () => {
    const float = badlyScaled(new Random(1), 10);
    const inputs = randomInputs(new Random(2), 192, 200);
    function* stream(): Generator<Float32Array> {
      const buffer = new Float32Array(192);
      for (const input of inputs) {
        buffer.set(input);
        yield buffer;
      }
    }
    const options = { equalize: 'auto', biasCorrection: true, calibration: { method: 'mse' } } as const;
    expect(quantizeGraph(float, stream(), options)).toEqual(quantizeGraph(float, inputs, options));
  });

  it.each<[string, (n: SampleNetwork) => void, RegExp]>([
    ['too many axes', (n) => n.reshape(0, [1, 2, 2, 2, 1, 1]), /Reshape it to 4/],
    ['a leaky ReLU that rises to the left', (n) => n.unary(0, 'leakyRelu', -1), /slope of 0 or more/],
    ['too many classes', (n) => n.softmax(n.dense(0, 600)), /at most 511/],
  ])('refuses %s, and says what would help', (_, make, message) => {
    const n = new SampleNetwork(new Random(1), [8]);
    make(n);
    const run = (): unknown => quantizeGraph(n.build(), randomInputs(new Random(1), 8, 2));
    expect(run).toThrow(expect.objectContaining({ code: 'unsupported-op' }));
    expect(run).toThrow(message);
  });
});

describe('outputs that are all but zero', () => {
  it.each<[string, (n: SampleNetwork, tiny: number) => void]>([
    ['conv2d', (n) => n.conv(0, 2, { activation: 'relu' })],
    ['dense', (n) => n.dense(0, 2, 'relu')],
    ['add', (n) => n.pair('add', 0, n.pair('mul', 0, n.tensor([1], Float32Array.of(1 - 1e-7))), 'none', true)],
    ['mul', (n, tiny) => n.pair('mul', n.unary(0, 'tanh'), n.tensor([1], Float32Array.of(tiny)))],
    ['hardSwish', (n) => n.unary(n.pair('add', 0, n.tensor([1], Float32Array.of(-2.9))), 'hardSwish')],
  ])('%s still quantizes', (_, make) => {
    for (const tiny of [1e-3, 1e-7, 1e-12, 1e-30]) {
      const n = new SampleNetwork(new Random(1), [4, 4, 2]);
      make(n, tiny);
      for (const op of n.ops) {
        // Dead but for a trace on the calibration inputs.
        if (op.kind === 'conv2d' || op.kind === 'fullyConnected') op.bias.fill(-1e3).fill(tiny, 0, 1);
        if (op.kind === 'conv2d' || op.kind === 'fullyConnected') op.weights.fill(0, 0, op.weights.length / 2);
      }
      const inputs = randomInputs(new Random(1), 32, 10);
      const graph = quantizeGraph(n.build(), inputs);
      const network = createInt8Interpreter(graph);
      const output = network.run(quantizeValues(inputs[0]!, graph.tensors[0]!));
      expect(output.every(Number.isInteger)).toBe(true);
    }
  });
});
