/**
 * Readings as text: one line per frame, separated by comma, semicolon, tab or blanks, with or without a header line, a
 * column of times and a column of labels.
 */
import Papa from 'papaparse';
import { assessTimes } from '../signal/quality';
import {
  checkRate,
  cleanName,
  FormatError,
  MOST_CHANNELS,
  MOST_FRAMES,
  uniqueNames,
  type FormatNote,
  type ParsedFile,
} from './format-error';
import { GrowingArray } from './growing-array';

/** Used where a file has no times and the caller gives no rate; always noted. */
export const ASSUMED_RATE_HZ = 100;
/** Lines from which separator, header and kinds of columns are told. */
const SAMPLE_LINES = 100;
const SAMPLE_CHARACTERS = 256 * 1024;
/** More unreadable lines than this share, and the file is not what it seems. */
const MOST_MALFORMED_SHARE = 0.2;
const MOST_LABELS = 1000;
const BINARY_PROBE_BYTES = 4096;

const SEPARATORS = [';', '\t', ',', ' '] as const;
type Separator = (typeof SEPARATORS)[number];

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NUMBER_WITH_COMMA = /^[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^[+-]?(?:nan|inf|infinity|1\.#inf|1\.#qnan)$/i;
const TIME_HEADER =
  /^(?:time[ _-]?stamps?|times?|t|ts|millis|micros|elapsed|seconds|milliseconds|microseconds|ms|us|µs)(?:[ _\-[(]*(ns|us|µs|μs|ms|s|sec|secs|seconds|milliseconds|microseconds|nanoseconds|millis|micros)[\])]*)?$/i;
const LABEL_HEADER = /^(?:labels?|class(?:es)?|gestures?|activit(?:y|ies)|categor(?:y|ies)|targets?|annotations?)$/i;
const UNIT_IN_HEADER = /^(.*?)[\s_]*[[(]([^\])]{1,16})[\])]$/;

type TimeUnit = 'ns' | 'us' | 'ms' | 's';
const MILLISECONDS: Readonly<Record<TimeUnit, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000 };
const TIME_UNIT_NAMES: Readonly<Record<TimeUnit, string>> = {
  ns: 'nanoseconds',
  us: 'microseconds',
  ms: 'milliseconds',
  s: 'seconds',
};

/** Bytes to text: UTF-8, or UTF-16 with a byte order mark. Throws for bytes that are no text. */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (bytes.subarray(0, BINARY_PROBE_BYTES).includes(0)) {
    throw new FormatError('unknown-format', 'This is neither text nor a format that the studio knows.');
  }
  return new TextDecoder('utf-8').decode(bytes);
}

export interface CsvOptions {
  /** Rate for files without times, Hz. */
  readonly rateHz?: number | undefined;
}

/** Reads a text file of readings. Throws FormatError. */
export function parseCsv(bytes: Uint8Array, options: CsvOptions = {}): ParsedFile {
  const text = decodeText(bytes)
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n');
  const layout = findLayout(text);
  const rows = readRows(text, layout);
  const notes: FormatNote[] = [...layout.notes];
  if (rows.malformed > 0) {
    notes.push({
      code: 'malformed-lines',
      message: `${rows.malformed} of ${rows.malformed + rows.frames} lines are not readings and were left out.`,
    });
  }
  const timing = findRate(rows, layout, options, notes);
  return {
    format: 'csv',
    channels: layout.channels,
    rateHz: timing.rateHz,
    measuredRateHz: timing.measuredRateHz,
    samples: rows.samples,
    ...labelsOf(rows, layout),
    quality: { ...timing.quality, malformed: rows.malformed },
    createdAt: null,
    signature: 'unsigned',
    notes,
  };
}

type Role = 'value' | 'time' | 'label' | 'ignored';

