#include "mote_board.h"

#include "mote_config.h"
#include "mote_crc32.h"
#include "mote_flash.h"

/* Bytes before the samples of a SAMPLES event, and before the scores of a RESULT. */
#define SAMPLES_HEADER 14u
#define RESULT_HEADER 26u
/* Bytes before the data of chunks, of a READ and of a DIGEST reply, and before the texts of a SLOT reply. */
#define CHUNK_HEADER 4u
#define READ_HEADER 5u
#define DIGEST_HEADER 6u
#define SLOT_HEADER 37u
/* Bytes before the message of an ERROR. */
#define ERROR_HEADER 6u

/* A batch of samples is sent when it holds this many per second of rate: every 20 ms. */
#define BATCHES_PER_SECOND 50u
/* A self-test tells its progress every so many windows. */
#define PROGRESS_STRIDE 16u
/* Most frames taken from the sensor in one poll, so that a driver that always has one cannot hold up the link. */
#define FRAMES_PER_POLL 256u

/* Messages lie in flash: on AVR they would take more than half a kilobyte of RAM. */
#if defined(__AVR__)
#define TEXT(message) PSTR(message)
#else
#define TEXT(message) (message)
#endif

/* A request being handled. */
typedef struct {
  uint8_t type;
  uint8_t id;
  const uint8_t *body;
  uint32_t size;
} request;

/* ---- Bytes ---- */

static uint32_t load16(const uint8_t *bytes) { return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8; }

static uint32_t load32(const uint8_t *bytes) { return load16(bytes) | load16(bytes + 2) << 16; }

/* Bits of a float and back; through bytes, which both C and C++ allow. */
static uint32_t float_bits(float value) {
  uint32_t bits = 0;
  const uint8_t *from = (const uint8_t *)&value;
  uint8_t *to = (uint8_t *)&bits;
  uint32_t i;
  for (i = 0; i < 4u; i++) to[i] = from[i];
  return bits;
}

static float bits_float(uint32_t bits) {
  float value = 0.0f;
  const uint8_t *from = (const uint8_t *)&bits;
  uint8_t *to = (uint8_t *)&value;
  uint32_t i;
  for (i = 0; i < 4u; i++) to[i] = from[i];
  return value;
}

/* Bytes of a NUL-terminated text, at most `most`, not cutting a UTF-8 character. */
static uint32_t text_bytes(const char *text, uint32_t most) {
  uint32_t length = 0;
  while (length < most && text[length] != 0) length++;
  if (text[length] != 0) {
    while (length > 0 && ((uint8_t)text[length] & 0xc0u) == 0x80u) length--;
  }
  return length;
}

static void put_text(mote_board *b, const char *text, uint32_t most) {
  uint32_t length = text_bytes(text, most);
  mote_encoder_u8(&b->encoder, length);
  mote_encoder_bytes(&b->encoder, (const uint8_t *)text, length);
}

/* ---- Replies ---- */

/* There is room for a reply of the longest body whenever a request is handled. */
static void reply(mote_board *b, const request *r) {
  (void)mote_encoder_begin(&b->encoder, (uint8_t)(r->type | MOTE_WIRE_REPLY_BIT), r->id, b->config->body);
}

static void reply_end(mote_board *b) { (void)mote_encoder_end(&b->encoder); }

static void reply_empty(mote_board *b, const request *r) {
  reply(b, r);
  reply_end(b);
}

/* `message` is a TEXT, all ASCII. */
static void fail(mote_board *b, const request *r, uint8_t code, int32_t detail, const char *message) {
  uint32_t length = 0;
  uint32_t i;
  uint32_t room = b->config->body - ERROR_HEADER - 1u;
  (void)mote_encoder_begin(&b->encoder, MOTE_MSG_ERROR, r->id, b->config->body);
  mote_encoder_u8(&b->encoder, r->type);
  mote_encoder_u8(&b->encoder, code);
  mote_encoder_u32(&b->encoder, (uint32_t)detail);
  if (room > 255u) room = 255u;
  while (length < room && MOTE_FLASH_U8(message + length) != 0) length++;
  mote_encoder_u8(&b->encoder, length);
  for (i = 0; i < length; i++) mote_encoder_u8(&b->encoder, (uint32_t)(uint8_t)MOTE_FLASH_U8(message + i));
  reply_end(b);
}

/* Room for an event: it may never take the room of a reply. */
static int event_fits(const mote_board *b, uint32_t body) {
  return mote_encoder_fits(&b->encoder, body, MOTE_FRAME_ENCODED(b->config->body));
}

/* ---- Models ---- */

static uint32_t slot_count(const mote_board *b) { return b->slots.slot_count; }

/*
 * Whether a pack can run here: 0 and *view, or a fault and its detail. The view serves to read facts only: it is opened
 * without RAM, which parses the pack, and leaves the model that may be running in the RAM alone.
 */
