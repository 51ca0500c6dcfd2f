/** What we write as `.tflite` comes back as the same network; damaged files are refused and never believed. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { emitMixedHeader } from '../../src/emit/mixed-header';
import { planMixed } from '../../src/emit/mixed-plan';
import { EmitError } from '../../src/emit/model';
import { emitInt16NetworkHeader } from '../../src/emit/network-header-int16';
import { planInt16Network } from '../../src/emit/network-plan';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { TfliteError } from '../../src/emit/tflite/tflite-error';
import { writeFloatTflite, writeInt16Tflite, writeMixedTflite, writeTflite } from '../../src/emit/tflite/write-tflite';
import { GraphError } from '../../src/graph/float-graph';
import { createFloatInterpreter } from '../../src/graph/run-float';
import { QuantizeError, type Int8Graph } from '../../src/quantize/int8-graph';
import { mixedFromFloat } from '../../src/quantize/mixed-graph';
import { INT16_KINDS, type Int16Graph } from '../../src/quantize/int16-graph';
import { createInt16Interpreter } from '../../src/quantize/interpreter-int16';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { rescaleParameters } from '../../src/quantize/ops/int16-parameters';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { randomInt16Graph } from './random-int16-graph';
import { randomMixed } from './random-mixed';

function network(seed: number): { readonly graph: Int8Graph; readonly random: Random } {
  const random = new Random(seed);
  const float = randomNetwork(random);
  const size = (float.tensors[float.input]?.shape ?? []).reduce((a, b) => a * b, 1);
  return { graph: quantizeGraph(float, randomInputs(random, size, 8)), random };
}

/** Without hard swish, which int16 does not have. */
function int16Network(random: Random): Int16Graph {
  for (;;) {
    const float = randomNetwork(random);
    if (float.ops.some((op) => op.kind === 'unary' && op.function === 'hardSwish')) continue;
    const size = (float.tensors[float.input]?.shape ?? []).reduce((a, b) => a * b, 1);
    return quantizeGraph(float, randomInputs(random, size, 8), { activations: 'int16' });
  }
}

it('a written network computes the same bytes when it is read again', () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const { graph, random } = network(seed);
    const again = readTflite(writeTflite(graph, { labels: ['a', 'b'] }));
    expect(again.labels).toEqual(['a', 'b']);
    if (again.kind !== 'int8') throw new Error('not int8');
    const [first, second] = [createInt8Interpreter(graph), createInt8Interpreter(again.graph)];
    for (let i = 0; i < 5; i++) {
      const input = Int8Array.from({ length: first.inputLength }, () => Math.floor(random.next() * 256) - 128);
      expect(Array.from(second.run(input)), `seed ${seed}`).toEqual(Array.from(first.run(input)));
    }
    for (const op of graph.ops) kinds.add(op.kind);
  }
  for (const kind of [
    'conv2d',
    'depthwiseConv2d',
    'fullyConnected',
    'add',
    'concat',
    'pad',
    'stridedSlice',
    'lookup',
  ]) {
    expect(kinds, kind).toContain(kind);
  }
});

it('a written float network computes the same when it is read again', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const graph = randomNetwork(random);
    const again = readTflite(writeFloatTflite(graph, { labels: ['a', 'b'] }));
    expect(again.labels).toEqual(['a', 'b']);
    if (again.kind !== 'float') throw new Error('not float');
    const [first, second] = [createFloatInterpreter(graph), createFloatInterpreter(again.graph)];
    const size = (graph.tensors[graph.input]?.shape ?? []).reduce((a, b) => a * b, 1);
    for (const input of randomInputs(random, size, 5)) {
      expect(Array.from(second.run(input)), `seed ${seed}`).toEqual(Array.from(first.run(input)));
    }
  }
});

it('a written int16 network computes the same values when it is read again', () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const graph = int16Network(random);
    const again = readTflite(writeInt16Tflite(graph, { labels: ['a', 'b'] }));
    expect(again.labels).toEqual(['a', 'b']);
    if (again.kind !== 'int16') throw new Error('not int16');
    const [first, second] = [createInt16Interpreter(graph), createInt16Interpreter(again.graph)];
    for (let i = 0; i < 5; i++) {
      const input = Int16Array.from({ length: first.inputLength }, () => random.integer(65_536) - 32_768);
      expect(Array.from(second.run(input)), `seed ${seed}`).toEqual(Array.from(first.run(input)));
    }
    for (const op of graph.ops) kinds.add(op.kind);
  }
  // All but those that random networks do not have.
  const missing = INT16_KINDS.filter((kind) => !kinds.has(kind));
  expect(missing).toEqual(['resizeNearest']);
});

it('every int16 op, sums of 32 bits among them, comes back as it was written', () => {
  for (const kind of INT16_KINDS) {
    const random = new Random(9);
    let written = 0;
    for (let n = 0; n < 40; n++) {
      const { rounding, ...graph } = randomInt16Graph(kind, random);
      expect(rounding).toBe('double');
      let file: Uint8Array;
      try {
        file = writeInt16Tflite(graph);
      } catch (error) {
        // A padding that the format cannot say.
        expect(error).toBeInstanceOf(TfliteError);
        continue;
      }
      written++;
      const again = readTflite(file);
      if (again.kind !== 'int16') throw new Error('not int16');
      // A window with other padding than SAME is read as a PAD before it.
      if (again.graph.ops.length === graph.ops.length) expect(again.graph.ops).toMatchObject(numbers(graph));
    }
    expect(written, kind).toBeGreaterThan(2);
  }
});

