/* Who the board is and what it does: hello, channels, ping, status, abort. */
#include "mote_board_parts.h"

/* The bits of a float; through bytes, which both C and C++ allow. */
static uint32_t float_bits(float value) {
  uint32_t bits = 0;
  const uint8_t *from = (const uint8_t *)&value;
  uint8_t *to = (uint8_t *)&bits;
  uint32_t i;
  for (i = 0; i < 4u; i++) to[i] = from[i];
  return bits;
}

/* Forgets what a request began and none finished. */
static void abort_all(mote_board *b) {
  mote_slots_put_abort(&b->slots);
  b->put_done = 0;
  if (b->use == MOTE_BOARD_CLASSIFY || b->use == MOTE_BOARD_TEST) mote_board_resume(b);
}

/* MOTE_FEATURE_* bits. */
static uint32_t features(const mote_board *b) {
  if (slot_count(b) == 0) return 0;
  return MOTE_FEATURE_DIGEST | (b->config->storage->erase_first ? 0u : (uint32_t)MOTE_FEATURE_CHUNKS_AT_ONCE);
}

void mote_board_on_hello(mote_board *b, const mote_board_request *r) {
  const mote_board_config *c = b->config;
  mote_encoder *e = &b->encoder;
  uint32_t i;
  mote_board_stop_running(b);
  /* Samples of a former session must not come behind the greeting of the new one. */
  b->batch_frames = 0;
  mote_board_stop_streaming(b);
  abort_all(b);
  if (r->body[0] > MOTE_WIRE_VERSION_MAX || r->body[1] < MOTE_WIRE_VERSION_MIN) {
    mote_board_fail(b, r, MOTE_FAULT_BAD_VERSION, MOTE_WIRE_VERSION_MIN << 8 | MOTE_WIRE_VERSION_MAX,
                    TEXT("The studio and this firmware speak different versions of the protocol."));
    return;
  }
  mote_board_reply_begin(b, r);
  mote_encoder_u8(e, r->body[1] < MOTE_WIRE_VERSION_MAX ? r->body[1] : MOTE_WIRE_VERSION_MAX);
  mote_encoder_u16(e, c->body);
  mote_encoder_u8(e, c->window);
  mote_encoder_u8(e, c->channel_count);
  mote_encoder_u8(e, slot_count(b));
  mote_encoder_u8(e, b->slots.active < 0 ? MOTE_WIRE_SLOT_NONE : (uint32_t)b->slots.active);
  mote_encoder_u32(e, b->slots.capacity);
  mote_encoder_u32(e, c->model_ram_bytes);
  mote_encoder_u32(e, b->rate);
  mote_encoder_u8(e, c->rate_count);
  for (i = 0; i < c->rate_count; i++) mote_encoder_u32(e, c->rates[i]);
  mote_board_put_text(b, c->name, MOTE_WIRE_TEXT_MAX);
  mote_board_put_text(b, c->firmware, MOTE_WIRE_TEXT_MAX);
  mote_board_put_text(b, c->serial, MOTE_WIRE_TEXT_MAX);
  mote_encoder_u8(e, features(b));
  mote_board_reply_end(b);
}

void mote_board_on_channels(mote_board *b, const mote_board_request *r) {
  const mote_board_config *c = b->config;
  uint32_t first = r->body[0] < c->channel_count ? r->body[0] : c->channel_count;
  uint32_t left = c->body - 3u;
  uint32_t end = first;
  uint32_t i;
  while (end < c->channel_count) {
    uint32_t need = 6u + mote_board_text_bytes(c->channels[end].name, MOTE_WIRE_TEXT_MAX) +
                    mote_board_text_bytes(c->channels[end].unit, MOTE_WIRE_TEXT_MAX);
    if (need > left) break;
    left -= need;
    end++;
  }
  mote_board_reply_begin(b, r);
  mote_encoder_u8(&b->encoder, c->channel_count);
  mote_encoder_u8(&b->encoder, first);
  mote_encoder_u8(&b->encoder, end - first);
  for (i = first; i < end; i++) {
    mote_board_put_text(b, c->channels[i].name, MOTE_WIRE_TEXT_MAX);
    mote_board_put_text(b, c->channels[i].unit, MOTE_WIRE_TEXT_MAX);
    mote_encoder_u32(&b->encoder, float_bits(c->channels[i].scale));
  }
  mote_board_reply_end(b);
}

void mote_board_on_ping(mote_board *b, const mote_board_request *r) {
  mote_board_reply_begin(b, r);
  mote_encoder_bytes(&b->encoder, r->body, r->size);
  mote_board_reply_end(b);
}

void mote_board_on_status(mote_board *b, const mote_board_request *r) {
  uint32_t flags = 0;
  if (b->streaming) flags |= MOTE_STATUS_FLAG_STREAMING;
  if (b->running) flags |= MOTE_STATUS_FLAG_RUNNING;
  if (b->slots.put_slot >= 0) flags |= MOTE_STATUS_FLAG_PUTTING;
  if (b->use == MOTE_BOARD_CLASSIFY) flags |= MOTE_STATUS_FLAG_CLASSIFYING;
  if (b->use == MOTE_BOARD_TEST) flags |= MOTE_STATUS_FLAG_TESTING;
  mote_board_reply_begin(b, r);
  mote_encoder_u8(&b->encoder, flags);
  mote_encoder_u32(&b->encoder, b->rate);
  mote_encoder_u64(&b->encoder, b->config->now_us(b->config->context));
  mote_encoder_u32(&b->encoder, b->decoder.good);
  mote_encoder_u32(&b->encoder, b->decoder.bad);
  mote_encoder_u32(&b->encoder, b->dropped_frames);
  mote_encoder_u32(&b->encoder, b->dropped_results);
  mote_board_reply_end(b);
}

void mote_board_on_abort(mote_board *b, const mote_board_request *r) {
  abort_all(b);
  mote_board_reply_empty(b, r);
}
