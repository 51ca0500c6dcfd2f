/** The C files of the runtime, in firmware/mote/src: what firmware and tests compile and link. */

/** The pack loader. */
export const PACK_SOURCES = [
  'mote_pack.c',
  'mote_pack_check.c',
  'mote_pack_check_ops.c',
  'mote_pack_run.c',
  'mote_pack_view.c',
];

/** The protocol; mote_board_parts.h says what is where. */
const BOARD_SOURCES = [
  'mote_board.c',
  'mote_board_classify.c',
  'mote_board_model.c',
  'mote_board_reply.c',
  'mote_board_sampling.c',
  'mote_board_selftest.c',
  'mote_board_session.c',
  'mote_board_slots.c',
];

/** All of it: the protocol, frames and slots, and the pack loader. */
export const RUNTIME_SOURCES = [...BOARD_SOURCES, 'mote_frame.c', 'mote_slots.c', ...PACK_SOURCES];
