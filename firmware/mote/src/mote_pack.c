#include "mote_pack.h"

#include <stddef.h>

#include "mote_crc32.h"
#include "mote_flatten.h"
#include "mote_fully_connected.h"
#include "mote_input.h"
#include "mote_raw.h"
#include "mote_selftest.h"
#include "mote_smooth.h"
#include "mote_softmax.h"
#include "mote_spectral.h"
#include "mote_window.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Packs are little endian and read in place."
#endif

/* Layout and limits: docs/pack-format.md. */
#define PACK_VERSION 1u
#define CRC_START 8u
#define TABLE_OFFSET 16u
#define SECTION_COUNT 8u
#define FIRST_SECTION (TABLE_OFFSET + 8u * SECTION_COUNT)
#define MAX_PACK_BYTES (16u * 1024u * 1024u)
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

enum { SPEC, TEXT, BLOCKS, AFFINE, TENSORS, OPS, SELFTEST };

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

enum { TENSOR_ZERO_POINT = 4, TENSOR_OFFSET = 8, TENSOR_ELEMENTS = 12, TENSOR_BYTES = 40 };
enum { BLOCK_HEAD_BYTES = 28, FULLY_CONNECTED_HEAD_BYTES = 28, SOFTMAX_BYTES = 28, SELFTEST_HEAD_BYTES = 16 };
enum { BLOCK_RAW = 1, BLOCK_FLATTEN = 2, BLOCK_SPECTRAL = 3 };
enum { BLOCK_RAW_VERSION = 1, BLOCK_FLATTEN_VERSION = 1, BLOCK_SPECTRAL_VERSION = 4 };
enum { OP_FULLY_CONNECTED = 1, OP_SOFTMAX = 2 };

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

/* One block or op, found in the pack. */
typedef struct {
  uint32_t opcode;
  uint32_t version;
  int32_t axis_count;
  int32_t int_count;
  int32_t float_count;
  int32_t feature_count;
  const uint8_t *axes;
  const int32_t *ints;
  const float *floats;
  const uint8_t *end;
} block_view;

typedef struct {
  int32_t inputs;
  int32_t units;
  int32_t input_zero;
  int32_t output_zero;
  int32_t scales;
  int32_t act_min;
  int32_t act_max;
  const int32_t *bias;
  const int32_t *multiplier;
  const int32_t *shift;
  const int8_t *weights;
} dense_view;

