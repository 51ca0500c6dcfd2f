/**
 * What data is. A recording is a stretch of multi-channel samples taken at a constant nominal rate.
 * Raw samples are never rewritten: labels, crops and splits are views described by metadata.
 */

/** One sensor axis. `unit` is SenML style ("m/s2", "deg/s", "g") or "" when unknown. */
export interface Channel {
  readonly name: string;
  readonly unit: string;
}

/** A labelled stretch of a recording; `start` and `end` are frame indices, **end inclusive**. */
export interface Segment {
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

/** Which side of the train/test split a recording is on. `auto` is decided by the hash of its id. */
export type SplitChoice = 'auto' | 'train' | 'test';

/** Where samples came from. */
export type RecordingSource =
  | {
      readonly kind: 'board';
      readonly boardName: string;
      readonly firmware: string;
      readonly dialect: string;
      readonly appVersion: string;
    }
  | { readonly kind: 'file'; readonly fileName: string; readonly format: string }
  | { readonly kind: 'generated'; readonly generator: string; readonly seed: number };

/** How trustworthy the samples are. Counts are frames; jitter is the RMS deviation of arrival or board time, ms. */
export interface RecordingQuality {
  /** Frames known to be lost (sequence gaps). */
  readonly lostFrames: number;
  /** Number of places where frames are missing. */
  readonly gaps: number;
  /** RMS timing jitter in milliseconds, or null when the source has no timing. */
  readonly jitterMs: number | null;
  /** Lines or frames that could not be read. */
  readonly malformed: number;
}

/** Everything known of a recording but its samples. Plain data: survives JSON and structured clone. */
export interface Recording {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Groups recordings of one sitting (one board, one person); the split may keep it together. */
  readonly sessionId: string;
  readonly channels: readonly Channel[];
  /** Nominal rate in Hz. */
  readonly rateHz: number;
  /** Rate measured by regression on timestamps, Hz, or null. */
  readonly measuredRateHz: number | null;
  /** Number of frames (one frame = one sample of every channel). */
  readonly frames: number;
  /** The label of the whole recording, or null when it is unlabelled or has segments. */
  readonly label: string | null;
  readonly segments: readonly Segment[];
  readonly split: SplitChoice;
  readonly source: RecordingSource;
  readonly quality: RecordingQuality;
}

/** A recording with its samples: `samples[frame * channels.length + channel]`, float32. */
export interface LoadedRecording {
  readonly recording: Recording;
  readonly samples: Float32Array;
}

/** Perfect quality: what a file import starts with. */
export const PRISTINE: RecordingQuality = { lostFrames: 0, gaps: 0, jitterMs: null, malformed: 0 };
