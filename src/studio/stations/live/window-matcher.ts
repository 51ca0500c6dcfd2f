/**
 * Finds the very window that a board classified among the samples that it sent. Frames carry sequence numbers (32 bit,
 * wrapping); a result names the last frame of its window. Results may arrive before their last samples.
 */

/** Signed distance from `b` to `a` on the 2^32 circle. */
export function sequenceDistance(a: number, b: number): number {
  return (a - b) | 0;
}

export type WindowAnswer = 'too-early' | 'lost';

export class WindowMatcher {
  readonly #data: Float32Array;
  /** Sequence number after the newest frame, and how many frames without a gap end there. */
  #next = 0;
  #unbroken = 0;

  /** Frames that are kept: a power of two, so that a frame's place is right across the wrap of the sequence. */
  readonly capacity: number;

  /** @param least frames to keep; at least a window. */
  constructor(
    readonly channels: number,
    least: number,
  ) {
    this.capacity = 2 ** Math.ceil(Math.log2(Math.max(1, least)));
    this.#data = new Float32Array(channels * this.capacity);
  }

  /** Sequence number after the newest frame, or null before the first one. */
  get next(): number | null {
    return this.#unbroken === 0 ? null : this.#next;
  }

  /** @param sequence of the first frame. */
  push(sequence: number, samples: Float32Array): void {
    const { channels, capacity } = this;
    const frames = Math.floor(samples.length / channels);
    if (this.#unbroken > 0 && sequence >>> 0 !== this.#next) this.#unbroken = 0;
    for (let frame = Math.max(0, frames - capacity); frame < frames; frame++) {
      const at = ((sequence + frame) >>> 0) % capacity;
      this.#data.set(samples.subarray(frame * channels, (frame + 1) * channels), at * channels);
    }
    this.#next = (sequence + frames) >>> 0;
    this.#unbroken = Math.min(capacity, this.#unbroken + frames);
  }

  /**
   * The window of `frames` frames whose last one is `last`, or why it is not there: `too-early` when its samples are
   * still to come, `lost` when they are gone or never came.
   */
  window(last: number, frames: number): Float32Array | WindowAnswer {
    if (this.#unbroken === 0) return 'too-early';
    const behind = sequenceDistance(this.#next - 1, last);
    if (behind < 0) return 'too-early';
    if (behind + frames > this.#unbroken) return 'lost';
    const { channels, capacity } = this;
    const out = new Float32Array(frames * channels);
    for (let frame = 0; frame < frames; frame++) {
      const at = ((last - frames + 1 + frame) >>> 0) % capacity;
      out.set(this.#data.subarray(at * channels, (at + 1) * channels), frame * channels);
    }
    return out;
  }

  clear(): void {
    this.#unbroken = 0;
  }
}
