/*
 * Layers with int8 weights on int16 activations, as TensorFlow Lite's 16x8 reference kernels: convolution, depthwise
 * convolution, fully connected. Weights as TensorFlow lays them out; zero points are 0.
 *
 * Sums have 64 bits and are rescaled once by 16 bits of the multiplier, or (`narrow`) 32 bits and are rescaled as in int8
 * networks. Scratch, in int16: convolution kernel_h * kernel_w * in_c (none for 1 x 1 with stride 1 and no padding);
 * depthwise ((kernel_h - 1) * dilation_h + 1) rows of ((out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1) * in_c.
 */
#ifndef MOTE_CONV16_H
#define MOTE_CONV16_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"
#include "mote_requantize.h"

/* Parameters of one layer, constant. A fully connected layer is a 1 x 1 convolution over its rows (out_w = rows). */
typedef struct {
  int32_t in_h, in_w, in_c;
  int32_t out_h, out_w, out_c;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t act_min, act_max;
  int32_t per_channel;       /* 1: multiplier and shift have out_c elements, 0: one */
  int32_t narrow;            /* 1: sums of 32 bits, 0: of 64 bits */
  const int8_t *weights;
  const int32_t *bias;       /* out_c */
  const int32_t *bias_high;  /* upper words of biases that do not fit 32 bits, or 0: `bias` is all */
  const int32_t *multiplier; /* narrow: 0 or 2^30..2^31-1, else 0..32767 */
  const int8_t *shift;       /* narrow: -31..30, else -31..7 */
} mote_conv16;

/* Parameters in flash, where code can read them: on AVR a copy, elsewhere they themselves. */
MOTE_FN const mote_conv16 *mote_load_conv16(const mote_conv16 *at, mote_conv16 *copy) {
#if defined(__AVR__)
    memcpy_P(copy, at, sizeof *copy);
    return copy;
#else
    (void)copy;
    return at;
#endif
}

MOTE_FN int16_t mote_clamp_int16(int32_t value, int32_t act_min, int32_t act_max) {
    if (value < act_min) {
        value = act_min;
    }
    if (value > act_max) {
        value = act_max;
    }
    return (int16_t)value;
}

/* From a sum of products, without its bias, to an activation of output channel `channel`. */
MOTE_FN int16_t mote_requantize16(const mote_conv16 *op, int64_t sum, int32_t channel) {
    const int32_t c = op->per_channel ? channel : 0;
    const int32_t multiplier = MOTE_FLASH_I32(op->multiplier + c);
    const int32_t shift = MOTE_FLASH_I8(op->shift + c);
    const int32_t low = MOTE_FLASH_I32(op->bias + channel);
    int32_t value;
    if (op->bias_high) {
        sum += (int64_t)MOTE_FLASH_I32(op->bias_high + channel) * ((int64_t)1 << 32) + (int64_t)(uint32_t)low;
    } else {
        sum += low;
    }
    if (op->narrow) {
        value = mote_mbqm((int32_t)sum, multiplier, shift);
    } else {
        value = (int32_t)((sum * multiplier + ((int64_t)1 << (14 - shift))) >> (15 - shift));
    }
    return mote_clamp_int16(value, op->act_min, op->act_max);
}

/* Products whose sum fits 32 bits: 512 * 127 * 32768 < 2^31. */
#define MOTE_PRODUCTS16 512

