/** The project: the pipeline that turns recordings into a model, and what the model is called. Kept as settings. */
import type { BlockSpec } from '../../dsp/block';
import { defaultPipeline } from '../../learn/default-pipeline';
import type { Pipeline } from '../../learn/pipeline';
import type { Recording } from '../../signal/recording';
import { labelsOf } from '../../signal/split';
import type { SettingStore } from '../../store/studio-store';
import { fingerprint } from './dataset';

export const DEFAULT_PREFIX = 'gestures';

const SETTING = 'project';
/** Typing in a field must not write at every key. */
const SAVE_DELAY_MS = 400;

interface SavedProject {
  readonly pipeline: Pipeline | null;
  readonly prefix: string;
  readonly seed: number;
}

/** Settings are plain data; in which order their keys were set says nothing. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a, sorted) === JSON.stringify(b, sorted);
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export class Project {
  /** What the person chose; null follows the data. */
  chosen = $state.raw<Pipeline | null>(null);
  /** C identifier prefix and file name of the model. */
  prefix = $state(DEFAULT_PREFIX);
  seed = $state(1);

  /** The pipeline in use: the chosen one, or the default for the recordings at hand; null without labelled ones. */
  readonly pipeline = $derived.by<Pipeline | null>(() => this.chosen ?? this.#suggested);

  readonly #suggested = $derived.by<Pipeline | null>(() => {
    const recordings = this.#recordings();
    return recordings.some((recording) => labelsOf(recording).length > 0) ? defaultPipeline(recordings) : null;
  });

  /** Whether `resetFeatures` would change something. */
  readonly featuresChosen = $derived.by(
    () =>
      this.chosen !== null &&
      this.#suggested !== null &&
      !same([this.chosen.input, this.chosen.blocks], [this.#suggested.input, this.#suggested.blocks]),
  );

  /** Whether `resetTraining` would change something. */
  readonly trainingChosen = $derived.by(
    () =>
      this.chosen !== null &&
      this.#suggested !== null &&
      !same([this.chosen.training, this.chosen.smoothing], [this.#suggested.training, this.#suggested.smoothing]),
  );

  /** Changes when any setting changes that a trained model depends on. */
  readonly key = $derived(fingerprint(JSON.stringify([this.pipeline, this.prefix, this.seed])));

  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #recordings: () => readonly Recording[];

  constructor(
    private readonly store: SettingStore,
    recordings: () => readonly Recording[],
  ) {
    this.#recordings = recordings;
  }

  async open(): Promise<void> {
    const saved = await this.store.getSetting<SavedProject>(SETTING);
    if (!saved) return;
    this.chosen = saved.pipeline;
    this.prefix = saved.prefix;
    this.seed = saved.seed;
  }

  /** Replaces parts of the pipeline; the rest stays as it is. */
  change(changes: Partial<Omit<Pipeline, 'version'>>): void {
    const current = this.pipeline;
    if (!current) return;
    this.chosen = { ...current, ...changes };
    this.#saveSoon();
  }

  setBlocks(blocks: readonly BlockSpec[]): void {
    this.change({ blocks });
  }

  setName(prefix: string, seed: number): void {
    this.prefix = prefix;
    this.seed = seed;
    this.#saveSoon();
  }

  /** Window and blocks as suggested for the recordings at hand; the rest stays. What is returned undoes it. */
  resetFeatures(): () => void {
    const { input, blocks } = this.#suggested ?? {};
    return this.#replace({ ...(input ? { input } : {}), ...(blocks ? { blocks } : {}) });
  }

  /** Training and decisions as suggested; the rest stays. What is returned undoes it. */
  resetTraining(): () => void {
    const { training, smoothing } = this.#suggested ?? {};
    return this.#replace({ ...(training ? { training } : {}), ...(smoothing ? { smoothing } : {}) });
  }

  #replace(changes: Partial<Omit<Pipeline, 'version'>>): () => void {
    const before = this.chosen;
    this.change(changes);
    // Nothing of it was chosen any more: follow the data again.
    if (same(this.chosen, this.#suggested)) this.chosen = null;
    return () => {
      this.chosen = before;
      this.#saveSoon();
    };
  }

  #saveSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), SAVE_DELAY_MS);
  }

  async save(): Promise<void> {
    clearTimeout(this.#timer);
    const saved: SavedProject = {
      pipeline: this.chosen,
      prefix: this.prefix,
      seed: this.seed,
    };
    await this.store.putSetting(SETTING, saved);
  }
}
