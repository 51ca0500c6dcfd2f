/**
 * An Arduino Uno over real Web Serial, as it comes out of the box: an emulated ATmega328P with the real Optiboot and
 * nothing else. The studio flashes its firmware, records, trains, flashes firmware and model, and the board proves it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import { STUDIO_PORT } from '../../playwright.config';
import { serveFolder } from '../../scripts/static-server.mjs';
import { expectAgreement } from '../e2e/studio-under-test';
import { grantPorts, missingReason, RigBoard, type UsbIds } from './real-serial';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OPTIBOOT = '/usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot/optiboot_atmega328.hex';
const PORT = STUDIO_PORT + 7;
const IDS: UsbIds = { vendor: 0x2341, product: 0x0043, serial: 'RIG-UNO' };
const NAME = /Arduino Uno/;
const SECONDS = 10;
const ACTION_TIMEOUT_MS = 15_000;
/** 27 KB at 115200 baud, written and read back, on a machine with other work. */
const FLASH_TIMEOUT_MS = 90_000;

const reason =
  missingReason() ?? (existsSync(OPTIBOOT) ? null : 'arduino-core-avr, which has Optiboot, is not installed');

test.describe('an Arduino Uno over real Web Serial', () => {
  test.skip(reason !== null, reason || '');
  test.setTimeout(400_000);

  const folder = mkdtempSync(join(tmpdir(), 'mote-uno-rig-'));
  const lines = join(folder, 'lines');
  const motion = join(folder, 'motion');
  let server: Awaited<ReturnType<typeof serveFolder>>;
  let undoPolicy: () => void;
  let board: RigBoard;
  let browser: Browser;
  let page: Page;

  test.beforeAll(async ({ launchOptions }) => {
    const preload = join(folder, 'modem_lines.so');
    execFileSync('gcc', ['-shared', '-fPIC', '-O2', '-o', preload, join(ROOT, 'tests/rig/modem_lines.c'), '-ldl']);
    writeFileSync(motion, 'still');
    server = await serveFolder(join(ROOT, 'dist'), { port: PORT });
    undoPolicy = grantPorts(`http://localhost:${PORT}`, [IDS]);
    board = new RigBoard('ttyACM0', IDS, ['node', join(ROOT, 'tests/boards/uno-peer.mjs'), OPTIBOOT, lines, motion]);
    browser = await chromium.launch({
      ...launchOptions,
      env: { ...(process.env as Record<string, string>), LD_PRELOAD: preload, MODEM_LINES_FILE: lines },
    });
    page = await (await browser.newContext({ serviceWorkers: 'block' })).newPage();
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
    writeFileSync(motion, label);
    await station('data');
    await page.getByTestId('record-label').fill(label);
    await page.getByTestId('record-length').selectOption(String(SECONDS));
    await page.getByTestId('record-start').click();
    await expect(page.getByTestId('recording-now')).toBeVisible();
    await expect(page.getByTestId('recording-now')).toBeHidden({ timeout: 40_000 });
  }

  test('firmware, recordings, model: all through Optiboot, proved by the board', async () => {
    await test.step('a board with nothing but its boot loader', async () => {
      await station('board');
      await page.evaluate(() => navigator.serial.getPorts());
      await board.plug();
      await page.getByTestId('connect-remembered').click();
      await expect(page.getByTestId('bench-board').filter({ hasText: /2341|Arduino/ })).toBeVisible();
      await page
        .getByTestId('bench-board')
        .filter({ hasText: /2341|Arduino/ })
        .getByRole('button')
        .first()
        .click();
    });

    await test.step('gets the firmware', async () => {
      await station('deploy');
      await page.getByTestId('uno-flash-plain').click();
      await expect(page.getByTestId('uno-done')).toBeVisible({ timeout: FLASH_TIMEOUT_MS });
      await station('board');
      await expect(bench()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
    });

    await test.step('records, and trains', async () => {
      for (let round = 0; round < 2; round++) for (const label of ['still', 'slow', 'fast']) await record(label);
      await station('features');
      await page.getByTestId('window-ms').fill('1000');
      await page.getByTestId('window-ms').blur();
      await station('model');
      await page.getByTestId('layer-0-units').fill('16');
      await page.getByTestId('layer-0-units').blur();
      await page.getByTestId('train-start').click();
      await expect(page.getByTestId('train-status')).toHaveAttribute('data-phase', 'done', { timeout: 90_000 });
    });

    await test.step('gets firmware and model, and gives all known answers', async () => {
      await station('deploy');
      await expect(page.getByTestId('uno-fit')).toContainText('It fits.');
      await page.getByTestId('uno-flash').click();
      await expect(page.getByTestId('uno-done')).toBeVisible({ timeout: FLASH_TIMEOUT_MS });
      await station('board');
      await expect(bench()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
      await station('deploy');
      await page.getByTestId('self-test-0').click();
      await expect(page.getByTestId('slot-test-result')).toHaveText(/\b(\d+) of \1\b/, { timeout: 60_000 });
    });

    await test.step('gives its model back through the boot loader: the very one, and model.h with it', async () => {
      await page.getByTestId('read-model').click();
      await expect(page.getByTestId('read-result')).toContainText('identical', { timeout: 60_000 });
      await station('board');
      await expect(bench()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
      await expect(page.getByTestId('introduction')).toHaveAttribute('data-kind', 'here');
    });

    await test.step("the board's scores are the interpreter's, byte for byte", async () => {
      await station('live');
      await expectAgreement(page, 3);
    });

    await test.step('in a browser that never saw the model: unknown, and read back all the same', async () => {
      await page.context().close();
      page = await (await browser.newContext({ serviceWorkers: 'block' })).newPage();
      page.setDefaultTimeout(ACTION_TIMEOUT_MS);
      await station('board');
      await page.getByTestId('connect-remembered').click();
      await expect(bench()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
      await expect(page.getByTestId('introduction')).toHaveAttribute('data-kind', 'unknown');
      await page.getByTestId('intro-read-back').click();
      await expect(page.getByTestId('read-result')).toContainText('computes the same bytes', { timeout: 60_000 });
      await expect(page.getByTestId('read-result')).toContainText('fast, slow, still');
      await expect(page.getByTestId('read-header')).toBeVisible();
      await station('live');
      await expect(page.getByTestId('live-unread')).toContainText('at Deploy', { timeout: 30_000 });
    });

    await test.step('kept there: named by the board, and computed beside it, byte for byte', async () => {
      await station('deploy');
      await page.getByTestId('read-keep').click();
      await expect(page.getByTestId('read-result')).toContainText('which you kept here');
      await expect(page.getByTestId('read-keep')).toHaveCount(0);
      await expect(page.getByTestId('no-tflite')).toBeVisible();
      await station('board');
      await expect(page.getByTestId('introduction')).toHaveAttribute('data-kind', 'received');
      await station('model');
      await expect(page.getByTestId('train-warnings')).toContainText('without its recordings and its accuracy');
      await station('live');
      await expectAgreement(page, 3);
    });
  });
});
