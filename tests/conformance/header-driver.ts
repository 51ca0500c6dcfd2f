/**
 * C programs that run models on windows from standard input, and the answers they must give.
 *
 * Input per model: windows for classify, then frames for push. Output per model: int32 self-test failures; per window
 * the scores, int32 best and decision; then for every frame a byte (1 when a window was classified), followed by
 * scores, best and decision when it was.
 */
import type { Model } from '../../src/emit/model';
import { strideFrames, windowFrames } from '../../src/dsp/block';
import { createRunner, createSmoother, runSelfTest } from '../../src/emit/run-model';
import { Dice, randomWindow } from './random-model';

export interface Questions {
  readonly windows: readonly Float32Array[];
  /** Interleaved frames. */
  readonly stream: Float32Array;
}

export function ask(model: Model, seed: number, count: number): Questions {
  const dice = new Dice(seed);
  const channels = model.input.channels.length;
  const frames = windowFrames(model.input);
  return {
    windows: Array.from({ length: count }, () => randomWindow(dice, frames, channels)),
    stream: randomWindow(dice, frames + 6 * Math.min(strideFrames(model.input), 3 * frames) + 3, channels),
  };
}

export function inputBytes(questions: readonly Questions[]): Uint8Array {
  return Buffer.concat(
    questions.flatMap(({ windows, stream }) =>
      [...windows, stream].map((values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength)),
    ),
  );
}

/** The bytes that a program must print, computed by the studio's own runner. */
export function expectedBytes(model: Model, { windows, stream }: Questions): Buffer {
  const out: number[] = [];
  const int32 = (value: number): void =>
    void out.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24);
  const runner = createRunner(model);
  const alone = (scores: Int8Array): number =>
    createSmoother({ ...model, smoothing: { ...model.smoothing, windows: 1 } }).decide(scores);
  const result = (window: Float32Array, decide: (scores: Int8Array) => number): void => {
    const { scores, best } = runner.classify(window);
    out.push(...Array.from(scores, (score) => score & 255));
    int32(best);
    int32(decide(scores));
  };
  int32(runSelfTest(model));
  for (const window of windows) result(window, alone);
  const channels = runner.channels;
  const stride = strideFrames(model.input);
  const smoother = createSmoother(model);
  for (let frame = 0; frame < stream.length / channels; frame++) {
    const start = frame + 1 - runner.frames;
    const full = start >= 0 && start % stride === 0;
    out.push(full ? 1 : 0);
    if (full) result(stream.slice(start * channels, (frame + 1) * channels), (scores) => smoother.decide(scores));
  }
  return Buffer.from(out);
}

function runHeader(model: Model, { windows, stream }: Questions): string {
  const [x, X] = [model.prefix, model.prefix.toUpperCase()];
  return `
static float ${x}_buffer[${X}_WINDOW_FRAMES * ${X}_CHANNELS];

static void ${x}_print(const ${x}_result *result) {
  const int32_t best = result->best;
  const int32_t decision = result->decision;
  print(result->scores, ${X}_LABEL_COUNT);
  print(&best, sizeof best);
  print(&decision, sizeof decision);
}

static void ${x}_main(void) {
  ${x}_result result;
  int32_t i;
  const int32_t failed = ${x}_selftest();
  print(&failed, sizeof failed);
  for (i = 0; i < ${windows.length}; i++) {
    ask(${x}_buffer, sizeof ${x}_buffer);
    (void)${x}_classify(${x}_buffer, &result);
    ${x}_print(&result);
  }
  for (i = 0; i < ${stream.length / model.input.channels.length}; i++) {
    float sample[${X}_CHANNELS];
    unsigned char full;
    ask(sample, sizeof sample);
    full = (unsigned char)${x}_push(sample, &result);
    print(&full, 1);
    if (full) ${x}_print(&result);
  }
}
`;
}

const INPUT_OUTPUT = `#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void print(const void *bytes, size_t count) {
  if (fwrite(bytes, 1, count, stdout) != count) exit(3);
}

static void ask(void *bytes, size_t count) {
  if (fread(bytes, 1, count, stdin) != count) exit(4);
}
`;

/** One program with all models in one translation unit; the headers are `<prefix>.h`. */
export function headerProgram(models: readonly Model[], questions: readonly Questions[]): string {
  const includes = models.map(({ prefix }) => `#include "${prefix}.h"`).join('\n');
  const runs = models.map((model, index) => runHeader(model, questions[index] as Questions)).join('');
  const calls = models.map(({ prefix }) => `  ${prefix}_main();`).join('\n');
  return `${includes}\n${INPUT_OUTPUT}${runs}\nint main(void) {\n${calls}\n  return 0;\n}\n`;
}
