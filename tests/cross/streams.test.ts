/** Layers that run a few lines at a time, on emulated cores: the bytes of the interpreter. */
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork } from '../../src/emit/network-plan';
import type { Target } from '../../src/emit/target';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { Random } from '../../src/signal/random';
import { randomStreamGraph, streamOver } from '../conformance/random-stream';
import { CROSS_TARGETS, CrossBench, networkProgram, whyMissing } from './cross-target';

const PLUGIN = fileURLToPath(new URL('./instruction-count.c', import.meta.url));
const MADE_FOR: Readonly<Record<string, Target>> = { 'Cortex-M0+': 'cortex-m0plus', 'Cortex-M4': 'cortex-m4' };

const bench = new CrossBench();
afterAll(() => bench.close());

for (const target of CROSS_TARGETS) {
  const made = MADE_FOR[target.name];
  if (!made) continue;
  const missing = whyMissing(target);
  describe.skipIf(missing !== null)(`${target.name}${missing === null ? '' : ` (${missing})`}`, () => {
    it('random streams give the bytes of the interpreter', () => {
      let streams = 0;
      for (let seed = 901; seed <= 916; seed++) {
        const random = new Random(seed);
        const graph = randomStreamGraph(random);
        const stream = streamOver(graph, made, random);
        if (!stream) continue;
        streams++;
        const plan = planNetwork(graph, made, [stream]);
        const { text } = emitNetworkHeader(graph, plan, { prefix: 'net', target: made, remarks: [] });
        const interpreter = createInt8Interpreter(graph);
        const size = interpreter.inputLength;
        const inputs = Int8Array.from({ length: 2 * size }, () => Math.floor(random.next() * 256) - 128);
        const wanted = [0, size].flatMap((at) => Array.from(interpreter.run(inputs.subarray(at, at + size))));
        const source = bench.write('main.c', networkProgram(bench.write('net.h', text), 'net', inputs, 2));
        const { output } = bench.run(target, source, PLUGIN, /^net_/);
        expect(output.trim().split(' ').map(Number), `seed ${seed}`).toEqual(wanted);
      }
      expect(streams).toBeGreaterThan(8);
    }, 120_000);
  });
}
