/**
 * Full-integer post-training quantization with the TensorFlow Lite converter's rules: activations asymmetric int8 from
 * calibrated ranges, weights symmetric int8, biases int32, softmax output fixed at 1/256 and -128.
 */
import { checkFloatGraph } from '../graph/check';
import { elementCount, type Activation, type FloatFullyConnected, type FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { checkInt8Graph } from './check';
import { QuantizeError, type Int8FullyConnected, type Int8Graph, type Int8Op, type Int8Tensor } from './int8-graph';
import { clamp, quantizeMultiplier, roundHalfAway } from './requantize';
import { softmaxParameters } from './softmax';

export interface QuantizeOptions {
  /** One weight scale per layer, or one per unit (finer; costs 8 bytes per unit). */
  readonly weights: 'per-tensor' | 'per-channel';
}

interface Range {
  min: number;
  max: number;
}

/**
 * Quantizes `float`, with activation ranges measured on `calibration`: network inputs (scaled features) of training
 * windows, never of test windows. Throws QuantizeError `no-calibration-data`, `not-finite` or `overflow`.
 */
export function quantizeGraph(
  float: FloatGraph,
  calibration: Iterable<Float32Array>,
  options: QuantizeOptions = { weights: 'per-channel' },
): Int8Graph {
  checkFloatGraph(float);
  const ranges = measureRanges(float, calibration);
  const softmaxOutputs = new Set(float.ops.filter((op) => op.kind === 'softmax').map((op) => op.output));
  const tensors = float.tensors.map((tensor, id): Int8Tensor => ({
    name: tensor.name,
    shape: tensor.shape,
    ...(softmaxOutputs.has(id) ? { scale: 1 / 256, zeroPoint: -128 } : activationScale(ranges[id] as Range)),
  }));
  const ops = float.ops.map((op): Int8Op => {
    const input = tensors[op.input] as Int8Tensor;
    const output = tensors[op.output] as Int8Tensor;
    switch (op.kind) {
      case 'fullyConnected':
        return quantizeFullyConnected(op, input, output, options);
      case 'softmax':
        return { kind: 'softmax', input: op.input, output: op.output, ...softmaxParameters(input.scale) };
    }
  });
  const graph = { tensors, ops, input: float.input, output: float.output };
  checkInt8Graph(graph);
  return graph;
}

/** Smallest and largest value of every tensor over the calibration inputs, widened to include 0. */
function measureRanges(float: FloatGraph, calibration: Iterable<Float32Array>): Range[] {
  const interpreter = createFloatInterpreter(float);
  const ranges = float.tensors.map((): Range => ({ min: 0, max: 0 }));
  let inputs = 0;
  for (const input of calibration) {
    interpreter.run(input);
    inputs++;
    interpreter.activations.forEach((values, id) => {
      const range = ranges[id] as Range;
      for (const value of values) {
        if (value < range.min) range.min = value;
        else if (value > range.max) range.max = value;
        else if (Number.isNaN(value)) range.max = NaN;
      }
    });
  }
  if (inputs === 0) {
    throw new QuantizeError(
      'no-calibration-data',
      'Quantization needs at least one training window to measure ranges.',
    );
  }
  if (ranges.some(({ min, max }) => !Number.isFinite(min) || !Number.isFinite(max))) {
    throw new QuantizeError('not-finite', 'The network gives values that are not numbers on the training windows.');
  }
  return ranges;
}

function activationScale({ min, max }: Range): { scale: number; zeroPoint: number } {
  const scale = Math.fround((max - min) / 255);
  // A tensor that is always zero (or smaller than float32 can divide) has no range to spread over the integers.
  if (scale === 0) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: clamp(roundHalfAway(-128 - min / scale), -128, 127) };
}

function quantizeFullyConnected(
  op: FloatFullyConnected,
  input: Int8Tensor,
  output: Int8Tensor,
  options: QuantizeOptions,
): Int8FullyConnected {
  const inputs = elementCount(input.shape);
  const units = elementCount(output.shape);
  const perChannel = options.weights === 'per-channel' && units > 1;
  const channels = perChannel ? units : 1;
  const perScale = (units / channels) * inputs;

  const weights = new Int8Array(op.weights.length);
  const weightScale = new Float32Array(channels);
  const multiplier = new Int32Array(channels);
  const shift = new Int32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    let largest = 0;
    for (let i = channel * perScale; i < (channel + 1) * perScale; i++) {
      largest = Math.max(largest, Math.abs(op.weights[i] as number));
    }
    // Weights that are all zero (or vanish in float32) stay zero under any scale.
    weightScale[channel] = largest / 127;
    if (weightScale[channel] === 0) weightScale[channel] = 1;
    const scale = weightScale[channel] as number;
    for (let i = channel * perScale; i < (channel + 1) * perScale; i++) {
      weights[i] = clamp(roundHalfAway((op.weights[i] as number) / scale), -127, 127);
    }
    // The reference kernel rounds the product of scales to float32 per tensor, and keeps it in double per channel.
    const product = perChannel ? input.scale * scale : Math.fround(input.scale * scale);
    const quantized = quantizeMultiplier(product / output.scale);
    multiplier[channel] = quantized.multiplier;
    shift[channel] = quantized.shift;
  }

  const bias = new Int32Array(units);
  for (let unit = 0; unit < units; unit++) {
    const scale = input.scale * (weightScale[perChannel ? unit : 0] as number);
    const value = roundHalfAway((op.bias[unit] as number) / scale);
    if (!(Math.abs(value) < 2 ** 31)) {
      throw new QuantizeError(
        'overflow',
        `The bias of unit ${unit} in "${output.name}" is too large beside its weights to be held in 32 bits.`,
      );
    }
    bias[unit] = value;
  }
  return {
    kind: 'fullyConnected',
    input: op.input,
    output: op.output,
    weights,
    bias,
    weightScale,
    multiplier,
    shift,
    ...activationRange(op.activation, output),
  };
}

function activationRange(activation: Activation, output: Int8Tensor): { actMin: number; actMax: number } {
  switch (activation) {
    case 'none':
      return { actMin: -128, actMax: 127 };
    case 'relu':
      return { actMin: output.zeroPoint, actMax: 127 };
    case 'relu6':
      return {
        actMin: output.zeroPoint,
        actMax: Math.min(127, output.zeroPoint + roundHalfAway(Math.fround(6 / output.scale))),
      };
  }
}
