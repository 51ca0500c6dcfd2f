/** What can be wrong with a file, and how large one may be. */

/**
 * - `empty`: no bytes, or nothing but blank lines.
 * - `too-large`: more bytes, channels or frames than the limits below.
 * - `unknown-format`: neither text nor anything known.
 * - `unsupported`: a known kind of file that the studio does not import (sound, images, archives).
 * - `malformed`: broken or cut off, or not structured as its format asks.
 * - `not-numbers`: a text file whose lines are not readings.
 * - `not-finite`: NaN, infinity, or a number beyond float32.
 * - `no-samples`: structured well, but without a single reading.
 * - `bad-rate`: an interval or rate that no sensor has.
 * - `duplicate`: the same measurement as another file of the same import.
 */
export type FormatErrorCode =
  | 'empty'
  | 'too-large'
  | 'unknown-format'
  | 'unsupported'
  | 'malformed'
  | 'not-numbers'
  | 'not-finite'
  | 'no-samples'
  | 'bad-rate'
  | 'duplicate';

export class FormatError extends Error {
  override readonly name = 'FormatError';
  constructor(
    readonly code: FormatErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const MOST_FILE_BYTES = 64 * 1024 * 1024;
export const MOST_CHANNELS = 64;
export const MOST_FRAMES = 20_000_000;
/** Hz. From one reading a month to well above any sensor of a microcontroller. */
export const LEAST_RATE_HZ = 1e-7;
export const MOST_RATE_HZ = 1e6;
/** Characters of a label or of a channel's name; the rest is cut off. */
export const MOST_NAME_LENGTH = 100;

/** What one file's bytes say. */
export interface ParsedFile {
  readonly format: 'csv' | 'edge-impulse-json' | 'edge-impulse-cbor';
  readonly channels: readonly { readonly name: string; readonly unit: string }[];
  readonly rateHz: number;
  readonly measuredRateHz: number | null;
  /** Frame-major, all finite. */
  readonly samples: Float32Array;
  /** From inside the file; undefined when the file says nothing of labels. */
  readonly label?: string | null;
  readonly segments: readonly { readonly label: string; readonly start: number; readonly end: number }[];
  readonly quality: {
    readonly lostFrames: number;
    readonly gaps: number;
    readonly jitterMs: number | null;
    readonly malformed: number;
  };
  /** Milliseconds since the epoch, or null. */
  readonly createdAt: number | null;
  readonly signature: SignatureState;
  readonly notes: readonly FormatNote[];
}

/** What was assumed or left out in reading a file: the user should know. */
export interface FormatNote {
  readonly code: FormatNoteCode;
  readonly message: string;
}

/**
 * - `rate-assumed`: no timestamps; the rate is a guess to be checked.
 * - `time-unit`: the unit of the times was told by their size.
 * - `uneven-times`: gaps, or times that do not rise.
 * - `malformed-lines`: lines that are not readings were left out.
 * - `columns-ignored`: columns that are neither numbers nor labels were left out.
 * - `labels-ignored`: labels of a kind or place that cannot be used.
 * - `signature`: the file's signature does not fit its bytes.
 * - `skipped`: a file that is no data (a read-me, a licence).
 */
export type FormatNoteCode =
  | 'rate-assumed'
  | 'time-unit'
  | 'uneven-times'
  | 'malformed-lines'
  | 'columns-ignored'
  | 'labels-ignored'
  | 'signature'
  | 'skipped';

/** Of an Edge Impulse file: checked only when a key is given. */
export type SignatureState = 'unsigned' | 'not checked' | 'valid' | 'invalid';

/** Throws unless `rateHz` is a rate. */
export function checkRate(rateHz: number): number {
  if (!(rateHz >= LEAST_RATE_HZ && rateHz <= MOST_RATE_HZ)) {
    throw new FormatError('bad-rate', `A rate of ${rateHz} Hz cannot be right: 1 reading a month to 1 MHz.`);
  }
  return rateHz;
}

/** Text that is to become a label or name: one line, no control characters, not too long. */
export function cleanName(text: string): string {
  return Array.from(text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim())
    .slice(0, MOST_NAME_LENGTH)
    .join('')
    .trim();
}

/** Channel names made fit: cleaned, none empty, none twice. */
export function uniqueNames(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.map((name, i) => {
    const wanted = cleanName(name) || `ch${i + 1}`;
    let free = wanted;
    for (let n = 2; seen.has(free); n++) free = `${wanted}_${n}`;
    seen.add(free);
    return free;
  });
}
