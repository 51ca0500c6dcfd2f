/* Configuration, bytes in and out, and which request goes to which handler. */
#include "mote_board_parts.h"

/* ---- Dispatch ---- */

/* What a request needs before its handler is called. */
typedef struct {
  uint8_t type;
  uint8_t body;   /* shortest body */
  uint8_t models; /* needs slots */
  uint8_t quiet;  /* not during a self-test */
  void (*handle)(mote_board *b, const mote_board_request *r);
} route;

static const route routes[] = {
    {MOTE_MSG_HELLO, 2, 0, 0, mote_board_on_hello},
    {MOTE_MSG_PING, 0, 0, 0, mote_board_on_ping},
    {MOTE_MSG_STATUS, 0, 0, 0, mote_board_on_status},
    {MOTE_MSG_ABORT, 0, 0, 0, mote_board_on_abort},
    {MOTE_MSG_CHANNELS, 1, 0, 0, mote_board_on_channels},
    {MOTE_MSG_STREAM_START, 4, 0, 0, mote_board_on_stream_start},
    {MOTE_MSG_STREAM_STOP, 0, 0, 0, mote_board_on_stream_stop},
    {MOTE_MSG_SLOT, 3, 1, 0, mote_board_on_slot},
    {MOTE_MSG_PUT_BEGIN, 9, 1, 1, mote_board_on_put_begin},
    {MOTE_MSG_PUT_CHUNK, 5, 1, 1, mote_board_on_put_chunk},
    {MOTE_MSG_PUT_END, 0, 1, 1, mote_board_on_put_end},
    {MOTE_MSG_READ, 7, 1, 0, mote_board_on_read},
    {MOTE_MSG_DIGEST, 8, 1, 0, mote_board_on_digest},
    {MOTE_MSG_SELF_TEST, 1, 1, 1, mote_board_on_self_test},
    {MOTE_MSG_ACTIVATE, 1, 1, 1, mote_board_on_activate},
    {MOTE_MSG_CLASSIFY_BEGIN, 1, 1, 1, mote_board_on_classify_begin},
    {MOTE_MSG_CLASSIFY_CHUNK, 5, 1, 1, mote_board_on_classify_chunk},
    {MOTE_MSG_CLASSIFY_END, 0, 1, 1, mote_board_on_classify_end},
    {MOTE_MSG_RUN_START, 4, 1, 1, mote_board_on_run_start},
    {MOTE_MSG_RUN_STOP, 0, 1, 0, mote_board_on_run_stop},
};

static void handle(mote_board *b, const mote_board_request *r) {
  uint32_t i;
  for (i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    const route *found = &routes[i];
    if (found->type != r->type) continue;
    if (found->models && slot_count(b) == 0) break;
    if (r->size < found->body) {
      mote_board_fail(b, r, MOTE_FAULT_BAD_REQUEST, found->body, TEXT("The request is too short."));
    } else if (found->quiet && b->use == MOTE_BOARD_TEST) {
      mote_board_fail(b, r, MOTE_FAULT_BUSY, 0, TEXT("A self-test is running."));
    } else {
      found->handle(b, r);
    }
    return;
  }
  mote_board_fail(b, r, MOTE_FAULT_NOT_SUPPORTED, 0, TEXT("This board does not know the request."));
}

/* Handles the frame in the decoder; 0 when its reply has to wait for room. */
static int dispatch(mote_board *b) {
  mote_board_request r;
  r.type = mote_decoder_type(&b->decoder);
  r.id = mote_decoder_id(&b->decoder);
  r.body = mote_decoder_body(&b->decoder);
  r.size = mote_decoder_body_size(&b->decoder);
  if (r.type == 0 || r.type >= MOTE_MSG_SAMPLES || r.id == MOTE_WIRE_UNSOLICITED) return 1;
  if (!mote_encoder_fits(&b->encoder, b->config->body, 0)) return 0;
  handle(b, &r);
  return 1;
}

/* ---- Bytes out ---- */

/* Sends what waits, as far as the link takes it. */
static void drain(mote_board *b) {
  const uint8_t *bytes;
  uint32_t count = mote_encoder_peek(&b->encoder, &bytes);
  while (count > 0) {
    uint32_t sent = b->config->write(b->config->context, bytes, count);
    if (sent > count) sent = count;
    mote_encoder_drop(&b->encoder, sent);
    if (sent < count) return;
    count = mote_encoder_peek(&b->encoder, &bytes);
  }
}

/* ---- The functions of mote_board.h, but mote_board_run: mote_board_sampling.c ---- */

static int config_is_sound(const mote_board_config *c) {
  uint32_t prog = c->storage ? c->storage->prog_size : 0;
  uint32_t i;
  if (c->body < MOTE_WIRE_BODY_MIN || c->body > MOTE_WIRE_BODY_MAX) return 0;
  if (c->window < 1 || c->window > 64) return 0;
  if (c->channel_count < 1 || c->channel_count > MOTE_WIRE_CHANNELS_MAX) return 0;
  if (c->rate_count < 1 || c->rate_count > MOTE_WIRE_RATES_MAX) return 0;
  if (prog > MOTE_SLOTS_PROG_MAX || c->memory_bytes < MOTE_BOARD_MEMORY(c->body, prog)) return 0;
  for (i = 0; i < c->rate_count; i++) {
    if (c->rates[i] == c->rate) return c->rate > 0;
  }
  return 0;
}

int mote_board_init(mote_board *b, const mote_board_config *config) {
  uint32_t prog = config->storage ? config->storage->prog_size : 0;
  uint32_t frame = MOTE_FRAME_BYTES(config->body);
  uint8_t *memory = config->memory;
  mote_model view;
  int32_t detail;
  uint32_t i;
  if (!config_is_sound(config)) return MOTE_BOARD_E_CONFIG;
  for (i = 0; i < sizeof *b; i++) ((uint8_t *)b)[i] = 0;
  b->config = config;
  b->rate = config->rate;
  b->slots.active = -1;
  b->slots.put_slot = -1;
  mote_decoder_init(&b->decoder, memory, frame);
  b->batch = memory + frame;
  mote_encoder_init(&b->encoder, memory + frame + config->body + prog,
                    config->memory_bytes - frame - config->body - prog);
  if (config->storage) {
    int error = mote_slots_init(&b->slots, config->storage, config->slot_count, memory + frame + config->body);
    if (error != 0) return error;
    /* A pack that this firmware cannot run, perhaps because it was exchanged, must not keep the former one from running. */
    while (b->slots.active >= 0 && mote_board_check_slot(b, (uint32_t)b->slots.active, &view, &detail) != 0) {
      (void)mote_slots_fall_back(&b->slots);
    }
  }
  return 0;
}

uint32_t mote_board_receive(mote_board *b, const uint8_t *bytes, uint32_t count) {
  uint32_t taken = 0;
  if (b->held) {
    drain(b);
    if (!dispatch(b)) return 0;
    b->held = 0;
  }
  while (taken < count) {
    if (mote_decoder_push(&b->decoder, bytes[taken++]) && !dispatch(b)) {
      drain(b);
      if (!dispatch(b)) {
        b->held = 1;
        break;
      }
    }
  }
  return taken;
}

void mote_board_poll(mote_board *b) {
  (void)mote_board_receive(b, 0, 0);
  mote_board_sample(b);
  mote_board_test_step(b);
  drain(b);
}

int mote_board_busy(const mote_board *b) { return b->use == MOTE_BOARD_TEST; }

int mote_board_sending(const mote_board *b) { return b->encoder.used > 0; }

int32_t mote_board_active_slot(const mote_board *b) { return b->slots.active; }
