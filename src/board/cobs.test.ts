import { describe, expect, it } from 'vitest';
import { Random } from '../signal/random';
import { cobsBound, cobsDecode, cobsEncode } from './cobs';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const run = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('cobs', () => {
  // The examples of the Wikipedia article "Consistent Overhead Byte Stuffing", without the delimiter.
  it.each([
    [[0x00], [0x01, 0x01]],
    [
      [0x00, 0x00],
      [0x01, 0x01, 0x01],
    ],
    [
      [0x00, 0x11, 0x00],
      [0x01, 0x02, 0x11, 0x01],
    ],
    [
      [0x11, 0x22, 0x00, 0x33],
      [0x03, 0x11, 0x22, 0x02, 0x33],
    ],
    [
      [0x11, 0x22, 0x33, 0x44],
      [0x05, 0x11, 0x22, 0x33, 0x44],
    ],
    [
      [0x11, 0x00, 0x00, 0x00],
      [0x02, 0x11, 0x01, 0x01, 0x01],
    ],
    [run(1, 254), [0xff, ...run(1, 254)]],
    [
      [0, ...run(1, 254)],
      [0x01, 0xff, ...run(1, 254)],
    ],
    [run(1, 255), [0xff, ...run(1, 254), 0x02, 0xff]],
    [
      [...run(2, 255), 0],
      [0xff, ...run(2, 255), 0x01, 0x01],
    ],
    [
      [...run(3, 255), 0, 1],
      [0xfe, ...run(3, 255), 0x02, 0x01],
    ],
  ])('encodes the published example %#', (plain, encoded) => {
    expect([...cobsEncode(bytes(...plain))]).toEqual(encoded);
    expect([...(cobsDecode(bytes(...encoded)) ?? [])]).toEqual(plain);
  });

  it('accepts the further code byte that a sender may add behind a full block', () => {
    expect([...(cobsDecode(bytes(0xff, ...run(1, 254), 0x01)) ?? [])]).toEqual(run(1, 254));
  });

  it('gives back any bytes, without a zero on the way and within the bound', () => {
    const source = new Random(1);
    const random = (): number => source.next();
    for (let i = 0; i < 500; i++) {
      const zeros = random();
      const plain = Uint8Array.from({ length: Math.floor(random() * 1200) }, () =>
        random() < zeros * zeros ? 0 : Math.floor(random() * 256),
      );
      const encoded = cobsEncode(plain);
      expect(encoded.includes(0)).toBe(false);
      expect(encoded.length).toBeLessThanOrEqual(cobsBound(plain.length));
      expect(cobsDecode(encoded)).toEqual(plain);
    }
  });

  it('refuses what no encoder writes', () => {
    expect(cobsDecode(bytes())).toBeNull();
    expect(cobsDecode(bytes(0x05, 1, 2))).toBeNull();
    expect(cobsDecode(bytes(0x03, 0, 2))).toBeNull();
    expect(cobsDecode(bytes(0x00))).toBeNull();
  });
});
