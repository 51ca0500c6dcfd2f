/*
 * Runs a program on an emulated AVR (simavr): prints the bytes that it writes to GPIOR0, counts cycles and stack between
 * 1 and 2 in GPIOR1, and ends with the status in GPIOR2.
 *
 *   avr-run MCU FILE.elf COUNT.json MOST_CYCLES
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <simavr/sim_io.h>

/* The same data addresses on ATmega328P, 1284P and 2560. */
enum { GPIOR0 = 0x3e, GPIOR1 = 0x4a, GPIOR2 = 0x4b, SPL = 0x5d, SPH = 0x5e };

static bool counting;
static int status = -1;
static uint64_t begin_cycle, counted;
static uint32_t top, lowest, used;

static uint32_t stack_pointer(const avr_t *avr) { return (uint32_t)(avr->data[SPL] | avr->data[SPH] << 8); }

static void on_byte(avr_t *avr, avr_io_addr_t address, uint8_t value, void *unused) {
  (void)unused;
  avr->data[address] = value;
  putchar(value);
}

static void on_mark(avr_t *avr, avr_io_addr_t address, uint8_t value, void *unused) {
  (void)unused;
  avr->data[address] = value;
  if (value == 1) {
    counting = true;
    begin_cycle = avr->cycle;
    top = lowest = stack_pointer(avr);
  } else if (counting) {
    counting = false;
    counted = avr->cycle - begin_cycle;
    used = top - lowest;
  }
}

static void on_status(avr_t *avr, avr_io_addr_t address, uint8_t value, void *unused) {
  (void)unused;
  avr->data[address] = value;
  status = value;
}

static void quiet(avr_t *avr, const int level, const char *format, va_list list) {
  (void)avr;
  if (level <= LOG_ERROR) vfprintf(stderr, format, list);
}

int main(int argc, char **argv) {
  elf_firmware_t firmware;
  avr_t *avr;
  FILE *file;
  uint64_t most;
  if (argc != 5) return 2;
  avr_global_logger_set(quiet);
  memset(&firmware, 0, sizeof firmware);
  if (elf_read_firmware(argv[2], &firmware) != 0) return 3;
  avr = avr_make_mcu_by_name(argv[1]);
  if (avr == NULL) return 4;
  avr_init(avr);
  firmware.frequency = 16000000;
  avr_load_firmware(avr, &firmware);
  avr_register_io_write(avr, GPIOR0, on_byte, NULL);
  avr_register_io_write(avr, GPIOR1, on_mark, NULL);
  avr_register_io_write(avr, GPIOR2, on_status, NULL);
  most = strtoull(argv[4], NULL, 0);
  while (status < 0 && avr->cycle < most) {
    const int state = avr_run(avr);
    if (state == cpu_Done || state == cpu_Crashed) break;
    if (counting && stack_pointer(avr) < lowest) lowest = stack_pointer(avr);
  }
  fflush(stdout);
  file = fopen(argv[3], "w");
  if (file == NULL) return 5;
  fprintf(file, "{\"instructions\": 0, \"cycles\": %llu, \"stackBytes\": %u}\n", (unsigned long long)counted, used);
  fclose(file);
  if (status < 0) fprintf(stderr, "stopped at %llu cycles\n", (unsigned long long)avr->cycle);
  return status < 0 ? 1 : status;
}
