/*
 * Weighted int8 layers on cores with the DSP extension (Cortex-M4, M7, M33) over weights as TensorFlow lays them out, as
 * packs hold them: each output channel a row of k weights. Two pixels and two channels at a time, or one pixel and four:
 * SXTB16 takes every word of four weights or inputs apart, SMLAD multiplies two pairs. What is compiled into a header
 * has its weights arranged instead (mote_conv_dsp.h), which saves half of the unpacking.
 *
 * Every function in assembly has a portable twin that gives the same bytes.
 * All layers: every shift at most -1; |bias| + 256 * sum |w| below 2^29. Scratch and overlaps as in mote_conv_plain.h.
 */
#ifndef MOTE_ROWS_DSP_H
#define MOTE_ROWS_DSP_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_conv_plain.h"

/* A function with buffers, or called from many places: not inlined, so that stack and code are needed once. */
#define MOTE_ROWS_CALL static __attribute__((noinline, unused))

/* Channels whose sums are kept before they are rescaled, a multiple of four. */
#define MOTE_ROWS_BLOCK 32
/* Most inputs under a kernel of which two pixels are worked on at a time. */
#define MOTE_ROWS_PATCH 128

/* What the inner functions work on; the assembly knows the offsets and counts in place. */
typedef struct {
  const int8_t *x; /* inputs of the first pixel; those of the second follow behind k bytes */
  const int8_t *w; /* rows of the channels, one behind the other */
  int32_t k;       /* at least four */
  int32_t *sums;   /* of the first pixel; those of the second MOTE_ROWS_BLOCK further on */
  int32_t groups;  /* of two channels (two pixels) or four (one pixel), at least one */
} mote_rows_block;

/* The same for one pixel of a depthwise layer with kernels three wide. */
typedef struct {
  const int8_t *const *rows; /* for each kernel row the first tap of channel 0 */
  const int8_t *w;           /* first tap of the first channel */
  int32_t kernel_h;
  int32_t pitch;             /* channels: from tap to tap, of weights and of inputs */
  int32_t *sums;
  int32_t offset;            /* from there to the first tap of the first channel, in bytes */
  int32_t groups;            /* of four channels, at least one */
} mote_rows_taps;

/* What rescaling reads; the assembly takes all of it at once. */
typedef struct {
  const int32_t *sums;       /* of the first pixel; those of the second MOTE_ROWS_BLOCK further on */
  const int32_t *bias;
  const int32_t *multiplier;
  const int8_t *shift;
  int32_t step;              /* from one multiplier to the next, in bytes: 4, or 0 when all channels share one */
  int32_t offset;            /* 2 * zero point of the output + 1 */
  int8_t *output;
  int32_t out_c;             /* from one pixel of the output to the next */
  const int32_t *end;        /* of the sums of the first pixel */
} mote_rows_scale;

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
/* A whole function in assembly: compilers spill registers in these loops. Callers must not look into it. */
#if defined(__clang__)
#define MOTE_ROWS_NAKED static __attribute__((naked, noinline, unused))
#else
#define MOTE_ROWS_NAKED static __attribute__((naked, noipa, unused))
#endif
#define MOTE_ROWS_REGISTER __attribute__((unused))

/* Two pixels, two channels, four inputs: loads, products. 21 cycles for 16 products. */
#define MOTE_ROWS_LOAD_2X2    \
    "ldr r10,[r0,r2]\n"   \
    "ldr r8,[r0],#4\n"    \
    "ldr lr,[r1,r2]\n"    \
    "ldr r12,[r1],#4\n"
