/**
 * A small dense network that nobody trained, on top of real features: enough to prove that models travel, fit and compute
 * right. For the hardware test, and for tests.
 */
import type { CompiledBlock, InputSpec } from '../dsp/block';
import { createExtractor } from '../dsp/compile';
import { buildModel } from '../emit/build-model';
import type { Model, Smoothing } from '../emit/model';
import { foldInput } from '../quantize/input-affine';
import { quantizeGraph } from '../quantize/quantize-graph';
import type { Random } from '../signal/random';

export interface UntrainedModelSpec {
  /** C identifier prefix, also the model's name. */
  readonly prefix: string;
  readonly labels: readonly string[];
  readonly input: InputSpec;
  readonly blocks: readonly CompiledBlock[];
  /** Units of the hidden layer. */
  readonly hidden: number;
  /** Gives the weights: another state, another model. */
  readonly random: Random;
  /** Windows that set the ranges, `frames * channels` float32 each. At least one. */
  readonly windows: readonly Float32Array[];
  /** How many of `windows` become known answers. */
  readonly selfTestWindows: number;
  readonly smoothing?: Smoothing;
  /** Who made it, for the receipt. */
  readonly app: string;
  /** For the receipt. */
  readonly seed: number;
}

/** Throws EmitError, DspError or QuantizeError when the parts do not make a model. Deterministic. */
export function untrainedModel(spec: UntrainedModelSpec): Model {
  const { prefix, labels, input, blocks, hidden, random, windows, selfTestWindows, app, seed } = spec;
  const extractor = createExtractor(blocks, input);
  const features = windows.map((window) => extractor.run(window).slice());
  const count = extractor.featureCount;
  const column = (i: number): number[] => features.map((row) => row[i] ?? 0);
  const mean = Float32Array.from({ length: count }, (_, i) => average(column(i)));
  const std = Float32Array.from(mean, (m, i) => Math.sqrt(average(column(i).map((v) => (v - m) ** 2))) || 1);
  const scaled = features.map((row) => row.map((value, i) => (value - (mean[i] ?? 0)) / (std[i] ?? 1)));
  const noise = (length: number): Float32Array => Float32Array.from({ length }, () => random.between(-0.6, 0.6));
  const dense = (input: number, inputs: number, units: number, activation: 'relu' | 'none') =>
    ({
      kind: 'fullyConnected',
      input,
      output: input + 1,
      weights: noise(inputs * units),
      bias: noise(units),
      activation,
    }) as const;
  const graph = quantizeGraph(
    {
      tensors: [
        { name: 'features', shape: [count] },
        { name: 'hidden', shape: [hidden] },
        { name: 'logits', shape: [labels.length] },
        { name: 'probabilities', shape: [labels.length] },
      ],
      ops: [
        dense(0, count, hidden, 'relu'),
        dense(1, hidden, labels.length, 'none'),
        { kind: 'softmax', input: 2, output: 3 },
      ],
      input: 0,
      output: 3,
    },
    scaled,
    { weights: 'per-channel' },
  );
  const tensor = graph.tensors[graph.input];
  if (!tensor) throw new Error('The graph has no input.');
  return buildModel({
    prefix,
    labels,
    input,
    blocks,
    affine: foldInput({ mean, std }, tensor),
    graph,
    smoothing: spec.smoothing ?? { windows: 1, threshold: 0 },
    receipt: {
      app,
      trainedOn: '',
      dataset: '0'.repeat(64),
      seed,
      split: { trainRecordings: 0, testRecordings: 0, trainWindows: windows.length, testWindows: 0 },
      accuracyFloat: null,
      accuracyInt8: null,
      pipeline: '{}',
    },
    selfTestWindows: windows.slice(0, selfTestWindows),
  });
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
