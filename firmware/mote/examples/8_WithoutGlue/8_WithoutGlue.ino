/*
 * The board of 6_KeepModels once more, by the functions of the C library alone: what MoteStream.h and MoteRam.h do. For those
 * who want to know, and for chips and links that the glue does not know.
 *
 * Models are kept in RAM here, so they are gone after a reset; everything else is as it will be with flash. To keep them,
 * give `storage` functions that read, program and erase your chip's flash, and its address as `mapped`.
 *
 * With models it needs about 60 KB of RAM as it stands: a Nano 33 BLE, an RP2040, an ESP32, a SAMD51. On a Mega it
 * records and holds no models. The flash of an Uno, Nano or Leonardo is too small for it: use 1_PrintNumbers there, or let
 * the studio write its ready-made firmware to an Uno or Nano, which runs models.
 */
#include <mote_board.h>

#if defined(__AVR__)
#define WITH_MODELS 0
#else
#define WITH_MODELS 1
#endif

/* ---- Sensor: put yours here ---- */

/* A sample is one int16 per channel; its value is int16 * scale. */
const mote_channel CHANNELS[] = {
    {"x", "V", 3.3f / 1023.0f},
    {"y", "V", 3.3f / 1023.0f},
    {"z", "V", 3.3f / 1023.0f},
};
const uint32_t CHANNEL_COUNT = sizeof CHANNELS / sizeof CHANNELS[0];

void readSensor(int16_t *frame) {
  frame[0] = (int16_t)analogRead(A0);
  frame[1] = (int16_t)analogRead(A1);
  frame[2] = (int16_t)analogRead(A2);
}

/* In thousandths of a hertz; the first is the one to start with. */
const uint32_t RATES[] = {100000, 50000, 200000};

/* ---- Time: micros(), with the 71 minutes after which it wraps counted ---- */

uint64_t nowUs(void *) {
  static uint32_t last = 0;
  static uint32_t wraps = 0;
  const uint32_t now = (uint32_t)micros();
  if (now < last) wraps++;
  last = now;
  return (uint64_t)wraps << 32 | now;
}

uint32_t clockUs(void) { return (uint32_t)micros(); }

/* ---- Sampling at a steady rate ---- */

uint64_t due;
uint32_t periodUs;

void sensorStart(void *, uint32_t rate) {
  periodUs = 1000000000UL / rate;
  due = nowUs(0) + periodUs;
}

void sensorStop(void *) { periodUs = 0; }

int sensorRead(void *, int16_t *frame, uint64_t *timeUs) {
  if (periodUs == 0 || nowUs(0) < due) return 0;
  readSensor(frame);
  *timeUs = due;
  due += periodUs;
  return 1;
}

#if WITH_MODELS
/* ---- Slots in RAM ---- */

const uint32_t PROG_SIZE = 16;
const uint32_t ERASE_SIZE = 512;
const uint32_t SLOT_BLOCKS = 32;
const uint32_t STORAGE_SIZE = (2 + 2 * SLOT_BLOCKS) * ERASE_SIZE;
alignas(8) uint8_t storageBytes[STORAGE_SIZE];

int storageRead(void *, uint32_t address, void *bytes, uint32_t count) {
  memcpy(bytes, storageBytes + address, count);
  return 0;
}

int storageProgram(void *, uint32_t address, const void *bytes, uint32_t count) {
  memcpy(storageBytes + address, bytes, count);
  return 0;
}

int storageErase(void *, uint32_t address) {
  memset(storageBytes + address, 0xff, ERASE_SIZE);
  return 0;
}

int storageSync(void *) { return 0; }

mote_storage storage;
alignas(8) uint8_t modelRam[16384];
#endif

/* ---- Link ---- */

uint32_t writeLink(void *, const uint8_t *bytes, uint32_t count) {
  const int room = Serial.availableForWrite();
  if (room <= 0) return 0;
  if (count > (uint32_t)room) count = (uint32_t)room;
  return (uint32_t)Serial.write(bytes, count);
}

/* ---- Board ---- */

#if WITH_MODELS
const uint32_t BODY = 512;
uint8_t memory[MOTE_BOARD_MEMORY(512, 16) + 2048];
#else
const uint32_t BODY = 192;
uint8_t memory[MOTE_BOARD_MEMORY(192, 0)];
#endif
mote_board board;
mote_board_config config;
bool started;

uint8_t received[WITH_MODELS ? 256 : 32];
uint32_t receivedCount = 0;

void setup() {
  Serial.begin(115200);

#if WITH_MODELS
  memset(storageBytes, 0xff, sizeof storageBytes);
  storage.read = storageRead;
  storage.prog = storageProgram;
  storage.erase = storageErase;
  storage.sync = storageSync;
  storage.mapped = storageBytes;
  storage.size = STORAGE_SIZE;
  storage.prog_size = PROG_SIZE;
  storage.erase_size = ERASE_SIZE;
  config.storage = &storage;
  config.slot_count = 2;
  config.model_ram = modelRam;
  config.model_ram_bytes = sizeof modelRam;
#endif

  config.name = "My board";
  config.firmware = "WithoutGlue 0.1.0";
  config.serial = "";
  config.write = writeLink;
  config.now_us = nowUs;
  config.clock_us = clockUs;
  config.channels = CHANNELS;
  config.channel_count = CHANNEL_COUNT;
  config.rates = RATES;
  config.rate_count = sizeof RATES / sizeof RATES[0];
  config.rate = RATES[0];
  config.sensor_start = sensorStart;
  config.sensor_stop = sensorStop;
  config.sensor_read = sensorRead;
  config.memory = memory;
  config.memory_bytes = sizeof memory;
  config.body = BODY;
  /* USB holds the host back when this sketch is slow. On a plain UART, as many requests must fit its receive buffer. */
  config.window = WITH_MODELS ? 4 : 1;
  started = mote_board_init(&board, &config) == 0;
  pinMode(LED_BUILTIN, OUTPUT);
}

void loop() {
  if (!started) {
    /* A field of the configuration is out of its range: see mote_board.h. */
    digitalWrite(LED_BUILTIN, millis() / 100 % 2);
    return;
  }
  while (receivedCount < sizeof received && Serial.available() > 0) {
    received[receivedCount++] = (uint8_t)Serial.read();
  }
  const uint32_t taken = mote_board_receive(&board, received, receivedCount);
  receivedCount -= taken;
  memmove(received, received + taken, receivedCount);
  mote_board_poll(&board);
}
