#include "uno_crc32.h"

#include "mote_flash.h"

static const uint32_t table[16] MOTE_FLASH = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};

uint32_t uno_crc32_add(uint32_t crc, uint8_t byte) {
  uint8_t half;
  crc ^= byte;
  for (half = 0; half < 2; half++) crc = (crc >> 4) ^ (uint32_t)MOTE_FLASH_I32(&table[(uint8_t)crc & 15u]);
  return crc;
}

uint32_t uno_crc32(const void *bytes, uint16_t count) {
  const uint8_t *at = (const uint8_t *)bytes;
  uint32_t crc = UNO_CRC32_START;
  while (count-- > 0) crc = uno_crc32_add(crc, *at++);
  return ~crc;
}
