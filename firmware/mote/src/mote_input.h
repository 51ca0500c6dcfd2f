/*
 * Scaler and input quantization in one multiply-add per feature:
 * q = clamp(round_half_away(x * a + b), -128, 127), product and sum each rounded to float32; NaN gives -128.
 */
#ifndef MOTE_INPUT_H
#define MOTE_INPUT_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"

MOTE_FN int8_t mote_quantize_one(float x, float a, float b) {
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

MOTE_FN void mote_quantize_input(const float *features, int32_t count, const float *a, const float *b,
                                 int8_t *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        output[i] = mote_quantize_one(features[i], MOTE_FLASH_F32(a + i), MOTE_FLASH_F32(b + i));
    }
}

#endif
