#include "mote_slots.h"

#include "mote_crc32.h"

/* Header of a slot, and record of the journal: RECORD_WORDS words of 32 bits, the last a CRC-32 of those before. */
#define RECORD_WORDS 6u
#define RECORD_BYTES 32u
#define HEADER_MAGIC 0x544c534du /* "MSLT": pack size, pack CRC */
#define SWITCH_MAGIC 0x5453414du /* "MAST": sequence, slot, pack CRC */
#define LAYOUT_VERSION 1u

static uint32_t round_up(uint32_t value, uint32_t unit) { return (value + unit - 1u) / unit * unit; }

static uint32_t base_of(const mote_slots *s, uint32_t slot) {
  return 2u * s->storage->erase_size + slot * s->slot_bytes;
}

static void store32(uint8_t *bytes, uint32_t value) {
  bytes[0] = (uint8_t)(value & 0xffu);
  bytes[1] = (uint8_t)(value >> 8 & 0xffu);
  bytes[2] = (uint8_t)(value >> 16 & 0xffu);
  bytes[3] = (uint8_t)(value >> 24 & 0xffu);
}

static uint32_t load32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* ---- Records ---- */

/* 1: a record; 0: erased; -1: anything else, or unreadable. */
static int read_record(const mote_slots *s, uint32_t address, uint32_t magic, uint32_t words[3]) {
  uint8_t bytes[RECORD_BYTES];
  uint32_t i;
  int blank = 1;
  if (s->storage->read(s->storage->context, address, bytes, RECORD_BYTES) != 0) return -1;
  for (i = 0; i < RECORD_BYTES; i++) blank = blank && bytes[i] == 0xffu;
  if (blank) return 0;
  if (load32(bytes) != magic || load32(bytes + 4) != LAYOUT_VERSION) return -1;
  if (load32(bytes + 4u * (RECORD_WORDS - 1u)) != mote_crc32(0, bytes, 4u * (RECORD_WORDS - 1u))) return -1;
  for (i = 0; i < 3u; i++) words[i] = load32(bytes + 8u + 4u * i);
  return 1;
}

/* Programs a record into an erased place and reads it back. Uses the unit buffer. */
static int write_record(mote_slots *s, uint32_t address, uint32_t magic, const uint32_t words[3]) {
  const mote_storage *storage = s->storage;
  uint32_t left = s->record_bytes;
  uint32_t done = 0;
  uint8_t bytes[RECORD_BYTES];
  uint32_t found[3] = {0, 0, 0};
  uint32_t i;
  int error;
  for (i = 0; i < RECORD_BYTES; i++) bytes[i] = 0xffu;
  store32(bytes, magic);
  store32(bytes + 4, LAYOUT_VERSION);
  for (i = 0; i < 3u; i++) store32(bytes + 8u + 4u * i, words[i]);
  store32(bytes + 4u * (RECORD_WORDS - 1u), mote_crc32(0, bytes, 4u * (RECORD_WORDS - 1u)));
  while (left > 0) {
    for (i = 0; i < storage->prog_size; i++) s->unit[i] = done + i < RECORD_BYTES ? bytes[done + i] : 0xffu;
    error = storage->prog(storage->context, address + done, s->unit, storage->prog_size);
    if (error != 0) return error;
    done += storage->prog_size;
    left -= storage->prog_size;
  }
  error = storage->sync(storage->context);
  if (error != 0) return error;
  if (read_record(s, address, magic, found) != 1) return MOTE_SLOTS_E_STORAGE;
  for (i = 0; i < 3u; i++) {
    if (found[i] != words[i]) return MOTE_SLOTS_E_STORAGE;
  }
  return 0;
}

/* ---- Boot ---- */

static void inspect(mote_slots *s, uint32_t slot) {
  mote_slot *found = &s->slots[slot];
  uint32_t words[3];
  int header = read_record(s, base_of(s, slot), HEADER_MAGIC, words);
  found->size = 0;
  found->crc = 0;
  found->state = header == 0 ? MOTE_SLOT_STATE_EMPTY : MOTE_SLOT_STATE_CORRUPT;
  if (header != 1 || words[0] == 0 || words[0] > s->capacity) return;
  if (mote_crc32(0, s->storage->mapped + base_of(s, slot) + s->header_bytes, words[0]) != words[1]) return;
  found->state = MOTE_SLOT_STATE_VALID;
  found->size = words[0];
  found->crc = words[1];
}

static uint32_t records_per_block(const mote_slots *s) { return s->storage->erase_size / s->record_bytes; }

static uint32_t record_address(const mote_slots *s, uint32_t block, uint32_t index) {
  return block * s->storage->erase_size + index * s->record_bytes;
}

