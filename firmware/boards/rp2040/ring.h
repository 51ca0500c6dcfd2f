/* Bytes between an interrupt and the main loop: one side writes, the other reads. */
#ifndef RING_H
#define RING_H

#include <stdint.h>

/* More than the requests that may be under way (8 of 512 bytes), so that none is lost while flash is erased. */
#define RING_BYTES 8192u

typedef struct {
  volatile uint32_t head; /* written so far */
  volatile uint32_t tail; /* read so far */
  uint8_t bytes[RING_BYTES];
} ring;

static inline uint32_t ring_used(const ring *r) { return r->head - r->tail; }

static inline uint32_t ring_room(const ring *r) { return RING_BYTES - ring_used(r); }

static inline void ring_put(ring *r, uint8_t byte) {
  r->bytes[r->head % RING_BYTES] = byte;
  r->head = r->head + 1u;
}

/* The longest run that lies in one piece, to be dropped with ring_drop. */
static inline uint32_t ring_peek(const ring *r, const uint8_t **bytes) {
  uint32_t used = ring_used(r);
  uint32_t at = r->tail % RING_BYTES;
  *bytes = r->bytes + at;
  return used < RING_BYTES - at ? used : RING_BYTES - at;
}

static inline void ring_drop(ring *r, uint32_t count) { r->tail = r->tail + count; }

#endif
