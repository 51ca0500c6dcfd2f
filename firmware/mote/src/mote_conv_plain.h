/*
 * Weighted int8 layers in portable C, weights as TensorFlow lays them out: OHWI for convolutions, [kernel_h][kernel_w][c]
 * for depthwise ones, [unit][input] for fully connected layers. The reference that all other kernels must equal.
 *
 * Scratch: convolution kernel_h * kernel_w * in_c bytes (none for 1 x 1 with stride 1 and no padding); depthwise
 * ((kernel_h - 1) * dilation_h + 1) rows of ((out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1) * in_c bytes.
 */
#ifndef MOTE_CONV_PLAIN_H
#define MOTE_CONV_PLAIN_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"
#include "mote_conv.h"
#include "mote_requantize.h"

/* From a sum of products to an activation of output channel `channel`. */
MOTE_FN int8_t mote_requantize(const mote_conv *op, int32_t sum, int32_t channel) {
    const int32_t c = op->per_channel ? channel : 0;
    int32_t value = mote_mbqm(sum, MOTE_FLASH_I32(op->multiplier + c), MOTE_FLASH_I8(op->shift + c)) + op->out_zero;
    if (value < op->act_min) {
        value = op->act_min;
    }
    if (value > op->act_max) {
        value = op->act_max;
    }
    return (int8_t)value;
}

MOTE_FN void mote_copy_bytes(const int8_t *from, int32_t count, int8_t *to) {
    mote_index left;
    for (left = (mote_index)count; left > 0; left--) {
        *to++ = *from++;
    }
}

MOTE_FN void mote_fill_bytes(int32_t value, int32_t count, int8_t *to) {
    mote_index left;
    for (left = (mote_index)count; left > 0; left--) {
        *to++ = (int8_t)value;
    }
}

#if defined(__AVR_HAVE_MUL__) && defined(__AVR_HAVE_LPMX__)
/*
 * Twice `pairs` products of inputs in RAM and weights in flash, 1..128 pairs: their sum fits 24 bits. 13.5 cycles each;
 * compilers take more than twice that, for 32-bit additions.
 */
MOTE_FN int32_t mote_avr_dot(const int8_t *x, const int8_t *w, uint8_t pairs) {
    int32_t sum = 0;
    int8_t a, b;
    __asm volatile(
        "1:\n"
        "ld %[a],X+\n"
        "lpm %[b],Z+\n"
        "muls %[a],%[b]\n"
        "add %A[sum],r0\n"
        "adc %B[sum],r1\n"
        "adc %C[sum],%[zero]\n"
        "sbrc r1,7\n"
        "dec %C[sum]\n"
        "ld %[a],X+\n"
        "lpm %[b],Z+\n"
        "muls %[a],%[b]\n"
        "add %A[sum],r0\n"
        "adc %B[sum],r1\n"
        "adc %C[sum],%[zero]\n"
        "sbrc r1,7\n"
        "dec %C[sum]\n"
        "dec %[pairs]\n"
        "brne 1b\n"
        "clr r1\n"
        "sbrc %C[sum],7\n"
        "com %D[sum]\n"
        : [sum] "+&r"(sum), [a] "=&d"(a), [b] "=&d"(b), [pairs] "+&r"(pairs), "+&x"(x), "+&z"(w)
        : [zero] "r"((uint8_t)0)
        : "r0", "memory");
    return sum;
}

/* All output channels of one pixel; x holds the k inputs. */
MOTE_FN void mote_matmul_plain(const mote_conv *op, const int8_t *x, int32_t k, int8_t *output) {
    const int8_t *w = (const int8_t *)op->weights;
    const mote_index channels = (mote_index)op->out_c;
    mote_index channel;
    for (channel = 0; channel < channels; channel++) {
        int32_t sum = MOTE_FLASH_I32(op->bias + channel);
        const int8_t *from = x;
        mote_index left = (mote_index)k;
        while (left > 1) {
            const uint8_t pairs = (uint8_t)(left > 255 ? 128 : left >> 1);
            sum += mote_avr_dot(from, w, pairs);
            from += 2 * pairs;
            w += 2 * pairs;
            left = (mote_index)(left - 2 * pairs);
        }
        if (left > 0) {
            sum += *from * MOTE_FLASH_I8(w);
            w++;
        }
        *output++ = mote_requantize(op, sum, channel);
    }
}
#elif defined(__wasm_simd128__) || (defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1))
/* Adds to four sums the products of k inputs and of four rows of weights; sixteen inputs at a time. */
#if defined(__wasm_simd128__)
#  include <wasm_simd128.h>
MOTE_FN v128_t mote_simd_add(v128_t sum, v128_t low, v128_t high, const int8_t *w) {
    const v128_t bytes = wasm_v128_load(w);
    sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(low, wasm_i16x8_extend_low_i8x16(bytes)));
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(high, wasm_i16x8_extend_high_i8x16(bytes)));
}

