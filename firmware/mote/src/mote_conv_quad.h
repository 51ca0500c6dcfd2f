/*
 * Weighted int8 layers for cores whose only multiplication is 32 x 32 -> 32 bits (Cortex-M0, M0+). Weights are arranged
 * by src/emit/weight-layout-quad.ts: one word W per tap holds four output channels, from the low byte w0 + 128,
 * w1 + 128, w2 + 128, w3. Nothing is unpacked: with S_i = sum of x (W >> 8 i), shifts arithmetic, the sum of channel i is
 * S_i - 256 S_(i+1) - 128 sum(x), and that of channel 3 is S_3, all modulo 2^32.
 *
 * Every function in assembly has a portable twin that reads the same layout and gives the same bytes.
 * All layers: every shift at most -1; |bias| + 255 * sum |w| below 2^29; weights aligned to 4 bytes; scratch, 4-byte
 * aligned: convolution 4 * (taps rounded up to even, + 1) bytes; depthwise as in mote_conv_plain.h with channels rounded
 * up to a multiple of four. Fully connected layers: mote_dense_quad.h.
 */
#ifndef MOTE_CONV_QUAD_H
#define MOTE_CONV_QUAD_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_conv_plain.h"

/* What rescaling reads; the assembly knows the offsets. */
typedef struct {
    const int32_t *bias;
    const int32_t *multiplier;
    const int8_t *shift;
    int32_t step;   /* from one multiplier to the next, in bytes: 4, or 0 when all channels share one */
    int32_t offset; /* 2 * zero point of the output + 1 */
} mote_quad_scale;

#if defined(__ARM_ARCH_6M__)
/* A whole function in assembly: compilers spill registers in these loops. Callers must not look into it. */
#if defined(__clang__)
#define MOTE_QUAD_NAKED static __attribute__((naked, noinline, unused))
#else
#define MOTE_QUAD_NAKED static __attribute__((naked, noipa, unused))
#endif
#define MOTE_QUAD_REGISTER __attribute__((unused))

/* What a function begins and ends with: r4 to r11 are its caller's. */
#define MOTE_QUAD_ENTER              \
    ".syntax unified\n\t"            \
    "push {r4, r5, r6, r7, lr}\n\t"  \
    "mov r4, r8\n\t"                 \
    "mov r5, r9\n\t"                 \
    "mov r6, r10\n\t"                \
    "mov r7, r11\n\t"                \
    "push {r4, r5, r6, r7}\n\t"
#define MOTE_QUAD_LEAVE         \
    "pop {r4, r5, r6, r7}\n\t"  \
    "mov r8, r4\n\t"            \
    "mov r9, r5\n\t"            \
    "mov r10, r6\n\t"           \
    "mov r11, r7\n\t"           \
    "pop {r4, r5, r6, r7, pc}\n\t"

/* Sums of four channels are counted in r8..r11: sets them to zero by way of `low`, and takes them to r2..r5. */
#define MOTE_QUAD_CLEAR(low)  \
    "movs " low ", #0\n\t"    \
    "mov r8, " low "\n\t"     \
    "mov r9, " low "\n\t"     \
    "mov r10, " low "\n\t"    \
    "mov r11, " low "\n\t"
#define MOTE_QUAD_TAKE  \
    "mov r2, r8\n\t"    \
    "mov r3, r9\n\t"    \
    "mov r4, r10\n\t"   \
    "mov r5, r11\n\t"

/* Four products: word `w` (destroyed), input `x`. 11 cycles. */
#define MOTE_QUAD_TAP(w, x)         \
    "asrs r6, " w ", #8\n\t"        \
    "muls r6, " x ", r6\n\t"        \
    "add r9, r6\n\t"                \
    "asrs r6, " w ", #16\n\t"       \
    "muls r6, " x ", r6\n\t"        \
    "add r10, r6\n\t"               \
    "asrs r6, " w ", #24\n\t"       \
    "muls r6, " x ", r6\n\t"        \
    "add r11, r6\n\t"               \
    "muls " w ", " x ", " w "\n\t"  \
    "add r8, " w "\n\t"

