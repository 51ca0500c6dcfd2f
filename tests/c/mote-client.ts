/** The host's side of the protocol, as plainly as docs/protocol.md says it: the second opinion beside src/board. */
import { crc32 } from '../../src/emit/crc32';
import { createFrameReader, encodeFrame, type Frame } from '../../src/board/mote-frames';
import { MESSAGE, PROTOCOL } from '../../src/board/wire';

export class Fault extends Error {
  constructor(
    readonly request: number,
    readonly code: number,
    readonly detail: number,
    message: string,
  ) {
    super(message);
  }
}

/** Little-endian fields read one after the other. */
export class Fields {
  #at = 0;
  readonly #view: DataView;
  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  #skip(count: number): number {
    this.#at += count;
    return this.#at - count;
  }
  u8 = (): number => this.#view.getUint8(this.#skip(1));
  u16 = (): number => this.#view.getUint16(this.#skip(2), true);
  i16 = (): number => this.#view.getInt16(this.#skip(2), true);
  u32 = (): number => this.#view.getUint32(this.#skip(4), true);
  i32 = (): number => this.#view.getInt32(this.#skip(4), true);
  f32 = (): number => this.#view.getFloat32(this.#skip(4), true);
  u64 = (): number => Number(this.#view.getBigUint64(this.#skip(8), true));
  text = (): string => {
    const length = this.u8();
    return new TextDecoder('utf-8', { fatal: true }).decode(this.bytes.subarray(this.#skip(length), this.#at));
  };
  rest = (): Uint8Array => this.bytes.subarray(this.#at);
}

/** A body of unsigned fields: `u8(1)`, `u32(7)`. */
export const u8 = (value: number): Uint8Array => Uint8Array.of(value);
export const u16 = (value: number): Uint8Array => Uint8Array.of(value & 255, value >> 8);
export const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export interface Result {
  readonly modelId: number;
  readonly sequence: number;
  readonly featureCrc: number;
  readonly dspUs: number;
  readonly networkUs: number;
  readonly best: number;
  readonly decision: number;
  readonly scores: number[];
}

export function resultOf(body: Uint8Array): Result {
  const f = new Fields(body);
  const [modelId, sequence, featureCrc, dspUs, networkUs] = [f.u32(), f.u32(), f.u32(), f.u32(), f.u32()];
  const [best, decision, count] = [f.u16(), f.u16(), f.u16()];
  return {
    modelId,
    sequence,
    featureCrc,
    dspUs,
    networkUs,
    best,
    decision,
    scores: [...new Int8Array(f.rest().slice(0, count))],
  };
}

/** Moves bytes to the board and gives back what it has to say by now. */
export type Exchange = (toBoard: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Exchanges without an answer before a request counts as lost. */
const PATIENCE = 2000;

export class MoteClient {
  /** Events not looked at yet, oldest first. */
  events: Frame[] = [];
  readonly reader = createFrameReader();
  #id = 0;
  constructor(readonly exchange: Exchange) {}

  async #take(bytes: Uint8Array): Promise<Frame[]> {
    const frames = this.reader.push(await this.exchange(bytes));
    const isEvent = ({ type }: Frame): boolean => type >= MESSAGE.samples && type < 0x60;
    this.events.push(...frames.filter(isEvent));
    return frames.filter((frame) => !isEvent(frame));
  }

  async idle(): Promise<void> {
    await this.#take(new Uint8Array());
  }

  /** Sends requests all at once and waits for all replies, in order. */
  async all(type: number, bodies: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const ids = bodies.map(() => (this.#id = (this.#id % 255) + 1));
    const replies: Uint8Array[] = [];
    let bytes = join(...bodies.map((body, i) => encodeFrame(type, ids[i] as number, body)));
    for (let round = 0; replies.length < bodies.length; round++) {
      if (round > PATIENCE) throw new Error(`No reply to request 0x${type.toString(16)}`);
      for (const frame of await this.#take(bytes)) {
        if (frame.id !== ids[replies.length]) throw new Error(`Reply out of order: id ${frame.id}`);
        if (frame.type === MESSAGE.error) {
          const f = new Fields(frame.body);
          throw new Fault(f.u8(), f.u8(), f.i32(), f.text());
        }
        if (frame.type !== (type | PROTOCOL.replyBit)) throw new Error(`Reply of another type: ${frame.type}`);
        replies.push(frame.body);
      }
      bytes = new Uint8Array();
    }
    return replies;
  }

  async request(type: number, ...fields: readonly Uint8Array[]): Promise<Fields> {
    const [reply] = await this.all(type, [join(...fields)]);
    return new Fields(reply as Uint8Array);
  }

  hello = (): Promise<Fields> => this.request(MESSAGE.hello, u8(1), u8(1));

  /** Writes a pack, `window` chunks at a time, and has it checked. */
  async put(slot: number, pack: Uint8Array, window = 8): Promise<{ readonly modelId: number; readonly ram: number }> {
    const begun = await this.request(MESSAGE.putBegin, u8(slot), u32(pack.length), u32(crc32(pack)));
    begun.u8();
    const chunk = begun.u16();
    const bodies: Uint8Array[] = [];
    for (let at = 0; at < pack.length; at += chunk) bodies.push(join(u32(at), pack.subarray(at, at + chunk)));
    for (let at = 0; at < bodies.length; at += window) {
      await this.all(MESSAGE.putChunk, bodies.slice(at, at + window));
    }
    const end = await this.request(MESSAGE.putEnd);
    end.u8();
    return { modelId: end.u32(), ram: end.u32() };
  }

  async read(slot: number, size: number, window = 8): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < size; at += 500 * window) {
      const bodies: Uint8Array[] = [];
      for (let i = 0; i < window && at + 500 * i < size; i++) bodies.push(join(u8(slot), u32(at + 500 * i), u16(500)));
      for (const reply of await this.all(MESSAGE.read, bodies)) parts.push(reply.subarray(5));
    }
    return join(...parts);
  }

  async selfTest(slot: number): Promise<{ passed: number; total: number; firstFailure: number; averageUs: number }> {
    const f = await this.request(MESSAGE.selfTest, u8(slot));
    f.u8();
    return { passed: f.u16(), total: f.u16(), firstFailure: f.u16(), averageUs: f.u32() };
  }

  async activate(slot: number): Promise<number> {
    const f = await this.request(MESSAGE.activate, u8(slot));
    f.u8();
    return f.u32();
  }

  async classify(slot: number, window: Float32Array): Promise<Result> {
    const begun = await this.request(MESSAGE.classifyBegin, u8(slot));
    begun.u8();
    const [size, chunk] = [begun.u32(), begun.u16()];
    const bytes = new Uint8Array(window.buffer, window.byteOffset, window.byteLength);
    if (size !== bytes.length) throw new Error(`The board wants ${size} bytes, the window has ${bytes.length}`);
    for (let at = 0; at < bytes.length; at += chunk) {
      await this.request(MESSAGE.classifyChunk, u32(at), bytes.subarray(at, at + chunk));
    }
    return resultOf((await this.request(MESSAGE.classifyEnd)).bytes);
  }
}
