/*
 * Models in a block device as Mbed defines them (QSPI and SPI flash of Portenta, Nicla, Nano 33 and others), and a copy of its
 * first SIZE bytes in RAM. The device's own units must divide ERASE and PROG; begin() says whether they do.
 *
 *   MoteBlockDevice<QSPIFBlockDevice, 32768> storage(device);
 */
#ifndef MOTE_BLOCK_DEVICE_H
#define MOTE_BLOCK_DEVICE_H

#include "MoteMirror.h"

template <class Device, uint32_t ERASE, uint32_t PROG>
class MoteBlockDeviceAccess {
 public:
  explicit MoteBlockDeviceAccess(Device &device) : device_(&device) {}

  bool begin(uint32_t size) {
    return device_->init() == 0 && device_->size() >= size && device_->get_erase_size() > 0 &&
           ERASE % device_->get_erase_size() == 0 && device_->get_program_size() > 0 &&
           PROG % device_->get_program_size() == 0;
  }
  bool read(uint32_t address, uint8_t *bytes, uint32_t count) { return device_->read(bytes, address, count) == 0; }
  bool program(uint32_t address, const uint8_t *bytes, uint32_t count) {
    return device_->program(bytes, address, count) == 0;
  }
  bool erase(uint32_t address, uint32_t count) { return device_->erase(address, count) == 0 && blank(address, count); }
  bool sync() { return device_->sync() == 0; }

 private:
  /* Block devices may leave anything in erased bytes; the slots need 0xff. */
  bool blank(uint32_t address, uint32_t count) {
    for (; count > 0; count -= PROG, address += PROG) {
      uint8_t bytes[PROG];
      if (!read(address, bytes, PROG)) return false;
      for (uint32_t i = 0; i < PROG; i++) {
        if (bytes[i] != 0xff) return false;
      }
    }
    return true;
  }

  Device *device_;
};

template <class Device, uint32_t SIZE, uint32_t ERASE = 4096, uint32_t PROG = 256>
class MoteBlockDevice : public MoteMirror<MoteBlockDeviceAccess<Device, ERASE, PROG>, SIZE, ERASE, PROG> {
 public:
  explicit MoteBlockDevice(Device &device)
      : MoteMirror<MoteBlockDeviceAccess<Device, ERASE, PROG>, SIZE, ERASE, PROG>(
            MoteBlockDeviceAccess<Device, ERASE, PROG>(device)) {}
};

#endif
