#include "uno_protocol.h"

#include <avr/pgmspace.h>

#include "uno_link.h"
#include "uno_model.h"
#include "uno_sampler.h"

#define NAME "Arduino Uno"
#define FIRMWARE "Mote Uno 0.1.0"

/* Bytes before the samples of a SAMPLES event, before the texts of a SLOT reply, before the data of a chunk. */
#define SAMPLES_HEADER 14u
#define SLOT_HEADER 37u
#define CHUNK_HEADER 4u
#define RESULT_HEADER 26u
/* A batch of samples is sent when it holds about 20 ms of them. */
#define BATCHES_PER_SECOND 50u
#define PROGRESS_STRIDE 4u

static const uint32_t rates[] PROGMEM = {25000, 50000, 100000, 200000};
#define RATE_COUNT (sizeof rates / sizeof rates[0])
#define FIRST_RATE 50000u

/* Who uses the model. */
enum { IDLE, RUN, CLASSIFY, TEST };

static uint32_t rate = FIRST_RATE;
static uint32_t model_rate; /* offered too when it is none of rates; else 0 */
static uint32_t sequence; /* of the next frame */
static uint32_t lost_frames;
static uint8_t streaming;
static uint8_t running;
static uint8_t use;

static uno_result result;
static uint8_t result_due; /* a result of the running model waits for the link */
static uint32_t result_sequence;

static uint16_t classify_next; /* bytes taken */
static uint8_t classify_value[4];

static uint8_t test_id;
static uint16_t test_next;
static uint16_t test_passed;
static uint16_t test_failure;
static uint32_t test_us;
static uint8_t test_told;

/* The request being handled. */
static const uint8_t *request;
#define TYPE (request[0])
#define ID (request[1])
#define BODY (request + MOTE_WIRE_HEADER_BYTES)
static uint8_t body_bytes;

