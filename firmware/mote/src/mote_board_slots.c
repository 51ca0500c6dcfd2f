/* What lies in slots: slot, put, read, digest, activate. */
#include "mote_board_parts.h"

#include "mote_crc32.h"

/* Bytes before the texts of a SLOT reply, and before the data of a READ and of a DIGEST reply. */
#define SLOT_HEADER 37u
#define READ_HEADER 5u
#define DIGEST_HEADER 6u

/* The label behind the last whose text fits in `room` bytes with those from `first` on. The first goes along, if cut. */
static int32_t labels_end(const mote_model *view, int32_t first, int32_t labels, uint32_t room) {
  int32_t end = first;
  while (end < labels && end - first < 255) {
    uint32_t need = 1u + mote_board_text_bytes(mote_model_label(view, end), 255);
    if (need > room && end > first) break;
    end++;
    if (need >= room) break;
    room -= need;
  }
  return end;
}

/* What is in the slot; a null pointer when it holds no model that can run here. */
static void reply_slot(mote_board *b, const mote_board_request *r, uint32_t slot, const mote_model *view) {
  mote_encoder *e = &b->encoder;
  const mote_slot *held = &b->slots.slots[slot];
  int32_t labels = view ? mote_model_label_count(view) : 0;
  int32_t first = (int32_t)load16(r->body + 1) < labels ? (int32_t)load16(r->body + 1) : labels;
  uint32_t left = b->config->body - SLOT_HEADER - 1u;
  int32_t end;
  int32_t i;
  if (view) left -= mote_board_text_bytes(mote_model_name(view), MOTE_WIRE_TEXT_MAX);
  end = labels_end(view, first, labels, left);
  mote_board_reply_begin(b, r);
  mote_encoder_u8(e, slot);
  mote_encoder_u8(e, held->state);
  mote_encoder_u8(e, (int32_t)slot == b->slots.active ? MOTE_SLOT_FLAG_ACTIVE : 0);
  mote_encoder_u32(e, b->slots.capacity);
  mote_encoder_u32(e, held->size);
  mote_encoder_u32(e, view ? mote_model_id(view) : 0);
  mote_encoder_u32(e, view ? mote_model_ram_bytes(view) : 0);
  mote_encoder_u32(e, view ? mote_model_rate_millihertz(view) : 0);
  mote_encoder_u8(e, view ? (uint32_t)mote_model_channels(view) : 0);
  mote_encoder_u32(e, view ? (uint32_t)mote_model_window_frames(view) : 0);
  mote_encoder_u32(e, view ? (uint32_t)mote_model_stride_frames(view) : 0);
  mote_encoder_u16(e, (uint32_t)labels);
  mote_encoder_u16(e, (uint32_t)first);
  mote_encoder_u8(e, (uint32_t)(end - first));
  mote_board_put_text(b, view ? mote_model_name(view) : "", MOTE_WIRE_TEXT_MAX);
  for (i = first; i < end; i++) {
    uint32_t most = left - 1u < 255u ? left - 1u : 255u;
    uint32_t length = mote_board_text_bytes(mote_model_label(view, i), most);
    mote_board_put_text(b, mote_model_label(view, i), most);
    left -= 1u + length;
  }
  mote_board_reply_end(b);
}

void mote_board_on_slot(mote_board *b, const mote_board_request *r) {
  uint32_t slot = r->body[0];
  mote_model view;
  int32_t detail;
  int runs;
  if (slot == MOTE_WIRE_SLOT_NONE && !mote_board_slot_of(b, r, &slot)) return;
  if (slot >= slot_count(b)) {
    mote_board_fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("There is no such slot."));
    return;
  }
  runs = b->slots.slots[slot].state == MOTE_SLOT_STATE_VALID && mote_board_check_slot(b, slot, &view, &detail) == 0;
  reply_slot(b, r, slot, runs ? &view : 0);
}

static void fail_storage(mote_board *b, const mote_board_request *r, int error) {
  mote_board_fail(b, r, MOTE_FAULT_STORAGE, error, TEXT("The board could not write its flash."));
}

