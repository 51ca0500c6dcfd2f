#include "sensors.h"

#include "clocks.h"
#include "rp2040.h"

/* ---- Analog ---- */

#define ADC_FIRST_PIN 26u
#define ADC_AXES 3u
/* The mean of so many conversions is less noisy than one; their sum fills an int16. */
#define ADC_OVERSAMPLING 8u
#define ADC_MIDDLE (2048 * (int32_t)ADC_OVERSAMPLING)
/* 3.3 V over 4096 steps; 330 mV per g around half the supply, as the ADXL335 gives at 3.3 V. */
#define ADC_SCALE (3.3f / 4096.0f / 8.0f / 0.330f * 9.80665f)

static void adc_start(void) {
  uint32_t axis;
  reset(RESET_ADC);
  for (axis = 0; axis < ADC_AXES; axis++) {
    REG(PAD(ADC_FIRST_PIN + axis)) = PAD_OUTPUT_DISABLE; /* digital input off, no pulls */
    REG(GPIO_CTRL(ADC_FIRST_PIN + axis)) = GPIO_FUNCTION_NONE;
  }
  REG(ADC_CS) = ADC_CS_ENABLE;
  while ((REG(ADC_CS) & ADC_CS_READY) == 0) {
  }
}

static int adc_frame(int16_t *frame) {
  uint32_t axis;
  uint32_t i;
  for (axis = 0; axis < ADC_AXES; axis++) {
    int32_t sum = 0;
    for (i = 0; i < ADC_OVERSAMPLING; i++) {
      REG(ADC_CS) = ADC_CS_ENABLE | ADC_CS_START | axis << 12;
      while ((REG(ADC_CS) & ADC_CS_READY) == 0) {
      }
      sum += (int32_t)(REG(ADC_RESULT) & 0xfffu);
    }
    frame[axis] = (int16_t)(sum - ADC_MIDDLE);
  }
  return 1;
}

static const mote_channel adc_channels[ADC_AXES] = {
    {"accX", "m/s2", ADC_SCALE}, {"accY", "m/s2", ADC_SCALE}, {"accZ", "m/s2", ADC_SCALE},
};

/* ---- I2C: Synopsys DW_apb_i2c, RP2040 datasheet 4.3 ---- */

#define I2C_CON (I2C0 + 0x00u)
#define I2C_TAR (I2C0 + 0x04u)
#define I2C_DATA_CMD (I2C0 + 0x10u)
#define I2C_FS_SCL_HCNT (I2C0 + 0x1cu)
#define I2C_FS_SCL_LCNT (I2C0 + 0x20u)
#define I2C_RAW_INTR (I2C0 + 0x34u)
#define I2C_CLR_TX_ABRT (I2C0 + 0x54u)
#define I2C_ENABLE (I2C0 + 0x6cu)
#define I2C_TXFLR (I2C0 + 0x74u)
#define I2C_RXFLR (I2C0 + 0x78u)
#define I2C_SDA_HOLD (I2C0 + 0x7cu)
#define I2C_FS_SPKLEN (I2C0 + 0xa0u)
#define CON_MASTER_FAST (1u << 8 | 1u << 6 | 1u << 5 | 2u << 1 | 1u << 0)
#define CMD_RESTART (1u << 10)
#define CMD_STOP (1u << 9)
#define CMD_READ (1u << 8)
#define INTR_TX_ABRT (1u << 6)
/* 14 bytes take 0.4 ms at 400 kHz. A bus that is held low must not hold the board. */
#define I2C_TIMEOUT_US 2000u
#define I2C_QUEUE 16u
#define PIN_DATA 4u
#define PIN_CLOCK 5u

static void i2c_start(void) {
  reset(RESET_I2C0);
  REG(I2C_ENABLE) = 0;
  REG(I2C_CON) = CON_MASTER_FAST;
  /* 125 MHz / 400 kHz = 313 periods, of which 40 % high. */
  REG(I2C_FS_SCL_HCNT) = 125;
  REG(I2C_FS_SCL_LCNT) = 188;
  REG(I2C_FS_SPKLEN) = 11;
  REG(I2C_SDA_HOLD) = 38; /* 300 ns */
  REG(PAD(PIN_DATA)) = PAD_INPUT_ENABLE | PAD_DRIVE_4MA | PAD_PULL_UP | PAD_SCHMITT;
  REG(PAD(PIN_CLOCK)) = PAD_INPUT_ENABLE | PAD_DRIVE_4MA | PAD_PULL_UP | PAD_SCHMITT;
  REG(GPIO_CTRL(PIN_DATA)) = GPIO_FUNCTION_I2C;
  REG(GPIO_CTRL(PIN_CLOCK)) = GPIO_FUNCTION_I2C;
}

/* The command queue runs empty, or `count` bytes arrive: 1; or 0 when nobody answers. */
static int i2c_wait(uint32_t count) {
  uint32_t began = time_us_32();
  while (time_us_32() - began < I2C_TIMEOUT_US) {
    if ((REG(I2C_RAW_INTR) & INTR_TX_ABRT) != 0) {
      (void)REG(I2C_CLR_TX_ABRT);
      return 0;
    }
    if (count > 0 ? REG(I2C_RXFLR) >= count : REG(I2C_TXFLR) == 0) return 1;
  }
  return 0;
}

static void i2c_target(uint32_t address) {
  REG(I2C_ENABLE) = 0;
  REG(I2C_TAR) = address;
  REG(I2C_ENABLE) = 1;
}

