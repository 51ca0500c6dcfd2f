import { describe, expect, it } from 'vitest';
import { checkInt8Graph } from '../quantize/check';
import { createInt8Interpreter } from '../quantize/interpreter';
import { quantizeGraph } from '../quantize/quantize-graph';
import { randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';
import type { Int8Graph } from '../quantize/int8-graph';
import { Random } from '../signal/random';
import { lowerGraph } from './lower-graph';
import { planNetwork } from './network-plan';

function expectSame(before: Int8Graph, after: Int8Graph): void {
  checkInt8Graph(after);
  const [a, b] = [createInt8Interpreter(before), createInt8Interpreter(after)];
  const random = new Random(5);
  for (let i = 0; i < 5; i++) {
    const input = Int8Array.from({ length: a.inputLength }, () => random.integer(256) - 128);
    expect(Array.from(b.run(input))).toEqual(Array.from(a.run(input)));
  }
}

function quantized(n: SampleNetwork, random: Random): Int8Graph {
  const float = n.build();
  const size = n.shape(0).reduce((a, b) => a * b, 1);
  return quantizeGraph(float, randomInputs(random, size, 4));
}

/** Two ways to half the size, added; `skipFirst`: the 1 x 1 comes before the other reader in the file. */
function residual(random: Random, skipFirst: boolean): SampleNetwork {
  const n = new SampleNetwork(random, [16, 16, 3]);
  const x = n.conv(0, 8, { same: true, activation: 'relu' });
  const skip = (): number => n.conv(x, 12, { kernel: 1, stride: 2, same: true });
  const early = skipFirst ? skip() : 0;
  const y = n.conv(n.conv(x, 12, { stride: 2, same: true, activation: 'relu' }), 12, { same: true });
  n.dense(n.flatten(n.pair('add', skipFirst ? early : skip(), y, 'relu')), 4);
  return n;
}

describe('lowerGraph', () => {
  it('makes a convolution of a depthwise layer over one channel', () => {
    const random = new Random(1);
    const n = new SampleNetwork(random, [9, 8, 1]);
    n.dense(n.flatten(n.depthwise(0, { kernel: [4, 3], stride: 2, multiplier: 8, same: true })), 3);
    const graph = quantized(n, random);
    const lowered = lowerGraph(graph);
    expect(graph.ops.map(({ kind }) => kind)).toContain('depthwiseConv2d');
    expect(lowered.ops.map(({ kind }) => kind)).not.toContain('depthwiseConv2d');
    expectSame(graph, lowered);
  });

  it('leaves other depthwise layers alone', () => {
    const random = new Random(2);
    const n = new SampleNetwork(random, [9, 8, 2]);
    n.dense(n.flatten(n.depthwise(0, { multiplier: 2 })), 3);
    const graph = quantized(n, random);
    expect(lowerGraph(graph)).toEqual(graph);
  });

  it.each([true, false])('keeps only the pixels that a shortcut needs (shortcut first: %s)', (skipFirst) => {
    const random = new Random(3);
    const graph = quantized(residual(random, skipFirst), random);
    const lowered = lowerGraph(graph);
    expect(lowered.ops.map(({ kind }) => kind).slice(0, 4)).toEqual(['conv2d', 'stridedSlice', 'conv2d', 'conv2d']);
    expectSame(graph, lowered);
    const [before, after] = [planNetwork(graph, 'cortex-m4'), planNetwork(lowered, 'cortex-m4')];
    expect(after.arenaBytes).toBeLessThan(before.arenaBytes);
  });

  it('leaves a shortcut alone whose result is read before the other reader runs', () => {
    const random = new Random(4);
    const n = new SampleNetwork(random, [16, 16, 8]);
    const x = n.conv(0, 8, { same: true, activation: 'relu' });
    const skip = n.conv(x, 8, { kernel: 1, stride: 2, same: true });
    const z = n.pair('add', skip, skip);
    n.dense(n.flatten(n.pair('add', z, n.conv(x, 8, { stride: 2, same: true }))), 3);
    const graph = quantized(n, random);
    expect(lowerGraph(graph)).toEqual(graph);
  });

  it.each([
    { shape: [20, 3, 1], kernel: [4, 3], same: true, stride: 1 },
    { shape: [20, 3, 2], kernel: [3, 5], same: true, stride: 2 },
    { shape: [20, 2, 3], kernel: [4, 2], same: false, stride: 1 },
    { shape: [20, 1, 4], kernel: [5, 1], same: true, stride: 3 },
    { shape: [12, 1, 4], kernel: [3, 3], same: true, stride: 1 },
  ] as const)('makes one pixel of a row no wider than the kernel: $shape, $kernel', ({ shape, ...options }) => {
    const random = new Random(6);
    const n = new SampleNetwork(random, [...shape]);
    n.dense(n.flatten(n.conv(0, 5, { ...options, activation: 'relu' })), 3);
    const graph = quantized(n, random);
    const lowered = lowerGraph(graph);
    const conv = lowered.ops.find((op) => op.kind === 'conv2d');
    expect(lowered.tensors[conv?.output ?? -1]?.shape[0]).toBe(1);
    expect(conv?.window).toMatchObject({ kernelHeight: 1, kernelWidth: options.kernel[0] });
    expectSame(graph, lowered);
  });

  it('leaves rows alone whose weights would be repeated too often', () => {
    const random = new Random(7);
    const n = new SampleNetwork(random, [8, 5, 8]);
    n.dense(n.flatten(n.conv(0, 8, { kernel: [3, 5], same: true })), 3);
    const graph = quantized(n, random);
    expect(lowerGraph(graph)).toEqual(graph);
  });
});
