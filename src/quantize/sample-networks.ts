/** Small float networks with random weights for the tests of this room. */
import { elementCount, type Activation, type FloatGraph, type FloatOp, type FloatTensor } from '../graph/float-graph';
import { samePadding, windowOutputShape, type Window2d } from '../graph/window2d';
import type { Random } from '../signal/random';
import { isWeighted, scaleInputs, scaleOutputs } from './batch-norm';

/** One size for both axes, or height and width. */
type Size2d = number | readonly [height: number, width: number];

export interface SampleWindow {
  readonly kernel?: Size2d;
  readonly stride?: Size2d;
  readonly same?: boolean;
  readonly activation?: Activation;
}

/** Adds ops one by one; every method gives the id of its output. */
export class SampleNetwork {
  readonly tensors: FloatTensor[] = [];
  readonly ops: FloatOp[] = [];

  constructor(
    private readonly random: Random,
    inputShape: readonly number[],
  ) {
    this.tensor(inputShape);
  }

  build(output = this.tensors.length - 1): FloatGraph {
    return { tensors: this.tensors, ops: this.ops, input: 0, output };
  }

  shape(id: number): readonly number[] {
    return this.tensors[id]?.shape ?? [];
  }

  /** Size of the last axis. */
  channels(id: number): number {
    return this.shape(id).at(-1) ?? 1;
  }

  tensor(shape: readonly number[], data?: Float32Array): number {
    const name = `tensor ${this.tensors.length}`;
    return this.tensors.push({ name, shape, ...(data ? { data } : {}) }) - 1;
  }

  normal(length: number, deviation = 1): Float32Array {
    return Float32Array.from({ length }, () => this.random.normal() * deviation);
  }

  conv(input: number, channels: number, options: SampleWindow = {}): number {
    const window = this.window(input, options);
    const taps = window.kernelHeight * window.kernelWidth * (this.shape(input)[2] as number);
    return this.push(windowOutputShape(this.shape(input), window, channels), (output) => ({
      kind: 'conv2d',
      input,
      output,
      window,
      groups: 1,
      weights: this.normal(channels * taps, 1 / Math.sqrt(taps)),
      bias: this.normal(channels, 0.2),
      activation: options.activation ?? 'none',
    }));
  }

  depthwise(input: number, options: SampleWindow & { multiplier?: number } = {}): number {
    const window = this.window(input, options);
    const depthMultiplier = options.multiplier ?? 1;
    const channels = (this.shape(input)[2] as number) * depthMultiplier;
    const taps = window.kernelHeight * window.kernelWidth;
    return this.push(windowOutputShape(this.shape(input), window, channels), (output) => ({
      kind: 'depthwiseConv2d',
      input,
      output,
      window,
      depthMultiplier,
      weights: this.normal(channels * taps, 1 / Math.sqrt(taps)),
      bias: this.normal(channels, 0.2),
      activation: options.activation ?? 'none',
    }));
  }

  dense(input: number, units: number, activation: Activation = 'none'): number {
    const inputs = elementCount(this.shape(input));
    return this.push([units], (output) => ({
      kind: 'fullyConnected',
      input,
      output,
      weights: this.normal(inputs * units, 1 / Math.sqrt(inputs)),
      bias: this.normal(units, 0.2),
      activation,
    }));
  }

  pool(input: number, kind: 'maxPool2d' | 'averagePool2d', options: SampleWindow = {}): number {
    const window = this.window(input, { kernel: 2, stride: 2, ...options });
    const channels = this.shape(input)[2] as number;
    return this.push(windowOutputShape(this.shape(input), window, channels), (output) => ({
      kind,
      input,
      output,
      window,
      activation: options.activation ?? 'none',
    }));
  }

  /** Over height and width. */
  mean(input: number): number {
    const [height = 1, width = 1, channels = 1] = this.shape(input);
    const count = height * width;
    return this.push([channels], (output) => ({ kind: 'mean', input, output, outer: 1, count, inner: channels }));
  }

  pair(kind: 'add' | 'mul', a: number, b: number, activation: Activation = 'none', subtract = false): number {
    return this.push(this.shape(a), (output) => ({ kind, inputs: [a, b], output, subtract, activation }));
  }

