/*
 * A board that takes models from the studio over USB and still has them after a power cut: the new one is written beside the
 * old one, read back and tested before the board switches.
 *
 * Where they are kept depends on the chip: flash where the core gives access to it, the EEPROM of a Mega (two packs of up to
 * 1952 bytes: enough for the studio's hardware test, not for what it trains today), else RAM. For a file or another chip see MoteFile.h, MoteBlockDevice.h and MoteMirror.h.
 */
#include <MoteFlash.h>
#include <MoteStream.h>

#if defined(__AVR__)
#if !defined(__AVR_ATmega2560__) && !defined(__AVR_ATmega1280__)
#error "An Uno, Nano or Leonardo has not flash enough for this. See 1_PrintNumbers, or 5_ClassifyHeader for a fixed model."
#endif
#include <MoteEeprom.h>
typedef MoteEeprom<> Storage;
const uint32_t BODY = 192;
alignas(8) uint8_t modelRam[512];
#elif defined(MOTE_HAS_FLASH)
typedef MoteFlash<> Storage;
const uint32_t BODY = 512;
alignas(8) uint8_t modelRam[16384];
#else
/* Gone after a reset. */
#include <MoteRam.h>
typedef MoteRam<40960> Storage;
const uint32_t BODY = 512;
alignas(8) uint8_t modelRam[16384];
#endif

const mote_channel CHANNELS[] = {{"x", "V", 5.0f / 1023.0f}};
const uint32_t RATES[] = {25000, 50000};

void readSensor(int16_t *frame) { frame[0] = (int16_t)analogRead(A0); }

Storage storage;
MoteStream<BODY, Storage::PROG> mote(Serial, readSensor);

void setup() {
  Serial.begin(115200);
  /* Without its storage the board still streams. */
  if (storage.begin()) mote.keepModels(storage, modelRam);
  mote.begin(CHANNELS, 1, RATES, 2);
}

void loop() { mote.poll(); }
