/**
 * Builds the firmware for Arduino Uno and Nano: uno.hex, and uno.json with what the studio must know of it (docs/uno.md).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const tools = ['avr-gcc', 'avr-objcopy', 'avr-size'];

const FLAGS = [
  '-std=c99',
  '-pedantic',
  '-mmcu=atmega328p',
  '-DF_CPU=16000000UL',
  '-Os',
  '-flto',
  '-mrelax',
  '-mcall-prologues',
  // Unrolls and copies loops of float calls; off, the firmware is 1 KB smaller.
  '-fno-tree-loop-optimize',
  '-ffunction-sections',
  '-fdata-sections',
  '-Wall',
  '-Wextra',
  '-Wconversion',
  '-Wshadow',
  '-Werror',
];
/** Leaves this much of the 2 KB of RAM to the stack at least; tests/boards measures what it takes. */
const STACK_BYTES = 550;
const RAM_BYTES = 2048;

export function build(root, folder) {
  const source = join(root, 'firmware', 'boards', 'uno');
  const work = mkdtempSync(join(tmpdir(), 'mote-uno-'));
  try {
    const elf = join(work, 'uno.elf');
    const sources = readdirSync(source)
      .filter((name) => name.endsWith('.c'))
      .sort();
    execFileSync(
      'avr-gcc',
      [
        ...FLAGS,
        `-I${join(root, 'firmware', 'mote', 'src')}`,
        '-I.',
        ...sources,
        '-Wl,--gc-sections',
        '-o',
        elf,
        '-lm',
      ],
      // Relative names, so that the result does not depend on where the repository lies.
      { cwd: source, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    execFileSync('avr-objcopy', ['-O', 'ihex', '-R', '.eeprom', elf, join(folder, 'uno.hex')]);
    const [, row] = execFileSync('avr-size', [elf], { encoding: 'utf8' }).trim().split('\n');
    const [text, data, bss] = row.trim().split(/\s+/).map(Number);
    const memory = numbersIn(readFileSync(join(source, 'uno_memory.h'), 'utf8'));
    const flashBytes = text + data;
    const ramBytes = data + bss;
    if (flashBytes > memory.UNO_MODEL_START) {
      throw new Error(`The firmware takes ${flashBytes} B and reaches into the model area: move UNO_MODEL_START up.`);
    }
    if (ramBytes > RAM_BYTES - STACK_BYTES) throw new Error(`${ramBytes} B of RAM leave too little for the stack.`);
    const facts = {
      pageBytes: memory.UNO_PAGE_BYTES,
      modelStart: memory.UNO_MODEL_START,
      modelEnd: memory.UNO_MODEL_END,
      modelEndOldNano: memory.UNO_MODEL_END_OLD_NANO,
      workBytes: memory.UNO_WORK_BYTES,
      channels: memory.UNO_CHANNELS,
      rateMinHz: memory.UNO_RATE_MIN / 1000,
      rateMaxHz: memory.UNO_RATE_MAX / 1000,
    };
    writeFileSync(join(folder, 'uno.json'), `${JSON.stringify(facts, null, 2)}\n`);
    return { files: ['uno.hex', 'uno.json'], flashBytes, ramBytes };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** `#define NAME number` lines. */
function numbersIn(header) {
  return Object.fromEntries(
    [...header.matchAll(/^#define (\w+) (0x[0-9a-f]+|\d+)u$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
}
