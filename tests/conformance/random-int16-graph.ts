/** Int16 networks of one op with random shapes and parameters: edges of geometry that trained networks rarely have. */
import { elementCount } from '../../src/graph/float-graph';
import { windowOutputShape, type Window2d } from '../../src/graph/window2d';
import { checkInt16Graph } from '../../src/quantize/check-int16';
import type { Rounding } from '../../src/quantize/int8-graph';
import type { Int16Graph, Int16Op, Int16Tensor, Int16Weighted } from '../../src/quantize/int16-graph';
import {
  activationRangeInt16,
  addParametersInt16,
  rescaleParameters,
  sigmoidParameters,
  softmaxParametersInt16,
  UNIT_SCALE,
} from '../../src/quantize/ops/int16-parameters';
import { mulParameters } from '../../src/quantize/ops/elementwise';
import { meanParameters } from '../../src/quantize/ops/mean';
import { convMultipliers, fullyConnectedMultipliers } from '../../src/quantize/ops/output-multipliers';
import type { Random } from '../../src/signal/random';

/** A checked graph with one op of the kind. */
export function randomInt16Graph(kind: Int16Op['kind'], random: Random, rounding: Rounding = 'double'): Int16Graph {
  for (;;) {
    try {
      const graph: Int16Graph = { activations: 'int16', ...attempt(kind, random), rounding };
      checkInt16Graph(graph);
      return graph;
    } catch {
      // An impossible geometry or a sum that could overflow: roll the dice again.
    }
  }
}

type Parts = Pick<Int16Graph, 'tensors' | 'ops' | 'input' | 'output'>;

