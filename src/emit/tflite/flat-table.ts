/**
 * FlatBuffers, read with suspicion: every offset is checked before it is followed, every vector before it is sized.
 * Format: the FlatBuffers internals documentation (tables, vtables, vectors, strings).
 */
import { TfliteError } from './tflite-error';

function corrupt(): never {
  throw new TfliteError('corrupt', 'This .tflite file is damaged: parts of it point outside the file. Get it again.');
}

/** The bytes of a file and checked reads from them. */
export class FlatFile {
  readonly #view: DataView;
  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  require(at: number, size: number): void {
    if (at < 0 || size < 0 || at + size > this.bytes.length) corrupt();
  }

  u8(at: number): number {
    this.require(at, 1);
    return this.#view.getUint8(at);
  }

  i8(at: number): number {
    this.require(at, 1);
    return this.#view.getInt8(at);
  }

  u16(at: number): number {
    this.require(at, 2);
    return this.#view.getUint16(at, true);
  }

  i32(at: number): number {
    this.require(at, 4);
    return this.#view.getInt32(at, true);
  }

  u32(at: number): number {
    this.require(at, 4);
    return this.#view.getUint32(at, true);
  }

  f32(at: number): number {
    this.require(at, 4);
    return this.#view.getFloat32(at, true);
  }

  /** A 64-bit integer; NaN when a double cannot hold it. */
  i64(at: number): number {
    this.require(at, 8);
    const value = Number(this.#view.getBigInt64(at, true));
    return Number.isSafeInteger(value) ? value : NaN;
  }

  root(): FlatTable {
    return new FlatTable(this, this.u32(0));
  }
}

/** A vector: `count` elements of `size` bytes from `start`; all of it lies in the file. */
export interface FlatVector {
  readonly start: number;
  readonly count: number;
}

/** One table; slots are indices of the schema's fields. */
export class FlatTable {
  readonly #vtable: number;
  readonly #slots: number;

  constructor(
    private readonly file: FlatFile,
    private readonly at: number,
  ) {
    this.#vtable = at - file.i32(at);
    const bytes = file.u16(this.#vtable);
    if (bytes < 4) corrupt();
    file.require(this.#vtable, bytes);
    this.#slots = (bytes - 4) >> 1;
  }

  /** Place of a field, or null where the table leaves it at its default. */
  #field(slot: number): number | null {
    if (slot >= this.#slots) return null;
    const offset = this.file.u16(this.#vtable + 4 + 2 * slot);
    return offset === 0 ? null : this.at + offset;
  }

  has(slot: number): boolean {
    return this.#field(slot) !== null;
  }

  i8(slot: number, fallback = 0): number {
    const at = this.#field(slot);
    return at === null ? fallback : this.file.i8(at);
  }

  u8(slot: number, fallback = 0): number {
    const at = this.#field(slot);
    return at === null ? fallback : this.file.u8(at);
  }

  bool(slot: number): boolean {
    return this.u8(slot) !== 0;
  }

  i32(slot: number, fallback = 0): number {
    const at = this.#field(slot);
    return at === null ? fallback : this.file.i32(at);
  }

  u32(slot: number, fallback = 0): number {
    const at = this.#field(slot);
    return at === null ? fallback : this.file.u32(at);
  }

  /** Infinity where a double cannot hold it: no offset or size of a file is that large. */
  u64(slot: number, fallback = 0): number {
    const at = this.#field(slot);
    if (at === null) return fallback;
    const value = this.file.i64(at);
    return value >= 0 ? value : Infinity;
  }

  f32(slot: number, fallback = 0): number {
    const at = this.#field(slot);
    return at === null ? fallback : this.file.f32(at);
  }

  /** Where an offset field points to. */
  #target(slot: number): number | null {
    const at = this.#field(slot);
    return at === null ? null : at + this.file.u32(at);
  }

  table(slot: number): FlatTable | null {
    const target = this.#target(slot);
    return target === null ? null : new FlatTable(this.file, target);
  }

  vector(slot: number, size: number): FlatVector {
    const target = this.#target(slot);
    if (target === null) return { start: 0, count: 0 };
    const count = this.file.u32(target);
    this.file.require(target + 4, count * size);
    return { start: target + 4, count };
  }

  #list<T>(slot: number, size: number, read: (at: number) => T, most = MAX_LIST): T[] {
    const { start, count } = this.vector(slot, size);
    if (count > most) throw new TfliteError('too-large', 'This .tflite file lists more parts than a small model has.');
    return Array.from({ length: count }, (_, index) => read(start + index * size));
  }

  tables(slot: number): FlatTable[] {
    return this.#list(slot, 4, (at) => new FlatTable(this.file, at + this.file.u32(at)));
  }

  i32List(slot: number): number[] {
    return this.#list(slot, 4, (at) => this.file.i32(at));
  }

  f32List(slot: number): number[] {
    return this.#list(slot, 4, (at) => this.file.f32(at));
  }

  i64List(slot: number): number[] {
    return this.#list(slot, 8, (at) => this.file.i64(at));
  }

  bytes(slot: number): Uint8Array {
    const { start, count } = this.vector(slot, 1);
    return this.file.bytes.subarray(start, start + count);
  }

  /** UTF-8; broken text is shown with replacement characters. */
  text(slot: number): string {
    return new TextDecoder().decode(this.bytes(slot).subarray(0, 256));
  }
}

/** Longest list of tensors, ops, dimensions or scales that is believed. */
const MAX_LIST = 65_536;
