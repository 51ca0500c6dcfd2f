/** A session with boards that print lines, say nothing, or nonsense: everything that needs no firmware of ours. */
import { describe, expect, it } from 'vitest';
import { generateRecording } from '../signal/motion-generator';
import { Random } from '../signal/random';
import { findBaudRate, USUAL_BAUD_RATES } from './baud-search';
import { BoardError } from './board';
import type { BoardIdentity, BoardSession, LineStats, SampleBatch, SessionState } from './board';
import { createFakeTime } from '../../tests/fixtures/fake-time';
import type { FakeTime } from '../../tests/fixtures/fake-time';
import { createFaultyLink } from '../../tests/fixtures/faulty-link';
import { LinkError } from './link';
import type { Link, LinkEvents } from './link';
import { createReplayLink } from './replay-link';
import { createSession, IDENTIFY_TIMEOUT_MS, STREAM_TIMEOUT_MS } from './session';
import type { BoardNote, SessionEnvironment } from './session';
import { createSessions } from './sessions';

interface Script {
  readonly link: Link;
  readonly written: Uint8Array[];
  /** What the link does at the next opening. */
  failNextOpen: LinkError | null;
  say(text: string | Uint8Array): void;
  pull(): void;
  comeBack(): void;
  readonly isOpen: boolean;
}

/** A link whose board does what the test says. */
function scripted(time: FakeTime): Script {
  let events: LinkEvents | null = null;
  const returned = new Set<() => void>();
  const script: Script = {
    written: [],
    failNextOpen: null,
    say: (text) => events?.onBytes(typeof text === 'string' ? new TextEncoder().encode(text) : text, time.clock()),
    pull() {
      const lost = events;
      events = null;
      lost?.onLost(new LinkError('disconnected', 'The test board was unplugged.'));
    },
    comeBack: () => [...returned].forEach((listener) => listener()),
    get isOpen() {
      return events !== null;
    },
    link: {
      info: { kind: 'test', title: 'Test board', usbVendorId: 1, usbProductId: 2 },
      open(_options, given) {
        const failure = script.failNextOpen;
        script.failNextOpen = null;
        if (failure) return Promise.reject(failure);
        events = given;
        return Promise.resolve();
      },
      write(bytes) {
        if (!events) return Promise.reject(new LinkError('closed', 'closed'));
        script.written.push(bytes);
        return Promise.resolve();
      },
      onReturn(listener) {
        returned.add(listener);
        return () => returned.delete(listener);
      },
      close() {
        events = null;
        return Promise.resolve();
      },
    },
  };
  return script;
}

interface Bench extends Script {
  readonly time: FakeTime;
  readonly session: BoardSession;
  readonly states: SessionState['name'][];
  readonly identities: BoardIdentity[];
  readonly batches: SampleBatch[];
  readonly stats: LineStats[];
}

function bench(environment: Partial<SessionEnvironment> = {}): Bench {
  const time = createFakeTime();
  const script = scripted(time);
  const session = createSession(script.link, { ...time, ...environment });
  const heard = { states: [], identities: [], batches: [], stats: [] } as Pick<
    Bench,
    'states' | 'identities' | 'batches' | 'stats'
  >;
  session.on('state', (state) => heard.states.push(state.name));
  session.on('identity', (identity) => heard.identities.push(identity));
  session.on('samples', (batch) => heard.batches.push(batch));
  session.on('lineStats', (stats) => heard.stats.push(stats));
  return Object.assign(script, { time, session, ...heard });
}

/** The board prints `line(i)` at `rateHz`, delivered in clumps of `clumpMs`. Returns how to stop it. */
function print(b: Bench, rateHz: number, line: (i: number) => string, clumpMs = 16): () => void {
  const start = b.time.clock();
  let printed = 0;
  return b.time.timers.every(clumpMs, () => {
    const due = Math.floor(((b.time.clock() - start) * rateHz) / 1000);
    let text = '';
    while (printed < due) text += `${line(printed++)}\r\n`;
    if (text) b.say(text);
  });
}

