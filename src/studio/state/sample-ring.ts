/**
 * The last frames of a stream, in one preallocated array: what every scope reads.
 * Frames are numbered from the start of the stream; the ring keeps the newest `capacity` of them.
 */
export class SampleRing {
  readonly #data: Float32Array;
  #total = 0;
  /** Frame numbers at which frames are missing, oldest first; bounded. */
  readonly #gaps: number[] = [];

  constructor(
    readonly channels: number,
    readonly capacity: number,
  ) {
    if (!(channels >= 1 && capacity >= 1)) throw new RangeError(`a ring of ${channels} channels x ${capacity} frames`);
    this.#data = new Float32Array(channels * capacity);
  }

  /** Number of frames ever pushed; the newest frame is `total - 1`. */
  get total(): number {
    return this.#total;
  }

  /** Number of the oldest frame still held. */
  get first(): number {
    return Math.max(0, this.#total - this.capacity);
  }

  /** Frame numbers before which frames were lost. */
  get gaps(): readonly number[] {
    return this.#gaps;
  }

  /** Appends interleaved frames. `lostBefore` frames were lost just before them. */
  push(samples: Float32Array, lostBefore = 0): void {
    const { channels, capacity } = this;
    const frames = Math.floor(samples.length / channels);
    if (lostBefore > 0) this.#gaps.push(this.#total);
    const skip = Math.max(0, frames - capacity);
    let at = (this.#total + skip) % capacity;
    for (let frame = skip; frame < frames;) {
      const run = Math.min(frames - frame, capacity - at);
      this.#data.set(samples.subarray(frame * channels, (frame + run) * channels), at * channels);
      frame += run;
      at = (at + run) % capacity;
    }
    this.#total += frames;
    while (this.#gaps.length > 0 && (this.#gaps[0] ?? 0) < this.first) this.#gaps.shift();
  }

  clear(): void {
    this.#total = 0;
    this.#gaps.length = 0;
  }

  /** One value; frames outside of what is held give NaN. */
  value(frame: number, channel: number): number {
    if (frame < this.first || frame >= this.#total) return NaN;
    return this.#data[(frame % this.capacity) * this.channels + channel] ?? NaN;
  }

  /** Writes the smallest and largest value of `channel` over frames `from` to `to` (exclusive) into `out[at..at+1]`. */
  minMax(channel: number, from: number, to: number, out: Float32Array, at: number): void {
    const data = this.#data;
    const { channels, capacity } = this;
    let low = Infinity;
    let high = -Infinity;
    const end = Math.min(to, this.#total);
    let frame = Math.max(from, this.first);
    let index = (frame % capacity) * channels + channel;
    const limit = capacity * channels;
    for (; frame < end; frame++) {
      const value = data[index] as number;
      if (value < low) low = value;
      if (value > high) high = value;
      index += channels;
      if (index >= limit) index -= limit;
    }
    out[at] = low;
    out[at + 1] = high;
  }

  /** Mean of a channel over frames `from` to `to` (exclusive), or NaN without frames. */
  mean(channel: number, from: number, to: number): number {
    let sum = 0;
    let count = 0;
    for (let frame = Math.max(from, this.first); frame < Math.min(to, this.#total); frame++) {
      sum += this.value(frame, channel);
      count++;
    }
    return count > 0 ? sum / count : NaN;
  }

  /** A copy of frames `from` to `to` (exclusive), interleaved. */
  slice(from: number, to: number): Float32Array {
    const start = Math.max(from, this.first);
    const end = Math.min(to, this.#total);
    const out = new Float32Array(Math.max(0, end - start) * this.channels);
    for (let frame = start; frame < end; frame++) {
      const at = (frame % this.capacity) * this.channels;
      out.set(this.#data.subarray(at, at + this.channels), (frame - start) * this.channels);
    }
    return out;
  }
}
