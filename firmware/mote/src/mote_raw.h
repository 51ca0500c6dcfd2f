/*
 * Block "raw": samples times a scale, frame by frame. Twin of src/dsp/raw.ts: change both.
 *
 * ints: none. floats: [0] scale. Scratch: none. Features: frames * axis_count, feature[frame * axis_count + axis].
 */
#ifndef MOTE_RAW_H
#define MOTE_RAW_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_math.h"

/* Number of features, or negative when the parameters are not those of a raw block. */
MOTE_FN int32_t mote_raw_check(int32_t frames, int32_t channels, const uint8_t *axes, int32_t axis_count,
                               const int32_t *ints, int32_t int_count, const float *floats, int32_t float_count,
                               int32_t *scratch_floats) {
  (void)ints;
  if (int_count != 0 || float_count != 1) return -1;
  if (!mote_input_is_sane(frames, channels, axes, axis_count, floats, float_count)) return -1;
  *scratch_floats = 0;
  return frames * axis_count;
}

MOTE_FN void mote_raw(const float *window, int32_t frames, int32_t channels, const uint8_t *axes, int32_t axis_count,
                      const int32_t *ints, const float *floats, float *scratch, float *features) {
  const float scale = floats[0];
  int32_t frame, axis;
  (void)ints;
  (void)scratch;
  for (frame = 0; frame < frames; frame++) {
    for (axis = 0; axis < axis_count; axis++) {
      *features++ = mote_finite(window[frame * channels + axes[axis]] * scale);
    }
  }
}

#endif
