/** Builds unpacked bundles as their users would, as far as their toolchains are installed here. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unzipSync } from 'fflate';

/** Unzips into `folder`; returns the one folder in the zip. */
export function unpack(zip: Uint8Array, folder: string): string {
  const files = Object.entries(unzipSync(zip));
  for (const [name, bytes] of files) {
    const target = path.join(folder, name);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
  return path.join(folder, (files[0]?.[0] ?? '').split('/')[0] as string);
}

export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' }).status === 0;
}

/** Runs a command; throws with what it said when it fails. */
export function execute(command: string, args: readonly string[], cwd?: string, input = ''): string {
  const done = spawnSync(command, args, { cwd, input, encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 26 });
  if (done.error) throw done.error;
  if (done.status !== 0)
    throw new Error(`${command}: exit ${done.status ?? done.signal}\n${done.stdout}\n${done.stderr}`);
  return done.stdout;
}

const ARDUINO = '/usr/share/arduino/hardware/arduino/avr';

export interface AvrBoard {
  readonly name: string;
  readonly mcu: string;
  readonly variant: string;
  readonly flags: readonly string[];
}

/** As boards.txt has them. */
export const AVR_BOARDS = {
  uno: { name: 'Uno', mcu: 'atmega328p', variant: 'standard', flags: ['-DARDUINO_AVR_UNO'] },
  leonardo: {
    name: 'Leonardo',
    mcu: 'atmega32u4',
    variant: 'leonardo',
    flags: ['-DARDUINO_AVR_LEONARDO', '-DUSB_VID=0x2341', '-DUSB_PID=0x8036'],
  },
  mega: { name: 'Mega 2560', mcu: 'atmega2560', variant: 'mega', flags: ['-DARDUINO_AVR_MEGA2560'] },
} as const satisfies Readonly<Record<string, AvrBoard>>;

/** Why no sketch can be built here, or null. */
export function whyNoArduino(): string | null {
  if (!isInstalled('avr-g++')) return 'avr-g++ is not installed';
  return existsSync(ARDUINO) ? null : 'arduino-core-avr is not installed';
}

/**
 * Compiles and links a sketch with the Arduino AVR core, flags as in its platform.txt, and returns the ELF file. An
 * `.ino` gets what the IDE puts before it.
 */
export function buildSketch(board: AvrBoard, sketch: string, include: string, folder: string): string {
  const flags = [
    ...[`-mmcu=${board.mcu}`, '-DF_CPU=16000000L', '-DARDUINO=10819', '-DARDUINO_ARCH_AVR', ...board.flags],
    // WString.cpp of this core needs it with this avr-libc.
    '-DDECIMAL_DIG=__DECIMAL_DIG__',
    ...['-Os', '-ffunction-sections', '-fdata-sections', '-flto'],
    ...[`-I${ARDUINO}/cores/arduino`, `-I${ARDUINO}/variants/${board.variant}`],
  ];
  const cpp = ['-std=gnu++11', '-fno-exceptions', '-fpermissive', '-fno-threadsafe-statics'];
  const core = path.join(folder, `core-${board.mcu}`);
  if (!existsSync(core)) {
    mkdirSync(core);
    for (const file of readdirSync(path.join(ARDUINO, 'cores/arduino'))) {
      const source = path.join(ARDUINO, 'cores/arduino', file);
      const out = ['-w', '-c', source, '-o', path.join(core, `${file}.o`)];
      if (file.endsWith('.c')) execute('avr-gcc', ['-std=gnu11', ...flags, ...out]);
      if (file.endsWith('.cpp')) execute('avr-g++', [...cpp, ...flags, ...out]);
      if (file.endsWith('.S')) execute('avr-gcc', ['-x', 'assembler-with-cpp', ...flags, ...out]);
    }
  }
  const object = path.join(folder, 'sketch.o');
  const first = sketch.endsWith('.ino') ? ['-include', 'Arduino.h'] : [];
  execute('avr-g++', [
    ...[
      ...cpp,
      ...flags,
      ...first,
      '-Wall',
      '-Wextra',
      '-Werror',
      '-I',
      include,
      '-x',
      'c++',
      '-c',
      sketch,
      '-o',
      object,
    ],
  ]);
  const elf = path.join(folder, `${board.mcu}.elf`);
  const objects = readdirSync(core).map((file) => path.join(core, file));
  execute('avr-g++', [
    ...flags,
    '-w',
    '-fuse-linker-plugin',
    '-Wl,--gc-sections',
    object,
    ...objects,
    '-o',
    elf,
    '-lm',
  ]);
  return elf;
}

/** Bytes of flash and of static RAM. */
export function avrSize(elf: string): { readonly flash: number; readonly ram: number } {
  const [text = 0, data = 0, bss = 0] = (execute('avr-size', [elf]).split('\n')[1] ?? '')
    .trim()
    .split(/\s+/)
    .map(Number);
  return { flash: text + data, ram: data + bss };
}

/** What a program says up to a whole line with `until` in it; it is ended then, or after `seconds`. */
export function listen(command: string, args: readonly string[], until: string, seconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const stop = setTimeout(() => child.kill('SIGKILL'), 1000 * seconds);
    let said = '';
    const take = (bytes: Buffer): void => {
      said += bytes.toString();
      if (
        said
          .split('\n')
          .slice(0, -1)
          .some((line) => line.includes(until))
      )
        child.kill('SIGKILL');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(stop);
      resolve(said);
    });
  });
}
