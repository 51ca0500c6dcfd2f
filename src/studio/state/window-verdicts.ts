/** From scores to verdicts: what a threshold makes of evaluated windows. Pure. */
import type { EvaluatedRecording, EvaluatedWindow } from '../../worker/evaluate-job';

/** Probability of an int8 score: softmax output has scale 1/256 and zero point -128. */
export function probability(score: number): number {
  return (score + 128) / 256;
}

/** Index of the answer, or null when the best score is below the threshold ("uncertain"). */
export function answerOf(window: EvaluatedWindow, threshold: number): number | null {
  return probability(window.scores[window.best] ?? -128) < threshold ? null : window.best;
}

export interface Tally {
  /** Row = true label, column = answer; one column more than labels: uncertain. */
  readonly matrix: readonly (readonly number[])[];
  readonly windows: number;
  /** Right answers whatever the threshold: best score on the true label. */
  readonly right: number;
  readonly decided: number;
  readonly decidedRight: number;
}

/** Counts the windows whose true label the model knows. */
export function tally(recordings: readonly EvaluatedRecording[], labels: readonly string[], threshold: number): Tally {
  const matrix = labels.map(() => new Array<number>(labels.length + 1).fill(0));
  let windows = 0;
  let right = 0;
  let decided = 0;
  let decidedRight = 0;
  for (const window of recordings.flatMap((recording) => recording.windows)) {
    const truth = window.label === null ? -1 : labels.indexOf(window.label);
    const row = matrix[truth];
    if (!row) continue;
    const answer = answerOf(window, threshold);
    const column = answer ?? labels.length;
    row[column] = (row[column] ?? 0) + 1;
    windows++;
    if (window.best === truth) right++;
    if (answer !== null) {
      decided++;
      if (answer === truth) decidedRight++;
    }
  }
  return { matrix, windows, right, decided, decidedRight };
}
