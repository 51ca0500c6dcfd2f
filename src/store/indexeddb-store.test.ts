import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { IDBFactory, IDBObjectStore } from 'fake-indexeddb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PRISTINE, type LoadedRecording, type Recording } from '../signal/recording';
import { openStudioStore, type ChangeChannel, type OpenStoreOptions } from './indexeddb-store';
import { WRITE_AFTER_MS } from './journal';
import { DEAD_AFTER_MS, type LockSource } from './living-recordings';
import { CHUNK_BYTES, DATABASE_VERSION } from './schema';
import { StoreError, type StudioStore } from './studio-store';

/** Time that only passes when told to. */
class Clock {
  time = 1_700_000_000_000;
  private next = 1;
  private readonly waiting = new Map<number, { readonly at: number; readonly callback: () => void }>();
  readonly now = () => this.time;
  readonly timers = {
    set: (callback: () => void, ms: number) => {
      const handle = this.next++;
      this.waiting.set(handle, { at: this.time + ms, callback });
      return handle;
    },
    clear: (handle: unknown) => void this.waiting.delete(handle as number),
  };

  /** Lets time pass, running what falls due, each with the database's work done before time goes on. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.waiting].filter(([, w]) => w.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.waiting.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].callback();
      await settle();
    }
    this.time = end;
    await settle();
  }
}

/** Long enough for fake-indexeddb to end what is under way. */
async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Web Locks of one browser: each tab has a view; a killed tab's locks are gone. */
class FakeLocks {
  private readonly held = new Map<string, object>();
  tab(): LockSource & { kill(): void } {
    const tab = {};
    return {
      request: async (name, callback) => {
        if (this.held.has(name)) throw new Error(`${name} is held`);
        this.held.set(name, tab);
        await callback();
        this.held.delete(name);
      },
      query: () => Promise.resolve({ held: [...this.held.keys()].map((name) => ({ name })) }),
      kill: () => {
        for (const [name, owner] of this.held) if (owner === tab) this.held.delete(name);
      },
    };
  }
}

/** A BroadcastChannel among the tabs of one test, synchronous. */
class FakeAir {
  private readonly ends = new Set<{ hear: (event: MessageEvent<unknown>) => void }>();
  tab(): ChangeChannel {
    const end = { hear: (_event: MessageEvent<unknown>) => undefined as void };
    this.ends.add(end);
    return {
      postMessage: (data) => {
        for (const other of this.ends) if (other !== end) other.hear({ data } as MessageEvent<unknown>);
      },
      addEventListener: (_type, listener) => void (end.hear = listener),
      close: () => void this.ends.delete(end),
    };
  }
}

let clock: Clock;
let locks: FakeLocks;
const opened: StudioStore[] = [];

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  clock = new Clock();
  locks = new FakeLocks();
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const store of opened.splice(0)) store.close();
});

async function open(options: OpenStoreOptions = {}): Promise<StudioStore> {
  const store = await openStudioStore({
    now: clock.now,
    timers: clock.timers,
    locks: null,
    channel: null,
    storage: null,
    ...options,
  });
  opened.push(store);
  return store;
}

function meta(id: string, changes: Partial<Recording> = {}): Omit<Recording, 'frames'> {
  return {
    id,
    name: `wave ${id}`,
    createdAt: 1000,
    sessionId: 'monday',
    channels: [
      { name: 'accX', unit: 'm/s2' },
      { name: 'accY', unit: 'm/s2' },
    ],
    rateHz: 100,
    measuredRateHz: 99.7,
    label: 'wave',
    segments: [],
    split: 'auto',
    source: { kind: 'generated', generator: 'test', seed: 1 },
    quality: PRISTINE,
    ...changes,
  };
}

function ramp(frames: number, from = 0): Float32Array {
  return Float32Array.from({ length: frames * 2 }, (_, i) => from * 2 + i);
}

function whole(id: string, frames: number, changes: Partial<Recording> = {}): LoadedRecording {
  return { recording: { ...meta(id, changes), frames }, samples: ramp(frames) };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreError);
  expect((error as StoreError).message).not.toBe('');
  return (error as StoreError).code;
}

test('a recording is journalled, finished and read back after reopening', async () => {
  const store = await open();
  const journal = await store.beginRecording(meta('a'));
  for (let at = 0; at < 500; at += 50) {
    journal.append({ frames: 50, samples: ramp(50, at) });
    await clock.pass(500);
  }
  expect(journal.frames).toBe(500);
  const finished = await journal.finish({ label: 'circle', quality: { ...PRISTINE, lostFrames: 3 } });
  expect(finished).toMatchObject({ id: 'a', frames: 500, label: 'circle', quality: { lostFrames: 3 } });
  store.close();
  const again = await open();
  expect(await again.listRecordings()).toEqual([finished]);
  expect(await again.loadSamples('a')).toEqual(ramp(500));
  expect(await again.listUnfinished()).toEqual([]);
});

