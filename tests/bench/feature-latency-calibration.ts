/**
 * Runs random feature blocks on emulated cores, counts their cycles and fits the table of src/emit/feature-latency.ts;
 * then compares the prediction for blocks that the fit did not see. Run: npm run bench -- features
 */
import path from 'node:path';
import { windowFrames, type BlockSpec, type CompiledBlock, type InputSpec } from '../../src/dsp/block';
import { compileBlock } from '../../src/dsp/compile';
import { floatLiteral } from '../../src/emit/c-literals';
import { FEATURE_CORES, featureTerms, type FeatureCore } from '../../src/emit/feature-latency';
import { Random } from '../../src/signal/random';
import { CrossBench } from '../cross/cross-bench';
import { AVR_TARGETS, CROSS_TARGETS, whyMissing, type AvrTarget, type CrossTarget } from '../cross/cross-target';
import { fitCosts, largestError, predicted, type Measured } from './least-squares';

const RUNTIME = path.join(process.cwd(), 'firmware', 'mote', 'src');
const KINDS = ['raw', 'flatten', 'spectral', 'quantize'] as const;
const FITTED = { raw: 12, flatten: 10, spectral: 48, quantize: 5 } as const;
const UNSEEN = 12;

function targetOf(core: FeatureCore): CrossTarget | AvrTarget {
  const named = (name: string) => [...CROSS_TARGETS, ...AVR_TARGETS].find((target) => target.name === name);
  const base = named(core === 'cortex-m4f' ? 'Cortex-M4' : core === 'avr' ? 'ATmega2560' : 'Cortex-M0+');
  if (!base) throw new Error(core);
  if (core !== 'cortex-m4f') return base;
  return { ...base, flags: ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'] };
}

/** Windows as motion sensors give them, small enough for the RAM of an AVR where that is asked. */
function randomCase(kind: 'raw' | 'flatten' | 'spectral', random: Random, small: boolean): [BlockSpec, InputSpec] {
  const pick = <T>(items: readonly T[]): T => items[random.integer(items.length)] as T;
  const fftLength = pick(small ? ([16, 32, 64] as const) : ([16, 32, 64, 128, 256] as const));
  const improveLowFrequency = fftLength === 16 && random.integer(2) === 0;
  const axes = 1 + random.integer(small ? 3 : 6);
  const frames = improveLowFrequency ? 80 + random.integer(30) : 24 + random.integer(small ? 100 : 380);
  const input: InputSpec = {
    channels: Array.from({ length: axes }, (_, index) => ({ name: `axis${index}`, unit: '' })),
    rateHz: 100,
    windowMs: frames * 10,
    strideMs: 100,
  };
  const channels = input.channels.map((_, index) => index);
  const flag = (): boolean => random.integer(2) === 0;
  switch (kind) {
    case 'raw':
      return [{ kind, version: 1, channels, params: { scale: 0.5, average: 1 + random.integer(8) } }, input];
    case 'flatten': {
      const params = { scale: 0.5, average: true, minimum: flag(), maximum: flag(), rms: flag(), stdev: flag() };
      return [{ kind, version: 1, channels, params: { ...params, skewness: flag(), kurtosis: flag() } }, input];
    }
    case 'spectral':
      return [
        {
          kind,
          version: 4,
          channels,
          params: {
            scale: 0.5,
            decimation: improveLowFrequency ? 1 : pick([1, 1, 3] as const),
            filter: pick(['none', 'low', 'high'] as const),
            cutoffHz: 4 + random.integer(6),
            order: pick([2, 4, 6]),
            fftLength,
            log: flag(),
            overlap: flag(),
            improveLowFrequency,
          },
        },
        input,
      ];
  }
}

/** A swinging hand with some noise. */
function signal(random: Random, input: InputSpec): number[] {
  const count = input.channels.length;
  return Array.from({ length: windowFrames(input) * count }, (_, at) =>
    Math.fround(
      (at % count) + 6 * Math.sin((2 * Math.PI * Math.floor(at / count)) / (9 + (at % count))) + random.next() - 0.5,
    ),
  );
}

const floats = (values: Iterable<number>): string => Array.from(values, (value) => floatLiteral(value)).join(', ');

/** A program that runs `call` once between the marks. */
function program(declarations: string, call: string, window: readonly number[]): string {
  return `#include "mote_raw.h"
#include "mote_flatten.h"
#include "mote_spectral.h"
#include "mote_input.h"
#include "platform.h"
${declarations}
static const float stored_window[] MOTE_FLASH = {${floats(window)}};
static float window[${window.length}];
__attribute__((noinline)) void work(void);
__attribute__((noinline)) void work(void) { ${call} }
int program(void) {
  int16_t i;
  for (i = 0; i < ${window.length}; i++) window[i] = MOTE_FLASH_F32(&stored_window[i]);
  bench_begin();
  work();
  bench_end();
  return 42;
}
`;
}

function blockProgram(block: CompiledBlock, input: InputSpec, random: Random): string {
  const arrays =
    `static const uint8_t axes[] MOTE_FLASH = {${block.channels.join()}};\n` +
    `static const int32_t ints[] MOTE_FLASH = {${block.ints.join()}};\n` +
    `static const float constants[] MOTE_FLASH = {${floats(block.floats)}};\n` +
    `static float scratch[${Math.max(1, block.scratchFloats)}];\n` +
    `static float features[${block.featureCount}];\n` +
    // As on a board that takes any pack: the compiler must not cut the block to these parameters.
    'static const int32_t *volatile ints_at = ints;';
  const frames = windowFrames(input);
  return program(
    arrays,
    `mote_${block.kind}(window, ${frames}, ${input.channels.length}, axes, ${block.channels.length}, ints_at, constants, scratch, features);`,
    signal(random, input),
  );
}

function quantizeProgram(count: number, random: Random): string {
  const values = (low: number, high: number) =>
    floats(Array.from({ length: count }, () => Math.fround(low + random.next() * (high - low))));
  const arrays =
    `static const float a[] MOTE_FLASH = {${values(2, 20)}};\nstatic const float b[] MOTE_FLASH = {${values(-50, 50)}};\n` +
    `static int8_t q[${count}];`;
  const window = Array.from({ length: count }, () => Math.fround(random.next() * 8 - 4));
  return program(arrays, `mote_quantize_input(window, ${count}, a, b, q);`, window);
}

const bench = new CrossBench();

function measure(core: FeatureCore, kind: (typeof KINDS)[number], random: Random): Measured {
  const target = targetOf(core);
  const count = (text: string): number => {
    const include = { ...target, flags: [...target.flags, '-I', RUNTIME] };
    return bench.count(target, bench.compile(include, bench.write('main.c', text))).cycles;
  };
  if (kind === 'quantize') {
    const features = 8 + random.integer(100);
    return { terms: [features], cycles: count(quantizeProgram(features, random)) };
  }
  const [spec, input] = randomCase(kind, random, core === 'avr');
  const block = compileBlock(spec, input);
  return {
    terms: featureTerms(block, windowFrames(input)),
    cycles: count(blockProgram(block, input, random)),
  };
}

try {
  for (const core of FEATURE_CORES) {
    const missing = whyMissing(targetOf(core));
    if (missing !== null) {
      console.log(`${core}: left out, ${missing}`);
      continue;
    }
    console.log(`${core}: costs; largest error of the fitted blocks and of ${UNSEEN} others`);
    for (const kind of KINDS) {
      const random = new Random(kind.length * 17 + 5);
      const rows = Array.from({ length: FITTED[kind] }, () => measure(core, kind, random));
      const costs = fitCosts(rows);
      const others = Array.from({ length: UNSEEN }, () => measure(core, kind, random));
      const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
      console.log(
        `  ${kind}: [${costs.join(', ')}], ${percent(largestError(rows, costs))}, ${percent(largestError(others, costs))}`,
      );
      if (kind === 'spectral') {
        const total = others.map(({ terms, cycles }) => `${Math.round(predicted(terms, costs))}/${cycles}`);
        console.log(`    predicted/counted: ${total.join(' ')}`);
      }
    }
  }
} finally {
  bench.close();
}
