/*
 * Several layers one after another, a few lines at a time: the tensors between them never exist as a whole. A line is a
 * row of [h][w][c], or a pixel where there is only one row. Each stage but the first keeps the lines of its input that
 * it still needs in a buffer of the arena; nothing is computed twice. How many lines: src/emit/stream.ts.
 * The last stage may be a fully connected layer, which sums over the lines as they come (mote_strip_dense).
 */
#ifndef MOTE_STRIPS_H
#define MOTE_STRIPS_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_conv_plain.h"
#include "mote_elementwise.h"
#include "mote_pool.h"

typedef struct {
  /* Runs a part of the layer: some lines of its output, from the lines of its input that they need. */
  void (*run)(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch);
  const mote_conv *op; /* the whole layer; of pools and element-wise stages only shapes, window and limits count */
  int32_t columns;     /* 1: lines are pixels of the only row, 0: they are rows */
  int32_t stride, lead, extent;                       /* along the lines: lead is the padding before the first */
  int32_t in_lines, in_pitch, out_lines, out_pitch;   /* lines, and bytes of a line; out_pitch 0: of the last stage, sums */
  int32_t buffer;     /* place of its input in the arena; of the first stage: not used */
  int32_t scratch;    /* place in the arena */
  int32_t side_pitch; /* bytes of a line of a second input, which is whole; 0: there is none */
} mote_stage;

/* Most stages of a run, each of at most INT16_MAX lines. */
#define MOTE_STRIP_STAGES 6

MOTE_FN int16_t mote_strip_clip(int32_t value, int32_t low, int32_t high) {
    if (value > high) {
        value = high;
    }
    return (int16_t)(value < low ? low : value);
}

/* Moves `count` bytes of a buffer to its front from where `gone` end; buffers are aligned to words. */
MOTE_FN void mote_strip_move(int8_t *buffer, int32_t gone, int32_t count) {
    if (((gone | count) & 3) == 0) {
        int32_t *to = (int32_t *)(void *)buffer;
        const int32_t *from = to + gone / 4;
        int32_t words;
        for (words = count >> 2; words > 0; words--) {
            *to++ = *from++;
        }
        return;
    }
    mote_copy_bytes(buffer + gone, count, buffer);
}

/* Parameters for a change. An assignment would call memcpy, which goes byte by byte in small C libraries. */
MOTE_FN void mote_strip_copy(const mote_conv *from, mote_conv *to) {
#if defined(__AVR__)
    (void)mote_load_conv(from, to);
#else
    to->in_h = from->in_h;
    to->in_w = from->in_w;
    to->in_c = from->in_c;
    to->out_h = from->out_h;
    to->out_w = from->out_w;
    to->out_c = from->out_c;
    to->kernel_h = from->kernel_h;
    to->kernel_w = from->kernel_w;
    to->stride_h = from->stride_h;
    to->stride_w = from->stride_w;
    to->dilation_h = from->dilation_h;
    to->dilation_w = from->dilation_w;
    to->pad_top = from->pad_top;
    to->pad_left = from->pad_left;
    to->in_zero = from->in_zero;
    to->out_zero = from->out_zero;
    to->act_min = from->act_min;
    to->act_max = from->act_max;
    to->per_channel = from->per_channel;
    to->weights = from->weights;
    to->bias = from->bias;
    to->multiplier = from->multiplier;
    to->shift = from->shift;
#endif
}

/*
 * Runs `count` stages, the last of them `strip` lines at a time. The output may lie over the input as far as
 * src/emit/stream.ts says. `side`: the second input of the stage that has one.
 */
MOTE_FN void mote_run_strips(const mote_stage *stages, int32_t count, int32_t strip, const int8_t *input,
                             const int8_t *side, int8_t *output, int8_t *arena) {
    /* For the input of each stage, and the output of the last: lines made, and lines that this turn needs. */
    int16_t made[MOTE_STRIP_STAGES + 1];
    int16_t ends[MOTE_STRIP_STAGES + 1];
    /* First line in the buffer. */
    int16_t start[MOTE_STRIP_STAGES + 1];
    const int32_t lines = stages[count - 1].out_lines;
    mote_conv part;
    int32_t k;
    for (k = 0; k <= count; k++) {
        made[k] = 0;
        start[k] = 0;
    }
    while (made[count] < lines) {
        ends[count] = mote_strip_clip(made[count] + strip, 0, lines);
        for (k = count - 1; k >= 0; k--) {
            const mote_stage *stage = stages + k;
            const int32_t end = (ends[k + 1] - 1) * stage->stride - stage->lead + stage->extent;
            ends[k] = mote_strip_clip(end, made[k], stage->in_lines);
        }
        start[0] = mote_strip_clip(made[1] * stages[0].stride - stages[0].lead, 0, ends[0]);
        made[0] = ends[0];
        for (k = 0; k < count; k++) {
            const mote_stage *stage = stages + k;
            const int32_t first = made[k + 1];
            const int32_t lead = stage->lead - first * stage->stride + start[k];
            int8_t *buffer = arena + stage->buffer;
            const int8_t *from = k == 0 ? input + start[0] * stage->in_pitch : buffer;
            int8_t *to = output;
            if (ends[k + 1] > first) {
                if (k + 1 < count) {
                    to = arena + stage[1].buffer;
                }
                mote_strip_copy(stage->op, &part);
                if (stage->columns) {
                    part.in_w = ends[k] - start[k];
                    part.out_w = ends[k + 1] - first;
                    part.pad_left = lead;
                } else {
                    part.in_h = ends[k] - start[k];
                    part.out_h = ends[k + 1] - first;
                    part.pad_top = stage->out_pitch > 0 ? lead : first;
                }
                if (stage->side_pitch > 0) {
                    part.shift = side + first * stage->side_pitch;
                }
                stage->run(&part, from, to + (first - start[k + 1]) * stage->out_pitch, arena + stage->scratch);
                made[k + 1] = ends[k + 1];
            }
            if (k > 0) {
                /* What the next turn needs goes to the front; what it skips may not have been made yet. */
                const int16_t next = mote_strip_clip(made[k + 1] * stage->stride - stage->lead, 0, made[k]);
                if (next > start[k]) {
                    const int32_t gone = (next - start[k]) * stage->in_pitch;
                    mote_strip_move(buffer, gone, (made[k] - next) * stage->in_pitch);
                    start[k] = next;
                }
            }
        }
    }
}

