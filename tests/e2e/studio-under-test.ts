/** Opening, watching and walking through the studio: what the browser tests share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, type BrowserContext, type LaunchOptions, type Page } from '@playwright/test';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const DIST = join(ROOT, 'dist');

/** The system chooses: test runs beside each other do not meet. */
export const ANY_PORT = 0;

/** The signal path, in its order. */
export const STATIONS = ['board', 'data', 'features', 'model', 'test', 'deploy', 'live'] as const;
export type Station = (typeof STATIONS)[number];

/** A small machine with other tests beside it needs this long for the slowest single step. */
export const SLOW_STEP_MS = 90_000;
/** The slowest board classifies a few windows in this time. */
const AGREEMENT_MS = 60_000;

/** A new folder under the system's temporary one, and how to get rid of it. */
export function temporaryFolder(name: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `mote-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
}

/** A browser with a profile on disk: only such a one installs apps and keeps IndexedDB over a restart. */
export function openProfile(folder: string, launchOptions: LaunchOptions): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, {
    ...launchOptions,
    args: [
      ...(launchOptions.args ?? []),
      // Whatever tries to leave the machine fails at once, instead of depending on the network of the test's host.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost',
    ],
    viewport: { width: 1440, height: 900 },
  });
}

/** What must not happen while a test runs: see `expectQuiet`. */
export interface Watch {
  /** Requests to anywhere but the studio's own origin. */
  readonly foreign: string[];
  /** Console errors, uncaught exceptions and violations of the Content-Security-Policy, in pages and workers. */
  readonly errors: string[];
  /** How many requests were seen at all: a watch that sees none proves nothing. */
  readonly seen: () => number;
}

/** Watches every page and worker of the context from now on. Call before the first navigation. */
export async function watch(context: BrowserContext, origin: string): Promise<Watch> {
  const foreign: string[] = [];
  const errors: string[] = [];
  let seen = 0;
  context.on('request', (request) => {
    seen++;
    const url = new URL(request.url());
    if (url.protocol === 'blob:' || url.protocol === 'data:') return;
    if (url.origin !== new URL(origin).origin) foreign.push(request.url());
  });
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(`console: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => errors.push(`uncaught: ${error.error().stack ?? error.error().message}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
      console.error(`securitypolicyviolation: ${effectiveDirective} blocked ${blockedURI}`),
    );
  });
  return { foreign, errors, seen: () => seen };
}

export function expectQuiet(watched: Watch): void {
  expect(watched.foreign, 'requests that left the origin').toEqual([]);
  expect(watched.errors, 'errors in the console').toEqual([]);
  expect(watched.seen()).toBeGreaterThan(0);
}

/** Asking a dead server for a newer service worker fails, as it must; any other refused request was not cached. */
export function forgiveDeadServer(watched: Watch): void {
  const kept = watched.errors.filter(
    (error) => !(error.includes('net::ERR_CONNECTION_REFUSED') && error.includes('/service-worker.js')),
  );
  watched.errors.splice(0, Infinity, ...kept);
}

export async function go(page: Page, station: Station): Promise<void> {
  await page.getByTestId(`stop-${station}`).click();
  await expect(page.getByTestId(`stop-${station}`)).toHaveAttribute('aria-current', 'page');
  await expect(page.locator('main h1')).toBeVisible();
}

/** Opens the studio at a station and waits until the virtual board streams. */
export async function openStudio(page: Page, origin: string, station: Station = 'board'): Promise<void> {
  await page.goto(`${origin}#/${station}`);
  await expect(page.getByTestId(`stop-${station}`)).toHaveAttribute('aria-current', 'page');
  await expect(page.getByTestId('stop-board')).toHaveAttribute('data-state', 'live');
}

export async function readyOffline(page: Page): Promise<void> {
  await expect(page.getByTestId('offline-badge')).toHaveAttribute('data-state', 'ready', { timeout: SLOW_STEP_MS });
}

/** From an empty data station: the simulator's example recordings. */
export async function generateExamples(page: Page): Promise<void> {
  await go(page, 'data');
  await page.getByTestId('generate-examples').click();
  await expect(page.getByTestId('recording-row').first()).toBeVisible({ timeout: SLOW_STEP_MS });
  await expect(page.getByTestId('stop-data')).toHaveAttribute('data-state', /ready|live/);
}

export async function train(page: Page, epochs: number): Promise<void> {
  await go(page, 'model');
  await page.getByTestId('train-epochs').fill(String(epochs));
  await page.getByTestId('train-epochs').blur();
  await page.getByTestId('train-start').click();
  await expect(page.getByTestId('train-status')).toHaveAttribute('data-phase', 'done', { timeout: SLOW_STEP_MS });
}

export async function startRecording(page: Page, label: string, seconds: number | null): Promise<void> {
  await go(page, 'data');
  await page.getByTestId('record-label').fill(label);
  await page.getByTestId('record-length').selectOption(String(seconds ?? 0));
  await page.getByTestId('record-start').click();
  await expect(page.getByTestId('recording-now')).toBeVisible();
}

/** At Live: board and browser give the same bytes for every window, and have done so for so many. */
export async function expectAgreement(page: Page, windows: number): Promise<void> {
  const count = page.getByTestId('agreement-count');
  await expect
    .poll(async () => Number(await count.getAttribute('data-total')), { timeout: AGREEMENT_MS })
    .toBeGreaterThanOrEqual(windows);
  // One look at both numbers: they grow while we read.
  const { same, total } = await count.evaluate((element: HTMLElement) => ({ ...element.dataset }));
  expect(same).toBe(total);
}
