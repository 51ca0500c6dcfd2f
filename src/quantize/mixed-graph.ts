/**
 * A network whose layers are partly int8 and partly float32, with conversions between them: what a `.tflite` with
 * QUANTIZE and DEQUANTIZE in its middle holds, and what quantization gives when layers are kept float on purpose. A
 * network that is float throughout is one too.
 */
import { checkFloatOp, checkFloatTensor, MAX_GRAPH_NODES } from '../graph/check';
import {
  elementCount,
  floatInputsOf,
  type FloatGraph,
  type FloatOp,
  type FloatTensor,
  type TensorId,
} from '../graph/float-graph';
import { checkInt8Op, checkInt8Tensor } from './check';
import { inputsOf, QuantizeError, type Int8Graph, type Int8Op, type Int8Tensor } from './int8-graph';

export type MixedTensor = ({ readonly type: 'int8' } & Int8Tensor) | ({ readonly type: 'float' } & FloatTensor);

/** TFLite's QUANTIZE (float to int8) and DEQUANTIZE (int8 to float) of every value; same shape. */
export interface Conversion {
  readonly kind: 'quantize' | 'dequantize';
  readonly input: TensorId;
  readonly output: TensorId;
}

export type MixedOp =
  | { readonly type: 'int8'; readonly op: Int8Op }
  | { readonly type: 'float'; readonly op: FloatOp }
  | { readonly type: 'conversion'; readonly op: Conversion };

/** Ops are in execution order. All ops share one list of tensors. */
export interface MixedGraph {
  readonly tensors: readonly MixedTensor[];
  readonly ops: readonly MixedOp[];
  readonly input: TensorId;
  readonly output: TensorId;
}

/** The tensors that an op reads, in order. */
export function mixedInputsOf({ type, op }: MixedOp): readonly TensorId[] {
  return type === 'int8' ? inputsOf(op) : type === 'float' ? floatInputsOf(op) : [op.input];
}

export function mixedFromFloat(graph: FloatGraph): MixedGraph {
  return {
    ...graph,
    tensors: graph.tensors.map((tensor) => ({ type: 'float', ...tensor })),
    ops: graph.ops.map((op) => ({ type: 'float', op })),
  };
}

export function mixedFromInt8(graph: Int8Graph): MixedGraph {
  return {
    ...graph,
    tensors: graph.tensors.map((tensor) => ({ type: 'int8', ...tensor })),
    ops: graph.ops.map((op) => ({ type: 'int8', op })),
  };
}

/**
 * The int8 ops alone, over the same tensor ids. For looking up what an op needs (scratch, kernels), never for running:
 * float tensors stand there with a scale of 1.
 */
export function int8View(graph: MixedGraph): Int8Graph {
  return {
    input: graph.input,
    output: graph.output,
    tensors: graph.tensors.map((tensor): Int8Tensor => {
      if (tensor.type === 'int8') return tensor;
      return { name: tensor.name, shape: tensor.shape, scale: 1, zeroPoint: 0 };
    }),
    ops: graph.ops.flatMap(({ type, op }) => (type === 'int8' ? [op] : [])),
  };
}

/**
 * Throws a QuantizeError (`bad-input`, `overflow`, `unsupported-op`) or GraphError unless the graph is safe to run: every
 * op passes the checks of its own kind, reads tensors of its own type, and reads nothing before it is written.
 */
export function checkMixedGraph(graph: MixedGraph): void {
  const refuse = (message: string): never => {
    throw new QuantizeError('bad-input', `This is not a usable network: ${message}`);
  };
  if (graph.ops.length === 0 || graph.ops.length > MAX_GRAPH_NODES || graph.tensors.length > 2 * MAX_GRAPH_NODES) {
    refuse(`it has ${graph.ops.length} operations and ${graph.tensors.length} tensors.`);
  }
  graph.tensors.forEach((tensor, id) => {
    if (tensor.type === 'int8') checkInt8Tensor(tensor, id);
    else checkFloatTensor(tensor, id);
  });
  const tensor = (id: TensorId): MixedTensor =>
    graph.tensors[id] ?? refuse(`it refers to tensor ${id}, which does not exist.`);
  tensor(graph.output);
  if (tensor(graph.input).data) refuse('its input is a constant.');
  const written = new Set<TensorId>([graph.input]);
  graph.ops.forEach((step, index) => {
    const { type, op } = step;
    const fail = (message: string): never => refuse(`operation ${index} (${op.kind}) ${message}`);
    const [inputs, output] = [mixedInputsOf(step).map(tensor), tensor(op.output)];
    const [first] = inputs;
    if (!first) return fail('has no inputs.');
    mixedInputsOf(step).forEach((id, operand) => {
      if (tensor(id).data) {
        if (!((op.kind === 'add' || op.kind === 'mul') && operand === 1)) fail('reads a constant as its input.');
      } else if (!written.has(id)) fail(`reads tensor ${id} before anything wrote it.`);
    });
    if (output.data || written.has(op.output)) fail(`writes tensor ${op.output}, which is already in use.`);
    written.add(op.output);
    const [from, to] =
      type !== 'conversion' ? [type, type] : op.kind === 'quantize' ? ['float', 'int8'] : ['int8', 'float'];
    if (inputs.some((each) => each.type !== from) || output.type !== to) {
      fail(`mixes int8 and float: a conversion is missing.`);
    }
    if (type === 'int8') return checkInt8Op(op, inputs as Int8Tensor[], output as Int8Tensor, fail);
    if (type === 'float') return checkFloatOp(op, index, inputs as FloatTensor[], output as FloatTensor);
    if (elementCount(first.shape) !== elementCount(output.shape)) fail('changes the number of values.');
  });
  if (graph.output === graph.input || !written.has(graph.output)) refuse('nothing writes its output.');
}
