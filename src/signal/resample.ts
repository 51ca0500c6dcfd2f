/**
 * Changes the rate of a recording: band-limited interpolation with a Kaiser-windowed sinc, as a polyphase filter where
 * the two rates have a small common ratio. Source: Smith and Gossett, "A flexible sampling-rate conversion method",
 * ICASSP 1984; filter length and Kaiser parameter as in SciPy's `resample_poly`.
 */
import type { LoadedRecording, Segment } from './recording';
import { sineOfTurns } from './sine';

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 10;
const KAISER_BETA = 5;
/** Up to this many phases the filter is computed once and kept; beyond, for every output frame. */
const MOST_PHASES = 2048;

/** Frames after resampling `frames` frames from `fromHz` to `toHz`: `ceil(frames * toHz / fromHz)`. */
export function resampledFrames(frames: number, fromHz: number, toHz: number): number {
  // Without the rounding 621 * (62.5 / 62.5) style products may land a bit above a whole number.
  const exact = (frames * toHz) / fromHz;
  const near = Math.round(exact);
  return Math.abs(exact - near) < 1e-9 * Math.max(1, near) ? near : Math.ceil(exact);
}

/**
 * Resamples interleaved samples. Going down, everything above the new Nyquist frequency is filtered out first. At the
 * ends the filter is cut and its weights scaled back to a sum of 1, so that a constant (gravity) stays constant.
 *
 * @param samples `frames * channels` values, frame-major.
 * @returns `resampledFrames(...) * channels` values; frame j lies at the time of input frame `j * fromHz / toHz`.
 */
export function resample(samples: Float32Array, channels: number, fromHz: number, toHz: number): Float32Array {
  for (const rate of [fromHz, toHz])
    if (!(rate > 0 && Number.isFinite(rate))) throw new RangeError(`A rate of ${rate} Hz.`);
  const frames = samples.length / channels;
  if (!Number.isInteger(frames)) throw new RangeError(`${samples.length} values are not whole frames of ${channels}.`);
  if (fromHz === toHz) return samples.slice();
  const outFrames = resampledFrames(frames, fromHz, toHz);
  const out = new Float32Array(outFrames * channels);
  const step = fromHz / toHz;
  const ratio = smallRatio(step, MOST_PHASES);
  const cutoff = Math.min(1, toHz / fromHz);
  const half = Math.ceil(CROSSINGS / cutoff);
  const phases = new Map<number, Float64Array>();
  for (let j = 0; j < outFrames; j++) {
    // Where frame j lies: `base + fraction` input frames.
    let base: number;
    let weights: Float64Array;
    if (ratio) {
      const at = j * ratio.numerator;
      const phase = at % ratio.denominator;
      base = (at - phase) / ratio.denominator;
      let known = phases.get(phase);
      if (!known) phases.set(phase, (known = filter(phase / ratio.denominator, cutoff, half)));
      weights = known;
    } else {
      base = Math.floor(j * step);
      weights = filter(j * step - base, cutoff, half);
    }
    const first = base - half + 1;
    const from = Math.max(0, first);
    const to = Math.min(frames - 1, first + weights.length - 1);
    let sum = 0;
    for (let i = from; i <= to; i++) sum += weights[i - first]!;
    for (let channel = 0; channel < channels; channel++) {
      let value = 0;
      for (let i = from; i <= to; i++) value += weights[i - first]! * samples[i * channels + channel]!;
      out[j * channels + channel] = value / sum;
    }
  }
  return out;
}

/** Weights of input frames `base - half + 1 .. base + half` for an output at `base + fraction`. */
function filter(fraction: number, cutoff: number, half: number): Float64Array {
  const weights = new Float64Array(2 * half);
  for (let i = 0; i < weights.length; i++) {
    const distance = i - (half - 1) - fraction;
    weights[i] = sinc(cutoff * distance) * kaiser((distance * cutoff) / CROSSINGS);
  }
  return weights;
}

function sinc(x: number): number {
  return Math.abs(x) < 1e-9 ? 1 : sineOfTurns(x / 2) / (Math.PI * x);
}

/** Kaiser's window at -1..1, 0 outside; not scaled. */
function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(KAISER_BETA * Math.sqrt(1 - x * x));
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

/** `value` as a fraction with a denominator of at most `most`, when it is one to 12 digits (continued fraction). */
function smallRatio(value: number, most: number): { numerator: number; denominator: number } | null {
  let [before, numerator] = [0, 1];
  let [beforeBelow, denominator] = [1, 0];
  let rest = value;
  for (let depth = 0; depth < 32; depth++) {
    const whole = Math.floor(rest);
    [before, numerator] = [numerator, whole * numerator + before];
    [beforeBelow, denominator] = [denominator, whole * denominator + beforeBelow];
    if (denominator > most) return null;
    if (Math.abs(numerator / denominator - value) <= 1e-12 * value) return { numerator, denominator };
    rest = 1 / (rest - whole);
  }
  return null;
}

/** A recording at another rate: samples, frame count, rates and segments changed, all else kept. */
export function resampleRecording({ recording, samples }: LoadedRecording, toHz: number): LoadedRecording {
  const { rateHz, measuredRateHz, channels, segments, frames } = recording;
  if (rateHz === toHz) return { recording, samples };
  const resampled = resample(samples, channels.length, rateHz, toHz);
  const newFrames = resampledFrames(frames, rateHz, toHz);
  const scale = toHz / rateHz;
  const moved: Segment[] = [];
  for (const { label, start, end } of segments) {
    // Half-open ends keep neighbours neighbours.
    const from = Math.min(newFrames, Math.round(start * scale));
    const to = Math.min(newFrames, Math.round((end + 1) * scale));
    if (to > from) moved.push({ label, start: from, end: to - 1 });
  }
  return {
    recording: {
      ...recording,
      rateHz: toHz,
      measuredRateHz: measuredRateHz === null ? null : measuredRateHz * scale,
      frames: newFrames,
      segments: moved,
    },
    samples: resampled,
  };
}
