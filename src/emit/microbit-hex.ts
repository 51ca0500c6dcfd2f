/** The micro:bit's firmware with a model inside, as the .hex that is dragged onto the MICROBIT drive. */
import MemoryMap from 'nrf-intel-hex';
import { crc32 } from './crc32';
import { imageWithModel, slotCapacity, type SlotLayout } from './slot-image';
import { universalHex } from './universal-hex';

export type MicrobitHexErrorCode = 'bad-layout' | 'bad-firmware' | 'bad-pack' | 'too-big';

export class MicrobitHexError extends Error {
  override readonly name = 'MicrobitHexError';
  constructor(
    readonly code: MicrobitHexErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** No micro:bit has more flash, bytes. */
const MOST_FLASH = 0x80000;
/** A .hex of that much flash is shorter, characters. */
const MOST_HEX_CHARACTERS = 4 * MOST_FLASH;

/** Layout file beside the firmware, checked. Throws MicrobitHexError `bad-layout`. */
export function parseSlotLayout(json: unknown): SlotLayout {
  const source = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  const whole = (name: keyof SlotLayout): number => {
    const value = source[name];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MOST_FLASH) return value;
    throw new MicrobitHexError('bad-layout', `The firmware's description has no usable ${name}. Reload the page.`);
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
  const { flashBytes, storageAt, storageBytes, eraseBytes } = layout;
  if (storageAt + storageBytes > flashBytes || storageAt % eraseBytes !== 0 || slotCapacity(layout) <= 0) {
    throw new MicrobitHexError('bad-layout', "The firmware's description contradicts itself. Reload the page.");
  }
  return layout;
}

/** Runs of bytes in a .hex, each with its address. Throws MicrobitHexError `bad-firmware`. */
export function readHex(hex: string): MemoryMap {
  if (hex.length > MOST_HEX_CHARACTERS) {
    throw new MicrobitHexError('bad-firmware', 'This .hex is larger than the flash of any micro:bit.');
  }
  try {
    return MemoryMap.fromHex(hex);
  } catch (cause) {
    throw new MicrobitHexError('bad-firmware', 'The firmware is no undamaged Intel HEX file. Reload the page.', {
      cause,
    });
  }
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
 * The firmware with `pack` in slot 0, active from the first start. Throws MicrobitHexError: `bad-pack` when the bytes are
 * no undamaged pack, `too-big` when the slot is too small, `bad-firmware` when the firmware reaches into the model area.
 */
export function memoryWithModel(firmware: string, layout: SlotLayout, pack: Uint8Array): MemoryMap {
  if (!isPack(pack)) {
    throw new MicrobitHexError('bad-pack', 'These bytes are no undamaged Mote pack. Train or import the model again.');
  }
  const capacity = slotCapacity(layout);
  if (pack.length > capacity) {
    throw new MicrobitHexError(
      'too-big',
      `The model is ${pack.length} bytes and a slot of this board takes ${capacity}. Make the window shorter or the network smaller.`,
    );
  }
  const memory = readHex(firmware);
  if (memory.size === 0) throw new MicrobitHexError('bad-firmware', 'The firmware is empty. Reload the page.');
  for (const [address, bytes] of memory) {
    if (address + bytes.length > layout.storageAt) {
      throw new MicrobitHexError('bad-firmware', 'The firmware and its description do not belong together.');
    }
  }
  return new MemoryMap([...memory, [layout.storageAt, imageWithModel(layout, pack)]]);
}

/** `memoryWithModel` as Intel HEX. */
export function hexWithModel(firmware: string, layout: SlotLayout, pack: Uint8Array): string {
  return `${memoryWithModel(firmware, layout, pack).asHexString().trimEnd()}\n`;
}

/** The firmware of one version of the board. */
export interface MicrobitFirmware {
  readonly hex: string;
  readonly layout: SlotLayout;
}

/** One .hex for v1 and v2 with the firmware only: for a board to record with. Throws as `readHex` does. */
export function universalFirmwareHex(v1: string, v2: string): string {
  return universalHex(readHex(v1), readHex(v2));
}

/** One .hex for v1 and v2, the model inside both. Throws as `memoryWithModel` does. */
export function universalHexWithModel(v1: MicrobitFirmware, v2: MicrobitFirmware, pack: Uint8Array): string {
  return universalHex(memoryWithModel(v1.hex, v1.layout, pack), memoryWithModel(v2.hex, v2.layout, pack));
}
