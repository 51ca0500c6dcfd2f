import { expect, test } from 'vitest';
import { PRISTINE, type Recording } from '../../../signal/recording';
import { freeName } from './export-recordings';
import { listRecordings } from './list-recordings';

function recording(name: string, label: string | null, createdAt: number, frames = 100): Recording {
  return {
    id: name,
    name,
    createdAt,
    sessionId: 's',
    channels: [{ name: 'x', unit: 'g' }],
    rateHz: 50,
    measuredRateHz: null,
    frames,
    label,
    segments: name === 'mixed' ? [{ label: 'wave', start: 0, end: 9 }] : [],
    split: 'auto',
    source: { kind: 'generated', generator: 'test', seed: 1 },
    quality: PRISTINE,
  };
}

const all = [
  recording('wave.10', 'wave', 3),
  recording('wave.2', 'wave', 1, 900),
  recording('Idle.1', 'idle', 2),
  recording('mixed', null, 4),
  recording('loose', null, 5),
];
const names = (options: Partial<Parameters<typeof listRecordings>[1]>) =>
  listRecordings(all, { label: null, text: '', order: 'newest', ...options }).map((one) => one.name);

test('orders', () => {
  expect(names({})).toEqual(['loose', 'mixed', 'wave.10', 'Idle.1', 'wave.2']);
  expect(names({ order: 'name' })).toEqual(['Idle.1', 'loose', 'mixed', 'wave.2', 'wave.10']);
  expect(names({ order: 'longest' })[0]).toBe('wave.2');
  expect(names({ order: 'label' })).toEqual(['Idle.1', 'mixed', 'wave.2', 'wave.10', 'loose']);
});

test('finds by label, by segment and without one', () => {
  expect(names({ label: 'wave', order: 'name' })).toEqual(['mixed', 'wave.2', 'wave.10']);
  expect(names({ label: undefined })).toEqual(['loose']);
  expect(names({ text: ' IDLE ' })).toEqual(['Idle.1']);
});

test('export names do not collide', () => {
  expect(freeName('wave.csv', new Set())).toBe('wave.csv');
  expect(freeName('wave.csv', new Set(['wave.csv', 'wave (2).csv']))).toBe('wave (3).csv');
});
