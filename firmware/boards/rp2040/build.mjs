/**
 * Firmware for the Raspberry Pi Pico: rp2040.uf2, to be dragged onto the drive of its boot loader, and rp2040.json,
 * which says where models go (read by src/emit/rp2040-uf2.ts).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockSize, encodeBlock, UF2Flags } from 'uf2';
import { RUNTIME_SOURCES } from '../../../scripts/runtime-sources.mjs';

export const tools = ['arm-none-eabi-gcc', 'arm-none-eabi-objcopy', 'arm-none-eabi-size'];

const FLAGS = [
  '-mcpu=cortex-m0plus',
  '-mthumb',
  '-std=c99',
  '-O2',
  '-ffreestanding',
  '-fno-tree-loop-distribute-patterns', // would make memcpy call itself
  '-ffunction-sections',
  '-fdata-sections',
  '--param=min-pagesize=0', // the boot ROM is at address 0
  '-pedantic',
  '-Wall',
  '-Wextra',
  '-Wconversion',
  '-Wshadow',
  '-Wmissing-prototypes',
  '-Werror',
];
const SOURCES = ['boot2.S', 'start.c', 'clocks.c', 'flash.c', 'uart.c', 'usb.c', 'sensors.c', 'main.c'];

const FLASH_START = 0x10000000;
/** Of a Pico; boards with more have room to spare. */
const FLASH_BYTES = 2 * 1024 * 1024;
const BOOT2_BYTES = 256;
const SECTOR_BYTES = 4096;
const PAYLOAD_BYTES = 256;
const FAMILY_RP2040 = 0xe48bff56;

function run(program, args, cwd) {
  const done = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`${program}: exit ${done.status}\n${done.stdout}${done.stderr}`);
  return done.stdout;
}

/** CRC-32 as the boot ROM computes it (RP2040 datasheet 2.8.1.3.1): not reflected, starts with ones, no final xor. */
export function boot2Crc(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** Whole sectors: the boot ROM leaves what is missing of a sector in an undefined state (RP2040-E14). */
function toUf2(image) {
  const bytes = new Uint8Array(Math.ceil(image.length / SECTOR_BYTES) * SECTOR_BYTES).fill(0xff);
  bytes.set(image);
  const blocks = bytes.length / PAYLOAD_BYTES;
  const file = new Uint8Array(blocks * blockSize);
  for (let i = 0; i < blocks; i++) {
    const block = {
      flags: UF2Flags.familyIDPresent,
      flashAddress: FLASH_START + i * PAYLOAD_BYTES,
      payload: bytes.subarray(i * PAYLOAD_BYTES, (i + 1) * PAYLOAD_BYTES),
      blockNumber: i,
      totalBlocks: blocks,
      boardFamily: FAMILY_RP2040,
    };
    encodeBlock(block, file, i * blockSize);
  }
  return file;
}

function definition(source, name) {
  const found = new RegExp(`^#define ${name} (\\w+?)u?$`, 'm').exec(source);
  if (!found) throw new Error(`main.c does not define ${name}`);
  return Number(found[1]);
}

export function build(root, folder) {
  const board = join(root, 'firmware/boards/rp2040');
  const scratch = mkdtempSync(join(tmpdir(), 'mote-rp2040-'));
  try {
    const elf = join(scratch, 'rp2040.elf');
    const bin = join(scratch, 'rp2040.bin');
    const runtime = '../../mote/src';
    const sources = [...SOURCES, ...RUNTIME_SOURCES.map((name) => `${runtime}/${name}`)];
    const link = ['-nostdlib', '-nostartfiles', '-T', 'rp2040.ld', '-Wl,--gc-sections', '-Wl,--build-id=none'];
    run('arm-none-eabi-gcc', [...FLAGS, `-I${runtime}`, ...link, ...sources, '-lgcc', '-o', elf], board);
    run('arm-none-eabi-objcopy', ['-O', 'binary', '--gap-fill', '0xff', elf, bin], board);
    const image = new Uint8Array(readFileSync(bin));
    const view = new DataView(image.buffer, image.byteOffset);
    view.setUint32(BOOT2_BYTES - 4, boot2Crc(image.subarray(0, BOOT2_BYTES - 4)), true);
    const main = readFileSync(join(board, 'main.c'), 'utf8');
    const storage = definition(main, 'FLASH_STORAGE');
    if (image.length > storage) throw new Error('The firmware reaches into the models’ area');
    const sections = run('arm-none-eabi-size', ['-A', elf], board);
    const size = (name) => Number(new RegExp(`^\\${name}\\s+(\\d+)`, 'm').exec(sections)?.[1] ?? 0);
    const layout = {
      flashBytes: FLASH_BYTES,
      storageAt: storage,
      storageBytes: definition(main, 'FLASH_STORAGE_BYTES'),
      eraseBytes: SECTOR_BYTES,
      progBytes: PAYLOAD_BYTES,
      slots: definition(main, 'SLOTS'),
      modelRamBytes: definition(main, 'MODEL_RAM'),
    };
    writeFileSync(join(folder, 'rp2040.uf2'), toUf2(image));
    writeFileSync(join(folder, 'rp2040.json'), `${JSON.stringify(layout, null, 2)}\n`);
    return {
      files: ['rp2040.uf2', 'rp2040.json'],
      flashBytes: image.length,
      ramBytes: size('.image') + size('.bss') - layout.modelRamBytes,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
