/** `model.py` under CPython and under MicroPython (WebAssembly, Linux): the bytes of the interpreter. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadMicroPython } from '@micropython/micropython-webassembly-pyscript/micropython.mjs';
import { afterAll, describe, expect, it } from 'vitest';
import { windowFrames } from '../../src/dsp/block';
import { emitModelPython, emitNetworkPython, TEST_FILE, testFile } from '../../src/emit/micropython/model-python';
import type { Model } from '../../src/emit/model';
import { createRunner, createSmoother } from '../../src/emit/run-model';
import { selfTestCount } from '../../src/emit/self-test';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import type { Int8Graph } from '../../src/quantize/int8-graph';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { createRandom, Dice, randomModel, randomWindow } from './random-model';
import { randomOpGraph, type OpGroup } from './random-op-graph';

const folder = mkdtempSync(join(tmpdir(), 'mote-python-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Files = Readonly<Record<string, string | Uint8Array>>;

function isThere(program: string, ...question: string[]): boolean {
  try {
    execFileSync(program, question, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs `main.py` beside the other files with a program of this machine; gives what it prints. */
function runHere(files: Files, program: string, ...options: string[]): string {
  const work = mkdtempSync(join(folder, 'run-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(work, name), content);
  return execFileSync(program, [...options, 'main.py'], { cwd: work, encoding: 'utf8', maxBuffer: 1 << 26 });
}

async function microPython(files: Files): Promise<string> {
  let printed = '';
  const mp = await loadMicroPython({ heapsize: 4 << 20, stdout: (line: string) => (printed += `${line}\n`) });
  for (const [name, content] of Object.entries(files)) mp.FS.writeFile(`/${name}`, content);
  mp.runPython(String(files['main.py']));
  return printed;
}

const INTERPRETERS: readonly { name: string; there: boolean; run: (files: Files) => string | Promise<string> }[] = [
  { name: 'CPython', there: isThere('python3', '--version'), run: (files) => runHere(files, 'python3', '-B') },
  { name: 'MicroPython', there: true, run: microPython },
  // With machine code for 64-bit words; Debian 13 has it as a package. See also tests/boards/micropython-native.test.ts.
  {
    name: 'MicroPython for Linux (skipped without `micropython`)',
    there: isThere('micropython', '-c', 'pass'),
    run: (files) => runHere(files, 'micropython', '-X', 'heapsize=64M'),
  },
];

interface Case {
  readonly graph: Int8Graph;
  readonly inputs: readonly number[][];
  readonly outputs: readonly number[][];
}

function ask(graph: Int8Graph, seed: number, count: number): Case {
  const random = createRandom(seed);
  const interpreter = createInt8Interpreter(graph);
  const inputs = Array.from({ length: count }, () =>
    Array.from({ length: interpreter.inputLength }, () => Math.floor(random() * 256) - 128),
  );
  return { graph, inputs, outputs: inputs.map((input) => Array.from(interpreter.run(Int8Array.from(input)))) };
}

/** All networks as modules, one program that asks them all. */
function networkFiles(cases: readonly Case[]): Files {
  const files: Record<string, string> = {};
  const lines = ['import json'];
  cases.forEach(({ graph, inputs }, index) => {
    files[`n${index}.py`] = emitNetworkPython(graph, `network ${index}`);
    lines.push(
      `import n${index}`,
      `print(json.dumps([n${index}.networktest(), [n${index}.invoke(x) for x in ${JSON.stringify(inputs)}]]))`,
    );
  });
  return { ...files, 'main.py': `${lines.join('\n')}\n` };
}

function modelFiles(model: Model, main: readonly string[]): Files {
  return {
    'model.py': emitModelPython(model, 0x1234abcd, ['A test.']),
    [TEST_FILE]: testFile(model, 0x1234abcd),
    'main.py': `${main.join('\n')}\n`,
  };
}

function lastLines(text: string, count: number): unknown[] {
  return text
    .trim()
    .split(/\r?\n/)
    .slice(-count)
    .map((line) => JSON.parse(line) as unknown);
}

describe.each(INTERPRETERS)('model.py under $name', ({ there, run }) => {
  it.skipIf(!there).each(['fullyConnected', 'conv2d', 'depthwiseConv2d', 'pool', 'other'] as OpGroup[])(
    'computes the bytes of single operations: %s',
    async (group) => {
      const random = new Random(77);
      const cases = Array.from({ length: 40 }, (_, seed) => ask(randomOpGraph(group, random), seed, 4));
      const answers = lastLines(await run(networkFiles(cases)), cases.length);
      answers.forEach((answer, index) => expect(answer).toEqual([true, cases[index]?.outputs]));
      // An answer that never varies would prove little.
      expect(new Set(cases.map(({ outputs }) => JSON.stringify(outputs))).size).toBeGreaterThan(20);
    },
    120_000,
  );

  it.skipIf(!there)(
    'computes the bytes of whole networks',
    async () => {
      const random = new Random(5);
      const cases = Array.from({ length: 8 }, (_, seed) => {
        const float = randomNetwork(random);
        const length = createLength(float.tensors[float.input]?.shape ?? []);
        return ask(quantizeGraph(float, randomInputs(random, length, 8)), seed, 2);
      });
      const answers = lastLines(await run(networkFiles(cases)), cases.length);
      answers.forEach((answer, index) => expect(answer).toEqual([true, cases[index]?.outputs]));
    },
    120_000,
  );

  it.skipIf(!there).each([1, 2, 3, 4, 5, 6])(
    'passes the self-test of whole model %i, features and scores',
    async (seed) => {
      const model = randomModel(seed);
      const dice = new Dice(seed);
      const channels = model.input.channels.length;
      const windows = Array.from({ length: 3 }, () => randomWindow(dice, windowFrames(model.input), channels));
      const runner = createRunner(model);
      const smoother = createSmoother(model);
      const expected = windows.map((window) => Array.from(runner.classify(window).scores));
      const decisions = expected.map((scores) => smoother.decide(Int8Array.from(scores)));
      const bits = windows.map((window) => Array.from(new Uint32Array(window.buffer)));
      const [failed, scores, decided, network, labels] = lastLines(
        await run(
          modelFiles(model, [
            'import json, model',
            'from array import array',
            'print(json.dumps(model.selftest()))',
            `windows = [array('f', array('I', w).tobytes() if hasattr(array('I'), 'tobytes') else bytes(array('I', w))) for w in ${JSON.stringify(bits)}]`,
            'scores = [model.classify(w) for w in windows]',
            'print(json.dumps(scores))',
            'print(json.dumps([model.decide(s) for s in scores]))',
            'print(json.dumps(model.networktest()))',
            'print(json.dumps(list(model.labels)))',
          ]),
        ),
        5,
      );
      expect(failed).toBe(0);
      expect(scores).toEqual(expected);
      expect(decided).toEqual(decisions);
      expect(network).toBe(true);
      expect(labels).toEqual(model.labels);
    },
    120_000,
  );

  it.skipIf(!there)('says so when a byte of the known answers differs', async () => {
    const model = randomModel(3);
    const files = modelFiles(model, ['import json, model', 'print(json.dumps(model.selftest()))']);
    const known = testFile(model, 0x1234abcd);
    known[known.length - 1] = (known[known.length - 1] as number) ^ 1;
    const [failed] = lastLines(await run({ ...files, [TEST_FILE]: known }), 1);
    expect(failed).toBe(1);
    expect(selfTestCount(model.selfTest)).toBeGreaterThan(1);
  });

  it.skipIf(!there)('gives the same scores for a stream of samples as for the windows in it', async () => {
    const model = randomModel(8, { blocks: [{ kind: 'raw', version: 1, channels: [0], params: { scale: 1 } }] });
    const [pushed, looked] = lastLines(
      await run(
        modelFiles(model, [
          'import json, model',
          'n = model.WINDOW_FRAMES + 2 * model.STRIDE_FRAMES',
          'samples = [[(i * 7 + c * 3) % 11 - 5 for c in range(model.CHANNELS)] for i in range(n)]',
          'print(json.dumps([s for s in [model.push(x) for x in samples] if s]))',
          'flat = [v for s in samples for v in s]',
          'w = model.WINDOW_FRAMES * model.CHANNELS',
          'd = model.STRIDE_FRAMES * model.CHANNELS',
          'print(json.dumps([model.classify(flat[i * d : i * d + w]) for i in range(3)]))',
        ]),
      ),
      2,
    );
    expect(pushed).toEqual(looked);
    expect(pushed).toHaveLength(3);
  });
});

it('refuses a network for single rounding', () => {
  const graph = randomOpGraph('conv2d', new Random(3));
  expect(() => emitNetworkPython({ ...graph, rounding: 'single' }, 'x')).toThrow(/double rounding/);
});

function createLength(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
