/*
 * An emulated ATmega2560 (simavr) with a sketch, driven over standard input and output by tests/boards/mega-board.ts:
 *
 *   mega-run SKETCH.elf EEPROM
 *
 * EEPROM is a file of 4096 bytes, what the chip finds at power-up. Commands, numbers little endian:
 *
 *   X count:u32 bytes   gives the bytes to UART 0, lets the chip run for 10 ms; says count:u32 bytes that it sent
 *   W                   says count:u32 and so many {address:u16, value:u8}: what was written to the EEPROM so far, in order
 *   E                   says the 4096 bytes of the EEPROM, and the lowest stack pointer so far as u16
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/avr_eeprom.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_io.h>

enum { EECR = 0x3f, EEDR = 0x40, EEARL = 0x41, EEARH = 0x42, SPL = 0x5d, SPH = 0x5e, EEPE = 2 };
enum { EEPROM_BYTES = 4096, MOST_WRITES = 100000, MOST_SENT = 1 << 16, RAM_START = 0x200 };
#define SLICE_CYCLES 160000u

static struct {
  uint16_t address;
  uint8_t value;
} writes[MOST_WRITES];
static uint32_t write_count;
static uint8_t sent[MOST_SENT];
static uint32_t sent_count;
static bool full;

static void on_eeprom(avr_t *avr, avr_io_addr_t address, uint8_t value, void *unused) {
  (void)address;
  (void)unused;
  if ((value & EEPE) && write_count < MOST_WRITES) {
    writes[write_count].address = (uint16_t)(avr->data[EEARL] | avr->data[EEARH] << 8);
    writes[write_count].value = avr->data[EEDR];
    write_count++;
  }
}

static void on_sent(avr_irq_t *irq, uint32_t value, void *unused) {
  (void)irq;
  (void)unused;
  if (sent_count < MOST_SENT) sent[sent_count++] = (uint8_t)value;
}

static void on_room(avr_irq_t *irq, uint32_t value, void *unused) {
  (void)irq;
  (void)value;
  (void)unused;
  full = false;
}

static void on_full(avr_irq_t *irq, uint32_t value, void *unused) {
  (void)irq;
  (void)value;
  (void)unused;
  full = true;
}

static void quiet(avr_t *avr, const int level, const char *format, va_list list) {
  (void)avr;
  if (level <= LOG_ERROR) vfprintf(stderr, format, list);
}

static void must(bool good, int code) {
  if (!good) exit(code);
}

static void say32(uint32_t value) {
  int i;
  for (i = 0; i < 4; i++) putchar((int)(value >> 8 * i & 255u));
}

int main(int argc, char **argv) {
  elf_firmware_t firmware;
  avr_eeprom_desc_t eeprom = {NULL, 0, EEPROM_BYTES};
  static uint8_t bytes[EEPROM_BYTES];
  static uint8_t given[MOST_SENT];
  uint32_t flags = 0;
  uint32_t lowest = 0xffff;
  avr_irq_t *input;
  avr_t *avr;
  FILE *file;
  int command;
  must(argc == 3, 2);
  avr_global_logger_set(quiet);
  memset(&firmware, 0, sizeof firmware);
  must(elf_read_firmware(argv[1], &firmware) == 0, 3);
  avr = avr_make_mcu_by_name("atmega2560");
  must(avr != NULL, 4);
  avr_init(avr);
  firmware.frequency = 16000000;
  avr_load_firmware(avr, &firmware);
  file = fopen(argv[2], "rb");
  must(file != NULL && fread(bytes, 1, EEPROM_BYTES, file) == EEPROM_BYTES, 5);
  fclose(file);
  eeprom.ee = bytes;
  avr_ioctl(avr, AVR_IOCTL_EEPROM_SET, &eeprom);
  avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  avr_register_io_write(avr, EECR, on_eeprom, NULL);
  input = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_sent, NULL);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), on_room, NULL);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), on_full, NULL);
  full = true;
  while ((command = getchar()) != EOF) {
    uint32_t count = 0, i;
    if (command == 'X') {
      uint32_t next = 0;
      avr_cycle_count_t end = avr->cycle + SLICE_CYCLES;
      for (i = 0; i < 4; i++) count |= (uint32_t)getchar() << 8 * i;
      must(count <= MOST_SENT && fread(given, 1, count, stdin) == count, 6);
      while (avr->cycle < end || next < count) {
        const int state = avr_run(avr);
        const uint32_t stack = (uint32_t)(avr->data[SPL] | avr->data[SPH] << 8);
        must(state != cpu_Done && state != cpu_Crashed, 7);
        if (stack >= RAM_START && stack < lowest) lowest = stack;
        if (next < count && !full) {
          avr_raise_irq(input, given[next++]);
          end = avr->cycle + SLICE_CYCLES;
        }
      }
      say32(sent_count);
      fwrite(sent, 1, sent_count, stdout);
      sent_count = 0;
    } else if (command == 'W') {
      say32(write_count);
      for (i = 0; i < write_count; i++) {
        putchar(writes[i].address & 255);
        putchar(writes[i].address >> 8);
        putchar(writes[i].value);
      }
    } else if (command == 'E') {
      /* Without a buffer, simavr gives its own. */
      eeprom.ee = NULL;
      eeprom.offset = 0;
      eeprom.size = EEPROM_BYTES;
      avr_ioctl(avr, AVR_IOCTL_EEPROM_GET, &eeprom);
      fwrite(eeprom.ee, 1, EEPROM_BYTES, stdout);
      putchar((int)(lowest & 255u));
      putchar((int)(lowest >> 8));
    } else {
      return 8;
    }
    fflush(stdout);
  }
  return 0;
}
