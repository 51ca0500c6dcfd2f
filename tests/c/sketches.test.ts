import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RUNTIME_SOURCES } from '../../scripts/runtime-sources.mjs';
import { packId } from '../../src/board/deploy';
import { createFrameReader, encodeFrame } from '../../src/board/mote-frames';
import { untrainedModel } from '../../src/board/untrained-model';
import { MESSAGE, PROTOCOL } from '../../src/board/wire';
import { compileBlock } from '../../src/dsp/compile';
import { crc32 } from '../../src/emit/crc32';
import { writePack } from '../../src/emit/pack';
import { Random } from '../../src/signal/random';
import { Fields, join as bytesOf, resultOf, u32, u8 } from './mote-client';
import { root, run, runtime, SANITIZED, withFolder } from './native-program';

const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

const objectFolder = mkdtempSync(join(tmpdir(), 'mote-sketch-'));
let objects: readonly string[] = [];
beforeAll(() => {
  objects = RUNTIME_SOURCES.map((name) => {
    const object = join(objectFolder, `${name}.o`);
    run('gcc', ['-std=c99', '-O1', ...WARNINGS, ...SANITIZED, '-c', join(runtime, name), '-o', object]);
    return object;
  });
}, 120_000);
afterAll(() => rmSync(objectFolder, { recursive: true, force: true }));

/** Compiles a sketch as Arduino does (the library's C as C, the sketch as C++) and runs it for some milliseconds. */
function runSketch(name: string, milliseconds: number, input: Uint8Array): Buffer {
  return watchSketch(name, milliseconds, input).said;
}

/** The same, with the levels of its LED. */
function watchSketch(
  name: string,
  milliseconds: number,
  input: Uint8Array,
): { readonly said: Buffer; readonly led: string } {
  return withFolder((folder) => {
    const sketch = join(root, 'firmware/mote/examples', name, `${name}.ino`);
    const flags = [
      '-std=c++11',
      '-O1',
      ...WARNINGS,
      ...SANITIZED,
      `-DSKETCH="${sketch}"`,
      `-I${runtime}`,
      `-I${join(root, 'tests/c')}`,
    ];
    const program = join(folder, 'sketch');
    run('g++', [...flags, join(root, 'tests/c/sketch_test.cpp'), ...objects, '-o', program]);
    const led = join(folder, 'led');
    const done = spawnSync(program, [String(milliseconds), led], { input, timeout: 20_000 });
    expect(done.stderr.toString()).toBe('');
    expect(done.status).toBe(0);
    return { said: done.stdout, led: readFileSync(led, 'utf8') };
  });
}

it.each(['1_PrintNumbers', '2_RememberedBoard'])('%s prints a header and 100 lines a second', (sketch) => {
  const lines = runSketch(sketch, 1000, new Uint8Array()).toString().trimEnd().split('\r\n');
  expect(lines[0]).toBe('x,y,z');
  expect(lines.slice(1)).toHaveLength(100);
  for (const line of lines.slice(1)) expect(line).toMatch(/^\d+,\d+,\d+$/);
});

it.each(['3_StreamBoard', '4_AnyImu'])('%s greets and streams at its rate over the wrap of micros()', (sketch) => {
  const rateHz = sketch === '4_AnyImu' ? 50 : 100;
  const requests = bytesOf(
    encodeFrame(MESSAGE.hello, 1, bytesOf(u8(1), u8(1))),
    encodeFrame(MESSAGE.streamStart, 2, u32(0)),
  );
  const frames = createFrameReader().push(runSketch(sketch, 1000, requests));
  const hello = new Fields(frames.find(({ id }) => id === 1)?.body as Uint8Array);
  expect([hello.u8(), hello.u16(), hello.u8(), hello.u8(), hello.u8()]).toEqual([1, 192, 1, 3, 0]);
  let frame = 0;
  for (const { type, body } of frames) {
    if (type !== MESSAGE.samples) continue;
    const fields = new Fields(body);
    expect(fields.u32()).toBe(frame);
    fields.u64();
    frame += fields.u16();
  }
  expect(frame).toBeGreaterThanOrEqual(rateHz - 5);
  expect(frame).toBeLessThanOrEqual(rateHz);
});

