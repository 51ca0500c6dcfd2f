/**
 * Networks of every operation as packs: the loader, under the sanitizers, and the header made from the pack give the
 * scores that the interpreter gave when the self-test was computed; and damaged packs of all kinds are survived.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { emitHeader } from '../../src/emit/header';
import { networkModel } from '../../src/emit/network-model';
import { readPack, writePack } from '../../src/emit/pack';
import { selfTestCount } from '../../src/emit/self-test';
import type { Target } from '../../src/emit/target';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { elementCount } from '../../src/graph/float-graph';
import { INT8_OPCODE, type Int8Graph } from '../../src/quantize/int8-graph';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { C99, type Compiler, HERE, LOADER, RUNTIME, SANITIZED, Workshop } from './c-compiler';
import { randomOpGraph, type OpGroup } from './random-op-graph';
import { sharedRuntime, withoutRuntime } from './shared-runtime';

const SHARED = path.resolve(import.meta.dirname, '../../../shared/data/tflite');
const GROUPS: readonly OpGroup[] = ['fullyConnected', 'conv2d', 'depthwiseConv2d', 'pool', 'other'];
const MOST_LABELS = 256;
const LAYERS = 40;
const FUZZED = 4000;
/** How long to go on; a little without. */
const FUZZ_SECONDS = Number(process.env['MOTE_FUZZ_SECONDS'] ?? 0);

const workshop = new Workshop();
afterAll(() => workshop.close());
/** The loader with the portable kernels, and with the portable twins of the assembly that boards run. */
const KERNELS = [[], ['-DMOTE_TEST_ROWS_DSP'], ['-DMOTE_TEST_ROWS_QUAD']] as const;
const SELFTEST = `#include <stdio.h>
#include "mote_pack.h"
static union { uint8_t bytes[1 << 20]; uint32_t words[1 << 18]; } pack;
static union { uint8_t bytes[1 << 22]; double words[1 << 19]; } ram;
int main(int argc, char **argv) {
  int i;
  for (i = 1; i < argc; i++) {
    FILE *file = fopen(argv[i], "rb");
    uint32_t size;
    mote_model m;
    int32_t index, same = 0;
    if (file == NULL) return 2;
    size = (uint32_t)fread(pack.bytes, 1, sizeof pack.bytes, file);
    fclose(file);
    if (mote_model_open(&m, pack.bytes, size, ram.bytes, sizeof ram.bytes) != MOTE_OK) return 3;
    for (index = 0; index < mote_model_selftest_count(&m); index++) same += mote_model_selftest(&m, index) == 1;
    printf("%d ", (int)same);
  }
  return 0;
}
`;

const programs = new Map<string, readonly string[]>();

/** A program for each choice of kernels, compiled when it is first wanted. */
function compiled(name: 'selftest' | 'fuzz'): readonly string[] {
  const known = programs.get(name);
  if (known) return known;
  const main = name === 'fuzz' ? path.join(HERE, 'pack-fuzz.c') : workshop.write('selftest.c', SELFTEST);
  const made = KERNELS.map((kernels) => workshop.compile(SANITIZED, [main, ...LOADER], ['-I', RUNTIME, ...kernels]));
  programs.set(name, made);
  return made;
}

function outputsOf(graph: Int8Graph): number {
  return elementCount(graph.tensors[graph.output]?.shape ?? []);
}

/** Packs of one-layer networks; those with more outputs than a model has labels are rolled again. */
function layers(group: OpGroup, count: number): Uint8Array[] {
  const random = new Random(7 + group.length);
  return Array.from({ length: count }, (_, index) => {
    let graph = randomOpGraph(group, random);
    while (outputsOf(graph) > MOST_LABELS) graph = randomOpGraph(group, random);
    return writePack(networkModel(graph, `p${index}`, null));
  });
}

function networks(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => {
    const random = new Random(500 + index);
    const float = randomNetwork(random);
    const size = elementCount(float.tensors[float.input]?.shape ?? []);
    return writePack(networkModel(quantizeGraph(float, randomInputs(random, size, 8)), `p${index}`, null));
  });
}

