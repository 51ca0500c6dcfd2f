/**
 * Block "spectral": FFT analysis as Edge Impulse's spectral features version 4 define it (our own words and code).
 * Twin of firmware/mote/src/mote_spectral.h: change both.
 *
 * For each axis: scale; decimate; filter (started at rest, so an offset such as gravity leaves a transient, as in the
 * original); remove the mean; RMS, skewness, kurtosis; max-hold power spectrum over frames of N samples, the last one
 * zero-padded, no window function; skewness and kurtosis of the spectrum; its bins, optionally log10. "Low-frequency
 * copy": the same again on the signal decimated once more by 10, its features after those of all axes.
 *
 * Compiled form:
 * - ints: `[0]` log2 N (4..12), `[1]` flags (1 log, 2 overlap, 4 low-frequency copy, 8 high-pass), `[2]` Butterworth
 *   sections (0..4), `[3]` and `[4]` first and last bin, `[5]` and `[6]` those of the copy (0 without), `[7]` decimation.
 * - floats: scale; sin(2 pi k / N) for k = 0..N/4; 4 per Butterworth section; 13 for the filter before keeping every
 *   3rd sample if the decimation is 3 or 30; 13 for every 10th if 10 divides it or with the copy (see filters.ts).
 * - scratch: N for the FFT, N/2 + 1 for the spectrum, ceil(frames / first decimation stage) for the signal, in this
 *   order.
 */
import { DspError, type CompiledBlock, type InputSpec, type SpectralSpec } from './block';
import { holdFrame, sineTable } from './fft';
import { butterworth, decimate, decimator, DECIMATOR_FLOATS, filterSection, SECTION_FLOATS } from './filters';
import { describe, emptyStatistics, finite, log10f } from './float-math';
import { badBlock, checkSpec, checkStored, type BlockSize, type StoredBlock } from './sanity';

const FLAG_LOG = 1;
const FLAG_OVERLAP = 2;
const FLAG_LOW_FREQUENCY = 4;
const FLAG_HIGH_PASS = 8;

const INT_COUNT = 8;
const DECIMATIONS: readonly number[] = [1, 3, 10, 30, 100, 1000];
const SHORTEST_FFT_LOG2 = 4;
const LONGEST_FFT_LOG2 = 12;
const STATISTIC_NAMES = ['RMS', 'Skewness', 'Kurtosis', 'Spectral Skewness', 'Spectral Kurtosis'] as const;
const STATISTIC_COUNT = STATISTIC_NAMES.length;
/** A filter's cut-off may be at most this share of half the rate after decimation. */
const DECIMATED_CUTOFF_SHARE = 0.9;

const fround = Math.fround;

/** Samples left when every `ratio`-th one is kept, starting with the first. */
export function kept(count: number, ratio: number): number {
  return Math.floor((count - 1) / ratio) + 1;
}

/** Ratio of the first decimation stage: 30 is 3 then 10; 100 and 1000 are tens. */
export function firstRatio(decimation: number): number {
  if (decimation === 1) return 1;
  return decimation % 10 === 0 && decimation !== 30 ? 10 : 3;
}

/** Samples left after all decimation stages. */
function decimated(frames: number, decimation: number): number {
  let count = frames;
  for (let left = decimation; left > 1;) {
    const ratio = firstRatio(left);
    count = kept(count, ratio);
    left /= ratio;
  }
  return count;
}

/** First and last bin that survive the filter's mask. */
function binRange(spec: SpectralSpec, rateHz: number): readonly [number, number] {
  const { filter, fftLength } = spec.params;
  const cutoff = (Math.min(spec.params.cutoffHz, rateHz / 2) * fftLength) / rateHz;
  switch (filter) {
    case 'none':
      return [1, fftLength / 2];
    case 'low':
      return [1, Math.min(Math.trunc(cutoff + 0.5), fftLength / 2)];
    case 'high':
      return [Math.max(1, Math.trunc(cutoff - 0.5) + 1), fftLength / 2];
  }
}

/**
 * @throws DspError `fft-length`, `filter-order`, `filter-cutoff`, `filter-unstable`, `no-bins`, `window-too-short` for
 * the low-frequency copy, `bad-block` for an unknown decimation ratio; else as `checkSpec` does.
 */
