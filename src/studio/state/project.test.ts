import { expect, test } from 'vitest';
import { generateRecording } from '../../signal/motion-generator';
import type { SettingStore } from '../../store/studio-store';
import { Project } from './project.svelte';

const nowhere: SettingStore = { getSetting: () => Promise.resolve(undefined), putSetting: () => Promise.resolve() };
const recordings = ['wave', 'idle'].map(
  (gesture, seed) => generateRecording({ gesture: gesture, seconds: 4, rateHz: 50, seed }).recording,
);

function changedProject() {
  const project = new Project(nowhere, () => recordings);
  const suggested = project.pipeline!;
  project.change({ blocks: suggested.blocks.slice(0, 1) });
  project.change({ training: { ...suggested.training, epochs: 7 } });
  return { project, suggested };
}

test('the suggested training settings leave the features alone, and the other way round', () => {
  const { project, suggested } = changedProject();
  expect([project.featuresChosen, project.trainingChosen]).toEqual([true, true]);

  project.resetTraining();
  expect(project.pipeline?.training).toEqual(suggested.training);
  expect(project.pipeline?.blocks).toHaveLength(1);
  expect([project.featuresChosen, project.trainingChosen]).toEqual([true, false]);

  project.resetFeatures();
  expect(project.pipeline).toEqual(suggested);
  expect(project.chosen, 'follows the data again').toBeNull();
});

test('a reset can be undone', () => {
  const { project } = changedProject();
  const before = project.pipeline;
  const undo = project.resetFeatures();
  expect(project.pipeline).not.toEqual(before);
  undo();
  expect(project.pipeline).toEqual(before);
});
