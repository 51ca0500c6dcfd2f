/*
 * Int8 fully connected layer as in the TFLite reference kernel:
 * y = clamp(MBQM(sum w * (x - input_zero) + bias, multiplier, shift) + output_zero, act_min, act_max).
 */
#ifndef MOTE_FULLY_CONNECTED_H
#define MOTE_FULLY_CONNECTED_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_requantize.h"

/* weights[unit * inputs + input]; per_channel != 0: one multiplier and shift per unit, else one for all. */
MOTE_FN void mote_fully_connected(const int8_t *input, int32_t inputs, int32_t units, int32_t input_zero,
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
        value = mote_mbqm(sum, multiplier[channel], shift[channel]) + output_zero;
        if (value < act_min) {
            value = act_min;
        }
        if (value > act_max) {
            value = act_max;
        }
        output[unit] = (int8_t)value;
    }
}

/* Parameters from outside: 1 when a run can neither overflow nor give anything but int8, else 0. */
MOTE_FN int mote_fully_connected_check(int32_t inputs, int32_t units, int32_t input_zero, const int8_t *weights,
                                       const int32_t *bias, const int32_t *multiplier, const int32_t *shift,
                                       int32_t per_channel, int32_t output_zero, int32_t act_min, int32_t act_max) {
    int32_t unit;
    if (inputs < 1 || units < 1 || input_zero < -128 || input_zero > 127 || output_zero < -128 || output_zero > 127) {
        return 0;
    }
    if (act_min < -128 || act_max > 127 || act_min > act_max) {
        return 0;
    }
    for (unit = 0; unit < units; unit++) {
        const int32_t channel = per_channel ? unit : 0;
        const int32_t m = multiplier[channel];
        const int32_t s = shift[channel];
        int64_t bound = bias[unit] < 0 ? -(int64_t)bias[unit] : (int64_t)bias[unit];
        int32_t i;
        if ((m != 0 && m < ((int32_t)1 << 30)) || s < -31 || s > 30) {
            return 0;
        }
        for (i = 0; i < inputs; i++) {
            const int32_t w = weights[i];
            if (w == -128) {
                return 0;
            }
            bound += (w < 0 ? -w : w) * 255;
        }
        weights += inputs;
        if (s > 0 && bound >= ((int64_t)1 << (31 - s))) {
            return 0;
        }
        if (bound >= ((int64_t)1 << 31)) {
            return 0;
        }
    }
    return 1;
}

#endif
