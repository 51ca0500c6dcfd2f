/**
 * Networks that round once, as C on the processors whose kernels rescale in a way of their own: the bytes of the
 * interpreter, 2,000 random cases (25 networks, 80 inputs) for every operation that rescales.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../src/emit/crc32';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork } from '../../src/emit/network-plan';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import type { Int8Graph, Int8Op, Rounding } from '../../src/quantize/int8-graph';
import { Random } from '../../src/signal/random';
import { CrossBench } from '../cross/cross-bench';
import { EVERY_TARGET, whyMissing, type AnyTarget } from '../cross/cross-target';
import { seededInputs, seededProgram } from '../cross/network-program';
import { randomOpGraph, type OpGroup } from './random-op-graph';
import { sharedRuntime, sharesRuntime, withoutRuntime } from './shared-runtime';

const NETWORKS = 25;
const CASES = 80;
/** The emulator of AVR is slow, and its memory small. */
const AVR = { networks: 4, cases: 8 };
const WEIGHTED = ['fullyConnected', 'conv2d', 'depthwiseConv2d'] as const;
const OTHERS = ['mean', 'add', 'mul', 'lookup', 'softmax'] as const;
type Kind = (typeof WEIGHTED)[number] | (typeof OTHERS)[number];

/** Beside this machine: an Arm of each family, RISC-V, AVR and the two kinds of vectors. */
const TARGETS: readonly AnyTarget[] = EVERY_TARGET.filter(
  ({ kind, name }) =>
    kind === 'host' ||
    ['Cortex-M0+', 'Cortex-M4', 'RV32IMC', 'ATmega2560', 'Cortex-M55 with Helium', 'WebAssembly with SIMD'].includes(
      name,
    ),
);

function networkOf(kind: Kind, random: Random): Int8Graph {
  const group: OpGroup = (WEIGHTED as readonly Int8Op['kind'][]).includes(kind) ? (kind as OpGroup) : 'other';
  for (;;) {
    const graph = randomOpGraph(group, random, 'single');
    if (graph.ops[0]?.kind === kind) return graph;
  }
}

function answer(graph: Int8Graph, seed: number, cases: number): number {
  const interpreter = createInt8Interpreter(graph);
  const size = interpreter.inputLength;
  const inputs = seededInputs(seed, size, cases);
  let crc = 0;
  for (let i = 0; i < cases; i++) {
    crc = crc32(Int8Array.from(interpreter.run(inputs.subarray(i * size, (i + 1) * size))), crc);
  }
  return crc;
}

interface Question {
  readonly graph: Int8Graph;
  readonly seed: number;
  readonly index: number;
}

function questionsOf(kind: Kind): Question[] {
  const random = new Random(77 + kind.length);
  return Array.from({ length: NETWORKS }, (_, index) => ({
    graph: networkOf(kind, random),
    seed: 1 + random.integer(2 ** 31 - 1),
    index,
  }));
}

const bench = new CrossBench();
afterAll(() => bench.close());

it.each(WEIGHTED)('%s: rounding once is not rounding twice', (kind) => {
  const different = questionsOf(kind).filter(
    ({ graph, seed }) => answer(graph, seed, CASES) !== answer({ ...graph, rounding: 'double' }, seed, CASES),
  );
  expect(different.length).toBeGreaterThan(NETWORKS / 4);
});

const KEYWORDS = path.resolve(import.meta.dirname, '../../../shared/data/tflite/kws_ref_model.tflite');

/** Inputs from a generator, FNV-1a of the outputs: as TensorFlow Lite Micro was measured, built both ways. */
function known(rounding: Rounding): string {
  const model = readTflite(new Uint8Array(readFileSync(KEYWORDS)), { rounding });
  if (model.kind !== 'int8') throw new Error('The model is not int8.');
  const interpreter = createInt8Interpreter(model.graph);
  let state = 1;
  const input = Int8Array.from({ length: interpreter.inputLength }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  const hash = interpreter.run(input).reduce((sum, value) => Math.imul(sum ^ (value & 255), 16777619), 2166136261);
  return (hash >>> 0).toString(16);
}

it.skipIf(!existsSync(KEYWORDS))('keyword spotting gives what TFLM gives with and without (needs ../shared)', () => {
  expect(known('double')).toBe('ab2fdbf1');
  expect(known('single')).toBe('f1f62ca3');
});

for (const target of TARGETS) {
  const missing = whyMissing(target);
  describe.skipIf(missing !== null)(`${target.name}${missing === null ? '' : ` (${missing})`}`, () => {
    it.each<Kind>(target.weightedOnly === true ? WEIGHTED : [...WEIGHTED, ...OTHERS])(
      '%s',
      async (kind) => {
        const small = target.kind === 'avr';
        const cases = small ? AVR.cases : CASES;
        const questions = small
          ? questionsOf(kind)
              .filter(({ graph }) => graph.ops.every((op) => !('weights' in op) || op.weights.length < 300))
              .slice(0, AVR.networks)
          : questionsOf(kind);
        const { made } = target;
        const shares = sharesRuntime(target);
        const parts = questions.map(({ graph, seed, index }) => {
          const prefix = `n${index}`;
          const { text } = emitNetworkHeader(graph, planNetwork(graph, made), { prefix, target: made, remarks: [] });
          expect(text).toContain('TFLITE_SINGLE_ROUNDING');
          expect(text).not.toContain('_SINGLE_ROUNDING)');
          return { header: bench.write(`${prefix}.h`, shares ? withoutRuntime(text, prefix) : text), prefix, seed };
        });
        const main = seededProgram(parts, cases, { runtime: shares ? sharedRuntime('single') : '' });
        const program = bench.compile(target, bench.write('main.c', main));
        const output = await bench.run(target, program);
        expect(output.length).toBe(8 * questions.length);
        const wrong = questions.filter(
          ({ graph, seed }, at) => parseInt(output.slice(8 * at, 8 * at + 8), 16) !== answer(graph, seed, cases),
        );
        expect(wrong.map(({ index, graph }) => `${index}: ${JSON.stringify(graph.tensors)}`)).toEqual([]);
      },
      180_000,
    );
  });
}