void mote_board_on_put_begin(mote_board *b, const mote_board_request *r) {
  uint32_t slot = r->body[0];
  uint32_t size = load32(r->body + 1);
  int error;
  b->put_done = 0;
  if (slot < slot_count(b) && b->use == MOTE_BOARD_CLASSIFY) mote_board_resume(b);
  error = mote_slots_put_begin(&b->slots, slot, size, load32(r->body + 5));
  if (error == MOTE_SLOTS_E_SLOT) {
    mote_board_fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("There is no such slot."));
  } else if (error == MOTE_SLOTS_E_ACTIVE) {
    mote_board_fail(b, r, MOTE_FAULT_REFUSED, 0, TEXT("The active slot cannot be overwritten: choose the other one."));
  } else if (error == MOTE_SLOTS_E_SIZE) {
    mote_board_fail(b, r, MOTE_FAULT_TOO_BIG, (int32_t)b->slots.capacity, TEXT("The pack does not fit the slot."));
  } else if (error != 0) {
    fail_storage(b, r, error);
  } else {
    mote_board_reply_begin(b, r);
    mote_encoder_u8(&b->encoder, slot);
    mote_encoder_u16(&b->encoder, b->config->body - CHUNK_HEADER);
    mote_board_reply_end(b);
  }
}

void mote_board_on_put_chunk(mote_board *b, const mote_board_request *r) {
  uint32_t count = r->size - CHUNK_HEADER;
  if (b->slots.put_slot < 0) {
    mote_board_fail(b, r, MOTE_FAULT_NOT_BEGUN, 0, TEXT("No put is under way."));
    return;
  }
  /* A chunk out of order is not an error: the reply tells the host where to go on. */
  if (load32(r->body) == b->slots.put_taken) {
    int error = mote_slots_put(&b->slots, r->body + CHUNK_HEADER, count);
    if (error == MOTE_SLOTS_E_SIZE) {
      mote_board_fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("More bytes than were announced."));
      return;
    }
    if (error != 0) {
      fail_storage(b, r, error);
      return;
    }
  }
  mote_board_reply_next(b, r, b->slots.put_taken);
}

/* Checks what was put and makes it valid: 1; or 0 when an error was sent. */
static int finish_put(mote_board *b, const mote_board_request *r) {
  const uint8_t *pack = 0;
  mote_model view;
  uint32_t slot = (uint32_t)b->slots.put_slot;
  uint32_t crc = 0;
  int32_t detail = 0;
  uint8_t fault = 0;
  int error = mote_slots_put_check(&b->slots, &pack, &crc);
  if (error == MOTE_SLOTS_E_STATE) {
    mote_board_fail(b, r, MOTE_FAULT_NOT_BEGUN, (int32_t)b->slots.put_taken, TEXT("Bytes of the pack are missing."));
    return 0;
  }
  if (error == 0) fault = mote_board_check_pack(b, pack, b->slots.put_size, &view, &detail);
  if (error == 0 && fault == 0) {
    b->put_id = mote_model_id(&view);
    b->put_ram = mote_model_ram_bytes(&view);
    error = mote_slots_put_commit(&b->slots);
  }
  if (error == 0 && fault == 0) {
    b->put_done = slot + 1u;
    return 1;
  }
  mote_slots_put_abort(&b->slots);
  if (error == MOTE_SLOTS_E_CRC) {
    mote_board_fail(b, r, MOTE_FAULT_CRC_MISMATCH, (int32_t)crc, TEXT("The bytes in flash are not those announced."));
  } else if (error != 0) {
    fail_storage(b, r, error);
  } else {
    mote_board_fail_model(b, r, fault, detail);
  }
  return 0;
}

