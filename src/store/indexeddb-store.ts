/** The studio's store in IndexedDB. */
import { openDB } from 'idb';
import type { LoadedRecording, Recording, Segment } from '../signal/recording';
import { inTransaction, toStoreError } from './failure';
import { Journal, type Timers } from './journal';
import { livingByBeats, livingByLocks, type LivingRecordings, type LockSource } from './living-recordings';
import {
  chunkRange,
  cutChunks,
  DATABASE_NAME,
  DATABASE_VERSION,
  migrate,
  type RecordingRow,
  type RecordingState,
  type StudioDatabase,
  type StudioSchema,
} from './schema';
import {
  StoreError,
  type RecordingChanges,
  type RecordingJournal,
  type StoredModel,
  type StoreUsage,
  type StudioStore,
} from './studio-store';

/** How long to wait for the database to open at all. */
const OPEN_TIMEOUT_MS = 15_000;
/** How long to wait for another tab to let go of an older version of the database. */
const BLOCKED_TIMEOUT_MS = 5_000;
/** Chunks read at a time: about 4 MB, the fastest page size measured. */
const CHUNKS_PER_READ = 64;

/** The part of a `BroadcastChannel` that is used. */
export interface ChangeChannel {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
  close(): void;
}

/** The part of `navigator.storage` that is used. */
export type StorageSource = Pick<StorageManager, 'estimate' | 'persist' | 'persisted'>;

export interface OpenStoreOptions {
  /** Name of the database. Default `mote`. */
  readonly name?: string;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Default `setTimeout` and `clearTimeout`. */
  readonly timers?: Timers;
  /** Tells recordings under way in other tabs from unfinished ones. Default `navigator.locks`; null where there are none. */
  readonly locks?: LockSource | null;
  /** Tells other tabs of changes. Default a `BroadcastChannel` in browsers; null for none. */
  readonly channel?: ChangeChannel | null;
  /** Default `navigator.storage`; null where there is none. */
  readonly storage?: StorageSource | null;
  /** Called when another tab holds an older version open; the opening goes on for a few seconds. */
  readonly onBlocked?: () => void;
}

type Change = 'recordings' | 'models';

/** Opens (or makes, or migrates) the studio's database. Rejects with StoreError. */
export async function openStudioStore(options: OpenStoreOptions = {}): Promise<StudioStore> {
  const name = options.name ?? DATABASE_NAME;
  const now = options.now ?? (() => Date.now());
  const timers: Timers = options.timers ?? {
    set: (callback, ms) => setTimeout(callback, ms),
    clear: (handle) => clearTimeout(handle as number | undefined),
  };
  // In Node `navigator` and `BroadcastChannel` exist in part and would keep the process alive: only windows have defaults.
  const browser = typeof window === 'undefined' ? null : window;
  const locks: LockSource | null =
    options.locks === undefined ? ((browser?.navigator.locks as LockSource | undefined) ?? null) : options.locks;
  const storage =
    options.storage === undefined
      ? ((browser?.navigator.storage as StorageSource | undefined) ?? null)
      : options.storage;
  const channel =
    options.channel === undefined
      ? browser && 'BroadcastChannel' in browser
        ? new BroadcastChannel(`mote-store:${name}`)
        : null
      : options.channel;
  const living = locks ? livingByLocks(locks, name) : livingByBeats(now);
  const store = new IndexedDbStore({ now, timers, channel, storage, living });
  try {
    store.attach(await openDatabase(name, timers, options.onBlocked, store));
  } catch (error) {
    channel?.close();
    throw toStoreError(error, 'open the studio’s storage');
  }
  return store;
}

function openDatabase(
  name: string,
  timers: Timers,
  onBlocked: (() => void) | undefined,
  store: IndexedDbStore,
): Promise<StudioDatabase> {
  return new Promise((resolve, reject) => {
    let given = false;
    const give = (how: () => void) => {
      if (given) return;
      given = true;
      timers.clear(openTimer);
      timers.clear(blockedTimer);
      how();
    };
    const giveUp = (code: 'unavailable' | 'blocked', message: string) => () =>
      give(() => reject(new StoreError(code, message)));
    const openTimer = timers.set(
      giveUp('unavailable', 'The browser did not open the studio’s storage. Restart the browser, then try again.'),
      OPEN_TIMEOUT_MS,
    );
    let blockedTimer: unknown = null;
    if (typeof indexedDB === 'undefined') {
      giveUp('unavailable', 'This browser has no IndexedDB, so nothing could be kept. Use a current browser.')();
      return;
    }
    openDB<StudioSchema>(name, DATABASE_VERSION, {
      upgrade: (database, from, _to, transaction) => migrate(database, from, transaction),
      blocked: () => {
        onBlocked?.();
        blockedTimer = timers.set(
          giveUp('blocked', 'Another tab still runs an older version of the studio. Close it, then reload this page.'),
          BLOCKED_TIMEOUT_MS,
        );
      },
      blocking: () => store.closeByForce(),
      terminated: () => store.closeByForce(),
    }).then(
      (database) => {
        // It opened after we gave up: nobody would ever close it.
        if (given) database.close();
        else give(() => resolve(database));
      },
      (error: unknown) => give(() => reject(toStoreError(error, 'open the studio’s storage'))),
    );
  });
}