/* From the S_i in r8..r11, with 128 times the sum of the inputs in r6, the sums in r2..r5. Destroys r0. */
#define MOTE_QUAD_SUMS     \
    MOTE_QUAD_TAKE         \
    "subs r2, r2, r6\n\t"  \
    "lsls r0, r3, #8\n\t"  \
    "subs r2, r2, r0\n\t"  \
    "subs r3, r3, r6\n\t"  \
    "lsls r0, r4, #8\n\t"  \
    "subs r3, r3, r0\n\t"  \
    "subs r4, r4, r6\n\t"  \
    "lsls r0, r5, #8\n\t"  \
    "subs r4, r4, r0\n\t"

#define MOTE_QUAD_TAPS2      \
    "ldm r1!, {r2, r3}\n\t"  \
    "ldm r0!, {r4, r5}\n\t"  \
    MOTE_QUAD_TAP("r2", "r4") MOTE_QUAD_TAP("r3", "r5")

/*
 * Sums of products of four channels after four, to sums..sums_end. x..x_end: the inputs, an even number, then 128 times
 * their sum. w: the channels' words one after another. 59 cycles for 16 products.
 */
MOTE_QUAD_NAKED void mote_quad_dot(MOTE_QUAD_REGISTER const int32_t *x, MOTE_QUAD_REGISTER const int32_t *w,
                                   MOTE_QUAD_REGISTER const int32_t *x_end, MOTE_QUAD_REGISTER int32_t *sums,
                                   MOTE_QUAD_REGISTER int32_t *sums_end) {
    __asm volatile(
        MOTE_QUAD_ENTER
        "ldr r4, [sp, #36]\n\t"
        "mov lr, r4\n\t"
        "mov r12, r2\n\t"
        "mov r7, r3\n\t"
        "sub sp, sp, #4\n\t"
        "str r0, [sp]\n\t"
        "1:\n\t"
        MOTE_QUAD_CLEAR("r4")
        "mov r4, r12\n\t"
        "subs r4, r4, r0\n\t"
        "lsls r4, r4, #28\n\t"
        "bne 3f\n\t"
        "2:\n\t" MOTE_QUAD_TAPS2
        "3:\n\t" MOTE_QUAD_TAPS2
        "cmp r0, r12\n\t"
        "bne 2b\n\t"
        "ldr r6, [r0]\n\t"
        MOTE_QUAD_SUMS
        "stm r7!, {r2, r3, r4, r5}\n\t"
        "ldr r0, [sp]\n\t"
        "cmp r7, lr\n\t"
        "bne 1b\n\t"
        "add sp, sp, #4\n\t"
        MOTE_QUAD_LEAVE);
}

/* Four channels, an input of each in r2 and a weight of each in r3, both destroyed with r4 and r5. */
#define MOTE_QUAD_BYTES4    \
    "sxtb r4, r2\n\t"       \
    "sxtb r5, r3\n\t"       \
    "muls r5, r4, r5\n\t"   \
    "add r8, r5\n\t"        \
    "asrs r4, r2, #24\n\t"  \
    "asrs r5, r3, #24\n\t"  \
    "muls r5, r4, r5\n\t"   \
    "add r11, r5\n\t"       \
    "rev16 r2, r2\n\t"      \
    "rev16 r3, r3\n\t"      \
    "sxtb r4, r2\n\t"       \
    "sxtb r5, r3\n\t"       \
    "muls r5, r4, r5\n\t"   \
    "add r9, r5\n\t"        \
    "asrs r2, r2, #24\n\t"  \
    "asrs r3, r3, #24\n\t"  \
    "muls r3, r2, r3\n\t"   \
    "add r10, r3\n\t"

/* One depthwise tap of four channels: 23 cycles. */
#define MOTE_QUAD_TAP_DEPTHWISE  \
    "ldr r2, [r0]\n\t"           \
    "ldm r1!, {r3}\n\t"          \
    "adds r0, r0, r6\n\t"        \
    MOTE_QUAD_BYTES4

