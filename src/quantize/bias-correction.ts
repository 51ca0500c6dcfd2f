/**
 * Rounding weights shifts the mean of a layer's output. Correcting the bias by the measured shift costs nothing at run
 * time. Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019,
 * section 4.2, in the empirical form (appendix D): means over data, layer after layer, each seeing corrected inputs.
 *
 * A layer is linear before its activation, so the mean of its output is its output for the mean of its inputs.
 */
import { elementCount, type FloatGraph, type FloatTensor, type TensorId } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import type { FloatWeighted } from './batch-norm';
import { inputsOf, QuantizeError, type Int8Graph, type Int8Tensor } from './int8-graph';
import { createInt8Interpreter } from './interpreter';
import type { WeightedOp } from './ops/folded-bias';
import { dequantize, quantizeValues } from './quantize-values';
import { roundHalfAway } from './requantize';
import { runSteps, type Steps } from './steps';
import { isInt8Weighted, weightUnit } from './value-ranges';

/** A correction is left out when the bias would leave this to the sum of products. */
const LARGEST_BIAS = 2 ** 30;

/**
 * `int8` with corrected biases. `float` is the network it was quantized from (`Quantization.float`: tensor for tensor the
 * same), `inputs` real network inputs. Takes about as long as running both networks on all inputs once; longer where
 * branches are open over many layers.
 * Throws QuantizeError `no-calibration-data` without inputs.
 */
export function correctBiases(float: FloatGraph, int8: Int8Graph, inputs: readonly Float32Array[]): Int8Graph {
  return runSteps(correctBiasesInSteps(float, int8, inputs));
}

/** As `correctBiases`, step by step. */
export function* correctBiasesInSteps(
  float: FloatGraph,
  int8: Int8Graph,
  inputs: readonly Float32Array[],
): Steps<Int8Graph> {
  if (inputs.length === 0) {
    throw new QuantizeError('no-calibration-data', 'Bias correction needs at least one training window.');
  }
  const expected = yield* floatMeans(float, inputs);
  const ops = [...int8.ops];
  const necks = bottlenecks(int8);
  // Where the inputs have got to: the values of the one tensor that all later ops depend on.
  let reached = { position: 0, tensor: int8.input };
  let values = inputs.map((input) => quantizeValues(input, int8.tensors[int8.input] as Int8Tensor));
  for (const [index, op] of int8.ops.entries()) {
    const original = float.ops.find((candidate) => candidate.output === op.output);
    if (!isInt8Weighted(op) || original?.kind !== op.kind) continue;
    const piece = (to: number, output: TensorId): Int8Graph => ({
      ...int8,
      ops: ops.slice(reached.position, to),
      input: reached.tensor,
      output,
    });
    const neck = necks.findLast(({ position }) => position <= index);
    if (neck && neck.position > reached.position) {
      values = yield* runAll(piece(neck.position, neck.tensor), values);
      reached = neck;
    }
    const input = int8.tensors[op.input] as Int8Tensor;
    const seen = mean(yield* runAll(piece(index, op.input), values), input);
    const shift = difference(
      meanOutput(float, original, expected[op.input] as Float32Array),
      meanOutput(float, dequantized(original, op, input.scale), seen),
    );
    const bias = op.bias.map((value, unit) => {
      const step = input.scale * (op.weightScale[op.weightScale.length > 1 ? unit : 0] as number);
      const corrected = value + roundHalfAway((shift[unit] as number) / step);
      return Math.abs(corrected) <= LARGEST_BIAS ? corrected : value;
    });
    ops[index] = { ...op, bias };
  }
  return { ...int8, ops };
}

/** Mean of every tensor over the inputs. */
function* floatMeans(float: FloatGraph, inputs: readonly Float32Array[]): Steps<Float32Array[]> {
  const interpreter = createFloatInterpreter(float);
  const sums = float.tensors.map((tensor) => new Float64Array(elementCount(tensor.shape)));
  for (const input of inputs) {
    interpreter.run(input);
    interpreter.activations.forEach((values, id) => addTo(sums[id] as Float64Array, values));
    yield 'correction';
  }
  return sums.map((sum) => Float32Array.from(sum, (value) => value / inputs.length));
}

interface Bottleneck {
  /** Index of the first op behind it. */
  readonly position: number;
  readonly tensor: TensorId;
}

/** Places where everything that follows depends on a single tensor, in order. */
function bottlenecks(graph: Int8Graph): Bottleneck[] {
  const lastRead = new Map<TensorId, number>([[graph.output, Infinity]]);
  graph.ops.forEach((op, index) =>
    inputsOf(op).forEach((id) => lastRead.set(id, Math.max(lastRead.get(id) ?? 0, index))),
  );
  const written = [graph.input];
  return graph.ops.flatMap((op, position): Bottleneck[] => {
    const open = written.filter((id) => (lastRead.get(id) ?? -1) >= position);
    written.push(op.output);
    return open.length === 1 ? [{ position, tensor: open[0] as TensorId }] : [];
  });
}

/** Copies of the output of `graph` for each of `inputs`; a graph that ends where it starts gives them back. */
function* runAll(graph: Int8Graph, inputs: readonly Int8Array[]): Steps<Int8Array[]> {
  if (graph.output === graph.input) return [...inputs];
  const interpreter = createInt8Interpreter(graph);
  const outputs: Int8Array[] = [];
  for (const input of inputs) {
    outputs.push(interpreter.run(input).slice());
    yield 'correction';
  }
  return outputs;
}

/** Mean over inputs of a tensor, as real values. */
function mean(values: readonly Int8Array[], tensor: Int8Tensor): Float32Array {
  const sum = new Float64Array(elementCount(tensor.shape));
  for (const each of values) addTo(sum, each);
  return Float32Array.from(sum, (value) => dequantize(value / values.length, tensor));
}

/** Mean over all positions of each unit's output before the activation. */
function meanOutput(float: FloatGraph, op: FloatWeighted, input: Float32Array): Float64Array {
  const tensors = [float.tensors[op.input] as FloatTensor, float.tensors[op.output] as FloatTensor];
  const alone = { ...op, input: 0, output: 1, activation: 'none' as const };
  const output = createFloatInterpreter({ tensors, ops: [alone], input: 0, output: 1 }).run(input);
  const units = op.bias.length;
  const means = new Float64Array(units);
  output.forEach((value, i) => (means[i % units] = (means[i % units] as number) + value));
  return means.map((sum) => (sum * units) / output.length);
}

/** The float layer that the integers stand for. */
function dequantized(op: FloatWeighted, int8: WeightedOp, inputScale: number): FloatWeighted {
  const scaleOf = (unit: number): number => int8.weightScale[int8.weightScale.length > 1 ? unit : 0] as number;
  const unitOf = weightUnit(int8);
  return {
    ...op,
    weights: Float32Array.from(int8.weights, (weight, i) => weight * scaleOf(unitOf(i))),
    bias: Float32Array.from(int8.bias, (value, unit) => value * inputScale * scaleOf(unit)),
  };
}

function difference(wanted: Float64Array, actual: Float64Array): Float64Array {
  return wanted.map((value, i) => value - (actual[i] as number));
}

function addTo(sums: Float64Array, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) sums[i] = (sums[i] as number) + (values[i] as number);
}
