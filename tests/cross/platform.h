/*
 * What a test program needs of the processor that it runs on: a way out for its bytes, two marks between which the
 * emulator counts, more marks in between, and the stack that was used between them. The program is `int program(void)`; 42 is success.
 */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdint.h>

int program(void);

#if defined(__AVR__)
/* simavr's runner (avr-run.c) listens at three registers that do nothing on the chip; a UART would take far longer. */
#include <avr/io.h>
#include <avr/pgmspace.h>
#define STORED PROGMEM
#define stored(at) ((int8_t)pgm_read_byte(at))
static inline void put_character(char c) { GPIOR0 = (uint8_t)c; }
#define bench_begin() (GPIOR1 = 1)
#define bench_end() (GPIOR1 = 2)
#define bench_mark() ((void)0)
#define paint_stack() ((void)0)
#define used_stack() 0
int main(void) {
  GPIOR2 = (uint8_t)program();
  for (;;) {
  }
}

#elif defined(__wasm__)
__attribute__((import_module("env"), import_name("put"))) void put_character(char c);
#define bench_begin() ((void)0)
#define bench_end() ((void)0)
#define bench_mark() ((void)0)
#define paint_stack() ((void)0)
#define used_stack() 0
__attribute__((export_name("program"))) int program(void);
/* Compilers make calls of these out of loops. */
void *memcpy(void *to, const void *from, unsigned long count);
void *memcpy(void *to, const void *from, unsigned long count) {
  volatile char *t = (volatile char *)to;
  const char *f = (const char *)from;
  while (count--) *t++ = *f++;
  return to;
}
void *memset(void *to, int value, unsigned long count);
void *memset(void *to, int value, unsigned long count) {
  volatile char *t = (volatile char *)to;
  while (count--) *t++ = (char)value;
  return to;
}

#else
#if defined(__XTENSA__)
#include "xtensa-start.h"
#else
#include <stdio.h>
static inline void put_character(char c) { (void)putchar(c); }
int main(void) { return program(); }
#endif
/* Functions of their own, so that the counting plugin finds their addresses. */
__attribute__((noinline)) void bench_begin(void);
__attribute__((noinline)) void bench_begin(void) { __asm volatile(""); }
__attribute__((noinline)) void bench_end(void);
__attribute__((noinline)) void bench_end(void) { __asm volatile(""); }
__attribute__((noinline)) void bench_mark(void);
__attribute__((noinline)) void bench_mark(void) { __asm volatile(""); }

#if defined(__arm__) || defined(__riscv) || defined(__XTENSA__)
#ifndef PAINTED_BYTES
#define PAINTED_BYTES 4096
#endif
static inline __attribute__((always_inline)) volatile uint8_t *stack_pointer(void) {
  volatile uint8_t *sp;
#if defined(__arm__)
  __asm volatile("mov %0, sp" : "=r"(sp));
#elif defined(__XTENSA__)
  __asm volatile("mov %0, a1" : "=r"(sp));
#else
  __asm volatile("mv %0, sp" : "=r"(sp));
#endif
  return sp;
}
static volatile uint8_t *stack_top, *stack_bottom;
/* Fills the stack below the program's frame; what changes there afterwards was used. */
__attribute__((noinline, unused)) static void paint_below(volatile uint8_t *top) {
  volatile uint8_t *at = stack_pointer();
  stack_top = top;
  stack_bottom = top - PAINTED_BYTES;
  while (at > stack_bottom) *--at = 0xa5;
}
#define paint_stack() paint_below(stack_pointer())
__attribute__((noinline, unused)) static int used_stack(void) {
  volatile uint8_t *at = stack_bottom;
  while (at < stack_top && *at == 0xa5) at++;
  return (int)(stack_top - at);
}
#else
#define paint_stack() ((void)0)
#define used_stack() 0
#endif
#endif

/* Test data that stays in flash. */
#if !defined(STORED)
#define STORED
#define stored(at) (*(at))
#endif

static inline __attribute__((unused)) void put_hex(uint32_t value, int digits) {
  while (digits-- > 0) put_character("0123456789abcdef"[(value >> (4 * digits)) & 15]);
}

/* The next of a row of pseudo-random numbers (xorshift32; Marsaglia 2003). */
static inline __attribute__((unused)) uint32_t next_random(uint32_t state) {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^ (state << 5);
}

/* CRC-32 (IEEE 802.3) of bytes, after `crc` of what came before. */
static inline __attribute__((unused)) uint32_t crc_of(uint32_t crc, const int8_t *bytes, int32_t count) {
  int32_t i;
  int bit;
  crc = ~crc;
  for (i = 0; i < count; i++) {
    crc ^= (uint8_t)bytes[i];
    for (bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
  }
  return ~crc;
}

#endif