/* All output channels of one pixel; x holds the k inputs. Four channels at a time share every load of an input. */
MOTE_FN void mote_matmul16(const mote_conv16 *op, const int16_t *x, int32_t k, int16_t *output) {
    const int8_t *w = op->weights;
    const int32_t rest = op->out_c % 4;
    int32_t channel, from, i, j;
    for (channel = 0; channel < op->out_c - rest; channel += 4) {
        int64_t t0 = 0;
        int64_t t1 = 0;
        int64_t t2 = 0;
        int64_t t3 = 0;
        for (from = 0; from < k; from += MOTE_PRODUCTS16) {
            const int32_t end = k - from < MOTE_PRODUCTS16 ? k : from + MOTE_PRODUCTS16;
            const int8_t *w1 = w + k;
            const int8_t *w2 = w1 + k;
            const int8_t *w3 = w2 + k;
            int32_t s0 = 0;
            int32_t s1 = 0;
            int32_t s2 = 0;
            int32_t s3 = 0;
            for (i = from; i < end; i++) {
                const int32_t value = x[i];
                s0 += value * MOTE_FLASH_I8(w + i);
                s1 += value * MOTE_FLASH_I8(w1 + i);
                s2 += value * MOTE_FLASH_I8(w2 + i);
                s3 += value * MOTE_FLASH_I8(w3 + i);
            }
            t0 += s0;
            t1 += s1;
            t2 += s2;
            t3 += s3;
        }
        output[channel] = mote_requantize16(op, t0, channel);
        output[channel + 1] = mote_requantize16(op, t1, channel + 1);
        output[channel + 2] = mote_requantize16(op, t2, channel + 2);
        output[channel + 3] = mote_requantize16(op, t3, channel + 3);
        w += 4 * k;
    }
    /* Counted by themselves: GCC warns of a loop from `channel` on, which it fears might never end. */
    for (j = 0; j < rest; j++) {
        int64_t total = 0;
        for (from = 0; from < k; from += MOTE_PRODUCTS16) {
            const int32_t end = k - from < MOTE_PRODUCTS16 ? k : from + MOTE_PRODUCTS16;
            int32_t sum = 0;
            for (i = from; i < end; i++) {
                sum += (int32_t)x[i] * MOTE_FLASH_I8(w + i);
            }
            total += sum;
        }
        output[channel] = mote_requantize16(op, total, channel);
        channel++;
        w += k;
    }
}

MOTE_FN void mote_copy16(const int16_t *from, int32_t count, int16_t *to) {
    for (; count > 0; count--) {
        *to++ = *from++;
    }
}

MOTE_FN void mote_clear16(int32_t count, int16_t *to) {
    for (; count > 0; count--) {
        *to++ = 0;
    }
}

/* The inputs under the kernel at output (y, x), kernel row by kernel row; padding is 0. */
MOTE_FN void mote_gather_patch16(const mote_conv16 *op, const int16_t *input, int32_t y, int32_t x, int16_t *patch) {
    const int32_t left = x * op->stride_w - op->pad_left;
    int32_t ky, kx;
    for (ky = 0; ky < op->kernel_h; ky++) {
        const int32_t row = y * op->stride_h - op->pad_top + ky * op->dilation_h;
        for (kx = 0; kx < op->kernel_w; kx++) {
            const int32_t column = left + kx * op->dilation_w;
            if (row < 0 || row >= op->in_h || column < 0 || column >= op->in_w) {
                mote_clear16(op->in_c, patch);
            } else {
                mote_copy16(input + (row * op->in_w + column) * op->in_c, op->in_c, patch);
            }
            patch += op->in_c;
        }
    }
}

/* Convolution, one group. How far the output may lie over the input: src/emit/overlap.ts. */
MOTE_FN void mote_conv2d16(const mote_conv16 *op, const int16_t *input, int16_t *output, int16_t *scratch) {
    const int32_t k = op->kernel_h * op->kernel_w * op->in_c;
    int32_t y, x;
    for (y = 0; y < op->out_h; y++) {
        for (x = 0; x < op->out_w; x++) {
            mote_gather_patch16(op, input, y, x, scratch);
            mote_matmul16(op, scratch, k, output);
            output += op->out_c;
        }
    }
}

/* `count` rows of in_c inputs: 1 x 1 convolutions with stride 1, and fully connected layers. */
MOTE_FN void mote_rows16(const mote_conv16 *op, int32_t count, const int16_t *input, int16_t *output) {
    for (; count > 0; count--) {
        mote_matmul16(op, input, op->in_c, output);
        input += op->in_c;
        output += op->out_c;
    }
}

