/* CRC-32 (IEEE 802.3, reflected, as in zip and PNG), four bits at a time: a table of 64 bytes instead of 1 KB. */
#ifndef MOTE_CRC32_H
#define MOTE_CRC32_H

#include <stdint.h>

#include "mote_config.h"
#include "mote_flash.h"

/* Continues a CRC over `count` more bytes; start with crc = 0. */
MOTE_FN uint32_t mote_crc32(uint32_t crc, const uint8_t *bytes, uint32_t count) {
  static const uint32_t table[16] MOTE_FLASH = {
      0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
      0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  uint32_t i;
  crc = ~crc;
  for (i = 0; i < count; i++) {
    crc ^= bytes[i];
    crc = (crc >> 4) ^ MOTE_FLASH_U32(table + (crc & 15u));
    crc = (crc >> 4) ^ MOTE_FLASH_U32(table + (crc & 15u));
  }
  return ~crc;
}

#endif
