import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FAULT, FEATURE, MESSAGE, PROTOCOL, SLOT_FLAG, SLOT_STATE, STATUS_FLAG } from '../../src/board/wire';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('protocol constants', () => {
  it('mote_wire.h is what the generator makes of wire.ts', () => {
    expect(() =>
      execFileSync(process.execPath, ['scripts/generate-wire.mjs', '--check'], { cwd: root, stdio: 'pipe' }),
    ).not.toThrow();
  });

  it('every constant has the same value in C', () => {
    const header = readFileSync(`${root}firmware/mote/src/mote_wire.h`, 'utf8');
    const inC = [...header.matchAll(/^#define MOTE_\w+ (\w+)$/gm)].map((match) => Number(match[1]));
    const inTypeScript = [PROTOCOL, MESSAGE, FAULT, SLOT_STATE, FEATURE, SLOT_FLAG, STATUS_FLAG].flatMap((table) =>
      Object.values<number>(table),
    );
    expect(inC).toEqual(inTypeScript);
  });

  it('message types are distinct and in the range of their kind', () => {
    const { error, samples, result, selfTestProgress, ...requests } = MESSAGE;
    expect(new Set(Object.values(MESSAGE)).size).toBe(Object.keys(MESSAGE).length);
    for (const type of Object.values(requests)) expect(type).toSatisfy((t: number) => t >= 0x01 && t <= 0x3f);
    for (const type of [samples, result, selfTestProgress])
      expect(type).toSatisfy((t: number) => t >= 0x40 && t <= 0x5f);
    expect(Object.values(requests).map((type) => type | PROTOCOL.replyBit)).not.toContain(error);
  });
});
