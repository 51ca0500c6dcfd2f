/** What all blocks check of their input, in a spec (for people) and in a pack (untrusted). */
import { DspError, windowFrames, type BlockSpec, type CompiledBlock, type InputSpec } from './block';
import { MAX_CHANNELS, MAX_FRAMES } from './float-math';

/** Memory and sizes that follow from a block's parameters. */
export interface BlockSize {
  readonly featureCount: number;
  readonly scratchFloats: number;
}

/** The part of a compiled block that a pack stores. */
export type StoredBlock = Pick<CompiledBlock, 'channels' | 'ints' | 'floats'>;

/**
 * Checks the parts every spec has; returns channel indices as bytes and the window length in frames.
 * @throws DspError `no-channels`, `channel-out-of-range`, `window-too-short`, `window-too-long`, `bad-scale`.
 */
export function checkSpec(spec: BlockSpec, input: InputSpec): { readonly axes: Uint8Array; readonly frames: number } {
  if (spec.channels.length === 0) {
    throw new DspError('no-channels', `The ${spec.kind} block has no channels. Choose at least one.`);
  }
  if (spec.channels.length > MAX_CHANNELS) {
    throw new DspError('channel-out-of-range', `The ${spec.kind} block has more than ${MAX_CHANNELS} channels.`);
  }
  for (const channel of spec.channels) {
    if (!Number.isInteger(channel) || channel < 0 || channel >= Math.min(input.channels.length, MAX_CHANNELS)) {
      throw new DspError(
        'channel-out-of-range',
        `The ${spec.kind} block uses channel ${channel}, but the data has channels 0 to ${input.channels.length - 1}.`,
      );
    }
  }
  if (!(input.rateHz > 0) || !(input.windowMs > 0) || !Number.isFinite(input.rateHz * input.windowMs)) {
    throw new DspError('window-too-short', 'The sampling rate and the window length must be positive numbers.');
  }
  const frames = windowFrames(input);
  if (frames > MAX_FRAMES) {
    throw new DspError(
      'window-too-long',
      `The window has ${frames} samples per channel; at most ${MAX_FRAMES} fit. Shorten it or lower the rate.`,
    );
  }
  const scale = Math.fround(spec.params.scale);
  if (!Number.isFinite(scale) || scale === 0) {
    throw new DspError('bad-scale', `The scale of the ${spec.kind} block must be a number other than zero.`);
  }
  return { axes: Uint8Array.from(spec.channels), frames };
}

/** A `bad-block` error: parameters from a pack that no compiler wrote. */
export function badBlock(kind: string, what: string): DspError {
  return new DspError('bad-block', `The ${kind} block is damaged: ${what}.`);
}

/** Twin of `mote_input_is_sane`. @throws DspError `bad-block`. */
export function checkStored(kind: string, block: StoredBlock, frames: number, channels: number): void {
  if (!Number.isInteger(frames) || frames < 1 || frames > MAX_FRAMES) throw badBlock(kind, 'bad window length');
  if (!Number.isInteger(channels) || channels < 1 || channels > MAX_CHANNELS) {
    throw badBlock(kind, 'bad number of channels');
  }
  if (block.channels.length < 1 || block.channels.length > MAX_CHANNELS) throw badBlock(kind, 'bad number of axes');
  if (block.channels.some((channel) => channel >= channels)) throw badBlock(kind, 'axis out of range');
  if (!block.floats.every((value) => Number.isFinite(value))) throw badBlock(kind, 'constant is not finite');
}
