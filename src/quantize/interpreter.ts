/**
 * Runs an int8 graph bit for bit as the C kernels on the board do. This is the reference the emitted code and the
 * board are compared with.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import { checkInt8Graph } from './check';
import { fullyConnectedInt8 } from './fully-connected';
import { inputsOf, QuantizeError, type Int8Graph, type Int8Op, type Int8Tensor, type Rounding } from './int8-graph';
import { prepareConv2d } from './ops/conv2d';
import { prepareDepthwiseConv2d } from './ops/depthwise-conv2d';
import { prepareAdd, prepareMul } from './ops/elementwise';
import { foldedBias } from './ops/folded-bias';
import { prepareMean } from './ops/mean';
import { pad, prepareConcat, stridedSlice, transpose } from './ops/move';
import { preparePool2d } from './ops/pool2d';
import { nearestIndex, resizeNearest } from './ops/resize-nearest';
import { rescaleOf } from './requantize';
import { softmaxInt8, softmaxTable } from './softmax';

/** Allocates nothing after creation: results are views that the next `run` overwrites. */
export interface Int8Interpreter {
  readonly inputLength: number;
  readonly outputLength: number;
  /** Input elements -> output elements. Throws QuantizeError `bad-input` on a wrong length. */
  run(input: Int8Array): Int8Array;
  /** Values of every tensor after the last `run`, indexed by tensor id (for looking inside). */
  readonly activations: readonly Int8Array[];
}

/** Checks the graph (see `checkInt8Graph`) and prepares its buffers and tables. */
export function createInt8Interpreter(graph: Int8Graph): Int8Interpreter {
  checkInt8Graph(graph);
  const activations = graph.tensors.map((tensor) => new Int8Array(elementCount(tensor.shape)));
  const at = (id: TensorId): Int8Array => activations[id] as Int8Array;
  const input = at(graph.input);
  const output = at(graph.output);
  graph.tensors.forEach(({ data }, id) => data && at(id).set(data));
  const steps = prepareInt8Ops(graph.ops, graph.tensors, at, graph.rounding);

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

/** One function per op that runs it on the buffers that `at` gives. Ops and tensors must have passed their checks. */
export function prepareInt8Ops(
  ops: readonly Int8Op[],
  tensors: readonly Int8Tensor[],
  at: (id: TensorId) => Int8Array,
  rounding?: Rounding,
): (() => void)[] {
  const rescale = rescaleOf(rounding);
  const tensor = (id: TensorId): Int8Tensor => tensors[id] as Int8Tensor;
  return ops.map((op): (() => void) => {
    const [first = 0, second = 0] = inputsOf(op);
    const from = at(first);
    const to = at(op.output);
    const [source, target] = [tensor(first), tensor(op.output)];
    switch (op.kind) {
      case 'fullyConnected': {
        const bias = foldedBias(op, source.zeroPoint);
        return () => fullyConnectedInt8(op, bias, from, target.zeroPoint, to, rescale);
      }
      case 'softmax': {
        const table = softmaxTable(op);
        const classes = source.shape.at(-1) as number;
        const rows = Array.from({ length: from.length / classes }, (_, row) => [
          from.subarray(row * classes, (row + 1) * classes),
          to.subarray(row * classes, (row + 1) * classes),
        ]);
        return () => {
          for (const [input, output] of rows) softmaxInt8(input as Int8Array, op.diffMin, table, output as Int8Array);
        };
      }
      case 'conv2d':
        return prepareConv2d(op, source, target, from, to, rescale);
      case 'depthwiseConv2d':
        return prepareDepthwiseConv2d(op, source, target, from, to, rescale);
      case 'maxPool2d':
      case 'averagePool2d':
        return preparePool2d(op, source, target, from, to);
      case 'mean':
        return prepareMean(op, source, target, from, to, rescale);
      case 'add':
        return prepareAdd(op, [source, tensor(second)], target, from, at(second), to, rescale);
      case 'mul':
        return prepareMul(op, [source, tensor(second)], target, from, at(second), to, rescale);
      case 'concat': {
        const inputs = op.inputs.map((id) => ({ values: at(id), shape: tensor(id).shape }));
        return prepareConcat(inputs, op.axis, target.shape, to);
      }
      case 'pad':
        return () => pad(source.shape, op.before, target.shape, target.zeroPoint, from, to);
      case 'reshape':
        return () => to.set(from);
      case 'transpose':
        return () => transpose(source.shape, op.permutation, from, to);
      case 'lookup':
        return () => {
          for (let i = 0; i < to.length; i++) to[i] = op.table[(from[i] as number) + 128] as number;
        };
      case 'stridedSlice':
        return () => stridedSlice(source.shape, op.begin, op.strides, target.shape, from, to);
      case 'resizeNearest': {
        const { alignCorners, halfPixelCenters } = op;
        const [rows, columns] = [0, 1].map((axis) =>
          nearestIndex(source.shape[axis] as number, target.shape[axis] as number, alignCorners, halfPixelCenters),
        ) as [number[], number[]];
        return () => resizeNearest(source.shape, rows, columns, from, to);
      }
    }
  });
}
