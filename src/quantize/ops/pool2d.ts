/** Int8 pooling as the TFLite reference kernels compute it. */
import type { Int8Pool2d, Int8Tensor } from '../int8-graph';

/** Prepares a run: the returned function reads `from` and writes `to`. */
export function preparePool2d(
  op: Int8Pool2d,
  input: Int8Tensor,
  output: Int8Tensor,
  from: Int8Array,
  to: Int8Array,
): () => void {
  const [height = 0, width = 0, channels = 0] = input.shape;
  const [outHeight = 0, outWidth = 0] = output.shape;
  const { window, actMin, actMax } = op;
  const average = op.kind === 'averagePool2d';
  return () => {
    for (let y = 0, at = 0; y < outHeight; y++) {
      const top = y * window.strideHeight - window.padTop;
      const firstRow = Math.max(0, top);
      const lastRow = Math.min(height, top + window.kernelHeight);
      for (let x = 0; x < outWidth; x++) {
        const left = x * window.strideWidth - window.padLeft;
        const firstColumn = Math.max(0, left);
        const lastColumn = Math.min(width, left + window.kernelWidth);
        const count = (lastRow - firstRow) * (lastColumn - firstColumn);
        const half = count >> 1;
        for (let channel = 0; channel < channels; channel++) {
          let sum = 0;
          let largest = -128;
          for (let row = firstRow; row < lastRow; row++) {
            for (let column = firstColumn; column < lastColumn; column++) {
              const value = from[(row * width + column) * channels + channel] as number;
              sum += value;
              if (value > largest) largest = value;
            }
          }
          const value = average ? Math.trunc((sum > 0 ? sum + half : sum - half) / count) : largest;
          to[at++] = value < actMin ? actMin : value > actMax ? actMax : value;
        }
      }
    }
  };
}
