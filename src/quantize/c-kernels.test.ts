/**
 * The interpreter and the C kernels must give the same bytes. Random cases are written to a file, a small C program
 * that includes the very kernels runs them, and every byte is compared, with several compilers and sanitizers.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkInt8Graph } from './check';
import { fullyConnectedInt8 } from './fully-connected';
import { quantizeFeatures } from './input-affine';
import type { Int8FullyConnected } from './int8-graph';
import { foldedBias } from './ops/folded-bias';
import { mbqm } from './requantize';
import { MAX_SOFTMAX_CLASSES, softmaxInt8, softmaxParameters, softmaxTable } from './softmax';

const KERNELS = fileURLToPath(new URL('../../firmware/mote/src', import.meta.url));

const DRIVER = `
#include <stdio.h>
#include <stdlib.h>
#include "mote_conv_plain.h"
#include "mote_input.h"
#include "mote_softmax.h"

static void get(void *to, size_t size, FILE *in) {
    if (fread(to, 1, size, in) != size) exit(3);
}
static void *take(size_t size, FILE *in) {
    void *p = malloc(size);
    if (!p) exit(4);
    get(p, size, in);
    return p;
}

int main(int argc, char **argv) {
    FILE *in, *out;
    int32_t n[10];
    if (argc != 3 || !(in = fopen(argv[1], "rb")) || !(out = fopen(argv[2], "wb"))) return 2;
    for (;;) {
        get(n, sizeof n, in);
        if (n[0] == 0) break;
        if (n[0] == 1) {
            const size_t inputs = (size_t)n[1], units = (size_t)n[2], channels = n[3] ? units : 1;
            int8_t *x = (int8_t *)take(inputs, in), *w = (int8_t *)take(inputs * units, in);
            int8_t *y = (int8_t *)malloc(units);
            int32_t *b = (int32_t *)take(units * 4, in);
            int32_t *m = (int32_t *)take(channels * 4, in);
            int8_t *s = (int8_t *)take(channels, in);
            const mote_conv op = {1, 1, n[1], 1, 1, n[2], 1, 1, 1, 1, 1, 1, 0, 0, n[4], n[5], n[6], n[7], n[3], w, b, m, s};
            mote_fully_connected_rows(&op, x, y);
            fwrite(y, 1, units, out);
            free(x); free(w); free(y); free(b); free(m); free(s);
        } else if (n[0] == 2) {
            int8_t *x = (int8_t *)take((size_t)n[1], in), *y = (int8_t *)malloc((size_t)n[1]);
            if (!mote_softmax_check(n[1], n[2], n[3], n[4])) return 5;
            mote_softmax(x, n[1], n[2], n[3], n[4], y);
            fwrite(y, 1, (size_t)n[1], out);
            free(x); free(y);
        } else if (n[0] == 3) {
            const size_t bytes = (size_t)n[1] * 4;
            float *x = (float *)take(bytes, in), *a = (float *)take(bytes, in), *b = (float *)take(bytes, in);
            int8_t *y = (int8_t *)malloc((size_t)n[1]);
            mote_quantize_input(x, n[1], a, b, y);
            fwrite(y, 1, (size_t)n[1], out);
            free(x); free(a); free(b); free(y);
        } else {
            const int32_t v = mote_mbqm(n[1], n[2], n[3]);
            fwrite(&v, 4, 1, out);
        }
    }
    fclose(in);
    return fclose(out);
}
`;

const WARNINGS = ['-pedantic', '-Wall', '-Wextra', '-Wconversion', '-Werror', `-I${KERNELS}`];
const SANITIZE = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const COMPILERS = [
  { name: 'gcc C99 -O2', command: 'gcc', flags: ['-std=c99', '-O2'] },
  { name: 'gcc C99 -O3 -march=native', command: 'gcc', flags: ['-std=c99', '-O3', '-march=native'] },
  { name: 'gcc with sanitizers', command: 'gcc', flags: ['-std=c99', '-O1', '-g', ...SANITIZE] },
  { name: 'g++ C++11', command: 'g++', flags: ['-std=c++11', '-x', 'c++', '-O2'] },
  { name: 'clang C99', command: 'clang', flags: ['-std=c99', '-O2'] },
];

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Cases for the C program and the bytes the TypeScript kernels give for them. */
class CaseWriter {
  readonly input: Uint8Array[] = [];
  readonly expected: Uint8Array[] = [];

  add(numbers: number[], arrays: ArrayBufferView[], expected: ArrayBufferView): void {
    const head = new Int32Array(10);
    head.set(numbers);
    this.input.push(bytesOf(head), ...arrays.map((array) => bytesOf(array).slice()));
    this.expected.push(bytesOf(expected).slice());
  }
}

function int8s(length: number, next: () => number, minimum = -128): Int8Array {
  return Int8Array.from({ length }, () => minimum + (next() % (128 - minimum)));
}

