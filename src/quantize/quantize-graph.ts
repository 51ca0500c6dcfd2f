/**
 * Full-integer post-training quantization with the TensorFlow Lite converter's rules: activations asymmetric int8 from
 * calibrated ranges, weights symmetric int8, biases int32, softmax output fixed at 1/256 and -128. Every op is turned
 * into integers or refused; nothing silently stays float.
 */
import { checkFloatGraph } from '../graph/check';
import { floatInputsOf, type FloatGraph, type FloatOp, type TensorId } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { Random } from '../signal/random';
import { foldBatchNorm } from './batch-norm';
import { correctBiasesInSteps } from './bias-correction';
import { createRangeMeter, type CalibrationOptions, type Range, type RangeMeter } from './calibration';
import { checkInt8Graph } from './check';
import { equalize } from './equalize';
import { fuseActivations } from './fuse-activations';
import {
  QuantizeError,
  type Int8Graph,
  type Int8Op,
  type Int8Tensor,
  type LookupFunction,
  type Rounding,
} from './int8-graph';
import type { Int16Graph, IntegerGraph } from './int16-graph';
import { createIntegerNetwork } from './integer-network';
import { activationRange } from './ops/activation-range';
import { addParameters, mulParameters } from './ops/elementwise';
import { lookupTable } from './ops/lookup';
import { meanParameters } from './ops/mean';
import { quantizePreparedInt16, refuseForInt16 } from './quantize-int16';
import { quantizeWeights, type WeightScales } from './quantize-weights';
import { dequantize, quantizeValues } from './quantize-values';
import { planScales, type Activations, type QuantParameters } from './shared-scales';
import { MAX_SOFTMAX_CLASSES, softmaxParameters } from './softmax';
import { runSteps, type Steps } from './steps';

export interface QuantizeOptions {
  /** Default per-channel. */
  readonly weights?: WeightScales;
  /** How activation ranges are estimated. Default min-max. */
  readonly calibration?: CalibrationOptions;
  /**
   * Cross-layer equalization of the float network first; `auto` keeps it where the int8 network then comes closer to the
   * float one on the calibration inputs. Default false.
   */
  readonly equalize?: boolean | 'auto';
  /** Correct the mean error of every layer's output, measured on the calibration inputs, in its bias. Default false. */
  readonly biasCorrection?: boolean;
  /** How the integer network rounds. Default double. */
  readonly rounding?: Rounding;
}

/** For networks of either kind. */
export interface IntegerQuantizeOptions extends QuantizeOptions {
  /** Default int8. With int16, `mse` ranges are those of `min-max`: steps are so fine that clipping never pays. */
  readonly activations?: Activations;
}

/** What was quantized, beside the result: for reports that compare layer by layer. */
export interface Quantization<Graph extends IntegerGraph = Int8Graph> {
  readonly graph: Graph;
  /** The float network as it was quantized: batch normalizations folded, activations fused, perhaps equalized. */
  readonly float: FloatGraph;
  readonly equalized: boolean;
}

/** Calibration inputs kept for a second look (bias correction, choosing by error). */
const SAMPLE = 128;
const SAMPLE_SEED = 1;
const MAX_RANK = 4;

/**
 * Quantizes `float`, with activation ranges measured on `calibration`: network inputs (scaled features) of training
 * windows, never of test windows; gone through once. Throws GraphError, and QuantizeError `no-calibration-data`,
 * `not-finite`, `overflow`, `bad-input` or `unsupported-op`.
 */
export function quantizeGraph(
  float: FloatGraph,
  calibration: Iterable<Float32Array>,
  options?: QuantizeOptions & { readonly activations?: 'int8' },
): Int8Graph;
export function quantizeGraph(
  float: FloatGraph,
  calibration: Iterable<Float32Array>,
  options: IntegerQuantizeOptions & { readonly activations: 'int16' },
): Int16Graph;
export function quantizeGraph(
  float: FloatGraph,
  calibration: Iterable<Float32Array>,
  options: IntegerQuantizeOptions = {},
): IntegerGraph {
  return quantizeInDetail(float, calibration, options).graph;
}

