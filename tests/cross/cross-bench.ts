/** Compiles C for a processor, runs it on its emulator, counts and measures. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nmOf, specsOf, type AnyTarget, type AvrTarget, type CrossTarget } from './cross-target';

/** Beside this file: platform.h, instruction-count.c, avr-run.c. Benches run bundled, so the way starts at the root. */
const HERE = path.join(process.cwd(), 'tests', 'cross');
const WARNINGS = ['-pedantic', '-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror'];
const MOST_AVR_CYCLES = 20_000_000_000;
const TIMEOUT_MS = 120_000;

export interface Count {
  /** Between `bench_begin()` and `bench_end()`, of the last time; 0 when they were not called or cannot be counted. */
  readonly instructions: number;
  /** By the cost model of the plugin, or exactly on AVR; 0 where neither is known. */
  readonly cycles: number;
  /** Cycles from the beginning to each call of `bench_mark()`. */
  readonly marks: readonly number[];
  /** AVR only: the deepest stack in between. Elsewhere the program finds out for itself; see platform.h. */
  readonly stackBytes: number;
}

export interface Sizes {
  /** Bytes of functions whose names match, and of constants and variables likewise. */
  readonly codeBytes: number;
  readonly constantBytes: number;
  readonly ramBytes: number;
}

interface Symbol {
  readonly name: string;
  readonly address: number;
  readonly bytes: number;
  readonly kind: string;
}

export class CrossBench {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'mote-cross-'));
  readonly #tools = new Map<string, string>();
  #count = 0;

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  write(name: string, text: string): string {
    const file = path.join(this.#folder, name);
    writeFileSync(file, text);
    return file;
  }

  /** Compiles a file, and others or flags that it needs, with -O2 and all warnings as errors; returns the program. */
  compile(target: AnyTarget, source: string, more: readonly string[] = []): string {
    const program = path.join(this.#folder, `program-${this.#count++}`);
    execute(target.compiler, [
      '-std=c99',
      '-O2',
      ...WARNINGS,
      ...['-ffunction-sections', '-fdata-sections', '-Wl,--gc-sections', '-I', HERE, '-I', this.#folder],
      ...(target.kind === 'qemu' ? libraryFlags(target) : []),
      ...target.flags,
      ...[source, ...more, '-o', program],
      ...(target.kind === 'qemu' && target.script !== undefined ? ['-lc', '-lgcc'] : []),
    ]);
    return program;
  }

  /** Runs a program and returns what it printed; it must end with 42. */
  async run(target: AnyTarget, program: string): Promise<string> {
    switch (target.kind) {
      case 'host':
        return finished(target, spawnSync(program, OPTIONS));
      case 'wasm':
        return this.#runWasm(target, program);
      case 'avr':
        return this.#runAvr(target, program).output;
      case 'qemu':
        return this.#runQemu(target, program, []);
    }
  }

  /** The same, counted. */
  count(target: CrossTarget | AvrTarget, program: string): Count & { readonly output: string } {
    if (target.kind === 'avr') return this.#runAvr(target, program);
    const marks = this.symbols(target, program);
    const address = (name: string): string => `0x${(marks.find((s) => s.name === name)?.address ?? 0).toString(16)}`;
    const marked = marks.some(({ name }) => name === 'bench_mark') ? [`mark=${address('bench_mark')}`] : [];
    const file = path.join(this.#folder, 'count.json');
    rmSync(file, { force: true });
    const plugin = this.#tool('instruction-count', ['-shared', '-fPIC']);
    const output = this.#runQemu(target, program, [
      '-plugin',
      [
        plugin,
        `begin=${address('bench_begin')}`,
        `end=${address('bench_end')}`,
        ...marked,
        `core=${target.core}`,
        `out=${file}`,
      ].join(),
    ]);
    return { output, ...readCount(file) };
  }

  /** `ours` selects the symbols that are counted as the network's own. */
  sizes(target: AnyTarget, program: string, ours: RegExp): Sizes {
    const symbols = this.symbols(target, program).filter(({ name }) => ours.test(name));
    const total = (matches: (symbol: Symbol) => boolean): number =>
      symbols.filter(matches).reduce((sum, { bytes }) => sum + bytes, 0);
    // Linker scripts may put constants beside the code, or into RAM as on AVR, so names tell them apart: those of
    // constants end in the number of their operation.
    const isConstant = ({ name }: Symbol): boolean => /_\d+$/.test(name);
    return {
      codeBytes: total((symbol) => /[tTwW]/.test(symbol.kind) && !isConstant(symbol)),
      constantBytes: total((symbol) => isConstant(symbol)),
      ramBytes: total((symbol) => /[bBdD]/.test(symbol.kind) && (target.kind === 'avr' || !isConstant(symbol))),
    };
  }

  symbols(target: AnyTarget, program: string): readonly Symbol[] {
    return execute(nmOf(target), ['-S', '--defined-only', program])
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields.length === 4)
      .map(([address = '0', bytes = '0', kind = '', name = '']) => ({
        address: parseInt(address, 16),
        bytes: parseInt(bytes, 16),
        kind,
        name,
      }));
  }

  #runQemu(target: CrossTarget, program: string, extra: readonly string[]): string {
    const [qemu = '', ...machine] = target.qemu;
    return finished(
      target,
      spawnSync(
        qemu,
        [
          ...machine,
          ...['-display', 'none', '-monitor', 'none', '-serial', 'none', '-chardev', 'stdio,id=c0'],
          ...['-semihosting-config', 'enable=on,target=native,chardev=c0', ...extra, '-kernel', program],
        ],
        OPTIONS,
      ),
    );
  }

  #runAvr(target: AvrTarget, program: string): Count & { readonly output: string } {
    const runner = this.#tool('avr-run', ['-lsimavr', '-lelf', '-lm']);
    const file = path.join(this.#folder, 'count.json');
    rmSync(file, { force: true });
    const output = finished(target, spawnSync(runner, [target.mcu, program, file, String(MOST_AVR_CYCLES)], OPTIONS));
    return { output, ...readCount(file) };
  }

  async #runWasm(target: AnyTarget, program: string): Promise<string> {
    const characters: number[] = [];
    const { instance } = await WebAssembly.instantiate(readFileSync(program), {
      env: { put: (character: number) => characters.push(character) },
    });
    const status = (instance.exports['program'] as () => number)();
    return finished(target, { status, stdout: String.fromCharCode(...characters), stderr: '' });
  }

  /** A program of this folder, compiled for this machine. */
  #tool(name: string, flags: readonly string[]): string {
    const known = this.#tools.get(name);
    if (known !== undefined) return known;
    const file = path.join(this.#folder, name);
    execFileSync('gcc', ['-std=gnu11', '-O2', path.join(HERE, `${name}.c`), '-o', file, ...flags]);
    this.#tools.set(name, file);
    return file;
  }
}

