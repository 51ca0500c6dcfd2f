/** The integer part of a model as Python: arena, weights, and one call per operation. */
import { elementCount, type TensorId } from '../../graph/float-graph';
import type { Window2d } from '../../graph/window2d';
import { checkInt8Graph } from '../../quantize/check';
import { createInt8Interpreter } from '../../quantize/interpreter';
import type {
  Int8Conv2d,
  Int8DepthwiseConv2d,
  Int8FullyConnected,
  Int8Graph,
  Int8Op,
  Int8Tensor,
} from '../../quantize/int8-graph';
import { weightSums } from '../../quantize/ops/folded-bias';
import { permutationToRank4, toRank4 } from '../../quantize/ops/move';
import { nearestIndex } from '../../quantize/ops/resize-nearest';
import { crc32 } from '../crc32';
import { EmitError } from '../model';
import { planActivations, type ActivationPlan } from '../plan';
import { bytesLiteral, int32Array, offsetBytes, tuple } from './python-literals';

/** Products of this many pairs of bytes still add up within 32 bits. */
const MOST_DENSE_INPUTS = 32_768;
/** Inputs that the network alone is asked on the board. */
const NETWORK_TESTS = 8;
const NETWORK_TEST_SEED = 0x4d4f5445;

export interface NetworkPython {
  /** Functions of the runtime that `constants` and `run` call. */
  readonly runtime: ReadonlySet<string>;
  /** Module-level statements: arena, views, weights. */
  readonly constants: readonly string[];
  /** Statements of the function that runs the network. */
  readonly run: readonly string[];
  readonly inputName: string;
  readonly outputName: string;
  readonly inputLength: number;
  readonly outputLength: number;
  /** CRC-32 over the int8 scores of the known inputs; see `networkTestInput`. */
  readonly testCrc: number;
  readonly testCount: number;
  readonly testSeed: number;
}

