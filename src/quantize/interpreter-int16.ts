/** Runs an int16 graph bit for bit as the C kernels do; see `interpreter.ts`. */
import { elementCount, type TensorId } from '../graph/float-graph';
import { checkInt16Graph } from './check-int16';
import { QuantizeError } from './int8-graph';
import {
  inputsOfInt16,
  type Int16Add,
  type Int16Conv2d,
  type Int16DepthwiseConv2d,
  type Int16FullyConnected,
  type Int16Graph,
  type Int16Pool2d,
  type Int16Tensor,
  type Int16WeightedOp,
} from './int16-graph';
import { ADD_LEFT_SHIFT_INT16, INT16_MAX, INT16_MIN } from './ops/int16-parameters';
import { sigmoidInt16, softmaxInt16 } from './ops/int16-tables';
import { pad, prepareConcat, stridedSlice, transpose } from './ops/move';
import { nearestIndex, resizeNearest } from './ops/resize-nearest';
import { mbqmWide, reducedMultiplier, rescaleOf, type Rescale } from './requantize';

/** Allocates nothing after creation: results are views that the next `run` overwrites. */
export interface Int16Interpreter {
  readonly inputLength: number;
  readonly outputLength: number;
  /** Input elements -> output elements. Throws QuantizeError `bad-input` on a wrong length. */
  run(input: Int16Array): Int16Array;
  /** Values of every tensor after the last `run`, indexed by tensor id. */
  readonly activations: readonly Int16Array[];
}

type Step = () => void;

/** Checks the graph (see `checkInt16Graph`) and prepares its buffers. */
export function createInt16Interpreter(graph: Int16Graph): Int16Interpreter {
  checkInt16Graph(graph);
  const activations = graph.tensors.map((tensor) => new Int16Array(elementCount(tensor.shape)));
  const at = (id: TensorId): Int16Array => activations[id] as Int16Array;
  const tensor = (id: TensorId): Int16Tensor => graph.tensors[id] as Int16Tensor;
  const input = at(graph.input);
  const output = at(graph.output);
  const rescale = rescaleOf(graph.rounding);
  graph.tensors.forEach(({ data }, id) => data && at(id).set(data));
  const steps = graph.ops.map((op): Step => {
    const [first = 0, second = 0] = inputsOfInt16(op);
    const [from, to] = [at(first), at(op.output)];
    const [source, target] = [tensor(first), tensor(op.output)];
    switch (op.kind) {
      case 'fullyConnected':
        return fullyConnected(op, from, to, rescale);
      case 'conv2d':
        return conv2d(op, source, target, from, to, rescale);
      case 'depthwiseConv2d':
        return depthwise(op, source, target, from, to, rescale);
      case 'maxPool2d':
      case 'averagePool2d':
        return pool2d(op, source, target, from, to);
      case 'mean': {
        const { outer, count, inner, multiplier, shift } = op;
        return () => {
          for (let o = 0; o < outer; o++) {
            for (let i = 0; i < inner; i++) {
              let sum = 0;
              for (let k = 0; k < count; k++) sum += from[(o * count + k) * inner + i] as number;
              to[o * inner + i] = clamp(rescale(sum, multiplier, shift), INT16_MIN, INT16_MAX);
            }
          }
        };
      }
      case 'add':
        return add(op, from, at(second), to, rescale);
      case 'mul': {
        const other = at(second);
        const { multiplier, shift, actMin, actMax } = op;
        return () => {
          for (let i = 0, j = 0; i < to.length; i++) {
            to[i] = clamp(rescale((from[i] as number) * (other[j] as number), multiplier, shift), actMin, actMax);
            if (++j === other.length) j = 0;
          }
        };
      }
      case 'concat': {
        const inputs = op.inputs.map((id) => ({ values: at(id), shape: tensor(id).shape }));
        return prepareConcat(inputs, op.axis, target.shape, to);
      }
      case 'pad':
        return () => pad(source.shape, op.before, target.shape, 0, from, to);
      case 'reshape':
        return () => to.set(from);
      case 'transpose':
        return () => transpose(source.shape, op.permutation, from, to);
      case 'stridedSlice':
        return () => stridedSlice(source.shape, op.begin, op.strides, target.shape, from, to);
      case 'resizeNearest': {
        const { alignCorners, halfPixelCenters } = op;
        const [rows, columns] = [0, 1].map((axis) =>
          nearestIndex(source.shape[axis] as number, target.shape[axis] as number, alignCorners, halfPixelCenters),
        ) as [number[], number[]];
        return () => resizeNearest(source.shape, rows, columns, from, to);
      }
      case 'rescale': {
        const { multiplier, shift, negativeMultiplier, negativeShift, actMin, actMax } = op;
        return () => {
          for (let i = 0; i < to.length; i++) {
            const x = from[i] as number;
            const value = x >= 0 ? rescale(x, multiplier, shift) : rescale(x, negativeMultiplier, negativeShift);
            to[i] = clamp(value, actMin, actMax);
          }
        };
      }
      case 'sigmoid': {
        const { function: name, multiplier, shift } = op;
        const half = shift > 0 ? 2 ** (shift - 1) : 0;
        return () => {
          for (let i = 0; i < to.length; i++) {
            to[i] = sigmoidInt16(name, ((from[i] as number) * multiplier + half) >> shift);
          }
        };
      }
      case 'softmax': {
        const classes = source.shape.at(-1) as number;
        const { multiplier, shift } = op;
        const scaled = (difference: number): number => rescale(difference, multiplier, shift);
        const rows = Array.from({ length: from.length / classes }, (_, row): [Int16Array, Int16Array] => [
          from.subarray(row * classes, (row + 1) * classes),
          to.subarray(row * classes, (row + 1) * classes),
        ]);
        return () => {
          for (const [input, output] of rows) softmaxInt16(input, scaled, output);
        };
      }
    }
  });

  return {
    activations,
    inputLength: input.length,
    outputLength: output.length,
    run(values) {
      if (values.length !== input.length) {
        throw new QuantizeError(
          'bad-input',
          `The network takes ${input.length} features, but it was given ${values.length}.`,
        );
      }
      input.set(values);
      for (const step of steps) step();
      return output;
    },
  };
}