interface Dependencies {
  readonly now: () => number;
  readonly timers: Timers;
  readonly channel: ChangeChannel | null;
  readonly storage: StorageSource | null;
  readonly living: LivingRecordings;
}

class IndexedDbStore implements StudioStore {
  private opened: StudioDatabase | null = null;
  private closed = false;
  private readonly journals = new Set<Journal>();
  private readonly listeners = new Set<(what: Change | 'closed') => void>();

  constructor(private readonly dependencies: Dependencies) {
    dependencies.channel?.addEventListener('message', ({ data }) => {
      if (data === 'recordings' || data === 'models') this.tell(data);
    });
  }

  attach(database: StudioDatabase): void {
    this.opened = database;
  }

  async beginRecording(meta: Omit<Recording, 'frames'>): Promise<RecordingJournal> {
    const { now, timers, living } = this.dependencies;
    const database = this.database();
    const what = 'begin the recording';
    const release = await living.hold(meta.id).catch((error: unknown) => {
      throw toStoreError(error, what);
    });
    const recording: Recording = { ...meta, frames: 0 };
    const row: RecordingRow = { id: meta.id, state: 'unfinished', recording, chunks: 0, beatAt: now() };
    try {
      await inTransaction(
        () => database.transaction('recordings', 'readwrite'),
        what,
        async ({ store }) => {
          if (await store.getKey(meta.id)) throw existsError(meta.name);
          await store.put(row);
        },
      );
    } catch (error) {
      release();
      throw error;
    }
    const journal = new Journal(row, {
      database,
      now,
      timers,
      beats: living.needsBeats,
      ended: () => {
        this.journals.delete(journal);
        release();
        this.announce('recordings');
      },
    });
    this.journals.add(journal);
    return journal;
  }

  async addRecording({ recording, samples }: LoadedRecording): Promise<void> {
    const channels = recording.channels.length;
    if (samples.length !== recording.frames * channels) {
      throw new StoreError(
        'corrupt',
        `“${recording.name}” has ${samples.length} values, not ${recording.frames} frames of ${channels} channels.`,
      );
    }
    const chunks = [...cutChunks(samples, channels)];
    const row: RecordingRow = { id: recording.id, state: 'complete', recording, chunks: chunks.length, beatAt: 0 };
    await inTransaction(
      () => this.database().transaction(['recordings', 'chunks'], 'readwrite', { durability: 'strict' }),
      `save “${recording.name}”`,
      async (transaction) => {
        const rows = transaction.objectStore('recordings');
        const kept = transaction.objectStore('chunks');
        const before = await rows.get(recording.id);
        if (before && before.state !== 'trash') throw existsError(before.recording.name);
        await kept.delete(chunkRange(recording.id));
        await Promise.all([...chunks.map((chunk, i) => kept.put(chunk, [recording.id, i])), rows.put(row)]);
      },
    );
    this.announce('recordings');
  }

  listRecordings(): Promise<Recording[]> {
    return this.listState('complete', 'list the recordings');
  }

  listTrash(): Promise<Recording[]> {
    return this.listState('trash', 'list the trash');
  }

  async loadSamples(id: string): Promise<Float32Array> {
    return inTransaction(
      () => this.database().transaction(['recordings', 'chunks']),
      'load the recording',
      async (transaction) => {
        const row = await transaction.objectStore('recordings').get(id);
        if (!row) throw notFound(id);
        const { recording } = row;
        const samples = new Float32Array(recording.frames * recording.channels.length);
        let at = 0;
        for (let first = 0; first < row.chunks; first += CHUNKS_PER_READ) {
          const page = await transaction.objectStore('chunks').getAll(chunkRange(id, first), CHUNKS_PER_READ);
          for (const chunk of page) {
            if (at + chunk.samples.length > samples.length) throw corrupt(recording);
            samples.set(chunk.samples, at);
            at += chunk.samples.length;
          }
        }
        if (at !== samples.length) throw corrupt(recording);
        return samples;
      },
    );
  }

