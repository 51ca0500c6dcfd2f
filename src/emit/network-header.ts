/**
 * The C header of a bare int8 network: `int x_invoke(const int8_t input[X_INPUT_SIZE], int8_t output[X_OUTPUT_SIZE])`,
 * made for one target. A pure function of the graph, the plan and the options.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import type { Window2d } from '../graph/window2d';
import {
  inputsOf,
  type Int8Conv2d,
  type Int8DepthwiseConv2d,
  type Int8Graph,
  type Int8Op,
  type Int8Pool2d,
  type Int8Tensor,
  type Rounding,
} from '../quantize/int8-graph';
import { foldedBias, type WeightedOp } from '../quantize/ops/folded-bias';
import { toRank4, permutationToRank4 } from '../quantize/ops/move';
import { nearestIndex } from '../quantize/ops/resize-nearest';
import { floatLiteral, int32Literal } from './c-literals';
import { CPrinter } from './c-printer';
import { runtimeText } from './fragments';
import { isPointwise } from './kernel-scratch';
import { EmitError } from './model';
import type { NetworkPlan, PlannedStream } from './network-plan';
import type { Stage } from './stream';
import { multiplyAdds } from './network-cost';
import { checkPrefix } from './prefix';
import { layoutFor, layoutOf, type Target, type WeightLayout } from './target';
import {
  arrangeBand,
  arrangeChannels,
  arrangeDense,
  arrangeDepthwise,
  arrangePairs,
  arrangePlanar,
  isBand,
  isLong,
  isPlanar,
} from './weight-layout';
import { arrangeQuad, arrangeQuadDense, arrangeQuadDepthwise } from './weight-layout-quad';

export interface NetworkHeaderOptions {
  readonly prefix: string;
  readonly target: Target;
  /** Lines for the head of the file: where the network comes from. */
  readonly remarks: readonly string[];
  /** Numbers of the ops in the network that these ops are a part of, for names and the plan; default: their indices. */
  readonly numbers?: readonly number[];
}

/** A network as C, without the function around it. */
export interface NetworkCode {
  /** Functions and types of the runtime that it uses. */
  readonly runtime: ReadonlySet<string>;
  /** Definitions of its constants. */
  readonly constants: string;
  /** Calls in order, over `const int8_t *input`, `int8_t *output` and, unless the plan needs none, `int8_t *arena`. */
  readonly calls: readonly (readonly [name: string, args: readonly string[]])[];
  /** For every call, the number of the op that makes it. */
  readonly callOps: readonly number[];
  /** Variables that the calls use. */
  readonly locals: readonly string[];
  readonly constantBytes: number;
}

export interface NetworkHeader {
  readonly text: string;
  /** Bytes of constants that the network reads: weights, biases, multipliers, tables, parameters. */
  readonly constantBytes: number;
}

/** Throws EmitError `bad-prefix`, or `too-large` for a layer that the target cannot hold. `graph` must have passed `checkInt8Graph`, `plan` must be of this graph and target. */
export function emitNetworkHeader(graph: Int8Graph, plan: NetworkPlan, options: NetworkHeaderOptions): NetworkHeader {
  checkPrefix(options.prefix);
  return new NetworkPrinter(graph, plan, options).print();
}

/** The same network for use inside another header. Throws likewise. */
export function emitNetworkCode(
  graph: Int8Graph,
  plan: NetworkPlan,
  options: Omit<NetworkHeaderOptions, 'remarks'>,
): NetworkCode {
  checkPrefix(options.prefix);
  return new NetworkPrinter(graph, plan, { ...options, remarks: [] }).code();
}

/** avr-gcc takes no larger object. */
export const MOST_AVR_BYTES = 32_767;
/** Constants are read with 16-bit addresses, which end at 64 KB; vectors, tables of features and the C library need some. */
export const MOST_AVR_CONSTANTS = 60_000;
/** How parameters are read, by their type. */
const LOADS: Readonly<Record<string, string>> = {
  mote_conv: 'mote_load_conv',
  mote_pool: 'mote_load_pool',
  mote_add_params: 'mote_load_add',
  mote_mul_params: 'mote_load_mul',
};
const BYTES: Readonly<Record<string, number>> = { int8_t: 1, int16_t: 2, int32_t: 4 };

