import { describe, expect, it } from 'vitest';
import { Random } from '../signal/random';
import { createFrameReader, encodeFrame, frameWireBytes } from './mote-frames';
import type { Frame } from './mote-frames';
import { randomPieces } from '../../tests/fixtures/random-pieces';
import { PROTOCOL } from './wire';

function randomFrames(random: () => number, count: number): Frame[] {
  return Array.from({ length: count }, () => ({
    type: Math.floor(random() * 256),
    id: Math.floor(random() * 256),
    body: Uint8Array.from({ length: Math.floor(random() ** 3 * PROTOCOL.bodyMax) }, () =>
      random() < 0.3 ? 0 : Math.floor(random() * 256),
    ),
  }));
}

const wire = (frames: readonly Frame[]): Uint8Array =>
  Uint8Array.from(frames.flatMap(({ type, id, body }) => [...encodeFrame(type, id, body)]));

describe('mote frames', () => {
  it('matches a frame computed by hand', () => {
    // PING (0x02), id 7, no body: CRC-32 of 02 07 is 0xED8BE5DE (Python: zlib.crc32(b"\x02\x07")).
    expect([...encodeFrame(0x02, 0x07, new Uint8Array())]).toEqual([0, 7, 2, 7, 0xde, 0xe5, 0x8b, 0xed, 0]);
  });

  it('gives the same frames however the bytes are cut', () => {
    const source = new Random(2);
    const random = (): number => source.next();
    for (let i = 0; i < 40; i++) {
      const frames = randomFrames(random, 8);
      const reader = createFrameReader();
      const got = randomPieces(wire(frames), 1 + Math.floor(random() * 300), random).flatMap((p) => reader.push(p));
      expect(got).toEqual(frames);
      expect(reader.dropped).toBe(0);
    }
  });

  it('never takes more bytes than announced', () => {
    for (const length of [0, 1, 253, 254, 255, 508, 4096]) {
      expect(encodeFrame(1, 1, new Uint8Array(length).fill(1)).length).toBeLessThanOrEqual(frameWireBytes(length));
    }
  });

  it('loses only the frames that are hit, and finds the next after any garbage', () => {
    const source = new Random(3);
    const random = (): number => source.next();
    for (let i = 0; i < 60; i++) {
      const frames = randomFrames(random, 6);
      const reader = createFrameReader();
      const garbage = Uint8Array.from({ length: Math.floor(random() * 9000) }, () => Math.floor(random() * 256));
      const hit = encodeFrame(9, 9, Uint8Array.of(1, 2, 3));
      const at = 1 + Math.floor(random() * (hit.length - 2));
      hit[at] = (hit[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      const got = [garbage, wire(frames.slice(0, 3)), hit, wire(frames.slice(3))].flatMap((p) => reader.push(p));
      expect(got.slice(-6)).toEqual(frames);
      expect(got.length).toBe(6);
      expect(reader.dropped).toBeGreaterThan(0);
    }
  });

  it('holds a bounded number of bytes of a frame that never ends', () => {
    const reader = createFrameReader();
    for (let i = 0; i < 100; i++) expect(reader.push(new Uint8Array(10_000).fill(5))).toEqual([]);
    const frame = { type: 1, id: 2, body: Uint8Array.of(3) };
    expect(reader.push(wire([frame]))).toEqual([frame]);
    expect(reader.dropped).toBe(1);
  });
});