/* The kernels without scratch, in the form of a stage. */
MOTE_FN void mote_strip_pointwise(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    (void)scratch;
    mote_conv2d_pointwise(part, input, output);
}

MOTE_FN void mote_strip_pool(const mote_conv *part, mote_pool *pool) {
    pool->in_h = part->in_h;
    pool->in_w = part->in_w;
    pool->channels = part->in_c;
    pool->out_h = part->out_h;
    pool->out_w = part->out_w;
    pool->kernel_h = part->kernel_h;
    pool->kernel_w = part->kernel_w;
    pool->stride_h = part->stride_h;
    pool->stride_w = part->stride_w;
    pool->pad_top = part->pad_top;
    pool->pad_left = part->pad_left;
    pool->act_min = part->act_min;
    pool->act_max = part->act_max;
}

MOTE_FN void mote_strip_max_pool(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    mote_pool pool;
    (void)scratch;
    mote_strip_pool(part, &pool);
    mote_max_pool(&pool, input, output);
}

MOTE_FN void mote_strip_average_pool(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    mote_pool pool;
    (void)scratch;
    mote_strip_pool(part, &pool);
    mote_average_pool(&pool, input, output);
}

/* Adds to four sums the products of k inputs and of four rows of weights. */
MOTE_FN void mote_strip_dot4(const int8_t *x, const int8_t *const *w, int32_t k, int32_t *sums) {
#if defined(__wasm_simd128__) || (defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1))
    mote_simd_dot4(x, w, k, sums);
#else
    const int8_t *w0 = w[0];
    const int8_t *w1 = w[1];
    const int8_t *w2 = w[2];
    const int8_t *w3 = w[3];
    int32_t s0 = sums[0];
    int32_t s1 = sums[1];
    int32_t s2 = sums[2];
    int32_t s3 = sums[3];
    int32_t i;
    for (i = 0; i < k; i++) {
        const int32_t value = x[i];
        s0 += value * MOTE_FLASH_I8(w0 + i);
        s1 += value * MOTE_FLASH_I8(w1 + i);
        s2 += value * MOTE_FLASH_I8(w2 + i);
        s3 += value * MOTE_FLASH_I8(w3 + i);
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
#endif
}

/*
 * A fully connected layer whose inputs are all lines one after another: kernel_h lines of in_c inputs each. The part is
 * in_h of them, from line pad_top on. Scratch: 16 bytes for every four channels, kept from part to part; the output is
 * written with the last line.
 */
MOTE_FN void mote_strip_dense(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    const int32_t pitch = part->kernel_h * part->in_c;
    int32_t *sums = (int32_t *)scratch;
    int32_t channel, row;
    for (channel = 0; channel < part->out_c; channel += 4) {
        const int32_t last = part->out_c - 1 - channel;
        const int8_t *w[4];
        for (row = 0; row < 4; row++) {
            /* Of fewer than four that are left, the last one is repeated. */
            const int32_t own = channel + (row < last ? row : last);
            w[row] = (const int8_t *)part->weights + own * pitch + part->pad_top * part->in_c;
            if (part->pad_top == 0) {
                sums[channel + row] = MOTE_FLASH_I32(part->bias + own);
            }
        }
        mote_strip_dot4(input, w, part->in_h * part->in_c, sums + channel);
    }
    if (part->pad_top + part->in_h == part->kernel_h) {
        for (channel = 0; channel < part->out_c; channel++) {
            output[channel] = mote_requantize(part, sums[channel], channel);
        }
    }
}

/* `weights`: the table. */
MOTE_FN void mote_strip_lookup(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    (void)scratch;
    mote_lookup(input, part->out_h * part->out_w * part->out_c, (const int8_t *)part->weights, output);
}

/* `weights`: the mote_add_params; `shift`: the second input; per_channel 1: that is the first operand. */
MOTE_FN void mote_strip_add(const mote_conv *part, const int8_t *input, int8_t *output, void *scratch) {
    mote_add_params copy;
    const mote_add_params *params = mote_load_add((const mote_add_params *)part->weights, &copy);
    const int32_t count = part->out_h * part->out_w * part->out_c;
    (void)scratch;
    if (part->per_channel) {
        mote_add(params, part->shift, input, count, count, output);
    } else {
        mote_add(params, input, part->shift, count, count, output);
    }
}

#endif
