/** Runs a model in the browser exactly as the board does: window in, int8 scores out. */
import { windowFrames } from '../dsp/block';
import { createExtractor } from '../dsp/compile';
import { quantizeFeatures } from '../quantize/input-affine';
import { createInt8Interpreter } from '../quantize/interpreter';
import { crc32 } from './crc32';
import { EmitError, type Model } from './model';
import { selfTestCount, selfTestWindow } from './self-test';

/** What one window gives. All arrays are overwritten by the next classification: copy what you keep. */
export interface RunResult {
  /** One int8 score per label. */
  readonly scores: Int8Array;
  /** CRC-32 of `quantized`, as the board reports it. */
  readonly featureCrc: number;
  /** float32 features. */
  readonly features: Float32Array;
  /** The network's int8 input. */
  readonly quantized: Int8Array;
  /** Index of the highest score, the lowest on ties. */
  readonly best: number;
}

export interface ModelRunner {
  /** Frames and channels of a window. */
  readonly frames: number;
  readonly channels: number;
  /**
   * @param window `frames * channels` float32, `window[frame * channels + channel]`.
   * @throws DspError when the window has another length.
   */
  classify(window: Float32Array): RunResult;
}

/** The parts of a model that a classification needs. */
export type RunnableModel = Pick<Model, 'input' | 'blocks' | 'affine' | 'graph'>;

/** Throws DspError or QuantizeError when the parts do not fit together. */
export function createRunner(model: RunnableModel): ModelRunner {
  const extractor = createExtractor(model.blocks, model.input);
  const network = createInt8Interpreter(model.graph);
  const quantized = new Int8Array(extractor.featureCount);
  return {
    frames: windowFrames(model.input),
    channels: model.input.channels.length,
    classify(window) {
      const features = extractor.run(window);
      quantizeFeatures(features, model.affine, quantized);
      const scores = network.run(quantized);
      return { scores, featureCrc: crc32(quantized), features, quantized, best: indexOfHighest(scores) };
    },
  };
}

/** Index of the highest score, the lowest index on ties. */
export function indexOfHighest(scores: Int8Array): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[best] as number)) best = i;
  return best;
}

/** Turns scores of consecutive windows into decisions, exactly as `<prefix>_decide` and the board do. */
export interface Smoother {
  /** The label with the highest average over the last windows, or -1 when that average is below the threshold. */
  decide(scores: Int8Array): number;
  reset(): void;
}

export function createSmoother(model: Pick<Model, 'smoothing' | 'graph'>): Smoother {
  const output = model.graph.tensors[model.graph.output];
  if (!output) throw new EmitError('bad-model', 'The network of this model has no output.');
  const threshold = Math.ceil(model.smoothing.threshold / output.scale);
  let history: Int8Array[] = [];
  return {
    decide(scores) {
      history = [...history, scores.slice()].slice(-model.smoothing.windows);
      const sums = Array.from(scores, (_, label) =>
        history.reduce((sum, row) => sum + (row[label] as number) - output.zeroPoint, 0),
      );
      const best = sums.indexOf(Math.max(...sums));
      return (sums[best] as number) >= threshold * history.length ? best : -1;
    },
    reset() {
      history = [];
    },
  };
}

/** Number of self-test windows for which this runner does not give the bytes stored in the model: 0 when all is well. */
export function runSelfTest(model: Model): number {
  const runner = createRunner(model);
  const labels = model.labels.length;
  let failed = 0;
  for (let index = 0; index < selfTestCount(model.selfTest); index++) {
    const { featureCrc, scores } = runner.classify(selfTestWindow(model, index));
    const expected = model.selfTest.scores.subarray(index * labels, (index + 1) * labels);
    const same = featureCrc === model.selfTest.featureCrc[index] && scores.every((score, i) => score === expected[i]);
    if (!same) failed++;
  }
  return failed;
}
