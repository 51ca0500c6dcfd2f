/**
 * Scale and zero point of every tensor. Ops that only move or select values (pooling, reshape, pad, slices, ...) keep
 * their input's; softmax, logistic and tanh have fixed ones; a concatenation needs one for all its inputs, or inputs
 * that are rescaled before it.
 */
import type { FloatGraph, FloatOp, TensorId } from '../graph/float-graph';
import type { FloatWeighted } from './batch-norm';
import { activationScale, symmetricScale, type Range } from './calibration';
import { consumers } from './graph-edit';
import { UNIT_SCALE } from './ops/int16-parameters';

export interface QuantParameters {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** What activations are: asymmetric int8, or symmetric int16. */
export type Activations = 'int8' | 'int16';

export interface ScalePlan {
  /** By tensor id. */
  readonly parameters: readonly QuantParameters[];
  /** Concatenations (by op index) -> tensors that must be rescaled to the output's parameters first. */
  readonly rescaled: ReadonlyMap<number, ReadonlySet<TensorId>>;
}

/** A concat input keeps its own, finer scale (and is rescaled) when the common range is this much wider. */
const TOO_COARSE = 2;

/** Output parameters that the reference kernels demand. */
export function fixedParameters(op: FloatOp, activations: Activations = 'int8'): QuantParameters | null {
  if (activations === 'int16') {
    const unit =
      op.kind === 'softmax' || (op.kind === 'unary' && (op.function === 'logistic' || op.function === 'tanh'));
    return unit ? { scale: UNIT_SCALE, zeroPoint: 0 } : null;
  }
  if (op.kind === 'softmax' || (op.kind === 'unary' && op.function === 'logistic')) {
    return { scale: 1 / 256, zeroPoint: -128 };
  }
  return op.kind === 'unary' && op.function === 'tanh' ? { scale: 1 / 128, zeroPoint: 0 } : null;
}

/** True for ops whose output has the scale and zero point of their input. */
export function keepsScale(op: FloatOp): boolean {
  switch (op.kind) {
    case 'maxPool2d':
    case 'averagePool2d':
    case 'pad':
    case 'reshape':
    case 'transpose':
    case 'stridedSlice':
    case 'resizeNearest':
      return true;
    default:
      return false;
  }
}

/** `ranges`: by tensor id, each containing 0. */
export function planScales(graph: FloatGraph, ranges: readonly Range[], activations: Activations = 'int8'): ScalePlan {
  const groups = new TensorGroups(graph, ranges, activations);
  const smallestScale = activations === 'int16' ? smallestScaleInt16 : smallestScaleInt8;
  for (const op of graph.ops) if (keepsScale(op) && 'input' in op) groups.join(op.input, op.output);

  const rescaled = new Map<number, Set<TensorId>>();
  graph.ops.forEach((op, index) => {
    if (op.kind !== 'concat') return;
    const first = groups.fixed(op.inputs[0] as TensorId);
    if (first && op.inputs.every((id) => same(groups.fixed(id), first))) {
      op.inputs.forEach((id) => groups.join(id, op.output));
      return;
    }
    const apart = new Set<TensorId>();
    for (const id of op.inputs) {
      if (groups.fixed(id) || groups.losesTooMuch(id, op.output, index)) apart.add(id);
      else groups.join(id, op.output);
    }
    if (apart.size > 0) rescaled.set(index, apart);
  });
  for (const op of graph.ops)
    groups.widen(
      op.output,
      smallestScale(op, (id) => groups.parameters(id).scale),
    );
  return {
    parameters: graph.tensors.map((_, id) => groups.parameters(id)),
    rescaled,
  };
}

/**
 * The finest output scale that the fixed-point arithmetic of an op can work with; 0 where any will do. Only outputs that
 * are all but zero beside what goes in come near it.
 */
function smallestScaleInt8(op: FloatOp, scaleOf: (id: TensorId) => number): number {
  switch (op.kind) {
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'fullyConnected':
      // Sums, rescaled, must stay far below 2^31.
      return largestSum(op, 255 * scaleOf(op.input)) / 2 ** 29;
    case 'add':
      return Math.max(...op.inputs.map(scaleOf)) / 2 ** 18;
    case 'mul':
      return (scaleOf(op.inputs[0]) * scaleOf(op.inputs[1])) / 2 ** 13;
    case 'mean':
      return scaleOf(op.input) / 2 ** 18;
    case 'unary':
      // The output multiplier of hardSwish, input / 128 / output, must be below 1.
      return scaleOf(op.input) / (op.function === 'hardSwish' ? 127 : 2 ** 18 / (1 + op.alpha));
    default:
      return 0;
  }
}

/** The same for int16, whose values are up to 32768. */
function smallestScaleInt16(op: FloatOp, scaleOf: (id: TensorId) => number): number {
  switch (op.kind) {
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'fullyConnected':
      // Rescaled sums below 2^31, and multipliers below 2^7 however few the weights.
      return largestSum(op, 32_768 * scaleOf(op.input)) / 2 ** 27;
    case 'add':
      // The output multiplier, twice the larger scale / 2^15 / output, must be below 1.
      return Math.max(...op.inputs.map(scaleOf)) / 2 ** 13;
    case 'mul':
      return scaleOf(op.inputs[0]) * scaleOf(op.inputs[1]);
    case 'mean':
      return scaleOf(op.input) / 2 ** 13;
    case 'unary':
      return scaleOf(op.input) / (2 ** 13 / (1 + op.alpha));
    default:
      return 0;
  }
}

/** Bound of |bias| + sum |weight| * |input| over all units, inputs up to `input`. */
function largestSum(op: FloatWeighted, input: number): number {
  const units = op.bias.length;
  const perUnit = op.weights.length / units;
  const sums = Float64Array.from(op.bias, Math.abs);
  op.weights.forEach((weight, i) => {
    const unit = op.kind === 'depthwiseConv2d' ? i % units : Math.floor(i / perUnit);
    sums[unit] = (sums[unit] as number) + Math.abs(weight) * input;
  });
  return sums.reduce((a, b) => Math.max(a, b), 0);
}

function same(a: QuantParameters | null, b: QuantParameters): boolean {
  return a !== null && a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}

/** Disjoint sets of tensors with common parameters. */
class TensorGroups {
  private readonly parent: number[];
  private readonly ranges: Range[];
  private readonly fixedByRoot = new Map<number, QuantParameters>();
  private readonly readers: number[][];

