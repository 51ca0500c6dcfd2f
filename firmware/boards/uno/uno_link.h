/*
 * Frames of the mote dialect (docs/protocol.md, section 1) over the UART, 115200 baud. One frame comes in and one goes
 * out at a time: no rings. Interrupts decode and send, so that both go on while a window is classified.
 */
#ifndef UNO_LINK_H
#define UNO_LINK_H

#include <stdint.h>

#include "mote_wire.h"

/* Longest body in both directions: the shortest that the protocol allows. */
#define UNO_BODY MOTE_WIRE_BODY_MIN

void uno_link_init(void);

/* The frame that came in, or a null pointer: type, id, then *body_bytes of body. Stays until uno_link_next. */
const uint8_t *uno_link_frame(uint8_t *body_bytes);

/* Done with the frame: the next one may come. */
void uno_link_next(void);

/* Frames received well, and those dropped: malformed, too long, damaged, or while another one was waiting. */
extern uint32_t uno_link_good;
extern uint32_t uno_link_bad;

/* Whether a frame is still on its way out. Nothing may be written until it is sent. */
uint8_t uno_link_sending(void);

/* Writes a frame, of at most UNO_BODY bytes of body: what does not fit is cut. Then sends it. */
void uno_link_begin(uint8_t type, uint8_t id);
void uno_link_u8(uint8_t value);
void uno_link_u16(uint16_t value);
void uno_link_u32(uint32_t value);
void uno_link_u64(uint64_t value);
/* A NUL-terminated text in flash as the protocol's text, `most` bytes at most; cuts no UTF-8 character. */
void uno_link_text(const char *flash_text, uint8_t most);
/* Bytes of body that still fit. */
uint8_t uno_link_room(void);
void uno_link_end(void);

/* Bytes of a NUL-terminated text in flash, as many as uno_link_text would write. */
uint8_t uno_text_bytes(const char *flash_text, uint8_t most);

#endif
