/** One `.tflite` file at a time, compiled in the worker: what came out, or why nothing did. */
import type { BlockSpec } from '../../dsp/block';
import { windowFrames } from '../../dsp/block';
import type { Target } from '../../emit/target';
import { LearnError } from '../../learn/pipeline';
import { fitScaler, scaleFeatures } from '../../learn/scaler';
import type { CalibrationMethod } from '../../quantize/calibration';
import { labelsOf, splitRecordings } from '../../signal/split';
import type { CalibrationSource, CompileInputs, CompileOutputs, CompileProgress } from '../../worker/compile-job';
import type { StudioServices } from '../services';
import type { Project } from './project.svelte';
import type { Recordings } from './recordings.svelte';

/** Larger files are no microcontroller models. */
export const MAX_TFLITE_BYTES = 16 * 1024 * 1024;
/** As many calibration inputs fit into the memory of a tab, and into the patience of a person. */
export const MAX_CALIBRATION_BYTES = 64 * 1024 * 1024;

/**
 * What calibrates: a file, or the windows of the project's recordings for training, as
 * - `scaled`: features as networks of the studio take them, each with mean 0 and deviation 1 over these windows.
 * - `features`: features as the blocks give them.
 * - `samples`: the readings of the window, frame by frame.
 */
export const CALIBRATION_SOURCES = ['file', 'scaled', 'features', 'samples'] as const;
export type CalibrationFrom = (typeof CALIBRATION_SOURCES)[number];

export type Arithmetic = 'float' | 'int8' | 'int16';

type Quantizing = Pick<CompileInputs, 'calibration' | 'quantization' | 'allowFloat'>;

export class Compilation {
  phase = $state<'idle' | 'running' | 'failed' | 'done'>('idle');
  fileName = $state('');
  target = $state<Target>('generic');
  result = $state.raw<CompileOutputs | null>(null);
  error = $state.raw<Error | null>(null);
  /** Of the quantization; null while there is nothing to count. */
  progress = $state.raw<CompileProgress | null>(null);

  /** Numbers that one input of the open model has; null unless the model is float and can be quantized. */
  floatInputs = $state<number | null>(null);
  arithmetic = $state<Arithmetic>('float');
  from = $state<CalibrationFrom>('file');
  calibrationFile = $state.raw<File | null>(null);
  ranges = $state<CalibrationMethod>('min-max');
  equalize = $state(true);
  biasCorrection = $state(true);
  allowFloat = $state(true);

  #bytes: Uint8Array | null = null;
  /** What the result was made with. */
  #quantizing: Quantizing = {};
  #abort: AbortController | null = null;

  /** Numbers that one window of the project gives; null without recordings, or with blocks that do not fit. */
  readonly windowSizes = $derived.by<Readonly<Record<Exclude<CalibrationFrom, 'file'>, number>> | null>(() => {
    const pipeline = this.project.pipeline;
    const features = this.featureCount();
    if (!pipeline || features === null) return null;
    const samples = windowFrames(pipeline.input) * pipeline.input.channels.length;
    return { scaled: features, features, samples };
  });

  /** Whether everything is chosen that the arithmetic needs. */
  readonly ready = $derived(
    this.arithmetic === 'float' || (this.from === 'file' ? this.calibrationFile !== null : this.fits(this.from)),
  );

  constructor(
    private readonly services: StudioServices,
    private readonly recordings: Recordings,
    private readonly project: Project,
    /** Length of the project's feature vector, or null. */
    private readonly featureCount: () => number | null,
  ) {}

  get running(): boolean {
    return this.phase === 'running';
  }

  /** Whether a source gives inputs of the model's size. */
  fits(from: CalibrationFrom): boolean {
    return from === 'file' || (this.floatInputs !== null && this.windowSizes?.[from] === this.floatInputs);
  }

