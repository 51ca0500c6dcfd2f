/** The command line as a person uses it: the real command, on generated recordings in a temporary folder. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPack } from '../../src/emit/pack';
import { writeFloatTflite, writeTflite } from '../../src/emit/tflite/write-tflite';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { exportCsv } from '../../src/formats/csv-export';
import { SampleNetwork } from '../fixtures/sample-networks';
import { generateRecording, MotionGenerator } from '../../src/signal/motion-generator';
import { Random } from '../../src/signal/random';

const ROOT = resolve(import.meta.dirname, '../..');
const COMMAND = join(ROOT, 'scripts/mote.mjs');
/** The first command of a session builds the bundle; a training takes a few seconds on a slow machine. */
const COMMAND_TIMEOUT_MS = 120_000;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mote-cli-'));
  for (const gesture of MotionGenerator.gestures.slice(0, 2)) {
    mkdirSync(join(folder, 'data', gesture), { recursive: true });
    for (let seed = 1; seed <= 6; seed++) {
      const recording = generateRecording({ gesture, seconds: 4, rateHz: 50, seed });
      writeFileSync(join(folder, 'data', gesture, `${seed}.csv`), exportCsv(recording));
    }
  }
  writeFileSync(join(folder, 'data', '.hidden.csv'), 'not, data');
  writeFileSync(join(folder, 'broken.csv'), 'once upon a time\nthere was a file\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function mote(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
    cwd: folder,
    encoding: 'utf8',
    timeout: COMMAND_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, stdout, stderr };
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('mote train, run, header', () => {
  it('trains reproducibly; the pack gives the same header and classifies the recordings', { timeout: 300_000 }, () => {
    const first = mote('train', 'data', '--out', 'a/b', '--seed', '7', '--prefix', 'wand');
    expect(first.stderr).not.toMatch(/internal fault/);
    expect(first.status).toBe(0);
    expect(jsonLines(first.stdout)).toHaveLength(1);
    const second = mote('train', 'data', '--out=again', '--seed=7', '--prefix=wand');
    expect(second.status).toBe(0);
    const read = (path: string) => readFileSync(join(folder, path));
    expect(read('again/model.h').equals(read('a/b/model.h'))).toBe(true);
    expect(read('again/model.mote').equals(read('a/b/model.mote'))).toBe(true);

    const report = JSON.parse(read('a/b/report.json').toString()) as Record<string, unknown>;
    expect(report).toMatchObject({ seed: 7, labels: [...MotionGenerator.gestures.slice(0, 2)].sort() });
    for (const key of ['recordings', 'windows', 'accuracy', 'confusion', 'ram', 'flash_weights', 'dataset_hash']) {
      expect(report).toHaveProperty(key);
    }
    expect(report['seconds']).toHaveProperty('train');

    const header = mote('header', 'a/b/model.mote');
    expect(header.status).toBe(0);
    expect(header.stdout).toBe(read('a/b/model.h').toString());
    expect(header.stdout).toContain('wand_push');

    const run = mote('run', 'a/b/model.mote', 'data');
    expect(run.status).toBe(0);
    const lines = jsonLines(run.stdout);
    expect(new Set(lines.map((line) => line['file'])).size).toBe(12);
    expect(Object.keys(lines[0]!)).toEqual(['file', 'recording', 'start_ms', 'scores', 'label', 'features_crc']);
    const right = lines.filter((line) => (line['file'] as string).includes(`/${line['label'] as string}/`));
    expect(right.length / lines.length).toBeGreaterThan(0.9);

    // The pipeline of a report reproduces the model; a flag wins over it.
    writeFileSync(join(folder, 'pipeline.json'), JSON.stringify(report['pipeline']));
    const again = mote('train', 'data', '--out', 'c', '--seed', '7', '--prefix', 'wand', '--pipeline', 'pipeline.json');
    expect(again.status).toBe(0);
    expect(read('c/model.h').equals(read('a/b/model.h'))).toBe(true);
    const other = mote(
      'train',
      'data',
      '--out',
      'd',
      '--window',
      '1000',
      '--rate',
      '25',
      '--pipeline',
      'pipeline.json',
    );
    expect(other.status).toBe(0);
    const changed = JSON.parse(read('d/report.json').toString()) as { pipeline: { input: object } };
    expect(changed.pipeline.input).toMatchObject({ windowMs: 1000, rateHz: 25 });
  });

  it('tests on the recordings named for testing only', () => {
    const [one, two] = MotionGenerator.gestures as readonly string[];
    const test = [`data/${one}/1.csv`, `data/${two}/1.csv`];
    const train = [`data/${one}`, `data/${two}`];
    const result = mote('train', ...train, '--test', ...test, '--out', 'e', '--stride', '500');
    expect(result.status).toBe(0);
    expect(jsonLines(result.stdout)[0]!['recordings']).toMatchObject({ test: 2 });
  });
});

