/** The processors that emitted code is tested on: how to compile for each, and what runs the program. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Target } from '../../src/emit/target';

interface Processor {
  readonly name: string;
  /** Which code it gets. */
  readonly made: Target;
  readonly compiler: string;
  readonly flags: readonly string[];
  /** What a test program may fill. */
  readonly ramBytes: number;
  readonly flashBytes: number;
  /** Its kernels for layers without weights are those of another target: nothing to test twice. */
  readonly weightedOnly?: true;
}

/** An Arm, RISC-V or Xtensa board of QEMU. */
export interface CrossTarget extends Processor {
  readonly kind: 'qemu';
  readonly qemu: readonly string[];
  /** Linker script beside this file, of a processor whose C library does not know this board. */
  readonly script?: string;
  /** Start and size of flash and RAM, for the linker script of picolibc. */
  readonly memory: readonly [flash: string, flashSize: string, ram: string, ramSize: string];
  /** Cost model of the counting plugin; `none`: instructions only. */
  readonly core: 'm4' | 'm0plus' | 'none';
}

/** An AVR of simavr. */
export interface AvrTarget extends Processor {
  readonly kind: 'avr';
  readonly mcu: string;
}

/** This machine, or WebAssembly in Node. */
export interface NativeTarget extends Processor {
  readonly kind: 'host' | 'wasm';
}

export type AnyTarget = CrossTarget | AvrTarget | NativeTarget;

const ARM = 'arm-none-eabi';
const MIB = 1 << 20;
const BIG = ['0x0', '4M', '0x20000000', '4M'] as const;

function arm(
  name: string,
  cpu: string,
  machine: string,
  core: CrossTarget['core'],
  options: Partial<Pick<CrossTarget, 'memory' | 'flags' | 'ramBytes' | 'flashBytes'>> = {},
): CrossTarget {
  const small = cpu.startsWith('cortex-m0');
  return {
    kind: 'qemu',
    name,
    made: small ? 'cortex-m0plus' : 'cortex-m4',
    compiler: `${ARM}-gcc`,
    flags: [`-mcpu=${cpu}`, '-mthumb', ...(small ? [] : ['-mfloat-abi=soft']), ...(options.flags ?? [])],
    qemu: ['qemu-system-arm', '-M', machine],
    memory: options.memory ?? BIG,
    core,
    ramBytes: options.ramBytes ?? MIB,
    flashBytes: options.flashBytes ?? MIB,
  };
}

/** Boards of QEMU. Code for M0+ also runs on a machine with an M3: its instructions are a subset, and there is room. */
export const CROSS_TARGETS: readonly CrossTarget[] = [
  arm('Cortex-M0', 'cortex-m0', 'microbit', 'm0plus', {
    memory: ['0x0', '256K', '0x20000000', '16K'],
    flags: ['-DPAINTED_BYTES=1024'],
    ramBytes: 13_000,
    flashBytes: 230_000,
  }),
  arm('Cortex-M0+', 'cortex-m0plus', 'mps2-an385', 'm0plus'),
  arm('Cortex-M4', 'cortex-m4', 'mps2-an386', 'm4'),
  arm('Cortex-M7', 'cortex-m7', 'mps2-an500', 'none'),
  arm('Cortex-M33', 'cortex-m33', 'mps2-an505', 'none', { memory: ['0x10000000', '2M', '0x38000000', '2M'] }),
  arm('Cortex-M55', 'cortex-m55', 'mps3-an547', 'none', {
    memory: ['0x0', '512K', '0x20000000', '512K'],
    ramBytes: 400_000,
    flashBytes: 450_000,
  }),
  {
    kind: 'qemu',
    name: 'RV32IMC',
    made: 'rv32',
    compiler: 'riscv64-unknown-elf-gcc',
    flags: ['-march=rv32imc', '-mabi=ilp32'],
    qemu: ['qemu-system-riscv32', '-M', 'virt', '-bios', 'none'],
    memory: ['0x80000000', '4M', '0x80400000', '4M'],
    core: 'none',
    ramBytes: MIB,
    flashBytes: MIB,
  },
  // The core of the ESP8266: the only Xtensa that the distribution has a compiler for. The ESP32's LX6 and LX7 add
  // windowed registers and a divider to the same instructions.
  {
    kind: 'qemu',
    name: 'Xtensa LX106',
    made: 'esp32',
    compiler: 'xtensa-lx106-elf-gcc',
    flags: ['-mlongcalls', '-isystem', '/usr/lib/xtensa-lx106-elf/include'],
    qemu: ['qemu-system-xtensa', '-M', 'sim', '-cpu', 'lx106'],
    script: 'xtensa.ld',
    memory: BIG,
    core: 'none',
    ramBytes: MIB,
    flashBytes: MIB,
  },
];