/** Every pack comes back as it was, and all its known answers are given by the loader, whatever its kernels. */
function checkLoader(packs: readonly Uint8Array[]): void {
  const files = packs.map((pack, index) => workshop.write(`pack-${index}.mote`, pack));
  const passed = compiled('selftest').map((loader) =>
    workshop.run(loader, undefined, files).toString().trim().split(' ').map(Number),
  );
  const models = packs.map((pack) => readPack(pack));
  models.forEach((model, index) => {
    expect(Buffer.from(writePack(model)).equals(packs[index] as Uint8Array)).toBe(true);
    const kinds = model.graph.ops.map(({ kind }) => kind).join(' ');
    const wanted = KERNELS.map(() => selfTestCount(model.selfTest));
    expect(
      passed.map((counts) => counts[index]),
      `pack ${index}: ${kinds}`,
    ).toEqual(wanted);
  });
}

/** The headers made from the packs pass their self-tests. */
function checkHeaders(packs: readonly Uint8Array[], target: Target): void {
  const names = packs.map((pack, index) => {
    const file = workshop.write(`p${index}_${target}.h`, withoutRuntime(emitHeader(pack, target), `p${index}`));
    return { include: `#include "${file}"`, call: `  failed += p${index}_selftest();` };
  });
  const source = workshop.write(
    'headers.c',
    `#include <stdio.h>\n${sharedRuntime()}${names.map(({ include }) => include).join('\n')}\nint main(void) {\n  int failed = 0;\n` +
      `${names.map(({ call }) => call).join('\n')}\n  printf("%d", failed);\n  return 0;\n}\n`,
  );
  for (const compiler of [C99[1] as Compiler, SANITIZED]) {
    expect(workshop.run(workshop.compile(compiler, [source])).toString(), `${compiler.name}, ${target}`).toBe('0');
  }
}

describe('packs of networks', () => {
  it.each(GROUPS)(
    '%s: 40 layers with their known answers',
    (group) => {
      const packs = layers(group, LAYERS);
      checkLoader(packs);
      for (const target of ['generic', 'cortex-m4', 'cortex-m0plus'] as const) checkHeaders(packs.slice(0, 12), target);
    },
    300_000,
  );

  it('random networks of many layers', () => {
    const packs = networks(12);
    checkLoader(packs);
    for (const target of ['generic', 'cortex-m4', 'cortex-m0plus'] as const) checkHeaders(packs, target);
  }, 300_000);

  it('hold every operation there is', () => {
    const seen = new Set(
      [...GROUPS.flatMap((group) => layers(group, LAYERS)), ...networks(12)].flatMap((pack) =>
        readPack(pack).graph.ops.map(({ kind }) => kind),
      ),
    );
    expect([...seen].sort()).toEqual(Object.keys(INT8_OPCODE).sort());
  });

  it(
    'damaged ones with valid checksums are survived by the loader',
    () => {
      const packs = [...GROUPS.flatMap((group) => layers(group, 8)), ...networks(6)];
      const fuzzers = compiled('fuzz');
      const end = Date.now() + 1000 * FUZZ_SECONDS;
      let [refused, used, seed] = [0, 0, 900];
      do {
        packs.forEach((pack) => {
          const file = workshop.write('fuzzed.mote', pack);
          const args = [file, String(Math.ceil(FUZZED / packs.length)), String(seed++)];
          const fuzzer = fuzzers[seed % fuzzers.length] as string;
          const [no = 0, yes = 0] = workshop.run(fuzzer, undefined, args).toString().trim().split(' ').map(Number);
          [refused, used] = [refused + no, used + yes];
        });
      } while (Date.now() < end);
      expect(refused).toBeGreaterThan(FUZZED / 10);
      expect(used).toBeGreaterThan(FUZZED / 10);
      if (FUZZ_SECONDS > 0) console.log(`${refused + used} damaged packs, ${used} of them run`);
    },
    300_000 + 1000 * FUZZ_SECONDS,
  );
});

describe.skipIf(!existsSync(SHARED))('models of others (../shared/data/tflite) as packs', () => {
  it('give the scores of the interpreter', () => {
    const files = ['kws_ref_model.tflite', 'gestures-i8.lite', 'responding-to-your-voice-tutorial.i8.lite'];
    checkLoader(
      files.map((name) => {
        const imported = readTflite(new Uint8Array(readFileSync(path.join(SHARED, name))));
        if (imported.kind !== 'int8') throw new Error(`${name} is not int8`);
        return writePack(networkModel(imported.graph, 'net', imported.labels));
      }),
    );
  }, 120_000);
});
