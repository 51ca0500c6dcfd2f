/*
 * The shortest board that speaks the `mote` dialect: it introduces itself, has named channels and a choice of rates, and
 * streams with sequence numbers, so that the studio knows what was lost. Any sensor library fits into readSensor().
 * For a board that also keeps and runs models, see 6_KeepModels.
 *
 * An Uno, Nano or Leonardo has not flash enough for it: 1_PrintNumbers gives the studio the same samples.
 */
#include <MoteStream.h>

const mote_channel CHANNELS[] = {
    {"x", "V", 5.0f / 1023.0f},
    {"y", "V", 5.0f / 1023.0f},
    {"z", "V", 5.0f / 1023.0f},
};
/* In thousandths of a hertz; the first is the one to start with. */
const uint32_t RATES[] = {100000, 50000};

void readSensor(int16_t *frame) {
  frame[0] = (int16_t)analogRead(A0);
  frame[1] = (int16_t)analogRead(A1);
  frame[2] = (int16_t)analogRead(A2);
}

MoteStream<192> mote(Serial, readSensor);

void setup() {
  Serial.begin(115200);
  mote.begin(CHANNELS, 3, RATES, 2);
}

void loop() { mote.poll(); }