static uint8_t check_pack(const mote_board *b, const uint8_t *pack, uint32_t size, mote_model *view, int32_t *detail) {
  const int opened = mote_model_open(view, pack, size, b->config->model_ram, 0);
  *detail = opened;
  if (opened != MOTE_E_RAM) return MOTE_FAULT_BAD_PACK;
  *detail = (int32_t)mote_model_ram_bytes(view);
  if (mote_model_ram_bytes(view) > b->config->model_ram_bytes) return MOTE_FAULT_TOO_BIG;
  *detail = mote_model_channels(view);
  if ((uint32_t)mote_model_channels(view) != b->config->channel_count) return MOTE_FAULT_CHANNEL_MISMATCH;
  *detail = mote_model_label_count(view);
  if ((uint32_t)mote_model_label_count(view) > b->config->body - RESULT_HEADER) return MOTE_FAULT_BAD_PACK;
  *detail = 0;
  return 0;
}

static const char *explain(uint8_t fault) {
  switch (fault) {
    case MOTE_FAULT_TOO_BIG:
      return TEXT("The model needs more RAM than this board has for it.");
    case MOTE_FAULT_CHANNEL_MISMATCH:
      return TEXT("The model was made for other channels than this board has.");
    default:
      return TEXT("This firmware cannot run the pack.");
  }
}

static uint8_t check_slot(const mote_board *b, uint32_t slot, mote_model *view, int32_t *detail) {
  return check_pack(b, mote_slots_pack(&b->slots, slot), b->slots.slots[slot].size, view, detail);
}

/* Opens a slot's model in the model RAM for `use`, with no samples buffered. */
static uint8_t load(mote_board *b, uint32_t slot, uint8_t use, int32_t *detail) {
  uint8_t fault;
  b->use = MOTE_BOARD_IDLE;
  fault = check_slot(b, slot, &b->model, detail);
  if (fault != 0) return fault;
  *detail = mote_model_open(&b->model, mote_slots_pack(&b->slots, slot), b->slots.slots[slot].size,
                            b->config->model_ram, b->config->model_ram_bytes);
  if (*detail != MOTE_OK) return MOTE_FAULT_BAD_PACK;
  mote_model_set_clock(&b->model, b->config->clock_us);
  mote_model_reset(&b->model);
  b->model_slot = slot;
  b->use = use;
  return 0;
}

/* Gives the model RAM back to the running model, if one runs. */
static void resume(mote_board *b) {
  int32_t detail;
  b->use = MOTE_BOARD_IDLE;
  b->classify_done = 0;
  if (!b->running) return;
  if (b->slots.active < 0 || load(b, (uint32_t)b->slots.active, MOTE_BOARD_RUN, &detail) != 0) b->running = 0;
}

/* The slot a request means, with a valid pack in it; 0 when an error was sent. */
static int slot_of(mote_board *b, const request *r, uint32_t *slot) {
  uint32_t asked = r->body[0];
  if (asked == MOTE_WIRE_SLOT_NONE) {
    if (b->slots.active < 0) {
      fail(b, r, MOTE_FAULT_NO_MODEL, 0, TEXT("No model is active."));
      return 0;
    }
    asked = (uint32_t)b->slots.active;
  }
  if (asked >= slot_count(b)) {
    fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("There is no such slot."));
    return 0;
  }
  if (b->slots.slots[asked].state != MOTE_SLOT_STATE_VALID) {
    fail(b, r, MOTE_FAULT_NO_MODEL, 0, TEXT("The slot holds no valid model."));
    return 0;
  }
  *slot = asked;
  return 1;
}

