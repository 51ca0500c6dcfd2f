/*
 * Depthwise int8 layers for cores with the DSP extension (Cortex-M4, M7, M33); one output channel per input channel, at
 * least four channels. Two kernels:
 *
 * 3 x 3 with strides 1 or 2 along the row: the ring of input rows (mote_conv_plain.h) holds each channel's pixels side by
 * side. Then SMLAD multiplies two pixels at once, a row of four pixels serves two outputs, and the weights of a channel stay
 * in registers for a whole row.
 *
 * Any other shape: pixel by pixel, four channels at a time, tap by tap.
 *
 * Weights are arranged by src/emit/weight-layout.ts. Every function in assembly has a portable twin that reads the same
 * layout and gives the same bytes. Scratch is 4-byte aligned: 3 x 3 in_c * 3 * mote_dsp_plane_pitch() bytes; otherwise 4 bytes
 * for each tap, and as in mote_conv_plain.h.
 */
#ifndef MOTE_DEPTHWISE_DSP_H
#define MOTE_DEPTHWISE_DSP_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_conv_dsp.h"
#include "mote_conv_plain.h"

/* What the kernel for single pixels works on; `channels` as in mote_dsp_block. */
typedef struct {
  const int8_t *x;         /* the pixel's place in the ring */
  const int32_t *w;        /* [group of four channels][tap] */
  const int32_t *taps;     /* from there to the taps of the first channel, bytes */
  int32_t tap_bytes;       /* 4 * taps */
  const int32_t *channels;
  int8_t *output;
  int32_t offset;          /* 2 * zero point of the output + 1 */
  int32_t quads;           /* groups of four channels, at least one */
} mote_dsp_taps;

/* One row of outputs of the 3 x 3 kernel, all channels. */
typedef struct {
  const int8_t *x;         /* first tap of the first output in channel 0 */
  const int32_t *records;  /* per channel: twice its bias, multiplier, right shift less one, three rows of weights */
  int8_t *output;
  int32_t out_c;
  int32_t offset;          /* as above */
  int32_t extent;          /* stride * outputs */
  int32_t step;            /* bytes from channel to channel */
  int32_t second, third;   /* bytes from the first kernel row to the others */
  int32_t channels;
} mote_dsp_planes;

/* From pixels of channels to channels of pixels. */
typedef struct {
  const int8_t *from;
  int8_t *to;
  int32_t pixel;           /* bytes from pixel to pixel */
  int32_t step;            /* bytes from channel to channel of the result */
  int32_t fours;           /* pixels in whole fours, at least one */
  int32_t back;            /* pixels that the last four overlap those before; 0: there are no more */
  int32_t quads;           /* groups of four channels, at least one */
} mote_dsp_turn;

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
/* One tap of four channels: 12 cycles. */
#define MOTE_TAP_DEPTHWISE       \
    "ldr r3,[r0],#4\n"        \
    "ldr r9,[r1],#4\n"        \
    "ldr r8,[r3,r2]\n"        \
    "sxtb16 r10,r8\n"         \
    "sxtb16 lr,r9\n"          \
    "smlabb r4,r10,lr,r4\n"  \
    "smlatt r6,r10,lr,r6\n"  \
    "sxtb16 r8,r8,ror #8\n"  \
    "sxtb16 r9,r9,ror #8\n"  \
    "smlabb r5,r8,r9,r5\n"   \
    "smlatt r7,r8,r9,r7\n"

