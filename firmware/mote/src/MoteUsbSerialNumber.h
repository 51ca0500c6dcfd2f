/*
 * A USB serial number for Arduino boards whose own chip is the USB device (Leonardo, Micro: ATmega32U4), made of the bytes
 * by which chips of one wafer differ. Browsers other than those on Windows remember a board only when it has one (WICG serial
 * issue 207). Include it in the sketch, once; elsewhere it does nothing: boards with a USB chip of their own, and the cores
 * of the RP2040, nRF52840 and ESP32-S2 and later, bring their number along.
 *
 * The core makes the number out of the short names of all plugged modules; this is a module without endpoints that has
 * nothing but a name. It must be there before USB starts, so it plugs itself in while globals are constructed.
 */
#ifndef MOTE_USB_SERIAL_NUMBER_H
#define MOTE_USB_SERIAL_NUMBER_H

#include <Arduino.h>

#if defined(USBCON) && defined(__AVR_ATmega32U4__)
#include <PluggableUSB.h>
#include <avr/boot.h>

class MoteUsbSerialNumber : public PluggableUSBModule {
 public:
  MoteUsbSerialNumber() : PluggableUSBModule(0, 0, (uint8_t *)0) { PluggableUSB().plug(this); }

 protected:
  bool setup(USBSetup &) { return false; }
  int getInterface(uint8_t *) { return 0; }
  int getDescriptor(USBSetup &) { return 0; }
  /* The core has room for 19 characters and the zero behind them. */
  uint8_t getShortName(char *name) {
    uint8_t i;
    for (i = 0; i < BYTES; i++) {
      const uint8_t byte = boot_signature_byte_get(FIRST_BYTE + i);
      name[2 * i] = "0123456789ABCDEF"[byte >> 4];
      name[2 * i + 1] = "0123456789ABCDEF"[byte & 15];
    }
    return 2 * BYTES;
  }

 private:
  /* Lot, wafer and place on it, in the signature row. */
  enum { FIRST_BYTE = 0x0e, BYTES = 9 };
};

static MoteUsbSerialNumber moteUsbSerialNumber;
#endif

#endif
