/**
 * One board, two tabs, real Web Serial: the second tab asks for the board, the first lets go of it (or refuses, or hangs,
 * or is closed), nothing that was recorded is lost, and no tab takes a board back by itself.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, test, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { STUDIO_PORT } from '../../playwright.config';
import { serveFolder } from '../../scripts/static-server.mjs';
import { grantPorts, missingReason, RigBoard, type UsbIds } from './real-serial';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Beside the server that the configuration starts: a policy names one origin. */
const PORT = STUDIO_PORT + 9;
const RATE_HZ = 100;
const ACTION_TIMEOUT_MS = 15_000;
/** Two boards of one kind, and one with our firmware. */
const LEFT: UsbIds = { vendor: 0x2341, product: 0x0043, serial: 'RIG-LEFT' };
const RIGHT: UsbIds = { vendor: 0x2341, product: 0x0043, serial: 'RIG-RIGHT' };
const MOTE: UsbIds = { vendor: 0x2e8a, product: 0x000a, serial: 'RIG-MOTE' };
/** Slow enough that somebody can ask for the board while a model is being written to it. */
const SLOW_BAUD = 19_200;
/** A tab that let go must stay away for so long that any retry would have been seen. */
const STAYS_AWAY_MS = 6000;
/** Longer than a tab waits for another (LET_GO_TIMEOUT_MS). */
const HANGS_MS = 9000;

const reason = missingReason();

