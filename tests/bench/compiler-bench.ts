/**
 * Emitted networks on emulated processors, beside the published figures of TensorFlow Lite Micro with CMSIS-NN
 * (measured with the same cost model; see tests/cross/instruction-count.c). Needs ../shared/data/tflite and the cross
 * compilers; says what is missing.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EmitError } from '../../src/emit/model';
import { readPack } from '../../src/emit/pack';
import { selfTestCount } from '../../src/emit/self-test';
import { compileJob } from '../../src/worker/compile-job';
import { CrossBench } from '../cross/cross-bench';
import {
  AVR_TARGETS,
  CROSS_TARGETS,
  HELIUM_TARGET,
  whyMissing,
  type AvrTarget,
  type CrossTarget,
} from '../cross/cross-target';
import { networkProgram, parseOutput } from '../cross/network-program';
import { LOADER_FLAGS, LOADER_SOURCES, packProgram, parsePacks } from '../cross/pack-program';

const ROOT = process.cwd();
const MODELS = path.resolve(ROOT, '../shared/data/tflite');

interface Reference {
  /** Estimated cycles of TFLM with CMSIS-NN on M4 and M0+, its arena and code in bytes on M4; null: not measured. */
  readonly m4: number;
  readonly m0plus: number | null;
  readonly arena: number;
  readonly code: number | null;
  /** What we set out to reach on M4. */
  readonly goal: number | null;
}

const REFERENCES: Readonly<Record<string, Reference>> = {
  'kws_ref_model.tflite': { m4: 9_192_201, m0plus: 39_800_000, arena: 22_820, code: 83_456, goal: 5_000_000 },
  'responding-to-your-voice-tutorial.i8.lite': {
    m4: 1_749_056,
    m0plus: null,
    arena: 8_020,
    code: 67_904,
    goal: 950_000,
  },
  'gestures-i8.lite': { m4: 137_741, m0plus: null, arena: 1_508, code: 38_848, goal: 85_000 },
  'mlp_33_20_10_4.tflite': { m4: 8_404, m0plus: 21_800, arena: 932, code: 38_848, goal: 4_500 },
  'hello_world_int8.tflite': { m4: 4_984, m0plus: null, arena: 772, code: 31_264, goal: null },
};

/** What is measured: the cores with a cost model, M55 with either kernels, RV32, and an Arduino Uno and Mega. */
const MEASURED: readonly (CrossTarget | AvrTarget)[] = [
  ...CROSS_TARGETS.filter(({ name }) => ['Cortex-M4', 'Cortex-M0+', 'Cortex-M55', 'RV32IMC'].includes(name)),
  HELIUM_TARGET,
  ...AVR_TARGETS,
];
/** M4's cycles depend on where the linker puts the code: the median of so many placements counts. */
const PLACEMENTS = 9;
/** Room for a model from a pack on the emulated boards. */
const PACK_RAM = 1 << 18;
const OURS = /^net_|^mem(cpy|set)$|^__(aeabi_|mul|div)/;

/** The same network from its pack, run by the loader: cycles without features, and whether all answers are the known ones. */
function packCycles(target: CrossTarget, pack: Uint8Array): { readonly cycles: number; readonly same: boolean } {
  const source = bench.write('pack.c', packProgram([pack], 2, PACK_RAM));
  const run = bench.count(target, bench.compile(target, source, [...LOADER_FLAGS, ...LOADER_SOURCES]));
  const windows = Math.min(2, selfTestCount(readPack(pack).selfTest));
  return { cycles: run.cycles, same: parsePacks(run.output).same[0] === windows };
}

function medianCycles(target: CrossTarget, text: string): number {
  const cycles = Array.from({ length: PLACEMENTS }, (_, padding) => {
    const nops = Array.from({ length: padding }, () => '__asm volatile("nop");').join(' ');
    const source = `__attribute__((used, noinline)) void padding(void);\nvoid padding(void) { ${nops} }\n${text}`;
    return bench.count(target, bench.compile(target, bench.write('main.c', source))).cycles;
  }).sort((a, b) => a - b);
  return cycles[Math.floor(PLACEMENTS / 2)] as number;
}

function number(value: number): string {
  return value.toLocaleString('en');
}

