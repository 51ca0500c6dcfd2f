/**
 * Seeded pseudo-random numbers for everything that must be reproducible: shuffles, initial weights, generated motion.
 * Only integer arithmetic, additions and divisions by powers of two: the same numbers on every machine.
 *
 * Source: sfc32 ("small fast counter"), Chris Doty-Humphrey, PractRand, public domain; seeded through SplitMix32
 * (the 32-bit finalizer of MurmurHash3, Austin Appleby, public domain). Period at least 2^32, about 2^127 on average.
 */

/** MurmurHash3's 32-bit finalizer: every input bit changes about half of the output bits. */
export function mix32(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** @param seed Any finite number; its low 53 bits count (fractions are cut off). */
  constructor(seed: number) {
    const whole = Math.trunc(seed);
    const low = whole >>> 0;
    const high = Math.floor(whole / 2 ** 32) >>> 0;
    this.a = mix32(low + 0x9e3779b9);
    this.b = mix32(high + 0x3c6ef372);
    this.c = mix32((low ^ high) + 0xdaa66d2b);
    // The seeds 0, 1, 2, ... start from close states: run until they are unrelated.
    for (let i = 0; i < 15; i++) this.nextUint32();
  }

  /** Uniform in 0..2^32-1. */
  nextUint32(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, 1), 32 random bits. */
  next(): number {
    return this.nextUint32() / 2 ** 32;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Uniform whole number in 0..count-1. `count` is 1..2^32. Without modulo bias. */
  integer(count: number): number {
    if (!Number.isInteger(count) || count < 1 || count > 2 ** 32) throw new RangeError(`integer(${count}): 1..2^32`);
    const limit = 2 ** 32 - (2 ** 32 % count);
    let value = this.nextUint32();
    while (value >= limit) value = this.nextUint32();
    return value % count;
  }

  /**
   * Approximately normal, mean 0, standard deviation 1, range -6..6: the sum of twelve uniforms less 6 (Irwin-Hall).
   * Chosen over Box-Muller because it needs no logarithm or cosine, whose last bit differs between engines.
   */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.next();
    return sum;
  }

  /** Shuffles in place (Fisher-Yates, Durstenfeld's form) and returns the same array. */
  shuffle<T extends unknown[] | Int32Array | Uint32Array | Float32Array>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = items[i];
      items[i] = items[j];
      items[j] = held;
    }
    return items;
  }

  /** A generator of its own, for a part that must not be disturbed by how many numbers others draw. */
  fork(): Random {
    return new Random(this.nextUint32() * 2 ** 21 + (this.nextUint32() >>> 11));
  }
}
