/**
 * Makes the small model of the Arduino example 5_ClassifyHeader, which fits an Uno: generates motion with our own generator,
 * keeps three gestures and the three axes of acceleration, trains on them, and writes motion.mote and report.json beside this
 * file and model.h beside the example. The same checkout gives the same bytes:
 *
 *     node static-models/motion/make.mjs
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MOTE = fileURLToPath(new URL('../../scripts/mote.mjs', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../firmware/mote/examples/5_ClassifyHeader/', import.meta.url));
const GESTURES = ['idle', 'wave', 'shake'];
/** Timestamp and three axes. */
const COLUMNS = 4;
const RATE_HZ = 25;

const pipeline = {
  version: 1,
  input: {
    channels: ['accX', 'accY', 'accZ'].map((name) => ({ name, unit: '' })),
    rateHz: RATE_HZ,
    windowMs: 1000,
    strideMs: 500,
  },
  blocks: [
    {
      kind: 'flatten',
      version: 1,
      channels: [0, 1, 2],
      params: {
        scale: 1,
        average: true,
        minimum: true,
        maximum: true,
        rms: false,
        stdev: true,
        skewness: false,
        kurtosis: false,
      },
    },
  ],
  network: { layers: [{ kind: 'dense', units: 8, activation: 'relu' }] },
  training: {
    epochs: 200,
    batchSize: 32,
    learningRate: 0.003,
    validationShare: 0.2,
    patience: 40,
    balanceClasses: true,
    labelSmoothing: 0.1,
  },
  smoothing: { windows: 3, threshold: 0.6 },
};

const folder = mkdtempSync(join(tmpdir(), 'mote-motion-'));

function mote(...args) {
  const { status } = spawnSync(process.execPath, [MOTE, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}

try {
  const six = join(folder, 'six');
  const three = join(folder, 'three');
  const out = join(folder, 'out');
  mote('generate', '--out', six, '--count', '24', '--seconds', '8', '--rate', String(RATE_HZ), '--seed', '7');
  mkdirSync(three);
  for (const name of readdirSync(six).filter((file) => GESTURES.includes(file.split('.')[0]))) {
    const lines = readFileSync(join(six, name), 'utf8').trim().split('\n');
    writeFileSync(join(three, name), lines.map((line) => `${line.split(',').slice(0, COLUMNS).join(',')}\n`).join(''));
  }
  writeFileSync(join(folder, 'pipeline.json'), JSON.stringify(pipeline));
  mote('train', three, '--out', out, '--pipeline', join(folder, 'pipeline.json'), '--seed', '1', '--prefix', 'motion');
  copyFileSync(join(out, 'model.mote'), join(HERE, 'motion.mote'));
  copyFileSync(join(out, 'model.h'), join(EXAMPLE, 'model.h'));
  const {
    seconds: _timings,
    history: _history,
    ...report
  } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
  writeFileSync(join(HERE, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
