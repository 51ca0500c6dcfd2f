import { describe, expect, it } from 'vitest';
import type { FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { Random } from '../signal/random';
import { foldBatchNorm } from './batch-norm';
import { largestDifference, randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';

function expectSame(before: FloatGraph, after: FloatGraph): void {
  const length = before.tensors[before.input]!.shape.reduce((a, b) => a * b, 1);
  const first = createFloatInterpreter(before);
  const second = createFloatInterpreter(after);
  for (const input of randomInputs(new Random(5), length, 5)) {
    expect(largestDifference(first.run(input), second.run(input))).toBeLessThan(1e-5);
  }
}

const kinds = (graph: FloatGraph): string[] => graph.ops.map((op) => op.kind);

describe('foldBatchNorm', () => {
  it.each<[string, (n: SampleNetwork) => void, string[]]>([
    ['a convolution', (n) => n.scaleShift(n.conv(0, 5, { same: true })), ['conv2d']],
    [
      'a depthwise convolution',
      (n) => n.scaleShift(n.depthwise(0, { same: true, multiplier: 2 })),
      ['depthwiseConv2d'],
    ],
    ['a dense layer', (n) => n.scaleShift(n.dense(0, 6)), ['fullyConnected']],
    [
      'average pooling to a convolution before it',
      (n) => n.scaleShift(n.pool(n.conv(0, 4), 'averagePool2d', { same: true, kernel: 3 })),
      ['conv2d', 'averagePool2d'],
    ],
    [
      'a mean, with a negative scale',
      (n) => n.scaleShift(n.mean(n.conv(0, 4)), Float32Array.of(-1, 2, 0.5, 3)),
      ['conv2d', 'mean'],
    ],
    [
      'a reshape, both ways',
      (n) => n.dense(n.flatten(n.scaleShift(n.conv(0, 4, { activation: 'relu' }))), 3),
      ['conv2d', 'reshape', 'fullyConnected'],
    ],
    ['an unpadded convolution behind it', (n) => n.conv(n.scaleShift(0), 4), ['conv2d']],
    [
      'a padded convolution behind it when nothing is shifted',
      (n) => n.conv(n.scaleShift(0, undefined, new Float32Array(3)), 4, { same: true }),
      ['conv2d'],
    ],
    ['another scale', (n) => n.conv(n.scaleShift(n.scaleShift(0)), 4), ['conv2d']],
    ['both neighbours', (n) => n.scaleShift(n.conv(n.scaleShift(0), 4)), ['conv2d']],
  ])('folds through %s', (_, make, expected) => {
    const network = new SampleNetwork(new Random(1), [6, 6, 3]);
    make(network);
    const folded = foldBatchNorm(network.build());
    expect(kinds(folded)).toEqual(expected);
    expectSame(network.build(), folded);
  });

  it.each<[string, (n: SampleNetwork) => void, string[]]>([
    ['padding', (n) => n.conv(n.scaleShift(0), 4, { same: true }), ['mul', 'add', 'conv2d']],
    ['a ReLU', (n) => n.scaleShift(n.conv(0, 4, { activation: 'relu' })), ['conv2d', 'mul', 'add']],
    [
      'a second reader',
      (n) => {
        const x = n.conv(0, 3, { same: true });
        n.pair('add', n.scaleShift(x), x);
      },
      ['conv2d', 'mul', 'add', 'add'],
    ],
    [
      'max pooling, where a scale is negative',
      (n) => n.scaleShift(n.pool(n.conv(0, 2), 'maxPool2d'), Float32Array.of(-1, 2)),
      ['conv2d', 'maxPool2d', 'mul', 'add'],
    ],
    [
      'nothing to multiply',
      (n) => n.scaleShift(n.conv(0, 2, { activation: 'relu' }), Float32Array.of(1, 1)),
      ['conv2d', 'add'],
    ],
    [
      'nothing at all to do',
      (n) => n.unary(n.scaleShift(0, new Float32Array(3).fill(1), new Float32Array(3)), 'tanh'),
      ['unary'],
    ],
  ])('is spelled out at %s', (_, make, expected) => {
    const network = new SampleNetwork(new Random(2), [6, 6, 3]);
    make(network);
    const folded = foldBatchNorm(network.build());
    expect(kinds(folded)).toEqual(expected);
    expectSame(network.build(), folded);
  });

  it('leaves networks without batch normalization alone and refuses what overflows', () => {
    const plain = new SampleNetwork(new Random(3), [4]);
    plain.dense(0, 2);
    const graph = plain.build();
    expect(foldBatchNorm(graph)).toBe(graph);
    plain.scaleShift(1, Float32Array.of(1e38, 1e38), undefined);
    plain.scaleShift(2, Float32Array.of(1e38, 1e38), undefined);
    expect(() => foldBatchNorm(plain.build())).toThrow(expect.objectContaining({ code: 'not-finite' }));
  });
});
