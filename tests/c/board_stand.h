/*
 * A board for tests, as the dispatcher sees it: six channels, flash that checks how it is used, a link that may be full,
 * and an ear that takes apart all that the board sends and checks it.
 *
 * Who includes this defines before: EXPECT(condition); SECTORS, the erase units of each of two slots; and afterwards
 * these functions:
 *   flash_breaks   whether erasing (1) or programming (0) fails this time
 *   flash_holds    what a byte of flash holds after `value` was programmed over `before`
 */
#ifndef BOARD_STAND_H
#define BOARD_STAND_H

#include <stdlib.h>
#include <string.h>

#include "mote_board.h"

#define BODY 256u
#define CHANNELS 6u
#define PROG 16u
#define ERASE 512u
#define STORAGE (2u * ERASE + 2u * SECTORS * ERASE)
#define RAM 65536u

static int flash_breaks(int erasing);
static uint8_t flash_holds(uint8_t before, uint8_t value);

static uint8_t *flash;
static uint64_t clock_now;
static int sampling;
static int link_full;
static mote_decoder heard;
static uint8_t heard_frame[MOTE_FRAME_BYTES(BODY)];
static uint32_t outstanding[256]; /* requests with this id that wait for a reply */
static uint32_t count_of[256];    /* frames of this type that the board has sent */
static uint32_t faults_of[32];

/* Takes apart what the board sends: it may reply to what was asked, and say some things on its own. */
static void listen(const uint8_t *bytes, uint32_t count) {
  uint32_t i;
  for (i = 0; i < count; i++) {
    uint8_t type;
    if (!mote_decoder_push(&heard, bytes[i])) continue;
    type = mote_decoder_type(&heard);
    count_of[type]++;
    EXPECT(type == MOTE_MSG_ERROR || type >= MOTE_WIRE_REPLY_BIT || (type >= 0x40 && type < 0x60));
    EXPECT(mote_decoder_body_size(&heard) <= BODY);
    if (type >= MOTE_WIRE_REPLY_BIT) {
      const uint8_t id = mote_decoder_id(&heard);
      EXPECT(id != 0 && outstanding[id] > 0);
      outstanding[id]--;
    }
    if (type == MOTE_MSG_ERROR) {
      EXPECT(mote_decoder_body_size(&heard) >= 7);
      EXPECT(mote_decoder_body(&heard)[1] >= 1 && mote_decoder_body(&heard)[1] <= MOTE_FAULT_CHANNEL_MISMATCH);
      faults_of[mote_decoder_body(&heard)[1]]++;
    }
  }
  EXPECT(heard.bad == 0);
}

static uint64_t now_us(void *context) {
  (void)context;
  return clock_now += 7;
}

static uint32_t clock_us(void) { return (uint32_t)(clock_now += 7); }

static void sensor_start(void *context, uint32_t rate) {
  (void)context;
  EXPECT(rate == 50000 || rate == 100000);
  sampling = 1;
}

static void sensor_stop(void *context) {
  (void)context;
  sampling = 0;
}

static int flash_read(void *context, uint32_t address, void *bytes, uint32_t count) {
  (void)context;
  EXPECT(address <= STORAGE && count <= STORAGE - address);
  memcpy(bytes, flash + address, count);
  return 0;
}

static int flash_prog(void *context, uint32_t address, const void *bytes, uint32_t count) {
  uint32_t i;
  (void)context;
  EXPECT(address % PROG == 0 && count % PROG == 0 && address <= STORAGE && count <= STORAGE - address);
  if (flash_breaks(0)) return -5;
  for (i = 0; i < count; i++) flash[address + i] = flash_holds(flash[address + i], ((const uint8_t *)bytes)[i]);
  return 0;
}

static int flash_erase(void *context, uint32_t address) {
  (void)context;
  EXPECT(address % ERASE == 0 && address < STORAGE);
  if (flash_breaks(1)) return -6;
  memset(flash + address, 0xff, ERASE);
  return 0;
}

static int flash_sync(void *context) {
  (void)context;
  return 0;
}

/* Nothing has been asked, nothing heard: as after a reset. */
static void stand_reset(void) {
  sampling = 0;
  memset(outstanding, 0, sizeof outstanding);
  mote_decoder_init(&heard, heard_frame, sizeof heard_frame);
}

/*
 * Empty flash, and a configuration but for `write` and `sensor_read`. Memory is allocated to the byte, so that the
 * sanitizer sees every step outside; stand_free gives it back.
 */
static void stand_config(mote_board_config *config, mote_storage *storage) {
  static const mote_channel channels[CHANNELS] = {
      {"a", "m/s2", 0.25f}, {"b", "", 1.0f}, {"c", "a unit that is longer than thirty-two bytes", 1e-30f},
      {"d", "", 1e30f},     {"e", "", -1.0f}, {"f", "", 0.0f},
  };
  static const uint32_t rates[] = {50000, 100000};
  memset(storage, 0, sizeof *storage);
  memset(config, 0, sizeof *config);
  flash = (uint8_t *)malloc(STORAGE);
  EXPECT(flash != 0);
  memset(flash, 0xff, STORAGE);
  storage->read = flash_read;
  storage->prog = flash_prog;
  storage->erase = flash_erase;
  storage->sync = flash_sync;
  storage->mapped = flash;
  storage->size = STORAGE;
  storage->prog_size = PROG;
  storage->erase_size = ERASE;
  config->name = "b";
  config->firmware = "0";
  config->serial = "";
  config->now_us = now_us;
  config->clock_us = clock_us;
  config->channels = channels;
  config->channel_count = CHANNELS;
  config->rates = rates;
  config->rate_count = 2;
  config->rate = 100000;
  config->sensor_start = sensor_start;
  config->sensor_stop = sensor_stop;
  config->storage = storage;
  config->slot_count = 2;
  config->model_ram = malloc(RAM);
  config->model_ram_bytes = RAM;
  config->memory_bytes = MOTE_BOARD_MEMORY(BODY, PROG);
  config->memory = (uint8_t *)malloc(config->memory_bytes);
  config->body = BODY;
  config->window = 4;
  EXPECT(config->memory != 0 && config->model_ram != 0);
  clock_now = 0;
  link_full = 0;
  stand_reset();
}

static void stand_free(const mote_board_config *config) {
  free(config->memory);
  free(config->model_ram);
  free(flash);
}

#endif
