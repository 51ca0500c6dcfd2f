/** Ten seconds of each fuzz target, so that they keep building and find what is new and shallow. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { fuzz, whyNoFuzzing } from '../../scripts/fuzz.mjs';

const SECONDS = 10;
const folder = mkdtempSync(join(tmpdir(), 'mote-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const missing = whyNoFuzzing();

/** Edges that the seeds alone reach by far: fewer mean that the target got stuck at the door. */
const FEWEST_EDGES = { frame: 50, board: 500, pack: 300, 'pack-dsp': 300, 'pack-quad': 300 } as const;

for (const target of ['frame', 'board', 'pack', 'pack-dsp', 'pack-quad'] as const) {
  it.skipIf(missing !== null)(
    `${target}: no finding in ${SECONDS} s${missing === null ? '' : ` (skipped: ${missing})`}`,
    async () => {
      const { runs, edges, corpus, crash, text } = await fuzz(target, SECONDS, folder);
      console.log(`${target}: ${runs} runs, ${edges} edges, ${corpus} inputs`);
      expect(crash === null ? '' : text.slice(-3000)).toBe('');
      expect(runs).toBeGreaterThan(100);
      expect(edges).toBeGreaterThan(FEWEST_EDGES[target]);
    },
    120_000,
  );
}
