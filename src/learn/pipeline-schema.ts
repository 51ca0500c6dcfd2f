/**
 * Validation of a pipeline that comes from outside (a file, a pack's receipt, storage). What passes is within bounds
 * that every later stage can work with; block parameters are checked again, against the input, by `dsp`.
 */
import * as v from 'valibot';
import { LearnError, type Pipeline } from './pipeline';

/** Bounds, so that a hostile or mistyped file cannot ask for the memory of the whole machine. */
const MAX_CHANNELS = 64;
const MAX_BLOCKS = 8;
const MAX_LAYERS = 16;
const MAX_UNITS = 1024;
const MAX_EPOCHS = 10_000;
const MAX_WINDOW_MS = 60_000;
const MAX_RATE_HZ = 200_000;
const MAX_NAME_LENGTH = 200;

const number = (minimum: number, maximum: number) =>
  v.pipe(
    v.number('must be a number'),
    v.finite('must be a finite number'),
    v.minValue(minimum, `must be at least ${minimum}`),
    v.maxValue(maximum, `must be at most ${maximum}`),
  );
const integer = (minimum: number, maximum: number) =>
  v.pipe(number(minimum, maximum), v.integer('must be a whole number'));
const flag = v.boolean('must be true or false');
const text = v.pipe(
  v.string('must be text'),
  v.maxLength(MAX_NAME_LENGTH, `must be at most ${MAX_NAME_LENGTH} characters long`),
);
const channels = v.pipe(
  v.array(integer(0, MAX_CHANNELS - 1), 'must be a list of channel numbers'),
  v.minLength(1, 'must name at least one channel'),
  v.maxLength(MAX_CHANNELS, `must name at most ${MAX_CHANNELS} channels`),
);
const scale = v.pipe(
  number(-1e9, 1e9),
  v.check((value) => value !== 0, 'must not be 0'),
);

const block = v.variant(
  'kind',
  [
    v.strictObject({
      kind: v.literal('raw'),
      version: v.literal(1, 'must be 1 for a raw block'),
      channels,
      params: v.strictObject({ scale, average: v.exactOptional(integer(1, 65_536)) }),
    }),
    v.strictObject({
      kind: v.literal('flatten'),
      version: v.literal(1, 'must be 1 for a flatten block'),
      channels,
      params: v.strictObject({
        scale,
        average: flag,
        minimum: flag,
        maximum: flag,
        rms: flag,
        stdev: flag,
        skewness: flag,
        kurtosis: flag,
      }),
    }),
    v.strictObject({
      kind: v.literal('spectral'),
      version: v.literal(4, 'must be 4 for a spectral block'),
      channels,
      params: v.strictObject({
        scale,
        decimation: v.picklist([1, 3, 10, 30, 100, 1000], 'must be 1, 3, 10, 30, 100 or 1000'),
        filter: v.picklist(['none', 'low', 'high'], 'must be "none", "low" or "high"'),
        cutoffHz: number(0, MAX_RATE_HZ),
        order: v.picklist([0, 2, 4, 6, 8], 'must be 0, 2, 4, 6 or 8'),
        fftLength: v.picklist([16, 32, 64, 128, 256, 512, 1024, 2048, 4096], 'must be a power of two from 16 to 4096'),
        log: flag,
        overlap: flag,
        improveLowFrequency: flag,
      }),
    }),
  ],
  'must be "raw", "flatten" or "spectral"',
);

const layer = v.variant(
  'kind',
  [
    v.strictObject({
      kind: v.literal('dense'),
      units: integer(1, MAX_UNITS),
      activation: v.picklist(['relu', 'none'], 'must be "relu" or "none"'),
    }),
    v.strictObject({ kind: v.literal('dropout'), rate: number(0, 0.9) }),
  ],
  'must be "dense" or "dropout"',
);

const pipelineSchema = v.strictObject({
  version: v.literal(1, 'must be 1: this pipeline was made by another version of the app'),
  input: v.strictObject({
    channels: v.pipe(
      v.array(v.strictObject({ name: text, unit: text }), 'must be a list of channels'),
      v.minLength(1, 'must have at least one channel'),
      v.maxLength(MAX_CHANNELS, `must have at most ${MAX_CHANNELS} channels`),
    ),
    rateHz: number(0.001, MAX_RATE_HZ),
    windowMs: number(0.01, MAX_WINDOW_MS),
    strideMs: number(0.01, MAX_WINDOW_MS),
  }),
  blocks: v.pipe(
    v.array(block, 'must be a list of blocks'),
    v.minLength(1, 'must have at least one block'),
    v.maxLength(MAX_BLOCKS, `must have at most ${MAX_BLOCKS} blocks`),
  ),
  network: v.strictObject({
    layers: v.pipe(
      v.array(layer, 'must be a list of layers'),
      v.maxLength(MAX_LAYERS, `must have at most ${MAX_LAYERS} layers`),
    ),
  }),
  training: v.strictObject({
    epochs: integer(1, MAX_EPOCHS),
    batchSize: integer(1, 4096),
    learningRate: number(1e-7, 1),
    validationShare: number(0, 0.5),
    patience: integer(1, MAX_EPOCHS),
    balanceClasses: flag,
    labelSmoothing: v.exactOptional(number(0, 0.5)),
  }),
  smoothing: v.strictObject({ windows: integer(1, 16), threshold: number(0, 1) }),
});

/**
 * Checks untrusted data (parsed JSON) and returns it as a pipeline. Throws LearnError `bad-pipeline` naming the first
 * entry that is wrong, as in "blocks[0].params.fftLength must be a power of two from 16 to 4096".
 */
export function checkPipeline(data: unknown): Pipeline {
  const result = v.safeParse(pipelineSchema, data);
  if (!result.success) throw badPipeline(describeIssue(result.issues[0]));
  const pipeline: Pipeline = result.output;
  pipeline.blocks.forEach(({ channels }, index) => {
    const missing = channels.find((channel) => channel >= pipeline.input.channels.length);
    if (missing !== undefined) {
      throw badPipeline(
        `blocks[${index}].channels names channel ${missing}, but the input has only ` +
          `${pipeline.input.channels.length} (counted from 0)`,
      );
    }
  });
  return pipeline;
}

/** Reads a pipeline from JSON text. Throws LearnError `bad-pipeline`. */
export function parsePipeline(json: string): Pipeline {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (cause) {
    throw badPipeline('it is not JSON', { cause });
  }
  return checkPipeline(data);
}

function badPipeline(reason: string, options?: ErrorOptions): LearnError {
  return new LearnError('bad-pipeline', `This pipeline cannot be used: ${reason}.`, options);
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? [])
    .map(({ key }, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
    .join('');
  if (issue.type === 'strict_object') {
    if (issue.expected === 'never') return `"${path}" is not a known setting`;
    return issue.received === 'undefined' ? `"${path}" is missing` : `"${path || 'the pipeline'}" must be an object`;
  }
  if (issue.received === 'undefined') return `"${path}" is missing`;
  return `"${path}" ${issue.message}`;
}
