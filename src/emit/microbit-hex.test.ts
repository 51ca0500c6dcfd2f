import { describe, expect, it } from 'vitest';
import { smallModel } from '../../tests/fixtures/small-model';
import { hexWithModel, parseSlotLayout, readHex } from './microbit-hex';
import { writePack } from './pack';
import { imageWithModel, slotCapacity } from './slot-image';

const layout = parseSlotLayout({
  flashBytes: 0x40000,
  storageAt: 0x10000,
  storageBytes: 0x30000,
  eraseBytes: 1024,
  progBytes: 4,
  slots: 2,
  modelRamBytes: 9216,
});
const firmware = [':10000000000102030405060708090A0B0C0D0E0F78', ':00000001FF', ''].join('\n');
const pack = writePack(smallModel(1));

describe('a .hex with a model inside', () => {
  it('holds firmware, journal, header and pack where they belong', () => {
    const memory = readHex(hexWithModel(firmware, layout, pack));
    expect(memory.slicePad(0, 16)).toEqual(Uint8Array.from({ length: 16 }, (_, i) => i));
    expect(memory.slicePad(0x10000 + 2048 + 32, pack.length)).toEqual(pack);
    // Journal pages are whole: an older record cannot survive in one of them.
    expect(memory.slicePad(0x10000, 2048, 0)).toEqual(imageWithModel(layout, pack).subarray(0, 2048));
    expect(memory.slicePad(0x10000 + 32, 2016, 0).every((byte) => byte === 0xff)).toBe(true);
  });

  it('takes a pack to the last byte of a slot and no more', () => {
    const capacity = slotCapacity(layout);
    expect(imageWithModel(layout, new Uint8Array(capacity)).length).toBe(2048 + 32 + capacity);
    expect(() => imageWithModel(layout, new Uint8Array(capacity + 1))).toThrow(RangeError);
    const tight = { ...layout, storageBytes: 4096 };
    expect(() => hexWithModel(firmware, tight, pack)).toThrow(expect.objectContaining({ code: 'too-big' }));
  });

  it('refuses what is no pack, no firmware, or a firmware that reaches into the models', () => {
    const damaged = pack.slice();
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    for (const bytes of [damaged, pack.subarray(0, 15), pack.subarray(4), new Uint8Array(0)]) {
      expect(() => hexWithModel(firmware, layout, bytes)).toThrow(expect.objectContaining({ code: 'bad-pack' }));
    }
    const bad = ['', 'hello', firmware.replace('78', '79'), ':04FFFE00000102030403\n:00000001FF\n', 'x'.repeat(3e6)];
    for (const hex of bad) {
      const reaching = hex.startsWith(':04FFFE');
      const where = reaching ? { ...layout, storageAt: 0xfc00 } : layout;
      expect(() => hexWithModel(hex, where, pack), hex.slice(0, 20)).toThrow(
        expect.objectContaining({ code: 'bad-firmware' }),
      );
    }
  });

  it('refuses descriptions that cannot be', () => {
    const bad: unknown[] = [
      null,
      {},
      { ...layout, slots: 0 },
      { ...layout, eraseBytes: 1.5 },
      { ...layout, flashBytes: 1e9 },
      { ...layout, storageBytes: 0x40000 },
      { ...layout, storageAt: 0x10001, storageBytes: 1024 },
      { ...layout, storageBytes: 1024 },
    ];
    for (const json of bad)
      expect(() => parseSlotLayout(json)).toThrow(expect.objectContaining({ code: 'bad-layout' }));
  });
});
