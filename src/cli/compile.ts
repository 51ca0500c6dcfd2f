/** `compile MODEL.tflite --out DIR`: a network made elsewhere, as C for one kind of core. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { TARGETS } from '../emit/target';
import { CALIBRATION_METHODS, type CalibrationMethod } from '../quantize/calibration';
import type { Activations } from '../quantize/shared-scales';
import { compileJob, type CompileOutputs } from '../worker/compile-job';
import { bundleFlag, bundleFormatOf, bundleZip } from './bundle';
import { readInput } from './input-files';
import { printResult, printText, say } from './output';
import { makeFolder, writeOutput } from './output-folder';
import { targetOf } from './target-flag';
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
    `arena ${plan.arenaBytes} bytes; no plan with these kernels needs less than ${plan.lowerBoundBytes}` +
      (plan.provenBest ? '; proven best' : ''),
    ...lines.map((line) => line.trimEnd()),
    '',
  ].join('\n');
}

/** What runs in floating point, why, and what it costs. A float network says it once. */
function floatReport({ kind, floatLayers, macs }: CompileOutputs): string[] {
  const floatMacs = floatLayers.reduce((sum, layer) => sum + layer.macs, 0);
  const share = macs > 0 ? ` with ${floatMacs} of ${macs} multiply-adds` : '';
  const layers = floatLayers.length === 1 ? '1 layer runs' : `${floatLayers.length} layers run`;
  const head = `note: ${layers} in float32${share}`;
  if (kind === 'float') return [`${head}. ${floatLayers[0]?.why ?? ''}`];
  return [
    `${head}:`,
    ...floatLayers.map(
      ({ name, kind, why, macs, constantBytes, outputBytes, cycles }) =>
        `  ${kind} "${name}": ${macs} multiply-adds, ${constantBytes} bytes of constants, ${outputBytes} bytes of output` +
        `${cycles === null ? '' : `, ${Math.round(cycles)} cycles`}. ${why}`,
    ),
  ];
}

export const compileVerb: Verb = {
  summary: 'Compile a TensorFlow Lite model to C.',
  synopsis:
    'MODEL.tflite --out DIR [--target TARGET] [--prefix NAME] [--calibrate FILE] [--ranges METHOD] [--equalize] [--bias-correction] [--activations int8|int16] [--single-rounding] [--allow-float] [--float-layers NAME...] [--bundle FORMAT] [--arena-report]',
  flags: {
    out: {
      takes: 'one',
      value: 'DIR',
      help: 'folder for NAME.h, NAME.mote, plan.json and what was quantized as .tflite',
    },
    target: { takes: 'one', value: 'TARGET', help: `${TARGETS.join(', ')}; default generic` },
    prefix: { takes: 'one', value: 'NAME', help: 'prefix of everything in the header; default: the file name' },
    calibrate: {
      takes: 'one',
      value: 'FILE',
      help: 'inputs that quantize a float model: raw float32, .npy, or .csv with one input per line',
    },
    ranges: {
      takes: 'one',
      value: 'METHOD',
      help: `how ranges are taken from the calibration inputs: ${CALIBRATION_METHODS.join(', ')}; default min-max`,
    },
    equalize: { takes: 'none', value: '', help: 'equalize the channels of neighbouring layers where it helps' },
    'bias-correction': { takes: 'none', value: '', help: "correct the layers' mean error in their biases" },
    activations: {
      takes: 'one',
      value: 'TYPE',
      help: 'int8 (default) or int16: with int16, a quantized float model keeps int8 weights but is much finer; no pack',
    },
    'single-rounding': {
      takes: 'none',
      value: '',
      help: 'round once, as TensorFlow Lite with TFLITE_SINGLE_ROUNDING; such a network has no pack',
    },
    'allow-float': {
      takes: 'none',
      value: '',
      help: 'layers that int8 cannot hold stay float instead of being an error',
    },
    'float-layers': { takes: 'many', value: 'NAME...', help: 'layers that stay float when the others are quantized' },
    bundle: bundleFlag,
    'arena-report': { takes: 'none', value: '', help: 'print the memory plan' },
  },
  async execute(args, signal) {
    const [file, ...rest] = args.inputs;
    const out = args.one('out');
    if (file === undefined || rest.length > 0) throw new UsageError('bad-arguments', 'compile needs one MODEL.tflite');
    if (out === undefined) throw new UsageError('bad-arguments', 'compile needs --out DIR');
    const target = targetOf(args);
    const format = bundleFormatOf(args);
    const prefix = args.one('prefix');
    const calibrate = args.one('calibrate');
    const inputs = {
      bytes: await readInput(file),
      fileName: path.basename(file),
      target,
      ...(prefix === undefined ? {} : { prefix }),
      ...(calibrate === undefined
        ? {}
        : { calibration: { bytes: await readInput(calibrate), fileName: path.basename(calibrate) } }),
      allowFloat: args.has('allow-float'),
      floatLayers: args.many('float-layers'),
      quantization: {
        calibration: { method: rangesOf(args.one('ranges')) },
        equalize: args.has('equalize') ? ('auto' as const) : false,
        biasCorrection: args.has('bias-correction'),
        ...activationsOf(args.one('activations')),
      },
      rounding: args.has('single-rounding') ? ('single' as const) : ('double' as const),
    };
    const result = await compileJob(inputs, { signal });
    await makeFolder(out);
    await writeOutput(path.join(out, `${result.prefix}.h`), result.header);
    await writeOutput(path.join(out, 'plan.json'), result.planJson);
    if (result.pack) await writeOutput(path.join(out, `${result.prefix}.mote`), result.pack);
    // Another name than the model's own, which may lie in the same folder.
    if (result.tflite) await writeOutput(path.join(out, `${result.prefix}-${result.kind}.tflite`), result.tflite);
    if (result.pack && format) {
      for (const [name, zip] of Object.entries(bundleZip(result.pack, format, target))) {
        await writeOutput(path.join(out, name), zip);
      }
    }
    for (const note of result.notes) say(`note: ${note}`);
    if (result.floatLayers.length > 0) for (const line of floatReport(result)) say(line);
    if (result.packProblem !== null) {
      say(`note: no ${result.prefix}.mote${format ? ' and no project' : ''}: ${result.packProblem}`);
      // Beside the new header it would be taken for the same network.
      if (existsSync(path.join(out, `${result.prefix}.mote`)))
        say(`note: the ${result.prefix}.mote in ${out} is of an earlier compile and does not belong to this header.`);
    }
    if (args.has('arena-report')) printText(report(result));
    else {
      const { kind, macs, cycles, constantBytes, plan } = result;
      printResult({
        prefix: result.prefix,
        kind,
        target,
        macs,
        cycles,
        arenaBytes: plan.arenaBytes,
        constantBytes,
        ...(result.quantization ? { agreement: result.quantization.agreement } : {}),
        floatLayers: result.floatLayers.length,
      });
    }
  },
};

function rangesOf(given: string | undefined): CalibrationMethod {
  const method = CALIBRATION_METHODS.find((known) => known === (given ?? 'min-max'));
  if (method) return method;
  throw new UsageError('bad-arguments', `unknown --ranges "${given}"; known are ${CALIBRATION_METHODS.join(', ')}`);
}

function activationsOf(given: string | undefined): { readonly activations?: Activations } {
  if (given === undefined) return {};
  if (given === 'int8' || given === 'int16') return { activations: given };
  throw new UsageError('bad-arguments', `unknown --activations "${given}"; known are int8, int16`);
}
