/**
 * Memory plan of a bare network: activations and the kernels' scratch in one arena. The network's input and output are
 * the caller's buffers and need no place.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { inputsOfInt16, type Int16Graph, type Int16Op } from '../quantize/int16-graph';
import { inputsOf, type Int8Graph, type Int8Op } from '../quantize/int8-graph';
import { scratchBytes, scratchBytesInt16 } from './kernel-scratch';
import { overlapDistance, overlapDistanceInt16 } from './overlap';
import { rootOf, runStream, stageKeptBytes, stageScratchBytes, stagesOf, type Stage, type Stream } from './stream';
import { improveStreams } from './stream-search';
import type { Target } from './target';

/** Where a value lies: at a byte of the arena, or of a buffer of the caller. */
export interface Place {
  readonly in: 'arena' | 'input' | 'output';
  readonly offset: number;
}

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
  /** Per op; null where the kernel needs none. Ops of a stream share what the stream has, but for sums. */
  readonly scratchOffsets: readonly (number | null)[];
  /** Ops that are computed together, a few lines at a time, where the last of them stands. */
  readonly streams: readonly PlannedStream[];
  readonly arenaBytes: number;
  /** The most bytes that any op needs at once, overlaps used to the full: no plan with these kernels can be smaller. */
  readonly lowerBoundBytes: number;
  /** No placement of these buffers is smaller: the bound is met, or all orders of placing them were tried. */
  readonly provenBest: boolean;
  readonly buffers: readonly PlannedBuffer[];
}

export interface PlannedStream extends Stream {
  readonly stages: readonly Stage[];
  /** Per stage: where the lines of its input lie in the arena; 0 for the first, whose input is whole. */
  readonly bufferOffsets: readonly number[];
}

const ALIGNMENT = 4;
/** So few buffers are placed in every order: 5,040 at most. */
const MOST_EXACT_BUFFERS = 7;
/** Orders of placement tried beside the sorted ones, until the lower bound is met. */
const MOST_ORDERS = 400;
/** Pairs of buffers compared in all: keeps the search below a few hundred milliseconds however large the network is. */
const MOST_COMPARISONS = 4_000_000;

/** Bytes that are in use from step `first` to step `last`. */
export interface Buffer {
  readonly name: string;
  readonly kind: 'tensor' | 'scratch';
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Leave to overlap: the output's offset must be at least `distance` below that of the input. */
export interface Overlap {
  readonly input: number;
  readonly output: number;
  readonly distance: number;
}

export function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** What has to be placed for a choice of streams. */
interface Layout {
  readonly buffers: readonly Buffer[];
  readonly overlaps: readonly Overlap[];
  readonly scratchIndex: readonly (number | null)[];
  readonly streams: readonly { readonly prepared: PreparedStream; readonly index: number[] }[];
  readonly indexOf: ReadonlyMap<TensorId, number>;
  readonly first: ReadonlyMap<TensorId, number>;
  readonly external: (id: TensorId) => Place | null;
  readonly root: (id: TensorId) => TensorId;
}

/** What is planned: a graph of values of some size, whose ops need scratch and may overwrite their inputs. */
interface Subject {
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly data?: unknown }[];
  readonly ops: readonly ({ readonly kind: string; readonly output: TensorId } | ReshapeOp)[];
  readonly input: TensorId;
  readonly output: TensorId;
  readonly bytesPerValue: number;
  /** Of the op at this step. */
  readonly inputsAt: (step: number) => readonly TensorId[];
  readonly distanceAt: (step: number, input: TensorId) => number | null;
  readonly scratchAt: (step: number) => number;
}

type ReshapeOp = { readonly kind: 'reshape'; readonly input: TensorId; readonly output: TensorId };

function isReshape(op: Subject['ops'][number]): op is ReshapeOp {
  return op.kind === 'reshape';
}

interface PreparedStream {
  readonly stream: Stream;
  readonly stages: readonly Stage[];
  readonly run: ReturnType<typeof runStream>;
  /** Tensors that exist only line by line. */
  readonly inLines: readonly TensorId[];
  /** Bytes of scratch of stage `k` for so many lines. */
  readonly scratchOf: (k: number, lines: number) => number;
  /** Bytes that the last stage keeps from turn to turn. */
  readonly keptBytes: number;
}

