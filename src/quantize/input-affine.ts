/**
 * The scaler (standardisation with the training set's mean and deviation) and the quantization of the network's input
 * folded into one multiply-add per feature. From here on everything is integers.
 */
import { QuantizeError, type InputAffine, type Int8Tensor } from './int8-graph';

/** Standardisation of features: `(feature - mean) / std`, one of each per feature; `std` is never 0. */
export interface FeatureScaler {
  readonly mean: Float32Array;
  readonly std: Float32Array;
}

/** `q = feature * a + b` with `a = 1 / (std * scale)` and `b = zeroPoint - mean / (std * scale)`, rounded to float32. */
export function foldInput(scaler: FeatureScaler, input: Pick<Int8Tensor, 'scale' | 'zeroPoint'>): InputAffine {
  const count = scaler.mean.length;
  if (scaler.std.length !== count) {
    throw new QuantizeError('bad-input', `The scaler has ${count} means but ${scaler.std.length} deviations.`);
  }
  const a = new Float32Array(count);
  const b = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const step = (scaler.std[i] as number) * input.scale;
    a[i] = 1 / step;
    b[i] = input.zeroPoint - (scaler.mean[i] as number) / step;
    if (!Number.isFinite(a[i]) || !Number.isFinite(b[i])) {
      throw new QuantizeError(
        'not-finite',
        `Feature ${i} has no usable spread: its values are too large or too small.`,
      );
    }
  }
  return { a, b };
}

/** `out[i] = clamp(roundHalfAway(fround(fround(features[i] * a[i]) + b[i])), -128, 127)`; NaN gives -128. */
export function quantizeFeatures(features: Float32Array, affine: InputAffine, out: Int8Array): Int8Array {
  const { a, b } = affine;
  if (features.length !== a.length || out.length !== a.length) {
    throw new QuantizeError('bad-input', `The model takes ${a.length} features, but it was given ${features.length}.`);
  }
  for (let i = 0; i < features.length; i++) {
    const value = Math.fround(Math.fround((features[i] as number) * (a[i] as number)) + (b[i] as number));
    if (!(value > -128)) {
      out[i] = -128;
    } else if (value >= 127) {
      out[i] = 127;
    } else {
      const whole = Math.trunc(value);
      const rest = value - whole;
      out[i] = rest >= 0.5 ? whole + 1 : rest <= -0.5 ? whole - 1 : whole;
    }
  }
  return out;
}
