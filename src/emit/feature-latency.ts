/**
 * Predicted cycles of feature blocks before they run anywhere: for each kind of block and core a linear model of what the
 * block does per sample, per butterfly of the FFT and so on, fitted to counted cycles of random blocks
 * (tests/bench/feature-latency-calibration.ts; cost model in tests/cross/instruction-count.c, simavr on AVR).
 */
import { windowFrames, type CompiledBlock } from '../dsp/block';
import type { Model } from './model';
import { featureCount } from './size';

/**
 * Cores that the table knows. Without a floating point unit every operation on features is a call, so features may take
 * far longer than the network there.
 */
export type FeatureCore = 'cortex-m4f' | 'cortex-m0plus' | 'avr';
export const FEATURE_CORES: readonly FeatureCore[] = ['cortex-m4f', 'cortex-m0plus', 'avr'];

/** Cycles per term of `featureTerms`; `quantize`: per feature, on its way into the network. */
const COSTS: Readonly<Record<FeatureCore, Readonly<Record<CompiledBlock['kind'] | 'quantize', readonly number[]>>>> = {
  'cortex-m4f': {
    raw: [8.49, 31.5],
    flatten: [55.5, 1170],
    spectral: [150, 23.3, 70.7, 8.63, 113, 169, 68.5],
    quantize: [31.5],
  },
  'cortex-m0plus': {
    raw: [243, 547],
    flatten: [2450, 7700],
    spectral: [5950, 1530, 2450, 1140, 458, 2290, 2860],
    quantize: [703],
  },
  avr: {
    raw: [277, 655],
    flatten: [2910, 13400],
    spectral: [7310, 1900, 3270, 1190, 862, 4140, 3410],
    quantize: [824],
  },
};

/** Largest relative error of one block in the calibration, those included that the fit did not see; rounded up. */
export const FEATURE_ERROR: Readonly<Record<FeatureCore, number>> = {
  'cortex-m4f': 0.2,
  'cortex-m0plus': 0.09,
  avr: 0.07,
};

function kept(count: number, ratio: number): number {
  return Math.floor((count - 1) / ratio) + 1;
}

/**
 * What a block does on one window of `frames` frames, in the order of its costs.
 * - raw: values read, features written.
 * - flatten: values read, axes.
 * - spectral: samples into decimators, samples times filter sections, samples of the signal, butterflies, points of the
 *   spectra held, bins described, logarithms.
 */
export function featureTerms(block: CompiledBlock, frames: number): readonly number[] {
  const axes = block.channels.length;
  switch (block.kind) {
    case 'raw':
      return [frames * axes, block.featureCount];
    case 'flatten':
      return [frames * axes, axes];
    case 'spectral': {
      const [log2 = 4, flags = 0, sections = 0, first = 0, last = 0, firstLow = 0, lastLow = 0, decimation = 1] =
        block.ints;
      const half = 1 << (log2 - 1);
      const step = (flags & 2) === 0 ? 2 * half : half;
      const terms = [0, 0, 0, 0, 0, 0, 0] as [number, number, number, number, number, number, number];
      const describe = (count: number, bins: number): void => {
        const spectra = Math.ceil(count / step);
        terms[2] += count;
        terms[3] += (spectra * half * (log2 - 1)) / 2;
        terms[4] += spectra * half;
        terms[5] += half;
        if ((flags & 1) !== 0) terms[6] += bins;
      };
      let count = frames;
      for (let left = decimation; left > 1;) {
        const ratio = left % 10 === 0 && left !== 30 ? 10 : 3;
        terms[0] += count;
        count = kept(count, ratio);
        left /= ratio;
      }
      terms[1] += count * sections;
      describe(count, last - first + 1);
      if ((flags & 4) !== 0) {
        terms[0] += count;
        describe(kept(count, 10), lastLow - firstLow + 1);
      }
      return terms.map((term) => term * axes);
    }
  }
}

/** Estimated cycles of one run of a block on a window of `frames` frames. */
export function estimateBlockCycles(block: CompiledBlock, frames: number, core: FeatureCore): number {
  const costs = COSTS[core][block.kind];
  return featureTerms(block, frames).reduce((sum, term, index) => sum + term * (costs[index] ?? 0), 0);
}

/** Estimated cycles from a window of samples to quantized features. */
export function estimateFeatureCycles(model: Pick<Model, 'blocks' | 'input'>, core: FeatureCore): number {
  const frames = windowFrames(model.input);
  const blocks = model.blocks.reduce((sum, block) => sum + estimateBlockCycles(block, frames, core), 0);
  return Math.round(blocks + featureCount(model) * (COSTS[core].quantize[0] ?? 0));
}
