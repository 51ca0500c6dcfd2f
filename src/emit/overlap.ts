/**
 * How far an op's output may lie over its input. Kernels read and write from the first element to the last, so an output
 * that starts a little below its input follows behind the reads and never destroys what is still needed.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import type { Window2d } from '../graph/window2d';
import type { Int16Graph, Int16Op } from '../quantize/int16-graph';
import type { Int8Graph, Int8Op } from '../quantize/int8-graph';
import { isPointwise } from './kernel-scratch';
import { layoutFor, type Target, type WeightLayout } from './target';

/**
 * The least `offset of the input - offset of the output`, in bytes, at which the op's kernel still gives the right result;
 * negative where the output may even start above the input. Null: the two must not overlap. `input` must be an input of
 * the op that nothing reads afterwards. The kernels' orders stand in `firmware/mote/src`.
 */
export function overlapDistance(op: Int8Op, input: TensorId, graph: Int8Graph, target: Target): number | null {
  return distanceInValues(op, input, graph, layoutFor(op, target));
}

/** The same for int16, whose kernels go through their values in the order of the portable int8 ones. */
export function overlapDistanceInt16(op: Int16Op, input: TensorId, graph: Int16Graph): number | null {
  const distance = distanceInValues(op, input, graph, 'plain');
  return distance === null ? null : 2 * distance;
}

function distanceInValues(
  op: Int8Op | Int16Op,
  input: TensorId,
  graph: { readonly tensors: readonly { readonly shape: readonly number[] }[] },
  layout: WeightLayout,
): number | null {
  const from = graph.tensors[input]?.shape ?? [];
  const to = graph.tensors[op.output]?.shape ?? [];
  switch (op.kind) {
    case 'softmax':
    case 'lookup':
    case 'rescale':
    case 'sigmoid':
    case 'mean':
      return 0;
    case 'add':
    case 'mul':
      // A smaller second operand is read again and again.
      return elementCount(from) === elementCount(to) ? 0 : null;
    case 'fullyConnected': {
      const units = op.bias.length;
      const inputs = op.weights.length / units;
      return rowsDistance(elementCount(from) / inputs, inputs, units, false);
    }
    case 'conv2d': {
      const channels = op.bias.length;
      const [height = 0, width = 0, inputs = 0] = from;
      // The SIMD kernels copy a pixel's inputs before they write its outputs; the portable one reads them in place.
      if (op.groups === 1 && isPointwise(op.window)) {
        return rowsDistance(height * width, inputs, channels, layout !== 'plain');
      }
      return windowDistance(op.window, from, to, op.groups === 1 ? 'copied' : 'read');
    }
    case 'depthwiseConv2d':
      return ringDistance(op.window, from, to);
    case 'maxPool2d':
    case 'averagePool2d':
      return windowDistance(op.window, from, to, 'channel by channel');
    default:
      return null;
  }
}

/** `rows` times: reads a row of `inputs`, writes a row of `outputs`. */
export function rowsDistance(rows: number, inputs: number, outputs: number, copied: boolean): number {
  let distance = -Infinity;
  for (const row of [0, copied ? rows - 2 : rows - 1]) {
    // Linear in the row, so the extremes are at the ends; a copied last row leaves nothing to read.
    if (row >= 0 && (!copied || row < rows - 1)) {
      distance = Math.max(distance, (row + 1) * outputs - (copied ? row + 1 : row) * inputs);
    }
  }
  return distance;
}

/** Pixel by pixel of the output; the input under a pixel is copied before, read while, or read channel by channel. */
export function windowDistance(
  window: Window2d,
  from: readonly number[],
  to: readonly number[],
  how: 'copied' | 'read' | 'channel by channel',
): number {
  const [, width = 0, inputs = 0] = from;
  const [outHeight = 0, outWidth = 0, outputs = 0] = to;
  /** Where the window of output (y, x) starts. */
  const firstRead = (y: number, x: number): number => {
    if (x === outWidth) return y + 1 < outHeight ? firstRead(y + 1, 0) : Infinity;
    const top = Math.max(0, y * window.strideHeight - window.padTop);
    return top * width + Math.max(0, x * window.strideWidth - window.padLeft);
  };
  let distance = -Infinity;
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      // That a later row may start before this window needs no look ahead: more is written by then, and it counts itself.
      const pixel = y * outWidth + x;
      // Channel by channel, an output is written right after its own channel was read for the last time.
      const written = how === 'channel by channel' ? pixel * outputs : (pixel + 1) * outputs;
      distance = Math.max(distance, written - inputs * firstRead(y, how === 'copied' ? x + 1 : x));
    }
  }
  return distance;
}

/** Row by row of the output, all input rows under it copied before. */
function ringDistance(window: Window2d, from: readonly number[], to: readonly number[]): number {
  const [height = 0, width = 0, inputs = 0] = from;
  const [outHeight = 0, outWidth = 0, outputs = 0] = to;
  const rows = (window.kernelHeight - 1) * window.dilationHeight + 1;
  let distance = -Infinity;
  for (let y = 0; y + 1 < outHeight; y++) {
    const copied = Math.max(0, y * window.strideHeight - window.padTop + rows);
    if (copied < height) distance = Math.max(distance, (y + 1) * outWidth * outputs - copied * width * inputs);
  }
  return distance;
}
