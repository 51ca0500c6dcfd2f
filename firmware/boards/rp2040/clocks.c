#include "clocks.h"

#include "rp2040.h"

void on_timer(void);

void unreset(uint32_t blocks) {
  REG_CLEAR(RESETS_RESET) = blocks;
  while ((REG(RESETS_DONE) & blocks) != blocks) {
  }
}

void reset(uint32_t blocks) {
  REG_SET(RESETS_RESET) = blocks;
  unreset(blocks);
}

/* Output = 12 MHz * feedback / (divider1 * divider2); the product is the oscillator's, 750..1600 MHz. */
static void pll_start(uint32_t pll, uint32_t block, uint32_t feedback, uint32_t divider1, uint32_t divider2) {
  reset(block);
  REG(PLL_CS(pll)) = 1;
  REG(PLL_FBDIV(pll)) = feedback;
  REG_CLEAR(PLL_PWR(pll)) = 1u << 0 | 1u << 5; /* the PLL and its oscillator */
  while ((REG(PLL_CS(pll)) & 1u << 31) == 0) {
  }
  REG(PLL_PRIM(pll)) = divider1 << 16 | divider2 << 12;
  REG_CLEAR(PLL_PWR(pll)) = 1u << 3; /* the dividers */
}

void clocks_start(void) {
  REG(CLK_SYS_RESUS_CTRL) = 0;
  /* Crystals of some boards start slowly: 3008 * 256 periods are 64 ms. */
  REG(XOSC_STARTUP) = 3008;
  REG(XOSC_CTRL) = 0xfabaa0;
  while ((REG(XOSC_STATUS) & 1u << 31) == 0) {
  }
  /* Off the PLLs while they are set up; then reference = crystal, and system = PLL. */
  REG_CLEAR(CLK_SYS_CTRL) = 1;
  while (REG(CLK_SYS_SELECTED) != 1u << 0) {
  }
  REG_CLEAR(CLK_REF_CTRL) = 3;
  while (REG(CLK_REF_SELECTED) != 1u << 0) {
  }
  pll_start(PLL_SYS, RESET_PLL_SYS, 125, 6, 2);
  pll_start(PLL_USB, RESET_PLL_USB, 100, 5, 5);
  REG(CLK_REF_CTRL) = 2;
  while (REG(CLK_REF_SELECTED) != 1u << 2) {
  }
  REG(CLK_SYS_DIV) = 1u << 8;
  REG(CLK_SYS_CTRL) = 0;
  REG(CLK_SYS_CTRL) = 1;
  while (REG(CLK_SYS_SELECTED) != 1u << 1) {
  }
  REG(CLK_PERI_CTRL) = CLK_ENABLE;
  REG(CLK_USB_DIV) = 1u << 8;
  REG(CLK_USB_CTRL) = CLK_ENABLE;
  REG(CLK_ADC_DIV) = 1u << 8;
  REG(CLK_ADC_CTRL) = CLK_ENABLE;
  /* The timer counts ticks that the watchdog makes: every 12 periods of the crystal. */
  REG(WATCHDOG_TICK) = 12u | 1u << 9;
  unreset(RESET_TIMER);
  REG(TIMER_INTE) = 1;
  REG(NVIC_ENABLE) = 1u << IRQ_TIMER_0;
}

uint64_t time_us(void) {
  uint32_t high;
  uint32_t low;
  do {
    high = REG(TIMER_RAWH);
    low = REG(TIMER_RAWL);
  } while (high != REG(TIMER_RAWH));
  return (uint64_t)high << 32 | low;
}

uint32_t time_us_32(void) { return REG(TIMER_RAWL); }

void delay_us(uint32_t us) {
  uint32_t began = time_us_32();
  while (time_us_32() - began < us) {
  }
}

void on_timer(void) { REG(TIMER_INTR) = 1; }

void sleep_until(uint32_t at) {
  REG(TIMER_ALARM0) = at;
  /* An alarm that was set too late would come in 71 minutes. */
  if ((int32_t)(at - time_us_32()) > 0) __asm__ volatile("wfi" ::: "memory");
  interrupts_on();
}
