/*
 * The few registers of the nRF51822 (micro:bit v1) and nRF52833 (v2) that this firmware uses, and how the two boards are
 * wired. Both chips have these peripherals at the same addresses with the same registers; the nRF52833 keeps the UART and
 * TWI of the nRF51 beside its DMA versions, so that one driver serves both.
 *
 * Sources: nRF51 Series Reference Manual (NVMC, GPIO, CLOCK, TIMER, TWI, UART) and nRF52833 Product Specification;
 * offsets of NVMC, UART and TIMER compared with the register blocks that nrf-rs generates from Nordic's SVD files. Pins:
 * Zephyr's boards/bbc/microbit/bbc_microbit-pinctrl.dtsi and boards/bbc/microbit_v2/bbc_microbit_v2-pinctrl.dtsi.
 */
#ifndef NRF_H
#define NRF_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* ---- Boards ---- */

/* A pin as the PSEL registers take it: port << 5 | number. */
#if MICROBIT == 1
#define BOARD_NAME "micro:bit v1"
#define PIN_UART_TX 24u
#define PIN_UART_RX 25u
#define PIN_TWI_SCL 0u
#define PIN_TWI_SDA 30u
#define FLASH_PAGE 1024u
#define RAM_BYTES 0x4000u
#elif MICROBIT == 2
#define BOARD_NAME "micro:bit v2"
#define PIN_UART_TX 6u          /* P0.06 */
#define PIN_UART_RX (32u + 8u)  /* P1.08 */
#define PIN_TWI_SCL 8u          /* P0.08, the bus inside the board */
#define PIN_TWI_SDA 16u         /* P0.16 */
#define FLASH_PAGE 4096u
#define RAM_BYTES 0x20000u
#else
#error "MICROBIT is the version of the board: 1 or 2"
#endif

/* ---- Clock ---- */

#define CLOCK_HFCLKSTART REGISTER(0x40000000u)
#define CLOCK_HFCLKSTARTED REGISTER(0x40000100u)

/* ---- Pins ---- */

/* Ports are 0x300 apart on the nRF52833; the nRF51822 has one. */
#define GPIO_PORT(pin) (0x50000000u + ((pin) >> 5) * 0x300u)
#define GPIO_OUTSET(pin) REGISTER(GPIO_PORT(pin) + 0x508u)
#define GPIO_CONFIG(pin) REGISTER(GPIO_PORT(pin) + 0x700u + ((pin) & 31u) * 4u)
#define GPIO_INPUT 0u
#define GPIO_OUTPUT 3u           /* output, input buffer disconnected */
#define GPIO_OPEN_DRAIN 0x60cu   /* input, pull-up, drives 0 and lets go for 1 */

/* ---- UART ---- */

#define UART_STARTRX REGISTER(0x40002000u)
#define UART_STARTTX REGISTER(0x40002008u)
#define UART_RXDRDY REGISTER(0x40002108u)
#define UART_TXDRDY REGISTER(0x4000211cu)
#define UART_ERROR REGISTER(0x40002124u)
#define UART_INTENSET REGISTER(0x40002304u)
#define UART_INTENCLR REGISTER(0x40002308u)
#define UART_ERRORSRC REGISTER(0x40002480u)
#define UART_ENABLE REGISTER(0x40002500u)
#define UART_PSELTXD REGISTER(0x4000250cu)
#define UART_PSELRXD REGISTER(0x40002514u)
#define UART_RXD REGISTER(0x40002518u)
#define UART_TXD REGISTER(0x4000251cu)
#define UART_BAUDRATE REGISTER(0x40002524u)
#define UART_CONFIG REGISTER(0x4000256cu)
#define UART_ENABLED 4u
#define UART_115200 0x01d7e000u
#define UART_INT_RXDRDY (1u << 2)
#define UART_INT_TXDRDY (1u << 7)
#define UART_INT_ERROR (1u << 9)