static void put_result(mote_board *b, const mote_result *result, uint32_t sequence) {
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

/* ---- Sampling ---- */

static uint32_t frame_bytes(const mote_board *b) { return 2u * b->config->channel_count; }

/* Sends the batch, or drops it when the link is full. */
static void flush_batch(mote_board *b) {
  uint32_t size = b->batch_frames * frame_bytes(b);
  if (b->batch_frames == 0) return;
  if (event_fits(b, SAMPLES_HEADER + size)) {
    (void)mote_encoder_begin(&b->encoder, MOTE_MSG_SAMPLES, MOTE_WIRE_UNSOLICITED, SAMPLES_HEADER + size);
    mote_encoder_u32(&b->encoder, b->batch_sequence);
    mote_encoder_u64(&b->encoder, b->batch_time);
    mote_encoder_u16(&b->encoder, b->batch_frames);
    mote_encoder_bytes(&b->encoder, b->batch, size);
    (void)mote_encoder_end(&b->encoder);
  } else {
    b->dropped_frames += b->batch_frames;
  }
  b->batch_frames = 0;
}

static uint32_t batch_limit(const mote_board *b) {
  uint32_t fits = (b->config->body - SAMPLES_HEADER) / frame_bytes(b);
  uint32_t wanted = b->rate / (1000u * BATCHES_PER_SECOND);
  if (wanted == 0) wanted = 1;
  return wanted < fits ? wanted : fits;
}

static void batch_frame(mote_board *b, const int16_t *frame, uint64_t time_us) {
  uint8_t *to = b->batch + b->batch_frames * frame_bytes(b);
  uint32_t channel;
  if (b->batch_frames == 0) {
    b->batch_sequence = b->sequence;
    b->batch_time = time_us;
  }
  for (channel = 0; channel < b->config->channel_count; channel++) {
    uint32_t raw = (uint32_t)frame[channel] & 0xffffu;
    to[2u * channel] = (uint8_t)(raw & 0xffu);
    to[2u * channel + 1u] = (uint8_t)(raw >> 8);
  }
  b->batch_frames++;
}

static void classify_frame(mote_board *b, const int16_t *frame) {
  float values[MOTE_WIRE_CHANNELS_MAX];
  mote_result result;
  uint32_t channel;
  uint32_t body;
  for (channel = 0; channel < b->config->channel_count; channel++) {
    values[channel] = (float)frame[channel] * b->config->channels[channel].scale;
  }
  if (mote_model_push(&b->model, values, &result) != 1) return;
  if (b->config->on_result) b->config->on_result(b->config->context, &b->model, &result);
  /* A result goes behind the samples it was made from. */
  flush_batch(b);
  body = RESULT_HEADER + (uint32_t)result.score_count;
  if (event_fits(b, body)) {
    (void)mote_encoder_begin(&b->encoder, MOTE_MSG_RESULT, MOTE_WIRE_UNSOLICITED, body);
    put_result(b, &result, b->sequence);
    (void)mote_encoder_end(&b->encoder);
  } else {
    b->dropped_results++;
  }
}

static void sample(mote_board *b) {
  const mote_board_config *c = b->config;
  int16_t frame[MOTE_WIRE_CHANNELS_MAX];
  uint64_t time_us = 0;
  uint32_t taken;
  for (taken = 0; taken < FRAMES_PER_POLL && (b->streaming || b->running); taken++) {
    if (c->sensor_read(c->context, frame, &time_us) != 1) return;
    if (b->streaming) batch_frame(b, frame, time_us);
    if (b->use == MOTE_BOARD_RUN) classify_frame(b, frame);
    if (b->batch_frames >= batch_limit(b)) flush_batch(b);
    b->sequence++;
  }
}

/* The rate a request asks for: 0 and an error sent when it is not offered. */
static uint32_t rate_of(mote_board *b, const request *r) {
  uint32_t asked = load32(r->body);
  uint32_t i;
  if (asked == 0) return b->rate;
  for (i = 0; i < b->config->rate_count; i++) {
    if (b->config->rates[i] == asked) return asked;
  }
  fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("This rate is not offered."));
  return 0;
}

/* Makes the sensor sample at this rate; a change of rate makes the running model start afresh. */
static void sample_at(mote_board *b, uint32_t rate) {
  int sampling = b->streaming || b->running;
  if (sampling && rate == b->rate) return;
  flush_batch(b);
  b->rate = rate;
  b->config->sensor_start(b->config->context, rate);
  if (b->use == MOTE_BOARD_RUN) mote_model_reset(&b->model);
}

static void sample_no_more(mote_board *b) {
  if (!b->streaming && !b->running) b->config->sensor_stop(b->config->context);
}

static void on_stream_start(mote_board *b, const request *r) {
  uint32_t rate = rate_of(b, r);
  if (rate == 0) return;
  sample_at(b, rate);
  b->streaming = 1;
  reply(b, r);
  mote_encoder_u32(&b->encoder, rate);
  mote_encoder_u32(&b->encoder, b->sequence);
  reply_end(b);
}

static void stop_streaming(mote_board *b) {
  if (!b->streaming) return;
  flush_batch(b);
  b->streaming = 0;
  sample_no_more(b);
}

static void stop_running(mote_board *b) {
  if (!b->running) return;
  b->running = 0;
  if (b->use == MOTE_BOARD_RUN) b->use = MOTE_BOARD_IDLE;
  sample_no_more(b);
}

static void on_stream_stop(mote_board *b, const request *r) {
  stop_streaming(b);
  reply(b, r);
  mote_encoder_u32(&b->encoder, b->sequence);
  reply_end(b);
}

/* Loads and starts the active model, or stops the one that ran. 0 or a fault. */
static uint8_t run_active(mote_board *b, uint32_t rate, int32_t *detail) {
  uint8_t fault = load(b, (uint32_t)b->slots.active, MOTE_BOARD_RUN, detail);
  if (fault != 0) {
    stop_running(b);
    return fault;
  }
  sample_at(b, rate);
  b->running = 1;
  return 0;
}