test('the journal keeps a copy: the caller may reuse its buffer', async () => {
  const store = await open();
  const journal = await store.beginRecording(meta('a'));
  const buffer = Float32Array.of(1, 2);
  journal.append({ frames: 1, samples: buffer });
  buffer.fill(9);
  await journal.finish();
  expect([...(await store.loadSamples('a'))]).toEqual([1, 2]);
});

test('killed in the middle of a recording, at any moment: at most one second is missing', async () => {
  for (const killAfter of [1, 450, 799, 801, 1234, 1600, 2399, 2401, 7777]) {
    globalThis.indexedDB = new IDBFactory();
    const dying = locks.tab();
    const store = await open({ locks: dying });
    const journal = await store.beginRecording(meta('a'));
    // 100 Hz, two frames every 20 ms.
    let frames = 0;
    for (let ms = 0; ms < killAfter; ms += 20) {
      journal.append({ frames: 2, samples: ramp(2, frames) });
      frames += 2;
      await clock.pass(20);
    }
    // The tab dies: no flush, no close, its locks are freed by the browser.
    clock = new Clock();
    dying.kill();
    const next = await open({ locks: locks.tab() });
    const [unfinished] = await next.listUnfinished();
    const saved = unfinished?.frames ?? 0;
    expect(frames - saved).toBeLessThanOrEqual(100);
    if (saved === 0) continue;
    const recovered = await next.recover('a');
    expect(recovered).toMatchObject({ id: 'a', frames: saved, label: 'wave' });
    expect(await next.loadSamples('a')).toEqual(ramp(saved));
    expect(await next.listRecordings()).toEqual([recovered]);
    expect(await next.listUnfinished()).toEqual([]);
  }
});

test('fast data is written as soon as a chunk is full, in chunks below 64 KiB', async () => {
  const store = await open();
  const journal = await store.beginRecording(meta('a'));
  const framesPerChunk = CHUNK_BYTES / 8;
  for (let i = 0; i < 3; i++) {
    journal.append({ frames: framesPerChunk, samples: ramp(framesPerChunk, i * framesPerChunk) });
    await settle();
    expect(journal.writtenFrames).toBe((i + 1) * framesPerChunk);
  }
  await journal.finish();
  const raw = await openDB('mote', DATABASE_VERSION);
  const sizes = (await raw.getAll('chunks')).map((chunk: { samples: Float32Array }) => chunk.samples.byteLength);
  raw.close();
  expect(sizes).toEqual([CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES]);
});

test('samples that keep coming are written even when timers are not run', async () => {
  const store = await open();
  const journal = await store.beginRecording(meta('a'));
  journal.append({ frames: 1, samples: ramp(1) });
  clock.time += WRITE_AFTER_MS;
  journal.append({ frames: 1, samples: ramp(1, 1) });
  await settle();
  expect(journal.writtenFrames).toBe(2);
});

test('a recording under way in another tab is not offered, and cannot be taken away', async () => {
  const store = await open({ locks: locks.tab() });
  const other = await open({ locks: locks.tab() });
  const journal = await store.beginRecording(meta('a'));
  journal.append({ frames: 10, samples: ramp(10) });
  await clock.pass(1000);
  expect(await other.listUnfinished()).toEqual([]);
  expect(await store.listUnfinished()).toEqual([]);
  expect(await codeOf(other.recover('a'))).toBe('busy');
  expect(await codeOf(other.discardUnfinished('a'))).toBe('busy');
  await journal.finish();
  expect(await other.listRecordings()).toHaveLength(1);
});

test('without Web Locks, the beat tells a living journal from a dead one', async () => {
  const store = await open();
  const other = await open();
  const journal = await store.beginRecording(meta('a'));
  journal.append({ frames: 10, samples: ramp(10) });
  // The board is silent for a minute, but the tab lives.
  await clock.pass(60_000);
  expect(await other.listUnfinished()).toEqual([]);
  expect(await codeOf(other.recover('a'))).toBe('busy');
  // The tab dies: nobody runs its timers any more.
  clock.time += DEAD_AFTER_MS + 1;
  expect(await other.listUnfinished()).toMatchObject([{ id: 'a', frames: 10 }]);
  expect(await other.recover('a')).toMatchObject({ frames: 10 });
  // It was only asleep. What it still holds must not turn the recovered recording back into an unfinished one.
  journal.append({ frames: 1, samples: ramp(1, 10) });
  expect(await codeOf(journal.finish())).toBe('not-found');
  expect(await other.listRecordings()).toMatchObject([{ id: 'a', frames: 10 }]);
});