function prepareStream(stream: Stream, graph: Int8Graph, target: Target): PreparedStream {
  const stages = stagesOf(stream.ops, graph, target);
  if (!stages) throw new Error('These operations cannot be streamed.');
  const opOf = (k: number): Int8Op => graph.ops[stream.ops[k] as number] as Int8Op;
  return {
    stream,
    stages,
    run: runStream(stages, stream.strip),
    inLines: stream.ops.slice(0, -1).map((_, k) => rootOf(graph, opOf(k).output)),
    scratchOf: (k, lines) => stageScratchBytes(opOf(k), stages[k] as Stage, lines, graph, target),
    keptBytes: stageKeptBytes(opOf(stages.length - 1), stages.at(-1) as Stage),
  };
}

/**
 * Plans a checked graph. Deterministic. Streams are used where they make the arena smaller, or only those that are given.
 */
export function planNetwork(graph: Int8Graph, target: Target, given?: readonly Stream[]): NetworkPlan {
  const distances = new Map<string, number | null>();
  const distanceOf = (op: Int8Op, id: TensorId): number | null => {
    const key = `${op.output} ${id}`;
    const known = distances.get(key);
    if (known !== undefined) return known;
    const distance = overlapDistance(op, id, graph, target);
    distances.set(key, distance);
    return distance;
  };
  const opAt = (step: number): Int8Op => graph.ops[step] as Int8Op;
  const subject: Subject = {
    ...graph,
    bytesPerValue: 1,
    inputsAt: (step) => inputsOf(opAt(step)),
    distanceAt: (step, id) => distanceOf(opAt(step), id),
    scratchAt: (step) => scratchBytes(opAt(step), graph, target),
  };
  const layoutWith = (streams: readonly Stream[]): Layout =>
    layOut(
      subject,
      streams.map((stream) => prepareStream(stream, graph, target)),
    );
  const planWith = (streams: readonly Stream[]): NetworkPlan => placed(subject, layoutWith(streams));
  if (given) return planWith(given);
  const plain = planWith([]);
  // The structures that streams read lie in flash on AVR, out of reach of their driver.
  if (target === 'avr') return plain;
  return improveStreams(graph, target, plain, planWith, (streams) => {
    const { buffers, overlaps } = layoutWith(streams);
    return usage(buffers, overlaps, graph.ops.length);
  });
}

/** Plans a checked int16 graph, whose activations take two bytes. Nothing is streamed. Deterministic. */
export function planInt16Network(graph: Int16Graph): NetworkPlan {
  const opAt = (step: number): Int16Op => graph.ops[step] as Int16Op;
  const subject: Subject = {
    ...graph,
    bytesPerValue: 2,
    inputsAt: (step) => inputsOfInt16(opAt(step)),
    distanceAt: (step, id) => overlapDistanceInt16(opAt(step), id, graph),
    scratchAt: (step) => scratchBytesInt16(opAt(step), graph),
  };
  return placed(subject, layOut(subject, []));
}

function placed(graph: Subject, layout: Layout): NetworkPlan {
  const { buffers, root, first, indexOf } = layout;
  const { offsets, arenaBytes, lowerBoundBytes, provenBest } = placeBuffers(buffers, layout.overlaps, graph.ops.length);
  return {
    arenaBytes,
    lowerBoundBytes,
    provenBest,
    scratchOffsets: layout.scratchIndex.map((index) => (index === null ? null : (offsets[index] as number))),
    streams: layout.streams.map(({ prepared, index }) => ({
      ...prepared.stream,
      stages: prepared.stages,
      bufferOffsets: index.map((buffer) => (buffer < 0 ? 0 : (offsets[buffer] as number))),
    })),
    places: graph.tensors.map((_, id): Place | null => {
      if (!first.has(root(id))) return null;
      return layout.external(id) ?? { in: 'arena', offset: offsets[indexOf.get(root(id)) as number] as number };
    }),
    buffers: buffers.map((buffer, index) => ({ ...buffer, offset: offsets[index] as number })),
  };
}