  scaleShift(input: number, scale?: Float32Array, shift?: Float32Array): number {
    const channels = this.shape(input).at(-1) as number;
    return this.push(this.shape(input), (output) => ({
      kind: 'scaleShift',
      input,
      output,
      scale: scale ?? this.normal(channels).map((value) => 1 + 0.4 * Math.tanh(value)),
      shift: shift ?? this.normal(channels, 0.3),
    }));
  }

  concat(inputs: readonly number[], axis: number): number {
    const shape = [...this.shape(inputs[0] as number)];
    shape[axis] = inputs.reduce((sum, id) => sum + (this.shape(id)[axis] as number), 0);
    return this.push(shape, (output) => ({ kind: 'concat', inputs, output, axis }));
  }

  pad(input: number, before: readonly number[], after: readonly number[]): number {
    const shape = this.shape(input).map((size, i) => size + (before[i] as number) + (after[i] as number));
    return this.push(shape, (output) => ({ kind: 'pad', input, output, before, after }));
  }

  reshape(input: number, shape: readonly number[]): number {
    return this.push(shape, (output) => ({ kind: 'reshape', input, output }));
  }

  flatten(input: number): number {
    return this.reshape(input, [elementCount(this.shape(input))]);
  }

  transpose(input: number, permutation: readonly number[]): number {
    const shape = permutation.map((axis) => this.shape(input)[axis] as number);
    return this.push(shape, (output) => ({ kind: 'transpose', input, output, permutation }));
  }

  slice(input: number, begin: readonly number[], strides: readonly number[]): number {
    const shape = this.shape(input).map((size, i) => Math.ceil((size - (begin[i] as number)) / (strides[i] as number)));
    return this.push(shape, (output) => ({ kind: 'stridedSlice', input, output, begin, strides }));
  }

  /** Twice the height and width. */
  enlarge(input: number): number {
    const [height = 1, width = 1, channels = 1] = this.shape(input);
    return this.push([2 * height, 2 * width, channels], (output) => ({
      kind: 'resizeNearest',
      input,
      output,
      alignCorners: false,
      halfPixelCenters: false,
    }));
  }

  unary(input: number, name: 'relu' | 'relu6' | 'leakyRelu' | 'hardSwish' | 'logistic' | 'tanh', alpha = 0): number {
    return this.push(this.shape(input), (output) => ({ kind: 'unary', input, output, function: name, alpha }));
  }

  softmax(input: number): number {
    return this.push(this.shape(input), (output) => ({ kind: 'softmax', input, output }));
  }

  private push(shape: readonly number[], op: (output: number) => FloatOp): number {
    const output = this.tensor(shape);
    this.ops.push(op(output));
    return output;
  }

  private window(input: number, { kernel = 3, stride = 1, same = false }: SampleWindow): Window2d {
    const [height = 1, width = 1] = this.shape(input);
    const [kernelHeight, kernelWidth] = both(kernel);
    const [strideHeight, strideWidth] = both(stride);
    const vertical = same ? samePadding(height, kernelHeight, strideHeight, 1) : { before: 0, after: 0 };
    const horizontal = same ? samePadding(width, kernelWidth, strideWidth, 1) : { before: 0, after: 0 };
    return {
      kernelHeight,
      kernelWidth,
      strideHeight,
      strideWidth,
      dilationHeight: 1,
      dilationWidth: 1,
      padTop: vertical.before,
      padLeft: horizontal.before,
      padBottom: vertical.after,
      padRight: horizontal.after,
    };
  }
}

function both(size: Size2d): readonly [height: number, width: number] {
  return typeof size === 'number' ? [size, size] : size;
}

function pick<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[random.integer(choices.length)] ?? choices[0];
}

function randomActivation(random: Random): Activation {
  return pick(random, ['relu', 'relu', 'relu6', 'none']);
}