test('unfinished recordings can be discarded; empty ones vanish by themselves', async () => {
  const dying = locks.tab();
  const store = await open({ locks: dying });
  const journal = await store.beginRecording(meta('a'));
  journal.append({ frames: 10, samples: ramp(10) });
  await clock.pass(1000);
  await store.beginRecording(meta('empty'));
  dying.kill();
  const next = await open({ locks: locks.tab() });
  expect((await next.listUnfinished()).map((r) => r.id)).toEqual(['a']);
  await next.discardUnfinished('a');
  expect(await next.listUnfinished()).toEqual([]);
  expect(await codeOf(next.recover('empty'))).toBe('not-found');
  const raw = await openDB('mote', DATABASE_VERSION);
  expect(await raw.count('chunks')).toBe(0);
  expect(await raw.count('recordings')).toBe(0);
  raw.close();
});

test('a journal that is discarded leaves nothing, one that ended takes nothing', async () => {
  const store = await open();
  const journal = await store.beginRecording(meta('a'));
  journal.append({ frames: 10, samples: ramp(10) });
  await journal.flush();
  await journal.discard();
  expect(() => journal.append({ frames: 1, samples: ramp(1) })).toThrow(StoreError);
  expect(await codeOf(journal.finish())).toBe('closed');
  expect(await codeOf(journal.flush())).toBe('closed');
  expect(await store.listRecordings()).toEqual([]);
  expect(await codeOf(store.loadSamples('a'))).toBe('not-found');
});

/** From now on, transactions that put chunks fail as on a full disk: `put` resolves, the transaction aborts. */
function fillDisk(): { free(): void } {
  interface Abortable {
    _abort(name: string): void;
  }
  // Kept to be called with its own `this`.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  const put = IDBObjectStore.prototype.put;
  const spy = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
    this: InstanceType<typeof IDBObjectStore>,
    ...args: Parameters<typeof put>
  ) {
    const request = put.apply(this, args);
    if (this.name === 'chunks') {
      const transaction = this.transaction as unknown as Abortable;
      request.addEventListener('success', () => queueMicrotask(() => transaction._abort('QuotaExceededError')));
    }
    return request;
  });
  return { free: () => void spy.mockRestore() };
}

test('a full disk: told once, what was written is kept, and it goes on when there is room', async () => {
  const store = await open();
  const journal = await store.beginRecording(meta('a'));
  const told = vi.fn();
  journal.onFailure(told);
  journal.append({ frames: 100, samples: ramp(100) });
  await clock.pass(1000);
  expect(journal.writtenFrames).toBe(100);
  const disk = fillDisk();
  journal.append({ frames: 50, samples: ramp(50, 100) });
  await clock.pass(1000);
  expect(told).toHaveBeenCalledTimes(1);
  expect(told.mock.calls[0]![0]).toMatchObject({ code: 'quota' });
  expect(() => journal.append({ frames: 1, samples: ramp(1) })).toThrow(/storage is full/);
  expect(await codeOf(journal.flush())).toBe('quota');
  expect(journal.writtenFrames).toBe(100);
  disk.free();
  await journal.flush();
  expect(journal.writtenFrames).toBe(150);
  journal.append({ frames: 10, samples: ramp(10, 150) });
  expect(await journal.finish()).toMatchObject({ frames: 160 });
  expect(await store.loadSamples('a')).toEqual(ramp(160));
});

test('a disk that stays full: the recording ends unfinished, with all that was written', async () => {
  const store = await open();
  const journal = await store.beginRecording(meta('a'));
  journal.append({ frames: 100, samples: ramp(100) });
  await journal.flush();
  fillDisk();
  journal.append({ frames: 50, samples: ramp(50, 100) });
  expect(await codeOf(journal.finish())).toBe('quota');
  clock.time += DEAD_AFTER_MS + 1;
  expect(await store.listUnfinished()).toMatchObject([{ id: 'a', frames: 100 }]);
  expect(await store.recover('a')).toMatchObject({ frames: 100 });
  expect(await store.loadSamples('a')).toEqual(ramp(100));
});

