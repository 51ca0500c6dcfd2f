/**
 * The studio's memory: recordings (journalled while they are made), projects' models and settings, trash.
 * The only room that touches IndexedDB. Knows no board.
 */
import type { LoadedRecording, Recording, Segment, SplitChoice } from '../signal/recording';

/** A stretch of frames as it came: int16 with scale when the board sends that, else float32. */
export interface SampleChunk {
  readonly frames: number;
  readonly samples: Float32Array;
}

/** A recording being made. Appends are durable within a second. */
export interface RecordingJournal {
  readonly id: string;
  /** Queues samples; resolves at once, writes at most a second later. */
  append(chunk: SampleChunk): void;
  /** Writes what is queued. Rejects with StoreError (`quota` keeps all that was written before). */
  flush(): Promise<void>;
  /** Marks the recording complete (strict durability) and returns it. */
  finish(changes?: Partial<Pick<Recording, 'label' | 'name' | 'quality' | 'measuredRateHz'>>): Promise<Recording>;
  /** Throws the recording away. */
  discard(): Promise<void>;
}

/** A trained model as kept in the store. */
export interface StoredModel {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly pack: Uint8Array;
  /** The training report, plain JSON. */
  readonly report: unknown;
}

export interface StoreUsage {
  /** Bytes used by this origin, or null when the browser does not say. */
  readonly usedBytes: number | null;
  readonly persisted: boolean;
}

export type StoreErrorCode = 'unavailable' | 'blocked' | 'quota' | 'not-found' | 'closed' | 'corrupt' | 'failed';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type RecordingChanges = {
  readonly name?: string;
  readonly label?: string | null;
  readonly segments?: readonly Segment[];
  readonly split?: SplitChoice;
};

export interface StudioStore {
  /** Starts a journalled recording; everything known but the frame count. */
  beginRecording(meta: Omit<Recording, 'frames'>): Promise<RecordingJournal>;
  /** Saves a whole recording (import). */
  addRecording(loaded: LoadedRecording): Promise<void>;
  /** Complete recordings, oldest first; no samples. */
  listRecordings(): Promise<Recording[]>;
  loadSamples(id: string): Promise<Float32Array>;
  updateRecording(id: string, changes: RecordingChanges): Promise<Recording>;
  /** Moves to the trash; `restore` brings back. */
  trash(ids: readonly string[]): Promise<void>;
  restore(ids: readonly string[]): Promise<void>;
  listTrash(): Promise<Recording[]>;
  emptyTrash(): Promise<void>;
  /** Recordings left unfinished by a crash or a closed tab, with the frames that are there. */
  listUnfinished(): Promise<Recording[]>;
  /** Keeps an unfinished recording as a complete one. */
  recover(id: string): Promise<Recording>;
  discardUnfinished(id: string): Promise<void>;
  putModel(model: StoredModel): Promise<void>;
  /** Newest first. */
  listModels(): Promise<StoredModel[]>;
  deleteModel(id: string): Promise<void>;
  getSetting<T>(key: string): Promise<T | undefined>;
  putSetting(key: string, value: unknown): Promise<void>;
  usage(): Promise<StoreUsage>;
  requestPersistence(): Promise<boolean>;
  /** Called when another tab changed or closed the database. */
  onChange(listener: (what: 'recordings' | 'models' | 'closed') => void): () => void;
  close(): void;
}