static void on_run_start(mote_board *b, const request *r) {
  uint32_t rate = rate_of(b, r);
  int32_t detail;
  uint8_t fault;
  if (rate == 0) return;
  if (b->slots.active < 0) {
    fail(b, r, MOTE_FAULT_NO_MODEL, 0, TEXT("No model is active."));
    return;
  }
  fault = run_active(b, rate, &detail);
  if (fault != 0) {
    fail(b, r, fault, detail, explain(fault));
    return;
  }
  reply(b, r);
  mote_encoder_u32(&b->encoder, mote_model_id(&b->model));
  mote_encoder_u32(&b->encoder, rate);
  mote_encoder_u32(&b->encoder, b->sequence);
  reply_end(b);
}

static void on_run_stop(mote_board *b, const request *r) {
  stop_running(b);
  reply_empty(b, r);
}

/* ---- Identity ---- */

/* Forgets what a request began and none finished. */
static void abort_all(mote_board *b) {
  mote_slots_put_abort(&b->slots);
  b->put_done = 0;
  if (b->use == MOTE_BOARD_CLASSIFY || b->use == MOTE_BOARD_TEST) resume(b);
}

static uint32_t features(const mote_board *b) {
  if (slot_count(b) == 0) return 0;
  return MOTE_FEATURE_DIGEST | (b->config->storage->erase_first ? 0u : (uint32_t)MOTE_FEATURE_CHUNKS_AT_ONCE);
}

static void on_hello(mote_board *b, const request *r) {
  const mote_board_config *c = b->config;
  mote_encoder *e = &b->encoder;
  uint32_t i;
  stop_running(b);
  /* Samples of a former session must not come behind the greeting of the new one. */
  b->batch_frames = 0;
  stop_streaming(b);
  abort_all(b);
  if (r->body[0] > MOTE_WIRE_VERSION_MAX || r->body[1] < MOTE_WIRE_VERSION_MIN) {
    fail(b, r, MOTE_FAULT_BAD_VERSION, MOTE_WIRE_VERSION_MIN << 8 | MOTE_WIRE_VERSION_MAX,
         TEXT("The studio and this firmware speak different versions of the protocol."));
    return;
  }
  reply(b, r);
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
  put_text(b, c->name, MOTE_WIRE_TEXT_MAX);
  put_text(b, c->firmware, MOTE_WIRE_TEXT_MAX);
  put_text(b, c->serial, MOTE_WIRE_TEXT_MAX);
  mote_encoder_u8(e, features(b));
  reply_end(b);
}

static void on_channels(mote_board *b, const request *r) {
  const mote_board_config *c = b->config;
  uint32_t first = r->body[0] < c->channel_count ? r->body[0] : c->channel_count;
  uint32_t left = c->body - 3u;
  uint32_t end = first;
  uint32_t i;
  while (end < c->channel_count) {
    uint32_t need = 6u + text_bytes(c->channels[end].name, MOTE_WIRE_TEXT_MAX) +
                    text_bytes(c->channels[end].unit, MOTE_WIRE_TEXT_MAX);
    if (need > left) break;
    left -= need;
    end++;
  }
  reply(b, r);
  mote_encoder_u8(&b->encoder, c->channel_count);
  mote_encoder_u8(&b->encoder, first);
  mote_encoder_u8(&b->encoder, end - first);
  for (i = first; i < end; i++) {
    put_text(b, c->channels[i].name, MOTE_WIRE_TEXT_MAX);
    put_text(b, c->channels[i].unit, MOTE_WIRE_TEXT_MAX);
    mote_encoder_u32(&b->encoder, float_bits(c->channels[i].scale));
  }
  reply_end(b);
}

static void on_ping(mote_board *b, const request *r) {
  reply(b, r);
  mote_encoder_bytes(&b->encoder, r->body, r->size);
  reply_end(b);
}

static void on_status(mote_board *b, const request *r) {
  uint32_t flags = 0;
  if (b->streaming) flags |= MOTE_STATUS_FLAG_STREAMING;
  if (b->running) flags |= MOTE_STATUS_FLAG_RUNNING;
  if (b->slots.put_slot >= 0) flags |= MOTE_STATUS_FLAG_PUTTING;
  if (b->use == MOTE_BOARD_CLASSIFY) flags |= MOTE_STATUS_FLAG_CLASSIFYING;
  if (b->use == MOTE_BOARD_TEST) flags |= MOTE_STATUS_FLAG_TESTING;
  reply(b, r);
  mote_encoder_u8(&b->encoder, flags);
  mote_encoder_u32(&b->encoder, b->rate);
  mote_encoder_u64(&b->encoder, b->config->now_us(b->config->context));
  mote_encoder_u32(&b->encoder, b->decoder.good);
  mote_encoder_u32(&b->encoder, b->decoder.bad);
  mote_encoder_u32(&b->encoder, b->dropped_frames);
  mote_encoder_u32(&b->encoder, b->dropped_results);
  reply_end(b);
}

static void on_abort(mote_board *b, const request *r) {
  abort_all(b);
  reply_empty(b, r);
}

/* ---- Slots ---- */

