/*
 * Block "spectral": decimation, filter, statistics and max-hold power spectrum of every axis.
 * Twin of src/dsp/spectral.ts (algorithm and sources there): change both.
 *
 * ints:   [0] log2 of the FFT length N, 4..12
 *         [1] flags: 1 logarithm, 2 overlapping frames, 4 low-frequency copy, 8 filter is high-pass
 *         [2] Butterworth sections, 0..4
 *         [3] first and [4] last bin that is a feature, 0..N/2
 *         [5] first and [6] last bin of the low-frequency copy (0 without it)
 *         [7] decimation: 1, 3, 10, 30, 100 or 1000
 * floats: [0] scale
 *         then N/4 + 1: sin(2 pi k / N)
 *         then 4 per Butterworth section: a1, a2, a3, k
 *         then, if 3 divides the decimation, 13 for the filter before keeping every 3rd sample: gain, 4 x (a1, a2, a3)
 *         then, if 10 divides it or with the low-frequency copy, 13 for every 10th sample
 * Scratch: N for the FFT, N/2 + 1 for the spectrum, ceil(frames / first decimation stage) for the signal, in this order.
 * Features: per axis RMS, skewness, kurtosis, spectral skewness, spectral kurtosis, bins; then the low-frequency
 *         copies, axis by axis.
 */
#ifndef MOTE_SPECTRAL_H
#define MOTE_SPECTRAL_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"
#include "mote_math.h"

#define MOTE_SPECTRAL_LOG 1
#define MOTE_SPECTRAL_OVERLAP 2
#define MOTE_SPECTRAL_LOW_FREQUENCY 4
#define MOTE_SPECTRAL_HIGH_PASS 8
#define MOTE_SPECTRAL_DECIMATOR 13

/* Samples left when every `ratio`-th one is kept, starting with the first. */
MOTE_FN int32_t mote_spectral_kept(int32_t count, int32_t ratio) { return (count - 1) / ratio + 1; }

/* Ratio of the first decimation stage: 30 is 3 then 10; 100 and 1000 are tens. */
MOTE_FN int32_t mote_spectral_first_ratio(int32_t decimation) {
  return decimation == 1 ? 1 : decimation % 10 == 0 && decimation != 30 ? 10 : 3;
}

/* Samples left after all decimation stages. */
MOTE_FN int32_t mote_spectral_decimated(int32_t frames, int32_t decimation) {
  int32_t count = frames;
  while (decimation > 1) {
    const int32_t ratio = mote_spectral_first_ratio(decimation);
    count = mote_spectral_kept(count, ratio);
    decimation /= ratio;
  }
  return count;
}

/* Number of features, or negative when the parameters are not those of a spectral block. */
MOTE_FN int32_t mote_spectral_check(int32_t frames, int32_t channels, const uint8_t *axes, int32_t axis_count,
                                    const int32_t *ints, int32_t int_count, const float *floats, int32_t float_count,
                                    int32_t *scratch_floats) {
  int32_t length, bins, decimation, need, low_frequency, features;
  if (int_count != 8) return -1;
  if (!mote_input_is_sane(frames, channels, axes, axis_count, floats, float_count)) return -1;
  if (MOTE_FLASH_I32(ints + 0) < 4 || MOTE_FLASH_I32(ints + 0) > 12 || MOTE_FLASH_I32(ints + 1) < 0 || MOTE_FLASH_I32(ints + 1) > 15 || MOTE_FLASH_I32(ints + 2) < 0 || MOTE_FLASH_I32(ints + 2) > 4) return -1;
  length = (int32_t)1 << MOTE_FLASH_I32(ints + 0);
  bins = length / 2;
  low_frequency = (MOTE_FLASH_I32(ints + 1) & MOTE_SPECTRAL_LOW_FREQUENCY) != 0;
  decimation = MOTE_FLASH_I32(ints + 7);
  if (decimation != 1 && decimation != 3 && decimation != 10 && decimation != 30 && decimation != 100 &&
      decimation != 1000) {
    return -1;
  }
  if (MOTE_FLASH_I32(ints + 3) < 0 || MOTE_FLASH_I32(ints + 3) > MOTE_FLASH_I32(ints + 4) || MOTE_FLASH_I32(ints + 4) > bins) return -1;
  need = 1 + length / 4 + 1 + 4 * MOTE_FLASH_I32(ints + 2);
  if (decimation % 3 == 0) need += MOTE_SPECTRAL_DECIMATOR;
  if (decimation % 10 == 0 || low_frequency) need += MOTE_SPECTRAL_DECIMATOR;
  if (float_count != need) return -1;
  features = 5 + MOTE_FLASH_I32(ints + 4) - MOTE_FLASH_I32(ints + 3) + 1;
  if (low_frequency) {
    if (MOTE_FLASH_I32(ints + 5) < 0 || MOTE_FLASH_I32(ints + 5) > MOTE_FLASH_I32(ints + 6) || MOTE_FLASH_I32(ints + 6) > bins) return -1;
    if (mote_spectral_kept(mote_spectral_decimated(frames, decimation), 10) < bins) return -1;
    features += 5 + MOTE_FLASH_I32(ints + 6) - MOTE_FLASH_I32(ints + 5) + 1;
  } else if (MOTE_FLASH_I32(ints + 5) != 0 || MOTE_FLASH_I32(ints + 6) != 0) {
    return -1;
  }
  *scratch_floats = mote_spectral_kept(frames, mote_spectral_first_ratio(decimation)) + length + bins + 1;
  return features * axis_count;
}

