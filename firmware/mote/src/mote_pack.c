/* The pack loader's interface: opening, streaming, self-test, names and numbers. */
#include "mote_pack.h"

#include "mote_pack_memory.h"

#include "mote_crc32.h"
#include "mote_input.h"
#include "mote_pack_view.h"
#include "mote_selftest.h"
#include "mote_smooth.h"
#include "mote_window.h"

/* RAM that a checked model needs, in bytes, in the order of mote_model_open. */
static uint32_t window_bytes(const mote_model *m) { return 4u * (uint32_t)(m->window_frames * m->channels); }

static uint32_t work_bytes(const mote_model *m) {
  const uint32_t scratch = 4u * read_u32(m->spec + SPEC_SCRATCH);
  const uint32_t arena = round_up4(read_u32(m->spec + SPEC_ARENA));
  return scratch > arena ? scratch : arena;
}

static uint32_t total_bytes(const mote_model *m) {
  const uint32_t labels = (uint32_t)m->label_count;
  return window_bytes(m) + 4u * (uint32_t)m->feature_count + work_bytes(m) + round_up4(labels) +
         round_up4(labels * (uint32_t)m->smoothing_windows);
}

int mote_model_check(const uint8_t *pack, uint32_t size) {
  mote_model m;
  return mote_pack_parse(&m, pack, size);
}

int32_t mote_model_ram(const uint8_t *pack, uint32_t size) {
  mote_model m;
  const int result = mote_pack_parse(&m, pack, size);
  return result == MOTE_OK ? (int32_t)total_bytes(&m) : (int32_t)result;
}

uint32_t mote_model_ram_bytes(const mote_model *m) { return total_bytes(m); }

int mote_model_open(mote_model *m, const uint8_t *pack, uint32_t size, void *ram, uint32_t ram_size) {
  uint8_t *at = (uint8_t *)ram;
  uint32_t i;
  const int result = mote_pack_parse(m, pack, size);
  if (result != MOTE_OK) return result;
  if (!is_aligned(ram)) return MOTE_E_ALIGN;
  if (ram_size < total_bytes(m)) return MOTE_E_RAM;
  for (i = 0; i < total_bytes(m); i++) at[i] = 0;
  m->window = (float *)(void *)at;
  at += window_bytes(m);
  m->features = (float *)(void *)at;
  at += 4u * (uint32_t)m->feature_count;
  m->scratch = (float *)(void *)at;
  m->arena = (int8_t *)at;
  at += work_bytes(m);
  m->scores = (int8_t *)at;
  at += round_up4((uint32_t)m->label_count);
  m->history = (int8_t *)at;
  mote_model_reset(m);
  return MOTE_OK;
}

void mote_model_set_clock(mote_model *m, uint32_t (*clock_us)(void)) { m->clock_us = clock_us; }

/* ---- Running ---- */

static uint32_t now(const mote_model *m) { return m->clock_us != NULL ? m->clock_us() : 0u; }

static void run(mote_model *m, const float *window, mote_result *out) {
  const uint32_t start = now(m);
  const float *affine = floats_at(m->affine);
  uint32_t middle;
  int32_t i;
  mote_pack_run_blocks(m, window);
  mote_quantize_input(m->features, m->feature_count, affine, affine + m->feature_count, m->arena + m->input_offset);
  out->feature_crc = mote_crc32(0, (const uint8_t *)(m->arena + m->input_offset), (uint32_t)m->feature_count);
  middle = now(m);
  mote_pack_run_network(m);
  for (i = 0; i < m->label_count; i++) m->scores[i] = m->arena[m->output_offset + i];
  out->dsp_us = middle - start;
  out->network_us = now(m) - middle;
  out->scores = m->scores;
  out->score_count = m->label_count;
  out->best = mote_smooth_best(m->scores, m->label_count);
  out->decision =
      mote_smooth_decide(m->scores, 1, m->label_count, m->output_zero_point, m->smoothing_threshold);
}

int mote_model_push(mote_model *m, const float *sample, mote_result *out) {
  if (!mote_window_push(m->window, m->window_frames, m->channels, sample, &m->filled, &m->skip)) return 0;
  run(m, m->window, out);
  out->decision = mote_smooth_add(m->history, m->smoothing_windows, &m->history_count, &m->history_next, m->scores,
                                  m->label_count, m->output_zero_point, m->smoothing_threshold);
  mote_window_advance(m->window, m->window_frames, m->channels, m->stride_frames, &m->filled, &m->skip);
  return 1;
}

int mote_model_classify(mote_model *m, const float *window, mote_result *out) {
  run(m, window, out);
  return MOTE_OK;
}

int32_t mote_model_selftest_count(const mote_model *m) { return m->recorded_count + m->generated_count; }

int mote_model_selftest(mote_model *m, int32_t index) {
  const int32_t count = mote_model_selftest_count(m);
  const uint8_t *scale = m->selftest + SELFTEST_HEAD_BYTES;
  const uint8_t *offset = scale + 4 * (uint32_t)m->channels;
  const uint8_t *crc = offset + 4 * (uint32_t)m->channels;
  const int8_t *scores = (const int8_t *)(crc + 4 * (uint32_t)count);
  const uint8_t *recorded = (const uint8_t *)scores + round_up4((uint32_t)count * (uint32_t)m->label_count);
  mote_result result;
  int32_t i;
  if (index < 0 || index >= count) return MOTE_E_INDEX;
  mote_model_reset(m);
  if (index < m->recorded_count) {
    const uint32_t values = (uint32_t)(m->window_frames * m->channels);
    const void *window = recorded + 2u * values * (uint32_t)index;
    mote_selftest_unpack((const int16_t *)window, m->window_frames, m->channels, floats_at(scale), m->window);
  } else {
    mote_selftest_generate(read_u32(m->selftest + 8), index - m->recorded_count, m->window_frames, m->channels,
                           floats_at(scale), floats_at(offset), m->window);
  }
  run(m, m->window, &result);
  if (result.feature_crc != read_u32(crc + 4 * (uint32_t)index)) return 0;
  for (i = 0; i < m->label_count; i++) {
    if (m->scores[i] != MOTE_FLASH_I8(scores + index * m->label_count + i)) return 0;
  }
  return 1;
}

void mote_model_reset(mote_model *m) {
  m->filled = 0;
  m->skip = 0;
  m->history_count = 0;
  m->history_next = 0;
}

/* ---- Names and numbers ---- */

const char *mote_model_label(const mote_model *m, int32_t i) {
  const char *text = m->text;
  if (i < 0 || i >= m->label_count) return "";
  for (;; i--) {
    while (*text != '\0') text++;
    text++;
    if (i == 0) return text;
  }
}

const char *mote_model_name(const mote_model *m) { return m->text; }

uint32_t mote_model_id(const mote_model *m) { return m->id; }

int32_t mote_model_channels(const mote_model *m) { return m->channels; }

int32_t mote_model_window_frames(const mote_model *m) { return m->window_frames; }

int32_t mote_model_stride_frames(const mote_model *m) { return m->stride_frames; }

int32_t mote_model_label_count(const mote_model *m) { return m->label_count; }

uint32_t mote_model_rate_millihertz(const mote_model *m) { return read_u32(m->spec + SPEC_RATE_MILLIHERTZ); }
