/**
 * Which range of real values the 256 integers of a tensor cover, estimated from the values that the float network takes
 * on training data. Everything is gathered in one pass and in bounded memory: a histogram whose bins double in width
 * whenever a value does not fit.
 *
 * Sources: TFLite converter (min-max); Wu et al., "Integer Quantization for Deep Learning Inference", 2020 (percentile);
 * Krishnamoorthi and others use the smallest mean squared error over clipping ranges (mse).
 */
import type { FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { QuantizeError } from './int8-graph';
import { clamp, roundHalfAway } from './requantize';

/**
 * - `min-max`: everything seen fits. Never clips training data; one outlier costs resolution everywhere.
 * - `percentile`: leaves out the rarest values at both ends.
 * - `mse`: the range with the least mean squared error, rounding and clipping together. Shortens long tails, but keeps
 *   single extreme values, whose clipping would cost more than all rounding.
 */
export const CALIBRATION_METHODS = ['min-max', 'percentile', 'mse'] as const;
export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

export interface CalibrationOptions {
  readonly method: CalibrationMethod;
  /** For `percentile`: share of values kept at either end, percent, above 50 and up to 100. Default 99.99. */
  readonly percentile?: number;
}

export const DEFAULT_PERCENTILE = 99.99;

/** Values a tensor may take; always contains 0, which must be exact in int8. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Gathers values; `range()` may be asked at any time. NaN and infinities show in the range. */
export interface RangeEstimator {
  add(values: Float32Array): void;
  range(): Range;
}

/** Bins of a histogram over [-limit, limit): at least a quarter of them on each side in use. */
const BINS = 8192;
/** Clipping ranges that `mse` tries per end: from all down to a fifth of the largest value. */
const MSE_STEPS = 80;
const MSE_SMALLEST = 0.2;
const MSE_ROUNDS = 3;

/** The float32 scale and the zero point that spread a range over -128..127: the converter's rule. */
export function activationScale({ min, max }: Range): { scale: number; zeroPoint: number } {
  const scale = Math.fround((max - min) / 255);
  // A tensor that is always zero (or smaller than float32 can divide) has no range to spread over the integers.
  if (scale === 0) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: clamp(roundHalfAway(-128 - min / scale), -128, 127) };
}

/** The float32 scale that spreads the larger half of a range over 0..32767: the converter's rule for int16. */
export function symmetricScale({ min, max }: Range): { scale: number; zeroPoint: 0 } {
  const scale = Math.fround(Math.max(-min, max) / 32_767);
  return { scale: scale === 0 ? 1 : scale, zeroPoint: 0 };
}

/** Throws QuantizeError `bad-input` for a percentile outside (50, 100]. */
export function createRangeEstimator(options: CalibrationOptions): RangeEstimator {
  const percentile = options.percentile ?? DEFAULT_PERCENTILE;
  if (!(percentile > 50 && percentile <= 100)) {
    throw new QuantizeError('bad-input', `The percentile of the calibration must be above 50 and up to 100.`);
  }
  const extremes = new Extremes();
  if (options.method === 'min-max') return extremes;
  const histogram = new Histogram();
  return {
    add(values) {
      extremes.add(values);
      if (extremes.isFinite()) histogram.add(values);
    },
    range() {
      const seen = extremes.range();
      if (!extremes.isFinite() || histogram.count === 0) return seen;
      return options.method === 'mse' ? leastSquares(histogram, seen) : percentiles(histogram, seen, percentile);
    },
  };
}

/** Gathers the values of all tensors of a float network, input by input. */
export interface RangeMeter {
  /** Runs the network. Throws GraphError `shape-mismatch` on a wrong length. */
  add(input: Float32Array): void;
  /** By tensor id; constants have their exact range. Throws QuantizeError `no-calibration-data` or `not-finite`. */
  ranges(): Range[];
}

/** Throws QuantizeError `bad-input` for a percentile outside (50, 100]. */
export function createRangeMeter(graph: FloatGraph, options: CalibrationOptions): RangeMeter {
  const interpreter = createFloatInterpreter(graph);
  const estimators = graph.tensors.map((tensor) => {
    const estimator = createRangeEstimator(tensor.data ? { method: 'min-max' } : options);
    if (tensor.data) estimator.add(tensor.data);
    return estimator;
  });
  let inputs = 0;
  return {
    add(input) {
      interpreter.run(input);
      inputs++;
      interpreter.activations.forEach((values, id) => {
        if (!graph.tensors[id]?.data) estimators[id]?.add(values);
      });
    },
    ranges() {
      if (inputs === 0) {
        throw new QuantizeError(
          'no-calibration-data',
          'Quantization needs at least one training window to measure ranges.',
        );
      }
      return estimators.map((estimator) => {
        const { min, max } = estimator.range();
        if (!Number.isFinite(min) || !Number.isFinite(max)) {
          throw new QuantizeError(
            'not-finite',
            'The network gives values that are not numbers on the training windows.',
          );
        }
        return { min, max };
      });
    },
  };
}

