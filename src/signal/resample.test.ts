import { expect, test } from 'vitest';
import { PRISTINE, type Recording } from './recording';
import { resample, resampledFrames, resampleRecording } from './resample';

function sine(frames: number, rateHz: number, hz: number): Float32Array {
  return Float32Array.from({ length: frames }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rateHz));
}

/** Largest difference away from the ends. */
function worst(got: Float32Array, want: Float32Array, margin: number): number {
  let most = 0;
  for (let i = margin; i < got.length - margin; i++) most = Math.max(most, Math.abs(got[i]! - want[i]!));
  return most;
}

test('the new length is ceil(toHz / fromHz * n)', () => {
  expect(resampledFrames(621, 62.5, 62.5)).toBe(621);
  expect(resampledFrames(150, 100, 62.5)).toBe(94);
  expect(resampledFrames(100, 62.5, 100)).toBe(160);
  expect(resampledFrames(3, 100, 33)).toBe(1);
  expect(resample(sine(150, 100, 1), 1, 100, 62.5).length).toBe(94);
});

test('a slow sine stays that sine, up, down and at odd ratios', () => {
  for (const [from, to] of [
    [100, 50],
    [100, 62.5],
    [62.5, 100],
    [198.61, 100],
    [100, 119.3],
    [44_100, 16_000],
  ] as const) {
    const hz = Math.min(from, to) * 0.1;
    const got = resample(sine(2000, from, hz), 1, from, to);
    expect(worst(got, sine(got.length, to, hz), 80)).toBeLessThan(2e-3);
  }
});

test('what is above the new Nyquist frequency is filtered out, not folded down', () => {
  const got = resample(sine(2000, 100, 40), 1, 100, 50);
  expect(worst(got, new Float32Array(got.length), 40)).toBeLessThan(5e-3);
  const taken = sine(2000, 100, 40).filter((_, i) => i % 2 === 0);
  expect(worst(taken, new Float32Array(taken.length), 40)).toBeGreaterThan(0.9);
});

test('gravity stays gravity to the very ends', () => {
  for (const to of [37, 50, 62.5, 160, 333.3]) {
    for (const value of resample(new Float32Array(100).fill(9.81), 1, 100, to)) expect(value).toBeCloseTo(9.81, 5);
  }
});

test('channels do not mix', () => {
  const x = sine(400, 100, 3);
  const y = sine(400, 100, 7);
  const both = Float32Array.from({ length: 800 }, (_, i) => (i % 2 === 0 ? x : y)[i >> 1]!);
  const got = resample(both, 2, 100, 62.5);
  expect(got.filter((_, i) => i % 2 === 0)).toEqual(resample(x, 1, 100, 62.5));
  expect(got.filter((_, i) => i % 2 === 1)).toEqual(resample(y, 1, 100, 62.5));
});

test('equal rates copy, wrong ones are refused', () => {
  const samples = sine(10, 100, 3);
  const same = resample(samples, 1, 100, 100);
  expect(same).toEqual(samples);
  expect(same).not.toBe(samples);
  expect(() => resample(samples, 1, 0, 100)).toThrow(RangeError);
  expect(() => resample(samples, 1, 100, Infinity)).toThrow(RangeError);
  expect(() => resample(samples, 3, 100, 50)).toThrow(RangeError);
});

test('segments move along and stay neighbours', () => {
  const recording: Recording = {
    id: 'r',
    name: 'r',
    createdAt: 0,
    sessionId: 's',
    channels: [{ name: 'x', unit: '' }],
    rateHz: 100,
    measuredRateHz: 99,
    frames: 100,
    label: null,
    segments: [
      { label: 'a', start: 0, end: 32 },
      { label: 'b', start: 33, end: 99 },
    ],
    split: 'auto',
    source: { kind: 'file', fileName: 'r', format: 'csv' },
    quality: PRISTINE,
  };
  const got = resampleRecording({ recording, samples: sine(100, 100, 1) }, 50);
  expect(got.recording).toMatchObject({ rateHz: 50, measuredRateHz: 49.5, frames: 50 });
  expect(got.samples.length).toBe(50);
  const [a, b] = got.recording.segments;
  expect(a!.start).toBe(0);
  expect(b!.start).toBe(a!.end + 1);
  expect(b!.end).toBe(49);
  const same = { recording, samples: sine(100, 100, 1) };
  expect(resampleRecording(same, 100)).toEqual(same);
});
