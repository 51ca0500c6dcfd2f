import { expect, test } from 'vitest';
import { contentHash, datasetHash } from './dataset-hash';
import { generateRecording } from './motion-generator';
import type { LoadedRecording, Recording } from './recording';

const one = generateRecording({ gesture: 'wave', seconds: 1, rateHz: 50, seed: 1 });
const two = generateRecording({ gesture: 'idle', seconds: 1, rateHz: 50, seed: 2 });
const changed = (changes: Partial<Recording>): LoadedRecording => ({
  ...one,
  recording: { ...one.recording, ...changes },
});

test('the same data has the same hash, in any order, for ever', () => {
  expect(datasetHash([one, two])).toBe(datasetHash([two, one]));
  expect(datasetHash([one, two])).toMatchInlineSnapshot(
    `"7b7a63a5bab66bc016e93fd7b4a7819552384836a8e8adc88d256b34a21a620f"`,
  );
  expect(datasetHash([])).toHaveLength(64);
});

test('everything that training reads counts', () => {
  const samples = one.samples.slice();
  samples[7]! += 1e-6;
  const variants = [
    [one],
    [two],
    [one, two],
    [one, one],
    [{ ...one, samples }],
    [changed({ label: 'x' })],
    [changed({ label: null, segments: [{ label: 'wave', start: 0, end: 49 }] })],
    [changed({ split: 'test' })],
    [changed({ rateHz: 51 })],
    [changed({ id: 'other' })],
    [changed({ channels: one.recording.channels.map((c) => ({ ...c, unit: 'g' })) })],
  ];
  expect(new Set(variants.map((v) => datasetHash(v))).size).toBe(variants.length);
});

test('what training does not read does not count', () => {
  const same = changed({
    name: 'n',
    createdAt: 5,
    measuredRateHz: 49,
    source: { kind: 'file', fileName: 'f', format: 'csv' },
  });
  expect(datasetHash([same])).toBe(datasetHash([one]));
});

test('a view into a larger buffer hashes like a copy', () => {
  const large = new Float32Array(one.samples.length + 10);
  large.set(one.samples, 5);
  const view = large.subarray(5, 5 + one.samples.length);
  expect(contentHash(6, 50, view)).toBe(contentHash(6, 50, one.samples));
  expect(contentHash(3, 50, view)).not.toBe(contentHash(6, 50, one.samples));
});