function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** From a sum of products to an activation of output channel `channel`. Sums are exact in doubles: below 2^47. */
function requantizer(op: Int16WeightedOp, rescale: Rescale): (sum: number, channel: number) => number {
  const { multiplier, shift, actMin, actMax } = op;
  const perChannel = multiplier.length > 1;
  const wide = op.sums === 'int64';
  const factors = wide ? multiplier.map(reducedMultiplier) : multiplier;
  const scale = wide ? mbqmWide : rescale;
  return (sum, channel) => {
    const c = perChannel ? channel : 0;
    return clamp(scale(sum, factors[c] as number, shift[c] as number), actMin, actMax);
  };
}

function fullyConnected(op: Int16FullyConnected, from: Int16Array, to: Int16Array, rescale: Rescale): Step {
  const { weights, bias } = op;
  const units = bias.length;
  const inputs = weights.length / units;
  const requantize = requantizer(op, rescale);
  return () => {
    for (let start = 0, out = 0; start < from.length; start += inputs) {
      for (let unit = 0, w = 0; unit < units; unit++, out++) {
        let sum = bias[unit] as number;
        for (let i = 0; i < inputs; i++) sum += (weights[w++] as number) * (from[start + i] as number);
        to[out] = requantize(sum, unit);
      }
    }
  };
}

function conv2d(
  op: Int16Conv2d,
  source: Int16Tensor,
  target: Int16Tensor,
  from: Int16Array,
  to: Int16Array,
  rescale: Rescale,
): Step {
  const [height = 0, width = 0, channels = 0] = source.shape;
  const [outHeight = 0, outWidth = 0, outChannels = 0] = target.shape;
  const { window, weights, bias, groups } = op;
  const groupIn = channels / groups;
  const groupOut = outChannels / groups;
  const requantize = requantizer(op, rescale);
  return () => {
    for (let y = 0, at = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        for (let channel = 0, w = 0; channel < outChannels; channel++) {
          const first = Math.floor(channel / groupOut) * groupIn;
          let sum = bias[channel] as number;
          for (let ky = 0; ky < window.kernelHeight; ky++) {
            const row = y * window.strideHeight - window.padTop + ky * window.dilationHeight;
            for (let kx = 0; kx < window.kernelWidth; kx++, w += groupIn) {
              const column = x * window.strideWidth - window.padLeft + kx * window.dilationWidth;
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              const start = (row * width + column) * channels + first;
              for (let i = 0; i < groupIn; i++) sum += (weights[w + i] as number) * (from[start + i] as number);
            }
          }
          to[at++] = requantize(sum, channel);
        }
      }
    }
  };
}

