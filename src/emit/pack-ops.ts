/** The operations of a network as bytes of a pack and back: docs/pack-format.md, section 5. */
import { elementCount, type TensorId } from '../graph/float-graph';
import type { Window2d } from '../graph/window2d';
import {
  INT8_OPCODE,
  inputsOf,
  type Int8Graph,
  type Int8Op,
  type Int8Tensor,
  type Int8Weighted,
  type LookupFunction,
} from '../quantize/int8-graph';
import { foldedBias, unfoldedBias, weightSums, type WeightedOp } from '../quantize/ops/folded-bias';
import { nearestIndex } from '../quantize/ops/resize-nearest';
import type { ByteReader } from './byte-reader';
import type { ByteWriter } from './byte-writer';
import { EmitError } from './model';

const MAX_RANK = 4;
/** Never reorder: the index stands in packs. */
const LOOKUP_FUNCTIONS = [
  'relu',
  'relu6',
  'leakyRelu',
  'hardSwish',
  'logistic',
  'tanh',
  'quantize',
] as const satisfies readonly LookupFunction[];

/** `graph` must have passed `checkInt8Graph`; `scratch` is the op's place for scratch in the arena. */
export function writeOp(op: Int8Op, graph: Int8Graph, scratch: number, out: ByteWriter): void {
  const start = out.length;
  const [first = 0, second = 0] = inputsOf(op);
  out.u32(INT8_OPCODE[op.kind], 0, first, op.output, scratch, op.kind === 'add' || op.kind === 'mul' ? second : 0);
  switch (op.kind) {
    case 'fullyConnected':
      writeScales(op, out);
      out.u32(op.weights.length / op.bias.length);
      writeWeights(op, graph, out);
      break;
    case 'conv2d':
    case 'depthwiseConv2d':
      writeScales(op, out);
      writeWindow(op.window, out);
      out.u32(op.kind === 'conv2d' ? op.groups : op.depthMultiplier);
      writeWeights(op, graph, out);
      break;
    case 'maxPool2d':
    case 'averagePool2d':
      out.i32(op.actMin, op.actMax);
      writeWindow(op.window, out);
      break;
    case 'mean':
      out.u32(op.outer, op.count, op.inner);
      out.i32(op.multiplier, op.shift);
      break;
    case 'add':
      out.u32(op.subtract ? 1 : 0);
      out.i32(op.multiplierA, op.shiftA, op.multiplierB, op.shiftB, op.multiplierOut, op.shiftOut);
      out.i32(op.actMin, op.actMax);
      break;
    case 'mul':
      out.i32(op.multiplier, op.shift, op.actMin, op.actMax);
      break;
    case 'concat':
      out.u32(op.axis, op.inputs.length, ...op.inputs);
      break;
    case 'pad':
      writeAxes(op.before, out);
      writeAxes(op.after, out);
      break;
    case 'reshape':
      break;
    case 'transpose':
      writeAxes(op.permutation, out);
      break;
    case 'lookup':
      out.u32(LOOKUP_FUNCTIONS.indexOf(op.function));
      out.f64(op.alpha);
      out.bytes(op.table);
      break;
    case 'stridedSlice':
      writeAxes(op.begin, out);
      writeAxes(op.strides, out);
      break;
    case 'resizeNearest':
      out.u32(op.alignCorners ? 1 : 0, op.halfPixelCenters ? 1 : 0);
      for (const indices of nearestIndices(op, graph)) out.i16Array(Int16Array.from(indices));
      out.align();
      break;
    case 'softmax':
      out.i32(op.multiplier, op.leftShift, op.diffMin);
      break;
  }
  out.patchU32(start + 4, out.length - start);
}

/** Rows, then columns of the input for those of the output. */
function nearestIndices(
  op: Extract<Int8Op, { kind: 'resizeNearest' }>,
  graph: Pick<Int8Graph, 'tensors'>,
): readonly (readonly number[])[] {
  const [from, to] = [graph.tensors[op.input]?.shape ?? [], graph.tensors[op.output]?.shape ?? []];
  return [0, 1].map((axis) =>
    nearestIndex(from[axis] as number, to[axis] as number, op.alignCorners, op.halfPixelCenters),
  );
}

