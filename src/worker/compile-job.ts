/** A `.tflite` to C. The same function runs in the browser's worker and on the command line. */
import { emitMixedHeader } from '../emit/mixed-header';
import { planMixed } from '../emit/mixed-plan';
import { estimateCycles, estimateFloatCycles, estimateNetworkCycles } from '../emit/latency';
import { EmitError } from '../emit/model';
import { lowerGraph } from '../emit/lower-graph';
import { multiplyAdds } from '../emit/network-cost';
import { emitNetworkHeader } from '../emit/network-header';
import { emitInt16NetworkHeader } from '../emit/network-header-int16';
import { networkModel } from '../emit/network-model';
import { planInt16Network, planNetwork, type PlannedBuffer } from '../emit/network-plan';
import { writePack } from '../emit/pack';
import { checkPrefix, toPrefix } from '../emit/prefix';
import type { Target } from '../emit/target';
import { readTflite, type ImportedModel } from '../emit/tflite/read-tflite';
import { TfliteError } from '../emit/tflite/tflite-error';
import { writeInt16Tflite, writeTflite } from '../emit/tflite/write-tflite';
import { readCalibrationInputs } from '../formats/calibration-inputs';
import { elementCount, floatInputsOf, type FloatOp } from '../graph/float-graph';
import { LearnError, type LayerFigures } from '../learn/pipeline';
import { removeDeadChannels } from '../quantize/dead-channels';
import { inputsOfInt16, isInt16Graph, type Int16Graph, type IntegerGraph } from '../quantize/int16-graph';
import { inputsOf, QuantizeError, type Int8Graph, type Rounding } from '../quantize/int8-graph';
import { int8View, mixedFromFloat, mixedInputsOf, type MixedGraph, type MixedOp } from '../quantize/mixed-graph';
import { mixedReportInSteps, quantizationReportInSteps, type QuantizationReport } from '../quantize/error-report';
import { keepsFloat, quantizeMixedInSteps } from '../quantize/quantize-mixed';
import { quantizeInSteps, type IntegerQuantizeOptions } from '../quantize/quantize-graph';
import type { Steps, WorkStage } from '../quantize/steps';
import { layerFigures } from './layer-figures';
import { Breather } from './pause';

/** Calibration inputs that the error of the layers is measured on. */
const REPORT_INPUTS = 64;

/** Network inputs, one after another, or a file of them as `readCalibrationInputs` takes it. */
export type CalibrationSource = Float32Array | { readonly bytes: Uint8Array; readonly fileName: string };

/** How far the quantization is. `total` is null where it is not known. */
export interface CompileProgress {
  readonly stage: WorkStage;
  readonly done: number;
  readonly total: number | null;
}

/** What quantizing a float network changed, for people. */
export interface QuantizationSummary {
  /** Calibration inputs: all, and those that the errors were measured on. */
  readonly inputs: number;
  readonly compared: number;
  /** Share of the compared inputs (0..1) whose largest output is at the same place in float and in integers. */
  readonly agreement: number;
  readonly layers: readonly LayerFigures[];
  /** Smallest and largest number among the calibration inputs. */
  readonly lowest: number;
  readonly highest: number;
}

export interface CompileJobOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CompileProgress) => void;
  /** Milliseconds clock: others get their turn every now and then. Default `Date.now`. */
  readonly now?: () => number;
}

export interface CompileInputs {
  readonly bytes: Uint8Array;
  /** Its stem is the default prefix. */
  readonly fileName: string;
  readonly target: Target;
  readonly prefix?: string;
  /** Inputs for quantizing a float network. Without them it stays float. */
  readonly calibration?: CalibrationSource;
  /** How a float network is quantized; default: min-max ranges, nothing else. */
  readonly quantization?: IntegerQuantizeOptions;
  /** How integers are rounded; default double, as TensorFlow Lite Micro. Packs hold networks with double rounding only. */
  readonly rounding?: Rounding;
  /** Names of layers (of their outputs) of a float network that stay float when it is quantized. */
  readonly floatLayers?: readonly string[];
  /** Layers that int8 cannot hold stay float; otherwise they are an error. */
  readonly allowFloat?: boolean;
}

/** A layer that runs in floating point, and what that costs. */
export interface FloatLayer {
  /** Name of its output. */
  readonly name: string;
  readonly kind: string;
  /** Why it is not int8, for people. */
  readonly why: string;
  readonly macs: number;
  /** Four bytes per weight and bias. */
  readonly constantBytes: number;
  readonly outputBytes: number;
  /** Predicted for the target, or null where the table of latencies does not reach. */
  readonly cycles: number | null;
}

