/** What goes wrong in a class room: a full disk, a file dropped beside its target, a phone, names that nobody foresaw. */
import { expect, test } from '@playwright/test';
import { serveFolder } from '../../scripts/static-server.mjs';
import { ANY_PORT, DIST, expectQuiet, generateExamples, go, openStudio, train, watch } from './studio-under-test';

let server: Awaited<ReturnType<typeof serveFolder>>;
test.use({ serviceWorkers: 'block', contextOptions: { reducedMotion: 'reduce' } });
test.beforeAll(async () => void (server = await serveFolder(DIST, { port: ANY_PORT })));
test.afterAll(() => server.close());

test('on a full disk recordings can still be deleted, and settings stop nothing', async ({ page, context }) => {
  const watched = await watch(context, server.url);
  await page.addInitScript(() => {
    // As Chromium does it: a put fails, deleting works.
    for (const method of ['put', 'add'] as const) {
      IDBObjectStore.prototype[method] = new Proxy(Reflect.get(IDBObjectStore.prototype, method), {
        apply(real, store: unknown, given: unknown[]) {
          if (document.documentElement.dataset['disk'] === 'full')
            throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
          return Reflect.apply(real, store, given) as IDBRequest<IDBValidKey>;
        },
      });
    }
  });
  await openStudio(page, server.url);
  await generateExamples(page);
  await page.evaluate(() => (document.documentElement.dataset['disk'] = 'full'));

  await page.getByTestId('select-all').click();
  await page.getByTestId('bulk-delete').click();
  await expect(page.getByTestId('confirm-dialog')).toContainText('60 recordings cannot be moved to the trash');
  await page.getByTestId('confirm-action').click();
  await expect(page.getByTestId('data-empty')).toBeVisible();

  // Starting to record saves what the panel is set to; the recording fails in words, with nothing uncaught.
  await page.getByTestId('record-start').click();
  await expect(page.getByTestId('record-ended')).toContainText('used up', { timeout: 30_000 });
  await expect(page.getByTestId('toast').filter({ hasText: 'used up' })).toHaveCount(1);
  watched.errors.splice(0, Infinity, ...watched.errors.filter((error) => !/service worker/i.test(error)));
  expectQuiet(watched);
});

test('a file dropped beside its target leaves the studio where it is', async ({ page }) => {
  await openStudio(page, server.url, 'features');
  const refused = await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['1,2,3'], 'wave.csv'));
    const drop = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
    document.querySelector('main')?.dispatchEvent(drop);
    return drop.defaultPrevented;
  });
  expect(refused).toBe(true);
  await expect(page.getByTestId('toast')).toContainText('Drop recordings at Data');
});

test('a phone shows every channel of the scope with its unit', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openStudio(page, server.url);
  const channels = page.locator('.scope .channel');
  await expect(channels).toHaveCount(6);
  for (const channel of await channels.all()) {
    await expect(channel).toContainText(/m\/s²|°\/s/);
    const box = await channel.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? Infinity)).toBeLessThanOrEqual(390);
  }
});

test('labels of every kind train, and keep the tables on the page', async ({ page }) => {
  const names = ['👋🏽 "hi" \\n %s */', 'مرحبا بالعالم', '<img src=x onerror=alert(1)>', 'x'.repeat(100), "o'clock"];
  await openStudio(page, server.url);
  await generateExamples(page);
  for (const [index, gesture] of ['idle', 'wave', 'circle', 'updown', 'shake'].entries()) {
    await page.getByTestId('recordings-filter').selectOption(gesture);
    await page.getByTestId('select-all').click();
    await page.getByTestId('bulk-label').fill(names[index] ?? '');
    await page.getByTestId('bulk-relabel').click();
    await expect(page.getByTestId('label-row').filter({ hasText: names[index] ?? '' })).toHaveCount(1);
    await page.getByTestId('bulk').getByRole('button', { name: 'Clear selection' }).click();
  }
  await page.getByTestId('recordings-filter').selectOption({ index: 0 });

  // A slip of the hand over sixty recordings is no catastrophe.
  await page.getByTestId('select-all').click();
  await page.getByTestId('bulk-label').fill('oops');
  await page.getByTestId('bulk-relabel').click();
  await expect(page.getByTestId('label-row')).toHaveCount(1);
  await page.getByTestId('toast').filter({ hasText: 'oops' }).getByTestId('toast-action').click();
  await expect(page.getByTestId('label-row')).toHaveCount(5);

  await train(page, 4);
  await go(page, 'test');
  await expect(page.getByTestId('test-confusion')).toContainText('مرحبا بالعالم');
  // The figures stand beside the longest name, not behind it.
  const cells = page.getByTestId('test-confusion').locator('tbody td');
  expect((await cells.first().boundingBox())?.x).toBeLessThan(400);
  await go(page, 'live');
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
});

