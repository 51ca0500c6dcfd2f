/**
 * The C of the runtime, cut to what one model needs: the very files of `firmware/mote/src`, split into functions,
 * types and macros, followed from the functions that the model calls.
 */
import conv16Text from '../../firmware/mote/src/mote_conv16.h?raw';
import elementwise16Text from '../../firmware/mote/src/mote_elementwise16.h?raw';
import move16Text from '../../firmware/mote/src/mote_move16.h?raw';
import pool16Text from '../../firmware/mote/src/mote_pool16.h?raw';
import softmax16Text from '../../firmware/mote/src/mote_softmax16.h?raw';
import configText from '../../firmware/mote/src/mote_config.h?raw';
import convDspText from '../../firmware/mote/src/mote_conv_dsp.h?raw';
import convPlainText from '../../firmware/mote/src/mote_conv_plain.h?raw';
import convQuadText from '../../firmware/mote/src/mote_conv_quad.h?raw';
import convText from '../../firmware/mote/src/mote_conv.h?raw';
import crc32Text from '../../firmware/mote/src/mote_crc32.h?raw';
import denseDspText from '../../firmware/mote/src/mote_dense_dsp.h?raw';
import denseQuadText from '../../firmware/mote/src/mote_dense_quad.h?raw';
import depthwiseDspText from '../../firmware/mote/src/mote_depthwise_dsp.h?raw';
import elementwiseText from '../../firmware/mote/src/mote_elementwise.h?raw';
import elementwiseDspText from '../../firmware/mote/src/mote_elementwise_dsp.h?raw';
import flashText from '../../firmware/mote/src/mote_flash.h?raw';
import flattenText from '../../firmware/mote/src/mote_flatten.h?raw';
import inputText from '../../firmware/mote/src/mote_input.h?raw';
import floatOpsText from '../../firmware/mote/src/mote_float_ops.h?raw';
import mathText from '../../firmware/mote/src/mote_math.h?raw';
import moveText from '../../firmware/mote/src/mote_move.h?raw';
import poolText from '../../firmware/mote/src/mote_pool.h?raw';
import poolDspText from '../../firmware/mote/src/mote_pool_dsp.h?raw';
import rawText from '../../firmware/mote/src/mote_raw.h?raw';
import requantizeText from '../../firmware/mote/src/mote_requantize.h?raw';
import selftestText from '../../firmware/mote/src/mote_selftest.h?raw';
import smoothText from '../../firmware/mote/src/mote_smooth.h?raw';
import stripsText from '../../firmware/mote/src/mote_strips.h?raw';
import softmaxText from '../../firmware/mote/src/mote_softmax.h?raw';
import spectralText from '../../firmware/mote/src/mote_spectral.h?raw';
import windowText from '../../firmware/mote/src/mote_window.h?raw';
import type { Rounding } from '../quantize/int8-graph';

/** In an order in which every file comes after those that it includes. */
const FRAGMENTS = [
  flashText,
  mathText,
  rawText,
  flattenText,
  spectralText,
  inputText,
  requantizeText,
  softmaxText,
  convText,
  convPlainText,
  convDspText,
  depthwiseDspText,
  convQuadText,
  denseDspText,
  denseQuadText,
  poolText,
  elementwiseText,
  moveText,
  stripsText,
  poolDspText,
  conv16Text,
  pool16Text,
  elementwise16Text,
  move16Text,
  softmax16Text,
  elementwiseDspText,
  floatOpsText,
  windowText,
  smoothText,
  crc32Text,
  selftestText,
];

/** One function, type or macro, or a block that depends on the compiler, with the comment before it. */
interface Item {
  /** What it defines: one name, except for blocks. */
  readonly names: readonly string[];
  readonly text: string;
  /** Other names of the runtime that it mentions. */
  readonly needs: readonly string[];
}

