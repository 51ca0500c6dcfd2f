import { expect, test } from 'vitest';
import { Random } from './random';
import { cosineOfTurns, sineOfTurns } from './sine';

test('the sequence of a seed never changes', () => {
  const random = new Random(1);
  expect(Array.from({ length: 6 }, () => random.nextUint32())).toMatchInlineSnapshot(`
    [
      1578713596,
      3453157101,
      3153171869,
      3182711282,
      916782438,
      4193826974,
    ]
  `);
});

test('neighbouring seeds are unrelated', () => {
  const firsts = new Set(Array.from({ length: 1000 }, (_, seed) => new Random(seed).nextUint32()));
  expect(firsts.size).toBe(1000);
  let bits = 0;
  for (let seed = 0; seed < 1000; seed++) {
    let difference = new Random(seed).nextUint32() ^ new Random(seed + 1).nextUint32();
    for (; difference !== 0; difference &= difference - 1) bits++;
  }
  expect(bits / 1000).toBeGreaterThan(15);
  expect(bits / 1000).toBeLessThan(17);
  expect(new Random(2 ** 40).nextUint32()).not.toBe(new Random(0).nextUint32());
});

test('uniform numbers fill their range evenly', () => {
  const random = new Random(42);
  const bins = new Array<number>(16).fill(0);
  for (let i = 0; i < 160_000; i++) bins[Math.floor(random.next() * 16)]!++;
  // Chi-squared with 15 degrees of freedom stays below 37.7 in 999 of 1000 cases.
  expect(bins.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(37.7);
  const counts = [0, 0, 0];
  for (let i = 0; i < 30_000; i++) counts[random.integer(3)]!++;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  expect(random.integer(1)).toBe(0);
  expect(() => random.integer(0)).toThrow(RangeError);
});

test('normal numbers have mean 0 and deviation 1', () => {
  const random = new Random(3);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < 100_000; i++) {
    const value = random.normal();
    sum += value;
    squares += value * value;
  }
  expect(Math.abs(sum / 100_000)).toBeLessThan(0.015);
  expect(squares / 100_000).toBeCloseTo(1, 1);
});

test('shuffling keeps every item and moves most', () => {
  const items = Array.from({ length: 100 }, (_, i) => i);
  const shuffled = new Random(5).shuffle([...items]);
  expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  expect(shuffled.filter((item, i) => item === i).length).toBeLessThan(10);
  expect([...new Random(5).shuffle(Int32Array.from(items))]).toEqual(shuffled);
});

test('a fork does not depend on what its parent draws later', () => {
  const parent = new Random(8);
  const fork = parent.fork();
  const other = new Random(8).fork();
  parent.next();
  expect(fork.nextUint32()).toBe(other.nextUint32());
});

test('our sine agrees with the engine to 1e-13', () => {
  for (let turns = -3; turns <= 3; turns += 1 / 1024 + 1e-5) {
    expect(Math.abs(sineOfTurns(turns) - Math.sin(2 * Math.PI * turns))).toBeLessThan(1e-13 + 1e-14 * Math.abs(turns));
    expect(Math.abs(cosineOfTurns(turns) - Math.cos(2 * Math.PI * turns))).toBeLessThan(2e-13);
  }
  expect([0, 0.25, 0.5, 0.75].map((turns) => Math.round(sineOfTurns(turns) * 1e12) / 1e12 + 0)).toEqual([0, 1, 0, -1]);
});
