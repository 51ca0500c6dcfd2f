/**
 * The main job over real Web Serial: a board that prints numbers and a board with our firmware, both behind ptys, in
 * one headless Chromium. Records from both, trains, deploys, compares; pulls the cable in the middle of it all.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import { serveFolder } from '../../scripts/static-server.mjs';
import { expectAgreement } from '../e2e/studio-under-test';
import { grantPorts, missingReason, RigBoard, type UsbIds } from './real-serial';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SHARED = process.env['MOTE_SHARED'] ?? join(ROOT, '..', 'shared');
const WAND = join(SHARED, 'data', 'motion_magic_wand', 'csv');
const PORT = 4187;
const RATE_HZ = 100;
const SECONDS = 3;
const LABELS = ['_idle', 'alpha'];
const ROUNDS = 2;
/** Slow enough that the cable can be pulled while a pack is being written. */
const BAUD = 115_200;
/** A step that hangs must say so before the whole test runs out of time. */
const ACTION_TIMEOUT_MS = 15_000;
const LINES_IDS: UsbIds = { vendor: 0x2341, product: 0x0043, serial: 'RIG-LINES' };
const MOTE_IDS: UsbIds = { vendor: 0x2e8a, product: 0x000a, serial: 'RIG-MOTE' };

interface StoredRecording {
  readonly id: string;
  readonly state: string;
  readonly label: string | null;
  readonly dialect: string;
  readonly lostFrames: number;
  readonly channels: readonly string[];
  readonly samples: readonly number[];
}

const reason =
  missingReason() ??
  (existsSync(WAND) ? null : 'the magic-wand recordings of ../shared are not there to be played by the boards');

