/**
 * Runs random models as boards do, from packs and from the Uno's image, on emulated cores; counts the cycles of their
 * features and networks and fits the table of src/emit/model-latency.ts; then compares its form of prediction with models
 * that the fit did not see. Run: npm run bench -- boards
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DspError, windowFrames, type BlockSpec } from '../../src/dsp/block';
import { floatLiteral } from '../../src/emit/c-literals';
import type { Model } from '../../src/emit/model';
import { denseTerms, featureTerms, MODEL_CORES, type ModelCore } from '../../src/emit/model-latency';
import { writePack } from '../../src/emit/pack';
import { featureCount } from '../../src/emit/size';
import { fitUno, unoImage, type UnoMemory } from '../../src/emit/uno-image';
import { Dice, randomModel } from '../conformance/random-model';
import { CrossBench } from '../cross/cross-bench';
import { AVR_TARGETS, CROSS_TARGETS, whyMissing, type AvrTarget, type CrossTarget } from '../cross/cross-target';
import { LOADER_FLAGS, LOADER_SOURCES } from '../cross/pack-program';
import { fitCosts, largestError, type Measured } from './least-squares';

const ROOT = process.cwd();
const RUNTIME = path.join(ROOT, 'firmware', 'mote', 'src');
const UNO = path.join(ROOT, 'firmware', 'boards', 'uno');
const UNO_MEMORY = JSON.parse(readFileSync(path.join(ROOT, 'public', 'firmware', 'uno.json'), 'utf8')) as UnoMemory;
const PARTS = ['raw', 'flatten', 'spectral', 'network'] as const;
type Part = (typeof PARTS)[number];
const FITTED: Readonly<Record<Part, number>> = { raw: 10, flatten: 10, spectral: 40, network: 24 };
const UNSEEN = 10;
const MODEL_RAM = 1 << 16;

function targetOf(core: ModelCore): CrossTarget | AvrTarget {
  const name = { 'cortex-m4f': 'Cortex-M4', 'cortex-m0plus': 'Cortex-M0+', uno: 'ATmega328P' }[core];
  const base = [...CROSS_TARGETS, ...AVR_TARGETS].find((target) => target.name === name);
  if (!base) throw new Error(core);
  if (core !== 'cortex-m4f') return base;
  return { ...base, flags: ['-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'] };
}

function blockOf(kind: Exclude<Part, 'network'>, dice: Dice, channels: readonly number[], small: boolean): BlockSpec {
  const flag = (): boolean => dice.chance(0.5);
  const scale = 0.5;
  switch (kind) {
    case 'raw':
      return { kind, version: 1, channels, params: { scale, average: dice.integer(small ? 4 : 1, 8) } };
    case 'flatten': {
      const some = { minimum: flag(), maximum: flag(), rms: flag(), stdev: flag(), skewness: flag(), kurtosis: flag() };
      return { kind, version: 1, channels, params: { scale, average: true, ...some } };
    }
    case 'spectral':
      return {
        kind,
        version: 4,
        channels,
        params: {
          scale,
          decimation: dice.pick([1, 1, 3] as const),
          filter: dice.pick(['none', 'low', 'high'] as const),
          cutoffHz: dice.real(3, 7),
          order: dice.pick([2, 4, 6]),
          fftLength: dice.pick(small ? [16, 32] : [16, 32, 64, 128, 256]),
          log: flag(),
          overlap: flag(),
          improveLowFrequency: false,
        },
      };
  }
}

/** A model with one block of the kind; of the network's rows, with a cheap block and more layers. */
function modelOf(core: ModelCore, part: Part, dice: Dice): Model {
  const small = core === 'uno';
  for (;;) {
    const count = small ? 3 : dice.integer(1, 6);
    const channels = Array.from({ length: count }, (_, index) => index);
    const units = (): number => dice.integer(4, small ? 24 : 64);
    const blocks = [blockOf(part === 'network' ? 'raw' : part, dice, channels, small)];
    const hidden = part === 'network' ? Array.from({ length: dice.integer(1, 3) }, units) : [4];
    try {
      const model = randomModel(dice.integer(1, 1 << 30), { channels: count, blocks, hidden });
      if (!small || fitUno(model, UNO_MEMORY).problems.length === 0) return model;
    } catch (error) {
      // Rate and window are random too, and not every block works on them.
      if (!(error instanceof DspError)) throw error;
    }
  }
}

/** A window of a swinging hand, with some noise: how long emulated floats take depends on them. */
function swing({ input }: Model): number[] {
  const count = input.channels.length;
  const dice = new Dice(count);
  return Array.from({ length: windowFrames(input) * count }, (_, at) =>
    Math.fround(
      (at % count) + 6 * Math.sin((2 * Math.PI * Math.floor(at / count)) / (9 + (at % count))) + dice.real(-0.5, 0.5),
    ),
  );
}

