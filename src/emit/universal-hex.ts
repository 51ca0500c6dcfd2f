/**
 * One .hex for both versions of the micro:bit: the interface chip takes its own board's section and leaves the other.
 *
 * "512 Byte Aligned Sections" of the micro:bit Universal Hex Format Specification 0.4.0
 * (https://tech.microbit.org/software/spec-universal-hex/).
 */

/** As the interface chip names boards. */
export const UNIVERSAL_BOARD = { v1: 0x9900, v2: 0x9903 } as const;

const TYPE = { data: 0, linearAddress: 4, blockStart: 0x0a, blockEnd: 0x0b, padding: 0x0c, customData: 0x0d } as const;
const SECTION_CHARACTERS = 512;
/** Longest record that the interface chip takes, bytes of data. */
const RECORD_BYTES = 32;
const END_OF_FILE = ':00000001FF';

function record(type: number, address: number, data: ArrayLike<number>): string {
  const bytes = [data.length, address >>> 8, address & 0xff, type, ...Array.from(data)];
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  const text = [...bytes, -sum & 0xff].map((byte) => byte.toString(16).padStart(2, '0'));
  return `:${text.join('').toUpperCase()}\n`;
}

const linearAddress = (address: number): string =>
  record(TYPE.linearAddress, 0, [address >>> 24, (address >>> 16) & 0xff]);

function section(board: number, type: number, memory: Iterable<readonly [number, Uint8Array]>): string {
  let upper = 0;
  const lines = [linearAddress(0), record(TYPE.blockStart, 0, [board >>> 8, board & 0xff, 0xc0, 0xde])];
  for (const [start, bytes] of memory) {
    for (let at = 0; at < bytes.length;) {
      const address = start + at;
      if (address >>> 16 !== upper) {
        upper = address >>> 16;
        lines.push(linearAddress(address));
      }
      // A record does not cross into the next 64 KB.
      const count = Math.min(RECORD_BYTES, bytes.length - at, 0x10000 - (address & 0xffff));
      lines.push(record(type, address & 0xffff, bytes.subarray(at, at + count)));
      at += count;
    }
  }
  const text = lines.join('');
  // The end record takes up to 32 bytes of padding, an even number of characters; records before it the rest.
  const empty = record(TYPE.blockEnd, 0, []).length;
  let left = SECTION_CHARACTERS - ((text.length + empty) % SECTION_CHARACTERS);
  let padding = '';
  while (left > 2 * RECORD_BYTES) {
    const line = record(TYPE.padding, 0, new Uint8Array(Math.min(RECORD_BYTES, (left - empty) >> 1)).fill(0xff));
    padding += line;
    left -= line.length;
  }
  return text + padding + record(TYPE.blockEnd, 0, new Uint8Array(left >> 1).fill(0xff));
}

/** Runs of bytes of both boards in rising order of address, as one file. */
export function universalHex(
  v1: Iterable<readonly [number, Uint8Array]>,
  v2: Iterable<readonly [number, Uint8Array]>,
): string {
  return `${section(UNIVERSAL_BOARD.v1, TYPE.data, v1)}${section(UNIVERSAL_BOARD.v2, TYPE.customData, v2)}${END_OF_FILE}\n`;
}
