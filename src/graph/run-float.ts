/**
 * Plain float interpreter of a float graph: what the network computes before quantization. Used for the float accuracy
 * and for calibration, so that both need neither tfjs nor a backend. Sums are kept in double precision, activations
 * are stored as float32.
 */
import { checkFloatGraph } from './check';
import {
  elementCount,
  floatInputsOf,
  GraphError,
  type Activation,
  type FloatConv2d,
  type FloatDepthwiseConv2d,
  type FloatFullyConnected,
  type FloatGraph,
  type FloatOp,
  type FloatPool2d,
  type FloatResizeNearest,
  type FloatUnary,
} from './float-graph';
import { nearestIndex } from './nearest-index';

/** Runs one input at a time. Buffers are allocated once: results are views that the next `run` overwrites. */
export interface FloatInterpreter {
  /** Input elements -> output elements. Throws GraphError `shape-mismatch` on a wrong length. */
  run(input: Float32Array): Float32Array;
  /** Values of every tensor after the last `run`, indexed by tensor id (unused tensors stay zero). */
  readonly activations: readonly Float32Array[];
}

export function createFloatInterpreter(graph: FloatGraph): FloatInterpreter {
  checkFloatGraph(graph);
  const activations = graph.tensors.map((tensor) => new Float32Array(elementCount(tensor.shape)));
  const at = (id: number): Float32Array => {
    const values = activations[id];
    if (!values) throw new GraphError('bad-tensor', `The network refers to tensor ${id}, which does not exist.`);
    return values;
  };
  const input = at(graph.input);
  const output = at(graph.output);
  graph.tensors.forEach(({ data }, id) => data && at(id).set(data));
  const steps = graph.ops.map((op) => prepareFloatOp(op, graph.tensors, at));

  return {
    activations,
    run(values) {
      if (values.length !== input.length) {
        throw new GraphError(
          'shape-mismatch',
          `The network takes ${input.length} features, but it was given ${values.length}.`,
        );
      }
      input.set(values);
      for (const step of steps) step();
      return output;
    },
  };
}

/** A function that runs the op on the buffers that `at` gives. Op and tensors must have passed their checks. */
export function prepareFloatOp(
  op: FloatOp,
  tensors: readonly { readonly shape: readonly number[] }[],
  at: (id: number) => Float32Array,
): () => void {
  const [first = 0, second = 0] = floatInputsOf(op);
  const from = at(first);
  const to = at(op.output);
  const shape = tensors[first]?.shape ?? [];
  const output = tensors[op.output]?.shape ?? [];
  switch (op.kind) {
    case 'fullyConnected':
      return () => fullyConnected(op, from, to);
    case 'softmax': {
      const classes = shape.at(-1) ?? 1;
      return () => {
        for (let row = 0; row < from.length; row += classes) {
          softmax(from.subarray(row, row + classes), to.subarray(row, row + classes));
        }
      };
    }
    case 'conv2d':
      return () => conv2d(op, shape, output, from, to);
    case 'depthwiseConv2d':
      return () => depthwiseConv2d(op, shape, output, from, to);
    case 'maxPool2d':
    case 'averagePool2d':
      return () => pool2d(op, shape, output, from, to);
    case 'mean':
      return () => {
        for (let o = 0; o < op.outer; o++) {
          for (let i = 0; i < op.inner; i++) {
            let sum = 0;
            for (let k = 0; k < op.count; k++) sum += from[(o * op.count + k) * op.inner + i] as number;
            to[o * op.inner + i] = sum / op.count;
          }
        }
      };
    case 'add':
    case 'mul': {
      const other = at(second);
      return () => {
        for (let i = 0; i < to.length; i++) {
          const [a, b] = [from[i] as number, other[i % other.length] as number];
          to[i] = activate(op.kind === 'mul' ? a * b : op.subtract ? a - b : a + b, op.activation);
        }
      };
    }
    case 'concat': {
      const inner = elementCount(output.slice(op.axis + 1));
      const gap = (output[op.axis] ?? 0) * inner;
      return () => {
        let start = 0;
        for (const id of op.inputs) {
          const values = at(id);
          const block = (tensors[id]?.shape[op.axis] ?? 0) * inner;
          for (let i = 0; i < values.length; i++) {
            to[start + Math.floor(i / block) * gap + (i % block)] = values[i] as number;
          }
          start += block;
        }
      };
    }
    case 'pad':
      return () => {
        to.fill(0);
        const steps = stridesOf(output);
        const start = op.before.reduce((sum, count, axis) => sum + count * (steps[axis] as number), 0);
        walk(shape, steps, start, (position, index) => (to[position] = from[index] as number));
      };
    case 'reshape':
      return () => to.set(from);
    case 'transpose': {
      const strides = stridesOf(shape);
      const steps = op.permutation.map((axis) => strides[axis] as number);
      return () => walk(output, steps, 0, (position, index) => (to[index] = from[position] as number));
    }
    case 'stridedSlice': {
      const strides = stridesOf(shape);
      const start = op.begin.reduce((sum, index, axis) => sum + index * (strides[axis] as number), 0);
      const steps = strides.map((step, axis) => step * (op.strides[axis] as number));
      return () => walk(output, steps, start, (position, index) => (to[index] = from[position] as number));
    }
    case 'unary': {
      const apply = unary(op);
      return () => {
        for (let i = 0; i < to.length; i++) to[i] = apply(from[i] as number);
      };
    }
    case 'resizeNearest':
      return () => resizeNearest(op, shape, output, from, to);
    case 'scaleShift': {
      const channels = op.scale.length;
      return () => {
        for (let i = 0; i < to.length; i++) {
          to[i] = (from[i] as number) * (op.scale[i % channels] as number) + (op.shift[i % channels] as number);
        }
      };
    }
  }
}