const bench = new CrossBench();
console.log('compiler: one inference, -O2, cycles estimated by the same model for ours and the reference');
if (!existsSync(MODELS)) {
  console.log('  left out: ../shared/data/tflite is missing');
} else {
  try {
    for (const [file, reference] of Object.entries(REFERENCES)) {
      const stem = file.replace(/\.(tflite|lite)$/, '');
      const bytes = new Uint8Array(readFileSync(path.join(MODELS, file)));
      const inputs = new Int8Array(readFileSync(path.join(MODELS, `${stem}.golden_in.bin`)));
      const wanted = new Int8Array(readFileSync(path.join(MODELS, `${stem}.golden_out.bin`)));
      const started = performance.now();
      await compileJob({ bytes, fileName: 'net.tflite', target: 'cortex-m4' });
      console.log(`\n${stem} (compiled in ${(performance.now() - started).toFixed(0)} ms)`);
      for (const target of MEASURED) {
        const { made } = target;
        const missing = whyMissing(target);
        if (missing !== null) {
          console.log(`  ${target.name}: left out, ${missing}`);
          continue;
        }
        const compiled = await compileJob({ bytes, fileName: 'net.tflite', target: made }).catch((error: unknown) => {
          if (error instanceof EmitError && error.code === 'too-large') return null;
          throw error;
        });
        if (!compiled) {
          console.log(`  ${target.name.padEnd(22)} does not fit`);
          continue;
        }
        const { header, plan, constantBytes, pack } = compiled;
        const size = Number(/NET_INPUT_SIZE (\d+)/.exec(header)?.[1]);
        if (target.kind === 'avr' && (plan.arenaBytes + size > target.ramBytes || constantBytes > target.flashBytes)) {
          console.log(`  ${target.name.padEnd(22)} does not fit`);
          continue;
        }
        bench.write('net.h', header);
        const text = networkProgram('net.h', 'net', inputs.subarray(0, size), 1);
        const program = bench.compile(target, bench.write('main.c', text));
        const run = bench.count(target, program);
        const cycles = target.kind === 'qemu' && target.core === 'm4' ? medianCycles(target, text) : run.cycles;
        const { outputs, stackBytes } = parseOutput(run.output);
        const sizes = bench.sizes(target, program, OURS);
        const same = outputs.every((value, index) => value === wanted[index]);
        const effort = [
          ...(run.instructions > 0 ? [`${number(run.instructions)} instructions`] : []),
          ...(cycles > 0 && !(target.kind === 'qemu' && target.core === 'none') ? [`${number(cycles)} cycles`] : []),
        ].join(', ');
        console.log(
          `  ${target.name.padEnd(22)} ${effort}; arena ${number(plan.arenaBytes)} B, ` +
            `stack ${number(target.kind === 'avr' ? run.stackBytes : stackBytes)} B, ` +
            `code ${number(sizes.codeBytes)} B, constants ${number(sizes.constantBytes)} B; bytes ${same ? 'identical' : 'DIFFER'}`,
        );
        if (target.kind === 'avr') continue;
        if (target.core !== 'none' && pack !== null) {
          const packed = packCycles(target, pack);
          console.log(
            `                         from its pack ${number(packed.cycles)} cycles, ` +
              `${(packed.cycles / cycles).toFixed(2)} of compiled in; answers ${packed.same ? 'identical' : 'DIFFER'}`,
          );
        }
        const rival = target.core === 'm4' ? reference.m4 : target.core === 'm0plus' ? reference.m0plus : null;
        if (rival !== null) {
          const goal =
            target.core === 'm4' && reference.goal !== null
              ? `; goal ${number(reference.goal)}: ${cycles <= reference.goal ? 'reached' : 'missed'}`
              : '';
          console.log(
            `                         TFLM + CMSIS-NN ${number(rival)} cycles: ours ${(cycles / rival).toFixed(2)} of it${goal}`,
          );
        }
        if (target.core === 'm4') {
          const code = reference.code === null ? '' : `, code ${(sizes.codeBytes / reference.code).toFixed(2)}`;
          console.log(`                         of its arena ${(plan.arenaBytes / reference.arena).toFixed(2)}${code}`);
        }
      }
    }
  } finally {
    bench.close();
  }
}