static void put_slot(mote_board *b, const request *r, uint32_t slot, const mote_model *view, int32_t ram) {
  mote_encoder *e = &b->encoder;
  const mote_slot *held = &b->slots.slots[slot];
  int32_t labels = view ? mote_model_label_count(view) : 0;
  int32_t first = (int32_t)load16(r->body + 1) < labels ? (int32_t)load16(r->body + 1) : labels;
  int32_t end = first;
  uint32_t left = b->config->body - SLOT_HEADER - 1u;
  int32_t i;
  if (view) left -= text_bytes(mote_model_name(view), MOTE_WIRE_TEXT_MAX);
  {
    uint32_t room = left;
    while (end < labels && end - first < 255) {
      uint32_t need = 1u + text_bytes(mote_model_label(view, end), 255);
      if (need > room && end > first) break;
      end++;
      if (need >= room) break;
      room -= need;
    }
  }
  reply(b, r);
  mote_encoder_u8(e, slot);
  mote_encoder_u8(e, held->state);
  mote_encoder_u8(e, (int32_t)slot == b->slots.active ? MOTE_SLOT_FLAG_ACTIVE : 0);
  mote_encoder_u32(e, b->slots.capacity);
  mote_encoder_u32(e, held->size);
  mote_encoder_u32(e, view ? mote_model_id(view) : 0);
  mote_encoder_u32(e, (uint32_t)ram);
  mote_encoder_u32(e, view ? mote_model_rate_millihertz(view) : 0);
  mote_encoder_u8(e, view ? (uint32_t)mote_model_channels(view) : 0);
  mote_encoder_u32(e, view ? (uint32_t)mote_model_window_frames(view) : 0);
  mote_encoder_u32(e, view ? (uint32_t)mote_model_stride_frames(view) : 0);
  mote_encoder_u16(e, (uint32_t)labels);
  mote_encoder_u16(e, (uint32_t)first);
  mote_encoder_u8(e, (uint32_t)(end - first));
  put_text(b, view ? mote_model_name(view) : "", MOTE_WIRE_TEXT_MAX);
  for (i = first; i < end; i++) {
    uint32_t most = left - 1u < 255u ? left - 1u : 255u;
    uint32_t length = text_bytes(mote_model_label(view, i), most);
    put_text(b, mote_model_label(view, i), most);
    left -= 1u + length;
  }
  reply_end(b);
}

static void on_slot(mote_board *b, const request *r) {
  uint32_t slot = r->body[0];
  mote_model view;
  int32_t detail = 0;
  if (slot == MOTE_WIRE_SLOT_NONE) {
    if (!slot_of(b, r, &slot)) return;
  }
  if (slot >= slot_count(b)) {
    fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("There is no such slot."));
  } else if (b->slots.slots[slot].state == MOTE_SLOT_STATE_VALID && check_slot(b, slot, &view, &detail) == 0) {
    put_slot(b, r, slot, &view, (int32_t)mote_model_ram_bytes(&view));
  } else {
    put_slot(b, r, slot, 0, 0);
  }
}

static void fail_storage(mote_board *b, const request *r, int error) {
  fail(b, r, MOTE_FAULT_STORAGE, error, TEXT("The board could not write its flash."));
}

static void on_put_begin(mote_board *b, const request *r) {
  uint32_t slot = r->body[0];
  uint32_t size = load32(r->body + 1);
  int error;
  b->put_done = 0;
  if (slot < slot_count(b) && b->use == MOTE_BOARD_CLASSIFY) resume(b);
  error = mote_slots_put_begin(&b->slots, slot, size, load32(r->body + 5));
  if (error == MOTE_SLOTS_E_SLOT) {
    fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("There is no such slot."));
  } else if (error == MOTE_SLOTS_E_ACTIVE) {
    fail(b, r, MOTE_FAULT_REFUSED, 0, TEXT("The active slot cannot be overwritten: choose the other one."));
  } else if (error == MOTE_SLOTS_E_SIZE) {
    fail(b, r, MOTE_FAULT_TOO_BIG, (int32_t)b->slots.capacity, TEXT("The pack does not fit the slot."));
  } else if (error != 0) {
    fail_storage(b, r, error);
  } else {
    reply(b, r);
    mote_encoder_u8(&b->encoder, slot);
    mote_encoder_u16(&b->encoder, b->config->body - CHUNK_HEADER);
    reply_end(b);
  }
}

static void reply_next(mote_board *b, const request *r, uint32_t next) {
  reply(b, r);
  mote_encoder_u32(&b->encoder, next);
  reply_end(b);
}