void mote_board_on_put_end(mote_board *b, const mote_board_request *r) {
  if (b->slots.put_slot < 0 && b->put_done == 0) {
    mote_board_fail(b, r, MOTE_FAULT_NOT_BEGUN, 0, TEXT("No put is under way."));
    return;
  }
  /* An end that comes again, because its reply was lost, is answered again. */
  if (b->put_done == 0 && !finish_put(b, r)) return;
  mote_board_reply_begin(b, r);
  mote_encoder_u8(&b->encoder, b->put_done - 1u);
  mote_encoder_u32(&b->encoder, b->put_id);
  mote_encoder_u32(&b->encoder, b->put_ram);
  mote_board_reply_end(b);
}

void mote_board_on_read(mote_board *b, const mote_board_request *r) {
  uint32_t slot;
  uint32_t offset = load32(r->body + 1);
  uint32_t count = load16(r->body + 5);
  uint32_t size;
  if (!mote_board_slot_of(b, r, &slot)) return;
  size = b->slots.slots[slot].size;
  if (offset >= size) {
    mote_board_fail(b, r, MOTE_FAULT_BAD_ARGUMENT, (int32_t)size, TEXT("Behind the end of the pack."));
    return;
  }
  if (count > size - offset) count = size - offset;
  if (count > b->config->body - READ_HEADER) count = b->config->body - READ_HEADER;
  mote_board_reply_begin(b, r);
  mote_encoder_u8(&b->encoder, slot);
  mote_encoder_u32(&b->encoder, offset);
  mote_encoder_bytes(&b->encoder, mote_slots_pack(&b->slots, slot) + offset, count);
  mote_board_reply_end(b);
}

/* The CRCs of consecutive pieces of a pack: read from storage for this request, whatever was known of them before. */
void mote_board_on_digest(mote_board *b, const mote_board_request *r) {
  uint32_t slot;
  uint32_t offset = load32(r->body + 1);
  uint32_t piece = load16(r->body + 5);
  uint32_t count = r->body[7];
  uint32_t room = (b->config->body - DIGEST_HEADER) / 4u;
  const uint8_t *pack;
  uint32_t size;
  uint32_t i;
  if (!mote_board_slot_of(b, r, &slot)) return;
  size = b->slots.slots[slot].size;
  if (offset >= size) {
    mote_board_fail(b, r, MOTE_FAULT_BAD_ARGUMENT, (int32_t)size, TEXT("Behind the end of the pack."));
    return;
  }
  if (piece == 0 || count == 0) {
    mote_board_fail(b, r, MOTE_FAULT_BAD_ARGUMENT, 0, TEXT("A digest of nothing."));
    return;
  }
  if (count > room) count = room;
  if (count > (size - offset - 1u) / piece + 1u) count = (size - offset - 1u) / piece + 1u;
  pack = mote_slots_pack(&b->slots, slot);
  mote_board_reply_begin(b, r);
  mote_encoder_u8(&b->encoder, slot);
  mote_encoder_u32(&b->encoder, offset);
  mote_encoder_u8(&b->encoder, count);
  for (i = 0; i < count; i++) {
    uint32_t bytes = size - offset < piece ? size - offset : piece;
    mote_encoder_u32(&b->encoder, mote_crc32(0, pack + offset, bytes));
    offset += bytes;
  }
  mote_board_reply_end(b);
}

void mote_board_on_activate(mote_board *b, const mote_board_request *r) {
  uint32_t slot;
  mote_model view;
  int32_t detail;
  uint8_t fault;
  int error;
  if (!mote_board_slot_of(b, r, &slot)) return;
  if (b->slots.put_slot >= 0) {
    mote_board_fail(b, r, MOTE_FAULT_BUSY, 0, TEXT("A put is under way."));
    return;
  }
  fault = mote_board_check_slot(b, slot, &view, &detail);
  if (fault != 0) {
    mote_board_fail_model(b, r, fault, detail);
    return;
  }
  error = mote_slots_activate(&b->slots, slot);
  if (error != 0) {
    fail_storage(b, r, error);
    return;
  }
  if (b->use == MOTE_BOARD_CLASSIFY || b->running) mote_board_resume(b);
  mote_board_reply_begin(b, r);
  mote_encoder_u8(&b->encoder, slot);
  mote_encoder_u32(&b->encoder, mote_model_id(&view));
  mote_board_reply_end(b);
}
