/*
 * The dispatcher under fire: random bytes, random and half-sensible frames, deploys of whole and of damaged packs, a
 * link that is full now and then, flash that fails now and then. Nothing may touch memory that is not the board's
 * (all of it is allocated to the byte, and watched by ASan), and all that the board sends must be well-formed.
 *
 *   board_test [pack]     with a pack (six channels), models really run
 */
#include "expect.h"
#include "mote_crc32.h"

#define SECTORS 128u
#include "board_stand.h"

static uint32_t seed = 2024;
static int flash_fails;
static uint32_t heard_bytes;

static uint32_t roll(uint32_t sides) { return next_random(&seed) % sides; }

static uint32_t read32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void write32(uint8_t *bytes, uint32_t value) {
  uint32_t i;
  for (i = 0; i < 4; i++) bytes[i] = (uint8_t)(value >> 8 * i & 0xffu);
}

/* ---- The board's hardware ---- */

/* Flash that fails now and then. */
static int flash_breaks(int erasing) { return flash_fails && roll(erasing ? 20 : 200) == 0; }

/* Programming clears bits: bits that have flipped stay so. */
static uint8_t flash_holds(uint8_t before, uint8_t value) { return before & value; }

static uint32_t send(void *context, const uint8_t *bytes, uint32_t count) {
  (void)context;
  if (link_full) return 0;
  if (roll(8) == 0) count = roll(count + 1);
  listen(bytes, count);
  heard_bytes += count;
  return count;
}

static int sensor_read(void *context, int16_t *frame, uint64_t *time_us) {
  uint32_t i;
  (void)context;
  EXPECT(sampling);
  if (roll(3) == 0) return 0;
  for (i = 0; i < CHANNELS; i++) frame[i] = (int16_t)(roll(65536) - 32768u);
  *time_us = clock_now;
  return 1;
}

/* ---- The host ---- */

static mote_board board;
static mote_encoder speech;
static uint8_t ring[4096];
static uint8_t next_id = 1;
static uint32_t sent_bytes;

/* Gives bytes to the board, in pieces, until it has taken them all. */
static void give(const uint8_t *bytes, uint32_t count) {
  uint32_t at = 0;
  uint32_t stuck = 0;
  while (at < count) {
    uint32_t piece = 1 + roll(count - at);
    uint32_t taken = mote_board_receive(&board, bytes + at, piece);
    EXPECT(taken <= piece);
    at += taken;
    sent_bytes += taken;
    if (roll(4) == 0 || taken == 0) mote_board_poll(&board);
    /* A link that never drains would be waited for in vain. */
    if (taken == 0 && ++stuck > 3) link_full = 0;
  }
}

static void say(uint8_t type, const uint8_t *body, uint32_t size) {
  const uint8_t *bytes;
  uint32_t count;
  if (size > BODY) size = BODY;
  EXPECT(mote_encoder_begin(&speech, type, next_id, size));
  mote_encoder_bytes(&speech, body, size);
  EXPECT(mote_encoder_end(&speech));
  if (type > 0 && type < 0x40 && next_id != 0) outstanding[next_id]++;
  next_id++;
  while ((count = mote_encoder_peek(&speech, &bytes)) > 0) {
    give(bytes, count);
    mote_encoder_drop(&speech, count);
  }
}

static uint8_t any_slot(void) {
  static const uint8_t slots[] = {0, 1, 0, 1, MOTE_WIRE_SLOT_NONE, 2, 77};
  return slots[roll(sizeof slots)];
}

static const uint8_t requests[] = {
    MOTE_MSG_HELLO,     MOTE_MSG_PING,           MOTE_MSG_STATUS,         MOTE_MSG_ABORT,        MOTE_MSG_CHANNELS,
    MOTE_MSG_STREAM_START, MOTE_MSG_STREAM_STOP, MOTE_MSG_SLOT,           MOTE_MSG_PUT_BEGIN,    MOTE_MSG_PUT_CHUNK,
    MOTE_MSG_PUT_END,   MOTE_MSG_READ,           MOTE_MSG_SELF_TEST,      MOTE_MSG_ACTIVATE,     MOTE_MSG_CLASSIFY_BEGIN,
    MOTE_MSG_CLASSIFY_CHUNK, MOTE_MSG_CLASSIFY_END, MOTE_MSG_RUN_START,   MOTE_MSG_RUN_STOP,
};

