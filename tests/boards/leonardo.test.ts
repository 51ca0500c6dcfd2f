/** The serial number of MoteUsbSerialNumber.h, asked for over the emulated USB of a Leonardo, as a host does. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArduinoBuild, boardNamed, whyNoCore } from './arduino-build';
import { whyNoMega } from './mega-board';

const RUNNER = fileURLToPath(new URL('leonardo-run.c', import.meta.url));
const missing = whyNoCore ?? whyNoMega;
const folder = mkdtempSync(join(tmpdir(), 'mote-leonardo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(missing !== null)(`USB of a Leonardo (${missing ?? 'simavr'})`, () => {
  const build = new ArduinoBuild(folder);
  const runner = join(folder, 'leonardo-run');
  beforeAll(() => {
    const flags = ['-std=c99', '-O2', '-Wall', '-Wextra', '-Werror'];
    const { status, stderr } = spawnSync('gcc', [...flags, RUNNER, '-o', runner, '-lsimavr', '-lelf']);
    expect(stderr.toString()).toBe('');
    expect(status).toBe(0);
  });

  /** What the device says of itself, when its signature row holds these nine bytes. */
  function asked(sketch: string, signature: string): string[] {
    const elf = build.link(boardNamed('Leonardo'), sketch);
    const { status, stdout, stderr } = spawnSync(runner, [elf, signature], { encoding: 'utf8', timeout: 60_000 });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout.trimEnd().split('\n');
  }

  test('2_RememberedBoard has the bytes of its chip as serial number', () => {
    for (const signature of ['0123456789abcdef01', '000000000000000000', 'ffa05c330b1e72d409']) {
      const [index, serial, product] = asked('2_RememberedBoard', signature);
      expect(index).toBe('index 3');
      expect(serial).toBe(`serial ${signature.toUpperCase()}`);
      expect(product).toMatch(/^product \w/);
    }
  }, 120_000);

  test('without it the core gives an empty one', () => {
    expect(asked('1_PrintNumbers', '0123456789abcdef01').slice(0, 2)).toEqual(['index 3', 'serial ']);
  }, 120_000);
});
