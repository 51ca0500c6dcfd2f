import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { smallModel } from '../../../../tests/fixtures/small-model';
import { emitHeader } from '../../../emit/header';
import { packId, readPack, writePack } from '../../../emit/pack';
import type { StudioModel } from '../../state/models.svelte';
import { compareReadBack } from './compare';
import { recordOfReceived } from './received-model';

const packOf = (seed: number) => writePack(smallModel(seed));
const read = (pack: Uint8Array) => ({ pack, modelId: packId(pack), header: emitHeader(pack) });
// The comparison never looks at the record.
const stored = (id: string, pack: Uint8Array): StudioModel => ({
  id,
  name: id,
  createdAt: 0,
  pack,
  packId: packId(pack),
  record: {} as StudioModel['record'],
});

const one = stored('one', packOf(1));
const two = stored('two', packOf(2));

describe('a model read back from a board', () => {
  it('is the current one, byte for byte', () => {
    expect(compareReadBack(read(packOf(1)), [two, one], one)).toEqual({
      verdict: 'identical',
      model: one,
      current: true,
    });
  });

  it('is another one of the list', () => {
    expect(compareReadBack(read(packOf(2)), [one, two], one)).toEqual({
      verdict: 'identical',
      model: two,
      current: false,
    });
  });

  it('is unknown, with and without models here', () => {
    expect(compareReadBack(read(packOf(3)), [one, two], one)).toEqual({ verdict: 'unknown' });
    expect(compareReadBack(read(packOf(3)), [], null)).toEqual({ verdict: 'unknown' });
  });

  it('is not identical by its id alone', () => {
    const forged = { ...stored('forged', packOf(2)), packId: one.packId };
    expect(compareReadBack(read(one.pack), [forged], null)).toEqual({ verdict: 'different', model: forged });
  });
});

describe('the record of a received model', () => {
  const pipeline = {
    version: 1,
    input: smallModel(1).input,
    blocks: [],
    network: { layers: [] },
    training: {},
    smoothing: { windows: 1, threshold: 0 },
  };

  it('refuses a receipt whose pipeline it does not understand', () => {
    const model = smallModel(1);
    const odd = { ...model, receipt: { ...model.receipt, pipeline: JSON.stringify(pipeline) } };
    expect(() => recordOfReceived(odd, 'made elsewhere')).toThrow(expect.objectContaining({ code: 'bad-pipeline' }));
  });

  it('says what the receipt says and nothing more', () => {
    const url = new URL('../../../../static-models/gestures/gestures.mote', import.meta.url);
    const pack = new Uint8Array(readFileSync(url));
    const model = readPack(pack);
    const { report, madeElsewhere, learnedFrom } = recordOfReceived(model, 'made elsewhere');
    expect(report).toMatchObject({
      labels: model.labels,
      accuracy: { float: model.receipt.accuracyFloat, int8: model.receipt.accuracyInt8 },
      pack_bytes: pack.length,
      warnings: ['made elsewhere'],
      history: [],
    });
    expect(madeElsewhere).toBe(true);
    expect(learnedFrom).toBeUndefined();
  });
});
