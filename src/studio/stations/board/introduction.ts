/** What a connected board says of itself: "gestures-3 (a1b2c3), trained here on 22 Nov, verified". */
import type { Board } from '../../state/boards.svelte';
import { findModel } from '../../state/model-id';
import type { StudioModel } from '../../state/models.svelte';

/** Digits of the model's id that people are shown: enough to tell a few hundred models apart. */
const ID_DIGITS = 6;

export interface Introduction {
  /** `here`: trained in this studio. `received`: kept here, made elsewhere. `shipped`: comes with the studio. `unknown`: never seen. `none`: no model. */
  readonly kind: 'here' | 'received' | 'shipped' | 'unknown' | 'none';
  readonly name: string;
  readonly id: string;
  /** When the studio got the model, ms since the epoch; 0 for models that it does not have. */
  readonly at: number;
  /** When its self-test passed on this very board, or null. */
  readonly verifiedAt: number | null;
  /** The running slot; null without a model. */
  readonly slot: number | null;
  readonly corrupt: number;
}

/** Null for boards without slots and boards that have not told who they are. */
export function introductionOf(
  board: Pick<Board, 'identity' | 'verifiedAt'>,
  models: readonly Pick<StudioModel, 'packId' | 'name' | 'createdAt' | 'record'>[],
  shipped: readonly number[] = [],
): Introduction | null {
  const slots = board.identity?.slots ?? [];
  if (slots.length === 0) return null;
  const corrupt = slots.filter((slot) => slot.state === 'corrupt').length;
  const active = slots.find((slot) => slot.active && slot.state === 'valid');
  const model = active?.model;
  if (!active || !model) return { kind: 'none', name: '', id: '', at: 0, verifiedAt: null, slot: null, corrupt };
  const known = findModel(models, model.id);
  return {
    kind: known
      ? known.record.madeElsewhere
        ? 'received'
        : 'here'
      : shipped.includes(model.id)
        ? 'shipped'
        : 'unknown',
    name: known?.name ?? model.name,
    id: (model.id >>> 0).toString(16).padStart(8, '0').slice(0, ID_DIGITS),
    at: known?.createdAt ?? 0,
    verifiedAt: board.verifiedAt[model.id] ?? null,
    slot: active.index,
    corrupt,
  };
}
