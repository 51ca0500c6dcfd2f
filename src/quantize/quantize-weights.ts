/** Weights, biases and multipliers of convolutions and dense layers, with the TensorFlow Lite converter's rules. */
import type { FloatWeighted } from './batch-norm';
import { QuantizeError, type Int8Weighted } from './int8-graph';
import { convMultipliers, fullyConnectedMultipliers, type OutputMultipliers } from './ops/output-multipliers';
import { clamp, roundHalfAway } from './requantize';
import type { QuantParameters } from './shared-scales';

/** One weight scale per layer, or one per output channel (finer; costs 8 bytes per channel). */
export type WeightScales = 'per-tensor' | 'per-channel';

/** Largest bias that a raised weight scale aims at: leaves half of int32 to the sum of products. */
const BIAS_TARGET = 2 ** 30;

export type QuantizedWeights = { readonly weights: Int8Array } & Omit<Int8Weighted, 'actMin' | 'actMax'>;

/**
 * Symmetric int8 weights (-127..127), int32 bias at scale input * weight. A channel whose weights are so small beside its
 * bias that the bias would not fit gets a larger weight scale. `name` is for messages.
 * Throws QuantizeError `overflow`.
 */
export function quantizeWeights(
  op: FloatWeighted,
  name: string,
  input: QuantParameters,
  output: QuantParameters,
  scales: WeightScales,
): QuantizedWeights {
  const units = op.bias.length;
  const perUnit = op.weights.length / units;
  const biasLimit = Math.max(2 ** 31 - 1 - 255 * 127 * perUnit, BIAS_TARGET);
  const { weights, weightScale } = scaleWeights(op, scales, input.scale, [biasLimit, BIAS_TARGET]);
  const bias = new Int32Array(units);
  for (let unit = 0; unit < units; unit++) {
    const scale = input.scale * (weightScale[weightScale.length > 1 ? unit : 0] as number);
    const value = roundHalfAway((op.bias[unit] as number) / scale);
    if (!(Math.abs(value) < 2 ** 31)) {
      throw new QuantizeError(
        'overflow',
        `The bias of unit ${unit} in "${name}" is too large beside its weights to be held in 32 bits.` +
          (scales === 'per-tensor' ? ' One weight scale per channel would help.' : ''),
      );
    }
    bias[unit] = value;
  }
  return { weights, bias, weightScale, ...weightMultipliers(op, input.scale, weightScale, output.scale) };
}

/** Rescaling of the sums of a layer; scales of input and output. */
export function weightMultipliers(
  op: FloatWeighted,
  input: number,
  weightScale: Float32Array,
  output: number,
): OutputMultipliers {
  return (op.kind === 'fullyConnected' ? fullyConnectedMultipliers : convMultipliers)(input, weightScale, output);
}

/**
 * Symmetric int8 weights (-127..127) and their scales. With a scale per channel, one whose bias would be above the
 * limit, in steps of `inputScale` times its weight scale, gets a scale that brings it down to the target.
 */
export function scaleWeights(
  op: FloatWeighted,
  scales: WeightScales,
  inputScale: number,
  [biasLimit, biasTarget]: readonly [limit: number, target: number],
): { readonly weights: Int8Array; readonly weightScale: Float32Array } {
  const units = op.bias.length;
  const perUnit = op.weights.length / units;
  // Depthwise weights have the output channel last, all others first.
  const unitOf = (i: number): number => (op.kind === 'depthwiseConv2d' ? i % units : Math.floor(i / perUnit));
  const perChannel = scales === 'per-channel' && units > 1;
  const channels = perChannel ? units : 1;

  const largest = new Float64Array(channels);
  for (let i = 0; i < op.weights.length; i++) {
    const channel = perChannel ? unitOf(i) : 0;
    largest[channel] = Math.max(largest[channel] as number, Math.abs(op.weights[i] as number));
  }
  const weightScale = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    weightScale[channel] = (largest[channel] as number) / 127;
    const bias = Math.abs(op.bias[channel] as number);
    if (perChannel && bias / (inputScale * (weightScale[channel] as number)) > biasLimit) {
      weightScale[channel] = bias / (inputScale * biasTarget);
      if ((largest[channel] as number) / (weightScale[channel] as number) < 0.5) weightScale[channel] = 0;
    }
    // Weights that are all zero (or vanish in float32, or beside their bias) stay zero.
    if (weightScale[channel] === 0) {
      weightScale[channel] = 1;
      largest[channel] = 0;
    }
  }

  const weights = new Int8Array(op.weights.length);
  for (let i = 0; i < weights.length; i++) {
    const channel = perChannel ? unitOf(i) : 0;
    if (largest[channel] === 0) continue;
    weights[i] = clamp(roundHalfAway((op.weights[i] as number) / (weightScale[channel] as number)), -127, 127);
  }

  return { weights, weightScale };
}
