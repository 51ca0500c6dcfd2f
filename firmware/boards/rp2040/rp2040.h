/*
 * The registers of the RP2040 that this firmware uses, by the names of the datasheet (RP-008371), and nothing else.
 */
#ifndef RP2040_H
#define RP2040_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
/* The same register, written so that only the ones in the value are set, or cleared. */
#define REG_SET(address) REG((address) + 0x2000u)
#define REG_CLEAR(address) REG((address) + 0x3000u)

#define XIP_BASE 0x10000000u

#define IO_QSPI_SS_CTRL 0x4001800cu

#define CLK_REF_CTRL 0x40008030u
#define CLK_REF_SELECTED 0x40008038u
#define CLK_SYS_CTRL 0x4000803cu
#define CLK_SYS_DIV 0x40008040u
#define CLK_SYS_SELECTED 0x40008044u
#define CLK_PERI_CTRL 0x40008048u
#define CLK_USB_CTRL 0x40008054u
#define CLK_USB_DIV 0x40008058u
#define CLK_ADC_CTRL 0x40008060u
#define CLK_ADC_DIV 0x40008064u
#define CLK_SYS_RESUS_CTRL 0x40008078u
#define CLK_ENABLE (1u << 11)

#define RESETS_RESET 0x4000c000u
#define RESETS_DONE 0x4000c008u
#define RESET_ADC (1u << 0)
#define RESET_I2C0 (1u << 3)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS (1u << 12)
#define RESET_PLL_USB (1u << 13)
#define RESET_TIMER (1u << 21)
#define RESET_UART0 (1u << 22)
#define RESET_USBCTRL (1u << 24)

#define GPIO_CTRL(pin) (0x40014004u + 8u * (pin))
#define GPIO_FUNCTION_UART 2u
#define GPIO_FUNCTION_I2C 3u
#define GPIO_FUNCTION_NONE 31u
#define PAD(pin) (0x4001c004u + 4u * (pin))
#define PAD_OUTPUT_DISABLE (1u << 7)
#define PAD_INPUT_ENABLE (1u << 6)
#define PAD_DRIVE_4MA (1u << 4)
#define PAD_PULL_UP (1u << 3)
#define PAD_SCHMITT (1u << 1)

#define XOSC_CTRL 0x40024000u
#define XOSC_STATUS 0x40024004u
#define XOSC_STARTUP 0x4002400cu

#define PLL_SYS 0x40028000u
#define PLL_USB 0x4002c000u
#define PLL_CS(pll) (pll)
#define PLL_PWR(pll) ((pll) + 4u)
#define PLL_FBDIV(pll) ((pll) + 8u)
#define PLL_PRIM(pll) ((pll) + 12u)

#define UART0_DR 0x40034000u
#define UART0_FR 0x40034018u
#define UART0_IBRD 0x40034024u
#define UART0_FBRD 0x40034028u
#define UART0_LCR_H 0x4003402cu
#define UART0_CR 0x40034030u
#define UART0_IMSC 0x40034038u
#define UART0_ICR 0x40034044u
#define UART_FR_TXFF (1u << 5)
#define UART_FR_RXFE (1u << 4)
#define UART_INT_RX (1u << 4)
#define UART_INT_RX_TIMEOUT (1u << 6)

#define I2C0 0x40044000u

#define ADC_CS 0x4004c000u
#define ADC_RESULT 0x4004c004u
#define ADC_CS_READY (1u << 8)
#define ADC_CS_START (1u << 2)
#define ADC_CS_ENABLE (1u << 0)

#define TIMER_ALARM0 0x40054010u
#define TIMER_RAWH 0x40054024u
#define TIMER_RAWL 0x40054028u
#define TIMER_INTR 0x40054034u
#define TIMER_INTE 0x40054038u

#define WATCHDOG_TICK 0x4005802cu

#define SSI 0x18000000u
#define SSI_CTRLR0 (SSI + 0x00u)
#define SSI_CTRLR1 (SSI + 0x04u)
#define SSI_ENABLE (SSI + 0x08u)
#define SSI_BAUDR (SSI + 0x14u)
#define SSI_SR (SSI + 0x28u)
#define SSI_DR0 (SSI + 0x60u)
#define SSI_SPI_CTRLR0 (SSI + 0xf4u)

#define NVIC_ENABLE 0xe000e100u
#define SCB_VTOR 0xe000ed08u
#define IRQ_TIMER_0 0u
#define IRQ_USBCTRL 5u
#define IRQ_UART0 20u

static inline void interrupts_off(void) { __asm__ volatile("cpsid i" ::: "memory"); }
static inline void interrupts_on(void) { __asm__ volatile("cpsie i" ::: "memory"); }

#endif
