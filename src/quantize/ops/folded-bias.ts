/** Bias with the input's zero point folded in, so that kernels multiply raw activations. */
import type { Int8Conv2d, Int8DepthwiseConv2d, Int8FullyConnected } from '../int8-graph';

/** A layer with weights. */
export type WeightedOp = Int8FullyConnected | Int8Conv2d | Int8DepthwiseConv2d;

/** Sum of the weights of every output channel, over all taps. */
export function weightSums(op: WeightedOp): Int32Array {
  const channels = op.bias.length;
  const sums = new Int32Array(channels);
  if (op.kind === 'depthwiseConv2d') {
    op.weights.forEach((weight, index) => {
      sums[index % channels] = (sums[index % channels] as number) + weight;
    });
    return sums;
  }
  const perChannel = op.weights.length / channels;
  for (let channel = 0, at = 0; channel < channels; channel++) {
    let sum = 0;
    for (let i = 0; i < perChannel; i++) sum += op.weights[at++] as number;
    sums[channel] = sum;
  }
  return sums;
}

/** `bias - inputZeroPoint * sum w`: exact where `checkInt8Graph` passed. A padded tap then counts as the zero point. */
export function foldedBias(op: WeightedOp, inputZeroPoint: number): Int32Array {
  return weightSums(op).map((sum, channel) => (op.bias[channel] as number) - inputZeroPoint * sum);
}

/** The inverse of `foldedBias`: the bias as a `.tflite` holds it. */
export function unfoldedBias(folded: Int32Array, sums: Int32Array, inputZeroPoint: number): Int32Array {
  return folded.map((value, channel) => value + inputZeroPoint * (sums[channel] as number));
}
