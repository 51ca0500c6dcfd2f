/**
 * A link over a serial port: what native Web Serial and the WebUSB polyfill have in common. Both give streams; they
 * differ in how errors look, how a port is found and how a pulled cable shows, which is the port source's business.
 */
import { LinkError } from './link';
import type { Link, LinkErrorCode, LinkEvents, LinkInfo } from './link';
import type { PortClaim, PortClaims } from './port-claims';
import { asError, withTimeout } from './timing';
import type { Cancel, Timing } from './timing';

/** The default of 255 bytes loses data, and crashed Chromium on macOS at high rates (M8WebDisplay, issue 5). */
export const SERIAL_BUFFER_BYTES = 16384;
/** The operating system takes a frame at once; a port that takes none for so long is stuck. */
export const WRITE_TIMEOUT_MS = 5000;
/** Closing waits for the driver; a port whose device is gone may never answer. */
export const CLOSE_TIMEOUT_MS = 2000;
/** A connection that broke without an unplugging is tried again after so long. */
export const LOOK_AGAIN_MS = 1000;
/** So many reading errors without a byte between them: this will not heal. */
const MAX_READ_ERRORS = 100;

/** The part of a SerialPort that a link uses. Native ports and the polyfill's both fit. */
export interface SerialPortLike {
  readonly readable: ReadableStream<Uint8Array> | null;
  readonly writable: WritableStream<Uint8Array> | null;
  open(options: { baudRate: number; bufferSize: number }): Promise<void>;
  close(): Promise<void>;
  setSignals(signals: { dataTerminalReady?: boolean; requestToSend?: boolean }): Promise<void>;
  getInfo(): { readonly usbVendorId?: number | undefined; readonly usbProductId?: number | undefined };
  forget?(): Promise<void>;
}

/** Where the port of one board is found: a board that is plugged in again appears as a new port object. */
export interface PortSource {
  readonly info: LinkInfo;
  /** The board's port, or null while it is not plugged in. */
  find(): Promise<SerialPortLike | null>;
  /** Calls `listener` when `port` was unplugged. */
  onUnplugged(port: SerialPortLike, listener: () => void): Cancel;
  /** Calls `listener` when the board is plugged in (again). */
  onPlugged(listener: () => void): Cancel;
  /** Where `port` stands among the plugged-in ports with the same ids: its number from 0, and how many there are. */
  place?(port: SerialPortLike): Promise<{ readonly twin: number; readonly twins: number }>;
  /** Calls `listener` when any port came or went: `place` may have changed. */
  onMoved?(listener: () => void): Cancel;
}

/** Names of errors after which the stream goes on with a fresh reader (Web Serial, "UnderlyingSource"). */
const TRANSIENT_ERRORS = new Set(['BufferOverrunError', 'BreakError', 'FramingError', 'ParityError']);

