/** What a stored model's pack holds. */
import type { Model } from '../../emit/model';
import { readPack } from '../../emit/pack';
import type { StudioModel } from './models.svelte';

/** Null without a model, and for a pack that cannot be read: those who list its files, or evaluate it, say why. */
export function contentsOf(model: Pick<StudioModel, 'pack'> | null): Model | null {
  if (!model) return null;
  try {
    return readPack(model.pack);
  } catch {
    return null;
  }
}
