/**
 * Compiles the virtual board's firmware to WebAssembly with the clang that comes as an npm package, so that no compiler
 * need be installed. `node scripts/build-virtual-board.mjs [FILE]` writes public/virtual-board.wasm, or FILE. The same
 * source gives the same bytes on every machine; a test holds the committed file to that.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commands } from '@yowasp/clang';
import { RUNTIME_SOURCES } from './runtime-sources.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = process.argv[2] ?? `${root}public/virtual-board.wasm`;

const RUNTIME = 'firmware/mote/src';
const SOURCES = ['firmware/boards/virtual/virtual.c', ...RUNTIME_SOURCES.map((name) => `${RUNTIME}/${name}`)];

const FLAGS = [
  '--target=wasm32-unknown-unknown',
  '-std=c99',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-ffreestanding',
  '-nostdlib',
  '-mbulk-memory',
  '-msimd128',
  '-ffp-contract=off',
  '-Wl,--no-entry',
  '-Wl,--strip-all',
  '-Wl,-z,stack-size=32768',
];

/** The files as the compiler's virtual tree wants them: nested objects. */
function treeOf(paths) {
  const tree = {};
  for (const path of paths) {
    const parts = path.split('/');
    const name = parts.pop();
    let folder = tree;
    for (const part of parts) folder = folder[part] ??= {};
    folder[name] = readFileSync(root + path, 'utf8');
  }
  return tree;
}

const headers = readdirSync(root + RUNTIME)
  .filter((name) => name.endsWith('.h'))
  .sort()
  .map((name) => `${RUNTIME}/${name}`);

const log = [];
const keep = (bytes) => {
  if (bytes) log.push(Buffer.from(bytes));
};
try {
  const built = await commands.clang(
    [...FLAGS, `-I${RUNTIME}`, ...SOURCES, '-o', 'virtual-board.wasm'],
    treeOf([...SOURCES, ...headers]),
    { stdout: keep, stderr: keep, fetchProgress: () => undefined },
  );
  writeFileSync(target, built['virtual-board.wasm']);
} catch (error) {
  process.stderr.write(Buffer.concat(log));
  console.error(`The virtual board's firmware did not compile: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
