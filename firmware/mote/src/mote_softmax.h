/*
 * Int8 softmax as in the TFLite reference kernel: gemmlowp's fixed-point exponential and reciprocal.
 * Output scale 1/256, zero point -128.
 */
#ifndef MOTE_SOFTMAX_H
#define MOTE_SOFTMAX_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"
#include "mote_requantize.h"

/* More classes would need a rounding shift of more than 31 bits. */
#define MOTE_SOFTMAX_MAX_COUNT 511

MOTE_FN int32_t mote_saturating_shift_left(int32_t value, int32_t shift) {
    const int32_t limit = (int32_t)(((uint32_t)1 << (uint32_t)(31 - shift)) - 1u);
    if (value > limit) {
        return INT32_MAX;
    }
    if (value < -limit) {
        return INT32_MIN;
    }
    return mote_shift_left(value, shift);
}

/* exp(a) for a <= 0 in Q5.26, as Q0.31. */
MOTE_FN int32_t mote_exp_on_negative(int32_t a) {
    /* exp(-2^k) in Q0.31 for k = -2..4 */
    static const int32_t factors[7] MOTE_FLASH = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = (int32_t)1 << 24;
    int32_t modulo, x, x2, x3, x4, tail, result, remainder, k;
    if (a == 0) {
        return INT32_MAX;
    }
    modulo = (a & (quarter - 1)) - quarter;
    x = mote_shift_left(modulo, 5) + ((int32_t)1 << 28);
    x2 = mote_srdhm(x, x);
    x3 = mote_srdhm(x2, x);
    x4 = mote_srdhm(x2, x2);
    tail = mote_rdp(mote_srdhm(mote_rdp(x4, 2) + x3, 715827883) + x2, 1);
    result = 1895147668 + mote_srdhm(1895147668, x + tail);
    remainder = modulo - a;
    for (k = 0; k < 7; k++) {
        if (remainder & mote_shift_left(1, 24 + k)) {
            result = mote_srdhm(result, MOTE_FLASH_I32(factors + k));
        }
    }
    return result;
}

/* 1 / (1 + a) for a in [0, 1), both Q0.31; three Newton-Raphson steps. */
MOTE_FN int32_t mote_reciprocal_one_plus(int32_t a) {
    const int32_t half = (int32_t)(((int64_t)a + ((int64_t)1 << 31)) / 2);
    int32_t x = 1515870810 + mote_srdhm(half, -1010580540);
    int32_t step;
    for (step = 0; step < 3; step++) {
        const int32_t error = ((int32_t)1 << 29) - mote_srdhm(half, x);
        x += mote_saturating_shift_left(mote_srdhm(x, error), 2);
    }
    return mote_saturating_shift_left(x, 1);
}

/* count 1..MOTE_SOFTMAX_MAX_COUNT. */
MOTE_FN void mote_softmax(const int8_t *input, int32_t count, int32_t multiplier, int32_t left_shift,
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
            const int32_t e = mote_exp_on_negative(mote_srdhm(mote_shift_left(diff, left_shift), multiplier));
            sum += (uint32_t)mote_rdp(e, 12);
        }
    }
    while (headroom < 31 && !(sum & 0x80000000u)) {
        sum <<= 1;
        headroom++;
    }
    scale = mote_reciprocal_one_plus((int32_t)(sum & 0x7fffffffu));
    shift = 12 - headroom + 31 - 8;
    for (i = 0; i < count; i++) {
        const int32_t diff = (int32_t)input[i] - max;
        if (diff < diff_min) {
            output[i] = -128;
        } else {
            const int32_t e = mote_exp_on_negative(mote_srdhm(mote_shift_left(diff, left_shift), multiplier));
            const int32_t value = mote_rdp(mote_srdhm(scale, e), shift) - 128;
            output[i] = (int8_t)(value > 127 ? 127 : value);
        }
    }
}

/* `rows` rows of `count` values each. */
MOTE_FN void mote_softmax_rows(const int8_t *input, int32_t rows, int32_t count, int32_t multiplier,
                               int32_t left_shift, int32_t diff_min, int8_t *output) {
    for (; rows > 0; rows--) {
        mote_softmax(input, count, multiplier, left_shift, diff_min, output);
        input += count;
        output += count;
    }
}

/* Parameters from outside: 1 when a run cannot overflow, else 0. */
MOTE_FN int mote_softmax_check(int32_t count, int32_t multiplier, int32_t left_shift, int32_t diff_min) {
    if (count < 1 || count > MOTE_SOFTMAX_MAX_COUNT || multiplier < ((int32_t)1 << 30)) {
        return 0;
    }
    if (left_shift < 0 || left_shift > 31) {
        return 0;
    }
    return diff_min == -(int32_t)(((int64_t)31 << 26) >> left_shift);
}

#endif
