/** Little-endian bytes, one after another, in a buffer that grows. */
export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  u16(value: number): void {
    this.#view.setUint16(this.#reserve(2), value, true);
  }

  u32(...values: readonly number[]): void {
    for (const value of values) this.#view.setUint32(this.#reserve(4), value, true);
  }

  i32(...values: readonly number[]): void {
    for (const value of values) this.#view.setInt32(this.#reserve(4), value, true);
  }

  f32(...values: readonly number[]): void {
    for (const value of values) this.#view.setFloat32(this.#reserve(4), value, true);
  }

  f64(...values: readonly number[]): void {
    for (const value of values) this.#view.setFloat64(this.#reserve(8), value, true);
  }

  bytes(values: Uint8Array | Int8Array): void {
    const at = this.#reserve(values.length);
    this.#bytes.set(values, at);
  }

  u32Array(values: Uint32Array): void {
    for (const value of values) this.u32(value);
  }

  i32Array(values: Int32Array): void {
    for (const value of values) this.i32(value);
  }

  i16Array(values: Int16Array): void {
    for (const value of values) this.#view.setInt16(this.#reserve(2), value, true);
  }

  f32Array(values: Float32Array): void {
    for (const value of values) this.f32(value);
  }

  /** Zero bytes up to the next multiple of 4. */
  align(): void {
    this.#reserve(-this.#length & 3);
  }

  /** Overwrites four bytes written before. */
  patchU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
