/* Windows of the self-test: recorded ones unpacked, generated ones built from a seed by integer arithmetic. */
#ifndef MOTE_SELFTEST_H
#define MOTE_SELFTEST_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"

/* Marsaglia's xorshift32; the state is never 0. */
MOTE_FN uint32_t mote_selftest_random(uint32_t state) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/* A uniform value of int16 range from the upper half of a random word. */
MOTE_FN int32_t mote_selftest_int16(uint32_t random) { return (int32_t)(random >> 16) - 32768; }

/*
 * Generated window `index` of a seed, window[frame * channels + channel]. Per channel: a level, a triangle wave of
 * random period and amplitude, and noise; clamped to int16, then scaled and offset in float32.
 */
MOTE_FN void mote_selftest_generate(uint32_t seed, int32_t index, int32_t frames, int32_t channels, const float *scale,
                                    const float *offset, float *window) {
  uint32_t random = (seed ^ ((uint32_t)index * 0x9E3779B9u)) | 1u;
  int32_t channel;
  int32_t frame;
  int32_t i;
  for (i = 0; i < 8; i++) random = mote_selftest_random(random);
  for (channel = 0; channel < channels; channel++) {
    int32_t level;
    int32_t wave;
    int32_t noise;
    uint32_t phase;
    uint32_t step;
    random = mote_selftest_random(random);
    level = mote_selftest_int16(random) / (int32_t)(1u << (random & 3u));
    random = mote_selftest_random(random);
    wave = (int32_t)((random >> 17) >> (random & 7u));
    random = mote_selftest_random(random);
    noise = (int32_t)((random >> 17) >> (1u + (random & 7u)));
    random = mote_selftest_random(random);
    phase = random;
    random = mote_selftest_random(random);
    /* at most half a period per frame; the small steps (slow waves) as likely as the large ones */
    step = (random >> 1) >> (random & 7u);
    for (frame = 0; frame < frames; frame++) {
      int32_t rise = (int32_t)(phase >> 15);
      int32_t triangle = (rise < 65536 ? rise : 131071 - rise) - 32768;
      int32_t value;
      float scaled;
      random = mote_selftest_random(random);
      value = level + triangle * wave / 32768 + mote_selftest_int16(random) * noise / 32768;
      if (value > 32767) value = 32767;
      if (value < -32768) value = -32768;
      scaled = (float)value * MOTE_FLASH_F32(scale + channel);
      window[frame * channels + channel] = scaled + MOTE_FLASH_F32(offset + channel);
      phase += step;
    }
  }
}

/* A recorded window: int16 times the channel's scale. */
MOTE_FN void mote_selftest_unpack(const int16_t *recorded, int32_t frames, int32_t channels, const float *scale,
                                  float *window) {
  int32_t channel;
  int32_t frame;
  for (frame = 0; frame < frames; frame++) {
    for (channel = 0; channel < channels; channel++) {
      *window++ = (float)MOTE_FLASH_I16(recorded) * MOTE_FLASH_F32(scale + channel);
      recorded++;
    }
  }
}

#endif
