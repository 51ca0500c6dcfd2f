/**
 * Batch normalization after training is a scale and a shift per channel. Where a convolution or dense layer stands before
 * or behind it, both fold into that layer's weights and bias and cost nothing (Jacob et al., "Quantization and Training
 * of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018, section 3.2); elsewhere a multiplication
 * and an addition with constants remain.
 */
import type {
  FloatConv2d,
  FloatDepthwiseConv2d,
  FloatFullyConnected,
  FloatGraph,
  FloatOp,
  FloatScaleShift,
  FloatTensor,
} from '../graph/float-graph';
import { consumers, dropUnused, producers, withTensors } from './graph-edit';
import { QuantizeError } from './int8-graph';

export type FloatWeighted = FloatFullyConnected | FloatConv2d | FloatDepthwiseConv2d;

export function isWeighted(op: FloatOp): op is FloatWeighted {
  return op.kind === 'fullyConnected' || op.kind === 'conv2d' || op.kind === 'depthwiseConv2d';
}

/**
 * The same function without `scaleShift` ops (to float32 rounding). Backwards a scale folds through pooling, means and
 * reshapes; forwards only into layers without padding, because the padding would have to hold -shift / scale.
 * Throws QuantizeError `not-finite` when a folded weight no longer fits float32.
 */
export function foldBatchNorm(graph: FloatGraph): FloatGraph {
  if (!graph.ops.some((op) => op.kind === 'scaleShift')) return graph;
  let folded = graph;
  for (let at = 0; at < folded.ops.length; at++) {
    const op = folded.ops[at] as FloatOp;
    if (op.kind !== 'scaleShift') continue;
    const next = foldBackwards(folded, at, op) ?? mergeWithNext(folded, at, op) ?? foldForwards(folded, at, op);
    if (next) {
      folded = next;
      at--;
    }
  }
  return dropUnused<FloatTensor, FloatOp, FloatGraph>(spellOut(folded));
}

/**
 * True when `op` treats every element by itself or averages elements of one channel, so that a scale and shift per
 * channel (of `channels`, by position modulo `channels`) may move from one side of it to the other.
 */
function commutes(graph: FloatGraph, op: FloatOp, { scale, shift }: FloatScaleShift): boolean {
  const channels = scale.length;
  switch (op.kind) {
    case 'averagePool2d':
      return op.activation === 'none' && lastSize(graph, op.input) % channels === 0;
    case 'maxPool2d':
      return (
        op.activation === 'none' && lastSize(graph, op.input) % channels === 0 && scale.every((factor) => factor > 0)
      );
    case 'mean':
      return op.inner % channels === 0;
    case 'reshape':
      return true;
    case 'pad':
      return lastSize(graph, op.input) === channels && lastSize(graph, op.output) === channels && isZero(shift);
    default:
      return false;
  }
}

function foldBackwards(graph: FloatGraph, at: number, op: FloatScaleShift): FloatGraph | null {
  const writers = producers(graph);
  const readers = consumers(graph);
  const last = writers[op.input] as number;
  let source = last;
  for (let tensor = op.input; ;) {
    if (source < 0 || tensor === graph.output || readers[tensor]?.length !== 1) return null;
    const writer = graph.ops[source] as FloatOp;
    if (isWeighted(writer)) break;
    if (!commutes(graph, writer, op) || !('input' in writer)) return null;
    tensor = writer.input;
    source = writers[tensor] as number;
  }
  const layer = graph.ops[source] as FloatWeighted;
  if (layer.activation !== 'none' || layer.bias.length % op.scale.length !== 0) return null;
  const ops = graph.ops.map((old, index) => {
    const scaled = index === source ? scaleOutputs(layer, op.scale, op.shift) : old;
    // What wrote the input of the scale now writes its output, so that the later tensors keep their names.
    return index === last ? withTensors(scaled, (id) => (id === op.input ? op.output : id)) : scaled;
  });
  return { ...graph, ops: ops.filter((_, index) => index !== at) };
}

/** Two scales in a row are one. */
function mergeWithNext(graph: FloatGraph, at: number, op: FloatScaleShift): FloatGraph | null {
  const reader = soleReader(graph, op.output);
  const next = reader === null ? undefined : graph.ops[reader];
  if (next?.kind !== 'scaleShift' || next.scale.length !== op.scale.length) return null;
  const merged: FloatScaleShift = {
    ...next,
    input: op.input,
    scale: finite(next.scale.map((scale, c) => scale * (op.scale[c] as number))),
    shift: finite(next.shift.map((shift, c) => shift + (next.scale[c] as number) * (op.shift[c] as number))),
  };
  return { ...graph, ops: graph.ops.map((old, i) => (i === reader ? merged : old)).filter((_, i) => i !== at) };
}

function foldForwards(graph: FloatGraph, at: number, op: FloatScaleShift): FloatGraph | null {
  let reader = soleReader(graph, op.output);
  for (;;) {
    const next = reader === null ? undefined : graph.ops[reader];
    if (!next) return null;
    if (isWeighted(next)) break;
    if (!commutes(graph, next, op)) return null;
    reader = soleReader(graph, next.output);
  }
  const layer = graph.ops[reader as number] as FloatWeighted;
  if (isPadded(layer) && !isZero(op.shift)) return null;
  if (inputChannels(graph, layer) % op.scale.length !== 0) return null;
  const ops = graph.ops.map((old, index) => {
    const scaled = index === reader ? scaleInputs(graph, layer, op.scale, op.shift) : old;
    return withTensors(scaled, (id) => (id === op.output ? op.input : id));
  });
  return { ...graph, ops: ops.filter((_, index) => index !== at) };
}

