/** The C files of the runtime, in firmware/mote/src: what firmware and tests compile and link. */

/** The pack loader. */
export const PACK_SOURCES = [
  'mote_pack.c',
  'mote_pack_check.c',
  'mote_pack_check_ops.c',
  'mote_pack_run.c',
  'mote_pack_view.c',
];

/** All of it: the protocol, and the pack loader. */
export const RUNTIME_SOURCES = ['mote_board.c', 'mote_frame.c', 'mote_slots.c', ...PACK_SOURCES];
