/**
 * The same network in the ops that kernels and planner do best, with the same bytes for every input. Tensors keep their
 * numbers; new ones come after them.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { consumers, producers } from '../quantize/graph-edit';
import type { Int8Conv2d, Int8DepthwiseConv2d, Int8Graph, Int8Op, Int8Tensor } from '../quantize/int8-graph';

/** Below so many bytes, keeping a part of a tensor instead of all of it is not worth an op. */
const LEAST_BYTES = 1024;

/** `graph` must pass `checkInt8Graph`, and so does the result. */
export function lowerGraph(graph: Int8Graph): Int8Graph {
  const ops = graph.ops.map((op) => (op.kind === 'depthwiseConv2d' ? asConvolution(op, graph) : op));
  return thinOut(unrollRows({ ...graph, ops }));
}

/**
 * A depthwise layer over one channel is a convolution with as many output channels: converters write the first layer of
 * grey images and spectrograms that way. The kernels for convolutions are much faster.
 */
function asConvolution(op: Int8DepthwiseConv2d, graph: Int8Graph): Int8Conv2d | Int8DepthwiseConv2d {
  const units = op.bias.length;
  if (graph.tensors[op.input]?.shape.at(-1) !== 1 || units === 1) return op;
  const { depthMultiplier: _, ...rest } = op;
  const taps = op.weights.length / units;
  // [tap][unit] -> [unit][tap]
  const weights = op.weights.map((_weight, i) => op.weights[(i % taps) * units + Math.floor(i / taps)] as number);
  return { ...rest, kind: 'conv2d', groups: 1, weights };
}

/** More flash than this for weights that are repeated is not worth the time that they save. */
const MOST_REPEATED_BYTES = 1024;
/** Of bias and multiplier. */
const CHANNEL_BYTES = 8;

/**
 * Rows no wider than the kernel (three accelerations side by side; series written as [T, 1, C]) are one pixel each: the row's
 * values become input channels, and all its outputs output channels, with a weight of zero where the padding was. The kernels
 * then go along the only axis that is left, several pixels at a time, and gather nothing.
 */
function unrollRows(graph: Int8Graph): Int8Graph {
  const tensors: Int8Tensor[] = [...graph.tensors];
  const ops = graph.ops.flatMap((op) => {
    if (op.kind !== 'conv2d' || op.groups > 1) return [op];
    const [from, to] = [tensors[op.input] as Int8Tensor, tensors[op.output] as Int8Tensor];
    const [height = 0, width = 0, inputs = 0] = from.shape;
    const [outHeight = 0, outWidth = 0, outputs = 0] = to.shape;
    const { window } = op;
    if (height === 1 || width > window.kernelWidth || window.dilationHeight !== 1) return [op];
    const weights = unrolledWeights(op, width, outWidth);
    const repeated = weights.length - op.weights.length + CHANNEL_BYTES * (outWidth - 1) * outputs;
    if (repeated > MOST_REPEATED_BYTES) return [op];
    const input = tensors.push({ ...from, name: `${from.name}/rows`, shape: [1, height, width * inputs] }) - 1;
    const output = tensors.push({ ...to, name: `${to.name}/rows`, shape: [1, outHeight, outWidth * outputs] }) - 1;
    const unrolled: Int8Conv2d = {
      ...op,
      input,
      output,
      weights,
      bias: repeat(op.bias, outWidth),
      // Parameters that all channels share stay single.
      ...(op.multiplier.length > 1 && {
        weightScale: repeat(op.weightScale, outWidth),
        multiplier: repeat(op.multiplier, outWidth),
        shift: repeat(op.shift, outWidth),
      }),
      window: {
        kernelHeight: 1,
        kernelWidth: window.kernelHeight,
        strideHeight: 1,
        strideWidth: window.strideHeight,
        dilationHeight: 1,
        dilationWidth: 1,
        padTop: 0,
        padLeft: window.padTop,
        padBottom: 0,
        padRight: window.padBottom,
      },
    };
    return [
      { kind: 'reshape', input: op.input, output: input } as const,
      unrolled,
      { kind: 'reshape', input: output, output: op.output } as const,
    ];
  });
  return ops.length === graph.ops.length ? graph : { ...graph, tensors, ops };
}

