import { expect, it } from 'vitest';
import type { FloatOp } from '../graph/float-graph';
import type { Int8Graph } from '../quantize/int8-graph';
import { mixedFromFloat } from '../quantize/mixed-graph';
import { quantizeGraph } from '../quantize/quantize-graph';
import { randomInputs, SampleNetwork } from '../../tests/fixtures/sample-networks';
import { Random } from '../signal/random';
import { estimateFloatCycles, estimateNetworkCycles } from './latency';
import { planNetwork } from './network-plan';

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

it('says nothing about cores that were not measured', () => {
  expect(estimateNetworkCycles(dense(64, 16), 'generic')).toBeNull();
});

it('knows that a left shift is left to the portable kernel, which is slower', () => {
  const own = estimateNetworkCycles(dense(256, 16), 'cortex-m4') as number;
  expect(estimateNetworkCycles(dense(256, 16, 1), 'cortex-m4')).toBeGreaterThan(1.5 * own);
});

it('adds what streams cost to what their layers cost', () => {
  const random = new Random(1);
  const n = new SampleNetwork(random, [32, 32, 3]);
  n.dense(n.flatten(n.pool(n.conv(0, 8, { same: true, activation: 'relu' }), 'maxPool2d')), 4);
  const graph = quantizeGraph(n.build(), randomInputs(random, 32 * 32 * 3, 2));
  const plan = planNetwork(graph, 'cortex-m4');
  expect(plan.streams.length).toBe(1);
  const whole = estimateNetworkCycles(graph, 'cortex-m4') as number;
  const streamed = estimateNetworkCycles(graph, 'cortex-m4', plan.streams) as number;
  expect(streamed).toBeGreaterThan(whole);
  expect(streamed).toBeLessThan(1.5 * whole);
});

it('float layers cost more than int8, most of all without a floating point unit', () => {
  const n = new SampleNetwork(new Random(1), [64]);
  n.softmax(n.dense(0, 16));
  const float = mixedFromFloat(n.build());
  const cycles = (core: 'cortex-m4' | 'cortex-m0plus'): number =>
    float.ops.reduce((sum, { op }) => sum + (estimateFloatCycles(op as FloatOp, float, core) as number), 0);
  const int8 = estimateNetworkCycles(dense(64, 16), 'cortex-m4') as number;
  expect(cycles('cortex-m4')).toBeGreaterThan(3 * int8);
  expect(cycles('cortex-m0plus')).toBeGreaterThan(20 * cycles('cortex-m4'));
  expect(estimateFloatCycles(float.ops[0]?.op as FloatOp, float, 'esp32')).toBeNull();
});
