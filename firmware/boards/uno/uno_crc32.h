/* CRC-32 as in mote_crc32.h, byte by byte and with its table in flash: one copy serves RAM and flash. */
#ifndef UNO_CRC32_H
#define UNO_CRC32_H

#include <stdint.h>

#define UNO_CRC32_START 0xffffffffu

/* Takes one byte into a CRC that began with UNO_CRC32_START; the value to compare is its complement. */
uint32_t uno_crc32_add(uint32_t crc, uint8_t byte);

/* CRC-32 of bytes in RAM. */
uint32_t uno_crc32(const void *bytes, uint16_t count);

#endif
