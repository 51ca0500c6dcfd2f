/* Sliding windows over a stream of frames: full windows of `frames`, `stride` frames apart. */
#ifndef MOTE_WINDOW_H
#define MOTE_WINDOW_H

#include <stdint.h>

#include "mote_config.h"

/*
 * Adds one frame (`channels` floats). `*filled` frames are in the buffer; `*skip` are still to be dropped because the
 * stride is longer than the window. Returns 1 when the window is full: use it, then call mote_window_advance.
 */
MOTE_FN int mote_window_push(float *window, int32_t frames, int32_t channels, const float *sample, int32_t *filled,
                             int32_t *skip) {
  float *slot = window + *filled * channels;
  int32_t channel;
  if (*skip > 0) {
    *skip -= 1;
    return 0;
  }
  for (channel = 0; channel < channels; channel++) slot[channel] = sample[channel];
  *filled += 1;
  return *filled == frames;
}

/* Drops the `stride` oldest frames of a full window. */
MOTE_FN void mote_window_advance(float *window, int32_t frames, int32_t channels, int32_t stride, int32_t *filled,
                                 int32_t *skip) {
  if (stride < frames) {
    int32_t kept = (frames - stride) * channels;
    const float *from = window + stride * channels;
    int32_t i;
    for (i = 0; i < kept; i++) window[i] = from[i];
    *filled = frames - stride;
  } else {
    *filled = 0;
    *skip = stride - frames;
  }
}

#endif
