/**
 * What converters write around layers (shapes computed at run time, dilation by batches, slices by other names) beside a
 * real TensorFlow Lite runtime, which rounds once: the same bytes.
 */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readTflite } from '../../src/emit/tflite/read-tflite';
import { createInt8Interpreter } from '../../src/quantize/interpreter';
import { Random } from '../../src/signal/random';
import { TfliteFile, type OptionFields, type TensorOptions } from '../fixtures/tflite-file';
import { loadRuntime, RUNTIME_FOLDER, type Runtime } from './tflite-runtime';

const [SAME, VALID] = [0, 1];

/** One input, one output, and what lies between, layer by layer. */
class Network {
  readonly file = new TfliteFile();
  readonly random = new Random(5);
  readonly input: number;
  at: number;

  constructor(
    private shape: readonly number[],
    options: TensorOptions = {},
  ) {
    this.input = this.file.values([1, ...shape], options);
    this.at = this.input;
  }

  layer(code: number, shape: readonly number[], extra: readonly number[] = [], options?: [number, OptionFields]): this {
    const output = this.file.values(shape);
    this.file.operation(code, [this.at, ...extra], [output], options ?? null);
    [this.at, this.shape] = [output, shape.slice(1)];
    return this;
  }

  weights(shape: readonly number[], channels: number, axis: number, options: TensorOptions = {}): number {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = Uint8Array.from({ length: count }, () => this.random.integer(255) - 127);
    const scale = Array.from({ length: channels }, () => 0.002 + 0.002 * this.random.next());
    return this.file.tensor(shape, { type: 'int8', scale, axis, data, ...options });
  }

  /** CONV_2D, its biases random. `batch`: what lies along the first axis. */
  conv(channels: number, [height, width]: readonly [number, number], padding: number, stride = 1, batch = 1): this {
    const [rows = 0, columns = 0, depth = 0] = this.shape;
    const size = (length: number, kernel: number): number =>
      padding === SAME ? Math.ceil(length / stride) : Math.floor((length - kernel) / stride) + 1;
    const weights = this.weights([channels, height, width, depth], channels, 0);
    const bias = this.file.integers(Array.from({ length: channels }, () => this.random.integer(4001) - 2000));
    return this.layer(
      3,
      [batch, size(rows, height), size(columns, width), channels],
      [weights, bias],
      [
        1,
        { 0: { byte: padding }, 1: { int: stride }, 2: { int: stride }, 3: { byte: 0 }, 4: { int: 1 }, 5: { int: 1 } },
      ],
    );
  }

  /** Flatten of Keras with any batch. */
  flatten(): this {
    const { file } = this;
    const count = this.shape.reduce((a, b) => a * b, 1);
    const shape = file.tensor([this.shape.length + 1], { type: 'int32' });
    file.operation(77, [this.at], [shape], [55, { 0: { byte: 2 } }]);
    const batch = file.tensor([], { type: 'int32' });
    const bounds = [0, 1, 1].map((value) => file.integers([value]));
    file.operation(45, [shape, ...bounds], [batch], [32, { 4: { int: 1 } }]);
    const wanted = file.tensor([2], { type: 'int32' });
    file.operation(83, [batch, file.integers([count], [])], [wanted], [59, { 0: { int: 2 } }]);
    return this.layer(22, [1, count], [wanted]);
  }

  bytes(options?: Parameters<TfliteFile['bytes']>[2]): Uint8Array {
    return this.file.bytes(this.input, this.at, options);
  }
}

/** SPACE_TO_BATCH_ND, a convolution, BATCH_TO_SPACE_ND over an image of 9 x 11. */
function dilated(): Network {
  const n = new Network([9, 11, 4]);
  const block = n.file.integers([2, 2]);
  n.layer(38, [4, 7, 8, 4], [block, n.file.integers([2, 3, 2, 3], [2, 2])], [25, {}]);
  n.conv(5, [3, 3], VALID, 1, 4);
  return n.layer(37, [1, 9, 11, 5], [block, n.file.integers([0, 1, 0, 1], [2, 2])], [24, {}]);
}

/** A causal convolution with the dilation 4 over 32 samples, as Keras' Conv1D. */
function causal(): Network {
  const n = new Network([32, 4]);
  const block = n.file.integers([4]);
  n.layer(38, [4, 10, 4], [block, n.file.integers([8, 0], [1, 2])], [25, {}]);
  n.layer(70, [4, 1, 10, 4], [n.file.integers([-3], [])], [52, {}]);
  n.conv(6, [1, 3], VALID, 1, 4).layer(43, [4, 8, 6], [], [30, {}]);
  return n.layer(37, [1, 32, 6], [block, n.file.integers([0, 0], [1, 2])], [24, {}]);
}

