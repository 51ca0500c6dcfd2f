/**
 * Lossless removal of channels that cannot influence the result: their value is a constant, proved for every possible
 * input, which folds into the next layer, or nothing uses it. Strong weight decay leaves many of them behind.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { dropUnused } from './graph-edit';
import { inputsOf, type Int8Graph, type Int8Op, type Int8Tensor } from './int8-graph';
import type { WeightedOp } from './ops/folded-bias';
import {
  channelRanges,
  channelsOf,
  isInt8Weighted,
  leastSums,
  touchesPadding,
  weightInput,
  weightUnit,
  type ChannelRanges,
} from './value-ranges';

export interface DeadChannels {
  /** Gives the same output bytes for every input. Input and output keep their shapes, scales and zero points. */
  readonly graph: Int8Graph;
  /** Output channels (units) of convolutions and dense layers that are gone. */
  readonly removedChannels: number;
  /** Multiplications per inference that are gone. */
  readonly removedMacs: number;
  readonly removedWeightBytes: number;
}

/**
 * Removes to a fixpoint. Follows channels through convolutions, dense and depthwise layers, pooling, means, additions and
 * multiplications (where the channel goes in both operands), concatenation, padding, reshapes and look-ups; stops at
 * softmax, grouped convolutions and whatever mixes the channels of a tensor. `graph` must pass `checkInt8Graph`.
 */
export function removeDeadChannels(graph: Int8Graph): DeadChannels {
  const before = tally(graph);
  let current = withoutUnused(graph);
  for (;;) {
    const next = removeOnce(current);
    if (!next) break;
    current = withoutUnused(next);
  }
  const after = tally(current);
  return {
    graph: current,
    removedChannels: before.channels - after.channels,
    removedMacs: before.macs - after.macs,
    removedWeightBytes: before.weightBytes - after.weightBytes,
  };
}

function withoutUnused(graph: Int8Graph): Int8Graph {
  const slim = dropUnused<Int8Tensor, Int8Op, Int8Graph>(graph);
  // The input stays part of the network even when the output does not depend on it.
  return slim.ops.length === 0 || slim.ops.length === graph.ops.length ? graph : { ...graph, ...slim };
}

function tally(graph: Int8Graph): { channels: number; macs: number; weightBytes: number } {
  let channels = 0;
  let macs = 0;
  let weightBytes = 0;
  for (const op of graph.ops) {
    if (!isInt8Weighted(op)) continue;
    const units = op.bias.length;
    channels += units;
    weightBytes += op.weights.length;
    const outputs = elementCount((graph.tensors[op.output] as Int8Tensor).shape);
    macs += (outputs / units) * op.weights.length;
  }
  return { channels, macs, weightBytes };
}

/** One round: everything that can go at once. Null when nothing can. */
function removeOnce(graph: Int8Graph): Int8Graph | null {
  const ranges = channelRanges(graph);
  const classes = new ChannelClasses(graph);
  for (const op of graph.ops) linkChannels(graph, op, classes, ranges);
  const kept = classes.decide(graph);
  return kept ? rewrite(graph, kept, ranges) : withoutIdleWeights(graph, ranges);
}

/**
 * A unit that is constant but has to stay (under padding, in an addition) gives the same constant without weights, and
 * then no longer holds on to its inputs. Null when there is none.
 */
function withoutIdleWeights(graph: Int8Graph, ranges: readonly ChannelRanges[]): Int8Graph | null {
  let changed = false;
  const ops = graph.ops.map((op): Int8Op => {
    if (!isInt8Weighted(op) || op.bias.length !== channelsOf(graph.tensors[op.output] as Int8Tensor)) return op;
    const { low, high } = ranges[op.output] as ChannelRanges;
    if (low.every((value, unit) => value !== high[unit])) return op;
    const unitOf = weightUnit(op);
    const idle = (weight: number, i: number): boolean => weight !== 0 && low[unitOf(i)] === high[unitOf(i)];
    if (!op.weights.some(idle)) return op;
    changed = true;
    const least = leastSums(graph, op, ranges[op.input] as ChannelRanges);
    const bias = op.bias.map((value, unit) => (low[unit] === high[unit] ? (least[unit] as number) : value));
    return { ...op, bias, weights: op.weights.map((weight, i) => (idle(weight, i) ? 0 : weight)) };
  });
  return changed ? { ...graph, ops } : null;
}

/** Channels that can only go together (the same channel before and after a pooling, say), as disjoint sets. */
class ChannelClasses {
  private readonly first: number[] = [];
  private readonly parent: Int32Array;
  private readonly stays: Uint8Array;

  constructor(graph: Int8Graph) {
    let count = 0;
    for (const tensor of graph.tensors) {
      this.first.push(count);
      count += channelsOf(tensor);
    }
    this.parent = Int32Array.from({ length: count }, (_, i) => i);
    this.stays = new Uint8Array(count);
    for (const id of [graph.input, graph.output]) this.keepAll(id, channelsOf(graph.tensors[id] as Int8Tensor));
  }

