/** A link to an `AvrBoard`, on a clock that is the board's own: a test takes as long as the emulator, no longer. */
import type { Link, LinkEvents } from '../../src/board/link';
import { LinkError } from '../../src/board/link';
import type { Cancel, Timing } from '../../src/board/timing';
import type { AvrBoard } from './avr-board.mjs';

/** The board runs so long at a time: what it sends arrives in such pieces. */
const SLICE_SECONDS = 0.001;
/** UARTs whose rates differ by more hear something else. */
const BAUD_TOLERANCE = 0.05;

export interface AvrBoardLink extends Link {
  readonly timing: Timing;
  /** Lets the board run, with timers and deliveries, until the promise settles. */
  until<T>(promise: Promise<T>, limitSeconds?: number): Promise<T>;
  /** Lets the board run for so long. */
  pass(seconds: number): Promise<void>;
  /** Bytes written to the board so far. */
  readonly written: number;
}

export function createAvrBoardLink(board: AvrBoard): AvrBoardLink {
  let events: LinkEvents | null = null;
  let baudRate = 0;
  let dataTerminalReady = false;
  let fresh: number[] = [];
  let written = 0;
  const timers = new Set<{ at: number; run: () => void; every: number | null }>();
  let now = 0;

  /** What a UART at half the rate makes of a byte: every other bit, then the idle line. */
  const heard = (byte: number): number =>
    Math.abs(board.baudRate / baudRate - 1) < BAUD_TOLERANCE
      ? byte
      : 0xf8 | ((byte >> 2) & 1) | ((byte >> 3) & 2) | ((byte >> 4) & 4);
  board.onByte = (byte) => fresh.push(heard(byte));

  function add(ms: number, every: number | null, run: () => void): Cancel {
    const timer = { at: now + ms, run, every };
    timers.add(timer);
    return () => timers.delete(timer);
  }

  async function slice(): Promise<void> {
    await settle();
    board.run(SLICE_SECONDS);
    now += 1000 * SLICE_SECONDS;
    if (fresh.length > 0) {
      const bytes = Uint8Array.from(fresh);
      fresh = [];
      events?.onBytes(bytes, now);
    }
    for (const timer of [...timers]) {
      if (timer.at > now || !timers.has(timer)) continue;
      if (timer.every === null) timers.delete(timer);
      else timer.at += timer.every;
      timer.run();
      await settle();
    }
  }

  return {
    info: { kind: 'test', title: 'Arduino Uno', usbVendorId: 0x2341, usbProductId: 0x43 },
    timing: {
      clock: () => now,
      timers: { after: (ms, run) => add(ms, null, run), every: (ms, run) => add(ms, ms, run) },
    },
    get written() {
      return written;
    },
    open(options, listener) {
      if (events) return Promise.reject(new LinkError('busy', 'open already'));
      events = listener;
      baudRate = options.baudRate;
      // Operating systems raise DTR when a port is opened, which resets the board.
      dataTerminalReady = true;
      board.reset();
      fresh = [];
      return Promise.resolve();
    },
    write(bytes) {
      if (!events) return Promise.reject(new LinkError('closed', 'not open'));
      written += bytes.length;
      board.send(Array.from(bytes, heard));
      return Promise.resolve();
    },
    setSignals(signals) {
      if (signals.dataTerminalReady === true && !dataTerminalReady) board.reset();
      dataTerminalReady = signals.dataTerminalReady ?? dataTerminalReady;
      return Promise.resolve();
    },
    close() {
      events = null;
      return Promise.resolve();
    },
    async until(promise, limitSeconds = 60) {
      let done = false;
      promise.then(
        () => (done = true),
        () => (done = true),
      );
      const end = now + 1000 * limitSeconds;
      await settle();
      while (!done) {
        if (now > end) throw new Error(`Nothing happened within ${limitSeconds} s of the board's time.`);
        await slice();
      }
      return promise;
    },
    async pass(seconds) {
      for (const end = now + 1000 * seconds; now < end;) await slice();
    },
  };
}

/** One turn of the event loop: promises get on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
