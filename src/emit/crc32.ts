/** CRC-32 (IEEE 802.3, reflected, as in zip and PNG), the twin of `firmware/mote/src/mote_crc32.h`. */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** CRC-32 of all bytes, 0..2^32-1; pass the CRC of what came before to continue. */
export function crc32(bytes: Uint8Array | Int8Array, before = 0): number {
  let crc = ~before;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number);
  return ~crc >>> 0;
}