MOTE_NAKED void mote_dsp_depthwise(MOTE_REGISTER const mote_dsp_taps *block) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "sub sp,sp,#20\n"
        "str r0,[sp]\n"
        "ldr r1,[r0,#16]\n"
        "str r1,[sp,#4]\n" /* channels */
        "ldr r1,[r0,#20]\n"
        "str r1,[sp,#8]\n" /* output */
        "ldr r1,[r0,#28]\n"
        "str r1,[sp,#12]\n" /* quads left */
        "ldr r1,[r0,#24]\n"
        "str r1,[sp,#16]\n" /* offset */
        "ldr r1,[r0,#4]\n"
        "ldr r2,[r0]\n" /* channel */
        "0:\n"
        "ldr r3,[sp]\n"
        "ldr r0,[r3,#8]\n"
        "ldr r3,[r3,#12]\n"
        "add r12,r0,r3\n"
        "movs r4,#0\n"
        "movs r5,#0\n"
        "movs r6,#0\n"
        "movs r7,#0\n"
        /* Four taps a turn; the first turn starts where the rest fits. */
        "ands r3,r3,#12\n"
        "beq 1f\n"
        "cmp r3,#8\n"
        "blo 4f\n"
        "beq 3f\n"
        "b 2f\n"
        "1:\n" MOTE_TAP_DEPTHWISE
        "2:\n" MOTE_TAP_DEPTHWISE
        "3:\n" MOTE_TAP_DEPTHWISE
        "4:\n" MOTE_TAP_DEPTHWISE
        "cmp r0,r12\n"
        "bne 1b\n"
        "mov r10,r2\n"
        "ldr r0,[sp,#4]\n"
        "ldr r3,[sp,#16]\n"
        "ldm r0!,{r2,r12,lr}\n"
        MOTE_OUTPUT("r4", "lsl #1")
        "ldm r0!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r5", "lsl #1")
        "ldm r0!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r6", "lsl #1")
        "ldm r0!,{r12,lr}\n"
        "lsr r2,r2,#8\n"
        MOTE_OUTPUT("r7", "lsl #1")
        "str r0,[sp,#4]\n"
        "ldr r3,[sp,#8]\n"
        "strb r4,[r3],#1\n"
        "strb r5,[r3],#1\n"
        "strb r6,[r3],#1\n"
        "strb r7,[r3],#1\n"
        "str r3,[sp,#8]\n"
        "add r2,r10,#4\n"
        "ldr r3,[sp,#12]\n"
        "subs r3,r3,#1\n"
        "str r3,[sp,#12]\n"
        "bne 0b\n"
        "add sp,sp,#20\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n");
}

/*
 * Frame of the 3 x 3 kernels: 0 twice the bias, 4 multiplier, 8 shift, 12 offset, 16 out_c, 20 end of the row, 24 record,
 * 28 channel, 32 output, 36 channels left, 40 block. r7 and r8 lead from the first kernel row to the others.
 */
#define MOTE_PLANES_BEGIN                     \
    "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n" \
    "sub sp,sp,#44\n"                        \
    "str r0,[sp,#40]\n"                      \
    "ldr r1,[r0]\n"                          \
    "str r1,[sp,#28]\n"                      \
    "ldr r1,[r0,#4]\n"                       \
    "str r1,[sp,#24]\n"                      \
    "ldr r1,[r0,#8]\n"                       \
    "str r1,[sp,#32]\n"                      \
    "ldr r1,[r0,#12]\n"                      \
    "str r1,[sp,#16]\n"                      \
    "ldr r1,[r0,#16]\n"                      \
    "str r1,[sp,#12]\n"                      \
    "ldr r1,[r0,#36]\n"                      \
    "str r1,[sp,#36]\n"                      \
    "ldr r7,[r0,#28]\n"                      \
    "ldr r8,[r0,#32]\n"

/*
 * A channel's weights, doubled so that sums come out doubled: outer taps of the rows to r1, r2, r3; middle taps of the first
 * two to the halves of r4, of the third to r5. r6 its pixels, r0 its output. 41 cycles.
 */
