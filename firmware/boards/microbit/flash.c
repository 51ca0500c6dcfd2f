#include "flash.h"

#include "nrf.h"

/*
 * From FIRMWARE_BYTES to FLASH_BYTES (compile.mjs): two pages of journal, then the slots.
 *
 * Words are programmed once between two erases, whole. The CPU stands still meanwhile, as it runs from the same flash.
 * A word takes up to 46 us (nRF51822 Product Specification; Nordic gives 43 us for later chips): no harm, since the UART's
 * receiver holds six bytes, 520 us. A page takes up to 22.3 ms there (22.6 ms with the interrupt around it: S130
 * SoftDevice Specification, "Flash API processor usage patterns") and 90 ms on the nRF52833 (the S113's; 89.7 ms in
 * Zephyr's soc.h): whatever is sent then is lost. So a put erases its pages before it asks for the first byte.
 */
#define STORAGE_BYTES (FLASH_BYTES - FIRMWARE_BYTES)

/* An address and not an array: these bytes are none of the program's. */
#define STORAGE_AT ((const uint8_t *)(uintptr_t)FIRMWARE_BYTES)

static void wait_ready(void) {
  while (NVMC_READY == 0) continue;
}

static void mode(uint32_t value) {
  NVMC_CONFIG = value;
  wait_ready();
}

static int flash_read(void *context, uint32_t address, void *bytes, uint32_t count) {
  uint32_t i;
  (void)context;
  for (i = 0; i < count; i++) ((uint8_t *)bytes)[i] = STORAGE_AT[address + i];
  return 0;
}

static int flash_prog(void *context, uint32_t address, const void *bytes, uint32_t count) {
  const uint8_t *from = (const uint8_t *)bytes;
  uint32_t i;
  (void)context;
  mode(NVMC_WRITE);
  for (i = 0; i < count; i += 4u) {
    uint32_t word = (uint32_t)from[i] | (uint32_t)from[i + 1u] << 8 | (uint32_t)from[i + 2u] << 16 |
                    (uint32_t)from[i + 3u] << 24;
    REGISTER(FIRMWARE_BYTES + address + i) = word;
    wait_ready();
  }
  mode(NVMC_READ_ONLY);
  return 0;
}

static int flash_erase(void *context, uint32_t address) {
  (void)context;
  mode(NVMC_ERASE);
  NVMC_ERASEPAGE = FIRMWARE_BYTES + address;
  wait_ready();
  mode(NVMC_READ_ONLY);
  return 0;
}

static int flash_sync(void *context) {
  (void)context;
  return 0;
}

const mote_storage flash_storage = {
    0, flash_read, flash_prog, flash_erase, flash_sync, STORAGE_AT, STORAGE_BYTES, 4, FLASH_PAGE, 1,
};
