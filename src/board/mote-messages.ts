/**
 * Bodies of the `mote` dialect's frames (docs/protocol.md), read from untrusted bytes. Every field is checked before
 * it is used; what does not fit is a BoardError `garbage`. Bytes behind the known fields are ignored on purpose.
 */
import type { Channel } from '../signal/recording';
import { BoardError } from './board';
import type { BoardErrorCode, BoardResult, SelfTestReport } from './board';
import { FAULT, FEATURE, PROTOCOL, SLOT_FLAG, SLOT_STATE } from './wire';

const MAX_SLOTS = 8;
const MAX_WINDOW = 64;

/** Reads fields one after the other, little endian. */
class BodyReader {
  private at = 0;
  private readonly view: DataView;
  constructor(
    private readonly body: Uint8Array,
    private readonly what: string,
  ) {
    this.view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  }
  private take(bytes: number): number {
    const at = this.at;
    if (at + bytes > this.body.length) throw this.bad('is too short');
    this.at = at + bytes;
    return at;
  }
  bad(why: string): BoardError {
    return new BoardError(
      'garbage',
      `The board's answer (${this.what}) ${why}. Its firmware may be of another version.`,
    );
  }
  u8(): number {
    return this.view.getUint8(this.take(1));
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }
  f32(): number {
    return this.view.getFloat32(this.take(4), true);
  }
  /** Exact up to 2^53: 285 years of microseconds. */
  u64(): number {
    const low = this.u32();
    return this.u32() * 0x100000000 + low;
  }
  text(): string {
    const length = this.u8();
    return cleanText(this.bytes(length));
  }
  bytes(length: number): Uint8Array {
    const at = this.take(length);
    return this.body.subarray(at, at + length);
  }
  rest(): Uint8Array {
    return this.body.subarray(this.at);
  }
}

/** Untrusted UTF-8 without control characters. */
function cleanText(bytes: Uint8Array): string {
  // eslint-disable-next-line no-control-regex
  return new TextDecoder().decode(bytes).replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
}

export interface HelloReply {
  readonly version: number;
  readonly maxBody: number;
  readonly window: number;
  readonly channels: number;
  readonly slots: number;
  readonly activeSlot: number | null;
  readonly slotCapacity: number;
  readonly modelRam: number;
  readonly rateHz: number;
  readonly ratesHz: readonly number[];
  readonly name: string;
  readonly firmware: string;
  /** Empty when the chip has none. */
  readonly serial: string;
  /** The board can tell the CRCs of what lies in its slots (`DIGEST`). */
  readonly digests: boolean;
  /** Chunks of a pack need not wait for the reply to `PUT_BEGIN`. */
  readonly chunksAtOnce: boolean;
}

export function readHello(body: Uint8Array): HelloReply {
  const r = new BodyReader(body, 'hello');
  const version = r.u8();
  const maxBody = r.u16();
  const window = r.u8();
  const channels = r.u8();
  const slots = r.u8();
  const active = r.u8();
  const slotCapacity = r.u32();
  const modelRam = r.u32();
  const rate = r.u32();
  const rateCount = r.u8();
  if (version < PROTOCOL.versionMin || version > PROTOCOL.versionMax) throw r.bad(`speaks version ${version}`);
  if (maxBody < PROTOCOL.bodyMin || maxBody > PROTOCOL.bodyMax) throw r.bad(`gives ${maxBody} as longest body`);
  if (window < 1 || window > MAX_WINDOW) throw r.bad(`gives ${window} as window`);
  if (channels < 1 || channels > PROTOCOL.channelsMax) throw r.bad(`tells of ${channels} channels`);
  if (slots > MAX_SLOTS) throw r.bad(`tells of ${slots} slots`);
  if (active !== PROTOCOL.slotNone && active >= slots) throw r.bad(`calls slot ${active} active`);
  if (rateCount < 1 || rateCount > PROTOCOL.ratesMax) throw r.bad(`offers ${rateCount} rates`);
  const ratesHz = Array.from({ length: rateCount }, () => r.u32() / 1000);
  if (rate === 0 || ratesHz.includes(0)) throw r.bad('has a rate of zero');
  const names = { name: r.text() || 'Board', firmware: r.text(), serial: r.text() };
  // Boards with firmware from before there were features end here.
  const features = r.rest()[0] ?? 0;
  return {
    version,
    maxBody,
    window,
    channels,
    slots,
    activeSlot: active === PROTOCOL.slotNone ? null : active,
    slotCapacity,
    modelRam,
    rateHz: rate / 1000,
    ratesHz,
    ...names,
    digests: (features & FEATURE.digest) !== 0,
    chunksAtOnce: (features & FEATURE.chunksAtOnce) !== 0,
  };
}