#define MOTE_PLANES_CHANNEL          \
    "ldr r0,[sp,#24]\n"             \
    "ldm r0!,{r1,r2,r3,r9,r10,lr}\n" \
    "str r0,[sp,#24]\n"             \
    "stm sp,{r1,r2,r3}\n"           \
    "sxtb16 r1,r9\n"                \
    "sxtb16 r2,r10\n"               \
    "sxtb16 r3,lr\n"                \
    "sxtb16 r9,r9,ror #8\n"         \
    "sxtb16 r10,r10,ror #8\n"       \
    "sxtb16 r5,lr,ror #8\n"         \
    "pkhbt r4,r9,r10,lsl #16\n"     \
    "sadd16 r1,r1,r1\n"             \
    "sadd16 r2,r2,r2\n"             \
    "sadd16 r3,r3,r3\n"             \
    "sadd16 r4,r4,r4\n"             \
    "sadd16 r5,r5,r5\n"             \
    "ldr r11,[sp,#40]\n"            \
    "ldr r6,[sp,#28]\n"             \
    "ldr r0,[sp,#32]\n"             \
    "ldr r9,[r11,#20]\n"            \
    "ldr r10,[r11,#24]\n"           \
    "add r9,r9,r6\n"                \
    "add r10,r10,r6\n"              \
    "add r11,r0,#1\n"               \
    "str r9,[sp,#20]\n"             \
    "str r10,[sp,#28]\n"            \
    "str r11,[sp,#32]\n"

/* High products with r9 of r11 and r12, rounded as TFLite does. */
#if defined(MOTE_SINGLE_ROUNDING)
#define MOTE_PLANES_HIGH    \
    "smmul r11,r11,r9\n"   \
    "smmul r12,r12,r9\n"
#else
#define MOTE_PLANES_HIGH         \
    "smmulr r11,r11,r9\n"       \
    "smmulr r12,r12,r9\n"       \
    "add r11,r11,r11,asr #31\n" \
    "add r12,r12,r12,asr #31\n"
#endif

/* Two outputs from doubled sums in r11 and r12; the second not at the end of an odd row. 24 cycles. */
#define MOTE_PLANES_OUTPUTS      \
    "ldr r9,[sp,#4]\n"          \
    "ldr r10,[sp,#8]\n"         \
    "ldr lr,[sp,#12]\n"         \
    MOTE_PLANES_HIGH            \
    "asr r11,r11,r10\n"         \
    "asr r12,r12,r10\n"         \
    "add r11,r11,lr\n"          \
    "add r12,r12,lr\n"          \
    "ssat r11,#8,r11,asr #1\n"  \
    "ssat r12,#8,r12,asr #1\n"  \
    "ldr r10,[sp,#20]\n"        \
    "ldr r9,[sp,#16]\n"         \
    "strb r11,[r0]\n"           \
    "cmp r6,r10\n"              \
    "bhi 2f\n"                  \
    "strb r12,[r0,r9]\n"        \
    "add r0,r0,r9,lsl #1\n"     \
    "bne 1b\n"                  \
    "2:\n"

#define MOTE_PLANES_END   \
    "ldr r9,[sp,#36]\n"  \
    "subs r9,r9,#1\n"    \
    "str r9,[sp,#36]\n"  \
    "bne 0b\n"           \
    "add sp,sp,#44\n"    \
    "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n"

/* Four pixels of a row, in x, for two outputs with stride 1; `b` or `t`: the half of the middle tap. */
#define MOTE_PLANES_ROW(x, outer, middle, half)        \
    "sxtb16 r10," x ",ror #8\n"                        \
    "smlab" half " r11,r10," middle ",r11\n"           \
    "smlad r12,r10," outer ",r12\n"                    \
    "sxtb16 " x "," x "\n"                              \
    "smlad r11," x "," outer ",r11\n"                  \
    "smlat" half " r12," x "," middle ",r12\n"

