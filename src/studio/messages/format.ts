/**
 * Numbers as people read them, always with their unit. A no-break space stands between number and unit.
 * KB and MB are powers of 1024, as flash and RAM sizes are given.
 */
const NBSP = '\u00a0';
const DASH = '\u2013';
/** As wide as a plus, so that figures stand in columns; a hyphen is shorter and lower. */
const MINUS = '\u2212';

const cache = new Map<string, Intl.NumberFormat>();
let locale: string | undefined;

/** Language of numbers and plurals; undefined follows the browser. */
export function setNumberLocale(language: string | undefined): void {
  locale = language;
  cache.clear();
}

function formatter(minimum: number, maximum: number, grouping = true): Intl.NumberFormat {
  const key = `${minimum}/${maximum}/${grouping}`;
  let found = cache.get(key);
  if (!found) {
    found = new Intl.NumberFormat(locale, {
      minimumFractionDigits: minimum,
      maximumFractionDigits: maximum,
      useGrouping: grouping,
    });
    cache.set(key, found);
  }
  return found;
}

function plain(value: number, minimum: number, maximum: number): string {
  if (!Number.isFinite(value)) return DASH;
  // What rounds to zero has no sign: Intl writes "-0", which nobody measures.
  const shown = Number(value.toFixed(maximum)) === 0 ? 0 : value;
  return formatter(minimum, maximum).format(shown).replace('-', MINUS);
}

function withUnit(value: number, minimum: number, maximum: number, unit: string): string {
  return Number.isFinite(value) ? `${plain(value, minimum, maximum)}${NBSP}${unit}` : DASH;
}

export const format = {
  /** "1,204" */
  int: (value: number): string => plain(value, 0, 0),
  /** At most three decimals: "0.125". */
  number: (value: number): string => plain(value, 0, 3),
  /** A fixed number of decimals, for columns that must not jump. */
  fixed: (value: number, decimals: number): string => plain(value, decimals, decimals),
  /** 0.971 -> "97.1 %" */
  percent: (share: number): string => withUnit(share * 100, 1, 1, '%'),
  /** 0.971 -> "97 %" */
  percent0: (share: number): string => withUnit(share * 100, 0, 0, '%'),
  /** 62.5 -> "62.5 Hz"; then "16 kHz", "120 MHz". */
  hz: (hertz: number): string => {
    if (Math.abs(hertz) >= 10_000_000) return withUnit(hertz / 1e6, 0, 2, 'MHz');
    return Math.abs(hertz) >= 10_000 ? withUnit(hertz / 1000, 0, 2, 'kHz') : withUnit(hertz, 0, 2, 'Hz');
  },
  /** Milliseconds; "0.42 ms", "12.3 ms", "480 ms", "2.4 s". */
  ms: (milliseconds: number): string => {
    const size = Math.abs(milliseconds);
    if (size >= 10_000) return withUnit(milliseconds / 1000, 1, 1, 's');
    if (size >= 1000) return withUnit(milliseconds / 1000, 2, 2, 's');
    if (size >= 100) return withUnit(milliseconds, 0, 0, 'ms');
    return size >= 10 ? withUnit(milliseconds, 1, 1, 'ms') : withUnit(milliseconds, 0, 2, 'ms');
  },
  /** Microseconds, shown in ms from 1000 on. */
  us: (microseconds: number): string =>
    Math.abs(microseconds) >= 1000 ? withUnit(microseconds / 1000, 2, 2, 'ms') : withUnit(microseconds, 0, 0, 'µs'),
  /** Seconds: "2.0 s"; from a minute on "1:05 min". */
  seconds: (seconds: number): string => {
    if (!Number.isFinite(seconds)) return DASH;
    if (seconds < 60) return withUnit(seconds, 1, 1, 's');
    const whole = Math.round(seconds);
    if (whole < 3600) return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}${NBSP}min`;
    const minutes = Math.floor(whole / 60);
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}${NBSP}h`;
  },
  /** 14541 -> "14.2 KB" */
  bytes: (bytes: number): string => {
    const size = Math.abs(bytes);
    if (size < 1024) return withUnit(bytes, 0, 0, 'B');
    if (size < 1024 * 1024) return withUnit(bytes / 1024, 1, 1, 'KB');
    return withUnit(bytes / 1024 / 1024, 1, 1, 'MB');
  },
  /** 0x1a2b -> "00001a2b", as model ids are written. */
  hex32: (value: number): string => (value >>> 0).toString(16).padStart(8, '0'),
  /** "24 Nov"; with the year when it is not this one. */
  dayMonth: (epochMs: number): string =>
    new Intl.DateTimeFormat(locale, {
      day: 'numeric',
      month: 'short',
      ...(new Date(epochMs).getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' }),
    }).format(epochMs),
  /** "24 Nov, 14:05" in the reader's language. */
  dateTime: (epochMs: number): string =>
    new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(epochMs),
} as const;

/** Formats that a message may ask for: `{rate:hz}`. */
export type FormatName = Exclude<keyof typeof format, 'fixed'>;

/** "2026-11-24T14:05:09.120Z": for names and receipts, the same in every language. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** SenML-style unit as it is printed: "m/s2" -> "m/s²", "deg/s" -> "°/s", "Cel" -> "°C". */
export function unitText(unit: string): string {
  return unit
    .replace(/\^?([23])$/, (_, power: string) => (power === '2' ? '²' : '³'))
    .replace(/^deg\b/, '°')
    .replace(/^Cel$/, '°C');
}
