import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { smallModel } from '../../../../tests/fixtures/small-model';
import { FLATTEN, UNO_MEMORY, unoModel } from '../../../../tests/fixtures/uno-model';
import { emitHeader } from '../../../emit/header';
import { packId, readPack, writePack } from '../../../emit/pack';
import { readUnoImage } from '../../../emit/read-uno-image';
import { unoImage } from '../../../emit/uno-image';
import type { StudioModel } from '../../state/models.svelte';
import { compareReadBack } from './compare';
import { recordOfReceived } from './received-model';

const packOf = (seed: number) => writePack(smallModel(seed));
const read = (pack: Uint8Array) => ({
  source: 'pack' as const,
  pack,
  modelId: packId(pack),
  header: emitHeader(pack),
});
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

describe('a model that was made of an image', () => {
  const original = unoModel({ seed: 1, windowMs: 800, blocks: [FLATTEN], hidden: 8 });
  const pack = writePack(original);
  const imageId = packId(pack);
  const rebuilt = readUnoImage(unoImage(original, imageId, UNO_MEMORY), original.input.channels).model;
  const made = writePack(rebuilt);
  const kept: StudioModel = { ...stored('kept', made), record: recordOfReceived(rebuilt, 'from an Uno', imageId) };
  const image = { source: 'image' as const, pack: made, modelId: imageId, header: emitHeader(made) };

  it('is the one that the board names by the id of its image', () => {
    expect(kept.packId).not.toBe(imageId);
    expect(compareReadBack(image, [one, kept], null)).toEqual({ verdict: 'identical', model: kept, current: false });
    expect(compareReadBack(image, [kept], kept)).toMatchObject({ verdict: 'identical', current: true });
    expect(compareReadBack(image, [one], one)).toEqual({ verdict: 'unknown' });
  });

  it('is the very one when it was written to a board as a pack', () => {
    expect(compareReadBack(read(made), [kept], null)).toMatchObject({ verdict: 'identical', model: kept });
  });

  it('is told from its original, which has a receipt and computes the same', () => {
    expect(compareReadBack(read(pack), [kept], kept)).toEqual({ verdict: 'original', model: kept });
    const own = stored('own', pack);
    expect(compareReadBack(read(pack), [kept, own], kept)).toMatchObject({ verdict: 'identical', model: own });
  });

  it('is not another image or pack of the same id', () => {
    const other = writePack(unoModel({ seed: 2, windowMs: 800, blocks: [FLATTEN], hidden: 8 }));
    const forged = { ...read(other), modelId: imageId };
    expect(compareReadBack(forged, [kept], null)).toEqual({ verdict: 'different', model: kept });
    expect(compareReadBack({ ...forged, source: 'image' }, [kept], null)).toMatchObject({ verdict: 'different' });
    const damaged = { ...kept, pack: made.slice(0, 40) };
    expect(compareReadBack(forged, [damaged], null)).toMatchObject({ verdict: 'different' });
  });

  it('has a record that invents nothing', () => {
    expect(kept.record).toMatchObject({
      imageId,
      madeElsewhere: true,
      report: { labels: original.labels, accuracy: { float: null, int8: null }, pipeline: null },
    });
    // Read from a board that keeps packs, it has no second id.
    expect(recordOfReceived(readPack(made), 'from a Pico')).not.toHaveProperty('imageId');
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
