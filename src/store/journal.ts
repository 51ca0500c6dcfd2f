/**
 * A recording while it is made: samples queue in memory and go to the database a little later, so that a killed tab
 * loses at most a second.
 */
import type { Recording } from '../signal/recording';
import { inTransaction } from './failure';
import { BEAT_EVERY_MS } from './living-recordings';
import { CHUNK_BYTES, chunkRange, cutChunks, type RecordingRow, type StudioDatabase } from './schema';
import { StoreError, type RecordingJournal, type SampleChunk } from './studio-store';

/** Queued samples are written this long after the first of them, which leaves 200 ms of the second for the writing. */
export const WRITE_AFTER_MS = 800;

/** `setTimeout` and `clearTimeout`, or what a test gives. */
export interface Timers {
  set(callback: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

export interface JournalDependencies {
  readonly database: StudioDatabase;
  readonly now: () => number;
  readonly timers: Timers;
  /** Write from time to time even without samples (see `living-recordings.ts`). */
  readonly beats: boolean;
  /** Called once, when the journal ends for whatever reason. */
  readonly ended: () => void;
}

type State = 'open' | 'ending' | 'ended';

export class Journal implements RecordingJournal {
  readonly id: string;
  private row: RecordingRow;
  private state: State = 'open';
  private queue: Float32Array[] = [];
  private queuedValues = 0;
  private appended = 0;
  private queuedSince = 0;
  private inFlight: Promise<void> | null = null;
  private timer: unknown = null;
  private failure: StoreError | null = null;
  private readonly listeners = new Set<(error: StoreError) => void>();

  /** @param row The row as it stands in the database, `unfinished` and without chunks. */
  constructor(
    row: RecordingRow,
    private readonly dependencies: JournalDependencies,
  ) {
    this.id = row.id;
    this.row = row;
    this.schedule();
  }

  get frames(): number {
    return this.appended;
  }

  get writtenFrames(): number {
    return this.row.recording.frames;
  }

  private get channels(): number {
    return this.row.recording.channels.length;
  }

  append({ frames, samples }: SampleChunk): void {
    this.checkOpen();
    if (this.failure) throw this.failure;
    if (samples.length !== frames * this.channels) {
      throw new StoreError(
        'corrupt',
        `${samples.length} values are not ${frames} frames of ${this.channels} channels.`,
      );
    }
    if (frames === 0) return;
    const first = this.queue.length === 0;
    this.queue.push(samples.slice());
    this.queuedValues += samples.length;
    this.appended += frames;
    if (first) {
      this.queuedSince = this.dependencies.now();
      this.schedule();
    }
    // Timers of a tab in the background may come late; the samples themselves keep the time.
    const due = this.dependencies.now() - this.queuedSince >= WRITE_AFTER_MS;
    if (due || this.queuedValues * 4 >= CHUNK_BYTES) this.writeInBackground();
  }

  flush(): Promise<void> {
    if (this.state === 'ended') return Promise.reject(this.closedError());
    return this.writeAll();
  }

  onFailure(listener: (error: StoreError) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async finish(
    changes: Partial<Pick<Recording, 'label' | 'name' | 'quality' | 'measuredRateHz'>> = {},
  ): Promise<Recording> {
    this.checkOpen();
    this.state = 'ending';
    try {
      await this.writeAll();
      return await this.write('strict', { ...this.row.recording, ...changes }, 'complete');
    } finally {
      this.end();
    }
  }

  async discard(): Promise<void> {
    this.checkOpen();
    this.state = 'ending';
    try {
      this.queue = [];
      this.queuedValues = 0;
      await this.inFlight?.catch(() => undefined);
      await inTransaction(
        () => this.dependencies.database.transaction(['recordings', 'chunks'], 'readwrite'),
        'throw the recording away',
        async (transaction) => {
          await transaction.objectStore('recordings').delete(this.id);
          await transaction.objectStore('chunks').delete(chunkRange(this.id));
        },
      );
    } finally {
      this.end();
    }
  }

  /** Writes what is queued, as far as that can be begun at once, and ends; the recording stays unfinished. */
  abandon(): void {
    if (this.state === 'ended') return;
    if (this.inFlight === null && this.failure === null) this.writeAll().catch(() => undefined);
    this.end();
  }

  private checkOpen(): void {
    if (this.state !== 'open') throw this.closedError();
  }

  private closedError(): StoreError {
    return new StoreError('closed', 'This recording has ended; nothing can be added to it.');
  }

  private end(): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.dependencies.timers.clear(this.timer);
    this.listeners.clear();
    this.dependencies.ended();
  }

  /** (Re)starts the one timer: for the samples that wait, else for the next beat. */
  private schedule(): void {
    const { timers, beats, now } = this.dependencies;
    timers.clear(this.timer);
    this.timer = null;
    if (this.state === 'ended' || this.failure) return;
    if (this.queue.length > 0) {
      const wait = Math.max(0, this.queuedSince + WRITE_AFTER_MS - now());
      this.timer = timers.set(() => this.writeInBackground(), wait);
    } else if (beats) {
      this.timer = timers.set(() => this.beat(), BEAT_EVERY_MS);
    }
  }

  private beat(): void {
    if (this.inFlight === null) {
      this.inFlight = this.write('relaxed', this.row.recording, 'unfinished')
        .then(() => undefined)
        .catch(() => undefined)
        .finally(() => (this.inFlight = null));
    }
    this.schedule();
  }

  private writeInBackground(): void {
    if (this.inFlight !== null) {
      // A write is under way. What came since goes with the next one, which `writeAll` begins right after.
      return void this.writeAll().catch(() => undefined);
    }
    this.writeAll().catch((error: unknown) => {
      for (const listener of [...this.listeners]) listener(error as StoreError);
    });
  }

  /** Writes until the queue is empty. Begins at once when no write is under way. */
  private async writeAll(): Promise<void> {
    while (this.inFlight !== null) await this.inFlight;
    if (this.queue.length === 0) return;
    this.inFlight = this.writeQueue().finally(() => {
      this.inFlight = null;
      this.schedule();
    });
    await this.inFlight;
  }

  private async writeQueue(): Promise<void> {
    const taken = this.queue;
    const values = this.queuedValues;
    this.queue = [];
    this.queuedValues = 0;
    const samples = new Float32Array(values);
    let at = 0;
    for (const part of taken) {
      samples.set(part, at);
      at += part.length;
    }
    const { recording } = this.row;
    try {
      await this.write(
        'relaxed',
        { ...recording, frames: recording.frames + values / this.channels },
        'unfinished',
        samples,
      );
      this.failure = null;
    } catch (error) {
      this.queue = [samples, ...this.queue];
      this.queuedValues += values;
      this.failure = error as StoreError;
      throw error;
    }
  }

  /** One transaction: the new chunks and the row that counts them. */
  private async write(
    durability: 'relaxed' | 'strict',
    recording: Recording,
    state: 'unfinished' | 'complete',
    samples: Float32Array = new Float32Array(0),
  ): Promise<Recording> {
    const { database, now } = this.dependencies;
    const chunks = [...cutChunks(samples, this.channels)];
    const row: RecordingRow = {
      ...this.row,
      recording,
      state,
      chunks: this.row.chunks + chunks.length,
      beatAt: now(),
    };
    await inTransaction(
      () => database.transaction(['recordings', 'chunks'], 'readwrite', { durability }),
      state === 'complete' ? 'finish the recording' : 'save the recording',
      async (transaction) => {
        const recordings = transaction.objectStore('recordings');
        // Another tab may have taken it for dead and recovered or discarded it: do not bring it back.
        if ((await recordings.get(this.id))?.state !== 'unfinished') {
          throw new StoreError('not-found', 'The recording was ended in another tab.');
        }
        await Promise.all([
          ...chunks.map((chunk, i) => transaction.objectStore('chunks').put(chunk, [this.id, this.row.chunks + i])),
          recordings.put(row),
        ]);
      },
    );
    this.row = row;
    return recording;
  }
}