/** As `quantizeGraph`, with the float network that the result is to be compared with. */
export function quantizeInDetail(
  float: FloatGraph,
  calibration: Iterable<Float32Array>,
  options?: QuantizeOptions & { readonly activations?: 'int8' },
): Quantization;
export function quantizeInDetail(
  float: FloatGraph,
  calibration: Iterable<Float32Array>,
  options: IntegerQuantizeOptions,
): Quantization<IntegerGraph>;
export function quantizeInDetail(
  float: FloatGraph,
  calibration: Iterable<Float32Array>,
  options: IntegerQuantizeOptions = {},
): Quantization<IntegerGraph> {
  return runSteps(quantizeInSteps(float, calibration, options));
}

/** As `quantizeInDetail`, step by step: `ranges` for each of the calibration inputs, then the others where they apply. */
export function* quantizeInSteps(
  float: FloatGraph,
  calibration: Iterable<Float32Array>,
  options: IntegerQuantizeOptions = {},
): Steps<Quantization<IntegerGraph>> {
  checkFloatGraph(float);
  const plain = fuseActivations(foldBatchNorm(float));
  const int16 = options.activations === 'int16';
  refuseUnsupported(plain, options.activations ?? 'int8');
  if (int16) refuseForInt16(plain);
  if (int16 && options.biasCorrection) {
    throw new QuantizeError('unsupported-op', 'Biases are corrected in int8 networks only. Leave it out with int16.');
  }
  const equalized = options.equalize ? equalize(plain) : plain;
  // One pass over the data serves both candidates: it may be a stream.
  const candidates = options.equalize === 'auto' && equalized !== plain ? [plain, equalized] : [equalized];
  const ranges = options.calibration ?? { method: 'min-max' };
  const calibrated = int16 && ranges.method === 'mse' ? { method: 'min-max' as const } : ranges;
  const meters = candidates.map((graph) => createRangeMeter(graph, calibrated));
  const sample = new Reservoir(options.biasCorrection || candidates.length > 1 ? SAMPLE : 0);
  for (const input of calibration) {
    for (const meter of meters) meter.add(input);
    sample.offer(input);
    yield 'ranges';
  }
  const results: Quantization<IntegerGraph>[] = [];
  for (const [index, graph] of candidates.entries()) {
    const ranges = (meters[index] as RangeMeter).ranges();
    const [weights, rounding] = [options.weights ?? 'per-channel', options.rounding ?? 'double'] as const;
    let integers: IntegerGraph;
    if (int16) integers = quantizePreparedInt16(graph, ranges, weights, rounding);
    else {
      const quantized = quantizePrepared(graph, ranges, weights, rounding);
      integers = options.biasCorrection ? yield* correctBiasesInSteps(graph, quantized, sample.inputs) : quantized;
    }
    results.push({ graph: integers, float: graph, equalized: graph !== plain });
  }
  const [first, second] = results as [Quantization<IntegerGraph>, Quantization<IntegerGraph>?];
  if (!second) return first;
  const errors = [yield* outputError(first, sample.inputs), yield* outputError(second, sample.inputs)] as const;
  return errors[1] < errors[0] ? second : first;
}

/** Integers for a network without scaleShift ops; tensor ids stay, rescaled concat inputs are appended. */
function quantizePrepared(
  float: FloatGraph,
  ranges: readonly Range[],
  weights: WeightScales,
  rounding: Rounding,
): Int8Graph {
  const { tensors, ops } = quantizeOps(float, ranges, weights, rounding);
  const graph: Int8Graph = {
    tensors,
    ops: ops.map(({ op }) => op),
    input: float.input,
    output: float.output,
    ...(rounding === 'double' ? {} : { rounding }),
  };
  checkInt8Graph(graph);
  return graph;
}

/**
 * The tensors of a network as int8 and its ops as integers, each with the index of the float op that it is made of. The
 * ops may be a part of a network.
 */
