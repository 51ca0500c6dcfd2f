/**
 * The kernels for Cortex-M0 and M0+ against a computation without any trick: the assembly in QEMU's micro:bit, its
 * portable twin here, with sanitizers.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import {
  arrangeQuad,
  arrangeQuadDense,
  arrangeQuadDepthwise,
  quadScratchBytes,
} from '../../src/emit/weight-layout-quad';
import { mbqm } from '../../src/quantize/requantize';

const KERNELS = fileURLToPath(new URL('../../firmware/mote/src', import.meta.url));
const PICOLIBC = '/usr/lib/picolibc/arm-none-eabi/picolibc.specs';
const WARNINGS = ['-pedantic', '-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror', `-I${KERNELS}`];
// Clang's sanitizer runtime is a package of its own, so clang runs without.
const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-g'];

const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;
const ARM = has('arm-none-eabi-gcc') && has('qemu-system-arm') && existsSync(PICOLIBC);

const folder = mkdtempSync(join(tmpdir(), 'mote-quad-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Layer {
  readonly kind: 'conv2d' | 'depthwise' | 'fully_connected';
  readonly inH: number;
  readonly inW: number;
  readonly inC: number;
  readonly outC: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly outH: number;
  readonly outW: number;
}

const ARRANGE = {
  fully_connected: arrangeQuadDense,
  conv2d: arrangeQuad,
  depthwise: arrangeQuadDepthwise,
} as const;

/** A layer with random numbers in it, its expected output, and the C that runs it and compares. */
function caseOf(layer: Layer, index: number, random: () => number, inPlace: boolean): { data: string; call: string } {
  const int = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  const { kind, inH, inW, inC, outC, kernelH, kernelW, outH, outW } = layer;
  const taps = kernelH * kernelW * (kind === 'depthwise' ? 1 : inC);
  const extreme = random() < 0.2;
  const value = (most: number): number => (extreme ? (random() < 0.5 ? -most : most) : int(-most, most));
  const input = Int8Array.from({ length: inH * inW * inC }, () =>
    extreme ? (random() < 0.5 ? -128 : 127) : int(-128, 127),
  );
  const weights = Int8Array.from({ length: taps * outC }, () => value(127));
  const bias = Int32Array.from({ length: outC }, () => int(-40_000, 40_000));
  const perChannel = random() < 0.7;
  const channels = perChannel ? outC : 1;
  const multiplier = Int32Array.from({ length: channels }, () => (random() < 0.05 ? 0 : int(2 ** 30, 2 ** 31 - 1)));
  const center = Math.round(Math.log2(Math.sqrt(taps) * 5000)) - 6;
  const shift = Int32Array.from({ length: channels }, () =>
    random() < 0.1 ? -int(1, 31) : -Math.max(1, int(center - 1, center + 2)),
  );
  const inZero = int(-128, 127);
  const outZero = int(-128, 127);
  const full = random() < 0.6;
  const actMin = full ? -128 : int(-128, 0);
  const actMax = full ? 127 : int(1, 127);

  const expected = new Int8Array(outH * outW * outC);
  const folded = Int32Array.from(bias);
  for (let o = 0; o < outC; o++) {
    for (let tap = 0; tap < taps; tap++) {
      folded[o]! -= inZero * weights[kind === 'depthwise' ? tap * outC + o : o * taps + tap]!;
    }
  }
  for (let y = 0; y < outH; y++) {
    for (let x = 0; x < outW; x++) {
      for (let o = 0; o < outC; o++) {
        let sum = bias[o]!;
        for (let ky = 0; ky < kernelH; ky++) {
          const row = y * layer.strideH - layer.padTop + ky * layer.dilationH;
          for (let kx = 0; kx < kernelW; kx++) {
            const column = x * layer.strideW - layer.padLeft + kx * layer.dilationW;
            if (row < 0 || row >= inH || column < 0 || column >= inW) continue;
            const at = (row * inW + column) * inC;
            const tap = ky * kernelW + kx;
            if (kind === 'depthwise') sum += (input[at + o]! - inZero) * weights[tap * outC + o]!;
            else
              for (let i = 0; i < inC; i++)
                sum += (input[at + i]! - inZero) * weights[(o * kernelH * kernelW + tap) * inC + i]!;
          }
        }
        const c = perChannel ? o : 0;
        const scaled = mbqm(sum, multiplier[c]!, shift[c]!) + outZero;
        expected[(y * outW + x) * outC + o] = Math.min(actMax, Math.max(actMin, scaled));
      }
    }
  }

  const words = ARRANGE[kind](weights, outC);
  const ring =
    ((kernelH - 1) * layer.dilationH + 1) *
    ((outW - 1) * layer.strideW + (kernelW - 1) * layer.dilationW + 1) *
    4 *
    Math.ceil(inC / 4);
  const parts = kind === 'fully_connected' && kernelH > 1;
  const sums = parts ? 16 * Math.ceil(outC / 4) : 0;
  const scratch = { depthwise: ring, conv2d: quadScratchBytes(taps), fully_connected: sums }[kind];
  const numbers = (name: string, type: string, list: ArrayLike<number>): string =>
    `static const ${type} ${name}${index}[] = {${Array.from(list, (n) => (n === -(2 ** 31) ? 'INT32_MIN' : String(n))).join(',')}};\n`;
  const data =
    numbers('x', 'int8_t', input) +
    numbers('w', 'int32_t', words) +
    numbers('b', 'int32_t', folded) +
    numbers('m', 'int32_t', multiplier) +
    numbers('s', 'int8_t', shift) +
    numbers('e', 'int8_t', expected) +
    `static const mote_conv op${index} = {${[
      ...[inH, inW, inC, outH, outW, outC, kernelH, kernelW, layer.strideH, layer.strideW],
      ...[layer.dilationH, layer.dilationW, layer.padTop, layer.padLeft, inZero, outZero, actMin, actMax],
      perChannel ? 1 : 0,
    ].join(',')}, w${index}, b${index}, m${index}, s${index}};\n`;
  const sizes = `${input.length}, ${expected.length}, ${scratch}`;
  const kernel = parts ? 'dense_parts' : kind === 'fully_connected' ? 'dense' : `mote_${kind}_quad`;
  const call = `  bad += check(${kernel}, &op${index}, x${index}, e${index}, ${sizes}, ${inPlace ? 1 : 0}, ${index});\n`;
  return { data, call };
}

