/*
 * Mote pack loader: runs a model straight from its pack (docs/pack-format.md) in flash.
 *
 * The caller owns all memory. A pack is untrusted: mote_model_check and mote_model_open accept only packs with which
 * no other function reads or writes outside the pack and the given RAM. No allocation, no recursion, no globals.
 *
 * The pack must lie at a 4-byte aligned address, stay there unchanged while the model is open, and be readable as
 * ordinary little-endian memory.
 */
#ifndef MOTE_PACK_H
#define MOTE_PACK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  MOTE_OK = 0,
  MOTE_E_SIZE = -1,    /* fewer bytes than the pack says it has, or an impossible size */
  MOTE_E_MAGIC = -2,   /* these bytes are no pack */
  MOTE_E_VERSION = -3, /* a format version that this runtime does not know */
  MOTE_E_CRC = -4,     /* damaged */
  MOTE_E_CORRUPT = -5, /* intact, but not a model that can run safely */
  MOTE_E_ALIGN = -6,   /* pack not 4-byte aligned, or RAM not 8-byte aligned */
  MOTE_E_RAM = -7,     /* not enough RAM */
  MOTE_E_INDEX = -8    /* no such self-test window */
};

/* Bytes to read before mote_pack_size can tell the size of the whole pack. */
#define MOTE_PACK_HEADER_BYTES 16

/* A parsed view of a pack. Read it through the functions below. */
typedef struct {
  const uint8_t *pack;
  const uint8_t *spec;
  const char *text;
  const uint8_t *blocks;
  const uint8_t *affine;
  const uint8_t *tensors;
  const uint8_t *constants;
  const uint8_t *ops;
  const uint8_t *selftest;
  uint32_t id;
  int32_t channels;
  int32_t window_frames;
  int32_t stride_frames;
  int32_t label_count;
  int32_t feature_count;
  int32_t block_count;
  int32_t op_count;
  int32_t input_offset;
  int32_t output_offset;
  int32_t output_zero_point;
  int32_t smoothing_windows;
  int32_t smoothing_threshold;
  int32_t recorded_count;
  int32_t generated_count;
  /* RAM, in the block given to mote_model_open */
  float *window;
  float *features;
  float *scratch; /* also the arena: features are done when the network starts */
  int8_t *arena;
  int8_t *scores;
  int8_t *history;
  uint32_t narrow[8]; /* a bit for every op: a layer that the kernels of this core take (mote_pack_check_ops.c) */
  int32_t filled;
  int32_t skip;
  int32_t history_count;
  int32_t history_next;
  uint32_t (*clock_us)(void);
} mote_model;

typedef struct {
  int32_t best;         /* label with the highest score of this window, lowest index on ties */
  int32_t decision;     /* label after smoothing and threshold, or -1 when uncertain */
  int32_t score_count;  /* number of labels */
  const int8_t *scores; /* score_count int8; valid until the next classification or self-test */
  uint32_t feature_crc; /* CRC-32 of the quantized features */
  uint32_t dsp_us;      /* time for the features; 0 without a clock */
  uint32_t network_us;  /* time for the network; 0 without a clock */
} mote_result;

/* The size a pack claims, from its first MOTE_PACK_HEADER_BYTES bytes, or a negative MOTE_E_* when they start no pack. */
int32_t mote_pack_size(const uint8_t *header);

/* Magic, version, CRC, bounds and safety of the whole pack: MOTE_OK or a negative MOTE_E_*. */
int mote_model_check(const uint8_t *pack, uint32_t size);

/* Bytes of RAM that mote_model_open needs for this pack, or a negative MOTE_E_*. */
int32_t mote_model_ram(const uint8_t *pack, uint32_t size);

/*
 * Checks the pack and prepares m. `ram` is 8-byte aligned. The clock is none until mote_model_set_clock. MOTE_E_RAM: the
 * pack is good and can be looked at, but not run.
 */
int mote_model_open(mote_model *m, const uint8_t *pack, uint32_t size, void *ram, uint32_t ram_size);

/* A microsecond clock that may wrap, for the times in mote_result; or a null pointer. */
void mote_model_set_clock(mote_model *m, uint32_t (*clock_us)(void));

/* One frame (`channels` floats) of the stream. 1 when it completed a window and `out` was filled, else 0. */
int mote_model_push(mote_model *m, const float *sample, mote_result *out);

/*
 * One whole window, `window[frame * channels + channel]`, outside the stream: the decision is this window's alone.
 * Leaves the streaming state untouched. Returns MOTE_OK.
 */
int mote_model_classify(mote_model *m, const float *window, mote_result *out);

/* Number of self-test windows. */
int32_t mote_model_selftest_count(const mote_model *m);

/* 1 identical, 0 different, negative error. Uses the window buffer: forgets buffered samples. */
int mote_model_selftest(mote_model *m, int32_t index);

/* Forgets buffered samples and earlier scores. */
void mote_model_reset(mote_model *m);

/* UTF-8, NUL-terminated, lies in the pack; an empty string when there is no label i. */
const char *mote_model_label(const mote_model *m, int32_t i);

/* The model's C prefix. */
const char *mote_model_name(const mote_model *m);

/* Bytes of RAM that it needs; known also after MOTE_E_RAM. */
uint32_t mote_model_ram_bytes(const mote_model *m);

/* CRC-32 field of the pack: names this very model. */
uint32_t mote_model_id(const mote_model *m);

int32_t mote_model_channels(const mote_model *m);
int32_t mote_model_window_frames(const mote_model *m);
int32_t mote_model_stride_frames(const mote_model *m);
int32_t mote_model_label_count(const mote_model *m);

/* Sampling rate in Hz times 1000, rounded: what the stream should come at. */
uint32_t mote_model_rate_millihertz(const mote_model *m);

#ifdef __cplusplus
}
#endif

#endif
