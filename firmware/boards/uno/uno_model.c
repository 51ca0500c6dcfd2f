#include "uno_model.h"

#include "mote_config.h"
#include "mote_flash.h"
#include "mote_flatten.h"
#include "mote_input.h"
#include "mote_raw.h"
#include "mote_selftest.h"
#include "mote_smooth.h"
#include "mote_softmax.h"
#include "mote_spectral.h"
#include "mote_wire.h"
#include "uno_sampler.h"
#include "uno_crc32.h"

/* Layout of the image: docs/uno.md, written by src/emit/uno-image.ts. */
#define IMAGE_MAGIC 0x4f4e554du /* "MUNO" */
#define IMAGE_VERSION 1u

enum {
  AT_MAGIC = 0,
  AT_VERSION = 4,
  AT_SIZE = 6,
  AT_CRC = 8,
  AT_ID = 12,
  AT_RATE = 16,
  AT_WINDOW = 20,
  AT_STRIDE = 22,
  AT_CHANNELS = 24,
  AT_LABELS = 25,
  AT_BLOCKS = 26,
  AT_OPS = 27,
  AT_SMOOTHING_WINDOWS = 28,
  AT_OUTPUT_ZERO = 29,
  AT_RAM = 30,
  AT_SMOOTHING_THRESHOLD = 32,
  AT_FEATURES = 36,
  AT_INPUT = 38,
  AT_OUTPUT = 40,
  AT_ARENA = 42,
  AT_RECORDED = 44,
  AT_GENERATED = 46,
  AT_SEED = 48,
  AT_TEXT_SECTION = 52,
  AT_BLOCK_SECTION = 54,
  AT_AFFINE_SECTION = 56,
  AT_OP_SECTION = 58,
  AT_TEST_SECTION = 60,
  HEADER_BYTES = 62
};

enum { BLOCK_RAW = 1, BLOCK_FLATTEN = 2, BLOCK_SPECTRAL = 3 };
enum { BLOCK_HEAD_BYTES = 6 };
enum { OP_FULLY_CONNECTED = 1, OP_SOFTMAX = 2 };
enum { DENSE_HEAD_BYTES = 14, SOFTMAX_BYTES = 16 };

/* Where the samples of an axis come from. */
enum { FROM_WINDOW, FROM_RECORDED, FROM_GENERATED };

typedef const uint8_t *flash; /* an address in flash: read through mote_flash.h only */

static uno_model_facts facts;

/* Regions of `work`, in this order. */
static uint8_t work[UNO_WORK_BYTES];
static int16_t *window;  /* window[frame * UNO_CHANNELS + channel] */
static int8_t *arena;
static int8_t *scores;
static int8_t *history;
static float *scratch;

static uint16_t filled;
static uint16_t skip;
static int32_t history_count;
static int32_t history_next;

static flash image(void) { return (flash)UNO_MODEL_START; }

static uint8_t read8(flash at) { return (uint8_t)MOTE_FLASH_I8(at); }

static uint16_t read16(flash at) { return (uint16_t)MOTE_FLASH_I16((const int16_t *)(const void *)at); }

static uint32_t read32(flash at) { return (uint32_t)MOTE_FLASH_I32((const int32_t *)(const void *)at); }

static float read_float(flash at) { return MOTE_FLASH_F32((const float *)(const void *)at); }

static flash section(uint8_t field) { return image() + read16(image() + field); }

/* ---- Opening ---- */

static uint8_t is_blank(void) {
  flash at;
  for (at = image(); at < image() + HEADER_BYTES; at++) {
    if (read8(at) != 0xffu) return 0;
  }
  return 1;
}

static uint8_t is_sound(void) {
  const uint16_t size = read16(image() + AT_SIZE);
  uint32_t crc = UNO_CRC32_START;
  uint16_t i;
  if (read32(image() + AT_MAGIC) != IMAGE_MAGIC || read16(image() + AT_VERSION) != IMAGE_VERSION) return 0;
  if (size < HEADER_BYTES || size > UNO_MODEL_END - UNO_MODEL_START) return 0;
  for (i = AT_ID; i < size; i++) crc = uno_crc32_add(crc, read8(image() + i));
  if (~crc != read32(image() + AT_CRC)) return 0;
  if (read32(image() + AT_RATE) < UNO_RATE_MIN || read32(image() + AT_RATE) > UNO_RATE_MAX) return 0;
  return read8(image() + AT_CHANNELS) == UNO_CHANNELS && read16(image() + AT_RAM) <= UNO_WORK_BYTES;
}

