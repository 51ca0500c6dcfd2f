/*
 * What the loader makes of the bytes of a pack: blocks, tensors and layers as the kernels want them, and the parts of
 * the loader that call one another. Private to the pack loader.
 */
#ifndef MOTE_PACK_VIEW_H
#define MOTE_PACK_VIEW_H

#include "mote_pack_memory.h"

#include "mote_conv.h"
#include "mote_pack.h"
#include "mote_pack_layout.h"

#ifdef __cplusplus
extern "C" {
#endif

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

MOTE_FN const uint8_t *tensor_at(const mote_model *m, uint32_t id) { return m->tensors + id * TENSOR_BYTES; }

MOTE_FN int32_t tensor_elements(const mote_model *m, uint32_t id) {
  return read_i32(tensor_at(m, id) + TENSOR_ELEMENTS);
}

MOTE_FN int32_t tensor_offset(const mote_model *m, uint32_t id) { return read_i32(tensor_at(m, id) + TENSOR_OFFSET); }

MOTE_FN int32_t tensor_zero_point(const mote_model *m, uint32_t id) {
  return read_i32(tensor_at(m, id) + TENSOR_ZERO_POINT);
}

/* The block at p; its parts are in bounds once the pack has passed its checks. */
void mote_pack_view_block(const uint8_t *p, block_view *block);

/* Tensor `id` of the table, which has been checked. */
void mote_pack_view_tensor(const mote_model *m, uint32_t id, tensor_view *t);

/* Window geometry of a layer or pool, from its ten numbers. */
void mote_pack_view_window(const uint8_t *p, mote_conv *op);

/* Bytes of a layer that come before its arrays. */
MOTE_FN uint32_t layer_head_bytes(uint32_t opcode) { return opcode == OP_FULLY_CONNECTED ? 40u : 80u; }

/* The layer at p; its arrays are in bounds once its op has passed its checks. */
void mote_pack_view_layer(const uint8_t *p, const tensor_view *from, const tensor_view *to, layer_view *view);

/* Checks everything and fills in all of m but its RAM: MOTE_OK or a negative MOTE_E_*. (mote_pack_check.c) */
int mote_pack_parse(mote_model *m, const uint8_t *pack, uint32_t size);

/*
 * 1 when every op of section "ops" can run safely, else 0. The tensors have been checked. Notes in m->narrow which layers
 * rescale by right shifts only, sums below 2^29. (mote_pack_check_ops.c)
 */
int mote_pack_check_ops(mote_model *m, span ops, uint32_t tensor_count, int32_t arena);

/* Features of a window, to m->features. (mote_pack_run.c) */
void mote_pack_run_blocks(const mote_model *m, const float *window);

/* The network, from the quantized input in the arena to the scores in the arena. (mote_pack_run.c) */
void mote_pack_run_network(const mote_model *m);

#ifdef __cplusplus
}
#endif

#endif