  constructor(
    private readonly graph: FloatGraph,
    ranges: readonly Range[],
    private readonly activations: Activations,
  ) {
    this.parent = graph.tensors.map((_, id) => id);
    this.ranges = [...ranges];
    this.readers = consumers(graph);
    for (const op of graph.ops) {
      const fixed = fixedParameters(op, activations);
      if (fixed) this.fixedByRoot.set(op.output, fixed);
    }
  }

  join(a: TensorId, b: TensorId): void {
    const from = this.root(a);
    const to = this.root(b);
    if (from === to) return;
    this.parent[from] = to;
    const one = this.ranges[from] as Range;
    const other = this.ranges[to] as Range;
    this.ranges[to] = { min: Math.min(one.min, other.min), max: Math.max(one.max, other.max) };
    const fixed = this.fixedByRoot.get(from);
    if (fixed) this.fixedByRoot.set(to, fixed);
  }

  range(id: TensorId): Range {
    return this.ranges[this.root(id)] as Range;
  }

  fixed(id: TensorId): QuantParameters | null {
    return this.fixedByRoot.get(this.root(id)) ?? null;
  }

  parameters(id: TensorId): QuantParameters {
    return this.fixed(id) ?? (this.activations === 'int16' ? symmetricScale : activationScale)(this.range(id));
  }

  /** Makes the scale of a tensor at least `scale`. A tensor that is always zero needs none. */
  widen(id: TensorId, scale: number): void {
    const { min, max } = this.range(id);
    const widest = this.activations === 'int16' ? Math.max(-min, max) / 32_767 : (max - min) / 255;
    const factor = scale / widest;
    if (factor > 1 && factor < Infinity) this.ranges[this.root(id)] = { min: min * factor, max: max * factor };
  }

  /** Whether readers of `input` other than the concat at `index` would see it in much coarser steps. */
  losesTooMuch(input: TensorId, output: TensorId, index: number): boolean {
    const own = this.range(input);
    const common = this.range(output);
    const width = Math.max(common.max, own.max) - Math.min(common.min, own.min);
    if (width <= TOO_COARSE * (own.max - own.min)) return false;
    const root = this.root(input);
    return this.graph.tensors.some(
      (_, id) =>
        this.root(id) === root &&
        (id === this.graph.output ||
          (this.readers[id] as number[]).some(
            (reader) => reader !== index && this.root((this.graph.ops[reader] as FloatOp).output) !== root,
          )),
    );
  }

  private root(id: TensorId): number {
    let root = id;
    while (this.parent[root] !== root) root = this.parent[root] as number;
    this.parent[id] = root;
    return root;
  }
}
