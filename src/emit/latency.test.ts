import { expect, it } from 'vitest';
import type { Int8Graph } from '../quantize/int8-graph';
import { estimateNetworkCycles } from './latency';

function dense(inputs: number, units: number, shift = -8): Int8Graph {
  const tensor = (size: number) => ({ name: 't', shape: [size], scale: 0.5, zeroPoint: 0 });
  return {
    tensors: [tensor(inputs), tensor(units)],
    ops: [
      {
        kind: 'fullyConnected',
        input: 0,
        output: 1,
        weights: new Int8Array(inputs * units).fill(1),
        bias: new Int32Array(units),
        weightScale: Float32Array.of(0.5),
        multiplier: Int32Array.of(2 ** 30),
        shift: Int32Array.of(shift),
        actMin: -128,
        actMax: 127,
      },
    ],
    input: 0,
    output: 1,
  };
}

it('more work takes longer, and the larger core is faster', () => {
  const small = estimateNetworkCycles(dense(64, 16), 'cortex-m4') as number;
  const large = estimateNetworkCycles(dense(512, 16), 'cortex-m4') as number;
  expect(small).toBeGreaterThan(64 * 16);
  expect(large).toBeGreaterThan(4 * small);
  expect(estimateNetworkCycles(dense(512, 16), 'cortex-m0plus')).toBeGreaterThan(2 * large);
});

it('says nothing about cores and kernels that were not measured', () => {
  expect(estimateNetworkCycles(dense(64, 16), 'generic')).toBeNull();
  // A left shift is left to the portable kernel.
  expect(estimateNetworkCycles(dense(64, 16, 1), 'cortex-m4')).toBeNull();
});
