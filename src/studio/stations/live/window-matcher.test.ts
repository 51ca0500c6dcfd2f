import { expect, test } from 'vitest';
import { sequenceDistance, WindowMatcher } from './window-matcher';

/** Frame n holds [n, -n] (of the low 16 bits, so that floats stay exact). */
function frames(from: number, count: number): Float32Array {
  return Float32Array.from({ length: 2 * count }, (_, index) => {
    const n = ((from + (index >> 1)) >>> 0) % 65536;
    return index % 2 === 0 ? n : -n;
  });
}

test('gives the window that ends at a frame', () => {
  const matcher = new WindowMatcher(2, 16);
  matcher.push(100, frames(100, 10));
  expect(matcher.window(105, 3)).toEqual(frames(103, 3));
  expect(matcher.window(110, 3)).toBe('too-early');
  expect(matcher.window(101, 3)).toBe('lost');
});

test('works over the wrap of the sequence and of the ring', () => {
  const matcher = new WindowMatcher(2, 24);
  expect(matcher.capacity).toBe(32);
  const start = 2 ** 32 - 30;
  for (let at = 0; at < 60; at += 5) matcher.push((start + at) >>> 0, frames(start + at, 5));
  expect(matcher.next).toBe(30);
  expect(matcher.window(28, 8)).toEqual(frames(21, 8));
  expect(matcher.window(10, 12)).toEqual(frames(2 ** 32 - 1, 12));
  expect(sequenceDistance(3, 2 ** 32 - 2)).toBe(5);
});

test('a window across lost frames is not made up', () => {
  const matcher = new WindowMatcher(2, 64);
  matcher.push(0, frames(0, 10));
  matcher.push(12, frames(12, 10));
  expect(matcher.window(14, 4)).toBe('lost');
  expect(matcher.window(15, 4)).toEqual(frames(12, 4));
  expect(matcher.window(9, 4)).toBe('lost');
});

test('right after the wrap, frames from before it are found', () => {
  const matcher = new WindowMatcher(2, 100);
  matcher.push(2 ** 32 - 50, frames(2 ** 32 - 50, 60));
  expect(matcher.window(4, 20)).toEqual(frames(2 ** 32 - 15, 20));
});

test('a window made of both sides of the wrap holds every frame', () => {
  const matcher = new WindowMatcher(2, 24);
  for (let at = 0; at <= 40; at++) matcher.push((2 ** 32 - 40 + at) >>> 0, frames(2 ** 32 - 40 + at, 1));
  expect(matcher.window(0, 20)).toEqual(frames(2 ** 32 - 19, 20));
});
