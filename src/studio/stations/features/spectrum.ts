/** The part of a spectral block's features that is a spectrum: power by frequency, per channel. */
import type { CompiledBlock, InputSpec } from '../../../dsp/block';

export interface Spectrum {
  /** Index of the channel in the input. */
  readonly channel: number;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** RMS, skewness, kurtosis and those of the spectrum stand before the bins of every axis. */
const STATISTICS = 5;

/** `features` are those of this block only. The low-frequency copy is left out. */
export function spectraOf(block: CompiledBlock, input: InputSpec, features: Float32Array): Spectrum[] {
  const [log2 = 4, , , first = 1, last = 0, , , decimation = 1] = block.ints;
  const width = input.rateHz / decimation / 2 ** log2;
  const perAxis = STATISTICS + last - first + 1;
  return [...block.channels].map((channel, axis) => ({
    channel,
    points: Array.from({ length: last - first + 1 }, (_, i) => ({
      x: (first + i) * width,
      y: features[axis * perAxis + STATISTICS + i] ?? 0,
    })),
  }));
}

/** True when the powers are logarithms. */
export function isLogarithmic(block: CompiledBlock): boolean {
  return ((block.ints[1] ?? 0) & 1) !== 0;
}