/* 50 cycles for 18 products. */
MOTE_NAKED void mote_dsp_depthwise3(MOTE_REGISTER const mote_dsp_planes *block) {
    __asm volatile(
        MOTE_PLANES_BEGIN
        "subs r8,r8,#2\n"
        "0:\n" MOTE_PLANES_CHANNEL
        "1:\n"
        "ldr r11,[sp]\n"
        "ldr lr,[r6,r7]\n"
        "ldr r9,[r6],#2\n"
        "mov r12,r11\n"
        MOTE_PLANES_ROW("r9", "r1", "r4", "b")
        "ldr r9,[r6,r8]\n"
        MOTE_PLANES_ROW("lr", "r2", "r4", "t")
        MOTE_PLANES_ROW("r9", "r3", "r5", "b")
        MOTE_PLANES_OUTPUTS
        MOTE_PLANES_END);
}

/* Two outputs with stride 2: each has four pixels of its own, from lr on. */
#define MOTE_PLANES_ROW_BY2(base, outer, middle, half) \
    "ldr r9,[" base "]\n"                               \
    "ldr r10,[" base ",#2]\n"                           \
    "sxtb16 lr,r9,ror #8\n"                             \
    "smlab" half " r11,lr," middle ",r11\n"            \
    "sxtb16 r9,r9\n"                                    \
    "smlad r11,r9," outer ",r11\n"                     \
    "sxtb16 lr,r10,ror #8\n"                            \
    "smlab" half " r12,lr," middle ",r12\n"            \
    "sxtb16 r10,r10\n"                                  \
    "smlad r12,r10," outer ",r12\n"

/* 63 cycles for 18 products. */
MOTE_NAKED void mote_dsp_depthwise3_by2(MOTE_REGISTER const mote_dsp_planes *block) {
    __asm volatile(
        MOTE_PLANES_BEGIN
        "0:\n" MOTE_PLANES_CHANNEL
        "1:\n"
        "ldr r11,[sp]\n"
        "mov r12,r11\n"
        MOTE_PLANES_ROW_BY2("r6", "r1", "r4", "b")
        "add lr,r6,r7\n"
        MOTE_PLANES_ROW_BY2("lr", "r2", "r4", "t")
        "add lr,r6,r8\n"
        "adds r6,r6,#4\n"
        MOTE_PLANES_ROW_BY2("lr", "r3", "r5", "b")
        MOTE_PLANES_OUTPUTS
        MOTE_PLANES_END);
}