/* A request with fields that might make sense. */
static void say_something(void) {
  uint8_t body[BODY];
  uint8_t type = roll(20) == 0 ? (uint8_t)roll(256) : requests[roll(sizeof requests)];
  uint32_t size = roll(3) == 0 ? roll(BODY + 1) : roll(16);
  uint32_t i;
  for (i = 0; i < BODY; i++) body[i] = (uint8_t)roll(256);
  if (type == MOTE_MSG_SELF_TEST && roll(4) != 0) type = MOTE_MSG_STATUS;
  if (type == MOTE_MSG_HELLO) body[0] = (uint8_t)roll(3), body[1] = (uint8_t)roll(3);
  if (type == MOTE_MSG_STREAM_START || type == MOTE_MSG_RUN_START) write32(body, roll(3) * 50000u);
  if (type == MOTE_MSG_PUT_CHUNK) write32(body, roll(2) ? 0 : roll(512));
  if (type == MOTE_MSG_CLASSIFY_CHUNK) write32(body, roll(4) ? board.classify_next : roll(9999));
  if (type >= MOTE_MSG_SLOT && type <= MOTE_MSG_CLASSIFY_BEGIN && type != MOTE_MSG_PUT_CHUNK) body[0] = any_slot();
  if (type == MOTE_MSG_READ) write32(body + 1, roll(2) ? roll(4096) : roll(0xffffffffu));
  if (type == MOTE_MSG_PUT_BEGIN) write32(body + 1, roll(2) ? roll(70000) : roll(0xffffffffu));
  say(type, body, size);
}

/* Puts these bytes into a slot as a host would. */
static void put(uint8_t slot, const uint8_t *pack, uint32_t size) {
  uint8_t body[BODY];
  uint32_t at;
  body[0] = slot;
  write32(body + 1, size);
  write32(body + 5, mote_crc32(0, pack, size));
  say(MOTE_MSG_PUT_BEGIN, body, 9);
  for (at = 0; at < size; at += BODY - 4) {
    uint32_t count = size - at < BODY - 4 ? size - at : BODY - 4;
    write32(body, at);
    memcpy(body + 4, pack + at, count);
    say(MOTE_MSG_PUT_CHUNK, body, count + 4);
  }
  say(MOTE_MSG_PUT_END, body, 0);
}

/* A whole life: put, test, activate, run, classify any bits as floats. */
static void live(uint8_t slot, const uint8_t *pack, uint32_t size) {
  uint8_t body[BODY];
  uint32_t i;
  put(slot, pack, size);
  say(MOTE_MSG_SELF_TEST, &slot, 1);
  for (i = 0; i < 80; i++) mote_board_poll(&board);
  say(MOTE_MSG_ACTIVATE, &slot, 1);
  write32(body, 0);
  say(MOTE_MSG_STREAM_START, body, 4);
  say(MOTE_MSG_RUN_START, body, 4);
  for (i = 0; i < 20; i++) mote_board_poll(&board);
  say(MOTE_MSG_CLASSIFY_BEGIN, &slot, 1);
  for (i = 0; i < 40; i++) {
    uint32_t j;
    for (j = 4; j < BODY; j++) body[j] = (uint8_t)roll(256);
    write32(body, board.classify_next);
    say(MOTE_MSG_CLASSIFY_CHUNK, body, BODY - roll(5));
  }
  if (board.use == MOTE_BOARD_CLASSIFY) {
    uint32_t left = board.classify_size - board.classify_next;
    while (left > 0) {
      uint32_t count = left < BODY - 4 ? left : BODY - 4;
      write32(body, board.classify_next);
      say(MOTE_MSG_CLASSIFY_CHUNK, body, 4 + count);
      left -= count;
    }
  }
  say(MOTE_MSG_CLASSIFY_END, body, 0);
}