function fullyConnectedCase(cases: CaseWriter, next: () => number): void {
  const inputs = 1 + (next() % 70);
  const units = 1 + (next() % 24);
  const perChannel = next() % 2 === 1;
  const channels = perChannel ? units : 1;
  const inputZero = (next() % 256) - 128;
  const outputZero = (next() % 256) - 128;
  const actMin = next() % 2 ? -128 : outputZero;
  const op: Int8FullyConnected = {
    kind: 'fullyConnected',
    input: 0,
    output: 1,
    weights: int8s(inputs * units, next, -127),
    bias: Int32Array.from({ length: units }, () => ((next() % 2 ** 18) - 2 ** 17) * (next() % 20 === 0 ? 8000 : 1)),
    weightScale: new Float32Array(channels).fill(1),
    multiplier: Int32Array.from({ length: channels }, () => (next() % 20 ? 2 ** 30 + (next() % 2 ** 30) : 0)),
    // Mostly shifts that land in the int8 range, sometimes any.
    shift: Int32Array.from({ length: channels }, () => (next() % 8 ? -4 - (next() % 10) : (next() % 62) - 31)),
    actMin,
    actMax: 127,
  };
  const input = int8s(inputs, next);
  const output = new Int8Array(units);
  const tensor = { name: '', scale: 1 };
  try {
    checkInt8Graph({
      tensors: [
        { ...tensor, shape: [inputs], zeroPoint: inputZero },
        { ...tensor, shape: [units], zeroPoint: outputZero },
      ],
      ops: [op],
      input: 0,
      output: 1,
    });
  } catch {
    // A sum could overflow: such layers are never run.
    return;
  }
  const bias = foldedBias(op, inputZero);
  fullyConnectedInt8(op, bias, input, outputZero, output);
  cases.add(
    [1, inputs, units, perChannel ? 1 : 0, inputZero, outputZero, actMin, 127],
    [input, op.weights, bias, op.multiplier, Int8Array.from(op.shift)],
    output,
  );
}

function softmaxCase(cases: CaseWriter, next: () => number, count: number, scale: number): void {
  const spread = 1 + (next() % 256);
  const input = Int8Array.from({ length: count }, () => 127 - (next() % spread));
  const op = softmaxParameters(Math.fround(scale));
  const output = new Int8Array(count);
  softmaxInt8(input, op.diffMin, softmaxTable(op), output);
  cases.add([2, count, op.multiplier, op.leftShift, op.diffMin], [input], output);
}

function inputCase(cases: CaseWriter, next: () => number): void {
  const count = 64;
  const real = (magnitude: number): number => ((next() / 2 ** 32) * 2 - 1) * magnitude;
  const features = Float32Array.from({ length: count }, () => real(10 ** (next() % 6)));
  const a = Float32Array.from({ length: count }, () => real(10 ** ((next() % 5) - 3)));
  const b = Float32Array.from({ length: count }, () => real(200));
  // Values on and beside the ties, and values that are no numbers.
  const near = [0.5, -0.5, 1.5, 0.49999997, -0.49999997, 126.5, 126.49999, -127.5, -128.5, NaN, Infinity, -Infinity];
  near.forEach((value, i) => {
    features[i] = value;
    a[i] = 1;
    b[i] = 0;
  });
  const output = quantizeFeatures(features, { a, b }, new Int8Array(count));
  cases.add([3, count], [features, a, b], output);
}

describe('C kernels give the bytes of the TypeScript kernels', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mote-kernels-'));
  const cases = new CaseWriter();
  let expected: Buffer;

  beforeAll(() => {
    const next = generator(7);
    for (let i = 0; i < 4000; i++) fullyConnectedCase(cases, next);
    for (let i = 0; i < 3000; i++) softmaxCase(cases, next, 1 + (next() % 20), 2 ** ((next() % 30) - 20) * 1.37);
    for (const scale of [2 ** -24, 0.001, 0.01, 0.1, 0.3, 1, 5, 16, 40, 1e9]) {
      for (const count of [1, 2, 17, MAX_SOFTMAX_CLASSES]) softmaxCase(cases, next, count, scale);
    }
    for (let i = 0; i < 200; i++) inputCase(cases, next);
    for (let i = 0; i < 5000; i++) {
      const value = (next() | 0) >> (7 + (next() % 20));
      const multiplier = 2 ** 30 + (next() % 2 ** 30);
      const shift = (next() % 38) - 31;
      cases.add([4, value, multiplier, shift], [], Int32Array.of(mbqm(value, multiplier, shift)));
    }
    cases.add([0], [], new Uint8Array(0));
    writeFileSync(join(folder, 'driver.c'), DRIVER);
    writeFileSync(join(folder, 'cases.bin'), Buffer.concat(cases.input));
    expected = Buffer.concat(cases.expected);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(COMPILERS)('$name', ({ command, flags }) => {
    const program = join(folder, 'driver');
    execFileSync(command, [...flags, ...WARNINGS, join(folder, 'driver.c'), '-o', program], { stdio: 'pipe' });
    execFileSync(program, [join(folder, 'cases.bin'), join(folder, 'out.bin')], { stdio: 'pipe' });
    const actual = readFileSync(join(folder, 'out.bin'));
    expect(actual.length).toBe(expected.length);
    expect(actual.equals(expected)).toBe(true);
  });
});
