/** Packs from anywhere: the loader never leaves the pack and its RAM, the studio never fails but with an EmitError. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { crc32 } from '../../src/emit/crc32';
import { emitHeader } from '../../src/emit/header';
import { EmitError } from '../../src/emit/model';
import { readPack, writePack } from '../../src/emit/pack';
import { HERE, RUNTIME, SANITIZED, Workshop } from './c-compiler';
import { Dice, randomModel } from './random-model';

const ITERATIONS = 50_000;

const workshop = new Workshop();
afterAll(() => workshop.close());

/** Small models, so that a fuzzed pack costs little time. */
const packs = [2007, 2012].map((seed) => writePack(randomModel(seed, { prefix: 'fuzzed' })));

it.each([0, 1])('the loader survives damaged packs with valid checksums (model %i)', (index) => {
  const program = workshop.compile(
    SANITIZED,
    [path.join(HERE, 'pack-fuzz.c'), path.join(RUNTIME, 'mote_pack.c')],
    ['-I', RUNTIME],
  );
  const file = workshop.write(`fuzz-${index}.mote`, packs[index] as Uint8Array);
  const output = workshop.run(program, undefined, [file, String(ITERATIONS), String(4711 + index)]).toString();
  const [refused, run] = output.trim().split(' ').map(Number) as [number, number];
  expect(refused + run).toBe(ITERATIONS);
  // Both sides of every check were visited.
  expect(refused).toBeGreaterThan(ITERATIONS / 10);
  expect(run).toBeGreaterThan(ITERATIONS / 10);
});

/** A few changed bytes under a checksum that fits again. */
function damaged(pack: Uint8Array, dice: Dice): Uint8Array {
  const bytes = pack.slice();
  const view = new DataView(bytes.buffer);
  for (let changes = dice.integer(1, 3); changes > 0; changes--) {
    const section = dice.integer(0, 7);
    const [start, length] = [view.getUint32(16 + 8 * section, true), view.getUint32(20 + 8 * section, true)];
    if (start + length > bytes.length || length < 4) continue;
    const at = start + 4 * dice.integer(0, Math.min(dice.pick([20, length]), length) / 4 - 1);
    const way = dice.integer(0, 2);
    if (way === 0) view.setUint32(at, view.getUint32(at, true) + dice.integer(-3, 3), true);
    else if (way === 1)
      view.setUint32(at, dice.pick([0, 1, 255, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x7f800000]), true);
    else view.setUint8(at, dice.integer(0, 255));
  }
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

it('the studio refuses what it would not have written, and the loader takes all that the studio takes', () => {
  const source = workshop.write(
    'check.c',
    '#include <stdio.h>\n#include "mote_pack.h"\nstatic union { uint8_t bytes[1 << 17]; uint32_t words[1 << 15]; } pack;\n' +
      'int main(void) {\n  uint32_t size;\n  while (fread(&size, 4, 1, stdin) == 1) {\n' +
      '    if (fread(pack.bytes, 1, size, stdin) != size) return 1;\n' +
      '    putchar(mote_model_check(pack.bytes, size) == MOTE_OK ? 49 : 48);\n  }\n  return 0;\n}\n',
  );
  const program = workshop.compile(SANITIZED, [source, path.join(RUNTIME, 'mote_pack.c')], ['-I', RUNTIME]);
  const dice = new Dice(99);
  const candidates = Array.from({ length: 1500 }, (_, index) =>
    damaged(packs[index % packs.length] as Uint8Array, dice),
  );
  const accepted = candidates.map((bytes) => {
    try {
      const model = readPack(bytes);
      expect(Buffer.from(writePack(model)).equals(bytes)).toBe(true);
      expect(emitHeader(bytes)).toContain(`#define ${model.prefix.toUpperCase()}_MODEL_ID`);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(EmitError);
      expect((error as EmitError).code).toMatch(/^pack-/);
      return false;
    }
  });
  expect(accepted.filter(Boolean).length).toBeGreaterThan(50);
  expect(accepted.filter((yes) => !yes).length).toBeGreaterThan(50);

  const input = Buffer.concat(
    candidates.flatMap((bytes) => [Buffer.from(Uint32Array.of(bytes.length).buffer), Buffer.from(bytes)]),
  );
  const answers = execFileSync(program, { input }).toString();
  expect(answers).toHaveLength(candidates.length);
  accepted.forEach((yes, index) => {
    if (yes) expect(answers[index]).toBe('1');
  });
});
