/*
 * Frames of the mote dialect (docs/protocol.md, section 1): COBS with a CRC-32, over any byte stream.
 *
 * Decoder and encoder work byte by byte in memory that the caller owns; neither looks at what a frame means.
 */
#ifndef MOTE_FRAME_H
#define MOTE_FRAME_H

#include <stdint.h>

#include "mote_wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a frame before COBS. */
#define MOTE_FRAME_BYTES(body) ((uint32_t)(body) + MOTE_WIRE_HEADER_BYTES + MOTE_WIRE_CRC_BYTES)

/* Most bytes of a frame on the wire, both delimiters included. */
#define MOTE_FRAME_ENCODED(body) (MOTE_FRAME_BYTES(body) + MOTE_FRAME_BYTES(body) / 254u + 3u)

typedef struct {
  uint8_t *buffer; /* decoded bytes of the frame so far */
  uint32_t capacity;
  uint32_t length;
  uint8_t left;     /* bytes until the next code byte */
  uint8_t zero_due; /* the block that ends here stands for a zero, if another block follows */
  uint8_t started;  /* a byte came since the last delimiter */
  uint8_t spoilt;   /* too long: skip to the next delimiter */
  uint32_t good;    /* frames decoded */
  uint32_t bad;     /* frames dropped: too long, malformed or damaged */
} mote_decoder;

/* `capacity` = MOTE_FRAME_BYTES(longest body): a longer frame is dropped. */
void mote_decoder_init(mote_decoder *d, uint8_t *buffer, uint32_t capacity);

/* Takes one byte from the wire. 1 when it completed a good frame, which stays readable until the next push. */
int mote_decoder_push(mote_decoder *d, uint8_t byte);

/* The frame just completed. */
uint8_t mote_decoder_type(const mote_decoder *d);
uint8_t mote_decoder_id(const mote_decoder *d);
const uint8_t *mote_decoder_body(const mote_decoder *d);
uint32_t mote_decoder_body_size(const mote_decoder *d);

/* Encodes frames straight into a ring of bytes to be sent. An unfinished frame is not seen by the reader. */
typedef struct {
  uint8_t *ring;
  uint32_t size;
  uint32_t tail; /* next byte to send */
  uint32_t used; /* bytes to send */
  /* the frame being made */
  uint32_t draft;    /* its bytes so far, behind the used ones */
  uint32_t code_at;  /* where the code byte of the open block goes */
  uint32_t crc;
  uint32_t room;     /* body bytes that may still be written */
  uint8_t code;
  uint8_t overrun;   /* more was written than was asked room for */
} mote_encoder;

/* `size` is at least MOTE_FRAME_ENCODED(longest body). */
void mote_encoder_init(mote_encoder *e, uint8_t *ring, uint32_t size);

/* Whether a frame with a body of `body` bytes fits, with `reserve` bytes left over. */
int mote_encoder_fits(const mote_encoder *e, uint32_t body, uint32_t reserve);

/* Starts a frame whose body has at most `body` bytes. 0, and nothing is begun, when it does not fit. */
int mote_encoder_begin(mote_encoder *e, uint8_t type, uint8_t id, uint32_t body);
void mote_encoder_u8(mote_encoder *e, uint32_t value);
void mote_encoder_u16(mote_encoder *e, uint32_t value);
void mote_encoder_u32(mote_encoder *e, uint32_t value);
void mote_encoder_u64(mote_encoder *e, uint64_t value);
void mote_encoder_bytes(mote_encoder *e, const uint8_t *bytes, uint32_t count);

/* Makes the frame visible. 0, and the frame is forgotten, when more was written than `begin` asked for. */
int mote_encoder_end(mote_encoder *e);

/* The longest contiguous run of bytes to send: their number (0 = none), and where they are. */
uint32_t mote_encoder_peek(const mote_encoder *e, const uint8_t **bytes);

/* `count` of the peeked bytes were sent. */
void mote_encoder_drop(mote_encoder *e, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