export function quantizeOps(
  float: FloatGraph,
  ranges: readonly Range[],
  weights: WeightScales,
  rounding: Rounding = 'double',
): {
  readonly tensors: readonly Int8Tensor[];
  readonly ops: readonly { readonly index: number; readonly op: Int8Op }[];
} {
  const plan = planScales(float, ranges);
  const tensors = float.tensors.map(({ name, shape, data }, id): Int8Tensor => {
    const parameters = plan.parameters[id] as QuantParameters;
    return { name, shape, ...parameters, ...(data ? { data: quantizeValues(data, parameters) } : {}) };
  });
  const ops: { index: number; op: Int8Op }[] = [];
  float.ops.forEach((op, index) => {
    if (op.kind !== 'concat') {
      ops.push({ index, op: quantizeOp(op, tensors, weights, rounding) });
      return;
    }
    const output = tensors[op.output] as Int8Tensor;
    const rescaled = new Map<TensorId, TensorId>();
    for (const id of plan.rescaled.get(index) ?? []) {
      const input = tensors[id] as Int8Tensor;
      const copy = { ...input, name: `${input.name}/rescaled`, scale: output.scale, zeroPoint: output.zeroPoint };
      rescaled.set(id, tensors.push(copy) - 1);
      ops.push({
        index,
        op: {
          kind: 'lookup',
          input: id,
          output: tensors.length - 1,
          function: 'quantize',
          alpha: 0,
          table: tableOf('quantize', input, output, 0, rounding),
        },
      });
    }
    ops.push({ index, op: { ...op, inputs: op.inputs.map((id) => rescaled.get(id) ?? id) } });
  });
  return { tensors, ops };
}

function quantizeOp(
  op: Exclude<FloatOp, { kind: 'concat' }>,
  tensors: readonly Int8Tensor[],
  weights: WeightScales,
  rounding: Rounding,
): Int8Op {
  const tensor = (id: TensorId): Int8Tensor => tensors[id] as Int8Tensor;
  const output = tensor(op.output);
  switch (op.kind) {
    case 'fullyConnected':
    case 'conv2d':
    case 'depthwiseConv2d': {
      const { activation, ...rest } = op;
      return {
        ...rest,
        ...quantizeWeights(op, output.name, tensor(op.input), output, weights),
        ...activationRange(activation, output.scale, output.zeroPoint),
      };
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const { activation, ...rest } = op;
      return { ...rest, ...activationRange(activation, output.scale, output.zeroPoint) };
    }
    case 'softmax':
      return { ...op, ...softmaxParameters(tensor(op.input).scale, rounding) };
    case 'mean':
      return { ...op, ...meanParameters(tensor(op.input).scale, output.scale, op.count) };
    case 'add': {
      const { activation, inputs, output: id, subtract } = op;
      const [a, b] = [tensor(inputs[0]), tensor(inputs[1])];
      const parameters = addParameters(a.scale, b.scale, output.scale, subtract);
      return {
        kind: 'add',
        inputs,
        output: id,
        subtract,
        ...parameters,
        ...activationRange(activation, output.scale, output.zeroPoint),
      };
    }
    case 'mul': {
      const [a, b] = [tensor(op.inputs[0]), tensor(op.inputs[1])];
      return {
        kind: 'mul',
        inputs: op.inputs,
        output: op.output,
        ...mulParameters(a.scale, b.scale, output.scale),
        ...activationRange(op.activation, output.scale, output.zeroPoint),
      };
    }
    case 'pad':
    case 'reshape':
    case 'transpose':
    case 'stridedSlice':
    case 'resizeNearest':
      return op;
    case 'unary':
      return {
        kind: 'lookup',
        input: op.input,
        output: op.output,
        function: op.function,
        alpha: op.alpha,
        table: tableOf(op.function, tensor(op.input), output, op.alpha, rounding),
      };
    case 'scaleShift':
      return unsupported(output.name, 'a batch normalization is left over', 'Fold it into its layer first.');
  }
}

