/*
 * gestures: a classifier of 1000 ms of accX, accY, accZ, gyrX, gyrY, gyrZ at 100 Hz.
 * Labels: circle, idle, shake, updown, wave.
 *
 * Use: #include "model.h" in one source file; give every sample to gestures_push(); run gestures_selftest() once.
 *
 * Accuracy on held-out recordings: int8 100.0 %, float 100.0 %.
 * Trained on 2697 windows of 93 recordings; tested on 783 windows of 27 other recordings.
 * RAM: 3412 bytes. Flash: 9864 bytes of constants, and the code. Pack: 19876 bytes.
 * Self-test: 64 windows, 6 of them recorded.
 *
 * Made with: Mote 0.1.0. Seed: 1.
 * Model: 77f8f041. Dataset: 450a56ab7c751d8ad358a6b445c7345f34497a23c611cc1ef23ee7eb6475ce8b.
 * Pipeline: {"blocks":[{"channels":[0,1,2,3,4,5],"kind":"spectral","params":{"cutoffHz":3,"decimation":1,"fftLength"
 * :16,"filter":"none","improveLowFrequency":false,"log":true,"order":6,"overlap":true,"scale":1},"version":4},{"chan
 * nels":[0,1,2,3,4,5],"kind":"flatten","params":{"average":true,"kurtosis":true,"maximum":true,"minimum":true,"rms":
 * true,"scale":1,"skewness":true,"stdev":true},"version":1}],"input":{"channels":[{"name":"accX","unit":""},{"name":
 * "accY","unit":""},{"name":"accZ","unit":""},{"name":"gyrX","unit":""},{"name":"gyrY","unit":""},{"name":"gyrZ","un
 * it":""}],"rateHz":100,"strideMs":250,"windowMs":1000},"network":{"layers":[{"activation":"relu","kind":"dense","un
 * its":64},{"kind":"dropout","rate":0.5}]},"smoothing":{"threshold":0.6,"windows":3},"training":{"balanceClasses":tr
 * ue,"batchSize":32,"epochs":200,"learningRate":0.003,"patience":40,"validationShare":0.2},"version":1}
 *
 * Licence: yours. This file is your own work; use it in any way you like, with no conditions.
 */
#ifndef GESTURES_MODEL_H
#define GESTURES_MODEL_H

#include <stdint.h>

/* ---- Runtime: what this model needs of the Mote runtime, the same code that boards run ---- */

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ == 1)
#error "This model needs exact float arithmetic: compile without -ffast-math and its relatives."
#endif

#if defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)
#error "This model needs float arithmetic without excess precision: on 32-bit x86 use -msse2 -mfpmath=sse."
#endif

/*
 * A fused multiply-add rounds once where this code rounds twice, so contraction must be off from here to the end of
 * the translation unit. The setting is not restored afterwards: GCC would inline these functions into a caller with
 * the caller's setting.
 */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#else
#pragma STDC FP_CONTRACT OFF
#endif

/* Declares a function of a fragment: private to the translation unit, and no warning when a model does not need it. */
#if defined(__GNUC__) || defined(__clang__)
#define GESTURES_FN static inline __attribute__((unused))
#else
#define GESTURES_FN static inline
#endif

/* Samples added up before the partial sum joins the total: keeps rounding errors small in long windows. */
#define GESTURES_SUM_BLOCK 64

GESTURES_FN uint32_t gestures_float_bits(float x) {
  union {
    float value;
    uint32_t bits;
  } both;
  both.value = x;
  return both.bits;
}

GESTURES_FN float gestures_bits_float(uint32_t bits) {
  union {
    float value;
    uint32_t bits;
  } both;
  both.bits = bits;
  return both.value;
}

/* x, or 0 for NaN, or the largest finite value of the same sign for an infinity. */
GESTURES_FN float gestures_finite(float x) {
  const float largest = 3.40282347e38f;
  if (x != x) return 0.0f;
  if (x > largest) return largest;
  if (x < -largest) return -largest;
  return x;
}

/* Correctly rounded square root; 0 for zero, negative numbers and NaN. Digit by digit: 25 bits, the last one rounds. */
GESTURES_FN float gestures_sqrt(float x) {
  uint32_t bits, mantissa, root = 0, remainder = 0;
  int32_t exponent = 0, i;
  if (!(x > 0.0f)) return 0.0f;
  bits = gestures_float_bits(x);
  if (bits >= 0x7f800000u) return x;
  if (bits < 0x00800000u) {
    bits = gestures_float_bits(x * 16777216.0f);
    exponent = -24;
  }
  exponent += (int32_t)(bits >> 23) - 127;
  mantissa = (bits & 0x007fffffu) | 0x00800000u;
  if (exponent % 2 != 0) {
    mantissa <<= 1;
    exponent -= 1;
  }
  mantissa <<= 1;
  for (i = 24; i >= -24; i -= 2) {
    uint32_t trial = (root << 2) | 1u;
    remainder = (remainder << 2) | (i >= 0 ? (mantissa >> i) & 3u : 0u);
    root <<= 1;
    if (remainder >= trial) {
      remainder -= trial;
      root |= 1u;
    }
  }
  return gestures_bits_float(((uint32_t)(exponent / 2 + 127) << 23) + ((root + 1u) >> 1) - 0x00800000u);
}

/*
 * Logarithm to base 10 within 2 ulp; zero, negative numbers and NaN give -10, the logarithm of the 1e-10 that stands
 * for an empty bin; infinity gives log10(2^128). With m in [sqrt(1/2), sqrt(2)) and s = (m - 1) / (m + 1):
 * log10(m) = 2/ln(10) * (s + s^3/3 + s^5/5 + s^7/7 + s^9/9).
 */
GESTURES_FN float gestures_log10(float x) {
  uint32_t bits;
  int32_t exponent = 0;
  float m, s, z, p, e;
  if (!(x > 0.0f)) return -10.0f;
  bits = gestures_float_bits(x);
  if (bits < 0x00800000u) {
    bits = gestures_float_bits(x * 8388608.0f);
    exponent = -23;
  }
  exponent += (int32_t)(bits >> 23) - 127;
  m = gestures_bits_float((bits & 0x007fffffu) | 0x3f800000u);
  if (m > 1.41421354f) {
    m = m * 0.5f;
    exponent += 1;
  }
  s = (m - 1.0f) / (m + 1.0f);
  z = s * s;
  p = 0.0965098813f;
  p = p * z + 0.124084137f;
  p = p * z + 0.173717797f;
  p = p * z + 0.289529651f;
  p = p * z + 0.868588984f;
  e = (float)exponent;
  /* log10(2) in two parts: the first has 7 bits, so its product with the exponent is exact. */
  return e * 0.30078125f + (e * 0.000248745666f + s * p);
}

typedef struct {
  float minimum, maximum;
  /* The mean is `mean + residual`: subtract them one after the other. */
  float mean, residual;
  float rms, stdev;
  /* Biased; excess kurtosis. A constant has skewness 0 and kurtosis -3. */
  float skewness, kurtosis;
} gestures_statistics;

/* Exponent field of the power of two that brings |largest| near 1; within 1..253, so that its inverse is normal too. */
GESTURES_FN uint32_t gestures_exponent_field(float largest) {
  uint32_t field = (gestures_float_bits(largest) >> 23) & 255u;
  return field < 1u ? 1u : field > 253u ? 253u : field;
}

/* Statistics of x[0], x[step], ... (`count` values, at least 1), each multiplied by `scale`. */
GESTURES_FN gestures_statistics gestures_describe(const float *x, int32_t step, int32_t count, float scale) {
  gestures_statistics result;
  const float n = (float)count;
  const float first = x[0] * scale;
  float low = first, high = first, largest, shrink, sum = 0.0f, squares = 0.0f;
  float sum2 = 0.0f, sum3 = 0.0f, sum4 = 0.0f, m2, m3, m4, below, above;
  uint32_t field;
  int32_t i, end;

  for (i = 0; i < count;) {
    float part = 0.0f;
    end = count - i > GESTURES_SUM_BLOCK ? i + GESTURES_SUM_BLOCK : count;
    for (; i < end; i++) {
      const float value = x[i * step] * scale;
      if (value < low) low = value;
      if (value > high) high = value;
      part = part + (value - first);
    }
    sum = sum + part;
  }
  result.minimum = low;
  result.maximum = high;
  result.mean = first + sum / n;

  largest = -low > high ? -low : high;
  field = gestures_exponent_field(largest);
  shrink = gestures_bits_float((254u - field) << 23);
  sum = 0.0f;
  for (i = 0; i < count;) {
    float part = 0.0f, part2 = 0.0f;
    end = count - i > GESTURES_SUM_BLOCK ? i + GESTURES_SUM_BLOCK : count;
    for (; i < end; i++) {
      const float value = x[i * step] * scale;
      const float z = value * shrink;
      part = part + (value - result.mean);
      part2 = part2 + z * z;
    }
    sum = sum + part;
    squares = squares + part2;
  }
  result.residual = sum / n;
  result.rms = gestures_sqrt(squares / n) * gestures_bits_float(field << 23);

  below = -((low - result.mean) - result.residual);
  above = (high - result.mean) - result.residual;
  field = gestures_exponent_field(below > above ? below : above);
  shrink = gestures_bits_float((254u - field) << 23);
  for (i = 0; i < count;) {
    float part2 = 0.0f, part3 = 0.0f, part4 = 0.0f;
    end = count - i > GESTURES_SUM_BLOCK ? i + GESTURES_SUM_BLOCK : count;
    for (; i < end; i++) {
      const float z = ((x[i * step] * scale - result.mean) - result.residual) * shrink;
      const float square = z * z;
      part2 = part2 + square;
      part3 = part3 + square * z;
      part4 = part4 + square * square;
    }
    sum2 = sum2 + part2;
    sum3 = sum3 + part3;
    sum4 = sum4 + part4;
  }
  m2 = sum2 / n;
  m3 = sum3 / n;
  m4 = sum4 / n;
  if (m2 > 0.0f) {
    const float root = gestures_sqrt(m2);
    result.stdev = root * gestures_bits_float(field << 23);
    result.skewness = m3 / (m2 * root);
    result.kurtosis = m4 / (m2 * m2) - 3.0f;
  } else {
    result.stdev = 0.0f;
    result.skewness = 0.0f;
    result.kurtosis = -3.0f;
  }
  return result;
}

GESTURES_FN void gestures_flatten(const float *window, int32_t frames, int32_t channels, const uint8_t *axes,
                          int32_t axis_count, const int32_t *ints, const float *floats, float *scratch,
                          float *features) {
  int32_t axis;
  (void)scratch;
  for (axis = 0; axis < axis_count; axis++) {
    const gestures_statistics s = gestures_describe(window + axes[axis], channels, frames, floats[0]);
    if (ints[0] & 1) *features++ = gestures_finite(s.mean + s.residual);
    if (ints[0] & 2) *features++ = gestures_finite(s.minimum);
    if (ints[0] & 4) *features++ = gestures_finite(s.maximum);
    if (ints[0] & 8) *features++ = gestures_finite(s.rms);
    if (ints[0] & 16) *features++ = gestures_finite(s.stdev);
    if (ints[0] & 32) *features++ = gestures_finite(s.skewness);
    if (ints[0] & 64) *features++ = gestures_finite(s.kurtosis);
  }
}

#define GESTURES_SPECTRAL_LOG 1
#define GESTURES_SPECTRAL_OVERLAP 2
#define GESTURES_SPECTRAL_LOW_FREQUENCY 4
#define GESTURES_SPECTRAL_HIGH_PASS 8
#define GESTURES_SPECTRAL_DECIMATOR 13

/* Ratio of the first decimation stage: 30 is 3 then 10; 100 and 1000 are tens. */
GESTURES_FN int32_t gestures_spectral_first_ratio(int32_t decimation) {
  return decimation == 1 ? 1 : decimation % 10 == 0 && decimation != 30 ? 10 : 3;
}

/*
 * Low-pass filter, then keep every `ratio`-th sample. The filter starts in the steady state of the first sample: that
 * is the filter of the differences from it, started at rest, plus its steady output. `out` may be `in` (step 1).
 */
