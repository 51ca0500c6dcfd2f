/* Which packs can run here, and whose the model RAM is. */
#include "mote_board_parts.h"

uint8_t mote_board_check_pack(const mote_board *b, const uint8_t *pack, uint32_t size, mote_model *view,
                              int32_t *detail) {
  /* Without RAM, which parses the pack and leaves the model in the RAM alone. */
  const int opened = mote_model_open(view, pack, size, b->config->model_ram, 0);
  *detail = opened;
  if (opened != MOTE_E_RAM) return MOTE_FAULT_BAD_PACK;
  *detail = (int32_t)mote_model_ram_bytes(view);
  if (mote_model_ram_bytes(view) > b->config->model_ram_bytes) return MOTE_FAULT_TOO_BIG;
  *detail = mote_model_channels(view);
  if ((uint32_t)mote_model_channels(view) != b->config->channel_count) return MOTE_FAULT_CHANNEL_MISMATCH;
  *detail = mote_model_label_count(view);
  if ((uint32_t)mote_model_label_count(view) > b->config->body - RESULT_HEADER) return MOTE_FAULT_BAD_PACK;
  *detail = 0;
  return 0;
}

uint8_t mote_board_check_slot(const mote_board *b, uint32_t slot, mote_model *view, int32_t *detail) {
  return mote_board_check_pack(b, mote_slots_pack(&b->slots, slot), b->slots.slots[slot].size, view, detail);
}

static const char *explain(uint8_t fault) {
  switch (fault) {
    case MOTE_FAULT_TOO_BIG:
      return TEXT("The model needs more RAM than this board has for it.");
    case MOTE_FAULT_CHANNEL_MISMATCH:
      return TEXT("The model was made for other channels than this board has.");
    default:
      return TEXT("This firmware cannot run the pack.");
  }
}

void mote_board_fail_model(mote_board *b, const mote_board_request *r, uint8_t fault, int32_t detail) {
  mote_board_fail(b, r, fault, detail, explain(fault));
}

int mote_board_slot_of(mote_board *b, const mote_board_request *r, uint32_t *slot) {
  uint32_t asked = r->body[0];
  if (asked == MOTE_WIRE_SLOT_NONE) {
    if (b->slots.active < 0) {
      mote_board_fail(b, r, MOTE_FAULT_NO_MODEL, 0, TEXT("No model is active."));
      return 0;
    }
    asked = (uint32_t)b->slots.active;
  }
  if (asked >= slot_count(b)) {
    mote_board_fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("There is no such slot."));
    return 0;
  }
  if (b->slots.slots[asked].state != MOTE_SLOT_STATE_VALID) {
    mote_board_fail(b, r, MOTE_FAULT_NO_MODEL, 0, TEXT("The slot holds no valid model."));
    return 0;
  }
  *slot = asked;
  return 1;
}

uint8_t mote_board_load(mote_board *b, uint32_t slot, uint8_t use, int32_t *detail) {
  uint8_t fault;
  b->use = MOTE_BOARD_IDLE;
  fault = mote_board_check_slot(b, slot, &b->model, detail);
  if (fault != 0) return fault;
  *detail = mote_model_open(&b->model, mote_slots_pack(&b->slots, slot), b->slots.slots[slot].size,
                            b->config->model_ram, b->config->model_ram_bytes);
  if (*detail != MOTE_OK) return MOTE_FAULT_BAD_PACK;
  mote_model_set_clock(&b->model, b->config->clock_us);
  mote_model_reset(&b->model);
  b->model_slot = slot;
  b->use = use;
  return 0;
}

void mote_board_resume(mote_board *b) {
  int32_t detail;
  b->use = MOTE_BOARD_IDLE;
  b->classify_done = 0;
  if (!b->running) return;
  if (b->slots.active < 0 || mote_board_load(b, (uint32_t)b->slots.active, MOTE_BOARD_RUN, &detail) != 0) {
    b->running = 0;
  }
}

int mote_board_borrow(mote_board *b, const mote_board_request *r, uint8_t use) {
  uint32_t slot;
  int32_t detail;
  uint8_t fault;
  if (!mote_board_slot_of(b, r, &slot)) return 0;
  fault = mote_board_load(b, slot, use, &detail);
  if (fault == 0) return 1;
  mote_board_resume(b);
  mote_board_fail_model(b, r, fault, detail);
  return 0;
}