export interface CompileOutputs {
  /** `mixed`: int8 with float layers. `int16`: int16 activations, int8 weights. */
  readonly kind: 'int8' | 'int16' | 'mixed' | 'float';
  /** What the file held, before anything was quantized here, and the sizes of one input without the batch. */
  readonly importedKind: ImportedModel['kind'];
  readonly inputShape: readonly number[];
  /** Null when nothing was quantized here. */
  readonly quantization: QuantizationSummary | null;
  /** What was quantized here, as a `.tflite`; null when nothing was, or when the format cannot say it. */
  readonly tflite: Uint8Array | null;
  readonly prefix: string;
  readonly header: string;
  /** The network as a pack, or null with the reason in `packProblem`. */
  readonly pack: Uint8Array | null;
  readonly packProblem: string | null;
  readonly planJson: string;
  readonly plan: {
    readonly ops: readonly string[];
    readonly buffers: readonly PlannedBuffer[];
    readonly arenaBytes: number;
    readonly lowerBoundBytes: number;
    /** No placement of these buffers is smaller. */
    readonly provenBest: boolean;
  };
  readonly constantBytes: number;
  readonly macs: number;
  /** Predicted for the target, or null where the table of latencies does not reach. */
  readonly cycles: number | null;
  /** What runs in floating point; empty for int8 networks. Reshapes, which cost nothing, are left out. */
  readonly floatLayers: readonly FloatLayer[];
  /** What was changed on the way, for people. */
  readonly notes: readonly string[];
}

/**
 * Throws TfliteError, QuantizeError, GraphError or EmitError for a file that cannot be compiled, FormatError for calibration
 * inputs that do not fit, LearnError `cancelled`.
 */
