/**
 * The kernels for Cortex-M4, M7 and M33 against a computation without any trick: the assembly in QEMU, built by GCC and
 * by Clang; its portable twin here, with sanitizers.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { isPointwise, scratchBytes } from '../../src/emit/kernel-scratch';
import { overlapDistance } from '../../src/emit/overlap';
import {
  arrangeBand,
  arrangeChannels,
  arrangeDense,
  arrangeDepthwise,
  arrangePairs,
  arrangePlanar,
  dspLayoutFits,
  isBand,
  isLong,
  isPlanar,
} from '../../src/emit/weight-layout';
import { outputSize, type Window2d } from '../../src/graph/window2d';
import type { Int8Graph, Int8Tensor } from '../../src/quantize/int8-graph';
import { foldedBias, type WeightedOp } from '../../src/quantize/ops/folded-bias';
import { mbqm } from '../../src/quantize/requantize';
import { Random } from '../../src/signal/random';
import { CROSS_TARGETS, whyMissing, type CrossTarget } from './cross-target';

const KERNELS = fileURLToPath(new URL('../../firmware/mote/src', import.meta.url));
const PICOLIBC = '/usr/lib/picolibc/arm-none-eabi';
const WARNINGS = ['-pedantic', '-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror', `-I${KERNELS}`];
// Clang's sanitizer runtime is a package of its own, so clang runs without.
const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-g'];

const folder = mkdtempSync(join(tmpdir(), 'mote-dsp-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Kind = WeightedOp['kind'];
/** [height, width, channels] of input and output. */
type Shape = readonly [number, number, number];

interface Layer {
  readonly kind: Kind;
  readonly input: Shape;
  readonly output: Shape;
  readonly window: Window2d;
}

const POINT: Window2d = {
  ...{ kernelHeight: 1, kernelWidth: 1, strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1 },
  ...{ padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 },
};
const C_NAME: Readonly<Record<Kind, string>> = {
  conv2d: 'conv2d',
  depthwiseConv2d: 'depthwise',
  fullyConnected: 'fully_connected',
};

class Numbers extends Random {
  int(low: number, high: number): number {
    return low + this.integer(high - low + 1);
  }
}

/** How far the numbers go: anywhere, or where the sums come as close to their limits as the layout allows. */
type Reach = 'ordinary' | 'extreme';

/** A layer with random numbers in it, as a graph. Its layout fits. */
function graphOf({ kind, input, output, window }: Layer, random: Numbers, reach: Reach): Int8Graph {
  const channels = output[2];
  const taps = window.kernelHeight * window.kernelWidth * (kind === 'depthwiseConv2d' ? 1 : input[2]);
  const signed = (): number => (random.integer(2) === 0 ? -127 : 127);
  const weights = Int8Array.from({ length: taps * channels }, () =>
    reach === 'extreme' ? signed() : random.int(-127, 127),
  );
  const mostBias = reach === 'extreme' ? 2 ** 30 - 1 - 255 * 127 * taps : 40_000;
  const bias = Int32Array.from({ length: channels }, () =>
    reach === 'extreme' && random.integer(2) === 0
      ? mostBias * (random.integer(2) === 0 ? -1 : 1)
      : random.int(-40_000, 40_000),
  );
  const factors = random.next() < 0.7 ? channels : 1;
  const typical = Math.round(Math.log2(Math.sqrt(taps) * 5000)) - 6;
  const full = random.next() < 0.6;
  const op = {
    ...{ input: 0, output: 1, weights, bias },
    weightScale: new Float32Array(factors).fill(1),
    multiplier: Int32Array.from({ length: factors }, () =>
      random.next() < 0.05 ? 0 : random.next() < 0.1 ? 2 ** 30 : random.int(2 ** 30, 2 ** 31 - 1),
    ),
    shift: Int32Array.from({ length: factors }, () =>
      random.next() < 0.2 ? -random.int(1, 31) : -Math.max(1, random.int(typical - 1, typical + 2)),
    ),
    actMin: full ? -128 : random.int(-128, 0),
    actMax: full ? 127 : random.int(1, 127),
  };
  const tensor = (name: string, shape: readonly number[]): Int8Tensor => ({
    ...{ name, shape, scale: 1 },
    zeroPoint: reach === 'extreme' ? (random.integer(2) === 0 ? -128 : 127) : random.int(-128, 127),
  });
  const layer: WeightedOp =
    kind === 'conv2d'
      ? { kind, ...op, window, groups: 1 }
      : kind === 'depthwiseConv2d'
        ? { kind, ...op, window, depthMultiplier: 1 }
        : { kind, ...op };
  return { tensors: [tensor('in', input), tensor('out', output)], ops: [layer], input: 0, output: 1 };
}

