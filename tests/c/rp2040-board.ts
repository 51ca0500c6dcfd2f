/**
 * A Raspberry Pi Pico on one's desk, as far as rp2040js emulates it: the committed .uf2 goes into its flash as the boot
 * ROM would put it there, the second stage runs, and the board is a Link, over UART0 or over its USB port.
 *
 * The boot ROM itself is not free to be copied here. Ours holds the look-up table and the functions that the firmware
 * calls; each is a breakpoint at which TypeScript does the work on the flash array, slowly, as flash is.
 *
 * Time is the chip's: `timing` counts simulated milliseconds, and `until` runs the chip until a promise settles.
 */
import { BasePeripheral, Simulator, USBCDC, type RP2040, type RPUSBController } from 'rp2040js';
import { decodeBlock } from 'uf2';
import { boot2Crc } from '../../firmware/boards/rp2040/build.mjs';
import { LinkError, type Link, type LinkEvents } from '../../src/board/link';
import { createChipTime } from './chip-time';
import type { TwiChip } from './twi-chips';

export const FLASH_START = 0x10000000;
export const FLASH_BYTES = 2 * 1024 * 1024;
const SECTOR = 4096;
/** The boot ROM copies the second stage to the last 256 bytes of RAM. */
const BOOT2_RUNS_AT = 0x20041f00;
const BOOT2_BYTES = 256;
const NANOS_PER_CYCLE = 8;
/** W25Q16JV, typical: erase of a sector, program of a page. */
const ERASE_NANOS = 45e6;
const PROGRAM_NANOS = 0.4e6;
/** So long the ROM looks away between two looks at the flash's status. */
const STATUS_NANOS = 2000;
const UART_BYTE_NANOS = 1e10 / 115200;
const UART_QUEUE = 32;
const UART_FLAGS = 0x18;
const UART_SEND_FULL = 1 << 5;
const UART_RECEIVE_FULL = 1 << 6;
const UART_SEND_EMPTY = 1 << 7;
const USB_PACKET_NANOS = 60_000;
const UNIQUE_ID = [0xe6, 0x60, 0x58, 0x38, 0x83, 0x2a, 0x4c, 0x2b];

/** Registers that the emulator lacks and the chip has. */
const UNMODELLED = new Set(['Unimplemented write to IC_SDA_HOLD']);

