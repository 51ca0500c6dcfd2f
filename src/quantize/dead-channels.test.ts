import { describe, expect, it } from 'vitest';
import { elementCount, type FloatGraph } from '../graph/float-graph';
import { Random } from '../signal/random';
import { inputChannelOf, isWeighted } from './batch-norm';
import { checkInt8Graph } from './check';
import { removeDeadChannels } from './dead-channels';
import type { Int8Conv2d, Int8FullyConnected, Int8Graph, Int8Op } from './int8-graph';
import { createInt8Interpreter } from './interpreter';
import { quantizeGraph } from './quantize-graph';
import { randomInputs, randomNetwork, SampleNetwork } from '../../tests/fixtures/sample-networks';
import { isInt8Weighted } from './value-ranges';

/** Silences random units (no weights, any bias) and random inputs of random layers. */
function plant(graph: FloatGraph, random: Random, share = 0.4): FloatGraph {
  for (const op of graph.ops) {
    if (!isWeighted(op)) continue;
    const units = op.bias.length;
    const perUnit = op.weights.length / units;
    const unitOf = (i: number): number => (op.kind === 'depthwiseConv2d' ? i % units : Math.floor(i / perUnit));
    const silent = Array.from({ length: units }, () => random.next() < share);
    const deaf = new Map<number, boolean>();
    const channelOf = inputChannelOf(graph, op);
    for (let i = 0; i < op.weights.length; i++) {
      const channel = channelOf(i);
      if (!deaf.has(channel)) deaf.set(channel, random.next() < share / 2);
      if (silent[unitOf(i)] || deaf.get(channel)) op.weights[i] = 0;
    }
    silent.forEach((is, unit) => {
      if (is) op.bias[unit] = [-1, 0, 0.4, random.normal()][random.integer(4)]!;
    });
  }
  return graph;
}

function quantize(graph: FloatGraph, random: Random): Int8Graph {
  const length = elementCount(graph.tensors[graph.input]!.shape);
  return quantizeGraph(graph, randomInputs(random, length, 12), {
    weights: random.integer(4) === 0 ? 'per-tensor' : 'per-channel',
  });
}

/** What no quantizer writes but a file may hold: narrow and one-sided clamps, wild biases, vanishing multipliers. */
function distort(graph: Int8Graph, random: Random): Int8Graph {
  const ops = graph.ops.map((op): Int8Op => {
    if (!('actMin' in op) || random.integer(3) > 0) return op;
    const [a, b] = [random.integer(256) - 128, random.integer(256) - 128];
    const clamp = random.integer(2) ? { actMin: Math.min(a, b), actMax: Math.max(a, b) } : {};
    if (!isInt8Weighted(op)) return { ...op, ...clamp };
    const bias = op.bias.map((value) => (random.integer(4) ? value : Math.round(random.normal() * 20_000)));
    const multiplier = op.multiplier.map((value) => (random.integer(8) ? value : 0));
    return { ...op, ...clamp, bias, multiplier };
  });
  return { ...graph, ops };
}

/** Random bytes, and the extremes. */
function int8Inputs(random: Random, length: number): Int8Array[] {
  const inputs = [-128, 127, 0].map((value) => new Int8Array(length).fill(value));
  for (let i = 0; i < 6; i++) {
    inputs.push(Int8Array.from({ length }, () => random.integer(256) - 128));
    inputs.push(Int8Array.from({ length }, () => (random.integer(2) ? 127 : -128)));
  }
  return inputs;
}

function expectSameBytes(before: Int8Graph, after: Int8Graph, random: Random): void {
  checkInt8Graph(after);
  expect(after.tensors[after.input]).toEqual(before.tensors[before.input]);
  expect(after.tensors[after.output]).toEqual(before.tensors[before.output]);
  const first = createInt8Interpreter(before);
  const second = createInt8Interpreter(after);
  for (const input of int8Inputs(random, first.inputLength)) expect(second.run(input)).toEqual(first.run(input));
}

