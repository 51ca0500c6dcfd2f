/*
 * motion: a classifier of 1000 ms of accX, accY, accZ at 25 Hz.
 * Labels: idle, shake, wave.
 *
 * Use: #include "model.h" in one source file; give every sample to motion_push(); run motion_selftest() once.
 *
 * Accuracy on held-out recordings: int8 100.0 %, float 100.0 %.
 * Trained on 896 windows of 64 recordings; tested on 112 windows of 8 other recordings.
 * RAM: 384 bytes. Flash: 510 bytes of constants, and the code. Pack: 3580 bytes.
 * Self-test: 64 windows, 8 of them recorded.
 *
 * Made with: Mote 0.1.0. Seed: 1.
 * Model: d6958498. Dataset: 2609374feec39bfc77a826ee1379b728f29965faddb74bff1149290090e31af8.
 * Pipeline: {"blocks":[{"channels":[0,1,2],"kind":"flatten","params":{"average":true,"kurtosis":false,"maximum":true
 * ,"minimum":true,"rms":false,"scale":1,"skewness":false,"stdev":true},"version":1}],"input":{"channels":[{"name":"a
 * ccX","unit":""},{"name":"accY","unit":""},{"name":"accZ","unit":""}],"rateHz":25,"strideMs":500,"windowMs":1000},"
 * network":{"layers":[{"activation":"relu","kind":"dense","units":8}]},"smoothing":{"threshold":0.6,"windows":3},"tr
 * aining":{"balanceClasses":true,"batchSize":32,"epochs":200,"labelSmoothing":0.1,"learningRate":0.003,"patience":40
 * ,"validationShare":0.2},"version":1}
 *
 * Licence: yours. This file is your own work; use it in any way you like, with no conditions.
 */
#ifndef MOTION_MODEL_H
#define MOTION_MODEL_H

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
typedef int16_t motion_index;
#else
typedef int32_t motion_index;
#endif

/* Declares a function of a fragment: private to the translation unit, and no warning when a model does not need it. */
#if defined(__AVR__)
/* Without the hint to inline, which would give every layer a copy of its kernel: flash is short there. */
#define MOTION_FN static __attribute__((unused))
#elif defined(__GNUC__) || defined(__clang__)
#define MOTION_FN static inline __attribute__((unused))
#else
#define MOTION_FN static inline
#endif

#if defined(__AVR__)
#  include <avr/pgmspace.h>
#define MOTION_FLASH PROGMEM
#define MOTION_FLASH_U8(at) pgm_read_byte(at)
#define MOTION_FLASH_I8(at) ((int8_t)pgm_read_byte(at))
#define MOTION_FLASH_I16(at) ((int16_t)pgm_read_word(at))
#define MOTION_FLASH_I32(at) ((int32_t)pgm_read_dword(at))
#define MOTION_FLASH_U32(at) ((uint32_t)pgm_read_dword(at))
#define MOTION_FLASH_F32(at) pgm_read_float(at)
#else
#define MOTION_FLASH
#define MOTION_FLASH_U8(at) (*(at))
#define MOTION_FLASH_I8(at) (*(at))
#define MOTION_FLASH_I16(at) (*(at))
#define MOTION_FLASH_I32(at) (*(at))
#define MOTION_FLASH_U32(at) (*(at))
#define MOTION_FLASH_F32(at) (*(at))
#endif

/* Samples added up before the partial sum joins the total: keeps rounding errors small in long windows. */
#define MOTION_SUM_BLOCK 64

MOTION_FN uint32_t motion_float_bits(float x) {
  union {
    float value;
    uint32_t bits;
  } both;
  both.value = x;
  return both.bits;
}

MOTION_FN float motion_bits_float(uint32_t bits) {
  union {
    float value;
    uint32_t bits;
  } both;
  both.bits = bits;
  return both.value;
}

/* x, or 0 for NaN, or the largest finite value of the same sign for an infinity. */
MOTION_FN float motion_finite(float x) {
  const float largest = 3.40282347e38f;
  if (x != x) return 0.0f;
  if (x > largest) return largest;
  if (x < -largest) return -largest;
  return x;
}

