import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readHex } from './microbit-hex';
import { UNIVERSAL_BOARD, universalHex } from './universal-hex';

interface HexRecord {
  readonly type: number;
  readonly address: number;
  readonly data: readonly number[];
}

function recordOf(line: string): HexRecord {
  const bytes = (line.slice(1).match(/../g) ?? []).map((pair) => parseInt(pair, 16));
  expect(line).toMatch(/^:([0-9A-F]{2}){5,37}$/);
  expect(bytes[0]).toBe(bytes.length - 5);
  expect(bytes.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0);
  return { type: bytes[3] ?? 0, address: ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0), data: bytes.slice(4, -1) };
}

/** What an interface chip does: takes data records of its own sections. Unknown types are skipped. */
function flashOf(hex: string, board: number, dataType: number): Map<number, number> {
  const flash = new Map<number, number>();
  let upper = 0;
  let mine = false;
  for (const line of hex.trimEnd().split('\n')) {
    const { type, address, data } = recordOf(line);
    if (type === 4) upper = ((data[0] ?? 0) << 24) | ((data[1] ?? 0) << 16);
    if (type === 0x0a) mine = (((data[0] ?? 0) << 8) | (data[1] ?? 0)) === board;
    if (mine && type === dataType) data.forEach((byte, i) => flash.set(upper + address + i, byte));
  }
  return flash;
}

const flat = (memory: Iterable<readonly [number, Uint8Array]>): Map<number, number> =>
  new Map([...memory].flatMap(([at, bytes]) => [...bytes].map((byte, i) => [at + i, byte] as const)));

describe('universal hex', () => {
  const firmware = (version: 1 | 2) =>
    readHex(readFileSync(new URL(`../../public/firmware/microbit-v${version}.hex`, import.meta.url), 'utf8'));

  it('gives each board its own bytes, in the order that the oldest interface chip needs', () => {
    const [v1, v2] = [firmware(1), firmware(2)];
    const hex = universalHex(v1, v2);
    expect(flashOf(hex, UNIVERSAL_BOARD.v1, 0)).toEqual(flat(v1));
    expect(flashOf(hex, UNIVERSAL_BOARD.v2, 0x0d)).toEqual(flat(v2));
    // An old chip takes every plain data record, whatever section it stands in: only v1 may have them.
    expect([...hex.matchAll(/^:......00/gm)].length).toBeGreaterThan(100);
    expect(hex.slice(hex.indexOf(':0400000A9903'))).not.toMatch(/^:......00/m);
    // The records given in the specification.
    expect(hex.startsWith(':020000040000FA\n:0400000A9900C0DEBB\n')).toBe(true);
    expect(hex).toContain('\n:0400000A9903C0DEB8\n');
    expect(hex.endsWith(':00000001FF\n')).toBe(true);
  });

  it('aligns sections to 512 characters, whatever their length', () => {
    for (let length = 1; length <= 300; length++) {
      const runs = [[0xfff0, new Uint8Array(length).fill(7)]] as const;
      const hex = universalHex(runs, runs);
      const second = hex.indexOf(':020000040000FA', 1);
      expect(second % 512).toBe(0);
      expect((hex.length - ':00000001FF\n'.length) % 512).toBe(0);
      expect(flashOf(hex, UNIVERSAL_BOARD.v1, 0)).toEqual(flat(runs));
      expect(flashOf(hex, UNIVERSAL_BOARD.v2, 0x0d)).toEqual(flat(runs));
    }
  });
});
