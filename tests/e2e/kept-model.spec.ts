/**
 * A model that was made of an Uno's image (docs/uno.md) has a pack of its own, and its board names it by another id. Here the
 * virtual board stands for the Uno: it runs the original, which computes the same.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { expectAgreement, go, openStudio, ROOT } from './studio-under-test';

const CRC_AT = 4;
const SIZE_AT = 12;
/** Of start and length of the receipt, the last section (docs/pack-format.md). */
const RECEIPT_AT = 16 + 8 * 8;
const EMPTY_REPORT = {
  ...{ seed: 0, dataset_hash: '', epochs_run: 0, best_epoch: 0, history: [], ram: 0, flash_weights: 0, seconds: {} },
  recordings: { train: 0, validation: 0, test: 0 },
  windows: { train: 0, validation: 0, test: 0 },
  windows_per_label: { train: [], test: [] },
  accuracy: { float: null, int8: null },
  confusion: { float: [], int8: [] },
  pipeline: null,
};

const idOf = (pack: Buffer): number => pack.readUInt32LE(CRC_AT);

/** The same model, as one that was made of an image has it. */
function withoutReceipt(pack: Buffer): Buffer {
  const [start, length] = [pack.readUInt32LE(RECEIPT_AT), pack.readUInt32LE(RECEIPT_AT + 4)];
  const told = JSON.parse(pack.toString('utf8', start, start + length)) as Record<string, unknown>;
  const untold = Buffer.from(JSON.stringify({ ...told, accuracyFloat: null, accuracyInt8: null, pipeline: 'null' }));
  const padding = Buffer.alloc(-untold.length & 3);
  const made = Buffer.concat([pack.subarray(0, start), untold, padding]);
  made.writeUInt32LE(untold.length, RECEIPT_AT + 4);
  made.writeUInt32LE(made.length, SIZE_AT);
  made.writeUInt32LE(crc32(made.subarray(CRC_AT + 4)), CRC_AT);
  return made;
}

test('a kept model is found under the id that the board reports, at every station', async ({ page }) => {
  const original = readFileSync(join(ROOT, 'static-models/gestures/gestures.mote'));
  const pack = withoutReceipt(original);
  expect(idOf(pack)).not.toBe(idOf(original));
  const record = {
    report: { ...EMPTY_REPORT, labels: ['idle'], pack_bytes: pack.length, warnings: ['Read from an Uno.'] },
    dataKey: '',
    pipelineKey: '',
    madeElsewhere: true,
    imageId: idOf(original),
  };

  await openStudio(page, './');
  await page.evaluate(
    async ({ bytes, report }) => {
      const answer = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(new Error('no answer'));
        });
      const database = await answer(indexedDB.open('mote'));
      const models = database.transaction('models', 'readwrite').objectStore('models');
      await answer(
        models.put({ id: 'kept', name: 'wand', createdAt: Date.now(), pack: Uint8Array.from(bytes), report }),
      );
      database.close();
    },
    { bytes: Array.from(pack), report: record },
  );
  await page.reload();
  await expect(page.getByTestId('stop-board')).toHaveAttribute('data-state', 'live');
  const introduction = page.getByTestId('introduction');
  await expect(introduction).toHaveAttribute('data-kind', 'received');
  await expect(introduction).toContainText('wand');

  await go(page, 'model');
  await expect(page.getByTestId('model-row')).toContainText('on the Uno');
  await expect(page.getByTestId('accuracy-int8')).toContainText('not known');
  await expect(page.getByTestId('model-no-data')).toContainText('without their recordings');
  await expect(page.getByTestId('train-warnings')).toContainText('Read from an Uno.');

  await go(page, 'deploy');
  await expect(page.getByTestId('deploy-status')).toContainText('runs this very model');
  await expect(page.getByTestId('deploy-slots')).toContainText('wand');
  await expect(page.getByTestId('download-header')).toBeVisible();
  await expect(page.getByTestId('download-tflite')).toHaveCount(0);
  await expect(page.getByTestId('no-tflite')).toContainText('There is no model.tflite');

  await go(page, 'live');
  await expectAgreement(page, 3);

  await go(page, 'deploy');
  await page.getByTestId('read-model').click();
  await expect(page.getByTestId('read-result')).toContainText('The original of wand, with its receipt');
  await page.getByTestId('read-keep').click();
  await expect(page.getByTestId('read-result')).toContainText('identical');
  await go(page, 'board');
  await expect(introduction).toContainText('gestures');
});
