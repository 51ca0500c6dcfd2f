/* Samples: in batches to the host, and through the running model. */
#include "mote_board_parts.h"

/* Bytes before the samples of a SAMPLES event. */
#define SAMPLES_HEADER 14u

/* A batch of samples is sent when it holds this many per second of rate: every 20 ms. */
#define BATCHES_PER_SECOND 50u
/* Most frames taken from the sensor in one poll, so that a driver that always has one cannot hold up the link. */
#define FRAMES_PER_POLL 256u

/* ---- Frames ---- */

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

/* Frames of a full batch: 20 ms of them, if the longest body holds as many. */
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

/* Runs the model when the frame completes a window, and sends its result, or drops it when the link is full. */
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
    mote_board_put_result(b, &result, b->sequence);
    (void)mote_encoder_end(&b->encoder);
  } else {
    b->dropped_results++;
  }
}

void mote_board_sample(mote_board *b) {
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

/* ---- Starting and stopping ---- */

/* The rate a request asks for: 0 and an error sent when it is not offered. */
static uint32_t rate_of(mote_board *b, const mote_board_request *r) {
  uint32_t asked = load32(r->body);
  uint32_t i;
  if (asked == 0) return b->rate;
  for (i = 0; i < b->config->rate_count; i++) {
    if (b->config->rates[i] == asked) return asked;
  }
  mote_board_fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("This rate is not offered."));
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

/* Stops the sensor when nobody wants its samples. */
static void rest(mote_board *b) {
  if (!b->streaming && !b->running) b->config->sensor_stop(b->config->context);
}

void mote_board_stop_streaming(mote_board *b) {
  if (!b->streaming) return;
  flush_batch(b);
  b->streaming = 0;
  rest(b);
}

void mote_board_stop_running(mote_board *b) {
  if (!b->running) return;
  b->running = 0;
  if (b->use == MOTE_BOARD_RUN) b->use = MOTE_BOARD_IDLE;
  rest(b);
}

/* Loads and starts the active model, or stops the one that ran. 0 or a fault. */
static uint8_t run_active(mote_board *b, uint32_t rate, int32_t *detail) {
  uint8_t fault = mote_board_load(b, (uint32_t)b->slots.active, MOTE_BOARD_RUN, detail);
  if (fault != 0) {
    mote_board_stop_running(b);
    return fault;
  }
  sample_at(b, rate);
  b->running = 1;
  return 0;
}

void mote_board_on_stream_start(mote_board *b, const mote_board_request *r) {
  uint32_t rate = rate_of(b, r);
  if (rate == 0) return;
  sample_at(b, rate);
  b->streaming = 1;
  mote_board_reply_begin(b, r);
  mote_encoder_u32(&b->encoder, rate);
  mote_encoder_u32(&b->encoder, b->sequence);
  mote_board_reply_end(b);
}

void mote_board_on_stream_stop(mote_board *b, const mote_board_request *r) {
  mote_board_stop_streaming(b);
  mote_board_reply_begin(b, r);
  mote_encoder_u32(&b->encoder, b->sequence);
  mote_board_reply_end(b);
}

void mote_board_on_run_start(mote_board *b, const mote_board_request *r) {
  uint32_t rate = rate_of(b, r);
  int32_t detail;
  uint8_t fault;
  if (rate == 0) return;
  if (b->slots.active < 0) {
    mote_board_fail(b, r, MOTE_FAULT_NO_MODEL, 0, TEXT("No model is active."));
    return;
  }
  fault = run_active(b, rate, &detail);
  if (fault != 0) {
    mote_board_fail_model(b, r, fault, detail);
    return;
  }
  mote_board_reply_begin(b, r);
  mote_encoder_u32(&b->encoder, mote_model_id(&b->model));
  mote_encoder_u32(&b->encoder, rate);
  mote_encoder_u32(&b->encoder, b->sequence);
  mote_board_reply_end(b);
}

void mote_board_on_run_stop(mote_board *b, const mote_board_request *r) {
  mote_board_stop_running(b);
  mote_board_reply_empty(b, r);
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
