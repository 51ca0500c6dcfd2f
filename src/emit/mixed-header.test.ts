import { describe, expect, it } from 'vitest';
import type { FloatGraph } from '../graph/float-graph';
import { mixedFromFloat, type MixedGraph } from '../quantize/mixed-graph';
import { quantizeMixed } from '../quantize/quantize-mixed';
import { randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';
import { Random } from '../signal/random';
import { emitMixedHeader } from './mixed-header';
import { planMixed } from './mixed-plan';
import { EmitError } from './model';
import type { Target } from './target';

function emit(graph: MixedGraph, target: Target = 'cortex-m4') {
  const plan = planMixed(graph, target);
  return { plan, ...emitMixedHeader(graph, plan, { prefix: 'net', target, remarks: [] }) };
}

function dense(inputs: number, units: number): FloatGraph {
  const n = new SampleNetwork(new Random(1), [inputs]);
  n.dense(0, units);
  return n.build();
}

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'none';
  } catch (error) {
    return error instanceof EmitError ? error.code : String(error);
  }
};

describe('emitMixedHeader', () => {
  it('stores equal constants once', () => {
    const n = new SampleNetwork(new Random(1), [3, 4, 2]);
    const constant = n.tensor([2], Float32Array.of(1.5, -2));
    n.pair('mul', n.pair('add', 0, constant), constant);
    const { text, constantBytes } = emit(mixedFromFloat(n.build()));
    expect(text.match(/static const float net_constant/g)).toHaveLength(1);
    expect(constantBytes).toBe(8);
  });

  it('keeps weights in flash where the chip may be an AVR, and says when they are too many', () => {
    const graph = mixedFromFloat(dense(40, 10));
    expect(emit(graph, 'avr').text).toContain('net_weights_0[400] NET_FLASH =');
    expect(emit(graph, 'generic').text).toContain('net_weights_0[400] NET_FLASH =');
    expect(emit(graph, 'cortex-m0plus').text).not.toMatch(/net_weights_0\[400\] NET_FLASH/);
    expect(codeOf(() => emit(mixedFromFloat(dense(100, 80)), 'avr'))).toBe('none');
    expect(codeOf(() => emit(mixedFromFloat(dense(100, 90)), 'avr'))).toBe('too-large');
    const n = new SampleNetwork(new Random(1), [100]);
    n.dense(n.dense(0, 75), 100);
    expect(codeOf(() => emit(mixedFromFloat(n.build()), 'avr'))).toBe('too-large');
  });

  it('refuses values of more axes than its kernels have, and bad names', () => {
    const n = new SampleNetwork(new Random(1), [2, 2, 2, 2, 2]);
    n.unary(0, 'tanh');
    expect(codeOf(() => emit(mixedFromFloat(n.build())))).toBe('bad-model');
    const graph = mixedFromFloat(dense(4, 2));
    const plan = planMixed(graph, 'generic');
    expect(codeOf(() => emitMixedHeader(graph, plan, { prefix: 'a b', target: 'generic', remarks: [] }))).toBe(
      'bad-prefix',
    );
  });

  it('names the float layers of a mixed network in its first lines; names cannot leave the comment', () => {
    const n = new SampleNetwork(new Random(1), [4, 4, 2]);
    const x = n.conv(0, 4, { activation: 'relu' });
    n.dense(n.flatten(x), 3);
    const float = n.build();
    const tensors = float.tensors.map((tensor, id) => (id === x ? { ...tensor, name: 'a */ int b; /*' } : tensor));
    const { graph } = quantizeMixed({ ...float, tensors }, randomInputs(new Random(2), 32, 8), {
      floatLayers: ['a */ int b; /*'],
    });
    const { text, plan } = emit(graph);
    expect(text.split('\n').slice(0, 8).join(' ')).toContain('conv2d "a * / int b; / *"');
    expect(text).toContain('static union {');
    expect(text).toContain('int net_invoke(const float input[NET_INPUT_SIZE], int8_t output[NET_OUTPUT_SIZE])');
    expect(text).not.toContain('NET_INPUT_SCALE');
    expect(text).toContain('#define NET_OUTPUT_SCALE');
    // The convolution writes floats, their int8 values lie over them.
    expect(plan.arenaBytes).toBeGreaterThanOrEqual(4 * 2 * 2 * 4);
    expect(plan.arenaBytes).toBe(plan.lowerBoundBytes);
  });

  it('computes layer by layer in one place where it can', () => {
    const n = new SampleNetwork(new Random(1), [6, 6, 4]);
    let x = n.conv(0, 8, { kernel: 1 });
    for (const name of ['relu', 'tanh', 'hardSwish'] as const) x = n.unary(x, name);
    n.dense(n.flatten(n.pool(x, 'averagePool2d')), 3);
    const { plan } = emit(mixedFromFloat(n.build()));
    // 6 x 6 x 8 floats, and everything up to the dense layer over them.
    expect(plan.arenaBytes).toBe(4 * 6 * 6 * 8);
  });
});
