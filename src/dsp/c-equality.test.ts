/**
 * The blocks of TypeScript and of firmware/mote/src give the same bits, with every compiler at hand, for ordinary and
 * for absurd input; and both refuse the same damaged blocks.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DspError, windowFrames, type BlockSpec, type CompiledBlock, type InputSpec } from './block';
import { checkCompiledBlock, compileBlock, runBlock } from './compile';

const runtime = resolve(import.meta.dirname, '../../firmware/mote/src');
const folder = mkdtempSync(join(tmpdir(), 'mote-dsp-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reads cases from a file; memory is allocated to size, so that the sanitizer sees any step outside. */
const PROGRAM = `
#include <stdio.h>
#include <stdlib.h>
#include "mote_raw.h"
#include "mote_flatten.h"
#include "mote_spectral.h"

static void *take(FILE *file, size_t bytes) {
  void *memory = malloc(bytes > 0 ? bytes : 1);
  if (memory == NULL || fread(memory, 1, bytes, file) != bytes) exit(3);
  return memory;
}

int main(int argc, char **argv) {
  FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
  FILE *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
  int32_t head[6];
  if (in == NULL || out == NULL) return 2;
  while (fread(head, 4, 6, in) == 6) {
    const int32_t frames = head[1], channels = head[2], axis_count = head[3];
    uint8_t *axes = (uint8_t *)take(in, (size_t)axis_count);
    int32_t *ints = (int32_t *)take(in, (size_t)head[4] * 4);
    float *floats = (float *)take(in, (size_t)head[5] * 4);
    float *window = (float *)take(in, (size_t)(frames * channels) * 4);
    int32_t scratch_floats = 0, count = -1;
    if (head[0] == 1) count = mote_raw_check(frames, channels, axes, axis_count, ints, head[4], floats, head[5], &scratch_floats);
    if (head[0] == 2) count = mote_flatten_check(frames, channels, axes, axis_count, ints, head[4], floats, head[5], &scratch_floats);
    if (head[0] == 3) count = mote_spectral_check(frames, channels, axes, axis_count, ints, head[4], floats, head[5], &scratch_floats);
    if (count < 0) count = -1;
    fwrite(&count, 4, 1, out);
    if (count >= 0) {
      float *scratch = (float *)malloc((size_t)scratch_floats * 4 + 1);
      float *features = (float *)malloc((size_t)count * 4 + 1);
      int32_t i;
      if (scratch == NULL || features == NULL) return 4;
      for (i = 0; i < scratch_floats; i++) scratch[i] = 1e30f;
      if (head[0] == 1) mote_raw(window, frames, channels, axes, axis_count, ints, floats, scratch, features);
      if (head[0] == 2) mote_flatten(window, frames, channels, axes, axis_count, ints, floats, scratch, features);
      if (head[0] == 3) mote_spectral(window, frames, channels, axes, axis_count, ints, floats, scratch, features);
      fwrite(&scratch_floats, 4, 1, out);
      fwrite(features, 4, (size_t)count, out);
      free(scratch);
      free(features);
    }
    free(axes);
    free(ints);
    free(floats);
    free(window);
  }
  fclose(in);
  return fclose(out) == 0 ? 0 : 5;
}
`;

function randomSource(seed: number) {
  let state = seed >>> 0;
  const uint = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  const unit = () => uint() / 2 ** 32;
  const below = (n: number) => Math.floor(unit() * n);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
  return { uint, unit, below, pick };
}
type Random = ReturnType<typeof randomSource>;

const WINDOW_KINDS = ['motion', 'noise', 'constant', 'zero', 'denormal', 'huge', 'tiny', 'broken', 'bits'] as const;

function randomWindow(random: Random, frames: number, channels: number): Float32Array {
  const window = new Float32Array(frames * channels);
  const kind = random.pick(WINDOW_KINDS);
  const level = (random.unit() - 0.5) * 20;
  const step = random.unit() * 2;
  const bits = new Uint32Array(window.buffer);
  for (let i = 0; i < window.length; i++) {
    const noise = random.unit() - 0.5;
    switch (kind) {
      case 'motion':
        window[i] = 9.81 + (i % channels) + 3 * Math.sin(Math.floor(i / channels) * step) + noise * 0.1;
        break;
      case 'noise':
        window[i] = noise * 1000;
        break;
      case 'constant':
        window[i] = level;
        break;
      case 'zero':
        window[i] = i % 3 === 0 ? -0 : 0;
        break;
      case 'denormal':
        window[i] = noise * 1e-40;
        break;
      case 'huge':
        window[i] = noise * 6e38;
        break;
      case 'tiny':
        window[i] = noise * 1e-19;
        break;
      case 'broken':
        window[i] = random.below(20) === 0 ? random.pick([NaN, Infinity, -Infinity]) : noise;
        break;
      case 'bits':
        bits[i] = random.uint();
        break;
    }
  }
  return window;
}

