/**
 * Cross-layer equalization: moves a factor per channel from one layer to the next so that the weights of both use their
 * integers evenly. In float the function stays the same, because ReLU and the identity commute with positive factors.
 *
 * Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section 4.1.
 */
import type { FloatGraph, FloatOp, TensorId } from '../graph/float-graph';
import { inputChannelOf, inputChannels, isWeighted, scaleInputs, scaleOutputs, type FloatWeighted } from './batch-norm';
import { consumers } from './graph-edit';

const MAX_ROUNDS = 20;
/** Bounds of a channel's factor per round: keeps activations of nearly dead channels within reach. */
const MAX_FACTOR = 1e4;

interface Pair {
  /** Op indices. */
  readonly first: number;
  readonly second: number;
}

/**
 * The same function with evened out weights. Touches pairs of convolutions and dense layers where the first has a ReLU or
 * no activation (not ReLU6), every tensor between them has one reader, and between them are at most pooling, padding,
 * reshapes, resizing and leaky ReLU. Expects fused activations and folded batch normalizations.
 */
export function equalize(graph: FloatGraph): FloatGraph {
  const pairs = findPairs(graph);
  const ops = [...graph.ops];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let changed = false;
    for (const { first, second } of pairs) {
      const before = ops[first] as FloatWeighted;
      const after = ops[second] as FloatWeighted;
      const factors = channelFactors(graph, before, after);
      if (!factors) continue;
      changed ||= factors.some((factor) => factor !== 1);
      const none = new Float32Array(factors.length);
      ops[first] = scaleOutputs(
        before,
        factors.map((factor) => 1 / factor),
        none,
      );
      ops[second] = scaleInputs(graph, after, factors, none);
    }
    if (!changed) break;
  }
  return pairs.length === 0 ? graph : { ...graph, ops };
}

/** What `after` is multiplied by per channel, and `before` divided by: powers of two, so that nothing is rounded. */
function channelFactors(graph: FloatGraph, before: FloatWeighted, after: FloatWeighted): Float32Array | null {
  const channels = before.bias.length;
  if (inputChannels(graph, after) % channels !== 0) return null;
  const outgoing = new Float64Array(channels);
  const perUnit = before.weights.length / channels;
  before.weights.forEach((weight, i) => {
    const unit = before.kind === 'depthwiseConv2d' ? i % channels : Math.floor(i / perUnit);
    outgoing[unit] = Math.max(outgoing[unit] as number, Math.abs(weight));
  });
  const incoming = new Float64Array(channels);
  const channelOf = inputChannelOf(graph, after);
  after.weights.forEach((weight, i) => {
    const channel = channelOf(i) % channels;
    incoming[channel] = Math.max(incoming[channel] as number, Math.abs(weight));
  });
  return Float32Array.from(outgoing, (out, channel) => {
    const into = incoming[channel] as number;
    if (out === 0 || into === 0) return 1;
    // After dividing by s and multiplying by s, both are sqrt(out * into).
    const factor = Math.min(Math.max(Math.sqrt(out / into), 1 / MAX_FACTOR), MAX_FACTOR);
    return 2 ** Math.round(Math.log2(factor));
  });
}

function findPairs(graph: FloatGraph): Pair[] {
  const readers = consumers(graph);
  const soleReader = (id: TensorId): number | undefined =>
    id !== graph.output && readers[id]?.length === 1 ? readers[id][0] : undefined;
  const pairs: Pair[] = [];
  graph.ops.forEach((op, first) => {
    if (!isWeighted(op) || op.activation === 'relu6') return;
    const channels = op.bias.length;
    let second = soleReader(op.output);
    while (second !== undefined) {
      const next = graph.ops[second] as FloatOp;
      if (isWeighted(next)) {
        pairs.push({ first, second });
        return;
      }
      if (!commutesWithFactors(graph, next, channels)) return;
      second = soleReader(next.output);
    }
  });
  return pairs;
}

/** Whether positive factors per channel (position modulo `channels`) may move through `op`. */
function commutesWithFactors(graph: FloatGraph, op: FloatOp, channels: number): boolean {
  const lastSize = (id: TensorId): number => graph.tensors[id]?.shape.at(-1) ?? 1;
  switch (op.kind) {
    case 'maxPool2d':
    case 'averagePool2d':
      return op.activation !== 'relu6' && lastSize(op.input) % channels === 0;
    case 'resizeNearest':
      return lastSize(op.input) % channels === 0;
    case 'pad':
      return lastSize(op.input) === channels && lastSize(op.output) === channels;
    case 'mean':
      return op.inner % channels === 0;
    case 'reshape':
      return true;
    case 'unary':
      return op.function === 'relu' || op.function === 'leakyRelu';
    default:
      return false;
  }
}
