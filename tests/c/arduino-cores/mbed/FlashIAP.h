/* Mbed's access to internal flash. */
#include "../chip.h"

#define FLASHIAP_APP_ROM_END_ADDR ((uint32_t)(uintptr_t)chip.bytes + sketch_bytes)

extern uint32_t sketch_bytes;
extern uint32_t sector_bytes;

namespace mbed {
class FlashIAP {
 public:
  int init() { return 0; }
  uint32_t get_flash_start() const { return (uint32_t)(uintptr_t)chip.bytes; }
  uint32_t get_flash_size() const { return Chip::BYTES; }
  uint32_t get_sector_size(uint32_t) const { return sector_bytes; }
  uint32_t get_page_size() const { return 4; }
  uint8_t get_erase_value() const { return 0xff; }
  int program(const void *bytes, uint32_t at, uint32_t count) {
    if (at % 4 != 0 || count % 4 != 0) return -1;
    chip.program(at - get_flash_start(), bytes, count, true);
    return 0;
  }
  int erase(uint32_t at, uint32_t count) {
    if ((at - get_flash_start()) % sector_bytes != 0 || count % sector_bytes != 0) return -1;
    chip.erase(at - get_flash_start(), count);
    return 0;
  }
};
}