/** ZeroPadding2D before a VALID convolution of stride 2, and padding with -128 before a maximum. */
function padded(): Network {
  const n = new Network([12, 12, 3]);
  n.layer(34, [1, 13, 13, 3], [n.file.integers([0, 0, 0, 1, 0, 1, 0, 0], [4, 2])], [22, {}]);
  n.conv(6, [3, 3], VALID, 2);
  const least = n.file.tensor([], { type: 'int8', scale: 1 / 16, zeroPoint: 3, data: Uint8Array.of(128) });
  n.layer(60, [1, 8, 8, 6], [n.file.integers([0, 0, 1, 1, 1, 1, 0, 0], [4, 2]), least], [43, {}]);
  const window = { 0: { byte: VALID }, 1: { int: 2 }, 2: { int: 2 }, 3: { int: 3 }, 4: { int: 3 } };
  return n.layer(17, [1, 3, 3, 6], [], [5, window]);
}

/** SPLIT: one half goes through a layer, CONCATENATION joins them. */
function split(): Network {
  const n = new Network([6, 6, 4]).conv(8, [3, 3], SAME);
  const [a, b] = [n.file.values([1, 6, 6, 4]), n.file.values([1, 6, 6, 4])];
  n.file.operation(49, [n.file.integers([3], []), n.at], [a, b], [35, { 0: { int: 2 } }]);
  n.at = n.file.values([1, 6, 6, 8]);
  n.file.operation(2, [b, a], [n.at], [10, { 0: { int: 3 } }]);
  return n;
}

function unpacked(): Network {
  const n = new Network([2, 3, 4]).conv(4, [1, 1], SAME);
  const rows = [n.file.values([1, 3, 4]), n.file.values([1, 3, 4])] as const;
  n.file.operation(88, [n.at], rows, [64, { 0: { int: 2 }, 1: { int: 1 } }]);
  n.at = n.file.values([1, 3, 2, 4]);
  n.file.operation(83, [rows[1], rows[0]], [n.at], [59, { 0: { int: 2 }, 1: { int: 2 } }]);
  return n;
}

/** The last of 5 x 4 rows, as Keras takes the last step of a series. */
function lastRow(): Network {
  const n = new Network([5, 4, 3]).conv(3, [1, 1], SAME);
  const [begin, end, ones] = [
    [0, -1, 0, 0],
    [0, 0, 0, 0],
    [1, 1, 1, 1],
  ].map((list) => n.file.integers(list));
  return n.layer(
    45,
    [1, 4, 3],
    [begin as number, end as number, ones as number],
    [32, { 0: { int: 13 }, 1: { int: 13 }, 4: { int: 2 } }],
  );
}

function sliced(): Network {
  const n = new Network([6, 6, 4]).conv(4, [3, 3], SAME);
  return n.layer(65, [1, 4, 5, 2], [n.file.integers([0, 2, 1, 1]), n.file.integers([-1, 4, -1, 2])], [48, {}]);
}

const CASES: Readonly<Record<string, () => Network>> = {
  'Flatten of any batch': () => new Network([4, 5, 3]).conv(3, [3, 3], VALID).flatten(),
  'dilation by batches, 2-D': dilated,
  'dilation by batches, causal 1-D': causal,
  'padding before windows': padded,
  SPLIT: split,
  'UNPACK and PACK': unpacked,
  'STRIDED_SLICE that drops an axis': lastRow,
  SLICE: sliced,
  DEPTH_TO_SPACE: () =>
    new Network([3, 4, 2]).conv(12, [3, 3], SAME).layer(5, [1, 6, 8, 3], [], [94, { 0: { int: 2 } }]),
  SPACE_TO_DEPTH: () =>
    new Network([6, 4, 3]).layer(26, [1, 3, 2, 12], [], [19, { 0: { int: 2 } }]).conv(4, [3, 3], SAME),
};

function inputs(length: number): Int8Array[] {
  const random = new Random(11);
  return Array.from({ length: 4 }, () => Int8Array.from({ length }, () => random.integer(256) - 128));
}

describe.skipIf(!existsSync(RUNTIME_FOLDER))('beside LiteRT', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await loadRuntime();
  });

  it.each(Object.entries(CASES))('%s', (_, build) => {
    const bytes = build().bytes();
    const model = readTflite(bytes, { rounding: 'single' });
    if (model.kind !== 'int8') throw new Error(`read as ${model.kind}`);
    const interpreter = createInt8Interpreter(model.graph);
    const reference = runtime.open(bytes);
    for (const input of inputs(interpreter.inputLength)) {
      const wanted = Array.from(reference.run(input));
      expect(new Set(wanted).size).toBeGreaterThan(3);
      expect(Array.from(interpreter.run(input))).toEqual(wanted);
    }
    reference.delete();
  });
});

