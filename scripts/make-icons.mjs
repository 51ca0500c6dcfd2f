/** Draws the PNG icons of the web app manifest from public/favicon.svg: node scripts/make-icons.mjs */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { fail, findBrowser, ROOT } from './prepare.mjs';

const ICONS = [
  { name: 'icon-192', size: 192, share: 1 },
  { name: 'icon-512', size: 512, share: 1 },
  // A mask may cut off everything outside of the inner 80 %.
  { name: 'icon-maskable-512', size: 512, share: 0.72 },
];

const executablePath = findBrowser();
if (!executablePath) fail('drawing icons needs Chromium or Chrome');
const svg = readFileSync(join(ROOT, 'public', 'favicon.svg'), 'utf8');
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage();
for (const { name, size, share } of ICONS) {
  await page.setViewportSize({ width: size, height: size });
  const inner = Math.round(size * share);
  const background = share < 1 ? '#0f1a20' : 'transparent';
  await page.setContent(
    `<style>body{margin:0;background:${background};display:grid;place-items:center;height:${size}px}svg{width:${inner}px;height:${inner}px}</style>${svg}`,
  );
  await page.screenshot({ path: join(ROOT, 'public', `${name}.png`), omitBackground: true });
}
await browser.close();
