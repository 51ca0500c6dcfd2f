/** Int8 networks of layers that can be streamed, with odd geometry, and a stream over all of them. */
import { rootOf, stagesOf, type Stream } from '../../src/emit/stream';
import type { Target } from '../../src/emit/target';
import { elementCount } from '../../src/graph/float-graph';
import { windowOutputShape, type Window2d } from '../../src/graph/window2d';
import { checkInt8Graph } from '../../src/quantize/check';
import { inputsOf, type Int8Graph, type Int8Op, type Int8Tensor } from '../../src/quantize/int8-graph';
import { addParameters } from '../../src/quantize/ops/elementwise';
import { convMultipliers } from '../../src/quantize/ops/output-multipliers';
import type { Random } from '../../src/signal/random';

/**
 * Two to six layers after a first one that brings the input into the arena; sometimes one row high, sometimes with a
 * residual sum over the tensor before, sometimes with a reshape on the way; with `end` dense, a fully connected layer over
 * all that comes is the last one. A last op reads the result once more, so that it lies in the arena too, over the input of
 * the stream where the planner lets it.
 */
export function randomStreamGraph(random: Random, end: 'lines' | 'dense' = 'lines'): Int8Graph {
  for (;;) {
    try {
      const graph = attempt(random, end === 'dense');
      checkInt8Graph(graph);
      return graph;
    } catch {
      // An impossible geometry or a sum that could overflow: roll the dice again.
    }
  }
}