export interface ScaledChannel extends Channel {
  /** A sample is `fround(int16 * scale)`. */
  readonly scale: number;
}

export interface ChannelsReply {
  readonly total: number;
  readonly first: number;
  readonly channels: readonly ScaledChannel[];
}

export function readChannels(body: Uint8Array): ChannelsReply {
  const r = new BodyReader(body, 'channels');
  const total = r.u8();
  const first = r.u8();
  const count = r.u8();
  if (total < 1 || total > PROTOCOL.channelsMax || first + count > total) throw r.bad('has impossible counts');
  const channels = Array.from({ length: count }, () => {
    const name = r.text();
    const unit = r.text();
    const scale = r.f32();
    if (!Number.isFinite(scale) || scale === 0) throw r.bad('has a scale that is no number');
    return { name, unit, scale };
  });
  return { total, first, channels };
}

export interface SlotReply {
  readonly slot: number;
  readonly state: 'empty' | 'valid' | 'corrupt';
  readonly active: boolean;
  readonly capacity: number;
  readonly packBytes: number;
  readonly modelId: number;
  readonly ramBytes: number;
  /** Rate that the model wants its samples at. */
  readonly rateHz: number;
  readonly channels: number;
  readonly windowFrames: number;
  readonly strideFrames: number;
  readonly labelCount: number;
  readonly firstLabel: number;
  readonly name: string;
  readonly labels: readonly string[];
}

export function readSlot(body: Uint8Array): SlotReply {
  const r = new BodyReader(body, 'slot');
  const slot = r.u8();
  const stateCode = r.u8();
  const state =
    stateCode === SLOT_STATE.valid ? 'valid' : stateCode === SLOT_STATE.empty ? 'empty' : ('corrupt' as const);
  const active = (r.u8() & SLOT_FLAG.active) !== 0;
  const capacity = r.u32();
  const packBytes = r.u32();
  const modelId = r.u32();
  const ramBytes = r.u32();
  const rateHz = r.u32() / 1000;
  const channels = r.u8();
  const windowFrames = r.u32();
  const strideFrames = r.u32();
  const labelCount = r.u16();
  const firstLabel = r.u16();
  const labelsHere = r.u8();
  if (firstLabel + labelsHere > labelCount) throw r.bad('has impossible counts');
  if (packBytes > capacity) throw r.bad('holds more than fits');
  const name = r.text();
  const labels = Array.from({ length: labelsHere }, () => r.text());
  return {
    slot,
    state,
    active,
    capacity,
    packBytes,
    modelId,
    ramBytes,
    rateHz,
    channels,
    windowFrames,
    strideFrames,
    labelCount,
    firstLabel,
    name,
    labels,
  };
}

export interface SamplesEvent {
  readonly sequence: number;
  readonly boardTimeUs: number;
  readonly frames: number;
  /** `frames * channels` little-endian int16, as bytes. */
  readonly bytes: Uint8Array;
}

export function readSamples(body: Uint8Array, channels: number): SamplesEvent {
  const r = new BodyReader(body, 'samples');
  const sequence = r.u32();
  const boardTimeUs = r.u64();
  const frames = r.u16();
  if (frames < 1) throw r.bad('has no frames');
  return { sequence, boardTimeUs, frames, bytes: r.bytes(2 * frames * channels) };
}