/** For the head of the file. */
export const ROUNDING: Readonly<Record<Rounding, string>> = {
  double: 'Double rounding, as TensorFlow Lite Micro.',
  single: 'Single rounding, as TensorFlow Lite with TFLITE_SINGLE_ROUNDING.',
};

class NetworkPrinter {
  readonly #constants = new CPrinter();
  readonly #calls: [name: string, args: string[]][] = [];
  readonly #callOps: number[] = [];
  /** Number of the op that is printed. */
  #number = 0;
  readonly #runtime = new Set<string>();
  /** Names of arrays by their content: equal arrays are stored once. */
  readonly #known = new Map<string, string>();
  readonly #x: string;
  readonly #X: string;
  #constantBytes = 0;
  /** Types of parameters that are copied out of flash on AVR. */
  readonly #loaded = new Set<string>();

  constructor(
    private readonly graph: Int8Graph,
    private readonly plan: NetworkPlan,
    private readonly options: NetworkHeaderOptions,
  ) {
    this.#x = options.prefix;
    this.#X = options.prefix.toUpperCase();
  }

  code(): NetworkCode {
    const streamed = new Set(this.plan.streams.flatMap(({ ops }) => ops));
    this.graph.ops.forEach((op, index) => {
      const stream = this.plan.streams.find(({ ops }) => ops.at(-1) === index);
      this.#number = this.options.numbers?.[index] ?? index;
      if (stream) this.#stream(stream);
      else if (!streamed.has(index)) this.#op(op, this.#number);
    });
    if (this.options.target === 'avr' && this.#constantBytes > MOST_AVR_CONSTANTS) {
      throw new EmitError(
        'too-large',
        `This network has ${this.#constantBytes} bytes of constants; code for AVR reads ${MOST_AVR_CONSTANTS}. Use a ` +
          'smaller network, or another board.',
      );
    }
    return {
      runtime: this.#runtime,
      constants: this.#constants.finish().trimEnd(),
      calls: this.#calls,
      callOps: this.#callOps,
      locals: roomForParameters(this.#loaded, LOADS, this.#x),
      constantBytes: this.#constantBytes,
    };
  }

  print(): NetworkHeader {
    const [x, X] = [this.#x, this.#X];
    const { graph, plan } = this;
    const { runtime, constants, calls, locals } = this.code();

    const [input, output] = [this.#tensor(graph.input), this.#tensor(graph.output)];
    const file = new CPrinter();
    file.comment([...this.options.remarks, ...this.#facts()]);
    file.line(`#ifndef ${X}_NETWORK_H`);
    file.define(`${X}_NETWORK_H`);
    file.gap();
    file.line('#include <stdint.h>');
    file.gap();
    file.comment(['---- Runtime: what this network needs of the Mote runtime ----']);
    file.gap();
    file.raw(runtimeText(runtime, x, graph.rounding));
    file.gap();
    file.comment(['---- Network ----']);
    file.gap();
    file.define(`${X}_INPUT_SIZE`, String(elementCount(input.shape)));
    file.define(`${X}_OUTPUT_SIZE`, String(elementCount(output.shape)));
    file.comment(['Bytes of working memory: activations and scratch. Input and output are the buffers of the caller.']);
    file.define(`${X}_ARENA_SIZE`, String(plan.arenaBytes));
    file.comment(['real = scale * (int8 - zero point)']);
    file.define(`${X}_INPUT_SCALE`, floatLiteral(input.scale));
    file.define(`${X}_INPUT_ZERO_POINT`, macroInt(input.zeroPoint));
    file.define(`${X}_OUTPUT_SCALE`, floatLiteral(output.scale));
    file.define(`${X}_OUTPUT_ZERO_POINT`, macroInt(output.zeroPoint));
    file.gap();
    file.raw(constants);
    file.gap();
    if (plan.arenaBytes > 0) {
      // Words, so that the kernels may load several activations at a time.
      file.line(`static int32_t ${x}_arena[${Math.ceil(plan.arenaBytes / 4)}];`);
      file.gap();
    }
    file.comment(['Runs the network. Input and output must not overlap. Returns 0.']);
    file.block(`${X}_FN int ${x}_invoke(const int8_t input[${X}_INPUT_SIZE], int8_t output[${X}_OUTPUT_SIZE])`, () => {
      if (plan.arenaBytes > 0) file.line(`int8_t *const arena = (int8_t *)${x}_arena;`);
      for (const local of locals) file.line(local);
      for (const [name, args] of calls) file.call(name, args);
      file.line('return 0;');
    });
    file.gap();
    file.line('#endif');
    return { text: file.finish(), constantBytes: this.#constantBytes };
  }

  #facts(): string[] {
    const { graph, plan, options } = this;
    const macs = graph.ops.reduce((sum, op) => sum + multiplyAdds(op, graph), 0);
    return [
      `Made for ${options.target}: ${graph.ops.length} operations, ${macs} multiply-adds, ${plan.arenaBytes} bytes of ` +
        `working memory, ${this.#constantBytes} bytes of constants. ${ROUNDING[graph.rounding ?? 'double']}`,
    ];
  }

  #tensor(id: TensorId): Int8Tensor {
    return this.graph.tensors[id] as Int8Tensor;
  }

  #use(name: string): string {
    this.#runtime.add(name);
    return name.replace('mote_', `${this.#x}_`);
  }

  /** Where a tensor lies; a constant in flash. */
  #place(id: TensorId): string {
    const { data } = this.#tensor(id);
    if (data) return this.#array('int8_t', `constant_${id}`, data);
    const place = this.plan.places[id];
    if (!place) throw new Error(`Tensor ${id} has no place.`);
    return place.offset === 0 ? place.in : `${place.in} + ${place.offset}`;
  }

  /** Of the second operand of an addition in a stream, whose kernel reads both from RAM. */
  #sidePlace(id: TensorId): string {
    const { data } = this.#tensor(id);
    return data ? this.#array('int8_t', `side_${id}`, data, 'ram') : this.#place(id);
  }

  #scratch(index: number): string {
    const offset = this.plan.scratchOffsets[index];
    if (offset === null || offset === undefined) return '(void *)0';
    return offset === 0 ? 'arena' : `arena + ${offset}`;
  }

