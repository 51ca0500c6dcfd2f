/**
 * Which recordings train and which test. Whole recordings only: windows of one recording overlap and look alike, so a
 * split by window would measure memory, not skill.
 */
import type { LoadedRecording, Recording } from './recording';
import { mix32 } from './random';

export interface SplitOptions {
  /** Share of the `auto` recordings that test, 0..1. Default 0.2. */
  readonly testShare?: number;
  /** Share of the train side held back for early stopping, 0..1. Default 0.2. */
  readonly validationShare?: number;
  /** What stays together: a recording (default), or all recordings of one session (one sitting, one person). */
  readonly by?: 'recording' | 'session';
}

export interface Split<T> {
  readonly train: readonly T[];
  readonly validation: readonly T[];
  readonly test: readonly T[];
  /** Neither label nor segments: used for nothing. */
  readonly unlabelled: readonly T[];
  /** Plain sentences that the user must read. */
  readonly warnings: readonly string[];
}

/** A label needs this many recordings before one of them is set aside for testing. */
export const LEAST_RECORDINGS_TO_TEST = 3;
/** With fewer test recordings than this, the accuracy is called a rough guess. */
const FEW_TEST_RECORDINGS = 10;

/** FNV-1a over the UTF-8 bytes, finished with MurmurHash3's mixer: uniform in 0..1, the same everywhere, for ever. */
export function stableFraction(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return mix32(hash) / 2 ** 32;
}

/** Every label of a recording: its own, or those of its segments. */
export function labelsOf(recording: Recording): readonly string[] {
  if (recording.segments.length > 0) return [...new Set(recording.segments.map((segment) => segment.label))];
  return recording.label === null ? [] : [recording.label];
}

/** Recordings that are on the same side for certain. */
interface Group<T> {
  readonly key: string;
  readonly items: T[];
  readonly labels: Set<string>;
  choice: 'auto' | 'train' | 'test';
}

/**
 * Splits recordings into train, validation and test, the same way on every machine and in every order of the input.
 *
 * - `train` and `test` chosen by hand are honoured.
 * - An `auto` recording tests when the hash of its id falls below `testShare`, so that adding recordings moves no other
 *   recording. One exception bends this for small collections only: a label with at least three recordings has at least
 *   one on each side. Where the hash does not give that, the `auto` recording with the lowest hash goes to the test
 *   side, or the one with the highest to the train side, label by label in alphabetical order.
 * - A label with fewer than three recordings keeps at least one on the train side where `auto` allows it.
 * - Validation is cut from the train side by another hash, with the same exception; it never touches the test side.
 */
export function splitRecordings<T extends Recording | LoadedRecording>(
  recordings: readonly T[],
  { testShare = 0.2, validationShare = 0.2, by = 'recording' }: SplitOptions = {},
): Split<T> {
  const unlabelled: T[] = [];
  const groups = new Map<string, Group<T>>();
  for (const item of recordings) {
    const recording = metadataOf(item);
    const labels = labelsOf(recording);
    if (labels.length === 0) {
      unlabelled.push(item);
      continue;
    }
    // A choice made by hand splits a session: each choice is a group of its own.
    const key = by === 'session' ? `${recording.sessionId}\u0000${recording.split}` : recording.id;
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { key, items: [], labels: new Set(), choice: recording.split }));
    group.items.push(item);
    for (const label of labels) group.labels.add(label);
  }
  const all = [...groups.values()];
  const test = divide(all, testShare, 'test', (group) => group.choice);
  const rest = all.filter((group) => !test.has(group));
  const validation = divide(rest, validationShare, 'validation', () => 'auto');
  const side = (wanted: (group: Group<T>) => boolean) => {
    const items = new Set(all.filter(wanted).flatMap((group) => group.items));
    return recordings.filter((item) => items.has(item));
  };
  const split = {
    test: side((group) => test.has(group)),
    validation: side((group) => validation.has(group)),
    train: side((group) => !test.has(group) && !validation.has(group)),
    unlabelled,
  };
  return { ...split, warnings: warn(split, by) };
}

function metadataOf(item: Recording | LoadedRecording): Recording {
  return 'recording' in item ? item.recording : item;
}

