/*
 * The ready storages of the Arduino library on stand-ins for their cores: a deploy is cut at every operation that changes the
 * storage, and each time the board must boot into the old or the new model. One core at a time: -DCORE_AVR and so on.
 */
#include "arduino-cores/chip.h"

/* The symbols of the linker scripts lie in here: see storages.test.ts. */
Chip chip(0x20000000);

#if defined(CORE_AVR)
/* For this header alone: the CRC below is this computer's. */
#define __AVR__
#include "MoteEeprom.h"
#undef __AVR__
#include "MoteRam.h"
#elif defined(CORE_FILE)
#include "MoteBlockDevice.h"
#include "MoteFile.h"
#else
#include "MoteFlash.h"
#if !defined(MOTE_HAS_FLASH)
#error "This core has flash."
#endif
#endif

#include "mote_crc32.h"

static uint8_t unit[MOTE_SLOTS_PROG_MAX];
static uint8_t pack_bytes[32768];

static uint32_t make_pack(uint32_t number, uint32_t capacity) {
  const uint32_t size = capacity - number * 37u % (capacity / 4u);
  uint32_t random = number * 2654435761u + 1u;
  for (uint32_t i = 0; i < size; i++) {
    random = random * 1664525u + 1013904223u;
    pack_bytes[i] = (uint8_t)(random >> 24);
  }
  return size;
}

static bool holds(const mote_slots &s, uint32_t number) {
  const uint8_t *pack = s.active < 0 ? 0 : mote_slots_pack(&s, (uint32_t)s.active);
  const uint32_t size = make_pack(number, s.capacity);
  return pack && s.slots[s.active].size == size && memcmp(pack, pack_bytes, size) == 0;
}

static int deploy(mote_slots &s, uint32_t number) {
  const uint32_t slot = s.active == 0 ? 1 : 0;
  const uint32_t size = make_pack(number, s.capacity);
  const uint8_t *pack;
  uint32_t found;
  int error = mote_slots_put_begin(&s, slot, size, mote_crc32(0, pack_bytes, size));
  if (error == 0) error = mote_slots_put(&s, pack_bytes, size);
  if (error == 0) error = mote_slots_put_check(&s, &pack, &found);
  if (error == 0) error = mote_slots_put_commit(&s);
  return error != 0 ? error : mote_slots_activate(&s, slot);
}

/* Power-up: `make` gives a storage that knows nothing yet. */
template <class Storage>
static void boot(Storage &storage, mote_slots &s) {
  chip.dead = false;
  chip.left = -1;
  EXPECT(storage.begin());
  EXPECT(mote_slots_init(&s, &storage, 2, unit) == 0);
  EXPECT(s.capacity == Storage::capacity());
}

template <class Storage, class... Arguments>
static void cut_everywhere(const char *name, Arguments &...arguments) {
  static uint8_t before[Chip::BYTES];
  long cuts = 0, old = 0;
  memset(chip.bytes, 0xff, Chip::BYTES);
  {
    Storage storage(arguments...);
    mote_slots s;
    boot(storage, s);
    EXPECT(s.active == -1);
    for (uint32_t number = 1; number <= 3; number++) EXPECT(deploy(s, number) == 0);
    memcpy(before, chip.bytes, Chip::BYTES);
    chip.operations = 0;
    EXPECT(deploy(s, 4) == 0);
  }
  const long operations = chip.operations;
  EXPECT(operations >= 3);
  for (long cut = 0; cut < operations; cut++) {
    for (int torn = 0; torn < TORN_WAYS; torn++) {
      memcpy(chip.bytes, before, Chip::BYTES);
      {
        Storage storage(arguments...);
        mote_slots s;
        boot(storage, s);
        EXPECT(holds(s, 3));
        chip.left = cut;
        chip.torn = torn;
        chip.random = (uint32_t)(cut * TORN_WAYS + torn);
        (void)deploy(s, 4);
        EXPECT(chip.dead);
      }
      Storage storage(arguments...);
      mote_slots s;
      boot(storage, s);
      if (holds(s, 3)) {
        old++;
      } else {
        EXPECT(holds(s, 4));
      }
      cuts++;
      /* The next deploy works, and is still there after a reset. */
      EXPECT(deploy(s, 5) == 0);
      Storage again(arguments...);
      boot(again, s);
      EXPECT(holds(s, 5));
    }
  }
  printf("%s: %ld cuts, old model %ld, new model %ld, neither 0\n", name, cuts, old, cuts - old);
}

