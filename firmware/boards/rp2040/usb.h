/*
 * A serial port over USB: a CDC-ACM device on the RP2040's full-speed controller, and nothing else.
 *
 * The interrupt does the protocol, so that the host is answered also while the main loop erases flash.
 */
#ifndef USB_H
#define USB_H

#include "ring.h"

extern ring usb_received;

/* Appears on the bus. `serial` is ASCII, at most 32 characters, stays, and is "" when there is none. */
void usb_start(const char *serial);

/* Sends up to `count` bytes; returns how many were taken, at once: 0 while the host does not fetch. */
uint32_t usb_send(const uint8_t *bytes, uint32_t count);

/* Called when there is nothing more to send for now: tells the host so, when it cannot see that itself. */
void usb_send_end(void);

/* Called after bytes were taken from usb_received: there may be room for more. */
void usb_receive_more(void);

/* The host set 1200 baud and closed the port, which by custom asks for the boot loader. */
int usb_boot_asked(void);

#endif