/** One erase or program. */
export interface FlashOperation {
  readonly kind: 'erase' | 'program';
  readonly offset: number;
  readonly count: number;
  /** The flash before and after it. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** What the boot ROM's drive does with a .uf2: a sector is erased when its first page comes. */
export function writeUf2(flash: Uint8Array, file: Uint8Array): void {
  const erased = new Set<number>();
  if (file.length % 512 !== 0) throw new Error('Not a whole number of blocks');
  for (let at = 0; at < file.length; at += 512) {
    const block = decodeBlock(file.subarray(at, at + 512));
    if (block.boardFamily !== 0xe48bff56 || (block.flags & 0x2000) === 0) throw new Error('Block of another family');
    if (block.blockNumber !== at / 512 || block.totalBlocks !== file.length / 512)
      throw new Error('Blocks misnumbered');
    if (block.payload.length !== 256 || block.flashAddress % 256 !== 0) throw new Error('Not a page');
    const offset = block.flashAddress - FLASH_START;
    if (offset < 0 || offset + 256 > flash.length) throw new Error('Outside the flash');
    const sector = Math.floor(offset / SECTOR);
    if (!erased.has(sector)) flash.fill(0xff, sector * SECTOR, (sector + 1) * SECTOR);
    erased.add(sector);
    for (let i = 0; i < 256; i++) flash[offset + i] = (flash[offset + i] as number) & (block.payload[i] as number);
  }
}

/** The flash chip's answer to command 4Bh, which the emulator's controller does not know. */
class FlashController extends BasePeripheral {
  readonly #registers = new Map<number, number>();
  readonly #answers: number[] = [];
  #position = 0;
  override readUint32(offset: number): number {
    if (offset === 0x28) return 2 | 4 | (this.#answers.length > 0 ? 8 : 0);
    if (offset === 0x60) return this.#answers.shift() ?? 0;
    return this.#registers.get(offset) ?? 0;
  }
  override writeUint32(offset: number, value: number): void {
    if (offset !== 0x60) {
      this.#registers.set(offset, value);
      return;
    }
    if (this.#position === 0 && value !== 0x4b) throw new Error(`Unknown flash command ${value}`);
    this.#answers.push(this.#position < 5 ? 0xff : (UNIQUE_ID[this.#position - 5] ?? 0xff));
    this.#position = (this.#position + 1) % 13;
  }
}

class Registers extends BasePeripheral {
  readonly #registers = new Map<number, number>();
  override readUint32(offset: number): number {
    return this.#registers.get(offset) ?? 0;
  }
  override writeUint32(offset: number, value: number): void {
    this.#registers.set(offset, value);
  }
}

const ROM = { table: 0x40, lookup: 0x80, erase: 0x100, program: 0x110, nothing: 0x120, bootDrive: 0x130 } as const;
const BREAK = { lookup: 0x10, erase: 1, program: 2, bootDrive: 3 } as const;

function stubRom(): Uint32Array {
  const rom = new DataView(new ArrayBuffer(16384));
  const code = (at: number, ...halves: number[]): void => halves.forEach((h, i) => rom.setUint16(at + 2 * i, h, true));
  const functions: readonly [string, number][] = [
    ['IF', ROM.nothing],
    ['EX', ROM.nothing],
    ['RE', ROM.erase],
    ['RP', ROM.program],
    ['FC', ROM.nothing],
    ['UB', ROM.bootDrive],
  ];
  rom.setUint16(0x14, ROM.table, true);
  rom.setUint16(0x18, ROM.lookup | 1, true);
  functions.forEach(([name, at], i) => {
    rom.setUint16(ROM.table + 4 * i, name.charCodeAt(0) | (name.charCodeAt(1) << 8), true);
    rom.setUint16(ROM.table + 4 * i + 2, at | 1, true);
  });
  const [bxLr, cmpR0, bneBack] = [0x4770, 0x2800, 0xd1fc];
  code(ROM.lookup, 0xbe00 | BREAK.lookup, bxLr);
  code(ROM.erase, 0xbe00 | BREAK.erase, cmpR0, bneBack, bxLr); // until the breakpoint leaves 0 in r0
  code(ROM.program, 0xbe00 | BREAK.program, cmpR0, bneBack, bxLr);
  code(ROM.nothing, bxLr);
  code(ROM.bootDrive, 0xbe00 | BREAK.bootDrive, 0xe7fe);
  return new Uint32Array(rom.buffer);
}

export class Pico {
  readonly #simulator = new Simulator();
  readonly clock = this.#simulator.clock;
  readonly chip = this.#simulator.rp2040;
  /** Every erase and program since power-up, with the flash around it, when `recording`. */
  readonly operations: FlashOperation[] = [];
  recording = false;
  /** Told of every erase and program, after the flash was changed. */
  onFlash: (change: { readonly offset: number; readonly count: number }) => void = () => undefined;
  bootDriveAsked = false;
  /** Bytes that went over UART0 and the USB port so far. */
  readonly wire = { toBoard: 0, toHost: 0 };
  /** Told of every byte on the wire; over USB, of every packet. */
  onWire: () => void = () => undefined;
  /** What the emulator complained of: an access to nothing. */
  readonly complaints: string[] = [];
  #busyUntil: number | null = null;
  #stopped = false;

  /** Powers up with this flash; `prepare` may put sensors on the wires before. */
  constructor(flash: Uint8Array, prepare?: (chip: RP2040) => void) {
    const { chip } = this;
    const complain = (component: string, message: string): void => {
      if (!UNMODELLED.has(message)) this.complaints.push(`${component}: ${message}`);
    };
    chip.logger = { debug: () => undefined, info: () => undefined, warn: complain, error: complain };
    chip.peripherals[0x18000] = new FlashController(chip, 'SSI');
    chip.peripherals[0x40018] = new Registers(chip, 'IO_QSPI');
    chip.loadBootrom(stubRom());
    chip.flash.set(flash);
    chip.onBreak = (code) => this.#onBreak(code);
    prepare?.(chip);
    const boot2 = chip.flash.subarray(0, BOOT2_BYTES);
    const crc = new DataView(boot2.buffer).getUint32(BOOT2_BYTES - 4, true);
    if (crc !== boot2Crc(boot2.subarray(0, BOOT2_BYTES - 4))) throw new Error('The boot ROM would not start this');
    chip.sram.set(boot2, BOOT2_RUNS_AT - 0x20000000);
    chip.core.SP = BOOT2_RUNS_AT;
    chip.core.LR = 0;
    chip.core.PC = BOOT2_RUNS_AT;
  }

  get flash(): Uint8Array {
    return this.chip.flash.slice(0, FLASH_BYTES);
  }

  #onBreak(code: number): void {
    const { chip, clock } = this;
    const r = chip.core.registers;
    const [r0, r1, r2] = [r[0] as number, r[1] as number, r[2] as number];
    if (code === BREAK.lookup) {
      let at = r0;
      while (chip.readUint16(at) !== 0 && chip.readUint16(at) !== r1) at += 4;
      r[0] = chip.readUint16(at) === 0 ? 0 : chip.readUint16(at + 2);
      return;
    }
    if (code === BREAK.bootDrive) {
      this.bootDriveAsked = true;
      return;
    }
    if (code !== BREAK.erase && code !== BREAK.program) throw new Error(`Breakpoint ${code}`);
    if (this.#busyUntil !== null) {
      clock.tick(STATUS_NANOS);
      r[0] = clock.nanos < this.#busyUntil ? 1 : 0;
      if (r[0] === 0) this.#busyUntil = null;
      return;
    }
    const before = this.recording ? this.flash : new Uint8Array();
    const count = code === BREAK.erase ? r1 : r2;
    if (r0 % (code === BREAK.erase ? SECTOR : 256) !== 0 || r0 + count > FLASH_BYTES)
      throw new Error('Bad flash address');
    if (code === BREAK.erase) {
      chip.flash.fill(0xff, r0, r0 + count);
    } else {
      if (r1 < 0x20000000) throw new Error('Flash cannot be read while it is programmed');
      for (let i = 0; i < count; i++) chip.flash[r0 + i] = (chip.flash[r0 + i] as number) & chip.readUint8(r1 + i);
    }
    this.#busyUntil =
      clock.nanos + (code === BREAK.erase ? (count / SECTOR) * ERASE_NANOS : (count / 256) * PROGRAM_NANOS);
    r[0] = 1;
    this.onFlash({ offset: r0, count });
    if (!this.recording) return;
    this.operations.push({
      kind: code === BREAK.erase ? 'erase' : 'program',
      offset: r0,
      count,
      before,
      after: this.flash,
    });
  }

  /** Lets the chip run for so many simulated milliseconds. */
  run(ms: number): void {
    const { chip, clock } = this;
    const end = clock.nanos + ms * 1e6;
    while (clock.nanos < end && !this.#stopped) {
      if (chip.core.waiting) {
        const next = clock.nanosToNextAlarm;
        clock.tick(next > 0 ? Math.min(next, end - clock.nanos) : NANOS_PER_CYCLE);
      } else {
        clock.tick(chip.core.executeInstruction() * NANOS_PER_CYCLE);
      }
    }
  }

  /** Takes the power away: nothing runs any more. */
  powerOff(): void {
    this.#stopped = true;
  }

  /** For the wires below: so many bytes went this way just now. */
  passed(way: 'toBoard' | 'toHost', count: number): void {
    this.wire[way] += count;
    this.onWire();
  }

  get isOff(): boolean {
    return this.#stopped;
  }

  get nowMs(): number {
    return this.clock.nanos / 1e6;
  }

  readonly #time = createChipTime(
    () => this.nowMs,
    (ms) => this.run(ms),
  );
  readonly timing = this.#time.timing;
  readonly until = this.#time.until;
  readonly pause = this.#time.pause;

