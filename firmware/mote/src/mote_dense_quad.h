/*
 * Fully connected int8 layers for cores whose only multiplication is 32 x 32 -> 32 bits. Weights as in mote_conv_quad.h,
 * a word for each input and no more. The inputs are read as bytes, at any address: to widen them first takes as long for
 * 32 channels and longer for fewer. No scratch but for parts.
 */
#ifndef MOTE_DENSE_QUAD_H
#define MOTE_DENSE_QUAD_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_conv_quad.h"

/* What the assembly works on; it knows the offsets. */
typedef struct {
    const int8_t *x;
    const int32_t *w;  /* of the first four channels */
    int32_t count;     /* inputs, at least one */
    int32_t skip;      /* bytes from the weights of these inputs to those of the next four channels */
    int32_t *sums;     /* four of four channels; advances */
    int32_t *sums_end;
    int32_t total;     /* 128 times the sum of the inputs */
    int32_t more;      /* 1: adds to sums, 0: sets them */
} mote_quad_inputs;

#if defined(__ARM_ARCH_6M__)
/* Two inputs: 30 cycles for 8 products. */
#define MOTE_QUAD_BYTES2      \
    "ldm r1!, {r2, r3}\n\t"   \
    "ldrsb r4, [r0, r7]\n\t"  \
    MOTE_QUAD_TAP("r2", "r4") \
    "ldrsb r4, [r0, r5]\n\t"  \
    MOTE_QUAD_TAP("r3", "r4") \
    "adds r0, r0, #2\n\t"

/* Sums of products of four channels after four. */
MOTE_QUAD_NAKED void mote_quad_dense(MOTE_QUAD_REGISTER mote_quad_inputs *inputs) {
    __asm volatile(
        MOTE_QUAD_ENTER
        "mov lr, r0\n\t"
        "ldm r0!, {r3, r4, r5}\n\t"
        "movs r1, r4\n\t"
        "lsrs r5, r5, #1\n\t" /* pairs */
        "lsls r5, r5, #1\n\t"
        "adds r3, r3, r5\n\t"
        "mov r12, r3\n\t"     /* end of the pairs */
        "1:\n\t"
        "movs r5, #1\n\t"
        MOTE_QUAD_CLEAR("r7")
        "mov r2, lr\n\t"
        "ldr r0, [r2]\n\t"
        "mov r3, r12\n\t"
        "subs r3, r3, r0\n\t"
        "beq 4f\n\t"
        "lsls r3, r3, #30\n\t"
        "bne 3f\n\t"
        "2:\n\t" MOTE_QUAD_BYTES2
        "3:\n\t" MOTE_QUAD_BYTES2
        "cmp r0, r12\n\t"
        "bne 2b\n\t"
        "4:\n\t"
        "mov r2, lr\n\t"
        "ldr r3, [r2, #8]\n\t"
        "lsrs r3, r3, #1\n\t"
        "bcc 5f\n\t"
        "ldm r1!, {r2}\n\t"
        "ldrsb r4, [r0, r7]\n\t"
        MOTE_QUAD_TAP("r2", "r4")
        "5:\n\t"
        "mov r7, lr\n\t"
        "ldr r6, [r7, #24]\n\t"
        MOTE_QUAD_SUMS
        "ldr r0, [r7, #16]\n\t"
        "ldr r6, [r7, #28]\n\t"
        "cmp r6, #0\n\t"
        "beq 6f\n\t"
        "ldr r6, [r0]\n\t"
        "adds r2, r2, r6\n\t"
        "ldr r6, [r0, #4]\n\t"
        "adds r3, r3, r6\n\t"
        "ldr r6, [r0, #8]\n\t"
        "adds r4, r4, r6\n\t"
        "ldr r6, [r0, #12]\n\t"
        "adds r5, r5, r6\n\t"
        "6:\n\t"
        "stm r0!, {r2, r3, r4, r5}\n\t"
        "str r0, [r7, #16]\n\t"
        "ldr r2, [r7, #12]\n\t"
        "adds r1, r1, r2\n\t"
        "ldr r2, [r7, #20]\n\t"
        "cmp r0, r2\n\t"
        "beq 7f\n\t"
        "b 1b\n\t"
        "7:\n\t"
        MOTE_QUAD_LEAVE);
}
#else
MOTE_FN void mote_quad_dense(mote_quad_inputs *inputs) {
    const int32_t *w = inputs->w;
    int32_t i;
    for (; inputs->sums != inputs->sums_end; inputs->sums += 4) {
        int32_t *sums = inputs->sums;
        for (i = 0; i < 4 && !inputs->more; i++) {
            sums[i] = 0;
        }
        for (i = 0; i < inputs->count; i++) {
            const uint32_t word = (uint32_t)*w++;
            const int32_t x = inputs->x[i];
            sums[0] += x * ((int32_t)(word & 0xffu) - 128);
            sums[1] += x * ((int32_t)((word >> 8) & 0xffu) - 128);
            sums[2] += x * ((int32_t)((word >> 16) & 0xffu) - 128);
            sums[3] += x * ((int32_t)word >> 24);
        }
        w += inputs->skip / 4;
    }
}
#endif