function layOut(graph: Subject, prepared: readonly PreparedStream[]): Layout {
  const count = graph.ops.length;
  const size = (id: TensorId): number => graph.bytesPerValue * elementCount(graph.tensors[id]?.shape ?? []);
  const outputAt = (step: number): TensorId => (graph.ops[step] as Subject['ops'][number]).output;

  // Reshapes are other names for the same bytes; only from the caller's input to the caller's output are they copied.
  const sources = new Map<TensorId, TensorId>();
  const root = (id: TensorId): TensorId => {
    const source = sources.get(id);
    return source === undefined ? id : root(source);
  };
  for (const op of graph.ops) {
    if (!isReshape(op) || graph.tensors[op.input]?.data) continue;
    if (op.output === graph.output && root(op.input) === root(graph.input)) continue;
    sources.set(op.output, op.input);
  }

  const streams = prepared.map((stream) => ({ prepared: stream, index: [] as number[] }));
  /** Streams by their last op, at whose step all of it happens. */
  const streamAt = new Map(streams.map((entry) => [entry.prepared.stream.ops.at(-1) as number, entry]));
  const stepOf = graph.ops.map((_, index) => index);
  /** Tensors that exist only line by line. */
  const inLines = new Set<TensorId>();
  for (const { stream, inLines: tensors } of prepared) {
    for (const index of stream.ops) stepOf[index] = stream.ops.at(-1) as number;
    for (const id of tensors) inLines.add(id);
  }

  // Steps at which the bytes are in use. Op -1 is the arrival of the input.
  const first = new Map<TensorId, number>();
  const last = new Map<TensorId, number>();
  const touch = (id: TensorId, step: number): void => {
    const owner = root(id);
    if (graph.tensors[id]?.data || inLines.has(owner)) return;
    first.set(owner, Math.min(first.get(owner) ?? step, step));
    last.set(owner, Math.max(last.get(owner) ?? step, step));
  };
  touch(graph.input, -1);
  graph.ops.forEach((op, index) => {
    const step = stepOf[index] as number;
    for (const id of graph.inputsAt(index)) touch(id, step);
    touch(op.output, step);
  });
  touch(graph.output, count);

  /** What the step reads, and how far its output may lie over it; null: not at all. */
  const readsAt = (step: number): readonly (readonly [TensorId, number | null])[] => {
    const entry = streamAt.get(step);
    if (!entry) {
      return graph.inputsAt(step).map((id) => [id, graph.tensors[id]?.data ? null : graph.distanceAt(step, id)]);
    }
    const { stages, run } = entry.prepared;
    return [
      [(stages[0] as Stage).input, run.inputDistance],
      ...stages.flatMap(({ side }, k) => (side === null ? [] : [[side, run.sideDistances[k] as number] as const])),
    ];
  };
  /** Inputs that die at this step, and how their bytes may be overlapped by the output. */
  const overlapsAt = (step: number): readonly { owner: TensorId; distance: number }[] => {
    const output = root(outputAt(step));
    const found = new Map<TensorId, number | null>();
    for (const [id, distance] of readsAt(step)) {
      const owner = root(id);
      if (graph.tensors[id]?.data || owner === root(graph.input) || owner === output) continue;
      if (last.get(owner) !== step || first.get(output) !== step) continue;
      const other = found.get(owner);
      found.set(owner, distance === null || other === null ? null : Math.max(distance, other ?? distance));
    }
    return [...found].flatMap(([owner, distance]) => (distance === null ? [] : [{ owner, distance }]));
  };

  // What is computed in place up to the output can already lie in the caller's buffer.
  const atOutput = new Set<TensorId>(root(graph.output) === root(graph.input) ? [] : [root(graph.output)]);
  for (let step = count - 1; step >= 0; step--) {
    const op = graph.ops[step] as Subject['ops'][number];
    if (isReshape(op) || stepOf[step] !== step || !atOutput.has(root(op.output))) continue;
    const ahead = overlapsAt(step).find(({ owner, distance }) => distance <= 0 && size(owner) <= size(graph.output));
    if (ahead) atOutput.add(ahead.owner);
  }
  // What is gone before anything is written to the caller's buffer may lie there as well.
  const outputFirst = Math.min(...[...atOutput].map((owner) => first.get(owner) ?? count));
  const early = [...first.keys()]
    .filter((owner) => owner !== root(graph.input) && !atOutput.has(owner) && (last.get(owner) as number) < outputFirst)
    .sort((a, b) => size(b) - size(a) || a - b);
  const inOutput = new Map<TensorId, number>();
  for (const owner of atOutput.size === 0 ? [] : early) {
    const rivals = [...inOutput].filter(
      ([other]) =>
        (first.get(other) as number) <= (last.get(owner) as number) &&
        (first.get(owner) as number) <= (last.get(other) as number),
    );
    rivals.sort((a, b) => a[1] - b[1]);
    let offset = 0;
    for (const [other, at] of rivals) if (at < offset + size(owner)) offset = Math.max(offset, at + size(other));
    if (offset + size(owner) <= size(graph.output)) inOutput.set(owner, offset);
  }
  const external = (id: TensorId): Place | null => {
    if (root(id) === root(graph.input)) return { in: 'input', offset: 0 };
    const offset = inOutput.get(root(id)) ?? (atOutput.has(root(id)) ? 0 : null);
    return offset === null ? null : { in: 'output', offset };
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
  const scratch = (name: string, bytes: number, step: number): number | null => {
    if (bytes === 0) return null;
    buffers.push({ name, kind: 'scratch', bytes: roundUp(bytes), first: step, last: step });
    return buffers.length - 1;
  };
  const scratchIndex: (number | null)[] = graph.ops.map(() => null);
  graph.ops.forEach((op, step) => {
    if (stepOf[step] !== step) return;
    const output = indexOf.get(root(op.output));
    for (const { owner, distance } of overlapsAt(step)) {
      const input = indexOf.get(owner);
      if (input === undefined || output === undefined) continue;
      // Beyond these the two do not touch anyway.
      const [least, most] = [-(buffers[input] as Buffer).bytes, (buffers[output] as Buffer).bytes];
      overlaps.push({ input, output, distance: Math.min(most, Math.max(least, roundUp(Math.max(least, distance)))) });
    }
    const entry = streamAt.get(step);
    if (!entry) {
      scratchIndex[step] = scratch(`scratch of ${op.kind} ${step + 1}`, graph.scratchAt(step), step);
      return;
    }
    const {
      prepared: { stream, stages, run, scratchOf, keptBytes },
      index,
    } = entry;
    let most = 0;
    stream.ops.forEach((member, k) => {
      const stage = stages[k] as Stage;
      most = Math.max(most, scratchOf(k, (run.calls[k] as { most: number }).most));
      const held = (run.lines[k] as number) * stage.inPitch;
      index.push(scratch(`lines into ${graph.ops[member]?.kind} ${member + 1}`, held, step) ?? -1);
    });
    const shared = scratch(`scratch of ${stream.ops.map((member) => member + 1).join(', ')}`, most, step);
    for (const member of stream.ops) scratchIndex[member] = shared;
    const kept = scratch(`sums of ${op.kind} ${step + 1}`, keptBytes, step);
    if (kept !== null) scratchIndex[step] = kept;
  });
  return { buffers, overlaps, scratchIndex, streams, indexOf, first, external, root };
}

/** Bytes in use at each step, from -1. An output counts only as far as it cannot lie over the input. */
function usage(buffers: readonly Buffer[], overlaps: readonly Overlap[], steps: number): number[] {
  const used: number[] = [];
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
    used.push(bytes);
  }
  return used;
}

