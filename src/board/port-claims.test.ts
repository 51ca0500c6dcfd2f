/** Two tabs that want the same board, over fake web locks and a fake broadcast channel that behave as the real ones. */
import { describe, expect, it } from 'vitest';
import { createFakeTime } from '../../tests/fixtures/fake-time';
import type { FakeTime } from '../../tests/fixtures/fake-time';
import { LinkError } from './link';
import { createPortCatalog } from './port-catalog';
import type { PortBackend } from './port-catalog';
import { createPortClaims } from './port-claims';
import type { ChannelLike, LocksLike } from './port-claims';
import type { SerialPortLike } from './serial-port-link';
import { createSession } from './session';

/** Everything that the tabs of one browser share. */
class Origin {
  readonly held = new Map<string, (error: Error) => void>();
  readonly listeners: { readonly tab: number; readonly listener: (event: { data: unknown }) => void }[] = [];
  /** Tabs that hear nothing: frozen in the background. */
  readonly deaf = new Set<number>();
  #ids = 0;

  locks: LocksLike = {
    request: (name, { steal }, run) => {
      if (steal) this.held.get(name)?.(new DOMException('stolen', 'AbortError'));
      else if (this.held.has(name)) throw new Error('the tests never wait for a lock');
      return new Promise((resolve, reject) => {
        this.held.set(name, reject);
        run().then(() => {
          this.held.delete(name);
          resolve(undefined);
        }, reject);
      });
    },
    query: () => Promise.resolve({ held: [...this.held.keys()].map((name) => ({ name })) }),
  };

  channel(tab: number): ChannelLike {
    return {
      postMessage: (data) => {
        for (const other of [...this.listeners]) {
          if (other.tab !== tab && !this.deaf.has(other.tab)) other.listener({ data });
        }
      },
      addEventListener: (_type, listener) => this.listeners.push({ tab, listener }),
    };
  }

  claims(tab: number, time: FakeTime) {
    const { locks } = this;
    return createPortClaims({
      locks,
      channel: this.channel(tab),
      timers: time.timers,
      randomId: () => `id${++this.#ids}`,
    });
  }
}

const IDS = { usbVendorId: 0x2341, usbProductId: 0x43 };

/** A port that prints numbers while it is open; every tab sees an object of its own. */
function printingPort(time: FakeTime): SerialPortLike & { readonly isOpen: boolean } {
  let stream: ReadableStream<Uint8Array> | null = null;
  return {
    get readable() {
      return stream;
    },
    get writable() {
      return stream && new WritableStream<Uint8Array>();
    },
    get isOpen() {
      return stream !== null;
    },
    open() {
      let stop = (): void => undefined;
      stream = new ReadableStream<Uint8Array>({
        start(controller) {
          stop = time.timers.every(10, () => controller.enqueue(new TextEncoder().encode('1,2,3\r\n')));
        },
        cancel: () => stop(),
      });
      return Promise.resolve();
    },
    close() {
      stream = null;
      return Promise.resolve();
    },
    setSignals: () => Promise.resolve(),
    getInfo: () => IDS,
  };
}

function tab(origin: Origin, number: number, time: FakeTime, ports: number) {
  const list = Array.from({ length: ports }, () => printingPort(time));
  const plugged = [...list];
  let onUnplugged: (port: SerialPortLike) => void = () => undefined;
  const backend: PortBackend = {
    kind: 'web-serial',
    request: () => Promise.reject(new DOMException('none', 'NotFoundError')),
    ports: () => Promise.resolve(plugged),
    onPlugged: () => () => undefined,
    onUnplugged: (listener) => {
      onUnplugged = listener;
      return () => undefined;
    },
  };
  const claims = origin.claims(number, time);
  const catalog = createPortCatalog(backend, time, claims);
  const unplug = (index: number): void => {
    const [port] = plugged.splice(index, 1);
    if (port) onUnplugged(port);
  };
  return { catalog, claims, ports: list, unplug };
}

async function linkOf({ catalog }: ReturnType<typeof tab>, index = 0) {
  const link = (await catalog.remembered())[index];
  if (!link) throw new Error('no port');
  return link;
}

