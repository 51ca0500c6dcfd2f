/*
 * Deploys to simulated flash and cuts the power at every single operation, leaving the touched bytes half done in
 * several ways; each time the board must boot into a valid model: the old or the new one, and the new one for certain
 * once the switch was reported done.
 */
#include "mote_slots.h"

#include "expect.h"
#include "mote_crc32.h"

#define FLASH_MOST 65536u

/* How an interrupted operation leaves what it touched. */
enum { TORN_NOTHING, TORN_HALF, TORN_ALL_BUT_ONE, TORN_RANDOM, TORN_COMPLETE, TORN_WAYS };

typedef struct {
  uint64_t words[FLASH_MOST / 8u]; /* aligned for packs */
  uint32_t prog_size;
  uint32_t erase_size;
  uint8_t erase_first;
  int32_t left; /* operations until the cut, negative = none comes */
  int torn;
  int dead;
  uint32_t operations;
  uint32_t random;
} flash;

static uint8_t *bytes_of(flash *f) { return (uint8_t *)f->words; }

static int flash_read(void *context, uint32_t address, void *bytes, uint32_t count) {
  EXPECT(address + count <= FLASH_MOST);
  memcpy(bytes, bytes_of((flash *)context) + address, count);
  return 0;
}

/* Whether the operation goes through; if the cut is now, *part says how many of `count` bytes are still done. */
static int power(flash *f, uint32_t count, uint32_t *part) {
  *part = 0;
  if (f->dead) return 0;
  f->operations++;
  if (f->left < 0 || f->left-- > 0) return 1;
  f->dead = 1;
  switch (f->torn) {
    case TORN_NOTHING: *part = 0; break;
    case TORN_HALF: *part = count / 2u; break;
    case TORN_ALL_BUT_ONE: *part = count - 1u; break;
    default: *part = count; break;
  }
  return 0;
}

static int flash_prog(void *context, uint32_t address, const void *bytes, uint32_t count) {
  flash *f = (flash *)context;
  uint8_t *to = bytes_of(f) + address;
  uint32_t part;
  uint32_t i;
  int whole;
  EXPECT(address % f->prog_size == 0 && count % f->prog_size == 0 && address + count <= FLASH_MOST);
  whole = power(f, count, &part);
  if (f->dead && part == 0) return -1;
  if (!f->dead) {
    for (i = 0; i < count; i++) EXPECT(to[i] == 0xff); /* programmed twice without an erase */
  }
  for (i = 0; i < (whole ? count : part); i++) {
    uint8_t mask = f->dead && f->torn == TORN_RANDOM ? (uint8_t)(next_random(&f->random) >> 7) : 0;
    to[i] = (uint8_t)(to[i] & (((const uint8_t *)bytes)[i] | mask));
  }
  return whole ? 0 : -1;
}

static int flash_erase(void *context, uint32_t address) {
  flash *f = (flash *)context;
  uint8_t *to = bytes_of(f) + address;
  uint32_t part;
  uint32_t i;
  int whole;
  EXPECT(address % f->erase_size == 0 && address + f->erase_size <= FLASH_MOST);
  whole = power(f, f->erase_size, &part);
  if (f->dead && part == 0) return -1;
  for (i = 0; i < (whole ? f->erase_size : part); i++) {
    to[i] = f->dead && f->torn == TORN_RANDOM ? (uint8_t)(to[i] | next_random(&f->random) >> 7) : 0xff;
  }
  return whole ? 0 : -1;
}

static int flash_sync(void *context) { return ((flash *)context)->dead ? -1 : 0; }

static uint8_t unit[MOTE_SLOTS_PROG_MAX];

static mote_storage storage_of(flash *f, uint32_t size) {
  mote_storage s = {0, flash_read, flash_prog, flash_erase, flash_sync, 0, 0, 0, 0, 0};
  s.context = f;
  s.mapped = bytes_of(f);
  s.size = size;
  s.prog_size = f->prog_size;
  s.erase_size = f->erase_size;
  s.erase_first = f->erase_first;
  return s;
}

