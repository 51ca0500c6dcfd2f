/** Every station, empty and in use, in both themes and three widths: nothing overflows, axe finds nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { serveFolder } from '../../scripts/static-server.mjs';
import {
  ANY_PORT,
  DIST,
  expectQuiet,
  generateExamples,
  go,
  openStudio,
  STATIONS,
  temporaryFolder,
  train,
  watch,
  type Station,
  type Watch,
} from './studio-under-test';

const THEMES = ['light', 'dark'] as const;
/** CSS pixels: a laptop, a tablet upright, a phone. */
const WIDTHS = [1440, 820, 390] as const;
const HEIGHT = 900;
/** Axe looks at the colours of both themes once, and at the phone's layout. */
const AXE_LOOKS: readonly string[] = ['light 1440', 'dark 1440', 'light 390'];
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const EPOCHS = 8;

let server: Awaited<ReturnType<typeof serveFolder>>;
let watched: Watch;

test.use({ serviceWorkers: 'block', contextOptions: { reducedMotion: 'reduce' } });
test.beforeAll(async () => void (server = await serveFolder(DIST, { port: ANY_PORT })));
test.afterAll(() => server.close());
test.beforeEach(async ({ context }) => void (watched = await watch(context, server.url)));
test.afterEach(() => {
  // Playwright's own block says so in the console.
  const kept = watched.errors.filter((error) => !/service worker/i.test(error));
  watched.errors.splice(0, Infinity, ...kept);
  expectQuiet(watched);
});

async function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.scrollingElement ?? document.documentElement;
    if (root.scrollWidth <= innerWidth) return [];
    // Names the culprits, so that a failure says what to mend.
    const culprits = [...document.querySelectorAll('main *')].filter(
      (element) => element.getBoundingClientRect().right > innerWidth + 1,
    );
    return culprits.slice(0, 5).map((element) => `${element.tagName}.${element.getAttribute('class') ?? ''}`);
  });
}

/** Colours that are still fading would be judged as they look half way. */
async function faded(page: Page): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running').length))
    .toBe(0);
}

