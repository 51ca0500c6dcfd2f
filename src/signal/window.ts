/** Windows: where they lie in a recording, and what is in them. */
import type { LoadedRecording, Recording } from './recording';

/** One labelled window: frames `start .. start + frames - 1` of its recording. */
export interface LabelledWindow {
  readonly start: number;
  readonly label: string;
}

export interface CutWindows {
  readonly windows: readonly LabelledWindow[];
  /** The recording is shorter than one window, so that nothing could be cut. */
  readonly tooShort: boolean;
  /** Windows not cut because the recording has neither label nor segments. */
  readonly unlabelled: number;
  /** Labelled segments shorter than one window. */
  readonly shortSegments: number;
}

export interface WindowOptions {
  /** Frames per window, at least 1. */
  readonly frames: number;
  /** Frames from one window's start to the next, at least 1. */
  readonly stride: number;
}

/** How many windows of `frames` frames, `stride` apart, fit into `available` frames. */
export function countWindows(available: number, { frames, stride }: WindowOptions): number {
  return available < frames ? 0 : Math.floor((available - frames) / stride) + 1;
}

/**
 * Cuts a recording into windows. With segments, every segment is cut by itself, from its first frame on, so that a
 * window always lies wholly within one segment and never mixes two labels; frames outside segments are left out.
 * A recording without segments is cut from frame 0 on and every window has its label. Frames that do not fill a last
 * window are left out.
 */
export function cutWindows(loaded: LoadedRecording | Recording, options: WindowOptions): CutWindows {
  const { frames, stride } = options;
  if (!Number.isInteger(frames) || frames < 1) throw new RangeError(`A window of ${frames} frames: at least 1, whole.`);
  if (!Number.isInteger(stride) || stride < 1) throw new RangeError(`A stride of ${stride} frames: at least 1, whole.`);
  const recording = 'recording' in loaded ? loaded.recording : loaded;
  const windows: LabelledWindow[] = [];
  const tooShort = recording.frames < frames;
  let unlabelled = 0;
  let shortSegments = 0;
  if (recording.segments.length > 0) {
    for (const { label, start, end } of recording.segments) {
      const first = Math.max(0, start);
      const available = Math.min(end, recording.frames - 1) - first + 1;
      const count = countWindows(available, options);
      if (count === 0) shortSegments++;
      for (let i = 0; i < count; i++) windows.push({ start: first + i * stride, label });
    }
  } else {
    const count = countWindows(recording.frames, options);
    if (recording.label === null) unlabelled = count;
    else for (let i = 0; i < count; i++) windows.push({ start: i * stride, label: recording.label });
  }
  return { windows, tooShort, unlabelled, shortSegments };
}

/** A copy of `frames` frames from frame `start` on: `frames * channels` values, frame-major. */
export function readWindow(samples: Float32Array, channels: number, start: number, frames: number): Float32Array {
  const from = start * channels;
  const to = from + frames * channels;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > samples.length) {
    throw new RangeError(`Frames ${start}..${start + frames - 1} are outside the recording.`);
  }
  return samples.slice(from, to);
}
