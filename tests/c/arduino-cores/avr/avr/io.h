/* An ATmega2560. */
#define E2END 4095
