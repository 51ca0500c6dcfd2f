#include "mote_pack.h"

#include <stddef.h>

#include "mote_conv_plain.h"
#include "mote_crc32.h"
#include "mote_elementwise.h"
#include "mote_flash.h"
#include "mote_flatten.h"
#include "mote_input.h"
#include "mote_move.h"
#include "mote_pool.h"
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
#define PACK_VERSION 2u
#define CRC_START 8u
#define TABLE_OFFSET 16u
#define SECTION_COUNT 9u
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

/* A tensor as the ops see it. */
typedef struct {
  int32_t elements;
  int32_t zero_point;
  int32_t rank;
  int32_t shape[4]; /* ones beyond the rank */
  int8_t *data;     /* null pointers until the model has its RAM */
  const int8_t *values;
} tensor_view;

/* A layer with weights. */
typedef struct {
  mote_conv layer;
  int32_t groups; /* or the depth multiplier */
  int32_t taps;   /* weights per output channel */
} layer_view;

static uint32_t read_u8(const uint8_t *p) { return (uint8_t)MOTE_FLASH_I8(p); }

static uint32_t read_u16(const uint8_t *p) { return read_u8(p) | (read_u8(p + 1) << 8); }

static uint32_t read_u32(const uint8_t *p) { return read_u16(p) | (read_u16(p + 2) << 16); }

