/*
 * 1_PrintNumbers for a Leonardo or Micro that the browser recognizes the next time: with a USB serial number of its own.
 * On other boards it is 1_PrintNumbers.
 */
#include <MoteUsbSerialNumber.h>

const uint32_t RATE_HZ = 100;
const uint32_t PERIOD_US = 1000000UL / RATE_HZ;

uint32_t due;

void setup() {
  Serial.begin(115200);
  Serial.println("x,y,z");
  due = micros();
}

void loop() {
  if ((int32_t)((uint32_t)micros() - due) < 0) return;
  due += PERIOD_US;
  Serial.print(analogRead(A0));
  Serial.print(',');
  Serial.print(analogRead(A1));
  Serial.print(',');
  Serial.println(analogRead(A2));
}