interface Layout {
  readonly separator: Separator;
  readonly decimalComma: boolean;
  readonly hasHeader: boolean;
  readonly roles: readonly Role[];
  readonly headers: readonly string[];
  readonly channels: readonly { readonly name: string; readonly unit: string }[];
  /** From the header of the column of times, or null. */
  readonly timeUnit: TimeUnit | null;
  /** The column is called just `timestamp`, which means milliseconds in Edge Impulse's files. */
  readonly timeIsTimestamp: boolean;
  readonly textColumns: readonly string[];
  readonly notes: readonly FormatNote[];
}

type Cell = 'number' | 'not-finite' | 'empty' | 'text';

function kindOf(cell: string, decimalComma: boolean): Cell {
  if (cell === '') return 'empty';
  if ((decimalComma ? NUMBER_WITH_COMMA : NUMBER).test(cell)) return 'number';
  return NOT_FINITE.test(cell) ? 'not-finite' : 'text';
}

function isNumeric(kind: Cell): boolean {
  return kind === 'number' || kind === 'not-finite';
}

function isComment(row: readonly string[]): boolean {
  return /^\s*(?:#|%|\/\/)/.test(row[0] ?? '');
}

function isBlank(row: readonly string[]): boolean {
  return row.every((cell) => cell.trim() === '');
}

/** Cuts one line's cells; blanks as separator count in runs. */
function forSeparator(text: string, separator: Separator): string {
  return separator === ' ' ? text.replace(/^[ \t]+|[ \t]+$/gm, '').replace(/[ \t]+/g, ' ') : text;
}

function readAll(text: string, separator: Separator, onRow: (row: string[]) => void): void {
  Papa.parse<string[]>(forSeparator(text, separator), {
    delimiter: separator,
    newline: '\n',
    step: ({ data }) => onRow(data.map((cell) => cell.trim())),
  });
}

/** The first lines, whole. */
function beginning(text: string): string {
  let end = -1;
  for (let lines = 0; lines < SAMPLE_LINES + 1; lines++) {
    const next = text.indexOf('\n', end + 1);
    if (next === -1) return text.slice(0, SAMPLE_CHARACTERS);
    if (next > SAMPLE_CHARACTERS) break;
    end = next;
  }
  return text.slice(0, end === -1 ? SAMPLE_CHARACTERS : end);
}

function mode(counts: readonly number[]): number {
  const seen = new Map<number, number>();
  let best = 0;
  for (const count of counts) {
    const times = (seen.get(count) ?? 0) + 1;
    seen.set(count, times);
    if (times > (seen.get(best) ?? 0) || best === 0) best = count;
  }
  return best;
}

function findLayout(text: string): Layout {
  const sample = beginning(text.replace(/^\n+/, ''));
  if (sample.trim() === '') throw new FormatError('empty', 'The file is empty.');
  let best: { separator: Separator; score: number; rows: string[][] } | null = null;
  for (const separator of SEPARATORS) {
    const rows: string[][] = [];
    readAll(sample, separator, (row) => void (isBlank(row) || rows.push(row)));
    const width = mode(rows.map((row) => row.length));
    // One column is one column, whatever the separator.
    const score =
      width < 2
        ? 0
        : rows
            .filter((row) => row.length === width)
            .reduce((sum, row) => sum + row.filter((cell) => isNumeric(kindOf(cell, separator === ';'))).length, 0);
    if (!best || score > best.score || (best.score === 0 && score === 0 && separator === ',')) {
      best = { separator, score, rows };
    }
  }
  const { separator, rows } = best!;
  const decimalComma = separator === ';';
  const kinds = (row: readonly string[]) => row.map((cell) => kindOf(cell, decimalComma));
  // Comments before the data may hold the header.
  let comment: string[] | null = null;
  while (rows.length > 0 && isComment(rows[0]!)) {
    const row = rows.shift()!;
    comment = [row[0]!.replace(/^\s*(?:#|%|\/\/)\s*/, ''), ...row.slice(1)];
  }
  const noNumbers = (row: readonly string[]) => !kinds(row).some(isNumeric);
  const hasHeader = rows.length > 0 && noNumbers(rows[0]!);
  const data = rows.slice(hasHeader ? 1 : 0).filter((row) => !isComment(row));
  if (data.length === 0 || data.every(noNumbers)) {
    throw new FormatError(
      hasHeader && rows.length === 1 ? 'no-samples' : 'not-numbers',
      hasHeader && rows.length === 1
        ? 'The file has a header line but no readings.'
        : 'The lines of this file are not readings: numbers separated by comma, semicolon, tab or blank.',
    );
  }
  let width = mode(data.map((row) => row.length));
  const ofColumn = (column: number) =>
    data.filter((row) => row.length >= width).map((row) => kindOf(row[column]!, decimalComma));
  let head = hasHeader ? rows[0]! : comment && comment.length === width && noNumbers(comment) ? comment : [];
  // A separator at the end of each line makes a last column of nothing.
  while (width > 1 && ofColumn(width - 1).every((kind) => kind === 'empty') && !head[width - 1]) width--;
  head = head.slice(0, width);
  if (width > MOST_CHANNELS + 2) {
    throw new FormatError(
      'too-large',
      `${width} columns are more than the ${MOST_CHANNELS} channels that the studio takes.`,
    );
  }
  const headers = Array.from({ length: width }, (_, i) => head[i] ?? '');
  const roles = headers.map((header, column): Role => {
    const column_ = ofColumn(column).filter((kind) => kind !== 'empty');
    const numeric = column_.filter(isNumeric).length >= 0.8 * column_.length && column_.length > 0;
    if (LABEL_HEADER.test(header)) return 'label';
    if (numeric) return 'value';
    return 'ignored';
  });
  const timeColumn = headers.findIndex((header, column) => TIME_HEADER.test(header) && roles[column] === 'value');
  if (timeColumn >= 0) roles[timeColumn] = 'time';
  if (head.length === 0) {
    // Without a header, a single column of text that repeats is the label.
    const text = roles.flatMap((role, column) => (role === 'ignored' ? [column] : []));
    const values = new Set(data.map((row) => row[text[0] ?? 0]));
    if (text.length === 1 && (data.length < 3 || values.size <= data.length / 2)) roles[text[0]!] = 'label';
  }
  if (roles.filter((role) => role === 'label').length > 1) {
    for (let column = roles.indexOf('label') + 1; column < width; column++) {
      if (roles[column] === 'label') roles[column] = 'ignored';
    }
  }
  const valueColumns = roles.flatMap((role, column) => (role === 'value' ? [column] : []));
  if (valueColumns.length === 0) throw new FormatError('not-numbers', 'No column of this file holds readings.');
  if (valueColumns.length > MOST_CHANNELS) {
    throw new FormatError(
      'too-large',
      `${valueColumns.length} columns are more than the ${MOST_CHANNELS} channels that the studio takes.`,
    );
  }
  const textColumns = roles.flatMap((role, column) =>
    role === 'ignored' ? [cleanName(headers[column]!) || `column ${column + 1}`] : [],
  );
  const split = valueColumns.map((column) => splitUnit(headers[column]!));
  const names = uniqueNames(split.map(({ name }) => name));
  const timeHeader = timeColumn >= 0 ? headers[timeColumn]! : '';
  return {
    separator,
    decimalComma,
    hasHeader,
    roles,
    headers,
    channels: split.map(({ unit }, i) => ({ name: names[i]!, unit })),
    timeUnit: unitOfTime(timeHeader),
    timeIsTimestamp: /^time[ _-]?stamps?$/i.test(timeHeader),
    textColumns,
    notes:
      textColumns.length === 0
        ? []
        : [
            {
              code: 'columns-ignored',
              message: `Left out, because not numbers: ${textColumns.map((name) => `“${name}”`).join(', ')}.`,
            },
          ],
  };
}

/** "accX (m/s^2)" is a name and a unit. */
function splitUnit(header: string): { readonly name: string; readonly unit: string } {
  const match = UNIT_IN_HEADER.exec(header);
  if (!match || match[1] === '') return { name: header, unit: '' };
  const unit = cleanName(match[2]!)
    .replace('m/s^2', 'm/s2')
    .replace('m/s²', 'm/s2')
    .replace(/^°\/s$|^dps$/, 'deg/s');
  return { name: match[1]!, unit };
}

function unitOfTime(header: string): TimeUnit | null {
  const unit = (TIME_HEADER.exec(header)?.[1] ?? header).toLowerCase();
  if (/^(?:ns|nanoseconds)$/.test(unit)) return 'ns';
  if (/^(?:us|µs|μs|micros|microseconds)$/.test(unit)) return 'us';
  if (/^(?:ms|millis|milliseconds)$/.test(unit)) return 'ms';
  if (/^(?:s|sec|secs|seconds)$/.test(unit)) return 's';
  return null;
}

interface Rows {
  readonly samples: Float32Array;
  /** As in the file, or empty. */
  readonly times: Float64Array;
  /** Index into `labelNames` for each frame, or empty. */
  readonly labels: Uint16Array;
  readonly labelNames: readonly string[];
  readonly frames: number;
  readonly malformed: number;
}

function readRows(text: string, layout: Layout): Rows {
  const { roles, decimalComma, headers } = layout;
  const width = roles.length;
  const samples = new GrowingArray((length) => new Float32Array(length));
  const times = new GrowingArray((length) => new Float64Array(length));
  const labels = new GrowingArray((length) => new Uint16Array(length));
  const labelIndex = new Map<string, number>();
  const frame = new Float64Array(width);
  let frames = 0;
  let malformed = 0;
  let line = 0;
  let headerDue = layout.hasHeader;
  readAll(text, layout.separator, (row) => {
    line++;
    if (isBlank(row) || isComment(row)) return;
    if (headerDue) {
      headerDue = false;
      return;
    }
    // A row may be longer only by empty cells.
    if (row.length < width || row.slice(width).some((cell) => cell !== '')) {
      malformed++;
      return;
    }
    for (let column = 0; column < width; column++) {
      if (roles[column] !== 'value' && roles[column] !== 'time') continue;
      const cell = row[column]!;
      const kind = kindOf(cell, decimalComma);
      const value = kind === 'number' ? Number(decimalComma ? cell.replace(',', '.') : cell) : Number.NaN;
      if (kind === 'not-finite' || (kind === 'number' && !Number.isFinite(Math.fround(value)))) {
        const name = cleanName(headers[column]!) || `column ${column + 1}`;
        throw new FormatError(
          'not-finite',
          `Line ${line}, ${name}: “${cleanName(cell)}” is not a number that can be learned from. Correct or remove the line.`,
        );
      }
      if (kind !== 'number') {
        malformed++;
        return;
      }
      frame[column] = value;
    }
    if (++frames > MOST_FRAMES) {
      throw new FormatError('too-large', `More than ${MOST_FRAMES} readings. Split the file.`);
    }
    for (let column = 0; column < width; column++) {
      switch (roles[column]!) {
        case 'value':
          samples.push(frame[column]!);
          break;
        case 'time':
          times.push(frame[column]!);
          break;
        case 'label': {
          const label = cleanName(row[column]!);
          let index = labelIndex.get(label);
          if (index === undefined) {
            index = labelIndex.size;
            if (index >= MOST_LABELS) {
              throw new FormatError('too-large', `More than ${MOST_LABELS} different labels in one file.`);
            }
            labelIndex.set(label, index);
          }
          labels.push(index);
          break;
        }
        case 'ignored':
          break;
      }
    }
  });
  if (malformed > MOST_MALFORMED_SHARE * (frames + malformed)) {
    throw new FormatError(
      'not-numbers',
      `${malformed} of ${frames + malformed} lines are not readings of ${layout.channels.length} numbers.`,
    );
  }
  if (frames === 0) throw new FormatError('no-samples', 'The file has no readings.');
  return {
    samples: samples.toArray(),
    times: times.toArray(),
    labels: labels.toArray(),
    labelNames: [...labelIndex.keys()],
    frames,
    malformed,
  };
}

function findRate(
  { times, frames }: Rows,
  { timeUnit, timeIsTimestamp, textColumns }: Layout,
  { rateHz }: CsvOptions,
  notes: FormatNote[],
): Pick<ParsedFile, 'rateHz' | 'measuredRateHz' | 'quality'> {
  if (times.length > 1) {
    const step = medianStep(times);
    const unit = timeUnit ?? guessTimeUnit(step, times[0]!, timeIsTimestamp);
    const assessed = assessTimes(times.map((time) => (time - times[0]!) * MILLISECONDS[unit]));
    if (assessed) {
      if (timeUnit === null && !(timeIsTimestamp && unit === 'ms')) {
        notes.push({
          code: 'time-unit',
          message: `The times are taken for ${TIME_UNIT_NAMES[unit]}, which gives ${formatRate(assessed.nominalRateHz)} Hz.`,
        });
      }
      const { gaps, lostFrames } = assessed.quality;
      if (gaps > 0 || assessed.notRising > 0) {
        const parts = [
          ...(gaps > 0 ? [`${gaps} gaps (about ${lostFrames} readings missing)`] : []),
          ...(assessed.notRising > 0 ? [`${assessed.notRising} times that do not rise`] : []),
        ];
        notes.push({ code: 'uneven-times', message: `The column of times has ${parts.join(' and ')}.` });
      }
      return {
        rateHz: checkRate(Number(assessed.nominalRateHz.toPrecision(10))),
        measuredRateHz: assessed.measuredRateHz,
        quality: assessed.quality,
      };
    }
    notes.push({ code: 'uneven-times', message: 'The column of times does not rise, so it gives no rate.' });
  }
  if (rateHz === undefined && textColumns.length > 0) {
    throw new FormatError(
      'not-numbers',
      `This looks like a table, not a recording: it has no column of times in numbers, but text (${textColumns.map((name) => `“${name}”`).join(', ')}). Give its rate to import the numbers all the same.`,
    );
  }
  if (rateHz === undefined) {
    notes.push({
      code: 'rate-assumed',
      message: `${frames === 1 ? 'A single row of readings has no duration and gives no window: a recording needs one row after another. No times' : 'No column of times'}: ${ASSUMED_RATE_HZ} Hz is assumed. Set the rate if it is another.`,
    });
  }
  return {
    rateHz: checkRate(rateHz ?? ASSUMED_RATE_HZ),
    measuredRateHz: null,
    quality: { lostFrames: 0, gaps: 0, jitterMs: null, malformed: 0 },
  };
}

function formatRate(rateHz: number): string {
  return String(Number(rateHz.toPrecision(4)));
}

function medianStep(times: Float64Array): number {
  const steps = new Float64Array(Math.min(times.length - 1, 10_001));
  for (let i = 0; i < steps.length; i++) steps[i] = times[i + 1]! - times[i]!;
  return steps.sort()[steps.length >> 1]!;
}

/**
 * `timestamp` alone is milliseconds by convention. Otherwise the size tells: steps below 0.2 would be over 5 kHz in
 * milliseconds, so they are seconds; steps from 1000 on would be under 1 Hz, so they are microseconds, and epoch times
 * are told by their number of digits.
 */
function guessTimeUnit(step: number, first: number, isTimestamp: boolean): TimeUnit {
  if (first > 1e17) return 'ns';
  if (first > 1e14) return 'us';
  if (first > 1e11) return 'ms';
  if (step < 0.2) return 's';
  if (isTimestamp) return 'ms';
  return step >= 1000 ? 'us' : 'ms';
}

function labelsOf({ labels, labelNames, frames }: Rows, { roles }: Layout): Pick<ParsedFile, 'label' | 'segments'> {
  if (!roles.includes('label')) return { segments: [] };
  if (labelNames.length === 1) return { label: labelNames[0] || null, segments: [] };
  const segments: { label: string; start: number; end: number }[] = [];
  for (let start = 0; start < frames;) {
    let end = start;
    while (end + 1 < frames && labels[end + 1] === labels[start]) end++;
    const label = labelNames[labels[start]!]!;
    if (label !== '') segments.push({ label, start, end });
    start = end + 1;
  }
  return { label: null, segments };
}
