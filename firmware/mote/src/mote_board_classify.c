/* Classifying a window that the host sends. */
#include "mote_board_parts.h"

/* A float of these bits; through bytes, which both C and C++ allow. */
static float bits_float(uint32_t bits) {
  float value = 0.0f;
  const uint8_t *from = (const uint8_t *)&bits;
  uint8_t *to = (uint8_t *)&value;
  uint32_t i;
  for (i = 0; i < 4u; i++) to[i] = from[i];
  return value;
}

void mote_board_on_classify_begin(mote_board *b, const mote_board_request *r) {
  if (!mote_board_borrow(b, r, MOTE_BOARD_CLASSIFY)) return;
  b->classify_next = 0;
  b->classify_done = 0;
  b->classify_size = 4u * b->config->channel_count * (uint32_t)mote_model_window_frames(&b->model);
  mote_board_reply_begin(b, r);
  mote_encoder_u8(&b->encoder, b->model_slot);
  mote_encoder_u32(&b->encoder, b->classify_size);
  mote_encoder_u16(&b->encoder, b->config->body - CHUNK_HEADER);
  mote_board_reply_end(b);
}

/* The window goes frame by frame into the model's own buffer, so it needs no memory of its own. */
static void classify_byte(mote_board *b, uint8_t byte) {
  uint32_t value = b->classify_next / 4u % b->config->channel_count;
  b->classify_bytes[b->classify_next % 4u] = byte;
  b->classify_next++;
  if (b->classify_next % 4u != 0) return;
  b->classify_frame[value] = bits_float(load32(b->classify_bytes));
  if (value + 1u < b->config->channel_count) return;
  if (mote_model_push(&b->model, b->classify_frame, &b->classify_result) == 1) b->classify_done = 1;
}

void mote_board_on_classify_chunk(mote_board *b, const mote_board_request *r) {
  uint32_t count = r->size - CHUNK_HEADER;
  uint32_t i;
  if (b->use != MOTE_BOARD_CLASSIFY) {
    mote_board_fail(b, r, MOTE_FAULT_NOT_BEGUN, 0, TEXT("No classify is under way."));
    return;
  }
  /* A chunk out of order is not an error: the reply tells the host where to go on. */
  if (load32(r->body) == b->classify_next) {
    if (count > b->classify_size - b->classify_next) {
      mote_board_fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("More bytes than a window has."));
      return;
    }
    for (i = 0; i < count; i++) classify_byte(b, r->body[CHUNK_HEADER + i]);
  }
  mote_board_reply_next(b, r, b->classify_next);
}

void mote_board_on_classify_end(mote_board *b, const mote_board_request *r) {
  if (b->use != MOTE_BOARD_CLASSIFY || !b->classify_done) {
    const int32_t taken = b->use == MOTE_BOARD_CLASSIFY ? (int32_t)b->classify_next : 0;
    mote_board_fail(b, r, MOTE_FAULT_NOT_BEGUN, taken, TEXT("The window is not complete."));
    return;
  }
  mote_board_reply_begin(b, r);
  mote_board_put_result(b, &b->classify_result, 0);
  mote_board_reply_end(b);
  mote_board_resume(b);
}
