/** Builds sketches of the Arduino library with Debian's real Arduino core, as its platform.txt says. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The library as it is in the repository. */
export const LIBRARY = fileURLToPath(new URL('../../firmware/mote', import.meta.url));
const CORE = '/usr/share/arduino/hardware/arduino/avr';

export interface ArduinoBoard {
  readonly name: string;
  readonly mcu: string;
  readonly variant: string;
  readonly define: string;
  readonly flags: readonly string[];
  readonly flashBytes: number;
  readonly ramBytes: number;
}

export const BOARDS: readonly ArduinoBoard[] = [
  {
    name: 'Uno',
    mcu: 'atmega328p',
    variant: 'standard',
    define: 'UNO',
    flags: [],
    flashBytes: 32_256,
    ramBytes: 2048,
  },
  {
    name: 'Mega',
    mcu: 'atmega2560',
    variant: 'mega',
    define: 'MEGA2560',
    flags: [],
    flashBytes: 253_952,
    ramBytes: 8192,
  },
  {
    name: 'Leonardo',
    mcu: 'atmega32u4',
    variant: 'leonardo',
    define: 'LEONARDO',
    flags: ['-DUSB_VID=0x2341', '-DUSB_PID=0x8036'],
    flashBytes: 28_672,
    ramBytes: 2560,
  },
];
/** Why nothing can be built here, or null. */
export const whyNoCore =
  spawnSync('avr-g++', ['--version']).status !== 0 || !existsSync(join(CORE, 'cores/arduino'))
    ? 'gcc-avr or arduino-core-avr is not installed'
    : null;

export function boardNamed(name: string): ArduinoBoard {
  const board = BOARDS.find((one) => one.name === name);
  if (!board) throw new Error(`No board is called ${name}.`);
  return board;
}

export interface Size {
  readonly flashBytes: number;
  readonly ramBytes: number;
}

const CPP = ['-std=gnu++11', '-fno-exceptions', '-fpermissive', '-fno-threadsafe-statics'];
const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed:\n${stderr.slice(0, 4000)}`);
  return stdout;
}

/** Builds in a folder, which it fills with objects; cores and library are compiled once for each board. */
export class ArduinoBuild {
  readonly #objects = new Map<string, readonly string[]>();

  constructor(
    readonly folder: string,
    readonly library: string = LIBRARY,
  ) {}

  /** The library's objects. Throws with what the compiler says: warnings are errors. */
  libraryOf(board: ArduinoBoard): readonly string[] {
    return this.#once(`library-${board.mcu}`, (folder) =>
      readdirSync(join(this.library, 'src'))
        .filter((name) => name.endsWith('.c'))
        .map((name) => this.#compile(board, join(this.library, 'src', name), folder, WARNINGS)),
    );
  }

  /** The object of an example, likewise. */
  sketchOf(board: ArduinoBoard, sketch: string): string {
    const folder = join(this.folder, `${board.mcu}-${sketch}`);
    mkdirSync(folder, { recursive: true });
    const source = join(folder, `${sketch}.cpp`);
    const example = join(this.library, 'examples', sketch);
    writeFileSync(source, `#include <Arduino.h>\n${readFileSync(join(example, `${sketch}.ino`), 'utf8')}`);
    return this.#compile(board, source, folder, [...WARNINGS, `-I${example}`]);
  }

  /** The program of an example. */
  link(board: ArduinoBoard, sketch: string): string {
    const elf = join(this.folder, `${board.mcu}-${sketch}.elf`);
    const objects = [this.sketchOf(board, sketch), ...this.#coreOf(board), ...this.libraryOf(board)];
    run('avr-g++', [
      ...this.#flags(board),
      '-fuse-linker-plugin',
      '-Wl,--gc-sections',
      ...objects,
      ...['-o', elf, '-lm'],
    ]);
    return elf;
  }

  size(elf: string): Size {
    const [text = 0, data = 0, bss = 0] = (run('avr-size', [elf]).trim().split('\n')[1] ?? '')
      .trim()
      .split(/\s+/)
      .map(Number);
    return { flashBytes: text + data, ramBytes: data + bss };
  }

  #coreOf(board: ArduinoBoard): readonly string[] {
    return this.#once(`core-${board.mcu}`, (folder) =>
      readdirSync(join(CORE, 'cores/arduino'))
        .filter((name) => /\.(c|cpp|S)$/.test(name))
        .map((name) => this.#compile(board, join(CORE, 'cores/arduino', name), folder, ['-w'])),
    );
  }

  #once(name: string, make: (folder: string) => readonly string[]): readonly string[] {
    const known = this.#objects.get(name);
    if (known) return known;
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    const objects = make(folder);
    this.#objects.set(name, objects);
    return objects;
  }

  #compile(board: ArduinoBoard, source: string, folder: string, flags: readonly string[]): string {
    const object = join(folder, `${source.split('/').at(-1)}.o`);
    const cpp = source.endsWith('.cpp');
    const language = cpp ? CPP : source.endsWith('.S') ? ['-x', 'assembler-with-cpp'] : ['-std=gnu11'];
    run(cpp ? 'avr-g++' : 'avr-gcc', [...language, ...this.#flags(board), ...flags, '-c', source, '-o', object]);
    return object;
  }

  #flags(board: ArduinoBoard): string[] {
    return [
      `-mmcu=${board.mcu}`,
      '-DF_CPU=16000000L',
      '-DARDUINO=10819',
      `-DARDUINO_AVR_${board.define}`,
      '-DARDUINO_ARCH_AVR',
      // Debian's avr-libc has no DECIMAL_DIG, which the core's WString needs.
      '-DDECIMAL_DIG=__DECIMAL_DIG__',
      '-Os',
      '-flto',
      '-ffunction-sections',
      '-fdata-sections',
      `-I${CORE}/cores/arduino`,
      `-I${CORE}/variants/${board.variant}`,
      `-I${this.library}/src`,
      ...board.flags,
    ];
  }
}