function randomSpec(random: Random, channelCount: number): BlockSpec {
  const channels = Array.from({ length: 1 + random.below(3) }, () => random.below(channelCount));
  const scale = random.pick([1, 0.5, -3.7, 1 / 9.81, 1e-30, 1e30]);
  const flip = () => random.below(2) === 1;
  switch (random.pick(['raw', 'flatten', 'spectral', 'spectral', 'spectral', 'spectral'])) {
    case 'raw':
      return { kind: 'raw', version: 1, channels, params: { scale, average: random.pick([1, 1, 3, 10]) } };
    case 'flatten': {
      const [average, minimum, maximum, rms, stdev, skewness] = [flip(), flip(), flip(), flip(), flip(), flip()];
      const params = { scale, average, minimum, maximum, rms, stdev, skewness, kurtosis: true };
      return { kind: 'flatten', version: 1, channels, params };
    }
    default:
      return {
        kind: 'spectral',
        version: 4,
        channels,
        params: {
          scale,
          decimation: random.pick([1, 1, 1, 3, 10, 30, 100, 1000] as const),
          filter: random.pick(['none', 'low', 'high'] as const),
          cutoffHz: random.pick([0.5, 2, 3, 8, 20, 45]),
          order: random.pick([0, 2, 4, 6, 8]),
          fftLength: random.pick([16, 16, 32, 64, 128, 256, 1024, 4096]),
          log: flip(),
          overlap: flip(),
          improveLowFrequency: random.below(4) === 0,
        },
      };
  }
}

interface Case {
  readonly block: CompiledBlock;
  readonly frames: number;
  readonly channels: number;
  readonly window: Float32Array;
}

function randomCase(random: Random): Case {
  for (;;) {
    const channels = 1 + random.below(4);
    const frames = random.pick([1, 2, 7, 16, 50, 64, 65, 125, 128, 200, 333, 1000, 2500]);
    const rateHz = 100;
    const windowMs = frames * 10;
    const input: InputSpec = {
      channels: Array.from({ length: channels }, (_, index) => ({ name: `c${index}`, unit: '' })),
      rateHz,
      windowMs,
      strideMs: windowMs,
    };
    expect(windowFrames(input)).toBe(frames);
    try {
      const block = compileBlock(randomSpec(random, channels), input);
      return { block, frames, channels, window: randomWindow(random, frames, channels) };
    } catch (error) {
      if (!(error instanceof DspError)) throw error;
    }
  }
}

/** The same case with some of its stored parameters replaced: mostly nonsense, sometimes still valid. */
function damagedCase(random: Random): Case {
  const { block, frames, channels, window } = randomCase(random);
  const ints = Int32Array.from(block.ints);
  let floats = Float32Array.from(block.floats);
  const axes = Uint8Array.from(block.channels);
  const nonsense = () =>
    random.pick([-1, 0, 1, 2, 3, 4, 5, 8, 10, 15, 16, 30, 100, 1000, 2 ** 31 - 1, -(2 ** 31), random.uint() | 0]);
  switch (random.below(4)) {
    case 0:
    case 1:
      if (ints.length > 0) ints[random.below(ints.length)] = nonsense();
      break;
    case 2:
      floats = random.below(2) === 0 ? floats.slice(0, random.below(floats.length)) : floats;
      if (floats.length > 0) floats[random.below(floats.length)] = random.pick([NaN, Infinity, -1e38, 7, 1e-45]);
      break;
    default:
      axes[random.below(axes.length)] = random.below(6);
  }
  return { block: { ...block, ints, floats, channels: axes }, frames, channels, window };
}

function encode(cases: readonly Case[]): Buffer {
  const part = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return Buffer.concat(
    cases.flatMap(({ block, frames, channels, window }) => [
      part(
        Int32Array.of(block.opcode, frames, channels, block.channels.length, block.ints.length, block.floats.length),
      ),
      part(block.channels),
      part(block.ints),
      part(block.floats),
      part(window),
    ]),
  );
}

