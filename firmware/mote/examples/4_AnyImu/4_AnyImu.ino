/*
 * 3_StreamBoard with an IMU, of whatever make: readSensor() asks its library and turns the answer into whole numbers.
 *
 * AnyImu stands for that library. Most have two such functions: one that starts the chip, one that gives three axes. Put your
 * #include and your object in its place and change the two lines that use it.
 */
#include <MoteStream.h>

/* ---- Instead of this, the library of your IMU, such as Arduino_LSM9DS1 or Adafruit_MPU6050 ---- */

struct AnyImu {
  bool begin() { return true; }
  /* In g. Here from analog inputs, as an ADXL335 gives it: 330 mV for each g around half of 3.3 V. */
  void readAcceleration(float &x, float &y, float &z) {
    x = ((float)analogRead(A0) - 512.0f) / 102.4f;
    y = ((float)analogRead(A1) - 512.0f) / 102.4f;
    z = ((float)analogRead(A2) - 512.0f) / 102.4f;
  }
};
AnyImu imu;

/* ---- From here on nothing depends on the make ---- */

/* A sample is an int16; its value is int16 * scale. So scale = largest value / 32767: here 16 g, in m/s2. */
const float G = 9.80665f;
const float SCALE = 16.0f * G / 32767.0f;
const mote_channel CHANNELS[] = {{"accX", "m/s2", SCALE}, {"accY", "m/s2", SCALE}, {"accZ", "m/s2", SCALE}};
const uint32_t RATES[] = {50000, 100000, 25000};

int16_t raw(float g) { return (int16_t)constrain(g * G / SCALE, -32768.0f, 32767.0f); }

void readSensor(int16_t *frame) {
  float x, y, z;
  imu.readAcceleration(x, y, z);
  frame[0] = raw(x);
  frame[1] = raw(y);
  frame[2] = raw(z);
}

MoteStream<192> mote(Serial, readSensor);

void setup() {
  Serial.begin(115200);
  /* Without a sensor there is nothing to introduce: the studio then says that the board is silent. */
  if (imu.begin()) mote.begin(CHANNELS, 3, RATES, 3);
}

void loop() { mote.poll(); }
