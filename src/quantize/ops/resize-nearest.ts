/** Nearest-neighbour resizing on [H, W, C]. */

export { nearestIndex } from '../../graph/nearest-index';

export function resizeNearest(
  shape: readonly number[],
  rows: readonly number[],
  columns: readonly number[],
  from: Int8Array | Int16Array | Float32Array,
  to: Int8Array | Int16Array | Float32Array,
): void {
  const [, width = 1, channels = 1] = shape;
  let at = 0;
  for (const row of rows)
    for (const column of columns) {
      const start = (row * width + column) * channels;
      for (let channel = 0; channel < channels; channel++) to[at++] = from[start + channel] as number;
    }
}