/** What lies between the include guard's `#define` and its `#endif`, without includes. */
function bodyOf(fragment: string): string {
  const lines = fragment.split('\n');
  const guard = lines.findIndex((line) => /^#define MOTE_\w+_H$/.test(line));
  const end = lines.lastIndexOf('#endif');
  return lines
    .slice(guard + 1, end)
    .filter((line) => !line.startsWith('#include'))
    .join('\n')
    .trim();
}

/** Names of the runtime in a piece of C, comments aside. */
function namesIn(text: string): string[] {
  return [...text.replace(/\/\*[^]*?\*\//g, '').matchAll(/\b(?:mote|MOTE)_\w+/g)].map(([name]) => name);
}

function itemsOf(fragment: string): Item[] {
  const items: Item[] = [];
  const lines = bodyOf(fragment).split('\n');
  let comment: string[] = [];
  for (let at = 0; at < lines.length;) {
    const first = lines[at] as string;
    const isLast = endOfItem(first);
    let end = at;
    while (end < lines.length - 1 && !isLast(lines[end] as string)) end++;
    const text = lines.slice(at, end + 1);
    at = end + 1;
    if (first === '') {
      comment = [];
    } else if (first.startsWith('/*')) {
      comment = text;
    } else {
      const names = first.startsWith('#if') ? namesOfBlock(text) : [nameOf(text)];
      const needs = namesIn(text.join('\n')).filter((needed) => !names.includes(needed));
      items.push({ names, text: [...comment, ...text].join('\n'), needs });
      comment = [];
    }
  }
  return items;
}

/** Tells the last line of an item from its first. */
function endOfItem(first: string): (line: string) => boolean {
  if (first.startsWith('/*')) return (line) => line.endsWith('*/');
  if (first.startsWith('#define')) return (line) => !line.endsWith('\\');
  if (first.startsWith('MOTE_FN') && /\{.*\}$/.test(first)) return () => true;
  if (first.startsWith('MOTE_FN') || first.startsWith('typedef struct {')) return (line) => line.startsWith('}');
  if (first === '') return () => true;
  if (first.startsWith('#if')) {
    let depth = 0;
    return (line) => {
      if (line.startsWith('#if')) depth++;
      if (line.startsWith('#endif')) depth--;
      return depth === 0;
    };
  }
  throw new Error(`A fragment of the runtime has a line that the emitter does not understand: ${first}`);
}

function nameOf(text: readonly string[]): string {
  const first = text[0] as string;
  const name = first.startsWith('typedef')
    ? /^\} (\w+);$/.exec(text.at(-1) as string)?.[1]
    : /^(?:#define |MOTE_FN .*?\b)(mote_\w+(?=\()|MOTE_\w+)/.exec(first)?.[1];
  if (name === undefined) throw new Error(`A fragment of the runtime has an item without a name: ${first}`);
  return name;
}

/** Functions and macros that a block of conditional code defines in one of its branches. */
function namesOfBlock(text: readonly string[]): string[] {
  const definition = /^(?:#define |MOTE_FN .*?\b|MOTE_(?:QUAD_)?NAKED .*?\b)(mote_\w+(?=\()|MOTE_\w+)/;
  return [...new Set(text.flatMap((line) => definition.exec(line)?.[1] ?? []))];
}

/** What fragments choose their rounding by. */
const CHOICE = '#if defined(MOTE_SINGLE_ROUNDING)';

/** The fragment with the choices between single and double rounding made; all other conditions stay. */
function rounded(fragment: string, rounding: Rounding): string {
  const kept: string[] = [];
  /** Conditions that are open: whether their lines count, or null for one that stays. */
  const open: (boolean | null)[] = [];
  for (const line of fragment.split('\n')) {
    const choice = open.at(-1) ?? null;
    if (line === CHOICE) {
      open.push(rounding === 'single');
    } else if (choice !== null && line === '#else') {
      open[open.length - 1] = !choice;
    } else if (choice !== null && line === '#endif') {
      open.pop();
    } else {
      if (line.startsWith('#endif')) open.pop();
      else if (line.startsWith('#if')) open.push(null);
      if (!open.includes(false)) kept.push(line);
    }
  }
  return kept.join('\n');
}

const ITEMS: Readonly<Record<Rounding, readonly Item[]>> = {
  double: FRAGMENTS.flatMap((fragment) => itemsOf(rounded(fragment, 'double'))),
  single: FRAGMENTS.flatMap((fragment) => itemsOf(rounded(fragment, 'single'))),
};

function rename(text: string, prefix: string): string {
  return text.replace(/\bmote_/g, `${prefix}_`).replace(/\bMOTE_/g, `${prefix.toUpperCase()}_`);
}

/**
 * C text of the named runtime functions (`mote_softmax`) and all they need, declared for the given prefix; the promise
 * of exact float arithmetic first. Kernels round as `rounding` says.
 */
export function runtimeText(functions: Iterable<string>, prefix: string, rounding: Rounding = 'double'): string {
  const all = ITEMS[rounding];
  const needed = new Set<string>();
  const open = [...functions];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (needed.has(name)) continue;
    needed.add(name);
    open.push(...all.filter((item) => item.names.includes(name)).flatMap((item) => item.needs));
  }
  const items = all.filter((item) => item.names.some((name) => needed.has(name))).map((item) => item.text);
  const text = items.reduce((before, item) => {
    const together = item.startsWith('#define') && (before.split('\n').at(-1) as string).startsWith('#define');
    return before + (together ? '\n' : '\n\n') + item;
  }, bodyOf(configText));
  return rename(text, prefix);
}