async function caught(promise: Promise<unknown>): Promise<BoardError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BoardError);
  return error as BoardError;
}

describe('a board that prints lines', () => {
  it('is recognised without being sent a byte, with names and rate', async () => {
    const b = bench();
    const connected = b.session.connect();
    await b.time.advance(10);
    b.say('accX,accY,accZ\r\n');
    print(b, 62.5, (i) => `${i},${-i},0.5`);
    const identity = await b.time.until(connected);
    expect(identity).toMatchObject({ dialect: 'lines', name: 'Test board', rateEstimated: true, slots: [] });
    expect(identity.channels[0]).toEqual({ name: 'accX', unit: 'm/s2' });
    expect(identity.rateHz).toBeGreaterThan(60);
    expect(identity.rateHz).toBeLessThan(65);
    expect(b.written).toEqual([]);
    await b.time.advance(20_000);
    expect(b.session.identity?.rateHz).toBeCloseTo(62.5, 0);
    // Told when it matters, not at every line.
    expect(b.identities.length).toBeLessThan(12);
  });

  it('is found after the boot loader of a board that resets when opened', async () => {
    const b = bench();
    const connected = b.session.connect();
    await b.time.advance(1900);
    expect(b.session.state.name).toBe('identifying');
    print(b, 100, (i) => `${i}\t${i}`);
    expect((await b.time.until(connected)).channels.length).toBe(2);
  });

  it('may be slow', async () => {
    const b = bench();
    const connected = b.session.connect();
    print(b, 0.8, () => '21.5 40');
    const identity = await b.time.until(connected);
    expect(identity.channels.length).toBe(2);
    expect(identity.rateHz).toBeGreaterThan(0.7);
    expect(identity.rateHz).toBeLessThan(0.9);
  });

  it('streams all readings in order, and only while asked', async () => {
    const b = bench();
    const connected = b.session.connect();
    const stop = print(b, 100, (i) => `${i},1`);
    await b.time.until(connected);
    expect(b.batches).toEqual([]);
    await b.session.startStream();
    await b.time.advance(1000);
    await b.session.stopStream();
    await b.time.advance(1000);
    stop();
    const counted = b.batches.flatMap((batch) => [...batch.samples].filter((_, i) => i % 2 === 0));
    expect(counted.length).toBeGreaterThan(95);
    counted.forEach((value, i) => expect(value).toBe((counted[0] ?? 0) + i));
    expect(b.batches.every((batch) => batch.lostBefore === 0 && batch.sequence === null)).toBe(true);
  });

  it('shows what was no reading', async () => {
    const b = bench();
    const connected = b.session.connect();
    print(b, 50, (i) => (i % 10 === 9 ? 'battery 80 %' : `${i},2`));
    await b.time.until(connected);
    await b.time.advance(2000);
    expect(b.stats.at(-1)).toMatchObject({ lastText: 'battery 80 %', malformed: 0 });
    expect(b.stats.at(-1)?.text).toBeGreaterThan(8);
    expect(b.stats.length).toBeLessThan(8);
  });

  it('takes a rate and names by hand, and remembers them', async () => {
    const notes: BoardNote[] = [];
    const b = bench({ storeNote: (note) => notes.push(note) });
    const connected = b.session.connect({ baudRate: 9600 });
    print(b, 50, (i) => `${i},2`);
    await b.time.until(connected);
    b.session.setRate(52);
    const channels = [
      { name: 'flex', unit: 'V' },
      { name: 'light', unit: 'lx' },
    ];
    b.session.setChannels?.(channels);
    await b.time.advance(5000);
    expect(b.session.identity).toMatchObject({ rateHz: 52, channels });
    expect(notes.at(-1)).toEqual({ baudRate: 9600, rateHz: 52, channels });
    expect(() => b.session.setRate(0)).toThrow(BoardError);
    expect(() => b.session.setChannels?.([])).toThrow(BoardError);

    const note = notes.at(-1);
    const again = bench(note ? { note } : {});
    const reconnected = again.session.connect();
    print(again, 50, (i) => `${i},2`);
    expect(await again.time.until(reconnected)).toMatchObject({ rateHz: 52, channels });
  });

  it('cannot take a model, and says why', async () => {
    const b = bench();
    const connected = b.session.connect();
    print(b, 50, (i) => `${i},2`);
    await b.time.until(connected);
    const error = await caught(b.session.deploy(new Uint8Array(100)));
    expect(error.code).toBe('not-supported');
    expect(error.message).toContain('firmware');
  });

  it('stalls by name when it falls silent, and heals when it speaks again', async () => {
    const b = bench();
    const connected = b.session.connect();
    const stop = print(b, 50, (i) => `${i},2`);
    await b.time.until(connected);
    await b.session.startStream();
    await b.time.advance(500);
    stop();
    await b.time.advance(STREAM_TIMEOUT_MS + 500);
    expect(b.session.state).toMatchObject({ name: 'failed', error: { code: 'timeout-stream' } });
    print(b, 50, (i) => `${i},2`);
    await b.time.advance(500);
    expect(b.session.state.name).toBe('streaming');
    expect(b.batches.filter((batch) => batch.lostBefore > 0).length).toBe(1);
  });

  it('streams on after it was pulled and plugged in, to the same listeners, and tells the gap', async () => {
    const b = bench();
    const connected = b.session.connect();
    print(b, 100, (i) => `${i},2`);
    await b.time.until(connected);
    await b.session.startStream();
    await b.time.advance(1000);
    b.pull();
    expect(b.session.state.name).toBe('lost');
    expect(b.isOpen).toBe(false);
    const before = b.batches.length;
    await b.time.advance(5000);
    // The port is announced before it can be opened.
    b.failNextOpen = new LinkError('open-failed', 'not yet');
    b.comeBack();
    await b.time.advance(5000);
    expect(b.session.state.name).toBe('streaming');
    expect(b.states.filter((name) => name === 'opening').length).toBe(3);
    const lost = b.batches[before]?.lostBefore ?? 0;
    expect(lost).toBeGreaterThan(500);
    expect(lost).toBeLessThan(750);
    expect(b.batches.slice(before + 1).every((batch) => batch.lostBefore === 0)).toBe(true);
  });

  it('does not start again when streaming was stopped while it was away', async () => {
    const b = bench();
    const connected = b.session.connect();
    print(b, 100, (i) => `${i},2`);
    await b.time.until(connected);
    await b.session.startStream();
    b.pull();
    await b.session.stopStream();
    b.comeBack();
    await b.time.advance(5000);
    expect(b.session.state.name).toBe('ready');
  });

  it('is read the same over a link that cuts everything into pieces', async () => {
    const time = createFakeTime();
    const random = new Random(8);
    const recording = generateRecording({ gesture: 'wave', seconds: 20, rateHz: 100, seed: 1 });
    const link = createFaultyLink(createReplayLink(recording, { timing: time }), {
      random: () => random.next(),
      timers: time.timers,
      toHost: { maxChunk: 7, delayMs: 5 },
    });
    const session = createSession(link, time);
    const identity = await time.until(session.connect());
    expect(identity.channels).toEqual(recording.recording.channels.map(({ name }) => ({ name, unit: unitOf(name) })));
    const got: number[] = [];
    session.on('samples', (batch) => got.push(...batch.samples));
    await session.startStream();
    await time.advance(5000);
    const all = [...recording.samples];
    const start = all.findIndex((_, i) => i % 6 === 0 && all.slice(i, i + 6).every((v, k) => v === got[k]));
    expect(start).toBeGreaterThan(0);
    expect(got).toEqual(all.slice(start, start + got.length));
    expect(got.length).toBeGreaterThan(6 * 490);
  });
});

