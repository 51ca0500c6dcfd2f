/** Is the model that came back from a board one of the studio's own, byte for byte? */
import { emitHeader } from '../../../emit/header';
import { readPack } from '../../../emit/pack';
import { findModel, isModel } from '../../state/model-id';
import type { StudioModel } from '../../state/models.svelte';
import { computesLike, type ReadBackResult } from '../../state/read-back.svelte';

export type Comparison =
  | { readonly verdict: 'identical'; readonly model: StudioModel; readonly current: boolean }
  /** The pack, with its receipt, of a model that was made here of an Uno's image. */
  | { readonly verdict: 'original'; readonly model: StudioModel }
  /** Same id, other bytes: a CRC collision or a forgery. */
  | { readonly verdict: 'different'; readonly model: StudioModel }
  | { readonly verdict: 'unknown' };

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Compares pack and regenerated header with the current model and then with all others. */
export function compareReadBack(
  read: Pick<ReadBackResult, 'source' | 'pack' | 'modelId' | 'header'>,
  models: readonly StudioModel[],
  current: StudioModel | null,
): Comparison {
  const candidates = [current, ...models].filter((model) => model !== null).filter((m) => isModel(m, read.modelId));
  const twin = candidates.find((model) => sameBytes(model.pack, read.pack) && emitHeader(model.pack) === read.header);
  if (twin) return { verdict: 'identical', model: twin, current: twin.id === current?.id };
  const other = findModel(candidates, read.modelId);
  if (!other) return { verdict: 'unknown' };
  const original =
    read.source === 'pack' && other.packId !== read.modelId && computesLike(other.pack, readPack(read.pack));
  return { verdict: original ? 'original' : 'different', model: other };
}
