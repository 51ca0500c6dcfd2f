/**
 * A model that nobody trained, for the channels of any board: enough to be written, read back and proved. Used by the
 * hardware test; its labels mean nothing.
 */
import type { InputSpec } from '../dsp/block';
import { compileBlock } from '../dsp/compile';
import type { Model } from '../emit/model';
import { writePack } from '../emit/pack';
import { Random } from '../signal/random';
import { BoardError } from './board';
import type { BoardIdentity } from './board';
import { freeSlot, packRamAtLeast } from './deploy';
import { untrainedModel } from './untrained-model';

/** Known answers tried first, and the fewest that still prove something. */
const SELF_TEST_WINDOWS = 16;
const FEWEST_WINDOWS = 2;
/** Frames of a window tried first, and the fewest. */
const WINDOW_FRAMES = 50;
const FEWEST_FRAMES = 4;
const LABELS = ['probe-a', 'probe-b', 'probe-c'];
const HIDDEN = 8;
const BLOCK = {
  scale: 1,
  average: true,
  minimum: false,
  maximum: true,
  rms: true,
  stdev: false,
  skewness: false,
  kurtosis: false,
};

/** The pack of a probe model that fits the board's free slot and RAM. Rejects with BoardError `model-too-big`. */
export function probePack(identity: BoardIdentity, seed: number): Uint8Array {
  const capacity = freeSlot(identity.slots)?.capacityBytes ?? 0;
  const ram = identity.modelRamBytes ?? Infinity;
  for (let frames = WINDOW_FRAMES; frames >= FEWEST_FRAMES; frames = Math.floor(frames / 2)) {
    for (let windows = SELF_TEST_WINDOWS; windows >= FEWEST_WINDOWS; windows /= 2) {
      const pack = writePack(probeModel(identity, seed, frames, windows));
      if (pack.length <= capacity && packRamAtLeast(pack) <= ram) return pack;
    }
  }
  throw new BoardError(
    'model-too-big',
    `Even the smallest test model does not fit this board (${capacity} bytes of storage, ${ram} bytes of RAM).`,
  );
}

/** Seeded: another seed is another model of the same shape. */
export function probeModel(
  { channels, rateHz }: Pick<BoardIdentity, 'channels' | 'rateHz'>,
  seed: number,
  frames = WINDOW_FRAMES,
  selfTestWindows = SELF_TEST_WINDOWS,
): Model {
  const random = new Random(seed);
  const windowMs = (1000 * frames) / rateHz;
  const input: InputSpec = { channels, rateHz, windowMs, strideMs: windowMs };
  const blocks = [
    compileBlock({ kind: 'flatten', version: 1, channels: channels.map((_, i) => i), params: BLOCK }, input),
  ];
  const windows = Array.from({ length: 4 * SELF_TEST_WINDOWS }, () => {
    const middle = random.between(-5, 5);
    return Float32Array.from({ length: frames * channels.length }, () => middle + random.between(-5, 5));
  });
  return untrainedModel({
    prefix: `probe_${seed}`,
    labels: LABELS,
    input,
    blocks,
    hidden: HIDDEN,
    random,
    windows,
    selfTestWindows,
    app: 'Mote hardware test',
    seed,
  });
}
