/**
 * Known answers of a model: which windows it is asked, and what they look like in memory.
 *
 * The generator is the twin of `firmware/mote/src/mote_selftest.h`: integers only up to the final scale and offset, so
 * that browser and board build the same window from a seed.
 */
import { windowFrames } from '../dsp/block';
import type { Model, SelfTest } from './model';

/** Windows in a self-test, recorded and generated together. */
export const SELF_TEST_WINDOWS = 64;
export const MOST_RECORDED_WINDOWS = 8;
/** Recorded windows together take at most this many bytes, unless a single one is larger. */
export const RECORDED_BYTES = 8192;

/** Marsaglia's xorshift32. */
function random(state: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

function toInt16(word: number): number {
  return (word >>> 16) - 32768;
}

/** Fills `window[frame * channels + channel]` with generated window `index` (0..) of a seed. */
export function generateWindow(
  seed: number,
  index: number,
  channels: number,
  scale: Float32Array,
  offset: Float32Array,
  window: Float32Array,
): void {
  const frames = window.length / channels;
  let state = ((seed ^ Math.imul(index, 0x9e3779b9)) | 1) >>> 0;
  for (let i = 0; i < 8; i++) state = random(state);
  for (let channel = 0; channel < channels; channel++) {
    state = random(state);
    const level = Math.trunc(toInt16(state) / 2 ** (state & 3));
    state = random(state);
    const wave = (state >>> 17) >>> (state & 7);
    state = random(state);
    const noise = (state >>> 17) >>> (1 + (state & 7));
    state = random(state);
    let phase = state;
    state = random(state);
    const step = (state >>> 1) >>> (state & 7);
    for (let frame = 0; frame < frames; frame++) {
      const rise = phase >>> 15;
      const triangle = (rise < 65536 ? rise : 131071 - rise) - 32768;
      state = random(state);
      const value = level + Math.trunc((triangle * wave) / 32768) + Math.trunc((toInt16(state) * noise) / 32768);
      const clamped = Math.max(-32768, Math.min(32767, value));
      window[frame * channels + channel] =
        Math.fround(clamped * (scale[channel] as number)) + (offset[channel] as number);
      phase = (phase + step) >>> 0;
    }
  }
}

/** Fills `window` from int16: value = fround(int16 * scale of the channel). */
export function unpackWindow(recorded: Int16Array, scale: Float32Array, window: Float32Array): void {
  recorded.forEach((value, i) => (window[i] = value * (scale[i % scale.length] as number)));
}

/** The inverse of `unpackWindow`, to the nearest int16. */
export function packWindow(window: Float32Array, scale: Float32Array): Int16Array {
  return Int16Array.from(window, (value, i) => {
    const steps = Math.round(value / (scale[i % scale.length] as number));
    return Math.max(-32768, Math.min(32767, steps));
  });
}

/** Number of windows that a self-test asks. */
export function selfTestCount(selfTest: SelfTest): number {
  return selfTest.recordedCount + selfTest.generatedCount;
}

/** Window `index` of a model's self-test, recorded ones first, as `window[frame * channels + channel]`. */
export function selfTestWindow(model: Pick<Model, 'input' | 'selfTest'>, index: number): Float32Array {
  const { selfTest, input } = model;
  const channels = input.channels.length;
  const window = new Float32Array(windowFrames(input) * channels);
  if (index < selfTest.recordedCount) {
    const recorded = selfTest.recorded.subarray(index * window.length, (index + 1) * window.length);
    unpackWindow(recorded, selfTest.channelScale, window);
  } else {
    const { seed, channelScale, channelOffset, recordedCount } = selfTest;
    generateWindow(seed, index - recordedCount, channels, channelScale, channelOffset, window);
  }
  return window;
}