/* ---- Two-wire interface ---- */

#define TWI_STARTRX REGISTER(0x40003000u)
#define TWI_STARTTX REGISTER(0x40003008u)
#define TWI_STOP REGISTER(0x40003014u)
#define TWI_RESUME REGISTER(0x40003020u)
#define TWI_STOPPED REGISTER(0x40003104u)
#define TWI_RXDREADY REGISTER(0x40003108u)
#define TWI_TXDSENT REGISTER(0x4000311cu)
#define TWI_ERROR REGISTER(0x40003124u)
#define TWI_SHORTS REGISTER(0x40003200u)
#define TWI_ERRORSRC REGISTER(0x400034c4u)
#define TWI_ENABLE REGISTER(0x40003500u)
#define TWI_PSELSCL REGISTER(0x40003508u)
#define TWI_PSELSDA REGISTER(0x4000350cu)
#define TWI_RXD REGISTER(0x40003518u)
#define TWI_TXD REGISTER(0x4000351cu)
#define TWI_FREQUENCY REGISTER(0x40003524u)
#define TWI_ADDRESS REGISTER(0x40003588u)
#define TWI_ENABLED 5u
#define TWI_250_KHZ 0x04000000u
#define TWI_BB_SUSPEND 1u
#define TWI_BB_STOP 2u

/* ---- Timer 0, the one with 32 bits ---- */

#define TIMER_START REGISTER(0x40008000u)
#define TIMER_CAPTURE(n) REGISTER(0x40008040u + (n) * 4u)
#define TIMER_COMPARE(n) REGISTER(0x40008140u + (n) * 4u)
#define TIMER_INTENSET REGISTER(0x40008304u)
#define TIMER_MODE REGISTER(0x40008504u)
#define TIMER_BITMODE REGISTER(0x40008508u)
#define TIMER_PRESCALER REGISTER(0x40008510u)
#define TIMER_CC(n) REGISTER(0x40008540u + (n) * 4u)
#define TIMER_INT_COMPARE(n) (1u << (16u + (n)))
#define TIMER_32_BIT 3u
#define TIMER_1_MHZ 4u /* 16 MHz / 2^4 */

/* ---- Flash ---- */

#define NVMC_READY REGISTER(0x4001e400u)
#define NVMC_CONFIG REGISTER(0x4001e504u)
#define NVMC_ERASEPAGE REGISTER(0x4001e508u)
#define NVMC_READ_ONLY 0u
#define NVMC_WRITE 1u
#define NVMC_ERASE 2u

/* ---- Facts from the factory ---- */

#define FICR_DEVICEID(n) REGISTER(0x10000060u + (n) * 4u)

/* ---- Core (Armv6-M and Armv7-M Architecture Reference Manuals) ---- */

#define IRQ_UART 2u
#define IRQ_TIMER 8u
#define NVIC_ENABLE REGISTER(0xe000e100u)
#define NVIC_PRIORITY(irq) (*(volatile uint32_t *)(uintptr_t)(0xe000e400u + (irq) / 4u * 4u))
#define SCB_AIRCR REGISTER(0xe000ed0cu)
#define SCB_AIRCR_RESET 0x05fa0004u
#define SCB_CPACR REGISTER(0xe000ed88u)

static inline void interrupts_off(void) { __asm volatile("cpsid i" ::: "memory"); }
static inline void interrupts_on(void) { __asm volatile("cpsie i" ::: "memory"); }
static inline void wait_for_interrupt(void) { __asm volatile("dsb\n\twfi" ::: "memory"); }

/* Priority 0 (first) .. 3. */
static inline void interrupt_enable(uint32_t irq, uint32_t priority) {
  uint32_t shift = (irq & 3u) * 8u;
  NVIC_PRIORITY(irq) = (NVIC_PRIORITY(irq) & ~(0xffu << shift)) | priority << (shift + 6u);
  NVIC_ENABLE = 1u << irq;
}

#endif
