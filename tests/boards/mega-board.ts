/** A sketch on an emulated Arduino Mega 2560 (simavr), in its own time, with an EEPROM that outlives it. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { join as bytesOf, u32 } from '../c/mote-client';

export const EEPROM_BYTES = 4096;
const RAM_END = 0x21ff;
const RUNNER = fileURLToPath(new URL('mega-run.c', import.meta.url));

/** Why there is no emulated Mega here, or null. */
export const whyNoMega = existsSync('/usr/include/simavr/sim_avr.h') ? null : 'libsimavr-dev is not installed';

export interface EepromWrite {
  readonly address: number;
  readonly value: number;
}

/** Compiles what runs the chip. */
export function buildRunner(folder: string): string {
  const program = join(folder, 'mega-run');
  const flags = ['-std=c99', '-O2', '-Wall', '-Wextra', '-Werror'];
  const { status, stderr } = spawnSync('gcc', [...flags, RUNNER, '-o', program, '-lsimavr', '-lelf']);
  if (status !== 0) throw new Error(stderr.toString());
  return program;
}

export class MegaBoard {
  readonly #child: ChildProcessWithoutNullStreams;
  #said = Buffer.alloc(0);
  #ended: number | null = null;
  #news: () => void = () => undefined;

  /** Powers up with this EEPROM; `eepromFile` is a place to hand it over. */
  constructor(runner: string, elf: string, eeprom: Uint8Array, eepromFile: string) {
    writeFileSync(eepromFile, eeprom);
    this.#child = spawn(runner, [elf, eepromFile]);
    this.#child.stdout.on('data', (bytes: Buffer) => {
      this.#said = Buffer.concat([this.#said, bytes]);
      this.#news();
    });
    this.#child.on('exit', (code) => {
      this.#ended = code ?? -1;
      this.#news();
    });
    this.#child.stdin.on('error', () => undefined);
  }

  /** Gives bytes to the UART, lets 10 ms pass, returns what it sent. */
  exchange = async (bytes: Uint8Array): Promise<Uint8Array> => {
    this.#child.stdin.write(bytesOf(Uint8Array.of(0x58), u32(bytes.length), bytes));
    return this.#take(await this.#number());
  };

  /** All writes to the EEPROM since power-up. */
  async writes(): Promise<EepromWrite[]> {
    this.#child.stdin.write('W');
    const bytes = await this.#take(3 * (await this.#number()));
    return Array.from({ length: bytes.length / 3 }, (_, i) => ({
      address: bytes.readUInt16LE(3 * i),
      value: bytes[3 * i + 2] as number,
    }));
  }

  /** The EEPROM, and the most bytes of stack so far. */
  async look(): Promise<{ readonly eeprom: Uint8Array; readonly stackBytes: number }> {
    this.#child.stdin.write('E');
    const bytes = await this.#take(EEPROM_BYTES + 2);
    return {
      eeprom: new Uint8Array(bytes.subarray(0, EEPROM_BYTES)),
      stackBytes: RAM_END - bytes.readUInt16LE(EEPROM_BYTES),
    };
  }

  powerOff(): void {
    this.#child.kill();
  }

  async #number(): Promise<number> {
    return (await this.#take(4)).readUInt32LE(0);
  }

  async #take(count: number): Promise<Buffer> {
    while (this.#said.length < count) {
      if (this.#ended !== null) throw new Error(`The emulator ended with ${this.#ended}.`);
      await new Promise<void>((resolve) => (this.#news = resolve));
    }
    const bytes = this.#said.subarray(0, count);
    this.#said = this.#said.subarray(count);
    return bytes;
  }
}
