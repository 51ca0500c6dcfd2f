/*
 * Models in a file, and a copy of it in RAM: for any class like Arduino's File (LittleFS, SPIFFS, FFat, SD), with
 * seek(position), read(bytes, count), write(bytes, count), flush() and size().
 *
 *   File file;
 *   MoteFile<File, 16384> storage(file);
 *   file = LittleFS.open("/models", LittleFS.exists("/models") ? "r+" : "w+");
 *   if (storage.begin()) mote.keepModels(storage, modelRam);
 *
 * Opened for reading and writing in place: a file that only appends (SD's FILE_WRITE) is refused. It is made as long as it must
 * be. Whether it survives a power cut is up to the file system: LittleFS writes beside the old bytes, and FAT leaves a file of
 * constant length where it is.
 */
#ifndef MOTE_FILE_H
#define MOTE_FILE_H

#include "MoteMirror.h"

template <class File>
class MoteFileDevice {
 public:
  explicit MoteFileDevice(File &file) : file_(&file) {}

  bool begin(uint32_t size) {
    if (!*file_) return false;
    while (bytes() < size) {
      const uint32_t before = bytes();
      if (!erase(before, size - before < PIECE ? size - before : PIECE)) return false;
      file_->flush();
      if (bytes() <= before) return false;
    }
    return writesInPlace();
  }
  bool read(uint32_t address, uint8_t *bytes, uint32_t count) {
    return file_->seek(address) && (uint32_t)file_->read(bytes, (size_t)count) == count;
  }
  bool program(uint32_t address, const uint8_t *bytes, uint32_t count) {
    return file_->seek(address) && (uint32_t)file_->write(bytes, (size_t)count) == count;
  }
  bool erase(uint32_t address, uint32_t count) {
    uint8_t erased[PIECE];
    memset(erased, 0xff, PIECE);
    while (count > 0) {
      const uint32_t some = count < PIECE ? count : PIECE;
      if (!program(address, erased, some)) return false;
      address += some;
      count -= some;
    }
    return true;
  }
  bool sync() {
    file_->flush();
    return true;
  }

 private:
  static constexpr uint32_t PIECE = 64;

  uint32_t bytes() { return (uint32_t)file_->size(); }

  /* Writes a byte that is there once more: a file that grows by it appends. */
  bool writesInPlace() {
    const uint32_t before = bytes();
    uint8_t first;
    if (!read(0, &first, 1) || !program(0, &first, 1)) return false;
    file_->flush();
    return bytes() == before;
  }

  File *file_;
};

template <class File, uint32_t SIZE>
class MoteFile : public MoteMirror<MoteFileDevice<File>, SIZE, 512, 256> {
 public:
  explicit MoteFile(File &file) : MoteMirror<MoteFileDevice<File>, SIZE, 512, 256>(MoteFileDevice<File>(file)) {
    /* One stretch of erasing and one of programming, so that file systems need not go back and forth. */
    this->erase_first = 1;
  }
};

#endif
