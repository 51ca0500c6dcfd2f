/*
 * A board that speaks the mote dialect (docs/protocol.md): streams samples, takes models into slots, runs them.
 *
 * The caller describes the hardware with a struct of callbacks, owns all memory, and then calls two functions, from one
 * thread and never from an interrupt:
 *
 *   mote_board_receive  with the bytes that came in,
 *   mote_board_poll     as often as it can, at least every few milliseconds.
 *
 * Nothing blocks and nothing is allocated. When the link is full, samples and results are dropped and counted, replies
 * wait. One window of a self-test, or one classification, is the longest that a call takes (and an erase of flash).
 */
#ifndef MOTE_BOARD_H
#define MOTE_BOARD_H

#include <stdint.h>

#include "mote_frame.h"
#include "mote_pack.h"
#include "mote_slots.h"
#include "mote_wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Bytes of `memory` for a longest body and the storage's prog_size (0 without slots). More is used to buffer what is
 * sent, so that a link that stalls now and then loses no samples.
 */
#define MOTE_BOARD_MEMORY(body, prog_size) \
  (MOTE_FRAME_BYTES(body) + (uint32_t)(body) + 2u * MOTE_FRAME_ENCODED(body) + (uint32_t)(prog_size))

enum {
  MOTE_BOARD_E_CONFIG = -200 /* a field of the configuration is out of its range */
};

typedef struct {
  const char *name; /* UTF-8, at most 32 bytes */
  const char *unit; /* SenML style: "m/s2", "deg/s" */
  float scale;      /* value = (float)raw * scale, rounded once */
} mote_channel;

typedef struct {
  void *context; /* handed to the callbacks */

  /* Who this is; each at most 32 bytes. `serial` differs from board to board and never changes, or is "". */
  const char *name;
  const char *firmware;
  const char *serial;

  /* Sends up to `count` bytes and returns how many were taken, at once: 0 when the link is full. */
  uint32_t (*write)(void *context, const uint8_t *bytes, uint32_t count);
  /* Microseconds since power-up. */
  uint64_t (*now_us)(void *context);
  /* The same clock for the model's own times, may wrap; or a null pointer. */
  uint32_t (*clock_us)(void);

  const mote_channel *channels;
  uint32_t channel_count; /* 1..16 */
  const uint32_t *rates;  /* mHz */
  uint32_t rate_count;    /* 1..8 */
  uint32_t rate;          /* at power-up, mHz: one of rates */
  /* Starts sampling, or changes the rate. */
  void (*sensor_start)(void *context, uint32_t rate);
  void (*sensor_stop)(void *context);
  /* The next frame in order, one raw int16 per channel, and when it was taken: 1; or 0 when there is none yet. */
  int (*sensor_read)(void *context, int16_t *frame, uint64_t *time_us);

  /* Null and 0 for a board that only streams. */
  const mote_storage *storage;
  uint32_t slot_count;
  void *model_ram; /* 8-byte aligned */
  uint32_t model_ram_bytes;

  uint8_t *memory; /* at least MOTE_BOARD_MEMORY(body, prog_size) */
  uint32_t memory_bytes;
  uint32_t body;   /* longest body, 192..4096 */
  uint32_t window; /* requests that may be under way, 1..64: the receive buffer before mote_board_receive holds that many */

  /* What the running model made of a window, whether or not it could be sent; or a null pointer. Both end with the call. */
  void (*on_result)(void *context, const mote_model *model, const mote_result *result);
} mote_board_config;

/* What the model RAM is used for. */
enum { MOTE_BOARD_IDLE = 0, MOTE_BOARD_RUN, MOTE_BOARD_CLASSIFY, MOTE_BOARD_TEST };

/* All state. Read nothing but through the functions. */
typedef struct {
  const mote_board_config *config;
  mote_decoder decoder;
  mote_encoder encoder;
  mote_slots slots;
  uint8_t held; /* a request waits in the decoder for room for its reply */

  /* sampling */
  uint8_t streaming;
  uint8_t running;
  uint32_t rate;
  uint32_t sequence; /* of the next frame */
  uint32_t dropped_frames;
  uint32_t dropped_results;
  uint8_t *batch; /* frames to send, raw little endian */
  uint32_t batch_frames;
  uint32_t batch_sequence;
  uint64_t batch_time;

  /* the model in model_ram */
  mote_model model;
  uint8_t use; /* MOTE_BOARD_IDLE .. MOTE_BOARD_TEST */
  uint32_t model_slot;

  /* put */
  uint32_t put_done; /* slot + 1 of the last successful put, so that a repeated end can be answered */
  uint32_t put_id;
  uint32_t put_ram;

  /* classify */
  uint32_t classify_next;
  uint32_t classify_size;
  uint8_t classify_bytes[4];
  float classify_frame[MOTE_WIRE_CHANNELS_MAX];
  mote_result classify_result;
  uint8_t classify_done;

  /* self-test */
  uint8_t test_id;
  uint32_t test_next;
  uint32_t test_total;
  uint32_t test_passed;
  uint32_t test_failure;
  uint64_t test_us;
} mote_board;

/* Reads the slots and is ready to receive. 0, MOTE_BOARD_E_CONFIG, or MOTE_SLOTS_E_GEOMETRY. */
int mote_board_init(mote_board *b, const mote_board_config *config);

/* Bytes from the host. Returns how many were taken: fewer when a reply waits for room; offer the rest again later. */
uint32_t mote_board_receive(mote_board *b, const uint8_t *bytes, uint32_t count);

/* Samples, classifies, tests, sends. */
void mote_board_poll(mote_board *b);

/*
 * Starts the active model at a rate (mHz, one of the configuration's; 0: that of power-up), as a host would: for boards that
 * work alone. A host that says hello stops it and takes over. 0, or the protocol's fault: no model, or one that cannot run.
 */
int mote_board_run(mote_board *b, uint32_t rate);

/* Whether a self-test is running, so that polling again at once gets on with it. */
int mote_board_busy(const mote_board *b);

/* Whether bytes wait for the link. */
int mote_board_sending(const mote_board *b);

/* The active slot, or -1. */
int32_t mote_board_active_slot(const mote_board *b);

#ifdef __cplusplus
}
#endif

#endif
