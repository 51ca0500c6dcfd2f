/*
 * Block "raw": samples times a scale, optionally the mean of several consecutive frames.
 * Twin of src/dsp/raw.ts: change both.
 *
 * ints:   [0] frames averaged into one feature, 1..frames.
 * floats: [0] scale.
 * Scratch: none. Features: floor(frames / average) * axis_count, frame by frame.
 */
#ifndef MOTE_RAW_H
#define MOTE_RAW_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"
#include "mote_math.h"

/* Number of features, or negative when the parameters are not those of a raw block. */
MOTE_FN int32_t mote_raw_check(int32_t frames, int32_t channels, const uint8_t *axes, int32_t axis_count,
                               const int32_t *ints, int32_t int_count, const float *floats, int32_t float_count,
                               int32_t *scratch_floats) {
  if (int_count != 1 || float_count != 1) return -1;
  if (!mote_input_is_sane(frames, channels, axes, axis_count, floats, float_count)) return -1;
  if (MOTE_FLASH_I32(ints) < 1 || MOTE_FLASH_I32(ints) > frames) return -1;
  *scratch_floats = 0;
  return frames / MOTE_FLASH_I32(ints) * axis_count;
}

MOTE_FN void mote_raw(const float *window, int32_t frames, int32_t channels, const uint8_t *axes, int32_t axis_count,
                      const int32_t *ints, const float *floats, float *scratch, float *features) {
  const float scale = MOTE_FLASH_F32(floats);
  const int32_t average = MOTE_FLASH_I32(ints);
  int32_t first, frame, axis;
  (void)scratch;
  for (first = 0; first + average <= frames; first += average) {
    for (axis = 0; axis < axis_count; axis++) {
      const float *in = window + first * channels + MOTE_FLASH_U8(axes + axis);
      float sum = in[0] * scale;
      for (frame = 1; frame < average; frame++) sum = sum + in[frame * channels] * scale;
      *features++ = mote_finite(sum / (float)average);
    }
  }
}

#endif
