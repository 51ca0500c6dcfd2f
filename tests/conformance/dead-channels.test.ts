/** Lossless removal of dead channels on models made by others: `../shared/data/tflite`. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { removeDeadChannels } from '../../src/quantize/dead-channels';
import type { Int8Graph } from '../../src/quantize/int8-graph';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { isInt8Weighted, weightUnit } from '../../src/quantize/value-ranges';
import { Random } from '../../src/signal/random';

const FOLDER = path.resolve(import.meta.dirname, '../../../shared/data/tflite');
const present = existsSync(FOLDER);
const INT8_MODELS = [
  'gestures-i8.lite',
  'hello_world_int8.tflite',
  'kws_ref_model.tflite',
  'mlp_33_20_10_4.tflite',
  'responding-to-your-voice-tutorial.i8.lite',
  'temperature-regression.i8.lite',
];

function load(name: string): Int8Graph {
  const model = readTflite(new Uint8Array(readFileSync(path.join(FOLDER, name))));
  if (model.kind !== 'int8') throw new Error(`${name} is not an int8 model.`);
  return model.graph;
}

/** Weights and bias of about every third unit of all layers but the last gone, as strong weight decay leaves them. */
function withDeadUnits(graph: Int8Graph, random: Random): Int8Graph {
  const weighted = graph.ops.filter(isInt8Weighted);
  const ops = graph.ops.map((op) => {
    if (!isInt8Weighted(op) || op === weighted.at(-1)) return op;
    const dead = Array.from(op.bias, () => random.integer(3) === 0);
    const unitOf = weightUnit(op);
    return {
      ...op,
      weights: op.weights.map((weight, i) => (dead[unitOf(i)] ? 0 : weight)),
      bias: op.bias.map((value, unit) => (dead[unit] ? -1 - random.integer(1000) : value)),
    };
  });
  return { ...graph, ops };
}

describe.skipIf(!present)('removeDeadChannels on models of others', () => {
  it.each(INT8_MODELS)('%s keeps its reference outputs', (name) => {
    const { graph } = removeDeadChannels(load(name));
    const stem = name.replace(/\.(tflite|lite)$/, '');
    const [input, output] = ['in', 'out'].map(
      (kind) => new Int8Array(readFileSync(path.join(FOLDER, `${stem}.golden_${kind}.bin`))),
    ) as [Int8Array, Int8Array];
    const interpreter = createInt8Interpreter(graph);
    for (let i = 0; i * interpreter.inputLength < input.length; i++) {
      const got = interpreter.run(input.subarray(i * interpreter.inputLength, (i + 1) * interpreter.inputLength));
      expect(got).toEqual(output.slice(i * interpreter.outputLength, (i + 1) * interpreter.outputLength));
    }
  });

  it('finds nothing in the keyword spotting network, and four idle units in the sine network', () => {
    const kws = load('kws_ref_model.tflite');
    expect(removeDeadChannels(kws)).toEqual({ graph: kws, removedChannels: 0, removedMacs: 0, removedWeightBytes: 0 });
    expect(removeDeadChannels(load('hello_world_int8.tflite')).removedChannels).toBe(4);
  });

  it('takes planted dead channels out of the keyword spotting network without changing a byte', () => {
    const random = new Random(1);
    for (let round = 0; round < 3; round++) {
      const before = withDeadUnits(load('kws_ref_model.tflite'), random);
      const { graph, removedMacs, removedWeightBytes } = removeDeadChannels(before);
      expect(removedMacs).toBeGreaterThan(0.4 * 2_656_768);
      expect(removedWeightBytes).toBeGreaterThan(0.4 * 22_016);
      const [first, second] = [createInt8Interpreter(before), createInt8Interpreter(graph)];
      for (let i = 0; i < 20; i++) {
        const input = Int8Array.from({ length: first.inputLength }, () => random.integer(256) - 128);
        expect(second.run(input)).toEqual(first.run(input));
      }
    }
  });
});