static uint8_t *load(const char *path, uint32_t *size) {
  FILE *file = fopen(path, "rb");
  uint8_t *bytes = (uint8_t *)malloc(STORAGE);
  EXPECT(file != 0 && bytes != 0);
  *size = (uint32_t)fread(bytes, 1, STORAGE, file);
  (void)fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  mote_storage storage;
  mote_board_config config;
  uint32_t pack_size = 0;
  uint8_t *pack = argc > 1 ? load(argv[1], &pack_size) : 0;
  uint32_t restarts = 0;
  uint32_t target = 3000000;
  uint32_t i;
  stand_config(&config, &storage);
  config.write = send;
  config.sensor_read = sensor_read;
  mote_encoder_init(&speech, ring, sizeof ring);

  /* Configurations that must be refused. */
  config.memory_bytes--;
  EXPECT(mote_board_init(&board, &config) == MOTE_BOARD_E_CONFIG);
  config.memory_bytes++;
  config.rate = 77;
  EXPECT(mote_board_init(&board, &config) == MOTE_BOARD_E_CONFIG);
  config.rate = 100000;
  EXPECT(mote_board_init(&board, &config) == 0);

  while (sent_bytes < target) {
    uint32_t what = roll(100);
    link_full = roll(10) == 0;
    flash_fails = roll(4) == 0;
    if (what < 30) {
      uint8_t noise[400];
      uint32_t count = roll(sizeof noise);
      for (i = 0; i < count; i++) noise[i] = (uint8_t)roll(256);
      give(noise, count);
    } else if (what < 97 || !pack) {
      for (i = roll(20); i > 0; i--) say_something();
    } else if (what < 98) {
      live(any_slot() & 1u, pack, pack_size);
    } else {
      /* A damaged pack whose CRC is right: the loader must refuse it or run it safely. */
      uint8_t *bad = (uint8_t *)malloc(pack_size);
      EXPECT(bad != 0);
      memcpy(bad, pack, pack_size);
      for (i = roll(3) + 1; i > 0; i--) bad[roll(2) ? roll(pack_size) : roll(300)] ^= (uint8_t)(1u << roll(8));
      write32(bad + 4, mote_crc32(0, bad + 8, pack_size - 8));
      live(any_slot() & 1u, bad, pack_size);
      free(bad);
    }
    for (i = roll(4); i > 0; i--) mote_board_poll(&board);
    if (roll(50) == 0) {
      /* Reset: whatever is in flash, it starts. */
      stand_reset();
      if (roll(4) == 0) flash[roll(STORAGE)] ^= 1;
      EXPECT(mote_board_init(&board, &config) == 0);
      restarts++;
    }
  }
  link_full = 0;
  for (i = 0; i < 200; i++) mote_board_poll(&board);
  EXPECT(read32(flash) != 0);
  printf("board: took %u bytes, sent %u, %u restarts, dropped %u bad frames\n", sent_bytes, heard_bytes, restarts,
         board.decoder.bad);
  printf("samples %u results %u self-tests %u progress %u put-ends %u activations %u classifications %u errors %u\n",
         count_of[MOTE_MSG_SAMPLES], count_of[MOTE_MSG_RESULT], count_of[MOTE_MSG_SELF_TEST | MOTE_WIRE_REPLY_BIT],
         count_of[MOTE_MSG_SELF_TEST_PROGRESS], count_of[MOTE_MSG_PUT_END | MOTE_WIRE_REPLY_BIT],
         count_of[MOTE_MSG_ACTIVATE | MOTE_WIRE_REPLY_BIT], count_of[MOTE_MSG_CLASSIFY_END | MOTE_WIRE_REPLY_BIT],
         count_of[MOTE_MSG_ERROR]);
  printf("faults:");
  for (i = 1; i <= MOTE_FAULT_CHANNEL_MISMATCH; i++) printf(" %u:%u", i, faults_of[i]);
  printf("\n");
  free(pack);
  stand_free(&config);
  return 0;
}
