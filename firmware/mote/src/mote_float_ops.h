/*
 * Float32 layers, for networks and parts of networks that are not quantized. Values are [H][W][C], C last; a buffer may
 * share bytes with the input of its op as far as src/emit/float-overlap.ts says.
 */
#ifndef MOTE_FLOAT_OPS_H
#define MOTE_FLOAT_OPS_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"
#include "mote_math.h"

/* Clamp of an activation: 0 none, 1 ReLU, 2 ReLU6. */
MOTE_FN float mote_float_activate(float value, int32_t activation) {
    if (activation != 0 && value < 0.0f) {
        value = 0.0f;
    }
    if (activation == 2 && value > 6.0f) {
        value = 6.0f;
    }
    return value;
}

/* Sum of products of weights in flash and values. Four sums: shorter chains of additions, and smaller errors. */
MOTE_FN float mote_float_dot(const float *weights, const float *values, int32_t count) {
    float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
    for (; count >= 4; count -= 4) {
        a += MOTE_FLASH_F32(weights) * values[0];
        b += MOTE_FLASH_F32(weights + 1) * values[1];
        c += MOTE_FLASH_F32(weights + 2) * values[2];
        d += MOTE_FLASH_F32(weights + 3) * values[3];
        weights += 4;
        values += 4;
    }
    for (; count > 0; count--) {
        a += MOTE_FLASH_F32(weights) * *values;
        weights++;
        values++;
    }
    return (a + b) + (c + d);
}

/* rows x inputs -> rows x units; weights [units][inputs]. */
MOTE_FN void mote_float_fully_connected(const float *input, int32_t rows, int32_t inputs, int32_t units,
                                        const float *weights, const float *bias, int32_t activation, float *output) {
    int32_t row, unit;
    for (row = 0; row < rows; row++) {
        const float *w = weights;
        for (unit = 0; unit < units; unit++) {
            const float sum = MOTE_FLASH_F32(bias + unit) + mote_float_dot(w, input, inputs);
            *output++ = mote_float_activate(sum, activation);
            w += inputs;
        }
        input += inputs;
    }
}

typedef struct {
  int32_t in_h, in_w, in_c, out_h, out_w, out_c;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t groups, activation;
} mote_float_window;

/* Parameters in flash, where code can read them: on AVR a copy, elsewhere they themselves. */
MOTE_FN const mote_float_window *mote_load_float_window(const mote_float_window *at, mote_float_window *copy) {
#if defined(__AVR__)
    memcpy_P(copy, at, sizeof *copy);
    return copy;
#else
    (void)copy;
    return at;
#endif
}

/* The first tap of a row or column of taps that is inside: 0 unless the window starts in the padding before. */
MOTE_FN int32_t mote_float_first_tap(int32_t start, int32_t dilation) {
    return start >= 0 ? 0 : (-start + dilation - 1) / dilation;
}

/* The end of the taps that are inside an input of the given size. */
MOTE_FN int32_t mote_float_last_tap(int32_t start, int32_t dilation, int32_t taps, int32_t size) {
    const int32_t inside = start < size ? (size - start + dilation - 1) / dilation : 0;
    return inside < taps ? inside : taps;
}

/* Weights [out_c][kernel_h][kernel_w][in_c / groups]. */
MOTE_FN void mote_float_conv2d(const mote_float_window *op, const float *input, const float *weights,
                               const float *bias, float *output) {
    const int32_t in_c = op->in_c / op->groups;
    const int32_t out_c = op->out_c / op->groups;
    /* Taps side by side, over all channels, are one run of weights and one of inputs. */
    const int32_t joined = op->dilation_w == 1 && op->groups == 1;
    int32_t y, x, channel, ky, kx;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = y * op->stride_h - op->pad_top;
        const int32_t first_y = mote_float_first_tap(top, op->dilation_h);
        const int32_t last_y = mote_float_last_tap(top, op->dilation_h, op->kernel_h, op->in_h);
        for (x = 0; x < op->out_w; x++) {
            const int32_t left = x * op->stride_w - op->pad_left;
            const int32_t first_x = mote_float_first_tap(left, op->dilation_w);
            const int32_t last_x = mote_float_last_tap(left, op->dilation_w, op->kernel_w, op->in_w);
            for (channel = 0; channel < op->out_c; channel++) {
                float sum = MOTE_FLASH_F32(bias + channel);
                for (ky = first_y; ky < last_y; ky++) {
                    const int32_t row = (top + ky * op->dilation_h) * op->in_w;
                    const float *w = weights + (channel * op->kernel_h + ky) * op->kernel_w * in_c;
                    if (joined) {
                        if (first_x < last_x) {
                            sum += mote_float_dot(w + first_x * in_c, input + (row + left + first_x) * in_c,
                                                  (last_x - first_x) * in_c);
                        }
                    } else {
                        const int32_t group = channel / out_c * in_c;
                        for (kx = first_x; kx < last_x; kx++) {
                            const float *from = input + (row + left + kx * op->dilation_w) * op->in_c + group;
                            sum += mote_float_dot(w + kx * in_c, from, in_c);
                        }
                    }
                }
                *output++ = mote_float_activate(sum, op->activation);
            }
        }
    }
}