/* Correctly rounded square root; 0 for zero, negative numbers and NaN. Digit by digit: 25 bits, the last one rounds. */
MOTION_FN float motion_sqrt(float x) {
  uint32_t bits, mantissa, root = 0, remainder = 0;
  int32_t exponent = 0, i;
  if (!(x > 0.0f)) return 0.0f;
  bits = motion_float_bits(x);
  if (bits >= 0x7f800000u) return x;
  if (bits < 0x00800000u) {
    bits = motion_float_bits(x * 16777216.0f);
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
  return motion_bits_float(((uint32_t)(exponent / 2 + 127) << 23) + ((root + 1u) >> 1) - 0x00800000u);
}

typedef struct {
  float minimum, maximum;
  /* The mean is `mean + residual`: subtract them one after the other. */
  float mean, residual;
  float rms, stdev;
  /* Biased; excess kurtosis. A constant has skewness 0 and kurtosis -3. */
  float skewness, kurtosis;
} motion_statistics;

/* Exponent field of the power of two that brings |largest| near 1; within 1..253, so that its inverse is normal too. */
MOTION_FN uint32_t motion_exponent_field(float largest) {
  uint32_t field = (motion_float_bits(largest) >> 23) & 255u;
  return field < 1u ? 1u : field > 253u ? 253u : field;
}

/* Statistics of x[0], x[step], ... (`count` values, at least 1), each multiplied by `scale`. */
MOTION_FN motion_statistics motion_describe(const float *x, motion_index step, motion_index count, float scale) {
  motion_statistics result;
  const float n = (float)count;
  const float first = x[0] * scale;
  float low = first, high = first, largest, shrink, sum = 0.0f, squares = 0.0f;
  float sum2 = 0.0f, sum3 = 0.0f, sum4 = 0.0f, m2, m3, m4, below, above;
  uint32_t field;
  motion_index i, end;

  for (i = 0; i < count;) {
    float part = 0.0f;
    end = count - i > MOTION_SUM_BLOCK ? (motion_index)(i + MOTION_SUM_BLOCK) : count;
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
  field = motion_exponent_field(largest);
  shrink = motion_bits_float((254u - field) << 23);
  sum = 0.0f;
  for (i = 0; i < count;) {
    float part = 0.0f, part2 = 0.0f;
    end = count - i > MOTION_SUM_BLOCK ? (motion_index)(i + MOTION_SUM_BLOCK) : count;
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
  result.rms = motion_sqrt(squares / n) * motion_bits_float(field << 23);

  below = -((low - result.mean) - result.residual);
  above = (high - result.mean) - result.residual;
  field = motion_exponent_field(below > above ? below : above);
  shrink = motion_bits_float((254u - field) << 23);
  for (i = 0; i < count;) {
    float part2 = 0.0f, part3 = 0.0f, part4 = 0.0f;
    end = count - i > MOTION_SUM_BLOCK ? (motion_index)(i + MOTION_SUM_BLOCK) : count;
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
    const float root = motion_sqrt(m2);
    result.stdev = root * motion_bits_float(field << 23);
    result.skewness = m3 / (m2 * root);
    result.kurtosis = m4 / (m2 * m2) - 3.0f;
  } else {
    result.stdev = 0.0f;
    result.skewness = 0.0f;
    result.kurtosis = -3.0f;
  }
  return result;
}

MOTION_FN void motion_flatten(const float *window, int32_t frames, int32_t channels, const uint8_t *axes,
                          int32_t axis_count, const int32_t *ints, const float *floats, float *scratch,
                          float *features) {
  const int32_t which = MOTION_FLASH_I32(ints);
  int32_t axis;
  (void)scratch;
  for (axis = 0; axis < axis_count; axis++) {
    const motion_statistics s = motion_describe(window + MOTION_FLASH_U8(axes + axis), (motion_index)channels, (motion_index)frames,
                                            MOTION_FLASH_F32(floats));
    if (which & 1) *features++ = motion_finite(s.mean + s.residual);
    if (which & 2) *features++ = motion_finite(s.minimum);
    if (which & 4) *features++ = motion_finite(s.maximum);
    if (which & 8) *features++ = motion_finite(s.rms);
    if (which & 16) *features++ = motion_finite(s.stdev);
    if (which & 32) *features++ = motion_finite(s.skewness);
    if (which & 64) *features++ = motion_finite(s.kurtosis);
  }
}

MOTION_FN int8_t motion_quantize_one(float x, float a, float b) {
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

MOTION_FN void motion_quantize_input(const float *features, int32_t count, const float *a, const float *b,
                                 int8_t *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        output[i] = motion_quantize_one(features[i], MOTION_FLASH_F32(a + i), MOTION_FLASH_F32(b + i));
    }
}

/* Left shift that wraps: shifting a negative number is undefined in C. */
MOTION_FN int32_t motion_shift_left(int32_t value, int32_t shift) {
    return (int32_t)((uint32_t)value << (uint32_t)shift);
}

/* Saturating rounding doubling high multiply. */
MOTION_FN int32_t motion_srdhm(int32_t a, int32_t b) {
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
MOTION_FN int32_t motion_rdp(int32_t value, int32_t exponent) {
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
MOTION_FN int32_t motion_mbqm(int32_t value, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        return motion_srdhm(motion_shift_left(value, shift), multiplier);
    }
    return motion_rdp(motion_srdhm(value, multiplier), -shift);
}

MOTION_FN int32_t motion_saturating_shift_left(int32_t value, int32_t shift) {
    const int32_t limit = (int32_t)(((uint32_t)1 << (uint32_t)(31 - shift)) - 1u);
    if (value > limit) {
        return INT32_MAX;
    }
    if (value < -limit) {
        return INT32_MIN;
    }
    return motion_shift_left(value, shift);
}

/* exp(a) for a <= 0 in Q5.26, as Q0.31. */
MOTION_FN int32_t motion_exp_on_negative(int32_t a) {
    /* exp(-2^k) in Q0.31 for k = -2..4 */
    static const int32_t factors[7] MOTION_FLASH = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = (int32_t)1 << 24;
    int32_t modulo, x, x2, x3, x4, tail, result, remainder, k;
    if (a == 0) {
        return INT32_MAX;
    }
    modulo = (a & (quarter - 1)) - quarter;
    x = motion_shift_left(modulo, 5) + ((int32_t)1 << 28);
    x2 = motion_srdhm(x, x);
    x3 = motion_srdhm(x2, x);
    x4 = motion_srdhm(x2, x2);
    tail = motion_rdp(motion_srdhm(motion_rdp(x4, 2) + x3, 715827883) + x2, 1);
    result = 1895147668 + motion_srdhm(1895147668, x + tail);
    remainder = modulo - a;
    for (k = 0; k < 7; k++) {
        if (remainder & motion_shift_left(1, 24 + k)) {
            result = motion_srdhm(result, MOTION_FLASH_I32(factors + k));
        }
    }
    return result;
}

/* 1 / (1 + a) for a in [0, 1), both Q0.31; three Newton-Raphson steps. */
MOTION_FN int32_t motion_reciprocal_one_plus(int32_t a) {
    const int32_t half = (int32_t)(((int64_t)a + ((int64_t)1 << 31)) / 2);
    int32_t x = 1515870810 + motion_srdhm(half, -1010580540);
    int32_t step;
    for (step = 0; step < 3; step++) {
        const int32_t error = ((int32_t)1 << 29) - motion_srdhm(half, x);
        x += motion_saturating_shift_left(motion_srdhm(x, error), 2);
    }
    return motion_saturating_shift_left(x, 1);
}

/* count 1..MOTION_SOFTMAX_MAX_COUNT. */
MOTION_FN void motion_softmax(const int8_t *input, int32_t count, int32_t multiplier, int32_t left_shift,
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
            const int32_t e = motion_exp_on_negative(motion_srdhm(motion_shift_left(diff, left_shift), multiplier));
            sum += (uint32_t)motion_rdp(e, 12);
        }
    }
    while (headroom < 31 && !(sum & 0x80000000u)) {
        sum <<= 1;
        headroom++;
    }
    scale = motion_reciprocal_one_plus((int32_t)(sum & 0x7fffffffu));
    shift = 12 - headroom + 31 - 8;
    for (i = 0; i < count; i++) {
        const int32_t diff = (int32_t)input[i] - max;
        if (diff < diff_min) {
            output[i] = -128;
        } else {
            const int32_t e = motion_exp_on_negative(motion_srdhm(motion_shift_left(diff, left_shift), multiplier));
            const int32_t value = motion_rdp(motion_srdhm(scale, e), shift) - 128;
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
} motion_conv;

/* Parameters in flash, where code can read them: on AVR a copy, elsewhere they themselves. */
MOTION_FN const motion_conv *motion_load_conv(const motion_conv *at, motion_conv *copy) {
#if defined(__AVR__)
    memcpy_P(copy, at, sizeof *copy);
    return copy;
#else
    (void)copy;
    return at;
#endif
}

/* From a sum of products to an activation of output channel `channel`. */
MOTION_FN int8_t motion_requantize(const motion_conv *op, int32_t sum, int32_t channel) {
    const int32_t c = op->per_channel ? channel : 0;
    int32_t value = motion_mbqm(sum, MOTION_FLASH_I32(op->multiplier + c), MOTION_FLASH_I8(op->shift + c)) + op->out_zero;
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
MOTION_FN int32_t motion_avr_dot(const int8_t *x, const int8_t *w, uint8_t pairs) {
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
MOTION_FN void motion_matmul_plain(const motion_conv *op, const int8_t *x, int32_t k, int8_t *output) {
    const int8_t *w = (const int8_t *)op->weights;
    const motion_index channels = (motion_index)op->out_c;
    motion_index channel;
    for (channel = 0; channel < channels; channel++) {
        int32_t sum = MOTION_FLASH_I32(op->bias + channel);
        const int8_t *from = x;
        motion_index left = (motion_index)k;
        while (left > 1) {
            const uint8_t pairs = (uint8_t)(left > 255 ? 128 : left >> 1);
            sum += motion_avr_dot(from, w, pairs);
            from += 2 * pairs;
            w += 2 * pairs;
            left = (motion_index)(left - 2 * pairs);
        }
        if (left > 0) {
            sum += *from * MOTION_FLASH_I8(w);
            w++;
        }
        *output++ = motion_requantize(op, sum, channel);
    }
}
#elif defined(__wasm_simd128__) || (defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1))
/* Adds to four sums the products of k inputs and of four rows of weights; sixteen inputs at a time. */
#if defined(__wasm_simd128__)
#  include <wasm_simd128.h>
MOTION_FN v128_t motion_simd_add(v128_t sum, v128_t low, v128_t high, const int8_t *w) {
    const v128_t bytes = wasm_v128_load(w);
    sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(low, wasm_i16x8_extend_low_i8x16(bytes)));
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(high, wasm_i16x8_extend_high_i8x16(bytes)));
}

MOTION_FN int32_t motion_simd_total(v128_t sum) {
    return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2) +
           wasm_i32x4_extract_lane(sum, 3);
}

MOTION_FN void motion_simd_dot4(const int8_t *x, const int8_t *const *w, int32_t k, int32_t *sums) {
    v128_t s0 = wasm_i32x4_splat(0);
    v128_t s1 = s0;
    v128_t s2 = s0;
    v128_t s3 = s0;
    int32_t i, row;
    for (i = 0; i + 16 <= k; i += 16) {
        const v128_t bytes = wasm_v128_load(x + i);
        const v128_t low = wasm_i16x8_extend_low_i8x16(bytes);
        const v128_t high = wasm_i16x8_extend_high_i8x16(bytes);
        s0 = motion_simd_add(s0, low, high, w[0] + i);
        s1 = motion_simd_add(s1, low, high, w[1] + i);
        s2 = motion_simd_add(s2, low, high, w[2] + i);
        s3 = motion_simd_add(s3, low, high, w[3] + i);
    }
    sums[0] += motion_simd_total(s0);
    sums[1] += motion_simd_total(s1);
    sums[2] += motion_simd_total(s2);
    sums[3] += motion_simd_total(s3);
    for (; i < k; i++) {
        for (row = 0; row < 4; row++) {
            sums[row] += (int32_t)x[i] * w[row][i];
        }
    }
}
#else
#  include <arm_mve.h>
MOTION_FN void motion_simd_dot4(const int8_t *x, const int8_t *const *w, int32_t k, int32_t *sums) {
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
MOTION_FN void motion_matmul_plain(const motion_conv *op, const int8_t *x, int32_t k, int8_t *output) {
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
        motion_simd_dot4(x, w, k, sums);
        for (row = 0; row < 4 && row <= last; row++) {
            output[channel + row] = motion_requantize(op, sums[row], channel + row);
        }
    }
}
#else
/* All output channels of one pixel; x holds the k inputs. Four channels at a time share every load of an input. */
MOTION_FN void motion_matmul_plain(const motion_conv *op, const int8_t *x, int32_t k, int8_t *output) {
    const int8_t *w = (const int8_t *)op->weights;
    const int32_t rest = op->out_c % 4;
    int32_t channel, i, j;
    for (channel = 0; channel < op->out_c - rest; channel += 4) {
        const int8_t *w1 = w + k;
        const int8_t *w2 = w1 + k;
        const int8_t *w3 = w2 + k;
        int32_t s0 = MOTION_FLASH_I32(op->bias + channel);
        int32_t s1 = MOTION_FLASH_I32(op->bias + channel + 1);
        int32_t s2 = MOTION_FLASH_I32(op->bias + channel + 2);
        int32_t s3 = MOTION_FLASH_I32(op->bias + channel + 3);
        for (i = 0; i < k; i++) {
            const int32_t value = x[i];
            s0 += value * MOTION_FLASH_I8(w + i);
            s1 += value * MOTION_FLASH_I8(w1 + i);
            s2 += value * MOTION_FLASH_I8(w2 + i);
            s3 += value * MOTION_FLASH_I8(w3 + i);
        }
        output[channel] = motion_requantize(op, s0, channel);
        output[channel + 1] = motion_requantize(op, s1, channel + 1);
        output[channel + 2] = motion_requantize(op, s2, channel + 2);
        output[channel + 3] = motion_requantize(op, s3, channel + 3);
        w = w3 + k;
    }
    /* Counted by themselves: GCC warns of a loop from `channel` on, which it fears might never end. */
    for (j = 0; j < rest; j++) {
        int32_t sum = MOTION_FLASH_I32(op->bias + channel);
        for (i = 0; i < k; i++) {
            sum += (int32_t)x[i] * MOTION_FLASH_I8(w + i);
        }
        output[channel] = motion_requantize(op, sum, channel);
        channel++;
        w += k;
    }
}
#endif

/* Fully connected: out_w rows of in_c inputs. How far the output may lie over the input: src/emit/overlap.ts. */
MOTION_FN void motion_fully_connected_rows(const motion_conv *op, const int8_t *input, int8_t *output) {
    int32_t row;
    for (row = 0; row < op->out_w; row++) {
        motion_matmul_plain(op, input, op->in_c, output);
        input += op->in_c;
        output += op->out_c;
    }
}

/*
 * Adds one frame (`channels` floats). `*filled` frames are in the buffer; `*skip` are still to be dropped because the
 * stride is longer than the window. Returns 1 when the window is full: use it, then call motion_window_advance.
 */
MOTION_FN int motion_window_push(float *window, int32_t frames, int32_t channels, const float *sample, int32_t *filled,
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
MOTION_FN void motion_window_advance(float *window, int32_t frames, int32_t channels, int32_t stride, int32_t *filled,
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
MOTION_FN int32_t motion_smooth_best(const int8_t *scores, int32_t count) {
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
MOTION_FN int32_t motion_smooth_decide(const int8_t *history, int32_t rows, int32_t count, int32_t zero_point,
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
MOTION_FN int32_t motion_smooth_add(int8_t *history, int32_t windows, int32_t *rows, int32_t *next, const int8_t *scores,
                                int32_t count, int32_t zero_point, int32_t threshold) {
  int32_t i;
  for (i = 0; i < count; i++) history[*next * count + i] = scores[i];
  *next = *next + 1 < windows ? *next + 1 : 0;
  if (*rows < windows) *rows += 1;
  return motion_smooth_decide(history, *rows, count, zero_point, threshold);
}

/* Continues a CRC over `count` more bytes; start with crc = 0. */
MOTION_FN uint32_t motion_crc32(uint32_t crc, const uint8_t *bytes, uint32_t count) {
  static const uint32_t table[16] MOTION_FLASH = {
      0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
      0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  uint32_t i;
  crc = ~crc;
  for (i = 0; i < count; i++) {
    crc ^= bytes[i];
    crc = (crc >> 4) ^ MOTION_FLASH_U32(table + (crc & 15u));
    crc = (crc >> 4) ^ MOTION_FLASH_U32(table + (crc & 15u));
  }
  return ~crc;
}

/* Marsaglia's xorshift32; the state is never 0. */
MOTION_FN uint32_t motion_selftest_random(uint32_t state) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/* A uniform value of int16 range from the upper half of a random word. */
MOTION_FN int32_t motion_selftest_int16(uint32_t random) { return (int32_t)(random >> 16) - 32768; }

/*
 * Generated window `index` of a seed, window[frame * channels + channel]. Per channel: a level, a triangle wave of
 * random period and amplitude, and noise; clamped to int16, then scaled and offset in float32.
 */
MOTION_FN void motion_selftest_generate(uint32_t seed, int32_t index, int32_t frames, int32_t channels, const float *scale,
                                    const float *offset, float *window) {
  uint32_t random = (seed ^ ((uint32_t)index * 0x9E3779B9u)) | 1u;
  int32_t channel;
  int32_t frame;
  int32_t i;
  for (i = 0; i < 8; i++) random = motion_selftest_random(random);
  for (channel = 0; channel < channels; channel++) {
    int32_t level;
    int32_t wave;
    int32_t noise;
    uint32_t phase;
    uint32_t step;
    random = motion_selftest_random(random);
    level = motion_selftest_int16(random) / (int32_t)(1u << (random & 3u));
    random = motion_selftest_random(random);
    wave = (int32_t)((random >> 17) >> (random & 7u));
    random = motion_selftest_random(random);
    noise = (int32_t)((random >> 17) >> (1u + (random & 7u)));
    random = motion_selftest_random(random);
    phase = random;
    random = motion_selftest_random(random);
    /* at most half a period per frame; the small steps (slow waves) as likely as the large ones */
    step = (random >> 1) >> (random & 7u);
    for (frame = 0; frame < frames; frame++) {
      int32_t rise = (int32_t)(phase >> 15);
      int32_t triangle = (rise < 65536 ? rise : 131071 - rise) - 32768;
      int32_t value;
      float scaled;
      random = motion_selftest_random(random);
      value = level + triangle * wave / 32768 + motion_selftest_int16(random) * noise / 32768;
      if (value > 32767) value = 32767;
      if (value < -32768) value = -32768;
      scaled = (float)value * MOTION_FLASH_F32(scale + channel);
      window[frame * channels + channel] = scaled + MOTION_FLASH_F32(offset + channel);
      phase += step;
    }
  }
}

/* A recorded window: int16 times the channel's scale. */
MOTION_FN void motion_selftest_unpack(const int16_t *recorded, int32_t frames, int32_t channels, const float *scale,
                                  float *window) {
  int32_t channel;
  int32_t frame;
  for (frame = 0; frame < frames; frame++) {
    for (channel = 0; channel < channels; channel++) {
      *window++ = (float)MOTION_FLASH_I16(recorded) * MOTION_FLASH_F32(scale + channel);
      recorded++;
    }
  }
}

/* ---- Model ---- */

/* Channels of a sample, in this order: accX, accY, accZ. */
#define MOTION_CHANNELS 3
/* Samples per second and channel that the model was trained with. */
#define MOTION_RATE_HZ 25.0f
/* Samples per channel in a window, and from the start of one window to the start of the next. */
#define MOTION_WINDOW_FRAMES 25
#define MOTION_STRIDE_FRAMES 13
#define MOTION_FEATURE_COUNT 12
#define MOTION_LABEL_COUNT 3
/* Bytes of working memory of the network, which is made for generic. */
#define MOTION_ARENA_SIZE 8
/* real = scale * (int8 - zero point), for the inputs of the network and for the scores. */
#define MOTION_INPUT_SCALE 0.0248478204f
#define MOTION_INPUT_ZERO_POINT (-1)
#define MOTION_OUTPUT_SCALE 0.00390625f
#define MOTION_OUTPUT_ZERO_POINT (-128)
/* Windows averaged for a decision, and the average it needs (0.6) in steps of the scores. */
#define MOTION_SMOOTHING_WINDOWS 3
#define MOTION_SMOOTHING_THRESHOLD 154
#define MOTION_SELFTEST_COUNT 64
/* Names this very model: the CRC-32 of its pack. */
#define MOTION_MODEL_ID 0xD6958498u

#if defined(__GNUC__) || defined(__clang__)
#define MOTION_UNUSED __attribute__((unused))
#else
#define MOTION_UNUSED
#endif

typedef struct motion_result {
  /* One per label: probability = scale * (score - zero point). */
  int8_t scores[MOTION_LABEL_COUNT];
  /* The label with the highest score in this window. */
  int best;
  /* The label after smoothing and threshold, or -1 when uncertain. */
  int decision;
} motion_result;

/*
 * All memory of the model. Scratch of the features and activations are never needed at the same time; the quantized
 * features replace the features from the start.
 */
static struct {
  float window[MOTION_WINDOW_FRAMES * MOTION_CHANNELS];
  float features[MOTION_FEATURE_COUNT];
  union {
    int32_t arena[2];
  } work;
  int32_t filled;
  int32_t skip;
  int32_t history_rows;
  int32_t history_next;
  int8_t history[MOTION_SMOOTHING_WINDOWS * MOTION_LABEL_COUNT];
} motion_memory MOTION_UNUSED;

/* Block 0: flatten of accX, accY, accZ; 12 features. */
static const uint8_t motion_axes_0[3] MOTION_FLASH MOTION_UNUSED = {
    0, 1, 2};
static const int32_t motion_ints_0[1] MOTION_FLASH MOTION_UNUSED = {
    23};
static const float motion_floats_0[1] MOTION_FLASH MOTION_UNUSED = {
    1.0f};

/* Scaling and quantization of the features: q = round(feature * a + b). */
static const float motion_input_a[12] MOTION_FLASH MOTION_UNUSED = {
    28.2040367f, 8.86086369f, 8.313797f, 13.4472303f, 38.966938f, 4.49462986f, 4.03566551f, 7.37781954f, 203.685104f,
    23.3360157f, 21.9551983f, 39.1175575f};
static const float motion_input_b[12] MOTION_FLASH MOTION_UNUSED = {
    2.21127343f, 52.7901878f, -51.1992149f, -52.5405006f, -13.6734104f, 26.7360191f, -31.4609871f, -30.4373569f,
    -1948.26428f, -184.517349f, -250.51709f, -40.6497307f};

/* Operation 1: fullyConnected, [12] to [8]. */
static const int8_t motion_weights_0[96] MOTION_FLASH = {
    4, -29, -75, -52, 4, 119, -50, -127, -52, 46, 38, -45, 37, -82, 28, -29, -23, 60, -63, -60, 60, 40, -69, -127,
    -19, 24, 69, 1, -12, 123, 16, -127, -5, 41, 52, -17, 4, 49, -87, -127, -9, -16, 48, 51, 25, -30, 63, 39, -13, 57,
    -1, -127, -2, 1, -34, -42, 5, -9, -32, -41, 28, 28, -127, -77, 1, 34, -23, 10, 12, 70, -78, 66, 8, 19, -19, -127,
    7, -26, -15, 39, -25, 5, -48, 39, 92, -70, 41, -41, -98, -66, -38, 29, -63, 111, 44, -127};
static const int32_t motion_bias_0[8] MOTION_FLASH = {
    2240, 3249, 2629, 4365, -781, -991, 2741, -486};
static const int32_t motion_multiplier_0[8] MOTION_FLASH = {
    1461727882, 2048538274, 1188902488, 1491241595, 1334152009, 1334149242, 1199362137, 1773045844};
static const int8_t motion_shift_0[8] MOTION_FLASH = {
    -6, -7, -6, -6, -6, -6, -5, -7};
static const motion_conv motion_layer_0 MOTION_FLASH = {
    1, 1, 12, 1, 1, 8, 1, 1, 1, 1, 1, 1, 0, 0, -1, -128, -128, 127, 1, motion_weights_0, motion_bias_0,
    motion_multiplier_0, motion_shift_0};

/* Operation 2: fullyConnected, [8] to [3]. */
static const int8_t motion_weights_1[24] MOTION_FLASH = {
    60, -91, -62, -49, 80, 127, 22, -46, 40, -104, -98, 49, -127, 1, 96, -67, 127, -43, 72, -75, -29, -100, 9, -62};
static const int32_t motion_bias_1[3] MOTION_FLASH = {
    2978, -24219, -12587};
static const int32_t motion_multiplier_1[3] MOTION_FLASH = {
    1355264569, 1117920687, 2106426864};
static const int8_t motion_shift_1[3] MOTION_FLASH = {
    -7, -7, -8};
static const motion_conv motion_layer_1 MOTION_FLASH = {
    1, 1, 8, 1, 1, 3, 1, 1, 1, 1, 1, 1, 0, 0, -128, -6, -128, 127, 1, motion_weights_1, motion_bias_1,
    motion_multiplier_1, motion_shift_1};

/* Operation 3: softmax, [3] to [3]. */

/* Labels in UTF-8. */
static const char *const motion_labels[3] MOTION_UNUSED = {
    "idle", "shake", "wave"};

/*
 * From a window to quantized features, which lie where the features were: the first byte of each is free by then.
 */
MOTION_FN void motion_run_features(const float *window) {
  motion_flatten(window, MOTION_WINDOW_FRAMES, MOTION_CHANNELS, motion_axes_0, 3, motion_ints_0, motion_floats_0,
      (float *)0, motion_memory.features + 0);
  motion_quantize_input(motion_memory.features, MOTION_FEATURE_COUNT, motion_input_a, motion_input_b,
      (int8_t *)motion_memory.features);
}

/*
 * The bare network: FEATURE_COUNT quantized features in, LABEL_COUNT scores out, not over one another. Returns 0.
 */
MOTION_FN int motion_invoke(const int8_t *input, int8_t *output) {
  int8_t *const arena = (int8_t *)motion_memory.work.arena;
  union { motion_conv conv; } parameters;
  motion_fully_connected_rows(motion_load_conv(&motion_layer_0, &parameters.conv), input, arena);
  motion_fully_connected_rows(motion_load_conv(&motion_layer_1, &parameters.conv), arena, output);
  motion_softmax(output, 3, 1968645888, 21, -992, output);
  return 0;
}

/*
 * The decision over the scores of this window and the ones before it: a label, or -1 when uncertain. motion_push
 * calls this; call it yourself only with results of motion_classify.
 */
MOTION_FN int motion_decide(const int8_t *scores) {
  return (int)motion_smooth_add(motion_memory.history, MOTION_SMOOTHING_WINDOWS, &motion_memory.history_rows,
      &motion_memory.history_next, scores, MOTION_LABEL_COUNT, MOTION_OUTPUT_ZERO_POINT, MOTION_SMOOTHING_THRESHOLD);
}

/*
 * Classifies one window, window[frame * MOTION_CHANNELS + channel], apart from the stream: its decision is about
 * this window alone. Returns 0.
 */
MOTION_FN int motion_classify(const float *window, motion_result *result) {
  motion_run_features(window);
  (void)motion_invoke((const int8_t *)motion_memory.features, result->scores);
  result->best = (int)motion_smooth_best(result->scores, MOTION_LABEL_COUNT);
  result->decision = (int)motion_smooth_decide(result->scores, 1, MOTION_LABEL_COUNT, MOTION_OUTPUT_ZERO_POINT,
      MOTION_SMOOTHING_THRESHOLD);
  return 0;
}

/*
 * One sample of every channel, MOTION_RATE_HZ times a second. Returns 1 when it completed a window and the result
 * was filled, else 0.
 */
MOTION_FN int motion_push(const float sample[MOTION_CHANNELS], motion_result *result) {
  if (!motion_window_push(motion_memory.window, MOTION_WINDOW_FRAMES, MOTION_CHANNELS, sample,
      &motion_memory.filled, &motion_memory.skip)) return 0;
  (void)motion_classify(motion_memory.window, result);
  result->decision = motion_decide(result->scores);
  motion_window_advance(motion_memory.window, MOTION_WINDOW_FRAMES, MOTION_CHANNELS, MOTION_STRIDE_FRAMES,
      &motion_memory.filled, &motion_memory.skip);
  return 1;
}

/* Forgets the samples and scores so far: call it after a pause in the stream. */
MOTION_FN void motion_reset(void) {
  motion_memory.filled = 0;
  motion_memory.skip = 0;
  motion_memory.history_rows = 0;
  motion_memory.history_next = 0;
}

/* The name of label i, or an empty text for anything else, such as the -1 of an uncertain decision. */
MOTION_FN const char *motion_label(int i) {
  return i >= 0 && i < MOTION_LABEL_COUNT ? motion_labels[i] : "";
}

/*
 * Known answers for 8 recorded and 56 generated windows. They take no memory in a program that never calls
 * motion_selftest.
 */
static const float motion_test_scale[3] MOTION_FLASH MOTION_UNUSED = {
    0.000578617153f, 0.000953071285f, 0.000481203519f};
static const float motion_test_offset[3] MOTION_FLASH MOTION_UNUSED = {
    -0.260440648f, 0.30336532f, 9.42865467f};
static const int16_t motion_test_windows[600] MOTION_FLASH MOTION_UNUSED = {
    2611, -579, 20138, 2372, -605, 19988, 2692, -753, 20182, 2394, -735, 19662, 2695, -620, 19785, 2747, -762, 20395,
    2746, -674, 19607, 2281, -634, 20288, 2734, -592, 19938, 2675, -692, 19931, 2971, -443, 20092, 2691, -721, 20248,
    2470, -639, 19754, 2827, -636, 20275, 2253, -765, 20073, 3018, -597, 19927, 2674, -538, 20430, 2406, -763, 19609,
    2629, -849, 20365, 2587, -447, 19959, 2626, -844, 20111, 2529, -516, 20458, 2909, -700, 19788, 2481, -689, 19856,
    2547, -854, 20099, 14863, 18053, 11425, 10573, 26768, 24309, -8108, 700, 21522, -10616, -10427, 13765, 872,
    -11432, 25484, 7398, 10136, 15453, 5245, 12614, 22095, -2509, 3032, 21380, -6274, -5305, 15305, -1047, -10818,
    24623, 6985, 8191, 17634, 7967, 11781, 18430, -412, 12632, 25463, -7790, -7533, 14284, -5617, -12719, 21463, 5420,
    1017, 21719, 10363, 12774, 14124, 1311, 18145, 27561, -9691, -9507, 12837, -6074, -16524, 22978, 7461, 3931,
    20864, 11538, 14721, 14721, 671, 18980, 28245, -9374, -9337, 12677, -5474, -13893, 22526, -22292, 58, 18938,
    -22763, -312, 18440, -20327, -40, 18747, -16122, -111, 17989, -9739, -73, 17662, -2461, -186, 18039, 4852, -40,
    18619, 10894, -107, 20584, 14618, 83, 21815, 16049, 70, 22236, 14628, 53, 21749, 10532, 147, 20398, 4330, -177,
    18998, -2619, 98, 17368, -10754, 7, 16980, -18384, 70, 17429, -24559, 28, 17806, -27930, 69, 18218, -27364, -147,
    18141, -24042, -26, 17081, -17359, -23, 16748, -8425, 9, 16777, 1240, -12, 17375, 10624, 31, 19268, 17464, -44,
    21427, 2827, -636, 20275, 2253, -765, 20073, 3018, -597, 19927, 2674, -538, 20430, 2406, -763, 19609, 2629, -849,
    20365, 2587, -447, 19959, 2626, -844, 20111, 2529, -516, 20458, 2909, -700, 19788, 2481, -689, 19856, 2547, -854,
    20099, 2771, -709, 20183, 2470, -880, 20324, 2631, -715, 20060, 2979, -757, 19914, 2405, -942, 20343, 2499, -787,
    19899, 2628, -858, 20091, 2609, -740, 20118, 2987, -895, 20153, 2769, -721, 20048, 2814, -1037, 20343, 2565,
    -1135, 19660, 2636, -946, 20111, -7790, -7533, 14284, -5617, -12719, 21463, 5420, 1017, 21719, 10363, 12774,
    14124, 1311, 18145, 27561, -9691, -9507, 12837, -6074, -16524, 22978, 7461, 3931, 20864, 11538, 14721, 14721, 671,
    18980, 28245, -9374, -9337, 12677, -5474, -13893, 22526, 5602, 1573, 22121, 9258, 11452, 14995, 2420, 16759,
    26177, -7852, -6829, 16343, -9640, -11796, 16336, 1692, -13349, 27675, 12527, 14757, 12863, 10026, 19950, 21116,
    -3278, 11720, 27166, -11937, -11475, 10631, -6868, -18270, 23998, 6930, 1322, 22224, 12397, 13920, 13256, -2619,
    98, 17368, -10754, 7, 16980, -18384, 70, 17429, -24559, 28, 17806, -27930, 69, 18218, -27364, -147, 18141, -24042,
    -26, 17081, -17359, -23, 16748, -8425, 9, 16777, 1240, -12, 17375, 10624, 31, 19268, 17464, -44, 21427, 21563,
    -44, 22297, 22021, -9, 22799, 18698, -66, 21596, 12646, 141, 19828, 3533, -28, 17717, -6419, -78, 16360, -16668,
    -46, 16835, -25559, 43, 16934, -31023, 26, 18900, -31676, -20, 18870, -28192, -105, 17645, -20333, 12, 16704,
    -9054, 169, 15798, 2470, -880, 20324, 2631, -715, 20060, 2979, -757, 19914, 2405, -942, 20343, 2499, -787, 19899,
    2628, -858, 20091, 2609, -740, 20118, 2987, -895, 20153, 2769, -721, 20048, 2814, -1037, 20343, 2565, -1135,
    19660, 2636, -946, 20111, 2681, -1025, 20349, 2729, -850, 19942, 2986, -1094, 20294, 2636, -1039, 20260, 2784,
    -1110, 19835, 2678, -1093, 20132, 2859, -1103, 19811, 2548, -1220, 19710, 2963, -1123, 20052, 2855, -1345, 19647,
    2707, -1027, 19942, 2600, -1104, 20392, 2838, -1199, 19745, 9258, 11452, 14995, 2420, 16759, 26177, -7852, -6829,
    16343, -9640, -11796, 16336, 1692, -13349, 27675, 12527, 14757, 12863, 10026, 19950, 21116, -3278, 11720, 27166,
    -11937, -11475, 10631, -6868, -18270, 23998, 6930, 1322, 22224, 12397, 13920, 13256, 2845, 21360, 28149, -7727,
    -7140, 15732, -6753, -9631, 18498, 1737, -7569, 24978, 7940, 9852, 15271, 6226, 12567, 21261, -1576, 7320, 23978,
    -7406, -7053, 14129, -5180, -11272, 21109, 2915, -5741, 24627, 9675, 10888, 14309, 7476, 13672, 20630, -241,
    12407, 26125};
static const uint32_t motion_test_features[64] MOTION_FLASH MOTION_UNUSED = {
    0xBE21A82Bu, 0x210067B5u, 0x54B9E725u, 0x45476F52u, 0x50E433D0u, 0xF1D177C5u, 0x9957093Fu, 0x8A79F56Fu,
    0x331A6028u, 0xE3557D6Fu, 0xF603B022u, 0x55EB65B0u, 0xF4CA17DEu, 0xC263FF2Du, 0x1A02DCCBu, 0x5C3E742Cu,
    0x53F4CB84u, 0x92EBA46Eu, 0xBCF1BBC2u, 0x4E40F044u, 0x0C67D895u, 0xBB26F8B8u, 0xA7350C29u, 0xDF0A3415u,
    0xA9CA9765u, 0x807351A5u, 0x0185332Cu, 0x64931C8Eu, 0xBE302832u, 0xCB71084Eu, 0x2D28C467u, 0x1AFCD84Eu,
    0x1DEA5E6Au, 0x5BAE9D1Cu, 0xFB69BD2Eu, 0x403E76CDu, 0x566AEFF1u, 0xBAEDDFB2u, 0x9DD7C228u, 0x0892CEEBu,
    0x337FC6F1u, 0x8A7DDDBCu, 0xE0FCC86Cu, 0xF80681B9u, 0xB4A63DEFu, 0x548223D5u, 0x4E07B541u, 0xDFD1EEC4u,
    0xBD77BA93u, 0x841B7845u, 0x51C69EC2u, 0xA4D47D21u, 0xCB098D0Bu, 0xEC9CBAA2u, 0xE4862C6Au, 0x818F31ACu,
    0xD3E01A3Cu, 0x283234EFu, 0xC87CFE96u, 0x53B602F7u, 0x01283002u, 0x6D56DA14u, 0x93D9F170u, 0x20DED61Cu};
static const int8_t motion_test_scores[192] MOTION_FLASH MOTION_UNUSED = {
    111, -120, -119, -119, 109, -119, -118, -119, 109, 112, -120, -120, -119, 111, -120, -118, -119, 110, 112, -120,
    -120, -120, 113, -120, 82, -105, -105, 75, -111, -93, 103, -107, -124, 90, -106, -112, -60, -30, -38, 71, -118,
    -81, 41, -43, -126, -116, 111, -123, 40, -43, -125, -4, -4, -121, 79, -84, -123, -5, 2, -125, -122, -122, 116, 92,
    -103, -117, -76, 44, -96, 62, -69, -121, 28, -32, -124, 28, -29, -127, 49, -55, -122, -118, 117, -127, 93, -100,
    -121, 92, -100, -120, -45, -112, 28, -96, -73, 41, -107, -74, 53, 57, -62, -123, 35, -117, -46, -29, -124, 25,
    -60, 57, -125, 107, -111, -124, 118, -120, -125, -98, 96, -126, -123, -122, 117, 78, -82, -124, 60, -61, -127, 15,
    -21, -123, 95, -99, -124, 78, -85, -121, -103, -71, 46, -124, 108, -112, -125, 125, -127, -11, -93, -24, -126,
    -126, 125, 59, -109, -78, -67, 65, -127, 102, -108, -122, 17, -117, -28, -73, -114, 59, -115, 42, -54, -118, -121,
    111, -106, -113, 92, 104, -120, -113, -16, 9, -121, -47, 38, -119, 5, -25, -107, 40, -98, -70};

/*
 * Runs the known windows and returns the number of those whose features or scores are not, bit for bit, what the
 * studio computed: 0 when all is well. Forgets the stream so far.
 */
MOTION_FN int motion_selftest(void) {
  int failed = 0;
  int32_t index, i;
  for (index = 0; index < MOTION_SELFTEST_COUNT; index++) {
    int same;
    int8_t scores[MOTION_LABEL_COUNT];
    if (index < 8) {
      motion_selftest_unpack(motion_test_windows + index * (MOTION_WINDOW_FRAMES * MOTION_CHANNELS),
          MOTION_WINDOW_FRAMES, MOTION_CHANNELS, motion_test_scale, motion_memory.window);
    } else {
      motion_selftest_generate(0x4D4F5445u, index - 8, MOTION_WINDOW_FRAMES, MOTION_CHANNELS, motion_test_scale,
          motion_test_offset, motion_memory.window);
    }
    motion_run_features(motion_memory.window);
    same = motion_crc32(0u, (const uint8_t *)motion_memory.features,
        MOTION_FEATURE_COUNT) == MOTION_FLASH_U32(motion_test_features + index);
    (void)motion_invoke((const int8_t *)motion_memory.features, scores);
    for (i = 0; i < MOTION_LABEL_COUNT; i++) {
      if (scores[i] != MOTION_FLASH_I8(motion_test_scores + index * MOTION_LABEL_COUNT + i)) same = 0;
    }
    if (!same) failed++;
  }
  motion_reset();
  return failed;
}

#endif