/* The active slot is the one named by the newest usable record with a sequence below `limit`. */
static void choose(mote_slots *s, uint32_t limit) {
  uint32_t block;
  uint32_t index;
  s->active = -1;
  s->chosen = 0;
  for (block = 0; block < 2u; block++) {
    for (index = 0; index < records_per_block(s); index++) {
      uint32_t words[3];
      if (read_record(s, record_address(s, block, index), SWITCH_MAGIC, words) != 1) continue;
      if (words[0] > s->sequence) s->sequence = words[0];
      if (words[0] >= limit || words[0] <= s->chosen || words[1] >= s->slot_count) continue;
      if (s->slots[words[1]].state != MOTE_SLOT_STATE_VALID || s->slots[words[1]].crc != words[2]) continue;
      s->chosen = words[0];
      s->active = (int32_t)words[1];
    }
  }
}

int mote_slots_init(mote_slots *s, const mote_storage *storage, uint32_t slot_count, uint8_t *unit) {
  uint32_t prog = storage->prog_size;
  uint32_t erase = storage->erase_size;
  uint32_t slot;
  s->storage = storage;
  s->slot_count = 0;
  s->active = -1;
  s->sequence = 0;
  s->chosen = 0;
  s->unit = unit;
  s->capacity = 0;
  mote_slots_put_abort(s);
  if (prog == 0 || prog > MOTE_SLOTS_PROG_MAX || (prog & (prog - 1u)) != 0) return MOTE_SLOTS_E_GEOMETRY;
  s->record_bytes = round_up(RECORD_BYTES, prog);
  s->header_bytes = s->record_bytes;
  if (erase % prog != 0 || erase % 8u != 0 || erase < 2u * s->record_bytes) return MOTE_SLOTS_E_GEOMETRY;
  if (slot_count == 0 || slot_count > MOTE_SLOTS_MAX) return MOTE_SLOTS_E_GEOMETRY;
  if (storage->size / erase < 2u + slot_count) return MOTE_SLOTS_E_GEOMETRY;
  s->slot_bytes = (storage->size / erase - 2u) / slot_count * erase;
  s->capacity = (s->slot_bytes - s->header_bytes) / 4u * 4u;
  s->slot_count = slot_count;
  for (slot = 0; slot < slot_count; slot++) inspect(s, slot);
  choose(s, 0xffffffffu);
  return 0;
}

int32_t mote_slots_fall_back(mote_slots *s) {
  choose(s, s->chosen);
  return s->active;
}

const uint8_t *mote_slots_pack(const mote_slots *s, uint32_t slot) {
  if (slot >= s->slot_count || s->slots[slot].state != MOTE_SLOT_STATE_VALID) return 0;
  return s->storage->mapped + base_of(s, slot) + s->header_bytes;
}

/* ---- Switching ---- */

/* Where the next journal record goes; erases the older block when the newer is full. */
static int journal_place(mote_slots *s, uint32_t *address) {
  uint32_t newest[2] = {0, 0};
  uint32_t free_from[2] = {0, 0}; /* index behind the last place that is not blank */
  uint32_t block;
  uint32_t index;
  uint32_t current;
  int error;
  for (block = 0; block < 2u; block++) {
    for (index = 0; index < records_per_block(s); index++) {
      uint32_t words[3];
      int record = read_record(s, record_address(s, block, index), SWITCH_MAGIC, words);
      if (record == 1 && words[0] > newest[block]) newest[block] = words[0];
      if (record != 0) free_from[block] = index + 1u;
    }
  }
  current = newest[1] > newest[0] ? 1u : 0u;
  if (free_from[current] == records_per_block(s)) {
    current = 1u - current;
    error = s->storage->erase(s->storage->context, current * s->storage->erase_size);
    if (error != 0) return error;
    free_from[current] = 0;
  }
  *address = record_address(s, current, free_from[current]);
  return 0;
}

/* Appends "this slot is the active one" to the journal. */
static int record_switch(mote_slots *s, uint32_t slot) {
  uint32_t words[3];
  uint32_t address = 0;
  int error = MOTE_SLOTS_E_STORAGE;
  int attempt;
  words[0] = s->sequence + 1u;
  words[1] = slot;
  words[2] = s->slots[slot].crc;
  /* A place that was left half programmed by a power cut may look blank; the next one is then tried. */
  for (attempt = 0; attempt < 2 && error == MOTE_SLOTS_E_STORAGE; attempt++) {
    error = journal_place(s, &address);
    if (error != 0) return error;
    error = write_record(s, address, SWITCH_MAGIC, words);
  }
  if (error != 0) return error;
  s->sequence = words[0];
  s->chosen = words[0];
  s->active = (int32_t)slot;
  return 0;
}

