/**
 * Networks, int8, int16, float or mixed, as `.tflite` files for TensorFlow Lite Micro, LiteRT and OpenMV. Only what the readers
 * ask for is written; the same graph always gives the same bytes.
 */
import { Builder, type Offset } from 'flatbuffers';
import {
  elementCount,
  type Activation,
  type FloatGraph,
  type FloatOp,
  type FloatUnary,
  type TensorId,
} from '../../graph/float-graph';
import { samePadding, type Window2d } from '../../graph/window2d';
import type { FloatWeighted } from '../../quantize/batch-norm';
import type { Int16Graph, Int16Op, Int16Tensor, Int16WeightedOp } from '../../quantize/int16-graph';
import type { Int8Graph, Int8Op, Int8Tensor, LookupFunction } from '../../quantize/int8-graph';
import {
  mixedFromFloat,
  mixedFromInt8,
  type MixedGraph,
  type MixedOp,
  type MixedTensor,
} from '../../quantize/mixed-graph';
import type { WeightedOp } from '../../quantize/ops/folded-bias';
import { activationRangeInt16 } from '../../quantize/ops/int16-parameters';
import { appendLabels, labelsMetadata, METADATA_NAME } from './labels-file';
import { poolPadding } from './pool-padding';
import { TfliteError } from './tflite-error';
import {
  TFLITE_ACTIVATION,
  TFLITE_OPERATOR,
  TFLITE_OPTIONS,
  TFLITE_PADDING,
  TFLITE_TYPE,
  type TfliteOperator,
} from './tflite-schema';

export interface TfliteOptions {
  /** Names of the outputs, one per element: kept as TensorFlow Lite Metadata. */
  readonly labels?: readonly string[];
  readonly description?: string;
}

/**
 * The oldest version of an operator that has what is written, as the converter gives it
 * (tensorflow/lite/tools/versioning/op_version.cc). Operators not named here: 1.
 */
const INT8_VERSIONS: Partial<Record<TfliteOperator, number>> = {
  ADD: 2,
  AVERAGE_POOL_2D: 2,
  CONCATENATION: 2,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 3,
  DEQUANTIZE: 2,
  FULLY_CONNECTED: 4,
  LOGISTIC: 2,
  MAX_POOL_2D: 2,
  MEAN: 2,
  MUL: 2,
  PAD: 2,
  RELU: 2,
  RELU6: 2,
  RESIZE_NEAREST_NEIGHBOR: 2,
  SOFTMAX: 2,
  STRIDED_SLICE: 2,
  SUB: 2,
  TANH: 2,
  TRANSPOSE: 2,
};

/** The same for int16 activations. */
const INT16_VERSIONS: Partial<Record<TfliteOperator, number>> = {
  ADD: 3,
  AVERAGE_POOL_2D: 3,
  CONCATENATION: 3,
  CONV_2D: 4,
  DEPTHWISE_CONV_2D: 5,
  FULLY_CONNECTED: 7,
  LEAKY_RELU: 2,
  LOGISTIC: 3,
  MAX_POOL_2D: 3,
  MEAN: 3,
  MUL: 4,
  PAD: 3,
  QUANTIZE: 2,
  RELU: 3,
  RELU6: 3,
  RESIZE_NEAREST_NEIGHBOR: 4,
  SOFTMAX: 3,
  SUB: 5,
  TANH: 3,
  TRANSPOSE: 5,
};

const UNARY_OPERATOR: Readonly<Record<FloatUnary['function'], TfliteOperator>> = {
  relu: 'RELU',
  relu6: 'RELU6',
  leakyRelu: 'LEAKY_RELU',
  hardSwish: 'HARD_SWISH',
  logistic: 'LOGISTIC',
  tanh: 'TANH',
};

const LOOKUP_OPERATOR: Readonly<Record<LookupFunction, TfliteOperator>> = { ...UNARY_OPERATOR, quantize: 'QUANTIZE' };

const ACTIVATION_CODE: Readonly<Record<Activation, number>> = {
  none: TFLITE_ACTIVATION.NONE,
  relu: TFLITE_ACTIVATION.RELU,
  relu6: TFLITE_ACTIVATION.RELU6,
};

/** TensorFlow Lite Micro joins no more at once (`kMaxInputNum` in micro/kernels/concatenation.cc). */
const MOST_CONCATENATED = 10;

