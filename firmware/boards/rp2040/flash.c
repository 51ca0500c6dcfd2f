#include "flash.h"

#include "clocks.h"
#include "rp2040.h"

/* Longest that the identification may take, and a chip select that is forced, RP2040 datasheet 2.19.6.2. */
#define ID_TIMEOUT_US 1000u
#define SS_NORMAL (0u << 8)
#define SS_LOW (2u << 8)
#define SS_HIGH (3u << 8)
#define SSI_CAN_SEND (1u << 1)
#define SSI_HAS_RECEIVED (1u << 3)
#define COMMAND_UNIQUE_ID 0x4bu
/* Command, four bytes of nothing, then the number. */
#define ID_BEFORE 5u

typedef uintptr_t (*rom_lookup)(uintptr_t table, uint32_t code);

static void (*rom_connect)(void);
static void (*rom_exit_xip)(void);
static void (*rom_erase)(uint32_t offset, uint32_t count, uint32_t block_size, uint8_t block_command);
static void (*rom_program)(uint32_t offset, const uint8_t *bytes, uint32_t count);
static void (*rom_flush_cache)(void);
static void (*rom_usb_boot)(uint32_t led_mask, uint32_t disable);

static uint16_t load16(uint32_t address) { return *(volatile uint16_t *)(uintptr_t)address; }

/* Datasheet 2.8.3: a table of two-letter codes at 0x14, the function that searches it at 0x18. */
static uintptr_t rom(char a, char b) {
  rom_lookup lookup = (rom_lookup)(uintptr_t)load16(0x18);
  return lookup(load16(0x14), (uint32_t)b << 8 | (uint32_t)a);
}

void flash_start(void) {
  rom_connect = (void (*)(void))rom('I', 'F');
  rom_exit_xip = (void (*)(void))rom('E', 'X');
  rom_erase = (void (*)(uint32_t, uint32_t, uint32_t, uint8_t))rom('R', 'E');
  rom_program = (void (*)(uint32_t, const uint8_t *, uint32_t))rom('R', 'P');
  rom_flush_cache = (void (*)(void))rom('F', 'C');
  rom_usb_boot = (void (*)(uint32_t, uint32_t))rom('U', 'B');
}

static void leave_memory_mode(void) {
  rom_connect();
  rom_exit_xip();
}

/* As boot2.S does it. */
static void enter_memory_mode(void) {
  rom_flush_cache();
  REG(SSI_ENABLE) = 0;
  REG(SSI_BAUDR) = 4;
  REG(SSI_CTRLR0) = 31u << 16 | 3u << 8;
  REG(SSI_SPI_CTRLR0) = 0x03u << 24 | 2u << 8 | 6u << 2;
  REG(SSI_CTRLR1) = 0;
  REG(SSI_ENABLE) = 1;
}

void flash_erase(uint32_t offset) {
  leave_memory_mode();
  rom_erase(offset, FLASH_SECTOR, 1u << 16, 0xd8);
  enter_memory_mode();
}

void flash_program(uint32_t offset, const uint8_t *bytes, uint32_t count) {
  leave_memory_mode();
  rom_program(offset, bytes, count);
  enter_memory_mode();
}

static void select(uint32_t how) {
  REG(IO_QSPI_SS_CTRL) = how;
  (void)REG(IO_QSPI_SS_CTRL);
}

int flash_unique_id(uint8_t id[FLASH_ID_BYTES]) {
  uint32_t sent = 0;
  uint32_t received = 0;
  uint32_t began;
  uint32_t i;
  int differs = 0;
  leave_memory_mode();
  select(SS_LOW);
  began = time_us_32();
  while (received < ID_BEFORE + FLASH_ID_BYTES && time_us_32() - began < ID_TIMEOUT_US) {
    uint32_t status = REG(SSI_SR);
    /* The receiver holds 16. */
    if ((status & SSI_CAN_SEND) != 0 && sent < ID_BEFORE + FLASH_ID_BYTES && sent - received < 14u) {
      REG(SSI_DR0) = sent == 0 ? COMMAND_UNIQUE_ID : 0u;
      sent++;
    }
    if ((status & SSI_HAS_RECEIVED) != 0 && received < sent) {
      uint8_t byte = (uint8_t)REG(SSI_DR0);
      if (received >= ID_BEFORE) id[received - ID_BEFORE] = byte;
      received++;
    }
  }
  select(SS_HIGH);
  select(SS_NORMAL);
  enter_memory_mode();
  if (received < ID_BEFORE + FLASH_ID_BYTES) return 0;
  /* A chip without the command leaves its output alone: all zeros or all ones. */
  for (i = 1; i < FLASH_ID_BYTES; i++) differs = differs || id[i] != id[0];
  return differs;
}

void flash_boot_drive(void) { rom_usb_boot(0, 0); }
