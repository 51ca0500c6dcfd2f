/*
 * Weighted int8 layers on cores whose only multiplication is 32 x 32 -> 32 bits (Cortex-M0, M0+) over weights as
 * TensorFlow lays them out, as packs hold them: each output channel a row of k weights. Four channels at a time share
 * the inputs. Whole words are taken apart where rows are aligned, else inputs and weights are read byte by byte. What is
 * compiled into a header has its weights arranged instead (mote_conv_quad.h) and takes nothing apart.
 *
 * Every function in assembly has a portable twin that gives the same bytes.
 * All layers: every shift at most -1; |bias| + 256 * sum |w| below 2^29. Scratch and overlaps as in mote_conv_plain.h.
 */
#ifndef MOTE_ROWS_QUAD_H
#define MOTE_ROWS_QUAD_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_conv_plain.h"
#include "mote_conv_quad.h"

/* A function with buffers, or called from many places: not inlined, so that stack and code are needed once. */
#define MOTE_ROWS_CALL static __attribute__((noinline, unused))

/* Most inputs of a pixel that are copied to where they are aligned. */
#define MOTE_ROWS_ALIGNED 128

/* What the inner functions work on; the assembly knows the offsets and counts in place. */
typedef struct {
  const int8_t *x;
  const int8_t *w; /* rows of the channels, one behind the other */
  int32_t k;       /* not zero */
  int32_t *sums;
  int32_t groups;  /* of four channels, at least one */
} mote_rows_block;

/* The same for one pixel of a depthwise layer. */
typedef struct {
  const int8_t *const *rows; /* for each kernel row the first tap of channel 0, 4-byte aligned */
  const int8_t *w;           /* first tap of the first channel, 4-byte aligned */
  int32_t kernel_h;
  int32_t span;              /* kernel_w * pitch */
  int32_t pitch;             /* channels: from tap to tap, of weights and of inputs */
  int32_t *sums;
  int32_t channel;           /* the first one */
  int32_t groups;            /* of four channels, at least one */
} mote_rows_taps;

#if defined(__ARM_ARCH_6M__)
/* One channel, four inputs in r3..r6: 16 cycles. r1 goes on by `step`. */
#define MOTE_ROWS_WORD(sum, step)    \
    "ldr r2, [r1]\n\t"           \
    "add r1, " step "\n\t"       \
    "sxtb r7, r2\n\t"            \
    "muls r7, r3, r7\n\t"        \
    "add " sum ", r7\n\t"        \
    "asrs r7, r2, #24\n\t"       \
    "muls r7, r6, r7\n\t"        \
    "add " sum ", r7\n\t"        \
    "rev16 r2, r2\n\t"           \
    "sxtb r7, r2\n\t"            \
    "muls r7, r4, r7\n\t"        \
    "add " sum ", r7\n\t"        \
    "asrs r2, r2, #24\n\t"       \
    "muls r2, r5, r2\n\t"        \
    "add " sum ", r2\n\t"

#define MOTE_ROWS_WORDS       \
    "ldm r0!, {r6}\n\t"   \
    "sxtb r3, r6\n\t"     \
    "rev16 r7, r6\n\t"    \
    "sxtb r4, r7\n\t"     \
    "asrs r5, r7, #24\n\t" \
    "asrs r6, r6, #24\n\t" \
    MOTE_ROWS_WORD("r8", "r12") MOTE_ROWS_WORD("r9", "r12") MOTE_ROWS_WORD("r10", "r12") MOTE_ROWS_WORD("r11", "lr")