/* Weights [kernel_h][kernel_w][out_c]. */
MOTE_FN void mote_float_depthwise(const mote_float_window *op, const float *input, const float *weights,
                                  const float *bias, float *output) {
    const int32_t multiplier = op->out_c / op->in_c;
    const int32_t step = op->dilation_w * op->in_c;
    int32_t y, x, channel, ky, kx;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = y * op->stride_h - op->pad_top;
        const int32_t first_y = mote_float_first_tap(top, op->dilation_h);
        const int32_t last_y = mote_float_last_tap(top, op->dilation_h, op->kernel_h, op->in_h);
        for (x = 0; x < op->out_w; x++) {
            const int32_t left = x * op->stride_w - op->pad_left;
            const int32_t first_x = mote_float_first_tap(left, op->dilation_w);
            const int32_t last_x = mote_float_last_tap(left, op->dilation_w, op->kernel_w, op->in_w);
            for (channel = 0; channel < op->out_c; channel++) {
                const int32_t source = channel / multiplier;
                float sum = MOTE_FLASH_F32(bias + channel);
                for (ky = first_y; ky < last_y; ky++) {
                    const int32_t row = (top + ky * op->dilation_h) * op->in_w;
                    int32_t from = (row + left + first_x * op->dilation_w) * op->in_c + source;
                    int32_t tap = (ky * op->kernel_w + first_x) * op->out_c + channel;
                    for (kx = first_x; kx < last_x; kx++) {
                        sum += MOTE_FLASH_F32(weights + tap) * input[from];
                        from += step;
                        tap += op->out_c;
                    }
                }
                *output++ = mote_float_activate(sum, op->activation);
            }
        }
    }
}

/* Largest (average == 0) or mean of the inputs under a window; padding does not count. */
MOTE_FN void mote_float_pool(const mote_float_window *op, int32_t average, const float *input, float *output) {
    int32_t y, x, channel, ky, kx;
    for (y = 0; y < op->out_h; y++) {
        const int32_t top = y * op->stride_h - op->pad_top;
        const int32_t first_y = mote_float_first_tap(top, 1);
        const int32_t last_y = mote_float_last_tap(top, 1, op->kernel_h, op->in_h);
        for (x = 0; x < op->out_w; x++) {
            const int32_t left = x * op->stride_w - op->pad_left;
            const int32_t first_x = mote_float_first_tap(left, 1);
            const int32_t last_x = mote_float_last_tap(left, 1, op->kernel_w, op->in_w);
            const float count = (float)((last_y - first_y) * (last_x - first_x));
            for (channel = 0; channel < op->out_c; channel++) {
                float sum = 0.0f;
                float largest = input[((top + first_y) * op->in_w + left + first_x) * op->in_c + channel];
                for (ky = first_y; ky < last_y; ky++) {
                    for (kx = first_x; kx < last_x; kx++) {
                        const float value = input[((top + ky) * op->in_w + left + kx) * op->in_c + channel];
                        if (value > largest) {
                            largest = value;
                        }
                        sum += value;
                    }
                }
                *output++ = mote_float_activate(average ? sum / count : largest, op->activation);
            }
        }
    }
}

