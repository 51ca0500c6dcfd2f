/*
 * Mote on a Raspberry Pi Pico or another RP2040 board with 2 MB of flash or more: docs/boards/rp2040.md.
 *
 * It speaks on USB and on UART0; the host that greets last is the one it speaks with.
 */
#include "clocks.h"
#include "flash.h"
#include "mote_board.h"
#include "rp2040.h"
#include "sensors.h"
#include "uart.h"
#include "usb.h"

#define FIRMWARE_VERSION "0.1.0"

/* At the end of 2 MB: two journal sectors and two slots. build.mjs reads these lines. */
#define FLASH_STORAGE 0x17e000u
#define FLASH_STORAGE_BYTES 0x82000u
#define SLOTS 2u

#define BODY MOTE_WIRE_BODY_DEFAULT
#define WINDOW 8u
#define MODEL_RAM 131072u
/* So much is not sent at once, and samples are kept meanwhile. */
#define SEND_BYTES 16384u
/* Of a sensor that was not asked in time, no more than this is made up for. */
#define CATCH_UP_US 100000u
/* Looks around at least so often, for links without interrupts. */
#define NAP_US 1000u

/* ---- Links ---- */

typedef struct {
  ring *received;
  uint32_t (*send)(const uint8_t *bytes, uint32_t count);
  /* Listens for a greeting while another link is in use: noise on a wire takes nothing over. */
  mote_decoder greeting;
  uint8_t greeting_bytes[MOTE_FRAME_BYTES(MOTE_WIRE_BODY_MIN)];
} link_port;

static link_port ports[2];
static link_port *current; /* null until someone greeted */

static mote_board board;

static void ports_start(void) {
  uint32_t i;
  ports[0].received = &usb_received;
  ports[0].send = usb_send;
  ports[1].received = &uart_received;
  ports[1].send = uart_send;
  for (i = 0; i < 2u; i++) mote_decoder_init(&ports[i].greeting, ports[i].greeting_bytes, sizeof ports[i].greeting_bytes);
}

static uint32_t send(void *context, const uint8_t *bytes, uint32_t count) {
  (void)context;
  return current ? current->send(bytes, count) : count;
}

/* The greeting goes to the board as it came. */
static void greet(const mote_decoder *greeting) {
  uint8_t bytes[MOTE_FRAME_ENCODED(MOTE_WIRE_BODY_MIN)];
  mote_encoder encoder;
  const uint8_t *from;
  uint32_t count;
  mote_encoder_init(&encoder, bytes, sizeof bytes);
  (void)mote_encoder_begin(&encoder, mote_decoder_type(greeting), mote_decoder_id(greeting), MOTE_WIRE_BODY_MIN);
  mote_encoder_bytes(&encoder, mote_decoder_body(greeting), mote_decoder_body_size(greeting));
  (void)mote_encoder_end(&encoder);
  count = mote_encoder_peek(&encoder, &from);
  while (count > 0) {
    uint32_t taken = mote_board_receive(&board, from, count);
    from += taken;
    count -= taken;
    mote_board_poll(&board);
  }
}

static void listen(link_port *port) {
  const uint8_t *bytes;
  uint32_t count = ring_peek(port->received, &bytes);
  uint32_t i;
  if (port == current) {
    ring_drop(port->received, mote_board_receive(&board, bytes, count));
    return;
  }
  for (i = 0; i < count && port != current; i++) {
    if (mote_decoder_push(&port->greeting, bytes[i]) && mote_decoder_type(&port->greeting) == MOTE_MSG_HELLO) {
      current = port;
    }
  }
  ring_drop(port->received, i);
  if (port == current) greet(&port->greeting);
}

/* ---- Samples ---- */

static uint32_t period_us;
static uint64_t due_us;

static uint64_t now_us(void *context) {
  (void)context;
  return time_us();
}

static void sensor_start(void *context, uint32_t rate) {
  (void)context;
  period_us = 1000000000u / rate;
  due_us = time_us() + period_us;
}

static void sensor_stop(void *context) {
  (void)context;
  period_us = 0;
}

static int sensor_read(void *context, int16_t *frame, uint64_t *time) {
  uint64_t now = time_us();
  (void)context;
  if (period_us == 0 || now < due_us) return 0;
  if (now - due_us > CATCH_UP_US) due_us = now;
  *time = due_us;
  due_us += period_us;
  return sensors_read(frame);
}

