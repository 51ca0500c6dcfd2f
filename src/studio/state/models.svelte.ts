/** Trained models: the current one is what Test, Deploy and Live work with. */
import { packId } from '../../emit/pack';
import type { TrainReport } from '../../learn/pipeline';
import type { StoredModel, StudioStore } from '../../store/studio-store';

const CURRENT_SETTING = 'currentModel';

/** What the studio keeps beside a pack. */
export interface ModelRecord {
  /** What is not known of a model made elsewhere is empty; its pipeline is null when the board kept no receipt. */
  readonly report: Omit<TrainReport, 'pipeline'> & { readonly pipeline: TrainReport['pipeline'] | null };
  /** `Recordings.key` and `Project.key` at training time: tell whether the model is stale. */
  readonly dataKey: string;
  readonly pipelineKey: string;
  /** Ids of the recordings that took part in training or early stopping; absent in models made elsewhere. */
  readonly learnedFrom?: readonly string[];
  /** The network before quantization, as `.tflite`; absent in models made elsewhere and by older versions. */
  readonly floatTflite?: Uint8Array;
  /** True for a model that was not trained here (read from a board): it cannot fall behind what is upstream. */
  readonly madeElsewhere?: boolean;
  /**
   * The id, 0..2^32-1, that an Uno reports for the image this model was made of: the pack made here has another
   * (model-id.ts). Absent in all other models.
   */
  readonly imageId?: number;
}

export interface StudioModel {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly pack: Uint8Array;
  /** CRC-32 of the pack, as boards name models. */
  readonly packId: number;
  readonly record: ModelRecord;
}

function isRecord(value: unknown): value is ModelRecord {
  return (
    typeof value === 'object' && value !== null && 'report' in value && 'dataKey' in value && 'pipelineKey' in value
  );
}

export class Models {
  list = $state.raw<readonly StudioModel[]>([]);
  #currentId = $state<string | null>(null);

  readonly current = $derived<StudioModel | null>(
    this.list.find((model) => model.id === this.#currentId) ?? this.list[0] ?? null,
  );

  constructor(private readonly store: StudioStore) {}

  async refresh(): Promise<void> {
    const stored = await this.store.listModels();
    this.list = stored.flatMap((model) => {
      if (!isRecord(model.report)) return [];
      return [{ ...model, packId: packId(model.pack), record: model.report }];
    });
    this.#currentId = (await this.store.getSetting<string>(CURRENT_SETTING)) ?? this.#currentId;
  }

  async add(model: Omit<StoredModel, 'report'> & { readonly record: ModelRecord }): Promise<void> {
    const { record, ...rest } = model;
    await this.store.putModel({ ...rest, report: $state.snapshot(record) });
    await this.select(model.id);
    await this.refresh();
  }

  /** Adds a model without changing which one is current, unless there was none. */
  async keep(model: Omit<StoredModel, 'report'> & { readonly record: ModelRecord }): Promise<void> {
    const current = this.current;
    await this.add(model);
    if (current) await this.select(current.id);
  }

  async select(id: string): Promise<void> {
    this.#currentId = id;
    await this.store.putSetting(CURRENT_SETTING, id);
  }

  async rename(model: StudioModel, name: string): Promise<void> {
    await this.#put({ ...model, name });
  }

  /** Puts a deleted model back. */
  async restore(model: StudioModel): Promise<void> {
    await this.#put(model);
  }

  async #put({ id, name, createdAt, pack, record }: StudioModel): Promise<void> {
    await this.store.putModel({ id, name, createdAt, pack, report: $state.snapshot(record) });
    await this.refresh();
  }

  async remove(id: string): Promise<void> {
    await this.store.deleteModel(id);
    await this.refresh();
  }
}