/*
 * Channels of one depthwise pixel, four after four, to sums. rows: for each kernel row the place of its first pixel,
 * 4-byte aligned. shape = {bytes from there to the first tap of the first channel, bytes from tap to tap,
 * 2 * taps in a row * bytes from tap to tap + (1 if the taps in a row are odd), rows, channels}.
 */
MOTE_QUAD_NAKED void mote_quad_depthwise(MOTE_QUAD_REGISTER const int8_t *const *rows,
                                         MOTE_QUAD_REGISTER const int32_t *w,
                                         MOTE_QUAD_REGISTER const int32_t *shape,
                                         MOTE_QUAD_REGISTER int32_t *sums) {
    __asm volatile(
        MOTE_QUAD_ENTER
        "ldm r2!, {r4, r5, r6, r7}\n\t"
        "ldr r2, [r2]\n\t"
        "lsls r2, r2, #2\n\t"
        "adds r2, r2, r3\n\t"
        "lsls r7, r7, #2\n\t"
        "adds r7, r7, r0\n\t"
        "mov lr, r7\n\t"
        "push {r0, r2, r3, r4, r6}\n\t" /* rows, end of sums, sums, first tap, span */
        "movs r6, r5\n\t"
        "movs r7, r0\n\t"
        "1:\n\t"
        MOTE_QUAD_CLEAR("r4")
        "2:\n\t"
        "ldm r7!, {r0}\n\t"
        "ldr r4, [sp, #12]\n\t"
        "adds r0, r0, r4\n\t"
        "ldr r4, [sp, #16]\n\t"
        "lsrs r4, r4, #1\n\t"
        "add r4, r0\n\t"        /* leaves the carry: is the number of taps odd? */
        "mov r12, r4\n\t"
        "bcs 4f\n\t"
        "3:\n\t" MOTE_QUAD_TAP_DEPTHWISE
        "4:\n\t" MOTE_QUAD_TAP_DEPTHWISE
        "cmp r0, r12\n\t"
        "bne 3b\n\t"
        "cmp r7, lr\n\t"
        "bne 2b\n\t"
        "ldr r0, [sp, #8]\n\t"
        MOTE_QUAD_TAKE
        "stm r0!, {r2, r3, r4, r5}\n\t"
        "str r0, [sp, #8]\n\t"
        "ldr r2, [sp, #12]\n\t"
        "adds r2, r2, #4\n\t"
        "str r2, [sp, #12]\n\t"
        "ldr r7, [sp]\n\t"
        "ldr r2, [sp, #4]\n\t"
        "cmp r0, r2\n\t"
        "bne 1b\n\t"
        "add sp, sp, #20\n\t"
        MOTE_QUAD_LEAVE);
}

/* 4-byte aligned words, a multiple of 4 bytes and more than none. */
MOTE_QUAD_NAKED void mote_quad_copy(MOTE_QUAD_REGISTER const int8_t *from, MOTE_QUAD_REGISTER const int8_t *end,
                                    MOTE_QUAD_REGISTER int8_t *to) {
    __asm volatile(
        ".syntax unified\n\t"
        "push {r4, r5, r6, lr}\n\t"
        "subs r3, r1, r0\n\t"
        "lsrs r3, r3, #4\n\t"
        "beq 2f\n\t"
        "1:\n\t"
        "push {r3}\n\t"
        "ldm r0!, {r3, r4, r5, r6}\n\t"
        "stm r2!, {r3, r4, r5, r6}\n\t"
        "pop {r3}\n\t"
        "subs r3, r3, #1\n\t"
        "bne 1b\n\t"
        "2:\n\t"
        "cmp r0, r1\n\t"
        "beq 4f\n\t"
        "3:\n\t"
        "ldm r0!, {r3}\n\t"
        "stm r2!, {r3}\n\t"
        "cmp r0, r1\n\t"
        "bne 3b\n\t"
        "4:\n\t"
        "pop {r4, r5, r6, pc}\n\t");
}