MOTE_FN int32_t mote_simd_total(v128_t sum) {
    return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2) +
           wasm_i32x4_extract_lane(sum, 3);
}

MOTE_FN void mote_simd_dot4(const int8_t *x, const int8_t *const *w, int32_t k, int32_t *sums) {
    v128_t s0 = wasm_i32x4_splat(0);
    v128_t s1 = s0;
    v128_t s2 = s0;
    v128_t s3 = s0;
    int32_t i, row;
    for (i = 0; i + 16 <= k; i += 16) {
        const v128_t bytes = wasm_v128_load(x + i);
        const v128_t low = wasm_i16x8_extend_low_i8x16(bytes);
        const v128_t high = wasm_i16x8_extend_high_i8x16(bytes);
        s0 = mote_simd_add(s0, low, high, w[0] + i);
        s1 = mote_simd_add(s1, low, high, w[1] + i);
        s2 = mote_simd_add(s2, low, high, w[2] + i);
        s3 = mote_simd_add(s3, low, high, w[3] + i);
    }
    sums[0] += mote_simd_total(s0);
    sums[1] += mote_simd_total(s1);
    sums[2] += mote_simd_total(s2);
    sums[3] += mote_simd_total(s3);
    for (; i < k; i++) {
        for (row = 0; row < 4; row++) {
            sums[row] += (int32_t)x[i] * w[row][i];
        }
    }
}
#else
#  include <arm_mve.h>
MOTE_FN void mote_simd_dot4(const int8_t *x, const int8_t *const *w, int32_t k, int32_t *sums) {
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];
    int32_t i;
    for (i = 0; i + 16 <= k; i += 16) {
        const int8x16_t bytes = vldrbq_s8(x + i);
        s0 = vmladavaq_s8(s0, bytes, vldrbq_s8(w[0] + i));
        s1 = vmladavaq_s8(s1, bytes, vldrbq_s8(w[1] + i));
        s2 = vmladavaq_s8(s2, bytes, vldrbq_s8(w[2] + i));
        s3 = vmladavaq_s8(s3, bytes, vldrbq_s8(w[3] + i));
    }
    if (i < k) {
        /* Lanes beyond the last input are not read, and zero. */
        const mve_pred16_t some = vctp8q((uint32_t)(k - i));
        const int8x16_t bytes = vldrbq_z_s8(x + i, some);
        s0 = vmladavaq_s8(s0, bytes, vldrbq_z_s8(w[0] + i, some));
        s1 = vmladavaq_s8(s1, bytes, vldrbq_z_s8(w[1] + i, some));
        s2 = vmladavaq_s8(s2, bytes, vldrbq_z_s8(w[2] + i, some));
        s3 = vmladavaq_s8(s3, bytes, vldrbq_z_s8(w[3] + i, some));
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}
#endif

/* All output channels of one pixel; x holds the k inputs. Of fewer than four that are left, the last one is repeated. */
MOTE_FN void mote_matmul_plain(const mote_conv *op, const int8_t *x, int32_t k, int8_t *output) {
    const int8_t *weights = (const int8_t *)op->weights;
    int32_t channel, row;
    for (channel = 0; channel < op->out_c; channel += 4) {
        const int32_t last = op->out_c - 1 - channel;
        const int8_t *w[4];
        int32_t sums[4];
        for (row = 0; row < 4; row++) {
            const int32_t own = channel + (row < last ? row : last);
            w[row] = weights + own * k;
            sums[row] = op->bias[own];
        }
        mote_simd_dot4(x, w, k, sums);
        for (row = 0; row < 4 && row <= last; row++) {
            output[channel + row] = mote_requantize(op, sums[row], channel + row);
        }
    }
}
#else
/* All output channels of one pixel; x holds the k inputs. Four channels at a time share every load of an input. */
MOTE_FN void mote_matmul_plain(const mote_conv *op, const int8_t *x, int32_t k, int8_t *output) {
    const int8_t *w = (const int8_t *)op->weights;
    const int32_t rest = op->out_c % 4;
    int32_t channel, i, j;
    for (channel = 0; channel < op->out_c - rest; channel += 4) {
        const int8_t *w1 = w + k;
        const int8_t *w2 = w1 + k;
        const int8_t *w3 = w2 + k;
        int32_t s0 = MOTE_FLASH_I32(op->bias + channel);
        int32_t s1 = MOTE_FLASH_I32(op->bias + channel + 1);
        int32_t s2 = MOTE_FLASH_I32(op->bias + channel + 2);
        int32_t s3 = MOTE_FLASH_I32(op->bias + channel + 3);
        for (i = 0; i < k; i++) {
            const int32_t value = x[i];
            s0 += value * MOTE_FLASH_I8(w + i);
            s1 += value * MOTE_FLASH_I8(w1 + i);
            s2 += value * MOTE_FLASH_I8(w2 + i);
            s3 += value * MOTE_FLASH_I8(w3 + i);
        }
        output[channel] = mote_requantize(op, s0, channel);
        output[channel + 1] = mote_requantize(op, s1, channel + 1);
        output[channel + 2] = mote_requantize(op, s2, channel + 2);
        output[channel + 3] = mote_requantize(op, s3, channel + 3);
        w = w3 + k;
    }
    /* Counted by themselves: GCC warns of a loop from `channel` on, which it fears might never end. */
    for (j = 0; j < rest; j++) {
        int32_t sum = MOTE_FLASH_I32(op->bias + channel);
        for (i = 0; i < k; i++) {
            sum += (int32_t)x[i] * MOTE_FLASH_I8(w + i);
        }
        output[channel] = mote_requantize(op, sum, channel);
        channel++;
        w += k;
    }
}
#endif

