/* The flash behind the firmware, as storage for model slots. */
#ifndef FLASH_H
#define FLASH_H

#include "mote_slots.h"

extern const mote_storage flash_storage;

#endif