/** Buffers are exactly as large as declared, so that sanitizers see each byte beyond. */
function programOf(cases: readonly { data: string; call: string }[]): string {
  return `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mote_conv_quad.h"
#include "mote_dense_quad.h"

${cases.map(({ data }) => data).join('\n')}
typedef void kernel(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch);

static void dense(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
  (void)scratch;
  mote_fully_connected_quad(op, input, output);
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
    mote_strip_dense_quad(&part, room, output, scratch);
    free(room);
    part.pad_top += part.in_h;
  }
}

static int check(kernel *run, const mote_conv *op, const int8_t *input, const int8_t *expected, int in, int out,
                 int bytes, int in_place, int number) {
  const size_t size = (size_t)(in_place && in > out ? in : out);
  int8_t *scratch = (int8_t *)malloc((size_t)bytes + 4);
  int8_t *output = (int8_t *)malloc(size);
  int8_t *room = (int8_t *)malloc((size_t)in + 1);
  int8_t *copy = in_place ? output : room + number % 2; /* inputs need no alignment */
  int bad;
  memset(output, 0x55, size);
  memcpy(copy, input, (size_t)in);
  memset(scratch, 0x5a, (size_t)bytes + 4);
  run(op, copy, output, scratch);
  bad = memcmp(output, expected, (size_t)out) != 0;
  if (memcmp(scratch + bytes, "ZZZZ", 4) != 0) bad |= 2;
  if (bad) printf("case %d: %d\\n", number, bad);
  free(scratch);
  free(room);
  free(output);
  return bad != 0;
}

int main(void) {
  int bad = 0;
${cases.map(({ call }) => call).join('')}
  return bad ? 1 : 42;
}
`;
}