static uint32_t read_u32(const uint8_t *p) {
  return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

static int32_t read_i32(const uint8_t *p) { return (int32_t)read_u32(p); }

static const int32_t *ints_at(const uint8_t *p) { return (const int32_t *)(const void *)p; }

static const float *floats_at(const uint8_t *p) { return (const float *)(const void *)p; }

static uint32_t round_up4(uint32_t bytes) { return (bytes + 3u) & ~(uint32_t)3u; }

static int is_aligned(const void *p) { return (uintptr_t)p % WORD_ALIGNMENT == 0; }

/* The number at p, or -1 when it is outside minimum..maximum; minimum >= 0. */
static int32_t count_at(const uint8_t *p, int32_t minimum, int32_t maximum) {
  const uint32_t value = read_u32(p);
  return value >= (uint32_t)minimum && value <= (uint32_t)maximum ? (int32_t)value : -1;
}

/* Takes `count` elements of `size` bytes from the front: their place, or a null pointer when there are not as many. */
static const uint8_t *take(span *s, uint32_t count, uint32_t size) {
  const uint8_t *taken = s->at;
  if (count > s->left / size) return NULL;
  s->at += count * size;
  s->left -= count * size;
  return taken;
}

static const uint8_t *take_padded(span *s, uint32_t count) {
  const uint8_t *taken = s->at;
  if (count > s->left || round_up4(count) > s->left) return NULL;
  s->at += round_up4(count);
  s->left -= round_up4(count);
  return taken;
}

static const uint8_t *tensor_at(const mote_model *m, uint32_t id) { return m->tensors + id * TENSOR_BYTES; }

static int32_t tensor_elements(const mote_model *m, uint32_t id) {
  return read_i32(tensor_at(m, id) + TENSOR_ELEMENTS);
}

static int32_t tensor_offset(const mote_model *m, uint32_t id) { return read_i32(tensor_at(m, id) + TENSOR_OFFSET); }

static int32_t tensor_zero_point(const mote_model *m, uint32_t id) {
  return read_i32(tensor_at(m, id) + TENSOR_ZERO_POINT);
}

/* ---- Blocks ---- */

/* The block at p; its parts are in bounds once the pack has passed its checks. */
static void view_block(const uint8_t *p, block_view *block) {
  block->opcode = read_u32(p);
  block->version = read_u32(p + 4);
  block->axis_count = read_i32(p + 8);
  block->int_count = read_i32(p + 12);
  block->float_count = read_i32(p + 16);
  block->feature_count = read_i32(p + 20);
  block->axes = p + BLOCK_HEAD_BYTES;
  p += BLOCK_HEAD_BYTES + round_up4((uint32_t)block->axis_count);
  block->ints = ints_at(p);
  block->floats = floats_at(p + 4 * (uint32_t)block->int_count);
  block->end = p + 4 * ((uint32_t)block->int_count + (uint32_t)block->float_count);
}

/* Number of features of a block whose parts are in bounds, or negative when it cannot run on this window. */
static int32_t check_block_parameters(const mote_model *m, const block_view *b, int32_t *scratch) {
  switch (b->opcode) {
    case BLOCK_RAW:
      if (b->version != BLOCK_RAW_VERSION) return -1;
      return mote_raw_check(m->window_frames, m->channels, b->axes, b->axis_count, b->ints, b->int_count, b->floats,
                            b->float_count, scratch);
    case BLOCK_FLATTEN:
      if (b->version != BLOCK_FLATTEN_VERSION) return -1;
      return mote_flatten_check(m->window_frames, m->channels, b->axes, b->axis_count, b->ints, b->int_count,
                                b->floats, b->float_count, scratch);
    case BLOCK_SPECTRAL:
      if (b->version != BLOCK_SPECTRAL_VERSION) return -1;
      return mote_spectral_check(m->window_frames, m->channels, b->axes, b->axis_count, b->ints, b->int_count,
                                 b->floats, b->float_count, scratch);
    default:
      return -1;
  }
}

/* Checks all blocks; the largest need of scratch floats, or negative. */
static int32_t check_blocks(const mote_model *m, span s) {
  int32_t features = 0;
  int32_t most_scratch = 0;
  int32_t i;
  for (i = 0; i < m->block_count; i++) {
    block_view block;
    int32_t scratch = 0;
    const uint8_t *head = take(&s, 1, BLOCK_HEAD_BYTES);
    if (head == NULL) return -1;
    if (count_at(head + 8, 1, MOTE_MAX_CHANNELS) < 0) return -1;
    if (count_at(head + 12, 0, MAX_BLOCK_NUMBERS) < 0) return -1;
    if (count_at(head + 16, 0, MAX_BLOCK_NUMBERS) < 0) return -1;
    view_block(head, &block);
    if (take_padded(&s, (uint32_t)block.axis_count) == NULL) return -1;
    if (take(&s, (uint32_t)block.int_count, 4) == NULL) return -1;
    if (take(&s, (uint32_t)block.float_count, 4) == NULL) return -1;
    if (count_at(head + 20, 1, MAX_FEATURES) < 0) return -1;
    if (check_block_parameters(m, &block, &scratch) != block.feature_count) return -1;
    if (read_i32(head + 24) != scratch) return -1;
    features += block.feature_count;
    if (scratch > most_scratch) most_scratch = scratch;
  }
  if (s.left != 0 || features != m->feature_count) return -1;
  return most_scratch;
}

static void run_blocks(const mote_model *m, const float *window) {
  const uint8_t *at = m->blocks;
  float *features = m->features;
  int32_t i;
  for (i = 0; i < m->block_count; i++) {
    block_view b;
    view_block(at, &b);
    switch (b.opcode) {
      case BLOCK_RAW:
        mote_raw(window, m->window_frames, m->channels, b.axes, b.axis_count, b.ints, b.floats, m->scratch, features);
        break;
      case BLOCK_FLATTEN:
        mote_flatten(window, m->window_frames, m->channels, b.axes, b.axis_count, b.ints, b.floats, m->scratch,
                     features);
        break;
      default:
        mote_spectral(window, m->window_frames, m->channels, b.axes, b.axis_count, b.ints, b.floats, m->scratch,
                      features);
        break;
    }
    features += b.feature_count;
    at = b.end;
  }
}

/* ---- Network ---- */

/* The fully connected op at p; likewise. */
static void view_dense(const mote_model *m, const uint8_t *p, dense_view *dense) {
  const uint32_t input = read_u32(p + 8);
  const uint32_t output = read_u32(p + 12);
  const uint8_t *at = p + FULLY_CONNECTED_HEAD_BYTES;
  dense->inputs = tensor_elements(m, input);
  dense->units = tensor_elements(m, output);
  dense->input_zero = tensor_zero_point(m, input);
  dense->output_zero = tensor_zero_point(m, output);
  dense->scales = read_i32(p + 16);
  dense->act_min = read_i32(p + 20);
  dense->act_max = read_i32(p + 24);
  dense->bias = ints_at(at);
  at += 4 * (uint32_t)dense->units;
  at += 4 * (uint32_t)dense->scales; /* scales of the weights, of no use here */
  dense->multiplier = ints_at(at);
  at += 4 * (uint32_t)dense->scales;
  dense->shift = ints_at(at);
  at += 4 * (uint32_t)dense->scales;
  dense->weights = (const int8_t *)at;
}

/*
 * mote_fully_connected_check keeps sums below 2^31. Where no right shift makes room afterwards, the sum must leave room
 * for the output's zero point as well.
 */
static int has_headroom(const dense_view *d) {
  const int8_t *weights = d->weights;
  int32_t unit;
  for (unit = 0; unit < d->units; unit++) {
    const int32_t shift = d->shift[d->scales > 1 ? unit : 0];
    int64_t bound = d->bias[unit] < 0 ? -(int64_t)d->bias[unit] : (int64_t)d->bias[unit];
    int32_t i;
    for (i = 0; i < d->inputs; i++) bound += 255 * (int64_t)(weights[i] < 0 ? -weights[i] : weights[i]);
    weights += d->inputs;
    if (shift >= 0 && bound * ((int64_t)1 << shift) >= ((int64_t)1 << 31) - 256) return 0;
  }
  return 1;
}

static int check_dense(const mote_model *m, const uint8_t *head, span body) {
  dense_view d;
  const uint32_t units = (uint32_t)tensor_elements(m, read_u32(head + 12));
  const uint32_t inputs = (uint32_t)tensor_elements(m, read_u32(head + 8));
  const uint32_t scales = read_u32(head + 16);
  if (scales != 1 && scales != units) return 0;
  if (take(&body, 1, FULLY_CONNECTED_HEAD_BYTES) == NULL) return 0;
  if (take(&body, units, 4) == NULL || take(&body, scales, 12) == NULL) return 0;
  /* Both are at most 2^20: the product is known to fit before it is formed. */
  if (inputs > body.left / units || take_padded(&body, inputs * units) == NULL || body.left != 0) return 0;
  view_dense(m, head, &d);
  return mote_fully_connected_check(d.inputs, d.units, d.input_zero, d.weights, d.bias, d.multiplier, d.shift,
                                    d.scales > 1, d.output_zero, d.act_min, d.act_max) &&
         has_headroom(&d);
}

static int check_softmax(const mote_model *m, const uint8_t *head, uint32_t bytes) {
  const uint32_t input = read_u32(head + 8);
  const uint32_t output = read_u32(head + 12);
  const int32_t count = tensor_elements(m, input);
  const int32_t from = tensor_offset(m, input);
  const int32_t to = tensor_offset(m, output);
  if (bytes != SOFTMAX_BYTES || tensor_elements(m, output) != count) return 0;
  /* In place or apart; half over its own input it would read its results. */
  if (from != to && from < to + count && to < from + count) return 0;
  return mote_softmax_check(count, read_i32(head + 16), read_i32(head + 20), read_i32(head + 24));
}

static int check_tensors(const mote_model *m, uint32_t count, int32_t arena) {
  uint32_t i;
  for (i = 0; i < count; i++) {
    const uint8_t *tensor = tensor_at(m, i);
    const int32_t elements = count_at(tensor + TENSOR_ELEMENTS, 1, arena);
    const int32_t offset = count_at(tensor + TENSOR_OFFSET, 0, arena);
    const int32_t zero_point = read_i32(tensor + TENSOR_ZERO_POINT);
    if (elements < 0 || offset < 0 || elements > arena - offset) return 0;
    if (zero_point < -128 || zero_point > 127) return 0;
  }
  return 1;
}

static int check_ops(const mote_model *m, span s, uint32_t tensor_count) {
  int32_t i;
  for (i = 0; i < m->op_count; i++) {
    const uint8_t *head = s.at;
    uint32_t bytes;
    span body;
    if (s.left < SOFTMAX_BYTES) return 0;
    bytes = read_u32(head + 4);
    if (bytes % 4 != 0 || bytes < SOFTMAX_BYTES || take(&s, bytes, 1) == NULL) return 0;
    if (read_u32(head + 8) >= tensor_count || read_u32(head + 12) >= tensor_count) return 0;
    body.at = head;
    body.left = bytes;
    switch (read_u32(head)) {
      case OP_FULLY_CONNECTED:
        if (!check_dense(m, head, body)) return 0;
        break;
      case OP_SOFTMAX:
        if (!check_softmax(m, head, bytes)) return 0;
        break;
      default:
        return 0;
    }
  }
  return s.left == 0;
}

static void run_network(const mote_model *m) {
  const uint8_t *at = m->ops;
  int32_t i;
  for (i = 0; i < m->op_count; i++) {
    const int8_t *input = m->arena + tensor_offset(m, read_u32(at + 8));
    int8_t *output = m->arena + tensor_offset(m, read_u32(at + 12));
    if (read_u32(at) == OP_FULLY_CONNECTED) {
      dense_view d;
      view_dense(m, at, &d);
      mote_fully_connected(input, d.inputs, d.units, d.input_zero, d.weights, d.bias, d.multiplier, d.shift,
                           d.scales > 1, d.output_zero, d.act_min, d.act_max, output);
    } else {
      mote_softmax(input, tensor_elements(m, read_u32(at + 8)), read_i32(at + 16), read_i32(at + 20),
                   read_i32(at + 24), output);
    }
    at += read_u32(at + 4);
  }
}

/* ---- Checks of the whole pack ---- */

/* `count` NUL-terminated strings of sane length fill the section exactly. */
static int check_text(span s, uint32_t count) {
  uint32_t strings = 0;
  uint32_t length = 0;
  uint32_t i;
  for (i = 0; i < s.left; i++) {
    if (s.at[i] != 0) {
      length++;
      if (length > MAX_TEXT_BYTES) return 0;
    } else {
      strings++;
      length = 0;
    }
  }
  return strings == count && length == 0;
}

static int check_selftest(mote_model *m, span s) {
  const uint32_t values = (uint32_t)(m->window_frames * m->channels);
  uint32_t windows;
  const uint8_t *head = take(&s, 1, SELFTEST_HEAD_BYTES);
  if (head == NULL) return 0;
  m->recorded_count = count_at(head, 0, MAX_SELFTEST_WINDOWS);
  m->generated_count = count_at(head + 4, 0, MAX_SELFTEST_WINDOWS);
  if (m->recorded_count < 0 || m->generated_count < 0) return 0;
  windows = (uint32_t)(m->recorded_count + m->generated_count);
  if (windows < 1 || windows > MAX_SELFTEST_WINDOWS) return 0;
  if (take(&s, 2 * (uint32_t)m->channels, 4) == NULL || take(&s, windows, 4) == NULL) return 0;
  if (take_padded(&s, windows * (uint32_t)m->label_count) == NULL) return 0;
  return take(&s, (uint32_t)m->recorded_count, 2 * values) != NULL && s.left == 0;
}

/* RAM that a checked model needs, in bytes, in the order of open_memory. */
static uint32_t window_bytes(const mote_model *m) { return 4u * (uint32_t)(m->window_frames * m->channels); }

static uint32_t work_bytes(const mote_model *m) {
  const uint32_t scratch = 4u * read_u32(m->spec + SPEC_SCRATCH);
  const uint32_t arena = round_up4(read_u32(m->spec + SPEC_ARENA));
  return scratch > arena ? scratch : arena;
}

static uint32_t total_bytes(const mote_model *m) {
  const uint32_t labels = (uint32_t)m->label_count;
  return window_bytes(m) + 4u * (uint32_t)m->feature_count + work_bytes(m) + round_up4(labels) +
         round_up4(labels * (uint32_t)m->smoothing_windows);
}

/* The numbers of section "spec". */
static int parse_spec(mote_model *m) {
  m->channels = count_at(m->spec + SPEC_CHANNELS, 1, MOTE_MAX_CHANNELS);
  m->window_frames = count_at(m->spec + SPEC_WINDOW_FRAMES, 1, MOTE_MAX_FRAMES);
  m->stride_frames = count_at(m->spec + SPEC_STRIDE_FRAMES, 1, MAX_STRIDE_FRAMES);
  m->label_count = count_at(m->spec + SPEC_LABELS, 1, MAX_LABELS);
  m->feature_count = count_at(m->spec + SPEC_FEATURES, 1, MAX_FEATURES);
  m->block_count = count_at(m->spec + SPEC_BLOCKS, 1, MAX_BLOCKS);
  m->op_count = count_at(m->spec + SPEC_OPS, 1, MAX_OPS);
  m->smoothing_windows = count_at(m->spec + SPEC_SMOOTHING_WINDOWS, 1, MAX_SMOOTHING_WINDOWS);
  m->smoothing_threshold = count_at(m->spec + SPEC_SMOOTHING_THRESHOLD, 0, MAX_THRESHOLD);
  return m->channels > 0 && m->window_frames > 0 && m->stride_frames > 0 && m->label_count > 0 &&
         m->feature_count > 0 && m->block_count > 0 && m->op_count > 0 && m->smoothing_windows > 0 &&
         m->smoothing_threshold >= 0 && m->channels <= MAX_WINDOW_VALUES / m->window_frames;
}

int32_t mote_pack_size(const uint8_t *header) {
  const uint32_t size = read_u32(header + 12);
  if (header[0] != 'M' || header[1] != 'O' || header[2] != 'T' || header[3] != 'E') return MOTE_E_MAGIC;
  if (((uint32_t)header[8] | ((uint32_t)header[9] << 8)) != PACK_VERSION) return MOTE_E_VERSION;
  if (size % 4 != 0 || size < FIRST_SECTION + SPEC_BYTES || size > MAX_PACK_BYTES) return MOTE_E_SIZE;
  return (int32_t)size;
}

/* Checks everything and fills in all of m but its RAM. */
static int parse(mote_model *m, const uint8_t *pack, uint32_t size) {
  span sections[SECTION_COUNT];
  int32_t claimed;
  uint32_t total, i, tensor_count, input, output;
  int32_t arena;

  if (!is_aligned(pack)) return MOTE_E_ALIGN;
  if (size < MOTE_PACK_HEADER_BYTES) return MOTE_E_SIZE;
  claimed = mote_pack_size(pack);
  if (claimed < 0) return (int)claimed;
  total = (uint32_t)claimed;
  if (total > size) return MOTE_E_SIZE;
  if (mote_crc32(0, pack + CRC_START, total - CRC_START) != read_u32(pack + 4)) return MOTE_E_CRC;

  if (((uint32_t)pack[10] | ((uint32_t)pack[11] << 8)) != SECTION_COUNT) return MOTE_E_CORRUPT;
  for (i = 0; i < SECTION_COUNT; i++) {
    const uint32_t start = read_u32(pack + TABLE_OFFSET + 8 * i);
    const uint32_t bytes = read_u32(pack + TABLE_OFFSET + 8 * i + 4);
    if (start % 4 != 0 || start < FIRST_SECTION || start > total || bytes > total - start) return MOTE_E_CORRUPT;
    sections[i].at = pack + start;
    sections[i].left = bytes;
  }
  if (sections[SPEC].left != SPEC_BYTES) return MOTE_E_CORRUPT;

  m->pack = pack;
  m->id = read_u32(pack + 4);
  m->spec = sections[SPEC].at;
  m->text = (const char *)sections[TEXT].at;
  m->blocks = sections[BLOCKS].at;
  m->affine = sections[AFFINE].at;
  m->tensors = sections[TENSORS].at;
  m->ops = sections[OPS].at;
  m->selftest = sections[SELFTEST].at;
  m->clock_us = NULL;
  if (!parse_spec(m)) return MOTE_E_CORRUPT;

  tensor_count = read_u32(m->spec + SPEC_TENSORS);
  input = read_u32(m->spec + SPEC_INPUT);
  output = read_u32(m->spec + SPEC_OUTPUT);
  arena = count_at(m->spec + SPEC_ARENA, 1, MAX_ARENA_BYTES);
  if (arena < 0 || tensor_count > MAX_TENSORS || input >= tensor_count || output >= tensor_count) return MOTE_E_CORRUPT;
  if (sections[TENSORS].left != tensor_count * TENSOR_BYTES) return MOTE_E_CORRUPT;
  if (!check_tensors(m, tensor_count, arena)) return MOTE_E_CORRUPT;
  if (tensor_elements(m, input) != m->feature_count || tensor_elements(m, output) != m->label_count) {
    return MOTE_E_CORRUPT;
  }
  m->input_offset = tensor_offset(m, input);
  m->output_offset = tensor_offset(m, output);
  m->output_zero_point = tensor_zero_point(m, output);

  if (!check_text(sections[TEXT], 1u + (uint32_t)m->label_count + 2u * (uint32_t)m->channels + tensor_count)) {
    return MOTE_E_CORRUPT;
  }
  if (check_blocks(m, sections[BLOCKS]) != read_i32(m->spec + SPEC_SCRATCH)) return MOTE_E_CORRUPT;
  if (read_i32(m->spec + SPEC_SCRATCH) < 0) return MOTE_E_CORRUPT;
  if (sections[AFFINE].left != 8u * (uint32_t)m->feature_count) return MOTE_E_CORRUPT;
  if (!check_ops(m, sections[OPS], tensor_count)) return MOTE_E_CORRUPT;
  if (!check_selftest(m, sections[SELFTEST])) return MOTE_E_CORRUPT;
  return MOTE_OK;
}

int mote_model_check(const uint8_t *pack, uint32_t size) {
  mote_model m;
  return parse(&m, pack, size);
}

int32_t mote_model_ram(const uint8_t *pack, uint32_t size) {
  mote_model m;
  const int result = parse(&m, pack, size);
  return result == MOTE_OK ? (int32_t)total_bytes(&m) : (int32_t)result;
}

int mote_model_open(mote_model *m, const uint8_t *pack, uint32_t size, void *ram, uint32_t ram_size) {
  uint8_t *at = (uint8_t *)ram;
  uint32_t i;
  const int result = parse(m, pack, size);
  if (result != MOTE_OK) return result;
  if (!is_aligned(ram)) return MOTE_E_ALIGN;
  if (ram_size < total_bytes(m)) return MOTE_E_RAM;
  for (i = 0; i < total_bytes(m); i++) at[i] = 0;
  m->window = (float *)(void *)at;
  at += window_bytes(m);
  m->features = (float *)(void *)at;
  at += 4u * (uint32_t)m->feature_count;
  m->scratch = (float *)(void *)at;
  m->arena = (int8_t *)at;
  at += work_bytes(m);
  m->scores = (int8_t *)at;
  at += round_up4((uint32_t)m->label_count);
  m->history = (int8_t *)at;
  mote_model_reset(m);
  return MOTE_OK;
}

void mote_model_set_clock(mote_model *m, uint32_t (*clock_us)(void)) { m->clock_us = clock_us; }

/* ---- Running ---- */

static uint32_t now(const mote_model *m) { return m->clock_us != NULL ? m->clock_us() : 0u; }

static void run(mote_model *m, const float *window, mote_result *out) {
  const uint32_t start = now(m);
  const float *affine = floats_at(m->affine);
  uint32_t middle;
  int32_t i;
  run_blocks(m, window);
  mote_quantize_input(m->features, m->feature_count, affine, affine + m->feature_count, m->arena + m->input_offset);
  out->feature_crc = mote_crc32(0, (const uint8_t *)(m->arena + m->input_offset), (uint32_t)m->feature_count);
  middle = now(m);
  run_network(m);
  for (i = 0; i < m->label_count; i++) m->scores[i] = m->arena[m->output_offset + i];
  out->dsp_us = middle - start;
  out->network_us = now(m) - middle;
  out->scores = m->scores;
  out->score_count = m->label_count;
  out->best = mote_smooth_best(m->scores, m->label_count);
  out->decision =
      mote_smooth_decide(m->scores, 1, m->label_count, m->output_zero_point, m->smoothing_threshold);
}

int mote_model_push(mote_model *m, const float *sample, mote_result *out) {
  if (!mote_window_push(m->window, m->window_frames, m->channels, sample, &m->filled, &m->skip)) return 0;
  run(m, m->window, out);
  out->decision = mote_smooth_add(m->history, m->smoothing_windows, &m->history_count, &m->history_next, m->scores,
                                  m->label_count, m->output_zero_point, m->smoothing_threshold);
  mote_window_advance(m->window, m->window_frames, m->channels, m->stride_frames, &m->filled, &m->skip);
  return 1;
}

int mote_model_classify(mote_model *m, const float *window, mote_result *out) {
  run(m, window, out);
  return MOTE_OK;
}

int32_t mote_model_selftest_count(const mote_model *m) { return m->recorded_count + m->generated_count; }

int mote_model_selftest(mote_model *m, int32_t index) {
  const int32_t count = mote_model_selftest_count(m);
  const uint8_t *scale = m->selftest + SELFTEST_HEAD_BYTES;
  const uint8_t *offset = scale + 4 * (uint32_t)m->channels;
  const uint8_t *crc = offset + 4 * (uint32_t)m->channels;
  const int8_t *scores = (const int8_t *)(crc + 4 * (uint32_t)count);
  const uint8_t *recorded = (const uint8_t *)scores + round_up4((uint32_t)count * (uint32_t)m->label_count);
  mote_result result;
  int32_t i;
  if (index < 0 || index >= count) return MOTE_E_INDEX;
  mote_model_reset(m);
  if (index < m->recorded_count) {
    const uint32_t values = (uint32_t)(m->window_frames * m->channels);
    const void *window = recorded + 2u * values * (uint32_t)index;
    mote_selftest_unpack((const int16_t *)window, m->window_frames, m->channels, floats_at(scale), m->window);
  } else {
    mote_selftest_generate(read_u32(m->selftest + 8), index - m->recorded_count, m->window_frames, m->channels,
                           floats_at(scale), floats_at(offset), m->window);
  }
  run(m, m->window, &result);
  if (result.feature_crc != read_u32(crc + 4 * (uint32_t)index)) return 0;
  for (i = 0; i < m->label_count; i++) {
    if (m->scores[i] != scores[index * m->label_count + i]) return 0;
  }
  return 1;
}

void mote_model_reset(mote_model *m) {
  m->filled = 0;
  m->skip = 0;
  m->history_count = 0;
  m->history_next = 0;
}

/* ---- Names and numbers ---- */

const char *mote_model_label(const mote_model *m, int32_t i) {
  const char *text = m->text;
  if (i < 0 || i >= m->label_count) return "";
  for (;; i--) {
    while (*text != '\0') text++;
    text++;
    if (i == 0) return text;
  }
}

const char *mote_model_name(const mote_model *m) { return m->text; }

uint32_t mote_model_id(const mote_model *m) { return m->id; }

int32_t mote_model_channels(const mote_model *m) { return m->channels; }

int32_t mote_model_window_frames(const mote_model *m) { return m->window_frames; }

int32_t mote_model_stride_frames(const mote_model *m) { return m->stride_frames; }

int32_t mote_model_label_count(const mote_model *m) { return m->label_count; }

uint32_t mote_model_rate_millihertz(const mote_model *m) { return read_u32(m->spec + SPEC_RATE_MILLIHERTZ); }
