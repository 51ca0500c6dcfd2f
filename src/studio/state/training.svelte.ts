/** One training run at a time: progress while it runs, the model when it is done. */
import type { EpochFigures, TrainStage } from '../../learn/pipeline';
import { LearnError } from '../../learn/pipeline';
import { labelsOf, splitRecordings } from '../../signal/split';
import { isoTime } from '../messages/format';
import type { StudioServices } from '../services';
import type { Models } from './models.svelte';
import type { Project } from './project.svelte';
import type { Recordings } from './recordings.svelte';

export type TrainingPhase = 'idle' | 'running' | 'failed' | 'done';

export class Training {
  phase = $state<TrainingPhase>('idle');
  stage = $state<TrainStage>('load');
  /** Of the current stage; epochs during `train`. */
  done = $state(0);
  total = $state(0);
  history = $state.raw<readonly EpochFigures[]>([]);
  error = $state.raw<Error | null>(null);
  #abort: AbortController | null = null;

  constructor(
    private readonly services: StudioServices,
    private readonly recordings: Recordings,
    private readonly project: Project,
    private readonly models: Models,
  ) {}

  get running(): boolean {
    return this.phase === 'running';
  }

  async start(): Promise<void> {
    const pipeline = this.project.pipeline;
    if (this.running || !pipeline) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.phase = 'running';
    this.stage = 'load';
    this.done = 0;
    this.total = 0;
    this.history = [];
    this.error = null;
    const dataKey = this.recordings.key;
    const pipelineKey = this.project.key;
    const prefix = this.project.prefix;
    try {
      const labelled = this.recordings.all.filter((recording) => labelsOf(recording).length > 0);
      const { train, validation } = splitRecordings(labelled, {
        validationShare: pipeline.training.validationShare,
      });
      const learnedFrom = [...train, ...validation].map((recording) => recording.id);
      const outputs = await this.services.trainer.train(
        {
          recordings: await this.recordings.load(labelled),
          pipeline,
          seed: this.project.seed,
          prefix,
          app: `Mote ${__APP_VERSION__}`,
          trainedOn: isoTime(this.services.now()).slice(0, 10),
        },
        {
          signal: abort.signal,
          onProgress: (progress) => {
            this.stage = progress.stage;
            if (progress.stage === 'train') {
              this.history = [...this.history, progress.figures];
              this.done = progress.figures.epoch;
              this.total = progress.figures.epochs;
            } else {
              this.done = progress.done;
              this.total = progress.total;
            }
          },
        },
      );
      await this.models.add({
        id: this.services.randomId(),
        name: prefix,
        createdAt: this.services.now(),
        pack: outputs.pack,
        record: {
          report: outputs.report,
          dataKey,
          pipelineKey,
          learnedFrom,
          floatTflite: outputs.floatTflite,
        },
      });
      this.phase = 'done';
    } catch (error) {
      const cancelled = abort.signal.aborted || (error instanceof LearnError && error.code === 'cancelled');
      this.phase = cancelled ? 'idle' : 'failed';
      this.error = cancelled ? null : (error as Error);
    } finally {
      this.#abort = null;
    }
  }

  cancel(): void {
    this.#abort?.abort();
  }
}
