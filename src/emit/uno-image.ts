/**
 * A model as the firmware for Arduino Uno and Nano reads it from flash (docs/uno.md, firmware/boards/uno/uno_model.c),
 * and whether it fits there. Holds what a classification needs and nothing else: no receipt, no names of tensors, no
 * scales of weights; so it is smaller than the pack, and the pack cannot be regenerated from it.
 */
import { strideFrames, windowFrames, type CompiledBlock } from '../dsp/block';
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
  /** `longestMs`: the longest window with which the same blocks and network fit, or null when none does. */
  | { readonly code: 'ram'; readonly bytes: number; readonly room: number; readonly longestMs: number | null }
  | { readonly code: 'flash'; readonly bytes: number; readonly room: number };

export interface UnoFit {
  /** Empty when the model fits. */
  readonly problems: readonly UnoProblem[];
  /** RAM that the model works in. */
  readonly ramBytes: number;
  /** Flash of the image with the fewest known answers. */
  readonly imageBytes: number;
}

const MAGIC = 0x4f4e554d;
const VERSION = 1;
const HEADER_BYTES = 62;
const CRC_AT = 8;
const CRC_FROM = 12;
const DENSE = 1;
const SOFTMAX = 2;
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
  const strange = ops.find((op, i) => {
    const before = i === 0 ? graph.input : (ops[i - 1] as Int8Op).output;
    return !isRunnable(op, graph) || !follows(graph, op.input, before);
  });
  if (strange) {
    problems.push({ code: 'operation', operation: strange.kind });
    return { problems, ramBytes: 0, imageBytes: 0 };
  }
  const arena = placeActivations(graph, ops as readonly UnoOp[]).bytes;
  const frames = windowFrames(input);
  const ram = ramBytes(model, frames, arena);
  if (ram > memory.workBytes) {
    const perFrame = 2 * input.channels.length + 4;
    const spare = memory.workBytes - (ram - perFrame * frames);
    const longest = Math.floor(spare / perFrame);
    problems.push({
      code: 'ram',
      bytes: ram,
      room: memory.workBytes,
      longestMs: longest > 0 ? Math.floor((1000 * longest) / input.rateHz) : null,
    });
  }
  const image = writeImage(model, 0, 0, Math.min(FEWEST_ANSWERS, model.selfTest.generatedCount)).length;
  if (image > room) problems.push({ code: 'flash', bytes: image, room });
  return { problems, ramBytes: ram, imageBytes: image };
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
