/**
 * Edge Impulse's data acquisition object, as JSON or CBOR: keys in any order, whole and broken numbers mixed, arrays of
 * known or unknown length, large samples as raw bytes behind the object.
 */
import { decodeFirst } from 'cborg';
import * as v from 'valibot';
import { hmacSha256, toHex } from '../signal/sha256';
import {
  checkRate,
  FormatError,
  MOST_CHANNELS,
  MOST_FRAMES,
  uniqueNames,
  type FormatNote,
  type ParsedFile,
  type SignatureState,
} from './format-error';

export interface AcquisitionOptions {
  /** Text of the HMAC key, to check signatures with. */
  readonly hmacKey?: string | undefined;
}

const NUMBER = v.union([v.number(), v.pipe(v.bigint(), v.transform(Number))]);
/** Not every array element is looked at here: there may be millions of values, which `readValues` checks. */
const ARRAY = v.custom<readonly unknown[]>((input) => Array.isArray(input), 'a list is expected');

const ACQUISITION = v.object({
  protected: v.optional(v.object({ alg: v.optional(v.string()), iat: v.optional(v.nullable(NUMBER)) })),
  signature: v.optional(v.nullable(v.string())),
  payload: v.object({
    interval_ms: NUMBER,
    sensors: v.pipe(
      v.array(v.object({ name: v.string(), units: v.optional(v.nullable(v.string())) })),
      v.minLength(1, 'at least one sensor is expected'),
      v.maxLength(MOST_CHANNELS, `at most ${MOST_CHANNELS} sensors are expected`),
    ),
    values: ARRAY,
  }),
});

/** Whether decoded JSON or CBOR claims to be an acquisition object. */
export function isAcquisition(decoded: unknown): boolean {
  return typeof decoded === 'object' && decoded !== null && 'payload' in decoded;
}

/** Reads an acquisition object from decoded JSON. Throws FormatError. */
export function parseAcquisitionJson(
  decoded: unknown,
  bytes: Uint8Array,
  options: AcquisitionOptions = {},
): ParsedFile {
  return readAcquisition(decoded, new Uint8Array(0), bytes, 'edge-impulse-json', options);
}

/** Reads an acquisition object from CBOR bytes. Throws FormatError. */
export function parseAcquisitionCbor(bytes: Uint8Array, options: AcquisitionOptions = {}): ParsedFile {
  let decoded: unknown;
  let rest: Uint8Array;
  try {
    // Tag 55799 only says "this is CBOR" (RFC 8949, 3.4.6).
    [decoded, rest] = decodeFirst(bytes, { tags: { 55799: (decode) => decode() } }) as [unknown, Uint8Array];
  } catch (error) {
    throw new FormatError('malformed', 'The CBOR data is broken or cut off.', { cause: error });
  }
  return readAcquisition(decoded, rest, bytes, 'edge-impulse-cbor', options);
}

function readAcquisition(
  decoded: unknown,
  trailer: Uint8Array,
  bytes: Uint8Array,
  format: 'edge-impulse-json' | 'edge-impulse-cbor',
  { hmacKey }: AcquisitionOptions,
): ParsedFile {
  const parsed = v.safeParse(ACQUISITION, decoded);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const where = v.getDotPath(issue) ?? 'the top level';
    throw new FormatError('malformed', `Not a data acquisition object: at ${where}, ${issue.message}.`);
  }
  const { payload, signature: signatureText } = parsed.output;
  const { alg, iat } = parsed.output.protected ?? {};
  const rateHz = checkRate(1000 / payload.interval_ms);
  const names = uniqueNames(payload.sensors.map(({ name }) => name));
  const channels = payload.sensors.map(({ units }, i) => ({
    name: names[i]!,
    unit: units === undefined || units === null || units === 'N/A' ? '' : units.slice(0, 16),
  }));
  const samples = readValues(payload.values, channels.length, trailer);
  const signature = checkSignature(alg, signatureText ?? '', bytes, hmacKey);
  const notes: FormatNote[] =
    signature === 'invalid'
      ? [{ code: 'signature', message: 'The signature does not fit: the file was changed, or the key is another.' }]
      : [];
  const createdAt = typeof iat === 'number' && iat > 0 && iat < 1e11 ? Math.round(iat * 1000) : null;
  return {
    format,
    channels,
    rateHz,
    measuredRateHz: null,
    samples,
    segments: [],
    quality: { lostFrames: 0, gaps: 0, jitterMs: null, malformed: 0 },
    createdAt,
    signature,
    notes,
  };
}