describe('two tabs and one board', () => {
  it('the second is told that the first has it, takes it over, and the first lets go cleanly and stays away', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const [a, b] = [tab(origin, 1, time, 1), tab(origin, 2, time, 1)];
    const first = createSession(await linkOf(a), time);
    await time.until(first.connect());
    await first.startStream();

    const link = await linkOf(b);
    const second = createSession(link, time);
    await expect(time.until(second.connect())).rejects.toMatchObject({ code: 'busy', cause: { code: 'busy-tab' } });
    expect(await b.claims.listElsewhere()).toEqual(['2341:0043']);
    expect(b.ports[0]?.isOpen).toBe(false);

    await time.until(link.takeOver?.() ?? Promise.reject(new Error('cannot take over')));
    expect(first.state).toMatchObject({ name: 'failed', error: { code: 'taken-over' } });
    expect(a.ports[0]?.isOpen).toBe(false);
    await time.until(second.connect());
    await second.startStream();
    await time.advance(20_000);
    expect(second.state.name).toBe('streaming');
    expect(first.state.name).toBe('failed');
    expect(await a.claims.listElsewhere()).toEqual(['2341:0043']);
  });

  it('a tab that hears nothing loses its lock, and the board', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const [a, b] = [tab(origin, 1, time, 1), tab(origin, 2, time, 1)];
    const first = createSession(await linkOf(a), time);
    await time.until(first.connect());
    origin.deaf.add(1);
    const link = await linkOf(b);
    await time.until(link.takeOver?.() ?? Promise.resolve());
    expect(first.state).toMatchObject({ name: 'failed', error: { code: 'taken-over' } });
    await time.until(createSession(link, time).connect());
  });

  it('a twin of a board that is in use elsewhere is free', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const [a, b] = [tab(origin, 1, time, 2), tab(origin, 2, time, 2)];
    await time.until(createSession(await linkOf(a, 0), time).connect());
    await time.until(createSession(await linkOf(b, 1), time).connect());
    const taken = createSession(await linkOf(b, 0), time);
    await expect(time.until(taken.connect())).rejects.toMatchObject({ cause: { code: 'busy-tab' } });
  });

  it('of two boards of one kind in a tab only the one that is asked for is let go', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const [a, b] = [tab(origin, 1, time, 2), tab(origin, 2, time, 2)];
    const sessions = [createSession(await linkOf(a, 0), time), createSession(await linkOf(a, 1), time)] as const;
    for (const session of sessions) await time.until(session.connect());
    const link = await linkOf(b, 1);
    await time.until(link.takeOver?.() ?? Promise.reject(new Error('cannot take over')));
    expect(sessions.map(({ state }) => state.name)).toEqual(['ready', 'failed']);
    expect(a.ports.map(({ isOpen }) => isOpen)).toEqual([true, false]);
    await time.until(createSession(link, time).connect());
    expect(b.ports.map(({ isOpen }) => isOpen)).toEqual([false, true]);
  });

  it('a board keeps its claim when another of its kind is unplugged and counted no more', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const [a, b] = [tab(origin, 1, time, 2), tab(origin, 2, time, 2)];
    const second = createSession(await linkOf(a, 1), time);
    await time.until(second.connect());
    const link = await linkOf(b, 1);
    for (const one of [a, b]) one.unplug(0);
    await time.advance(100);
    expect(await b.claims.elsewhere({ ...IDS, twin: 0 })).toEqual({ ports: 1, thisOne: true });
    expect(second.state.name).toBe('ready');
    await time.until(link.takeOver?.() ?? Promise.reject(new Error('cannot take over')));
    expect(second.state).toMatchObject({ name: 'failed', error: { code: 'taken-over' } });
    expect(origin.held.size).toBe(0);
  });

  it('asks for all of a kind when the other tab counts them differently', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const [a, b] = [origin.claims(1, time), origin.claims(2, time)];
    let taken = 0;
    const claim = a.claim(
      { ...IDS, twin: 3 },
      {
        onTaken: () => {
          taken++;
          claim.release();
        },
      },
    );
    await time.until(b.takeOver({ ...IDS, twin: 0 }));
    expect(taken).toBe(1);
  });

  it('is told to wait while the other tab writes to the board, and gets it afterwards', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const [a, b] = [tab(origin, 1, time, 1), tab(origin, 2, time, 1)];
    const held = await linkOf(a);
    const first = createSession(held, time);
    await time.until(first.connect());
    const done = held.keep?.();
    const link = await linkOf(b);
    const before = time.clock();
    const error: unknown = await time.until(link.takeOver?.() ?? Promise.resolve()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'busy-tab', message: expect.stringContaining('writing') as unknown });
    expect(time.clock() - before).toBeLessThan(200);
    expect(first.state.name).toBe('ready');
    done?.();
    await time.until(link.takeOver?.() ?? Promise.resolve());
    expect(first.state).toMatchObject({ name: 'failed', error: { code: 'taken-over' } });
  });

  it('a closed board is nobody’s, and messages of others mean nothing', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const [a, b] = [tab(origin, 1, time, 1), tab(origin, 2, time, 1)];
    const first = createSession(await linkOf(a), time);
    await time.until(first.connect());
    for (const data of [null, 'let-go', { type: 'let-go' }, { type: 'let-go', key: 7 }, { type: 'refused', key: '' }]) {
      origin.channel(2).postMessage(data);
    }
    expect(first.state.name).toBe('ready');
    await time.until(first.disconnect());
    expect(origin.held.size).toBe(0);
    expect(await b.claims.elsewhere({ ...IDS, twin: 0 })).toEqual({ ports: 0, thisOne: false });
  });

  it('says so when the other tab keeps it', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const claims = origin.claims(1, time);
    const stubborn: LocksLike = {
      ...origin.locks,
      query: () => Promise.resolve({ held: [{ name: 'mote-port serial 0 x' }] }),
    };
    const asking = createPortClaims({
      locks: stubborn,
      channel: origin.channel(2),
      timers: time.timers,
      randomId: () => 'y',
    });
    expect(await claims.listElsewhere()).toEqual([]);
    const error: unknown = await time
      .until(asking.takeOver({ usbVendorId: null, usbProductId: null, twin: 0 }))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LinkError);
    expect(error).toMatchObject({ code: 'busy-tab' });
  });
});