#define MOTE_ROWS_PRODUCTS_2X2       \
    "sxtb16 r9,r8,ror #8\n"      \
    "sxtb16 r8,r8\n"             \
    "sxtb16 r11,r10,ror #8\n"    \
    "sxtb16 r10,r10\n"           \
    "sxtb16 r3,r12\n"            \
    "sxtb16 r12,r12,ror #8\n"    \
    "smlad r4,r3,r8,r4\n"        \
    "smlad r5,r3,r10,r5\n"       \
    "smlad r4,r12,r9,r4\n"       \
    "smlad r5,r12,r11,r5\n"      \
    "sxtb16 r3,lr\n"             \
    "sxtb16 lr,lr,ror #8\n"      \
    "smlad r6,r3,r8,r6\n"        \
    "smlad r7,r3,r10,r7\n"       \
    "smlad r6,lr,r9,r6\n"        \
    "smlad r7,lr,r11,r7\n"
#define MOTE_ROWS_2X2 MOTE_ROWS_LOAD_2X2 MOTE_ROWS_PRODUCTS_2X2

/*
 * Inputs beyond whole fours: the last four once more, those that have been multiplied masked out. From here on, in both
 * functions: [sp] end of the whole fours, [sp, #4] block, [sp, #8] how far to step back, [sp, #12] mask.
 */
MOTE_ROWS_NAKED void mote_rows_dot_2x2(MOTE_ROWS_REGISTER mote_rows_block *block) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "sub sp,sp,#20\n"
        "str r0,[sp,#4]\n"
        "ldr r2,[r0,#8]\n"
        "ldr r1,[r0,#4]\n"
        "ldr r3,[r0]\n"
        "bic r12,r2,#3\n"
        "add r3,r3,r12\n"
        "str r3,[sp]\n"
        "and r3,r2,#3\n"
        "rsb r12,r3,#4\n"
        "cmp r3,#0\n"
        "it eq\n"
        "moveq r12,#0\n"
        "str r12,[sp,#8]\n"
        "lsl r12,r12,#3\n"
        "mov r3,#-1\n"
        "lsl r3,r3,r12\n"
        "str r3,[sp,#12]\n"
        "0:\n"
        "ldr r3,[sp,#4]\n"
        "ldr r0,[r3]\n"
        "movs r4,#0\n"
        "movs r5,#0\n"
        "movs r6,#0\n"
        "movs r7,#0\n"
        /* Sixteen inputs a turn; the first turn starts where the rest fits. */
        "ands r3,r2,#12\n"
        "beq 1f\n"
        "cmp r3,#8\n"
        "blo 4f\n"
        "beq 3f\n"
        "b 2f\n"
        "1:\n" MOTE_ROWS_2X2
        "2:\n" MOTE_ROWS_2X2
        "3:\n" MOTE_ROWS_2X2
        "4:\n" MOTE_ROWS_2X2
        "ldr r3,[sp]\n"
        "cmp r0,r3\n"
        "bne 1b\n"
        "ldr r3,[sp,#8]\n"
        "cbz r3,5f\n"
        "sub r0,r0,r3\n"
        "sub r1,r1,r3\n" MOTE_ROWS_LOAD_2X2
        "ldr r3,[sp,#12]\n"
        "and r8,r8,r3\n"
        "and r10,r10,r3\n" MOTE_ROWS_PRODUCTS_2X2
        "5:\n"
        "add r1,r1,r2\n"
        "ldr r3,[sp,#4]\n"
        "ldr r0,[r3,#12]\n"
        "str r4,[r0]\n"
        "str r6,[r0,#4]\n"
        "str r5,[r0,#128]\n"
        "str r7,[r0,#132]\n"
        "add r0,r0,#8\n"
        "str r0,[r3,#12]\n"
        "ldr r0,[r3,#16]\n"
        "subs r0,r0,#1\n"
        "str r0,[r3,#16]\n"
        "bne 0b\n"
        "add sp,sp,#20\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n");
}

/* One pixel, four channels, four inputs: 25 cycles for 16 products. */
#define MOTE_ROWS_LOAD_1X4         \
    "ldr r8,[r0],#4\n"         \
    "ldr r11,[r1,r2]\n"        \
    "ldr r12,[r1,r2,lsl #1]\n" \
    "ldr r10,[r1],#4\n"
