/**
 * Which recordings are being made right now, in this tab or another: they must not be offered as unfinished.
 * Web Locks tell it exactly (the browser frees a dead tab's locks). Where there are none, a journal's last write tells.
 */
import type { RecordingRow } from './schema';

/** The part of `navigator.locks` that is used. */
export interface LockSource {
  request(name: string, callback: () => Promise<void>): Promise<unknown>;
  query(): Promise<{ readonly held?: readonly { readonly name?: string }[] }>;
}

/** Without Web Locks, a journal writes at least this often, if only to say that it lives. */
export const BEAT_EVERY_MS = 2_000;
/** Without Web Locks, a journal silent for this long belongs to a dead tab. Background tabs run timers once a second. */
export const DEAD_AFTER_MS = 10_000;

export interface LivingRecordings {
  /** True when journals must beat by themselves. */
  readonly needsBeats: boolean;
  /** Marks a recording as being made; returns the function that ends this. */
  hold(id: string): Promise<() => void>;
  /** Whether each of these is being made. */
  filterLiving(rows: readonly RecordingRow[]): Promise<ReadonlySet<string>>;
}

export function livingByLocks(locks: LockSource, database: string): LivingRecordings {
  const prefix = `mote-recording:${database}:`;
  return {
    needsBeats: false,
    hold: (id) =>
      new Promise((resolve, reject) => {
        locks
          .request(prefix + id, () => new Promise<void>((release) => resolve(release)))
          .catch((error: unknown) => reject(error instanceof Error ? error : new Error(String(error))));
      }),
    filterLiving: async (rows) => {
      const held = new Set(((await locks.query()).held ?? []).map((lock) => lock.name));
      return new Set(rows.map((row) => row.id).filter((id) => held.has(prefix + id)));
    },
  };
}

export function livingByBeats(now: () => number): LivingRecordings {
  const here = new Set<string>();
  return {
    needsBeats: true,
    hold: (id) => {
      here.add(id);
      return Promise.resolve(() => void here.delete(id));
    },
    filterLiving: (rows) =>
      Promise.resolve(
        new Set(rows.filter((row) => here.has(row.id) || now() - row.beatAt < DEAD_AFTER_MS).map((row) => row.id)),
      ),
  };
}
