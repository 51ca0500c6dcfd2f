/*
 * Softmax of int16 activations as in the TFLite reference kernel: exp over [-10, 0] and 1 / (1 + x) over [0, 1] from tables
 * of 513 values, Q0.15, interpolated. Output scale 1/32768.
 */
#ifndef MOTE_SOFTMAX16_H
#define MOTE_SOFTMAX16_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv16.h"
#include "mote_flash.h"
#include "mote_requantize.h"

/* value -32768..32767 over the range of the table. */
MOTE_FN int32_t mote_interpolate16(int32_t value, const int16_t *table) {
    const int32_t index = 256 + (value >> 7);
    const int32_t base = MOTE_FLASH_I16(table + index);
    const int32_t slope = MOTE_FLASH_I16(table + index + 1) - base;
    return base + ((slope * (value & 127) + 64) >> 7);
}

/* `rows` rows of `count` values, at most 65534. May write over its input. */
MOTE_FN void mote_softmax16(const int16_t *input, int32_t rows, int32_t count, int32_t multiplier, int32_t shift,
                            const int16_t *exponentials, const int16_t *reciprocal, int16_t *output) {
    for (; rows > 0; rows--) {
        int32_t max = -32768;
        int32_t sum = 0;
        int32_t zeros = 1;
        int32_t down, scale, i;
        for (i = 0; i < count; i++) {
            if (input[i] > max) {
                max = input[i];
            }
        }
        for (i = 0; i < count; i++) {
            const int32_t scaled = mote_mbqm((int32_t)input[i] - max, multiplier, shift);
            const int32_t e = mote_interpolate16(mote_clamp_int16(scaled + 32767, -32768, 32767), exponentials);
            output[i] = (int16_t)e;
            sum += e;
        }
        while (zeros < 31 && ((uint32_t)sum << zeros) < 0x80000000u) {
            zeros++;
        }
        scale = (int32_t)((((int64_t)sum << (zeros - 1)) + 8192) >> 14) - 98304;
        scale = mote_interpolate16(mote_clamp_int16(scale, -32768, 32767), reciprocal);
        down = 31 - zeros;
        for (i = 0; i < count; i++) {
            const int32_t value = (int32_t)(((int64_t)output[i] * scale + ((int64_t)1 << (down - 1))) >> down);
            output[i] = mote_clamp_int16(value, 0, 32767);
        }
        input += count;
        output += count;
    }
}

#endif