  link(a: TensorId, channelA: number, b: TensorId, channelB: number): void {
    const from = this.root((this.first[a] as number) + channelA);
    const to = this.root((this.first[b] as number) + channelB);
    if (from === to) return;
    this.parent[from] = to;
    if (this.stays[from]) this.stays[to] = 1;
  }

  keep(tensor: TensorId, channel: number): void {
    this.stays[this.root((this.first[tensor] as number) + channel)] = 1;
  }

  keepAll(tensor: TensorId, channels: number): void {
    for (let channel = 0; channel < channels; channel++) this.keep(tensor, channel);
  }

  isKept(tensor: TensorId, channel: number): boolean {
    return this.stays[this.root((this.first[tensor] as number) + channel)] === 1;
  }

  /** Channels that remain, by tensor; null when all do. No tensor loses all of its channels. */
  decide(graph: Int8Graph): number[][] | null {
    for (const op of graph.ops) {
      const tensors = [...inputsOf(op), op.output];
      for (const id of tensors) this.keepAtLeast(id, channelsOf(graph.tensors[id] as Int8Tensor), 1);
      // One unit with one multiplier would read as a layer with a single weight scale, whose multiplier TFLite rounds
      // in another way: two stay.
      if (op.kind === 'fullyConnected' && op.multiplier.length > 1) {
        this.keepAtLeast(op.output, channelsOf(graph.tensors[op.output] as Int8Tensor), 2);
      }
    }
    let removes = false;
    const kept = graph.tensors.map((tensor, id) => {
      const all = Array.from({ length: channelsOf(tensor) }, (_, channel) => channel);
      const rest = all.filter((channel) => this.isKept(id, channel));
      if (rest.length < all.length && this.isLive(graph, id)) removes = true;
      return rest.length === 0 ? all : rest;
    });
    return removes ? kept : null;
  }

  private isLive(graph: Int8Graph, id: TensorId): boolean {
    return graph.ops.some((op) => op.output === id);
  }

  private keepAtLeast(tensor: TensorId, channels: number, wanted: number): void {
    let kept = 0;
    for (let channel = 0; channel < channels; channel++) if (this.isKept(tensor, channel)) kept++;
    for (let channel = 0; channel < channels && kept < wanted; channel++) {
      if (this.isKept(tensor, channel)) continue;
      this.keep(tensor, channel);
      kept++;
    }
  }

  private root(node: number): number {
    let root = node;
    while (this.parent[root] !== root) root = this.parent[root] as number;
    while (this.parent[node] !== root) {
      const next = this.parent[node] as number;
      this.parent[node] = root;
      node = next;
    }
    return root;
  }
}

/** Says what must go together and what must stay for `op` to be rewritten. */
function linkChannels(graph: Int8Graph, op: Int8Op, classes: ChannelClasses, ranges: readonly ChannelRanges[]): void {
  const tensor = (id: TensorId): Int8Tensor => graph.tensors[id] as Int8Tensor;
  const channels = (id: TensorId): number => channelsOf(tensor(id));
  const keepEverything = (): void => [...inputsOf(op), op.output].forEach((id) => classes.keepAll(id, channels(id)));
  const linkEqual = (a: TensorId, b: TensorId): void => {
    if (channels(a) !== channels(b)) return keepEverything();
    for (let c = 0; c < channels(a); c++) classes.link(a, c, b, c);
  };
  switch (op.kind) {
    case 'fullyConnected':
    case 'conv2d':
      if (op.kind === 'conv2d' && op.groups !== 1) return keepEverything();
      keepUsedInputs(graph, op, classes, ranges);
      if (op.bias.length % channels(op.output) !== 0) classes.keepAll(op.output, channels(op.output));
      return;
    case 'depthwiseConv2d':
      for (let c = 0; c < channels(op.output); c++) {
        classes.link(op.input, Math.floor(c / op.depthMultiplier), op.output, c);
      }
      return;
    case 'maxPool2d':
    case 'averagePool2d':
    case 'lookup':
    case 'resizeNearest':
      return linkEqual(op.input, op.output);
    case 'mean':
      return op.inner % channels(op.input) === 0 ? linkEqual(op.input, op.output) : keepEverything();
    case 'transpose': {
      const last = op.permutation.length - 1;
      return op.permutation[last] === last ? linkEqual(op.input, op.output) : keepEverything();
    }
    case 'pad':
    case 'stridedSlice':
      // Padded or cut channels change their number, except a stride over a single one.
      return channels(op.input) === channels(op.output) ? linkEqual(op.input, op.output) : keepEverything();
    case 'reshape': {
      const from = channels(op.input);
      const to = channels(op.output);
      if (to % from !== 0 && from % to !== 0) return keepEverything();
      for (let c = 0; c < Math.max(from, to); c++) classes.link(op.input, c % from, op.output, c % to);
      return;
    }
    case 'add':
    case 'mul': {
      const [a, b] = op.inputs;
      linkEqual(a, op.output);
      const size = elementCount(tensor(b).shape);
      if (tensor(b).data) {
        // A single value serves all channels; others must repeat with the channels.
        if (size > 1 && size % channels(op.output) !== 0) keepEverything();
        else if (size > 1) constantChannels(graph, op.output, b, classes);
        return;
      }
      return linkEqual(b, op.output);
    }
    case 'concat': {
      const rank = tensor(op.output).shape.length;
      let at = 0;
      for (const id of op.inputs) {
        if (op.axis === rank - 1) for (let c = 0; c < channels(id); c++) classes.link(id, c, op.output, at + c);
        else linkEqual(id, op.output);
        at += channels(id);
      }
      return;
    }
    case 'softmax':
      return keepEverything();
  }
}

