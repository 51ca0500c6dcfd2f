/*
 * A model compiled in: prints what it sees. This way a model also fits an Uno, and nothing of this library is needed: model.h
 * is all. It is what the studio gives you at Deploy; put yours in place of the one beside this sketch (and its name in place
 * of "motion_"). That one tells idle, wave and shake apart by three axes of acceleration in m/s2, 25 times a second. It was
 * trained on generated motion: to try things, not to be trusted.
 */
#include "model.h"

/* Put your sensor here: one value per channel, in the unit that you trained with. */
void readSensor(float *sample) {
  /* An ADXL335 at 3.3 V: 330 mV for each g around half of the supply. */
  const float mPerS2PerStep = 9.80665f / 102.4f;
  sample[0] = ((float)analogRead(A0) - 512.0f) * mPerS2PerStep;
  sample[1] = ((float)analogRead(A1) - 512.0f) * mPerS2PerStep;
  sample[2] = ((float)analogRead(A2) - 512.0f) * mPerS2PerStep;
}

const uint32_t PERIOD_US = (uint32_t)(1000000.0 / MOTION_RATE_HZ);
uint32_t due;

void setup() {
  Serial.begin(115200);
  /* The model brings known answers along: the very bytes that the studio computed. */
  const int failed = motion_selftest();
  Serial.print(MOTION_SELFTEST_COUNT - failed);
  Serial.print(F(" of "));
  Serial.print(MOTION_SELFTEST_COUNT);
  Serial.println(F(" windows identical"));
  due = micros();
}

void loop() {
  if ((int32_t)((uint32_t)micros() - due) < 0) return;
  due += PERIOD_US;

  float sample[MOTION_CHANNELS];
  readSensor(sample);
  motion_result result;
  if (!motion_push(sample, &result)) return;
  Serial.println(result.decision < 0 ? "uncertain" : motion_label(result.decision));
}
