/*
 * Everything at once: streams its sensor, takes models over USB and keeps them, tests itself, classifies from power-up on
 * without a computer, and shows by its LED what it sees. A Leonardo-like board of your own also gets a USB serial number.
 *
 * Too big for an Uno, Nano or Leonardo: their 32 KB of flash hold the streaming, or a model, but not both.
 */
#include <MoteFlash.h>
#include <MoteStream.h>
#include <MoteUsbSerialNumber.h>

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
#include <MoteRam.h>
typedef MoteRam<40960> Storage;
const uint32_t BODY = 512;
alignas(8) uint8_t modelRam[16384];
#endif

#if !defined(LED_BUILTIN)
#define LED_BUILTIN 2
#endif

/* The label that lights the LED: yours. */
const char LIGHTS[] = "wave";

const mote_channel CHANNELS[] = {{"x", "V", 5.0f / 1023.0f}};
/* The first is the one to run at after power-up: that of your model. */
const uint32_t RATES[] = {25000, 50000};

void readSensor(int16_t *frame) { frame[0] = (int16_t)analogRead(A0); }

/* A label is "" while the model is not certain. */
void onResult(const char *label, const mote_result &) { digitalWrite(LED_BUILTIN, strcmp(label, LIGHTS) == 0); }

Storage storage;
MoteStream<BODY, Storage::PROG> mote(Serial, readSensor);

void setup() {
  pinMode(LED_BUILTIN, OUTPUT);
  Serial.begin(115200);
  mote.config.name = "Everything";
  if (storage.begin()) mote.keepModels(storage, modelRam);
  mote.onResult(onResult);
  mote.begin(CHANNELS, 1, RATES, 2);
  /* False without a model, or with one that needs more RAM: the board then waits for the studio. */
  mote.run();
}

void loop() { mote.poll(); }
