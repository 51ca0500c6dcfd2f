/** Standardisation of features: measured on training windows only, applied to everything. */

/** One mean and one deviation per feature; deviations are never 0. */
export interface Scaler {
  readonly mean: Float32Array;
  readonly std: Float32Array;
}

/** Deviations below this share of the mean's magnitude are rounding noise of a constant feature. */
const CONSTANT_SHARE = 1e-6;

/**
 * Mean and population standard deviation per feature over `count` rows of `featureCount` values. A feature that does
 * not vary gets the deviation 1, so that it becomes 0 instead of noise.
 */
export function fitScaler(features: Float32Array, count: number, featureCount: number): Scaler {
  const mean = new Float32Array(featureCount);
  const std = new Float32Array(featureCount);
  for (let feature = 0; feature < featureCount; feature++) {
    let sum = 0;
    for (let row = 0; row < count; row++) sum += features[row * featureCount + feature] as number;
    const average = sum / count;
    let squares = 0;
    for (let row = 0; row < count; row++)
      squares += ((features[row * featureCount + feature] as number) - average) ** 2;
    const deviation = Math.sqrt(squares / count);
    mean[feature] = average;
    std[feature] = deviation > Math.abs(average) * CONSTANT_SHARE && Math.fround(deviation) > 0 ? deviation : 1;
  }
  return { mean, std };
}

/** `(feature - mean) / std` for `count` rows. */
export function scaleFeatures(features: Float32Array, count: number, scaler: Scaler): Float32Array {
  const { mean, std } = scaler;
  const featureCount = mean.length;
  const scaled = new Float32Array(count * featureCount);
  for (let row = 0, at = 0; row < count; row++) {
    for (let feature = 0; feature < featureCount; feature++, at++) {
      scaled[at] = ((features[at] as number) - (mean[feature] as number)) / (std[feature] as number);
    }
  }
  return scaled;
}
