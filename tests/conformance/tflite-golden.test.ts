/** Models made by others, with the outputs of the TFLite reference kernels: `../shared/data/tflite`. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { createFloatInterpreter } from '../../src/graph/run-float';
import { createInt8Interpreter } from '../../src/quantize/interpreter';

const FOLDER = path.resolve(import.meta.dirname, '../../../shared/data/tflite');
const present = existsSync(FOLDER);
const names: string[] = present
  ? Object.keys(JSON.parse(readFileSync(path.join(FOLDER, 'golden.json'), 'utf8')) as object)
  : ['(../shared/data/tflite is missing)'];

describe.skipIf(!present)('models of others', () => {
  it.each(names)('%s gives the reference outputs', (name) => {
    const model = readTflite(new Uint8Array(readFileSync(path.join(FOLDER, name))));
    const stem = name.replace(/\.(tflite|lite)$/, '');
    const read = (kind: string): Buffer => readFileSync(path.join(FOLDER, `${stem}.golden_${kind}.bin`));
    const [input, output] = [read('in'), read('out')];
    if (model.kind === 'int8') {
      const interpreter = createInt8Interpreter(model.graph);
      const cases = input.length / interpreter.inputLength;
      expect(cases).toBeGreaterThan(0);
      for (let i = 0; i < cases; i++) {
        const got = interpreter.run(
          new Int8Array(input.subarray(i * interpreter.inputLength, (i + 1) * interpreter.inputLength)),
        );
        const wanted = new Int8Array(output.subarray(i * interpreter.outputLength, (i + 1) * interpreter.outputLength));
        expect(Array.from(got)).toEqual(Array.from(wanted));
      }
      return;
    }
    if (model.kind !== 'float') throw new Error(`${name} is ${model.kind}`);
    const interpreter = createFloatInterpreter(model.graph);
    const floats = (bytes: Buffer): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);
    const [x, y] = [floats(input), floats(output)];
    const inputs = interpreter.activations[model.graph.input]?.length ?? 0;
    const outputs = interpreter.activations[model.graph.output]?.length ?? 0;
    for (let i = 0; i * inputs < x.length; i++) {
      const got = interpreter.run(x.slice(i * inputs, (i + 1) * inputs));
      got.forEach((value, k) =>
        expect(Math.abs(value - (y[i * outputs + k] as number))).toBeLessThan(1e-5 * Math.max(1, Math.abs(value))),
      );
    }
  });
});
