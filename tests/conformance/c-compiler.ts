/** Compiles and runs C from tests, in a folder of its own that goes away with the test file. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PACK_SOURCES } from '../../scripts/runtime-sources.mjs';

/** The folder of these tests. */
export const HERE = fileURLToPath(new URL('.', import.meta.url));
export const RUNTIME = fileURLToPath(new URL('../../firmware/mote/src', import.meta.url));

/** The files of the pack loader. */
export const LOADER = PACK_SOURCES.map((name) => path.join(RUNTIME, name));

/** The warnings that emitted code and the runtime must be free of. */
export const STRICT = ['-pedantic', '-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror'] as const;

export interface Compiler {
  readonly name: string;
  readonly command: string;
  readonly flags: readonly string[];
}

export const C99: readonly Compiler[] = [
  { name: 'gcc -O2', command: 'gcc', flags: ['-std=c99', '-O2', ...STRICT] },
  { name: 'clang -O2', command: 'clang', flags: ['-std=c99', '-O2', ...STRICT] },
];

export const CPP: readonly Compiler[] = [
  { name: 'g++ C++11', command: 'g++', flags: ['-x', 'c++', '-std=c++11', '-O2', ...STRICT] },
  { name: 'g++ C++17', command: 'g++', flags: ['-x', 'c++', '-std=c++17', '-O2', ...STRICT] },
];

export const SANITIZED: Compiler = {
  name: 'gcc with sanitizers',
  command: 'gcc',
  flags: ['-std=c99', '-O1', '-g1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', ...STRICT],
};

export class Workshop {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'mote-conformance-'));
  #count = 0;

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  write(name: string, content: string | Uint8Array): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, content);
    return file;
  }

  /** Compiles sources into a program and returns its path; throws with the compiler's messages. */
  compile(compiler: Compiler, sources: readonly string[], extra: readonly string[] = []): string {
    const program = path.join(this.folder, `program-${this.#count++}`);
    this.#call(compiler.command, [...compiler.flags, ...extra, '-I', this.folder, ...sources, '-o', program]);
    return program;
  }

  run(program: string, input: Uint8Array = new Uint8Array(), args: readonly string[] = []): Buffer {
    return execFileSync(program, args, { input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  #call(command: string, args: readonly string[]): void {
    try {
      execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (cause) {
      const text = (cause as { stderr?: Buffer }).stderr?.toString() ?? '';
      throw new Error(`${command} failed:\n${text.slice(0, 4000)}`, { cause });
    }
  }
}
