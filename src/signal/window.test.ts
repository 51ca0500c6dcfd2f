import { expect, test } from 'vitest';
import { PRISTINE, type LoadedRecording, type Segment } from './recording';
import { countWindows, cutWindows, readWindow } from './window';

function loaded(frames: number, label: string | null, segments: readonly Segment[] = []): LoadedRecording {
  return {
    recording: {
      id: 'r',
      name: 'r',
      createdAt: 0,
      sessionId: 's',
      channels: [
        { name: 'x', unit: '' },
        { name: 'y', unit: '' },
      ],
      rateHz: 100,
      measuredRateHz: null,
      frames,
      label,
      segments,
      split: 'auto',
      source: { kind: 'file', fileName: 'r', format: 'csv' },
      quality: PRISTINE,
    },
    samples: Float32Array.from({ length: frames * 2 }, (_, i) => i),
  };
}

test('windows step through the recording', () => {
  const { windows, tooShort, unlabelled } = cutWindows(loaded(100, 'a'), { frames: 40, stride: 20 });
  expect(windows).toEqual([0, 20, 40, 60].map((start) => ({ start, label: 'a' })));
  expect(tooShort).toBe(false);
  expect(unlabelled).toBe(0);
  expect(countWindows(40, { frames: 40, stride: 1 })).toBe(1);
  expect(countWindows(39, { frames: 40, stride: 1 })).toBe(0);
});

test('a recording that is too short says so', () => {
  expect(cutWindows(loaded(39, 'a'), { frames: 40, stride: 20 })).toEqual({
    windows: [],
    tooShort: true,
    unlabelled: 0,
    shortSegments: 0,
  });
});

test('a window never mixes two labels', () => {
  const segments = [
    { label: 'a', start: 0, end: 44 },
    { label: 'b', start: 45, end: 54 },
    { label: 'c', start: 55, end: 99 },
  ];
  const cut = cutWindows(loaded(100, null, segments), { frames: 20, stride: 10 });
  expect(cut.windows).toEqual([
    { start: 0, label: 'a' },
    { start: 10, label: 'a' },
    { start: 20, label: 'a' },
    { start: 55, label: 'c' },
    { start: 65, label: 'c' },
    { start: 75, label: 'c' },
  ]);
  expect(cut.shortSegments).toBe(1);
  for (const { start, label } of cut.windows) {
    expect(segments.some((s) => s.label === label && s.start <= start && start + 19 <= s.end)).toBe(true);
  }
});

test('segments beyond the end of the recording give no window beyond it', () => {
  const cut = cutWindows(loaded(30, null, [{ label: 'a', start: -5, end: 500 }]), { frames: 20, stride: 10 });
  expect(cut.windows).toEqual([
    { start: 0, label: 'a' },
    { start: 10, label: 'a' },
  ]);
});

test('no label, no windows, but counted', () => {
  const cut = cutWindows(loaded(100, null), { frames: 40, stride: 20 });
  expect(cut).toMatchObject({ windows: [], unlabelled: 4, tooShort: false });
});

test('reading a window copies it', () => {
  const { samples } = loaded(10, 'a');
  const window = readWindow(samples, 2, 3, 4);
  expect([...window]).toEqual([6, 7, 8, 9, 10, 11, 12, 13]);
  window[0] = 99;
  expect(samples[6]).toBe(6);
  expect(() => readWindow(samples, 2, 7, 4)).toThrow(RangeError);
  expect(() => readWindow(samples, 2, -1, 4)).toThrow(RangeError);
  expect(() => readWindow(samples, 2, 0.25, 4)).toThrow(RangeError);
  expect(() => cutWindows(loaded(10, 'a'), { frames: 0, stride: 1 })).toThrow(RangeError);
  expect(() => cutWindows(loaded(10, 'a'), { frames: 4, stride: 0 })).toThrow(RangeError);
});
