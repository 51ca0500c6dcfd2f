/** Float layers and conversions as C: calls of the kernels in `mote_float_ops.h`, and their constants. */
import { elementCount, floatInputsOf, type Activation, type FloatOp, type TensorId } from '../graph/float-graph';
import { nearestIndex } from '../graph/nearest-index';
import type { Window2d } from '../graph/window2d';
import type { Int8Tensor } from '../quantize/int8-graph';
import type { Conversion, MixedGraph, MixedTensor } from '../quantize/mixed-graph';
import { permutationToRank4, toRank4 } from '../quantize/ops/move';
import { floatLiteral, int32Literal } from './c-literals';
import { CPrinter } from './c-printer';
import { EmitError } from './model';
import { MOST_AVR_BYTES, stepsOf } from './network-header';
import type { Target } from './target';

export interface FloatCodeOptions {
  readonly prefix: string;
  readonly target: Target;
  /** The C expression of a tensor's first element that is no constant. */
  readonly place: (id: TensorId) => string;
}

export type Call = readonly [name: string, args: readonly string[]];

const ACTIVATION: Readonly<Record<Activation, number>> = { none: 0, relu: 1, relu6: 2 };
const WIDEST_RANK = 4;

/** Prints ops one by one; what they need gathers in the fields. */
export class FloatCode {
  /** Functions and types of the runtime that were used. */
  readonly runtime = new Set<string>();
  readonly constants = new CPrinter();
  /** Variables that the calls use. */
  readonly locals: string[] = [];
  constantBytes = 0;
  #calls: Call[] = [];
  /** Names of arrays by their content: equal arrays are stored once. */
  readonly #known = new Map<string, string>();
  readonly #x: string;
  /** Where AVR keeps constants. */
  readonly #flash: string;
  readonly #mayBeAvr: boolean;

  constructor(
    private readonly graph: MixedGraph,
    private readonly options: FloatCodeOptions,
  ) {
    this.#x = options.prefix;
    this.#mayBeAvr = options.target === 'avr' || options.target === 'generic';
    this.#flash = this.#mayBeAvr ? ` ${options.prefix.toUpperCase()}_FLASH` : '';
  }

  /** The calls of a conversion. */
  conversion(op: Conversion): readonly Call[] {
    this.#calls = [];
    const count = elementCount(this.#tensor(op.input).shape);
    const { scale, zeroPoint } = this.#tensor(op.kind === 'quantize' ? op.output : op.input) as Int8Tensor;
    this.#call(
      `mote_float_${op.kind}`,
      this.options.place(op.input),
      count,
      floatLiteral(scale),
      zeroPoint,
      this.options.place(op.output),
    );
    return this.#calls;
  }

