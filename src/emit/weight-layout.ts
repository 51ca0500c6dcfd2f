/**
 * Weights as the SIMD kernels of Cortex-M4, M7 and M33 read them (firmware/mote/src/mote_conv_dsp.h).
 *
 * Convolution and fully connected: for every four output channels and every pair of inputs two words; a word's 16-bit
 * lanes hold A + 256 B of two output channels, the low lane for the first input of the pair. Inputs and channels are
 * padded to multiples of four with zeros. Small kernels: the same, pairs of columns first and rows within them. Depthwise: for every four channels and every tap four bytes, the last four
 * overlapping those before; 3 x 3 with strides 1 and 2 along the row: a record per channel (mote_depthwise_dsp.h).
 */
import type { Int8Conv2d, Int8DepthwiseConv2d, Int8FullyConnected, Int8Op } from '../quantize/int8-graph';

/** Above this, `128 * sum of |weights|` would not leave the upper 24 bits of an accumulator to the second channel. */
const MOST_WEIGHT = 65_000;

/**
 * Whether the layer can use this layout: sums leave room for two channels in one accumulator (fully connected layers may
 * sum in parts: `isLong`), and every rescaling is a right shift. Trained networks practically always do; other layers use
 * the portable kernels.
 */
export function dspLayoutFits(op: Int8Op): boolean {
  switch (op.kind) {
    case 'conv2d':
      if (op.groups > 1) return false;
      break;
    case 'depthwiseConv2d':
      if (op.depthMultiplier > 1 || op.bias.length < 4) return false;
      break;
    case 'fullyConnected':
      break;
    default:
      return false;
  }
  if (op.shift.some((shift) => shift > -1)) return false;
  const most = op.kind === 'fullyConnected' ? Infinity : MOST_WEIGHT;
  return weightSums(op).every(
    (sum, channel) => sum < most && Math.abs(op.bias[channel] as number) + 255 * sum < 2 ** 30,
  );
}

/** Whether a fully connected layer sums in parts, a few hundred inputs at a time: mote_fully_connected_long_dsp. */
export function isLong(op: Int8FullyConnected): boolean {
  return weightSums(op).some((sum) => sum >= MOST_WEIGHT);
}

/** Per channel the sum of |weights|. */
function weightSums(op: Int8Conv2d | Int8DepthwiseConv2d | Int8FullyConnected): Float64Array {
  const channels = op.bias.length;
  const perChannel = op.weights.length / channels;
  const sums = new Float64Array(channels);
  op.weights.forEach((weight, index) => {
    const channel = op.kind === 'depthwiseConv2d' ? index % channels : Math.floor(index / perChannel);
    sums[channel] = (sums[channel] as number) + Math.abs(weight);
  });
  return sums;
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

/**
 * The same for fully connected layers, whose pairs of every four inputs are 0 and 2, 1 and 3 (mote_dense_dsp.h). Inputs that
 * come in `lines` of the same length are padded line by line.
 */
export function arrangeDense(weights: Int8Array, units: number, lines = 1): Int32Array {
  const inputs = weights.length / units / lines;
  const padded = 4 * Math.ceil(inputs / 4);
  const swapped = new Int8Array(units * lines * padded);
  weights.forEach((weight, index) => {
    const input = index % inputs;
    // Exchanges 1 and 2 of every four.
    const to = input % 4 === 1 ? input + 1 : input % 4 === 2 ? input - 1 : input;
    swapped[Math.floor(index / inputs) * padded + to] = weight;
  });
  return arrangePairs(swapped, units);
}

/** First channels of groups of four; the last group overlaps the one before rather than reach beyond the last channel. */
function overlappingFours(channels: number): number[] {
  return Array.from({ length: Math.ceil(channels / 4) }, (_, group) => Math.min(4 * group, channels - 4));
}

/** [tap][channel] -> [group of four channels][tap][4], as words; at least four channels. */
export function arrangeDepthwise(weights: Int8Array, channels: number): Int32Array {
  const taps = weights.length / channels;
  const words: number[] = [];
  for (const first of overlappingFours(channels)) {
    for (let tap = 0; tap < taps; tap++) words.push(wordOf(weights.subarray(tap * channels + first)));
  }
  return Int32Array.from(words);
}

/** Four bytes, the first lowest. */
function wordOf(bytes: ArrayLike<number>): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word |= ((bytes[i] ?? 0) & 0xff) << (8 * i);
  return word;
}

/** Inputs of so few values are expanded together in any case: small networks then hold one kernel instead of two. */
const FEW_VALUES = 128;
/** A kernel of so many inputs spends most of its time on products. */
const MOST_BAND_VALUES = 256;
/** MOTE_BAND_WORDS of mote_conv_dsp.h. */
const BAND_WORDS = 256;

/** Whether a convolution runs on bands, the expanded inputs under several pixels: mote_conv2d_band_dsp. */
export function isBand({ window, weights, bias }: Int8Conv2d): boolean {
  const taps = weights.length / bias.length;
  const { kernelHeight, kernelWidth, strideHeight, strideWidth, dilationWidth } = window;
  if (dilationWidth !== 1 || taps > MOST_BAND_VALUES) return false;
  if (kernelHeight * kernelWidth * strideHeight * strideWidth === 1) return false;
  if (taps <= FEW_VALUES) return true;
  const run = taps / window.kernelHeight;
  const channels = run / kernelWidth;
  return run % 4 !== 0 || (channels % 4 !== 0 && window.padLeft + window.padRight > 0);
}

