/** Two tabs that want the same board, over fake web locks and a fake broadcast channel that behave as the real ones. */
import { describe, expect, it } from 'vitest';
import { createFakeTime } from './fake-time';
import type { FakeTime } from './fake-time';
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
  const backend: PortBackend = {
    kind: 'web-serial',
    request: () => Promise.reject(new DOMException('none', 'NotFoundError')),
    ports: () => Promise.resolve(list),
    onPlugged: () => () => undefined,
    onUnplugged: () => () => undefined,
  };
  const claims = origin.claims(number, time);
  const catalog = createPortCatalog(backend, time, claims);
  return { catalog, claims, ports: list };
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
    await expect(time.until(createSession(await linkOf(b, 0), time).connect())).resolves.toBeTruthy();
  });

  it('a closed board is nobody’s, and messages of others mean nothing', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const [a, b] = [tab(origin, 1, time, 1), tab(origin, 2, time, 1)];
    const first = createSession(await linkOf(a), time);
    await time.until(first.connect());
    for (const data of [null, 'let-go', { type: 'let-go' }, { type: 'let-go', key: 7 }]) {
      origin.channel(2).postMessage(data);
    }
    expect(first.state.name).toBe('ready');
    await time.until(first.disconnect());
    expect(origin.held.size).toBe(0);
    expect(await b.claims.elsewhere(IDS)).toBe(0);
  });

  it('says so when the other tab keeps it', async () => {
    const time = createFakeTime();
    const origin = new Origin();
    const claims = origin.claims(1, time);
    const stubborn: LocksLike = {
      ...origin.locks,
      query: () => Promise.resolve({ held: [{ name: 'mote-port serial x' }] }),
    };
    const asking = createPortClaims({
      locks: stubborn,
      channel: origin.channel(2),
      timers: time.timers,
      randomId: () => 'y',
    });
    expect(await claims.listElsewhere()).toEqual([]);
    const error: unknown = await time
      .until(asking.takeOver({ usbVendorId: null, usbProductId: null }))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LinkError);
    expect(error).toMatchObject({ code: 'busy-tab' });
  });
});
