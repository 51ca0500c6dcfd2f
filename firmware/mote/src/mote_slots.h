/*
 * Model slots in flash: write a new model beside the running one, then switch with one record. Content is opaque here.
 *
 *   | journal block 0 | journal block 1 | slot 0: header, pack ... | slot 1: header, pack ... | ...
 *
 * Power may fail during any erase or program, and leave the touched block or bytes in any state. Why that does no harm:
 *
 *  - A slot is valid when its header passes its CRC and the pack behind it the CRC in the header. A put first erases
 *    the block with the header, and programs the header last. So a half-written slot is never valid, and the only
 *    content that is ever destroyed is that of the slot being written, which may not be the active one.
 *  - Which slot is active is said by a journal of records {sequence, slot, CRC of its pack}, each with its own CRC. The
 *    active slot is named by the record with the highest sequence whose slot is valid and holds the very pack that was
 *    activated. So switching is one program of one record: either it reads back whole, and the new model is active, or
 *    it does not, and the old one is.
 *  - When a journal block is full, the *other* block is erased and written on. The newest record is always in the block
 *    that is not being erased.
 *  - When the active pack is found damaged at boot, the record before it decides: the board falls back to the previous
 *    model, as long as that has not been overwritten.
 *
 * Erased bytes read 0xff, programming an erased unit sets it; no unit is programmed twice between two erases.
 */
#ifndef MOTE_SLOTS_H
#define MOTE_SLOTS_H

#include <stdint.h>

#include "mote_wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Most slots. */
#define MOTE_SLOTS_MAX 4

/* Longest unit of programming that is supported, bytes. */
#define MOTE_SLOTS_PROG_MAX 512

enum {
  MOTE_SLOTS_E_GEOMETRY = -100, /* sizes that cannot hold two journal blocks and the slots */
  MOTE_SLOTS_E_STORAGE = -101,  /* the storage did not keep what was programmed */
  MOTE_SLOTS_E_SLOT = -102,     /* no such slot */
  MOTE_SLOTS_E_ACTIVE = -103,   /* would destroy the active slot */
  MOTE_SLOTS_E_SIZE = -104,     /* more bytes than announced, or than fit */
  MOTE_SLOTS_E_STATE = -105,    /* no put under way, or not complete; or slot not valid */
  MOTE_SLOTS_E_CRC = -106       /* bytes in storage are not those announced */
};

/* Storage for slots. Callbacks return 0 or a negative error, which is passed on. */
typedef struct {
  void *context;
  /* Reads `count` bytes at `address`. */
  int (*read)(void *context, uint32_t address, void *bytes, uint32_t count);
  /* Programs `count` erased bytes at `address`; both are multiples of prog_size. */
  int (*prog)(void *context, uint32_t address, const void *bytes, uint32_t count);
  /* Erases the block of erase_size bytes at `address`, a multiple of erase_size. */
  int (*erase)(void *context, uint32_t address);
  /* Returns when all before is safe from a power cut. */
  int (*sync)(void *context);
  /* Address 0 as ordinary memory, 8-byte aligned: packs are run in place, and read back as soon as `prog` returns. */
  const uint8_t *mapped;
  /* Bytes in all. */
  uint32_t size;
  /* Unit of programming: power of two, 1..MOTE_SLOTS_PROG_MAX. */
  uint32_t prog_size;
  /* Unit of erasing: multiple of prog_size and of 8, at least two journal records: max(64, 2 * prog_size). */
  uint32_t erase_size;
  /*
   * 1: a put erases all its blocks before its first byte, for chips that stand still meanwhile and lose what is sent to
   * them. From then until its end nothing takes longer than programming a unit. 0: each block when its turn comes.
   */
  uint8_t erase_first;
} mote_storage;

typedef struct {
  uint8_t state; /* MOTE_SLOT_STATE_* */
  uint32_t size; /* bytes of the pack, 0 when not valid */
  uint32_t crc;  /* CRC-32 of the pack */
} mote_slot;

typedef struct {
  const mote_storage *storage;
  mote_slot slots[MOTE_SLOTS_MAX];
  uint32_t slot_count;
  uint32_t slot_bytes;   /* of storage, header included */
  uint32_t header_bytes; /* before the pack */
  uint32_t record_bytes; /* of a journal record in storage */
  uint32_t capacity;     /* most bytes of a pack */
  int32_t active;        /* slot, or -1 */
  uint32_t sequence;     /* highest in the journal, 0 = none */
  uint32_t chosen;       /* sequence of the record that named the active slot */
  /* the put under way */
  int32_t put_slot; /* -1 = none */
  uint32_t put_size;
  uint32_t put_crc;
  uint32_t put_taken;  /* bytes taken so far */
  uint32_t put_erased; /* address up to which the slot is erased */
  uint32_t put_found;  /* CRC-32 of the bytes that are in storage so far */
  uint8_t *unit;       /* bytes that do not fill a unit of programming yet */
  uint32_t unit_used;
} mote_slots;

/*
 * Reads the storage and finds the active slot. `unit` is prog_size bytes of memory that stays. 0 or an error; storage
 * full of garbage is no error: all slots are then empty or corrupt, and none active.
 */
int mote_slots_init(mote_slots *s, const mote_storage *storage, uint32_t slot_count, uint8_t *unit);

/*
 * Takes the active slot as unusable (for reasons that only the caller sees) and goes back to the one before it in the
 * journal. Returns the new active slot, or -1. Storage is not changed.
 */
int32_t mote_slots_fall_back(mote_slots *s);

/* A slot's pack in memory; a null pointer when the slot is not valid. */
const uint8_t *mote_slots_pack(const mote_slots *s, uint32_t slot);

/* Starts writing a pack of `size` bytes with this CRC-32. Its former content is gone at once. */
int mote_slots_put_begin(mote_slots *s, uint32_t slot, uint32_t size, uint32_t crc);

/* The next bytes of the pack. Blocks that are not erased yet are erased on the way. */
int mote_slots_put(mote_slots *s, const uint8_t *bytes, uint32_t count);

/* All bytes are in storage and have the announced CRC: 0, and *pack is where they are. The slot is not valid yet. */
int mote_slots_put_check(mote_slots *s, const uint8_t **pack, uint32_t *crc_found);

/* Makes the slot valid, after mote_slots_put_check. */
int mote_slots_put_commit(mote_slots *s);

/* Forgets the put under way. The slot stays empty. */
void mote_slots_put_abort(mote_slots *s);

/* Makes a valid slot the active one, while no put is under way. Nothing is written when it is already. */
int mote_slots_activate(mote_slots *s, uint32_t slot);

#ifdef __cplusplus
}
#endif

#endif
