/** Native Web Serial links over a fake `navigator.serial` that behaves as Chromium does. */
import { describe, expect, it } from 'vitest';
import { createFakeTime } from '../../tests/fixtures/fake-time';
import type { FakeTime } from '../../tests/fixtures/fake-time';
import { LinkError } from './link';
import type { Link } from './link';
import {
  forgetSerialLink,
  onSerialLinksChange,
  rememberedSerialLinks,
  requestSerialLink,
  serialBacking,
} from './serial-links';
import type { SerialEnvironment } from './serial-links';
import { LOOK_AGAIN_MS, SERIAL_BUFFER_BYTES, WRITE_TIMEOUT_MS } from './serial-port-link';
import type { SerialPortLike } from './serial-port-link';
import { createSession } from './session';
import type { SerialLike } from './web-serial-link';

interface Ids {
  readonly usbVendorId?: number;
  readonly usbProductId?: number;
}

/** A port: bytes are put in with `arrive`, errors with `fail`. Streams are replaced after errors, as in Chromium. */
class FakePort extends EventTarget implements SerialPortLike {
  readable: ReadableStream<Uint8Array> | null = null;
  writable: WritableStream<Uint8Array> | null = null;
  readonly written: number[] = [];
  readonly signals: object[] = [];
  openedWith: object | null = null;
  openError: DOMException | null = null;
  stuck = false;
  closes = 0;
  forgotten = false;
  private controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(private readonly ids: Ids) {
    super();
  }
  getInfo(): Ids {
    return this.ids;
  }
  open(options: { baudRate: number; bufferSize: number }): Promise<void> {
    if (this.openError) return Promise.reject(this.openError);
    if (this.readable) return Promise.reject(new DOMException('The port is already open.', 'InvalidStateError'));
    this.openedWith = options;
    this.renew();
    this.writable = new WritableStream({
      write: (chunk) => {
        if (this.stuck) return new Promise<void>(() => undefined);
        this.written.push(...chunk);
        return Promise.resolve();
      },
    });
    return Promise.resolve();
  }
  private renew(): void {
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.controller = controller;
      },
    });
  }
  close(): Promise<void> {
    if (this.readable?.locked || this.writable?.locked) {
      return Promise.reject(new TypeError('Cannot cancel a locked stream'));
    }
    this.closes++;
    this.readable = null;
    this.writable = null;
    return Promise.resolve();
  }
  setSignals(signals: object): Promise<void> {
    this.signals.push(signals);
    return Promise.resolve();
  }
  forget(): Promise<void> {
    this.forgotten = true;
    return Promise.resolve();
  }
  arrive(...bytes: number[]): void {
    this.controller?.enqueue(Uint8Array.from(bytes));
  }
  /** A reading error; the stream is renewed unless the device is gone. */
  fail(name: string): void {
    const { controller } = this;
    if (name === 'NetworkError') this.readable = null;
    else this.renew();
    controller?.error(new DOMException(`test ${name}`, name));
  }
}

/** `connect` and `disconnect` are fired at the port and bubble to here, with the port as target. */
class FakeSerial implements SerialLike {
  readonly ports: FakePort[] = [];
  chosen: FakePort | DOMException = new DOMException('No port selected by the user.', 'NotFoundError');
  readonly filters: unknown[] = [];
  private readonly listeners = { connect: new Set<(e: Event) => void>(), disconnect: new Set<(e: Event) => void>() };

  getPorts(): Promise<FakePort[]> {
    return Promise.resolve([...this.ports]);
  }
  requestPort(options: { filters: unknown[] }): Promise<FakePort> {
    this.filters.push(options.filters);
    if (this.chosen instanceof DOMException) return Promise.reject(this.chosen);
    if (!this.ports.includes(this.chosen)) this.ports.push(this.chosen);
    return Promise.resolve(this.chosen);
  }
  addEventListener(type: 'connect' | 'disconnect', listener: (e: Event) => void): void {
    this.listeners[type].add(listener);
  }
  removeEventListener(type: 'connect' | 'disconnect', listener: (e: Event) => void): void {
    this.listeners[type].delete(listener);
  }
  private fire(type: 'connect' | 'disconnect', port: FakePort): void {
    const event = new Event(type);
    Object.defineProperty(event, 'target', { value: port });
    for (const listener of this.listeners[type]) listener(event);
  }
  plug(port: FakePort): FakePort {
    this.ports.push(port);
    this.fire('connect', port);
    return port;
  }
  unplug(port: FakePort): void {
    this.ports.splice(this.ports.indexOf(port), 1);
    port.fail('NetworkError');
    this.fire('disconnect', port);
  }
}

const UNO: Ids = { usbVendorId: 0x2341, usbProductId: 0x43 };

interface Bench {
  readonly time: FakeTime;
  readonly serial: FakeSerial;
  readonly environment: SerialEnvironment;
}

function bench(): Bench {
  const time = createFakeTime();
  const serial = new FakeSerial();
  return { time, serial, environment: { ...time, serial } };
}

