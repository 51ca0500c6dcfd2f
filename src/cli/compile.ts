/** `compile MODEL.tflite --out DIR`: a network made elsewhere, as C for one kind of core. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isTarget, TARGETS } from '../emit/target';
import { compileJob, type CompileOutputs } from '../worker/compile-job';
import { readInput } from './input-files';
import { printResult, printText, say } from './output';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

/** Characters of the longest bar of the report. */
const BAR = 40;

function report({ plan }: CompileOutputs): string {
  const step = (index: number): string =>
    index < 0 ? 'input' : index >= plan.ops.length ? 'output' : `${index + 1} ${plan.ops[index] ?? ''}`;
  const rows = [...plan.buffers].sort((a, b) => a.first - b.first || a.offset - b.offset);
  const column = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));
  const names = rows.map(({ name, kind }) => (kind === 'scratch' ? name : name.slice(-40)));
  const spans = rows.map(({ first, last }) => `${step(first)} .. ${step(last)}`);
  const [nameWidth, spanWidth] = [column(names), column(spans)];
  const lines = rows.map((row, index) => {
    const start = Math.floor((row.offset / plan.arenaBytes) * BAR);
    const length = Math.max(1, Math.round((row.bytes / plan.arenaBytes) * BAR));
    const bar = `${' '.repeat(start)}${'#'.repeat(length)}`.slice(0, BAR).padEnd(BAR);
    const bytes = `${String(row.offset).padStart(7)} +${String(row.bytes).padStart(7)} B`;
    return `${(names[index] as string).padEnd(nameWidth)}  ${bytes}  |${bar}|  ${(spans[index] as string).padEnd(spanWidth)}`;
  });
  return [
    `arena ${plan.arenaBytes} bytes; no plan with these kernels needs less than ${plan.lowerBoundBytes}`,
    ...lines.map((line) => line.trimEnd()),
    '',
  ].join('\n');
}

export const compileVerb: Verb = {
  summary: 'Compile a TensorFlow Lite model to C.',
  synopsis: 'MODEL.tflite --out DIR [--target TARGET] [--prefix NAME] [--calibrate FILE] [--arena-report]',
  flags: {
    out: { takes: 'one', value: 'DIR', help: 'folder for NAME.h, NAME.mote and plan.json' },
    target: { takes: 'one', value: 'TARGET', help: `${TARGETS.join(', ')}; default generic` },
    prefix: { takes: 'one', value: 'NAME', help: 'prefix of everything in the header; default: the file name' },
    calibrate: { takes: 'one', value: 'FILE', help: 'float32 inputs, one after another: quantizes a float model' },
    'arena-report': { takes: 'none', value: '', help: 'print the memory plan' },
  },
  async execute(args, signal) {
    const [file, ...rest] = args.inputs;
    const out = args.one('out');
    if (file === undefined || rest.length > 0) throw new UsageError('bad-arguments', 'compile needs one MODEL.tflite');
    if (out === undefined) throw new UsageError('bad-arguments', 'compile needs --out DIR');
    const target = args.one('target') ?? 'generic';
    if (!isTarget(target)) {
      throw new UsageError('bad-arguments', `unknown target "${target}"; known are ${TARGETS.join(', ')}`);
    }
    const prefix = args.one('prefix');
    const calibrate = args.one('calibrate');
    const inputs = {
      bytes: await readInput(file),
      fileName: path.basename(file),
      target,
      ...(prefix === undefined ? {} : { prefix }),
      ...(calibrate === undefined ? {} : { calibration: floats(await readInput(calibrate)) }),
    };
    const result = await compileJob(inputs, { signal });
    await mkdir(out, { recursive: true });
    await writeFile(path.join(out, `${result.prefix}.h`), result.header);
    await writeFile(path.join(out, 'plan.json'), result.planJson);
    if (result.pack) await writeFile(path.join(out, `${result.prefix}.mote`), result.pack);
    for (const note of result.notes) say(`note: ${note}`);
    if (result.packProblem !== null) say(`note: no ${result.prefix}.mote: ${result.packProblem}`);
    if (args.has('arena-report')) printText(report(result));
    else {
      const { kind, macs, cycles, constantBytes, plan } = result;
      printResult({ prefix: result.prefix, kind, target, macs, cycles, arenaBytes: plan.arenaBytes, constantBytes });
    }
  },
};

/** Little-endian float32 of a file. */
function floats(bytes: Uint8Array): Float32Array {
  if (bytes.length === 0 || bytes.length % 4 !== 0) {
    throw new UsageError('bad-arguments', 'calibration files hold little-endian float32 numbers');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true));
}
