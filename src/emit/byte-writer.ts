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

  /** The view, `count` bytes longer. */
  #grown(count: number): DataView {
    this.#reserve(count);
    return this.#view;
  }

  u8(value: number): void {
    this.#grown(1).setUint8(this.#length - 1, value);
  }

  u16(value: number): void {
    this.#grown(2).setUint16(this.#length - 2, value, true);
  }

  u32(...values: readonly number[]): void {
    for (const value of values) this.#grown(4).setUint32(this.#length - 4, value, true);
  }

  i32(...values: readonly number[]): void {
    for (const value of values) this.#grown(4).setInt32(this.#length - 4, value, true);
  }

  f32(...values: readonly number[]): void {
    for (const value of values) this.#grown(4).setFloat32(this.#length - 4, value, true);
  }

  f64(...values: readonly number[]): void {
    for (const value of values) this.#grown(8).setFloat64(this.#length - 8, value, true);
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
    for (const value of values) this.#grown(2).setInt16(this.#length - 2, value, true);
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
