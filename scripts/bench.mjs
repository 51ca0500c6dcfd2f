/**
 * `npm run bench`: speed and size claims, each beside its reference, as ratios taken in one run.
 * Runs the pages of tests/bench in headless Chromium, the deploy bench in Node and the compiler bench in QEMU;
 * `npm run bench -- compiler` runs the last one alone, `npm run bench -- models` compiles whole architectures for QEMU,
 * `npm run bench -- models ResNet` those with that in their name, `npm run bench -- latency` fits the latency table anew,
 * `npm run bench -- boards` that of whole models on our boards, `npm run bench -- firmware` prints what the ready-made firmware takes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDependencies, fail, findBrowser, ROOT } from './prepare.mjs';
import { serveFolder } from './static-server.mjs';

const PORT = 4190;
const ROUNDS = 3;
/** Flash and RAM of the chips, bytes. */
const CHIPS = {
  uno: ['ATmega328P', 32_768, 2_048],
  'microbit-v1': ['nRF51822', 262_144, 16_384],
  'microbit-v2': ['nRF52833', 524_288, 131_072],
  rp2040: ['RP2040 with 2 MB of flash', 2_097_152, 270_336],
};

ensureDependencies();
firmwareSizes();
if (process.argv.includes('firmware')) process.exit(0);
const onlyLatency = process.argv.includes('latency');
const onlyModels = process.argv.includes('models');
const onlyBoards = process.argv.includes('boards');
const onlyCompiler = process.argv.includes('compiler') || onlyLatency || onlyModels || onlyBoards;
const executablePath = findBrowser();
if (!executablePath && !onlyCompiler) fail('the bench needs Chromium or Chrome; install one or set MOTE_CHROMIUM');

const folder = mkdtempSync(join(tmpdir(), 'mote-bench-'));
try {
  if (!onlyCompiler) await studioBench();
  const [config, program] = onlyLatency
    ? ['latency', 'latency-calibration']
    : onlyModels
      ? ['models', 'models-bench']
      : onlyBoards
        ? ['model-latency', 'model-latency-calibration']
        : ['compiler', 'compiler-bench'];
  vite(['build', '--config', `tests/bench/vite.${config}.config.ts`, '--outDir', join(folder, config)]);
  const models = onlyModels || onlyBoards ? process.argv.slice(3) : [];
  const { status } = spawnSync(process.execPath, [join(folder, config, `${program}.mjs`), ...models], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) fail('the compiler bench failed; see above');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** As built and committed; tests/scripts/firmware-builds.test.ts holds them to it. */
function firmwareSizes() {
  const sizes = JSON.parse(readFileSync(join(ROOT, 'public', 'firmware', 'sizes.json'), 'utf8'));
  console.log('firmware: flash without models, RAM without stack but with room for a model, bytes');
  for (const [board, { flashBytes, ramBytes }] of Object.entries(sizes)) {
    const [chip, flash, ram] = CHIPS[board] ?? ['unknown chip', NaN, NaN];
    const share = (part, whole) => `${part.toLocaleString('en')} of ${whole.toLocaleString('en')}`;
    console.log(`  ${board.padEnd(12)} ${chip}: flash ${share(flashBytes, flash)}, RAM ${share(ramBytes, ram)}`);
  }
  console.log('');
}

async function studioBench() {
  vite(['build', '--config', 'tests/bench/vite.config.ts', '--outDir', join(folder, 'pages')]);
  vite(['build', '--config', 'tests/bench/vite.deploy.config.ts', '--outDir', join(folder, 'deploy')]);
  await browserBench(join(folder, 'pages'));
  const { status } = spawnSync(process.execPath, [join(folder, 'deploy', 'deploy-bench.mjs')], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) fail('the deploy bench failed; see above');
}

function vite(args) {
  const program = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  const { status } = spawnSync(process.execPath, [program, ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail('building the bench failed; see above');
}

async function browserBench(pages) {
  const { chromium } = await import('@playwright/test');
  const server = await serveFolder(pages, { port: PORT, fallbackPorts: 20 });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1040, height: 860 } });
    await page.goto(server.url);
    await page.waitForFunction('window.bench !== undefined');
    await trainingBench(page);
    await scopeBench(page);
  } finally {
    await browser.close();
    await server.close();
  }
}

async function trainingBench(page) {
  console.log('training, 1000 windows x 33 features, dense 20-10-4, batch 32, Adam: ms per epoch (median)');
  const ours = [];
  const plain = [];
  let backends;
  for (let round = 0; round < ROUNDS; round++) {
    const a = await page.evaluate(() => window.bench.trainOurs(12, 3));
    const b = await page.evaluate(() => window.bench.trainPlain(4, 1));
    ours.push(...a.epochs);
    plain.push(...b.epochs);
    backends = [a.backend, b.backend];
  }
  row('ours, worker', `tfjs ${backends[0]}`, median(ours), 'ms');
  row('tfjs model.fit, main thread, default backend', `tfjs ${backends[1]}`, median(plain), 'ms');
  console.log(`  ratio reference/ours: ${(median(plain) / median(ours)).toFixed(1)}\n`);
}

async function scopeBench(page) {
  const client = await page.context().newCDPSession(page);
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () => {
    const { metrics } = await client.send('Performance.getMetrics');
    return metrics.find((metric) => metric.name === 'TaskDuration').value * 1000;
  };
  for (const scopeCase of [
    { rateHz: 200, seconds: 10 },
    { rateHz: 1000, seconds: 10 },
  ]) {
    const points = scopeCase.rateHz * scopeCase.seconds;
    console.log(`scope, 6 channels x ${scopeCase.rateHz} Hz, ${points} points each, 1000 x 400 px: CPU ms per frame`);
    const figures = { ours: [], plain: [] };
    const rates = { ours: [], plain: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const kind of ['ours', 'plain']) {
        const frames = 90;
        const before = await busy();
        const wall = await page.evaluate(([k, c, n]) => window.bench.drawFrames(k, c, n), [kind, scopeCase, frames]);
        figures[kind].push(((await busy()) - before) / frames);
        rates[kind].push((frames * 1000) / wall);
      }
    }
    row('our scope', `${median(rates.ours).toFixed(0)} fps`, median(figures.ours), 'ms');
    row('plain canvas, every point', `${median(rates.plain).toFixed(0)} fps`, median(figures.plain), 'ms');
    console.log(`  ratio ours/plain: ${(median(figures.ours) / median(figures.plain)).toFixed(2)}\n`);
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function row(name, note, value, unit) {
  console.log(`  ${name.padEnd(48)} ${note.padEnd(12)} ${value.toFixed(value < 10 ? 2 : 1).padStart(8)} ${unit}`);
}
