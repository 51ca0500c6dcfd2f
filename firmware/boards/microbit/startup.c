/* From power-up to main, and the vector table. No C library: what the compiler may call stands at the end. */
#include <stddef.h>

#include "nrf.h"

extern uint32_t __data[], __data_end[], __bss[], __bss_end[], __stack[];
extern const uint32_t __data_source[];

int main(void);
void uart_interrupt(void);
void timer_interrupt(void);
void reset(void);
void fault(void);
void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);

void reset(void) {
  const uint32_t *from = __data_source;
  uint32_t *to;
#if MICROBIT == 2
  SCB_CPACR |= 0xfu << 20; /* the FPU, before any float */
  __asm volatile("dsb\n\tisb" ::: "memory");
#endif
  for (to = __data; to < __data_end;) *to++ = *from++;
  for (to = __bss; to < __bss_end;) *to++ = 0;
  (void)main();
  fault();
}

/* A board that starts again is of more use than one that stands still. */
void fault(void) {
  SCB_AIRCR = SCB_AIRCR_RESET;
  for (;;) continue;
}

typedef union {
  const void *stack;
  void (*handler)(void);
} vector;

extern const vector vectors[16u + 48u];

__attribute__((section(".vectors"), used)) const vector vectors[16u + 48u] = {
    {__stack},
    {.handler = reset},
    {.handler = fault}, /* NMI */
    {.handler = fault}, /* HardFault */
    {.handler = fault}, /* the finer faults of the M4 */
    {.handler = fault},
    {.handler = fault},
    [16u + IRQ_UART] = {.handler = uart_interrupt},
    [16u + IRQ_TIMER] = {.handler = timer_interrupt},
};

/* ---- What the compiler may call ---- */

void *memcpy(void *to, const void *from, size_t count) {
  uint8_t *out = (uint8_t *)to;
  const uint8_t *in = (const uint8_t *)from;
  while (count-- > 0) *out++ = *in++;
  return to;
}

void *memmove(void *to, const void *from, size_t count) {
  uint8_t *out = (uint8_t *)to;
  const uint8_t *in = (const uint8_t *)from;
  if (out < in) return memcpy(to, from, count);
  while (count-- > 0) out[count] = in[count];
  return to;
}

void *memset(void *to, int value, size_t count) {
  uint8_t *out = (uint8_t *)to;
  while (count-- > 0) *out++ = (uint8_t)value;
  return to;
}
