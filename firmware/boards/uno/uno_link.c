#include "uno_link.h"

#include <avr/interrupt.h>
#include <avr/io.h>

#include "mote_flash.h"
#include "uno_crc32.h"

#define FRAME_BYTES (UNO_BODY + MOTE_WIRE_HEADER_BYTES + MOTE_WIRE_CRC_BYTES)

/* A frame is shorter than 254 bytes, so COBS adds one code byte and a frame can be encoded in place. */
#if FRAME_BYTES > 253
#error "Frames of this length need more than one COBS code byte."
#endif

/* Double speed at F_CPU / 8 / 17: 2.1 % above 115200, as in Optiboot and the Arduino core. */
#define BAUD 115200u
#define UBRR_VALUE ((F_CPU / 4u / BAUD - 1u) / 2u)

uint32_t uno_link_good;
uint32_t uno_link_bad;

/* ---- In ---- */

static uint8_t in[FRAME_BYTES];
static volatile uint8_t in_ready; /* a whole frame waits in `in` */
static uint8_t in_length;
static uint8_t in_left; /* bytes until the next code byte */
static uint8_t in_zero; /* a zero is due if another block follows */
static uint8_t in_started;
static uint8_t in_spoilt;
static volatile uint8_t in_dropped; /* frames that the interrupt dropped */

static inline void in_append(uint8_t byte) {
  if (in_length < FRAME_BYTES) {
    in[in_length++] = byte;
  } else {
    in_spoilt = 1;
  }
}

ISR(USART_RX_vect) {
  const uint8_t damaged = (uint8_t)(UCSR0A & ((1u << FE0) | (1u << DOR0)));
  const uint8_t byte = UDR0;
  if (byte == MOTE_WIRE_DELIMITER && !damaged) {
    if (in_started) {
      if (in_spoilt || in_left > 0 || in_length < MOTE_WIRE_HEADER_BYTES + MOTE_WIRE_CRC_BYTES) {
        in_dropped++;
      } else {
        in_ready = 1;
      }
      in_started = 0;
    }
    return;
  }
  if (!in_started) {
    in_started = 1;
    in_left = 0;
    in_zero = 0;
    in_spoilt = in_ready; /* the one that waits must not be overwritten */
    if (!in_ready) in_length = 0;
  }
  if (damaged) in_spoilt = 1;
  if (in_spoilt) return;
  if (in_left > 0) {
    in_left--;
    in_append(byte);
  } else {
    if (in_zero) in_append(0);
    in_left = (uint8_t)(byte - 1u);
    in_zero = byte != 255u;
  }
}

static uint32_t load32(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

const uint8_t *uno_link_frame(uint8_t *body_bytes) {
  uint8_t size;
  cli();
  uno_link_bad += in_dropped;
  in_dropped = 0;
  sei();
  if (!in_ready) return 0;
  size = (uint8_t)(in_length - MOTE_WIRE_CRC_BYTES);
  if (uno_crc32(in, size) != load32(in + size)) {
    uno_link_bad++;
    in_ready = 0;
    return 0;
  }
  *body_bytes = (uint8_t)(size - MOTE_WIRE_HEADER_BYTES);
  return in;
}

void uno_link_next(void) {
  uno_link_good++;
  in_ready = 0;
}

/* ---- Out ---- */

static uint8_t out[FRAME_BYTES + 3u]; /* delimiter, code byte, frame, delimiter */
static uint8_t out_length;
static volatile uint8_t out_at;

ISR(USART_UDRE_vect) {
  UDR0 = out[out_at++];
  if (out_at == out_length) UCSR0B &= (uint8_t)~(1u << UDRIE0);
}

uint8_t uno_link_sending(void) { return (uint8_t)(UCSR0B & (1u << UDRIE0)); }

static void append(uint8_t byte) { out[out_length++] = byte; }

void uno_link_begin(uint8_t type, uint8_t id) {
  out_length = 0;
  append(MOTE_WIRE_DELIMITER);
  append(0); /* the code byte */
  append(type);
  append(id);
}

uint8_t uno_link_room(void) { return (uint8_t)(UNO_BODY + 2u + MOTE_WIRE_HEADER_BYTES - out_length); }

void uno_link_u8(uint8_t value) {
  if (uno_link_room() > 0) append(value);
}

void uno_link_u16(uint16_t value) {
  uno_link_u8((uint8_t)value);
  uno_link_u8((uint8_t)(value >> 8));
}

void uno_link_u32(uint32_t value) {
  uno_link_u16((uint16_t)value);
  uno_link_u16((uint16_t)(value >> 16));
}

void uno_link_u64(uint64_t value) {
  uno_link_u32((uint32_t)value);
  uno_link_u32((uint32_t)(value >> 32));
}

uint8_t uno_text_bytes(const char *flash_text, uint8_t most) {
  uint8_t length = 0;
  while (length < most && MOTE_FLASH_I8(flash_text + length) != 0) length++;
  if (MOTE_FLASH_I8(flash_text + length) != 0) {
    while (length > 0 && ((uint8_t)MOTE_FLASH_I8(flash_text + length) & 0xc0u) == 0x80u) length--;
  }
  return length;
}

void uno_link_text(const char *flash_text, uint8_t most) {
  uint8_t length = uno_text_bytes(flash_text, most);
  uno_link_u8(length);
  for (; length > 0; length--) uno_link_u8((uint8_t)MOTE_FLASH_I8(flash_text++));
}

void uno_link_end(void) {
  uint32_t crc = uno_crc32(out + 2, (uint16_t)(out_length - 2u));
  uint8_t code = 1;
  uint8_t i;
  for (i = 0; i < MOTE_WIRE_CRC_BYTES; i++) {
    append((uint8_t)crc);
    crc >>= 8;
  }
  for (i = 2; i < out_length; i++) {
    if (out[i] != 0) continue;
    out[code] = (uint8_t)(i - code);
    code = i;
  }
  out[code] = (uint8_t)(out_length - code);
  append(MOTE_WIRE_DELIMITER);
  out_at = 0;
  UCSR0B |= 1u << UDRIE0;
}

void uno_link_init(void) {
  /* What came in while the boot loader ran is not for us. */
  while ((UCSR0A & (1u << RXC0)) != 0) (void)UDR0;
  UCSR0A = 1u << U2X0;
  UBRR0 = UBRR_VALUE;
  UCSR0C = (1u << UCSZ01) | (1u << UCSZ00);
  UCSR0B = (1u << RXEN0) | (1u << TXEN0) | (1u << RXCIE0);
}
