/* Clocks from a 12 MHz crystal: system and UART 125 MHz, USB and ADC 48 MHz, a timer that counts microseconds. */
#ifndef CLOCKS_H
#define CLOCKS_H

#include <stdint.h>

#define CLOCK_PERIPHERAL_HZ 125000000u

/* Starts all clocks; called first. */
void clocks_start(void);

/* Takes blocks of the chip out of reset: RESET_* bits. */
void unreset(uint32_t blocks);
/* Puts them into reset and takes them out. */
void reset(uint32_t blocks);

/* Microseconds since power-up. */
uint64_t time_us(void);
uint32_t time_us_32(void);

/* Waits at most `us`, without sleeping. */
void delay_us(uint32_t us);

/* Sleeps until an interrupt, or until the timer shows `at` (low 32 bits). Called with interrupts off; leaves them on. */
void sleep_until(uint32_t at);

#endif
