/**
 * Every int8 operation as C on every processor that we can run: the bytes of the interpreter. 2,000 random cases each
 * (25 networks, 80 inputs); a tenth of that on AVR, whose emulator is slow. Compiling takes most of the time: targets take
 * turns at 50 networks, one the even ones and the next the odd ones. Targets that have kernels of their own for layers
 * with weights alone (twins, vectors) run those; all else would be the same code again.
 *
 * Programs make their inputs themselves and print one CRC per network, so that many networks share a program.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../src/emit/crc32';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork } from '../../src/emit/network-plan';
import type { Target } from '../../src/emit/target';
import { elementCount } from '../../src/graph/float-graph';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { INT8_OPCODE, type Int8Graph, type Int8Op, type Int8Tensor } from '../../src/quantize/int8-graph';
import { Random } from '../../src/signal/random';
import { CrossBench } from '../cross/cross-bench';
import { EVERY_TARGET, whyMissing, type AnyTarget } from '../cross/cross-target';
import { seededInputs, seededProgram } from '../cross/network-program';
import { randomOpGraph, type OpGroup } from './random-op-graph';
import { sharedRuntime, sharesRuntime, withoutRuntime } from './shared-runtime';

type Kind = Int8Op['kind'];
const KINDS = Object.keys(INT8_OPCODE) as Kind[];
const NETWORKS = 50;
const CASES = 80;
const AVR_CASES = 8;
const WEIGHTED: readonly Kind[] = ['fullyConnected', 'conv2d', 'depthwiseConv2d'];
/** Test program and C library. */
const PROGRAM_BYTES = 8192;
/** Roughly the code of one network, whatever it is. */
const CODE_BYTES = 6000;

function groupOf(kind: Kind): OpGroup {
  switch (kind) {
    case 'fullyConnected':
    case 'conv2d':
    case 'depthwiseConv2d':
      return kind;
    case 'maxPool2d':
    case 'averagePool2d':
      return 'pool';
    default:
      return 'other';
  }
}

function reshape(random: Random): Int8Graph {
  const [height, width, channels] = [1 + random.integer(6), 1 + random.integer(6), 1 + random.integer(6)];
  const from: Int8Tensor = { name: 'input', shape: [height, width, channels], scale: 0.5, zeroPoint: 3 };
  const to: Int8Tensor = { ...from, name: 'output', shape: [height * width, channels] };
  return { tensors: [from, to], ops: [{ kind: 'reshape', input: 0, output: 1 }], input: 0, output: 1 };
}

function layer(kind: Kind, random: Random): Int8Graph {
  if (kind === 'reshape') return reshape(random);
  for (;;) {
    const graph = randomOpGraph(groupOf(kind), random);
    if (graph.ops[0]?.kind === kind) return graph;
  }
}

/** The same layer in the arena: between two others, so that its output may lie over its input. */
function inArena(graph: Int8Graph, random: Random): Int8Graph {
  const [head, tail] = [graph.tensors.length, graph.tensors.length + 1];
  const [input, output] = [graph.tensors[graph.input] as Int8Tensor, graph.tensors[graph.output] as Int8Tensor];
  const shuffle = (): Int8Array => Int8Array.from({ length: 256 }, () => random.integer(256) - 128);
  const lookup = { kind: 'lookup', function: 'quantize', alpha: 0 } as const;
  const doubled = [2 * (output.shape[0] as number), ...output.shape.slice(1)];
  return {
    tensors: [...graph.tensors, { ...input, name: 'head' }, { ...output, name: 'tail', shape: doubled }],
    ops: [
      { ...lookup, input: head, output: graph.input, table: shuffle() },
      ...graph.ops,
      { kind: 'concat', inputs: [graph.output, graph.output], output: tail, axis: 0 },
    ],
    input: head,
    output: tail,
  };
}

interface Question {
  readonly graph: Int8Graph;
  readonly seed: number;
  /** For each number of cases. */
  readonly answers: ReadonlyMap<number, number>;
}

/** Two of three networks are the bare layer, between the caller's buffers. */
function ask(kind: Kind): Question[] {
  const random = new Random(1000 + INT8_OPCODE[kind]);
  return Array.from({ length: NETWORKS }, (_, index) => {
    const bare = layer(kind, random);
    const graph = index % 3 === 2 ? inArena(bare, random) : bare;
    const seed = 1 + random.integer(2 ** 31 - 1);
    const interpreter = createInt8Interpreter(graph);
    const size = interpreter.inputLength;
    const inputs = seededInputs(seed, size, CASES);
    const answers = new Map<number, number>();
    let crc = 0;
    for (let i = 0; i < CASES; i++) {
      crc = crc32(Int8Array.from(interpreter.run(inputs.subarray(i * size, (i + 1) * size))), crc);
      answers.set(i + 1, crc);
    }
    return { graph, seed, answers };
  });
}

