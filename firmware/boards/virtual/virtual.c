/*
 * The virtual board: this very firmware as WebAssembly, with the page as its hardware.
 *
 * The host (a worker, or a test) moves bytes, samples and time through the exported buffers:
 *
 *   mote_start()                powers up: reads the slots in storage; 0 or a negative error. Again = a reset.
 *   mote_receive_buffer/_size   put bytes from the host here, then
 *   mote_receive(count)         returns how many were taken; offer the rest again after taking what was sent.
 *   mote_poll()                 does the work; call it every few milliseconds, and after receive.
 *   mote_send_buffer()          bytes for the host lie here,
 *   mote_send_take()            as many as this returns (0 = none); call it until it returns 0. Bytes that are not taken
 *                               are a full link: the board drops samples, as a real one does.
 *   mote_sample_rate()          mHz at which it wants samples, 0 = it is not sampling. Then:
 *   mote_sample_buffer()        put 6 int16 here, in the channels' order and scale, and
 *   mote_sample_push(time_us)   1 = taken, 0 = the sensor's queue is full and the frame is lost before it got a number.
 *   mote_sample_values()        or put 6 float32 in m/s2 and deg/s here, and
 *   mote_sample_push_values(time_us)   which rounds and clips them as a sensor would.
 *   mote_storage/_size          the flash: save it and put it back before mote_start, and models survive a reload.
 *   mote_storage_version()      changes whenever the flash does.
 *   mote_cut_power_after(n)     tests: n more flash operations work, the next is torn in half and the rest do nothing,
 *                               until mote_start; negative = never.
 *   mote_set_serial(index, c)   tests and second boards: one character of the serial number, before mote_start.
 *
 * The one import is `host.clock_us`, a float64: microseconds since any fixed time, never going back.
 */
#include <stdint.h>

#include "mote_board.h"

#define EXPORT(name) __attribute__((export_name(name)))

__attribute__((import_module("host"), import_name("clock_us"))) double host_clock_us(void);

#define BODY MOTE_WIRE_BODY_DEFAULT
#define CHANNELS 6
#define QUEUE 256
/* A page calls less often than a loop on a chip turns: so many windows of a self-test are done in one call. */
#define POLLS 16u

/* Flash as in a common microcontroller: pages of 256 bytes, blocks of 4 KB; two slots of 68 KB. */
#define PROG_SIZE 256u
#define ERASE_SIZE 4096u
#define STORAGE_SIZE (2u * ERASE_SIZE + 2u * 17u * ERASE_SIZE)

static uint8_t storage_bytes[STORAGE_SIZE] __attribute__((aligned(8)));
static uint8_t storage_used; /* the host may have put something there before the first start */
static uint32_t storage_version;
static int32_t power_left = -1; /* flash operations until power fails; negative = never */
static uint8_t power_failed;

static uint8_t model_ram[65536] __attribute__((aligned(8)));
static uint8_t memory[MOTE_BOARD_MEMORY(BODY, PROG_SIZE) + 16384u];
static uint8_t receive_bytes[8192];
static uint8_t send_bytes[8192];
static uint32_t send_used;

static int16_t sample_raw[CHANNELS];
static float sample_values[CHANNELS];
static int16_t queue[QUEUE][CHANNELS];
static uint64_t queue_time[QUEUE];
static uint32_t queue_first;
static uint32_t queue_used;
static uint32_t sampling; /* mHz, 0 = off */

static char serial[17] = "5649525455414c30";
static mote_board board;

/* ---- Callbacks ---- */

static uint32_t send(void *context, const uint8_t *bytes, uint32_t count) {
  uint32_t i;
  (void)context;
  for (i = 0; i < count && send_used < sizeof send_bytes; i++) send_bytes[send_used++] = bytes[i];
  return i;
}

static uint64_t now_us(void *context) {
  (void)context;
  return (uint64_t)host_clock_us();
}

static uint32_t clock_us(void) { return (uint32_t)(uint64_t)host_clock_us(); }

static void sensor_start(void *context, uint32_t rate) {
  (void)context;
  sampling = rate;
  queue_used = 0;
}

static void sensor_stop(void *context) {
  (void)context;
  sampling = 0;
  queue_used = 0;
}

static int sensor_read(void *context, int16_t *frame, uint64_t *time_us) {
  uint32_t channel;
  (void)context;
  if (queue_used == 0) return 0;
  for (channel = 0; channel < CHANNELS; channel++) frame[channel] = queue[queue_first][channel];
  *time_us = queue_time[queue_first];
  queue_first = (queue_first + 1u) % QUEUE;
  queue_used--;
  return 1;
}

/* How many of `count` bytes the next flash operation changes. */
static uint32_t powered(uint32_t count) {
  if (power_failed) return 0;
  storage_version++;
  if (power_left < 0) return count;
  if (power_left-- > 0) return count;
  power_failed = 1;
  return count / 2u;
}

static int storage_read(void *context, uint32_t address, void *bytes, uint32_t count) {
  uint32_t i;
  (void)context;
  for (i = 0; i < count; i++) ((uint8_t *)bytes)[i] = storage_bytes[address + i];
  return 0;
}

