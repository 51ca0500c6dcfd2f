/*
 * Fully connected int8 layers for cores with the DSP extension, without a widened copy of their input. Weights as in
 * mote_conv_dsp.h, but the pairs of every four inputs are 0 and 2, 1 and 3: what SXTB16 makes of four bytes.
 * No scratch. Input may lie at any address; no byte beyond its last is read.
 */
#ifndef MOTE_DENSE_DSP_H
#define MOTE_DENSE_DSP_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_conv_dsp.h"
#include "mote_conv_plain.h"

typedef struct {
  const int8_t *x;
  const int32_t *w;        /* of the first four channels */
  int32_t bytes;           /* weights of four channels for the inputs in whole fours */
  const int32_t *channels; /* as in mote_dsp_block */
  int8_t *output;
  int32_t offset;
  int32_t quads;           /* groups of four channels, at least one */
  int32_t has_rest;
  int32_t rest;            /* the inputs beyond whole fours, filled up with zeros */
} mote_dsp_row;

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
/* Four inputs, in r8, and four channels: 20 cycles with the load for 16 products. */
#define MOTE_DENSE_FOUR         \
    "ldr r10,[r1],#4\n"       \
    "ldr r11,[r1],#4\n"       \
    "ldr r12,[r1],#4\n"       \
    "ldr lr,[r1],#4\n"        \
    "sxtb16 r9,r8\n"           \
    "sxtb16 r8,r8,ror #8\n"   \
    "smlad r5,r9,r10,r5\n"   \
    "sxtb16 r10,r10\n"         \
    "smlad r7,r9,r11,r7\n"   \
    "sxtb16 r11,r11\n"         \
    "smlad r4,r9,r10,r4\n"   \
    "smlad r6,r9,r11,r6\n"   \
    "smlad r5,r8,r12,r5\n"   \
    "sxtb16 r12,r12\n"         \
    "smlad r7,r8,lr,r7\n"    \
    "sxtb16 lr,lr\n"           \
    "smlad r4,r8,r12,r4\n"   \
    "smlad r6,r8,lr,r6\n"

MOTE_NAKED void mote_dsp_dense(MOTE_REGISTER const mote_dsp_row *row) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "sub sp,sp,#20\n"
        "str r0,[sp]\n"
        "ldr r1,[r0,#12]\n"
        "str r1,[sp,#4]\n" /* channels */
        "ldr r1,[r0,#16]\n"
        "str r1,[sp,#8]\n" /* output */
        "ldr r1,[r0,#24]\n"
        "str r1,[sp,#12]\n" /* quads left */
        "ldr r1,[r0,#4]\n"
        "0:\n"
        "ldr r3,[sp]\n"
        "ldr r0,[r3]\n"
        "ldr r2,[r3,#8]\n"
        "movs r4,#0\n"
        "movs r5,#0\n"
        "movs r6,#0\n"
        "movs r7,#0\n"
        "cmp r2,#0\n"
        "beq 3f\n"
        "tst r2,#16\n"
        "add r2,r1,r2\n"
        "bne 2f\n"
        "1:\n"
        "ldr r8,[r0],#4\n" MOTE_DENSE_FOUR
        "2:\n"
        "ldr r8,[r0],#4\n" MOTE_DENSE_FOUR
        "cmp r1,r2\n"
        "bne 1b\n"
        "3:\n"
        "ldr r2,[r3,#28]\n"
        "cmp r2,#0\n"
        "beq 4f\n"
        "ldr r8,[r3,#32]\n" MOTE_DENSE_FOUR
        "4:\n"
        "ldr r0,[sp,#4]\n"
        "ldr r3,[r3,#20]\n"
        "sub r5,r5,r4\n"
        "sub r7,r7,r6\n"
        "ldm r0!,{r2,r12,lr}\n"
        MOTE_OUTPUT("r4", "lsl #1")
        "ldm r0!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r5", "asr #7")
        "ldm r0!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r6", "lsl #1")
        "ldm r0!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r7", "asr #7")
        "str r0,[sp,#4]\n"
        "ldr r2,[sp,#8]\n"
        "strb r4,[r2],#1\n"
        "strb r5,[r2],#1\n"
        "strb r6,[r2],#1\n"
        "strb r7,[r2],#1\n"
        "str r2,[sp,#8]\n"
        "ldr r2,[sp,#12]\n"
        "subs r2,r2,#1\n"
        "str r2,[sp,#12]\n"
        "bne 0b\n"
        "add sp,sp,#20\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n");
}
#else
MOTE_FN void mote_dsp_dense_four(const uint8_t *x, const int32_t *w, int32_t *sums) {
    int32_t half;
    for (half = 0; half < 2; half++) {
        const int32_t low = x[half] < 128 ? x[half] : x[half] - 256;
        const int32_t high = x[half + 2] < 128 ? x[half + 2] : x[half + 2] - 256;
        const int32_t pair = (int32_t)(((uint32_t)low & 0xffffu) | ((uint32_t)high << 16));
        mote_dsp_accumulate(pair, w[2 * half], &sums[0], &sums[1]);
        mote_dsp_accumulate(pair, w[2 * half + 1], &sums[2], &sums[3]);
    }
}

