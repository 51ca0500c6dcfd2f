/* The known answers of a model, one window a poll. */
#include "mote_board_parts.h"

/* Progress is told every so many windows. */
#define PROGRESS_STRIDE 16u

void mote_board_on_self_test(mote_board *b, const mote_board_request *r) {
  if (!mote_board_borrow(b, r, MOTE_BOARD_TEST)) return;
  b->test_id = r->id;
  b->test_next = 0;
  b->test_total = (uint32_t)mote_model_selftest_count(&b->model);
  b->test_passed = 0;
  b->test_failure = MOTE_WIRE_WINDOW_NONE;
  b->test_us = 0;
}

/* Sends the reply and gives the RAM back, once there is room for it. */
static void test_report(mote_board *b) {
  mote_encoder *e = &b->encoder;
  uint32_t average = b->test_total > 0 ? (uint32_t)(b->test_us / b->test_total) : 0;
  if (!mote_encoder_begin(e, MOTE_MSG_SELF_TEST | MOTE_WIRE_REPLY_BIT, b->test_id, b->config->body)) return;
  mote_encoder_u8(e, b->model_slot);
  mote_encoder_u16(e, b->test_passed);
  mote_encoder_u16(e, b->test_total);
  mote_encoder_u16(e, b->test_failure);
  mote_encoder_u32(e, average);
  (void)mote_encoder_end(e);
  mote_board_resume(b);
}

void mote_board_test_step(mote_board *b) {
  const mote_board_config *c = b->config;
  uint64_t before;
  if (b->use != MOTE_BOARD_TEST) return;
  if (b->test_next >= b->test_total) {
    test_report(b);
    return;
  }
  before = c->now_us(c->context);
  if (mote_model_selftest(&b->model, (int32_t)b->test_next) == 1) {
    b->test_passed++;
  } else if (b->test_failure == MOTE_WIRE_WINDOW_NONE) {
    b->test_failure = b->test_next;
  }
  b->test_us += c->now_us(c->context) - before;
  b->test_next++;
  if (b->test_next % PROGRESS_STRIDE == 0 && event_fits(b, 4)) {
    (void)mote_encoder_begin(&b->encoder, MOTE_MSG_SELF_TEST_PROGRESS, b->test_id, 4);
    mote_encoder_u16(&b->encoder, b->test_next);
    mote_encoder_u16(&b->encoder, b->test_total);
    (void)mote_encoder_end(&b->encoder);
  }
}
