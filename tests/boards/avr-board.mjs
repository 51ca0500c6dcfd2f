/**
 * An Arduino Uno or Nano in JavaScript: avr8js runs the chip, with a real boot loader in its flash. avr8js leaves out
 * what boot loaders live on, so that is here: the SPM instruction, resets with a cause, starting at the boot section.
 */
import {
  adcConfig,
  AVRADC,
  AVRClock,
  AVREEPROM,
  AVRIOPort,
  avrInstruction,
  AVRTimer,
  AVRUSART,
  AVRWatchdog,
  clockConfig,
  CPU,
  EEPROMMemoryBackend,
  portBConfig,
  portCConfig,
  portDConfig,
  timer0Config,
  timer1Config,
  timer2Config,
  usart0Config,
  watchdogConfig,
} from 'avr8js';

export const CLOCK_HZ = 16_000_000;
const PAGE_BYTES = 128;
const FLASH_BYTES = 0x8000;
/** The flash, and what stands in for the room that Debian's Optiboot lacks. */
const MEMORY_BYTES = FLASH_BYTES + PAGE_BYTES;
const RAM_END = 0x8ff;
const SPM = 0x95e8;
/** Data addresses of registers. */
const MCUSR = 0x54;
const SPMCSR = 0x57;
const UCSR0A = 0xc0;
const RXC = 0x80;
const UART_FLAGS = 0xbc;
/** Bits of MCUSR: why the chip was reset. */
const EXTERNAL_RESET = 2;
const WATCHDOG_RESET = 8;
/** Commands in SPMCSR. */
const FILL_PAGE = 1;
const ERASE_PAGE = 3;
const WRITE_PAGE = 5;
const INSTRUCTIONS_PER_LOOK = 50;

export class AvrBoard {
  /** All of the flash, boot loader included. */
  flash = new Uint8Array(MEMORY_BYTES).fill(0xff);
  /** Called with every byte that the board sends. */
  onByte = () => {};
  /** Volts at A0, A1, A2 at a time in seconds since power-up. */
  volts = () => [0, 0, 0];
  /** Pages written so far. */
  pagesWritten = 0;
  /** Cycles since power-up. */
  cycles = 0;
  #program = new Uint16Array(this.flash.buffer);
  #bootStart;
  #received = [];
  #pendingReset = 0;

  /** @param bootLoaderHex text of the boot loader's Intel HEX file */
  constructor(bootLoaderHex) {
    this.#bootStart = this.#load(bootLoaderHex);
    this.#boot(EXTERNAL_RESET);
  }

