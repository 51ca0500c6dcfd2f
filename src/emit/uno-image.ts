/**
 * A model as the firmware for Arduino Uno and Nano reads it from flash (docs/uno.md, firmware/boards/uno/uno_model.c),
 * and whether it fits there. Holds what a classification needs and nothing else: no receipt, no names of tensors, no
 * scales of weights; so it is smaller than the pack, and the pack cannot be regenerated from it: read-uno-image.ts gives a
 * model that computes the same.
 */
import { strideFrames, windowFrames, type BlockKind, type CompiledBlock } from '../dsp/block';
import type { Int8FullyConnected, Int8Graph, Int8Op, Int8Softmax } from '../quantize/int8-graph';
import { ByteWriter } from './byte-writer';
import { crc32 } from './crc32';
import { EmitError, type Model } from './model';
import { featureCount } from './size';

/** What a build of the firmware offers: public/firmware/uno.json. Addresses and sizes in bytes. */
export interface UnoMemory {
  readonly pageBytes: number;
  readonly modelStart: number;
  /** Where Optiboot begins. */
  readonly modelEnd: number;
  /** Where the boot loader of old Nanos begins. */
  readonly modelEndOldNano: number;
  /** RAM for window, activations and scratch. */
  readonly workBytes: number;
  readonly channels: number;
  readonly rateMinHz: number;
  readonly rateMaxHz: number;
}

export type UnoProblem =
  | { readonly code: 'channels'; readonly wanted: number; readonly there: number }
  | { readonly code: 'rate'; readonly wantedHz: number; readonly minHz: number; readonly maxHz: number }
  | { readonly code: 'operation'; readonly operation: string }
  | { readonly code: 'low-frequency' }
  | { readonly code: 'labels'; readonly wanted: number; readonly most: number }
  | { readonly code: 'ram'; readonly bytes: number; readonly room: number }
  | { readonly code: 'flash'; readonly bytes: number; readonly room: number };

/** One change that makes a model fit whose only trouble is room, everything else staying as it is. */
export type UnoRemedy =
  /** Hidden layers of at most `most` units; the largest has `now`. */
  | { readonly code: 'units'; readonly most: number; readonly now: number }
  /** At most `most` features instead of `now`. */
  | { readonly code: 'features'; readonly most: number; readonly now: number }
  /** A window of `longestMs` at most. */
  | { readonly code: 'window'; readonly longestMs: number }
  /** An FFT of `points` instead of `now`. */
  | { readonly code: 'fft'; readonly points: number; readonly now: number }
  /** Leaving this block out. */
  | { readonly code: 'without-block'; readonly kind: BlockKind };

export interface UnoFit {
  /** Empty when the model fits. */
  readonly problems: readonly UnoProblem[];
  /** What would make it fit; empty when it does, and when no single change would. */
  readonly remedies: readonly UnoRemedy[];
  /** RAM that the model works in. */
  readonly ramBytes: number;
  /** Flash of the image with the fewest known answers. */
  readonly imageBytes: number;
}

export const MAGIC = 0x4f4e554d;
export const VERSION = 1;
export const HEADER_BYTES = 62;
export const CRC_AT = 8;
export const CRC_FROM = 12;
export const DENSE = 1;
export const SOFTMAX = 2;
/** A result with more scores fits no frame. */
const MOST_LABELS = 160;
/** Known answers that a model must bring along at least, so that it can be proved on the board. */
const FEWEST_ANSWERS = 8;
/** And at most: each takes the board a classification. */
const MOST_ANSWERS = 64;

type UnoOp = Int8FullyConnected | Int8Softmax;

/** Operations that do something. Shapes do not matter here: activations are rows of bytes. */
function opsOf(graph: Int8Graph): readonly Int8Op[] {
  return graph.ops.filter((op) => op.kind !== 'reshape');
}

function elements(graph: Int8Graph, tensor: number): number {
  return (graph.tensors[tensor]?.shape ?? []).reduce((product, size) => product * size, 1);
}

/** Whether the firmware can run this op: a dense layer over one row, or a softmax over one. */
function isRunnable(op: Int8Op, graph: Int8Graph): op is UnoOp {
  if (op.kind === 'softmax') return (graph.tensors[op.input]?.shape ?? []).at(-1) === elements(graph, op.input);
  return op.kind === 'fullyConnected' && op.weights.length / op.bias.length === elements(graph, op.input);
}

