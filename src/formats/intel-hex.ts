/** Intel HEX files as flash images: what boot loaders and programmers take. Parsing is `nrf-intel-hex`. */
import MemoryMap from 'nrf-intel-hex';

export type FlashImageErrorCode = 'not-hex' | 'out-of-range' | 'overlap';

export class FlashImageError extends Error {
  override readonly name = 'FlashImageError';
  constructor(
    readonly code: FlashImageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Content of erased flash. */
export const ERASED = 0xff;

/** Bytes that a record of each kind holds; data records (00) hold as many as they like. */
const RECORD_BYTES: Readonly<Record<string, string>> = { '01': '00', '02': '02', '03': '04', '04': '02', '05': '04' };

/** `nrf-intel-hex` takes an extended address without its bytes for 0. Throws FlashImageError. */
function checkRecordLengths(text: string): void {
  for (const [, bytes, kind = ''] of text.matchAll(/:([\da-f]{2})[\da-f]{4}([\da-f]{2})/gi)) {
    const wanted = RECORD_BYTES[kind];
    if (wanted !== undefined && bytes !== wanted) {
      throw new FlashImageError('not-hex', `A record of kind ${kind} in this Intel HEX file has the wrong length.`);
    }
  }
}

/**
 * Flash from address 0 up to `size`, erased where the file says nothing.
 * Throws FlashImageError when the text is no Intel HEX or has bytes beyond `size`.
 */
export function readHexImage(text: string, size: number): Uint8Array<ArrayBuffer> {
  let blocks: MemoryMap;
  checkRecordLengths(text);
  try {
    blocks = MemoryMap.fromHex(text);
  } catch (cause) {
    // From 2 GB on its 32-bit shifts give negative addresses.
    if (cause instanceof Error && cause.message.includes('negative')) {
      throw new FlashImageError('out-of-range', 'The file has bytes beyond 2 GB.', { cause });
    }
    throw new FlashImageError('not-hex', 'This is no undamaged Intel HEX file. Load it again.', { cause });
  }
  const image = new Uint8Array(size).fill(ERASED);
  for (const [address, bytes] of blocks) {
    if (address + bytes.length > size) {
      throw new FlashImageError(
        'out-of-range',
        `The file has bytes up to address ${address + bytes.length}, and there is flash up to ${size}.`,
      );
    }
    image.set(bytes, address);
  }
  return image;
}

/**
 * A copy of `image` with `patch` at `start`. Throws FlashImageError when it reaches beyond `end` or meets bytes that are
 * not erased: a patch never overwrites code.
 */
export function patchImage(image: Uint8Array, patch: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  if (start < 0 || start > end || end > image.length || patch.length > end - start) {
    throw new FlashImageError('out-of-range', `${patch.length} bytes do not fit between ${start} and ${end}.`);
  }
  if (image.subarray(start, end).some((byte) => byte !== ERASED)) {
    throw new FlashImageError('overlap', 'The firmware reaches into the model area. Build it again.');
  }
  const patched = Uint8Array.from(image);
  patched.set(patch, start);
  return patched;
}

/** The image as Intel HEX, without its erased stretches of `blockBytes`. */
export function writeHexImage(image: Uint8Array, blockBytes: number): string {
  const blocks: [number, Uint8Array][] = [];
  for (let at = 0; at < image.length; at += blockBytes) {
    const block = image.subarray(at, at + blockBytes);
    if (block.some((byte) => byte !== ERASED)) blocks.push([at, block]);
  }
  return `${new MemoryMap(blocks).asHexString(16)}\n`;
}
