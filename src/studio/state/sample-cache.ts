/** Sample arrays kept for drawing, least recently used out first. */
export class SampleCache {
  readonly #arrays = new Map<string, Float32Array>();
  #values = 0;

  /** @param capacity in values: 8 million float32 are 32 MB. */
  constructor(private readonly capacity = 8_000_000) {}

  get(id: string): Float32Array | undefined {
    const found = this.#arrays.get(id);
    if (found) {
      this.#arrays.delete(id);
      this.#arrays.set(id, found);
    }
    return found;
  }

  put(id: string, samples: Float32Array): void {
    this.delete(id);
    this.#arrays.set(id, samples);
    this.#values += samples.length;
    for (const oldest of this.#arrays.keys()) {
      if (this.#values <= this.capacity || oldest === id) break;
      this.delete(oldest);
    }
  }

  delete(id: string): void {
    const old = this.#arrays.get(id);
    if (!old) return;
    this.#arrays.delete(id);
    this.#values -= old.length;
  }
}
