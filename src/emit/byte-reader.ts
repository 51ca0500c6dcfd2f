/** Little-endian reading with bounds: every step beyond the end throws EmitError `pack-truncated`. */
import { EmitError } from './model';

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #at = 0;

  /** `what` names the part in error messages. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  #advance(count: number): number {
    if (count > this.remaining) {
      throw new EmitError('pack-truncated', `The ${this.#what} of this pack ends too early.`);
    }
    const at = this.#at;
    this.#at += count;
    return at;
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  f32(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    const at = this.#advance(count);
    // Not slice: that of Node's Buffer copies nothing.
    return new Uint8Array(this.#bytes.subarray(at, at + count));
  }

  i8Array(count: number): Int8Array {
    return new Int8Array(this.bytes(count).buffer);
  }

  // The four below claim all bytes before allocating, so that a hostile count cannot exhaust memory.
  u32Array(count: number): Uint32Array {
    const at = this.#advance(4 * count);
    return Uint32Array.from({ length: count }, (_, i) => this.#view.getUint32(at + 4 * i, true));
  }

  i32Array(count: number): Int32Array {
    const at = this.#advance(4 * count);
    return Int32Array.from({ length: count }, (_, i) => this.#view.getInt32(at + 4 * i, true));
  }

  i16Array(count: number): Int16Array {
    const at = this.#advance(2 * count);
    return Int16Array.from({ length: count }, (_, i) => this.#view.getInt16(at + 2 * i, true));
  }

  f32Array(count: number): Float32Array {
    const at = this.#advance(4 * count);
    return Float32Array.from({ length: count }, (_, i) => this.#view.getFloat32(at + 4 * i, true));
  }

  /** Bytes up to and without the next zero byte, which is skipped. */
  untilZero(): Uint8Array<ArrayBuffer> {
    const end = this.#bytes.indexOf(0, this.#at);
    const bytes = this.bytes((end < 0 ? this.#bytes.length + 1 : end) - this.#at);
    this.#at += 1;
    return bytes;
  }

  /** Skips to the next multiple of 4 from the start of the part. */
  align(): void {
    this.#advance(-this.#at & 3);
  }
}