/** Convolutions, residual sums, branches, pooling, pads, slices and look-ups in random order. */
export function randomNetwork(random: Random): FloatGraph {
  const n = new SampleNetwork(random, [5 + random.integer(4), 5 + random.integer(4), 1 + random.integer(4)]);
  let x = 0;
  for (let step = 0; step < 5; step++) {
    const same = random.integer(2) === 0;
    const kernel = Math.min(1 + random.integer(3), ...n.shape(x).slice(0, 2));
    const options = { kernel, same, activation: randomActivation(random), stride: 1 + random.integer(2) };
    const width = 1 + random.integer(7);
    switch (random.integer(12)) {
      case 0:
        x = n.depthwise(x, { ...options, multiplier: 1 + random.integer(2) });
        break;
      case 1:
        x = n.pool(x, random.integer(2) ? 'maxPool2d' : 'averagePool2d', { ...options, activation: 'none' });
        break;
      case 2: {
        const channels = n.channels(x);
        x = n.pair(
          'add',
          x,
          n.conv(x, channels, { kernel: 3, same: true, activation: 'relu' }),
          randomActivation(random),
        );
        break;
      }
      case 3: {
        const constant = n.tensor([n.channels(x)], n.normal(n.channels(x)));
        x = n.pair(random.integer(2) ? 'mul' : 'add', x, constant, randomActivation(random));
        break;
      }
      case 4:
        x = n.concat([x, n.conv(x, width, { kernel: 1, activation: 'relu' }), n.conv(x, width, { kernel: 1 })], 2);
        break;
      case 5:
        x = n.concat([x, n.conv(x, n.channels(x), { kernel: 1, activation: 'relu' })], random.integer(2));
        break;
      case 6:
        x = n.pad(x, [1, 0, random.integer(2)], [0, 2, 0]);
        break;
      case 7:
        x = n.unary(x, pick(random, ['leakyRelu', 'hardSwish', 'tanh', 'logistic', 'relu']), 0.1);
        break;
      case 8:
        x = random.integer(2) ? n.transpose(x, [1, 0, 2]) : n.transpose(x, [2, 1, 0]);
        break;
      case 9:
        x = n.slice(
          x,
          [0, Math.min(random.integer(2), (n.shape(x)[1] ?? 1) - 1), 0],
          [1 + random.integer(2), 1, 1 + random.integer(2)],
        );
        break;
      default:
        x = n.conv(x, width, options);
    }
  }
  const end = random.integer(3);
  x = n.conv(x, 2 + random.integer(6), { kernel: 1, activation: 'relu' });
  x =
    end === 0 ? n.mean(x) : end === 1 ? n.flatten(x) : n.flatten(n.pool(x, 'averagePool2d', { kernel: 1, stride: 1 }));
  x = n.dense(x, 1 + random.integer(6), 'relu');
  n.softmax(n.dense(x, 2 + random.integer(3)));
  return n.build();
}

/**
 * Convolution, depthwise, max pooling, convolution, average pooling, dense layer: 8 x 8 x 3 -> 4. The hidden channels
 * differ by factors of up to `spread`, which the next layer takes back: the function does not depend on `spread`.
 */
export function badlyScaled(random: Random, spread: number, activation: Activation = 'relu'): FloatGraph {
  const n = new SampleNetwork(random, [8, 8, 3]);
  let x = n.conv(0, 8, { activation, same: true });
  x = n.depthwise(x, { activation, same: true });
  x = n.conv(n.pool(x, 'maxPool2d'), 8, { kernel: 1, activation });
  n.dense(n.flatten(n.pool(x, 'averagePool2d')), 4);
  const graph = n.build();
  const layers = n.ops.flatMap((op, index) => (isWeighted(op) ? [index] : []));
  layers.slice(1).forEach((next, i) => {
    const before = n.ops[layers[i] as number];
    const after = n.ops[next];
    if (!before || !after || !isWeighted(before) || !isWeighted(after)) return;
    const factors = Float32Array.from(before.bias, () => spread ** random.between(-0.5, 0.5));
    const none = new Float32Array(factors.length);
    n.ops[layers[i] as number] = scaleOutputs(before, factors, none);
    n.ops[next] = scaleInputs(
      graph,
      after,
      factors.map((factor) => 1 / factor),
      none,
    );
  });
  return graph;
}

export function randomInputs(random: Random, length: number, count: number): Float32Array[] {
  return Array.from({ length: count }, () => Float32Array.from({ length }, () => random.normal()));
}

/** Largest difference between two results. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] as number) - (b[i] as number)));
  return largest;
}
