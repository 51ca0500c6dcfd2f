/** `model.h`: the model as one self-contained C99 and C++ header, a pure function of the pack. */
import { strideFrames, windowFrames, type BlockKind, type CompiledBlock } from '../dsp/block';
import type { TensorId } from '../graph/float-graph';
import type { Int8Tensor } from '../quantize/int8-graph';
import { thresholdSteps } from './check-model';
import { floatLiteral, int32Literal, stringLiteral, uint32Literal } from './c-literals';
import { CPrinter } from './c-printer';
import { runtimeText } from './fragments';
import { hasReceipt, type Model } from './model';
import { lowerGraph } from './lower-graph';
import { emitNetworkCode, type NetworkCode } from './network-header';
import { planNetwork, type NetworkPlan } from './network-plan';
import { packId, readPack } from './pack';
import { receiptLines } from './receipt-text';
import { selfTestCount } from './self-test';
import { featureCount, measureModel, scratchFloats } from './size';
import type { Target } from './target';

/** C functions of the blocks. */
const BLOCK_FUNCTION: Readonly<Record<BlockKind, string>> = {
  raw: 'mote_raw',
  flatten: 'mote_flatten',
  spectral: 'mote_spectral',
};

const NO_INTS = '(const int32_t *)0';
const NO_FLOATS = '(const float *)0';

/**
 * The text of `model.h`, with the kernels and the memory plan of the target; `generic` runs everywhere. The same pack and
 * target always give the same text. Throws what `readPack` throws, and EmitError `too-large` for a layer that the target
 * cannot hold.
 */
export function emitHeader(pack: Uint8Array, target: Target = 'generic'): string {
  return new HeaderPrinter(readPack(pack), packId(pack), target).print();
}

class HeaderPrinter {
  readonly #out = new CPrinter();
  /** Functions of the runtime that the model's own code calls. */
  readonly #runtime = new Set<string>();
  readonly #model: Model;
  readonly #id: number;
  readonly #target: Target;
  readonly #plan: NetworkPlan;
  readonly #network: NetworkCode;
  /** The prefix of functions, variables and types. */
  readonly #x: string;
  /** The prefix of macros. */
  readonly #X: string;

