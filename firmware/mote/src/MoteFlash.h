/*
 * Models in the chip's own flash, run from where they lie: MoteFlash<65536> keeps two of up to 28,416 bytes. MOTE_HAS_FLASH is
 * defined where there is one:
 *
 *   RP2040, RP2350 (Earle Philhower's core)    the end of what the menu "Flash Size" gives to a file system
 *   ESP32 and its relatives                    the start of the data partition "spiffs", or MOTE_FLASH_PARTITION
 *   Mbed cores: Nano 33 BLE, Nicla, RP2040     the end of the flash, behind the sketch
 *   SAMD21: Zero, MKR, Nano 33 IoT             the end of the flash, behind the sketch; an upload erases it
 *
 * The sketch must not use that part for anything else. begin() is false when it is too small, or the sketch reaches into it.
 * While flash is written the processor stands still: microseconds for a unit, up to 0.1 s for a block.
 *
 * Compiled and run in Mote's tests against stand-ins that behave as the documentation of these cores says; none was tried on
 * a board.
 */
#ifndef MOTE_CHIP_FLASH_H
#define MOTE_CHIP_FLASH_H

#include <Arduino.h>

#include "MoteStorage.h"

#if defined(ARDUINO_ARCH_RP2040) && !defined(ARDUINO_ARCH_MBED)
#define MOTE_HAS_FLASH
#include <hardware/flash.h>

extern uint8_t _FS_start;
extern uint8_t _FS_end;

class MoteFlashDevice {
 public:
  const uint8_t *begin(uint32_t size, uint32_t erase, uint32_t) {
    const uintptr_t end = (uintptr_t)&_FS_end / erase * erase;
    if (end < (uintptr_t)&_FS_start + size) return 0;
    start_ = (const uint8_t *)(end - size);
    return start_;
  }
  bool program(uint32_t address, const uint8_t *bytes, uint32_t count) {
    stop();
    flash_range_program(offset(address), bytes, count);
    go();
    return memcmp(start_ + address, bytes, count) == 0;
  }
  bool erase(uint32_t address, uint32_t count) {
    stop();
    flash_range_erase(offset(address), count);
    go();
    return true;
  }

 private:
  /* Nothing may be fetched from flash meanwhile: by interrupts, or by the other core. */
  static void stop() {
    noInterrupts();
    rp2040.idleOtherCore();
  }
  static void go() {
    rp2040.resumeOtherCore();
    interrupts();
  }
  uint32_t offset(uint32_t address) const { return (uint32_t)((uintptr_t)start_ - (uintptr_t)XIP_BASE) + address; }

  const uint8_t *start_;
};

template <uint32_t SIZE = 65536>
using MoteFlash = MoteMapped<MoteFlashDevice, SIZE, 4096, 256>;

#elif defined(ARDUINO_ARCH_ESP32)
#define MOTE_HAS_FLASH
#include <esp_idf_version.h>
#include <esp_partition.h>
#if ESP_IDF_VERSION_MAJOR < 5
#include <esp_spi_flash.h>
#endif

#if !defined(MOTE_FLASH_PARTITION)
#define MOTE_FLASH_PARTITION "spiffs"
#endif

class MoteFlashDevice {
 public:
  const uint8_t *begin(uint32_t size, uint32_t, uint32_t) {
    const void *mapped = 0;
    if (mapped_) return mapped_;
    partition_ = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, MOTE_FLASH_PARTITION);
    if (!partition_ || partition_->size < size) return 0;
#if ESP_IDF_VERSION_MAJOR < 5
    spi_flash_mmap_handle_t handle;
    if (esp_partition_mmap(partition_, 0, size, SPI_FLASH_MMAP_DATA, &mapped, &handle) != ESP_OK) return 0;
#else
    esp_partition_mmap_handle_t handle;
    if (esp_partition_mmap(partition_, 0, size, ESP_PARTITION_MMAP_DATA, &mapped, &handle) != ESP_OK) return 0;
#endif
    /* Stays mapped as long as the sketch runs. */
    mapped_ = (const uint8_t *)mapped;
    return mapped_;
  }
  bool program(uint32_t address, const uint8_t *bytes, uint32_t count) {
    return esp_partition_write(partition_, address, bytes, count) == ESP_OK &&
           memcmp(mapped_ + address, bytes, count) == 0;
  }
  bool erase(uint32_t address, uint32_t count) {
    return esp_partition_erase_range(partition_, address, count) == ESP_OK;
  }

 private:
  const esp_partition_t *partition_;
  const uint8_t *mapped_;
};