/* Inputs and weights 4-byte aligned, k a multiple of four: 71 cycles for 16 products. */
MOTE_QUAD_NAKED void mote_rows_dot_words(MOTE_QUAD_REGISTER mote_rows_block *block) {
    __asm volatile(
        MOTE_QUAD_ENTER
        "sub sp, sp, #8\n\t"
        "str r0, [sp]\n\t"
        "ldr r2, [r0, #8]\n\t"
        "mov r12, r2\n\t"
        "lsls r3, r2, #1\n\t"
        "adds r3, r3, r2\n\t"
        "movs r4, #4\n\t"
        "subs r4, r4, r3\n\t"
        "mov lr, r4\n\t"        /* 4 - 3 k */
        "ldr r1, [r0, #4]\n\t"
        "ldr r3, [r0]\n\t"
        "adds r3, r3, r2\n\t"
        "str r3, [sp, #4]\n\t"  /* end of the inputs */
        "1:\n\t"
        "ldr r3, [sp]\n\t"
        "ldr r0, [r3]\n\t"
        MOTE_QUAD_CLEAR("r4")
        "mov r4, r12\n\t"
        "lsls r4, r4, #29\n\t"
        "bne 3f\n\t"
        "2:\n\t" MOTE_ROWS_WORDS
        "3:\n\t" MOTE_ROWS_WORDS
        "ldr r7, [sp, #4]\n\t"
        "cmp r0, r7\n\t"
        "beq 4f\n\t"
        "b 2b\n\t"            /* too far for a conditional branch */
        "4:\n\t"
        /* r1 is at the end of the first row of the group. */
        "mov r2, r12\n\t"
        "add r1, r2\n\t"
        "add r1, r2\n\t"
        "add r1, r2\n\t"
        "ldr r7, [sp]\n\t"
        "ldr r0, [r7, #12]\n\t"
        MOTE_QUAD_TAKE
        "stm r0!, {r2, r3, r4, r5}\n\t"
        "str r0, [r7, #12]\n\t"
        "ldr r0, [r7, #16]\n\t"
        "subs r0, r0, #1\n\t"
        "str r0, [r7, #16]\n\t"
        "beq 5f\n\t"
        "b 1b\n\t"
        "5:\n\t"
        "add sp, sp, #8\n\t"
        MOTE_QUAD_LEAVE);
}

/* One channel, one input in r1: 4 cycles. */
#define MOTE_ROWS_BYTE(row, sum)             \
    "ldrsb r7, [" row ", r2]\n\t"        \
    "muls r7, r1, r7\n\t"                \
    "add " sum ", r7\n\t"

/* Inputs and weights anywhere: 21 cycles for four products. */
MOTE_QUAD_NAKED void mote_rows_dot_bytes(MOTE_QUAD_REGISTER mote_rows_block *block) {
    __asm volatile(
        MOTE_QUAD_ENTER
        "mov lr, r0\n\t"
        "ldr r2, [r0, #8]\n\t"
        "mov r12, r2\n\t"
        "ldr r6, [r0, #4]\n\t"
        "ldr r0, [r0]\n\t"
        "adds r0, r0, r2\n\t"  /* end of the inputs; the index runs from -k to 0 */
        "1:\n\t"
        "mov r2, r12\n\t"
        "adds r3, r6, r2\n\t"  /* ends of the rows */
        "adds r4, r3, r2\n\t"
        "adds r5, r4, r2\n\t"
        "adds r6, r5, r2\n\t"
        "rsbs r2, r2, #0\n\t"
        MOTE_QUAD_CLEAR("r7")
        "2:\n\t"
        "ldrsb r1, [r0, r2]\n\t"
        MOTE_ROWS_BYTE("r3", "r8") MOTE_ROWS_BYTE("r4", "r9") MOTE_ROWS_BYTE("r5", "r10") MOTE_ROWS_BYTE("r6", "r11")
        "adds r2, r2, #1\n\t"
        "bne 2b\n\t"
        "mov r7, lr\n\t"
        "ldr r1, [r7, #12]\n\t"
        MOTE_QUAD_TAKE
        "stm r1!, {r2, r3, r4, r5}\n\t"
        "str r1, [r7, #12]\n\t"
        "ldr r1, [r7, #16]\n\t"
        "subs r1, r1, #1\n\t"
        "str r1, [r7, #16]\n\t"
        "bne 1b\n\t"
        MOTE_QUAD_LEAVE);
}