function activate(value: number, activation: Activation): number {
  if (activation === 'none') return value;
  return activation === 'relu6' ? Math.min(6, Math.max(0, value)) : Math.max(0, value);
}

/** Elements between neighbours along each axis of a row-major shape. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** Visits all indices of `shape` in row-major order, with their position under other strides. */
function walk(
  shape: readonly number[],
  steps: readonly number[],
  start: number,
  visit: (position: number, index: number) => void,
): void {
  const index = shape.map(() => 0);
  const count = elementCount(shape);
  for (let at = 0, position = start; at < count; at++) {
    visit(position, at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += steps[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      position -= (steps[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
}

function unary({ function: kind, alpha }: FloatUnary): (value: number) => number {
  switch (kind) {
    case 'relu':
      return (value) => Math.max(0, value);
    case 'relu6':
      return (value) => Math.min(6, Math.max(0, value));
    case 'leakyRelu':
      return (value) => (value < 0 ? alpha * value : value);
    case 'hardSwish':
      return (value) => (value * Math.min(6, Math.max(0, value + 3))) / 6;
    case 'logistic':
      return (value) => 1 / (1 + Math.exp(-value));
    case 'tanh':
      return Math.tanh;
  }
}

type Shape = readonly number[];

function conv2d(op: FloatConv2d, shape: Shape, output: Shape, from: Float32Array, to: Float32Array): void {
  const [height = 0, width = 0, channels = 0] = shape;
  const [outHeight = 0, outWidth = 0, outChannels = 0] = output;
  const { window, weights, bias } = op;
  const groupIn = channels / op.groups;
  const groupOut = outChannels / op.groups;
  for (let y = 0, at = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      for (let channel = 0; channel < outChannels; channel++) {
        const offset = Math.floor(channel / groupOut) * groupIn;
        let sum = bias[channel] as number;
        for (let ky = 0; ky < window.kernelHeight; ky++) {
          const row = y * window.strideHeight - window.padTop + ky * window.dilationHeight;
          if (row < 0 || row >= height) continue;
          for (let kx = 0; kx < window.kernelWidth; kx++) {
            const column = x * window.strideWidth - window.padLeft + kx * window.dilationWidth;
            if (column < 0 || column >= width) continue;
            const tap = ((channel * window.kernelHeight + ky) * window.kernelWidth + kx) * groupIn;
            const source = (row * width + column) * channels + offset;
            for (let i = 0; i < groupIn; i++) sum += (weights[tap + i] as number) * (from[source + i] as number);
          }
        }
        to[at++] = activate(sum, op.activation);
      }
    }
  }
}

function depthwiseConv2d(
  op: FloatDepthwiseConv2d,
  shape: Shape,
  output: Shape,
  from: Float32Array,
  to: Float32Array,
): void {
  const [height = 0, width = 0, channels = 0] = shape;
  const [outHeight = 0, outWidth = 0, outChannels = 0] = output;
  const { window, weights, bias, depthMultiplier } = op;
  for (let y = 0, at = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      for (let channel = 0; channel < outChannels; channel++) {
        const source = Math.floor(channel / depthMultiplier);
        let sum = bias[channel] as number;
        for (let ky = 0; ky < window.kernelHeight; ky++) {
          const row = y * window.strideHeight - window.padTop + ky * window.dilationHeight;
          if (row < 0 || row >= height) continue;
          for (let kx = 0; kx < window.kernelWidth; kx++) {
            const column = x * window.strideWidth - window.padLeft + kx * window.dilationWidth;
            if (column < 0 || column >= width) continue;
            const weight = weights[(ky * window.kernelWidth + kx) * outChannels + channel] as number;
            sum += weight * (from[(row * width + column) * channels + source] as number);
          }
        }
        to[at++] = activate(sum, op.activation);
      }
    }
  }
}

function pool2d(op: FloatPool2d, shape: Shape, output: Shape, from: Float32Array, to: Float32Array): void {
  const [height = 0, width = 0, channels = 0] = shape;
  const [outHeight = 0, outWidth = 0] = output;
  const { window } = op;
  for (let y = 0, at = 0; y < outHeight; y++) {
    const top = y * window.strideHeight - window.padTop;
    const [firstRow, lastRow] = [Math.max(0, top), Math.min(height, top + window.kernelHeight)];
    for (let x = 0; x < outWidth; x++) {
      const left = x * window.strideWidth - window.padLeft;
      const [firstColumn, lastColumn] = [Math.max(0, left), Math.min(width, left + window.kernelWidth)];
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let largest = -Infinity;
        for (let row = firstRow; row < lastRow; row++) {
          for (let column = firstColumn; column < lastColumn; column++) {
            const value = from[(row * width + column) * channels + channel] as number;
            sum += value;
            largest = Math.max(largest, value);
          }
        }
        const count = (lastRow - firstRow) * (lastColumn - firstColumn);
        to[at++] = activate(op.kind === 'maxPool2d' ? largest : sum / count, op.activation);
      }
    }
  }
}

function resizeNearest(
  op: FloatResizeNearest,
  shape: Shape,
  output: Shape,
  from: Float32Array,
  to: Float32Array,
): void {
  const [, width = 0, channels = 0] = shape;
  const index = (axis: number): number[] =>
    nearestIndex(shape[axis] ?? 1, output[axis] ?? 1, op.alignCorners, op.halfPixelCenters);
  let at = 0;
  for (const row of index(0)) {
    for (const column of index(1)) {
      const start = (row * width + column) * channels;
      for (let channel = 0; channel < channels; channel++) to[at++] = from[start + channel] as number;
    }
  }
}

function fullyConnected(op: FloatFullyConnected, from: Float32Array, to: Float32Array): void {
  const { weights, bias, activation } = op;
  const units = bias.length;
  const inputs = weights.length / units;
  for (let start = 0, out = 0; start < from.length; start += inputs) {
    for (let unit = 0, at = 0; unit < units; unit++) {
      let sum = bias[unit] as number;
      for (let i = 0; i < inputs; i++) sum += (weights[at++] as number) * (from[start + i] as number);
      if (activation !== 'none' && sum < 0) sum = 0;
      if (activation === 'relu6' && sum > 6) sum = 6;
      to[out++] = sum;
    }
  }
}

function softmax(from: Float32Array, to: Float32Array): void {
  let max = -Infinity;
  for (const value of from) if (value > max) max = value;
  let sum = 0;
  for (const value of from) sum += Math.exp(value - max);
  for (let i = 0; i < from.length; i++) to[i] = Math.exp((from[i] as number) - max) / sum;
}
