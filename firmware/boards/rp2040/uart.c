#include "uart.h"

#include "clocks.h"
#include "rp2040.h"

#define BAUD 115200u
#define PIN_OUT 0u
#define PIN_IN 1u

ring uart_received;

void on_uart(void);

void uart_start(void) {
  /* In 64ths, rounded: 67 + 52/64. */
  uint32_t divider = (CLOCK_PERIPHERAL_HZ * 4u + BAUD / 2u) / BAUD;
  reset(RESET_UART0);
  REG(UART0_IBRD) = divider / 64u;
  REG(UART0_FBRD) = divider % 64u;
  REG(UART0_LCR_H) = 3u << 5 | 1u << 4; /* 8 bits, with queues of 32 */
  REG(UART0_CR) = 1u << 9 | 1u << 8 | 1u;
  REG(PAD(PIN_OUT)) = PAD_INPUT_ENABLE | PAD_DRIVE_4MA | PAD_SCHMITT;
  /* Nothing plugged in is silence and not noise. */
  REG(PAD(PIN_IN)) = PAD_INPUT_ENABLE | PAD_PULL_UP | PAD_SCHMITT;
  REG(GPIO_CTRL(PIN_OUT)) = GPIO_FUNCTION_UART;
  REG(GPIO_CTRL(PIN_IN)) = GPIO_FUNCTION_UART;
  REG(UART0_IMSC) = UART_INT_RX | UART_INT_RX_TIMEOUT;
  REG(NVIC_ENABLE) = 1u << IRQ_UART0;
}

void on_uart(void) {
  REG(UART0_ICR) = UART_INT_RX_TIMEOUT;
  while ((REG(UART0_FR) & UART_FR_RXFE) == 0) {
    uint8_t byte = (uint8_t)REG(UART0_DR);
    if (ring_room(&uart_received) > 0) ring_put(&uart_received, byte);
  }
}

uint32_t uart_send(const uint8_t *bytes, uint32_t count) {
  uint32_t sent = 0;
  while (sent < count && (REG(UART0_FR) & UART_FR_TXFF) == 0) REG(UART0_DR) = bytes[sent++];
  return sent;
}