/*
 * Rescales sums..end to output: high = (2 (sum + bias) multiplier + 2^31) >> 32 by four 16-bit products, rounded off by
 * the shift, ties away from zero. 51 cycles an output.
 */
MOTE_QUAD_NAKED void mote_quad_rescale(MOTE_QUAD_REGISTER const int32_t *sums, MOTE_QUAD_REGISTER int8_t *output,
                                       MOTE_QUAD_REGISTER const int32_t *end,
                                       MOTE_QUAD_REGISTER const mote_quad_scale *scale) {
    __asm volatile(
        MOTE_QUAD_ENTER
        "mov lr, r2\n\t"
        "ldm r3!, {r4, r5, r6, r7}\n\t"
        "ldr r3, [r3]\n\t"
        "mov r8, r4\n\t"
        "mov r9, r5\n\t"
        "mov r10, r6\n\t"
        "mov r11, r7\n\t"
        "lsrs r7, r7, #2\n\t"
        "mov r12, r7\n\t"
        "push {r3}\n\t"
        "1:\n\t"
        "ldm r0!, {r2}\n\t"
        "mov r3, r8\n\t"
        "ldm r3!, {r4}\n\t"
        "mov r8, r3\n\t"
        "adds r2, r2, r4\n\t"
        "mov r3, r9\n\t"
        "ldr r4, [r3]\n\t"
        "add r9, r11\n\t"
        "mov r3, r10\n\t"
        "movs r5, #0\n\t"
        "ldrsb r5, [r3, r5]\n\t"
        "add r10, r12\n\t"
        "mvns r5, r5\n\t"       /* -shift - 1 */
        "lsrs r6, r4, #16\n\t"
        "uxth r4, r4\n\t"
        "sxth r3, r2\n\t"
        "subs r2, r2, r3\n\t"
        "asrs r2, r2, #16\n\t"
        "movs r7, r2\n\t"
        "muls r7, r6, r7\n\t"   /* high * high */
        "muls r2, r4, r2\n\t"   /* high * low */
        "muls r6, r3, r6\n\t"   /* low * high */
        "muls r4, r3, r4\n\t"   /* low * low */
        "adds r2, r2, r6\n\t"
        "asrs r4, r4, #16\n\t"
        "adds r2, r2, r4\n\t"
#if defined(MOTE_SINGLE_ROUNDING)
        "asrs r2, r2, #15\n\t"
        "lsls r7, r7, #1\n\t"
        "adds r2, r2, r7\n\t"
#else
        "asrs r2, r2, #14\n\t"
        "adds r2, r2, #1\n\t"
        "asrs r2, r2, #1\n\t"
        "lsls r7, r7, #1\n\t"
        "adds r2, r2, r7\n\t"
        "asrs r3, r2, #31\n\t"
        "adds r2, r2, r3\n\t"
#endif
        "asrs r2, r2, r5\n\t"
        "ldr r3, [sp]\n\t"
        "adds r2, r2, r3\n\t"
        "asrs r2, r2, #1\n\t"
        "sxtb r3, r2\n\t"
        "cmp r3, r2\n\t"
        "bne 3f\n\t"
        "2:\n\t"
        "strb r2, [r1]\n\t"
        "adds r1, r1, #1\n\t"
        "cmp r0, lr\n\t"
        "bne 1b\n\t"
        "pop {r3, r4, r5, r6, r7}\n\t"
        "mov r8, r4\n\t"
        "mov r9, r5\n\t"
        "mov r10, r6\n\t"
        "mov r11, r7\n\t"
        "pop {r4, r5, r6, r7, pc}\n\t"
        "3:\n\t"                /* beyond int8: -128 or 127 */
        "asrs r2, r2, #31\n\t"
        "movs r3, #127\n\t"
        "eors r2, r2, r3\n\t"
        "b 2b\n\t");
}
#else
MOTE_FN void mote_quad_dot(const int32_t *x, const int32_t *w, const int32_t *x_end, int32_t *sums,
                           int32_t *sums_end) {
    for (; sums != sums_end; sums += 4) {
        const int32_t *from = x;
        int32_t s0 = 0;
        int32_t s1 = 0;
        int32_t s2 = 0;
        int32_t s3 = 0;
        for (; from != x_end; from++) {
            const uint32_t word = (uint32_t)*w++;
            s0 += *from * ((int32_t)(word & 0xffu) - 128);
            s1 += *from * ((int32_t)((word >> 8) & 0xffu) - 128);
            s2 += *from * ((int32_t)((word >> 16) & 0xffu) - 128);
            s3 += *from * ((int32_t)word >> 24);
        }
        sums[0] = s0;
        sums[1] = s1;
        sums[2] = s2;
        sums[3] = s3;
    }
}

