/*
 * What the parts of a board give one another. Private to mote_board*.c:
 *
 *   mote_board.c           configuration, bytes in and out, which request goes to which handler
 *   mote_board_reply.c     replies and errors, field by field
 *   mote_board_model.c     which packs can run here, and whose the model RAM is
 *   mote_board_session.c   who the board is and what it does: hello, channels, ping, status, abort
 *   mote_board_sampling.c  samples to the host and through the running model
 *   mote_board_slots.c     what lies in slots: slot, put, read, digest, activate
 *   mote_board_selftest.c  the known answers of a model, one window a poll
 *   mote_board_classify.c  a window that the host sends
 */
#ifndef MOTE_BOARD_PARTS_H
#define MOTE_BOARD_PARTS_H

#include "mote_board.h"

#include "mote_config.h"
#include "mote_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes before the scores of a RESULT, and before the data of a chunk of a pack or window. */
#define RESULT_HEADER 26u
#define CHUNK_HEADER 4u

/* A message of an error. It lies in flash: on AVR all of them would take more than half a kilobyte of RAM. */
#if defined(__AVR__)
#define TEXT(message) PSTR(message)
#else
#define TEXT(message) (message)
#endif

/* A request being handled. */
typedef struct {
  uint8_t type;
  uint8_t id;
  const uint8_t *body;
  uint32_t size; /* of the body, at least what the table in mote_board.c asks for */
} mote_board_request;

/* Fields of a request, little endian, at any address. */
MOTE_FN uint32_t load16(const uint8_t *bytes) { return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8; }

MOTE_FN uint32_t load32(const uint8_t *bytes) { return load16(bytes) | load16(bytes + 2) << 16; }

/* 0 on a board that only streams. */
MOTE_FN uint32_t slot_count(const mote_board *b) { return b->slots.slot_count; }

/* Whether an event with this many bytes of body may be sent: it may never take the room of a reply. */
MOTE_FN int event_fits(const mote_board *b, uint32_t body) {
  return mote_encoder_fits(&b->encoder, body, MOTE_FRAME_ENCODED(b->config->body));
}

/* ---- Replies (mote_board_reply.c) ---- */

/*
 * Begins the reply to a request: fields follow through b->encoder, then mote_board_reply_end. There is room for a reply of
 * the longest body whenever a request is handled.
 */
void mote_board_reply_begin(mote_board *b, const mote_board_request *r);
void mote_board_reply_end(mote_board *b);

/* A reply without fields. */
void mote_board_reply_empty(mote_board *b, const mote_board_request *r);

/* The reply to a chunk: the offset that is wanted next. */
void mote_board_reply_next(mote_board *b, const mote_board_request *r, uint32_t next);

/* Answers with an error: a MOTE_FAULT_*, what docs/protocol.md calls its detail, and a TEXT, all ASCII. */
void mote_board_fail(mote_board *b, const mote_board_request *r, uint8_t fault, int32_t detail, const char *message);

/* Bytes of a NUL-terminated text that fit in `most`, not cutting a UTF-8 character. */
uint32_t mote_board_text_bytes(const char *text, uint32_t most);

/* Fields: a text of at most `most` bytes, up to 255; and a result of the model in the RAM. */
void mote_board_put_text(mote_board *b, const char *text, uint32_t most);
void mote_board_put_result(mote_board *b, const mote_result *result, uint32_t sequence);

/* ---- The model (mote_board_model.c) ---- */

/*
 * Whether a pack, or that of a slot below slot_count, can run here: 0 and *view, or a MOTE_FAULT_* and its detail. The view
 * serves to read facts only; the model that may be running in the RAM is left alone.
 */
uint8_t mote_board_check_pack(const mote_board *b, const uint8_t *pack, uint32_t size, mote_model *view,
                              int32_t *detail);
uint8_t mote_board_check_slot(const mote_board *b, uint32_t slot, mote_model *view, int32_t *detail);

/* Answers with the fault that one of those found, or mote_board_load. */
void mote_board_fail_model(mote_board *b, const mote_board_request *r, uint8_t fault, int32_t detail);

/*
 * The slot that the first byte of a request means, with a valid pack in it: 1; or 0 when there is none and an error was
 * sent.
 */
int mote_board_slot_of(mote_board *b, const mote_board_request *r, uint32_t *slot);

/*
 * Opens a slot's model in the model RAM for `use`, with no samples buffered: 0; or a MOTE_FAULT_* and its detail, and the
 * RAM is idle.
 */
uint8_t mote_board_load(mote_board *b, uint32_t slot, uint8_t use, int32_t *detail);

/* Gives the model RAM back to the running model, if one runs. */
void mote_board_resume(mote_board *b);

/*
 * mote_board_load for a MOTE_BOARD_CLASSIFY or MOTE_BOARD_TEST, of the slot that a request means: 1, until
 * mote_board_resume; or 0 when an error was sent and the RAM given back.
 */
int mote_board_borrow(mote_board *b, const mote_board_request *r, uint8_t use);

/* ---- What goes on between requests ---- */

/* Takes what the sensor has, sends it and runs the model on it. (mote_board_sampling.c) */
void mote_board_sample(mote_board *b);

/*
 * Stops streaming, after the samples that wait for their batch, or running; and the sensor when nobody wants its samples
 * any more. (mote_board_sampling.c)
 */
void mote_board_stop_streaming(mote_board *b);
void mote_board_stop_running(mote_board *b);

/* Gets on with a self-test, if one is running: one window, or its report. (mote_board_selftest.c) */
void mote_board_test_step(mote_board *b);

/* ---- Handlers: each answers one request of docs/protocol.md ---- */

/* mote_board_session.c */
void mote_board_on_hello(mote_board *b, const mote_board_request *r);
void mote_board_on_ping(mote_board *b, const mote_board_request *r);
void mote_board_on_status(mote_board *b, const mote_board_request *r);
void mote_board_on_abort(mote_board *b, const mote_board_request *r);
void mote_board_on_channels(mote_board *b, const mote_board_request *r);

/* mote_board_sampling.c */
void mote_board_on_stream_start(mote_board *b, const mote_board_request *r);
void mote_board_on_stream_stop(mote_board *b, const mote_board_request *r);
void mote_board_on_run_start(mote_board *b, const mote_board_request *r);
void mote_board_on_run_stop(mote_board *b, const mote_board_request *r);

/* mote_board_slots.c */
void mote_board_on_slot(mote_board *b, const mote_board_request *r);
void mote_board_on_put_begin(mote_board *b, const mote_board_request *r);
void mote_board_on_put_chunk(mote_board *b, const mote_board_request *r);
void mote_board_on_put_end(mote_board *b, const mote_board_request *r);
void mote_board_on_read(mote_board *b, const mote_board_request *r);
void mote_board_on_digest(mote_board *b, const mote_board_request *r);
void mote_board_on_activate(mote_board *b, const mote_board_request *r);

/* mote_board_selftest.c. The reply comes when the last window is done. */
void mote_board_on_self_test(mote_board *b, const mote_board_request *r);

/* mote_board_classify.c */
void mote_board_on_classify_begin(mote_board *b, const mote_board_request *r);
void mote_board_on_classify_chunk(mote_board *b, const mote_board_request *r);
void mote_board_on_classify_end(mote_board *b, const mote_board_request *r);

#ifdef __cplusplus
}
#endif

#endif