test('an import is all or nothing', async () => {
  const store = await open();
  await store.addRecording(whole('before', 10));
  const disk = fillDisk();
  expect(await codeOf(store.addRecording(whole('big', 50_000)))).toBe('quota');
  expect((await store.listRecordings()).map((r) => r.id)).toEqual(['before']);
  disk.free();
  await store.addRecording(whole('big', 50_000));
  expect(await store.loadSamples('big')).toEqual(ramp(50_000));
  expect(await codeOf(store.addRecording(whole('big', 5)))).toBe('exists');
  expect(await codeOf(store.addRecording({ ...whole('bad', 5), samples: ramp(4) }))).toBe('corrupt');
});

test('more than one page of chunks comes back whole', async () => {
  const store = await open();
  const frames = 70 * (CHUNK_BYTES / 8) + 17;
  await store.addRecording(whole('long', frames));
  const samples = await store.loadSamples('long');
  expect(samples.length).toBe(frames * 2);
  expect(samples.every((value, i) => value === i)).toBe(true);
});

test('lists are in the order of recording', async () => {
  const store = await open();
  await store.addRecording(whole('c', 1, { createdAt: 3 }));
  await store.addRecording(whole('a', 1, { createdAt: 2 }));
  await store.addRecording(whole('b', 1, { createdAt: 2 }));
  expect((await store.listRecordings()).map((r) => r.id)).toEqual(['a', 'b', 'c']);
});

test('relabel, segments, split: samples stay as they are', async () => {
  const store = await open();
  await store.addRecording(whole('a', 100));
  expect(await store.updateRecording('a', { label: 'circle', split: 'test', name: 'n' })).toMatchObject({
    label: 'circle',
    split: 'test',
    name: 'n',
  });
  const segments = [
    { label: 'y', start: 50, end: 99 },
    { label: 'x', start: 0, end: 49 },
  ];
  const cut = await store.updateRecording('a', { segments });
  expect(cut.label).toBeNull();
  expect(cut.segments.map((s) => s.label)).toEqual(['x', 'y']);
  for (const bad of [
    [{ label: 'x', start: 0, end: 100 }],
    [{ label: 'x', start: -1, end: 5 }],
    [{ label: 'x', start: 5, end: 4 }],
    [{ label: 'x', start: 0.5, end: 4 }],
    [
      { label: 'x', start: 0, end: 50 },
      { label: 'y', start: 50, end: 60 },
    ],
  ]) {
    expect(await codeOf(store.updateRecording('a', { segments: bad }))).toBe('corrupt');
  }
  expect(await store.updateRecording('a', { label: 'wave' })).toMatchObject({ label: 'wave', segments: [] });
  expect(await store.loadSamples('a')).toEqual(ramp(100));
  expect(await codeOf(store.updateRecording('none', { label: 'x' }))).toBe('not-found');
});

test('trash and back', async () => {
  const store = await open();
  await store.addRecording(whole('a', 10));
  await store.addRecording(whole('b', 10));
  await store.trash(['a']);
  expect((await store.listRecordings()).map((r) => r.id)).toEqual(['b']);
  expect((await store.listTrash()).map((r) => r.id)).toEqual(['a']);
  expect(await codeOf(store.updateRecording('a', { label: 'x' }))).toBe('not-found');
  await store.restore(['a']);
  expect((await store.listRecordings()).map((r) => r.id)).toEqual(['a', 'b']);
  expect(await store.loadSamples('a')).toEqual(ramp(10));
  // All or nothing.
  expect(await codeOf(store.trash(['a', 'none']))).toBe('not-found');
  expect(await store.listTrash()).toEqual([]);
  await store.trash(['a', 'b']);
  await store.addRecording(whole('b', 20));
  expect(await store.loadSamples('b')).toEqual(ramp(20));
  await store.emptyTrash();
  expect(await store.listTrash()).toEqual([]);
  expect((await store.listRecordings()).map((r) => r.id)).toEqual(['b']);
  expect(await codeOf(store.loadSamples('a'))).toBe('not-found');
});

test('what is deleted for good frees its room; what is being made is not deleted', async () => {
  const store = await open();
  for (const id of ['a', 'b', 'c']) await store.addRecording(whole(id, 10));
  await store.trash(['b']);
  await store.deleteForever(['a', 'b']);
  expect((await store.listRecordings()).map((r) => r.id)).toEqual(['c']);
  expect(await store.listTrash()).toEqual([]);
  const journal = await store.beginRecording(meta('d'));
  expect(await codeOf(store.deleteForever(['c', 'd']))).toBe('not-found');
  expect(await store.listRecordings()).toHaveLength(1);
  await journal.discard();
  const raw = await openDB('mote', DATABASE_VERSION);
  expect(await raw.getAllKeys('chunks')).toEqual([['c', 0]]);
  raw.close();
});

