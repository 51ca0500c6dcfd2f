#include "mote_frame.h"

#include "expect.h"

#define BODY 4096u

static uint8_t decoded[MOTE_FRAME_BYTES(BODY)];
static uint8_t ring[3u * MOTE_FRAME_ENCODED(BODY)];
static uint8_t wire[MOTE_FRAME_ENCODED(BODY)];

static uint32_t take(mote_encoder *e, uint8_t *to) {
  uint32_t taken = 0;
  const uint8_t *bytes;
  uint32_t count = mote_encoder_peek(e, &bytes);
  while (count > 0) {
    memcpy(to + taken, bytes, count);
    taken += count;
    mote_encoder_drop(e, count);
    count = mote_encoder_peek(e, &bytes);
  }
  return taken;
}

static uint32_t encode(mote_encoder *e, uint8_t type, uint8_t id, const uint8_t *body, uint32_t size, uint8_t *to) {
  EXPECT(mote_encoder_begin(e, type, id, size));
  mote_encoder_bytes(e, body, size);
  EXPECT(mote_encoder_end(e));
  return take(e, to);
}

/* Bodies that stress the stuffing: random, all zero, no zero, and zeros at random distances. */
static void fill(uint8_t *body, uint32_t size, uint32_t kind, uint32_t *random) {
  uint32_t i;
  for (i = 0; i < size; i++) {
    uint8_t byte = (uint8_t)(next_random(random) >> 9);
    if (kind == 1) byte = 0;
    if (kind == 2 && byte == 0) byte = 1;
    if (kind == 3) byte = next_random(random) % 200 == 0 ? 0 : 0xff;
    body[i] = byte;
  }
}

static void round_trips(void) {
  static uint8_t body[BODY];
  mote_decoder d;
  mote_encoder e;
  uint32_t random = 1;
  uint32_t frames = 0;
  uint32_t size;
  /* An odd ring makes frames wrap at every place. */
  mote_encoder_init(&e, ring, MOTE_FRAME_ENCODED(BODY) + 13u);
  mote_decoder_init(&d, decoded, sizeof decoded);
  for (size = 0; size <= BODY; size += size < 800 ? 1 : 97) {
    uint32_t kind;
    for (kind = 0; kind < 4; kind++) {
      uint32_t length;
      uint32_t i;
      int complete = 0;
      fill(body, size, kind, &random);
      length = encode(&e, (uint8_t)size, (uint8_t)kind, body, size, wire);
      EXPECT(length <= MOTE_FRAME_ENCODED(size));
      EXPECT(wire[0] == 0 && wire[length - 1] == 0);
      for (i = 1; i + 1 < length; i++) EXPECT(wire[i] != 0);
      for (i = 0; i < length; i++) {
        complete = mote_decoder_push(&d, wire[i]);
        EXPECT(complete == (i + 1 == length));
      }
      EXPECT(mote_decoder_type(&d) == (uint8_t)size && mote_decoder_id(&d) == kind);
      EXPECT(mote_decoder_body_size(&d) == size && memcmp(mote_decoder_body(&d), body, size) == 0);
      frames++;
    }
  }
  EXPECT(d.good == frames && d.bad == 0);
  printf("round trips: %u frames of 0..%u bytes\n", frames, BODY);
}

/* Whatever one flipped bit does to a frame and its delimiters, no wrong frame comes out and the next one is well. */
static void bit_flips(void) {
  static const uint32_t sizes[] = {0, 1, 7, 14, 252, 253, 254, 255, 300, 512};
  uint8_t body[512];
  uint8_t next[64];
  mote_decoder d;
  mote_encoder e;
  uint32_t random = 7;
  uint32_t flips = 0;
  uint32_t s;
  mote_encoder_init(&e, ring, sizeof ring);
  for (s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    uint32_t kind;
    for (kind = 0; kind < 4; kind++) {
      uint32_t length;
      uint32_t next_length;
      uint32_t bit;
      fill(body, sizes[s], kind, &random);
      length = encode(&e, 0x22, 9, body, sizes[s], wire);
      next_length = encode(&e, 0x02, 10, (const uint8_t *)"next", 4, next);
      for (bit = 0; bit < 8 * length; bit++) {
        uint32_t good = 0;
        uint32_t i;
        mote_decoder_init(&d, decoded, MOTE_FRAME_BYTES(512));
        wire[bit / 8] = (uint8_t)(wire[bit / 8] ^ 1u << bit % 8);
        for (i = 0; i < length; i++) EXPECT(!mote_decoder_push(&d, wire[i]));
        for (i = 0; i < next_length; i++) good += (uint32_t)mote_decoder_push(&d, next[i]);
        EXPECT(good == 1 && mote_decoder_id(&d) == 10 && d.bad >= 1);
        wire[bit / 8] = (uint8_t)(wire[bit / 8] ^ 1u << bit % 8);
        flips++;
      }
    }
  }
  printf("bit flips: %u of %u noticed\n", flips, flips);
}

