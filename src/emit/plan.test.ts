import { describe, expect, it } from 'vitest';
import { Dice } from '../../tests/conformance/random-model';
import type { Int8Graph, Int8Op } from '../quantize/int8-graph';
import { EmitError } from './model';
import { checkPlan, planMemory } from './plan';

/** A chain of dense layers of these sizes, softmax at the end; only what planning looks at. */
function chain(sizes: readonly number[]): Int8Graph {
  const tensors = [...sizes, sizes.at(-1) as number].map((size, id) => ({
    name: `t${id}`,
    shape: [size],
    scale: 1,
    zeroPoint: 0,
  }));
  const ops: Int8Op[] = sizes.slice(1).map((_, index) => ({
    kind: 'fullyConnected',
    input: index,
    output: index + 1,
    weights: new Int8Array(0),
    bias: new Int32Array(0),
    weightScale: new Float32Array(0),
    multiplier: new Int32Array(0),
    shift: new Int32Array(0),
    actMin: -128,
    actMax: 127,
  }));
  ops.push({
    kind: 'softmax',
    input: sizes.length - 1,
    output: sizes.length,
    multiplier: 1 << 30,
    leftShift: 0,
    diffMin: 0,
  });
  return { tensors, ops, input: 0, output: sizes.length };
}

describe('planMemory', () => {
  it('needs no more than the largest pair of neighbours in a chain', () => {
    const plan = planMemory(chain([40, 20, 8, 4]));
    expect(plan.arenaBytes).toBe(60);
    expect(plan.offsets[4]).toBe(plan.offsets[3]);
  });

  it('makes valid plans for random chains, never worse than giving each tensor its own place', () => {
    const dice = new Dice(3);
    for (let round = 0; round < 200; round++) {
      const sizes = Array.from({ length: dice.integer(2, 9) }, () => dice.integer(1, 100));
      const graph = chain(sizes);
      const plan = planMemory(graph);
      expect(() => checkPlan(graph, plan)).not.toThrow();
      const rounded = sizes.map((size) => Math.ceil(size / 4) * 4);
      expect(plan.arenaBytes).toBeLessThanOrEqual(rounded.reduce((sum, size) => sum + size, 0));
      const pairs = rounded.slice(1).map((size, index) => size + (rounded[index] as number));
      expect(plan.arenaBytes).toBeGreaterThanOrEqual(Math.max(...pairs));
    }
  });

  it('keeps a tensor that is read again later', () => {
    const graph = chain([16, 16, 16]);
    // The second layer reads the input once more.
    const ops = graph.ops.map((op, index) => (index === 1 ? { ...op, input: 0 } : op));
    const plan = planMemory({ ...graph, ops });
    expect(() => checkPlan({ ...graph, ops }, plan)).not.toThrow();
    expect(plan.offsets[1]).not.toBe(plan.offsets[0]);
  });
});

describe('checkPlan', () => {
  const graph = chain([40, 20, 8]);
  const plan = planMemory(graph);

  it.each([
    ['overlap', { ...plan, offsets: [0, 36, 0, 0] }],
    ['outside', { ...plan, arenaBytes: 56 }],
    ['half in place', { ...plan, arenaBytes: 100, offsets: [0, 40, 0, 4] }],
    ['unaligned', { ...plan, arenaBytes: 100, offsets: [0, 41, 0, 0] }],
    ['scratch for other ops', { ...plan, scratch: plan.scratch.slice(1) }],
    ['scratch that nobody needs', { ...plan, scratch: plan.scratch.map(() => 4) }],
    ['missing', { ...plan, offsets: plan.offsets.slice(1) }],
  ])('refuses a plan with a fault: %s', (_, wrong) => {
    expect(() => checkPlan(graph, wrong)).toThrow(EmitError);
  });
});
