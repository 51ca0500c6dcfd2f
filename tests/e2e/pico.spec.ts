/** The Pico's panel at Deploy: what it says, and that the .uf2 it makes boots with the model, on the emulated chip. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { serveFolder } from '../../scripts/static-server.mjs';
import { createSession } from '../../src/board/session';
import { parseRp2040Layout } from '../../src/emit/rp2040-uf2';
import { imageWithModel } from '../../src/emit/slot-image';
import { FLASH_BYTES, mpu6050, Pico, writeUf2 } from '../c/rp2040-board';
import { ANY_PORT, DIST, generateExamples, go, openStudio, ROOT, train } from './studio-under-test';

const EPOCHS = 4;
const UF2_BLOCK = 512;
const PAGE = 256;
const SECTOR = 4096;

let server: Awaited<ReturnType<typeof serveFolder>>;
test.use({ serviceWorkers: 'block' });
test.beforeAll(async () => void (server = await serveFolder(DIST, { port: ANY_PORT })));
test.afterAll(() => server.close());

test('the .uf2 with and without a model, and how to put it on', async ({ page }) => {
  const firmware = readFileSync(join(ROOT, 'public/firmware/rp2040.uf2'));
  const layout = parseRp2040Layout(JSON.parse(readFileSync(join(ROOT, 'public/firmware/rp2040.json'), 'utf8')));
  const panel = page.getByTestId('pico');

  async function save(testId: string): Promise<{ name: string; bytes: Buffer }> {
    const downloading = page.waitForEvent('download');
    await panel.getByTestId(testId).click();
    const download = await downloading;
    const file = test.info().outputPath(download.suggestedFilename());
    await download.saveAs(file);
    await expect(panel.getByTestId('pico-made')).toContainText(download.suggestedFilename());
    return { name: download.suggestedFilename(), bytes: readFileSync(file) };
  }

  await openStudio(page, server.url);

  await test.step('without a model: the firmware alone, as it was built', async () => {
    await go(page, 'deploy');
    await page.getByTestId('firmware-board').selectOption('pico');
    await expect(panel).toContainText('Hold BOOTSEL');
    await expect(panel).toContainText('RPI-RP2');
    await expect(panel).toContainText('not yet on a real board');
    await expect(panel.getByTestId('pico-uf2')).toBeHidden();
    const { name, bytes } = await save('pico-uf2-plain');
    expect(name).toBe('mote-pico.uf2');
    expect(bytes.equals(firmware)).toBe(true);
  });

  await test.step('with a model: says what to wire and that it fits, and the file boots with it', async () => {
    await generateExamples(page);
    await train(page, EPOCHS);
    await go(page, 'deploy');
    await page.getByTestId('firmware-board').selectOption('pico');
    await expect(panel.getByTestId('pico-fit')).toContainText('It fits.');
    await expect(panel.getByTestId('pico-fit')).toContainText('GP4 (SDA)');
    const downloading = page.waitForEvent('download');
    await page.getByTestId('download-pack').click();
    const packFile = test.info().outputPath('model.mote');
    await (await downloading).saveAs(packFile);
    const pack = new Uint8Array(readFileSync(packFile));

    const { name, bytes } = await save('pico-uf2');
    expect(name).toMatch(/-pico\.uf2$/);
    // Whole sectors: two of journal, and those that the model takes.
    const sectors = Math.ceil(imageWithModel(layout, pack).length / SECTOR);
    expect(bytes.length).toBe(firmware.length + (sectors * SECTOR * UF2_BLOCK) / PAGE);

    const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
    writeUf2(flash, bytes);
    const pico = new Pico(flash, mpu6050([0, 0, 4096, 0, 0, 0, 0]));
    const session = createSession(pico.usbLink(), pico.timing);
    const identity = await pico.until(session.connect());
    expect(identity.slots.map(({ state, active }) => [state, active])).toEqual([
      ['valid', true],
      ['empty', false],
    ]);
    expect(await pico.until(session.readModel())).toEqual(pack);
    const proof = await pico.until(session.selfTest(), 120_000);
    expect(proof).toMatchObject({ passed: 64, total: 64 });
  });
});