/** The first operation that the firmware cannot run, or that does not take what the one before it gives. */
function strangeOp(graph: Int8Graph): Int8Op | undefined {
  const ops = opsOf(graph);
  return ops.find((op, i) => {
    const before = i === 0 ? graph.input : (ops[i - 1] as Int8Op).output;
    return !isRunnable(op, graph) || !follows(graph, op.input, before);
  });
}

/** Activations in turn at the beginning and at the end of the arena: no op writes what it still reads. */
function placeActivations(graph: Int8Graph, ops: readonly UnoOp[]): { readonly at: number[]; readonly bytes: number } {
  const sizes = [elements(graph, graph.input), ...ops.map((op) => elements(graph, op.output))];
  const bytes = Math.max(...sizes.map((size, i) => size + (sizes[i + 1] ?? 0)));
  return { at: sizes.map((size, i) => (i % 2 === 0 ? 0 : bytes - size)), bytes };
}

/** Float32 that a block works in: one axis, its features, and what the block itself needs. */
function scratchFloats(block: CompiledBlock, frames: number): number {
  const perAxis = block.featureCount / block.channels.length;
  switch (block.kind) {
    case 'raw':
      return frames;
    case 'flatten':
      return frames + perAxis;
    case 'spectral': {
      const length = 2 ** (block.ints[0] ?? 0);
      return length + length / 2 + 1 + frames + perAxis;
    }
  }
}

function ramBytes(model: Model, frames: number, arena: number): number {
  const { labels, smoothing, input, blocks } = model;
  const scratch = Math.max(...blocks.map((block) => scratchFloats(block, frames)));
  return 2 * frames * input.channels.length + arena + labels.length * (1 + smoothing.windows) + 4 * scratch;
}

const SPECTRAL_LOW_FREQUENCY = 4;

/** Whether the model fits the firmware, and what stands in the way. `end` is where the model area ends on this board. */
export function fitUno(model: Model, memory: UnoMemory, end = memory.modelEnd): UnoFit {
  const problems: UnoProblem[] = [];
  const { input, graph, blocks, labels } = model;
  const room = end - memory.modelStart;
  if (input.channels.length !== memory.channels) {
    problems.push({ code: 'channels', wanted: input.channels.length, there: memory.channels });
  }
  if (input.rateHz < memory.rateMinHz || input.rateHz > memory.rateMaxHz) {
    problems.push({ code: 'rate', wantedHz: input.rateHz, minHz: memory.rateMinHz, maxHz: memory.rateMaxHz });
  }
  if (labels.length > MOST_LABELS) problems.push({ code: 'labels', wanted: labels.length, most: MOST_LABELS });
  if (blocks.some((b) => b.kind === 'spectral' && ((b.ints[1] ?? 0) & SPECTRAL_LOW_FREQUENCY) !== 0)) {
    problems.push({ code: 'low-frequency' });
  }
  const ops = opsOf(graph);
  const strange = strangeOp(graph);
  if (strange) {
    problems.push({ code: 'operation', operation: strange.kind });
    return { problems, remedies: [], ramBytes: 0, imageBytes: 0 };
  }
  const arena = placeActivations(graph, ops as readonly UnoOp[]).bytes;
  const frames = windowFrames(input);
  const ram = ramBytes(model, frames, arena);
  if (ram > memory.workBytes) {
    problems.push({ code: 'ram', bytes: ram, room: memory.workBytes });
  }
  const image = writeImage(model, 0, 0, Math.min(FEWEST_ANSWERS, model.selfTest.generatedCount)).length;
  if (image > room) problems.push({ code: 'flash', bytes: image, room });
  const onlyRoom = problems.every(({ code }) => code === 'ram' || code === 'flash');
  const remedies = problems.length > 0 && onlyRoom ? remediesOf(shapeOf(model), memory.workBytes, room) : [];
  return { problems, remedies, ramBytes: ram, imageBytes: image };
}

