/** What the studio makes of an Uno's flash: its own model, an unknown one that it keeps, a damaged one, none. */
import { expect, test } from 'vitest';
import { BoardError, type BoardIdentity } from '../../src/board/board';
import { packId, readPack, writePack } from '../../src/emit/pack';
import { createRunner } from '../../src/emit/run-model';
import { selfTestWindow } from '../../src/emit/self-test';
import { unoImage } from '../../src/emit/uno-image';
import type { Board } from '../../src/studio/state/boards.svelte';
import { keepsImage, ReadBack } from '../../src/studio/state/read-back.svelte';
import type { ModelRecord, StudioModel } from '../../src/studio/state/models.svelte';
import { introductionOf } from '../../src/studio/stations/board/introduction';
import { compareReadBack } from '../../src/studio/stations/deploy/compare';
import { recordOfReceived } from '../../src/studio/stations/deploy/received-model';
import { LiveModel } from '../../src/studio/stations/live/live-model.svelte';
import { FLATTEN, UNO_MEMORY, unoModel } from '../fixtures/uno-model';

const MEMORY = UNO_MEMORY;
const model = unoModel({ seed: 1, windowMs: 1000, blocks: [FLATTEN], hidden: 16 });
const pack = writePack(model);
const id = packId(pack);
const own: StudioModel = { id: 'm', name: 'mine', createdAt: 1, packId: id, pack, record: {} as ModelRecord };

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

async function read(flash: Uint8Array, models: readonly StudioModel[]) {
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
    if (!readBack.result) throw new Error('nothing was read');
    expect(compareReadBack(readBack.result, [own], own)).toMatchObject({ verdict: 'identical', current: true });
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

/** What "Keep it" makes of an image that nobody here knows. */
async function keptFrom(flash: Uint8Array): Promise<StudioModel> {
  const { result } = (await read(flash, [])).readBack;
  if (result?.source !== 'image') throw new Error('no unknown image was read');
  const { model: rebuilt, pack: made, modelId } = result;
  const record = recordOfReceived(rebuilt, 'read from a board', modelId);
  return { id: 'k', name: 'kept', createdAt: 2, packId: packId(made), pack: made, record };
}

test('a kept model is known by the id that the board reports, and by that of its own pack', async () => {
  const kept = await keptFrom(unoImage(model, id, MEMORY));
  expect(kept.packId).not.toBe(id);
  for (const named of [id, kept.packId]) {
    const identity = {
      slots: [{ index: 0, capacityBytes: 5000, state: 'valid', active: true, model: { id: named, name: 'gestures' } }],
    } as unknown as BoardIdentity;
    expect(introductionOf({ identity, verifiedAt: {} }, [own, kept].slice(1))).toMatchObject({
      kind: 'received',
      name: 'kept',
      at: 2,
    });
    // The very pack comes first.
    expect(introductionOf({ identity, verifiedAt: {} }, [kept, own])?.name).toBe(named === id ? 'mine' : 'kept');
  }
});

test.each([
  ['with the boot loader of an Uno', MEMORY.modelEnd, MEMORY.modelEnd],
  // The older loader leaves room for fewer known answers, so the images are not the same.
  ['on an old Nano', MEMORY.modelEnd, MEMORY.modelEndOldNano],
  ['on an Uno, kept from an old Nano', MEMORY.modelEndOldNano, MEMORY.modelEnd],
])('a kept model is recognized when it is read again, %s', async (_, first, second) => {
  const big = unoModel({ seed: 3, windowMs: 1000, blocks: [FLATTEN], hidden: 80 });
  expect(unoImage(big, id, MEMORY)).not.toEqual(unoImage(big, id, MEMORY, MEMORY.modelEndOldNano));
  const kept = await keptFrom(unoImage(big, id, MEMORY, first));
  const { result } = (await read(unoImage(big, id, MEMORY, second), [kept])).readBack;
  expect(result).toMatchObject({ source: 'image', modelId: id });
  if (!result) throw new Error('nothing was read');
  expect(compareReadBack(result, [kept], null)).toEqual({ verdict: 'identical', model: kept, current: false });
  // Flashed anew it is a model like any other: the board then names its pack.
  const again = (await read(unoImage(readPack(kept.pack), kept.packId, MEMORY, second), [kept])).readBack.result;
  expect(again).toMatchObject({ source: 'pack', modelId: kept.packId });
  expect(again?.pack).toEqual(kept.pack);
});

test('another model under the id of a kept one is not taken for it', async () => {
  const kept = await keptFrom(unoImage(model, id, MEMORY));
  const other = unoModel({ seed: 2, windowMs: 1000, blocks: [FLATTEN], hidden: 16 });
  const { result } = (await read(unoImage(other, id, MEMORY), [kept])).readBack;
  if (!result) throw new Error('nothing was read');
  expect(compareReadBack(result, [kept], kept)).toEqual({ verdict: 'different', model: kept });
  // Nor does a pack that cannot be read stand in the way.
  const broken = { ...kept, pack: kept.pack.slice(0, 50) };
  expect((await read(unoImage(model, id, MEMORY), [broken])).readBack.result?.source).toBe('image');
});

test('Live runs the kept model under the id that the board gives its results', async () => {
  const kept = await keptFrom(unoImage(model, id, MEMORY));
  const { board } = unoWith(new Uint8Array(0));
  const live = new LiveModel();
  await live.load(board, id, [kept], null, new AbortController().signal);
  expect(live.running?.id).toBe(id);
  const [theirs, mine] = [createRunner(model), createRunner(live.running?.model ?? model)];
  const window = selfTestWindow(model, 0);
  expect(mine.classify(window).featureCrc).toBe(theirs.classify(window).featureCrc);
  expect([...mine.classify(window).scores]).toEqual([...theirs.classify(window).scores]);
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
