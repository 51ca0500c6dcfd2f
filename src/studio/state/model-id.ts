/**
 * Which of the studio's models a board means by an id. Most boards name a model by its pack; an Uno keeps none, and names
 * the pack that its image was made of, which is not the one that the studio makes of the image (docs/uno.md).
 */
import type { StudioModel } from './models.svelte';

type Named = { readonly packId: number; readonly record: Pick<StudioModel['record'], 'imageId'> };

/** Whether a board that reports this id runs this model. */
export function isModel({ packId, record }: Named, id: number): boolean {
  return packId === id || record.imageId === id;
}

/** The model that a board means by this id; the one of that very pack rather than one made of its image. */
export function findModel<M extends Named>(models: readonly M[], id: number): M | undefined {
  return models.find(({ packId }) => packId === id) ?? models.find((model) => isModel(model, id));
}
