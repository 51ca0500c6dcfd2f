/*
 * Fully connected int8 layers for cores with the DSP extension, without a widened copy of their input. Weights as in
 * mote_conv_dsp.h, but the pairs of every four inputs are 0 and 2, 1 and 3: what SXTB16 makes of four bytes.
 * No scratch but for parts. Input may lie at any address; no byte beyond its last is read.
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
  const int32_t *channels; /* as in mote_dsp_block; 0: sums are added to, no output is written */
  int8_t *output;
  int32_t offset;
  int32_t quads;           /* groups of four channels, at least one */
  int32_t has_rest;
  int32_t rest;            /* the inputs beyond whole fours, filled up with zeros */
  int32_t *sums;           /* without channels: four of four channels; advances */
  int32_t skip;            /* with them: bytes from the weights of these inputs to those of the next four channels */
} mote_dsp_row;

/* Most inputs whose products with any weights leave the upper 24 bits of an accumulator to the second channel. */
#define MOTE_DENSE_INPUTS 508

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

MOTE_NAKED void mote_dsp_dense(MOTE_REGISTER mote_dsp_row *row) {
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
        "sub r5,r5,r4\n"
        "sub r7,r7,r6\n"
        "cmp r0,#0\n"
        "beq 6f\n"
        "ldr r3,[r3,#20]\n"
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
        "5:\n"
        "ldr r2,[sp,#12]\n"
        "subs r2,r2,#1\n"
        "str r2,[sp,#12]\n"
        "bne 0b\n"
        "add sp,sp,#20\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n"
        "6:\n"
        "ldr r0,[r3,#36]\n"
        "ldm r0,{r8,r9,r10,r11}\n"
        "add r8,r8,r4\n"
        "add r9,r9,r5,asr #8\n"
        "add r10,r10,r6\n"
        "add r11,r11,r7,asr #8\n"
        "stm r0!,{r8,r9,r10,r11}\n"
        "str r0,[r3,#36]\n"
        "ldr r2,[r3,#40]\n"
        "add r1,r1,r2\n"
        "b 5b\n");
}

/* Outputs of four channels from their sums. */
MOTE_NAKED void mote_dsp_dense_end(MOTE_REGISTER const int32_t *sums, MOTE_REGISTER const int32_t *channels,
                                   MOTE_REGISTER int8_t *output, MOTE_REGISTER int32_t offset) {
    __asm volatile(
        "push {r2,r4,r5,r6,r7,lr}\n"
        "ldm r0,{r4,r5,r6,r7}\n"
        "ldm r1!,{r2,r12,lr}\n"
        MOTE_OUTPUT("r4", "lsl #1")
        "ldm r1!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r5", "lsl #1")
        "ldm r1!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r6", "lsl #1")
        "ldm r1!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r7", "lsl #1")
        "pop {r2}\n"
        "strb r4,[r2]\n"
        "strb r5,[r2,#1]\n"
        "strb r6,[r2,#2]\n"
        "strb r7,[r2,#3]\n"
        "pop {r4,r5,r6,r7,pc}\n");
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

MOTE_FN void mote_dsp_dense(mote_dsp_row *row) {
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
        if (!channels) {
            row->sums[0] += sums[0];
            row->sums[1] += (sums[1] - sums[0]) / 256;
            row->sums[2] += sums[2];
            row->sums[3] += (sums[3] - sums[2]) / 256;
            row->sums += 4;
            w += row->skip / 4;
            continue;
        }
        output[0] = mote_dsp_output(channels, 0, sums[0] * 2, row->offset);
        output[1] = mote_dsp_output(channels, 1, (sums[1] - sums[0]) / 128, row->offset);
        output[2] = mote_dsp_output(channels, 2, sums[2] * 2, row->offset);
        output[3] = mote_dsp_output(channels, 3, (sums[3] - sums[2]) / 128, row->offset);
        output += 4;
        channels += 9;
    }
}

MOTE_FN void mote_dsp_dense_end(const int32_t *sums, const int32_t *channels, int8_t *output, int32_t offset) {
    int32_t i;
    for (i = 0; i < 4; i++) {
        output[i] = mote_dsp_output(channels, i, sums[i] * 2, offset);
    }
}
#endif

/* The inputs of a row. */
MOTE_FN void mote_dsp_dense_inputs(const int8_t *input, int32_t count, mote_dsp_row *row) {
    const int32_t rest = count % 4;
    uint32_t word = 0;
    int32_t i;
    row->x = input;
    row->bytes = count / 4 * 16;
    for (i = rest; i > 0; i--) {
        word = word << 8 | (uint8_t)input[count - rest + i - 1];
    }
    row->has_rest = rest > 0;
    row->rest = (int32_t)word;
}

