/**
 * A processing block from `--block` and `--params`. Parameters have the names of a pipeline; those of Edge Impulse's
 * blocks (`fft_length`, `do_log`, ...) are understood too. Ranges are checked by the block itself, on its input.
 */
import * as v from 'valibot';
import { BLOCK_OPCODE, type BlockKind, type BlockSpec, type InputSpec } from '../dsp/block';
import { defaultBlock } from '../dsp/compile';
import { UsageError } from './usage-error';

const ALIASES: Readonly<Record<string, string>> = {
  scale_axes: 'scale',
  input_decimation_ratio: 'decimation',
  filter_type: 'filter',
  filter_cutoff: 'cutoffHz',
  filter_order: 'order',
  fft_length: 'fftLength',
  do_log: 'log',
  do_fft_overlap: 'overlap',
  extra_low_freq: 'improveLowFrequency',
};

const number = v.pipe(v.number('must be a number'), v.finite('must be finite'));
const flag = v.boolean('must be true or false');

const RAW = v.partial(v.strictObject({ scale: number, average: number }));
const FLATTEN = v.partial(
  v.strictObject({
    scale: number,
    average: flag,
    minimum: flag,
    maximum: flag,
    rms: flag,
    stdev: flag,
    skewness: flag,
    kurtosis: flag,
  }),
);
const SPECTRAL = v.partial(
  v.strictObject({
    scale: number,
    decimation: v.picklist([1, 3, 10, 30, 100, 1000], 'must be 1, 3, 10, 30, 100 or 1000'),
    filter: v.picklist(['none', 'low', 'high'], 'must be "none", "low" or "high"'),
    cutoffHz: number,
    order: number,
    fftLength: number,
    log: flag,
    overlap: flag,
    improveLowFrequency: flag,
  }),
);

function bad(message: string, options?: ErrorOptions): UsageError {
  return new UsageError('bad-arguments', message, options);
}

/** The default block of this kind on an input, with these parameters (JSON text) instead of its own. */
export function parseBlock(kind: string, json: string | undefined): (input: InputSpec) => BlockSpec {
  if (!Object.hasOwn(BLOCK_OPCODE, kind)) {
    throw bad(`--block must be ${Object.keys(BLOCK_OPCODE).join(', ')}, not "${kind}"`);
  }
  const data = json === undefined ? {} : parseObject(json);
  switch (kind as BlockKind) {
    case 'raw': {
      const params = check(RAW, data);
      return (input) => merge(defaultBlock('raw', input), params);
    }
    case 'flatten': {
      const params = check(FLATTEN, data);
      return (input) => merge(defaultBlock('flatten', input), params);
    }
    case 'spectral': {
      const params = check(SPECTRAL, data);
      return (input) => merge(defaultBlock('spectral', input), params);
    }
  }
}

function merge(block: BlockSpec, params: object): BlockSpec {
  return { ...block, params: { ...block.params, ...params } } as BlockSpec;
}

function parseObject(json: string): object {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (cause) {
    throw bad('--params is not JSON', { cause });
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw bad('--params must be a JSON object');
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [ALIASES[key] ?? key, value as unknown]));
}

function check<T extends v.GenericSchema>(schema: T, data: object): v.InferOutput<T> {
  const result = v.safeParse(schema, data);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const name = v.getDotPath(issue) ?? '';
  throw bad(
    issue.type === 'strict_object' ? `--params: this block has no "${name}"` : `--params: "${name}" ${issue.message}`,
  );
}
