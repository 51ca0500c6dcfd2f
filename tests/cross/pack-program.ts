/** C programs that run packs with the loader of the runtime, as boards do. */
import path from 'node:path';
import { PACK_SOURCES } from '../../scripts/runtime-sources.mjs';

const RUNTIME = path.join(process.cwd(), 'firmware', 'mote', 'src');

/** What to compile beside such a program, and the flag that finds the loader's headers. */
export const LOADER_SOURCES: readonly string[] = PACK_SOURCES.map((name) => path.join(RUNTIME, name));
export const LOADER_FLAGS: readonly string[] = ['-I', RUNTIME];

/**
 * Opens every pack and gives it at most `windows` of its self-test windows: prints for each pack how many of them gave the
 * known answer, two hexadecimal digits. What is counted is the network of the last window, without its features; then, after
 * a space, the stack that this network used. `ramBytes` is for the largest of the models.
 */
export function packProgram(packs: readonly Uint8Array[], windows: number, ramBytes: number): string {
  const words = (bytes: Uint8Array): string =>
    Array.from(new Uint32Array(bytes.slice().buffer), (word) => `0x${word.toString(16)}u`).join();
  return `#include "mote_pack.h"
#include "platform.h"
${packs.map((pack, index) => `static const uint32_t pack_${index}[] = {${words(pack)}};`).join('\n')}
static uint64_t ram[${Math.ceil(ramBytes / 8)}];
static int calls;
/* Asked at the start, between features and network, and at the end. */
static uint32_t clock_us(void) {
  calls++;
  if (calls == 2) {
    paint_stack();
    bench_begin();
  }
  if (calls == 3) bench_end();
  return 0;
}

static int check(const uint32_t *words, uint32_t bytes) {
  static mote_model m;
  int32_t index;
  int same = 0;
  if (mote_model_open(&m, (const uint8_t *)words, bytes, ram, sizeof ram) != MOTE_OK) return 0;
  mote_model_set_clock(&m, clock_us);
  for (index = 0; index < mote_model_selftest_count(&m) && index < ${windows}; index++) {
    calls = 0;
    same += mote_model_selftest(&m, index) == 1;
  }
  return same;
}

int program(void) {
${packs.map((_, index) => `  put_hex((uint32_t)check(pack_${index}, sizeof pack_${index}), 2);\n`).join('')}  put_character(' ');
  put_hex((uint32_t)used_stack(), 8);
  return 42;
}
`;
}

/** What such a program printed. */
export function parsePacks(text: string): { readonly same: readonly number[]; readonly stackBytes: number } {
  const [counts = '', stack = ''] = text.split(' ');
  return { same: [...Buffer.from(counts, 'hex')], stackBytes: parseInt(stack, 16) };
}
