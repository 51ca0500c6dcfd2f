/** The hardware test page, run as a person runs it, on the virtual board; and the pages around a board that is not seen. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
import { serveFolder } from '../../scripts/static-server.mjs';
import {
  ANY_PORT,
  DIST,
  expectQuiet,
  forgiveDeadServer,
  openProfile,
  openStudio,
  readyOffline,
  temporaryFolder,
  watch,
} from './studio-under-test';

const CHECKS = ['connect', 'hello', 'stream', 'unplug', 'replug', 'deploy', 'read-back', 'self-test', 'restore'];

async function runTest(page: Page): Promise<string> {
  await page.getByTestId('hardware-start').click();
  await page.getByTestId('virtual-unplug').click({ timeout: 30_000 });
  await expect(page.getByTestId('check-unplug')).toHaveAttribute('data-state', 'passed');
  await page.getByTestId('virtual-replug').click();
  await expect(page.getByTestId('hardware-verdict')).toBeVisible({ timeout: 60_000 });
  for (const id of CHECKS) await expect(page.getByTestId(`check-${id}`)).toHaveAttribute('data-state', 'passed');
  return page.getByTestId('hardware-report').innerText();
}

test('the hardware test passes on the virtual board, by its address, and offline', async ({ launchOptions }) => {
  const profile = temporaryFolder('hardware');
  let server = await serveFolder(DIST, { port: ANY_PORT });
  const { url, port } = server;
  const context = await openProfile(profile.path, launchOptions);
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    const watched = await watch(context, url);
    await openStudio(page, url);
    const before = await page.getByTestId('introduction').innerText();
    await page.goto(`${url}hardware-test`);
    await expect(page.getByTestId('hardware-start')).toBeEnabled();
    const report = await runTest(page);
    console.log(report);
    expect(report).toContain('passed (9 passed, 0 failed, 0 skipped)');
    expect(report).toMatch(/^App: Mote \d/m);
    expect(report).toContain('firmware 0.1.0');
    expect(report).toMatch(/rate measured: \d+(\.\d+)? Hz/);
    expect(report).not.toContain('5649525455414c30');
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);

    // The board runs what it ran before, and says so.
    await page.goto(`${url}#/board`);
    await expect(page.getByTestId('introduction')).toHaveText(before);

    await readyOffline(page);
    await server.close();
    for (const path of ['hardware-test', '#/hardware-test']) {
      await page.goto('about:blank');
      await page.goto(url + path);
      await expect(page.getByTestId('hardware-start')).toBeEnabled();
    }
    expect(await runTest(page)).toContain('0 failed');
    forgiveDeadServer(watched);
    expectQuiet(watched);
    server = await serveFolder(DIST, { port });
  } finally {
    await context.close();
    await server.close();
    profile.remove();
  }
});

test('a board that is not seen: facts, hints, a text without names, policies with this site’s origin', async ({
  page,
  baseURL,
}) => {
  await openStudio(page, './');
  await page.getByTestId('board-help').click();
  await expect(page.locator('main h1')).toHaveText('Why can’t I see my board?');
  await expect(page.getByTestId('fact-secure')).toHaveText('yes');
  await expect(page.getByTestId('fact-serial')).toHaveText('there');
  await expect(page.getByTestId('fact-policy')).toHaveText('yes');
  await expect(page.getByTestId('linux-rules')).toContainText('ATTRS{idVendor}=="2341", TAG+="uaccess"');
  const text = await page.getByTestId('diagnostic').innerText();
  expect(text).toContain('Web Serial: yes');
  expect(text).toContain('Board 1: virtual, streaming, speaks mote');
  expect(text).not.toContain('5649525455414c30');
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);

  await page.getByTestId('go-administrators').click();
  const origin = new URL(baseURL ?? '').origin;
  await page.getByTestId('policy-form').selectOption('linux');
  await page.getByTestId('policy-browser').selectOption('chromium');
  expect(JSON.parse(await page.getByTestId('policy-text').innerText())).toEqual({
    SerialAskForUrls: [origin],
    WebUsbAskForUrls: [origin],
  });
  await expect(page.getByTestId('policy-path')).toHaveText('/etc/chromium/policies/managed/mote.json');
  await page.getByTestId('policy-form').selectOption('windows');
  await page.getByTestId('policy-mode').selectOption('grant');
  await expect(page.getByTestId('policy-text')).toContainText('"SerialAllowUsbDevicesForUrls"="[{\\"devices\\":');
  await page.getByTestId('policy-origin').fill('https://school.example/mote');
  await expect(page.getByTestId('policy-text')).toHaveCount(0);
  await page.getByTestId('policy-origin').fill('https://school.example');
  await expect(page.getByTestId('policy-text')).toContainText('https://school.example');
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
});

test('two virtual boards stream side by side, each with models of its own, also on a phone', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openStudio(page, './');
  await page.getByTestId('add-virtual').click();
  const boards = page.getByTestId('bench-board');
  await expect(boards).toHaveCount(2);
  await expect(boards.nth(0)).toHaveAttribute('data-state', 'streaming');
  await expect(boards.nth(1)).toHaveAttribute('data-state', 'streaming');
  await expect(boards.nth(1)).toContainText('Virtual board 2');
  // The list fits the phone's width.
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);

  // The test writes to the second board only; the first streams on.
  await page.goto('./#/hardware-test');
  await page.getByTestId('hardware-board').selectOption({ label: 'Virtual board 2' });
  await runTest(page);
  await page.goto('./#/board');
  await expect(boards.nth(0)).toHaveAttribute('data-state', 'streaming');
  await boards.nth(0).getByRole('button').first().click();
  await expect(page.getByTestId('slot-1')).toContainText('empty');
  await boards.nth(1).getByRole('button').first().click();
  await expect(page.getByTestId('slot-1')).toContainText('probe_');
});