/* A pack is told by its number: its bytes are drawn from it. */
static void make_pack(uint32_t number, uint8_t *bytes, uint32_t size) {
  uint32_t random = number * 2654435761u + 1u;
  uint32_t i;
  for (i = 0; i < size; i++) bytes[i] = (uint8_t)(next_random(&random) >> 13);
}

static uint32_t size_of(uint32_t number, uint32_t capacity) { return capacity - number * 37u % (capacity / 4u); }

static int is_pack(const mote_slots *s, int32_t slot, uint32_t number) {
  static uint8_t bytes[FLASH_MOST];
  const uint8_t *pack = slot < 0 ? 0 : mote_slots_pack(s, (uint32_t)slot);
  uint32_t size = size_of(number, s->capacity);
  if (pack == 0 || s->slots[slot].size != size) return 0;
  make_pack(number, bytes, size);
  return memcmp(pack, bytes, size) == 0;
}

/* Writes pack `number` into the slot that is not active and switches to it. 0 or the first error. */
static int deploy(mote_slots *s, uint32_t number) {
  static uint8_t bytes[FLASH_MOST];
  uint32_t slot = s->active == 0 ? 1u : 0u;
  uint32_t size = size_of(number, s->capacity);
  uint32_t crc;
  uint32_t found;
  uint32_t offset = 0;
  const uint8_t *pack;
  int error;
  make_pack(number, bytes, size);
  crc = mote_crc32(0, bytes, size);
  error = mote_slots_put_begin(s, slot, size, crc);
  while (error == 0 && offset < size) {
    uint32_t count = size - offset < 508u ? size - offset : 508u;
    error = mote_slots_put(s, bytes + offset, count);
    offset += count;
  }
  if (error == 0) error = mote_slots_put_check(s, &pack, &found);
  if (error == 0) error = mote_slots_put_commit(s);
  if (error == 0) error = mote_slots_activate(s, slot);
  return error;
}

static flash chip;
static flash before;

static void cut_everywhere(uint32_t prog_size, uint32_t erase_size, uint32_t size, uint8_t erase_first) {
  mote_storage storage;
  mote_slots s;
  uint32_t cuts = 0;
  uint32_t kept_old = 0;
  uint32_t took_new = 0;
  uint32_t number;
  /* The cuts begin shortly before both journal blocks are full, so that one is erased on the way. */
  uint32_t quiet = 2u * erase_size / (prog_size > 32u ? prog_size : 32u) - 1u;
  memset(&chip, 0xff, sizeof chip.words);
  chip.prog_size = prog_size;
  chip.erase_size = erase_size;
  chip.erase_first = erase_first;
  chip.random = 5;
  storage = storage_of(&chip, size);
  chip.left = -1;
  chip.dead = 0;
  EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0 && s.active == -1);
  for (number = 1; number <= quiet; number++) EXPECT(deploy(&s, number) == 0);
  for (; number <= quiet + 5u; number++) {
    int32_t cut;
    uint32_t operations;
    if (number == quiet + 1u) EXPECT(s.sequence == quiet);
    before = chip;
    chip.operations = 0;
    EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0);
    EXPECT(deploy(&s, number) == 0);
    operations = chip.operations;
    for (cut = 0; cut < (int32_t)operations; cut++) {
      int torn;
      for (torn = 0; torn < TORN_WAYS; torn++) {
        int again;
        chip = before;
        chip.left = cut;
        chip.torn = torn;
        chip.random = (uint32_t)cut * 31u + (uint32_t)torn + 1u;
        EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0);
        EXPECT(deploy(&s, number) != 0);
        EXPECT(chip.dead);
        /* Power is back. */
        chip.dead = 0;
        chip.left = -1;
        EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0);
        if (is_pack(&s, s.active, number)) {
          took_new++;
        } else {
          EXPECT(is_pack(&s, s.active, number - 1u));
          kept_old++;
        }
        /* And the board is as good as before: the next deploys work. */
        for (again = 0; again < 2; again++) {
          EXPECT(deploy(&s, number + 100u + (uint32_t)again) == 0);
          EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0);
          EXPECT(is_pack(&s, s.active, number + 100u + (uint32_t)again));
        }
        cuts++;
      }
    }
    chip = before;
    EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0);
    EXPECT(deploy(&s, number) == 0);
    EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0 && is_pack(&s, s.active, number));
  }
  printf("prog %u erase %u%s: %u cuts, old model %u, new model %u, neither 0\n", prog_size, erase_size,
         erase_first ? " first" : "", cuts, kept_old, took_new);
  EXPECT(kept_old > 0 && took_new > 0);
}

