/*
 * Packs lie in ordinary memory: in flash that is mapped there, or, on AVR, in a copy in RAM. The kernels read constants with
 * the macros of mote_flash.h, which on AVR fetch from flash; what runs packs includes this first, in its place.
 */
#ifndef MOTE_PACK_MEMORY_H
#define MOTE_PACK_MEMORY_H

#if defined(__AVR__)
#if defined(MOTE_FLASH_H)
#error "mote_pack_memory.h comes before every fragment."
#endif
#define MOTE_FLASH_H
#define MOTE_FLASH
#define MOTE_FLASH_U8(at) (*(at))
#define MOTE_FLASH_I8(at) (*(at))
#define MOTE_FLASH_I16(at) (*(at))
#define MOTE_FLASH_I32(at) (*(at))
#define MOTE_FLASH_U32(at) (*(at))
#define MOTE_FLASH_F32(at) (*(at))
/* Of the parameters of an op, the only thing that fragments copy. */
#define memcpy_P(to, from, count) (*(to) = *(from))
/* The kernel in assembly reads its weights from flash; without these instructions the portable one is chosen. */
#undef __AVR_HAVE_LPMX__
#endif

#endif
