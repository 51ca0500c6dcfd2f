/*
 * Samples A0, A1 and A2 at a steady rate: a timer starts the conversions, interrupts do the rest, so that sampling goes
 * on while a window is classified. Also the clock.
 */
#ifndef UNO_SAMPLER_H
#define UNO_SAMPLER_H

#include <stdint.h>

#include "uno_memory.h"

/* Frames that wait to be read: what may come in while a window is classified. */
#define UNO_RING_FRAMES 24u

/* Volts per step of a sample: 5 V / 1023. */
float uno_channel_scale(void);

/* Starts the clock. Interrupts must be on afterwards. */
void uno_sampler_init(void);

/* Microseconds since power-up, in steps of 4; wraps after 71 minutes. */
uint32_t uno_micros(void);

/* The same, without wrapping for years. */
uint64_t uno_now(void);

/* Samples at `rate` mHz (UNO_RATE_MIN..UNO_RATE_MAX) from now on, with nothing waiting. */
void uno_sampler_start(uint32_t rate);
void uno_sampler_stop(void);

/* Frames that wait. */
uint8_t uno_sampler_waiting(void);

/* The oldest frame that waits and when it was taken; 0 when there is none. */
uint8_t uno_sampler_read(int16_t *frame, uint64_t *time_us);

/*
 * Frames that were lost because nobody read them in time, since the last call. They lie behind the frames that wait, so
 * ask when none waits: until then no new frame is taken.
 */
uint16_t uno_sampler_lost(void);

#endif
