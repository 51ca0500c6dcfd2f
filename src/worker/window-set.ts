/** Labelled windows of a set of recordings, with the features of each: what is trained and tested on. */
import { strideFrames, windowFrames, type InputSpec } from '../dsp/block';
import type { Extractor } from '../dsp/compile';
import type { LoadedRecording } from '../signal/recording';
import { cutWindows, readWindow } from '../signal/window';
import type { Breather } from './pause';

export interface WindowSource {
  /** Index into the list of recordings. */
  readonly recording: number;
  /** First frame, in the recording as it was fitted to the input. */
  readonly start: number;
}

export interface WindowSet {
  readonly sources: readonly WindowSource[];
  /** `features[window * featureCount + feature]`. */
  readonly features: Float32Array;
  readonly featureCount: number;
  /** Index into `labels` of each window. */
  readonly labels: Int32Array;
  readonly count: number;
  /** Recordings that gave at least one window. */
  readonly recordings: number;
  /** Recordings, or labelled stretches of them, that are shorter than a window. */
  readonly tooShort: number;
  /** Windows left out because their label is not among `labels`. */
  readonly unknownLabel: number;
}

/** Where the labelled windows of recordings lie; recordings must fit the input already. */
export function findWindows(
  recordings: readonly LoadedRecording[],
  input: InputSpec,
): { readonly windows: readonly (WindowSource & { readonly label: string })[]; readonly tooShort: number } {
  const options = { frames: windowFrames(input), stride: strideFrames(input) };
  let tooShort = 0;
  const windows = recordings.flatMap(({ recording }, index) => {
    const cut = cutWindows(recording, options);
    tooShort += cut.tooShort ? 1 : cut.shortSegments;
    return cut.windows.map(({ start, label }) => ({ recording: index, start, label }));
  });
  return { windows, tooShort };
}

/** Cuts and extracts; `onWindow` is called after each window. Windows with other labels are counted and left out. */
export async function extractWindows(
  recordings: readonly LoadedRecording[],
  input: InputSpec,
  extractor: Extractor,
  labels: readonly string[],
  breather: Breather,
  onWindow: () => void,
): Promise<WindowSet> {
  const found = findWindows(recordings, input);
  const indexOf = new Map(labels.map((label, index) => [label, index]));
  const known = found.windows.filter(({ label }) => indexOf.has(label));
  const { featureCount } = extractor;
  const features = new Float32Array(known.length * featureCount);
  for (const [at, source] of known.entries()) {
    features.set(extractor.run(readSource(recordings, source, input)), at * featureCount);
    onWindow();
    await breather.breathe();
  }
  return {
    sources: known.map(({ recording, start }) => ({ recording, start })),
    features,
    featureCount,
    labels: Int32Array.from(known, ({ label }) => indexOf.get(label) as number),
    count: known.length,
    recordings: new Set(known.map(({ recording }) => recording)).size,
    tooShort: found.tooShort,
    unknownLabel: found.windows.length - known.length,
  };
}

/** The raw samples of a window: `window[frame * channels + channel]`. */
export function readSource(
  recordings: readonly LoadedRecording[],
  { recording, start }: WindowSource,
  input: InputSpec,
): Float32Array {
  const { samples } = recordings[recording] as LoadedRecording;
  return readWindow(samples, input.channels.length, start, windowFrames(input));
}

/** At most `most` items, evenly spread over all of them. */
export function thinOut<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)] as T);
}
