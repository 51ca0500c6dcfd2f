/**
 * Back from the image on an Arduino Uno (uno-image.ts) to a model that computes the same bytes. The image is untrusted:
 * every length is checked, and the model must give the image's own known answers before it is believed.
 */
import type { Channel } from '../signal/recording';
import type { CompiledBlock } from '../dsp/block';
import { checkCompiledBlock } from '../dsp/compile';
import type { Int8Graph, Int8Op, Int8Tensor } from '../quantize/int8-graph';
import { SOFTMAX_OUTPUT_SCALE } from '../quantize/check';
import { ByteReader } from './byte-reader';
import { checkModel } from './check-model';
import { crc32 } from './crc32';
import { EmitError, UNKNOWN_PIPELINE, type Model } from './model';
import { planMemory } from './plan';
import { createRunner } from './run-model';
import { selfTestCount, selfTestWindow } from './self-test';
import { CRC_AT, CRC_FROM, DENSE, HEADER_BYTES, MAGIC, SOFTMAX, VERSION } from './uno-image';

export interface ReadUnoModel {
  /** The id of the pack that the image was made of. */
  readonly id: number;
  /**
   * Gives the same features, scores and decisions. What the image does not hold is not invented: the receipt is empty,
   * and scales of tensors and weights are such that their products are right. So its pack has another id.
   */
  readonly model: Model;
}

const BLOCK_VERSIONS: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 4 };
/** Scale of tensors whose scale the image does not tell: only ratios matter. */
const UNIT_SCALE = 1;
/** Weight scale of a multiplier of 0: it must be positive, and counts for nothing. */
const LEAST_SCALE = 2 ** -100;
const LAST_SECTION = 4;

/** Bytes of the image that begins like this, or null when none does. `head` is at least its first 8 bytes. */
export function unoImageBytes(head: Uint8Array): number | null {
  if (head.length < CRC_AT) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const size = view.getUint16(6, true);
  return view.getUint32(0, true) === MAGIC && size >= HEADER_BYTES ? size : null;
}

/**
 * @param flash the model area from its start; what lies behind the image is ignored
 * @param channels of the firmware, in its order
 * @throws EmitError `pack-magic` when there is no image, `pack-version`, `pack-truncated`, `pack-crc`, or `pack-corrupt`
 *   when its parts contradict each other or its known answers are not what it computes.
 */
