/** What the studio makes of an Uno's flash: its own model, an unknown one, a damaged one, none. */
import { expect, test } from 'vitest';
import { BoardError, type BoardIdentity } from '../../src/board/board';
import { packId, readPack, writePack } from '../../src/emit/pack';
import { unoImage, type UnoMemory } from '../../src/emit/uno-image';
import type { Board } from '../../src/studio/state/boards.svelte';
import { keepsImage, ReadBack } from '../../src/studio/state/read-back.svelte';
import { compareReadBack } from '../../src/studio/stations/deploy/compare';
import { FLATTEN, unoModel } from '../fixtures/uno-model';

const MEMORY: UnoMemory = {
  pageBytes: 128,
  modelStart: 27_136,
  modelEnd: 32_256,
  modelEndOldNano: 30_720,
  workBytes: 800,
  channels: 3,
  rateMinHz: 4,
  rateMaxHz: 250,
};
const model = unoModel({ seed: 1, windowMs: 1000, blocks: [FLATTEN], hidden: 16 });
const pack = writePack(model);
const id = packId(pack);
const own = { id: 'm', packId: id, pack };

/** Gives these bytes as what the boot loader read. */
function unoWith(flash: Uint8Array) {
  const calls: string[] = [];
  const identity = {
    firmware: 'Mote Uno 0.1.0',
    channels: ['A0', 'A1', 'A2'].map((name) => ({ name, unit: 'V' })),
  } as unknown as BoardIdentity;
  const board = {
    name: 'Arduino Uno',
    identity,
    session: {
      program: () => {
        calls.push('program');
        return Promise.resolve(flash);
      },
      readModel: () => Promise.reject(new Error('the pack is not there')),
    },
    connect: () => {
      calls.push('connect');
      return Promise.resolve(true);
    },
  } as unknown as Board;
  return { board, calls };
}

async function read(flash: Uint8Array, models: readonly (typeof own)[]) {
  const { board, calls } = unoWith(flash);
  const readBack = new ReadBack(
    () => Promise.resolve(MEMORY),
    () => models,
  );
  await readBack.start(board, null);
  return { readBack, calls };
}

test.each([MEMORY.modelEnd, MEMORY.modelEndOldNano])(
  'its own model is recognized byte for byte, up to %s',
  async (end) => {
    const { readBack, calls } = await read(unoImage(model, id, MEMORY, end), [own]);
    expect(readBack.phase).toBe('done');
    expect(readBack.result).toMatchObject({ source: 'pack', modelId: id });
    expect(readBack.result?.pack).toEqual(pack);
    const known = own as unknown as Parameters<typeof compareReadBack>[1][number];
    if (!readBack.result) throw new Error('nothing was read');
    expect(compareReadBack(readBack.result, [known], known)).toMatchObject({ verdict: 'identical', current: true });
    expect(calls).toEqual(['program', 'connect']);
  },
);

test('a model of somebody else is rebuilt; one with the same id and other bytes is not taken for its own', async () => {
  for (const models of [[], [own]]) {
    const other = unoModel({ seed: 2, windowMs: 1000, blocks: [FLATTEN], hidden: 12 });
    const { readBack } = await read(unoImage(other, id, MEMORY), models);
    expect(readBack.result).toMatchObject({ source: 'image', modelId: id });
    const rebuilt = readPack(readBack.result?.pack ?? new Uint8Array(0));
    expect(rebuilt.labels).toEqual(other.labels);
    expect(readBack.result?.header).toContain('gestures');
  }
});

test('damaged flash and no model are told by name, and the board is connected again', async () => {
  const damaged = unoImage(model, id, MEMORY);
  damaged[300] = (damaged[300] ?? 0) ^ 1;
  for (const [flash, code] of [
    [damaged, 'slot-corrupt'],
    [new Uint8Array(0), 'no-model'],
  ] as const) {
    const { readBack, calls } = await read(flash, [own]);
    expect(readBack.phase).toBe('failed');
    expect(readBack.error).toBeInstanceOf(BoardError);
    expect(readBack.error).toMatchObject({ code });
    expect(calls).toEqual(['program', 'connect']);
  }
});

test('only the ready-made Uno firmware keeps an image', () => {
  expect(keepsImage({ firmware: 'Mote Uno 0.1.0' })).toBe(true);
  for (const firmware of ['0.1.0', '', 'Mote Unobtainium']) expect(keepsImage({ firmware })).toBe(false);
  expect(keepsImage(null)).toBe(false);
});
