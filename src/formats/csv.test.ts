import { expect, test } from 'vitest';
import { generateRecording } from '../signal/motion-generator';
import { Random } from '../signal/random';
import { csvFileName, exportCsv, float32Text } from './csv-export';
import { parseCsv } from './csv-import';
import { FormatError } from './format-error';
import { importFile } from './import';

const bytes = (text: string) => new TextEncoder().encode(text);
const csv = (text: string, options = {}) => parseCsv(bytes(text), options);

function failure(text: string | Uint8Array, options = {}): FormatError {
  try {
    parseCsv(typeof text === 'string' ? bytes(text) : text, options);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return error as FormatError;
  }
  throw new Error('was accepted');
}

const noteCodes = (parsed: { notes: readonly { code: string }[] }) => parsed.notes.map((note) => note.code);

test('header and times in milliseconds, as Edge Impulse writes them', () => {
  const parsed = csv('timestamp,accX,accY\n0,1,2\n16,3.5,-4e-1\n32,.5,6.\n');
  expect(parsed).toMatchObject({
    channels: [
      { name: 'accX', unit: '' },
      { name: 'accY', unit: '' },
    ],
    rateHz: 62.5,
    measuredRateHz: 62.5,
    notes: [],
    segments: [],
  });
  expect([...parsed.samples]).toEqual([1, 2, 3.5, Math.fround(-0.4), 0.5, 6]);
  expect(parsed.label).toBeUndefined();
});

test('every separator, with or without header', () => {
  for (const [name, text] of Object.entries({
    comma: '1,2,3\n4,5,6\n',
    'comma and blank': '1, 2, 3\n4, 5, 6\n',
    tab: '1\t2\t3\n4\t5\t6',
    blanks: '  1 2   3\n 4  5 6 \n',
    'blanks and tabs': '1 \t2 3\n4\t 5 6\n',
    semicolon: '1;2;3\n4;5;6',
    header: 'x,y,z\n1,2,3\n4,5,6',
    'header with tabs': 'x\ty\tz\n1\t2\t3\n4\t5\t6',
    'comment as header': '# x,y,z\n1,2,3\n4,5,6',
    'trailing separator': 'x,y,z,\n1,2,3,\n4,5,6,\n',
    quotes: '"x","y","z"\n"1","2","3"\n"4","5","6"\n',
  })) {
    const parsed = csv(text);
    expect([...parsed.samples], name).toEqual([1, 2, 3, 4, 5, 6]);
    expect(parsed.channels, name).toHaveLength(3);
    expect(parsed.rateHz, name).toBe(100);
    expect(noteCodes(parsed), name).toEqual(['rate-assumed']);
  }
  expect(csv('5\n6\n7').channels).toEqual([{ name: 'ch1', unit: '' }]);
  expect(csv('x\n5\n6\n7').channels).toEqual([{ name: 'x', unit: '' }]);
});

test('decimal commas only where the separator leaves no doubt', () => {
  expect([...csv('x;y\n1,5;2,25\n-0,5;,75').samples]).toEqual([1.5, 2.25, -0.5, 0.75]);
  expect([...csv('1.5;2.25\n3;4').samples]).toEqual([1.5, 2.25, 3, 4]);
  // With commas between, 1,5 is two numbers.
  expect(csv('1,5\n2,6\n').channels).toHaveLength(2);
});

test('byte order marks, line ends of every kind and UTF-16 are read', () => {
  const expected = [1, 2, 3, 4];
  for (const text of ['\uFEFFx,y\r\n1,2\r\n3,4\r\n', 'x,y\r1,2\r3,4', '\n\nx,y\n\n1,2\n\n\n3,4\n\n']) {
    const parsed = csv(text);
    expect([...parsed.samples]).toEqual(expected);
    expect(parsed.channels[0]!.name).toBe('x');
    expect(parsed.quality.malformed).toBe(0);
  }
  const wide = new Uint8Array(Buffer.from('\uFEFFx,y\n1,2\n3,4\n', 'utf16le'));
  expect([...parseCsv(wide).samples]).toEqual(expected);
});

test('a rate given is used where there are no times', () => {
  const parsed = csv('1,2\n3,4', { rateHz: 50 });
  expect(parsed).toMatchObject({ rateHz: 50, measuredRateHz: null, notes: [] });
  expect(csv('timestamp,x\n0,1\n10,2\n20,3', { rateHz: 50 }).rateHz).toBe(100);
});