/** What boards run for a pack. Their clock is asked at the start, between features and network, and at the end. */
function packProgram(model: Model, from: number): string {
  const values = swing(model).map((value) => floatLiteral(value));
  const pack = writePack(model);
  const words = Array.from(new Uint32Array(pack.slice().buffer), (word) => `0x${word.toString(16)}u`).join();
  return `#include "mote_pack.h"
#include "platform.h"
static const uint32_t pack[] = {${words}};
static double ram[${MODEL_RAM / 8}];
static int calls;
static uint32_t clock_us(void) {
  calls++;
  if (calls == ${from}) bench_begin();
  if (calls == ${from + 1}) bench_end();
  return 0;
}
static const float window[] = {${values.join()}};
int program(void) {
  static mote_model m;
  mote_result result;
  if (mote_model_open(&m, (const uint8_t *)pack, sizeof pack, ram, sizeof ram) != MOTE_OK) return 1;
  mote_model_set_clock(&m, clock_us);
  return mote_model_classify(&m, window, &result) == MOTE_OK ? 42 : 2;
}
`;
}

/** The Uno's own code on its image, which lies among the constants here; the window is a swinging hand. */
function unoProgram(model: Model, from: number): string {
  const image = unoImage(model, 1, UNO_MEMORY);
  const frames = windowFrames(model.input);
  return `#include "mote_config.h"
#include "mote_flash.h"
static const uint8_t image_bytes[] MOTE_FLASH = {${image.join()}};
#include "uno_memory.h"
#undef UNO_MODEL_START
#define UNO_MODEL_START ((uintptr_t)image_bytes)
#undef UNO_MODEL_END
#define UNO_MODEL_END ((uintptr_t)image_bytes + ${UNO_MEMORY.modelEnd - UNO_MEMORY.modelStart}u)
#include "uno_model.c"
#include "uno_crc32.c"
#include "platform.h"
static uint8_t calls;
uint32_t uno_micros(void) {
  calls++;
  if (calls == ${from}) bench_begin();
  if (calls == ${from + 1}) bench_end();
  return 0;
}
float uno_channel_scale(void) { return 5.0f / 1023.0f; }
int program(void) {
  uno_result result;
  uint16_t i;
  uno_model_open();
  for (i = 0; i < ${3 * frames}u; i++) uno_model_put(i, (int16_t)(512 + (int16_t)((i * 37u) % 300u) - 150));
  calls = 0;
  uno_model_classify(&result);
  return uno_model()->state == 1 ? 42 : 2;
}
`;
}

const bench = new CrossBench();
const loaders = new Map<ModelCore, string>();

/** The runtime's loader, compiled once. */
function loaderOf(core: ModelCore): string {
  const known = loaders.get(core);
  if (known !== undefined) return known;
  const [first = '', ...rest] = LOADER_SOURCES;
  const flags = [...LOADER_FLAGS, '-r', '-nostdlib', '-Wl,--no-gc-sections'];
  const object = bench.compile(targetOf(core), first, [...rest, ...flags]);
  loaders.set(core, object);
  return object;
}

function measure(core: ModelCore, part: Part, dice: Dice): Measured {
  const target = targetOf(core);
  const model = modelOf(core, part, dice);
  const from = part === 'network' ? 2 : 1;
  const text = core === 'uno' ? unoProgram(model, from) : packProgram(model, from);
  const more = core === 'uno' ? ['-I', RUNTIME, '-I', UNO, '-Wno-error'] : [...LOADER_FLAGS, loaderOf(core)];
  const { cycles } = bench.count(target, bench.compile(target, bench.write('main.c', text), more));
  const block = model.blocks[0];
  if (!block) throw new Error('no block');
  const terms =
    part === 'network'
      ? denseTerms(model.graph)
      : [...featureTerms(block, windowFrames(model.input)), featureCount(model)];
  if (!terms) throw new Error('not a chain of dense layers');
  return { terms, cycles };
}

/** Names of cores and parts on the command line choose some. */
const wanted = process.argv.slice(2);
const chosen = <T extends string>(all: readonly T[]): readonly T[] => {
  const some = all.filter((name) => wanted.includes(name));
  return some.length > 0 ? some : all;
};

try {
  for (const core of chosen(MODEL_CORES)) {
    const missing = whyMissing(targetOf(core));
    if (missing !== null) {
      console.log(`${core}: left out, ${missing}`);
      continue;
    }
    console.log(`${core}: costs; largest error of the fitted models and of ${UNSEEN} others`);
    for (const part of chosen(PARTS)) {
      const dice = new Dice(part.length * 17 + 5);
      const rows = Array.from({ length: FITTED[part] }, () => measure(core, part, dice));
      const costs = fitCosts(rows);
      const others = Array.from({ length: UNSEEN }, () => measure(core, part, dice));
      const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
      console.log(
        `  ${part}: [${costs.join(', ')}], ${percent(largestError(rows, costs))}, ${percent(largestError(others, costs))}`,
      );
    }
  }
} finally {
  bench.close();
}