  async updateRecording(id: string, changes: RecordingChanges): Promise<Recording> {
    const recording = await this.changeRow(id, ['complete'], 'change the recording', (row) => ({
      ...row,
      recording: withChanges(row.recording, changes),
    }));
    this.announce('recordings');
    return recording;
  }

  trash(ids: readonly string[]): Promise<void> {
    return this.moveAll(ids, 'complete', 'trash', 'move to the trash');
  }

  restore(ids: readonly string[]): Promise<void> {
    return this.moveAll(ids, 'trash', 'complete', 'bring back from the trash');
  }

  async emptyTrash(): Promise<void> {
    await inTransaction(
      () => this.database().transaction(['recordings', 'chunks'], 'readwrite'),
      'empty the trash',
      async (transaction) => {
        const ids = await transaction.objectStore('recordings').index('state').getAllKeys('trash');
        await Promise.all(ids.flatMap((id) => removals(transaction, id)));
      },
    );
    this.announce('recordings');
  }

  async deleteForever(ids: readonly string[]): Promise<void> {
    await inTransaction(
      () => this.database().transaction(['recordings', 'chunks'], 'readwrite'),
      'delete the recordings',
      async (transaction) => {
        for (const id of ids) {
          const row = await transaction.objectStore('recordings').get(id);
          if (!row || row.state === 'unfinished') throw notFound(id);
          await Promise.all(removals(transaction, id));
        }
      },
    );
    this.announce('recordings');
  }

  async listUnfinished(): Promise<Recording[]> {
    const dead = await this.deadRows();
    const empty = dead.filter((row) => row.recording.frames === 0);
    if (empty.length > 0) await this.removeDead(empty.map((row) => row.id));
    return dead
      .filter((row) => row.recording.frames > 0)
      .map((row) => row.recording)
      .sort(oldestFirst);
  }

  async recover(id: string): Promise<Recording> {
    await this.checkDead(id);
    const recording = await this.changeRow(id, ['unfinished'], 'recover the recording', (row) => ({
      ...row,
      state: 'complete',
    }));
    this.announce('recordings');
    return recording;
  }

  async discardUnfinished(id: string): Promise<void> {
    await this.checkDead(id);
    await this.removeDead([id]);
    this.announce('recordings');
  }

  async putModel(model: StoredModel): Promise<void> {
    await inTransaction(
      () => this.database().transaction('models', 'readwrite', { durability: 'strict' }),
      `save the model “${model.name}”`,
      ({ store }) => store.put(model),
    );
    this.announce('models');
  }

  async listModels(): Promise<StoredModel[]> {
    const models = await inTransaction(
      () => this.database().transaction('models'),
      'list the models',
      ({ store }) => store.getAll(),
    );
    return models.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
  }

  async deleteModel(id: string): Promise<void> {
    await inTransaction(
      () => this.database().transaction('models', 'readwrite'),
      'delete the model',
      ({ store }) => store.delete(id),
    );
    this.announce('models');
  }

  async getSetting<T>(key: string): Promise<T | undefined> {
    const value = await inTransaction(
      () => this.database().transaction('settings'),
      'read a setting',
      ({ store }) => store.get(key),
    );
    return value as T | undefined;
  }

  async putSetting(key: string, value: unknown): Promise<void> {
    await inTransaction(
      () => this.database().transaction('settings', 'readwrite'),
      'save a setting',
      ({ store }) => store.put(value, key),
    );
  }

  async usage(): Promise<StoreUsage> {
    const { storage } = this.dependencies;
    // Browsers that refuse (opaque origins) reject; then nothing is known.
    const estimate = await storage?.estimate().catch(() => null);
    const persisted = await storage?.persisted().catch(() => false);
    return { usedBytes: estimate?.usage ?? null, persisted: persisted ?? false };
  }

  async requestPersistence(): Promise<boolean> {
    return (await this.dependencies.storage?.persist().catch(() => false)) ?? false;
  }

  onChange(listener: (what: Change | 'closed') => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    // Their last transactions begin here; closing lets those that have begun run to their end.
    for (const journal of [...this.journals]) journal.abandon();
    this.opened?.close();
    this.dependencies.channel?.close();
  }

  /** Closes because an update in another tab needs the database, or because the browser took it away. */
  closeByForce(): void {
    if (this.closed) return;
    this.close();
    this.tell('closed');
  }

  private database(): StudioDatabase {
    if (this.closed || !this.opened) {
      throw new StoreError(
        'closed',
        'The studio’s storage was closed, by an update or by the browser. Reload the page.',
      );
    }
    return this.opened;
  }

  private tell(what: Change | 'closed'): void {
    for (const listener of [...this.listeners]) listener(what);
  }

