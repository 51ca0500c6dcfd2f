/*
 * What is measured: an MPU-6050 or an LSM6DS3 / LSM6DSO on I2C (GP4 data, GP5 clock) when one answers at power-up; or
 * else the voltages at ADC0..2 (GP26..28), read as those of an analog accelerometer such as the ADXL335.
 */
#ifndef SENSORS_H
#define SENSORS_H

#include <stdint.h>

#include "mote_board.h"

/* Looks for sensors. Called once. */
void sensors_start(void);

/* What was found; the array stays. */
const mote_channel *sensors_channels(uint32_t *count);

/* One frame, in the channels' order. 0 when the sensor did not answer. */
int sensors_read(int16_t *frame);

#endif