async function violations(page: Page): Promise<string[]> {
  await faded(page);
  const { violations, passes } = await new AxeBuilder({ page }).withTags(AXE_TAGS).analyze();
  // An axe that looked at nothing finds nothing.
  expect(passes.map(({ id }) => id)).toContain('color-contrast');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary?.split('\n')[1]?.trim()}`),
  );
}

/** What must have arrived on screen before a station is judged. */
const SETTLED: Partial<Record<Station, string>> = {
  data: 'recording-row',
  features: 'feature-bars',
  model: 'result-panel',
  test: 'test-figures',
  deploy: 'deploy-panel',
};

async function judge(page: Page, inUse: boolean): Promise<void> {
  for (const station of STATIONS) {
    await page.setViewportSize({ width: WIDTHS[0], height: HEIGHT });
    await go(page, station);
    const settled = inUse ? SETTLED[station] : undefined;
    if (settled) await expect(page.getByTestId(settled).first()).toBeVisible();
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme });
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: HEIGHT });
        const where = `${station}, ${theme}, ${width} px`;
        await expect.soft(page.locator('main h1'), where).toBeVisible();
        expect
          .soft(await page.evaluate(() => document.scrollingElement?.scrollWidth), where)
          .toBeLessThanOrEqual(width);
        expect.soft(await overflow(page), `too wide: ${where}`).toEqual([]);
        if (AXE_LOOKS.includes(`${theme} ${width}`)) expect.soft(await violations(page), `axe: ${where}`).toEqual([]);
      }
    }
  }
}

test('every station of an empty studio', async ({ page }) => {
  await openStudio(page, server.url);
  await judge(page, false);
});

test('every station of a studio in use', async ({ page }) => {
  // 42 looks, 21 of them with axe, after a training: too much for the usual limit on a small machine with other work.
  test.slow();
  await openStudio(page, server.url);
  await generateExamples(page);
  await train(page, EPOCHS);
  await judge(page, true);
});

test('the theme menu changes the theme, and a reload keeps it', async ({ page }) => {
  await openStudio(page, server.url);
  /** Brightness of the page, 0 to 255, however the browser writes its colours. */
  const brightness = () =>
    page.evaluate(() => {
      const canvas = document.createElement('canvas').getContext('2d');
      if (!canvas) throw new Error('no canvas');
      canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
      canvas.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data;
      return (red + green + blue) / 3;
    });
  await page.emulateMedia({ colorScheme: 'light' });
  await expect.poll(brightness).toBeGreaterThan(200);
  await page.getByTestId('theme-menu').click();
  await page.getByTestId('theme-dark').click();
  await expect.poll(brightness).toBeLessThan(60);
  await page.reload();
  await expect(page.getByTestId('theme-menu')).toBeVisible();
  await expect.poll(brightness).toBeLessThan(60);
});

/** One axis more than needed and a time column, as a person's own logger would write it. */
function csv(seed: number, seconds: number): string {
  const rows = Array.from({ length: seconds * 50 }, (_, i) =>
    [i * 20, Math.sin((i + seed) / 5), Math.cos(i / (5 + seed)), 9.81].map((value) => value.toFixed(4)).join(','),
  );
  return ['timestamp,accX,accY,accZ', ...rows].join('\n') + '\n';
}

/** No two files alike: the studio would see that it has one already. */
let seed = 1;
function folders(root: string, labels: readonly string[], files: number): void {
  for (const label of labels) {
    mkdirSync(join(root, label), { recursive: true });
    for (let i = 0; i < files; i++) writeFileSync(join(root, label, `take-${i}.csv`), csv(seed++, 2));
  }
}

test('import: chosen files, a chosen folder, and folders dropped on the page', async ({ page }) => {
  const files = temporaryFolder('import');
  try {
    folders(join(files.path, 'chosen'), ['circle', 'still'], 3);
    folders(join(files.path, 'dropped'), ['shake', 'nod'], 2);
    writeFileSync(join(files.path, 'tap.one.csv'), csv(40, 2));
    writeFileSync(join(files.path, 'broken.csv'), 'this is, not\na recording');

    await openStudio(page, server.url, 'data');
    const rows = page.getByTestId('recording-row');

    await test.step('files: one good, one broken', async () => {
      const chooser = page.waitForEvent('filechooser');
      await page.getByTestId('import-files').click();
      await (await chooser).setFiles([join(files.path, 'tap.one.csv'), join(files.path, 'broken.csv')]);
      await expect(rows).toHaveCount(1);
      await expect(rows.first()).toContainText('tap');
      await expect(page.getByTestId('import-problems')).toContainText('broken.csv');
    });

    await test.step('a folder: labels from its folders', async () => {
      const chooser = page.waitForEvent('filechooser');
      await page.getByTestId('import-folder').click();
      await (await chooser).setFiles(join(files.path, 'chosen'));
      await expect(rows).toHaveCount(7);
      await expect(page.getByTestId('label-row').filter({ hasText: 'circle' })).toContainText('3');
    });

    await test.step('two folders dropped', async () => {
      const session = await page.context().newCDPSession(page);
      const data = {
        items: [],
        files: ['shake', 'nod'].map((label) => join(files.path, 'dropped', label)),
        dragOperationsMask: 1,
      };
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
        await session.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data });
      await session.detach();
      await expect(rows).toHaveCount(11);
      await expect(page.getByTestId('label-row').filter({ hasText: 'shake' })).toContainText('2');
      await expect(page.getByTestId('label-row').filter({ hasText: 'nod' })).toContainText('2');
    });

    await test.step('the same folder again adds nothing', async () => {
      await page.getByTestId('import-folder-input').setInputFiles(join(files.path, 'chosen'));
      await expect(page.getByTestId('import-summary')).toContainText('6');
      await expect(rows).toHaveCount(11);
    });
  } finally {
    files.remove();
  }
});

test('the signal path by keyboard alone', async ({ page }) => {
  await openStudio(page, server.url);
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-testid') ?? '');
  /** Whoever cannot use a mouse must see where they are. */
  const ringed = () =>
    page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement ?? document.body);
      return (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
    });

  await test.step('the first Tab offers to skip the header', async () => {
    await page.keyboard.press('Tab');
    await expect(page.locator('a.skip')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.locator('main')).toBeFocused();
  });

  await test.step('Tab reaches the path; arrows walk it, Enter opens', async () => {
    await page.reload();
    await expect(page.getByTestId('stop-board')).toBeVisible();
    for (let presses = 0; (await focused()) !== 'stop-board'; presses++) {
      expect(presses, 'Tab never reached the path').toBeLessThan(10);
      await page.keyboard.press('Tab');
    }
    for (const [index, station] of STATIONS.entries()) {
      if (index > 0) await page.keyboard.press('ArrowRight');
      expect(await focused()).toBe(`stop-${station}`);
      expect(await ringed(), `focus ring on ${station}`).toBe(true);
      await page.keyboard.press('Enter');
      await expect(page.getByTestId(`stop-${station}`)).toHaveAttribute('aria-current', 'page');
      await expect(page.getByTestId(`stop-${station}`)).toBeFocused();
    }
    await page.keyboard.press('Home');
    expect(await focused()).toBe('stop-board');
    await page.keyboard.press('End');
    expect(await focused()).toBe('stop-live');
  });

  await test.step('a recording with the space bar', async () => {
    await go(page, 'data');
    // The page was loaded anew above: its board may still be starting.
    await expect(page.getByTestId('record-start')).toBeEnabled();
    await page.locator('main').focus();
    await page.keyboard.press('Space');
    await expect(page.getByTestId('recording-now')).toBeVisible();
    await page.waitForTimeout(800);
    await page.keyboard.press('Space');
    await expect(page.getByTestId('recording-row')).toHaveCount(1);
  });

  await test.step('its menu opens, Escape closes it, and the focus comes back', async () => {
    await page.getByTestId('recording-menu').focus();
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('recording-delete')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByTestId('recording-delete')).toHaveCount(0);
    await expect(page.getByTestId('recording-menu')).toBeFocused();
  });
});

test('the space bar, pressed before the board streams, says that it waits for samples', async ({ page }) => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/virtual-board\.worker/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`${server.url}#/data`);
  await expect(page.locator('main h1')).toBeVisible();
  await page.locator('main').focus();
  await page.keyboard.press('Space');
  await expect(page.getByText('No samples from the board yet')).toBeVisible();
  release();
  await expect(page.getByTestId('record-start')).toBeEnabled();
  await page.locator('main').focus();
  await page.keyboard.press('Space');
  await expect(page.getByTestId('recording-now')).toBeVisible();
});
