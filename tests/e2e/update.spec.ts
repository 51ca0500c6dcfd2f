/** Two versions served in turn: an update asks, waits for work under way, and then takes over completely. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test, type Page } from '@playwright/test';
import { serveFolder } from '../../scripts/static-server.mjs';
import {
  ANY_PORT,
  expectQuiet,
  forgiveDeadServer,
  openProfile,
  openStudio,
  readyOffline,
  ROOT,
  SLOW_STEP_MS,
  startRecording,
  temporaryFolder,
  watch,
} from './studio-under-test';

/** Long enough that a page which reloads by itself would have done so. */
const PATIENCE_MS = 1500;

async function build(version: string, outDir: string): Promise<void> {
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  await promisify(execFile)(
    process.execPath,
    [vite, 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'error'],
    { cwd: ROOT, env: { ...process.env, NODE_ENV: 'production', APP_VERSION: version } },
  );
}

const version = (page: Page) => page.locator('html').getAttribute('data-version');

/** Leaves a mark that only a reload removes. */
async function mark(page: Page): Promise<void> {
  await page.evaluate(() => document.documentElement.setAttribute('data-marked', 'yes'));
}
const marked = (page: Page) => page.locator('html').getAttribute('data-marked');

test('an update never reloads by itself and never during a recording', async ({ launchOptions }) => {
  const folder = temporaryFolder('update');
  const [v1, v2] = [join(folder.path, 'v1'), join(folder.path, 'v2')];
  await test.step('build two versions', async () => {
    await build('v1', v1);
    await build('v2', v2);
  });
  let server = await serveFolder(v1, { port: ANY_PORT });
  let context = await openProfile(join(folder.path, 'profile'), launchOptions);
  try {
    const watched = await watch(context, server.url);
    const page = context.pages()[0] ?? (await context.newPage());
    const bar = page.getByTestId('update-bar');
    await openStudio(page, server.url);
    await readyOffline(page);
    expect(await version(page)).toBe('v1');
    await expect(bar).toHaveCount(0);

    await server.close();
    server = await serveFolder(v2, { port: server.port });

    await test.step('a visit finds the update, shows it and stays', async () => {
      await page.reload();
      // The new worker fetches its whole version first.
      await expect(bar).toBeVisible({ timeout: SLOW_STEP_MS });
      await mark(page);
      await page.waitForTimeout(PATIENCE_MS);
      expect(await version(page)).toBe('v1');
      expect(await marked(page)).toBe('yes');
    });

    await test.step('another plain reload is still the old version, and still asks', async () => {
      await page.reload();
      await expect(bar).toBeVisible();
      expect(await version(page)).toBe('v1');
    });

    await test.step('blocked while this tab records', async () => {
      await startRecording(page, 'update', null);
      await mark(page);
      const before = await bar.innerText();
      await page.getByTestId('update-apply').click();
      await expect(bar).not.toHaveText(before);
      await page.waitForTimeout(PATIENCE_MS);
      expect(await marked(page)).toBe('yes');
      expect(await version(page)).toBe('v1');
      await expect(page.getByTestId('recording-now')).toBeVisible();
    });

    await test.step('blocked by another tab that records, too', async () => {
      const other = await context.newPage();
      await openStudio(other, server.url, 'data');
      await mark(other);
      await expect(other.getByTestId('update-bar')).toBeVisible();
      await other.getByTestId('update-apply').click();
      await other.waitForTimeout(PATIENCE_MS);
      expect(await marked(other)).toBe('yes');
      expect(await version(other)).toBe('v1');
      await other.close();
      expect(await marked(page)).toBe('yes');
    });

    await test.step('after it, "Reload now" takes over; the recording is kept', async () => {
      await page.getByTestId('record-stop').click();
      await expect(page.getByTestId('recording-row')).toHaveCount(1);
      await page.getByTestId('update-apply').click();
      await expect(page.locator('html')).toHaveAttribute('data-version', 'v2');
      await expect(page.getByTestId('recording-row')).toHaveCount(1);
      await expect(bar).toHaveCount(0);
      await readyOffline(page);
      expectQuiet(watched);
    });

    await test.step('v2 starts cold without a server, and nothing of v1 stays cached', async () => {
      await context.close();
      await server.close();
      context = await openProfile(join(folder.path, 'profile'), launchOptions);
      const offline = await watch(context, server.url);
      const again = context.pages()[0] ?? (await context.newPage());
      await openStudio(again, server.url);
      expect(await version(again)).toBe('v2');
      await readyOffline(again);
      const cached = await again.evaluate(async () => {
        const urls: string[] = [];
        for (const name of await caches.keys())
          for (const request of await (await caches.open(name)).keys()) urls.push(new URL(request.url).pathname);
        return urls;
      });
      const list = (await again.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name)))
        .map((url) => new URL(url).pathname)
        .filter((path) => path.startsWith('/assets/'));
      expect(list.length).toBeGreaterThan(0);
      for (const path of list) expect(cached).toContain(path);
      // The entry script carries the version, so each version has its own: only one may be left.
      expect(cached.filter((path) => /^\/assets\/index-[\w-]+\.js$/.test(path))).toHaveLength(1);
      forgiveDeadServer(offline);
      expectQuiet(offline);
    });
  } finally {
    await context.close();
    await server.close();
    folder.remove();
  }
});