class Extremes implements RangeEstimator {
  private min = 0;
  private max = 0;

  add(values: Float32Array): void {
    for (const value of values) {
      if (value < this.min) this.min = value;
      else if (value > this.max) this.max = value;
      else if (Number.isNaN(value)) this.max = NaN;
    }
  }

  isFinite(): boolean {
    return Number.isFinite(this.min) && Number.isFinite(this.max);
  }

  range(): Range {
    return { min: this.min, max: this.max };
  }
}

/** Counts of finite values in equal bins over [-limit, limit), 0 on the edge between two bins. */
class Histogram {
  readonly counts = new Float64Array(BINS);
  count = 0;
  private limit = 0;

  /** Width of a bin. */
  get width(): number {
    return (2 * this.limit) / BINS;
  }

  add(values: Float32Array): void {
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    this.widen(largest);
    this.count += values.length;
    if (this.limit === 0) {
      // Nothing but zeros so far: they are counted in the bin above 0, whatever its width will be.
      this.counts[BINS / 2] = (this.counts[BINS / 2] as number) + values.length;
      return;
    }
    const perUnit = 1 / this.width;
    for (const value of values) {
      const bin = clamp(Math.floor(value * perUnit) + BINS / 2, 0, BINS - 1);
      this.counts[bin] = (this.counts[bin] as number) + 1;
    }
  }

  private widen(largest: number): void {
    if (largest === 0) return;
    // A power of two above the value, so that doubling only ever merges pairs of bins.
    if (this.limit === 0) this.limit = 2 ** Math.floor(Math.log2(largest)) * 2;
    while (this.limit <= largest) {
      this.limit *= 2;
      const merged = new Float64Array(BINS);
      for (let bin = 0; bin < BINS; bin++) {
        const to = BINS / 4 + (bin >> 1);
        merged[to] = (merged[to] as number) + (this.counts[bin] as number);
      }
      this.counts.set(merged);
    }
  }
}

function percentiles(histogram: Histogram, seen: Range, percentile: number): Range {
  const outside = histogram.count * (1 - percentile / 100);
  return {
    min: clamp(quantile(histogram, outside), seen.min, 0),
    max: clamp(quantile(histogram, histogram.count - outside), 0, seen.max),
  };
}

/** The value below which `rank` of all values lie; within a bin, values count as spread evenly. */
function quantile({ counts, width }: Histogram, rank: number): number {
  let below = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const inside = counts[bin] as number;
    if (below + inside >= rank && inside > 0) return (bin - BINS / 2 + (rank - below) / inside) * width;
    below += inside;
  }
  return Infinity;
}

/** Shrinks both ends together, then one after the other, while the error falls. */
function leastSquares(histogram: Histogram, seen: Range): Range {
  let best = seen;
  let least = squaredError(histogram, best);
  const search = (shrink: (share: number) => Range): void => {
    for (let step = 0; step <= MSE_STEPS; step++) {
      const candidate = shrink(1 - ((1 - MSE_SMALLEST) * step) / MSE_STEPS);
      const error = squaredError(histogram, candidate);
      if (error < least) {
        least = error;
        best = candidate;
      }
    }
  };
  search((share) => ({ min: seen.min * share, max: seen.max * share }));
  for (let round = 0; round < MSE_ROUNDS; round++) {
    const before = least;
    if (seen.min < 0) search((share) => ({ min: seen.min * share, max: best.max }));
    if (seen.max > 0) search((share) => ({ min: best.min, max: seen.max * share }));
    if (least === before) break;
  }
  return best;
}

/** Sum over all values of (value - its int8 value)^2, each bin by its middle. */
function squaredError(histogram: Histogram, range: Range): number {
  const { scale, zeroPoint } = activationScale(range);
  const lowest = -128 - zeroPoint;
  const highest = 127 - zeroPoint;
  const { counts, width } = histogram;
  let sum = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const count = counts[bin] as number;
    if (count === 0) continue;
    const value = (bin - BINS / 2 + 0.5) * width;
    const error = value - clamp(Math.round(value / scale), lowest, highest) * scale;
    sum += count * error * error;
  }
  return sum;
}
