/** What the studio says when a board cannot be had, as far as the browser and the virtual board can be made to do it. */
import { expect, test, type Page } from '@playwright/test';
import { go, openStudio } from './studio-under-test';

const chooserTrouble = (page: Page) => page.getByTestId('chooser-trouble');

test('the chooser closed without a choice is no failure: what to look at, and the way to try again', async ({
  page,
}) => {
  // A chooser cannot be closed from a test: this is what Chromium answers when it is.
  await page.addInitScript(() => {
    Object.assign(navigator.serial, {
      requestPort: () => Promise.reject(new DOMException('No port selected by the user.', 'NotFoundError')),
    });
  });
  await openStudio(page, './');
  await page.getByTestId('connect-usb').click();
  await expect(chooserTrouble(page)).toContainText('No board was chosen');
  await expect(chooserTrouble(page)).toContainText('use a cable that carries data');
  await chooserTrouble(page).getByRole('button', { name: 'Why can’t I see my board?' }).click();
  await expect(page.locator('main h1')).toHaveText('Why can’t I see my board?');
  // The diagnosis tells of it, by code and time.
  await expect(page.locator('main')).toContainText(/chooser-cancelled at \d\d:\d\d/);
});

test('a policy that forbids boards is named, and everything else works', async ({ page }) => {
  await page.route('**/*', async (route) => {
    if (!route.request().isNavigationRequest()) return route.continue();
    const response = await route.fetch();
    return route.fulfill({ response, headers: { ...response.headers(), 'permissions-policy': 'serial=(), usb=()' } });
  });
  await openStudio(page, './');
  await page.getByTestId('connect-usb').click();
  await expect(chooserTrouble(page)).toContainText('The browser does not let this page use boards');
  await expect(chooserTrouble(page)).toContainText('ask whoever manages this computer');
  await page.getByTestId('board-help').click();
  await expect(page.getByTestId('fact-policy')).toContainText('no: the page that embeds the studio');
});

test('a board with a damaged slot says so, and does not run it', async ({ page }) => {
  await openStudio(page, './');
  await expect(page.getByTestId('introduction')).toHaveAttribute('data-kind', 'shipped');
  const flipped = async () =>
    page.evaluate(async () => {
      const answer = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(new Error('no answer'));
        });
      const database = await answer(indexedDB.open('mote'));
      try {
        const settings = database.transaction('settings', 'readwrite').objectStore('settings');
        const key = 'virtualBoardFlash';
        const row = (await answer(settings.get(key))) as Uint8Array | { value: Uint8Array } | undefined;
        const flash = row instanceof Uint8Array ? row : row?.value;
        if (!flash) return 0;
        // The pack begins with "MOTE"; a bit of its weights falls over.
        const at = Array.from(flash).findIndex(
          (byte, i) => byte === 0x4d && flash[i + 1] === 0x4f && flash[i + 2] === 0x54 && flash[i + 3] === 0x45,
        );
        if (at < 0) return 0;
        flash[at + 900] = (flash[at + 900] ?? 0) ^ 1;
        await answer(settings.keyPath === null ? settings.put(row, key) : settings.put(row));
        return at;
      } finally {
        database.close();
      }
    });
  await expect.poll(flipped).toBeGreaterThan(0);
  await page.reload();
  await expect(page.getByTestId('stop-board')).toHaveAttribute('data-state', 'live');
  const introduction = page.getByTestId('introduction');
  await expect(introduction).toHaveAttribute('data-kind', 'none');
  await expect(introduction).toContainText('1 slot holds damaged bytes; the board does not run them.');
  await go(page, 'deploy');
  await expect(page.getByTestId('deploy-slots')).toContainText('Damaged: the next model is written here');
});
