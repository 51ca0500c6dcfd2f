import { describe, expect, it } from 'vitest';
import { QuantizeError } from './int8-graph';
import {
  frexp,
  INT32_MAX,
  INT32_MIN,
  mbqm,
  mbqmSingle,
  mbqmWide,
  quantizeMultiplier,
  rdp,
  reducedMultiplier,
  roundHalfAway,
  srdhm,
} from './requantize';

/** Mulberry32: small seeded generator for test inputs. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** gemmlowp's own words in BigInt: nudge by sign, then truncating division. */
function srdhmReference(a: number, b: number): number {
  if (a === INT32_MIN && b === INT32_MIN) return INT32_MAX;
  const product = BigInt(a) * BigInt(b);
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  return Number((product + nudge) / (1n << 31n));
}

function rdpReference(value: number, exponent: number): number {
  const divisor = 1n << BigInt(exponent);
  const magnitude = BigInt(Math.abs(value));
  const rounded = (magnitude + (divisor >> 1n)) / divisor;
  return Number(value < 0 ? -rounded : rounded);
}

const EDGES = [0, 1, -1, 2, -2, 3, -3, 127, -128, 65535, 65536, -65536, 2 ** 30, -(2 ** 30), 2 ** 30 - 1, INT32_MAX];
EDGES.push(INT32_MIN, INT32_MIN + 1, INT32_MAX - 1, 0x7fff0000, 0x40008000, -0x40008000);

describe('srdhm', () => {
  it('equals the reference on edges', () => {
    for (const a of EDGES) for (const b of EDGES) expect(srdhm(a, b) + 0).toBe(srdhmReference(a, b) + 0);
  });

  it('equals the reference on 200,000 random pairs of all sizes', () => {
    const next = generator(1);
    let wrong = 0;
    for (let i = 0; i < 200_000; i++) {
      const a = (next() | 0) >> (next() % 31);
      const b = (next() | 0) >> (next() % 31);
      if (srdhm(a, b) + 0 !== srdhmReference(a, b)) wrong++;
    }
    expect(wrong).toBe(0);
  });
});

describe('rdp', () => {
  it('rounds ties away from zero for every exponent', () => {
    const next = generator(2);
    let wrong = 0;
    for (let exponent = 0; exponent <= 31; exponent++) {
      const half = exponent > 0 ? 2 ** (exponent - 1) : 0;
      const values = [...EDGES, half, -half, 3 * half, -3 * half, half - 1, 1 - half].map((value) => value | 0);
      for (let i = 0; i < 3000; i++) values.push(next() | 0);
      for (const value of values) if (rdp(value, exponent) !== rdpReference(value, exponent)) wrong++;
    }
    expect(wrong).toBe(0);
  });
});

describe('mbqm', () => {
  it('is srdhm after a left shift or before a rounding right shift', () => {
    const next = generator(3);
    let wrong = 0;
    for (let i = 0; i < 100_000; i++) {
      const value = (next() | 0) >> (7 + (next() % 20));
      const multiplier = 2 ** 30 + (next() % 2 ** 30);
      const shift = (next() % 38) - 31;
      const expected =
        shift > 0
          ? srdhmReference(Number(BigInt.asIntN(32, BigInt(value) << BigInt(shift))), multiplier)
          : rdpReference(srdhmReference(value, multiplier), -shift);
      if (mbqm(value, multiplier, shift) + 0 !== expected) wrong++;
    }
    expect(wrong).toBe(0);
  });
});

describe('mbqmSingle', () => {
  it('is the whole product with one rounding, halves up, and differs from mbqm by one at most', () => {
    const next = generator(6);
    let [wrong, different] = [0, 0];
    for (let i = 0; i < 200_000; i++) {
      const shift = (next() % 38) - 31;
      const value = (next() | 0) >> (Math.max(shift, 0) + (next() % 20));
      const multiplier = 2 ** 30 + (next() % 2 ** 30);
      const product = BigInt(value) * BigInt(multiplier) + (1n << BigInt(30 - shift));
      const once = mbqmSingle(value, multiplier, shift);
      if (once + 0 !== Number(product >> BigInt(31 - shift))) wrong++;
      const twice = mbqm(value, multiplier, shift);
      if (once !== twice) different++;
      if (Math.abs(once - twice) > 1) wrong++;
    }
    expect(wrong).toBe(0);
    expect(different).toBeGreaterThan(100);
  });

  it('rounds the edges of int32 without overflow', () => {
    for (const value of EDGES) {
      for (const multiplier of [0, 1, 2 ** 30, INT32_MAX]) {
        for (let shift = -31; shift <= 0; shift++) {
          const product = BigInt(value) * BigInt(multiplier) + (1n << BigInt(30 - shift));
          expect(mbqmSingle(value, multiplier, shift) + 0).toBe(Number(product >> BigInt(31 - shift)));
        }
      }
    }
  });
});

