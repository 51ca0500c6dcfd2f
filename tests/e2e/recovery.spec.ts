/** A tab that dies in the middle of a recording: the recording is offered back, at most a second shorter. */
import { expect, test } from '@playwright/test';
import { serveFolder } from '../../scripts/static-server.mjs';
import {
  ANY_PORT,
  DIST,
  expectQuiet,
  go,
  openProfile,
  openStudio,
  startRecording,
  temporaryFolder,
  watch,
} from './studio-under-test';

const RECORD_MS = 4000;
/** The promise. */
const MOST_LOST_SECONDS = 1;

/** Seconds in a text such as "wave 2026-01-01 10:00:00, 3.42 s". */
function seconds(text: string): number {
  const found = /(\d+(?:\.\d+)?)\s*s\b/.exec(text);
  if (!found) throw new Error(`no seconds in "${text}"`);
  return Number(found[1]);
}

for (const how of ['the tab crashes', 'the browser is killed'] as const) {
  test(`${how} in mid-recording: offered back, at most one second missing`, async ({ launchOptions }) => {
    const profile = temporaryFolder('recovery');
    const server = await serveFolder(DIST, { port: ANY_PORT });
    let context = await openProfile(profile.path, launchOptions);
    try {
      let page = context.pages()[0] ?? (await context.newPage());
      await openStudio(page, server.url, 'data');
      await startRecording(page, 'cut short', null);
      await page.waitForTimeout(RECORD_MS);
      const before = seconds(await page.getByTestId('recording-now').innerText());
      expect(before).toBeGreaterThan(RECORD_MS / 1000 - 1);

      if (how === 'the tab crashes') {
        const session = await context.newCDPSession(page);
        const crashed = page.waitForEvent('crash');
        // The answer never comes: the process that would give it is gone.
        session.send('Page.crash').catch(() => undefined);
        await crashed;
        await page.close();
        page = await context.newPage();
      } else {
        const browser = await (context.browser()?.newBrowserCDPSession() ?? Promise.reject(new Error('no browser')));
        const closed = context.waitForEvent('close');
        browser.send('Browser.crash').catch(() => undefined);
        await closed;
        context = await openProfile(profile.path, launchOptions);
        page = context.pages()[0] ?? (await context.newPage());
      }

      const watched = await watch(context, server.url);
      await openStudio(page, server.url, 'data');
      const banner = page.getByTestId('recovery');
      await expect(banner).toBeVisible();
      await expect(page.getByTestId('recording-row')).toHaveCount(0);
      const offered = seconds((await banner.locator('li').innerText()).replace(/\d\d:\d\d:\d\d/, ''));
      expect(offered).toBeGreaterThanOrEqual(before - MOST_LOST_SECONDS);

      await page.getByTestId('recover-keep').click();
      await expect(banner).toHaveCount(0);
      await expect(page.getByTestId('recording-row')).toHaveCount(1);
      await expect(page.getByTestId('recording-row')).toContainText('cut short');
      const kept = seconds(await page.getByTestId('recording-length').innerText());
      expect(kept).toBeGreaterThanOrEqual(before - MOST_LOST_SECONDS);

      // It is whole: it plays, and it is still there in the next visit.
      await page.getByTestId('recording-play').click();
      await expect(page.getByTestId('player')).toBeVisible();
      await page.keyboard.press('Escape');
      await page.reload();
      await go(page, 'data');
      await expect(page.getByTestId('recording-row')).toHaveCount(1);
      await expect(banner).toHaveCount(0);
      expectQuiet(watched);
    } finally {
      await context.close();
      await server.close();
      profile.remove();
    }
  });
}
