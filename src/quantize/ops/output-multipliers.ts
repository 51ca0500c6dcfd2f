/** Rescaling of sums of products to the output, as TFLite prepares it. */
import { quantizeMultiplier } from '../requantize';

export interface OutputMultipliers {
  readonly multiplier: Int32Array;
  readonly shift: Int32Array;
}

function collect(reals: readonly number[]): OutputMultipliers {
  const multiplier = new Int32Array(reals.length);
  const shift = new Int32Array(reals.length);
  reals.forEach((real, channel) => {
    const quantized = quantizeMultiplier(real);
    multiplier[channel] = quantized.multiplier;
    shift[channel] = quantized.shift;
  });
  return { multiplier, shift };
}

/** Convolutions, and fully connected layers with a scale per unit: products of scales in double precision. */
export function convMultipliers(input: number, weights: Float32Array, output: number): OutputMultipliers {
  return collect(Array.from(weights, (weight) => (input * weight) / output));
}

/** Fully connected with one scale: the reference kernel rounds the product of the scales to float32 first. */
export function fullyConnectedMultipliers(input: number, weights: Float32Array, output: number): OutputMultipliers {
  if (weights.length > 1) return convMultipliers(input, weights, output);
  return collect([Math.fround(input * (weights[0] as number)) / output]);
}
