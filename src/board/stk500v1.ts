/**
 * Writes flash through the boot loaders of Arduino Uno and Nano over a link: the part of Atmel's STK500 protocol,
 * version 1 (AVR061), that Optiboot and the older ATmegaBOOT speak. Reset by DTR, sync, signature, pages, read-back of
 * every page, start.
 *
 * A cut at any byte does no harm: the boot loader is not touched, and the first page, which is where the chip starts, is
 * an endless loop until everything else is in place. So an unfinished firmware never runs, and a second try succeeds.
 */
import type { Link, LinkEvents } from './link';
import { LinkError } from './link';
import { asError, wait } from './timing';
import type { Timing } from './timing';

export type FlashErrorCode =
  /** Nothing answered the sync at any baud rate. */
  | 'bootloader-silent'
  | 'wrong-chip'
  /** Answers stopped or made no sense in the middle. */
  | 'lost-sync'
  | 'verify-failed'
  /** The image reaches into this board's boot loader. */
  | 'too-large'
  /** The port failed: unplugged, busy. The cause is a LinkError. */
  | 'link-failed'
  | 'cancelled';

export class FlashError extends Error {
  override readonly name = 'FlashError';
  constructor(
    readonly code: FlashErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface FlashProgress {
  readonly step: 'connecting' | 'writing' | 'verifying' | 'starting';
  /** Bytes done and in all, for this step. */
  readonly done: number;
  readonly total: number;
}

export interface FlashReport {
  readonly baudRate: number;
  readonly pages: number;
  readonly writeMs: number;
  readonly verifyMs: number;
}

export interface FlashOptions extends Timing {
  readonly onProgress?: ((progress: FlashProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * The flash to write, from address 0, for a board whose boot loader was found at this baud rate. Erased pages are
   * left alone. May throw FlashError `too-large`.
   */
  readonly image: (baudRate: number) => Uint8Array;
  /** Start of pages that are written even when they are erased: so that no old model stays. */
  readonly alwaysWrite?: readonly number[];
}

/** Optiboot, and the boot loader of Nanos made before 2018. */
export const OPTIBOOT_BAUD = 115200;
export const OLD_NANO_BAUD = 57600;
export const BAUD_RATES: readonly number[] = [OPTIBOOT_BAUD, OLD_NANO_BAUD];

/** ATmega328P. The chip without P (1e 95 14) is the same for our purposes, but Uno and Nano have the P. */
const SIGNATURE = [0x1e, 0x95, 0x0f] as const;
export const PAGE_BYTES = 128;
export const FLASH_BYTES = 32_768;
const WORD_BYTES = 2;

const SYNC_END = 0x20;
const IN_SYNC = 0x14;
const OK = 0x10;
const GET_SYNC = 0x30;
const ENTER_PROGRAMMING = 0x50;
const LEAVE_PROGRAMMING = 0x51;
const LOAD_ADDRESS = 0x55;
const PROGRAM_PAGE = 0x64;
const READ_PAGE = 0x74;
const READ_SIGNATURE = 0x75;
const FLASH_MEMORY = 0x46;
/** `rjmp .`: an endless loop, whatever word of the page is run. */
const ENDLESS_LOOP = [0xff, 0xcf] as const;

/** DTR low for so long lets the capacitor at the reset pin charge. */
export const RESET_MS = 100;
/** The chip needs this long from the reset to listening. */
export const BOOT_MS = 60;
/** An awake boot loader answers a sync within a few milliseconds. */
export const SYNC_TIMEOUT_MS = 150;
/** Syncs sent per reset; Optiboot gives up waiting after a second. */
export const SYNC_TRIES = 6;
/** Resets tried per baud rate. */
export const RESET_TRIES = 2;
/** A page takes 15 ms on the wire and 9 ms in the chip. */
export const COMMAND_TIMEOUT_MS = 1000;
/** A boot loader that hears nothing for a second starts the program: on a busy computer it has to be called back. */
const STEP_TRIES = 3;

/**
 * Writes and verifies. The link must be closed and is closed again afterwards; the new firmware then starts. Rejects
 * with FlashError.
 */
export async function flashUno(link: Link, options: FlashOptions): Promise<FlashReport> {
  const { clock, signal, onProgress } = options;
  const report = (step: FlashProgress['step'], done: number, total: number): void =>
    onProgress?.({ step, done, total });
  const release = link.keep?.();
  try {
    report('connecting', 0, 1);
    const programmer = await connect(link, options);
    report('connecting', 1, 1);
    const { baudRate } = programmer;
    const image = options.image(baudRate);
    const pages = pagesOf(image, options.alwaysWrite ?? []);
    const total = pages.length * PAGE_BYTES;

    await programmer.ask([ENTER_PROGRAMMING], 0);
    const writeStart = clock();
    let done = 0;
    report('writing', 0, total);
    await programmer.program(
      0,
      new Uint8Array(PAGE_BYTES).map((_, i) => ENDLESS_LOOP[i % WORD_BYTES] ?? 0),
    );
    for (const page of pages.filter((at) => at !== 0)) {
      await programmer.program(page, image.subarray(page, page + PAGE_BYTES));
      done += PAGE_BYTES;
      report('writing', done, total);
    }
    const writeMs = clock() - writeStart;

    const verifyStart = clock();
    let verified = 0;
    report('verifying', 0, total);
    const verify = async (page: number): Promise<void> => {
      await programmer.verify(page, image.subarray(page, page + PAGE_BYTES));
      verified += PAGE_BYTES;
      report('verifying', verified, total);
    };
    for (const page of pages.filter((at) => at !== 0)) await verify(page);
    // Only now may the chip start what was written.
    await programmer.program(0, image.subarray(0, PAGE_BYTES));
    await verify(0);
    const verifyMs = clock() - verifyStart;

    report('starting', 0, 1);
    await programmer.leave();
    report('starting', 1, 1);
    return { baudRate, pages: pages.length, writeMs, verifyMs };
  } catch (error) {
    throw toFlashError(asError(error), signal);
  } finally {
    await link.close();
    release?.();
  }
}

export interface ReadOptions extends Timing {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
  /** Address of the first byte; a whole page. */
  readonly start: number;
  /** How many bytes are wanted, told from the first page; at most to the end of the flash. */
  readonly bytes: (firstPage: Uint8Array) => number;
}

/**
 * Reads flash through the boot loader and starts the program again; nothing is written. The link must be closed and is
 * closed again afterwards. Rejects with FlashError.
 */
export async function readUnoFlash(link: Link, options: ReadOptions): Promise<Uint8Array> {
  const { signal, start, onProgress } = options;
  const release = link.keep?.();
  try {
    const programmer = await connect(link, options);
    await programmer.ask([ENTER_PROGRAMMING], 0);
    const first = await programmer.read(start, PAGE_BYTES);
    const total = Math.max(0, Math.min(options.bytes(first), FLASH_BYTES - start));
    const out = new Uint8Array(total);
    out.set(first.subarray(0, total));
    onProgress?.(Math.min(PAGE_BYTES, total), total);
    for (let at = PAGE_BYTES; at < total; at += PAGE_BYTES) {
      const page = await programmer.read(start + at, PAGE_BYTES);
      out.set(page.subarray(0, total - at), at);
      onProgress?.(Math.min(at + PAGE_BYTES, total), total);
    }
    await programmer.leave();
    return out;
  } catch (error) {
    throw toFlashError(asError(error), signal, false);
  } finally {
    await link.close();
    release?.();
  }
}

/** Start addresses of the pages to write: the first, those with content, and those asked for. */
function pagesOf(image: Uint8Array, always: readonly number[]): number[] {
  const pages: number[] = [];
  for (let at = 0; at + PAGE_BYTES <= image.length; at += PAGE_BYTES) {
    const content = image.subarray(at, at + PAGE_BYTES).some((byte) => byte !== 0xff);
    if (at === 0 || content || always.includes(at)) pages.push(at);
  }
  return pages;
}

interface ConnectOptions extends Timing {
  readonly signal?: AbortSignal | undefined;
}

/** Finds the boot loader: opens, resets, syncs, at one baud rate after the other. */
async function connect(link: Link, options: ConnectOptions): Promise<Programmer> {
  let strange = false;
  for (const baudRate of BAUD_RATES) {
    await link.close();
    const programmer = new Programmer(link, baudRate, options);
    await programmer.open();
    for (let attempt = 0; attempt < RESET_TRIES; attempt++) {
      await programmer.reset();
      if (!(await programmer.sync())) {
        strange ||= programmer.heard > 0;
        continue;
      }
      await programmer.checkSignature();
      return programmer;
    }
  }
  throw new FlashError(
    'bootloader-silent',
    strange
      ? 'The board answers, but not as a boot loader of an Uno or Nano does. Is it another board? If it is one of these, press its reset button at the very moment you start.'
      : 'The boot loader does not answer. Check the board’s power light and that the cable carries data, then try again; or press the board’s reset button at the very moment you start.',
  );
}

function lostSync(): FlashError {
  return new FlashError(
    'lost-sync',
    'The boot loader stopped answering. The board waits for its firmware now and can be written again at any time: start once more, with a shorter cable or without a hub if it happens again.',
  );
}

class Programmer {
  /** Bytes that came in since the port was opened. */
  heard = 0;
  #received: number[] = [];
  #wake: () => void = () => undefined;
  #lost: LinkError | null = null;

  constructor(
    private readonly link: Link,
    readonly baudRate: number,
    private readonly options: ConnectOptions,
  ) {}

  async open(): Promise<void> {
    this.#check();
    const events: LinkEvents = {
      onBytes: (bytes) => {
        this.heard += bytes.length;
        this.#received.push(...bytes);
        this.#wake();
      },
      onLost: (error) => {
        this.#lost = error;
        this.#wake();
      },
    };
    await this.link.open({ baudRate: this.baudRate }, events);
  }

  /** The falling edge of DTR and RTS reaches the reset pin through a capacitor. */
  async reset(): Promise<void> {
    try {
      await this.link.setSignals?.({ dataTerminalReady: false, requestToSend: false });
      await this.#sleep(RESET_MS);
      await this.link.setSignals?.({ dataTerminalReady: true, requestToSend: true });
    } catch (error) {
      this.#check();
      // A port without control lines is no reason to give up: the button resets too.
      if (!(error instanceof LinkError) || error.code === 'closed') throw error;
    }
    await this.#sleep(BOOT_MS);
  }

  /** Whether the boot loader answers. */
  async sync(): Promise<boolean> {
    for (let attempt = 0; attempt < SYNC_TRIES; attempt++) {
      // What the old firmware or an earlier attempt left on the wire is no answer.
      this.#received = [];
      await this.#send([GET_SYNC, SYNC_END]);
      const answer = await this.#take(2, SYNC_TIMEOUT_MS);
      if (answer[0] !== IN_SYNC || answer[1] !== OK) continue;
      // Answers to earlier syncs may still come in, and would be taken for those to commands: on a slow hub all of them do.
      for (let late = 0; late < attempt; late++) {
        if ((await this.#take(2, SYNC_TIMEOUT_MS)).length < 2) break;
      }
      await this.#sleep(SYNC_TIMEOUT_MS / 3);
      this.#received = [];
      return true;
    }
    return false;
  }

  async checkSignature(): Promise<void> {
    const found = await this.ask([READ_SIGNATURE], SIGNATURE.length);
    if (SIGNATURE.every((byte, i) => found[i] === byte)) return;
    const hex = Array.from(found, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new FlashError(
      'wrong-chip',
      `This board has another chip (signature ${hex}) than an Uno or Nano, whose ATmega328P is 1e 95 0f. Nothing was written. Connect the board that you meant.`,
    );
  }

  async program(address: number, bytes: Uint8Array): Promise<void> {
    await this.#steadily(async () => {
      await this.#loadAddress(address);
      await this.ask([PROGRAM_PAGE, bytes.length >> 8, bytes.length & 0xff, FLASH_MEMORY, ...bytes], 0);
    });
  }

  async read(address: number, count: number): Promise<Uint8Array> {
    return this.#steadily(async () => {
      await this.#loadAddress(address);
      return Uint8Array.from(await this.ask([READ_PAGE, count >> 8, count & 0xff, FLASH_MEMORY], count));
    });
  }

  /** Starts the program. */
  async leave(): Promise<void> {
    await this.#steadily(() => this.ask([LEAVE_PROGRAMMING], 0));
  }

  /**
   * A step that may be done twice. Where the boot loader falls silent in it, it is reset, and the step done again: page 0
   * keeps the chip in a loop meanwhile.
   */
  async #steadily<T>(step: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (attempt > 1) {
          await this.reset();
          if (!(await this.sync())) throw lostSync();
          await this.ask([ENTER_PROGRAMMING], 0);
        }
        return await step();
      } catch (error) {
        if (attempt === STEP_TRIES || !(error instanceof FlashError) || error.code !== 'lost-sync') throw error;
      }
    }
  }

  async verify(address: number, bytes: Uint8Array): Promise<void> {
    const found = await this.read(address, bytes.length);
    const differs = bytes.findIndex((byte, i) => found[i] !== byte);
    if (differs < 0) return;
    throw new FlashError(
      'verify-failed',
      `The flash differs from what was written at address ${address + differs}. Try again; if it stays so, the chip's flash is worn out.`,
    );
  }

  async #loadAddress(address: number): Promise<void> {
    const word = address / WORD_BYTES;
    await this.ask([LOAD_ADDRESS, word & 0xff, word >> 8], 0);
  }

  /** Sends a command and gives the `count` bytes of its answer. */
  async ask(command: readonly number[], count: number): Promise<number[]> {
    await this.#send([...command, SYNC_END]);
    const answer = await this.#take(count + 2, COMMAND_TIMEOUT_MS);
    if (answer.length === count + 2 && answer[0] === IN_SYNC && answer.at(-1) === OK) return answer.slice(1, -1);
    throw lostSync();
  }

  async #send(bytes: readonly number[]): Promise<void> {
    this.#check();
    await this.link.write(Uint8Array.from(bytes));
  }

  /** Up to `count` bytes, as many as come in time. */
  #take(count: number, ms: number): Promise<number[]> {
    return new Promise((resolve, reject) => {
      const { signal, timers } = this.options;
      const finish = (): void => {
        cancel();
        signal?.removeEventListener('abort', look);
        this.#wake = () => undefined;
      };
      const cancel = timers.after(ms, () => {
        finish();
        resolve(this.#received.splice(0, count));
      });
      const look = (): void => {
        try {
          this.#check();
        } catch (error) {
          finish();
          reject(asError(error));
          return;
        }
        if (this.#received.length < count) return;
        finish();
        resolve(this.#received.splice(0, count));
      };
      this.#wake = look;
      signal?.addEventListener('abort', look);
      look();
    });
  }

  async #sleep(ms: number): Promise<void> {
    this.#check();
    await wait(this.options.timers, ms, this.options.signal);
    this.#check();
  }

  #check(): void {
    if (this.options.signal?.aborted) throw cancelled(this.options.signal);
    if (this.#lost) throw this.#lost;
  }
}

function cancelled(signal?: AbortSignal): FlashError {
  return new FlashError(
    'cancelled',
    'Cancelled. If writing had begun, the board waits for its firmware now: start once more to finish it.',
    { cause: signal?.reason },
  );
}

function toFlashError(error: Error, signal?: AbortSignal, writing = true): FlashError {
  if (!writing && signal?.aborted) {
    return new FlashError('cancelled', 'Cancelled. Nothing was changed.', { cause: signal.reason });
  }
  if (error instanceof FlashError) return error;
  if (!writing) return new FlashError('link-failed', `${error.message} Nothing was changed.`, { cause: error });
  if (signal?.aborted) return cancelled(signal);
  const again = 'If writing had begun, the board waits for its firmware now and can be written again at any time.';
  return new FlashError('link-failed', `${error.message} ${again}`, { cause: error });
}
