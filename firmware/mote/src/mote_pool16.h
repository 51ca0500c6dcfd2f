/* Pooling of int16 activations over [h][w][c] as in the TFLite reference kernels: padding does not count. */
#ifndef MOTE_POOL16_H
#define MOTE_POOL16_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv16.h"
#include "mote_pool.h"

/* Largest or average (rounded to the nearest, halves away from zero) of each window. */
MOTE_FN void mote_pool16(const mote_pool *op, int32_t average, const int16_t *input, int16_t *output) {
    const int32_t channels = op->channels;
    const int32_t pitch = op->in_w * channels;
    int32_t y, x, c, i, j, rows, columns;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = mote_pool_clip(y * op->stride_h - op->pad_top, op->kernel_h, op->in_h, &rows);
        for (x = 0; x < op->out_w; x++) {
            const int32_t left = mote_pool_clip(x * op->stride_w - op->pad_left, op->kernel_w, op->in_w, &columns);
            const int16_t *first = input + top * pitch + left * channels;
            const int32_t count = rows * columns;
            for (c = 0; c < channels; c++) {
                int32_t sum = 0;
                int32_t largest = -32768;
                for (i = 0; i < rows; i++) {
                    const int16_t *from = first + i * pitch + c;
                    for (j = 0; j < columns; j++) {
                        sum += *from;
                        if (*from > largest) {
                            largest = *from;
                        }
                        from += channels;
                    }
                }
                if (average) {
                    largest = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
                }
                *output++ = mote_clamp_int16(largest, op->act_min, op->act_max);
            }
        }
    }
}

#endif