describe('mote features', () => {
  it('prints one line per window, with names', () => {
    const [gesture] = MotionGenerator.gestures;
    const file = `data/${gesture}/1.csv`;
    const whole = mote('features', file, '--block', 'flatten');
    expect(whole.status).toBe(0);
    const [line] = jsonLines(whole.stdout);
    expect((line!['names'] as string[]).length).toBe((line!['features'] as number[]).length);
    const params = '{"fftLength": 32, "do_log": false}';
    const windows = mote('features', file, '--block', 'spectral', '--params', params, '--window', '2000');
    expect(jsonLines(windows.stdout).map((each) => each['start_ms'])).toEqual([0, 2000]);
  });
});

describe('mote compile', () => {
  it('gives back the network of a trained model: header, pack and plan', { timeout: 300_000 }, () => {
    expect(mote('train', 'data', '--out', 'net', '--seed', '3', '--prefix', 'net').status).toBe(0);
    const model = readPack(readFileSync(join(folder, 'net/model.mote')));
    writeFileSync(join(folder, 'net.tflite'), writeTflite(model.graph, { labels: model.labels }));
    const compiled = mote('compile', 'net.tflite', '--out', 'c', '--target', 'cortex-m4', '--prefix', 'again');
    expect(compiled.stderr).not.toMatch(/internal fault|no again\.mote/);
    expect(compiled.status).toBe(0);
    const read = (name: string) => readFileSync(join(folder, 'c', name));
    expect(read('again.h').toString()).toContain('int again_invoke(const int8_t input[AGAIN_INPUT_SIZE]');
    const pack = readPack(read('again.mote'));
    expect(pack.graph.ops).toEqual(model.graph.ops);
    expect(pack.labels).toEqual(model.labels);
    const plan = JSON.parse(read('plan.json').toString()) as { arenaBytes: number; ops: unknown[] };
    expect(plan.ops).toHaveLength(model.graph.ops.length);

    const sample = new SampleNetwork(new Random(1), [6, 6, 2]);
    sample.softmax(sample.dense(sample.flatten(sample.conv(0, 4, { activation: 'relu' })), 3));
    writeFileSync(join(folder, 'fine.tflite'), writeFloatTflite(sample.build()));
    writeFileSync(join(folder, 'inputs.bin'), sample.normal(72 * 20));
    const wide = mote('compile', 'fine.tflite', '--calibrate', 'inputs.bin', '--activations', 'int16', '--out', 'wide');
    expect(wide.stderr).toMatch(/Quantized to int16 activations and int8 weights with 20 calibration inputs/);
    expect(wide.stderr).toMatch(/no fine\.mote: Packs hold int8 networks, and this one has int16 activations/);
    expect(wide.status).toBe(0);
    expect(jsonLines(wide.stdout)[0]).toMatchObject({ kind: 'int16' });
    expect(readFileSync(join(folder, 'wide/fine.h'), 'utf8')).toContain('int fine_invoke(const int16_t input[');
    expect(JSON.parse(readFileSync(join(folder, 'wide/plan.json'), 'utf8'))).toMatchObject({ kind: 'int16' });
    expect(readTflite(new Uint8Array(readFileSync(join(folder, 'wide/fine-int16.tflite')))).kind).toBe('int16');
    writeFileSync(join(folder, 'inputs.bin'), sample.normal(71));
    const odd = mote('compile', 'fine.tflite', '--calibrate', 'inputs.bin', '--out', 'odd');
    expect(odd.status).toBe(2);
    expect(odd.stderr).toMatch(/inputs\.bin has 284 bytes.*multiple of 288 bytes/);

    const once = mote('compile', 'net.tflite', '--out', 'once', '--single-rounding');
    expect(once.status).toBe(0);
    expect(once.stderr).toMatch(/no net\.mote: Packs hold networks with double rounding/);
    expect(once.stderr).not.toContain('earlier compile');
    expect(mote('compile', 'net.tflite', '--out', 'c', '--prefix', 'again', '--single-rounding').stderr).toMatch(
      /the again\.mote in c is of an earlier compile/,
    );
    expect(JSON.parse(readFileSync(join(folder, 'once/plan.json'), 'utf8'))).toMatchObject({ rounding: 'single' });
    expect(readFileSync(join(folder, 'once/net.h'), 'utf8')).toContain('TFLITE_SINGLE_ROUNDING');

    // The same network before quantization is there too, and is compiled as it is.
    expect(readFileSync(join(folder, 'net/model.tflite'))).toEqual(
      Buffer.from(writeTflite(model.graph, { labels: model.labels })),
    );
    const float = mote('compile', 'net/model-float.tflite', '--out', 'f', '--prefix', 'real');
    expect(float.status).toBe(0);
    expect(float.stderr).toMatch(/layers run in float32.*no calibration inputs/);
    expect(float.stderr).toMatch(/no real\.mote: Packs hold int8 networks/);
    expect(readFileSync(join(folder, 'f/real.h'), 'utf8')).toContain('int real_invoke(const float input[');

    const forCore = mote('header', 'net/model.mote', '--target', 'cortex-m4');
    expect(forCore.status).toBe(0);
    expect(forCore.stdout).toContain('made for cortex-m4');
  });
});

