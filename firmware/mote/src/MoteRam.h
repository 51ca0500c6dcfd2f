/*
 * Models in RAM: gone after a reset, and never worn out. For trying things, and for chips without a storage of their own.
 */
#ifndef MOTE_RAM_H
#define MOTE_RAM_H

#include "MoteStorage.h"

template <uint32_t SIZE>
class MoteRamDevice {
 public:
  const uint8_t *begin(uint32_t, uint32_t, uint32_t) {
    memset(bytes_, 0xff, SIZE);
    return bytes_;
  }
  bool program(uint32_t address, const uint8_t *bytes, uint32_t count) {
    memcpy(bytes_ + address, bytes, count);
    return true;
  }
  bool erase(uint32_t address, uint32_t count) {
    memset(bytes_ + address, 0xff, count);
    return true;
  }

 private:
  alignas(8) uint8_t bytes_[SIZE];
};

template <uint32_t SIZE>
using MoteRam = MoteMapped<MoteRamDevice<SIZE>, SIZE, 64, 16>;

#endif