#define MOTE_ROWS_PRODUCTS_1X4       \
    "sxtb16 r9,r8,ror #8\n"      \
    "sxtb16 r8,r8\n"             \
    "sxtb16 lr,r10\n"            \
    "sxtb16 r10,r10,ror #8\n"    \
    "smlad r4,lr,r8,r4\n"        \
    "smlad r4,r10,r9,r4\n"       \
    "ldr r10,[r3],#4\n"          \
    "sxtb16 lr,r11\n"            \
    "sxtb16 r11,r11,ror #8\n"    \
    "smlad r5,lr,r8,r5\n"        \
    "smlad r5,r11,r9,r5\n"       \
    "sxtb16 lr,r12\n"            \
    "sxtb16 r12,r12,ror #8\n"    \
    "smlad r6,lr,r8,r6\n"        \
    "smlad r6,r12,r9,r6\n"       \
    "sxtb16 lr,r10\n"            \
    "sxtb16 r10,r10,ror #8\n"    \
    "smlad r7,lr,r8,r7\n"        \
    "smlad r7,r10,r9,r7\n"
#define MOTE_ROWS_1X4 MOTE_ROWS_LOAD_1X4 MOTE_ROWS_PRODUCTS_1X4

MOTE_ROWS_NAKED void mote_rows_dot_1x4(MOTE_ROWS_REGISTER mote_rows_block *block) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "sub sp,sp,#20\n"
        "str r0,[sp,#4]\n"
        "ldr r2,[r0,#8]\n"
        "ldr r1,[r0,#4]\n"
        "ldr r3,[r0]\n"
        "bic r12,r2,#3\n"
        "add r3,r3,r12\n"
        "str r3,[sp]\n"
        "and r3,r2,#3\n"
        "rsb r12,r3,#4\n"
        "cmp r3,#0\n"
        "it eq\n"
        "moveq r12,#0\n"
        "str r12,[sp,#8]\n"
        "lsl r12,r12,#3\n"
        "mov r3,#-1\n"
        "lsl r3,r3,r12\n"
        "str r3,[sp,#12]\n"
        "0:\n"
        "ldr r3,[sp,#4]\n"
        "ldr r0,[r3]\n"
        "movs r4,#0\n"
        "movs r5,#0\n"
        "movs r6,#0\n"
        "movs r7,#0\n"
        "add r3,r2,r2,lsl #1\n"
        "add r3,r3,r1\n"
        "ands lr,r2,#12\n"
        "beq 1f\n"
        "cmp lr,#8\n"
        "blo 4f\n"
        "beq 3f\n"
        "b 2f\n"
        "1:\n" MOTE_ROWS_1X4
        "2:\n" MOTE_ROWS_1X4
        "3:\n" MOTE_ROWS_1X4
        "4:\n" MOTE_ROWS_1X4
        "ldr lr,[sp]\n"
        "cmp r0,lr\n"
        "bne 1b\n"
        "ldr lr,[sp,#8]\n"
        "cmp lr,#0\n"
        "beq 5f\n"
        "sub r0,r0,lr\n"
        "sub r1,r1,lr\n"
        "sub r3,r3,lr\n" MOTE_ROWS_LOAD_1X4
        "ldr lr,[sp,#12]\n"
        "and r8,r8,lr\n" MOTE_ROWS_PRODUCTS_1X4
        "5:\n"
        "mov r1,r3\n"
        "ldr r3,[sp,#4]\n"
        "ldr r0,[r3,#12]\n"
        "stm r0!,{r4,r5,r6,r7}\n"
        "str r0,[r3,#12]\n"
        "ldr r0,[r3,#16]\n"
        "subs r0,r0,#1\n"
        "str r0,[r3,#16]\n"
        "bne 0b\n"
        "add sp,sp,#20\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n");
}

