/** Blocks as a whole: bind a spec to an input, check one that came from a pack, run it, name its features. */
import {
  BLOCK_OPCODE,
  DspError,
  windowFrames,
  type BlockKind,
  type BlockSpec,
  type CompiledBlock,
  type InputSpec,
} from './block';
import { checkFlatten, compileFlatten, flattenNames, runFlatten } from './flatten';
import { checkRaw, compileRaw, rawNames, runRaw } from './raw';
import { badBlock, type BlockSize, type StoredBlock } from './sanity';
import { checkSpectral, compileSpectral, runSpectral, spectralNames } from './spectral';

const BLOCK_VERSION: Readonly<Record<BlockKind, number>> = { raw: 1, flatten: 1, spectral: 4 };

function storedSize(kind: BlockKind, block: StoredBlock, frames: number, channels: number): BlockSize {
  switch (kind) {
    case 'raw':
      return checkRaw(block, frames, channels);
    case 'flatten':
      return checkFlatten(block, frames, channels);
    case 'spectral':
      return checkSpectral(block, frames, channels);
  }
}

function storedBlock(spec: BlockSpec, input: InputSpec): StoredBlock {
  switch (spec.kind) {
    case 'raw':
      return compileRaw(spec, input);
    case 'flatten':
      return compileFlatten(spec, input);
    case 'spectral':
      return compileSpectral(spec, input);
  }
}

/**
 * Binds a block to an input: everything that needs trigonometry or double precision is computed here, once.
 * @throws DspError when the block cannot work on the input; `code` says which parameter to change.
 */
export function compileBlock(spec: BlockSpec, input: InputSpec): CompiledBlock {
  if (spec.version !== BLOCK_VERSION[spec.kind]) {
    throw new DspError('bad-block', `The ${spec.kind} block has version ${String(spec.version)}, which is not known.`);
  }
  const stored = storedBlock(spec, input);
  const size = storedSize(spec.kind, stored, windowFrames(input), input.channels.length);
  return { kind: spec.kind, version: spec.version, opcode: BLOCK_OPCODE[spec.kind], ...stored, ...size };
}

/**
 * Checks a block that came from a pack: whatever its bytes say, a block returned from here reads and writes only
 * inside a window of `frames * channels`, its own scratch and its own features. `featureCount` and `scratchFloats` are
 * computed anew; those in `block` are not looked at. The C twin is `mote_<kind>_check`.
 * @throws DspError `bad-block`.
 */
export function checkCompiledBlock(
  block: Pick<CompiledBlock, 'opcode' | 'version' | 'channels' | 'ints' | 'floats'>,
  frames: number,
  channels: number,
): CompiledBlock {
  const kind = (Object.keys(BLOCK_OPCODE) as BlockKind[]).find((name) => BLOCK_OPCODE[name] === block.opcode);
  if (kind === undefined) throw badBlock(`number ${block.opcode}`, 'this kind of block is not known');
  if (block.version !== BLOCK_VERSION[kind]) throw badBlock(kind, `version ${block.version} is not known`);
  return {
    kind,
    version: block.version,
    opcode: block.opcode,
    channels: block.channels,
    ints: block.ints,
    floats: block.floats,
    ...storedSize(kind, block, frames, channels),
  };
}

/**
 * Features of one window. Never NaN or infinite: NaN becomes 0, infinities the largest float32.
 * @param window `frames * channels` samples, `window[frame * channels + channel]`.
 * @param scratch at least `block.scratchFloats`; its content means nothing before or after.
 * @param features `block.featureCount` floats, written.
 */
export function runBlock(
  block: CompiledBlock,
  window: Float32Array,
  frames: number,
  channels: number,
  scratch: Float32Array,
  features: Float32Array,
): void {
  switch (block.kind) {
    case 'raw':
      runRaw(block, window, frames, channels, features);
      return;
    case 'flatten':
      runFlatten(block, window, frames, channels, features);
      return;
    case 'spectral':
      runSpectral(block, window, frames, channels, scratch, features);
      return;
  }
}

