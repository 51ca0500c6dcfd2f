/**
 * Memory plan of a bare network: activations and the kernels' scratch in one arena. The network's input and output are
 * the caller's buffers and need no place.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { inputsOf, type Int8Graph, type Int8Op } from '../quantize/int8-graph';
import { scratchBytes } from './kernel-scratch';
import { overlapDistance } from './overlap';
import type { Target } from './target';

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
  /** The most bytes that any op needs at once, overlaps used to the full: no plan with these kernels can be smaller. */
  readonly lowerBoundBytes: number;
  readonly buffers: readonly PlannedBuffer[];
}

const ALIGNMENT = 4;
/** Orders of placement tried beside the sorted ones, until the lower bound is met. */
const MOST_ORDERS = 400;
/** Pairs of buffers compared in all: keeps the search below a few hundred milliseconds however large the network is. */
const MOST_COMPARISONS = 4_000_000;

interface Buffer {
  readonly name: string;
  readonly kind: 'tensor' | 'scratch';
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Leave to overlap: the output's offset must be at least `distance` below that of the input. */
interface Overlap {
  readonly input: number;
  readonly output: number;
  readonly distance: number;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Plans a checked graph. Deterministic. */
export function planNetwork(graph: Int8Graph, target: Target): NetworkPlan {
  const count = graph.ops.length;
  const size = (id: TensorId): number => elementCount(graph.tensors[id]?.shape ?? []);

  // Reshapes are other names for the same bytes; only from the caller's input to the caller's output are they copied.
  const sources = new Map<TensorId, TensorId>();
  const root = (id: TensorId): TensorId => {
    const source = sources.get(id);
    return source === undefined ? id : root(source);
  };
  for (const op of graph.ops) {
    if (op.kind !== 'reshape' || graph.tensors[op.input]?.data) continue;
    if (op.output === graph.output && root(op.input) === root(graph.input)) continue;
    sources.set(op.output, op.input);
  }

  // Steps at which the bytes are in use. Op -1 is the arrival of the input.
  const first = new Map<TensorId, number>();
  const last = new Map<TensorId, number>();
  const touch = (id: TensorId, step: number): void => {
    if (graph.tensors[id]?.data) return;
    const owner = root(id);
    first.set(owner, Math.min(first.get(owner) ?? step, step));
    last.set(owner, Math.max(last.get(owner) ?? step, step));
  };
  touch(graph.input, -1);
  graph.ops.forEach((op, step) => {
    for (const id of inputsOf(op)) touch(id, step);
    touch(op.output, step);
  });
  touch(graph.output, count);

  /** Inputs that die at this op, and how their bytes may be overlapped by the output. */
  const overlapsAt = (op: Int8Op, step: number): readonly { owner: TensorId; distance: number }[] => {
    const distances = new Map<TensorId, number | null>();
    for (const id of inputsOf(op)) {
      const owner = root(id);
      if (graph.tensors[id]?.data || owner === root(graph.input) || owner === root(op.output)) continue;
      if (last.get(owner) !== step || first.get(root(op.output)) !== step) continue;
      const [distance, other] = [overlapDistance(op, id, graph, target), distances.get(owner)];
      distances.set(owner, distance === null || other === null ? null : Math.max(distance, other ?? distance));
    }
    return [...distances].flatMap(([owner, distance]) => (distance === null ? [] : [{ owner, distance }]));
  };

  // What is computed in place up to the output can already lie in the caller's buffer.
  const atOutput = new Set<TensorId>(root(graph.output) === root(graph.input) ? [] : [root(graph.output)]);
  for (let step = count - 1; step >= 0; step--) {
    const op = graph.ops[step] as Int8Op;
    if (op.kind === 'reshape' || !atOutput.has(root(op.output))) continue;
    const ahead = overlapsAt(op, step).find(
      ({ owner, distance }) => distance <= 0 && size(owner) <= size(graph.output),
    );
    if (ahead) atOutput.add(ahead.owner);
  }
  const external = (id: TensorId): 'input' | 'output' | null => {
    if (root(id) === root(graph.input)) return 'input';
    return atOutput.has(root(id)) ? 'output' : null;
  };

  const owners = [...first.keys()].filter((id) => !external(id)).sort((a, b) => a - b);
  const indexOf = new Map(owners.map((id, index) => [id, index]));
  const buffers: Buffer[] = owners.map((id) => ({
    name: graph.tensors[id]?.name ?? '',
    kind: 'tensor',
    bytes: roundUp(size(id)),
    first: first.get(id) as number,
    last: last.get(id) as number,
  }));
  const overlaps: Overlap[] = [];
  const scratchIndex = graph.ops.map((op, step) => {
    const output = indexOf.get(root(op.output));
    for (const { owner, distance } of overlapsAt(op, step)) {
      const input = indexOf.get(owner);
      if (input === undefined || output === undefined) continue;
      // Beyond these the two do not touch anyway.
      const [least, most] = [-(buffers[input] as Buffer).bytes, (buffers[output] as Buffer).bytes];
      overlaps.push({ input, output, distance: Math.min(most, Math.max(least, roundUp(Math.max(least, distance)))) });
    }
    const bytes = roundUp(scratchBytes(op, graph, target));
    if (bytes === 0) return null;
    buffers.push({ name: `scratch of ${op.kind} ${step + 1}`, kind: 'scratch', bytes, first: step, last: step });
    return buffers.length - 1;
  });

  const { offsets, arenaBytes, lowerBoundBytes } = pack(buffers, overlaps, count);
  return {
    arenaBytes,
    lowerBoundBytes,
    scratchOffsets: scratchIndex.map((index) => (index === null ? null : (offsets[index] as number))),
    places: graph.tensors.map((_, id): Place | null => {
      if (!first.has(root(id))) return null;
      const outside = external(id);
      return outside ? { in: outside } : { in: 'arena', offset: offsets[indexOf.get(root(id)) as number] as number };
    }),
    buffers: buffers.map((buffer, index) => ({ ...buffer, offset: offsets[index] as number })),
  };
}

/** The most bytes in use at any step. An output counts only as far as it cannot lie over the input. */
function lowerBound(buffers: readonly Buffer[], overlaps: readonly Overlap[], steps: number): number {
  let bound = 0;
  for (let step = -1; step <= steps; step++) {
    let bytes = 0;
    for (const buffer of buffers) if (buffer.first <= step && step <= buffer.last) bytes += buffer.bytes;
    const here = overlaps.filter(({ output }) => (buffers[output] as Buffer).first === step);
    const [only] = here;
    if (only) {
      const [input, output] = [(buffers[only.input] as Buffer).bytes, (buffers[only.output] as Buffer).bytes];
      // Over several inputs, the output may need no bytes of its own at all.
      const together = Math.max(output, input + Math.max(0, only.distance));
      bytes -= here.length > 1 ? output : Math.max(0, input + output - together);
    }
    bound = Math.max(bound, bytes);
  }
  return bound;
}

/** Offsets for buffers with lifetimes: the best of several orders of first fit. */
function pack(
  buffers: readonly Buffer[],
  overlaps: readonly Overlap[],
  steps: number,
): { readonly offsets: number[]; readonly arenaBytes: number; readonly lowerBoundBytes: number } {
  const lowerBoundBytes = lowerBound(buffers, overlaps, steps);
  const allowed = new Map(overlaps.map((overlap) => [overlap.output * buffers.length + overlap.input, overlap]));
  /** Per buffer: those that are in use at the same time. */
  const rivals = buffers.map((a, index) =>
    buffers.flatMap((b, other) => (other !== index && a.first <= b.last && b.first <= a.last ? [other] : [])),
  );

  /** First fit in the given order. */
  const place = (order: readonly number[]): { offsets: number[]; arenaBytes: number } => {
    const offsets = new Array<number>(buffers.length).fill(-1);
    let arenaBytes = 0;
    for (const index of order) {
      const { bytes } = buffers[index] as Buffer;
      // Offsets strictly between these two are taken.
      const taken: [low: number, high: number][] = [];
      for (const other of rivals[index] as readonly number[]) {
        const at = offsets[other] as number;
        if (at < 0) continue;
        const asOutput = allowed.get(index * buffers.length + other);
        const asInput = allowed.get(other * buffers.length + index);
        taken.push([
          asOutput ? at - asOutput.distance : at - bytes,
          asInput ? at + asInput.distance : at + (buffers[other] as Buffer).bytes,
        ]);
      }
      taken.sort((a, b) => a[0] - b[0]);
      let offset = 0;
      for (const [low, high] of taken) if (low < offset && offset < high) offset = high;
      offsets[index] = offset;
      arenaBytes = Math.max(arenaBytes, offset + bytes);
    }
    return { offsets, arenaBytes };
  };

  const indices = buffers.map((_, index) => index);
  const by = (value: (buffer: Buffer) => number): number[] =>
    [...indices].sort((a, b) => value(buffers[b] as Buffer) - value(buffers[a] as Buffer) || a - b);
  let order = by(({ bytes }) => bytes);
  let best = place(order);
  const attempts = [
    by(({ bytes, first, last }) => bytes * (last - first + 1)),
    by(({ first, last }) => last - first),
    by(({ first }) => -first),
    by(({ last }) => last),
  ];
  const comparisons = rivals.reduce((sum, { length }) => sum + length + 1, 0);
  const most = Math.min(MOST_ORDERS, Math.ceil(MOST_COMPARISONS / comparisons));
  let state = 0x2545f491;
  const below = (limit: number): number => {
    // xorshift32: the same numbers everywhere.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  for (let attempt = 0; attempt < most && best.arenaBytes > lowerBoundBytes; attempt++) {
    // After the sorted orders: the best so far with one to four buffers moved elsewhere.
    const next = attempts[attempt] ?? [...order];
    if (attempt >= attempts.length) {
      for (let moves = 1 + below(4); moves > 0; moves--) {
        const [moved] = next.splice(below(next.length), 1) as [number];
        next.splice(below(next.length + 1), 0, moved);
      }
    }
    const placed = place(next);
    if (placed.arenaBytes <= best.arenaBytes) [best, order] = [placed, next];
  }
  return { ...best, lowerBoundBytes };
}