/* The inputs under the kernel at output (y, x), kernel row by kernel row; padding holds the input's zero point. */
MOTE_FN void mote_gather_patch(const mote_conv *op, const int8_t *input, int32_t y, int32_t x, int8_t *patch) {
    const int32_t left = x * op->stride_w - op->pad_left;
    int32_t ky, kx;
    for (ky = 0; ky < op->kernel_h; ky++) {
        const int32_t row = y * op->stride_h - op->pad_top + ky * op->dilation_h;
        if (row < 0 || row >= op->in_h) {
            mote_fill_bytes(op->in_zero, op->kernel_w * op->in_c, patch);
            patch += op->kernel_w * op->in_c;
        } else if (op->dilation_w == 1 && left >= 0 && left + op->kernel_w <= op->in_w) {
            mote_copy_bytes(input + (row * op->in_w + left) * op->in_c, op->kernel_w * op->in_c, patch);
            patch += op->kernel_w * op->in_c;
        } else {
            for (kx = 0; kx < op->kernel_w; kx++) {
                const int32_t column = left + kx * op->dilation_w;
                if (column < 0 || column >= op->in_w) {
                    mote_fill_bytes(op->in_zero, op->in_c, patch);
                } else {
                    mote_copy_bytes(input + (row * op->in_w + column) * op->in_c, op->in_c, patch);
                }
                patch += op->in_c;
            }
        }
    }
}

/* A convolution that needs no patches: every pixel by itself. */
MOTE_FN int mote_is_pointwise(const mote_conv *op) {
    return op->kernel_h == 1 && op->kernel_w == 1 && op->stride_h == 1 && op->stride_w == 1 && op->out_h == op->in_h &&
           op->out_w == op->in_w;
}

/* Convolution, one group. How far the output may lie over the input: src/emit/overlap.ts. */
MOTE_FN void mote_conv2d(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t k = op->kernel_h * op->kernel_w * op->in_c;
    int8_t *patch = (int8_t *)scratch;
    int32_t y, x;
    for (y = 0; y < op->out_h; y++) {
        for (x = 0; x < op->out_w; x++) {
            mote_gather_patch(op, input, y, x, patch);
            mote_matmul_plain(op, patch, k, output);
            output += op->out_c;
        }
    }
}

/* The same for 1 x 1 with stride 1: the pixels are their own patches. How far the output may lie over the input: src/emit/overlap.ts. */
MOTE_FN void mote_conv2d_pointwise(const mote_conv *op, const int8_t *input, int8_t *output) {
    int32_t at;
    for (at = op->out_h * op->out_w; at > 0; at--) {
        mote_matmul_plain(op, input, op->in_c, output);
        input += op->in_c;
        output += op->out_c;
    }
}

/* Convolution whose channels fall into groups. How far the output may lie over the input: src/emit/overlap.ts. */
MOTE_FN void mote_conv2d_grouped(const mote_conv *op, int32_t groups, const int8_t *input, int8_t *output) {
    const int32_t in_c = op->in_c / groups;
    const int32_t out_c = op->out_c / groups;
    int32_t y, x, channel, ky, kx, i;
    for (y = 0; y < op->out_h; y++) {
        for (x = 0; x < op->out_w; x++) {
            const int8_t *w = (const int8_t *)op->weights;
            for (channel = 0; channel < op->out_c; channel++) {
                const int32_t first = channel / out_c * in_c;
                int32_t sum = MOTE_FLASH_I32(op->bias + channel);
                for (ky = 0; ky < op->kernel_h; ky++) {
                    const int32_t row = y * op->stride_h - op->pad_top + ky * op->dilation_h;
                    for (kx = 0; kx < op->kernel_w; kx++) {
                        const int32_t column = x * op->stride_w - op->pad_left + kx * op->dilation_w;
                        const int inside = row >= 0 && row < op->in_h && column >= 0 && column < op->in_w;
                        for (i = 0; i < in_c; i++) {
                            const int8_t value =
                                inside ? input[(row * op->in_w + column) * op->in_c + first + i] : (int8_t)op->in_zero;
                            sum += value * MOTE_FLASH_I8(w + i);
                        }
                        w += in_c;
                    }
                }
                *output++ = mote_requantize(op, sum, channel);
            }
        }
    }
}

