import { describe, expect, it } from 'vitest';
import { randomModel } from '../../tests/conformance/random-model';
import { canonicalJson } from './canonical-json';
import { crc32 } from './crc32';
import { EmitError, type EmitErrorCode, type Model } from './model';
import { packId, readPack, writePack } from './pack';

const model = randomModel(12, { labels: ['ruhig', 'Größe', '👋'] });
const pack = writePack(model);

function codeOf(action: () => unknown): EmitErrorCode {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(EmitError);
    return (error as EmitError).code;
  }
  return expect.fail('nothing was thrown');
}

/** The pack with some words changed and the checksum made to fit. */
function edited(edit: (view: DataView, start: (section: number) => number) => void): Uint8Array {
  const bytes = pack.slice();
  const view = new DataView(bytes.buffer);
  edit(view, (section) => view.getUint32(16 + 8 * section, true));
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

it('holds the CRC-32 that every other tool computes', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  expect(crc32(new TextEncoder().encode('6789'), crc32(new TextEncoder().encode('12345')))).toBe(0xcbf43926);
});

it('sorts keys at every depth', () => {
  expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
});

it('refuses a network that rounds once, which no board computes', () => {
  expect(codeOf(() => writePack({ ...model, graph: { ...model.graph, rounding: 'single' } }))).toBe('bad-model');
});

describe('round trip', () => {
  it('gives back the very model', () => {
    expect(readPack(pack)).toEqual(model);
  });

  it('gives back numbers that have no short form', () => {
    const odd = { ...model.input, rateHz: model.input.rateHz + 1e-12 };
    const again = readPack(writePack({ ...model, input: odd }));
    expect(again.input.rateHz).toBe(odd.rateHz);
  });

  it('does not depend on where the bytes lie', () => {
    const shifted = new Uint8Array(pack.length + 3);
    shifted.set(pack, 3);
    expect(readPack(shifted.subarray(3))).toEqual(model);
  });

  it('does not depend on the order of the keys of the receipt', () => {
    const receipt = Object.fromEntries(Object.entries(model.receipt).reverse()) as unknown as Model['receipt'];
    expect(writePack({ ...model, receipt })).toEqual(pack);
  });

  it('is named by the checksum of its content', () => {
    expect(packId(pack)).toBe(crc32(pack.subarray(8)));
  });
});

describe('reading', () => {
  it.each<[string, EmitErrorCode, () => Uint8Array]>([
    ['nothing', 'pack-magic', () => new Uint8Array()],
    ['another file', 'pack-magic', () => new TextEncoder().encode('PK\u0003\u0004 zip')],
    ['the first bytes', 'pack-truncated', () => pack.slice(0, 12)],
    ['half of it', 'pack-truncated', () => pack.slice(0, pack.length / 2)],
    ['trailing bytes', 'pack-corrupt', () => Uint8Array.of(...pack, 0, 0, 0, 0)],
    ['a flipped bit', 'pack-crc', () => pack.map((byte, i) => (i === 200 ? byte ^ 16 : byte))],
    ['a later format', 'pack-version', () => edited((view) => view.setUint16(8, 3, true))],
    ['a section outside', 'pack-corrupt', () => edited((view) => view.setUint32(16, pack.length, true))],
    ['a short section', 'pack-truncated', () => edited((view) => view.setUint32(20, 40, true))],
    ['unknown blocks', 'pack-corrupt', () => edited((view, start) => view.setUint32(start(2), 99, true))],
    ['unknown operations', 'pack-corrupt', () => edited((view, start) => view.setUint32(start(6), 99, true))],
    ['broken UTF-8', 'pack-corrupt', () => edited((view, start) => view.setUint8(start(1) + 4, 0xff))],
    ['a wrong derived number', 'pack-corrupt', () => edited((view, start) => view.setUint32(start(0) + 40, 1, true))],
    ['a receipt that is none', 'pack-corrupt', () => edited((view, start) => view.setUint8(start(8), 0x5b))],
    ['a NaN', 'pack-corrupt', () => edited((view, start) => view.setUint32(start(3), 0x7fc00000, true))],
  ])('refuses %s (%s)', (_, code, bytes) => {
    expect(codeOf(() => readPack(bytes()))).toBe(code);
  });

  it('refuses every cut and every changed byte of the beginning', () => {
    for (let length = 0; length < 400; length++) expect(() => readPack(pack.slice(0, length))).toThrow(EmitError);
    for (let at = 0; at < 400; at++) {
      expect(() => readPack(pack.map((byte, i) => (i === at ? byte ^ 0xff : byte)))).toThrow(EmitError);
    }
  });
});

describe('writing', () => {
  it.each<[string, EmitErrorCode, Partial<Model>]>([
    ['a keyword as prefix', 'bad-prefix', { prefix: 'int' }],
    ['an empty label', 'bad-label', { labels: ['a', '', 'c'] }],
    ['twin labels', 'bad-label', { labels: ['a', 'b', 'a'] }],
    ['a label with a zero character', 'bad-label', { labels: ['a', 'b\0', 'c'] }],
    ['half a surrogate', 'bad-label', { labels: ['a', '\ud800', 'c'] }],
    ['a label too long', 'bad-label', { labels: ['a', 'b', 'é'.repeat(128)] }],
    ['too few labels', 'bad-model', { labels: ['a', 'b'] }],
    ['no blocks', 'bad-model', { blocks: [] }],
    ['too many smoothed windows', 'too-large', { smoothing: { windows: 17, threshold: 0.5 } }],
    ['a threshold above 1', 'bad-model', { smoothing: { windows: 1, threshold: 1.5 } }],
    ['a rate of zero', 'bad-model', { input: { ...model.input, rateHz: 0 } }],
    ['another arena', 'bad-model', { plan: { ...model.plan, arenaBytes: 1 } }],
    ['a self-test of another model', 'bad-model', { selfTest: { ...model.selfTest, scores: new Int8Array(3) } }],
    ['an accuracy of 130 %', 'bad-model', { receipt: { ...model.receipt, accuracyInt8: 1.3 } }],
    ['a long receipt', 'too-large', { receipt: { ...model.receipt, pipeline: 'x'.repeat(70_000) } }],
  ])('refuses %s (%s)', (_, code, change) => {
    expect(codeOf(() => writePack({ ...model, ...change }))).toBe(code);
  });
});