  /** Where AVR keeps constants; no macro for cores that are not AVR in any case. */
  get #flash(): string {
    return this.#mayBeAvr ? ` ${this.#X}_FLASH` : '';
  }

  get #mayBeAvr(): boolean {
    return this.options.target === 'avr' || this.options.target === 'generic';
  }

  /** A constant array and its name. `place` is `ram` for what kernels read without the macros of mote_flash.h. */
  #array(type: string, name: string, values: ArrayLike<number>, place: 'flash' | 'ram' = 'flash'): string {
    const texts = Array.from(values, int32Literal);
    if (this.options.target === 'avr' && texts.length * (BYTES[type] ?? 0) > MOST_AVR_BYTES) {
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
    this.#constantBytes += texts.length * (BYTES[type] ?? 0);
    if (place === 'flash' && this.#flash) this.#runtime.add('MOTE_FLASH');
    this.#constants.array(
      `static const ${type} ${full}[${texts.length}]${place === 'flash' ? this.#flash : ''}`,
      texts,
    );
    return full;
  }

  /** Parameters, and the expression that reads them; `how` is `address` for what the runtime copies out of flash itself. */
  #struct(
    type: string,
    name: string,
    fields: readonly (number | string)[],
    how: 'loaded' | 'address' = 'loaded',
  ): string {
    this.#runtime.add(type);
    if (this.#flash) this.#runtime.add('MOTE_FLASH');
    const full = `${this.#x}_${name}`;
    this.#constantBytes += 4 * fields.length;
    this.#constants.array(
      `static const ${type.replace('mote_', `${this.#x}_`)} ${full}${this.#flash}`,
      fields.map((field) => (typeof field === 'number' ? int32Literal(field) : field)),
    );
    if (!this.#mayBeAvr || how === 'address') return `&${full}`;
    const load = LOADS[type] as string;
    this.#loaded.add(type);
    return `${this.#use(load)}(&${full}, &parameters.${load.replace('mote_load_', '')})`;
  }

  #call(name: string, ...args: (string | number)[]): void {
    this.#callOps.push(this.#number);
    this.#calls.push([this.#use(name), args.map((arg) => (typeof arg === 'number' ? int32Literal(arg) : arg))]);
  }

  /** The parameters of a layer with weights; `words` when they are arranged for a SIMD kernel. */
  #layer(
    op: WeightedOp,
    index: number,
    window: Window2d,
    shapes: readonly number[],
    words: Int32Array | null,
    how: 'loaded' | 'address' = 'loaded',
  ): string {
    const [input, output] = [this.#tensor(op.input), this.#tensor(op.output)];
    const weights = words
      ? this.#array('int32_t', `weights_${index}`, words)
      : this.#array('int8_t', `weights_${index}`, op.weights);
    const rescaling = this.#rescaling(op, index, foldedBias(op, input.zeroPoint));
    return this.#struct(
      'mote_conv',
      `layer_${index}`,
      [
        ...shapes,
        ...windowFields(window),
        input.zeroPoint,
        output.zeroPoint,
        op.actMin,
        op.actMax,
        op.multiplier.length > 1 ? 1 : 0,
        weights,
        ...rescaling,
      ],
      how,
    );
  }

  /** Bias, multiplier and shift, in the form of the layer's kernel. */
  #rescaling(op: WeightedOp, index: number, folded: Int32Array): readonly string[] {
    if (layoutFor(op, this.options.target) !== 'dsp') {
      return [
        this.#array('int32_t', `bias_${index}`, folded),
        this.#array('int32_t', `multiplier_${index}`, op.multiplier),
        this.#array('int8_t', `shift_${index}`, op.shift),
      ];
    }
    const depthwise = op.kind === 'depthwiseConv2d';
    const groups = depthwise ? 'overlapping' : 'padded';
    const channels =
      depthwise && this.#planar(op)
        ? '(const int32_t *)0'
        : this.#array('int32_t', `channels_${index}`, arrangeChannels(folded, op.multiplier, op.shift, groups));
    return [channels, '(const int32_t *)0', '(const int8_t *)0'];
  }

  /** The kernel of a convolution of one group with patches. */
  #convolution(op: Int8Conv2d): string {
    const layout = layoutFor(op, this.options.target);
    if (layout === 'plain') return 'mote_conv2d';
    if (layout === 'quad') return 'mote_conv2d_quad';
    if (isPointwise(op.window)) return 'mote_conv2d_pointwise_dsp';
    return isBand(op) ? 'mote_conv2d_band_dsp' : 'mote_conv2d_dsp';
  }

  /** A depthwise layer: its kernel, and its parameters. */
  #depthwise(
    op: Int8DepthwiseConv2d,
    index: number,
    shapes: readonly number[],
    how: 'loaded' | 'address' = 'loaded',
  ): [run: string, layer: string] {
    const layout = layoutFor(op, this.options.target);
    const words = this.#planar(op)
      ? arrangePlanar(op, foldedBias(op, this.#tensor(op.input).zeroPoint))
      : ARRANGE_DEPTHWISE[layout](op.weights, op.bias.length);
    return [this.#depthwiseKernel(op), this.#layer(op, index, op.window, shapes, words, how)];
  }

  #depthwiseKernel(op: Int8DepthwiseConv2d): string {
    const layout = layoutFor(op, this.options.target);
    if (this.#planar(op)) return op.window.strideWidth === 2 ? 'mote_depthwise3_by2_dsp' : 'mote_depthwise3_dsp';
    return layout === 'plain' ? 'mote_depthwise' : `mote_depthwise_${layout}`;
  }

  #planar(op: Int8DepthwiseConv2d): boolean {
    return layoutFor(op, this.options.target) === 'dsp' && isPlanar(op, this.#tensor(op.output).shape[1] ?? 0);
  }

  /** The kernel of an op with a window and weights; null for others. */
  #windowKernel(op: Int8Op): string | null {
    if (op.kind === 'depthwiseConv2d') return this.#depthwiseKernel(op);
    return op.kind === 'conv2d' && op.groups === 1 ? this.#convolution(op) : null;
  }

  /**
   * What runs a stage: its kernel, or a function around it where the network uses the kernel only once. Compilers make a
   * kernel for the very layer when they see its parameters.
   */
  #runner(run: string, layer: string, op: Int8Op, index: number, stage: Stage): string {
    const kernel = this.#windowKernel(op);
    if (kernel !== run || this.graph.ops.some((other) => other !== op && this.#windowKernel(other) === kernel)) {
      return this.#use(run);
    }
    const name = `${this.#x}_layer_${index}_part`;
    const [size, lead] = stage.columns ? ['w', 'left'] : ['h', 'top'];
    const parameters = `const ${this.#x}_conv *part, const int8_t *input, int8_t *output, void *scratch`;
    this.#constants.block(`static void ${name}(${parameters})`, () => {
      this.#constants.line(`${this.#x}_conv op;`);
      this.#constants.call(this.#use('mote_strip_copy'), [layer, '&op']);
      for (const field of [`in_${size}`, `out_${size}`, `pad_${lead}`]) {
        this.#constants.line(`op.${field} = part->${field};`);
      }
      this.#constants.call(this.#use(run), ['&op', 'input', 'output', 'scratch']);
    });
    return name;
  }

  /** Ops that run together, a few lines at a time. */
  #stream({ ops, strip, stages, bufferOffsets }: PlannedStream): void {
    const rows = ops.map((index, k) => {
      const op = this.graph.ops[index] as Int8Op;
      const stage = stages[k] as Stage;
      this.#title(op, index, this.#tensor(stage.input), this.#tensor(op.output));
      const [run, layer] = this.#stage(op, index, stage);
      const shape = [stage.columns ? 1 : 0, stage.stride, stage.lead, stage.extent];
      const lines = [stage.inLines, stage.inPitch, stage.outLines, stage.outPitch];
      const places = [
        bufferOffsets[k] ?? 0,
        this.plan.scratchOffsets[index] ?? 0,
        stage.side === null ? 0 : stage.outPitch,
      ];
      const runner = this.#runner(run, layer, op, index, stage);
      return `{${[runner, layer, ...[...shape, ...lines, ...places].map(int32Literal)].join(', ')}}`;
    });
    const last = ops.at(-1) as number;
    // Read without the macros of mote_flash.h: in RAM on AVR.
    const name = `${this.#x}_stages_${last}`;
    this.#runtime.add('mote_stage');
    this.#constantBytes += 4 * 13 * rows.length;
    this.#constants.array(`static const ${this.#x}_stage ${name}[${rows.length}]`, rows);
    const side = stages.find((stage) => stage.side !== null)?.side ?? null;
    this.#call(
      'mote_run_strips',
      name,
      rows.length,
      strip,
      this.#place((stages[0] as Stage).input),
      side === null ? '(const int8_t *)0' : this.#sidePlace(side),
      this.#place((this.graph.ops[last] as Int8Op).output),
      this.plan.arenaBytes > 0 ? 'arena' : '(int8_t *)0',
    );
  }

  /** The kernel of a stage, and the parameters of its layer. */
  #stage(op: Int8Op, index: number, stage: Stage): [run: string, layer: string] {
    const [from, to] = [this.#tensor(stage.input), this.#tensor(op.output)];
    const shapes = [...from.shape, ...to.shape];
    const layout = layoutFor(op, this.options.target);
    const suffix = layout === 'plain' ? '' : `_${layout}`;
    switch (op.kind) {
      case 'conv2d': {
        const layer = this.#layer(op, index, op.window, shapes, arrangeConvolution(op, layout), 'address');
        return [!suffix && isPointwise(op.window) ? 'mote_strip_pointwise' : this.#convolution(op), layer];
      }
      case 'depthwiseConv2d':
        return this.#depthwise(op, index, shapes, 'address');
      case 'fullyConnected': {
        const { inLines, inPitch } = stage;
        const units = op.bias.length;
        // A kernel that covers all lines of a column of pixels.
        const window = { ...POINT, kernelHeight: inLines };
        const words = ARRANGE_DENSE[layout](op.weights, units, inLines);
        const layer = this.#layer(op, index, window, [inLines, 1, inPitch, 1, 1, units], words, 'address');
        return [`mote_strip_dense${suffix}`, layer];
      }
      case 'maxPool2d':
      case 'averagePool2d': {
        const run = `mote_strip_${this.#pool(op)}`;
        return [run, this.#unweighted(index, op.window, shapes, [op.actMin, op.actMax, 0], '(const void *)0')];
      }
      case 'lookup': {
        const table = this.#array('int8_t', `table_${index}`, op.table);
        return ['mote_strip_lookup', this.#unweighted(index, POINT, shapes, [-128, 127, 0], table)];
      }
      case 'add': {
        const swapped = op.inputs[0] === stage.side ? 1 : 0;
        return [
          this.#sumsFast(op) ? 'mote_strip_add_dsp' : 'mote_strip_add',
          this.#unweighted(index, POINT, shapes, [-128, 127, swapped], this.#addition(op, index, 'address')),
        ];
      }
      default:
        throw new Error(`${op.kind} cannot be streamed.`);
    }
  }

  /** A stage without weights, in the form of a layer. */
  #unweighted(
    index: number,
    window: Window2d,
    shapes: readonly number[],
    limits: readonly number[],
    data: string,
  ): string {
    return this.#struct(
      'mote_conv',
      `layer_${index}`,
      [
        ...shapes,
        ...windowFields(window),
        0,
        0,
        ...limits,
        data,
        '(const int32_t *)0',
        '(const int32_t *)0',
        '(const int8_t *)0',
      ],
      'address',
    );
  }

  #addition(op: Int8Op & { readonly kind: 'add' }, index: number, how: 'loaded' | 'address' = 'loaded'): string {
    const [a, b, to] = [this.#tensor(op.inputs[0]), this.#tensor(op.inputs[1]), this.#tensor(op.output)];
    return this.#struct(
      'mote_add_params',
      `add_${index}`,
      [
        a.zeroPoint,
        b.zeroPoint,
        to.zeroPoint,
        op.actMin,
        op.actMax,
        op.multiplierA,
        op.shiftA,
        op.multiplierB,
        op.shiftB,
        op.multiplierOut,
        op.shiftOut,
        op.subtract ? 1 : 0,
      ],
      how,
    );
  }

  /** Whether mote_add_dsp can take the sum. */
  #sumsFast(op: Int8Op & { readonly kind: 'add' }): boolean {
    const [a, b] = op.inputs.map((id) => elementCount(this.#tensor(id).shape));
    if (layoutOf(this.options.target) !== 'dsp' || op.subtract || a !== b || op.shiftOut > -1) return false;
    const fits = (multiplier: number, shift: number): boolean => shift < 0 || (shift === 0 && multiplier === 2 ** 30);
    return fits(op.multiplierA, op.shiftA) && fits(op.multiplierB, op.shiftB);
  }

  #title(op: Int8Op, index: number, from: Int8Tensor, to: Int8Tensor): void {
    this.#constants.gap();
    this.#constants.comment([
      `Operation ${index + 1}: ${op.kind}, [${from.shape.join(', ')}] to [${to.shape.join(', ')}].`,
    ]);
  }

  /** The kernel of a pooling layer, without its prefix. */
  #pool(op: Int8Pool2d): string {
    if (op.kind === 'averagePool2d') return 'average_pool';
    const channels = this.#tensor(op.input).shape.at(-1) as number;
    const plain = op.actMin > -128 || op.actMax < 127 || channels % 4 !== 0;
    return plain || layoutOf(this.options.target) !== 'dsp' ? 'max_pool' : 'max_pool_dsp';
  }

  #op(op: Int8Op, index: number): void {
    const [first = 0, second = 0] = inputsOf(op);
    const [from, to] = [this.#tensor(first), this.#tensor(op.output)];
    const layout = layoutFor(op, this.options.target);
    const suffix = layout === 'plain' ? '' : `_${layout}`;
    const ends = (): [string, string] => [this.#place(first), this.#place(op.output)];
    if (op.kind !== 'reshape') this.#title(op, index, from, to);
    switch (op.kind) {
      case 'fullyConnected': {
        const units = op.bias.length;
        const inputs = op.weights.length / units;
        const rows = elementCount(from.shape) / inputs;
        const shapes = [1, rows, inputs, 1, rows, units];
        const layer = this.#layer(op, index, POINT, shapes, ARRANGE_DENSE[layout](op.weights, units));
        this.#call(DENSE[layout === 'dsp' && isLong(op) ? 'long' : layout], layer, ...ends());
        return;
      }
      case 'conv2d': {
        const words = arrangeConvolution(op, layout);
        const layer = this.#layer(op, index, op.window, [...from.shape, ...to.shape], words);
        if (op.groups > 1) this.#call('mote_conv2d_grouped', layer, op.groups, ...ends());
        else if (!suffix && isPointwise(op.window)) this.#call('mote_conv2d_pointwise', layer, ...ends());
        else this.#call(this.#convolution(op), layer, ...ends(), this.#scratch(index));
        return;
      }
      case 'depthwiseConv2d': {
        const [run, layer] = this.#depthwise(op, index, [...from.shape, ...to.shape]);
        this.#call(run, layer, ...ends(), this.#scratch(index));
        return;
      }
      case 'maxPool2d':
      case 'averagePool2d': {
        const [height = 0, width = 0, channels = 0] = from.shape;
        const [outHeight = 0, outWidth = 0] = to.shape;
        const { window } = op;
        const pool = this.#struct('mote_pool', `pool_${index}`, [
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
        this.#call(`mote_${this.#pool(op)}`, pool, ...ends());
        return;
      }
      case 'mean': {
        const numbers = [op.outer, op.count, op.inner, from.zeroPoint, op.multiplier, op.shift, to.zeroPoint];
        this.#call('mote_mean', this.#place(first), ...numbers, this.#place(op.output));
        return;
      }
      case 'add':
      case 'mul': {
        const [a, b] = [from, this.#tensor(second)];
        const shared = [a.zeroPoint, b.zeroPoint, to.zeroPoint, op.actMin, op.actMax];
        const parameters =
          op.kind === 'add'
            ? this.#addition(op, index)
            : this.#struct('mote_mul_params', `mul_${index}`, [...shared, op.multiplier, op.shift]);
        if (op.kind === 'add' && this.#sumsFast(op)) {
          const count = elementCount(to.shape);
          this.#call(
            'mote_add_dsp',
            parameters,
            this.#place(first),
            this.#place(second),
            count,
            this.#place(op.output),
          );
          return;
        }
        const kernel = op.kind === 'add' ? 'mote_add' : 'mote_mul';
        this.#call(
          // Where code may run on AVR, constants are read from flash, and the first operand is in RAM.
          b.data && this.#mayBeAvr ? `${kernel}_constant` : kernel,
          parameters,
          this.#place(first),
          this.#place(second),
          elementCount(to.shape),
          elementCount(b.shape),
          this.#place(op.output),
        );
        return;
      }
      case 'concat': {
        const inner = elementCount(to.shape.slice(op.axis + 1));
        const gap = (to.shape[op.axis] as number) * inner;
        const rows = elementCount(to.shape) / gap;
        let start = 0;
        for (const id of op.inputs) {
          const block = (this.#tensor(id).shape[op.axis] as number) * inner;
          const target = start === 0 ? this.#place(op.output) : `${this.#place(op.output)} + ${start}`;
          this.#call('mote_copy_blocks', this.#place(id), rows, block, block, target, gap);
          start += block;
        }
        return;
      }
      case 'pad': {
        const shape = toRank4(from.shape);
        const steps = stepsOf(toRank4(to.shape));
        const start = toRank4(op.before, 0).reduce((sum, count, axis) => sum + count * (steps[axis] as number), 0);
        this.#call(
          'mote_pad',
          this.#place(first),
          this.#array('int32_t', `shape_${index}`, shape, 'ram'),
          this.#array('int32_t', `step_${index}`, steps, 'ram'),
          start,
          to.zeroPoint,
          elementCount(to.shape),
          this.#place(op.output),
        );
        return;
      }
      case 'reshape':
        // Another name for lines of a stream.
        if (!this.plan.places[op.output]) return;
        if (this.#place(op.input) !== this.#place(op.output)) {
          const count = elementCount(to.shape);
          this.#call('mote_copy_blocks', this.#place(first), 1, count, count, this.#place(op.output), count);
        }
        return;
      case 'transpose': {
        const steps = stepsOf(toRank4(from.shape));
        const order = permutationToRank4(op.permutation);
        this.#gather(
          index,
          first,
          op.output,
          0,
          toRank4(to.shape),
          order.map((axis) => steps[axis] as number),
        );
        return;
      }
      case 'stridedSlice': {
        const steps = stepsOf(toRank4(from.shape));
        const start = toRank4(op.begin, 0).reduce((sum, begin, axis) => sum + begin * (steps[axis] as number), 0);
        const strides = toRank4(op.strides);
        const walked = steps.map((step, axis) => step * (strides[axis] as number));
        this.#gather(index, first, op.output, start, toRank4(to.shape), walked);
        return;
      }
      case 'lookup':
        this.#call(
          'mote_lookup',
          this.#place(first),
          elementCount(to.shape),
          this.#array('int8_t', `table_${index}`, op.table),
          this.#place(op.output),
        );
        return;
      case 'resizeNearest': {
        const [height = 0, width = 0, channels = 0] = from.shape;
        const [outHeight = 0, outWidth = 0] = to.shape;
        const { alignCorners, halfPixelCenters } = op;
        const rows = nearestIndex(height, outHeight, alignCorners, halfPixelCenters);
        const columns = nearestIndex(width, outWidth, alignCorners, halfPixelCenters);
        this.#call(
          'mote_resize_nearest',
          this.#place(first),
          width,
          channels,
          outHeight,
          outWidth,
          this.#array('int16_t', `rows_${index}`, rows),
          this.#array('int16_t', `columns_${index}`, columns),
          this.#place(op.output),
        );
        return;
      }
      case 'softmax': {
        const classes = from.shape.at(-1) as number;
        const rows = elementCount(from.shape) / classes;
        const parameters = [classes, op.multiplier, op.leftShift, op.diffMin];
        const [source, sink] = ends();
        if (rows === 1) this.#call('mote_softmax', source, ...parameters, sink);
        else this.#call('mote_softmax_rows', source, rows, ...parameters, sink);
        return;
      }
    }
  }

  #gather(
    index: number,
    from: TensorId,
    to: TensorId,
    start: number,
    shape: readonly number[],
    steps: readonly number[],
  ): void {
    const source = this.#place(from);
    this.#call(
      'mote_gather4',
      start === 0 ? source : `${source} + ${start}`,
      this.#array('int32_t', `shape_${index}`, shape, 'ram'),
      this.#array('int32_t', `step_${index}`, steps, 'ram'),
      this.#place(to),
    );
  }
}