export function compileSpectral(spec: SpectralSpec, input: InputSpec): StoredBlock {
  const { axes, frames } = checkSpec(spec, input);
  const { params } = spec;
  const { fftLength, decimation, filter, cutoffHz, order } = params;
  const log2 = Math.log2(fftLength);
  if (!Number.isInteger(log2) || log2 < SHORTEST_FFT_LOG2 || log2 > LONGEST_FFT_LOG2) {
    throw new DspError(
      'fft-length',
      `The FFT length must be a power of 2 from ${2 ** SHORTEST_FFT_LOG2} to ${2 ** LONGEST_FFT_LOG2}, not ${fftLength}.`,
    );
  }
  if (!DECIMATIONS.includes(decimation)) {
    throw new DspError(
      'bad-block',
      `The decimation ratio must be one of ${DECIMATIONS.join(', ')}, not ${decimation}.`,
    );
  }
  const rateHz = input.rateHz / decimation;
  const filtered = filter !== 'none';
  if (filtered) {
    if (!Number.isInteger(order) || order < 0 || order > 8 || order % 2 !== 0) {
      throw new DspError('filter-order', `The filter order must be 0, 2, 4, 6 or 8, not ${order}.`);
    }
    if (!(cutoffHz > 0) || !Number.isFinite(cutoffHz)) {
      throw new DspError('filter-cutoff', 'The cut-off frequency must be above 0 Hz.');
    }
    if (decimation > 1 && cutoffHz > (DECIMATED_CUTOFF_SHARE * rateHz) / 2) {
      throw new DspError(
        'filter-cutoff',
        `The decimation ratio is too high for a cut-off of ${cutoffHz} Hz: only frequencies up to ` +
          `${(DECIMATED_CUTOFF_SHARE * rateHz) / 2} Hz remain. Lower one of them.`,
      );
    }
    if (order > 0 && cutoffHz >= rateHz / 2) {
      throw new DspError(
        'filter-cutoff',
        `The cut-off of ${cutoffHz} Hz is not below half the sampling rate (${rateHz / 2} Hz). Lower it.`,
      );
    }
  }
  const bins = binRange(spec, rateHz);
  const lowBins = params.improveLowFrequency ? binRange(spec, rateHz / 10) : ([0, 0] as const);
  if (bins[1] < bins[0] || lowBins[1] < lowBins[0]) {
    throw new DspError(
      'no-bins',
      `A low-pass filter at ${cutoffHz} Hz masks all bins of an FFT of ${fftLength} points. ` +
        'Raise the cut-off or the FFT length.',
    );
  }
  if (params.improveLowFrequency && kept(decimated(frames, decimation), 10) < fftLength / 2) {
    throw new DspError(
      'window-too-short',
      `Better low-frequency resolution needs a window of at least ` +
        `${Math.ceil((((fftLength / 2 - 1) * 10 + 1) * 1000) / rateHz)} ms with an FFT of ${fftLength} points.`,
    );
  }
  const sections = filtered && order > 0 ? butterworth(order, cutoffHz, rateHz) : [];
  const ints = Int32Array.of(
    log2,
    (params.log ? FLAG_LOG : 0) |
      (params.overlap ? FLAG_OVERLAP : 0) |
      (params.improveLowFrequency ? FLAG_LOW_FREQUENCY : 0) |
      (filter === 'high' ? FLAG_HIGH_PASS : 0),
    sections.length / SECTION_FLOATS,
    bins[0],
    bins[1],
    lowBins[0],
    lowBins[1],
    decimation,
  );
  const floats = Float32Array.from([
    params.scale,
    ...sineTable(fftLength),
    ...sections,
    ...(decimation % 3 === 0 ? decimator(3) : []),
    ...(decimation % 10 === 0 || params.improveLowFrequency ? decimator(10) : []),
  ]);
  return { channels: axes, ints, floats };
}

/** Twin of `mote_spectral_check`. @throws DspError `bad-block`. */
export function checkSpectral(block: StoredBlock, frames: number, channels: number): BlockSize {
  checkStored('spectral', block, frames, channels);
  const { ints } = block;
  if (ints.length !== INT_COUNT) throw badBlock('spectral', 'wrong number of parameters');
  const [log2, flags, sections, first, last, firstLow, lastLow, decimation] = ints as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (log2 < SHORTEST_FFT_LOG2 || log2 > LONGEST_FFT_LOG2) throw badBlock('spectral', 'bad FFT length');
  if (flags < 0 || flags > 15) throw badBlock('spectral', 'unknown flags');
  if (sections < 0 || sections > 4) throw badBlock('spectral', 'bad filter order');
  if (!DECIMATIONS.includes(decimation)) throw badBlock('spectral', 'bad decimation');
  const length = 1 << log2;
  const bins = length / 2;
  const low = (flags & FLAG_LOW_FREQUENCY) !== 0;
  if (first < 0 || first > last || last > bins) throw badBlock('spectral', 'bad range of bins');
  const need =
    1 +
    length / 4 +
    1 +
    SECTION_FLOATS * sections +
    (decimation % 3 === 0 ? DECIMATOR_FLOATS : 0) +
    (decimation % 10 === 0 || low ? DECIMATOR_FLOATS : 0);
  if (block.floats.length !== need) throw badBlock('spectral', 'wrong number of constants');
  let perAxis = STATISTIC_COUNT + last - first + 1;
  if (low) {
    if (firstLow < 0 || firstLow > lastLow || lastLow > bins) throw badBlock('spectral', 'bad range of bins');
    if (kept(decimated(frames, decimation), 10) < bins) throw badBlock('spectral', 'window too short');
    perAxis += STATISTIC_COUNT + lastLow - firstLow + 1;
  } else if (firstLow !== 0 || lastLow !== 0) {
    throw badBlock('spectral', 'bad range of bins');
  }
  return {
    featureCount: perAxis * block.channels.length,
    scratchFloats: kept(frames, firstRatio(decimation)) + length + bins + 1,
  };
}

