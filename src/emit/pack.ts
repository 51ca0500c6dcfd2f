/** A model as bytes and back: docs/pack-format.md. */
import { BLOCK_OPCODE, strideFrames, windowFrames, type BlockKind, type CompiledBlock } from '../dsp/block';
import { elementCount } from '../graph/float-graph';
import type { Int8Tensor } from '../quantize/int8-graph';
import { ByteReader } from './byte-reader';
import { ByteWriter } from './byte-writer';
import { canonicalJson } from './canonical-json';
import { checkModel, checkReceipt, LIMITS, thresholdSteps } from './check-model';
import { crc32 } from './crc32';
import { EmitError, type Model, type Receipt, type SelfTest } from './model';
import { readOp, writeOp } from './pack-ops';
import { featureCount, scratchFloats } from './size';

export const PACK_VERSION = 2;
const MAGIC = 0x45544f4d; // "MOTE"
const CRC_OFFSET = 4;
/** The CRC covers everything from here. */
const CRC_START = 8;
const TABLE_OFFSET = 16;
const SECTIONS = ['spec', 'text', 'blocks', 'affine', 'tensors', 'constants', 'ops', 'selftest', 'receipt'] as const;
type Section = (typeof SECTIONS)[number];
const HEADER_BYTES = TABLE_OFFSET + 8 * SECTIONS.length;
const MAX_RANK = 4;
/** Where the values of a tensor are. */
const IN_ARENA = 0;
const IN_CONSTANTS = 1;

/** Bytes of a model. Throws EmitError (`bad-prefix`, `bad-label`, `bad-model`, `too-large`). */
export function writePack(model: Model): Uint8Array<ArrayBuffer> {
  checkModel(model);
  const out = new ByteWriter();
  out.u32(MAGIC, 0);
  out.u16(PACK_VERSION);
  out.u16(SECTIONS.length);
  out.u32(0);
  for (let i = 0; i < SECTIONS.length; i++) out.u32(0, 0);
  SECTIONS.forEach((section, index) => {
    const start = out.length;
    writeSection(section, model, out);
    out.patchU32(TABLE_OFFSET + 8 * index, start);
    out.patchU32(TABLE_OFFSET + 8 * index + 4, out.length - start);
    out.align();
  });
  if (out.length > LIMITS.packBytes) {
    throw new EmitError('too-large', `The model takes ${out.length} bytes; a pack holds ${LIMITS.packBytes}.`);
  }
  out.patchU32(12, out.length);
  const bytes = out.finish();
  out.patchU32(CRC_OFFSET, crc32(bytes.subarray(CRC_START)));
  return out.finish();
}

/** The id of a pack (its CRC field), which names one model exactly. */
export function packId(pack: Uint8Array): number {
  return new DataView(pack.buffer, pack.byteOffset, pack.byteLength).getUint32(CRC_OFFSET, true);
}

function writeSection(section: Section, model: Model, out: ByteWriter): void {
  switch (section) {
    case 'spec':
      return writeSpec(model, out);
    case 'text':
      return writeText(model, out);
    case 'blocks':
      return model.blocks.forEach((block) => writeBlock(block, out));
    case 'affine':
      out.f32Array(model.affine.a);
      return out.f32Array(model.affine.b);
    case 'tensors': {
      const starts = constantStarts(model.graph.tensors);
      return model.graph.tensors.forEach((tensor, id) =>
        writeTensor(tensor, tensor.data ? (starts[id] as number) : (model.plan.offsets[id] as number), out),
      );
    }
    case 'constants':
      return model.graph.tensors.forEach(({ data }) => {
        if (!data) return;
        out.bytes(data);
        out.align();
      });
    case 'ops':
      return model.graph.ops.forEach((op, step) => writeOp(op, model.graph, model.plan.scratch[step] as number, out));
    case 'selftest':
      return writeSelfTest(model.selfTest, out);
    case 'receipt': {
      const bytes = new TextEncoder().encode(canonicalJson(model.receipt));
      if (bytes.length > LIMITS.receiptBytes) throw new EmitError('too-large', 'The receipt of the model is too long.');
      return out.bytes(bytes);
    }
  }
}

function writeSpec(model: Model, out: ByteWriter): void {
  const { input, graph, plan, smoothing } = model;
  out.f64(input.rateHz, input.windowMs, input.strideMs, smoothing.threshold);
  out.u32(
    Math.round(input.rateHz * 1000),
    input.channels.length,
    windowFrames(input),
    strideFrames(input),
    model.labels.length,
    featureCount(model),
    model.blocks.length,
    graph.tensors.length,
    graph.ops.length,
    graph.input,
    graph.output,
    plan.arenaBytes,
    scratchFloats(model),
    smoothing.windows,
  );
  out.i32(thresholdSteps(model), 0);
}

function texts(model: Model): string[] {
  return [
    model.prefix,
    ...model.labels,
    ...model.input.channels.flatMap(({ name, unit }) => [name, unit]),
    ...model.graph.tensors.map(({ name }) => name),
  ];
}

