/**
 * The C header of a float network that is not quantized: `int x_invoke(const float input[...], float output[...])`.
 * For comparison and for chips with a floating point unit; chains of dense, convolution and pooling layers.
 */
import { elementCount, floatInputsOf, type Activation, type FloatGraph, type FloatOp } from '../graph/float-graph';
import type { Window2d } from '../graph/window2d';
import { floatLiteral, int32Literal } from './c-literals';
import { CPrinter } from './c-printer';
import { runtimeText } from './fragments';
import { EmitError } from './model';
import { checkPrefix } from './prefix';

export interface FloatHeader {
  readonly text: string;
  readonly arenaBytes: number;
  readonly constantBytes: number;
}

const ACTIVATION: Readonly<Record<Activation, number>> = { none: 0, relu: 1, relu6: 2 };

/** Throws EmitError `bad-prefix`, or `bad-model` for a network that is no chain of the ops above. */
export function emitFloatHeader(
  graph: FloatGraph,
  options: { readonly prefix: string; readonly remarks: readonly string[] },
): FloatHeader {
  checkPrefix(options.prefix);
  const [x, X] = [options.prefix, options.prefix.toUpperCase()];
  const runtime = new Set<string>();
  const constants = new CPrinter();
  const calls: [string, string[]][] = [];
  let constantBytes = 0;

  const use = (name: string): string => {
    runtime.add(name);
    return name.replace('mote_', `${x}_`);
  };
  const floats = (name: string, values: Float32Array): string => {
    constants.array(`static const float ${x}_${name}[${values.length}]`, Array.from(values, floatLiteral));
    constantBytes += 4 * values.length;
    return `${x}_${name}`;
  };
  const shapeOf = (id: number): readonly number[] => graph.tensors[id]?.shape ?? [];
  const windowed = (
    op: { readonly input: number; readonly output: number; readonly window: Window2d; readonly activation: Activation },
    index: number,
    groups: number,
  ): string => {
    const { window } = op;
    const fields = [
      ...shapeOf(op.input),
      ...shapeOf(op.output),
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
    runtime.add('mote_float_window');
    constants.array(`static const ${x}_float_window ${x}_window_${index}`, fields.map(int32Literal));
    constantBytes += 4 * fields.length;
    return `&${x}_window_${index}`;
  };

  // A chain: every value is used once, by the next op; two buffers take turns.
  const ops = graph.ops.filter((op) => op.kind !== 'reshape');
  const largest = [0, 0];
  let here = 'input';
  let expected = graph.input;
  graph.ops.forEach((op, index) => {
    const [source] = floatInputsOf(op);
    if (source !== expected) throw notSupported(op, index, 'It is no simple chain of layers.');
    expected = op.output;
    if (op.kind === 'reshape') return;
    const isLast = op === ops.at(-1);
    const side = ops.indexOf(op) % 2;
    if (!isLast) largest[side] = Math.max(largest[side] as number, elementCount(shapeOf(op.output)));
    const there = isLast ? 'output' : `${x}_arena_${side}`;
    const ends = [here, there];
    constants.gap();
    switch (op.kind) {
      case 'fullyConnected': {
        const units = op.bias.length;
        const inputs = op.weights.length / units;
        calls.push([
          use('mote_float_fully_connected'),
          [
            here,
            String(elementCount(shapeOf(op.input)) / inputs),
            String(inputs),
            String(units),
            floats(`weights_${index}`, op.weights),
            floats(`bias_${index}`, op.bias),
            String(ACTIVATION[op.activation]),
            there,
          ],
        ]);
        break;
      }
      case 'conv2d':
      case 'depthwiseConv2d':
        calls.push([
          use(op.kind === 'conv2d' ? 'mote_float_conv2d' : 'mote_float_depthwise'),
          [
            windowed(op, index, op.kind === 'conv2d' ? op.groups : 1),
            here,
            floats(`weights_${index}`, op.weights),
            floats(`bias_${index}`, op.bias),
            there,
          ],
        ]);
        break;
      case 'maxPool2d':
      case 'averagePool2d':
        calls.push([
          use('mote_float_pool'),
          [windowed(op, index, 1), op.kind === 'averagePool2d' ? '1' : '0', ...ends],
        ]);
        break;
      default:
        throw notSupported(op, index, 'It has no float kernel.');
    }
    here = there;
  });
  if (ops.length === 0) throw new EmitError('bad-model', 'The network computes nothing.');

  const [inputs, outputs] = [elementCount(shapeOf(graph.input)), elementCount(shapeOf(graph.output))];
  const arenaBytes = 4 * ((largest[0] as number) + (largest[1] as number));
  const file = new CPrinter();
  file.comment([
    ...options.remarks,
    `A float32 network: ${graph.ops.length} operations, ${arenaBytes} bytes of working memory, ${constantBytes} bytes of ` +
      'constants.',
  ]);
  file.line(`#ifndef ${X}_NETWORK_H`);
  file.define(`${X}_NETWORK_H`);
  file.gap();
  file.line('#include <stdint.h>');
  file.gap();
  file.raw(runtimeText(runtime, x));
  file.gap();
  file.define(`${X}_INPUT_SIZE`, String(inputs));
  file.define(`${X}_OUTPUT_SIZE`, String(outputs));
  file.define(`${X}_ARENA_SIZE`, String(arenaBytes));
  file.gap();
  file.raw(constants.finish().trimEnd());
  file.gap();
  largest.forEach((count, side) => {
    if (count > 0) file.line(`static float ${x}_arena_${side}[${count}];`);
  });
  file.gap();
  file.comment(['Runs the network. Input and output must not overlap. Returns 0.']);
  file.block(`${X}_FN int ${x}_invoke(const float input[${X}_INPUT_SIZE], float output[${X}_OUTPUT_SIZE])`, () => {
    for (const [name, args] of calls) file.call(name, args);
    file.line('return 0;');
  });
  file.gap();
  file.line('#endif');
  return { text: file.finish(), arenaBytes, constantBytes };
}

function notSupported(op: FloatOp, index: number, why: string): EmitError {
  return new EmitError(
    'bad-model',
    `Operation ${index + 1} (${op.kind}) cannot be emitted in floating point: ${why} Quantize the network to int8: ` +
      'compile it with calibration data.',
  );
}
