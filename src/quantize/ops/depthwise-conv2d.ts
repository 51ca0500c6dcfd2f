/** Int8 depthwise convolution as the TFLite reference kernel computes it. */
import type { Int8DepthwiseConv2d, Int8Tensor } from '../int8-graph';
import { mbqm, type Rescale } from '../requantize';

/** Prepares a run: the returned function reads `from` and writes `to`. */
export function prepareDepthwiseConv2d(
  op: Int8DepthwiseConv2d,
  input: Int8Tensor,
  output: Int8Tensor,
  from: Int8Array,
  to: Int8Array,
  rescale: Rescale = mbqm,
): () => void {
  const [height = 0, width = 0, channels = 0] = input.shape;
  const [outHeight = 0, outWidth = 0, outChannels = 0] = output.shape;
  const { window, weights, bias, multiplier, shift, actMin, actMax, depthMultiplier } = op;
  const zeroIn = input.zeroPoint;
  const perChannel = multiplier.length > 1;
  const sums = new Int32Array(outChannels);
  return () => {
    for (let y = 0, at = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        sums.set(bias);
        for (let ky = 0; ky < window.kernelHeight; ky++) {
          const row = y * window.strideHeight - window.padTop + ky * window.dilationHeight;
          if (row < 0 || row >= height) continue;
          for (let kx = 0; kx < window.kernelWidth; kx++) {
            const column = x * window.strideWidth - window.padLeft + kx * window.dilationWidth;
            if (column < 0 || column >= width) continue;
            let source = (row * width + column) * channels;
            let tap = (ky * window.kernelWidth + kx) * outChannels;
            for (let channel = 0; channel < outChannels; source++) {
              const value = (from[source] as number) - zeroIn;
              for (let m = 0; m < depthMultiplier; m++, channel++) {
                sums[channel] = ((sums[channel] as number) + (weights[tap++] as number) * value) | 0;
              }
            }
          }
        }
        for (let channel = 0; channel < outChannels; channel++) {
          const c = perChannel ? channel : 0;
          const value =
            rescale(sums[channel] as number, multiplier[c] as number, shift[c] as number) + output.zeroPoint;
          to[at++] = value < actMin ? actMin : value > actMax ? actMax : value;
        }
      }
    }
  };
}