static void on_put_chunk(mote_board *b, const request *r) {
  uint32_t count = r->size - CHUNK_HEADER;
  if (b->slots.put_slot < 0) {
    fail(b, r, MOTE_FAULT_NOT_BEGUN, 0, TEXT("No put is under way."));
    return;
  }
  /* A chunk out of order is not an error: the reply tells the host where to go on. */
  if (load32(r->body) == b->slots.put_taken) {
    int error = mote_slots_put(&b->slots, r->body + CHUNK_HEADER, count);
    if (error == MOTE_SLOTS_E_SIZE) {
      fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("More bytes than were announced."));
      return;
    }
    if (error != 0) {
      fail_storage(b, r, error);
      return;
    }
  }
  reply_next(b, r, b->slots.put_taken);
}

static void on_put_end(mote_board *b, const request *r) {
  const uint8_t *pack = 0;
  mote_model view;
  uint32_t crc = 0;
  int32_t detail = 0;
  uint8_t fault = 0;
  uint32_t slot = (uint32_t)b->slots.put_slot;
  int error = 0;
  if (b->slots.put_slot < 0 && b->put_done == 0) {
    fail(b, r, MOTE_FAULT_NOT_BEGUN, 0, TEXT("No put is under way."));
    return;
  }
  if (b->put_done == 0) {
    error = mote_slots_put_check(&b->slots, &pack, &crc);
    if (error == MOTE_SLOTS_E_STATE) {
      fail(b, r, MOTE_FAULT_NOT_BEGUN, (int32_t)b->slots.put_taken, TEXT("Bytes of the pack are missing."));
      return;
    }
    if (error == 0) fault = check_pack(b, pack, b->slots.put_size, &view, &detail);
    if (error == 0 && fault == 0) {
      b->put_id = mote_model_id(&view);
      b->put_ram = mote_model_ram_bytes(&view);
      error = mote_slots_put_commit(&b->slots);
    }
    if (error != 0 || fault != 0) {
      mote_slots_put_abort(&b->slots);
      if (error == MOTE_SLOTS_E_CRC) {
        fail(b, r, MOTE_FAULT_CRC_MISMATCH, (int32_t)crc, TEXT("The bytes in flash are not those announced."));
      } else if (error != 0) {
        fail_storage(b, r, error);
      } else {
        fail(b, r, fault, detail, explain(fault));
      }
      return;
    }
    b->put_done = slot + 1u;
  }
  reply(b, r);
  mote_encoder_u8(&b->encoder, b->put_done - 1u);
  mote_encoder_u32(&b->encoder, b->put_id);
  mote_encoder_u32(&b->encoder, b->put_ram);
  reply_end(b);
}

static void on_read(mote_board *b, const request *r) {
  uint32_t slot;
  uint32_t offset = load32(r->body + 1);
  uint32_t count = load16(r->body + 5);
  uint32_t left;
  if (!slot_of(b, r, &slot)) return;
  if (offset >= b->slots.slots[slot].size) {
    fail(b, r, MOTE_FAULT_BAD_ARGUMENT, (int32_t)b->slots.slots[slot].size, TEXT("Behind the end of the pack."));
    return;
  }
  left = b->slots.slots[slot].size - offset;
  if (count > left) count = left;
  if (count > b->config->body - READ_HEADER) count = b->config->body - READ_HEADER;
  reply(b, r);
  mote_encoder_u8(&b->encoder, slot);
  mote_encoder_u32(&b->encoder, offset);
  mote_encoder_bytes(&b->encoder, mote_slots_pack(&b->slots, slot) + offset, count);
  reply_end(b);
}

/* The CRCs of consecutive pieces of a pack: read from storage for this request, whatever was known of them before. */
static void on_digest(mote_board *b, const request *r) {
  uint32_t slot;
  uint32_t offset = load32(r->body + 1);
  uint32_t piece = load16(r->body + 5);
  uint32_t count = r->body[7];
  uint32_t room = (b->config->body - DIGEST_HEADER) / 4u;
  const uint8_t *pack;
  uint32_t size;
  uint32_t i;
  if (!slot_of(b, r, &slot)) return;
  size = b->slots.slots[slot].size;
  if (offset >= size) {
    fail(b, r, MOTE_FAULT_BAD_ARGUMENT, (int32_t)size, TEXT("Behind the end of the pack."));
    return;
  }
  if (piece == 0 || count == 0) {
    fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("A digest of nothing."));
    return;
  }
  if (count > room) count = room;
  if (count > (size - offset - 1u) / piece + 1u) count = (size - offset - 1u) / piece + 1u;
  pack = mote_slots_pack(&b->slots, slot);
  reply(b, r);
  mote_encoder_u8(&b->encoder, slot);
  mote_encoder_u32(&b->encoder, offset);
  mote_encoder_u8(&b->encoder, count);
  for (i = 0; i < count; i++) {
    uint32_t bytes = size - offset < piece ? size - offset : piece;
    mote_encoder_u32(&b->encoder, mote_crc32(0, pack + offset, bytes));
    offset += bytes;
  }
  reply_end(b);
}

