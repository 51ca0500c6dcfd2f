/*
 * Where everything lies in a pack (docs/pack-format.md), and how it is read: untrusted numbers with their limits, and
 * stretches of bytes that are still to be checked. Private to the pack loader.
 */
#ifndef MOTE_PACK_LAYOUT_H
#define MOTE_PACK_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Packs are little endian and read in place."
#endif

/* Layout and limits: docs/pack-format.md. */
#define PACK_VERSION 2u
#define CRC_START 8u
#define TABLE_OFFSET 16u
#define SECTION_COUNT 9u
#define FIRST_SECTION (TABLE_OFFSET + 8u * SECTION_COUNT)
#define MAX_PACK_BYTES ((uint32_t)1 << 24)
#define MAX_WINDOW_VALUES ((int32_t)1 << 20)
#define MAX_STRIDE_FRAMES ((int32_t)1 << 24)
#define MAX_LABELS 256
#define MAX_FEATURES ((int32_t)65536)
#define MAX_BLOCKS 32
#define MAX_TENSORS 256
#define MAX_OPS 256
#define MAX_ARENA_BYTES ((int32_t)1 << 20)
#define MAX_THRESHOLD ((int32_t)1 << 24)
#define MAX_SMOOTHING_WINDOWS 16
#define MAX_SELFTEST_WINDOWS 4096
#define MAX_TEXT_BYTES 255u
#define MAX_BLOCK_NUMBERS ((int32_t)1 << 20)
#define MAX_ELEMENTS ((int32_t)1 << 20)
/* Largest kernel, stride, dilation, padding or side of an image. */
#define MAX_SIDE 16384

enum { SPEC, TEXT, BLOCKS, AFFINE, TENSORS, CONSTANTS, OPS, SELFTEST };

/* Offsets in section "spec". */
enum {
  SPEC_RATE_MILLIHERTZ = 32,
  SPEC_CHANNELS = 36,
  SPEC_WINDOW_FRAMES = 40,
  SPEC_STRIDE_FRAMES = 44,
  SPEC_LABELS = 48,
  SPEC_FEATURES = 52,
  SPEC_BLOCKS = 56,
  SPEC_TENSORS = 60,
  SPEC_OPS = 64,
  SPEC_INPUT = 68,
  SPEC_OUTPUT = 72,
  SPEC_ARENA = 76,
  SPEC_SCRATCH = 80,
  SPEC_SMOOTHING_WINDOWS = 84,
  SPEC_SMOOTHING_THRESHOLD = 88,
  SPEC_BYTES = 96
};

enum {
  TENSOR_ZERO_POINT = 4,
  TENSOR_OFFSET = 8,
  TENSOR_ELEMENTS = 12,
  TENSOR_RANK = 16,
  TENSOR_SHAPE = 20,
  TENSOR_PLACE = 36,
  TENSOR_BYTES = 40
};
enum { IN_ARENA = 0, IN_CONSTANTS = 1 };
enum { BLOCK_HEAD_BYTES = 28, SELFTEST_HEAD_BYTES = 16 };
enum { BLOCK_RAW = 1, BLOCK_FLATTEN = 2, BLOCK_SPECTRAL = 3 };
enum { BLOCK_RAW_VERSION = 1, BLOCK_FLATTEN_VERSION = 1, BLOCK_SPECTRAL_VERSION = 4 };
enum {
  OP_FULLY_CONNECTED = 1,
  OP_SOFTMAX = 2,
  OP_CONV2D = 3,
  OP_DEPTHWISE = 4,
  OP_MAX_POOL = 5,
  OP_AVERAGE_POOL = 6,
  OP_MEAN = 7,
  OP_ADD = 8,
  OP_MUL = 9,
  OP_CONCAT = 10,
  OP_PAD = 11,
  OP_RESHAPE = 12,
  OP_TRANSPOSE = 13,
  OP_LOOKUP = 14,
  OP_STRIDED_SLICE = 15,
  OP_RESIZE_NEAREST = 16
};

/* Every op begins with this; the rest depends on the opcode. */
enum {
  OP_SIZE = 4,
  OP_INPUT = 8,
  OP_OUTPUT = 12,
  OP_SCRATCH = 16,
  OP_SECOND = 20,
  OP_HEAD_BYTES = 24,
  /* ops with weights */
  OP_SCALES = 24,
  OP_ACT_MIN = 28,
  OP_ACT_MAX = 32,
  OP_ROW_INPUTS = 36,
  OP_WINDOW = 36,
  OP_GROUPS = 76,
  /* pools */
  OP_POOL_MIN = 24,
  OP_POOL_MAX = 28,
  OP_POOL_WINDOW = 32
};
/* Bytes of ops of fixed size. */
enum {
  POOL_BYTES = 72,
  MEAN_BYTES = 44,
  ADD_BYTES = 60,
  MUL_BYTES = 40,
  SOFTMAX_BYTES = 36,
  LOOKUP_BYTES = 292,
  AXES_BYTES = 16
};

/* What an int32 or float needs to be read in place; 1 on machines without alignment. */
typedef struct {
  char first;
  int32_t second;
} alignment_probe;
#define WORD_ALIGNMENT (offsetof(alignment_probe, second))

/* A stretch of bytes still to be checked. */
typedef struct {
  const uint8_t *at;
  uint32_t left;
} span;

MOTE_FN uint32_t read_u8(const uint8_t *p) { return (uint8_t)MOTE_FLASH_I8(p); }

MOTE_FN uint32_t read_u16(const uint8_t *p) { return read_u8(p) | (read_u8(p + 1) << 8); }

/* At a multiple of four, as all numbers behind the header are. */
MOTE_FN uint32_t read_u32(const uint8_t *p) {
  const void *word = p;
  return MOTE_FLASH_U32((const uint32_t *)word);
}

MOTE_FN int32_t read_i32(const uint8_t *p) { return (int32_t)read_u32(p); }

MOTE_FN const int32_t *ints_at(const uint8_t *p) { return (const int32_t *)(const void *)p; }

MOTE_FN const float *floats_at(const uint8_t *p) { return (const float *)(const void *)p; }

MOTE_FN uint32_t round_up4(uint32_t bytes) { return (bytes + 3u) & ~(uint32_t)3u; }

MOTE_FN int is_aligned(const void *p) { return (uintptr_t)p % WORD_ALIGNMENT == 0; }

/* The number at p, or -1 when it is outside minimum..maximum; minimum >= 0. */
MOTE_FN int32_t count_at(const uint8_t *p, int32_t minimum, int32_t maximum) {
  const uint32_t value = read_u32(p);
  return value >= (uint32_t)minimum && value <= (uint32_t)maximum ? (int32_t)value : -1;
}

/* Takes `count` elements of `size` bytes from the front: their place, or a null pointer when there are not as many. */
MOTE_FN const uint8_t *take(span *s, uint32_t count, uint32_t size) {
  const uint8_t *taken = s->at;
  if (count > s->left / size) return NULL;
  s->at += count * size;
  s->left -= count * size;
  return taken;
}

MOTE_FN const uint8_t *take_padded(span *s, uint32_t count) {
  const uint8_t *taken = s->at;
  if (count > s->left || round_up4(count) > s->left) return NULL;
  s->at += round_up4(count);
  s->left -= round_up4(count);
  return taken;
}

#endif