function writeText(model: Model, out: ByteWriter): void {
  for (const text of texts(model)) out.bytes(new TextEncoder().encode(`${text}\0`));
}

function writeBlock(block: CompiledBlock, out: ByteWriter): void {
  out.u32(
    block.opcode,
    block.version,
    block.channels.length,
    block.ints.length,
    block.floats.length,
    block.featureCount,
    block.scratchFloats,
  );
  out.bytes(block.channels);
  out.align();
  out.i32Array(block.ints);
  out.f32Array(block.floats);
}

/** Per tensor: where its values start in the section "constants"; of no meaning for the others. */
function constantStarts(tensors: readonly Int8Tensor[]): number[] {
  let at = 0;
  return tensors.map(({ data }) => {
    const start = at;
    at += Math.ceil((data?.length ?? 0) / 4) * 4;
    return start;
  });
}

function writeTensor(tensor: Int8Tensor, offset: number, out: ByteWriter): void {
  out.f32(tensor.scale);
  out.i32(tensor.zeroPoint);
  out.u32(offset, elementCount(tensor.shape), tensor.shape.length);
  for (let axis = 0; axis < MAX_RANK; axis++) out.u32(tensor.shape[axis] ?? 0);
  out.u32(tensor.data ? IN_CONSTANTS : IN_ARENA);
}

function writeSelfTest(selfTest: SelfTest, out: ByteWriter): void {
  out.u32(selfTest.recordedCount, selfTest.generatedCount, selfTest.seed, 0);
  out.f32Array(selfTest.channelScale);
  out.f32Array(selfTest.channelOffset);
  out.u32Array(selfTest.featureCrc);
  out.bytes(selfTest.scores);
  out.align();
  out.i16Array(selfTest.recorded);
}

function corrupt(what: string, options?: ErrorOptions): never {
  throw new EmitError('pack-corrupt', `This pack is intact but holds no usable model: ${what}.`, options);
}

/**
 * The model in untrusted bytes. What comes back is safe to print, to run and to write again:
 * `writePack(readPack(bytes))` gives the same bytes. Throws EmitError (`pack-truncated`, `pack-magic`, `pack-version`,
 * `pack-crc`, `pack-corrupt`).
 */
export function readPack(bytes: Uint8Array): Model {
  const sections = readSections(bytes);
  const model = readModel(sections);
  let again: Uint8Array;
  try {
    again = writePack(model);
  } catch (cause) {
    corrupt(cause instanceof Error ? cause.message.replace(/\.$/, '') : 'it fails its checks', { cause });
  }
  if (again.length !== bytes.length || again.some((byte, i) => byte !== bytes[i])) {
    corrupt('it is not laid out as this version of the studio writes it');
  }
  return model;
}

function readSections(bytes: Uint8Array): (section: Section) => ByteReader {
  const header = new ByteReader(bytes, 'beginning');
  if (bytes.length < 4 || header.u32() !== MAGIC) {
    throw new EmitError('pack-magic', 'This is not a Mote model: it does not start with "MOTE".');
  }
  const crc = header.u32();
  const version = header.u16();
  const sectionCount = header.u16();
  const size = header.u32();
  if (version !== PACK_VERSION) {
    throw new EmitError(
      'pack-version',
      `This model has the pack format ${version}, and this version of Mote reads format ${PACK_VERSION}. ` +
        'Update Mote, or train the model again.',
    );
  }
  if (size > bytes.length) {
    throw new EmitError('pack-truncated', `This pack should have ${size} bytes, but only ${bytes.length} are here.`);
  }
  if (size !== bytes.length) corrupt(`it has ${size} bytes but ${bytes.length} were given`);
  if (crc32(bytes.subarray(CRC_START)) !== crc) {
    throw new EmitError('pack-crc', 'This pack is damaged: its checksum is wrong. Read it again or use another copy.');
  }
  if (sectionCount !== SECTIONS.length || size < HEADER_BYTES) corrupt(`it has ${sectionCount} sections`);
  const table = SECTIONS.map((section) => {
    const start = header.u32();
    const length = header.u32();
    if (start % 4 !== 0 || start < HEADER_BYTES || start + length > size)
      corrupt(`its section "${section}" is elsewhere`);
    return bytes.subarray(start, start + length);
  });
  return (section) => new ByteReader(table[SECTIONS.indexOf(section)] as Uint8Array, `section "${section}"`);
}

/** A number that sizes a loop below; everything else is checked with the finished model. */
function bounded(value: number, maximum: number, what: string): number {
  if (value > maximum) corrupt(`it has ${value} ${what}`);
  return value;
}