export async function compileJob(
  inputs: CompileInputs,
  { signal, onProgress, now = Date.now }: CompileJobOptions = {},
): Promise<CompileOutputs> {
  const check = (): void => {
    if (signal?.aborted) throw new LearnError('cancelled', 'This was cancelled.');
  };
  const breather = new Breather(now, check);
  const prefix = inputs.prefix ?? toPrefix(inputs.fileName.replace(/^.*[\\/]/, '').replace(/\.(tflite|lite)$/i, ''));
  checkPrefix(prefix);
  const rounding = inputs.rounding ?? 'double';
  const imported = readTflite(inputs.bytes, { rounding });
  const notes = [...imported.notes];
  // Between the steps others get their turn: a cancel, for one.
  await Promise.resolve();
  check();
  const remarks = [
    `${prefix}: a network compiled by Mote from ${inputs.fileName.replace(/^.*[\\/]/, '')}. ` +
      'What you made stays yours; the runtime below is under the MIT licence.',
  ];
  const inputShape = imported.graph.tensors[imported.graph.input]?.shape ?? [];
  const source = { importedKind: imported.kind, inputShape };
  const options: Compilation = {
    prefix,
    remarks,
    notes,
    rounding,
    target: inputs.target,
    source,
    labels: imported.labels,
    quantization: null,
  };

  const mayKeepFloat = inputs.allowFloat === true || (inputs.floatLayers?.length ?? 0) > 0;
  if (mayKeepFloat && (imported.kind !== 'float' || !inputs.calibration)) {
    notes.push('Nothing is quantized here: what was said about float layers was not used.');
  }
  if (imported.kind === 'mixed') {
    if (inputs.calibration) {
      notes.push(
        'Parts of the model are int8 already: the calibration inputs were not used, and its float layers stay.',
      );
    }
    const why = 'The file holds it in float, between a DEQUANTIZE and a QUANTIZE or at one end.';
    return compileMixed(imported.graph, () => why, options);
  }
  let graph: IntegerGraph;
  let quantization: QuantizationSummary | null = null;
  if (imported.kind === 'float') {
    if (!inputs.calibration) {
      const why = 'The model is float and there are no calibration inputs to quantize it with.';
      return compileMixed(mixedFromFloat(imported.graph), () => why, options);
    }
    if (mayKeepFloat && inputs.quantization?.activations === 'int16') {
      throw new QuantizeError(
        'unsupported-op',
        'Float layers go with int8 activations only. Leave out one of the two.',
      );
    }
    const calibration = calibrationInputs(inputs.calibration, elementCount(inputShape));
    const compared = Math.min(REPORT_INPUTS, calibration.length);
    const totals = { ranges: calibration.length, choice: null, correction: null, comparison: compared };
    const run = <Result>(steps: Steps<Result>): Promise<Result> => inTurns(steps, totals, breather, onProgress);
    const summarize = (report: Omit<QuantizationReport, 'input'>): QuantizationSummary => ({
      ...extremes(calibration),
      inputs: calibration.length,
      compared: report.inputs,
      agreement: report.argmaxAgreement,
      layers: report.layers.map(layerFigures),
    });
    if (mayKeepFloat && keepsFloat(imported.graph, inputs)) {
      const { equalize, biasCorrection, ...rest } = inputs.quantization ?? {};
      const floatOptions = {
        ...rest,
        equalize: equalize === true,
        floatLayers: inputs.floatLayers ?? [],
        allowFloat: inputs.allowFloat ?? false,
      };
      const quantized = await run(quantizeMixedInSteps(imported.graph, calibration, floatOptions));
      const samples = calibration.slice(0, REPORT_INPUTS);
      const report = await run(mixedReportInSteps(quantized.float, quantized.graph, samples));
      notes.push(`Quantized to int8 with ${calibration.length} calibration inputs, except for what stays float.`);
      if (biasCorrection || equalize) {
        notes.push(
          'Bias correction and choosing an equalization do not apply to networks with float layers: left out.',
        );
      }
      const why = (op: FloatOp): string => quantized.reasons.get(op.output) ?? '';
      return compileMixed(quantized.graph, why, { ...options, quantization: summarize(report) });
    }
    const quantized = await run(quantizeInSteps(imported.graph, calibration, { ...inputs.quantization, rounding }));
    graph = quantized.graph;
    const report = await run(quantizationReportInSteps(quantized.float, graph, calibration.slice(0, REPORT_INPUTS)));
    quantization = summarize(report);
    const activations = isInt16Graph(graph) ? 'int16 activations and int8 weights' : 'int8';
    notes.push(`Quantized to ${activations} with ${calibration.length} calibration inputs.`);
    if (quantized.equalized) notes.push('Neighbouring layers were equalized.');
    const weakest = report.weakest === null ? undefined : report.layers[report.weakest];
    if (weakest) {
      notes.push(
        `Weakest layer: ${weakest.name}, ${weakest.sqnrDb.toFixed(1)} dB signal to quantization noise, measured on the ` +
          'calibration inputs.',
      );
    }
  } else {
    graph = imported.graph;
    if (inputs.calibration) notes.push(`The model is ${imported.kind} already: the calibration inputs were not used.`);
    const wanted = inputs.quantization?.activations;
    if (wanted && wanted !== imported.kind) {
      notes.push(`The model is ${imported.kind} already: only float models can be given ${wanted} activations.`);
    }
  }

  await breather.breathe();
  if (isInt16Graph(graph)) return compileInt16(graph, { ...options, quantization });
  const tflite = quantization ? tfliteOf(graph, imported.labels) : null;
  const slim = removeDeadChannels(graph);
  if (slim.removedChannels > 0) {
    notes.push(
      `${slim.removedChannels} channels never change anything and were left out: ${slim.removedMacs} multiply-adds and ` +
        `${slim.removedWeightBytes} bytes of weights less, with the same results.`,
    );
    graph = slim.graph;
  }
  const { pack, problem } = packOf(graph, prefix, imported.labels);
  graph = lowerGraph(graph);
  const plan = planNetwork(graph, inputs.target);
  const header = emitNetworkHeader(graph, plan, { prefix, target: inputs.target, remarks });
  const cycles = estimateNetworkCycles(graph, inputs.target, plan.streams);
  const macs = graph.ops.reduce((sum, op) => sum + multiplyAdds(op, graph), 0);
  return {
    kind: 'int8',
    ...source,
    quantization,
    tflite,
    prefix,
    header: header.text,
    pack,
    packProblem: problem,
    planJson: json({
      kind: 'int8',
      target: inputs.target,
      rounding,
      arenaBytes: plan.arenaBytes,
      lowerBoundBytes: plan.lowerBoundBytes,
      provenBest: plan.provenBest,
      constantBytes: header.constantBytes,
      macs,
      cycles,
      ...(quantization ? { quantization: quantization.layers } : {}),
      ops: graph.ops.map((op, index) => ({
        index,
        kind: op.kind,
        inputs: inputsOf(op).map((id) => graph.tensors[id]?.shape),
        output: graph.tensors[op.output]?.shape,
        macs: multiplyAdds(op, graph),
        cycles: estimateCycles(op, graph, inputs.target),
      })),
      tensors: graph.tensors.map(({ name, shape, data }, id) => ({
        name,
        shape,
        place: data ? { in: 'flash' } : plan.places[id],
      })),
      // Ops that run together, `strip` rows (or pixels of the only row) of the last one at a time.
      streams: plan.streams.map(({ ops, strip }) => ({ ops, strip })),
      buffers: plan.buffers,
    }),
    plan: {
      ops: graph.ops.map((op) => op.kind),
      buffers: plan.buffers,
      arenaBytes: plan.arenaBytes,
      lowerBoundBytes: plan.lowerBoundBytes,
      provenBest: plan.provenBest,
    },
    constantBytes: header.constantBytes,
    macs,
    cycles,
    floatLayers: [],
    notes,
  };
}

