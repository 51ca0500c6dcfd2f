/** Boards that do not do what they should, over real Web Serial: each has its own words and its own way out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import { STUDIO_PORT } from '../../playwright.config';
import { serveFolder } from '../../scripts/static-server.mjs';
import { grantPorts, missingReason, RigBoard, type UsbIds } from './real-serial';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PORT = STUDIO_PORT + 8;
const IDS: UsbIds = { vendor: 0x2341, product: 0x0043, serial: 'RIG-TROUBLE' };
const ACTION_TIMEOUT_MS = 15_000;
/** Two baud rates, two resets each, six syncs per reset. */
const FLASH_TIMEOUT_MS = 30_000;

/** Python programs that speak on standard output, as bad boards do. */
const SILENT = 'import time\nwhile True: time.sleep(1)';
const speaks = (bytes: string) =>
  [
    'import os, sys, time',
    'while True:',
    '  try:',
    `    sys.stdout.buffer.write(${bytes})`,
    '    sys.stdout.flush()',
    '  except BrokenPipeError:',
    '    os._exit(0)',
    '  time.sleep(0.02)',
  ].join('\n');
const GARBAGE = speaks('bytes(b | 128 for b in os.urandom(40))');
/** "1.5,2.5\r\n" at 9600 baud, read at 115200. */
const OTHER_RATE = speaks('bytes([0xe0, 0x80, 0xfe, 0xe0, 0x00, 0x80, 0xf8])');
const SENTENCES = speaks("b'ready and waiting\\r\\n'");
const NUMBERS = speaks("b'1.5,2.5\\r\\n'");

const reason = missingReason();

test.describe('trouble with boards over real Web Serial', () => {
  test.skip(reason !== null, reason || '');
  test.setTimeout(120_000);

  const folder = mkdtempSync(join(tmpdir(), 'mote-trouble-'));
  let server: Awaited<ReturnType<typeof serveFolder>>;
  let undoPolicy: () => void;
  let browser: Browser;
  let page: Page;
  let board: RigBoard | null = null;

  test.beforeAll(async ({ launchOptions }) => {
    server = await serveFolder(join(ROOT, 'dist'), { port: PORT });
    undoPolicy = grantPorts(`http://localhost:${PORT}`, [IDS]);
    browser = await chromium.launch(launchOptions);
  });
  test.beforeEach(async () => {
    page = await (await browser.newContext({ serviceWorkers: 'block' })).newPage();
    page.setDefaultTimeout(ACTION_TIMEOUT_MS);
    await page.goto(`${server.url}#/board`);
    await page.evaluate(() => navigator.serial.getPorts());
  });
  test.afterEach(async () => {
    await page.context().close();
    await board?.dispose();
    board = null;
  });
  test.afterAll(async () => {
    await browser?.close();
    await server?.close();
    undoPolicy?.();
    rmSync(folder, { recursive: true, force: true });
  });

  const trouble = () => page.getByTestId('board-trouble');
  const usb = () => page.getByTestId('bench-board').filter({ hasText: /2341/ });

  async function connect(program: string): Promise<void> {
    const file = join(folder, 'program.py');
    writeFileSync(file, program);
    board = new RigBoard('ttyACM3', IDS, ['python3', file]);
    await board.plug();
    await page.getByTestId('connect-remembered').click();
  }

  const CASES: readonly (readonly [string, string, string, string, string])[] = [
    ['says nothing', SILENT, 'sends nothing', 'press its reset button', 'find-baud'],
    ['says nonsense', GARBAGE, 'make no sense', 'Choose the rate', 'find-baud'],
    ['speaks at another rate', OTHER_RATE, 'look like another rate', 'let the studio try', 'find-baud'],
    ['prints sentences', SENTENCES, 'sends text but no readings', 'It should print numbers', 'board-retry'],
  ];
  for (const [what, program, happened, todo, way] of CASES) {
    test(`a board that ${what}`, async () => {
      await connect(program);
      await expect(usb()).toHaveAttribute('data-state', 'failed', { timeout: 30_000 });
      await expect(trouble()).toContainText(happened);
      await expect(trouble()).toContainText(todo);
      await expect(trouble().getByTestId(way)).toBeVisible();
    });
  }

  test('a port that another program has, or that does not open', async () => {
    board = new RigBoard('ttyACM3', IDS, ['python3', '-c', SILENT]);
    await board.plug();
    board.block();
    await page.getByTestId('connect-remembered').click();
    await expect(usb()).toHaveAttribute('data-state', 'failed');
    await expect(trouble()).toContainText('Another program may be using it');
    await expect(trouble()).toContainText('dialout');
    await trouble().getByTestId('trouble-why').click();
    await expect(page.locator('main')).toContainText(/link-failed\/open-failed at \d\d:\d\d/);
  });

  test('a boot loader that does not answer: told at Deploy and at Board, and the old program still runs', async () => {
    await connect(NUMBERS);
    await expect(usb()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
    await page.goto(`${server.url}#/deploy`);
    await page.getByTestId('uno-flash-plain').click();
    await expect(page.getByTestId('uno-progress')).toBeVisible();
    await page.goto(`${server.url}#/board`);
    await expect(usb()).toHaveAttribute('data-state', 'programming');
    await expect(usb()).toHaveAttribute('data-state', 'failed', { timeout: FLASH_TIMEOUT_MS });
    await expect(trouble()).toContainText('The boot loader does not answer');
    await expect(trouble()).toContainText('press its reset button');
    await page.goto(`${server.url}#/deploy`);
    await expect(page.getByTestId('uno-error')).toContainText('The boot loader does not answer');
    await expect(page.getByTestId('uno-error')).toContainText('Old Nanos use 57600 baud');
    await page.goto(`${server.url}#/board`);
    await trouble().getByTestId('board-retry').click();
    await expect(usb()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
  });
});
