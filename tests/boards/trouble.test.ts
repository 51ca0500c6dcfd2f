/**
 * Every trouble that the studio has a name for, provoked through the code that meets it: the real firmware (as wasm) or
 * a scripted link below, the studio's titles, sentences and ways out above. The tables are complete by type: a code
 * that nobody can provoke does not compile.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BoardError, type BoardErrorCode, type BoardSession, type SessionState } from '../../src/board/board';
import { deployPack, packId } from '../../src/board/deploy';
import { createFakeTime, type FakeTime } from '../fixtures/fake-time';
import { createFaultyLink } from '../fixtures/faulty-link';
import { LinkError, type Link, type LinkErrorCode, type LinkEvents } from '../../src/board/link';
import { createMoteDialect } from '../../src/board/mote-dialect';
import { createFrameReader, encodeFrame } from '../../src/board/mote-frames';
import { bodyOf } from '../../src/board/mote-messages';
import { createPortCatalog, type PortBackend } from '../../src/board/port-catalog';
import { createPortClaims } from '../../src/board/port-claims';
import { requestSerialLink } from '../../src/board/serial-links';
import { WRITE_TIMEOUT_MS, type SerialPortLike } from '../../src/board/serial-port-link';
import { createSession, STREAM_TIMEOUT_MS } from '../../src/board/session';
import { smallModel } from '../fixtures/small-model';
import { flashUno } from '../../src/board/stk500v1';
import { hostInThread } from '../../src/board/virtual-board-host';
import { createVirtualLink, type VirtualLinkOptions } from '../../src/board/virtual-link';
import { FAULT, MESSAGE } from '../../src/board/wire';
import { writePack } from '../../src/emit/pack';
import { Random } from '../../src/signal/random';
import { recoveryOf } from '../../src/studio/stations/board/recovery';
import { troubleOf } from '../../src/studio/stations/deploy/trouble';

const wasm = new WebAssembly.Module(readFileSync(new URL('../../public/virtual-board.wasm', import.meta.url)));
const model = smallModel(1);
const pack = writePack(model);
const otherPack = writePack(smallModel(2));

async function thrown(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error('nothing went wrong');
  return error;
}

/** What was provoked, and the state that the session is in with it; null where no session takes part. */
interface Met {
  readonly error: Error;
  readonly state: SessionState['name'] | null;
}

// --- boards ---

/** Our firmware, connected, behind a link that can be made to swallow everything. */
async function virtualBoard(options: Partial<VirtualLinkOptions> = {}) {
  const time = createFakeTime();
  const link = createVirtualLink({ wasm, startHost: hostInThread(time), timing: time, ...options });
  const faulty = createFaultyLink(link, { random: () => 0.5, timers: time.timers });
  const session = createSession(faulty, time);
  await time.until(session.connect());
  return { time, link, session, mute: () => faulty.setFaults({ toBoard: { drop: 1 } }) };
}

async function met(session: BoardSession, promise: Promise<unknown>, time: FakeTime): Promise<Met> {
  const error = await thrown(time.until(promise));
  return { error, state: session.state.name };
}

/** A board that does what the test says. */
function scripted(answer: (bytes: Uint8Array, say: (bytes: Uint8Array) => void) => void = () => undefined) {
  const time = createFakeTime();
  let events: LinkEvents | null = null;
  const say = (bytes: Uint8Array): void => events?.onBytes(bytes, time.clock());
  const script = {
    time,
    say,
    openError: null as LinkError | null,
    lose: (error: LinkError) => events?.onLost(error),
    /** Says `bytes` every 20 ms. */
    repeat: (bytes: () => Uint8Array) => time.timers.every(20, () => say(bytes())),
  };
  const link: Link = {
    info: { kind: 'test', title: 'Test board', usbVendorId: 1, usbProductId: 2 },
    open(_options, given) {
      if (script.openError) return Promise.reject(script.openError);
      events = given;
      return Promise.resolve();
    },
    write(bytes) {
      answer(bytes, say);
      return Promise.resolve();
    },
    setSignals: () => Promise.resolve(),
    close() {
      events = null;
      return Promise.resolve();
    },
    onReturn: () => () => undefined,
  };
  return { ...script, script, link, session: createSession(link, time) };
}

