/** The recordings that the store holds, as the stations see them. The store is the truth; this mirrors it. */
import type { LoadedRecording, Recording, SplitChoice } from '../../signal/recording';
import { labelsOf, splitRecordings } from '../../signal/split';
import type { StoreUsage, StudioStore } from '../../store/studio-store';

/** Sample arrays kept for drawing, in values: 8 M float32 are 32 MB. */
const CACHE_VALUES = 8_000_000;

export interface LabelStatistics {
  readonly label: string;
  readonly recordings: number;
  readonly seconds: number;
  /** Recordings to learn from (those held back for early stopping among them) and recordings to test with. */
  readonly train: number;
  readonly test: number;
}

/** Where a recording ends up once `auto` is decided. */
export type Side = 'train' | 'validation' | 'test' | 'unused';

export function secondsOf(recording: Recording): number {
  return recording.rateHz > 0 ? recording.frames / recording.rateHz : 0;
}

/** 64-bit FNV-1a in two halves, as hex: tells "the same or not", nothing more. */
export function fingerprint(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ (code + i), 0x85ebca6b);
  }
  return (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0');
}

export class Recordings {
  all = $state.raw<readonly Recording[]>([]);
  trashed = $state.raw<readonly Recording[]>([]);
  /** Left by a crash or a closed tab: offered back. */
  unfinished = $state.raw<readonly Recording[]>([]);
  usage = $state.raw<StoreUsage | null>(null);
  loaded = $state(false);

  /** All labels in use, sorted: the order of colours and of the model's outputs. */
  readonly labels = $derived([...new Set(this.all.flatMap(labelsOf))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));

  readonly #split = $derived(splitRecordings(this.all));
  readonly #sides = $derived(
    new Map<string, Side>([
      ...this.#split.train.map((recording) => [recording.id, 'train'] as const),
      ...this.#split.validation.map((recording) => [recording.id, 'validation'] as const),
      ...this.#split.test.map((recording) => [recording.id, 'test'] as const),
    ]),
  );

  readonly statistics = $derived.by<readonly LabelStatistics[]>(() =>
    this.labels.map((label) => {
      const having = this.all.filter((recording) => labelsOf(recording).includes(label));
      const test = having.filter((recording) => this.sideOf(recording.id) === 'test').length;
      return {
        label,
        recordings: having.length,
        seconds: having.reduce((sum, recording) => sum + secondsOf(recording), 0),
        train: having.length - test,
        test,
      };
    }),
  );

  /** Changes when anything changes that a trained model depends on. */
  readonly key = $derived(
    fingerprint(
      this.all
        .filter((recording) => labelsOf(recording).length > 0)
        .map((recording) =>
          JSON.stringify([
            recording.id,
            recording.frames,
            recording.label,
            recording.segments.map((segment) => [segment.label, segment.start, segment.end]),
            this.sideOf(recording.id),
          ]),
        )
        .sort()
        .join('\n'),
    ),
  );

  readonly #cache = new Map<string, Float32Array>();
  #cachedValues = 0;

  constructor(readonly store: StudioStore) {}

  sideOf(id: string): Side {
    return this.#sides.get(id) ?? 'unused';
  }

  /** Plain sentences on what the split cannot give: too few recordings, nothing held out. */
  get splitWarnings(): readonly string[] {
    return this.#split.warnings;
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
    // A recording that another tab is making now is unfinished too; the store leaves those out.
    this.unfinished = unfinished;
    this.loaded = true;
    await this.refreshUsage();
  }

  async refreshUsage(): Promise<void> {
    this.usage = await this.store.usage();
  }

  colorIndex(label: string): number {
    return Math.max(0, this.labels.indexOf(label));
  }

  /** Samples of one recording; recently used ones come from memory. */
  async samples(id: string): Promise<Float32Array> {
    const cached = this.#cache.get(id);
    if (cached) {
      this.#cache.delete(id);
      this.#cache.set(id, cached);
      return cached;
    }
    const samples = await this.store.loadSamples(id);
    this.#cache.set(id, samples);
    this.#cachedValues += samples.length;
    for (const [oldId, old] of this.#cache) {
      if (this.#cachedValues <= CACHE_VALUES || oldId === id) break;
      this.#cache.delete(oldId);
      this.#cachedValues -= old.length;
    }
    return samples;
  }

  async load(recordings: readonly Recording[]): Promise<LoadedRecording[]> {
    const loaded: LoadedRecording[] = [];
    for (const recording of recordings) loaded.push({ recording, samples: await this.samples(recording.id) });
    return loaded;
  }

  /** Adds whole recordings one by one; tells how many are in after each. */
  async addAll(
    recordings: readonly LoadedRecording[],
    options: { readonly onProgress?: (done: number, total: number) => void; readonly signal?: AbortSignal } = {},
  ): Promise<number> {
    let done = 0;
    try {
      for (const loaded of recordings) {
        if (options.signal?.aborted) break;
        await this.store.addRecording(loaded);
        options.onProgress?.(++done, recordings.length);
      }
    } finally {
      await this.refresh();
    }
    return done;
  }

  async relabel(ids: readonly string[], label: string | null): Promise<void> {
    await this.#change(ids, { label, segments: [] });
  }

  async setSplit(ids: readonly string[], split: SplitChoice): Promise<void> {
    await this.#change(ids, { split });
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#change([id], { name });
  }

  async trash(ids: readonly string[]): Promise<void> {
    await this.store.trash(ids);
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

  async #change(ids: readonly string[], changes: Parameters<StudioStore['updateRecording']>[1]): Promise<void> {
    const changed = new Map<string, Recording>();
    try {
      for (const id of ids) changed.set(id, await this.store.updateRecording(id, changes));
    } finally {
      this.all = this.all.map((recording) => changed.get(recording.id) ?? recording);
    }
  }
}