  /** Compiles a file as it is; the last one is forgotten. */
  async open(file: File): Promise<void> {
    this.#abort?.abort();
    this.fileName = file.name;
    this.result = null;
    this.floatInputs = null;
    this.calibrationFile = null;
    this.arithmetic = 'float';
    this.#bytes = null;
    this.#quantizing = {};
    if (file.size > MAX_TFLITE_BYTES) {
      this.error = new RangeError('too large');
      this.phase = 'failed';
      return;
    }
    this.phase = 'running';
    try {
      this.#bytes = new Uint8Array(await file.arrayBuffer());
    } catch (error) {
      this.error = error instanceof Error ? error : new Error(String(error));
      this.phase = 'failed';
      return;
    }
    await this.#compile(() => Promise.resolve({}));
    const result = this.result as CompileOutputs | null;
    if (result?.importedKind === 'float') {
      this.floatInputs = result.inputShape.reduce((product, size) => product * size, 1);
      this.from = CALIBRATION_SOURCES.find((from) => from !== 'file' && this.fits(from)) ?? 'file';
    }
  }

  /** Compiles the file that is open for another core. */
  async retarget(target: Target): Promise<void> {
    this.target = target;
    if (this.#bytes) await this.#compile(() => Promise.resolve(this.#quantizing));
  }

  /** Compiles the float model that is open in the chosen arithmetic. */
  async quantize(): Promise<void> {
    if (!this.#bytes || !this.ready) return;
    await this.#compile(async (signal) => {
      if (this.arithmetic === 'float') return {};
      const int8 = this.arithmetic === 'int8';
      return {
        calibration: await this.#calibration(signal),
        quantization: {
          calibration: { method: this.ranges },
          equalize: this.equalize ? 'auto' : false,
          biasCorrection: int8 && this.biasCorrection,
          activations: this.arithmetic,
        },
        allowFloat: int8 && this.allowFloat,
      };
    });
  }

  cancel(): void {
    this.#abort?.abort();
  }

  async #calibration(signal: AbortSignal): Promise<CalibrationSource> {
    if (this.from === 'file') {
      const file = this.calibrationFile as File;
      if (file.size > MAX_CALIBRATION_BYTES) {
        throw new LearnError('no-data', `${file.name} is larger than 64 MB. A few hundred inputs are enough.`);
      }
      return { bytes: new Uint8Array(await file.arrayBuffer()), fileName: file.name };
    }
    const pipeline = this.project.pipeline;
    if (!pipeline) throw new LearnError('no-data', 'There are no labelled recordings to calibrate with.');
    const { input, training } = pipeline;
    const labelled = this.recordings.all.filter((recording) => labelsOf(recording).length > 0);
    // What is held out for testing must not shape the network.
    const { train, validation } = splitRecordings(labelled, { validationShare: training.validationShare });
    const table = await this.services.trainer.extractFeatures(
      {
        recordings: await this.recordings.load([...train, ...validation]),
        input,
        blocks: this.from === 'samples' ? [samplesOf(input.channels.length)] : pipeline.blocks,
      },
      { signal },
    );
    if (table.count === 0) {
      throw new LearnError('no-windows', 'The recordings for training have no labelled window to calibrate with.');
    }
    if (this.from !== 'scaled') return table.features;
    const scaler = fitScaler(table.features, table.count, table.featureCount);
    return scaleFeatures(table.features, table.count, scaler);
  }

  /** Compiles what is open with what `prepare` gives. */
  async #compile(prepare: (signal: AbortSignal) => Promise<Quantizing>): Promise<void> {
    if (!this.#bytes) return;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.phase = 'running';
    this.error = null;
    this.progress = null;
    try {
      const quantizing = await prepare(abort.signal);
      const result = await this.services.trainer.compile(
        { bytes: this.#bytes, fileName: this.fileName, target: this.target, ...quantizing },
        {
          signal: abort.signal,
          onProgress: (progress) => {
            if (this.#abort === abort) this.progress = progress;
          },
        },
      );
      if (this.#abort !== abort) return;
      this.#quantizing = quantizing;
      this.result = result;
      this.phase = 'done';
    } catch (error) {
      if (this.#abort !== abort) return;
      if (abort.signal.aborted) {
        this.phase = this.result ? 'done' : 'idle';
        return;
      }
      this.error = error instanceof Error ? error : new Error(String(error));
      this.phase = 'failed';
    }
  }
}

/** The block that gives the readings as they are. */
function samplesOf(channels: number): BlockSpec {
  return {
    kind: 'raw',
    version: 1,
    channels: Array.from({ length: channels }, (_, index) => index),
    params: { scale: 1 },
  };
}
