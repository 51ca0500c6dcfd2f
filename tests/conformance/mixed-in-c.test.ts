/**
 * Networks with int8 and float layers, as C and as `.tflite`. Float layers may differ in their last digits, which a
 * conversion to int8 now and then turns into a whole step; the layers after it carry that on. So nearly all values must
 * agree, and none may be far off.
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emitMixedHeader } from '../../src/emit/mixed-header';
import { planMixed } from '../../src/emit/mixed-plan';
import type { Target } from '../../src/emit/target';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { writeMixedTflite } from '../../src/emit/tflite/write-tflite';
import type { MixedGraph } from '../../src/quantize/mixed-graph';
import { createMixedInterpreter, type MixedValues } from '../../src/quantize/mixed-interpreter';
import { C99, CPP, SANITIZED, Workshop, type Compiler } from './c-compiler';
import { mixedCases, randomMixed } from './random-mixed';
import { loadRuntime, RUNTIME_FOLDER, type Runtime } from './tflite-runtime';

const workshop = new Workshop();
afterAll(() => workshop.close());

const EVERY: readonly Compiler[] = [...C99, CPP[0] as Compiler, SANITIZED];
const CASES = 6;

interface Question {
  readonly graph: MixedGraph;
  readonly inputs: readonly MixedValues[];
  readonly outputs: readonly MixedValues[];
}

function questions(count: number, first: number): Question[] {
  return Array.from({ length: count }, (_, i) => {
    const { graph, random } = randomMixed(first + i);
    return { graph, ...mixedCases(graph, random, CASES) };
  });
}

function bytesOf(values: MixedValues): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function program(asked: readonly Question[], target: Target): string {
  const includes: string[] = [];
  const calls = asked.map(({ graph }, n) => {
    const { text } = emitMixedHeader(graph, planMixed(graph, target), { prefix: `n${n}`, target, remarks: [] });
    includes.push(`#include "${workshop.write(`mixed${n}_${target}.h`, text)}"\n`);
    const [from, to] = [graph.input, graph.output].map((id) =>
      graph.tensors[id]?.type === 'int8' ? 'int8_t' : 'float',
    );
    return `  {
    static ${from} in[N${n}_INPUT_SIZE];
    static ${to} out[N${n}_OUTPUT_SIZE];
    for (i = 0; i < ${CASES}; i++) {
      if (fread(in, sizeof in, 1, stdin) != 1 || n${n}_invoke(in, out) != 0) return 1;
      fwrite(out, sizeof out, 1, stdout);
    }
  }\n`;
  });
  return workshop.write(
    `mixed_main_${target}.c`,
    `#include <stdio.h>\n${includes.join('')}int main(void) {\n  int i;\n${calls.join('')}  return 0;\n}\n`,
  );
}

/** Steps between two values: of the output's integers, or of 1/256 of its magnitude. */
function steps(wanted: number, got: number, type: 'int8' | 'float'): number {
  if (type === 'int8') return Math.abs(wanted - got);
  const error = Math.abs(wanted - got) / Math.max(1, Math.abs(wanted));
  return error < 1e-5 ? 0 : Number.isNaN(error) ? Infinity : Math.ceil(256 * error);
}

class Tally {
  values = 0;
  different = 0;
  largest = 0;

  add(wanted: number, got: number, type: 'int8' | 'float'): void {
    const difference = steps(wanted, got, type);
    this.values++;
    if (difference > 0) this.different++;
    this.largest = Math.max(this.largest, difference);
  }

  check(what: string): void {
    expect(this.values, what).toBeGreaterThan(150);
    expect(this.different / this.values, `${what}: share of values that differ`).toBeLessThan(0.01);
    expect(this.largest, `${what}: steps`).toBeLessThanOrEqual(8);
  }
}

it.each(['generic', 'cortex-m4', 'cortex-m0plus'] as const)(
  '%s: 12 random networks in C',
  (target) => {
    const asked = questions(12, 1);
    const source = program(asked, target);
    const input = Buffer.concat(asked.flatMap(({ inputs }) => inputs.map(bytesOf)));
    for (const compiler of target === 'generic' ? EVERY : C99.slice(0, 1)) {
      const output = workshop.run(workshop.compile(compiler, [source]), input);
      const tally = new Tally();
      let at = 0;
      for (const { outputs } of asked) {
        for (const wanted of outputs) {
          const type = wanted instanceof Int8Array ? 'int8' : 'float';
          for (const value of wanted) {
            tally.add(value, type === 'int8' ? output.readInt8(at) : output.readFloatLE(at), type);
            at += type === 'int8' ? 1 : 4;
          }
        }
      }
      expect(at).toBe(output.length);
      tally.check(compiler.name);
    }
  },
  240_000,
);

it('60 random networks come back the same from a .tflite', () => {
  for (const { graph, inputs, outputs } of questions(60, 100)) {
    const again = readTflite(writeMixedTflite(graph));
    if (again.kind !== 'mixed') throw new Error(`read as ${again.kind}`);
    const interpreter = createMixedInterpreter(again.graph);
    inputs.forEach((input, i) => expect(interpreter.run(input)).toEqual(outputs[i]));
  }
}, 240_000);

describe.skipIf(!existsSync(RUNTIME_FOLDER))('a real TensorFlow Lite runtime', () => {
  let runtime: Runtime;
  beforeAll(async () => void (runtime = await loadRuntime()), 60_000);

  it('runs 40 random mixed networks', () => {
    const tally = { values: 0, different: 0 };
    for (const { graph, inputs, outputs } of questions(40, 200)) {
      const model = runtime.open(writeMixedTflite(graph, { labels: ['a', 'b'] }));
      inputs.forEach((input, i) => {
        const wanted = outputs[i] as MixedValues;
        const got = model.run(input);
        wanted.forEach((value, k) => {
          tally.values++;
          if (steps(value, got[k] as number, wanted instanceof Int8Array ? 'int8' : 'float') > 1) tally.different++;
        });
      });
      model.delete();
    }
    console.log(`mixed: ${tally.different} of ${tally.values} values differ by more than a step`);
    // XNNPACK rounds once where the reference kernels round twice.
    expect(tally.different / tally.values).toBeLessThan(0.05);
  });
});
