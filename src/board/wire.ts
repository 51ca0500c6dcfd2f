/**
 * The `mote` dialect's constants: the one table from which TypeScript and C are made. What they mean is written in
 * `docs/protocol.md`. After a change run `node scripts/generate-wire.mjs`, which writes `firmware/mote/src/mote_wire.h`
 * from this file (a test fails when the header is stale). Keep every value a plain integer literal.
 */

/** Versions, sizes and sentinels. */
export const PROTOCOL = {
  /** Oldest protocol version that this code speaks. */
  versionMin: 1,
  /** Newest protocol version that this code speaks. */
  versionMax: 1,
  /** Ends every frame and may precede it. */
  delimiter: 0x00,
  /** Bytes before the body: type, request id. */
  headerBytes: 2,
  /** CRC-32 behind the body, little endian. */
  crcBytes: 4,
  /** Set in the type of a reply to a request. */
  replyBit: 0x80,
  /** Smallest longest-body a board may have. */
  bodyMin: 192,
  /** Longest body of a board that has no reason to choose another. */
  bodyDefault: 512,
  /** No frame of either side has a longer body. */
  bodyMax: 4096,
  /** Request id of a frame that answers nothing. */
  unsolicited: 0,
  /** "No slot" in `HELLO`; "the active slot" in requests that take a slot. */
  slotNone: 0xff,
  /** "No window failed" in a `SELFTEST` reply. */
  windowNone: 0xffff,
  /** "Uncertain": no label decided in a `RESULT`. */
  labelNone: 0xffff,
  /** Longest board name, firmware version, serial, channel name or unit in bytes of UTF-8. */
  textMax: 32,
  /** Most channels a board may have. */
  channelsMax: 16,
  /** Most rates a board may offer. */
  ratesMax: 8,
} as const;

/** Frame types: requests (0x01..0x3f, answered by `type | 0x80`), events (0x40..0x5f), and the error reply. */
export const MESSAGE = {
  /** Host: who are you? Starts a session: whatever ran before is stopped. */
  hello: 0x01,
  /** Host: echo this body. */
  ping: 0x02,
  /** Host: what are you doing, what went wrong so far? */
  status: 0x03,
  /** Host: forget an unfinished put, classify or self-test. */
  abort: 0x04,
  /** Host: list channels. */
  channels: 0x05,
  /** Host: send samples. */
  streamStart: 0x10,
  /** Host: no more samples. */
  streamStop: 0x11,
  /** Host: what is in this slot? */
  slot: 0x20,
  /** Host: a pack follows. */
  putBegin: 0x21,
  /** Host: bytes of the pack. */
  putChunk: 0x22,
  /** Host: the pack is complete, check it. */
  putEnd: 0x23,
  /** Host: give bytes of a slot's pack. */
  read: 0x24,
  /** Host: run a slot's known answers. */
  selfTest: 0x25,
  /** Host: make this slot the running one. */
  activate: 0x26,
  /** Host: what are the CRCs of a slot's bytes, as you read them from storage now? */
  digest: 0x27,
  /** Host: a window of raw samples follows. */
  classifyBegin: 0x30,
  /** Host: bytes of the window. */
  classifyChunk: 0x31,
  /** Host: the window is complete, what is it? */
  classifyEnd: 0x32,
  /** Host: classify your own samples continuously. */
  runStart: 0x33,
  /** Host: stop classifying. */
  runStop: 0x34,
  /** Board, unsolicited: consecutive frames of samples. */
  samples: 0x40,
  /** Board, unsolicited: one window of its own samples was classified. */
  result: 0x41,
  /** Board, with the request's id: how far the self-test is. */
  selfTestProgress: 0x42,
  /** Board, with the request's id: the request failed. */
  error: 0xff,
} as const;

/** First byte after the request type in an `error` body. */
export const FAULT = {
  /** The board does not know or have this request. */
  notSupported: 1,
  /** The body is too short, or its fields contradict each other. */
  badRequest: 2,
  /** A field is out of range: no such slot, rate, offset. */
  badArgument: 3,
  /** The two sides share no protocol version; `detail` = min << 8 | max of the board. */
  badVersion: 4,
  /** Something that excludes this is going on. */
  busy: 5,
  /** Not done, to protect the running model: a put to the active slot. */
  refused: 6,
  /** The pack does not fit the slot (`detail` = capacity), or the model not the RAM (`detail` = bytes needed). */
  tooBig: 7,
  /** The bytes received are not the bytes announced; `detail` = CRC-32 found. */
  crcMismatch: 8,
  /** The bytes arrived well but are no model that this firmware can run; `detail` = the loader's error. */
  badPack: 9,
  /** Erase, program or read of the storage failed; `detail` = the driver's error. */
  storage: 10,
  /** The slot holds no valid model. */
  noModel: 11,
  /** A chunk or an end without a begin; or an end before the last byte (`detail` = bytes received). */
  notBegun: 12,
  /** The model wants other channels than the board has; `detail` = channels wanted. */
  channelMismatch: 13,
} as const;

/** What a slot holds. */
export const SLOT_STATE = {
  /** Nothing, or the beginning of a put that was never finished. */
  empty: 0,
  /** A whole pack that passed its checks. */
  valid: 1,
  /** Bytes that fail their checks. */
  corrupt: 2,
} as const;

/** Bits of the features in a `hello` reply: what boards of this version may have or lack. */
export const FEATURE = {
  /** The board answers `digest`. */
  digest: 1,
  /** Chunks may follow `putBegin` before its reply: the board listens while it erases. */
  chunksAtOnce: 2,
} as const;

/** Bits of the flags in a `slot` reply. */
export const SLOT_FLAG = {
  /** This slot's model is the running one. */
  active: 1,
} as const;

/** Bits of the flags in a `status` reply. */
export const STATUS_FLAG = {
  /** Samples are being sent. */
  streaming: 1,
  /** Own samples are being classified. */
  running: 2,
  /** A put is unfinished. */
  putting: 4,
  /** A classify is unfinished. */
  classifying: 8,
  /** A self-test is running. */
  testing: 16,
} as const;

export type Message = (typeof MESSAGE)[keyof typeof MESSAGE];
export type Fault = (typeof FAULT)[keyof typeof FAULT];
