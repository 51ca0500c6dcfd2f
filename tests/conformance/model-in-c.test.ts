/** The promise "bit for bit": the studio's runner, `model.h` under every compiler and the pack loader agree. */
import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emitHeader } from '../../src/emit/header';
import type { Model } from '../../src/emit/model';
import { readPack, writePack } from '../../src/emit/pack';
import { measureModel } from '../../src/emit/size';
import { C99, CPP, HERE, LOADER, RUNTIME, SANITIZED, STRICT, Workshop } from './c-compiler';
import { ask, expectedBytes, headerProgram, inputBytes, type Questions } from './header-driver';
import { randomModel } from './random-model';

const MODELS = 6;
const WINDOWS = 25;

const workshop = new Workshop();
afterAll(() => workshop.close());

const models = Array.from({ length: MODELS }, (_, index) =>
  randomModel(1000 + index, { prefix: `net_${index}`, smoothingWindows: index % 2 === 0 ? 1 : 3 }),
);
const packs = models.map(writePack);
const questions = models.map((model, index) => ask(model, 500 + index, WINDOWS));
const expected = models.map((model, index) => expectedBytes(model, questions[index] as (typeof questions)[number]));
models.forEach(({ prefix }, index) => workshop.write(`${prefix}.h`, emitHeader(packs[index] as Uint8Array)));

it('covers every kind of block, both kinds of scales', () => {
  const kinds = new Set(models.flatMap((model) => model.blocks.map((block) => block.kind)));
  expect([...kinds].sort()).toEqual(['flatten', 'raw', 'spectral']);
  const scales = models.flatMap((model) =>
    model.graph.ops.map((op) => (op.kind === 'fullyConnected' ? op.multiplier.length : 0)),
  );
  expect(scales.includes(1)).toBe(true);
  expect(Math.max(...scales)).toBeGreaterThan(1);
});

describe('model.h', () => {
  it.each([...C99, ...CPP, SANITIZED])('gives the same bytes with $name, all models in one file', (compiler) => {
    const source = workshop.write('all.c', headerProgram(models, questions));
    const program = workshop.compile(compiler, [source]);
    expect(workshop.run(program, inputBytes(questions)).equals(Buffer.concat(expected))).toBe(true);
  });

  it('gives the same bytes without optimisation and with all of it', () => {
    const source = workshop.write('all.c', headerProgram(models, questions));
    for (const level of ['-O0', '-O3', '-Os']) {
      const program = workshop.compile({ name: level, command: 'gcc', flags: ['-std=gnu11', level, '-march=native'] }, [
        source,
      ]);
      expect(workshop.run(program, inputBytes(questions)).equals(Buffer.concat(expected))).toBe(true);
    }
  });

  it('compiles without warnings on its own and in a program that uses one function', () => {
    const prefix = (models[0] as Model).prefix;
    const header = path.join(workshop.folder, `${prefix}.h`);
    const quiet: ExecFileSyncOptions = { stdio: ['ignore', 'pipe', 'pipe'] };
    for (const [command, language, standard] of [
      ['gcc', 'c', 'c99'],
      ['clang', 'c', 'c99'],
      ['g++', 'c++', 'c++11'],
      ['clang++', 'c++', 'c++17'],
    ] as const) {
      const flags = ['-x', language, `-std=${standard}`, '-O2', ...STRICT, '-c', '-o', '/dev/null'];
      execFileSync(command, [...flags, header], quiet);
      const source = workshop.write(
        'one.c',
        `#include "${prefix}.h"\nconst char *f(void);\nconst char *f(void) { return ${prefix}_label(0); }\n`,
      );
      execFileSync(command, [...flags, source], quiet);
    }
  });

  it('declares as much memory as the model was measured to take', () => {
    for (const model of models.slice(0, 4)) {
      const { prefix } = model;
      const source = workshop.write(
        'size.c',
        `#include "${prefix}.h"\nint f(void);\nint f(void) { return ${prefix}_selftest(); }\n`,
      );
      const object = path.join(workshop.folder, 'size.o');
      // Unoptimised, so that every array stays an object of its own.
      execFileSync('gcc', ['-std=c99', '-O0', '-fno-pic', '-c', source, '-o', object]);
      const symbols = execFileSync('nm', ['-S', object], { encoding: 'utf8' })
        .split('\n')
        .map((line) => /^\S+ (\S+) (\w) (\S+)$/.exec(line))
        .filter((match) => match !== null)
        .map(([, size, kind, name]) => ({ bytes: parseInt(size as string, 16), kind, name: name as string }));
      const total = (wanted: (symbol: (typeof symbols)[number]) => boolean): number =>
        symbols.filter(wanted).reduce((sum, { bytes }) => sum + bytes, 0);
      const measured = measureModel(model);
      expect(total(({ kind }) => kind === 'b' || kind === 'd' || kind === 'D' || kind === 'B')).toBe(measured.ram);
      const constant = /_(axes|ints|floats|weights|bias|multiplier|shift)_\d+$|_input_[ab]$/;
      // Pointers take 4 bytes on a board, and 8 here.
      const layers = symbols.filter(({ name }) => /_layer_\d+$/.test(name)).length;
      expect(total(({ kind, name }) => kind === 'r' && constant.test(name)) + 92 * layers).toBe(measured.flashWeights);
    }
  });

  it('is a pure function of the pack', () => {
    models.forEach((_, index) => {
      const pack = packs[index] as Uint8Array;
      const again = writePack(readPack(pack));
      expect(Buffer.from(again).equals(pack)).toBe(true);
      expect(emitHeader(again)).toBe(emitHeader(pack));
    });
  });
});