/** Marsaglia's xorshift32, as in the self-test. */
function xorshift(state: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

/** Checks the graph and prints it. Throws QuantizeError, or EmitError `too-large` or `bad-model`. */
export function networkPython(graph: Int8Graph): NetworkPython {
  checkInt8Graph(graph);
  if (graph.rounding === 'single') {
    throw new EmitError('bad-model', 'Python rescales with double rounding; this network is made for single rounding.');
  }
  return new NetworkPrinter(graph).print();
}

class NetworkPrinter {
  readonly #graph: Int8Graph;
  readonly #plan: ActivationPlan;
  readonly #runtime = new Set<string>();
  readonly #constants: string[] = [];
  readonly #run: string[] = [];

  constructor(graph: Int8Graph) {
    this.#graph = graph;
    this.#plan = planActivations(graph);
  }

  print(): NetworkPython {
    const { tensors, ops, input, output } = this.#graph;
    this.#constants.push(`_arena = memoryview(bytearray(${this.#plan.arenaBytes}))`);
    tensors.forEach((tensor, id) => {
      if (tensor.data) {
        this.#constants.push(`_t${id} = ${bytesLiteral(offsetBytes(tensor.data))}`);
        return;
      }
      const offset = this.#plan.offsets[id] as number;
      this.#constants.push(`_t${id} = _arena[${offset}:${offset + elementCount(tensor.shape)}]`);
    });
    ops.forEach((op, index) => this.#op(op, index));
    return {
      runtime: this.#runtime,
      constants: this.#constants,
      run: this.#run,
      inputName: `_t${input}`,
      outputName: `_t${output}`,
      inputLength: elementCount(this.#tensor(input).shape),
      outputLength: elementCount(this.#tensor(output).shape),
      ...this.#knownAnswers(),
    };
  }

  #knownAnswers(): Pick<NetworkPython, 'testCrc' | 'testCount' | 'testSeed'> {
    const interpreter = createInt8Interpreter(this.#graph);
    const input = new Int8Array(interpreter.inputLength);
    const answers = new Uint8Array(NETWORK_TESTS * interpreter.outputLength);
    let state = NETWORK_TEST_SEED;
    for (let test = 0; test < NETWORK_TESTS; test++) {
      for (let i = 0; i < input.length; i++) {
        state = xorshift(state);
        input[i] = state >>> 24;
      }
      answers.set(new Uint8Array(interpreter.run(input).slice().buffer), test * interpreter.outputLength);
    }
    return { testCrc: crc32(answers), testCount: NETWORK_TESTS, testSeed: NETWORK_TEST_SEED };
  }

  #tensor(id: TensorId): Int8Tensor {
    return this.#graph.tensors[id] as Int8Tensor;
  }

  /** Zero point of a tensor whose bytes hold value + 128. */
  #zero(id: TensorId): number {
    return this.#tensor(id).zeroPoint + 128;
  }

  #call(name: string, args: readonly (string | number)[]): void {
    this.#runtime.add(name);
    this.#run.push(`${name}(${args.join(', ')})`);
  }

  #weighted(
    op: Int8FullyConnected | Int8Conv2d | Int8DepthwiseConv2d,
    index: number,
    bias: ArrayLike<number>,
  ): string[] {
    const names = ['w', 'b', 'm', 's'].map((letter) => `_${letter}${index}`);
    const values = [
      bytesLiteral(offsetBytes(op.weights)),
      int32Array(bias),
      int32Array(op.multiplier),
      int32Array(op.shift),
    ];
    names.forEach((name, i) => this.#constants.push(`${name} = ${values[i] as string}`));
    return names;
  }

  #op(op: Int8Op, index: number): void {
    const to = `_t${op.output}`;
    switch (op.kind) {
      case 'fullyConnected':
        return this.#fullyConnected(op, index);
      case 'softmax':
        return this.#call('_softmax', [
          `_t${op.input}`,
          to,
          this.#tensor(op.input).shape.at(-1) as number,
          op.multiplier,
          op.leftShift,
          op.diffMin,
        ]);
      case 'conv2d':
      case 'depthwiseConv2d':
        return this.#convolution(op, index);
      case 'maxPool2d':
      case 'averagePool2d': {
        const { kernelHeight, kernelWidth } = op.window;
        this.#runtime.add('_pool');
        return this.#call('_pool', [
          op.kind === 'averagePool2d' ? 1 : 0,
          `_t${op.input}`,
          to,
          tuple(this.#tensor(op.input).shape),
          tuple([kernelHeight, kernelWidth]),
          ...this.#slide(op.window, op.output),
          op.actMin + 128,
          op.actMax + 128,
        ]);
      }
      case 'mean':
        return this.#call('_mean', [
          `_t${op.input}`,
          to,
          op.outer,
          op.count,
          op.inner,
          this.#zero(op.input),
          op.multiplier,
          op.shift,
          this.#zero(op.output),
        ]);
      case 'add':
        return this.#call('_add', [
          `_t${op.inputs[0]}`,
          `_t${op.inputs[1]}`,
          to,
          op.subtract ? -1 : 1,
          this.#zero(op.inputs[0]),
          this.#zero(op.inputs[1]),
          op.multiplierA,
          op.shiftA,
          op.multiplierB,
          op.shiftB,
          op.multiplierOut,
          op.shiftOut,
          this.#zero(op.output),
          op.actMin + 128,
          op.actMax + 128,
        ]);
      case 'mul':
        return this.#call('_mul', [
          `_t${op.inputs[0]}`,
          `_t${op.inputs[1]}`,
          to,
          this.#zero(op.inputs[0]),
          this.#zero(op.inputs[1]),
          op.multiplier,
          op.shift,
          this.#zero(op.output),
          op.actMin + 128,
          op.actMax + 128,
        ]);
      case 'concat': {
        const shape = this.#tensor(op.output).shape;
        const inner = elementCount(shape.slice(op.axis + 1));
        const gap = (shape[op.axis] as number) * inner;
        let start = 0;
        op.inputs.forEach((id, part) => {
          const block = (this.#tensor(id).shape[op.axis] as number) * inner;
          const rows = elementCount(this.#tensor(id).shape) / block;
          this.#move(`${index}_${part}`, id, op.output, [1, 1, rows, block], 0, [0, 0, block, 1], start, [
            0,
            0,
            gap,
            1,
          ]);
          start += block;
        });
        return;
      }
      case 'pad': {
        const [from, size, before] = [
          toRank4(this.#tensor(op.input).shape),
          toRank4(this.#tensor(op.output).shape),
          toRank4(op.before, 0),
        ];
        const steps = stridesOf(size);
        const start = before.reduce((sum, count, axis) => sum + count * (steps[axis] as number), 0);
        this.#call('_fill', [to, this.#zero(op.output)]);
        return this.#move(String(index), op.input, op.output, from, 0, stridesOf(from), start, steps);
      }
      case 'reshape':
        this.#run.push(`${to}[:] = _t${op.input}`);
        return;
      case 'transpose': {
        const from = toRank4(this.#tensor(op.input).shape);
        const order = permutationToRank4(op.permutation);
        const size = order.map((axis) => from[axis] as number);
        const steps = stridesOf(from);
        const read = order.map((axis) => steps[axis] as number);
        return this.#move(String(index), op.input, op.output, size, 0, read, 0, stridesOf(size));
      }
      case 'lookup':
        this.#constants.push(`_w${index} = ${bytesLiteral(offsetBytes(op.table))}`);
        return this.#call('_lookup', [`_w${index}`, `_t${op.input}`, to, elementCount(this.#tensor(op.output).shape)]);
      case 'stridedSlice': {
        const steps = stridesOf(toRank4(this.#tensor(op.input).shape));
        const begin = toRank4(op.begin, 0);
        const every = toRank4(op.strides);
        const size = toRank4(this.#tensor(op.output).shape);
        const start = begin.reduce((sum, at, axis) => sum + at * (steps[axis] as number), 0);
        const read = steps.map((step, axis) => step * (every[axis] as number));
        return this.#move(String(index), op.input, op.output, size, start, read, 0, stridesOf(size));
      }
      case 'resizeNearest': {
        const [from, size] = [this.#tensor(op.input).shape, this.#tensor(op.output).shape];
        const [rows, columns] = [0, 1].map((axis) =>
          nearestIndex(from[axis] as number, size[axis] as number, op.alignCorners, op.halfPixelCenters),
        ) as [number[], number[]];
        return this.#call('_resize', [
          `_t${op.input}`,
          to,
          from[1] as number,
          from[2] as number,
          tuple(rows),
          tuple(columns),
        ]);
      }
    }
  }

  #fullyConnected(op: Int8FullyConnected, index: number): void {
    const inputs = op.weights.length / op.bias.length;
    const zero = this.#zero(op.input);
    const folded = Array.from(weightSums(op), (sum, unit) => (op.bias[unit] as number) - zero * sum);
    if (inputs > MOST_DENSE_INPUTS || folded.some((value) => Math.abs(value) >= 2 ** 31)) {
      throw new EmitError('too-large', `A layer with ${inputs} inputs is too large for Python on a board.`);
    }
    const [w, b, m, s] = this.#weighted(op, index, folded) as [string, string, string, string];
    this.#call('_fully_connected', [
      `_t${op.input}`,
      `_t${op.output}`,
      w,
      b,
      m,
      s,
      inputs,
      this.#zero(op.output),
      op.actMin + 128,
      op.actMax + 128,
    ]);
  }

  #convolution(op: Int8Conv2d | Int8DepthwiseConv2d, index: number): void {
    const kernel = op.kind === 'conv2d' ? '_conv2d_at' : '_depthwise_at';
    this.#runtime.add(kernel);
    const [height = 1, width = 1, channels = 1] = this.#tensor(op.input).shape;
    const { kernelHeight, kernelWidth, dilationHeight, dilationWidth } = op.window;
    const groups = op.kind === 'conv2d' ? op.groups : 1;
    const names = this.#weighted(op, index, op.bias);
    this.#constants.push(
      `_p${index} = ${int32Array([
        0,
        0,
        height,
        width,
        channels,
        kernelHeight,
        kernelWidth,
        dilationHeight,
        dilationWidth,
        op.kind === 'conv2d' ? channels / groups : op.depthMultiplier,
        op.bias.length / groups,
        groups,
        this.#zero(op.input),
      ])}`,
    );
    this.#call('_convolve', [
      kernel,
      `_p${index}`,
      `_t${op.input}`,
      `_t${op.output}`,
      ...names,
      ...this.#slide(op.window, op.output),
      this.#zero(op.output),
      op.actMin + 128,
      op.actMax + 128,
    ]);
  }

  /** Output size, stride and padding of a window. */
  #slide(window: Window2d, output: TensorId): string[] {
    const [height = 1, width = 1] = this.#tensor(output).shape;
    return [
      tuple([height, width]),
      tuple([window.strideHeight, window.strideWidth]),
      tuple([window.padTop, window.padLeft]),
    ];
  }

  #move(
    name: string,
    from: TensorId,
    to: TensorId,
    size: readonly number[],
    source: number,
    read: readonly number[],
    target: number,
    write: readonly number[],
  ): void {
    this.#constants.push(`_p${name} = ${int32Array([...size, source, ...read, target, ...write])}`);
    this.#call('_move', [`_p${name}`, `_t${from}`, `_t${to}`]);
  }
}

/** Elements between neighbours along each axis of a row-major shape. */
function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}
