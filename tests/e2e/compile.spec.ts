/** Bring your own model: a .tflite becomes C in the studio; what is wrong with a file is said. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { unzipSync } from 'fflate';
import { serveFolder } from '../../scripts/static-server.mjs';
import { writeMixedTflite, writeTflite } from '../../src/emit/tflite/write-tflite';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { quantizeMixed } from '../../src/quantize/quantize-mixed';
import { badlyScaled, randomInputs } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { ANY_PORT, DIST, go, openStudio } from './studio-under-test';

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
