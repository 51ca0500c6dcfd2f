/**
 * Measures random layers on emulated cores and fits the table of src/emit/latency.ts; then compares the prediction of
 * whole networks with their counted cycles. Run: npm run bench -- latency
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { emitNetworkHeader } from '../../src/emit/network-header';
import {
  estimateNetworkCycles,
  floatLatencyTerms,
  floatLayerKind,
  latencyLayer,
  latencyTerms,
  type FloatLayerKind,
  type TimedCore,
} from '../../src/emit/latency';
import { emitMixedHeader } from '../../src/emit/mixed-header';
import { planMixed } from '../../src/emit/mixed-plan';
import { planNetwork } from '../../src/emit/network-plan';
import { layoutFor } from '../../src/emit/target';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import type { FloatOp } from '../../src/graph/float-graph';
import { checkInt8Graph } from '../../src/quantize/check';
import type { Int8Graph, Int8Op, Int8Tensor } from '../../src/quantize/int8-graph';
import { addParameters } from '../../src/quantize/ops/elementwise';
import { mixedFromFloat, type MixedGraph } from '../../src/quantize/mixed-graph';
import { convMultipliers } from '../../src/quantize/ops/output-multipliers';
import { softmaxParameters } from '../../src/quantize/softmax';
import { SampleNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { CrossBench } from '../cross/cross-bench';
import { CROSS_TARGETS, whyMissing, type CrossTarget } from '../cross/cross-target';
import { networkProgram } from '../cross/network-program';

const MODELS = path.resolve(process.cwd(), '../shared/data/tflite');
const CORES: readonly (readonly [string, TimedCore])[] = [
  ['Cortex-M4', 'cortex-m4'],
  ['Cortex-M0+', 'cortex-m0plus'],
];
const LAYERS = ['conv', 'pointwise', 'depthwise', 'fullyConnected', 'pool', 'elementwise', 'softmax', 'other'] as const;
const SAMPLES = 14;

/** A layer as trained networks have them: even geometry, SAME padding, ReLU at the zero point. */
function layer(kind: (typeof LAYERS)[number], random: Random): Int8Graph {
  const int = (low: number, high: number): number => low + random.integer(high - low + 1);
  const tensor = (shape: readonly number[]): Int8Tensor => ({
    name: 't',
    shape,
    scale: Math.fround(0.05),
    zeroPoint: -128,
  });
  const [height, width] = [int(4, 16), int(4, 16)];
  const channels = kind === 'conv' && random.integer(2) === 0 ? int(1, 3) : 4 * int(1, 12);
  const one = (op: Int8Op, input: Int8Tensor, output: Int8Tensor): Int8Graph => ({
    tensors: [input, output],
    ops: [op],
    input: 0,
    output: 1,
  });
  const window = (kernel: number, stride: number, pad: number) => ({
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
    dilationHeight: 1,
    dilationWidth: 1,
    padTop: pad,
    padLeft: pad,
    padBottom: pad,
    padRight: pad,
  });
  const weighted = (count: number, units: number) => {
    const weightScale = Float32Array.from({ length: units }, () => 0.002 + random.next() * 0.01);
    return {
      weights: Int8Array.from({ length: count }, () => int(-127, 127)),
      bias: Int32Array.from({ length: units }, () => int(-500, 500)),
      weightScale,
      ...convMultipliers(Math.fround(0.05), weightScale, Math.fround(0.05)),
      actMin: -128,
      actMax: 127,
    };
  };
  const ends = { input: 0, output: 1 };
  const image = tensor([height, width, channels]);
  switch (kind) {
    case 'conv':
    case 'pointwise': {
      const kernel = kind === 'conv' ? 3 : 1;
      const units = 4 * int(1, 12);
      const op: Int8Op = {
        kind: 'conv2d',
        ...ends,
        window: window(kernel, 1, kernel === 3 ? 1 : 0),
        groups: 1,
        ...weighted(kernel * kernel * channels * units, units),
      };
      return one(op, image, tensor([height, width, units]));
    }
    case 'depthwise': {
      const op: Int8Op = {
        kind: 'depthwiseConv2d',
        ...ends,
        window: window(3, 1, 1),
        depthMultiplier: 1,
        ...weighted(9 * channels, channels),
      };
      return one(op, image, tensor(image.shape));
    }
    case 'fullyConnected': {
      // As many small layers as large ones.
      const scaled = (low: number, doublings: number): number => Math.round(low * 2 ** (random.next() * doublings));
      const [inputs, units] = [scaled(8, 6), scaled(4, 5)];
      return one(
        { kind: 'fullyConnected', ...ends, ...weighted(inputs * units, units) },
        tensor([inputs]),
        tensor([units]),
      );
    }
    case 'pool': {
      const [h, w] = [2 * int(2, 8), 2 * int(2, 8)];
      const pool = random.integer(2) === 0 ? ('maxPool2d' as const) : ('averagePool2d' as const);
      return one(
        { kind: pool, ...ends, window: window(2, 2, 0), actMin: -128, actMax: 127 },
        tensor([h, w, channels]),
        tensor([h / 2, w / 2, channels]),
      );
    }
    case 'elementwise': {
      const other = {
        ...tensor(image.shape),
        data: Int8Array.from({ length: height * width * channels }, () => int(-128, 127)),
      };
      const scale = Math.fround(0.05);
      const op: Int8Op = {
        kind: 'add',
        inputs: [0, 2],
        output: 1,
        subtract: false,
        ...addParameters(scale, scale, scale, false),
        actMin: -128,
        actMax: 127,
      };
      return { tensors: [image, tensor(image.shape), other], ops: [op], input: 0, output: 1 };
    }
    case 'softmax': {
      const classes = int(2, 20);
      return one(
        { kind: 'softmax', ...ends, ...softmaxParameters(Math.fround(0.1)) },
        { ...tensor([classes]), scale: Math.fround(0.1) },
        { ...tensor([classes]), scale: 1 / 256 },
      );
    }
    case 'other': {
      const op: Int8Op = {
        kind: 'lookup',
        ...ends,
        function: 'quantize',
        alpha: 0,
        table: Int8Array.from({ length: 256 }, (_, i) => i - 128),
      };
      return one(op, image, tensor(image.shape));
    }
  }
}

