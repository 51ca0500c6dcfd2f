import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const runtime = join(root, 'firmware/mote/src');

/** What every C file of ours must compile under without a word. */
export const STRICT = ['-pedantic', '-Wall', '-Wextra', '-Wconversion', '-Wmissing-prototypes', '-Werror'];
/** Traps on everything undefined. */
export const SANITIZED = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-fno-omit-frame-pointer'];

/** Runs a command; throws with everything it said when it fails. */
export function run(command: string, args: readonly string[], timeoutMs = 50_000): string {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', timeout: timeoutMs, maxBuffer: 1 << 26 });
  if (done.error) throw done.error;
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: exit ${done.status ?? done.signal}\n${done.stdout}\n${done.stderr}`);
  return done.stdout;
}

/** Calls `use` with the path of a fresh folder that is removed afterwards. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'mote-c-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Compiles test program `name` of this folder together with files of the runtime, strict and sanitized, runs it, and
 * returns what it printed.
 */
export function runTestProgram(name: string, sources: readonly string[], args: readonly string[] = []): string {
  return withFolder((folder) => {
    const program = join(folder, 'test');
    const files = [join(root, 'tests/c', name), ...sources.map((source) => join(runtime, source))];
    run('gcc', ['-std=c99', '-O1', '-g', ...STRICT, ...SANITIZED, `-I${runtime}`, ...files, '-o', program]);
    return run(program, args);
  });
}