  private announce(what: Change): void {
    if (!this.closed) this.dependencies.channel?.postMessage(what);
  }

  private rowsOf(state: RecordingState, what: string): Promise<RecordingRow[]> {
    return inTransaction(
      () => this.database().transaction('recordings'),
      what,
      ({ store }) => store.index('state').getAll(state),
    );
  }

  private async listState(state: RecordingState, what: string): Promise<Recording[]> {
    return (await this.rowsOf(state, what)).map((row) => row.recording).sort(oldestFirst);
  }

  private async deadRows(): Promise<RecordingRow[]> {
    const rows = await this.rowsOf('unfinished', 'look for unfinished recordings');
    const alive = await this.dependencies.living.filterLiving(rows);
    return rows.filter((row) => !alive.has(row.id));
  }

  private async checkDead(id: string): Promise<void> {
    const rows = await this.rowsOf('unfinished', 'look for the unfinished recording');
    const row = rows.find((each) => each.id === id);
    if (!row) throw notFound(id);
    if ((await this.dependencies.living.filterLiving([row])).has(id)) {
      throw new StoreError('busy', `“${row.recording.name}” is still being recorded, here or in another tab.`);
    }
  }

  private removeDead(ids: readonly string[]): Promise<void> {
    return inTransaction(
      () => this.database().transaction(['recordings', 'chunks'], 'readwrite'),
      'clear an unfinished recording away',
      async (transaction) => {
        for (const id of ids) {
          const row = await transaction.objectStore('recordings').get(id);
          if (row?.state === 'unfinished') await Promise.all(removals(transaction, id));
        }
      },
    );
  }

  private changeRow(
    id: string,
    from: readonly RecordingState[],
    what: string,
    change: (row: RecordingRow) => RecordingRow,
  ): Promise<Recording> {
    return inTransaction(
      () => this.database().transaction('recordings', 'readwrite', { durability: 'strict' }),
      what,
      async ({ store }) => {
        const row = await store.get(id);
        if (!row || !from.includes(row.state)) throw notFound(id);
        const changed = change(row);
        await store.put(changed);
        return changed.recording;
      },
    );
  }

  private async moveAll(ids: readonly string[], from: RecordingState, to: RecordingState, what: string): Promise<void> {
    await inTransaction(
      () => this.database().transaction('recordings', 'readwrite'),
      what,
      async ({ store }) => {
        for (const id of ids) {
          const row = await store.get(id);
          if (!row || row.state !== from) throw notFound(id);
          await store.put({ ...row, state: to });
        }
      },
    );
    this.announce('recordings');
  }
}

/** The requests that remove a recording and its chunks. */
function removals(
  transaction: {
    objectStore(name: 'recordings'): { delete(key: string): Promise<void> };
    objectStore(name: 'chunks'): { delete(key: IDBKeyRange): Promise<void> };
  },
  id: string,
): Promise<void>[] {
  return [transaction.objectStore('recordings').delete(id), transaction.objectStore('chunks').delete(chunkRange(id))];
}

function withChanges(recording: Recording, changes: RecordingChanges): Recording {
  const { name, label, segments, split } = changes;
  let changed: Recording = { ...recording };
  if (name !== undefined) changed = { ...changed, name };
  if (split !== undefined) changed = { ...changed, split };
  if (label !== undefined) changed = { ...changed, label, segments: label === null ? changed.segments : [] };
  if (segments !== undefined) {
    changed = {
      ...changed,
      segments: checkSegments(segments, recording),
      label: segments.length > 0 ? null : changed.label,
    };
  }
  return changed;
}

function checkSegments(segments: readonly Segment[], { frames, name }: Recording): Segment[] {
  const sorted = [...segments].sort((a, b) => a.start - b.start || a.end - b.end);
  sorted.forEach(({ start, end, label }, i) => {
    const whole = Number.isInteger(start) && Number.isInteger(end);
    if (!whole || start < 0 || end < start || end >= frames || (i > 0 && start <= sorted[i - 1]!.end)) {
      throw new StoreError(
        'corrupt',
        `The segment “${label}” (${start} to ${end}) does not fit into “${name}” (0 to ${frames - 1}) or overlaps another.`,
      );
    }
  });
  return sorted;
}

function oldestFirst(a: Recording, b: Recording): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

function notFound(id: string): StoreError {
  return new StoreError('not-found', `There is no such recording any more (${id}). Another tab may have removed it.`);
}

function existsError(name: string): StoreError {
  return new StoreError('exists', `“${name}” is in the collection already.`);
}

function corrupt({ name, frames }: Recording): StoreError {
  return new StoreError('corrupt', `The stored samples of “${name}” do not add up to its ${frames} frames.`);
}
