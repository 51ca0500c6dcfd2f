/** What packs hold so far: dense networks. Everything else is emitted as a header of the bare network. */
import { elementCount } from '../graph/float-graph';
import type { Int8FullyConnected, Int8Graph, Int8Op, Int8Softmax } from '../quantize/int8-graph';
import { EmitError } from './model';

export type PackableOp = Int8FullyConnected | Int8Softmax;

/** Whether a pack can hold this op: one row, no constants. */
function isPackable(op: Int8Op, graph: Int8Graph): op is PackableOp {
  if (op.kind === 'softmax') {
    const shape = graph.tensors[op.input]?.shape ?? [];
    return shape.at(-1) === elementCount(shape);
  }
  if (op.kind !== 'fullyConnected') return false;
  return op.weights.length / op.bias.length === elementCount(graph.tensors[op.input]?.shape ?? []);
}

/** The ops, all of which packs and boards can run. Throws EmitError `bad-model`. */
export function packableOps(graph: Int8Graph): readonly PackableOp[] {
  return graph.ops.map((op) => {
    if (isPackable(op, graph)) return op;
    throw new EmitError(
      'bad-model',
      `Packs hold dense networks so far, and this one has an operation "${op.kind}". Use the C header of the network.`,
    );
  });
}
