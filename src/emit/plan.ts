/**
 * Greedy memory plans: what is never needed at the same time shares bytes of one arena. That of a pack holds activations,
 * input and output included, and the scratch of the portable kernels; that of a model in Python activations alone.
 * (Headers are planned for their target: network-plan.ts.)
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { inputsOf, type Int8Graph } from '../quantize/int8-graph';
import { scratchBytes } from './kernel-scratch';
import { EmitError, type MemoryPlan } from './model';
import { overlapDistance } from './overlap';

/** Offsets are multiples of this, so that kernels may read four activations at a time. */
const ALIGNMENT = 4;

/** Ops between whose start and end a tensor must keep its value; both ends inclusive. */
interface Lifetime {
  start: number;
  end: number;
}

/** Lifetime of each tensor, or null where nothing touches it. Op -1 is the arrival of the input. */
function lifetimes(graph: Int8Graph): (Lifetime | null)[] {
  const result: (Lifetime | null)[] = graph.tensors.map(() => null);
  const touch = (id: TensorId, index: number): void => {
    if (graph.tensors[id]?.data) return;
    const known = result[id];
    if (known) known.end = Math.max(known.end, index);
    else result[id] = { start: index, end: index };
  };
  touch(graph.input, -1);
  graph.ops.forEach((op, index) => {
    for (const id of inputsOf(op)) touch(id, index);
    touch(op.output, index);
  });
  touch(graph.output, graph.ops.length);
  return result;
}

/** Outputs that may lie exactly over an input of their op, which nothing needs afterwards, and that input. */
function inPlacePairs(graph: Int8Graph, lives: readonly (Lifetime | null)[]): Map<TensorId, TensorId> {
  const pairs = new Map<TensorId, TensorId>();
  graph.ops.forEach((op, index) => {
    const inputs = inputsOf(op);
    const over = inputs.find((id) => {
      if (lives[id]?.end !== index || inputs.filter((other) => other === id).length > 1) return false;
      if (op.kind === 'reshape') return true;
      const distance = overlapDistance(op, id, graph, 'generic');
      return distance !== null && distance <= 0;
    });
    if (over !== undefined) pairs.set(op.output, over);
  });
  return pairs;
}

/** Bytes that are needed at one time, under a number of their own. */
interface Buffer {
  readonly size: number;
  readonly life: Lifetime;
}

/** Greedy best fit, largest buffers first, those of a size by number. Deterministic. Offset by number. */
function placeBuffers(buffers: ReadonlyMap<number, Buffer>): Map<number, number> {
  const placed: (Buffer & { readonly offset: number })[] = [];
  const places = new Map<number, number>();
  const largestFirst = [...buffers].sort(([a, x], [b, y]) => y.size - x.size || a - b);
  for (const [id, { size, life }] of largestFirst) {
    const obstacles = placed
      .filter((other) => other.life.start <= life.end && life.start <= other.life.end)
      .sort((a, b) => a.offset - b.offset);
    let best = { offset: -1, gap: Infinity };
    let free = 0;
    for (const { offset, size: taken } of obstacles) {
      const gap = offset - free;
      if (gap >= size && gap < best.gap) best = { offset: free, gap };
      free = Math.max(free, offset + taken);
    }
    const offset = best.offset >= 0 ? best.offset : free;
    placed.push({ offset, size, life });
    places.set(id, offset);
  }
  return places;
}

export interface ActivationPlan {
  /** Byte offsets by tensor id; 0 for constants. */
  readonly offsets: readonly number[];
  readonly arenaBytes: number;
}

/**
 * Places activations alone, for kernels that need no scratch and give no promise about the order of reads and writes, as
 * those in Python: an output never shares bytes with an input of its operation. `graph` must have passed `checkInt8Graph`.
 */
export function planActivations(graph: Int8Graph): ActivationPlan {
  const sizes = graph.tensors.map(({ shape, data }) => (data ? 0 : elementCount(shape)));
  const buffers = new Map<number, Buffer>();
  lifetimes(graph).forEach((life, id) => {
    if (life) buffers.set(id, { size: sizes[id] as number, life });
  });
  const places = placeBuffers(buffers);
  // A tensor that nothing touches needs no place of its own, but its place must lie inside the arena.
  const offsets = sizes.map((_, id) => places.get(id) ?? 0);
  return { offsets, arenaBytes: Math.max(...sizes.map((size, id) => (offsets[id] as number) + size)) };
}

