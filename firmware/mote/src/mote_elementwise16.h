/* Element-wise ops on int16 activations as in the TFLite reference kernels. All may write over one of their inputs. */
#ifndef MOTE_ELEMENTWISE16_H
#define MOTE_ELEMENTWISE16_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv16.h"
#include "mote_flash.h"
#include "mote_requantize.h"

typedef struct {
  int32_t act_min, act_max;
  int32_t multiplier_a, shift_a, multiplier_b, shift_b, multiplier_out, shift_out;
  int32_t subtract; /* 1: a - b */
} mote_add16_params;

/* Parameters in flash, where code can read them: on AVR a copy, elsewhere they themselves. */
MOTE_FN const mote_add16_params *mote_load_add16(const mote_add16_params *at, mote_add16_params *copy) {
#if defined(__AVR__)
    memcpy_P(copy, at, sizeof *copy);
    return copy;
#else
    (void)copy;
    return at;
#endif
}

/* b has b_count elements and repeats. */
MOTE_FN void mote_add16(const mote_add16_params *op, const int16_t *a, const int16_t *b, int32_t count,
                        int32_t b_count, int16_t *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        const int32_t x = mote_mbqm((int32_t)a[i] * ((int32_t)1 << 15), op->multiplier_a, op->shift_a);
        const int32_t y = mote_mbqm((int32_t)b[j] * ((int32_t)1 << 15), op->multiplier_b, op->shift_b);
        const int32_t sum = op->subtract ? x - y : x + y;
        output[i] = mote_clamp_int16(mote_mbqm(sum, op->multiplier_out, op->shift_out), op->act_min, op->act_max);
        j = j + 1 == b_count ? 0 : j + 1;
    }
}

/* The same for products; one multiplier for all. */
MOTE_FN void mote_mul16(const int16_t *a, const int16_t *b, int32_t count, int32_t b_count, int32_t multiplier,
                        int32_t shift, int32_t act_min, int32_t act_max, int16_t *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        const int32_t value = mote_mbqm((int32_t)a[i] * (int32_t)b[j], multiplier, shift);
        output[i] = mote_clamp_int16(value, act_min, act_max);
        j = j + 1 == b_count ? 0 : j + 1;
    }
}

/* Rectifiers and changes of scale: one multiplier and shift from 0 on, another below. */
MOTE_FN void mote_rescale16(const int16_t *input, int32_t count, int32_t multiplier, int32_t shift,
                            int32_t negative_multiplier, int32_t negative_shift, int32_t act_min, int32_t act_max,
                            int16_t *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        const int32_t x = input[i];
        const int32_t value =
            x >= 0 ? mote_mbqm(x, multiplier, shift) : mote_mbqm(x, negative_multiplier, negative_shift);
        output[i] = mote_clamp_int16(value, act_min, act_max);
    }
}

/* [outer][count][inner] -> [outer][inner]; multiplier and shift contain the division. */
MOTE_FN void mote_mean16(const int16_t *input, int32_t outer, int32_t count, int32_t inner, int32_t multiplier,
                         int32_t shift, int16_t *output) {
    int32_t o, i, k;
    for (o = 0; o < outer; o++) {
        for (i = 0; i < inner; i++) {
            int32_t sum = 0;
            for (k = 0; k < count; k++) {
                sum += input[(o * count + k) * inner + i];
            }
            output[o * inner + i] = mote_clamp_int16(mote_mbqm(sum, multiplier, shift), -32768, 32767);
        }
    }
}

/*
 * The logistic function, or tanh. input * multiplier >> shift has 3 * 4096 steps per unit. table: the logistic function
 * of i / 24 as Q0.16 less 32768, 256 values; in between it is interpolated.
 */
MOTE_FN void mote_sigmoid16(const int16_t *input, int32_t count, int32_t is_tanh, int32_t multiplier, int32_t shift,
                            const int16_t *table, int16_t *output) {
    /* tanh(x) = 2 logistic(2 x) - 1: steps half as wide. */
    const int32_t bits = is_tanh ? 8 : 9;
    const int32_t half = shift > 0 ? (int32_t)1 << (shift - 1) : 0;
    int32_t i;
    for (i = 0; i < count; i++) {
        const int32_t x = ((int32_t)input[i] * multiplier + half) >> shift;
        const int32_t magnitude = x < 0 ? -x : x;
        const int32_t index = magnitude >> bits;
        int32_t result;
        if (index >= 255) {
            result = is_tanh ? (int32_t)65535 * 256 : (int32_t)32767 * 1024;
        } else {
            const int32_t low = MOTE_FLASH_I16(table + index);
            const int32_t high = MOTE_FLASH_I16(table + index + 1);
            result = (low + 32768) * ((int32_t)1 << bits) + (magnitude & (((int32_t)1 << bits) - 1)) * (high - low);
        }
        if (is_tanh) {
            result -= (int32_t)1 << 23;
            result = (x >= 0 ? result + 128 : -result + 127) >> 8;
        } else {
            result = (x >= 0 ? result + 512 : ((int32_t)1 << 25) - result + 511) >> 10;
        }
        output[i] = (int16_t)result;
    }
}

#endif
