/**
 * Compiles ready-made firmware into public/firmware. `node scripts/build-firmware.mjs [--out FOLDER] [BOARD...]`.
 *
 * Every firmware/boards/BOARD/build.mjs exports `tools`, the programs it needs, and `build(root, folder)`, which writes
 * its files into the folder and returns `{ files, flashBytes, ramBytes }`: their names, and what the firmware takes of
 * the chip's flash (without the model area) and of its RAM (without the stack). Sizes are kept in sizes.json, which a
 * test compares.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BOARDS = join(ROOT, 'firmware', 'boards');

/** Boards with a build of their own. */
export function firmwareBoards() {
  return readdirSync(BOARDS).filter((board) => existsSync(join(BOARDS, board, 'build.mjs')));
}

/** Programs that this board's build needs and that are not here. */
export async function missingTools(board) {
  const { tools } = await import(pathToFileURL(join(BOARDS, board, 'build.mjs')).href);
  return tools.filter((tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0);
}

/** Builds one board's firmware into the folder. */
export async function buildFirmware(board, folder) {
  const { build } = await import(pathToFileURL(join(BOARDS, board, 'build.mjs')).href);
  mkdirSync(folder, { recursive: true });
  return build(ROOT, folder);
}

async function main() {
  const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
  const folder = values.out ?? join(ROOT, 'public', 'firmware');
  mkdirSync(folder, { recursive: true });
  const sizesFile = join(folder, 'sizes.json');
  const sizes = existsSync(sizesFile) ? JSON.parse(readFileSync(sizesFile, 'utf8')) : {};
  for (const board of positionals.length > 0 ? positionals : firmwareBoards()) {
    const missing = await missingTools(board);
    if (missing.length > 0) {
      console.error(`${board}: not built, because ${missing.join(', ')} is not installed`);
      process.exitCode = 1;
      continue;
    }
    const { files, flashBytes, ramBytes } = await buildFirmware(board, folder);
    sizes[board] = { files, flashBytes, ramBytes };
    console.log(`${board}: ${flashBytes} B flash, ${ramBytes} B RAM: ${files.join(', ')}`);
  }
  const sorted = Object.fromEntries(Object.entries(sizes).sort(([a], [b]) => a.localeCompare(b)));
  writeFileSync(sizesFile, `${JSON.stringify(sorted, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
