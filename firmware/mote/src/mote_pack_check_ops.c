/* Checks of the network: no op of a pack that passes reads or writes outside its tensors, or overflows. */
#include "mote_pack_memory.h"

#include "mote_conv_plain.h"
#include "mote_pack_view.h"
#include "mote_softmax.h"

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

/* Kernels for one core take layers whose sums stay below this, and shift to the right only: practically all. */
#define NARROW_SUM ((int64_t)1 << 29)

/* What a layer or an op turns out to be. */
enum { UNSAFE = 0, SAFE = 1, NARROW = 2 };

/* Multipliers, and that no sum of products leaves 32 bits, not even on its way. */
static int check_channels(const layer_view *view, uint32_t opcode) {
  const mote_conv *op = &view->layer;
  const int8_t *weights = (const int8_t *)op->weights;
  /* [tap][channel] for depthwise layers, [channel][tap] for all others */
  const int32_t channel_step = opcode == OP_DEPTHWISE ? 1 : view->taps;
  const int32_t tap_step = opcode == OP_DEPTHWISE ? op->out_c : 1;
  int found = NARROW;
  int32_t channel, i;
  for (channel = 0; channel < op->out_c; channel++) {
    const int32_t scale = op->per_channel ? channel : 0;
    const int8_t *w = weights + channel * channel_step;
    int64_t bias = MOTE_FLASH_I32(op->bias + channel);
    int64_t magnitude;
    /* A pack has less than 2^24 bytes: both sums stay below 2^31, and chips without 64 bits are soon done. */
    int32_t sum = 0;
    int32_t size = 0;
    for (i = 0; i < view->taps; i++) {
      const int32_t weight = MOTE_FLASH_I8(w);
      if (weight == -128) return UNSAFE;
      size += weight < 0 ? -weight : weight;
      sum += weight;
      w += tap_step;
    }
    bias += (int64_t)sum * op->in_zero; /* as it was before the zero point was folded in */
    magnitude = (bias < 0 ? -bias : bias) + 256 * (int64_t)size;
    if (magnitude >= (int64_t)1 << 31) return UNSAFE;
    if (!check_rescaling(MOTE_FLASH_I32(op->multiplier + scale), (int32_t)1 << 30, MOTE_FLASH_I8(op->shift + scale),
                         magnitude)) {
      return UNSAFE;
    }
    if (magnitude >= NARROW_SUM || MOTE_FLASH_I8(op->shift + scale) > -1) found = SAFE;
  }
  return found;
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
  mote_pack_view_layer(head, from, to, &view);
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
    mote_pack_view_tensor(m, id, &from);
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

/* UNSAFE, SAFE or, for layers, NARROW. */
static int check_op(const mote_model *m, const uint8_t *head, span body, uint32_t tensor_count, int32_t arena) {
  const uint32_t opcode = read_u32(head);
  const uint32_t input = read_u32(head + OP_INPUT);
  const uint32_t output = read_u32(head + OP_OUTPUT);
  const uint32_t second = read_u32(head + OP_SECOND);
  tensor_view from, to, other;
  if (input >= tensor_count || output >= tensor_count || second >= tensor_count) return 0;
  if (fixed_bytes(opcode) != 0 && body.left != fixed_bytes(opcode)) return 0;
  mote_pack_view_tensor(m, input, &from);
  mote_pack_view_tensor(m, output, &to);
  mote_pack_view_tensor(m, second, &other);
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

int mote_pack_check_ops(mote_model *m, span s, uint32_t tensor_count, int32_t arena) {
  int32_t i;
  for (i = 0; i < MAX_OPS / 32; i++) m->narrow[i] = 0;
  for (i = 0; i < m->op_count; i++) {
    const uint8_t *head = s.at;
    uint32_t bytes;
    span body;
    int found;
    if (s.left < OP_HEAD_BYTES) return 0;
    bytes = read_u32(head + OP_SIZE);
    if (bytes % 4 != 0 || bytes < OP_HEAD_BYTES || take(&s, bytes, 1) == NULL) return 0;
    body.at = head;
    body.left = bytes;
    found = check_op(m, head, body, tensor_count, arena);
    if (found == UNSAFE) return 0;
    if (found == NARROW) m->narrow[i / 32] |= (uint32_t)1 << (i % 32);
  }
  return s.left == 0;
}
