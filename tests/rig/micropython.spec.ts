/**
 * A MicroPython board over real Web Serial: the studio finds its prompt, writes a model beside a person's main.py, reads
 * it back, and the interpreter itself proves the bytes. The interpreter is MicroPython 1.27 compiled to WebAssembly.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import { STAGE_FOLDER } from '../../src/emit/micropython/switch-python';
import { serveFolder } from '../../scripts/static-server.mjs';
import { grantPorts, missingReason, RigBoard, type UsbIds } from './real-serial';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PORT = 4189;
const IDS: UsbIds = { vendor: 0x2e8a, product: 0x0005, serial: 'RIG-PYTHON' };
const ACTION_TIMEOUT_MS = 15_000;

const reason = missingReason();

test.describe('a MicroPython board over real Web Serial', () => {
  test.skip(reason !== null, reason || '');
  test.setTimeout(240_000);

  const folder = mkdtempSync(join(tmpdir(), 'mote-micropython-'));
  const files = join(folder, 'files');
  let server: Awaited<ReturnType<typeof serveFolder>>;
  let undoPolicy: () => void;
  let board: RigBoard;
  let browser: Browser;
  let page: Page;

  test.beforeAll(async ({ launchOptions }) => {
    server = await serveFolder(join(ROOT, 'dist'), { port: PORT });
    undoPolicy = grantPorts(`http://localhost:${PORT}`, [IDS]);
    mkdirSync(files);
    writeFileSync(join(files, 'main.py'), 'print("somebody\'s program")\n');
    board = new RigBoard('ttyACM0', IDS, ['node', join(ROOT, 'tests/boards/micropython-peer.mjs'), files]);
    browser = await chromium.launch(launchOptions);
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

  test('writes a model beside a main.py that is kept, proves it, and puts main.py back', async () => {
    await test.step('a model: the one that the virtual board came with', async () => {
      await station('board');
      await expect(page.getByTestId('bench-board')).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
      await station('deploy');
      await page.getByTestId('read-model').click();
      await page.getByTestId('read-keep').click();
    });

    await test.step('the board is recognised by its prompt', async () => {
      await station('board');
      await page.evaluate(() => navigator.serial.getPorts());
      await board.plug();
      await page.getByTestId('connect-remembered').click();
      await expect(page.getByTestId('identity-dialect')).toContainText('MicroPython', { timeout: 30_000 });
    });

    await test.step('it asks before it replaces main.py', async () => {
      await station('deploy');
      await expect(page.getByTestId('micropython-files')).toContainText('model.py');
      await page.getByTestId('micropython-start').click();
      await expect(page.getByTestId('micropython-ask')).toBeVisible({ timeout: 30_000 });
    });

    await test.step('files are read back and the board gives the bytes', async () => {
      await page.getByTestId('micropython-replace').click();
      await expect(page.getByTestId('micropython-verdict')).toContainText('64 of 64', { timeout: 120_000 });
      await expect(page.getByTestId('micropython-done')).toContainText('main.bak.py');
      await expect(page.getByTestId('micropython-done')).toContainText('in one step');
      const fates = page.getByTestId('micropython-files').locator('li');
      for (const name of ['model.py', 'model_test.bin', 'main.py', 'model.tflite', 'model.h']) {
        await expect(fates.filter({ hasText: new RegExp(`^\\s*${name.replace('.', '\\.')}\\s`) })).toContainText(
          'written, read back equal',
        );
      }
      await expect(fates.filter({ hasText: 'main.bak.py' })).toContainText('copy of your main.py');
      if (process.env['MOTE_PICTURES']) {
        const folder = process.env['MOTE_PICTURES'];
        for (const [name, width] of [
          ['laptop', 1280],
          ['phone', 390],
        ] as const) {
          await page.setViewportSize({ width, height: 800 });
          for (const colorScheme of ['light', 'dark'] as const) {
            await page.emulateMedia({ colorScheme });
            await page
              .getByTestId('micropython-panel')
              .screenshot({ path: join(folder, `micropython-${name}-${colorScheme}.png`) });
          }
        }
        await page.setViewportSize({ width: 1280, height: 800 });
      }
    });

    await test.step('the kept main.py goes back', async () => {
      await page.getByTestId('micropython-restore').click();
      await expect(page.getByTestId('micropython-restored')).toBeVisible({ timeout: 30_000 });
    });

    await test.step('it says which model is on the board', async () => {
      await page.getByTestId('micropython-look').click();
      await expect(page.getByTestId('micropython-looked')).toContainText('The board has this model', {
        timeout: 30_000,
      });
    });

    await test.step('a cable pulled while it writes: the studio says what is on the board, and it is so', async () => {
      await page.getByTestId('micropython-start').click();
      await expect(page.getByTestId('micropython-ask')).toBeVisible({ timeout: 30_000 });
      await page.getByTestId('micropython-keep').click();
      await expect(page.getByTestId('micropython-progress')).toContainText('Writing model.py', { timeout: 30_000 });
      await expect.poll(() => existsSync(join(files, STAGE_FOLDER, 'model.py'))).toBe(true);
      await board.unplug();
      await expect(page.getByTestId('micropython-left')).toContainText('as they were', { timeout: 30_000 });
      const left = readFileSync(join(files, 'model.py'), 'utf8');
      await board.plug();
      await expect(page.getByTestId('micropython-look')).toBeEnabled({ timeout: 60_000 });
      await page.getByTestId('micropython-look').click();
      await expect(page.getByTestId('micropython-looked')).toContainText('The board has this model', {
        timeout: 30_000,
      });
      await expect(page.getByTestId('micropython-recovered')).toContainText('interrupted');
      expect(readFileSync(join(files, 'model.py'), 'utf8')).toBe(left);
      expect(existsSync(join(files, STAGE_FOLDER))).toBe(false);
    });

    await test.step('a cancelled write says so, and the next one goes through', async () => {
      await page.getByTestId('micropython-start').click();
      await expect(page.getByTestId('micropython-ask')).toBeVisible({ timeout: 30_000 });
      await page.getByTestId('micropython-keep').click();
      await page.getByTestId('micropython-progress').getByRole('button').click();
      await expect(page.getByTestId('micropython-cancelled')).toContainText('as they were', { timeout: 30_000 });
      await page.getByTestId('micropython-main').click();
      await page.getByTestId('micropython-start').click();
      await expect(page.getByTestId('micropython-verdict')).toContainText('64 of 64', { timeout: 120_000 });
    });
  });
});