static void on_activate(mote_board *b, const request *r) {
  uint32_t slot;
  mote_model view;
  int32_t detail;
  uint8_t fault;
  int error;
  if (!slot_of(b, r, &slot)) return;
  if (b->slots.put_slot >= 0) {
    fail(b, r, MOTE_FAULT_BUSY, 0, TEXT("A put is under way."));
    return;
  }
  fault = check_slot(b, slot, &view, &detail);
  if (fault != 0) {
    fail(b, r, fault, detail, explain(fault));
    return;
  }
  error = mote_slots_activate(&b->slots, slot);
  if (error != 0) {
    fail_storage(b, r, error);
    return;
  }
  if (b->use == MOTE_BOARD_CLASSIFY || b->running) resume(b);
  reply(b, r);
  mote_encoder_u8(&b->encoder, slot);
  mote_encoder_u32(&b->encoder, mote_model_id(&view));
  reply_end(b);
}

/* ---- Self-test ---- */

static void on_self_test(mote_board *b, const request *r) {
  uint32_t slot;
  int32_t detail;
  uint8_t fault;
  if (!slot_of(b, r, &slot)) return;
  fault = load(b, slot, MOTE_BOARD_TEST, &detail);
  if (fault != 0) {
    resume(b);
    fail(b, r, fault, detail, explain(fault));
    return;
  }
  b->test_id = r->id;
  b->test_next = 0;
  b->test_total = (uint32_t)mote_model_selftest_count(&b->model);
  b->test_passed = 0;
  b->test_failure = MOTE_WIRE_WINDOW_NONE;
  b->test_us = 0;
}

static void test_report(mote_board *b) {
  mote_encoder *e = &b->encoder;
  uint32_t average = b->test_total > 0 ? (uint32_t)(b->test_us / b->test_total) : 0;
  if (!mote_encoder_begin(e, MOTE_MSG_SELF_TEST | MOTE_WIRE_REPLY_BIT, b->test_id, b->config->body)) return;
  mote_encoder_u8(e, b->model_slot);
  mote_encoder_u16(e, b->test_passed);
  mote_encoder_u16(e, b->test_total);
  mote_encoder_u16(e, b->test_failure);
  mote_encoder_u32(e, average);
  (void)mote_encoder_end(e);
  resume(b);
}

/* Runs the next window, or reports when all are done and there is room. */
static void test_step(mote_board *b) {
  const mote_board_config *c = b->config;
  uint64_t before;
  if (b->use != MOTE_BOARD_TEST) return;
  if (b->test_next >= b->test_total) {
    test_report(b);
    return;
  }
  before = c->now_us(c->context);
  if (mote_model_selftest(&b->model, (int32_t)b->test_next) == 1) {
    b->test_passed++;
  } else if (b->test_failure == MOTE_WIRE_WINDOW_NONE) {
    b->test_failure = b->test_next;
  }
  b->test_us += c->now_us(c->context) - before;
  b->test_next++;
  if (b->test_next % PROGRESS_STRIDE == 0 && event_fits(b, 4)) {
    (void)mote_encoder_begin(&b->encoder, MOTE_MSG_SELF_TEST_PROGRESS, b->test_id, 4);
    mote_encoder_u16(&b->encoder, b->test_next);
    mote_encoder_u16(&b->encoder, b->test_total);
    (void)mote_encoder_end(&b->encoder);
  }
}

/* ---- Classifying a window from the host ---- */

static void on_classify_begin(mote_board *b, const request *r) {
  uint32_t slot;
  int32_t detail;
  uint8_t fault;
  if (!slot_of(b, r, &slot)) return;
  fault = load(b, slot, MOTE_BOARD_CLASSIFY, &detail);
  if (fault != 0) {
    resume(b);
    fail(b, r, fault, detail, explain(fault));
    return;
  }
  b->classify_next = 0;
  b->classify_done = 0;
  b->classify_size = 4u * b->config->channel_count * (uint32_t)mote_model_window_frames(&b->model);
  reply(b, r);
  mote_encoder_u8(&b->encoder, slot);
  mote_encoder_u32(&b->encoder, b->classify_size);
  mote_encoder_u16(&b->encoder, b->config->body - CHUNK_HEADER);
  reply_end(b);
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

static void on_classify_chunk(mote_board *b, const request *r) {
  uint32_t count = r->size - CHUNK_HEADER;
  uint32_t i;
  if (b->use != MOTE_BOARD_CLASSIFY) {
    fail(b, r, MOTE_FAULT_NOT_BEGUN, 0, TEXT("No classify is under way."));
    return;
  }
  if (load32(r->body) == b->classify_next) {
    if (count > b->classify_size - b->classify_next) {
      fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("More bytes than a window has."));
      return;
    }
    for (i = 0; i < count; i++) classify_byte(b, r->body[CHUNK_HEADER + i]);
  }
  reply_next(b, r, b->classify_next);
}

