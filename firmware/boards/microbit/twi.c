#include "twi.h"

#include "nrf.h"

/* Turns of a waiting loop, several instructions each: over a millisecond on either chip, for a byte that takes 40 us. */
#define PATIENCE 10000u

void twi_start(void) {
  GPIO_CONFIG(PIN_TWI_SCL) = GPIO_OPEN_DRAIN;
  GPIO_CONFIG(PIN_TWI_SDA) = GPIO_OPEN_DRAIN;
  TWI_PSELSCL = PIN_TWI_SCL;
  TWI_PSELSDA = PIN_TWI_SDA;
  TWI_FREQUENCY = TWI_250_KHZ;
  TWI_ENABLE = TWI_ENABLED;
}

static int wait_for(volatile uint32_t *event) {
  uint32_t patience = PATIENCE;
  while (*event == 0 && TWI_ERROR == 0 && --patience > 0) continue;
  if (TWI_ERROR != 0 || patience == 0) return 0;
  *event = 0;
  return 1;
}

static void stop(void) {
  uint32_t patience = PATIENCE;
  TWI_STOPPED = 0;
  TWI_STOP = 1;
  while (TWI_STOPPED == 0 && --patience > 0) continue;
}

/* After a failure the bus is let go, and the next transfer starts from a known state. */
static int give_up(void) {
  TWI_SHORTS = 0;
  TWI_ERROR = 0;
  TWI_ERRORSRC = 7;
  stop();
  TWI_ENABLE = 0;
  TWI_ENABLE = TWI_ENABLED;
  return 0;
}

static int send(uint8_t byte) {
  TWI_TXD = byte;
  return wait_for(&TWI_TXDSENT);
}

static int begin(uint32_t chip, uint8_t at) {
  TWI_ERROR = 0;
  TWI_TXDSENT = 0;
  TWI_RXDREADY = 0;
  TWI_SHORTS = 0;
  TWI_ADDRESS = chip;
  TWI_STARTTX = 1;
  return send(at);
}

int twi_write(uint32_t chip, uint8_t at, uint8_t value) {
  if (!begin(chip, at) || !send(value)) return give_up();
  stop();
  return 1;
}

int twi_read(uint32_t chip, uint8_t at, uint8_t *bytes, uint32_t count) {
  uint32_t i;
  if (!begin(chip, at)) return give_up();
  /*
   * The bus rests after each byte until it is taken, and stops by itself after the last. These shortcuts work from silicon
   * G0 of the nRF51822 on (before, PAN 36), and must be off again for the next write.
   */
  TWI_SHORTS = count == 1u ? TWI_BB_STOP : TWI_BB_SUSPEND;
  TWI_STOPPED = 0;
  TWI_STARTRX = 1;
  for (i = 0; i < count; i++) {
    if (!wait_for(&TWI_RXDREADY)) return give_up();
    bytes[i] = (uint8_t)TWI_RXD;
    if (i + 2u == count) TWI_SHORTS = TWI_BB_STOP;
    if (i + 1u < count) TWI_RESUME = 1;
  }
  if (!wait_for(&TWI_STOPPED)) return give_up();
  TWI_SHORTS = 0;
  return 1;
}
