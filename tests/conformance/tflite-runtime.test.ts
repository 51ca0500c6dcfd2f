/**
 * Our `.tflite` files in a real TensorFlow Lite runtime: LiteRT's WebAssembly build with XNNPACK, from the package
 * `@tensorflow/tfjs-tflite`. XNNPACK rounds once where the reference kernels (and Mote) round twice, so single values may
 * differ by a step in convolutions and dense layers (tensorflow/tflite-micro#3252); after a softmax or through several
 * layers by more.
 */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeFloatTflite, writeTflite } from '../../src/emit/tflite/write-tflite';
import { elementCount, type FloatGraph } from '../../src/graph/float-graph';
import { createFloatInterpreter } from '../../src/graph/run-float';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import type { Int8Graph } from '../../src/quantize/int8-graph';
import { lookupTable } from '../../src/quantize/ops/lookup';
import { Random } from '../../src/signal/random';
import { randomNetwork } from '../fixtures/sample-networks';
import { FLOAT_KINDS, randomFloatOp } from './random-float-op';
import { randomOpGraph, type OpGroup } from './random-op-graph';
import { loadRuntime, RUNTIME_FOLDER, type Runtime } from './tflite-runtime';

let runtime: Runtime;

/** Largest difference to the interpreter over some inputs, and how many values differ. */
function compare(
  graph: Int8Graph,
  random: Random,
): { readonly largest: number; readonly different: number; readonly values: number } {
  // The labels lie behind the model: a runtime must not mind.
  const model = runtime.open(writeTflite(graph, { labels: ['some', 'labels'] }));
  const interpreter = createInt8Interpreter(graph);
  let [largest, different, values] = [0, 0, 0];
  for (let i = 0; i < 10; i++) {
    const input = Int8Array.from({ length: interpreter.inputLength }, () => Math.floor(random.next() * 256) - 128);
    const got = model.run(input);
    interpreter.run(input).forEach((value, k) => {
      const difference = Math.abs(value - (got[k] as number));
      largest = Math.max(largest, difference);
      if (difference > 0) different++;
      values++;
    });
  }
  model.delete();
  return { largest, different, values };
}

describe.skipIf(!existsSync(RUNTIME_FOLDER))('a real TensorFlow Lite runtime', () => {
  beforeAll(async () => void (runtime = await loadRuntime()), 60_000);

  it.each(['fullyConnected', 'conv2d', 'depthwiseConv2d', 'pool', 'other'] as const)(
    '%s: loads what we write and agrees to one step',
    (group: OpGroup) => {
      const random = new Random(group.length + 7);
      let [loaded, different, values] = [0, 0, 0];
      const refused: string[] = [];
      for (let n = 0; n < 60; n++) {
        const graph = randomOpGraph(group, random);
        let file: Uint8Array;
        try {
          file = writeTflite(graph);
        } catch {
          // A padding or a clamp that the format cannot say; trained networks have none.
          continue;
        }
        expect(file.length).toBeGreaterThan(100);
        try {
          const result = compare(graph, random);
          loaded++;
          different += result.different;
          values += result.values;
          expect(result.largest, graph.ops[0]?.kind).toBeLessThanOrEqual(1);
        } catch (error) {
          if (error instanceof Error && error.name === 'AssertionError') throw error;
          refused.push(`${graph.ops[0]?.kind ?? ''}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      console.log(`${group}: ${loaded} files load; ${different} of ${values} values differ by one step`);
      expect(loaded).toBeGreaterThan(8);
      expect(refused).toEqual([]);
    },
    120_000,
  );

  // Exact where the runtime uses the reference arithmetic; XNNPACK has its own for the other three.
  it.each([
    ['relu', 0],
    ['relu6', 0],
    ['hardSwish', 0],
    ['logistic', 0],
    ['tanh', 1],
    ['leakyRelu', 1],
    ['quantize', 1],
  ] as const)('tables of %s: all 256 values of 200 quantizations, at most %i off', (kind, most) => {
    const random = new Random(5);
    const side = (name: string) => ({
      name,
      shape: [256],
      scale: Math.fround(0.002 + random.next() * 0.1),
      zeroPoint: Math.floor(random.next() * 256) - 128,
    });
    const every = Int8Array.from({ length: 256 }, (_, index) => index - 128);
    for (let n = 0; n < 200; n++) {
      const input = side('input');
      const fixed =
        kind === 'logistic'
          ? { scale: 1 / 256, zeroPoint: -128 }
          : kind === 'tanh'
            ? { scale: 1 / 128, zeroPoint: 0 }
            : {};
      const output = { ...side('output'), ...fixed };
      const alpha = kind === 'leakyRelu' ? Math.fround(random.next()) : 0;
      const quantization = {
        inputScale: input.scale,
        inputZero: input.zeroPoint,
        outputScale: output.scale,
        outputZero: output.zeroPoint,
      };
      const table = lookupTable(kind, quantization, alpha);
      const op = { kind: 'lookup', input: 0, output: 1, function: kind, alpha, table } as const;
      const model = runtime.open(writeTflite({ tensors: [input, output], ops: [op], input: 0, output: 1 }));
      const got = model.run(every);
      const furthest = Math.max(...table.map((value, index) => Math.abs(value - (got[index] as number))));
      model.delete();
      expect(furthest, JSON.stringify(quantization)).toBeLessThanOrEqual(most);
    }
  });

  /** Largest difference to the float interpreter over some inputs, of the value or of 1. */
  function compareFloat(graph: FloatGraph, random: Random): number {
    const model = runtime.open(writeFloatTflite(graph, { labels: ['some', 'labels'] }));
    const interpreter = createFloatInterpreter(graph);
    let largest = 0;
    for (let i = 0; i < 5; i++) {
      const input = Float32Array.from({ length: elementCount(graph.tensors[graph.input]?.shape ?? []) }, () =>
        random.normal(),
      );
      const got = model.run(input);
      interpreter.run(input).forEach((value, k) => {
        const difference = Math.abs(value - (got[k] as number)) / Math.max(1, Math.abs(value));
        largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
      });
    }
    model.delete();
    return largest;
  }

  it.each(FLOAT_KINDS)('float %s: loads what we write and agrees within 1e-5', (kind) => {
    const random = new Random(kind.length + 3);
    let loaded = 0;
    for (let n = 0; n < 40; n++) {
      const graph = randomFloatOp(kind, random);
      try {
        writeFloatTflite(graph);
      } catch {
        // A padding of pooling that the format cannot say; trained networks have none.
        continue;
      }
      expect(compareFloat(graph, random), JSON.stringify(graph.ops[0])).toBeLessThan(1e-5);
      loaded++;
    }
    expect(loaded).toBeGreaterThan(3);
  });

  it('float networks: all of 60 random ones agree within 1e-5', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(seed);
      expect(compareFloat(randomNetwork(random), random), `seed ${seed}`).toBeLessThan(1e-5);
    }
  });
});
