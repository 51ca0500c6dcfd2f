/* Replies and errors, field by field. */
#include "mote_board_parts.h"

/* Bytes before the message of an ERROR. */
#define ERROR_HEADER 6u

void mote_board_reply_begin(mote_board *b, const mote_board_request *r) {
  (void)mote_encoder_begin(&b->encoder, (uint8_t)(r->type | MOTE_WIRE_REPLY_BIT), r->id, b->config->body);
}

void mote_board_reply_end(mote_board *b) { (void)mote_encoder_end(&b->encoder); }

void mote_board_reply_empty(mote_board *b, const mote_board_request *r) {
  mote_board_reply_begin(b, r);
  mote_board_reply_end(b);
}

void mote_board_reply_next(mote_board *b, const mote_board_request *r, uint32_t next) {
  mote_board_reply_begin(b, r);
  mote_encoder_u32(&b->encoder, next);
  mote_board_reply_end(b);
}

void mote_board_fail(mote_board *b, const mote_board_request *r, uint8_t fault, int32_t detail, const char *message) {
  uint32_t length = 0;
  uint32_t i;
  uint32_t room = b->config->body - ERROR_HEADER - 1u;
  (void)mote_encoder_begin(&b->encoder, MOTE_MSG_ERROR, r->id, b->config->body);
  mote_encoder_u8(&b->encoder, r->type);
  mote_encoder_u8(&b->encoder, fault);
  mote_encoder_u32(&b->encoder, (uint32_t)detail);
  if (room > 255u) room = 255u;
  while (length < room && MOTE_FLASH_U8(message + length) != 0) length++;
  mote_encoder_u8(&b->encoder, length);
  for (i = 0; i < length; i++) mote_encoder_u8(&b->encoder, (uint32_t)(uint8_t)MOTE_FLASH_U8(message + i));
  mote_board_reply_end(b);
}

uint32_t mote_board_text_bytes(const char *text, uint32_t most) {
  uint32_t length = 0;
  while (length < most && text[length] != 0) length++;
  if (text[length] != 0) {
    while (length > 0 && ((uint8_t)text[length] & 0xc0u) == 0x80u) length--;
  }
  return length;
}

void mote_board_put_text(mote_board *b, const char *text, uint32_t most) {
  uint32_t length = mote_board_text_bytes(text, most);
  mote_encoder_u8(&b->encoder, length);
  mote_encoder_bytes(&b->encoder, (const uint8_t *)text, length);
}

void mote_board_put_result(mote_board *b, const mote_result *result, uint32_t sequence) {
  mote_encoder *e = &b->encoder;
  mote_encoder_u32(e, mote_model_id(&b->model));
  mote_encoder_u32(e, sequence);
  mote_encoder_u32(e, result->feature_crc);
  mote_encoder_u32(e, result->dsp_us);
  mote_encoder_u32(e, result->network_us);
  mote_encoder_u16(e, (uint32_t)result->best);
  mote_encoder_u16(e, result->decision < 0 ? MOTE_WIRE_LABEL_NONE : (uint32_t)result->decision);
  mote_encoder_u16(e, (uint32_t)result->score_count);
  mote_encoder_bytes(e, (const uint8_t *)result->scores, (uint32_t)result->score_count);
}
