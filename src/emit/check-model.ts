/** What every model must satisfy before it is written, printed or run. Models read from packs are untrusted. */
import * as v from 'valibot';
import { strideFrames, windowFrames, type CompiledBlock, type InputSpec } from '../dsp/block';
import { checkCompiledBlock } from '../dsp/compile';
import { elementCount } from '../graph/float-graph';
import { checkInt8Graph } from '../quantize/check';
import { EmitError, type EmitErrorCode, type Model, type Receipt, type SelfTest } from './model';
import { checkPlan } from './plan';
import { checkPrefix } from './prefix';
import { selfTestCount } from './self-test';
import { featureCount } from './size';

/** Bounds that the pack format and the C loader share (docs/pack-format.md). */
export const LIMITS = {
  packBytes: 16 * 1024 * 1024,
  channels: 256,
  windowFrames: 65_536,
  windowValues: 1 << 20,
  strideFrames: 1 << 24,
  rateHz: 1_000_000,
  labels: 256,
  features: 65_536,
  blocks: 32,
  blockNumbers: 1 << 20,
  scratchFloats: 1 << 20,
  tensors: 256,
  ops: 256,
  arenaBytes: 1 << 20,
  textBytes: 255,
  smoothingWindows: 16,
  selfTestWindows: 4096,
  receiptBytes: 65_536,
} as const;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const share = v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1)));

/** Fields that a later version adds are kept. */
const receiptSchema = v.looseObject({
  app: v.string(),
  trainedOn: v.string(),
  dataset: v.string(),
  seed: v.pipe(v.number(), v.finite()),
  split: v.looseObject({ trainRecordings: count, testRecordings: count, trainWindows: count, testWindows: count }),
  accuracyFloat: share,
  accuracyInt8: share,
  pipeline: v.string(),
});

function refuse(message: string, code: EmitErrorCode = 'bad-model', options?: ErrorOptions): never {
  throw new EmitError(code, message, options);
}

function requireInteger(value: number, minimum: number, maximum: number, what: string): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    refuse(
      `The model has ${value} ${what}; ${minimum} to ${maximum} are possible.`,
      value > maximum ? 'too-large' : 'bad-model',
    );
  }
}

function allFinite(values: Float32Array): boolean {
  return values.every((value) => Number.isFinite(value));
}

/** Text that survives the way through UTF-8 and C: no zero character, no half surrogate, not too long. */
function isText(text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  return (
    !text.includes('\0') &&
    bytes.length <= LIMITS.textBytes &&
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) === text
  );
}

/** The smoothing threshold in steps of the output's scores above their zero point, as the board compares it. */
export function thresholdSteps(model: Pick<Model, 'smoothing' | 'graph'>): number {
  const scale = model.graph.tensors[model.graph.output]?.scale ?? NaN;
  return Math.ceil(model.smoothing.threshold / scale);
}

/** Throws EmitError (`bad-prefix`, `bad-label`, `bad-model`, `too-large`) unless the model is whole and safe to run. */
export function checkModel(model: Model): void {
  checkPrefix(model.prefix);
  checkLabels(model.labels);
  checkInput(model.input);
  checkBlocks(model);
  checkNetwork(model);
  checkSmoothing(model);
  checkSelfTest(model, model.selfTest);
  checkReceipt(model.receipt);
}

function checkLabels(labels: readonly string[]): void {
  requireInteger(labels.length, 1, LIMITS.labels, 'labels');
  for (const label of labels) {
    if (label === '' || !isText(label)) {
      refuse(
        `The label ${JSON.stringify(label.slice(0, 60))} cannot be written into a model: labels have 1 to ` +
          `${LIMITS.textBytes} bytes of valid text.`,
        'bad-label',
      );
    }
  }
  if (new Set(labels).size !== labels.length) refuse('Two labels of the model are the same.', 'bad-label');
}

function checkInput(input: InputSpec): void {
  requireInteger(input.channels.length, 1, LIMITS.channels, 'channels');
  for (const { name, unit } of input.channels) {
    if (!isText(name) || !isText(unit)) {
      refuse(
        `The channel ${JSON.stringify(name.slice(0, 60))} has a name or unit that cannot be written into a model.`,
      );
    }
  }
  const { rateHz, windowMs, strideMs } = input;
  if (!(rateHz > 0 && rateHz <= LIMITS.rateHz)) refuse(`A sampling rate of ${rateHz} Hz is not possible.`);
  if (!(windowMs > 0 && Number.isFinite(windowMs))) refuse(`A window of ${windowMs} ms is not possible.`);
  if (!(strideMs > 0 && Number.isFinite(strideMs))) refuse(`A stride of ${strideMs} ms is not possible.`);
  requireInteger(windowFrames(input), 1, LIMITS.windowFrames, 'frames per window');
  requireInteger(windowFrames(input) * input.channels.length, 1, LIMITS.windowValues, 'values per window');
  requireInteger(strideFrames(input), 1, LIMITS.strideFrames, 'frames of stride');
}

