/** Server killed, browser closed, cold start: everything from recordings to a board that classifies still works. */
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { serveFolder } from '../../scripts/static-server.mjs';
import {
  ANY_PORT,
  DIST,
  expectAgreement,
  expectQuiet,
  forgiveDeadServer,
  generateExamples,
  go,
  openProfile,
  openStudio,
  readyOffline,
  temporaryFolder,
  train,
  watch,
} from './studio-under-test';

/** Enough for the examples, which are easy; the test is about the path, not about the last per cent. */
const EPOCHS = 20;
/** Windows in which board and browser must agree before we believe it. */
const AGREEING_WINDOWS = 10;

interface AppManifest {
  readonly url: string;
  readonly errors: readonly unknown[];
}

async function installability(context: BrowserContext, page: Page) {
  const session = await context.newCDPSession(page);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  const manifest = (await session.send('Page.getAppManifest')) as AppManifest;
  await session.detach();
  return { installabilityErrors, manifestErrors: manifest.errors, manifestUrl: manifest.url };
}

test('the whole path works with the server dead, from a cold start', async ({ launchOptions }) => {
  const profile = temporaryFolder('offline');
  const server = await serveFolder(DIST, { port: ANY_PORT });
  let context = await openProfile(profile.path, launchOptions);
  try {
    await test.step('first visit: saved for offline, installable', async () => {
      const watched = await watch(context, server.url);
      const page = context.pages()[0] ?? (await context.newPage());
      await openStudio(page, server.url);
      await readyOffline(page);
      const { installabilityErrors, manifestErrors, manifestUrl } = await installability(context, page);
      expect(manifestUrl).toBe(`${server.url}manifest.webmanifest`);
      expect(manifestErrors).toEqual([]);
      expect(installabilityErrors).toEqual([]);
      expectQuiet(watched);
    });

    await context.close();
    await server.close();
    await expect(fetch(server.url)).rejects.toThrow();

    context = await openProfile(profile.path, launchOptions);
    const watched = await watch(context, server.url);
    const page = context.pages()[0] ?? (await context.newPage());

    await test.step('cold start without a server: the virtual board streams', async () => {
      await openStudio(page, server.url);
      await expect(page.getByTestId('bench-board')).toHaveAttribute('data-state', 'streaming');
      await readyOffline(page);
    });

    await test.step('recordings, training, int8', async () => {
      await generateExamples(page);
      await go(page, 'features');
      await expect(page.getByTestId('feature-count')).toContainText(/[1-9]/);
      await train(page, EPOCHS);
      const figure = async (id: string) =>
        Number(/(\d+(?:\.\d+)?)\s*%/.exec(await page.getByTestId(id).innerText())?.[1]);
      expect(await figure('accuracy-int8')).toBeGreaterThan(80);
      expect(await figure('accuracy-float')).toBeGreaterThan(80);
    });

    await test.step('written to the board: its self-test gives the same bytes', async () => {
      await go(page, 'deploy');
      await page.getByTestId('deploy-button').click();
      await expect(page.getByTestId('self-test-result')).toContainText('64 of 64', { timeout: 30_000 });
    });

    await test.step('live: board and browser agree on every window', async () => {
      await go(page, 'live');
      await expectAgreement(page, AGREEING_WINDOWS);
    });

    forgiveDeadServer(watched);
    expectQuiet(watched);
  } finally {
    await context.close();
    await server.close();
    profile.remove();
  }
});
