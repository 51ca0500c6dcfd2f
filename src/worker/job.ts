/**
 * The training job: recordings and a pipeline in, a pack and a report out. The same function runs in the browser's
 * worker and on the command line.
 */
import type { EpochFigures, Pipeline, TrainReport, TrainStage } from '../learn/pipeline';
import type { LoadedRecording } from '../signal/recording';

export interface TrainInputs {
  readonly recordings: readonly LoadedRecording[];
  /** Recordings that are only for testing; when given, `recordings` are all for training. */
  readonly testRecordings?: readonly LoadedRecording[];
  readonly pipeline: Pipeline;
  readonly seed: number;
  readonly prefix: string;
  /** Written into the receipt. */
  readonly app: string;
  /** ISO day for the receipt, or "" (reproducible builds). */
  readonly trainedOn: string;
}

export type TrainProgress =
  | { readonly stage: Exclude<TrainStage, 'train'>; readonly done: number; readonly total: number }
  | { readonly stage: 'train'; readonly figures: EpochFigures };

export interface TrainOutputs {
  readonly pack: Uint8Array;
  readonly header: string;
  /**
   * The network before quantization as `.tflite`, for comparison: it takes the features as the int8 network does, scaled,
   * as float numbers.
   */
  readonly floatTflite: Uint8Array;
  readonly report: TrainReport;
}

export type TrainJob = (
  inputs: TrainInputs,
  options: {
    readonly onProgress: (progress: TrainProgress) => void;
    readonly signal: AbortSignal;
    /** Milliseconds clock, for the timings in the report. */
    readonly now: () => number;
    /** Folder or URL prefix, ending in "/", of the tfjs wasm binaries. */
    readonly wasmPath: string;
  },
) => Promise<TrainOutputs>;
