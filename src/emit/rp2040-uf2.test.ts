import { decodeBlock, encodeBlock } from 'uf2';
import { describe, expect, it } from 'vitest';
import { crc32 } from './crc32';
import { parseRp2040Layout, Rp2040Uf2Error, uf2WithModel } from './rp2040-uf2';
import { slotCapacity } from './slot-image';

const layout = parseRp2040Layout({
  flashBytes: 0x10000,
  storageAt: 0x8000,
  storageBytes: 6 * 4096,
  eraseBytes: 4096,
  progBytes: 256,
  slots: 2,
  modelRamBytes: 1024,
});

function pack(length: number): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 255);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x45544f4d, true);
  view.setUint32(12, length, true);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

function firmware(change: Partial<Parameters<typeof encodeBlock>[0]> = {}): Uint8Array {
  const file = new Uint8Array(512 * 16);
  for (let i = 0; i < 16; i++) {
    const plain = {
      flags: 0x2000,
      flashAddress: 0x10000000 + 256 * i,
      payload: new Uint8Array(256).fill(i),
      blockNumber: i,
      totalBlocks: 16,
      boardFamily: 0xe48bff56,
    };
    encodeBlock({ ...plain, ...(i === 15 ? change : {}) }, file, 512 * i);
  }
  return file;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Rp2040Uf2Error) return error.code;
    throw error;
  }
  return 'none';
}

describe('a .uf2 with a model', () => {
  it('holds the firmware, both journal sectors and whole sectors of slot 0', () => {
    const file = uf2WithModel(firmware(), layout, pack(5000));
    const blocks = Array.from({ length: file.length / 512 }, (_, i) => decodeBlock(file.slice(512 * i, 512 * i + 512)));
    expect(blocks.length).toBe(16 + 4 * 16);
    expect(blocks.every((block, i) => block.blockNumber === i && block.totalBlocks === blocks.length)).toBe(true);
    expect(file.subarray(0, 20)).toEqual(firmware().subarray(0, 20));
    const flash = new Uint8Array(0x10000).fill(0xaa);
    for (const { flashAddress, payload } of blocks) flash.set(payload, flashAddress - 0x10000000);
    expect(flash.subarray(0x8000 + 2 * 4096 + 256, 0x8000 + 2 * 4096 + 256 + 5000)).toEqual(pack(5000));
    expect(flash.subarray(0x9000, 0xa000).every((byte) => byte === 0xff)).toBe(true);
    expect(flash.subarray(0xc000, 0xe000).every((byte) => byte === 0xaa)).toBe(true);
  });

  it('takes a pack as large as the slot, and none larger', () => {
    const most = slotCapacity(layout);
    expect(most).toBe(2 * 4096 - 256);
    expect(codeOf(() => uf2WithModel(firmware(), layout, pack(most)))).toBe('none');
    expect(codeOf(() => uf2WithModel(firmware(), layout, pack(most + 4)))).toBe('too-big');
  });

  it('refuses what is no pack', () => {
    const damaged = pack(400);
    damaged[100] = (damaged[100] as number) ^ 1;
    for (const bytes of [new Uint8Array(), pack(400).subarray(0, 399), damaged]) {
      expect(codeOf(() => uf2WithModel(firmware(), layout, bytes))).toBe('bad-pack');
    }
  });

  it('refuses firmware that is damaged, for another chip, or in the models’ place', () => {
    const cases: readonly Uint8Array[] = [
      new Uint8Array(),
      firmware().subarray(0, 700),
      firmware().fill(0, 512, 516),
      firmware({ boardFamily: 0xe48bff57 }),
      firmware({ flags: 0x2001 }),
      firmware({ blockNumber: 3 }),
      firmware({ totalBlocks: 17 }),
      firmware({ payload: new Uint8Array(200) }),
      firmware({ flashAddress: 0x10000f80 }),
      firmware({ flashAddress: 0x0fffff00 }),
      firmware({ flashAddress: 0x10008000 }),
    ];
    for (const file of cases) expect(codeOf(() => uf2WithModel(file, layout, pack(400)))).toBe('bad-firmware');
  });

  it.each([
    null,
    {},
    { ...layout, slots: 1.5 },
    { ...layout, slots: 9 },
    { ...layout, storageAt: 0x8100 },
    { ...layout, storageBytes: 0x9000 },
    { ...layout, flashBytes: 2 ** 25 },
  ])('refuses a description that cannot be: %j', (json) => {
    expect(codeOf(() => parseRp2040Layout(json))).toBe('bad-layout');
  });
});
