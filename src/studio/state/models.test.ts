import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, expect, test } from 'vitest';
import { smallModel } from '../../../tests/fixtures/small-model';
import { UNKNOWN_PIPELINE } from '../../emit/model';
import { packId, readPack, writePack } from '../../emit/pack';
import { openStudioStore } from '../../store/indexeddb-store';
import { recordOfReceived } from '../stations/deploy/received-model';
import { findModel, isModel } from './model-id';
import { Models, type ModelRecord } from './models.svelte';

const IMAGE_ID = 0xa1b2c3d4;
const plain = smallModel(1);
const pack = writePack({ ...plain, receipt: { ...plain.receipt, pipeline: UNKNOWN_PIPELINE } });
const record = recordOfReceived(readPack(pack), 'read from an Uno', IMAGE_ID);
const kept = { id: 'k', name: 'kept', createdAt: 1, pack, record };

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

test('the id of the image stays with a model that is renamed, deleted, put back, and loaded anew', async () => {
  const store = await openStudioStore();
  const models = new Models(store);
  await models.keep(kept);
  const found = () => findModel(models.list, IMAGE_ID);
  expect(found()?.id).toBe('k');
  expect(found()).toBe(findModel(models.list, packId(pack)));
  const model = found();
  if (!model) throw new Error('the model is not in the list');
  await models.rename(model, 'other');
  expect(found()?.name).toBe('other');
  await models.remove('k');
  expect(found()).toBeUndefined();
  await models.restore(model);
  expect(found()?.name).toBe('kept');
  const reloaded = new Models(store);
  await reloaded.refresh();
  expect(reloaded.list[0]?.record).toEqual(record);
  store.close();
});

test('models of older versions, which have no such id, load and are found by their pack', async () => {
  const store = await openStudioStore();
  const older = { report: record.report, dataKey: '', pipelineKey: '' };
  await store.putModel({ id: 'o', name: 'older', createdAt: 1, pack, report: older });
  const models = new Models(store);
  await models.refresh();
  expect(findModel(models.list, packId(pack))?.name).toBe('older');
  expect(findModel(models.list, IMAGE_ID)).toBeUndefined();
  store.close();
});

test('the very pack is meant before one that was made of its image', () => {
  const original = { name: 'original', packId: IMAGE_ID, record: {} as ModelRecord };
  const made = { name: 'made', packId: 7, record };
  expect(findModel([made, original], IMAGE_ID)).toBe(original);
  expect(findModel([made, original], 7)).toBe(made);
  expect(isModel(made, IMAGE_ID)).toBe(true);
  expect(isModel(original, 7)).toBe(false);
  expect(findModel([made, original], 8)).toBeUndefined();
});