const unitOf = (name: string): string => (name.startsWith('acc') ? 'm/s2' : '');

describe('a board that is not understood', () => {
  it('says nothing: silent, and the port is let go', async () => {
    const b = bench();
    const error = await caught(b.time.until(b.session.connect()));
    expect(error.code).toBe('silent');
    expect(b.session.state).toMatchObject({ name: 'failed', error: { code: 'silent' } });
    expect(b.isOpen).toBe(false);
    // Asked again and again while it may be booting.
    expect(b.written.length).toBeGreaterThan(8);
    expect(b.time.waiting).toBe(0);
  });

  it('says nonsense: garbage', async () => {
    const b = bench();
    const random = new Random(2);
    const connected = b.session.connect();
    b.time.timers.every(20, () => b.say(Uint8Array.from({ length: 40 }, () => 128 + (random.nextUint32() & 127))));
    const error = await caught(b.time.until(connected));
    expect(error.code).toBe('garbage');
    expect(error.message).toContain('115200 baud');
  });

  it('prints at another rate: wrong-baud, and the usual rates are tried until it is understood', async () => {
    const b = bench();
    let rate = 0;
    const open = b.link.open.bind(b.link);
    Object.assign(b.link, {
      open: (...args: Parameters<Link['open']>) => {
        rate = args[0].baudRate;
        return open(...args);
      },
    });
    b.time.timers.every(20, () =>
      b.say(rate === 9600 ? '1.5,2.5\r\n' : Uint8Array.of(0xe0, 0x80, 0xfe, 0xe0, 0x00, 0x80, 0xf8)),
    );
    expect((await caught(b.time.until(b.session.connect()))).code).toBe('wrong-baud');
    const tried: number[] = [];
    const found = await b.time.until(findBaudRate(b.session, 115_200, { onTry: (hz) => tried.push(hz) }));
    expect(found).toMatchObject({ baudRate: 9600, identity: { dialect: 'lines' } });
    expect(tried).toEqual([9600]);
    expect(b.session.state.name).toBe('ready');
  });

  it('is found at no rate: said so, and left at its own', async () => {
    const notes: BoardNote[] = [];
    const b = bench({ storeNote: (note) => notes.push(note) });
    await caught(b.time.until(b.session.connect()));
    const tried: number[] = [];
    const search = findBaudRate(b.session, 115_200, { onTry: (hz) => tried.push(hz) });
    expect((await caught(b.time.until(search))).code).toBe('garbage');
    expect(tried).toEqual(USUAL_BAUD_RATES.filter((hz) => hz !== 115_200));
    expect(notes.at(-1)?.baudRate).toBe(115_200);
    expect(b.session.state).toMatchObject({ name: 'failed', error: { code: 'silent' } });
    expect(b.isOpen).toBe(false);
  });

  it('only talks: garbage, with what it said', async () => {
    const b = bench();
    const connected = b.session.connect();
    b.time.timers.every(500, () => b.say('Waiting for WiFi\r\n'));
    expect((await caught(b.time.until(connected))).message).toContain('Waiting for WiFi');
  });

  it('does not open: the reason of the link, and connecting again works', async () => {
    const b = bench();
    b.failNextOpen = new LinkError('busy', 'The test board is in use.');
    const error = await caught(b.time.until(b.session.connect()));
    expect(error).toMatchObject({ code: 'busy', message: 'The test board is in use.' });
    const connected = b.session.connect();
    print(b, 100, (i) => `${i},2`);
    expect((await b.time.until(connected)).dialect).toBe('lines');
  });

  it('is given up when connecting is cancelled', async () => {
    const b = bench();
    const abort = new AbortController();
    const connected = caught(b.session.connect({ signal: abort.signal }));
    await b.time.advance(1000);
    abort.abort();
    expect((await connected).code).toBe('cancelled');
    expect(b.session.state.name).toBe('closed');
    await b.time.advance(IDENTIFY_TIMEOUT_MS);
    expect(b.isOpen).toBe(false);
    expect(b.time.waiting).toBe(0);
  });

  it('two callers of connect get the same answer', async () => {
    const b = bench();
    const both = Promise.all([b.session.connect(), b.session.connect()]);
    print(b, 100, (i) => `${i},2`);
    const [first, second] = await b.time.until(both);
    expect(first).toBe(second);
  });
});

