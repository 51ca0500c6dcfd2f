import { describe, expect, it } from 'vitest';
import type { BoardSlot } from '../../../board/board';
import { packRamAtLeast } from '../../../board/deploy';
import { smallModel } from '../../../../tests/fixtures/small-model';
import { writePack } from '../../../emit/pack';
import { boardRamBytes, fitOf } from './fit';

const model = smallModel(1);
const pack = writePack(model);
const slot = (index: number, active: boolean, capacityBytes = pack.length): BoardSlot => ({
  index,
  active,
  capacityBytes,
  state: active ? 'valid' : 'empty',
  model: null,
});
const board = {
  modelRamBytes: boardRamBytes(model),
  slots: [slot(0, true), slot(1, false)],
  channels: model.input.channels,
  rateHz: model.input.rateHz,
};

describe('fit of a model on a board', () => {
  it('fits to the last byte', () => {
    expect(fitOf(model, pack.length, board)).toEqual({
      ram: { needBytes: board.modelRamBytes, haveBytes: board.modelRamBytes, fits: true },
      slot: { index: 1, needBytes: pack.length, haveBytes: pack.length, fits: true },
      channels: 'same',
      sameRate: true,
      fits: true,
    });
  });

  it('asks for no less RAM than a deploy does', () => {
    expect(boardRamBytes(model)).toBeGreaterThanOrEqual(packRamAtLeast(pack));
  });

  it('is refused by one byte of RAM or slot', () => {
    expect(fitOf(model, pack.length, { ...board, modelRamBytes: board.modelRamBytes - 1 }).fits).toBe(false);
    const tight = { ...board, slots: [slot(0, true), slot(1, false, pack.length - 1)] };
    expect(fitOf(model, pack.length, tight)).toMatchObject({ fits: false, slot: { fits: false } });
  });

  it('never counts the running slot as room', () => {
    const { slot: room, fits } = fitOf(model, pack.length, { ...board, slots: [slot(0, true)] });
    expect(room).toEqual({ index: null, needBytes: pack.length, haveBytes: null, fits: false });
    expect(fits).toBe(false);
  });

  it('does not guess what the board does not tell', () => {
    expect(fitOf(model, pack.length, { ...board, modelRamBytes: null }).ram).toEqual({
      needBytes: boardRamBytes(model),
      haveBytes: null,
      fits: true,
    });
  });

  it('tells other channels and rates apart', () => {
    const channels = model.input.channels;
    const fewer = fitOf(model, pack.length, { ...board, channels: channels.slice(1) });
    expect(fewer).toMatchObject({ channels: 'other-count', fits: false });
    const inG = channels.map((channel) => ({ ...channel, unit: 'g' }));
    expect(fitOf(model, pack.length, { ...board, channels: inG })).toMatchObject({ channels: 'renamed', fits: true });
    const untold = channels.map(({ name }) => ({ name, unit: '' }));
    expect(fitOf(model, pack.length, { ...board, channels: untold }).channels).toBe('same');
    expect(fitOf(model, pack.length, { ...board, rateHz: board.rateHz * 1.01 }).sameRate).toBe(true);
    expect(fitOf(model, pack.length, { ...board, rateHz: board.rateHz * 1.05 }).sameRate).toBe(false);
  });
});
