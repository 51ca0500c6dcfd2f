/**
 * Frames of the `mote` dialect (docs/protocol.md, section 1): bytes to frames and back. Garbage costs itself and never
 * the next frame.
 */
import { crc32 } from '../emit/crc32';
import { cobsBound, cobsDecode, cobsEncode } from './cobs';
import { PROTOCOL } from './wire';

export interface Frame {
  readonly type: number;
  readonly id: number;
  readonly body: Uint8Array;
}

const OVERHEAD = PROTOCOL.headerBytes + PROTOCOL.crcBytes;
const MAX_ENCODED = cobsBound(PROTOCOL.bodyMax + OVERHEAD) + 1;

/** The bytes on the wire, with a delimiter before and behind. */
export function encodeFrame(type: number, id: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const plain = new Uint8Array(body.length + OVERHEAD);
  plain[0] = type;
  plain[1] = id;
  plain.set(body, PROTOCOL.headerBytes);
  const view = new DataView(plain.buffer);
  const end = plain.length - PROTOCOL.crcBytes;
  view.setUint32(end, crc32(plain.subarray(0, end)), true);
  const encoded = cobsEncode(plain);
  const wire = new Uint8Array(encoded.length + 2);
  wire.set(encoded, 1);
  return wire;
}

/** Bytes on the wire that a frame with a body of `bodyBytes` takes at most. */
export function frameWireBytes(bodyBytes: number): number {
  return cobsBound(bodyBytes + OVERHEAD) + 2;
}

export interface FrameReader {
  /** Takes any chunk of the byte stream and yields the frames that it completes. */
  push(bytes: Uint8Array): Frame[];
  /** Frames dropped: too long, malformed, or with a wrong CRC. */
  readonly dropped: number;
  /** Forgets half a frame. */
  restart(): void;
}

export function createFrameReader(): FrameReader {
  const pending = new Uint8Array(MAX_ENCODED);
  let length = 0;
  let tooLong = false;
  let dropped = 0;

  function decode(): Frame | null {
    const plain = cobsDecode(pending.subarray(0, length));
    if (!plain || plain.length < OVERHEAD) return null;
    const end = plain.length - PROTOCOL.crcBytes;
    const crc = new DataView(plain.buffer).getUint32(end, true);
    if (crc !== crc32(plain.subarray(0, end))) return null;
    return { type: plain[0] ?? 0, id: plain[1] ?? 0, body: plain.subarray(PROTOCOL.headerBytes, end) };
  }

  return {
    push(bytes) {
      const frames: Frame[] = [];
      let from = 0;
      while (from < bytes.length) {
        const delimiter = bytes.indexOf(PROTOCOL.delimiter, from);
        const to = delimiter < 0 ? bytes.length : delimiter;
        if (length + (to - from) > MAX_ENCODED) tooLong = true;
        if (!tooLong) {
          pending.set(bytes.subarray(from, to), length);
          length += to - from;
        }
        if (delimiter < 0) break;
        if (tooLong || length > 0) {
          const frame = tooLong ? null : decode();
          if (frame) frames.push(frame);
          else dropped++;
        }
        length = 0;
        tooLong = false;
        from = delimiter + 1;
      }
      return frames;
    },
    get dropped() {
      return dropped;
    },
    restart() {
      length = 0;
      tooLong = false;
    },
  };
}
