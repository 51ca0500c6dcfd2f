/**
 * Float models whose weights the file holds in 8 or 16 bits: read as float networks with the weights that they stand for,
 * and compared with a real TensorFlow Lite runtime. That one computes with int8 weights in integers (hybrid kernels: it
 * quantizes each input of a layer to 8 bits on the way), so there both agree within that error only; float16 and
 * dequantized constants it widens as we do.
 */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import type { FloatGraph } from '../../src/graph/float-graph';
import { createFloatInterpreter } from '../../src/graph/run-float';
import { Random } from '../../src/signal/random';
import { compileJob } from '../../src/worker/compile-job';
import { compressedTflite, INPUT_SIZE, STORAGES, type Storage } from '../fixtures/compressed-tflite';
import { loadRuntime, RUNTIME_FOLDER } from './tflite-runtime';

function read(file: Uint8Array): { readonly graph: FloatGraph; readonly notes: readonly string[] } {
  const model = readTflite(file);
  if (model.kind !== 'float') throw new Error(`read as ${model.kind}`);
  return model;
}

const inputOf = (random: Random): Float32Array =>
  Float32Array.from({ length: INPUT_SIZE }, () => 2 * random.next() - 1);

describe('weights in fewer bits', () => {
  it.each(STORAGES)('%s: a float network with the weights that they stand for', (storage) => {
    const { file, weights } = compressedTflite(storage, 3);
    const { graph, notes } = read(file);
    expect(graph.ops.map(({ kind }) => kind)).toEqual(['conv2d', 'depthwiseConv2d', 'fullyConnected']);
    graph.ops.forEach((op, index) => expect('weights' in op && op.weights).toEqual(weights[index]));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(`stored in ${storage === 'float16' ? 16 : 8} bits (3 constants)`);
  });

  it('takes weights with a zero point', () => {
    const { file, weights } = compressedTflite('int8', 3, { zeroPoints: [5], scales: [0.5] });
    const plain = read(compressedTflite('int8', 3, { scales: [0.5] }).file).graph.ops[0];
    const [op] = read(file).graph.ops;
    if (!op || !plain || !('weights' in op) || !('weights' in plain)) throw new Error('no weights');
    expect(op.weights).toHaveLength(weights[0]?.length ?? 0);
    expect(op.weights).toEqual(plain.weights.map((weight) => weight - 2.5));
  });

  it('is quantized with calibration, or becomes float C', async () => {
    const { file } = compressedTflite('int8-per-channel', 4);
    const given = { bytes: file, fileName: 'hybrid.tflite', target: 'generic' } as const;
    const float = await compileJob(given);
    expect(float.kind).toBe('float');
    expect(float.notes.join()).toContain('stored in 8 bits');
    const random = new Random(5);
    const calibration = Float32Array.from({ length: 40 * INPUT_SIZE }, () => 2 * random.next() - 1);
    const int8 = await compileJob({ ...given, calibration });
    expect(int8.kind).toBe('int8');
    expect(int8.pack).not.toBeNull();
    // The weights are on the grid of their 8 bits already: what is lost is lost in the activations.
    for (const { sqnr_db } of int8.quantization?.layers ?? []) expect(sqnr_db).toBeGreaterThan(30);
  });

  it.each([
    ['no scale', { scales: [], zeroPoints: [0] }, 'unsupported-shape', '0 scales'],
    ['scales for other channels', { scales: [1, 1, 1], zeroPoints: [0, 0, 0] }, 'unsupported-shape', '3 scales'],
    ['an axis that is not there', { axis: 9 }, 'unsupported-shape', '8 scales'],
    ['an axis below 0', { axis: -1 }, 'unsupported-shape', '8 scales'],
    ['zero points for other channels', { zeroPoints: [0, 0] }, 'unsupported-shape', 'scales'],
    ['a zero point beyond int8', { zeroPoints: new Array<number>(8).fill(1000) }, 'unsupported-shape', 'zero points'],
    ['a scale of 0', { scales: new Array<number>(8).fill(0) }, 'unsupported-shape', 'impossible scales'],
    ['a scale that is not finite', { scales: new Array<number>(8).fill(Infinity) }, 'unsupported-shape', 'scales'],
    ['a scale that is no number', { scales: new Array<number>(8).fill(NaN) }, 'unsupported-shape', 'scales'],
    ['weights cut short', { bytes: 100 }, 'corrupt', 'cut short'],
    ['uint8 weights', { type: 3 }, 'unsupported-type', 'mixes float'],
  ])('refuses %s', (_, damage, code, words) => {
    const { file } = compressedTflite('int8-per-channel', 3, damage);
    expect(() => readTflite(file)).toThrow(expect.objectContaining({ name: 'TfliteError', code }) as Error);
    expect(() => readTflite(file)).toThrow(words);
  });
});

describe.skipIf(!existsSync(RUNTIME_FOLDER))('a real TensorFlow Lite runtime', () => {
  // Of the largest output: float32 sums in another order, or the 8 bits of hybrid kernels' activations.
  // The runtime of the package is older than dense layers with a scale per channel: it takes the first for all.
  const TOLERANCE: Readonly<Record<Exclude<Storage, 'int8-every-channel'>, number>> = {
    int8: 0.03,
    'int8-per-channel': 0.03,
    float16: 1e-5,
    'int8-dequantize': 1e-5,
  };

  it('computes the same within the error of its own arithmetic', { timeout: 60_000 }, async () => {
    const runtime = await loadRuntime();
    for (const storage of STORAGES) {
      if (storage === 'int8-every-channel') continue;
      let [error, largest] = [0, 0];
      const random = new Random(8);
      for (let seed = 1; seed <= 10; seed++) {
        const { file } = compressedTflite(storage, seed);
        const model = runtime.open(file);
        const interpreter = createFloatInterpreter(read(file).graph);
        for (let n = 0; n < 5; n++) {
          const input = inputOf(random);
          const got = model.run(input);
          interpreter.run(input).forEach((value, k) => {
            error = Math.max(error, Math.abs(value - (got[k] as number)));
            largest = Math.max(largest, Math.abs(value));
          });
        }
        model.delete();
      }
      console.log(`${storage}: largest difference ${error.toExponential(2)}, largest output ${largest.toFixed(2)}`);
      expect(largest).toBeGreaterThan(0.5);
      expect(error / largest, storage).toBeLessThan(TOLERANCE[storage]);
    }
  });
});