MOTE_FN void mote_quad_depthwise(const int8_t *const *rows, const int32_t *w, const int32_t *shape, int32_t *sums) {
    const int32_t taps = (shape[2] >> 1) / shape[1];
    int32_t channel, ky, kx, i;
    for (channel = 0; channel < shape[4]; channel += 4) {
        for (i = 0; i < 4; i++) {
            sums[channel + i] = 0;
        }
        for (ky = 0; ky < shape[3]; ky++) {
            const int8_t *x = rows[ky] + shape[0] + channel;
            for (kx = 0; kx < taps; kx++) {
                const uint32_t word = (uint32_t)*w++;
                for (i = 0; i < 4; i++) {
                    sums[channel + i] += x[kx * shape[1] + i] * (int8_t)((word >> (8 * i)) & 0xffu);
                }
            }
        }
    }
}

MOTE_FN void mote_quad_copy(const int8_t *from, const int8_t *end, int8_t *to) {
    while (from != end) {
        *to++ = *from++;
    }
}

MOTE_FN void mote_quad_rescale(const int32_t *sums, int8_t *output, const int32_t *end, const mote_quad_scale *scale) {
    const int32_t step = scale->step / 4;
    int32_t i = 0;
    for (; sums != end; sums++) {
        const int32_t right = -(int32_t)scale->shift[i * step] - 1;
#if defined(MOTE_SINGLE_ROUNDING)
        int32_t value = mote_high_product(*sums + scale->bias[i], scale->multiplier[i * step]);
#else
        int32_t value = mote_srdhm(*sums + scale->bias[i], scale->multiplier[i * step]);
        value += value >> 31;
#endif
        value = ((value >> right) + scale->offset) >> 1;
        *output++ = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
        i++;
    }
}
#endif

/* Channels `channel`.. of the layer. */
MOTE_FN void mote_quad_scale_from(const mote_conv *op, int32_t channel, mote_quad_scale *scale) {
    const int32_t c = op->per_channel ? channel : 0;
    scale->bias = op->bias + channel;
    scale->multiplier = op->multiplier + c;
    scale->shift = op->shift + c;
    scale->step = op->per_channel ? 4 : 0;
    scale->offset = 2 * op->out_zero + 1;
}

/* Clamps `count` outputs, where an activation asks for more than the range of int8. */
MOTE_FN void mote_quad_clamp(const mote_conv *op, int8_t *output, int32_t count) {
    int32_t i;
    if (op->act_min == -128 && op->act_max == 127) {
        return;
    }
    for (i = 0; i < count; i++) {
        if (output[i] < op->act_min) {
            output[i] = (int8_t)op->act_min;
        }
        if (output[i] > op->act_max) {
            output[i] = (int8_t)op->act_max;
        }
    }
}

/* Appends inputs to a patch and gives their sum. */
MOTE_FN int32_t mote_quad_widen(const int8_t *from, int32_t count, int32_t *to) {
    const int8_t *end = from + count;
    int32_t sum = 0;
    while (from != end) {
        const int32_t value = *from++;
        *to++ = value;
        sum += value;
    }
    return sum;
}

MOTE_FN int32_t mote_quad_widen_value(int32_t value, int32_t count, int32_t *to) {
    int32_t i;
    for (i = 0; i < count; i++) {
        to[i] = value;
    }
    return value * count;
}