const VERSIONS: ReadonlyMap<number, Partial<Record<TfliteOperator, number>>> = new Map([
  [TFLITE_TYPE.INT8, INT8_VERSIONS],
  [TFLITE_TYPE.INT16, INT16_VERSIONS],
]);

interface Quantization {
  readonly scales: ArrayLike<number>;
  /** One for all scales. */
  readonly zeroPoint: number;
  readonly axis: number;
}

type WrittenTensor = MixedTensor | ({ readonly type: 'int16' } & Int16Tensor);

/** What the writer takes: layers of any type, each on tensors of its own. */
interface WrittenGraph {
  readonly tensors: readonly WrittenTensor[];
  readonly ops: readonly (MixedOp | { readonly type: 'int16'; readonly op: Int16Op })[];
  readonly input: TensorId;
  readonly output: TensorId;
}

interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly data: Uint8Array | null;
  readonly quantization: Quantization | null;
}

interface OperatorEntry {
  readonly name: TfliteOperator;
  readonly version: number;
  readonly inputs: readonly number[];
  readonly output: number;
  readonly optionsType: number;
  readonly options: ((builder: Builder) => Offset) | null;
}

/** Bytes of the file. Throws TfliteError `unsupported-shape` for a layer that the format cannot express. */
export function writeTflite(graph: Int8Graph, options: TfliteOptions = {}): Uint8Array {
  return writeMixedTflite(mixedFromInt8(graph), options);
}

/** A float network, for comparison with the int8 one. Batch normalizations become MUL and ADD. Throws likewise. */
export function writeFloatTflite(graph: FloatGraph, options: TfliteOptions = {}): Uint8Array {
  return writeMixedTflite(mixedFromFloat(graph), options);
}

/** A network with int16 activations, TensorFlow Lite's 16x8. Throws likewise. */
export function writeInt16Tflite(graph: Int16Graph, options: TfliteOptions = {}): Uint8Array {
  const tensors = graph.tensors.map((tensor) => ({ type: 'int16', ...tensor }) as const);
  const ops = graph.ops.map((op) => ({ type: 'int16', op }) as const);
  return new Writer({ ...graph, tensors, ops }).write(options);
}

/** A network with int8 and float layers. Throws likewise. */
export function writeMixedTflite(graph: MixedGraph, options: TfliteOptions = {}): Uint8Array {
  return new Writer(graph).write(options);
}

/** A table with the given fields, defaults written out: slot -> [size in bytes, value]. */
function table(builder: Builder, fields: readonly (readonly ['i8' | 'i32' | 'f32' | 'bool', number])[]): Offset {
  builder.startObject(fields.length);
  builder.forceDefaults(true);
  fields.forEach(([type, value], slot) => {
    if (type === 'i8' || type === 'bool') builder.addFieldInt8(slot, value, 0);
    else if (type === 'i32') builder.addFieldInt32(slot, value, 0);
    else builder.addFieldFloat32(slot, value, 0);
  });
  builder.forceDefaults(false);
  return builder.endObject();
}

class Writer {
  readonly #tensors: TensorEntry[] = [];
  readonly #operators: OperatorEntry[] = [];

  constructor(private readonly graph: WrittenGraph) {
    for (const tensor of graph.tensors) this.#tensors.push(activation(tensor));
    graph.ops.forEach(({ type, op }, index) => {
      if (type !== 'conversion') return this.#op(op, index);
      const [name, options] =
        op.kind === 'quantize'
          ? (['QUANTIZE', TFLITE_OPTIONS.QUANTIZE] as const)
          : (['DEQUANTIZE', TFLITE_OPTIONS.DEQUANTIZE] as const);
      this.#push(name, [op.input], op.output, options, []);
    });
  }