export function readResult(body: Uint8Array): BoardResult {
  const r = new BodyReader(body, 'result');
  const modelId = r.u32();
  const sequence = r.u32();
  const featureCrc = r.u32();
  const dspUs = r.u32();
  const networkUs = r.u32();
  const best = r.u16();
  const decided = r.u16();
  const count = r.u16();
  if (count < 1 || best >= count) throw r.bad('has impossible scores');
  const decision = decided === PROTOCOL.labelNone ? null : decided;
  if (decision !== null && decision >= count) throw r.bad('decides for a label that there is not');
  return { modelId, sequence, featureCrc, dspUs, networkUs, decision, scores: new Int8Array(r.bytes(count)) };
}

export function readSelfTest(body: Uint8Array): SelfTestReport {
  const r = new BodyReader(body, 'self-test');
  r.u8();
  const passed = r.u16();
  const total = r.u16();
  const first = r.u16();
  const averageUs = r.u32();
  if (passed > total) throw r.bad('passes more windows than there are');
  return { passed, total, firstFailure: first === PROTOCOL.windowNone ? null : first, averageUs };
}

export function readSelfTestProgress(body: Uint8Array): { readonly done: number; readonly total: number } {
  const r = new BodyReader(body, 'self-test progress');
  return { done: r.u16(), total: r.u16() };
}

export function readStream(body: Uint8Array): { readonly rateHz: number; readonly sequence: number } {
  const r = new BodyReader(body, 'stream');
  return { rateHz: r.u32() / 1000, sequence: r.u32() };
}

export function readRun(body: Uint8Array): {
  readonly modelId: number;
  readonly rateHz: number;
  readonly sequence: number;
} {
  const r = new BodyReader(body, 'run');
  return { modelId: r.u32(), rateHz: r.u32() / 1000, sequence: r.u32() };
}

export function readPutBegin(body: Uint8Array): { readonly slot: number; readonly chunk: number } {
  const r = new BodyReader(body, 'put');
  const slot = r.u8();
  const chunk = r.u16();
  if (chunk < 1) throw r.bad('takes no bytes');
  return { slot, chunk };
}

export function readClassifyBegin(body: Uint8Array): {
  readonly slot: number;
  readonly size: number;
  readonly chunk: number;
} {
  const r = new BodyReader(body, 'classify');
  const slot = r.u8();
  const size = r.u32();
  const chunk = r.u16();
  if (chunk < 1) throw r.bad('takes no bytes');
  return { slot, size, chunk };
}

export function readNext(body: Uint8Array): number {
  return new BodyReader(body, 'chunk').u32();
}

export function readPutEnd(body: Uint8Array): {
  readonly slot: number;
  readonly modelId: number;
  readonly ramBytes: number;
} {
  const r = new BodyReader(body, 'put end');
  return { slot: r.u8(), modelId: r.u32(), ramBytes: r.u32() };
}

export function readRead(body: Uint8Array): {
  readonly slot: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
} {
  const r = new BodyReader(body, 'read');
  return { slot: r.u8(), offset: r.u32(), bytes: r.rest() };
}

/** CRC-32 of consecutive pieces of a pack from `offset` on, as the board read them from its storage. */
export function readDigest(body: Uint8Array): {
  readonly slot: number;
  readonly offset: number;
  readonly crcs: readonly number[];
} {
  const r = new BodyReader(body, 'digest');
  const slot = r.u8();
  const offset = r.u32();
  const count = r.u8();
  return { slot, offset, crcs: Array.from({ length: count }, () => r.u32()) };
}

export function readActivate(body: Uint8Array): { readonly slot: number; readonly modelId: number } {
  const r = new BodyReader(body, 'activate');
  return { slot: r.u8(), modelId: r.u32() };
}

/** An `ERROR` reply. `fault` is the protocol's code, `detail` depends on it. */
export interface FaultReply {
  readonly request: number;
  readonly fault: number;
  readonly detail: number;
  readonly text: string;
}

