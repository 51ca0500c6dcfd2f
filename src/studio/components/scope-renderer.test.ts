import { expect, test } from 'vitest';
import { lanesOf, niceRange, niceStep, SteadyEdge } from './scope-renderer';

test.each([
  [0.13, 0.2],
  [0.2, 0.2],
  [1, 1],
  [3, 5],
  [7, 10],
  [0, 1],
  [NaN, 1],
])('step for %s', (raw, wanted) => expect(niceStep(raw)).toBeCloseTo(wanted, 12));

test.each([
  [-1.2, 9.9],
  [0, 0],
  [5, 5],
  [-3e-7, 3e-7],
  [1e6, 1e6 + 1],
])('a range holds %s to %s and is not much wider', (low, high) => {
  const range = niceRange(low, high);
  expect(range.low).toBeLessThan(low + 1e-12);
  expect(range.high).toBeGreaterThan(high - 1e-12);
  expect(range.high - range.low).toBeLessThan(Math.max(2.2 * (high - low), 0.1 * Math.max(Math.abs(high), 1e-5)));
});

test('channels of one unit share a lane, many units share one', () => {
  const channel = (name: string, unit: string) => ({ name, unit });
  expect(lanesOf([channel('x', 'g'), channel('r', 'deg/s'), channel('y', 'g')])).toEqual([
    { unit: 'g', channels: [0, 2] },
    { unit: 'deg/s', channels: [1] },
  ]);
  expect(lanesOf(['a', 'b', 'c', 'd', 'e'].map((unit) => channel(unit, unit)))).toHaveLength(1);
});

test('the edge moves evenly while samples come in bursts', () => {
  const edge = new SteadyEdge(80);
  const rate = 100;
  const positions: number[] = [];
  for (let frame = 0; frame < 300; frame++) {
    const now = (frame * 1000) / 60;
    const total = Math.floor(now / 40) * 4; // four samples each 40 ms
    positions.push(edge.advance(total, rate, now));
  }
  const steps = positions.slice(121).map((position, index) => position - (positions[index + 120] as number));
  expect(Math.max(...steps)).toBeLessThan((rate / 60) * 1.25);
  expect(Math.min(...steps)).toBeGreaterThan((rate / 60) * 0.75);
  expect(positions.at(-1)).toBeLessThanOrEqual(498);
});