  #tensor(id: TensorId): WrittenTensor {
    return this.graph.tensors[id] as WrittenTensor;
  }

  #add(entry: TensorEntry): number {
    this.#tensors.push(entry);
    return this.#tensors.length - 1;
  }

  #integers(name: string, values: readonly number[]): number {
    const data = new Uint8Array(Int32Array.from(values).buffer);
    return this.#add({ name, shape: [values.length], type: TFLITE_TYPE.INT32, data, quantization: null });
  }

  #floats(name: string, shape: readonly number[], values: Float32Array): number {
    return this.#add({ name, shape, type: TFLITE_TYPE.FLOAT32, data: bytesOf(values), quantization: null });
  }

  /** Weights and bias of a layer, as inputs 1 and 2. */
  #weighted(
    op: WeightedOp | Int16WeightedOp | FloatWeighted,
    input: WrittenTensor,
    shape: readonly number[],
    axis: number,
    name: string,
  ): [number, number] {
    if (!('weightScale' in op)) {
      const [weights, bias] = [this.#floats(`${name}/weights`, shape, op.weights), [op.bias.length]];
      return [weights, this.#floats(`${name}/bias`, bias, op.bias)];
    }
    const { scale } = input as Int8Tensor | Int16Tensor;
    const wide = 'sums' in op && op.sums === 'int64';
    const biases = wide ? BigInt64Array.from(op.bias, BigInt) : Int32Array.from(op.bias);
    const weights = this.#add({
      name: `${name}/weights`,
      shape,
      type: TFLITE_TYPE.INT8,
      data: new Uint8Array(op.weights.buffer, op.weights.byteOffset, op.weights.length).slice(),
      quantization: { scales: op.weightScale, zeroPoint: 0, axis },
    });
    const bias = this.#add({
      name: `${name}/bias`,
      shape: [op.bias.length],
      type: wide ? TFLITE_TYPE.INT64 : TFLITE_TYPE.INT32,
      data: new Uint8Array(biases.buffer),
      quantization: { scales: op.weightScale.map((each) => each * scale), zeroPoint: 0, axis: 0 },
    });
    return [weights, bias];
  }

  /** The fused activation that gives this clamp. */
  #activation(
    range: { readonly actMin: number; readonly actMax: number } | { readonly activation: Activation },
    tensor: WrittenTensor,
    index: number,
  ): number {
    if ('activation' in range) return ACTIVATION_CODE[range.activation];
    if (tensor.type === 'int16') {
      const name = (['none', 'relu', 'relu6'] as const).find((each) => {
        const { actMin, actMax } = activationRangeInt16(each, tensor.scale);
        return actMin === range.actMin && actMax === range.actMax;
      });
      return name ? ACTIVATION_CODE[name] : noActivation(range, index);
    }
    const output = tensor as Int8Tensor;
    const six = Math.min(127, output.zeroPoint + roundHalfAway(Math.fround(6 / output.scale)));
    const low = Math.max(-128, output.zeroPoint);
    if (range.actMin === -128 && range.actMax === 127) return TFLITE_ACTIVATION.NONE;
    if (range.actMin === low && range.actMax === 127) return TFLITE_ACTIVATION.RELU;
    if (range.actMin === low && range.actMax === six) return TFLITE_ACTIVATION.RELU6;
    return noActivation(range, index);
  }

  /**
   * SAME or VALID for a window; where neither gives this padding, a PAD comes first and the window reads its output.
   */
  #padding(window: Window2d, input: TensorId, index: number): { readonly code: number; readonly input: number } {
    const [height = 0, width = 0, channels = 0] = this.#tensor(input).shape;
    const { padTop, padBottom, padLeft, padRight } = window;
    if (padTop + padBottom + padLeft + padRight === 0) return { code: TFLITE_PADDING.VALID, input };
    const vertical = samePadding(height, window.kernelHeight, window.strideHeight, window.dilationHeight);
    const horizontal = samePadding(width, window.kernelWidth, window.strideWidth, window.dilationWidth);
    if (
      vertical.before === padTop &&
      vertical.after === padBottom &&
      horizontal.before === padLeft &&
      horizontal.after === padRight &&
      // XNNPACK misplaces SAME windows that leave input between them: a PAD says the same without doubt.
      window.strideHeight <= window.kernelHeight &&
      window.strideWidth <= window.kernelWidth
    ) {
      return { code: TFLITE_PADDING.SAME, input };
    }
    const source = this.#tensor(input);
    const padded = this.#add(
      activation({
        ...source,
        name: `${source.name}/padded${index}`,
        shape: [height + padTop + padBottom, width + padLeft + padRight, channels],
      }),
    );
    const amounts = this.#integers(`padding${index}`, [0, 0, padTop, padBottom, padLeft, padRight, 0, 0]);
    const pairs = this.#tensors[amounts] as TensorEntry;
    this.#tensors[amounts] = { ...pairs, shape: [4, 2] };
    this.#push('PAD', [input, amounts], padded, TFLITE_OPTIONS.PAD, []);
    return { code: TFLITE_PADDING.VALID, input: padded };
  }

  #push(
    name: TfliteOperator,
    inputs: readonly number[],
    output: number,
    optionsType: number = TFLITE_OPTIONS.NONE,
    fields: readonly (readonly ['i8' | 'i32' | 'f32' | 'bool', number])[] | null = null,
    /** What the operator is asked to do needs at least this version. */
    least = 1,
  ): void {
    const options = fields === null ? null : (builder: Builder) => table(builder, fields);
    const input = this.#tensors[inputs[0] as number] as TensorEntry;
    const plain = VERSIONS.get(input.type)?.[name] ?? 1;
    this.#operators.push({ name, version: Math.max(plain, least), inputs, output, optionsType, options });
  }

  /** In parts when there are many. */
  #concat(inputs: readonly number[], axis: number, output: number): void {
    let parts = inputs;
    for (let n = 0; parts.length > MOST_CONCATENATED; n++) {
      const some = parts.slice(0, MOST_CONCATENATED);
      const to = this.#tensors[output] as TensorEntry;
      const size = some.reduce((sum, id) => sum + ((this.#tensors[id] as TensorEntry).shape[axis + 1] as number), 0);
      const shape = to.shape.map((length, i) => (i === axis + 1 ? size : length));
      const joined = this.#add({ ...to, name: `${to.name}/joined${n}`, shape });
      this.#concat(some, axis, joined);
      parts = [joined, ...parts.slice(MOST_CONCATENATED)];
    }
    this.#push('CONCATENATION', parts, output, TFLITE_OPTIONS.CONCATENATION, [
      ['i32', axis + 1],
      ['i8', TFLITE_ACTIVATION.NONE],
    ]);
  }

  #op(op: Int8Op | Int16Op | FloatOp, index: number): void {
    const [first = 0, second = 0] = 'inputs' in op ? op.inputs : [op.input];
    const [from, to] = [this.#tensor(first), this.#tensor(op.output)];
    const name = `layer${index}`;
    switch (op.kind) {
      case 'fullyConnected': {
        const units = op.bias.length;
        const shape = [units, op.weights.length / units];
        const constants = this.#weighted(op, from, shape, 0, name);
        const keepDims = to.shape.length > 1;
        this.#push(
          'FULLY_CONNECTED',
          [first, ...constants],
          op.output,
          TFLITE_OPTIONS.FULLY_CONNECTED,
          [
            ['i8', this.#activation(op, to, index)],
            ['i8', 0],
            ['bool', keepDims ? 1 : 0],
          ],
          keepDims ? 5 : 1,
        );
        return;
      }
      case 'conv2d':
      case 'depthwiseConv2d': {
        const { window } = op;
        const padding = this.#padding(window, first, index);
        const kernel = [window.kernelHeight, window.kernelWidth];
        const depthwise = op.kind === 'depthwiseConv2d';
        const taps = op.weights.length / op.bias.length / (window.kernelHeight * window.kernelWidth);
        const shape = depthwise ? [1, ...kernel, op.bias.length] : [op.bias.length, ...kernel, taps];
        const constants = this.#weighted(op, from, shape, depthwise ? 3 : 0, name);
        const act = this.#activation(op, to, index);
        const strides = [
          ['i8', padding.code],
          ['i32', window.strideWidth],
          ['i32', window.strideHeight],
        ] as const;
        const dilations = [
          ['i32', window.dilationWidth],
          ['i32', window.dilationHeight],
        ] as const;
        if (depthwise) {
          const fields = [...strides, ['i32', op.depthMultiplier], ['i8', act], ...dilations] as const;
          this.#push(
            'DEPTHWISE_CONV_2D',
            [padding.input, ...constants],
            op.output,
            TFLITE_OPTIONS.DEPTHWISE_CONV_2D,
            fields,
            window.dilationHeight > 1 || window.dilationWidth > 1 ? 2 : 1,
          );
        } else {
          const fields = [...strides, ['i8', act], ...dilations] as const;
          const least = op.kind === 'conv2d' && op.groups > 1 ? 6 : 1;
          this.#push('CONV_2D', [padding.input, ...constants], op.output, TFLITE_OPTIONS.CONV_2D, fields, least);
        }
        return;
      }
      case 'maxPool2d':
      case 'averagePool2d': {
        const code = poolPadding(op.window, from.shape, index);
        this.#push(
          op.kind === 'maxPool2d' ? 'MAX_POOL_2D' : 'AVERAGE_POOL_2D',
          [first],
          op.output,
          TFLITE_OPTIONS.POOL_2D,
          [
            ['i8', code],
            ['i32', op.window.strideWidth],
            ['i32', op.window.strideHeight],
            ['i32', op.window.kernelWidth],
            ['i32', op.window.kernelHeight],
            ['i8', this.#activation(op, to, index)],
          ],
        );
        return;
      }
      case 'mean': {
        const axes = this.#integers(`axes${index}`, meanAxes(op, from.shape, index));
        this.#push('MEAN', [first, axes], op.output, TFLITE_OPTIONS.REDUCER, [['bool', 0]]);
        return;
      }
      case 'add':
        this.#push(
          op.subtract ? 'SUB' : 'ADD',
          [first, second],
          op.output,
          op.subtract ? TFLITE_OPTIONS.SUB : TFLITE_OPTIONS.ADD,
          [
            ['i8', this.#activation(op, to, index)],
            // Scales of any size, not powers of two, which is what int16 sums have by default.
            ...(to.type === 'int16' ? [['bool', 0] as const] : []),
          ],
          // Broadcasting a difference over five dimensions came later.
          op.subtract && to.shape.length > 3 && elementCount(this.#tensor(second).shape) < elementCount(to.shape)
            ? 3
            : 1,
        );
        return;
      case 'mul': {
        const scales = [from, this.#tensor(second), to].map((tensor) => (tensor.type === 'int8' ? tensor.scale : 0));
        const [a = 0, b = 0, c = 0] = scales;
        const act = this.#activation(op, to, index);
        this.#push(
          'MUL',
          [first, second],
          op.output,
          TFLITE_OPTIONS.MUL,
          [['i8', act]],
          c > 0 && (a * b) / c >= 1 ? 3 : 1,
        );
        return;
      }
      case 'concat':
        return this.#concat(op.inputs, op.axis, op.output);
      case 'pad': {
        const pairs = op.before.flatMap((before, axis) => [before, op.after[axis] as number]);
        const amounts = this.#integers(`padding${index}`, [0, 0, ...pairs]);
        this.#tensors[amounts] = { ...(this.#tensors[amounts] as TensorEntry), shape: [op.before.length + 1, 2] };
        this.#push('PAD', [first, amounts], op.output, TFLITE_OPTIONS.PAD, [], op.before.length > 3 ? 4 : 1);
        return;
      }
      case 'reshape':
        this.#push('RESHAPE', [first, this.#integers(`shape${index}`, [1, ...to.shape])], op.output);
        return;
      case 'transpose': {
        const order = this.#integers(`order${index}`, [0, ...op.permutation.map((axis) => axis + 1)]);
        this.#push(
          'TRANSPOSE',
          [first, order],
          op.output,
          TFLITE_OPTIONS.TRANSPOSE,
          [],
          op.permutation.length > 3 ? 4 : 1,
        );
        return;
      }
      case 'scaleShift': {
        const shape = [op.scale.length];
        const scaled = this.#add({ ...activation(to), name: `${to.name}/scaled` });
        const none = [['i8', TFLITE_ACTIVATION.NONE]] as const;
        const scale = this.#floats(`${name}/scale`, shape, op.scale);
        this.#push('MUL', [first, scale], scaled, TFLITE_OPTIONS.MUL, none);
        const shift = this.#floats(`${name}/shift`, shape, op.shift);
        this.#push('ADD', [scaled, shift], op.output, TFLITE_OPTIONS.ADD, none);
        return;
      }
      case 'unary':
      case 'lookup':
      case 'sigmoid':
      case 'rescale': {
        const operator = LOOKUP_OPERATOR[op.function];
        if (operator === 'LEAKY_RELU' && 'alpha' in op)
          this.#push(operator, [first], op.output, TFLITE_OPTIONS.LEAKY_RELU, [['f32', op.alpha]]);
        else if (operator === 'QUANTIZE') this.#push(operator, [first], op.output, TFLITE_OPTIONS.QUANTIZE, []);
        else if (operator === 'HARD_SWISH') this.#push(operator, [first], op.output, TFLITE_OPTIONS.HARD_SWISH, []);
        else this.#push(operator, [first], op.output);
        return;
      }
      case 'stridedSlice': {
        const end = op.begin.map(
          (begin, axis) => begin + ((to.shape[axis] as number) - 1) * (op.strides[axis] as number) + 1,
        );
        const inputs = [
          this.#integers(`begin${index}`, [0, ...op.begin]),
          this.#integers(`end${index}`, [1, ...end]),
          this.#integers(`strides${index}`, [1, ...op.strides]),
        ];
        this.#push(
          'STRIDED_SLICE',
          [first, ...inputs],
          op.output,
          TFLITE_OPTIONS.STRIDED_SLICE,
          [
            ['i32', 0],
            ['i32', 0],
            ['i32', 0],
            ['i32', 0],
            ['i32', 0],
          ],
          op.begin.length > 3 ? 4 : 1,
        );
        return;
      }
      case 'resizeNearest': {
        const size = this.#integers(`size${index}`, to.shape.slice(0, 2));
        this.#push(
          'RESIZE_NEAREST_NEIGHBOR',
          [first, size],
          op.output,
          TFLITE_OPTIONS.RESIZE_NEAREST,
          [
            ['bool', op.alignCorners ? 1 : 0],
            ['bool', op.halfPixelCenters ? 1 : 0],
          ],
          op.alignCorners || op.halfPixelCenters ? 3 : 1,
        );
        return;
      }
      case 'softmax':
        this.#push('SOFTMAX', [first], op.output, TFLITE_OPTIONS.SOFTMAX, [['f32', 1]]);
        return;
    }
  }

  write({ labels, description = 'Made with Mote' }: TfliteOptions): Uint8Array {
    const builder = new Builder(1 << 16);
    const offsets = (list: readonly Offset[]): Offset => {
      builder.startVector(4, list.length, 4);
      for (const offset of [...list].reverse()) builder.addOffset(offset);
      return builder.endVector();
    };
    const int32s = (values: readonly number[]): Offset => {
      builder.startVector(4, values.length, 4);
      for (const value of [...values].reverse()) builder.addInt32(value);
      return builder.endVector();
    };
    const buffer = (data: Uint8Array | null): Offset => {
      let vector: Offset = 0;
      if (data) {
        builder.startVector(1, data.length, 16);
        for (let i = data.length - 1; i >= 0; i--) builder.addInt8(data[i] as number);
        vector = builder.endVector();
      }
      builder.startObject(1);
      if (data) builder.addFieldOffset(0, vector, 0);
      return builder.endObject();
    };
    const metadata: readonly (readonly [string, Uint8Array])[] = [
      ['min_runtime_version', minimumVersion()],
      ...(labels ? [[METADATA_NAME, labelsMetadata(description)] as const] : []),
    ];

    // Buffer 0 must be empty: activations refer to it.
    const buffers: Uint8Array[] = [];
    const bufferOf = (data: Uint8Array | null): number => (data ? buffers.push(data) : 0);
    const tensorBuffers = this.#tensors.map(({ data }) => bufferOf(data));
    const metadataBuffers = metadata.map(([, data]) => bufferOf(data));
    const bufferTable = offsets([buffer(null), ...buffers.map(buffer)]);

    const tensors = offsets(
      this.#tensors.map(({ name, shape, type, quantization }, index) => {
        const text = builder.createString(name);
        const dims = int32s(shape);
        let parameters: Offset = 0;
        if (quantization) {
          const { scales, zeroPoint, axis } = quantization;
          builder.startVector(4, scales.length, 4);
          for (let i = scales.length - 1; i >= 0; i--) builder.addFloat32(scales[i] as number);
          const scale = builder.endVector();
          builder.startVector(8, scales.length, 8);
          for (let i = 0; i < scales.length; i++) builder.addInt64(BigInt(zeroPoint));
          const zeros = builder.endVector();
          builder.startObject(7);
          builder.addFieldOffset(2, scale, 0);
          builder.addFieldOffset(3, zeros, 0);
          builder.addFieldInt32(6, axis, 0);
          parameters = builder.endObject();
        }
        builder.startObject(5);
        builder.addFieldOffset(0, dims, 0);
        builder.addFieldInt8(1, type, 0);
        builder.addFieldInt32(2, tensorBuffers[index] as number, 0);
        builder.addFieldOffset(3, text, 0);
        if (parameters) builder.addFieldOffset(4, parameters, 0);
        return builder.endObject();
      }),
    );

    const codeOf = ({ name, version }: OperatorEntry): string => `${name} ${version}`;
    const kinds = [...new Map(this.#operators.map((operator) => [codeOf(operator), operator])).values()];
    const kindIndex = new Map(kinds.map((kind, index) => [codeOf(kind), index]));
    const operators = offsets(
      this.#operators.map((operator) => {
        const { inputs, output, optionsType, options } = operator;
        const [from, to] = [int32s(inputs), int32s([output])];
        const table = options?.(builder) ?? 0;
        builder.startObject(5);
        builder.addFieldInt32(0, kindIndex.get(codeOf(operator)) as number, 0);
        builder.addFieldOffset(1, from, 0);
        builder.addFieldOffset(2, to, 0);
        builder.addFieldInt8(3, optionsType, 0);
        if (table) builder.addFieldOffset(4, table, 0);
        return builder.endObject();
      }),
    );
    const [inputs, outputs] = [int32s([this.graph.input]), int32s([this.graph.output])];
    const title = builder.createString('main');
    builder.startObject(5);
    builder.addFieldOffset(0, tensors, 0);
    builder.addFieldOffset(1, inputs, 0);
    builder.addFieldOffset(2, outputs, 0);
    builder.addFieldOffset(3, operators, 0);
    builder.addFieldOffset(4, title, 0);
    const subgraphs = offsets([builder.endObject()]);

    const codes = offsets(
      kinds.map(({ name, version }) => {
        builder.startObject(4);
        builder.addFieldInt8(0, TFLITE_OPERATOR[name], 0);
        builder.addFieldInt32(2, version, 1);
        builder.addFieldInt32(3, TFLITE_OPERATOR[name], 0);
        return builder.endObject();
      }),
    );
    const entries = offsets(
      metadata.map(([name], index) => {
        const text = builder.createString(name);
        builder.startObject(2);
        builder.addFieldOffset(0, text, 0);
        builder.addFieldInt32(1, metadataBuffers[index] as number, 0);
        return builder.endObject();
      }),
    );
    const words = builder.createString(description);
    builder.startObject(8);
    builder.addFieldInt32(0, 3, 0);
    builder.addFieldOffset(1, codes, 0);
    builder.addFieldOffset(2, subgraphs, 0);
    builder.addFieldOffset(3, words, 0);
    builder.addFieldOffset(4, bufferTable, 0);
    builder.addFieldOffset(6, entries, 0);
    builder.finish(builder.endObject(), 'TFL3');
    const model = builder.asUint8Array().slice();
    return labels ? appendLabels(model, labels) : model;
  }
}

