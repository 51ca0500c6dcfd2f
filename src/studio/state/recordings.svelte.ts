/** The recordings that the store holds, as the stations see them. The store is the truth; this mirrors it. */
import type { LoadedRecording, Recording, SplitChoice } from '../../signal/recording';
import { splitRecordings } from '../../signal/split';
import { StoreError, type RecordingChanges, type StoreUsage, type StudioStore } from '../../store/studio-store';
import { datasetKey, sidesOf, sortedLabels, statisticsOf, type LabelStatistics, type Side } from './dataset';
import { SampleCache } from './sample-cache';

export type { LabelStatistics, Side } from './dataset';
export { secondsOf } from './dataset';

export interface AddOutcome {
  readonly added: number;
  /** Already there: the same file imported twice. */
  readonly known: number;
}

export class Recordings {
  all = $state.raw<readonly Recording[]>([]);
  trashed = $state.raw<readonly Recording[]>([]);
  /** Left by a crash or a closed tab: offered back. */
  unfinished = $state.raw<readonly Recording[]>([]);
  usage = $state.raw<StoreUsage | null>(null);
  loaded = $state(false);

  /** All labels in use, sorted: the order of colours and of the model's outputs. */
  readonly labels: readonly string[] = $derived(sortedLabels(this.all));
  readonly #split = $derived(splitRecordings(this.all));
  readonly #sides = $derived(sidesOf(this.#split));
  readonly statistics: readonly LabelStatistics[] = $derived(statisticsOf(this.all, this.labels, this.#sides));
  /** Changes when anything changes that a trained model depends on. */
  readonly key: string = $derived(datasetKey(this.all, this.#sides));
  /** Plain sentences on what the split cannot give: too few recordings, nothing held out. */
  readonly splitWarnings: readonly string[] = $derived(this.#split.warnings);

  readonly #cache = new SampleCache();

  constructor(readonly store: StudioStore) {}

  /** On which side a recording falls, with `auto` decided. */
  sideOf(id: string): Side {
    return this.#sides.get(id) ?? 'unused';
  }

  /** Index of a label's data colour. */
  colorIndex(label: string): number {
    return Math.max(0, this.labels.indexOf(label));
  }

  /** Reads everything anew: at start, and when another tab changed the database. */
  async refresh(): Promise<void> {
    const [all, trashed, unfinished] = await Promise.all([
      this.store.listRecordings(),
      this.store.listTrash(),
      this.store.listUnfinished(),
    ]);
    this.all = all;
    this.trashed = trashed;
    this.unfinished = unfinished;
    this.loaded = true;
    await this.refreshUsage();
  }

  async refreshUsage(): Promise<void> {
    this.usage = await this.store.usage();
  }

  /** Samples of one recording; recently used ones come from memory. */
  async samples(id: string): Promise<Float32Array> {
    const cached = this.#cache.get(id);
    if (cached) return cached;
    const samples = await this.store.loadSamples(id);
    this.#cache.put(id, samples);
    return samples;
  }

  async load(recordings: readonly Recording[]): Promise<LoadedRecording[]> {
    const loaded: LoadedRecording[] = [];
    for (const recording of recordings) loaded.push({ recording, samples: await this.samples(recording.id) });
    return loaded;
  }

  /** Adds whole recordings one by one; tells how many are done after each. Those already there are skipped. */
  async addAll(
    recordings: readonly LoadedRecording[],
    options: { readonly onProgress?: (done: number, total: number) => void; readonly signal?: AbortSignal } = {},
  ): Promise<AddOutcome> {
    let added = 0;
    let known = 0;
    try {
      for (const loaded of recordings) {
        if (options.signal?.aborted) break;
        try {
          await this.store.addRecording(loaded);
          this.#cache.delete(loaded.recording.id);
          added++;
        } catch (error) {
          if (!(error instanceof StoreError && error.code === 'exists')) throw error;
          known++;
        }
        options.onProgress?.(added + known, recordings.length);
      }
    } finally {
      await this.refresh();
    }
    return { added, known };
  }

  /** Labels whole recordings; labelled segments inside them would have the last word, so they go. */
  async relabel(ids: readonly string[], label: string | null): Promise<void> {
    await this.#change(ids, { label, segments: [] });
  }

  async setSplit(ids: readonly string[], split: SplitChoice): Promise<void> {
    await this.#change(ids, { split });
  }

  /** Undoes `relabel` and `setSplit`: labels, segments and splits as `before` has them. */
  async putBack(before: readonly Recording[]): Promise<void> {
    for (const { id, label, segments, split } of before) await this.#change([id], { label, segments, split });
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#change([id], { name });
  }

  async trash(ids: readonly string[]): Promise<void> {
    await this.store.trash(ids);
    await this.refresh();
  }

  /** Without the trash, for a disk on which nothing more can be kept. */
  async deleteForever(ids: readonly string[]): Promise<void> {
    await this.store.deleteForever(ids);
    await this.refresh();
  }

  async restore(ids: readonly string[]): Promise<void> {
    await this.store.restore(ids);
    await this.refresh();
  }

  async emptyTrash(): Promise<void> {
    await this.store.emptyTrash();
    await this.refresh();
  }

  async recover(id: string): Promise<Recording> {
    const recording = await this.store.recover(id);
    await this.refresh();
    return recording;
  }

  async discardUnfinished(id: string): Promise<void> {
    await this.store.discardUnfinished(id);
    await this.refresh();
  }

  async #change(ids: readonly string[], changes: RecordingChanges): Promise<void> {
    const changed: Record<string, Recording> = {};
    try {
      for (const id of ids) changed[id] = await this.store.updateRecording(id, changes);
    } finally {
      this.all = this.all.map((recording) => changed[recording.id] ?? recording);
    }
  }
}
