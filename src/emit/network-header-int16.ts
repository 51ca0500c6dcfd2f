/**
 * The C header of a network with int16 activations: `int x_invoke(const int16_t input[X_INPUT_SIZE], int16_t
 * output[X_OUTPUT_SIZE])`, portable kernels. A pure function of the graph, the plan and the options.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import type { Window2d } from '../graph/window2d';
import {
  inputsOfInt16,
  type Int16Graph,
  type Int16Op,
  type Int16Pool2d,
  type Int16Tensor,
  type Int16WeightedOp,
} from '../quantize/int16-graph';
import { EXP_TABLE, RECIPROCAL_TABLE, SIGMOID_TABLE } from '../quantize/ops/int16-tables';
import { permutationToRank4, toRank4 } from '../quantize/ops/move';
import { nearestIndex } from '../quantize/ops/resize-nearest';
import { reducedMultiplier } from '../quantize/requantize';
import { floatLiteral, int32Literal } from './c-literals';
import { CPrinter } from './c-printer';
import { runtimeText } from './fragments';
import { isPointwise } from './kernel-scratch';
import { EmitError } from './model';
import { multiplyAdds } from './network-cost';
import {
  MOST_AVR_BYTES,
  MOST_AVR_CONSTANTS,
  POINT,
  ROUNDING,
  roomForParameters,
  stepsOf,
  windowFields,
  type NetworkHeader,
  type NetworkHeaderOptions,
} from './network-header';
import type { NetworkPlan } from './network-plan';
import { checkPrefix } from './prefix';

/** How parameters are read, by their type. */
const LOADS: Readonly<Record<string, string>> = {
  mote_conv16: 'mote_load_conv16',
  mote_pool: 'mote_load_pool',
  mote_add16_params: 'mote_load_add16',
};
const BYTES: Readonly<Record<string, number>> = { int8_t: 1, int16_t: 2, int32_t: 4 };

/**
 * Throws EmitError `bad-prefix`, or `too-large` for a layer that the target cannot hold. `graph` must have passed
 * `checkInt16Graph`, `plan` must be of this graph.
 */
export function emitInt16NetworkHeader(
  graph: Int16Graph,
  plan: NetworkPlan,
  options: NetworkHeaderOptions,
): NetworkHeader {
  checkPrefix(options.prefix);
  return new Int16NetworkPrinter(graph, plan, options).print();
}

class Int16NetworkPrinter {
  readonly #constants = new CPrinter();
  readonly #calls: [name: string, args: string[]][] = [];
  readonly #runtime = new Set<string>();
  /** Names of arrays by their content: equal arrays are stored once. */
  readonly #known = new Map<string, string>();
  /** Types of parameters that are copied out of flash on AVR. */
  readonly #loaded = new Set<string>();
  readonly #x: string;
  readonly #X: string;
  #constantBytes = 0;

  constructor(
    private readonly graph: Int16Graph,
    private readonly plan: NetworkPlan,
    private readonly options: NetworkHeaderOptions,
  ) {
    this.#x = options.prefix;
    this.#X = options.prefix.toUpperCase();
  }

