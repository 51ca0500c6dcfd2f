/*
 * Fully connected int8 layers with many inputs for cores whose only multiplication is 32 x 32 -> 32 bits: the inputs are
 * widened a chunk at a time. Weights as in mote_conv_quad.h, arranged [block of channels][chunk][channel / 4][input].
 * Scratch: 4 * (MOTE_QUAD_CHUNK + 1) bytes, 4-byte aligned.
 */
#ifndef MOTE_DENSE_QUAD_H
#define MOTE_DENSE_QUAD_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_conv.h"
#include "mote_conv_quad.h"

/* Inputs in a chunk, even, and channels that are summed together, a multiple of four: QUAD_CHUNK, QUAD_CHANNELS. */
#define MOTE_QUAD_CHUNK 64
#define MOTE_QUAD_CHANNELS 32

/* out_w rows of in_c inputs. How far the output may lie over the input: src/emit/overlap.ts. */
MOTE_FN void mote_fully_connected_quad_chunks(const mote_conv *op, const int8_t *input, int8_t *output,
                                              void *scratch) {
    int32_t *patch = (int32_t *)scratch;
    int32_t sums[MOTE_QUAD_CHANNELS];
    int32_t parts[MOTE_QUAD_CHANNELS];
    int32_t row, channel, at, i;
    for (row = 0; row < op->out_w; row++) {
        const int32_t *w = (const int32_t *)op->weights;
        for (channel = 0; channel < op->out_c; channel += MOTE_QUAD_CHANNELS) {
            const int32_t left = op->out_c - channel;
            const int32_t count = left < MOTE_QUAD_CHANNELS ? left : MOTE_QUAD_CHANNELS;
            const int32_t padded = (count + 3) & ~3;
            mote_quad_scale scale;
            for (i = 0; i < padded; i++) {
                sums[i] = 0;
            }
            for (at = 0; at < op->in_c; at += MOTE_QUAD_CHUNK) {
                const int32_t rest = op->in_c - at;
                const int32_t taps = rest < MOTE_QUAD_CHUNK ? rest : MOTE_QUAD_CHUNK;
                const int32_t words = taps + (taps & 1);
                const int32_t total = mote_quad_widen(input + at, taps, patch);
                patch[taps] = 0; /* the weights of a tap beyond the last are zero */
                patch[words] = total * 128;
                mote_quad_dot(patch, w, patch + words, parts, parts + padded);
                w += padded / 4 * words;
                for (i = 0; i < padded; i++) {
                    sums[i] += parts[i];
                }
            }
            mote_quad_scale_from(op, channel, &scale);
            mote_quad_rescale(sums, output + channel, sums + count, &scale);
        }
        mote_quad_clamp(op, output, op->out_c);
        input += op->in_c;
        output += op->out_c;
    }
}

#endif
