/**
 * A finished model: everything that `model.h` and the pack are made of. The pack is this, as bytes;
 * `model.h` is a pure function of the pack.
 */
import type { CompiledBlock, InputSpec } from '../dsp/block';
import type { InputAffine, Int8Graph } from '../quantize/int8-graph';

/** Where each activation lives in the arena of a board that runs the pack: byte offsets, indexed by tensor id. */
export interface MemoryPlan {
  /** 0 for constants. */
  readonly offsets: readonly number[];
  /** Per op: where its scratch starts; 0 where it needs none. */
  readonly scratch: readonly number[];
  /** Bytes of arena for int8 activations and scratch. */
  readonly arenaBytes: number;
}

/** Turns a stream of scores into decisions: a moving average over windows, then a threshold. */
export interface Smoothing {
  /** Number of consecutive windows averaged, 1..16 (1 = none). */
  readonly windows: number;
  /** Minimum averaged score (0..1) for a decision; below it the answer is "uncertain". */
  readonly threshold: number;
}

/**
 * Known answers: windows in, bytes out.
 *
 * Recorded windows are held-out data stored as int16 with one float32 scale per channel
 * (value = fround(int16 * scale)); generated windows come from an integer generator that TypeScript and C share,
 * so that they cost no memory. For every window: the CRC-32 of the quantized features and the int8 scores.
 */
export interface SelfTest {
  /** One float32 scale per input channel, used by recorded and generated windows. */
  readonly channelScale: Float32Array;
  /** One float32 offset per input channel, used by generated windows only. */
  readonly channelOffset: Float32Array;
  /** `recordedCount * windowFrames * channels` int16. */
  readonly recorded: Int16Array;
  readonly recordedCount: number;
  readonly generatedCount: number;
  /** Seed of the generator. */
  readonly seed: number;
  /** One per window, recorded first. */
  readonly featureCrc: Uint32Array;
  /** `(recordedCount + generatedCount) * classes` int8. */
  readonly scores: Int8Array;
}

/** How the model came to be: printed in the header's comment and kept in the pack. Plain JSON. */
export interface Receipt {
  readonly app: string;
  /** ISO date (day) the model was trained, or "" for a reproducible build. */
  readonly trainedOn: string;
  /** SHA-256 of the training data, hex. */
  readonly dataset: string;
  readonly seed: number;
  readonly split: {
    readonly trainRecordings: number;
    readonly testRecordings: number;
    readonly trainWindows: number;
    readonly testWindows: number;
  };
  /** Held-out accuracy, 0..1, or null when nothing could be held out. */
  readonly accuracyFloat: number | null;
  readonly accuracyInt8: number | null;
  /** The pipeline that reproduces it, as canonical JSON text; "" for a bare network; or `UNKNOWN_PIPELINE`. */
  readonly pipeline: string;
}

/**
 * The pipeline of a model that was rebuilt from what a board keeps of it (read-uno-image.ts). Then `Receipt.app` alone
 * is true of the receipt, and of the scales in the network only that of the scores: what the model computes is right,
 * but it cannot be written for a reader that works from scales.
 */
export const UNKNOWN_PIPELINE = 'null';

/** Whether the receipt says how the model came to be. */
export function hasReceipt({ receipt }: Pick<Model, 'receipt'>): boolean {
  return receipt.pipeline !== UNKNOWN_PIPELINE;
}

export interface Model {
  /** C identifier prefix, /^[a-z][a-z0-9_]{0,30}$/i. */
  readonly prefix: string;
  readonly labels: readonly string[];
  readonly input: InputSpec;
  readonly blocks: readonly CompiledBlock[];
  readonly affine: InputAffine;
  readonly graph: Int8Graph;
  readonly plan: MemoryPlan;
  readonly smoothing: Smoothing;
  readonly selfTest: SelfTest;
  readonly receipt: Receipt;
}

/** Sizes of a model, bytes. `flashWeights` = weights + biases + multipliers + DSP tables; `ram` = all static state. */
export interface ModelSize {
  readonly ram: number;
  readonly flashWeights: number;
  readonly pack: number;
}

export type EmitErrorCode =
  | 'bad-prefix'
  | 'bad-label'
  | 'bad-model'
  | 'pack-magic'
  | 'pack-version'
  | 'pack-truncated'
  | 'pack-crc'
  | 'pack-corrupt'
  | 'too-large';

export class EmitError extends Error {
  override readonly name = 'EmitError';
  constructor(
    readonly code: EmitErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
