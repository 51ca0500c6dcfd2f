// As much of the Arduino core as the example sketch uses, to compile and run it on a computer.
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stdint.h>
#include <stdio.h>

// The macros of the real core that clash most often with other people's names.
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define abs(x) ((x) > 0 ? (x) : -(x))
#define round(x) ((x) >= 0 ? (long)((x) + 0.5) : (long)((x)-0.5))
#define constrain(amt, low, high) ((amt) < (low) ? (low) : ((amt) > (high) ? (high) : (amt)))
#define sq(x) ((x) * (x))
#define bit(b) (1UL << (b))
#define HIGH 0x1
#define LOW 0x0
#define INPUT 0x0
#define OUTPUT 0x1
#define DEFAULT 1
#define PI 3.1415926535897932384626433832795

static const uint8_t A0 = 14, A1 = 15, A2 = 16, A3 = 17, A4 = 18, A5 = 19;

static uint32_t clock_us = 4294000000u; // wraps soon
static inline uint32_t micros() { return clock_us += 100; }
static inline uint32_t millis() { return micros() / 1000u; }
static inline int analogRead(uint8_t pin) { return (int)((clock_us / 977u * pin) & 1023u); }

#define F(text) (text)

struct HardwareSerial {
  operator bool() { return true; }
  void begin(unsigned long) {}
  void print(const char *text) { printf("%s", text); }
  void print(int value) { printf("%d", value); }
  void print(double value) { printf("%.2f", value); }
  void println(const char *text) { printf("%s\n", text); }
};
static HardwareSerial Serial;

#endif
