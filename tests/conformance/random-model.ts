/** Models nobody trained: random pipelines, random dense networks, quantized for real. Seeded. */
import type { BlockSpec, InputSpec } from '../../src/dsp/block';
import { compileBlock, createExtractor } from '../../src/dsp/compile';
import { windowFrames } from '../../src/dsp/block';
import { buildModel } from '../../src/emit/build-model';
import type { Model } from '../../src/emit/model';
import type { FloatGraph, FloatOp, FloatTensor } from '../../src/graph/float-graph';
import { foldInput } from '../../src/quantize/input-affine';
import { quantizeGraph } from '../../src/quantize/quantize-graph';

/** Mulberry32: uniform in [0, 1). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export class Dice {
  readonly #random: () => number;
  constructor(seed: number) {
    this.#random = createRandom(seed);
  }
  /** Uniform in [minimum, maximum). */
  real(minimum: number, maximum: number): number {
    return minimum + (maximum - minimum) * this.#random();
  }
  /** Uniform integer, both ends included. */
  integer(minimum: number, maximum: number): number {
    return Math.floor(this.real(minimum, maximum + 1));
  }
  chance(probability: number): boolean {
    return this.#random() < probability;
  }
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)] as T;
  }
}

function randomBlock(dice: Dice, input: InputSpec): BlockSpec {
  const channels = input.channels.map((_, index) => index).filter(() => dice.chance(0.7));
  if (channels.length === 0) channels.push(dice.integer(0, input.channels.length - 1));
  const scale = dice.pick([1, 0.1, -2.5]);
  switch (dice.pick(['raw', 'flatten', 'spectral'] as const)) {
    case 'raw':
      return { kind: 'raw', version: 1, channels, params: { scale, average: dice.pick([1, 1, 4]) } };
    case 'flatten': {
      const flag = (): boolean => dice.chance(0.6);
      const params = {
        scale,
        average: flag(),
        minimum: flag(),
        maximum: flag(),
        rms: true,
        stdev: flag(),
        skewness: flag(),
        kurtosis: flag(),
      };
      return { kind: 'flatten', version: 1, channels, params };
    }
    case 'spectral': {
      const filter = dice.pick(['none', 'low', 'high'] as const);
      // The low-frequency copy wants a tenth of the window to fill half an FFT.
      const improveLowFrequency = windowFrames(input) >= 80 && dice.chance(0.5);
      return {
        kind: 'spectral',
        version: 4,
        channels,
        params: {
          scale,
          decimation: improveLowFrequency ? 1 : dice.pick([1, 1, 3] as const),
          filter,
          cutoffHz: dice.real(input.rateHz * 0.03, input.rateHz * 0.12),
          order: dice.pick([2, 4, 6, 8]),
          fftLength: improveLowFrequency ? 16 : dice.pick([16, 32, 64]),
          log: dice.chance(0.5),
          overlap: dice.chance(0.5),
          improveLowFrequency,
        },
      };
    }
  }
}

function denseGraph(dice: Dice, features: number, labels: number, hidden: readonly number[]): FloatGraph {
  const tensors: FloatTensor[] = [{ name: 'features', shape: [features] }];
  const ops: FloatOp[] = [];
  const dense = (units: number, last: boolean): void => {
    const inputs = tensors.at(-1)?.shape[0] as number;
    const spread = Math.sqrt(3 / inputs);
    const noise = (size: number, width: number): Float32Array =>
      Float32Array.from({ length: size }, () => dice.real(-width, width));
    ops.push({
      kind: 'fullyConnected',
      input: tensors.length - 1,
      output: tensors.length,
      weights: noise(inputs * units, 2 * spread),
      bias: noise(units, 0.5),
      activation: last ? 'none' : dice.pick(['relu', 'relu6', 'none'] as const),
    });
    tensors.push({ name: last ? 'logits' : `dense ${ops.length}`, shape: [units] });
  };
  for (const units of hidden) dense(units, false);
  dense(labels, true);
  ops.push({ kind: 'softmax', input: tensors.length - 1, output: tensors.length });
  tensors.push({ name: 'probabilities', shape: [labels] });
  return { tensors, ops, input: 0, output: tensors.length - 1 };
}