void uno_model_open(void) {
  uint8_t *at = work;
  facts.state = is_blank() ? MOTE_SLOT_STATE_EMPTY : is_sound() ? MOTE_SLOT_STATE_VALID : MOTE_SLOT_STATE_CORRUPT;
  if (facts.state != MOTE_SLOT_STATE_VALID) return;
  facts.bytes = read16(image() + AT_SIZE);
  facts.id = read32(image() + AT_ID);
  facts.rate = read32(image() + AT_RATE);
  facts.window_frames = read16(image() + AT_WINDOW);
  facts.stride_frames = read16(image() + AT_STRIDE);
  facts.label_count = read8(image() + AT_LABELS);
  facts.ram = read16(image() + AT_RAM);
  facts.test_count = (uint16_t)(read16(image() + AT_RECORDED) + read16(image() + AT_GENERATED));
  window = (int16_t *)(void *)at;
  at += 2u * UNO_CHANNELS * facts.window_frames;
  arena = (int8_t *)at;
  at += read16(image() + AT_ARENA);
  scores = (int8_t *)at;
  at += facts.label_count;
  history = (int8_t *)at;
  at += (uint16_t)(facts.label_count * read8(image() + AT_SMOOTHING_WINDOWS));
  scratch = (float *)(void *)at;
  uno_model_reset();
}

const uno_model_facts *uno_model(void) { return &facts; }

const char *uno_model_text(uint8_t index) {
  flash at = section(AT_TEXT_SECTION);
  while (index > 0) {
    if (read8(at++) == 0) index--;
  }
  return (const char *)at;
}

void uno_model_reset(void) {
  filled = 0;
  skip = 0;
  history_count = 0;
  history_next = 0;
}

/* ---- From samples to features ---- */

/* Known answers: a scale and an offset per channel, a CRC and scores per window, then the recorded windows. */
static flash test_scale(uint8_t channel) { return section(AT_TEST_SECTION) + 4u * channel; }

static flash test_offset(uint8_t channel) { return test_scale(channel) + 4u * UNO_CHANNELS; }

static flash test_answer(uint16_t index) {
  return section(AT_TEST_SECTION) + 8u * UNO_CHANNELS + (uint16_t)((4u + facts.label_count) * index);
}

static void load_window(uint8_t channel, float *axis) {
  const float scale = uno_channel_scale();
  const int16_t *from = window + channel;
  uint16_t i;
  for (i = 0; i < facts.window_frames; i++) {
    *axis++ = (float)*from * scale;
    from += UNO_CHANNELS;
  }
}

static void load_recorded(uint16_t index, uint8_t channel, float *axis) {
  const float scale = read_float(test_scale(channel));
  flash from = test_answer(facts.test_count) + 2u * (uint16_t)(UNO_CHANNELS * facts.window_frames * index + channel);
  uint16_t i;
  for (i = 0; i < facts.window_frames; i++) {
    *axis++ = (float)(int16_t)read16(from) * scale;
    from += 2u * UNO_CHANNELS;
  }
}

/* One channel of mote_selftest_generate: those before it are made too, because they share the random numbers. */
static void load_generated(uint16_t index, uint8_t wanted, float *axis) {
  uint32_t random = (read32(image() + AT_SEED) ^ ((uint32_t)index * 0x9E3779B9u)) | 1u;
  uint8_t channel;
  uint8_t i;
  for (i = 0; i < 8u; i++) random = mote_selftest_random(random);
  for (channel = 0; channel <= wanted; channel++) {
    int32_t level;
    int32_t wave;
    int32_t noise;
    uint32_t phase;
    uint32_t step;
    uint16_t frame;
    random = mote_selftest_random(random);
    level = mote_selftest_int16(random) / (int32_t)(1u << (random & 3u));
    random = mote_selftest_random(random);
    wave = (int32_t)((random >> 17) >> (random & 7u));
    random = mote_selftest_random(random);
    noise = (int32_t)((random >> 17) >> (1u + (random & 7u)));
    random = mote_selftest_random(random);
    phase = random;
    random = mote_selftest_random(random);
    step = (random >> 1) >> (random & 7u);
    for (frame = 0; frame < facts.window_frames; frame++) {
      random = mote_selftest_random(random);
      if (channel == wanted) {
        const int32_t rise = (int32_t)(phase >> 15);
        const int32_t triangle = (rise < 65536 ? rise : 131071 - rise) - 32768;
        int32_t value = level + triangle * wave / 32768 + mote_selftest_int16(random) * noise / 32768;
        float scaled;
        if (value > 32767) value = 32767;
        if (value < -32768) value = -32768;
        scaled = (float)value * read_float(test_scale(channel));
        axis[frame] = scaled + read_float(test_offset(channel));
      }
      phase += step;
    }
  }
}

