/** Bundles as a user gets them: unzipped, compiled untouched, and run where there is something to run them on. */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { strideFrames, windowFrames } from '../../src/dsp/block';
import { BUNDLE_FORMATS, makeBundle, zipBundle, type BundleFormat } from '../../src/emit/bundles/bundle';
import { libraryName } from '../../src/emit/bundles/bundle-facts';
import { markdownText } from '../../src/emit/bundles/bundle-text';
import { emitHeader } from '../../src/emit/header';
import { writePack } from '../../src/emit/pack';
import { AVR_BOARDS, avrSize, buildSketch, execute, isInstalled, listen, unpack, whyNoArduino } from './bundle-builds';
import { HERE, STRICT, Workshop } from './c-compiler';
import { Dice, randomModel, randomWindow } from './random-model';
import { CROSS_TARGETS, whyMissing } from '../cross/cross-target';

const workshop = new Workshop();
afterAll(() => workshop.close());

const HOSTILE = [
  'wave\nred=1',
  'circle "é"',
  '*/ #include </etc/passwd> /*',
  '\\"; exit(1); //',
  '$(shell touch pwned)\n\tendmenu\n[env:evil]\nextra_scripts = x.py',
  '`rm -rf ~` <script>alert(1)</script> [x](javascript:y)',
  '??/\n#error trigraph',
  '\u202eright to left\u2028line',
  'x'.repeat(200),
];
const model = randomModel(31, { prefix: 'magic_wand', labels: HOSTILE });
const pack = writePack(model);
/** Fits into the 2 KB of an Uno. */
const small = randomModel(7, {
  prefix: 'tiny',
  labels: ['idle', 'wave\n=1'],
  channels: 1,
  blocks: [
    {
      kind: 'flatten',
      version: 1,
      channels: [0],
      params: {
        scale: 1,
        average: true,
        minimum: true,
        maximum: true,
        rms: true,
        stdev: true,
        skewness: false,
        kurtosis: false,
      },
    },
  ],
  hidden: [4],
});

let count = 0;
/** The unpacked bundle, in a folder of its own. */
function unpacked(format: BundleFormat, bytes = pack): string {
  const folder = path.join(workshop.folder, `bundle-${count++}`);
  mkdirSync(folder);
  return unpack(zipBundle(makeBundle(bytes, format)), folder);
}