/** A window of waves, levels and noise, sometimes with extreme values. */
export function randomWindow(dice: Dice, frames: number, channels: number): Float32Array {
  const window = new Float32Array(frames * channels);
  for (let channel = 0; channel < channels; channel++) {
    const level = dice.real(-10, 10);
    const swing = dice.real(0, 10);
    const period = dice.real(2, 60);
    const noise = dice.real(0, 2);
    for (let frame = 0; frame < frames; frame++) {
      window[frame * channels + channel] =
        level + swing * Math.sin((2 * Math.PI * frame) / period) + dice.real(-noise, noise);
    }
  }
  if (dice.chance(0.1)) window.fill(dice.pick([0, -0, 1e-40, 3e38, -1e20]));
  if (dice.chance(0.05)) window[dice.integer(0, window.length - 1)] = dice.pick([NaN, Infinity, -Infinity]);
  return window;
}

export interface RandomModelOptions {
  readonly prefix?: string;
  readonly labels?: readonly string[];
  readonly smoothingWindows?: number;
  readonly channels?: number;
  readonly blocks?: readonly BlockSpec[];
  /** Units of the hidden layers. */
  readonly hidden?: readonly number[];
}

export function randomModel(seed: number, options: RandomModelOptions = {}): Model {
  const dice = new Dice(seed);
  const channelCount = options.channels ?? dice.integer(1, 6);
  const rateHz = dice.pick([50, 62.5, 100, 119.3]);
  const windowMs = dice.integer(600, 1500);
  const input: InputSpec = {
    channels: Array.from({ length: channelCount }, (_, index) => ({
      name: `axis${index}`,
      unit: index % 2 ? '' : 'm/s2',
    })),
    rateHz,
    windowMs,
    strideMs: dice.pick([windowMs, windowMs / 3, windowMs * 1.7, 1000 / rateHz]),
  };
  const specs = options.blocks ?? Array.from({ length: dice.integer(1, 3) }, () => randomBlock(dice, input));
  const blocks = specs.map((spec) => compileBlock(spec, input));
  const labels = options.labels ?? Array.from({ length: dice.integer(2, 7) }, (_, index) => `label ${index}`);
  const extractor = createExtractor(blocks, input);
  const windows = Array.from({ length: 40 }, () => randomWindow(dice, windowFrames(input), channelCount));
  const features = windows.map((window) => extractor.run(window).slice());
  const calm = features.filter((row) => row.every((value) => Math.abs(value) < 1e6));
  const mean = new Float32Array(extractor.featureCount);
  const std = new Float32Array(extractor.featureCount);
  for (let i = 0; i < mean.length; i++) {
    const column = calm.map((row) => row[i] as number);
    mean[i] = column.reduce((sum, value) => sum + value, 0) / column.length;
    std[i] = Math.sqrt(column.reduce((sum, value) => sum + (value - (mean[i] as number)) ** 2, 0) / column.length) || 1;
  }
  const scaled = calm.map((row) => row.map((value, i) => (value - (mean[i] as number)) / (std[i] as number)));
  const hidden = options.hidden ?? Array.from({ length: dice.integer(0, 2) }, () => dice.integer(1, 24));
  const float = denseGraph(dice, extractor.featureCount, labels.length, hidden);
  const graph = quantizeGraph(float, scaled, { weights: dice.pick(['per-tensor', 'per-channel'] as const) });
  const inputTensor = graph.tensors[graph.input];
  if (!inputTensor) throw new Error('The graph has no input.');
  return buildModel({
    prefix: options.prefix ?? 'net',
    labels,
    input,
    blocks,
    affine: foldInput({ mean, std }, inputTensor),
    graph,
    smoothing: { windows: options.smoothingWindows ?? dice.integer(1, 5), threshold: dice.pick([0, 0.3, 0.6, 1]) },
    receipt: {
      app: 'Mote test',
      trainedOn: '',
      dataset: '0'.repeat(64),
      seed,
      split: { trainRecordings: 3, testRecordings: 1, trainWindows: 30, testWindows: 10 },
      accuracyFloat: 0.9,
      accuracyInt8: null,
      pipeline: '{}',
    },
    selfTestWindows: windows.slice(0, 12),
  });
}
