/** The uploader against a simulated boot loader; against the real ones: tests/boards/uno-optiboot.test.ts. */
import { describe, expect, test } from 'vitest';
import { createFakeTime, type FakeTime } from '../../tests/fixtures/fake-time';
import { createFaultyLink } from '../../tests/fixtures/faulty-link';
import type { Link, LinkEvents } from './link';
import { LinkError } from './link';
import {
  FLASH_BYTES,
  flashUno,
  OLD_NANO_BAUD,
  OPTIBOOT_BAUD,
  PAGE_BYTES,
  readUnoFlash,
  type FlashProgress,
} from './stk500v1';

const ENDLESS_LOOP = [0xff, 0xcf];

/** What Optiboot does, and a chip whose flash outlives cuts and resets. */
class SimulatedUno {
  readonly flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  baudRate = OPTIBOOT_BAUD;
  signature = [0x1e, 0x95, 0x0f];
  /** Bit that a page loses when it is programmed, or null. */
  wornAt: number | null = null;
  answersAfterMs = 1;
  /** Commands after which it starts the program unasked, as after a second of silence; counted anew after each time. */
  leavesAfter: number[] = [];
  private commands = 0;
  resets = 0;
  started = 0;
  /** Whether the port has control lines. */
  hasSignals = true;
  private listening = false;
  private input: number[] = [];
  private address = 0;
  private events: LinkEvents | null = null;
  private portBaud = 0;

  link(time: FakeTime): Link {
    return {
      info: { kind: 'test', title: 'Uno', usbVendorId: 0x2341, usbProductId: 0x43 },
      open: ({ baudRate }, events) => {
        this.events = events;
        this.portBaud = baudRate;
        return Promise.resolve();
      },
      write: (bytes) => {
        if (this.listening && this.portBaud === this.baudRate) this.take(bytes, time);
        return Promise.resolve();
      },
      setSignals: (signals) => {
        if (!this.hasSignals) return Promise.reject(new LinkError('disconnected', 'no control lines'));
        if (signals.dataTerminalReady) this.reset();
        return Promise.resolve();
      },
      close: () => {
        this.events = null;
        return Promise.resolve();
      },
    };
  }

  reset(): void {
    this.resets++;
    this.listening = true;
    this.input = [];
  }

  private answer(bytes: readonly number[], time: FakeTime): void {
    const { events } = this;
    time.timers.after(this.answersAfterMs, () =>
      events?.onBytes(Uint8Array.from([0x14, ...bytes, 0x10]), time.clock()),
    );
  }

  private take(bytes: Uint8Array, time: FakeTime): void {
    this.input.push(...bytes);
    for (;;) {
      const [command = -1, high = 0, low = 0] = this.input;
      const data = command === 0x64 ? (high << 8) | low : 0;
      const length = command === 0x55 ? 4 : command === 0x64 ? 5 + data : command === 0x74 ? 5 : 2;
      if (command < 0 || this.input.length < length) return;
      const whole = this.input.splice(0, length);
      if (++this.commands === this.leavesAfter[0]) {
        this.leavesAfter.shift();
        this.commands = 0;
        this.listening = false;
        return;
      }
      if (whole.at(-1) !== 0x20) {
        this.listening = false;
        return;
      }
      if (command === 0x55) this.address = 2 * (high | (low << 8));
      if (command === 0x64) {
        this.flash.set(whole.slice(4, -1), this.address);
        if (this.wornAt !== null) this.flash[this.wornAt] = (this.flash[this.wornAt] ?? 0) & 0xfe;
      }
      if (command === 0x51) {
        this.started++;
        this.listening = false;
      }
      if (command === 0x74) {
        this.answer(Array.from(this.flash.subarray(this.address, this.address + ((high << 8) | low))), time);
      } else this.answer(command === 0x75 ? this.signature : [], time);
    }
  }
}

const image = Uint8Array.from({ length: 5 * PAGE_BYTES }, (_, i) =>
  i >= 2 * PAGE_BYTES && i < 4 * PAGE_BYTES ? 0xff : (i * 31 + 7) & 0xff,
);
const OLD_MODEL_AT = 3 * PAGE_BYTES;

function flash(time: FakeTime, link: Link, options: { signal?: AbortSignal; progress?: FlashProgress[] } = {}) {
  return time.until(
    flashUno(link, {
      ...time,
      image: () => image,
      alwaysWrite: [OLD_MODEL_AT],
      signal: options.signal,
      onProgress: (progress) => options.progress?.push(progress),
    }),
  );
}

