/* Runs what a pack holds: blocks from window to features, then the network. Everything has passed its checks. */
#if defined(MOTE_SINGLE_ROUNDING)
#error "Packs round twice: their known answers would not come out right."
#endif

#include "mote_pack_memory.h"

#include "mote_conv_plain.h"
#include "mote_elementwise.h"
#include "mote_flatten.h"
#include "mote_move.h"
#include "mote_pack_view.h"
#include "mote_pool.h"
#include "mote_raw.h"
#include "mote_softmax.h"
#include "mote_spectral.h"

/* Kernels for the core that this is compiled for; tests choose their portable twins. */
#if defined(MOTE_TEST_ROWS_DSP) || (defined(__ARM_FEATURE_DSP) && defined(__thumb2__))
#include "mote_pool_dsp.h"
#include "mote_rows_dsp.h"
#define MOTE_ROWS_DSP
#elif defined(MOTE_TEST_ROWS_QUAD) || defined(__ARM_ARCH_6M__)
#include "mote_rows_quad.h"
#define MOTE_ROWS_QUAD
#endif

void mote_pack_run_blocks(const mote_model *m, const float *window) {
  const uint8_t *at = m->blocks;
  float *features = m->features;
  int32_t i;
  for (i = 0; i < m->block_count; i++) {
    block_view b;
    mote_pack_view_block(at, &b);
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

#if defined(MOTE_ROWS_DSP) || defined(MOTE_ROWS_QUAD)
/* Runs a layer whose sums are narrow with the kernels of this core: 1, or 0 when they don't take it. */
static int run_narrow_layer(const layer_view *view, uint32_t opcode, const int8_t *input, int8_t *output,
                            void *scratch) {
  const mote_conv *op = &view->layer;
  if (opcode == OP_DEPTHWISE) {
#if defined(MOTE_ROWS_DSP)
    if (!mote_rows_takes_depthwise(op)) return 0;
#else
    if (!mote_rows_takes_depthwise(op, scratch)) return 0;
#endif
    mote_rows_depthwise2d(op, input, output, scratch);
    return 1;
  }
  if (view->taps < 4 || view->groups > 1) return 0;
  if (opcode == OP_FULLY_CONNECTED || mote_is_pointwise(op)) {
    mote_rows_pointwise(op, op->out_h * op->out_w, input, output);
  } else {
    mote_rows_conv2d(op, input, output, scratch);
  }
  return 1;
}
#endif

static void run_layer(const mote_model *m, const uint8_t *p, int narrow, const tensor_view *from, const tensor_view *to) {
  void *scratch = m->arena + read_i32(p + OP_SCRATCH);
  layer_view view;
  mote_pack_view_layer(p, from, to, &view);
#if defined(MOTE_ROWS_DSP) || defined(MOTE_ROWS_QUAD)
  if (narrow && run_narrow_layer(&view, read_u32(p), from->values, to->data, scratch)) return;
#else
  (void)narrow;
#endif
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
  mote_pack_view_window(p + OP_POOL_WINDOW, &window);
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
#if defined(MOTE_ROWS_DSP)
    if (op.channels % 4 == 0 && op.act_min == -128 && op.act_max == 127) {
      mote_max_pool_dsp(&op, from->values, to->data);
      return;
    }
#endif
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
    mote_pack_view_tensor(m, read_u32(p + 32 + 4 * i), &from);
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

static void run_op(const mote_model *m, const uint8_t *p, int narrow) {
  tensor_view from, to, other;
  mote_pack_view_tensor(m, read_u32(p + OP_INPUT), &from);
  mote_pack_view_tensor(m, read_u32(p + OP_OUTPUT), &to);
  switch (read_u32(p)) {
    case OP_FULLY_CONNECTED:
    case OP_CONV2D:
    case OP_DEPTHWISE:
      run_layer(m, p, narrow, &from, &to);
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
      mote_pack_view_tensor(m, read_u32(p + OP_SECOND), &other);
      run_add(p, &from, &other, &to);
      break;
    case OP_MUL:
      mote_pack_view_tensor(m, read_u32(p + OP_SECOND), &other);
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

void mote_pack_run_network(const mote_model *m) {
  const uint8_t *at = m->ops;
  int32_t i;
  for (i = 0; i < m->op_count; i++) {
    run_op(m, at, (int)(m->narrow[i / 32] >> (i % 32) & 1u));
    at += read_u32(at + OP_SIZE);
  }
}
