/* A chip whose power can be cut at any operation on its storage, under the stand-ins for the cores of Arduino. */
#ifndef CHIP_H
#define CHIP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define EXPECT(condition)                                                     \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);         \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

/* How the operation that the cut interrupts leaves its bytes. */
enum { TORN_NOTHING, TORN_HALF, TORN_NOISE, TORN_COMPLETE, TORN_WAYS };

struct Chip {
  enum { BYTES = 65536 };
  uint8_t *bytes;
  long left;
  long operations;
  int torn;
  bool dead;
  uint32_t random;

  /* At a place that the linker knows too, below 4 GB as the addresses of such chips are. */
  explicit Chip(uintptr_t at) : left(-1), operations(0), torn(0), dead(false), random(1) {
    bytes = (uint8_t *)mmap((void *)at, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    EXPECT(bytes == (uint8_t *)at);
    memset(bytes, 0xff, BYTES);
  }

  uint8_t noise() {
    random = random * 1664525u + 1013904223u;
    return (uint8_t)(random >> 24);
  }

  /* Flash only clears bits, and only where it was erased; EEPROM and files take any byte. */
  void program(uint32_t at, const void *from, uint32_t count, bool flash) {
    EXPECT(at <= BYTES && count <= BYTES - at);
    for (uint32_t i = 0; flash && !dead && i < count; i++) EXPECT(bytes[at + i] == 0xff);
    change(at, (const uint8_t *)from, count, flash);
  }

  void erase(uint32_t at, uint32_t count) {
    EXPECT(at <= BYTES && count <= BYTES - at);
    change(at, 0, count, false);
  }

 private:
  void change(uint32_t at, const uint8_t *from, uint32_t count, bool clears) {
    if (dead) return;
    operations++;
    const bool cut = left >= 0 && left-- == 0;
    const uint32_t done = !cut || torn >= TORN_NOISE ? count : torn == TORN_HALF ? count / 2 : 0;
    for (uint32_t i = 0; i < done; i++) {
      uint8_t to = from ? from[i] : 0xff;
      if (cut && torn == TORN_NOISE) to = clears ? (uint8_t)(to | noise()) : noise();
      bytes[at + i] = clears ? (uint8_t)(bytes[at + i] & to) : to;
    }
    dead = cut;
  }
};

extern Chip chip;

#endif
