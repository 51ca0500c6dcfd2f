import { expect, it } from 'vitest';
import { Dice, randomModel, randomWindow } from '../../tests/conformance/random-model';
import { windowFrames } from '../dsp/block';
import { buildModel, type ModelParts } from './build-model';
import type { Model } from './model';
import { writePack } from './pack';
import { createRunner, createSmoother, runSelfTest } from './run-model';
import { MOST_RECORDED_WINDOWS, RECORDED_BYTES, SELF_TEST_WINDOWS, selfTestCount, selfTestWindow } from './self-test';

const model = randomModel(8);
const values = windowFrames(model.input) * model.input.channels.length;

function rebuild(selfTestWindows: readonly Float32Array[], of: Model = model): Model {
  const { prefix, labels, input, blocks, affine, graph, smoothing, receipt } = of;
  const parts: ModelParts = { prefix, labels, input, blocks, affine, graph, smoothing, receipt, selfTestWindows };
  return buildModel(parts);
}

function windows(count: number, seed: number): Float32Array[] {
  const dice = new Dice(seed);
  return Array.from({ length: count }, () =>
    randomWindow(dice, windowFrames(model.input), model.input.channels.length),
  );
}

it('asks 64 windows, at most 8 of them recorded, and knows the answers', () => {
  for (const seed of [8, 9, 10, 11]) {
    const { selfTest, ...rest } = randomModel(seed);
    expect(selfTestCount(selfTest)).toBe(SELF_TEST_WINDOWS);
    expect(selfTest.recordedCount).toBeGreaterThan(0);
    expect(selfTest.recordedCount).toBeLessThanOrEqual(MOST_RECORDED_WINDOWS);
    expect(selfTest.recorded.byteLength).toBeLessThanOrEqual(RECORDED_BYTES);
    expect(runSelfTest({ ...rest, selfTest })).toBe(0);
  }
});

it('builds the same bytes from the same parts', () => {
  expect(writePack(rebuild(windows(20, 1)))).toEqual(writePack(rebuild(windows(20, 1))));
});

it('works without held-out data and with data that is constant or not finite', () => {
  for (const given of [[], [new Float32Array(values)], [new Float32Array(values).fill(NaN)], [new Float32Array(3)]]) {
    const built = rebuild(given);
    expect(selfTestCount(built.selfTest)).toBe(SELF_TEST_WINDOWS);
    expect(runSelfTest(built)).toBe(0);
    expect(() => writePack(built)).not.toThrow();
  }
});

it('keeps recorded windows close to the data they came from', () => {
  const given = windows(30, 2).filter((window) => window.every((value) => Math.abs(value) < 100));
  const built = rebuild(given);
  const kept = selfTestWindow(built, 0);
  const channels = model.input.channels.length;
  const near = given.some((window) =>
    window.every((value, i) => {
      const step = built.selfTest.channelScale[i % channels] as number;
      return Math.abs(value - (kept[i] as number)) <= step * 0.51;
    }),
  );
  expect(near).toBe(true);
});

it('generates windows that reach several labels', () => {
  const built = rebuild(windows(20, 3));
  const runner = createRunner(built);
  const reached = new Set<number>();
  for (let i = built.selfTest.recordedCount; i < SELF_TEST_WINDOWS; i++) {
    reached.add(runner.classify(selfTestWindow(built, i)).best);
  }
  expect(reached.size).toBeGreaterThan(1);
});

it('decides over the average of the last windows, and not at all below the threshold', () => {
  const output = model.graph.tensors[model.graph.output];
  expect(output?.zeroPoint).toBe(-128);
  const smoother = createSmoother({ ...model, smoothing: { windows: 2, threshold: 0.5 } });
  const scores = (...shares: number[]): Int8Array => Int8Array.from(shares, (share) => share * 256 - 128);
  expect(smoother.decide(scores(0.75, 0.25))).toBe(0);
  expect(smoother.decide(scores(0.25, 0.75))).toBe(0);
  expect(smoother.decide(scores(0.25, 0.75))).toBe(1);
  expect(smoother.decide(scores(0.25, 0.125))).toBe(-1);
  smoother.reset();
  expect(smoother.decide(scores(0.75, 0.25))).toBe(0);
});
