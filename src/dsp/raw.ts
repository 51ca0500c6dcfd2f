/**
 * Block "raw": samples times a scale. Twin of firmware/mote/src/mote_raw.h: change both.
 *
 * Compiled form: ints none; floats `[scale]`; no scratch.
 * Features: `frames * axes`, frame-major.
 */
import type { CompiledBlock, InputSpec, RawSpec } from './block';
import { finite } from './float-math';
import { badBlock, checkSpec, checkStored, type BlockSize, type StoredBlock } from './sanity';

/** @throws DspError as `checkSpec` does. */
export function compileRaw(spec: RawSpec, input: InputSpec): StoredBlock {
  const { axes } = checkSpec(spec, input);
  return { channels: axes, ints: new Int32Array(0), floats: Float32Array.of(spec.params.scale) };
}

/** @throws DspError `bad-block`. */
export function checkRaw(block: StoredBlock, frames: number, channels: number): BlockSize {
  checkStored('raw', block, frames, channels);
  if (block.ints.length !== 0 || block.floats.length !== 1) throw badBlock('raw', 'wrong number of parameters');
  return { featureCount: frames * block.channels.length, scratchFloats: 0 };
}

export function runRaw(
  block: CompiledBlock,
  window: Float32Array,
  frames: number,
  channels: number,
  features: Float32Array,
): void {
  const axes = block.channels;
  const scale = block.floats[0]!;
  let at = 0;
  for (let frame = 0; frame < frames; frame++) {
    for (let axis = 0; axis < axes.length; axis++) {
      features[at++] = finite(Math.fround(window[frame * channels + axes[axis]!]! * scale));
    }
  }
}

/** Channel and time of every feature: `accX 0 ms`, `accY 0 ms`, ..., `accX 16 ms`. */
export function rawNames(block: StoredBlock, input: InputSpec, frames: number): string[] {
  const names: string[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const time = Math.round((frame * 100_000) / input.rateHz) / 100;
    for (const channel of block.channels) names.push(`${input.channels[channel]?.name ?? channel} ${time} ms`);
  }
  return names;
}
