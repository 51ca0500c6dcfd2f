/*
 * Constants in flash. On AVR they are in an address space of their own, from which only special instructions read; a
 * plain constant there would take RAM. Everywhere else these are plain reads.
 */
#ifndef MOTE_FLASH_H
#define MOTE_FLASH_H

#include <stdint.h>

#if defined(__AVR__)
#  include <avr/pgmspace.h>
#define MOTE_FLASH PROGMEM
#define MOTE_FLASH_U8(at) pgm_read_byte(at)
#define MOTE_FLASH_I8(at) ((int8_t)pgm_read_byte(at))
#define MOTE_FLASH_I16(at) ((int16_t)pgm_read_word(at))
#define MOTE_FLASH_I32(at) ((int32_t)pgm_read_dword(at))
#define MOTE_FLASH_U32(at) ((uint32_t)pgm_read_dword(at))
#define MOTE_FLASH_F32(at) pgm_read_float(at)
#else
#define MOTE_FLASH
#define MOTE_FLASH_U8(at) (*(at))
#define MOTE_FLASH_I8(at) (*(at))
#define MOTE_FLASH_I16(at) (*(at))
#define MOTE_FLASH_I32(at) (*(at))
#define MOTE_FLASH_U32(at) (*(at))
#define MOTE_FLASH_F32(at) (*(at))
#endif

#endif
