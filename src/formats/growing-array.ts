/** A typed array that grows by doubling, for files whose length is known only at their end. */
export class GrowingArray<T extends Float32Array | Float64Array | Uint16Array> {
  length = 0;
  private values: T;

  constructor(private readonly make: (length: number) => T) {
    this.values = make(1024);
  }

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = this.make(this.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }

  /** A copy of exactly the values pushed. */
  toArray(): T {
    return this.values.slice(0, this.length) as T;
  }
}