/** The layer by its definition: zero points subtracted, padding left out. */
function outputOf(graph: Int8Graph, { kind, input, output, window }: Layer, x: Int8Array): Int8Array {
  const op = graph.ops[0] as WeightedOp;
  const [inZero, outZero] = graph.tensors.map(({ zeroPoint }) => zeroPoint) as [number, number];
  const [inHeight, inWidth, inChannels] = input;
  const [, outWidth, channels] = output;
  const { kernelHeight, kernelWidth } = window;
  return Int8Array.from({ length: output[0] * outWidth * channels }, (_, index) => {
    const o = index % channels;
    const column = Math.floor(index / channels) % outWidth;
    const row = Math.floor(index / channels / outWidth);
    let sum = op.bias[o] as number;
    for (let ky = 0; ky < kernelHeight; ky++) {
      for (let kx = 0; kx < kernelWidth; kx++) {
        const y = row * window.strideHeight - window.padTop + ky * window.dilationHeight;
        const at = column * window.strideWidth - window.padLeft + kx * window.dilationWidth;
        if (y < 0 || y >= inHeight || at < 0 || at >= inWidth) continue;
        const pixel = (y * inWidth + at) * inChannels;
        const tap = ky * kernelWidth + kx;
        if (kind === 'depthwiseConv2d') {
          sum += ((x[pixel + o] as number) - inZero) * (op.weights[tap * channels + o] as number);
          continue;
        }
        const first = (o * kernelHeight * kernelWidth + tap) * inChannels;
        for (let i = 0; i < inChannels; i++) {
          sum += ((x[pixel + i] as number) - inZero) * (op.weights[first + i] as number);
        }
      }
    }
    const c = op.multiplier.length > 1 ? o : 0;
    const scaled = mbqm(sum, op.multiplier[c] as number, op.shift[c] as number) + outZero;
    return Math.min(op.actMax, Math.max(op.actMin, scaled));
  });
}

type Arrange = (weights: Int8Array, channels: number, lines: number) => Int32Array;
const ARRANGE: Readonly<Record<Kind, Arrange>> = {
  fullyConnected: arrangeDense,
  conv2d: arrangePairs,
  depthwiseConv2d: arrangeDepthwise,
};

