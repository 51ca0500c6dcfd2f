/**
 * The `mote` dialect, host side (docs/protocol.md): requests with ids, named timeouts and retries; samples, results
 * and progress as events. Knows the protocol, not the session's life: `session.ts` decides when to ask what.
 */
import { crc32 } from '../emit/crc32';
import type { Channel } from '../signal/recording';
import { BoardError } from './board';
import type { BoardResult, BoardSlot, SampleBatch, SelfTestReport } from './board';
import { toBoardError } from './link-failure';
import { createFrameReader, encodeFrame } from './mote-frames';
import {
  bodyOf,
  faultError,
  readActivate,
  readChannels,
  readClassifyBegin,
  readDigest,
  readFault,
  readHello,
  readNext,
  readPutBegin,
  readPutEnd,
  readRead,
  readResult,
  readRun,
  readSamples,
  readSelfTest,
  readSelfTestProgress,
  readSlot,
  readStream,
} from './mote-messages';
import type { HelloReply, ScaledChannel } from './mote-messages';
import { asError } from './timing';
import type { Cancel, Timing } from './timing';
import { FAULT, MESSAGE, PROTOCOL } from './wire';

/** A board that is awake answers HELLO at once; more patience is the caller's (it repeats). */
export const HELLO_TIMEOUT_MS = 500;
/** Ordinary requests are answered within milliseconds; this bounds a board that stopped. */
export const COMMAND_TIMEOUT_MS = 2000;
/** Flash erases take their time. */
export const STORAGE_TIMEOUT_MS = 5000;
/** Without a sign of progress for so long, a self-test hangs. */
export const SELF_TEST_TIMEOUT_MS = 5000;
/** All requests may be repeated without harm, so a lost frame costs a wait and no more. */
export const TRIES = 3;
/** So often the same chunk may get lost in a row before the link counts as unusable. */
const CHUNK_TRIES = 8;
/**
 * Bytes of a pack that one CRC answers for. Up to 11 KB a CRC-32 finds every change of up to three bits and every burst
 * of 32, so a piece could be longer; short ones say where a difference is.
 */
export const DIGEST_PIECE_BYTES = 1024;
/** Pieces per request: a slow chip reads 16 KB in about 30 ms, and does nothing else meanwhile. */
const DIGEST_PIECES = 16;
/** A jump of the sequence by more than this is a restarted counter and no loss. */
const MAX_SEQUENCE_JUMP = 0x40000000;