/* [outer][count][inner] -> [outer][inner] */
MOTE_FN void mote_float_mean(const float *input, int32_t outer, int32_t count, int32_t inner, float *output) {
    int32_t o, i, k;
    for (o = 0; o < outer; o++) {
        for (i = 0; i < inner; i++) {
            float sum = 0.0f;
            for (k = 0; k < count;) {
                /* Parts: the error grows with the number of additions in a row. */
                const int32_t end = count - k > MOTE_SUM_BLOCK ? k + MOTE_SUM_BLOCK : count;
                float part = 0.0f;
                for (; k < end; k++) {
                    part += input[(o * count + k) * inner + i];
                }
                sum += part;
            }
            output[o * inner + i] = sum / (float)count;
        }
    }
}

/* b has b_count elements and repeats. */
MOTE_FN void mote_float_add(const float *a, const float *b, int32_t count, int32_t b_count, int32_t activation,
                            float *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        output[i] = mote_float_activate(a[i] + b[j], activation);
        j = j + 1 == b_count ? 0 : j + 1;
    }
}

MOTE_FN void mote_float_subtract(const float *a, const float *b, int32_t count, int32_t b_count, int32_t activation,
                                 float *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        output[i] = mote_float_activate(a[i] - b[j], activation);
        j = j + 1 == b_count ? 0 : j + 1;
    }
}

MOTE_FN void mote_float_mul(const float *a, const float *b, int32_t count, int32_t b_count, int32_t activation,
                            float *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        output[i] = mote_float_activate(a[i] * b[j], activation);
        j = j + 1 == b_count ? 0 : j + 1;
    }
}

/* scale and shift of the last axis, in flash. */
MOTE_FN void mote_float_scale_shift(const float *input, int32_t count, int32_t channels, const float *scale,
                                    const float *shift, float *output) {
    int32_t i;
    int32_t j = 0;
    for (i = 0; i < count; i++) {
        output[i] = input[i] * MOTE_FLASH_F32(scale + j) + MOTE_FLASH_F32(shift + j);
        j = j + 1 == channels ? 0 : j + 1;
    }
}

MOTE_FN void mote_float_clamp(const float *input, int32_t count, int32_t activation, float *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        output[i] = mote_float_activate(input[i], activation);
    }
}

MOTE_FN void mote_float_leaky_relu(const float *input, int32_t count, float alpha, float *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        output[i] = input[i] < 0.0f ? alpha * input[i] : input[i];
    }
}

MOTE_FN void mote_float_hard_swish(const float *input, int32_t count, float *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        output[i] = input[i] * mote_float_activate(input[i] + 3.0f, 2) / 6.0f;
    }
}

/*
 * e^x within 2 ulp from -87 to 88; 0 below, infinity above. e^x = 2^n e^r with |r| <= ln(2) / 2, the Taylor series of
 * e^r up to r^7: what is left out is below half an ulp.
 */
MOTE_FN float mote_exp(float x) {
    float p, r;
    int32_t n;
    if (!(x >= -87.0f)) {
        return x != x ? x : 0.0f;
    }
    if (x > 88.0f) {
        return mote_bits_float(0x7f800000u);
    }
    n = (int32_t)(x * 1.44269502f + (x < 0.0f ? -0.5f : 0.5f));
    /* ln(2) in two parts: the first has 9 bits, so its product with n is exact. */
    r = (x - (float)n * 0.693359375f) + (float)n * 0.000212194442f;
    p = 0.000198412701f;
    p = p * r + 0.00138888892f;
    p = p * r + 0.00833333377f;
    p = p * r + 0.0416666679f;
    p = p * r + 0.166666672f;
    p = p * r + 0.5f;
    p = 1.0f + (r + r * r * p);
    return p * mote_bits_float((uint32_t)(n + 127) << 23);
}

MOTE_FN void mote_float_logistic(const float *input, int32_t count, float *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        output[i] = 1.0f / (1.0f + mote_exp(-input[i]));
    }
}

