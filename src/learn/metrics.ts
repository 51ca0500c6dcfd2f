/** Figures of a classifier on windows it has not seen. */
import type { ConfusionMatrix } from './pipeline';

/** Precision, recall and F1 of one label, 0..1; null where nothing can be said (no such window, or never predicted). */
export interface ClassFigures {
  /** Share of the windows given this label that really have it. */
  readonly precision: number | null;
  /** Share of this label's windows that were recognised. */
  readonly recall: number | null;
  readonly f1: number | null;
  /** Windows that really have this label. */
  readonly windows: number;
}

/** `truth` and `predicted` are class indices, one per window. */
export function confusionMatrix(truth: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < truth.length; i++) {
    const row = matrix[truth[i] as number];
    const column = predicted[i] as number;
    if (!row || row[column] === undefined) throw new RangeError(`Window ${i}: no such class.`);
    row[column]++;
  }
  return matrix;
}

/** Share of windows on the diagonal, or null without windows. */
export function accuracy(matrix: ConfusionMatrix): number | null {
  let correct = 0;
  let total = 0;
  matrix.forEach((row, label) => {
    correct += row[label] ?? 0;
    for (const count of row) total += count;
  });
  return total === 0 ? null : correct / total;
}

/** Per label, in label order. */
export function classFigures(matrix: ConfusionMatrix): ClassFigures[] {
  return matrix.map((row, label) => {
    const hits = row[label] ?? 0;
    const windows = row.reduce((sum, count) => sum + count, 0);
    const predicted = matrix.reduce((sum, other) => sum + (other[label] ?? 0), 0);
    return {
      precision: predicted === 0 ? null : hits / predicted,
      recall: windows === 0 ? null : hits / windows,
      f1: windows + predicted === 0 ? null : (2 * hits) / (windows + predicted),
      windows,
    };
  });
}

/** Index of the largest score; the first one wins a tie, as on the board. */
export function argmax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
  return best;
}
