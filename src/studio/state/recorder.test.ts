import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStudioStore } from '../../store/indexeddb-store';
import type { StudioStore } from '../../store/studio-store';
import type { StudioServices } from '../services';
import { fakeBoard, FAKE_IDENTITY, type FakeBoard } from '../../../tests/fixtures/fake-board';
import { Recorder, type RecorderOutcome } from './recorder.svelte';
import { Recordings } from './recordings.svelte';

let store: StudioStore;
let recordings: Recordings;
let recorder: Recorder;
let fake: FakeBoard;
let outcomes: RecorderOutcome[];
let count = 0;

beforeEach(async () => {
  store = await openStudioStore({ name: `recorder-${++count}`, storage: null, locks: null, channel: null });
  recordings = new Recordings(store);
  outcomes = [];
  const services = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5), randomId: () => `id-${++count}` } as StudioServices;
  recorder = new Recorder(services, recordings, 'session', (outcome) => outcomes.push(outcome));
  fake = fakeBoard();
});

afterEach(() => {
  fake.board.dispose();
  store.close();
});

const settings = { label: ' wave ', seconds: 0.5, countdown: 0 };
const ended = async (): Promise<RecorderOutcome> => {
  await expect.poll(() => outcomes.length).toBe(1);
  return outcomes[0]!;
};

test('stops by itself at exactly the length asked for, whatever the bursts', async () => {
  await recorder.start(fake.board, settings);
  fake.send(30);
  fake.send(30);
  const { end, recording } = await ended();
  expect(end).toBe('complete');
  expect(recording).toMatchObject({ frames: 50, label: 'wave', name: 'wave 2026-01-02 03:04:05', rateHz: 100 });
  const samples = await recordings.samples(recording!.id);
  expect(samples).toHaveLength(100);
  expect([samples[98], samples[99]]).toEqual([49, Math.fround(49.1)]);
  expect(recordings.all).toHaveLength(1);
});

test('a pulled cable keeps what had arrived', async () => {
  await recorder.start(fake.board, settings);
  fake.send(20);
  fake.pullCable();
  const { end, recording } = await ended();
  expect([end, recording?.frames]).toEqual(['lost', 20]);
  expect(recorder.phase).toBe('idle');
});

test('a pulled cable before the first sample keeps nothing', async () => {
  await recorder.start(fake.board, settings);
  fake.pullCable();
  expect(await ended()).toMatchObject({ end: 'lost', recording: null });
  await recordings.refresh();
  expect(recordings.all).toEqual([]);
});

test('counts lost frames', async () => {
  await recorder.start(fake.board, { ...settings, seconds: null });
  fake.send(10);
  fake.send(10, 3);
  await recorder.stop();
  const { recording } = await ended();
  expect(recording).toMatchObject({ frames: 20, quality: { lostFrames: 3, gaps: 1 } });
});

test('throwing away leaves no trace', async () => {
  await recorder.start(fake.board, settings);
  fake.send(10);
  await recorder.cancel();
  await recordings.refresh();
  expect([recordings.all, recordings.trashed, recordings.unfinished]).toEqual([[], [], []]);
  fake.send(50);
  expect([recorder.phase, outcomes.length]).toEqual(['idle', 0]);
});

test('stopping during the countdown records nothing', async () => {
  const started = recorder.start(fake.board, { ...settings, countdown: 3 });
  expect([recorder.phase, recorder.countdown]).toEqual(['countdown', 3]);
  await recorder.stop();
  await started;
  fake.send(60);
  expect(recorder.phase).toBe('idle');
  expect(await store.listRecordings()).toEqual([]);
});

test('an estimated rate becomes one nominal rate', async () => {
  fake.board.dispose();
  fake = fakeBoard({ ...FAKE_IDENTITY, rateHz: 99.87, rateEstimated: true });
  await recorder.start(fake.board, settings);
  fake.send(60);
  expect((await ended()).recording).toMatchObject({ frames: 50, rateHz: 100 });
});