  /**
   * Gives the lowest address. Debian's build of Optiboot is 20 bytes longer than its section of the chip, and its
   * version lies over its last instructions, which proper readers of Intel HEX refuse. Here it gets the room that it
   * lacks, and its code goes before its version; on boards is Arduino's build, which fits.
   */
  #load(hex) {
    let next = 0;
    let lowest = MEMORY_BYTES;
    for (const [, address, data] of hex.matchAll(/^:..(....)00(.*)..\r?$/gm)) {
      const at = parseInt(address, 16);
      if (at < next) continue;
      const bytes = Buffer.from(data, 'hex');
      lowest = Math.min(lowest, at);
      next = at + bytes.length;
      this.flash.set(bytes, at);
    }
    return lowest;
  }

  /** The reset pin was pulled low: what came in and was not read is gone. */
  reset() {
    this.#received = [];
    this.#boot(EXTERNAL_RESET);
  }

  /** Bytes for the board's UART. */
  send(bytes) {
    for (const byte of bytes) this.#received.push(byte);
  }

  get baudRate() {
    return this.usart.baudRate;
  }

  /** Fills the RAM above address `from`, so that `stackBytes` can tell how far the stack came down. */
  paintStack(from) {
    this.cpu.data.fill(0xa5, from, this.cpu.SP - 1);
    this.paintedFrom = from;
  }

  /** Most bytes of stack used since `paintStack`. */
  get stackBytes() {
    let at = this.paintedFrom;
    while (this.cpu.data[at] === 0xa5) at++;
    return RAM_END + 1 - at;
  }

  /** Lets the chip run for so many seconds of its own time. */
  run(seconds) {
    const end = this.cycles + seconds * CLOCK_HZ;
    while (this.cycles < end) {
      this.#feed();
      const before = this.cpu.cycles;
      for (let i = 0; i < INSTRUCTIONS_PER_LOOK && this.#pendingReset === 0; i++) {
        if (this.#program[this.cpu.pc] === SPM) this.#storeProgramMemory();
        else avrInstruction(this.cpu);
        this.cpu.tick();
      }
      this.cycles += this.cpu.cycles - before;
      if (this.#pendingReset !== 0) this.#boot(this.#pendingReset);
    }
  }

  #feed() {
    if (this.#received.length === 0) return;
    if (!this.usart.rxEnable || this.usart.rxBusy || (this.cpu.data[UCSR0A] & RXC) !== 0) return;
    this.usart.writeByte(this.#received.shift());
  }

  #boot(cause) {
    this.#pendingReset = 0;
    this.page = new Uint16Array(PAGE_BYTES / 2).fill(0xffff);
    const cpu = new CPU(this.#program);
    // The watchdog calls this.
    cpu.reset = () => {
      this.#pendingReset = WATCHDOG_RESET;
    };
    for (const port of [portBConfig, portCConfig, portDConfig]) new AVRIOPort(cpu, port);
    for (const timer of [timer0Config, timer1Config, timer2Config]) new AVRTimer(cpu, timer);
    new AVRWatchdog(cpu, watchdogConfig, new AVRClock(cpu, CLOCK_HZ, clockConfig));
    new AVREEPROM(cpu, new EEPROMMemoryBackend(1024));
    const adc = new AVRADC(cpu, adcConfig);
    adc.onADCRead = ({ channel }) => {
      const volts = this.volts(this.cycles / CLOCK_HZ)[channel ?? 0] ?? 0;
      const steps = Math.max(0, Math.min(1023, Math.floor((volts * 1024) / adc.avcc)));
      cpu.addClockEvent(() => adc.completeADCRead(steps), adc.sampleCycles);
    };
    this.usart = new AVRUSART(cpu, usart0Config, CLOCK_HZ);
    // Flags of the UART are read-only on the chip; avr8js clears them when U2X is written, and then never sends again.
    const write = cpu.writeHooks[UCSR0A];
    cpu.writeHooks[UCSR0A] = (value, ...rest) => {
      const flags = cpu.data[UCSR0A] & UART_FLAGS;
      write(value, ...rest);
      cpu.data[UCSR0A] |= flags;
      return true;
    };
    this.usart.onByteTransmit = (byte) => this.onByte(byte);
    cpu.data[MCUSR] = cause;
    cpu.pc = this.#bootStart / 2;
    this.cpu = cpu;
  }

  #storeProgramMemory() {
    const { cpu } = this;
    const at = cpu.data[30] | (cpu.data[31] << 8);
    const start = at & ~(PAGE_BYTES - 1);
    switch (cpu.data[SPMCSR] & 0x1f) {
      case FILL_PAGE:
        this.page[(at >> 1) % this.page.length] = cpu.data[0] | (cpu.data[1] << 8);
        break;
      case ERASE_PAGE:
        this.flash.fill(0xff, start, start + PAGE_BYTES);
        break;
      case WRITE_PAGE:
        // Programming clears bits; only erasing sets them.
        this.page.forEach((word, i) => (this.#program[start / 2 + i] &= word));
        this.page.fill(0xffff);
        this.pagesWritten++;
        break;
    }
    cpu.data[SPMCSR] &= ~0x1f;
    cpu.pc++;
    cpu.cycles++;
  }
}