const text = (line: string): Uint8Array => new TextEncoder().encode(line);

/** Prints numbers, connected and streaming. */
async function printing() {
  const board = scripted();
  const stop = board.repeat(() => text('1,2\r\n'));
  await board.time.until(board.session.connect());
  await board.session.startStream();
  return { ...board, stop };
}

// --- ports ---

const IDS = { usbVendorId: 0x2341, usbProductId: 0x43 };

class Port implements SerialPortLike {
  readable: ReadableStream<Uint8Array> | null = null;
  writable: WritableStream<Uint8Array> | null = null;
  constructor(private readonly behaviour: { readonly open?: DOMException; readonly read?: string } = {}) {}
  getInfo = () => IDS;
  setSignals = () => Promise.resolve();
  open(): Promise<void> {
    const { open, read } = this.behaviour;
    if (open) return Promise.reject(open);
    if (read === undefined) this.readable = new ReadableStream();
    else {
      // Every reading fails, with a fresh stream each time, as in Chromium.
      Object.defineProperty(this, 'readable', {
        configurable: true,
        get: () => new ReadableStream({ start: (controller) => controller.error(new DOMException('test', read)) }),
      });
    }
    this.writable = new WritableStream({ write: () => new Promise<void>(() => undefined) });
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

function catalogOf(ports: readonly Port[], request: () => Promise<Port>) {
  let unplug: (port: SerialPortLike) => void = () => undefined;
  const plugged = [...ports];
  const backend: PortBackend = {
    kind: 'web-serial',
    request,
    ports: () => Promise.resolve(plugged),
    onPlugged: () => () => undefined,
    onUnplugged: (listener) => {
      unplug = listener;
      return () => undefined;
    },
  };
  const pull = (): void => {
    const [port] = plugged.splice(0, 1);
    if (port) unplug(port);
  };
  return { backend, pull };
}

/** One port, and what to do with it. */
async function port(behaviour: ConstructorParameters<typeof Port>[0] = {}) {
  const time = createFakeTime();
  const only = new Port(behaviour);
  const { backend, pull } = catalogOf([only], () => Promise.resolve(only));
  const catalog = createPortCatalog(backend, time);
  const link = await catalog.request();
  return { time, link, pull };
}

async function opening(behaviour: ConstructorParameters<typeof Port>[0]): Promise<Met> {
  const { time, link } = await port(behaviour);
  const session = createSession(link, time);
  return met(session, session.connect(), time);
}

async function choosing(error: DOMException): Promise<Met> {
  const { backend } = catalogOf([], () => Promise.reject(error));
  return { error: await thrown(createPortCatalog(backend, createFakeTime()).request()), state: null };
}

/** The claims of two tabs on one origin. */
function tabs(time: FakeTime) {
  const held = new Set<string>();
  const listeners: ((event: { readonly data: unknown }) => void)[] = [];
  const make = (own: string) =>
    createPortClaims({
      locks: {
        request: async (name, _options, run) => {
          held.add(name);
          await run();
          held.delete(name);
        },
        query: () => Promise.resolve({ held: [...held].map((name) => ({ name })) }),
      },
      channel: {
        postMessage: (data) => listeners.forEach((listener) => listener({ data })),
        addEventListener: (_type, listener) => listeners.push(listener),
      },
      timers: time.timers,
      randomId: () => own,
    });
  return [make('a'), make('b')] as const;
}

async function twoTabs() {
  const time = createFakeTime();
  const [mine, its] = tabs(time);
  const links = await Promise.all(
    [mine, its].map((claims) => {
      const only = new Port();
      return createPortCatalog(catalogOf([only], () => Promise.resolve(only)).backend, time, claims).request();
    }),
  );
  const [first, second] = links;
  if (!first || !second) throw new Error('no links');
  const lost: LinkError[] = [];
  await first.open({ baudRate: 9600 }, { onBytes: () => undefined, onLost: (error) => lost.push(error) });
  return { time, second, lost };
}

// --- the tables ---

const BOARD: Readonly<Record<BoardErrorCode, () => Promise<Met>>> = {
  async 'timeout-hello'() {
    const time = createFakeTime();
    const nothing = { send: () => Promise.resolve(), onSamples: () => undefined, onResult: () => undefined };
    return { error: await thrown(time.until(createMoteDialect(time, nothing).hello())), state: null };
  },
  async 'timeout-command'() {
    const { time, session, mute } = await virtualBoard({ factoryPack: pack });
    mute();
    return met(session, session.readModel(), time);
  },
  async 'timeout-stream'() {
    const { time, session, stop } = await printing();
    stop();
    await time.advance(STREAM_TIMEOUT_MS + 500);
    return met(session, session.startStream(), time);
  },
  async silent() {
    const { time, session } = scripted();
    return met(session, session.connect(), time);
  },
  async garbage() {
    const { time, session, repeat } = scripted();
    const random = new Random(2);
    repeat(() => Uint8Array.from({ length: 40 }, () => 128 + (random.nextUint32() & 127)));
    return met(session, session.connect(), time);
  },
  async 'wrong-baud'() {
    const { time, session, repeat } = scripted();
    repeat(() => Uint8Array.of(0xe0, 0x80, 0xfe, 0xe0, 0x00, 0x80, 0xf8));
    return met(session, session.connect(), time);
  },
  async 'bootloader-silent'() {
    const { time, session } = await printing();
    const image = new Uint8Array(256);
    return met(
      session,
      session.program((link) => flashUno(link, { ...time, image: () => image })),
      time,
    );
  },
  async 'wrong-board'() {
    // A Mega's boot loader: it answers, and has another signature.
    const { time, session } = scripted((bytes, say) =>
      say(bytes[0] === 0x75 ? Uint8Array.of(0x14, 0x1e, 0x98, 0x01, 0x10) : Uint8Array.of(0x14, 0x10)),
    );
    return met(
      session,
      session.program((link) => flashUno(link, { ...time, image: () => new Uint8Array(256) })),
      time,
    );
  },
  async 'board-reset'() {
    const { time, session, link } = await virtualBoard();
    let pressed = false;
    const deploying = session.deploy(pack, {
      onProgress: ({ step, done }) => {
        if (step !== 'writing' || done === 0 || pressed) return;
        pressed = true;
        link.pressReset();
      },
    });
    return met(session, deploying, time);
  },
  async 'taken-over'() {
    const { time, session, lose } = await printing();
    lose(new LinkError('taken-over', 'Test board was taken over by another tab of the studio. Take it back.'));
    return met(session, session.startStream(), time);
  },
  async disconnected() {
    const { time, link } = await virtualBoard({ factoryPack: pack });
    await link.close();
    // The faulty link would tell of it in its own words.
    const session = createSession(link, time);
    await time.until(session.connect());
    const reading = session.readModel();
    link.unplug();
    return met(session, reading, time);
  },
  async 'link-failed'() {
    const { time, session, script } = scripted();
    script.openError = new LinkError('open-failed', 'Test board could not be opened. Try again.');
    return met(session, session.connect(), time);
  },
  async refused() {
    const { time, session } = await virtualBoard();
    return met(session, session.activateSlot(7), time);
  },
  async 'not-supported'() {
    const { time, session } = await printing();
    return met(session, session.deploy(pack), time);
  },
  async 'firmware-too-old'() {
    const reader = createFrameReader();
    const { time, session } = scripted((bytes, say) => {
      for (const { type, id } of reader.push(bytes)) {
        const tooOld = bodyOf(['u8', type], ['u8', FAULT.badVersion], ['u32', 0], Uint8Array.of(0));
        if (type === MESSAGE.hello) say(encodeFrame(MESSAGE.error, id, tooOld));
      }
    });
    return met(session, session.connect(), time);
  },
  async 'model-too-big'() {
    const { time, session } = await virtualBoard();
    return met(session, session.deploy(writePack(smallModel(3, 30_000))), time);
  },
  async 'model-rejected'() {
    const { time, session } = await virtualBoard();
    return met(session, session.deploy(Uint8Array.of(1, 2, 3)), time);
  },
  async 'verify-mismatch'() {
    // Flash that reads back differently: our firmware checks its own, so its place is taken here.
    const slot = { index: 0, capacityBytes: 1e6, state: 'empty', active: false, model: null } as const;
    const store = {
      slots: () => Promise.resolve([slot]),
      put: () => Promise.resolve({ modelId: packId(pack) ?? 0, ramBytes: 0 }),
      compare: () => Promise.resolve({ from: 0, to: 1024 }),
      read: () => Promise.reject(new Error('not reached')),
      selfTest: () => Promise.reject(new Error('not reached')),
      activate: () => Promise.reject(new Error('not reached')),
    };
    const identity = { name: 'Test board', modelRamBytes: null };
    return { error: await thrown(deployPack(store, identity, pack, { clock: () => 0 })), state: null };
  },
  async 'self-test-failed'() {
    const { time, session } = await virtualBoard();
    const scores = model.selfTest.scores.map((score, i) => (i === 0 ? score ^ 1 : score));
    const wrong = writePack({ ...model, selfTest: { ...model.selfTest, scores } });
    return met(session, session.deploy(wrong), time);
  },
  async 'slot-corrupt'() {
    let image: Uint8Array | null = null;
    const storage = {
      load: () => Promise.resolve(image),
      save: (now: Uint8Array) => Promise.resolve(void (image = now)),
    };
    const { time, session } = await virtualBoard({ storage });
    await time.until(session.deploy(pack));
    await time.until(session.deploy(otherPack));
    await time.until(session.disconnect());
    const flash: Uint8Array = (image as Uint8Array | null) ?? new Uint8Array(0);
    for (const one of [pack, otherPack]) {
      const at = Buffer.from(flash).indexOf(one.subarray(0, 64));
      expect(at).toBeGreaterThan(0);
      flash[at + 600] = (flash[at + 600] ?? 0) ^ 4;
    }
    const again = await virtualBoard({ storage });
    expect(again.session.identity?.slots.map(({ state }) => state)).toEqual(['corrupt', 'corrupt']);
    return met(again.session, again.session.readModel({ slot: 0 }), again.time);
  },
  async 'no-model'() {
    const { time, session } = await virtualBoard();
    return met(session, session.readModel(), time);
  },
  async busy() {
    const { time, session } = await virtualBoard();
    const deploying = session.deploy(pack);
    const { name: state } = session.state;
    const error = await thrown(session.selfTest());
    await time.until(deploying);
    return { error, state };
  },
  async cancelled() {
    const { time, session } = await virtualBoard();
    const abort = new AbortController();
    const deploying = session.deploy(pack, { signal: abort.signal, onProgress: () => abort.abort() });
    return met(session, deploying, time);
  },
};

/** Where the board is afterwards; null: no session takes part. */
const STATES: Readonly<Record<BoardErrorCode, SessionState['name'] | null>> = {
  'timeout-hello': null,
  'timeout-command': 'ready',
  'timeout-stream': 'failed',
  silent: 'failed',
  garbage: 'failed',
  'wrong-baud': 'failed',
  'bootloader-silent': 'failed',
  'wrong-board': 'failed',
  'board-reset': 'ready',
  'taken-over': 'failed',
  disconnected: 'lost',
  'link-failed': 'failed',
  refused: 'ready',
  'not-supported': 'streaming',
  'firmware-too-old': 'failed',
  'model-too-big': 'ready',
  'model-rejected': 'ready',
  'verify-mismatch': null,
  'self-test-failed': 'ready',
  'slot-corrupt': 'ready',
  'no-model': 'ready',
  busy: 'deploying',
  cancelled: 'ready',
};

const LINK: Readonly<Record<LinkErrorCode, () => Promise<Met>>> = {
  'chooser-cancelled': () => choosing(new DOMException('No port selected by the user.', 'NotFoundError')),
  'permission-blocked': () => choosing(new DOMException('Blocked by policy.', 'SecurityError')),
  async 'not-supported'() {
    return { error: await thrown(requestSerialLink({ ...createFakeTime() })), state: null };
  },
  async 'no-port'() {
    const { time, link, pull } = await port();
    pull();
    const session = createSession(link, time);
    return met(session, session.connect(), time);
  },
  async 'busy-tab'() {
    const { time, second } = await twoTabs();
    const session = createSession(second, time);
    return met(session, session.connect(), time);
  },
  async 'taken-over'() {
    const { time, second, lost } = await twoTabs();
    await time.until(second.takeOver?.() ?? Promise.reject(new Error('cannot take over')));
    const [error] = lost;
    if (!error) throw new Error('nothing went wrong');
    return { error, state: null };
  },
  busy: () => opening({ open: new DOMException('The port is already open.', 'InvalidStateError') }),
  'open-failed': () => opening({ open: new DOMException('Failed to open serial port.', 'NetworkError') }),
  async disconnected() {
    const { time, link, pull } = await port();
    const session = createSession(link, time);
    const connecting = session.connect();
    await time.advance(100);
    pull();
    return met(session, connecting, time);
  },
  async 'write-timeout'() {
    const { time, link } = await port();
    await link.open({ baudRate: 9600 }, { onBytes: () => undefined, onLost: () => undefined });
    const failed = thrown(link.write(Uint8Array.of(1)));
    await time.advance(WRITE_TIMEOUT_MS);
    return { error: await failed, state: null };
  },
  framing: () => opening({ read: 'FramingError' }),
  async closed() {
    const { link } = await port();
    return { error: await thrown(link.write(Uint8Array.of(1))), state: null };
  },
};

/** What happened and what to do: two sentences, or one that names both. */
function expectAdvice(message: string): void {
  expect(message).toMatch(/^[A-Z0-9]/);
  expect(message).toMatch(/[.”]$/);
  expect(message.split(/[.:;?] |, or /).length).toBeGreaterThan(1);
}

describe('trouble with a board, through session and firmware', () => {
  for (const [code, provoke] of Object.entries(BOARD) as [BoardErrorCode, () => Promise<Met>][])
    test(
      code,
      async () => {
        const { error, state } = await provoke();
        expect(error).toBeInstanceOf(BoardError);
        expect(error).toMatchObject({ code });
        expect(state).toBe(STATES[code]);
        expectAdvice(error.message);
        expect(recoveryOf(error).waysOut.length).toBeGreaterThan(0);
        const { happened, why, todo } = troubleOf(error);
        for (const sentence of [happened, why, todo]) expect(sentence).toMatch(/^[A-Z].{8,}/);
      },
      60_000,
    );
});

describe('trouble with a port, through catalog and link', () => {
  for (const [code, provoke] of Object.entries(LINK) as [LinkErrorCode, () => Promise<Met>][])
    test(code, async () => {
      const { error, state } = await provoke();
      // Behind a session the link's error is the cause, and gives the title.
      expect(error instanceof LinkError ? error : error.cause).toMatchObject({ name: 'LinkError', code });
      expect([null, 'failed', 'lost']).toContain(state);
      expectAdvice(error.message);
      expect(recoveryOf(error).title).toBe(recoveryOf(new LinkError(code, '')).title);
    });
});

test('a reset in the middle of each kind of command ends well, or by name, and the old model runs', async () => {
  for (const at of ['writing', 'verifying', 'self-test', 'switching'] as const) {
    const { time, session, link } = await virtualBoard();
    await time.until(session.deploy(pack));
    await session.startStream();
    let pressed = false;
    const outcome = await time
      .until(
        session.deploy(otherPack, {
          onProgress: ({ step, done, total }) => {
            // Checksums of a small pack come in one reply, and switching is one request: pressed as they begin.
            const short = at === 'verifying' || at === 'switching';
            if (pressed || step !== at || (!short && (done === 0 || done === total))) return;
            pressed = true;
            link.pressReset();
          },
        }),
        200_000,
      )
      .then(
        () => 'deployed',
        (error: unknown) => (error as BoardError).code,
      );
    expect(pressed).toBe(true);
    // Reading, testing and switching can simply be asked for again; an upload is forgotten.
    expect(outcome).toBe(at === 'writing' ? 'board-reset' : 'deployed');
    await time.advance(10_000);
    expect(session.state.name).toBe('streaming');
    const running = await time.until(session.readModel());
    expect(packId(running)).toBe(packId(at === 'writing' ? pack : otherPack));
    const proof = await time.until(session.selfTest(), 60_000);
    expect(proof.passed).toBe(proof.total);
  }
}, 120_000);
