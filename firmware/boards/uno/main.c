/* Ready-made firmware for Arduino Uno and Nano (ATmega328P, 16 MHz): see docs/uno.md. */
#include <avr/interrupt.h>

#include "uno_link.h"
#include "uno_protocol.h"
#include "uno_sampler.h"

int main(void) {
  uno_link_init();
  uno_sampler_init();
  uno_protocol_init();
  sei();
  for (;;) uno_protocol_poll();
}