function writeScales(op: Int8Weighted, out: ByteWriter): void {
  out.u32(op.multiplier.length);
  out.i32(op.actMin, op.actMax);
}

function writeWeights(op: WeightedOp, graph: Int8Graph, out: ByteWriter): void {
  out.i32Array(foldedBias(op, graph.tensors[op.input]?.zeroPoint ?? 0));
  out.f32Array(op.weightScale);
  out.i32Array(op.multiplier);
  out.bytes(Int8Array.from(op.shift));
  out.align();
  out.bytes(op.weights);
  out.align();
}

function writeWindow(window: Window2d, out: ByteWriter): void {
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = window;
  out.u32(kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth);
  out.u32(window.padTop, window.padLeft, window.padBottom, window.padRight);
}

function writeAxes(values: readonly number[], out: ByteWriter): void {
  for (let axis = 0; axis < MAX_RANK; axis++) out.u32(values[axis] ?? 0);
}

function corrupt(what: string): never {
  throw new EmitError('pack-corrupt', `This pack is intact but holds no usable model: ${what}.`);
}

/** The next op; whether it can run is checked with the finished model. Throws EmitError (`pack-truncated`, `pack-corrupt`). */
export function readOp(
  tensors: readonly Int8Tensor[],
  from: ByteReader,
): { readonly op: Int8Op; readonly scratch: number } {
  const opcode = from.u32();
  from.u32(); // the size, for C
  const [input, output, scratch, second] = [from.u32(), from.u32(), from.u32(), from.u32()];
  const kind = (Object.keys(INT8_OPCODE) as Int8Op['kind'][]).find((known) => INT8_OPCODE[known] === opcode);
  if (!kind) corrupt(`it needs operation ${opcode}, which this version of Mote does not know`);
  return { op: readBody(kind, tensors, input, second, output, from), scratch };
}