const asked = new Map<Kind, Question[]>();
function questionsOf(kind: Kind): Question[] {
  const known = asked.get(kind) ?? ask(kind);
  asked.set(kind, known);
  return known;
}

interface Emitted {
  readonly question: Question;
  readonly index: number;
  readonly text: string;
  readonly constantBytes: number;
  readonly ramBytes: number;
}

function emit(question: Question, index: number, target: Target): Emitted {
  const { graph } = question;
  const plan = planNetwork(graph, target);
  const { text, constantBytes } = emitNetworkHeader(graph, plan, { prefix: `n${index}`, target, remarks: [] });
  // On AVR the shapes of moves lie in RAM, and a layer's parameters are copied to the stack.
  return { question, index, text, constantBytes, ramBytes: plan.arenaBytes + (target === 'avr' ? 64 : 0) };
}

/** As many networks to a program as the processor holds. What alone is too large for it is left out. */
function programsFor(kind: Kind, target: AnyTarget, half: number): Emitted[][] {
  const programs: Emitted[][] = [];
  let [current, ram, flash, buffers] = [[] as Emitted[], 0, 0, 0];
  for (const [index, question] of questionsOf(kind).entries()) {
    if (index % 2 !== half) continue;
    const emitted = emit(question, index, target.made);
    const { graph } = question;
    const ends = [graph.input, graph.output].reduce((sum, id) => sum + elementCount(graph.tensors[id]?.shape ?? []), 0);
    const room = { ram: emitted.ramBytes + 16, flash: emitted.constantBytes + CODE_BYTES };
    if (ends + room.ram > target.ramBytes || PROGRAM_BYTES + room.flash > target.flashBytes) continue;
    if (
      ram + room.ram + Math.max(buffers, ends) > target.ramBytes ||
      PROGRAM_BYTES + flash + room.flash > target.flashBytes
    ) {
      programs.push(current);
      [current, ram, flash, buffers] = [[], 0, 0, 0];
    }
    current.push(emitted);
    [ram, flash, buffers] = [ram + room.ram, flash + room.flash, Math.max(buffers, ends)];
  }
  if (current.length > 0) programs.push(current);
  return programs;
}

/** For a person who looks for the fault. */
function describeNetwork({ question: { graph, seed }, index }: Emitted): string {
  const tensors = graph.tensors.map(({ shape, zeroPoint }) => `[${shape.join()}] zero ${zeroPoint}`).join(', ');
  const ops = JSON.stringify(graph.ops, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? `(${(value as Int8Array).length})` : value,
  );
  return `network ${index}, seed ${seed}: tensors ${tensors}; ${ops}`;
}

const bench = new CrossBench();
afterAll(() => bench.close());

for (const [position, target] of EVERY_TARGET.entries()) {
  const missing = whyMissing(target);
  describe.skipIf(missing !== null)(`${target.name}${missing === null ? '' : ` (${missing})`}`, () => {
    it.each(target.weightedOnly === true ? WEIGHTED : KINDS)(
      '%s',
      async (kind) => {
        const cases = target.kind === 'avr' ? AVR_CASES : CASES;
        const shares = sharesRuntime(target);
        const programs = programsFor(kind, target, position % 2);
        expect(programs.flat().length).toBeGreaterThan(NETWORKS / 4);
        for (const networks of programs) {
          const parts = networks.map(({ question, index, text }) => ({
            header: bench.write(`n${index}.h`, shares ? withoutRuntime(text, `n${index}`) : text),
            prefix: `n${index}`,
            seed: question.seed,
          }));
          const main = seededProgram(parts, cases, { runtime: shares ? sharedRuntime() : '' });
          const program = bench.compile(target, bench.write('main.c', main));
          const output = await bench.run(target, program);
          const wrong = networks.filter(
            ({ question }, at) => parseInt(output.slice(8 * at, 8 * at + 8), 16) !== question.answers.get(cases),
          );
          expect(output.length).toBe(8 * networks.length);
          expect(wrong.map(describeNetwork)).toEqual([]);
        }
      },
      180_000,
    );
  });
}
