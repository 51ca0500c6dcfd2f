/** `.tflite` files as graphs: bring your own model. Everything in the file is untrusted. */
import { checkFloatGraph } from '../../graph/check';
import {
  elementCount,
  type Activation,
  type FloatGraph,
  type FloatOp,
  type FloatTensor,
  type FloatUnary,
} from '../../graph/float-graph';
import { samePadding, type Window2d } from '../../graph/window2d';
import { checkInt8Graph } from '../../quantize/check';
import { checkInt16Graph } from '../../quantize/check-int16';
import type { Int16Graph, Int16Op, Int16Tensor, Int16Weighted } from '../../quantize/int16-graph';
import type { Int8Graph, Int8Op, Int8Tensor, LookupFunction, Rounding } from '../../quantize/int8-graph';
import { checkMixedGraph, type MixedGraph, type MixedOp, type MixedTensor } from '../../quantize/mixed-graph';
import { activationRange } from '../../quantize/ops/activation-range';
import { addParameters, mulParameters } from '../../quantize/ops/elementwise';
import {
  activationRangeInt16,
  addParametersInt16,
  rescaleParameters,
  sigmoidParameters,
  softmaxParametersInt16,
} from '../../quantize/ops/int16-parameters';
import { lookupTable } from '../../quantize/ops/lookup';
import { meanParameters } from '../../quantize/ops/mean';
import { convMultipliers, fullyConnectedMultipliers } from '../../quantize/ops/output-multipliers';
import { softmaxParameters } from '../../quantize/softmax';
import { FlatFile, type FlatTable } from './flat-table';
import { appendedLabels, labelLines, METADATA_NAME } from './labels-file';
import { TfliteError } from './tflite-error';
import { simplifyOperations } from './simplify-operations';
import type { FileOperation, FileTensor as Tensor, Operation as Operator } from './tflite-parts';
import {
  IMPORT_ONLY_OPERATOR,
  OTHER_OPERATORS,
  TFLITE_ACTIVATION,
  TFLITE_OPERATOR,
  TFLITE_PADDING,
  TFLITE_TYPE,
  type TfliteOperator,
} from './tflite-schema';
import { unknownOperator } from './unknown-operator';

export type ImportedModel = {
  readonly description: string;
  /** From the file's metadata; null when it names none. */
  readonly labels: readonly string[] | null;
  /** What was changed on the way, for people. */
  readonly notes: readonly string[];
} & (
  | { readonly kind: 'int8'; readonly graph: Int8Graph }
  | { readonly kind: 'int16'; readonly graph: Int16Graph }
  | { readonly kind: 'float'; readonly graph: FloatGraph }
  /** Int8 and float layers, with conversions between them. */
  | { readonly kind: 'mixed'; readonly graph: MixedGraph }
);

/** Files above this are no models for microcontrollers. */
export const MAX_TFLITE_BYTES = 64 * 1024 * 1024;
const MAX_ELEMENTS = 1 << 22;
const INTEGER_TYPES: ReadonlySet<number> = new Set([TFLITE_TYPE.INT8, TFLITE_TYPE.INT16]);

export interface ReadOptions {
  /** How the integer network is to round: no file says it. Default double. */
  readonly rounding?: Rounding;
}

/**
 * Reads and verifies a model. Throws TfliteError (`not-tflite`, `version`, `corrupt`, `unknown-op`, `unsupported-type`,
 * `unsupported-shape`, `too-large`), or QuantizeError and GraphError where the network itself cannot be run safely.
 */
export function readTflite(bytes: Uint8Array, { rounding = 'double' }: ReadOptions = {}): ImportedModel {
  return new Reader(bytes, rounding).read();
}

class Reader {
  readonly #file: FlatFile;
  readonly #notes: string[] = [];
  #tensors: readonly Tensor[] = [];
  #operators: readonly Operator[] = [];

  constructor(
    bytes: Uint8Array,
    private readonly rounding: Rounding,
  ) {
    if (bytes.length > MAX_TFLITE_BYTES) {
      throw new TfliteError('too-large', 'This file is larger than 64 MB: no microcontroller holds such a model.');
    }
    this.#file = new FlatFile(bytes);
  }