const OPTIONS = { encoding: 'utf8', timeout: TIMEOUT_MS, maxBuffer: 1 << 26 } as const;

function libraryFlags(target: CrossTarget): string[] {
  if (target.script !== undefined) {
    const library = `/usr/lib/${target.compiler.replace(/-gcc$/, '')}/lib`;
    return ['-nostdlib', '-L', library, '-T', path.join(HERE, target.script), '-Wl,--no-warn-rwx-segments'];
  }
  const [flash, flashSize, ram, ramSize] = target.memory;
  const stack = target.ramBytes < 1 << 14 ? '2K' : '16K';
  const places = [
    ...[`__flash=${flash}`, `__flash_size=${flashSize}`, `__ram=${ram}`, `__ram_size=${ramSize}`],
    `__stack_size=${stack}`,
  ];
  return [
    ...[`--specs=${specsOf(target)}`, '--oslib=semihost', '--crt0=hosted'],
    ...places.map((place) => `-Wl,--defsym=${place}`),
  ];
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function finished(target: AnyTarget, { status, stdout, stderr }: Ended): string {
  if (status === 42) return stdout;
  throw new Error(`${target.name}: the program ended with ${String(status)}: ${stderr.slice(0, 2000)}`);
}

function readCount(file: string): Count {
  const none = { instructions: 0, cycles: 0, marks: [], stackBytes: 0 };
  return existsSync(file) ? { ...none, ...(JSON.parse(readFileSync(file, 'utf8')) as Partial<Count>) } : none;
}

function execute(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${command} failed:\n${stderr.slice(0, 4000)}`);
  return stdout;
}
