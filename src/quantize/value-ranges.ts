/**
 * Which int8 values each channel of each tensor can take, whatever the input of the network: interval arithmetic through
 * the exact integer kernels, all of which are monotonic in every operand. Never too narrow; may be too wide.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { outputSize, extent } from '../graph/window2d';
import type { Int8Add, Int8Graph, Int8Mean, Int8Mul, Int8Op, Int8Tensor } from './int8-graph';
import type { Int16WeightedOp } from './int16-graph';
import type { WeightedOp } from './ops/folded-bias';
import { clamp, rescaleOf, type Rescale } from './requantize';

/** Inclusive bounds by channel (position along the last axis). */
export interface ChannelRanges {
  readonly low: Int8Array;
  readonly high: Int8Array;
}

export function isInt8Weighted(op: Int8Op): op is WeightedOp {
  return op.kind === 'fullyConnected' || op.kind === 'conv2d' || op.kind === 'depthwiseConv2d';
}

/** Size of the last axis. */
export function channelsOf(tensor: Int8Tensor): number {
  return tensor.shape.at(-1) ?? 1;
}

/** Input channel (of a dense layer: input) that the weight of a given index multiplies. */
export function weightInput(graph: Int8Graph, op: WeightedOp): (weight: number) => number {
  switch (op.kind) {
    case 'fullyConnected': {
      const inputs = op.weights.length / op.bias.length;
      return (weight) => weight % inputs;
    }
    case 'depthwiseConv2d':
      return (weight) => Math.floor((weight % op.bias.length) / op.depthMultiplier);
    case 'conv2d': {
      const perGroup = channelsOf(graph.tensors[op.input] as Int8Tensor) / op.groups;
      const perOutput = op.weights.length / op.bias.length;
      const outputsPerGroup = op.bias.length / op.groups;
      return (weight) => Math.floor(Math.floor(weight / perOutput) / outputsPerGroup) * perGroup + (weight % perGroup);
    }
  }
}

/** Output channel (unit) that the weight of a given index belongs to. */
export function weightUnit(op: WeightedOp | Int16WeightedOp): (weight: number) => number {
  const units = op.bias.length;
  const perUnit = op.weights.length / units;
  return op.kind === 'depthwiseConv2d' ? (weight) => weight % units : (weight) => Math.floor(weight / perUnit);
}

/** Whether any position of the window really lies over the padding. */
export function touchesPadding(graph: Int8Graph, op: WeightedOp): boolean {
  if (op.kind === 'fullyConnected') return false;
  const { window } = op;
  if (window.padTop > 0 || window.padLeft > 0) return true;
  const [height = 1, width = 1] = (graph.tensors[op.input] as Int8Tensor).shape;
  const reaches = (size: number, kernel: number, stride: number, dilation: number, after: number): boolean =>
    (outputSize(size, kernel, stride, dilation, after) - 1) * stride + extent(kernel, dilation) > size;
  return (
    reaches(height, window.kernelHeight, window.strideHeight, window.dilationHeight, window.padBottom) ||
    reaches(width, window.kernelWidth, window.strideWidth, window.dilationWidth, window.padRight)
  );
}

/** Ranges of all tensors of a graph that `checkInt8Graph` accepts; tensors that nothing writes may take any value. */
export function channelRanges(graph: Int8Graph): ChannelRanges[] {
  const ranges = graph.tensors.map((tensor) => (tensor.data ? ofConstant(tensor) : anything(channelsOf(tensor))));
  for (const op of graph.ops) {
    const channels = channelsOf(graph.tensors[op.output] as Int8Tensor);
    const after = rangesAfter(graph, op, ranges);
    // Some ops may also give their result another shape.
    ranges[op.output] = after.low.length === channels ? after : everywhere(channels, hull(after));
  }
  return ranges;
}

function anything(channels: number): ChannelRanges {
  return { low: new Int8Array(channels).fill(-128), high: new Int8Array(channels).fill(127) };
}

function empty(channels: number): ChannelRanges {
  return { low: new Int8Array(channels).fill(127), high: new Int8Array(channels).fill(-128) };
}

function include(ranges: ChannelRanges, channel: number, low: number, high: number): void {
  ranges.low[channel] = Math.min(ranges.low[channel] as number, low);
  ranges.high[channel] = Math.max(ranges.high[channel] as number, high);
}

function ofConstant(tensor: Int8Tensor): ChannelRanges {
  const channels = channelsOf(tensor);
  const ranges = empty(channels);
  tensor.data?.forEach((value, i) => include(ranges, i % channels, value, value));
  return ranges;
}

