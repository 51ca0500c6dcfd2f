/**
 * Quantization that keeps some layers float: those that int8 cannot hold, where that is allowed, and those that are named.
 * Between the two kinds values are converted; which layers are float, and why, is part of the result.
 */
import { checkFloatGraph } from '../graph/check';
import { floatInputsOf, type FloatGraph, type FloatOp, type TensorId } from '../graph/float-graph';
import { foldBatchNorm } from './batch-norm';
import { createRangeMeter } from './calibration';
import { equalize } from './equalize';
import { fuseActivations } from './fuse-activations';
import { consumers } from './graph-edit';
import { QuantizeError, type Int8Op, type Int8Tensor } from './int8-graph';
import { checkMixedGraph, mixedInputsOf, type MixedGraph, type MixedOp, type MixedTensor } from './mixed-graph';
import { quantizeOps, whyNotInt8, type QuantizeOptions } from './quantize-graph';
import { runSteps, type Steps } from './steps';

export interface MixedQuantizeOptions extends Omit<QuantizeOptions, 'equalize' | 'biasCorrection'> {
  /** Names of layers (of their outputs) that stay float. */
  readonly floatLayers?: readonly string[];
  /** Layers that int8 cannot hold stay float; otherwise they are an error. Default false. */
  readonly allowFloat?: boolean;
  /** Cross-layer equalization of the float network first. Default false. */
  readonly equalize?: boolean;
}

export interface MixedQuantization {
  readonly graph: MixedGraph;
  /** The float network as it was quantized; its tensors keep their numbers in `graph`. */
  readonly float: FloatGraph;
  /** Why a float layer is float, by the tensor that it writes. */
  readonly reasons: ReadonlyMap<TensorId, string>;
}

/** Names that the message of an unknown one lists. */
const LISTED_NAMES = 30;

/**
 * Ranges are measured on `calibration`, gone through once. The network takes and gives floats where its first or last
 * layer is float, else int8. Throws GraphError, and QuantizeError as `quantizeGraph`, `bad-input` also for an unknown name.
 */
export function quantizeMixed(
  given: FloatGraph,
  calibration: Iterable<Float32Array>,
  options: MixedQuantizeOptions = {},
): MixedQuantization {
  return runSteps(quantizeMixedInSteps(given, calibration, options));
}

/** As `quantizeMixed`, step by step: `ranges` for each of the calibration inputs. */
export function* quantizeMixedInSteps(
  given: FloatGraph,
  calibration: Iterable<Float32Array>,
  options: MixedQuantizeOptions = {},
): Steps<MixedQuantization> {
  checkFloatGraph(given);
  const plain = fuseActivations(foldBatchNorm(given));
  const float = options.equalize ? equalize(plain) : plain;
  const reasons = floatOps(float, options);
  const meter = createRangeMeter(float, options.calibration ?? { method: 'min-max' });
  for (const input of calibration) {
    meter.add(input);
    yield 'ranges';
  }
  const kept = new Map([...reasons].map(([index, why]) => [(float.ops[index] as FloatOp).output, why]));
  // The integers of the other ops; the indices are those among them.
  const rest = float.ops.flatMap((op, index) => (reasons.has(index) ? [] : [{ op, index }]));
  const part = { ...float, ops: rest.map(({ op }) => op) };
  const quantized = quantizeOps(part, meter.ranges(), options.weights ?? 'per-channel');
  const int8 = float.ops.map((): Int8Op[] => []);
  for (const { index, op } of quantized.ops) int8[(rest[index] as { index: number }).index]?.push(op);
  const graph = join(float, int8, quantized.tensors);
  checkMixedGraph(graph);
  return { graph, float, reasons: kept };
}

/** Whether any layer would stay float with these options. Throws as `quantizeMixed`. */
export function keepsFloat(
  given: FloatGraph,
  options: Pick<MixedQuantizeOptions, 'floatLayers' | 'allowFloat'>,
): boolean {
  checkFloatGraph(given);
  return floatOps(fuseActivations(foldBatchNorm(given)), options).size > 0;
}

