/** Bring your own model: a .tflite becomes C in the studio; what is wrong with a file is said. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { serveFolder } from '../../scripts/static-server.mjs';
import { writeFloatTflite, writeMixedTflite, writeTflite } from '../../src/emit/tflite/write-tflite';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { quantizeMixed } from '../../src/quantize/quantize-mixed';
import { badlyScaled, randomInputs, SampleNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { ANY_PORT, DIST, generateExamples, go, openStudio } from './studio-under-test';

let server: Awaited<ReturnType<typeof serveFolder>>;
test.use({ serviceWorkers: 'block' });
test.beforeAll(async () => void (server = await serveFolder(DIST, { port: ANY_PORT })));
test.afterAll(() => server.close());

function convolutionalNetwork(): Buffer {
  const random = new Random(5);
  const float = badlyScaled(random, 1);
  const size = (float.tensors[float.input]?.shape ?? []).reduce((a, b) => a * b, 1);
  return Buffer.from(writeTflite(quantizeGraph(float, randomInputs(random, size, 16))));
}

test('a convolutional .tflite becomes a header, a memory plan is drawn', async ({ page }) => {
  await openStudio(page, server.url);
  await go(page, 'deploy');
  const input = page.getByTestId('compile-input');
  await input.setInputFiles({
    name: 'my net.tflite',
    mimeType: 'application/octet-stream',
    buffer: convolutionalNetwork(),
  });
  await expect(page.getByTestId('compile-result')).toBeVisible();
  await expect(page.getByTestId('compile-plan')).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByTestId('compile-download-my_net.h').click();
  const file = test.info().outputPath('my_net.h');
  await (await download).saveAs(file);
  expect(readFileSync(file, 'utf8')).toContain('int my_net_invoke(const int8_t input[MY_NET_INPUT_SIZE]');

  await page.getByTestId('compile-bundle-format').selectOption('c');
  const zip = page.waitForEvent('download');
  await page.getByTestId('compile-bundle-download').click();
  expect((await zip).suggestedFilename()).toBe('my_net_model_c.zip');
  const archive = test.info().outputPath('project.zip');
  await (await zip).saveAs(archive);
  expect(Object.keys(unzipSync(readFileSync(archive))).sort()).toEqual(
    ['LICENSE.txt', 'Makefile', 'README.md', 'main.c', 'model.h', 'my_net_model.h'].map(
      (file) => `my_net_model_c/${file}`,
    ),
  );

  await page.getByTestId('compile-target').selectOption('cortex-m4');
  await expect(page.getByTestId('compile-result')).toBeVisible();
  for (const [width, scheme] of [
    [1440, 'light'],
    [390, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.getByTestId('compile-panel').scrollIntoViewIfNeeded();
    await page.getByTestId('compile-panel').screenshot({ path: `test-results/compile-${width}-${scheme}.png` });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  }
});

test('a network with float layers says which, why and what they cost', async ({ page }) => {
  const random = new Random(6);
  const float = badlyScaled(random, 1);
  const size = (float.tensors[float.input]?.shape ?? []).reduce((a, b) => a * b, 1);
  const name = float.tensors[float.ops[2]?.output ?? 0]?.name ?? '';
  const { graph } = quantizeMixed(float, randomInputs(random, size, 16), { floatLayers: [name] });
  await openStudio(page, server.url);
  await go(page, 'deploy');
  await page.getByTestId('compile-input').setInputFiles({
    name: 'mixed.tflite',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(writeMixedTflite(graph)),
  });
  await expect(page.getByTestId('compile-result')).toContainText('1 operation runs in floating point');
  const layers = page.getByTestId('compile-float-layers');
  await expect(layers).toContainText(name);
  await expect(layers).toContainText('The file holds it in float');
  await expect(page.getByTestId('compile-panel')).toContainText('this one has float layers');
  const download = page.waitForEvent('download');
  await page.getByTestId('compile-download-mixed.h').click();
  const file = test.info().outputPath('mixed.h');
  await (await download).saveAs(file);
  expect(readFileSync(file, 'utf8')).toContain('mixed_float_dequantize(');
});

test('a file that is no model is refused with a reason, and another can be opened', async ({ page }) => {
  await openStudio(page, server.url);
  await go(page, 'deploy');
  const input = page.getByTestId('compile-input');
  await input.setInputFiles({ name: 'photo.tflite', mimeType: 'image/png', buffer: Buffer.from('not a model at all') });
  await expect(page.getByTestId('compile-error')).toContainText('not a TensorFlow Lite model');
  await input.setInputFiles({
    name: 'net.tflite',
    mimeType: 'application/octet-stream',
    buffer: convolutionalNetwork(),
  });
  await expect(page.getByTestId('compile-result')).toBeVisible();
});

/** A float network with two dense layers over `size` inputs. */
function denseNetwork(size: number): Buffer {
  const network = new SampleNetwork(new Random(9), [size]);
  network.softmax(network.dense(network.dense(0, 12, 'relu'), 4));
  return Buffer.from(writeFloatTflite(network.build()));
}

