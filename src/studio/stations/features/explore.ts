/** All labelled windows as points of a flat picture. */
import { strideFrames, windowFrames, type BlockSpec, type InputSpec } from '../../../dsp/block';
import { createExtractor } from '../../../dsp/compile';
import { fitScaler, scaleFeatures } from '../../../learn/scaler';
import type { Recording } from '../../../signal/recording';
import { cutWindows, readWindow } from '../../../signal/window';
import { fitRecording } from '../../../worker/fit-recording';
import { canFit, windowCount } from '../../state/fitting';
import { principalComponents, project } from './principal-components';

export interface ExploredWindow {
  readonly recording: Recording;
  /** First frame. */
  readonly start: number;
  readonly label: string;
  readonly x: number;
  readonly y: number;
}

export interface Exploration {
  readonly windows: readonly ExploredWindow[];
  /** Windows that there are; `windows` holds an even choice of them. */
  readonly total: number;
  /** Shares of the variance along x and y. */
  readonly explained: readonly [number, number];
  /** Recordings without the channels of the input. */
  readonly skipped: number;
}

export interface ExploreOptions {
  readonly load: (id: string) => Promise<Float32Array>;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
  /** Milliseconds clock. */
  readonly now: () => number;
  /** Lets the page draw and take clicks. */
  readonly breathe: () => Promise<void>;
}

/** More points than this hide each other and slow the page. */
export const MOST_WINDOWS = 1500;
/** The page breathes at least this often. */
const BREATH_MS = 12;
export const LEAST_WINDOWS = 3;

/**
 * Returns null when there are too few windows. Throws DspError when the blocks do not fit, and the signal's reason
 * when it is aborted.
 */
export async function explore(
  recordings: readonly Recording[],
  blocks: readonly BlockSpec[],
  input: InputSpec,
  { load, onProgress, signal, now, breathe }: ExploreOptions,
): Promise<Exploration | null> {
  let last = now();
  const pause = async () => {
    signal.throwIfAborted();
    if (now() - last < BREATH_MS) return;
    await breathe();
    signal.throwIfAborted();
    last = now();
  };
  const extractor = createExtractor(blocks, input);
  const frames = windowFrames(input);
  const fitting = recordings.filter((recording) => canFit(recording, input));
  const expected = fitting.reduce((sum, recording) => sum + windowCount(recording, input), 0);
  const step = Math.max(1, expected / MOST_WINDOWS);
  const width = extractor.featureCount;
  const windows: { readonly recording: Recording; readonly start: number; readonly label: string }[] = [];
  const vectors: Float32Array[] = [];
  let total = 0;
  for (const recording of fitting) {
    const fitted = fitRecording({ recording, samples: await load(recording.id) }, input);
    for (const { start, label } of cutWindows(fitted, { frames, stride: strideFrames(input) }).windows) {
      total++;
      onProgress(Math.min(total, expected), expected);
      // An even choice: the first window of every step.
      if (Math.floor((total - 1) / step) < windows.length) continue;
      windows.push({ recording, start, label });
      vectors.push(extractor.run(readWindow(fitted.samples, input.channels.length, start, frames)).slice());
      await pause();
    }
    await pause();
  }
  const count = windows.length;
  if (count < LEAST_WINDOWS) return null;
  const features = new Float32Array(count * width);
  vectors.forEach((vector, index) => features.set(vector, index * width));
  const rows = scaleFeatures(features, count, fitScaler(features, count, width));
  const { axes, explained } = await principalComponents(rows, count, width, { pause });
  const x = project(rows, count, axes[0]);
  const y = project(rows, count, axes[1]);
  return {
    windows: windows.map((window, index) => ({ ...window, x: x[index] ?? 0, y: y[index] ?? 0 })),
    total,
    explained,
    skipped: recordings.length - fitting.length,
  };
}
