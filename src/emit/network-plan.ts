/**
 * Memory plan of a bare network: activations and the kernels' scratch in one arena. The network's input and output are
 * the caller's buffers and need no place.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { inputsOf, type Int8DepthwiseConv2d, type Int8Graph, type Int8Op } from '../quantize/int8-graph';
import { scratchBytes } from './kernel-scratch';
import { layoutFor, type Target } from './target';

/** Where a value lies: at a byte of the arena, or in a buffer of the caller. */
export type Place = { readonly in: 'arena'; readonly offset: number } | { readonly in: 'input' | 'output' };

/** A stretch of the arena, used from op `first` to op `last`, both included. */
export interface PlannedBuffer {
  readonly name: string;
  readonly kind: 'tensor' | 'scratch';
  readonly offset: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface NetworkPlan {
  /** Per tensor; null for constants and for what nothing touches. */
  readonly places: readonly (Place | null)[];
  /** Per op; null where the kernel needs none. */
  readonly scratchOffsets: readonly (number | null)[];
  readonly arenaBytes: number;
  /** The most bytes that any op needs at once: no plan with these kernels can be smaller. */
  readonly lowerBoundBytes: number;
  readonly buffers: readonly PlannedBuffer[];
}

const ALIGNMENT = 4;
/** Orders of placement tried beside the sorted ones; networks are small, so this takes milliseconds. */
const RANDOM_ORDERS = 200;

interface Buffer {
  readonly name: string;
  readonly kind: 'tensor' | 'scratch';
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/**
 * Whether a depthwise layer may write over its input: its kernel copies rows into a ring before it uses them, so no
 * output row may reach a row that is not copied yet.
 */
export function depthwiseWorksInPlace(op: Int8DepthwiseConv2d, graph: Int8Graph): boolean {
  const [height = 0, width = 0, channels = 0] = graph.tensors[op.input]?.shape ?? [];
  const [outHeight = 0, outWidth = 0, outChannels = 0] = graph.tensors[op.output]?.shape ?? [];
  const { window } = op;
  const rows = (window.kernelHeight - 1) * window.dilationHeight + 1;
  for (let y = 0; y < outHeight; y++) {
    const copied = Math.min(height, y * window.strideHeight - window.padTop + rows);
    const end = (y + 1) * outWidth * outChannels;
    if (copied < height && end > copied * width * channels) return false;
  }
  return true;
}

/** The input that an op may write its output over, or null. */
function inPlaceInputs(op: Int8Op, graph: Int8Graph, target: Target): readonly TensorId[] {
  const size = (id: TensorId): number => elementCount(graph.tensors[id]?.shape ?? []);
  switch (op.kind) {
    case 'softmax':
    case 'lookup':
      return [op.input];
    case 'add':
    case 'mul':
      // A smaller second operand is read again and again.
      return op.inputs.filter((id) => size(id) === size(op.output));
    case 'depthwiseConv2d':
      return depthwiseWorksInPlace(op, graph) ? [op.input] : [];
    case 'maxPool2d':
    case 'averagePool2d': {
      const { padTop, padLeft, padBottom, padRight } = op.window;
      return padTop + padLeft + padBottom + padRight === 0 ? [op.input] : [];
    }
    case 'conv2d': {
      // The SIMD kernels copy the pixels that they work on; portable ones read the input while they write.
      const { kernelHeight, kernelWidth, strideHeight, strideWidth } = op.window;
      const pointwise = kernelHeight * kernelWidth * strideHeight * strideWidth === 1 && op.groups === 1;
      return layoutFor(op, target) !== 'plain' && pointwise && size(op.output) <= size(op.input) ? [op.input] : [];
    }
    default:
      return [];
  }
}

/** Plans a checked graph. Deterministic. */
export function planNetwork(graph: Int8Graph, target: Target): NetworkPlan {
  const count = graph.ops.length;
  const first = new Map<TensorId, number>();
  const last = new Map<TensorId, number>();
  const touch = (id: TensorId, step: number): void => {
    if (graph.tensors[id]?.data) return;
    first.set(id, Math.min(first.get(id) ?? step, step));
    last.set(id, Math.max(last.get(id) ?? step, step));
  };
  touch(graph.input, -1);
  graph.ops.forEach((op, step) => {
    for (const id of inputsOf(op)) touch(id, step);
    touch(op.output, step);
  });
  touch(graph.output, count);

  // Tensors that share their place: reshapes, and ops that work in place on an input that dies there.
  const parent = new Map<TensorId, TensorId>();
  const root = (id: TensorId): TensorId => {
    const over = parent.get(id);
    return over === undefined ? id : root(over);
  };
  const groupLast = new Map<TensorId, number>(last);
  graph.ops.forEach((op, step) => {
    const candidates = op.kind === 'reshape' ? [op.input] : inPlaceInputs(op, graph, target);
    for (const id of candidates) {
      if (graph.tensors[id]?.data || parent.has(op.output)) continue;
      const base = root(id);
      const isInput = base === root(graph.input);
      // The caller's input is not ours to write; a reshape of it is only another name.
      if (isInput && (op.kind !== 'reshape' || op.output === graph.output)) continue;
      if (op.kind !== 'reshape' && groupLast.get(base) !== step) continue;
      parent.set(op.output, base);
      groupLast.set(base, Math.max(groupLast.get(base) ?? step, last.get(op.output) ?? step));
      break;
    }
  });

  const external = (id: TensorId): 'input' | 'output' | null => {
    if (root(id) === root(graph.input)) return 'input';
    return root(id) === root(graph.output) && fitsOutput(graph, id, root) ? 'output' : null;
  };

  const groups = new Map<TensorId, Buffer>();
  graph.tensors.forEach((tensor, id) => {
    const from = first.get(id);
    if (from === undefined || external(id)) return;
    const known = groups.get(root(id));
    groups.set(root(id), {
      name: known?.name ?? tensor.name,
      kind: 'tensor',
      bytes: Math.max(known?.bytes ?? 0, roundUp(elementCount(tensor.shape))),
      first: Math.min(known?.first ?? from, from),
      last: Math.max(known?.last ?? 0, last.get(id) ?? from),
    });
  });
  const tensorIds = [...groups.keys()];
  const buffers: Buffer[] = tensorIds.map((id) => groups.get(id) as Buffer);
  const scratchIndex = graph.ops.map((op, step) => {
    const bytes = roundUp(scratchBytes(op, graph, target));
    if (bytes === 0) return null;
    buffers.push({ name: `scratch of ${op.kind} ${step + 1}`, kind: 'scratch', bytes, first: step, last: step });
    return buffers.length - 1;
  });

  const { offsets, arenaBytes, lowerBoundBytes } = pack(buffers, count);
  const at = new Map(tensorIds.map((id, index) => [id, offsets[index] as number]));
  return {
    arenaBytes,
    lowerBoundBytes,
    scratchOffsets: scratchIndex.map((index) => (index === null ? null : (offsets[index] as number))),
    places: graph.tensors.map((_, id): Place | null => {
      if (!first.has(id)) return null;
      const outside = external(id);
      return outside ? { in: outside } : { in: 'arena', offset: at.get(root(id)) as number };
    }),
    buffers: buffers.map((buffer, index) => ({ ...buffer, offset: offsets[index] as number })),
  };
}

/** Whether every tensor that shares its place with the output is no larger than the caller's buffer. */
function fitsOutput(graph: Int8Graph, id: TensorId, root: (id: TensorId) => TensorId): boolean {
  const limit = elementCount(graph.tensors[graph.output]?.shape ?? []);
  return graph.tensors.every(
    (tensor, other) => tensor.data !== undefined || root(other) !== root(id) || elementCount(tensor.shape) <= limit,
  );
}

/** Offsets for buffers with lifetimes: the best of several orders of first fit. */
function pack(
  buffers: readonly Buffer[],
  steps: number,
): { readonly offsets: number[]; readonly arenaBytes: number; readonly lowerBoundBytes: number } {
  let lowerBoundBytes = 0;
  for (let step = -1; step <= steps; step++) {
    const live = buffers.filter(({ first, last }) => first <= step && step <= last);
    lowerBoundBytes = Math.max(
      lowerBoundBytes,
      live.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }
  const indices = buffers.map((_, index) => index);
  const by = (value: (buffer: Buffer) => number): number[] =>
    [...indices].sort((a, b) => value(buffers[b] as Buffer) - value(buffers[a] as Buffer) || a - b);
  const orders = [
    by(({ bytes }) => bytes),
    by(({ bytes, first, last }) => bytes * (last - first + 1)),
    by(({ first, last }) => last - first),
    by(({ first }) => -first),
  ];
  let best = place(buffers, orders[0] as number[]);
  let state = 0x2545f491;
  for (let attempt = 1; attempt < orders.length + RANDOM_ORDERS && best.arenaBytes > lowerBoundBytes; attempt++) {
    const order = orders[attempt] ?? [...indices];
    if (attempt >= orders.length) {
      for (let i = order.length - 1; i > 0; i--) {
        // xorshift32: the same order everywhere.
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        const j = (state >>> 0) % (i + 1);
        [order[i], order[j]] = [order[j] as number, order[i] as number];
      }
    }
    const placed = place(buffers, order);
    if (placed.arenaBytes < best.arenaBytes) best = placed;
  }
  return { ...best, lowerBoundBytes };
}

/** First fit in the given order. */
function place(buffers: readonly Buffer[], order: readonly number[]): { offsets: number[]; arenaBytes: number } {
  const offsets = new Array<number>(buffers.length).fill(0);
  const done: number[] = [];
  let arenaBytes = 0;
  for (const index of order) {
    const { bytes, first, last } = buffers[index] as Buffer;
    const obstacles = done
      .filter((other) => (buffers[other] as Buffer).first <= last && first <= (buffers[other] as Buffer).last)
      .sort((a, b) => (offsets[a] as number) - (offsets[b] as number));
    let offset = 0;
    for (const other of obstacles) {
      const start = offsets[other] as number;
      if (start - offset >= bytes) break;
      offset = Math.max(offset, start + (buffers[other] as Buffer).bytes);
    }
    offsets[index] = offset;
    arenaBytes = Math.max(arenaBytes, offset + bytes);
    done.push(index);
  }
  return { offsets, arenaBytes };
}