function attempt(random: Random, denseEnd: boolean): Int8Graph {
  const int = (low: number, high: number): number => low + Math.floor(random.next() * (high - low + 1));
  const pick = <T>(items: readonly T[]): T => items[int(0, items.length - 1)] as T;
  const oneRow = int(1, 4) === 1;
  const tensors: Int8Tensor[] = [];
  const ops: Int8Op[] = [];
  const tensor = (shape: readonly number[], like?: Int8Tensor): number => {
    const scale = like?.scale ?? Math.fround(0.02 + random.next() * 0.1);
    tensors.push({ name: `t${tensors.length}`, shape, scale, zeroPoint: like?.zeroPoint ?? int(-128, 127) });
    return tensors.length - 1;
  };
  const at = (id: number): Int8Tensor => tensors[id] as Int8Tensor;
  const window = (kernelWidth: number): Window2d => {
    const kernelHeight = oneRow ? 1 : int(1, 4);
    const dilationHeight = !oneRow && int(1, 5) === 1 ? 2 : 1;
    const pad = (kernel: number, dilation: number): number => int(0, Math.min(2, (kernel - 1) * dilation));
    return {
      kernelHeight,
      kernelWidth,
      strideHeight: oneRow ? 1 : int(1, 3),
      strideWidth: int(1, 2),
      dilationHeight,
      dilationWidth: 1,
      padTop: pad(kernelHeight, dilationHeight),
      padLeft: pad(kernelWidth, 1),
      padBottom: pad(kernelHeight, dilationHeight),
      padRight: pad(kernelWidth, 1),
    };
  };
  const square: Window2d = {
    ...window(1),
    kernelHeight: 1,
    strideHeight: 1,
    strideWidth: 1,
    dilationHeight: 1,
    padTop: 0,
    padBottom: 0,
  };
  const weighted = (count: number, channels: number, input: number, output: number, scales = channels) => {
    const weightScale = Float32Array.from({ length: scales }, () => 0.0005 + random.next() * 0.005);
    return {
      weights: Int8Array.from({ length: count }, () => int(-127, 127)),
      bias: Int32Array.from({ length: channels }, () => int(-3000, 3000)),
      weightScale,
      ...convMultipliers(at(input).scale, weightScale, at(output).scale),
      actMin: pick([-128, -100]),
      actMax: pick([127, 90]),
    };
  };
  const conv = (input: number, view: Window2d, channels: number): number => {
    const output = tensor(windowOutputShape(at(input).shape, view, channels));
    const taps = view.kernelHeight * view.kernelWidth * (at(input).shape[2] as number);
    const parts = weighted(taps * channels, channels, input, output);
    ops.push({ kind: 'conv2d', input, output, window: view, groups: 1, ...parts });
    return output;
  };
  const layer = (input: number): number => {
    const channels = at(input).shape[2] as number;
    switch (int(1, 6)) {
      case 1:
        return conv(input, square, pick([4, 8, int(1, 9)]));
      case 2: {
        const view = window(pick([3, 3, 2]));
        const output = tensor(windowOutputShape(at(input).shape, view, channels));
        const parts = weighted(view.kernelHeight * view.kernelWidth * channels, channels, input, output);
        ops.push({ kind: 'depthwiseConv2d', input, output, window: view, depthMultiplier: 1, ...parts });
        return output;
      }
      case 3: {
        const view = { ...window(int(1, 3)), dilationHeight: 1 };
        const output = tensor(windowOutputShape(at(input).shape, view, channels), at(input));
        const kind = pick(['maxPool2d', 'averagePool2d'] as const);
        ops.push({ kind, input, output, window: view, actMin: -128, actMax: pick([127, 60]) });
        return output;
      }
      case 4: {
        const output = tensor(at(input).shape);
        const table = Int8Array.from({ length: 256 }, () => int(-128, 127));
        ops.push({ kind: 'lookup', input, output, function: 'quantize', alpha: 0, table });
        return output;
      }
      default:
        return conv(input, window(int(1, 3)), pick([4, 8, int(1, 9)]));
    }
  };

  const input = tensor([oneRow ? 1 : int(3, 14), int(2, 12), pick([1, 3, 4, 8])]);
  let x = conv(input, square, pick([3, 4, 8]));
  const start = x;
  if (int(1, 3) === 1) {
    // A residual block: the sum reads the tensor that the stream starts from, or another of the same shape.
    const side = int(1, 2) === 1 ? start : conv(input, square, at(start).shape[2] as number);
    const same = (kernel: number): Window2d => ({
      ...square,
      kernelHeight: oneRow ? 1 : kernel,
      kernelWidth: kernel,
      padTop: oneRow ? 0 : (kernel - 1) / 2,
      padBottom: oneRow ? 0 : (kernel - 1) / 2,
      padLeft: (kernel - 1) / 2,
      padRight: (kernel - 1) / 2,
    });
    x = conv(x, same(pick([1, 3])), int(2, 6));
    x = conv(x, same(pick([1, 3])), at(start).shape[2] as number);
    const output = tensor(at(start).shape);
    const subtract = int(1, 3) === 1;
    const inputs = int(0, 1) === 0 ? ([x, side] as const) : ([side, x] as const);
    const [a, b] = [at(inputs[0]).scale, at(inputs[1]).scale];
    const parameters = addParameters(a, b, at(output).scale, subtract);
    ops.push({ kind: 'add', inputs, output, subtract, ...parameters, actMin: -128, actMax: pick([127, 100]) });
    x = output;
  }
  const least = x === start ? (denseEnd ? 1 : 2) : 0;
  for (let more = int(least, 3); more > 0; more--) {
    x = layer(x);
    if (oneRow && int(1, 3) === 1) {
      const [height = 1, width = 1, channels = 1] = at(x).shape;
      const output = tensor([width, height, channels], at(x));
      ops.push({ kind: 'reshape', input: x, output });
      if (int(1, 2) === 1) {
        x = tensor([height, width, channels], at(x));
        ops.push({ kind: 'reshape', input: output, output: x });
      } else x = output;
    }
  }
  if (denseEnd) {
    const inputs = elementCount(at(x).shape);
    if (inputs > 4096) throw new Error('Too large.');
    const flat = int(1, 4) === 1 ? x : tensor(pick([[inputs], [1, inputs]]), at(x));
    if (flat !== x) ops.push({ kind: 'reshape', input: x, output: flat });
    const units = int(1, 9);
    const output = tensor([1, 1, units]);
    const parts = weighted(inputs * units, units, flat, output, pick([1, units]));
    ops.push({ kind: 'fullyConnected', input: flat, output, ...parts });
    x = output;
  }
  const end = tensor([2 * (at(x).shape[0] as number), ...at(x).shape.slice(1)], at(x));
  ops.push({ kind: 'concat', inputs: [x, x], output: end, axis: 0 });
  if (elementCount(at(end).shape) > 16_384) throw new Error('Too large.');
  return { tensors, ops, input, output: end };
}

/** The longest stream after the first op, with a random number of lines in a turn; null when there is none. */
export function streamOver(graph: Int8Graph, target: Target, random: Random): Stream | null {
  const ops = graph.ops.flatMap(({ kind }, index) =>
    index === 0 || kind === 'reshape' || kind === 'concat' ? [] : [index],
  );
  // The operand of a sum that is there as a whole is not part of the stream.
  const path = ops.filter((index, k) => {
    const next = graph.ops[ops[k + 1] ?? -1];
    const output = rootOf(graph, (graph.ops[index] as Int8Op).output);
    return !next || inputsOf(next).some((id) => rootOf(graph, id) === output);
  });
  for (let length = path.length; length >= 2; length--) {
    const chain = path.slice(path.length - length);
    if (stagesOf(chain, graph, target)) return { ops: chain, strip: 1 + Math.floor(random.next() * 4) };
  }
  return null;
}
