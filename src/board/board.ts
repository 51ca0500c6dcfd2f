/**
 * A board as the rest of the house sees it: who it is, the samples it streams, the models it holds, what it classifies.
 * Implemented by `session.ts` over a link and a dialect.
 */
import type { Channel } from '../signal/recording';
import type { Link, LinkInfo } from './link';
import type { MicroPythonFiles } from './micropython-files';
import type { ExecOptions } from './raw-repl';

/** `micropython`: a prompt that takes programs and files, and streams nothing until its main.py prints. */
export type DialectName = 'mote' | 'lines' | 'micropython';

/** A run of consecutive frames. `samples[frame * channels + channel]`, float32, owned by the receiver. */
export interface SampleBatch {
  readonly samples: Float32Array;
  readonly frames: number;
  /** Sequence number of the first frame (wraps at 2^32), or null when the source has none. */
  readonly sequence: number | null;
  /** Frames lost just before this batch. */
  readonly lostBefore: number;
  /** Board time of the first frame, microseconds, or null. */
  readonly boardTimeUs: number | null;
  /** Arrival on the injected clock, ms. */
  readonly arrivedAt: number;
}

/** A model held by a board. */
export interface BoardModel {
  /** The pack's CRC field: the model's identity. */
  readonly id: number;
  readonly name: string;
  readonly labels: readonly string[];
  readonly packBytes: number;
}

export interface BoardSlot {
  readonly index: number;
  readonly capacityBytes: number;
  readonly state: 'empty' | 'valid' | 'corrupt';
  readonly active: boolean;
  readonly model: BoardModel | null;
}

/** What a board tells of itself (or what was inferred from its lines). */
export interface BoardIdentity {
  readonly dialect: DialectName;
  readonly name: string;
  readonly firmware: string;
  /** Stable id of this board when it has one. */
  readonly serial: string | null;
  readonly channels: readonly Channel[];
  /** Current rate in Hz: as told by the board, or estimated from arrival times. */
  readonly rateHz: number;
  /** True when `rateHz` was inferred and may be edited by the user. */
  readonly rateEstimated: boolean;
  /** Rates that the board offers, Hz; absent when it cannot be asked. */
  readonly ratesHz?: readonly number[];
  /** Bytes of RAM available to a model (arena, window and features), or null when unknown. */
  readonly modelRamBytes: number | null;
  /** Empty for boards without slots (`lines`). */
  readonly slots: readonly BoardSlot[];
}

/** One classification made by the board's own model. */
export interface BoardResult {
  readonly modelId: number;
  /** Sequence number of the last frame of the window. */
  readonly sequence: number;
  /** int8 scores, one per label: probability = (score + 128) / 256. */
  readonly scores: Int8Array;
  /** CRC-32 of the quantized features. */
  readonly featureCrc: number;
  readonly dspUs: number;
  readonly networkUs: number;
  /** Index of the label after the model's own smoothing and threshold; null = uncertain. */
  readonly decision?: number | null;
}

export interface SelfTestReport {
  readonly passed: number;
  readonly total: number;
  /** Index of the first window that differed, or null. */
  readonly firstFailure: number | null;
  readonly averageUs: number;
}

/** What `lines` met that was not numbers; shown to the user. */
export interface LineStats {
  readonly lines: number;
  readonly blank: number;
  readonly text: number;
  readonly malformed: number;
  readonly lastText: string | null;
}

export type BoardErrorCode =
  | 'timeout-hello'
  | 'timeout-command'
  | 'timeout-stream'
  | 'silent'
  | 'garbage'
  /** Garbage, but regular: a sender at another baud rate looks like this. */
  | 'wrong-baud'
  /** The board was put into its boot loader (or should have been), and that does not answer. */
  | 'bootloader-silent'
  /** Its chip is not the one that the program was built for. */
  | 'wrong-board'
  /** The board started anew in the middle of a command. */
  | 'board-reset'
  /** Another tab asked for the board, and got it. */
  | 'taken-over'
  | 'disconnected'
  | 'link-failed'
  | 'refused'
  | 'not-supported'
  | 'firmware-too-old'
  | 'model-too-big'
  | 'model-rejected'
  | 'verify-mismatch'
  | 'self-test-failed'
  | 'slot-corrupt'
  | 'no-model'
  | 'busy'
  | 'cancelled';

