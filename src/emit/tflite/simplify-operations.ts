/**
 * What converters write around and between layers, in the operations that graphs have: shapes computed at run time are
 * constants where the batch is 1, SPLIT and its like are slices, a convolution between SPACE_TO_BATCH_ND and
 * BATCH_TO_SPACE_ND is a dilated one, and padding belongs to the window that reads it. Every value stays what it was.
 */
import { elementCount } from '../../graph/float-graph';
import { foldConstant, integersOf, int32Tensor } from './fold-constants';
import { TfliteError } from './tflite-error';
import { IMPORT_ONLY_OPERATOR, TFLITE_PADDING, TFLITE_TYPE, type TfliteOperator } from './tflite-schema';
import type { FileOperation, FileTensor, Operation, OperationOptions, WindowPadding } from './tflite-parts';
import { unknownOperator } from './unknown-operator';

export interface FileNetwork {
  readonly tensors: readonly FileTensor[];
  readonly operations: readonly FileOperation[];
  readonly input: number;
  readonly output: number;
}

export interface SimpleNetwork {
  /** Those of the file, and more after them. */
  readonly tensors: readonly FileTensor[];
  /** Only those that the output needs, in order. */
  readonly operations: readonly Operation[];
  readonly input: number;
  readonly output: number;
  /** For people: what the caller of the C code has to do instead. */
  readonly notes: readonly string[];
}

/** Throws TfliteError `unknown-op` for what is not among the operations of graphs in the end. */
export function simplifyOperations(network: FileNetwork): SimpleNetwork {
  return new Simplifier(network).simplify();
}

/** Inputs that only say a shape, which the output's tensor says as well. */
const SHAPE_INPUT: Partial<Record<FileOperation['name'], number>> = { RESHAPE: 1, RESIZE_NEAREST_NEIGHBOR: 1 };

/** Options with other values in some slots. */
function withSlots(base: OperationOptions | null, slots: Readonly<Record<number, number>>): OperationOptions {
  return {
    i8: (slot, fallback = 0) => slots[slot] ?? base?.i8(slot, fallback) ?? fallback,
    i32: (slot, fallback = 0) => slots[slot] ?? base?.i32(slot, fallback) ?? fallback,
    f32: (slot, fallback = 0) => base?.f32(slot, fallback) ?? fallback,
    bool: (slot) => base?.bool(slot) ?? false,
  };
}

/** First slot of stride (width, then height) and of dilation in the options of convolutions. */
const CONVOLUTION_SLOTS = {
  CONV_2D: { stride: 1, dilation: 4 },
  DEPTHWISE_CONV_2D: { stride: 1, dilation: 5 },
} as const;

function isConvolution(name: string): name is keyof typeof CONVOLUTION_SLOTS {
  return name in CONVOLUTION_SLOTS;
}

/** Same scale and zero point: values may pass from one to the other unchanged. */
function sameQuantization(a: FileTensor, b: FileTensor): boolean {
  return a.type === b.type && a.scales[0] === b.scales[0] && (a.zeroPoints[0] ?? 0) === (b.zeroPoints[0] ?? 0);
}

class Simplifier {
  readonly #tensors: FileTensor[];
  #operations: FileOperation[];
  #input: number;
  #output: number;
  readonly #notes: string[] = [];

  constructor(network: FileNetwork) {
    this.#tensors = [...network.tensors];
    this.#operations = [...network.operations];
    this.#input = network.input;
    this.#output = network.output;
  }

