/*
 * What the ready storages have in common (MoteRam, MoteEeprom, MoteFlash, MoteFile, MoteBlockDevice, MoteMirror): each is a
 * mote_storage whose sizes are known to the compiler, and has
 *
 *   bool begin()           finds and reads the storage; false: it is not there, or too small, and must not be used
 *   SIZE, ERASE, PROG      bytes in all, of a block that is erased, of the unit of programming
 *   capacity(slots)        bytes of the longest pack that a slot holds
 *
 *   MoteEeprom<> storage;
 *   MoteStream<192, MoteEeprom<>::PROG> mote(Serial, readSensor);
 *   if (storage.begin()) mote.keepModels(storage, modelRam);
 *
 * Power may fail at any time: the slots see to that (mote_slots.h), whatever a storage leaves half done.
 */
#ifndef MOTE_STORAGE_H
#define MOTE_STORAGE_H

#include <stdint.h>
#include <string.h>

#include "mote_slots.h"

template <uint32_t BYTES, uint32_t ERASE_BYTES, uint32_t PROG_BYTES>
class MoteStorage : public mote_storage {
  /* A record of the journal, and the header of a slot. */
  static constexpr uint32_t RECORD = PROG_BYTES > 32 ? PROG_BYTES : 32;

 public:
  static constexpr uint32_t SIZE = BYTES;
  static constexpr uint32_t ERASE = ERASE_BYTES;
  static constexpr uint32_t PROG = PROG_BYTES;

  static_assert(PROG > 0 && (PROG & (PROG - 1)) == 0 && PROG <= MOTE_SLOTS_PROG_MAX, "PROG: a power of two, at most 512");
  static_assert(ERASE % PROG == 0 && ERASE % 8 == 0 && ERASE >= 2 * RECORD, "ERASE: a multiple of PROG and of 8, 64 or more");
  static_assert(SIZE % ERASE == 0 && SIZE / ERASE >= 4, "SIZE: whole blocks, two for the journal and one for each slot");

  static constexpr uint32_t capacity(uint32_t slots = 2) {
    return ((SIZE / ERASE - 2) / slots * ERASE - RECORD) / 4 * 4;
  }

 protected:
  MoteStorage() : mote_storage() {
    size = SIZE;
    prog_size = PROG;
    erase_size = ERASE;
  }
};

/* Storage that the processor reads like memory: an array, or flash. Device: see MoteFlash.h. */
template <class Device, uint32_t SIZE, uint32_t ERASE, uint32_t PROG>
class MoteMapped : public MoteStorage<SIZE, ERASE, PROG> {
 public:
  MoteMapped() : device() {
    this->context = this;
    this->read = readBytes;
    this->prog = programBytes;
    this->erase = eraseBlock;
    this->sync = syncAll;
  }

  bool begin() {
    this->mapped = device.begin(SIZE, ERASE, PROG);
    return this->mapped != 0;
  }

  Device device;

 private:
  static MoteMapped *self(void *context) { return (MoteMapped *)context; }
  static int readBytes(void *context, uint32_t address, void *bytes, uint32_t count) {
    memcpy(bytes, self(context)->mapped + address, count);
    return 0;
  }
  static int programBytes(void *context, uint32_t address, const void *bytes, uint32_t count) {
    return self(context)->device.program(address, (const uint8_t *)bytes, count) ? 0 : MOTE_SLOTS_E_STORAGE;
  }
  static int eraseBlock(void *context, uint32_t address) {
    return self(context)->device.erase(address, ERASE) ? 0 : MOTE_SLOTS_E_STORAGE;
  }
  /* A program has reached the flash when it returns. */
  static int syncAll(void *) { return 0; }
};

#endif
