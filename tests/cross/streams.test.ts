/** Layers that run a few lines at a time, on emulated cores: the bytes of the interpreter. */
import { afterAll, describe, expect, it } from 'vitest';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork } from '../../src/emit/network-plan';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { Random } from '../../src/signal/random';
import { randomStreamGraph, streamOver } from '../conformance/random-stream';
import { CrossBench } from './cross-bench';
import { CROSS_TARGETS, whyMissing } from './cross-target';
import { networkProgram, parseOutput } from './network-program';

const NAMES = ['Cortex-M0+', 'Cortex-M4'];

const bench = new CrossBench();
afterAll(() => bench.close());

for (const target of CROSS_TARGETS) {
  if (!NAMES.includes(target.name)) continue;
  const { made } = target;
  const missing = whyMissing(target);
  describe.skipIf(missing !== null)(`${target.name}${missing === null ? '' : ` (${missing})`}`, () => {
    it.each(['lines', 'dense'] as const)(
      'random streams (%s) give the bytes of the interpreter',
      (end) => {
        let streams = 0;
        for (let seed = 901; seed <= 916; seed++) {
          const random = new Random(seed);
          const graph = randomStreamGraph(random, end);
          const stream = streamOver(graph, made, random);
          if (!stream) continue;
          streams++;
          const plan = planNetwork(graph, made, [stream]);
          const { text } = emitNetworkHeader(graph, plan, { prefix: 'net', target: made, remarks: [] });
          const interpreter = createInt8Interpreter(graph);
          const size = interpreter.inputLength;
          const inputs = Int8Array.from({ length: 2 * size }, () => Math.floor(random.next() * 256) - 128);
          const wanted = [0, size].flatMap((at) => Array.from(interpreter.run(inputs.subarray(at, at + size))));
          bench.write('net.h', text);
          const source = bench.write('main.c', networkProgram('net.h', 'net', inputs, 2));
          const { output } = bench.count(target, bench.compile(target, source));
          expect(Array.from(parseOutput(output).outputs), `seed ${seed}`).toEqual(wanted);
        }
        expect(streams).toBeGreaterThan(8);
      },
      240_000,
    );
  });
}
