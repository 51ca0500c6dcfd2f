/**
 * The raw REPL of MicroPython: runs program text on the board and gives back what it prints. Uses raw paste with its
 * flow control where the firmware knows it, else plain raw REPL in small pieces (micro:bit v1 and other old firmware).
 * Source: MicroPython documentation, "The MicroPython interactive interpreter mode".
 */
import { exceptionError, MicroPythonError, type MicroPythonErrorCode } from './micropython-error';
import { wait, type Timing } from './timing';

/** An attempt to enter the raw REPL. */
export const ENTER_TIMEOUT_MS = 1500;
const ENTER_ATTEMPTS = 3;
/** After an interrupt, so long without a byte means that the old program is done printing. */
const QUIET_MS = 120;
const MOST_QUIET_WAITS = 8;
/** The board takes program text within this. */
export const SEND_TIMEOUT_MS = 5000;
/** Without other word a program prints or ends within this. */
export const RUN_TIMEOUT_MS = 10_000;
/** Restarting the interpreter takes so long at most: boot.py may look for a network. */
export const CLEAR_TIMEOUT_MS = 10_000;
/** Old firmware has a small buffer and no flow control. */
const SLOW_CHUNK_BYTES = 16;
const SLOW_GAP_MS = 8;
/** A board that prints without end is stopped here. */
const MOST_OUTPUT_BYTES = 1 << 22;

const CTRL_A = 1;
const CTRL_B = 2;
const CTRL_C = 3;
const CTRL_D = 4;
const CTRL_E = 5;
const RAW_BANNER = text('raw REPL; CTRL-B to exit');

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export interface ExecOptions {
  readonly signal?: AbortSignal | undefined;
  /** Longest silence, ms. */
  readonly timeoutMs?: number;
  /** Output as it comes. */
  readonly onOutput?: (bytes: Uint8Array) => void;
}

export interface RawRepl {
  /** Bytes from the board. */
  push(bytes: Uint8Array): void;
  /** Interrupts what runs and enters the raw REPL. Does nothing when it is entered already. */
  enter(signal?: AbortSignal): Promise<void>;
  /** Runs a program to its end. Throws MicroPythonError: what it raised, or what went wrong on the way. */
  exec(source: string, options?: ExecOptions): Promise<string>;
  /** Back to the friendly REPL. */
  leave(): Promise<void>;
  /**
   * Restarts the interpreter and stays in the raw REPL: memory is free, files are closed, main.py does not run. Where
   * the firmware does not answer, the next program enters anew and finds the interpreter as it was.
   */
  clear(signal?: AbortSignal): Promise<void>;
  /** Restarts the interpreter; main.py runs. Leaves the raw REPL. */
  softReset(): Promise<void>;
  /** Ends whatever waits: the board is gone. */
  fail(error: Error): void;
  /** Forgets everything: the link was opened anew. */
  restart(): void;
  /** Whether raw paste is used; null before the first program. */
  readonly paste: boolean | null;
}

