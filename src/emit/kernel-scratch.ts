/** Bytes of scratch that the C kernels need beside input and output; the formulas stand in the kernels' comments. */
import type { Window2d } from '../graph/window2d';
import { inputsOfInt16, type Int16Graph, type Int16Op } from '../quantize/int16-graph';
import { inputsOf, type Int8Graph, type Int8Op } from '../quantize/int8-graph';
import { layoutFor, type Target } from './target';
import { bandBytes, isBand, isPlanar, planePitch } from './weight-layout';
import { quadScratchBytes } from './weight-layout-quad';

export function scratchBytes(op: Int8Op, graph: Int8Graph, target: Target): number {
  const [, , channels = 0] = graph.tensors[inputsOf(op)[0] ?? 0]?.shape ?? [];
  const [, outWidth = 0] = graph.tensors[op.output]?.shape ?? [];
  return scratchBytesOf(op, channels, outWidth, target);
}

/** The same for int16. */
export function scratchBytesInt16(op: Int16Op, graph: Int16Graph): number {
  const [, , channels = 0] = graph.tensors[inputsOfInt16(op)[0] ?? 0]?.shape ?? [];
  const [, outWidth = 0] = graph.tensors[op.output]?.shape ?? [];
  switch (op.kind) {
    case 'conv2d':
      return op.groups > 1 || isPointwise(op.window) ? 0 : 2 * (op.weights.length / op.bias.length);
    case 'depthwiseConv2d':
      return 2 * ringValues(op.window, channels, outWidth);
    default:
      return 0;
  }
}

/** The same for a part of the op: so many input channels, and an output so wide, of a layer whose output is `layerWidth`. */
export function scratchBytesOf(
  op: Int8Op,
  channels: number,
  outWidth: number,
  target: Target,
  layerWidth = outWidth,
): number {
  const layout = layoutFor(op, target);
  switch (op.kind) {
    case 'conv2d': {
      const taps = op.weights.length / op.bias.length;
      if (op.groups > 1) return 0;
      // Two pixels of int16, or a band.
      if (layout === 'dsp') return isBand(op) ? bandBytes(op, outWidth) : 4 * roundUpEven(taps);
      if (layout === 'quad') return quadScratchBytes(taps);
      return isPointwise(op.window) ? 0 : taps;
    }
    case 'depthwiseConv2d': {
      const { kernelHeight, kernelWidth, strideWidth } = op.window;
      if (layout === 'dsp' && isPlanar(op, layerWidth)) return 3 * planePitch(strideWidth, outWidth) * channels;
      // Pixels in whole words.
      if (layout === 'quad') return ringValues(op.window, 4 * Math.ceil(channels / 4), outWidth);
      // One of the SIMD kernels keeps the places of its taps there.
      return ringValues(op.window, channels, outWidth) + (layout === 'dsp' ? 4 * kernelHeight * kernelWidth : 0);
    }
    default:
      return 0;
  }
}

/** Values in the ring of padded rows that a depthwise kernel keeps. */
function ringValues(window: Window2d, channels: number, outWidth: number): number {
  const rows = (window.kernelHeight - 1) * window.dilationHeight + 1;
  const width = (outWidth - 1) * window.strideWidth + (window.kernelWidth - 1) * window.dilationWidth + 1;
  return rows * width * channels;
}

/** Pairs of inputs, and an even number of them, so that the kernels can unroll. */
function roundUpEven(taps: number): number {
  return 4 * Math.ceil(taps / 4);
}

/** A convolution of single pixels, whose patches are the pixels themselves. */
export function isPointwise(window: {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
}): boolean {
  return window.kernelHeight * window.kernelWidth * window.strideHeight * window.strideWidth === 1;
}
