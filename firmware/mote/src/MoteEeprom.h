/*
 * Models in the EEPROM of an AVR: MoteEeprom<> takes all of it, MoteEeprom<2048> the first 2 KB, MoteEeprom<2048, 1024> those
 * from byte 1024 on. As much RAM holds a copy that models are run from.
 *
 * A Mega has 4096 bytes, which is two packs of 1952 bytes each (MoteEeprom<>::capacity() says it to the compiler, the board to
 * the studio, which refuses a longer pack). Packs of the studio's training start at about 2.1 KB; README.md says what to do. The 1024 bytes of an Uno or Leonardo hold no pack, and their
 * flash none of this.
 *
 * Bytes are erased and written one by one, 3.4 ms each, and only where they change. A cell lasts 100,000 writes at least; a
 * deploy writes each at most twice.
 */
#ifndef MOTE_EEPROM_H
#define MOTE_EEPROM_H

#if !defined(__AVR__)
#error "MoteEeprom.h is for the EEPROM of AVR chips; elsewhere see MoteFlash.h, MoteFile.h and MoteBlockDevice.h."
#endif

#include <avr/eeprom.h>
#include <avr/io.h>

#include "MoteMirror.h"

template <uint16_t START>
class MoteEepromDevice {
 public:
  bool begin(uint32_t) { return true; }
  bool read(uint32_t address, uint8_t *bytes, uint32_t count) {
    eeprom_read_block(bytes, at(address), (size_t)count);
    return true;
  }
  bool program(uint32_t address, const uint8_t *bytes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) eeprom_update_byte(at(address + i), bytes[i]);
    return true;
  }
  bool erase(uint32_t address, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) eeprom_update_byte(at(address + i), 0xff);
    return true;
  }
  bool sync() {
    eeprom_busy_wait();
    return true;
  }

 private:
  static uint8_t *at(uint32_t address) { return (uint8_t *)(uintptr_t)(START + address); }
};

template <uint32_t SIZE = (uint32_t)E2END + 1, uint16_t START = 0>
class MoteEeprom : public MoteMirror<MoteEepromDevice<START>, SIZE, 64, 8> {
  static_assert((uint32_t)START + SIZE <= (uint32_t)E2END + 1, "The EEPROM of this chip has fewer bytes.");
};

#endif
