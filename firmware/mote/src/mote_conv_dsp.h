/*
 * Weighted int8 layers for cores with the DSP extension (Cortex-M4, M7, M33). Weights are arranged by
 * src/emit/weight-layout.ts: a 16-bit lane holds A + 256 B for two output channels. SXTB16 gives the As; the lanes as
 * they are accumulate sum(x A) + 256 sum(x B), so the sum for B is the difference of the two, shifted right by 8.
 * Half of the weights are never unpacked.
 *
 * Every function in assembly has a portable twin that reads the same layout and gives the same bytes.
 * Scratch: 2 pixels of int16, inputs rounded up to a multiple of 4, or a band. It must hold defined values: what lies beyond
 * the last input is multiplied by zero. Fully connected layers: mote_dense_dsp.h; depthwise ones: mote_depthwise_dsp.h.
 */
#ifndef MOTE_CONV_DSP_H
#define MOTE_CONV_DSP_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_conv_plain.h"

/*
 * What the inner functions work on. For every four output channels `channels` holds nine words: the right shifts less
 * one, a byte each; then for each channel twice its bias and its multiplier. offset = 2 * zero point of the output + 1.
 */
typedef struct {
  const int32_t *x;        /* inputs as pairs of int16; for two pixels in turn */
  const int32_t *w;        /* weights of the first four channels */
  int32_t bytes;           /* of the weights of four channels */
  const int32_t *channels; /* as above */
  int8_t *output;          /* of the first pixel */
  int32_t out_c;           /* from one pixel of the output to the next */
  int32_t offset;
  int32_t quads;           /* groups of four channels, at least one */
} mote_dsp_block;

/* Rows of inputs that are expanded at once. */
typedef struct {
  int32_t groups;    /* of four inputs of a row, at least one */
  int32_t rows;      /* at least one */
  int32_t step;      /* bytes from a pair of inputs to the next */
  int32_t from_jump; /* bytes from the end of a row to the next row */
  int32_t to_jump;
} mote_dsp_rows;

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
/* A whole function in assembly: compilers spill registers in these loops. Callers must not look into it. */
#if defined(__clang__)
#define MOTE_NAKED static __attribute__((naked, noinline, unused))
#else
#define MOTE_NAKED static __attribute__((naked, noipa, unused))
#endif
#define MOTE_REGISTER __attribute__((unused))

/*
 * Two pixels, four channels, one pair of inputs: 15 cycles for 16 products. Words of weights are unpacked in place once
 * they have been used as they are, which leaves registers for four loads in a row.
 */
#define MOTE_PAIR_2X4            \
    "ldr r12,[r0],#4\n"      \
    "ldr lr,[r0],#4\n"       \
    "ldr r2,[r1],#4\n"       \
    "ldr r3,[r1],#4\n"       \
    "smlad r5,r12,r2,r5\n"  \
    "smlad r9,lr,r2,r9\n"   \
    "sxtb16 r2,r2\n"          \
    "smlad r7,r12,r3,r7\n"  \
    "smlad r11,lr,r3,r11\n" \
    "sxtb16 r3,r3\n"          \
    "smlad r4,r12,r2,r4\n"  \
    "smlad r8,lr,r2,r8\n"   \
    "smlad r6,r12,r3,r6\n"  \
    "smlad r10,lr,r3,r10\n"

/* One output: r12 twice the bias, lr the multiplier, r2 the shift, r3 the offset; `sum` doubled by `twice`. */
#if defined(MOTE_SINGLE_ROUNDING)
#define MOTE_OUTPUT(sum, twice)              \
    "add " sum ",r12," sum "," twice "\n" \
    "smmul " sum "," sum ",lr\n"           \
    "asr " sum "," sum ",r2\n"             \
    "add " sum "," sum ",r3\n"             \
    "ssat " sum ",#8," sum ",asr #1\n"
