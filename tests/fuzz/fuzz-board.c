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

#include "mote_board.h"

#define BODY 256u
#define CHANNELS 6u
#define PROG 16u
#define ERASE 512u
#define STORAGE (2u * ERASE + 2u * 48u * ERASE)
#define RAM 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *flash;
static uint64_t clock_now;
static int sampling;
static int link_full;
static int flash_fails;
static mote_decoder heard;
static uint8_t heard_frame[MOTE_FRAME_BYTES(BODY)];
static uint32_t outstanding[256];

static void expect(int condition) {
  if (!condition) abort();
}

static uint32_t send_bytes(void *context, const uint8_t *bytes, uint32_t count) {
  uint32_t i;
  (void)context;
  if (link_full) return 0;
  for (i = 0; i < count; i++) {
    uint8_t type;
    if (!mote_decoder_push(&heard, bytes[i])) continue;
    type = mote_decoder_type(&heard);
    /* What a board may send: replies to what was asked, and what it says on its own. */
    expect(type >= MOTE_WIRE_REPLY_BIT || (type >= 0x40 && type < 0x60));
    if (type >= MOTE_WIRE_REPLY_BIT) {
      expect(outstanding[mote_decoder_id(&heard)] > 0);
      outstanding[mote_decoder_id(&heard)]--;
    }
  }
  expect(heard.bad == 0);
  return count;
}

static uint64_t now_us(void *context) {
  (void)context;
  return clock_now += 7;
}

static uint32_t clock_us(void) { return (uint32_t)(clock_now += 7); }

static void sensor_start(void *context, uint32_t rate) {
  (void)context;
  expect(rate == 50000 || rate == 100000);
  sampling = 1;
}

static void sensor_stop(void *context) {
  (void)context;
  sampling = 0;
}

static int sensor_read(void *context, int16_t *frame, uint64_t *time_us) {
  uint32_t i;
  (void)context;
  expect(sampling);
  for (i = 0; i < CHANNELS; i++) frame[i] = (int16_t)((clock_now * (i + 3u)) & 0x7fffu);
  *time_us = clock_now;
  return (clock_now += 7) % 3u != 0;
}

static int flash_read(void *context, uint32_t address, void *bytes, uint32_t count) {
  (void)context;
  expect(address <= STORAGE && count <= STORAGE - address);
  memcpy(bytes, flash + address, count);
  return 0;
}

static int flash_prog(void *context, uint32_t address, const void *bytes, uint32_t count) {
  uint32_t i;
  (void)context;
  expect(address % PROG == 0 && count % PROG == 0 && address <= STORAGE && count <= STORAGE - address);
  if (flash_fails) return -5;
  for (i = 0; i < count; i++) {
    /* Nothing is programmed twice between two erases. */
    expect(flash[address + i] == 0xff);
    flash[address + i] = ((const uint8_t *)bytes)[i];
  }
  return 0;
}

static int flash_erase(void *context, uint32_t address) {
  (void)context;
  expect(address % ERASE == 0 && address < STORAGE);
  if (flash_fails) return -6;
  memset(flash + address, 0xff, ERASE);
  return 0;
}

static int flash_sync(void *context) {
  (void)context;
  return 0;
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
  static const mote_channel channels[CHANNELS] = {
      {"a", "m/s2", 0.25f}, {"b", "", 1.0f}, {"c", "a unit that is longer than thirty-two bytes", 1e-30f},
      {"d", "", 1e30f},     {"e", "", -1.0f}, {"f", "", 0.0f},
  };
  static const uint32_t rates[] = {50000, 100000};
  const uint32_t memory_bytes = MOTE_BOARD_MEMORY(BODY, PROG);
  mote_storage storage = {0, flash_read, flash_prog, flash_erase, flash_sync, 0, STORAGE, PROG, ERASE};
  mote_board_config config;
  mote_board board;
  uint32_t at = 0, i;
  memset(&config, 0, sizeof config);
  if (flash == NULL) flash = (uint8_t *)malloc(STORAGE);
  expect(flash != NULL);
  memset(flash, 0xff, STORAGE);
  storage.mapped = flash;
  clock_now = 0;
  sampling = link_full = flash_fails = 0;
  memset(outstanding, 0, sizeof outstanding);
  mote_decoder_init(&heard, heard_frame, sizeof heard_frame);
  config.name = "b";
  config.firmware = "0";
  config.serial = "";
  config.write = send_bytes;
  config.now_us = now_us;
  config.clock_us = clock_us;
  config.channels = channels;
  config.channel_count = CHANNELS;
  config.rates = rates;
  config.rate_count = 2;
  config.rate = 100000;
  config.sensor_start = sensor_start;
  config.sensor_stop = sensor_stop;
  config.sensor_read = sensor_read;
  config.storage = &storage;
  config.slot_count = 2;
  config.model_ram = malloc(RAM);
  config.model_ram_bytes = RAM;
  config.memory = (uint8_t *)malloc(memory_bytes);
  config.memory_bytes = memory_bytes;
  config.body = BODY;
  config.window = 4;
  expect(config.memory != NULL && config.model_ram != NULL);
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
      sampling = 0;
      memset(outstanding, 0, sizeof outstanding);
      mote_decoder_init(&heard, heard_frame, sizeof heard_frame);
      expect(mote_board_init(&board, &config) == 0);
    }
  }
  link_full = 0;
  for (i = 0; i < 8; i++) mote_board_poll(&board);
  free(config.memory);
  free(config.model_ram);
  return 0;
}