describe('mbqmWide', () => {
  it('is the whole product with one rounding, for sums below 2^47', () => {
    const next = generator(7);
    let wrong = 0;
    for (let i = 0; i < 200_000; i++) {
      const shift = (next() % 39) - 31;
      // The result must fit 32 bits.
      const bits = Math.min(47, 31 - shift);
      const value = Math.trunc(((next() | 0) / 2 ** 31) * 2 ** (next() % bits)) + ((next() % 2) - 1);
      const reduced = reducedMultiplier(2 ** 30 + (next() % 2 ** 30));
      const product = BigInt(value) * BigInt(reduced) + (1n << BigInt(14 - shift));
      if (mbqmWide(value, reduced, shift) + 0 !== Number(product >> BigInt(15 - shift))) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it('multiplies by the upper half of the multiplier', () => {
    expect([2 ** 30, 2 ** 30 + 0x8000, 0x7ffeffff, 0x7fff0000, INT32_MAX].map(reducedMultiplier)).toEqual([
      0x4000, 0x4001, 0x7fff, 0x7fff, 0x7fff,
    ]);
  });
});

describe('frexp', () => {
  it('splits exactly, subnormals included', () => {
    const next = generator(4);
    for (let i = 0; i < 20_000; i++) {
      const value = ((next() + 1) / 2 ** 32) * 2 ** ((next() % 2090) - 1050);
      if (value === 0 || !Number.isFinite(value)) continue;
      const { fraction, exponent } = frexp(value);
      expect(fraction).toBeGreaterThanOrEqual(0.5);
      expect(fraction).toBeLessThan(1);
      // Two steps, since 2^exponent alone may leave the range of doubles.
      expect(fraction * 2 ** Math.trunc(exponent / 2) * 2 ** (exponent - Math.trunc(exponent / 2))).toBe(value);
    }
    expect(frexp(1)).toEqual({ fraction: 0.5, exponent: 1 });
    expect(frexp(0.75)).toEqual({ fraction: 0.75, exponent: 0 });
    expect(frexp(Number.MIN_VALUE)).toEqual({ fraction: 0.5, exponent: -1073 });
  });
});

describe('quantizeMultiplier', () => {
  it('gives the reference values', () => {
    expect(quantizeMultiplier(0)).toEqual({ multiplier: 0, shift: 0 });
    expect(quantizeMultiplier(1)).toEqual({ multiplier: 2 ** 30, shift: 1 });
    expect(quantizeMultiplier(0.5)).toEqual({ multiplier: 2 ** 30, shift: 0 });
    // The largest fraction rounds up to 2^31 and must be renormalised.
    expect(quantizeMultiplier(1 - 2 ** -53)).toEqual({ multiplier: 2 ** 30, shift: 1 });
    expect(quantizeMultiplier(2 ** -32)).toEqual({ multiplier: 2 ** 30, shift: -31 });
    expect(quantizeMultiplier(2 ** -33)).toEqual({ multiplier: 0, shift: 0 });
  });

  it('is within half a unit of the real number', () => {
    const next = generator(5);
    for (let i = 0; i < 20_000; i++) {
      const real = (((next() % 2 ** 30) + 2 ** 24) / 2 ** 30) * 2 ** ((next() % 40) - 20);
      const { multiplier, shift } = quantizeMultiplier(real);
      expect(multiplier).toBeGreaterThanOrEqual(2 ** 30);
      expect(multiplier).toBeLessThan(2 ** 31);
      expect(Math.abs(multiplier - real * 2 ** (31 - shift))).toBeLessThanOrEqual(0.5);
    }
  });

  it('refuses what 32 bits cannot hold', () => {
    for (const real of [2 ** 31, Infinity, NaN, -1]) expect(() => quantizeMultiplier(real)).toThrow(QuantizeError);
  });
});

describe('roundHalfAway', () => {
  it('rounds as C does', () => {
    expect([0.5, -0.5, 1.5, -1.5, 2.5, 0.49999999999999994, -0.2].map((value) => roundHalfAway(value) + 0)).toEqual([
      1, -1, 2, -2, 3, 0, 0,
    ]);
  });
});
