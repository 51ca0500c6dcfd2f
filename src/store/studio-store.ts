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
  /** Frames appended so far. */
  readonly frames: number;
  /** Frames that are safe in the database. */
  readonly writtenFrames: number;
  /**
   * Queues a copy of the samples and returns at once; they are written within a second. Throws StoreError after a
   * failed write (the same that `onFailure` was told) until a `flush` succeeds, and after the end (`closed`).
   */
  append(chunk: SampleChunk): void;
  /** Writes what is queued. Rejects with StoreError (`quota` keeps all that was written before, and the queue). */
  flush(): Promise<void>;
  /** Called when a write in the background failed; what was written before is kept. Returns the unsubscriber. */
  onFailure(listener: (error: StoreError) => void): () => void;
  /**
   * Writes the rest, marks the recording complete (strict durability) and returns it. When that fails, what was written
   * stays as an unfinished recording, offered by `listUnfinished` at once.
   */
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

/**
 * - `unavailable`: the browser gives no database (private mode, storage switched off).
 * - `blocked`: another tab holds an older version of the database open.
 * - `newer`: the database was made by a newer version of the studio.
 * - `quota`: the disk or the browser's share of it is full; nothing that was written before is lost.
 * - `not-found`: no recording or model of that id in the place asked for.
 * - `exists`: a recording of that id is there already (the same file imported twice).
 * - `busy`: the recording is still being made, here or in another tab.
 * - `closed`: the store or the journal was closed (by us, by an update in another tab, by the browser).
 * - `corrupt`: the samples do not fit what is known of the recording.
 * - `failed`: anything else; see `cause`.
 */
export type StoreErrorCode =
  'unavailable' | 'blocked' | 'newer' | 'quota' | 'not-found' | 'exists' | 'busy' | 'closed' | 'corrupt' | 'failed';

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

/** Small values by key, for what the studio remembers of how it was used. */
export interface SettingStore {
  getSetting<T>(key: string): Promise<T | undefined>;
  putSetting(key: string, value: unknown): Promise<void>;
}

export interface StudioStore extends SettingStore {
  /** Starts a journalled recording; everything known but the frame count. */
  beginRecording(meta: Omit<Recording, 'frames'>): Promise<RecordingJournal>;
  /** Saves a whole recording (import), all or nothing. Rejects with `exists`; one in the trash is replaced. */
  addRecording(loaded: LoadedRecording): Promise<void>;
  /** Complete recordings, oldest first; no samples. */
  listRecordings(): Promise<Recording[]>;
  loadSamples(id: string): Promise<Float32Array>;
  /**
   * Changes what is known of a complete recording; the samples stay. A label clears the segments; segments clear the
   * label (they are sorted and must lie within the recording).
   */
  updateRecording(id: string, changes: RecordingChanges): Promise<Recording>;
  /** Moves to the trash; `restore` brings back. */
  trash(ids: readonly string[]): Promise<void>;
  restore(ids: readonly string[]): Promise<void>;
  listTrash(): Promise<Recording[]>;
  emptyTrash(): Promise<void>;
  /**
   * Deletes recordings, complete or in the trash, for good. The way out of a full disk: moving to the trash is a write,
   * which a full disk refuses; deleting is not.
   */
  deleteForever(ids: readonly string[]): Promise<void>;
  /**
   * Recordings left unfinished by a crash or a closed tab, with the frames that are there, oldest first. Those that are
   * being made in a living tab are not among them; those without a single frame are cleared away.
   */
  listUnfinished(): Promise<Recording[]>;
  /** Keeps an unfinished recording as a complete one. */
  recover(id: string): Promise<Recording>;
  discardUnfinished(id: string): Promise<void>;
  putModel(model: StoredModel): Promise<void>;
  /** Newest first. */
  listModels(): Promise<StoredModel[]>;
  deleteModel(id: string): Promise<void>;
  usage(): Promise<StoreUsage>;
  requestPersistence(): Promise<boolean>;
  /** Called when another tab changed or closed the database. */
  onChange(listener: (what: 'recordings' | 'models' | 'closed') => void): () => void;
  close(): void;
}
