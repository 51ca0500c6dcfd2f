/**
 * The database's shape and the way from every earlier shape to it. Forward only: a step, once released, never changes;
 * a new shape is a new step at the end.
 */
import type { DBSchema, IDBPDatabase, IDBPTransaction, StoreNames } from 'idb';
import type { Recording } from '../signal/recording';
import type { StoredModel } from './studio-store';

export const DATABASE_NAME = 'mote';

/** `unfinished` while its journal runs (or after a crash), then `complete`; `trash` until restored or emptied. */
export type RecordingState = 'unfinished' | 'complete' | 'trash';

export interface RecordingRow {
  readonly id: string;
  readonly state: RecordingState;
  /** `frames` counts what is in `chunks`. */
  readonly recording: Recording;
  /** Number of chunks, which are numbered from 0. */
  readonly chunks: number;
  /** When its journal last wrote, ms since the epoch: tells a living tab where there are no Web Locks. */
  readonly beatAt: number;
}

/** Interleaved float32 samples of consecutive frames. */
export interface ChunkRow {
  readonly frames: number;
  readonly samples: Float32Array<ArrayBuffer>;
}

export interface StudioSchema extends DBSchema {
  recordings: { key: string; value: RecordingRow; indexes: { state: RecordingState } };
  /** Key: recording id, chunk number. */
  chunks: { key: [string, number]; value: ChunkRow };
  models: { key: string; value: StoredModel };
  settings: { key: string; value: unknown };
}

export type StudioDatabase = IDBPDatabase<StudioSchema>;
type UpgradeTransaction = IDBPTransaction<StudioSchema, StoreNames<StudioSchema>[], 'versionchange'>;

/** Step n leads from version n to version n + 1. */
const STEPS: readonly ((database: StudioDatabase, transaction: UpgradeTransaction) => void)[] = [
  (database) => {
    database.createObjectStore('recordings', { keyPath: 'id' }).createIndex('state', 'state');
    database.createObjectStore('chunks');
    database.createObjectStore('models', { keyPath: 'id' });
    database.createObjectStore('settings');
  },
];

export const DATABASE_VERSION = STEPS.length;

/** Brings a database of version `from` (0: empty) to `DATABASE_VERSION`, inside the upgrade transaction. */
export function migrate(database: StudioDatabase, from: number, transaction: UpgradeTransaction): void {
  for (const step of STEPS.slice(from)) step(database, transaction);
}

/**
 * Bytes per chunk. From 65,536 on Chromium stores each value as a file of its own, which is three times slower; 60 KB
 * leaves room for the envelope.
 */
export const CHUNK_BYTES = 61_440;

/** Frames that fit into one chunk, at least 1. */
export function chunkFrames(channels: number): number {
  return Math.max(1, Math.floor(CHUNK_BYTES / (4 * channels)));
}

/** Cuts interleaved samples into chunk rows, copying. */
export function* cutChunks(samples: Float32Array, channels: number): Generator<ChunkRow> {
  const step = chunkFrames(channels) * channels;
  for (let from = 0; from < samples.length; from += step) {
    const part = new Float32Array(samples.subarray(from, from + step));
    yield { frames: part.length / channels, samples: part };
  }
}

/** The keys of all chunks of a recording, from chunk `first` on. */
export function chunkRange(id: string, first = 0): IDBKeyRange {
  return IDBKeyRange.bound([id, first], [id, Number.MAX_SAFE_INTEGER]);
}
