/** Is the model that came back from a board one of the studio's own, byte for byte? */
import { emitHeader } from '../../../emit/header';
import type { StudioModel } from '../../state/models.svelte';

export type Comparison =
  | { readonly verdict: 'identical'; readonly model: StudioModel; readonly current: boolean }
  /** Same id, other bytes: a CRC collision or a forgery. */
  | { readonly verdict: 'different'; readonly model: StudioModel }
  | { readonly verdict: 'unknown' };

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Compares pack and regenerated header with the current model and then with all others. */
export function compareReadBack(
  read: { readonly pack: Uint8Array; readonly modelId: number; readonly header: string },
  models: readonly StudioModel[],
  current: StudioModel | null,
): Comparison {
  const candidates = [current, ...models].filter((model) => model?.packId === read.modelId).filter((m) => m !== null);
  const twin = candidates.find((model) => sameBytes(model.pack, read.pack) && emitHeader(model.pack) === read.header);
  if (twin) return { verdict: 'identical', model: twin, current: twin.id === current?.id };
  const [other] = candidates;
  return other ? { verdict: 'different', model: other } : { verdict: 'unknown' };
}