static int storage_prog(void *context, uint32_t address, const void *bytes, uint32_t count) {
  uint32_t i;
  (void)context;
  count = powered(count);
  for (i = 0; i < count; i++) storage_bytes[address + i] &= ((const uint8_t *)bytes)[i];
  return 0;
}

static int storage_erase(void *context, uint32_t address) {
  uint32_t count = powered(ERASE_SIZE);
  uint32_t i;
  (void)context;
  for (i = 0; i < count; i++) storage_bytes[address + i] = 0xff;
  return 0;
}

static int storage_sync(void *context) {
  (void)context;
  return 0;
}

/* ---- Description ---- */

/* As a sensor set to +-16 g and +-2000 deg/s: 2048 steps per g, 16.384 per deg/s. */
#define ACC_SCALE (9.80665f / 2048.0f)
#define GYR_SCALE (2000.0f / 32768.0f)

static const mote_channel channels[CHANNELS] = {
    {"accX", "m/s2", ACC_SCALE},  {"accY", "m/s2", ACC_SCALE},  {"accZ", "m/s2", ACC_SCALE},
    {"gyrX", "deg/s", GYR_SCALE}, {"gyrY", "deg/s", GYR_SCALE}, {"gyrZ", "deg/s", GYR_SCALE},
};

static const uint32_t rates[] = {50000, 100000, 200000};

static const mote_storage storage = {
    0, storage_read, storage_prog, storage_erase, storage_sync, storage_bytes, STORAGE_SIZE, PROG_SIZE, ERASE_SIZE, 0,
};

static const mote_board_config config = {
    0,
    "Virtual board",
    "0.1.0",
    serial,
    send,
    now_us,
    clock_us,
    channels,
    CHANNELS,
    rates,
    sizeof rates / sizeof rates[0],
    100000,
    sensor_start,
    sensor_stop,
    sensor_read,
    &storage,
    2,
    model_ram,
    sizeof model_ram,
    memory,
    sizeof memory,
    BODY,
    8,
    0,
};

/* ---- Exports ---- */

/* Flash comes erased from the factory; wasm memory comes as zeros. */
static void format_once(void) {
  uint32_t i;
  if (storage_used) return;
  storage_used = 1;
  for (i = 0; i < STORAGE_SIZE; i++) {
    if (storage_bytes[i] != 0) return;
  }
  for (i = 0; i < STORAGE_SIZE; i++) storage_bytes[i] = 0xff;
}

EXPORT("mote_start") int32_t start(void) {
  format_once();
  power_left = -1;
  power_failed = 0;
  send_used = 0;
  sampling = 0;
  queue_used = 0;
  return mote_board_init(&board, &config);
}

EXPORT("mote_receive_buffer") uint8_t *receive_buffer(void) { return receive_bytes; }

EXPORT("mote_receive_size") uint32_t receive_size(void) { return sizeof receive_bytes; }

EXPORT("mote_receive") uint32_t receive(uint32_t count) {
  if (power_failed) return count;
  return mote_board_receive(&board, receive_bytes, count < sizeof receive_bytes ? count : sizeof receive_bytes);
}

EXPORT("mote_poll") void poll(void) {
  uint32_t again = POLLS;
  do {
    if (!power_failed) mote_board_poll(&board);
  } while (--again > 0 && mote_board_busy(&board));
}

EXPORT("mote_send_buffer") uint8_t *send_buffer(void) { return send_bytes; }

EXPORT("mote_send_take") uint32_t send_take(void) {
  uint32_t count = power_failed ? 0 : send_used;
  send_used = 0;
  return count;
}

EXPORT("mote_sample_rate") uint32_t sample_rate(void) { return power_failed ? 0 : sampling; }

EXPORT("mote_sample_buffer") int16_t *sample_buffer(void) { return sample_raw; }

EXPORT("mote_sample_push") int32_t sample_push(double time_us) {
  uint32_t at = (queue_first + queue_used) % QUEUE;
  uint32_t channel;
  if (sampling == 0 || queue_used == QUEUE) return 0;
  for (channel = 0; channel < CHANNELS; channel++) queue[at][channel] = sample_raw[channel];
  queue_time[at] = (uint64_t)time_us;
  queue_used++;
  return 1;
}

EXPORT("mote_sample_values") float *sample_values_buffer(void) { return sample_values; }

EXPORT("mote_sample_push_values") int32_t sample_push_values(double time_us) {
  uint32_t channel;
  for (channel = 0; channel < CHANNELS; channel++) {
    float steps = sample_values[channel] / channels[channel].scale;
    steps += steps < 0.0f ? -0.5f : 0.5f;
    if (!(steps > -32768.0f)) steps = -32768.0f; /* NaN too */
    if (steps > 32767.0f) steps = 32767.0f;
    sample_raw[channel] = (int16_t)steps;
  }
  return sample_push(time_us);
}

EXPORT("mote_storage") uint8_t *storage_buffer(void) { return storage_bytes; }

EXPORT("mote_storage_size") uint32_t storage_size(void) { return STORAGE_SIZE; }

EXPORT("mote_storage_version") uint32_t storage_changes(void) { return storage_version; }

EXPORT("mote_cut_power_after") void cut_power_after(int32_t operations) { power_left = operations; }

EXPORT("mote_set_serial") void set_serial(uint32_t index, uint32_t character) {
  if (index < sizeof serial - 1u) serial[index] = (char)character;
}
