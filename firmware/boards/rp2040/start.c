/* From the second stage to main: everything is copied into RAM, and the vectors with it. */
#include "rp2040.h"

extern uint32_t _stack_top, _image, _image_end, _image_flash, _bss, _bss_end;

int main(void);
void start(void);
void on_timer(void);
void on_usb(void);
void on_uart(void);
void *memcpy(void *to, const void *from, uint32_t count);
void *memset(void *to, int value, uint32_t count);

/* A fault leaves nothing to go on with. The watchdog would hide it; a board that stands still says that it is broken. */
static void halt(void) {
  for (;;) {
  }
}

typedef void (*handler)(void);
#define ROW halt, halt, halt, halt

/* Used by the boot ROM and the second stage only: stack and entry. */
__attribute__((section(".vectors"), used)) static void *const boot_vectors[2] = {&_stack_top, (void *)(uintptr_t)start};

/* 16 of the core, 32 of the chip. Aligned as the vector table must be: at the start of RAM. */
__attribute__((section(".ram_vectors"), used)) static const handler vectors[48] = {
    halt, halt, halt, halt, ROW, ROW, ROW,             /* core */
    on_timer, halt, halt, halt, halt, on_usb, halt, halt, /* 0..7 */
    ROW, ROW, ROW,                                      /* 8..19 */
    on_uart, halt, halt, halt, ROW, ROW,                /* 20..31 */
};

/* Runs in flash, so it calls nothing. */
__attribute__((section(".start"), used, noreturn)) void start(void) {
  volatile uint32_t *to = &_image;
  const volatile uint32_t *from = &_image_flash;
  while (to < &_image_end) *to++ = *from++;
  for (to = &_bss; to < &_bss_end; to++) *to = 0;
  REG(SCB_VTOR) = (uint32_t)(uintptr_t)&_image;
  (void)((int (*volatile)(void))main)();
  for (;;) {
  }
}

/* What the compiler itself calls; there is no C library. */
void *memcpy(void *to, const void *from, uint32_t count) {
  uint8_t *out = (uint8_t *)to;
  const uint8_t *in = (const uint8_t *)from;
  while (count-- > 0) *out++ = *in++;
  return to;
}

void *memset(void *to, int value, uint32_t count) {
  uint8_t *out = (uint8_t *)to;
  while (count-- > 0) *out++ = (uint8_t)value;
  return to;
}