/** The C that runs one layer and compares. */
function caseOf(layer: Layer, index: number, random: Numbers): { data: string; call: string } {
  const reach: Reach = random.next() < 0.3 ? 'extreme' : 'ordinary';
  const graph = graphOf(layer, random, reach);
  const op = graph.ops[0] as WeightedOp;
  if (!dspLayoutFits(op)) throw new Error(`case ${index} does not fit the layout`);
  const [inputTensor, outputTensor] = graph.tensors as [Int8Tensor, Int8Tensor];
  const x = Int8Array.from({ length: layer.input.reduce((a, b) => a * b, 1) }, () =>
    reach === 'extreme' ? (random.integer(2) === 0 ? -128 : 127) : random.int(-128, 127),
  );
  const expected = outputOf(graph, layer, x);
  const { window, kind } = layer;
  const folded = foldedBias(op, inputTensor.zeroPoint);
  const planar = op.kind === 'depthwiseConv2d' && isPlanar(op, layer.output[1]);
  const band = op.kind === 'conv2d' && isBand(op);
  const parts = op.kind === 'fullyConnected' && window.kernelHeight > 1;
  const words = band
    ? arrangeBand(op)
    : op.kind === 'depthwiseConv2d' && planar
      ? arrangePlanar(op, folded)
      : ARRANGE[kind](op.weights, op.bias.length, window.kernelHeight);
  const groups = kind === 'depthwiseConv2d' ? 'overlapping' : 'padded';
  const channels = arrangeChannels(folded, op.multiplier, op.shift, groups);
  const numbers = (name: string, type: string, list: ArrayLike<number>): string =>
    `static const ${type} ${name}${index}[] = {${Array.from(list, (n) => (n === -(2 ** 31) ? 'INT32_MIN' : String(n))).join(',')}};\n`;
  const data =
    numbers('x', 'int8_t', x) +
    numbers('w', 'int32_t', words) +
    numbers('c', 'int32_t', channels) +
    numbers('e', 'int8_t', expected) +
    `static const mote_conv op${index} = {${[
      ...layer.input,
      ...layer.output,
      ...[window.kernelHeight, window.kernelWidth, window.strideHeight, window.strideWidth],
      ...[window.dilationHeight, window.dilationWidth, window.padTop, window.padLeft],
      ...[inputTensor.zeroPoint, outputTensor.zeroPoint, op.actMin, op.actMax, op.multiplier.length > 1 ? 1 : 0],
    ].join(',')}, w${index}, c${index}, 0, 0};\n`;
  const sums = 16 * Math.ceil(op.bias.length / 4);
  const sizes = `${x.length}, ${expected.length}, ${parts ? sums : scratchBytes(op, graph, 'cortex-m4')}`;
  const planes = window.strideWidth === 2 ? 'depthwise3_by2' : 'depthwise3';
  const convolution = op.kind === 'conv2d' && isPointwise(window) ? 'conv2d_pointwise' : C_NAME[kind];
  const name = planar ? planes : band ? 'conv2d_band' : convolution;
  const dense = op.kind === 'fullyConnected' && isLong(op) ? 'dense_long' : 'dense';
  const kernel = parts ? 'dense_parts' : kind === 'fullyConnected' ? dense : `mote_${name}_dsp`;
  // As far over the input as the planner may put the output; APART: beside it.
  const distance = parts ? null : overlapDistance(op, 0, graph, 'cortex-m4');
  const least = distance === null ? 'APART' : Math.min(expected.length, Math.max(-x.length, distance));
  const call = `  bad += check(${kernel}, &op${index}, x${index}, e${index}, ${sizes}, ${least}, ${index});
`;
  return { data, call };
}

/** Buffers are exactly as large as declared, so that sanitizers see each byte beyond. */
function programOf(cases: readonly { data: string; call: string }[]): string {
  return `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mote_conv_dsp.h"
#include "mote_dense_dsp.h"
#include "mote_depthwise_dsp.h"
#define APART INT32_MAX

${cases.map(({ data }) => data).join('\n')}
typedef void kernel(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch);

static void dense(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
  (void)scratch;
  mote_fully_connected_dsp(op, input, output);
}

static void dense_long(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
  (void)scratch;
  mote_fully_connected_long_dsp(op, input, output);
}

/* Parts of one, two, three, one ... lines; the input of each lies somewhere else. */
static void dense_parts(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
  mote_conv part = *op;
  part.pad_top = 0;
  while (part.pad_top < op->kernel_h) {
    const int left = op->kernel_h - part.pad_top;
    const int lines = 1 + (part.pad_top + op->out_c) % 3;
    int8_t *room;
    part.in_h = left < lines ? left : lines;
    room = (int8_t *)malloc((size_t)(part.in_h * op->in_c));
    memcpy(room, input + part.pad_top * op->in_c, (size_t)(part.in_h * op->in_c));
    mote_strip_dense_dsp(&part, room, output, scratch);
    free(room);
    part.pad_top += part.in_h;
  }
}

/* Input and output apart, or in one buffer with the output \`distance\` bytes below the input. */
static int check(kernel *run, const mote_conv *op, const int8_t *input, const int8_t *expected, int in, int out,
                 int bytes, int distance, int number) {
  const int apart = distance == APART;
  const int shift = apart ? number % 4 : distance > 0 ? distance : 0; /* inputs need no alignment */
  const int start = apart || distance > 0 ? 0 : -distance;
  const int size = !apart && in + shift > out + start ? in + shift : out + start;
  int8_t *scratch = (int8_t *)malloc((size_t)bytes + 4);
  int8_t *room = (int8_t *)malloc((size_t)size + 4);
  int8_t *other = (int8_t *)malloc((size_t)in + 3);
  int8_t *copy = (apart ? other : room) + shift;
  int bad;
  memset(room, 0x55, (size_t)size + 4);
  memcpy(copy, input, (size_t)in);
  memset(scratch, 0x5a, (size_t)bytes + 4);
  run(op, copy, room + start, scratch);
  bad = memcmp(room + start, expected, (size_t)out) != 0;
  if (memcmp(scratch + bytes, "ZZZZ", 4) != 0) bad |= 2;
  if (memcmp(room + size, "UUUU", 4) != 0) bad |= 4;
  if (apart && memcmp(copy, input, (size_t)in) != 0) bad |= 8;
  if (bad) printf("case %d: %d\\n", number, bad);
  free(scratch);
  free(room);
  free(other);
  return bad != 0;
}

int main(void) {
  int bad = 0;
${cases.map(({ call }) => call).join('')}
  return bad ? 1 : 42;
}
`;
}

