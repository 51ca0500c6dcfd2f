/** Whether a model fits a board: memory, slot, sensors. Pure. */
import type { BoardIdentity } from '../../../board/board';
import { freeSlot } from '../../../board/deploy';
import { windowFrames } from '../../../dsp/block';
import type { Model } from '../../../emit/model';
import { featureCount, scratchFloats } from '../../../emit/size';

/** `haveBytes` is null when the board does not tell. */
export interface MemoryFit {
  readonly needBytes: number;
  readonly haveBytes: number | null;
  readonly fits: boolean;
}

export interface Fit {
  readonly ram: MemoryFit;
  /** The slot that a deploy would write; `index` is null when none is free. */
  readonly slot: MemoryFit & { readonly index: number | null };
  /** `other-count`: the board refuses the model. `renamed`: it runs, on other channels than it was trained with. */
  readonly channels: 'same' | 'renamed' | 'other-count';
  readonly sameRate: boolean;
  /** Nothing stands against writing it. */
  readonly fits: boolean;
}

/** Rates nearer than this share are the same: the clocks of boards and sensors are no better. */
const SAME_RATE = 0.02;

function roundUp4(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

/** Bytes of RAM that a running board gives a pack: twin of `mote_model_ram` (firmware/mote/src/mote_pack.c). */
export function boardRamBytes(model: Model): number {
  const labels = model.labels.length;
  const window = 4 * windowFrames(model.input) * model.input.channels.length;
  const work = Math.max(4 * scratchFloats(model), roundUp4(model.plan.arenaBytes));
  return window + 4 * featureCount(model) + work + roundUp4(labels) + roundUp4(labels * model.smoothing.windows);
}

function compareChannels(model: Model, identity: Pick<BoardIdentity, 'channels'>): Fit['channels'] {
  const wanted = model.input.channels;
  if (wanted.length !== identity.channels.length) return 'other-count';
  const same = wanted.every(({ name, unit }, index) => {
    const has = identity.channels[index];
    // A unit that nobody told (CSV files) contradicts none.
    return has?.name === name && (has.unit === '' || unit === '' || has.unit === unit);
  });
  return same ? 'same' : 'renamed';
}

export function fitOf(
  model: Model,
  packBytes: number,
  identity: Pick<BoardIdentity, 'modelRamBytes' | 'slots' | 'channels' | 'rateHz'>,
): Fit {
  const needRam = boardRamBytes(model);
  const haveRam = identity.modelRamBytes;
  const ram = { needBytes: needRam, haveBytes: haveRam, fits: haveRam === null || needRam <= haveRam };
  const free = freeSlot(identity.slots);
  const slot = {
    index: free?.index ?? null,
    needBytes: packBytes,
    haveBytes: free?.capacityBytes ?? null,
    fits: free !== null && packBytes <= free.capacityBytes,
  };
  const channels = compareChannels(model, identity);
  const { rateHz } = model.input;
  return {
    ram,
    slot,
    channels,
    sameRate: Math.abs(identity.rateHz - rateHz) <= SAME_RATE * rateHz,
    fits: ram.fits && slot.fits && channels !== 'other-count',
  };
}