/** Constants lie in RAM on AVR, so that little fits; the rest of the RAM is for the stack. */
function avr(name: string, mcu: string, ramBytes: number, flashBytes: number): AvrTarget {
  return {
    kind: 'avr',
    name,
    mcu,
    made: 'avr',
    compiler: 'avr-gcc',
    flags: [`-mmcu=${mcu}`],
    ramBytes: ramBytes - 300,
    flashBytes: flashBytes - 4096,
  };
}

export const AVR_TARGETS: readonly AvrTarget[] = [
  avr('ATmega328P', 'atmega328p', 2048, 32_768),
  avr('ATmega2560', 'atmega2560', 8192, 262_144),
];

function host(name: string, compiler: string, made: Target, ...flags: string[]): NativeTarget {
  return { kind: 'host', name, made, compiler, flags, ramBytes: 64 * MIB, flashBytes: 2 * MIB };
}

/** The portable twins of the assembly, in layers with weights. */
function twins(target: NativeTarget): NativeTarget {
  return { ...target, weightedOnly: true };
}

const SANITIZERS = ['-O1', '-g1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

/** This machine, with the portable kernels and with the portable twins of the assembly. */
export const HOST_TARGETS: readonly NativeTarget[] = [
  host('x86 gcc', 'gcc', 'generic'),
  host('x86 clang', 'clang', 'generic'),
  twins(host('x86 gcc, twins for M4', 'gcc', 'cortex-m4')),
  twins(host('x86 clang, twins for M0+', 'clang', 'cortex-m0plus')),
  host('x86 gcc with sanitizers', 'gcc', 'generic', ...SANITIZERS),
  twins(host('x86 gcc with sanitizers, twins for M4', 'gcc', 'cortex-m4', ...SANITIZERS)),
  twins(host('x86 gcc with sanitizers, twins for M0+', 'gcc', 'cortex-m0plus', ...SANITIZERS)),
];

export const WASM_TARGET: NativeTarget = {
  kind: 'wasm',
  name: 'WebAssembly',
  made: 'generic',
  compiler: 'clang',
  flags: ['--target=wasm32', '-ffreestanding', '-nostdlib', '-Wl,--no-entry'],
  ramBytes: 16 * MIB,
  flashBytes: 2 * MIB,
};

/** Vectors of sixteen inputs. */
export const WASM_SIMD_TARGET: NativeTarget = {
  ...WASM_TARGET,
  name: 'WebAssembly with SIMD',
  weightedOnly: true,
  flags: [...WASM_TARGET.flags, '-msimd128'],
};

/** The same on M55: the portable kernels with Helium. Its code is made for `generic`; GCC knows Helium with hard floats. */
export const HELIUM_TARGET: CrossTarget = {
  ...(CROSS_TARGETS.find(({ name }) => name === 'Cortex-M55') as CrossTarget),
  name: 'Cortex-M55 with Helium',
  weightedOnly: true,
  made: 'generic',
  flags: ['-mcpu=cortex-m55', '-mthumb', '-mfloat-abi=hard'],
};

export const EVERY_TARGET: readonly AnyTarget[] = [
  ...HOST_TARGETS,
  WASM_TARGET,
  WASM_SIMD_TARGET,
  ...CROSS_TARGETS,
  HELIUM_TARGET,
  ...AVR_TARGETS,
];

function prefixOf(target: CrossTarget): string {
  return target.compiler.replace(/-gcc$/, '');
}

export function specsOf(target: CrossTarget): string {
  return `/usr/lib/picolibc/${prefixOf(target)}/picolibc.specs`;
}

/** A file that is there when the C library of the target is. */
function libraryOf(target: CrossTarget): string {
  return target.script === undefined ? specsOf(target) : `/usr/lib/${prefixOf(target)}/include/stdint.h`;
}

export function nmOf(target: AnyTarget): string {
  return target.kind === 'qemu' ? `${prefixOf(target)}-nm` : target.kind === 'avr' ? 'avr-nm' : 'nm';
}

const known = new Map<string, boolean>();

function isThere(program: string): boolean {
  const before = known.get(program);
  if (before !== undefined) return before;
  const there = spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
  known.set(program, there);
  return there;
}

const SIMAVR = '/usr/include/simavr/sim_avr.h';

/** Why a target cannot be used here, or null when it can. */
export function whyMissing(target: AnyTarget): string | null {
  if (!isThere(target.compiler)) return `${target.compiler} is not installed`;
  switch (target.kind) {
    case 'qemu': {
      const emulator = target.qemu[0] as string;
      if (!isThere(emulator)) return `${emulator} is not installed`;
      return existsSync(libraryOf(target)) ? null : `picolibc for ${prefixOf(target)} is not installed`;
    }
    case 'avr':
      if (!existsSync('/usr/lib/avr/include/avr/io.h')) return 'avr-libc is not installed';
      if (!existsSync(SIMAVR) || !existsSync('/usr/include/libelf.h'))
        return 'libsimavr-dev or libelf-dev is not installed';
      return isThere('gcc') ? null : 'gcc is not installed';
    case 'wasm':
      return isThere('wasm-ld') ? null : 'lld (wasm-ld) is not installed';
    case 'host':
      return null;
  }
}
