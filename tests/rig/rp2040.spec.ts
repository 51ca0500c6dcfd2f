/**
 * A Raspberry Pi Pico over real Web Serial: our firmware on the emulated chip, over the chip's own USB controller and
 * over its UART. Records, trains, deploys twice, restores, pulls the cable while writing, reads the model back after a
 * reload.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import { build } from 'vite';
import { serveFolder } from '../../scripts/static-server.mjs';
import { FLASH_BYTES, writeUf2 } from '../c/rp2040-board';
import { expectAgreement } from '../e2e/studio-under-test';
import { grantPorts, missingReason, RigBoard, type UsbIds } from './real-serial';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PORT = 4192;
const ACTION_TIMEOUT_MS = 15_000;
const SECONDS = 3;
/** As the firmware itself says over USB. */
const USB_IDS: UsbIds = { vendor: 0x2e8a, product: 0x000a, serial: 'e6605838832a4c2b' };
/** A USB-UART adapter (CP2102) on GP0 and GP1. */
const UART_IDS: UsbIds = { vendor: 0x10c4, product: 0xea60, serial: 'RIG-PICO-UART' };
const NAME = /Raspberry Pi Pico/;
/** 64 windows at the emulator's pace, on a machine with other work. */
const PROOF_TIMEOUT_MS = 90_000;

const reason = missingReason();

