/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): bytes without any zero, so that zero can end a frame.
 */

/** Largest encoded length of `length` bytes, without the delimiter. */
export function cobsBound(length: number): number {
  return Math.max(1, length + Math.ceil(length / 254));
}

/** Encodes `data`; the result holds no zero byte and no delimiter. */
export function cobsEncode(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(cobsBound(data.length) + 1);
  let codeAt = 0;
  let at = 1;
  let code = 1;
  data.forEach((byte, i) => {
    if (byte !== 0) {
      out[at++] = byte;
      code++;
    }
    if (byte === 0 || (code === 0xff && i < data.length - 1)) {
      out[codeAt] = code;
      codeAt = at++;
      code = 1;
    }
  });
  out[codeAt] = code;
  return out.slice(0, at);
}

/** Decodes one frame (without its delimiter), or returns null when it is malformed. */
export function cobsDecode(encoded: Uint8Array): Uint8Array<ArrayBuffer> | null {
  if (encoded.length === 0) return null;
  const out = new Uint8Array(encoded.length);
  let length = 0;
  let at = 0;
  while (at < encoded.length) {
    const code = encoded[at++] ?? 0;
    const end = at + code - 1;
    if (code === 0 || end > encoded.length) return null;
    while (at < end) {
      const byte = encoded[at++] ?? 0;
      if (byte === 0) return null;
      out[length++] = byte;
    }
    // The zero behind the last block is the one that the encoder imagined.
    if (code !== 0xff && at < encoded.length) out[length++] = 0;
  }
  return out.slice(0, length);
}