export interface MoteListener {
  /** Hands bytes to the link. Rejections are the link's business: requests then time out or are failed by the session. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
  readonly onSamples: (batch: SampleBatch) => void;
  readonly onResult: (result: BoardResult) => void;
}

/** What a board said in HELLO and CHANNELS. */
export interface MoteBoard {
  readonly hello: HelloReply;
  readonly channels: readonly ScaledChannel[];
}

export interface MoteDialect {
  push(bytes: Uint8Array, at: number): void;
  /** Asks once; rejects `timeout-hello` when nothing comes. Stops whatever the board was doing. */
  hello(signal?: AbortSignal): Promise<HelloReply>;
  /** HELLO was answered: learns the channels. */
  describe(hello: HelloReply, signal?: AbortSignal): Promise<MoteBoard>;
  slots(signal?: AbortSignal): Promise<BoardSlot[]>;
  /** Resolves with the rate that the board chose, Hz. 0 = current. */
  startStream(rateHz: number): Promise<number>;
  stopStream(): Promise<void>;
  put(
    slot: number,
    pack: Uint8Array,
    crc: number,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<{ readonly modelId: number; readonly ramBytes: number }>;
  read(
    slot: number,
    bytes: number,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Compares what the board reads from a slot's storage with `pack`: the CRCs of all pieces where the board can tell
   * them, else by reading all of it back. Resolves with the bytes [from, to) of the first difference, or null.
   */
  compare(
    slot: number,
    pack: Uint8Array,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<{ readonly from: number; readonly to: number } | null>;
  selfTest(
    slot: number | null,
    onProgress: (done: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<SelfTestReport>;
  activate(slot: number): Promise<number>;
  classify(window: Float32Array, signal?: AbortSignal): Promise<BoardResult>;
  /** Resolves with the id of the model that runs, or null when it was stopped. */
  run(on: boolean): Promise<number | null>;
  /** Rejects everything that waits. */
  failRequests(error: BoardError): void;
  /** Forgets half a frame and the sequence: the link was opened anew. */
  restart(): void;
  /** Frames that came damaged. */
  readonly droppedFrames: number;
}

interface Pending {
  readonly type: number;
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress?: (done: number, total: number) => void;
  /** Starts the wait anew: a sign of life came. */
  readonly touch: () => void;
}

interface RequestOptions {
  readonly timeoutMs: number;
  readonly tries?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Requests that share the window with chunks. */
interface RequestsAround {
  /** In flight before the first chunk. */
  readonly begun?: Promise<unknown>;
  /** Sends what comes behind the last chunk and does not reject. Called at most once, when all chunks were sent. */
  readonly sendEnd?: () => Promise<unknown>;
}

type PutEnd = ReturnType<typeof readPutEnd>;

export function createMoteDialect(timing: Timing, listener: MoteListener): MoteDialect {
  const reader = createFrameReader();
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let current: HelloReply | null = null;
  let board: MoteBoard | null = null;
  let nextSequence: number | null = null;

  function freeId(): number {
    for (let i = 1; i <= 255; i++) {
      const id = ((lastId + i - 1) % 255) + 1;
      if (!pending.has(id)) {
        lastId = id;
        return id;
      }
    }
    throw new BoardError('busy', 'Too many requests wait for the board’s answer.');
  }

  /** Sends once and waits once. */
  function ask(type: number, body: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    const { timeoutMs, signal, onProgress } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(cancelled(signal));
        return;
      }
      const id = freeId();
      let cancelTimer: Cancel = () => undefined;
      const finish = (): void => {
        cancelTimer();
        pending.delete(id);
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        finish();
        reject(cancelled(signal));
      };
      const touch = (): void => {
        cancelTimer();
        cancelTimer = timing.timers.after(timeoutMs, () => {
          finish();
          reject(
            new BoardError(
              type === MESSAGE.hello ? 'timeout-hello' : 'timeout-command',
              `The board did not answer within ${timeoutMs / 1000} s. Press its reset button, or pull the cable and plug it in again.`,
            ),
          );
        });
      };
      pending.set(id, {
        type,
        resolve: (reply) => {
          finish();
          resolve(reply);
        },
        reject: (error) => {
          finish();
          reject(error);
        },
        ...(onProgress ? { onProgress } : {}),
        touch,
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      touch();
      listener.send(encodeFrame(type, id, body)).catch((error: unknown) => {
        if (!pending.has(id)) return;
        finish();
        reject(toBoardError(asError(error)));
      });
    });
  }

  /** Asks again after a timeout. */
  async function request(type: number, body: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    const tries = options.tries ?? TRIES;
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask(type, body, options);
      } catch (error) {
        if (attempt >= tries || !(error instanceof BoardError) || error.code !== 'timeout-command') throw error;
      }
    }
  }

  const command = (type: number, body: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> =>
    request(type, body, { timeoutMs: COMMAND_TIMEOUT_MS, signal });

  function windowSize(): number {
    return current?.window ?? 1;
  }

  /** Best effort: a board that does not hear it forgets by itself at the next begin. */
  function abortOnBoard(): void {
    ask(MESSAGE.abort, new Uint8Array(), { timeoutMs: COMMAND_TIMEOUT_MS }).catch(() => undefined);
  }

  /**
   * Sends `data` in chunks that must arrive in order, keeping up to `window` of them in flight; goes back to what the
   * board says it has, once per loss (docs/protocol.md, PUT_CHUNK).
   */
  function sendChunks(
    type: number,
    data: Uint8Array,
    chunk: number,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
    around: RequestsAround = {},
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let { sendEnd } = around;
      let acknowledged = 0;
      let sent = 0;
      let epoch = 0;
      let inFlight = 0;
      let failures = 0;
      let settled = false;
      const settle = (error: Error | null): void => {
        if (settled) return;
        settled = true;
        if (error) reject(error);
        else resolve();
      };
      /** Once per loss: what was under way at that moment fails for the same reason. */
      const goBack = (lostEpoch: number, error: BoardError): void => {
        if (lostEpoch !== epoch) return;
        if (++failures >= CHUNK_TRIES) throw error;
        epoch++;
        sent = acknowledged;
      };
      const count = (request: Promise<unknown>): void => {
        inFlight++;
        const answered = (): void => {
          inFlight--;
          pump();
        };
        request.then(answered, answered);
      };
      const pump = (): void => {
        while (!settled && inFlight < windowSize() && sent < data.length) {
          const offset = sent;
          const end = Math.min(data.length, offset + chunk);
          const myEpoch = epoch;
          sent = end;
          inFlight++;
          ask(type, bodyOf(['u32', offset], data.subarray(offset, end)), { timeoutMs: STORAGE_TIMEOUT_MS, signal })
            .then(
              (body) => {
                const next = readNext(body);
                if (next > data.length) {
                  throw new BoardError('garbage', 'The board confirms more bytes than there are. Try again.');
                }
                if (next > acknowledged) {
                  acknowledged = next;
                  failures = 0;
                  if (!settled) onProgress(acknowledged);
                }
                if (sent < acknowledged) sent = acknowledged;
                if (next < end) {
                  goBack(
                    myEpoch,
                    new BoardError('timeout-command', 'The board keeps missing bytes. Use another cable or port.'),
                  );
                }
              },
              (error: unknown) => {
                if (!(error instanceof BoardError) || error.code !== 'timeout-command') throw error;
                // Confirmed by a later reply: only the answer got lost.
                if (end > acknowledged) goBack(myEpoch, error);
              },
            )
            .then(
              () => {
                inFlight--;
                if (acknowledged >= data.length) settle(null);
                else pump();
              },
              (error: unknown) => settle(error instanceof Error ? error : new Error(String(error))),
            );
        }
        if (sendEnd && !settled && sent >= data.length && inFlight < windowSize()) {
          count(sendEnd());
          sendEnd = undefined;
        }
      };
      if (data.length === 0) settle(null);
      if (around.begun) count(around.begun);
      pump();
    });
  }

  /**
   * Chunks and end of a put. The end is in flight with the last chunks: it needs no answer to them, and where one got
   * lost the board says so and the end is sent once more.
   */
  async function putFrom(
    pack: Uint8Array,
    chunk: number,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
    begun?: Promise<unknown>,
  ): Promise<PutEnd> {
    const storage = { timeoutMs: STORAGE_TIMEOUT_MS, signal };
    const early: Promise<PutEnd | Error>[] = [];
    const sendEnd = (): Promise<unknown> => {
      const ended = ask(MESSAGE.putEnd, new Uint8Array(), storage).then(readPutEnd).catch(asError);
      early.push(ended);
      return ended;
    };
    await sendChunks(MESSAGE.putChunk, pack, chunk, onProgress, signal, { ...(begun ? { begun } : {}), sendEnd });
    const ended = await early[0];
    if (ended instanceof Error && !isLost(ended) && !isFault(ended, 'notBegun')) throw ended;
    return ended && !(ended instanceof Error)
      ? ended
      : readPutEnd(await request(MESSAGE.putEnd, new Uint8Array(), storage));
  }

  /** A put whose begin does not wait for its reply either; null when that got lost. */
  async function putAtOnce(
    begin: Uint8Array,
    pack: Uint8Array,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<PutEnd | null> {
    const storage = { timeoutMs: STORAGE_TIMEOUT_MS, signal };
    const stop = new AbortController();
    const chunksSignal = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const begun = ask(MESSAGE.putBegin, begin, storage).then(readPutBegin);
    const chunk = (current?.maxBody ?? PROTOCOL.bodyMin) - 4;
    const put = putFrom(pack, chunk, onProgress, chunksSignal, begun).catch(asError);
    try {
      await begun;
    } catch (error) {
      // What the board made of the chunks meanwhile, the next begin forgets.
      stop.abort();
      if (isLost(error)) return null;
      throw error;
    }
    const ended = await put;
    if (ended instanceof Error) throw ended;
    return ended;
  }

  async function readBack(
    slot: number,
    bytes: number,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const most = (current?.maxBody ?? PROTOCOL.bodyMin) - 5;
    const out = new Uint8Array(bytes);
    let asked = 0;
    let done = 0;
    const worker = async (): Promise<void> => {
      while (asked < bytes) {
        let at = asked;
        const end = Math.min(bytes, at + most);
        asked = end;
        while (at < end) {
          const body = bodyOf(['u8', slot], ['u32', at], ['u16', end - at]);
          const reply = readRead(await command(MESSAGE.read, body, signal));
          if (reply.offset !== at || reply.bytes.length === 0 || reply.bytes.length > end - at) {
            throw new BoardError('garbage', 'The board sent another part of the model than asked. Try again.');
          }
          out.set(reply.bytes, at);
          at += reply.bytes.length;
          done += reply.bytes.length;
          onProgress(done);
        }
      }
    };
    await Promise.all(Array.from({ length: windowSize() }, worker));
    return out;
  }

  /** The first piece whose CRC, computed by the board from its storage, is not that of the pack; or null. */
  async function firstDifference(
    slot: number,
    pack: Uint8Array,
    onProgress: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<{ readonly from: number; readonly to: number } | null> {
    const pieces = Math.ceil(pack.length / DIGEST_PIECE_BYTES);
    let asked = 0;
    let done = 0;
    let first = pieces;
    const worker = async (): Promise<void> => {
      while (asked < pieces) {
        let piece = asked;
        const end = Math.min(pieces, piece + DIGEST_PIECES);
        asked = end;
        while (piece < end) {
          const offset = piece * DIGEST_PIECE_BYTES;
          const body = bodyOf(['u8', slot], ['u32', offset], ['u16', DIGEST_PIECE_BYTES], ['u8', end - piece]);
          const reply = readDigest(await command(MESSAGE.digest, body, signal));
          if (reply.slot !== slot || reply.offset !== offset || !reply.crcs.length || reply.crcs.length > end - piece) {
            throw new BoardError('garbage', 'The board told of another part of the model than asked. Try again.');
          }
          for (const crc of reply.crcs) {
            const bytes = pack.subarray(piece * DIGEST_PIECE_BYTES, (piece + 1) * DIGEST_PIECE_BYTES);
            if (crc !== crc32(bytes)) first = Math.min(first, piece);
            piece++;
            done += bytes.length;
          }
          onProgress(done);
        }
      }
    };
    await Promise.all(Array.from({ length: windowSize() }, worker));
    const from = first * DIGEST_PIECE_BYTES;
    return first === pieces ? null : { from, to: Math.min(pack.length, from + DIGEST_PIECE_BYTES) };
  }

  function takeFrame(type: number, id: number, body: Uint8Array, at: number): void {
    if (type === MESSAGE.samples) {
      takeSamples(body, at);
      return;
    }
    if (type === MESSAGE.result) {
      listener.onResult(readResult(body));
      return;
    }
    const waiting = pending.get(id);
    if (!waiting) return;
    if (type === MESSAGE.selfTestProgress) {
      const { done, total } = readSelfTestProgress(body);
      waiting.touch();
      waiting.onProgress?.(done, total);
    } else if (type === MESSAGE.error) {
      const fault = readFault(body);
      if (fault.request === waiting.type) waiting.reject(faultError(fault));
    } else if (type === (waiting.type | PROTOCOL.replyBit)) {
      waiting.resolve(body);
    }
  }

  function takeSamples(body: Uint8Array, at: number): void {
    if (!board) return;
    const scales = board.channels.map((channel) => channel.scale);
    const width = scales.length;
    const { sequence, boardTimeUs, frames, bytes } = readSamples(body, width);
    let lostBefore = 0;
    if (nextSequence !== null) {
      const jump = (sequence - nextSequence) >>> 0;
      if (jump < MAX_SEQUENCE_JUMP) lostBefore = jump;
    }
    nextSequence = (sequence + frames) >>> 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const samples = new Float32Array(frames * width);
    // The product of an int16 and a float32 is exact in a double: storing it rounds once, as the board does.
    for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) * (scales[i % width] ?? 0);
    listener.onSamples({ samples, frames, sequence, lostBefore, boardTimeUs, arrivedAt: at });
  }

  async function slotOf(index: number, signal?: AbortSignal): Promise<BoardSlot> {
    const first = readSlot(await command(MESSAGE.slot, bodyOf(['u8', index], ['u16', 0]), signal));
    const labels = [...first.labels];
    while (labels.length < first.labelCount) {
      const more = readSlot(await command(MESSAGE.slot, bodyOf(['u8', index], ['u16', labels.length]), signal));
      if (more.firstLabel !== labels.length || more.labels.length === 0 || more.modelId !== first.modelId) {
        throw new BoardError('garbage', 'The board’s list of labels contradicts itself. Reconnect and try again.');
      }
      labels.push(...more.labels);
    }
    return {
      index,
      capacityBytes: first.capacity,
      state: first.state,
      active: first.active,
      model:
        first.state === 'valid' ? { id: first.modelId, name: first.name, labels, packBytes: first.packBytes } : null,
    };
  }

  return {
    push(bytes, at) {
      for (const frame of reader.push(bytes)) {
        try {
          takeFrame(frame.type, frame.id, frame.body, at);
        } catch (error) {
          // An event with an impossible body is dropped; a reply fails the request that it answers.
          pending.get(frame.id)?.reject(error as Error);
        }
      }
    },

    async hello(signal) {
      const body = bodyOf(['u8', PROTOCOL.versionMin], ['u8', PROTOCOL.versionMax]);
      current = readHello(await ask(MESSAGE.hello, body, { timeoutMs: HELLO_TIMEOUT_MS, signal }));
      nextSequence = null;
      return current;
    },

    async describe(hello, signal) {
      const channels: ScaledChannel[] = [];
      while (channels.length < hello.channels) {
        const reply = readChannels(await command(MESSAGE.channels, bodyOf(['u8', channels.length]), signal));
        if (reply.total !== hello.channels || reply.first !== channels.length || reply.channels.length === 0) {
          throw new BoardError('garbage', 'The board’s list of channels contradicts itself. Update its firmware.');
        }
        channels.push(...reply.channels);
      }
      board = { hello, channels };
      return board;
    },

    async slots(signal) {
      const slots: BoardSlot[] = [];
      for (let index = 0; index < (current?.slots ?? 0); index++) slots.push(await slotOf(index, signal));
      return slots;
    },

    async startStream(rateHz) {
      nextSequence = null;
      const reply = readStream(await command(MESSAGE.streamStart, bodyOf(['u32', Math.round(rateHz * 1000)])));
      return reply.rateHz;
    },

    async stopStream() {
      await command(MESSAGE.streamStop, new Uint8Array());
    },

    async put(slot, pack, crc, onProgress, signal) {
      const begin = bodyOf(['u8', slot], ['u32', pack.length], ['u32', crc]);
      const storage = { timeoutMs: STORAGE_TIMEOUT_MS, signal };
      try {
        const atOnce = current?.chunksAtOnce ? await putAtOnce(begin, pack, onProgress, signal) : null;
        if (atOnce) return atOnce;
        const { chunk } = readPutBegin(await request(MESSAGE.putBegin, begin, storage));
        const most = (current?.maxBody ?? PROTOCOL.bodyMin) - 4;
        return await putFrom(pack, Math.min(chunk, most), onProgress, signal);
      } catch (error) {
        if (signal?.aborted) abortOnBoard();
        throw error;
      }
    },

    read: readBack,

    async compare(slot, pack, onProgress, signal) {
      if (current?.digests) return firstDifference(slot, pack, onProgress, signal);
      const back = await readBack(slot, pack.length, onProgress, signal);
      const from = pack.findIndex((byte, i) => back[i] !== byte);
      return from < 0 ? null : { from, to: from + 1 };
    },

    async selfTest(slot, onProgress, signal) {
      const body = bodyOf(['u8', slot ?? PROTOCOL.slotNone]);
      const options = { timeoutMs: SELF_TEST_TIMEOUT_MS, signal, onProgress };
      for (let attempt = 1; ; attempt++) {
        try {
          return readSelfTest(await ask(MESSAGE.selfTest, body, options));
        } catch (error) {
          // A test whose reply got lost would answer a second request with "busy".
          if (signal?.aborted) abortOnBoard();
          const timeout = error instanceof BoardError && error.code === 'timeout-command';
          if (!timeout || attempt >= TRIES) throw error;
          await command(MESSAGE.abort, new Uint8Array(), signal);
        }
      }
    },

    async activate(slot) {
      const body = await request(MESSAGE.activate, bodyOf(['u8', slot]), { timeoutMs: STORAGE_TIMEOUT_MS });
      return readActivate(body).modelId;
    },

    async classify(window, signal) {
      try {
        const begun = readClassifyBegin(
          await command(MESSAGE.classifyBegin, bodyOf(['u8', PROTOCOL.slotNone]), signal),
        );
        if (begun.size !== window.length * 4) {
          throw new BoardError(
            'refused',
            `The board’s model takes windows of ${begun.size / 4} values; this one has ${window.length}. Deploy the current model first.`,
          );
        }
        const bytes = new Uint8Array(begun.size);
        const view = new DataView(bytes.buffer);
        window.forEach((value, i) => view.setFloat32(4 * i, value, true));
        const most = (current?.maxBody ?? PROTOCOL.bodyMin) - 4;
        await sendChunks(MESSAGE.classifyChunk, bytes, Math.min(begun.chunk, most), () => undefined, signal);
        return readResult(await command(MESSAGE.classifyEnd, new Uint8Array(), signal));
      } catch (error) {
        if (signal?.aborted) abortOnBoard();
        throw error;
      }
    },

    async run(on) {
      if (!on) {
        await command(MESSAGE.runStop, new Uint8Array());
        return null;
      }
      return readRun(await command(MESSAGE.runStart, bodyOf(['u32', 0]))).modelId;
    },

    failRequests(error) {
      for (const waiting of [...pending.values()]) waiting.reject(error);
    },

    restart() {
      reader.restart();
      nextSequence = null;
    },

    get droppedFrames() {
      return reader.dropped;
    },
  };
}

/** Whether a board's fault (kept as the cause) is `fault`. */
export function isFault(error: unknown, fault: keyof typeof FAULT): boolean {
  if (!(error instanceof BoardError) || typeof error.cause !== 'object' || error.cause === null) return false;
  return 'fault' in error.cause && error.cause.fault === FAULT[fault];
}

/** Whether a request got no answer in time. */
function isLost(error: unknown): boolean {
  return error instanceof BoardError && error.code === 'timeout-command';
}

/** The channels without their scales: what the rest of the house needs. */
export function plainChannels(channels: readonly ScaledChannel[]): Channel[] {
  return channels.map(({ name, unit }) => ({ name, unit }));
}

export function cancelled(signal?: AbortSignal): BoardError {
  return new BoardError('cancelled', 'Cancelled. The board is unchanged and runs its old model.', {
    cause: signal?.reason,
  });
}
