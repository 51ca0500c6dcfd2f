/**
 * Measures random layers on emulated cores and fits the table of src/emit/latency.ts; then compares the prediction of
 * whole networks with their counted cycles. Run: npm run bench -- latency
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { emitNetworkHeader } from '../../src/emit/network-header';
import { estimateNetworkCycles, latencyLayer, latencyTerms, type TimedCore } from '../../src/emit/latency';
import { planNetwork } from '../../src/emit/network-plan';
import { layoutFor } from '../../src/emit/target';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { checkInt8Graph } from '../../src/quantize/check';
import type { Int8Graph, Int8Op, Int8Tensor } from '../../src/quantize/int8-graph';
import { addParameters } from '../../src/quantize/ops/elementwise';
import { convMultipliers } from '../../src/quantize/ops/output-multipliers';
import { softmaxParameters } from '../../src/quantize/softmax';
import { Random } from '../../src/signal/random';
import { CrossBench } from '../cross/cross-bench';
import { CROSS_TARGETS, whyMissing } from '../cross/cross-target';
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

try {
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
