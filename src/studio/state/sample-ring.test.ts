import { expect, test } from 'vitest';
import { SampleRing } from './sample-ring';

const frames = (from: number, count: number) =>
  Float32Array.from({ length: count * 2 }, (_, index) => (index % 2 === 0 ? 1 : -1) * (from + (index >> 1)));

test('keeps the newest frames and numbers them from the start of the stream', () => {
  const ring = new SampleRing(2, 8);
  ring.push(frames(0, 5));
  ring.push(frames(5, 6));
  expect([ring.total, ring.first]).toEqual([11, 3]);
  expect(ring.value(2, 0)).toBeNaN();
  expect([ring.value(3, 0), ring.value(10, 1), ring.value(11, 0)]).toEqual([3, -10, NaN]);
  expect([...ring.slice(9, 20)]).toEqual([9, -9, 10, -10]);
});

test('min, max and mean run over the wrap', () => {
  const ring = new SampleRing(2, 8);
  ring.push(frames(0, 13));
  const out = new Float32Array(4);
  ring.minMax(1, 6, 12, out, 2);
  expect([...out]).toEqual([0, 0, -11, -6]);
  ring.minMax(0, 0, 100, out, 0);
  expect([...out.subarray(0, 2)]).toEqual([5, 12]);
  expect(ring.mean(0, 10, 13)).toBe(11);
  ring.minMax(0, 50, 60, out, 0);
  expect(out[0]).toBeGreaterThan(out[1] as number);
});

test('a burst longer than the ring leaves its end', () => {
  const ring = new SampleRing(2, 4);
  ring.push(frames(0, 3));
  ring.push(frames(3, 10));
  expect([ring.total, ring.first, ring.value(9, 0), ring.value(12, 0)]).toEqual([13, 9, 9, 12]);
});

test('remembers gaps as long as they can be seen', () => {
  const ring = new SampleRing(2, 6);
  ring.push(frames(0, 4));
  ring.push(frames(4, 2), 7);
  expect(ring.gaps).toEqual([4]);
  ring.push(frames(6, 5));
  expect(ring.gaps).toEqual([]);
});