/** A constant operand follows the channels of the output; its own last axis may be any. */
function constantChannels(graph: Int8Graph, output: TensorId, constant: TensorId, classes: ChannelClasses): void {
  const channels = channelsOf(graph.tensors[output] as Int8Tensor);
  const own = channelsOf(graph.tensors[constant] as Int8Tensor);
  if (own % channels !== 0) return classes.keepAll(output, channels);
  for (let c = 0; c < own; c++) classes.link(output, c % channels, constant, c);
}

/** The inputs of a layer that it needs: neither without weight nor a constant that its bias can take over. */
function keepUsedInputs(
  graph: Int8Graph,
  op: WeightedOp,
  classes: ChannelClasses,
  ranges: readonly ChannelRanges[],
): void {
  const input = graph.tensors[op.input] as Int8Tensor;
  const channels = channelsOf(input);
  if (op.kind === 'fullyConnected' && (op.weights.length / op.bias.length) % channels !== 0) {
    return classes.keepAll(op.input, channels);
  }
  const { low, high } = ranges[op.input] as ChannelRanges;
  const padded = touchesPadding(graph, op);
  const inputOf = weightInput(graph, op);
  op.weights.forEach((weight, i) => {
    if (weight === 0) return;
    const channel = inputOf(i) % channels;
    const constant = low[channel] === high[channel];
    if (!constant || (padded && low[channel] !== input.zeroPoint)) classes.keep(op.input, channel);
  });
}

/** The graph with only the channels in `kept` (by tensor, ascending). */
function rewrite(graph: Int8Graph, kept: readonly number[][], ranges: readonly ChannelRanges[]): Int8Graph {
  const remaining = kept.map((channels) => new Set(channels));
  const tensors = graph.tensors.map((tensor, id): Int8Tensor => {
    const channels = channelsOf(tensor);
    if (remaining[id]?.size === channels) return tensor;
    const shape = [...tensor.shape.slice(0, -1), remaining[id]?.size ?? channels];
    const data = tensor.data?.filter((_, i) => remaining[id]?.has(i % channels));
    return { ...tensor, shape, ...(data ? { data } : {}) };
  });
  const ops = graph.ops.map((op): Int8Op => {
    const output = graph.tensors[op.output] as Int8Tensor;
    switch (op.kind) {
      case 'fullyConnected':
      case 'conv2d':
      case 'depthwiseConv2d': {
        const keepsUnit = (unit: number): boolean => remaining[op.output]?.has(unit % channelsOf(output)) ?? true;
        return keepWeights(graph, op, keepsUnit, remaining[op.input] as Set<number>, ranges[op.input] as ChannelRanges);
      }
      case 'mean': {
        const channels = channelsOf(graph.tensors[op.input] as Int8Tensor);
        return { ...op, inner: (op.inner / channels) * (remaining[op.input]?.size ?? channels) };
      }
      default:
        return op;
    }
  });
  return { ...graph, tensors, ops };
}

function keepWeights<Op extends WeightedOp>(
  graph: Int8Graph,
  op: Op,
  keepsUnit: (unit: number) => boolean,
  inputs: ReadonlySet<number>,
  { low }: ChannelRanges,
): Op {
  const input = graph.tensors[op.input] as Int8Tensor;
  const channels = channelsOf(input);
  const inputOf = weightInput(graph, op);
  const unitOf = weightUnit(op);
  const bias = op.bias.slice();
  const weights = op.weights.filter((weight, i) => {
    if (!keepsUnit(unitOf(i))) return false;
    const channel = inputOf(i) % channels;
    if (inputs.has(channel)) return true;
    // Of a depthwise layer the output goes with its input. Elsewhere the input is constant (or has no weight).
    const unit = unitOf(i);
    if (weight !== 0) bias[unit] = (bias[unit] as number) + weight * ((low[channel] as number) - input.zeroPoint);
    return false;
  });
  const perUnit = <T extends Int32Array | Float32Array>(values: T): T =>
    (values.length > 1 ? values.filter((_, unit) => keepsUnit(unit)) : values) as T;
  return {
    ...op,
    weights,
    bias: bias.filter((_, unit) => keepsUnit(unit)),
    weightScale: perUnit(op.weightScale),
    multiplier: perUnit(op.multiplier),
    shift: perUnit(op.shift),
  };
}