#if defined(CORE_AVR)

static void run() {
  EXPECT(MoteEeprom<>::SIZE == 4096 && MoteEeprom<>::capacity() == 1952);
  cut_everywhere<MoteEeprom<512>>("EEPROM, 512 bytes");
  cut_everywhere<MoteEeprom<1024, 3072>>("EEPROM, its last 1024 bytes");
  for (uint32_t i = 0; i < 3072; i++) EXPECT(chip.bytes[i] == 0xff);
  MoteRam<4096> ram;
  mote_slots s;
  boot(ram, s);
  for (uint32_t number = 1; number <= 200; number++) EXPECT(deploy(s, number) == 0 && holds(s, number));
  EXPECT(ram.begin() && mote_slots_init(&s, &ram, 2, unit) == 0 && s.active == -1);
  printf("RAM: 200 deploys, empty after a reset\n");
}

#elif defined(CORE_FILE)

/* Writes reach the medium as they come, or all at once with flush(), or only ever at the end. */
enum Kind { IN_PLACE, ON_FLUSH, APPENDS };

struct File {
  Kind kind;
  uint32_t length, position, most;
  uint8_t cache[Chip::BYTES];
  bool changed;

  File(Kind kind, uint32_t most) : kind(kind), length(0), position(0), most(most), changed(false) {}
  void open() {
    memcpy(cache, chip.bytes, sizeof cache);
    position = 0;
    changed = false;
  }
  operator bool() const { return most > 0; }
  uint32_t size() const { return length; }
  bool seek(uint32_t to) {
    position = to;
    return to <= length;
  }
  size_t read(uint8_t *bytes, size_t count) {
    EXPECT(position + count <= length);
    memcpy(bytes, (kind == ON_FLUSH ? cache : chip.bytes) + position, count);
    position += (uint32_t)count;
    return count;
  }
  size_t write(const uint8_t *bytes, size_t count) {
    if (kind == APPENDS) position = length;
    if (position + count > most) return 0;
    if (kind == ON_FLUSH) {
      memcpy(cache + position, bytes, count);
      changed = true;
    } else {
      chip.program(position, bytes, (uint32_t)count, false);
    }
    position += (uint32_t)count;
    if (position > length) length = position;
    return count;
  }
  /* All or nothing. */
  void flush() {
    if (!changed || chip.dead) return;
    chip.operations++;
    changed = false;
    if (chip.left >= 0 && chip.left-- == 0) {
      chip.dead = true;
      if (chip.torn == TORN_NOTHING) return;
    }
    memcpy(chip.bytes, cache, sizeof cache);
  }
};

/* The sketch opens its file before begin(). */
template <uint32_t SIZE>
struct OpenedFile : MoteFile<File, SIZE> {
  File &file;
  explicit OpenedFile(File &file) : MoteFile<File, SIZE>(file), file(file) {}
  bool begin() {
    file.open();
    return MoteFile<File, SIZE>::begin();
  }
};

struct Flash {
  uint32_t erases, bytes;
  explicit Flash(uint32_t erases = 4096, uint32_t bytes = Chip::BYTES) : erases(erases), bytes(bytes) {}
  int init() { return 0; }
  uint64_t size() const { return bytes; }
  uint64_t get_erase_size() const { return erases; }
  uint64_t get_program_size() const { return 1; }
  int read(void *to, uint64_t at, uint64_t count) {
    memcpy(to, chip.bytes + at, (size_t)count);
    return 0;
  }
  int program(const void *from, uint64_t at, uint64_t count) {
    chip.program((uint32_t)at, from, (uint32_t)count, true);
    return 0;
  }
  int erase(uint64_t at, uint64_t count) {
    EXPECT(at % erases == 0 && count % erases == 0);
    chip.erase((uint32_t)at, (uint32_t)count);
    return 0;
  }
  int sync() { return 0; }
};

/* A cell that keeps what it likes. */
struct WornFlash : Flash {
  int program(const void *from, uint64_t at, uint64_t count) {
    const int result = Flash::program(from, at, count);
    if (at <= 9000 && 9000 < at + count) chip.bytes[9000] = 0x55;
    return result;
  }
};

