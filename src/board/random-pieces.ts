/** Cuts `bytes` into random pieces of at most `most` bytes, as a serial port might: for tests of stream parsers. */
export function randomPieces(bytes: Uint8Array, most: number, random: () => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + Math.floor(random() * most));
    pieces.push(bytes.slice(at, end));
    at = end;
  }
  return pieces;
}
