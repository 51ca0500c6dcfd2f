#include "uno_sampler.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

/* Timer 0 counts microseconds by four, timer 1 the periods of the samples: both at F_CPU / 64. */
#define TICKS_PER_SECOND (F_CPU / 64u)
#define TICK_US (1000000u / TICKS_PER_SECOND)

#define AVCC_REFERENCE ((uint8_t)(1u << REFS0))

static int16_t ring[UNO_RING_FRAMES][UNO_CHANNELS];
static uint8_t ring_tail;
static volatile uint8_t ring_used;
static volatile uint16_t lost;

static volatile uint8_t channel; /* being converted */
static volatile uint8_t converting;

static uint64_t next_time; /* of the frame that is read next */
static uint32_t period_us;

static volatile uint32_t overflows;
static volatile uint16_t overflow_wraps;

float uno_channel_scale(void) { return 5.0f / 1023.0f; }

/* ---- Clock ---- */

ISR(TIMER0_OVF_vect) {
  if (++overflows == 0) overflow_wraps++;
}

/* Overflows and the count at one moment: an overflow whose interrupt is still due counts already. */
static uint32_t clock_parts(uint8_t *count, uint16_t *wraps) {
  uint32_t seen;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    *count = TCNT0;
    seen = overflows;
    *wraps = overflow_wraps;
    if ((TIFR0 & (1u << TOV0)) != 0 && *count < 255u && ++seen == 0) (*wraps)++;
  }
  return seen;
}

uint32_t uno_micros(void) {
  uint8_t count;
  uint16_t wraps;
  const uint32_t seen = clock_parts(&count, &wraps);
  return ((seen << 8) + count) * TICK_US;
}

uint64_t uno_now(void) {
  uint8_t count;
  uint16_t wraps;
  const uint32_t seen = clock_parts(&count, &wraps);
  return (((uint64_t)wraps << 40) + ((uint64_t)seen << 8) + count) * TICK_US;
}

void uno_sampler_init(void) {
  TCCR0A = 0;
  TCCR0B = (1u << CS01) | (1u << CS00);
  TIMSK0 = 1u << TOIE0;
  /* Conversions take 104 us each at F_CPU / 128, the slowest clock and the least noise. */
  ADCSRA = (1u << ADEN) | (1u << ADIE) | (1u << ADPS2) | (1u << ADPS1) | (1u << ADPS0);
  DIDR0 = 0x07;
}

/* ---- Samples ---- */

static void convert(uint8_t which) {
  channel = which;
  ADMUX = (uint8_t)(AVCC_REFERENCE | which);
  ADCSRA |= 1u << ADSC;
}

ISR(TIMER1_COMPA_vect) {
  if (ring_used == UNO_RING_FRAMES || lost > 0) {
    if (lost < 0xffffu) lost++;
    return;
  }
  if (converting) return;
  converting = 1;
  convert(0);
}

ISR(ADC_vect) {
  const uint8_t head = (uint8_t)((uint8_t)(ring_tail + ring_used) % UNO_RING_FRAMES);
  ring[head][channel] = (int16_t)ADC;
  if (channel + 1u < UNO_CHANNELS) {
    convert((uint8_t)(channel + 1u));
    return;
  }
  ring_used++;
  converting = 0;
}

void uno_sampler_start(uint32_t rate) {
  uno_sampler_stop();
  period_us = 1000000000u / rate;
  TCNT1 = 0;
  OCR1A = (uint16_t)(TICKS_PER_SECOND * 1000u / rate - 1u);
  TIFR1 = 1u << OCF1A;
  next_time = uno_now() + period_us;
  TCCR1A = 0;
  TCCR1B = (1u << WGM12) | (1u << CS11) | (1u << CS10);
  TIMSK1 = 1u << OCIE1A;
}

void uno_sampler_stop(void) {
  TIMSK1 = 0;
  TCCR1B = 0;
  while (converting) {
  }
  ring_used = 0;
  ring_tail = 0;
  lost = 0;
}

uint8_t uno_sampler_waiting(void) { return ring_used; }

uint8_t uno_sampler_read(int16_t *frame, uint64_t *time_us) {
  uint8_t i;
  if (ring_used == 0) return 0;
  for (i = 0; i < UNO_CHANNELS; i++) frame[i] = ring[ring_tail][i];
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    ring_tail = (uint8_t)((ring_tail + 1u) % UNO_RING_FRAMES);
    ring_used--;
  }
  *time_us = next_time;
  next_time += period_us;
  return 1;
}

uint16_t uno_sampler_lost(void) {
  uint16_t count;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    count = lost;
    lost = 0;
  }
  next_time += (uint64_t)count * period_us;
  return count;
}