describe('what is folded leaves nothing behind', () => {
  const kinds = (network: Network): string[] => {
    const model = readTflite(network.bytes());
    return 'graph' in model && model.kind === 'int8' ? model.graph.ops.map(({ kind }) => kind) : [model.kind];
  };

  it('shapes, batches and padding cost no op', () => {
    expect(kinds(CASES['Flatten of any batch']?.() as Network)).toEqual(['conv2d', 'reshape']);
    expect(kinds(dilated())).toEqual(['reshape', 'conv2d', 'reshape']);
    expect(kinds(padded())).toEqual(['conv2d', 'maxPool2d']);
  });

  it('keeps padding where it is more than the window reaches, or of another value', () => {
    const wide = new Network([6, 6, 2]);
    wide.layer(34, [1, 12, 12, 2], [wide.file.integers([0, 0, 3, 3, 3, 3, 0, 0], [4, 2])], [22, {}]);
    expect(kinds(wide.conv(3, [3, 3], VALID))).toEqual(['pad', 'conv2d']);
    const other = new Network([6, 6, 2]);
    const value = other.file.tensor([], { type: 'int8', scale: 1 / 16, zeroPoint: 3, data: Uint8Array.of(40) });
    other.layer(60, [1, 8, 8, 2], [other.file.integers([0, 0, 1, 1, 1, 1, 0, 0], [4, 2]), value], [43, {}]);
    expect(() => kinds(other.conv(3, [3, 3], VALID))).toThrow('another value than zero');
  });
});

describe('storage', () => {
  const network = (options: TensorOptions = {}): Network => {
    const n = new Network([6, 6, 3]);
    const weights = n.weights([5, 3, 3, 3], 5, 0, options);
    const stride = { 0: { byte: SAME }, 1: { int: 1 }, 2: { int: 1 } };
    return n.layer(3, [1, 6, 6, 5], [weights, -1], [1, stride]);
  };
  const run = (bytes: Uint8Array): number[][] => {
    const model = readTflite(bytes);
    if (model.kind !== 'int8') throw new Error(`read as ${model.kind}`);
    const interpreter = createInt8Interpreter(model.graph);
    return inputs(interpreter.inputLength).map((input) => Array.from(interpreter.run(input)));
  };

  it('finds constants behind the file, and other subgraphs do no harm', () => {
    expect(run(network().bytes({ outside: true }))).toEqual(run(network().bytes()));
    expect(run(network().bytes({ subgraphs: 2 }))).toEqual(run(network().bytes()));
    const cut = network().bytes({ outside: true });
    expect(() => run(cut.subarray(0, cut.length - 1))).toThrow('damaged');
  });

  it('reads int4 weights, the first in the low half', () => {
    const values = Int8Array.from({ length: 135 }, (_, i) => ((i * 7) % 16) - 8);
    const packed = Uint8Array.from(
      { length: 68 },
      (_, i) => ((values[2 * i] as number) & 15) | (((values[2 * i + 1] ?? 0) & 15) << 4),
    );
    const scale = [0.03, 0.04, 0.05, 0.02, 0.06];
    const int8 = network({ data: new Uint8Array(values.buffer), scale });
    const int4 = network({ type: 'int4', data: packed, scale });
    expect(run(int4.bytes())).toEqual(run(int8.bytes()));
  });

  it('refuses what it would read wrongly, and says why', () => {
    expect(() => run(network({ sparse: true }).bytes())).toThrow('stored sparse');
    expect(() => run(network({ variable: true }).bytes())).toThrow('is a variable');
  });
});

describe('ends', () => {
  it('leaves uint8 and ARG_MAX to the caller', () => {
    const n = new Network([10], { type: 'uint8', zeroPoint: 131 });
    n.layer(114, [1, 10], [], [89, {}]);
    const weights = n.weights([4, 10], 1, 0);
    n.layer(9, [1, 4], [weights, -1], [8, {}]);
    const scores = n.at;
    n.at = n.file.tensor([1], { type: 'int64' });
    n.file.operation(56, [scores, n.file.integers([1], [])], [n.at], [40, { 0: { byte: 4 } }]);
    const model = readTflite(n.bytes());
    if (model.kind !== 'int8') throw new Error(`read as ${model.kind}`);
    expect(model.graph.ops.map(({ kind }) => kind)).toEqual(['fullyConnected']);
    expect(model.notes.join(' ')).toMatch(/ARG_MAX.*subtract 128/);
  });

  it('names what it does not compile, with a remedy', () => {
    const refused = (code: number): (() => unknown) => {
      const n = new Network([4, 4, 3]).conv(3, [1, 1], SAME).layer(code, [1, 4, 4, 3]);
      return () => readTflite(n.bytes());
    };
    expect(refused(54)).toThrow('Operation 2 is PRELU, which Mote does not compile here. Use LeakyReLU');
    expect(refused(44)).toThrow(/UNIDIRECTIONAL_SEQUENCE_LSTM.*1-D convolutions/);
    expect(refused(32)).toThrow(/CUSTOM.*cut the network before it/);
    expect(refused(38)).toThrow(/SPACE_TO_BATCH_ND.*dilation_rate/);
    expect(refused(200)).toThrow('Operation 2 is number 200');
  });
});
