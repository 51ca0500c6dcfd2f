/*
 * Acceleration in three axes, +-4 g, 8192 steps per g whatever the chip: MMA8653FC (v1), or LSM303AGR (v1.5 and v2).
 *
 * The axes are turned as the micro:bit's own runtime turns them (microbit-dal, MMA8653.cpp and LSM303Accelerometer.cpp,
 * "align to ENU"), so that a model learned on one version of the board runs on the others.
 */
#ifndef ACCELEROMETER_H
#define ACCELEROMETER_H

#include <stdint.h>

#define ACCELEROMETER_PER_G 8192

/* Looks for a chip. 1, or 0 when none answers as it should. */
int accelerometer_find(void);

/* Measures at twice `rate` (mHz: 50000, 100000 or 200000), so that no reading is read twice. */
void accelerometer_rate(uint32_t rate);

/* The latest reading: x, y, z. 0 when the chip does not answer. */
int accelerometer_read(int16_t frame[3]);

#endif