function readBody(
  kind: Int8Op['kind'],
  tensors: readonly Int8Tensor[],
  input: TensorId,
  second: TensorId,
  output: TensorId,
  from: ByteReader,
): Int8Op {
  const tensor = (id: TensorId): Int8Tensor =>
    tensors[id] ?? corrupt(`it refers to tensor ${id}, which it does not have`);
  const { shape, zeroPoint } = tensor(input);
  const to = tensor(output).shape;
  const rank = shape.length;
  switch (kind) {
    case 'fullyConnected': {
      const scales = readScales(from);
      const inputs = from.u32();
      const rows = elementCount(shape) / inputs;
      const units = elementCount(to) / rows;
      if (!Number.isInteger(rows) || !Number.isInteger(units)) corrupt(`it connects rows of ${inputs} values`);
      return readWeights((weighted) => ({ kind, input, output, ...weighted }), scales, units, inputs, zeroPoint, from);
    }
    case 'conv2d': {
      const [scales, window, groups] = [readScales(from), readWindow(from), from.u32()];
      const taps = (window.kernelHeight * window.kernelWidth * (shape.at(-1) as number)) / groups;
      if (!Number.isSafeInteger(taps)) corrupt(`it splits channels into ${groups} groups`);
      const layer = (weighted: Weighted): WeightedOp => ({ kind, input, output, window, groups, ...weighted });
      return readWeights(layer, scales, to.at(-1) as number, taps, zeroPoint, from);
    }
    case 'depthwiseConv2d': {
      const [scales, window, depthMultiplier] = [readScales(from), readWindow(from), from.u32()];
      const taps = window.kernelHeight * window.kernelWidth;
      const layer = (weighted: Weighted): WeightedOp => ({ kind, input, output, window, depthMultiplier, ...weighted });
      return readWeights(layer, scales, to.at(-1) as number, taps, zeroPoint, from);
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const [actMin, actMax] = [from.i32(), from.i32()];
      return { kind, input, output, actMin, actMax, window: readWindow(from) };
    }
    case 'mean': {
      const [outer, count, inner] = [from.u32(), from.u32(), from.u32()];
      return { kind, input, output, outer, count, inner, multiplier: from.i32(), shift: from.i32() };
    }
    case 'add': {
      const subtract = from.u32() === 1;
      const [multiplierA, shiftA, multiplierB] = [from.i32(), from.i32(), from.i32()];
      const [shiftB, multiplierOut, shiftOut] = [from.i32(), from.i32(), from.i32()];
      const rescaling = { multiplierA, shiftA, multiplierB, shiftB, multiplierOut, shiftOut };
      return { kind, inputs: [input, second], output, subtract, ...rescaling, actMin: from.i32(), actMax: from.i32() };
    }
    case 'mul': {
      const [multiplier, shift] = [from.i32(), from.i32()];
      return { kind, inputs: [input, second], output, multiplier, shift, actMin: from.i32(), actMax: from.i32() };
    }
    case 'concat': {
      const [axis, count] = [from.u32(), from.u32()];
      if (count > tensors.length) corrupt(`it joins ${count} values`);
      return { kind, inputs: Array.from({ length: count }, () => from.u32()), output, axis };
    }
    case 'pad':
      return { kind, input, output, before: readAxes(rank, from), after: readAxes(rank, from) };
    case 'reshape':
      return { kind, input, output };
    case 'transpose':
      return { kind, input, output, permutation: readAxes(rank, from) };
    case 'lookup': {
      const name = LOOKUP_FUNCTIONS[from.u32()] ?? corrupt('it tabulates a function that this version does not know');
      return { kind, input, output, function: name, alpha: from.f64(), table: from.i8Array(256) };
    }
    case 'stridedSlice':
      return { kind, input, output, begin: readAxes(rank, from), strides: readAxes(rank, from) };
    case 'resizeNearest': {
      const [alignCorners, halfPixelCenters] = [from.u32() === 1, from.u32() === 1];
      // The tables are for C; writing the model again shows whether they are right.
      from.bytes(2 * ((to[0] ?? 0) + (to[1] ?? 0)));
      from.align();
      return { kind, input, output, alignCorners, halfPixelCenters };
    }
    case 'softmax':
      return { kind, input, output, multiplier: from.i32(), leftShift: from.i32(), diffMin: from.i32() };
  }
}

interface Scales {
  readonly count: number;
  readonly actMin: number;
  readonly actMax: number;
}

type Weighted = Int8Weighted & { readonly weights: Int8Array };

function readScales(from: ByteReader): Scales {
  return { count: from.u32(), actMin: from.i32(), actMax: from.i32() };
}

function readWeights(
  layer: (weighted: Weighted) => WeightedOp,
  { count, actMin, actMax }: Scales,
  channels: number,
  taps: number,
  inputZeroPoint: number,
  from: ByteReader,
): WeightedOp {
  const folded = from.i32Array(channels);
  const weightScale = from.f32Array(count);
  const multiplier = from.i32Array(count);
  const shift = Int32Array.from(from.i8Array(count));
  from.align();
  const weights = from.i8Array(channels * taps);
  from.align();
  const op = layer({ bias: folded, weightScale, multiplier, shift, actMin, actMax, weights });
  return { ...op, bias: unfoldedBias(folded, weightSums(op), inputZeroPoint) };
}

function readWindow(from: ByteReader): Window2d {
  const [kernelHeight, kernelWidth, strideHeight] = [from.u32(), from.u32(), from.u32()];
  const [strideWidth, dilationHeight, dilationWidth] = [from.u32(), from.u32(), from.u32()];
  const [padTop, padLeft, padBottom, padRight] = [from.u32(), from.u32(), from.u32(), from.u32()];
  return {
    ...{ kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth },
    ...{ padTop, padLeft, padBottom, padRight },
  };
}

function readAxes(rank: number, from: ByteReader): number[] {
  return [from.u32(), from.u32(), from.u32(), from.u32()].slice(0, rank);
}