/* Pixels of a padded row of the depthwise ring. */
MOTE_FN int32_t mote_ring_width(const mote_conv *op) {
    return (op->out_w - 1) * op->stride_w + (op->kernel_w - 1) * op->dilation_w + 1;
}

/* Input row `row` (or padding, when there is none) with its padding left and right. */
MOTE_FN void mote_ring_load(const mote_conv *op, const int8_t *input, int32_t row, int8_t *to) {
    const int32_t width = mote_ring_width(op);
    int32_t copied = width - op->pad_left;
    if (row < 0 || row >= op->in_h) {
        mote_fill_bytes(op->in_zero, width * op->in_c, to);
        return;
    }
    if (copied > op->in_w) {
        copied = op->in_w;
    }
    mote_fill_bytes(op->in_zero, op->pad_left * op->in_c, to);
    to += op->pad_left * op->in_c;
    mote_copy_bytes(input + row * op->in_w * op->in_c, copied * op->in_c, to);
    mote_fill_bytes(op->in_zero, (width - op->pad_left - copied) * op->in_c, to + copied * op->in_c);
}

/*
 * Depthwise convolution. Rows of the input are copied into a ring before they are used: the output may lie over the
 * input as long as no row is written over one that has not been copied yet.
 */
MOTE_FN void mote_depthwise(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t slots = (op->kernel_h - 1) * op->dilation_h + 1;
    const int32_t pitch = mote_ring_width(op) * op->in_c;
    const mote_index multiplier = (mote_index)(op->out_c / op->in_c);
    const mote_index kernel_h = (mote_index)op->kernel_h;
    const mote_index kernel_w = (mote_index)op->kernel_w;
    int8_t *ring = (int8_t *)scratch;
    /* Without a second tap to step to, the dilation may be anything. */
    const mote_index row_step = (mote_index)(op->kernel_h > 1 ? op->dilation_h * pitch : 0);
    const mote_index tap_step = (mote_index)(op->kernel_w > 1 ? op->dilation_w * op->in_c : 0);
    const mote_index channels = (mote_index)op->out_c;
    const mote_index ring_bytes = (mote_index)(slots * pitch);
    int32_t loaded = 0; /* rows so far, padding above the input included */
    int32_t y, x;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = y * op->stride_h;
        const mote_index first = (mote_index)(top % slots * pitch);
        if (loaded < top) {
            loaded = top;
        }
        for (; loaded < top + slots; loaded++) {
            mote_ring_load(op, input, loaded - op->pad_top, ring + loaded % slots * pitch);
        }
        for (x = 0; x < op->out_w; x++) {
            const int8_t *pixel = ring + x * op->stride_w * op->in_c;
            mote_index out = 0;
            while (out < channels) {
                mote_index m;
                for (m = 0; m < multiplier; m++) {
                    const int8_t *w = (const int8_t *)op->weights + out;
                    int32_t sum = MOTE_FLASH_I32(op->bias + out);
                    mote_index row = first;
                    mote_index ky, kx;
                    for (ky = 0; ky < kernel_h; ky++) {
                        const int8_t *from = pixel + row;
                        for (kx = 0; kx < kernel_w; kx++) {
                            sum += *from * MOTE_FLASH_I8(w);
                            from += tap_step;
                            w += channels;
                        }
                        row = (mote_index)(row + row_step);
                        if (row >= ring_bytes) {
                            row = (mote_index)(row - ring_bytes);
                        }
                    }
                    *output++ = mote_requantize(op, sum, out);
                    out++;
                }
                pixel++;
            }
        }
    }
}

/* Fully connected: out_w rows of in_c inputs. How far the output may lie over the input: src/emit/overlap.ts. */
MOTE_FN void mote_fully_connected_rows(const mote_conv *op, const int8_t *input, int8_t *output) {
    int32_t row;
    for (row = 0; row < op->out_w; row++) {
        mote_matmul_plain(op, input, op->in_c, output);
        input += op->in_c;
        output += op->out_c;
    }
}

#endif
