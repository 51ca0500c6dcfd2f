#include "uart.h"

#include "nrf.h"

/* A power of two; heads and tails count bytes and wrap by themselves. */
#define SEND_BYTES 256u

static uint8_t received[UART_RECEIVE_BYTES];
static volatile uint32_t received_head; /* moved by the interrupt */
static uint32_t received_to;            /* its place in the ring; a division would take as long as a byte */
static uint32_t received_tail;
static uint32_t received_from;

static uint8_t sent[SEND_BYTES];
static volatile uint32_t sent_head;
static volatile uint32_t sent_tail; /* moved by the interrupt */
static volatile uint8_t sending;    /* a byte is in the transmitter */

void uart_interrupt(void);

void uart_start(void) {
  GPIO_OUTSET(PIN_UART_TX) = 1u << (PIN_UART_TX & 31u); /* a line at rest is high */
  GPIO_CONFIG(PIN_UART_TX) = GPIO_OUTPUT;
  GPIO_CONFIG(PIN_UART_RX) = GPIO_INPUT;
  /* The pins are chosen before the UART is enabled (reference manual, UART). */
  UART_PSELTXD = PIN_UART_TX;
  UART_PSELRXD = PIN_UART_RX;
  UART_BAUDRATE = UART_115200;
  UART_CONFIG = 0; /* no parity, no flow control */
  UART_ENABLE = UART_ENABLED;
  UART_RXDRDY = 0;
  UART_TXDRDY = 0;
  UART_ERROR = 0;
  UART_STARTRX = 1;
  UART_STARTTX = 1;
  UART_INTENSET = UART_INT_RXDRDY | UART_INT_TXDRDY | UART_INT_ERROR;
  /* First of all interrupts: the receiver holds six bytes, 520 us. */
  interrupt_enable(IRQ_UART, 0);
}

static void send_next(void) {
  uint32_t at = sent_tail;
  if (at == sent_head) {
    sending = 0;
    return;
  }
  UART_TXD = sent[at % SEND_BYTES];
  sent_tail = at + 1u;
}

/* Apart, so that the way to the transmitter saves as few registers as it can. */
static void __attribute__((noinline)) receive(void) {
  while (UART_RXDRDY != 0) {
    uint8_t byte;
    UART_RXDRDY = 0; /* before the byte is read, so that the next one sets it again */
    byte = (uint8_t)UART_RXD;
    if (received_head - received_tail < UART_RECEIVE_BYTES) {
      received[received_to] = byte;
      received_to = received_to + 1u < UART_RECEIVE_BYTES ? received_to + 1u : 0;
      received_head++;
    }
  }
  if (UART_ERROR != 0) {
    /* Lost or crooked bytes: the frame's CRC finds out. */
    UART_ERROR = 0;
    UART_ERRORSRC = UART_ERRORSRC;
  }
}

void uart_interrupt(void) {
  /* First what the wire waits for: the transmitter holds one byte, so it rests until it is given the next. */
  if (UART_TXDRDY != 0) {
    UART_TXDRDY = 0;
    send_next();
  }
  receive();
}

uint32_t uart_write(const uint8_t *bytes, uint32_t count) {
  uint32_t room = SEND_BYTES - (sent_head - sent_tail);
  uint32_t i;
  if (count > room) count = room;
  for (i = 0; i < count; i++) sent[(sent_head + i) % SEND_BYTES] = bytes[i];
  interrupts_off();
  sent_head += count;
  if (!sending && count > 0) {
    sending = 1;
    send_next();
  }
  interrupts_on();
  uart_touch();
  return count;
}

void uart_touch(void) { UART_INTENSET = UART_INT_TXDRDY; }

uint32_t uart_peek(const uint8_t **bytes) {
  uint32_t count = received_head - received_tail;
  uint32_t run = UART_RECEIVE_BYTES - received_from;
  *bytes = received + received_from;
  return count < run ? count : run;
}

void uart_drop(uint32_t count) {
  received_from += count;
  if (received_from >= UART_RECEIVE_BYTES) received_from -= UART_RECEIVE_BYTES;
  received_tail += count;
}
