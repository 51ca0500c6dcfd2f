/* UART0 on GP0 (out) and GP1 (in): 115200 baud, 8N1. */
#ifndef UART_H
#define UART_H

#include "ring.h"

extern ring uart_received;

void uart_start(void);

/* Sends up to `count` bytes; returns how many were taken, at once. */
uint32_t uart_send(const uint8_t *bytes, uint32_t count);

#endif
