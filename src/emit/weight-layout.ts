/**
 * Weights as the SIMD kernels of Cortex-M4, M7 and M33 read them (firmware/mote/src/mote_conv_dsp.h).
 *
 * Convolution and fully connected: for every four output channels and every pair of inputs two words; a word's 16-bit
 * lanes hold A + 256 B of two output channels, the low lane for the first input of the pair. Inputs and channels are
 * padded to multiples of four with zeros. Depthwise: for every four channels and every tap four bytes.
 */
import type { Int8Op } from '../quantize/int8-graph';

/** Tallest kernel that the depthwise kernel takes: MOTE_DSP_MAX_ROWS. */
const MOST_ROWS = 16;
/** Above this, `128 * sum of |weights|` would not leave the upper 24 bits of an accumulator to the second channel. */
const MOST_WEIGHT = 65_000;

/**
 * Whether the layer can use this layout: sums leave room for two channels in one accumulator, and every rescaling is a
 * right shift. Trained networks practically always do; other layers use the portable kernels.
 */
export function dspLayoutFits(op: Int8Op): boolean {
  switch (op.kind) {
    case 'conv2d':
      if (op.groups > 1) return false;
      break;
    case 'depthwiseConv2d':
      if (op.depthMultiplier > 1 || op.bias.length % 4 !== 0) return false;
      if (op.window.kernelHeight > MOST_ROWS || op.window.kernelWidth !== 3 || op.window.dilationWidth !== 1)
        return false;
      break;
    case 'fullyConnected':
      break;
    default:
      return false;
  }
  if (op.shift.some((shift) => shift > -1)) return false;
  const channels = op.bias.length;
  const perChannel = op.weights.length / channels;
  const sums = new Float64Array(channels);
  op.weights.forEach((weight, index) => {
    const channel = op.kind === 'depthwiseConv2d' ? index % channels : Math.floor(index / perChannel);
    sums[channel] = (sums[channel] as number) + Math.abs(weight);
  });
  return sums.every((sum, channel) => sum < MOST_WEIGHT && Math.abs(op.bias[channel] as number) + 255 * sum < 2 ** 30);
}

/** Words for the kernel of pairs: `channels` rows of `taps` weights. */
export function arrangePairs(weights: Int8Array, channels: number): Int32Array {
  const taps = weights.length / channels;
  const pairs = 2 * Math.ceil(taps / 4);
  const quads = Math.ceil(channels / 4);
  const words = new Int32Array(quads * pairs * 2);
  const at = (channel: number, tap: number): number =>
    channel < channels && tap < taps ? (weights[channel * taps + tap] as number) : 0;
  const lane = (channel: number, tap: number): number => (at(channel, tap) + 256 * at(channel + 1, tap)) & 0xffff;
  let index = 0;
  for (let quad = 0; quad < quads; quad++) {
    for (let pair = 0; pair < pairs; pair++) {
      for (let half = 0; half < 4; half += 2) {
        const channel = 4 * quad + half;
        words[index++] = lane(channel, 2 * pair) | (lane(channel, 2 * pair + 1) << 16);
      }
    }
  }
  return words;
}

/** The same for fully connected layers, whose pairs of every four inputs are 0 and 2, 1 and 3 (mote_dense_dsp.h). */
export function arrangeDense(weights: Int8Array, units: number): Int32Array {
  const inputs = weights.length / units;
  const padded = 4 * Math.ceil(inputs / 4);
  const swapped = new Int8Array(units * padded);
  weights.forEach((weight, index) => {
    const input = index % inputs;
    // Exchanges 1 and 2 of every four.
    const to = input % 4 === 1 ? input + 1 : input % 4 === 2 ? input - 1 : input;
    swapped[Math.floor(index / inputs) * padded + to] = weight;
  });
  return arrangePairs(swapped, units);
}

/** [tap][channel] -> [channel / 4][tap][4], as words; channels a multiple of four. */
export function arrangeDepthwise(weights: Int8Array, channels: number): Int32Array {
  const taps = weights.length / channels;
  const bytes = new Int8Array(weights.length);
  let index = 0;
  for (let group = 0; group < channels; group += 4) {
    for (let tap = 0; tap < taps; tap++) {
      for (let i = 0; i < 4; i++) bytes[index++] = weights[tap * channels + group + i] as number;
    }
  }
  const view = new DataView(bytes.buffer);
  return Int32Array.from({ length: bytes.length / 4 }, (_, word) => view.getInt32(4 * word, true));
}

/**
 * What the kernels need to rescale: for every four channels the right shifts less one, a byte each, then for each
 * channel twice its folded bias and its multiplier. Channels are padded with zeros.
 */
export function arrangeChannels(bias: Int32Array, multiplier: Int32Array, shift: Int32Array): Int32Array {
  const words: number[] = [];
  for (let quad = 0; quad < bias.length; quad += 4) {
    let shifts = 0;
    const pairs: number[] = [];
    for (let i = 0; i < 4; i++) {
      const channel = quad + i;
      const inside = channel < bias.length;
      const c = multiplier.length > 1 ? channel : 0;
      shifts |= (inside ? -(shift[c] as number) - 1 : 0) << (8 * i);
      pairs.push(inside ? 2 * (bias[channel] as number) : 0, inside ? (multiplier[c] as number) : 0);
    }
    words.push(shifts, ...pairs);
  }
  return Int32Array.from(words);
}