function attempt(kind: Int16Op['kind'], random: Random): Parts {
  const int = (low: number, high: number): number => low + Math.floor(random.next() * (high - low + 1));
  const pick = <T>(items: readonly T[]): T => items[int(0, items.length - 1)] as T;
  const tensor = (shape: readonly number[], name: string, scale = 2 ** (-14 + 10 * random.next())): Int16Tensor => ({
    name,
    shape,
    scale: Math.fround(scale),
    zeroPoint: 0,
  });
  const one = (op: (input: 0, output: 1) => Int16Op, input: Int16Tensor, output: Int16Tensor): Parts => ({
    tensors: [input, output],
    ops: [op(0, 1)],
    input: 0,
    output: 1,
  });
  const window = (): Window2d => {
    const [kernelHeight, kernelWidth] = [int(1, 4), int(1, 4)];
    const dilationHeight = int(1, 4) === 1 ? 2 : 1;
    const dilationWidth = int(1, 4) === 1 ? 2 : 1;
    const reach = (kernel: number, dilation: number): number => int(0, (kernel - 1) * dilation);
    return {
      kernelHeight,
      kernelWidth,
      strideHeight: int(1, 3),
      strideWidth: int(1, 3),
      dilationHeight,
      dilationWidth,
      padTop: reach(kernelHeight, dilationHeight),
      padLeft: reach(kernelWidth, dilationWidth),
      padBottom: reach(kernelHeight, dilationHeight),
      padRight: reach(kernelWidth, dilationWidth),
    };
  };
  /** The output's scale makes sums fill a part of its range, or overshoot it. */
  const weighted = (
    count: number,
    channels: number,
    input: Int16Tensor,
    dense: boolean,
  ): { readonly parts: Int16Weighted & { readonly weights: Int8Array }; readonly scale: number } => {
    const extreme = int(1, 6) === 1;
    const weights = Int8Array.from({ length: count }, () => (extreme ? pick([-127, 127]) : int(-127, 127)));
    const scales = int(0, 1) === 0 ? 1 : channels;
    const weightScale = Float32Array.from({ length: scales }, () => 0.0005 + random.next() * 0.02);
    const scale = Math.fround(input.scale * 0.01 * Math.sqrt(count / channels) * 2 ** (9 * random.next()));
    const sums = pick(['int64', 'int64', 'int32'] as const);
    // Some biases lie beyond 32 bits.
    const size = sums === 'int64' && int(0, 3) === 0 ? 2 ** 36 : 2 ** 20;
    const parts = {
      weights,
      bias: Float64Array.from({ length: channels }, () => Math.round((random.next() - 0.5) * size)),
      sums,
      weightScale,
      ...(dense ? fullyConnectedMultipliers : convMultipliers)(input.scale, weightScale, scale),
      ...activationRangeInt16(pick(['none', 'relu', 'relu6'] as const), scale),
    };
    return { parts, scale };
  };
  const image = (channels: number): Int16Tensor => tensor([int(1, 8), int(1, 8), channels], 'input');
  const input = image(int(1, 6));
  const same = (shape: readonly number[]): Int16Tensor => ({ ...input, name: 'output', shape });

  switch (kind) {
    case 'fullyConnected': {
      // Some are longer than what one 32-bit sum holds.
      const [rows, inputs, units] = [int(1, 3), pick([int(1, 70), int(1, 70), int(500, 1200)]), int(1, 9)];
      const from = tensor(rows > 1 ? [rows, inputs] : [inputs], 'input');
      const { parts, scale } = weighted(inputs * units, units, from, true);
      const to = tensor(rows > 1 ? [rows, units] : [units], 'output', scale);
      return one((a, b) => ({ kind, input: a, output: b, ...parts }), from, to);
    }
    case 'conv2d': {
      const groups = pick([1, 1, 1, 2]);
      const from = image(groups * int(1, 9));
      const channels = groups * int(1, 9);
      const point = pick([true, false, false]);
      const view = point
        ? { ...window(), ...{ kernelHeight: 1, kernelWidth: 1, strideHeight: 1, strideWidth: 1 }, ...NO_PADDING }
        : window();
      const taps = (view.kernelHeight * view.kernelWidth * (from.shape[2] as number)) / groups;
      const { parts, scale } = weighted(taps * channels, channels, from, false);
      const to = tensor(windowOutputShape(from.shape, view, channels), 'output', scale);
      return one((a, b) => ({ kind, input: a, output: b, window: view, groups, ...parts }), from, to);
    }
    case 'depthwiseConv2d': {
      const depthMultiplier = pick([1, 1, 1, 2, 3]);
      const from = image(pick([4, 8, int(1, 9)]));
      const channels = (from.shape[2] as number) * depthMultiplier;
      const view = window();
      const { parts, scale } = weighted(view.kernelHeight * view.kernelWidth * channels, channels, from, false);
      const to = tensor(windowOutputShape(from.shape, view, channels), 'output', scale);
      return one((a, b) => ({ kind, input: a, output: b, window: view, depthMultiplier, ...parts }), from, to);
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const view = { ...window(), dilationHeight: 1, dilationWidth: 1 };
      const to = same(windowOutputShape(input.shape, view, input.shape[2] as number));
      const range = activationRangeInt16(pick(['none', 'relu', 'relu6'] as const), to.scale);
      return one((a, b) => ({ kind, input: a, output: b, window: view, ...range }), input, to);
    }
    case 'mean': {
      const [height = 1, width = 1, channels = 1] = input.shape;
      const to = tensor([channels], 'output', input.scale * 2 ** (4 * random.next() - 2));
      const count = height * width;
      const parts = meanParameters(input.scale, to.scale, count);
      return one((a, b) => ({ kind, input: a, output: b, outer: 1, count, inner: channels, ...parts }), input, to);
    }
    case 'add':
    case 'mul': {
      const size = pick([elementCount(input.shape), input.shape[2] as number, 1]);
      const shape = size === elementCount(input.shape) ? input.shape : [size];
      const data = Int16Array.from({ length: size }, () => int(-32_768, 32_767));
      const other = { ...tensor(shape, 'other', input.scale * 2 ** (6 * random.next() - 3)), data };
      const scale =
        kind === 'add'
          ? Math.max(input.scale, other.scale) * 2 ** (3 * random.next() - 1)
          : input.scale * other.scale * 2 ** (17 * random.next());
      const to = tensor(input.shape, 'output', scale);
      const range = activationRangeInt16(pick(['none', 'relu'] as const), to.scale);
      const subtract = int(0, 1) === 1;
      const op: Int16Op =
        kind === 'add'
          ? {
              kind,
              inputs: [0, 2],
              output: 1,
              subtract,
              ...addParametersInt16(input.scale, other.scale, to.scale, subtract),
              ...range,
            }
          : { kind, inputs: [0, 2], output: 1, ...mulParameters(input.scale, other.scale, to.scale), ...range };
      return { tensors: [input, to, other], ops: [op], input: 0, output: 1 };
    }
    case 'pad': {
      const before = input.shape.map(() => int(0, 2));
      const after = input.shape.map(() => int(0, 2));
      const shape = input.shape.map((size, axis) => size + (before[axis] as number) + (after[axis] as number));
      return one((a, b) => ({ kind, input: a, output: b, before, after }), input, same(shape));
    }
    case 'reshape':
      return one((a, b) => ({ kind, input: a, output: b }), input, same([elementCount(input.shape)]));
    case 'transpose': {
      const permutation = pick([
        [1, 0, 2],
        [2, 0, 1],
        [2, 1, 0],
        [0, 2, 1],
      ] as const);
      const shape = permutation.map((axis) => input.shape[axis] as number);
      return one((a, b) => ({ kind, input: a, output: b, permutation }), input, same(shape));
    }
    case 'stridedSlice': {
      const begin = input.shape.map((size) => int(0, size - 1));
      const strides = input.shape.map(() => int(1, 3));
      const shape = input.shape.map((size, axis) =>
        int(1, Math.ceil((size - (begin[axis] as number)) / (strides[axis] as number))),
      );
      return one((a, b) => ({ kind, input: a, output: b, begin, strides }), input, same(shape));
    }
    case 'resizeNearest': {
      const shape = [int(1, 12), int(1, 12), input.shape[2] as number];
      const [alignCorners, halfPixelCenters] = pick([
        [false, false],
        [true, false],
        [false, true],
      ] as const);
      return one((a, b) => ({ kind, input: a, output: b, alignCorners, halfPixelCenters }), input, same(shape));
    }
    case 'concat': {
      const axis = int(0, 2);
      const shape = input.shape.map((size, other) => (other === axis ? 2 * size : size));
      return {
        tensors: [input, same(shape)],
        ops: [{ kind, inputs: [0, 0], output: 1, axis }],
        input: 0,
        output: 1,
      };
    }
    case 'rescale': {
      const to = tensor(input.shape, 'output', input.scale * 2 ** (4 * random.next() - 2));
      const name = pick(['relu', 'relu6', 'leakyRelu', 'quantize'] as const);
      const parts = rescaleParameters(name, input.scale, to.scale, name === 'leakyRelu' ? 0.1 : 0);
      return one((a, b) => ({ kind, input: a, output: b, ...parts }), input, to);
    }
    case 'sigmoid': {
      const from = { ...input, scale: pick([input.scale, 2 ** -12, 2 ** -11]) };
      const name = pick(['logistic', 'tanh'] as const);
      const parts = { function: name, ...sigmoidParameters(name, from.scale) };
      const to = tensor(from.shape, 'output', UNIT_SCALE);
      return one((a, b) => ({ kind, input: a, output: b, ...parts }), from, to);
    }
    case 'softmax': {
      const parts = softmaxParametersInt16(input.scale);
      const to = tensor(input.shape, 'output', UNIT_SCALE);
      return one((a, b) => ({ kind, input: a, output: b, ...parts }), input, to);
    }
  }
}

const NO_PADDING = { padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 };