static void run() {
  static File in_place(IN_PLACE, 8192), on_flush(ON_FLUSH, 8192);
  static File appends(APPENDS, Chip::BYTES), small(IN_PLACE, 4096), none(IN_PLACE, 0);
  Flash flash, coarse(131072), little(4096, 8192);
  cut_everywhere<OpenedFile<8192>>("file in place, like FAT", in_place);
  cut_everywhere<OpenedFile<8192>>("file by copies, like LittleFS", on_flush);
  EXPECT((!MoteFile<File, 8192>(appends).begin()));
  EXPECT((!MoteFile<File, 8192>(small).begin()));
  EXPECT((!MoteFile<File, 8192>(none).begin()));
  cut_everywhere<MoteBlockDevice<Flash, 16384>>("block device", flash);
  EXPECT(!(MoteBlockDevice<Flash, 16384>(coarse).begin()));
  EXPECT(!(MoteBlockDevice<Flash, 16384>(little).begin()));
  {
    WornFlash worn;
    MoteBlockDevice<WornFlash, 16384> storage(worn);
    mote_slots s;
    memset(chip.bytes, 0xff, Chip::BYTES);
    boot(storage, s);
    /* The first slot holds byte 9000: what it kept is not what was sent. */
    EXPECT(deploy(s, 1) != 0 && s.active == -1);
    boot(storage, s);
    EXPECT(s.active == -1);
  }
  printf("refusals: as promised\n");
}

#elif defined(CORE_RP2040)

int stopped = 0;
StandInCores rp2040;

static void run() {
  cut_everywhere<MoteFlash<16384>>("flash of an RP2040");
  EXPECT(stopped == 0);
  for (uint32_t i = 0; i < 32768; i++) EXPECT(chip.bytes[i] == 0xff);
  EXPECT(!MoteFlash<65536>().begin());
}

#elif defined(CORE_ESP32)

const char *partition_label = "spiffs";
esp_partition_t partition = {32768};

static void run() {
  cut_everywhere<MoteFlash<16384>>("flash of an ESP32");
  EXPECT(!MoteFlash<65536>().begin());
  partition_label = "ffat";
  EXPECT(!MoteFlash<16384>().begin());
}

#elif defined(CORE_MBED)

uint32_t sketch_bytes = 32768;
uint32_t sector_bytes = 4096;

static void run() {
  cut_everywhere<MoteFlash<16384>>("flash with Mbed");
  for (uint32_t i = 0; i < Chip::BYTES - 16384; i++) EXPECT(chip.bytes[i] == 0xff);
  EXPECT(!MoteFlash<49152>().begin());
  sector_bytes = 131072;
  EXPECT(!MoteFlash<16384>().begin());
}

#elif defined(CORE_SAMD)

static Chip mapped(0x21000000);
uint8_t *flash_view = mapped.bytes;
StandInNvm nvm;

void StandInCommand::operator=(uint16_t value) {
  EXPECT((value & 0xff00) == NVMCTRL_CTRLA_CMDEX_KEY && nvm.INTFLAG.bit.READY && nvm.CTRLB.bit.MANW);
  const uint32_t command = value & 0xffu;
  if (command == NVMCTRL_CTRLA_CMD_WP) {
    /* The one page that the processor has written to. */
    for (uint32_t page = 0; page < Chip::BYTES; page += 64) {
      if (memcmp(chip.bytes + page, flash_view + page, 64) != 0) chip.program(page, flash_view + page, 64, true);
    }
  } else if (command == NVMCTRL_CTRLA_CMD_ER) {
    const uint32_t at = (uint32_t)(2 * (uintptr_t)nvm.ADDR.reg - (uintptr_t)flash_view);
    EXPECT(at % 256 == 0);
    chip.erase(at, 256);
  } else {
    EXPECT(command == NVMCTRL_CTRLA_CMD_PBC);
  }
  memcpy(flash_view, chip.bytes, Chip::BYTES);
}

/* A reset empties the page buffer. */
template <uint32_t SIZE>
struct ResetFlash : MoteFlash<SIZE> {
  bool begin() {
    memcpy(flash_view, chip.bytes, Chip::BYTES);
    return MoteFlash<SIZE>::begin();
  }
};

static void run() {
  nvm.PARAM.bit.NVMP = Chip::BYTES / 64;
  nvm.PARAM.bit.PSZ = 3;
  nvm.INTFLAG.bit.READY = 1;
  cut_everywhere<ResetFlash<4096>>("flash of a SAMD21");
  for (uint32_t i = 0; i < Chip::BYTES - 4096; i++) EXPECT(chip.bytes[i] == 0xff);
  EXPECT(!MoteFlash<Chip::BYTES + 16384>().begin());
}
#endif

int main() {
  run();
  return 0;
}