interface Compilation {
  readonly prefix: string;
  readonly remarks: readonly string[];
  readonly notes: readonly string[];
  readonly target: Target;
  readonly rounding: Rounding;
  readonly source: Pick<CompileOutputs, 'importedKind' | 'inputShape'>;
  readonly labels: readonly string[] | null;
  readonly quantization: QuantizationSummary | null;
}

/** A network with int16 activations. */
function compileInt16(graph: Int16Graph, options: Compilation): CompileOutputs {
  const { prefix, target, quantization } = options;
  const plan = planInt16Network(graph);
  const header = emitInt16NetworkHeader(graph, plan, options);
  const { arenaBytes, lowerBoundBytes, provenBest, buffers } = plan;
  const { constantBytes } = header;
  const macs = graph.ops.reduce((sum, op) => sum + multiplyAdds(op, graph), 0);
  return {
    kind: 'int16',
    ...options.source,
    quantization,
    tflite: quantization ? tfliteOf(graph, options.labels) : null,
    prefix,
    header: header.text,
    pack: null,
    packProblem:
      'Packs hold int8 networks, and this one has int16 activations, which boards have no kernels for. Compile the ' +
      'header into your program, or quantize to int8.',
    planJson: json({
      kind: 'int16',
      target,
      rounding: options.rounding,
      arenaBytes,
      lowerBoundBytes,
      provenBest,
      constantBytes,
      macs,
      cycles: null,
      ...(quantization ? { quantization: quantization.layers } : {}),
      ops: graph.ops.map((op, index) => ({
        index,
        kind: op.kind,
        inputs: inputsOfInt16(op).map((id) => graph.tensors[id]?.shape),
        output: graph.tensors[op.output]?.shape,
        macs: multiplyAdds(op, graph),
        cycles: null,
      })),
      tensors: graph.tensors.map(({ name, shape, data }, id) => ({
        name,
        shape,
        place: data ? { in: 'flash' } : plan.places[id],
      })),
      streams: [],
      buffers,
    }),
    plan: { ops: graph.ops.map(({ kind }) => kind), buffers, arenaBytes, lowerBoundBytes, provenBest },
    constantBytes,
    macs,
    cycles: null,
    floatLayers: [],
    notes: options.notes,
  };
}

/** A network with float layers. `why` says of a float op why it is not int8. */
function compileMixed(graph: MixedGraph, why: (op: FloatOp) => string, options: Compilation): CompileOutputs {
  if (options.rounding === 'single' && graph.ops.some(({ type }) => type === 'int8')) {
    throw new QuantizeError(
      'unsupported-op',
      'Networks with int8 and float layers round twice, as TensorFlow Lite Micro does. Leave single rounding out.',
    );
  }
  const { prefix, target, quantization } = options;
  const plan = planMixed(graph, target);
  const header = emitMixedHeader(graph, plan, options);
  const view = int8View(graph);
  const cost = (step: MixedOp): number | null =>
    step.type === 'int8' ? estimateCycles(step.op, view, target) : estimateFloatCycles(step.op, graph, target);
  const floatLayers = graph.ops.flatMap((step): FloatLayer[] => {
    if (step.type !== 'float' || step.op.kind === 'reshape') return [];
    const { op } = step;
    return [
      {
        name: graph.tensors[op.output]?.name ?? '',
        kind: op.kind === 'unary' ? op.function : op.kind,
        why: why(op),
        macs: multiplyAdds(op, graph),
        constantBytes: 4 * floatConstants(op, graph),
        outputBytes: 4 * elementCount(graph.tensors[op.output]?.shape ?? []),
        cycles: cost(step),
      },
    ];
  });
  const kind = graph.ops.every(({ type }) => type === 'float') ? 'float' : 'mixed';
  const macs = graph.ops.reduce((sum, { op }) => sum + multiplyAdds(op, graph), 0);
  const costs = graph.ops.map(cost);
  const cycles = costs.some((each) => each === null)
    ? null
    : Math.round(costs.reduce<number>((sum, each) => sum + (each ?? 0), 0));
  const { arenaBytes, lowerBoundBytes, provenBest, buffers } = plan;
  const { constantBytes } = header;
  const notes = [...options.notes];
  if (target === 'cortex-m4') {
    notes.push(
      'The predicted cycles of float layers are those with the floating point unit (-mfpu=fpv4-sp-d16 and ' +
        '-mfloat-abi=hard or softfp); without it they are about twelve times as many.',
    );
  }
  return {
    kind,
    ...options.source,
    quantization,
    tflite: null,
    prefix,
    header: header.text,
    pack: null,
    packProblem:
      kind === 'float'
        ? 'Packs hold int8 networks, and this one is float. Give calibration inputs to quantize it.'
        : 'Packs hold int8 networks, and this one has float layers. Quantize all of it, or compile the header into your ' +
          'program.',
    planJson: json({
      kind,
      target,
      arenaBytes,
      lowerBoundBytes,
      provenBest,
      constantBytes,
      macs,
      cycles,
      ...(quantization ? { quantization: quantization.layers } : {}),
      ops: graph.ops.map((step, index) => ({
        index,
        kind: step.op.kind,
        type: step.type,
        inputs: mixedInputsOf(step).map((id) => graph.tensors[id]?.shape),
        output: graph.tensors[step.op.output]?.shape,
        macs: multiplyAdds(step.op, graph),
        cycles: costs[index],
      })),
      floatLayers,
      tensors: graph.tensors.map(({ name, type, shape, data }, id) => ({
        name,
        type,
        shape,
        place: data ? { in: 'flash' } : plan.places[id],
      })),
      streams: [],
      buffers,
    }),
    plan: { ops: graph.ops.map(opName), buffers, arenaBytes, lowerBoundBytes, provenBest },
    constantBytes,
    macs,
    cycles,
    floatLayers,
    notes,
  };
}