test.describe('a Raspberry Pi Pico over real Web Serial', () => {
  test.skip(reason !== null, reason || '');
  test.setTimeout(300_000);

  const folder = mkdtempSync(join(tmpdir(), 'mote-pico-rig-'));
  const motion = join(folder, 'motion');
  const cut = join(folder, 'cut');
  let server: Awaited<ReturnType<typeof serveFolder>>;
  let undoPolicy: () => void;
  let usb: RigBoard;
  let uart: RigBoard;
  let browser: Browser;
  let page: Page;

  /** A board fresh from its drive: the committed .uf2 in its flash. */
  function pico(way: 'usb' | 'uart', device: string, ids: UsbIds): RigBoard {
    const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
    writeUf2(flash, new Uint8Array(readFileSync(join(ROOT, 'public/firmware/rp2040.uf2'))));
    const file = join(folder, `${way}.flash`);
    writeFileSync(file, flash);
    return new RigBoard(device, ids, ['node', join(folder, 'peer/pico-peer.js'), way, file, motion, cut]);
  }

  test.beforeAll(async ({ launchOptions }) => {
    await build({
      root: ROOT,
      configFile: false,
      publicDir: false,
      logLevel: 'error',
      build: { ssr: 'tests/boards/pico-peer.ts', outDir: join(folder, 'peer'), target: 'node20', minify: false },
      ssr: { noExternal: true },
    });
    writeFileSync(join(folder, 'peer/package.json'), '{ "type": "module" }');
    writeFileSync(motion, 'still');
    server = await serveFolder(join(ROOT, 'dist'), { port: PORT });
    undoPolicy = grantPorts(`http://localhost:${PORT}`, [USB_IDS, UART_IDS]);
    usb = pico('usb', 'ttyACM0', USB_IDS);
    uart = pico('uart', 'ttyUSB0', UART_IDS);
    browser = await chromium.launch(launchOptions);
    page = await (await browser.newContext({ serviceWorkers: 'block' })).newPage();
    page.setDefaultTimeout(ACTION_TIMEOUT_MS);
    page.on('pageerror', (error) => console.log('page error:', error.message));
  });

  test.afterAll(async () => {
    await browser?.close();
    await usb?.dispose();
    await uart?.dispose();
    await server?.close();
    undoPolicy?.();
    rmSync(folder, { recursive: true, force: true });
  });

  const station = (name: string) => page.goto(`${server.url}#/${name}`);
  const bench = () => page.getByTestId('bench-board').filter({ hasText: NAME });
  const slot = (index: number) => page.getByTestId(`deploy-slot-${index}`);

  async function connect(): Promise<void> {
    await page.getByTestId('connect-remembered').click();
    await expect(bench()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
    await bench().getByRole('button').first().click();
  }

  async function plug(board: RigBoard): Promise<void> {
    await station('board');
    await page.evaluate(() => navigator.serial.getPorts());
    await board.plug();
  }

  async function record(label: string): Promise<void> {
    writeFileSync(motion, label);
    await station('data');
    await page.getByTestId('record-label').fill(label);
    await page.getByTestId('record-length').selectOption(String(SECONDS));
    await page.getByTestId('record-start').click();
    await expect(page.getByTestId('recording-now')).toBeVisible();
    await expect(page.getByTestId('recording-now')).toBeHidden({ timeout: 30_000 });
  }

  async function train(seed: number): Promise<void> {
    await station('model');
    await page.getByTestId('train-seed').fill(String(seed));
    await page.getByTestId('train-seed').blur();
    await page.getByTestId('train-start').click();
    await expect(page.getByTestId('train-status')).toHaveAttribute('data-phase', 'done', { timeout: 90_000 });
  }

  async function deploy(into: number): Promise<void> {
    await station('deploy');
    await page.getByTestId('deploy-button').click();
    await expect(page.getByTestId('self-test-result')).toContainText('64 of 64', { timeout: PROOF_TIMEOUT_MS });
    await expect(slot(into)).toHaveAttribute('data-active', 'true');
  }

  test('records, takes two models, goes back, survives the pulled cable, and is read back', async () => {
    await test.step('connects over its own USB port', async () => {
      await plug(usb);
      await connect();
    });

    await test.step('records and trains', async () => {
      for (let round = 0; round < 2; round++) for (const label of ['still', 'slow', 'fast']) await record(label);
      // The emulator is a fifth as fast as the chip: short windows keep the proof short.
      await station('features');
      await page.getByTestId('window-ms').fill('500');
      await page.getByTestId('window-ms').blur();
      await train(1);
    });

    await test.step('takes the model, and proves it', () => deploy(0));

    await test.step("the board's scores are the interpreter's, byte for byte", async () => {
      await station('live');
      await expectAgreement(page, 3);
    });

    await test.step('a second model goes to the other slot; "Restore previous" goes back', async () => {
      await train(2);
      await deploy(1);
      await page.getByTestId('restore-previous').click();
      await expect(slot(0)).toHaveAttribute('data-active', 'true');
      await expect(slot(1)).toHaveAttribute('data-active', 'false');
    });

    await test.step('cable pulled while writing: the old model still runs', async () => {
      const writing = page.getByTestId('deploy-steps').locator('[data-step="writing"]');
      // The power goes with the fifth page: one erase, and a part of the pack.
      writeFileSync(cut, '6');
      await page.getByTestId('deploy-button').click();
      await expect.poll(() => readFileSync(cut, 'utf8')).toBe('0');
      await expect(writing).toHaveClass(/active/);
      await usb.unplug();
      rmSync(cut);
      await expect(page.getByTestId('deploy-error')).toBeVisible({ timeout: 20_000 });
      await expect(writing).toHaveClass(/failed/);
      // By itself: the studio knows the board again.
      await plug(usb);
      await expect(bench()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
      await station('deploy');
      await expect(slot(0)).toHaveAttribute('data-active', 'true');
      // The second model's slot: what was written of the pack is no model.
      await expect(page.getByTestId('slots-table').getByRole('row').last()).toContainText(/Empty|Damaged/);
      await page.getByTestId('self-test-0').click();
      await expect(page.getByTestId('slot-test-result')).toContainText('64 of 64', { timeout: PROOF_TIMEOUT_MS });
    });

    await test.step('and the next deploy goes through', () => deploy(1));

    await test.step('after a reload the model is read back: the same header, byte for byte', async () => {
      await page.reload();
      await station('board');
      await connect();
      await station('deploy');
      await page.getByTestId('read-model').click();
      await expect(page.getByTestId('read-result')).toContainText(/identical/i, { timeout: 30_000 });
    });

    await test.step('the same over its UART', async () => {
      await usb.unplug();
      await page.reload();
      await plug(uart);
      await connect();
      await deploy(0);
    });
  });
});
