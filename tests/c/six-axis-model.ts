import { writePack } from '../../src/emit/pack';
import type { Model } from '../../src/emit/model';
import { randomModel } from '../conformance/random-model';

export interface PackedModel {
  readonly model: Model;
  readonly pack: Uint8Array;
}

/** The first model at or after `seed` that takes the six channels of the virtual board and classifies often. */
export function sixAxisModel(seed: number, labels: readonly string[], prefix = 'net'): PackedModel {
  for (let tried = seed; ; tried++) {
    const model = randomModel(tried, { labels, prefix });
    if (model.input.channels.length !== 6 || model.input.strideMs > model.input.windowMs) continue;
    return { model, pack: writePack(model) };
  }
}
