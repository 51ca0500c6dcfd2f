import { describe, expect, it } from 'vitest';
import type { BoardSlot } from '../../../board/board';
import { FAKE_IDENTITY } from '../../../../tests/fixtures/fake-board';
import type { ModelRecord } from '../../state/models.svelte';
import { introductionOf } from './introduction';

const model = { id: 0xa1b2c3d4, name: 'gestures', labels: [], packBytes: 10 };
const slot = (change: Partial<BoardSlot>): BoardSlot => ({
  index: 0,
  capacityBytes: 100,
  state: 'valid',
  active: true,
  model,
  ...change,
});
const board = (slots: readonly BoardSlot[], verified: [number, number][] = []) => ({
  identity: { ...FAKE_IDENTITY, slots },
  verifiedAt: Object.fromEntries(verified),
});
const known = { packId: model.id, name: 'gestures-3', createdAt: 22, record: {} as ModelRecord };

describe('a board introduces itself', () => {
  it('with a model trained here, proved or not', () => {
    expect(introductionOf(board([slot({})], [[model.id, 33]]), [known])).toEqual({
      kind: 'here',
      name: 'gestures-3',
      id: 'a1b2c3',
      at: 22,
      verifiedAt: 33,
      slot: 0,
      corrupt: 0,
    });
    expect(introductionOf(board([slot({})]), [known])?.verifiedAt).toBeNull();
  });

  it('with a model kept here, a model of somebody else, and none', () => {
    const received = { ...known, record: { madeElsewhere: true } as ModelRecord };
    expect(introductionOf(board([slot({})]), [received])?.kind).toBe('received');
    expect(introductionOf(board([slot({})]), [])).toMatchObject({ kind: 'unknown', name: 'gestures' });
    expect(introductionOf(board([slot({})]), [], [model.id])?.kind).toBe('shipped');
    const corrupt = slot({ index: 1, state: 'corrupt', active: false, model: null });
    const empty = slot({ state: 'empty', active: false, model: null });
    expect(introductionOf(board([empty, corrupt]), [known])).toMatchObject({ kind: 'none', corrupt: 1, slot: null });
  });

  it('not at all without slots', () => expect(introductionOf(board([]), [known])).toBeNull());
});