interface Heard {
  readonly bytes: number[];
  readonly lost: LinkError[];
}

async function open(link: Link): Promise<Heard> {
  const heard: Heard = { bytes: [], lost: [] };
  await link.open(
    { baudRate: 115200 },
    { onBytes: (bytes) => heard.bytes.push(...bytes), onLost: (error) => heard.lost.push(error) },
  );
  return heard;
}

async function caught(promise: Promise<unknown>): Promise<LinkError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LinkError);
  return error as LinkError;
}

describe('choosing a board', () => {
  it('gives a link with a name that people know', async () => {
    const { serial, environment } = bench();
    serial.chosen = new FakePort(UNO);
    const link = await requestSerialLink(environment, { filters: [{ usbVendorId: 0x2341 }] });
    expect(link.info).toEqual({ kind: 'web-serial', title: 'Arduino (2341:0043)', ...UNO });
    expect(serial.filters).toEqual([[{ usbVendorId: 0x2341 }]]);
    expect(await requestSerialLink(environment)).toBe(link);
    expect(await rememberedSerialLinks(environment)).toEqual([link]);
  });

  it('tells a closed chooser, a policy and a browser without serial apart', async () => {
    const { time, serial, environment } = bench();
    expect((await caught(requestSerialLink(environment))).code).toBe('chooser-cancelled');
    serial.chosen = new DOMException('blocked', 'SecurityError');
    expect((await caught(requestSerialLink(environment))).code).toBe('permission-blocked');
    const none: SerialEnvironment = { ...time };
    expect(serialBacking(none)).toBeNull();
    expect((await caught(requestSerialLink(none))).code).toBe('not-supported');
    expect(await rememberedSerialLinks(none)).toEqual([]);
  });

  it('knows remembered ports again, and tells when boards come and go', async () => {
    const { serial, environment } = bench();
    let changes = 0;
    const stop = onSerialLinksChange(environment, () => changes++);
    const first = serial.plug(new FakePort(UNO));
    serial.plug(new FakePort({ usbVendorId: 0x2e8a, usbProductId: 5 }));
    const links = await rememberedSerialLinks(environment);
    expect(links.map((link) => link.info.title)).toEqual(['Arduino (2341:0043)', 'Raspberry Pi (2e8a:0005)']);
    expect(await rememberedSerialLinks(environment)).toEqual(links);
    serial.unplug(first);
    expect(await rememberedSerialLinks(environment)).toEqual([links[1]]);
    expect(changes).toBe(3);
    stop();
    const [, pico] = links;
    if (pico) await forgetSerialLink(environment, pico);
    expect(serial.ports[0]?.forgotten).toBe(true);
    expect(changes).toBe(3);
  });
});

