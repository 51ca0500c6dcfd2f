/** Stand-alone ReLU and ReLU6 move into the op before them, where they are only a limit of the output range. */
import type { Activation, FloatGraph, FloatOp, FloatTensor } from '../graph/float-graph';
import { consumers, dropUnused, producers } from './graph-edit';

/**
 * The same function; `relu` and `relu6` ops whose input nothing else reads are gone where their producer has an
 * activation of its own (convolution, dense layer, pooling, addition, multiplication).
 */
export function fuseActivations(graph: FloatGraph): FloatGraph {
  let fused = graph;
  for (let at = 0; at < fused.ops.length; at++) {
    const op = fused.ops[at] as FloatOp;
    if (op.kind !== 'unary' || (op.function !== 'relu' && op.function !== 'relu6')) continue;
    const source = producers(fused)[op.input] as number;
    const before = fused.ops[source];
    if (!before || !('activation' in before)) continue;
    if (op.input === fused.output || consumers(fused)[op.input]?.length !== 1) continue;
    const activation = both(before.activation, op.function);
    const ops = fused.ops.map((old, i): FloatOp => (i === source ? { ...before, activation, output: op.output } : old));
    fused = { ...fused, ops: ops.filter((_, i) => i !== at) };
    at--;
  }
  return fused === graph ? graph : dropUnused<FloatTensor, FloatOp, FloatGraph>(fused);
}

function both(first: Activation, second: Activation): Activation {
  return first === 'relu6' || second === 'relu6' ? 'relu6' : first === 'relu' ? 'relu' : second;
}
