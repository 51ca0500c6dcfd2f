/** Emitted networks on the processors of our users, emulated: the bytes of the interpreter and of the TFLite kernels. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork } from '../../src/emit/network-plan';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import type { Int8Graph } from '../../src/quantize/int8-graph';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { CrossBench } from './cross-bench';
import { CROSS_TARGETS, whyMissing, type CrossTarget } from './cross-target';
import { networkProgram, parseOutput } from './network-program';

const SHARED = path.resolve(import.meta.dirname, '../../../shared/data/tflite');
const GOLDEN = existsSync(SHARED)
  ? Object.entries(
      JSON.parse(readFileSync(path.join(SHARED, 'golden.json'), 'utf8')) as Record<string, { in_dtype: string }>,
    )
      .filter(([, { in_dtype }]) => in_dtype === 'int8')
      .map(([name]) => name)
  : [];

const bench = new CrossBench();
afterAll(() => bench.close());

function outputsOn(target: CrossTarget, graph: Int8Graph, inputs: Int8Array): number[] {
  const { made } = target;
  const { text } = emitNetworkHeader(graph, planNetwork(graph, made), { prefix: 'net', target: made, remarks: [] });
  const cases = inputs.length / createInt8Interpreter(graph).inputLength;
  bench.write('net.h', text);
  const source = bench.write('main.c', networkProgram('net.h', 'net', inputs, cases));
  const { output, instructions } = bench.count(target, bench.compile(target, source));
  expect(instructions).toBeGreaterThan(0);
  const { outputs, stackBytes } = parseOutput(output);
  expect(stackBytes).toBeGreaterThan(0);
  return Array.from(outputs);
}

for (const target of CROSS_TARGETS) {
  const missing = whyMissing(target);
  describe.skipIf(missing !== null)(`${target.name}${missing === null ? '' : ` (${missing})`}`, () => {
    it('runs random networks with the bytes of the interpreter', () => {
      for (let seed = 101; seed <= 106; seed++) {
        const random = new Random(seed);
        const float = randomNetwork(random);
        const size = (float.tensors[float.input]?.shape ?? []).reduce((a, b) => a * b, 1);
        const graph = quantizeGraph(float, randomInputs(random, size, 8));
        const inputs = Int8Array.from({ length: 8 * size }, () => Math.floor(random.next() * 256) - 128);
        const interpreter = createInt8Interpreter(graph);
        const wanted = Array.from({ length: 8 }, (_, i) =>
          Array.from(interpreter.run(inputs.subarray(i * size, (i + 1) * size))),
        ).flat();
        expect(outputsOn(target, graph, inputs), `seed ${seed}`).toEqual(wanted);
      }
    }, 120_000);

    it.skipIf(GOLDEN.length === 0).each(GOLDEN.length === 0 ? ['(../shared/data/tflite is missing)'] : GOLDEN)(
      '%s gives the bytes of the TFLite reference kernels',
      (name) => {
        const model = readTflite(new Uint8Array(readFileSync(path.join(SHARED, name))));
        if (model.kind !== 'int8') throw new Error(`${name} is not int8`);
        const stem = path.join(SHARED, name.replace(/\.(tflite|lite)$/, ''));
        const wanted = Array.from(new Int8Array(readFileSync(`${stem}.golden_out.bin`)));
        const inputs = new Int8Array(readFileSync(`${stem}.golden_in.bin`));
        expect(outputsOn(target, model.graph, inputs)).toEqual(wanted);
      },
      120_000,
    );
  });
}
