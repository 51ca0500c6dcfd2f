#include "clock.h"

#include "nrf.h"

/* Capture registers: one for reading the time, one for the next tick, one for reading the time in the interrupt. */
#define CC_NOW 0u
#define CC_TICK 1u
#define CC_LATE 2u

#define IDLE_TICK_US 10000u
/* A tick must be set at least so far ahead, or the timer may have passed it before it is set. */
#define NEAREST_US 20u

static volatile uint32_t period;
static volatile uint32_t due;
static uint64_t now;

void timer_interrupt(void);

void clock_start(void) {
  /* The crystal: the UART's baud rate and the sample rate come from it. It starts in about a millisecond. */
  uint32_t patience = 100000;
  CLOCK_HFCLKSTART = 1;
  while (CLOCK_HFCLKSTARTED == 0 && --patience > 0) continue;
  TIMER_MODE = 0;
  TIMER_BITMODE = TIMER_32_BIT;
  TIMER_PRESCALER = TIMER_1_MHZ;
  TIMER_START = 1;
  TIMER_INTENSET = TIMER_INT_COMPARE(CC_TICK);
  clock_tick_every(IDLE_TICK_US);
  interrupt_enable(IRQ_TIMER, 1);
}

uint32_t clock_us(void) {
  uint32_t value;
  interrupts_off();
  TIMER_CAPTURE(CC_NOW) = 1;
  value = TIMER_CC(CC_NOW);
  interrupts_on();
  return value;
}

uint64_t clock_now(void) {
  now += (uint32_t)(clock_us() - (uint32_t)now);
  return now;
}

void clock_tick_every(uint32_t period_us) {
  uint32_t start = clock_us();
  interrupts_off();
  period = period_us;
  due = start + period_us;
  TIMER_COMPARE(CC_TICK) = 0;
  TIMER_CC(CC_TICK) = due;
  interrupts_on();
}

void timer_interrupt(void) {
  uint32_t was_due = due;
  if (TIMER_COMPARE(CC_TICK) == 0) return;
  TIMER_COMPARE(CC_TICK) = 0;
  clock_tick(was_due);
  do {
    due += period;
    TIMER_CAPTURE(CC_LATE) = 1;
  } while ((int32_t)(due - TIMER_CC(CC_LATE)) < (int32_t)NEAREST_US);
  TIMER_CC(CC_TICK) = due;
}
