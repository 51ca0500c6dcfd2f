/*
 * gestures: a classifier of 1000 ms of accX, accY, accZ, gyrX, gyrY, gyrZ at 100 Hz.
 * Labels: circle, idle, shake, updown, wave.
 *
 * Use: #include "model.h" in one source file; give every sample to gestures_push(); run gestures_selftest() once.
 *
 * Accuracy on held-out recordings: int8 100.0 %, float 100.0 %.
 * Trained on 2697 windows of 93 recordings; tested on 783 windows of 27 other recordings.
 * RAM: 3412 bytes. Flash: 9841 bytes of constants, and the code. Pack: 19736 bytes.
 * Self-test: 64 windows, 6 of them recorded.
 *
 * Made with: Mote 0.1.0. Seed: 1.
 * Model: d62afddd. Dataset: 450a56ab7c751d8ad358a6b445c7345f34497a23c611cc1ef23ee7eb6475ce8b.
 * Pipeline: {"blocks":[{"channels":[0,1,2,3,4,5],"kind":"spectral","params":{"cutoffHz":3,"decimation":1,"fftLength"
 * :16,"filter":"none","improveLowFrequency":false,"log":true,"order":6,"overlap":true,"scale":1},"version":4},{"chan
 * nels":[0,1,2,3,4,5],"kind":"flatten","params":{"average":true,"kurtosis":true,"maximum":true,"minimum":true,"rms":
 * true,"scale":1,"skewness":true,"stdev":true},"version":1}],"input":{"channels":[{"name":"accX","unit":""},{"name":
 * "accY","unit":""},{"name":"accZ","unit":""},{"name":"gyrX","unit":""},{"name":"gyrY","unit":""},{"name":"gyrZ","un
 * it":""}],"rateHz":100,"strideMs":250,"windowMs":1000},"network":{"layers":[{"activation":"relu","kind":"dense","un
 * its":64},{"kind":"dropout","rate":0.5}]},"smoothing":{"threshold":0.6,"windows":3},"training":{"balanceClasses":tr
 * ue,"batchSize":32,"epochs":200,"labelSmoothing":0.1,"learningRate":0.003,"patience":40,"validationShare":0.2},"ver
 * sion":1}
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

/* Counts and places of samples in a window. AVR has no memory for more than 16 bits count, and halves the code so. */
#if defined(__AVR__)
typedef int16_t gestures_index;
#else
typedef int32_t gestures_index;
#endif

/* Declares a function of a fragment: private to the translation unit, and no warning when a model does not need it. */
#if defined(__AVR__)
/* Without the hint to inline, which would give every layer a copy of its kernel: flash is short there. */
#define GESTURES_FN static __attribute__((unused))
#elif defined(__GNUC__) || defined(__clang__)
#define GESTURES_FN static inline __attribute__((unused))
#else
#define GESTURES_FN static inline
#endif

