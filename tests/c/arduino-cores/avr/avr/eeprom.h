/* avr-libc's functions for the EEPROM, as its manual says: every byte is erased and written by itself. */
#include <stddef.h>

#include "../../chip.h"

inline uint32_t eeprom_address(const void *at) {
  EXPECT((uintptr_t)at <= 4095);
  return (uint32_t)(uintptr_t)at;
}
inline void eeprom_read_block(void *to, const void *from, size_t count) {
  EXPECT((uintptr_t)from + count <= 4096);
  memcpy(to, chip.bytes + eeprom_address(from), count);
}
inline void eeprom_update_byte(uint8_t *at, uint8_t value) {
  if (chip.bytes[eeprom_address(at)] != value) chip.program(eeprom_address(at), &value, 1, false);
}
inline void eeprom_busy_wait() {}