function depthwise(
  op: Int16DepthwiseConv2d,
  source: Int16Tensor,
  target: Int16Tensor,
  from: Int16Array,
  to: Int16Array,
  rescale: Rescale,
): Step {
  const [height = 0, width = 0, channels = 0] = source.shape;
  const [outHeight = 0, outWidth = 0, outChannels = 0] = target.shape;
  const { window, weights, bias, depthMultiplier } = op;
  const requantize = requantizer(op, rescale);
  return () => {
    for (let y = 0, at = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        for (let channel = 0; channel < outChannels; channel++) {
          const first = Math.floor(channel / depthMultiplier);
          let sum = bias[channel] as number;
          for (let ky = 0; ky < window.kernelHeight; ky++) {
            const row = y * window.strideHeight - window.padTop + ky * window.dilationHeight;
            if (row < 0 || row >= height) continue;
            for (let kx = 0; kx < window.kernelWidth; kx++) {
              const column = x * window.strideWidth - window.padLeft + kx * window.dilationWidth;
              if (column < 0 || column >= width) continue;
              const weight = weights[(ky * window.kernelWidth + kx) * outChannels + channel] as number;
              sum += weight * (from[(row * width + column) * channels + first] as number);
            }
          }
          to[at++] = requantize(sum, channel);
        }
      }
    }
  };
}

function pool2d(op: Int16Pool2d, source: Int16Tensor, target: Int16Tensor, from: Int16Array, to: Int16Array): Step {
  const [height = 0, width = 0, channels = 0] = source.shape;
  const [outHeight = 0, outWidth = 0] = target.shape;
  const { window, actMin, actMax } = op;
  const average = op.kind === 'averagePool2d';
  return () => {
    for (let y = 0, at = 0; y < outHeight; y++) {
      const top = y * window.strideHeight - window.padTop;
      const [firstRow, lastRow] = [Math.max(0, top), Math.min(height, top + window.kernelHeight)];
      for (let x = 0; x < outWidth; x++) {
        const left = x * window.strideWidth - window.padLeft;
        const [firstColumn, lastColumn] = [Math.max(0, left), Math.min(width, left + window.kernelWidth)];
        const count = (lastRow - firstRow) * (lastColumn - firstColumn);
        const half = count >> 1;
        for (let channel = 0; channel < channels; channel++) {
          let sum = 0;
          let largest = INT16_MIN;
          for (let row = firstRow; row < lastRow; row++) {
            for (let column = firstColumn; column < lastColumn; column++) {
              const value = from[(row * width + column) * channels + channel] as number;
              sum += value;
              if (value > largest) largest = value;
            }
          }
          const value = average ? Math.trunc((sum > 0 ? sum + half : sum - half) / count) : largest;
          to[at++] = clamp(value, actMin, actMax);
        }
      }
    }
  };
}

function add(op: Int16Add, a: Int16Array, b: Int16Array, to: Int16Array, rescale: Rescale): Step {
  const sign = op.subtract ? -1 : 1;
  return () => {
    for (let i = 0, j = 0; i < to.length; i++) {
      const x = rescale((a[i] as number) << ADD_LEFT_SHIFT_INT16, op.multiplierA, op.shiftA);
      const y = rescale((b[j] as number) << ADD_LEFT_SHIFT_INT16, op.multiplierB, op.shiftB);
      to[i] = clamp(rescale(x + sign * y, op.multiplierOut, op.shiftOut), op.actMin, op.actMax);
      if (++j === b.length) j = 0;
    }
  };
}