  /** The two wires of UART0, at 115200 baud. */
  uartLink(): Link {
    const [uart] = this.chip.uart;
    if (!uart) throw new Error('No UART');
    // The emulator's UART sends at once and is never full; the chip's holds 32 bytes.
    const leaving: number[] = [];
    const read = uart.readUint32.bind(uart);
    const waiting: number[] = [];
    let sending = false;
    const alarm = this.clock.createAlarm(() => {
      const byte = waiting.shift();
      sending = byte !== undefined;
      if (byte === undefined) return;
      if (read(UART_FLAGS) & UART_RECEIVE_FULL) this.complaints.push('UART0: overrun');
      else uart.feedByte(byte);
      this.passed('toBoard', 1);
      alarm.schedule(UART_BYTE_NANOS);
    });
    uart.readUint32 = (offset) => {
      const value = read(offset);
      if (offset !== UART_FLAGS) return value;
      return (
        (value & ~UART_SEND_EMPTY) |
        (leaving.length === 0 ? UART_SEND_EMPTY : 0) |
        (leaving.length < UART_QUEUE ? 0 : UART_SEND_FULL)
      );
    };
    return this.#link('UART', (receive) => {
      const sent = this.clock.createAlarm(() => {
        const byte = leaving.shift();
        if (leaving.length > 0) sent.schedule(UART_BYTE_NANOS);
        if (byte === undefined) return;
        this.passed('toHost', 1);
        receive(Uint8Array.of(byte));
      });
      uart.onByte = (byte) => {
        if (leaving.length === UART_QUEUE) this.complaints.push('UART0: written while full');
        if (leaving.push(byte) === 1) sent.schedule(UART_BYTE_NANOS);
      };
      return (bytes) => {
        for (const byte of bytes) waiting.push(byte);
        if (!sending) alarm.schedule(UART_BYTE_NANOS);
        sending = true;
      };
    });
  }

  /** The USB port, plugged into a host that reads and writes the serial port. */
  usbLink(): Link {
    const host = new UsbHost(this);
    return this.#link('USB', (receive) => {
      host.cdc.onSerialData = (bytes) => {
        if (bytes.length === 0) return;
        this.passed('toHost', bytes.length);
        receive(bytes.slice());
      };
      return (bytes) => host.send(bytes);
    });
  }

  #link(title: string, attach: (receive: (bytes: Uint8Array) => void) => (bytes: Uint8Array) => void): Link {
    let events: LinkEvents | null = null;
    const send = attach((bytes) => events?.onBytes(bytes, this.nowMs));
    return {
      info: { kind: 'test', title: `Pico on rp2040js, ${title}`, usbVendorId: null, usbProductId: null },
      open(_options, given) {
        events = given;
        return Promise.resolve();
      },
      write(bytes) {
        if (!events) return Promise.reject(new LinkError('closed', 'Not open.'));
        send(bytes);
        return Promise.resolve();
      },
      close() {
        events = null;
        return Promise.resolve();
      },
    };
  }
}