/** Offsets for buffers with lifetimes: the best of several orders of first fit. */
export function placeBuffers(
  buffers: readonly Buffer[],
  overlaps: readonly Overlap[],
  steps: number,
): {
  readonly offsets: number[];
  readonly arenaBytes: number;
  readonly lowerBoundBytes: number;
  readonly provenBest: boolean;
} {
  const lowerBoundBytes = Math.max(0, ...usage(buffers, overlaps, steps));
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
  if (best.arenaBytes > lowerBoundBytes && buffers.length <= MOST_EXACT_BUFFERS) {
    // First fit in the order of a plan's offsets puts nothing higher, so all orders together hold a best plan; except
    // where an output may start above its input, which then must not move down alone.
    for (const every of ordersOf(indices)) {
      const placed = place(every);
      if (placed.arenaBytes < best.arenaBytes) best = placed;
      if (best.arenaBytes === lowerBoundBytes) break;
    }
  }
  return {
    ...best,
    lowerBoundBytes,
    provenBest:
      best.arenaBytes === lowerBoundBytes ||
      (buffers.length <= MOST_EXACT_BUFFERS && overlaps.every(({ distance }) => distance >= 0)),
  };
}

/** All orders of the items. */
function* ordersOf(items: readonly number[]): Iterable<readonly number[]> {
  if (items.length <= 1) {
    yield items;
    return;
  }
  for (const [at, first] of items.entries()) {
    const rest = items.filter((_, index) => index !== at);
    for (const order of ordersOf(rest)) yield [first, ...order];
  }
}
