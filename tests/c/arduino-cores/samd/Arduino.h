/*
 * The flash controller of a SAMD21, as its data sheet says: words written to flash gather in a page buffer, which a command
 * programs; an erase takes a row of four pages, addressed in words of 16 bits.
 */
#include "../chip.h"

#define FLASH_ADDR ((uintptr_t)flash_view)
enum { NVMCTRL_CTRLA_CMD_ER = 0x02, NVMCTRL_CTRLA_CMD_WP = 0x04, NVMCTRL_CTRLA_CMD_PBC = 0x44 };
enum { NVMCTRL_CTRLA_CMDEX_KEY = 0xa500 };

/* What the processor sees: the flash, and over it the page buffer. */
extern uint8_t *flash_view;

/* CTRLA: writing it does what it says. */
struct StandInCommand {
  void operator=(uint16_t value);
};

struct StandInNvm {
  struct {
    struct {
      uint32_t NVMP, PSZ;
    } bit;
  } PARAM;
  struct {
    struct {
      uint32_t MANW;
    } bit;
  } CTRLB;
  struct {
    struct {
      uint32_t READY;
    } bit;
  } INTFLAG;
  struct {
    uint32_t reg;
  } ADDR;
  struct {
    StandInCommand reg;
  } CTRLA;
};
extern StandInNvm nvm;
#define NVMCTRL (&nvm)