/** Of every kind, every size of a remainder, and geometries of all sorts. */
function layers(random: Numbers): Layer[] {
  const list: Layer[] = [];
  for (let i = 0; i < 14; i++) {
    const inputs = i < 9 ? i + 1 : i === 13 ? 511 : random.int(1, 130);
    const rows = random.int(1, 3);
    list.push({
      kind: 'fullyConnected',
      input: [1, rows, inputs],
      output: [1, rows, i < 9 ? 1 + ((i * 5) % 9) : random.int(1, 37)],
      window: POINT,
    });
  }
  for (const inputs of [508, 509, 1015, 1018]) {
    list.push({ kind: 'fullyConnected', input: [1, 2, inputs], output: [1, 2, random.int(1, 9)], window: POINT });
  }
  for (let i = 0; i < 14; i++) {
    const [lines, inputs] = i === 13 ? [2, 1022] : [random.int(2, 9), i < 9 ? i + 1 : random.int(10, 70)];
    list.push({
      ...{ kind: 'fullyConnected', input: [lines, 1, inputs], output: [1, 1, 1 + ((i * 5) % 9)] },
      window: { ...POINT, kernelHeight: lines },
    });
  }
  for (let i = 0; i < 14; i++) {
    const [height, width] = [random.int(1, 5), random.int(1, 5)];
    const channels = i < 8 ? 4 * (i + 1) : random.int(1, 70);
    const units = i % 2 === 0 ? 4 * random.int(1, 8) : random.int(1, 20);
    list.push({ kind: 'conv2d', input: [height, width, channels], output: [height, width, units], window: POINT });
  }
  while (list.length < 98) {
    const depthwise = list.length % 2 === 0;
    const planar = depthwise && list.length % 4 === 0;
    // Of few channels, with wide outputs.
    const wide = list.length % 4 === 1;
    const [height, width] = [random.int(1, wide ? 14 : 9), random.int(1, wide ? 40 : 12)];
    const kernelHeight = planar ? 3 : random.int(1, wide ? 10 : depthwise && random.integer(8) === 0 ? 16 : 4);
    const kernelWidth = planar ? 3 : random.int(1, wide ? 8 : depthwise && random.integer(8) === 0 ? 16 : 4);
    const [strideHeight, strideWidth] = random.integer(2) === 0 ? [1, 1] : [random.int(1, 4), random.int(1, 4)];
    const dilationHeight = !planar && random.integer(3) === 0 ? 2 : 1;
    const dilationWidth = !planar && random.integer(wide ? 6 : 3) === 0 ? 2 : 1;
    const [tall, broad] = [(kernelHeight - 1) * dilationHeight, (kernelWidth - 1) * dilationWidth];
    const [padTop, padLeft] = [random.int(0, tall), random.int(0, broad)];
    const [padBottom, padRight] = [random.int(0, tall), random.int(0, broad)];
    const outHeight = outputSize(height, kernelHeight, strideHeight, dilationHeight, padTop + padBottom);
    const outWidth = outputSize(width, kernelWidth, strideWidth, dilationWidth, padLeft + padRight);
    if (outHeight < 1 || outWidth < 1) continue;
    const channels = depthwise
      ? random.int(4, 24)
      : wide
        ? random.int(1, 4)
        : random.integer(3) === 0
          ? 4 * random.int(2, 9)
          : random.int(1, 9);
    // So many of the largest weights would not fit the layout.
    if (!depthwise && kernelHeight * kernelWidth * channels > 511) continue;
    list.push({
      kind: depthwise ? 'depthwiseConv2d' : 'conv2d',
      input: [height, width, channels],
      output: [outHeight, outWidth, depthwise ? channels : random.int(1, 21)],
      window: {
        ...{ kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth },
        ...{ padTop, padLeft, padBottom, padRight },
      },
    });
  }
  return list;
}

