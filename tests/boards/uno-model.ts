/** Gesture models for an Uno: three axes of an analog accelerometer, in volts, nobody trained them. */
import { compileBlock, createExtractor } from '../../src/dsp/compile';
import type { BlockSpec, InputSpec, SpectralSpec } from '../../src/dsp/block';
import { buildModel } from '../../src/emit/build-model';
import type { Model } from '../../src/emit/model';
import { foldInput } from '../../src/quantize/input-affine';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { generateRecording, MotionGenerator } from '../../src/signal/motion-generator';
import { Random } from '../../src/signal/random';

export const RATE_HZ = 50;
/** As the firmware tells: 5 V in 1023 steps. */
export const SCALE = Math.fround(5 / 1023);
/** ADXL335 at 5 V: 2.5 V at rest, 0.33 V per g. */
const VOLTS_PER_G = 0.33;
const GRAVITY = 9.80665;

/** Volts of a moving accelerometer, frame by frame, in steps of the converter. */
export function motionVolts(gesture: string, seconds: number, seed: number): Float32Array {
  const { samples, recording } = generateRecording({ gesture, seconds, rateHz: RATE_HZ, seed });
  const channels = recording.channels.length;
  return Float32Array.from({ length: (samples.length / channels) * 3 }, (_, i) => {
    const acceleration = samples[Math.floor(i / 3) * channels + (i % 3)] ?? 0;
    const steps = Math.round((2.5 + (acceleration / GRAVITY) * VOLTS_PER_G) / SCALE);
    return Math.max(0, Math.min(1023, steps)) * SCALE;
  });
}

export const FLATTEN: BlockSpec = {
  kind: 'flatten',
  version: 1,
  channels: [0, 1, 2],
  params: {
    scale: 1,
    average: true,
    minimum: true,
    maximum: true,
    rms: true,
    stdev: true,
    skewness: true,
    kurtosis: true,
  },
};

export const SPECTRAL: SpectralSpec = {
  kind: 'spectral',
  version: 4,
  channels: [0, 1, 2],
  params: {
    scale: 1,
    decimation: 1,
    filter: 'low',
    cutoffHz: 8,
    order: 6,
    fftLength: 16,
    log: true,
    overlap: true,
    improveLowFrequency: false,
  },
};

export const RAW: BlockSpec = { kind: 'raw', version: 1, channels: [2, 0, 1], params: { scale: 2, average: 5 } };

export interface UnoModelOptions {
  readonly seed: number;
  readonly windowMs: number;
  readonly blocks: readonly BlockSpec[];
  readonly hidden: number;
}

export function unoModel({ seed, windowMs, blocks: specs, hidden }: UnoModelOptions): Model {
  const random = new Random(seed);
  const labels = [...MotionGenerator.gestures];
  const channels = ['A0', 'A1', 'A2'].map((name) => ({ name, unit: 'V' }));
  const input: InputSpec = { channels, rateHz: RATE_HZ, windowMs, strideMs: windowMs / 2 };
  const blocks = specs.map((spec) => compileBlock(spec, input));
  const values = Math.round((windowMs * RATE_HZ) / 1000) * 3;
  const windows = labels
    .map((gesture) => motionVolts(gesture, 8, seed))
    .flatMap((samples) =>
      Array.from({ length: Math.floor(samples.length / values) }, (_, i) =>
        samples.slice(i * values, (i + 1) * values),
      ),
    );
  const extractor = createExtractor(blocks, input);
  const features = windows.map((window) => extractor.run(window).slice());
  const count = extractor.featureCount;
  const column = (i: number): number[] => features.map((row) => row[i] ?? 0);
  const average = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const mean = Float32Array.from({ length: count }, (_, i) => average(column(i)));
  const std = Float32Array.from(mean, (m, i) => Math.sqrt(average(column(i).map((v) => (v - m) ** 2))) || 1);
  const scaled = features.map((row) => row.map((v, i) => (v - (mean[i] ?? 0)) / (std[i] ?? 1)));
  const noise = (length: number): Float32Array => Float32Array.from({ length }, () => random.between(-0.6, 0.6));
  const graph = quantizeGraph(
    {
      tensors: [
        { name: 'features', shape: [count] },
        { name: 'hidden', shape: [hidden] },
        { name: 'logits', shape: [labels.length] },
        { name: 'probabilities', shape: [labels.length] },
      ],
      ops: [
        {
          kind: 'fullyConnected',
          input: 0,
          output: 1,
          weights: noise(count * hidden),
          bias: noise(hidden),
          activation: 'relu',
        },
        {
          kind: 'fullyConnected',
          input: 1,
          output: 2,
          weights: noise(hidden * labels.length),
          bias: noise(labels.length),
          activation: 'none',
        },
        { kind: 'softmax', input: 2, output: 3 },
      ],
      input: 0,
      output: 3,
    },
    scaled,
    { weights: 'per-channel' },
  );
  const inputTensor = graph.tensors[graph.input];
  if (!inputTensor) throw new Error('The graph has no input.');
  return buildModel({
    prefix: 'gestures',
    labels,
    input,
    blocks,
    affine: foldInput({ mean, std }, inputTensor),
    graph,
    smoothing: { windows: 3, threshold: 0.4 },
    receipt: {
      app: 'Mote test',
      trainedOn: '',
      dataset: '0'.repeat(64),
      seed,
      split: { trainRecordings: labels.length, testRecordings: 0, trainWindows: windows.length, testWindows: 0 },
      accuracyFloat: null,
      accuracyInt8: null,
      pipeline: '{}',
    },
    selfTestWindows: windows,
  });
}
