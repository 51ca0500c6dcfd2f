/* Float32 layers, for networks that are not quantized. Plain loops, sums in the order of the weights. */
#ifndef MOTE_FLOAT_OPS_H
#define MOTE_FLOAT_OPS_H

#include <stdint.h>

#include "mote_config.h"

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

/* rows x inputs -> rows x units */
MOTE_FN void mote_float_fully_connected(const float *input, int32_t rows, int32_t inputs, int32_t units,
                                        const float *weights, const float *bias, int32_t activation, float *output) {
    int32_t row, unit, i;
    for (row = 0; row < rows; row++) {
        const float *w = weights;
        for (unit = 0; unit < units; unit++) {
            float sum = bias[unit];
            for (i = 0; i < inputs; i++) {
                sum += w[i] * input[i];
            }
            w += inputs;
            *output++ = mote_float_activate(sum, activation);
        }
        input += inputs;
    }
}

typedef struct {
  int32_t in_h, in_w, in_c, out_h, out_w, out_c;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t groups, activation;
} mote_float_window;

/* Weights [out_c][kernel_h][kernel_w][in_c / groups]. */
MOTE_FN void mote_float_conv2d(const mote_float_window *op, const float *input, const float *weights,
                               const float *bias, float *output) {
    const int32_t in_c = op->in_c / op->groups;
    const int32_t out_c = op->out_c / op->groups;
    int32_t y, x, channel, ky, kx, i;
    for (y = 0; y < op->out_h; y++) {
        for (x = 0; x < op->out_w; x++) {
            for (channel = 0; channel < op->out_c; channel++) {
                const float *w = weights + channel * op->kernel_h * op->kernel_w * in_c;
                float sum = bias[channel];
                for (ky = 0; ky < op->kernel_h; ky++) {
                    const int32_t row = y * op->stride_h - op->pad_top + ky * op->dilation_h;
                    for (kx = 0; kx < op->kernel_w; kx++) {
                        const int32_t column = x * op->stride_w - op->pad_left + kx * op->dilation_w;
                        if (row >= 0 && row < op->in_h && column >= 0 && column < op->in_w) {
                            const float *from = input + (row * op->in_w + column) * op->in_c + channel / out_c * in_c;
                            for (i = 0; i < in_c; i++) {
                                sum += w[i] * from[i];
                            }
                        }
                        w += in_c;
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
    int32_t y, x, channel, ky, kx;
    for (y = 0; y < op->out_h; y++) {
        for (x = 0; x < op->out_w; x++) {
            for (channel = 0; channel < op->out_c; channel++) {
                float sum = bias[channel];
                for (ky = 0; ky < op->kernel_h; ky++) {
                    const int32_t row = y * op->stride_h - op->pad_top + ky * op->dilation_h;
                    for (kx = 0; kx < op->kernel_w; kx++) {
                        const int32_t column = x * op->stride_w - op->pad_left + kx * op->dilation_w;
                        if (row >= 0 && row < op->in_h && column >= 0 && column < op->in_w) {
                            sum += weights[(ky * op->kernel_w + kx) * op->out_c + channel] *
                                   input[(row * op->in_w + column) * op->in_c + channel / multiplier];
                        }
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
        for (x = 0; x < op->out_w; x++) {
            for (channel = 0; channel < op->out_c; channel++) {
                float sum = 0.0f;
                float largest = 0.0f;
                int32_t count = 0;
                for (ky = 0; ky < op->kernel_h; ky++) {
                    const int32_t row = y * op->stride_h - op->pad_top + ky;
                    for (kx = 0; kx < op->kernel_w; kx++) {
                        const int32_t column = x * op->stride_w - op->pad_left + kx;
                        if (row >= 0 && row < op->in_h && column >= 0 && column < op->in_w) {
                            const float value = input[(row * op->in_w + column) * op->in_c + channel];
                            if (count == 0 || value > largest) {
                                largest = value;
                            }
                            sum += value;
                            count++;
                        }
                    }
                }
                *output++ = mote_float_activate(average ? sum / (float)count : largest, op->activation);
            }
        }
    }
}

#endif
