import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/board/mote-frames';
import { MESSAGE } from '../../src/board/wire';
import { deployWireLimit } from '../fixtures/wire-limit';

describe('the wire’s limit', () => {
  it('counts the bytes that really cross the wire', () => {
    const chunk = 508;
    const pack = new Uint8Array(10 * chunk + 100).fill(7);
    let written = 0;
    for (let at = 0; at < pack.length; at += chunk) {
      const part = pack.subarray(at, at + chunk);
      const body = new Uint8Array(4 + part.length);
      body.set(part, 4);
      written += encodeFrame(MESSAGE.putChunk, 1, body).length;
    }
    const limit = deployWireLimit(pack.length, 115200);
    // COBS takes a byte more or less, depending on the data.
    expect(Math.abs((limit.writeMs * 115200) / 10_000 - written)).toBeLessThan(written * 0.01);
    expect(limit.totalMs).toBeCloseTo(limit.writeMs + limit.verifyMs);
    expect(limit.toBoardBytes).toBeGreaterThan(pack.length);
    expect(limit.toHostBytes).toBeGreaterThan(pack.length);
  });

  it('halves when the rate doubles, and grows with smaller bodies', () => {
    const slow = deployWireLimit(14_200, 115200);
    expect(deployWireLimit(14_200, 230400).totalMs).toBeCloseTo(slow.totalMs / 2);
    expect(deployWireLimit(14_200, 115200, 192).totalMs).toBeGreaterThan(slow.totalMs);
    // 14.2 KB there and back at 11.52 KB/s.
    expect(slow.totalMs).toBeGreaterThan(2465);
    expect(slow.totalMs).toBeLessThan(2700);
  });
});