/* By e^2x; near 0, where that would cancel, by the Taylor series up to x^9. */
MOTE_FN void mote_float_tanh(const float *input, int32_t count, float *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        const float x = input[i];
        if (x > -0.25f && x < 0.25f) {
            const float z = x * x;
            float p = 0.0218694881f;
            p = p * z - 0.0539682545f;
            p = p * z + 0.13333334f;
            p = p * z - 0.333333343f;
            output[i] = x + x * z * p;
        } else {
            output[i] = 1.0f - 2.0f / (mote_exp(2.0f * x) + 1.0f);
        }
    }
}

/* Over the last axis. */
MOTE_FN void mote_float_softmax(const float *input, int32_t rows, int32_t classes, float *output) {
    int32_t row, i;
    for (row = 0; row < rows; row++) {
        float largest = input[0];
        float sum = 0.0f;
        for (i = 1; i < classes; i++) {
            if (input[i] > largest) {
                largest = input[i];
            }
        }
        for (i = 0; i < classes; i++) {
            output[i] = mote_exp(input[i] - largest);
            sum += output[i];
        }
        for (i = 0; i < classes; i++) {
            output[i] /= sum;
        }
        input += classes;
        output += classes;
    }
}

/* Twins of mote_move.h for values of four bytes. Shapes have four dimensions, leading ones first. */
MOTE_FN void mote_float_copy_blocks(const float *input, int32_t rows, int32_t count, float *output, int32_t stride) {
    int32_t row, i;
    for (row = 0; row < rows; row++) {
        for (i = 0; i < count; i++) {
            output[i] = input[i];
        }
        input += count;
        output += stride;
    }
}

MOTE_FN void mote_float_gather4(const float *input, const int32_t *shape, const int32_t *step, float *output) {
    int32_t a, b, c, d;
    for (a = 0; a < shape[0]; a++) {
        for (b = 0; b < shape[1]; b++) {
            for (c = 0; c < shape[2]; c++) {
                const float *from = input + a * step[0] + b * step[1] + c * step[2];
                for (d = 0; d < shape[3]; d++) {
                    *output++ = from[d * step[3]];
                }
            }
        }
    }
}

MOTE_FN void mote_float_pad(const float *input, const int32_t *shape, const int32_t *step, int32_t first,
                            int32_t count, float *output) {
    int32_t a, b, c, d;
    for (a = 0; a < count; a++) {
        output[a] = 0.0f;
    }
    for (a = 0; a < shape[0]; a++) {
        for (b = 0; b < shape[1]; b++) {
            for (c = 0; c < shape[2]; c++) {
                float *to = output + first + a * step[0] + b * step[1] + c * step[2];
                for (d = 0; d < shape[3]; d++) {
                    to[d * step[3]] = *input++;
                }
            }
        }
    }
}

MOTE_FN void mote_float_resize_nearest(const float *input, int32_t in_w, int32_t channels, int32_t out_h,
                                       int32_t out_w, const int16_t *rows, const int16_t *columns, float *output) {
    int32_t y, x, c;
    for (y = 0; y < out_h; y++) {
        for (x = 0; x < out_w; x++) {
            const int32_t pixel = (int32_t)MOTE_FLASH_I16(rows + y) * in_w + MOTE_FLASH_I16(columns + x);
            const float *from = input + pixel * channels;
            for (c = 0; c < channels; c++) {
                *output++ = from[c];
            }
        }
    }
}

/* TFLite's QUANTIZE: clamp(round(x / scale) + zero), halves away from zero; NaN gives -128. */
MOTE_FN void mote_float_quantize(const float *input, int32_t count, float scale, int32_t zero, int8_t *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        const float value = input[i] / scale;
        int32_t whole;
        float rest;
        /* Beyond these, every zero point ends at a limit. */
        if (!(value > -256.0f)) {
            output[i] = -128;
            continue;
        }
        if (value > 256.0f) {
            output[i] = 127;
            continue;
        }
        whole = (int32_t)value;
        rest = value - (float)whole;
        whole += zero + (rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0);
        output[i] = (int8_t)(whole < -128 ? -128 : whole > 127 ? 127 : whole);
    }
}

/* TFLite's DEQUANTIZE. */
MOTE_FN void mote_float_dequantize(const int8_t *input, int32_t count, float scale, int32_t zero, float *output) {
    int32_t i;
    for (i = 0; i < count; i++) {
        output[i] = scale * (float)((int32_t)input[i] - zero);
    }
}

#endif
