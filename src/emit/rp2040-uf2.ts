/** The RP2040's firmware with a model inside, as the .uf2 that is dragged onto the RPI-RP2 drive. */
import { blockSize, decodeBlock, encodeBlock, UF2Flags } from 'uf2';
import { crc32 } from './crc32';
import { imageWithModel, slotCapacity, type SlotLayout } from './slot-image';

export type Rp2040Uf2ErrorCode = 'bad-layout' | 'bad-firmware' | 'bad-pack' | 'too-big';

export class Rp2040Uf2Error extends Error {
  override readonly name = 'Rp2040Uf2Error';
  constructor(
    readonly code: Rp2040Uf2ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Where the chip sees its flash. */
const FLASH_START = 0x10000000;
/** Most flash that an RP2040 can address, bytes. */
const MOST_FLASH = 0x1000000;
const PAGE_BYTES = 256;
/** https://github.com/microsoft/uf2/blob/master/utils/uf2families.json */
const FAMILY_RP2040 = 0xe48bff56;
const MOST_FILE_BYTES = (MOST_FLASH / PAGE_BYTES) * blockSize;

/** Layout file beside the firmware, checked. Throws Rp2040Uf2Error `bad-layout`. */
export function parseRp2040Layout(json: unknown): SlotLayout {
  const source = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const whole = (name: keyof SlotLayout): number => {
    const value = source[name];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MOST_FLASH) return value;
    throw new Rp2040Uf2Error('bad-layout', `The firmware’s description has no usable ${name}. Reload the page.`);
  };
  const layout: SlotLayout = {
    flashBytes: whole('flashBytes'),
    storageAt: whole('storageAt'),
    storageBytes: whole('storageBytes'),
    eraseBytes: whole('eraseBytes'),
    progBytes: whole('progBytes'),
    slots: whole('slots'),
    modelRamBytes: whole('modelRamBytes'),
  };
  const { flashBytes, storageAt, storageBytes, eraseBytes, progBytes } = layout;
  const aligned = eraseBytes % PAGE_BYTES === 0 && storageAt % eraseBytes === 0 && eraseBytes % progBytes === 0;
  if (storageAt + storageBytes > flashBytes || !aligned || slotCapacity(layout) <= 0) {
    throw new Rp2040Uf2Error('bad-layout', 'The firmware’s description contradicts itself. Reload the page.');
  }
  return layout;
}

interface Page {
  /** From the start of flash. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The pages of a .uf2 for the RP2040, in its order. Throws Rp2040Uf2Error `bad-firmware`. */
function readPages(file: Uint8Array): Page[] {
  const bad = (why: string, cause?: unknown): Rp2040Uf2Error =>
    new Rp2040Uf2Error('bad-firmware', `The firmware is no undamaged .uf2 for the RP2040: ${why}. Reload the page.`, {
      cause,
    });
  if (file.length === 0 || file.length % blockSize !== 0 || file.length > MOST_FILE_BYTES) throw bad('its size');
  const count = file.length / blockSize;
  return Array.from({ length: count }, (_, i) => {
    let block;
    try {
      block = decodeBlock(file.slice(i * blockSize, (i + 1) * blockSize));
    } catch (cause) {
      throw bad(`block ${i}`, cause);
    }
    const offset = block.flashAddress - FLASH_START;
    if (block.blockNumber !== i || block.totalBlocks !== count) throw bad('its blocks are out of order');
    if (block.flags !== UF2Flags.familyIDPresent || block.boardFamily !== FAMILY_RP2040) throw bad('another chip');
    if (block.payload.length !== PAGE_BYTES || offset < 0 || offset % PAGE_BYTES !== 0) throw bad(`block ${i}`);
    return { offset, bytes: block.payload };
  });
}

function writePages(pages: readonly Page[]): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(pages.length * blockSize);
  pages.forEach(({ offset, bytes }, i) => {
    const block = {
      flags: UF2Flags.familyIDPresent,
      flashAddress: FLASH_START + offset,
      payload: bytes,
      blockNumber: i,
      totalBlocks: pages.length,
      boardFamily: FAMILY_RP2040,
    };
    encodeBlock(block, file, i * blockSize);
  });
  return file;
}

/** Magic, CRC, version, sections, size (docs/pack-format.md). */
const PACK_HEADER_BYTES = 16;
const PACK_MAGIC = 0x45544f4d;

function isPack(pack: Uint8Array): boolean {
  if (pack.length < PACK_HEADER_BYTES) return false;
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength);
  return (
    view.getUint32(0, true) === PACK_MAGIC &&
    view.getUint32(12, true) === pack.length &&
    view.getUint32(4, true) === crc32(pack.subarray(8))
  );
}

/**
 * The firmware with `pack` in slot 0, active from the first start. Sectors are written whole, because the boot ROM
 * erases each when its first page comes and may leave the rest of it undefined (RP2040-E14). Slot 1 is not in the file:
 * a model that the board had there stays there, inactive.
 *
 * Throws Rp2040Uf2Error: `bad-pack` when the bytes are no undamaged pack, `too-big` when the slot is too small,
 * `bad-firmware` when the file is damaged, for another chip, or reaches into the models' area.
 */
export function uf2WithModel(firmware: Uint8Array, layout: SlotLayout, pack: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!isPack(pack)) {
    throw new Rp2040Uf2Error('bad-pack', 'These bytes are no undamaged Mote pack. Train or import the model again.');
  }
  const capacity = slotCapacity(layout);
  if (pack.length > capacity) {
    throw new Rp2040Uf2Error(
      'too-big',
      `The model is ${pack.length} bytes and a slot of this board takes ${capacity}. Make the window shorter or the network smaller.`,
    );
  }
  const pages = readPages(firmware);
  if (pages.some(({ offset }) => offset + PAGE_BYTES > layout.storageAt)) {
    throw new Rp2040Uf2Error(
      'bad-firmware',
      'The firmware and its description do not belong together. Reload the page.',
    );
  }
  const image = imageWithModel(layout, pack);
  const sectors = new Uint8Array(Math.ceil(image.length / layout.eraseBytes) * layout.eraseBytes).fill(0xff);
  sectors.set(image);
  for (let at = 0; at < sectors.length; at += PAGE_BYTES) {
    pages.push({ offset: layout.storageAt + at, bytes: sectors.subarray(at, at + PAGE_BYTES) });
  }
  return writePages(pages);
}
