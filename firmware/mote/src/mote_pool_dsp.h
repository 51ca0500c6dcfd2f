/* Max pooling on cores with the DSP extension: four channels at a time. Channels a multiple of four, no activation. */
#ifndef MOTE_POOL_DSP_H
#define MOTE_POOL_DSP_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_pool.h"
#include "mote_strips.h"

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
/* The larger bytes of `largest` and of the four at any address. */
MOTE_FN uint32_t mote_dsp_max4(uint32_t largest, const int8_t *from) {
    uint32_t word, difference;
    __asm volatile(
        "ldr %[word],[%[from]]\n"
        "ssub8 %[difference],%[largest],%[word]\n"
        "sel %[largest],%[largest],%[word]\n"
        : [largest] "+r"(largest), [word] "=&r"(word), [difference] "=&r"(difference)
        : [from] "r"(from)
        : "memory", "cc");
    return largest;
}

MOTE_FN void mote_dsp_put4(uint32_t word, int8_t *to) {
    __asm volatile("str %0, [%1]" : : "r"(word), "r"(to) : "memory");
}
#else
MOTE_FN uint32_t mote_dsp_max4(uint32_t largest, const int8_t *from) {
    uint32_t word = 0;
    int32_t i;
    for (i = 0; i < 4; i++) {
        const int8_t before = (int8_t)((largest >> (8 * i)) & 0xffu);
        word |= (uint32_t)(uint8_t)(from[i] > before ? from[i] : before) << (8 * i);
    }
    return word;
}

MOTE_FN void mote_dsp_put4(uint32_t word, int8_t *to) {
    int32_t i;
    for (i = 0; i < 4; i++) {
        to[i] = (int8_t)((word >> (8 * i)) & 0xffu);
    }
}
#endif

MOTE_FN void mote_max_pool_dsp(const mote_pool *op, const int8_t *input, int8_t *output) {
    const int32_t channels = op->channels;
    const int32_t pitch = op->in_w * channels;
    int32_t y, x, c, i, j, rows, columns;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = mote_pool_clip(y * op->stride_h - op->pad_top, op->kernel_h, op->in_h, &rows);
        for (x = 0; x < op->out_w; x++) {
            const int32_t left = mote_pool_clip(x * op->stride_w - op->pad_left, op->kernel_w, op->in_w, &columns);
            const int8_t *first = input + top * pitch + left * channels;
            for (c = 0; c < channels; c += 4) {
                uint32_t largest = 0x80808080u;
                for (i = 0; i < rows; i++) {
                    const int8_t *from = first + i * pitch + c;
                    for (j = 0; j < columns; j++) {
                        largest = mote_dsp_max4(largest, from);
                        from += channels;
                    }
                }
                mote_dsp_put4(largest, output);
                output += 4;
            }
        }
    }
}

MOTE_FN void mote_strip_max_pool_dsp(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    mote_pool pool;
    (void)scratch;
    mote_strip_pool(part, &pool);
    mote_max_pool_dsp(&pool, input, output);
}

#endif
