/**
 * What the reader accepts of damaged files is a network like any other: it compiles without a warning, stays within its
 * arrays, and computes what the interpreter computes. MOTE_DAMAGED_CASES makes it try more.
 */
import { afterAll, expect, it } from 'vitest';
import { emitMixedHeader } from '../../src/emit/mixed-header';
import { planMixed } from '../../src/emit/mixed-plan';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork } from '../../src/emit/network-plan';
import { readTflite, type ImportedModel } from '../../src/emit/tflite/read-tflite';
import { TfliteError } from '../../src/emit/tflite/tflite-error';
import { writeFloatTflite, writeMixedTflite, writeTflite } from '../../src/emit/tflite/write-tflite';
import { elementCount, GraphError } from '../../src/graph/float-graph';
import { QuantizeError } from '../../src/quantize/int8-graph';
import { mixedFromFloat, mixedFromInt8, type MixedGraph } from '../../src/quantize/mixed-graph';
import { createMixedInterpreter, type MixedValues } from '../../src/quantize/mixed-interpreter';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { SANITIZED, Workshop } from './c-compiler';
import { randomMixed } from './random-mixed';

const workshop = new Workshop();
afterAll(() => workshop.close());

const CASES = Number(process.env['MOTE_DAMAGED_CASES'] ?? 12);
/** Damaged files that are looked at per network that is wanted: most are refused, or only their weights change. */
const TRIES = 2000;

function files(): Uint8Array[] {
  return Array.from({ length: 8 }, (_, i) => {
    const random = new Random(i + 1);
    const float = randomNetwork(random);
    const size = elementCount(float.tensors[float.input]?.shape ?? []);
    return [
      writeFloatTflite(float),
      writeMixedTflite(randomMixed(i + 1).graph),
      writeTflite(quantizeGraph(float, randomInputs(random, size, 8))),
    ];
  }).flat();
}

/** Without weights and names: what a network is built like. */
function structure({ graph }: ImportedModel): string {
  return JSON.stringify(graph, (_, value: unknown) => (ArrayBuffer.isView(value) ? value.byteLength : value));
}

/** One bit, or one number that files often hold. */
function damage(file: Uint8Array, random: Random): Uint8Array {
  const bytes = file.slice();
  const at = random.integer(bytes.length - 4);
  if (random.integer(2) === 0) bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
  else new DataView(bytes.buffer).setInt32(at & ~3, [0, 1, -1, 2, 3, 4, 5][random.integer(7)] as number, true);
  return bytes;
}

function accepted(random: Random): { readonly graph: MixedGraph; readonly header: (prefix: string) => string }[] {
  const originals = files();
  const structures = originals.map((file) => structure(readTflite(file)));
  const found: { graph: MixedGraph; header: (prefix: string) => string }[] = [];
  for (let tries = 0; tries < TRIES * CASES && found.length < CASES; tries++) {
    const which = random.integer(originals.length);
    try {
      const model = readTflite(damage(originals[which] as Uint8Array, random));
      // No file here is int16; one flipped bit does not make it so.
      if (model.kind === 'int16' || structure(model) === structures[which]) continue;
      if (model.kind === 'int8') {
        const { graph } = model;
        const plan = planNetwork(graph, 'generic');
        const header = (prefix: string): string =>
          emitNetworkHeader(graph, plan, { prefix, target: 'generic', remarks: [] }).text;
        found.push({ graph: mixedFromInt8(graph), header });
      } else {
        const graph = model.kind === 'float' ? mixedFromFloat(model.graph) : model.graph;
        const plan = planMixed(graph, 'generic');
        const header = (prefix: string): string =>
          emitMixedHeader(graph, plan, { prefix, target: 'generic', remarks: [] }).text;
        found.push({ graph, header });
      }
    } catch (error) {
      const known = error instanceof TfliteError || error instanceof QuantizeError || error instanceof GraphError;
      if (!known) throw error;
    }
  }
  return found;
}

it('damaged networks that are accepted run in C as in the interpreter', () => {
  const random = new Random(Number(process.env['MOTE_FUZZ_SEED'] ?? 3));
  const networks = accepted(random);
  expect(networks).toHaveLength(CASES);
  const types = networks.map(({ graph }) =>
    [graph.input, graph.output].map((id) => (graph.tensors[id]?.type === 'int8' ? 'int8_t' : 'float')),
  );
  const includes = networks.map(({ header }, n) => `#include "${workshop.write(`damaged${n}.h`, header(`n${n}`))}"\n`);
  const calls = types.map(
    ([from, to], n) => `  {
    static ${from} in[N${n}_INPUT_SIZE];
    static ${to} out[N${n}_OUTPUT_SIZE];
    if (fread(in, sizeof in, 1, stdin) != 1 || n${n}_invoke(in, out) != 0) return 1;
    fwrite(out, sizeof out, 1, stdout);
  }\n`,
  );
  const source = workshop.write(
    'damaged.c',
    `#include <stdio.h>\n${includes.join('')}int main(void) {\n${calls.join('')}  return 0;\n}\n`,
  );
  const asked = networks.map(({ graph }, n) => {
    const interpreter = createMixedInterpreter(graph);
    const length = interpreter.inputLength;
    const input: MixedValues =
      types[n]?.[0] === 'int8_t'
        ? Int8Array.from({ length }, () => random.integer(256) - 128)
        : Float32Array.from({ length }, () => random.normal());
    return { input, output: interpreter.run(input).slice() };
  });
  const output = workshop.run(
    workshop.compile(SANITIZED, [source]),
    Buffer.concat(asked.map(({ input }) => Buffer.from(input.buffer))),
  );
  let at = 0;
  asked.forEach(({ output: wanted }, n) => {
    let different = 0;
    for (const value of wanted) {
      const isInt8 = wanted instanceof Int8Array;
      const got = isInt8 ? output.readInt8(at) : output.readFloatLE(at);
      at += isInt8 ? 1 : 4;
      // Damaged weights may give anything, infinities and NaN included; a conversion may turn a last digit into a step.
      const close = Math.abs(got - value) <= (isInt8 ? 1 : 1e-4 * Math.max(1, Math.abs(value)));
      if (!close && !Object.is(got, value)) different++;
    }
    const floatInside = networks[n]?.graph.ops.some(({ type }) => type === 'conversion') ?? false;
    expect(different, `network ${n}`).toBeLessThanOrEqual(floatInside ? wanted.length / 2 : 0);
  });
  expect(at).toBe(output.length);
}, 240_000);
