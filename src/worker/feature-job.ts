/** Features of recordings for looking at: charts and tables of the Features station. */
import { windowFrames, type BlockSpec, type InputSpec } from '../dsp/block';
import { createExtractor } from '../dsp/compile';
import { LearnError } from '../learn/pipeline';
import type { LoadedRecording } from '../signal/recording';
import { fitRecording } from './fit-recording';
import { Breather } from './pause';
import { findWindows, readSource, thinOut } from './window-set';

/** A chart shows no more than this; windows are thinned out evenly. */
export const MAX_FEATURE_WINDOWS = 5000;

export interface FeatureInputs {
  readonly recordings: readonly LoadedRecording[];
  readonly input: InputSpec;
  readonly blocks: readonly BlockSpec[];
}

export interface FeatureTable {
  /** `features[window * featureCount + feature]`. */
  readonly features: Float32Array;
  readonly count: number;
  readonly featureCount: number;
  /** One name per feature. */
  readonly names: readonly string[];
  /** Label of each window. */
  readonly labels: readonly string[];
  /** Recording of each window, and where in it the window starts. */
  readonly windows: readonly { readonly recordingId: string; readonly startMs: number }[];
  /** Windows that the recordings hold; more than `count` when they were thinned out. */
  readonly available: number;
  /** Recordings that cannot be used, with the reason for people. */
  readonly problems: readonly { readonly recordingId: string; readonly message: string }[];
}

export interface JobOptions {
  readonly signal: AbortSignal;
  /** Milliseconds clock. */
  readonly now: () => number;
}

/** Features of every labelled window. Throws DspError when a block cannot work on the input. */
export async function extractFeatures(
  { recordings, input, blocks }: FeatureInputs,
  { signal, now }: JobOptions,
): Promise<FeatureTable> {
  const extractor = createExtractor(blocks, input);
  const breather = new Breather(now, () => throwIfCancelled(signal));
  const fitted: LoadedRecording[] = [];
  const problems: { recordingId: string; message: string }[] = [];
  for (const loaded of recordings) {
    try {
      fitted.push(fitRecording(loaded, input));
    } catch (error) {
      problems.push({ recordingId: loaded.recording.id, message: messageOf(error) });
    }
    await breather.breathe();
  }
  const found = findWindows(fitted, input).windows;
  const windows = thinOut(found, MAX_FEATURE_WINDOWS);
  const { featureCount } = extractor;
  const features = new Float32Array(windows.length * featureCount);
  for (const [at, source] of windows.entries()) {
    features.set(extractor.run(readSource(fitted, source, input)), at * featureCount);
    await breather.breathe();
  }
  return {
    features,
    count: windows.length,
    featureCount,
    names: extractor.featureNames,
    labels: windows.map(({ label }) => label),
    windows: windows.map(({ recording, start }) => ({
      recordingId: (fitted[recording] as LoadedRecording).recording.id,
      startMs: (start * 1000) / input.rateHz,
    })),
    available: found.length,
    problems,
  };
}

/** Features of one window that starts at `startMs` (moved back when it would end beyond the recording). */
export function extractWindowFeatures(
  loaded: LoadedRecording,
  startMs: number,
  input: InputSpec,
  blocks: readonly BlockSpec[],
): { readonly features: Float32Array; readonly names: readonly string[]; readonly window: Float32Array } {
  const extractor = createExtractor(blocks, input);
  const fitted = fitRecording(loaded, input);
  const last = fitted.recording.frames - windowFrames(input);
  if (last < 0) {
    throw new LearnError(
      'no-windows',
      `“${loaded.recording.name}” is shorter than one window (${input.windowMs} ms). Choose a shorter window.`,
    );
  }
  const start = Math.max(0, Math.min(last, Math.round((startMs * input.rateHz) / 1000)));
  const window = readSource([fitted], { recording: 0, start }, input);
  return { features: extractor.run(window).slice(), names: extractor.featureNames, window };
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new LearnError('cancelled', 'This was cancelled.', { cause: signal.reason });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