  read(): ImportedModel {
    const { bytes } = this.#file;
    if (bytes.length < 8 || String.fromCharCode(...bytes.subarray(4, 8)) !== 'TFL3') {
      throw new TfliteError(
        'not-tflite',
        'This is not a TensorFlow Lite model: it does not carry the mark "TFL3". Choose the .tflite file that the ' +
          'converter wrote.',
      );
    }
    const model = this.#file.root();
    if (model.u32(0) !== 3) {
      throw new TfliteError('version', `This model has the schema version ${model.u32(0)}; only version 3 exists.`);
    }
    const subgraphs = model.tables(2);
    const [subgraph] = subgraphs;
    if (!subgraph) throw new TfliteError('corrupt', 'This model has no subgraph, so there is no network in it.');
    if (subgraphs.length > 1) {
      this.#notes.push(`The model has ${subgraphs.length} subgraphs; the first is compiled, and none of the others.`);
    }
    const buffers = model.tables(4);
    const tensors = subgraph.tables(0).map((table) => this.#tensor(table, buffers));
    const codes = model.tables(1).map((code) => Math.max(code.i8(0), code.i32(3)));
    const operations = subgraph.tables(3).map((table, index) => this.#operation(table, index, codes));
    const inputs = subgraph.i32List(1);
    const outputs = subgraph.i32List(2);
    if (inputs.length !== 1 || outputs.length !== 1) {
      throw new TfliteError(
        'unsupported-shape',
        `This model has ${inputs.length} inputs and ${outputs.length} outputs; one of each is supported. ` +
          'Join them by a concatenation in the model, or convert each part on its own.',
      );
    }
    const simple = simplifyOperations({
      tensors,
      operations,
      input: inputs[0] as number,
      output: outputs[0] as number,
    });
    this.#tensors = simple.tensors;
    this.#operators = simple.operations;
    this.#notes.push(...simple.notes);
    const ends = { input: simple.input, output: simple.output };
    const shared = { description: model.text(3), labels: this.#labels(model, buffers), notes: this.#notes };
    if (this.#isMixed(ends)) {
      const builder = new MixedBuilder(this.#tensors, this.#operators);
      const graph = builder.build(ends.input, ends.output);
      this.#notes.push(...builder.notes());
      return { ...shared, kind: 'mixed', graph };
    }
    const { input, output } = this.#strip(ends.input, ends.output);
    const [from, to] = [this.#at(input), this.#at(output)];
    const isFloat = from.type === TFLITE_TYPE.FLOAT32 && to.type === TFLITE_TYPE.FLOAT32;
    if (isFloat) {
      const builder = new FloatBuilder(this.#tensors, this.#operators);
      const graph = builder.build(input, output);
      this.#notes.push(...builder.notes());
      return { ...shared, kind: 'float', graph };
    }
    if (from.type === TFLITE_TYPE.INT16) {
      const graph = new Int16Builder(this.#tensors, this.#operators, this.rounding).build(input, output);
      return { ...shared, kind: 'int16', graph };
    }
    const graph = new Int8Builder(this.#tensors, this.#operators, this.rounding).build(input, output);
    return { ...shared, kind: 'int8', graph };
  }

  /** Whether some layers compute in int8 and others in float; a float border around an int8 network does not count. */
  #isMixed({ input, output }: { readonly input: number; readonly output: number }): boolean {
    const types = new Set<number>();
    for (const op of this.#operators) {
      const first = op.inputs[0] as number;
      const [from, to] = [this.#at(first), this.#at(op.output)];
      // Constants that are widened are no layers.
      if (from.data) continue;
      const converts = (op.name === 'QUANTIZE' || op.name === 'DEQUANTIZE') && from.type !== to.type;
      if (!converts) types.add(to.type);
      else if (op.name === 'QUANTIZE' ? !this.#isOnlyUser(op, input) : op.output !== output) return true;
    }
    return types.has(TFLITE_TYPE.INT8) && types.has(TFLITE_TYPE.FLOAT32);
  }

  /** Whether the op is the one that reads a tensor. */
  #isOnlyUser(op: Operator, tensor: number): boolean {
    return this.#operators.every((other) => other.inputs.includes(tensor) === (other === op));
  }

  #at(id: number): Tensor {
    return (
      this.#tensors[id] ??
      (() => {
        throw new TfliteError('corrupt', `The network refers to tensor ${id}, which does not exist.`);
      })()
    );
  }

  #tensor(table: FlatTable, buffers: readonly FlatTable[]): Tensor {
    const shape = table.i32List(0);
    if (
      shape.length > 8 ||
      shape.some((size) => size < 1 || size > MAX_ELEMENTS) ||
      elementCount(shape) > MAX_ELEMENTS
    ) {
      throw new TfliteError(
        'unsupported-shape',
        `The tensor "${table.text(3)}" has the shape [${shape.slice(0, 8).join(', ')}]. Convert the model with fixed ` +
          'sizes and a batch of 1.',
      );
    }
    const buffer = buffers[table.u32(2)];
    if (!buffer) throw new TfliteError('corrupt', 'A tensor refers to a buffer that does not exist.');
    if (table.has(6)) {
      throw new TfliteError(
        'unsupported-type',
        `The tensor "${table.text(3)}" is stored sparse. Convert the model without sparse storage: zeros in weights are fine.`,
      );
    }
    if (table.bool(5)) {
      throw new TfliteError(
        'unsupported-type',
        `The tensor "${table.text(3)}" is a variable, which keeps its value from one run to the next. Only networks without ` +
          'memory are supported: give a whole window as the input.',
      );
    }
    const data = this.#bufferBytes(buffer);
    const quantization = table.table(4);
    const isInt4 = table.i8(1) === TFLITE_TYPE.INT4;
    return {
      name: table.text(3),
      shape,
      type: isInt4 ? TFLITE_TYPE.INT8 : table.i8(1),
      data: data.length === 0 ? null : isInt4 ? unpackInt4(data, elementCount(shape)) : data,
      scales: quantization?.f32List(2) ?? [],
      zeroPoints: quantization?.i64List(3) ?? [],
      axis: quantization?.i32(6) ?? 0,
    };
  }

  /** In the buffer, or, as large models have it, behind the FlatBuffer at an offset from the file's begin. */
  #bufferBytes(buffer: FlatTable): Uint8Array {
    const [offset, size] = [buffer.u64(1), buffer.u64(2)];
    // 0 and 1 mean none.
    if (offset <= 1) return buffer.bytes(0);
    this.#file.require(offset, size);
    return this.#file.bytes.subarray(offset, offset + size);
  }

  #operation(table: FlatTable, index: number, codes: readonly number[]): FileOperation {
    const code = codes[table.u32(0)];
    if (code === undefined) throw new TfliteError('corrupt', `Operation ${index} is of no kind that the file lists.`);
    const known = { ...TFLITE_OPERATOR, ...IMPORT_ONLY_OPERATOR };
    const name = (Object.keys(known) as (keyof typeof known)[]).find((each) => known[each] === code);
    if (!name) throw unknownOperator(index, OTHER_OPERATORS[code] ?? `number ${code}`);
    const inputs = table.i32List(1);
    if (inputs.length === 0) throw new TfliteError('corrupt', `Operation ${index + 1} (${name}) has no inputs.`);
    return { index, name, inputs, outputs: table.i32List(2), options: table.table(4) };
  }

  /** A float border around an integer network (QUANTIZE first, DEQUANTIZE last) is left to the caller of the C code. */
  #strip(input: number, output: number): { readonly input: number; readonly output: number } {
    const isInteger = (id: number): boolean => INTEGER_TYPES.has(this.#at(id).type);
    const nameOf = (id: number): string => (this.#at(id).type === TFLITE_TYPE.INT16 ? 'int16' : 'int8');
    let [from, to] = [input, output];
    const users = this.#operators.filter((op) => op.inputs.includes(input));
    const [first] = users;
    if (users.length === 1 && first?.name === 'QUANTIZE' && !isInteger(input) && isInteger(first.output)) {
      this.#operators = this.#operators.filter((op) => op !== first);
      from = first.output;
      const type = nameOf(from);
      this.#notes.push(`The model takes float numbers and quantizes them first; the C code takes the ${type} values.`);
    }
    const last = this.#operators.find((op) => op.output === output);
    if (last?.name === 'DEQUANTIZE' && isInteger(last.inputs[0] as number)) {
      this.#operators = this.#operators.filter((op) => op !== last);
      to = last.inputs[0] as number;
      const type = nameOf(to);
      this.#notes.push(
        `The model ends by turning ${type} scores into float numbers; the C code gives the ${type} scores.`,
      );
    }
    return { input: from, output: to };
  }

  /** Labels from the zip that the metadata tells of, or from a metadata buffer named "labels": lines of text. */
  #labels(model: FlatTable, buffers: readonly FlatTable[]): readonly string[] | null {
    const entries = model.tables(6);
    if (entries.some((metadata) => metadata.text(0) === METADATA_NAME)) return appendedLabels(this.#file.bytes);
    const entry = entries.find((metadata) => metadata.text(0) === 'labels');
    const bytes = entry && buffers[entry.u32(1)]?.bytes(0);
    if (!bytes || bytes.length === 0 || bytes.length > 65_536) return null;
    return labelLines(new TextDecoder().decode(bytes));
  }
}

/** Numbers of the tensors that a graph keeps, in the order in which it meets them. */
class TensorIds {
  readonly kept: number[] = [];
  readonly #ids = new Map<number, number>();

  /** The graph's own number of a tensor of the file. */
  of(tensor: number): number {
    const known = this.#ids.get(tensor);
    if (known !== undefined) return known;
    this.#ids.set(tensor, this.kept.length);
    return this.kept.push(tensor) - 1;
  }
}

/** What both kinds of graphs need: tensors that are reached, shapes without batch, constants. */
abstract class Builder<Op> {
  readonly ops: Op[] = [];

  constructor(
    protected readonly tensors: readonly Tensor[],
    protected readonly operators: readonly Operator[],
    private readonly ids: TensorIds = new TensorIds(),
  ) {}

  protected get kept(): readonly number[] {
    return this.ids.kept;
  }

  protected at(id: number): Tensor {
    const tensor = this.tensors[id];
    if (!tensor) throw new TfliteError('corrupt', `The network refers to tensor ${id}, which does not exist.`);
    return tensor;
  }

  /** The graph's own number of a tensor of the file. */
  protected id(tensor: number): number {
    this.at(tensor);
    return this.ids.of(tensor);
  }

  protected run(input: number): void {
    this.id(input);
    for (const op of this.operators) this.convert(op);
  }

  /** Appends the op to `ops`. */
  abstract convert(op: Operator): void;

  protected fail(
    op: Operator,
    what: string,
    code: 'unsupported-shape' | 'unsupported-type' = 'unsupported-shape',
  ): never {
    throw new TfliteError(code, `Operation ${op.index + 1} (${op.name}) ${what}`);
  }

  /** Shape without the batch, which must be 1. */
  protected shape(id: number): readonly number[] {
    const { shape, name, data } = this.at(id);
    if (shape.length <= 1) return shape.length === 0 ? [1] : shape;
    // Constants may come without.
    if (data && shape[0] !== 1 && shape.length <= 4) return shape;
    if (shape[0] !== 1) {
      throw new TfliteError(
        'unsupported-shape',
        `The tensor "${name}" has a batch of ${shape[0]}; convert with a batch of 1.`,
      );
    }
    if (shape.length > 5) throw new TfliteError('unsupported-shape', `The tensor "${name}" has too many dimensions.`);
    return shape.slice(1);
  }

  protected input(op: Operator, index: number): number {
    const id = op.inputs[index];
    if (id === undefined || id < 0) return this.fail(op, `lacks its input ${index + 1}.`);
    return id;
  }

  /** A constant's bytes, as long as its shape says. */
  #constant(op: Operator, id: number, size: number): DataView {
    const { data, shape } = this.at(id);
    if (!data) return this.fail(op, 'needs constant weights and parameters.');
    if (data.length < elementCount(shape) * size) {
      throw new TfliteError('corrupt', `The constants of operation ${op.index + 1} are cut short.`);
    }
    return new DataView(data.buffer, data.byteOffset, elementCount(shape) * size);
  }

  protected int8s(op: Operator, id: number): Int8Array {
    if (this.at(id).type !== TFLITE_TYPE.INT8)
      return this.fail(op, 'has weights that are not int8.', 'unsupported-type');
    const view = this.#constant(op, id, 1);
    return Int8Array.from({ length: view.byteLength }, (_, i) => view.getInt8(i));
  }

  protected int16s(op: Operator, id: number): Int16Array {
    if (this.at(id).type !== TFLITE_TYPE.INT16)
      return this.fail(op, 'has constants that are not int16.', 'unsupported-type');
    const view = this.#constant(op, id, 2);
    return Int16Array.from({ length: view.byteLength / 2 }, (_, i) => view.getInt16(2 * i, true));
  }

  /** int32 or int64 constants. */
  protected integers(op: Operator, id: number): number[] {
    const { type } = this.at(id);
    if (type === TFLITE_TYPE.INT64) {
      const view = this.#constant(op, id, 8);
      return Array.from({ length: view.byteLength / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
    }
    if (type !== TFLITE_TYPE.INT32) return this.fail(op, 'has parameters of an unknown type.', 'unsupported-type');
    const view = this.#constant(op, id, 4);
    return Array.from({ length: view.byteLength / 4 }, (_, i) => view.getInt32(4 * i, true));
  }

  /** float32 or float16 constants. */
  protected floats(op: Operator, id: number): Float32Array {
    const { type } = this.at(id);
    if (type === TFLITE_TYPE.FLOAT16) {
      const view = this.#constant(op, id, 2);
      return Float32Array.from({ length: view.byteLength / 2 }, (_, i) => halfToFloat(view.getUint16(2 * i, true)));
    }
    if (type !== TFLITE_TYPE.FLOAT32) return this.fail(op, 'mixes float with other numbers.', 'unsupported-type');
    const view = this.#constant(op, id, 4);
    return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
  }

  protected activation(op: Operator, slot: number): Activation {
    switch (op.options?.i8(slot) ?? 0) {
      case TFLITE_ACTIVATION.NONE:
        return 'none';
      case TFLITE_ACTIVATION.RELU:
        return 'relu';
      case TFLITE_ACTIVATION.RELU6:
        return 'relu6';
      default:
        return this.fail(op, 'has a fused activation other than ReLU and ReLU6. Use one of these.');
    }
  }

  #window(
    op: Operator,
    kernelHeight: number,
    kernelWidth: number,
    slots: { readonly strideWidth: number; readonly dilationWidth: number | null },
  ): Window2d {
    const options = op.options;
    const [height = 0, width = 0, ...rest] = this.shape(this.input(op, 0));
    if (rest.length !== 1) return this.fail(op, 'needs an input of the shape [1, H, W, C].');
    const strideWidth = options?.i32(slots.strideWidth) ?? 0;
    const strideHeight = options?.i32(slots.strideWidth + 1) ?? 0;
    const dilationWidth = slots.dilationWidth === null ? 1 : (options?.i32(slots.dilationWidth, 1) ?? 1);
    const dilationHeight = slots.dilationWidth === null ? 1 : (options?.i32(slots.dilationWidth + 1, 1) ?? 1);
    const sizes = [strideWidth, strideHeight, dilationWidth, dilationHeight, kernelHeight, kernelWidth];
    if (sizes.some((size) => size < 1 || size > 16_384)) return this.fail(op, 'has an impossible window.');
    const same = op.padding === undefined && (options?.i8(0) ?? 0) === TFLITE_PADDING.SAME;
    const { top, bottom, left, right } = op.padding ?? { top: 0, bottom: 0, left: 0, right: 0 };
    const vertical = same
      ? samePadding(height, kernelHeight, strideHeight, dilationHeight)
      : { before: top, after: bottom };
    const horizontal = same
      ? samePadding(width, kernelWidth, strideWidth, dilationWidth)
      : { before: left, after: right };
    return {
      kernelHeight,
      kernelWidth,
      strideHeight,
      strideWidth,
      dilationHeight,
      dilationWidth,
      padTop: vertical.before,
      padBottom: vertical.after,
      padLeft: horizontal.before,
      padRight: horizontal.after,
    };
  }

  /** Window of CONV_2D and DEPTHWISE_CONV_2D, whose weights have the shape [_, H, W, _]. */
  protected convWindow(op: Operator, depthwise: boolean): Window2d {
    const { shape } = this.at(this.input(op, 1));
    if (shape.length !== 4) return this.fail(op, 'has weights that are not four-dimensional.');
    return this.#window(op, shape[1] as number, shape[2] as number, {
      strideWidth: 1,
      dilationWidth: depthwise ? 5 : 4,
    });
  }

  protected poolWindow(op: Operator): Window2d {
    return this.#window(op, op.options?.i32(4) ?? 0, op.options?.i32(3) ?? 0, { strideWidth: 1, dilationWidth: null });
  }

  /** MEAN as [outer, count, inner]. */
  protected meanAxes(op: Operator): { readonly outer: number; readonly count: number; readonly inner: number } {
    const { shape } = this.at(this.input(op, 0));
    const axes = [
      ...new Set(this.integers(op, this.input(op, 1)).map((axis) => (axis < 0 ? axis + shape.length : axis))),
    ];
    axes.sort((a, b) => a - b);
    const [first = 0] = axes;
    const last = axes.at(-1) ?? 0;
    if (axes.length === 0 || first < 0 || last >= shape.length || last - first + 1 !== axes.length) {
      return this.fail(op, 'averages over axes that are not neighbours.');
    }
    return {
      outer: elementCount(shape.slice(0, first)),
      count: elementCount(shape.slice(first, last + 1)),
      inner: elementCount(shape.slice(last + 1)),
    };
  }

  protected concatAxis(op: Operator): number {
    const rank = this.at(op.output).shape.length;
    const axis = op.options?.i32(0) ?? 0;
    const positive = axis < 0 ? axis + rank : axis;
    if (positive < 1 || positive >= rank) return this.fail(op, 'joins along the batch.');
    return positive - 1;
  }

  protected padding(op: Operator): { readonly before: number[]; readonly after: number[] } {
    const pairs = this.integers(op, this.input(op, 1));
    if (pairs.length !== 2 * this.at(this.input(op, 0)).shape.length || pairs[0] !== 0 || pairs[1] !== 0) {
      return this.fail(op, 'pads the batch.');
    }
    const inner = pairs.slice(2);
    return {
      before: inner.filter((_, index) => index % 2 === 0),
      after: inner.filter((_, index) => index % 2 === 1),
    };
  }

  /** Permutation without the batch, or null when only axes of size 1 move: then it is a reshape. */
  protected permutation(op: Operator): readonly number[] | null {
    const { shape } = this.at(this.input(op, 0));
    const order = this.integers(op, this.input(op, 1));
    if (order.length !== shape.length || new Set(order).size !== order.length) return this.fail(op, 'has other axes.');
    if (order.some((axis) => axis < 0 || axis >= shape.length)) return this.fail(op, 'has other axes.');
    const moving = order.filter((axis) => (shape[axis] as number) > 1);
    if (moving.every((axis, index) => index === 0 || axis > (moving[index - 1] as number))) return null;
    if (order[0] !== 0) return this.fail(op, 'moves the batch.');
    return order.slice(1).map((axis) => axis - 1);
  }

  protected slice(op: Operator): { readonly begin: number[]; readonly strides: number[] } {
    const { shape } = this.at(this.input(op, 0));
    const [begin, end, strides] = [1, 2, 3].map((index) => this.integers(op, this.input(op, index)));
    if (!begin || !end || !strides || [begin, end, strides].some((list) => list.length !== shape.length)) {
      return this.fail(op, 'has other axes.');
    }
    const mask = (slot: number): number => op.options?.i32(slot) ?? 0;
    if (mask(2) !== 0 || mask(3) !== 0) return this.fail(op, 'uses an ellipsis or new axes.');
    const sizes: number[] = [];
    const first = shape.map((size, axis) => {
      const stride = strides[axis] as number;
      if (stride < 1) return this.fail(op, 'goes backwards.');
      const clampIndex = (value: number): number => Math.min(size, Math.max(0, value < 0 ? value + size : value));
      const from = mask(0) & (1 << axis) ? 0 : clampIndex(begin[axis] as number);
      const shrink = (mask(4) & (1 << axis)) !== 0;
      const to = shrink ? from + 1 : mask(1) & (1 << axis) ? size : clampIndex(end[axis] as number);
      sizes.push(Math.ceil((to - from) / stride));
      return from;
    });
    if (sizes.some((size) => size < 1) || elementCount(sizes) !== elementCount(this.at(op.output).shape)) {
      return this.fail(op, 'does not fit its output.');
    }
    if (shape.length < 2 || sizes[0] !== 1) return this.fail(op, 'cuts the batch.');
    if (this.shape(op.output).length !== sizes.length - 1) this.fail(op, 'drops axes. Use a reshape after it.');
    return { begin: first.slice(1), strides: strides.slice(1) };
  }

  /** Scales of weights; their zero points must be 0. */
  protected weightScales(op: Operator, id: number, channels: number, axis: number): Float32Array {
    const { scales, zeroPoints, axis: actual, data } = this.at(id);
    if (!data)
      return this.fail(op, 'has weights that are computed from the input. Only constant weights are supported.');
    if (scales.length !== 1 && scales.length !== channels) return this.fail(op, `has ${scales.length} weight scales.`);
    if (scales.length > 1 && actual !== axis) return this.fail(op, 'has weight scales along another axis.');
    if (zeroPoints.some((zero) => zero !== 0)) {
      return this.fail(op, 'has asymmetric weights. Convert with a current converter.', 'unsupported-type');
    }
    return Float32Array.from(scales);
  }

  /** The operands of ADD, SUB or MUL; the second may be a constant, and repeats where it is smaller. */
  protected pair(op: Operator): readonly [number, number] {
    let [first, second] = [this.input(op, 0), this.input(op, 1)];
    const size = (id: number): number => elementCount(this.at(id).shape);
    const swappable = op.name !== 'SUB';
    if (swappable && (this.at(first).data !== null || size(first) < size(second))) [first, second] = [second, first];
    if (!trailing(this.at(first).shape, this.at(second).shape)) {
      return this.fail(op, 'combines shapes in a way that is not supported: the smaller must repeat evenly.');
    }
    return [first, second];
  }

  /** Ops that only move values, which are the same for numbers of every type; null for all others. */
  protected moved(op: Operator): MoveOp | null {
    const ends = (): { readonly input: number; readonly output: number } => ({
      input: this.id(this.input(op, 0)),
      output: this.id(op.output),
    });
    switch (op.name) {
      case 'CONCATENATION': {
        const inputs = op.inputs.map((id) => this.id(id));
        return { kind: 'concat', inputs, output: this.id(op.output), axis: this.concatAxis(op) };
      }
      case 'PAD':
        return { kind: 'pad', ...ends(), ...this.padding(op) };
      case 'RESHAPE':
      case 'SQUEEZE':
      case 'EXPAND_DIMS':
        return { kind: 'reshape', ...ends() };
      case 'TRANSPOSE': {
        const permutation = this.permutation(op);
        return permutation ? { kind: 'transpose', ...ends(), permutation } : { kind: 'reshape', ...ends() };
      }
      case 'STRIDED_SLICE':
        return { kind: 'stridedSlice', ...ends(), ...this.slice(op) };
      case 'RESIZE_NEAREST_NEIGHBOR': {
        const [alignCorners, halfPixelCenters] = [op.options?.bool(0) ?? false, op.options?.bool(1) ?? false];
        return { kind: 'resizeNearest', ...ends(), alignCorners, halfPixelCenters };
      }
      default:
        return null;
    }
  }
}

/** Two values to a byte, the first in the low half; as many bytes as there are values, or as the data has. */
function unpackInt4(data: Uint8Array, count: number): Uint8Array {
  const length = Math.min(count, 2 * data.length);
  return Uint8Array.from({ length }, (_, i) => {
    const byte = data[i >> 1] as number;
    return ((i % 2 === 0 ? byte << 28 : byte << 24) >> 28) & 255;
  });
}

/** As float, int8 and int16 networks have them alike. */
type MoveOp = Extract<Int8Op, { kind: 'concat' | 'pad' | 'reshape' | 'transpose' | 'stridedSlice' | 'resizeNearest' }>;

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const INT8_FUNCTIONS: Partial<Record<TfliteOperator, LookupFunction>> = {
  RELU: 'relu',
  RELU6: 'relu6',
  LEAKY_RELU: 'leakyRelu',
  HARD_SWISH: 'hardSwish',
  LOGISTIC: 'logistic',
  TANH: 'tanh',
  QUANTIZE: 'quantize',
};

class Int8Builder extends Builder<Int8Op> {
  readonly #data = new Map<number, Int8Array>();

  constructor(
    tensors: readonly Tensor[],
    operators: readonly Operator[],
    private readonly rounding: Rounding,
    ids?: TensorIds,
  ) {
    super(tensors, operators, ids);
  }

  build(input: number, output: number): Int8Graph {
    this.run(input);
    const graph: Int8Graph = {
      input: this.id(input),
      output: this.id(output),
      ops: this.ops,
      tensors: this.kept.map((id) => this.tensor(id)),
      ...(this.rounding === 'double' ? {} : { rounding: this.rounding }),
    };
    checkInt8Graph(graph);
    return graph;
  }

  /** A tensor of the file, when all ops are converted. */
  tensor(id: number): Int8Tensor {
    const { name } = this.at(id);
    const data = this.#data.get(id);
    return { name, shape: this.shape(id), ...this.#quantization(id), ...(data ? { data } : {}) };
  }

  #quantization(id: number): { readonly scale: number; readonly zeroPoint: number } {
    const { name, type, scales, zeroPoints } = this.at(id);
    if (type !== TFLITE_TYPE.INT8) {
      const kinds: Record<number, string> = { 0: 'float', 1: 'float16', 2: 'int32', 3: 'uint8', 7: 'int16' };
      throw new TfliteError(
        'unsupported-type',
        `The tensor "${name}" is ${kinds[type] ?? `of type ${type}`}, not int8. Convert the model with full integer ` +
          'quantization (int8), or as float and let Mote quantize it.',
      );
    }
    const [scale, zeroPoint] = [scales[0], zeroPoints[0]];
    if (scales.length !== 1 || zeroPoints.length !== 1 || !scale || zeroPoint === undefined) {
      throw new TfliteError('unsupported-type', `The tensor "${name}" lacks one scale and one zero point.`);
    }
    return { scale, zeroPoint };
  }

  #bias(op: Operator, units: number): Int32Array {
    const id = op.inputs[2];
    if (id === undefined || id < 0) return new Int32Array(units);
    const values = this.integers(op, id);
    if (values.length !== units) return this.fail(op, `has ${values.length} biases for ${units} channels.`);
    return Int32Array.from(values);
  }

  #operands(op: Operator): readonly [number, number] {
    const [first, second] = this.pair(op);
    if (this.at(second).data) this.#data.set(second, this.int8s(op, second));
    return [first, second];
  }

