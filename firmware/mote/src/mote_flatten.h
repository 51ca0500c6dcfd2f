/*
 * Block "flatten": statistics of every axis. Twin of src/dsp/flatten.ts: change both.
 *
 * ints:   [0] which statistics, in this order: 1 average, 2 minimum, 4 maximum, 8 RMS, 16 standard deviation,
 *         32 skewness, 64 kurtosis (at least one).
 * floats: [0] scale.
 * Scratch: none. Features: axis by axis.
 */
#ifndef MOTE_FLATTEN_H
#define MOTE_FLATTEN_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"
#include "mote_math.h"

/* Number of features, or negative when the parameters are not those of a flatten block. */
MOTE_FN int32_t mote_flatten_check(int32_t frames, int32_t channels, const uint8_t *axes, int32_t axis_count,
                                   const int32_t *ints, int32_t int_count, const float *floats, int32_t float_count,
                                   int32_t *scratch_floats) {
  int32_t bit, which, count = 0;
  if (int_count != 1 || float_count != 1) return -1;
  if (!mote_input_is_sane(frames, channels, axes, axis_count, floats, float_count)) return -1;
  which = MOTE_FLASH_I32(ints);
  if (which < 1 || which > 127) return -1;
  for (bit = 1; bit <= 64; bit *= 2) count += (which & bit) != 0;
  *scratch_floats = 0;
  return count * axis_count;
}

MOTE_FN void mote_flatten(const float *window, int32_t frames, int32_t channels, const uint8_t *axes,
                          int32_t axis_count, const int32_t *ints, const float *floats, float *scratch,
                          float *features) {
  const int32_t which = MOTE_FLASH_I32(ints);
  int32_t axis;
  (void)scratch;
  for (axis = 0; axis < axis_count; axis++) {
    const mote_statistics s = mote_describe(window + MOTE_FLASH_U8(axes + axis), (mote_index)channels, (mote_index)frames,
                                            MOTE_FLASH_F32(floats));
    if (which & 1) *features++ = mote_finite(s.mean + s.residual);
    if (which & 2) *features++ = mote_finite(s.minimum);
    if (which & 4) *features++ = mote_finite(s.maximum);
    if (which & 8) *features++ = mote_finite(s.rms);
    if (which & 16) *features++ = mote_finite(s.stdev);
    if (which & 32) *features++ = mote_finite(s.skewness);
    if (which & 64) *features++ = mote_finite(s.kurtosis);
  }
}

#endif
