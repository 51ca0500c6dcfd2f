import { expect, test } from 'vitest';
import { Random } from './random';
import { fitRate, RateEstimator } from './rate';

function estimate(points: Iterable<readonly [index: number, timeMs: number]>) {
  const estimator = new RateEstimator();
  for (const [index, time] of points) estimator.add(index, time);
  return estimator.estimate;
}

test('even arrivals give the rate exactly', () => {
  const got = estimate(Array.from({ length: 500 }, (_, i) => [i, 1e9 + i * 16] as const))!;
  expect(got.rateHz).toBeCloseTo(62.5, 9);
  expect(got.jitterMs).toBeLessThan(1e-3);
  expect(got.errorHz).toBeLessThan(1e-3);
});

test('clumps from USB do not bend the rate', () => {
  // 119 Hz, handed over every 16 ms, each hand-over 0 to 4 ms late: arrival says nothing of the single sample.
  const random = new Random(3);
  const points: [number, number][] = [];
  let index = 0;
  for (let deliver = 0; deliver < 10_000; deliver += 16) {
    const late = random.between(0, 4);
    while ((index * 1000) / 119 <= deliver) points.push([index++, deliver + late]);
  }
  const got = estimate(points)!;
  expect(Math.abs(got.rateHz - 119)).toBeLessThan(0.1);
  expect(Math.abs(got.rateHz - 119)).toBeLessThan(5 * got.errorHz);
  expect(got.jitterMs).toBeGreaterThan(0.5);
  expect(got.jitterMs).toBeLessThan(8);
});

test('a stall of half a second hardly moves the rate', () => {
  const points: [number, number][] = [];
  for (let i = 0; i < 1000; i++) {
    const due = i * 10;
    const stalled = due >= 5000 && due < 5500;
    // During the stall samples trickle in late, in deliveries of their own, as the bus recovers.
    points.push([i, stalled ? 5500 + (i - 500) * 4 : due]);
  }
  const got = estimate(points)!;
  expect(Math.abs(got.rateHz - 100)).toBeLessThan(0.3);
  const plain = fitRate(points.map(([, time]) => time))!;
  expect(Math.abs(got.rateHz - 100)).toBeLessThan(Math.abs(plain.rateHz - 100));
});

test('jitter is the RMS distance from even times', () => {
  const random = new Random(9);
  const times = Array.from({ length: 5000 }, (_, i) => i * 20 + 2 * random.normal());
  const fit = fitRate(times)!;
  expect(fit.rateHz).toBeCloseTo(50, 2);
  expect(fit.jitterMs).toBeGreaterThan(1.9);
  expect(fit.jitterMs).toBeLessThan(2.1);
  expect(Math.abs(fit.rateHz - 50)).toBeLessThan(4 * fit.errorHz);
});

test('precision holds over a day', () => {
  const estimator = new RateEstimator();
  for (let i = 0; i < 86_400; i++) estimator.add(i * 100, 1.7e12 + i * 1000.01);
  expect(estimator.estimate!.rateHz).toBeCloseTo(100 / 1.00001, 7);
});

test('too little gives nothing', () => {
  expect(estimate([])).toBeNull();
  expect(estimate([[0, 0]])).toBeNull();
  expect(
    estimate([
      [0, 5],
      [1, 5],
      [2, 5],
      [3, 6],
    ]),
  ).toBeNull();
  expect(fitRate([1])).toBeNull();
  expect(fitRate([5, 5, 5])).toBeNull();
  expect(fitRate([5, 4, 3])).toBeNull();
});

test('garbage and steps backwards are ignored; reset forgets', () => {
  const estimator = new RateEstimator();
  for (let i = 0; i < 100; i++) {
    estimator.add(i, i * 10);
    estimator.add(Number.NaN, i);
    estimator.add(i - 5, i * 10);
    estimator.add(i, Infinity);
  }
  expect(estimator.estimate!.rateHz).toBeCloseTo(100, 6);
  estimator.reset();
  expect(estimator.estimate).toBeNull();
  for (let i = 0; i < 100; i++) estimator.add(i, i * 5);
  expect(estimator.estimate!.rateHz).toBeCloseTo(200, 6);
});
