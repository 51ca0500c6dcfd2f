/*
 * Runs one pack through the loader: pack-driver FILE WINDOWS FRAMES, windows and frames on standard input.
 * Prints what header-driver.ts describes. Every buffer is exactly as large as needed, so that the sanitizers see every
 * step beyond.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mote_pack.h"

static void print(const void *bytes, size_t count) {
  if (fwrite(bytes, 1, count, stdout) != count) exit(3);
}

static void ask(void *bytes, size_t count) {
  if (fread(bytes, 1, count, stdin) != count) exit(4);
}

static void print_result(const mote_result *result) {
  print(result->scores, (size_t)result->score_count);
  print(&result->best, sizeof result->best);
  print(&result->decision, sizeof result->decision);
}

static uint8_t *read_file(const char *name, uint32_t *size) {
  FILE *file = fopen(name, "rb");
  uint8_t *bytes;
  long length;
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(5);
  length = ftell(file);
  rewind(file);
  bytes = (uint8_t *)malloc((size_t)length);
  if (bytes == NULL || fread(bytes, 1, (size_t)length, file) != (size_t)length) exit(5);
  fclose(file);
  *size = (uint32_t)length;
  return bytes;
}

int main(int argc, char **argv) {
  mote_model m;
  mote_result result;
  uint32_t size;
  uint8_t *pack;
  void *ram;
  float *window;
  int32_t ram_size, i, windows, frames, failed = 0;
  size_t frame_bytes;
  if (argc != 4) return 2;
  pack = read_file(argv[1], &size);
  windows = (int32_t)strtol(argv[2], NULL, 10);
  frames = (int32_t)strtol(argv[3], NULL, 10);
  ram_size = mote_model_ram(pack, size);
  if (ram_size < 0) {
    fprintf(stderr, "the loader refuses the pack: %d\n", (int)ram_size);
    return 6;
  }
  ram = malloc((size_t)ram_size);
  if (mote_model_open(&m, pack, size, ram, (uint32_t)ram_size - 1) != MOTE_E_RAM) return 7;
  if (mote_model_open(&m, pack, size, ram, (uint32_t)ram_size) != MOTE_OK) return 8;
  frame_bytes = sizeof(float) * (size_t)mote_model_channels(&m);
  window = (float *)malloc(frame_bytes * (size_t)mote_model_window_frames(&m));

  for (i = 0; i < mote_model_selftest_count(&m); i++) failed += mote_model_selftest(&m, i) != 1;
  print(&failed, sizeof failed);
  for (i = 0; i < windows; i++) {
    ask(window, frame_bytes * (size_t)mote_model_window_frames(&m));
    if (mote_model_classify(&m, window, &result) != MOTE_OK) return 9;
    print_result(&result);
  }
  for (i = 0; i < frames; i++) {
    unsigned char full;
    ask(window, frame_bytes);
    full = (unsigned char)mote_model_push(&m, window, &result);
    print(&full, 1);
    if (full) print_result(&result);
  }
  free(window);
  free(ram);
  free(pack);
  return 0;
}
