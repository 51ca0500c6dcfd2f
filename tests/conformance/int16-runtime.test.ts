/**
 * Our int16 `.tflite` files in a real TensorFlow Lite runtime, which has 16x8 kernels: layers with 64-bit biases give the
 * same values. What differs, and why, is said at each kind.
 */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeInt16Tflite } from '../../src/emit/tflite/write-tflite';
import { createInt16Interpreter } from '../../src/quantize/interpreter-int16';
import { INT16_KINDS, type Int16Graph, type Int16Op } from '../../src/quantize/int16-graph';
import { Random } from '../../src/signal/random';
import { randomInt16Graph } from './random-int16-graph';
import { loadRuntime, RUNTIME_FOLDER, type Runtime } from './tflite-runtime';

let runtime: Runtime;

/** Steps that the runtime's own kernels may differ from the reference kernels by. */
function tolerance(op: Int16Op): number {
  switch (op.kind) {
    // 32-bit sums and products are rescaled by vector code, which rounds in another order; means are rounded once.
    case 'fullyConnected':
    case 'conv2d':
    case 'depthwiseConv2d':
      return op.sums === 'int32' ? 1 : 0;
    case 'mul':
    case 'mean':
      return 1;
    // This old runtime tabulates 1 / (1 + x) in double precision: 2 of 513 values differ.
    case 'softmax':
      return 1;
    default:
      return 0;
  }
}

/** Inputs in powers of two take another way there, by polynomials that are up to 11 steps off the real function. */
function isPowerOfTwo(graph: Int16Graph): boolean {
  const scale = graph.tensors[graph.input]?.scale ?? 0;
  return Math.abs(Math.log2(scale) - Math.round(Math.log2(scale))) < 1e-3;
}

describe.skipIf(!existsSync(RUNTIME_FOLDER))('a real TensorFlow Lite runtime', () => {
  beforeAll(async () => void (runtime = await loadRuntime()), 60_000);

  it.each(INT16_KINDS)(
    '%s: loads what we write and agrees',
    (kind) => {
      const random = new Random(31);
      let [loaded, different, values] = [0, 0, 0];
      for (let n = 0; n < 60; n++) {
        const graph = randomInt16Graph(kind, random);
        const [op] = graph.ops as [Int16Op];
        // It knows 64-bit biases alone there.
        if (op.kind === 'depthwiseConv2d' && op.sums === 'int32') continue;
        if (op.kind === 'sigmoid' && isPowerOfTwo(graph)) continue;
        let file: Uint8Array;
        try {
          file = writeInt16Tflite(graph);
        } catch {
          // A padding that the format cannot say; trained networks have none.
          continue;
        }
        const model = runtime.open(file);
        const interpreter = createInt16Interpreter(graph);
        loaded++;
        for (let i = 0; i < 10; i++) {
          const input = Int16Array.from({ length: interpreter.inputLength }, () => random.integer(65_536) - 32_768);
          const got = model.run(input);
          interpreter.run(input).forEach((value, k) => {
            const difference = Math.abs(value - (got[k] as number));
            if (difference > tolerance(op)) expect.fail(`${got[k]}, not ${value}: ${JSON.stringify(op)}`);
            if (difference > 0) different++;
            values++;
          });
        }
        model.delete();
      }
      console.log(`${kind}: ${loaded} files load; ${different} of ${values} values differ by one step`);
      expect(loaded).toBeGreaterThan(5);
      expect(different).toBeLessThan(values / 8);
    },
    120_000,
  );
});