export function readFault(body: Uint8Array): FaultReply {
  const r = new BodyReader(body, 'error');
  const request = r.u8();
  const fault = r.u8();
  const detail = r.i32();
  return { request, fault, detail, text: cleanText(r.rest()).slice(0, 200) };
}

/** What the board refused, as an error for people. */
export function faultError(reply: FaultReply): BoardError {
  const [code, message] = describeFault(reply);
  // What the board says about a put that it forgot explains nothing to people.
  const quoted = reply.text !== '' && code !== 'board-reset';
  return new BoardError(code, quoted ? `${message} The board says: “${reply.text}”` : message, { cause: reply });
}

function describeFault({ fault, detail }: FaultReply): readonly [BoardErrorCode, string] {
  switch (fault) {
    case FAULT.notSupported:
      return ['not-supported', 'This board’s firmware cannot do that. Update its firmware and try again.'];
    case FAULT.badVersion: {
      const min = (detail >> 8) & 0xff;
      const max = detail & 0xff;
      return min > PROTOCOL.versionMax
        ? ['not-supported', `The board’s firmware is newer than this studio (protocol ${min}). Update the studio.`]
        : ['firmware-too-old', `The board’s firmware is too old (protocol ${max}). Write the current firmware to it.`];
    }
    case FAULT.busy:
      return ['busy', 'The board is busy with something else. Wait until it is done and try again.'];
    case FAULT.refused:
      return ['refused', 'The board refused, to protect the model that it is running. Nothing was changed.'];
    case FAULT.tooBig:
      return [
        'model-too-big',
        `The model does not fit the board (it names ${detail >>> 0} bytes). Make the window shorter or the network smaller.`,
      ];
    case FAULT.crcMismatch:
      return [
        'verify-mismatch',
        'The board received other bytes than were sent. The old model still runs. Try again, with a shorter cable or without a hub.',
      ];
    case FAULT.badPack:
      return [
        'model-rejected',
        `The board’s firmware cannot run this model (loader error ${detail}). The old model still runs. Update the firmware.`,
      ];
    case FAULT.storage:
      return [
        'slot-corrupt',
        `The board could not write to its storage (driver error ${detail}). The old model still runs. Try again; the flash may be worn out.`,
      ];
    case FAULT.noModel:
      return ['no-model', 'There is no model in this slot of the board. Deploy one first.'];
    case FAULT.channelMismatch:
      return [
        'model-rejected',
        `The model wants ${detail} channels, and the board has another number. Train with data from this board.`,
      ];
    case FAULT.notBegun:
      // The dialect never ends or goes on with what it has not begun: the board forgot it.
      return [
        'board-reset',
        'The board started anew in the middle of this (reset button, loose cable, or too little power). The old model still runs. Try again; use another cable or a port that gives more power if it happens again.',
      ];
    case FAULT.badRequest:
    case FAULT.badArgument:
    default:
      return ['refused', `The board did not accept the request (fault ${fault}). Reconnect and try again.`];
  }
}

/** Writes the fields of a request's body, little endian. */
export function bodyOf(...fields: readonly (readonly ['u8' | 'u16' | 'u32', number] | Uint8Array)[]): Uint8Array {
  const size = fields.reduce(
    (sum, field) => sum + (field instanceof Uint8Array ? field.length : FIELD_BYTES[field[0]]),
    0,
  );
  const body = new Uint8Array(size);
  const view = new DataView(body.buffer);
  let at = 0;
  for (const field of fields) {
    if (field instanceof Uint8Array) {
      body.set(field, at);
      at += field.length;
      continue;
    }
    const [kind, value] = field;
    if (kind === 'u8') view.setUint8(at, value);
    else if (kind === 'u16') view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += FIELD_BYTES[kind];
  }
  return body;
}

const FIELD_BYTES = { u8: 1, u16: 2, u32: 4 } as const;
