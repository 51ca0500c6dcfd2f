import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode } from 'cborg';
import { expect, test } from 'vitest';
import { Random } from '../signal/random';
import { exportCsv } from './csv-export';
import { MOST_FILE_BYTES } from './format-error';
import { importFile, importFiles, type ImportFile, type ImportResult } from './import';

const DATA = join(process.env['MOTE_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url)), 'data');
/** Runs only where the real recordings are; says so where they are not. */
function testOn(folder: string, name: string, body: (files: ImportFile[]) => void): void {
  const root = join(DATA, folder);
  const there = existsSync(root);
  test.skipIf(!there)(there ? name : `${name} (skipped: no ${root}; set MOTE_SHARED)`, () => body(read(DATA, folder)));
}

function read(root: string, folder: string): ImportFile[] {
  return readdirSync(join(root, folder))
    .sort()
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      if (statSync(join(root, path)).isDirectory()) return read(root, path);
      return [{ name, path, bytes: new Uint8Array(readFileSync(join(root, path))) }];
    });
}

const text = (value: string) => new TextEncoder().encode(value);
const json = (value: unknown) => text(JSON.stringify(value));

/** Counts of "label split" in a result. */
function tally({ recordings }: ImportResult): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { recording } of recordings) {
    const key = `${recording.label} ${recording.split}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function checkSound(result: ImportResult): void {
  for (const { recording, samples } of result.recordings) {
    expect(samples.length).toBe(recording.frames * recording.channels.length);
    expect(recording.frames).toBeGreaterThan(0);
    expect(recording.rateHz).toBeGreaterThan(0);
    expect(samples.every(Number.isFinite)).toBe(true);
    let free = 0;
    for (const { start, end, label } of recording.segments) {
      expect(start).toBeGreaterThanOrEqual(free);
      expect(end).toBeGreaterThanOrEqual(start);
      expect(end).toBeLessThan(recording.frames);
      expect(label).not.toBe('');
      free = end + 1;
    }
  }
  for (const { message, fileName } of [...result.problems, ...result.notes]) {
    expect(message).not.toBe('');
    expect(fileName).not.toBe('');
  }
}

function acquisition(changes: Record<string, unknown> = {}, payload: Record<string, unknown> = {}): unknown {
  return {
    protected: { ver: 'v1', alg: 'none', iat: 1_700_000_000 },
    signature: '0'.repeat(64),
    payload: {
      device_type: 'TEST',
      interval_ms: 10,
      sensors: [
        { name: 'accX', units: 'm/s2' },
        { name: 'accY', units: 'N/A' },
      ],
      values: [
        [1, 2],
        [3.5, -4],
      ],
      ...payload,
    },
    ...changes,
  };
}

testOn('motion_magic_wand', 'the magic wand set: 648 recordings, 5 labels', (files) => {
  const result = importFiles(files);
  checkSound(result);
  expect(result.problems).toEqual([]);
  expect(tally(result)).toEqual({
    '_idle auto': 126,
    '_unknown auto': 131,
    'alpha auto': 125,
    'beta auto': 128,
    'gamma auto': 138,
  });
  for (const { recording } of result.recordings) {
    expect(recording).toMatchObject({ frames: 150, rateHz: 100 });
    expect(recording.channels.map((c) => c.name)).toEqual(['accX', 'accY', 'accZ', 'gyrX', 'gyrY', 'gyrZ']);
  }
  const one = result.recordings.find((r) => r.recording.name === '_idle.6ed98fabc360')!;
  expect([...one.samples.subarray(0, 6)]).toEqual([8.89, -1.65, -3.06, 0.12, 15.75, -1.1].map(Math.fround));
  const again = importFile({ name: 'x.csv', bytes: text(exportCsv(one)) }).recordings[0]!;
  expect(again.samples).toEqual(one.samples);
  expect(again.recording.id).toBe(one.recording.id);
});

testOn('vibration_ceiling_fan', 'files without header or times, the class in the folder', (files) => {
  const few = files.filter((_, i) => i % 20 === 0);
  const result = importFiles(few, { rateHz: 200 });
  checkSound(result);
  expect(result.problems).toEqual([]);
  expect(new Set(result.recordings.map((r) => r.recording.label)).size).toBe(8);
  expect(result.recordings[0]!.recording).toMatchObject({ frames: 200, rateHz: 200 });
});

testOn('ei_formats', 'every Edge Impulse file from the wild: imported, or refused with a reason', (files) => {
  const result = importFiles(files, { hmacKey: 'fed53116f20684c067774ebf9e7bcbdc' });
  checkSound(result);
  const why: Record<string, string> = Object.fromEntries(
    result.problems.map((p) => [p.fileName.split('/').at(-1)!, p.code]),
  );
  expect(why).toMatchObject({
    'hadouken.01.wav': 'unsupported',
    'bounding_boxes.labels': 'unsupported',
    'metadata.csv': 'not-numbers',
    // The same measurement under a wrong extension, and as JSON beside CBOR.
    'idle.0.wrong': 'duplicate',
    'wave.01.json': 'duplicate',
  });
  expect(result.problems.filter((p) => !/\.(?:jpg|wav|labels|csv|wrong|json)$/.test(p.fileName))).toEqual([]);
  expect(result.files.find((f) => f.fileName.endsWith('doc_example_signed.cbor'))!.signature).toBe('valid');
  expect(result.files.find((f) => f.fileName.endsWith('wave.01.cbor'))!.format).toBe('edge-impulse-cbor');
  const audio = result.recordings.find((r) => r.recording.name === 'doc_audio_refbinary')!;
  expect(audio.recording).toMatchObject({ frames: 32, rateHz: 16_000, channels: [{ name: 'audio', unit: 'wav' }] });
  expect([...audio.samples.subarray(0, 3)]).toEqual([0x18f9, 0x18fa, 0x18f7]);
  const coffee = result.recordings.filter((r) => r.recording.segments.length > 0);
  expect(coffee.map((r) => r.recording.split).sort()).toEqual(['test', 'train']);
  const test4 = coffee.find((r) => r.recording.split === 'test')!.recording;
  expect(test4.name).toBe('coffeemachine_multilabel_4');
  expect(test4.segments.slice(0, 2)).toEqual([
    { label: 'idle', start: 0, end: 511 },
    { label: 'grind', start: 512, end: 1659 },
  ]);
  expect(test4.segments.at(-1)!.end).toBe(test4.frames - 1);
  expect(test4.rateHz).toBeCloseTo(198.6, 1);
});

testOn('ei_formats', 'the gestures set: sets from folders, labels from names', (files) => {
  const result = importFiles(files.filter((file) => file.path!.includes('/gestures/') && file.name.endsWith('.cbor')));
  checkSound(result);
  expect(result.problems).toEqual([]);
  expect(tally(result)).toEqual({
    'idle train': 11,
    'idle test': 4,
    'snake test': 2,
    'updown test': 4,
    'wave test': 4,
    'shake test': 1,
  });
  for (const { recording } of result.recordings) expect(recording).toMatchObject({ rateHz: 62.5 });
  expect(result.files.every((file) => file.signature === 'not checked')).toBe(true);
});

test('an acquisition object, as JSON and as CBOR', () => {
  for (const [name, bytes] of [
    ['wave.1.json', json(acquisition())],
    ['wave.1.cbor', encode(acquisition())],
    ['wave.1.txt', encode(acquisition(), { float64: true })],
  ] as const) {
    const { recordings, problems, files } = importFile({ name, bytes });
    expect(problems).toEqual([]);
    expect(recordings[0]!.recording).toMatchObject({
      name: 'wave.1',
      label: 'wave',
      rateHz: 100,
      frames: 2,
      createdAt: 1_700_000_000_000,
      channels: [
        { name: 'accX', unit: 'm/s2' },
        { name: 'accY', unit: '' },
      ],
    });
    expect([...recordings[0]!.samples]).toEqual([1, 2, 3.5, -4]);
    expect(files[0]!.signature).toBe('unsigned');
  }
});

test('indefinite arrays, halves and tags: CBOR as devices write it', () => {
  // {"payload": {"interval_ms": 10.0 (half), "sensors": [_ {"name": "a"}], "values": [_ 1, -1, 1.5 (half), 2.5 (float32), 1 (64 bit)]}}
  const bytes = Uint8Array.from(
    Buffer.from(
      'd9d9f7a1677061796c6f6164bf6b696e74657276616c5f6d73f94900' +
        '6773656e736f72739fa1646e616d656161ff6676616c7565739f0120f93e00fa402000001b0000000000000001ffff',
      'hex',
    ),
  );
  const { recordings, problems } = importFile({ name: 'a.cbor', bytes }, { now: 77 });
  expect(problems).toEqual([]);
  expect([...recordings[0]!.samples]).toEqual([1, -1, 1.5, 2.5, 1]);
  expect(recordings[0]!.recording).toMatchObject({ createdAt: 77, rateHz: 100 });
});

test('raw readings behind the CBOR object, of every kind', () => {
  const header = (kind: string, sensors: number) =>
    encode(
      acquisition(
        {},
        { sensors: Array.from({ length: sensors }, (_, i) => ({ name: `s${i}` })), values: [`Ref-BINARY-${kind}`] },
      ),
    );
  const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const cases: [string, ArrayBufferView][] = [
    ['i8', Int8Array.of(-128, 1, 2, 127)],
    ['u8', Uint8Array.of(0, 1, 2, 255)],
    ['i16', Int16Array.of(-32768, 1, 2, 32767)],
    ['u16', Uint16Array.of(0, 1, 2, 65535)],
    ['i32', Int32Array.of(-5, 1, 2, 70000)],
    ['u32', Uint32Array.of(5, 1, 2, 70000)],
    ['f32', Float32Array.of(-0.5, 1, 2, 1e20)],
    ['F64', Float64Array.of(-0.5, 1, 2, 1e20)],
  ];
  for (const [kind, values] of cases) {
    const raw = new Uint8Array(values.buffer);
    const { recordings, problems } = importFile({ name: 'a.bin', bytes: join(header(kind, 2), raw) });
    expect(problems).toEqual([]);
    expect(recordings[0]!.recording.frames).toBe(2);
    expect([...recordings[0]!.samples]).toEqual([...(values as Float32Array)].map(Math.fround));
    expect(importFile({ name: 'a.bin', bytes: join(header(kind, 2), raw.subarray(0, -1)) }).problems[0]!.code).toBe(
      'malformed',
    );
    expect(importFile({ name: 'a.bin', bytes: header(kind, 2) }).problems[0]!.code).toBe('no-samples');
  }
  const nan = new Uint8Array(Float32Array.of(1, Number.NaN).buffer);
  expect(importFile({ name: 'a.bin', bytes: join(header('f32', 2), nan) }).problems[0]!.code).toBe('not-finite');
  expect(importFile({ name: 'a.bin', bytes: join(header('i12', 2), nan) }).problems[0]!.code).toBe('unsupported');
  expect(importFile({ name: 'a.bin', bytes: header('constructor', 2) }).problems[0]!.code).toBe('unsupported');
});

test('acquisition objects that are wrong are refused in words', () => {
  const code = (value: unknown) => {
    const [fromJson] = importFile({ name: 'a.json', bytes: json(value) }).problems;
    const [fromCbor] = importFile({ name: 'a.cbor', bytes: encode(value) }).problems;
    expect(fromCbor!.code).toBe(fromJson!.code);
    return fromJson!.code;
  };
  expect(code(acquisition({}, { values: [] }))).toBe('no-samples');
  expect(code(acquisition({}, { values: [[1, 2], [3]] }))).toBe('malformed');
  expect(code(acquisition({}, { values: [[1, 'x']] }))).toBe('malformed');
  expect(code(acquisition({}, { values: [1, 2] }))).toBe('malformed');
  expect(code(acquisition({}, { values: [[1, 1e300]] }))).toBe('not-finite');
  expect(code(acquisition({}, { values: 'many' }))).toBe('malformed');
  expect(code(acquisition({}, { interval_ms: 0 }))).toBe('bad-rate');
  expect(code(acquisition({}, { interval_ms: -5 }))).toBe('bad-rate');
  expect(code(acquisition({}, { interval_ms: 'fast' }))).toBe('malformed');
  expect(code(acquisition({}, { sensors: [] }))).toBe('malformed');
  expect(code(acquisition({}, { sensors: Array.from({ length: 65 }, () => ({ name: 'x' })) }))).toBe('malformed');
  expect(code(acquisition({ payload: null }))).toBe('malformed');
  expect(importFile({ name: 'a.json', bytes: json({ some: 'json' }) }).problems[0]!.code).toBe('unsupported');
  expect(importFile({ name: 'a.json', bytes: json([1, 2]) }).problems[0]!.code).toBe('unsupported');
  expect(importFile({ name: 'a.json', bytes: text('{"payload":') }).problems[0]!.code).toBe('malformed');
});

test('a changed file does not fit its signature, and says so, but is imported', () => {
  const signed = acquisition({ protected: { ver: 'v1', alg: 'HS256' }, signature: 'ab'.repeat(32) });
  const checked = importFile({ name: 'a.json', bytes: json(signed) }, { hmacKey: 'key' });
  expect(checked.files[0]!.signature).toBe('invalid');
  expect(checked.notes[0]!.code).toBe('signature');
  expect(checked.recordings).toHaveLength(1);
  expect(importFile({ name: 'a.json', bytes: json(signed) }).files[0]!.signature).toBe('not checked');
});

const info = (files: unknown[]) => json({ version: 1, files });
const wave: ImportFile = {
  name: 'a.1.csv',
  path: 'set/training/a.1.csv',
  bytes: text('timestamp,x\n0,1\n10,2\n20,3\n30,4\n'),
};

test('info.labels gives labels, segments, names and sets', () => {
  const labels = (entry: object): ImportFile => ({
    name: 'info.labels',
    path: 'set/info.labels',
    bytes: info([{ path: 'training/a.1.csv', name: 'told', category: 'testing', ...entry }]),
  });
  const told = (entry: object) => importFiles([wave, labels(entry)]).recordings[0]!.recording;
  expect(told({ label: { type: 'label', label: 'wave' } })).toMatchObject({
    label: 'wave',
    name: 'told',
    split: 'test',
  });
  expect(told({ label: { type: 'unlabeled' }, category: 'split' })).toMatchObject({ label: null, split: 'auto' });
  expect(
    told({
      label: {
        type: 'multi-label',
        // Out of order, overlapping, beyond the end, and empty.
        labels: [
          { label: 'b', startIndex: 2, endIndex: 99 },
          { label: 'a', startIndex: 0, endIndex: 2 },
          { label: '', startIndex: 0, endIndex: 1 },
          { label: 'c', startIndex: 50, endIndex: 60 },
        ],
      },
    }),
  ).toMatchObject({
    label: null,
    segments: [
      { label: 'a', start: 0, end: 2 },
      { label: 'b', start: 3, end: 3 },
    ],
  });
  const odd = importFiles([wave, labels({ label: { type: 'keyvalue-labels', labels: { x: '1' } } })]);
  expect(odd.notes.map((note) => note.code)).toEqual(['labels-ignored']);
});

test('labels find files that were dropped without their folders', () => {
  const loose = { name: wave.name, bytes: wave.bytes };
  const labels = {
    name: 'info.labels',
    bytes: info([{ path: 'training/a.1.csv', label: { type: 'label', label: 'wave' } }]),
  };
  expect(importFiles([loose, labels]).recordings[0]!.recording.label).toBe('wave');
});

test('exports with one entry per line, and structured_labels, are read', () => {
  const entry = { path: 'training/a.1.csv', category: 'testing', label: { type: 'label', label: 'wave' } };
  for (const head of ['{"__ndjson":true,"version":1}', '{"__ndjson":true,', '{"__ndjson":true}']) {
    const bytes = text(`${head}\n${JSON.stringify({ __key: 'files', __item: entry })}\n`);
    expect(
      importFiles([wave, { name: 'info.labels', path: 'set/info.labels', bytes }]).recordings[0]!.recording,
    ).toMatchObject({
      label: 'wave',
      split: 'test',
    });
  }
  const structured = json({
    version: 1,
    type: 'structured-labels',
    structuredLabels: { 'a.1.csv': [{ startIndex: 1, endIndex: 2, label: 'b' }] },
  });
  expect(
    importFiles([
      wave,
      { name: 'structured_labels.labels', path: 'set/training/structured_labels.labels', bytes: structured },
    ]).recordings[0]!.recording.segments,
  ).toEqual([{ label: 'b', start: 1, end: 2 }]);
});

test('broken side files are reported, and the data is imported without them', () => {
  for (const bytes of [text('{'), text('[]'), info([{ nothing: 1 }]), text(''), json({ version: 7, files: [] })]) {
    const result = importFiles([wave, { name: 'info.labels', path: 'set/info.labels', bytes }]);
    expect(result.problems).toHaveLength(1);
    expect(result.recordings[0]!.recording).toMatchObject({ label: 'a', split: 'train' });
  }
});

test('the same measurement is taken once, whatever it is called', () => {
  const { recordings, problems, files } = importFiles([wave, { ...wave, name: 'b.csv', path: 'testing/b.csv' }]);
  expect(recordings).toHaveLength(1);
  expect(files).toHaveLength(1);
  expect(problems).toMatchObject([{ fileName: 'testing/b.csv', code: 'duplicate' }]);
  expect(problems[0]!.message).toMatch(/set\/training\/a\.1\.csv, under another label/);
});

test('options override names and folders, not what files say of themselves', () => {
  expect(importFile(wave, { label: 'x', split: 'test', sessionId: 'm' }).recordings[0]!.recording).toMatchObject({
    label: 'x',
    split: 'test',
    sessionId: 'm',
  });
  const own = { name: 'b.csv', bytes: text('x,label\n1,own\n2,own\n') };
  expect(importFile(own, { label: 'x' }).recordings[0]!.recording.label).toBe('own');
});

test('files of known kinds that hold no readings are refused by name', () => {
  const code = (bytes: Uint8Array) => importFile({ name: 'x', bytes }).problems[0]!.code;
  expect(code(Uint8Array.of(0x89, 0x50, 0x4e, 0x47))).toBe('unsupported');
  expect(code(Uint8Array.of(0x50, 0x4b, 3, 4))).toBe('unsupported');
  expect(code(text('RIFF1234WAVE'))).toBe('unsupported');
  expect(code(text('%PDF-1.4'))).toBe('unsupported');
  expect(code(text('\u001c\0\0\0TFL3'))).toBe('unsupported');
  expect(code(new Uint8Array(0))).toBe('empty');
  expect(code(new Uint8Array(MOST_FILE_BYTES + 1))).toBe('too-large');
  expect(importFile({ name: 'README.md', bytes: text('hello') })).toMatchObject({ problems: [], recordings: [] });
});

test('deep nesting and huge promised lengths do no harm', () => {
  const problem = (bytes: Uint8Array) => importFile({ name: 'x.cbor', bytes }).problems[0]?.code;
  const deep = new Uint8Array(2_000_000).fill(0x81);
  deep.set([0xa1, 0x61, 0x61]);
  expect(problem(deep)).toBe('malformed');
  expect(problem(text('['.repeat(1_000_000)))).toBe('malformed');
  expect(problem(text('{"payload":'.repeat(200_000)))).toBe('malformed');
  // A map that promises 2^53 - 1 entries, an array of 2^32, a byte string of 4 GB.
  expect(problem(Uint8Array.from(Buffer.from('bb001fffffffffffff', 'hex')))).toBe('malformed');
  expect(problem(Uint8Array.from(Buffer.from('a161619b0000000100000000', 'hex')))).toBe('malformed');
  expect(problem(Uint8Array.from(Buffer.from('a161615b00000000ffffffff00', 'hex')))).toBe('malformed');
  expect(problem(text('"'.repeat(300_001)))).toMatch(/no-samples|not-numbers/);
  expect(problem(text(','.repeat(300_000)))).toMatch(/empty|not-numbers|too-large/);
});

test('fuzz: cut, flipped and spliced files are imported or refused, quickly, and never break anything', () => {
  const random = new Random(2024);
  const seeds = [
    wave.bytes,
    text('x;y;label\n1,5;2;a\n3;4,5;b\n'.repeat(5)),
    text('# t,a\n0.1 5\n0.2 6\n0.3 7\n'),
    json(acquisition()),
    encode(acquisition()),
    encode(acquisition({}, { sensors: [{ name: 'a' }], values: ['Ref-BINARY-i16'] })),
    info([{ path: 'a', label: { type: 'multi-label', labels: [{ label: 'x', startIndex: 0, endIndex: 1 }] } }]),
  ];
  const byteOf = () => random.integer(256);
  for (let round = 0; round < 4000; round++) {
    let bytes = Uint8Array.from(seeds[random.integer(seeds.length)]!);
    for (let change = random.integer(4); change >= 0; change--) {
      const at = random.integer(bytes.length + 1);
      switch (random.integer(5)) {
        case 0:
          bytes = bytes.slice(0, at);
          break;
        case 1:
          if (at < bytes.length) bytes[at]! ^= 1 << random.integer(8);
          break;
        case 2:
          if (at < bytes.length) bytes[at] = byteOf();
          break;
        case 3:
          bytes = Uint8Array.from([...bytes.slice(0, at), byteOf(), byteOf(), ...bytes.slice(at)]);
          break;
        default:
          bytes = Uint8Array.from([...bytes, ...seeds[random.integer(seeds.length)]!]);
      }
    }
    const name = ['a.csv', 'a.json', 'a.cbor', 'info.labels'][random.integer(4)]!;
    const result = importFiles([
      { name, bytes },
      { ...wave, path: 'a' },
    ]);
    checkSound(result);
    expect(result.recordings.length + result.problems.length).toBeGreaterThan(0);
  }
});