/** What does not depend on how tensors are numbered and axes are written. */
function numbers(graph: Int16Graph): object[] {
  return graph.ops.map((op) => ('weights' in op ? { weights: op.weights, bias: op.bias, sums: op.sums } : {}));
}

it('names an op that int16 does not have, and what would help', () => {
  const sides = { shape: [4], zeroPoint: 0 } as const;
  const tensors = [
    { ...sides, name: 'input', scale: 0.5 },
    { ...sides, name: 'output', scale: 0.5 },
  ];
  const op = { kind: 'rescale', input: 0, output: 1, ...rescaleParameters('relu', 0.5, 0.5) } as const;
  const file = writeInt16Tflite({ activations: 'int16', tensors, ops: [op], input: 0, output: 1 });
  // RELU, number 19, becomes HARD_SWISH: one of the few places with a 19 is its code.
  const view = new DataView(file.buffer);
  const words = Array.from({ length: file.length / 4 }, (_, i) => 4 * i).filter((at) => view.getInt32(at, true) === 19);
  const messages = words.map((at) => {
    const changed = file.slice();
    new DataView(changed.buffer).setInt32(at, 117, true);
    try {
      return readTflite(changed).kind;
    } catch (error) {
      return error instanceof TfliteError ? error.message : 'not an error of the reader';
    }
  });
  expect(messages.join('\n')).toMatch(/Operation 1 \(HARD_SWISH\) has no int16 kernel.*ReLU6/);
});

it('writes the same bytes again', () => {
  const { graph } = network(3);
  expect(Buffer.from(writeTflite(graph)).equals(writeTflite(graph))).toBe(true);
});

it('keeps labels where other tools look for them: in a zip behind the model', () => {
  const labels = ['idle', 'größer, "x"', 'shake'];
  const file = writeTflite(network(3).graph, { labels });
  const { status, stdout, stderr } = spawnSync(
    'python3',
    [
      '-c',
      'import io, sys, zipfile\nz = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))\n' +
        'assert z.testzip() is None\nprint(z.namelist())\nsys.stdout.write(z.read("labels.txt").decode())',
    ],
    { input: file, encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toBe(`['labels.txt']\n${labels.join('\n')}\n`);
  expect(readTflite(file).labels).toEqual(labels);
  // The metadata itself names the file, with the mark of its schema.
  expect(Buffer.from(file).includes('M001')).toBe(true);
  // A damaged zip costs the labels, not the model.
  const damaged = file.slice();
  damaged.fill(0, damaged.length - 10);
  expect(readTflite(damaged).labels).toBeNull();
});

/** MOTE_FUZZ_SECONDS makes it run longer; the seed is printed when something is found. */
it('refuses damaged files with an error of its own, quickly', () => {
  const seconds = Number(process.env['MOTE_FUZZ_SECONDS'] ?? 3);
  const files = Array.from({ length: 8 }, (_, i) => [
    writeTflite(network(i + 1).graph, { labels: ['x'] }),
    writeFloatTflite(randomNetwork(new Random(i + 1)), { labels: ['x'] }),
    writeMixedTflite(randomMixed(i + 1).graph, { labels: ['x'] }),
  ]).flat();
  for (let i = 0; i < 4; i++) files.push(writeInt16Tflite(int16Network(new Random(i + 1)), { labels: ['x'] }));
  const random = new Random(Number(process.env['MOTE_FUZZ_SEED'] ?? 1));
  const until = performance.now() + 1000 * seconds;
  let [tried, refused, slowest] = [0, 0, 0];
  while (performance.now() < until) {
    const bytes = (files[random.integer(files.length)] as Uint8Array).slice();
    const view = new DataView(bytes.buffer);
    for (let n = 1 + random.integer(4); n > 0; n--) {
      const at = random.integer(bytes.length - 4);
      switch (random.integer(4)) {
        case 0:
          bytes[at] = (bytes[at] as number) ^ (1 << random.integer(8));
          break;
        case 1:
          view.setUint32(at & ~3, random.nextUint32(), true);
          break;
        case 2:
          view.setInt32(at & ~3, [0, 1, -1, 0x7fffffff, 0x10000, bytes.length][random.integer(6)] as number, true);
          break;
        default:
          bytes.copyWithin(at, random.integer(bytes.length), random.integer(bytes.length));
      }
    }
    const cut = random.integer(10) === 0 ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
    tried++;
    // Time of the processor: others may be using it too.
    const started = process.cpuUsage();
    try {
      const model = readTflite(cut);
      // What is accepted can be compiled; int8 networks have a fuzzer of their own for that (packs).
      if (model.kind === 'int16') {
        const options = { prefix: 'net', target: 'generic', remarks: [] } as const;
        emitInt16NetworkHeader(model.graph, planInt16Network(model.graph), options);
      } else if (model.kind !== 'int8') {
        const graph = model.kind === 'float' ? mixedFromFloat(model.graph) : model.graph;
        emitMixedHeader(graph, planMixed(graph, 'generic'), { prefix: 'net', target: 'generic', remarks: [] });
      }
    } catch (error) {
      refused++;
      const known =
        error instanceof TfliteError ||
        error instanceof QuantizeError ||
        error instanceof GraphError ||
        error instanceof EmitError;
      if (!known) throw error;
    }
    const { user, system } = process.cpuUsage(started);
    slowest = Math.max(slowest, (user + system) / 1000);
    expect(slowest).toBeLessThan(2000);
  }
  expect(refused).toBeGreaterThan(tried / 20);
  console.log(
    `tflite reader: ${tried} damaged files, ${refused} refused, ${tried - refused} still models; slowest ${slowest.toFixed(0)} ms`,
  );
}, 700_000);
