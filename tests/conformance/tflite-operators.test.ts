/**
 * What our `.tflite` files ask of a runtime: operators that TensorFlow Lite Micro as built into OpenMV's firmware has, in
 * the versions that the converter gives them, and shapes that its kernels take.
 */
import { expect, it } from 'vitest';
import { FlatFile } from '../../src/emit/tflite/flat-table';
import { TFLITE_OPERATOR, TFLITE_TYPE, type TfliteOperator } from '../../src/emit/tflite/tflite-schema';
import { writeFloatTflite, writeTflite } from '../../src/emit/tflite/write-tflite';
import { elementCount } from '../../src/graph/float-graph';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork, SampleNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';
import { FLOAT_KINDS, randomFloatOp } from './random-float-op';
import { randomOpGraph } from './random-op-graph';

/**
 * Versions by what is computed: `float` and `int8` are the plain ones, `special` those that a feature needs.
 * Source: GetBuiltinOperatorVersion in tensorflow/lite/tools/versioning/op_version.cc. All are registered in OpenMV's
 * firmware: ml_backend_init_ops_resolver in openmv/openmv, lib/tflm/tflm_backend.cc; there versions are not looked at,
 * LiteRT refuses versions that it does not know.
 */
const ALLOWED: Partial<
  Record<TfliteOperator, { readonly float: number; readonly int8: number; readonly special?: readonly number[] }>
> = {
  ADD: { float: 1, int8: 2 },
  AVERAGE_POOL_2D: { float: 1, int8: 2 },
  CONCATENATION: { float: 1, int8: 2 },
  // Groups.
  CONV_2D: { float: 1, int8: 3, special: [6] },
  // Dilation in float.
  DEPTHWISE_CONV_2D: { float: 1, int8: 3, special: [2] },
  DEQUANTIZE: { float: 1, int8: 2 },
  // More than one row: keep_num_dims.
  FULLY_CONNECTED: { float: 1, int8: 4, special: [5] },
  HARD_SWISH: { float: 1, int8: 1 },
  LEAKY_RELU: { float: 1, int8: 1 },
  LOGISTIC: { float: 1, int8: 2 },
  MAX_POOL_2D: { float: 1, int8: 2 },
  MEAN: { float: 1, int8: 2 },
  // A rescaling by 1 or more.
  MUL: { float: 1, int8: 2, special: [3] },
  // Five dimensions.
  PAD: { float: 1, int8: 2, special: [4] },
  QUANTIZE: { float: 1, int8: 1 },
  RELU: { float: 1, int8: 2 },
  RELU6: { float: 1, int8: 2 },
  RESHAPE: { float: 1, int8: 1 },
  // align_corners, half_pixel_centers.
  RESIZE_NEAREST_NEIGHBOR: { float: 1, int8: 2, special: [3] },
  SOFTMAX: { float: 1, int8: 2 },
  STRIDED_SLICE: { float: 1, int8: 2, special: [4] },
  SUB: { float: 1, int8: 2, special: [3] },
  TANH: { float: 1, int8: 2 },
  TRANSPOSE: { float: 1, int8: 2, special: [4] },
};

interface Written {
  readonly name: TfliteOperator;
  readonly version: number;
  readonly type: 'int8' | 'float';
  readonly inputs: readonly (readonly number[])[];
}

/** The operators of a file, and the shapes of what they read. */
function operatorsOf(bytes: Uint8Array): Written[] {
  const model = new FlatFile(bytes).root();
  const [subgraph] = model.tables(2);
  if (!subgraph) throw new Error('no subgraph');
  const tensors = subgraph.tables(0);
  const codes = model.tables(1);
  return subgraph.tables(3).map((operator) => {
    const code = codes[operator.u32(0)];
    const number = Math.max(code?.i8(0) ?? -1, code?.i32(3) ?? -1);
    const name = (Object.keys(TFLITE_OPERATOR) as TfliteOperator[]).find((key) => TFLITE_OPERATOR[key] === number);
    if (!name) throw new Error(`operator ${number}`);
    const ids = operator.i32List(1);
    return {
      name,
      version: code?.i32(2, 1) ?? 0,
      type: tensors[ids[0] ?? 0]?.i8(1) === TFLITE_TYPE.INT8 ? 'int8' : 'float',
      inputs: ids.map((id) => tensors[id]?.i32List(0) ?? []),
    };
  });
}

function files(): Uint8Array[] {
  const made: Uint8Array[] = [];
  const add = (make: () => Uint8Array): void => {
    try {
      made.push(make());
    } catch {
      // A padding or a clamp that the format cannot say; trained networks have none.
    }
  };
  for (const group of ['fullyConnected', 'conv2d', 'depthwiseConv2d', 'pool', 'other'] as const) {
    const random = new Random(group.length);
    for (let n = 0; n < 80; n++) add(() => writeTflite(randomOpGraph(group, random)));
  }
  for (const kind of FLOAT_KINDS) {
    const random = new Random(kind.length);
    for (let n = 0; n < 40; n++) add(() => writeFloatTflite(randomFloatOp(kind, random)));
  }
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const float = randomNetwork(random);
    const size = elementCount(float.tensors[float.input]?.shape ?? []);
    add(() => writeFloatTflite(float, { labels: ['a'] }));
    add(() => writeTflite(quantizeGraph(float, randomInputs(random, size, 4)), { labels: ['a'] }));
  }
  return made;
}

it('only operators and versions that TensorFlow Lite Micro, OpenMV and LiteRT have', () => {
  const seen = new Set<string>();
  for (const file of files()) {
    for (const { name, version, type } of operatorsOf(file)) {
      const allowed = ALLOWED[name];
      expect(allowed, name).toBeDefined();
      expect([allowed?.[type], ...(allowed?.special ?? [])], `${name} ${type}`).toContain(version);
      seen.add(`${name} ${type} ${version}`);
    }
  }
  // The plain form of nearly everything was met, and the special ones that random layers reach.
  for (const each of ['CONV_2D int8 6', 'CONV_2D float 6', 'DEPTHWISE_CONV_2D float 2', 'FULLY_CONNECTED int8 5']) {
    expect(seen, each).toContain(each);
  }
  expect(seen.size).toBeGreaterThan(45);
});

it('joins many values in parts: TensorFlow Lite Micro takes ten at once', () => {
  const random = new Random(4);
  const n = new SampleNetwork(random, [3, 4, 2]);
  const parts = Array.from({ length: 23 }, () => n.conv(0, 2, { kernel: 1 }));
  n.softmax(n.concat(parts, 2));
  const float = n.build();
  const int8 = quantizeGraph(float, randomInputs(random, 24, 8));
  for (const file of [writeFloatTflite(float), writeTflite(int8)]) {
    const joins = operatorsOf(file).filter(({ name }) => name === 'CONCATENATION');
    expect(joins.map(({ inputs }) => inputs.length)).toEqual([10, 10, 5]);
    const widths = joins.map(({ inputs }) => inputs.map((shape) => shape[3]));
    expect(widths[2]).toEqual([38, 2, 2, 2, 2]);
  }
});