/** What the loader, under the sanitizers, prints for a pack. */
function runLoader(model: Model, pack: Uint8Array, question: Questions): Buffer {
  const file = workshop.write('model.mote', pack);
  const frames = question.stream.length / model.input.channels.length;
  return workshop.run(loader, inputBytes([question]), [file, String(question.windows.length), String(frames)]);
}
let loader = '';
beforeAll(() => {
  loader = workshop.compile(SANITIZED, [path.join(HERE, 'pack-driver.c'), ...LOADER], ['-I', RUNTIME]);
});

describe('the pack loader', () => {
  it('gives the same bytes for every pack, under the sanitizers', () => {
    models.forEach((model, index) => {
      const output = runLoader(model, packs[index] as Uint8Array, questions[index] as Questions);
      expect(output.equals(expected[index] as Buffer)).toBe(true);
    });
  });
});

describe('the self-test', () => {
  /** Failures that header and loader report: the first four bytes of their output. */
  function failures(model: Model): { readonly header: number; readonly loader: number } {
    const nothing = { windows: [], stream: new Float32Array(0) };
    const pack = writePack(model);
    workshop.write(`${model.prefix}.h`, emitHeader(pack));
    const gcc = C99[0] as (typeof C99)[number];
    const header = workshop.compile(gcc, [workshop.write('test.c', headerProgram([model], [nothing]))]);
    return {
      header: workshop.run(header).readInt32LE(),
      loader: runLoader(model, pack, nothing).readInt32LE(),
    };
  }

  const whole = randomModel(77, { prefix: 'tested' });

  it('passes on an intact model', () => {
    expect(failures(whole)).toEqual({ header: 0, loader: 0 });
  });

  it('counts exactly the windows whose expected bytes were altered', () => {
    const scores = whole.selfTest.scores.slice();
    const featureCrc = whole.selfTest.featureCrc.slice();
    scores[0] = (scores[0] as number) ^ 1;
    featureCrc[63] = (featureCrc[63] as number) ^ 1;
    expect(failures({ ...whole, selfTest: { ...whole.selfTest, scores, featureCrc } })).toEqual({
      header: 2,
      loader: 2,
    });
  });

  it('fails when a weight was altered', () => {
    const ops = whole.graph.ops.map((op, index) => {
      if (op.kind !== 'fullyConnected' || index !== whole.graph.ops.length - 2) return op;
      const weights = op.weights.map((weight, i) => (i === 0 ? (weight > 0 ? -127 : 127) : weight));
      return { ...op, weights };
    });
    const { header, loader } = failures({ ...whole, graph: { ...whole.graph, ops } });
    expect(header).toBeGreaterThan(0);
    expect(loader).toBe(header);
  });
});

describe('labels', () => {
  const hostile = [
    '*/ #error "out of the comment" /*',
    '"; int evil = 1; //',
    '??/\n#error',
    'back\\slash\\',
    'line\nbreak\r\t',
    'Grüße 振る 👋',
    '%s%n',
    '// \\',
    '??=define X',
    '\u202Ebidi',
  ];

  it('from anywhere stay labels: the text in C is the text that was given', () => {
    const model = randomModel(5, { prefix: 'hostile', labels: hostile });
    const withReceipt = { ...model, receipt: { ...model.receipt, app: '*/ evil ??/', pipeline: hostile.join('*/') } };
    workshop.write('hostile.h', emitHeader(writePack(withReceipt)));
    const source = workshop.write(
      'labels.c',
      '#include "hostile.h"\n#include <stdio.h>\nint main(void) {\n  int i;\n' +
        '  for (i = -1; i <= HOSTILE_LABEL_COUNT; i++) printf("%s%c", hostile_label(i), 0);\n  return hostile_selftest();\n}\n',
    );
    for (const compiler of [...C99, ...CPP]) {
      const output = workshop.run(workshop.compile(compiler, [source], ['-trigraphs'])).toString('utf8');
      expect(output).toBe(['', ...hostile, ''].map((label) => `${label}\0`).join(''));
    }
  });
});
