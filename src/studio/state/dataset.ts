/** Facts about a set of recordings: counts, and a key that changes when a model would. */
import type { Recording } from '../../signal/recording';
import { labelsOf, type Split } from '../../signal/split';

/** Where a recording ends up once `auto` is decided. */
export type Side = 'train' | 'validation' | 'test' | 'unused';

export interface LabelStatistics {
  readonly label: string;
  readonly recordings: number;
  readonly seconds: number;
  /** Recordings to learn from (those held back for early stopping among them) and recordings to test with. */
  readonly train: number;
  readonly test: number;
}

export function secondsOf(recording: Recording): number {
  return recording.rateHz > 0 ? recording.frames / recording.rateHz : 0;
}

/** All labels in use, sorted by code unit: the order of colours and of the model's outputs. */
export function sortedLabels(recordings: readonly Recording[]): string[] {
  return [...new Set(recordings.flatMap(labelsOf))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

export function sidesOf(split: Split<Recording>): ReadonlyMap<string, Side> {
  const sides = new Map<string, Side>();
  for (const side of ['train', 'validation', 'test'] as const)
    for (const recording of split[side]) sides.set(recording.id, side);
  return sides;
}

export function statisticsOf(
  recordings: readonly Recording[],
  labels: readonly string[],
  sides: ReadonlyMap<string, Side>,
): LabelStatistics[] {
  return labels.map((label) => {
    const having = recordings.filter((recording) => labelsOf(recording).includes(label));
    const test = having.filter((recording) => sides.get(recording.id) === 'test').length;
    return {
      label,
      recordings: having.length,
      seconds: having.reduce((sum, recording) => sum + secondsOf(recording), 0),
      train: having.length - test,
      test,
    };
  });
}

/** 64-bit FNV-1a in two halves, as hex: tells "the same or not", nothing more. */
export function fingerprint(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ (code + i), 0x85ebca6b);
  }
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}

/** Changes when anything changes that a trained model depends on. */
export function datasetKey(recordings: readonly Recording[], sides: ReadonlyMap<string, Side>): string {
  return fingerprint(
    recordings
      .filter((recording) => labelsOf(recording).length > 0)
      .map((recording) =>
        JSON.stringify([
          recording.id,
          recording.frames,
          recording.label,
          recording.segments.map((segment) => [segment.label, segment.start, segment.end]),
          sides.get(recording.id),
        ]),
      )
      .sort()
      .join('\n'),
  );
}
