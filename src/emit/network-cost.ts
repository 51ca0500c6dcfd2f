/** What a network has to compute, whatever computes it. */
import { elementCount, type FloatOp } from '../graph/float-graph';
import type { Int16Op } from '../quantize/int16-graph';
import type { Int8Op } from '../quantize/int8-graph';
import type { Conversion } from '../quantize/mixed-graph';

/** Products of an op with weights, padding counted as if it were computed; 0 for all others. */
export function multiplyAdds(
  op: Int8Op | Int16Op | FloatOp | Conversion,
  graph: { readonly tensors: readonly { readonly shape: readonly number[] }[] },
): number {
  const outputs = elementCount(graph.tensors[op.output]?.shape ?? []);
  switch (op.kind) {
    case 'fullyConnected':
    case 'conv2d':
      return outputs * (op.weights.length / op.bias.length);
    case 'depthwiseConv2d':
      return outputs * op.window.kernelHeight * op.window.kernelWidth;
    default:
      return 0;
  }
}