/** All channels in one. */
function hull(ranges: ChannelRanges): { low: number; high: number } {
  let low = 127;
  let high = -128;
  ranges.low.forEach((value) => (low = Math.min(low, value)));
  ranges.high.forEach((value) => (high = Math.max(high, value)));
  return { low, high };
}

function everywhere(channels: number, { low, high }: { low: number; high: number }): ChannelRanges {
  return { low: new Int8Array(channels).fill(low), high: new Int8Array(channels).fill(high) };
}

/** Ranges of a tensor with another last axis that holds the same elements in the same order. */
function regrouped(ranges: ChannelRanges, channels: number): ChannelRanges {
  const from = ranges.low.length;
  if (from === channels) return ranges;
  if (channels % from === 0) {
    return {
      low: Int8Array.from({ length: channels }, (_, c) => ranges.low[c % from] as number),
      high: Int8Array.from({ length: channels }, (_, c) => ranges.high[c % from] as number),
    };
  }
  if (from % channels === 0) {
    const merged = empty(channels);
    ranges.low.forEach((low, c) => include(merged, c % channels, low, ranges.high[c] as number));
    return merged;
  }
  return everywhere(channels, hull(ranges));
}

function rangesAfter(graph: Int8Graph, op: Int8Op, ranges: readonly ChannelRanges[]): ChannelRanges {
  const tensor = (id: TensorId): Int8Tensor => graph.tensors[id] as Int8Tensor;
  const channels = channelsOf(tensor(op.output));
  const of = (id: TensorId): ChannelRanges => ranges[id] as ChannelRanges;
  switch (op.kind) {
    case 'fullyConnected':
    case 'conv2d':
    case 'depthwiseConv2d':
      return afterWeights(graph, op, of(op.input), channels);
    case 'softmax':
      return anything(channels);
    case 'maxPool2d':
    case 'averagePool2d': {
      // The maximum and the rounded average of values lie between the smallest and the largest of them.
      const { low, high } = of(op.input);
      return {
        low: low.map((value) => clamp(value, op.actMin, op.actMax)),
        high: high.map((value) => clamp(value, op.actMin, op.actMax)),
      };
    }
    case 'mean':
      return afterMean(op, tensor(op.input), tensor(op.output), of(op.input), rescaleOf(graph.rounding));
    case 'add':
      return afterPair(op, channels, graph, of, (a, b) => addValue(op, graph, a, b));
    case 'mul':
      return afterPair(op, channels, graph, of, (a, b) => mulValue(op, graph, a, b));
    case 'concat': {
      const rank = tensor(op.output).shape.length;
      const result = empty(channels);
      let at = 0;
      for (const id of op.inputs) {
        const input = of(id);
        input.low.forEach((low, c) => include(result, op.axis === rank - 1 ? at + c : c, low, input.high[c] as number));
        at += input.low.length;
      }
      return result;
    }
    case 'pad': {
      const zero = tensor(op.output).zeroPoint;
      const last = op.before.length - 1;
      const moved = (op.before[last] ?? 0) > 0 || (op.after[last] ?? 0) > 0;
      const source = moved ? everywhere(channels, hull(of(op.input))) : of(op.input);
      return {
        low: source.low.map((value) => Math.min(value, zero)),
        high: source.high.map((value) => Math.max(value, zero)),
      };
    }
    case 'reshape':
      return regrouped(of(op.input), channels);
    case 'transpose': {
      const last = op.permutation.length - 1;
      return op.permutation[last] === last ? of(op.input) : everywhere(channels, hull(of(op.input)));
    }
    case 'lookup': {
      const { low, high } = of(op.input);
      const result = empty(low.length);
      low.forEach((from, c) => {
        for (let q = from; q <= (high[c] as number); q++) {
          const value = op.table[q + 128] as number;
          include(result, c, value, value);
        }
      });
      return result;
    }
    case 'stridedSlice': {
      const last = op.begin.length - 1;
      const from = (c: number): number => (op.begin[last] as number) + c * (op.strides[last] as number);
      const { low, high } = of(op.input);
      return {
        low: Int8Array.from({ length: channels }, (_, c) => low[from(c)] as number),
        high: Int8Array.from({ length: channels }, (_, c) => high[from(c)] as number),
      };
    }
    case 'resizeNearest':
      return of(op.input);
  }
}

