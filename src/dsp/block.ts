/**
 * The contract of a processing block: a window of raw samples in, a vector of features out, float32-exact.
 *
 * A block exists twice: in TypeScript here and as a C fragment in `firmware/mote/src/`. Both read the same compiled
 * form (`ints`, `floats`), so every table is computed once, in TypeScript, and both give the same bits.
 */
import type { Channel } from '../signal/recording';

/** What a model listens to. One window is `windowFrames` frames; consecutive windows start `strideFrames` apart. */
export interface InputSpec {
  readonly channels: readonly Channel[];
  /** Sampling rate in Hz. */
  readonly rateHz: number;
  readonly windowMs: number;
  readonly strideMs: number;
}

/** Numbers of frames of an input spec: at least 1 each. */
export function windowFrames(input: InputSpec): number {
  return Math.max(1, Math.round((input.windowMs * input.rateHz) / 1000));
}

export function strideFrames(input: InputSpec): number {
  return Math.max(1, Math.round((input.strideMs * input.rateHz) / 1000));
}

export type FilterType = 'none' | 'low' | 'high';

/**
 * Pass-through with scaling. Features: frame-major, `floor(frames / average) * channels`. With `average` above 1 a
 * feature is the mean of that many consecutive frames: the coarse shape of the movement in few numbers.
 */
export interface RawSpec {
  readonly kind: 'raw';
  readonly version: 1;
  /** Indices into `InputSpec.channels`. */
  readonly channels: readonly number[];
  readonly params: {
    readonly scale: number;
    /** Consecutive frames averaged into one feature, at least 1 (default) and at most the window. */
    readonly average?: number;
  };
}

/** Statistics per channel. */
export interface FlattenSpec {
  readonly kind: 'flatten';
  readonly version: 1;
  readonly channels: readonly number[];
  readonly params: {
    readonly scale: number;
    readonly average: boolean;
    readonly minimum: boolean;
    readonly maximum: boolean;
    readonly rms: boolean;
    readonly stdev: boolean;
    readonly skewness: boolean;
    readonly kurtosis: boolean;
  };
}

/** Spectral (FFT) analysis, compatible with Edge Impulse's spectral block version 4. */
export interface SpectralSpec {
  readonly kind: 'spectral';
  readonly version: 4;
  readonly channels: readonly number[];
  readonly params: {
    readonly scale: number;
    readonly decimation: 1 | 3 | 10 | 30 | 100 | 1000;
    readonly filter: FilterType;
    /** Cut-off in Hz. */
    readonly cutoffHz: number;
    /** Even, 2..8; 0 filters no samples but still masks bins. */
    readonly order: number;
    /** Power of two, 16..4096. */
    readonly fftLength: number;
    readonly log: boolean;
    readonly overlap: boolean;
    readonly improveLowFrequency: boolean;
  };
}

export type BlockSpec = RawSpec | FlattenSpec | SpectralSpec;
export type BlockKind = BlockSpec['kind'];

/** Opcodes as written into the pack and understood by the C runtime. Never renumber. */
export const BLOCK_OPCODE: Readonly<Record<BlockKind, number>> = { raw: 1, flatten: 2, spectral: 3 };

/**
 * A block bound to an input: the data the C fragment needs and nothing else.
 *
 * Every C fragment has the same signature:
 * ```c
 * void mote_<kind>(const float *window, int32_t frames, int32_t channels,
 *                  const uint8_t *axes, int32_t axis_count,
 *                  const int32_t *ints, const float *floats, float *scratch, float *features);
 * ```
 * with `window[frame * channels + channel]`, `axes` = `channels` below.
 */
export interface CompiledBlock {
  readonly kind: BlockKind;
  readonly version: number;
  readonly opcode: number;
  /** Channel indices, each 0..255. */
  readonly channels: Uint8Array;
  /** Integer parameters; the layout is documented beside each block. */
  readonly ints: Int32Array;
  /** Float32 constants: twiddles, filter sections, scales. */
  readonly floats: Float32Array;
  /** Length of the feature vector. */
  readonly featureCount: number;
  /** Number of float32 of scratch memory that a run needs. */
  readonly scratchFloats: number;
}

/**
 * Why a block cannot be built on an input. `code` says which parameter to change; `message` says it to people.
 */
export type DspErrorCode =
  | 'no-channels'
  | 'channel-out-of-range'
  | 'fft-length'
  | 'filter-order'
  | 'filter-cutoff'
  | 'filter-unstable'
  | 'no-bins'
  | 'window-too-short'
  | 'window-too-long'
  | 'bad-scale'
  | 'bad-block';

export class DspError extends Error {
  override readonly name = 'DspError';
  constructor(
    readonly code: DspErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