  /** The calls of the op, which is number `index`. Throws EmitError `bad-model` or `too-large`. */
  op(op: FloatOp, index: number): readonly Call[] {
    this.#calls = [];
    const [first = 0, second = 0] = floatInputsOf(op);
    const [from, to] = [this.#tensor(first).shape, this.#tensor(op.output).shape];
    const count = elementCount(to);
    const ends = (): [string, string] => [this.#place(first), this.#place(op.output)];
    if (Math.max(from.length, to.length) > WIDEST_RANK) {
      throw new EmitError(
        'bad-model',
        `Operation ${index + 1} (${op.kind}) works on ${Math.max(from.length, to.length)} axes. Reshape to ${WIDEST_RANK} ` +
          'at most.',
      );
    }
    if (op.kind !== 'reshape') {
      this.constants.gap();
      this.constants.comment([
        `Operation ${index + 1}: ${op.kind} in float32, [${from.join(', ')}] to [${to.join(', ')}].`,
      ]);
    }
    switch (op.kind) {
      case 'fullyConnected': {
        const units = op.bias.length;
        const inputs = op.weights.length / units;
        const weights = this.#floats(`weights_${index}`, op.weights);
        const bias = this.#floats(`bias_${index}`, op.bias);
        const [source, sink] = ends();
        const rows = elementCount(from) / inputs;
        const act = ACTIVATION[op.activation];
        this.#call('mote_float_fully_connected', source, rows, inputs, units, weights, bias, act, sink);
        break;
      }
      case 'conv2d':
      case 'depthwiseConv2d': {
        const window = this.#window(op, index, op.kind === 'conv2d' ? op.groups : 1);
        const weights = this.#floats(`weights_${index}`, op.weights);
        const bias = this.#floats(`bias_${index}`, op.bias);
        const name = op.kind === 'conv2d' ? 'mote_float_conv2d' : 'mote_float_depthwise';
        this.#call(name, window, this.#place(first), weights, bias, this.#place(op.output));
        break;
      }
      case 'maxPool2d':
      case 'averagePool2d':
        this.#call('mote_float_pool', this.#window(op, index, 1), op.kind === 'averagePool2d' ? 1 : 0, ...ends());
        break;
      case 'mean':
        this.#call('mote_float_mean', this.#place(first), op.outer, op.count, op.inner, this.#place(op.output));
        break;
      case 'add':
      case 'mul':
        this.#call(
          op.kind === 'mul' ? 'mote_float_mul' : op.subtract ? 'mote_float_subtract' : 'mote_float_add',
          this.#place(first),
          this.#place(second),
          count,
          elementCount(this.#tensor(second).shape),
          ACTIVATION[op.activation],
          this.#place(op.output),
        );
        break;
      case 'scaleShift': {
        const scale = this.#floats(`scale_${index}`, op.scale);
        const shift = this.#floats(`shift_${index}`, op.shift);
        const [source, sink] = ends();
        this.#call('mote_float_scale_shift', source, count, op.scale.length, scale, shift, sink);
        break;
      }
      case 'concat': {
        const inner = elementCount(to.slice(op.axis + 1));
        const gap = (to[op.axis] as number) * inner;
        let start = 0;
        for (const id of op.inputs) {
          const block = (this.#tensor(id).shape[op.axis] as number) * inner;
          this.#call('mote_float_copy_blocks', this.#place(id), count / gap, block, this.#place(op.output, start), gap);
          start += block;
        }
        break;
      }
      case 'pad': {
        const steps = stepsOf(toRank4(to));
        const start = toRank4(op.before, 0).reduce((sum, size, axis) => sum + size * (steps[axis] as number), 0);
        const shape = this.#integers('int32_t', `shape_${index}`, toRank4(from));
        const step = this.#integers('int32_t', `step_${index}`, steps);
        this.#call('mote_float_pad', this.#place(first), shape, step, start, count, this.#place(op.output));
        break;
      }
      case 'reshape':
        if (this.#place(first) !== this.#place(op.output)) {
          this.#call('mote_float_copy_blocks', this.#place(first), 1, count, this.#place(op.output), count);
        }
        break;
      case 'transpose': {
        const steps = stepsOf(toRank4(from));
        const order = permutationToRank4(op.permutation);
        const walked = order.map((axis) => steps[axis] as number);
        this.#gather(index, first, op.output, 0, walked);
        break;
      }
      case 'stridedSlice': {
        const steps = stepsOf(toRank4(from));
        const start = toRank4(op.begin, 0).reduce((sum, begin, axis) => sum + begin * (steps[axis] as number), 0);
        const strides = toRank4(op.strides);
        const walked = steps.map((step, axis) => step * (strides[axis] as number));
        this.#gather(index, first, op.output, start, walked);
        break;
      }
      case 'resizeNearest': {
        const [height = 0, width = 0, channels = 0] = from;
        const [outHeight = 0, outWidth = 0] = to;
        if (Math.max(height, width) > 32_768) {
          throw new EmitError(
            'too-large',
            `Operation ${index + 1} resizes an image of more than 32768 rows or columns.`,
          );
        }
        const { alignCorners, halfPixelCenters } = op;
        const rows = nearestIndex(height, outHeight, alignCorners, halfPixelCenters);
        const columns = nearestIndex(width, outWidth, alignCorners, halfPixelCenters);
        this.#call(
          'mote_float_resize_nearest',
          this.#place(first),
          width,
          channels,
          outHeight,
          outWidth,
          this.#integers('int16_t', `rows_${index}`, rows, 'flash'),
          this.#integers('int16_t', `columns_${index}`, columns, 'flash'),
          this.#place(op.output),
        );
        break;
      }
      case 'unary': {
        const [source, sink] = ends();
        if (op.function === 'relu' || op.function === 'relu6') {
          this.#call('mote_float_clamp', source, count, ACTIVATION[op.function], sink);
        } else if (op.function === 'leakyRelu') {
          this.#call('mote_float_leaky_relu', source, count, floatLiteral(Math.fround(op.alpha)), sink);
        } else {
          const name = { hardSwish: 'hard_swish', logistic: 'logistic', tanh: 'tanh' }[op.function];
          this.#call(`mote_float_${name}`, source, count, sink);
        }
        break;
      }
      case 'softmax': {
        const classes = from.at(-1) as number;
        this.#call('mote_float_softmax', this.#place(first), count / classes, classes, this.#place(op.output));
        break;
      }
    }
    return this.#calls;
  }

  #tensor(id: TensorId): MixedTensor {
    return this.graph.tensors[id] as MixedTensor;
  }

  #place(id: TensorId, offset = 0): string {
    const tensor = this.#tensor(id);
    // The other operand is in RAM, and one kernel reads both.
    if (tensor.type === 'float' && tensor.data) return this.#floats(`constant_${id}`, tensor.data, 'ram');
    const place = this.options.place(id);
    return offset === 0 ? place : `${place} + ${offset}`;
  }