test('in high contrast the traces keep their colours, and what is chosen shows', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await openStudio(page, server.url);
  await expect
    .poll(() =>
      page.locator('.scope canvas').evaluate((canvas: HTMLCanvasElement) => {
        const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        const hues = new Set<string>();
        for (let i = 0; i < pixels.length; i += 4) {
          const [red = 0, green = 0, blue = 0] = pixels.slice(i, i + 3);
          // Grid and letters are nearly grey.
          if (Math.max(red, green, blue) - Math.min(red, green, blue) > 90) hues.add(`${red} ${green} ${blue}`);
        }
        return hues.size;
      }),
    )
    .toBeGreaterThan(5);
  const outline = (id: string) => page.getByTestId(id).evaluate((element) => getComputedStyle(element).outlineStyle);
  expect(await outline('stop-board')).toBe('solid');
  expect(await outline('stop-data')).toBe('none');
});

test('a board that was disconnected, and recordings that are gone: each station says so and offers the way on', async ({
  page,
}) => {
  await openStudio(page, server.url);
  await generateExamples(page);
  await train(page, 4);
  await go(page, 'features');
  await page.getByTestId('window-ms').fill('1000');
  await page.getByTestId('window-ms').blur();

  await go(page, 'board');
  await page.getByTestId('board-menu').click();
  await page.getByTestId('board-disconnect').click();
  await expect(page.getByTestId('vital-board')).toContainText('not connected');
  await page.getByTestId('board-reconnect').click();
  await expect(page.getByTestId('bench-board')).toHaveAttribute('data-state', 'streaming');

  await go(page, 'data');
  await page.getByTestId('select-all').click();
  await page.getByTestId('bulk-delete').click();
  await expect(page.getByTestId('data-empty')).toBeVisible();
  await go(page, 'features');
  await expect(page.getByTestId('features-empty')).toBeVisible();
  await go(page, 'model');
  await expect(page.getByTestId('model-no-data')).toContainText('The recordings are gone');
  await go(page, 'test');
  await expect(page.getByTestId('test-none')).toContainText('They were deleted');
});

test('a button that leads on takes the focus along', async ({ page }) => {
  await openStudio(page, server.url);
  await page.getByTestId('go-record').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('stop-data')).toHaveAttribute('aria-current', 'page');
  await expect(page.locator('main')).toBeFocused();
  await generateExamples(page);
  // The second row goes; the one that takes its place is next.
  await page.getByTestId('recording-menu').nth(1).focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('recording-delete').press('Enter');
  await expect(page.getByTestId('recordings-count')).toContainText('59');
  await expect(page.getByTestId('recording-menu').nth(1)).toBeFocused();
});

test('a cancelled test can be started again', async ({ page }) => {
  await openStudio(page, server.url);
  await generateExamples(page);
  await train(page, 4);
  // The worker's script is held back, so that the test lasts until it is cancelled.
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(/train\.worker/, async (route) => {
    await released;
    await route.continue();
  });
  await page.reload();
  await go(page, 'test');
  await page.getByTestId('test-progress').getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByTestId('test-cancelled')).toBeVisible();
  release();
  await page.getByTestId('test-again').click();
  await expect(page.getByTestId('test-figures')).toBeVisible();
});