test('samples that do not add up are told, not shown', async () => {
  const store = await open();
  await store.addRecording(whole('a', 20_000));
  const raw = await openDB('mote', DATABASE_VERSION);
  await raw.delete('chunks', ['a', 1]);
  raw.close();
  expect(await codeOf(store.loadSamples('a'))).toBe('corrupt');
});

test('models and settings', async () => {
  const store = await open();
  const model = (id: string, createdAt: number) => ({
    id,
    name: id,
    createdAt,
    pack: Uint8Array.of(1, 2, 3),
    report: { accuracy: 0.9 },
  });
  await store.putModel(model('old', 1));
  await store.putModel(model('new', 2));
  expect(await store.listModels()).toEqual([model('new', 2), model('old', 1)]);
  await store.deleteModel('old');
  expect((await store.listModels()).map((m) => m.id)).toEqual(['new']);
  expect(await store.getSetting('theme')).toBeUndefined();
  await store.putSetting('theme', { dark: true });
  expect(await store.getSetting('theme')).toEqual({ dark: true });
});

test('other tabs hear of changes, one’s own does not', async () => {
  const air = new FakeAir();
  const here = await open({ channel: air.tab() });
  const there = await open({ channel: air.tab() });
  const heardHere: string[] = [];
  const heardThere: string[] = [];
  here.onChange((what) => heardHere.push(what));
  const stop = there.onChange((what) => heardThere.push(what));
  await here.addRecording(whole('a', 1));
  await here.putModel({ id: 'm', name: 'm', createdAt: 1, pack: new Uint8Array(), report: null });
  expect(heardThere).toEqual(['recordings', 'models']);
  expect(heardHere).toEqual([]);
  stop();
  await here.trash(['a']);
  expect(heardThere).toHaveLength(2);
});

test('an update in another tab closes the store, with what was queued written', async () => {
  const store = await open();
  const heard: string[] = [];
  store.onChange((what) => heard.push(what));
  const journal = await store.beginRecording(meta('a'));
  journal.append({ frames: 10, samples: ramp(10) });
  const newer = await openDB('mote', DATABASE_VERSION + 1, { upgrade: () => undefined });
  expect(heard).toEqual(['closed']);
  expect(await codeOf(store.listRecordings())).toBe('closed');
  expect(() => journal.append({ frames: 1, samples: ramp(1) })).toThrow(StoreError);
  expect(await newer.get('recordings', 'a')).toMatchObject({ state: 'unfinished', recording: { frames: 10 } });
  newer.close();
  expect(await codeOf(open())).toBe('newer');
});

test('a database that another tab does not let go of is not waited for without end', async () => {
  // A deletion that waits for a stubborn tab makes every later open wait.
  const old = await openDB('mote', 1, { upgrade: (db) => void db.createObjectStore('anything') });
  const deleting = indexedDB.deleteDatabase('mote');
  const opening = codeOf(open());
  await settle();
  await clock.pass(20_000);
  expect(await opening).toBe('unavailable');
  old.close();
  await settle();
  expect(deleting.readyState).toBe('done');
});

test('an older version held open in another tab is reported as blocked', async () => {
  // There is no version before 1 that could be open yet, so the browser's event is given by hand.
  vi.spyOn(indexedDB, 'open').mockImplementation(() => {
    const request = new IDBOpenDBRequest();
    const target = new EventTarget();
    request.addEventListener = target.addEventListener.bind(target);
    request.removeEventListener = target.removeEventListener.bind(target);
    setImmediate(() => target.dispatchEvent(Object.assign(new Event('blocked'), { oldVersion: 0, newVersion: 1 })));
    return request;
  });
  const onBlocked = vi.fn();
  const opening = codeOf(open({ onBlocked }));
  await settle();
  await clock.pass(6_000);
  expect(await opening).toBe('blocked');
  expect(onBlocked).toHaveBeenCalledTimes(1);
});

test('no IndexedDB at all is said in words', async () => {
  // @ts-expect-error Taken away as in a browser that has none.
  globalThis.indexedDB = undefined;
  expect(await codeOf(open())).toBe('unavailable');
});

test('usage and persistence come from the browser, or are unknown', async () => {
  const store = await open();
  expect(await store.usage()).toEqual({ usedBytes: null, persisted: false });
  expect(await store.requestPersistence()).toBe(false);
  const asked = await open({
    storage: {
      estimate: () => Promise.resolve({ usage: 4096, quota: 1e9 }),
      persist: () => Promise.resolve(true),
      persisted: () => Promise.reject(new Error('not here')),
    },
  });
  expect(await asked.usage()).toEqual({ usedBytes: 4096, persisted: false });
  expect(await asked.requestPersistence()).toBe(true);
});
