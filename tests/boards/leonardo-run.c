/*
 * An emulated ATmega32U4 (simavr) with a sketch, asked over its USB as a host asks a device: prints the index of the serial
 * number in the device descriptor, the text behind it, and that of the product. The signature row, which simavr does not
 * have, is nine bytes given in hexadecimal from place 0x0e on.
 *
 *   leonardo-run SKETCH.elf 0123456789abcdef01
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/avr_usb.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_io.h>

enum { SPMCSR = 0x57, READ_SIGNATURE = 0x21, FIRST = 0x0e, BYTES = 9, PACKET = 64, MOST = 255 };
enum { DEVICE = 1, STRING = 3, PRODUCT = 2 };
/* A host waits so long for an answer: half a second. */
#define PATIENCE 8000000u

static uint8_t signature[BYTES];
static uint8_t covered[BYTES];
static int uncover_in;

/* The next instruction reads the signature row instead of the flash. */
static void on_spmcsr(avr_t *avr, avr_io_addr_t address, uint8_t value, void *unused) {
  (void)address;
  (void)unused;
  if (value != READ_SIGNATURE || uncover_in > 0) return;
  memcpy(covered, avr->flash + FIRST, BYTES);
  memcpy(avr->flash + FIRST, signature, BYTES);
  uncover_in = 2;
}

static void run(avr_t *avr, avr_cycle_count_t cycles) {
  const avr_cycle_count_t end = avr->cycle + cycles;
  while (avr->cycle < end) {
    const int state = avr_run(avr);
    if (state == cpu_Done || state == cpu_Crashed) exit(4);
    if (uncover_in > 0 && --uncover_in == 0) memcpy(avr->flash + FIRST, covered, BYTES);
  }
}

/* Does it again while the device has no time. 0, or -1 when it stalls or never answers. */
static int ask(avr_t *avr, uint32_t what, struct avr_io_usb *packet, uint32_t size) {
  const avr_cycle_count_t end = avr->cycle + PATIENCE;
  for (;;) {
    int answer;
    packet->sz = size;
    answer = avr_ioctl(avr, what, packet);
    if (answer == AVR_IOCTL_USB_OK) return 0;
    if (answer == AVR_IOCTL_USB_STALL || avr->cycle > end) return -1;
    run(avr, 1000);
  }
}

/* Bytes of a descriptor, or -1. */
static int descriptor(avr_t *avr, uint8_t kind, uint8_t index, uint8_t *to) {
  uint8_t setup[8] = {0x80, 6, index, kind, 0, 0, MOST, 0};
  uint8_t bytes[PACKET];
  struct avr_io_usb packet = {0, sizeof setup, setup};
  int count = 0;
  if (ask(avr, AVR_IOCTL_USB_SETUP, &packet, sizeof setup) != 0) return -1;
  run(avr, 1000);
  packet.buf = bytes;
  do {
    if (ask(avr, AVR_IOCTL_USB_READ, &packet, PACKET) != 0) return -1;
    if (count + (int)packet.sz > MOST) return -1;
    memcpy(to + count, bytes, packet.sz);
    count += (int)packet.sz;
  } while (packet.sz == PACKET && count < to[0]);
  /* The host's empty answer ends the transfer. */
  (void)ask(avr, AVR_IOCTL_USB_WRITE, &packet, 0);
  run(avr, 16000);
  return count;
}

static void print_string(avr_t *avr, const char *what, uint8_t index) {
  uint8_t bytes[MOST + 1];
  int count = descriptor(avr, STRING, index, bytes);
  int i;
  printf("%s ", what);
  if (count < 2 || bytes[1] != STRING) {
    printf("none\n");
    return;
  }
  for (i = 2; i + 1 < count && i + 1 < bytes[0]; i += 2) putchar(bytes[i + 1] == 0 && bytes[i] >= ' ' ? bytes[i] : '?');
  printf("\n");
}

static void quiet(avr_t *avr, const int level, const char *format, va_list list) {
  (void)avr;
  if (level <= LOG_ERROR) vfprintf(stderr, format, list);
}

int main(int argc, char **argv) {
  elf_firmware_t firmware;
  uint8_t device[MOST + 1];
  avr_t *avr;
  int i;
  if (argc != 3 || strlen(argv[2]) != 2 * BYTES) return 2;
  for (i = 0; i < BYTES; i++) {
    const char digits[3] = {argv[2][2 * i], argv[2][2 * i + 1], 0};
    signature[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  avr_global_logger_set(quiet);
  memset(&firmware, 0, sizeof firmware);
  if (elf_read_firmware(argv[1], &firmware) != 0) return 3;
  avr = avr_make_mcu_by_name("atmega32u4");
  if (avr == NULL) return 3;
  avr_init(avr);
  firmware.frequency = 16000000;
  avr_load_firmware(avr, &firmware);
  avr_register_io_write(avr, SPMCSR, on_spmcsr, NULL);
  run(avr, 100000);
  avr_ioctl(avr, AVR_IOCTL_USB_VBUS, (void *)1);
  run(avr, 100000);
  avr_ioctl(avr, AVR_IOCTL_USB_RESET, NULL);
  run(avr, 100000);
  if (descriptor(avr, DEVICE, 0, device) != 18) return 5;
  printf("index %u\n", device[16]);
  print_string(avr, "serial", device[16]);
  print_string(avr, "product", PRODUCT);
  return 0;
}