/** All that sizes depend on. */
export interface UnoShape {
  readonly frames: number;
  readonly rateHz: number;
  readonly channels: number;
  readonly labels: number;
  readonly textBytes: number;
  readonly smoothedWindows: number;
  readonly blocks: readonly {
    readonly kind: BlockKind;
    readonly channels: number;
    readonly features: number;
    /** Bytes in the image. */
    readonly bytes: number;
    /** Points of a spectral block's FFT, else 0. */
    readonly points: number;
  }[];
  /** Units of dense layers, 'softmax' for others. */
  readonly layers: readonly (number | 'softmax')[];
  /** One multiplier per unit (or one for a layer). */
  readonly perUnit: boolean;
  /** Known answers that must have room. */
  readonly answers: number;
}

const DENSE_HEAD_BYTES = 14;
const SOFTMAX_BYTES = 16;
const BLOCK_HEAD_BYTES = 6;
/** Fewer hidden units, features or FFT points than these are no proposal. */
const FEWEST_UNITS = 2;
const FEWEST_FEATURES = 2;
const FEWEST_POINTS = 16;

export function shapeOf(model: Model): UnoShape {
  const ops = opsOf(model.graph);
  const dense = ops.filter((op) => op.kind === 'fullyConnected');
  return {
    frames: windowFrames(model.input),
    rateHz: model.input.rateHz,
    channels: model.input.channels.length,
    labels: model.labels.length,
    textBytes: [model.prefix, ...model.labels].reduce((sum, one) => sum + new TextEncoder().encode(one).length + 1, 0),
    smoothedWindows: model.smoothing.windows,
    blocks: model.blocks.map(({ kind, channels, ints, floats, featureCount }) => ({
      kind,
      channels: channels.length,
      features: featureCount,
      bytes: BLOCK_HEAD_BYTES + channels.length + 4 * (ints.length + floats.length),
      points: kind === 'spectral' ? 2 ** (ints[0] ?? 0) : 0,
    })),
    layers: ops.map((op) => (op.kind === 'fullyConnected' ? op.bias.length : 'softmax')),
    perUnit: dense.some((op) => op.multiplier.length > 1),
    answers: Math.min(FEWEST_ANSWERS, model.selfTest.generatedCount),
  };
}

/** Bytes of RAM and of the image that a model of this shape takes. `features` is by default what the blocks give. */
export function unoSizes(
  shape: UnoShape,
  features = shape.blocks.reduce((sum, block) => sum + block.features, 0),
): { readonly ram: number; readonly image: number } {
  const { frames, channels, labels, blocks, layers, answers, perUnit } = shape;
  let image = HEADER_BYTES + shape.textBytes + 8 * features + 8 * channels + answers * (4 + labels);
  for (const block of blocks) image += block.bytes;
  let arena = 0;
  let inputs = features;
  for (const layer of layers) {
    const units = layer === 'softmax' ? inputs : layer;
    const scales = perUnit ? units : 1;
    image += layer === 'softmax' ? SOFTMAX_BYTES : DENSE_HEAD_BYTES + 4 * units + 5 * scales + units * inputs;
    arena = Math.max(arena, inputs + units);
    inputs = units;
  }
  const scratch = blocks.map(({ kind, points, features: count, channels: axes }) =>
    kind === 'raw' ? frames : (kind === 'spectral' ? points + points / 2 + 1 : 0) + frames + count / axes,
  );
  return {
    ram: 2 * frames * channels + arena + labels * (1 + shape.smoothedWindows) + 4 * Math.max(0, ...scratch),
    image,
  };
}

