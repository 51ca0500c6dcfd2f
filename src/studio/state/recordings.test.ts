import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { generateRecording } from '../../signal/motion-generator';
import { labelsOf } from '../../signal/split';
import { openStudioStore } from '../../store/indexeddb-store';
import type { StudioStore } from '../../store/studio-store';
import { Recordings } from './recordings.svelte';

let store: StudioStore;
let recordings: Recordings;
let count = 0;

beforeEach(async () => {
  store = await openStudioStore({ name: `recordings-${++count}`, storage: null, locks: null, channel: null });
  recordings = new Recordings(store);
  const { recording, samples } = generateRecording({ gesture: 'wave', seconds: 1, rateHz: 50, seed: 1 });
  await store.addRecording({ recording: { ...recording, id: 'whole' }, samples });
  await store.addRecording({
    recording: {
      ...recording,
      id: 'parts',
      label: null,
      segments: [
        { label: 'wave', start: 0, end: 19 },
        { label: 'idle', start: 20, end: 49 },
      ],
    },
    samples,
  });
  await recordings.refresh();
});

afterEach(() => store.close());

const labels = () =>
  Object.fromEntries(recordings.all.map((recording) => [recording.id, labelsOf(recording).join(', ')]));

test('a new label counts for every recording, also for those that had labelled segments', async () => {
  await recordings.relabel(['whole', 'parts'], 'shake');
  expect(labels()).toEqual({ whole: 'shake', parts: 'shake' });
});

test('undo gives labels, segments and splits back', async () => {
  const before = recordings.all;
  await recordings.relabel(['whole', 'parts'], 'shake');
  await recordings.setSplit(['whole'], 'test');
  await recordings.putBack(before);
  expect(labels()).toEqual({ whole: 'wave', parts: 'wave, idle' });
  expect(recordings.all.map(({ split }) => split)).toEqual(['auto', 'auto']);
  await recordings.refresh();
  expect(labels()).toEqual({ whole: 'wave', parts: 'wave, idle' });
});