/* With erase_first nothing is erased between the beginning of a put and its end. */
static void erases_first(void) {
  static uint8_t bytes[FLASH_MOST];
  mote_storage storage;
  mote_slots s;
  uint32_t size;
  memset(&chip, 0, sizeof chip.words);
  chip.prog_size = 4;
  chip.erase_size = 512;
  chip.erase_first = 1;
  chip.left = -1;
  chip.dead = 0;
  storage = storage_of(&chip, 5120);
  EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0);
  for (size = 1; size <= s.capacity; size += 13) {
    uint32_t found;
    const uint8_t *pack;
    make_pack(size, bytes, size);
    EXPECT(mote_slots_put_begin(&s, 0, size, mote_crc32(0, bytes, size)) == 0);
    chip.operations = 0;
    EXPECT(mote_slots_put(&s, bytes, size) == 0 && mote_slots_put_check(&s, &pack, &found) == 0);
    EXPECT(chip.operations == (size + 3u) / 4u);
    EXPECT(mote_slots_put_commit(&s) == 0);
  }
  chip.erase_first = 0;
}

static void falls_back(void) {
  mote_storage storage;
  mote_slots s;
  uint32_t bit;
  memset(&chip, 0xff, sizeof chip.words);
  chip.prog_size = 16;
  chip.erase_size = 512;
  chip.left = -1;
  chip.dead = 0;
  storage = storage_of(&chip, 8192);
  EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0);
  EXPECT(deploy(&s, 1) == 0 && deploy(&s, 2) == 0);
  EXPECT(s.active == 1 && is_pack(&s, 1, 2) && is_pack(&s, 0, 1));
  before = chip;
  /* One flipped bit anywhere in the active slot: the former model runs. */
  for (bit = 0; bit < 8u * 3072u; bit += 11) {
    uint32_t at = 2u * 512u + s.slot_bytes + bit / 8u;
    int32_t active;
    chip = before;
    bytes_of(&chip)[at] = (uint8_t)(bytes_of(&chip)[at] ^ 1u << bit % 8u);
    EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0);
    active = s.active;
    /* Padding of the header and behind the pack does not matter. */
    if (active == 1) {
      EXPECT(is_pack(&s, 1, 2));
    } else {
      EXPECT(active == 0 && is_pack(&s, 0, 1) && s.slots[1].state == MOTE_SLOT_STATE_CORRUPT);
    }
  }
  /* A pack that the caller refuses: likewise, and putting the same pack again does not activate it by itself. */
  chip = before;
  EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0 && s.active == 1);
  EXPECT(mote_slots_fall_back(&s) == 0 && is_pack(&s, 0, 1));
  {
    static uint8_t bytes[8192];
    uint32_t size = size_of(2, s.capacity);
    uint32_t found;
    const uint8_t *pack;
    make_pack(2, bytes, size);
    EXPECT(mote_slots_put_begin(&s, 1, size, mote_crc32(0, bytes, size)) == 0);
    EXPECT(mote_slots_put(&s, bytes, size) == 0 && mote_slots_put_check(&s, &pack, &found) == 0);
    EXPECT(mote_slots_put_commit(&s) == 0);
    EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0 && s.active == 0 && s.slots[1].state == MOTE_SLOT_STATE_VALID);
    EXPECT(mote_slots_activate(&s, 1) == 0 && s.active == 1);
    /* Going back further and further ends. */
    for (found = 0; s.active >= 0; found++) EXPECT(found < 4 && mote_slots_fall_back(&s) == s.active);
  }
  printf("fall back: former model runs\n");
}

