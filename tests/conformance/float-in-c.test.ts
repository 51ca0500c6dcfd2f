/** Float networks as C: within 1e-5 of the float interpreter, for every kind of layer and every compiler. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { emitMixedHeader } from '../../src/emit/mixed-header';
import { planMixed } from '../../src/emit/mixed-plan';
import type { Target } from '../../src/emit/target';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { elementCount, type FloatGraph } from '../../src/graph/float-graph';
import { createFloatInterpreter } from '../../src/graph/run-float';
import { mixedFromFloat } from '../../src/quantize/mixed-graph';
import { randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { C99, CPP, SANITIZED, Workshop, type Compiler } from './c-compiler';
import { FLOAT_KINDS, randomFloatOp } from './random-float-op';
import { sharedRuntime, withoutRuntime } from './shared-runtime';

const workshop = new Workshop();
afterAll(() => workshop.close());

const SHARED = path.resolve(import.meta.dirname, '../../../shared/data/tflite');
const EVERY: readonly Compiler[] = [...C99, CPP[0] as Compiler, SANITIZED];
/** Of the value, or of 1 for smaller values. */
const TOLERANCE = 1e-5;

interface Question {
  readonly graph: FloatGraph;
  /** Inputs, one after another. */
  readonly inputs: Float32Array;
  readonly outputs: Float32Array;
}

function ask(graph: FloatGraph, random: Random, cases = 5): Question {
  const interpreter = createFloatInterpreter(graph);
  const size = elementCount(graph.tensors[graph.input]?.shape ?? []);
  // Every fourth input is far out, where activations saturate.
  const inputs = Float32Array.from(
    { length: cases * size },
    (_, i) => random.normal() * (Math.floor(i / size) % 4 === 3 ? 20 : 1),
  );
  const outputs = Array.from({ length: cases }, (_, i) => [
    ...interpreter.run(inputs.subarray(i * size, (i + 1) * size)),
  ]).flat();
  return { graph, inputs, outputs: Float32Array.from(outputs) };
}

function program(questions: readonly Question[], target: Target): string {
  const includes: string[] = [];
  const calls = questions.map(({ graph, inputs }, index) => {
    const mixed = mixedFromFloat(graph);
    const { text } = emitMixedHeader(mixed, planMixed(mixed, target), { prefix: `n${index}`, target, remarks: [] });
    includes.push(`#include "${workshop.write(`float${index}_${target}.h`, withoutRuntime(text, `n${index}`))}"\n`);
    const cases = inputs.length / elementCount(graph.tensors[graph.input]?.shape ?? []);
    return `  for (i = 0; i < ${cases}; i++) {
    if (fread(in, 4, N${index}_INPUT_SIZE, stdin) != N${index}_INPUT_SIZE || n${index}_invoke(in, out) != 0) return 1;
    fwrite(out, 4, N${index}_OUTPUT_SIZE, stdout);
  }\n`;
  });
  return workshop.write(
    `float_main_${target}.c`,
    `#include <stdio.h>\n${sharedRuntime()}${includes.join('')}
static float in[65536];
static float out[65536];
int main(void) {
  int i;
${calls.join('')}  return 0;
}\n`,
  );
}

function checkAll(questions: readonly Question[], compilers = EVERY, targets: readonly Target[] = ['generic']): void {
  const input = Buffer.concat(questions.map(({ inputs }) => Buffer.from(inputs.buffer)));
  const wanted = questions.flatMap(({ outputs }) => [...outputs]);
  for (const target of targets) {
    const source = program(questions, target);
    for (const compiler of compilers) {
      const output = workshop.run(workshop.compile(compiler, [source]), input);
      expect(output.length).toBe(4 * wanted.length);
      let [largest, at] = [0, 0];
      wanted.forEach((value, index) => {
        const error = Math.abs(output.readFloatLE(4 * index) - value) / Math.max(1, Math.abs(value));
        // Not a number is no agreement either.
        if (!(error <= largest)) [largest, at] = [error, index];
      });
      expect(largest, `${compiler.name} for ${target}, value ${at} is ${wanted[at]}`).toBeLessThan(TOLERANCE);
    }
  }
}

/** MOTE_FLOAT_CASES makes it try more. */
const CASES = Number(process.env['MOTE_FLOAT_CASES'] ?? 12);

it.each(FLOAT_KINDS)(
  '%s: random cases agree with the interpreter',
  (kind) => {
    const random = new Random(kind.length);
    checkAll(Array.from({ length: CASES }, () => ask(randomFloatOp(kind, random), random)));
  },
  240_000,
);

it('random networks agree, wherever the plan lays their values', () => {
  const questions = Array.from({ length: 24 }, (_, seed) => {
    const random = new Random(seed + 1);
    return ask(randomNetwork(random), random);
  });
  checkAll(questions);
}, 240_000);

describe.skipIf(!existsSync(SHARED))('float models of others (../shared/data/tflite)', () => {
  const golden = existsSync(SHARED)
    ? (JSON.parse(readFileSync(path.join(SHARED, 'golden.json'), 'utf8')) as Record<string, { in_dtype: string }>)
    : {};
  const floats = (name: string, kind: string): Float32Array => {
    const bytes = readFileSync(path.join(SHARED, `${name.replace(/\.(tflite|lite)$/, '')}.golden_${kind}.bin`));
    return new Float32Array(new Uint8Array(bytes).buffer);
  };
  const names = Object.keys(golden).filter((name) => golden[name]?.in_dtype === 'float32');

  it.each(names.length > 0 ? names : ['(none)'])('%s: the outputs of the TFLite reference kernels', (name) => {
    const model = readTflite(new Uint8Array(readFileSync(path.join(SHARED, name))));
    if (model.kind !== 'float') throw new Error(`${name} is not float`);
    checkAll([{ graph: model.graph, inputs: floats(name, 'in'), outputs: floats(name, 'out') }], C99);
  });
});
