/** Compiles the micro:bit firmware, for the build.mjs of each version of the board. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUNTIME_SOURCES } from '../../../scripts/runtime-sources.mjs';

export const tools = ['arm-none-eabi-gcc', 'arm-none-eabi-objcopy', 'arm-none-eabi-size'];

/**
 * `stack`: bytes that the linker keeps free. The deepest path of version 1 in QEMU stays well below (microbit.md); the
 * kernels of version 2 work on two pixels at a time and take a few hundred bytes more.
 */
export const BOARDS = {
  1: {
    cpu: ['-mcpu=cortex-m0', '-mthumb'],
    flash: 0x40000,
    firmware: 0x14000,
    page: 1024,
    ram: 0x4000,
    stack: 2048,
    modelRam: 9216,
    sendExtra: 64,
  },
  2: {
    cpu: ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'],
    flash: 0x80000,
    firmware: 0x20000,
    page: 4096,
    ram: 0x20000,
    stack: 4096,
    modelRam: 98304,
    sendExtra: 8192,
  },
};

const STRICT = [
  '-std=c99',
  '-pedantic',
  '-Wall',
  '-Wextra',
  '-Wconversion',
  '-Wshadow',
  '-Wmissing-prototypes',
  '-Werror',
];
const OURS = ['startup', 'main', 'uart', 'twi', 'accelerometer', 'clock', 'flash'];

/** Writes microbit-vN.hex and microbit-vN.json (where slots are) into `folder`. */
export function compile(root, folder, version) {
  const board = BOARDS[version];
  const here = 'firmware/boards/microbit';
  const sources = [
    ...OURS.map((name) => `${here}/${name}.c`),
    ...RUNTIME_SOURCES.map((name) => `firmware/mote/src/${name}`),
  ];
  const work = mkdtempSync(join(tmpdir(), 'mote-microbit-'));
  const tool = (name, args) => execFileSync(name, args, { cwd: root, encoding: 'utf8' });
  try {
    const elf = join(work, 'firmware.elf');
    tool('arm-none-eabi-gcc', [
      ...board.cpu,
      ...STRICT,
      '-O2',
      '-ffreestanding',
      '-fno-tree-loop-distribute-patterns',
      '-ffunction-sections',
      '-fdata-sections',
      '-Ifirmware/mote/src',
      `-I${here}`,
      `-DMICROBIT=${version}`,
      `-DFLASH_BYTES=${board.flash}u`,
      `-DFIRMWARE_BYTES=${board.firmware}u`,
      `-DMODEL_RAM=${board.modelRam}u`,
      `-DSEND_EXTRA=${board.sendExtra}u`,
      ...sources,
      '-nostdlib',
      '-nostartfiles',
      '-lgcc',
      '-Wl,--gc-sections',
      '-Wl,--build-id=none',
      `-Wl,-T,${here}/microbit.ld`,
      `-Wl,--defsym=__firmware_bytes=${board.firmware}`,
      `-Wl,--defsym=__ram_bytes=${board.ram}`,
      `-Wl,--defsym=__stack_bytes=${board.stack}`,
      '-o',
      elf,
    ]);
    const name = `microbit-v${version}`;
    tool('arm-none-eabi-objcopy', ['-O', 'ihex', elf, join(folder, `${name}.hex`)]);
    const [text, data, bss] = tool('arm-none-eabi-size', [elf]).split('\n')[1].trim().split(/\s+/).map(Number);
    const slots = {
      flashBytes: board.flash,
      storageAt: board.firmware,
      storageBytes: board.flash - board.firmware,
      eraseBytes: board.page,
      progBytes: 4,
      slots: 2,
      modelRamBytes: board.modelRam,
    };
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(slots, null, 2)}\n`);
    return { files: [`${name}.hex`, `${name}.json`], flashBytes: text + data, ramBytes: data + bss };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
