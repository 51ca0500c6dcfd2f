/**
 * A pipeline: pure JSON with a version. A pipeline plus a dataset hash plus a seed reproduces the same model,
 * byte for byte.
 */
import type { BlockSpec, InputSpec } from '../dsp/block';

export interface DenseLayerSpec {
  readonly kind: 'dense';
  readonly units: number;
  readonly activation: 'relu' | 'none';
}

export interface DropoutLayerSpec {
  readonly kind: 'dropout';
  /** 0..0.9. */
  readonly rate: number;
}

export type LayerSpec = DenseLayerSpec | DropoutLayerSpec;

/** Hidden layers; the output layer (one unit per label, softmax) is implied. */
export interface NetworkSpec {
  readonly layers: readonly LayerSpec[];
}

export interface TrainingSpec {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** Share of the training recordings held back for early stopping, 0..0.5. */
  readonly validationShare: number;
  /** Epochs without a better validation loss before stopping; the best weights are restored. */
  readonly patience: number;
  /** Weigh classes by inverse frequency. */
  readonly balanceClasses: boolean;
  /**
   * Share of the target probability spread over all labels while learning, 0..0.5 (default 0): keeps logits small, so
   * that scores are not all or nothing and int8 resolves them. The figures are of the plain cross-entropy.
   */
  readonly labelSmoothing?: number;
}

export interface SmoothingSpec {
  readonly windows: number;
  readonly threshold: number;
}

export interface Pipeline {
  readonly version: 1;
  readonly input: InputSpec;
  readonly blocks: readonly BlockSpec[];
  readonly network: NetworkSpec;
  readonly training: TrainingSpec;
  readonly smoothing: SmoothingSpec;
}

/** One epoch's figures. Losses are mean cross-entropy, accuracies 0..1; validation is null when nothing is held back. */
export interface EpochFigures {
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss: number | null;
  readonly validationAccuracy: number | null;
  readonly milliseconds: number;
}

/** Row = true label, column = predicted label, in label order; entries are windows. */
export type ConfusionMatrix = readonly (readonly number[])[];

export interface SplitCounts {
  readonly recordings: number;
  readonly windows: number;
}

/** The stages of a training job, in order, as shown to the user and timed in the report. */
export type TrainStage = 'load' | 'features' | 'train' | 'quantize' | 'test' | 'emit';

export interface LayerFigures {
  readonly name: string;
  readonly kind: string;
  /** Signal to quantization noise, decibels; null when there is no noise or no signal. */
  readonly sqnr_db: number | null;
  /** Largest difference, in real values. */
  readonly max_error: number;
  /** Share of values (0..1) that int8 cannot hold. */
  readonly clipped: number;
}

/** The result of a training job: what `report.json` holds. */
export interface TrainReport {
  readonly labels: readonly string[];
  readonly seed: number;
  readonly dataset_hash: string;
  readonly recordings: { readonly train: number; readonly validation: number; readonly test: number };
  readonly windows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly windows_per_label: { readonly train: readonly number[]; readonly test: readonly number[] };
  /** Held-out accuracy per window, 0..1; null when nothing could be held out. */
  readonly accuracy: { readonly float: number | null; readonly int8: number | null };
  readonly confusion: { readonly float: ConfusionMatrix; readonly int8: ConfusionMatrix };
  readonly epochs_run: number;
  readonly best_epoch: number;
  readonly history: readonly EpochFigures[];
  /** Bytes. */
  readonly ram: number;
  readonly flash_weights: number;
  readonly pack_bytes: number;
  readonly seconds: Readonly<Partial<Record<TrainStage, number>>>;
  /** How far the int8 network is from the float one, layer by layer; absent in reports of older versions. */
  readonly quantization?: {
    readonly windows: number;
    /** The windows were not trained on. */
    readonly held_out: boolean;
    /** Share of windows (0..1) with the same answer. */
    readonly agreement: number;
    readonly layers: readonly LayerFigures[];
  };
  /** Plain sentences the user must read: too few recordings, unbalanced labels, nothing held out, ... */
  readonly warnings: readonly string[];
  readonly pipeline: Pipeline;
}

export type LearnErrorCode =
  | 'no-data'
  | 'one-label'
  | 'no-windows'
  | 'bad-pipeline'
  | 'channel-mismatch'
  | 'rate-mismatch'
  | 'diverged'
  | 'backend'
  | 'cancelled';

export class LearnError extends Error {
  override readonly name = 'LearnError';
  constructor(
    readonly code: LearnErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
