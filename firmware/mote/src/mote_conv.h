/*
 * What all weighted int8 layers share: convolution, depthwise convolution, fully connected.
 * y = clamp(MBQM(sum w * x + bias, multiplier, shift) + out_zero, act_min, act_max), TFLite reference arithmetic.
 */
#ifndef MOTE_CONV_H
#define MOTE_CONV_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"

/* Parameters of one layer, constant. A fully connected layer is a 1 x 1 convolution over its rows (out_w = rows). */
typedef struct {
  int32_t in_h, in_w, in_c;
  int32_t out_h, out_w, out_c;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t in_zero, out_zero, act_min, act_max;
  int32_t per_channel;       /* 1: multiplier and shift have out_c elements, 0: one */
  const void *weights;       /* in the layout of the kernel that runs it */
  const int32_t *bias;       /* out_c, folded: bias - in_zero * (sum of the channel's weights over all taps) */
  const int32_t *multiplier; /* 0 or 2^30..2^31-1 */
  const int8_t *shift;       /* -31..30 */
} mote_conv;

/* Parameters in flash, where code can read them: on AVR a copy, elsewhere they themselves. */
MOTE_FN const mote_conv *mote_load_conv(const mote_conv *at, mote_conv *copy) {
#if defined(__AVR__)
    memcpy_P(copy, at, sizeof *copy);
    return copy;
#else
    (void)copy;
    return at;
#endif
}

#endif