export function readUnoImage(flash: Uint8Array, channels: readonly Channel[]): ReadUnoModel {
  const size = unoImageBytes(flash);
  if (size === null) throw new EmitError('pack-magic', 'There is no model in the flash of this board.');
  if (size > flash.length) throw new EmitError('pack-truncated', 'The model in the flash ends too early.');
  const image = flash.subarray(0, size);
  const head = new ByteReader(image, 'head');
  head.u32();
  const version = head.u16();
  if (version !== VERSION) {
    throw new EmitError('pack-version', `The model on the board has form ${version}, which this studio does not know.`);
  }
  head.u16();
  if (head.u32() !== crc32(image.subarray(CRC_FROM))) {
    throw new EmitError('pack-crc', 'The model in the flash of this board is damaged. Write it again.');
  }
  try {
    return readSound(image, head, channels);
  } catch (cause) {
    if (cause instanceof EmitError && cause.code === 'pack-truncated') throw cause;
    throw corrupt(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function corrupt(what: string, cause?: unknown): EmitError {
  return new EmitError('pack-corrupt', `The model on the board contradicts itself: ${what}`, { cause });
}

/** `head` stands behind the CRC. */
function readSound(image: Uint8Array, head: ByteReader, channels: readonly Channel[]): ReadUnoModel {
  const id = head.u32();
  const rateHz = head.u32() / 1000;
  const windowFrames = head.u16();
  const strideFrames = head.u16();
  const [channelCount = 0, labelCount = 0, blockCount = 0, opCount = 0, smoothed = 0, outputZero = 0] = head.bytes(6);
  head.u16(); // RAM
  const thresholdSteps = head.i32();
  const features = head.u16();
  head.u16();
  head.u16();
  head.u16(); // places in the arena
  const recordedCount = head.u16();
  const generatedCount = head.u16();
  const seed = head.u32();
  const starts = Array.from({ length: LAST_SECTION + 1 }, () => head.u16());
  if (channelCount !== channels.length) throw corrupt(`it listens to ${channelCount} channels.`);
  if (rateHz === 0) throw corrupt('it has no rate.');
  const section = (index: number, what: string): ByteReader => {
    const from = starts[index] ?? 0;
    const to = index === LAST_SECTION ? image.length : (starts[index + 1] ?? 0);
    if (from < HEADER_BYTES || to < from || to > image.length) throw corrupt(`its ${what} lie outside of it.`);
    return new ByteReader(image.subarray(from, to), what);
  };

  const text = section(0, 'texts');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const [prefix = '', ...labels] = Array.from({ length: 1 + labelCount }, () => decoder.decode(text.untilZero()));
  const blocksFrom = section(1, 'blocks');
  const blocks = Array.from({ length: blockCount }, () => readBlock(blocksFrom, windowFrames, channelCount));
  const scaling = section(2, 'scales');
  const affine = { a: scaling.f32Array(features), b: scaling.f32Array(features) };
  const graph = readGraph(section(3, 'operations'), opCount, features, (outputZero << 24) >> 24);

  const answers = section(LAST_SECTION, 'known answers');
  const channelScale = answers.f32Array(channelCount);
  const channelOffset = answers.f32Array(channelCount);
  const count = recordedCount + generatedCount;
  const featureCrc = new Uint32Array(count);
  const scores = new Int8Array(count * labelCount);
  for (let i = 0; i < count; i++) {
    featureCrc[i] = answers.u32();
    scores.set(answers.i8Array(labelCount), i * labelCount);
  }
  const recorded = answers.i16Array(recordedCount * windowFrames * channelCount);

  const model: Model = {
    prefix,
    labels,
    input: {
      channels,
      rateHz,
      windowMs: (1000 * windowFrames) / rateHz,
      strideMs: (1000 * strideFrames) / rateHz,
    },
    blocks,
    affine,
    graph,
    plan: planMemory(graph),
    smoothing: { windows: smoothed, threshold: thresholdSteps * SOFTMAX_OUTPUT_SCALE },
    selfTest: { channelScale, channelOffset, recorded, recordedCount, generatedCount, seed, featureCrc, scores },
    receipt: {
      app: 'read back from an Arduino Uno',
      trainedOn: '',
      dataset: '',
      seed: 0,
      split: { trainRecordings: 0, testRecordings: 0, trainWindows: 0, testWindows: 0 },
      accuracyFloat: null,
      accuracyInt8: null,
      pipeline: UNKNOWN_PIPELINE,
    },
  };
  checkModel(model);
  prove(model);
  return { id, model };
}

/** Throws unless the model gives all known answers. */
function prove(model: Model): void {
  const runner = createRunner(model);
  const { featureCrc, scores } = model.selfTest;
  const width = model.labels.length;
  for (let i = 0; i < selfTestCount(model.selfTest); i++) {
    const result = runner.classify(selfTestWindow(model, i));
    const wanted = scores.subarray(i * width, (i + 1) * width);
    if (result.featureCrc !== featureCrc[i] || wanted.some((score, label) => score !== result.scores[label])) {
      throw corrupt(`it does not give its own known answer ${i}.`);
    }
  }
}

function readBlock(from: ByteReader, frames: number, channels: number): CompiledBlock {
  const [opcode = 0, axes = 0, ints = 0, floats = 0] = from.bytes(4);
  const featureCount = from.u16();
  const stored = {
    opcode,
    version: BLOCK_VERSIONS[opcode] ?? 0,
    channels: from.bytes(axes),
    ints: from.i32Array(ints),
    floats: from.f32Array(floats),
  };
  const block = checkCompiledBlock(stored, frames, channels);
  if (block.featureCount !== featureCount) throw corrupt(`a block gives ${block.featureCount} features.`);
  return block;
}

function readGraph(from: ByteReader, opCount: number, features: number, outputZero: number): Int8Graph {
  const tensors: Int8Tensor[] = [{ name: 'features', shape: [features], scale: UNIT_SCALE, zeroPoint: 0 }];
  const ops: Int8Op[] = [];
  for (let i = 0; i < opCount; i++) {
    const before = tensors[i];
    if (!before) throw corrupt('an operation has no input.');
    const kind = from.bytes(1)[0];
    const [form = 0] = from.bytes(1);
    from.u16();
    from.u16(); // places
    const inputs = from.u16();
    if (inputs !== before.shape[0]) throw corrupt(`operation ${i} takes ${inputs} values.`);
    const last = i === opCount - 1;
    if (kind === SOFTMAX) {
      const multiplier = from.i32();
      const diffMin = from.i32();
      ops.push({ kind: 'softmax', input: i, output: i + 1, leftShift: form, multiplier, diffMin });
      tensors.push({ name: `tensor ${i + 1}`, shape: [inputs], scale: SOFTMAX_OUTPUT_SCALE, zeroPoint: -128 });
      continue;
    }
    if (kind !== DENSE) throw corrupt(`operation ${i} is not known.`);
    const units = from.u16();
    const [inputZero = 0, zeroPoint = 0, actMin = 0, actMax = 0] = from.i8Array(4);
    if (i === 0) tensors[0] = { ...before, zeroPoint: inputZero };
    else if (inputZero !== before.zeroPoint) throw corrupt(`operation ${i} takes another zero point.`);
    const scales = form === 0 ? 1 : units;
    const bias = from.i32Array(units);
    const multiplier = from.i32Array(scales);
    const shift = Int32Array.from(from.i8Array(scales));
    const weights = from.i8Array(units * inputs);
    const scale = last ? SOFTMAX_OUTPUT_SCALE : UNIT_SCALE;
    const weightScale = Float32Array.from(multiplier, (value, c) =>
      Math.max(LEAST_SCALE, (value * 2 ** ((shift[c] ?? 0) - 31) * scale) / before.scale),
    );
    tensors.push({ name: `tensor ${i + 1}`, shape: [units], scale, zeroPoint });
    ops.push({
      kind: 'fullyConnected',
      input: i,
      output: i + 1,
      weights,
      bias,
      weightScale,
      multiplier,
      shift,
      actMin,
      actMax,
    });
  }
  if (tensors[opCount]?.zeroPoint !== outputZero) throw corrupt('its scores have two zero points.');
  return { tensors, ops, input: 0, output: opCount };
}