function isCompiled(block: BlockSpec | CompiledBlock): block is CompiledBlock {
  return 'opcode' in block;
}

/** One name per feature, in order: channel name, then statistic or frequency range with its unit. */
export function featureNames(block: BlockSpec | CompiledBlock, input: InputSpec): string[] {
  const compiled = isCompiled(block) ? block : compileBlock(block, input);
  const prefixed = (names: readonly string[]) =>
    [...compiled.channels].flatMap((axis) => names.map((name) => `${input.channels[axis]?.name ?? axis} ${name}`));
  switch (compiled.kind) {
    case 'raw':
      return rawNames(compiled, input, windowFrames(input));
    case 'flatten':
      return prefixed(flattenNames(compiled));
    case 'spectral': {
      const { main, copy } = spectralNames(compiled, input);
      return [...prefixed(main), ...prefixed(copy)];
    }
  }
}

/** Raw windows in, features of all blocks out, concatenated in order. */
export interface Extractor {
  readonly blocks: readonly CompiledBlock[];
  /** Frames and channels of a window. */
  readonly frames: number;
  readonly channels: number;
  readonly featureCount: number;
  readonly featureNames: readonly string[];
  /**
   * Features of one window of `frames * channels` samples. The array returned is the same every time: copy it to keep
   * it.
   * @throws DspError `window-too-short` when the window has another length.
   */
  run(window: Float32Array): Float32Array;
}

/**
 * Prepares blocks (specs are compiled first) for an input; nothing is allocated per window.
 * @throws DspError `bad-block` without blocks; else as `compileBlock` does.
 */
export function createExtractor(blocks: readonly (BlockSpec | CompiledBlock)[], input: InputSpec): Extractor {
  if (blocks.length === 0) throw new DspError('bad-block', 'There is no processing block. Add at least one.');
  const compiled = blocks.map((block) => (isCompiled(block) ? block : compileBlock(block, input)));
  const frames = windowFrames(input);
  const channels = input.channels.length;
  const featureCount = compiled.reduce((sum, block) => sum + block.featureCount, 0);
  const features = new Float32Array(featureCount);
  const scratch = new Float32Array(Math.max(0, ...compiled.map((block) => block.scratchFloats)));
  let at = 0;
  const parts = compiled.map((block) => features.subarray(at, (at += block.featureCount)));
  let names: readonly string[] | undefined;
  return {
    blocks: compiled,
    frames,
    channels,
    featureCount,
    get featureNames() {
      names ??= compiled.flatMap((block) => featureNames(block, input));
      return names;
    },
    run(window) {
      if (window.length !== frames * channels) {
        throw new DspError(
          'window-too-short',
          `A window must have ${frames} samples of ${channels} channels (${frames * channels} numbers), ` +
            `not ${window.length} numbers.`,
        );
      }
      for (let i = 0; i < compiled.length; i++) runBlock(compiled[i]!, window, frames, channels, scratch, parts[i]!);
      return features;
    },
  };
}

/** A block with its usual parameters on all channels of the input. */
export function defaultBlock(kind: BlockKind, input: InputSpec): BlockSpec {
  const channels = input.channels.map((_, index) => index);
  switch (kind) {
    case 'raw':
      return { kind, version: 1, channels, params: { scale: 1 } };
    case 'flatten':
      return {
        kind,
        version: 1,
        channels,
        params: {
          scale: 1,
          average: true,
          minimum: true,
          maximum: true,
          rms: true,
          stdev: true,
          skewness: true,
          kurtosis: true,
        },
      };
    case 'spectral':
      return {
        kind,
        version: 4,
        channels,
        params: {
          scale: 1,
          decimation: 1,
          filter: 'none',
          cutoffHz: Math.min(3, input.rateHz / 4),
          order: 6,
          fftLength: 16,
          log: true,
          overlap: true,
          improveLowFrequency: false,
        },
      };
  }
}