/* Four channels after four of one depthwise pixel: 27 cycles for four products. */
MOTE_QUAD_NAKED void mote_rows_depthwise(MOTE_QUAD_REGISTER mote_rows_taps *block) {
    __asm volatile(
        MOTE_QUAD_ENTER
        "sub sp, sp, #8\n\t"
        "str r0, [sp]\n\t"
        "1:\n\t"
        "ldr r0, [sp]\n\t"
        "ldr r7, [r0]\n\t"
        "ldr r1, [r0, #4]\n\t"
        "ldr r2, [r0, #8]\n\t"
        "lsls r2, r2, #2\n\t"
        "adds r2, r2, r7\n\t"
        "mov lr, r2\n\t"
        "ldr r6, [r0, #16]\n\t"
        MOTE_QUAD_CLEAR("r4")
        "2:\n\t"
        "ldr r3, [sp]\n\t"
        "ldm r7!, {r0}\n\t"
        "ldr r4, [r3, #24]\n\t"
        "adds r0, r0, r4\n\t"
        "ldr r4, [r3, #12]\n\t"
        "adds r4, r4, r0\n\t"
        "mov r12, r4\n\t"
        "3:\n\t"
        "ldr r2, [r0]\n\t"
        "ldr r3, [r1]\n\t"
        "adds r0, r0, r6\n\t"
        "adds r1, r1, r6\n\t"
        MOTE_QUAD_BYTES4
        "cmp r0, r12\n\t"
        "bne 3b\n\t"
        "cmp r7, lr\n\t"
        "bne 2b\n\t"
        "ldr r0, [sp]\n\t"
        "ldr r1, [r0, #20]\n\t"
        MOTE_QUAD_TAKE
        "stm r1!, {r2, r3, r4, r5}\n\t"
        "str r1, [r0, #20]\n\t"
        "ldr r1, [r0, #4]\n\t"
        "adds r1, r1, #4\n\t"
        "str r1, [r0, #4]\n\t"
        "ldr r1, [r0, #24]\n\t"
        "adds r1, r1, #4\n\t"
        "str r1, [r0, #24]\n\t"
        "ldr r1, [r0, #28]\n\t"
        "subs r1, r1, #1\n\t"
        "str r1, [r0, #28]\n\t"
        "bne 1b\n\t"
        "add sp, sp, #8\n\t"
        MOTE_QUAD_LEAVE);
}
#else
MOTE_FN void mote_rows_dot_bytes(mote_rows_block *block) {
    int32_t channel, i;
    for (channel = 0; channel < 4 * block->groups; channel++) {
        int32_t sum = 0;
        for (i = 0; i < block->k; i++) {
            sum += block->x[i] * block->w[i];
        }
        block->sums[channel] = sum;
        block->w += block->k;
    }
}

MOTE_FN void mote_rows_dot_words(mote_rows_block *block) { mote_rows_dot_bytes(block); }

MOTE_FN void mote_rows_depthwise(mote_rows_taps *block) {
    int32_t i, ky, at;
    for (i = 0; i < 4 * block->groups; i++) {
        const int8_t *w = block->w + i;
        int32_t sum = 0;
        for (ky = 0; ky < block->kernel_h; ky++) {
            for (at = 0; at < block->span; at += block->pitch) {
                sum += block->rows[ky][block->channel + i + at] * *w;
                w += block->pitch;
            }
        }
        block->sums[i] = sum;
    }
}
#endif

MOTE_FN int mote_rows_aligned(const void *p) { return ((uintptr_t)p & 3u) == 0; }

MOTE_FN void mote_rows_dots(mote_rows_block *block, int words) {
    if (words) {
        mote_rows_dot_words(block);
    } else {
        mote_rows_dot_bytes(block);
    }
}

