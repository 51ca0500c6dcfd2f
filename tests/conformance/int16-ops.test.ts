/**
 * Every op of int16 networks as C: the values of the interpreter. 2,000 random cases each (25 networks, 80 inputs) on x86
 * with gcc, clang and sanitizers; fewer on emulated processors. A third of the networks lie in the arena, where outputs
 * overlap inputs as far as the planner lets them.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../src/emit/crc32';
import { emitInt16NetworkHeader } from '../../src/emit/network-header-int16';
import { planInt16Network } from '../../src/emit/network-plan';
import { createInt16Interpreter } from '../../src/quantize/interpreter-int16';
import { INT16_KINDS, type Int16Graph, type Int16Op, type Int16Tensor } from '../../src/quantize/int16-graph';
import { rescaleParameters } from '../../src/quantize/ops/int16-parameters';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { CrossBench } from '../cross/cross-bench';
import { EVERY_TARGET, whyMissing, type AnyTarget } from '../cross/cross-target';
import { seededInt16Inputs, seededProgram } from '../cross/network-program';
import { randomInt16Graph } from './random-int16-graph';
import { sharedRuntime, sharesRuntime, withoutRuntime } from './shared-runtime';

type Kind = Int16Op['kind'];
const NETWORKS = 25;
const CASES = 80;
/** Emulators are slower, and the memory of AVR is small. */
const EMULATED_CASES = 8;
const AVR_NETWORKS = 3;
const AVR_VALUES = 400;

const TARGETS: readonly AnyTarget[] = EVERY_TARGET.filter(
  ({ kind, name, weightedOnly }) =>
    (kind === 'host' && weightedOnly !== true) ||
    ['WebAssembly', 'Cortex-M0+', 'Cortex-M4', 'RV32IMC', 'ATmega2560'].includes(name),
);

/** The layer between two others. */
function inArena(graph: Int16Graph): Int16Graph {
  const [head, tail] = [graph.tensors.length, graph.tensors.length + 1];
  const [input, output] = [graph.tensors[graph.input] as Int16Tensor, graph.tensors[graph.output] as Int16Tensor];
  const doubled = [2 * (output.shape[0] as number), ...output.shape.slice(1)];
  return {
    ...graph,
    tensors: [...graph.tensors, { ...input, name: 'head' }, { ...output, name: 'tail', shape: doubled }],
    ops: [
      { kind: 'rescale', input: head, output: graph.input, ...rescaleParameters('quantize', 1, 1) },
      ...graph.ops,
      { kind: 'concat', inputs: [graph.output, graph.output], output: tail, axis: 0 },
    ],
    input: head,
    output: tail,
  };
}

interface Question {
  readonly graph: Int16Graph;
  readonly seed: number;
  readonly index: number;
}

/** Every fifth network rounds once. */
function questionsOf(kind: Kind): Question[] {
  const random = new Random(2000 + INT16_KINDS.indexOf(kind));
  return Array.from({ length: NETWORKS }, (_, index) => {
    const bare = randomInt16Graph(kind, random, index % 5 === 4 ? 'single' : 'double');
    const graph = index % 3 === 2 ? inArena(bare) : bare;
    return { graph, seed: 1 + random.integer(2 ** 31 - 1), index };
  });
}

/** Trained networks, or rather random ones, quantized: many layers in one arena. Hard swish is not for int16. */
function networks(): Question[] {
  return Array.from({ length: 12 }, (_, index) => {
    const random = new Random(500 + index);
    for (;;) {
      const float = randomNetwork(random);
      if (float.ops.some((op) => op.kind === 'unary' && op.function === 'hardSwish')) continue;
      const size = (float.tensors[float.input]?.shape ?? []).reduce((a, b) => a * b, 1);
      const graph = quantizeGraph(float, randomInputs(random, size, 8), { activations: 'int16' });
      return { graph, seed: 1 + random.integer(2 ** 31 - 1), index };
    }
  });
}

function answer({ graph, seed }: Question, cases: number): number {
  const interpreter = createInt16Interpreter(graph);
  const size = interpreter.inputLength;
  const inputs = seededInt16Inputs(seed, size, cases);
  let crc = 0;
  for (let i = 0; i < cases; i++) {
    const output = Int16Array.from(interpreter.run(inputs.subarray(i * size, (i + 1) * size)));
    crc = crc32(new Uint8Array(output.buffer), crc);
  }
  return crc;
}

function valuesOf({ graph }: Question): number {
  const weights = graph.ops.reduce((sum, op) => sum + ('weights' in op ? op.weights.length : 0), 0);
  return weights + graph.tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

const bench = new CrossBench();
afterAll(() => bench.close());

for (const target of TARGETS) {
  const missing = whyMissing(target);
  describe.skipIf(missing !== null)(`${target.name}${missing === null ? '' : ` (${missing})`}`, () => {
    it.each([...INT16_KINDS, ...(target.kind === 'avr' ? [] : (['whole networks'] as const))])(
      '%s',
      async (kind) => {
        const cases = target.kind === 'host' ? CASES : EMULATED_CASES;
        const all = kind === 'whole networks' ? networks() : questionsOf(kind);
        const questions =
          target.kind === 'avr'
            ? all.filter((question) => valuesOf(question) < AVR_VALUES).slice(0, AVR_NETWORKS)
            : all;
        expect(questions.length).toBeGreaterThan(0);
        const shares = sharesRuntime(target);
        const parts = questions.map(({ graph, seed, index }) => {
          const prefix = `n${index}`;
          const options = { prefix, target: target.made, remarks: [] };
          const { text } = emitInt16NetworkHeader(graph, planInt16Network(graph), options);
          const own = shares && graph.rounding !== 'single' ? withoutRuntime(text, prefix) : text;
          return { header: bench.write(`${prefix}.h`, own), prefix, seed };
        });
        const main = seededProgram(parts, cases, { bits: 16, runtime: shares ? sharedRuntime() : '' });
        const program = bench.compile(target, bench.write('main.c', main));
        const output = await bench.run(target, program);
        expect(output.length).toBe(8 * questions.length);
        const wrong = questions.filter(
          (question, at) => parseInt(output.slice(8 * at, 8 * at + 8), 16) !== answer(question, cases),
        );
        expect(wrong.map(({ index, graph }) => `${index}: ${JSON.stringify(graph.ops)}`)).toEqual([]);
      },
      180_000,
    );
  });
}
