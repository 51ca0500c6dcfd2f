/**
 * An nRF51822 as far as the micro:bit's firmware uses it, with the times that QEMU leaves out: each instruction takes
 * its cycles, a byte on the wire its bits, a word or a page of flash the time of the data sheet, during which the CPU
 * stands still and the UART's receiver holds six bytes and loses the others.
 *
 * The core is rp2040js's Cortex-M0+ (an M0's branches take a cycle more). Peripherals are ours, after the nRF51 Series
 * Reference Manual; an access to a register that is not here is a complaint. An nRF52833 has the same peripherals at the
 * same addresses, and a Cortex-M4, for which there is nrf-core-m4.ts.
 */
import { Simulator } from 'rp2040js';
import { LinkError, type Link, type LinkEvents } from '../../src/board/link';
import { createChipTime } from './chip-time';
import { M4Core } from './nrf-core-m4';
import type { TwiChip } from './twi-chips';

const CPU_HZ = 16e6;
const NANOS_PER_CYCLE = 1e9 / CPU_HZ;
/** 64 MHz, at one and a half cycles per instruction. */
const NANOS_PER_M4_INSTRUCTION = 1.5e9 / 64e6;
/** Entering or leaving an interrupt, which the core does not count: 16 and about 13 on an M0. */
const EXCEPTION_CYCLES = 15;
const UART_BYTE_NANOS = 1e10 / 115200;
const UART_HOLDS = 6;
/** Nine bits at 250 kHz. */
const TWI_BYTE_NANOS = 36_000;
const CRYSTAL_START_NANOS = 800_000;
const RAM_AT = 0x20000000;
const IRQ = { uart: 2, timer: 8 } as const;

export interface NrfParts {
  readonly ramBytes: number;
  readonly pageBytes: number;
  /** Longest. */
  readonly eraseNanos: number;
  readonly wordNanos: number;
}

/** firmware/boards/microbit/flash.c says where the times are from. */
export const NRF51822: NrfParts = { ramBytes: 0x4000, pageBytes: 1024, eraseNanos: 22.3e6, wordNanos: 46_300 };
export const NRF52833: NrfParts = { ramBytes: 0x20000, pageBytes: 4096, eraseNanos: 89.7e6, wordNanos: 46_300 };

/** One word written or page erased. */
export interface FlashChange {
  readonly kind: 'word' | 'erase';
  readonly address: number;
  readonly bytes: number;
}

type Registers = Record<number, { read?: () => number; write?: (value: number) => void }>;

/** A register that the chip sets and the firmware clears. */
interface ChipEvent {
  readonly on: boolean;
  readonly raise: () => void;
}

type Core = Simulator['rp2040']['core'];
/** What peripherals know of a core. */
type InterruptLines = Pick<
  Core,
  'pendingInterrupts' | 'enabledInterrupts' | 'interruptsUpdated' | 'interruptPriorities' | 'waiting'
>;
/** The package gives its core and clock away inside a whole RP2040 only, which takes a while to make. */
const donor = new Simulator();

/** Thrown in the middle of an instruction when the power goes. */
class PowerGone extends Error {}

export class NrfChip {
  readonly #core: InterruptLines;
  readonly #m0: Core | null = null;
  readonly #m4: M4Core | null = null;
  readonly #clock = new (donor.clock.constructor as new () => Simulator['clock'])();
  readonly flash: Uint8Array;
  readonly #flashView: DataView;
  readonly #ram: DataView;
  readonly #registers: Registers = {};
  readonly #twi: readonly TwiChip[];
  /** Accesses and uses that the chip would not like. */
  readonly complaints: string[] = [];
  /** Bytes that came while the receiver was full. */
  lostBytes = 0;
  /** Told before every word and page, and after it. */
  onFlash: (change: FlashChange, when: 'before' | 'after') => void = () => undefined;
  /** Nanoseconds that the CPU stood still for its flash. */
  stalledNanos = 0;
  restarts = 0;
  readonly pins = new Map<number, number>();
  #off = false;
  #uartLine: ((byte: number) => void) | null = null;

