/** Int8 networks of one op with random shapes and parameters: edges of geometry that trained networks rarely have. */
import { elementCount } from '../../src/graph/float-graph';
import { windowOutputShape, type Window2d } from '../../src/graph/window2d';
import { checkInt8Graph } from '../../src/quantize/check';
import type { Int8Graph, Int8Op, Int8Tensor, Rounding } from '../../src/quantize/int8-graph';
import { activationRange } from '../../src/quantize/ops/activation-range';
import { addParameters, mulParameters } from '../../src/quantize/ops/elementwise';
import { lookupTable } from '../../src/quantize/ops/lookup';
import { meanParameters } from '../../src/quantize/ops/mean';
import { convMultipliers, fullyConnectedMultipliers } from '../../src/quantize/ops/output-multipliers';
import { softmaxParameters } from '../../src/quantize/softmax';
import type { Random } from '../../src/signal/random';

export type OpGroup = 'fullyConnected' | 'conv2d' | 'depthwiseConv2d' | 'pool' | 'other';

/** A checked graph with one op of the group. */
export function randomOpGraph(group: OpGroup, random: Random, rounding: Rounding = 'double'): Int8Graph {
  for (;;) {
    try {
      const graph: Int8Graph = { ...attempt(group, random, rounding), rounding };
      checkInt8Graph(graph);
      return graph;
    } catch {
      // An impossible geometry or a sum that could overflow: roll the dice again.
    }
  }
}

