/**
 * Block "flatten": statistics of every axis (population formulas, biased moments, excess kurtosis; a constant has
 * skewness 0 and kurtosis -3). Twin of firmware/mote/src/mote_flatten.h: change both.
 *
 * Compiled form: ints `[which]` with 1 average, 2 minimum, 4 maximum, 8 RMS, 16 standard deviation, 32 skewness,
 * 64 kurtosis; floats `[scale]`; no scratch. Features: axis by axis, in that order.
 */
import { DspError, type CompiledBlock, type FlattenSpec, type InputSpec } from './block';
import { describe, emptyStatistics, finite } from './float-math';
import { badBlock, checkSpec, checkStored, type BlockSize, type StoredBlock } from './sanity';

const STATISTICS = ['average', 'minimum', 'maximum', 'rms', 'stdev', 'skewness', 'kurtosis'] as const;
const NAMES = ['Average', 'Minimum', 'Maximum', 'RMS', 'Stdev', 'Skewness', 'Kurtosis'] as const;

/** @throws DspError `bad-block` when no statistic is chosen; else as `checkSpec` does. */
export function compileFlatten(spec: FlattenSpec, input: InputSpec): StoredBlock {
  const { axes } = checkSpec(spec, input);
  let which = 0;
  STATISTICS.forEach((statistic, bit) => {
    if (spec.params[statistic]) which |= 1 << bit;
  });
  if (which === 0)
    throw new DspError('bad-block', 'The flatten block computes nothing. Choose at least one statistic.');
  return { channels: axes, ints: Int32Array.of(which), floats: Float32Array.of(spec.params.scale) };
}

/** @throws DspError `bad-block`. */
export function checkFlatten(block: StoredBlock, frames: number, channels: number): BlockSize {
  checkStored('flatten', block, frames, channels);
  if (block.ints.length !== 1 || block.floats.length !== 1) throw badBlock('flatten', 'wrong number of parameters');
  const which = block.ints[0]!;
  if (which < 1 || which > 127) throw badBlock('flatten', 'unknown statistics');
  return { featureCount: flattenNames(block).length * block.channels.length, scratchFloats: 0 };
}

const statistics = emptyStatistics();

export function runFlatten(
  block: CompiledBlock,
  window: Float32Array,
  frames: number,
  channels: number,
  features: Float32Array,
): void {
  const which = block.ints[0]!;
  const s = statistics;
  let at = 0;
  for (const axis of block.channels) {
    describe(window, axis, channels, frames, block.floats[0]!, s);
    if (which & 1) features[at++] = finite(Math.fround(s.mean + s.residual));
    if (which & 2) features[at++] = finite(s.minimum);
    if (which & 4) features[at++] = finite(s.maximum);
    if (which & 8) features[at++] = finite(s.rms);
    if (which & 16) features[at++] = finite(s.stdev);
    if (which & 32) features[at++] = finite(s.skewness);
    if (which & 64) features[at++] = finite(s.kurtosis);
  }
}

/** Names of one axis' features. */
export function flattenNames(block: StoredBlock): string[] {
  return NAMES.filter((_, bit) => (block.ints[0]! & (1 << bit)) !== 0);
}
