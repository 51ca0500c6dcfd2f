/** Packs from anywhere: the loader never leaves the pack and its RAM, the studio never fails but with an EmitError. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../src/emit/crc32';
import { emitHeader } from '../../src/emit/header';
import { EmitError } from '../../src/emit/model';
import { readPack, writePack } from '../../src/emit/pack';
import { HERE, LOADER, RUNTIME, SANITIZED, Workshop } from './c-compiler';
import { Dice, randomModel } from './random-model';

const ITERATIONS = 50_000;

const workshop = new Workshop();
afterAll(() => workshop.close());

/** Small models, so that a fuzzed pack costs little time. */
const packs = [2007, 2012].map((seed) => writePack(randomModel(seed, { prefix: 'fuzzed' })));

it.each([0, 1])('the loader survives damaged packs with valid checksums (model %i)', { timeout: 240_000 }, (index) => {
  const program = workshop.compile(SANITIZED, [path.join(HERE, 'pack-fuzz.c'), ...LOADER], ['-I', RUNTIME]);
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
    const section = dice.integer(0, 8);
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

/** Which packs the loader takes. */
function loaderAccepts(candidates: readonly Uint8Array[]): boolean[] {
  const source = workshop.write(
    'check.c',
    '#include <stdio.h>\n#include "mote_pack.h"\nstatic union { uint8_t bytes[1 << 17]; uint32_t words[1 << 15]; } pack;\n' +
      'int main(void) {\n  uint32_t size;\n  while (fread(&size, 4, 1, stdin) == 1) {\n' +
      '    if (fread(pack.bytes, 1, size, stdin) != size) return 1;\n' +
      '    putchar(mote_model_check(pack.bytes, size) == MOTE_OK ? 49 : 48);\n  }\n  return 0;\n}\n',
  );
  const program = workshop.compile(SANITIZED, [source, ...LOADER], ['-I', RUNTIME]);
  const input = Buffer.concat(
    candidates.flatMap((bytes) => [Buffer.from(Uint32Array.of(bytes.length).buffer), Buffer.from(bytes)]),
  );
  const answers = execFileSync(program, { input }).toString();
  expect(answers).toHaveLength(candidates.length);
  return Array.from(answers, (answer) => answer === '1');
}

it('the studio refuses what it would not have written, and the loader takes all that the studio takes', () => {
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

  const answers = loaderAccepts(candidates);
  accepted.forEach((yes, index) => {
    if (yes) expect(answers[index]).toBe(true);
  });
});

/** Offsets of a pack's parts, as docs/pack-format.md has them. */
const Section = { spec: 0, text: 1, blocks: 2, affine: 3, tensors: 4, ops: 6, selftest: 7 } as const;

/** A model with one flatten, one spectral block and a hidden layer, edited so that several numbers agree on a lie. */
describe('packs whose numbers agree on a lie', () => {
  const model = randomModel(41, {
    channels: 3,
    blocks: [
      {
        kind: 'flatten',
        version: 1,
        channels: [0, 1, 2],
        params: {
          scale: 1,
          average: true,
          minimum: false,
          maximum: false,
          rms: true,
          stdev: true,
          skewness: false,
          kurtosis: false,
        },
      },
      {
        kind: 'spectral',
        version: 4,
        channels: [0, 2],
        params: {
          scale: 1,
          decimation: 1,
          filter: 'low',
          cutoffHz: 5,
          order: 4,
          fftLength: 16,
          log: true,
          overlap: true,
          improveLowFrequency: false,
        },
      },
    ],
    hidden: [10],
  });
  const pack = writePack(model);
  const tensorBytes = 40;

  class Editor {
    readonly bytes = pack.slice();
    readonly view = new DataView(this.bytes.buffer);
    at(section: number): number {
      return this.view.getUint32(16 + 8 * section, true);
    }
    get(offset: number): number {
      return this.view.getUint32(offset, true);
    }
    set(offset: number, value: number): void {
      this.view.setInt32(offset, value | 0, true);
    }
    resize(section: number, by: number): void {
      this.set(20 + 8 * section, this.get(20 + 8 * section) + by);
    }
    /** Where op `index` starts. */
    op(index: number): number {
      let at = this.at(Section.ops);
      for (let i = 0; i < index; i++) at += this.get(at + 4);
      return at;
    }
    tensor(id: number): number {
      return this.at(Section.tensors) + tensorBytes * id;
    }
    /** The second block: behind the first one's head, axes, ints and floats. */
    secondBlock(): number {
      const first = this.at(Section.blocks);
      return first + 28 + Math.ceil(this.get(first + 8) / 4) * 4 + 4 * (this.get(first + 12) + this.get(first + 16));
    }
    finish(): Uint8Array {
      this.view.setUint32(4, crc32(this.bytes.subarray(8)), true);
      return this.bytes;
    }
  }

  const lies: readonly [string, (edit: Editor) => void][] = [
    [
      'less scratch than the FFT needs, in block and spec',
      (edit) => {
        edit.set(edit.secondBlock() + 24, 4);
        edit.set(edit.at(Section.spec) + 80, 4);
      },
    ],
    [
      'one feature more than the feature buffer holds',
      (edit) => {
        const block = edit.at(Section.blocks);
        const ints = block + 28 + 4;
        edit.set(ints, edit.get(ints) | 64);
        edit.set(block + 20, edit.get(block + 20) + model.blocks[0]!.channels.length);
      },
    ],
    [
      'a longer FFT than its tables',
      (edit) => {
        const ints = edit.secondBlock() + 28 + 4;
        edit.set(ints, edit.get(ints) + 1);
      },
    ],
    [
      'a softmax that is written half over its input',
      (edit) => {
        const output = edit.get(edit.at(Section.spec) + 72);
        const input = edit.get(edit.op(model.graph.ops.length - 1) + 8);
        edit.set(edit.tensor(output) + 8, edit.get(edit.tensor(input) + 8) + 1);
        edit.set(edit.at(Section.spec) + 76, edit.get(edit.at(Section.spec) + 76) + 64);
      },
    ],
    ['a bias that overflows the sum', (edit) => edit.set(edit.op(0) + 40, 0x7fffff00)],
    [
      'a bias that leaves no room for the zero point',
      (edit) => {
        const op = edit.op(0);
        const units = model.graph.tensors[1]!.shape[0] as number;
        const inputs = model.graph.tensors[0]!.shape[0] as number;
        const dense = model.graph.ops[0];
        if (dense?.kind !== 'fullyConnected') throw new Error('The first op is another.');
        const weights = dense.weights.subarray(0, inputs);
        const magnitude = weights.reduce((sum, weight) => sum + 256 * Math.abs(weight), 0);
        // The zero point of the input is folded into the bias.
        const zero = model.graph.tensors[0]!.zeroPoint * weights.reduce((sum, weight) => sum + weight, 0);
        edit.set(op + 40, 2 ** 31 - 1 - magnitude - zero);
        // The first shifts, behind biases, scales and multipliers: none to the right.
        edit.set(op + 40 + 4 * units + 8 * dense.multiplier.length, 0);
      },
    ],
    [
      'weights cut off inside their op',
      (edit) => {
        edit.set(edit.op(0) + 4, edit.get(edit.op(0) + 4) - 4);
      },
    ],
    [
      'a hidden layer wider than its weights',
      (edit) => {
        edit.set(edit.tensor(1) + 12, edit.get(edit.tensor(1) + 12) + 1);
        edit.set(edit.at(Section.spec) + 76, edit.get(edit.at(Section.spec) + 76) + 64);
      },
    ],
    [
      'more labels than the text names, and than the network gives',
      (edit) => {
        edit.set(edit.at(Section.spec) + 48, model.labels.length + 1);
      },
    ],
    ['a last name without an end', (edit) => edit.resize(Section.text, -1)],
    [
      'one recorded window more than there are',
      (edit) => {
        edit.set(edit.at(Section.selftest), model.selfTest.recordedCount + 1);
        edit.set(edit.at(Section.selftest) + 4, model.selfTest.generatedCount - 1);
      },
    ],
    ['a tensor beyond the arena', (edit) => edit.set(edit.tensor(1) + 8, edit.get(edit.at(Section.spec) + 76))],
    ['an input tensor of another size than the features', (edit) => edit.set(edit.at(Section.spec) + 68, 1)],
  ];

  it('are all refused, by the loader and by the studio; the honest one is taken', () => {
    const candidates = lies.map(([, lie]) => {
      const edit = new Editor();
      lie(edit);
      return edit.finish();
    });
    const answers = loaderAccepts([...candidates, pack]);
    lies.forEach(([name], index) => expect([name, answers[index]]).toEqual([name, false]));
    expect(answers.at(-1)).toBe(true);
    for (const bytes of candidates) expect(() => readPack(bytes)).toThrow(EmitError);
  });
});