/** rp2040js's host of a CDC device; ours only holds an OUT transfer back (NAK) until there is something to send. */
export class UsbHost {
  readonly cdc: USBCDC;
  readonly #pico: Pico;
  readonly #usb: RPUSBController;
  readonly #waiting: number[] = [];
  #asked: { readonly endpoint: number; readonly size: number } | null = null;
  connected = false;
  constructor(pico: Pico) {
    this.#pico = pico;
    this.#usb = pico.chip.usbCtrl;
    this.cdc = new USBCDC(this.#usb);
    this.cdc.onDeviceConnected = () => (this.connected = true);
    this.#usb.onEndpointRead = (endpoint, size) => {
      if (endpoint === 0) return;
      this.#asked = { endpoint, size };
      this.#deliver();
    };
  }
  send(bytes: Uint8Array): void {
    for (const byte of bytes) this.#waiting.push(byte);
    this.#deliver();
  }
  #deliver(): void {
    if (this.#asked === null || this.#waiting.length === 0) return;
    const { endpoint, size } = this.#asked;
    const packet = Uint8Array.from(this.#waiting.splice(0, size));
    this.#asked = null;
    this.#usb.endpointReadDone(endpoint, packet, USB_PACKET_NANOS / 1000);
    this.#pico.passed('toBoard', packet.length);
  }
}

/** An MPU-6050 at 0x68 on I2C0 that measures these seven words: acceleration, temperature, rotation. */
export function mpu6050(words: readonly number[]): (chip: RP2040) => void {
  const registers = new Uint8Array(128);
  registers[0x75] = 0x68;
  words.forEach((word, i) => {
    registers[0x3b + 2 * i] = (word >> 8) & 255;
    registers[0x3c + 2 * i] = word & 255;
  });
  return (chip) => {
    const [bus] = chip.i2c;
    if (!bus) throw new Error('No I2C');
    let place: number | null = null;
    bus.onConnect = (address) => {
      place = null;
      bus.completeConnect(address === 0x68);
    };
    // A repeated start keeps the place that was written.
    let kept = 0;
    bus.onWriteByte = (value) => {
      if (place === null) place = kept = value;
      else registers[kept++] = value;
      bus.completeWrite(true);
    };
    bus.onReadByte = () => bus.completeRead(registers[kept++] ?? 0);
  };
}

/** Puts chips on I2C0. */
export function onI2c(...chips: readonly TwiChip[]): (chip: RP2040) => void {
  return (pico) => {
    const [bus] = pico.i2c;
    if (!bus) throw new Error('No I2C');
    let target: TwiChip | null = null;
    // A repeated start keeps the register that was named; what is written first after a start names one.
    let register = 0;
    let named = false;
    bus.onConnect = (address) => {
      target = chips.find((one) => one.address === address) ?? null;
      named = false;
      bus.completeConnect(target !== null);
    };
    bus.onWriteByte = (value) => {
      if (!named) register = value;
      else if (target) {
        target.write(register, value);
        register = target.next(register);
      }
      named = true;
      bus.completeWrite(true);
    };
    bus.onReadByte = () => {
      bus.completeRead(target?.read(register) ?? 0xff);
      register = target?.next(register) ?? 0;
    };
  };
}