/* Random bytes between frames cost no frame. */
static void garbage(void) {
  uint8_t body[100];
  mote_decoder d;
  mote_encoder e;
  uint32_t random = 99;
  uint32_t sent = 0;
  uint32_t got = 0;
  uint32_t noise = 0;
  mote_encoder_init(&e, ring, sizeof ring);
  mote_decoder_init(&d, decoded, MOTE_FRAME_BYTES(100));
  while (sent < 20000) {
    uint32_t count = next_random(&random) % 300;
    uint32_t length;
    uint32_t i;
    for (i = 0; i < count; i++) EXPECT(!mote_decoder_push(&d, (uint8_t)(next_random(&random) >> 11)));
    noise += count;
    fill(body, sizeof body, 0, &random);
    length = encode(&e, 0x41, (uint8_t)sent, body, sent % sizeof body, wire);
    for (i = 0; i < length; i++) {
      if (!mote_decoder_push(&d, wire[i])) continue;
      EXPECT(mote_decoder_id(&d) == (uint8_t)sent && mote_decoder_body_size(&d) == sent % sizeof body);
      EXPECT(memcmp(mote_decoder_body(&d), body, sent % sizeof body) == 0);
      got++;
    }
    sent++;
  }
  EXPECT(got == sent);
  printf("garbage: %u bytes between %u frames, none lost, none invented\n", noise, got);
}

static void bounds(void) {
  static const uint8_t body[300] = {1};
  mote_decoder d;
  mote_encoder e;
  uint32_t length;
  uint32_t i;
  uint8_t *exact = (uint8_t *)malloc(MOTE_FRAME_BYTES(299));
  EXPECT(exact != 0);
  /* One byte too long for the receiver: dropped, nothing written behind the buffer (which ASan watches). */
  mote_decoder_init(&d, exact, MOTE_FRAME_BYTES(299));
  mote_encoder_init(&e, ring, sizeof ring);
  length = encode(&e, 1, 1, body, 300, wire);
  for (i = 0; i < length; i++) EXPECT(!mote_decoder_push(&d, wire[i]));
  EXPECT(d.bad == 1);
  length = encode(&e, 1, 1, body, 299, wire);
  for (i = 0; i < length; i++) EXPECT(mote_decoder_push(&d, wire[i]) == (i + 1 == length));
  /* An endless frame is dropped when it ends. */
  for (i = 0; i < 100000; i++) EXPECT(!mote_decoder_push(&d, 0x55));
  EXPECT(!mote_decoder_push(&d, 0) && d.bad == 2);
  free(exact);
  /* A full ring refuses, and a body longer than announced is forgotten. */
  mote_encoder_init(&e, ring, 2 * MOTE_FRAME_ENCODED(300));
  EXPECT(mote_encoder_begin(&e, 1, 1, 300));
  mote_encoder_bytes(&e, body, 300);
  mote_encoder_u8(&e, 1);
  EXPECT(!mote_encoder_end(&e) && e.used == 0);
  for (i = 0; i < 2; i++) {
    EXPECT(mote_encoder_begin(&e, 1, 1, 300));
    mote_encoder_bytes(&e, body, 300);
    EXPECT(mote_encoder_end(&e));
  }
  EXPECT(!mote_encoder_begin(&e, 1, 1, 300));
  /* Both ways to end a frame whose last block is full decode to the same. */
  {
    uint8_t full[254 - 6];
    uint32_t variant;
    memset(full, 7, sizeof full);
    mote_encoder_init(&e, ring, sizeof ring);
    /* Such a frame has no zero at all; search one whose CRC has none. */
    for (full[0] = 1; full[0] < 255; full[0]++) {
      length = encode(&e, 1, 1, full, sizeof full, wire);
      if (wire[1] == 255) break;
    }
    EXPECT(wire[1] == 255 && wire[length - 2] == 1);
    for (variant = 0; variant < 2; variant++) {
      int complete = 0;
      mote_decoder_init(&d, decoded, sizeof decoded);
      for (i = 0; i < length; i++) {
        if (variant == 1 && i == length - 2) continue;
        complete = mote_decoder_push(&d, wire[i]);
      }
      EXPECT(complete && mote_decoder_body_size(&d) == sizeof full);
    }
  }
  printf("bounds: kept\n");
}

int main(void) {
  round_trips();
  bit_flips();
  garbage();
  bounds();
  return 0;
}
