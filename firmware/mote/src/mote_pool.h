/* Int8 pooling over [h][w][c] as in the TFLite reference kernels: padding does not count. */
#ifndef MOTE_POOL_H
#define MOTE_POOL_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"

typedef struct {
  int32_t in_h, in_w, channels;
  int32_t out_h, out_w;
  int32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  int32_t act_min, act_max;
} mote_pool;

/* Parameters in flash, where code can read them: on AVR a copy, elsewhere they themselves. */
MOTE_FN const mote_pool *mote_load_pool(const mote_pool *at, mote_pool *copy) {
#if defined(__AVR__)
    memcpy_P(copy, at, sizeof *copy);
    return copy;
#else
    (void)copy;
    return at;
#endif
}

MOTE_FN int8_t mote_pool_clamp(const mote_pool *op, int32_t value) {
    if (value < op->act_min) {
        value = op->act_min;
    }
    if (value > op->act_max) {
        value = op->act_max;
    }
    return (int8_t)value;
}

/* Part of a window of `size` from `start` that lies in 0..limit: its first index, and its length in `count`. */
MOTE_FN int32_t mote_pool_clip(int32_t start, int32_t size, int32_t limit, int32_t *count) {
    int32_t end = start + size;
    if (start < 0) {
        start = 0;
    }
    if (end > limit) {
        end = limit;
    }
    *count = end - start;
    return start;
}

MOTE_FN void mote_max_pool(const mote_pool *op, const int8_t *input, int8_t *output) {
    /* Outputs are bytes, and might be these numbers for all that the compiler knows. */
    const int32_t channels = op->channels;
    const int32_t pitch = op->in_w * channels;
    int32_t y, x, c, i, j, rows, columns;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = mote_pool_clip(y * op->stride_h - op->pad_top, op->kernel_h, op->in_h, &rows);
        for (x = 0; x < op->out_w; x++) {
            const int32_t left = mote_pool_clip(x * op->stride_w - op->pad_left, op->kernel_w, op->in_w, &columns);
            const int8_t *first = input + top * pitch + left * channels;
            for (c = 0; c < channels; c++) {
                int32_t largest = -128;
                for (i = 0; i < rows; i++) {
                    const int8_t *from = first + i * pitch + c;
                    for (j = 0; j < columns; j++) {
                        if (*from > largest) {
                            largest = *from;
                        }
                        from += channels;
                    }
                }
                *output++ = mote_pool_clamp(op, largest);
            }
        }
    }
}

MOTE_FN void mote_average_pool(const mote_pool *op, const int8_t *input, int8_t *output) {
    /* Outputs are bytes, and might be these numbers for all that the compiler knows. */
    const int32_t channels = op->channels;
    const int32_t pitch = op->in_w * channels;
    int32_t y, x, c, i, j, rows, columns;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = mote_pool_clip(y * op->stride_h - op->pad_top, op->kernel_h, op->in_h, &rows);
        for (x = 0; x < op->out_w; x++) {
            const int32_t left = mote_pool_clip(x * op->stride_w - op->pad_left, op->kernel_w, op->in_w, &columns);
            const int8_t *first = input + top * pitch + left * channels;
            const int32_t count = rows * columns;
            for (c = 0; c < channels; c++) {
                int32_t sum = 0;
                for (i = 0; i < rows; i++) {
                    const int8_t *from = first + i * pitch + c;
                    for (j = 0; j < columns; j++) {
                        sum += *from;
                        from += channels;
                    }
                }
                sum = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
                *output++ = mote_pool_clamp(op, sum);
            }
        }
    }
}

#endif
