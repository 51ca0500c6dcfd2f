/**
 * How fast a deploy could be at best: the bytes that must cross the wire, at its baud rate, if nobody ever waited.
 * The bench prints it beside the measured time.
 */
import { frameWireBytes } from './mote-frames';
import { PROTOCOL } from './wire';

/** 8N1: a start bit, eight data bits, a stop bit. */
const BITS_PER_BYTE = 10;
const OFFSET_BYTES = 4;
const SLOT_AND_OFFSET_BYTES = 5;
const READ_REQUEST_BYTES = 7;

export interface WireLimit {
  readonly toBoardBytes: number;
  readonly toHostBytes: number;
  /** Least milliseconds for the busier direction; both directions run at the same time. */
  readonly writeMs: number;
  readonly verifyMs: number;
  readonly totalMs: number;
}

/** The limit of writing a pack and reading it back, with bodies of at most `maxBody` bytes (from HELLO). */
export function deployWireLimit(
  packBytes: number,
  baudRate: number,
  maxBody: number = PROTOCOL.bodyDefault,
): WireLimit {
  const ms = (bytes: number): number => (bytes * BITS_PER_BYTE * 1000) / baudRate;
  const write = transfer(packBytes, maxBody - OFFSET_BYTES, OFFSET_BYTES);
  const writeReplies = Math.ceil(packBytes / (maxBody - OFFSET_BYTES)) * frameWireBytes(OFFSET_BYTES);
  const read = transfer(packBytes, maxBody - SLOT_AND_OFFSET_BYTES, SLOT_AND_OFFSET_BYTES);
  const readRequests = Math.ceil(packBytes / (maxBody - SLOT_AND_OFFSET_BYTES)) * frameWireBytes(READ_REQUEST_BYTES);
  const writeMs = ms(Math.max(write, writeReplies));
  const verifyMs = ms(Math.max(read, readRequests));
  return {
    toBoardBytes: write + readRequests,
    toHostBytes: read + writeReplies,
    writeMs,
    verifyMs,
    totalMs: writeMs + verifyMs,
  };
}

function transfer(bytes: number, chunk: number, fields: number): number {
  const whole = Math.floor(bytes / chunk);
  const rest = bytes - whole * chunk;
  return whole * frameWireBytes(chunk + fields) + (rest > 0 ? frameWireBytes(rest + fields) : 0);
}
