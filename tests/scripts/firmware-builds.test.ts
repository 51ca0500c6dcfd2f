/** The committed firmware is what its source gives, and takes the flash and RAM that sizes.json says. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { buildFirmware, firmwareBoards, missingTools } from '../../scripts/build-firmware.mjs';

interface Built {
  readonly files: readonly string[];
  readonly flashBytes: number;
  readonly ramBytes: number;
}

const COMMITTED = join(process.cwd(), 'public', 'firmware');
const folder = mkdtempSync(join(tmpdir(), 'mote-firmware-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sizes = JSON.parse(readFileSync(join(COMMITTED, 'sizes.json'), 'utf8')) as Record<string, Built>;

it('lists every board that has firmware', () => {
  expect(Object.keys(sizes)).toEqual(firmwareBoards().sort());
});

for (const board of firmwareBoards()) {
  const missing = await missingTools(board);
  describe.skipIf(missing.length > 0)(
    `${board}${missing.length > 0 ? ` (${missing.join(', ')} is missing)` : ''}`,
    () => {
      it('is built from this source', async () => {
        const built = await buildFirmware(board, folder);
        expect(built, 'npm run build:firmware brings sizes.json up to date').toEqual(sizes[board]);
        for (const file of built.files) {
          const same = readFileSync(join(folder, file)).equals(readFileSync(join(COMMITTED, file)));
          expect(same, `${file} is older than its source: npm run build:firmware`).toBe(true);
        }
      }, 120_000);
    },
  );
}