/*
 * Low-pass filter, then keep every `ratio`-th sample. The filter starts in the steady state of the first sample: that
 * is the filter of the differences from it, started at rest, plus its steady output. `out` may be `in` (step 1).
 */
MOTE_FN mote_index mote_spectral_decimate(const float *in, mote_index step, float scale, mote_index count,
                                          mote_index ratio, const float *filter, float *out) {
  const float gain = MOTE_FLASH_F32(filter);
  const float first = in[0] * scale;
  const float steady = first * gain;
  float state[8] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
  mote_index i, section, kept = 0, until = 0;
  for (i = 0; i < count; i++) {
    float x = (in[i * step] * scale - first) * gain;
    for (section = 0; section < 4; section++) {
      const float *a = filter + 1 + 3 * section;
      float *s = state + 2 * section;
      const float v3 = x - s[1];
      const float v1 = MOTE_FLASH_F32(a + 0) * s[0] + MOTE_FLASH_F32(a + 1) * v3;
      const float v2 = (s[1] + MOTE_FLASH_F32(a + 1) * s[0]) + MOTE_FLASH_F32(a + 2) * v3;
      s[0] = 2.0f * v1 - s[0];
      s[1] = 2.0f * v2 - s[1];
      x = v2;
    }
    if (until == 0) {
      out[kept++] = x + steady;
      until = ratio;
    }
    until--;
  }
  return kept;
}

/* One second-order section in place, started at rest. */
MOTE_FN void mote_spectral_section(float *x, mote_index count, const float *a, int high_pass) {
  float s1 = 0.0f, s2 = 0.0f;
  mote_index i;
  for (i = 0; i < count; i++) {
    const float v3 = x[i] - s2;
    const float v1 = MOTE_FLASH_F32(a + 0) * s1 + MOTE_FLASH_F32(a + 1) * v3;
    const float v2 = (s2 + MOTE_FLASH_F32(a + 1) * s1) + MOTE_FLASH_F32(a + 2) * v3;
    s1 = 2.0f * v1 - s1;
    s2 = 2.0f * v2 - s2;
    x[i] = high_pass ? (x[i] - MOTE_FLASH_F32(a + 3) * v1) - v2 : v2;
  }
}

MOTE_FN float mote_spectral_at(const float *x, mote_index index, mote_index count) {
  return index < count ? x[index] : 0.0f;
}

/*
 * Four times the power of one frame of N real samples (zero beyond `count`), maximum with what `hold` has.
 * A complex FFT of N/2 points: the first two radix-2 stages are done while loading, without products.
 */