/** Least squares of relative errors, coefficients at least 0, by coordinate descent. */
function fit(rows: readonly { readonly terms: readonly number[]; readonly cycles: number }[]): number[] {
  const costs = [0, 0, 0, 0];
  for (let round = 0; round < 20_000; round++) {
    for (let k = 0; k < costs.length; k++) {
      let [over, under] = [0, 0];
      for (const { terms, cycles } of rows) {
        const rest = terms.reduce((sum, term, i) => (i === k ? sum : sum + term * (costs[i] as number)), 0);
        const scaled = (terms[k] as number) / cycles;
        over += scaled * (1 - rest / cycles);
        under += scaled * scaled;
      }
      costs[k] = under === 0 ? 0 : Math.max(0, over / under);
    }
  }
  return costs.map((cost) => Number(cost.toPrecision(3)));
}

const bench = new CrossBench();
function cyclesOf(graph: Int8Graph, core: TimedCore, name: string): number {
  const target = CROSS_TARGETS.find((known) => known.name === name);
  if (!target) throw new Error(name);
  const { text } = emitNetworkHeader(graph, planNetwork(graph, core), { prefix: 'net', target: core, remarks: [] });
  const size = (graph.tensors[graph.input]?.shape ?? []).reduce((a, b) => a * b, 1);
  const random = new Random(size);
  const inputs = Int8Array.from({ length: size }, () => random.integer(256) - 128);
  bench.write('net.h', text);
  return bench.count(target, bench.compile(target, bench.write('main.c', networkProgram('net.h', 'net', inputs, 1))))
    .cycles;
}

const FLOAT_KINDS = ['dot', 'depthwise', 'pool', 'elementwise', 'exponential', 'other'] as const;

/** A float layer of the kind, as trained networks have them. */
function floatLayer(kind: FloatLayerKind, random: Random): MixedGraph {
  const int = (low: number, high: number): number => low + random.integer(high - low + 1);
  const n = new SampleNetwork(random, [
    2 * int(2, 8),
    2 * int(2, 8),
    random.integer(4) === 0 ? int(1, 3) : 4 * int(1, 8),
  ]);
  const choice = random.integer(3);
  switch (kind) {
    case 'dot':
      if (choice === 0) n.dense(0, int(2, 24));
      else n.conv(0, 4 * int(1, 8), { kernel: choice === 1 ? 3 : 1, same: true, activation: 'relu' });
      break;
    case 'depthwise':
      n.depthwise(0, { kernel: 3, same: true, activation: 'relu' });
      break;
    case 'pool':
      if (choice === 0) n.mean(0);
      else n.pool(0, choice === 1 ? 'maxPool2d' : 'averagePool2d');
      break;
    case 'elementwise':
      if (choice === 0) n.scaleShift(0);
      else if (choice === 1) n.pair('mul', 0, n.tensor([n.channels(0)], n.normal(n.channels(0))));
      else n.unary(0, 'hardSwish');
      break;
    case 'exponential':
      if (choice === 0) n.softmax(0);
      else n.unary(0, choice === 1 ? 'tanh' : 'logistic');
      break;
    case 'other':
      if (choice === 0) n.pad(0, [1, 1, 0], [1, 1, 0]);
      else if (choice === 1) n.transpose(0, [1, 0, 2]);
      else n.slice(0, [0, 1, 0], [1, 1, 1]);
  }
  return mixedFromFloat(n.build());
}