/** [unit][row][column][channel] -> [output column][unit][row][input column][channel]. */
function unrolledWeights({ weights, window, bias }: Int8Conv2d, width: number, outWidth: number): Int8Array {
  const { kernelHeight, kernelWidth, strideWidth, dilationWidth, padLeft } = window;
  const units = bias.length;
  const channels = weights.length / units / kernelHeight / kernelWidth;
  const unrolled = new Int8Array(outWidth * units * kernelHeight * width * channels);
  for (let x = 0; x < outWidth; x++) {
    for (let column = 0; column < kernelWidth; column++) {
      const at = x * strideWidth - padLeft + column * dilationWidth;
      if (at < 0 || at >= width) continue;
      for (let line = 0; line < units * kernelHeight; line++) {
        const tap = (line * kernelWidth + column) * channels;
        unrolled.set(
          weights.subarray(tap, tap + channels),
          ((x * units * kernelHeight + line) * width + at) * channels,
        );
      }
    }
  }
  return unrolled;
}

function repeat<Values extends Int32Array | Float32Array>(values: Values, times: number): Values {
  const repeated = new (values.constructor as new (length: number) => Values)(values.length * times);
  for (let i = 0; i < times; i++) repeated.set(values, i * values.length);
  return repeated;
}

/** 1 x 1 with a stride and without padding: it reads only some of the pixels. */
function readsSome(op: Int8Op): op is Int8Conv2d {
  if (op.kind !== 'conv2d' || op.groups > 1) return false;
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft, padBottom, padRight } = op.window;
  const padding = padTop + padLeft + padBottom + padRight;
  return kernelHeight * kernelWidth === 1 && strideHeight * strideWidth > 1 && padding === 0;
}

/**
 * Residual networks shrink the shortcut by a 1 x 1 convolution with a stride, while the tensor's other reader shrinks it as
 * well. Only the pixels that the shortcut needs are kept for it: then the other reader may write over the whole tensor.
 */
function thinOut(graph: Int8Graph): Int8Graph {
  const readers = consumers(graph);
  const writers = producers(graph);
  const tensors: Int8Tensor[] = [...graph.tensors];
  /** Ops that go right before or after the op at an index. */
  const before = new Map<number, Int8Op[]>();
  const after = new Map<number, Int8Op[]>();
  const moved = new Set<number>();
  const thinned = new Set<TensorId>();
  graph.ops.forEach((op, index) => {
    if (!readsSome(op) || thinned.has(op.input)) return;
    const from = tensors[op.input] as Int8Tensor;
    const [height = 0, width = 0, channels = 0] = from.shape;
    const others = (readers[op.input] as number[]).filter((reader) => reader !== index);
    const [first, last] = [others[0], others.at(-1)];
    if (first === undefined || last === undefined || writers[op.input] === -1) return;
    if (op.input === graph.output || elementCount(from.shape) < LEAST_BYTES) return;
    // Where nothing has read its result yet, its turn comes when the others are done with the whole tensor.
    if ((readers[op.output] as number[]).some((reader) => reader <= last)) return;
    const { strideHeight, strideWidth } = op.window;
    const shape = [Math.ceil(height / strideHeight), Math.ceil(width / strideWidth), channels];
    const thin = tensors.push({ ...from, name: `${from.name}/thinned`, shape }) - 1;
    const strides = [strideHeight, strideWidth, 1];
    before.set(first, [
      ...(before.get(first) ?? []),
      { kind: 'stridedSlice', input: op.input, output: thin, begin: [0, 0, 0], strides },
    ]);
    const window = { ...op.window, strideHeight: 1, strideWidth: 1 };
    after.set(last, [...(after.get(last) ?? []), { ...op, input: thin, window }]);
    moved.add(index);
    thinned.add(op.input);
  });
  if (moved.size === 0) return graph;
  const ops = graph.ops.flatMap((op, index) => [
    ...(before.get(index) ?? []),
    ...(moved.has(index) ? [] : [op]),
    ...(after.get(index) ?? []),
  ]);
  return { ...graph, tensors, ops };
}
