/** Float networks of one op with random shapes and parameters: edges of geometry that trained networks rarely have. */
import { elementCount, type FloatGraph, type FloatOp } from '../../src/graph/float-graph';
import { windowOutputShape, type Window2d } from '../../src/graph/window2d';
import type { Random } from '../../src/signal/random';

export const FLOAT_KINDS = [
  'fullyConnected',
  'conv2d',
  'depthwiseConv2d',
  'maxPool2d',
  'averagePool2d',
  'mean',
  'add',
  'mul',
  'concat',
  'pad',
  'reshape',
  'transpose',
  'unary',
  'stridedSlice',
  'resizeNearest',
  'scaleShift',
  'softmax',
] as const satisfies readonly FloatOp['kind'][];

export type FloatKind = (typeof FLOAT_KINDS)[number];

/** One op of the kind between input 0 and the output. */
export function randomFloatOp(kind: FloatKind, random: Random): FloatGraph {
  const int = (low: number, high: number): number => low + random.integer(high - low + 1);
  const pick = <T>(choices: readonly T[]): T => choices[random.integer(choices.length)] as T;
  const normal = (length: number, deviation = 1): Float32Array =>
    Float32Array.from({ length }, () => random.normal() * deviation);
  const activation = pick(['none', 'relu', 'relu6'] as const);
  const image = [int(1, 9), int(1, 9), int(1, 9)];
  const one = (shape: readonly number[], output: readonly number[], op: FloatOp): FloatGraph => ({
    tensors: [
      { name: 'input', shape },
      { name: 'output', shape: output },
    ],
    ops: [op],
    input: 0,
    output: 1,
  });
  const ends = { input: 0, output: 1 } as const;
  /** A window that fits, perhaps padded. */
  const windowOf = ([height = 1, width = 1]: readonly number[], pooling: boolean): Window2d => {
    const side = (size: number) => {
      const kernel = int(1, 4);
      const dilation = pooling ? 1 : int(1, 3);
      const extent = (kernel - 1) * dilation + 1;
      const missing = Math.max(0, extent - size);
      const before = Math.min(extent - 1, Math.max(Math.ceil(missing / 2), int(0, extent - 1)));
      const after = Math.min(extent - 1, Math.max(missing - before, int(0, extent - 1)));
      return { kernel, dilation, before, after, stride: int(1, 3) };
    };
    const [vertical, horizontal] = [side(height), side(width)];
    return {
      kernelHeight: vertical.kernel,
      kernelWidth: horizontal.kernel,
      strideHeight: vertical.stride,
      strideWidth: horizontal.stride,
      dilationHeight: vertical.dilation,
      dilationWidth: horizontal.dilation,
      padTop: vertical.before,
      padBottom: vertical.after,
      padLeft: horizontal.before,
      padRight: horizontal.after,
    };
  };
  const [height = 1, width = 1, channels = 1] = image;
  switch (kind) {
    case 'fullyConnected': {
      const [rows, inputs, units] = [pick([1, 1, int(2, 4)]), int(1, 40), int(1, 9)];
      const weights = normal(inputs * units, 1 / Math.sqrt(inputs));
      const shapes =
        rows === 1
          ? [[inputs], [units]]
          : [
              [rows, inputs],
              [rows, units],
            ];
      return one(shapes[0] as number[], shapes[1] as number[], {
        kind,
        ...ends,
        weights,
        bias: normal(units),
        activation,
      });
    }
    case 'conv2d': {
      const groups = int(1, 3);
      const [inputs, outputs] = [groups * int(1, 4), groups * int(1, 4)];
      const shape = [height, width, inputs];
      const window = pick([true, false, false]) ? POINT : windowOf(shape, false);
      const taps = (window.kernelHeight * window.kernelWidth * inputs) / groups;
      return one(shape, windowOutputShape(shape, window, outputs), {
        kind,
        ...ends,
        window,
        groups,
        weights: normal(outputs * taps, 1 / Math.sqrt(taps)),
        bias: normal(outputs),
        activation,
      });
    }
    case 'depthwiseConv2d': {
      const depthMultiplier = int(1, 3);
      const outputs = channels * depthMultiplier;
      const window = windowOf(image, false);
      const taps = window.kernelHeight * window.kernelWidth;
      return one(image, windowOutputShape(image, window, outputs), {
        kind,
        ...ends,
        window,
        depthMultiplier,
        weights: normal(outputs * taps, 1 / Math.sqrt(taps)),
        bias: normal(outputs),
        activation,
      });
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const window = windowOf(image, true);
      return one(image, windowOutputShape(image, window, channels), { kind, ...ends, window, activation });
    }
    case 'mean': {
      const [outer, count, inner] = [int(1, 3), int(1, 200), int(1, 4)];
      return one([outer, count, inner], [outer, inner], { kind, ...ends, outer, count, inner });
    }
    case 'add':
    case 'mul': {
      const data = pick([image, [channels], [1]]);
      return {
        ...one(image, image, {
          kind,
          inputs: [0, 2],
          output: 1,
          subtract: kind === 'add' && pick([true, false]),
          activation,
        }),
        tensors: [
          { name: 'input', shape: image },
          { name: 'output', shape: image },
          { name: 'constant', shape: data, data: normal(elementCount(data)) },
        ],
      };
    }
    case 'concat': {
      const axis = int(0, 2);
      const shape = image.map((size, other) => (other === axis ? 2 * size : size));
      return one(image, shape, { kind, inputs: [0, 0], output: 1, axis });
    }
    case 'pad': {
      const [before, after] = [image.map(() => int(0, 2)), image.map(() => int(0, 2))];
      const shape = image.map((size, axis) => size + (before[axis] as number) + (after[axis] as number));
      return one(image, shape, { kind, ...ends, before, after });
    }
    case 'reshape':
      return one(image, [elementCount(image)], { kind, ...ends });
    case 'transpose': {
      const shape = pick([image, [...image, int(1, 3)]]);
      const permutation = shape.map((_, axis) => axis).sort(() => random.next() - 0.5);
      return one(
        shape,
        permutation.map((axis) => shape[axis] as number),
        { kind, ...ends, permutation },
      );
    }
    case 'unary': {
      const name = pick(['relu', 'relu6', 'leakyRelu', 'hardSwish', 'logistic', 'tanh'] as const);
      return one(image, image, { kind, ...ends, function: name, alpha: name === 'leakyRelu' ? 0.1 : 0 });
    }
    case 'stridedSlice': {
      const begin = image.map((size) => int(0, size - 1));
      const strides = image.map(() => int(1, 3));
      const shape = image.map((size, axis) =>
        int(1, Math.ceil((size - (begin[axis] as number)) / (strides[axis] as number))),
      );
      return one(image, shape, { kind, ...ends, begin, strides });
    }
    case 'resizeNearest': {
      const [alignCorners, halfPixelCenters] = pick([
        [false, false],
        [true, false],
        [false, true],
      ] as const);
      return one(image, [int(1, 12), int(1, 12), channels], { kind, ...ends, alignCorners, halfPixelCenters });
    }
    case 'scaleShift':
      return one(image, image, { kind, ...ends, scale: normal(channels), shift: normal(channels) });
    case 'softmax':
      return one(image, image, { kind, ...ends });
  }
}

/** A window of one pixel. */
const POINT: Window2d = {
  kernelHeight: 1,
  kernelWidth: 1,
  strideHeight: 1,
  strideWidth: 1,
  dilationHeight: 1,
  dilationWidth: 1,
  padTop: 0,
  padBottom: 0,
  padLeft: 0,
  padRight: 0,
};
