/*
 * Int8 addition on cores with the DSP extension. Both operands whole; not a subtraction; shift_out at most -1, the other
 * shifts at most 0, and where one is 0 its multiplier is 2^30: so TFLite's own parameters are.
 */
#ifndef MOTE_ELEMENTWISE_DSP_H
#define MOTE_ELEMENTWISE_DSP_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_elementwise.h"
#include "mote_strips.h"

/* a * b >> 32, rounded where rounding is double. */
#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
MOTE_FN int32_t mote_dsp_high(int32_t a, int32_t b) {
    int32_t high;
#if defined(MOTE_SINGLE_ROUNDING)
    __asm("smmul %0,%1,%2" : "=r"(high) : "r"(a), "r"(b));
#else
    __asm("smmulr %0,%1,%2" : "=r"(high) : "r"(a), "r"(b));
#endif
    return high;
}
#else
MOTE_FN int32_t mote_dsp_high(int32_t a, int32_t b) {
#if defined(MOTE_SINGLE_ROUNDING)
    return (int32_t)(((int64_t)a * b) >> 32);
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}
#endif

/* Rounding right shift by 1 + `shift`; ties away from zero where rounding is double. */
MOTE_FN int32_t mote_dsp_round(int32_t value, int32_t shift) {
#if defined(MOTE_SINGLE_ROUNDING)
    return ((value >> shift) + 1) >> 1;
#else
    value += value >> 31;
    return ((value >> shift) + 1) >> 1;
#endif
}

MOTE_FN void mote_add_dsp(const mote_add_params *op, const int8_t *a, const int8_t *b, int32_t count,
                          int8_t *output) {
    /* A shift of 0 becomes one to the left and one to the right, which changes nothing. */
    const int32_t right_a = op->shift_a < 0 ? -op->shift_a - 1 : 0;
    const int32_t right_b = op->shift_b < 0 ? -op->shift_b - 1 : 0;
    const int32_t factor_a = (int32_t)1 << (op->shift_a < 0 ? 21 : 22);
    const int32_t factor_b = (int32_t)1 << (op->shift_b < 0 ? 21 : 22);
    const int32_t zero_a = op->zero_a;
    const int32_t zero_b = op->zero_b;
    const int32_t multiplier_a = op->multiplier_a;
    const int32_t multiplier_b = op->multiplier_b;
    const int32_t multiplier_out = op->multiplier_out;
    const int32_t right_out = -op->shift_out - 1;
    const int32_t act_min = op->act_min;
    const int32_t act_max = op->act_max;
    const int32_t out_zero = op->out_zero;
    const int8_t *const end = a + count;
    while (a != end) {
        const int32_t x = mote_dsp_round(mote_dsp_high((*a - zero_a) * factor_a, multiplier_a), right_a);
        const int32_t y = mote_dsp_round(mote_dsp_high((*b - zero_b) * factor_b, multiplier_b), right_b);
        const int32_t value = mote_dsp_round(mote_dsp_high((x + y) * 2, multiplier_out), right_out) + out_zero;
        a++;
        b++;
        *output++ = mote_clamp_int8(value, act_min, act_max);
    }
}

/* `weights`: the mote_add_params; `shift`: the second input; per_channel 1: that is the first operand. */
MOTE_FN void mote_strip_add_dsp(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    const mote_add_params *params = (const mote_add_params *)part->weights;
    const int32_t count = part->out_h * part->out_w * part->out_c;
    (void)scratch;
    if (part->per_channel) {
        mote_add_dsp(params, part->shift, input, count, output);
    } else {
        mote_add_dsp(params, input, part->shift, count, output);
    }
}

#endif