describe.each(BUNDLE_FORMATS)('the %s bundle', (format) => {
  it('is one folder, the same bytes every time, with model.h as it is and a README of ten lines', () => {
    const zip = zipBundle(makeBundle(pack, format));
    expect(Buffer.from(zip).equals(zipBundle(makeBundle(pack, format)))).toBe(true);
    const files = Object.entries(unzipSync(zip));
    const { folder } = makeBundle(pack, format);
    for (const [name] of files) {
      expect(name.startsWith(`${folder}/`)).toBe(true);
      expect(name).toMatch(/^[A-Za-z0-9_./-]+$/);
      expect(name).not.toContain('..');
    }
    const headers = files.filter(([name]) => name.endsWith('/model.h'));
    expect(headers.map(([, bytes]) => Buffer.from(bytes).toString())).toEqual([emitHeader(pack)]);
    const text = Buffer.from(unzipSync(zip)[`${folder}/README.md`] ?? []).toString();
    expect(text.split('\n').filter((line) => line.startsWith('- **'))).toHaveLength(10);
    expect(text.trimEnd().split('\n')).toHaveLength(12);
    expect(text).toContain('**Tried:**');
    expect(text).not.toMatch(/(?<!\\)<script/);
    expect(text).not.toMatch(/[\u202e\u2028]/);
  });

  it('keeps labels out of everything that a build tool reads, except where one ASCII line or JSON string belongs', () => {
    for (const [name, bytes] of makeBundle(pack, format).files) {
      if (/\.(md|h|txt)$/.test(name) && !name.endsWith('CMakeLists.txt')) continue;
      const text = Buffer.from(bytes).toString();
      expect(text).toMatch(/^[\x20-\x7e\t\n]*$/);
      // The hostile line breaks would start these lines.
      expect(text).not.toMatch(/^\s*(\[env:evil\]|endmenu|extra_scripts|red=1|#error)/m);
      if (name.endsWith('.json')) expect(() => JSON.parse(text) as unknown).not.toThrow();
    }
  });
});

it('names libraries after the model, and leaves names of Arduino to Arduino', () => {
  expect(libraryName('magic_wand')).toBe('MagicWandModel');
  expect(libraryName('gesture')).toBe('GestureModel');
  expect(libraryName('arduino_thing')).toBe('MyArduinoThingModel');
});

it('escapes Markdown', () => {
  expect(markdownText('a*b_[c](d)\n# e')).toBe('a\\*b\\_\\[c\\]\\(d\\) \\# e');
});

describe('plain C', () => {
  it.each(['gcc', 'clang'])('builds with make and %s, passes its self-test and classifies lines of numbers', (cc) => {
    const folder = unpacked('c');
    execute('make', [`CC=${cc}`, `CFLAGS=-O2 ${STRICT.join(' ')}`], folder);
    expect(execute('make', ['test', `CC=${cc}`], folder)).toContain('Self-test passed: 64 of 64 windows identical');
    const windows = 3;
    const samples = windowFrames(model.input) + (windows - 1) * strideFrames(model.input);
    const dice = new Dice(5);
    const data = randomWindow(dice, samples, model.input.channels.length);
    const rows = Array.from({ length: samples }, (_, row) =>
      Array.from(data.subarray(row * model.input.channels.length, (row + 1) * model.input.channels.length)).join(','),
    );
    const said = execute('./classify', [], folder, ['x,y,z', ...rows, ''].join('\n'));
    expect(said.match(/\(this window: /g)).toHaveLength(windows);
  });

  it('says so when a byte of the model differs', () => {
    const folder = unpacked('c');
    const header = readFileSync(path.join(folder, 'model.h'), 'utf8');
    const broken = header.replace(
      /(magic_wand_test_scores\[\d+\][^{]*\{\s*)(-?\d+)/,
      (_, head: string, value: string) => `${head}${Number(value) === 5 ? 6 : 5}`,
    );
    expect(broken).not.toBe(header);
    workshop.write(path.join(path.relative(workshop.folder, folder), 'model.h'), broken);
    execute('make', [], folder);
    expect(() => execute('./classify', [], folder)).toThrow(/exit 1\nSelf-test FAILED: 63 of 64/);
  });

  const chips = CROSS_TARGETS.filter(({ name }) => ['Cortex-M0+', 'Cortex-M4', 'RV32IMC'].includes(name));
  it.each(chips)('passes its self-test on $name in QEMU', async (chip) => {
    const missing = whyMissing(chip);
    if (missing !== null) return console.warn(`skipped: ${missing}`);
    const folder = unpacked('c');
    const [flash, flashSize, ram, ramSize] = chip.memory;
    const specs = `/usr/lib/picolibc/${chip.compiler.replace(/-gcc$/, '')}/picolibc.specs`;
    const places = { __flash: flash, __flash_size: flashSize, __ram: ram, __ram_size: ramSize, __stack_size: '16K' };
    const linker = Object.entries(places).map(([name, value]) => `-Wl,--defsym=${name}=${value}`);
    execute(
      'make',
      [
        `CC=${chip.compiler}`,
        `CFLAGS=-O2 -Werror ${chip.flags.join(' ')} --specs=${specs}`,
        `LDFLAGS=--oslib=semihost --crt0=hosted ${linker.join(' ')}`,
      ],
      folder,
    );
    const [qemu = '', ...machine] = chip.qemu;
    const said = await listen(
      qemu,
      [
        ...machine,
        ...['-display', 'none', '-monitor', 'none', '-serial', 'none', '-chardev', 'stdio,id=c0'],
        ...['-semihosting-config', 'enable=on,target=native,chardev=c0', '-kernel', path.join(folder, 'classify')],
      ],
      'Self-test',
      60,
    );
    expect(said).toContain('Self-test passed: 64 of 64 windows identical');
  });
});

describe('Arduino', () => {
  it('has the fields that the library specification wants, one line each', () => {
    const text = Buffer.from(makeBundle(pack, 'arduino').files.get('library.properties') ?? []).toString();
    const fields = new Map(
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    );
    const wanted = 'name version author maintainer sentence paragraph category url architectures includes';
    expect([...fields.keys()]).toEqual(wanted.split(' '));
    for (const [field, value] of fields) expect([field, value]).not.toEqual([field, '']);
    expect(fields.get('name')).toMatch(/^[A-Za-z][A-Za-z0-9 _.-]{0,62}$/);
    expect(fields.get('includes')).toBe('magic_wand_model.h');
  });

  it('has a sketch that runs on a stand-in for the core: self-test passes, every full window is printed', () => {
    const root = unpacked('arduino');
    const sketch = path.join(root, 'examples/MagicWandModel/MagicWandModel.ino');
    const windows = 3;
    const samples = windowFrames(model.input) + (windows - 1) * strideFrames(model.input);
    // The clock of the stand-in advances by 100 us per look at it, once per loop.
    const loops = Math.ceil((samples * 1e6) / model.input.rateHz / 100) + 1;
    const main = workshop.write(
      'main.cpp',
      `#include "Arduino.h"\n#include "${sketch}"\nint main() {\n  setup();\n` +
        `  for (long i = 0; i < ${loops}L; i++) loop();\n  return 0;\n}\n`,
    );
    for (const standard of ['gnu++11', 'gnu++17']) {
      const program = workshop.compile(
        { name: standard, command: 'g++', flags: [`-std=${standard}`, '-O2', '-Wall', '-Wextra', '-Werror'] },
        [main],
        ['-I', path.join(HERE, 'arduino-stand-in'), '-I', path.join(root, 'src')],
      );
      const output = workshop.run(program).toString().split('\n');
      expect(output[0]).toBe('Self-test passed: 64 of 64 windows identical');
      expect(output.filter((text) => text.includes('(this window: '))).toHaveLength(windows);
    }
  });

  const missing = whyNoArduino();
  it.skipIf(missing !== null)(
    `compiles with the Arduino AVR core for Uno, Leonardo and Mega${missing ? `: ${missing}` : ''}`,
    () => {
      const root = unpacked('arduino', writePack(small));
      const sketch = path.join(root, 'examples/TinyModel/TinyModel.ino');
      for (const board of [AVR_BOARDS.uno, AVR_BOARDS.leonardo, AVR_BOARDS.mega]) {
        const elf = buildSketch(board, sketch, path.join(root, 'src'), workshop.folder);
        const size = avrSize(elf);
        console.log(`${board.name}: ${size.flash} B flash, ${size.ram} B RAM`);
        if (board !== AVR_BOARDS.mega) {
          expect(size.flash).toBeLessThanOrEqual(28_672);
          expect(size.ram).toBeLessThanOrEqual(2048);
        }
      }
    },
    180_000,
  );

  for (const board of [AVR_BOARDS.uno, AVR_BOARDS.mega]) {
    it.skipIf(missing !== null || !isInstalled('simavr'))(
      `passes its self-test on an emulated ${board.name}`,
      async () => {
        const root = unpacked('arduino', writePack(small));
        const sketch = path.join(root, 'examples/TinyModel/TinyModel.ino');
        const elf = buildSketch(board, sketch, path.join(root, 'src'), workshop.folder);
        const said = await listen('simavr', ['-m', board.mcu, '-f', '16000000', elf], 'Self-test', 60);
        expect(said).toContain('Self-test passed: 64 of 64 windows identical');
      },
      180_000,
    );
  }

  it.skipIf(missing !== null)(
    'a gesture model with six channels compiles for Mega and fits there',
    () => {
      const gestures = readFileSync(path.join(HERE, '../../static-models/gestures/gestures.mote'));
      const root = unpacked('arduino', gestures);
      const sketch = path.join(root, 'examples/GesturesModel/GesturesModel.ino');
      const elf = buildSketch(AVR_BOARDS.mega, sketch, path.join(root, 'src'), workshop.folder);
      const size = avrSize(elf);
      console.log(`gestures on Mega 2560: ${size.flash} B flash, ${size.ram} B RAM`);
      expect(size.flash).toBeLessThanOrEqual(253_952);
      expect(size.ram).toBeLessThanOrEqual(7168);
    },
    180_000,
  );

  it.skipIf(missing !== null)(
    'PlatformIO: src and lib compile with the same core, and the project has their layout',
    () => {
      const root = unpacked('platformio', writePack(small));
      expect(readdirSync(root).sort()).toEqual(['LICENSE.txt', 'README.md', 'lib', 'platformio.ini', 'src']);
      expect(readdirSync(path.join(root, 'lib'))).toEqual(['tiny-model']);
      const library = path.join(root, 'lib/tiny-model');
      const manifest = JSON.parse(readFileSync(path.join(library, 'library.json'), 'utf8')) as Record<string, string>;
      expect(manifest['name']).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(manifest['version']).toMatch(/^\d+\.\d+\.\d+$/);
      expect(manifest['description']?.length).toBeLessThanOrEqual(255);
      const elf = buildSketch(
        AVR_BOARDS.mega,
        path.join(root, 'src/main.cpp'),
        path.join(library, 'src'),
        workshop.folder,
      );
      expect(avrSize(elf).flash).toBeGreaterThan(1000);
    },
    180_000,
  );
});

/** Compiles a C file for a chip, without linking. */
function compileFor(compiler: string, flags: readonly string[], source: string, includes: readonly string[]): void {
  const object = path.join(workshop.folder, 'part.o');
  execute(compiler, [
    ...[...flags, '-std=gnu17', '-O2', '-Wall', '-Wextra', '-Werror', '-ffunction-sections'],
    ...[...includes.flatMap((folder) => ['-I', folder]), '-c', source, '-o', object],
  ]);
}

/** The C library of Debian for a compiler. */
function picolibc(machine: string): string {
  return `--specs=/usr/lib/picolibc/${machine}/picolibc.specs`;
}

const ESP32_C3 = [
  'riscv64-unknown-elf-gcc',
  ['-march=rv32imc', '-mabi=ilp32', picolibc('riscv64-unknown-elf')],
] as const;
const CORTEX_M4 = ['arm-none-eabi-gcc', ['-mcpu=cortex-m4', '-mthumb', picolibc('arm-none-eabi')]] as const;
/** The core of the ESP8266: the Xtensa that Debian has a compiler for. */
const XTENSA = ['xtensa-lx106-elf-gcc', ['-mlongcalls', '-isystem', '/usr/lib/xtensa-lx106-elf/include']] as const;

describe.each([
  ['esp-idf', 'examples/classify/main/main.c', 'esp-idf', [ESP32_C3, XTENSA]],
  ['zephyr', 'samples/classify/src/main.c', 'zephyr', [CORTEX_M4, ESP32_C3]],
] as const)('%s', (format, source, standIns, chips) => {
  for (const [compiler, flags] of chips) {
    it.skipIf(!isInstalled(compiler))(`compiles against stand-ins with ${compiler} ${flags[0]}`, () => {
      const root = unpacked(format);
      compileFor(compiler, flags, path.join(root, source), [
        path.join(HERE, 'platform-stand-ins', standIns),
        path.join(root, 'include'),
      ]);
    });
  }
});
