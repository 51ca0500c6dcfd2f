/**
 * `npm test`: installs what is missing, then passes everything: types, lint, format, build, unit and C tests, browser
 * tests. Ends with the line "N passed, N failed, N skipped"; says why what is skipped is skipped.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDependencies, ensureTestTools, findBrowser, ROOT } from './prepare.mjs';

ensureDependencies();
const notes = ensureTestTools();
const results = join(ROOT, 'test-results');
mkdirSync(results, { recursive: true });
const totals = { passed: 0, failed: 0, skipped: 0 };
const skipped = [];

// Two at a time: each keeps one core busy.
const [built] = await Promise.all([
  inTurn(['build', 'build', '--', '--logLevel', 'warn'], ['lint', 'lint']),
  inTurn(['types', 'check:types'], ['format', 'format:check']),
]);
unitTests();
if (built) browserTests();

for (const note of notes) console.log(`note: ${note}`);
for (const { title, reason } of skipped) console.log(`skipped: ${title}${reason ? ` (${reason})` : ''}`);
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(totals.failed > 0 ? 1 : 0);

/** Runs npm scripts one after another, each with its name for people first; whether the first one passed. */
async function inTurn(...steps) {
  const passed = [];
  for (const [name, ...command] of steps) passed.push(await step(name, command));
  return passed[0];
}

/** Runs an npm script that passes or fails as a whole, and prints what it said when it is done. */
async function step(name, command) {
  const started = Date.now();
  const child = spawn('npm', ['run', '-s', ...command], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  child.stdout.on('data', (bytes) => said.push(bytes));
  child.stderr.on('data', (bytes) => said.push(bytes));
  const ok = await new Promise((resolve) => {
    child.on('error', (error) => {
      said.push(Buffer.from(`${error.message}\n`));
      resolve(false);
    });
    child.on('close', (status) => resolve(status === 0));
  });
  totals[ok ? 'passed' : 'failed'] += 1;
  process.stdout.write(`\n== ${name}\n${Buffer.concat(said).toString().trimEnd()}\n`);
  console.log(`== ${name}: ${ok ? 'passed' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return ok;
}

function unitTests() {
  console.log('\n== unit, C and golden tests');
  const file = join(results, 'vitest.json');
  rmSync(file, { force: true });
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    { cwd: ROOT, stdio: 'inherit' },
  );
  const report = read(file);
  if (!report) {
    totals.failed += 1;
    return;
  }
  totals.passed += report.numPassedTests;
  // A file that cannot even be loaded has no tests to count but is a failure.
  const brokenFiles = report.testResults.filter((f) => f.status === 'failed' && f.assertionResults.length === 0).length;
  totals.failed += report.numFailedTests + brokenFiles;
  if (status !== 0 && report.numFailedTests + brokenFiles === 0) totals.failed += 1;
  for (const suite of report.testResults) {
    for (const test of suite.assertionResults) {
      if (test.status === 'pending' || test.status === 'skipped' || test.status === 'todo') {
        totals.skipped += 1;
        skipped.push({ title: test.fullName, reason: '' });
      }
    }
  }
}

function browserTests() {
  console.log('\n== browser tests');
  if (!findBrowser()) {
    totals.skipped += 1;
    skipped.push({ title: 'all browser tests', reason: 'no Chromium or Chrome found' });
    return;
  }
  const file = join(results, 'playwright.json');
  rmSync(file, { force: true });
  const playwright = join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js');
  const { status } = spawnSync(process.execPath, [playwright, 'test'], { cwd: ROOT, stdio: 'inherit' });
  const report = read(file);
  if (!report) {
    totals.failed += 1;
    return;
  }
  totals.passed += report.stats.expected + report.stats.flaky;
  totals.failed += report.stats.unexpected + report.errors.length;
  totals.skipped += report.stats.skipped;
  if (status !== 0 && report.stats.unexpected + report.errors.length === 0) totals.failed += 1;
  collectSkipped(report.suites);
}

function collectSkipped(suites) {
  for (const suite of suites ?? []) {
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests) {
        if (test.status !== 'skipped') continue;
        const reason = test.annotations.find((annotation) => annotation.type === 'skip')?.description ?? '';
        skipped.push({ title: spec.title, reason });
      }
    }
    collectSkipped(suite.suites);
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