template <uint32_t SIZE = 65536>
using MoteFlash = MoteMapped<MoteFlashDevice, SIZE, 4096, 16>;

#elif defined(ARDUINO_ARCH_MBED)
#define MOTE_HAS_FLASH
#include <FlashIAP.h>

class MoteFlashDevice {
 public:
  const uint8_t *begin(uint32_t size, uint32_t erase, uint32_t program) {
    if (flash_.init() != 0) return 0;
    start_ = flash_.get_flash_start() + flash_.get_flash_size() - size;
    /* Some chips have blocks of 128 KB, or erase to zero. */
    if (erase % flash_.get_sector_size(start_) != 0 || start_ % erase != 0) return 0;
    if (program % flash_.get_page_size() != 0 || flash_.get_erase_value() != 0xff) return 0;
    if (start_ < (uint32_t)FLASHIAP_APP_ROM_END_ADDR) return 0;
    return mapped();
  }
  bool program(uint32_t address, const uint8_t *bytes, uint32_t count) {
    return flash_.program(bytes, start_ + address, count) == 0 && memcmp(mapped() + address, bytes, count) == 0;
  }
  bool erase(uint32_t address, uint32_t count) { return flash_.erase(start_ + address, count) == 0; }

 private:
  const uint8_t *mapped() const { return (const uint8_t *)(uintptr_t)start_; }

  mbed::FlashIAP flash_;
  uint32_t start_;
};

template <uint32_t SIZE = 65536>
using MoteFlash = MoteMapped<MoteFlashDevice, SIZE, 4096, 256>;

#elif defined(ARDUINO_ARCH_SAMD) && !defined(__SAMD51__)
#define MOTE_HAS_FLASH

extern uint32_t __etext;
extern uint32_t __data_start__;
extern uint32_t __data_end__;

class MoteFlashDevice {
 public:
  const uint8_t *begin(uint32_t size, uint32_t, uint32_t) {
    const uint32_t bytes = (uint32_t)NVMCTRL->PARAM.bit.NVMP * PAGE;
    const uintptr_t sketch = (uintptr_t)&__etext + ((uintptr_t)&__data_end__ - (uintptr_t)&__data_start__);
    if (NVMCTRL->PARAM.bit.PSZ != PAGE_CODE || bytes < size || FLASH_ADDR + bytes - size < sketch) return 0;
    start_ = (uint8_t *)(uintptr_t)(FLASH_ADDR + bytes - size);
    /* Pages are written by a command of their own, not when their last word comes. */
    NVMCTRL->CTRLB.bit.MANW = 1;
    return start_;
  }
  bool program(uint32_t address, const uint8_t *bytes, uint32_t count) {
    for (uint32_t at = 0; at < count; at += PAGE) {
      command(NVMCTRL_CTRLA_CMD_PBC);
      for (uint32_t i = 0; i < PAGE; i += 4) {
        uint32_t word;
        memcpy(&word, bytes + at + i, 4);
        *(volatile uint32_t *)(void *)(start_ + address + at + i) = word;
      }
      command(NVMCTRL_CTRLA_CMD_WP);
    }
    return memcmp(start_ + address, bytes, count) == 0;
  }
  bool erase(uint32_t address, uint32_t count) {
    for (uint32_t at = 0; at < count; at += ROW) {
      NVMCTRL->ADDR.reg = (uint32_t)((uintptr_t)(start_ + address + at) / 2);
      command(NVMCTRL_CTRLA_CMD_ER);
    }
    return true;
  }

 private:
  /* The chip counts flash in words of 16 bits and erases four pages at a time. */
  static constexpr uint32_t PAGE = 64;
  static constexpr uint32_t PAGE_CODE = 3;
  static constexpr uint32_t ROW = 256;

  static void command(uint32_t which) {
    while (!NVMCTRL->INTFLAG.bit.READY) {
    }
    NVMCTRL->CTRLA.reg = (uint16_t)(NVMCTRL_CTRLA_CMDEX_KEY | which);
    while (!NVMCTRL->INTFLAG.bit.READY) {
    }
  }

  uint8_t *start_;
};

template <uint32_t SIZE = 32768>
using MoteFlash = MoteMapped<MoteFlashDevice, SIZE, 256, 64>;
#endif

#endif
