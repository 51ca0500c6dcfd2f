/**
 * Integers for a float network with int16 activations: the TensorFlow Lite converter's 16x8 rules. Activations symmetric
 * int16, weights symmetric int8, biases int64; softmax, logistic and tanh give 1/32768.
 */
import { floatInputsOf, type FloatGraph, type FloatOp, type TensorId } from '../graph/float-graph';
import type { FloatWeighted } from './batch-norm';
import type { Range } from './calibration';
import { checkInt16Graph } from './check-int16';
import { QuantizeError, type Rounding } from './int8-graph';
import type { Int16Graph, Int16Op, Int16Tensor, Int16Weighted } from './int16-graph';
import {
  activationRangeInt16,
  addParametersInt16,
  INT16_MAX,
  INT16_MIN,
  rescaleParameters,
  sigmoidParameters,
  softmaxParametersInt16,
} from './ops/int16-parameters';
import { mulParameters } from './ops/elementwise';
import { meanParameters } from './ops/mean';
import { clamp, roundHalfAway } from './requantize';
import { planScales } from './shared-scales';
import { scaleWeights, weightMultipliers, type WeightScales } from './quantize-weights';

/** `q = clamp(round(x / scale))`, the division in float32, halves away from zero; NaN gives 0. */
export function quantizeInt16Values(
  values: Float32Array,
  { scale }: Pick<Int16Tensor, 'scale'>,
  out: Int16Array = new Int16Array(values.length),
): Int16Array {
  for (let i = 0; i < values.length; i++) {
    const q = roundHalfAway(Math.fround((values[i] as number) / scale));
    out[i] = Number.isNaN(q) ? 0 : clamp(q, INT16_MIN, INT16_MAX);
  }
  return out;
}

/**
 * Throws QuantizeError `unsupported-op` for an op that TensorFlow Lite has no int16 kernel for, before any work is done.
 */
export function refuseForInt16(graph: FloatGraph): void {
  for (const op of graph.ops) {
    if (op.kind !== 'unary' || op.function !== 'hardSwish') continue;
    const name = graph.tensors[op.output]?.name ?? '';
    throw new QuantizeError(
      'unsupported-op',
      `The layer "${name}" cannot be quantized with int16 activations: TensorFlow Lite has no int16 hard swish. Use ` +
        'ReLU6 in its place, or int8 activations.',
    );
  }
}

/** Integers for a network without scaleShift ops; tensor ids stay, rescaled concat inputs are appended. */
export function quantizePreparedInt16(
  float: FloatGraph,
  ranges: readonly Range[],
  weights: WeightScales,
  rounding: Rounding,
): Int16Graph {
  const plan = planScales(float, ranges, 'int16');
  const tensors = float.tensors.map(({ name, shape, data }, id): Int16Tensor => {
    const scale = plan.parameters[id]?.scale ?? 1;
    const common = { name, shape, scale, zeroPoint: 0 } as const;
    return data ? { ...common, data: quantizeInt16Values(data, { scale }) } : common;
  });
  const ops: Int16Op[] = [];
  float.ops.forEach((op, index) => {
    if (op.kind !== 'concat') {
      ops.push(quantizeOp(op, tensors, weights));
      return;
    }
    const output = tensors[op.output] as Int16Tensor;
    const rescaled = new Map<TensorId, TensorId>();
    for (const id of plan.rescaled.get(index) ?? []) {
      const input = tensors[id] as Int16Tensor;
      const copy = { ...input, name: `${input.name}/rescaled`, scale: output.scale };
      const parameters = rescaleParameters('quantize', input.scale, output.scale);
      rescaled.set(id, tensors.push(copy) - 1);
      ops.push({ kind: 'rescale', input: id, output: tensors.length - 1, ...parameters });
    }
    ops.push({ ...op, inputs: op.inputs.map((id) => rescaled.get(id) ?? id) });
  });
  const graph: Int16Graph = {
    activations: 'int16',
    tensors,
    ops,
    input: float.input,
    output: float.output,
    ...(rounding === 'double' ? {} : { rounding }),
  };
  checkInt16Graph(graph);
  return graph;
}

function quantizeOp(
  op: Exclude<FloatOp, { kind: 'concat' }>,
  tensors: readonly Int16Tensor[],
  weights: WeightScales,
): Int16Op {
  const scaleOf = (id: TensorId): number => (tensors[id] as Int16Tensor).scale;
  const output = tensors[op.output] as Int16Tensor;
  const scale = output.scale;
  const [first = 0, second = 0] = floatInputsOf(op);
  switch (op.kind) {
    case 'fullyConnected':
    case 'conv2d':
    case 'depthwiseConv2d': {
      const { activation, ...rest } = op;
      const integers = quantizeWeighted(op, output.name, scaleOf(first), scale, weights);
      return { ...rest, ...integers, ...activationRangeInt16(activation, scale) };
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const { activation, ...rest } = op;
      return { ...rest, ...activationRangeInt16(activation, scale) };
    }
    case 'softmax':
      return { ...op, ...softmaxParametersInt16(scaleOf(first)) };
    case 'mean':
      return { ...op, ...meanParameters(scaleOf(first), scale, op.count) };
    case 'add': {
      const { activation, inputs, output: id, subtract } = op;
      const parameters = addParametersInt16(scaleOf(first), scaleOf(second), scale, subtract);
      return { kind: 'add', inputs, output: id, subtract, ...parameters, ...activationRangeInt16(activation, scale) };
    }
    case 'mul': {
      const { activation, inputs, output: id } = op;
      const parameters = mulParameters(scaleOf(first), scaleOf(second), scale);
      return { kind: 'mul', inputs, output: id, ...parameters, ...activationRangeInt16(activation, scale) };
    }
    case 'pad':
    case 'reshape':
    case 'transpose':
    case 'stridedSlice':
    case 'resizeNearest':
      return op;
    case 'unary': {
      const ends = { input: op.input, output: op.output };
      const name = op.function;
      if (name === 'logistic' || name === 'tanh') {
        return { kind: 'sigmoid', ...ends, function: name, ...sigmoidParameters(name, scaleOf(first)) };
      }
      if (name === 'hardSwish') throw new Error('Refused before.');
      return { kind: 'rescale', ...ends, ...rescaleParameters(name, scaleOf(first), scale, op.alpha) };
    }
    case 'scaleShift':
      throw new Error('Batch normalizations are folded before.');
  }
}

/** Int8 weights and 64-bit biases of a layer. Throws QuantizeError `overflow`. */
function quantizeWeighted(
  op: FloatWeighted,
  name: string,
  input: number,
  output: number,
  scales: WeightScales,
): { readonly weights: Int8Array } & Omit<Int16Weighted, 'actMin' | 'actMax'> {
  const { weights, weightScale } = scaleWeights(op, scales, input, [LARGEST_BIAS, LARGEST_BIAS / 2]);
  const bias = Float64Array.from(op.bias, (value, unit) => {
    const step = input * (weightScale[weightScale.length > 1 ? unit : 0] as number);
    const q = roundHalfAway(value / step);
    if (Math.abs(q) <= LARGEST_BIAS) return q;
    throw new QuantizeError('overflow', `The bias of unit ${unit} in "${name}" is too large beside its weights.`);
  });
  return { weights, bias, sums: 'int64', weightScale, ...weightMultipliers(op, input, weightScale, output) };
}

/** Leaves room for the sum of products below 2^47. */
const LARGEST_BIAS = 2 ** 45;