export class BoardError extends Error {
  override readonly name = 'BoardError';
  constructor(
    readonly code: BoardErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The session's named states. Every failure is a state with a recovery, never an exception that nobody sees. */
export type SessionState =
  | { readonly name: 'closed' }
  | { readonly name: 'opening' }
  | { readonly name: 'identifying' }
  | { readonly name: 'ready' }
  | { readonly name: 'streaming' }
  | { readonly name: 'deploying'; readonly step: DeployStep }
  /** The link is lent out: a boot loader writes the board's program. */
  | { readonly name: 'programming' }
  /** The cable was pulled; the session reopens by itself when the same board comes back. */
  | { readonly name: 'lost'; readonly error: BoardError }
  | { readonly name: 'failed'; readonly error: BoardError };

export type DeployStep = 'checking' | 'writing' | 'verifying' | 'self-test' | 'switching' | 'done';

export interface DeployProgress {
  readonly step: DeployStep;
  /** Bytes or windows done and in all, for this step. */
  readonly done: number;
  readonly total: number;
}

export interface DeployReport {
  readonly slot: number;
  readonly bytes: number;
  readonly writeMs: number;
  readonly verifyMs: number;
  readonly selfTest: SelfTestReport;
  readonly modelId: number;
}

export interface SessionEvents {
  readonly state: (state: SessionState) => void;
  readonly identity: (identity: BoardIdentity) => void;
  readonly samples: (batch: SampleBatch) => void;
  readonly result: (result: BoardResult) => void;
  readonly lineStats: (stats: LineStats) => void;
}

/** A MicroPython board while its prompt is ours. */
export interface MicroPythonAccess {
  readonly files: MicroPythonFiles;
  /** Runs a program; gives what it prints. */
  readonly run: (source: string, options?: ExecOptions) => Promise<string>;
  /** Restarts the interpreter without main.py: memory is free. */
  readonly clear: (signal?: AbortSignal) => Promise<void>;
}

/** A session with one board. All waits have named timeouts; every long call takes an AbortSignal. */
export interface BoardSession {
  readonly link: LinkInfo;
  readonly state: SessionState;
  readonly identity: BoardIdentity | null;
  /** Subscribes; returns the unsubscribe function. Listeners survive a reconnect. */
  on<K extends keyof SessionEvents>(event: K, listener: SessionEvents[K]): () => void;
  /** Opens the link and finds out what the board speaks. */
  connect(options?: { readonly baudRate?: number; readonly signal?: AbortSignal }): Promise<BoardIdentity>;
  startStream(options?: { readonly rateHz?: number }): Promise<void>;
  stopStream(): Promise<void>;
  /** Overrides an estimated rate (`lines`). */
  setRate(rateHz: number): void;
  /** Names the channels of a board that cannot name them itself (`lines`). Throws BoardError when the count differs. */
  setChannels?(channels: readonly Channel[]): void;
  /** Writes the pack into the free slot, reads it back, runs the self-test there, then switches. */
  deploy(
    pack: Uint8Array,
    options?: { readonly onProgress?: (progress: DeployProgress) => void; readonly signal?: AbortSignal },
  ): Promise<DeployReport>;
  /**
   * Interrupts the program on a MicroPython board, works on its files, and restarts it: main.py runs again. For boards
   * that are at their prompt or print numbers; throws MicroPythonError `no-repl` when it is not MicroPython after all.
   */
  useMicroPython<T>(
    work: (board: MicroPythonAccess) => Promise<T>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<T>;
  /**
   * Lends the closed link to `work`, which talks to the board's boot loader, and closes the session meanwhile: state
   * `programming`, then `closed`, or `failed` with what went wrong (`bootloader-silent`). Rejects with BoardError.
   */
  program<T>(work: (link: Link) => Promise<T>): Promise<T>;
  /** Reads the pack of the active slot (or of `slot`) back. */
  readModel(options?: {
    readonly slot?: number;
    readonly onProgress?: (progress: DeployProgress) => void;
    readonly signal?: AbortSignal;
  }): Promise<Uint8Array>;
  selfTest(options?: { readonly slot?: number; readonly signal?: AbortSignal }): Promise<SelfTestReport>;
  /** Makes the other valid slot the active one ("restore previous"). */
  activateSlot(slot: number): Promise<void>;
  /** Sends one raw window (frames * channels float32) and gets the board's scores for it. */
  classify(window: Float32Array, signal?: AbortSignal): Promise<BoardResult>;
  /** Starts or stops the board's own continuous classification (`result` events). */
  setClassifying(on: boolean): Promise<void>;
  /** Virtual board only: which gesture the motion generator plays. Undefined elsewhere. */
  readonly generator?: MotionControl;
  disconnect(): Promise<void>;
}

/** The virtual board's motion generator. */
export interface MotionControl {
  readonly gestures: readonly string[];
  set(settings: {
    readonly gesture?: string;
    /** RMS noise in m/s2. */
    readonly noise?: number;
    readonly gravity?: boolean;
    readonly amplitude?: number;
  }): void;
}
