/**
 * What the studio needs from the other rooms, as one injected object: the state classes know these signatures only,
 * so tests pass fakes and stations never build a link, a store or a worker themselves.
 */
import type { BoardSession } from '../board/board';
import type { BlockSpec, InputSpec } from '../dsp/block';
import type { Pipeline } from '../learn/pipeline';
import type { LoadedRecording } from '../signal/recording';
import type { StudioStore } from '../store/studio-store';
import type { TrainInputs, TrainOutputs, TrainProgress } from '../worker/job';

/** How this browser reaches a USB board. */
export type SerialSupport = 'web-serial' | 'webusb' | 'none';

export interface ImportProblem {
  readonly fileName: string;
  /** What is wrong and what to do, for people. */
  readonly message: string;
}

export interface ImportOutcome {
  readonly recordings: readonly LoadedRecording[];
  readonly problems: readonly ImportProblem[];
}

/** A file with the folder path it was dropped with ("wave/01.csv"). */
export interface ImportFile {
  readonly path: string;
  readonly file: File;
}

/** One answer of the browser's own runner. */
export interface RunnerResult {
  /** int8 scores in label order: probability = (score + 128) / 256. */
  readonly scores: Int8Array;
  readonly best: number;
  /** CRC-32 of the quantized features. */
  readonly featureCrc: number;
}

/** A model running on a stream in the browser. */
export interface StreamRunner {
  readonly labels: readonly string[];
  readonly channels: number;
  readonly windowFrames: number;
  readonly strideFrames: number;
  /** Takes one frame (one value per channel); answers when a window is complete. */
  push(frame: Float32Array): RunnerResult | null;
  reset(): void;
}

export interface StudioServices {
  readonly serialSupport: SerialSupport;
  openStore(): Promise<StudioStore>;
  /** The C firmware in a worker; `pack` is flashed before it boots. */
  virtualBoard(): Promise<BoardSession>;
  replayBoard(loaded: LoadedRecording): Promise<BoardSession>;
  /** Opens the browser's port chooser. Needs a click. Rejects with LinkError `chooser-cancelled`. */
  chooseBoard(): Promise<BoardSession>;
  /** Boards that the person allowed before and that are plugged in. */
  rememberedBoards(): Promise<BoardSession[]>;
  /** Reads files of any known format. Files that fail are reported, never thrown. */
  importFiles(
    files: readonly ImportFile[],
    options: {
      readonly onProgress: (done: number, total: number) => void;
      readonly signal: AbortSignal;
    },
  ): Promise<ImportOutcome>;
  exportCsv(loaded: LoadedRecording): string;
  /** Recordings of the motion generator's gestures: a data set for the first visit. */
  generateExamples(options: {
    readonly perLabel: number;
    readonly seconds: number;
    readonly seed: number;
  }): LoadedRecording[];
  defaultPipeline(input: InputSpec): Pipeline;
  /** Length of the feature vector. Throws DspError when a block does not fit the input. */
  featureCount(blocks: readonly BlockSpec[], input: InputSpec): number;
  /** Runs the training job in the worker. */
  train(
    inputs: TrainInputs,
    options: { readonly onProgress: (progress: TrainProgress) => void; readonly signal: AbortSignal },
  ): Promise<TrainOutputs>;
  /** Identity of a pack: its CRC-32, as boards name models. */
  packId(pack: Uint8Array): number;
  createRunner(pack: Uint8Array): StreamRunner;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly randomId: () => string;
}