static int i2c_write(uint32_t address, uint8_t place, uint8_t value) {
  i2c_target(address);
  REG(I2C_DATA_CMD) = place;
  REG(I2C_DATA_CMD) = value | CMD_STOP;
  if (!i2c_wait(0)) return 0;
  delay_us(100); /* the last byte is still on the wire */
  return (REG(I2C_RAW_INTR) & INTR_TX_ABRT) == 0;
}

/* Up to I2C_QUEUE - 1 bytes from consecutive places. */
static int i2c_read(uint32_t address, uint8_t place, uint8_t *bytes, uint32_t count) {
  uint32_t i;
  i2c_target(address);
  REG(I2C_DATA_CMD) = place;
  for (i = 0; i < count; i++) {
    REG(I2C_DATA_CMD) = CMD_READ | (i == 0 ? CMD_RESTART : 0u) | (i + 1u == count ? CMD_STOP : 0u);
  }
  if (!i2c_wait(count)) return 0;
  for (i = 0; i < count; i++) bytes[i] = (uint8_t)(REG(I2C_DATA_CMD) & 0xffu);
  return 1;
}

static int16_t big_endian(const uint8_t *bytes) { return (int16_t)((uint32_t)bytes[0] << 8 | bytes[1]); }

static int16_t little_endian(const uint8_t *bytes) { return (int16_t)((uint32_t)bytes[1] << 8 | bytes[0]); }

/* +-8 g and +-2000 deg/s. */
#define MPU_ACC (9.80665f / 4096.0f)
#define MPU_GYR (2000.0f / 32768.0f)
static const mote_channel mpu_channels[6] = {
    {"accX", "m/s2", MPU_ACC},  {"accY", "m/s2", MPU_ACC},  {"accZ", "m/s2", MPU_ACC},
    {"gyrX", "deg/s", MPU_GYR}, {"gyrY", "deg/s", MPU_GYR}, {"gyrZ", "deg/s", MPU_GYR},
};

static int mpu_found(uint32_t address) {
  uint8_t who = 0;
  if (!i2c_read(address, 0x75, &who, 1)) return 0;
  /* MPU-6050, 6500, 9250, 9255 */
  if (who != 0x68 && who != 0x70 && who != 0x71 && who != 0x73) return 0;
  if (!i2c_write(address, 0x6b, 0x01)) return 0; /* awake, clock of the gyroscope */
  delay_us(1000);
  return i2c_write(address, 0x1a, 0x02)     /* filter at 94 Hz */
         && i2c_write(address, 0x1b, 0x18)  /* 2000 deg/s */
         && i2c_write(address, 0x1c, 0x10); /* 8 g */
}

static int mpu_frame(uint32_t address, int16_t *frame) {
  uint8_t bytes[14];
  uint32_t i;
  if (!i2c_read(address, 0x3b, bytes, 14)) return 0;
  for (i = 0; i < 3u; i++) {
    frame[i] = big_endian(bytes + 2u * i);
    frame[3u + i] = big_endian(bytes + 8u + 2u * i); /* behind the temperature */
  }
  return 1;
}

/* +-8 g: 0.244 mg a step; +-2000 deg/s: 70 mdeg/s a step. */
#define LSM_ACC (0.244e-3f * 9.80665f)
#define LSM_GYR 0.07f
static const mote_channel lsm_channels[6] = {
    {"accX", "m/s2", LSM_ACC},  {"accY", "m/s2", LSM_ACC},  {"accZ", "m/s2", LSM_ACC},
    {"gyrX", "deg/s", LSM_GYR}, {"gyrY", "deg/s", LSM_GYR}, {"gyrZ", "deg/s", LSM_GYR},
};

static int lsm_found(uint32_t address) {
  uint8_t who = 0;
  if (!i2c_read(address, 0x0f, &who, 1)) return 0;
  /* LSM6DS3, LSM6DS3TR-C, LSM6DSO */
  if (who != 0x69 && who != 0x6a && who != 0x6c) return 0;
  return i2c_write(address, 0x12, 0x44)     /* whole samples; places count up */
         && i2c_write(address, 0x10, 0x6c)  /* 416 Hz, 8 g */
         && i2c_write(address, 0x11, 0x6c); /* 416 Hz, 2000 deg/s */
}

static int lsm_frame(uint32_t address, int16_t *frame) {
  uint8_t bytes[12];
  uint32_t i;
  if (!i2c_read(address, 0x22, bytes, 12)) return 0;
  for (i = 0; i < 3u; i++) {
    frame[3u + i] = little_endian(bytes + 2u * i);
    frame[i] = little_endian(bytes + 6u + 2u * i);
  }
  return 1;
}

/* ---- The one that is there ---- */

static enum { ANALOG = 0, MPU, LSM } found;
static uint32_t found_address;

void sensors_start(void) {
  static const uint8_t mpu_addresses[2] = {0x68, 0x69};
  static const uint8_t lsm_addresses[2] = {0x6a, 0x6b};
  uint32_t i;
  adc_start();
  i2c_start();
  for (i = 0; i < 2u && found == ANALOG; i++) {
    found_address = mpu_addresses[i];
    if (mpu_found(found_address)) {
      found = MPU;
      break;
    }
    found_address = lsm_addresses[i];
    if (lsm_found(found_address)) found = LSM;
  }
}

const mote_channel *sensors_channels(uint32_t *count) {
  *count = found == ANALOG ? ADC_AXES : 6u;
  if (found == ANALOG) return adc_channels;
  return found == MPU ? mpu_channels : lsm_channels;
}

int sensors_read(int16_t *frame) {
  if (found == ANALOG) return adc_frame(frame);
  return found == MPU ? mpu_frame(found_address, frame) : lsm_frame(found_address, frame);
}
