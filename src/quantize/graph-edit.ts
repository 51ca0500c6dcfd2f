/**
 * Rewriting of graphs, float and int8 alike: who writes and reads a tensor, other tensor ids in an op, and dropping what
 * nothing reads. Graphs are never changed in place: everything gives new objects.
 */
import type { TensorId } from '../graph/float-graph';

type AnyOp = { readonly output: TensorId } & ({ readonly input: TensorId } | { readonly inputs: readonly TensorId[] });

interface AnyGraph<Tensor, Op extends AnyOp> {
  readonly tensors: readonly Tensor[];
  readonly ops: readonly Op[];
  readonly input: TensorId;
  readonly output: TensorId;
}

function inputsOfAny(op: AnyOp): readonly TensorId[] {
  return 'inputs' in op ? op.inputs : [op.input];
}

/** Index of the op that writes each tensor; -1 for the network's input, constants and unused tensors. */
export function producers(graph: AnyGraph<unknown, AnyOp>): Int32Array {
  const writers = new Int32Array(graph.tensors.length).fill(-1);
  graph.ops.forEach((op, index) => (writers[op.output] = index));
  return writers;
}

/** Indices of the ops that read each tensor, in order; an op that reads a tensor twice is there once. */
export function consumers(graph: AnyGraph<unknown, AnyOp>): number[][] {
  const readers = graph.tensors.map((): number[] => []);
  graph.ops.forEach((op, index) => new Set(inputsOfAny(op)).forEach((id) => readers[id]?.push(index)));
  return readers;
}

/** The same op with other tensors. */
export function withTensors<Op extends AnyOp>(op: Op, rename: (id: TensorId) => TensorId): Op {
  return 'inputs' in op
    ? { ...op, inputs: op.inputs.map(rename), output: rename(op.output) }
    : { ...op, input: rename(op.input), output: rename(op.output) };
}

/** Without ops whose result nothing reads, and without the tensors that nothing then refers to. Order is kept. */
export function dropUnused<Tensor, Op extends AnyOp, Graph extends AnyGraph<Tensor, Op>>(
  graph: Graph & AnyGraph<Tensor, Op>,
): { readonly tensors: Tensor[]; readonly ops: Op[]; readonly input: TensorId; readonly output: TensorId } {
  const needed = new Set<TensorId>([graph.output]);
  const ops: Op[] = [];
  for (const op of [...graph.ops].reverse()) {
    if (!needed.has(op.output)) continue;
    inputsOfAny(op).forEach((id) => needed.add(id));
    ops.unshift(op);
  }
  needed.add(graph.input);
  const tensors: Tensor[] = [];
  const renamed = new Map<TensorId, TensorId>();
  graph.tensors.forEach((tensor, id) => {
    if (needed.has(id)) renamed.set(id, tensors.push(tensor) - 1);
  });
  const rename = (id: TensorId): TensorId => renamed.get(id) as TensorId;
  return {
    tensors,
    ops: ops.map((op) => withTensors(op, rename)),
    input: rename(graph.input),
    output: rename(graph.output),
  };
}
