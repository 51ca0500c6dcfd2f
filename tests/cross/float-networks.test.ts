/**
 * Float networks on emulated processors, with and without a floating point unit: within 1e-5 of the interpreter. Soft and
 * hard floats round alike, so all of them give the same bits.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { emitMixedHeader } from '../../src/emit/mixed-header';
import { planMixed } from '../../src/emit/mixed-plan';
import { elementCount, type FloatGraph } from '../../src/graph/float-graph';
import { createFloatInterpreter } from '../../src/graph/run-float';
import { mixedFromFloat } from '../../src/quantize/mixed-graph';
import { randomInputs, randomNetwork, SampleNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { CrossBench } from './cross-bench';
import { AVR_TARGETS, CROSS_TARGETS, whyMissing, type AnyTarget, type CrossTarget } from './cross-target';

const CASES = 4;
const TOLERANCE = 1e-5;

const named = (name: string): CrossTarget => CROSS_TARGETS.find((target) => target.name === name) as CrossTarget;
/** `softfp`: arguments in integer registers, arithmetic in the floating point unit. */
const FPU: CrossTarget = {
  ...named('Cortex-M4'),
  name: 'Cortex-M4 with FPU',
  flags: ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=softfp', '-mfpu=fpv4-sp-d16'],
};
const TARGETS: readonly AnyTarget[] = [
  named('Cortex-M0+'),
  named('Cortex-M4'),
  FPU,
  named('Cortex-M33'),
  named('RV32IMC'),
];

const bench = new CrossBench();
afterAll(() => bench.close());

function program(header: string, inputs: readonly Float32Array[]): string {
  const bits = new Uint32Array(Float32Array.from(inputs.flatMap((input) => [...input])).buffer);
  return `#include "${header}"
#include "platform.h"
#include <string.h>
static const uint32_t inputs[] = {${Array.from(bits, (word) => `UINT32_C(${word})`).join()}};
static float in[NET_INPUT_SIZE];
static float out[NET_OUTPUT_SIZE];
int program(void) {
  int32_t c, i;
  uint32_t word;
  for (c = 0; c < ${inputs.length}; c++) {
    memcpy(in, inputs + c * NET_INPUT_SIZE, sizeof in);
    if (net_invoke(in, out) != 0) return 1;
    for (i = 0; i < NET_OUTPUT_SIZE; i++) {
      memcpy(&word, out + i, sizeof word);
      put_hex(word, 8);
    }
  }
  return 42;
}
`;
}

async function outputsOn(target: AnyTarget, graph: FloatGraph, inputs: readonly Float32Array[]): Promise<Float32Array> {
  const mixed = mixedFromFloat(graph);
  const { text } = emitMixedHeader(mixed, planMixed(mixed, target.made), {
    prefix: 'net',
    target: target.made,
    remarks: [],
  });
  const source = bench.write('main.c', program(bench.write('net.h', text), inputs));
  const output = await bench.run(target, bench.compile(target, source));
  const words = output.match(/.{8}/g) ?? [];
  return new Float32Array(Uint32Array.from(words, (word) => parseInt(word, 16)).buffer);
}

function wanted(graph: FloatGraph, inputs: readonly Float32Array[]): Float32Array {
  const interpreter = createFloatInterpreter(graph);
  return Float32Array.from(inputs.flatMap((input) => [...interpreter.run(input)]));
}

function largestError(got: Float32Array, right: Float32Array): number {
  expect(got).toHaveLength(right.length);
  return right.reduce((largest, value, index) => {
    const error = Math.abs((got[index] as number) - value) / Math.max(1, Math.abs(value));
    return error <= largest ? largest : error;
  }, 0);
}

/** All functions of one value, one after another. */
function unaries(): FloatGraph {
  const n = new SampleNetwork(new Random(8), [6, 5, 3]);
  let x = n.scaleShift(n.conv(0, 4, { same: true }));
  for (const name of ['leakyRelu', 'hardSwish', 'tanh', 'logistic', 'relu6'] as const) {
    x = n.conv(n.unary(x, name, name === 'leakyRelu' ? 0.1 : 0), 4, { kernel: 1 });
  }
  n.softmax(n.dense(n.mean(x), 5));
  return n.build();
}

for (const target of TARGETS) {
  const missing = whyMissing(target);
  describe.skipIf(missing !== null)(`${target.name}${missing === null ? '' : ` (${missing})`}`, () => {
    it('runs random float networks', async () => {
      for (let seed = 0; seed <= 5; seed++) {
        const random = new Random(seed + 40);
        const graph = seed === 0 ? unaries() : randomNetwork(random);
        const inputs = randomInputs(random, elementCount(graph.tensors[graph.input]?.shape ?? []), CASES);
        const error = largestError(await outputsOn(target, graph, inputs), wanted(graph, inputs));
        expect(error, `seed ${seed}`).toBeLessThan(TOLERANCE);
      }
    }, 240_000);
  });
}

const mega = AVR_TARGETS.find(({ mcu }) => mcu === 'atmega2560') as AnyTarget;
const noAvr = whyMissing(mega);
describe.skipIf(noAvr !== null)(`${mega.name}${noAvr === null ? '' : ` (${noAvr})`}`, () => {
  it('runs a float network whose weights stay in flash', async () => {
    const n = new SampleNetwork(new Random(3), [12, 1, 3]);
    const x = n.conv(0, 8, { kernel: 1, activation: 'relu' });
    n.softmax(n.dense(n.unary(n.dense(n.flatten(n.scaleShift(x)), 20), 'tanh'), 4));
    const graph = n.build();
    const inputs = randomInputs(new Random(4), 36, CASES);
    expect(largestError(await outputsOn(mega, graph, inputs), wanted(graph, inputs))).toBeLessThan(TOLERANCE);
  }, 240_000);
});
