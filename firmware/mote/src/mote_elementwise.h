/* Int8 element-wise ops as in the TFLite reference kernels. All may write over one of their inputs. */
#ifndef MOTE_ELEMENTWISE_H
#define MOTE_ELEMENTWISE_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"
#include "mote_requantize.h"

typedef struct {
  int32_t zero_a, zero_b, out_zero, act_min, act_max;
  int32_t multiplier_a, shift_a, multiplier_b, shift_b, multiplier_out, shift_out;
  int32_t subtract; /* 1: a - b */
} mote_add_params;

/* Parameters in flash, where code can read them: on AVR a copy, elsewhere they themselves. */
MOTE_FN const mote_add_params *mote_load_add(const mote_add_params *at, mote_add_params *copy) {
#if defined(__AVR__)
    memcpy_P(copy, at, sizeof *copy);
    return copy;
#else
    (void)copy;
    return at;
#endif
}

typedef struct {
  int32_t zero_a, zero_b, out_zero, act_min, act_max;
  int32_t multiplier, shift;
} mote_mul_params;

/* Parameters in flash, where code can read them: on AVR a copy, elsewhere they themselves. */
MOTE_FN const mote_mul_params *mote_load_mul(const mote_mul_params *at, mote_mul_params *copy) {
#if defined(__AVR__)
    memcpy_P(copy, at, sizeof *copy);
    return copy;
#else
    (void)copy;
    return at;
#endif
}

MOTE_FN int8_t mote_clamp_int8(int32_t value, int32_t act_min, int32_t act_max) {
    if (value < act_min) {
        value = act_min;
    }
    if (value > act_max) {
        value = act_max;
    }
    return (int8_t)value;
}

MOTE_FN int8_t mote_add_one(const mote_add_params *op, int32_t a, int32_t b) {
    const int32_t x = mote_mbqm((a - op->zero_a) * ((int32_t)1 << 20), op->multiplier_a, op->shift_a);
    const int32_t y = mote_mbqm((b - op->zero_b) * ((int32_t)1 << 20), op->multiplier_b, op->shift_b);
    const int32_t sum = op->subtract ? x - y : x + y;
    const int32_t value = mote_mbqm(sum, op->multiplier_out, op->shift_out) + op->out_zero;
    return mote_clamp_int8(value, op->act_min, op->act_max);
}

/* b has b_count elements and repeats. */
MOTE_FN void mote_add(const mote_add_params *op, const int8_t *a, const int8_t *b, int32_t count, int32_t b_count,
                      int8_t *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        output[i] = mote_add_one(op, a[i], b[j]);
        j = j + 1 == b_count ? 0 : j + 1;
    }
}

/* The same with b in flash. */
MOTE_FN void mote_add_constant(const mote_add_params *op, const int8_t *a, const int8_t *b, int32_t count,
                               int32_t b_count, int8_t *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        output[i] = mote_add_one(op, a[i], MOTE_FLASH_I8(b + j));
        j = j + 1 == b_count ? 0 : j + 1;
    }
}

MOTE_FN int8_t mote_mul_one(const mote_mul_params *op, int32_t a, int32_t b) {
    const int32_t value = mote_mbqm((a - op->zero_a) * (b - op->zero_b), op->multiplier, op->shift) + op->out_zero;
    return mote_clamp_int8(value, op->act_min, op->act_max);
}

MOTE_FN void mote_mul(const mote_mul_params *op, const int8_t *a, const int8_t *b, int32_t count, int32_t b_count,
                      int8_t *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        output[i] = mote_mul_one(op, a[i], b[j]);
        j = j + 1 == b_count ? 0 : j + 1;
    }
}

/* The same with b in flash. */
MOTE_FN void mote_mul_constant(const mote_mul_params *op, const int8_t *a, const int8_t *b, int32_t count,
                               int32_t b_count, int8_t *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        output[i] = mote_mul_one(op, a[i], MOTE_FLASH_I8(b + j));
        j = j + 1 == b_count ? 0 : j + 1;
    }
}

/* Any function of one value: table[value + 128]. */
MOTE_FN void mote_lookup(const int8_t *input, int32_t count, const int8_t *table, int8_t *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        output[i] = MOTE_FLASH_I8(table + (int32_t)input[i] + 128);
    }
}

/* [outer][count][inner] -> [outer][inner]; multiplier and shift contain the division. */
MOTE_FN void mote_mean(const int8_t *input, int32_t outer, int32_t count, int32_t inner, int32_t in_zero,
                       int32_t multiplier, int32_t shift, int32_t out_zero, int8_t *output) {
    int32_t o, i, k;
    for (o = 0; o < outer; o++) {
        for (i = 0; i < inner; i++) {
            int32_t sum = 0;
            for (k = 0; k < count; k++) {
                sum += input[(o * count + k) * inner + i];
            }
            sum = mote_mbqm(sum - in_zero * count, multiplier, shift) + out_zero;
            output[o * inner + i] = mote_clamp_int8(sum, -128, 127);
        }
    }
}

#endif
