/**
 * The `lines` dialect: any board that prints one reading per line. Accepts what a data forwarder accepts (numbers
 * separated by comma, semicolon, tab or blanks) and the plotter style (`name:value`), with an optional header line.
 * Serial bytes are untrusted: lines, fields and names are bounded, everything unreadable is counted and skipped.
 */
import type { Channel } from '../signal/recording';
import type { LineStats } from './board';

/** Longer lines are noise (wrong baud rate, binary data), not readings. */
export const MAX_LINE_BYTES = 4096;
/** More values per line than any sensor shield prints; protects memory. */
export const MAX_CHANNELS = 64;
/** So many readings are looked at before the number of channels is settled by majority. */
export const SETTLE_LINES = 8;
/** So many readings in a row with another count mean that the sketch really changed. */
export const RESETTLE_LINES = 20;
const MAX_NAME_CHARACTERS = 32;
const MAX_TEXT_CHARACTERS = 200;

/** One reading: all values of one line. */
export interface LineReading {
  readonly values: Float32Array;
  /** Arrival time of the chunk that ended the line, ms. */
  readonly at: number;
}

export interface LinesListener {
  /** The number or the names of the channels became known, or changed. Comes before the readings it describes. */
  readonly onChannels: (channels: readonly Channel[]) => void;
  /** Readings completed by one chunk, oldest first; all have as many values as there are channels. */
  readonly onReadings: (readings: readonly LineReading[]) => void;
}

export interface LinesDialect {
  push(bytes: Uint8Array, at: number): void;
  readonly stats: LineStats;
  readonly channels: readonly Channel[] | null;
  /** Readings seen so far that could be counted for the majority. */
  readonly candidates: number;
  /**
   * Settles the channel count with fewer readings than usual (slow boards). Returns false when there are not even
   * `minimum` readings that agree.
   */
  settleNow(minimum: number): boolean;
  /** Forgets half a line; the next line is taken as partial again. Call after a reconnect. */
  restart(): void;
}

type ParsedLine =
  | { readonly kind: 'blank' }
  | { readonly kind: 'reading'; readonly values: Float32Array; readonly names: readonly string[] | null }
  | { readonly kind: 'text'; readonly text: string; readonly header: readonly string[] | null }
  | { readonly kind: 'malformed' };

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** What embedded `print(float)` writes when there is no number: numeric intent, no value. */
const NOT_A_VALUE = /^[+-]?(?:nan|inf|infinity|ovf)$/i;
const NAME = /^[\p{L}_][\p{L}\p{N} _.()/%°^²³-]*$/u;

/** Reads one line without its end. Exported for tests and for the import of captured logs. */
export function parseLine(line: string): ParsedLine {
  // Boards send BEL and other control characters between readings (seen with several cores after a reset).
  // eslint-disable-next-line no-control-regex
  const text = line.replace(/[\u0000-\u0008\u000b-\u001f\u007f\ufeff]/g, '').trim();
  if (text === '') return { kind: 'blank' };
  const fields = splitFields(text);
  if (fields.length > MAX_CHANNELS) return { kind: 'malformed' };
  const named = readNamed(text, fields);
  if (named) return named;
  if (fields.every((field) => NUMBER.test(field))) return reading(fields, null);
  if (fields.some((field) => NUMBER.test(field) || NOT_A_VALUE.test(field))) {
    // "Temperature 21.5 C" is a message; "1.2,nan,3" or "1.2,3.4x" is a broken reading.
    const numeric = fields.filter((field) => /^[+-]?[\d.]/.test(field) || NOT_A_VALUE.test(field)).length;
    if (numeric * 2 > fields.length) return { kind: 'malformed' };
  }
  return { kind: 'text', text: text.slice(0, MAX_TEXT_CHARACTERS), header: headerNames(fields) };
}

function splitFields(text: string): string[] {
  const fields = /[,;]/.test(text) ? text.split(/[,;]/) : text.includes('\t') ? text.split('\t') : text.split(/\s+/);
  const trimmed = fields.map((field) => field.trim());
  // "1,2,3," is common in hand-written sketches.
  if (trimmed.length > 1 && trimmed.at(-1) === '') trimmed.pop();
  return trimmed;
}

function readNamed(text: string, fields: readonly string[]): ParsedLine | null {
  if (!text.includes(':')) return null;
  const parts = /[,;\t]/.test(text) ? fields : text.replace(/:\s+/g, ':').split(/\s+/);
  const names: string[] = [];
  const values: string[] = [];
  for (const part of parts) {
    const colon = part.lastIndexOf(':');
    if (colon < 1) return null;
    const value = part.slice(colon + 1).trim();
    if (!NUMBER.test(value)) return null;
    names.push(part.slice(0, colon).trim().slice(0, MAX_NAME_CHARACTERS));
    values.push(value);
  }
  if (values.length === 0 || values.length > MAX_CHANNELS) return null;
  // "12:30:05" is a clock, not a channel called "12:30".
  if (!names.every((name) => NAME.test(name)) || new Set(names).size !== names.length) return null;
  return reading(values, names);
}

function reading(fields: readonly string[], names: readonly string[] | null): ParsedLine {
  const values = Float32Array.from(fields, Number);
  // "1e99" is a number in text and no float32.
  if (!values.every(Number.isFinite)) return { kind: 'malformed' };
  return { kind: 'reading', values, names };
}