/* Fully connected: out_w rows of in_c inputs. How far the output may lie over the input: src/emit/overlap.ts. */
MOTE_FN void mote_fully_connected_dsp(const mote_conv *op, const int8_t *input, int8_t *output) {
    int32_t at;
    for (at = 0; at < op->out_w; at++) {
        mote_dsp_row row;
        mote_dsp_dense_inputs(input, op->in_c, &row);
        row.w = (const int32_t *)op->weights;
        row.channels = op->bias;
        row.output = output;
        row.offset = 2 * op->out_zero + 1;
        row.quads = op->out_c / 4;
        if (row.quads > 0) {
            mote_dsp_dense(&row);
        }
        if (op->out_c % 4 != 0) {
            /* The last group has channels beyond the last one: its outputs take a detour. */
            int8_t outputs[4];
            row.w += row.quads * (row.bytes / 4 + 4 * row.has_rest);
            row.channels += 9 * row.quads;
            row.output = outputs;
            row.quads = 1;
            mote_dsp_dense(&row);
            mote_copy_bytes(outputs, op->out_c % 4, output + op->out_c / 4 * 4);
        }
        mote_dsp_clamp(op, output, op->out_c);
        input += op->in_c;
        output += op->out_c;
    }
}

/*
 * Adds to `sums`, four for four channels, the products of `count` inputs. w: their weights of the first four channels,
 * as many words as inputs in whole fours; pitch: words from there to those of the next four channels.
 */
MOTE_FN void mote_dsp_dense_add(const int8_t *input, int32_t count, const int32_t *w, int32_t pitch, int32_t quads,
                                int32_t *sums) {
    mote_dsp_row row;
    row.channels = 0;
    row.output = 0;
    row.offset = 0;
    row.quads = quads;
    while (count > 0) {
        const int32_t some = count < MOTE_DENSE_INPUTS ? count : MOTE_DENSE_INPUTS;
        mote_dsp_dense_inputs(input, some, &row);
        row.w = w;
        row.sums = sums;
        row.skip = 4 * pitch - row.bytes - 16 * row.has_rest;
        mote_dsp_dense(&row);
        input += some;
        w += some;
        count -= some;
    }
}

/* Outputs of `count` channels from their sums. */
MOTE_FN void mote_dsp_dense_outputs(const int32_t *sums, const int32_t *channels, int32_t count, int32_t offset,
                                    int8_t *output) {
    for (; count > 0; count -= 4) {
        int8_t outputs[4];
        mote_dsp_dense_end(sums, channels, outputs, offset);
        mote_copy_bytes(outputs, count < 4 ? count : 4, output);
        sums += 4;
        channels += 9;
        output += 4;
    }
}

/* The same for layers whose sums are too large for two channels in one accumulator: as many inputs as fit at a time. */
MOTE_FN void mote_fully_connected_long_dsp(const mote_conv *op, const int8_t *input, int8_t *output) {
    const int32_t pitch = (op->in_c + 3) / 4 * 4;
    int32_t at, channel;
    for (at = 0; at < op->out_w; at++) {
        const int32_t *w = (const int32_t *)op->weights;
        const int32_t *channels = op->bias;
        for (channel = 0; channel < op->out_c; channel += 4) {
            const int32_t left = op->out_c - channel;
            int32_t sums[4] = {0, 0, 0, 0};
            mote_dsp_dense_add(input, op->in_c, w, pitch, 1, sums);
            mote_dsp_dense_outputs(sums, channels, left < 4 ? left : 4, 2 * op->out_zero + 1, output + channel);
            w += pitch;
            channels += 9;
        }
        mote_dsp_clamp(op, output, op->out_c);
        input += op->in_c;
        output += op->out_c;
    }
}

/*
 * mote_strip_dense with weights as above, those of each line in whole fours. Scratch: 16 bytes for every four channels,
 * kept from part to part.
 */
MOTE_FN void mote_strip_dense_dsp(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t line = (part->in_c + 3) / 4 * 4;
    const int32_t pitch = part->kernel_h * line;
    const int32_t quads = (part->out_c + 3) / 4;
    const int32_t *w = (const int32_t *)part->weights + part->pad_top * line;
    int32_t *sums = (int32_t *)scratch;
    int32_t i;
    if (part->pad_top == 0) {
        for (i = 0; i < 4 * quads; i++) {
            sums[i] = 0;
        }
    }
    if (line == part->in_c) {
        mote_dsp_dense_add(input, part->in_h * line, w, pitch, quads, sums);
    } else {
        for (i = 0; i < part->in_h; i++) {
            mote_dsp_dense_add(input + i * part->in_c, part->in_c, w + i * line, pitch, quads, sums);
        }
    }
    if (part->pad_top + part->in_h == part->kernel_h) {
        mote_dsp_dense_outputs(sums, part->bias, part->out_c, 2 * part->out_zero + 1, output);
        mote_dsp_clamp(part, output, part->out_c);
    }
}

#endif