static void load_axis(uint8_t source, uint16_t index, uint8_t channel, float *axis) {
  if (source == FROM_WINDOW) {
    load_window(channel, axis);
  } else if (source == FROM_RECORDED) {
    load_recorded(index, channel, axis);
  } else {
    load_generated(index, channel, axis);
  }
}

/* Scales `count` features, `step` apart in the network's input. `at` is where they are in the affine section. */
static void quantize(const float *features, uint16_t count, uint16_t first, uint16_t step) {
  const uint16_t all = read16(image() + AT_FEATURES);
  flash a = section(AT_AFFINE_SECTION) + 4u * first;
  flash b = a + 4u * all;
  int8_t *to = arena + read16(image() + AT_INPUT) + first;
  while (count-- > 0) {
    *to = mote_quantize_one(*features++, read_float(a), read_float(b));
    to += step;
    a += 4u * step;
    b += 4u * step;
  }
}

static void run_blocks(uint8_t source, uint16_t index) {
  static const uint8_t first_channel[1] MOTE_FLASH = {0};
  const int32_t frames = (int32_t)facts.window_frames;
  flash at = section(AT_BLOCK_SECTION);
  uint16_t done = 0;
  uint8_t blocks = read8(image() + AT_BLOCKS);
  for (; blocks > 0; blocks--) {
    const uint8_t opcode = read8(at);
    const uint8_t axes = read8(at + 1);
    const uint16_t per_axis = (uint16_t)(read16(at + 4) / axes);
    flash channels = at + BLOCK_HEAD_BYTES;
    const int32_t *ints = (const int32_t *)(const void *)(channels + axes);
    const float *floats = (const float *)(const void *)(channels + axes + 4u * read8(at + 2));
    uint8_t axis;
    for (axis = 0; axis < axes; axis++) {
      float *samples = scratch;
      float *features = scratch + facts.window_frames;
      if (opcode == BLOCK_SPECTRAL) {
        /* The block copies its axis behind the FFT and the spectrum: loaded there, it is copied in place. */
        const uint16_t length = (uint16_t)1 << (uint8_t)MOTE_FLASH_I32(ints);
        samples = scratch + length + length / 2u + 1u;
        features = samples + facts.window_frames;
      }
      load_axis(source, index, read8(channels + axis), samples);
      if (opcode == BLOCK_SPECTRAL) {
        mote_spectral(samples, frames, 1, first_channel, 1, ints, floats, scratch, features);
        quantize(features, per_axis, (uint16_t)(done + axis * per_axis), 1);
      } else if (opcode == BLOCK_FLATTEN) {
        mote_flatten(samples, frames, 1, first_channel, 1, ints, floats, scratch, features);
        quantize(features, per_axis, (uint16_t)(done + axis * per_axis), 1);
      } else {
        /* A feature is written no later than the first sample that it was made of was read. */
        mote_raw(samples, frames, 1, first_channel, 1, ints, floats, scratch, samples);
        quantize(samples, per_axis, (uint16_t)(done + axis), axes);
      }
    }
    done = (uint16_t)(done + axes * per_axis);
    at = (flash)(const void *)floats + 4u * read8(at + 3);
  }
}

/* ---- From features to scores ---- */

/*
 * As mote_fully_connected, with 16-bit counters and weights in flash. Behind the head: per unit its bias, per scale its
 * multiplier and its shift (one byte), then the weights, unit by unit.
 */