function headerNames(fields: readonly string[]): readonly string[] | null {
  const fits = fields.every((field) => field.length <= MAX_NAME_CHARACTERS && NAME.test(field));
  return fits && new Set(fields).size === fields.length ? fields : null;
}

/** Units as a data forwarder guesses them: acceleration in m/s2, audio in "wav", anything else unknown. */
export function guessUnit(name: string): string {
  if (/^acc/i.test(name)) return 'm/s2';
  if (/audio/i.test(name)) return 'wav';
  return '';
}

/** Channels called "ch1", "ch2" ... for boards that name none. */
export function unnamedChannels(count: number): Channel[] {
  return Array.from({ length: count }, (_, i) => ({ name: `ch${i + 1}`, unit: '' }));
}

export function createLinesDialect(listener: LinesListener): LinesDialect {
  const decoder = new TextDecoder('utf-8');
  let pending = new Uint8Array(MAX_LINE_BYTES);
  let length = 0;
  let tooLong = false;
  let afterReturn = false;
  let firstLine = true;

  let lines = 0;
  let blank = 0;
  let text = 0;
  let malformed = 0;
  let lastText: string | null = null;

  let header: readonly string[] | null = null;
  let channels: readonly Channel[] | null = null;
  /** Readings held back until the channel count is settled. */
  let held: { readonly reading: LineReading; readonly names: readonly string[] | null }[] = [];
  /** Readings in a row, after settling, whose count is another one. */
  let strangers: typeof held = [];

  function takeLine(at: number, out: LineReading[]): void {
    const wasFirst = firstLine;
    firstLine = false;
    lines++;
    if (tooLong) {
      tooLong = false;
      length = 0;
      if (!wasFirst) malformed++;
      return;
    }
    const parsed = parseLine(decoder.decode(pending.subarray(0, length)));
    length = 0;
    // The first line is usually the tail of one; it can look like a whole reading with a wrong first value.
    if (wasFirst && parsed.kind !== 'text') {
      if (parsed.kind === 'blank') blank++;
      return;
    }
    switch (parsed.kind) {
      case 'blank':
        blank++;
        return;
      case 'text':
        lastText = parsed.text;
        header = parsed.header;
        // A header repeated by a board that restarted is no stray text.
        if (header && channels && header.length === channels.length) rename(header);
        else text++;
        return;
      case 'malformed':
        malformed++;
        return;
      case 'reading':
        takeReading({ values: parsed.values, at }, parsed.names, out);
        return;
    }
  }

  function takeReading(reading: LineReading, names: readonly string[] | null, out: LineReading[]): void {
    if (!channels) {
      held.push({ reading, names });
      if (held.length >= SETTLE_LINES) settle(1, out);
      return;
    }
    if (reading.values.length === channels.length) {
      strangers = [];
      if (names) rename(names);
      out.push(reading);
      return;
    }
    malformed++;
    if (strangers[0] && strangers[0].reading.values.length !== reading.values.length) strangers = [];
    strangers.push({ reading, names });
    if (strangers.length < RESETTLE_LINES) return;
    // What was emitted until here still has the old shape.
    if (out.length > 0) listener.onReadings(out.splice(0));
    held = strangers;
    strangers = [];
    channels = null;
    settle(1, out);
  }

  function settle(minimum: number, out: LineReading[]): boolean {
    const counts = new Map<number, number>();
    for (const { reading } of held) counts.set(reading.values.length, (counts.get(reading.values.length) ?? 0) + 1);
    let best = 0;
    let votes = 0;
    for (const [count, n] of counts) {
      if (n > votes) {
        best = count;
        votes = n;
      }
    }
    if (votes < minimum) return false;
    const agreed = held.filter(({ reading }) => reading.values.length === best);
    malformed += held.length - agreed.length;
    held = [];
    const names = agreed.find((item) => item.names)?.names ?? (header?.length === best ? header : null);
    if (names && names === header) text--;
    channels = names ? names.map((name) => ({ name, unit: guessUnit(name) })) : unnamedChannels(best);
    listener.onChannels(channels);
    out.push(...agreed.map((item) => item.reading));
    return true;
  }

  function rename(names: readonly string[]): void {
    if (!channels || names.every((name, i) => channels?.[i]?.name === name)) return;
    channels = names.map((name) => ({ name, unit: guessUnit(name) }));
    listener.onChannels(channels);
  }

  return {
    push(bytes, at) {
      const out: LineReading[] = [];
      for (const byte of bytes) {
        if (byte === 0x0a && afterReturn) {
          afterReturn = false;
          continue;
        }
        afterReturn = byte === 0x0d;
        if (byte === 0x0a || byte === 0x0d) takeLine(at, out);
        else if (length < MAX_LINE_BYTES) pending[length++] = byte;
        else tooLong = true;
      }
      if (out.length > 0) listener.onReadings(out);
    },
    get stats() {
      return { lines, blank, text, malformed, lastText };
    },
    get channels() {
      return channels;
    },
    get candidates() {
      return held.length;
    },
    settleNow(minimum) {
      if (channels) return true;
      const out: LineReading[] = [];
      if (!settle(minimum, out)) return false;
      if (out.length > 0) listener.onReadings(out);
      return true;
    },
    restart() {
      pending = new Uint8Array(MAX_LINE_BYTES);
      length = 0;
      tooLong = false;
      afterReturn = false;
      firstLine = true;
      header = null;
      held = [];
      strangers = [];
    },
  };
}