const statistics = emptyStatistics();

/** Removes the mean of the signal in place and writes its features from `at` on. */
function signalFeatures(
  block: CompiledBlock,
  scratch: Float32Array,
  signal: number,
  count: number,
  firstBin: number,
  lastBin: number,
  features: Float32Array,
  at: number,
): void {
  const length = 1 << block.ints[0]!;
  const flags = block.ints[1]!;
  const bins = length / 2;
  const hold = length;
  const step = (flags & FLAG_OVERLAP) !== 0 ? bins : length;
  const toPower = 0.25 / length;
  const log = (flags & FLAG_LOG) !== 0;
  const s = statistics;
  describe(scratch, signal, 1, count, 1, s);
  features[at] = finite(s.stdev);
  features[at + 1] = finite(s.skewness);
  features[at + 2] = finite(s.kurtosis);
  for (let i = signal; i < signal + count; i++) {
    scratch[i] = fround(fround(scratch[i]! - s.mean) - s.residual);
  }
  scratch.fill(0, hold, hold + bins + 1);
  for (let i = 0; i < count; i += step) {
    holdFrame(scratch, signal + i, count - i, length, block.floats, 1, scratch);
  }
  for (let i = hold; i <= hold + bins; i++) scratch[i] = fround(scratch[i]! * toPower);
  describe(scratch, hold, 1, bins + 1, 1, s);
  features[at + 3] = finite(s.skewness);
  features[at + 4] = finite(s.kurtosis);
  for (let i = firstBin; i <= lastBin; i++) {
    const power = scratch[hold + i]!;
    features[at + STATISTIC_COUNT + i - firstBin] = finite(log ? log10f(power) : power);
  }
}

export function runSpectral(
  block: CompiledBlock,
  window: Float32Array,
  frames: number,
  channels: number,
  scratch: Float32Array,
  features: Float32Array,
): void {
  const { ints, floats, channels: axes } = block;
  const length = 1 << ints[0]!;
  const flags = ints[1]!;
  const perAxis = STATISTIC_COUNT + ints[4]! - ints[3]! + 1;
  const perCopy = STATISTIC_COUNT + ints[6]! - ints[5]! + 1;
  const sections = 1 + length / 4 + 1;
  const every3rd = sections + SECTION_FLOATS * ints[2]!;
  const every10th = every3rd + (ints[7]! % 3 === 0 ? DECIMATOR_FLOATS : 0);
  const signal = length + length / 2 + 1;
  const copies = perAxis * axes.length;
  for (let axis = 0; axis < axes.length; axis++) {
    let count = frames;
    let left = ints[7]!;
    if (left === 1) {
      const scale = floats[0]!;
      for (let i = 0; i < count; i++) scratch[signal + i] = fround(window[i * channels + axes[axis]!]! * scale);
    } else {
      const ratio = firstRatio(left);
      const filter = ratio === 3 ? every3rd : every10th;
      count = decimate(window, axes[axis]!, channels, floats[0]!, count, ratio, floats, filter, scratch, signal);
      left /= ratio;
    }
    while (left > 1) {
      count = decimate(scratch, signal, 1, 1, count, 10, floats, every10th, scratch, signal);
      left /= 10;
    }
    for (let i = 0; i < ints[2]!; i++) {
      filterSection(scratch, signal, count, floats, sections + SECTION_FLOATS * i, (flags & FLAG_HIGH_PASS) !== 0);
    }
    signalFeatures(block, scratch, signal, count, ints[3]!, ints[4]!, features, axis * perAxis);
    if ((flags & FLAG_LOW_FREQUENCY) !== 0) {
      count = decimate(scratch, signal, 1, 1, count, 10, floats, every10th, scratch, signal);
      signalFeatures(block, scratch, signal, count, ints[5]!, ints[6]!, features, copies + axis * perCopy);
    }
  }
}

/** Rounds to 2 decimals, halves to even, as the labels that people know do. */
function twoDecimals(value: number): number {
  const scaled = value * 100;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  return (up ? floor + 1 : floor) / 100;
}

function decimalText(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function rangeNames(rateHz: number, length: number, first: number, last: number, suffix: string): string[] {
  const names = STATISTIC_NAMES.map((name) => name + suffix);
  const width = rateHz / length;
  for (let bin = first; bin <= last; bin++) {
    const low = decimalText(twoDecimals(bin * width - width / 2));
    const high = decimalText(twoDecimals(bin * width + width / 2));
    names.push(`Spectral Power ${low} - ${high} Hz`);
  }
  return names;
}

/** Names of one axis' features, and of its low-frequency copy (empty without). */
export function spectralNames(
  block: StoredBlock,
  input: InputSpec,
): { readonly main: string[]; readonly copy: string[] } {
  const { ints } = block;
  const length = 1 << ints[0]!;
  const rateHz = input.rateHz / ints[7]!;
  return {
    main: rangeNames(rateHz, length, ints[3]!, ints[4]!, ''),
    copy: (ints[1]! & FLAG_LOW_FREQUENCY) !== 0 ? rangeNames(rateHz / 10, length, ints[5]!, ints[6]!, ' LF') : [],
  };
}