describe('flashing an Uno', () => {
  test('writes, verifies and starts; erases the old model; leaves other erased pages alone', async () => {
    const time = createFakeTime();
    const board = new SimulatedUno();
    board.flash.fill(0x55, 0, 5 * PAGE_BYTES);
    const progress: FlashProgress[] = [];
    const report = await flash(time, board.link(time), { progress });
    expect(report).toMatchObject({ baudRate: OPTIBOOT_BAUD, pages: 4 });
    const expected = Uint8Array.from(image);
    expected.fill(0x55, 2 * PAGE_BYTES, 3 * PAGE_BYTES);
    expect(board.flash.subarray(0, image.length)).toEqual(expected);
    expect(board.started).toBe(1);
    expect([...new Set(progress.map(({ step }) => step))]).toEqual(['connecting', 'writing', 'verifying', 'starting']);
    expect(progress.filter(({ step }) => step === 'verifying').at(-1)).toEqual({
      step: 'verifying',
      done: 4 * PAGE_BYTES,
      total: 4 * PAGE_BYTES,
    });
  });

  test('an old Nano is found at 57600 baud', async () => {
    const time = createFakeTime();
    const board = new SimulatedUno();
    board.baudRate = OLD_NANO_BAUD;
    expect(await flash(time, board.link(time))).toMatchObject({ baudRate: OLD_NANO_BAUD });
  });

  test.each([140, 200, 400, 700])('answers that take %d ms are not taken for those to other commands', async (ms) => {
    const time = createFakeTime();
    const board = new SimulatedUno();
    board.answersAfterMs = ms;
    expect(await flash(time, board.link(time))).toMatchObject({ baudRate: OPTIBOOT_BAUD, pages: 4 });
    expect(board.flash.subarray(0, 2 * PAGE_BYTES)).toEqual(image.subarray(0, 2 * PAGE_BYTES));
  });

  test('a boot loader that started the program is called back, wherever that was', async () => {
    for (let after = 4; after < 22; after++) {
      const time = createFakeTime();
      const board = new SimulatedUno();
      board.leavesAfter = [after, 9];
      expect(await flash(time, board.link(time))).toMatchObject({ pages: 4 });
      expect(board.flash.subarray(0, 2 * PAGE_BYTES)).toEqual(image.subarray(0, 2 * PAGE_BYTES));
      expect(board.flash.subarray(4 * PAGE_BYTES, 5 * PAGE_BYTES)).toEqual(image.subarray(4 * PAGE_BYTES));
      expect(board.leavesAfter.length).toBeLessThan(2);
      expect(board.resets).toBe(3 - board.leavesAfter.length);
      expect(board.started).toBe(1);
    }
  });

  test('one that never comes back is given up, and the program is not started', async () => {
    const time = createFakeTime();
    const board = new SimulatedUno();
    board.leavesAfter = [8, ...Array.from({ length: 20 }, () => 1)];
    await expect(flash(time, board.link(time))).rejects.toMatchObject({ code: 'lost-sync' });
    expect(board.started).toBe(0);
    expect(Array.from(board.flash.subarray(0, 2))).toEqual(ENDLESS_LOOP);
  });

  test('a port without control lines works with the reset button', async () => {
    const time = createFakeTime();
    const board = new SimulatedUno();
    board.hasSignals = false;
    time.timers.after(300, () => board.reset());
    expect(await flash(time, board.link(time))).toMatchObject({ pages: 4 });
  });

  test('a silent board, another chip and worn flash are told apart, and no other chip is written', async () => {
    const time = createFakeTime();
    const silent = new SimulatedUno();
    silent.baudRate = 9600;
    await expect(flash(time, silent.link(time))).rejects.toMatchObject({ code: 'bootloader-silent' });
    const mega = new SimulatedUno();
    mega.signature = [0x1e, 0x98, 0x01];
    await expect(flash(time, mega.link(time))).rejects.toMatchObject({
      code: 'wrong-chip',
      message: expect.stringContaining('1e 98 01') as string,
    });
    expect(mega.flash.every((byte) => byte === 0xff)).toBe(true);
    const worn = new SimulatedUno();
    worn.wornAt = PAGE_BYTES + 10;
    await expect(flash(time, worn.link(time))).rejects.toMatchObject({
      code: 'verify-failed',
      message: expect.stringContaining(String(PAGE_BYTES + 10)) as string,
    });
    expect(worn.started).toBe(0);
  });

  test('cancelling stops it, at once and between any two steps', async () => {
    const time = createFakeTime();
    const board = new SimulatedUno();
    const early = new AbortController();
    early.abort();
    await expect(flash(time, board.link(time), { signal: early.signal })).rejects.toMatchObject({ code: 'cancelled' });
    const later = new AbortController();
    time.timers.after(225, () => later.abort());
    await expect(flash(time, board.link(time), { signal: later.signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(board.started).toBe(0);
  });

  test('a link cut after every byte, either way: nothing half-written starts, and the next try succeeds', async () => {
    const time = createFakeTime();
    const whole = new SimulatedUno();
    const faults = { random: () => 0.5, timers: time.timers };
    const counted = createFaultyLink(whole.link(time), faults);
    await flash(time, counted);
    const cuts = [
      ...Array.from({ length: counted.sentBytes }, (_, after) => ({ toBoard: { cutAfterBytes: after } })),
      ...Array.from({ length: counted.receivedBytes }, (_, after) => ({ toHost: { cutAfterBytes: after } })),
    ];
    let unfinished = 0;
    let complete = 0;
    for (const cut of cuts) {
      const board = new SimulatedUno();
      board.flash.fill(0x55, 0, image.length);
      const link = createFaultyLink(board.link(time), { ...faults, ...cut });
      await expect(flash(time, link)).rejects.toMatchObject({ code: 'link-failed' });
      const first = Array.from(board.flash.subarray(0, 2));
      const isOld = first.every((byte) => byte === 0x55);
      const isLoop = first.every((byte, i) => byte === ENDLESS_LOOP[i]);
      const isNew = board.flash.subarray(0, PAGE_BYTES).every((byte, i) => byte === image[i]);
      if (isOld) expect(board.flash.subarray(0, image.length).every((byte) => byte === 0x55)).toBe(true);
      else if (isNew) {
        // Page 0 comes last: when it is there, so is everything else.
        expect(board.flash.subarray(4 * PAGE_BYTES, 5 * PAGE_BYTES)).toEqual(image.subarray(4 * PAGE_BYTES));
        complete++;
      } else {
        expect(isLoop).toBe(true);
        unfinished++;
      }
      await flash(time, board.link(time));
      expect(board.flash.subarray(0, PAGE_BYTES)).toEqual(image.subarray(0, PAGE_BYTES));
      expect(board.started).toBeGreaterThanOrEqual(1);
    }
    console.info(
      `${cuts.length} cuts: ${unfinished} left the endless loop, ${complete} the whole firmware; all were written at the next try`,
    );
    expect(cuts.length).toBeGreaterThan(1000);
  }, 120_000);
});

describe('reading an Uno', () => {
  const START = 2 * PAGE_BYTES;

  function filled(): SimulatedUno {
    const board = new SimulatedUno();
    board.flash.forEach((_, i, flash) => (flash[i] = (i * 7) & 0xff));
    return board;
  }

  test('gives as many bytes as the first page asks for, writes nothing, and starts the program again', async () => {
    for (const bytes of [0, 1, PAGE_BYTES, PAGE_BYTES + 1, 5 * PAGE_BYTES]) {
      const time = createFakeTime();
      const board = filled();
      const before = board.flash.slice();
      const progress: [number, number][] = [];
      const read = await time.until(
        readUnoFlash(board.link(time), {
          ...time,
          start: START,
          bytes: (first) => {
            expect(first).toEqual(before.subarray(START, START + PAGE_BYTES));
            return bytes;
          },
          onProgress: (done, total) => progress.push([done, total]),
        }),
      );
      expect(read).toEqual(before.subarray(START, START + bytes));
      expect(progress.at(-1)).toEqual([bytes, bytes]);
      expect(board.flash).toEqual(before);
      expect(board.started).toBe(1);
    }
  });

  test('never reads beyond the flash', async () => {
    const time = createFakeTime();
    const start = FLASH_BYTES - PAGE_BYTES;
    const reading = readUnoFlash(filled().link(time), { ...time, start, bytes: () => 60_000 });
    expect((await time.until(reading)).length).toBe(PAGE_BYTES);
  });

  test('a cut or a cancellation changes nothing and says so', async () => {
    const time = createFakeTime();
    const board = filled();
    const before = board.flash.slice();
    const options = { ...time, start: START, bytes: () => 5 * PAGE_BYTES };
    const cut = createFaultyLink(board.link(time), {
      random: () => 0.5,
      timers: time.timers,
      toHost: { cutAfterBytes: 300 },
    });
    const unchanged = expect.stringContaining('Nothing was changed') as unknown;
    await expect(time.until(readUnoFlash(cut, options))).rejects.toMatchObject({
      code: 'link-failed',
      message: unchanged,
    });
    const abort = new AbortController();
    const reading = readUnoFlash(board.link(time), {
      ...options,
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(time.until(reading)).rejects.toMatchObject({ code: 'cancelled', message: unchanged });
    const silent = new SimulatedUno();
    silent.baudRate = 9600;
    await expect(time.until(readUnoFlash(silent.link(time), options))).rejects.toMatchObject({
      code: 'bootloader-silent',
    });
    expect(board.flash).toEqual(before);
  });
});