/* One tap of four depthwise channels: inputs in r8, weights in r9. */
#define MOTE_ROWS_TAP            \
    "sxtb16 r10,r8\n"        \
    "sxtb16 lr,r9\n"         \
    "smlabb r4,r10,lr,r4\n"  \
    "smlatt r6,r10,lr,r6\n"  \
    "sxtb16 r8,r8,ror #8\n"  \
    "sxtb16 r9,r9,ror #8\n"  \
    "smlabb r5,r8,r9,r5\n"   \
    "smlatt r7,r8,r9,r7\n"

MOTE_ROWS_NAKED void mote_rows_depthwise(MOTE_ROWS_REGISTER mote_rows_taps *block) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "sub sp,sp,#12\n"
        "str r0,[sp]\n"
        "ldr r11,[r0,#12]\n"
        "ldr r2,[r0,#20]\n"
        "0:\n"
        "ldr r3,[sp]\n"
        "ldr r0,[r3]\n"
        "ldr r1,[r3,#4]\n"
        "ldr r12,[r3,#8]\n"
        "add r12,r0,r12,lsl #2\n"
        "movs r4,#0\n"
        "movs r5,#0\n"
        "movs r6,#0\n"
        "movs r7,#0\n"
        "1:\n"
        "ldr r3,[r0],#4\n"
        "add r3,r3,r2\n"
        "ldr r8,[r3]\n"
        "ldr r9,[r1]\n" MOTE_ROWS_TAP
        "ldr r8,[r3,r11]\n"
        "ldr r9,[r1,r11]\n" MOTE_ROWS_TAP
        "ldr r8,[r3,r11,lsl #1]\n"
        "ldr r9,[r1,r11,lsl #1]\n" MOTE_ROWS_TAP
        "add r1,r1,r11\n"
        "add r1,r1,r11,lsl #1\n"
        "cmp r0,r12\n"
        "bne 1b\n"
        "add r2,r2,#4\n"
        "ldr r3,[sp]\n"
        "ldr r1,[r3,#4]\n"
        "add r1,r1,#4\n"
        "str r1,[r3,#4]\n"
        "ldr r0,[r3,#16]\n"
        "stm r0!,{r4,r5,r6,r7}\n"
        "str r0,[r3,#16]\n"
        "ldr r0,[r3,#24]\n"
        "subs r0,r0,#1\n"
        "str r0,[r3,#24]\n"
        "bne 0b\n"
        "add sp,sp,#12\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n");
}

/*
 * One output, from its sum and r9 twice the bias, r10 the multiplier, r11 the shift as ~shift, r5 the offset: an 8-bit
 * number. The product is rounded to nearest, the shift to nearest with ties away from zero.
 */
#define MOTE_ROWS_OUTPUT(sum)                    \
    "add " sum ",r9," sum ",lsl #1\n"       \
    "smmulr " sum "," sum ",r10\n"          \
    "add " sum "," sum "," sum ",asr #31\n" \
    "asr " sum "," sum ",r11\n"             \
    "add " sum "," sum ",r5\n"              \
    "ssat " sum ",#8," sum ",asr #1\n"

/* Two pixels, one or more channels: 28 cycles for two outputs. */
MOTE_ROWS_NAKED void mote_rows_rescale_two(MOTE_ROWS_REGISTER const mote_rows_scale *scale) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "ldm r0,{r0,r1,r2,r3,r4,r5,r6,r7,r8}\n"
        "1:\n"
        "ldr r9,[r1],#4\n"
        "ldr r10,[r2]\n"
        "ldrsb r11,[r3]\n"
        "ldr lr,[r0,#128]\n"
        "ldr r12,[r0],#4\n"
        "add r2,r2,r4\n"
        "add r3,r3,r4,lsr #2\n"
        "lsl r9,r9,#1\n"
        "mvn r11,r11\n" MOTE_ROWS_OUTPUT("r12") MOTE_ROWS_OUTPUT("lr")
        "strb lr,[r6,r7]\n"
        "strb r12,[r6],#1\n"
        "cmp r0,r8\n"
        "bne 1b\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n");
}

