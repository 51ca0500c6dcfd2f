/**
 * Weights as the kernels of Cortex-M0 and M0+ read them (firmware/mote/src/mote_conv_quad.h).
 *
 * Convolution and fully connected: for every four output channels and every tap one word, from the low byte w0 + 128,
 * w1 + 128, w2 + 128, w3. Channels are padded to a multiple of four with zero weights, taps of convolutions to an even number.
 * Depthwise: for every four channels and every tap four int8, as a word; channels likewise.
 */
import type { Int8Op } from '../quantize/int8-graph';

/** Tallest kernel that the depthwise kernel takes: MOTE_QUAD_MAX_ROWS. */
const MOST_ROWS = 16;

/**
 * Whether the layer can use this layout: every rescaling is a right shift, and a sum leaves room for its products with
 * the halves of a multiplier. Trained networks practically always do; other layers use the portable kernels.
 */
export function quadLayoutFits(op: Int8Op): boolean {
  switch (op.kind) {
    case 'conv2d':
      if (op.groups > 1) return false;
      break;
    case 'depthwiseConv2d':
      // Of a single channel three quarters of the work would be for nothing.
      if (op.depthMultiplier > 1 || op.bias.length < 2 || op.window.kernelHeight > MOST_ROWS) return false;
      break;
    case 'fullyConnected':
      break;
    default:
      return false;
  }
  if (op.shift.some((shift) => shift > -1)) return false;
  const channels = op.bias.length;
  const taps = op.weights.length / channels;
  const sums = new Float64Array(channels);
  op.weights.forEach((weight, index) => {
    const channel = op.kind === 'depthwiseConv2d' ? index % channels : Math.floor(index / taps);
    sums[channel] = (sums[channel] as number) + Math.abs(weight);
  });
  // The kernels' bias has the input's zero point folded in: at most 128 * sum more than the bias of the graph.
  return sums.every((sum, channel) => Math.abs(op.bias[channel] as number) + 383 * sum < 2 ** 29);
}

/** [channel][tap] (OHWI) -> [channel / 4][tap] words. */
export function arrangeQuad(weights: Int8Array, channels: number): Int32Array {
  const taps = weights.length / channels;
  return quadWords(weights, channels, taps + (taps % 2));
}

/** The same for fully connected layers (mote_dense_quad.h): [unit][input], as many words as inputs. */
export function arrangeQuadDense(weights: Int8Array, units: number): Int32Array {
  return quadWords(weights, units, weights.length / units);
}

/** `padded` words for every four channels. */
function quadWords(weights: Int8Array, channels: number, padded: number): Int32Array {
  const taps = weights.length / channels;
  const quads = Math.ceil(channels / 4);
  const words = new Int32Array(quads * padded);
  const at = (channel: number, tap: number): number =>
    channel < channels && tap < taps ? (weights[channel * taps + tap] as number) : 0;
  let index = 0;
  for (let channel = 0; channel < channels; channel += 4) {
    for (let tap = 0; tap < padded; tap++) {
      const low = (at(channel, tap) + 128) | ((at(channel + 1, tap) + 128) << 8);
      words[index++] = low | ((at(channel + 2, tap) + 128) << 16) | (at(channel + 3, tap) << 24);
    }
  }
  return words;
}

/** [tap][channel] -> [channel / 4][tap] words of four int8, the first channel lowest, with zeros beyond the last. */
export function arrangeQuadDepthwise(weights: Int8Array, channels: number): Int32Array {
  const taps = weights.length / channels;
  const words = new Int32Array(taps * Math.ceil(channels / 4));
  let index = 0;
  for (let channel = 0; channel < channels; channel += 4) {
    for (let tap = 0; tap < taps; tap++) {
      let word = 0;
      for (let i = 0; i < 4 && channel + i < channels; i++) {
        word |= ((weights[tap * channels + channel + i] as number) & 0xff) << (8 * i);
      }
      words[index++] = word;
    }
  }
  return words;
}

/**
 * Bytes of scratch of a convolution (1 x 1 too) with this many taps; 4-byte aligned.
 * Depthwise layers need what the portable kernel needs for channels in whole fours, 4-byte aligned as well.
 */
export function quadScratchBytes(taps: number): number {
  return 4 * (taps + (taps % 2) + 1);
}
