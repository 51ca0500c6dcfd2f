/*
 * libFuzzer target: the pack loader. The CRC is made right, so that the fuzzer gets past it; packs that the loader takes
 * are run with everything it offers. Only the public interface is used.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mote_crc32.h"
#include "mote_pack.h"

/* Models that take longer than a fuzzer can wait are checked, but not run. */
#define MOST_RAM (1 << 20)
#define MOST_FRAMES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t get_u32(const uint8_t *p) {
  return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

static void use(const uint8_t *pack, uint32_t size) {
  const int32_t ram_size = mote_model_ram(pack, size);
  const int checked = mote_model_check(pack, size);
  mote_model m;
  mote_result result;
  float *window;
  void *ram;
  int32_t i, values, frames;
  if (checked != (ram_size < 0 ? (int)ram_size : MOTE_OK)) abort();
  if (ram_size < 0 || ram_size > MOST_RAM) return;
  ram = malloc(ram_size > 0 ? (size_t)ram_size : 1);
  if (ram == NULL) abort();
  if (mote_model_open(&m, pack, size, ram, (uint32_t)ram_size) != MOTE_OK) abort();
  frames = mote_model_window_frames(&m);
  values = frames * mote_model_channels(&m);
  if (frames <= MOST_FRAMES) {
    window = (float *)malloc(sizeof(float) * (size_t)values);
    if (window == NULL) abort();
    for (i = 0; i < values; i++) window[i] = (float)((i * 7919) % 2001 - 1000);
    if (mote_model_classify(&m, window, &result) != MOTE_OK) abort();
    if (result.best < 0 || result.best >= result.score_count || result.decision >= result.score_count) abort();
    if (mote_model_selftest(&m, 0) < 0) abort();
    for (i = 0; i < frames + 2; i++) {
      (void)mote_model_push(&m, window + (i % frames) * mote_model_channels(&m), &result);
    }
    free(window);
  }
  for (i = -1; i <= mote_model_label_count(&m); i++) {
    if (strlen(mote_model_label(&m, i)) > size) abort();
  }
  if (strlen(mote_model_name(&m)) > size) abort();
  free(ram);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* To the byte, and aligned as the loader wants it. */
  uint8_t *pack = (uint8_t *)malloc(size > 0 ? size : 1);
  if (pack == NULL) abort();
  memcpy(pack, data, size);
  if (size >= MOTE_PACK_HEADER_BYTES) {
    const int32_t claimed = mote_pack_size(pack);
    if (claimed > 8 && (uint32_t)claimed <= size) {
      const uint32_t crc = mote_crc32(0, pack + 8, (uint32_t)claimed - 8u);
      uint32_t i;
      if (get_u32(pack + 4) != crc) {
        for (i = 0; i < 4; i++) pack[4 + i] = (uint8_t)(crc >> (8 * i));
      }
    }
  }
  use(pack, (uint32_t)size);
  free(pack);
  return 0;
}
