/** Other processors, emulated: compiles C for them, runs it in QEMU and counts. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface CrossTarget {
  readonly name: string;
  readonly compiler: string;
  readonly flags: readonly string[];
  readonly qemu: readonly string[];
  /** Start and size of flash and RAM, for the linker script of picolibc. */
  readonly memory: readonly [flash: string, flashSize: string, ram: string, ramSize: string];
  /** Cost model of the counting plugin; `none`: instructions only. */
  readonly core: 'm4' | 'm0plus' | 'none';
}

const ARM = 'arm-none-eabi';
const BIG = ['0x0', '4M', '0x20000000', '4M'] as const;

function arm(
  name: string,
  cpu: string,
  machine: string,
  core: CrossTarget['core'],
  memory: CrossTarget['memory'] = BIG,
): CrossTarget {
  const float = cpu.startsWith('cortex-m0') ? [] : ['-mfloat-abi=soft'];
  return {
    name,
    compiler: `${ARM}-gcc`,
    flags: [`-mcpu=${cpu}`, '-mthumb', ...float],
    qemu: ['qemu-system-arm', '-M', machine],
    memory,
    core,
  };
}

/** Code for M0+ runs on a machine with an M4: its instructions are a subset, and the machine has room. */
export const CROSS_TARGETS: readonly CrossTarget[] = [
  arm('Cortex-M0+', 'cortex-m0plus', 'mps2-an386', 'm0plus'),
  arm('Cortex-M4', 'cortex-m4', 'mps2-an386', 'm4'),
  arm('Cortex-M7', 'cortex-m7', 'mps2-an500', 'none'),
  arm('Cortex-M33', 'cortex-m33', 'mps2-an505', 'none', ['0x10000000', '2M', '0x38000000', '2M']),
  {
    name: 'RV32IMC',
    compiler: 'riscv64-unknown-elf-gcc',
    flags: ['-march=rv32imc', '-mabi=ilp32'],
    qemu: ['qemu-system-riscv32', '-M', 'virt', '-bios', 'none'],
    memory: ['0x80000000', '4M', '0x80400000', '4M'],
    core: 'none',
  },
];

function prefixOf(target: CrossTarget): string {
  return target.compiler.replace(/-gcc$/, '');
}

function specsOf(target: CrossTarget): string {
  return `/usr/lib/picolibc/${prefixOf(target)}/picolibc.specs`;
}

/** Why a target cannot be used here, or null when it can. */
export function whyMissing(target: CrossTarget): string | null {
  for (const program of [target.compiler, target.qemu[0] as string]) {
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0) return `${program} is not installed`;
  }
  return existsSync(specsOf(target)) ? null : `picolibc for ${prefixOf(target)} is not installed`;
}

export interface CrossRun {
  /** What the program printed. */
  readonly output: string;
  /** Between `bench_begin()` and `bench_end()`; 0 when they were not called. */
  readonly instructions: number;
  readonly cycles: number;
  /** Bytes of functions whose names match, and of constants and variables likewise. */
  readonly codeBytes: number;
  readonly constantBytes: number;
  readonly ramBytes: number;
}