/** What C must write: -1 for a refused block, else feature count, scratch size and the bits of the features. */
function expectedOutput(cases: readonly Case[]): Int32Array {
  const words: number[] = [];
  for (const { block, frames, channels, window } of cases) {
    let checked: CompiledBlock;
    try {
      checked = checkCompiledBlock(block, frames, channels);
    } catch (error) {
      if (!(error instanceof DspError)) throw error;
      words.push(-1);
      continue;
    }
    const features = new Float32Array(checked.featureCount).fill(NaN);
    const scratch = new Float32Array(checked.scratchFloats).fill(1e30);
    runBlock(checked, window, frames, channels, scratch, features);
    expect(features.every((value) => Number.isFinite(value))).toBe(true);
    words.push(features.length, scratch.length, ...new Int32Array(features.buffer));
  }
  return Int32Array.from(words);
}

const FLAGS = ['-pedantic', '-Wall', '-Wextra', '-Wconversion', '-Werror'];
const COMPILERS: readonly (readonly [name: string, command: string, flags: readonly string[]])[] = [
  ['gcc -O0', 'gcc', ['-std=c99', '-O0', ...FLAGS]],
  ['gcc -O2', 'gcc', ['-std=c99', '-O2', ...FLAGS]],
  ['gcc -O3', 'gcc', ['-std=c99', '-O3', ...FLAGS]],
  ['g++ -O2', 'g++', ['-std=c++11', '-x', 'c++', '-O2', ...FLAGS]],
  ['clang -O2', 'clang', ['-std=c99', '-O2', ...FLAGS]],
  ['gcc with fused multiply-add at hand', 'gcc', ['-std=gnu11', '-O3', '-march=x86-64-v3', ...FLAGS]],
  ['clang with fused multiply-add at hand', 'clang', ['-std=gnu11', '-O3', '-march=x86-64-v3', ...FLAGS]],
  [
    'address and undefined-behaviour sanitizers',
    'gcc',
    ['-std=c99', '-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', ...FLAGS],
  ],
];

/** Why a compiler cannot be used here, or null. */
function unusable(command: string, flags: readonly string[]): string | null {
  if (spawnSync(command, ['--version']).status !== 0) return `${command} is not installed`;
  const v3 = flags.includes('-march=x86-64-v3');
  if (v3 && (process.arch !== 'x64' || !/\bfma\b.*\bavx2\b|\bavx2\b.*\bfma\b/.test(cpuFlags()))) {
    return 'this processor has no fused multiply-add';
  }
  return null;
}

function cpuFlags(): string {
  try {
    return /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}

describe('C and TypeScript', () => {
  const random = randomSource(20240611);
  const cases = [
    ...Array.from({ length: 500 }, () => randomCase(random)),
    ...Array.from({ length: 300 }, () => damagedCase(random)),
  ];
  const expected = expectedOutput(cases);
  const casesFile = join(folder, 'cases.bin');
  const source = join(folder, 'run.c');
  writeFileSync(casesFile, encode(cases));
  writeFileSync(source, PROGRAM);

  it('are compared on blocks of every kind, accepted and refused', () => {
    const kinds = new Set(cases.map(({ block }) => block.kind));
    expect([...kinds].sort()).toEqual(['flatten', 'raw', 'spectral']);
    expect(expected.filter((word) => word === -1).length).toBeGreaterThan(50);
    const ints = cases.filter(({ block }) => block.kind === 'spectral').map(({ block }) => block.ints);
    for (const decimation of [1, 3, 10, 30, 100, 1000]) expect(ints.some((i) => i[7] === decimation)).toBe(true);
    expect(ints.some((i) => (i[1]! & 4) !== 0)).toBe(true);
    expect(ints.some((i) => i[2] === 4)).toBe(true);
  });

  COMPILERS.forEach(([name, command, flags], index) => {
    const reason = unusable(command, flags);
    it.skipIf(reason !== null)(`give the same bits: ${name}${reason === null ? '' : ` (${reason})`}`, () => {
      const program = join(folder, `run-${index}`);
      const built = spawnSync(command, [...flags, '-I', runtime, source, '-o', program], { encoding: 'utf8' });
      expect(built.stderr).toBe('');
      expect(built.status).toBe(0);
      const output = join(folder, `out-${index}.bin`);
      const ran = spawnSync(program, [casesFile, output], { encoding: 'utf8' });
      expect(ran.stderr).toBe('');
      expect(ran.status).toBe(0);
      const bytes = readFileSync(output);
      const actual = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      expect(actual.length).toBe(expected.length);
      const different = actual.findIndex((word, at) => word !== expected[at]);
      expect(different).toBe(-1);
    });
  });
});