  print(): NetworkHeader {
    const [x, X] = [this.#x, this.#X];
    const { graph, plan, options } = this;
    graph.ops.forEach((op, index) => this.#op(op, index));
    if (options.target === 'avr' && this.#constantBytes > MOST_AVR_CONSTANTS) {
      throw new EmitError(
        'too-large',
        `This network has ${this.#constantBytes} bytes of constants; code for AVR reads ${MOST_AVR_CONSTANTS}. Use a ` +
          'smaller network, or another board.',
      );
    }
    const macs = graph.ops.reduce((sum, op) => sum + multiplyAdds(op, graph), 0);
    const [input, output] = [this.#tensor(graph.input), this.#tensor(graph.output)];
    const file = new CPrinter();
    file.comment([
      ...options.remarks,
      `Made for ${options.target}: ${graph.ops.length} operations, int16 activations, ${macs} multiply-adds, ` +
        `${plan.arenaBytes} bytes of working memory, ${this.#constantBytes} bytes of constants. ` +
        ROUNDING[graph.rounding ?? 'double'],
    ]);
    file.line(`#ifndef ${X}_NETWORK_H`);
    file.define(`${X}_NETWORK_H`);
    file.gap();
    file.line('#include <stdint.h>');
    file.gap();
    file.comment(['---- Runtime: what this network needs of the Mote runtime ----']);
    file.gap();
    file.raw(runtimeText(this.#runtime, x, graph.rounding));
    file.gap();
    file.comment(['---- Network ----']);
    file.gap();
    file.define(`${X}_INPUT_SIZE`, String(elementCount(input.shape)));
    file.define(`${X}_OUTPUT_SIZE`, String(elementCount(output.shape)));
    file.comment(['Bytes of working memory: activations and scratch. Input and output are the buffers of the caller.']);
    file.define(`${X}_ARENA_SIZE`, String(plan.arenaBytes));
    file.comment(['real = scale * int16; the zero points of int16 are 0.']);
    file.define(`${X}_INPUT_SCALE`, floatLiteral(input.scale));
    file.define(`${X}_INPUT_ZERO_POINT`, '0');
    file.define(`${X}_OUTPUT_SCALE`, floatLiteral(output.scale));
    file.define(`${X}_OUTPUT_ZERO_POINT`, '0');
    file.gap();
    file.raw(this.#constants.finish().trimEnd());
    file.gap();
    if (plan.arenaBytes > 0) {
      file.line(`static int16_t ${x}_arena[${Math.ceil(plan.arenaBytes / 2)}];`);
      file.gap();
    }
    file.comment(['Runs the network. Input and output must not overlap. Returns 0.']);
    const signature = `const int16_t input[${X}_INPUT_SIZE], int16_t output[${X}_OUTPUT_SIZE]`;
    file.block(`${X}_FN int ${x}_invoke(${signature})`, () => {
      if (plan.arenaBytes > 0) file.line(`int16_t *const arena = ${x}_arena;`);
      for (const local of roomForParameters(this.#loaded, LOADS, this.#x)) file.line(local);
      for (const [name, args] of this.#calls) file.call(name, args);
      file.line('return 0;');
    });
    file.gap();
    file.line('#endif');
    return { text: file.finish(), constantBytes: this.#constantBytes };
  }

  #tensor(id: TensorId): Int16Tensor {
    return this.graph.tensors[id] as Int16Tensor;
  }

  #use(name: string): string {
    this.#runtime.add(name);
    return name.replace('mote_', `${this.#x}_`);
  }

  #place(id: TensorId): string {
    const { data } = this.#tensor(id);
    // The other operand is in RAM, and one kernel reads both.
    if (data) return this.#array('int16_t', `constant_${id}`, data, 'ram');
    const place = this.plan.places[id];
    if (!place) throw new Error(`Tensor ${id} has no place.`);
    return place.in === 'arena' ? this.#arena(place.offset) : place.in;
  }

  #arena(offset: number): string {
    return offset === 0 ? 'arena' : `arena + ${offset / 2}`;
  }

  #scratch(index: number): string {
    const offset = this.plan.scratchOffsets[index];
    return offset === null || offset === undefined ? '(int16_t *)0' : this.#arena(offset);
  }

  get #mayBeAvr(): boolean {
    return this.options.target === 'avr' || this.options.target === 'generic';
  }

  /** Where AVR keeps constants; no macro for cores that are not AVR in any case. */
  get #flash(): string {
    return this.#mayBeAvr ? ` ${this.#X}_FLASH` : '';
  }

  /** A constant array and its name. `place` is `ram` for what kernels read without the macros of mote_flash.h. */
  #array(type: string, name: string, values: ArrayLike<number>, place: 'flash' | 'ram' = 'flash'): string {
    const texts = Array.from(values, int32Literal);
    const bytes = texts.length * (BYTES[type] ?? 0);
    if (this.options.target === 'avr' && bytes > MOST_AVR_BYTES) {
      throw new EmitError(
        'too-large',
        `A layer of this network has ${texts.length} weights; arrays on AVR hold ${MOST_AVR_BYTES} bytes. Use a smaller ` +
          'network, or a larger board.',
      );
    }
    const key = `${place} ${type} ${texts.join()}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const full = `${this.#x}_${name}`;
    this.#known.set(key, full);
    this.#constantBytes += bytes;
    if (place === 'flash' && this.#flash) this.#runtime.add('MOTE_FLASH');
    const section = place === 'flash' ? this.#flash : '';
    this.#constants.array(`static const ${type} ${full}[${texts.length}]${section}`, texts);
    return full;
  }

  /** Parameters, and the expression that reads them. */
  #struct(type: string, name: string, fields: readonly (number | string)[]): string {
    this.#runtime.add(type);
    if (this.#flash) this.#runtime.add('MOTE_FLASH');
    const full = `${this.#x}_${name}`;
    this.#constantBytes += 4 * fields.length;
    this.#constants.array(
      `static const ${type.replace('mote_', `${this.#x}_`)} ${full}${this.#flash}`,
      fields.map((field) => (typeof field === 'number' ? int32Literal(field) : field)),
    );
    if (!this.#mayBeAvr) return `&${full}`;
    const load = LOADS[type] as string;
    this.#loaded.add(type);
    return `${this.#use(load)}(&${full}, &parameters.${load.replace('mote_load_', '')})`;
  }

  #call(name: string, ...args: (string | number)[]): void {
    this.#calls.push([this.#use(name), args.map((arg) => (typeof arg === 'number' ? int32Literal(arg) : arg))]);
  }

  #layer(op: Int16WeightedOp, index: number, window: Window2d, shapes: readonly number[]): string {
    const wide = op.sums === 'int64';
    const low = Int32Array.from(op.bias, (value) => value);
    const fits = op.bias.every((value, channel) => value === low[channel]);
    const words = op.bias.map((value) => Number(BigInt.asIntN(32, BigInt(value))));
    return this.#struct('mote_conv16', `layer_${index}`, [
      ...shapes,
      ...windowFields(window),
      op.actMin,
      op.actMax,
      op.multiplier.length > 1 ? 1 : 0,
      wide ? 0 : 1,
      this.#array('int8_t', `weights_${index}`, op.weights),
      this.#array('int32_t', `bias_${index}`, words),
      fits
        ? '(const int32_t *)0'
        : this.#array(
            'int32_t',
            `bias_high_${index}`,
            op.bias.map((value) => Math.floor(value / 2 ** 32)),
          ),
      this.#array('int32_t', `multiplier_${index}`, wide ? op.multiplier.map(reducedMultiplier) : op.multiplier),
      this.#array('int8_t', `shift_${index}`, op.shift),
    ]);
  }

