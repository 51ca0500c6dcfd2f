/* The part of Arduino's API that the example sketches use, with a serial port that a test can hold in its hands. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <string>

enum { A0, A1, A2, LED_BUILTIN, OUTPUT };

unsigned long micros();
unsigned long millis();
int analogRead(int pin);
inline void pinMode(int, int) {}
void digitalWrite(int pin, int level);
inline float constrain(float value, float least, float most) { return value < least ? least : value > most ? most : value; }
#define F(text) (text)

struct StandInSerial {
  std::string in;
  std::string out;
  void begin(unsigned long) {}
  int available() { return (int)in.size(); }
  int read() {
    const int byte = in.empty() ? -1 : (uint8_t)in[0];
    if (!in.empty()) in.erase(0, 1);
    return byte;
  }
  int availableForWrite() { return 64; }
  size_t write(const uint8_t *bytes, size_t count) {
    out.append((const char *)bytes, count);
    return count;
  }
  void print(int value) { out += std::to_string(value); }
  void print(char value) { out += value; }
  void print(const char *text) { out += text; }
  void println(int value) { out += std::to_string(value) + "\r\n"; }
  void println(const char *text) { out += std::string(text) + "\r\n"; }
};
typedef StandInSerial Stream;
extern StandInSerial Serial;

void setup();
void loop();

#endif