describe('removeDeadChannels', () => {
  it('changes no byte of the output, whatever the network', () => {
    let removed = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed);
      const float = plant(randomNetwork(random), random);
      const quantized = quantize(float, random);
      const before = seed % 3 === 0 ? distort(quantized, random) : quantized;
      const { graph, removedChannels, removedMacs, removedWeightBytes } = removeDeadChannels(before);
      expectSameBytes(before, graph, random);
      removed += removedChannels;
      expect(removedMacs).toBeGreaterThanOrEqual(removedWeightBytes);
      expect(removeDeadChannels(graph).removedChannels).toBe(0);
    }
    expect(removed).toBeGreaterThan(500);
  });

  it('finds every planted channel of a plain chain, through pooling, depthwise and flattening', () => {
    const random = new Random(1);
    const n = new SampleNetwork(random, [8, 8, 2]);
    let x = n.conv(0, 8, { same: true, activation: 'relu' });
    x = n.depthwise(x, { same: true, activation: 'relu' });
    x = n.pool(n.conv(x, 6, { kernel: 1, activation: 'relu' }), 'maxPool2d');
    n.softmax(n.dense(n.flatten(x), 3));
    const float = n.build();
    const first = float.ops[0] as { weights: Float32Array; bias: Float32Array };
    // Dead after ReLU: the constant is the zero point, so it goes under padding too.
    for (const unit of [1, 4, 5]) {
      first.weights.fill(0, unit * 18, (unit + 1) * 18);
      first.bias[unit] = -1;
    }
    const third = float.ops[2] as { weights: Float32Array; bias: Float32Array };
    // A constant above zero, and an input that nothing reads.
    third.weights.fill(0, 2 * 8, 3 * 8);
    third.bias[2] = 0.7;
    for (let unit = 0; unit < 6; unit++) third.weights[unit * 8 + 7] = 0;
    // What the depthwise layer makes of the dead channels must be zero as well.
    const second = float.ops[1] as { bias: Float32Array };
    for (const unit of [1, 4, 5]) second.bias[unit] = -0.1;
    const before = quantize(float, random);
    const { graph, removedChannels, removedMacs, removedWeightBytes } = removeDeadChannels(before);
    expectSameBytes(before, graph, random);
    expect(graph.tensors[1]!.shape).toEqual([8, 8, 4]);
    expect(graph.tensors[2]!.shape).toEqual([8, 8, 4]);
    expect(graph.tensors[3]!.shape).toEqual([8, 8, 5]);
    expect(graph.tensors[5]!.shape).toEqual([80]);
    expect(removedChannels).toBe(4 + 4 + 1);
    expect(removedWeightBytes).toBe(4 * 18 + 4 * 9 + (48 - 20) + (96 - 80) * 3);
    expect(removedMacs).toBe(64 * (4 * 18 + 4 * 9 + (48 - 20)) + (96 - 80) * 3);
  });

  it('proves channels constant by their range, not only by missing weights', () => {
    const random = new Random(2);
    const n = new SampleNetwork(random, [4]);
    n.dense(n.dense(0, 3, 'relu'), 2);
    const float = n.build();
    (float.ops[0] as { bias: Float32Array }).bias[1] = -1e3;
    const before = quantize(float, random);
    const { graph } = removeDeadChannels(before);
    expect((graph.ops[0] as Int8FullyConnected).bias.length).toBe(2);
    expectSameBytes(before, graph, random);
  });

  it('keeps a constant other than the zero point under padding, but not what feeds it', () => {
    const random = new Random(3);
    const n = new SampleNetwork(random, [6, 6, 1]);
    let x = n.conv(0, 4, { same: true, activation: 'relu' });
    x = n.conv(x, 3, { kernel: 1, activation: 'relu' });
    n.conv(x, 2, { same: true });
    const float = n.build();
    const middle = float.ops[1] as { weights: Float32Array; bias: Float32Array };
    // Only unit 1, which is constant 0.5, would need channel 0.
    middle.weights.fill(0, 4, 8);
    middle.bias[1] = 0.5;
    middle.weights[0] = 0;
    middle.weights[8] = 0;
    const before = quantize(float, random);
    const { graph } = removeDeadChannels(before);
    expect(graph.tensors.map(({ shape }) => shape[2])).toEqual([1, 3, 3, 2]);
    expectSameBytes(before, graph, random);
  });

  it('leaves at least one channel, never touches input and output, and drops ops that nothing reads', () => {
    const random = new Random(4);
    const n = new SampleNetwork(random, [4, 4, 3]);
    const x = n.conv(0, 5, { same: true, activation: 'relu' });
    n.conv(0, 7);
    n.conv(x, 2, { same: true });
    const float = n.build();
    for (const op of float.ops) if (isWeighted(op)) op.weights.fill(0);
    const before = quantize(float, random);
    const { graph, removedChannels } = removeDeadChannels(before);
    expect(graph.ops.length).toBe(2);
    expect((graph.ops[0] as Int8Conv2d).bias.length).toBe(1);
    expect(removedChannels).toBe(4 + 7);
    expectSameBytes(before, graph, random);
  });

  it('does nothing to a network that is alive', () => {
    const random = new Random(5);
    const n = new SampleNetwork(random, [6, 6, 3]);
    n.softmax(
      n.dense(n.mean(n.conv(n.depthwise(n.conv(0, 6, { same: true, activation: 'relu' })), 8, { kernel: 1 })), 4),
    );
    const before = quantize(n.build(), random);
    expect(removeDeadChannels(before)).toEqual({
      graph: before,
      removedChannels: 0,
      removedMacs: 0,
      removedWeightBytes: 0,
    });
  });
});
