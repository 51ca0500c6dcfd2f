/*
 * Runs a model from its image in flash (docs/uno.md), in little RAM: the window stays int16 as it was sampled, and one
 * axis at a time becomes float. The blocks, the softmax and the rescaling are those of firmware/mote.
 *
 * The studio makes the image from a pack that it has checked, and only the boot loader writes it. So the image is
 * checked for damage and fit (magic, version, CRC, RAM) and not for malice: who can write it can write any program.
 */
#ifndef UNO_MODEL_H
#define UNO_MODEL_H

#include <stdint.h>

#include "uno_memory.h"

/* State of the model area, as in MOTE_SLOT_STATE_*. */
typedef struct {
  uint8_t state;
  uint16_t bytes; /* of the image */
  uint32_t id;
  uint32_t rate; /* mHz */
  uint16_t window_frames;
  uint16_t stride_frames;
  uint8_t label_count;
  uint16_t ram;
  uint16_t test_count; /* known answers */
} uno_model_facts;

typedef struct {
  uint32_t feature_crc;
  uint32_t dsp_us;
  uint32_t network_us;
  uint8_t best;
  int16_t decision; /* -1 = uncertain */
} uno_result;

/* Looks at the model area. Call once. */
void uno_model_open(void);

const uno_model_facts *uno_model(void);

/* Address in flash of a NUL-terminated text: 0 the name, 1.. the labels. */
const char *uno_model_text(uint8_t index);

/* Forgets the window and earlier scores. */
void uno_model_reset(void);

/* Frames that the window still misses, at least 1. */
uint16_t uno_model_missing(void);

/* One frame as sampled. 1 when it completed a window and *out was filled. */
uint8_t uno_model_push(const int16_t *frame, uno_result *out);

/* One value of a window that is not to be smoothed, in order, frame by frame; nothing is classified before the last. */
void uno_model_put(uint16_t index, int16_t raw);

/* Classifies what uno_model_put filled: the decision is this window's alone. */
void uno_model_classify(uno_result *out);

/* Scores of the last classification, label_count of them. */
const int8_t *uno_model_scores(void);

/* 1 when known answer `index` came out, byte for byte. Keeps the window, forgets the scores. */
uint8_t uno_model_test(uint16_t index);

#endif