/** Every remedy is the mildest of its kind that is enough by itself. */
function remediesOf(shape: UnoShape, ramRoom: number, imageRoom: number): UnoRemedy[] {
  const fits = (changed: UnoShape, features?: number): boolean => {
    const { ram, image } = unoSizes(changed, features);
    return ram <= ramRoom && image <= imageRoom;
  };
  /** The largest of `from` - 1 down to `to` that fits. */
  const largest = (from: number, to: number, enough: (value: number) => boolean): number | null => {
    for (let value = from - 1; value >= to; value--) if (enough(value)) return value;
    return null;
  };
  const remedies: UnoRemedy[] = [];
  const { layers, blocks, frames } = shape;

  const output = layers.findLastIndex((layer) => layer !== 'softmax');
  const hidden = layers.filter((layer, i): layer is number => layer !== 'softmax' && i !== output);
  const widest = Math.max(0, ...hidden);
  const capped = (cap: number): UnoShape => ({
    ...shape,
    layers: layers.map((layer, i) => (layer === 'softmax' || i === output ? layer : Math.min(layer, cap))),
  });
  const units = largest(widest, FEWEST_UNITS, (cap) => fits(capped(cap)));
  if (units !== null) remedies.push({ code: 'units', most: units, now: widest });

  const now = blocks.reduce((sum, block) => sum + block.features, 0);
  const features = largest(now, FEWEST_FEATURES, (count) => fits(shape, count));
  if (features !== null) remedies.push({ code: 'features', most: features, now });

  // Shorter windows give fewer raw features too; not counting on that, the answer is on the safe side.
  const shorter = largest(frames, 1, (count) => fits({ ...shape, frames: count }));
  if (shorter !== null) {
    remedies.push({ code: 'window', longestMs: Math.floor((1000 * shorter) / shape.rateHz) });
  }

  const points = Math.max(0, ...blocks.map((block) => block.points));
  for (let fewer = points / 2; fewer >= FEWEST_POINTS; fewer /= 2) {
    const most = fewer;
    const smaller = blocks.map((block) => ({ ...block, points: Math.min(block.points, most) }));
    if (!fits({ ...shape, blocks: smaller })) continue;
    remedies.push({ code: 'fft', points: fewer, now: points });
    break;
  }

  if (blocks.length > 1) {
    const spare = blocks.find((block) => fits({ ...shape, blocks: blocks.filter((other) => other !== block) }));
    if (spare) remedies.push({ code: 'without-block', kind: spare.kind });
  }
  return remedies;
}

/** Whether `tensor` is `before`, reshapes aside. */
function follows(graph: Int8Graph, tensor: number, before: number): boolean {
  if (tensor === before) return true;
  const reshape = graph.ops.find((op) => op.kind === 'reshape' && op.output === tensor);
  return reshape?.kind === 'reshape' && follows(graph, reshape.input, before);
}

/**
 * The image, with as many known answers as there is room for. `id` is that of the model's pack.
 * Throws EmitError `too-large` or `bad-model` when the model does not fit: ask `fitUno` for the reasons.
 */
export function unoImage(model: Model, id: number, memory: UnoMemory, end = memory.modelEnd): Uint8Array {
  const { problems } = fitUno(model, memory, end);
  const [first] = problems;
  if (first) {
    const large = first.code === 'ram' || first.code === 'flash';
    throw new EmitError(large ? 'too-large' : 'bad-model', `This model does not fit an Arduino Uno (${first.code}).`);
  }
  const room = end - memory.modelStart;
  const { recordedCount, generatedCount } = model.selfTest;
  const perAnswer = 4 + model.labels.length;
  const bare = writeImage(model, id, 0, 0).length;
  const generated = Math.min(generatedCount, MOST_ANSWERS, Math.floor((room - bare) / perAnswer));
  const perRecorded = perAnswer + 2 * windowFrames(model.input) * model.input.channels.length;
  const left = room - bare - generated * perAnswer;
  const recorded = Math.min(recordedCount, MOST_ANSWERS - generated, Math.floor(left / perRecorded));
  return writeImage(model, id, recorded, generated);
}

/**
 * Whether an Uno makes no difference between the two: names, blocks, network and decisions are the same, byte for byte.
 * Known answers aside: of them there are as many in an image as there was room for.
 */
