/*
 * libFuzzer target: the frame decoder, and the encoder with what it decoded. The first two bytes choose the longest
 * body; the rest comes from the wire. Whatever frame is accepted must come back equal from encoder and decoder.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mote_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint32_t body, capacity, ring_size, i;
  uint8_t *buffer, *again, *ring;
  mote_decoder decoder, check;
  mote_encoder encoder;
  if (size < 2) return 0;
  body = ((uint32_t)data[0] | (uint32_t)data[1] << 8) % 700u;
  capacity = MOTE_FRAME_BYTES(body);
  ring_size = MOTE_FRAME_ENCODED(body);
  /* To the byte, so that the sanitizer sees every step outside. */
  buffer = (uint8_t *)malloc(capacity);
  again = (uint8_t *)malloc(capacity);
  ring = (uint8_t *)malloc(ring_size);
  if (buffer == NULL || again == NULL || ring == NULL) abort();
  mote_decoder_init(&decoder, buffer, capacity);
  mote_decoder_init(&check, again, capacity);
  mote_encoder_init(&encoder, ring, ring_size);
  for (i = 2; i < (uint32_t)size; i++) {
    const uint32_t before = check.good;
    const uint8_t *bytes;
    uint32_t length, count, j;
    if (!mote_decoder_push(&decoder, data[i])) continue;
    length = mote_decoder_body_size(&decoder);
    if (length > body) abort();
    if (!mote_encoder_begin(&encoder, mote_decoder_type(&decoder), mote_decoder_id(&decoder), length)) abort();
    mote_encoder_bytes(&encoder, mote_decoder_body(&decoder), length);
    if (!mote_encoder_end(&encoder)) abort();
    while ((count = mote_encoder_peek(&encoder, &bytes)) > 0) {
      for (j = 0; j < count; j++) (void)mote_decoder_push(&check, bytes[j]);
      mote_encoder_drop(&encoder, count);
    }
    if (check.good != before + 1 || mote_decoder_body_size(&check) != length) abort();
    if (mote_decoder_type(&check) != mote_decoder_type(&decoder)) abort();
    if (length > 0 && memcmp(mote_decoder_body(&check), mote_decoder_body(&decoder), length) != 0) abort();
  }
  free(buffer);
  free(again);
  free(ring);
  return 0;
}
