/*
 * Storage that the processor cannot read like memory (EEPROM, a file, a chip on SPI or I2C), with a copy of it in RAM: packs
 * are run from the copy. It takes SIZE bytes of RAM, so it is for small storages.
 *
 * Device is any class with these, littlefs style; all but begin() give false when it failed:
 *
 *   bool begin(uint32_t size)                                                   there, and of at least `size` bytes
 *   bool read(uint32_t address, uint8_t *bytes, uint32_t count)
 *   bool program(uint32_t address, const uint8_t *bytes, uint32_t count)        multiples of PROG, erased before
 *   bool erase(uint32_t address, uint32_t count)                                to 0xff, multiples of ERASE
 *   bool sync()                                                                 what came before survives a power cut
 *
 * What was written is read back and compared before the slots rely on it.
 */
#ifndef MOTE_MIRROR_H
#define MOTE_MIRROR_H

#include "MoteStorage.h"

template <class Device, uint32_t SIZE, uint32_t ERASE, uint32_t PROG>
class MoteMirror : public MoteStorage<SIZE, ERASE, PROG> {
 public:
  explicit MoteMirror(const Device &device = Device()) : device(device), from_(SIZE), to_(0) {
    this->context = this;
    this->read = readBytes;
    this->prog = programBytes;
    this->erase = eraseBlock;
    this->sync = syncAll;
    this->mapped = copy_;
  }

  bool begin() {
    from_ = SIZE;
    to_ = 0;
    return device.begin(SIZE) && device.read(0, copy_, SIZE);
  }

  Device device;

 private:
  /* Bytes that are compared at a time. */
  static constexpr uint32_t PIECE = 32;

  static MoteMirror *self(void *context) { return (MoteMirror *)context; }
  static int result(bool good) { return good ? 0 : MOTE_SLOTS_E_STORAGE; }

  static int readBytes(void *context, uint32_t address, void *bytes, uint32_t count) {
    return result(self(context)->device.read(address, (uint8_t *)bytes, count));
  }

  static int programBytes(void *context, uint32_t address, const void *bytes, uint32_t count) {
    MoteMirror *const mirror = self(context);
    memcpy(mirror->copy_ + address, bytes, count);
    mirror->touch(address, count);
    return result(mirror->device.program(address, (const uint8_t *)bytes, count));
  }

  static int eraseBlock(void *context, uint32_t address) {
    MoteMirror *const mirror = self(context);
    memset(mirror->copy_ + address, 0xff, ERASE);
    mirror->touch(address, ERASE);
    return result(mirror->device.erase(address, ERASE));
  }

  static int syncAll(void *context) {
    MoteMirror *const mirror = self(context);
    return result(mirror->device.sync() && mirror->compare());
  }

  void touch(uint32_t address, uint32_t count) {
    if (address < from_) from_ = address;
    if (address + count > to_) to_ = address + count;
  }

  /* Whether the device holds what was written since the last time. The copy becomes what it does hold. */
  bool compare() {
    bool same = true;
    for (; from_ < to_; from_ += PIECE) {
      uint8_t found[PIECE];
      const uint32_t count = to_ - from_ < PIECE ? to_ - from_ : PIECE;
      if (!device.read(from_, found, count)) return false;
      same = same && memcmp(found, copy_ + from_, count) == 0;
      memcpy(copy_ + from_, found, count);
    }
    from_ = SIZE;
    to_ = 0;
    return same;
  }

  alignas(8) uint8_t copy_[SIZE];
  /* What was touched since the last sync. */
  uint32_t from_;
  uint32_t to_;
};

#endif