function layers(random: () => number): { layer: Layer; inPlace: boolean }[] {
  const int = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  const out = (size: number, kernel: number, stride: number, dilation: number, before: number, after: number): number =>
    Math.floor((size + before + after - (kernel - 1) * dilation - 1) / stride) + 1;
  const list: { layer: Layer; inPlace: boolean }[] = [];
  const point = { kernelH: 1, kernelW: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, padTop: 0, padLeft: 0 };
  for (let i = 0; i < 10; i++) {
    const rows = int(1, 3);
    const inC = i < 4 ? i + 1 : int(1, 70);
    const shape = { inH: 1, inW: rows, inC, outH: 1, outW: rows, outC: int(1, 37) };
    list.push({ layer: { kind: 'fully_connected', ...shape, ...point }, inPlace: false });
  }
  for (let i = 0; i < 10; i++) {
    const [lines, inC] = [int(2, 9), i < 5 ? i + 1 : int(6, 40)];
    const shape = { inH: lines, inW: 1, inC, outH: 1, outW: 1, outC: i < 9 ? i + 1 : int(10, 37) };
    list.push({ layer: { kind: 'fully_connected', ...shape, ...point, kernelH: lines }, inPlace: false });
  }
  for (let i = 0; i < 6; i++) {
    const [h, w, inC, outC] = [int(1, 5), int(1, 5), int(1, 20), int(1, 20)];
    const shape = { inH: h, inW: w, inC, outH: h, outW: w, outC };
    list.push({ layer: { kind: 'conv2d', ...shape, ...point }, inPlace: outC <= inC });
  }
  while (list.length < 52) {
    const depthwise = list.length % 2 === 0;
    const [inH, inW, kernelH, kernelW] = [int(1, 9), int(1, 9), int(1, 4), int(1, 4)];
    const [strideH, strideW, dilationH, dilationW] = [int(1, 3), int(1, 3), int(1, 2), int(1, 2)];
    const [padTop, padLeft] = [int(0, (kernelH - 1) * dilationH), int(0, (kernelW - 1) * dilationW)];
    const outH = out(inH, kernelH, strideH, dilationH, padTop, int(0, (kernelH - 1) * dilationH));
    const outW = out(inW, kernelW, strideW, dilationW, padLeft, int(0, (kernelW - 1) * dilationW));
    if (outH < 1 || outW < 1) continue;
    const inC = depthwise ? (list.length % 4 === 0 ? 4 * int(1, 12) : int(2, 50)) : int(1, 6);
    const outC = depthwise ? inC : int(1, 21);
    const window = { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop, padLeft };
    const same = strideH === 1 && strideW === 1 && outH <= inH && outW === inW;
    // Row y of the output lies over input rows up to y, which must be in the ring by then.
    const inPlace = depthwise && same && (kernelH - 1) * dilationH >= padTop;
    list.push({
      layer: { kind: depthwise ? 'depthwise' : 'conv2d', inH, inW, inC, outH, outW, outC, ...window },
      inPlace,
    });
  }
  return list;
}

const SOURCES = [1, 2, 3].map((seed) => {
  const random = randomFrom(seed);
  const cases = layers(random).map(({ layer, inPlace }, index) => caseOf(layer, index, random, inPlace));
  const path = join(folder, `quad${seed}.c`);
  writeFileSync(path, programOf(cases));
  return path;
});

describe('quad kernels', () => {
  for (const compiler of ['gcc', 'clang']) {
    it.skipIf(!has(compiler))(`portable twin, ${compiler}${compiler === 'gcc' ? ' with sanitizers' : ''}`, () => {
      for (const language of [['-std=c99'], ['-x', 'c++', '-std=c++11']]) {
        for (const source of SOURCES) {
          const program = join(folder, 'twin');
          execFileSync(compiler, [
            ...language,
            '-O1',
            ...WARNINGS,
            ...(compiler === 'gcc' ? SANITIZE : []),
            source,
            '-x',
            'none',
            '-o',
            program,
          ]);
          const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' });
          expect({ status, stdout, stderr }).toEqual({ status: 42, stdout: '', stderr: '' });
        }
      }
    });
  }

  for (const level of ['-O0', '-O2', '-Os']) {
    it.skipIf(!ARM)(`assembly in a micro:bit, ${level} (needs arm-none-eabi-gcc, picolibc, qemu-system-arm)`, () => {
      for (const source of SOURCES) {
        const program = join(folder, 'quad.elf');
        const places = ['__flash=0x0', '__flash_size=256K', '__ram=0x20000000', '__ram_size=16K', '__stack_size=2K'];
        execFileSync('arm-none-eabi-gcc', [
          ...[
            `--specs=${PICOLIBC}`,
            '--oslib=semihost',
            '--crt0=hosted',
            '-mcpu=cortex-m0',
            '-mthumb',
            '-std=c99',
            level,
          ],
          ...WARNINGS,
          ...places.map((place) => `-Wl,--defsym=${place}`),
          ...[source, '-o', program],
        ]);
        const { status, stdout } = spawnSync(
          'qemu-system-arm',
          [
            ...['-M', 'microbit', '-display', 'none', '-monitor', 'none', '-serial', 'none', '-chardev', 'stdio,id=c0'],
            ...['-semihosting-config', 'enable=on,target=native,chardev=c0', '-kernel', program],
          ],
          { encoding: 'utf8', timeout: 60_000 },
        );
        expect({ status, stdout }).toEqual({ status: 42, stdout: '' });
      }
    });
  }
});
