/**
 * Second-order sections as state-variable filters: the same transfer functions as Butterworth and Chebyshev designs
 * through the bilinear transform, but exact enough in float32 at cut-offs far below the sampling rate, where direct
 * forms lose their poles. Source of the structure: A. Simper, "Linear trapezoidal integrated state variable filter"
 * (trapezoidal = bilinear). With g = tan(pi fc / fs) and damping k = 1/Q:
 *
 *   a1 = 1 / (1 + g (g + k)), a2 = g a1, a3 = g a2;
 *   v3 = x - s2; v1 = a1 s1 + a2 v3; v2 = s2 + a2 s1 + a3 v3; s1 = 2 v1 - s1; s2 = 2 v2 - s2;
 *   low-pass = v2 (unity gain at 0), high-pass = x - k v1 - v2.
 *
 * Twin of `mote_spectral_section` and `mote_spectral_decimate` in firmware/mote/src/mote_spectral.h: change both.
 */
import { DspError } from './block';

const fround = Math.fround;

/** Floats of one Butterworth section: a1, a2, a3, k. */
export const SECTION_FLOATS = 4;
/** Floats of one decimation filter: gain, then 4 sections of a1, a2, a3. */
export const DECIMATOR_FLOATS = 13;

/** Poles and gain of a low-pass prototype: pairs of warped frequency g and damping k. */
interface Section {
  readonly g: number;
  readonly k: number;
}

function coefficients({ g, k }: Section): readonly [number, number, number] {
  const a1 = 1 / (1 + g * (g + k));
  return [a1, g * a1, g * g * a1];
}

/** Cut-offs below this share of the sampling rate settle so slowly that no window would ever see the filter at rest. */
const LOWEST_CUTOFF = 1e-5;
/** Cut-offs above this share of the sampling rate are a pass-through with a diverging coefficient. */
const HIGHEST_CUTOFF = 0.4999;

/**
 * Butterworth filter of even order 2..8 as `order / 2` sections of `SECTION_FLOATS` floats.
 * @throws DspError `filter-unstable` when the cut-off is too close to 0 or to half the rate.
 */
export function butterworth(order: number, cutoffHz: number, rateHz: number): number[] {
  const share = cutoffHz / rateHz;
  if (!(share >= LOWEST_CUTOFF && share <= HIGHEST_CUTOFF)) {
    throw new DspError(
      'filter-unstable',
      `The filter would not be stable: ${cutoffHz} Hz is too close to 0 or to half the sampling rate ` +
        `(${rateHz / 2} Hz). Move the cut-off away from them.`,
    );
  }
  const g = Math.tan(Math.PI * share);
  const floats: number[] = [];
  for (let i = 0; i < order / 2; i++) {
    const k = 2 * Math.sin((Math.PI * (2 * i + 1)) / (2 * order));
    floats.push(...coefficients({ g, k }), k);
  }
  return floats;
}

const DECIMATOR_ORDER = 8;
const DECIMATOR_RIPPLE_DB = 0.05;
const DECIMATOR_CUTOFF = 0.8;

/** Sections of the Chebyshev type I low-pass before decimation by `ratio`, poles of lowest Q first. */
export function chebyshevSections(ratio: number): { readonly gain: number; readonly sections: readonly Section[] } {
  const epsilon = Math.sqrt(10 ** (DECIMATOR_RIPPLE_DB / 10) - 1);
  const mu = Math.asinh(1 / epsilon) / DECIMATOR_ORDER;
  const warped = Math.tan((Math.PI * DECIMATOR_CUTOFF) / ratio / 2);
  const sections: Section[] = [];
  for (let i = DECIMATOR_ORDER / 2 - 1; i >= 0; i--) {
    const theta = (Math.PI * (2 * i + 1)) / (2 * DECIMATOR_ORDER);
    const real = Math.sinh(mu) * Math.sin(theta);
    const imaginary = Math.cosh(mu) * Math.cos(theta);
    const radius = Math.hypot(real, imaginary);
    sections.push({ g: warped * radius, k: (2 * real) / radius });
  }
  return { gain: 10 ** (-DECIMATOR_RIPPLE_DB / 20), sections };
}

/**
 * The filter before keeping every `ratio`-th sample: Chebyshev type I, order 8, ripple 0.05 dB, cut-off 0.8 / ratio of
 * half the sampling rate (the design that SciPy's `decimate` and Edge Impulse use). `DECIMATOR_FLOATS` floats.
 */
export function decimator(ratio: 3 | 10): number[] {
  const { gain, sections } = chebyshevSections(ratio);
  return [gain, ...sections.flatMap((section) => coefficients(section))];
}

/** Filters `x[0..count)` in place through one section that starts at rest; `at` is where its floats start. */
export function filterSection(
  x: Float32Array,
  offset: number,
  count: number,
  floats: Float32Array,
  at: number,
  highPass: boolean,
): void {
  const a1 = floats[at]!;
  const a2 = floats[at + 1]!;
  const a3 = floats[at + 2]!;
  const k = floats[at + 3]!;
  let s1 = fround(0);
  let s2 = fround(0);
  for (let i = offset; i < offset + count; i++) {
    const input = x[i]!;
    const v3 = fround(input - s2);
    const v1 = fround(fround(a1 * s1) + fround(a2 * v3));
    const v2 = fround(fround(s2 + fround(a2 * s1)) + fround(a3 * v3));
    s1 = fround(fround(2 * v1) - s1);
    s2 = fround(fround(2 * v2) - s2);
    x[i] = highPass ? fround(fround(input - fround(k * v1)) - v2) : v2;
  }
}

const decimatorState = new Float32Array(8);

/**
 * Low-pass filter of x[start], x[start + step], ..., each times `scale`, then keep every `ratio`-th sample.
 *
 * The filter starts in the steady state of the first sample: that is the filter of the differences from it, started
 * at rest, plus its steady output. `out` may be `x` when `step` is 1 and `outStart <= start`.
 * @returns the number of samples kept, ceil(count / ratio).
 */
export function decimate(
  x: Float32Array,
  start: number,
  step: number,
  scale: number,
  count: number,
  ratio: number,
  floats: Float32Array,
  at: number,
  out: Float32Array,
  outStart: number,
): number {
  const gain = floats[at]!;
  const first = fround(x[start]! * scale);
  const steady = fround(first * gain);
  const state = decimatorState.fill(0);
  let kept = 0;
  let until = 0;
  for (let i = 0; i < count; i++) {
    let value = fround(fround(fround(x[start + i * step]! * scale) - first) * gain);
    for (let section = 0; section < 4; section++) {
      const a = at + 1 + 3 * section;
      const a2 = floats[a + 1]!;
      const s1 = state[2 * section]!;
      const s2 = state[2 * section + 1]!;
      const v3 = fround(value - s2);
      const v1 = fround(fround(floats[a]! * s1) + fround(a2 * v3));
      const v2 = fround(fround(s2 + fround(a2 * s1)) + fround(floats[a + 2]! * v3));
      state[2 * section] = fround(fround(2 * v1) - s1);
      state[2 * section + 1] = fround(fround(2 * v2) - s2);
      value = v2;
    }
    if (until === 0) {
      out[outStart + kept++] = fround(value + steady);
      until = ratio;
    }
    until--;
  }
  return kept;
}