#else
#define MOTE_OUTPUT(sum, twice)              \
    "add " sum ",r12," sum "," twice "\n" \
    "smmulr " sum "," sum ",lr\n"          \
    "add " sum "," sum "," sum ",asr #31\n" \
    "asr " sum "," sum ",r2\n"             \
    "add " sum "," sum ",r3\n"             \
    "ssat " sum ",#8," sum ",asr #1\n"
#endif

MOTE_NAKED void mote_dsp_two_pixels(MOTE_REGISTER const mote_dsp_block *block) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "sub sp,sp,#24\n"
        "str r0,[sp,#4]\n"
        "ldr r1,[r0,#12]\n"
        "str r1,[sp,#8]\n" /* channels */
        "ldr r1,[r0,#16]\n"
        "str r1,[sp,#12]\n" /* output */
        "ldr r1,[r0,#28]\n"
        "str r1,[sp,#16]\n" /* quads left */
        "ldr r1,[r0,#24]\n"
        "str r1,[sp,#20]\n" /* offset */
        "ldr r1,[r0,#4]\n"
        "0:\n"
        "ldr r3,[sp,#4]\n"
        "ldr r0,[r3]\n"
        "ldr r3,[r3,#8]\n"
        "add r2,r1,r3\n"
        "str r2,[sp]\n"
        "movs r4,#0\n"
        "movs r5,#0\n"
        "movs r6,#0\n"
        "movs r7,#0\n"
        "mov r8,r4\n"
        "mov r9,r4\n"
        "mov r10,r4\n"
        "mov r11,r4\n"
        /* Eight pairs a turn; the first turn starts where the rest fits. */
        "ands r3,r3,#48\n"
        "beq 1f\n"
        "cmp r3,#32\n"
        "blo 4f\n"
        "beq 3f\n"
        "b 2f\n"
        "1:\n" MOTE_PAIR_2X4 MOTE_PAIR_2X4
        "2:\n" MOTE_PAIR_2X4 MOTE_PAIR_2X4
        "3:\n" MOTE_PAIR_2X4 MOTE_PAIR_2X4
        "4:\n" MOTE_PAIR_2X4 MOTE_PAIR_2X4
        "ldr r2,[sp]\n"
        "cmp r1,r2\n"
        "bne 1b\n"
        "ldr r0,[sp,#8]\n"
        "ldr r3,[sp,#20]\n"
        "sub r5,r5,r4\n"
        "sub r9,r9,r8\n"
        "sub r7,r7,r6\n"
        "sub r11,r11,r10\n"
        "ldm r0!,{r2,r12,lr}\n"
        MOTE_OUTPUT("r4", "lsl #1") MOTE_OUTPUT("r8", "lsl #1")
        "ldm r0!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r5", "asr #7") MOTE_OUTPUT("r9", "asr #7")
        "ldm r0!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r6", "lsl #1") MOTE_OUTPUT("r10", "lsl #1")
        "ldm r0!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r7", "asr #7") MOTE_OUTPUT("r11", "asr #7")
        "str r0,[sp,#8]\n"
        "ldr r2,[sp,#12]\n"
        "ldr r3,[sp,#4]\n"
        "ldr r3,[r3,#20]\n"
        "add r3,r3,r2\n"
        "strb r4,[r2],#1\n"
        "strb r5,[r2],#1\n"
        "strb r6,[r2],#1\n"
        "strb r7,[r2],#1\n"
        "strb r8,[r3]\n"
        "strb r9,[r3,#1]\n"
        "strb r10,[r3,#2]\n"
        "strb r11,[r3,#3]\n"
        "str r2,[sp,#12]\n"
        "ldr r2,[sp,#16]\n"
        "subs r2,r2,#1\n"
        "str r2,[sp,#16]\n"
        "bne 0b\n"
        "add sp,sp,#24\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n");
}

