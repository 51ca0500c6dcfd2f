/** Int8 fully connected layer as the TFLite reference computes it. */
import type { Int8FullyConnected } from './int8-graph';
import { mbqm, type Rescale } from './requantize';

/** Bias with the input's zero point folded in: `sum w * (x - z) + bias = sum w * x + folded`. Exact (wraps as int32). */
export function foldBias(op: Int8FullyConnected, inputZeroPoint: number): Int32Array {
  const units = op.bias.length;
  const inputs = op.weights.length / units;
  const folded = new Int32Array(units);
  for (let unit = 0; unit < units; unit++) {
    let sum = 0;
    for (let input = 0; input < inputs; input++) sum += op.weights[unit * inputs + input] as number;
    folded[unit] = (op.bias[unit] as number) - inputZeroPoint * sum;
  }
  return folded;
}

/** All rows of the input; `bias` has the input's zero point folded in. */
export function fullyConnectedInt8(
  op: Int8FullyConnected,
  bias: Int32Array,
  input: Int8Array,
  outputZeroPoint: number,
  output: Int8Array,
  rescale: Rescale = mbqm,
): void {
  const { weights, multiplier, shift, actMin, actMax } = op;
  const units = bias.length;
  const inputs = weights.length / units;
  const perChannel = multiplier.length > 1;
  for (let start = 0, out = 0; start < input.length; start += inputs) {
    for (let unit = 0, at = 0; unit < units; unit++, out++) {
      let sum = bias[unit] as number;
      for (let i = 0; i < inputs; i++) sum = (sum + (weights[at++] as number) * (input[start + i] as number)) | 0;
      const channel = perChannel ? unit : 0;
      const value = rescale(sum, multiplier[channel] as number, shift[channel] as number) + outputZeroPoint;
      output[out] = value < actMin ? actMin : value > actMax ? actMax : value;
    }
  }
}
