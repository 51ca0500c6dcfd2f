/** A small model of six-axis motion that nobody trained: for tests of everything that carries models around. */
import { compileBlock, createExtractor } from '../dsp/compile';
import type { InputSpec } from '../dsp/block';
import { buildModel } from '../emit/build-model';
import type { Model } from '../emit/model';
import { quantizeGraph } from '../quantize/quantize-graph';
import { foldInput } from '../quantize/input-affine';
import { generateRecording, MotionGenerator } from '../signal/motion-generator';
import { Random } from '../signal/random';

/** Seeded: another seed is another model of the same shape. */
export function smallModel(seed: number, windowMs = 500): Model {
  const random = new Random(seed);
  const labels = [...MotionGenerator.gestures];
  const seconds = Math.max(4, windowMs / 1000);
  const recordings = labels.map((gesture) => generateRecording({ gesture, seconds, rateHz: 100, seed }));
  const channels = recordings[0]?.recording.channels ?? [];
  const input: InputSpec = { channels, rateHz: 100, windowMs, strideMs: windowMs / 2 };
  const params = {
    scale: 1,
    average: true,
    minimum: true,
    maximum: true,
    rms: true,
    stdev: true,
    skewness: false,
    kurtosis: false,
  };
  const blocks = [compileBlock({ kind: 'flatten', version: 1, channels: channels.map((_, i) => i), params }, input)];
  const frames = Math.round(windowMs / 10);
  const values = frames * channels.length;
  const windows = recordings.flatMap(({ samples }) =>
    Array.from({ length: Math.floor(samples.length / values) }, (_, i) => samples.slice(i * values, (i + 1) * values)),
  );
  const extractor = createExtractor(blocks, input);
  const features = windows.map((window) => extractor.run(window).slice());
  const count = extractor.featureCount;
  const column = (i: number): number[] => features.map((row) => row[i] ?? 0);
  const mean = Float32Array.from({ length: count }, (_, i) => average(column(i)));
  const std = Float32Array.from(mean, (m, i) => Math.sqrt(average(column(i).map((v) => (v - m) ** 2))) || 1);
  const scaled = features.map((row) => row.map((v, i) => (v - (mean[i] ?? 0)) / (std[i] ?? 1)));
  const noise = (length: number): Float32Array => Float32Array.from({ length }, () => random.between(-0.6, 0.6));
  const hidden = 16;
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
    prefix: `small_${seed}`,
    labels,
    input,
    blocks,
    affine: foldInput({ mean, std }, inputTensor),
    graph,
    smoothing: { windows: 1, threshold: 0 },
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
    selfTestWindows: windows.slice(0, 20),
  });
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