/* All output channels of one pixel; x holds the k inputs. */
MOTE_ROWS_CALL void mote_rows_matmul(const mote_conv *op, const int8_t *x, int32_t k, int8_t *output) {
    const int8_t *weights = (const int8_t *)op->weights;
    const int words = k % 4 == 0 && mote_rows_aligned(x) && mote_rows_aligned(weights);
    int32_t sums[MOTE_QUAD_BLOCK];
    mote_quad_scale scale;
    int32_t channel, i;
    for (channel = 0; channel < op->out_c; channel += MOTE_QUAD_BLOCK) {
        const int32_t left = op->out_c - channel;
        const int32_t count = left < MOTE_QUAD_BLOCK ? left : MOTE_QUAD_BLOCK;
        mote_rows_block block;
        block.x = x;
        block.w = weights + channel * k;
        block.k = k;
        block.sums = sums;
        block.groups = count / 4;
        if (block.groups == 0) {
            const int8_t *w = block.w;
            for (; block.sums != sums + count; block.sums++) {
                int32_t sum = 0;
                for (i = 0; i < k; i++) {
                    sum += x[i] * *w++;
                }
                *block.sums = sum;
            }
        } else {
            mote_rows_dots(&block, words);
            if (count % 4 != 0) {
                /* The last few once more, together with channels before them. */
                block.w = weights + (channel + count - 4) * k;
                block.sums = sums + count - 4;
                block.groups = 1;
                mote_rows_dots(&block, words);
            }
        }
        mote_quad_scale_from(op, channel, &scale);
        mote_quad_rescale(sums, output + channel, sums + count, &scale);
    }
    mote_quad_clamp(op, output, op->out_c);
}

/* Fully connected, and 1 x 1 with stride 1: `rows` pixels that are their own patches. */
MOTE_ROWS_CALL void mote_rows_pointwise(const mote_conv *op, int32_t rows, const int8_t *input, int8_t *output) {
    const int32_t k = op->in_c;
    int32_t words[MOTE_ROWS_ALIGNED / 4];
    int8_t *aligned = (int8_t *)words;
    for (; rows > 0; rows--) {
        const int8_t *x = input;
        if (!mote_rows_aligned(x) && k % 4 == 0 && k <= MOTE_ROWS_ALIGNED) {
            mote_copy_bytes(x, k, aligned);
            x = aligned;
        }
        mote_rows_matmul(op, x, k, output);
        input += k;
        output += op->out_c;
    }
}

/* Convolution, one group. */
MOTE_ROWS_CALL void mote_rows_conv2d(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t k = op->kernel_h * op->kernel_w * op->in_c;
    int8_t *patch = (int8_t *)scratch;
    int32_t y, x;
    for (y = 0; y < op->out_h; y++) {
        for (x = 0; x < op->out_w; x++) {
            mote_gather_patch(op, input, y, x, patch);
            mote_rows_matmul(op, patch, k, output);
            output += op->out_c;
        }
    }
}

/* Whether mote_rows_depthwise2d takes the layer with this scratch. */
MOTE_FN int mote_rows_takes_depthwise(const mote_conv *op, const void *scratch) {
    return op->dilation_w == 1 && op->kernel_h <= MOTE_QUAD_MAX_ROWS && op->out_c == op->in_c && op->out_c % 4 == 0 &&
           mote_rows_aligned(scratch) && mote_rows_aligned(op->weights);
}

/* Depthwise convolution, one output channel per input channel, channels a multiple of four. */
MOTE_ROWS_CALL void mote_rows_depthwise2d(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t slots = (op->kernel_h - 1) * op->dilation_h + 1;
    const int32_t pitch = mote_ring_width(op) * op->in_c;
    const int8_t *rows[MOTE_QUAD_MAX_ROWS];
    int8_t *ring = (int8_t *)scratch;
    int32_t sums[MOTE_QUAD_BLOCK];
    mote_quad_scale scale;
    int32_t loaded = 0;
    int32_t y, x, ky, channel;
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
            for (channel = 0; channel < op->out_c; channel += MOTE_QUAD_BLOCK) {
                const int32_t left = op->out_c - channel;
                const int32_t count = left < MOTE_QUAD_BLOCK ? left : MOTE_QUAD_BLOCK;
                mote_rows_taps block;
                block.rows = rows;
                block.w = (const int8_t *)op->weights + channel;
                block.kernel_h = op->kernel_h;
                block.span = op->kernel_w * op->in_c;
                block.pitch = op->in_c;
                block.sums = sums;
                block.channel = channel;
                block.groups = count / 4;
                mote_rows_depthwise(&block);
                mote_quad_scale_from(op, channel, &scale);
                mote_quad_rescale(sums, output + channel, sums + count, &scale);
            }
            mote_quad_clamp(op, output, op->out_c);
            for (ky = 0; ky < op->kernel_h; ky++) {
                rows[ky] += op->stride_w * op->in_c;
            }
            output += op->out_c;
        }
    }
}

#endif