/* Convolution whose channels fall into groups. */
MOTE_FN void mote_conv2d_grouped16(const mote_conv16 *op, int32_t groups, const int16_t *input, int16_t *output) {
    const int32_t in_c = op->in_c / groups;
    const int32_t out_c = op->out_c / groups;
    int32_t y, x, channel, ky, kx, i;
    for (y = 0; y < op->out_h; y++) {
        for (x = 0; x < op->out_w; x++) {
            const int8_t *w = op->weights;
            for (channel = 0; channel < op->out_c; channel++) {
                const int32_t first = channel / out_c * in_c;
                int64_t sum = 0;
                for (ky = 0; ky < op->kernel_h; ky++) {
                    const int32_t row = y * op->stride_h - op->pad_top + ky * op->dilation_h;
                    for (kx = 0; kx < op->kernel_w; kx++) {
                        const int32_t column = x * op->stride_w - op->pad_left + kx * op->dilation_w;
                        if (row >= 0 && row < op->in_h && column >= 0 && column < op->in_w) {
                            const int16_t *from = input + (row * op->in_w + column) * op->in_c + first;
                            for (i = 0; i < in_c; i++) {
                                sum += (int32_t)from[i] * MOTE_FLASH_I8(w + i);
                            }
                        }
                        w += in_c;
                    }
                }
                *output++ = mote_requantize16(op, sum, channel);
            }
        }
    }
}

/* Pixels of a padded row of the depthwise ring. */
MOTE_FN int32_t mote_ring_width16(const mote_conv16 *op) {
    return (op->out_w - 1) * op->stride_w + (op->kernel_w - 1) * op->dilation_w + 1;
}

/* Input row `row` (or padding, when there is none) with its padding left and right. */
MOTE_FN void mote_ring_load16(const mote_conv16 *op, const int16_t *input, int32_t row, int16_t *to) {
    const int32_t width = mote_ring_width16(op);
    int32_t copied = width - op->pad_left;
    if (row < 0 || row >= op->in_h) {
        mote_clear16(width * op->in_c, to);
        return;
    }
    if (copied > op->in_w) {
        copied = op->in_w;
    }
    mote_clear16(op->pad_left * op->in_c, to);
    to += op->pad_left * op->in_c;
    mote_copy16(input + row * op->in_w * op->in_c, copied * op->in_c, to);
    mote_clear16((width - op->pad_left - copied) * op->in_c, to + copied * op->in_c);
}

/*
 * Depthwise convolution, kernels at most MOTE_PRODUCTS16 wide. Rows of the input are copied into a ring before they are used: the output may lie over the
 * input as long as no row is written over one that has not been copied yet.
 */
MOTE_FN void mote_depthwise16(const mote_conv16 *op, const int16_t *input, int16_t *output, int16_t *ring) {
    const int32_t slots = (op->kernel_h - 1) * op->dilation_h + 1;
    const int32_t pitch = mote_ring_width16(op) * op->in_c;
    const int32_t multiplier = op->out_c / op->in_c;
    const int32_t channels = op->out_c;
    const int32_t kernel_h = op->kernel_h;
    const int32_t kernel_w = op->kernel_w;
    const int32_t ring_values = slots * pitch;
    /* Without a second tap to step to, the dilation may be anything. */
    const int32_t row_step = op->kernel_h > 1 ? op->dilation_h * pitch : 0;
    const int32_t tap_step = op->kernel_w > 1 ? op->dilation_w * op->in_c : 0;
    int32_t loaded = 0; /* rows so far, padding above the input included */
    int32_t y, x, channel, m, ky, kx;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = y * op->stride_h;
        if (loaded < top) {
            loaded = top;
        }
        for (; loaded < top + slots; loaded++) {
            mote_ring_load16(op, input, loaded - op->pad_top, ring + loaded % slots * pitch);
        }
        for (x = 0; x < op->out_w; x++) {
            const int16_t *pixel = ring + x * op->stride_w * op->in_c;
            for (channel = 0; channel < channels; channel += multiplier) {
                for (m = 0; m < multiplier; m++) {
                    const int8_t *w = op->weights + channel + m;
                    int32_t row = top % slots * pitch;
                    int64_t sum = 0;
                    int32_t part = 0;
                    int32_t room = MOTE_PRODUCTS16;
                    for (ky = kernel_h; ky > 0; ky--) {
                        const int16_t *from = pixel + row;
                        room -= kernel_w;
                        if (room < 0) {
                            sum += part;
                            part = 0;
                            room = MOTE_PRODUCTS16 - kernel_w;
                        }
                        for (kx = kernel_w; kx > 0; kx--) {
                            part += (int32_t)*from * MOTE_FLASH_I8(w);
                            from += tap_step;
                            w += channels;
                        }
                        row += row_step;
                        if (row >= ring_values) {
                            row -= ring_values;
                        }
                    }
                    *output++ = mote_requantize16(op, sum + part, channel + m);
                }
                pixel++;
            }
        }
    }
}

#endif
