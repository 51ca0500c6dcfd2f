/*
 * The mote dialect on an Uno (docs/protocol.md): what mote_board.h does for boards with more room. One slot, whose
 * model is written with the firmware by the boot loader: requests that would write or read it back are refused.
 */
#ifndef UNO_PROTOCOL_H
#define UNO_PROTOCOL_H

/* Call once, then poll for ever. */
void uno_protocol_init(void);

/* Handles a request, samples, classifies, tests: one step of each. Takes as long as one classification at most. */
void uno_protocol_poll(void);

#endif