const SOURCES = [1, 2, 3, 4].map((seed) => {
  const random = new Numbers(seed);
  const file = join(folder, `dsp${seed}.c`);
  writeFileSync(file, programOf(layers(random).map((layer, index) => caseOf(layer, index, random))));
  return file;
});

const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;

/** Compiles and runs every source on an emulated core. */
function expectOn({ flags, memory, qemu }: CrossTarget, options: readonly string[], clang: boolean): void {
  const [flash, flashSize, ram, ramSize] = memory;
  const places = [`__flash=${flash}`, `__flash_size=${flashSize}`, `__ram=${ram}`, `__ram_size=${ramSize}`];
  for (const source of SOURCES) {
    const [object, program] = [join(folder, 'dsp.o'), join(folder, 'dsp.elf')];
    const compiler = clang
      ? ['clang', '--target=thumbv7em-none-eabi', '-fshort-enums', '-isystem', `${PICOLIBC}/include`]
      : ['arm-none-eabi-gcc', `--specs=${PICOLIBC}/picolibc.specs`];
    const compile = [...compiler.slice(1), ...flags, '-std=c99', ...options, ...WARNINGS, '-c', source, '-o', object];
    execFileSync(compiler[0] as string, compile, { stdio: 'pipe' });
    const link = [
      ...[`--specs=${PICOLIBC}/picolibc.specs`, '--oslib=semihost', '--crt0=hosted', ...flags, object, '-o', program],
      ...[...places, '__stack_size=16K'].map((place) => `-Wl,--defsym=${place}`),
    ];
    execFileSync('arm-none-eabi-gcc', link, { stdio: 'pipe' });
    const { status, stdout } = spawnSync(
      qemu[0] as string,
      [
        ...qemu.slice(1),
        ...['-display', 'none', '-monitor', 'none', '-serial', 'none', '-chardev', 'stdio,id=c0'],
        ...['-semihosting-config', 'enable=on,target=native,chardev=c0', '-kernel', program],
      ],
      { encoding: 'utf8', timeout: 60_000 },
    );
    expect({ status, stdout }).toEqual({ status: 42, stdout: '' });
  }
}

describe('dsp kernels', () => {
  for (const compiler of ['gcc', 'clang']) {
    it.skipIf(!has(compiler))(`portable twin, ${compiler}${compiler === 'gcc' ? ' with sanitizers' : ''}`, () => {
      for (const language of [['-std=c99'], ['-x', 'c++', '-std=c++11']]) {
        for (const source of SOURCES) {
          const program = join(folder, 'twin');
          execFileSync(compiler, [
            ...[...language, '-O1', ...WARNINGS, ...(compiler === 'gcc' ? SANITIZE : [])],
            ...[source, '-x', 'none', '-o', program],
          ]);
          const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' });
          expect({ status, stdout, stderr }).toEqual({ status: 42, stdout: '', stderr: '' });
        }
      }
    });
  }

  for (const target of CROSS_TARGETS.filter(({ name }) => /M(4|7|33)$/.test(name))) {
    const missing = whyMissing(target);
    const why = missing === null ? '' : ` (${missing})`;
    const levels = target.name === 'Cortex-M4' ? ['-O0', '-O2', '-Os', '-O3 -flto'] : ['-O2'];
    for (const level of levels) {
      it.skipIf(missing !== null)(`assembly on ${target.name}, gcc ${level}${why}`, () => {
        expectOn(target, level.split(' '), false);
      });
    }
    it.skipIf(missing !== null || !has('clang'))(`assembly on ${target.name}, clang -O2${why}`, () => {
      expectOn(target, ['-O2'], true);
    });
  }
});