test('the unit of times is told by name or size, and said', () => {
  const steps = (header: string, step: number, start = 0) =>
    csv(`${header},x\n${Array.from({ length: 20 }, (_, i) => `${start + i * step},${i}`).join('\n')}`);
  expect(steps('timestamp', 10)).toMatchObject({ rateHz: 100, notes: [] });
  expect(steps('time_ms', 10)).toMatchObject({ rateHz: 100, notes: [] });
  expect(steps('Time (s)', 0.5)).toMatchObject({ rateHz: 2, notes: [] });
  expect(steps('timestamp [us]', 20_000)).toMatchObject({ rateHz: 50, notes: [] });
  expect(steps('time', 0.01)).toMatchObject({ rateHz: 100, notes: [{ code: 'time-unit' }] });
  expect(steps('t', 10_000)).toMatchObject({ rateHz: 100, notes: [{ code: 'time-unit' }] });
  expect(steps('time', 20)).toMatchObject({ rateHz: 50, notes: [{ code: 'time-unit' }] });
  expect(steps('timestamp', 16, 1_700_000_000_000)).toMatchObject({ rateHz: 62.5, notes: [] });
  expect(steps('time', 20_000, 1_700_000_000_000_000)).toMatchObject({ rateHz: 50 });
});

test('gaps and standing times are kept in the books', () => {
  const lines = ['timestamp,x'];
  for (let i = 0; i < 100; i++) if (i < 40 || i >= 45) lines.push(`${i * 10},${i}`);
  const parsed = csv(lines.join('\n'));
  expect(parsed).toMatchObject({ rateHz: 100, quality: { lostFrames: 5, gaps: 1 } });
  expect(noteCodes(parsed)).toEqual(['uneven-times']);
  const still = csv('timestamp,x\n5,1\n5,2\n5,3');
  expect(still.rateHz).toBe(100);
  expect(noteCodes(still)).toEqual(['uneven-times', 'rate-assumed']);
});

test('units in headers are split off, names made unique', () => {
  expect(csv('accX (m/s^2),gyr [dps],,x,x\n1,2,3,4,5\n6,7,8,9,0').channels).toEqual([
    { name: 'accX', unit: 'm/s2' },
    { name: 'gyr', unit: 'deg/s' },
    { name: 'ch3', unit: '' },
    { name: 'x', unit: '' },
    { name: 'x_2', unit: '' },
  ]);
});

test('a label column labels the whole, or makes segments', () => {
  expect(csv('x,label\n1,wave\n2,wave').label).toBe('wave');
  const parsed = csv('timestamp,x,Activity\n0,1,walk\n10,2,walk\n20,3,run\n30,4,\n40,5,run\n50,6,walk\n');
  expect(parsed.label).toBeNull();
  expect(parsed.segments).toEqual([
    { label: 'walk', start: 0, end: 1 },
    { label: 'run', start: 2, end: 2 },
    { label: 'run', start: 4, end: 4 },
    { label: 'walk', start: 5, end: 5 },
  ]);
  expect(parsed.channels).toHaveLength(1);
  // Without a header, text that repeats in one column is the label.
  expect(csv('1,2,walk\n3,4,walk\n5,6,run\n7,8,run').segments).toHaveLength(2);
  // A class as number is a label, not a channel.
  expect(csv('x,class\n1,0\n2,1').segments).toEqual([
    { label: '0', start: 0, end: 0 },
    { label: '1', start: 1, end: 1 },
  ]);
});

test('lines that are no readings are left out and counted', () => {
  const lines = Array.from({ length: 50 }, (_, i) => `${i},${i},${i}`);
  lines.splice(10, 0, '1,2', 'sensor reset', '1,2,3,4', '# a comment', '1,,3');
  const parsed = csv(lines.join('\n'));
  expect(parsed.samples.length).toBe(150);
  expect(parsed.quality.malformed).toBe(4);
  expect(noteCodes(parsed)).toContain('malformed-lines');
});

test('text columns are left out and named; a table is not taken for a recording', () => {
  const parsed = csv('timestamp,x,comment\n0,1,hello\n10,2,world\n20,3,again');
  expect(parsed.channels.map((c) => c.name)).toEqual(['x']);
  expect(parsed.notes[0]).toMatchObject({ code: 'columns-ignored' });
  expect(parsed.notes[0]!.message).toContain('comment');
  expect(failure('name;priority\nfirst;1\nsecond;0').code).toBe('not-numbers');
  expect([...csv('name;priority\nfirst;1\nsecond;0', { rateHz: 1 }).samples]).toEqual([1, 0]);
});