function readValues(values: readonly unknown[], channels: number, trailer: Uint8Array): Float32Array {
  const [first] = values;
  if (typeof first === 'string') return readBinary(first, trailer, channels);
  if (values.length === 0) throw new FormatError('no-samples', 'The file has no readings.');
  // One sensor may have a flat list of numbers.
  const flat = channels === 1 && !Array.isArray(first);
  if (values.length > MOST_FRAMES)
    throw new FormatError('too-large', `More than ${MOST_FRAMES} readings. Split the file.`);
  const samples = new Float32Array(values.length * channels);
  for (let frame = 0; frame < values.length; frame++) {
    const row = values[frame];
    if (flat) {
      samples[frame] = finite(row, frame);
      continue;
    }
    if (!Array.isArray(row) || row.length !== channels) {
      throw new FormatError('malformed', `Reading ${frame + 1} is not a list of ${channels} numbers.`);
    }
    for (let channel = 0; channel < channels; channel++)
      samples[frame * channels + channel] = finite(row[channel], frame);
  }
  return samples;
}

function finite(value: unknown, frame: number): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number')
    throw new FormatError('malformed', `Reading ${frame + 1} holds something that is no number.`);
  if (!Number.isFinite(Math.fround(number))) {
    throw new FormatError('not-finite', `Reading ${frame + 1} holds ${number}, which cannot be learned from.`);
  }
  return number;
}

const READERS: Readonly<Record<string, { bytes: number; read: (view: DataView, at: number) => number }>> = {
  i8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  u8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  i16: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  u16: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  i32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  u32: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  f32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  f64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** `values: ["Ref-BINARY-i16"]`: little-endian numbers behind the object, interleaved. */
function readBinary(reference: string, trailer: Uint8Array, channels: number): Float32Array {
  const kind = /^ref-binary-([iuf]\d+)$/i.exec(reference)?.[1]?.toLowerCase() ?? '';
  const reader = Object.hasOwn(READERS, kind) ? READERS[kind]! : null;
  if (!reader) throw new FormatError('unsupported', `Readings of the kind “${reference.slice(0, 40)}” are not known.`);
  const frameBytes = reader.bytes * channels;
  const frames = Math.floor(trailer.length / frameBytes);
  if (trailer.length === 0) throw new FormatError('no-samples', 'The readings behind the header are missing.');
  if (frames * frameBytes !== trailer.length) {
    throw new FormatError('malformed', `The readings are cut off: ${trailer.length} bytes are not whole readings.`);
  }
  if (frames > MOST_FRAMES) throw new FormatError('too-large', `More than ${MOST_FRAMES} readings. Split the file.`);
  const view = new DataView(trailer.buffer, trailer.byteOffset, trailer.byteLength);
  const samples = new Float32Array(frames * channels);
  for (let i = 0; i < samples.length; i++) {
    samples[i] = finite(reader.read(view, i * reader.bytes), Math.floor(i / channels));
  }
  return samples;
}

const SIGNATURE_LENGTH = 64;

/** The signature is an HMAC-SHA256 over the file's bytes with 64 zeros in the signature's place. */
function checkSignature(
  algorithm: string | undefined,
  signature: string,
  bytes: Uint8Array,
  hmacKey: string | undefined,
): SignatureState {
  if (algorithm === undefined || algorithm === 'none' || /^0*$/.test(signature)) return 'unsigned';
  if (hmacKey === undefined) return 'not checked';
  if (algorithm !== 'HS256' || !/^[0-9a-f]{64}$/i.test(signature)) return 'invalid';
  const text = new TextEncoder().encode(signature);
  const at = indexOf(bytes, text);
  if (at < 0) return 'invalid';
  const unsigned = bytes.slice();
  unsigned.fill(0x30, at, at + SIGNATURE_LENGTH);
  const expected = toHex(hmacSha256(new TextEncoder().encode(hmacKey), unsigned));
  return expected === signature.toLowerCase() ? 'valid' : 'invalid';
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = bytes.indexOf(wanted[0]!); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