function floatCyclesOf(graph: MixedGraph, target: CrossTarget): number {
  const { text } = emitMixedHeader(graph, planMixed(graph, target.made), {
    prefix: 'net',
    target: target.made,
    remarks: [],
  });
  bench.write('net.h', text);
  const source = bench.write(
    'main.c',
    `#include "net.h"
#include "platform.h"
static float in[NET_INPUT_SIZE], out[NET_OUTPUT_SIZE];
__attribute__((noinline)) int net_run(void);
__attribute__((noinline)) int net_run(void) { return net_invoke(in, out); }
int program(void) {
  uint32_t state = 1;
  int32_t i;
  for (i = 0; i < NET_INPUT_SIZE; i++) {
    state = next_random(state);
    in[i] = (float)(int32_t)(state & 1023) / 256.0f - 2.0f;
  }
  bench_begin();
  i = net_run();
  bench_end();
  return i == 0 ? 42 : 1;
}
`,
  );
  return bench.count(target, bench.compile(target, source)).cycles;
}

/** Cores of the table, the M4 with its floating point unit. */
function floatTarget(name: string): CrossTarget | undefined {
  const target = CROSS_TARGETS.find((known) => known.name === name);
  if (!target || name !== 'Cortex-M4') return target;
  return { ...target, flags: ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=softfp', '-mfpu=fpv4-sp-d16'] };
}

function calibrateFloat(): void {
  for (const [name, core] of CORES) {
    const target = floatTarget(name);
    if (!target || whyMissing(target) !== null) continue;
    console.log(`${core}, float: [per product, per output, per gathered input, per run], largest error`);
    for (const kind of FLOAT_KINDS) {
      const random = new Random(kind.length * 17 + 3);
      const rows = Array.from({ length: SAMPLES }, () => {
        const graph = floatLayer(kind, random);
        const op = graph.ops.at(-1)?.op as FloatOp;
        if (floatLayerKind(op) !== kind) throw new Error(kind);
        return { terms: floatLatencyTerms(op, graph), cycles: floatCyclesOf(graph, target) };
      });
      const costs = fit(rows);
      const errors = rows.map(({ terms, cycles }) =>
        Math.abs(terms.reduce((sum, term, i) => sum + term * (costs[i] as number), 0) / cycles - 1),
      );
      console.log(`    ${kind}: [${costs.join(', ')}],  // ${(100 * Math.max(...errors)).toFixed(0)} %`);
    }
  }
}

try {
  calibrateFloat();
  for (const [name, core] of CORES) {
    const target = CROSS_TARGETS.find((known) => known.name === name);
    const missing = target ? whyMissing(target) : 'unknown';
    if (missing !== null) {
      console.log(`${name}: left out, ${missing}`);
      continue;
    }
    console.log(`${core}: [per product, per output, per gathered input, per run], largest error of ${SAMPLES} layers`);
    for (const kind of LAYERS) {
      const random = new Random(kind.length * 31 + 1);
      const rows = Array.from({ length: SAMPLES }, () => {
        const graph = layer(kind, random);
        checkInt8Graph(graph);
        const op = graph.ops[0] as Int8Op;
        if (
          latencyLayer(op) !== kind ||
          (kind !== 'pool' &&
            kind !== 'softmax' &&
            kind !== 'other' &&
            kind !== 'elementwise' &&
            layoutFor(op, core) === 'plain')
        )
          throw new Error(kind);
        return { terms: latencyTerms(op, graph), cycles: cyclesOf(graph, core, name) };
      });
      const costs = fit(rows);
      const errors = rows.map(({ terms, cycles }) =>
        Math.abs(terms.reduce((sum, term, i) => sum + term * (costs[i] as number), 0) / cycles - 1),
      );
      console.log(`    ${kind}: [${costs.join(', ')}],  // ${(100 * Math.max(...errors)).toFixed(0)} %`);
    }
    if (!existsSync(MODELS)) continue;
    for (const file of [
      'kws_ref_model.tflite',
      'responding-to-your-voice-tutorial.i8.lite',
      'gestures-i8.lite',
      'mlp_33_20_10_4.tflite',
    ]) {
      const model = readTflite(new Uint8Array(readFileSync(path.join(MODELS, file))));
      if (model.kind !== 'int8') continue;
      const [predicted, counted] = [estimateNetworkCycles(model.graph, core), cyclesOf(model.graph, core, name)];
      console.log(
        `  ${file}: predicted ${predicted ?? '-'}, counted ${counted}, off by ${predicted === null ? '-' : ((predicted / counted - 1) * 100).toFixed(0)} %`,
      );
    }
  }
} finally {
  bench.close();
}
