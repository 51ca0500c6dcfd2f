/*
 * The simplest way to give Mote data: print numbers, one line per sample.
 *
 * Works on every board, with every sensor, and needs no library. Mote reads the names from the first line, measures the
 * rate, and asks you to check it. Numbers may be separated by commas, tabs or blanks.
 */

const uint32_t RATE_HZ = 100;
const uint32_t PERIOD_US = 1000000UL / RATE_HZ;

uint32_t due;

void setup() {
  Serial.begin(115200);
  Serial.println("x,y,z");
  due = micros();
}

void loop() {
  /* Subtraction keeps working when micros() wraps after 71 minutes. */
  if ((int32_t)((uint32_t)micros() - due) < 0) return;
  due += PERIOD_US;

  /* Put your sensor here. */
  int x = analogRead(A0);
  int y = analogRead(A1);
  int z = analogRead(A2);

  Serial.print(x);
  Serial.print(',');
  Serial.print(y);
  Serial.print(',');
  Serial.println(z);
}