  constructor(model: Model, id: number, target: Target) {
    this.#model = model;
    this.#id = id;
    this.#target = target;
    this.#x = model.prefix;
    this.#X = model.prefix.toUpperCase();
    const graph = lowerGraph(model.graph);
    this.#plan = planNetwork(graph, target);
    this.#network = emitNetworkCode(graph, this.#plan, { prefix: model.prefix, target });
    for (const name of this.#network.runtime) this.#runtime.add(name);
  }

  print(): string {
    const [x, X, out] = [this.#x, this.#X, this.#out];
    this.#macros();
    this.#types();
    this.#constants();
    this.#features();
    this.#interface();
    this.#selfTest();
    const code = out.finish();

    const file = new CPrinter();
    file.comment(receiptLines(this.#model, measureModel(this.#model, this.#target), this.#id));
    file.line(`#ifndef ${X}_MODEL_H`);
    file.define(`${X}_MODEL_H`);
    file.gap();
    file.line('#include <stdint.h>');
    file.gap();
    file.comment(['---- Runtime: what this model needs of the Mote runtime, the same code that boards run ----']);
    file.gap();
    file.raw(runtimeText(this.#runtime, x));
    file.gap();
    file.raw(code.trimEnd());
    file.gap();
    file.line('#endif');
    return file.finish();
  }

  /** The name of a function of the runtime under the model's prefix. */
  #use(name: string): string {
    this.#runtime.add(name);
    return name.replace('mote_', `${this.#x}_`);
  }

  #tensor(id: TensorId): Int8Tensor {
    return this.#model.graph.tensors[id] as Int8Tensor;
  }

  #macros(): void {
    const { input, graph, labels, smoothing, selfTest } = this.#model;
    const [X, out] = [this.#X, this.#out];
    const [quantized, scores] = [this.#tensor(graph.input), this.#tensor(graph.output)];
    out.comment(['---- Model ----']);
    out.gap();
    out.comment([`Channels of a sample, in this order: ${input.channels.map(channelText).join(', ')}.`]);
    out.define(`${X}_CHANNELS`, String(input.channels.length));
    out.comment(['Samples per second and channel that the model was trained with.']);
    out.define(`${X}_RATE_HZ`, floatLiteral(Math.fround(input.rateHz)));
    out.comment(['Samples per channel in a window, and from the start of one window to the start of the next.']);
    out.define(`${X}_WINDOW_FRAMES`, String(windowFrames(input)));
    out.define(`${X}_STRIDE_FRAMES`, String(strideFrames(input)));
    out.define(`${X}_FEATURE_COUNT`, String(featureCount(this.#model)));
    out.define(`${X}_LABEL_COUNT`, String(labels.length));
    out.comment([`Bytes of working memory of the network, which is made for ${this.#target}.`]);
    out.define(`${X}_ARENA_SIZE`, String(this.#plan.arenaBytes));
    if (hasReceipt(this.#model)) {
      out.comment(['real = scale * (int8 - zero point), for the inputs of the network and for the scores.']);
      out.define(`${X}_INPUT_SCALE`, floatLiteral(quantized.scale));
      out.define(`${X}_INPUT_ZERO_POINT`, macroInt(quantized.zeroPoint));
    } else out.comment(['real = scale * (int8 - zero point), for the scores.']);
    out.define(`${X}_OUTPUT_SCALE`, floatLiteral(scores.scale));
    out.define(`${X}_OUTPUT_ZERO_POINT`, macroInt(scores.zeroPoint));
    out.comment([
      `Windows averaged for a decision, and the average it needs (${smoothing.threshold}) in steps of the scores.`,
    ]);
    out.define(`${X}_SMOOTHING_WINDOWS`, String(smoothing.windows));
    out.define(`${X}_SMOOTHING_THRESHOLD`, String(thresholdSteps(this.#model)));
    out.define(`${X}_SELFTEST_COUNT`, String(selfTestCount(selfTest)));
    out.comment(['Names this very model: the CRC-32 of its pack.']);
    out.define(`${X}_MODEL_ID`, uint32Literal(this.#id));
    out.gap();
    out.line('#if defined(__GNUC__) || defined(__clang__)');
    out.define(`${X}_UNUSED`, '__attribute__((unused))');
    out.line('#else');
    out.define(`${X}_UNUSED`);
    out.line('#endif');
    out.gap();
  }

  #types(): void {
    const [x, X, out] = [this.#x, this.#X, this.#out];
    const scratch = scratchFloats(this.#model);
    out.block(
      `typedef struct ${x}_result`,
      () => {
        out.comment(['One per label: probability = scale * (score - zero point).']);
        out.line(`int8_t scores[${X}_LABEL_COUNT];`);
        out.comment(['The label with the highest score in this window.']);
        out.line('int best;');
        out.comment(['The label after smoothing and threshold, or -1 when uncertain.']);
        out.line('int decision;');
      },
      ` ${x}_result;`,
    );
    out.gap();
    out.comment([
      'All memory of the model. Scratch of the features and activations are never needed at the same time; the quantized ' +
        'features replace the features from the start.',
    ]);
    out.block(
      'static struct',
      () => {
        out.line(`float window[${X}_WINDOW_FRAMES * ${X}_CHANNELS];`);
        out.line(`float features[${X}_FEATURE_COUNT];`);
        const arenaWords = Math.ceil(this.#plan.arenaBytes / 4);
        if (scratch > 0 || arenaWords > 0) {
          out.block(
            'union',
            () => {
              if (scratch > 0) out.line(`float scratch[${scratch}];`);
              // Words, so that the kernels may load several activations at a time.
              if (arenaWords > 0) out.line(`int32_t arena[${arenaWords}];`);
            },
            ' work;',
          );
        }
        out.line('int32_t filled;');
        out.line('int32_t skip;');
        if (this.#smooths()) {
          out.line('int32_t history_rows;');
          out.line('int32_t history_next;');
          out.line(`int8_t history[${X}_SMOOTHING_WINDOWS * ${X}_LABEL_COUNT];`);
        }
      },
      ` ${x}_memory ${X}_UNUSED;`,
    );
    out.gap();
  }

  #smooths(): boolean {
    return this.#model.smoothing.windows > 1;
  }

  /** `place`: constants that the runtime reads are in flash, where AVR has them apart from RAM. */
  #data(type: string, name: string, values: readonly string[], place: 'flash' | 'ram' = 'flash'): void {
    if (place === 'flash') this.#runtime.add('MOTE_FLASH');
    const flash = place === 'flash' ? ` ${this.#X}_FLASH` : '';
    this.#out.array(`static const ${type} ${this.#x}_${name}[${values.length}]${flash} ${this.#X}_UNUSED`, values);
  }

  #floats(name: string, values: Float32Array): void {
    this.#data('float', name, Array.from(values, floatLiteral));
  }

  #ints(type: string, name: string, values: Int32Array | Int16Array | Int8Array | Uint8Array): void {
    this.#data(type, name, Array.from(values, int32Literal));
  }

  #constants(): void {
    const { blocks, affine, labels, input } = this.#model;
    const out = this.#out;
    blocks.forEach((block, index) => {
      const axes = Array.from(block.channels, (axis) => input.channels[axis]?.name ?? '').join(', ');
      out.comment([`Block ${index}: ${block.kind} of ${axes}; ${block.featureCount} features.`]);
      this.#ints('uint8_t', `axes_${index}`, block.channels);
      if (block.ints.length > 0) this.#ints('int32_t', `ints_${index}`, block.ints);
      if (block.floats.length > 0) this.#floats(`floats_${index}`, block.floats);
      out.gap();
    });
    out.comment(['Scaling and quantization of the features: q = round(feature * a + b).']);
    this.#floats('input_a', affine.a);
    this.#floats('input_b', affine.b);
    out.gap();
    out.raw(this.#network.constants);
    out.gap();
    out.comment(['Labels in UTF-8.']);
    this.#data('char *const', 'labels', labels.map(stringLiteral), 'ram');
    out.gap();
  }

  /** The quantized features: the input of the network. */
  #quantized(type = 'const int8_t *'): string {
    return `(${type})${this.#x}_memory.features`;
  }

  #features(): void {
    const [x, X, out] = [this.#x, this.#X, this.#out];
    out.comment([
      'From a window to quantized features, which lie where the features were: the first byte of each is free by then.',
    ]);
    out.block(`${X}_FN void ${x}_run_features(const float *window)`, () => {
      let at = 0;
      this.#model.blocks.forEach((block, index) => {
        this.#blockCall(block, index, at);
        at += block.featureCount;
      });
      out.call(this.#use('mote_quantize_input'), [
        `${x}_memory.features`,
        `${X}_FEATURE_COUNT`,
        `${x}_input_a`,
        `${x}_input_b`,
        this.#quantized('int8_t *'),
      ]);
    });
    out.gap();
  }

  #blockCall(block: CompiledBlock, index: number, at: number): void {
    const [x, X] = [this.#x, this.#X];
    this.#out.call(this.#use(BLOCK_FUNCTION[block.kind]), [
      'window',
      `${X}_WINDOW_FRAMES`,
      `${X}_CHANNELS`,
      `${x}_axes_${index}`,
      String(block.channels.length),
      block.ints.length > 0 ? `${x}_ints_${index}` : NO_INTS,
      block.floats.length > 0 ? `${x}_floats_${index}` : NO_FLOATS,
      block.scratchFloats > 0 ? `${x}_memory.work.scratch` : '(float *)0',
      `${x}_memory.features + ${at}`,
    ]);
  }

  #interface(): void {
    const [x, X, out] = [this.#x, this.#X, this.#out];

    out.comment([
      'The bare network: FEATURE_COUNT quantized features in, LABEL_COUNT scores out, not over one another. Returns 0.',
    ]);
    out.block(`${X}_FN int ${x}_invoke(const int8_t *input, int8_t *output)`, () => {
      if (this.#plan.arenaBytes > 0) out.line(`int8_t *const arena = (int8_t *)${x}_memory.work.arena;`);
      for (const local of this.#network.locals) out.line(local);
      for (const [name, args] of this.#network.calls) out.call(name, args);
      out.line('return 0;');
    });
    out.gap();

    out.comment([
      'The decision over the scores of this window and the ones before it: a label, or -1 when uncertain. ' +
        `${x}_push calls this; call it yourself only with results of ${x}_classify.`,
    ]);
    out.block(`${X}_FN int ${x}_decide(const int8_t *scores)`, () => {
      const rest = [`${X}_LABEL_COUNT`, `${X}_OUTPUT_ZERO_POINT`, `${X}_SMOOTHING_THRESHOLD`];
      if (!this.#smooths()) {
        out.call(`return (int)${this.#use('mote_smooth_decide')}`, ['scores', '1', ...rest]);
      } else {
        out.call(`return (int)${this.#use('mote_smooth_add')}`, [
          `${x}_memory.history`,
          `${X}_SMOOTHING_WINDOWS`,
          `&${x}_memory.history_rows`,
          `&${x}_memory.history_next`,
          'scores',
          ...rest,
        ]);
      }
    });
    out.gap();

    out.comment([
      `Classifies one window, window[frame * ${X}_CHANNELS + channel], apart from the stream: its decision is about ` +
        'this window alone. Returns 0.',
    ]);
    out.block(`${X}_FN int ${x}_classify(const float *window, ${x}_result *result)`, () => {
      out.line(`${x}_run_features(window);`);
      out.line(`(void)${x}_invoke(${this.#quantized()}, result->scores);`);
      out.line(`result->best = (int)${this.#use('mote_smooth_best')}(result->scores, ${X}_LABEL_COUNT);`);
      out.call(`result->decision = (int)${this.#use('mote_smooth_decide')}`, [
        'result->scores',
        '1',
        `${X}_LABEL_COUNT`,
        `${X}_OUTPUT_ZERO_POINT`,
        `${X}_SMOOTHING_THRESHOLD`,
      ]);
      out.line('return 0;');
    });
    out.gap();

    out.comment([
      `One sample of every channel, ${X}_RATE_HZ times a second. Returns 1 when it completed a window and the result ` +
        'was filled, else 0.',
    ]);
    out.block(`${X}_FN int ${x}_push(const float sample[${X}_CHANNELS], ${x}_result *result)`, () => {
      const window = [`${x}_memory.window`, `${X}_WINDOW_FRAMES`, `${X}_CHANNELS`];
      const stream = [`&${x}_memory.filled`, `&${x}_memory.skip`];
      out.call(`if (!${this.#use('mote_window_push')}`, [...window, 'sample', ...stream], ')) return 0;');
      out.line(`(void)${x}_classify(${x}_memory.window, result);`);
      if (this.#smooths()) out.line(`result->decision = ${x}_decide(result->scores);`);
      out.call(this.#use('mote_window_advance'), [...window, `${X}_STRIDE_FRAMES`, ...stream]);
      out.line('return 1;');
    });
    out.gap();

    out.comment(['Forgets the samples and scores so far: call it after a pause in the stream.']);
    out.block(`${X}_FN void ${x}_reset(void)`, () => {
      out.line(`${x}_memory.filled = 0;`);
      out.line(`${x}_memory.skip = 0;`);
      if (this.#smooths()) {
        out.line(`${x}_memory.history_rows = 0;`);
        out.line(`${x}_memory.history_next = 0;`);
      }
    });
    out.gap();

    out.comment(['The name of label i, or an empty text for anything else, such as the -1 of an uncertain decision.']);
    out.block(`${X}_FN const char *${x}_label(int i)`, () => {
      out.line(`return i >= 0 && i < ${X}_LABEL_COUNT ? ${x}_labels[i] : "";`);
    });
    out.gap();
  }

  #selfTest(): void {
    const [x, X, out] = [this.#x, this.#X, this.#out];
    const { selfTest } = this.#model;
    const { recordedCount, generatedCount } = selfTest;

    out.comment([
      `Known answers for ${recordedCount} recorded and ${generatedCount} generated windows. ` +
        `They take no memory in a program that never calls ${x}_selftest.`,
    ]);
    this.#floats('test_scale', selfTest.channelScale);
    if (generatedCount > 0) this.#floats('test_offset', selfTest.channelOffset);
    if (recordedCount > 0) this.#ints('int16_t', 'test_windows', selfTest.recorded);
    this.#data('uint32_t', 'test_features', Array.from(selfTest.featureCrc, uint32Literal));
    this.#ints('int8_t', 'test_scores', selfTest.scores);
    out.gap();

    const shape = [`${X}_WINDOW_FRAMES`, `${X}_CHANNELS`, `${x}_test_scale`];
    const unpack = (): void =>
      out.call(this.#use('mote_selftest_unpack'), [
        `${x}_test_windows + index * (${X}_WINDOW_FRAMES * ${X}_CHANNELS)`,
        ...shape,
        `${x}_memory.window`,
      ]);
    const generate = (): void =>
      out.call(this.#use('mote_selftest_generate'), [
        uint32Literal(selfTest.seed),
        recordedCount > 0 ? `index - ${recordedCount}` : 'index',
        ...shape,
        `${x}_test_offset`,
        `${x}_memory.window`,
      ]);

    out.comment([
      'Runs the known windows and returns the number of those whose features or scores are not, bit for bit, what the ' +
        'studio computed: 0 when all is well. Forgets the stream so far.',
    ]);
    out.block(`${X}_FN int ${x}_selftest(void)`, () => {
      out.line('int failed = 0;');
      out.line('int32_t index, i;');
      out.block(`for (index = 0; index < ${X}_SELFTEST_COUNT; index++)`, () => {
        out.line('int same;');
        out.line(`int8_t scores[${X}_LABEL_COUNT];`);
        if (recordedCount > 0 && generatedCount > 0) {
          out.branch(`index < ${recordedCount}`, unpack, generate);
        } else if (recordedCount > 0) unpack();
        else generate();
        out.line(`${x}_run_features(${x}_memory.window);`);
        out.call(
          `same = ${this.#use('mote_crc32')}`,
          ['0u', this.#quantized('const uint8_t *'), `${X}_FEATURE_COUNT`],
          `) == ${X}_FLASH_U32(${x}_test_features + index);`,
        );
        out.line(`(void)${x}_invoke(${this.#quantized()}, scores);`);
        out.block(`for (i = 0; i < ${X}_LABEL_COUNT; i++)`, () => {
          const expected = `${X}_FLASH_I8(${x}_test_scores + index * ${X}_LABEL_COUNT + i)`;
          out.line(`if (scores[i] != ${expected}) same = 0;`);
        });
        out.line('if (!same) failed++;');
      });
      out.line(`${x}_reset();`);
      out.line('return failed;');
    });
  }
}

function channelText({ name, unit }: { readonly name: string; readonly unit: string }): string {
  return unit === '' ? name : `${name} (${unit})`;
}

/** A negative number in a macro needs brackets: `1 -X` would otherwise be read anew. */
function macroInt(value: number): string {
  return value < 0 ? `(${value})` : String(value);
}
