/** How far the output of a float layer, or of a conversion, may lie over its input: as overlap.ts, in bytes. */
import { elementCount, type FloatOp, type TensorId } from '../graph/float-graph';
import type { Int8Graph } from '../quantize/int8-graph';
import type { MixedGraph, MixedOp } from '../quantize/mixed-graph';
import { isPointwise } from './kernel-scratch';
import { overlapDistance, rowsDistance, windowDistance } from './overlap';
import type { Target } from './target';

const FLOAT_BYTES = 4;

/**
 * The least `offset of the input - offset of the output`, in bytes, at which the op's kernel still gives the right result;
 * null: the two must not overlap. `view` is `int8View(graph)`. `input` must be an input of the op that nothing reads
 * afterwards. The kernels' orders stand in `firmware/mote/src`.
 */
export function mixedOverlapDistance(
  { type, op }: MixedOp,
  input: TensorId,
  graph: MixedGraph,
  view: Int8Graph,
  target: Target,
): number | null {
  if (type === 'int8') return overlapDistance(op, input, view, target);
  const from = graph.tensors[input]?.shape ?? [];
  if (type === 'conversion') {
    // Four bytes are written where one is read: the input must lie at the end of the output.
    return op.kind === 'quantize' ? 0 : (FLOAT_BYTES - 1) * (elementCount(from) - 1);
  }
  const distance = floatDistance(op, from, graph.tensors[op.output]?.shape ?? []);
  return distance === null ? null : FLOAT_BYTES * distance;
}

/** In elements. */
function floatDistance(op: FloatOp, from: readonly number[], to: readonly number[]): number | null {
  switch (op.kind) {
    case 'softmax':
    case 'unary':
    case 'scaleShift':
    case 'mean':
      return 0;
    case 'add':
    case 'mul':
      // A smaller second operand is read again and again.
      return elementCount(from) === elementCount(to) ? 0 : null;
    case 'fullyConnected': {
      const units = op.bias.length;
      const inputs = op.weights.length / units;
      return rowsDistance(elementCount(from) / inputs, inputs, units, false);
    }
    case 'conv2d': {
      const [height = 0, width = 0, inputs = 0] = from;
      if (op.groups === 1 && isPointwise(op.window)) return rowsDistance(height * width, inputs, op.bias.length, false);
      return windowDistance(op.window, from, to, 'read');
    }
    case 'depthwiseConv2d':
      return windowDistance(op.window, from, to, op.depthMultiplier === 1 ? 'channel by channel' : 'read');
    case 'maxPool2d':
    case 'averagePool2d':
      return windowDistance(op.window, from, to, 'channel by channel');
    default:
      return null;
  }
}