export class CrossBench {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'mote-cross-'));
  #plugin: string | null = null;
  #count = 0;

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  write(name: string, text: string): string {
    const file = path.join(this.#folder, name);
    writeFileSync(file, text);
    return file;
  }

  #counter(pluginSource: string): string {
    if (this.#plugin === null) {
      this.#plugin = path.join(this.#folder, 'instruction-count.so');
      execFileSync('gcc', ['-std=gnu11', '-shared', '-fPIC', '-O2', '-o', this.#plugin, pluginSource]);
    }
    return this.#plugin;
  }

  /**
   * Compiles `source` with -O2 and runs it; its exit code must be 42. `ours` selects the symbols that are counted as
   * the network's own.
   */
  run(target: CrossTarget, source: string, pluginSource: string, ours: RegExp): CrossRun {
    const program = path.join(this.#folder, `program-${this.#count++}.elf`);
    const [flash, flashSize, ram, ramSize] = target.memory;
    const places = [`__flash=${flash}`, `__flash_size=${flashSize}`, `__ram=${ram}`, `__ram_size=${ramSize}`];
    this.#execute(target.compiler, [
      `--specs=${specsOf(target)}`,
      '--oslib=semihost',
      '--crt0=hosted',
      ...[...places, '__stack_size=16K'].map((place) => `-Wl,--defsym=${place}`),
      ...[
        '-std=c99',
        '-O2',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-ffunction-sections',
        '-fdata-sections',
        '-Wl,--gc-sections',
      ],
      ...target.flags,
      source,
      '-o',
      program,
    ]);
    const symbols = this.#symbols(target, program);
    const address = (name: string): string => `0x${(symbols.find((s) => s.name === name)?.address ?? 0).toString(16)}`;
    const counted = path.join(this.#folder, 'count.json');
    rmSync(counted, { force: true });
    const plugin = `${this.#counter(pluginSource)},begin=${address('bench_begin')},end=${address('bench_end')},core=${target.core},out=${counted}`;
    const [qemu, ...machine] = target.qemu;
    const { status, stdout, stderr } = spawnSync(
      qemu as string,
      [
        ...machine,
        ...['-display', 'none', '-monitor', 'none', '-serial', 'none', '-chardev', 'stdio,id=c0'],
        ...['-semihosting-config', 'enable=on,target=native,chardev=c0', '-plugin', plugin, '-kernel', program],
      ],
      { encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 26 },
    );
    if (status !== 42)
      throw new Error(`${target.name}: the program ended with ${String(status)}: ${stderr.slice(0, 500)}`);
    const count = existsSync(counted)
      ? (JSON.parse(readFileSync(counted, 'utf8')) as { instructions: number; cycles: number })
      : { instructions: 0, cycles: 0 };
    // Some linker scripts put constants beside the code, so names tell them apart: constants end in the op's number.
    const isConstant = (name: string): boolean => /_\d+$/.test(name);
    const total = (kinds: RegExp, constant: boolean | null): number =>
      symbols
        .filter(
          ({ name, kind }) =>
            kinds.test(kind) && ours.test(name) && (constant ?? isConstant(name)) === isConstant(name),
        )
        .reduce((sum, { bytes }) => sum + bytes, 0);
    return {
      output: stdout,
      ...count,
      codeBytes: total(/[tT]/, false),
      constantBytes: total(/[rRtT]/, true),
      ramBytes: total(/[bBdD]/, null),
    };
  }

  #symbols(target: CrossTarget, program: string) {
    return this.#execute(`${prefixOf(target)}-nm`, ['-S', '--defined-only', program])
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

  #execute(command: string, args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`${command} failed:\n${stderr.slice(0, 4000)}`);
    return stdout;
  }
}

/**
 * A program that runs the network in `header` on the given inputs and prints every output byte; the last inference is
 * the one that is counted.
 */
export function networkProgram(header: string, prefix: string, inputs: Int8Array, cases: number): string {
  const X = prefix.toUpperCase();
  return `#include <stdio.h>
#include "${header}"
static const int8_t inputs[] = {${Array.from(inputs).join()}};
__attribute__((noinline)) void bench_begin(void) { __asm volatile(""); }
__attribute__((noinline)) void bench_end(void) { __asm volatile(""); }
static int8_t in[${X}_INPUT_SIZE];
static int8_t out[${X}_OUTPUT_SIZE];
__attribute__((noinline)) int ${prefix}_run(void) { return ${prefix}_invoke(in, out); }
int main(void) {
  int c, i, failed = 0;
  for (c = 0; c < ${cases}; c++) {
    for (i = 0; i < ${X}_INPUT_SIZE; i++) in[i] = inputs[c * ${X}_INPUT_SIZE + i];
    bench_begin();
    failed |= ${prefix}_run();
    bench_end();
    for (i = 0; i < ${X}_OUTPUT_SIZE; i++) printf("%d ", out[i]);
  }
  return failed ? 1 : 42;
}
`;
}
