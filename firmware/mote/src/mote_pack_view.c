/* Shapes and layers out of the bytes of a pack. */
#include "mote_pack_view.h"

void mote_pack_view_block(const uint8_t *p, block_view *block) {
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

void mote_pack_view_tensor(const mote_model *m, uint32_t id, tensor_view *t) {
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

void mote_pack_view_window(const uint8_t *p, mote_conv *op) {
  op->kernel_h = read_i32(p);
  op->kernel_w = read_i32(p + 4);
  op->stride_h = read_i32(p + 8);
  op->stride_w = read_i32(p + 12);
  op->dilation_h = read_i32(p + 16);
  op->dilation_w = read_i32(p + 20);
  op->pad_top = read_i32(p + 24);
  op->pad_left = read_i32(p + 28);
}

void mote_pack_view_layer(const uint8_t *p, const tensor_view *from, const tensor_view *to, layer_view *view) {
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
    mote_pack_view_window(p + OP_WINDOW, op);
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
