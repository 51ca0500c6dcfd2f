#include "accelerometer.h"

#include "twi.h"

/*
 * Registers and settings as in the chips' data sheets, compared with microbit-dal's drivers (MMA8653.cpp,
 * LSM303Accelerometer.cpp), and run on chips made of registers in tests/c/microbit-chip.test.ts.
 */

/* MMA8653FC: 10 bits, left aligned, high byte first. */
#define MMA 0x1du
#define MMA_OUT_X_MSB 0x01u
#define MMA_WHO_AM_I 0x0du
#define MMA_WHO 0x5au
#define MMA_XYZ_DATA_CFG 0x0eu
#define MMA_4_G 0x01u
#define MMA_CTRL_REG1 0x2au
#define MMA_STANDBY 0x00u
#define MMA_ACTIVE 0x01u
#define MMA_CTRL_REG2 0x2bu
#define MMA_HIGH_RESOLUTION 0x02u /* MODS = 10 */

/* LSM303AGR: 12 bits, left aligned, low byte first. */
#define LSM 0x19u
#define LSM_WHO_AM_I 0x0fu
#define LSM_WHO 0x33u
#define LSM_CTRL_REG1 0x20u
#define LSM_AXES 0x07u
#define LSM_CTRL_REG4 0x23u
#define LSM_4_G_FINE 0x98u /* block data update, +-4 g, high resolution */
#define LSM_OUT_X_L 0x28u
#define LSM_ADVANCE 0x80u /* more than one register in a row */

static uint32_t chip; /* its address, 0 = none */

/* A register holds what was written to it. */
static int keeps(uint32_t address, uint8_t at, uint8_t value) {
  uint8_t found = 0;
  return twi_write(address, at, value) && twi_read(address, at, &found, 1) && found == value;
}

static int is_there(uint32_t address, uint8_t who_at, uint8_t who) {
  uint8_t found = 0;
  return twi_read(address, who_at, &found, 1) && found == who;
}

/*
 * The name alone proves nothing: QEMU's bus gives the MMA8653's and knows no other register (hw/i2c/microbit_i2c.c). A
 * setting must also read back as it was written.
 */
int accelerometer_find(void) {
  chip = 0;
  if (is_there(MMA, MMA_WHO_AM_I, MMA_WHO)) {
    if (twi_write(MMA, MMA_CTRL_REG1, MMA_STANDBY) && twi_write(MMA, MMA_CTRL_REG2, MMA_HIGH_RESOLUTION) &&
        keeps(MMA, MMA_XYZ_DATA_CFG, MMA_4_G)) {
      chip = MMA;
      return 1;
    }
  }
  if (is_there(LSM, LSM_WHO_AM_I, LSM_WHO) && keeps(LSM, LSM_CTRL_REG4, LSM_4_G_FINE)) {
    chip = LSM;
    return 1;
  }
  return 0;
}

void accelerometer_rate(uint32_t rate) {
  /* 0: 100 Hz, 1: 200 Hz, 2: 400 Hz */
  uint32_t step = rate > 100000u ? 2u : rate > 50000u ? 1u : 0u;
  if (chip == MMA) {
    (void)twi_write(MMA, MMA_CTRL_REG1, MMA_STANDBY); /* the rate may be changed only so */
    (void)twi_write(MMA, MMA_CTRL_REG1, (uint8_t)((3u - step) << 3 | MMA_ACTIVE));
  } else if (chip == LSM) {
    (void)twi_write(LSM, LSM_CTRL_REG1, (uint8_t)((5u + step) << 4 | LSM_AXES));
  }
}

static int16_t negative(int16_t value) { return value == -32768 ? 32767 : (int16_t)-value; }

static int16_t word(uint8_t high, uint8_t low) { return (int16_t)(uint16_t)((uint32_t)high << 8 | low); }

int accelerometer_read(int16_t frame[3]) {
  uint8_t bytes[6];
  if (chip == MMA) {
    if (!twi_read(MMA, MMA_OUT_X_MSB, bytes, 6)) return 0;
    frame[0] = negative(word(bytes[2], bytes[3]));
    frame[1] = word(bytes[0], bytes[1]);
    frame[2] = word(bytes[4], bytes[5]);
    return 1;
  }
  if (chip == LSM) {
    if (!twi_read(LSM, LSM_OUT_X_L | LSM_ADVANCE, bytes, 6)) return 0;
    frame[0] = negative(word(bytes[3], bytes[2]));
    frame[1] = negative(word(bytes[1], bytes[0]));
    frame[2] = word(bytes[5], bytes[4]);
    return 1;
  }
  return 0;
}
