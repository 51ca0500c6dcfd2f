/*
 * A board of Mote over any Arduino `Stream` (Serial, SerialUSB, a SoftwareSerial), with a sensor that is one function.
 * Header only, and thin: everything it sets in `config` may be changed between the constructor and begin().
 *
 *   void readSensor(int16_t *frame) { ... one raw value per channel ... }
 *   MoteStream<192> mote(Serial, readSensor);
 *   void setup() { Serial.begin(115200); mote.begin(CHANNELS, 3, RATES, 2); }
 *   void loop() { mote.poll(); }
 *
 * To keep and run models, give it one of the storages beside this file, and its PROG:
 *
 *   MoteEeprom<> storage;   alignas(8) uint8_t modelRam[512];
 *   MoteStream<192, MoteEeprom<>::PROG> mote(Serial, readSensor);
 *   if (storage.begin()) mote.keepModels(storage, modelRam);
 *
 * BODY: longest body of a message, bytes, 192..4096. PROG_SIZE: as in mote_storage, or 0 for a board that only streams.
 * SPARE: more bytes to buffer what is sent, so that a link that stalls now and then loses no samples. One object per sketch
 * and sensor; polls must come at least as often as samples, or samples are late.
 */
#ifndef MOTE_STREAM_H
#define MOTE_STREAM_H

#include <Arduino.h>
#include <string.h>

#include "mote_board.h"

template <uint32_t BODY = 192, uint32_t PROG_SIZE = 0, uint32_t SPARE = 0>
class MoteStream {
 public:
  /* Fills one raw int16 per channel; the value of a channel is int16 * its scale. */
  typedef void (*ReadSensor)(int16_t *frame);
  /* What the model made of a window; label is that of result.decision, or "" when it is uncertain. */
  typedef void (*OnResult)(const char *label, const mote_result &result);

  mote_board_config config;
  mote_board board;

  MoteStream(Stream &link, ReadSensor readSensor)
      : config(), board(), link_(link), readSensor_(readSensor), onResult_(0), receivedCount_(0), last_(0), wraps_(0),
        due_(0), periodUs_(0), started_(false) {
    config.context = this;
    config.name = "My board";
    config.firmware = "MoteStream 0.1.0";
    config.serial = "";
    config.write = write;
    config.now_us = now;
    config.clock_us = clock;
    config.sensor_start = start;
    config.sensor_stop = stop;
    config.sensor_read = read;
    config.memory = memory_;
    config.memory_bytes = sizeof memory_;
    config.body = BODY;
    /* As many requests as the receive buffer below holds; a UART's own buffer holds less. */
    config.window = 1;
    config.on_result = result;
  }

  /*
   * Channels and rates (thousandths of a hertz, the first one at power-up) must stay where they are. False: a field of
   * `config` is out of its range, see mote_board.h.
   */
  bool begin(const mote_channel *channels, uint32_t channelCount, const uint32_t *rates, uint32_t rateCount) {
    config.channels = channels;
    config.channel_count = channelCount;
    config.rates = rates;
    config.rate_count = rateCount;
    config.rate = rateCount > 0 ? rates[0] : 0;
    started_ = mote_board_init(&board, &config) == 0;
    return started_;
  }

  /* Keeps models: storage and RAM for one stay where they are. Call before begin(). */
  void keepModels(const mote_storage *storage, uint32_t slotCount, void *modelRam, uint32_t modelRamBytes) {
    config.storage = storage;
    config.slot_count = slotCount;
    config.model_ram = modelRam;
    config.model_ram_bytes = modelRamBytes;
  }

  /* The same with one of the ready storages after its begin(), and the two slots that a deploy needs. */
  template <class Storage, size_t BYTES>
  void keepModels(const Storage &storage, uint8_t (&modelRam)[BYTES]) {
    static_assert(Storage::PROG <= PROG_SIZE, "MoteStream needs the PROG of its storage: MoteStream<192, Storage::PROG>");
    keepModels(&storage, 2, modelRam, BYTES);
  }

  /* Called with every result of the running model. */
  void onResult(OnResult onResult) { onResult_ = onResult; }

  /*
   * Runs the active model at the first rate without waiting for a host, after begin(). A studio that connects takes over.
   * False: there is no model, or not RAM enough.
   */
  bool run() { return started_ && mote_board_run(&board, 0) == 0; }

  /* Reads, samples, classifies and answers: call it from loop(). */
  void poll() {
    if (!started_) return;
    while (receivedCount_ < sizeof received_ && link_.available() > 0) received_[receivedCount_++] = (uint8_t)link_.read();
    const uint32_t taken = mote_board_receive(&board, received_, receivedCount_);
    receivedCount_ -= taken;
    memmove(received_, received_ + taken, receivedCount_);
    mote_board_poll(&board);
  }

 private:
  static MoteStream *self(void *context) { return (MoteStream *)context; }

  static uint32_t write(void *context, const uint8_t *bytes, uint32_t count) {
    Stream &link = self(context)->link_;
    const int room = link.availableForWrite();
    if (room <= 0) return 0;
    if (count > (uint32_t)room) count = (uint32_t)room;
    return (uint32_t)link.write(bytes, count);
  }

  /* micros(), with the 71 minutes after which it wraps counted. */
  static uint64_t now(void *context) {
    MoteStream *const mote = self(context);
    const uint32_t time = (uint32_t)micros();
    if (time < mote->last_) mote->wraps_++;
    mote->last_ = time;
    return (uint64_t)mote->wraps_ << 32 | time;
  }

  static uint32_t clock() { return (uint32_t)micros(); }

  static void start(void *context, uint32_t rate) {
    self(context)->periodUs_ = 1000000000UL / rate;
    self(context)->due_ = now(context) + self(context)->periodUs_;
  }

  static void stop(void *context) { self(context)->periodUs_ = 0; }

  static int read(void *context, int16_t *frame, uint64_t *timeUs) {
    MoteStream *const mote = self(context);
    if (mote->periodUs_ == 0 || now(context) < mote->due_) return 0;
    mote->readSensor_(frame);
    *timeUs = mote->due_;
    mote->due_ += mote->periodUs_;
    return 1;
  }

  static void result(void *context, const mote_model *model, const mote_result *result) {
    const OnResult onResult = self(context)->onResult_;
    if (onResult) onResult(result->decision < 0 ? "" : mote_model_label(model, result->decision), *result);
  }

  Stream &link_;
  ReadSensor readSensor_;
  OnResult onResult_;
  uint8_t memory_[MOTE_BOARD_MEMORY(BODY, PROG_SIZE) + SPARE];
  uint8_t received_[64];
  uint32_t receivedCount_;
  uint32_t last_;
  uint32_t wraps_;
  uint64_t due_;
  uint32_t periodUs_;
  bool started_;
};

#endif