export function createRawRepl(timing: Timing, send: (bytes: Uint8Array) => Promise<void>): RawRepl {
  const { clock, timers } = timing;
  let buffer = new Uint8Array(0);
  let entered = false;
  let paste: boolean | null = null;
  let lastByteAt = 0;
  let wake: (() => void) | null = null;
  let gone: Error | null = null;

  function aborted(signal: AbortSignal | undefined): void {
    if (gone) {
      throw new MicroPythonError('disconnected', 'The board is gone. Connect it again.', { cause: gone });
    }
    if (signal?.aborted) throw new MicroPythonError('cancelled', 'It was cancelled.', { cause: signal.reason });
  }

  /** Until more bytes come; throws after `ms` from `since`. */
  async function more(since: number, ms: number, code: MicroPythonErrorCode, what: string, signal?: AbortSignal) {
    aborted(signal);
    const left = since + ms - clock();
    if (left <= 0) throw new MicroPythonError(code, what);
    await new Promise<void>((resolve) => {
      const cancel = timers.after(left, done);
      function done(): void {
        wake = null;
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      }
      wake = done;
      signal?.addEventListener('abort', done, { once: true });
    });
    aborted(signal);
  }

  function take(count: number): Uint8Array {
    const taken = buffer.slice(0, count);
    buffer = buffer.slice(count);
    return taken;
  }

  async function bytes(count: number, code: MicroPythonErrorCode, what: string, signal?: AbortSignal) {
    const since = clock();
    while (buffer.length < count) await more(since, SEND_TIMEOUT_MS, code, what, signal);
    return take(count);
  }

  /** Everything before the mark, which is taken too. */
  async function until(mark: Uint8Array, ms: number, code: MicroPythonErrorCode, what: string, signal?: AbortSignal) {
    const since = clock();
    for (;;) {
      const at = indexOf(buffer, mark);
      if (at >= 0) {
        const before = take(at);
        take(mark.length);
        return before;
      }
      await more(since, ms, code, what, signal);
    }
  }

  /** Program output up to a \x04; the silence between bytes is what is limited. */
  async function output(options: ExecOptions): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let total = 0;
    let heardAt = clock();
    for (;;) {
      const end = buffer.indexOf(CTRL_D);
      const part = take(end >= 0 ? end : buffer.length);
      if (part.length > 0) {
        heardAt = clock();
        options.onOutput?.(part);
        parts.push(part);
        total += part.length;
      }
      if (end >= 0) {
        take(1);
        return join(parts, total);
      }
      if (total > MOST_OUTPUT_BYTES) throw new MicroPythonError('protocol', 'The board prints without end.');
      const ms = options.timeoutMs ?? RUN_TIMEOUT_MS;
      await more(
        heardAt,
        ms,
        'timeout-run',
        `The program on the board did not answer for ${ms / 1000} s. Press the board’s reset button and try again.`,
        options.signal,
      );
    }
  }

  async function sendSlowly(source: Uint8Array, signal?: AbortSignal): Promise<void> {
    for (let at = 0; at < source.length; at += SLOW_CHUNK_BYTES) {
      aborted(signal);
      await send(source.subarray(at, at + SLOW_CHUNK_BYTES));
      await wait(timers, SLOW_GAP_MS);
    }
  }

  /** Sends within the window that the board grants. True when the board took it all. */
  async function sendPasted(source: Uint8Array, signal?: AbortSignal): Promise<void> {
    const what = 'The board stopped taking the program. Press its reset button and try again.';
    const size = await bytes(2, 'timeout-send', what, signal);
    const window = (size[0] as number) | ((size[1] as number) << 8);
    if (window === 0) throw new MicroPythonError('protocol', 'The board offers no room for a program.');
    let room = window;
    for (let at = 0; at < source.length;) {
      while (room === 0 || buffer.length > 0) {
        const [flag] = await bytes(1, 'timeout-send', what, signal);
        if (flag === 1) room += window;
        else if (flag === CTRL_D) {
          // The board has had enough, for example of memory: it wants to be told that this is the end.
          await send(Uint8Array.of(CTRL_D));
          return;
        } else throw new MicroPythonError('protocol', 'The board answered the program with something unexpected.');
      }
      const part = source.subarray(at, at + room);
      await send(part);
      at += part.length;
      room -= part.length;
    }
    await send(Uint8Array.of(CTRL_D));
    // Grants of more room may come before the board confirms the end.
    await until(Uint8Array.of(CTRL_D), SEND_TIMEOUT_MS, 'timeout-send', what, signal);
  }

  async function enter(signal?: AbortSignal): Promise<void> {
    if (entered) return;
    const what =
      'The board does not answer as MicroPython does. Press its reset button and try again; a board without ' +
      'MicroPython needs its firmware first.';
    for (let attempt = 1; ; attempt++) {
      aborted(signal);
      // Twice: the first may only end a sleep.
      await send(Uint8Array.of(0x0d, CTRL_C, CTRL_C));
      for (let i = 0; i < MOST_QUIET_WAITS; i++) {
        await wait(timers, QUIET_MS);
        if (clock() - lastByteAt >= QUIET_MS) break;
      }
      aborted(signal);
      buffer = new Uint8Array(0);
      await send(Uint8Array.of(0x0d, CTRL_A));
      try {
        await until(RAW_BANNER, ENTER_TIMEOUT_MS, 'no-repl', what, signal);
        await until(text('>'), ENTER_TIMEOUT_MS, 'no-repl', what, signal);
        break;
      } catch (error) {
        if (!(error instanceof MicroPythonError) || error.code !== 'no-repl' || attempt === ENTER_ATTEMPTS) throw error;
      }
    }
    // Old firmware keeps an interrupt that came at its prompt for the next program: let it have an empty one.
    await start(text('pass'), signal);
    await output({ timeoutMs: SEND_TIMEOUT_MS });
    const raised = new TextDecoder().decode(await output({ timeoutMs: SEND_TIMEOUT_MS }));
    await until(text('>'), SEND_TIMEOUT_MS, 'timeout-run', 'The board did not come back to its prompt.');
    if (raised !== '' && !raised.includes('KeyboardInterrupt')) throw exceptionError(raised);
    entered = true;
  }

  /** Hands over the program; afterwards comes its output. */
  async function start(source: Uint8Array, signal?: AbortSignal): Promise<void> {
    const what = 'The board did not take the program. Press its reset button and try again.';
    if (paste !== false) {
      await send(Uint8Array.of(CTRL_E, 0x41, 1));
      const answer = await bytes(2, 'timeout-send', what, signal);
      if (answer[0] === 0x52 && answer[1] === 1) {
        paste = true;
        await sendPasted(source, signal);
        return;
      }
      paste = false;
      // Old firmware takes the question for the start of a program and prints its banner again.
      if (answer[0] !== 0x52) await until(text('>'), SEND_TIMEOUT_MS, 'timeout-send', what, signal);
    }
    await sendSlowly(source, signal);
    await send(Uint8Array.of(CTRL_D));
    const answer = await bytes(2, 'timeout-send', what, signal);
    if (answer[0] !== 0x4f || answer[1] !== 0x4b) {
      throw new MicroPythonError('protocol', 'The board did not accept the program.');
    }
  }

  return {
    push(more) {
      lastByteAt = clock();
      const joined = new Uint8Array(buffer.length + more.length);
      joined.set(buffer);
      joined.set(more, buffer.length);
      // Outside a program nobody reads: what a streaming main.py printed is dropped, but for the newest bytes.
      buffer = joined.length > MOST_OUTPUT_BYTES ? joined.slice(-MOST_OUTPUT_BYTES) : joined;
      wake?.();
    },
    enter,
    async exec(source, options = {}) {
      aborted(options.signal);
      await enter(options.signal);
      try {
        await start(text(source), options.signal);
        const printed = await output(options);
        const raised = await output({ timeoutMs: SEND_TIMEOUT_MS });
        await until(text('>'), SEND_TIMEOUT_MS, 'timeout-run', 'The board did not come back to its prompt.');
        const decoder = new TextDecoder();
        if (raised.length > 0) throw exceptionError(decoder.decode(raised));
        return decoder.decode(printed);
      } catch (error) {
        const known = error instanceof MicroPythonError;
        const ran = known && (error.traceback !== '' || error.code === 'disconnected');
        if (!ran) {
          // Half a program may be under way: stop it, and enter anew before the next one.
          entered = false;
          if (!gone) await send(Uint8Array.of(CTRL_C, CTRL_C)).catch(() => undefined);
        }
        throw error;
      }
    },
    async leave() {
      if (!entered) return;
      entered = false;
      await send(Uint8Array.of(CTRL_B));
    },
    async clear(signal) {
      await enter(signal);
      entered = false;
      buffer = new Uint8Array(0);
      await send(Uint8Array.of(CTRL_D));
      const what = 'The board did not restart its interpreter.';
      try {
        await until(RAW_BANNER, CLEAR_TIMEOUT_MS, 'timeout-run', what, signal);
        await until(text('>'), CLEAR_TIMEOUT_MS, 'timeout-run', what, signal);
        entered = true;
      } catch (error) {
        if (!(error instanceof MicroPythonError) || error.code !== 'timeout-run') throw error;
      }
    },
    async softReset() {
      await enter();
      entered = false;
      // From the friendly REPL, so that main.py runs.
      await send(Uint8Array.of(CTRL_B));
      await wait(timers, QUIET_MS);
      buffer = new Uint8Array(0);
      await send(Uint8Array.of(CTRL_D));
    },
    fail(error) {
      gone = error;
      entered = false;
      wake?.();
    },
    restart() {
      gone = null;
      entered = false;
      paste = null;
      buffer = new Uint8Array(0);
    },
    get paste() {
      return paste;
    },
  };
}

function indexOf(haystack: Uint8Array, needle: Uint8Array): number {
  const first = needle[0] as number;
  for (let at = haystack.indexOf(first); at >= 0; at = haystack.indexOf(first, at + 1)) {
    if (at + needle.length > haystack.length) return -1;
    if (needle.every((byte, i) => haystack[at + i] === byte)) return at;
  }
  return -1;
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