  simplify(): SimpleNetwork {
    this.#foldConstants();
    this.#stripEnds();
    this.#dropUnused();
    this.#operations = this.#operations.flatMap((op) => this.#inSimplerTerms(op));
    this.#foldDilation();
    this.#absorbPadding();
    this.#dropUnused();
    return {
      tensors: this.#tensors,
      operations: this.#operations.map(({ outputs, ...op }): Operation => {
        const { name } = op;
        if (name in IMPORT_ONLY_OPERATOR) throw unknownOperator(op.index, name);
        if (outputs.length !== 1) {
          throw new TfliteError(
            'unsupported-shape',
            `Operation ${op.index + 1} (${name}) has ${outputs.length} outputs.`,
          );
        }
        return { ...op, name: name as TfliteOperator, output: outputs[0] as number };
      }),
      input: this.#input,
      output: this.#output,
      notes: this.#notes,
    };
  }

  /** Null for inputs that are left out and ids out of range: who needs them says so later. */
  #at(id: number | undefined): FileTensor | null {
    return id === undefined ? null : (this.#tensors[id] ?? null);
  }

  #add(tensor: FileTensor): number {
    return this.#tensors.push(tensor) - 1;
  }

  #integers(id: number | undefined): readonly number[] | null {
    const tensor = this.#at(id);
    return tensor && integersOf(tensor);
  }

  #foldConstants(): void {
    this.#operations = this.#operations.filter((op) => {
      const [output] = op.outputs;
      const target = this.#at(output);
      if (output === undefined || !target || target.data) return true;
      const values = foldConstant(
        op,
        target,
        op.inputs.map((id) => this.#at(id)),
      );
      if (!values || values.length !== elementCount(target.shape)) return true;
      this.#tensors[output] = int32Tensor(target.name, target.shape, values);
      return false;
    });
  }

  #readers(id: number): FileOperation[] {
    return this.#operations.filter(({ inputs }) => inputs.includes(id));
  }

  /** ARG_MAX at the end, and uint8 around an int8 network, are left to the caller of the C code. */
  #stripEnds(): void {
    const last = this.#operations.find(({ outputs }) => outputs.includes(this.#output));
    const scores = this.#at(last?.inputs[0]);
    if (last?.name === 'ARG_MAX' && scores) {
      const [axis] = this.#integers(last.inputs[1]) ?? [];
      if (axis === -1 || axis === scores.shape.length - 1) {
        this.#operations = this.#operations.filter((op) => op !== last);
        this.#output = last.inputs[0] as number;
        this.#notes.push(
          'The model ends with the index of the largest score (ARG_MAX); the C code gives the scores, and the first of ' +
            'the largest is that index.',
        );
      }
    }
    const isShifted = (uint8: FileTensor | null, int8: FileTensor | null): boolean =>
      uint8?.type === TFLITE_TYPE.UINT8 &&
      int8?.type === TFLITE_TYPE.INT8 &&
      uint8.scales[0] === int8.scales[0] &&
      (uint8.zeroPoints[0] ?? 0) - 128 === (int8.zeroPoints[0] ?? 0);
    const [first, ...others] = this.#readers(this.#input);
    if (
      first?.name === 'QUANTIZE' &&
      others.length === 0 &&
      isShifted(this.#at(this.#input), this.#at(first.outputs[0]))
    ) {
      this.#operations = this.#operations.filter((op) => op !== first);
      this.#input = first.outputs[0] as number;
      this.#notes.push('The model takes uint8 values; the C code takes int8: subtract 128 from each.');
    }
    const end = this.#operations.find(({ outputs }) => outputs.includes(this.#output));
    if (end?.name === 'QUANTIZE' && isShifted(this.#at(this.#output), this.#at(end.inputs[0]))) {
      this.#operations = this.#operations.filter((op) => op !== end);
      this.#output = end.inputs[0] as number;
      this.#notes.push('The model gives uint8 scores; the C code gives int8: they are smaller by 128.');
    }
  }

  #dropUnused(): void {
    const needed = new Set([this.#output]);
    const kept: FileOperation[] = [];
    for (const op of [...this.#operations].reverse()) {
      if (!op.outputs.some((id) => needed.has(id))) continue;
      op.inputs.forEach((id, index) => {
        if (index !== SHAPE_INPUT[op.name]) needed.add(id);
      });
      kept.push(op);
    }
    this.#operations = kept.reverse();
  }

  /** The same in operations that graphs have, or the operation as it is. */
  #inSimplerTerms(op: FileOperation): FileOperation[] {
    const rewrite = {
      SPLIT: () => this.#split(op, op.inputs[1], this.#integers(op.inputs[0])?.[0]),
      SPLIT_V: () => this.#split(op, op.inputs[0], this.#integers(op.inputs[2])?.[0]),
      UNPACK: () => this.#unpack(op),
      PACK: () => this.#pack(op),
      SLICE: () => this.#slice(op),
      STRIDED_SLICE: () => this.#stridedSlice(op),
      DEPTH_TO_SPACE: () => this.#blocks(op, false),
      SPACE_TO_DEPTH: () => this.#blocks(op, true),
    }[op.name as string];
    return rewrite?.() ?? [op];
  }

  #cut(
    op: FileOperation,
    input: number,
    output: number,
    begin: readonly number[],
    size: readonly number[],
  ): FileOperation {
    const list = (values: readonly number[]): number => this.#add(int32Tensor('', [values.length], values));
    const end = begin.map((from, axis) => from + (size[axis] as number));
    const ones = begin.map(() => 1);
    const inputs = [input, list(begin), list(end), list(ones)];
    return { index: op.index, name: 'STRIDED_SLICE', inputs, outputs: [output], options: null };
  }

  #reshape(op: FileOperation, input: number, output: number): FileOperation {
    return { index: op.index, name: 'RESHAPE', inputs: [input], outputs: [output], options: null };
  }

  #split(op: FileOperation, input: number | undefined, axis: number | undefined): FileOperation[] | null {
    const from = this.#at(input);
    if (input === undefined || !from || axis === undefined) return null;
    const along = axis < 0 ? axis + from.shape.length : axis;
    let at = 0;
    const parts: FileOperation[] = [];
    for (const output of op.outputs) {
      const part = this.#at(output);
      if (part?.shape.length !== from.shape.length) return null;
      const begin = from.shape.map((_, index) => (index === along ? at : 0));
      parts.push(this.#cut(op, input, output, begin, part.shape));
      at += part.shape[along] ?? 0;
    }
    return at === from.shape[along] ? parts : null;
  }

  #unpack(op: FileOperation): FileOperation[] | null {
    const [input = -1] = op.inputs;
    const from = this.#at(input);
    const given = op.options?.i32(1) ?? 0;
    if (!from) return null;
    const axis = given < 0 ? given + from.shape.length : given;
    if (axis < 1 || from.shape[axis] !== op.outputs.length) return null;
    return op.outputs.flatMap((output, at) => {
      const shape = from.shape.map((size, index) => (index === axis ? 1 : size));
      const thin = this.#add({ ...from, shape });
      const begin = shape.map((_, index) => (index === axis ? at : 0));
      return [this.#cut(op, input, thin, begin, shape), this.#reshape(op, thin, output)];
    });
  }

  #pack(op: FileOperation): FileOperation[] | null {
    const [output = -1] = op.outputs;
    const to = this.#at(output);
    const given = op.options?.i32(1) ?? 0;
    if (!to) return null;
    const axis = given < 0 ? given + to.shape.length : given;
    if (axis < 1 || to.shape[axis] !== op.inputs.length) return null;
    const shape = to.shape.map((size, index) => (index === axis ? 1 : size));
    const thin = op.inputs.map((id) => {
      const from = this.#at(id);
      return from && elementCount(from.shape) === elementCount(shape) ? this.#add({ ...from, shape }) : null;
    });
    if (!thin.every((id) => id !== null)) return null;
    return [
      ...op.inputs.map((id, at) => this.#reshape(op, id, thin[at] as number)),
      { ...op, name: 'CONCATENATION', inputs: thin, options: withSlots(null, { 0: axis }) },
    ];
  }

  #slice(op: FileOperation): FileOperation[] | null {
    const [input = -1] = op.inputs;
    const [output = -1] = op.outputs;
    const [from, to, begin] = [this.#at(input), this.#at(output), this.#integers(op.inputs[1])];
    if (!from || !to || begin?.length !== from.shape.length || to.shape.length !== from.shape.length) return null;
    return [this.#cut(op, input, output, begin, to.shape)];
  }

  /** A slice that drops axes: without dropping them, and a reshape. */
  #stridedSlice(op: FileOperation): FileOperation[] | null {
    const [from, to] = [this.#at(op.inputs[0]), this.#at(op.outputs[0])];
    const dropped = op.options?.i32(4) ?? 0;
    if (!from || !to || dropped === 0) return null;
    const sizes = [...to.shape];
    const shape = from.shape.map((_, axis) => (dropped & (1 << axis) ? 1 : (sizes.shift() ?? 0)));
    if (sizes.length > 0 || shape.includes(0)) return null;
    const thin = this.#add({ ...to, shape });
    return [{ ...op, outputs: [thin] }, this.#reshape(op, thin, op.outputs[0] as number)];
  }

  /** [H, W, b * b * C] <-> [H * b, W * b, C]: a transposition of [H, W, b, b * C] or [H, b, W, b * C]. */
  #blocks(op: FileOperation, gather: boolean): FileOperation[] | null {
    const [input = -1] = op.inputs;
    const [output = -1] = op.outputs;
    const [from, to] = [this.#at(input), this.#at(output)];
    const block = op.options?.i32(0) ?? 0;
    if (from?.shape.length !== 4 || to?.shape.length !== 4 || block < 1) return null;
    const [small, large] = gather ? [to.shape, from.shape] : [from.shape, to.shape];
    const [, height = 0, width = 0] = small;
    const channels = large[3] ?? 0;
    const fits =
      large[1] === height * block &&
      large[2] === width * block &&
      small[3] === channels * block * block &&
      small[0] === 1;
    if (!fits) return null;
    const apart = [1, height, width, block, block * channels];
    const woven = [1, height, block, width, block * channels];
    const a = this.#add({ ...from, shape: gather ? woven : apart });
    const b = this.#add({ ...from, shape: gather ? apart : woven });
    const order = this.#add(int32Tensor('', [5], [0, 1, 3, 2, 4]));
    return [
      this.#reshape(op, input, a),
      { index: op.index, name: 'TRANSPOSE', inputs: [a, order], outputs: [b], options: null },
      this.#reshape(op, b, output),
    ];
  }

  #onlyReader(id: number | undefined): FileOperation | null {
    if (id === undefined || id === this.#output) return null;
    const readers = this.#readers(id);
    return readers.length === 1 ? (readers[0] ?? null) : null;
  }

  #foldDilation(): void {
    for (const op of this.#operations) {
      if (op.name === 'SPACE_TO_BATCH_ND') this.#foldDilationFrom(op);
    }
  }

  /** SPACE_TO_BATCH_ND, a VALID convolution of stride 1 between reshapes, BATCH_TO_SPACE_ND: one dilated convolution. */
  #foldDilationFrom(scatter: FileOperation): void {
    const isReshape = ({ name }: FileOperation): boolean => ['RESHAPE', 'EXPAND_DIMS', 'SQUEEZE'].includes(name);
    const gone: FileOperation[] = [scatter];
    let convolution: FileOperation | null = null;
    let next = this.#onlyReader(scatter.outputs[0]);
    while (next && next.name !== 'BATCH_TO_SPACE_ND') {
      if (isConvolution(next.name) && !convolution) convolution = next;
      else if (!isReshape(next)) return;
      gone.push(next);
      next = this.#onlyReader(next.outputs[0]);
    }
    const gather = next;
    if (!gather || !convolution || !isConvolution(convolution.name)) return;
    gone.push(gather);
    const [input = -1] = scatter.inputs;
    const [output = -1] = gather.outputs;
    const [from, scattered, to] = [this.#at(input), this.#at(convolution.inputs[0]), this.#at(output)];
    const [result, weights] = [this.#at(convolution.outputs[0]), this.#at(convolution.inputs[1])];
    if (!from || !scattered || !to || !result || scattered.shape.length !== 4 || weights?.shape.length !== 4) return;
    if (!sameQuantization(from, scattered) || !sameQuantization(result, to)) return;
    const block = this.#integers(scatter.inputs[1]);
    const [pads, crops] = [this.#integers(scatter.inputs[2]), this.#integers(gather.inputs[2])];
    const axes = from.shape.length - 2;
    if (!block || !pads || !crops || String(block) !== String(this.#integers(gather.inputs[1]))) return;
    if (block.length !== axes || pads.length !== 2 * axes || crops.length !== 2 * axes) return;
    // Padding of the whole operation, [before, after] per axis.
    const padding = pads.map((size, index) => size - (crops[index] as number));
    if (padding.some((size) => size < 0) || from.shape[0] !== 1 || to.shape[0] !== 1) return;
    const { stride, dilation } = CONVOLUTION_SLOTS[convolution.name];
    const { options } = convolution;
    const [one, two] = [0, 1].map((i) => options?.i32(stride + i)) as [number, number];
    if ([one, two, options?.i32(dilation, 1), options?.i32(dilation + 1, 1)].some((each) => each !== 1)) return;
    if (options?.i8(0) !== TFLITE_PADDING.VALID) return;
    const channels = (shape: readonly number[]): number => shape.at(-1) ?? 0;
    let shapes: readonly [readonly number[], readonly number[]] = [from.shape, to.shape];
    let along: readonly [number, number] = [block[0] ?? 1, block[1] ?? 1];
    let window: WindowPadding = {
      top: padding[0] ?? 0,
      bottom: padding[1] ?? 0,
      left: padding[2] ?? 0,
      right: padding[3] ?? 0,
    };
    if (axes === 1) {
      // A series: the kernel says along which axis of the image it lies.
      const [length = 0, out = 0] = [from.shape[1], to.shape[1]];
      const [before, after] = [window.top, window.bottom];
      if (scattered.shape[1] === 1 && weights.shape[1] === 1) {
        shapes = [
          [1, 1, length, channels(from.shape)],
          [1, 1, out, channels(to.shape)],
        ];
        along = [1, block[0] as number];
        window = { top: 0, bottom: 0, left: before, right: after };
      } else if (scattered.shape[2] === 1 && weights.shape[2] === 1) {
        shapes = [
          [1, length, 1, channels(from.shape)],
          [1, out, 1, channels(to.shape)],
        ];
        along = [block[0] as number, 1];
      } else return;
    } else if (axes !== 2) return;
    const [a, b] = shapes.map((shape, end) => this.#add({ ...(end === 0 ? from : to), shape })) as [number, number];
    const dilated: FileOperation = {
      ...convolution,
      inputs: [a, ...convolution.inputs.slice(1)],
      outputs: [b],
      options: withSlots(options, { [dilation]: along[1], [dilation + 1]: along[0] }),
      padding: window,
    };
    this.#operations = this.#operations.flatMap((op) => {
      if (op === scatter) return [this.#reshape(op, input, a), dilated, this.#reshape(op, b, output)];
      return gone.includes(op) ? [] : [op];
    });
  }

  /** Padding by what a window takes for "nothing there" becomes that window's own. */
  #absorbPadding(): void {
    const pads = new Map<number, FileOperation>();
    for (const op of this.#operations) {
      if ((op.name === 'PAD' || op.name === 'PADV2') && op.outputs[0] !== undefined) pads.set(op.outputs[0], op);
    }
    this.#operations = this.#operations.map((op) => {
      const pad = pads.get(op.inputs[0] ?? -1);
      return (pad && this.#withPadding(op, pad)) ?? op;
    });
  }

  #withPadding(op: FileOperation, pad: FileOperation): FileOperation | null {
    const [from, padded] = [this.#at(pad.inputs[0]), this.#at(pad.outputs[0])];
    const pairs = this.#integers(pad.inputs[1]);
    if (!from || !padded || from.data || !sameQuantization(from, padded) || pairs?.length !== 8) return null;
    if (op.padding || op.options?.i8(0) !== TFLITE_PADDING.VALID) return null;
    const [, , top = 0, bottom = 0, left = 0, right = 0] = pairs;
    if (from.shape[0] !== 1 || pairs.some((size, at) => size < 0 || ((at < 2 || at > 5) && size !== 0))) return null;
    const zero = from.zeroPoints[0] ?? 0;
    const value = pad.name === 'PAD' ? zero : this.#int8Value(pad.inputs[2]);
    let extents: readonly number[];
    if (isConvolution(op.name)) {
      const weights = this.#at(op.inputs[1]);
      if (value !== zero || weights?.shape.length !== 4) return null;
      const { dilation } = CONVOLUTION_SLOTS[op.name];
      extents = [1, 0].map((i) => ((weights.shape[2 - i] as number) - 1) * (op.options?.i32(dilation + i, 1) ?? 1) + 1);
    } else if (op.name === 'MAX_POOL_2D' && from.type === TFLITE_TYPE.INT8 && value === -128) {
      extents = [op.options.i32(4), op.options.i32(3)];
    } else return null;
    const [height = 0, width = 0] = extents;
    if (Math.max(top, bottom) >= height || Math.max(left, right) >= width) return null;
    return { ...op, inputs: [pad.inputs[0] as number, ...op.inputs.slice(1)], padding: { top, bottom, left, right } };
  }

  /** The one int8 constant of a tensor, or null. */
  #int8Value(id: number | undefined): number | null {
    const tensor = this.#at(id);
    if (tensor?.type !== TFLITE_TYPE.INT8 || !tensor.data || tensor.data.length < 1) return null;
    return ((tensor.data[0] as number) << 24) >> 24;
  }
}
