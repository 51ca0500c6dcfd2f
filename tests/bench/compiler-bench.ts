/**
 * Emitted networks on emulated processors, beside the published figures of TensorFlow Lite Micro with CMSIS-NN
 * (measured with the same cost model; see tests/cross/instruction-count.c). Needs ../shared/data/tflite and the cross
 * compilers; says what is missing.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Target } from '../../src/emit/target';
import { compileJob } from '../../src/worker/compile-job';
import { CROSS_TARGETS, CrossBench, networkProgram, whyMissing } from '../cross/cross-target';

const ROOT = process.cwd();
const MODELS = path.resolve(ROOT, '../shared/data/tflite');
const PLUGIN = path.join(ROOT, 'tests/cross/instruction-count.c');

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

const MADE_FOR: Readonly<Record<string, Target>> = {
  'Cortex-M0+': 'cortex-m0plus',
  'Cortex-M4': 'cortex-m4',
  RV32IMC: 'rv32',
};

function number(value: number): string {
  return value.toLocaleString('en');
}

console.log('compiler: one inference, -O2, cycles estimated by the same model for ours and the reference');
if (!existsSync(MODELS)) {
  console.log('  left out: ../shared/data/tflite is missing');
} else {
  const bench = new CrossBench();
  try {
    for (const [file, reference] of Object.entries(REFERENCES)) {
      const stem = file.replace(/\.(tflite|lite)$/, '');
      const bytes = new Uint8Array(readFileSync(path.join(MODELS, file)));
      const inputs = new Int8Array(readFileSync(path.join(MODELS, `${stem}.golden_in.bin`)));
      const wanted = new Int8Array(readFileSync(path.join(MODELS, `${stem}.golden_out.bin`)));
      const started = performance.now();
      await compileJob({ bytes, fileName: 'net.tflite', target: 'cortex-m4' });
      console.log(`\n${stem} (compiled in ${(performance.now() - started).toFixed(0)} ms)`);
      for (const target of CROSS_TARGETS) {
        const made = MADE_FOR[target.name];
        if (!made) continue;
        const missing = whyMissing(target);
        if (missing !== null) {
          console.log(`  ${target.name}: left out, ${missing}`);
          continue;
        }
        const { header, plan } = await compileJob({ bytes, fileName: 'net.tflite', target: made });
        const size = Number(/NET_INPUT_SIZE (\d+)/.exec(header)?.[1]);
        const source = bench.write(
          'main.c',
          networkProgram(bench.write('net.h', header), 'net', inputs.subarray(0, size), 1),
        );
        const run = bench.run(target, source, PLUGIN, /^net_|^mem(cpy|set)$|^__(aeabi_|mul|div)/);
        const got = run.output.trim().split(' ').map(Number);
        const same = got.every((value, index) => value === wanted[index]);
        const cycles = target.core === 'none' ? '' : `, ${number(run.cycles)} cycles`;
        console.log(
          `  ${target.name.padEnd(10)} ${number(run.instructions)} instructions${cycles}; arena ${number(plan.arenaBytes)} B, ` +
            `code ${number(run.codeBytes)} B, constants ${number(run.constantBytes)} B; bytes ${same ? 'identical' : 'DIFFER'}`,
        );
        const rival = target.core === 'm4' ? reference.m4 : target.core === 'm0plus' ? reference.m0plus : null;
        if (rival !== null) {
          const goal =
            target.core === 'm4' && reference.goal !== null
              ? `; goal ${number(reference.goal)}: ${run.cycles <= reference.goal ? 'reached' : 'missed'}`
              : '';
          console.log(
            `             TFLM + CMSIS-NN ${number(rival)} cycles: ours ${(run.cycles / rival).toFixed(2)} of it${goal}`,
          );
        }
        if (target.core === 'm4') {
          const code = reference.code === null ? '' : `, code ${(run.codeBytes / reference.code).toFixed(2)}`;
          console.log(`             of its arena ${(plan.arenaBytes / reference.arena).toFixed(2)}${code}`);
        }
      }
    }
  } finally {
    bench.close();
  }
}
