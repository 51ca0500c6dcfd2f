import { expect, test } from 'vitest';
import { defaultBlock } from '../../../dsp/compile';
import { generateRecording } from '../../../signal/motion-generator';
import { explore, MOST_WINDOWS, type ExploreOptions } from './explore';

const loaded = ['idle', 'circle'].flatMap((gesture) =>
  [1, 2].map((seed) => generateRecording({ gesture, seconds: 6, rateHz: 50, seed })),
);
const input = { channels: loaded[0]!.recording.channels, rateHz: 50, windowMs: 1000, strideMs: 240 };
const blocks = [defaultBlock('flatten', input)];
const recordings = loaded.map(({ recording }) => recording);

function options(changes: Partial<ExploreOptions> = {}): ExploreOptions {
  return {
    load: (id) => Promise.resolve(loaded.find(({ recording }) => recording.id === id)!.samples),
    onProgress: () => undefined,
    signal: new AbortController().signal,
    now: () => 0,
    breathe: () => Promise.resolve(),
    ...changes,
  };
}

test('every labelled window becomes a point, and rest lies apart from circles', async () => {
  const progress: number[] = [];
  const result = await explore(recordings, blocks, input, options({ onProgress: (done) => progress.push(done) }));
  expect(result?.windows.length).toBe(4 * 21);
  expect(result?.total).toBe(4 * 21);
  expect(progress.at(-1)).toBe(84);
  const middle = (label: string) => {
    const own = result!.windows.filter((window) => window.label === label);
    return own.reduce((sum, window) => sum + window.x, 0) / own.length;
  };
  expect(Math.abs(middle('idle') - middle('circle'))).toBeGreaterThan(2);
});

test('recordings without the channels are left out and counted', async () => {
  const other = { ...recordings[0]!, id: 'other', channels: [{ name: 'temperature', unit: 'Cel' }] };
  const result = await explore([...recordings, other], blocks, input, options());
  expect(result?.skipped).toBe(1);
});

test('too few windows give no picture', async () => {
  expect(await explore(recordings.slice(0, 1), blocks, { ...input, windowMs: 5900 }, options())).toBeNull();
});

test('many windows are thinned evenly', async () => {
  const dense = { ...input, strideMs: 20 };
  const many = Array.from({ length: 8 }, (_, i) => ({ ...recordings[i % 4]!, name: `copy ${i}` }));
  const result = await explore(many, blocks, dense, options());
  expect(result!.total).toBeGreaterThan(MOST_WINDOWS);
  expect(result!.windows.length).toBeLessThanOrEqual(MOST_WINDOWS);
  expect(result!.windows.length).toBeGreaterThan(MOST_WINDOWS * 0.9);
  expect(result!.windows.at(-1)?.recording.name).toBe('copy 7');
});

test('an aborted signal stops it', async () => {
  const abort = new AbortController();
  const running = explore(recordings, blocks, input, options({ signal: abort.signal }));
  abort.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
});
