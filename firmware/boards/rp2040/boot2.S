/*
 * The second stage: the boot ROM loads these 256 bytes into RAM, checks their CRC-32 (build.mjs appends it) and calls
 * them. They make the flash readable at 0x10000000 with the command that every SPI flash knows, 03h, one bit wide, at
 * a quarter of the system clock: 31 MHz when that is 125 MHz. Then the firmware behind them is entered.
 *
 * Registers: RP2040 datasheet, 4.10 "SSI"; entry conditions: 2.8.1.3.1 "Boot second stage".
 */
  .cpu cortex-m0plus
  .thumb
  .syntax unified

  .section .boot2, "ax"
  .global boot2
  .thumb_func
boot2:
  ldr r3, ssi
  movs r0, #0
  str r0, [r3, #0x08] /* off while it is configured */
  movs r0, #4
  str r0, [r3, #0x14] /* clock divider */
  ldr r0, frames
  str r0, [r3, #0x00]
  ldr r0, command
  movs r1, #0xf4
  str r0, [r3, r1]
  movs r0, #0
  str r0, [r3, #0x04] /* one frame at a time */
  movs r0, #1
  str r0, [r3, #0x08]
  ldr r0, vectors
  ldr r1, vtor
  str r0, [r1]
  ldr r1, [r0]
  ldr r2, [r0, #4]
  msr msp, r1
  bx r2

  .balign 4
ssi:
  .word 0x18000000
/* Standard SPI, frames of 32 bits, "EEPROM read": send instruction and address, then receive. */
frames:
  .word (31 << 16) | (3 << 8)
/* Instruction 03h of 8 bits, address of 24 bits, both on one wire. */
command:
  .word (0x03 << 24) | (2 << 8) | (6 << 2)
vectors:
  .word 0x10000100
vtor:
  .word 0xe000ed08