/** A link over the port that `source` finds. `claims` tells the studio's other tabs which ports are in use. */
export function createSerialPortLink(source: PortSource, timing: Timing, claims: PortClaims | null = null): Link {
  const { clock, timers } = timing;
  let opened: OpenPort | null = null;
  /** Who must not be interrupted now: see `keep`. */
  const keepers = new Set<symbol>();
  /** Opening waits for the last closing: the driver has only one port. */
  let closing: Promise<void> = Promise.resolve();

  interface OpenPort {
    readonly port: SerialPortLike;
    readonly events: LinkEvents;
    reader: ReadableStreamDefaultReader<Uint8Array> | null;
    writes: Promise<void>;
    readonly stopWatching: Cancel;
    readonly claim: PortClaim | null;
    reading: Promise<void>;
    done: boolean;
  }

  function lose(session: OpenPort, error: LinkError): void {
    if (session.done) return;
    session.done = true;
    if (opened === session) opened = null;
    closing = shut(session);
    session.events.onLost(error);
  }

  async function readAll(session: OpenPort): Promise<void> {
    let errors = 0;
    while (!session.done) {
      const stream = session.port.readable;
      if (!stream) {
        lose(session, gone(source.info));
        return;
      }
      try {
        const reader = stream.getReader();
        session.reader = reader;
        try {
          for (;;) {
            const { value, done } = await reader.read();
            if (session.done) return;
            if (done) break;
            if (value.length === 0) continue;
            errors = 0;
            session.events.onBytes(value, clock());
          }
        } finally {
          session.reader = null;
          reader.releaseLock();
        }
        // The stream ended although nobody cancelled it.
        lose(session, gone(source.info));
        return;
      } catch (error) {
        if (!TRANSIENT_ERRORS.has(errorName(error)) || ++errors > MAX_READ_ERRORS) {
          lose(session, linkErrorOf(error, source.info));
          return;
        }
      }
    }
  }

  async function placeOf(port: SerialPortLike): Promise<{ readonly twin: number; readonly twins: number }> {
    const alone = { twin: 0, twins: 1 };
    return (await source.place?.(port).catch(() => alone)) ?? alone;
  }

  /** Lets go of everything; the lock must be released before the port can close. Never rejects. */
  async function shut(session: OpenPort): Promise<void> {
    session.stopWatching();
    const work = (async () => {
      await session.reader?.cancel().catch(() => undefined);
      await session.reading.catch(() => undefined);
      await session.writes.catch(() => undefined);
      await session.port.close();
    })();
    await withTimeout(timers, CLOSE_TIMEOUT_MS, work, () => new Error('closing took too long')).catch(() => undefined);
    session.claim?.release();
  }

  return {
    info: source.info,

    async open({ baudRate }, events) {
      if (opened) throw new LinkError('busy', `${source.info.title} is already open.`);
      await closing;
      const port = await source.find();
      if (!port) throw notThere(source.info);
      const { twin, twins } = await placeOf(port);
      const elsewhere = await claims?.elsewhere({ ...source.info, twin }).catch(() => null);
      // Not every system keeps a second opener out.
      if (elsewhere && (elsewhere.thisOne || elsewhere.ports >= twins)) throw inOtherTab(source.info);
      try {
        await port.open({ baudRate, bufferSize: SERIAL_BUFFER_BYTES });
      } catch (error) {
        throw elsewhere && elsewhere.ports > 0
          ? inOtherTab(source.info, asError(error))
          : openErrorOf(error, source.info);
      }
      const session: OpenPort = {
        port,
        events,
        reader: null,
        writes: Promise.resolve(),
        stopWatching: stopAll(
          source.onUnplugged(port, () => lose(session, gone(source.info))),
          source.onMoved?.(() => {
            void placeOf(port).then((place) => {
              if (!session.done) session.claim?.move(place.twin);
            });
          }),
        ),
        claim:
          claims?.claim(
            { ...source.info, twin },
            { onTaken: () => lose(session, takenOver(source.info)), keeps: () => keepers.size > 0 },
          ) ?? null,
        reading: Promise.resolve(),
        done: false,
      };
      opened = session;
      session.reading = readAll(session);
    },

    write(bytes) {
      const session = opened;
      if (!session)
        return Promise.reject(new LinkError('closed', `${source.info.title} is not open. Connect it first.`));
      const run = async (): Promise<void> => {
        const stream = session.port.writable;
        if (session.done || !stream) throw gone(source.info);
        const writer = stream.getWriter();
        try {
          await withTimeout(timers, WRITE_TIMEOUT_MS, writer.write(bytes), () => {
            // The stuck bytes would block every later write and the closing of the port.
            writer.abort().catch(() => undefined);
            const seconds = WRITE_TIMEOUT_MS / 1000;
            return new LinkError(
              'write-timeout',
              `${source.info.title} took no bytes for ${seconds} s. Pull the cable and plug it in again.`,
            );
          });
          // The polyfill errors its stream and yet resolves the write that failed.
          await Promise.race([writer.closed, Promise.resolve()]);
        } catch (error) {
          throw linkErrorOf(error, source.info);
        } finally {
          writer.releaseLock();
        }
      };
      const result = session.writes.then(run);
      session.writes = result.catch(() => undefined);
      return result;
    },

    async setSignals(signals) {
      if (!opened) throw new LinkError('closed', `${source.info.title} is not open. Connect it first.`);
      try {
        await opened.port.setSignals(signals);
      } catch (error) {
        throw linkErrorOf(error, source.info);
      }
    },

    onReturn(listener) {
      const stopListening = source.onPlugged(listener);
      // A driver may give up although the cable is in: then no plugging will ever tell of a return.
      const stopLooking = timers.after(LOOK_AGAIN_MS, () => {
        source.find().then(
          (port) => {
            if (port && !opened && !stopped) listener();
          },
          () => undefined,
        );
      });
      let stopped = false;
      return () => {
        stopped = true;
        stopListening();
        stopLooking();
      };
    },

    ...(claims
      ? {
          takeOver: async () => {
            const port = await source.find();
            await claims.takeOver({ ...source.info, twin: port ? (await placeOf(port)).twin : 0 });
          },
        }
      : {}),

    keep() {
      const keeper = Symbol('keeper');
      keepers.add(keeper);
      return () => keepers.delete(keeper);
    },

    async close() {
      const session = opened;
      if (session && !session.done) {
        session.done = true;
        opened = null;
        closing = shut(session);
      }
      await closing;
    },
  };
}