/** The groups that are set aside. */
function divide<T>(
  groups: readonly Group<T>[],
  share: number,
  salt: string,
  choiceOf: (group: Group<T>) => 'auto' | 'train' | 'test',
): Set<Group<T>> {
  const fraction = new Map(groups.map((group) => [group, stableFraction(`${salt}\u0000${group.key}`)]));
  const byFraction = [...groups].sort(
    (a, b) => fraction.get(a)! - fraction.get(b)! || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  );
  const aside = new Set(
    groups.filter((group) => {
      const choice = choiceOf(group);
      return choice === 'test' || (choice === 'auto' && fraction.get(group)! < share);
    }),
  );
  const labels = [...new Set(groups.flatMap((group) => [...group.labels]))].sort();
  const having = (label: string) => byFraction.filter((group) => group.labels.has(label));
  const kept = (label: string) => having(label).filter((group) => !aside.has(group)).length;
  if (share > 0) {
    for (const label of labels) {
      const candidates = having(label);
      if (candidates.length < LEAST_RECORDINGS_TO_TEST || candidates.some((group) => aside.has(group))) continue;
      const free = candidates.find(
        (group) => choiceOf(group) === 'auto' && [...group.labels].every((other) => kept(other) > 1),
      );
      if (free) aside.add(free);
    }
  }
  for (const label of labels) {
    if (kept(label) > 0) continue;
    const free = having(label).findLast((group) => choiceOf(group) === 'auto');
    if (free) aside.delete(free);
  }
  return aside;
}

function warn<T extends Recording | LoadedRecording>(
  { train, validation, test, unlabelled }: Omit<Split<T>, 'warnings'>,
  by: 'recording' | 'session',
): string[] {
  const warnings: string[] = [];
  const count = (side: readonly T[]) => {
    const counts = new Map<string, number>();
    for (const item of side) {
      for (const label of labelsOf(metadataOf(item))) counts.set(label, (counts.get(label) ?? 0) + 1);
    }
    return counts;
  };
  const inTrain = count([...train, ...validation]);
  const inTest = count(test);
  const labels = [...new Set([...inTrain.keys(), ...inTest.keys()])].sort();
  for (const label of labels) {
    const learns = inTrain.get(label) ?? 0;
    const tests = inTest.get(label) ?? 0;
    if (learns === 0) {
      warnings.push(
        `“${label}” has no recording to learn from: all ${recordingsText(tests)} are set aside for testing.`,
      );
    } else if (tests === 0) {
      warnings.push(
        learns + tests < LEAST_RECORDINGS_TO_TEST
          ? `“${label}” has only ${recordingsText(learns)}, so none could be held out: nothing is known about how well it is recognised. Record at least ${LEAST_RECORDINGS_TO_TEST}.`
          : `“${label}” has no recording held out for testing: nothing is known about how well it is recognised.`,
      );
    } else if (learns < LEAST_RECORDINGS_TO_TEST) {
      warnings.push(`“${label}” learns from only ${recordingsText(learns)}; more recordings would help.`);
    }
  }
  if (labels.length > 0 && test.length === 0) {
    warnings.push('No recording is held out for testing, so there is no accuracy to report.');
  } else if (test.length > 0 && test.length < FEW_TEST_RECORDINGS) {
    warnings.push(
      `Accuracy rests on only ${recordingsText(test.length)} held out (each counts for ${(100 / test.length).toFixed(0)} %): take it as a rough guess.`,
    );
  }
  if (train.length > 0 && validation.length === 0) {
    warnings.push('No recording is held back for early stopping: training may run longer than is good for it.');
  }
  if (by === 'session' && new Set([...train, ...test].map((item) => metadataOf(item).sessionId)).size < 2) {
    warnings.push('All recordings are of one session, so the split by session could hold nothing out.');
  }
  if (unlabelled.length > 0) {
    warnings.push(
      `${recordingsText(unlabelled.length)} without a label ${unlabelled.length === 1 ? 'is' : 'are'} not used.`,
    );
  }
  return warnings;
}

function recordingsText(count: number): string {
  return count === 1 ? '1 recording' : `${count} recordings`;
}
