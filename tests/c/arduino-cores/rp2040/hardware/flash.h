/* Flash of the Pico SDK: offsets from XIP_BASE, blocks of 4096, pages of 256. Nothing else may run meanwhile. */
#include <stddef.h>

#define XIP_BASE ((uintptr_t)chip.bytes)

inline void flash_range_program(uint32_t offset, const uint8_t *bytes, size_t count) {
  EXPECT(stopped == 2 && offset % 256 == 0 && count % 256 == 0);
  chip.program(offset, bytes, (uint32_t)count, true);
}
inline void flash_range_erase(uint32_t offset, size_t count) {
  EXPECT(stopped == 2 && offset % 4096 == 0 && count % 4096 == 0);
  chip.erase(offset, (uint32_t)count);
}