test('NaN, infinity and numbers beyond float32 are refused, with the line', () => {
  for (const bad of ['nan', 'NaN', 'inf', '-Infinity', '1e39', '-1e400']) {
    const error = failure(`x,y\n1,2\n3,${bad}\n5,6`);
    expect(error.code).toBe('not-finite');
    expect(error.message).toMatch(/Line 3, y/);
  }
});

test('what is not readings is refused in words', () => {
  expect(failure('').code).toBe('empty');
  expect(failure('\n \n\t\n').code).toBe('empty');
  expect(failure('x,y,z\n').code).toBe('no-samples');
  expect(failure('Dear reader,\nthis is a letter, and no data.\nYours, me\n').code).toBe('not-numbers');
  expect(failure(Uint8Array.of(1, 2, 0, 4)).code).toBe('unknown-format');
  expect(failure(`${Array.from({ length: 100 }, (_, i) => i).join(',')}\n`.repeat(3)).code).toBe('too-large');
  expect(failure('timestamp,x\n0,1\n1e-9,2\n2e-9,3').code).toBe('bad-rate');
  expect(failure('1,2\n', { rateHz: 0 }).code).toBe('bad-rate');
  expect(failure('1,2\n', { rateHz: Number.NaN }).code).toBe('bad-rate');
  // Hexadecimal and thousands are no numbers here.
  expect(failure('0x10,0x20\n0x30,0x40').code).toBe('not-numbers');
});

test('an export read back is the same recording, bit for bit', () => {
  const loaded = generateRecording({ gesture: 'circle', seconds: 3, rateHz: 62.5, seed: 4 });
  const text = exportCsv(loaded);
  expect(text.split('\n')[0]).toBe('timestamp,accX,accY,accZ,gyrX,gyrY,gyrZ');
  const { recordings, notes, problems } = importFile({ name: csvFileName(loaded.recording), bytes: bytes(text) });
  expect(problems).toEqual([]);
  expect(notes).toEqual([]);
  expect(recordings[0]!.samples).toEqual(loaded.samples);
  expect(recordings[0]!.recording).toMatchObject({ rateHz: 62.5, label: 'circle', frames: loaded.recording.frames });
});

test('segments survive an export', () => {
  const { recording, samples } = generateRecording({ gesture: 'wave', seconds: 1, rateHz: 100, seed: 4 });
  const segments = [
    { label: 'up, "down"', start: 0, end: 39 },
    { label: 'still', start: 60, end: 98 },
  ];
  const [back] = importFile({
    name: 'x.csv',
    bytes: bytes(exportCsv({ recording: { ...recording, label: null, segments }, samples })),
  }).recordings;
  expect(back!.recording.segments).toEqual(segments);
  expect(back!.samples).toEqual(samples);
});

test('any float32 survives as text', () => {
  const random = new Random(12);
  const view = new DataView(new ArrayBuffer(4));
  for (let i = 0; i < 200_000; i++) {
    view.setUint32(0, random.nextUint32());
    const value = view.getFloat32(0);
    if (!Number.isFinite(value)) continue;
    if (!Object.is(Math.fround(Number(float32Text(value))), value))
      throw new Error(`${value} -> ${float32Text(value)}`);
  }
  expect(float32Text(Math.fround(0.1))).toBe('0.1');
  expect(float32Text(-0)).toBe('-0');
  expect(float32Text(Math.fround(16777217))).toBe('16777216');
});

test('file names carry the label and fit every file system', () => {
  expect(csvFileName({ label: 'wave', name: 'monday' })).toBe('wave.monday.csv');
  expect(csvFileName({ label: 'wave', name: 'wave.01' })).toBe('wave.01.csv');
  expect(csvFileName({ label: null, name: '../../etc/passwd' })).toBe('-etc-passwd.csv');
  expect(csvFileName({ label: 'a/b:c', name: '' })).toBe('a-b-c.recording.csv');
  expect(csvFileName({ label: null, name: '' })).toBe('recording.csv');
});

test('says that a single row has no duration', () => {
  expect(parseCsv(new TextEncoder().encode('x,y,z\n1,2,3\n')).notes[0]?.message).toContain('has no duration');
  expect(parseCsv(new TextEncoder().encode('x,y,z\n1,2,3\n4,5,6\n')).notes[0]?.message).toMatch(/^No column of times/);
});