/** What could not be folded: a multiplication and an addition, each left out where it does nothing. */
function spellOut(graph: FloatGraph): FloatGraph {
  const tensors = [...graph.tensors];
  const ops: FloatOp[] = [];
  const aliases = new Map<number, number>();
  const now = (id: number): number => aliases.get(id) ?? id;
  for (const original of graph.ops) {
    const op = withTensors(original, now);
    if (op.kind !== 'scaleShift') {
      ops.push(op);
      continue;
    }
    const name = graph.tensors[op.output]?.name ?? '';
    const shape = graph.tensors[op.output]?.shape ?? [];
    const constant = (suffix: string, data: Float32Array): number =>
      tensors.push({ name: `${name}/${suffix}`, shape: [data.length], data }) - 1;
    const scales = op.scale.some((scale) => scale !== 1);
    const shifts = !isZero(op.shift);
    if (!scales && !shifts && op.output !== graph.output) {
      aliases.set(op.output, op.input);
      continue;
    }
    const between = scales && shifts ? tensors.push({ name: `${name}/scaled`, shape }) - 1 : op.output;
    if (scales || !shifts) {
      const factors = constant('scale', op.scale);
      ops.push({
        kind: 'mul',
        inputs: [op.input, factors],
        output: between,
        subtract: false,
        activation: 'none',
      });
    }
    if (shifts) {
      const terms = constant('shift', op.shift);
      const from = scales ? between : op.input;
      ops.push({ kind: 'add', inputs: [from, terms], output: op.output, subtract: false, activation: 'none' });
    }
  }
  return { ...graph, tensors, ops };
}

/** The layer with output position p multiplied by `scale[p % length]`, then `shift` added (before the activation). */
export function scaleOutputs<Op extends FloatWeighted>(op: Op, scale: Float32Array, shift: Float32Array): Op {
  const units = op.bias.length;
  const perUnit = op.weights.length / units;
  // Depthwise weights have the output channel last, all others first.
  const unitOf = (index: number): number =>
    op.kind === 'depthwiseConv2d' ? index % units : Math.floor(index / perUnit);
  const weights = op.weights.map((weight, i) => weight * (scale[unitOf(i) % scale.length] as number));
  const bias = op.bias.map((b, u) => b * (scale[u % scale.length] as number) + (shift[u % shift.length] as number));
  return { ...op, weights: finite(weights), bias: finite(bias) };
}

/** The layer as if input channel c had been multiplied by `scale[c % length]` and `shift` added before it. */
export function scaleInputs<Op extends FloatWeighted>(
  graph: FloatGraph,
  op: Op,
  scale: Float32Array,
  shift: Float32Array,
): Op {
  const weights = new Float32Array(op.weights.length);
  const sums = Float64Array.from(op.bias);
  const channelOf = inputChannelOf(graph, op);
  const units = op.bias.length;
  const perUnit = op.weights.length / units;
  for (let i = 0; i < weights.length; i++) {
    const channel = channelOf(i) % scale.length;
    const weight = op.weights[i] as number;
    const unit = op.kind === 'depthwiseConv2d' ? i % units : Math.floor(i / perUnit);
    weights[i] = weight * (scale[channel] as number);
    sums[unit] = (sums[unit] as number) + weight * (shift[channel] as number);
  }
  return { ...op, weights: finite(weights), bias: finite(Float32Array.from(sums)) };
}

/** Input channels of a convolution; inputs per row of a dense layer. */
export function inputChannels(graph: FloatGraph, op: FloatWeighted): number {
  return op.kind === 'fullyConnected' ? op.weights.length / op.bias.length : lastSize(graph, op.input);
}

/** Which input channel (or input of a dense layer) the weight of a given index multiplies. */
export function inputChannelOf(graph: FloatGraph, op: FloatWeighted): (weight: number) => number {
  switch (op.kind) {
    case 'fullyConnected': {
      const inputs = op.weights.length / op.bias.length;
      return (weight) => weight % inputs;
    }
    case 'depthwiseConv2d':
      return (weight) => Math.floor((weight % op.bias.length) / op.depthMultiplier);
    case 'conv2d': {
      const perGroup = lastSize(graph, op.input) / op.groups;
      const perOutput = op.weights.length / op.bias.length;
      const outputsPerGroup = op.bias.length / op.groups;
      return (weight) => Math.floor(Math.floor(weight / perOutput) / outputsPerGroup) * perGroup + (weight % perGroup);
    }
  }
}

function isPadded(op: FloatWeighted): boolean {
  if (op.kind === 'fullyConnected') return false;
  const { padTop, padLeft, padBottom, padRight } = op.window;
  return padTop > 0 || padLeft > 0 || padBottom > 0 || padRight > 0;
}

function soleReader(graph: FloatGraph, tensor: number): number | null {
  const readers = consumers(graph)[tensor] ?? [];
  return tensor !== graph.output && readers.length === 1 ? (readers[0] as number) : null;
}

function lastSize(graph: FloatGraph, tensor: number): number {
  return graph.tensors[tensor]?.shape.at(-1) ?? 1;
}

function isZero(values: Float32Array): boolean {
  return values.every((value) => value === 0);
}

function finite(values: Float32Array): Float32Array {
  if (!values.every(Number.isFinite)) {
    throw new QuantizeError(
      'not-finite',
      'Folding a batch normalization into its layer gives weights that are not finite: a channel that hardly varied in ' +
        'training. Train again, or remove the batch normalization.',
    );
  }
  return values;
}