/* The inputs under the kernel at output (y, x), one to a word; gives their sum. */
MOTE_FN int32_t mote_quad_gather(const mote_conv *op, const int8_t *input, int32_t y, int32_t x, int32_t *patch) {
    const int32_t left = x * op->stride_w - op->pad_left;
    const int32_t run = op->kernel_w * op->in_c;
    int32_t row = y * op->stride_h - op->pad_top;
    int32_t sum = 0;
    int32_t ky, kx;
    for (ky = 0; ky < op->kernel_h; ky++, row += op->dilation_h, patch += run) {
        if (row < 0 || row >= op->in_h) {
            sum += mote_quad_widen_value(op->in_zero, run, patch);
        } else if (op->dilation_w == 1) {
            const int32_t beyond = left + op->kernel_w - op->in_w;
            const int32_t before = left >= 0 ? 0 : -left * op->in_c;
            const int32_t inside = run - before - (beyond > 0 ? beyond * op->in_c : 0);
            if (inside <= 0) {
                sum += mote_quad_widen_value(op->in_zero, run, patch);
                continue;
            }
            if (inside < run) {
                sum += mote_quad_widen_value(op->in_zero, before, patch);
                sum += mote_quad_widen_value(op->in_zero, run - before - inside, patch + before + inside);
            }
            sum += mote_quad_widen(input + (row * op->in_w + left) * op->in_c + before, inside, patch + before);
        } else {
            for (kx = 0; kx < op->kernel_w; kx++) {
                const int32_t column = left + kx * op->dilation_w;
                int32_t *to = patch + kx * op->in_c;
                if (column < 0 || column >= op->in_w) {
                    sum += mote_quad_widen_value(op->in_zero, op->in_c, to);
                } else {
                    sum += mote_quad_widen(input + (row * op->in_w + column) * op->in_c, op->in_c, to);
                }
            }
        }
    }
    return sum;
}

/* Channels that go through mote_quad_matmul together; a multiple of four. */
#define MOTE_QUAD_BLOCK 32

/* All output channels of one pixel. patch: k inputs, whose sum is `total`, and room for two more words. */
MOTE_FN void mote_quad_matmul(const mote_conv *op, int32_t *patch, int32_t k, int32_t total, int8_t *output) {
    const int32_t words = k + (k & 1);
    const int32_t *w = (const int32_t *)op->weights;
    int32_t sums[MOTE_QUAD_BLOCK];
    mote_quad_scale scale;
    int32_t channel;
    patch[k] = 0; /* the weights of a tap beyond the last are zero */
    patch[words] = total * 128;
    for (channel = 0; channel < op->out_c; channel += MOTE_QUAD_BLOCK) {
        const int32_t left = op->out_c - channel;
        const int32_t count = left < MOTE_QUAD_BLOCK ? left : MOTE_QUAD_BLOCK;
        mote_quad_dot(patch, w, patch + words, sums, sums + ((count + 3) & ~3));
        mote_quad_scale_from(op, channel, &scale);
        mote_quad_rescale(sums, output + channel, sums + count, &scale);
        w += MOTE_QUAD_BLOCK / 4 * words;
    }
    mote_quad_clamp(op, output, op->out_c);
}

/*
 * Convolution, one group. A 1 x 1 convolution with no more output than input channels may write over its input: each
 * pixel is copied first.
 */
MOTE_FN void mote_conv2d_quad(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t k = op->kernel_h * op->kernel_w * op->in_c;
    const int32_t pointwise = mote_is_pointwise(op);
    int32_t *patch = (int32_t *)scratch;
    int32_t y, x, total;
    for (y = 0; y < op->out_h; y++) {
        for (x = 0; x < op->out_w; x++) {
            if (pointwise) {
                total = mote_quad_widen(input, k, patch);
                input += k;
            } else {
                total = mote_quad_gather(op, input, y, x, patch);
            }
            mote_quad_matmul(op, patch, k, total, output);
            output += op->out_c;
        }
    }
}