function checkBlocks(model: Model): void {
  const { blocks, input, affine } = model;
  requireInteger(blocks.length, 1, LIMITS.blocks, 'blocks');
  blocks.forEach((block, index) => {
    requireInteger(block.channels.length, 1, LIMITS.channels, 'axes in a block');
    requireInteger(block.ints.length, 0, LIMITS.blockNumbers, 'integers in a block');
    requireInteger(block.floats.length, 0, LIMITS.blockNumbers, 'constants in a block');
    requireInteger(block.featureCount, 1, LIMITS.features, 'features in a block');
    requireInteger(block.scratchFloats, 0, LIMITS.scratchFloats, 'numbers of scratch memory');
    if (!allFinite(block.floats)) refuse(`Block ${index} has a constant that is not a number.`);
    let checked: CompiledBlock;
    try {
      checked = checkCompiledBlock(block, windowFrames(input), input.channels.length);
    } catch (cause) {
      refuse(`Block ${index} of this model cannot run on its input.`, 'bad-model', { cause });
    }
    const { kind, featureCount, scratchFloats } = checked;
    if (block.kind !== kind || block.featureCount !== featureCount || block.scratchFloats !== scratchFloats) {
      refuse(`Block ${index} of this model claims other sizes than it has.`);
    }
  });
  const features = featureCount(model);
  requireInteger(features, 1, LIMITS.features, 'features');
  if (affine.a.length !== features || affine.b.length !== features) {
    refuse(`The model quantizes ${affine.a.length} features but its blocks give ${features}.`);
  }
  if (!allFinite(affine.a) || !allFinite(affine.b)) refuse('The quantization of a feature is not a number.');
}

function checkNetwork(model: Model): void {
  const { graph, plan, labels } = model;
  requireInteger(graph.tensors.length, 1, LIMITS.tensors, 'tensors');
  requireInteger(graph.ops.length, 1, LIMITS.ops, 'operations');
  if (graph.rounding === 'single') {
    refuse('Packs hold networks with double rounding, which is what boards compute. Use the C header of this network.');
  }
  try {
    checkInt8Graph(graph);
  } catch (cause) {
    refuse(cause instanceof Error ? cause.message : 'The network of this model cannot run.', 'bad-model', { cause });
  }
  for (const { name } of graph.tensors) if (!isText(name)) refuse('A tensor has a name that cannot be written.');
  const inputs = elementCount(graph.tensors[graph.input]?.shape ?? []);
  const outputs = elementCount(graph.tensors[graph.output]?.shape ?? []);
  if (inputs !== featureCount(model)) {
    refuse(`The network takes ${inputs} features but the blocks give ${featureCount(model)}.`);
  }
  if (outputs !== labels.length) refuse(`The network gives ${outputs} scores for ${labels.length} labels.`);
  requireInteger(plan.arenaBytes, 1, LIMITS.arenaBytes, 'bytes of activations');
  checkPlan(graph, plan);
}

function checkSmoothing(model: Model): void {
  const { windows, threshold } = model.smoothing;
  requireInteger(windows, 1, LIMITS.smoothingWindows, 'smoothed windows');
  if (!(threshold >= 0 && threshold <= 1)) refuse(`A threshold of ${threshold} is not between 0 and 1.`);
  // 2^24 steps times 16 windows stay inside 32 bits.
  if (thresholdSteps(model) > 1 << 24) refuse('The scores of this model are too fine for a threshold.');
}

function checkSelfTest(model: Model, selfTest: SelfTest): void {
  const channels = model.input.channels.length;
  const values = windowFrames(model.input) * channels;
  const windows = selfTestCount(selfTest);
  requireInteger(selfTest.recordedCount, 0, LIMITS.selfTestWindows, 'recorded self-test windows');
  requireInteger(selfTest.generatedCount, 0, LIMITS.selfTestWindows, 'generated self-test windows');
  requireInteger(windows, 1, LIMITS.selfTestWindows, 'self-test windows');
  requireInteger(selfTest.seed, 0, 2 ** 32 - 1, 'as the seed of its self-test');
  const right =
    selfTest.channelScale.length === channels &&
    selfTest.channelOffset.length === channels &&
    allFinite(selfTest.channelScale) &&
    allFinite(selfTest.channelOffset) &&
    selfTest.recorded.length === selfTest.recordedCount * values &&
    selfTest.featureCrc.length === windows &&
    selfTest.scores.length === windows * model.labels.length;
  if (!right) refuse('The self-test does not fit the model.');
}

/** The receipt as an object of the right shape; throws EmitError `bad-model`. */
export function checkReceipt(receipt: unknown): Receipt {
  const result = v.safeParse(receiptSchema, receipt);
  if (!result.success) {
    const issue = result.issues[0];
    refuse(`The receipt of the model is not valid: ${v.getDotPath(issue) ?? 'it'}: ${issue.message}.`);
  }
  return result.output;
}
