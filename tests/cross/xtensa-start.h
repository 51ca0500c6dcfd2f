/*
 * Start, output and end of a test program on Xtensa, where the distribution has no C library for semihosting: calls of
 * the simulator (`simcall`, as Tensilica's instruction set simulator numbers them). On the ESP8266 the products and
 * quotients that the compiler calls for lie in the chip's own ROM, so its library leaves them out; here they are.
 */
#ifndef XTENSA_START_H
#define XTENSA_START_H

#include <stdint.h>

enum { SIMCALL_EXIT = 1, SIMCALL_WRITE = 4 };

/* Literals lie before the code that loads them, so the first instruction, at the reset vector, jumps over them. */
__asm__(
    ".section .start, \"ax\"\n"
    ".global _start\n"
    "_start: j 1f\n"
    ".align 4\n"
    "2: .word _stack_top\n"
    "3: .word program\n"
    "1: l32r a1, 2b\n"
    "l32r a2, 3b\n"
    "callx0 a2\n"
    "mov a3, a2\n"
    "movi a2, 1\n"
    "simcall\n"
    ".previous\n");

static inline void put_character(char c) {
  static char kept;
  register int32_t call __asm("a2") = SIMCALL_WRITE;
  register int32_t file __asm("a3") = 1;
  register const char *from __asm("a4") = &kept;
  register int32_t count __asm("a5") = 1;
  kept = c;
  __asm volatile("simcall" : "+r"(call), "+r"(file) : "r"(from), "r"(count) : "memory");
}

uint64_t __umulsidi3(uint32_t a, uint32_t b);
uint64_t __umulsidi3(uint32_t a, uint32_t b) {
  const uint32_t a0 = a & 0xffff, a1 = a >> 16, b0 = b & 0xffff, b1 = b >> 16;
  const uint32_t low = a0 * b0, one = a1 * b0 + (low >> 16), two = a0 * b1 + (one & 0xffff);
  const uint32_t high = a1 * b1 + (one >> 16) + (two >> 16);
  union {
    uint32_t half[2];
    uint64_t whole;
  } product;
  product.half[0] = (two << 16) | (low & 0xffff);
  product.half[1] = high;
  return product.whole;
}

int64_t __muldi3(int64_t a, int64_t b);
int64_t __muldi3(int64_t a, int64_t b) {
  union {
    int64_t whole;
    uint64_t bits;
    uint32_t half[2];
  } x, y, product;
  x.whole = a;
  y.whole = b;
  product.bits = __umulsidi3(x.half[0], y.half[0]);
  product.half[1] += x.half[0] * y.half[1] + x.half[1] * y.half[0];
  return product.whole;
}

static uint32_t divide(uint32_t a, uint32_t b, uint32_t *rest) {
  uint32_t quotient = 0, remainder = 0;
  int bit;
  for (bit = 31; bit >= 0; bit--) {
    const uint32_t carry = remainder >> 31;
    remainder = (remainder << 1) | ((a >> bit) & 1);
    if (carry || remainder >= b) {
      remainder -= b;
      quotient |= UINT32_C(1) << bit;
    }
  }
  *rest = remainder;
  return quotient;
}

uint32_t __udivsi3(uint32_t a, uint32_t b);
uint32_t __udivsi3(uint32_t a, uint32_t b) {
  uint32_t rest;
  return divide(a, b, &rest);
}

uint32_t __umodsi3(uint32_t a, uint32_t b);
uint32_t __umodsi3(uint32_t a, uint32_t b) {
  uint32_t rest;
  (void)divide(a, b, &rest);
  return rest;
}

int32_t __divsi3(int32_t a, int32_t b);
int32_t __divsi3(int32_t a, int32_t b) {
  const uint32_t quotient = __udivsi3(a < 0 ? 0 - (uint32_t)a : (uint32_t)a, b < 0 ? 0 - (uint32_t)b : (uint32_t)b);
  return (int32_t)((a < 0) == (b < 0) ? quotient : 0 - quotient);
}

int32_t __modsi3(int32_t a, int32_t b);
int32_t __modsi3(int32_t a, int32_t b) {
  return a - __divsi3(a, b) * b;
}

#endif