test.describe('a board between two tabs', () => {
  test.skip(reason !== null, reason || '');
  test.setTimeout(180_000);

  const folder = mkdtempSync(join(tmpdir(), 'mote-takeover-'));

  /** Prints `count,side` with a count that grows by one each time. */
  function counter(name: string, ids: UsbIds, side: number): RigBoard {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i},${i},${side}`);
    writeFileSync(join(folder, `${name}.csv`), ['time,count,side', ...rows, ''].join('\n'));
    writeFileSync(join(folder, `${name}.txt`), join(folder, `${name}.csv`));
    const program = [join(ROOT, 'tests/rig/csv_board.py'), String(RATE_HZ), join(folder, `${name}.txt`)];
    return new RigBoard(name, ids, ['python3', ...program]);
  }

  let browser: Browser;
  let context: BrowserContext;
  let undoPolicy: () => void;
  let server: Awaited<ReturnType<typeof serveFolder>>;
  const boards: RigBoard[] = [];

  test.beforeAll(async ({ launchOptions }) => {
    server = await serveFolder(join(ROOT, 'dist'), { port: PORT });
    undoPolicy = grantPorts(`http://localhost:${PORT}`, [LEFT, MOTE]);
    browser = await chromium.launch(launchOptions);
  });
  test.beforeEach(async () => {
    context = await browser.newContext({ serviceWorkers: 'block' });
  });
  test.afterEach(async () => {
    await context.close();
    for (const board of boards.splice(0)) await board.dispose();
  });
  test.afterAll(async () => {
    await browser?.close();
    await server?.close();
    undoPolicy?.();
    rmSync(folder, { recursive: true, force: true });
  });

  async function openTab(station = 'board'): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(ACTION_TIMEOUT_MS);
    page.on('pageerror', (error) => console.log('page error:', error.message));
    await page.goto(`${server.url}#/${station}`);
    // Chromium looks for ports from the first getPorts() on.
    await page.evaluate(() => navigator.serial.getPorts());
    return page;
  }

  async function plug(board: RigBoard): Promise<void> {
    boards.push(board);
    await board.plug();
  }

  const station = (page: Page, name: string) => page.goto(`${server.url}#/${name}`);
  const usb = (page: Page, name: RegExp = /2341/) => page.getByTestId('bench-board').filter({ hasText: name });
  const streams = (page: Page, name?: RegExp) =>
    expect(usb(page, name).first()).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
  const connect = (page: Page) => page.getByTestId('connect-remembered').first().click();
  const trouble = (page: Page) => page.getByTestId('board-trouble');

  async function record(page: Page, label: string, seconds: number | null): Promise<void> {
    await station(page, 'data');
    await page.getByTestId('record-label').fill(label);
    await page.getByTestId('record-length').selectOption(String(seconds ?? 0));
    await page.getByTestId('record-start').click();
    await expect(page.getByTestId('recording-now')).toBeVisible();
  }

  /** Frames [count, side] of the recording with this label, once it is complete. */
  async function kept(page: Page, label: string): Promise<number[][]> {
    const read = () =>
      page.evaluate(async (wanted) => {
        const answer = <T>(request: IDBRequest<T>) =>
          new Promise<T>((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(new Error('cannot read'));
          });
        const database = await answer(indexedDB.open('mote'));
        try {
          const transaction = database.transaction(['recordings', 'chunks']);
          interface Row {
            readonly id: string;
            readonly state: string;
            readonly chunks: number;
            readonly recording: { readonly label: string | null };
          }
          const rows = (await answer(transaction.objectStore('recordings').getAll())) as Row[];
          const row = rows.find(({ recording, state }) => recording.label === wanted && state === 'complete');
          const values: number[] = [];
          for (let chunk = 0; chunk < (row?.chunks ?? 0); chunk++) {
            const stored = transaction.objectStore('chunks').get([row?.id ?? '', chunk]);
            values.push(...((await answer(stored)) as { samples: Float32Array }).samples);
          }
          return values;
        } finally {
          database.close();
        }
      }, label);
    await expect.poll(async () => (await read()).length, { timeout: 20_000 }).toBeGreaterThan(0);
    const values = await read();
    return Array.from({ length: values.length / 2 }, (_, i) => values.slice(2 * i, 2 * i + 2));
  }

  /** Every count of one board, without a hole. */
  function expectWhole(frames: readonly number[][], side: number): void {
    const first = frames[0]?.[0] ?? 0;
    frames.forEach((frame, i) => expect(frame).toEqual([first + i, side]));
  }

  test('asked for, the first tab lets go with a sentence and loses nothing; and gets it back the same way', async () => {
    const a = await openTab();
    await plug(counter('ttyACM0', LEFT, 1));
    await connect(a);
    await streams(a);
    await record(a, 'before', null);
    const begun = Date.now();

    const b = await openTab();
    await connect(b);
    await expect(trouble(b)).toContainText('Another tab of the studio uses the board');
    await expect(trouble(b)).toContainText('Take it over to this tab, or go on there.');
    // Asking alone takes nothing away.
    await expect(a.getByTestId('recording-now')).toBeVisible();
    await b.waitForTimeout(1500);
    const asked = Date.now();
    await b.getByTestId('take-over').click();
    await streams(b);
    const taken = Date.now();

    await expect(a.getByTestId('record-ended')).toContainText('is kept as');
    const frames = await kept(a, 'before');
    expectWhole(frames, 1);
    // From begin to end, but for the moment between the click and the first frame.
    expect(frames.length).toBeGreaterThan(((asked - begun) / 1000 - 0.5) * RATE_HZ);
    expect(frames.length).toBeLessThan(((taken - begun) / 1000 + 1) * RATE_HZ);
    await station(a, 'board');
    await expect(trouble(a)).toContainText('Another tab has the board now');
    await expect(trouble(a)).toContainText('was taken over by another tab of the studio. Nothing was damaged.');

    // The new owner gets every byte: nobody else reads from the port.
    await record(b, 'after', 3);
    expectWhole(await kept(b, 'after'), 1);
    await a.waitForTimeout(STAYS_AWAY_MS);
    await expect(usb(a)).toHaveAttribute('data-state', 'failed');
    await station(b, 'board');
    await streams(b);

    await a.getByTestId('take-over').click();
    await streams(a);
    await expect(trouble(b)).toContainText('Another tab has the board now');
  });

  test('a tab that is closed leaves its board, and what it recorded, to the other', async () => {
    const a = await openTab();
    await plug(counter('ttyACM0', LEFT, 1));
    await connect(a);
    await streams(a);
    await record(a, 'closed', null);
    const b = await openTab();
    await connect(b);
    await expect(trouble(b)).toContainText('Another tab of the studio uses the board');
    await a.waitForTimeout(2500);
    await a.close();
    await b.getByTestId('take-over').click();
    await streams(b);
    await b.reload();
    await station(b, 'data');
    await expect(b.getByTestId('recovery')).toBeVisible();
    await b.getByTestId('recover-keep').click();
    const frames = await kept(b, 'closed');
    expectWhole(frames, 1);
    expect(frames.length).toBeGreaterThan(1.5 * RATE_HZ);
  });

  test('a tab that hangs loses the board after a while, and is told when it wakes', async () => {
    const a = await openTab();
    await plug(counter('ttyACM0', LEFT, 1));
    await connect(a);
    await streams(a);
    const b = await openTab();
    await connect(b);
    await expect(trouble(b)).toBeVisible();
    const awake = a.evaluate((ms) => {
      const end = performance.now() + ms;
      while (performance.now() < end) Math.sqrt(end);
    }, HANGS_MS);
    await b.getByTestId('take-over').click();
    await streams(b);
    await awake;
    await expect(trouble(a)).toContainText('Another tab has the board now');
    await record(b, 'woken', 2);
    expectWhole(await kept(b, 'woken'), 1);
  });

  test('of two boards of one kind only the one that is asked for changes tabs', async () => {
    const a = await openTab();
    await plug(counter('ttyACM0', LEFT, 1));
    await plug(counter('ttyACM1', RIGHT, 2));
    await expect(a.getByTestId('connect-remembered')).toHaveCount(2);
    await connect(a);
    await streams(a);
    await connect(a);
    await expect(usb(a).and(a.locator('[data-state="streaming"]'))).toHaveCount(2, { timeout: 30_000 });

    const b = await openTab();
    await connect(b);
    await expect(trouble(b)).toContainText('Another tab of the studio uses the board');
    await b.getByTestId('take-over').click();
    await streams(b);
    await expect(usb(a).and(a.locator('[data-state="failed"]'))).toHaveCount(1);
    await expect(usb(a).and(a.locator('[data-state="streaming"]'))).toHaveCount(1);

    // Each tab reads another board, and all of it.
    await usb(a).and(a.locator('[data-state="streaming"]')).getByRole('button').first().click();
    await record(a, 'first tab', 2);
    await record(b, 'second tab', 2);
    const [mine, its] = [await kept(a, 'first tab'), await kept(b, 'second tab')];
    const sides = [mine[0]?.[1] ?? 0, its[0]?.[1] ?? 0] as const;
    expect([...sides].sort()).toEqual([1, 2]);
    expectWhole(mine, sides[0]);
    expectWhole(its, sides[1]);
  });

  test('a tab that is writing a model keeps the board until it is done', async () => {
    execFileSync('make', ['-s', '-C', join(ROOT, 'firmware'), 'host'], { stdio: 'inherit' });
    const a = await openTab();
    const program = [join(ROOT, 'firmware/build/mote-board'), '--storage', join(folder, 'flash.bin')];
    const samples = join(folder, 'samples.csv');
    writeFileSync(samples, ['time,x,y', ...Array.from({ length: 100 }, (_, i) => `${i},${i},${-i}`), ''].join('\n'));
    const mote = new RigBoard('ttyACM2', MOTE, [...program, '--samples', samples, '--name', 'Rig board'], SLOW_BAUD);
    await plug(mote);
    await connect(a);
    await streams(a, /Rig board/);
    await station(a, 'hardware-test');
    await a.getByTestId('hardware-start').click();
    await expect(a.getByTestId('check-unplug')).toHaveAttribute('data-state', 'active', { timeout: 30_000 });
    await mote.unplug();
    await expect(a.getByTestId('check-unplug')).toHaveAttribute('data-state', 'passed');
    await mote.plug();

    const b = await openTab();
    await expect(b.getByTestId('connect-remembered')).toBeVisible();
    await expect(a.getByTestId('check-deploy')).toHaveAttribute('data-state', 'active', { timeout: 30_000 });
    await connect(b);
    await expect(trouble(b)).toContainText('Another tab of the studio uses the board');
    await b.getByTestId('take-over').click();
    await expect(trouble(b)).toContainText('The other tab is writing to the board');
    await expect(a.getByTestId('hardware-verdict')).toBeVisible({ timeout: 60_000 });
    // Nobody disturbed it: written, read back, proved.
    expect(await a.getByTestId('hardware-report').innerText()).toContain('(8 passed, 0 failed, 1 skipped)');
    await b.getByTestId('take-over').click();
    await streams(b, /Rig board/);
  });
});
