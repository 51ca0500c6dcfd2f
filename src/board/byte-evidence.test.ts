/** Text at the wrong baud rate is told from noise: through a model of two UARTs that disagree about the rate. */
import { describe, expect, it } from 'vitest';
import { Random } from '../signal/random';
import { createByteEvidence, EVIDENCE_BYTES } from './byte-evidence';

const RATES = [9600, 19_200, 38_400, 57_600, 115_200, 230_400];

/** What a receiver at `there` makes of text sent at `here`: 8N1, sampled in the middle of its own bits. */
function received(text: string, here: number, there: number): Uint8Array {
  const line: number[] = [1, 1];
  for (const char of text) {
    const byte = char.charCodeAt(0);
    line.push(0, ...Array.from({ length: 8 }, (_, bit) => (byte >> bit) & 1), 1);
  }
  line.push(1, 1);
  const level = (bits: number): number => line[Math.floor((bits * here) / there)] ?? 1;
  const bytes: number[] = [];
  const end = (line.length * there) / here;
  const step = 1 / 16;
  for (let at = 0; at < end; at += step) {
    if (level(at) !== 0) continue;
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) byte |= level(at + 1.5 + bit) << bit;
    bytes.push(byte);
    at += 9.5;
  }
  return Uint8Array.from(bytes);
}

function readings(lines: number, seed: number): string {
  const random = new Random(seed);
  const value = (): string => random.between(-19, 19).toFixed(2);
  return Array.from({ length: lines }, () => `${value()},${value()},${value()}\r\n`).join('');
}

function verdict(bytes: Uint8Array): string {
  const evidence = createByteEvidence();
  evidence.push(bytes);
  return evidence.verdict;
}

describe('bytes that nobody understands', () => {
  for (const here of RATES)
    for (const there of RATES)
      it(`text at ${here} heard at ${there} baud`, () => {
        const bytes = received(readings(200, here + there), here, there);
        expect(bytes.length).toBeGreaterThan(EVIDENCE_BYTES);
        expect(verdict(bytes)).toBe(here === there ? 'text' : 'wrong-rate');
      });

  it('noise is noise', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new Random(seed);
      expect(verdict(Uint8Array.from({ length: 500 }, () => random.nextUint32() & 255))).toBe('noise');
    }
  });

  it('a few bytes prove nothing, and an opening starts anew', () => {
    const evidence = createByteEvidence();
    evidence.push(new Uint8Array(EVIDENCE_BYTES - 1));
    expect(evidence.verdict).toBe('too-little');
    evidence.push(new Uint8Array(1));
    expect(evidence.verdict).toBe('wrong-rate');
    evidence.restart();
    expect(evidence.verdict).toBe('too-little');
  });
});