/* 30 cycles for four pixels of four channels. SEL takes bytes 1 and 3 of its first operand. */
MOTE_NAKED void mote_dsp_transpose(MOTE_REGISTER const mote_dsp_turn *block) {
    __asm volatile(
        "push {r4,r5,r6,r7,r8,r9,r10,r11,lr}\n"
        "sub sp,sp,#16\n"
        "str r0,[sp]\n"
        "ldr r1,[r0]\n"
        "str r1,[sp,#4]\n"
        "ldr r1,[r0,#4]\n"
        "str r1,[sp,#8]\n"
        "ldr r1,[r0,#24]\n"
        "str r1,[sp,#12]\n"
        "ldr r1,[r0,#8]\n"
        "ldr r3,[r0,#12]\n"
        "mov r12,#0xff00ff00\n"
        "uadd8 r12,r12,r12\n"
        "0:\n"
        "ldr r4,[sp]\n"
        "ldr r0,[sp,#4]\n"
        "ldr r2,[sp,#8]\n"
        "ldr lr,[r4,#16]\n"
        "add r5,r0,#4\n"
        "str r5,[sp,#4]\n"
        "add r5,r2,r3,lsl #2\n"
        "str r5,[sp,#8]\n"
        "1:\n"
        "ldr r4,[r0]\n"
        "ldr r5,[r0,r1]\n"
        "add r0,r0,r1,lsl #1\n"
        "ldr r6,[r0]\n"
        "ldr r7,[r0,r1]\n"
        "add r0,r0,r1,lsl #1\n"
        "pkhbt r8,r4,r6,lsl #16\n"
        "pkhtb r9,r6,r4,asr #16\n"
        "pkhbt r10,r5,r7,lsl #16\n"
        "pkhtb r11,r7,r5,asr #16\n"
        "lsl r12,r10,#8\n"
        "sel r4,r12,r8\n"
        "lsr r12,r8,#8\n"
        "sel r5,r10,r12\n"
        "lsl r12,r11,#8\n"
        "sel r6,r12,r9\n"
        "lsr r12,r9,#8\n"
        "sel r7,r11,r12\n"
        "str r4,[r2]\n"
        "str r5,[r2,r3]\n"
        "add r12,r2,r3,lsl #1\n"
        "str r6,[r12]\n"
        "str r7,[r12,r3]\n"
        "adds r2,r2,#4\n"
        "subs lr,lr,#1\n"
        "bgt 1b\n"
        "blt 2f\n"
        /* Pixels beyond whole fours: the last four, if the counter is not below zero because it was them. */
        "ldr r4,[sp]\n"
        "ldr r5,[r4,#20]\n"
        "cmp r5,#0\n"
        "beq 2f\n"
        "subs r2,r2,r5\n"
        "mls r0,r5,r1,r0\n"
        "b 1b\n"
        "2:\n"
        "ldr r4,[sp,#12]\n"
        "subs r4,r4,#1\n"
        "str r4,[sp,#12]\n"
        "bne 0b\n"
        "add sp,sp,#16\n"
        "pop {r4,r5,r6,r7,r8,r9,r10,r11,pc}\n");
}
#else
MOTE_FN void mote_dsp_depthwise(const mote_dsp_taps *block) {
    const int32_t taps = block->tap_bytes / 4;
    const int32_t *w = block->w;
    const int32_t *channels = block->channels;
    int8_t *output = block->output;
    int32_t quad, tap, i;
    for (quad = 0; quad < block->quads; quad++) {
        int32_t sums[4] = {0, 0, 0, 0};
        for (tap = 0; tap < taps; tap++) {
            const int8_t *x = block->x + block->taps[tap] + 4 * quad;
            const uint32_t word = (uint32_t)*w++;
            for (i = 0; i < 4; i++) {
                sums[i] += x[i] * (int8_t)((word >> (8 * i)) & 0xffu);
            }
        }
        for (i = 0; i < 4; i++) {
            *output++ = mote_dsp_output(channels, i, sums[i] * 2, block->offset);
        }
        channels += 9;
    }
}

MOTE_FN void mote_dsp_depthwise3_stride(const mote_dsp_planes *block, int32_t stride) {
    int32_t channel, at, row, i;
    for (channel = 0; channel < block->channels; channel++) {
        const int32_t *record = block->records + 6 * channel;
        int8_t *output = block->output + channel;
        for (at = 0; at < block->extent; at += stride) {
            int32_t sum = 0;
            for (row = 0; row < 3; row++) {
                const int32_t distance = row == 0 ? 0 : row == 1 ? block->second : block->third;
                const int8_t *x = block->x + channel * block->step + distance + at;
                for (i = 0; i < 3; i++) {
                    sum += x[i] * (int8_t)(((uint32_t)record[3 + row] >> (8 * i)) & 0xffu);
                }
            }
            *output = mote_dsp_rescale(2 * sum + record[0], record[1], record[2], block->offset);
            output += block->out_c;
        }
    }
}

MOTE_FN void mote_dsp_depthwise3(const mote_dsp_planes *block) { mote_dsp_depthwise3_stride(block, 1); }

MOTE_FN void mote_dsp_depthwise3_by2(const mote_dsp_planes *block) { mote_dsp_depthwise3_stride(block, 2); }

MOTE_FN void mote_dsp_transpose(const mote_dsp_turn *block) {
    const int32_t pixels = block->back == 0 ? 4 * block->fours : 4 * block->fours + 4 - block->back;
    int32_t channel, at;
    for (channel = 0; channel < 4 * block->quads; channel++) {
        for (at = 0; at < pixels; at++) {
            block->to[channel * block->step + at] = block->from[at * block->pixel + channel];
        }
    }
}
#endif