test.describe('real Web Serial', () => {
  test.skip(reason !== null, reason || '');
  test.setTimeout(300_000);

  const folder = mkdtempSync(join(tmpdir(), 'mote-two-boards-'));
  const playlist = join(folder, 'playlist.txt');
  const samples = join(folder, 'samples.csv');
  const files = (label: string) =>
    readdirSync(WAND)
      .filter((name) => name.startsWith(`${label}.`))
      .sort()
      .map((name) => join(WAND, name));

  /** Both boards are moved like this from their next round on. */
  function move(label: string, round: number): string[] {
    const chosen = files(label).slice(2 * round, 2 * round + 2);
    writeFileSync(playlist, chosen.join('\n'));
    const texts = chosen.map((file) => readFileSync(file, 'utf8').trim().split(/\r?\n/));
    writeFileSync(samples, [texts[0]?.[0], ...texts.flatMap((lines) => lines.slice(1))].join('\n') + '\n');
    return chosen;
  }

  let browser: Browser;
  let page: Page;
  let undoPolicy: () => void;
  let server: Awaited<ReturnType<typeof serveFolder>>;
  let lines: RigBoard;
  let mote: RigBoard;

  test.beforeAll(async ({ launchOptions }) => {
    execFileSync('make', ['-s', '-C', join(ROOT, 'firmware'), 'host'], { stdio: 'inherit' });
    move(LABELS[0] ?? '', 0);
    server = await serveFolder(join(ROOT, 'dist'), { port: PORT });
    undoPolicy = grantPorts(`http://localhost:${PORT}`, [LINES_IDS, MOTE_IDS]);
    lines = new RigBoard('ttyACM0', LINES_IDS, [
      'python3',
      join(ROOT, 'tests/rig/csv_board.py'),
      String(RATE_HZ),
      playlist,
    ]);
    mote = new RigBoard(
      'ttyACM1',
      MOTE_IDS,
      [
        join(ROOT, 'firmware/build/mote-board'),
        ...[
          '--samples',
          samples,
          '--storage',
          join(folder, 'flash.bin'),
          '--rate',
          String(RATE_HZ),
          '--name',
          'Rig board',
        ],
      ],
      BAUD,
    );
    browser = await chromium.launch(launchOptions);
    page = await (await browser.newContext({ serviceWorkers: 'block' })).newPage();
    page.setDefaultTimeout(ACTION_TIMEOUT_MS);
    page.on('pageerror', (error) => console.log('page error:', error.message));
  });

  test.afterAll(async () => {
    await browser?.close();
    await lines?.dispose();
    await mote?.dispose();
    await server?.close();
    undoPolicy?.();
    rmSync(folder, { recursive: true, force: true });
  });

  const station = (name: string) => page.goto(`${server.url}#/${name}`);
  const bench = (name: RegExp) => page.getByTestId('bench-board').filter({ hasText: name });

  async function connect(board: RigBoard, name: RegExp): Promise<void> {
    await station('board');
    // Chromium looks for ports from the first getPorts() on; the studio asks when it starts.
    await page.evaluate(() => navigator.serial.getPorts());
    await board.plug();
    await page.getByTestId('connect-remembered').click();
    await expect(bench(name)).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
  }

  async function use(name: RegExp): Promise<void> {
    await station('board');
    await bench(name).getByRole('button').first().click();
  }

  async function record(label: string, seconds: number | null): Promise<void> {
    await station('data');
    await page.getByTestId('record-label').fill(label);
    await page.getByTestId('record-length').selectOption(String(seconds ?? 0));
    await page.getByTestId('record-start').click();
  }

  async function complete(): Promise<number> {
    return (await stored()).filter(({ state }) => state === 'complete').length;
  }

  /** What IndexedDB really holds. */
  function stored(): Promise<StoredRecording[]> {
    return page.evaluate(async () => {
      const open = indexedDB.open('mote');
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        open.onsuccess = () => resolve(open.result);
        open.onerror = () => reject(new Error('cannot open'));
      });
      const all = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(new Error('cannot read'));
        });
      try {
        const transaction = database.transaction(['recordings', 'chunks']);
        interface Row {
          id: string;
          state: string;
          chunks: number;
          recording: {
            label: string | null;
            source: { dialect?: string };
            quality: { lostFrames: number };
            channels: { name: string }[];
          };
        }
        const rows = await all<Row[]>(transaction.objectStore('recordings').getAll() as IDBRequest<Row[]>);
        const found = [];
        for (const row of rows) {
          const values: number[] = [];
          for (let chunk = 0; chunk < row.chunks; chunk++) {
            const request = transaction.objectStore('chunks').get([row.id, chunk]) as IDBRequest<{
              samples: Float32Array;
            }>;
            values.push(...(await all(request)).samples);
          }
          found.push({
            id: row.id,
            state: row.state,
            label: row.recording.label,
            dialect: row.recording.source.dialect ?? '',
            lostFrames: row.recording.quality.lostFrames,
            channels: row.recording.channels.map((channel) => channel.name),
            samples: values,
          });
        }
        return found;
      } finally {
        database.close();
      }
    });
  }

  /** True when the frames stand in the played files in this order, without a hole, going round. */
  function isContiguous(recorded: readonly number[], played: readonly string[]): boolean {
    const rows = played.flatMap((file) =>
      readFileSync(file, 'utf8')
        .trim()
        .split(/\r?\n/)
        .slice(1)
        .map((line) =>
          line
            .split(',')
            .slice(1)
            .map((cell) => Math.fround(Number(cell))),
        ),
    );
    const width = rows[0]?.length ?? 1;
    const frames = recorded.length / width;
    const matches = (start: number) => {
      for (let frame = 0; frame < frames; frame++) {
        const row = rows[(start + frame) % rows.length] ?? [];
        for (let c = 0; c < width; c++) if (row[c] !== recorded[frame * width + c]) return false;
      }
      return true;
    };
    return rows.some((_, start) => matches(start));
  }

  test('records from both boards, trains, deploys, compares; survives the pulled cable', async () => {
    await connect(lines, /Arduino|2341/i);
    await connect(mote, /Rig board/);

    await test.step('record from both', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const label of LABELS) {
          const played = move(label, round);
          // Both boards finish their round of two recordings before they are moved differently.
          await page.waitForTimeout(SECONDS * 1000 + 1000);
          for (const name of [/Arduino|2341/i, /Rig board/]) {
            await use(name);
            const before = await complete();
            await record(label, SECONDS);
            await expect.poll(complete, { timeout: 20_000 }).toBe(before + 1);
          }
          const newest = (await stored()).filter((one) => one.label === label).slice(-2 * (round + 1));
          const fromLines = newest.filter((one) => one.dialect === 'lines');
          expect(fromLines.some((one) => isContiguous(one.samples, played))).toBe(true);
        }
      }
      const all = await stored();
      expect(all).toHaveLength(2 * ROUNDS * LABELS.length);
      for (const one of all) {
        expect(one.channels).toEqual(['accX', 'accY', 'accZ', 'gyrX', 'gyrY', 'gyrZ']);
        expect(one.lostFrames).toBe(0);
        expect(one.samples.length).toBe(SECONDS * RATE_HZ * 6);
      }
      expect(new Set(all.map((one) => one.dialect))).toEqual(new Set(['lines', 'mote']));
    });

    await test.step('cable pulled while recording: what was recorded is kept, replug goes on without a reload', async () => {
      const marker = await page.evaluate(() => Object.assign(window, { notReloaded: true }) && true);
      expect(marker).toBe(true);
      await use(/Arduino|2341/i);
      const before = await complete();
      const asked = Date.now();
      await record('pulled', null);
      await expect(page.getByTestId('recording-now')).toBeVisible();
      const begun = Date.now();
      await page.waitForTimeout(3000);
      const least = (Date.now() - begun) / 1000;
      await lines.unplug();
      const most = (Date.now() - asked) / 1000;
      await expect(page.getByTestId('record-ended')).toBeVisible();
      await expect.poll(complete).toBe(before + 1);
      const kept = (await stored()).find((one) => one.label === 'pulled');
      const seconds = (kept?.samples.length ?? 0) / 6 / RATE_HZ;
      // At most the last second may be missing.
      expect(seconds).toBeGreaterThan(least - 1);
      expect(seconds).toBeLessThan(most + 0.5);
      await lines.plug();
      await station('board');
      await expect(bench(/Arduino|2341/i)).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
      await record('after', SECONDS);
      await expect.poll(complete, { timeout: 20_000 }).toBe(before + 2);
      expect(await page.evaluate(() => 'notReloaded' in window)).toBe(true);
      // They are no gestures: out of the way of training.
      await page.getByTestId('recordings-search').fill('pulled');
      await page.getByTestId('select-all').click();
      await page.getByTestId('bulk-delete').click();
      await page.getByTestId('recordings-search').fill('after');
      await page.getByTestId('select-all').click();
      await page.getByTestId('bulk-delete').click();
      await page.getByTestId('recordings-search').fill('');
      await expect.poll(complete).toBe(before);
    });

    async function train(seed: number): Promise<void> {
      await station('model');
      await page.getByTestId('train-seed').fill(String(seed));
      await page.getByTestId('train-seed').blur();
      await page.getByTestId('train-start').click();
      await expect(page.getByTestId('train-status')).toHaveAttribute('data-phase', 'done', { timeout: 60_000 });
    }

    await test.step('train and deploy: the board itself proves the model', async () => {
      await train(1);
      await expect(page.getByTestId('accuracy-int8')).toContainText('%');
      await use(/Rig board/);
      await station('deploy');
      await page.getByTestId('deploy-button').click();
      await expect(page.getByTestId('self-test-result')).toContainText('64 of 64', { timeout: 60_000 });
    });

    await test.step("the board's scores are the interpreter's, byte for byte", async () => {
      await station('live');
      await expectAgreement(page, 5);
    });

    await test.step('cable pulled while writing: the old model still runs, and the next deploy goes through', async () => {
      await train(2);
      await use(/Rig board/);
      await station('deploy');
      await page.getByTestId('deploy-button').click();
      await page.waitForTimeout(700);
      await mote.unplug();
      await expect(page.getByTestId('deploy-error')).toBeVisible({ timeout: 20_000 });
      await mote.plug();
      await station('board');
      await expect(bench(/Rig board/)).toHaveAttribute('data-state', 'streaming', { timeout: 30_000 });
      await station('live');
      await expect(page.getByTestId('agreement-count')).toContainText(/[1-9]/, { timeout: 40_000 });
      await station('deploy');
      await page.getByTestId('deploy-button').click();
      await expect(page.getByTestId('self-test-result')).toContainText('64 of 64', { timeout: 60_000 });
      expect(await page.evaluate(() => 'notReloaded' in window)).toBe(true);
    });
  });
});