static flash run_dense(flash at) {
  const int8_t *input = arena + read16(at + 2);
  int8_t *output = arena + read16(at + 4);
  const uint16_t inputs = read16(at + 6);
  const uint16_t units = read16(at + 8);
  const int8_t input_zero = (int8_t)read8(at + 10);
  const int8_t output_zero = (int8_t)read8(at + 11);
  const int8_t act_min = (int8_t)read8(at + 12);
  const int8_t act_max = (int8_t)read8(at + 13);
  const uint8_t per_unit = read8(at + 1);
  flash bias = at + DENSE_HEAD_BYTES;
  flash multiplier = bias + 4u * units;
  flash shift = multiplier + (per_unit ? 4u * units : 4u);
  flash weight = shift + (per_unit ? units : 1u);
  uint16_t unit;
  for (unit = 0; unit < units; unit++) {
    int32_t sum = (int32_t)read32(bias);
    const int8_t *x = input;
    uint16_t i;
    for (i = 0; i < inputs; i++) {
      sum += (int32_t)(int8_t)read8(weight++) * (int16_t)(*x++ - input_zero);
    }
    sum = mote_mbqm(sum, (int32_t)read32(multiplier), (int8_t)read8(shift)) + output_zero;
    *output++ = sum < act_min ? act_min : sum > act_max ? act_max : (int8_t)sum;
    bias += 4;
    if (per_unit) {
      multiplier += 4;
      shift++;
    }
  }
  return weight;
}

static flash run_softmax(flash at) {
  mote_softmax(arena + read16(at + 2), read16(at + 6), (int32_t)read32(at + 8), read8(at + 1),
               (int32_t)read32(at + 12), arena + read16(at + 4));
  return at + SOFTMAX_BYTES;
}

static void run_network(void) {
  flash at = section(AT_OP_SECTION);
  const int8_t *from = arena + read16(image() + AT_OUTPUT);
  uint8_t ops = read8(image() + AT_OPS);
  uint8_t i;
  for (; ops > 0; ops--) at = read8(at) == OP_FULLY_CONNECTED ? run_dense(at) : run_softmax(at);
  for (i = 0; i < facts.label_count; i++) scores[i] = from[i];
}

static uint32_t feature_crc(void) {
  return uno_crc32(arena + read16(image() + AT_INPUT), read16(image() + AT_FEATURES));
}

static void run(uno_result *out) {
  const uint32_t start = uno_micros();
  uint32_t middle;
  run_blocks(FROM_WINDOW, 0);
  out->feature_crc = feature_crc();
  middle = uno_micros();
  run_network();
  out->dsp_us = middle - start;
  out->network_us = uno_micros() - middle;
  out->best = (uint8_t)mote_smooth_best(scores, facts.label_count);
}

static int32_t output_zero(void) { return (int8_t)read8(image() + AT_OUTPUT_ZERO); }

static int32_t threshold(void) { return (int32_t)read32(image() + AT_SMOOTHING_THRESHOLD); }

/* ---- Running ---- */

void uno_model_put(uint16_t index, int16_t raw) { window[index] = raw; }

void uno_model_classify(uno_result *out) {
  run(out);
  out->decision = (int16_t)mote_smooth_decide(scores, 1, facts.label_count, output_zero(), threshold());
}

uint16_t uno_model_missing(void) { return skip > 0 ? skip : (uint16_t)(facts.window_frames - filled); }

uint8_t uno_model_push(const int16_t *frame, uno_result *out) {
  int16_t *to = window + UNO_CHANNELS * filled;
  uint8_t channel;
  if (skip > 0) {
    skip--;
    return 0;
  }
  for (channel = 0; channel < UNO_CHANNELS; channel++) to[channel] = frame[channel];
  if (++filled < facts.window_frames) return 0;
  run(out);
  out->decision = (int16_t)mote_smooth_add(history, read8(image() + AT_SMOOTHING_WINDOWS), &history_count, &history_next,
                                           scores, facts.label_count, output_zero(), threshold());
  if (facts.stride_frames < facts.window_frames) {
    const uint16_t kept = (uint16_t)(facts.window_frames - facts.stride_frames);
    const int16_t *from = window + UNO_CHANNELS * facts.stride_frames;
    uint16_t i;
    for (i = 0; i < UNO_CHANNELS * kept; i++) window[i] = from[i];
    filled = kept;
  } else {
    filled = 0;
    skip = (uint16_t)(facts.stride_frames - facts.window_frames);
  }
  return 1;
}

const int8_t *uno_model_scores(void) { return scores; }

uint8_t uno_model_test(uint16_t index) {
  const uint16_t recorded = read16(image() + AT_RECORDED);
  flash answer = test_answer(index);
  uint8_t i;
  if (index < recorded) {
    run_blocks(FROM_RECORDED, index);
  } else {
    run_blocks(FROM_GENERATED, (uint16_t)(index - recorded));
  }
  if (feature_crc() != read32(answer)) return 0;
  run_network();
  for (i = 0; i < facts.label_count; i++) {
    if (scores[i] != (int8_t)read8(answer + 4u + i)) return 0;
  }
  return 1;
}
