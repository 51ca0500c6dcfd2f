import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root, run, runtime, SANITIZED, withFolder } from './native-program';

const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

/** A core of Arduino that storages_test.cpp stands in for, with the symbols of its linker script. */
interface Core {
  readonly name: string;
  /** Of the core or its toolchain. */
  readonly core: string;
  readonly folder?: string;
  readonly flags?: readonly string[];
  /** Lines with "neither 0" that it prints. */
  readonly storages: number;
}

const symbol = (name: string, address: number): string => `-Wl,--defsym=${name}=${address}`;

const CORES: readonly Core[] = [
  { name: 'AVR', core: 'avr-libc', folder: 'avr', storages: 2 },
  { name: 'FILE', core: 'files and block devices', storages: 3 },
  {
    name: 'RP2040',
    core: 'Pico SDK',
    folder: 'rp2040',
    flags: ['-DARDUINO_ARCH_RP2040', symbol('_FS_start', 0x20004000), symbol('_FS_end', 0x2000c000)],
    storages: 1,
  },
  { name: 'ESP32', core: 'ESP-IDF 5', folder: 'esp32', flags: ['-DARDUINO_ARCH_ESP32'], storages: 1 },
  {
    name: 'ESP32',
    core: 'ESP-IDF 4',
    folder: 'esp32',
    flags: ['-DARDUINO_ARCH_ESP32', '-DESP_IDF_VERSION_MAJOR=4'],
    storages: 1,
  },
  { name: 'MBED', core: 'Mbed', folder: 'mbed', flags: ['-DARDUINO_ARCH_MBED'], storages: 1 },
  {
    name: 'SAMD',
    core: 'SAMD21',
    folder: 'samd',
    flags: [
      '-DARDUINO_ARCH_SAMD',
      symbol('__etext', 0x21008000),
      symbol('__data_start__', 0x1000),
      symbol('__data_end__', 0x1100),
    ],
    storages: 1,
  },
];

it.each(CORES)(
  'storages of $name, $core: the old or the new model after a cut at every operation',
  ({ name, folder: core, flags = [], storages }) => {
    const said = withFolder((folder) => {
      const slots = join(folder, 'slots.o');
      run('gcc', ['-std=c99', '-O2', ...WARNINGS, ...SANITIZED, '-c', join(runtime, 'mote_slots.c'), '-o', slots]);
      const program = join(folder, 'storages');
      const here = join(root, 'tests/c');
      run('g++', [
        ...['-std=c++11', '-O2', '-no-pie', ...WARNINGS, ...SANITIZED],
        ...[`-DCORE_${name}`, ...flags],
        ...[`-I${runtime}`, ...(core === undefined ? [] : [`-I${join(here, 'arduino-cores', core)}`])],
        ...[join(here, 'storages_test.cpp'), slots, '-o', program],
      ]);
      return run(program, [], 120_000);
    });
    console.log(said.trim());
    expect([...said.matchAll(/: [1-9]\d* cuts, old model [1-9]\d*, new model [1-9]\d*, neither 0/g)]).toHaveLength(
      storages,
    );
  },
  180_000,
);