/* Bytes of a pixel in the depthwise ring: whole words. */
MOTE_FN int32_t mote_quad_pixel(const mote_conv *op) { return (op->in_c + 3) & ~3; }

/* As mote_ring_load, in whole words for a pixel; faster where the input is 4-byte aligned and needs no more for a pixel. */
MOTE_FN void mote_quad_ring_load(const mote_conv *op, const int8_t *input, int32_t row, int8_t *to) {
    const int32_t width = mote_ring_width(op);
    const int32_t pixel = mote_quad_pixel(op);
    int32_t copied = width - op->pad_left;
    if (copied > op->in_w) {
        copied = op->in_w;
    }
    if (row < 0 || row >= op->in_h || copied < 1) {
        mote_fill_bytes(op->in_zero, width * pixel, to);
        return;
    }
    mote_fill_bytes(op->in_zero, op->pad_left * pixel, to);
    to += op->pad_left * pixel;
    input += row * op->in_w * op->in_c;
    if (pixel != op->in_c) {
        int32_t i;
        for (i = 0; i < copied; i++) {
            mote_copy_bytes(input + i * op->in_c, op->in_c, to + i * pixel);
            mote_fill_bytes(0, pixel - op->in_c, to + i * pixel + op->in_c);
        }
    } else if (((uintptr_t)input & 3u) == 0) {
        mote_quad_copy(input, input + copied * pixel, to);
    } else {
        mote_copy_bytes(input, copied * pixel, to);
    }
    mote_fill_bytes(op->in_zero, (width - op->pad_left - copied) * pixel, to + copied * pixel);
}

/* Tallest kernel of the depthwise layer below. */
#define MOTE_QUAD_MAX_ROWS 16

/*
 * Depthwise convolution, kernels at most MOTE_QUAD_MAX_ROWS high, one output channel per input channel. In place as
 * mote_depthwise.
 */
MOTE_FN void mote_depthwise_quad(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t slots = (op->kernel_h - 1) * op->dilation_h + 1;
    const int32_t pixel = mote_quad_pixel(op);
    const int32_t pitch = mote_ring_width(op) * pixel;
    const int32_t taps = op->kernel_h * op->kernel_w;
    const int8_t *rows[MOTE_QUAD_MAX_ROWS];
    int8_t *ring = (int8_t *)scratch;
    int32_t sums[MOTE_QUAD_BLOCK];
    mote_quad_scale scale;
    int32_t shape[5];
    int32_t loaded = 0;
    int32_t y, x, channel, ky;
    shape[1] = op->dilation_w * pixel;
    shape[2] = 2 * op->kernel_w * shape[1] + (op->kernel_w & 1);
    shape[3] = op->kernel_h;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = y * op->stride_h;
        if (loaded < top) {
            loaded = top;
        }
        for (; loaded < top + slots; loaded++) {
            mote_quad_ring_load(op, input, loaded - op->pad_top, ring + loaded % slots * pitch);
        }
        for (ky = 0; ky < op->kernel_h; ky++) {
            rows[ky] = ring + (top + ky * op->dilation_h) % slots * pitch;
        }
        for (x = 0; x < op->out_w; x++) {
            const int32_t *w = (const int32_t *)op->weights;
            for (channel = 0; channel < op->out_c; channel += MOTE_QUAD_BLOCK) {
                const int32_t left = op->out_c - channel;
                const int32_t count = left < MOTE_QUAD_BLOCK ? left : MOTE_QUAD_BLOCK;
                shape[0] = x * op->stride_w * pixel + channel;
                shape[4] = (count + 3) & ~3;
                mote_quad_depthwise(rows, w, shape, sums);
                w += MOTE_QUAD_BLOCK / 4 * taps;
                mote_quad_scale_from(op, channel, &scale);
                mote_quad_rescale(sums, output + channel, sums + count, &scale);
            }
            mote_quad_clamp(op, output, op->out_c);
            output += op->out_c;
        }
    }
}

#endif