static void on_classify_end(mote_board *b, const request *r) {
  if (b->use != MOTE_BOARD_CLASSIFY || !b->classify_done) {
    fail(b, r, MOTE_FAULT_NOT_BEGUN, b->use == MOTE_BOARD_CLASSIFY ? (int32_t)b->classify_next : 0,
         TEXT("The window is not complete."));
    return;
  }
  reply(b, r);
  put_result(b, &b->classify_result, 0);
  reply_end(b);
  resume(b);
}

/* ---- Dispatch ---- */

/* What a request needs before its handler is called. */
typedef struct {
  uint8_t type;
  uint8_t body;   /* shortest body */
  uint8_t models; /* needs slots */
  uint8_t quiet;  /* not during a self-test */
  void (*handle)(mote_board *b, const request *r);
} route;

static const route routes[] = {
    {MOTE_MSG_HELLO, 2, 0, 0, on_hello},
    {MOTE_MSG_PING, 0, 0, 0, on_ping},
    {MOTE_MSG_STATUS, 0, 0, 0, on_status},
    {MOTE_MSG_ABORT, 0, 0, 0, on_abort},
    {MOTE_MSG_CHANNELS, 1, 0, 0, on_channels},
    {MOTE_MSG_STREAM_START, 4, 0, 0, on_stream_start},
    {MOTE_MSG_STREAM_STOP, 0, 0, 0, on_stream_stop},
    {MOTE_MSG_SLOT, 3, 1, 0, on_slot},
    {MOTE_MSG_PUT_BEGIN, 9, 1, 1, on_put_begin},
    {MOTE_MSG_PUT_CHUNK, 5, 1, 1, on_put_chunk},
    {MOTE_MSG_PUT_END, 0, 1, 1, on_put_end},
    {MOTE_MSG_READ, 7, 1, 0, on_read},
    {MOTE_MSG_DIGEST, 8, 1, 0, on_digest},
    {MOTE_MSG_SELF_TEST, 1, 1, 1, on_self_test},
    {MOTE_MSG_ACTIVATE, 1, 1, 1, on_activate},
    {MOTE_MSG_CLASSIFY_BEGIN, 1, 1, 1, on_classify_begin},
    {MOTE_MSG_CLASSIFY_CHUNK, 5, 1, 1, on_classify_chunk},
    {MOTE_MSG_CLASSIFY_END, 0, 1, 1, on_classify_end},
    {MOTE_MSG_RUN_START, 4, 1, 1, on_run_start},
    {MOTE_MSG_RUN_STOP, 0, 1, 0, on_run_stop},
};

static void handle(mote_board *b, const request *r) {
  uint32_t i;
  for (i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    const route *found = &routes[i];
    if (found->type != r->type) continue;
    if (found->models && slot_count(b) == 0) break;
    if (r->size < found->body) {
      fail(b, r, MOTE_FAULT_BAD_REQUEST, found->body, TEXT("The request is too short."));
    } else if (found->quiet && b->use == MOTE_BOARD_TEST) {
      fail(b, r, MOTE_FAULT_BUSY, 0, TEXT("A self-test is running."));
    } else {
      found->handle(b, r);
    }
    return;
  }
  fail(b, r, MOTE_FAULT_NOT_SUPPORTED, 0, TEXT("This board does not know the request."));
}

/* Handles the frame in the decoder; 0 when its reply has to wait for room. */
static int dispatch(mote_board *b) {
  request r;
  r.type = mote_decoder_type(&b->decoder);
  r.id = mote_decoder_id(&b->decoder);
  r.body = mote_decoder_body(&b->decoder);
  r.size = mote_decoder_body_size(&b->decoder);
  if (r.type == 0 || r.type >= MOTE_MSG_SAMPLES || r.id == MOTE_WIRE_UNSOLICITED) return 1;
  if (!mote_encoder_fits(&b->encoder, b->config->body, 0)) return 0;
  handle(b, &r);
  return 1;
}

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
    while (b->slots.active >= 0 && check_slot(b, (uint32_t)b->slots.active, &view, &detail) != 0) {
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
  sample(b);
  test_step(b);
  drain(b);
}

int mote_board_run(mote_board *b, uint32_t rate) {
  const mote_board_config *c = b->config;
  int32_t detail;
  uint32_t i;
  if (rate == 0) rate = c->rate;
  for (i = 0; i < c->rate_count && c->rates[i] != rate; i++) continue;
  if (i == c->rate_count) return MOTE_FAULT_BAD_ARGUMENT;
  if (slot_count(b) == 0) return MOTE_FAULT_NOT_SUPPORTED;
  if (b->slots.active < 0) return MOTE_FAULT_NO_MODEL;
  if (b->use == MOTE_BOARD_TEST) return MOTE_FAULT_BUSY;
  return run_active(b, rate, &detail);
}

int mote_board_busy(const mote_board *b) { return b->use == MOTE_BOARD_TEST; }

int mote_board_sending(const mote_board *b) { return b->encoder.used > 0; }

int32_t mote_board_active_slot(const mote_board *b) { return b->slots.active; }
