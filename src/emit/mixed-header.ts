/**
 * The C header of a network with float layers, all or some of them:
 * `int x_invoke(const float input[X_INPUT_SIZE], float output[X_OUTPUT_SIZE])`, where either may be int8_t instead.
 */
import { elementCount, type TensorId } from '../graph/float-graph';
import type { Int8Tensor } from '../quantize/int8-graph';
import { int8View, type MixedGraph, type MixedOp, type MixedTensor } from '../quantize/mixed-graph';
import { floatLiteral } from './c-literals';
import { CPrinter } from './c-printer';
import { FloatCode } from './float-code';
import { runtimeText } from './fragments';
import { EmitError } from './model';
import { multiplyAdds } from './network-cost';
import {
  emitNetworkCode,
  macroInt,
  MOST_AVR_CONSTANTS,
  type NetworkHeader,
  type NetworkHeaderOptions,
} from './network-header';
import type { NetworkPlan } from './network-plan';
import { checkPrefix } from './prefix';

/**
 * Throws EmitError `bad-prefix`, `bad-model`, or `too-large` for a layer that the target cannot hold. `graph` must have
 * passed `checkMixedGraph`, `plan` must be `planMixed` of this graph and target.
 */
export function emitMixedHeader(graph: MixedGraph, plan: NetworkPlan, options: NetworkHeaderOptions): NetworkHeader {
  checkPrefix(options.prefix);
  const [x, X] = [options.prefix, options.prefix.toUpperCase()];
  const numbers = graph.ops.flatMap(({ type }, index) => (type === 'int8' ? [index] : []));
  const pure = graph.tensors.every(({ type }) => type === 'float');
  const int8 = emitNetworkCode(int8View(graph), plan, { prefix: x, target: options.target, numbers });

  const place = (id: TensorId): string => {
    const found = plan.places[id];
    if (!found) throw new Error(`Tensor ${id} has no place.`);
    if (found.in !== 'arena') return found.in;
    const float = graph.tensors[id]?.type === 'float';
    const [base, offset] = float ? ['floats', found.offset / 4] : ['arena', found.offset];
    return offset === 0 ? base : `${base} + ${offset}`;
  };
  const float = new FloatCode(graph, { prefix: x, target: options.target, place });
  const calls = graph.ops.flatMap(({ type, op }, index) => {
    if (type === 'float') return float.op(op, index);
    if (type === 'conversion') return float.conversion(op);
    return int8.calls.filter((_, call) => int8.callOps[call] === index);
  });
  const constantBytes = int8.constantBytes + float.constantBytes;
  if (options.target === 'avr' && constantBytes > MOST_AVR_CONSTANTS) {
    throw new EmitError(
      'too-large',
      `This network has ${constantBytes} bytes of constants; code for AVR reads ${MOST_AVR_CONSTANTS}. Use a smaller ` +
        'network, quantize it, or use another board.',
    );
  }

  const [input, output] = [graph.input, graph.output].map((id) => graph.tensors[id] as MixedTensor) as [
    MixedTensor,
    MixedTensor,
  ];
  const file = new CPrinter();
  file.comment([...options.remarks, ...facts(graph, plan, constantBytes, options)]);
  file.line(`#ifndef ${X}_NETWORK_H`);
  file.define(`${X}_NETWORK_H`);
  file.gap();
  file.line('#include <stdint.h>');
  file.gap();
  file.comment(['---- Runtime: what this network needs of the Mote runtime ----']);
  file.gap();
  file.raw(runtimeText([...int8.runtime, ...float.runtime], x));
  file.gap();
  file.comment(['---- Network ----']);
  file.gap();
  file.define(`${X}_INPUT_SIZE`, String(elementCount(input.shape)));
  file.define(`${X}_OUTPUT_SIZE`, String(elementCount(output.shape)));
  file.comment(['Bytes of working memory: activations and scratch. Input and output are the buffers of the caller.']);
  file.define(`${X}_ARENA_SIZE`, String(plan.arenaBytes));
  defineScale(file, `${X}_INPUT`, input);
  defineScale(file, `${X}_OUTPUT`, output);
  file.gap();
  for (const constants of [int8.constants, float.constants.finish().trimEnd()]) {
    if (constants === '') continue;
    file.raw(constants);
    file.gap();
  }
  const words = Math.ceil(plan.arenaBytes / 4);
  if (plan.arenaBytes > 0 && pure) file.line(`static float ${x}_arena[${words}];`);
  else if (plan.arenaBytes > 0) {
    file.block(
      'static union',
      () => {
        file.line(`float floats[${words}];`);
        file.line(`int32_t words[${words}];`);
        file.line(`int8_t bytes[${4 * words}];`);
      },
      ` ${x}_arena;`,
    );
  }
  file.gap();
  file.comment(['Runs the network. Input and output must not overlap. Returns 0.']);
  const parameters = [`const ${cType(input)} input[${X}_INPUT_SIZE]`, `${cType(output)} output[${X}_OUTPUT_SIZE]`];
  file.block(`${X}_FN int ${x}_invoke(${parameters.join(', ')})`, () => {
    const uses = (name: string): boolean => calls.some(([, args]) => args.some((arg) => arg.startsWith(name)));
    if (uses('arena')) file.line(`int8_t *const arena = ${x}_arena.bytes;`);
    if (uses('floats')) file.line(`float *const floats = ${x}_arena${pure ? '' : '.floats'};`);
    for (const local of [...int8.locals, ...float.locals]) file.line(local);
    for (const [name, args] of calls) file.call(name, args);
    file.line('return 0;');
  });
  file.gap();
  file.line('#endif');
  return { text: file.finish(), constantBytes };
}

function cType({ type }: MixedTensor): string {
  return type === 'int8' ? 'int8_t' : 'float';
}

function defineScale(file: CPrinter, name: string, tensor: MixedTensor): void {
  if (tensor.type !== 'int8') return;
  const { scale, zeroPoint } = tensor as Int8Tensor;
  file.comment(['real = scale * (int8 - zero point)']);
  file.define(`${name}_SCALE`, floatLiteral(scale));
  file.define(`${name}_ZERO_POINT`, macroInt(zeroPoint));
}

function facts(
  graph: MixedGraph,
  plan: NetworkPlan,
  constantBytes: number,
  { target }: NetworkHeaderOptions,
): string[] {
  const macs = (ops: readonly MixedOp[]): number => ops.reduce((sum, op) => sum + multiplyAdds(op.op, graph), 0);
  const head =
    `Made for ${target}: ${graph.ops.length} operations, ${macs(graph.ops)} multiply-adds, ${plan.arenaBytes} bytes of ` +
    `working memory, ${constantBytes} bytes of constants.`;
  const float = graph.ops.filter(({ type, op }) => type === 'float' && op.kind !== 'reshape');
  if (graph.ops.every(({ type }) => type === 'float')) return [`${head} All of it is float32.`];
  const names = float.map(({ op }) => `${op.kind} "${graph.tensors[op.output]?.name ?? ''}"`);
  return [
    `${head} Int8 with double rounding, as TensorFlow Lite Micro, except:`,
    `Float32, with ${macs(float)} of the multiply-adds: ${names.join(', ')}.`,
  ];
}