  #op(op: Int16Op, index: number): void {
    const [first = 0, second = 0] = inputsOfInt16(op);
    const [from, to] = [this.#tensor(first), this.#tensor(op.output)];
    const count = elementCount(to.shape);
    const [source, sink] = [this.#place(first), this.#place(op.output)];
    if (op.kind !== 'reshape') {
      this.#constants.gap();
      this.#constants.comment([
        `Operation ${index + 1}: ${op.kind}, [${from.shape.join(', ')}] to [${to.shape.join(', ')}].`,
      ]);
    }
    switch (op.kind) {
      case 'fullyConnected': {
        const units = op.bias.length;
        const inputs = op.weights.length / units;
        const rows = elementCount(from.shape) / inputs;
        const layer = this.#layer(op, index, POINT, [1, rows, inputs, 1, rows, units]);
        this.#call('mote_rows16', layer, rows, source, sink);
        return;
      }
      case 'conv2d': {
        const layer = this.#layer(op, index, op.window, [...from.shape, ...to.shape]);
        const pixels = count / op.bias.length;
        if (op.groups > 1) this.#call('mote_conv2d_grouped16', layer, op.groups, source, sink);
        else if (isPointwise(op.window)) this.#call('mote_rows16', layer, pixels, source, sink);
        else this.#call('mote_conv2d16', layer, source, sink, this.#scratch(index));
        return;
      }
      case 'depthwiseConv2d': {
        const layer = this.#layer(op, index, op.window, [...from.shape, ...to.shape]);
        this.#call('mote_depthwise16', layer, source, sink, this.#scratch(index));
        return;
      }
      case 'maxPool2d':
      case 'averagePool2d':
        this.#call('mote_pool16', this.#pool(op, index), op.kind === 'averagePool2d' ? 1 : 0, source, sink);
        return;
      case 'mean':
        this.#call('mote_mean16', source, op.outer, op.count, op.inner, op.multiplier, op.shift, sink);
        return;
      case 'add': {
        const parameters = this.#struct('mote_add16_params', `add_${index}`, [
          op.actMin,
          op.actMax,
          op.multiplierA,
          op.shiftA,
          op.multiplierB,
          op.shiftB,
          op.multiplierOut,
          op.shiftOut,
          op.subtract ? 1 : 0,
        ]);
        const other = elementCount(this.#tensor(second).shape);
        this.#call('mote_add16', parameters, source, this.#place(second), count, other, sink);
        return;
      }
      case 'mul': {
        const other = elementCount(this.#tensor(second).shape);
        const numbers = [count, other, op.multiplier, op.shift, op.actMin, op.actMax];
        this.#call('mote_mul16', source, this.#place(second), ...numbers, sink);
        return;
      }
      case 'concat': {
        const inner = elementCount(to.shape.slice(op.axis + 1));
        const gap = (to.shape[op.axis] as number) * inner;
        let start = 0;
        for (const id of op.inputs) {
          const block = (this.#tensor(id).shape[op.axis] as number) * inner;
          const target = start === 0 ? sink : `${sink} + ${start}`;
          this.#call('mote_copy_blocks16', this.#place(id), count / gap, block, target, gap);
          start += block;
        }
        return;
      }
      case 'pad': {
        const steps = stepsOf(toRank4(to.shape));
        const start = toRank4(op.before, 0).reduce((sum, size, axis) => sum + size * (steps[axis] as number), 0);
        this.#call(
          'mote_pad16',
          source,
          this.#array('int32_t', `shape_${index}`, toRank4(from.shape), 'ram'),
          this.#array('int32_t', `step_${index}`, steps, 'ram'),
          start,
          count,
          sink,
        );
        return;
      }
      case 'reshape':
        if (source !== sink) this.#call('mote_copy_blocks16', source, 1, count, sink, count);
        return;
      case 'transpose': {
        const steps = stepsOf(toRank4(from.shape));
        const order = permutationToRank4(op.permutation);
        const walked = order.map((axis) => steps[axis] as number);
        this.#gather(index, source, sink, 0, toRank4(to.shape), walked);
        return;
      }
      case 'stridedSlice': {
        const steps = stepsOf(toRank4(from.shape));
        const start = toRank4(op.begin, 0).reduce((sum, begin, axis) => sum + begin * (steps[axis] as number), 0);
        const strides = toRank4(op.strides);
        const walked = steps.map((step, axis) => step * (strides[axis] as number));
        this.#gather(index, source, sink, start, toRank4(to.shape), walked);
        return;
      }
      case 'resizeNearest': {
        const [height = 0, width = 0, channels = 0] = from.shape;
        const [outHeight = 0, outWidth = 0] = to.shape;
        const { alignCorners, halfPixelCenters } = op;
        this.#call(
          'mote_resize_nearest16',
          source,
          width,
          channels,
          outHeight,
          outWidth,
          this.#array('int16_t', `rows_${index}`, nearestIndex(height, outHeight, alignCorners, halfPixelCenters)),
          this.#array('int16_t', `columns_${index}`, nearestIndex(width, outWidth, alignCorners, halfPixelCenters)),
          sink,
        );
        return;
      }
      case 'rescale': {
        const numbers = [op.multiplier, op.shift, op.negativeMultiplier, op.negativeShift, op.actMin, op.actMax];
        this.#call('mote_rescale16', source, count, ...numbers, sink);
        return;
      }
      case 'sigmoid': {
        const table = this.#array('int16_t', 'sigmoid_table', SIGMOID_TABLE);
        const numbers = [count, op.function === 'tanh' ? 1 : 0, op.multiplier, op.shift];
        this.#call('mote_sigmoid16', source, ...numbers, table, sink);
        return;
      }
      case 'softmax': {
        const classes = from.shape.at(-1) as number;
        const exp = this.#array('int16_t', 'exp_table', EXP_TABLE);
        const reciprocal = this.#array('int16_t', 'reciprocal_table', RECIPROCAL_TABLE);
        this.#call('mote_softmax16', source, count / classes, classes, op.multiplier, op.shift, exp, reciprocal, sink);
        return;
      }
    }
  }

  #pool(op: Int16Pool2d, index: number): string {
    const [height = 0, width = 0, channels = 0] = this.#tensor(op.input).shape;
    const [outHeight = 0, outWidth = 0] = this.#tensor(op.output).shape;
    const { window } = op;
    return this.#struct('mote_pool', `pool_${index}`, [
      height,
      width,
      channels,
      outHeight,
      outWidth,
      window.kernelHeight,
      window.kernelWidth,
      window.strideHeight,
      window.strideWidth,
      window.padTop,
      window.padLeft,
      op.actMin,
      op.actMax,
    ]);
  }

  #gather(
    index: number,
    source: string,
    sink: string,
    start: number,
    shape: readonly number[],
    steps: readonly number[],
  ): void {
    this.#call(
      'mote_gather4_16',
      start === 0 ? source : `${source} + ${start}`,
      this.#array('int32_t', `shape_${index}`, shape, 'ram'),
      this.#array('int32_t', `step_${index}`, steps, 'ram'),
      sink,
    );
  }
}