/** Smallest and largest sum (bias included) of every unit. They stay below 2^53: biases fit 32, weights 8 bits. */
function sums(
  graph: Int8Graph,
  op: WeightedOp,
  input: ChannelRanges,
): { readonly least: Float64Array; readonly most: Float64Array } {
  const zero = (graph.tensors[op.input] as Int8Tensor).zeroPoint;
  const padded = touchesPadding(graph, op);
  const inputs = op.kind === 'fullyConnected' ? regrouped(input, op.weights.length / op.bias.length) : input;
  const least = Float64Array.from(op.bias);
  const most = Float64Array.from(op.bias);
  const inputOf = weightInput(graph, op);
  const unitOf = weightUnit(op);
  op.weights.forEach((weight, i) => {
    if (weight === 0) return;
    const channel = inputOf(i);
    const a = weight * ((inputs.low[channel] as number) - zero);
    const b = weight * ((inputs.high[channel] as number) - zero);
    const unit = unitOf(i);
    least[unit] = (least[unit] as number) + (padded ? Math.min(a, b, 0) : Math.min(a, b));
    most[unit] = (most[unit] as number) + (padded ? Math.max(a, b, 0) : Math.max(a, b));
  });
  return { least, most };
}

/** The smallest sum, bias included, that each unit of a layer can reach before it is rescaled. */
export function leastSums(graph: Int8Graph, op: WeightedOp, input: ChannelRanges): Float64Array {
  return sums(graph, op, input).least;
}

function afterWeights(graph: Int8Graph, op: WeightedOp, input: ChannelRanges, channels: number): ChannelRanges {
  const units = op.bias.length;
  const zeroOut = (graph.tensors[op.output] as Int8Tensor).zeroPoint;
  const { least, most } = sums(graph, op, input);
  const rescale = rescaleOf(graph.rounding);
  const result = empty(channels);
  for (let unit = 0; unit < units; unit++) {
    const c = op.multiplier.length > 1 ? unit : 0;
    const output = (sum: number): number =>
      clamp(rescale(sum, op.multiplier[c] as number, op.shift[c] as number) + zeroOut, op.actMin, op.actMax);
    const low = output(least[unit] as number);
    const high = output(most[unit] as number);
    // A unit is one channel, one of several that fall on a channel, or (rows across) spread over all channels.
    if (units % channels === 0) include(result, unit % channels, low, high);
    else for (let channel = 0; channel < channels; channel++) include(result, channel, low, high);
  }
  return result;
}

function afterMean(
  op: Int8Mean,
  input: Int8Tensor,
  output: Int8Tensor,
  ranges: ChannelRanges,
  rescale: Rescale,
): ChannelRanges {
  const channels = channelsOf(output);
  const mean = (value: number): number =>
    clamp(rescale(op.count * (value - input.zeroPoint), op.multiplier, op.shift) + output.zeroPoint, -128, 127);
  const source =
    channels === ranges.low.length && op.inner % channels === 0 ? ranges : everywhere(channels, hull(ranges));
  return { low: source.low.map(mean), high: source.high.map(mean) };
}

function afterPair(
  op: Int8Add | Int8Mul,
  channels: number,
  graph: Int8Graph,
  of: (id: TensorId) => ChannelRanges,
  value: (a: number, b: number) => number,
): ChannelRanges {
  const first = regrouped(of(op.inputs[0]), channels);
  const period = elementCount((graph.tensors[op.inputs[1]] as Int8Tensor).shape);
  const second =
    period % channels === 0 ? regrouped(of(op.inputs[1]), channels) : everywhere(channels, hull(of(op.inputs[1])));
  const result = empty(channels);
  for (let c = 0; c < channels; c++) {
    for (const a of [first.low[c] as number, first.high[c] as number]) {
      for (const b of [second.low[c] as number, second.high[c] as number]) {
        const y = value(a, b);
        include(result, c, y, y);
      }
    }
  }
  return result;
}

function addValue(op: Int8Add, graph: Int8Graph, a: number, b: number): number {
  const zero = (id: TensorId): number => (graph.tensors[id] as Int8Tensor).zeroPoint;
  const rescale = rescaleOf(graph.rounding);
  const first = rescale((a - zero(op.inputs[0])) << 20, op.multiplierA, op.shiftA);
  const second = rescale((b - zero(op.inputs[1])) << 20, op.multiplierB, op.shiftB);
  const sum = op.subtract ? first - second : first + second;
  return clamp(rescale(sum, op.multiplierOut, op.shiftOut) + zero(op.output), op.actMin, op.actMax);
}

function mulValue(op: Int8Mul, graph: Int8Graph, a: number, b: number): number {
  const zero = (id: TensorId): number => (graph.tensors[id] as Int8Tensor).zeroPoint;
  const product = (a - zero(op.inputs[0])) * (b - zero(op.inputs[1]));
  return clamp(rescaleOf(graph.rounding)(product, op.multiplier, op.shift) + zero(op.output), op.actMin, op.actMax);
}
