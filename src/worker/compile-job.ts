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
import { readTflite } from '../emit/tflite/read-tflite';
import { elementCount, floatInputsOf, type FloatGraph, type FloatOp } from '../graph/float-graph';
import { LearnError, type LayerFigures } from '../learn/pipeline';
import { removeDeadChannels } from '../quantize/dead-channels';
import { inputsOfInt16, isInt16Graph, type Int16Graph, type IntegerGraph } from '../quantize/int16-graph';
import { inputsOf, QuantizeError, type Int8Graph, type Rounding } from '../quantize/int8-graph';
import { int8View, mixedFromFloat, mixedInputsOf, type MixedGraph, type MixedOp } from '../quantize/mixed-graph';
import { mixedQuantizationReport, quantizationReport } from '../quantize/error-report';
import { quantizeMixed } from '../quantize/quantize-mixed';
import { quantizeInDetail, type IntegerQuantizeOptions } from '../quantize/quantize-graph';
import { layerFigures } from './layer-figures';

/** Calibration inputs that the error of the layers is measured on. */
const REPORT_INPUTS = 64;

export interface CompileInputs {
  readonly bytes: Uint8Array;
  /** Its stem is the default prefix. */
  readonly fileName: string;
  readonly target: Target;
  readonly prefix?: string;
  /** Inputs for quantizing a float network, one after another. Without them it stays float. */
  readonly calibration?: Float32Array;
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
 * Throws TfliteError, QuantizeError, GraphError or EmitError for a file that cannot be compiled, LearnError `cancelled`.
 */
export async function compileJob(
  inputs: CompileInputs,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<CompileOutputs> {
  const check = (): void => {
    if (signal?.aborted) throw new LearnError('cancelled', 'This was cancelled.');
  };
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
    return compileMixed(imported.graph, () => why, { prefix, remarks, notes, rounding, target: inputs.target });
  }
  let graph: IntegerGraph;
  let errors: readonly LayerFigures[] | null = null;
  if (imported.kind === 'float') {
    if (!inputs.calibration) {
      const why = 'The model is float and there are no calibration inputs to quantize it with.';
      return compileMixed(mixedFromFloat(imported.graph), () => why, {
        prefix,
        remarks,
        notes,
        rounding,
        target: inputs.target,
      });
    }
    const size = elementCount(imported.graph.tensors[imported.graph.input]?.shape ?? []);
    if (mayKeepFloat && inputs.quantization?.activations === 'int16') {
      throw new QuantizeError(
        'unsupported-op',
        'Float layers go with int8 activations only. Leave out one of the two.',
      );
    }
    if (mayKeepFloat) {
      const mixed = withFloatLayers(imported.graph, inputs, slices(inputs.calibration, size), notes);
      if (mixed)
        return compileMixed(mixed.graph, mixed.why, {
          prefix,
          remarks,
          notes,
          rounding,
          target: inputs.target,
          ...mixed,
        });
    }
    const quantized = quantizeInDetail(imported.graph, slices(inputs.calibration, size), {
      ...inputs.quantization,
      rounding,
    });
    graph = quantized.graph;
    const report = quantizationReport(quantized.float, graph, firstOf(slices(inputs.calibration, size), REPORT_INPUTS));
    errors = report.layers.map(layerFigures);
    const activations = isInt16Graph(graph) ? 'int16 activations and int8 weights' : 'int8';
    notes.push(`Quantized to ${activations} with ${Math.floor(inputs.calibration.length / size)} calibration inputs.`);
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

  check();
  if (isInt16Graph(graph)) {
    return compileInt16(graph, {
      prefix,
      remarks,
      notes,
      rounding,
      target: inputs.target,
      ...(errors ? { quantization: errors } : {}),
    });
  }
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
      ...(errors ? { quantization: errors } : {}),
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
  readonly quantization?: readonly LayerFigures[];
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
      ...(quantization ? { quantization } : {}),
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

/** A float network quantized but for the layers that stay float; null when there are none of these. Adds to `notes`. */
function withFloatLayers(
  graph: FloatGraph,
  inputs: CompileInputs,
  calibration: Iterable<Float32Array>,
  notes: string[],
): {
  readonly graph: MixedGraph;
  readonly why: (op: FloatOp) => string;
  readonly quantization: readonly LayerFigures[];
} | null {
  const samples = [...calibration];
  const { equalize, biasCorrection, ...rest } = inputs.quantization ?? {};
  const options = {
    ...rest,
    equalize: equalize === true,
    floatLayers: inputs.floatLayers ?? [],
    allowFloat: inputs.allowFloat ?? false,
  };
  const quantized = quantizeMixed(graph, samples, options);
  if (quantized.reasons.size === 0) return null;
  const report = mixedQuantizationReport(quantized.float, quantized.graph, firstOf(samples, REPORT_INPUTS));
  notes.push(`Quantized to int8 with ${samples.length} calibration inputs, except for what stays float.`);
  if (biasCorrection || equalize) {
    notes.push('Bias correction and choosing an equalization do not apply to networks with float layers: left out.');
  }
  const why = (op: FloatOp): string => quantized.reasons.get(op.output) ?? '';
  return { graph: quantized.graph, why, quantization: report.layers.map(layerFigures) };
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
      ...(quantization ? { quantization } : {}),
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

function* firstOf<T>(items: Iterable<T>, most: number): Iterable<T> {
  let left = most;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}

function* slices(values: Float32Array, size: number): Iterable<Float32Array> {
  for (let at = 0; at + size <= values.length; at += size) yield values.subarray(at, at + size);
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
