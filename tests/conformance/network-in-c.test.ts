/**
 * Bare networks as C, for every weight layout and compiler: the bytes of the interpreter, and of the TFLite kernels. Single
 * layers of every kind, alone and where their output overlaps their input: ops-cross.test.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork } from '../../src/emit/network-plan';
import type { Target } from '../../src/emit/target';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import type { Int8Graph } from '../../src/quantize/int8-graph';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { C99, CPP, SANITIZED, Workshop, type Compiler } from './c-compiler';
import { sharedRuntime, withoutRuntime } from './shared-runtime';

const workshop = new Workshop();
afterAll(() => workshop.close());

const SHARED = path.resolve(import.meta.dirname, '../../../shared/data/tflite');
const EVERY: readonly Compiler[] = [...C99, CPP[0] as Compiler, SANITIZED];
const TARGETS: readonly Target[] = ['generic', 'cortex-m4', 'cortex-m0plus'];

interface Question {
  readonly graph: Int8Graph;
  /** Inputs, one after another. */
  readonly inputs: Int8Array;
  readonly outputs: Int8Array;
}

/** One program for many networks: inputs from standard input, outputs to standard output. `alone`: headers as they are. */
function program(questions: readonly Question[], target: Target, alone: boolean): string {
  const parts = questions.map(({ graph, inputs }, index) => {
    const prefix = `n${index}`;
    const plan = planNetwork(graph, target);
    const { text } = emitNetworkHeader(graph, plan, { prefix, target, remarks: [] });
    const file = workshop.write(`${prefix}_${target}.h`, alone ? text : withoutRuntime(text, prefix));
    const size = `N${index}_INPUT_SIZE`;
    const cases = inputs.length / createInt8Interpreter(graph).inputLength;
    const call = `  for (i = 0; i < ${cases}; i++) {
    if (fread(in, 1, ${size}, stdin) != ${size} || n${index}_invoke(in, out) != 0) return 1;
    fwrite(out, 1, N${index}_OUTPUT_SIZE, stdout);
  }\n`;
    return { include: `#include "${file}"\n`, call };
  });
  return workshop.write(
    `main_${target}.c`,
    `#include <stdio.h>\n${alone ? '' : sharedRuntime()}${parts.map(({ include }) => include).join('')}
static int8_t in[65536];
static int8_t out[65536];
int main(void) {
  int i;
${parts.map(({ call }) => call).join('')}  return 0;
}\n`,
  );
}

function ask(graph: Int8Graph, inputs: Int8Array): Question {
  const interpreter = createInt8Interpreter(graph);
  const cases = inputs.length / interpreter.inputLength;
  const outputs = new Int8Array(cases * interpreter.outputLength);
  for (let i = 0; i < cases; i++) {
    const input = inputs.subarray(i * interpreter.inputLength, (i + 1) * interpreter.inputLength);
    outputs.set(interpreter.run(input), i * interpreter.outputLength);
  }
  return { graph, inputs, outputs };
}

function checkAll(questions: readonly Question[], alone: boolean): void {
  const input = Buffer.concat(
    questions.map(({ inputs }) => Buffer.from(inputs.buffer, inputs.byteOffset, inputs.length)),
  );
  for (const target of TARGETS) {
    const source = program(questions, target, alone);
    for (const compiler of EVERY) {
      const output = workshop.run(workshop.compile(compiler, [source]), input);
      let at = 0;
      questions.forEach(({ graph, outputs }, index) => {
        const got = new Int8Array(output.subarray(at, at + outputs.length));
        at += outputs.length;
        const kinds = graph.ops.map(({ kind }) => kind).join(' ');
        expect(Array.from(got), `${compiler.name}, ${target}, network ${index}: ${kinds}`).toEqual(Array.from(outputs));
      });
      expect(output.length).toBe(at);
    }
  }
}

function bytes(random: Random, count: number): Int8Array {
  return Int8Array.from({ length: count }, () => Math.floor(random.next() * 256) - 128);
}

it('random networks: portable and SIMD layouts, every compiler', () => {
  const questions: Question[] = [];
  for (let seed = 1; seed <= 24; seed++) {
    const random = new Random(seed);
    const float = randomNetwork(random);
    const size = (float.tensors[float.input]?.shape ?? []).reduce((a, b) => a * b, 1);
    const graph = quantizeGraph(float, randomInputs(random, size, 8), {
      weights: seed % 3 === 0 ? 'per-tensor' : 'per-channel',
    });
    questions.push(ask(graph, bytes(random, 6 * size)));
  }
  checkAll(questions, false);
}, 240_000);

describe.skipIf(!existsSync(SHARED))('models of others (../shared/data/tflite)', () => {
  const golden = existsSync(SHARED)
    ? (JSON.parse(readFileSync(path.join(SHARED, 'golden.json'), 'utf8')) as Record<string, { in_dtype: string }>)
    : {};
  const read = (name: string, kind: string): Buffer =>
    readFileSync(path.join(SHARED, `${name.replace(/\.(tflite|lite)$/, '')}.golden_${kind}.bin`));
  const model = (name: string) => readTflite(new Uint8Array(readFileSync(path.join(SHARED, name))));
  const names = (type: string) => Object.keys(golden).filter((name) => golden[name]?.in_dtype === type);

  it('int8: the bytes of the TFLite reference kernels', () => {
    checkAll(
      names('int8').map((name) => {
        const { kind, graph } = model(name);
        if (kind !== 'int8') throw new Error(`${name} is not int8`);
        return { graph, inputs: new Int8Array(read(name, 'in')), outputs: new Int8Array(read(name, 'out')) };
      }),
      true,
    );
  }, 240_000);
});