/* One pixel, four channels, two pairs of inputs: 19 cycles for 16 products. */
#define MOTE_PAIRS_1X4            \
    "ldr r8,[r0],#4\n"        \
    "ldr r9,[r0],#4\n"        \
    "ldr r10,[r1],#4\n"       \
    "ldr r11,[r1],#4\n"       \
    "ldr r12,[r1],#4\n"       \
    "ldr lr,[r1],#4\n"        \
    "smlad r5,r8,r10,r5\n"   \
    "sxtb16 r10,r10\n"         \
    "smlad r7,r8,r11,r7\n"   \
    "sxtb16 r11,r11\n"         \
    "smlad r4,r8,r10,r4\n"   \
    "smlad r6,r8,r11,r6\n"   \
    "smlad r5,r9,r12,r5\n"   \
    "sxtb16 r12,r12\n"         \
    "smlad r7,r9,lr,r7\n"    \
    "sxtb16 lr,lr\n"           \
    "smlad r4,r9,r12,r4\n"   \
    "smlad r6,r9,lr,r6\n"

MOTE_NAKED void mote_dsp_one_pixel(MOTE_REGISTER const mote_dsp_block *block) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "sub sp,sp,#20\n"
        "str r0,[sp]\n"
        "ldr r1,[r0,#12]\n"
        "str r1,[sp,#4]\n" /* channels */
        "ldr r1,[r0,#16]\n"
        "str r1,[sp,#8]\n" /* output */
        "ldr r1,[r0,#28]\n"
        "str r1,[sp,#12]\n" /* quads left */
        "ldr r1,[r0,#4]\n"
        "0:\n"
        "ldr r3,[sp]\n"
        "ldr r0,[r3]\n"
        "ldr r3,[r3,#8]\n"
        "add r2,r1,r3\n"
        "movs r4,#0\n"
        "movs r5,#0\n"
        "movs r6,#0\n"
        "movs r7,#0\n"
        "tst r3,#16\n"
        "bne 2f\n"
        "1:\n" MOTE_PAIRS_1X4
        "2:\n" MOTE_PAIRS_1X4
        "cmp r1,r2\n"
        "bne 1b\n"
        "ldr r0,[sp,#4]\n"
        "ldr r3,[sp]\n"
        "ldr r3,[r3,#24]\n"
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

/* Four inputs in `word` as two pairs. */
#define MOTE_WIDEN_FOUR(word)                        \
    "sxtb16 %[even]," word "\n"                      \
    "sxtb16 %[odd]," word ",ror #8\n"                \
    "pkhbt " word ",%[even],%[odd],lsl #16\n"        \
    "pkhtb %[odd],%[odd],%[even],asr #16\n"         \
    "str " word ",[%[to]]\n"                          \
    "str %[odd],[%[to],%[step]]\n"                   \
    "add %[to],%[to],%[step],lsl #1\n"

/* 4 * groups inputs at any address, at least four, as pairs of int16; a pair every `step` bytes. 21 cycles for eight. */
MOTE_FN const int8_t *mote_dsp_widen4(const int8_t *from, int32_t groups, int32_t *to, int32_t step) {
    uint32_t word, next, even, odd;
    __asm volatile(
        "lsrs %[groups],%[groups],#1\n"
        "bcc 1f\n"
        "ldr %[word],[%[from]],#4\n"
        MOTE_WIDEN_FOUR("%[word]")
        "cmp %[groups],#0\n"
        "beq 2f\n"
        "1:\n"
        "ldr %[word],[%[from]],#4\n"
        "ldr %[next],[%[from]],#4\n"
        MOTE_WIDEN_FOUR("%[word]")
        MOTE_WIDEN_FOUR("%[next]")
        "subs %[groups],%[groups],#1\n"
        "bne 1b\n"
        "2:\n"
        : [from] "+&r"(from), [to] "+&r"(to), [groups] "+&r"(groups), [word] "=&r"(word), [next] "=&r"(next),
          [even] "=&r"(even), [odd] "=&r"(odd)
        : [step] "r"(step)
        : "memory", "cc");
    return from;
}

