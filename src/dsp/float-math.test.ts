import { describe as group, expect, it } from 'vitest';
import { bitsFloat, describe, emptyStatistics, finite, floatBits, log10f, sqrt32 } from './float-math';

group('log10f', () => {
  it('is within 2 ulp of the logarithm over the whole range', () => {
    let worst = 0;
    for (let bits = 1; bits < 0x7f800000; bits += 99991) {
      const x = bitsFloat(bits);
      const exact = Math.log10(x);
      const ulp = 2 ** (Math.floor(Math.log2(Math.abs(Math.fround(exact)) || 1e-30)) - 23);
      worst = Math.max(worst, Math.abs(log10f(x) - exact) / ulp);
    }
    expect(worst).toBeLessThan(2);
  });

  it('keeps relative accuracy near 1', () => {
    for (let i = -200; i <= 200; i++) {
      const x = bitsFloat(floatBits(1) + i * 77);
      expect(Math.abs(log10f(x) - Math.log10(x))).toBeLessThanOrEqual(3e-7 * Math.abs(Math.log10(x)));
    }
  });

  it('is defined where there is no logarithm', () => {
    expect(log10f(0)).toBe(-10);
    expect(log10f(-1)).toBe(-10);
    expect(log10f(NaN)).toBe(-10);
    expect(log10f(Infinity)).toBeCloseTo(38.5318, 4);
  });
});

group('small functions', () => {
  it('sqrt32 never gives NaN', () => {
    expect(sqrt32(NaN)).toBe(0);
    expect(sqrt32(-4)).toBe(0);
    expect(sqrt32(9)).toBe(3);
    expect(sqrt32(Infinity)).toBe(Infinity);
  });
  it('finite replaces what is not a number', () => {
    expect(finite(NaN)).toBe(0);
    expect(finite(-Infinity)).toBe(-Math.fround(3.4028234663852886e38));
    expect(finite(1.5)).toBe(1.5);
  });
});

/** The same statistics in double precision. */
function reference(values: readonly number[]) {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const moment = (power: number) => values.reduce((a, b) => a + (b - mean) ** power, 0) / n;
  const m2 = moment(2);
  return {
    mean,
    rms: Math.sqrt(values.reduce((a, b) => a + b * b, 0) / n),
    stdev: Math.sqrt(m2),
    skewness: moment(3) / m2 ** 1.5,
    kurtosis: moment(4) / m2 ** 2 - 3,
  };
}

group('describe', () => {
  const run = (values: Float32Array, step = 1, scale = 1) => {
    const result = emptyStatistics();
    describe(values, 0, step, values.length / step, scale, result);
    return result;
  };

  for (const [name, count, make] of [
    ['a small signal on gravity', 16000, (i: number) => 9.81 + 0.01 * Math.sin(i * 0.7) + 0.002 * Math.cos(i * i)],
    ['a square wave', 50000, (i: number) => (i % 10 < 3 ? 0.1 : -0.1)],
    ['tiny values', 500, (i: number) => 1e-25 * Math.sin(i)],
    ['large values', 500, (i: number) => 1e25 * (Math.sin(i) + Math.cos(3 * i))],
  ] as const) {
    it(`keeps its accuracy for ${name}`, () => {
      const values = Float32Array.from({ length: count }, (_, i) => make(i));
      const actual = run(values);
      const exact = reference([...values]);
      expect(Math.abs(actual.mean + actual.residual - exact.mean)).toBeLessThan(1e-6 * exact.rms);
      expect(Math.abs(actual.rms / exact.rms - 1)).toBeLessThan(1e-5);
      expect(Math.abs(actual.stdev / exact.stdev - 1)).toBeLessThan(1e-5);
      expect(actual.skewness).toBeCloseTo(exact.skewness, 4);
      expect(actual.kurtosis).toBeCloseTo(exact.kurtosis, 4);
    });
  }

  it('describes a constant without NaN', () => {
    const actual = run(new Float32Array(100).fill(0.1));
    expect(actual).toMatchObject({ stdev: 0, skewness: 0, kurtosis: -3, residual: 0 });
    expect(actual.mean).toBe(Math.fround(0.1));
  });

  it('steps over other channels and scales', () => {
    const actual = run(Float32Array.of(1, 99, 2, 99, 3, 99), 2, 2);
    expect(actual).toMatchObject({ minimum: 2, maximum: 6, mean: 4 });
  });
});