function readModel(section: (section: Section) => ByteReader): Model {
  const spec = section('spec');
  const [rateHz, windowMs, strideMs, threshold] = [spec.f64(), spec.f64(), spec.f64(), spec.f64()];
  spec.u32(); // the rate in millihertz, for C
  const channelCount = bounded(spec.u32(), LIMITS.channels, 'channels');
  const frames = spec.u32();
  bounded(frames * channelCount, LIMITS.windowValues, 'values per window');
  spec.u32(); // the stride in frames, for C
  const labelCount = bounded(spec.u32(), LIMITS.labels, 'labels');
  const features = bounded(spec.u32(), LIMITS.features, 'features');
  const blockCount = bounded(spec.u32(), LIMITS.blocks, 'blocks');
  const tensorCount = bounded(spec.u32(), LIMITS.tensors, 'tensors');
  const opCount = bounded(spec.u32(), LIMITS.ops, 'operations');
  const [input, output, arenaBytes] = [spec.u32(), spec.u32(), spec.u32()];
  spec.u32(); // scratch, for C
  const windows = spec.u32();

  const text = section('text');
  const prefix = readText(text);
  const labels = Array.from({ length: labelCount }, () => readText(text));
  const channels = Array.from({ length: channelCount }, () => ({ name: readText(text), unit: readText(text) }));
  const tensorNames = Array.from({ length: tensorCount }, () => readText(text));

  const blockBytes = section('blocks');
  const blocks = Array.from({ length: blockCount }, () => readBlock(blockBytes));
  const affineBytes = section('affine');
  const affine = { a: affineBytes.f32Array(features), b: affineBytes.f32Array(features) };

  const [tensorBytes, constantBytes] = [section('tensors'), section('constants')];
  const placed = tensorNames.map((name) => readTensor(name, tensorBytes, constantBytes));
  const tensors = placed.map(({ tensor }) => tensor);
  const opBytes = section('ops');
  const read = Array.from({ length: opCount }, () => readOp(tensors, opBytes));

  return {
    prefix,
    labels,
    input: { channels, rateHz, windowMs, strideMs },
    blocks,
    affine,
    graph: { tensors, ops: read.map(({ op }) => op), input, output },
    plan: { offsets: placed.map(({ offset }) => offset), scratch: read.map(({ scratch }) => scratch), arenaBytes },
    smoothing: { windows, threshold },
    selfTest: readSelfTest(section('selftest'), channelCount, labelCount, frames),
    receipt: readReceipt(section('receipt')),
  };
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    return corrupt(`${what} is not valid UTF-8`, { cause });
  }
}

function readText(from: ByteReader): string {
  return decodeUtf8(from.untilZero(), 'a name in it');
}

function readBlock(from: ByteReader): CompiledBlock {
  const [opcode, version] = [from.u32(), from.u32()];
  const [axes, ints, floats, features, scratch] = [from.u32(), from.u32(), from.u32(), from.u32(), from.u32()];
  const kind = (Object.keys(BLOCK_OPCODE) as BlockKind[]).find((known) => BLOCK_OPCODE[known] === opcode);
  if (!kind) corrupt(`it needs block ${opcode}, which this version of Mote does not know`);
  const channels = from.bytes(axes);
  from.align();
  return {
    kind,
    version,
    opcode,
    channels,
    ints: from.i32Array(ints),
    floats: from.f32Array(floats),
    featureCount: features,
    scratchFloats: scratch,
  };
}

function readTensor(
  name: string,
  from: ByteReader,
  constants: ByteReader,
): { readonly tensor: Int8Tensor; readonly offset: number } {
  const scale = from.f32();
  const zeroPoint = from.i32();
  const [offset, elements, rank] = [from.u32(), from.u32(), from.u32()];
  const shape = [from.u32(), from.u32(), from.u32(), from.u32()].slice(0, bounded(rank, MAX_RANK, 'dimensions'));
  const place = from.u32();
  if (elementCount(shape) !== elements) corrupt('a tensor has another size than its shape says');
  if (place !== IN_CONSTANTS) return { tensor: { name, shape, scale, zeroPoint }, offset };
  const data = constants.i8Array(elements);
  constants.align();
  return { tensor: { name, shape, scale, zeroPoint, data }, offset: 0 };
}

function readSelfTest(from: ByteReader, channels: number, labels: number, frames: number): SelfTest {
  const recordedCount = bounded(from.u32(), LIMITS.selfTestWindows, 'recorded self-test windows');
  const generatedCount = bounded(from.u32(), LIMITS.selfTestWindows, 'generated self-test windows');
  const seed = from.u32();
  from.u32();
  const windows = recordedCount + generatedCount;
  const channelScale = from.f32Array(channels);
  const channelOffset = from.f32Array(channels);
  const featureCrc = from.u32Array(windows);
  const scores = from.i8Array(windows * labels);
  from.align();
  const recorded = from.i16Array(recordedCount * frames * channels);
  return { channelScale, channelOffset, recorded, recordedCount, generatedCount, seed, featureCrc, scores };
}

function readReceipt(from: ByteReader): Receipt {
  const text = decodeUtf8(from.bytes(from.remaining), 'its receipt');
  try {
    return checkReceipt(JSON.parse(text));
  } catch (cause) {
    return corrupt('its receipt is not one', { cause });
  }
}
