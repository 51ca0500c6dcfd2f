#include "mote_frame.h"

#include "mote_crc32.h"

/* A code byte of 255 means 254 bytes and no zero behind them. */
#define FULL_BLOCK 255u

/* ---- Decoder ---- */

static void restart(mote_decoder *d) {
  d->length = 0;
  d->left = 0;
  d->zero_due = 0;
  d->started = 0;
  d->spoilt = 0;
}

static void append(mote_decoder *d, uint8_t byte) {
  if (d->length < d->capacity) {
    d->buffer[d->length] = byte;
    d->length++;
  } else {
    d->spoilt = 1;
  }
}

static int intact(const mote_decoder *d) {
  uint32_t size;
  const uint8_t *crc;
  if (d->spoilt || d->left > 0 || d->length < MOTE_FRAME_BYTES(0)) return 0;
  size = d->length - MOTE_WIRE_CRC_BYTES;
  crc = d->buffer + size;
  return mote_crc32(0, d->buffer, size) ==
         ((uint32_t)crc[0] | (uint32_t)crc[1] << 8 | (uint32_t)crc[2] << 16 | (uint32_t)crc[3] << 24);
}

void mote_decoder_init(mote_decoder *d, uint8_t *buffer, uint32_t capacity) {
  d->buffer = buffer;
  d->capacity = capacity;
  d->good = 0;
  d->bad = 0;
  restart(d);
}

int mote_decoder_push(mote_decoder *d, uint8_t byte) {
  int complete;
  if (byte == MOTE_WIRE_DELIMITER) {
    if (!d->started) return 0;
    complete = intact(d);
    if (complete) {
      uint32_t length = d->length;
      d->good++;
      restart(d);
      /* The next byte overwrites the frame; until then its length must be known. */
      d->length = length;
    } else {
      d->bad++;
      restart(d);
    }
    return complete;
  }
  if (!d->started) {
    restart(d);
    d->started = 1;
  }
  if (d->left > 0) {
    d->left--;
    append(d, byte);
  } else {
    if (d->zero_due) append(d, 0);
    d->left = (uint8_t)(byte - 1u);
    d->zero_due = byte != FULL_BLOCK;
  }
  return 0;
}

uint8_t mote_decoder_type(const mote_decoder *d) { return d->buffer[0]; }

uint8_t mote_decoder_id(const mote_decoder *d) { return d->buffer[1]; }

const uint8_t *mote_decoder_body(const mote_decoder *d) { return d->buffer + MOTE_WIRE_HEADER_BYTES; }

uint32_t mote_decoder_body_size(const mote_decoder *d) { return d->length - MOTE_FRAME_BYTES(0); }

/* ---- Encoder ---- */

/* Index in the ring, `offset` bytes behind the next byte to send; offset <= size. */
static uint32_t place(const mote_encoder *e, uint32_t offset) {
  uint32_t at = e->tail + offset;
  return at < e->size ? at : at - e->size;
}

static void emit(mote_encoder *e, uint8_t byte) {
  e->ring[place(e, e->used + e->draft)] = byte;
  e->draft++;
}

static void open_block(mote_encoder *e) {
  e->code_at = place(e, e->used + e->draft);
  e->code = 1;
  e->draft++;
}

static void stuff(mote_encoder *e, uint8_t byte) {
  if (byte != 0) {
    emit(e, byte);
    e->code++;
  }
  if (byte == 0 || e->code == FULL_BLOCK) {
    e->ring[e->code_at] = e->code;
    open_block(e);
  }
}

void mote_encoder_init(mote_encoder *e, uint8_t *ring, uint32_t size) {
  e->ring = ring;
  e->size = size;
  e->tail = 0;
  e->used = 0;
  e->draft = 0;
  e->code_at = 0;
  e->crc = 0;
  e->room = 0;
  e->code = 0;
  e->overrun = 0;
}

int mote_encoder_fits(const mote_encoder *e, uint32_t body, uint32_t reserve) {
  return MOTE_FRAME_ENCODED(body) + reserve <= e->size - e->used;
}

int mote_encoder_begin(mote_encoder *e, uint8_t type, uint8_t id, uint32_t body) {
  if (!mote_encoder_fits(e, body, 0)) return 0;
  e->draft = 0;
  e->crc = 0;
  e->room = body + MOTE_WIRE_HEADER_BYTES;
  e->overrun = 0;
  emit(e, MOTE_WIRE_DELIMITER);
  open_block(e);
  mote_encoder_u8(e, type);
  mote_encoder_u8(e, id);
  return 1;
}

void mote_encoder_bytes(mote_encoder *e, const uint8_t *bytes, uint32_t count) {
  uint32_t i;
  if (count > e->room) {
    e->overrun = 1;
    return;
  }
  e->room -= count;
  e->crc = mote_crc32(e->crc, bytes, count);
  for (i = 0; i < count; i++) stuff(e, bytes[i]);
}

void mote_encoder_u8(mote_encoder *e, uint32_t value) {
  uint8_t byte = (uint8_t)(value & 0xffu);
  mote_encoder_bytes(e, &byte, 1);
}

void mote_encoder_u16(mote_encoder *e, uint32_t value) {
  mote_encoder_u8(e, value);
  mote_encoder_u8(e, value >> 8);
}

void mote_encoder_u32(mote_encoder *e, uint32_t value) {
  mote_encoder_u16(e, value);
  mote_encoder_u16(e, value >> 16);
}

void mote_encoder_u64(mote_encoder *e, uint64_t value) {
  mote_encoder_u32(e, (uint32_t)(value & 0xffffffffu));
  mote_encoder_u32(e, (uint32_t)(value >> 32));
}

int mote_encoder_end(mote_encoder *e) {
  uint32_t crc = e->crc;
  if (!e->overrun) {
    int i;
    for (i = 0; i < MOTE_WIRE_CRC_BYTES; i++) stuff(e, (uint8_t)(crc >> (8 * i) & 0xffu));
    e->ring[e->code_at] = e->code;
    emit(e, MOTE_WIRE_DELIMITER);
    e->used += e->draft;
  }
  e->draft = 0;
  e->room = 0;
  return !e->overrun;
}

uint32_t mote_encoder_peek(const mote_encoder *e, const uint8_t **bytes) {
  uint32_t run = e->size - e->tail;
  *bytes = e->ring + e->tail;
  return e->used < run ? e->used : run;
}

void mote_encoder_drop(mote_encoder *e, uint32_t count) {
  if (count > e->used) count = e->used;
  e->tail = place(e, count);
  e->used -= count;
}
