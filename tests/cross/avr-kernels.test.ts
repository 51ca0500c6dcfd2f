/** What random layers do not reach of the kernels for AVR: long rows of extreme products, and every edge of the rounding. */
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../src/emit/crc32';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { planNetwork } from '../../src/emit/network-plan';
import { checkInt8Graph } from '../../src/quantize/check';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import type { Int8Graph } from '../../src/quantize/int8-graph';
import { convMultipliers } from '../../src/quantize/ops/output-multipliers';
import { CrossBench } from './cross-bench';
import { AVR_TARGETS, whyMissing, type AvrTarget } from './cross-target';
import { networkProgram, parseOutput } from './network-program';

const uno = AVR_TARGETS[0] as AvrTarget;
const missing = whyMissing(uno);
const SOURCES = `${process.cwd()}/firmware/mote/src`;
const bench = new CrossBench();
afterAll(() => bench.close());

/** One unit over `inputs` values, all weights `weight`; outputs stay within int8. */
function dense(inputs: number, weight: number): Int8Graph {
  const weightScale = Float32Array.of(0.01);
  const outputScale = Math.fround((0.01 * inputs * 128) / 100);
  const graph: Int8Graph = {
    tensors: [
      { name: 'input', shape: [inputs], scale: Math.fround(0.01), zeroPoint: 0 },
      { name: 'output', shape: [1], scale: outputScale, zeroPoint: 0 },
    ],
    ops: [
      {
        kind: 'fullyConnected',
        input: 0,
        output: 1,
        weights: new Int8Array(inputs).fill(weight),
        bias: Int32Array.of(0),
        weightScale,
        ...convMultipliers(Math.fround(0.01), weightScale, outputScale),
        actMin: -128,
        actMax: 127,
      },
    ],
    input: 0,
    output: 1,
  };
  checkInt8Graph(graph);
  return graph;
}

describe.skipIf(missing !== null)(`AVR${missing === null ? '' : ` (${missing})`}`, () => {
  it.each([1, 2, 3, 255, 256, 257, 512, 601])(
    'adds %i products of the largest size',
    async (inputs) => {
      for (const weight of [127, -127]) {
        const graph = dense(inputs, weight);
        const values = Int8Array.from([...new Int8Array(inputs).fill(-128), ...new Int8Array(inputs).fill(127)]);
        const interpreter = createInt8Interpreter(graph);
        const wanted = [0, 1].flatMap((i) => [...interpreter.run(values.subarray(i * inputs, (i + 1) * inputs))]);
        expect(new Set(wanted).size).toBe(2);
        const plan = planNetwork(graph, 'avr');
        const { text } = emitNetworkHeader(graph, plan, { prefix: 'net', target: 'avr', remarks: [] });
        bench.write('net.h', text);
        const program = bench.compile(uno, bench.write('main.c', networkProgram('net.h', 'net', values, 2)));
        expect([...parseOutput(await bench.run(uno, program)).outputs]).toEqual(wanted);
      }
    },
    60_000,
  );

  it('rounds as the reference does, at every shift', async () => {
    const edges = [
      0,
      1,
      -1,
      2,
      -2,
      3,
      5,
      -5,
      255,
      -256,
      1 << 29,
      -(1 << 29),
      2 ** 30,
      2 ** 31 - 1,
      -(2 ** 31),
      -(2 ** 31) + 1,
    ];
    const literal = (value: number): string => (value === -(2 ** 31) ? '(-2147483647 - 1)' : String(value));
    const program = bench.compile(
      uno,
      bench.write(
        'round.c',
        `#include "${SOURCES}/mote_requantize.h"
#include "platform.h"
static const int32_t values[] STORED = {${edges.map(literal).join()}};
static int32_t at(uint8_t i) { return (int32_t)pgm_read_dword(&values[i]); }
int program(void) {
  uint32_t crc = 0, state = 12345;
  int32_t result;
  uint16_t i;
  uint8_t k;
  for (i = 0; i < ${edges.length ** 2 + 300}; i++) {
    int32_t a, b;
    if (i < ${edges.length ** 2}) {
      a = at((uint8_t)(i % ${edges.length}));
      b = at((uint8_t)(i / ${edges.length}));
    } else {
      a = (int32_t)(state = next_random(state));
      b = (int32_t)(state = next_random(state));
    }
    result = mote_srdhm(a, b);
    crc = crc_of(crc, (const int8_t *)&result, 4);
    for (k = 0; k < 32; k++) {
      result = mote_rdp(a, k);
      crc = crc_of(crc, (const int8_t *)&result, 4);
    }
  }
  put_hex(crc, 8);
  return 42;
}
`,
      ),
    );
    // The reference, in integers of any size: high word of the doubled product; division with ties away from zero.
    const results: number[] = [];
    let state = 12345;
    const next = (): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state;
    };
    for (let i = 0; i < edges.length ** 2 + 300; i++) {
      const random = i >= edges.length ** 2;
      const a = random ? next() : (edges[i % edges.length] as number);
      const b = random ? next() : (edges[Math.floor(i / edges.length)] as number);
      const high = (BigInt(a) * BigInt(b) + (1n << 30n)) >> 31n;
      results.push(Number(high > 2147483647n ? 2147483647n : high));
      for (let k = 0n; k < 32n; k++) {
        const magnitude = BigInt(Math.abs(a));
        const rounded = k === 0n ? magnitude : (magnitude + (1n << (k - 1n))) >> k;
        results.push(Number(a < 0 ? -rounded : rounded));
      }
    }
    const bytes = new Int8Array(Int32Array.from(results).buffer);
    expect(parseInt(await bench.run(uno, program), 16)).toBe(crc32(bytes));
  }, 240_000);
});