describe('mote', () => {
  it('tells its version and its verbs', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(mote('--version').stdout).toBe(`${version}\n`);
    expect(mote('--help').stdout).toMatch(/train[\s\S]*features[\s\S]*run[\s\S]*header/);
    expect(mote('train', '--help').stdout).toContain('--out DIR');
  });

  const bad: readonly (readonly [what: string, args: readonly string[], line: RegExp])[] = [
    ['no verb', [], /no verb/],
    ['an unknown verb', ['fly'], /unknown verb "fly"/],
    ['an unknown flag', ['train', 'data', '--out', 'x', '--fast'], /unknown option --fast/],
    ['a flag without its value', ['train', 'data', '--out'], /--out needs a value/],
    ['a bad number', ['train', 'data', '--out', 'x', '--seed', 'abc'], /--seed must be a whole number/],
    ['a bad prefix', ['train', 'data', '--out', 'x', '--prefix', 'a b'], /cannot be the name/],
    ['a missing folder', ['train', 'nowhere', '--out', 'x'], /no file or folder nowhere/],
    ['unreadable data', ['train', 'broken.csv', '--out', 'x'], /broken\.csv/],
    ['a broken pipeline', ['train', 'data', '--out', 'x', '--pipeline', 'broken.csv'], /not JSON/],
    ['a folder that cannot be made', ['train', 'data', '--out', 'broken.csv/x'], /cannot make the folder/],
    ['a file where a folder should be', ['generate', '--out', 'broken.csv'], /cannot make the folder broken\.csv/],
    // Node's recursive mkdir never came back from here.
    ['a folder that the system refuses', ['generate', '--out', '/proc/nowhere/x'], /cannot make the folder/],
    ['what is not a pack', ['header', 'broken.csv'], /not a Mote model/],
    ['a missing pack', ['run', 'none.mote', 'data'], /no file or folder none\.mote/],
    ['an unknown core', ['header', 'none.mote', '--target', 'z80'], /no file or folder|unknown target "z80"/],
    ['what is no model', ['compile', 'broken.csv', '--out', 'x'], /TensorFlow Lite/],
    ['an unknown way to take ranges', ['compile', 'broken.csv', '--out', 'x', '--ranges', 'guess'], /unknown --ranges/],
    [
      'unknown activations',
      ['compile', 'broken.csv', '--out', 'x', '--activations', 'int4'],
      /unknown --activations "int4"/,
    ],
    ['a bad block', ['features', 'data', '--block', 'wavelet'], /--block must be/],
    ['a bad parameter', ['features', 'data', '--block', 'raw', '--params', '{"x":1}'], /no "x"/],
    ['a bad FFT length', ['features', 'data', '--block', 'spectral', '--params', '{"fftLength":17}'], /power of 2/],
  ];
  for (const [what, args, line] of bad) {
    it(`refuses ${what} with exit code 2 and one line`, () => {
      const { status, stdout, stderr } = mote(...args);
      expect(stderr).toMatch(line);
      expect(stderr.split('\n').filter((each) => each.startsWith('mote: '))).toHaveLength(1);
      expect(stdout).toBe('');
      expect(status).toBe(2);
      expect(existsSync(join(folder, 'x', 'model.h'))).toBe(false);
    });
  }
});