it('8_WithoutGlue greets, streams at its rate over the wrap of micros(), and offers two slots', () => {
  const requests = bytesOf(
    encodeFrame(MESSAGE.hello, 1, bytesOf(u8(1), u8(1))),
    encodeFrame(MESSAGE.channels, 2, u8(0)),
    encodeFrame(MESSAGE.streamStart, 3, u32(0)),
  );
  const frames = createFrameReader().push(runSketch('8_WithoutGlue', 1000, requests));
  const hello = new Fields(frames.find(({ id }) => id === 1)?.body as Uint8Array);
  expect([hello.u8(), hello.u16(), hello.u8(), hello.u8(), hello.u8(), hello.u8()]).toEqual([
    1,
    512,
    4,
    3,
    2,
    PROTOCOL.slotNone,
  ]);
  const channels = new Fields(frames.find(({ id }) => id === 2)?.body.subarray(3) as Uint8Array);
  expect([channels.text(), channels.text(), channels.f32()]).toEqual(['x', 'V', Math.fround(Math.fround(3.3) / 1023)]);
  let next = 0;
  let last = -Infinity;
  for (const { type, body } of frames) {
    if (type !== MESSAGE.samples) continue;
    const f = new Fields(body);
    expect(f.u32()).toBe(next);
    const time = f.u64();
    if (last > -Infinity) expect(time - last).toBe(20_000);
    last = time;
    next += f.u16();
  }
  expect(next).toBeGreaterThanOrEqual(97);
  expect(next).toBeLessThanOrEqual(100);
});

it('5_ClassifyHeader passes its self-test and says what it sees', () => {
  const lines = runSketch('5_ClassifyHeader', 6000, new Uint8Array()).toString().trimEnd().split('\r\n');
  expect(lines[0]).toBe('64 of 64 windows identical');
  // Windows of a second, every half second.
  expect(lines.slice(1)).toHaveLength(10);
  for (const line of lines.slice(1)) expect(['idle', 'wave', 'shake', 'uncertain']).toContain(line);
  const header = readFileSync(join(root, 'firmware/mote/examples/5_ClassifyHeader/model.h'), 'utf8');
  const pack = new Uint8Array(readFileSync(join(root, 'static-models/motion/motion.mote')));
  expect(parseInt(/MOTION_MODEL_ID 0x([0-9A-F]+)u/.exec(header)?.[1] ?? '', 16)).toBe(packId(pack));
});

/** One channel, half a second at the sketches' 25 Hz; one of its labels lights the LED. */
function waveModel() {
  const input = { channels: [{ name: 'x', unit: 'V' }], rateHz: 25, windowMs: 520, strideMs: 520 };
  const params = { average: true, minimum: true, maximum: true, rms: true, stdev: true };
  const flatten = { ...params, scale: 1, skewness: false, kurtosis: false };
  const random = new Random(3);
  const windows = Array.from({ length: 20 }, () => Float32Array.from({ length: 13 }, () => random.between(0, 5)));
  return untrainedModel({
    prefix: 'wave',
    labels: ['still', 'wave'],
    input,
    blocks: [compileBlock({ kind: 'flatten', version: 1, channels: [0], params: flatten }, input)],
    hidden: 6,
    random,
    windows,
    selfTestWindows: 4,
    smoothing: { windows: 1, threshold: 0 },
    app: 'Mote test',
    seed: 3,
  });
}

it.each(['6_KeepModels', '7_Everything'])('%s takes a model, proves it, and runs it', (sketch) => {
  const model = waveModel();
  const pack = writePack(model);
  const CHUNK = 500;
  const chunks = Array.from({ length: Math.ceil(pack.length / CHUNK) }, (_, i) =>
    encodeFrame(MESSAGE.putChunk, 10 + i, bytesOf(u32(CHUNK * i), pack.subarray(CHUNK * i, CHUNK * (i + 1)))),
  );
  const requests = bytesOf(
    encodeFrame(MESSAGE.hello, 1, bytesOf(u8(1), u8(1))),
    encodeFrame(MESSAGE.putBegin, 2, bytesOf(u8(0), u32(pack.length), u32(crc32(pack)))),
    ...chunks,
    encodeFrame(MESSAGE.putEnd, 3, new Uint8Array()),
    encodeFrame(MESSAGE.activate, 4, u8(0)),
    encodeFrame(MESSAGE.runStart, 5, u32(0)),
  );
  const { said, led } = watchSketch(sketch, 8000, requests);
  const frames = createFrameReader().push(said);
  expect(frames.filter(({ type }) => type === MESSAGE.error)).toEqual([]);
  expect(new Fields(frames.find(({ id }) => id === 4)?.body.subarray(1) as Uint8Array).u32()).toBe(packId(pack));
  const results = frames.filter(({ type }) => type === MESSAGE.result).map(({ body }) => resultOf(body));
  expect(results.length).toBeGreaterThan(10);
  for (const { modelId } of results) expect(modelId).toBe(packId(pack));
  const lit = results.map(({ decision }) => (decision === model.labels.indexOf('wave') ? '1' : '0')).join('');
  expect(led).toBe(sketch === '7_Everything' ? lit : '');
  if (sketch === '7_Everything') expect(lit).toMatch(/1/);
});