/** The runtime that int8 per channel needs at least, in a buffer of 16 bytes. */
function minimumVersion(): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(new TextEncoder().encode('1.14.0'));
  return bytes;
}

function activation(tensor: WrittenTensor): TensorEntry {
  const { name, data } = tensor;
  // One value per channel goes without a batch; what has rows has one, as the operand that it meets.
  const shape = data && tensor.shape.length === 1 ? tensor.shape : [1, ...tensor.shape];
  const common = { name, shape, data: data ? bytesOf(data) : null };
  if (tensor.type === 'float') return { ...common, type: TFLITE_TYPE.FLOAT32, quantization: null };
  const { scale, zeroPoint } = tensor;
  const type = tensor.type === 'int16' ? TFLITE_TYPE.INT16 : TFLITE_TYPE.INT8;
  return { ...common, type, quantization: { scales: [scale], zeroPoint, axis: 0 } };
}

function noActivation({ actMin, actMax }: { readonly actMin: number; readonly actMax: number }, index: number): never {
  throw new TfliteError(
    'unsupported-shape',
    `Operation ${index + 1} clamps to ${actMin}..${actMax}, which no activation of TensorFlow Lite does.`,
  );
}

/** A copy of the values' bytes; little-endian, as every machine that runs this. */
function bytesOf(values: Int8Array | Int16Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
}

/** The axes, with the batch, that [outer, count, inner] stands for. */
function meanAxes(
  op: { readonly outer: number; readonly count: number },
  shape: readonly number[],
  index: number,
): number[] {
  for (let first = 0; first < shape.length; first++) {
    if (elementCount(shape.slice(0, first)) !== op.outer) continue;
    for (let last = first + 1; last <= shape.length; last++) {
      if (elementCount(shape.slice(first, last)) === op.count) {
        return Array.from({ length: last - first }, (_, i) => first + i + 1);
      }
    }
  }
  throw new TfliteError('unsupported-shape', `Operation ${index + 1} averages over no whole axes.`);
}

function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}
