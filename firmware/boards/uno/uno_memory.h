/*
 * Where things are in the ATmega328P of an Uno or Nano. build.mjs reads these numbers and tells them to the studio.
 */
#ifndef UNO_MEMORY_H
#define UNO_MEMORY_H

/* Flash is written by the boot loader in pages of so many bytes. */
#define UNO_PAGE_BYTES 128u

/*
 * The model area: from behind the firmware to Optiboot, which takes 512 bytes. The boot loader of old Nanos takes 2 KB:
 * on those the area ends earlier. All are page addresses.
 */
#define UNO_MODEL_START 0x6a00u
#define UNO_MODEL_END 0x7e00u
#define UNO_MODEL_END_OLD_NANO 0x7800u

/* RAM in which a model works: window, activations, scratch. What is left of 2 KB is for buffers and the stack. */
#define UNO_WORK_BYTES 800u

/* Analog inputs A0, A1, A2. */
#define UNO_CHANNELS 3u

/* Sampling rates that the timer can give and the conversions can follow, mHz. */
#define UNO_RATE_MIN 4000u
#define UNO_RATE_MAX 250000u

#endif
