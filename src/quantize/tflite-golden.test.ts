/**
 * The interpreter against known outputs of the TensorFlow Lite Micro reference kernels, on real `.tflite` files.
 * The reader below knows just enough of the format to get at the dense layers of these files.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Int8Graph, Int8Op, Int8Tensor } from './int8-graph';
import { createInt8Interpreter } from './interpreter';
import { quantizeMultiplier } from './requantize';
import { softmaxParameters } from './softmax';

const SHARED = process.env['MOTE_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const FOLDER = join(SHARED, 'data/tflite');

/** A flatbuffer table: fields by slot number. */
class Table {
  constructor(
    private readonly view: DataView,
    private readonly at: number,
  ) {}
  private field(slot: number): number | null {
    const vtable = this.at - this.view.getInt32(this.at, true);
    const offset =
      4 + 2 * slot < this.view.getUint16(vtable, true) ? this.view.getUint16(vtable + 4 + 2 * slot, true) : 0;
    return offset === 0 ? null : this.at + offset;
  }
  private target(slot: number): number | null {
    const field = this.field(slot);
    return field === null ? null : field + this.view.getUint32(field, true);
  }
  int8(slot: number): number {
    const field = this.field(slot);
    return field === null ? 0 : this.view.getInt8(field);
  }
  int32(slot: number): number {
    const field = this.field(slot);
    return field === null ? 0 : this.view.getInt32(field, true);
  }
  table(slot: number): Table | null {
    const target = this.target(slot);
    return target === null ? null : new Table(this.view, target);
  }
  private vector<T>(slot: number, size: number, read: (at: number) => T): T[] {
    const start = this.target(slot);
    if (start === null) return [];
    return Array.from({ length: this.view.getUint32(start, true) }, (_, i) => read(start + 4 + i * size));
  }
  tables(slot: number): Table[] {
    return this.vector(slot, 4, (at) => new Table(this.view, at + this.view.getUint32(at, true)));
  }
  int32s(slot: number): number[] {
    return this.vector(slot, 4, (at) => this.view.getInt32(at, true));
  }
  int64s(slot: number): number[] {
    return this.vector(slot, 8, (at) => Number(this.view.getBigInt64(at, true)));
  }
  float32s(slot: number): number[] {
    return this.vector(slot, 4, (at) => this.view.getFloat32(at, true));
  }
  int8s(slot: number): number[] {
    return this.vector(slot, 1, (at) => this.view.getInt8(at));
  }
}

const FULLY_CONNECTED = 9;
const SOFTMAX = 25;

function readDenseModel(bytes: Buffer): Int8Graph {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const model = new Table(view, view.getUint32(0, true));
  const codes = model.tables(1).map((code) => Math.max(code.int8(0), code.int32(3)));
  const subgraph = model.tables(2)[0]!;
  const buffers = model.tables(4);
  const all = subgraph.tables(0).map((tensor) => ({
    shape: tensor.int32s(0),
    bytes: Int8Array.from(buffers[tensor.int32(2)]!.int8s(0)),
    scale: tensor.table(4)?.float32s(2) ?? [],
    zeroPoint: tensor.table(4)?.int64s(3) ?? [],
  }));
  const tensors: Int8Tensor[] = [];
  const ids = new Map<number, number>();
  const activation = (index: number): number => {
    const known = ids.get(index);
    if (known !== undefined) return known;
    const { shape, scale, zeroPoint } = all[index]!;
    const id =
      tensors.push({ name: `${index}`, shape: shape.slice(1), scale: scale[0]!, zeroPoint: zeroPoint[0]! }) - 1;
    ids.set(index, id);
    return id;
  };
  const ops = subgraph.tables(3).map((operator): Int8Op => {
    const [from, weights, bias] = operator.int32s(1) as [number, number, number];
    const input = activation(from);
    const output = activation(operator.int32s(2)[0]!);
    const code = codes[operator.int32(0)];
    if (code === SOFTMAX) return { kind: 'softmax', input, output, ...softmaxParameters(tensors[input]!.scale) };
    expect(code).toBe(FULLY_CONNECTED);
    const { scale } = all[weights]!;
    const multipliers = scale.map((weightScale) => {
      const product = tensors[input]!.scale * weightScale;
      return quantizeMultiplier((scale.length > 1 ? product : Math.fround(product)) / tensors[output]!.scale);
    });
    const relu = operator.table(4)?.int8(0) === 1;
    return {
      kind: 'fullyConnected',
      input,
      output,
      weights: all[weights]!.bytes,
      bias: new Int32Array(all[bias]!.bytes.buffer),
      weightScale: Float32Array.from(scale),
      multiplier: Int32Array.from(multipliers, ({ multiplier }) => multiplier),
      shift: Int32Array.from(multipliers, ({ shift }) => shift),
      actMin: relu ? Math.max(-128, tensors[output]!.zeroPoint) : -128,
      actMax: 127,
    };
  });
  return { tensors, ops, input: activation(subgraph.int32s(1)[0]!), output: activation(subgraph.int32s(2)[0]!) };
}

describe.skipIf(!existsSync(FOLDER))('known outputs of TensorFlow Lite Micro (skipped without the shared data)', () => {
  it.each(['mlp_33_20_10_4.tflite', 'hello_world_int8.tflite', 'gestures-i8.lite'])('%s, byte for byte', (file) => {
    const stem = file.replace(/\.[a-z]+$/, '');
    const interpreter = createInt8Interpreter(readDenseModel(readFileSync(join(FOLDER, file))));
    const inputs = readFileSync(join(FOLDER, `${stem}.golden_in.bin`));
    const outputs = readFileSync(join(FOLDER, `${stem}.golden_out.bin`));
    const { inputLength, outputLength } = interpreter;
    const cases = inputs.length / inputLength;
    expect(cases).toBeGreaterThanOrEqual(32);
    expect(outputs.length).toBe(cases * outputLength);
    for (let i = 0; i < cases; i++) {
      const input = Int8Array.from(inputs.subarray(i * inputLength, (i + 1) * inputLength));
      const expected = Int8Array.from(outputs.subarray(i * outputLength, (i + 1) * outputLength));
      expect(interpreter.run(input)).toEqual(expected);
    }
  });
});