/* 128 times the sum of `count` inputs. */
MOTE_FN int32_t mote_quad_total(const int8_t *x, int32_t count) {
    int32_t sum = 0;
    for (; count >= 4; count -= 4) {
        sum += x[0] + x[1] + x[2] + x[3];
        x += 4;
    }
    for (; count > 0; count--) {
        sum += *x++;
    }
    return (int32_t)((uint32_t)sum << 7);
}

/* out_w rows of in_c inputs. How far the output may lie over the input: src/emit/overlap.ts. */
MOTE_FN void mote_fully_connected_quad(const mote_conv *op, const int8_t *input, int8_t *output) {
    int32_t sums[MOTE_QUAD_BLOCK];
    int32_t row, channel;
    for (row = 0; row < op->out_w; row++) {
        mote_quad_inputs inputs;
        mote_quad_scale scale;
        inputs.x = input;
        inputs.w = (const int32_t *)op->weights;
        inputs.count = op->in_c;
        inputs.skip = 0;
        inputs.total = mote_quad_total(input, op->in_c);
        inputs.more = 0;
        for (channel = 0; channel < op->out_c; channel += MOTE_QUAD_BLOCK) {
            const int32_t left = op->out_c - channel;
            const int32_t count = left < MOTE_QUAD_BLOCK ? left : MOTE_QUAD_BLOCK;
            const int32_t padded = (count + 3) & ~3;
            inputs.sums = sums;
            inputs.sums_end = sums + padded;
            mote_quad_dense(&inputs);
            inputs.w += padded / 4 * op->in_c;
            mote_quad_scale_from(op, channel, &scale);
            mote_quad_rescale(sums, output + channel, sums + count, &scale);
        }
        mote_quad_clamp(op, output, op->out_c);
        input += op->in_c;
        output += op->out_c;
    }
}

/* mote_strip_dense with weights as above. Scratch: 16 bytes for every four channels, kept from part to part. */
MOTE_FN void mote_strip_dense_quad(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t padded = (part->out_c + 3) & ~3;
    int32_t *sums = (int32_t *)scratch;
    mote_quad_inputs inputs;
    inputs.x = input;
    inputs.w = (const int32_t *)part->weights + part->pad_top * part->in_c;
    inputs.count = part->in_h * part->in_c;
    inputs.skip = 4 * (part->kernel_h - part->in_h) * part->in_c;
    inputs.sums = sums;
    inputs.sums_end = sums + padded;
    inputs.total = mote_quad_total(input, inputs.count);
    inputs.more = part->pad_top > 0;
    mote_quad_dense(&inputs);
    if (part->pad_top + part->in_h == part->kernel_h) {
        mote_quad_scale scale;
        mote_quad_scale_from(part, 0, &scale);
        mote_quad_rescale(sums, output, sums + part->out_c, &scale);
        mote_quad_clamp(part, output, part->out_c);
    }
}

#endif
