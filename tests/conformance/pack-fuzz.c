/*
 * Feeds damaged packs with a valid checksum to the loader and runs those that it accepts:
 * pack-fuzz FILE ITERATIONS SEED. Only a sanitizer can make it fail. Prints how many packs were refused and run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mote_crc32.h"
#include "mote_pack.h"

static uint32_t state;

static uint32_t dice(uint32_t sides) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return (state >> 8) % sides;
}

static void put_u32(uint8_t *p, uint32_t value) {
  int i;
  for (i = 0; i < 4; i++) p[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t *p) {
  return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

static uint32_t interesting(uint32_t old) {
  static const uint32_t values[] = {0u,          1u,      2u,     3u,          4u,          127u,        128u,
                                    255u,        256u,    65535u, 65536u,      0xFFFFFu,    0x100000u,   0x3FFFFFFFu,
                                    0x40000000u, 0x7F800000u, 0x7FC00000u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu};
  switch (dice(5)) {
    case 0:
      return values[dice(sizeof values / sizeof values[0])];
    case 1:
      return old + dice(9) - 4u;
    case 2:
      return old ^ (1u << dice(32));
    case 3:
      return old << 1;
    default:
      return dice(1u << 24) * 257u;
  }
}

static void damage(uint8_t *pack, uint32_t size) {
  uint32_t changes = 1 + dice(4);
  while (changes-- > 0) {
    const uint32_t section = dice(10);
    uint32_t start = 8, bytes = 80, at;
    if (section < 9) {
      start = get_u32(pack + 16 + 8 * section);
      bytes = get_u32(pack + 16 + 8 * section + 4);
      if (start > size - 4 || bytes < 4) continue;
      if (bytes > size - start) bytes = size - start;
    }
    /* Heads of sections hold the numbers that matter most. */
    if (dice(2) && bytes > 96) bytes = 96;
    if (bytes < 4) continue;
    at = start + (dice(bytes / 4) * 4);
    if (dice(8) == 0) {
      pack[at + dice(4)] = (uint8_t)dice(256);
    } else {
      put_u32(pack + at, interesting(get_u32(pack + at)));
    }
  }
}

/* Uses every function on an accepted pack. Returns 0 when it refuses the pack. */
static int use(const uint8_t *pack, uint32_t size) {
  const int32_t ram_size = mote_model_ram(pack, size);
  mote_model m;
  mote_result result;
  float *window;
  void *ram;
  int32_t i, frames, values;
  size_t length = 0;
  if (mote_model_check(pack, size) != (ram_size < 0 ? (int)ram_size : MOTE_OK)) abort();
  if (ram_size < 0) return 0;
  ram = malloc((size_t)ram_size);
  if (mote_model_open(&m, pack, size, ram, (uint32_t)ram_size) != MOTE_OK) abort();
  values = mote_model_channels(&m) * mote_model_window_frames(&m);
  window = (float *)malloc(sizeof(float) * (size_t)values);
  for (i = 0; i < values; i++) window[i] = (float)dice(2001) - 1000.0f;
  mote_model_classify(&m, window, &result);
  if (result.best < 0 || result.best >= result.score_count || result.decision >= result.score_count) abort();
  if (mote_model_selftest(&m, 0) < 0) abort();
  if (mote_model_selftest(&m, mote_model_selftest_count(&m) - 1) < 0) abort();
  frames = mote_model_window_frames(&m) + 2 * (mote_model_stride_frames(&m) < 50 ? mote_model_stride_frames(&m) : 50);
  for (i = 0; i < frames; i++) mote_model_push(&m, window + (i % mote_model_window_frames(&m)) * mote_model_channels(&m), &result);
  for (i = -1; i <= mote_model_label_count(&m); i++) length += strlen(mote_model_label(&m, i));
  length += strlen(mote_model_name(&m));
  if (length > 256u * 257u) abort();
  free(window);
  free(ram);
  return 1;
}

int main(int argc, char **argv) {
  static uint8_t original[1 << 16];
  FILE *file;
  uint32_t size, i, iterations, used = 0;
  if (argc != 4) return 2;
  file = fopen(argv[1], "rb");
  if (file == NULL) return 3;
  size = (uint32_t)fread(original, 1, sizeof original, file);
  fclose(file);
  iterations = (uint32_t)strtoul(argv[2], NULL, 10);
  state = (uint32_t)strtoul(argv[3], NULL, 10) | 1u;
  for (i = 0; i < iterations; i++) {
    const uint32_t kept = dice(16) == 0 ? 4u * dice(size / 4u + 1u) : size;
    uint8_t *pack = (uint8_t *)malloc(size);
    uint8_t *exact;
    uint32_t claimed;
    memcpy(pack, original, size);
    damage(pack, size);
    /* The rest is cut off, with or without saying so. */
    exact = (uint8_t *)malloc(kept > 0 ? kept : 1);
    memcpy(exact, pack, kept);
    free(pack);
    if (kept >= 16) {
      if (dice(2)) put_u32(exact + 12, kept);
      claimed = get_u32(exact + 12);
      if (claimed <= kept && claimed > 8) put_u32(exact + 4, mote_crc32(0, exact + 8, claimed - 8));
    }
    used += (uint32_t)use(exact, kept);
    free(exact);
  }
  printf("%u %u\n", (unsigned)(iterations - used), (unsigned)used);
  return 0;
}
