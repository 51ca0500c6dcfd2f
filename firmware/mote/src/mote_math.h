/*
 * Float arithmetic that every fragment shares: square root, logarithm and statistics, built from + - * / and integer
 * operations only, so that any IEEE 754 target gives the same bits. Twin of src/dsp/float-math.ts: change both.
 */
#ifndef MOTE_MATH_H
#define MOTE_MATH_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"

/* Longest window in frames, and most channels: every index then fits 32 bits. */
#define MOTE_MAX_FRAMES 65536
#define MOTE_MAX_CHANNELS 256

/* Samples added up before the partial sum joins the total: keeps rounding errors small in long windows. */
#define MOTE_SUM_BLOCK 64

MOTE_FN uint32_t mote_float_bits(float x) {
  union {
    float value;
    uint32_t bits;
  } both;
  both.value = x;
  return both.bits;
}

MOTE_FN float mote_bits_float(uint32_t bits) {
  union {
    float value;
    uint32_t bits;
  } both;
  both.bits = bits;
  return both.value;
}

/* x, or 0 for NaN, or the largest finite value of the same sign for an infinity. */
MOTE_FN float mote_finite(float x) {
  const float largest = 3.40282347e38f;
  if (x != x) return 0.0f;
  if (x > largest) return largest;
  if (x < -largest) return -largest;
  return x;
}

/* Correctly rounded square root; 0 for zero, negative numbers and NaN. Digit by digit: 25 bits, the last one rounds. */
MOTE_FN float mote_sqrt(float x) {
  uint32_t bits, mantissa, root = 0, remainder = 0;
  int32_t exponent = 0, i;
  if (!(x > 0.0f)) return 0.0f;
  bits = mote_float_bits(x);
  if (bits >= 0x7f800000u) return x;
  if (bits < 0x00800000u) {
    bits = mote_float_bits(x * 16777216.0f);
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
  return mote_bits_float(((uint32_t)(exponent / 2 + 127) << 23) + ((root + 1u) >> 1) - 0x00800000u);
}

/*
 * Logarithm to base 10 within 2 ulp; zero, negative numbers and NaN give -10, the logarithm of the 1e-10 that stands
 * for an empty bin; infinity gives log10(2^128). With m in [sqrt(1/2), sqrt(2)) and s = (m - 1) / (m + 1):
 * log10(m) = 2/ln(10) * (s + s^3/3 + s^5/5 + s^7/7 + s^9/9).
 */
MOTE_FN float mote_log10(float x) {
  uint32_t bits;
  int32_t exponent = 0;
  float m, s, z, p, e;
  if (!(x > 0.0f)) return -10.0f;
  bits = mote_float_bits(x);
  if (bits < 0x00800000u) {
    bits = mote_float_bits(x * 8388608.0f);
    exponent = -23;
  }
  exponent += (int32_t)(bits >> 23) - 127;
  m = mote_bits_float((bits & 0x007fffffu) | 0x3f800000u);
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
} mote_statistics;

/* Exponent field of the power of two that brings |largest| near 1; within 1..253, so that its inverse is normal too. */
MOTE_FN uint32_t mote_exponent_field(float largest) {
  uint32_t field = (mote_float_bits(largest) >> 23) & 255u;
  return field < 1u ? 1u : field > 253u ? 253u : field;
}

/* Statistics of x[0], x[step], ... (`count` values, at least 1), each multiplied by `scale`. */
MOTE_FN mote_statistics mote_describe(const float *x, mote_index step, mote_index count, float scale) {
  mote_statistics result;
  const float n = (float)count;
  const float first = x[0] * scale;
  float low = first, high = first, largest, shrink, sum = 0.0f, squares = 0.0f;
  float sum2 = 0.0f, sum3 = 0.0f, sum4 = 0.0f, m2, m3, m4, below, above;
  uint32_t field;
  mote_index i, end;

  for (i = 0; i < count;) {
    float part = 0.0f;
    end = count - i > MOTE_SUM_BLOCK ? (mote_index)(i + MOTE_SUM_BLOCK) : count;
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
  field = mote_exponent_field(largest);
  shrink = mote_bits_float((254u - field) << 23);
  sum = 0.0f;
  for (i = 0; i < count;) {
    float part = 0.0f, part2 = 0.0f;
    end = count - i > MOTE_SUM_BLOCK ? (mote_index)(i + MOTE_SUM_BLOCK) : count;
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
  result.rms = mote_sqrt(squares / n) * mote_bits_float(field << 23);

  below = -((low - result.mean) - result.residual);
  above = (high - result.mean) - result.residual;
  field = mote_exponent_field(below > above ? below : above);
  shrink = mote_bits_float((254u - field) << 23);
  for (i = 0; i < count;) {
    float part2 = 0.0f, part3 = 0.0f, part4 = 0.0f;
    end = count - i > MOTE_SUM_BLOCK ? (mote_index)(i + MOTE_SUM_BLOCK) : count;
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
    const float root = mote_sqrt(m2);
    result.stdev = root * mote_bits_float(field << 23);
    result.skewness = m3 / (m2 * root);
    result.kurtosis = m4 / (m2 * m2) - 3.0f;
  } else {
    result.stdev = 0.0f;
    result.skewness = 0.0f;
    result.kurtosis = -3.0f;
  }
  return result;
}

/* 1 when the shape of a block's input and its constants are sane: all that the block checks have in common. */
MOTE_FN int mote_input_is_sane(int32_t frames, int32_t channels, const uint8_t *axes, int32_t axis_count,
                               const float *floats, int32_t float_count) {
  int32_t i;
  if (frames < 1 || frames > MOTE_MAX_FRAMES || channels < 1 || channels > MOTE_MAX_CHANNELS) return 0;
  if (axis_count < 1 || axis_count > MOTE_MAX_CHANNELS) return 0;
  for (i = 0; i < axis_count; i++) {
    if ((int32_t)MOTE_FLASH_U8(axes + i) >= channels) return 0;
  }
  for (i = 0; i < float_count; i++) {
    if ((mote_float_bits(MOTE_FLASH_F32(floats + i)) & 0x7f800000u) == 0x7f800000u) return 0;
  }
  return 1;
}

#endif