/* ---- Flash ---- */

static int storage_read(void *context, uint32_t address, void *bytes, uint32_t count) {
  const volatile uint8_t *from = (const volatile uint8_t *)(uintptr_t)(XIP_BASE + FLASH_STORAGE + address);
  uint32_t i;
  (void)context;
  for (i = 0; i < count; i++) ((uint8_t *)bytes)[i] = from[i];
  return 0;
}

/* The board hands over bytes in RAM: its unit buffer. */
static int storage_prog(void *context, uint32_t address, const void *bytes, uint32_t count) {
  (void)context;
  if (address >= FLASH_STORAGE_BYTES || count > FLASH_STORAGE_BYTES - address) return -1;
  flash_program(FLASH_STORAGE + address, (const uint8_t *)bytes, count);
  return 0;
}

static int storage_erase(void *context, uint32_t address) {
  (void)context;
  if (address >= FLASH_STORAGE_BYTES) return -1;
  flash_erase(FLASH_STORAGE + address);
  return 0;
}

/* The ROM's functions return when the flash chip is done. */
static int storage_sync(void *context) {
  (void)context;
  return 0;
}

static const mote_storage storage = {
    0,
    storage_read,
    storage_prog,
    storage_erase,
    storage_sync,
    (const uint8_t *)(XIP_BASE + FLASH_STORAGE),
    FLASH_STORAGE_BYTES,
    FLASH_PAGE,
    FLASH_SECTOR,
    0, /* code runs from RAM and goes on receiving */
};

/* ---- Main ---- */

static char serial[2u * FLASH_ID_BYTES + 1u];
static uint8_t model_ram[MODEL_RAM] __attribute__((aligned(8)));
static uint8_t memory[MOTE_BOARD_MEMORY(BODY, FLASH_PAGE) + SEND_BYTES];

/* Hexadecimal, as the boot ROM's successors and other firmware of the Pico show it. */
static void read_serial(void) {
  static const char digits[] = "0123456789abcdef";
  uint8_t id[FLASH_ID_BYTES];
  uint32_t i;
  if (!flash_unique_id(id)) return;
  for (i = 0; i < FLASH_ID_BYTES; i++) {
    serial[2u * i] = digits[id[i] >> 4];
    serial[2u * i + 1u] = digits[id[i] & 15u];
  }
}

static int board_start(void) {
  static const uint32_t rates[] = {50000, 100000, 200000};
  static mote_board_config config; /* zeros */
  config.name = "Raspberry Pi Pico";
  config.firmware = FIRMWARE_VERSION;
  config.serial = serial;
  config.write = send;
  config.now_us = now_us;
  config.clock_us = time_us_32;
  config.channels = sensors_channels(&config.channel_count);
  config.rates = rates;
  config.rate_count = sizeof rates / sizeof rates[0];
  config.rate = 100000;
  config.sensor_start = sensor_start;
  config.sensor_stop = sensor_stop;
  config.sensor_read = sensor_read;
  config.storage = &storage;
  config.slot_count = SLOTS;
  config.model_ram = model_ram;
  config.model_ram_bytes = sizeof model_ram;
  config.memory = memory;
  config.memory_bytes = sizeof memory;
  config.body = BODY;
  config.window = WINDOW;
  return mote_board_init(&board, &config);
}

/* Until the next sample, or a nap; not at all when there is something to do. */
static void rest(void) {
  uint64_t now = time_us();
  uint64_t until = now + NAP_US;
  if (mote_board_busy(&board)) return;
  if (period_us != 0 && due_us < until) until = due_us;
  if (until <= now) return;
  interrupts_off();
  if (ring_used(&usb_received) > 0 || ring_used(&uart_received) > 0) {
    interrupts_on();
    return;
  }
  sleep_until((uint32_t)until);
}

int main(void) {
  clocks_start();
  unreset(RESET_IO_BANK0 | RESET_PADS_BANK0);
  flash_start();
  read_serial();
  sensors_start();
  ports_start();
  if (board_start() != 0) return 1;
  uart_start();
  usb_start(serial);
  for (;;) {
    listen(&ports[0]);
    listen(&ports[1]);
    usb_receive_more();
    mote_board_poll(&board);
    if (current == &ports[0] && !mote_board_sending(&board)) usb_send_end();
    if (usb_boot_asked()) {
      interrupts_off();
      flash_boot_drive();
    }
    rest();
  }
}