/* Four inputs in a register as two pairs. */
#define MOTE_EXPAND_FOUR(word)             \
    "sxtb16 r11," word "\n"              \
    "sxtb16 r12," word ",ror #8\n"       \
    "pkhbt " word ",r11,r12,lsl #16\n"   \
    "pkhtb r12,r12,r11,asr #16\n"        \
    "str " word ",[r1]\n"                \
    "str r12,[r1,r4]\n"                  \
    "add r1,r1,r4,lsl #1\n"

/* Inputs at any address as pairs of int16: 21 cycles for eight. */
MOTE_NAKED void mote_dsp_widen_rows(MOTE_REGISTER const int8_t *from, MOTE_REGISTER int32_t *to,
                                    MOTE_REGISTER const mote_dsp_rows *rows) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r11,lr}\n"
        "ldm r2,{r2,r3,r4,r5,r6}\n"
        "0:\n"
        "lsrs r7,r2,#1\n"
        "bcc 1f\n"
        "ldr r8,[r0],#4\n"
        MOTE_EXPAND_FOUR("r8")
        "cbz r7,2f\n"
        "1:\n"
        "ldr r8,[r0],#4\n"
        "ldr r9,[r0],#4\n"
        MOTE_EXPAND_FOUR("r8")
        MOTE_EXPAND_FOUR("r9")
        "subs r7,r7,#1\n"
        "bne 1b\n"
        "2:\n"
        "add r0,r0,r5\n"
        "add r1,r1,r6\n"
        "subs r3,r3,#1\n"
        "bne 0b\n"
        "pop {r4,r5,r6,r7,r8,r9,r11,pc}\n");
}

/* 4 * words bytes, at any address. */
MOTE_FN void mote_dsp_copy4(const int8_t *from, int32_t words, int8_t *to) {
    uint32_t word;
    __asm volatile(
        "1:\n"
        "ldr %[word],[%[from]],#4\n"
        "subs %[words],%[words],#1\n"
        "str %[word],[%[to]],#4\n"
        "bne 1b\n"
        : [from] "+&r"(from), [to] "+&r"(to), [words] "+&r"(words), [word] "=&r"(word)
        :
        : "memory", "cc");
}

/* Half `k & 1` of a word of the patch. */
MOTE_FN void mote_dsp_put_half(int32_t *word, int32_t k, int32_t value) {
    __asm volatile("strh %1, [%0]" : : "r"((int8_t *)word + 2 * (k & 1)), "r"(value) : "memory");
}
#else
MOTE_FN void mote_dsp_accumulate(int32_t pair, int32_t word, int32_t *a, int32_t *ab) {
    const uint32_t bits = (uint32_t)word;
    const int32_t x0 = (int16_t)((uint32_t)pair & 0xffffu);
    const int32_t x1 = (int16_t)((uint32_t)pair >> 16);
    *a += x0 * (int8_t)(bits & 0xffu) + x1 * (int8_t)((bits >> 16) & 0xffu);
    *ab += x0 * (int16_t)(bits & 0xffffu) + x1 * (int16_t)(bits >> 16);
}

/* From twice a sum with its bias to an output; `shift`: right, less one. */
MOTE_FN int8_t mote_dsp_rescale(int32_t twice, int32_t multiplier, int32_t shift, int32_t offset) {
    const int64_t product = (int64_t)twice * multiplier;
#if defined(MOTE_SINGLE_ROUNDING)
    int32_t high = (int32_t)(product >> 32);
#else
    int32_t high = (int32_t)((product + ((int64_t)1 << 31)) >> 32);
    high += high >> 31;
#endif
    high = ((high >> shift) + offset) >> 1;
    return (int8_t)(high < -128 ? -128 : high > 127 ? 127 : high);
}