  #use(name: string): string {
    this.runtime.add(name);
    return name.replace('mote_', `${this.#x}_`);
  }

  #call(name: string, ...args: (string | number)[]): void {
    this.#calls.push([this.#use(name), args.map((arg) => (typeof arg === 'number' ? int32Literal(arg) : arg))]);
  }

  #array(type: string, size: number, name: string, texts: readonly string[], place: 'flash' | 'ram'): string {
    if (this.options.target === 'avr' && texts.length * size > MOST_AVR_BYTES) {
      throw new EmitError(
        'too-large',
        `A layer of this network has ${texts.length} constants of ${size} bytes; arrays on AVR hold ${MOST_AVR_BYTES} ` +
          'bytes. Use a smaller network, or a larger board.',
      );
    }
    if (place === 'flash' && this.#mayBeAvr) this.runtime.add('MOTE_FLASH');
    const flash = place === 'flash' ? this.#flash : '';
    const key = `${place} ${type} ${texts.join()}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, `${this.#x}_${name}`);
    this.constants.array(`static const ${type} ${this.#x}_${name}[${texts.length}]${flash}`, texts);
    this.constantBytes += size * texts.length;
    return `${this.#x}_${name}`;
  }

  #floats(name: string, values: Float32Array, place: 'flash' | 'ram' = 'flash'): string {
    return this.#array('float', 4, name, Array.from(values, floatLiteral), place);
  }

  #integers(
    type: 'int16_t' | 'int32_t',
    name: string,
    values: readonly number[],
    place: 'flash' | 'ram' = 'ram',
  ): string {
    return this.#array(type, type === 'int16_t' ? 2 : 4, name, values.map(int32Literal), place);
  }

  /** The parameters of an op with a window, and the expression that reads them. */
  #window(
    op: {
      readonly input: number;
      readonly output: number;
      readonly window: Window2d;
      readonly activation: Activation;
    },
    index: number,
    groups: number,
  ): string {
    const { window } = op;
    const fields = [
      ...this.#tensor(op.input).shape,
      ...this.#tensor(op.output).shape,
      window.kernelHeight,
      window.kernelWidth,
      window.strideHeight,
      window.strideWidth,
      window.dilationHeight,
      window.dilationWidth,
      window.padTop,
      window.padLeft,
      groups,
      ACTIVATION[op.activation],
    ];
    const name = `${this.#x}_window_${index}`;
    if (this.#mayBeAvr) this.runtime.add('MOTE_FLASH');
    this.runtime.add('mote_float_window');
    this.constants.array(
      `static const ${this.#x}_float_window ${name}${this.#flash}`,
      fields.map((field) => int32Literal(field)),
    );
    this.constantBytes += 4 * fields.length;
    if (!this.#mayBeAvr) return `&${name}`;
    const local = `${this.#x}_float_window window;`;
    if (!this.locals.includes(local)) this.locals.push(local);
    return `${this.#use('mote_load_float_window')}(&${name}, &window)`;
  }

  #gather(index: number, from: TensorId, to: TensorId, start: number, steps: readonly number[]): void {
    const shape = this.#integers('int32_t', `shape_${index}`, toRank4(this.#tensor(to).shape));
    const step = this.#integers('int32_t', `step_${index}`, steps);
    this.#call('mote_float_gather4', this.#place(from, start), shape, step, this.#place(to));
  }
}
