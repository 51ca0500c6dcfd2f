/**
 * Places the activations of a network in one arena for Python. Unlike the plan for the C kernels, an output never shares
 * bytes with an input of its operation: the kernels here give no promise about the order of reads and writes.
 */
import { elementCount } from '../../graph/float-graph';
import { inputsOf, type Int8Graph } from '../../quantize/int8-graph';

export interface ActivationPlan {
  /** Byte offsets by tensor id; 0 for constants. */
  readonly offsets: readonly number[];
  readonly arenaBytes: number;
}

/** Greedy first fit, largest first. Deterministic. `graph` must have passed `checkInt8Graph`. */
export function planActivations(graph: Int8Graph): ActivationPlan {
  const first = graph.tensors.map(() => Infinity);
  const last = graph.tensors.map(() => -Infinity);
  const touch = (id: number, step: number): void => {
    first[id] = Math.min(first[id] as number, step);
    last[id] = Math.max(last[id] as number, step);
  };
  touch(graph.input, -1);
  graph.ops.forEach((op, step) => [...inputsOf(op), op.output].forEach((id) => touch(id, step)));
  touch(graph.output, graph.ops.length);

  const size = (id: number): number => elementCount(graph.tensors[id]?.shape ?? []);
  const offsets = graph.tensors.map(() => 0);
  const placed: number[] = [];
  const order = graph.tensors
    .map((_, id) => id)
    .filter((id) => !graph.tensors[id]?.data)
    .sort((a, b) => size(b) - size(a) || a - b);
  let arenaBytes = 0;
  for (const id of order) {
    let offset = 0;
    const obstacles = placed
      .filter(
        (other) => (first[other] as number) <= (last[id] as number) && (first[id] as number) <= (last[other] as number),
      )
      .sort((a, b) => (offsets[a] as number) - (offsets[b] as number));
    for (const other of obstacles) {
      if ((offsets[other] as number) - offset >= size(id)) break;
      offset = Math.max(offset, (offsets[other] as number) + size(other));
    }
    offsets[id] = offset;
    placed.push(id);
    arenaBytes = Math.max(arenaBytes, offset + size(id));
  }
  return { offsets, arenaBytes };
}
