/** Layers that run a few lines at a time: the bytes of the interpreter, for every layout and compiler. */
import { afterAll, expect, it } from 'vitest';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork } from '../../src/emit/network-plan';
import type { Target } from '../../src/emit/target';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { Random } from '../../src/signal/random';
import { C99, CPP, SANITIZED, Workshop, type Compiler } from './c-compiler';
import { sharedRuntime, withoutRuntime } from './shared-runtime';
import { randomStreamGraph, streamOver } from './random-stream';

const workshop = new Workshop();
afterAll(() => workshop.close());

const TARGETS: readonly Target[] = ['generic', 'cortex-m4', 'cortex-m0plus'];
const CASES = 3;

type End = 'lines' | 'dense';

function check(target: Target, seeds: readonly number[], compilers: readonly Compiler[], end: End = 'lines'): void {
  const includes: string[] = [];
  const calls: string[] = [];
  const inputs: Buffer[] = [];
  const wanted: number[] = [];
  let stages = 0;
  let sums = 0;
  for (const seed of seeds) {
    const random = new Random(seed);
    const graph = randomStreamGraph(random, end);
    const stream = streamOver(graph, target, random);
    if (!stream) continue;
    stages += stream.ops.length;
    if (graph.ops[stream.ops.at(-1) as number]?.kind === 'fullyConnected') sums++;
    const plan = planNetwork(graph, target, [stream]);
    const { text } = emitNetworkHeader(graph, plan, { prefix: `n${seed}`, target, remarks: [] });
    includes.push(`#include "${workshop.write(`n${seed}_${target}.h`, withoutRuntime(text, `n${seed}`))}"`);
    const interpreter = createInt8Interpreter(graph);
    for (let i = 0; i < CASES; i++) {
      const input = Int8Array.from({ length: interpreter.inputLength }, () => Math.floor(random.next() * 256) - 128);
      inputs.push(Buffer.from(input.buffer));
      wanted.push(...interpreter.run(input));
    }
    calls.push(`  for (i = 0; i < ${CASES}; i++) {
    if (fread(in, 1, N${seed}_INPUT_SIZE, stdin) != N${seed}_INPUT_SIZE || n${seed}_invoke(in, out) != 0) return 1;
    fwrite(out, 1, N${seed}_OUTPUT_SIZE, stdout);
  }`);
  }
  // Lines of one or two pixels are not summed on M4.
  if (end === 'dense') expect(sums).toBeGreaterThan(seeds.length / 2);
  else expect(stages).toBeGreaterThan(2 * seeds.length);
  const source = workshop.write(
    `main_${target}.c`,
    `#include <stdio.h>\n${sharedRuntime()}${includes.join('\n')}
static int8_t in[16384];
static int8_t out[16384];
int main(void) {
  int i;
${calls.join('\n')}
  return 0;
}\n`,
  );
  for (const compiler of compilers) {
    const output = workshop.run(workshop.compile(compiler, [source]), Buffer.concat(inputs));
    const got = Array.from(new Int8Array(output));
    const first = got.findIndex((value, index) => value !== wanted[index]);
    expect([compiler.name, got.length, first]).toEqual([compiler.name, wanted.length, -1]);
  }
}

it.each(TARGETS)(
  '%s: random streams, every compiler',
  (target) => {
    const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
    check(target, seeds, [...C99, CPP[0] as Compiler, SANITIZED]);
  },
  240_000,
);

it.each(TARGETS)(
  '%s: random streams into a fully connected layer, every compiler',
  (target) => {
    const seeds = Array.from({ length: 10 }, (_, index) => 301 + index);
    check(target, seeds, [...C99, CPP[0] as Compiler, SANITIZED], 'dense');
  },
  240_000,
);

it.each(TARGETS)(
  '%s: more random streams',
  (target) => {
    for (let block = 1; block <= 2; block++) {
      const seeds = Array.from({ length: 50 }, (_, index) => 100 * block + index);
      check(target, seeds, [C99[0] as Compiler]);
      check(target, seeds, [C99[0] as Compiler], 'dense');
    }
  },
  240_000,
);