/* mote_ring_load, by words. */
MOTE_FN void mote_dsp_ring_load(const mote_conv *op, const int8_t *input, int32_t row, int8_t *to) {
    const int32_t width = mote_ring_width(op);
    int32_t copied = width - op->pad_left;
    if (copied > op->in_w) {
        copied = op->in_w;
    }
    if (row < 0 || row >= op->in_h || copied < 1) {
        mote_fill_bytes(op->in_zero, width * op->in_c, to);
        return;
    }
    mote_fill_bytes(op->in_zero, op->pad_left * op->in_c, to);
    to += op->pad_left * op->in_c;
    input += row * op->in_w * op->in_c;
    {
        const int32_t bytes = copied * op->in_c;
        mote_dsp_copy4(input, bytes >> 2, to);
        mote_copy_bytes(input + (bytes & ~3), bytes & 3, to + (bytes & ~3));
        mote_fill_bytes(op->in_zero, (width - op->pad_left - copied) * op->in_c, to + bytes);
    }
}

/* Depthwise convolution of any shape. In place as mote_depthwise. */
MOTE_FN void mote_depthwise_dsp(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t slots = (op->kernel_h - 1) * op->dilation_h + 1;
    const int32_t pitch = mote_ring_width(op) * op->in_c;
    const int32_t taps = op->kernel_h * op->kernel_w;
    const int32_t quads = op->out_c / 4;
    int32_t *offsets = (int32_t *)scratch;
    int8_t *ring = (int8_t *)scratch + 4 * taps;
    mote_dsp_taps block;
    int32_t loaded = 0;
    int32_t y, x, ky, kx;
    block.taps = offsets;
    block.tap_bytes = 4 * taps;
    block.offset = 2 * op->out_zero + 1;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = y * op->stride_h;
        int32_t *offset = offsets;
        int32_t slot = top % slots;
        if (loaded < top) {
            loaded = top;
        }
        for (; loaded < top + slots; loaded++) {
            mote_dsp_ring_load(op, input, loaded - op->pad_top, ring + loaded % slots * pitch);
        }
        for (ky = 0; ky < op->kernel_h; ky++) {
            for (kx = 0; kx < op->kernel_w; kx++) {
                *offset++ = slot * pitch + kx * op->dilation_w * op->in_c;
            }
            slot += op->kernel_h > 1 ? op->dilation_h : 0;
            if (slot >= slots) {
                slot -= slots;
            }
        }
        for (x = 0; x < op->out_w; x++) {
            block.x = ring + x * op->stride_w * op->in_c;
            block.w = (const int32_t *)op->weights;
            block.channels = op->bias;
            block.output = output;
            block.quads = quads;
            mote_dsp_depthwise(&block);
            if (op->out_c % 4 != 0) {
                /* The last four channels overlap those before. */
                block.x += op->out_c - 4;
                block.w += quads * taps;
                block.channels += 9 * quads;
                block.output += op->out_c - 4;
                block.quads = 1;
                mote_dsp_depthwise(&block);
            }
            output += op->out_c;
        }
        mote_dsp_clamp(op, output - op->out_w * op->out_c, op->out_w * op->out_c);
    }
}

/* Bytes of a row of one channel: what two outputs at a time read. */
MOTE_FN int32_t mote_dsp_plane_pitch(const mote_conv *op) {
    return (op->stride_w * 2 * ((op->out_w + 1) / 2) + 2 + 3) & ~3;
}

/* Pixels of a row that kernels read. */
MOTE_FN int32_t mote_dsp_plane_pixels(const mote_conv *op) {
    const int32_t most = (op->out_w - 1) * op->stride_w + 3 - op->pad_left;
    return most < op->in_w ? most : op->in_w;
}