/** A stretch of neighbouring pixels that share a band. */
export interface BandBlock {
  /** Outputs in the row: an even number, or one. */
  readonly pixels: number;
  /** Words of the band: columns of kernel rows for each of two pixels, or for the one. */
  readonly words: number;
}

/** Pairs of values of a row under one pixel. */
function bandPairs({ window, weights, bias }: Int8Conv2d): number {
  return Math.ceil(weights.length / bias.length / window.kernelHeight / 2);
}

/** How the kernel of bands goes through a row of so many outputs. */
export function bandBlocks(op: Int8Conv2d, outWidth: number): readonly BandBlock[] {
  const { kernelHeight, kernelWidth, strideWidth } = op.window;
  const under = bandPairs(op);
  // From one pixel to the one after the next.
  const step = (op.weights.length / op.bias.length / kernelHeight / kernelWidth) * strideWidth;
  const spare = Math.floor(BAND_WORDS / (2 * kernelHeight)) - under;
  const most = strideWidth < kernelWidth && spare >= step ? 2 + 2 * Math.floor(spare / step) : 2;
  const blocks: BandBlock[] = [];
  for (let left = outWidth; left > 0; left -= blocks.at(-1)?.pixels ?? left) {
    const pixels = left === 1 ? 1 : Math.min(most, left - (left % 2));
    const columns = under + Math.floor((pixels - 1) / 2) * step;
    blocks.push({ pixels, words: Math.min(pixels, 2) * columns * kernelHeight });
  }
  return blocks;
}

/** Bytes of the band for an output so wide. */
export function bandBytes(op: Int8Conv2d, outWidth: number): number {
  const most = Math.max(0, ...bandBlocks(op, outWidth).map(({ words }) => words));
  // Two pairs at a time are multiplied.
  return 4 * (most + Math.min(outWidth, 2) * ((bandPairs(op) * op.window.kernelHeight) % 2));
}

/** Words for the kernel of bands: weights in the order of its inputs, each kernel row padded to an even number. */
export function arrangeBand(op: Int8Conv2d): Int32Array {
  const { weights, bias, window } = op;
  const rows = window.kernelHeight;
  const under = bandPairs(op);
  const run = weights.length / bias.length / rows;
  const ordered = new Int8Array(bias.length * 2 * under * rows);
  weights.forEach((weight, index) => {
    const [value, row] = [index % run, Math.floor(index / run) % rows];
    const channel = Math.floor(index / run / rows);
    ordered[2 * ((channel * under + (value >> 1)) * rows + row) + (value & 1)] = weight;
  });
  return arrangePairs(ordered, bias.length);
}

/** Narrower outputs are faster pixel by pixel. */
const LEAST_PLANAR_WIDTH = 4;

/** Whether a depthwise layer runs on rows of single channels: mote_depthwise3_dsp and its twin for stride 2. */
export function isPlanar({ window }: Int8DepthwiseConv2d, outWidth: number): boolean {
  if (outWidth < LEAST_PLANAR_WIDTH) return false;
  const { kernelHeight, kernelWidth, dilationHeight, dilationWidth, strideWidth } = window;
  return kernelHeight === 3 && kernelWidth === 3 && dilationHeight === 1 && dilationWidth === 1 && strideWidth <= 2;
}

/** mote_dsp_plane_pitch: bytes of a row of one channel. */
export function planePitch(strideWidth: number, outWidth: number): number {
  return 4 * Math.ceil((strideWidth * 2 * Math.ceil(outWidth / 2) + 2) / 4);
}

/** Per channel: twice its folded bias, multiplier, right shift less one, then a word for each row of three weights. */
export function arrangePlanar(op: Int8DepthwiseConv2d, folded: Int32Array): Int32Array {
  const channels = op.bias.length;
  const words: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const c = op.multiplier.length > 1 ? channel : 0;
    words.push(2 * (folded[channel] as number), op.multiplier[c] as number, -(op.shift[c] as number) - 1);
    for (let row = 0; row < 3; row++) {
      words.push(wordOf([0, 1, 2].map((column) => op.weights[(3 * row + column) * channels + channel] as number)));
    }
  }
  return Int32Array.from(words);
}

/**
 * What the kernels need to rescale: for every four channels the right shifts less one, a byte each, then for each
 * channel twice its folded bias and its multiplier. Channels are padded with zeros, or the last four overlap those before.
 */
export function arrangeChannels(
  bias: Int32Array,
  multiplier: Int32Array,
  shift: Int32Array,
  groups: 'padded' | 'overlapping' = 'padded',
): Int32Array {
  const words: number[] = [];
  const padded = Array.from({ length: Math.ceil(bias.length / 4) }, (_, group) => 4 * group);
  for (const quad of groups === 'padded' ? padded : overlappingFours(bias.length)) {
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
