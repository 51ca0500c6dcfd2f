import { describe, expect, it } from 'vitest';
import type { Int8Graph, Int8Op, Int8Tensor } from '../quantize/int8-graph';
import { EmitError } from './model';
import { emitNetworkHeader } from './network-header';
import { planNetwork } from './network-plan';
import type { Target } from './target';

/** A chain of dense layers; their weights differ, so that none is stored once for two. */
function chain(...sizes: number[]): Int8Graph {
  const tensors = sizes.map((size, id): Int8Tensor => ({ name: `t${id}`, shape: [size], scale: 0.5, zeroPoint: 0 }));
  const ops = sizes.slice(1).map((units, index): Int8Op => {
    const weights = new Int8Array(units * (sizes[index] as number)).fill(index + 1);
    return {
      kind: 'fullyConnected',
      input: index,
      output: index + 1,
      weights,
      bias: new Int32Array(units),
      weightScale: Float32Array.of(0.5),
      multiplier: Int32Array.of(2 ** 30),
      shift: Int32Array.of(-8),
      actMin: -128,
      actMax: 127,
    };
  });
  return { tensors, ops, input: 0, output: sizes.length - 1 };
}

function emit(graph: Int8Graph, target: Target): string {
  return emitNetworkHeader(graph, planNetwork(graph, target), { prefix: 'net', target, remarks: [] }).text;
}

function codeOf(graph: Int8Graph, target: Target): string {
  try {
    emit(graph, target);
    return 'none';
  } catch (error) {
    if (error instanceof EmitError) return error.code;
    throw error;
  }
}

describe('constants on AVR', () => {
  it('are in flash, and only where the chip may be one', () => {
    const graph = chain(8, 4, 2);
    expect(emit(graph, 'avr')).toContain('net_weights_0[32] NET_FLASH =');
    expect(emit(graph, 'generic')).toContain('net_weights_0[32] NET_FLASH =');
    expect(emit(graph, 'cortex-m0plus')).not.toMatch(/net_weights_0\[\d+\] NET_FLASH/);
  });

  it('are in flash as operands too', () => {
    const tensors = [1, 2, 3].map((size, id): Int8Tensor => ({
      ...{ name: `t${id}`, shape: [8], scale: 0.5, zeroPoint: 0 },
      ...(id === 2 ? { data: new Int8Array(8).fill(size) } : {}),
    }));
    const ops: Int8Op[] = [
      { kind: 'mul', inputs: [0, 2], output: 1, multiplier: 2 ** 30, shift: -1, actMin: -128, actMax: 127 },
    ];
    const graph: Int8Graph = { tensors, ops, input: 0, output: 1 };
    expect(emit(graph, 'avr')).toContain('net_constant_2[8] NET_FLASH =');
    expect(emit(graph, 'avr')).toContain('net_mul_constant(');
    expect(emit(graph, 'cortex-m4')).toContain('net_constant_2[8] =');
    expect(emit(graph, 'cortex-m4')).not.toContain('net_mul_constant(');
  });

  it('end where 16-bit addresses and objects do', () => {
    expect(codeOf(chain(180, 180, 10), 'avr')).toBe('none');
    expect(codeOf(chain(200, 180, 10), 'avr')).toBe('too-large');
    expect(codeOf(chain(160, 160, 159, 158), 'avr')).toBe('too-large');
    expect(codeOf(chain(160, 160, 159, 158), 'generic')).toBe('none');
  });
});
