/*
 * libFuzzer target: a whole board behind its wire, on storage that checks how it is used.
 *
 * The input is a list of steps. Frames with a right CRC are hard to guess, so most steps say a request and the target
 * makes the frame; one step sends bytes as they are:
 *
 *   op & 7 == 0      length, bytes: to the wire as they are
 *   op & 7 == 1      length, bytes, flip: a frame of them (type, id, body) with one bit flipped on the wire, when flip != 0
 *   op & 7 == 2..4   length, bytes: a frame of them
 *   op & 7 == 5      polls; op >> 3 of them
 *   op & 7 == 6      the link is full or free; flash fails from now on or not
 *   op & 7 == 7      reset: whatever is in flash, the board starts
 *
 * The pack that the driver of the seeds puts into slots is small; it gets in by the put messages like any other.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void expect(int condition) {
  if (!condition) abort();
}
#define EXPECT(condition) expect(condition)
#define SECTORS 48u
#include "../c/board_stand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int flash_fails;

static int flash_breaks(int erasing) {
  (void)erasing;
  return flash_fails;
}

/* Nothing is programmed twice between two erases. */
static uint8_t flash_holds(uint8_t before, uint8_t value) {
  expect(before == 0xff);
  return value;
}

static uint32_t send_bytes(void *context, const uint8_t *bytes, uint32_t count) {
  (void)context;
  if (link_full) return 0;
  listen(bytes, count);
  return count;
}

static int sensor_read(void *context, int16_t *frame, uint64_t *time_us) {
  uint32_t i;
  (void)context;
  expect(sampling);
  for (i = 0; i < CHANNELS; i++) frame[i] = (int16_t)((clock_now * (i + 3u)) & 0x7fffu);
  *time_us = clock_now;
  return (clock_now += 7) % 3u != 0;
}

static void give(mote_board *board, const uint8_t *bytes, uint32_t count) {
  uint32_t stuck = 0;
  while (count > 0) {
    const uint32_t taken = mote_board_receive(board, bytes, count);
    expect(taken <= count);
    bytes += taken;
    count -= taken;
    if (taken == 0) {
      mote_board_poll(board);
      /* A link that never drains would be waited for in vain. */
      if (++stuck > 3) link_full = 0;
      expect(stuck < 1000);
    }
  }
}

/* A frame of these bytes: type, id, body; one bit flipped when `flip` is not 0. */
static void say(mote_board *board, const uint8_t *bytes, uint32_t count, uint32_t flip) {
  static uint8_t ring[MOTE_FRAME_ENCODED(BODY)];
  uint8_t wire[MOTE_FRAME_ENCODED(BODY)];
  mote_encoder speech;
  const uint8_t *run;
  uint32_t length = 0, some;
  if (count < 2) return;
  mote_encoder_init(&speech, ring, sizeof ring);
  expect(mote_encoder_begin(&speech, bytes[0], bytes[1], count - 2));
  mote_encoder_bytes(&speech, bytes + 2, count - 2);
  expect(mote_encoder_end(&speech));
  while ((some = mote_encoder_peek(&speech, &run)) > 0) {
    memcpy(wire + length, run, some);
    length += some;
    mote_encoder_drop(&speech, some);
  }
  if (flip != 0) wire[flip / 8u % length] ^= (uint8_t)(1u << flip % 8u);
  if (bytes[0] > 0 && bytes[0] < 0x40 && flip == 0) outstanding[bytes[1]]++;
  give(board, wire, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mote_storage storage;
  mote_board_config config;
  mote_board board;
  uint32_t at = 0, i;
  stand_config(&config, &storage);
  config.write = send_bytes;
  config.sensor_read = sensor_read;
  flash_fails = 0;
  expect(mote_board_init(&board, &config) == 0);
  while (at < (uint32_t)size) {
    const uint8_t op = data[at++];
    const uint32_t kind = op & 7u;
    if (kind <= 4) {
      uint32_t count = at < (uint32_t)size ? data[at++] : 0u;
      /* Lengths above a byte: the bit in the op adds what makes a full body. */
      if (op & 8u) count += 3;
      if (count > (uint32_t)size - at) count = (uint32_t)size - at;
      if (kind == 0) {
        /* Bytes that happen to make a request are answered too. */
        for (i = 0; i < 256; i++) outstanding[i] += 256;
        give(&board, data + at, count);
      } else {
        const uint32_t flip = kind == 1 && at + count < (uint32_t)size ? data[at + count] * 7u : 0u;
        if (count > BODY + 2u) count = BODY + 2u;
        say(&board, data + at, count, flip);
      }
      at += count;
    } else if (kind == 5) {
      for (i = 0; i <= (uint32_t)op >> 3; i++) mote_board_poll(&board);
    } else if (kind == 6) {
      link_full = op >> 3 & 1;
      flash_fails = op >> 4 & 1;
    } else {
      stand_reset();
      expect(mote_board_init(&board, &config) == 0);
    }
  }
  link_full = 0;
  for (i = 0; i < 8; i++) mote_board_poll(&board);
  stand_free(&config);
  return 0;
}
