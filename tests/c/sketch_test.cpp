/*
 * Runs an example sketch: its name is given by -DSKETCH. What it reads from its serial port comes from stdin, what it
 * writes goes to stdout; the first argument is how many milliseconds it lives, the second a file for what its LED does.
 */
#include "Arduino.h"

#include <stdio.h>
#include <stdlib.h>

#include SKETCH

StandInSerial Serial;
/* Starts shortly before micros() wraps. */
static uint32_t clock_us = 0xffff0000u;

unsigned long micros() { return clock_us; }
unsigned long millis() { return clock_us / 1000; }
int analogRead(int pin) { return (int)(clock_us / 1000 % 500) + 500 * (pin == A1); }

static FILE *led;
void digitalWrite(int, int level) { fputc(level ? '1' : '0', led); }

int main(int, char **argv) {
  int byte;
  while ((byte = getchar()) != EOF) Serial.in += (char)byte;
  led = fopen(argv[2], "w");
  if (!led) return 2;
  setup();
  for (long turns = atol(argv[1]) * 10; turns > 0; turns--) {
    loop();
    clock_us += 100;
  }
  fclose(led);
  fwrite(Serial.out.data(), 1, Serial.out.size(), stdout);
  return 0;
}