/* One pixel, one or more channels: 20 cycles an output. */
MOTE_ROWS_NAKED void mote_rows_rescale_one(MOTE_ROWS_REGISTER const mote_rows_scale *scale) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "ldm r0,{r0,r1,r2,r3,r4,r5,r6,r7,r8}\n"
        "1:\n"
        "ldr r9,[r1],#4\n"
        "ldr r10,[r2]\n"
        "ldrsb r11,[r3]\n"
        "ldr r12,[r0],#4\n"
        "add r2,r2,r4\n"
        "add r3,r3,r4,lsr #2\n"
        "lsl r9,r9,#1\n"
        "mvn r11,r11\n" MOTE_ROWS_OUTPUT("r12")
        "strb r12,[r6],#1\n"
        "cmp r0,r8\n"
        "bne 1b\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n");
}

/* One row of k weights: 14 cycles for four products. */
MOTE_FN int32_t mote_rows_dot(const int8_t *x, const int8_t *w, int32_t k) {
    const int8_t *end = x + (k & ~3);
    int32_t sum = 0;
    int32_t i;
    uint32_t a, b, c, d;
    __asm volatile(
        "b 2f\n"
        "1:\n"
        "ldr %[a],[%[x]],#4\n"
        "ldr %[b],[%[w]],#4\n"
        "sxtb16 %[c],%[a]\n"
        "sxtb16 %[d],%[b]\n"
        "sxtb16 %[a],%[a],ror #8\n"
        "sxtb16 %[b],%[b],ror #8\n"
        "smlad %[sum],%[c],%[d],%[sum]\n"
        "smlad %[sum],%[a],%[b],%[sum]\n"
        "2:\n"
        "cmp %[x],%[end]\n"
        "bne 1b\n"
        : [x] "+&r"(x), [w] "+&r"(w), [sum] "+&r"(sum), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d)
        : [end] "r"(end)
        : "memory", "cc");
    for (i = 0; i < (k & 3); i++) {
        sum += x[i] * w[i];
    }
    return sum;
}