describe('a replay over the mote dialect', () => {
  it('gives samples with sequence and board time, to half a step', async () => {
    const time = createFakeTime();
    const recording = generateRecording({ gesture: 'shake', seconds: 30, rateHz: 100, seed: 4 });
    const session = createSession(createReplayLink(recording, { dialect: 'mote', timing: time, speed: 4 }), time);
    const identity = await time.until(session.connect());
    expect(identity).toMatchObject({ dialect: 'mote', rateHz: 100, channels: recording.recording.channels });
    const batches: SampleBatch[] = [];
    session.on('samples', (batch) => batches.push(batch));
    await time.until(session.startStream());
    await time.advance(5000);
    const got = batches.flatMap((batch) => [...batch.samples]);
    expect(got.length).toBeGreaterThan(6 * 1900);
    const most = Array.from({ length: 6 }, (_, c) =>
      Math.max(...recording.samples.filter((_, i) => i % 6 === c).map(Math.abs)),
    );
    got.forEach((value, i) => {
      const half = ((most[i % 6] ?? 0) / 32767) * 0.51;
      expect(Math.abs(value - (recording.samples[i] ?? 0))).toBeLessThanOrEqual(half);
    });
    expect(batches.every((batch) => batch.lostBefore === 0)).toBe(true);
    expect(batches[1]?.boardTimeUs).toBe(((batches[1]?.sequence ?? 0) / 100) * 1e6);
    expect((await caught(session.readModel())).code).toBe('no-model');
  });
});

