/** Places the activations of a network in one arena: tensors that are never needed at the same time share bytes. */
import { elementCount, type TensorId } from '../graph/float-graph';
import { inputsOf, type Int8Graph, type Int8Op } from '../quantize/int8-graph';
import { EmitError, type MemoryPlan } from './model';

/** Offsets are multiples of this, so that kernels may read four activations at a time. */
const ALIGNMENT = 4;

/** Ops between whose start and end a tensor must keep its value; both ends inclusive. */
interface Lifetime {
  start: number;
  end: number;
}

/** Whether an op may write its output over its input: it reads element i for the last time before it writes it. */
function worksInPlace(op: Int8Op): boolean {
  return op.kind === 'softmax';
}

/** Lifetime of each tensor, or null where nothing touches it. Op -1 is the arrival of the input. */
function lifetimes(graph: Int8Graph): (Lifetime | null)[] {
  const result: (Lifetime | null)[] = graph.tensors.map(() => null);
  const touch = (id: TensorId, index: number): void => {
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

/** Pairs of tensors that may share their place although one is written by the op that reads the other. */
function inPlacePairs(graph: Int8Graph, lives: readonly (Lifetime | null)[]): Map<TensorId, TensorId> {
  const pairs = new Map<TensorId, TensorId>();
  graph.ops.forEach((op, index) => {
    if (op.kind !== 'softmax') return;
    const sameSize =
      elementCount(graph.tensors[op.input]?.shape ?? []) === elementCount(graph.tensors[op.output]?.shape ?? []);
    if (worksInPlace(op) && sameSize && lives[op.input]?.end === index) pairs.set(op.output, op.input);
  });
  return pairs;
}

/**
 * Greedy best fit, largest buffers first; ops that can work in place do. Deterministic.
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
  const buffers = new Map<TensorId, { size: number; life: Lifetime }>();
  graph.tensors.forEach((tensor, id) => {
    const life = lives[id];
    if (!life) return;
    const size = Math.ceil(elementCount(tensor.shape) / ALIGNMENT) * ALIGNMENT;
    const buffer = buffers.get(root(id));
    if (!buffer) buffers.set(root(id), { size, life: { ...life } });
    else {
      buffer.life.start = Math.min(buffer.life.start, life.start);
      buffer.life.end = Math.max(buffer.life.end, life.end);
    }
  });

  const placed: { offset: number; size: number; life: Lifetime }[] = [];
  const places = new Map<TensorId, number>();
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

  // A tensor that nothing touches needs no place of its own, but its place must lie inside the arena.
  const offsets = graph.tensors.map((_, id) => (lives[id] ? (places.get(root(id)) as number) : 0));
  const ends = graph.tensors.map(
    (tensor, id) => Math.ceil(((offsets[id] as number) + elementCount(tensor.shape)) / ALIGNMENT) * ALIGNMENT,
  );
  return { offsets, arenaBytes: Math.max(...ends) };
}

/** Throws EmitError `bad-model` unless every value survives in this plan as long as it is needed. */
export function checkPlan(graph: Int8Graph, plan: MemoryPlan): void {
  const refuse = (why: string): never => {
    throw new EmitError('bad-model', `The memory plan of this model is wrong: ${why}.`);
  };
  const lives = lifetimes(graph);
  const pairs = inPlacePairs(graph, lives);
  if (plan.offsets.length !== graph.tensors.length) refuse('it places another number of tensors');
  const sizes = graph.tensors.map((tensor) => elementCount(tensor.shape));
  plan.offsets.forEach((offset, id) => {
    if (!Number.isInteger(offset) || offset < 0 || offset % ALIGNMENT !== 0) refuse(`tensor ${id} lies at ${offset}`);
    if (offset + (sizes[id] as number) > plan.arenaBytes) refuse(`tensor ${id} ends outside the arena`);
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