/**
 * Greedy best fit, largest buffers first; ops that can work in place do. Deterministic. Constants get offset 0, as do
 * ops without scratch.
 * `graph` must have passed `checkInt8Graph`.
 */
export function planMemory(graph: Int8Graph): MemoryPlan {
  const lives = lifetimes(graph);
  const pairs = inPlacePairs(graph, lives);
  const root = (id: TensorId): TensorId => {
    const over = pairs.get(id);
    return over === undefined ? id : root(over);
  };

  // One buffer per chain of tensors that share their place.
  const buffers = new Map<number, { size: number; life: Lifetime }>();
  graph.tensors.forEach((tensor, id) => {
    const life = lives[id];
    if (!life) return;
    const size = roundUp(elementCount(tensor.shape));
    const buffer = buffers.get(root(id));
    if (!buffer) buffers.set(root(id), { size, life: { ...life } });
    else {
      buffer.size = Math.max(buffer.size, size);
      buffer.life.start = Math.min(buffer.life.start, life.start);
      buffer.life.end = Math.max(buffer.life.end, life.end);
    }
  });
  // Scratch is numbered behind the tensors.
  const scratchOf = (step: number): number => graph.tensors.length + step;
  graph.ops.forEach((op, step) => {
    const size = roundUp(scratchBytes(op, graph, 'generic'));
    if (size > 0) buffers.set(scratchOf(step), { size, life: { start: step, end: step } });
  });

  const places = placeBuffers(buffers);
  // A tensor that nothing touches needs no place of its own, but its place must lie inside the arena.
  const offsets = graph.tensors.map((_, id) => (lives[id] ? (places.get(root(id)) as number) : 0));
  const scratch = graph.ops.map((_, step) => places.get(scratchOf(step)) ?? 0);
  const ends = [
    ...graph.tensors.map((tensor, id) => (tensor.data ? 0 : (offsets[id] as number) + elementCount(tensor.shape))),
    ...graph.ops.map((op, step) => (scratch[step] as number) + scratchBytes(op, graph, 'generic')),
  ];
  return { offsets, scratch, arenaBytes: roundUp(Math.max(...ends)) };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Throws EmitError `bad-model` unless every value survives in this plan as long as it is needed. */
export function checkPlan(graph: Int8Graph, plan: MemoryPlan): void {
  const refuse = (why: string): never => {
    throw new EmitError('bad-model', `The memory plan of this model is wrong: ${why}.`);
  };
  const lives = lifetimes(graph);
  const pairs = inPlacePairs(graph, lives);
  if (plan.offsets.length !== graph.tensors.length) refuse('it places another number of tensors');
  if (plan.scratch.length !== graph.ops.length) refuse('it has scratch for another number of operations');
  const sizes = graph.tensors.map((tensor) => (tensor.data ? 0 : elementCount(tensor.shape)));
  const checkPlace = (offset: number, bytes: number, what: string): void => {
    if (!Number.isInteger(offset) || offset < 0 || offset % ALIGNMENT !== 0) refuse(`${what} lies at ${offset}`);
    if (offset + bytes > plan.arenaBytes) refuse(`${what} ends outside the arena`);
  };
  plan.offsets.forEach((offset, id) => checkPlace(offset, sizes[id] as number, `tensor ${id}`));
  graph.ops.forEach((op, step) => {
    const [from, bytes] = [plan.scratch[step] as number, scratchBytes(op, graph, 'generic')];
    checkPlace(from, bytes, `the scratch of operation ${step}`);
    if (bytes === 0 && from !== 0) refuse(`operation ${step} needs no scratch`);
    sizes.forEach((size, id) => {
      const life = lives[id];
      if (bytes === 0 || !life || step < life.start || step > life.end) return;
      const to = plan.offsets[id] as number;
      if (from < to + size && to < from + bytes) refuse(`tensor ${id} overlaps the scratch of operation ${step}`);
    });
  });
  for (let a = 0; a < sizes.length; a++) {
    for (let b = a + 1; b < sizes.length; b++) {
      const [x, y] = [lives[a], lives[b]];
      if (!x || !y || x.start > y.end || y.start > x.end) continue;
      const [from, to] = [plan.offsets[a] as number, plan.offsets[b] as number];
      if (from + (sizes[a] as number) <= to || to + (sizes[b] as number) <= from) continue;
      // In place: the two meet in exactly one op, which writes one over the other.
      const inPlace = from === to && (pairs.get(b) === a || pairs.get(a) === b);
      if (!inPlace) refuse(`tensors ${a} and ${b} are needed at once but overlap`);
    }
  }
}
