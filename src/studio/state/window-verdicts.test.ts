import { expect, test } from 'vitest';
import { answerOf, probability, tally } from './window-verdicts';

const window = (label: string | null, scores: number[]) => ({
  startMs: 0,
  label,
  best: scores.indexOf(Math.max(...scores)),
  scores: Int8Array.from(scores),
});
const recording = (...windows: ReturnType<typeof window>[]) => ({ recordingId: 'r', windows, problem: null });

test('probabilities are those of the softmax output', () => {
  expect(probability(-128)).toBe(0);
  expect(probability(127)).toBe(255 / 256);
});

test('below the threshold there is no answer', () => {
  const half = window('a', [0, -1, -127]);
  expect(answerOf(half, 0.5)).toBe(0);
  expect(answerOf(half, 0.51)).toBeNull();
});

test('counts right, wrong, uncertain and leaves out labels the model does not know', () => {
  const result = tally(
    [
      recording(window('a', [100, -100]), window('a', [-100, 100]), window('b', [10, 20])),
      recording(window('c', [100, -100]), window(null, [100, -100])),
    ],
    ['a', 'b'],
    0.6,
  );
  expect(result.matrix).toEqual([
    [1, 1, 0],
    [0, 0, 1],
  ]);
  expect(result).toMatchObject({ windows: 3, right: 2, decided: 2, decidedRight: 1 });
});