  constructor(
    flash: Uint8Array,
    private readonly parts: NrfParts = NRF51822,
    twi: readonly TwiChip[] = [],
    /** The program of a Cortex-M4 (nrf-core-m4.ts), which must be closed in the end; else a Cortex-M0 runs. */
    m4: string | null = null,
  ) {
    this.flash = flash.slice();
    this.#flashView = new DataView(this.flash.buffer);
    this.#ram = new DataView(new ArrayBuffer(parts.ramBytes));
    this.#twi = twi;
    const bus = {
      logger: {
        debug: () => undefined,
        info: () => undefined,
        warn: (_: string, text: string) => this.complaints.push(text),
        error: (_: string, text: string) => this.complaints.push(text),
      },
      onBreak: (code: number) => this.complaints.push(`breakpoint ${code}`),
      readUint32: (address: number) => this.#load(address >>> 0, 4),
      readUint16: (address: number) => this.#load(address >>> 0, 2),
      readUint8: (address: number) => this.#load(address >>> 0, 1),
      writeUint32: (address: number, value: number) => this.#store(address >>> 0, value >>> 0, 4),
      writeUint16: (address: number, value: number) => this.#store(address >>> 0, value & 0xffff, 2),
      writeUint8: (address: number, value: number) => this.#store(address >>> 0, value & 0xff, 1),
    };
    if (m4 === null) this.#core = this.#m0 = new (donor.rp2040.core.constructor as new (bus: object) => Core)(bus);
    else this.#core = this.#m4 = new M4Core(m4, this.flash, parts.ramBytes);
    this.#addCore();
    this.#addClockAndFacts();
    this.#addNvmc();
    this.#addUart();
    this.#addTimer();
    this.#addTwi();
    if (!this.#m0) return;
    this.#m0.VTOR = 0;
    this.#m0.reset();
  }

  get nowMs(): number {
    return this.#clock.nanos / 1e6;
  }

  /** All of RAM as it is now. */
  get ram(): Uint8Array {
    return this.#m4?.ram ?? new Uint8Array(this.#ram.buffer).slice();
  }

  get isOff(): boolean {
    return this.#off;
  }

  /** Takes the power away, also in the middle of an instruction. */
  powerOff(): never {
    this.#off = true;
    throw new PowerGone();
  }

  /** Lets the chip run for so many simulated milliseconds. */
  run(ms: number): void {
    const core = this.#core;
    const clock = this.#clock;
    const end = clock.nanos + ms * 1e6;
    try {
      while (clock.nanos < end && !this.#off) {
        // A core that waits wakes up for any enabled interrupt, also a masked one and one that was pending before.
        if (core.waiting && (core.pendingInterrupts & core.enabledInterrupts) !== 0) core.waiting = false;
        if (core.waiting) {
          const next = clock.nanosToNextAlarm;
          clock.tick(next > 0 ? Math.min(next, end - clock.nanos) : NANOS_PER_CYCLE);
        } else if (this.#m4) {
          this.#runM4(this.#m4, end);
        } else if (this.#m0) {
          const level = this.#m0.IPSR;
          const cycles = this.#m0.executeInstruction() + (this.#m0.IPSR === level ? 0 : EXCEPTION_CYCLES);
          clock.tick(cycles * NANOS_PER_CYCLE);
        }
      }
    } catch (error) {
      if (!(error instanceof PowerGone)) throw error;
    }
  }

  #runM4(core: M4Core, end: number): void {
    const clock = this.#clock;
    core.run({
      executed: (instructions) => clock.tick(instructions * NANOS_PER_M4_INSTRUCTION),
      load: (address, size) => this.#load(address, size as 1 | 2 | 4),
      store: (address, value, size) => this.#store(address, value, size as 1 | 2 | 4),
      limit: () => {
        const next = clock.nanosToNextAlarm;
        const nanos = Math.min(next > 0 ? next : Infinity, end - clock.nanos);
        return Math.max(1, Math.ceil(nanos / NANOS_PER_M4_INSTRUCTION));
      },
    });
  }

  /** Ends the process of a Cortex-M4. */
  close(): void {
    this.#m4?.close();
  }