/** For the memory plan: float ops say so. */
function opName({ type, op }: MixedOp): string {
  return type === 'float' ? `${op.kind} (float)` : op.kind;
}

/** Weights, biases and other constants of an op. */
function floatConstants(op: FloatOp, graph: MixedGraph): number {
  if ('weights' in op) return op.weights.length + op.bias.length;
  if (op.kind === 'scaleShift') return op.scale.length + op.shift.length;
  return floatInputsOf(op).reduce((sum, id) => sum + (graph.tensors[id]?.data?.length ?? 0), 0);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Runs long work, reports how far it is, and lets others have their turn. */
async function inTurns<Result>(
  steps: Steps<Result>,
  totals: Readonly<Record<WorkStage, number | null>>,
  breather: Breather,
  onProgress: (progress: CompileProgress) => void = () => undefined,
): Promise<Result> {
  const done: Record<WorkStage, number> = { ranges: 0, choice: 0, correction: 0, comparison: 0 };
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    done[step.value]++;
    // A message for each of ten thousand small inputs would take longer than the work.
    if (await breather.breathe()) onProgress({ stage: step.value, done: done[step.value], total: totals[step.value] });
  }
}

/** One by one. Throws FormatError for a file that does not fit, QuantizeError `bad-input` for numbers that do not. */
function calibrationInputs(source: CalibrationSource, size: number): Float32Array[] {
  const values = source instanceof Float32Array ? source : readCalibrationInputs(source.bytes, source.fileName, size);
  if (values.length === 0 || values.length % size !== 0) {
    throw new QuantizeError(
      'bad-input',
      `${values.length} calibration numbers are not a whole number of inputs: this model takes ${size} at a time.`,
    );
  }
  return Array.from({ length: values.length / size }, (_, at) => values.subarray(at * size, (at + 1) * size));
}

function extremes(inputs: readonly Float32Array[]): { readonly lowest: number; readonly highest: number } {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const input of inputs) {
    for (const value of input) {
      lowest = Math.min(lowest, value);
      highest = Math.max(highest, value);
    }
  }
  return { lowest, highest };
}

/** What was quantized here as a file again, or null where the format cannot say it. */
function tfliteOf(graph: IntegerGraph, labels: readonly string[] | null): Uint8Array | null {
  const options = { description: 'Quantized with Mote', ...(labels ? { labels } : {}) };
  try {
    return isInt16Graph(graph) ? writeInt16Tflite(graph, options) : writeTflite(graph, options);
  } catch (error) {
    if (error instanceof TfliteError) return null;
    throw error;
  }
}

/** The network as a pack, or why there is none. */
function packOf(
  graph: Int8Graph,
  prefix: string,
  labels: readonly string[] | null,
): { readonly pack: Uint8Array | null; readonly problem: string | null } {
  try {
    return { pack: writePack(networkModel(graph, prefix, labels)), problem: null };
  } catch (error) {
    if (error instanceof EmitError) return { pack: null, problem: error.message };
    throw error;
  }
}
