/* Microseconds since power-up, from timer 0, and a call at a steady rate. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Ticks every 10 ms until clock_tick_every says otherwise. */
void clock_start(void);

/* Wraps after 71 minutes. */
uint32_t clock_us(void);

/* Does not wrap, when called at least once in 71 minutes. */
uint64_t clock_now(void);

/* Microseconds between calls of clock_tick, from now on. */
void clock_tick_every(uint32_t period_us);

/* Given by the caller: called in the timer's interrupt with the time it was due. Ticks that came too late are skipped. */
void clock_tick(uint32_t due_us);

#endif
