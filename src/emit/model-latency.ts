/**
 * Predicted time of a whole model on boards that run our firmware, before it is there: for each core a linear model of what
 * blocks and dense layers do, fitted to counted cycles of random models (tests/bench/model-latency-calibration.ts; cost model
 * in tests/cross/instruction-count.c, simavr on AVR). It knows no wait states, no caches and no interrupts.
 */
import { windowFrames, type BlockKind, type CompiledBlock } from '../dsp/block';
import { firstRatio, kept } from '../dsp/spectral';
import { elementCount } from '../graph/float-graph';
import type { Int8Graph } from '../quantize/int8-graph';
import type { Model } from './model';

/**
 * What runs the model: packs on a Cortex-M4 with floating point unit or on a Cortex-M0+, or the Uno's firmware. Without
 * such a unit every operation on features is a call, so features may take far longer than the network.
 */
export type ModelCore = 'cortex-m4f' | 'cortex-m0plus' | 'uno';
export const MODEL_CORES: readonly ModelCore[] = ['cortex-m4f', 'cortex-m0plus', 'uno'];

interface Costs {
  /** Cycles per term of `featureTerms`, and last per feature on its way into the network. */
  readonly features: Readonly<Record<BlockKind, readonly number[]>>;
  /** Cycles per term of `denseTerms`. */
  readonly network: readonly number[];
  /** Largest relative error of the calibration, models included that the fit did not see; rounded up. */
  readonly featureError: number;
  readonly networkError: number;
}

const COSTS: Readonly<Record<ModelCore, Costs>> = {
  'cortex-m4f': {
    features: {
      raw: [10.2, 82.3, 0],
      flatten: [56.1, 1310, 0],
      spectral: [155, 37.4, 78.4, 0, 117, 163, 53.3, 90.1],
    },
    network: [1.71, 26.6, 976, 349, 463],
    featureError: 0.12,
    networkError: 0.11,
  },
  'cortex-m0plus': {
    features: {
      raw: [241, 1320, 0],
      flatten: [2390, 8500, 1130],
      spectral: [5990, 1680, 2940, 1030, 509, 2410, 2690, 1510],
    },
    network: [5.1, 40.7, 2010, 1560, 0],
    featureError: 0.07,
    networkError: 0.15,
  },
  uno: {
    features: {
      raw: [482, 1610, 0],
      flatten: [3080, 13500, 1090],
      spectral: [7270, 1920, 3700, 928, 1370, 2200, 2660, 3520],
    },
    network: [64.4, 546, 0, 8140, 0],
    featureError: 0.07,
    networkError: 0.1,
  },
};

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
        const ratio = firstRatio(left);
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

/**
 * What a chain of dense layers with or without softmax does: products, outputs of layers, layers, labels into the softmax,
 * softmax or not. Null for any other network.
 */
export function denseTerms(graph: Int8Graph): readonly number[] | null {
  const terms = [0, 0, 0, 0, 0] as [number, number, number, number, number];
  for (const op of graph.ops) {
    const outputs = elementCount(graph.tensors[op.output]?.shape ?? []);
    switch (op.kind) {
      case 'fullyConnected':
        terms[0] += op.weights.length;
        terms[1] += outputs;
        terms[2] += 1;
        break;
      case 'softmax':
        terms[3] += outputs;
        terms[4] += 1;
        break;
      case 'reshape':
        break;
      default:
        return null;
    }
  }
  return terms;
}

function sum(terms: readonly number[], costs: readonly number[]): number {
  return terms.reduce((total, term, index) => total + term * (costs[index] ?? 0), 0);
}

export interface ModelCycles {
  /** From a window of samples to quantized features. */
  readonly features: number;
  readonly network: number;
  /** How far off the sum may be, as a share of it, by the calibration. */
  readonly error: number;
}

/** Estimated cycles of one classification, or null for networks that the table does not know. */
export function estimateModelCycles(
  model: Pick<Model, 'blocks' | 'input' | 'graph'>,
  core: ModelCore,
): ModelCycles | null {
  const costs = COSTS[core];
  const dense = denseTerms(model.graph);
  if (!dense) return null;
  const frames = windowFrames(model.input);
  const features = model.blocks.reduce(
    (total, block) => total + sum([...featureTerms(block, frames), block.featureCount], costs.features[block.kind]),
    0,
  );
  const network = sum(dense, costs.network);
  const error = (features * costs.featureError + network * costs.networkError) / Math.max(1, features + network);
  return { features: Math.round(features), network: Math.round(network), error };
}