function tableOf(
  name: LookupFunction,
  input: QuantParameters,
  output: QuantParameters,
  alpha: number,
  rounding: Rounding,
): Int8Array {
  return lookupTable(
    name,
    {
      inputScale: input.scale,
      inputZero: input.zeroPoint,
      outputScale: output.scale,
      outputZero: output.zeroPoint,
    },
    alpha,
    rounding,
  );
}

/** Refuses combinations that int8 cannot hold before any work is done. */
function refuseUnsupported(graph: FloatGraph, activations: Activations): void {
  const mostClasses = activations === 'int16' ? Infinity : MAX_SOFTMAX_CLASSES;
  const otherwise = activations === 'int16' ? '' : ' Or allow float layers: then this one stays float.';
  for (const op of graph.ops) {
    const found = whyNotInt8(op, graph, mostClasses);
    if (found) unsupported(graph.tensors[op.output]?.name ?? '', found.what, found.help + otherwise);
  }
}

/** What of an op int8 cannot hold, and what would help; null when nothing. */
export function whyNotInt8(
  op: FloatOp,
  graph: FloatGraph,
  mostClasses = MAX_SOFTMAX_CLASSES,
): { readonly what: string; readonly help: string } | null {
  for (const id of [...floatInputsOf(op), op.output]) {
    const tensor = graph.tensors[id];
    if (tensor && tensor.shape.length > MAX_RANK) {
      return {
        what: `the tensor "${tensor.name}" has ${tensor.shape.length} axes`,
        help: `Reshape it to ${MAX_RANK} at most.`,
      };
    }
  }
  const constants = floatInputsOf(op).filter((id) => graph.tensors[id]?.data);
  if (constants.length > 0 && ((op.kind !== 'add' && op.kind !== 'mul') || constants.includes(op.inputs[0]))) {
    return {
      what: `${op.kind} reads a constant`,
      help: 'Only the second operand of an addition or multiplication may be constant.',
    };
  }
  if (op.kind === 'unary' && op.alpha < 0) {
    return { what: `a leaky ReLU with the negative slope ${op.alpha}`, help: 'Use a slope of 0 or more.' };
  }
  if (op.kind === 'softmax') {
    const classes = graph.tensors[op.input]?.shape.at(-1) ?? 1;
    if (classes > mostClasses) {
      return {
        what: `softmax over ${classes} classes`,
        help: `Use at most ${mostClasses}, or end the network before it.`,
      };
    }
  }
  return null;
}

function unsupported(layer: string, what: string, help: string): never {
  throw new QuantizeError('unsupported-op', `The layer "${layer}" cannot be quantized: ${what}. ${help}`);
}

/** Mean squared error of the output; before a final softmax, which would hide errors in the losing classes. */
function* outputError({ graph, float }: Quantization<IntegerGraph>, inputs: readonly Float32Array[]): Steps<number> {
  const last = float.ops.find((op) => op.output === float.output);
  const id = last?.kind === 'softmax' ? last.input : float.output;
  const tensor = graph.tensors[id] as QuantParameters;
  const reference = createFloatInterpreter(float);
  const network = createIntegerNetwork(graph);
  let error = 0;
  for (const input of inputs) {
    reference.run(input);
    network.run(input);
    const actual = network.activations[id] as ArrayLike<number>;
    reference.activations[id]?.forEach((value, i) => (error += (dequantize(actual[i] as number, tensor) - value) ** 2));
    yield 'choice';
  }
  return error;
}

/** Copies of up to `size` inputs of a stream, every input with the same chance (Vitter's algorithm R), reproducible. */
class Reservoir {
  readonly inputs: Float32Array[] = [];
  private readonly random = new Random(SAMPLE_SEED);
  private seen = 0;

  constructor(private readonly size: number) {}

  offer(input: Float32Array): void {
    if (this.size === 0) return;
    this.seen++;
    if (this.inputs.length < this.size) {
      this.inputs.push(input.slice());
      return;
    }
    const place = this.random.integer(this.seen);
    if (place < this.size) this.inputs[place] = input.slice();
  }
}
