/**
 * Makes the gesture model that ships with Mote: generates motion with our own generator, trains on it, and writes
 * gestures.mote, gestures.h and report.json beside this file. The same checkout gives the same bytes:
 *
 *     node static-models/gestures/make.mjs
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MOTE = fileURLToPath(new URL('../../scripts/mote.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mote-gestures-'));

function mote(...args) {
  const { status } = spawnSync(process.execPath, [MOTE, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}

try {
  const data = join(folder, 'data');
  const out = join(folder, 'out');
  mote('generate', '--out', data, '--count', '24', '--seconds', '8', '--rate', '100', '--seed', '7');
  mote('train', data, '--out', out, '--seed', '1', '--window', '1000', '--stride', '250', '--prefix', 'gestures');
  copyFileSync(join(out, 'model.mote'), join(HERE, 'gestures.mote'));
  copyFileSync(join(out, 'model.h'), join(HERE, 'gestures.h'));
  const {
    seconds: _timings,
    history: _history,
    ...report
  } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
  writeFileSync(join(HERE, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
