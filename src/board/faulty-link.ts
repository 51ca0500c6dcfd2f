/**
 * A link that goes wrong on purpose, around any other link: for tests of everything that a cable, a hub or a driver
 * can do. Seeded by the random function that is passed in.
 */
import { LinkError } from './link';
import type { Link, LinkEvents } from './link';
import type { Timers } from './timing';

/** What happens to bytes in one direction. */
export interface Faults {
  /** The cable is pulled after exactly so many bytes. */
  readonly cutAfterBytes?: number;
  /** Probability that a byte has one bit flipped. */
  readonly flip?: number;
  /** Exactly this bit is flipped, counted from the first (bit 0 is the lowest of byte 0). */
  readonly flipBit?: number;
  /** Probability that a byte vanishes. */
  readonly drop?: number;
  /** Probability that a random byte is slipped in before a byte. */
  readonly insert?: number;
  /** Chunks are cut into random pieces of at most so many bytes. */
  readonly maxChunk?: number;
  /** Every piece arrives so much later, ms; the order is kept. */
  readonly delayMs?: number;
}

export interface FaultyLinkOptions {
  readonly toBoard?: Faults;
  readonly toHost?: Faults;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly timers: Timers;
  /** Called when the cable is pulled, before the link tells: cut the board's power here. */
  readonly onCut?: () => void;
}

export interface FaultyLink extends Link {
  /** Replaces the faults, for example by none after a cut. Byte counts start anew. */
  setFaults(faults: Pick<FaultyLinkOptions, 'toBoard' | 'toHost'>): void;
  /** Bytes that went through so far, since the last `setFaults`. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export function createFaultyLink(inner: Link, options: FaultyLinkOptions): FaultyLink {
  const { random, timers } = options;
  let toBoard = options.toBoard ?? {};
  let toHost = options.toHost ?? {};
  let sentBytes = 0;
  let receivedBytes = 0;
  let cut = false;
  let events: LinkEvents | null = null;

  const pulled = (): LinkError => new LinkError('disconnected', `${inner.info.title} was unplugged (on purpose).`);

  function pull(): void {
    if (cut) return;
    cut = true;
    options.onCut?.();
    const lost = events;
    events = null;
    void inner.close();
    lost?.onLost(pulled());
  }

  /** `first`: how many bytes went before. */
  function damage(given: Uint8Array, faults: Faults, first: number): Uint8Array[] {
    const out: number[] = [];
    const bytes = given.slice();
    const flipped = (faults.flipBit ?? -8) / 8 - first;
    const at = Math.floor(flipped);
    if (at >= 0 && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << ((faults.flipBit ?? 0) % 8));
    for (const byte of bytes) {
      if (faults.insert && random() < faults.insert) out.push(Math.floor(random() * 256));
      if (faults.drop && random() < faults.drop) continue;
      out.push(faults.flip && random() < faults.flip ? byte ^ (1 << Math.floor(random() * 8)) : byte);
    }
    const all = Uint8Array.from(out);
    if (!faults.maxChunk) return all.length > 0 ? [all] : [];
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < all.length;) {
      const end = Math.min(all.length, at + 1 + Math.floor(random() * faults.maxChunk));
      pieces.push(all.slice(at, end));
      at = end;
    }
    return pieces;
  }

  function allowance(faults: Faults, count: number): number {
    return faults.cutAfterBytes === undefined ? Infinity : Math.max(0, faults.cutAfterBytes - count);
  }

  const link: FaultyLink = {
    info: { ...inner.info, kind: 'test' },
    ...(inner.generator ? { generator: inner.generator } : {}),
    ...(inner.setSignals
      ? {
          setSignals: (signals) =>
            cut ? Promise.reject(pulled()) : (inner.setSignals?.(signals) ?? Promise.resolve()),
        }
      : {}),
    ...(inner.onReturn ? { onReturn: (listener: () => void) => inner.onReturn?.(listener) ?? (() => undefined) } : {}),

    async open(openOptions, given) {
      cut = false;
      events = given;
      await inner.open(openOptions, {
        onBytes: (bytes, at) => {
          if (cut) return;
          const allowed = allowance(toHost, receivedBytes);
          const passing = bytes.subarray(0, allowed);
          const before = receivedBytes;
          receivedBytes += passing.length;
          for (const piece of damage(passing, toHost, before)) {
            const deliver = (late: number): void => {
              if (events === given) given.onBytes(piece, at + late);
            };
            const { delayMs } = toHost;
            if (delayMs) timers.after(delayMs, () => deliver(delayMs));
            else deliver(0);
          }
          if (bytes.length > allowed) pull();
        },
        onLost: (error) => {
          if (cut) return;
          cut = true;
          events = null;
          given.onLost(error);
        },
      });
    },

    async write(bytes) {
      if (cut) throw pulled();
      const allowed = allowance(toBoard, sentBytes);
      const passing = bytes.slice(0, allowed);
      const before = sentBytes;
      sentBytes += passing.length;
      for (const piece of damage(passing, toBoard, before)) {
        const { delayMs } = toBoard;
        if (delayMs) {
          timers.after(delayMs, () => {
            if (!cut) inner.write(piece).catch(() => undefined);
          });
        } else await inner.write(piece);
      }
      if (bytes.length > allowed) {
        pull();
        throw pulled();
      }
    },

    setFaults(faults) {
      toBoard = faults.toBoard ?? {};
      toHost = faults.toHost ?? {};
      sentBytes = 0;
      receivedBytes = 0;
    },
    get sentBytes() {
      return sentBytes;
    },
    get receivedBytes() {
      return receivedBytes;
    },

    async close() {
      events = null;
      await inner.close();
    },
  };
  return link;
}