/* Channel `index` of four: from twice its sum, without the bias, to its output. */
MOTE_FN int8_t mote_dsp_output(const int32_t *channels, int32_t index, int32_t twice, int32_t offset) {
    const int32_t shift = (int32_t)(((uint32_t)channels[0] >> (8 * index)) & 0xffu);
    return mote_dsp_rescale(twice + channels[1 + 2 * index], channels[2 + 2 * index], shift, offset);
}

MOTE_FN void mote_dsp_pixels(const mote_dsp_block *block, int32_t pixels) {
    const int32_t *w = block->w;
    const int32_t *channels = block->channels;
    int32_t quad, pixel, i;
    for (quad = 0; quad < block->quads; quad++) {
        for (pixel = 0; pixel < pixels; pixel++) {
            int8_t *output = block->output + pixel * block->out_c + 4 * quad;
            const int32_t *x = block->x + pixel;
            int32_t sums[4] = {0, 0, 0, 0};
            for (i = 0; i < block->bytes / 4; i += 2) {
                mote_dsp_accumulate(*x, w[i], &sums[0], &sums[1]);
                mote_dsp_accumulate(*x, w[i + 1], &sums[2], &sums[3]);
                x += pixels;
            }
            output[0] = mote_dsp_output(channels, 0, sums[0] * 2, block->offset);
            output[1] = mote_dsp_output(channels, 1, (sums[1] - sums[0]) / 128, block->offset);
            output[2] = mote_dsp_output(channels, 2, sums[2] * 2, block->offset);
            output[3] = mote_dsp_output(channels, 3, (sums[3] - sums[2]) / 128, block->offset);
        }
        w += block->bytes / 4;
        channels += 9;
    }
}

MOTE_FN void mote_dsp_two_pixels(const mote_dsp_block *block) { mote_dsp_pixels(block, 2); }

MOTE_FN void mote_dsp_one_pixel(const mote_dsp_block *block) { mote_dsp_pixels(block, 1); }

MOTE_FN const int8_t *mote_dsp_widen4(const int8_t *from, int32_t groups, int32_t *to, int32_t step) {
    for (; groups > 0; groups--) {
        to[0] = (int32_t)(((uint32_t)from[0] & 0xffffu) | ((uint32_t)from[1] << 16));
        to[step / 4] = (int32_t)(((uint32_t)from[2] & 0xffffu) | ((uint32_t)from[3] << 16));
        to += step / 2;
        from += 4;
    }
    return from;
}

MOTE_FN void mote_dsp_widen_rows(const int8_t *from, int32_t *to, const mote_dsp_rows *rows) {
    int32_t row;
    for (row = 0; row < rows->rows; row++) {
        from = mote_dsp_widen4(from, rows->groups, to, rows->step) + rows->from_jump;
        to += (rows->groups * 2 * rows->step + rows->to_jump) / 4;
    }
}

MOTE_FN void mote_dsp_copy4(const int8_t *from, int32_t words, int8_t *to) { mote_copy_bytes(from, 4 * words, to); }

MOTE_FN void mote_dsp_put_half(int32_t *word, int32_t k, int32_t value) {
    const uint32_t bits = (uint32_t)value & 0xffffu;
    *word = (int32_t)(k & 1 ? ((uint32_t)*word & 0xffffu) | bits << 16 : ((uint32_t)*word & 0xffff0000u) | bits);
}
#endif