/** Indices of the ops that stay float, and why. */
function floatOps(graph: FloatGraph, options: MixedQuantizeOptions): Map<number, string> {
  const names = graph.ops.map((op) => graph.tensors[op.output]?.name ?? '');
  const asked = new Set(options.floatLayers ?? []);
  for (const name of asked) {
    if (names.includes(name)) continue;
    const known = names.slice(0, LISTED_NAMES).map((each) => `"${each}"`);
    throw new QuantizeError(
      'bad-input',
      `There is no layer "${name}" to keep float. After fusing activations the network has ${known.join(', ')}` +
        `${names.length > LISTED_NAMES ? ' and more' : ''}.`,
    );
  }
  const found = new Map<number, string>();
  graph.ops.forEach((op, index) => {
    const name = names[index] as string;
    const unsupported = whyNotInt8(op, graph);
    if (unsupported && options.allowFloat) found.set(index, `Int8 cannot hold it: ${unsupported.what}.`);
    else if (asked.has(name)) found.set(index, 'It was asked for by name.');
    else if (unsupported) {
      throw new QuantizeError(
        'unsupported-op',
        `The layer "${name}" cannot be quantized: ${unsupported.what}. ${unsupported.help} Or allow float layers: then ` +
          'this one stays float.',
      );
    }
  });
  // What only moves values between float layers stays float with them: converting there and back would gain nothing.
  const readers = consumers(graph);
  const producer = new Map(graph.ops.map((op, index) => [op.output, index]));
  for (let changed = true; changed;) {
    changed = false;
    graph.ops.forEach((op, index) => {
      if (found.has(index) || !moves(op)) return;
      const from = producer.get(floatInputsOf(op)[0] as TensorId);
      const to = readers[op.output] ?? [];
      if (from === undefined || !found.has(from) || !to.every((reader) => found.has(reader))) return;
      found.set(index, 'It only moves values between float layers.');
      changed = true;
    });
  }
  return found;
}

function moves({ kind }: FloatOp): boolean {
  return ['reshape', 'transpose', 'pad', 'stridedSlice', 'resizeNearest'].includes(kind);
}

/** Float and int8 ops in their order, with conversions before the first op that needs a value of the other type. */
function join(float: FloatGraph, int8: readonly (readonly Int8Op[])[], made: readonly Int8Tensor[]): MixedGraph {
  const isFloat = (index: number): boolean => (int8[index] as readonly Int8Op[]).length === 0;
  const writer = new Map(float.ops.map((op, index) => [op.output, index]));
  const readers = consumers(float);
  /** The type in which a value comes into being. */
  const typeOf = (id: TensorId): 'int8' | 'float' => {
    const index = writer.get(id);
    if (index !== undefined) return isFloat(index) ? 'float' : 'int8';
    // Inputs (and constants, which have one type per reader): float when a float layer reads them.
    return id < float.tensors.length && (readers[id] ?? []).some(isFloat) ? 'float' : 'int8';
  };
  const tensors = made.map((tensor, id): MixedTensor => {
    if (typeOf(id) === 'int8') return { type: 'int8', ...tensor };
    const { name, shape, data } = float.tensors[id] as FloatGraph['tensors'][number];
    return { type: 'float', name, shape, ...(data ? { data } : {}) };
  });
  const other = new Map<TensorId, TensorId>();
  const ops: MixedOp[] = [];
  /** The value of a tensor in the wanted type. */
  const as = (id: TensorId, type: 'int8' | 'float'): TensorId => {
    const tensor = tensors[id] as MixedTensor;
    if (tensor.type === type) return id;
    const known = other.get(id);
    if (known !== undefined) return known;
    const copy: MixedTensor =
      type === 'int8'
        ? { type, ...(made[id] as Int8Tensor), name: `${tensor.name}/int8` }
        : { type, name: `${tensor.name}/float`, shape: tensor.shape };
    const to = tensors.push(copy) - 1;
    other.set(id, to);
    if (!tensor.data) {
      ops.push({
        type: 'conversion',
        op: { kind: type === 'int8' ? 'quantize' : 'dequantize', input: id, output: to },
      });
    }
    return to;
  };
  float.ops.forEach((op, index) => {
    const parts: readonly MixedOp[] = isFloat(index)
      ? [{ type: 'float', op }]
      : (int8[index] as readonly Int8Op[]).map((part) => ({ type: 'int8', op: part }));
    for (const part of parts) {
      const ids = new Map(mixedInputsOf(part).map((id) => [id, as(id, part.type === 'float' ? 'float' : 'int8')]));
      ops.push(withInputs(part, ids));
    }
  });
  return { tensors, ops, input: float.input, output: float.output };
}

function withInputs(step: MixedOp, ids: ReadonlyMap<TensorId, TensorId>): MixedOp {
  const rename = (id: TensorId): TensorId => ids.get(id) ?? id;
  const { op } = step;
  const renamed = 'inputs' in op ? { ...op, inputs: op.inputs.map(rename) } : { ...op, input: rename(op.input) };
  return { ...step, op: renamed } as MixedOp;
}
