/**
 * The storage of a board as it is when a model was put into slot 0 and activated: for images that carry their model.
 * Twin of the layout in `firmware/mote/src/mote_slots.c`.
 */
import { crc32 } from './crc32';

/** Where a board keeps its models, bytes; addresses count from the start of its flash. */
export interface SlotLayout {
  readonly flashBytes: number;
  readonly storageAt: number;
  readonly storageBytes: number;
  readonly eraseBytes: number;
  readonly progBytes: number;
  readonly slots: number;
  /** RAM that the firmware gives a model. */
  readonly modelRamBytes: number;
}

const RECORD_BYTES = 32;
const HEADER_MAGIC = 0x544c534d; // "MSLT": pack size, pack CRC
const SWITCH_MAGIC = 0x5453414d; // "MAST": sequence, slot, pack CRC
const LAYOUT_VERSION = 1;

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function record(magic: number, words: readonly [number, number, number]): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES).fill(0xff);
  const view = new DataView(bytes.buffer);
  [magic, LAYOUT_VERSION, ...words].forEach((word, i) => view.setUint32(4 * i, word, true));
  view.setUint32(20, crc32(bytes.subarray(0, 20)), true);
  return bytes;
}

/** Longest pack that a slot takes, bytes. */
export function slotCapacity(layout: SlotLayout): number {
  const blocks = Math.floor(layout.storageBytes / layout.eraseBytes);
  const slot = Math.floor((blocks - 2) / layout.slots) * layout.eraseBytes;
  return Math.floor((slot - roundUp(RECORD_BYTES, layout.progBytes)) / 4) * 4;
}

/**
 * Bytes for the start of the storage. Both journal blocks are whole, so that what a board had before cannot outlive the
 * blocks being written. Throws RangeError when the pack does not fit.
 */
export function imageWithModel(layout: SlotLayout, pack: Uint8Array): Uint8Array {
  if (pack.length === 0 || pack.length > slotCapacity(layout)) {
    throw new RangeError(`A pack of ${pack.length} bytes does not fit a slot of ${slotCapacity(layout)} bytes.`);
  }
  const slot = 2 * layout.eraseBytes;
  const packAt = slot + roundUp(RECORD_BYTES, layout.progBytes);
  const image = new Uint8Array(roundUp(packAt + pack.length, Math.max(4, layout.progBytes))).fill(0xff);
  const crc = crc32(pack);
  image.set(record(SWITCH_MAGIC, [1, 0, crc]), 0);
  image.set(record(HEADER_MAGIC, [pack.length, crc, 0]), slot);
  image.set(pack, packAt);
  return image;
}