describe('a native link', () => {
  async function opened(): Promise<Bench & { readonly port: FakePort; readonly link: Link; readonly heard: Heard }> {
    const b = bench();
    const port = new FakePort(UNO);
    b.serial.chosen = port;
    const link = await requestSerialLink(b.environment);
    const heard = await open(link);
    return { ...b, port, link, heard };
  }

  it('carries bytes both ways, with a large buffer', async () => {
    const { time, port, link, heard } = await opened();
    expect(port.openedWith).toEqual({ baudRate: 115200, bufferSize: SERIAL_BUFFER_BYTES });
    port.arrive(1, 2);
    port.arrive();
    port.arrive(3);
    await Promise.all([link.write(Uint8Array.of(4, 5)), link.write(Uint8Array.of(6))]);
    await time.advance(0);
    expect(heard.bytes).toEqual([1, 2, 3]);
    expect(port.written).toEqual([4, 5, 6]);
    await link.setSignals?.({ dataTerminalReady: false, requestToSend: true });
    expect(port.signals).toEqual([{ dataTerminalReady: false, requestToSend: true }]);
  });

  it('closes while a read is pending, and opens again', async () => {
    const { time, port, link, heard } = await opened();
    await link.close();
    await link.close();
    expect(port.closes).toBe(1);
    expect(heard.lost).toEqual([]);
    const again = await open(link);
    port.arrive(7);
    await time.advance(0);
    expect(again.bytes).toEqual([7]);
    expect((await caught(open(link))).code).toBe('busy');
  });

  it('opens anew at once while the closing is still under way', async () => {
    const { port, link } = await opened();
    void link.close();
    await open(link);
    expect(port.closes).toBe(1);
    expect(port.readable).not.toBeNull();
  });

  it('reads on after errors of the line', async () => {
    const { time, port, heard } = await opened();
    for (const name of ['BufferOverrunError', 'BreakError', 'FramingError', 'ParityError']) {
      port.fail(name);
      await time.advance(0);
      port.arrive(1);
      await time.advance(0);
    }
    expect(heard.bytes).toEqual([1, 1, 1, 1]);
    expect(heard.lost).toEqual([]);
  });

  it('gives up a line that brings nothing but errors', async () => {
    const { time, port, heard } = await opened();
    for (let i = 0; i < 150; i++) {
      port.fail('FramingError');
      await time.advance(0);
    }
    expect(heard.lost.map((error) => error.code)).toEqual(['framing']);
  });

  it('is lost once when it is unplugged in the middle of a read', async () => {
    const { time, serial, port, link, heard } = await opened();
    port.arrive(1);
    await time.advance(0);
    serial.unplug(port);
    await time.advance(10_000);
    expect(heard.lost.map((error) => error.code)).toEqual(['disconnected']);
    expect((await caught(link.write(Uint8Array.of(1)))).code).toBe('closed');
    expect((await caught(open(link))).code).toBe('no-port');
  });

  it('is lost when the device dies without an event', async () => {
    const { time, port, heard } = await opened();
    port.fail('NetworkError');
    await time.advance(0);
    expect(heard.lost.map((error) => error.code)).toEqual(['disconnected']);
  });

  it('looks once more after a loss that was no unplugging, and never finds a board that is gone', async () => {
    const { time, serial, port, link, heard } = await opened();
    let returns = 0;
    port.fail('NetworkError');
    await time.advance(0);
    expect(heard.lost.length).toBe(1);
    const stop = link.onReturn?.(() => returns++);
    await time.advance(LOOK_AGAIN_MS);
    expect(returns).toBe(1);
    stop?.();

    await open(link);
    serial.unplug(port);
    link.onReturn?.(() => returns++);
    await time.advance(10 * LOOK_AGAIN_MS);
    expect(returns).toBe(1);
  });

  it('does not wait for ever for a port that takes nothing', async () => {
    const { time, port, link } = await opened();
    port.stuck = true;
    const failed = caught(link.write(Uint8Array.of(1)));
    await time.advance(WRITE_TIMEOUT_MS);
    expect((await failed).code).toBe('write-timeout');
    await time.until(link.close());
  });

  it.each([
    ['InvalidStateError', 'The port is already open.', 'busy'],
    ['NetworkError', 'Failed to open serial port.', 'open-failed'],
    ['SecurityError', 'Access denied.', 'permission-blocked'],
  ])('explains %s at opening', async (name, message, code) => {
    const b = bench();
    const port = new FakePort(UNO);
    port.openError = new DOMException(message, name);
    b.serial.chosen = port;
    const link = await requestSerialLink(b.environment);
    expect((await caught(open(link))).code).toBe(code);
  });
});

describe('a board that is plugged in again', () => {
  it('is the same link although it is a new port object', async () => {
    const { time, serial, environment } = bench();
    const port = serial.plug(new FakePort(UNO));
    const [link] = await rememberedSerialLinks(environment);
    if (!link) throw new Error('no link');
    let returns = 0;
    link.onReturn?.(() => returns++);
    await open(link);
    serial.unplug(port);
    await time.advance(0);
    const fresh = serial.plug(new FakePort(UNO));
    expect(returns).toBe(1);
    const heard = await open(link);
    fresh.arrive(9);
    await time.advance(0);
    expect(heard.bytes).toEqual([9]);
    expect(await rememberedSerialLinks(environment)).toEqual([link]);
  });

  it('is not guessed when two of its kind are missing', async () => {
    const { serial, environment } = bench();
    const a = serial.plug(new FakePort(UNO));
    const b = serial.plug(new FakePort(UNO));
    const links = await rememberedSerialLinks(environment);
    expect(links.length).toBe(2);
    serial.unplug(a);
    serial.unplug(b);
    serial.plug(new FakePort(UNO));
    const [stranger] = await rememberedSerialLinks(environment);
    expect(links).not.toContain(stranger);
  });

  it('gets its link back when the browser forgot it and the user chooses it anew', async () => {
    const { serial, environment } = bench();
    const port = new FakePort(UNO);
    serial.chosen = port;
    const link = await requestSerialLink(environment);
    let returns = 0;
    link.onReturn?.(() => returns++);
    serial.unplug(port);
    serial.chosen = new FakePort(UNO);
    expect(await requestSerialLink(environment)).toBe(link);
    expect(returns).toBe(1);
  });

  it('streams on in its session', async () => {
    const { time, serial, environment } = bench();
    const port = serial.plug(new FakePort(UNO));
    const [link] = await rememberedSerialLinks(environment);
    if (!link) throw new Error('no link');
    const session = createSession(link, time);
    const print = (to: FakePort): (() => void) =>
      time.timers.every(10, () => to.arrive(...new TextEncoder().encode('1.5,2.5\r\n')));
    const stop = print(port);
    await time.until(session.connect());
    await session.startStream();
    let frames = 0;
    session.on('samples', (batch) => (frames += batch.frames));
    await time.advance(1000);
    expect(frames).toBeGreaterThan(90);
    stop();
    serial.unplug(port);
    await time.advance(100);
    expect(session.state.name).toBe('lost');
    print(serial.plug(new FakePort(UNO)));
    await time.advance(4000);
    expect(session.state.name).toBe('streaming');
    expect(frames).toBeGreaterThan(250);
  });
});
