/** A wire of a given baud rate and delay around another link: what a USB-UART bridge does to the bytes. */
import type { Link, LinkEvents } from '../../src/board/link';
import type { Timing } from '../../src/board/timing';

/** 8N1: a start bit, eight data bits, a stop bit. */
const BITS_PER_BYTE = 10;
/** Bytes travel in pieces of this many milliseconds, as a UART's buffer is emptied. */
const PIECE_MS = 1;

/**
 * @param baudRate bits per second, each way at the same time
 * @param delayMs time a byte is under way besides (USB polling, drivers)
 */
export function pacedLink(inner: Link, timing: Timing, baudRate: number, delayMs: number): Link {
  const bytesPerMs = baudRate / BITS_PER_BYTE / 1000;
  const lane = (deliver: (bytes: Uint8Array) => void) => {
    let freeAt = 0;
    return (bytes: Uint8Array): void => {
      const pieceBytes = Math.max(1, Math.round(bytesPerMs * PIECE_MS));
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        const piece = bytes.slice(at, at + pieceBytes);
        freeAt = Math.max(freeAt, timing.clock()) + piece.length / bytesPerMs;
        timing.timers.after(freeAt - timing.clock() + delayMs, () => deliver(piece));
      }
    };
  };
  let toBoard: (bytes: Uint8Array) => void = () => {};
  return {
    info: inner.info,
    async open(options, events: LinkEvents) {
      toBoard = lane((bytes) => void inner.write(bytes).catch(() => undefined));
      const toHost = lane((bytes) => events.onBytes(bytes, timing.clock()));
      await inner.open(options, { onBytes: toHost, onLost: events.onLost });
    },
    write: (bytes) => Promise.resolve(toBoard(bytes)),
    close: () => inner.close(),
  };
}