MOTE_FN void mote_spectral_hold(const float *x, mote_index count, mote_index length, const float *sine, float *z,
                                float *hold) {
  const mote_index points = length / 2, quarter = points / 4, peak = length / 4;
  mote_index i, j, k, half, reversed = 0;
  float power;

  for (k = 0; k < quarter; k++) {
    float *p = z + 8 * reversed;
    const float ar = mote_spectral_at(x, 2 * k, count), ai = mote_spectral_at(x, 2 * k + 1, count);
    const float br = mote_spectral_at(x, 2 * (k + quarter), count);
    const float bi = mote_spectral_at(x, 2 * (k + quarter) + 1, count);
    const float cr = mote_spectral_at(x, 2 * (k + 2 * quarter), count);
    const float ci = mote_spectral_at(x, 2 * (k + 2 * quarter) + 1, count);
    const float dr = mote_spectral_at(x, 2 * (k + 3 * quarter), count);
    const float di = mote_spectral_at(x, 2 * (k + 3 * quarter) + 1, count);
    const float er = ar + cr, ei = ai + ci, fr = ar - cr, fi = ai - ci;
    const float gr = br + dr, gi = bi + di, hr = br - dr, hi = bi - di;
    p[0] = er + gr;
    p[1] = ei + gi;
    p[2] = fr + hi;
    p[3] = fi - hr;
    p[4] = er - gr;
    p[5] = ei - gi;
    p[6] = fr - hi;
    p[7] = fi + hr;
    for (j = quarter / 2; j > 0 && (reversed & j) != 0; j /= 2) reversed -= j;
    reversed += j;
  }

  for (half = 4; half < points; half *= 2) {
    for (i = 0; i < points; i += 2 * half) {
      float *a = z + 2 * i, *b = a + 2 * half;
      const float br = b[0], bi = b[1];
      b[0] = a[0] - br;
      b[1] = a[1] - bi;
      a[0] = a[0] + br;
      a[1] = a[1] + bi;
    }
    for (j = 1; j < half; j++) {
      const mote_index turn = (mote_index)(j * (points / half));
      const float c = turn <= peak ? MOTE_FLASH_F32(sine + (peak - turn)) : -MOTE_FLASH_F32(sine + (turn - peak));
      const float s = turn <= peak ? MOTE_FLASH_F32(sine + turn) : MOTE_FLASH_F32(sine + (points - turn));
      for (i = j; i < points; i += 2 * half) {
        float *a = z + 2 * i, *b = a + 2 * half;
        const float br = c * b[0] + s * b[1];
        const float bi = c * b[1] - s * b[0];
        b[0] = a[0] - br;
        b[1] = a[1] - bi;
        a[0] = a[0] + br;
        a[1] = a[1] + bi;
      }
    }
  }

  /* Split the spectrum of the packed signal into that of the real one; sums are twice what they should be. */
  power = 2.0f * (z[0] + z[1]);
  power = power * power;
  if (power > hold[0]) hold[0] = power;
  power = 2.0f * (z[0] - z[1]);
  power = power * power;
  if (power > hold[points]) hold[points] = power;
  for (k = 1; k < points / 2; k++) {
    const float *a = z + 2 * k, *b = z + 2 * (points - k);
    const float er = a[0] + b[0], ei = a[1] - b[1], qr = a[1] + b[1], qi = b[0] - a[0];
    const float c = MOTE_FLASH_F32(sine + (peak - k)), s = MOTE_FLASH_F32(sine + k);
    const float tr = c * qr + s * qi, ti = c * qi - s * qr;
    const float pr = er + tr, pi = ei + ti, mr = er - tr, mi = ei - ti;
    power = pr * pr + pi * pi;
    if (power > hold[k]) hold[k] = power;
    power = mr * mr + mi * mi;
    if (power > hold[points - k]) hold[points - k] = power;
  }
  power = 4.0f * (z[points] * z[points] + z[points + 1] * z[points + 1]);
  if (power > hold[points / 2]) hold[points / 2] = power;
}