export function sameOnUno(one: Model, other: Model): boolean {
  if (strangeOp(one.graph) ?? strangeOp(other.graph)) return false;
  const [a, b] = [writeImage(one, 0, 0, 0), writeImage(other, 0, 0, 0)];
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** @param recorded, generated how many known answers of each kind. */
function writeImage(model: Model, id: number, recorded: number, generated: number): Uint8Array {
  const { graph, input, labels, selfTest, smoothing, affine } = model;
  const ops = opsOf(graph) as readonly UnoOp[];
  const places = placeActivations(graph, ops);
  const output = graph.tensors[graph.output];
  if (!output) throw new EmitError('bad-model', 'The network of this model has no output.');
  const frames = windowFrames(input);

  const text = new ByteWriter();
  for (const one of [model.prefix, ...labels]) {
    text.bytes(new TextEncoder().encode(one));
    text.u8(0);
  }
  const blocks = new ByteWriter();
  for (const block of model.blocks) writeBlock(blocks, block);
  const scaling = new ByteWriter();
  scaling.f32Array(affine.a);
  scaling.f32Array(affine.b);
  const network = new ByteWriter();
  ops.forEach((op, i) => writeOp(network, graph, op, places.at[i] ?? 0, places.at[i + 1] ?? 0));
  const answers = new ByteWriter();
  answers.f32Array(selfTest.channelScale);
  answers.f32Array(selfTest.channelOffset);
  const answer = (index: number): void => {
    answers.u32(selfTest.featureCrc[index] ?? 0);
    answers.bytes(selfTest.scores.subarray(index * labels.length, (index + 1) * labels.length));
  };
  for (let i = 0; i < recorded; i++) answer(i);
  for (let i = 0; i < generated; i++) answer(selfTest.recordedCount + i);
  answers.i16Array(selfTest.recorded.subarray(0, recorded * frames * input.channels.length));

  const sections = [text, blocks, scaling, network, answers].map((writer) => writer.finish());
  const size = sections.reduce((sum, section) => sum + section.length, HEADER_BYTES);
  const out = new ByteWriter();
  out.u32(MAGIC);
  out.u16(VERSION);
  out.u16(Math.min(size, 0xffff));
  out.u32(0); // the CRC, below
  out.u32(id >>> 0);
  out.u32(Math.round(input.rateHz * 1000));
  out.u16(frames);
  out.u16(Math.min(strideFrames(input), 0xffff));
  out.u8(input.channels.length);
  out.u8(labels.length & 0xff);
  out.u8(model.blocks.length);
  out.u8(ops.length);
  out.u8(smoothing.windows);
  out.u8(output.zeroPoint & 0xff);
  out.u16(Math.min(ramBytes(model, frames, places.bytes), 0xffff));
  out.u32(Math.ceil(smoothing.threshold / output.scale));
  out.u16(featureCount(model));
  out.u16(places.at[0] ?? 0);
  out.u16(places.at[ops.length] ?? 0);
  out.u16(places.bytes);
  out.u16(recorded);
  out.u16(generated);
  out.u32(selfTest.seed >>> 0);
  let at = HEADER_BYTES;
  for (const section of sections) {
    out.u16(Math.min(at, 0xffff));
    at += section.length;
  }
  for (const section of sections) out.bytes(section);
  out.patchU32(CRC_AT, crc32(out.finish().subarray(CRC_FROM)));
  return out.finish();
}

function writeBlock(out: ByteWriter, block: CompiledBlock): void {
  out.u8(block.opcode);
  out.u8(block.channels.length);
  out.u8(block.ints.length);
  out.u8(block.floats.length & 0xff);
  out.u16(block.featureCount);
  out.bytes(block.channels);
  out.i32Array(block.ints);
  out.f32Array(block.floats);
}

function writeOp(out: ByteWriter, graph: Int8Graph, op: UnoOp, from: number, to: number): void {
  if (op.kind === 'softmax') {
    out.u8(SOFTMAX);
    out.u8(op.leftShift);
    out.u16(from);
    out.u16(to);
    out.u16(elements(graph, op.input));
    out.i32(op.multiplier);
    out.i32(op.diffMin);
    return;
  }
  const units = op.bias.length;
  out.u8(DENSE);
  out.u8(op.multiplier.length > 1 ? 1 : 0);
  out.u16(from);
  out.u16(to);
  out.u16(op.weights.length / units);
  out.u16(units);
  out.u8((graph.tensors[op.input]?.zeroPoint ?? 0) & 0xff);
  out.u8((graph.tensors[op.output]?.zeroPoint ?? 0) & 0xff);
  out.u8(op.actMin & 0xff);
  out.u8(op.actMax & 0xff);
  out.i32Array(op.bias);
  out.i32Array(op.multiplier);
  op.shift.forEach((value) => out.u8(value & 0xff));
  out.bytes(op.weights);
}