type Arrange = (weights: Int8Array, channels: number) => Int32Array | null;
type ArrangeDense = (weights: Int8Array, units: number, lines?: number) => Int32Array | null;

/** Weights of each kind of layer for each layout; null: as they are. */
const ARRANGE: Readonly<Record<WeightLayout, Arrange>> = { plain: () => null, dsp: arrangePairs, quad: arrangeQuad };
const ARRANGE_DENSE: Readonly<Record<WeightLayout, ArrangeDense>> = {
  plain: () => null,
  dsp: arrangeDense,
  quad: arrangeQuadDense,
};
const DENSE: Readonly<Record<WeightLayout | 'long', string>> = {
  plain: 'mote_fully_connected_rows',
  dsp: 'mote_fully_connected_dsp',
  long: 'mote_fully_connected_long_dsp',
  quad: 'mote_fully_connected_quad',
};
const ARRANGE_DEPTHWISE: Readonly<Record<WeightLayout, Arrange>> = {
  plain: () => null,
  dsp: arrangeDepthwise,
  quad: arrangeQuadDepthwise,
};

function arrangeConvolution(op: Int8Conv2d, layout: WeightLayout): Int32Array | null {
  return layout === 'dsp' && isBand(op) ? arrangeBand(op) : ARRANGE[layout](op.weights, op.bias.length);
}