function attempt(group: OpGroup, random: Random, rounding: Rounding): Int8Graph {
  const int = (low: number, high: number): number => low + Math.floor(random.next() * (high - low + 1));
  const pick = <T>(items: readonly T[]): T => items[int(0, items.length - 1)] as T;
  const tensor = (shape: readonly number[], name: string): Int8Tensor => ({
    name,
    shape,
    scale: Math.fround(0.002 + random.next() * 0.1),
    zeroPoint: pick([-128, 127, 0, int(-128, 127)]),
  });
  const one = (op: (input: 0, output: 1) => Int8Op, input: Int8Tensor, output: Int8Tensor): Int8Graph => ({
    tensors: [input, output],
    ops: [op(0, 1)],
    input: 0,
    output: 1,
  });
  const window = (square: boolean): Window2d => {
    const kernelHeight = int(1, 4);
    const kernelWidth = square ? 3 : int(1, 4);
    const dilationHeight = int(1, 4) === 1 ? 2 : 1;
    const dilationWidth = !square && int(1, 4) === 1 ? 2 : 1;
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
  const weights = (count: number): Int8Array => {
    const extreme = int(1, 6) === 1;
    return Int8Array.from({ length: count }, () => (extreme ? pick([-127, 127]) : int(-127, 127)));
  };
  const weighted = (count: number, channels: number, input: Int8Tensor, output: Int8Tensor, dense: boolean) => {
    const scales = int(0, 1) === 0 ? 1 : channels;
    const weightScale = Float32Array.from({ length: scales }, () => 0.0005 + random.next() * 0.02);
    const multipliers = (dense ? fullyConnectedMultipliers : convMultipliers)(input.scale, weightScale, output.scale);
    return {
      weights: weights(count),
      bias: Int32Array.from({ length: channels }, () => int(-5000, 5000)),
      weightScale,
      ...multipliers,
      ...activationRange(pick(['none', 'relu', 'relu6'] as const), output.scale, output.zeroPoint),
    };
  };
  const image = (channels: number): Int8Tensor => tensor([int(1, 8), int(1, 8), channels], 'input');

  switch (group) {
    case 'fullyConnected': {
      const [rows, inputs, units] = [int(1, 3), int(1, 70), int(1, 13)];
      const input = tensor(rows > 1 ? [rows, inputs] : [inputs], 'input');
      const output = tensor(rows > 1 ? [rows, units] : [units], 'output');
      const parts = weighted(inputs * units, units, input, output, true);
      return one((from, to) => ({ kind: 'fullyConnected', input: from, output: to, ...parts }), input, output);
    }
    case 'conv2d': {
      const groups = pick([1, 1, 1, 2]);
      const input = image(groups * int(1, 9));
      const channels = groups * int(1, 9);
      const view = pick([true, false, false])
        ? {
            ...window(false),
            kernelHeight: 1,
            kernelWidth: 1,
            strideHeight: 1,
            strideWidth: 1,
            padTop: 0,
            padLeft: 0,
            padBottom: 0,
            padRight: 0,
          }
        : window(false);
      const output = tensor(windowOutputShape(input.shape, view, channels), 'output');
      const taps = (view.kernelHeight * view.kernelWidth * (input.shape[2] as number)) / groups;
      const parts = weighted(taps * channels, channels, input, output, false);
      return one(
        (from, to) => ({ kind: 'conv2d', input: from, output: to, window: view, groups, ...parts }),
        input,
        output,
      );
    }
    case 'depthwiseConv2d': {
      const depthMultiplier = pick([1, 1, 1, 2, 3]);
      const input = image(pick([4, 8, int(1, 9)]));
      const channels = (input.shape[2] as number) * depthMultiplier;
      const view = window(int(0, 1) === 0);
      const output = tensor(windowOutputShape(input.shape, view, channels), 'output');
      const parts = weighted(view.kernelHeight * view.kernelWidth * channels, channels, input, output, false);
      return one(
        (from, to) => ({ kind: 'depthwiseConv2d', input: from, output: to, window: view, depthMultiplier, ...parts }),
        input,
        output,
      );
    }
    case 'pool': {
      const input = image(int(1, 6));
      const view = { ...window(false), dilationHeight: 1, dilationWidth: 1 };
      const shape = windowOutputShape(input.shape, view, input.shape[2] as number);
      const output = { ...input, name: 'output', shape };
      const kind = pick(['maxPool2d', 'averagePool2d'] as const);
      const range = activationRange(pick(['none', 'relu', 'relu6'] as const), output.scale, output.zeroPoint);
      return one((from, to) => ({ kind, input: from, output: to, window: view, ...range }), input, output);
    }
    case 'other':
      return otherOp();
  }

  function otherOp(): Int8Graph {
    const input = image(int(1, 6));
    const same = (shape: readonly number[]): Int8Tensor => ({ ...input, name: 'output', shape });
    const free = tensor(input.shape, 'output');
    const quantization = {
      inputScale: input.scale,
      inputZero: input.zeroPoint,
      outputScale: free.scale,
      outputZero: free.zeroPoint,
    };
    switch (
      pick(['mean', 'add', 'mul', 'pad', 'transpose', 'lookup', 'slice', 'resize', 'softmax', 'concat'] as const)
    ) {
      case 'mean': {
        const [height = 1, width = 1, channels = 1] = input.shape;
        const output = tensor([channels], 'output');
        const count = height * width;
        const parts = meanParameters(input.scale, output.scale, count);
        return one(
          (from, to) => ({ kind: 'mean', input: from, output: to, outer: 1, count, inner: channels, ...parts }),
          input,
          output,
        );
      }
      case 'add':
      case 'mul': {
        const size = pick([elementCount(input.shape), input.shape[2] as number, 1]);
        const other = {
          ...tensor(size === elementCount(input.shape) ? input.shape : [size], 'other'),
          data: Int8Array.from({ length: size }, () => int(-128, 127)),
        };
        const range = activationRange(pick(['none', 'relu'] as const), free.scale, free.zeroPoint);
        const subtract = int(0, 1) === 1;
        const op: Int8Op =
          int(0, 1) === 0
            ? {
                kind: 'add',
                inputs: [0, 2],
                output: 1,
                subtract,
                ...addParameters(input.scale, other.scale, free.scale, subtract),
                ...range,
              }
            : {
                kind: 'mul',
                inputs: [0, 2],
                output: 1,
                ...mulParameters(input.scale, other.scale, free.scale),
                ...range,
              };
        return { tensors: [input, free, other], ops: [op], input: 0, output: 1 };
      }
      case 'pad': {
        const before = input.shape.map(() => int(0, 2));
        const after = input.shape.map(() => int(0, 2));
        const shape = input.shape.map((size, axis) => size + (before[axis] as number) + (after[axis] as number));
        return one((from, to) => ({ kind: 'pad', input: from, output: to, before, after }), input, same(shape));
      }
      case 'transpose': {
        const permutation = pick([
          [1, 0, 2],
          [2, 0, 1],
          [2, 1, 0],
          [0, 2, 1],
        ] as const);
        const shape = permutation.map((axis) => input.shape[axis] as number);
        return one((from, to) => ({ kind: 'transpose', input: from, output: to, permutation }), input, same(shape));
      }
      case 'lookup': {
        const kind = pick(['relu', 'relu6', 'leakyRelu', 'hardSwish', 'logistic', 'tanh', 'quantize'] as const);
        // TensorFlow Lite fixes the output scales of these two.
        const fixed =
          kind === 'logistic'
            ? { scale: 1 / 256, zeroPoint: -128 }
            : kind === 'tanh'
              ? { scale: 1 / 128, zeroPoint: 0 }
              : { scale: free.scale, zeroPoint: free.zeroPoint };
        const output = { ...free, ...fixed };
        const table = lookupTable(
          kind,
          { ...quantization, outputScale: fixed.scale, outputZero: fixed.zeroPoint },
          0.1,
          rounding,
        );
        return one(
          (from, to) => ({ kind: 'lookup', input: from, output: to, function: kind, alpha: 0.1, table }),
          input,
          output,
        );
      }
      case 'slice': {
        const begin = input.shape.map((size) => int(0, size - 1));
        const strides = input.shape.map(() => int(1, 3));
        const shape = input.shape.map((size, axis) =>
          int(1, Math.ceil((size - (begin[axis] as number)) / (strides[axis] as number))),
        );
        return one(
          (from, to) => ({ kind: 'stridedSlice', input: from, output: to, begin, strides }),
          input,
          same(shape),
        );
      }
      case 'resize': {
        const shape = [int(1, 12), int(1, 12), input.shape[2] as number];
        const [alignCorners, halfPixelCenters] = pick([
          [false, false],
          [true, false],
          [false, true],
        ] as const);
        return one(
          (from, to) => ({ kind: 'resizeNearest', input: from, output: to, alignCorners, halfPixelCenters }),
          input,
          same(shape),
        );
      }
      case 'softmax': {
        const output = { name: 'output', shape: input.shape, scale: 1 / 256, zeroPoint: -128 };
        const parts = softmaxParameters(input.scale, rounding);
        return one((from, to) => ({ kind: 'softmax', input: from, output: to, ...parts }), input, output);
      }
      case 'concat': {
        const axis = int(0, 2);
        const shape = input.shape.map((size, other) => (other === axis ? 2 * size : size));
        return {
          tensors: [input, same(shape)],
          ops: [{ kind: 'concat', inputs: [0, 0], output: 1, axis }],
          input: 0,
          output: 1,
        };
      }
    }
  }
}