/* `words` words at any address, at least one. */
MOTE_FN void mote_rows_copy4(const int8_t *from, int32_t words, int8_t *to) {
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

MOTE_FN void mote_rows_fill4(int32_t value, int32_t words, int8_t *to) {
    const uint32_t word = ((uint32_t)value & 0xffu) * 0x01010101u;
    __asm volatile(
        "1:\n"
        "subs %[words],%[words],#1\n"
        "str %[word],[%[to]],#4\n"
        "bne 1b\n"
        : [to] "+&r"(to), [words] "+&r"(words)
        : [word] "r"(word)
        : "memory", "cc");
}
#else
MOTE_FN void mote_rows_dot_2x2(mote_rows_block *block) {
    int32_t channel, pixel, i;
    for (channel = 0; channel < 2 * block->groups; channel++) {
        for (pixel = 0; pixel < 2; pixel++) {
            const int8_t *x = block->x + pixel * block->k;
            int32_t sum = 0;
            for (i = 0; i < block->k; i++) {
                sum += x[i] * block->w[i];
            }
            block->sums[pixel * MOTE_ROWS_BLOCK + channel] = sum;
        }
        block->w += block->k;
    }
}

MOTE_FN void mote_rows_dot_1x4(mote_rows_block *block) {
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

MOTE_FN void mote_rows_depthwise(mote_rows_taps *block) {
    int32_t i, ky, kx;
    for (i = 0; i < 4 * block->groups; i++) {
        const int8_t *w = block->w + i;
        int32_t sum = 0;
        for (ky = 0; ky < block->kernel_h; ky++) {
            for (kx = 0; kx < 3; kx++) {
                sum += block->rows[ky][block->offset + i + kx * block->pitch] * *w;
                w += block->pitch;
            }
        }
        block->sums[i] = sum;
    }
}

MOTE_FN void mote_rows_rescale_one(const mote_rows_scale *scale) {
    const int32_t *sum = scale->sums;
    int32_t i = 0;
    for (; sum != scale->end; sum++) {
        const int32_t at = i * scale->step / 4;
        const int32_t right = ~(int32_t)scale->shift[at];
        int32_t value = mote_srdhm(*sum + scale->bias[i], scale->multiplier[at]);
        value += value >> 31;
        value = ((value >> right) + scale->offset) >> 1;
        scale->output[i] = (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
        i++;
    }
}

MOTE_FN void mote_rows_rescale_two(const mote_rows_scale *scale) {
    mote_rows_scale second = *scale;
    mote_rows_rescale_one(scale);
    second.sums += MOTE_ROWS_BLOCK;
    second.end += MOTE_ROWS_BLOCK;
    second.output += scale->out_c;
    mote_rows_rescale_one(&second);
}

MOTE_FN int32_t mote_rows_dot(const int8_t *x, const int8_t *w, int32_t k) {
    int32_t sum = 0;
    int32_t i;
    for (i = 0; i < k; i++) {
        sum += x[i] * w[i];
    }
    return sum;
}

MOTE_FN void mote_rows_copy4(const int8_t *from, int32_t words, int8_t *to) { mote_copy_bytes(from, 4 * words, to); }

MOTE_FN void mote_rows_fill4(int32_t value, int32_t words, int8_t *to) { mote_fill_bytes(value, 4 * words, to); }
#endif

MOTE_FN void mote_rows_fill(int32_t value, int32_t count, int8_t *to) {
    const int32_t words = count >> 2;
    if (words > 0) {
        mote_rows_fill4(value, words, to);
        to += 4 * words;
    }
    mote_fill_bytes(value, count & 3, to);
}

MOTE_FN void mote_rows_copy(const int8_t *from, int32_t count, int8_t *to) {
    const int32_t words = count >> 2;
    if (words > 0) {
        mote_rows_copy4(from, words, to);
        from += 4 * words;
        to += 4 * words;
    }
    mote_copy_bytes(from, count & 3, to);
}

/* Sums of `count` channels from `channel` on, of one or two pixels, to outputs. */
MOTE_FN void mote_rows_rescale(const mote_conv *op, const int32_t *sums, int32_t channel, int32_t count,
                               int32_t pixels, int8_t *output) {
    const int32_t c = op->per_channel ? channel : 0;
    mote_rows_scale scale;
    scale.sums = sums;
    scale.bias = op->bias + channel;
    scale.multiplier = op->multiplier + c;
    scale.shift = op->shift + c;
    scale.step = op->per_channel ? 4 : 0;
    scale.offset = 2 * op->out_zero + 1;
    scale.output = output + channel;
    scale.out_c = op->out_c;
    scale.end = sums + count;
    if (pixels > 1) {
        mote_rows_rescale_two(&scale);
    } else {
        mote_rows_rescale_one(&scale);
    }
}

/* Clamps `count` outputs, where an activation asks for more than the range of int8. */
MOTE_FN void mote_rows_clamp(const mote_conv *op, int8_t *output, int32_t count) {
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

MOTE_FN void mote_rows_dots(mote_rows_block *block, int32_t pixels) {
    if (pixels > 1) {
        mote_rows_dot_2x2(block);
    } else {
        mote_rows_dot_1x4(block);
    }
}

/* All output channels of one or two pixels. x: the k inputs of one, then of the other; k at least four. */
MOTE_ROWS_CALL void mote_rows_matmul(const mote_conv *op, const int8_t *x, int32_t k, int32_t pixels, int8_t *output) {
    const int8_t *weights = (const int8_t *)op->weights;
    const int32_t together = pixels > 1 ? 2 : 4;
    int32_t sums[2 * MOTE_ROWS_BLOCK];
    int32_t channel, i;
    for (channel = 0; channel < op->out_c; channel += MOTE_ROWS_BLOCK) {
        const int32_t left = op->out_c - channel;
        const int32_t count = left < MOTE_ROWS_BLOCK ? left : MOTE_ROWS_BLOCK;
        mote_rows_block block;
        block.x = x;
        block.w = weights + channel * k;
        block.k = k;
        block.sums = sums;
        block.groups = count / together;
        if (block.groups == 0) {
            for (i = 0; i < count; i++) {
                sums[i] = mote_rows_dot(x, block.w, k);
                if (pixels > 1) {
                    sums[MOTE_ROWS_BLOCK + i] = mote_rows_dot(x + k, block.w, k);
                }
                block.w += k;
            }
        } else {
            mote_rows_dots(&block, pixels);
            if (count % together != 0) {
                /* The last few once more, together with channels before them. */
                block.w = weights + (channel + count - together) * k;
                block.sums = sums + count - together;
                block.groups = 1;
                mote_rows_dots(&block, pixels);
            }
        }
        mote_rows_rescale(op, sums, channel, count, pixels, output);
    }
    mote_rows_clamp(op, output, pixels * op->out_c);
}

/* Fully connected, and 1 x 1 with stride 1: `rows` pixels that are their own patches. */
MOTE_ROWS_CALL void mote_rows_pointwise(const mote_conv *op, int32_t rows, const int8_t *input, int8_t *output) {
    const int32_t k = op->in_c;
    int8_t pair[2 * MOTE_ROWS_PATCH];
    int32_t pixels;
    for (; rows > 0; rows -= pixels) {
        pixels = rows > 1 && k <= MOTE_ROWS_PATCH ? 2 : 1;
        if (pixels > 1) {
            /* The outputs of the first may lie over the inputs of the first. */
            mote_rows_copy(input, 2 * k, pair);
            mote_rows_matmul(op, pair, k, 2, output);
        } else {
            mote_rows_matmul(op, input, k, 1, output);
        }
        input += pixels * k;
        output += pixels * op->out_c;
    }
}

/* mote_gather_patch, a word at a time. */
MOTE_FN void mote_rows_gather(const mote_conv *op, const int8_t *input, int32_t y, int32_t x, int8_t *patch) {
    const int32_t left = x * op->stride_w - op->pad_left;
    const int32_t run = op->kernel_w * op->in_c;
    const int32_t before = left < 0 ? -left * op->in_c : 0;
    const int32_t beyond = left + op->kernel_w > op->in_w ? (left + op->kernel_w - op->in_w) * op->in_c : 0;
    int32_t row = y * op->stride_h - op->pad_top;
    int32_t ky;
    if (op->dilation_w != 1) {
        mote_gather_patch(op, input, y, x, patch);
        return;
    }
    for (ky = op->kernel_h; ky > 0; ky--) {
        if (row < 0 || row >= op->in_h) {
            mote_rows_fill(op->in_zero, run, patch);
        } else {
            const int8_t *from = input + row * op->in_w * op->in_c;
            if (before > 0) {
                mote_rows_fill(op->in_zero, before, patch);
                mote_rows_copy(from, run - before - beyond, patch + before);
            } else {
                mote_rows_copy(from + left * op->in_c, run - beyond, patch);
            }
            if (beyond > 0) {
                mote_rows_fill(op->in_zero, beyond, patch + run - beyond);
            }
        }
        patch += run;
        row += op->dilation_h;
    }
}

/* Convolution, one group. */
MOTE_ROWS_CALL void mote_rows_conv2d(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t k = op->kernel_h * op->kernel_w * op->in_c;
    int8_t pair[2 * MOTE_ROWS_PATCH];
    int8_t *patch = k <= MOTE_ROWS_PATCH ? pair : (int8_t *)scratch;
    int32_t left = op->out_h * op->out_w;
    int32_t y = 0;
    int32_t x = 0;
    int32_t pixels, pixel;
    for (; left > 0; left -= pixels) {
        pixels = left > 1 && k <= MOTE_ROWS_PATCH ? 2 : 1;
        for (pixel = 0; pixel < pixels; pixel++) {
            mote_rows_gather(op, input, y, x, patch + pixel * k);
            x++;
            if (x == op->out_w) {
                x = 0;
                y++;
            }
        }
        mote_rows_matmul(op, patch, k, pixels, output);
        output += pixels * op->out_c;
    }
}

/* mote_ring_load, a word at a time. */
MOTE_FN void mote_rows_ring_load(const mote_conv *op, const int8_t *input, int32_t row, int8_t *to) {
    const int32_t width = mote_ring_width(op);
    int32_t copied = width - op->pad_left;
    if (copied > op->in_w) {
        copied = op->in_w;
    }
    if (row < 0 || row >= op->in_h || copied < 1) {
        mote_rows_fill(op->in_zero, width * op->in_c, to);
        return;
    }
    mote_rows_fill(op->in_zero, op->pad_left * op->in_c, to);
    to += op->pad_left * op->in_c;
    mote_rows_copy(input + row * op->in_w * op->in_c, copied * op->in_c, to);
    mote_rows_fill(op->in_zero, (width - op->pad_left - copied) * op->in_c, to + copied * op->in_c);
}

/* Tallest kernel of the depthwise layer below. */
#define MOTE_ROWS_MAX_KERNEL 16

/* Whether mote_rows_depthwise2d takes the layer. */
MOTE_FN int mote_rows_takes_depthwise(const mote_conv *op) {
    return op->kernel_w == 3 && op->dilation_w == 1 && op->kernel_h <= MOTE_ROWS_MAX_KERNEL && op->out_c == op->in_c &&
           op->out_c % 4 == 0;
}

/* All channels of one or two neighbouring pixels; rows: for each kernel row the first tap of the first one. */
MOTE_ROWS_CALL void mote_rows_depthwise_pixels(const mote_conv *op, const int8_t *const *rows, int32_t pixels,
                                               int8_t *output) {
    int32_t sums[2 * MOTE_ROWS_BLOCK];
    int32_t channel, pixel;
    mote_rows_taps block;
    block.rows = rows;
    block.kernel_h = op->kernel_h;
    block.pitch = op->in_c;
    for (channel = 0; channel < op->out_c; channel += MOTE_ROWS_BLOCK) {
        const int32_t left = op->out_c - channel;
        const int32_t count = left < MOTE_ROWS_BLOCK ? left : MOTE_ROWS_BLOCK;
        for (pixel = 0; pixel < pixels; pixel++) {
            block.w = (const int8_t *)op->weights + channel;
            block.sums = sums + pixel * MOTE_ROWS_BLOCK;
            block.offset = channel + pixel * op->stride_w * op->in_c;
            block.groups = count / 4;
            mote_rows_depthwise(&block);
        }
        mote_rows_rescale(op, sums, channel, count, pixels, output);
    }
    mote_rows_clamp(op, output, pixels * op->out_c);
}

/* Depthwise convolution, kernels three wide, one output channel per input channel, channels a multiple of four. */
MOTE_ROWS_CALL void mote_rows_depthwise2d(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t slots = (op->kernel_h - 1) * op->dilation_h + 1;
    const int32_t pitch = mote_ring_width(op) * op->in_c;
    const int8_t *rows[MOTE_ROWS_MAX_KERNEL];
    int8_t *ring = (int8_t *)scratch;
    int32_t loaded = 0;
    int32_t y, ky, left, pixels;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = y * op->stride_h;
        if (loaded < top) {
            loaded = top;
        }
        for (; loaded < top + slots; loaded++) {
            mote_rows_ring_load(op, input, loaded - op->pad_top, ring + loaded % slots * pitch);
        }
        for (ky = 0; ky < op->kernel_h; ky++) {
            rows[ky] = ring + (top + ky * op->dilation_h) % slots * pitch;
        }
        for (left = op->out_w; left > 0; left -= pixels) {
            pixels = left > 1 ? 2 : 1;
            mote_rows_depthwise_pixels(op, rows, pixels, output);
            for (ky = 0; ky < op->kernel_h; ky++) {
                rows[ky] += pixels * op->stride_w * op->in_c;
            }
            output += pixels * op->out_c;
        }
    }
}

#endif
