/*
 * Mote on the BBC micro:bit, v1 and v2: samples the accelerometer, keeps two models in flash, speaks the mote dialect on
 * the USB serial port.
 *
 * Where no accelerometer answers (an emulator, a broken board) it plays a test signal, and says so in its name, its
 * firmware and its channels: frame n has x = 128 * fold(n), y = 128 * fold(2n), z = 8192, where fold runs from -32 up to
 * 32 and back in 128 frames; n counts from the start of sampling.
 */
#include "accelerometer.h"
#include "clock.h"
#include "flash.h"
#include "mote_board.h"
#include "nrf.h"
#include "twi.h"
#include "uart.h"

#define VERSION "0.1.0"
#define CHANNELS 3u
/* Two requests under way, so that the wire never rests while one is answered; both fit the receive ring (uart.h). */
#define BODY MOTE_WIRE_BODY_DEFAULT
#define WINDOW 2u
#define MEMORY (MOTE_BOARD_MEMORY(BODY, 4) + SEND_EXTRA)
/* Frames that wait while a window is classified: 640 ms at 100 Hz. A power of two. */
#define QUEUE 64u

/* Received frames with their delimiters, plus a HELLO that was sent blindly. */
typedef char receive_ring_holds_a_window[UART_RECEIVE_BYTES >= WINDOW * MOTE_FRAME_ENCODED(BODY) + 64u ? 1 : -1];

static int16_t queue[QUEUE][CHANNELS];
static uint32_t queue_due[QUEUE];
static volatile uint32_t queue_head; /* moved by the interrupt */
static volatile uint32_t queue_tail;
static volatile uint8_t sampling;
static volatile uint32_t played;
static uint8_t has_accelerometer;

static uint64_t model_ram[MODEL_RAM / 8u];
static uint8_t memory[MEMORY];
static char serial[17];
static mote_board board;
static mote_board_config config;

/* ---- Samples ---- */

static int16_t fold(uint32_t n) {
  int32_t phase = (int32_t)(n & 127u);
  return (int16_t)(128 * ((phase < 64 ? phase : 128 - phase) - 32));
}

void clock_tick(uint32_t due_us) {
  uint32_t at = queue_head % QUEUE;
  if (!sampling) return;
  if (has_accelerometer) {
    if (!accelerometer_read(queue[at])) return;
  } else {
    uint32_t n = played;
    played = n + 1u;
    queue[at][0] = fold(n);
    queue[at][1] = fold(2u * n);
    queue[at][2] = ACCELEROMETER_PER_G;
  }
  /* With a full queue the frame is lost before it gets a number; the time stamps show the gap. */
  if (queue_head - queue_tail >= QUEUE) return;
  queue_due[at] = due_us;
  queue_head = queue_head + 1u;
}

static void sensor_stop(void *context) {
  (void)context;
  sampling = 0;
}

static void sensor_start(void *context, uint32_t rate) {
  sensor_stop(context);
  queue_tail = queue_head;
  played = 0;
  accelerometer_rate(rate);
  clock_tick_every(1000000000u / rate);
  sampling = 1;
}

static uint64_t now_us(void *context) {
  (void)context;
  return clock_now();
}

static int sensor_read(void *context, int16_t *frame, uint64_t *time_us) {
  uint32_t at = queue_tail % QUEUE;
  uint64_t now;
  uint32_t i;
  (void)context;
  if (queue_tail == queue_head) return 0;
  for (i = 0; i < CHANNELS; i++) frame[i] = queue[at][i];
  now = clock_now();
  *time_us = now - (uint32_t)((uint32_t)now - queue_due[at]);
  queue_tail = queue_tail + 1u;
  return 1;
}

/* ---- Description ---- */

static uint32_t send(void *context, const uint8_t *bytes, uint32_t count) {
  (void)context;
  return uart_write(bytes, count);
}

#define SCALE (9.80665f / (float)ACCELEROMETER_PER_G)

static const mote_channel measured[CHANNELS] = {{"accX", "m/s2", SCALE}, {"accY", "m/s2", SCALE}, {"accZ", "m/s2", SCALE}};
static const mote_channel made_up[CHANNELS] = {
    {"testX", "m/s2", SCALE}, {"testY", "m/s2", SCALE}, {"testZ", "m/s2", SCALE}};

static const uint32_t rates[] = {50000, 100000, 200000};

/* Differs from chip to chip. */
static void read_serial(void) {
  uint32_t i;
  for (i = 0; i < 16u; i++) serial[i] = "0123456789abcdef"[FICR_DEVICEID(i / 8u) >> (28u - 4u * (i % 8u)) & 15u];
}

static void describe(void) {
  config.name = has_accelerometer ? BOARD_NAME : BOARD_NAME " (test signal)";
  config.firmware = has_accelerometer ? VERSION : VERSION ", no accelerometer found";
  config.serial = serial;
  config.write = send;
  config.now_us = now_us;
  config.clock_us = clock_us;
  config.channels = has_accelerometer ? measured : made_up;
  config.channel_count = CHANNELS;
  config.rates = rates;
  config.rate_count = sizeof rates / sizeof rates[0];
  config.rate = 100000;
  config.sensor_start = sensor_start;
  config.sensor_stop = sensor_stop;
  config.sensor_read = sensor_read;
  config.storage = &flash_storage;
  config.slot_count = 2;
  config.model_ram = model_ram;
  config.model_ram_bytes = sizeof model_ram;
  config.memory = memory;
  config.memory_bytes = sizeof memory;
  config.body = BODY;
  config.window = WINDOW;
}

int main(void);

int main(void) {
  clock_start();
  interrupts_on();
  twi_start();
  has_accelerometer = (uint8_t)accelerometer_find();
  read_serial();
  describe();
  uart_start();
  if (mote_board_init(&board, &config) != 0) return 1;
  for (;;) {
    const uint8_t *bytes;
    uint32_t count = uart_peek(&bytes);
    uint32_t taken = mote_board_receive(&board, bytes, count);
    uart_drop(taken);
    mote_board_poll(&board);
    uart_touch();
    /* Sleeps until a byte, a sample or the 10 ms tick; what came since the peek is seen with interrupts off. */
    interrupts_off();
    if (uart_peek(&bytes) == 0 && queue_head == queue_tail && !mote_board_busy(&board)) wait_for_interrupt();
    interrupts_on();
  }
}