/* CRC-32 of bytes of the pack. */
static uint32_t crc_of_pack(const uint8_t *bytes, uint32_t count) {
#if defined(__AVR__)
  uint32_t crc = 0;
  for (; count > 0; count--) {
    const uint8_t byte = (uint8_t)read_u8(bytes++);
    crc = mote_crc32(crc, &byte, 1);
  }
  return crc;
#else
  return mote_crc32(0, bytes, count);
#endif
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

/* Tensor `id` of the table, which has been checked. */
static void view_tensor(const mote_model *m, uint32_t id, tensor_view *t) {
  const uint8_t *p = tensor_at(m, id);
  const int32_t offset = read_i32(p + TENSOR_OFFSET);
  int32_t axis;
  t->elements = read_i32(p + TENSOR_ELEMENTS);
  t->zero_point = read_i32(p + TENSOR_ZERO_POINT);
  t->rank = read_i32(p + TENSOR_RANK);
  for (axis = 0; axis < 4; axis++) t->shape[axis] = axis < t->rank ? read_i32(p + TENSOR_SHAPE + 4 * axis) : 1;
  t->data = NULL;
  t->values = NULL;
  if (read_u32(p + TENSOR_PLACE) == IN_CONSTANTS) {
    t->values = (const int8_t *)m->constants + offset;
  } else if (m->arena != NULL) {
    t->data = m->arena + offset;
    t->values = t->data;
  }
}

/* The same shape with leading ones. */
static void leading_shape(const tensor_view *t, int32_t *shape) {
  int32_t axis;
  for (axis = 0; axis < 4; axis++) shape[axis] = axis < 4 - t->rank ? 1 : t->shape[axis - (4 - t->rank)];
}

/* Elements between neighbours along each axis of a row-major shape. */
static void steps_of(const int32_t *shape, int32_t *steps) {
  steps[3] = 1;
  steps[2] = shape[3];
  steps[1] = shape[2] * steps[2];
  steps[0] = shape[1] * steps[1];
}

/* Parameter of an axis, counted with leading ones: 0 (or the fallback) for axes that the op's tensor does not have. */
static int32_t axis_at(const uint8_t *p, int32_t rank, int32_t axis, int32_t fallback) {
  return axis < 4 - rank ? fallback : read_i32(p + 4 * (axis - (4 - rank)));
}

/* Window geometry of a layer or pool, from its ten numbers. */
static void view_window(const uint8_t *p, mote_conv *op) {
  op->kernel_h = read_i32(p);
  op->kernel_w = read_i32(p + 4);
  op->stride_h = read_i32(p + 8);
  op->stride_w = read_i32(p + 12);
  op->dilation_h = read_i32(p + 16);
  op->dilation_w = read_i32(p + 20);
  op->pad_top = read_i32(p + 24);
  op->pad_left = read_i32(p + 28);
}

/* The positions of a window along one axis; the limits of its parts have been checked. */
static int fits(int32_t input, int32_t output, int32_t kernel, int32_t stride, int32_t dilation, int32_t before,
                int32_t after) {
  const int32_t extent = (kernel - 1) * dilation + 1;
  const int32_t room = input + before + after - extent;
  /* A window that saw padding alone would have nothing to average, and no row to copy. */
  return before < extent && after < extent && room >= 0 && room / stride + 1 == output;
}

static int check_window(const uint8_t *p, const tensor_view *from, const tensor_view *to) {
  int32_t n[10];
  int32_t i;
  if (from->rank != 3 || to->rank != 3) return 0;
  for (i = 0; i < 10; i++) {
    n[i] = count_at(p + 4 * i, i < 6 ? 1 : 0, MAX_SIDE);
    if (n[i] < 0) return 0;
  }
  if (n[0] > 1 && n[4] > MAX_SIDE / (n[0] - 1)) return 0;
  if (n[1] > 1 && n[5] > MAX_SIDE / (n[1] - 1)) return 0;
  return fits(from->shape[0], to->shape[0], n[0], n[2], n[4], n[6], n[8]) &&
         fits(from->shape[1], to->shape[1], n[1], n[3], n[5], n[7], n[9]);
}

/* Parameters of a rescaling whose input is at most `bound` (below 2^31): 1 when nothing overflows. */
static int check_rescaling(int32_t multiplier, int32_t lowest, int32_t shift, int64_t bound) {
  if (multiplier < 0 || (multiplier != 0 && multiplier < lowest) || shift < -31 || shift > 30) return 0;
  return shift < 0 || bound * ((int64_t)1 << shift) < ((int64_t)1 << 31) - 256;
}

static int check_activation(int32_t act_min, int32_t act_max) {
  return act_min >= -128 && act_max <= 127 && act_min <= act_max;
}

/* Bytes of an op that come before its arrays. */
static uint32_t layer_head_bytes(uint32_t opcode) { return opcode == OP_FULLY_CONNECTED ? 40u : 80u; }

/* The layer at p; its arrays are in bounds once check_layer has passed. */
static void view_layer(const uint8_t *p, const tensor_view *from, const tensor_view *to, layer_view *view) {
  const uint32_t opcode = read_u32(p);
  const uint8_t *at = p + layer_head_bytes(opcode);
  mote_conv *op = &view->layer;
  uint32_t channels, scales;
  if (opcode == OP_FULLY_CONNECTED) {
    const int32_t inputs = read_i32(p + OP_ROW_INPUTS);
    const int32_t rows = from->elements / inputs;
    op->in_h = op->out_h = 1;
    op->in_w = op->out_w = rows;
    op->in_c = inputs;
    op->out_c = to->elements / rows;
    op->kernel_h = op->kernel_w = op->stride_h = op->stride_w = op->dilation_h = op->dilation_w = 1;
    op->pad_top = op->pad_left = 0;
    view->groups = 1;
    view->taps = inputs;
  } else {
    op->in_h = from->shape[0];
    op->in_w = from->shape[1];
    op->in_c = from->shape[2];
    op->out_h = to->shape[0];
    op->out_w = to->shape[1];
    op->out_c = to->shape[2];
    view_window(p + OP_WINDOW, op);
    view->groups = read_i32(p + OP_GROUPS);
    view->taps = op->kernel_h * op->kernel_w * (opcode == OP_CONV2D ? op->in_c / view->groups : 1);
  }
  channels = (uint32_t)op->out_c;
  scales = read_u32(p + OP_SCALES);
  op->in_zero = from->zero_point;
  op->out_zero = to->zero_point;
  op->act_min = read_i32(p + OP_ACT_MIN);
  op->act_max = read_i32(p + OP_ACT_MAX);
  op->per_channel = scales > 1 ? 1 : 0;
  op->bias = ints_at(at);
  at += 4 * channels + 4 * scales; /* scales of the weights lie between, of no use here */
  op->multiplier = ints_at(at);
  at += 4 * scales;
  op->shift = (const int8_t *)at;
  op->weights = at + round_up4(scales);
}

/* Multipliers, and that no sum of products leaves 32 bits, not even on its way. */
static int check_channels(const layer_view *view, uint32_t opcode) {
  const mote_conv *op = &view->layer;
  const int8_t *weights = (const int8_t *)op->weights;
  /* [tap][channel] for depthwise layers, [channel][tap] for all others */
  const int32_t channel_step = opcode == OP_DEPTHWISE ? 1 : view->taps;
  const int32_t tap_step = opcode == OP_DEPTHWISE ? op->out_c : 1;
  int32_t channel, i;
  for (channel = 0; channel < op->out_c; channel++) {
    const int32_t scale = op->per_channel ? channel : 0;
    const int8_t *w = weights + channel * channel_step;
    int64_t bias = MOTE_FLASH_I32(op->bias + channel);
    int64_t magnitude = 0;
    for (i = 0; i < view->taps; i++) {
      const int32_t weight = MOTE_FLASH_I8(w);
      if (weight == -128) return 0;
      magnitude += weight < 0 ? -weight : weight;
      bias += (int64_t)weight * op->in_zero; /* as it was before the zero point was folded in */
      w += tap_step;
    }
    magnitude = (bias < 0 ? -bias : bias) + 256 * magnitude;
    if (magnitude >= (int64_t)1 << 31) return 0;
    if (!check_rescaling(MOTE_FLASH_I32(op->multiplier + scale), (int32_t)1 << 30, MOTE_FLASH_I8(op->shift + scale),
                         magnitude)) {
      return 0;
    }
  }
  return 1;
}

/* Bytes of scratch of a layer, at most MAX_ARENA_BYTES + 1. */
static int32_t layer_scratch(const layer_view *view, uint32_t opcode) {
  const mote_conv *op = &view->layer;
  if (opcode == OP_DEPTHWISE) {
    const int32_t rows = (op->kernel_h - 1) * op->dilation_h + 1;
    const int64_t bytes = (int64_t)rows * mote_ring_width(op) * op->in_c;
    return bytes > MAX_ARENA_BYTES ? MAX_ARENA_BYTES + 1 : (int32_t)bytes;
  }
  if (opcode == OP_FULLY_CONNECTED || view->groups > 1 || mote_is_pointwise(op)) return 0;
  return view->taps;
}

static int check_layer(const uint8_t *head, const tensor_view *from, const tensor_view *to, span body, int32_t arena) {
  const uint32_t opcode = read_u32(head);
  layer_view view;
  uint32_t channels, scales, weights;
  if (take(&body, layer_head_bytes(opcode), 1) == NULL) return 0;
  if (!check_activation(read_i32(head + OP_ACT_MIN), read_i32(head + OP_ACT_MAX))) return 0;
  if (opcode == OP_FULLY_CONNECTED) {
    const int32_t inputs = count_at(head + OP_ROW_INPUTS, 1, MAX_ELEMENTS);
    if (inputs < 0 || from->elements % inputs != 0 || to->elements % (from->elements / inputs) != 0) return 0;
    channels = (uint32_t)(to->elements / (from->elements / inputs));
    weights = (uint32_t)inputs;
  } else {
    const int32_t groups = count_at(head + OP_GROUPS, 1, MAX_SIDE);
    const uint8_t *window = head + OP_WINDOW;
    uint32_t area;
    if (groups < 0 || !check_window(window, from, to)) return 0;
    channels = (uint32_t)to->shape[2];
    area = read_u32(window) * read_u32(window + 4); /* at most 2^28 */
    if (opcode == OP_DEPTHWISE) {
      if (to->shape[2] % from->shape[2] != 0 || to->shape[2] / from->shape[2] != groups) return 0;
      weights = area;
    } else {
      const uint32_t depth = (uint32_t)(from->shape[2] / groups);
      if (from->shape[2] % groups != 0 || to->shape[2] % groups != 0) return 0;
      if (area > (uint32_t)MAX_ELEMENTS / depth) return 0;
      weights = area * depth;
    }
  }
  scales = read_u32(head + OP_SCALES);
  if ((scales != 1 && scales != channels) || weights > (uint32_t)MAX_ELEMENTS) return 0;
  if (take(&body, channels, 4) == NULL || take(&body, scales, 8) == NULL || take_padded(&body, scales) == NULL) return 0;
  /* Both are at most 2^20: the product is known to fit before it is formed. */
  if (weights > body.left / channels || take_padded(&body, weights * channels) == NULL || body.left != 0) return 0;
  view_layer(head, from, to, &view);
  if (count_at(head + OP_SCRATCH, 0, arena) < 0) return 0;
  if (layer_scratch(&view, opcode) > arena - read_i32(head + OP_SCRATCH)) return 0;
  return check_channels(&view, opcode);
}

static int check_pool(const uint8_t *head, const tensor_view *from, const tensor_view *to) {
  const uint8_t *window = head + OP_POOL_WINDOW;
  if (!check_activation(read_i32(head + OP_POOL_MIN), read_i32(head + OP_POOL_MAX))) return 0;
  return check_window(window, from, to) && read_u32(window + 16) == 1 && read_u32(window + 20) == 1 &&
         from->shape[2] == to->shape[2];
}

static int check_mean(const uint8_t *head, const tensor_view *from, const tensor_view *to) {
  const int32_t outer = count_at(head + 24, 1, MAX_ELEMENTS);
  const int32_t count = count_at(head + 28, 1, MAX_ELEMENTS);
  const int32_t inner = count_at(head + 32, 1, MAX_ELEMENTS);
  if (outer < 0 || count < 0 || inner < 0) return 0;
  if ((int64_t)outer * inner != to->elements || (int64_t)to->elements * count != from->elements) return 0;
  return check_rescaling(read_i32(head + 36), 0, read_i32(head + 40), 255 * (int64_t)count);
}

static int check_operands(const tensor_view *a, const tensor_view *b, const tensor_view *to, const uint8_t *range) {
  if (!check_activation(read_i32(range), read_i32(range + 4))) return 0;
  return a->elements == to->elements && to->elements % b->elements == 0;
}

static int check_add(const uint8_t *head, const tensor_view *a, const tensor_view *b, const tensor_view *to) {
  uint32_t i;
  for (i = 0; i < 3; i++) {
    const int32_t shift = read_i32(head + 32 + 8 * i);
    if (shift > 0 || !check_rescaling(read_i32(head + 28 + 8 * i), (int32_t)1 << 30, shift, (int64_t)1 << 30)) return 0;
  }
  return read_u32(head + 24) <= 1 && check_operands(a, b, to, head + 52);
}

static int check_mul(const uint8_t *head, const tensor_view *a, const tensor_view *b, const tensor_view *to) {
  return check_rescaling(read_i32(head + 24), (int32_t)1 << 30, read_i32(head + 28), 65025) &&
         check_operands(a, b, to, head + 32);
}

static int check_concat(const mote_model *m, const uint8_t *head, const tensor_view *to, span body,
                        uint32_t tensor_count) {
  const int32_t axis = count_at(head + 24, 0, to->rank - 1);
  const int32_t count = count_at(head + 28, 1, MAX_TENSORS);
  int32_t size = 0;
  int32_t i, other;
  if (axis < 0 || count < 0 || take(&body, 8, 4) == NULL || take(&body, (uint32_t)count, 4) == NULL || body.left != 0) {
    return 0;
  }
  for (i = 0; i < count; i++) {
    const uint32_t id = read_u32(head + 32 + 4 * i);
    tensor_view from;
    if (id >= tensor_count) return 0;
    view_tensor(m, id, &from);
    if (from.rank != to->rank) return 0;
    for (other = 0; other < to->rank; other++) {
      if (other != axis && from.shape[other] != to->shape[other]) return 0;
    }
    if (from.shape[axis] > to->shape[axis] - size) return 0;
    size += from.shape[axis];
  }
  return size == to->shape[axis];
}

static int check_pad(const uint8_t *head, const tensor_view *from, const tensor_view *to) {
  int32_t axis;
  if (from->rank != to->rank) return 0;
  for (axis = 0; axis < from->rank; axis++) {
    const int32_t before = count_at(head + 24 + 4 * axis, 0, MAX_ELEMENTS);
    const int32_t after = count_at(head + 40 + 4 * axis, 0, MAX_ELEMENTS);
    if (before < 0 || after < 0 || from->shape[axis] + before + after != to->shape[axis]) return 0;
  }
  return 1;
}

static int check_transpose(const uint8_t *head, const tensor_view *from, const tensor_view *to) {
  uint32_t seen = 0;
  int32_t axis;
  if (from->rank != to->rank) return 0;
  for (axis = 0; axis < from->rank; axis++) {
    const int32_t source = count_at(head + 24 + 4 * axis, 0, from->rank - 1);
    if (source < 0 || (seen >> source & 1u) != 0 || from->shape[source] != to->shape[axis]) return 0;
    seen |= 1u << source;
  }
  return 1;
}

static int check_slice(const uint8_t *head, const tensor_view *from, const tensor_view *to) {
  int32_t axis;
  if (from->rank != to->rank) return 0;
  for (axis = 0; axis < from->rank; axis++) {
    const int32_t begin = count_at(head + 24 + 4 * axis, 0, from->shape[axis] - 1);
    const int32_t stride = count_at(head + 40 + 4 * axis, 1, MAX_ELEMENTS);
    if (begin < 0 || stride < 0) return 0;
    if ((int64_t)begin + (int64_t)(to->shape[axis] - 1) * stride >= from->shape[axis]) return 0;
  }
  return 1;
}

static int check_resize(const uint8_t *head, const tensor_view *from, const tensor_view *to, span body) {
  int32_t axis, i;
  if (from->rank != 3 || to->rank != 3 || from->shape[2] != to->shape[2]) return 0;
  if (from->shape[0] > MAX_SIDE || from->shape[1] > MAX_SIDE || to->shape[0] > MAX_SIDE || to->shape[1] > MAX_SIDE) {
    return 0;
  }
  if (take(&body, OP_HEAD_BYTES + 8, 1) == NULL) return 0;
  if (take_padded(&body, 2 * (uint32_t)(to->shape[0] + to->shape[1])) == NULL || body.left != 0) return 0;
  head += OP_HEAD_BYTES + 8;
  for (axis = 0; axis < 2; axis++) {
    for (i = 0; i < to->shape[axis]; i++) {
      if (read_u16(head) >= (uint32_t)from->shape[axis]) return 0;
      head += 2;
    }
  }
  return 1;
}

static int check_softmax(const uint8_t *head, const tensor_view *from, const tensor_view *to, int32_t distance) {
  const int32_t classes = from->shape[from->rank - 1];
  if (to->elements != from->elements || to->shape[to->rank - 1] != classes) return 0;
  /* In place or apart; half over its own input it would read its results. */
  if (distance != 0 && distance < from->elements && distance > -from->elements) return 0;
  return mote_softmax_check(classes, read_i32(head + 24), read_i32(head + 28), read_i32(head + 32));
}

/* Bytes of an op of fixed size, or 0. */
static uint32_t fixed_bytes(uint32_t opcode) {
  switch (opcode) {
    case OP_SOFTMAX:
      return SOFTMAX_BYTES;
    case OP_MAX_POOL:
    case OP_AVERAGE_POOL:
      return POOL_BYTES;
    case OP_MEAN:
      return MEAN_BYTES;
    case OP_ADD:
      return ADD_BYTES;
    case OP_MUL:
      return MUL_BYTES;
    case OP_RESHAPE:
      return OP_HEAD_BYTES;
    case OP_TRANSPOSE:
      return OP_HEAD_BYTES + AXES_BYTES;
    case OP_PAD:
    case OP_STRIDED_SLICE:
      return OP_HEAD_BYTES + 2 * AXES_BYTES;
    case OP_LOOKUP:
      return LOOKUP_BYTES;
    default:
      return 0;
  }
}

static int check_op(const mote_model *m, const uint8_t *head, span body, uint32_t tensor_count, int32_t arena) {
  const uint32_t opcode = read_u32(head);
  const uint32_t input = read_u32(head + OP_INPUT);
  const uint32_t output = read_u32(head + OP_OUTPUT);
  const uint32_t second = read_u32(head + OP_SECOND);
  tensor_view from, to, other;
  if (input >= tensor_count || output >= tensor_count || second >= tensor_count) return 0;
  if (fixed_bytes(opcode) != 0 && body.left != fixed_bytes(opcode)) return 0;
  view_tensor(m, input, &from);
  view_tensor(m, output, &to);
  view_tensor(m, second, &other);
  if (read_u32(tensor_at(m, output) + TENSOR_PLACE) != IN_ARENA) return 0;
  switch (opcode) {
    case OP_FULLY_CONNECTED:
    case OP_CONV2D:
    case OP_DEPTHWISE:
      return check_layer(head, &from, &to, body, arena);
    case OP_SOFTMAX:
      return check_softmax(head, &from, &to, tensor_offset(m, output) - tensor_offset(m, input));
    case OP_MAX_POOL:
    case OP_AVERAGE_POOL:
      return check_pool(head, &from, &to);
    case OP_MEAN:
      return check_mean(head, &from, &to);
    case OP_ADD:
      return check_add(head, &from, &other, &to);
    case OP_MUL:
      return check_mul(head, &from, &other, &to);
    case OP_CONCAT:
      return check_concat(m, head, &to, body, tensor_count);
    case OP_PAD:
      return check_pad(head, &from, &to);
    case OP_RESHAPE:
    case OP_LOOKUP:
      return from.elements == to.elements;
    case OP_TRANSPOSE:
      return check_transpose(head, &from, &to);
    case OP_STRIDED_SLICE:
      return check_slice(head, &from, &to);
    case OP_RESIZE_NEAREST:
      return check_resize(head, &from, &to, body);
    default:
      return 0;
  }
}

static int check_ops(const mote_model *m, span s, uint32_t tensor_count, int32_t arena) {
  int32_t i;
  for (i = 0; i < m->op_count; i++) {
    const uint8_t *head = s.at;
    uint32_t bytes;
    span body;
    if (s.left < OP_HEAD_BYTES) return 0;
    bytes = read_u32(head + OP_SIZE);
    if (bytes % 4 != 0 || bytes < OP_HEAD_BYTES || take(&s, bytes, 1) == NULL) return 0;
    body.at = head;
    body.left = bytes;
    if (!check_op(m, head, body, tensor_count, arena)) return 0;
  }
  return s.left == 0;
}

static int check_tensors(const mote_model *m, uint32_t count, int32_t arena, uint32_t constant_bytes) {
  uint32_t i;
  for (i = 0; i < count; i++) {
    const uint8_t *tensor = tensor_at(m, i);
    const uint32_t place = read_u32(tensor + TENSOR_PLACE);
    const int32_t zero_point = read_i32(tensor + TENSOR_ZERO_POINT);
    const int32_t rank = count_at(tensor + TENSOR_RANK, 1, 4);
    const int32_t room = place == IN_ARENA ? arena : (int32_t)constant_bytes;
    const int32_t elements = count_at(tensor + TENSOR_ELEMENTS, 1, MAX_ELEMENTS);
    const int32_t offset = count_at(tensor + TENSOR_OFFSET, 0, room);
    int32_t product = 1;
    int32_t axis;
#if defined(__AVR__)
    /* Operands are read as RAM there. */
    if (place != IN_ARENA) return 0;
#endif
    if (place != IN_ARENA && place != IN_CONSTANTS) return 0;
    if (rank < 0 || elements < 0 || offset < 0 || elements > room - offset) return 0;
    if (zero_point < -128 || zero_point > 127) return 0;
    for (axis = 0; axis < rank; axis++) {
      const int32_t size = count_at(tensor + TENSOR_SHAPE + 4 * axis, 1, MAX_ELEMENTS);
      if (size < 0 || size > MAX_ELEMENTS / product) return 0;
      product *= size;
    }
    if (product != elements) return 0;
  }
  return 1;
}

static void run_layer(const mote_model *m, const uint8_t *p, const tensor_view *from, const tensor_view *to) {
  void *scratch = m->arena + read_i32(p + OP_SCRATCH);
  layer_view view;
  view_layer(p, from, to, &view);
  switch (read_u32(p)) {
    case OP_FULLY_CONNECTED:
      mote_fully_connected_rows(&view.layer, from->values, to->data);
      break;
    case OP_DEPTHWISE:
      mote_depthwise(&view.layer, from->values, to->data, scratch);
      break;
    default:
      if (view.groups > 1) {
        mote_conv2d_grouped(&view.layer, view.groups, from->values, to->data);
      } else if (mote_is_pointwise(&view.layer)) {
        mote_conv2d_pointwise(&view.layer, from->values, to->data);
      } else {
        mote_conv2d(&view.layer, from->values, to->data, scratch);
      }
      break;
  }
}

static void run_pool(const uint8_t *p, const tensor_view *from, const tensor_view *to) {
  mote_conv window;
  mote_pool op;
  view_window(p + OP_POOL_WINDOW, &window);
  op.in_h = from->shape[0];
  op.in_w = from->shape[1];
  op.channels = from->shape[2];
  op.out_h = to->shape[0];
  op.out_w = to->shape[1];
  op.kernel_h = window.kernel_h;
  op.kernel_w = window.kernel_w;
  op.stride_h = window.stride_h;
  op.stride_w = window.stride_w;
  op.pad_top = window.pad_top;
  op.pad_left = window.pad_left;
  op.act_min = read_i32(p + OP_POOL_MIN);
  op.act_max = read_i32(p + OP_POOL_MAX);
  if (read_u32(p) == OP_MAX_POOL) {
    mote_max_pool(&op, from->values, to->data);
  } else {
    mote_average_pool(&op, from->values, to->data);
  }
}

static void run_add(const uint8_t *p, const tensor_view *a, const tensor_view *b, const tensor_view *to) {
  mote_add_params op;
  op.zero_a = a->zero_point;
  op.zero_b = b->zero_point;
  op.out_zero = to->zero_point;
  op.subtract = read_i32(p + 24);
  op.multiplier_a = read_i32(p + 28);
  op.shift_a = read_i32(p + 32);
  op.multiplier_b = read_i32(p + 36);
  op.shift_b = read_i32(p + 40);
  op.multiplier_out = read_i32(p + 44);
  op.shift_out = read_i32(p + 48);
  op.act_min = read_i32(p + 52);
  op.act_max = read_i32(p + 56);
  mote_add(&op, a->values, b->values, to->elements, b->elements, to->data);
}

static void run_mul(const uint8_t *p, const tensor_view *a, const tensor_view *b, const tensor_view *to) {
  mote_mul_params op;
  op.zero_a = a->zero_point;
  op.zero_b = b->zero_point;
  op.out_zero = to->zero_point;
  op.multiplier = read_i32(p + 24);
  op.shift = read_i32(p + 28);
  op.act_min = read_i32(p + 32);
  op.act_max = read_i32(p + 36);
  mote_mul(&op, a->values, b->values, to->elements, b->elements, to->data);
}

static void run_concat(const mote_model *m, const uint8_t *p, const tensor_view *to) {
  const int32_t axis = read_i32(p + 24);
  const int32_t count = read_i32(p + 28);
  int32_t inner = 1;
  int32_t start = 0;
  int32_t i, gap;
  for (i = axis + 1; i < to->rank; i++) inner *= to->shape[i];
  gap = to->shape[axis] * inner;
  for (i = 0; i < count; i++) {
    tensor_view from;
    int32_t block;
    view_tensor(m, read_u32(p + 32 + 4 * i), &from);
    block = from.shape[axis] * inner;
    mote_copy_blocks(from.values, to->elements / gap, block, block, to->data + start, gap);
    start += block;
  }
}

/* Pad, transpose, strided slice. */
static void run_move(const uint8_t *p, const tensor_view *from, const tensor_view *to) {
  int32_t shape[4], steps[4], walked[4];
  int32_t start = 0;
  int32_t axis;
  switch (read_u32(p)) {
    case OP_PAD:
      leading_shape(to, shape);
      steps_of(shape, steps);
      leading_shape(from, shape);
      for (axis = 0; axis < 4; axis++) start += axis_at(p + 24, from->rank, axis, 0) * steps[axis];
      mote_pad(from->values, shape, steps, start, to->zero_point, to->elements, to->data);
      break;
    case OP_TRANSPOSE:
      leading_shape(from, shape);
      steps_of(shape, steps);
      leading_shape(to, shape);
      for (axis = 0; axis < 4; axis++) {
        const int32_t lead = 4 - from->rank;
        walked[axis] = steps[axis < lead ? axis : lead + axis_at(p + 24, from->rank, axis, 0)];
      }
      mote_gather4(from->values, shape, walked, to->data);
      break;
    default:
      leading_shape(from, shape);
      steps_of(shape, steps);
      leading_shape(to, shape);
      for (axis = 0; axis < 4; axis++) {
        /* Along an axis of one element the stride is never walked, and may be large. */
        const int32_t stride = shape[axis] == 1 ? 0 : axis_at(p + 40, from->rank, axis, 1);
        start += axis_at(p + 24, from->rank, axis, 0) * steps[axis];
        walked[axis] = steps[axis] * stride;
      }
      mote_gather4(from->values + start, shape, walked, to->data);
      break;
  }
}

static void run_resize(const uint8_t *p, const tensor_view *from, const tensor_view *to) {
  const void *rows = p + OP_HEAD_BYTES + 8;
  const int16_t *indices = (const int16_t *)rows;
  mote_resize_nearest(from->values, from->shape[1], from->shape[2], to->shape[0], to->shape[1], indices,
                      indices + to->shape[0], to->data);
}

static void run_op(const mote_model *m, const uint8_t *p) {
  tensor_view from, to, other;
  view_tensor(m, read_u32(p + OP_INPUT), &from);
  view_tensor(m, read_u32(p + OP_OUTPUT), &to);
  switch (read_u32(p)) {
    case OP_FULLY_CONNECTED:
    case OP_CONV2D:
    case OP_DEPTHWISE:
      run_layer(m, p, &from, &to);
      break;
    case OP_MAX_POOL:
    case OP_AVERAGE_POOL:
      run_pool(p, &from, &to);
      break;
    case OP_MEAN:
      mote_mean(from.values, read_i32(p + 24), read_i32(p + 28), read_i32(p + 32), from.zero_point, read_i32(p + 36),
                read_i32(p + 40), to.zero_point, to.data);
      break;
    case OP_ADD:
      view_tensor(m, read_u32(p + OP_SECOND), &other);
      run_add(p, &from, &other, &to);
      break;
    case OP_MUL:
      view_tensor(m, read_u32(p + OP_SECOND), &other);
      run_mul(p, &from, &other, &to);
      break;
    case OP_CONCAT:
      run_concat(m, p, &to);
      break;
    case OP_RESHAPE:
      if (from.values != to.data) mote_copy_bytes(from.values, to.elements, to.data);
      break;
    case OP_LOOKUP:
      mote_lookup(from.values, to.elements, (const int8_t *)(p + 36), to.data);
      break;
    case OP_RESIZE_NEAREST:
      run_resize(p, &from, &to);
      break;
    case OP_SOFTMAX:
      mote_softmax_rows(from.values, to.elements / from.shape[from.rank - 1], from.shape[from.rank - 1],
                        read_i32(p + 24), read_i32(p + 28), read_i32(p + 32), to.data);
      break;
    default:
      run_move(p, &from, &to);
      break;
  }
}

static void run_network(const mote_model *m) {
  const uint8_t *at = m->ops;
  int32_t i;
  for (i = 0; i < m->op_count; i++) {
    run_op(m, at);
    at += read_u32(at + OP_SIZE);
  }
}

/* ---- Checks of the whole pack ---- */

/* `count` NUL-terminated strings of sane length fill the section exactly. */
static int check_text(span s, uint32_t count) {
  uint32_t strings = 0;
  uint32_t length = 0;
  uint32_t i;
  for (i = 0; i < s.left; i++) {
    if (read_u8(s.at + i) != 0) {
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
  if (read_u32(header) != 0x45544f4du) return MOTE_E_MAGIC; /* "MOTE" */
  if (read_u16(header + 8) != PACK_VERSION) return MOTE_E_VERSION;
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
  if (crc_of_pack(pack + CRC_START, total - CRC_START) != read_u32(pack + 4)) return MOTE_E_CRC;

  if (read_u16(pack + 10) != SECTION_COUNT) return MOTE_E_CORRUPT;
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
  m->constants = sections[CONSTANTS].at;
  m->arena = NULL;
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
  if (!check_tensors(m, tensor_count, arena, sections[CONSTANTS].left)) return MOTE_E_CORRUPT;
  if (read_u32(tensor_at(m, input) + TENSOR_PLACE) != IN_ARENA ||
      read_u32(tensor_at(m, output) + TENSOR_PLACE) != IN_ARENA) {
    return MOTE_E_CORRUPT;
  }
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
  if (!check_ops(m, sections[OPS], tensor_count, arena)) return MOTE_E_CORRUPT;
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
    if (m->scores[i] != MOTE_FLASH_I8(scores + index * m->label_count + i)) return 0;
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