/** The window of a layer that looks at one pixel. */
export const POINT: Window2d = {
  kernelHeight: 1,
  kernelWidth: 1,
  strideHeight: 1,
  strideWidth: 1,
  dilationHeight: 1,
  dilationWidth: 1,
  padTop: 0,
  padLeft: 0,
  padBottom: 0,
  padRight: 0,
};

/** The fields of a mote_conv from kernel_h to pad_left. */
export function windowFields(window: Window2d): number[] {
  return [
    window.kernelHeight,
    window.kernelWidth,
    window.strideHeight,
    window.strideWidth,
    window.dilationHeight,
    window.dilationWidth,
    window.padTop,
    window.padLeft,
  ];
}

/** Declaration of the local variable into which parameters are loaded, by their types; only AVR uses it. */
export function roomForParameters(
  loaded: ReadonlySet<string>,
  loads: Readonly<Record<string, string>>,
  prefix: string,
): string[] {
  if (loaded.size === 0) return [];
  const members = [...loaded].map((type) => {
    const name = (loads[type] as string).replace('mote_load_', '');
    return `${type.replace('mote_', `${prefix}_`)} ${name};`;
  });
  return [`union { ${members.join(' ')} } parameters;`];
}

/** Values from one index to the next along each axis of a row-major shape. */
export function stepsOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** A negative number in a macro needs brackets. */
export function macroInt(value: number): string {
  return value < 0 ? `(${value})` : String(value);
}