static void refuses(void) {
  static const uint32_t bad[][3] = {
      {0, 512, 8192}, {3, 513, 8192}, {16, 24, 8192}, {512, 512, 65536}, {1024, 4096, 65536}, {16, 4096, 12288}, {16, 60, 8192},
  };
  mote_storage storage;
  mote_slots s;
  uint8_t bytes[64];
  uint32_t found;
  uint32_t i;
  const uint8_t *pack;
  chip.left = -1;
  chip.dead = 0;
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    chip.prog_size = bad[i][0];
    chip.erase_size = bad[i][1];
    storage = storage_of(&chip, bad[i][2]);
    EXPECT(mote_slots_init(&s, &storage, 2, unit) == MOTE_SLOTS_E_GEOMETRY);
  }
  /* Flash full of noise or of zeros is no model and no error. */
  chip.prog_size = 16;
  chip.erase_size = 512;
  storage = storage_of(&chip, 8192);
  for (i = 0; i < 200; i++) {
    make_pack(1000u + i, bytes_of(&chip), 8192);
    if (i == 0) memset(bytes_of(&chip), 0, 8192);
    EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0 && s.active == -1);
    EXPECT(deploy(&s, 3) == 0);
    EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0 && is_pack(&s, s.active, 3));
  }
  EXPECT(mote_slots_put(&s, bytes, 1) == MOTE_SLOTS_E_STATE);
  EXPECT(mote_slots_put_check(&s, &pack, &found) == MOTE_SLOTS_E_STATE);
  EXPECT(mote_slots_put_commit(&s) == MOTE_SLOTS_E_STATE);
  EXPECT(mote_slots_put_begin(&s, 2, 8, 0) == MOTE_SLOTS_E_SLOT);
  EXPECT(mote_slots_put_begin(&s, (uint32_t)s.active, 8, 0) == MOTE_SLOTS_E_ACTIVE);
  EXPECT(mote_slots_put_begin(&s, 1, 0, 0) == MOTE_SLOTS_E_SIZE);
  EXPECT(mote_slots_put_begin(&s, 1, s.capacity + 1u, 0) == MOTE_SLOTS_E_SIZE);
  EXPECT(mote_slots_put_begin(&s, 1, 32, 12345) == 0);
  EXPECT(mote_slots_put(&s, bytes, 33) == MOTE_SLOTS_E_SIZE);
  EXPECT(mote_slots_put_check(&s, &pack, &found) == MOTE_SLOTS_E_STATE);
  EXPECT(mote_slots_put(&s, bytes, 32) == 0);
  EXPECT(mote_slots_put_check(&s, &pack, &found) == MOTE_SLOTS_E_CRC);
  EXPECT(mote_slots_activate(&s, 1) == MOTE_SLOTS_E_STATE);
  EXPECT(mote_slots_activate(&s, 2) == MOTE_SLOTS_E_SLOT);
  printf("refusals: as promised\n");
}

int main(void) {
  /* EEPROM-like, nRF, nRF as the micro:bit uses it, STM32-like, RP2040. */
  cut_everywhere(1, 64, 768, 0);
  cut_everywhere(4, 512, 3072, 0);
  cut_everywhere(4, 512, 5120, 1);
  cut_everywhere(64, 128, 1536, 0);
  cut_everywhere(256, 4096, 24576, 0);
  erases_first();
  falls_back();
  refuses();
  return 0;
}
