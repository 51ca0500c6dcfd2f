/* The serial port to the interface chip: 115200 baud, 8N1, no flow control; both directions through rings. */
#ifndef UART_H
#define UART_H

#include <stdint.h>

/* The receive ring, which must hold all that a host may send at once: `window` frames. */
#define UART_RECEIVE_BYTES 1152u

void uart_start(void);

/* Takes up to `count` bytes for sending, and returns how many; never waits. */
uint32_t uart_write(const uint8_t *bytes, uint32_t count);

/*
 * To be called now and then. QEMU does not raise the interrupt of a byte that it could send only later until the UART is
 * touched again; on the chip this sets what is set already.
 */
void uart_touch(void);

/* The longest contiguous run of received bytes: their number (0 = none), and where they are. */
uint32_t uart_peek(const uint8_t **bytes);

/* `count` of the peeked bytes were used. */
void uart_drop(uint32_t count);

#endif