test('a float .tflite is quantized with a file, or with the recordings of the project', async ({ page }) => {
  await openStudio(page, server.url);
  await go(page, 'data');
  await generateExamples(page);
  await go(page, 'deploy');
  const model = page.getByTestId('compile-input');
  const type = 'application/octet-stream';
  await model.setInputFiles({ name: 'fine.tflite', mimeType: type, buffer: denseNetwork(7) });
  const result = page.getByTestId('compile-result');
  await expect(result).toContainText('operations in floating point');
  const panel = page.getByTestId('compile-panel');

  // A file of the wrong size is refused and says what was expected; the next one is taken.
  await page.getByTestId('quantize-arithmetic').selectOption('int8');
  await expect(page.getByTestId('quantize-start')).toBeDisabled();
  const fileInput = page.getByTestId('calibration-input');
  await fileInput.setInputFiles({ name: 'odd.bin', mimeType: type, buffer: Buffer.alloc(4 * 20) });
  await page.getByTestId('quantize-start').click();
  await expect(page.getByTestId('compile-error')).toContainText('must have a multiple of 28 bytes');
  const random = new Random(4);
  const rows = randomInputs(random, 7, 50).map((row) => [...row].join(','));
  await fileInput.setInputFiles({ name: 'rows.csv', mimeType: 'text/csv', buffer: Buffer.from(rows.join('\n')) });
  await page.getByTestId('quantize-start').click();
  await expect(result).toContainText('all in integers');
  await expect(page.getByTestId('compile-quantization')).toContainText('Beside float on 50 calibration inputs');
  await expect(page.getByTestId('compile-quantization').getByRole('row')).toHaveCount(4);
  for (const name of ['fine.h', 'fine.mote', 'plan.json'])
    await expect(page.getByTestId(`compile-download-${name}`)).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByTestId('compile-download-fine-int8.tflite').click();
  const file = test.info().outputPath('fine-int8.tflite');
  await (await download).saveAs(file);
  expect(readTflite(new Uint8Array(readFileSync(file))).kind).toBe('int8');

  await page.getByTestId('quantize-arithmetic').selectOption('int16');
  await page.getByTestId('quantize-start').click();
  await expect(result).toContainText('with 16-bit activations');
  await expect(panel).toContainText('Packs hold int8 networks');

  // The hint tells what a window of the project gives: a model of that size needs no file.
  const hint = await page.getByTestId('quantize').innerText();
  const features = Number(/gives ([\d,]+) features/.exec(hint)?.[1]?.replace(',', ''));
  expect(features).toBeGreaterThan(7);
  await model.setInputFiles({ name: 'own.tflite', mimeType: type, buffer: denseNetwork(features) });
  await expect(result).toContainText('operations in floating point');
  await page.getByTestId('quantize-arithmetic').selectOption('int8');
  await expect(page.getByTestId('quantize-source')).toHaveValue('scaled');
  await page.getByTestId('quantize-start').click();
  await expect(result).toContainText('all in integers');
  await expect(page.getByTestId('compile-notes')).toContainText(/Quantized to int8 with \d+ calibration inputs/);

  for (const [width, scheme] of [
    [1440, 'light'],
    [820, 'dark'],
    [360, 'light'],
    [360, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await panel.screenshot({ path: `test-results/quantize-${width}-${scheme}.png` });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  }
});

test('a long calibration can be cancelled, and the float result stays', async ({ page }) => {
  await openStudio(page, server.url);
  await go(page, 'deploy');
  const type = 'application/octet-stream';
  // Some seconds of work: 256 inputs of 4096 numbers through convolutions.
  const slow = new SampleNetwork(new Random(9), [32, 32, 4]);
  slow.dense(slow.flatten(slow.conv(slow.conv(0, 24), 24)), 2);
  const model = Buffer.from(writeFloatTflite(slow.build()));
  await page.getByTestId('compile-input').setInputFiles({ name: 'slow.tflite', mimeType: type, buffer: model });
  await page.getByTestId('quantize-arithmetic').selectOption('int8');
  const many = Float32Array.from({ length: 256 * 4096 }, (_, i) => Math.sin(i));
  await page.getByTestId('calibration-input').setInputFiles({
    name: 'many.bin',
    mimeType: type,
    buffer: Buffer.from(many.buffer),
  });
  await page.getByTestId('quantize-start').click();
  const progress = page.getByTestId('compile-progress');
  await expect(progress).toContainText('measuring ranges');
  await progress.getByRole('button').click();
  await expect(progress).toBeHidden({ timeout: 2000 });
  await expect(page.getByTestId('compile-result')).toContainText('operations in floating point');
});