MOTE_FN void mote_dsp_dense(const mote_dsp_row *row) {
    const int32_t *w = row->w;
    const int32_t *channels = row->channels;
    int8_t *output = row->output;
    int32_t quad, at, i;
    for (quad = 0; quad < row->quads; quad++) {
        int32_t sums[4] = {0, 0, 0, 0};
        uint8_t x[4];
        for (at = 0; at < row->bytes / 4; at += 4) {
            for (i = 0; i < 4; i++) {
                x[i] = (uint8_t)row->x[at + i];
            }
            mote_dsp_dense_four(x, w, sums);
            w += 4;
        }
        if (row->has_rest) {
            for (i = 0; i < 4; i++) {
                x[i] = (uint8_t)(((uint32_t)row->rest >> (8 * i)) & 0xffu);
            }
            mote_dsp_dense_four(x, w, sums);
            w += 4;
        }
        output[0] = mote_dsp_output(channels, 0, sums[0] * 2, row->offset);
        output[1] = mote_dsp_output(channels, 1, (sums[1] - sums[0]) / 128, row->offset);
        output[2] = mote_dsp_output(channels, 2, sums[2] * 2, row->offset);
        output[3] = mote_dsp_output(channels, 3, (sums[3] - sums[2]) / 128, row->offset);
        output += 4;
        channels += 9;
    }
}
#endif

/* Fully connected: out_w rows of in_c inputs. How far the output may lie over the input: src/emit/overlap.ts. */
MOTE_FN void mote_fully_connected_dsp(const mote_conv *op, const int8_t *input, int8_t *output) {
    const int32_t rest = op->in_c % 4;
    int32_t at, i;
    for (at = 0; at < op->out_w; at++) {
        uint32_t word = 0;
        mote_dsp_row row;
        row.x = input;
        row.w = (const int32_t *)op->weights;
        row.bytes = op->in_c / 4 * 16;
        row.channels = op->bias;
        row.output = output;
        row.offset = 2 * op->out_zero + 1;
        row.quads = op->out_c / 4;
        input += op->in_c;
        for (i = rest; i > 0; i--) {
            word = word << 8 | (uint8_t)input[i - rest - 1];
        }
        row.has_rest = rest > 0;
        row.rest = (int32_t)word;
        if (row.quads > 0) {
            mote_dsp_dense(&row);
        }
        if (op->out_c % 4 != 0) {
            /* The last group has channels beyond the last one: its outputs take a detour. */
            int8_t outputs[4];
            row.w += row.quads * (row.bytes / 4 + (rest > 0 ? 4 : 0));
            row.channels += 9 * row.quads;
            row.output = outputs;
            output += 4 * row.quads;
            row.quads = 1;
            mote_dsp_dense(&row);
            mote_copy_bytes(outputs, op->out_c % 4, output);
            output += op->out_c % 4;
        } else {
            output += op->out_c;
        }
        mote_dsp_clamp(op, output - op->out_c, op->out_c);
    }
}

#endif