int mote_slots_activate(mote_slots *s, uint32_t slot) {
  if (slot >= s->slot_count) return MOTE_SLOTS_E_SLOT;
  if (s->slots[slot].state != MOTE_SLOT_STATE_VALID || s->put_slot >= 0) return MOTE_SLOTS_E_STATE;
  return (int32_t)slot == s->active ? 0 : record_switch(s, slot);
}

/* ---- Putting ---- */

static int erase_next(mote_slots *s) {
  int error = s->storage->erase(s->storage->context, s->put_erased);
  if (error == 0) s->put_erased += s->storage->erase_size;
  return error;
}

/* Programs the unit buffer, padded, as the last bytes of the pack so far, and reads it back. */
static int flush_unit(mote_slots *s) {
  const mote_storage *storage = s->storage;
  uint32_t count = s->unit_used;
  uint32_t address = base_of(s, (uint32_t)s->put_slot) + s->header_bytes + s->put_taken - count;
  int error;
  while (s->unit_used < storage->prog_size) s->unit[s->unit_used++] = 0xffu;
  while (address >= s->put_erased) {
    error = erase_next(s);
    if (error != 0) return error;
  }
  s->unit_used = 0;
  error = storage->prog(storage->context, address, s->unit, storage->prog_size);
  if (error == 0) s->put_found = mote_crc32(s->put_found, storage->mapped + address, count);
  return error;
}

int mote_slots_put_begin(mote_slots *s, uint32_t slot, uint32_t size, uint32_t crc) {
  int error;
  mote_slots_put_abort(s);
  if (slot >= s->slot_count) return MOTE_SLOTS_E_SLOT;
  if ((int32_t)slot == s->active) return MOTE_SLOTS_E_ACTIVE;
  if (size == 0 || size > s->capacity) return MOTE_SLOTS_E_SIZE;
  /*
   * After a fall-back the newest record names a pack that could not run. Putting that very pack again must not make it
   * active by itself, so the present choice is recorded first.
   */
  if (s->active >= 0 && s->sequence != s->chosen) {
    error = record_switch(s, (uint32_t)s->active);
    if (error != 0) return error;
  }
  s->slots[slot].state = MOTE_SLOT_STATE_EMPTY;
  s->slots[slot].size = 0;
  s->slots[slot].crc = 0;
  s->put_erased = base_of(s, slot);
  do {
    error = erase_next(s);
    if (error != 0) return error;
  } while (s->storage->erase_first && s->put_erased - base_of(s, slot) < s->header_bytes + size);
  s->put_slot = (int32_t)slot;
  s->put_size = size;
  s->put_crc = crc;
  return 0;
}

int mote_slots_put(mote_slots *s, const uint8_t *bytes, uint32_t count) {
  uint32_t i;
  if (s->put_slot < 0) return MOTE_SLOTS_E_STATE;
  if (count > s->put_size - s->put_taken) return MOTE_SLOTS_E_SIZE;
  for (i = 0; i < count; i++) {
    s->unit[s->unit_used++] = bytes[i];
    s->put_taken++;
    if (s->unit_used == s->storage->prog_size || s->put_taken == s->put_size) {
      int error = flush_unit(s);
      if (error != 0) {
        mote_slots_put_abort(s);
        return error;
      }
    }
  }
  return 0;
}

int mote_slots_put_check(mote_slots *s, const uint8_t **pack, uint32_t *crc_found) {
  int error;
  if (s->put_slot < 0 || s->put_taken != s->put_size) return MOTE_SLOTS_E_STATE;
  error = s->storage->sync(s->storage->context);
  if (error != 0) return error;
  *crc_found = s->put_found;
  if (*crc_found != s->put_crc) return MOTE_SLOTS_E_CRC;
  *pack = s->storage->mapped + base_of(s, (uint32_t)s->put_slot) + s->header_bytes;
  return 0;
}

int mote_slots_put_commit(mote_slots *s) {
  uint32_t words[3];
  uint32_t slot = (uint32_t)s->put_slot;
  int error;
  if (s->put_slot < 0 || s->put_taken != s->put_size) return MOTE_SLOTS_E_STATE;
  words[0] = s->put_size;
  words[1] = s->put_crc;
  words[2] = 0;
  error = write_record(s, base_of(s, slot), HEADER_MAGIC, words);
  mote_slots_put_abort(s);
  if (error != 0) return error;
  s->slots[slot].state = MOTE_SLOT_STATE_VALID;
  s->slots[slot].size = words[0];
  s->slots[slot].crc = words[1];
  return 0;
}

void mote_slots_put_abort(mote_slots *s) {
  s->put_slot = -1;
  s->put_size = 0;
  s->put_crc = 0;
  s->put_taken = 0;
  s->put_erased = 0;
  s->put_found = 0;
  s->unit_used = 0;
}