/**
 * The name of whatever was thrown. Never by class: a DOMException is an Error too, and the polyfill throws strings such
 * as "NotFoundError: The device was disconnected."
 */
export function errorName(thrown: unknown): string {
  if (typeof thrown === 'object' && thrown !== null && 'name' in thrown && typeof thrown.name === 'string') {
    return thrown.name;
  }
  return /^\s*([A-Z]\w*(?:Error|Exception))\b/.exec(String(thrown))?.[1] ?? '';
}

function stopAll(...stops: (Cancel | undefined)[]): Cancel {
  return () => {
    for (const stop of stops) stop?.();
  };
}

function notThere(info: LinkInfo): LinkError {
  return new LinkError(
    'no-port',
    `The browser does not see ${info.title}: it is not plugged in, or the cable only charges. Plug it in with a cable that carries data.`,
  );
}

function inOtherTab(info: LinkInfo, cause?: Error): LinkError {
  return new LinkError(
    'busy-tab',
    `${info.title} is open in another tab of the studio. Take it over to this tab, or go on there.`,
    { cause },
  );
}

function takenOver(info: LinkInfo): LinkError {
  return new LinkError(
    'taken-over',
    `${info.title} was taken over by another tab of the studio. Nothing was damaged. Take it back when you need it here.`,
  );
}

function gone(info: LinkInfo): LinkError {
  return new LinkError('disconnected', `${info.title} was unplugged. Plug it in again to go on.`);
}

/** What went wrong while the port was open. */
export function linkErrorOf(thrown: unknown, info: LinkInfo): LinkError {
  if (thrown instanceof LinkError) return thrown;
  const cause = asError(thrown);
  switch (errorName(thrown)) {
    case 'NetworkError':
    case 'NotFoundError':
    case 'AbortError':
      return new LinkError('disconnected', `${info.title} was unplugged. Plug it in again to go on.`, { cause });
    case 'FramingError':
    case 'ParityError':
    case 'BreakError':
    case 'BufferOverrunError':
      return new LinkError(
        'framing',
        `${info.title} sends signals that are no bytes at this baud rate. Choose another.`,
        {
          cause,
        },
      );
    case 'SecurityError':
      return blocked(info, cause);
    default:
      return new LinkError('disconnected', `The connection to ${info.title} broke: ${cause.message}`, { cause });
  }
}

function openErrorOf(thrown: unknown, info: LinkInfo): LinkError {
  if (thrown instanceof LinkError) return thrown;
  const cause = asError(thrown);
  // The polyfill wraps: "Error setting up device: SecurityError: Access denied."
  const text = `${errorName(thrown)} ${cause.message}`;
  const code: LinkErrorCode = /SecurityError|Access denied/i.test(text)
    ? 'permission-blocked'
    : /InvalidStateError|claim/i.test(text)
      ? 'busy'
      : /NotFoundError/.test(text)
        ? 'disconnected'
        : 'open-failed';
  switch (code) {
    case 'permission-blocked':
      return blocked(info, cause);
    case 'busy':
      return new LinkError(
        'busy',
        `${info.title} is in use. Close other tabs and programs that talk to it (such as a serial monitor) and try again.`,
        { cause },
      );
    case 'disconnected':
      return new LinkError('disconnected', `${info.title} was unplugged. Plug it in again to go on.`, { cause });
    default:
      return new LinkError(
        'open-failed',
        `${info.title} could not be opened. Another program may be using it (such as a serial monitor), or on Linux your account lacks the right: sudo usermod -a -G dialout $USER, then log in again.`,
        { cause },
      );
  }
}

function blocked(info: LinkInfo, cause: Error): LinkError {
  return new LinkError(
    'permission-blocked',
    `The browser or the operating system does not allow access to ${info.title}. Allow it in the page’s settings, or ask whoever manages this computer.`,
    { cause },
  );
}
