/**
 * Our micro:bit v1 firmware in QEMU behind a pty, real Web Serial in headless Chromium: stream, record, train, deploy,
 * self-test on the board, scores compared; and the .hex with the model inside, downloaded and booted.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import { serveFolder } from '../../scripts/static-server.mjs';
import { flashOfHex, missingEmulator, startMicrobit } from '../c/microbit-board';
import { expectAgreement } from '../e2e/studio-under-test';
import { grantPorts, missingReason, RigBoard, type UsbIds } from './real-serial';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PORT = 4188;
const ACTION_TIMEOUT_MS = 15_000;
const SECONDS = 3;
/** As the interface chip of every micro:bit. */
const IDS: UsbIds = { vendor: 0x0d28, product: 0x0204, serial: 'RIG-MICROBIT' };
const NAME = /micro:bit v1 \(test signal\)/;

const reason = missingReason() ?? missingEmulator;

test.describe('micro:bit v1', () => {
  test.skip(reason !== null, reason || '');
  test.setTimeout(240_000);

  const folder = mkdtempSync(join(tmpdir(), 'mote-microbit-rig-'));
  let browser: Browser;
  let page: Page;
  let undoPolicy: () => void;
  let server: Awaited<ReturnType<typeof serveFolder>>;
  let board: RigBoard;

  test.beforeAll(async ({ launchOptions }) => {
    server = await serveFolder(join(ROOT, 'dist'), { port: PORT });
    undoPolicy = grantPorts(`http://localhost:${PORT}`, [IDS]);
    const firmware = join(ROOT, 'public/firmware/microbit-v1.hex');
    board = new RigBoard('ttyACM0', IDS, [
      // QEMU outlives its standard input, so it is tied to the bridge's life.
      ...[
        'setpriv',
        '--pdeathsig',
        'KILL',
        'qemu-system-arm',
        '-M',
        'microbit',
        '-display',
        'none',
        '-monitor',
        'none',
      ],
      ...['-serial', 'stdio', '-device', `loader,file=${firmware}`],
    ]);
    browser = await chromium.launch(launchOptions);
    page = await (await browser.newContext({ serviceWorkers: 'block', acceptDownloads: true })).newPage();
    page.setDefaultTimeout(ACTION_TIMEOUT_MS);
    page.on('pageerror', (error) => console.log('page error:', error.message));
  });

  test.afterAll(async () => {
    await browser?.close();
    await board?.dispose();
    await server?.close();
    undoPolicy?.();
    rmSync(folder, { recursive: true, force: true });
  });

  const station = (name: string) => page.goto(`${server.url}#/${name}`);
  const bench = () => page.getByTestId('bench-board').filter({ hasText: NAME });

  async function record(label: string): Promise<void> {
    await station('data');
    await page.getByTestId('record-label').fill(label);
    await page.getByTestId('record-length').selectOption(String(SECONDS));
    await page.getByTestId('record-start').click();
    await expect(page.getByTestId('recording-now')).toBeVisible();
    await expect(page.getByTestId('recording-now')).toBeHidden({ timeout: 20_000 });
  }

  test('streams, takes a model, proves it; the .hex with the model inside boots it', async () => {
    await test.step('connect and stream', async () => {
      await station('board');
      await page.evaluate(() => navigator.serial.getPorts());
      await board.plug();
      await page.getByTestId('connect-remembered').click();
      await expect(bench()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
      await bench().getByRole('button').first().click();
    });

    await test.step('record and train', async () => {
      // The signal is made up and always the same: what is learned is worth nothing, but it is a whole model.
      for (let round = 0; round < 2; round++) for (const label of ['one', 'two']) await record(label);
      await station('model');
      await page.getByTestId('train-start').click();
      await expect(page.getByTestId('train-status')).toHaveAttribute('data-phase', 'done', { timeout: 90_000 });
    });

    await test.step('deploy: the board itself proves the model', async () => {
      await station('deploy');
      await page.getByTestId('deploy-button').click();
      await expect(page.getByTestId('self-test-result')).toContainText('64 of 64', { timeout: 60_000 });
    });

    await test.step("the board's scores are the interpreter's, byte for byte", async () => {
      await station('live');
      await expectAgreement(page, 5);
    });

    await test.step('the downloaded .hex boots with the model', async () => {
      await station('deploy');
      await page.getByTestId('firmware-board').selectOption('microbit');
      await expect(page.getByTestId('microbit-fit-v1')).toContainText('It fits.');
      const downloading = page.waitForEvent('download');
      await page.getByTestId('microbit-hex').click();
      const download = await downloading;
      expect(download.suggestedFilename()).toMatch(/-microbit\.hex$/);
      const file = join(folder, 'model.hex');
      await download.saveAs(file);
      await expect(page.getByTestId('microbit-made')).toBeVisible();
      const second = await startMicrobit(flashOfHex(readFileSync(file, 'utf8')), folder);
      try {
        expect((await second.client.hello()).bytes[6]).toBe(0);
        const { passed, total } = await second.client.selfTest(0);
        expect(passed).toBe(total);
        expect(total).toBe(64);
      } finally {
        await second.kill();
      }
    });
  });
});
