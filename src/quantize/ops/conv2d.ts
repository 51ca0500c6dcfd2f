/** Int8 convolution as the TFLite reference kernel computes it. */
import type { Int8Conv2d, Int8Tensor } from '../int8-graph';
import { mbqm, type Rescale } from '../requantize';
import { foldedBias } from './folded-bias';

/** Prepares a run: the returned function reads `from` and writes `to`. */
export function prepareConv2d(
  op: Int8Conv2d,
  input: Int8Tensor,
  output: Int8Tensor,
  from: Int8Array,
  to: Int8Array,
  rescale: Rescale = mbqm,
): () => void {
  const [height = 0, width = 0, channels = 0] = input.shape;
  const [outHeight = 0, outWidth = 0, outChannels = 0] = output.shape;
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, padTop, padLeft } =
    op.window;
  const groupIn = channels / op.groups;
  const groupOut = outChannels / op.groups;
  const taps = kernelHeight * kernelWidth * groupIn;
  const { weights, multiplier, shift, actMin, actMax } = op;
  const bias = foldedBias(op, input.zeroPoint);
  const perChannel = multiplier.length > 1;
  const zeroOut = output.zeroPoint;
  const patch = new Int8Array(taps);
  return () => {
    for (let y = 0, at = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        for (let group = 0; group < op.groups; group++) {
          gather(y, x, group);
          for (let channel = group * groupOut; channel < (group + 1) * groupOut; channel++) {
            let sum = bias[channel] as number;
            const row = channel * taps;
            for (let i = 0; i < taps; i++) sum = (sum + (weights[row + i] as number) * (patch[i] as number)) | 0;
            const c = perChannel ? channel : 0;
            const value = rescale(sum, multiplier[c] as number, shift[c] as number) + zeroOut;
            to[at++] = value < actMin ? actMin : value > actMax ? actMax : value;
          }
        }
      }
    }
  };

  /** The values under the kernel; padding holds the zero point, which the folded bias cancels. */
  function gather(y: number, x: number, group: number): void {
    let at = 0;
    for (let ky = 0; ky < kernelHeight; ky++) {
      const row = y * strideHeight - padTop + ky * dilationHeight;
      for (let kx = 0; kx < kernelWidth; kx++) {
        const column = x * strideWidth - padLeft + kx * dilationWidth;
        if (row < 0 || row >= height || column < 0 || column >= width) {
          patch.fill(input.zeroPoint, at, at + groupIn);
          at += groupIn;
        } else {
          const start = (row * width + column) * channels + group * groupIn;
          for (let i = 0; i < groupIn; i++) patch[at++] = from[start + i] as number;
        }
      }
    }
  }
}