describe('several boards', () => {
  it('keeps one session per link and closes them all', async () => {
    const time = createFakeTime();
    const sessions = createSessions(time);
    let changes = 0;
    sessions.onChange(() => changes++);
    const first = scripted(time);
    const second = scripted(time);
    const a = sessions.open(first.link);
    expect(sessions.open(first.link)).toBe(a);
    const b = sessions.open(second.link);
    expect(sessions.all).toEqual([a, b]);
    expect(sessions.find(second.link)).toBe(b);
    const connecting = caught(a.connect());
    await sessions.close(a);
    expect((await connecting).code).toBe('disconnected');
    expect(sessions.all).toEqual([b]);
    await sessions.closeAll();
    expect(sessions.all).toEqual([]);
    expect(changes).toBe(4);
  });
});

describe('a board whose program is written', () => {
  it('is closed meanwhile, answers to nobody else, and can be connected afterwards', async () => {
    const b = bench();
    const connected = b.session.connect();
    print(b, 50, (i) => `${i},2`);
    await b.time.until(connected);
    await b.session.startStream();
    let openDuring = true;
    const programmed = b.session.program(async (link) => {
      openDuring = b.isOpen;
      expect((await caught(b.session.connect())).code).toBe('busy');
      expect((await caught(b.session.startStream())).code).toBe('busy');
      expect((await caught(b.session.program(() => Promise.resolve()))).code).toBe('busy');
      await link.open({ baudRate: 115_200 }, { onBytes: () => undefined, onLost: () => undefined });
      await link.close();
      return 7;
    });
    expect(await b.time.until(programmed)).toBe(7);
    expect(openDuring).toBe(false);
    expect(b.states.slice(-2)).toEqual(['programming', 'closed']);
    expect((await b.time.until(b.session.connect())).dialect).toBe('lines');
  });

  it('is left alone when it is taken off the bench in the middle', async () => {
    const b = bench();
    const failing = caught(
      b.session.program(async (link) => {
        await b.session.disconnect();
        await link.write(Uint8Array.of(1));
      }),
    );
    expect((await b.time.until(failing)).code).toBe('disconnected');
    expect(b.session.state.name).toBe('closed');
  });
});
