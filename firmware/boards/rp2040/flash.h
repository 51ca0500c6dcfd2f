/*
 * The SPI flash through the functions of the boot ROM. Code runs from RAM, so interrupts stay on meanwhile; nothing may
 * read flash then.
 */
#ifndef FLASH_H
#define FLASH_H

#include <stdint.h>

#define FLASH_PAGE 256u
#define FLASH_SECTOR 4096u
#define FLASH_ID_BYTES 8u

/* Finds the functions; called once, before the others. */
void flash_start(void);

/* `offset` from the start of flash, a multiple of FLASH_SECTOR. */
void flash_erase(uint32_t offset);

/* `offset` and `count` are multiples of FLASH_PAGE; `bytes` lie in RAM. */
void flash_program(uint32_t offset, const uint8_t *bytes, uint32_t count);

/* The number that the flash chip was given in the factory: 1, or 0 when it tells none. */
int flash_unique_id(uint8_t id[FLASH_ID_BYTES]);

/* Leaves this firmware for the boot ROM's drive: the board comes back as RPI-RP2. */
void flash_boot_drive(void);

#endif