/* Writes `count` zero points to `rows` rows of a channel, `step` bytes from one to the next. */
MOTE_FN void mote_dsp_plane_fill(const mote_conv *op, int32_t count, int32_t rows, int32_t step, int8_t *to) {
    int32_t i;
    for (; rows > 0; rows--) {
        for (i = 0; i < count; i++) {
            to[i] = (int8_t)op->in_zero;
        }
        to += step;
    }
}

/* One input row, or padding when there is none, between the margins of a ring of channels. */
MOTE_FN void mote_dsp_plane_load(const mote_conv *op, const int8_t *input, int32_t row, int32_t step, int8_t *to) {
    const int32_t pixels = mote_dsp_plane_pixels(op);
    mote_dsp_turn block;
    to += op->pad_left;
    if (row < 0 || row >= op->in_h) {
        mote_dsp_plane_fill(op, pixels, op->in_c, step, to);
        return;
    }
    input += row * op->in_w * op->in_c;
    if (pixels < 4) {
        int32_t channel, at;
        for (channel = 0; channel < op->in_c; channel++) {
            for (at = 0; at < pixels; at++) {
                to[at] = input[at * op->in_c];
            }
            to += step;
            input++;
        }
        return;
    }
    block.from = input;
    block.to = to;
    block.pixel = op->in_c;
    block.step = step;
    block.fours = pixels / 4;
    block.back = -pixels & 3;
    block.quads = op->in_c / 4;
    mote_dsp_transpose(&block);
    if (op->in_c % 4 != 0) {
        /* The last four channels overlap those before. */
        block.from += op->in_c - 4;
        block.to += (op->in_c - 4) * step;
        block.quads = 1;
        mote_dsp_transpose(&block);
    }
}

/* Depthwise convolution, 3 x 3, `run` for its stride. In place as mote_depthwise. */
MOTE_FN void mote_depthwise3_dsp_by(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch,
                                    void (*run)(const mote_dsp_planes *)) {
    const int32_t pitch = mote_dsp_plane_pitch(op);
    const int32_t margin = op->pad_left + mote_dsp_plane_pixels(op);
    const int32_t right = (op->out_w - 1) * op->stride_w + 3 - margin;
    int8_t *ring = (int8_t *)scratch;
    mote_dsp_planes block;
    int32_t loaded = 0;
    int32_t slot = 0; /* of the first kernel row */
    int32_t y;
    mote_dsp_plane_fill(op, op->pad_left, 3 * op->in_c, pitch, ring);
    mote_dsp_plane_fill(op, right, 3 * op->in_c, pitch, ring + margin);
    block.records = (const int32_t *)op->weights;
    block.out_c = op->out_c;
    block.offset = 2 * op->out_zero + 1;
    block.extent = op->out_w * op->stride_w;
    block.step = 3 * pitch;
    block.channels = op->out_c;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = y * op->stride_h;
        const int32_t first = slot * pitch;
        if (loaded < top) {
            loaded = top;
        }
        for (; loaded < top + 3; loaded++) {
            mote_dsp_plane_load(op, input, loaded - op->pad_top, 3 * pitch, ring + loaded % 3 * pitch);
        }
        block.x = ring + first;
        block.second = (slot == 2 ? 0 : first + pitch) - first;
        block.third = (slot == 0 ? 2 * pitch : first - pitch) - first;
        block.output = output;
        run(&block);
        output += op->out_w * op->out_c;
        mote_dsp_clamp(op, output - op->out_w * op->out_c, op->out_w * op->out_c);
        slot = (slot + op->stride_h) % 3;
    }
}

MOTE_FN void mote_depthwise3_dsp(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    mote_depthwise3_dsp_by(op, input, output, scratch, mote_dsp_depthwise3);
}

MOTE_FN void mote_depthwise3_by2_dsp(const mote_conv *op, const int8_t *input, int8_t *output, void *scratch) {
    mote_depthwise3_dsp_by(op, input, output, scratch, mote_dsp_depthwise3_by2);
}

#endif
