import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import type { BoardResult, SampleBatch } from '../../../board/board';
import { packId, readPack } from '../../../emit/pack';
import { createRunner } from '../../../emit/run-model';
import type { Board } from '../../state/boards.svelte';
import { LiveSession } from './live-session.svelte';

const pack = new Uint8Array(readFileSync(new URL('../../../../static-models/gestures/gestures.mote', import.meta.url)));
const model = readPack(pack);
const id = packId(pack);
const runner = createRunner(model);
const { frames, channels } = runner;

/** Any motion will do: value of frame n, channel c. */
function motion(from: number, count: number): Float32Array {
  return Float32Array.from(
    { length: count * channels },
    (_, i) => Math.sin((from + Math.floor(i / channels)) * 0.2) * (1 + (i % channels)) * 3,
  );
}

/** What a board answers for the window that ends at frame `last` of the motion, sent with `sequence`. */
function answer(last: number, sequence: number): BoardResult {
  const { scores, featureCrc } = runner.classify(motion(last - frames + 1, frames));
  return { modelId: id, sequence, scores: scores.slice(), featureCrc, dspUs: 300, networkUs: 20, decision: 1 };
}

function fakeBoard(modelId: number | null) {
  let takeSamples: (batch: SampleBatch) => void = () => undefined;
  let takeResult: (result: BoardResult) => void = () => undefined;
  const board = {
    activeModel: modelId === null ? null : { id: modelId },
    onSamples: (listener: typeof takeSamples) => ((takeSamples = listener), () => undefined),
    onResult: (listener: typeof takeResult) => ((takeResult = listener), () => undefined),
  } as unknown as Board;
  return {
    board,
    samples: (from: number, count: number, sequence: number | null, lostBefore = 0) => {
      const arrival = { boardTimeUs: null, arrivedAt: 0, lostBefore, frames: count };
      takeSamples({ ...arrival, samples: motion(from, count), sequence: sequence === null ? null : sequence >>> 0 });
    },
    result: (result: BoardResult) => takeResult(result),
  };
}

let session: LiveSession | null = null;
function live(board: Board, clock = () => 0): LiveSession {
  vi.useFakeTimers();
  session = new LiveSession(board, model, id, model.smoothing, clock);
  return session;
}
afterEach(() => {
  session?.stop();
  vi.useRealTimers();
});

const counts = ({ compared, identical, skipped }: LiveSession) => [compared, identical, skipped];

test('compares the very window that a result names, over the wrap of the sequence', () => {
  const { board, samples, result } = fakeBoard(id);
  const one = live(board);
  const start = 2 ** 32 - frames - 10;
  for (let at = 0; at < 2 * frames; at += 7) samples(at, 7, start + at);
  for (const last of [frames, frames + 9, frames + 20, 2 * frames - 1]) result(answer(last, (start + last) >>> 0));
  vi.advanceTimersByTime(200);
  expect(counts(one)).toEqual([4, 4, 0]);
  expect([one.difference, one.board?.decision, one.boardTimes]).toEqual([null, 1, { dspUs: 300, networkUs: 20 }]);
});

test('a result that overtakes its samples waits for them', () => {
  const { board, samples, result } = fakeBoard(id);
  const one = live(board);
  samples(0, frames - 5, 0);
  result(answer(frames - 1, frames - 1));
  vi.advanceTimersByTime(200);
  expect(counts(one)).toEqual([0, 0, 0]);
  samples(frames - 5, 10, frames - 5);
  vi.advanceTimersByTime(200);
  expect(counts(one)).toEqual([1, 1, 0]);
});

test('windows across lost frames are counted as not compared, never as different', () => {
  const { board, samples, result } = fakeBoard(id);
  const one = live(board);
  samples(0, frames, 0);
  samples(frames + 3, 2 * frames, frames + 3, 3);
  result(answer(frames + 10, frames + 10));
  result(answer(2 * frames + 10, 2 * frames + 10));
  vi.advanceTimersByTime(200);
  expect(counts(one)).toEqual([1, 1, 1]);
});

test('one other bit is a difference, kept with the bytes of both sides', () => {
  const { board, samples, result } = fakeBoard(id);
  const one = live(board);
  samples(0, frames + 1, 0);
  const right = answer(frames - 1, frames - 1);
  const wrong = right.scores.slice();
  wrong[2] = (wrong[2] as number) ^ 1;
  result({ ...right, scores: wrong });
  result({ ...answer(frames, frames), featureCrc: 5 });
  vi.advanceTimersByTime(200);
  expect(counts(one)).toEqual([2, 0, 0]);
  expect(one.difference).toEqual({
    sequence: frames - 1,
    board: [...wrong],
    browser: [...right.scores],
    boardCrc: right.featureCrc,
    browserCrc: right.featureCrc,
  });
});

test('results of another model are left alone', () => {
  const { board, samples, result } = fakeBoard(id);
  const one = live(board);
  samples(0, frames, 0);
  result({ ...answer(frames - 1, frames - 1), modelId: id ^ 1 });
  vi.advanceTimersByTime(200);
  expect([counts(one), one.board]).toEqual([[0, 0, 0], null]);
});

test('without a model on the board: a window at every stride, afresh after a gap, and its measured rate', () => {
  const { board, samples } = fakeBoard(null);
  let now = 0;
  const one = live(board, () => now);
  const stride = Math.round((model.input.strideMs * model.input.rateHz) / 1000);
  const total = () => one.history.reduce((sum, spell) => sum + spell.windows, 0);
  for (let at = 0; at < frames + 8 * stride; at += 5) {
    now = at * 10;
    samples(at, 5, null);
  }
  vi.advanceTimersByTime(200);
  expect([one.comparing, total()]).toEqual([false, 9]);
  expect(one.windowsPerSecond).toBeCloseTo(1000 / model.input.strideMs, 6);
  samples(5000, frames - 1, null, 40);
  vi.advanceTimersByTime(200);
  expect(total()).toBe(9);
  samples(5000 + frames - 1, 1, null);
  vi.advanceTimersByTime(200);
  expect(total()).toBe(10);
});
