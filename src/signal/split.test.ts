import { expect, test } from 'vitest';
import { Random } from './random';
import { PRISTINE, type Recording, type SplitChoice } from './recording';
import { splitRecordings, stableFraction } from './split';

function recording(id: string, label: string | null, split: SplitChoice = 'auto', sessionId = 's'): Recording {
  return {
    id,
    name: id,
    createdAt: 0,
    sessionId,
    channels: [{ name: 'x', unit: '' }],
    rateHz: 100,
    measuredRateHz: null,
    frames: 100,
    label,
    segments: [],
    split,
    source: { kind: 'file', fileName: id, format: 'csv' },
    quality: PRISTINE,
  };
}

function many(count: number, label: string, prefix = label): Recording[] {
  return Array.from({ length: count }, (_, i) => recording(`${prefix}-${i}`, label));
}

const ids = (recordings: readonly Recording[]) => recordings.map((r) => r.id).sort();

test('the hash never changes', () => {
  expect(['a', 'b', 'gesture-1', 'ü'].map(stableFraction)).toMatchInlineSnapshot(`
    [
      0.10352621669881046,
      0.5108090755529702,
      0.12409942247904837,
      0.7553344829939306,
    ]
  `);
});

test('every recording is on exactly one side, about a fifth tests', () => {
  const all = [...many(300, 'wave'), ...many(300, 'idle')];
  const { train, validation, test: held, unlabelled, warnings } = splitRecordings(all);
  expect([...ids(train), ...ids(validation), ...ids(held)].sort()).toEqual(ids(all));
  expect(unlabelled).toEqual([]);
  expect(held.length / all.length).toBeGreaterThan(0.15);
  expect(held.length / all.length).toBeLessThan(0.25);
  expect(validation.length / (train.length + validation.length)).toBeGreaterThan(0.15);
  expect(validation.length / (train.length + validation.length)).toBeLessThan(0.25);
  expect(warnings).toEqual([]);
});

test('the order of the input does not matter', () => {
  const all = [...many(12, 'wave'), ...many(5, 'idle'), ...many(2, 'rare')];
  const once = splitRecordings(all);
  const shuffled = splitRecordings(new Random(1).shuffle([...all]));
  for (const side of ['train', 'validation', 'test'] as const) expect(ids(shuffled[side])).toEqual(ids(once[side]));
});

test('adding recordings moves none of a collection that needs no exception', () => {
  const few = [...many(60, 'wave'), ...many(60, 'idle')];
  const before = splitRecordings(few);
  const after = splitRecordings([...few, ...many(60, 'shake'), ...many(40, 'wave', 'wave-more')]);
  const now = new Set(ids(after.test));
  for (const r of before.test) expect(now.has(r.id)).toBe(true);
  for (const r of [...before.train, ...before.validation]) expect(now.has(r.id)).toBe(false);
});

test('choices made by hand are honoured', () => {
  const all = [
    ...many(20, 'wave').map((r) => ({ ...r, split: 'train' as const })),
    ...many(4, 'wave', 'wave-test').map((r) => ({ ...r, split: 'test' as const })),
  ];
  const { train, validation, test: held } = splitRecordings(all);
  expect(ids(held)).toEqual(ids(all.filter((r) => r.split === 'test')));
  expect(train.length + validation.length).toBe(20);
  expect(validation.length).toBeGreaterThan(0);
});

test('a label with three recordings has one on each side, whatever the hash says', () => {
  for (let trial = 0; trial < 200; trial++) {
    const {
      train,
      validation,
      test: held,
    } = splitRecordings([...many(3, 'a', `a${trial}`), ...many(4, 'b', `b${trial}`)]);
    for (const label of ['a', 'b']) {
      expect(held.some((r) => r.label === label)).toBe(true);
      expect(train.some((r) => r.label === label)).toBe(true);
    }
    expect(train.length + validation.length + held.length).toBe(7);
  }
});

test('a label with one or two recordings always learns, and the user is told', () => {
  for (let trial = 0; trial < 100; trial++) {
    const { train, warnings } = splitRecordings([
      ...many(1, 'one', `one${trial}`),
      ...many(2, 'two', `two${trial}`),
      ...many(20, 'many'),
    ]);
    expect(train.some((r) => r.label === 'one')).toBe(true);
    expect(train.some((r) => r.label === 'two')).toBe(true);
    expect(warnings.join(' ')).toMatch(/“one” has only 1 recording/);
  }
});

test('validation changes nothing about the test side', () => {
  const all = [...many(30, 'wave'), ...many(7, 'idle')];
  const without = splitRecordings(all, { validationShare: 0 });
  const withHalf = splitRecordings(all, { validationShare: 0.5 });
  expect(without.validation).toEqual([]);
  expect(ids(withHalf.test)).toEqual(ids(without.test));
  expect(withHalf.validation.length).toBeGreaterThan(0);
});

test('a whole session stays on one side when asked', () => {
  const all = Array.from({ length: 40 }, (_, i) => recording(`r${i}`, 'wave', 'auto', `session-${i % 8}`));
  const { train, validation, test: held } = splitRecordings(all, { by: 'session', testShare: 0.3 });
  const sessions = [train, validation, held].map((side) => new Set(side.map((r) => r.sessionId)));
  expect(held.length).toBeGreaterThan(0);
  for (const session of sessions[2]!) {
    expect(sessions[0]!.has(session)).toBe(false);
    expect(sessions[1]!.has(session)).toBe(false);
  }
});

test('recordings with segments count for each of their labels', () => {
  const mixed = Array.from({ length: 5 }, (_, i) => ({
    ...recording(`m${i}`, null),
    segments: [
      { label: 'a', start: 0, end: 49 },
      { label: 'b', start: 50, end: 99 },
    ],
  }));
  const { train, test: held } = splitRecordings(mixed);
  expect(held.length).toBeGreaterThan(0);
  expect(train.length).toBeGreaterThan(0);
});

test('honest about little: few, none and unlabelled', () => {
  const little = splitRecordings([...many(3, 'a'), ...many(3, 'b'), recording('x', null)]);
  expect(little.unlabelled.map((r) => r.id)).toEqual(['x']);
  expect(little.warnings.join('\n')).toMatch(/rests on only 2 recordings held out \(each counts for 50 %\)/);
  expect(little.warnings.join('\n')).toMatch(/1 recording without a label is not used/);
  const none = splitRecordings(many(2, 'a').map((r) => ({ ...r, split: 'train' as const })));
  expect(none.warnings.join('\n')).toMatch(/no accuracy to report/);
  const onlyTest = splitRecordings(many(2, 'a').map((r) => ({ ...r, split: 'test' as const })));
  expect(onlyTest.warnings.join('\n')).toMatch(/“a” has no recording to learn from/);
  expect(splitRecordings([])).toEqual({ train: [], validation: [], test: [], unlabelled: [], warnings: [] });
});