  convert(op: Operator): void {
    const input = this.input(op, 0);
    const output = op.output;
    const from = (): { scale: number; zeroPoint: number } => this.#quantization(input);
    const to = (): { scale: number; zeroPoint: number } => this.#quantization(output);
    const range = (slot: number): { readonly actMin: number; readonly actMax: number } => {
      const { scale, zeroPoint } = to();
      return activationRange(this.activation(op, slot), scale, zeroPoint);
    };
    const ends = { input: this.id(input), output: this.id(output) };
    const moved = this.moved(op);
    if (moved) return void this.ops.push(moved);
    switch (op.name) {
      case 'FULLY_CONNECTED': {
        const weights = this.input(op, 1);
        const units = this.at(weights).shape[0] ?? 0;
        const weightScale = this.weightScales(op, weights, units, 0);
        this.ops.push({
          kind: 'fullyConnected',
          ...ends,
          weights: this.int8s(op, weights),
          bias: this.#bias(op, units),
          weightScale,
          ...fullyConnectedMultipliers(from().scale, weightScale, to().scale),
          ...range(0),
        });
        return;
      }
      case 'CONV_2D': {
        const weights = this.input(op, 1);
        const [channels = 0, , , depth = 0] = this.at(weights).shape;
        const weightScale = this.weightScales(op, weights, channels, 0);
        this.ops.push({
          kind: 'conv2d',
          ...ends,
          window: this.convWindow(op, false),
          groups: (this.shape(input).at(-1) ?? 0) / depth,
          weights: this.int8s(op, weights),
          bias: this.#bias(op, channels),
          weightScale,
          ...convMultipliers(from().scale, weightScale, to().scale),
          ...range(3),
        });
        return;
      }
      case 'DEPTHWISE_CONV_2D': {
        const weights = this.input(op, 1);
        const channels = this.at(weights).shape[3] ?? 0;
        const weightScale = this.weightScales(op, weights, channels, 3);
        this.ops.push({
          kind: 'depthwiseConv2d',
          ...ends,
          window: this.convWindow(op, true),
          depthMultiplier: channels / (this.shape(input).at(-1) ?? 1),
          weights: this.int8s(op, weights),
          bias: this.#bias(op, channels),
          weightScale,
          ...convMultipliers(from().scale, weightScale, to().scale),
          ...range(4),
        });
        return;
      }
      case 'MAX_POOL_2D':
      case 'AVERAGE_POOL_2D': {
        const kind = op.name === 'MAX_POOL_2D' ? 'maxPool2d' : 'averagePool2d';
        this.ops.push({ kind, ...ends, window: this.poolWindow(op), ...range(5) });
        return;
      }
      case 'MEAN': {
        const axes = this.meanAxes(op);
        this.ops.push({ kind: 'mean', ...ends, ...axes, ...meanParameters(from().scale, to().scale, axes.count) });
        return;
      }
      case 'ADD':
      case 'SUB': {
        const [a, b] = this.#operands(op);
        const subtract = op.name === 'SUB';
        const [first, second] = [this.#quantization(a), this.#quantization(b)];
        this.ops.push({
          kind: 'add',
          inputs: [this.id(a), this.id(b)],
          output: ends.output,
          subtract,
          ...addParameters(first.scale, second.scale, to().scale, subtract),
          ...range(0),
        });
        return;
      }
      case 'MUL': {
        const [a, b] = this.#operands(op);
        this.ops.push({
          kind: 'mul',
          inputs: [this.id(a), this.id(b)],
          output: ends.output,
          ...mulParameters(this.#quantization(a).scale, this.#quantization(b).scale, to().scale),
          ...range(0),
        });
        return;
      }
      case 'PADV2':
        if (this.int8s(op, this.input(op, 2))[0] !== to().zeroPoint)
          this.fail(op, 'pads with another value than zero.');
        this.ops.push({ kind: 'pad', ...ends, ...this.padding(op) });
        return;
      case 'SOFTMAX': {
        const beta = op.options?.f32(0) ?? 0;
        if (!(beta > 0)) this.fail(op, 'has no beta.');
        this.ops.push({ kind: 'softmax', ...ends, ...softmaxParameters(from().scale * beta, this.rounding) });
        return;
      }
      case 'DEQUANTIZE':
        return this.fail(op, 'leaves int8 in the middle of the network.', 'unsupported-type');
      default: {
        const kind = INT8_FUNCTIONS[op.name] as LookupFunction;
        const alpha = op.name === 'LEAKY_RELU' ? (op.options?.f32(0) ?? 0) : 0;
        const [a, b] = [from(), to()];
        const quantization = {
          inputScale: a.scale,
          inputZero: a.zeroPoint,
          outputScale: b.scale,
          outputZero: b.zeroPoint,
        };
        this.ops.push({
          kind: 'lookup',
          ...ends,
          function: kind,
          alpha,
          table: lookupTable(kind, quantization, alpha, this.rounding),
        });
      }
    }
  }
}

const RESCALE_FUNCTIONS: Partial<Record<TfliteOperator, 'relu' | 'relu6' | 'leakyRelu' | 'quantize'>> = {
  RELU: 'relu',
  RELU6: 'relu6',
  LEAKY_RELU: 'leakyRelu',
  QUANTIZE: 'quantize',
};

/** Networks with int16 activations and int8 weights. */
class Int16Builder extends Builder<Int16Op> {
  readonly #data = new Map<number, Int16Array>();

  constructor(
    tensors: readonly Tensor[],
    operators: readonly Operator[],
    private readonly rounding: Rounding,
  ) {
    super(tensors, operators);
  }

  build(input: number, output: number): Int16Graph {
    this.run(input);
    const graph: Int16Graph = {
      activations: 'int16',
      input: this.id(input),
      output: this.id(output),
      ops: this.ops,
      tensors: this.kept.map((id): Int16Tensor => {
        const { name } = this.at(id);
        const data = this.#data.get(id);
        return { name, shape: this.shape(id), scale: this.#scale(id), zeroPoint: 0, ...(data ? { data } : {}) };
      }),
      ...(this.rounding === 'double' ? {} : { rounding: this.rounding }),
    };
    checkInt16Graph(graph);
    return graph;
  }

  #scale(id: number): number {
    const { name, type, scales, zeroPoints } = this.at(id);
    if (type !== TFLITE_TYPE.INT16) {
      const kinds: Record<number, string> = { 0: 'float', 1: 'float16', 2: 'int32', 3: 'uint8', 9: 'int8' };
      throw new TfliteError(
        'unsupported-type',
        `The tensor "${name}" is ${kinds[type] ?? `of type ${type}`} in a network with int16 activations. Convert the ` +
          'whole model with int16 activations and int8 weights, or all of it to int8.',
      );
    }
    const [scale] = scales;
    if (scales.length !== 1 || !scale || zeroPoints.some((zero) => zero !== 0)) {
      throw new TfliteError(
        'unsupported-type',
        `The tensor "${name}" lacks one scale, or has a zero point other than 0, which int16 activations do not have.`,
      );
    }
    return scale;
  }

  /** What the three kinds of layers with weights share. The type of the bias says how sums are held. */
  #weighted(op: Operator, units: number, axis: number, act: number): { readonly weights: Int8Array } & Int16Weighted {
    const [input, weights] = [this.input(op, 0), this.input(op, 1)];
    const bias = op.inputs[2];
    const none = bias === undefined || bias < 0;
    const values = none ? new Array<number>(units).fill(0) : this.integers(op, bias);
    if (values.length !== units) return this.fail(op, `has ${values.length} biases for ${units} channels.`);
    const weightScale = this.weightScales(op, weights, units, axis);
    const multipliers = op.name === 'FULLY_CONNECTED' ? fullyConnectedMultipliers : convMultipliers;
    const scale = this.#scale(op.output);
    return {
      weights: this.int8s(op, weights),
      bias: Float64Array.from(values),
      sums: !none && this.at(bias).type === TFLITE_TYPE.INT32 ? 'int32' : 'int64',
      weightScale,
      ...multipliers(this.#scale(input), weightScale, scale),
      ...activationRangeInt16(this.activation(op, act), scale),
    };
  }

  #operands(op: Operator): readonly [number, number] {
    const [first, second] = this.pair(op);
    if (this.at(second).data) this.#data.set(second, this.int16s(op, second));
    return [first, second];
  }

  convert(op: Operator): void {
    const input = this.input(op, 0);
    const output = op.output;
    const ends = { input: this.id(input), output: this.id(output) };
    const range = (slot: number): { readonly actMin: number; readonly actMax: number } =>
      activationRangeInt16(this.activation(op, slot), this.#scale(output));
    const moved = this.moved(op);
    if (moved) return void this.ops.push(moved);
    switch (op.name) {
      case 'FULLY_CONNECTED': {
        const units = this.at(this.input(op, 1)).shape[0] ?? 0;
        this.ops.push({ kind: 'fullyConnected', ...ends, ...this.#weighted(op, units, 0, 0) });
        return;
      }
      case 'CONV_2D': {
        const [channels = 0, , , depth = 0] = this.at(this.input(op, 1)).shape;
        const groups = (this.shape(input).at(-1) ?? 0) / depth;
        const window = this.convWindow(op, false);
        this.ops.push({ kind: 'conv2d', ...ends, window, groups, ...this.#weighted(op, channels, 0, 3) });
        return;
      }
      case 'DEPTHWISE_CONV_2D': {
        const channels = this.at(this.input(op, 1)).shape[3] ?? 0;
        const depthMultiplier = channels / (this.shape(input).at(-1) ?? 1);
        const window = this.convWindow(op, true);
        const parts = this.#weighted(op, channels, 3, 4);
        this.ops.push({ kind: 'depthwiseConv2d', ...ends, window, depthMultiplier, ...parts });
        return;
      }
      case 'MAX_POOL_2D':
      case 'AVERAGE_POOL_2D': {
        const kind = op.name === 'MAX_POOL_2D' ? 'maxPool2d' : 'averagePool2d';
        this.ops.push({ kind, ...ends, window: this.poolWindow(op), ...range(5) });
        return;
      }
      case 'MEAN': {
        const axes = this.meanAxes(op);
        const parameters = meanParameters(this.#scale(input), this.#scale(output), axes.count);
        this.ops.push({ kind: 'mean', ...ends, ...axes, ...parameters });
        return;
      }
      case 'ADD':
      case 'SUB': {
        // As TensorFlow Lite Micro, which has one sum for scales of any size and ignores the flag pot_scale_int16.
        const [a, b] = this.#operands(op);
        const subtract = op.name === 'SUB';
        const parameters = addParametersInt16(this.#scale(a), this.#scale(b), this.#scale(output), subtract);
        const inputs = [this.id(a), this.id(b)] as const;
        this.ops.push({ kind: 'add', inputs, output: ends.output, subtract, ...parameters, ...range(0) });
        return;
      }
      case 'MUL': {
        const [a, b] = this.#operands(op);
        const parameters = mulParameters(this.#scale(a), this.#scale(b), this.#scale(output));
        const inputs = [this.id(a), this.id(b)] as const;
        this.ops.push({ kind: 'mul', inputs, output: ends.output, ...parameters, ...range(0) });
        return;
      }
      case 'PADV2':
        if (this.int16s(op, this.input(op, 2))[0] !== 0) this.fail(op, 'pads with another value than zero.');
        this.ops.push({ kind: 'pad', ...ends, ...this.padding(op) });
        return;
      case 'SOFTMAX': {
        const beta = op.options?.f32(0) ?? 0;
        if (!(beta > 0)) this.fail(op, 'has no beta.');
        this.ops.push({ kind: 'softmax', ...ends, ...softmaxParametersInt16(this.#scale(input) * beta) });
        return;
      }
      case 'LOGISTIC':
      case 'TANH': {
        const name = op.name === 'TANH' ? 'tanh' : 'logistic';
        const parameters = sigmoidParameters(name, this.#scale(input));
        this.ops.push({ kind: 'sigmoid', ...ends, function: name, ...parameters });
        return;
      }
      case 'DEQUANTIZE':
        return this.fail(op, 'leaves int16 in the middle of the network.', 'unsupported-type');
      default: {
        const name = RESCALE_FUNCTIONS[op.name];
        if (!name) {
          return this.fail(
            op,
            'has no int16 kernel in TensorFlow Lite. Use ReLU or ReLU6 in its place, or int8 activations.',
            'unsupported-type',
          );
        }
        const alpha = op.name === 'LEAKY_RELU' ? (op.options?.f32(0) ?? 0) : 0;
        const parameters = rescaleParameters(name, this.#scale(input), this.#scale(output), alpha);
        this.ops.push({ kind: 'rescale', ...ends, ...parameters });
      }
    }
  }
}

/** Whether `small` repeats evenly over `large`: its shape, leading ones aside, ends `large`'s. */
function trailing(large: readonly number[], small: readonly number[]): boolean {
  const start = small.findIndex((size) => size !== 1);
  const core = start < 0 ? [] : small.slice(start);
  return core.length <= large.length && core.every((size, i) => size === large[large.length - core.length + i]);
}

const FLOAT_FUNCTIONS: Partial<Record<TfliteOperator, FloatUnary['function']>> = {
  RELU: 'relu',
  RELU6: 'relu6',
  LEAKY_RELU: 'leakyRelu',
  HARD_SWISH: 'hardSwish',
  LOGISTIC: 'logistic',
  TANH: 'tanh',
};

class FloatBuilder extends Builder<FloatOp> {
  readonly #data = new Map<number, Float32Array>();
  /** Float16 and int8 constants that a DEQUANTIZE widens: file tensor of the result -> of the constant. */
  readonly #widened = new Map<number, number>();
  /** Constants that the file holds in fewer bits than float32. */
  readonly #narrow = { float16: new Set<number>(), int8: new Set<number>() };

  build(input: number, output: number): FloatGraph {
    this.run(input);
    const graph: FloatGraph = {
      input: this.id(input),
      output: this.id(output),
      ops: this.ops,
      tensors: this.kept.map((id) => this.tensor(id)),
    };
    checkFloatGraph(graph);
    return graph;
  }

  /** A tensor of the file, when all ops are converted. */
  tensor(id: number): FloatTensor {
    const { name, type } = this.at(id);
    if (type !== TFLITE_TYPE.FLOAT32) {
      throw new TfliteError('unsupported-type', `The tensor "${name}" is not float in a float network.`);
    }
    const data = this.#data.get(id);
    return { name, shape: this.shape(id), ...(data ? { data } : {}) };
  }

  /** What the file holds in fewer bits than the network computes with, for people. */
  notes(): string[] {
    const { float16, int8 } = this.#narrow;
    const said = (set: ReadonlySet<number>, bits: number): string[] =>
      set.size === 0
        ? []
        : [
            `The weights were stored in ${bits} bits (${set.size} ${set.size === 1 ? 'constant' : 'constants'}) and ` +
              'computed with in float: they are widened to float32. Quantize the model with calibration inputs to make ' +
              'it small and fast again.',
          ];
    return [...said(int8, 8), ...said(float16, 16)];
  }

  #constantId(id: number): number {
    return this.#widened.get(id) ?? id;
  }

  /** Constants as float32, however the file stores them. */
  #values(op: Operator, tensor: number): Float32Array {
    const id = this.#constantId(tensor);
    const { type } = this.at(id);
    if (type === TFLITE_TYPE.FLOAT16) this.#narrow.float16.add(id);
    if (type !== TFLITE_TYPE.INT8) return this.floats(op, id);
    this.#narrow.int8.add(id);
    return this.#dequantized(op, id);
  }

  /** scale * (integer - zero point), with one scale or one for each index along an axis. */
  #dequantized(op: Operator, id: number): Float32Array {
    const { shape, scales, zeroPoints, axis } = this.at(id);
    const units = scales.length === 1 ? 1 : (shape[axis] ?? 0);
    if (scales.length === 0 || scales.length !== units || (zeroPoints.length > 1 && zeroPoints.length !== units)) {
      return this.fail(op, `has ${scales.length} scales for int8 weights of the shape [${shape.join(', ')}].`);
    }
    if (scales.some((scale) => !(scale > 0 && Number.isFinite(scale)))) return this.fail(op, 'has impossible scales.');
    if (zeroPoints.some((zero) => zero < -128 || zero > 127)) return this.fail(op, 'has impossible zero points.');
    // Elements that lie between two indices along the axis.
    const inner = units === 1 ? 1 : elementCount(shape.slice(axis + 1));
    return Float32Array.from(this.int8s(op, id), (value, at) => {
      const unit = Math.floor(at / inner) % units;
      const zero = zeroPoints[zeroPoints.length > 1 ? unit : 0] ?? 0;
      return (scales[unit] as number) * (value - zero);
    });
  }

  #weights(op: Operator, index: number): Float32Array {
    return this.#values(op, this.input(op, index));
  }

  #bias(op: Operator, units: number): Float32Array {
    const id = op.inputs[2];
    if (id === undefined || id < 0) return new Float32Array(units);
    return this.#values(op, id);
  }

  convert(op: Operator): void {
    const input = this.input(op, 0);
    const { type, data } = this.at(input);
    if (op.name === 'DEQUANTIZE' && data && (type === TFLITE_TYPE.FLOAT16 || type === TFLITE_TYPE.INT8)) {
      this.#widened.set(op.output, input);
      return;
    }
    const ends = { input: this.id(input), output: this.id(op.output) };
    const moved = this.moved(op);
    if (moved) return void this.ops.push(moved);
    switch (op.name) {
      case 'FULLY_CONNECTED': {
        const weights = this.#weights(op, 1);
        const units = this.at(this.#constantId(this.input(op, 1))).shape[0] ?? 0;
        const bias = this.#bias(op, units);
        this.ops.push({ kind: 'fullyConnected', ...ends, weights, bias, activation: this.activation(op, 0) });
        return;
      }
      case 'CONV_2D': {
        const [channels = 0, , , depth = 0] = this.at(this.#constantId(this.input(op, 1))).shape;
        this.ops.push({
          kind: 'conv2d',
          ...ends,
          window: this.convWindow(op, false),
          groups: (this.shape(input).at(-1) ?? 0) / depth,
          weights: this.#weights(op, 1),
          bias: this.#bias(op, channels),
          activation: this.activation(op, 3),
        });
        return;
      }
      case 'DEPTHWISE_CONV_2D': {
        const channels = this.at(this.#constantId(this.input(op, 1))).shape[3] ?? 0;
        this.ops.push({
          kind: 'depthwiseConv2d',
          ...ends,
          window: this.convWindow(op, true),
          depthMultiplier: channels / (this.shape(input).at(-1) ?? 1),
          weights: this.#weights(op, 1),
          bias: this.#bias(op, channels),
          activation: this.activation(op, 4),
        });
        return;
      }
      case 'MAX_POOL_2D':
      case 'AVERAGE_POOL_2D':
        this.ops.push({
          kind: op.name === 'MAX_POOL_2D' ? 'maxPool2d' : 'averagePool2d',
          ...ends,
          window: this.poolWindow(op),
          activation: this.activation(op, 5),
        });
        return;
      case 'MEAN':
        this.ops.push({ kind: 'mean', ...ends, ...this.meanAxes(op) });
        return;
      case 'ADD':
      case 'SUB':
      case 'MUL': {
        let [a, b] = [input, this.input(op, 1)];
        const size = (id: number): number => elementCount(this.at(id).shape);
        const constant = (id: number): boolean => this.at(this.#constantId(id)).data !== null;
        if (op.name !== 'SUB' && (constant(a) || size(a) < size(b))) [a, b] = [b, a];
        if (!trailing(this.at(a).shape, this.at(b).shape)) {
          this.fail(op, 'combines shapes in a way that is not supported: the smaller must repeat evenly.');
        }
        if (constant(b)) this.#data.set(b, this.#values(op, b));
        this.ops.push({
          kind: op.name === 'MUL' ? 'mul' : 'add',
          inputs: [this.id(a), this.id(b)],
          output: ends.output,
          subtract: op.name === 'SUB',
          activation: this.activation(op, 0),
        });
        return;
      }
      case 'SOFTMAX':
        if ((op.options?.f32(0) ?? 0) !== 1) this.fail(op, 'has another beta than 1.');
        this.ops.push({ kind: 'softmax', ...ends });
        return;
      default: {
        const kind = FLOAT_FUNCTIONS[op.name];
        if (!kind) return this.fail(op, 'does not belong into a float network.', 'unsupported-type');
        const alpha = op.name === 'LEAKY_RELU' ? (op.options?.f32(0) ?? 0) : 0;
        this.ops.push({ kind: 'unary', ...ends, function: kind, alpha });
      }
    }
  }
}

/** Every op by the builder of its type, over common tensors. */
class MixedBuilder extends Builder<MixedOp> {
  readonly #int8: Int8Builder;
  readonly #float: FloatBuilder;

  constructor(tensors: readonly Tensor[], operators: readonly Operator[]) {
    const ids = new TensorIds();
    super(tensors, operators, ids);
    this.#int8 = new Int8Builder(tensors, operators, 'double', ids);
    this.#float = new FloatBuilder(tensors, operators, ids);
  }

  build(input: number, output: number): MixedGraph {
    this.run(input);
    const graph: MixedGraph = {
      input: this.id(input),
      output: this.id(output),
      ops: this.ops,
      tensors: this.kept.map((id): MixedTensor => {
        const { type } = this.at(id);
        if (type === TFLITE_TYPE.FLOAT32) return { type: 'float', ...this.#float.tensor(id) };
        return { type: 'int8', ...this.#int8.tensor(id) };
      }),
    };
    checkMixedGraph(graph);
    return graph;
  }

  notes(): string[] {
    return this.#float.notes();
  }

  convert(op: Operator): void {
    const [from, to] = [this.at(this.input(op, 0)).type, this.at(op.output).type];
    const kind = op.name === 'QUANTIZE' ? 'quantize' : op.name === 'DEQUANTIZE' ? 'dequantize' : null;
    if (kind && !this.at(this.input(op, 0)).data && from !== to) {
      const [int8, float] = kind === 'quantize' ? [to, from] : [from, to];
      if (int8 !== TFLITE_TYPE.INT8 || float !== TFLITE_TYPE.FLOAT32) {
        return this.fail(op, 'converts other types than int8 and float.', 'unsupported-type');
      }
      const ends = { input: this.id(this.input(op, 0)), output: this.id(op.output) };
      this.ops.push({ type: 'conversion', op: { kind, ...ends } });
    } else if (to === TFLITE_TYPE.FLOAT32) {
      this.#float.convert(op);
      this.ops.push(...this.#float.ops.splice(0).map((each): MixedOp => ({ type: 'float', op: each })));
    } else {
      this.#int8.convert(op);
      this.ops.push(...this.#int8.ops.splice(0).map((each): MixedOp => ({ type: 'int8', op: each })));
    }
  }
}