/* Removes the mean of `signal` in place and writes its 5 + bins features. */
MOTE_FN void mote_spectral_features(float *signal, mote_index count, const int32_t *ints, const float *sine,
                                    mote_index first_bin, mote_index last_bin, float *scratch, float *features) {
  const mote_index length = (mote_index)((mote_index)1 << MOTE_FLASH_I32(ints + 0)), bins = length / 2;
  const mote_index step = (MOTE_FLASH_I32(ints + 1) & MOTE_SPECTRAL_OVERLAP) != 0 ? bins : length;
  const float to_power = 0.25f / (float)length;
  float *hold = scratch + length;
  mote_statistics s = mote_describe(signal, 1, count, 1.0f);
  mote_index i;
  features[0] = mote_finite(s.stdev);
  features[1] = mote_finite(s.skewness);
  features[2] = mote_finite(s.kurtosis);
  for (i = 0; i < count; i++) signal[i] = (signal[i] - s.mean) - s.residual;
  for (i = 0; i <= bins; i++) hold[i] = 0.0f;
  for (i = 0; i < count; i += step) mote_spectral_hold(signal + i, (mote_index)(count - i), length, sine, scratch, hold);
  for (i = 0; i <= bins; i++) hold[i] = hold[i] * to_power;
  s = mote_describe(hold, 1, (mote_index)(bins + 1), 1.0f);
  features[3] = mote_finite(s.skewness);
  features[4] = mote_finite(s.kurtosis);
  for (i = first_bin; i <= last_bin; i++) {
    features[5 + i - first_bin] = mote_finite((MOTE_FLASH_I32(ints + 1) & MOTE_SPECTRAL_LOG) != 0 ? mote_log10(hold[i]) : hold[i]);
  }
}

MOTE_FN void mote_spectral(const float *window, int32_t frames, int32_t channels, const uint8_t *axes,
                           int32_t axis_count, const int32_t *ints, const float *floats, float *scratch,
                           float *features) {
  const int32_t length = (int32_t)1 << MOTE_FLASH_I32(ints + 0);
  const int32_t per_axis = 5 + MOTE_FLASH_I32(ints + 4) - MOTE_FLASH_I32(ints + 3) + 1, per_copy = 5 + MOTE_FLASH_I32(ints + 6) - MOTE_FLASH_I32(ints + 5) + 1;
  const float *sine = floats + 1;
  const float *sections = sine + length / 4 + 1;
  const float *every3rd = sections + 4 * MOTE_FLASH_I32(ints + 2);
  const float *every10th = every3rd + (MOTE_FLASH_I32(ints + 7) % 3 == 0 ? MOTE_SPECTRAL_DECIMATOR : 0);
  float *signal = scratch + length + length / 2 + 1;
  float *copies = features + per_axis * axis_count;
  mote_index axis, i;
  for (axis = 0; axis < axis_count; axis++) {
    const float *in = window + MOTE_FLASH_U8(axes + axis);
    int32_t decimation = MOTE_FLASH_I32(ints + 7);
    mote_index count = (mote_index)frames, step = (mote_index)channels;
    float scale = MOTE_FLASH_F32(floats);
    if (decimation == 1) {
      for (i = 0; i < count; i++) signal[i] = in[i * step] * scale;
    }
    while (decimation > 1) {
      const mote_index ratio = (mote_index)mote_spectral_first_ratio(decimation);
      count = mote_spectral_decimate(in, step, scale, count, ratio, ratio == 3 ? every3rd : every10th, signal);
      decimation /= ratio;
      in = signal;
      step = 1;
      scale = 1.0f;
    }
    for (i = 0; i < MOTE_FLASH_I32(ints + 2); i++) {
      mote_spectral_section(signal, count, sections + 4 * i, (MOTE_FLASH_I32(ints + 1) & MOTE_SPECTRAL_HIGH_PASS) != 0);
    }
    mote_spectral_features(signal, count, ints, sine, (mote_index)MOTE_FLASH_I32(ints + 3),
                           (mote_index)MOTE_FLASH_I32(ints + 4), scratch, features + axis * per_axis);
    if ((MOTE_FLASH_I32(ints + 1) & MOTE_SPECTRAL_LOW_FREQUENCY) != 0) {
      count = mote_spectral_decimate(signal, 1, 1.0f, count, 10, every10th, signal);
      mote_spectral_features(signal, count, ints, sine, (mote_index)MOTE_FLASH_I32(ints + 5),
                             (mote_index)MOTE_FLASH_I32(ints + 6), scratch, copies + axis * per_copy);
    }
  }
}

#endif