GESTURES_FN int32_t gestures_spectral_decimate(const float *in, int32_t step, float scale, int32_t count, int32_t ratio,
                                       const float *filter, float *out) {
  const float gain = filter[0];
  const float first = in[0] * scale;
  const float steady = first * gain;
  float state[8] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
  int32_t i, section, kept = 0, until = 0;
  for (i = 0; i < count; i++) {
    float x = (in[i * step] * scale - first) * gain;
    for (section = 0; section < 4; section++) {
      const float *a = filter + 1 + 3 * section;
      float *s = state + 2 * section;
      const float v3 = x - s[1];
      const float v1 = a[0] * s[0] + a[1] * v3;
      const float v2 = (s[1] + a[1] * s[0]) + a[2] * v3;
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
GESTURES_FN void gestures_spectral_section(float *x, int32_t count, const float *a, int high_pass) {
  float s1 = 0.0f, s2 = 0.0f;
  int32_t i;
  for (i = 0; i < count; i++) {
    const float v3 = x[i] - s2;
    const float v1 = a[0] * s1 + a[1] * v3;
    const float v2 = (s2 + a[1] * s1) + a[2] * v3;
    s1 = 2.0f * v1 - s1;
    s2 = 2.0f * v2 - s2;
    x[i] = high_pass ? (x[i] - a[3] * v1) - v2 : v2;
  }
}

GESTURES_FN float gestures_spectral_at(const float *x, int32_t index, int32_t count) {
  return index < count ? x[index] : 0.0f;
}

/*
 * Four times the power of one frame of N real samples (zero beyond `count`), maximum with what `hold` has.
 * A complex FFT of N/2 points: the first two radix-2 stages are done while loading, without products.
 */
GESTURES_FN void gestures_spectral_hold(const float *x, int32_t count, int32_t length, const float *sine, float *z,
                                float *hold) {
  const int32_t points = length / 2, quarter = points / 4, peak = length / 4;
  int32_t i, j, k, half, reversed = 0;
  float power;

  for (k = 0; k < quarter; k++) {
    float *p = z + 8 * reversed;
    const float ar = gestures_spectral_at(x, 2 * k, count), ai = gestures_spectral_at(x, 2 * k + 1, count);
    const float br = gestures_spectral_at(x, 2 * (k + quarter), count);
    const float bi = gestures_spectral_at(x, 2 * (k + quarter) + 1, count);
    const float cr = gestures_spectral_at(x, 2 * (k + 2 * quarter), count);
    const float ci = gestures_spectral_at(x, 2 * (k + 2 * quarter) + 1, count);
    const float dr = gestures_spectral_at(x, 2 * (k + 3 * quarter), count);
    const float di = gestures_spectral_at(x, 2 * (k + 3 * quarter) + 1, count);
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
      const int32_t turn = j * (points / half);
      const float c = turn <= peak ? sine[peak - turn] : -sine[turn - peak];
      const float s = turn <= peak ? sine[turn] : sine[points - turn];
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
    const float c = sine[peak - k], s = sine[k];
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
GESTURES_FN void gestures_spectral_features(float *signal, int32_t count, const int32_t *ints, const float *sine,
                                    int32_t first_bin, int32_t last_bin, float *scratch, float *features) {
  const int32_t length = (int32_t)1 << ints[0], bins = length / 2;
  const int32_t step = (ints[1] & GESTURES_SPECTRAL_OVERLAP) != 0 ? bins : length;
  const float to_power = 0.25f / (float)length;
  float *hold = scratch + length;
  gestures_statistics s = gestures_describe(signal, 1, count, 1.0f);
  int32_t i;
  features[0] = gestures_finite(s.stdev);
  features[1] = gestures_finite(s.skewness);
  features[2] = gestures_finite(s.kurtosis);
  for (i = 0; i < count; i++) signal[i] = (signal[i] - s.mean) - s.residual;
  for (i = 0; i <= bins; i++) hold[i] = 0.0f;
  for (i = 0; i < count; i += step) gestures_spectral_hold(signal + i, count - i, length, sine, scratch, hold);
  for (i = 0; i <= bins; i++) hold[i] = hold[i] * to_power;
  s = gestures_describe(hold, 1, bins + 1, 1.0f);
  features[3] = gestures_finite(s.skewness);
  features[4] = gestures_finite(s.kurtosis);
  for (i = first_bin; i <= last_bin; i++) {
    features[5 + i - first_bin] = gestures_finite((ints[1] & GESTURES_SPECTRAL_LOG) != 0 ? gestures_log10(hold[i]) : hold[i]);
  }
}

GESTURES_FN void gestures_spectral(const float *window, int32_t frames, int32_t channels, const uint8_t *axes,
                           int32_t axis_count, const int32_t *ints, const float *floats, float *scratch,
                           float *features) {
  const int32_t length = (int32_t)1 << ints[0];
  const int32_t per_axis = 5 + ints[4] - ints[3] + 1, per_copy = 5 + ints[6] - ints[5] + 1;
  const float *sine = floats + 1;
  const float *sections = sine + length / 4 + 1;
  const float *every3rd = sections + 4 * ints[2];
  const float *every10th = every3rd + (ints[7] % 3 == 0 ? GESTURES_SPECTRAL_DECIMATOR : 0);
  float *signal = scratch + length + length / 2 + 1;
  float *copies = features + per_axis * axis_count;
  int32_t axis, i;
  for (axis = 0; axis < axis_count; axis++) {
    const float *in = window + axes[axis];
    int32_t count = frames, decimation = ints[7], step = channels;
    float scale = floats[0];
    if (decimation == 1) {
      for (i = 0; i < count; i++) signal[i] = in[i * step] * scale;
    }
    while (decimation > 1) {
      const int32_t ratio = gestures_spectral_first_ratio(decimation);
      count = gestures_spectral_decimate(in, step, scale, count, ratio, ratio == 3 ? every3rd : every10th, signal);
      decimation /= ratio;
      in = signal;
      step = 1;
      scale = 1.0f;
    }
    for (i = 0; i < ints[2]; i++) {
      gestures_spectral_section(signal, count, sections + 4 * i, (ints[1] & GESTURES_SPECTRAL_HIGH_PASS) != 0);
    }
    gestures_spectral_features(signal, count, ints, sine, ints[3], ints[4], scratch, features + axis * per_axis);
    if ((ints[1] & GESTURES_SPECTRAL_LOW_FREQUENCY) != 0) {
      count = gestures_spectral_decimate(signal, 1, 1.0f, count, 10, every10th, signal);
      gestures_spectral_features(signal, count, ints, sine, ints[5], ints[6], scratch, copies + axis * per_copy);
    }
  }
}

GESTURES_FN int8_t gestures_quantize_one(float x, float a, float b) {
    const float product = x * a;
    const float value = product + b;
    int32_t whole;
    float rest;
    if (!(value > -128.0f)) {
        return -128;
    }
    if (value >= 127.0f) {
        return 127;
    }
    whole = (int32_t)value;
    rest = value - (float)whole;
    if (rest >= 0.5f) {
        whole++;
    } else if (rest <= -0.5f) {
        whole--;
    }
    return (int8_t)whole;
}

GESTURES_FN void gestures_quantize_input(const float *features, int32_t count, const float *a, const float *b,
                                 int8_t *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        output[i] = gestures_quantize_one(features[i], a[i], b[i]);
    }
}

/* Left shift that wraps: shifting a negative number is undefined in C. */
GESTURES_FN int32_t gestures_shift_left(int32_t value, int32_t shift) {
    return (int32_t)((uint32_t)value << (uint32_t)shift);
}

/* Saturating rounding doubling high multiply. */
GESTURES_FN int32_t gestures_srdhm(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
    return (int32_t)(((int64_t)a * (int64_t)b + ((int64_t)1 << 30)) >> 31);
}

/* Rounding divide by 2^exponent, ties away from zero; exponent 0..31. */
GESTURES_FN int32_t gestures_rdp(int32_t value, int32_t exponent) {
    const int32_t mask = (int32_t)(((uint32_t)1 << (uint32_t)exponent) - 1u);
    const int32_t remainder = value & mask;
    const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> exponent) + (remainder > threshold ? 1 : 0);
}

/* Multiply by a quantized multiplier. */
GESTURES_FN int32_t gestures_mbqm(int32_t value, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        return gestures_srdhm(gestures_shift_left(value, shift), multiplier);
    }
    return gestures_rdp(gestures_srdhm(value, multiplier), -shift);
}

/* weights[unit * inputs + input]; per_channel != 0: one multiplier and shift per unit, else one for all. */
GESTURES_FN void gestures_fully_connected(const int8_t *input, int32_t inputs, int32_t units, int32_t input_zero,
                                  const int8_t *weights, const int32_t *bias, const int32_t *multiplier,
                                  const int32_t *shift, int32_t per_channel, int32_t output_zero, int32_t act_min,
                                  int32_t act_max, int8_t *output) {
    int32_t unit;
    for (unit = 0; unit < units; unit++) {
        const int32_t channel = per_channel ? unit : 0;
        int32_t sum = bias[unit];
        int32_t value;
        int32_t i;
        for (i = 0; i < inputs; i++) {
            sum += (int32_t)weights[i] * ((int32_t)input[i] - input_zero);
        }
        weights += inputs;
        value = gestures_mbqm(sum, multiplier[channel], shift[channel]) + output_zero;
        if (value < act_min) {
            value = act_min;
        }
        if (value > act_max) {
            value = act_max;
        }
        output[unit] = (int8_t)value;
    }
}

GESTURES_FN int32_t gestures_saturating_shift_left(int32_t value, int32_t shift) {
    const int32_t limit = (int32_t)(((uint32_t)1 << (uint32_t)(31 - shift)) - 1u);
    if (value > limit) {
        return INT32_MAX;
    }
    if (value < -limit) {
        return INT32_MIN;
    }
    return gestures_shift_left(value, shift);
}

/* exp(a) for a <= 0 in Q5.26, as Q0.31. */
GESTURES_FN int32_t gestures_exp_on_negative(int32_t a) {
    /* exp(-2^k) in Q0.31 for k = -2..4 */
    static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = (int32_t)1 << 24;
    int32_t modulo, x, x2, x3, x4, tail, result, remainder, k;
    if (a == 0) {
        return INT32_MAX;
    }
    modulo = (a & (quarter - 1)) - quarter;
    x = gestures_shift_left(modulo, 5) + ((int32_t)1 << 28);
    x2 = gestures_srdhm(x, x);
    x3 = gestures_srdhm(x2, x);
    x4 = gestures_srdhm(x2, x2);
    tail = gestures_rdp(gestures_srdhm(gestures_rdp(x4, 2) + x3, 715827883) + x2, 1);
    result = 1895147668 + gestures_srdhm(1895147668, x + tail);
    remainder = modulo - a;
    for (k = 0; k < 7; k++) {
        if (remainder & gestures_shift_left(1, 24 + k)) {
            result = gestures_srdhm(result, factors[k]);
        }
    }
    return result;
}

/* 1 / (1 + a) for a in [0, 1), both Q0.31; three Newton-Raphson steps. */
GESTURES_FN int32_t gestures_reciprocal_one_plus(int32_t a) {
    const int32_t half = (int32_t)(((int64_t)a + ((int64_t)1 << 31)) / 2);
    int32_t x = 1515870810 + gestures_srdhm(half, -1010580540);
    int32_t step;
    for (step = 0; step < 3; step++) {
        const int32_t error = ((int32_t)1 << 29) - gestures_srdhm(half, x);
        x += gestures_saturating_shift_left(gestures_srdhm(x, error), 2);
    }
    return gestures_saturating_shift_left(x, 1);
}

/* count 1..GESTURES_SOFTMAX_MAX_COUNT. */
GESTURES_FN void gestures_softmax(const int8_t *input, int32_t count, int32_t multiplier, int32_t left_shift,
                          int32_t diff_min, int8_t *output) {
    int32_t max = -128;
    int32_t headroom = 0;
    int32_t scale, shift, i;
    uint32_t sum = 0;
    for (i = 0; i < count; i++) {
        if (input[i] > max) {
            max = input[i];
        }
    }
    for (i = 0; i < count; i++) {
        const int32_t diff = (int32_t)input[i] - max;
        if (diff >= diff_min) {
            const int32_t e = gestures_exp_on_negative(gestures_srdhm(gestures_shift_left(diff, left_shift), multiplier));
            sum += (uint32_t)gestures_rdp(e, 12);
        }
    }
    while (headroom < 31 && !(sum & 0x80000000u)) {
        sum <<= 1;
        headroom++;
    }
    scale = gestures_reciprocal_one_plus((int32_t)(sum & 0x7fffffffu));
    shift = 12 - headroom + 31 - 8;
    for (i = 0; i < count; i++) {
        const int32_t diff = (int32_t)input[i] - max;
        if (diff < diff_min) {
            output[i] = -128;
        } else {
            const int32_t e = gestures_exp_on_negative(gestures_srdhm(gestures_shift_left(diff, left_shift), multiplier));
            const int32_t value = gestures_rdp(gestures_srdhm(scale, e), shift) - 128;
            output[i] = (int8_t)(value > 127 ? 127 : value);
        }
    }
}

/*
 * Adds one frame (`channels` floats). `*filled` frames are in the buffer; `*skip` are still to be dropped because the
 * stride is longer than the window. Returns 1 when the window is full: use it, then call gestures_window_advance.
 */
GESTURES_FN int gestures_window_push(float *window, int32_t frames, int32_t channels, const float *sample, int32_t *filled,
                             int32_t *skip) {
  float *slot = window + *filled * channels;
  int32_t channel;
  if (*skip > 0) {
    *skip -= 1;
    return 0;
  }
  for (channel = 0; channel < channels; channel++) slot[channel] = sample[channel];
  *filled += 1;
  return *filled == frames;
}

/* Drops the `stride` oldest frames of a full window. */
GESTURES_FN void gestures_window_advance(float *window, int32_t frames, int32_t channels, int32_t stride, int32_t *filled,
                                 int32_t *skip) {
  if (stride < frames) {
    int32_t kept = (frames - stride) * channels;
    const float *from = window + stride * channels;
    int32_t i;
    for (i = 0; i < kept; i++) window[i] = from[i];
    *filled = frames - stride;
  } else {
    *filled = 0;
    *skip = stride - frames;
  }
}

/* Index of the highest score, the lowest index on ties. */
GESTURES_FN int32_t gestures_smooth_best(const int8_t *scores, int32_t count) {
  int32_t best = 0;
  int32_t i;
  for (i = 1; i < count; i++) {
    if (scores[i] > scores[best]) best = i;
  }
  return best;
}

/*
 * The label with the highest average over `rows` windows of scores, or -1 when that average is less than `threshold`
 * above the zero point.
 */
GESTURES_FN int32_t gestures_smooth_decide(const int8_t *history, int32_t rows, int32_t count, int32_t zero_point,
                                   int32_t threshold) {
  int32_t best = -1;
  int32_t best_sum = 0;
  int32_t label;
  for (label = 0; label < count; label++) {
    int32_t sum = 0;
    int32_t row;
    for (row = 0; row < rows; row++) sum += history[row * count + label] - zero_point;
    if (best < 0 || sum > best_sum) {
      best = label;
      best_sum = sum;
    }
  }
  return best_sum >= threshold * rows ? best : -1;
}

/* Adds a row of scores to the ring of `windows` rows and decides over the rows seen so far. */
GESTURES_FN int32_t gestures_smooth_add(int8_t *history, int32_t windows, int32_t *rows, int32_t *next, const int8_t *scores,
                                int32_t count, int32_t zero_point, int32_t threshold) {
  int32_t i;
  for (i = 0; i < count; i++) history[*next * count + i] = scores[i];
  *next = *next + 1 < windows ? *next + 1 : 0;
  if (*rows < windows) *rows += 1;
  return gestures_smooth_decide(history, *rows, count, zero_point, threshold);
}

/* Continues a CRC over `count` more bytes; start with crc = 0. */
GESTURES_FN uint32_t gestures_crc32(uint32_t crc, const uint8_t *bytes, uint32_t count) {
  static const uint32_t table[16] = {
      0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
      0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  uint32_t i;
  crc = ~crc;
  for (i = 0; i < count; i++) {
    crc ^= bytes[i];
    crc = (crc >> 4) ^ table[crc & 15u];
    crc = (crc >> 4) ^ table[crc & 15u];
  }
  return ~crc;
}

/* Marsaglia's xorshift32; the state is never 0. */
GESTURES_FN uint32_t gestures_selftest_random(uint32_t state) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/* A uniform value of int16 range from the upper half of a random word. */
GESTURES_FN int32_t gestures_selftest_int16(uint32_t random) { return (int32_t)(random >> 16) - 32768; }

/*
 * Generated window `index` of a seed, window[frame * channels + channel]. Per channel: a level, a triangle wave of
 * random period and amplitude, and noise; clamped to int16, then scaled and offset in float32.
 */
GESTURES_FN void gestures_selftest_generate(uint32_t seed, int32_t index, int32_t frames, int32_t channels, const float *scale,
                                    const float *offset, float *window) {
  uint32_t random = (seed ^ ((uint32_t)index * 0x9E3779B9u)) | 1u;
  int32_t channel;
  int32_t frame;
  int32_t i;
  for (i = 0; i < 8; i++) random = gestures_selftest_random(random);
  for (channel = 0; channel < channels; channel++) {
    int32_t level;
    int32_t wave;
    int32_t noise;
    uint32_t phase;
    uint32_t step;
    random = gestures_selftest_random(random);
    level = gestures_selftest_int16(random) / (int32_t)(1u << (random & 3u));
    random = gestures_selftest_random(random);
    wave = (int32_t)((random >> 17) >> (random & 7u));
    random = gestures_selftest_random(random);
    noise = (int32_t)((random >> 17) >> (1u + (random & 7u)));
    random = gestures_selftest_random(random);
    phase = random;
    random = gestures_selftest_random(random);
    /* at most half a period per frame; the small steps (slow waves) as likely as the large ones */
    step = (random >> 1) >> (random & 7u);
    for (frame = 0; frame < frames; frame++) {
      int32_t rise = (int32_t)(phase >> 15);
      int32_t triangle = (rise < 65536 ? rise : 131071 - rise) - 32768;
      int32_t value;
      float scaled;
      random = gestures_selftest_random(random);
      value = level + triangle * wave / 32768 + gestures_selftest_int16(random) * noise / 32768;
      if (value > 32767) value = 32767;
      if (value < -32768) value = -32768;
      scaled = (float)value * scale[channel];
      window[frame * channels + channel] = scaled + offset[channel];
      phase += step;
    }
  }
}

/* A recorded window: int16 times the channel's scale. */
GESTURES_FN void gestures_selftest_unpack(const int16_t *recorded, int32_t frames, int32_t channels, const float *scale,
                                  float *window) {
  int32_t channel;
  int32_t frame;
  for (frame = 0; frame < frames; frame++) {
    for (channel = 0; channel < channels; channel++) {
      *window++ = (float)*recorded++ * scale[channel];
    }
  }
}

/* ---- Model ---- */

/* Channels of a sample, in this order: accX, accY, accZ, gyrX, gyrY, gyrZ. */
#define GESTURES_CHANNELS 6
/* Samples per second and channel that the model was trained with. */
#define GESTURES_RATE_HZ 100.0f
/* Samples per channel in a window, and from the start of one window to the start of the next. */
#define GESTURES_WINDOW_FRAMES 100
#define GESTURES_STRIDE_FRAMES 25
#define GESTURES_FEATURE_COUNT 120
#define GESTURES_LABEL_COUNT 5
/* Bytes of activations of the network. */
#define GESTURES_ARENA_SIZE 184
/* real = scale * (int8 - zero point), for the inputs of the network and for the scores. */
#define GESTURES_INPUT_SCALE 0.0480102636f
#define GESTURES_INPUT_ZERO_POINT (-7)
#define GESTURES_OUTPUT_SCALE 0.00390625f
#define GESTURES_OUTPUT_ZERO_POINT (-128)
/* Windows averaged for a decision, and the average it needs (0.6) in steps of the scores. */
#define GESTURES_SMOOTHING_WINDOWS 3
#define GESTURES_SMOOTHING_THRESHOLD 154
#define GESTURES_SELFTEST_COUNT 64
/* Names this very model: the CRC-32 of its pack. */
#define GESTURES_MODEL_ID 0x77F8F041u

#if defined(__GNUC__) || defined(__clang__)
#define GESTURES_UNUSED __attribute__((unused))
#else
#define GESTURES_UNUSED
#endif

typedef struct gestures_result {
  /* One per label: probability = scale * (score - zero point). */
  int8_t scores[GESTURES_LABEL_COUNT];
  /* The label with the highest score in this window. */
  int best;
  /* The label after smoothing and threshold, or -1 when uncertain. */
  int decision;
} gestures_result;

/* All memory of the model. Scratch and activations are never needed at the same time. */
static struct {
  float window[GESTURES_WINDOW_FRAMES * GESTURES_CHANNELS];
  float features[GESTURES_FEATURE_COUNT];
  union {
    float scratch[125];
    int8_t arena[GESTURES_ARENA_SIZE];
  } work;
  int32_t filled;
  int32_t skip;
  int32_t history_rows;
  int32_t history_next;
  int8_t history[GESTURES_SMOOTHING_WINDOWS * GESTURES_LABEL_COUNT];
} gestures_memory GESTURES_UNUSED;

/* Block 0: spectral of accX, accY, accZ, gyrX, gyrY, gyrZ; 78 features. */
static const uint8_t gestures_axes_0[6] GESTURES_UNUSED = {
    0, 1, 2, 3, 4, 5};
static const int32_t gestures_ints_0[8] GESTURES_UNUSED = {
    4, 3, 0, 1, 8, 0, 0, 1};
static const float gestures_floats_0[6] GESTURES_UNUSED = {
    1.0f, 0.0f, 0.382683426f, 0.707106769f, 0.923879504f, 1.0f};

/* Block 1: flatten of accX, accY, accZ, gyrX, gyrY, gyrZ; 42 features. */
static const uint8_t gestures_axes_1[6] GESTURES_UNUSED = {
    0, 1, 2, 3, 4, 5};
static const int32_t gestures_ints_1[1] GESTURES_UNUSED = {
    127};
static const float gestures_floats_1[1] GESTURES_UNUSED = {
    1.0f};

/* Scaling and quantization of the features: q = round(feature * a + b). */
static const float gestures_input_a[120] GESTURES_UNUSED = {
    7.4163847f, 91.9503098f, 34.619194f, 35.2748299f, 12.4408646f, 12.98386f, 17.6408234f, 17.5510044f, 18.461132f,
    19.9423733f, 19.8299732f, 21.2574253f, 21.6591454f, 4.81423616f, 102.142448f, 35.7744713f, 36.9057007f,
    12.9553986f, 12.0575705f, 14.8198023f, 14.8856907f, 16.2123623f, 17.3096962f, 17.3198605f, 18.2053261f,
    18.8101673f, 11.3105688f, 73.0539474f, 42.4652061f, 32.8375511f, 11.4030075f, 16.1478634f, 17.3709068f,
    19.4224472f, 21.1505547f, 22.7221756f, 23.5293255f, 24.2537079f, 25.146534f, 0.426630229f, 102.754448f,
    49.3075371f, 42.3665314f, 12.5496225f, 17.6627617f, 23.5106602f, 21.3128109f, 20.9828415f, 21.7403679f,
    21.6199532f, 22.2087822f, 22.4459076f, 0.429671139f, 62.5628433f, 39.9579849f, 34.4533234f, 10.475728f,
    17.0340977f, 19.9539337f, 18.0483189f, 18.2110062f, 18.4348927f, 18.3429985f, 19.0320072f, 19.6469307f,
    0.545774758f, 60.6753769f, 42.625f, 37.6482887f, 11.3647795f, 15.2912254f, 20.058033f, 18.1625957f, 17.9585266f,
    18.6413021f, 18.7605648f, 19.2022057f, 19.3533936f, 15.4524994f, 4.82724953f, 4.5010252f, 8.06239319f, 7.4163847f,
    91.9503098f, 34.619194f, 20.115406f, 2.73012996f, 2.49969244f, 5.05211782f, 4.81423616f, 102.142448f, 35.7744713f,
    53.2149277f, 7.98248577f, 6.43631935f, 32.7371368f, 11.3105688f, 73.0539474f, 42.4652061f, 3.87964702f,
    0.257686079f, 0.246820673f, 0.427074611f, 0.426630229f, 102.754448f, 49.3075371f, 1.63336205f, 0.287820429f,
    0.274995655f, 0.42288956f, 0.429671139f, 62.5628433f, 39.9579849f, 3.74960566f, 0.346900523f, 0.31675154f,
    0.549780965f, 0.545774758f, 60.6753769f, 42.625f};
static const float gestures_input_b[120] GESTURES_UNUSED = {
    -32.6913719f, -6.5211153f, 25.3134823f, -78.9742661f, -42.0434113f, -15.9069395f, -12.2270784f, -4.4564786f,
    -1.05453253f, 0.962919831f, 1.06192517f, 3.4485352f, 3.53761673f, -23.5885677f, -6.39834213f, 25.7363453f,
    -83.2617645f, -44.5435371f, -11.3736649f, -7.87105322f, -1.43402243f, 2.31681609f, 3.94562006f, 4.38431358f,
    6.11717939f, 5.97286892f, -24.2106686f, -14.9989691f, 28.4542389f, -71.1910934f, -35.9762268f, -8.71711826f,
    -5.06760931f, 4.98391724f, 9.70010662f, 12.7623119f, 14.1947241f, 16.2170238f, 16.2142048f, -27.0420227f,
    -8.50338268f, 48.3831711f, -96.0024261f, -42.8309479f, -65.1690063f, -71.3609238f, -54.6446953f, -49.0403976f,
    -47.8261871f, -47.1350403f, -45.8157845f, -46.1686478f, -23.8487244f, -0.153797433f, 29.6816521f, -71.9640121f,
    -29.8836155f, -55.3626976f, -56.0171738f, -40.7673683f, -36.8066711f, -35.0296516f, -34.4722404f, -33.8014755f,
    -34.8220863f, -22.5657825f, 1.14493704f, 28.3676395f, -79.112793f, -32.6740608f, -47.2726326f, -50.2802811f,
    -36.1588402f, -31.9639835f, -30.5816383f, -29.8306808f, -29.3011456f, -30.0884666f, -5.58250093f, 19.682951f,
    -31.2934666f, -38.2660255f, -32.6913719f, -6.5211153f, 25.3134823f, -12.7907562f, 7.9607625f, -22.9852505f,
    -26.4026318f, -23.5885677f, -6.39834213f, 25.7363453f, -516.460449f, -64.3345184f, -86.2360535f, -329.60553f,
    -24.2106686f, -14.9989691f, 28.4542389f, -8.58765984f, 12.4716196f, -26.271122f, -27.2166252f, -27.0420227f,
    -8.50338268f, 48.3831711f, -4.81101894f, 11.0622978f, -23.215786f, -24.0530167f, -23.8487244f, -0.153797433f,
    29.6816521f, -1.64166331f, 9.81687641f, -21.7137947f, -23.1926098f, -22.5657825f, 1.14493704f, 28.3676395f};

/* Operation 0: 120 inputs, fully connected to 64 units. */
static const int8_t gestures_weights_0[7680] GESTURES_UNUSED = {
    -22, -60, -26, -77, -4, 20, -19, 19, -74, -103, 62, 48, -40, 20, 70, 37, -57, -42, -57, 83, -57, 4, -66, 66, 103,
    29, -41, 69, 90, -4, -89, -125, -56, 9, 47, -4, 45, 55, -69, -81, -83, 127, -108, 56, -95, 43, 39, -51, -103, -92,
    -18, -59, 63, -115, -49, -34, -115, 71, -58, -70, -76, -59, -31, -4, -65, 78, -36, -42, -20, -65, 13, 103, 1, 71,
    93, -86, 79, 69, 9, -38, -88, 44, -16, 10, -40, 68, -114, -71, 121, -4, 16, 91, 99, 4, -15, 7, -125, -102, -47,
    -80, -55, 51, 0, 105, -42, -25, -21, -39, 75, -95, 17, 60, 115, 47, -13, -11, 7, 76, 47, -62, 0, 9, 20, 61, 78,
    -4, 42, -62, -88, 67, -7, -30, -11, 49, 63, -14, 109, 45, 16, -2, -32, -10, -11, 88, -27, -66, -17, -6, -91, 23,
    24, 80, -28, 62, 119, 78, 64, 37, 108, 69, -5, -97, 97, -13, -28, -32, 14, 40, 9, -66, -16, 103, -81, 17, 60, -68,
    -82, -85, 45, -86, 37, 78, 38, -41, 48, -76, -50, -4, -54, -74, -71, 54, -19, -59, -11, 23, 87, 77, -34, 25, -31,
    56, -35, 52, 59, -25, 56, 78, -61, -85, -38, -24, -12, 38, -19, 127, -15, -59, -66, 46, 32, -55, -64, 14, -18, 42,
    -67, 14, 6, -77, -35, -57, 49, -47, 19, 31, 24, 58, -15, 68, -37, -28, 72, -109, 39, -105, 69, 33, 6, -97, 86,
    -88, -18, 104, 35, -32, -55, 5, -34, 88, 38, -85, -93, 6, 23, 94, -14, 75, 15, 97, 34, 72, 56, 99, -23, 64, 101,
    -56, 58, -23, 42, -26, 109, 49, -35, -51, -21, 103, -30, -41, 77, 119, -96, -24, -62, -37, -105, -23, 21, -96, 60,
    -92, 89, -47, 0, -56, 69, 40, 14, -125, -98, 79, 66, -29, -20, -100, -27, 36, -57, -55, -104, 1, 50, 32, 4, -81,
    -25, 69, -78, -93, -28, -93, 91, -64, -59, 87, 88, 21, 37, 36, 50, -49, 78, 21, 49, -110, -68, 72, -42, -127, 51,
    -7, -56, 72, -74, -35, -33, 29, 42, -18, -81, 54, -91, 82, -59, -90, 66, -83, -43, 25, -42, -98, 23, 18, -18,
    -127, 27, -39, 29, 84, -64, 34, 53, 63, 115, -63, 95, 14, 26, -34, 97, 9, -72, -61, 101, -68, -31, -6, 75, 45, 56,
    -27, 56, 120, -10, 52, -3, 39, -54, 66, 75, 103, -29, -64, 26, 38, -19, 21, 7, 18, 40, -35, 51, -98, -60, -107,
    -2, 78, 61, 83, 38, -46, -43, 31, -49, 13, -24, -27, -80, -6, -99, -60, -33, 16, -50, 72, 60, -51, -14, 26, -53,
    16, 67, -114, 60, -17, -21, -22, -16, 49, 32, -28, -9, 91, -74, 11, 65, 40, -31, 31, -42, -69, -18, -122, 123,
    -98, -69, -59, 0, 43, 42, -17, 12, 7, 22, -26, 51, -83, 14, -27, 75, -5, -27, 15, 68, -15, 17, -23, -7, -73, 5,
    35, -92, -127, -27, 30, 22, -53, -30, -103, -80, -63, -47, -24, -53, -104, -11, -6, 56, -3, 11, 47, -62, 22, -1,
    -95, -34, -113, -49, -92, 45, -30, -35, 8, 53, 9, -46, -36, 32, -25, 94, 47, 18, 36, -8, 13, -48, -35, 51, -35,
    -80, -23, -80, 96, 98, 96, 35, 68, -52, -99, -58, -59, 104, 80, 65, 61, 89, 36, -6, -77, -91, 3, -37, 8, -100, 49,
    38, 9, 67, 55, -48, -93, -60, 44, 34, 27, 57, -39, -44, 51, 99, -20, 2, 64, 62, -89, -61, 92, 67, -51, 79, 37, 28,
    -60, 24, 85, -38, -2, 110, 77, 98, -46, 37, 63, 32, -4, -4, 24, 0, 16, -15, -9, -77, -71, 13, 17, 61, -20, 77, 81,
    -49, -74, 44, -86, 61, 86, 44, -40, 68, -64, -43, -43, -33, 61, -49, 91, 25, 82, 17, 102, -19, -3, 29, 78, -97,
    -4, -75, -20, -52, -4, 123, -33, 44, 117, -55, -66, 23, 32, -18, 84, 96, 68, 127, 51, 8, 77, -28, -32, -27, 47,
    -19, 111, 59, 28, 67, -29, -70, -52, 81, 1, 41, 82, 29, 66, -50, -59, 19, 43, 60, -35, -47, 91, 64, 80, -22, 72,
    62, -40, 77, 117, -5, -60, -85, -36, -87, 8, -38, -55, 6, 70, 34, -76, -46, -12, 51, -105, -91, -42, -61, 85, -15,
    11, -103, 61, 63, -64, -62, -31, -14, 67, -42, -5, 67, -34, 110, -74, -2, -103, 39, -119, -70, 6, -76, -80, 28,
    -66, -49, 2, 86, 71, 15, -30, -47, -21, -1, -94, -29, -16, -92, -93, -127, -45, 84, -29, -75, -1, 20, 49, -107,
    -34, 4, -23, 3, -63, -116, -57, -19, 51, -55, -121, -1, -19, -9, 67, 56, -16, 53, -66, -55, -8, -121, -11, 46, 55,
    -6, 52, 21, -64, -27, -52, 52, 8, 17, 80, -10, 20, -18, 61, 94, 69, -33, 97, 79, -56, 49, 108, 74, 51, 43, 36, 51,
    -36, -2, -73, -71, 78, 91, -13, 12, -30, 86, -52, -2, -43, 1, 20, 26, 70, 16, -81, 29, 50, -36, 8, 57, 53, -101,
    -59, -86, 27, 77, -57, -41, 16, -127, -73, -62, -45, 38, 90, -1, -59, 28, 23, -28, -72, -54, -16, 61, -27, -71,
    93, 10, -94, -110, -69, -7, -36, -36, 18, -43, -39, -12, 48, 101, 83, 90, -38, -51, 90, 8, -42, -26, 94, -33, 41,
    16, -19, -2, -72, 72, 65, 13, -12, 18, -19, -81, 74, 73, -16, 84, 73, -14, -35, 23, -17, -16, -114, 68, -123,
    -122, -37, -100, -26, 16, -111, -70, 93, -28, -60, 96, -88, 75, -27, 46, 42, 40, -31, -31, 73, 120, 50, -2, -25,
    -41, -80, -98, 23, 6, 101, -26, 53, -22, 78, 42, -4, 87, 53, -37, -50, -15, -43, 24, -64, 87, 67, 17, -19, 101,
    73, 77, -8, 102, 19, 19, 48, 69, 38, -91, 38, 5, -60, 108, -45, 59, 17, -38, 44, 95, 23, 59, 83, -107, -56, 117,
    -9, 91, 108, -1, -70, -52, -48, -41, -45, 5, 17, -94, -59, 91, -52, 73, -72, -2, 42, 37, 98, -36, -28, -18, -59,
    -15, 30, 50, 104, -15, 18, 32, -37, -48, -92, 96, -45, 87, -37, -14, -52, 32, 119, 111, -31, -26, 6, 81, -15, -49,
    62, 13, 69, -79, -53, -104, -64, 34, -38, 13, -9, 79, -95, 55, 17, -10, -64, 49, -38, -13, 70, -13, 127, -35, -54,
    -71, -82, 31, -102, -82, -14, 68, 48, 8, -99, 66, -60, 88, -75, -41, -105, -104, -102, 16, 27, -46, 112, 64, 60,
    -21, -30, -46, 36, 36, 20, -41, 125, -40, -80, 95, -28, -45, 116, -13, -63, -64, 53, -3, -71, -42, 33, 76, 80, 4,
    74, 112, 59, 89, 2, 92, 29, 49, -72, 71, 53, 66, -31, -76, 36, -66, 81, 14, -93, 56, 62, 61, 70, 127, 95, 77, 3,
    59, 120, -57, -17, -7, -10, 52, -31, -79, -6, 7, 106, 67, 52, -71, 27, 49, -67, 20, -52, 35, -8, -7, -60, 69, 32,
    90, 68, 51, -105, 15, 22, 37, 34, -85, 40, 35, -61, -54, 102, 104, 22, 80, 51, 30, 4, -54, 68, 58, 15, 41, -17,
    -39, -113, -19, -91, 16, 75, 23, -9, -12, 37, 92, -38, 80, -18, 9, -19, -69, 81, -91, -63, 107, -121, -127, 38,
    -53, 46, 19, 38, -83, 52, -5, 95, -79, 5, -99, -46, -29, -9, 39, -78, 84, -37, 28, 48, 68, 62, 45, -71, -107, 29,
    -1, -89, 58, -116, -43, -40, 31, 41, -9, 31, -109, 71, -77, 7, 36, 66, -82, 0, -49, -39, 39, 109, 28, 47, 55, 13,
    -19, 0, -48, 70, -38, 97, 57, 40, -2, -45, 0, -53, 1, -112, 110, 1, 56, -1, -45, 7, 24, 83, -18, 21, 45, 54, -34,
    20, -64, -25, 85, -38, -60, 76, 67, 77, -93, -5, 127, 14, -24, -119, 23, -16, -69, -91, 38, 6, 2, 63, -59, 58, 0,
    -38, 46, -110, -118, -82, -92, -11, -40, -117, 65, -15, 12, -85, -55, -16, -24, 40, -1, 52, 24, -9, 32, 1, 70,
    -37, -53, 56, 18, -108, -103, 40, 56, 50, -77, 34, -105, -47, 17, -10, -10, 17, 40, 66, 35, -111, -4, -85, -3,
    -50, -28, 95, 44, -33, -126, 48, -40, -26, 69, -84, -112, -58, 36, 109, 29, -98, -3, 82, 40, 78, -24, -77, 18, 60,
    -61, -11, -24, -23, 98, -14, 56, -36, -3, -56, -81, -83, -10, -28, 4, -66, -26, -14, 50, 35, -114, 31, 27, -7, 11,
    -79, -18, -88, 37, 25, -40, -23, -38, 54, -68, -105, 23, 65, 64, -69, -78, 54, 70, -77, 80, 87, -96, -104, 63, -3,
    -105, 8, -32, 67, 10, 6, -64, 7, 46, -123, 38, 26, -110, -101, -52, 8, 61, -24, -19, -28, 44, 40, -31, 47, 26, 26,
    45, 69, 41, -41, -27, -101, -33, -17, -2, -60, 13, 34, -10, -109, -105, -73, -48, -14, -20, -48, -7, -28, -121,
    -50, -29, -24, -85, -22, -27, -83, -2, 27, 5, -29, 4, 22, -69, -59, 66, 60, 43, -109, 76, 61, 59, -31, -7, 100,
    -16, -127, 31, 64, 24, 38, 106, -34, -106, 15, 30, 96, -80, -9, 18, -98, 27, -91, -58, 55, -46, -81, -68, -47, -1,
    -43, -82, 52, 58, 56, 34, -18, -18, -30, -43, -50, -82, 27, 67, 97, -12, 72, 28, 69, 69, 17, 34, -37, 4, 69, 74,
    -19, 0, 47, -60, 42, -35, -52, 38, 70, -36, 25, -21, 13, 83, -31, 55, 44, 3, 25, -64, -60, 108, 105, -72, 76, 42,
    32, 4, 49, -1, 44, -105, 35, -16, 26, -2, 0, -71, 38, 55, -33, -2, -97, -56, -4, 61, -37, 68, -27, 0, -55, 8, -23,
    -37, -58, -20, -20, -42, 44, -1, 34, -88, 37, -46, -57, 82, -31, 42, -127, 18, 39, -25, 31, -73, -19, -33, -54, 6,
    78, 56, 44, -66, 57, -47, 38, 54, 38, 105, 55, 60, 81, 118, 61, 50, 62, 40, 59, 31, 34, -9, -13, 24, -115, 71,
    -47, 45, -46, -24, -93, -53, 56, -105, -68, -34, 13, -54, -92, -92, 62, -52, -127, -20, -29, 15, 67, -78, 45, -90,
    -89, 27, -114, 57, 19, 11, 61, -25, 105, -3, -6, 10, -81, -19, 11, -5, 5, -13, -54, 69, -76, -63, -71, -20, -51,
    54, -66, -42, 31, 48, -51, 54, -54, 5, -62, -64, -8, -10, -81, -85, 31, -95, 82, 90, -87, 35, 13, 59, -14, -96,
    -96, 46, 21, 24, 50, 28, 60, -55, 30, 0, 31, -28, -72, -94, 62, 16, 52, -67, 76, -126, 29, 107, 111, -28, -71,
    109, 76, 89, 12, -86, 64, 28, 74, 83, -62, -28, -44, -22, 48, 11, -75, 5, 105, -44, 17, 100, 53, -69, -68, 7, -45,
    7, 42, -54, 45, 27, -1, -5, 90, -82, -22, 87, 44, 51, -70, -87, 73, 44, 127, -62, -74, -38, -63, -38, -12, 77, -4,
    -25, 87, 50, -88, 109, -3, 112, 18, -81, -74, -50, 103, -56, -94, 17, -59, -2, 33, 71, -81, -49, -39, 82, -15,
    -67, -44, -31, -78, -15, 76, 17, 85, -38, 91, -26, -31, -9, -32, 21, 51, 23, 37, -17, -38, -8, 79, -118, 50, 82,
    51, -48, -82, 78, 70, -41, 71, 68, 79, 67, 16, -100, 46, 102, -15, 24, -26, 62, 13, 54, 49, 52, -82, 76, 108, -34,
    -5, -37, 74, 94, -20, -97, 31, 66, -2, -17, -100, 65, -55, 41, -15, -63, 35, -18, 2, -56, 9, -83, 64, 11, -8, 81,
    51, 23, 9, 26, 56, 120, -38, -96, 43, -61, -53, 113, 103, -49, 28, 127, 79, 38, 84, 44, -41, -50, 70, 96, 22, 108,
    -44, -67, 104, -58, 74, -91, 32, 64, -98, -58, 27, -30, -107, -64, 11, -120, -30, -43, -63, -57, 23, -57, 3, -72,
    -51, 89, 101, 60, 109, -47, 58, -18, -38, -52, -77, -31, 82, -47, 3, 2, 60, 38, -22, 1, 64, -28, -50, -48, 96,
    124, 88, -77, 106, -50, 47, 47, -54, -27, -68, 21, -75, -68, -3, -18, -51, 117, -33, -32, 79, 114, 106, 18, 71,
    90, -60, -127, 4, 125, -33, 20, -67, -55, -66, 18, 36, 65, 6, -1, -113, -16, 78, -46, -41, 63, 120, 74, -64, 64,
    -61, 42, 14, -77, -48, -2, -18, 66, -26, -92, -71, -54, 1, -60, 10, -13, -41, -2, 18, 76, 49, -78, -80, -28, 35,
    7, -17, 25, 87, -85, 116, -60, 120, -46, 75, 64, -46, 59, 94, 47, -45, -36, 56, 5, -43, -89, -83, 43, -15, 37, 89,
    15, 71, 12, -109, -19, 80, 44, -38, -33, -61, -44, 50, -34, -45, -39, -18, 33, 28, -87, -68, -57, -60, -91, 45,
    36, -103, 15, -42, -39, 22, 94, -60, 73, 48, 0, 75, -17, 40, 54, -85, 94, -30, 14, 25, 52, 32, 32, -20, 41, 34,
    -86, -60, -45, -8, -7, -64, -45, 87, 63, 43, 23, 63, 89, 98, 9, 69, 37, 87, -57, 96, 22, 31, -69, 72, 67, -105,
    -127, 40, 27, 38, -6, -79, -107, 73, 64, -43, 37, 121, -46, -61, 94, 31, -32, -12, -9, -47, 13, -56, -35, -2, 37,
    -49, 33, 69, 47, 7, 74, 73, 20, -7, -114, 86, -59, 11, 59, -4, -91, 42, -104, -43, -10, 30, -68, 102, 48, -88, 9,
    83, -93, -65, 42, 69, 62, -15, 5, -79, 86, -49, -71, 46, -52, -109, 45, 53, -98, 10, -59, -13, -35, -62, 13, 17,
    66, 28, 8, 68, -24, -14, 33, -107, -73, -73, -69, -51, 41, 114, 57, -36, 79, -80, 103, -39, 9, 20, 34, 28, -7, 65,
    -74, 65, 20, -57, -46, 13, -51, -61, -46, -107, -60, 40, -91, -10, -103, 102, -62, -13, 83, -20, -99, -89, -79,
    -47, -66, -66, -57, 22, -66, -82, -89, -103, -22, -89, 41, -67, -5, -31, 9, 5, -41, 7, 111, -9, 4, 27, 33, -74,
    -55, 58, 47, 123, 96, 30, 83, 30, -18, 48, 27, -6, 59, 26, 16, 31, 54, -33, 41, 14, 50, -53, 85, -45, 127, -79,
    -65, -68, -50, 83, -3, 57, 10, 5, -84, 109, 5, 57, 81, -71, 62, -72, -29, -4, -108, -14, 97, -40, -59, -46, 69,
    -97, -52, 77, 1, -1, 85, -53, 88, -30, 97, 91, -125, -6, -45, 48, -109, 86, -78, -25, 48, 45, 91, -49, 7, -41,
    -39, -72, 58, -39, 109, 121, -79, -26, -17, 34, -25, 63, -38, -12, -8, 95, -77, 25, -77, 31, -47, 106, -17, 34,
    -50, -22, 86, 87, 67, 81, -13, 14, -38, 60, 77, 70, 94, -127, -30, -61, 96, 7, -103, 68, -121, -33, 65, 50, -73,
    5, 42, 34, 40, -20, -75, 2, 76, 115, -35, 37, -51, -80, 31, 62, 86, 96, 20, 49, -19, 49, 76, -18, -4, 15, 43, -46,
    81, -19, -53, -70, -98, -24, -14, 61, 34, 118, -6, -47, 105, 2, 64, 85, -86, 6, -46, 59, 71, 27, 16, 28, 93, -87,
    -16, -38, 34, 95, 64, 43, 10, -41, 81, -20, -24, -59, 71, 110, -2, -86, -49, -14, 82, -10, 61, -24, 19, 110, -9,
    85, -54, 37, -56, 109, 51, -64, 44, 22, 4, -127, 11, -107, -108, -27, 73, -107, 112, -25, -8, 86, -40, -13, -59,
    25, 72, 103, 7, 44, -75, 93, -8, 3, 48, -46, 40, 20, -56, 19, -29, -29, -109, 49, 114, -42, -5, 34, -49, -15, -5,
    59, -92, 83, 20, -80, 103, 111, -6, -23, -44, 72, 51, 62, 49, 42, 85, -122, -27, 40, 35, -80, 57, -41, 90, 52,
    -33, -55, -32, 64, 42, -56, -67, 12, -17, -83, -62, -25, -5, 37, -68, -82, -56, 11, 21, -47, 51, -104, 79, -95,
    -23, -6, -39, 68, 78, -1, -62, 4, 12, 55, -95, -19, -19, -31, -105, 6, -118, -80, 41, -30, -89, -8, 47, 13, -1,
    -60, 2, 36, -23, 78, 2, -66, 3, -36, -33, -13, 34, -14, 17, 3, -2, -19, -60, -2, 22, -34, -1, -65, 70, -61, 1, 53,
    -87, 24, 17, -16, 69, 84, 32, 52, 127, -53, -30, -32, 38, -19, 86, 53, 16, 36, 103, 108, 80, -20, -22, 57, 116,
    127, 95, 7, -11, -22, -55, -122, 44, -79, 60, 57, -80, 31, 52, 22, -44, -9, 13, 98, -17, -83, -69, 31, 65, -47,
    83, 13, 85, 77, -38, -32, 75, 105, -24, -19, -14, -58, -41, -10, 67, 55, 78, 49, -71, -34, 67, 85, -69, 4, -25,
    -87, 59, -34, 102, -84, 66, -9, 31, -67, 50, -89, -82, 53, 54, -13, -65, -10, -106, 5, -19, -44, 121, 4, 57, 106,
    40, 19, 76, 92, -16, 102, 17, 45, 67, -14, -63, 60, 78, 116, 73, -52, 127, -93, 2, -63, -42, 58, 89, -44, 122,
    103, -22, 12, -1, -5, 111, 75, -34, -81, -66, -24, 13, 29, -64, 43, -64, 39, -93, -127, 4, -67, 77, 80, 65, 65,
    -6, 96, 108, 85, -32, 19, -85, -122, -98, 80, -37, 106, 70, 111, 69, -44, 46, 19, 40, 2, -83, 9, 82, -52, 10, -9,
    101, 71, -68, 45, -44, 82, -59, -59, -58, -78, 85, 16, -58, 60, 4, -48, 61, -61, -4, -30, -46, 42, -78, -109, 10,
    29, 89, 12, -3, -88, -12, 62, -7, -61, 35, -8, 22, -62, 29, 48, -4, 102, -45, -39, 61, 27, 119, 24, -77, -84, -19,
    63, -16, 74, 97, -62, -60, -7, -42, 79, -37, -61, -77, -23, -69, 55, -62, 40, -81, -30, -21, 27, -19, 48, 38, -20,
    6, 45, 53, -31, -69, -68, -56, 4, -50, 58, 18, 76, -41, -29, -53, 45, -36, 69, 21, 14, 5, 38, -28, 28, 40, 38, 94,
    45, 127, 10, -11, -37, 8, -58, 93, 47, 34, 55, 88, -24, -47, -19, 38, 71, 80, 52, 19, 16, 21, -71, -57, 63, -50,
    -57, 85, 44, -79, 45, 26, -17, -7, -55, -24, -30, -64, 11, 1, -1, -19, -60, -4, -73, 37, -14, -86, -73, -85, 33,
    -16, -60, 103, -98, -33, 13, 29, -68, -19, -83, -13, -51, -67, 33, 50, 17, -11, -127, -8, -18, -40, 42, 19, -87,
    -97, -96, -52, 4, -48, -39, -36, -36, -55, -74, 31, 27, -16, 55, 29, -24, -46, -1, -52, 41, 38, -28, 60, -3, -48,
    1, -82, 23, 48, -51, -67, 51, -49, -11, 34, 48, -9, 52, 55, 33, 25, 39, -31, -37, -55, 5, -39, -42, -2, 29, -23,
    6, 12, 46, 42, 115, 45, 40, 53, 70, -26, 3, -4, -6, 62, -9, -64, 34, 96, 17, -39, -40, 24, -9, -69, 74, 82, -97,
    -44, -28, -33, 26, 71, 103, -43, 32, -6, 11, 100, 38, 28, 95, -33, 23, -15, 8, 53, -83, -91, 59, 44, 44, 60, -1,
    83, 16, 67, -60, -21, 67, -100, -127, 0, 101, 97, -38, 28, 61, -49, 101, 74, -7, 69, -18, 11, 84, 26, 38, 56, 36,
    75, 28, 14, 59, -45, -36, -18, 116, 16, -21, -88, 37, -53, 58, -89, -50, 10, -94, 55, 35, -97, 47, -63, -72, -65,
    -47, 25, 19, 73, 96, -48, -87, -44, 67, 95, -12, 43, -98, -15, -23, 31, -62, 94, 74, -71, -50, -50, 29, -61, 13,
    29, 23, 28, -81, 41, -84, 11, 8, -8, 101, 77, 12, -15, -79, 64, -55, -4, 38, 11, -52, -90, -72, -64, 43, -66, -35,
    -36, 54, -13, 29, -105, 38, -18, -15, -22, 20, -47, 113, 39, 66, -32, 29, 70, 27, -7, 83, 45, -61, 27, -60, 6,
    -50, 33, -75, -81, -47, -34, 37, -13, 71, 15, 52, 124, 92, 63, -103, -68, 1, 102, 0, 75, 95, -38, 104, 93, 103,
    -24, -90, 85, 10, 111, 100, -39, -2, -55, -11, 104, -57, 6, 1, -42, -69, 107, 78, -56, 38, -16, -113, -26, -47,
    -16, 127, -21, -31, 65, 2, -44, 21, 62, -40, 108, 66, -58, -2, 44, 23, -18, -40, -18, 122, 23, 116, -71, -29, -78,
    -39, 26, 35, 31, 20, -30, -2, 74, 42, -36, -50, 83, -32, 33, 82, -58, 0, -2, 38, 55, 127, 53, -4, 57, 48, 65, 62,
    -1, -60, 44, -58, 30, 53, 98, -36, -14, -74, 51, 76, 10, -1, 30, -63, -58, 68, -71, -22, 43, -80, -66, -64, 22,
    -51, 39, 26, 30, -11, 70, -30, -63, 107, 108, -34, 52, 101, 111, -20, 43, 33, 101, -64, 76, -45, 80, 84, -49, -13,
    36, -36, -65, -26, 24, 112, -49, 23, 87, 26, -29, 63, -41, 7, 42, 16, -71, -23, 46, 60, 7, 57, 66, -94, -10, 74,
    72, 56, 39, 79, -104, -84, 37, -23, -25, 38, -12, 50, 75, 31, -72, 47, -57, -55, 49, 58, -28, 3, 16, 85, -62, 21,
    -44, 1, -33, -50, -88, 79, -37, 38, -57, 24, -91, 127, -36, -8, -52, -47, -56, -30, -6, 23, 58, -8, -2, -21, -72,
    56, -54, -61, -27, -1, 86, 76, -96, -100, -16, 12, 51, 15, 101, -23, -47, 6, -24, 10, 5, 33, 56, -119, -20, 28,
    38, -13, 98, 57, -16, 59, 85, -60, 109, -78, -48, -5, -67, 21, -19, -61, 73, 2, 34, 47, -60, 77, -23, -8, 61, -48,
    -2, -20, 83, -40, -24, 83, 29, -80, -20, 40, 51, -45, -98, -64, 48, -96, 42, 13, -14, -37, -16, -69, -78, -69, 67,
    -25, 62, -116, -23, -8, -56, -63, 70, 100, -68, 50, 3, 77, 41, -2, -52, 92, 37, 81, 106, 71, 40, 86, 110, 6, 105,
    109, -17, 66, -93, -20, -15, -39, -31, 108, -11, 122, 107, 76, 112, 63, 45, -104, -29, 102, -35, -103, -25, 29,
    46, -101, -11, -103, -29, -44, 13, 40, 115, -8, 93, 0, 62, 12, 57, 13, -22, -17, -24, 26, 12, -17, -42, -23, -17,
    36, 65, 18, 0, -39, -5, -15, -106, -32, -41, 34, 5, -72, -12, 9, 35, 5, -23, -14, -56, -6, 46, 1, 66, -74, -102,
    -30, -24, 15, 105, 63, -1, 6, -68, 118, -49, -38, -55, -39, 44, -38, -21, -14, -45, -24, -46, -63, -8, -81, 83,
    10, -67, 94, -104, 3, -1, -101, -127, 26, 17, 69, -14, -40, 10, 61, 35, 13, 84, -26, 28, 102, 34, 103, -12, -3,
    -94, 62, 9, 95, -70, 45, 54, -62, -19, -76, 56, 41, -14, 20, -3, -22, 83, -115, -96, -11, -111, -6, -79, -81, 17,
    -71, 9, 18, 23, 62, 28, -35, -86, 24, 7, 35, -4, 53, 16, 101, -79, 29, 75, -41, -45, 96, 117, 112, 78, 92, 111,
    20, -77, -28, 61, -30, 14, -63, -17, 10, 89, 56, 14, 59, -24, 49, 17, 48, 64, -16, -47, 25, 55, -58, -85, -52,
    -13, -72, 52, 96, -127, -42, -96, 10, 85, -3, -22, -53, -78, -64, 52, -74, 8, 3, 6, 47, -39, 24, -72, 5, 9, -69,
    -40, 36, 4, -31, 112, 32, -116, 20, -49, 34, -32, -34, 25, 108, 104, -10, 47, -9, 60, -127, 110, 21, 111, -52, 97,
    104, -20, 45, -27, 26, -49, 43, 38, -33, -73, 7, -65, -18, 43, 3, -97, 27, -91, 104, -23, -39, 31, 34, -32, 93,
    39, 37, -50, -29, 15, -23, -7, -31, 39, 21, -32, -12, 81, -20, -40, 55, 48, 35, -44, 47, 18, 34, -42, -17, -22,
    -32, 25, -70, -42, 51, 42, -9, 27, 58, -63, -34, 19, -12, -79, 90, 6, -29, 27, 104, -34, -96, -89, -10, -33, 24,
    -75, -48, -38, 77, 2, 33, -8, 102, -83, -5, -61, -65, -32, -28, 10, -40, 20, 9, 60, -71, -64, 17, 46, 2, -35, 83,
    -56, 70, 4, 76, 28, 93, -8, 78, -38, -3, 84, 17, -15, 33, -48, -21, -15, 11, -100, -14, -127, -21, 54, -5, -48,
    23, 46, 85, 56, -18, 10, -18, -20, 49, 20, 2, -82, -15, 72, 111, -67, -80, -55, -16, -72, -48, -75, 63, -51, 13,
    101, 83, -7, 92, -28, -56, 64, 48, -33, 62, -63, 113, 98, 38, 55, -34, -22, 104, 106, 59, 36, 45, 65, 36, 83, -3,
    42, -50, 106, -15, 99, -53, 86, -8, -35, -101, -78, -40, 73, -7, 7, 51, -61, -5, 88, 29, -32, 90, -21, -117, 42,
    43, -79, 50, 41, -66, -55, 72, -49, -38, 81, -49, -103, 28, 36, 64, -40, -66, -4, 44, 1, 65, 2, 31, -53, -13, -49,
    48, 29, -23, 48, -41, -64, -70, 35, -73, 32, 51, 43, 74, -30, 24, 13, -14, 5, -23, -8, -18, -59, 63, -15, -66, 72,
    22, 43, 65, 85, 102, -99, 42, -42, 15, 31, -73, -3, 19, 73, 78, 52, 61, 62, 39, -67, -35, -46, -17, -89, 45, 55,
    -45, -73, 58, -15, -7, -67, 26, -46, -75, -61, 103, -38, -15, -41, 76, 91, 38, 82, 60, 7, -89, 25, 12, -31, -25,
    -127, -53, 62, -55, 13, 32, -19, 46, 61, -3, 99, -39, 22, 54, -104, 96, 34, 78, 44, 74, 13, -70, -85, -6, -22, 17,
    -24, 102, -46, 68, 96, 40, 54, 53, -42, -66, -45, 127, 75, 15, 93, 67, -16, -45, 93, 90, 58, -2, 15, -7, -13, -36,
    13, -8, 74, -12, -16, 7, -27, 16, 13, -42, 21, -50, -4, -44, 38, -37, -4, 11, -43, -78, -79, 34, 23, -67, 91, 11,
    20, -46, -13, -54, -2, 3, -3, 5, 57, 26, -86, 93, 53, 58, -9, 91, 10, 58, 43, 74, 86, 5, -91, -28, 35, 58, -49, 3,
    -28, -9, 21, -21, 49, -15, 76, 43, 4, 48, 1, 48, -97, -59, -10, 56, 56, 35, -53, -102, -34, -18, -13, -79, -64,
    -49, 18, 35, 33, -68, -46, -55, -64, 10, -63, 41, 11, 55, 20, 84, 4, 18, 69, 9, -26, -83, -68, -17, -89, -78, -59,
    -5, -57, -80, 55, -63, 6, -53, -48, -107, -23, -36, 0, -50, -37, 48, -66, 67, 48, 67, -49, -54, -99, 3, 127, 65,
    -21, 108, 33, -22, 66, 86, 44, 23, -8, -15, -52, 54, -61, -43, 110, -34, -28, -61, 14, 81, 69, 71, 20, -17, 18,
    48, -54, -7, 77, -54, 15, -81, 28, -11, -15, 11, 76, 29, 52, 41, -72, -38, 5, 45, 48, -42, 34, -109, -44, -101,
    12, 0, 61, -40, -66, 26, 88, 14, 52, -56, -60, -11, 63, -45, 17, -65, 86, 104, 34, 55, 36, 68, 98, -14, 9, 14,
    -75, -91, -75, 67, 58, -53, -49, -33, -54, -75, 69, 67, 12, 5, 15, 77, 2, -66, 92, -55, 63, -18, 49, -56, -106,
    -102, -42, -13, 30, -81, -47, -9, -79, -105, 44, -85, 74, -2, 32, -83, 86, 88, -45, 40, -46, -13, 0, -127, -26,
    -92, 12, -114, 45, -36, -110, -20, -54, 97, 36, -28, -24, 20, 25, 15, -36, -32, -104, 8, 64, 0, -42, -71, -101,
    -32, -60, -9, -68, -95, 60, 37, 69, -12, -57, 60, 60, 17, 37, 72, 39, 63, -48, -29, -56, 61, -81, -21, 25, 18,
    -29, 50, 107, 60, 59, 47, -42, 70, -65, 34, 105, 98, 54, -22, -57, -96, 2, -40, -79, 60, -94, -15, 16, 126, 25,
    63, -96, 51, -30, 68, 54, -68, -30, 44, 52, 77, 2, -9, 108, -57, -34, -34, -10, 93, -62, -65, -59, 99, -19, 27,
    21, 63, -113, 87, -92, 7, 39, 4, -16, 120, -33, 59, -30, 11, -108, -73, 92, -31, -9, 44, -68, -74, -53, 62, 9, 77,
    16, 115, -84, -35, 36, -55, 61, 4, -25, -73, 1, -14, 58, -17, 79, 10, 22, -91, -83, -32, 81, 53, 57, 26, 29, 53,
    -27, -14, 110, -79, -69, -59, 31, 74, 121, 11, -1, 6, -60, 54, -28, 62, -26, 64, -34, 20, -12, 29, -19, 127, 30,
    23, 83, 83, -69, -19, -62, -10, 13, -7, -54, -43, -82, 67, 40, 97, 82, 10, 0, -43, 33, 69, 0, -21, 39, 14, -74,
    58, -33, 6, -28, -1, -63, -23, -8, 58, -47, 45, 34, 93, 43, -33, -8, 30, -1, -62, 79, -60, -67, -35, 56, 9, -78,
    -77, -41, -74, -48, -63, -71, 54, -42, 28, 34, 62, -15, -63, 100, -51, 4, -78, -75, -71, 33, 84, -62, -17, -17,
    -64, 61, -45, 97, 38, -17, 80, 79, -9, -94, 7, 80, 65, -45, -58, -16, -54, 106, 24, -38, -63, 48, -106, 127, -20,
    95, -41, 103, 7, 103, 109, -42, 104, -90, 16, 74, 44, 2, -7, -4, -86, -47, 68, -85, 39, 6, 91, -80, 5, 31, -12,
    29, -21, 40, 33, 42, 78, -7, 23, 54, 50, 27, -30, 16, 91, -56, 103, 42, 66, -94, 32, 34, -63, 6, -59, 102, 28, 32,
    -77, -104, 28, 127, 15, 74, 40, 55, -42, 86, 9, 91, 4, -13, 2, 1, -50, 49, 64, 23, 88, -30, 21, 40, 80, 64, 1, 68,
    63, 51, 36, -105, -109, -34, -65, 73, -18, -120, -30, 3, -38, -6, 107, -4, 76, -80, -41, 43, 10, 75, 43, 0, -55,
    -50, -38, 3, -97, -100, 84, -30, -8, -115, 122, 94, 48, 21, 82, 78, -23, 9, 21, -59, -15, 39, 82, -33, -49, -23,
    71, -52, 2, 65, 39, 12, 10, 105, 3, -53, -59, 1, 115, -96, 48, 81, 10, -98, -55, -122, 108, 43, -53, 69, 93, -24,
    61, -17, -87, -65, -14, 67, 60, -102, 102, 71, 55, 2, -47, -37, -30, -71, 106, -64, 86, 35, -51, -3, 5, -80, -56,
    -79, -50, -13, 18, 106, 54, 21, -74, -57, 96, -50, -46, 69, 72, -76, -17, 63, -7, -89, 7, -104, -88, -31, -119,
    -72, -100, -83, -24, -10, -29, 62, -69, 10, -13, -24, 57, 53, 22, -45, -77, -7, 66, -97, 15, 44, 39, 68, -83, -85,
    -12, 12, -17, -53, -14, -100, 21, 4, 53, -61, -75, -111, 8, -91, -80, -23, -120, -69, -53, -82, -70, -38, -72, 87,
    -68, 9, 77, -73, 25, -64, 30, 11, -24, -104, -19, -127, -21, -42, 20, 70, -72, -96, -85, 85, 87, 39, 28, -31, -94,
    73, -17, 57, -127, 57, 34, 3, 10, -75, 34, 45, 29, -37, -68, 48, 46, 35, -43, -38, -16, 10, 9, -6, 88, -55, 40,
    -46, -62, 99, 91, 101, -5, -24, 70, -4, 35, 5, -13, -23, 53, -21, -84, -46, -75, -36, -22, -68, -101, -115, 36,
    46, 71, -9, 36, -11, 47, -51, 0, -90, 11, 23, 40, -54, -81, 96, 82, -87, 14, 54, -4, -109, -42, 3, -101, 17, -42,
    -11, 65, 69, 31, -70, -52, -83, -16, -59, -109, -27, -5, -3, -31, 18, -94, 69, -56, 103, -30, 10, -13, 59, 2, 75,
    65, 26, -27, -74, -17, -73, 41, 90, 8, -42, 78, -38, -21, 69, 34, 49, 15, 62, -49, -51, -8, -12, 8, -51, -127,
    -119, -111, -92, 31, -37, -55, 41, 56, -99, 13, -39, -102, -99, -97, -121, 54, -56, 56, -16, 44, 28, 22, -61,
    -110, -92, 17, -52, -70, -12, 6, -73, 59, 86, -122, 42, 80, 27, 34, 0, 37, 22, 6, -27, -52, -84, 112, -110, -79,
    -107, 74, -113, 10, -4, 24, -57, 30, -16, 8, -77, 68, -49, 63, -26, 59, -57, -3, -15, -127, -77, -40, 3, -33, -19,
    -90, -31, -23, -73, -77, -123, -106, -20, -110, -35, 101, -5, 7, 56, 22, -63, -44, -7, 40, -75, -35, -61, -53,
    -25, 54, -95, 49, -37, 73, -29, -25, -42, -117, -58, 28, 30, 52, 46, 49, -80, 0, 41, 87, -46, 99, -55, -49, -88,
    -61, 16, 48, -20, 63, 62, -37, -125, 24, -51, -81, 5, -5, -109, -32, -120, -103, 71, 86, 64, -101, 35, 25, 49,
    -32, -93, 30, 38, 60, -71, 95, -43, -57, 58, 61, 41, 86, -29, -66, 49, -54, -79, -31, 39, 100, 7, -112, -46, 15,
    -66, 76, -8, -27, -86, -54, -38, 44, -56, -60, 25, -73, -109, -115, -11, -125, -119, -16, -46, -123, 51, 70, 21,
    56, -22, -17, -48, -97, 29, 3, -10, -127, 42, 36, -40, 41, 9, -96, -25, -8, 31, -103, -76, -46, 45, 25, 77, -28,
    78, -27, -24, 44, 87, -86, -44, -5, -29, 31, 70, -54, 72, -38, 22, 14, -7, 29, 66, 79, -58, 21, -6, -87, -46, 85,
    49, -40, -24, 57, 67, -63, -64, 75, -90, 62, -96, -7, -30, 63, 45, -42, -71, 42, 54, -17, 29, -71, 56, 65, 5, 57,
    16, -79, 47, -48, -15, -48, 38, -108, 9, -29, -9, -63, -79, -85, -63, -68, -64, 36, 50, 26, 24, 58, -51, -107, 18,
    -12, -21, -11, -56, 24, 6, -93, 76, 71, -89, -57, -38, -59, 5, 44, -67, -31, -71, -79, -8, 25, -47, -32, 16, 42,
    43, 20, -17, 75, -18, 21, -2, -57, 55, -51, 27, 41, 10, -56, 70, 38, 70, 127, 26, -60, -112, 75, 64, 20, 6, 4,
    -36, -30, -62, 2, 2, -55, 36, -29, -43, 50, -24, -25, 108, 9, -94, -22, -66, 80, -41, -25, 16, -48, 92, 69, 43,
    107, 5, 28, -13, 94, 67, 35, 26, -109, -44, 5, 21, 14, 100, -16, 34, 51, 4, 84, -111, -5, 55, 102, -5, 48, -119,
    15, -83, 12, -33, 28, -4, -60, -36, -102, 25, 67, -26, 96, 29, 8, 37, -51, 74, 10, 41, -21, -77, 57, -19, -29,
    -29, 87, -50, 54, 81, 30, -5, 48, -54, 88, 27, 57, -109, -35, -127, -56, -121, -62, -118, -114, -44, 9, 37, 33,
    -28, 49, -76, -32, -39, 15, 11, 45, 43, -104, -57, 107, -11, 12, -21, 33, -52, -94, 1, 8, 18, -51, -28, 8, -27,
    39, -43, 45, -42, 26, 35, 35, 98, 5, -76, -18, 38, -2, -70, 49, 52, -2, 22, 8, -45, -51, 11, -30, 48, 35, 61, -1,
    18, -113, 44, 113, 33, 45, 23, 32, 25, 120, -39, 27, 68, -76, -30, 19, 14, 19, -98, -74, 5, 14, 19, 14, -16, -106,
    41, -101, -2, 127, 43, 67, 93, 18, 32, 21, 75, 88, 3, 54, -52, -43, -32, 22, 83, 73, 61, 20, 37, -51, 80, -101,
    -120, 15, 8, -22, -97, -117, -117, -8, -123, 8, -93, -67, -67, 71, 69, 21, -52, 97, 46, -30, 95, -33, -55, -22,
    -19, -87, 20, -31, 50, 6, 17, 65, 27, -2, 83, 27, -26, -41, 47, -20, -6, -3, -79, 20, -117, 72, -33, -109, 2, -45,
    -7, -7, -38, 76, 2, 60, 96, -25, 69, -81, 10, -111, 26, -88, -50, -48, 27, 19, 32, -30, -28, 4, -58, -20, 71, 74,
    -17, -98, 28, 67, 108, 79, 2, 8, 127, 80, 17, 97, 102, 26, 92, 62, 114, 53, -45, -74, -45, 29, 24, 77, 103, 82,
    -55, -36, 121, 94, 58, -73, 8, 62, -3, 20, -62, 39, -25, 33, -112, 61, -105, -84, 42, -37, -14, -95, -99, 19, -67,
    -38, 6, 31, -65, -83, -17, 105, 46, -79, 8, 6, 110, -10, 8, 50, -70, 31, -50, 13, -25, 18, -21, 67, 62, -74, -86,
    85, -52, -24, -84, 72, 79, -94, -37, 8, -12, -36, 71, 112, -69, 34, 70, -88, 22, -114, -54, -24, 42, -43, -51,
    -19, -22, 80, 105, 87, -26, -60, -6, 66, 1, -89, -73, -99, -17, 69, -20, -33, -19, -61, 56, 20, -67, 52, 73, 100,
    57, 57, -9, 88, 25, -80, 97, 0, 74, 27, 67, 25, -70, -78, -51, -78, -11, -89, 60, -88, 41, -71, 81, -45, -26, 94,
    -52, 30, -49, -4, 34, 42, 117, -37, -47, -11, -64, 87, -27, 19, -2, 27, 87, -40, -48, -50, -19, 34, -23, -37, 9,
    6, -6, -70, 108, -69, 54, 95, 79, -38, 81, -7, -60, 48, 12, 81, -90, 52, 93, 58, -76, 92, 17, -69, 13, 32, -26,
    29, 88, 10, 113, -41, 127, 45, 35, 22, -25, 113, 45, 23, -12, 2, 65, 33, 26, -20, 37, -64, 20, -78, -77, -81, -33,
    81, 32, 72, 29, -4, 70, -30, 12, -41, 63, 69, 61, 95, 7, 86, 6, 91, 59, 34, -32, 107, 57, -39, 112, -20, 6, 91,
    124, 91, 8, -111, -26, 71, 82, 67, 92, 81, -5, -24, -48, 15, 32, 2, 100, -18, -95, 78, -82, -51, -90, -57, 55, 45,
    -72, 15, 49, -38, -76, -100, -62, -10, 74, 90, -77, 27, 46, -62, -6, 78, -79, -88, -35, -2, -50, 53, 79, -39, -4,
    -64, 75, -62, -42, -34, 8, 127, -44, -44, 39, 13, -32, 90, 63, 27, 18, 59, 34, -30, 2, -58, 63, 41, 102, -24, -63,
    76, -69, 44, 89, -49, 53, 30, 66, -98, -21, -37, -72, 38, -57, -67, 62, 53, -6, 17, 4, 57, -48, -41, 42, -116, -8,
    -51, -75, 45, -58, 61, 70, -4, 87, -16, 28, -63, 108, -62, 85, 8, -6, 92, 26, 26, 54, 37, -50, -95, -104, -41, 19,
    -80, 17, -23, 24, -99, 15, 29, 59, -13, 17, 35, -127, -2, -76, -84, -105, -25, -5, -96, 106, 12, 0, -82, 67, -74,
    -45, -73, -86, 51, -19, -122, -48, -20, 38, 51, -6, 102, -61, 24, 71, -26, -17, 82, 98, 42, 80, 17, 49, 19, -1,
    -47, 7, 69, -64, 28, 84, 82, -90, 23, 80, -62, -20, -110, 41, 0, 104, -73, 67, -107, 19, -12, -30, 11, -48, 83,
    -10, 24, -34, 35, 10, 71, 42, -21, -24, -83, 11, 42, 12, -69, -45, 17, -12, -47, -70, 63, 35, 2, 32, 56, 73, 76,
    40, -117, -99, 25, 79, 25, -102, -36, -55, -74, 99, -13, -35, -85, -127, -121, 90, 55, -79, -85, 79, 49, -65, -56,
    81, -75, 78, 29, 91, -21, -35, -9, -48, 71, 109, 91, -43, 13, -93, 76, 5, 88, 94, 65, 70, 120, 0, 72, -76, -14,
    -59, 12, -25, -31, -66, -47, -57, -104, 46, 102, 32, 7, 52, 49, -78, 32, 97, 14, -4, 57, -107, 72, -47, 125, 29,
    33, -63, 5, -83, 3, -84, -75, -61, 29, 80, -62, 2, 21, 94, 76, 37, -46, -78, -54, 115, 55, 44, -58, -26, 54, 59,
    28, -119, 20, -42, -56, 58, 100, -69, -19, -40, -21, 2, -3, 55, 16, -53, -35, 83, 55, 9, -23, 104, -11, 113, -48,
    10, -19, -8, 73, 87, -16, 82, -26, 30, -9, 63, 64, 105, 107, 96, 102, 24, 48, 55, -22, 4, -70, -66, 59, -48, -70,
    -127, -52, -45, -72, 21, -29, 66, 22, 36, 52, -19, -14, 17, -59, -70, -6, 25, -21, 14, -24, 6, 26, -111, -99, -24,
    46, -56, -25, 49, -47, -33, -42, -11, -100, 67, 53, -19, -2, -8, -93, 7, 19, 53, -69, 88, -50, -47, 66, -39, -108,
    -78, 30, -39, -10, 45, -72, -59, 44, -33, 106, 70, -83, -20, -64, 86, 22, 81, 60, 120, -78, 68, 33, 95, 21, -71,
    82, 33, 31, -83, 1, -105, 16, 20, -59, -49, -47, -66, 95, 59, -56, 29, -74, 86, 67, -77, 109, 84, 54, -35, -13,
    -54, 7, -58, -12, -80, -36, -73, -105, 18, 92, -60, 0, 79, -114, -81, -33, -51, -53, 28, -62, -39, 85, 89, 6, -41,
    54, -11, -121, 97, 47, -15, 100, -67, -6, -32, 101, 79, 37, -19, -72, 11, -25, 57, 17, -105, -65, 17, 2, -127, 3,
    75, 119, 73, -51, -21, 82, -77, 23, -83, 54, 19, -24, -87, 76, 108, 43, 4, 5, 95, -45, 9, 63, -3, 38, 16, 14, 79,
    -15, 76, 44, 2, -65, -40, -26, 98, 81, 30, -11, 74, -82, -67, 13, 100, 14, 74, -52, 54, 31, -14, 1, -3, 52, -57,
    -50, -79, -56, 4, 36, 94, -127, -78, 30, -127, 38, 56, -88, 68, -102, -48, -39, 53, 91, -120, -65, -99, -33, 62,
    -81, 78, -45, -98, 48, -91, -28, 35, 79, 65, -96, -74, -88, -102, 26, -21, -97, -94, 45, 36, 61, -64, 14, 30, 63,
    93, 107, 104, 101, -37, 18, -33, 93, -69, -8, -9, -19, 51, -86, -99, -24, -23, 71, 4, 78, 79, 43, -41, -73, -42,
    -111, -30, 100, -21, -33, -87, 69, 18, 119, -55, 36, 11, 69, -10, -24, 39, 6, -70, 0, 88, -25, -80, 52, -57, 54,
    -51, -18, 85, -60, 46, 79, 23, 77, 18, 28, 4, -70, 93, -49, -81, 45, -54, 46, -2, -54, -46, -91, 18, -49, 34, 36,
    62, -48, 62, -42, 22, 64, 63, -33, -33, -47, 20, 13, -61, 24, 8, -37, -61, -68, -26, 24, -33, -48, 15, -79, -22,
    -90, 17, 5, -3, -48, -52, -54, 89, 127, 45, -18, 38, 55, -27, -65, 97, 42, 37, -46, -33, 6, 4, 111, 2, -23, -29,
    -98, -59, -70, 15, 62, 57, 35, -5, -11, -95, -59, -32, -44, 47, 71, -39, -24, 50, 28, 37, 60, -40, 94, 48, 54, 25,
    -55, 61, -102, -36, 97, 81, -32, -89, 17, 11, 58, 11, 102, 98, 30, 50, -75, -3, -39, -43, 9, 45, -65, -60, 118,
    31, -57, -23, -85, -87, 51, -97, -84, -103, -79, -80, 60, -53, 19, 34, 20, -68, 75, -100, 45, -81, -33, 117, 8,
    -25, -7, -67, 18, -73, 33, 32, 36, 80, -93, -20, 50, -65, 51, 47, -25, 57, 0, -37, 40, -9, 50, 91, -44, -40, 106,
    25, 20, -41, -30, 14, 75, 52, -105, 58, 20, -22, 86, 39, 115, 99, 114, 37, 16, -63, -100, 70, 121, 58, 70, -76,
    16, 108, 59, -74, 30, 52, 14, 4, 17, 18, -62, 43, -51, -16, 41, -73, 52, 58, -99, 8, 63, -62, -14, -19, 59, 20,
    20, 51, -12, -100, 109, 127, 10, 89, -114, -83, 13, 56, 34, -46, 4, -54, -16, 52, -68, -57, 60, -55, -99, -49,
    -59, -9, -30, -16, 53, 86, -40, 50, -6, 61, -97, -11, 68, -46, 119, 117, -4, 127, 81, -44, 2, 125, 71, 120, -56,
    -78, 63, -19, -39, 39, 91, 71, 17, 65, 89, -56, 69, 55, 84, 15, -88, 62, -71, -1, -27, 69, 37, -88, -84, -71, -44,
    87, 102, -50, -17, 10, 26, -1, -50, 62, -43, -61, -104, 54, -74, -94, -52, -93, -13, 45, -18, -37, -29, -72, -26,
    84, 9, 31, -42, 122, 27, 86, -12, -86, 71, -89, 60, 42, -64, 52, -118, -9, -47, -103, -19, -58, -18, 0, -38, 78,
    33, -105, 2, -43, 75, 65, 5, -65, 33, 127, 74, 68, 12, -9, -26, -55, -39, 80, -42, -31, 40, 25, 91, 73, -61, 71,
    22, 79, 67, 9, 97, -108, 56, -59, 5, 20, 16, -75, -19, 53, 51, -106, -62, 66, 70, -55, 50, 90, 23, -27, -22, -29,
    -51, 22, 70, 62, -1, -16, 71, -37, 96, 30, -58, -68, 30, 77, 9, 110, 8, 79, -110, 53, 46, 68, -6, -75, 77, -92,
    98, -89, 73, 73, 41, 31, 40, 99, -3, -23, -36, -34, -11, -28, -16, 8, 105, 6, -67, 2, 72, -87, -123, -110, 64,
    -47, 63, 79, 33, -60, -25, -1, -77, 14, -29, 30, -15, 58, 65, -43, -25, -64, -42, -105, -38, -12, 50, -52, 64,
    -55, -90, -80, -14, -6, 38, -71, 123, 46, 2, 27, 102, 60, -117, -40, -117, 85, 74, 55, -51, 74, 3, -38, -70, -16,
    -44, 53, 17, 34, 105, 55, -5, 43, 87, 102, 87, 1, 85, 16, 70, -93, -31, 42, 90, 108, 48, 75, -29, 86, 124, -36,
    55, -51, -34, -44, 92, 14, -20, 75, -22, 108, 115, -63, 41, 36, -78, 0, -61, 106, 61, 11, -66, -72, 35, -37, 19,
    -90, -77, 48, 47, -7, 113, -111, 87, -78, -2, -50, -48, 67, -78, 4, 89, 53, -31, 19, -1, -107, -101, -26, 103,
    -34, 30, 1, 89, -125, 32, 86, -84, -89, -127, 106, 43, -64, -62, 24, 28, -93, -104, -20, 76, -54, -62, 94, 24,
    -14, 23, -15, -57, -51, 23, 55, 19, -40, 27, -49, 103, 32, -44, 51, 69, 49, 112, -11, 18, -32, -67, 80, 53, 39,
    -6, -74, -34, 14, -31, -95, -16, -34, 18, -57, -20, 92, 127, 108, 22, 105, -32, 118, 42, -7, -53, 49, -66, -101,
    -49, 54, -9, -4, -18, 42, -33, 63, 39, 48, -76, -2, 29, 45, 8, 49, -89, -4, -70, 45, -15, 0, 22, -26, -4, -15,
    -91, -77, 79, -48, 51, -45, 2, 26, 29, -24, -98, -52, 30, 36, -2, -71, -35, 44, -101, 14, -2, 23, -21, -32, -68,
    60, 30, -90, 2, 48, 71, -106, 15, 96, 24, 14, -111, 23, 34, 122, 75, -16, -11, -53, -47, 9, 100, -73, -9, 101, 99,
    90, -31, -66, -43, -67, 63, 105, 119, -5, 12, 44, -57, 1, 40, -83, 4, -64, -91, -21, -13, -31, -21, 127, -78, -76,
    -16, 29, -64, -87, 34, 57, 50, 7, 38, -84, 57, -71, 127, -32, 67, 88, 61, 71, 108, 104, -90, -52, 70, -83, 3, -34,
    124, 50, 83, -23, 14, 73, -73, 120, -12, 38, 63, -26, 44, -24, -65, 72, 70, 123, -67, -6, -15, -62, 52, 48, -61,
    114, 62, 40, -12, 47, -39, -75, 20, -86, 20, 37, -71, -34, -49, -11, -22, -70, -18, -82, 49, 5, 117, 54, -124, 36,
    -110, 5, -82, -14, 18, 8, 56, 46, 77, 70, -61, -20, -72, -47, -40, 15, -15, -15, 16, 14, -54, -57, 39, -42, -9,
    -61, -34, 27, 21, 44, -8, 49, 38, -21, 20, -10, -77, 26, 26, -38, -24, 17, -77, 27, -23, 54, 46, -5, -3, -94, 0,
    10, -9, 22, -10, 41, 15, -97, 16, 12, 59, 11, 19, 22, 68, 21, 66, -6, 48, 0, 90, 2, 40, -39, 32, -57, -30, -43,
    70, -42, -32, -74, 62, -24, 63, -23, 69, -29, 6, 25, -37, -21, -36, -46, -64, -64, -15, 10, 127, -44, -48, -40,
    -80, 32, 64, 32, -10, 6, -32, -24, -30, 11, 8, 34, -4, 42, 21, 65, 45, -22, -80, -1, 49, -15, -4, 56, 22};
static const int32_t gestures_bias_0[64] GESTURES_UNUSED = {
    189, 87, -61, 1159, -283, -342, -693, 205, -416, -201, 85, -299, -329, -457, -65, -596, 39, 526, 172, 284, -696,
    546, -265, -545, -124, -169, 1216, -261, -320, -372, 714, 953, 177, -119, -365, 732, -25, -482, -167, -172, -521,
    719, 178, 504, 448, 653, 607, 1097, 406, -327, 502, -180, -181, -282, -348, 20, -207, 525, 275, 498, 193, 417,
    -416, -279};
static const int32_t gestures_multiplier_0[64] GESTURES_UNUSED = {
    1522839769, 1766650506, 1451364103, 1693149887, 1651742846, 1550819539, 1446399222, 1496332456, 1621449814,
    1444677833, 1637674852, 1565118421, 1509094280, 1654312618, 1485476152, 1525398674, 1600882672, 1571614378,
    1654915358, 1510667925, 1381264092, 1711332785, 1645242403, 1374470454, 1659171027, 2007739640, 1616698872,
    1530929907, 1662172267, 1558339537, 1741693708, 1871684031, 1698865253, 1582551931, 1683639033, 1115626302,
    1755853220, 1659288963, 1554224832, 1549564212, 1380075161, 1623690999, 1641374138, 1533306873, 1529463532,
    1648476126, 1762327245, 1839694333, 1565491171, 1538307943, 1682608413, 1520645838, 1424846521, 1581457807,
    1499987578, 1472288741, 1563437308, 1596684526, 1607880481, 1583732987, 1399605102, 1813877191, 1406305429,
    2051264546};
static const int32_t gestures_shift_0[64] GESTURES_UNUSED = {
    -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8,
    -8, -8, -8, -8, -8, -8, -8, -7, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8, -8,
    -8, -8, -8, -8, -8, -8, -8, -8};

/* Operation 1: 64 inputs, fully connected to 5 units. */
static const int8_t gestures_weights_1[320] GESTURES_UNUSED = {
    -39, -64, -15, 44, -55, 16, -73, -17, -36, -78, -25, -58, -53, -53, -127, -28, -93, 98, 107, -5, 19, 124, -30,
    -58, -36, -66, 72, -67, 36, -52, 107, 35, 99, -17, -75, 93, -46, -34, -72, 6, -66, 59, 60, -36, -47, 71, 111, 19,
    3, -47, -98, -51, -89, -66, -82, -70, -20, -99, -94, 105, 28, 33, 13, -118, 81, -86, -92, -61, 56, -127, 103, 67,
    -53, 29, 28, 68, 106, -37, 68, -93, -101, -72, 69, 46, 27, -14, 7, -12, -91, 34, -9, 19, 37, -1, -63, -30, -57,
    -53, 67, -16, -85, 91, 77, 15, 13, 50, 83, 51, 86, 80, -96, -82, -35, -46, -105, 22, -33, -103, -24, 82, -27, -15,
    -89, -73, -102, -65, -99, -26, 61, -32, 51, -86, -48, 44, 34, -111, 29, 74, -18, -39, -55, 80, -65, 78, 34, -43,
    23, 22, 95, 69, 7, 35, -40, -17, 47, -36, 12, -67, 52, -40, 65, 4, 56, 40, -119, 17, 121, 50, 88, -127, 30, -123,
    -25, -105, -61, -113, -46, -30, 93, -125, 23, -33, -3, 48, -41, 78, -53, 21, 98, -58, 24, -86, -103, 44, 61, 65,
    -63, -81, -112, -64, -56, -76, -89, 84, -6, 77, -69, 31, 17, -76, 53, -127, -64, 6, 15, 4, 23, -36, 47, 17, -115,
    80, -67, -57, 4, 44, 6, 42, 20, -108, -41, -11, -28, -21, -17, 28, 76, -52, -90, -3, 113, -14, 85, 44, -100, 62,
    58, -89, -1, -54, 23, -50, 3, -45, -1, -69, -18, -39, -120, -127, 63, 81, -54, 54, -19, 22, -79, -78, -40, 15, 55,
    -13, -14, 84, -44, 93, 26, 0, 103, 28, -21, -21, -96, 120, 93, 44, 37, 35, -65, 58, -43, 64, -26, -13, 20, 97,
    -49, -71, -50, -22, -55, -12, -36, -95, -101, 54, 16, -50, -81, -75, 118, -56, 57, 72, -62, 56, -2, -84, -6, -51};
static const int32_t gestures_bias_1[5] GESTURES_UNUSED = {
    965, -124, -954, 539, -792};
static const int32_t gestures_multiplier_1[5] GESTURES_UNUSED = {
    1595941167, 1489052047, 1350184123, 1494754748, 1490353926};
static const int32_t gestures_shift_1[5] GESTURES_UNUSED = {
    -10, -10, -10, -10, -10};

/* Labels in UTF-8. */
static const char *const gestures_labels[5] GESTURES_UNUSED = {
    "circle", "idle", "shake", "updown", "wave"};

/* From quantized features to scores, inside the arena. */
GESTURES_FN void gestures_run_network(void) {
  gestures_fully_connected(gestures_memory.work.arena, 120, 64, -7, gestures_weights_0, gestures_bias_0,
      gestures_multiplier_0, gestures_shift_0, 1, -128, -128, 127, gestures_memory.work.arena + 120);
  gestures_fully_connected(gestures_memory.work.arena + 120, 64, 5, -128, gestures_weights_1, gestures_bias_1,
      gestures_multiplier_1, gestures_shift_1, 1, -21, -128, 127, gestures_memory.work.arena);
  gestures_softmax(gestures_memory.work.arena, 5, 1097442176, 24, -124, gestures_memory.work.arena);
}

/* From a window to quantized features, at the start of the network. */
GESTURES_FN void gestures_run_features(const float *window) {
  gestures_spectral(window, GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS, gestures_axes_0, 6, gestures_ints_0,
      gestures_floats_0, gestures_memory.work.scratch, gestures_memory.features + 0);
  gestures_flatten(window, GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS, gestures_axes_1, 6, gestures_ints_1,
      gestures_floats_1, (float *)0, gestures_memory.features + 78);
  gestures_quantize_input(gestures_memory.features, GESTURES_FEATURE_COUNT, gestures_input_a, gestures_input_b,
      gestures_memory.work.arena);
}

/* The bare network: FEATURE_COUNT quantized features in, LABEL_COUNT scores out. Returns 0. */
GESTURES_FN int gestures_invoke(const int8_t *input, int8_t *output) {
  int32_t i;
  for (i = 0; i < GESTURES_FEATURE_COUNT; i++) gestures_memory.work.arena[i] = input[i];
  gestures_run_network();
  for (i = 0; i < GESTURES_LABEL_COUNT; i++) output[i] = gestures_memory.work.arena[i];
  return 0;
}

/*
 * The decision over the scores of this window and the ones before it: a label, or -1 when uncertain. gestures_push
 * calls this; call it yourself only with results of gestures_classify.
 */
GESTURES_FN int gestures_decide(const int8_t *scores) {
  return (int)gestures_smooth_add(gestures_memory.history, GESTURES_SMOOTHING_WINDOWS,
      &gestures_memory.history_rows, &gestures_memory.history_next, scores, GESTURES_LABEL_COUNT,
      GESTURES_OUTPUT_ZERO_POINT, GESTURES_SMOOTHING_THRESHOLD);
}

/*
 * Classifies one window, window[frame * GESTURES_CHANNELS + channel], apart from the stream: its decision is about
 * this window alone. Returns 0.
 */
GESTURES_FN int gestures_classify(const float *window, gestures_result *result) {
  int32_t i;
  gestures_run_features(window);
  gestures_run_network();
  for (i = 0; i < GESTURES_LABEL_COUNT; i++) result->scores[i] = gestures_memory.work.arena[i];
  result->best = (int)gestures_smooth_best(result->scores, GESTURES_LABEL_COUNT);
  result->decision = (int)gestures_smooth_decide(result->scores, 1, GESTURES_LABEL_COUNT,
      GESTURES_OUTPUT_ZERO_POINT, GESTURES_SMOOTHING_THRESHOLD);
  return 0;
}

/*
 * One sample of every channel, GESTURES_RATE_HZ times a second. Returns 1 when it completed a window and the result
 * was filled, else 0.
 */
GESTURES_FN int gestures_push(const float sample[GESTURES_CHANNELS], gestures_result *result) {
  if (!gestures_window_push(gestures_memory.window, GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS, sample,
      &gestures_memory.filled, &gestures_memory.skip)) return 0;
  (void)gestures_classify(gestures_memory.window, result);
  result->decision = gestures_decide(result->scores);
  gestures_window_advance(gestures_memory.window, GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS,
      GESTURES_STRIDE_FRAMES, &gestures_memory.filled, &gestures_memory.skip);
  return 1;
}

/* Forgets the samples and scores so far: call it after a pause in the stream. */
GESTURES_FN void gestures_reset(void) {
  gestures_memory.filled = 0;
  gestures_memory.skip = 0;
  gestures_memory.history_rows = 0;
  gestures_memory.history_next = 0;
}

/* The name of label i, or an empty text for anything else, such as the -1 of an uncertain decision. */
GESTURES_FN const char *gestures_label(int i) {
  return i >= 0 && i < GESTURES_LABEL_COUNT ? gestures_labels[i] : "";
}

/*
 * Known answers for 6 recorded and 58 generated windows. They take no memory in a program that never calls
 * gestures_selftest.
 */
static const float gestures_test_scale[6] GESTURES_UNUSED = {
    0.000483202544f, 0.000999311451f, 0.000659231329f, 0.00948279724f, 0.0079517113f, 0.00681580184f};
static const float gestures_test_offset[6] GESTURES_UNUSED = {
    -0.0201536305f, 0.180002078f, 9.57712173f, 1.05215847f, -4.97501612f, -0.801068664f};
static const int16_t gestures_test_windows[3600] GESTURES_UNUSED = {
    -17160, 2171, 14578, -5394, 6841, 341, -17868, 1615, 14635, -5745, 6490, 726, -18289, 972, 14512, -6290, 6213,
    726, -18497, 765, 14426, -6747, 5544, 953, -18901, -107, 14271, -6960, 5084, 905, -19338, -551, 14420, -7098,
    4134, 645, -19749, -1034, 13984, -7201, 3601, 564, -18973, -1644, 13823, -7792, 639, -226, -18597, -2186, 14017,
    -7356, -152, -315, -17578, -2714, 13990, -7081, -772, -452, -17323, -3319, 14245, -6857, -1131, -237, -16261,
    -3649, 14119, -6818, -1584, -228, -15228, -4139, 14168, -6899, -1888, -198, -14603, -4363, 14134, -6596, -1994,
    -198, -14015, -4793, 14120, -6343, -2095, -371, -13809, -5134, 13923, -6084, -2426, -910, -13096, -5439, 13789,
    -5637, -2836, -1039, -12289, -5529, 13983, -5207, -3448, -1044, -11031, -5749, 13902, -4680, -3912, -1314, -10182,
    -6010, 13742, -4362, -4398, -1390, -9386, -6009, 13961, -4028, -4900, -1310, -8670, -6389, 14296, -3888, -5074,
    -1477, -8044, -6360, 14141, -3560, -5281, -1521, -7243, -6563, 14177, -3593, -4977, -1936, -6754, -6735, 14103,
    -3366, -5119, -1856, -5837, -6820, 13920, -3080, -5062, -1831, -5407, -6772, 13678, -2697, -5118, -1818, -4185,
    -6774, 13754, -1893, -5220, -2034, -3569, -6755, 13966, -1608, -5438, -1878, -2940, -6719, 13722, -1159, -5666,
    -2134, -2200, -6714, 13959, -834, -5791, -2185, -1177, -6784, 13900, -731, -6243, -2015, -831, -6833, 14446, -383,
    -6089, -2265, -134, -6489, 14242, -206, -6021, -2379, 878, -6496, 14165, 137, -5939, -2234, 1792, -6350, 14308,
    419, -5570, -2138, 2417, -6309, 13999, 1000, -5579, -1901, 2844, -6054, 14155, 1367, -5289, -1611, 3252, -5712,
    14097, 1714, -5229, -1756, 3758, -5666, 13889, 2161, -5043, -1705, 4352, -5682, 14034, 2311, -5007, -1810, 4766,
    -5313, 14306, 2405, -4876, -1719, 5091, -5124, 14286, 2581, -4780, -1812, 5913, -4758, 14612, 2827, -4619, -1696,
    6415, -4575, 14437, 3129, -4390, -1613, 6437, -4065, 14793, 3530, -4079, -1194, 6963, -3962, 14272, 4083, -3955,
    -944, 6861, -3541, 14265, 4428, -3467, -863, 6905, -3265, 14293, 4604, -3048, -849, 7367, -3094, 14076, 4863,
    -2739, -810, 7662, -2930, 14180, 4679, -2202, -916, 8032, -2613, 14100, 4656, -2058, -712, 7947, -2357, 14539,
    4496, -1667, -895, 8268, -2017, 14600, 4498, -1294, -356, 8140, -1682, 14836, 4828, -1265, -40, 7734, -1064,
    14916, 4976, -785, 162, 7556, -696, 14718, 5309, -308, 491, 7196, -467, 14583, 5521, 197, 318, 7165, -254, 14352,
    5622, 699, 173, 6926, 65, 14356, 5366, 1061, -122, 6685, 225, 14434, 5308, 1501, -62, 6985, 491, 14318, 4952,
    1784, -181, 6488, 677, 14611, 4606, 2067, 192, 6181, 1045, 14670, 4600, 2298, 698, 5556, 1100, 14894, 4388, 2670,
    731, 4756, 1473, 14951, 4395, 3190, 947, 4189, 1863, 14952, 4391, 3464, 909, 3799, 1883, 14790, 4324, 3752, 467,
    3246, 2376, 14732, 4267, 4180, 216, 2784, 2407, 14639, 4079, 4534, 52, 2111, 2583, 14733, 3646, 4835, -65, 1760,
    2650, 14778, 3448, 4953, 186, 920, 2752, 14942, 3049, 5265, 502, -16, 2844, 14652, 2614, 5306, 710, -525, 2866,
    15104, 2500, 5596, 967, -1439, 2872, 15041, 2154, 5569, 1084, -2223, 3075, 15080, 2051, 5699, 625, -2454, 3026,
    14912, 1764, 6144, 274, -3533, 3184, 14899, 1384, 6348, -18, -3898, 2920, 14680, 1003, 6370, -137, -4821, 2932,
    14470, 594, 6507, -10, -5290, 2932, 14829, 183, 6359, 359, -6440, 2845, 14555, -194, 6432, 638, -6691, 2635,
    14600, -626, 6250, 1041, -7290, 2683, 15065, -702, 6076, 983, -7829, 2617, 14543, -923, 5859, 835, -8639, 2360,
    14857, -1145, 5824, 478, -9145, 2214, 14451, -1375, 5732, 190, -9697, 1888, 14605, -1864, 5882, -186, -10326,
    1653, 14637, -2269, 5650, -136, -10720, 1470, 14277, -2675, 5592, 211, -11441, 1302, 14410, -2997, 5375, 702,
    -11649, 902, 14348, -3363, 4947, 866, -11934, 868, 14497, -3581, 4600, 1023, -12196, 437, 14281, -3639, 4306, 986,
    -12132, 276, 14377, -3747, 3844, 739, -12989, 215, 14283, -3732, 3471, 292, -12919, -298, 14351, -3793, 3188, -36,
    -13250, -674, 14397, -4157, 2959, -200, -13300, -1049, 14168, -4316, 2693, 5, 2184, 508, 14486, -15, 1, 60, 1923,
    711, 14567, -270, 170, 227, 2147, 574, 14794, -70, 215, 497, 1958, 470, 14720, 2, 297, 489, 2269, 589, 14946, -30,
    157, 550, 2231, 793, 15003, -89, 128, 551, 2503, 949, 14658, -139, -105, 460, 2653, 831, 14749, -237, -209, 109,
    2669, 722, 14485, -179, -47, 286, 2335, 617, 14610, -117, 117, -37, 2197, 655, 14673, -50, 193, 50, 1986, 679,
    14859, -199, 288, 437, 2373, 756, 14936, -66, 264, 294, 2198, 660, 14852, -316, 179, 502, 2436, 673, 14728, -401,
    141, 368, 2587, 707, 14749, -397, 125, 412, 2582, 595, 14576, -396, -64, 308, 2152, 490, 14495, -305, -106, -23,
    2330, 732, 14613, -163, -23, -111, 2330, 704, 14483, 47, 63, 171, 2144, 832, 14690, 214, 52, 17, 2246, 644, 14821,
    134, 104, 176, 2297, 708, 15053, 74, 210, 165, 2286, 625, 14938, -185, 333, 170, 2396, 509, 14647, -361, 355, 167,
    2609, 573, 14755, -490, 183, 316, 2296, 590, 14466, -581, 237, 141, 1850, 612, 14500, -519, 25, 66, 1982, 599,
    14664, -210, 108, 72, 2168, 706, 14673, -140, 198, 329, 2168, 549, 14713, -42, 145, 109, 2266, 586, 14925, -18,
    58, 299, 2429, 593, 14960, 92, 224, -13, 1882, 461, 14943, -12, 47, -23, 2084, 553, 14710, -213, 240, 53, 2341,
    492, 14957, -173, 53, -32, 2269, 481, 14567, -130, 90, 129, 2172, 545, 14427, -164, 199, 139, 2072, 573, 14529,
    -202, 204, 310, 2123, 617, 14735, -261, 9, 378, 2347, 592, 14801, -192, -106, 512, 2196, 739, 14941, -317, -48,
    363, 2088, 532, 14655, -401, -186, 239, 2175, 508, 14995, -339, -62, -243, 2170, 322, 14656, -264, 121, -296,
    1945, 468, 14850, -146, -19, -499, 2110, 496, 15048, -29, 392, -257, 2105, 542, 14755, 109, 187, 21, 2509, 645,
    15021, 120, 169, 506, 2498, 710, 14563, 164, -2, 293, 2319, 642, 14995, 21, -171, 502, 1853, 720, 14900, -281,
    -294, 184, 2244, 564, 14725, -478, -193, 55, 2266, 590, 15023, -580, -176, -394, 2417, 254, 14866, -494, 176,
    -423, 2083, 402, 14885, -524, 165, -795, 1887, 625, 14901, -226, 171, -350, 2320, 546, 14732, -65, 337, -189,
    1799, 444, 14511, 244, 331, 333, 2292, 576, 14349, 276, 12, 340, 2247, 675, 14560, 198, -92, 440, 2556, 624,
    14669, 169, -304, 345, 2311, 689, 14563, -173, -294, 156, 2159, 382, 14737, -316, -356, -222, 1995, 439, 14868,
    -346, -162, -588, 2185, 596, 14699, -322, 272, -758, 2195, 445, 14769, -267, 441, -497, 1853, 325, 14725, -175,
    356, -250, 2069, 468, 14634, -221, 116, -43, 2360, 468, 14623, -259, -37, 336, 2440, 623, 14690, -238, -243, 349,
    2364, 469, 14694, -142, -550, 232, 2200, 564, 14600, -149, -362, 116, 2287, 668, 14591, 5, -223, -288, 1949, 599,
    14714, 52, -97, -453, 2182, 418, 14805, 127, 242, -601, 2008, 555, 14625, 56, 248, -484, 2052, 357, 14864, 12,
    376, -470, 2147, 343, 14752, -154, 177, -246, 2079, 516, 14856, -242, 33, 2, 2206, 548, 14999, -520, -357, -51,
    2444, 428, 14718, -504, -233, -15, 2059, 564, 14520, -481, -474, 92, 2039, 614, 14576, -213, -303, -126, 2415,
    436, 14738, -39, 111, -33, 2214, 587, 14641, 50, 135, -209, 2203, 278, 14906, 128, 536, -319, 1872, 296, 14693,
    118, 475, -339, 2299, 366, 14896, 50, 283, -275, 1990, 339, 14976, -142, -75, -484, 2187, 359, 14953, -209, -282,
    -415, 2296, 488, 14577, -451, -365, -75, 2472, 468, 14628, -172, -310, -105, 2126, 499, 14688, -123, -386, 6,
    2400, 577, 14930, -91, 33, 17, 2311, 462, 14781, -107, 275, 80, 2352, 360, 15030, -67, 345, 102, 2904, 339, 15012,
    -223, 370, -258, 2371, 288, 14827, -145, 137, -417, 2152, 401, 14975, -206, -51, -604, 825, 11256, 17863, 9165,
    792, 16279, -1146, 10170, 18308, 12071, 856, 15112, -3153, 7126, 17668, 14357, 824, 13159, -4466, 3614, 16458,
    16067, 884, 10518, -5601, -55, 15193, 16470, 806, 7242, -7656, -3437, 13488, 16053, 645, 3727, -9290, -5348,
    11664, 15485, 232, -11, -10392, -6505, 10925, 13534, -225, -4037, -11007, -6981, 10619, 10502, -793, -8261,
    -11263, -7370, 11309, 6582, -1560, -12503, -10440, -9169, 13504, 1863, -2370, -15942, -9210, -12093, 16218, -3275,
    -2694, -18522, -6664, -14896, 18263, -8210, -3031, -19785, -3497, -14917, 19725, -12807, -2522, -19581, -465,
    -10959, 19134, -16569, -1697, -17867, 3279, -3706, 17438, -19293, -1036, -14140, 6537, 4544, 14350, -20227, 45,
    -9318, 9289, 10245, 11621, -19737, 390, -3385, 11221, 12271, 9667, -17521, 489, 3026, 11886, 12119, 9447, -13534,
    397, 9383, 11173, 12643, 11236, -7897, 159, 14840, 8979, 15596, 14714, -1708, 11, 19101, 6295, 19356, 18036, 5179,
    -5, 21454, 2283, 20900, 20436, 11631, 316, 21844, -1872, 16747, 20802, 16992, 1071, 19902, -6614, 7787, 18474,
    20810, 1601, 16010, -11078, -2472, 15089, 22347, 1644, 10393, -13708, -9416, 11058, 22186, 1230, 5197, -15498,
    -11393, 8876, 19532, 218, -2351, -16094, -11057, 8677, 14720, -1320, -9226, -14576, -11621, 10959, 8553, -2736,
    -15341, -12748, -14363, 14442, 1645, -3665, -19879, -9546, -17595, 17513, -5564, -3920, -22656, -5576, -18370,
    19822, -11913, -3397, -23009, -1551, -14692, 20106, -17330, -2392, -21849, 2311, -6959, 18753, -21034, -1337,
    -18123, 5710, 1948, 16105, -22930, -137, -12926, 8262, 8555, 12732, -22864, 334, -6731, 10919, 11711, 10353,
    -20783, 572, -37, 11520, 12009, 9139, -17017, 218, 6701, 11080, 11539, 9726, -12081, -248, 12784, 9632, 12693,
    12283, -6000, -583, 17659, 7794, 15457, 15316, 463, -741, 21188, 4905, 18244, 18239, 6792, -483, 23162, 1726,
    18742, 20080, 12502, 177, 23174, -2286, 15360, 20211, 17381, 1061, 21180, -5577, 8784, 18885, 20766, 1477, 17717,
    -8725, 850, 16193, 22353, 1583, 12963, -11220, -5453, 12948, 22696, 1279, 8164, -12760, -8366, 10480, 21025, 441,
    1453, -13653, -8856, 9567, 17966, -560, -4492, -13311, -8428, 9955, 13809, -1727, -10112, -12645, -8263, 11194,
    8897, -2751, -14859, -11527, -9791, 13372, 3481, -3403, -18253, -9360, -11636, 15441, -2062, -3653, -20674, -7171,
    -13404, 17689, -7178, -3495, -21511, -4859, -13200, 18747, -11934, -3152, -21394, -2176, -10857, 18806, -15973,
    -2449, -19790, 181, -6823, 18193, -18879, -1855, -17386, 2165, -1831, 16542, -20671, -917, -13910, 3639, 2979,
    14796, -21396, -416, -9967, 5226, 6209, 12860, -20707, 109, -5340, 6326, 8068, 11793, -19093, 370, -546, 6995,
    8210, 10773, -16314, 418, 4179, 7034, 8015, 11204, -13200, 75, 9006, 6979, 7777, 11706, -9264, -136, 13234, 6557,
    8405, 12982, -5009, -737, 16608, 4895, 9768, 14553, -665, -827, 18977, 3772, 11429, 16158, 3636, -868, 20593,
    2237, 12571, 17468, 7714, -741, 21118, -205, 12592, 18530, 11521, -290, 20296, -2147, 10870, 18360, 14827, 370,
    18555, -3852, 7930, 17583, 17247, 774, 16133, -5452, 4030, 16761, 19059, 1297, 13226, -6809, -19, 15245, 19975,
    1229, 9679, -8534, -3299, 13818, 19537, 823, 4670, -10282, -5948, 11907, 18690, 388, 596, -11551, -6988, 10771,
    16521, -452, -3773, -12727, -7457, 10352, 13534, -1439, -8125, -13187, -7502, 10627, 9507, -2232, -12333, -12485,
    -8557, 12024, 4960, -2982, -16329, -10980, -10726, 14035, -243, -3453, -19600, -9035, -13386, 16154, -5332, -3573,
    -21656, -6515, -15267, 18224, -10442, -3293, -22646, -4013, -14539, 19265, -14766, -2533, -21511, -844, -10666,
    19166, -18545, -1946, -19049, 2313, -4042, 17768, -21023, -1099, -15058, 4735, 3053, 15272, -22135, -534, -9819,
    7468, 8431, 12699, -21773, -100, -3906, 9295, 11081, 10535, -19810, 124, 2232, 10070, 11214, 9464, -16450, 24,
    8339, 10425, 11087, 10046, -11595, -253, 13594, 9433, 12476, 12071, -5758, -559, 17965, 7659, 15249, 14968, 544,
    -652, 21011, 4980, 18520, 18146, 6883, -549, 22642, 1094, 19143, 20027, 12726, -240, 22581, -2651, 15864, 20422,
    17489, 337, 20811, -6928, 8738, 18804, 20794, 921, 17280, -9884, 234, 16100, 22354, 1169, 12704, -12762, -6642,
    12623, 21564, 760, 4307, -2984, -2258, 21474, 2654, -78, 719, -3087, -2073, 21365, 3031, -60, 294, -2633, -2117,
    21008, 3220, 314, -18, -3027, -1933, 20765, 3305, 464, -278, -2709, -2148, 20278, 3375, 431, -382, -2954, -2066,
    19763, 3406, 502, -259, -2755, -1975, 19781, 3425, 289, 88, -3247, -1950, 19134, 3469, 316, 338, -2853, -2027,
    18778, 3446, 130, 715, -2825, -1828, 18815, 3762, 8, 640, -2755, -1722, 17843, 3910, -102, 485, -2980, -1790,
    17688, 4029, 11, 131, -2924, -1728, 16798, 4116, 88, -152, -2940, -1831, 16455, 3922, 410, -527, -3063, -1826,
    15983, 3798, 350, -482, -2982, -1755, 15116, 3660, 469, -147, -3262, -1656, 14743, 3590, 448, 329, -3063, -1776,
    14179, 3451, 246, 477, -2978, -1519, 13802, 3954, 162, 620, -2907, -1649, 13028, 4183, 163, 573, -2551, -1500,
    12543, 4289, 17, 320, -3156, -1243, 11857, 4455, -31, -126, -2877, -1430, 11329, 4494, 16, -446, -3040, -1475,
    10786, 4194, 126, -594, -2967, -1515, 9984, 4069, 214, -364, -3157, -1327, 9570, 3832, 309, 138, -2912, -1290,
    8868, 3447, 439, 429, -2814, -1149, 8405, 3191, 258, 696, -2516, -1361, 8026, 2900, 149, 666, -2388, -1207, 7519,
    2653, 409, 340, -3093, -1205, 7177, 2645, 58, -24, -2797, -1071, 7045, 2337, 50, -296, -3251, -1079, 6792, 2077,
    -12, -496, -2931, -1101, 6439, 1751, 14, -452, -3253, -1166, 6522, 1464, 39, -127, -2996, -942, 6439, 1185, 196,
    407, -2689, -1061, 6102, 747, 218, 584, -2921, -939, 6134, 433, 205, 758, -3066, -971, 6270, -61, 196, 340, -2985,
    -1051, 6466, -399, 117, 205, -3056, -990, 6399, -918, 72, 13, -3219, -1224, 6604, -1434, 159, -140, -3421, -1047,
    7055, -1685, 40, -480, -3079, -1091, 6851, -1949, 2, -195, -2892, -912, 7238, -2229, -70, 221, -2619, -987, 7605,
    -2570, 1, 384, -2931, -950, 7645, -2673, 17, 578, -3281, -1135, 8126, -3071, 298, 646, -2973, -1122, 8420, -3136,
    256, 351, -3191, -1150, 8604, -3572, 261, -22, -3367, -1158, 8937, -3912, 233, -191, -3158, -1174, 9240, -4073,
    82, -292, -3241, -1159, 9667, -4409, 45, -164, -3064, -1233, 9802, -4566, -17, -66, -3215, -1227, 9986, -4606,
    -97, 226, -2955, -1045, 10296, -4669, -39, 546, -2549, -1094, 10368, -4831, 12, 601, -2754, -1274, 10709, -4750,
    152, 420, -3044, -1359, 11170, -4869, 294, 137, -3230, -1486, 11377, -4969, 343, -154, -3231, -1465, 11818, -5071,
    280, -264, -3316, -1447, 12330, -4960, 330, -59, -3160, -1569, 12354, -4881, 174, -101, -2855, -1647, 12742,
    -4756, -295, 42, -3260, -1493, 13143, -4753, -247, 288, -3282, -1525, 13295, -4286, -114, 134, -3089, -1468,
    13961, -4239, -247, 310, -3102, -1568, 14268, -4131, -50, 178, -3127, -1736, 14867, -3992, 271, 25, -3071, -1721,
    15474, -3986, 159, -169, -2938, -1665, 16191, -3703, 324, -148, -3394, -1797, 16541, -3525, 153, 149, -3103,
    -1756, 17649, -3046, -10, 239, -3230, -1893, 18002, -2593, -181, 341, -3416, -1947, 18483, -2199, -91, 346, -3092,
    -1884, 19079, -1664, -285, 128, -3109, -1960, 19821, -1423, -117, 5, -3132, -1948, 20097, -1239, -103, -45, -2997,
    -1976, 21263, -1284, 9, -88, -3127, -2123, 21730, -970, 132, 118, -3350, -1985, 22173, -747, 365, 148, -3294,
    -2094, 22917, -389, 395, 382, -3459, -2040, 23264, 259, 218, 261, -3449, -1910, 23758, 607, 92, 221, -3093, -1894,
    24290, 1452, -146, 224, -2822, -1976, 24585, 1831, -237, -165, -3140, -1866, 24837, 2308, -200, -126, -2948,
    -1832, 25082, 2438, -48, -111, -3106, -2122, 25191, 2591, -264, -240, -3053, -2120, 25356, 2575, -64, 23, -2841,
    -2063, 25711, 2808, -37, 224, -3133, -2050, 25681, 3168, 347, 483, -3381, -1764, 25264, 3603, 128, 394, -3216,
    -1605, 25244, 4009, 163, 157, -2875, -1722, 24783, 4438, 182, -207, -3133, -1669, 24620, 4722, 125, -162, -2988,
    -1850, 23865, 4868, -29, -82, -2929, -1693, 23422, 4819, -92, -14, -3218, -1928, 22866, 4937, -297, 343, -2987,
    -1731, 22393, 4933, -299, 255, 17285, 1164, 13104, -2151, -21262, -2926, 18812, 1131, 13184, -2163, -20071, -2758,
    19954, 1174, 13019, -1747, -18651, -2150, 21251, 1079, 13050, -1714, -17250, -1704, 22379, 1134, 12932, -1389,
    -15498, -923, 23027, 1329, 12980, -1021, -13461, -333, 23790, 1295, 13097, -586, -11418, 336, 24293, 1059, 13043,
    -375, -9426, 934, 24650, 1198, 13167, 22, -7445, 1119, 25078, 1028, 13412, 373, -5583, 1376, 25536, 1085, 13269,
    473, -3880, 1413, 25357, 932, 13356, 964, -1836, 1752, 25477, 970, 13253, 1212, 92, 1819, 25159, 1067, 13023,
    1560, 2225, 2240, 25009, 1210, 13166, 1837, 4520, 2538, 24764, 1203, 13186, 2131, 6722, 3285, 24509, 1173, 13100,
    2299, 8714, 3766, 23629, 1272, 13229, 2727, 10792, 4150, 22837, 1276, 13169, 2926, 12698, 4699, 21961, 1142,
    12976, 3131, 14361, 4853, 20772, 1308, 13018, 3182, 15888, 4911, 19659, 1130, 12794, 3430, 17443, 4960, 18168,
    1162, 13027, 3406, 18960, 5292, 17208, 1252, 12860, 3391, 20476, 5549, 15798, 1262, 13046, 3241, 21767, 5634,
    14303, 1396, 12896, 3044, 22947, 6051, 12878, 1315, 12987, 2629, 24298, 6416, 11321, 1321, 12858, 2235, 24895,
    6504, 9694, 1358, 12975, 1961, 25697, 6510, 7652, 1143, 13032, 1836, 26121, 6339, 6288, 1187, 13017, 1971, 26419,
    6081, 4663, 1257, 13182, 1743, 26587, 6066, 2485, 1298, 13155, 1568, 26518, 5676, 551, 1537, 13319, 1353, 26591,
    5672, -1150, 1422, 13226, 841, 26396, 5579, -3144, 1228, 13536, 302, 25850, 5407, -5099, 1448, 13813, -128, 25075,
    5241, -6942, 1327, 13799, -595, 24148, 4782, -8674, 1438, 14035, -608, 23211, 4362, -10331, 1378, 14040, -592,
    21734, 3639, -12214, 1367, 14355, -471, 20337, 2948, -13490, 1188, 14652, -366, 19143, 2331, -15214, 1280, 14732,
    -189, 17514, 1778, -16605, 1321, 15014, -241, 15837, 1305, -17956, 1451, 15215, -154, 14085, 546, -18617, 1371,
    15716, -334, 11941, 229, -19260, 1382, 15538, -293, 9801, -172, -20506, 1448, 15536, -233, 7280, -1011, -21045,
    1333, 15730, -347, 4698, -1710, -21338, 1172, 15813, 10, 2234, -2024, -21226, 1336, 15895, 365, -419, -2279,
    -21008, 1312, 16089, 816, -2732, -2637, -21059, 1229, 15850, 1025, -4901, -3207, -20232, 1332, 15783, 1146, -7153,
    -3832, -19497, 1366, 15611, 1161, -9115, -4658, -18976, 1501, 15462, 1155, -11595, -5155, -17560, 1389, 15147,
    950, -13880, -5967, -16515, 1497, 14853, 806, -16033, -6278, -15366, 1429, 14740, 697, -18311, -6433, -13634,
    1464, 14479, 564, -20308, -6505, -12146, 1375, 14132, 545, -22147, -6675, -10443, 1402, 14117, 476, -23700, -6416,
    -7795, 1357, 13641, 387, -24831, -6488, -6008, 1417, 13813, 115, -25911, -6717, -3511, 1344, 13342, -422, -26865,
    -6738, -1000, 1352, 13085, -886, -27315, -6828, 982, 1370, 12957, -1179, -27721, -7134, 3263, 1344, 12922, -1542,
    -27901, -6770, 5116, 1321, 12901, -1719, -28031, -6510, 7281, 1430, 12869, -1885, -27741, -5940, 9630, 1364,
    12599, -1873, -27337, -5258, 11703, 1218, 12733, -1803, -26591, -4433, 13737, 1419, 12662, -1885, -25654, -4084,
    15937, 1277, 12892, -2022, -24656, -3435, 17774, 1259, 12867, -2163, -23326, -3141, 19727, 1284, 13467, -2524,
    -21975, -2898, 21569, 1258, 13325, -2335, -20158, -2286, 22855, 1286, 13573, -2029, -18326, -1701, 24194, 1190,
    13661, -1780, -15988, -1061, 25248, 1155, 13527, -981, -13899, -393, 26197, 1166, 13737, -510, -11275, 222, 26873,
    1213, 13929, 147, -8627, 886, 27312, 1138, 13892, 571, -6089, 1185, 27703, 1102, 14091, 580, -3813, 1587, 27937,
    1209, 14058, 711, -1442, 1950, 27773, 1118, 14005, 823, 961, 2181, 27301, 1104, 13883, 917, 3229, 2742, 27210,
    1037, 13886, 1287, 5602, 3180, 26357, 1261, 13888, 2010, 8190, 3629, 25613, 1256, 13691, 2492, 10734, 4349, 24737,
    1237, 13513, 3003, 13132, 4947, 23340, 1087, 13381, 3219, 15809, 5243, 22042, 1318, 13309, 3593, 17980, 5554,
    20323, 1396, 13172, 3420, 20045, 5848, 18331, 1157, 13209, 2995, 21760, 5969, 16697, 1143, 13156, 2787, 23136,
    6227, 15062, 1191, 12939, 2460, 24303, 6592, 12869, 1094, 12906, 2233, 25390, 6692, 11065, 1201, 12819, 1869,
    26160, 6824, 8879, 1256, 12933, 1765, 27071, 6688, 4746, -2386, 14527, 4335, -2610, -414, 4831, -2229, 14654,
    4341, -2203, -460, 4884, -1983, 14316, 4269, -1940, -443, 5067, -1778, 14875, 3952, -1568, -427, 4958, -1694,
    14751, 3984, -1170, -168, 4729, -1327, 14623, 3915, -649, -84, 4752, -1211, 14824, 3965, -326, 207, 4526, -934,
    14660, 4284, -213, 148, 4449, -587, 14684, 4282, -59, 174, 4691, -358, 14793, 4756, -27, 243, 4822, -233, 14718,
    4753, 147, -86, 4338, 77, 14659, 4843, 453, 5, 4339, 304, 14657, 4586, 884, 60, 3966, 198, 14591, 4358, 959, -43,
    3779, 376, 14656, 3962, 1454, 231, 3729, 599, 14989, 3812, 1771, 433, 3152, 768, 15017, 3783, 2428, 687, 2598,
    1200, 14739, 3825, 2460, 592, 2437, 1494, 14938, 3835, 2728, 354, 2433, 1501, 14778, 3875, 2967, -2, 1813, 1667,
    14994, 3783, 3129, 57, 1578, 1586, 14696, 3570, 3199, 155, 1242, 1831, 14785, 3179, 3362, 237, 544, 1671, 14830,
    2970, 3377, 599, 354, 1929, 15022, 2649, 3578, 503, -493, 1873, 14692, 2535, 3931, 486, -1086, 2092, 15010, 2290,
    4057, 313, -1463, 2105, 15007, 2252, 4254, 401, -1185, 2300, 14837, 2085, 4562, -15, -1971, 2517, 14640, 2058,
    4647, -44, -2061, 2450, 14746, 1756, 4745, 8, -2535, 2381, 14657, 1528, 4784, 48, -3371, 2535, 14403, 1132, 4816,
    270, -3743, 2313, 14601, 561, 4814, 819, -4613, 2249, 14943, 293, 4715, 445, -4971, 2143, 14856, 154, 4625, 474,
    -5169, 2164, 14817, 86, 4695, 345, -5885, 2187, 14551, -6, 4734, 67, -6093, 2000, 14865, 122, 4748, -262, -6832,
    2153, 14923, 72, 4774, -65, -7095, 1915, 14771, -507, 4703, 54, -7515, 1775, 14724, -949, 4596, 443, -7697, 1703,
    14605, -1309, 4563, 572, -7962, 1594, 14573, -1800, 4251, 797, -8583, 1347, 14235, -2080, 4174, 715, -8759, 1450,
    14563, -2270, 4125, 418, -9026, 1250, 14487, -2237, 3905, 12, -9463, 984, 14462, -2085, 3802, -169, -9416, 646,
    14354, -2126, 3704, -339, -9938, 642, 14523, -2218, 3301, -59, -10206, 497, 14390, -2547, 3099, 564, -10320, 366,
    14507, -2850, 2808, 675, -10310, 194, 14362, -3416, 2554, 800, -10679, -37, 14344, -3591, 2383, 746, -10571, -395,
    14233, -3584, 2274, 469, -11131, -362, 14278, -3748, 2041, 171, -11185, -493, 14407, -3599, 1813, -32, -11490,
    -829, 14082, -2667, 5200, 114, -11872, -1150, 14265, -3297, 4673, 404, -12208, -1318, 14575, -3508, 4237, 637,
    -12461, -1524, 14211, -4077, 3459, 879, -12667, -1874, 14161, -4447, 3148, 1089, -12717, -2238, 14229, -4933,
    2146, 1181, -13301, -2583, 14179, -5150, 1669, 676, -12767, -2804, 14066, -5246, 1066, 367, -13380, -3183, 13958,
    -5265, 553, -215, -12906, -3361, 14093, -5438, 91, -313, -12825, -3661, 13820, -5407, -294, -609, -12568, -3872,
    13839, -5543, -755, -150, -12167, -4066, 13736, -5728, -1198, -15, -11635, -4558, 14060, -5661, -2016, 165,
    -11473, -4846, 14183, -5873, -2577, 61, -11422, -5119, 13946, -5566, -3079, 130, -10556, -5533, 14113, -5284,
    -3821, -594, -10435, -5719, 13766, -4966, -4409, -1416, -9672, -5833, 13872, -4563, -4667, -1833, -9026, -6203,
    13821, -4303, -5190, -2076, -8434, -6318, 14021, -3909, -5465, -1873, -7478, -6447, 13653, -3869, -5743, -1746,
    -6973, -6569, 13810, -3617, -6053, -1355, -5806, -6687, 13807, -3454, -6226, -1130, -5382, -6753, 14109, -3081,
    -6411, -1348, -4389, -6838, 13895, -2764, -6627, -1814, -3555, -6887, 14119, -2321, -7117, -2374, -3126, -7017,
    14065, -1850, -7088, -2825, -2099, -7037, 14155, -1381, -7480, -3007, -1675, -7115, 14298, -883, -7863, -3089,
    -559, -6936, 13887, -434, -8064, -2844, 320, -7121, 13945, -129, -8240, -2330, 1098, -6797, 13769, 234, -8236,
    -1983, 2005, -6841, 13941, 788, -8173, -2125, 3085, -6562, 14063, 1103, -7650, -1900, 3549, -6201, 14041, 1648,
    -7223, -2264, 3944, -6090, 14241, 2056, -6842, -2718, 4900, -5888, 14363, 2345, -6980, -2882, 5815, -5859, 14358,
    2736, -6889, -2864, 5914, -5676, 14522, 3036, -7233, -2377, 6591, -5275, 14312, 3456, -7207, -1821, 7419, -5223,
    14137, 3778, -7207, -1572, 8177, -4815, 14242, 4061, -7016, -1316};
static const uint32_t gestures_test_features[64] GESTURES_UNUSED = {
    0x3E937CD1u, 0x72738A87u, 0xE04A3326u, 0x26E5AD33u, 0x86C9F4AEu, 0xEB64D20Cu, 0x7E3DBA75u, 0xCEE57A15u,
    0x26B55DD1u, 0xA346EBD4u, 0x3EBF1981u, 0x1779B76Cu, 0x5C1A9373u, 0xEB648419u, 0x757D9FE8u, 0x2CE4E39Fu,
    0x66005C60u, 0x0E2C3CCDu, 0xC94AC3CFu, 0x1C304ECAu, 0x2C8EDF15u, 0xC5D16F56u, 0xF2A532FEu, 0x4D31F0D7u,
    0x859A1D2Du, 0x65872C0Au, 0xC4923015u, 0x26E5A5DEu, 0xA0AD9C24u, 0xF1626262u, 0x9FBBCB42u, 0x0B1147A8u,
    0x69DC091Eu, 0x23742AFBu, 0xFF61F9E5u, 0x4DB57D19u, 0x2589F776u, 0x6AF0C9CCu, 0x46BB0956u, 0x79A3EC3Fu,
    0x8D44B973u, 0xD3D7D72Eu, 0x7B2661D7u, 0x58F7C37Eu, 0x677122B9u, 0x33651FB5u, 0x3ECAD253u, 0xC27F6D07u,
    0x8C9273F9u, 0x2CA58F6Au, 0xE81E28D3u, 0x59A4FD8Cu, 0x475E1629u, 0x1A3DBA68u, 0x559C62EDu, 0x8CD6274Au,
    0x6A14090Bu, 0x0DE192B3u, 0x22E0144Du, 0x199C0622u, 0xD9F06F2Eu, 0x0D251A70u, 0x0A646357u, 0x0FC251EEu};
static const int8_t gestures_test_scores[320] GESTURES_UNUSED = {
    127, -128, -128, -128, -128, -128, 127, -128, -128, -128, -128, -128, 127, -128, -128, -128, -128, -128, 127,
    -128, -128, -128, -128, -128, 127, 127, -128, -128, -128, -128, -128, -40, -127, 39, -128, -122, -117, -90, -128,
    73, -128, 127, -128, -128, -128, -128, -120, -124, 103, -116, -128, -128, -128, 127, -128, -126, -127, 45, -128,
    -48, -122, 62, -128, -68, -128, -128, -127, -83, 81, -127, -120, 86, -121, -115, -113, -125, 107, -120, -125,
    -121, -127, 103, -128, -105, -127, -128, -125, -110, 107, -128, 72, -128, -128, -72, -128, -99, -106, -25, -25,
    -128, -112, -122, -104, -125, 80, 127, -128, -128, -128, -128, -128, -128, 121, -123, -126, -128, 116, -117, -128,
    -127, -128, -128, -121, 121, -128, -128, -127, 86, -128, -87, -128, -128, -127, 127, -128, -128, -110, -126, -128,
    108, -128, -128, -128, 127, -128, -128, -128, -87, 0, -41, 126, -128, -128, -127, -128, -125, -123, -117, -125,
    106, -124, 120, -126, -126, -128, -109, -125, -104, 82, -128, -126, -111, -127, -109, 88, -128, -128, 87, -87,
    -128, -128, -17, -112, -2, -125, -128, -42, -127, -123, 35, -128, -128, -128, -128, 127, 19, -113, -123, -40,
    -127, -128, -128, -95, 95, -128, 41, -100, -116, -123, -86, -128, 127, -128, -128, -128, 81, -83, -126, -128,
    -128, -128, -128, -128, -128, 127, -125, 24, -121, -37, -125, -128, -113, 23, -38, -128, -126, 83, -117, -127,
    -97, 125, -126, -128, -128, -127, -128, -128, 97, -123, -102, -127, -109, 18, -125, -40, -125, 125, -128, -128,
    -128, -128, -128, -128, -128, 127, -128, -123, 46, -99, -80, -125, -128, -88, 81, -124, -114, -128, 16, -128, -30,
    -128, -128, -128, -127, 127, -123, -124, -128, 118, -128, -125, 45, -123, -95, -86, -128, -128, 106, -122, -112,
    -125, -111, 25, -127, -47, -126, -62, -123, -128, 55, -128, -24, -111, -128, 6, -128, -128, -97, 81, -112};

/*
 * Runs the known windows and returns the number of those whose features or scores are not, bit for bit, what the
 * studio computed: 0 when all is well. Forgets the stream so far.
 */
GESTURES_FN int gestures_selftest(void) {
  int failed = 0;
  int32_t index, i;
  for (index = 0; index < GESTURES_SELFTEST_COUNT; index++) {
    int same;
    if (index < 6) {
      gestures_selftest_unpack(gestures_test_windows + index * (GESTURES_WINDOW_FRAMES * GESTURES_CHANNELS),
          GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS, gestures_test_scale, gestures_memory.window);
    } else {
      gestures_selftest_generate(0x4D4F5445u, index - 6, GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS,
          gestures_test_scale, gestures_test_offset, gestures_memory.window);
    }
    gestures_run_features(gestures_memory.window);
    same = gestures_crc32(0u, (const uint8_t *)(gestures_memory.work.arena),
        GESTURES_FEATURE_COUNT) == gestures_test_features[index];
    gestures_run_network();
    for (i = 0; i < GESTURES_LABEL_COUNT; i++) {
      if (gestures_memory.work.arena[i] != gestures_test_scores[index * GESTURES_LABEL_COUNT + i]) same = 0;
    }
    if (!same) failed++;
  }
  gestures_reset();
  return failed;
}

#endif