#if defined(__AVR__)
#  include <avr/pgmspace.h>
#define GESTURES_FLASH PROGMEM
#define GESTURES_FLASH_U8(at) pgm_read_byte(at)
#define GESTURES_FLASH_I8(at) ((int8_t)pgm_read_byte(at))
#define GESTURES_FLASH_I16(at) ((int16_t)pgm_read_word(at))
#define GESTURES_FLASH_I32(at) ((int32_t)pgm_read_dword(at))
#define GESTURES_FLASH_U32(at) ((uint32_t)pgm_read_dword(at))
#define GESTURES_FLASH_F32(at) pgm_read_float(at)
#else
#define GESTURES_FLASH
#define GESTURES_FLASH_U8(at) (*(at))
#define GESTURES_FLASH_I8(at) (*(at))
#define GESTURES_FLASH_I16(at) (*(at))
#define GESTURES_FLASH_I32(at) (*(at))
#define GESTURES_FLASH_U32(at) (*(at))
#define GESTURES_FLASH_F32(at) (*(at))
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
GESTURES_FN gestures_statistics gestures_describe(const float *x, gestures_index step, gestures_index count, float scale) {
  gestures_statistics result;
  const float n = (float)count;
  const float first = x[0] * scale;
  float low = first, high = first, largest, shrink, sum = 0.0f, squares = 0.0f;
  float sum2 = 0.0f, sum3 = 0.0f, sum4 = 0.0f, m2, m3, m4, below, above;
  uint32_t field;
  gestures_index i, end;

  for (i = 0; i < count;) {
    float part = 0.0f;
    end = count - i > GESTURES_SUM_BLOCK ? (gestures_index)(i + GESTURES_SUM_BLOCK) : count;
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
    end = count - i > GESTURES_SUM_BLOCK ? (gestures_index)(i + GESTURES_SUM_BLOCK) : count;
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
    end = count - i > GESTURES_SUM_BLOCK ? (gestures_index)(i + GESTURES_SUM_BLOCK) : count;
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
  const int32_t which = GESTURES_FLASH_I32(ints);
  int32_t axis;
  (void)scratch;
  for (axis = 0; axis < axis_count; axis++) {
    const gestures_statistics s = gestures_describe(window + GESTURES_FLASH_U8(axes + axis), (gestures_index)channels, (gestures_index)frames,
                                            GESTURES_FLASH_F32(floats));
    if (which & 1) *features++ = gestures_finite(s.mean + s.residual);
    if (which & 2) *features++ = gestures_finite(s.minimum);
    if (which & 4) *features++ = gestures_finite(s.maximum);
    if (which & 8) *features++ = gestures_finite(s.rms);
    if (which & 16) *features++ = gestures_finite(s.stdev);
    if (which & 32) *features++ = gestures_finite(s.skewness);
    if (which & 64) *features++ = gestures_finite(s.kurtosis);
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
GESTURES_FN gestures_index gestures_spectral_decimate(const float *in, gestures_index step, float scale, gestures_index count,
                                          gestures_index ratio, const float *filter, float *out) {
  const float gain = GESTURES_FLASH_F32(filter);
  const float first = in[0] * scale;
  const float steady = first * gain;
  float state[8] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
  gestures_index i, section, kept = 0, until = 0;
  for (i = 0; i < count; i++) {
    float x = (in[i * step] * scale - first) * gain;
    for (section = 0; section < 4; section++) {
      const float *a = filter + 1 + 3 * section;
      float *s = state + 2 * section;
      const float v3 = x - s[1];
      const float v1 = GESTURES_FLASH_F32(a + 0) * s[0] + GESTURES_FLASH_F32(a + 1) * v3;
      const float v2 = (s[1] + GESTURES_FLASH_F32(a + 1) * s[0]) + GESTURES_FLASH_F32(a + 2) * v3;
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
GESTURES_FN void gestures_spectral_section(float *x, gestures_index count, const float *a, int high_pass) {
  float s1 = 0.0f, s2 = 0.0f;
  gestures_index i;
  for (i = 0; i < count; i++) {
    const float v3 = x[i] - s2;
    const float v1 = GESTURES_FLASH_F32(a + 0) * s1 + GESTURES_FLASH_F32(a + 1) * v3;
    const float v2 = (s2 + GESTURES_FLASH_F32(a + 1) * s1) + GESTURES_FLASH_F32(a + 2) * v3;
    s1 = 2.0f * v1 - s1;
    s2 = 2.0f * v2 - s2;
    x[i] = high_pass ? (x[i] - GESTURES_FLASH_F32(a + 3) * v1) - v2 : v2;
  }
}

GESTURES_FN float gestures_spectral_at(const float *x, gestures_index index, gestures_index count) {
  return index < count ? x[index] : 0.0f;
}

/*
 * Four times the power of one frame of N real samples (zero beyond `count`), maximum with what `hold` has.
 * A complex FFT of N/2 points: the first two radix-2 stages are done while loading, without products.
 */
GESTURES_FN void gestures_spectral_hold(const float *x, gestures_index count, gestures_index length, const float *sine, float *z,
                                float *hold) {
  const gestures_index points = length / 2, quarter = points / 4, peak = length / 4;
  gestures_index i, j, k, half, reversed = 0;
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
      const gestures_index turn = (gestures_index)(j * (points / half));
      const float c = turn <= peak ? GESTURES_FLASH_F32(sine + (peak - turn)) : -GESTURES_FLASH_F32(sine + (turn - peak));
      const float s = turn <= peak ? GESTURES_FLASH_F32(sine + turn) : GESTURES_FLASH_F32(sine + (points - turn));
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
    const float c = GESTURES_FLASH_F32(sine + (peak - k)), s = GESTURES_FLASH_F32(sine + k);
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
GESTURES_FN void gestures_spectral_features(float *signal, gestures_index count, const int32_t *ints, const float *sine,
                                    gestures_index first_bin, gestures_index last_bin, float *scratch, float *features) {
  const gestures_index length = (gestures_index)((gestures_index)1 << GESTURES_FLASH_I32(ints + 0)), bins = length / 2;
  const gestures_index step = (GESTURES_FLASH_I32(ints + 1) & GESTURES_SPECTRAL_OVERLAP) != 0 ? bins : length;
  const float to_power = 0.25f / (float)length;
  float *hold = scratch + length;
  gestures_statistics s = gestures_describe(signal, 1, count, 1.0f);
  gestures_index i;
  features[0] = gestures_finite(s.stdev);
  features[1] = gestures_finite(s.skewness);
  features[2] = gestures_finite(s.kurtosis);
  for (i = 0; i < count; i++) signal[i] = (signal[i] - s.mean) - s.residual;
  for (i = 0; i <= bins; i++) hold[i] = 0.0f;
  for (i = 0; i < count; i += step) gestures_spectral_hold(signal + i, (gestures_index)(count - i), length, sine, scratch, hold);
  for (i = 0; i <= bins; i++) hold[i] = hold[i] * to_power;
  s = gestures_describe(hold, 1, (gestures_index)(bins + 1), 1.0f);
  features[3] = gestures_finite(s.skewness);
  features[4] = gestures_finite(s.kurtosis);
  for (i = first_bin; i <= last_bin; i++) {
    features[5 + i - first_bin] = gestures_finite((GESTURES_FLASH_I32(ints + 1) & GESTURES_SPECTRAL_LOG) != 0 ? gestures_log10(hold[i]) : hold[i]);
  }
}

GESTURES_FN void gestures_spectral(const float *window, int32_t frames, int32_t channels, const uint8_t *axes,
                           int32_t axis_count, const int32_t *ints, const float *floats, float *scratch,
                           float *features) {
  const int32_t length = (int32_t)1 << GESTURES_FLASH_I32(ints + 0);
  const int32_t per_axis = 5 + GESTURES_FLASH_I32(ints + 4) - GESTURES_FLASH_I32(ints + 3) + 1, per_copy = 5 + GESTURES_FLASH_I32(ints + 6) - GESTURES_FLASH_I32(ints + 5) + 1;
  const float *sine = floats + 1;
  const float *sections = sine + length / 4 + 1;
  const float *every3rd = sections + 4 * GESTURES_FLASH_I32(ints + 2);
  const float *every10th = every3rd + (GESTURES_FLASH_I32(ints + 7) % 3 == 0 ? GESTURES_SPECTRAL_DECIMATOR : 0);
  float *signal = scratch + length + length / 2 + 1;
  float *copies = features + per_axis * axis_count;
  gestures_index axis, i;
  for (axis = 0; axis < axis_count; axis++) {
    const float *in = window + GESTURES_FLASH_U8(axes + axis);
    int32_t decimation = GESTURES_FLASH_I32(ints + 7);
    gestures_index count = (gestures_index)frames, step = (gestures_index)channels;
    float scale = GESTURES_FLASH_F32(floats);
    if (decimation == 1) {
      for (i = 0; i < count; i++) signal[i] = in[i * step] * scale;
    }
    while (decimation > 1) {
      const gestures_index ratio = (gestures_index)gestures_spectral_first_ratio(decimation);
      count = gestures_spectral_decimate(in, step, scale, count, ratio, ratio == 3 ? every3rd : every10th, signal);
      decimation /= ratio;
      in = signal;
      step = 1;
      scale = 1.0f;
    }
    for (i = 0; i < GESTURES_FLASH_I32(ints + 2); i++) {
      gestures_spectral_section(signal, count, sections + 4 * i, (GESTURES_FLASH_I32(ints + 1) & GESTURES_SPECTRAL_HIGH_PASS) != 0);
    }
    gestures_spectral_features(signal, count, ints, sine, (gestures_index)GESTURES_FLASH_I32(ints + 3),
                           (gestures_index)GESTURES_FLASH_I32(ints + 4), scratch, features + axis * per_axis);
    if ((GESTURES_FLASH_I32(ints + 1) & GESTURES_SPECTRAL_LOW_FREQUENCY) != 0) {
      count = gestures_spectral_decimate(signal, 1, 1.0f, count, 10, every10th, signal);
      gestures_spectral_features(signal, count, ints, sine, (gestures_index)GESTURES_FLASH_I32(ints + 5),
                             (gestures_index)GESTURES_FLASH_I32(ints + 6), scratch, copies + axis * per_copy);
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
        output[i] = gestures_quantize_one(features[i], GESTURES_FLASH_F32(a + i), GESTURES_FLASH_F32(b + i));
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
#if defined(__AVR__)
    {
        /* The same: AVR adds and shifts 64 bits in library functions, but takes words apart at no cost. */
        union {
            int64_t whole;
            uint32_t words[2];
        } product;
        uint32_t low, high;
        product.whole = (int64_t)a * (int64_t)b;
        low = product.words[0] + 0x40000000u;
        high = product.words[1] + (low < 0x40000000u ? 1u : 0u);
        return (int32_t)(high << 1 | low >> 31);
    }
#else
    return (int32_t)(((int64_t)a * (int64_t)b + ((int64_t)1 << 30)) >> 31);
#endif
}

/* Rounding divide by 2^exponent, ties away from zero; exponent 0..31. */
GESTURES_FN int32_t gestures_rdp(int32_t value, int32_t exponent) {
#if defined(__AVR__)
    /* The same: AVR shifts bit by bit, so once rather than twice, and by whole bytes first. */
    uint32_t magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    uint8_t left = (uint8_t)exponent;
    if (left == 0) {
        return value;
    }
    for (; left > 8; left = (uint8_t)(left - 8)) {
        magnitude >>= 8;
    }
    for (; left > 1; left--) {
        magnitude >>= 1;
    }
    magnitude = (magnitude + 1u) >> 1;
    return (int32_t)(value < 0 ? 0u - magnitude : magnitude);
#else
    const int32_t mask = (int32_t)(((uint32_t)1 << (uint32_t)exponent) - 1u);
    const int32_t remainder = value & mask;
    const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> exponent) + (remainder > threshold ? 1 : 0);
#endif
}

/* Multiply by a quantized multiplier. */
GESTURES_FN int32_t gestures_mbqm(int32_t value, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        return gestures_srdhm(gestures_shift_left(value, shift), multiplier);
    }
    return gestures_rdp(gestures_srdhm(value, multiplier), -shift);
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
    static const int32_t factors[7] GESTURES_FLASH = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
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
            result = gestures_srdhm(result, GESTURES_FLASH_I32(factors + k));
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

/* Parameters of one layer, constant. A fully connected layer is a 1 x 1 convolution over its rows (out_w = rows). */
typedef struct {
  int32_t in_h, in_w, in_c;
  int32_t out_h, out_w, out_c;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t in_zero, out_zero, act_min, act_max;
  int32_t per_channel;       /* 1: multiplier and shift have out_c elements, 0: one */
  const void *weights;       /* in the layout of the kernel that runs it */
  const int32_t *bias;       /* out_c, folded: bias - in_zero * (sum of the channel's weights over all taps) */
  const int32_t *multiplier; /* 0 or 2^30..2^31-1 */
  const int8_t *shift;       /* -31..30 */
} gestures_conv;

/* Parameters in flash, where code can read them: on AVR a copy, elsewhere they themselves. */
GESTURES_FN const gestures_conv *gestures_load_conv(const gestures_conv *at, gestures_conv *copy) {
#if defined(__AVR__)
    memcpy_P(copy, at, sizeof *copy);
    return copy;
#else
    (void)copy;
    return at;
#endif
}

/* From a sum of products to an activation of output channel `channel`. */
GESTURES_FN int8_t gestures_requantize(const gestures_conv *op, int32_t sum, int32_t channel) {
    const int32_t c = op->per_channel ? channel : 0;
    int32_t value = gestures_mbqm(sum, GESTURES_FLASH_I32(op->multiplier + c), GESTURES_FLASH_I8(op->shift + c)) + op->out_zero;
    if (value < op->act_min) {
        value = op->act_min;
    }
    if (value > op->act_max) {
        value = op->act_max;
    }
    return (int8_t)value;
}

#if defined(__AVR_HAVE_MUL__) && defined(__AVR_HAVE_LPMX__)
/*
 * Twice `pairs` products of inputs in RAM and weights in flash, 1..128 pairs: their sum fits 24 bits. 13.5 cycles each;
 * compilers take more than twice that, for 32-bit additions.
 */
GESTURES_FN int32_t gestures_avr_dot(const int8_t *x, const int8_t *w, uint8_t pairs) {
    int32_t sum = 0;
    int8_t a, b;
    __asm volatile(
        "1:\n"
        "ld %[a],X+\n"
        "lpm %[b],Z+\n"
        "muls %[a],%[b]\n"
        "add %A[sum],r0\n"
        "adc %B[sum],r1\n"
        "adc %C[sum],%[zero]\n"
        "sbrc r1,7\n"
        "dec %C[sum]\n"
        "ld %[a],X+\n"
        "lpm %[b],Z+\n"
        "muls %[a],%[b]\n"
        "add %A[sum],r0\n"
        "adc %B[sum],r1\n"
        "adc %C[sum],%[zero]\n"
        "sbrc r1,7\n"
        "dec %C[sum]\n"
        "dec %[pairs]\n"
        "brne 1b\n"
        "clr r1\n"
        "sbrc %C[sum],7\n"
        "com %D[sum]\n"
        : [sum] "+&r"(sum), [a] "=&d"(a), [b] "=&d"(b), [pairs] "+&r"(pairs), "+&x"(x), "+&z"(w)
        : [zero] "r"((uint8_t)0)
        : "r0", "memory");
    return sum;
}

/* All output channels of one pixel; x holds the k inputs. */
GESTURES_FN void gestures_matmul_plain(const gestures_conv *op, const int8_t *x, int32_t k, int8_t *output) {
    const int8_t *w = (const int8_t *)op->weights;
    const gestures_index channels = (gestures_index)op->out_c;
    gestures_index channel;
    for (channel = 0; channel < channels; channel++) {
        int32_t sum = GESTURES_FLASH_I32(op->bias + channel);
        const int8_t *from = x;
        gestures_index left = (gestures_index)k;
        while (left > 1) {
            const uint8_t pairs = (uint8_t)(left > 255 ? 128 : left >> 1);
            sum += gestures_avr_dot(from, w, pairs);
            from += 2 * pairs;
            w += 2 * pairs;
            left = (gestures_index)(left - 2 * pairs);
        }
        if (left > 0) {
            sum += *from * GESTURES_FLASH_I8(w);
            w++;
        }
        *output++ = gestures_requantize(op, sum, channel);
    }
}
#elif defined(__wasm_simd128__) || (defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1))
/* Adds to four sums the products of k inputs and of four rows of weights; sixteen inputs at a time. */
#if defined(__wasm_simd128__)
#  include <wasm_simd128.h>
GESTURES_FN v128_t gestures_simd_add(v128_t sum, v128_t low, v128_t high, const int8_t *w) {
    const v128_t bytes = wasm_v128_load(w);
    sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(low, wasm_i16x8_extend_low_i8x16(bytes)));
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(high, wasm_i16x8_extend_high_i8x16(bytes)));
}

GESTURES_FN int32_t gestures_simd_total(v128_t sum) {
    return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2) +
           wasm_i32x4_extract_lane(sum, 3);
}

GESTURES_FN void gestures_simd_dot4(const int8_t *x, const int8_t *const *w, int32_t k, int32_t *sums) {
    v128_t s0 = wasm_i32x4_splat(0);
    v128_t s1 = s0;
    v128_t s2 = s0;
    v128_t s3 = s0;
    int32_t i, row;
    for (i = 0; i + 16 <= k; i += 16) {
        const v128_t bytes = wasm_v128_load(x + i);
        const v128_t low = wasm_i16x8_extend_low_i8x16(bytes);
        const v128_t high = wasm_i16x8_extend_high_i8x16(bytes);
        s0 = gestures_simd_add(s0, low, high, w[0] + i);
        s1 = gestures_simd_add(s1, low, high, w[1] + i);
        s2 = gestures_simd_add(s2, low, high, w[2] + i);
        s3 = gestures_simd_add(s3, low, high, w[3] + i);
    }
    sums[0] += gestures_simd_total(s0);
    sums[1] += gestures_simd_total(s1);
    sums[2] += gestures_simd_total(s2);
    sums[3] += gestures_simd_total(s3);
    for (; i < k; i++) {
        for (row = 0; row < 4; row++) {
            sums[row] += (int32_t)x[i] * w[row][i];
        }
    }
}
#else
#  include <arm_mve.h>
GESTURES_FN void gestures_simd_dot4(const int8_t *x, const int8_t *const *w, int32_t k, int32_t *sums) {
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];
    int32_t i;
    for (i = 0; i + 16 <= k; i += 16) {
        const int8x16_t bytes = vldrbq_s8(x + i);
        s0 = vmladavaq_s8(s0, bytes, vldrbq_s8(w[0] + i));
        s1 = vmladavaq_s8(s1, bytes, vldrbq_s8(w[1] + i));
        s2 = vmladavaq_s8(s2, bytes, vldrbq_s8(w[2] + i));
        s3 = vmladavaq_s8(s3, bytes, vldrbq_s8(w[3] + i));
    }
    if (i < k) {
        /* Lanes beyond the last input are not read, and zero. */
        const mve_pred16_t some = vctp8q((uint32_t)(k - i));
        const int8x16_t bytes = vldrbq_z_s8(x + i, some);
        s0 = vmladavaq_s8(s0, bytes, vldrbq_z_s8(w[0] + i, some));
        s1 = vmladavaq_s8(s1, bytes, vldrbq_z_s8(w[1] + i, some));
        s2 = vmladavaq_s8(s2, bytes, vldrbq_z_s8(w[2] + i, some));
        s3 = vmladavaq_s8(s3, bytes, vldrbq_z_s8(w[3] + i, some));
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}
#endif

/* All output channels of one pixel; x holds the k inputs. Of fewer than four that are left, the last one is repeated. */
GESTURES_FN void gestures_matmul_plain(const gestures_conv *op, const int8_t *x, int32_t k, int8_t *output) {
    const int8_t *weights = (const int8_t *)op->weights;
    int32_t channel, row;
    for (channel = 0; channel < op->out_c; channel += 4) {
        const int32_t last = op->out_c - 1 - channel;
        const int8_t *w[4];
        int32_t sums[4];
        for (row = 0; row < 4; row++) {
            const int32_t own = channel + (row < last ? row : last);
            w[row] = weights + own * k;
            sums[row] = op->bias[own];
        }
        gestures_simd_dot4(x, w, k, sums);
        for (row = 0; row < 4 && row <= last; row++) {
            output[channel + row] = gestures_requantize(op, sums[row], channel + row);
        }
    }
}
#else
/* All output channels of one pixel; x holds the k inputs. Four channels at a time share every load of an input. */
GESTURES_FN void gestures_matmul_plain(const gestures_conv *op, const int8_t *x, int32_t k, int8_t *output) {
    const int8_t *w = (const int8_t *)op->weights;
    const int32_t rest = op->out_c % 4;
    int32_t channel, i, j;
    for (channel = 0; channel < op->out_c - rest; channel += 4) {
        const int8_t *w1 = w + k;
        const int8_t *w2 = w1 + k;
        const int8_t *w3 = w2 + k;
        int32_t s0 = GESTURES_FLASH_I32(op->bias + channel);
        int32_t s1 = GESTURES_FLASH_I32(op->bias + channel + 1);
        int32_t s2 = GESTURES_FLASH_I32(op->bias + channel + 2);
        int32_t s3 = GESTURES_FLASH_I32(op->bias + channel + 3);
        for (i = 0; i < k; i++) {
            const int32_t value = x[i];
            s0 += value * GESTURES_FLASH_I8(w + i);
            s1 += value * GESTURES_FLASH_I8(w1 + i);
            s2 += value * GESTURES_FLASH_I8(w2 + i);
            s3 += value * GESTURES_FLASH_I8(w3 + i);
        }
        output[channel] = gestures_requantize(op, s0, channel);
        output[channel + 1] = gestures_requantize(op, s1, channel + 1);
        output[channel + 2] = gestures_requantize(op, s2, channel + 2);
        output[channel + 3] = gestures_requantize(op, s3, channel + 3);
        w = w3 + k;
    }
    /* Counted by themselves: GCC warns of a loop from `channel` on, which it fears might never end. */
    for (j = 0; j < rest; j++) {
        int32_t sum = GESTURES_FLASH_I32(op->bias + channel);
        for (i = 0; i < k; i++) {
            sum += (int32_t)x[i] * GESTURES_FLASH_I8(w + i);
        }
        output[channel] = gestures_requantize(op, sum, channel);
        channel++;
        w += k;
    }
}
#endif

/* Fully connected: out_w rows of in_c inputs. How far the output may lie over the input: src/emit/overlap.ts. */
GESTURES_FN void gestures_fully_connected_rows(const gestures_conv *op, const int8_t *input, int8_t *output) {
    int32_t row;
    for (row = 0; row < op->out_w; row++) {
        gestures_matmul_plain(op, input, op->in_c, output);
        input += op->in_c;
        output += op->out_c;
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
  static const uint32_t table[16] GESTURES_FLASH = {
      0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
      0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  uint32_t i;
  crc = ~crc;
  for (i = 0; i < count; i++) {
    crc ^= bytes[i];
    crc = (crc >> 4) ^ GESTURES_FLASH_U32(table + (crc & 15u));
    crc = (crc >> 4) ^ GESTURES_FLASH_U32(table + (crc & 15u));
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
      scaled = (float)value * GESTURES_FLASH_F32(scale + channel);
      window[frame * channels + channel] = scaled + GESTURES_FLASH_F32(offset + channel);
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
      *window++ = (float)GESTURES_FLASH_I16(recorded) * GESTURES_FLASH_F32(scale + channel);
      recorded++;
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
/* Bytes of working memory of the network, which is made for generic. */
#define GESTURES_ARENA_SIZE 64
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
#define GESTURES_MODEL_ID 0xD62AFDDDu

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

/*
 * All memory of the model. Scratch of the features and activations are never needed at the same time; the quantized
 * features replace the features from the start.
 */
static struct {
  float window[GESTURES_WINDOW_FRAMES * GESTURES_CHANNELS];
  float features[GESTURES_FEATURE_COUNT];
  union {
    float scratch[125];
    int32_t arena[16];
  } work;
  int32_t filled;
  int32_t skip;
  int32_t history_rows;
  int32_t history_next;
  int8_t history[GESTURES_SMOOTHING_WINDOWS * GESTURES_LABEL_COUNT];
} gestures_memory GESTURES_UNUSED;

/* Block 0: spectral of accX, accY, accZ, gyrX, gyrY, gyrZ; 78 features. */
static const uint8_t gestures_axes_0[6] GESTURES_FLASH GESTURES_UNUSED = {
    0, 1, 2, 3, 4, 5};
static const int32_t gestures_ints_0[8] GESTURES_FLASH GESTURES_UNUSED = {
    4, 3, 0, 1, 8, 0, 0, 1};
static const float gestures_floats_0[6] GESTURES_FLASH GESTURES_UNUSED = {
    1.0f, 0.0f, 0.382683426f, 0.707106769f, 0.923879504f, 1.0f};

/* Block 1: flatten of accX, accY, accZ, gyrX, gyrY, gyrZ; 42 features. */
static const uint8_t gestures_axes_1[6] GESTURES_FLASH GESTURES_UNUSED = {
    0, 1, 2, 3, 4, 5};
static const int32_t gestures_ints_1[1] GESTURES_FLASH GESTURES_UNUSED = {
    127};
static const float gestures_floats_1[1] GESTURES_FLASH GESTURES_UNUSED = {
    1.0f};

/* Scaling and quantization of the features: q = round(feature * a + b). */
static const float gestures_input_a[120] GESTURES_FLASH GESTURES_UNUSED = {
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
static const float gestures_input_b[120] GESTURES_FLASH GESTURES_UNUSED = {
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

/* Operation 1: fullyConnected, [120] to [64]. */
static const int8_t gestures_weights_0[7680] GESTURES_FLASH = {
    -16, -59, -36, -84, -2, 24, -16, 26, -74, -104, 73, 58, -36, 14, 80, 19, -32, -17, -65, 82, -66, -1, -74, 66, 105,
    25, -35, 81, 90, 22, -68, -127, -57, 15, 54, 0, 54, 64, -71, -93, -90, 113, -94, 81, -100, 47, 47, -49, -104, -89,
    -15, -60, 75, -108, -71, -19, -105, 84, -54, -67, -74, -53, -23, 6, -61, 71, -47, -37, -9, -57, 4, 99, -8, 66, 89,
    -102, 75, 63, 10, -47, -88, 55, -10, 15, -51, 84, -113, -83, 121, -11, 23, 77, 102, -3, -7, 13, -124, -101, -56,
    -80, -51, 46, -7, 104, -47, -48, -17, -49, 88, -93, 26, 79, 104, 45, -2, -24, -4, 69, 41, -59, 7, 10, 17, 82, 104,
    0, 57, -70, -100, 88, -2, -30, -7, 59, 78, -8, 121, 43, 16, -2, -39, -11, -13, 107, -33, -79, -44, -20, -93, 22,
    23, 76, -55, 55, 124, 73, 56, 22, 109, 75, -7, -108, 110, -23, -41, -47, 8, 41, 2, -88, -28, 116, -88, 28, 63,
    -74, -91, -96, 61, -96, 52, 102, 53, -42, 66, -92, -70, -16, -56, -79, -84, 66, -22, -68, -12, 30, 104, 93, -45,
    22, -31, 74, -35, 62, 64, -30, 68, 94, -74, -103, -44, -20, -14, 68, -45, 127, -41, -85, -62, 52, 46, -73, -85,
    10, -22, 59, -82, 7, 17, -83, -32, -61, 49, -76, 23, 36, 29, 69, -28, 70, -23, -32, 61, -108, 60, -100, 93, 52,
    24, -88, 116, -81, -2, 119, 41, -28, -67, -1, -37, 103, 46, -91, -99, 12, 31, 109, -36, 77, 25, 97, 25, 65, 47,
    94, -43, 54, 94, -81, 47, -29, 42, -22, 110, 42, -43, -62, -28, 109, -39, -51, 81, 127, -88, -34, -111, -8, -84,
    -5, 44, -84, 89, -79, 123, -28, 23, -56, 63, 26, 39, -116, -97, 101, 87, -17, -9, -99, -18, 52, -60, -79, -100,
    20, 74, 34, -15, -92, -31, 78, -85, -101, -29, -96, 96, -52, -88, 65, 77, 17, 50, 53, 59, -59, 83, 19, 48, -116,
    -73, 61, -27, -123, 77, -15, -104, 71, -89, -35, -31, 38, 32, -39, -90, 74, -109, 94, -79, -102, 87, -94, -44, 37,
    -47, -111, 38, 23, -20, -127, 7, -73, 17, 85, -93, 29, 50, 59, 124, -87, 102, 24, 46, -72, 87, 4, -93, -81, 116,
    -91, -46, -17, 83, 56, 72, -12, 37, 115, -29, 45, -23, 28, -86, 62, 72, 104, -17, -92, 53, 38, -33, 32, 13, 26,
    54, -37, 64, -115, -66, -99, 25, 74, 67, 93, 71, -28, -28, 66, -33, 43, -4, -8, -97, -17, -109, -65, -32, 28, -58,
    87, 65, -52, -12, 33, -62, 48, 85, -127, 59, -31, -39, -20, -5, 64, 34, -25, -11, 112, -88, 34, 60, 29, -20, 57,
    -33, -97, 0, -117, 120, -88, -54, -41, 28, 30, 38, -18, -7, 7, 26, -30, 64, -104, 16, -36, 92, -9, -38, 37, 94,
    -52, 43, -9, 20, -57, 36, 74, -84, -127, -3, 65, 38, -78, -40, -119, -95, -73, -50, -21, -57, -122, -4, 1, 80, 17,
    10, 38, -64, 41, 19, -97, -23, -121, -39, -94, 78, -15, -85, 4, 68, 6, -64, -57, 22, -52, 97, 40, 2, 27, -37, 14,
    -72, -34, 57, -52, -104, -39, -108, 112, 113, 112, 36, 78, -66, -111, -84, -91, 116, 104, 60, 78, 95, 60, 9, -78,
    -106, -30, -40, 0, -115, 70, 58, 0, 81, 58, -80, -99, -55, 75, 39, 13, 62, -8, -96, 23, 83, -32, 4, 57, 79, -114,
    -78, 113, 72, -55, 73, 48, 49, -87, 19, 86, -69, -27, 114, 71, 99, -85, 25, 75, 36, -15, 4, 38, 2, 22, -17, -11,
    -96, -89, 17, 23, 89, -34, 97, 97, -64, -96, 53, -110, 73, 110, 54, -47, 84, -84, -60, -55, -43, 75, -67, 113, 27,
    99, 18, 126, -27, -8, 3, 105, -106, -25, -114, -54, -97, -34, 125, -70, 29, 119, -94, -112, 25, 64, -39, 89, 89,
    53, 127, 31, -21, 62, -76, -76, -36, 88, -48, 111, 47, 36, 97, -36, -83, -71, 97, -2, 47, 94, 51, 75, -50, -48,
    37, 45, 75, -67, -56, 110, 77, 97, -34, 89, 75, -16, 62, 114, -40, -68, -90, -64, -80, -20, -78, -99, 4, 112, 41,
    -74, -57, -9, 59, -105, -91, -39, -59, 98, -9, 19, -102, 70, 72, -110, -55, -22, 0, 83, -35, 5, 83, -25, 127, -71,
    9, -105, 28, -111, -60, 21, -63, -69, 45, -56, -39, 17, 106, 86, 24, -53, -35, -7, 29, -60, -1, 14, -67, -65,
    -100, -18, 93, -29, -91, 5, 27, 59, -109, -30, 10, -19, 9, -62, -119, -59, -33, 50, -54, -124, 5, -17, -5, 75, 63,
    -12, 61, -66, -61, -13, -124, -7, 54, 66, -15, 58, 19, -66, -25, -51, 60, -33, 14, 72, 1, 27, -7, 69, 87, 84, -44,
    113, 94, -50, 59, 94, 80, 51, 49, 42, 58, -37, -13, -70, -79, 86, 100, -12, -1, -37, 86, -39, -27, -54, -3, 30,
    37, 86, 23, -91, 36, 62, -38, 26, 90, 22, -65, -18, -78, 52, 110, -45, -26, 41, -127, -66, -29, -72, 30, 108, 0,
    -54, 49, 41, -16, -62, -42, 3, 87, -15, -91, 69, 43, -82, -109, -58, 14, -19, -19, 43, -29, -25, -45, 40, 121, 85,
    93, -52, -75, 85, -10, -67, -52, 85, -60, 50, -5, -20, -3, -85, 86, 73, 14, -14, 19, -23, -94, 86, 83, 1, 90, 70,
    -30, -19, 2, -10, -33, -114, 95, -125, -117, -82, -95, -64, 63, -79, -38, 86, -46, -73, 96, -87, 102, -16, 44, 10,
    53, 0, -65, 52, 107, 42, 3, -33, -51, -89, -110, 30, -16, 118, -44, 65, -11, 96, 56, -21, 82, 43, -57, -70, -31,
    -64, 9, -93, 99, 75, 27, -13, 97, 64, 68, -29, 96, 3, 1, 34, 76, 41, -96, 53, 17, -83, 107, -65, 53, 6, -58, 38,
    94, 5, 69, 95, -113, -54, 111, -32, 81, 101, -24, -99, -81, -77, -47, -35, -9, 32, -95, -76, 95, -66, 77, -87, -6,
    43, 37, 93, -48, -17, -19, -63, -36, 17, 40, 101, -36, 3, 18, -60, -52, -89, 100, -61, 85, -37, -1, -65, 55, 116,
    107, -56, -31, 5, 95, -9, -60, 73, 11, 77, -81, -59, -97, -94, 17, -64, 16, -9, 101, -105, 64, 19, -12, -56, 41,
    -55, 4, 62, -33, 127, -47, -47, -84, -89, 58, -94, -72, -51, 46, 24, -20, -127, 43, -85, 62, -100, -43, -109, -79,
    -75, -3, 9, -67, 95, 45, 42, -40, -50, -50, 41, 53, 39, -18, 100, -67, -108, 75, -50, -69, 98, -38, -90, -55, 65,
    7, -62, -74, 4, 46, 50, -27, 45, 84, 31, 89, 27, 90, 39, 59, -84, 62, 47, 62, -35, -82, 32, -73, 46, -9, -59, 52,
    59, 22, 29, 87, 54, 37, -41, 19, 81, -56, 5, -21, -22, 42, -37, -55, 8, 33, 86, 46, 30, -73, 27, 42, -59, 17, -46,
    34, -5, 8, -77, 95, 5, 68, 46, 64, -98, 25, 28, 37, 33, -90, 66, 31, -69, -17, 68, 69, -15, 59, 89, 45, 3, -75,
    89, 78, 30, 59, -7, -36, -122, -12, -96, 31, 86, 28, -17, 17, 78, 110, -45, 95, -21, 11, -22, -82, 94, -84, -59,
    94, -109, -121, 76, -44, 80, 47, 68, -72, 86, 15, 114, -95, -15, -88, -24, -14, 6, 70, -70, 122, -18, 56, 76, 88,
    75, 36, -69, -112, 44, 8, -96, 78, -127, -42, -38, 45, 51, -11, 37, -121, 92, -82, 14, 51, 86, -89, 8, -49, -39,
    44, 118, 42, 65, 74, 13, -35, 13, -53, 82, -47, 112, 67, 41, -9, -76, 22, -53, 25, -116, 98, -1, 65, 0, -52, 10,
    26, 77, -21, 17, 61, 72, -33, 25, -92, -31, 98, -43, -69, 92, 79, 91, -91, 1, 127, 26, -18, -118, 41, -3, -62,
    -87, 58, 23, 18, 99, -64, 58, 2, -41, 72, -101, -112, -70, -83, 9, -23, -110, 54, -24, 12, -92, -59, -29, -36, 33,
    -13, 45, 14, -24, 22, 26, 78, -50, -53, 71, 36, -108, -103, 60, 78, 69, -72, 54, -108, -72, 8, 1, 1, 32, 59, 88,
    53, -112, 9, -83, 9, -12, -37, 87, 60, -26, -111, 82, -17, 2, 106, -66, -95, -35, 42, 106, 46, -97, 10, 99, 28,
    86, -55, -54, 49, 95, -66, -20, -34, -10, 91, -33, 44, -48, -5, -58, -118, -67, 14, -6, 3, -82, -32, -27, 66, 50,
    -118, 16, 19, -18, -33, -49, 23, -55, 37, 8, -33, -25, -55, 69, -67, -106, 37, 84, 84, -65, -75, 73, 89, -73, 91,
    81, -98, -106, 85, 10, -104, 22, -21, 89, 25, 20, -51, 18, 35, -119, 59, 49, -104, -93, -38, 28, 90, -6, -1, -16,
    46, 26, -17, 70, 44, 45, 67, 93, 62, -30, -14, -97, -26, -10, -13, -56, 24, 49, 1, -110, -106, -70, -43, -4, -12,
    -46, -18, -39, -127, -48, -22, -19, -86, -14, -20, -84, 6, 41, 14, -44, 16, 37, -66, -65, 62, 68, 37, -108, 98,
    82, 68, -51, -9, 93, 3, -117, 55, 82, 11, 48, 104, -23, -104, 32, 30, 89, -104, -20, 30, -99, 40, -93, -76, 47,
    -61, -84, -68, -44, -12, -56, -84, 59, 58, 75, 51, -15, -14, -28, -41, -49, -85, 36, 80, 98, -14, 87, 26, 72, 72,
    16, 34, -44, 2, 75, 79, -24, -16, 49, -56, 44, -40, -69, 29, 65, -52, 15, -37, 1, 79, -49, 65, 56, -2, 23, -80,
    -76, 112, 108, -88, 77, 38, 26, 16, 70, -13, 62, -103, 48, -9, 39, 7, 10, -69, 53, 71, -44, -8, -104, -49, 9, 64,
    -46, 72, -34, -3, -65, 6, -29, -43, -72, -17, -14, -40, 50, -7, 41, -83, 30, -62, -74, 91, -28, 38, -127, 4, 22,
    -43, 32, -70, -24, -23, -74, -8, 73, 66, 56, -69, 54, -41, 54, 71, 58, 105, 57, 75, 82, 123, 60, 50, 73, 39, 63,
    22, 38, -11, -9, 31, -122, 81, -49, 52, -49, -23, -91, -52, 28, -86, -44, -21, 31, -43, -86, -85, 85, -40, -124,
    -4, -48, 8, 97, -66, 61, -88, -85, 43, -112, 77, 35, 27, 78, -32, 90, 39, 36, 25, -73, -5, 27, 11, 22, 1, -44, 51,
    -90, -69, -78, -23, -59, 54, -80, -55, 25, 46, -64, 50, -58, -15, -67, -70, -10, -9, -88, -93, 34, -104, 90, 99,
    -96, 41, 18, 62, -22, -110, -107, 39, 29, 16, 66, 41, 77, -55, -1, 11, 17, -11, -54, -84, 52, 8, 50, -85, 94,
    -127, 43, 113, 96, -42, -46, 96, 59, 73, 7, -94, 54, 28, 83, 93, -66, -51, -47, -24, 51, 13, -75, 11, 105, -49,
    15, 102, 52, -75, -75, 4, -58, 2, 46, -52, 54, 20, -10, -13, 86, -95, -31, 82, 37, 49, -72, -87, 81, 53, 127, -73,
    -85, -46, -74, -47, -20, 73, -15, -29, 92, 57, -87, 108, -10, 111, 13, -91, -83, -58, 101, -53, -87, 6, -50, 10,
    35, 74, -83, -49, -38, 89, -13, -67, -57, -37, -71, -12, 85, 8, 79, -50, 85, -36, -42, -18, -43, 26, 58, 23, 38,
    -19, -39, -7, 88, -111, 40, 76, 43, -55, -85, 74, 80, -48, 69, 67, 85, 74, 26, -94, 37, 97, -26, 22, -26, 76, 11,
    63, 56, 61, -74, 68, 100, -24, -17, -50, 67, 94, -10, -97, 20, 65, 30, 18, -116, 88, -54, 57, -5, -62, 54, -11,
    -34, -68, 26, -105, 70, -10, -30, 74, 40, 7, -6, 11, 44, 106, -44, -81, 56, -63, -89, 105, 92, -88, 5, 118, 61,
    13, 56, 47, -25, -65, 77, 72, -17, 84, -95, -120, 80, -109, 43, -52, 57, 50, -88, -41, 56, -11, -96, -42, 44,
    -110, -4, -14, -94, -74, 39, -44, 27, -102, -77, 89, 102, 55, 113, -70, 51, -23, -60, -51, -73, -18, 79, -68, 12,
    46, 32, 8, -62, -1, 90, -44, -23, -90, 76, 111, 105, -60, 122, -16, 13, 12, -106, -35, -56, 35, -127, -25, 47, 34,
    -41, 113, -48, -16, 72, 114, 104, 13, 95, 87, -62, -127, -15, 115, -45, 11, -83, -70, -82, 9, 28, 61, 19, 0, -114,
    -22, 79, -54, -51, 64, 125, 76, -77, 64, -70, 70, 21, -92, -61, -13, 0, 97, -5, -76, -54, -35, 29, -40, 31, -10,
    -39, -12, 9, 85, 55, -85, -86, -31, 37, 7, -17, 15, 76, -73, 110, -82, 119, -62, 70, 58, -62, 52, 90, 40, -37,
    -21, 60, -7, -61, -93, -86, 49, -14, 43, 100, 19, 82, 10, -109, -30, 77, 37, -38, -25, -75, -64, 76, -23, -37,
    -41, -10, 44, 6, -69, -55, -38, -60, -107, 48, 19, -91, 37, -26, -38, 29, 101, -55, 68, 41, -12, 63, 0, 50, 47,
    -80, 114, -20, 33, 27, 59, 40, 56, -44, 30, 34, -112, -79, -61, -16, -17, -83, -59, 104, 81, 63, 17, 66, 100, 110,
    3, 75, 36, 97, -77, 109, 44, 44, -92, 64, 56, -103, -125, 79, 65, 77, 21, -63, -106, 93, 81, -36, 15, 117, -58,
    -79, 108, 33, -45, -22, -16, -62, 16, -75, -17, -23, 24, -64, 37, 78, 52, 3, 84, 83, 19, 7, -123, 94, -83, 2, 81,
    5, -102, 60, -117, -43, -3, 46, -80, 127, 57, -110, 8, 102, -96, -81, 50, 85, 75, -20, 11, -85, 101, -80, -71, 59,
    -46, -126, 47, 71, -124, 19, -67, -12, -38, -59, 16, 20, 80, 35, 10, 75, -4, -12, 24, -113, -73, -72, -68, -72,
    28, 127, 63, -44, 82, -94, 106, -52, 0, 12, 29, 21, -20, 114, -78, 29, 55, -32, 0, 59, -13, -22, -7, -75, -22, 83,
    -78, -32, -122, 120, -64, -9, 109, -8, -99, -86, -75, -34, -58, -38, -73, -3, -64, -82, -79, -87, -1, -78, 72,
    -51, 18, -12, -21, -21, -42, 2, 117, -27, -14, 13, 19, -101, -79, 45, 33, 123, 89, 50, 81, 22, -34, 35, 12, -24,
    47, 11, -3, 15, 65, -17, 31, -3, 39, -59, 93, -30, 102, -47, -29, -34, -51, 49, 19, 42, 37, 38, -70, 100, -1, 49,
    55, -46, 105, -45, -42, -31, -113, 16, 74, -75, -97, -77, 80, -120, -47, 72, -13, -15, 77, -42, 86, -30, 108, 96,
    -127, -14, -53, 43, -121, 82, -87, -33, 41, 37, 102, -46, 14, -35, -49, -83, 52, -48, 106, 117, -90, -35, -21, 40,
    -16, 66, -38, -25, -20, 87, -91, 16, -89, 23, -59, 98, -25, 42, -53, -23, 76, 76, 55, 70, -27, 1, -54, 49, 82, 83,
    83, -118, -17, -64, 95, 6, -107, 70, -125, -34, 68, 38, -88, 16, 45, 38, 28, -34, -90, -10, 65, 106, -49, 26, -54,
    -77, 24, 60, 84, 101, 28, 53, -9, 42, 69, -28, 3, 20, 41, -42, 81, -21, -59, -68, -91, -14, -3, 51, 24, 111, -13,
    -41, 115, 1, 69, 90, -87, 17, -63, 59, 89, 15, 3, 15, 84, -80, -31, -51, 62, 91, 52, 41, -1, -64, 88, -37, -44,
    -86, 74, 122, -3, -69, -90, -50, 79, -35, 54, -51, 3, 113, -34, 84, -46, 67, -84, 115, 44, -46, 85, 59, 36, -127,
    41, -103, -105, -40, 94, -92, 107, -61, -19, 92, -63, -29, -88, 14, 74, 115, 22, 55, -65, 86, -39, -6, 49, -67,
    39, 14, -81, 12, -47, -22, -108, 53, 120, -73, 3, 54, -50, -9, 3, 84, -102, 114, 24, -88, 118, 126, -19, -32, -34,
    81, 74, 65, 48, 38, 104, -113, -56, 27, 64, -85, 92, -30, 96, 85, -35, -72, -47, 73, 57, -30, -105, 0, -3, -89,
    -64, -30, 22, 63, -95, -86, -56, 27, 53, -65, 21, -121, 97, -115, -33, -27, -62, 55, 65, -23, -88, -19, -12, 70,
    -107, -29, -13, -27, -111, 13, -126, -84, 52, -28, -94, -3, 60, 7, -2, -67, 4, 38, -24, 89, 2, -73, 5, -38, -34,
    -1, 36, -22, 24, 8, 6, -14, -60, 5, 32, -31, 5, -66, 58, -71, 6, 49, -108, -2, -10, -45, 47, 64, 6, 27, 112, -68,
    -39, -23, 26, -38, 85, 48, 7, 28, 104, 110, 79, -34, -25, 96, 97, 105, 70, 4, -4, -22, -71, -127, 58, -81, 67, 56,
    -69, 30, 66, 57, -43, -17, 13, 105, -37, -74, -63, 49, 71, -59, 89, 35, 77, 67, -63, -38, 89, 114, -19, -28, -23,
    -73, -51, 1, 63, 56, 87, 55, -74, -45, 65, 84, -83, -4, -33, -103, 56, -42, 104, -104, 82, 5, 36, -70, 56, -95,
    -87, 59, 61, -13, -77, -21, -113, 6, -19, -62, 119, -8, 50, 103, 31, 6, 71, 92, -24, 105, 23, 53, 67, -19, -73,
    61, 81, 123, 75, -61, 119, -83, -9, -66, -42, 54, 86, -57, 123, 102, -31, 4, -11, -23, 101, 98, -39, -89, -88,
    -41, 0, 14, -86, 31, -85, 24, -99, -127, -8, -84, 74, 83, 73, 70, 0, 95, 111, 87, -42, 7, -78, -124, -113, 94,
    -46, 105, 79, 122, 85, -59, 41, 12, 37, -5, -90, 31, 68, -76, -9, 9, 98, 55, -57, 30, -66, 71, -85, -47, -56, -89,
    89, 28, -57, 76, 13, -46, 78, -60, 5, -24, -44, 53, -83, -118, 7, 29, 103, 18, 1, -94, -8, 75, -2, -62, 23, -21,
    33, -78, 25, 43, -17, 104, -62, -56, 55, 17, 121, 26, -88, -90, -29, 64, -22, 80, 106, -74, -71, -12, -52, 85,
    -32, -72, -95, -18, -69, 70, -61, 54, -82, -25, -16, 40, -13, 62, 36, -38, 16, 61, 68, -28, -70, -67, -55, 12,
    -48, 73, 21, 76, -38, -25, -51, 51, -47, 80, 17, 22, 12, 49, -27, 36, 44, 58, 89, 24, 127, -1, -4, -38, 10, -66,
    104, 52, 38, 68, 95, -36, -43, -12, 53, 77, 81, 46, 14, 25, 30, -73, -71, 56, -41, -68, 91, 89, -76, 85, 61, 3,
    15, -49, -8, -14, -61, 29, -5, -26, 11, -45, 13, -80, 66, -3, -100, -83, -99, 61, 29, -76, 85, -39, 38, 89, 89,
    -30, 45, -35, 52, 10, -30, 62, 65, -22, 70, -86, 21, 7, -20, 91, 59, -83, -99, -97, -48, -10, -87, -11, -9, -17,
    -41, -67, 74, 69, 12, 106, 76, -14, -65, -16, -42, 84, 72, -19, 99, 15, -45, 21, -91, 51, 64, -95, -65, 95, -41,
    -6, 21, 67, -26, 84, 87, 58, 28, 29, -57, -108, -26, 23, -2, -52, -57, 44, -49, 27, 35, 81, 54, 111, 51, 29, 91,
    116, -13, -11, -28, -10, 66, 7, -69, 64, 127, 7, -44, -43, 45, -18, -86, 79, 89, -115, -54, -36, -42, 27, 80, 113,
    -47, 52, -44, -20, 106, 34, 23, 101, -47, 16, -26, 0, 56, -87, -96, 47, 34, 53, 68, -2, 94, 17, 75, -71, -27, 72,
    -111, -127, -33, 85, 102, -55, 21, 59, -68, 104, 73, -18, 85, -18, 23, 90, 23, 43, 66, 43, 88, 33, 17, 69, -50,
    -31, -8, 125, 15, -27, -89, 58, -46, 80, -89, -44, 27, -93, 64, 38, -109, 56, -70, -80, -58, -54, 33, 18, 79, 104,
    -54, -85, -54, 81, 105, -19, 45, -103, -9, -19, 41, -75, 102, 80, -78, -38, -57, 28, -65, 20, 38, 30, 42, -85, 40,
    -86, 23, 21, 3, 108, 64, 17, -13, -95, 60, -64, -12, 33, 4, -65, -104, -86, -78, 53, -56, -48, -31, 68, -6, 38,
    -106, 49, -12, -8, -15, 30, -48, 116, 44, 54, -50, 22, 74, 27, -10, 87, 47, -68, 29, -59, -2, -66, 35, -81, -83,
    -45, -32, 44, -9, 82, 21, 61, 113, 91, 72, -117, -80, -16, 87, -22, 59, 78, -64, 87, 75, 104, -33, -84, 80, -1,
    111, 97, -53, -14, -71, -24, 101, -73, 1, 21, -60, -97, 97, 87, -57, 35, -24, -115, -21, -44, -3, 127, -3, -35,
    74, 38, -45, 17, 69, -48, 110, 77, -56, 4, 39, 13, -8, -20, -40, 111, 4, 117, -72, -32, -79, -49, 22, 31, 27, 35,
    -47, -1, 93, 39, -51, -65, 86, -45, 29, 86, -75, -9, -12, 57, 68, 127, 61, -5, 82, 69, 88, 85, 12, -55, 64, -50,
    39, 52, 108, -50, -25, -82, 65, 92, 16, 4, 40, -67, -61, 113, -85, -33, 42, -100, -41, -41, 50, -33, 69, 51, 59,
    19, 58, -44, -56, 110, 111, -51, 45, 102, 113, -37, 34, 23, 100, -74, 83, -47, 80, 83, -61, -20, 36, -47, -80,
    -36, 21, 123, -57, 41, 89, 15, -46, 74, -40, 5, 36, 34, -68, -12, 57, 50, 12, 61, 81, -100, -6, 77, 78, 60, 14,
    117, -83, -62, 38, -34, -25, 65, -38, 35, 63, 27, -67, 55, -64, -65, 55, 66, -36, 8, 23, 91, -70, 36, -34, 5, -29,
    -47, -87, 89, -32, 45, -55, 29, -88, 127, -35, -5, -50, -45, -53, -26, -1, 29, 66, -4, -18, -31, -65, 48, -64,
    -76, -33, -10, 82, 70, -110, -114, -25, 15, 51, 15, 103, -26, -49, 8, -24, 12, 7, 36, 60, -123, -27, 29, 34, -12,
    105, 59, -15, 63, 87, -64, 111, -83, -53, -5, -81, 24, -8, -51, 76, 1, 35, 49, -64, 79, -25, -9, 68, -54, 2, -17,
    93, -41, -29, 90, 26, -80, -17, 47, 61, -53, -68, -56, 39, -96, 29, 4, -5, -43, -19, -70, -79, -69, 68, -27, 57,
    -114, -30, -15, -65, -67, 66, 90, -72, 52, 3, 81, 33, 0, -76, 121, 61, 72, 101, 68, 31, 85, 114, -9, 107, 113,
    -35, 57, -116, 2, -31, -62, -58, 106, -35, 123, 105, 67, 110, 52, 77, -114, -62, 106, -56, -97, -6, 61, 81, -95,
    11, -97, -10, -62, 20, 67, 116, -28, 99, -17, 59, 1, 53, -1, -40, -31, -31, 24, 38, -40, -70, -41, -34, 28, 62, 8,
    -14, -59, -19, 6, -104, -41, -65, 23, 24, -62, 2, 29, 59, 23, -8, 4, -79, 8, 41, -12, 64, -75, -103, -41, -15,
    -14, 103, 53, -7, 33, -80, 114, -35, -26, -41, -37, 24, -32, -15, -20, -63, -38, -50, -55, -14, -95, 96, 10, -83,
    104, -98, 18, -25, -95, -127, 55, 41, 78, -47, -37, 47, 43, 10, -15, 80, -65, 6, 103, 14, 106, -45, 5, -119, 90,
    -4, 105, -96, 53, 66, -87, -31, -107, 67, 50, 21, 20, -47, -56, 81, -97, -80, 35, -99, 35, -59, -60, 66, -74, 24,
    43, -14, 38, 45, -43, -114, 32, 9, 43, -4, 74, 1, 111, -65, 3, 63, -81, -85, 98, 127, 120, 74, 93, 119, 59, -56,
    -28, 49, -71, 22, -80, -25, 11, 113, 71, 16, 79, -36, 94, -5, 35, 55, -5, -27, 38, 58, -61, -101, -59, -12, -87,
    91, 86, -127, -21, -86, 7, 67, -13, -48, -48, -83, -65, 80, -78, 0, 24, -14, 41, -71, 10, -55, 19, -20, -49, -22,
    79, 50, -32, 124, 40, -124, 4, -78, 29, -50, -52, 19, 118, 113, -22, 45, -27, 71, -127, 119, 11, 113, -82, 96,
    104, -43, 34, -53, 12, -46, 84, 40, -44, -92, 22, -65, -8, 66, 19, -100, 47, -94, 114, -11, -32, 24, 27, -47, 100,
    37, 34, -70, -45, 8, -37, -7, -34, 70, 6, -57, -25, 86, -35, -57, 56, 47, 31, -61, 60, 43, 43, -64, -36, -26, -36,
    31, -83, -50, 63, 52, -8, 29, 79, -84, -51, 13, -12, -80, 110, 21, -49, 16, 107, -41, -90, -109, -24, -26, 36,
    -76, -24, -51, 105, 13, 31, -20, 111, -82, 9, -66, -79, -36, -32, 14, -45, 47, 41, 70, -81, -74, 23, 76, 4, -47,
    77, -50, 69, -2, 75, 23, 93, -16, 76, -49, -12, 82, 27, -13, 21, -42, -11, -4, 23, -98, -5, -127, -12, 68, 5, -41,
    12, 49, 85, 53, -26, 10, -25, -24, 52, 22, 4, -87, -8, 76, 106, -75, -90, -50, -6, -65, -41, -69, 80, -42, 26,
    100, 89, -3, 90, -40, -72, 58, 42, -45, 58, -78, 112, 96, 30, 51, -23, -38, 100, 103, 51, 27, 36, 58, 28, 79, -15,
    49, -45, 106, -26, 98, -71, 103, -11, -46, -103, -77, -36, 82, -22, 18, 48, -56, 7, 105, 19, -35, 90, -30, -120,
    54, 56, -87, 40, 44, -61, -70, 68, -64, -42, 93, -65, -102, 19, 28, 57, -52, -57, -7, 54, 2, 79, 6, 23, -67, -22,
    -65, 50, 27, -32, 49, -99, -85, -74, 47, -77, 20, 41, 32, 69, -51, 11, -2, -36, -4, -22, 4, -14, -59, 62, -31,
    -89, 71, 14, 37, 65, 85, 59, -116, 56, -48, 19, -27, -127, -40, -17, 49, 57, 25, 28, 93, 69, -82, -35, -48, -22,
    -105, 52, 65, -50, -83, 70, -17, -26, -79, 39, -49, -82, -91, 101, -65, -42, -69, 68, 85, 22, 89, 73, 2, -105, 27,
    16, -35, -31, -48, -118, 9, -115, 5, 45, -38, 64, 61, -16, 106, -40, 39, 62, -72, 63, -20, 31, 51, 93, 23, -96,
    -71, 13, -5, 44, -32, 115, -34, 63, 94, 30, 63, 70, -95, -109, -30, 101, 26, -6, 108, 72, -55, -98, 111, 104, 60,
    -20, 24, 18, -33, -71, -7, -40, 83, -47, -53, -21, -75, -5, 74, -57, 15, -90, -21, -27, 100, -15, 37, 62, -17,
    -61, -67, 54, 43, -79, 116, -7, 25, -81, -30, -90, -13, -8, -15, 1, 65, 11, -67, 100, 40, 54, -44, 105, -16, 54,
    28, 79, 96, 35, -93, -46, -1, 26, -66, 23, -32, -4, 42, -22, 87, -3, 108, 93, -19, 43, -28, 66, -110, -88, -5, 80,
    69, 37, -80, -127, -25, -78, 36, -45, -44, -67, 10, 49, 47, -98, -69, -83, -90, 39, -96, 80, -3, 64, 8, 99, 71,
    66, 82, 47, -14, -99, -58, -30, -85, -102, -89, 1, -68, -84, 91, -59, 30, -45, -39, -115, -4, -39, 4, -39, -68,
    43, -79, 90, 68, 91, -56, -62, -119, 11, 106, 71, -11, 106, 17, -53, 68, 85, 30, 4, -40, -46, -92, 71, -75, -22,
    115, -66, -38, -82, 12, 97, 81, 82, 20, -26, 35, 54, -74, 8, 113, -40, 48, -73, 66, 14, 5, 40, 122, 45, 59, 39,
    -75, -33, 16, 67, 72, -43, 54, -127, -44, -117, 8, -30, 96, -26, -56, 29, 97, 16, 60, -65, -70, -7, 84, -33, 20,
    -41, 54, 59, -11, 58, 61, 84, 122, -15, 13, 20, -92, -83, -93, 67, 84, -54, -49, -48, -75, -95, 80, 92, 22, 14,
    13, 84, 12, -70, 96, -51, 90, -12, 69, -59, -118, -112, -41, -5, 48, -95, -67, -39, -75, -105, 76, -90, 102, 9,
    53, -87, 112, 116, 11, 79, -89, 18, 34, -114, 10, -70, 63, -87, 102, 12, -87, -3, -55, 75, 89, 9, 3, 63, 64, 54,
    -3, -1, -85, 50, 84, 8, -69, -71, -105, -29, -63, -2, -73, -104, 84, 55, 93, -18, -77, 72, 87, 34, 46, 86, 49, 79,
    -56, -33, -67, 76, -111, -37, 37, 32, -26, 69, 115, 79, 75, 55, -51, 86, -89, 12, 127, 59, 127, 0, -3, -84, -32,
    -49, -112, 89, -92, 3, 28, 109, 32, 69, -108, 69, -29, 90, 47, -87, -32, 47, 59, 89, -7, -11, 115, -67, -32, -37,
    -8, 93, -83, -87, -80, 103, -32, 20, 12, 55, -124, 83, -88, 25, 31, -7, -30, 127, -49, 57, -46, -1, -127, -77,
    125, -27, 2, 36, -98, -100, -75, 60, 1, 78, 7, 105, -89, -41, 50, -54, 35, -23, -60, -117, -30, -42, 37, -54, 86,
    26, 15, -92, -83, -47, 82, 53, 58, 23, 28, 56, -37, -45, 99, -71, -80, -67, 9, 57, 114, -12, -28, -19, -96, 33,
    -30, 81, -41, 64, -47, 22, -6, 35, -4, 124, 14, 9, 100, 78, -79, -16, -75, -11, 11, -2, -42, -51, -67, 49, 19, 84,
    102, 11, 53, -39, 35, 73, -6, -10, 34, 0, -57, 36, -67, -22, -59, 18, -82, -35, -3, 55, -59, 39, 26, 89, 36, -47,
    -19, 21, -14, -56, 89, -78, -68, -32, 73, 22, -72, -71, -32, -70, -41, -58, -70, 37, -43, 23, 30, 61, -17, -69,
    106, -55, 3, -84, -81, -70, 35, 87, -71, -23, -18, -65, 66, -48, 106, 43, -17, 87, 62, -16, -88, -2, 76, 55, -64,
    -78, -33, -74, 99, 10, -57, -79, 31, -95, 127, -32, 90, -58, 97, -5, 97, 104, -59, 99, -88, 32, 65, 33, -13, -17,
    2, -106, -61, 81, -80, 52, 10, 84, -64, 2, 41, 14, 37, -43, 45, 18, 38, 89, -1, 32, 58, 51, 38, -9, -6, 75, -83,
    105, 59, 72, -92, 24, 26, -79, -14, -44, 94, 33, 40, -79, -103, 13, 112, 1, 61, 27, 44, -57, 73, -5, 96, 16, 0,
    16, -16, -65, 34, 49, 7, 71, -46, 4, 33, 88, 85, 8, 78, 39, 25, 15, -126, -127, -51, -84, 55, -42, -119, -22, 7,
    -32, -51, 61, -55, 26, -127, -87, -5, -36, 76, 59, -14, -41, -36, -44, -4, -101, -103, 82, -32, -10, -117, 98, 90,
    61, 25, 90, 52, -48, -15, -4, -86, -39, 14, 55, -40, -43, -37, 66, -60, 8, 73, 39, 26, -5, 91, -11, -47, -47, -3,
    124, -103, 45, 74, 19, -76, -56, -100, 84, 19, -77, 69, 101, -16, 63, -16, -87, -64, 3, 53, 55, -78, 78, 47, 31,
    -3, -33, -35, -32, -80, 108, -84, 103, 43, -53, 3, 11, -86, -58, -82, -48, -15, 23, 119, 60, 24, -85, -64, 107,
    -58, -53, 77, 81, -61, -3, 50, 1, -92, 32, -94, -77, -13, -111, -57, -87, -68, -10, -9, -42, 77, -71, 26, -2, -13,
    77, 73, 36, -37, -74, 1, 67, -94, 12, 44, 49, 82, -88, -92, -10, 17, -15, -56, 3, -101, 7, 4, 58, -52, -66, -108,
    25, -86, -75, -10, -118, -75, -67, -86, -71, -36, -79, 98, -76, -1, 98, -72, 36, -72, 36, 0, -51, -92, -1, -118,
    -8, -68, 29, 63, -64, -92, -79, 98, 88, 36, 22, -26, -96, 91, -27, 80, -127, 46, 57, 22, 29, -74, 22, 55, 40, -44,
    -90, 46, 59, 44, -48, -42, -17, 13, 14, -3, 107, -65, 50, -47, -71, 115, 105, 116, -10, -31, 79, -7, 41, 37, -7,
    -63, 74, -16, -56, -14, -46, -1, 14, -43, -79, -96, 55, 59, 69, 4, 56, 18, 82, -28, 33, -76, 42, 58, 77, -60,
    -109, 122, 92, -107, 20, 66, -3, -127, -48, 6, -118, 22, -16, -2, 59, 82, 37, -59, -38, -78, 1, -52, -110, -12,
    14, -1, -40, 24, -107, 84, -60, 122, -24, 9, -8, 74, 5, 89, 79, 27, -65, -58, -9, -56, 56, 71, 18, -62, 107, -33,
    -13, 86, 26, 58, 14, 77, -54, -57, -23, -6, 18, -93, -114, -109, -97, -98, 19, -20, -66, 30, 86, -105, 39, -23,
    -101, -98, -95, -123, 91, -41, 87, -10, 24, 52, 45, -54, -116, -93, 39, -44, -66, 5, 25, -85, 76, 86, -107, 91,
    110, 46, 52, 10, 55, 35, 15, -25, -40, -104, 108, -104, -67, -105, 115, -113, 38, 23, 57, -42, 60, 5, -2, -115,
    108, -37, 101, -6, 98, -42, 23, 9, -127, -67, -27, -5, -54, -3, -89, -12, -5, -63, -71, -126, -107, -3, -113, -39,
    96, 15, 31, 92, 28, -97, -52, -27, 67, -74, -24, -65, -94, -38, 60, -113, 57, -41, 93, -53, -25, -74, -121, -48,
    57, 35, 35, 44, 34, -73, 24, 75, 93, -77, 110, -90, -38, -84, -53, 11, 45, -5, 79, 51, -28, -127, 46, -39, -72,
    24, 14, -104, -17, -115, -91, 85, 79, 83, -103, 61, 49, 74, -15, -83, 53, 62, 87, -83, 107, -65, -49, 78, 79, 56,
    103, -28, -70, 58, -56, -85, -7, 38, 95, 20, -113, -29, 42, -53, 106, 13, -10, -74, -41, -26, 37, -77, -52, 42,
    -63, -103, -111, 5, -122, -116, -1, -35, -102, 50, 59, 44, 83, 4, 14, -23, -82, 59, 30, 17, -114, 53, 21, -28, 65,
    28, -100, -47, -10, 5, -92, -60, -28, 56, 12, 73, -31, 83, -41, -30, 50, 80, -79, -77, 23, -5, 62, 73, -77, 72,
    -60, 41, 32, 9, 20, 59, 68, -99, 61, 28, -62, -59, 75, 59, -34, -27, 51, 60, -69, -73, 89, -101, 74, -108, -7,
    -31, 76, 51, -48, -82, 46, 64, -19, 34, -81, 64, 74, 6, 66, 39, -69, 40, -46, -10, -36, 61, -106, 29, -15, 10,
    -53, -71, -90, -62, -85, -69, 45, 67, 38, 36, 75, -51, -115, 29, -5, -15, -21, -35, 3, -17, -107, 88, 80, -105,
    -69, -49, -70, 4, 62, -50, -49, -88, -98, 2, 42, -42, -24, 30, 60, 60, 36, -25, 84, -16, 28, 0, -53, 64, -48, 26,
    53, 16, -60, 80, 44, 77, 127, 51, -45, -108, 108, 59, 21, -1, 13, -33, -26, -60, -5, -5, -74, 51, -24, -41, 49, 2,
    -13, 113, 22, -97, -13, -49, 79, -60, -29, 33, -73, 93, 70, 40, 115, -5, 21, -27, 99, 68, 34, 27, -110, -73, -14,
    9, 0, 103, -35, 25, 44, -11, 84, -120, 8, 55, 100, -28, 71, -127, 32, -85, 27, -25, 47, 9, -48, -34, -98, 10, 61,
    -26, 104, 23, 1, 32, -76, 77, 6, 45, -34, -76, 52, -39, -46, -46, 92, -72, 52, 84, 23, -18, 78, -53, 88, 20, 55,
    -106, -19, -127, -42, -120, -51, -116, -111, -44, 24, 35, 28, -45, 59, -76, -45, -46, 18, 7, 46, 47, -104, -69,
    115, -1, 24, -12, 53, -72, -103, -20, 32, 45, -37, -24, 33, -46, 47, -55, 51, -54, 22, 58, 55, 96, 24, -71, -1,
    58, -20, -83, 57, 74, -24, 6, 10, -58, -64, 14, -37, 53, 42, 78, 4, 23, -106, 26, 109, 17, 34, 8, 20, 8, 123, -68,
    15, 78, -84, -37, 1, -5, 37, -101, -75, 19, 27, 32, 26, -11, -114, 49, -93, -29, 127, 40, 63, 93, 4, 18, 4, 73,
    90, 25, 51, -35, -71, -58, 27, 101, 86, 71, 21, 36, -67, 94, -91, -127, -4, -3, -41, -85, -112, -111, 23, -117,
    41, -81, -50, -90, 77, 87, 28, -62, 115, 67, -32, 103, -16, -58, -22, -22, -74, 24, -36, 58, -6, 17, 86, 33, 9,
    78, 56, -17, -35, 56, 5, -27, -28, -77, 47, -120, 73, -12, -106, -28, -24, 22, 22, -28, 70, 24, 76, 108, -17, 107,
    -85, 34, -122, 53, -95, -44, -42, 54, 39, 43, -20, -81, -38, -68, -14, 105, 108, -9, -112, 47, 98, 103, 83, 43,
    -36, 121, 60, -19, 82, 92, -7, 80, 40, 108, 65, -64, -60, -107, -12, -10, 57, 79, 58, -124, -97, 106, 74, 92,
    -114, -10, 98, 12, 42, -61, 69, -13, 62, -127, 98, -116, -89, 52, -66, -2, -106, -104, 46, -70, -28, 26, 59, -70,
    -91, 2, 118, 83, -81, 32, 7, 127, -13, -3, 79, -77, 53, -62, 37, -37, 61, -65, 61, 44, -114, -71, 103, -67, -30,
    -112, 89, 97, -86, -49, -6, 1, -29, 108, 125, -110, 31, 71, -93, 48, -127, -72, -49, 38, -56, -54, -36, -38, 86,
    113, 92, -36, -75, -13, 69, -6, -88, -76, -125, -18, 81, -12, -26, -9, -57, 76, 33, -65, 70, 90, 97, 65, 59, -17,
    100, 33, -88, 113, 5, 88, 36, 82, 39, -81, -91, -61, -91, -9, -95, 72, -96, 50, -77, 96, -47, -51, 97, -51, 26,
    -64, -14, 27, 37, 122, -54, -64, -23, -83, 97, -41, 30, -9, 24, 94, -51, -60, -63, -27, 32, -31, -47, 14, 16, -16,
    -90, 112, -85, 65, 88, 76, -32, 103, 4, -61, 42, 30, 86, -94, 74, 113, 49, -86, 96, 10, -69, 25, 46, -31, 30, 100,
    32, 107, -68, 123, 42, 48, 21, -28, 127, 50, 25, -24, 12, 95, 41, 30, 5, 79, -84, 30, -97, -96, -100, -36, 110,
    45, 76, 37, 11, 86, -41, -1, -68, 67, 75, 64, 109, -8, 94, -25, 108, 91, 45, -35, 111, 45, -82, 113, -55, -26, 84,
    124, 96, -6, -127, -36, 90, 89, 67, 101, 87, -24, -48, -80, 1, 85, 22, 76, 20, -82, 115, -92, -47, -96, -53, 96,
    81, -72, 1, 29, -43, -80, -108, -95, -29, 83, 103, -112, 21, 46, -96, 18, 95, -94, -102, -34, -6, -70, 70, 122,
    -71, -24, -100, 96, -64, -65, -12, -27, 120, -91, -68, 65, 38, -19, 93, 60, 13, 8, 93, 60, -75, 50, -33, 125, 73,
    79, -45, -63, 78, -108, 38, 82, -57, 97, 33, 55, -81, 13, -18, -61, 75, -43, -53, 103, 94, 23, 36, 1, 65, -58,
    -50, 65, -127, 4, -48, -79, 72, -55, 92, 44, -8, 105, -4, 49, -100, 116, -103, 79, -22, -43, 77, 1, 41, 70, 36,
    -48, -103, -116, -38, 34, -87, 33, -16, 42, -111, 52, 32, 39, 11, 47, 75, -119, 31, -62, -71, -97, 2, 27, -93,
    117, -12, 41, -60, 111, -59, -28, -61, -77, 90, 3, -120, -54, -61, 75, 96, 24, 121, -101, 44, 71, -15, -5, 116,
    116, 46, 52, 58, 16, -26, -43, -61, 7, 84, -91, 45, 112, 110, -107, 19, 93, -110, 6, -103, 83, -4, 95, -106, 55,
    -104, 50, 11, -52, -13, -56, 87, -5, 27, -34, 29, 4, 69, 37, -30, -32, -96, 3, 34, 12, -67, -38, 27, -23, -59,
    -84, 58, 28, -7, 24, 50, 74, 85, 57, -117, -97, 13, 66, 13, -122, -51, -71, -91, 94, -27, -45, -87, -127, -120,
    82, 44, -98, -105, 70, 39, -83, -74, 97, -65, 66, 46, 116, -26, -42, -12, -53, 74, 116, 96, -47, 0, -110, 89, 9,
    101, 88, 57, 62, 117, -12, 66, -94, -27, -62, 20, -33, -39, -75, -52, -55, -101, 61, 97, 23, -4, 54, 59, -85, 39,
    99, 14, -8, 64, -99, 81, -37, 120, 18, 22, -74, 8, -75, 0, -76, -71, -55, 46, 68, -68, 16, 8, 86, 67, 29, -41,
    -72, -62, 119, 71, 59, -49, -15, 74, 80, 44, -117, 37, -33, -51, 64, 120, -110, -51, -38, -15, 11, 6, 69, 26, -51,
    -31, 74, 51, 22, -46, 96, -26, 112, -68, -3, -36, -24, 66, 81, -23, 83, -5, 11, -32, 44, 43, 82, 83, 71, 86, -6,
    25, 82, -28, -9, -66, -62, 80, -39, -63, -127, -43, -36, -65, 39, -23, 66, 9, 53, 71, -5, 1, 37, -47, -59, 9, 43,
    -10, 17, -43, 22, 44, -108, -111, -35, 46, -72, -17, 65, -41, -38, -38, -17, -95, 55, 32, -39, -13, 2, -94, 12,
    17, 53, -82, 90, -32, -55, 51, -22, -99, -65, 30, -56, -18, 40, -73, -55, 58, -43, 103, 64, -91, -13, -82, 83, 12,
    77, 53, 120, -102, 61, 22, 91, 36, -78, 80, 53, 52, -81, 10, -106, 27, 32, -57, -45, -43, -62, 93, 65, -65, 30,
    -84, 98, 75, -85, 123, 97, 63, -36, 1, -72, -9, -61, -10, -83, -29, -73, -110, 29, 111, -58, 9, 75, -127, -74,
    -47, -67, -74, 17, -83, -57, 80, 84, -8, -60, 52, -20, -119, 84, 29, -26, 101, -86, -18, -46, 102, 78, 30, -20,
    -64, 1, -41, 50, 21, -108, -71, 7, 17, -127, 15, 84, 121, 96, -64, -11, 124, -74, 13, -94, 51, 8, -12, -81, 100,
    109, 31, 1, 18, 93, -63, -3, 70, 12, 35, 26, 7, 79, -25, 77, 65, 11, -71, -50, -22, 112, 93, 40, -4, 86, -79, -64,
    21, 115, 16, 75, -83, 83, 59, -8, 6, 2, 59, -55, -47, -79, -57, 11, 41, 93, -114, -65, 41, -127, 48, 67, -86, 80,
    -100, -43, -36, 51, 75, -109, -50, -94, -23, 77, -73, 96, -36, -91, 61, -83, -21, 13, 97, 83, -92, -68, -82, -97,
    40, -9, -91, -89, 43, 14, 65, -57, 27, 31, 64, 97, 112, 109, 105, -42, 17, -31, 90, -67, 1, 0, -21, 47, -80, -102,
    -26, -24, 77, 1, 55, 81, 38, -36, -74, -37, -115, -39, 114, -25, -33, -87, 79, 14, 105, -49, 26, 25, 86, 2, -17,
    17, 1, -69, -8, 89, -32, -108, 55, -68, 53, -51, -23, 86, -68, 45, 79, 19, 77, 15, 25, -1, -65, 101, -63, -81, 55,
    -46, 59, 9, -47, -39, -86, 30, -41, 39, 31, 70, -53, 64, -48, 23, 66, 67, -35, -35, -49, 22, 21, -65, 22, 9, -39,
    -64, -69, -25, 27, -32, -48, 19, -82, -38, -102, 25, 0, -9, -60, -64, -66, 87, 127, 39, -28, 32, 52, -51, -57, 99,
    41, 33, -58, -44, -2, -3, 110, -7, -33, -21, -96, -70, -83, 8, 62, 63, 34, -16, -2, -91, -53, -32, -57, 65, 74,
    -38, -3, 56, 23, 43, 41, -50, 106, 59, 65, 27, -63, 63, -94, -55, 89, 71, -40, -88, 1, 16, 55, 5, 103, 82, 45, 34,
    -95, 8, -56, -58, -8, 36, -94, -91, 119, 18, -87, -49, -96, -98, 26, -92, -71, -102, -75, -78, 83, -47, 39, 53,
    34, -65, 57, -118, 54, -94, -59, 120, -9, -47, -20, -92, 11, -100, 36, 31, 23, 103, -102, -28, 65, -75, 63, 59,
    -23, 72, 4, -72, 65, -9, 51, 98, -70, -67, 107, 11, 5, -67, -56, -2, 59, 38, -100, 54, 9, -51, 73, 19, 109, 93,
    110, 19, -8, -82, -91, 58, 116, 43, 77, -78, 11, 127, 68, -85, 41, 67, -18, 32, 18, 36, -40, 67, -93, -19, 42,
    -81, 55, 65, -121, 2, 55, -61, 13, -51, 41, -4, 41, 62, -17, -88, 98, 122, -17, 82, -111, -81, 8, 52, 51, -42, 20,
    -47, -3, 77, -64, -50, 86, -48, -107, -61, -53, -27, -50, -16, 70, 108, -38, 66, 2, 79, -108, -33, 66, -34, 126,
    124, -27, 127, 73, -72, -19, 123, 62, 119, -76, -101, 89, -40, -64, 32, 93, 70, 6, 62, 90, -79, 65, 85, 93, -8,
    -82, 93, -67, 16, -13, 99, 61, -85, -80, -67, -42, 96, 104, -42, -2, 23, 42, 11, -45, 85, -39, -61, -112, 62,
    -106, -96, -45, -92, -22, 39, -26, -52, -28, -77, -21, 96, 26, 38, -28, 122, 9, 79, -28, -81, 93, -94, 61, 39,
    -86, 52, -123, -25, -75, -101, -2, -47, -26, -26, -66, 82, 47, -113, 11, -56, 73, 67, 11, -62, 12, 124, 79, 72, 4,
    -22, -43, -79, -58, 87, -60, -37, 68, 20, 99, 75, -90, 72, 10, 82, 65, -5, 104, -105, 77, -88, -5, 12, 42, -67, 0,
    88, 88, -106, -47, 104, 89, -61, 69, 98, 16, -35, -31, -39, -66, 23, 80, 71, -5, -28, 76, -22, 97, 16, -82, -94,
    25, 82, -2, 121, -3, 85, -114, 84, 55, 64, -27, -83, 105, -104, 127, -100, 96, 97, 59, 27, 59, 111, -15, -40, -39,
    -25, -20, -30, -24, 4, 119, 8, -62, 8, 63, -79, -123, -107, 86, -72, 72, 91, 46, -70, -26, 5, -86, 16, -28, 29,
    -26, 62, 69, -29, 1, -94, -29, -110, -26, 4, 59, -71, 54, -36, -96, -80, -38, -27, 23, -98, 117, 33, -18, 6, 88,
    55, -99, -32, -108, 69, 55, 35, -81, 57, -22, -67, -104, -27, -35, 88, 40, 63, 89, 34, -31, 22, 72, 90, 72, -22,
    67, 15, 98, -85, -14, 17, 70, 90, 25, 53, -62, 65, 108, -26, 92, -80, -21, -31, 86, 2, -32, 75, -27, 116, 122,
    -75, 17, 16, -61, 3, -60, 89, 39, -17, -102, -109, 10, -72, -8, -97, -66, 40, 38, -21, 108, -98, 95, -64, -27,
    -80, -78, 64, -56, 0, 112, 47, -37, 11, 13, -88, -108, -2, 87, -64, 7, -1, 119, -113, 29, 112, -80, -84, -109, 93,
    44, -44, -96, -1, 3, -127, -90, -28, 90, -37, -101, 87, 14, -32, 15, -27, -79, -75, 17, 57, 8, -58, 52, -72, 111,
    22, -71, 43, 64, 40, 115, -31, 2, -10, -68, 78, 54, 36, 20, -60, -10, 48, -7, -86, 11, -10, 14, -72, -1, 83, 124,
    119, 11, 112, -52, 127, 36, -22, -76, 66, -77, -95, -81, 41, -13, -5, -24, 49, -42, 72, 44, 55, -76, 16, 26, 37,
    -8, 71, -93, 7, -71, 66, -6, 12, 39, -41, -5, -21, -110, -96, 94, -29, 67, -38, -6, 18, 20, -40, -99, -73, 5, 70,
    6, -56, -30, 35, -108, 22, -6, 21, -32, -42, -58, 62, 27, -100, 10, 65, 87, -101, 29, 100, 45, 30, -118, 45, 32,
    116, 75, -11, -16, -59, -51, 4, 95, -77, -14, 95, 93, 84, -36, -66, -39, -68, 61, 99, 112, -10, 6, 39, -62, -5,
    35, -79, 5, -63, -92, -22, -12, -30, -19, 127, -75, -73, -14, 30, -66, -86, 35, 54, 46, 5, 35, -86, 54, -73, 123,
    -34, 63, 82, 60, 78, 101, 97, -94, -56, 64, -87, -2, -38, 118, 45, 79, -16, 18, 66, -80, 115, -14, 35, 60, -29,
    41, -26, -67, 71, 75, 118, -71, -11, -13, -56, 54, 54, -65, 108, 56, 39, -9, 49, -41, -71, 31, -82, 20, 37, -67,
    -30, -51, -14, -25, -69, -16, -78, 53, 1, 111, 49, -122, 44, -101, 8, -83, -17, 15, 15, 60, 61, 91, 79, -81, -30,
    -85, -52, -45, 24, -13, -12, 26, 24, -61, -56, 16, -26, 20, -64, -31, 46, 40, 69, 4, 75, 60, -18, 34, -11, -74,
    52, 38, -43, -25, 26, -91, 41, -23, 74, 65, -6, -30, -94, 26, 23, 1, 41, 0, 65, 34, -110, 33, 4, 74, 12, 32, 36,
    88, 26, 83, -8, 61, 0, 113, 0, 51, -75, 44, -65, -33, -54, 86, -54, -42, -94, 77, -31, 78, -17, 87, -33, 10, 34,
    -53, -35, -53, -65, -75, -75, -11, 29, 127, -58, -69, -42, -93, 49, 91, 42, -18, 1, -34, -23, -31, 13, -15, 50, 8,
    41, 15, 72, 57, -30, -106, -2, 62, -20, -6, 46, 32};
static const int32_t gestures_bias_0[64] GESTURES_FLASH = {
    -6313, 2369, -117, 325, -4933, 8105, -3720, -2100, 2569, 1186, 6745, -6343, -6352, 7333, -5139, 4270, 1403, -1092,
    1359, -1643, 5540, 2748, -572, 6476, 3619, 5238, 5870, 3476, 12769, -3415, 2560, 2969, -31, 5715, 299, 233, 1875,
    3367, -1536, 675, 444, -12412, -317, -9370, -2954, -1990, 13, 2442, 3416, 7033, 8293, 1842, -614, -563, 2249,
    -617, 607, -859, 270, 7527, -1412, 1546, 4191, 2471};
static const int32_t gestures_multiplier_0[64] GESTURES_FLASH = {
    1084618979, 1112711992, 1976605948, 2109041325, 1997524043, 1870504575, 2055547444, 1970012878, 1079253070,
    2129284076, 2106135412, 2107280046, 2045557839, 1129324848, 2054900845, 1102397953, 2065649758, 1094471594,
    2074019537, 2059363800, 2021483301, 2104259156, 1111945271, 1917252435, 1115927134, 1127104264, 2135226008,
    1076186794, 1098372065, 1128002225, 1118424498, 1086083282, 1077137479, 1108957891, 1098521461, 1108798888,
    2107332089, 2091707512, 2054114457, 1092719468, 2098855804, 1096970243, 2102449768, 1911094919, 2076775525,
    1086730183, 1122286466, 1153942884, 1841677519, 2059044736, 1968768849, 1872310332, 2032170791, 1080530610,
    2046480082, 2102868378, 1112010173, 2048918368, 2082301419, 1973188384, 1923765928, 1150047027, 1078334156,
    1227924071};
static const int8_t gestures_shift_0[64] GESTURES_FLASH = {
    -7, -7, -8, -8, -8, -8, -8, -8, -7, -8, -8, -8, -8, -7, -8, -7, -8, -7, -8, -8, -8, -8, -7, -8, -7, -7, -8, -7,
    -7, -7, -7, -7, -7, -7, -7, -7, -8, -8, -8, -7, -8, -7, -8, -8, -8, -7, -7, -7, -8, -8, -8, -8, -8, -7, -8, -8,
    -7, -8, -8, -8, -8, -7, -7, -7};
static const gestures_conv gestures_layer_0 GESTURES_FLASH = {
    1, 1, 120, 1, 1, 64, 1, 1, 1, 1, 1, 1, 0, 0, -7, -128, -128, 127, 1, gestures_weights_0, gestures_bias_0,
    gestures_multiplier_0, gestures_shift_0};

/* Operation 2: fullyConnected, [64] to [5]. */
static const int8_t gestures_weights_1[320] GESTURES_FLASH = {
    -19, -45, 3, 31, -40, 20, -81, -5, -45, -34, -34, -62, -59, -66, -106, -40, -88, 101, 115, 15, 28, 127, -34, -51,
    -42, -65, 81, -87, 43, -64, 119, 18, 99, 3, -92, 86, -27, -3, -38, 49, -82, 50, 60, -9, -29, 50, 119, -23, 33,
    -53, -85, -58, -108, -87, -87, -61, -22, -63, -94, 107, 72, 11, 4, -106, 76, -108, -114, -75, 65, -90, 96, 93,
    -41, 46, 25, 86, 122, -47, 80, -112, -105, -83, 114, 60, 42, 8, 18, -4, -117, 13, 10, 36, 72, 3, -39, -8, -72,
    -53, 98, 4, -97, 100, 122, 24, 41, 54, 103, 52, 91, 83, -82, -85, -21, -62, -92, -15, -43, -127, -22, 91, -36, 8,
    -98, -72, -86, -77, -127, -33, 61, -36, 67, -87, -39, 31, 51, -113, 12, 67, -38, -23, -47, 86, -71, 52, 22, -30,
    37, 35, 97, 76, 24, 21, -46, -19, 44, -35, 29, -78, 58, -31, 72, 1, 46, 58, -122, 15, 102, 55, 84, -122, 51, -107,
    -12, -112, -62, -111, -32, -34, 90, -127, 8, -36, 10, 68, -42, 82, -56, 39, 89, -58, 31, -101, -79, 29, 45, 37,
    -64, -63, -127, -57, -50, -56, -87, 75, -16, 76, -44, 56, -13, -32, 73, -116, -63, 24, 21, 6, 10, -22, 47, 22,
    -107, 96, -22, -33, 10, 63, 20, 74, -6, -101, -42, 15, -32, -7, 0, 14, 75, -45, -87, -14, 100, -20, 75, 57, -112,
    39, 89, -89, 19, -41, 10, -12, 15, -38, 12, -83, -4, -38, -127, -115, 65, 97, -62, 52, -15, 29, -87, -42, -37, 30,
    49, -8, -10, 82, -43, 106, 34, 24, 102, 36, -20, -13, -92, 117, 94, 49, 49, 28, -60, 51, -43, 74, -17, -6, 29,
    107, -53, -73, -36, -8, -36, -3, -30, -85, -88, 65, 35, -44, -91, -78, 121, -59, 63, 83, -59, 61, 6, -98, -2,
    -71};
static const int32_t gestures_bias_1[5] GESTURES_FLASH = {
    -94641, -39146, -8412, -60375, -2707};
static const int32_t gestures_multiplier_1[5] GESTURES_FLASH = {
    1991259713, 1939092818, 2043542010, 1089785510, 1086862252};
static const int8_t gestures_shift_1[5] GESTURES_FLASH = {
    -10, -10, -10, -9, -9};
static const gestures_conv gestures_layer_1 GESTURES_FLASH = {
    1, 1, 64, 1, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, -128, -20, -128, 127, 1, gestures_weights_1, gestures_bias_1,
    gestures_multiplier_1, gestures_shift_1};

/* Operation 3: softmax, [5] to [5]. */

/* Labels in UTF-8. */
static const char *const gestures_labels[5] GESTURES_UNUSED = {
    "circle", "idle", "shake", "updown", "wave"};

/*
 * From a window to quantized features, which lie where the features were: the first byte of each is free by then.
 */
GESTURES_FN void gestures_run_features(const float *window) {
  gestures_spectral(window, GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS, gestures_axes_0, 6, gestures_ints_0,
      gestures_floats_0, gestures_memory.work.scratch, gestures_memory.features + 0);
  gestures_flatten(window, GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS, gestures_axes_1, 6, gestures_ints_1,
      gestures_floats_1, (float *)0, gestures_memory.features + 78);
  gestures_quantize_input(gestures_memory.features, GESTURES_FEATURE_COUNT, gestures_input_a, gestures_input_b,
      (int8_t *)gestures_memory.features);
}

/*
 * The bare network: FEATURE_COUNT quantized features in, LABEL_COUNT scores out, not over one another. Returns 0.
 */
GESTURES_FN int gestures_invoke(const int8_t *input, int8_t *output) {
  int8_t *const arena = (int8_t *)gestures_memory.work.arena;
  union { gestures_conv conv; } parameters;
  gestures_fully_connected_rows(gestures_load_conv(&gestures_layer_0, &parameters.conv), input, arena);
  gestures_fully_connected_rows(gestures_load_conv(&gestures_layer_1, &parameters.conv), arena, output);
  gestures_softmax(output, 5, 1631665920, 22, -496, output);
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
  gestures_run_features(window);
  (void)gestures_invoke((const int8_t *)gestures_memory.features, result->scores);
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
static const float gestures_test_scale[6] GESTURES_FLASH GESTURES_UNUSED = {
    0.000483202544f, 0.000999311451f, 0.000659231329f, 0.00948279724f, 0.0079517113f, 0.00681580184f};
static const float gestures_test_offset[6] GESTURES_FLASH GESTURES_UNUSED = {
    -0.0201536305f, 0.180002078f, 9.57712173f, 1.05215847f, -4.97501612f, -0.801068664f};
static const int16_t gestures_test_windows[3600] GESTURES_FLASH GESTURES_UNUSED = {
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
static const uint32_t gestures_test_features[64] GESTURES_FLASH GESTURES_UNUSED = {
    0x3E937CD1u, 0x72738A87u, 0xE04A3326u, 0x26E5AD33u, 0x86C9F4AEu, 0xEB64D20Cu, 0x7E3DBA75u, 0xCEE57A15u,
    0x26B55DD1u, 0xA346EBD4u, 0x3EBF1981u, 0x1779B76Cu, 0x5C1A9373u, 0xEB648419u, 0x757D9FE8u, 0x2CE4E39Fu,
    0x66005C60u, 0x0E2C3CCDu, 0xC94AC3CFu, 0x1C304ECAu, 0x2C8EDF15u, 0xC5D16F56u, 0xF2A532FEu, 0x4D31F0D7u,
    0x859A1D2Du, 0x65872C0Au, 0xC4923015u, 0x26E5A5DEu, 0xA0AD9C24u, 0xF1626262u, 0x9FBBCB42u, 0x0B1147A8u,
    0x69DC091Eu, 0x23742AFBu, 0xFF61F9E5u, 0x4DB57D19u, 0x2589F776u, 0x6AF0C9CCu, 0x46BB0956u, 0x79A3EC3Fu,
    0x8D44B973u, 0xD3D7D72Eu, 0x7B2661D7u, 0x58F7C37Eu, 0x677122B9u, 0x33651FB5u, 0x3ECAD253u, 0xC27F6D07u,
    0x8C9273F9u, 0x2CA58F6Au, 0xE81E28D3u, 0x59A4FD8Cu, 0x475E1629u, 0x1A3DBA68u, 0x559C62EDu, 0x8CD6274Au,
    0x6A14090Bu, 0x0DE192B3u, 0x22E0144Du, 0x199C0622u, 0xD9F06F2Eu, 0x0D251A70u, 0x0A646357u, 0x0FC251EEu};
static const int8_t gestures_test_scores[320] GESTURES_FLASH GESTURES_UNUSED = {
    104, -123, -123, -122, -120, -125, 111, -123, -125, -122, -126, -127, 122, -127, -126, -118, -124, -117, 100,
    -125, -127, -126, -127, -126, 123, 112, -125, -125, -119, -126, -119, -29, -46, -82, -107, -97, -110, -65, -120,
    7, -126, 108, -119, -128, -120, -123, -111, -114, 10, -46, -125, -127, -113, 87, -106, -78, -115, 6, -124, -73,
    -81, 48, -126, -98, -127, -83, -93, -41, -62, -105, -96, -27, -96, -73, -92, -94, 5, -96, -109, -89, -115, 55,
    -124, -93, -107, -116, -69, -54, -24, -121, -87, -126, -119, 52, -105, -35, -103, -70, -51, -124, -65, -96, -83,
    -108, -32, 25, -79, -112, -107, -111, -104, -123, 60, -115, -102, -128, 36, -48, -128, -117, -127, -126, -59, 19,
    -91, -126, -108, 44, -127, -67, -126, -128, -105, 103, -128, -123, -59, -74, -128, 0, -112, -123, -106, 74, -116,
    -127, -126, -92, -4, -35, 54, -126, -116, -75, -121, -97, -107, -98, -118, 36, -90, 15, -73, -121, -115, -84, -57,
    -95, -29, -120, -120, -106, -114, -99, 56, -124, -124, 38, -54, -120, -118, -13, -93, -53, -107, -121, -25, -120,
    -114, -4, -122, -93, -118, -124, 73, -5, -68, -110, -85, -115, -127, -107, -19, -50, -80, -60, -107, -69, -72,
    -77, -123, 47, -117, -124, -66, -86, 56, -102, -128, -125, -124, -127, -118, -121, 106, -92, -75, -72, -43, -102,
    -127, -28, 12, -117, -124, -91, -45, -69, -110, -69, 51, -110, -107, -123, -96, -127, -126, -76, -104, 49, -117,
    -112, 48, -121, -82, -121, 114, -123, -128, -127, -113, -112, -117, -110, 68, -125, -119, 6, -73, -73, -114, -94,
    -94, -6, -76, -80, -121, -26, -125, -31, -127, -124, -113, -86, 66, -88, -58, -97, -35, -107, -102, -90, -73, -83,
    -35, -127, -125, -54, -107, 30, -105, -89, -71, -123, 5, -98, -60, -71, -127, -28, -125, 4, -82, -128, -53, -123,
    -127, -84, -15, -35};

/*
 * Runs the known windows and returns the number of those whose features or scores are not, bit for bit, what the
 * studio computed: 0 when all is well. Forgets the stream so far.
 */
GESTURES_FN int gestures_selftest(void) {
  int failed = 0;
  int32_t index, i;
  for (index = 0; index < GESTURES_SELFTEST_COUNT; index++) {
    int same;
    int8_t scores[GESTURES_LABEL_COUNT];
    if (index < 6) {
      gestures_selftest_unpack(gestures_test_windows + index * (GESTURES_WINDOW_FRAMES * GESTURES_CHANNELS),
          GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS, gestures_test_scale, gestures_memory.window);
    } else {
      gestures_selftest_generate(0x4D4F5445u, index - 6, GESTURES_WINDOW_FRAMES, GESTURES_CHANNELS,
          gestures_test_scale, gestures_test_offset, gestures_memory.window);
    }
    gestures_run_features(gestures_memory.window);
    same = gestures_crc32(0u, (const uint8_t *)gestures_memory.features,
        GESTURES_FEATURE_COUNT) == GESTURES_FLASH_U32(gestures_test_features + index);
    (void)gestures_invoke((const int8_t *)gestures_memory.features, scores);
    for (i = 0; i < GESTURES_LABEL_COUNT; i++) {
      if (scores[i] != GESTURES_FLASH_I8(gestures_test_scores + index * GESTURES_LABEL_COUNT + i)) same = 0;
    }
    if (!same) failed++;
  }
  gestures_reset();
  return failed;
}

#endif
