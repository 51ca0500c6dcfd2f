/**
 * Block "raw": samples times a scale, optionally the mean of several consecutive frames.
 * Twin of firmware/mote/src/mote_raw.h: change both.
 *
 * Compiled form: ints `[average]` (1..frames); floats `[scale]`; no scratch.
 * Features: `floor(frames / average) * axes`, frame-major; frames that do not fill a last mean are left out.
 */
import { DspError, type CompiledBlock, type InputSpec, type RawSpec } from './block';
import { finite } from './float-math';
import { badBlock, checkSpec, checkStored, type BlockSize, type StoredBlock } from './sanity';

const fround = Math.fround;

/** @throws DspError `window-too-short` when fewer frames than `average` are there; else as `checkSpec` does. */
export function compileRaw(spec: RawSpec, input: InputSpec): StoredBlock {
  const { axes, frames } = checkSpec(spec, input);
  const { average = 1 } = spec.params;
  if (!Number.isInteger(average) || average < 1) {
    throw new DspError('bad-block', `The raw block must average a whole number of frames, at least 1, not ${average}.`);
  }
  if (average > frames) {
    throw new DspError(
      'window-too-short',
      `The raw block averages ${average} frames, but the window has only ${frames}. Average fewer.`,
    );
  }
  return { channels: axes, ints: Int32Array.of(average), floats: Float32Array.of(spec.params.scale) };
}

/** @throws DspError `bad-block`. */
export function checkRaw(block: StoredBlock, frames: number, channels: number): BlockSize {
  checkStored('raw', block, frames, channels);
  if (block.ints.length !== 1 || block.floats.length !== 1) throw badBlock('raw', 'wrong number of parameters');
  const average = block.ints[0]!;
  if (average < 1 || average > frames) throw badBlock('raw', 'bad number of frames to average');
  return { featureCount: Math.floor(frames / average) * block.channels.length, scratchFloats: 0 };
}

export function runRaw(
  block: CompiledBlock,
  window: Float32Array,
  frames: number,
  channels: number,
  features: Float32Array,
): void {
  const axes = block.channels;
  const average = block.ints[0]!;
  const scale = block.floats[0]!;
  let at = 0;
  for (let first = 0; first + average <= frames; first += average) {
    for (let axis = 0; axis < axes.length; axis++) {
      const channel = axes[axis]!;
      let sum = fround(window[first * channels + channel]! * scale);
      for (let frame = first + 1; frame < first + average; frame++) {
        sum = fround(sum + fround(window[frame * channels + channel]! * scale));
      }
      features[at++] = finite(fround(sum / average));
    }
  }
}

/** Channel and time of the first sample of every feature: `accX 0 ms`, `accY 0 ms`, ..., `accX 16 ms`. */
export function rawNames(block: StoredBlock, input: InputSpec, frames: number): string[] {
  const names: string[] = [];
  const average = block.ints[0]!;
  for (let frame = 0; frame + average <= frames; frame += average) {
    const time = Math.round((frame * 100_000) / input.rateHz) / 100;
    for (const channel of block.channels) names.push(`${input.channels[channel]?.name ?? channel} ${time} ms`);
  }
  return names;
}