  readonly #time = createChipTime(
    () => this.nowMs,
    (ms) => this.run(ms),
  );
  readonly timing = this.#time.timing;
  readonly until = this.#time.until;
  readonly pause = this.#time.pause;

  // ---- Memory

  #load(address: number, size: 1 | 2 | 4): number {
    const view =
      address < this.flash.length
        ? this.#flashView
        : address >= RAM_AT && address + size <= RAM_AT + this.parts.ramBytes
          ? this.#ram
          : null;
    const at = address < this.flash.length ? address : address - RAM_AT;
    if (view) {
      return size === 4 ? view.getUint32(at, true) : size === 2 ? view.getUint16(at, true) : view.getUint8(at);
    }
    const read = this.#registers[address]?.read;
    if (size === 4 && read) return read() >>> 0;
    this.complaints.push(`read of ${address.toString(16)}`);
    return 0;
  }

  #store(address: number, value: number, size: 1 | 2 | 4): void {
    if (address < this.flash.length) {
      this.#program(address, value, size);
      return;
    }
    if (address >= RAM_AT && address + size <= RAM_AT + this.parts.ramBytes) {
      const at = address - RAM_AT;
      if (size === 4) this.#ram.setUint32(at, value, true);
      else if (size === 2) this.#ram.setUint16(at, value, true);
      else this.#ram.setUint8(at, value);
      return;
    }
    const write = this.#registers[address]?.write;
    if (size === 4 && write) write(value);
    else this.complaints.push(`write of ${value.toString(16)} to ${address.toString(16)}`);
  }

  #add(address: number, read: (() => number) | null, write: ((value: number) => void) | null): void {
    this.#registers[address] = { ...(read ? { read } : {}), ...(write ? { write } : {}) };
  }

  /** A register that only holds what is written. */
  #addHeld(address: number, initial = 0): { value: number } {
    const held = { value: initial };
    this.#add(
      address,
      () => held.value,
      (value) => (held.value = value),
    );
    return held;
  }

  /** Not the core's own method: it would enter a masked interrupt's handler out of a wait. */
  #interrupt(irq: number, line: boolean): void {
    const core = this.#core;
    if (line) core.pendingInterrupts |= 1 << irq;
    else core.pendingInterrupts &= ~(1 << irq);
    core.interruptsUpdated = true;
  }

  #after(nanos: number, work: () => void): void {
    this.#clock.createAlarm(work).schedule(nanos);
  }

  // ---- Core: the few system registers that the firmware touches

  #addCore(): void {
    const core = this.#core;
    this.#add(
      0xe000e100,
      () => core.enabledInterrupts,
      (value) => {
        core.enabledInterrupts |= value;
        core.interruptsUpdated = true;
      },
    );
    for (let register = 0; register < 8; register++) {
      const held = { value: 0 };
      this.#add(
        0xe000e400 + 4 * register,
        () => held.value,
        (value) => {
          held.value = value;
          for (let byte = 0; byte < 4; byte++) {
            const bit = 1 << (4 * register + byte);
            const priority = (value >>> (8 * byte + 6)) & 3;
            core.interruptPriorities = core.interruptPriorities.map((bits, i) =>
              i === priority ? bits | bit : bits & ~bit,
            );
          }
          core.interruptsUpdated = true;
        },
      );
    }
    this.#add(0xe000ed0c, null, () => {
      this.restarts++;
      this.powerOff();
    });
    this.#addHeld(0xe000ed88);
  }

  #addClockAndFacts(): void {
    const started = this.#addHeld(0x40000100);
    this.#add(0x40000000, null, () => this.#after(CRYSTAL_START_NANOS, () => (started.value = 1)));
    this.#addHeld(0x10000060, 0x89abcdef);
    this.#addHeld(0x10000064, 0x01234567);
    for (const port of [0x50000000, 0x50000300]) {
      this.#add(port + 0x508, null, () => undefined);
      for (let pin = 0; pin < 32; pin++) {
        const number = pin + (port === 0x50000000 ? 0 : 32);
        this.#add(port + 0x700 + 4 * pin, null, (value) => this.pins.set(number, value));
      }
    }
  }

  // ---- Flash

  readonly #nvmc = { config: 0 };

  /** The CPU stands still; everything else goes on. */
  #stall(nanos: number): void {
    this.stalledNanos += nanos;
    this.#clock.tick(nanos);
  }

  #program(address: number, value: number, size: number): void {
    if (size !== 4 || address % 4 !== 0 || this.#nvmc.config !== 1) {
      this.complaints.push(`flash written at ${address.toString(16)} without leave`);
      return;
    }
    const before = this.#flashView.getUint32(address, true);
    if (before !== 0xffffffff) this.complaints.push(`word at ${address.toString(16)} programmed twice`);
    const change: FlashChange = { kind: 'word', address, bytes: 4 };
    this.onFlash(change, 'before');
    this.#flashView.setUint32(address, (before & value) >>> 0, true);
    this.#m4?.flashIs(address, this.flash.subarray(address, address + 4));
    this.#stall(this.parts.wordNanos);
    this.onFlash(change, 'after');
  }

  #addNvmc(): void {
    this.#add(0x4001e400, () => 1, null);
    this.#add(0x4001e504, null, (value) => (this.#nvmc.config = value));
    this.#add(0x4001e508, null, (address) => {
      const { pageBytes, eraseNanos } = this.parts;
      if (this.#nvmc.config !== 2 || address % pageBytes !== 0 || address >= this.flash.length) {
        this.complaints.push(`page ${address.toString(16)} erased without leave`);
        return;
      }
      const change: FlashChange = { kind: 'erase', address, bytes: pageBytes };
      this.onFlash(change, 'before');
      this.flash.fill(0xff, address, address + pageBytes);
      this.#m4?.flashIs(address, this.flash.subarray(address, address + pageBytes));
      this.#stall(eraseNanos);
      this.onFlash(change, 'after');
    });
  }

  // ---- UART

  #addUart(): void {
    const base = 0x40002000;
    const [received, sent, error] = [
      this.#event(base + 0x108, () => update()),
      this.#event(base + 0x11c, () => update()),
      this.#event(base + 0x124, () => update()),
    ];
    let enabled = 0;
    const update = (): void => {
      const line =
        ((enabled & (1 << 2)) !== 0 && received.on) ||
        ((enabled & (1 << 7)) !== 0 && sent.on) ||
        ((enabled & (1 << 9)) !== 0 && error.on);
      this.#interrupt(IRQ.uart, line);
    };
    this.#add(
      base + 0x304,
      () => enabled,
      (value) => {
        enabled |= value;
        update();
      },
    );
    this.#add(
      base + 0x308,
      () => enabled,
      (value) => {
        enabled &= ~value;
        update();
      },
    );
    const baud = this.#addHeld(base + 0x524);
    const use = this.#addHeld(base + 0x500);
    let running = { receive: false, send: false };
    this.#add(base + 0x000, null, () => (running = { ...running, receive: true }));
    this.#add(base + 0x008, null, () => (running = { ...running, send: true }));
    for (const offset of [0x50c, 0x514, 0x56c]) this.#addHeld(base + offset);
    let source = 0;
    this.#add(
      base + 0x480,
      () => source,
      (value) => (source &= ~value),
    );
    const fifo: number[] = [];
    this.#add(
      base + 0x518,
      () => {
        const byte = fifo.shift() ?? 0;
        if (fifo.length > 0) received.raise();
        return byte;
      },
      null,
    );
    let busy = false;
    this.#add(base + 0x51c, null, (value) => {
      if (busy) this.complaints.push('UART written while it sends');
      if (!running.send || use.value !== 4 || baud.value !== 0x01d7e000) this.complaints.push('UART is not set up');
      busy = true;
      this.#after(UART_BYTE_NANOS, () => {
        busy = false;
        this.onSent(value & 0xff);
        sent.raise();
      });
    });
    this.#uartLine = (byte) => {
      if (!running.receive) return;
      if (fifo.length === UART_HOLDS) {
        this.lostBytes++;
        source |= 1;
        error.raise();
        return;
      }
      if (fifo.push(byte) === 1) received.raise();
    };
  }

  /** Set by the link below. */
  onSent: (byte: number) => void = () => undefined;

  #event(address: number, changed: () => void): ChipEvent {
    let on = false;
    const set = (value: boolean): void => {
      on = value;
      changed();
    };
    this.#add(
      address,
      () => (on ? 1 : 0),
      (value) => set(value !== 0),
    );
    return {
      get on() {
        return on;
      },
      raise: () => set(true),
    };
  }

  // ---- Timer 0, at 1 MHz

  #addTimer(): void {
    const base = 0x40008000;
    let startedAt: number | null = null;
    let enabled = 0;
    const now = (): number => (startedAt === null ? 0 : Math.floor((this.#clock.nanos - startedAt) / 1000) >>> 0);
    this.#add(base, null, () => (startedAt ??= this.#clock.nanos));
    const events: ChipEvent[] = [];
    const update = (): void => {
      this.#interrupt(
        IRQ.timer,
        events.some((event, n) => event.on && (enabled & (1 << (16 + n))) !== 0),
      );
    };
    this.#add(
      base + 0x304,
      () => enabled,
      (value) => {
        enabled |= value;
        update();
      },
    );
    for (const offset of [0x504, 0x508, 0x510]) this.#addHeld(base + offset);
    for (let n = 0; n < 4; n++) {
      const event = this.#event(base + 0x140 + 4 * n, update);
      events.push(event);
      let compare = 0;
      const alarm = this.#clock.createAlarm(() => {
        event.raise();
        alarm.schedule(2 ** 32 * 1000);
      });
      const set = (value: number): void => {
        compare = value;
        const ahead = (compare - now()) >>> 0;
        const whole = startedAt === null ? 0 : (this.#clock.nanos - startedAt) % 1000;
        alarm.schedule((ahead === 0 ? 2 ** 32 : ahead) * 1000 - whole);
      };
      this.#add(base + 0x540 + 4 * n, () => compare, set);
      this.#add(base + 0x040 + 4 * n, null, () => set(now()));
    }
  }

  // ---- Two-wire interface

  #addTwi(): void {
    const base = 0x40003000;
    const ignore = (): void => undefined;
    const stopped = this.#event(base + 0x104, ignore);
    const received = this.#event(base + 0x108, ignore);
    const sent = this.#event(base + 0x11c, ignore);
    const error = this.#event(base + 0x124, ignore);
    const shorts = this.#addHeld(base + 0x200);
    const address = this.#addHeld(base + 0x588);
    const use = this.#addHeld(base + 0x500);
    for (const offset of [0x508, 0x50c, 0x524]) this.#addHeld(base + offset);
    let source = 0;
    this.#add(
      base + 0x4c4,
      () => source,
      (value) => (source &= ~value),
    );
    let chip: TwiChip | null = null;
    let register: number | null = null;
    let byte = 0;
    const addressed = (): TwiChip | null => {
      if (use.value !== 5) this.complaints.push('TWI is not enabled');
      chip = this.#twi.find((one) => one.address === address.value) ?? null;
      if (chip) return chip;
      source |= 2;
      error.raise();
      return null;
    };
    this.#add(base + 0x008, null, () => (register = null)); // the address goes out with the first byte
    this.#add(base + 0x51c, null, (value) => {
      this.#after(2 * TWI_BYTE_NANOS, () => {
        if (!(register === null ? addressed() : chip)) return;
        if (register === null) register = value;
        else {
          chip?.write(register, value);
          register = chip?.next(register) ?? 0;
        }
        sent.raise();
      });
    });
    const receive = (): void => {
      this.#after(TWI_BYTE_NANOS, () => {
        if (!chip) return;
        byte = chip.read(register ?? 0);
        register = chip.next(register ?? 0);
        received.raise();
        if ((shorts.value & 2) !== 0) this.#after(TWI_BYTE_NANOS / 9, () => stopped.raise());
      });
    };
    this.#add(base + 0x000, null, () => {
      if (addressed()) receive();
    });
    this.#add(base + 0x518, () => byte, null);
    this.#add(base + 0x020, null, receive);
    this.#add(base + 0x014, null, () => this.#after(TWI_BYTE_NANOS / 9, () => stopped.raise()));
  }

  // ---- Cable

  /**
   * The serial port behind the interface chip, 115200 baud each way.
   *
   * @param delayMs how much later a byte arrives, each way: USB and the interface chip
   */
  link(delayMs = 0): Link {
    let events: LinkEvents | null = null;
    const waiting: number[] = [];
    let sending = false;
    const next = (): void => {
      const byte = waiting.shift();
      sending = byte !== undefined;
      if (byte === undefined) return;
      this.#after(UART_BYTE_NANOS, () => {
        this.#uartLine?.(byte);
        next();
      });
    };
    // Alarms of the same moment go off in no order of theirs: each takes what has waited longest.
    const lane = (deliver: (bytes: Uint8Array) => void): ((bytes: Uint8Array) => void) => {
      const queue: Uint8Array[] = [];
      return (bytes) => {
        queue.push(bytes);
        this.#after(delayMs * 1e6, () => deliver(queue.shift() as Uint8Array));
      };
    };
    const toBoard = lane((bytes) => {
      for (const byte of bytes) waiting.push(byte);
      if (!sending) next();
    });
    const toHost = lane((bytes) => events?.onBytes(bytes, this.nowMs));
    this.onSent = (byte) => toHost(Uint8Array.of(byte));
    return {
      info: { kind: 'test', title: 'micro:bit, emulated', usbVendorId: 0x0d28, usbProductId: 0x0204 },
      open: (_, given) => {
        events = given;
        return Promise.resolve();
      },
      write: (bytes) => {
        if (!events) return Promise.reject(new LinkError('closed', 'Not open.'));
        toBoard(bytes.slice());
        return Promise.resolve();
      },
      close: () => {
        events = null;
        return Promise.resolve();
      },
    };
  }
}