static uint32_t load32(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* ---- Replies ---- */

static void reply(void) { uno_link_begin((uint8_t)(TYPE | MOTE_WIRE_REPLY_BIT), ID); }

static void fail(uint8_t code, int32_t detail, const char *flash_text) {
  uno_link_begin(MOTE_MSG_ERROR, ID);
  uno_link_u8(TYPE);
  uno_link_u8(code);
  uno_link_u32((uint32_t)detail);
  uno_link_text(flash_text, 120);
  uno_link_end();
}

static uint8_t has_model(void) { return uno_model()->state == MOTE_SLOT_STATE_VALID; }

static void fail_no_model(void) {
  fail(MOTE_FAULT_NO_MODEL, 0, PSTR("No model was flashed with this firmware."));
}

/* ---- Sampling and running ---- */

static void give_up_model(void) { use = running ? RUN : IDLE; }

/* Ends what a request began and none finished; a running model then starts afresh. */
static void abort_all(void) {
  if (use == CLASSIFY || use == TEST) {
    give_up_model();
    uno_model_reset();
  }
}

static void sample_at(uint32_t wanted) {
  if ((streaming || running) && wanted == rate) return;
  rate = wanted;
  uno_sampler_start(rate);
  if (use == RUN) uno_model_reset();
}

static void sample_no_more(void) {
  if (!streaming && !running) uno_sampler_stop();
}

static void put_result(void) {
  const int8_t *scores = uno_model_scores();
  const uint8_t count = uno_model()->label_count;
  uint8_t i;
  uno_link_u32(uno_model()->id);
  uno_link_u32(result_sequence);
  uno_link_u32(result.feature_crc);
  uno_link_u32(result.dsp_us);
  uno_link_u32(result.network_us);
  uno_link_u16(result.best);
  uno_link_u16(result.decision < 0 ? MOTE_WIRE_LABEL_NONE : (uint16_t)result.decision);
  uno_link_u16(count);
  for (i = 0; i < count; i++) uno_link_u8((uint8_t)scores[i]);
}

static uint8_t batch_frames(void) {
  const uint32_t wanted = rate / (1000u * BATCHES_PER_SECOND);
  return wanted < 1u ? 1u : (uint8_t)wanted;
}

/*
 * Takes frames that wait, at most as many as an event holds. Stops behind the frame that completes a window, so that its
 * result goes behind its samples.
 */
static void take_frames(uint8_t most) {
  int16_t frame[UNO_CHANNELS];
  uint64_t time = 0;
  uint8_t taken = 0;
  if (most == 0 || uno_sampler_waiting() == 0) return;
  if (most > (UNO_BODY - SAMPLES_HEADER) / (2u * UNO_CHANNELS)) most = (UNO_BODY - SAMPLES_HEADER) / (2u * UNO_CHANNELS);
  if (most > uno_sampler_waiting()) most = uno_sampler_waiting();
  /* How many go into the event must be known first: up to the end of the window. */
  if (use == RUN && most > uno_model_missing()) most = (uint8_t)uno_model_missing();
  for (; taken < most; taken++) {
    (void)uno_sampler_read(frame, &time);
    if (streaming) {
      uint8_t i;
      if (taken == 0) {
        uno_link_begin(MOTE_MSG_SAMPLES, MOTE_WIRE_UNSOLICITED);
        uno_link_u32(sequence);
        uno_link_u64(time);
        uno_link_u16(most);
      }
      for (i = 0; i < UNO_CHANNELS; i++) uno_link_u16((uint16_t)frame[i]);
      if (taken + 1u == most) uno_link_end();
    }
    if (use == RUN && uno_model_push(frame, &result)) {
      result_sequence = sequence;
      result_due = 1;
    }
    sequence++;
  }
}

static void sample(void) {
  uint16_t lost;
  if (result_due) {
    if (uno_link_sending()) return;
    result_due = 0;
    uno_link_begin(MOTE_MSG_RESULT, MOTE_WIRE_UNSOLICITED);
    put_result();
    uno_link_end();
    return;
  }
  if (!streaming && !running) return;
  if (uno_sampler_waiting() == 0) {
    lost = uno_sampler_lost();
    if (lost == 0) return;
    /* Samples on both sides of a gap make no window. */
    sequence += lost;
    lost_frames += lost;
    if (use == RUN) uno_model_reset();
    return;
  }
  if (streaming && (uno_link_sending() || uno_sampler_waiting() < batch_frames())) return;
  take_frames(UNO_RING_FRAMES);
}

/* Sends what was collected: before the reply that ends the stream. The link is free. */
static void flush(void) {
  while (streaming && uno_sampler_waiting() > 0 && !result_due) {
    take_frames(UNO_RING_FRAMES);
    while (uno_link_sending()) {
    }
  }
}

/* 0, and an error sent, when the rate is not offered. */
static uint32_t rate_of(void) {
  const uint32_t asked = load32(BODY);
  uint8_t i;
  if (asked == 0) return rate;
  for (i = 0; i < RATE_COUNT; i++) {
    if (pgm_read_dword(&rates[i]) == asked) return asked;
  }
  if (asked == model_rate) return asked;
  fail(MOTE_FAULT_BAD_ARGUMENT, 0, PSTR("This rate is not offered."));
  return 0;
}

static void stop_all(void) {
  streaming = 0;
  running = 0;
  result_due = 0;
  use = IDLE;
  uno_sampler_stop();
}

/* ---- Requests ---- */

static void on_hello(void) {
  uint8_t i;
  stop_all();
  if (BODY[0] > MOTE_WIRE_VERSION_MAX || BODY[1] < MOTE_WIRE_VERSION_MIN) {
    fail(MOTE_FAULT_BAD_VERSION, MOTE_WIRE_VERSION_MIN << 8 | MOTE_WIRE_VERSION_MAX,
         PSTR("The studio and this firmware speak different versions of the protocol."));
    return;
  }
  reply();
  uno_link_u8(BODY[1] < MOTE_WIRE_VERSION_MAX ? BODY[1] : MOTE_WIRE_VERSION_MAX);
  uno_link_u16(UNO_BODY);
  uno_link_u8(1);
  uno_link_u8(UNO_CHANNELS);
  uno_link_u8(1);
  uno_link_u8(has_model() ? 0 : MOTE_WIRE_SLOT_NONE);
  uno_link_u32(UNO_MODEL_END - UNO_MODEL_START);
  uno_link_u32(UNO_WORK_BYTES);
  uno_link_u32(rate);
  uno_link_u8((uint8_t)(RATE_COUNT + (model_rate != 0)));
  for (i = 0; i < RATE_COUNT; i++) uno_link_u32(pgm_read_dword(&rates[i]));
  if (model_rate != 0) uno_link_u32(model_rate);
  uno_link_text(PSTR(NAME), MOTE_WIRE_TEXT_MAX);
  uno_link_text(PSTR(FIRMWARE), MOTE_WIRE_TEXT_MAX);
  uno_link_u8(0); /* the chip has no serial number */
  uno_link_end();
}

static void on_ping(void) {
  uint8_t i;
  reply();
  for (i = 0; i < body_bytes; i++) uno_link_u8(BODY[i]);
  uno_link_end();
}

static void on_status(void) {
  reply();
  uno_link_u8((uint8_t)((streaming ? MOTE_STATUS_FLAG_STREAMING : 0) | (running ? MOTE_STATUS_FLAG_RUNNING : 0) |
                        (use == CLASSIFY ? MOTE_STATUS_FLAG_CLASSIFYING : 0) |
                        (use == TEST ? MOTE_STATUS_FLAG_TESTING : 0)));
  uno_link_u32(rate);
  uno_link_u64(uno_now());
  uno_link_u32(uno_link_good + 1u);
  uno_link_u32(uno_link_bad);
  uno_link_u32(lost_frames);
  uno_link_u32(0);
  uno_link_end();
}

static void reply_empty(void) {
  reply();
  uno_link_end();
}

static void on_abort(void) {
  abort_all();
  reply_empty();
}

static void on_channels(void) {
  union {
    float value;
    uint32_t bits;
  } scale;
  uint8_t i = BODY[0] < UNO_CHANNELS ? BODY[0] : UNO_CHANNELS;
  scale.value = uno_channel_scale();
  reply();
  uno_link_u8(UNO_CHANNELS);
  uno_link_u8(i);
  uno_link_u8((uint8_t)(UNO_CHANNELS - i));
  for (; i < UNO_CHANNELS; i++) {
    uno_link_u8(2);
    uno_link_u8('A');
    uno_link_u8((uint8_t)('0' + i));
    uno_link_text(PSTR("V"), 1);
    uno_link_u32(scale.bits);
  }
  uno_link_end();
}

static void on_stream_start(void) {
  const uint32_t wanted = rate_of();
  if (wanted == 0) return;
  sample_at(wanted);
  streaming = 1;
  reply();
  uno_link_u32(rate);
  uno_link_u32(sequence);
  uno_link_end();
}

static void on_stream_stop(void) {
  flush();
  streaming = 0;
  sample_no_more();
  reply();
  uno_link_u32(sequence);
  uno_link_end();
}

static void on_slot(void) {
  const uno_model_facts *model = uno_model();
  const uint16_t first = (uint16_t)(BODY[1] | (uint16_t)BODY[2] << 8);
  const uint8_t valid = has_model();
  uint8_t label = (uint8_t)(first < model->label_count ? first : model->label_count);
  uint8_t here = 0;
  uint8_t room;
  reply();
  uno_link_u8(0);
  uno_link_u8(model->state);
  uno_link_u8(valid ? MOTE_SLOT_FLAG_ACTIVE : 0);
  uno_link_u32(UNO_MODEL_END - UNO_MODEL_START);
  uno_link_u32(model->bytes);
  uno_link_u32(model->id);
  uno_link_u32(model->ram);
  uno_link_u32(model->rate);
  uno_link_u8(valid ? UNO_CHANNELS : 0);
  uno_link_u32(model->window_frames);
  uno_link_u32(model->stride_frames);
  uno_link_u16(model->label_count);
  uno_link_u16(label);
  if (!valid) {
    uno_link_u16(0);
    uno_link_end();
    return;
  }
  room = (uint8_t)(UNO_BODY - SLOT_HEADER - 1u - uno_text_bytes(uno_model_text(0), MOTE_WIRE_TEXT_MAX));
  while (label + here < model->label_count) {
    /* A label that would not fit alone is cut. */
    uint8_t need = (uint8_t)(1u + uno_text_bytes(uno_model_text((uint8_t)(1u + label + here)), (uint8_t)(UNO_BODY - SLOT_HEADER - MOTE_WIRE_TEXT_MAX - 2u)));
    if (need > room) break;
    room = (uint8_t)(room - need);
    here++;
  }
  uno_link_u8(here);
  uno_link_text(uno_model_text(0), MOTE_WIRE_TEXT_MAX);
  for (; here > 0; here--) {
    label++;
    uno_link_text(uno_model_text(label), (uint8_t)(UNO_BODY - SLOT_HEADER - MOTE_WIRE_TEXT_MAX - 2u));
  }
  uno_link_end();
}

static void on_put_begin(void) {
  fail(MOTE_FAULT_REFUSED, 0, PSTR("Models are written to this board together with its firmware: flash it anew."));
}

static void on_read(void) {
  fail(MOTE_FAULT_NOT_SUPPORTED, 0, PSTR("This board keeps its model in a form that cannot be read back."));
}

static void on_activate(void) {
  reply();
  uno_link_u8(0);
  uno_link_u32(uno_model()->id);
  uno_link_end();
}

static void on_self_test(void) {
  use = TEST;
  test_id = ID;
  test_next = 0;
  test_passed = 0;
  test_failure = MOTE_WIRE_WINDOW_NONE;
  test_us = 0;
  test_told = 0;
}

static uint16_t window_bytes(void) { return (uint16_t)(4u * UNO_CHANNELS * uno_model()->window_frames); }

static void on_classify_begin(void) {
  use = CLASSIFY;
  uno_model_reset();
  classify_next = 0;
  reply();
  uno_link_u8(0);
  uno_link_u32(window_bytes());
  uno_link_u16(UNO_BODY - CHUNK_HEADER);
  uno_link_end();
}

static float classify_float(void) {
  union {
    uint32_t bits;
    float value;
  } both;
  both.bits = load32(classify_value);
  return both.value;
}

/* Takes a byte of the window; 0 when it completes a value that the inputs cannot give. */
static uint8_t classify_byte(uint8_t byte) {
  const float scale = uno_channel_scale();
  float value;
  float steps;
  int16_t raw;
  classify_value[classify_next & 3u] = byte;
  if ((classify_next & 3u) == 3u) {
    value = classify_float();
    steps = value / scale;
    if (!(steps > -32767.0f && steps < 32767.0f)) return 0;
    raw = (int16_t)(steps < 0.0f ? steps - 0.5f : steps + 0.5f);
    if ((float)raw * scale != value) return 0;
    uno_model_put(classify_next / 4u, raw);
  }
  classify_next++;
  return 1;
}

static void on_classify_chunk(void) {
  uint8_t i;
  if (use != CLASSIFY) {
    fail(MOTE_FAULT_NOT_BEGUN, 0, PSTR("No classify is under way."));
    return;
  }
  if (load32(BODY) == classify_next) {
    if (body_bytes - CHUNK_HEADER > window_bytes() - classify_next) {
      fail(MOTE_FAULT_BAD_ARGUMENT, 0, PSTR("More bytes than a window has."));
      return;
    }
    for (i = CHUNK_HEADER; i < body_bytes; i++) {
      if (classify_byte(BODY[i])) continue;
      give_up_model();
      fail(MOTE_FAULT_BAD_ARGUMENT, 0, PSTR("This board classifies only what its own inputs can measure."));
      return;
    }
  }
  reply();
  uno_link_u32(classify_next);
  uno_link_end();
}

static void on_classify_end(void) {
  if (use != CLASSIFY || classify_next != window_bytes()) {
    fail(MOTE_FAULT_NOT_BEGUN, use == CLASSIFY ? (int32_t)classify_next : 0, PSTR("The window is not complete."));
    return;
  }
  uno_model_classify(&result);
  result_sequence = 0;
  reply();
  put_result();
  uno_link_end();
  give_up_model();
  uno_model_reset();
}

static void on_run_start(void) {
  const uint32_t wanted = rate_of();
  if (wanted == 0) return;
  /* Frames from before the start belong to no window of this run. */
  flush();
  if (running && wanted == rate && !streaming) uno_sampler_start(rate);
  sample_at(wanted);
  running = 1;
  use = RUN;
  result_due = 0;
  uno_model_reset();
  reply();
  uno_link_u32(uno_model()->id);
  uno_link_u32(rate);
  uno_link_u32(sequence);
  uno_link_end();
}

static void on_run_stop(void) {
  running = 0;
  result_due = 0;
  if (use == RUN) use = IDLE;
  sample_no_more();
  reply_empty();
}

/* ---- Self-test ---- */

static void test_step(void) {
  uint32_t before;
  if (use != TEST) return;
  if (test_next < uno_model()->test_count) {
    before = uno_micros();
    if (uno_model_test(test_next)) {
      test_passed++;
    } else if (test_failure == MOTE_WIRE_WINDOW_NONE) {
      test_failure = test_next;
    }
    test_us += uno_micros() - before;
    test_next++;
    if (test_next % PROGRESS_STRIDE == 0) test_told = 0;
  }
  if (uno_link_sending()) return;
  if (test_next < uno_model()->test_count) {
    if (test_told) return;
    test_told = 1;
    uno_link_begin(MOTE_MSG_SELF_TEST_PROGRESS, test_id);
    uno_link_u16(test_next);
    uno_link_u16(uno_model()->test_count);
    uno_link_end();
    return;
  }
  uno_link_begin(MOTE_MSG_SELF_TEST | MOTE_WIRE_REPLY_BIT, test_id);
  uno_link_u8(0);
  uno_link_u16(test_passed);
  uno_link_u16(uno_model()->test_count);
  uno_link_u16(test_failure);
  uno_link_u32(test_us / uno_model()->test_count);
  uno_link_end();
  give_up_model();
  uno_model_reset();
}

/* ---- Dispatch ---- */

enum { ANY = 0, MODEL = 1, QUIET = 2, SLOT = 4 };

/* What a request needs before its handler is called. */
typedef struct {
  uint8_t type;
  uint8_t body;  /* shortest body */
  uint8_t needs; /* MODEL: a valid one; QUIET: no self-test; SLOT: the body starts with a slot that there is */
  void (*handle)(void);
} route;

static const route routes[] PROGMEM = {
    {MOTE_MSG_HELLO, 2, ANY, on_hello},
    {MOTE_MSG_PING, 0, ANY, on_ping},
    {MOTE_MSG_STATUS, 0, ANY, on_status},
    {MOTE_MSG_ABORT, 0, ANY, on_abort},
    {MOTE_MSG_CHANNELS, 1, ANY, on_channels},
    {MOTE_MSG_STREAM_START, 4, ANY, on_stream_start},
    {MOTE_MSG_STREAM_STOP, 0, ANY, on_stream_stop},
    {MOTE_MSG_SLOT, 3, SLOT, on_slot},
    {MOTE_MSG_PUT_BEGIN, 9, QUIET | SLOT, on_put_begin},
    {MOTE_MSG_READ, 7, MODEL | SLOT, on_read},
    {MOTE_MSG_SELF_TEST, 1, MODEL | QUIET | SLOT, on_self_test},
    {MOTE_MSG_ACTIVATE, 1, MODEL | QUIET | SLOT, on_activate},
    {MOTE_MSG_CLASSIFY_BEGIN, 1, MODEL | QUIET | SLOT, on_classify_begin},
    {MOTE_MSG_CLASSIFY_CHUNK, 5, MODEL | QUIET, on_classify_chunk},
    {MOTE_MSG_CLASSIFY_END, 0, MODEL | QUIET, on_classify_end},
    {MOTE_MSG_RUN_START, 4, MODEL | QUIET, on_run_start},
    {MOTE_MSG_RUN_STOP, 0, ANY, on_run_stop},
};

static void handle(void) {
  uint8_t i;
  for (i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    const uint8_t needs = pgm_read_byte(&routes[i].needs);
    if (pgm_read_byte(&routes[i].type) != TYPE) continue;
    if (body_bytes < pgm_read_byte(&routes[i].body)) {
      fail(MOTE_FAULT_BAD_REQUEST, pgm_read_byte(&routes[i].body), PSTR("The request is too short."));
    } else if ((needs & QUIET) != 0 && use == TEST) {
      fail(MOTE_FAULT_BUSY, 0, PSTR("A self-test is running."));
    } else if ((needs & SLOT) != 0 && BODY[0] != 0 && BODY[0] != MOTE_WIRE_SLOT_NONE) {
      fail(MOTE_FAULT_BAD_ARGUMENT, 0, PSTR("There is no such slot."));
    } else if (((needs & MODEL) != 0 || ((needs & SLOT) != 0 && BODY[0] == MOTE_WIRE_SLOT_NONE)) && !has_model()) {
      fail_no_model();
    } else {
      ((void (*)(void))pgm_read_word(&routes[i].handle))();
    }
    return;
  }
  fail(MOTE_FAULT_NOT_SUPPORTED, 0, PSTR("This board does not know the request."));
}

void uno_protocol_init(void) {
  uint8_t i;
  uno_model_open();
  if (!has_model()) return;
  /* A board is there for its model: it samples as the model wants it, from power-up on. */
  rate = uno_model()->rate;
  model_rate = rate;
  for (i = 0; i < RATE_COUNT; i++) {
    if (pgm_read_dword(&rates[i]) == rate) model_rate = 0;
  }
}

void uno_protocol_poll(void) {
  if (!uno_link_sending()) {
    request = uno_link_frame(&body_bytes);
    if (request != 0) {
      if (TYPE != 0 && TYPE < MOTE_MSG_SAMPLES && ID != MOTE_WIRE_UNSOLICITED) handle();
      uno_link_next();
    }
  }
  sample();
  test_step();
}
