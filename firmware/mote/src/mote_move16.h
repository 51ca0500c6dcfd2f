/* Ops that only move int16 values. Shapes have four dimensions, leading ones first. Outputs must not overlap inputs. */
#ifndef MOTE_MOVE16_H
#define MOTE_MOVE16_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"

/* `rows` blocks of `count` values: one input of a concatenation. */
MOTE_FN void mote_copy_blocks16(const int16_t *input, int32_t rows, int32_t count, int16_t *output,
                                int32_t output_stride) {
    int32_t row, i;
    for (row = 0; row < rows; row++) {
        for (i = 0; i < count; i++) {
            output[i] = *input++;
        }
        output += output_stride;
    }
}

/* output[i0][i1][i2][i3] = input[i0 * step[0] + ... + i3 * step[3]] over all indices below shape. */
MOTE_FN void mote_gather4_16(const int16_t *input, const int32_t *shape, const int32_t *step, int16_t *output) {
    int32_t a, b, c, d;
    for (a = 0; a < shape[0]; a++) {
        for (b = 0; b < shape[1]; b++) {
            for (c = 0; c < shape[2]; c++) {
                const int16_t *from = input + a * step[0] + b * step[1] + c * step[2];
                for (d = 0; d < shape[3]; d++) {
                    *output++ = *from;
                    from += step[3];
                }
            }
        }
    }
}

/* Writes the input into an output of `count` zeros; `step` as above, of the output. */
MOTE_FN void mote_pad16(const int16_t *input, const int32_t *shape, const int32_t *step, int32_t first, int32_t count,
                        int16_t *output) {
    int32_t a, b, c, d;
    for (a = 0; a < count; a++) {
        output[a] = 0;
    }
    for (a = 0; a < shape[0]; a++) {
        for (b = 0; b < shape[1]; b++) {
            for (c = 0; c < shape[2]; c++) {
                int16_t *to = output + first + a * step[0] + b * step[1] + c * step[2];
                for (d = 0; d < shape[3]; d++) {
                    *to = *input++;
                    to += step[3];
                }
            }
        }
    }
}

/* Nearest neighbour: rows[y] and columns[x] are the input's row and column of each output pixel. */
MOTE_FN void mote_resize_nearest16(const int16_t *input, int32_t in_w, int32_t channels, int32_t out_h, int32_t out_w,
                                   const int16_t *rows, const int16_t *columns, int16_t *output) {
    int32_t y, x, c;
    for (y = 0; y < out_h; y++) {
        for (x = 0; x < out_w; x++) {
            const int32_t pixel = (int32_t)MOTE_FLASH_I16(rows + y) * in_w + MOTE_FLASH_I16(columns + x);
            for (c = 0; c < channels; c++) {
                *output++ = input[pixel * channels + c];
            }
        }
    }
}

#endif
