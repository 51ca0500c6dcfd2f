/* Registers of chips on the two-wire (I2C) bus, at 250 kHz. No call waits for ever. */
#ifndef TWI_H
#define TWI_H

#include <stdint.h>

void twi_start(void);

/* 1, or 0 when nothing answers. */
int twi_write(uint32_t chip, uint8_t at, uint8_t value);
int twi_read(uint32_t chip, uint8_t at, uint8_t *bytes, uint32_t count);

#endif