/* Clamps `count` outputs, where an activation asks for more than the range of int8. */
MOTE_FN void mote_dsp_clamp(const mote_conv *op, int8_t *output, int32_t count) {
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

/* `count` inputs as int16 from index k of a patch; pixel 0 or 1 of `pixels`. */
MOTE_FN void mote_dsp_widen(const int8_t *from, int32_t count, int32_t k, int32_t pixel, int32_t pixels,
                            int32_t *patch) {
    int32_t *word = patch + (k >> 1) * pixels + pixel;
    if ((k & 1) && count > 0) {
        mote_dsp_put_half(word, 1, *from++);
        word += pixels;
        count--;
    }
    if (count >= 4) {
        from = mote_dsp_widen4(from, count >> 2, word, 4 * pixels);
        word += (count >> 2) * 2 * pixels;
        count &= 3;
    }
    if (count > 0) {
        mote_dsp_put_half(word, 0, from[0]);
    }
    if (count > 1) {
        mote_dsp_put_half(word, 1, from[1]);
    }
    if (count > 2) {
        mote_dsp_put_half(word + pixels, 0, from[2]);
    }
}

MOTE_FN void mote_dsp_widen_value(int32_t value, int32_t count, int32_t k, int32_t pixel, int32_t pixels,
                                  int32_t *patch) {
    int32_t *word = patch + (k >> 1) * pixels + pixel;
    for (; count > 0; count--) {
        mote_dsp_put_half(word, k, value);
        word += (k & 1) * pixels;
        k++;
    }
}

/* Whether a kernel from this column on reaches beside the input nowhere, and has no gaps. */
MOTE_FN int mote_dsp_is_inside(const mote_conv *op, int32_t column) {
    return op->dilation_w == 1 && column >= 0 && column + op->kernel_w <= op->in_w;
}

/* The inputs under such a kernel as int16, where they fill whole words row by row. */
MOTE_FN void mote_dsp_gather_inside(const mote_conv *op, const int8_t *input, int32_t row, int32_t column,
                                    int32_t pixel, int32_t pixels, int32_t *patch) {
    const int32_t run = op->kernel_w * op->in_c;
    const int32_t pitch = op->dilation_h * op->in_w * op->in_c;
    int32_t from = (row * op->in_w + column) * op->in_c;
    int32_t *to = patch + pixel;
    int32_t ky;
    for (ky = op->kernel_h; ky > 0; ky--) {
        if (row < 0 || row >= op->in_h) {
            mote_dsp_widen_value(op->in_zero, run, 0, 0, pixels, to);
        } else {
            (void)mote_dsp_widen4(input + from, run >> 2, to, 4 * pixels);
        }
        from += pitch;
        to += (run >> 1) * pixels;
        row += op->dilation_h;
    }
}

/*
 * The inputs under the kernel at output (y, x) as int16. The kernel's columns fall into stretches that lie beside the
 * input or over it; of each stretch all kernel rows in turn.
 */
MOTE_FN void mote_dsp_gather(const mote_conv *op, const int8_t *input, int32_t y, int32_t x, int32_t pixel,
                             int32_t pixels, int32_t *patch) {
    const int32_t top = y * op->stride_h - op->pad_top;
    const int32_t run = op->kernel_w * op->in_c;
    int32_t column = x * op->stride_w - op->pad_left;
    int32_t kx, taps;
    if (mote_dsp_is_inside(op, column) && run % 4 == 0) {
        mote_dsp_gather_inside(op, input, top, column, pixel, pixels, patch);
        return;
    }
    for (kx = 0; kx < op->kernel_w; kx += taps) {
        const int over = column >= 0 && column < op->in_w;
        const int32_t end = over ? op->in_w : 0;
        int32_t k = kx * op->in_c;
        int32_t row, ky;
        taps = op->kernel_w - kx;
        if (op->dilation_w != 1) {
            taps = 1;
        } else if (column < end && taps > end - column) {
            taps = end - column;
        }
        row = top;
        for (ky = op->kernel_h; ky > 0; ky--) {
            if (over && row >= 0 && row < op->in_h) {
                const int8_t *from = input + (row * op->in_w + column) * op->in_c;
                mote_dsp_widen(from, taps * op->in_c, k, pixel, pixels, patch);
            } else {
                mote_dsp_widen_value(op->in_zero, taps * op->in_c, k, pixel, pixels, patch);
            }
            k += op->kernel_w * op->in_c;
            row += op->dilation_h;
        }
        column += taps * op->dilation_w;
    }
}

/* All output channels of one or two pixels whose patches lie in scratch. */
MOTE_FN void mote_dsp_matmul(const mote_conv *op, const int32_t *patch, int32_t k, int32_t pixels, int8_t *output) {
    mote_dsp_block block;
    block.x = patch;
    block.w = (const int32_t *)op->weights;
    block.bytes = (k + 3) / 4 * 16;
    block.channels = op->bias;
    block.output = output;
    block.out_c = op->out_c;
    block.offset = 2 * op->out_zero + 1;
    block.quads = op->out_c / 4;
    if (block.quads > 0) {
        if (pixels == 2) {
            mote_dsp_two_pixels(&block);
        } else {
            mote_dsp_one_pixel(&block);
        }
    }
    if (op->out_c % 4 != 0) {
        /* The last group has channels beyond the last one: its outputs take a detour. */
        int8_t outputs[8];
        const int32_t done = 4 * block.quads;
        int32_t pixel;
        block.w += block.quads * (block.bytes / 4);
        block.channels += 9 * block.quads;
        block.output = outputs;
        block.out_c = 4;
        block.quads = 1;
        if (pixels == 2) {
            mote_dsp_two_pixels(&block);
        } else {
            mote_dsp_one_pixel(&block);
        }
        for (pixel = 0; pixel < pixels; pixel++) {
            mote_copy_bytes(outputs + 4 * pixel, op->out_c - done, output + pixel * op->out_c + done);
        }
    }
    mote_dsp_clamp(op, output, pixels * op->out_c);
}

/*
 * Convolution of single pixels. With no more output than input channels it may write over its input: the pixels that are
 * worked on are copied first.
 */
MOTE_FN void mote_conv2d_pointwise_dsp(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    int32_t *patch = (int32_t *)scratch;
    int32_t left = op->out_h * op->out_w;
    while (left > 0) {
        const int32_t pixels = left >= 2 ? 2 : 1;
        int32_t pixel;
        for (pixel = 0; pixel < pixels; pixel++) {
            mote_dsp_widen(input, op->in_c, 0, pixel, pixels, patch);
            input += op->in_c;
        }
        mote_dsp_matmul(op, patch, op->in_c, pixels, output);
        output += pixels * op->out_c;
        left -= pixels;
    }
}

/* Convolution by a kernel of more than one pixel, one group. */
MOTE_FN void mote_conv2d_dsp(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t k = op->kernel_h * op->kernel_w * op->in_c;
    const int32_t total = op->out_h * op->out_w;
    int32_t *patch = (int32_t *)scratch;
    int32_t y = 0;
    int32_t x = 0;
    int32_t at = 0;
    while (at < total) {
        const int32_t pixels = total - at >= 2 ? 2 : 1;
        int32_t pixel;
        for (pixel = 0; pixel < pixels; pixel++) {
            mote_dsp_gather(op, input, y, x, pixel, pixels, patch);
            x++;
            if (x == op->out_w) {
                x = 0;
                y++;
            }
        }
        mote_dsp_matmul(op, patch, k, pixels, output);
        output += pixels * op->out_c;
        at += pixels;
    }
}

/* Words of a band, unless two pixels need more. */
#define MOTE_BAND_WORDS 256

MOTE_FN int32_t mote_dsp_pair(int32_t first, int32_t second) {
    return (int32_t)(((uint32_t)first & 0xffffu) | (uint32_t)second << 16);
}

/*
 * `pairs` pairs of columns, of each all kernel rows, as int16 into every `pixels`th word of a band: what lies under a row
 * of outputs from a value of the rows on, which may be beside them.
 */
MOTE_FN void mote_dsp_expand(const mote_conv *op, const int8_t *input, int32_t row, int32_t start, int32_t pairs,
                             int32_t pixels, int32_t *band) {
    const int32_t length = op->in_w * op->in_c;
    const int32_t step = op->kernel_h * pixels;
    const int32_t pitch = op->dilation_h * length;
    const int32_t end = start + 2 * pairs < length ? start + 2 * pairs : length;
    mote_dsp_rows rows;
    int32_t i;
    rows.rows = op->kernel_h;
    if (row < 0 || row + (op->kernel_h - 1) * op->dilation_h >= op->in_h) {
        int32_t *word = band;
        for (i = pairs * op->kernel_h; i > 0; i--) {
            *word = mote_dsp_pair(op->in_zero, op->in_zero);
            word += pixels;
        }
        for (; row < 0 && rows.rows > 0; rows.rows--) {
            row += op->dilation_h;
            band += pixels;
        }
        while (rows.rows > 0 && row + (rows.rows - 1) * op->dilation_h >= op->in_h) {
            rows.rows--;
        }
        if (rows.rows == 0) {
            return;
        }
    }
    input += row * length;
    rows.step = 4 * step;
    while (pairs > 0) {
        if (start >= 0 && end - start > 3) {
            rows.groups = (end - start) >> 2;
            rows.from_jump = pitch - 4 * rows.groups;
            rows.to_jump = 4 * pixels - 8 * rows.groups * step;
            mote_dsp_widen_rows(input + start, band, &rows);
            band += rows.groups * 2 * step;
            start += 4 * rows.groups;
            pairs -= 2 * rows.groups;
        } else {
            int32_t *word = band;
            int32_t at = start;
            for (i = rows.rows; i > 0; i--) {
                const int32_t first = start >= 0 && start < length ? input[at] : op->in_zero;
                const int32_t second = start >= -1 && start + 1 < length ? input[at + 1] : op->in_zero;
                *word = mote_dsp_pair(first, second);
                word += pixels;
                at += pitch;
            }
            band += step;
            start += 2;
            pairs--;
        }
    }
}

/*
 * Convolution by a kernel of few inputs, or with rows whose inputs are no multiple of four, without gaps along the row. What
 * lies under a block of pixels in a row is expanded at once, column by column: for each pair of values in a row of the
 * input all kernel rows, of each the pair itself and the one a pixel further on. So the inputs of two pixels lie one after
 * another, and are shared with the pixels beside them. Scratch: MOTE_BAND_WORDS, or what two pixels or the row need.
 */
MOTE_FN void mote_conv2d_band_dsp(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t pitch = op->stride_w * op->in_c;
    const int32_t run = op->kernel_w * op->in_c;
    const int32_t pairs = (run + 1) / 2;
    const int32_t rows = op->kernel_h;
    const int32_t spare = MOTE_BAND_WORDS / (2 * rows) - pairs;
    int32_t *band = (int32_t *)scratch;
    int32_t wide = 2;
    int32_t row = -op->pad_top;
    int32_t x, y;
    if (pitch < run && spare >= pitch) {
        wide += spare / pitch * 2;
    }
    for (y = op->out_h; y > 0; y--) {
        int32_t start = -op->pad_left * op->in_c;
        for (x = op->out_w; x > 0;) {
            const int32_t pixels = x > 1 ? 2 : 1;
            const int32_t count = x < wide ? x - x % pixels : wide;
            const int32_t columns = pairs + (count - 1) / 2 * pitch;
            int32_t i;
            for (i = 0; i < pixels; i++) {
                mote_dsp_expand(op, input, row, start + i * pitch, columns, pixels, band + i);
            }
            for (i = 0; i < count; i += pixels) {
                mote_dsp_matmul(op, band + i * pitch * rows, 2 * pairs * rows, pixels, output);
                output += pixels * op->out_c;
            }
            start += count * pitch;
            x -= count;
        }
        row += op->stride_h;
    }
}

#endif
