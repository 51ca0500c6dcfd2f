import { describe, expect, it } from 'vitest';
import { Random } from '../signal/random';
import { activationScale, createRangeEstimator, type CalibrationMethod, type Range } from './calibration';
import { dequantize, quantizeValues } from './quantize-values';

function rangeOf(method: CalibrationMethod, values: Float32Array, percentile?: number, pieces = 7): Range {
  const estimator = createRangeEstimator({ method, ...(percentile === undefined ? {} : { percentile }) });
  const step = Math.ceil(values.length / pieces);
  for (let at = 0; at < values.length; at += step) estimator.add(values.subarray(at, at + step));
  return estimator.range();
}

function squaredError(values: Float32Array, range: Range): number {
  const parameters = activationScale(range);
  const integers = quantizeValues(values, parameters);
  return values.reduce((sum, value, i) => sum + (value - dequantize(integers[i]!, parameters)) ** 2, 0);
}

describe('createRangeEstimator', () => {
  const random = new Random(1);
  const bell = Float32Array.from({ length: 50_000 }, () => random.normal());
  const withOutliers = Float32Array.from([...bell, 40, -35]);

  it('min-max sees everything', () => {
    expect(rangeOf('min-max', withOutliers)).toEqual({ min: -35, max: 40 });
    expect(rangeOf('min-max', Float32Array.of(2, 3))).toEqual({ min: 0, max: 3 });
  });

  it.each([99, 99.9, 99.99])('percentile %d equals the sorted values', (percentile) => {
    const sorted = withOutliers.toSorted();
    const outside = Math.round((sorted.length * (100 - percentile)) / 100);
    const { min, max } = rangeOf('percentile', withOutliers, percentile);
    expect(Math.abs(max - sorted[sorted.length - outside]!)).toBeLessThan(0.1);
    expect(Math.abs(min - sorted[outside]!)).toBeLessThan(0.1);
  });

  it('percentile 100 is min-max; the order and the pieces do not matter', () => {
    const { min, max } = rangeOf('percentile', withOutliers, 100);
    expect(min).toBeCloseTo(-35, 1);
    expect(max).toBeCloseTo(40, 1);
    const backwards = withOutliers.toReversed();
    expect(rangeOf('mse', backwards, undefined, 501)).toEqual(rangeOf('mse', withOutliers, undefined, 1));
  });

  it('mse comes out no worse than min-max on data of all shapes, better where tails are long', () => {
    const shapes: Float32Array[] = [
      withOutliers,
      bell,
      bell.map((value) => Math.max(0, value)),
      bell.map((value) => value ** 3),
      bell.map((value) => Math.sign(value) * 5),
      Float32Array.from([...bell.map((value) => Math.abs(value) * 1e-6), 1]),
    ];
    for (const values of shapes) {
      const all = squaredError(values, rangeOf('min-max', values));
      expect(squaredError(values, rangeOf('mse', values))).toBeLessThanOrEqual(all * 1.001);
    }
    const tails = bell.map((value) => value ** 3);
    expect(squaredError(tails, rangeOf('mse', tails))).toBeLessThan(
      0.95 * squaredError(tails, rangeOf('min-max', tails)),
    );
    expect(
      rangeOf(
        'mse',
        bell.map((value) => Math.max(0, value)),
      ).min,
    ).toBe(0);
  });

  it('starts with zeros, grows by many powers of two, and shows what is not finite', () => {
    for (const method of ['percentile', 'mse'] as const) {
      expect(rangeOf(method, new Float32Array(10))).toEqual({ min: 0, max: 0 });
      const growing = Float32Array.of(0, 0, 1e-20, 1e-3, 7, 1e9, 2e9);
      expect(rangeOf(method, growing, 100).max).toBeGreaterThan(3e8);
      expect(rangeOf(method, Float32Array.of(1, NaN, 2)).max).toBeNaN();
      expect(rangeOf(method, Float32Array.of(1, -Infinity)).min).toBe(-Infinity);
    }
  });

  it('refuses a percentile that leaves nothing', () => {
    for (const percentile of [50, 100.1, NaN, -3]) {
      expect(() => createRangeEstimator({ method: 'percentile', percentile })).toThrow(
        expect.objectContaining({ code: 'bad-input' }),
      );
    }
  });
});
