import { writePack } from '../../src/emit/pack';
import { randomModel } from '../conformance/random-model';

/** The first pack of at least so many bytes for three axes, with two hidden layers and windows that fit a small chip. */
export function threeAxisPack(leastBytes: number): Uint8Array {
  const statistics = { average: true, minimum: true, maximum: true, rms: true, stdev: true };
  for (let seed = 1; ; seed++) {
    const model = randomModel(seed, {
      channels: 3,
      labels: ['still', 'wave', 'circle'],
      hidden: [64, 64],
      blocks: [
        {
          kind: 'flatten',
          version: 1,
          channels: [0, 1, 2],
          params: { scale: 1, ...statistics, skewness: false, kurtosis: false },
        },
      ],
    });
    const pack = writePack(model);
    if (pack.length >= leastBytes && (model.input.windowMs * model.input.rateHz) / 1000 < 200) return pack;
  }
}
