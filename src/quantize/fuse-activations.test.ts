import { describe, expect, it } from 'vitest';
import { createFloatInterpreter } from '../graph/run-float';
import { Random } from '../signal/random';
import { fuseActivations } from './fuse-activations';
import { randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';

describe('fuseActivations', () => {
  it.each<[string, (n: SampleNetwork) => void, string[]]>([
    ['a convolution', (n) => n.unary(n.conv(0, 3), 'relu'), ['conv2d relu']],
    ['a depthwise convolution', (n) => n.unary(n.depthwise(0), 'relu6'), ['depthwiseConv2d relu6']],
    ['a dense layer', (n) => n.unary(n.dense(0, 3), 'relu'), ['fullyConnected relu']],
    ['an addition', (n) => n.unary(n.pair('add', 0, 0), 'relu'), ['add relu']],
    ['a multiplication', (n) => n.unary(n.pair('mul', 0, 0), 'relu6'), ['mul relu6']],
    ['a pooling', (n) => n.unary(n.pool(0, 'maxPool2d'), 'relu'), ['maxPool2d relu']],
    ['two in a row', (n) => n.unary(n.unary(n.conv(0, 3), 'relu6'), 'relu'), ['conv2d relu6']],
    ['a fused ReLU', (n) => n.unary(n.conv(0, 3, { activation: 'relu' }), 'relu6'), ['conv2d relu6']],
    ['no look-up', (n) => n.unary(n.unary(0, 'tanh'), 'relu'), ['unary', 'unary']],
    ['no leaky ReLU', (n) => n.unary(n.conv(0, 3), 'leakyRelu', 0.1), ['conv2d none', 'unary']],
    [
      'nothing that others read',
      (n) => {
        const x = n.conv(0, 3);
        n.pair('add', n.unary(x, 'relu'), x);
      },
      ['conv2d none', 'unary', 'add none'],
    ],
  ])('into %s', (_, make, expected) => {
    const n = new SampleNetwork(new Random(1), [4, 4, 2]);
    make(n);
    const fused = fuseActivations(n.build());
    expect(fused.ops.map((op) => ('activation' in op ? `${op.kind} ${op.activation}` : op.kind))).toEqual(expected);
    const [before, after] = [createFloatInterpreter(n.build()), createFloatInterpreter(fused)];
    for (const input of randomInputs(new Random(2), 32, 5)) {
      expect(after.run(input.map((value) => value * 5))).toEqual(before.run(input.map((value) => value * 5)));
    }
    expect(fused.tensors.length).toBe(1 + expected.length);
  });

  it('does not fuse into the output of the network', () => {
    const n = new SampleNetwork(new Random(1), [4]);
    const x = n.dense(0, 3);
    n.unary(x, 'relu');
    expect(fuseActivations(n.build(x)).ops.length).toBe(2);
  });
});
