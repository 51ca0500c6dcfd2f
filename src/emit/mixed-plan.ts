/**
 * Memory plan of a network with float layers: one arena for both types, floats on multiples of four bytes. No ops run
 * line by line here: streams are for int8 networks.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { int8View, mixedInputsOf, type MixedGraph, type MixedOp } from '../quantize/mixed-graph';
import { mixedOverlapDistance } from './float-overlap';
import { scratchBytes } from './kernel-scratch';
import { placeBuffers, roundUp, type Buffer, type NetworkPlan, type Overlap, type Place } from './network-plan';
import type { Target } from './target';

/** Bytes of one value. */
export const TYPE_BYTES = { int8: 1, float: 4 } as const;

/** Plans a checked graph. Deterministic. */
export function planMixed(graph: MixedGraph, target: Target): NetworkPlan {
  const view = int8View(graph);
  // Reshapes are other names for the same bytes; only from the caller's input to the caller's output are they copied.
  const sources = new Map<TensorId, TensorId>();
  const root = (id: TensorId): TensorId => {
    const source = sources.get(id);
    return source === undefined ? id : root(source);
  };
  for (const { op } of graph.ops) {
    if (op.kind !== 'reshape' || graph.tensors[op.input]?.data) continue;
    if (op.output === graph.output && root(op.input) === root(graph.input)) continue;
    sources.set(op.output, op.input);
  }

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
    for (const id of mixedInputsOf(op)) touch(id, step);
    touch(op.op.output, step);
  });
  touch(graph.output, graph.ops.length);

  /** Inputs that die at this step, and how their bytes may be overlapped by the output. */
  const overlapsAt = (step: MixedOp, index: number): readonly { owner: TensorId; distance: number }[] => {
    const output = root(step.op.output);
    const found = new Map<TensorId, number | null>();
    for (const id of mixedInputsOf(step)) {
      const owner = root(id);
      if (graph.tensors[id]?.data || owner === root(graph.input) || owner === output) continue;
      if (last.get(owner) !== index || first.get(output) !== index) continue;
      const distance = mixedOverlapDistance(step, id, graph, view, target);
      const other = found.get(owner);
      found.set(owner, distance === null || other === null ? null : Math.max(distance, other ?? distance));
    }
    return [...found].flatMap(([owner, distance]) => (distance === null ? [] : [{ owner, distance }]));
  };

  // What is computed in place up to the output, and of its type, can already lie in the caller's buffer.
  const count = (id: TensorId): number => elementCount(graph.tensors[id]?.shape ?? []);
  const fitsOutput = (id: TensorId): boolean =>
    graph.tensors[id]?.type === graph.tensors[graph.output]?.type && count(id) <= count(graph.output);
  const atOutput = new Set<TensorId>(root(graph.output) === root(graph.input) ? [] : [root(graph.output)]);
  for (let index = graph.ops.length - 1; index >= 0; index--) {
    const step = graph.ops[index] as MixedOp;
    if (step.op.kind === 'reshape' || !atOutput.has(root(step.op.output))) continue;
    const ahead = overlapsAt(step, index).find(({ owner, distance }) => distance <= 0 && fitsOutput(owner));
    if (ahead) atOutput.add(ahead.owner);
  }
  const external = (id: TensorId): 'input' | 'output' | null => {
    if (root(id) === root(graph.input)) return 'input';
    return atOutput.has(root(id)) ? 'output' : null;
  };
  const owners = [...first.keys()].filter((id) => external(id) === null).sort((a, b) => a - b);
  const indexOf = new Map(owners.map((id, index) => [id, index]));
  const buffers: Buffer[] = owners.map((id) => {
    const { name = '', type = 'int8' } = graph.tensors[id] ?? {};
    return {
      name,
      kind: 'tensor',
      bytes: roundUp(TYPE_BYTES[type] * count(id)),
      first: first.get(id) as number,
      last: last.get(id) as number,
    };
  });
  const overlaps: Overlap[] = [];
  const scratchIndex = graph.ops.map((step, index): number | null => {
    const output = indexOf.get(root(step.op.output));
    for (const { owner, distance } of overlapsAt(step, index)) {
      const input = indexOf.get(owner);
      if (input === undefined || output === undefined) continue;
      // Beyond these the two do not touch anyway.
      const [least, most] = [-(buffers[input] as Buffer).bytes, (buffers[output] as Buffer).bytes];
      overlaps.push({ input, output, distance: Math.min(most, Math.max(least, roundUp(Math.max(least, distance)))) });
    }
    const bytes = step.type === 'int8' ? scratchBytes(step.op, view, target) : 0;
    if (bytes === 0) return null;
    const name = `scratch of ${step.op.kind} ${index + 1}`;
    return buffers.push({ name, kind: 'scratch', bytes: roundUp(bytes), first: index, last: index }) - 1;
  });

  const { offsets, ...found } = placeBuffers(buffers, overlaps, graph.ops.length);
  return {
    ...found,
    streams: [],
    scratchOffsets: scratchIndex.map((index) => (index === null ? null : (offsets[index] as number))),
    places: graph.tensors.map((_, id): Place | null => {
      if (!first.has(root(id))) return null;
      const outside = external(id);
      return outside
        ? { in: outside, offset: 0 }
        : { in: 'arena', offset: offsets[indexOf.get(root(id)) as number] as number };
    }),
    buffers: buffers.map((buffer, index) => ({ ...buffer, offset: offsets[index] as number })),
  };
}
