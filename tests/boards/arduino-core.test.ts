/** The Arduino library and its examples compile and fit, with Debian's real Arduino core, for the AVR boards. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const LIBRARY = fileURLToPath(new URL('../../firmware/mote', import.meta.url));
const CORE = '/usr/share/arduino/hardware/arduino/avr';
const COMPILE_MS = 180_000;

interface ArduinoBoard {
  readonly name: string;
  readonly mcu: string;
  readonly variant: string;
  readonly define: string;
  readonly flags: readonly string[];
  readonly flashBytes: number;
  readonly ramBytes: number;
}

const BOARDS: readonly ArduinoBoard[] = [
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
/** Which sketches fit where: the protocol with models needs more flash than the small chips have. */
const FITS = [
  ['PrintNumbers', 'Uno'],
  ['PrintNumbers', 'Mega'],
  ['PrintNumbers', 'Leonardo'],
  ['RememberedBoard', 'Uno'],
  ['RememberedBoard', 'Leonardo'],
  ['MoteBoard', 'Mega'],
  ['StreamBoard', 'Mega'],
] as const;

const missing =
  spawnSync('avr-g++', ['--version']).status !== 0 || !existsSync(join(CORE, 'cores/arduino'))
    ? 'gcc-avr or arduino-core-avr is not installed'
    : null;
const folder = mkdtempSync(join(tmpdir(), 'mote-arduino-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed:\n${stderr.slice(0, 4000)}`);
  return stdout;
}

function flagsFor(board: ArduinoBoard): string[] {
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
    `-I${LIBRARY}/src`,
    ...board.flags,
  ];
}

const CPP = ['-std=gnu++11', '-fno-exceptions', '-fpermissive', '-fno-threadsafe-statics'];
const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

function compile(board: ArduinoBoard, source: string, flags: readonly string[]): string {
  const object = join(folder, `${board.mcu}-${source.split('/').slice(-2).join('-')}.o`);
  const language = source.endsWith('.cpp')
    ? CPP
    : source.endsWith('.S')
      ? ['-x', 'assembler-with-cpp']
      : ['-std=gnu11'];
  const compiler = source.endsWith('.cpp') ? 'avr-g++' : 'avr-gcc';
  run(compiler, [...language, ...flagsFor(board), ...flags, '-c', source, '-o', object]);
  return object;
}

const cores = new Map<string, string[]>();

function coreOf(board: ArduinoBoard): string[] {
  const known = cores.get(board.mcu);
  if (known) return known;
  const sources = readdirSync(join(CORE, 'cores/arduino')).filter((name) => /\.(c|cpp|S)$/.test(name));
  const objects = sources.map((name) => compile(board, join(CORE, 'cores/arduino', name), ['-w']));
  cores.set(board.mcu, objects);
  return objects;
}

function libraryOf(board: ArduinoBoard): string[] {
  return readdirSync(join(LIBRARY, 'src'))
    .filter((name) => name.endsWith('.c'))
    .map((name) => compile(board, join(LIBRARY, 'src', name), WARNINGS));
}

function sketchOf(board: ArduinoBoard, sketch: string): string {
  const source = join(folder, `${board.mcu}-${sketch}.cpp`);
  const text = readFileSync(join(LIBRARY, 'examples', sketch, `${sketch}.ino`), 'utf8');
  writeFileSync(source, `#include <Arduino.h>\n${text}`);
  return compile(board, source, WARNINGS);
}

describe.skipIf(missing !== null)(`Arduino core (${missing ?? 'arduino-core-avr'})`, () => {
  test.each(BOARDS)(
    'the library compiles without a warning for $name',
    (board) => {
      expect(libraryOf(board).length).toBeGreaterThan(3);
    },
    COMPILE_MS,
  );

  test.each(BOARDS)(
    'every example compiles without a warning for $name',
    (board) => {
      for (const sketch of readdirSync(join(LIBRARY, 'examples'))) sketchOf(board, sketch);
    },
    COMPILE_MS,
  );

  test.each(FITS)(
    '%s fits %s',
    (sketch, name) => {
      const board = BOARDS.find((one) => one.name === name) as ArduinoBoard;
      const elf = join(folder, `${board.mcu}-${sketch}.elf`);
      run('avr-g++', [
        ...flagsFor(board),
        '-fuse-linker-plugin',
        '-Wl,--gc-sections',
        ...coreOf(board),
        ...libraryOf(board),
        sketchOf(board, sketch),
        '-o',
        elf,
        '-lm',
      ]);
      const [text = 0, data = 0, bss = 0] = (run('avr-size', [elf]).trim().split('\n')[1] ?? '')
        .trim()
        .split(/\s+/)
        .map(Number);
      console.info(`${sketch} on ${name}: ${text + data} B flash, ${data + bss} B RAM`);
      expect(text + data).toBeLessThan(board.flashBytes);
      expect(data + bss).toBeLessThan(board.ramBytes - 256);
    },
    COMPILE_MS,
  );
});
