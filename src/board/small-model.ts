/** A small model of six-axis motion that nobody trained: for tests of everything that carries models around. */
import { compileBlock } from '../dsp/compile';
import type { InputSpec } from '../dsp/block';
import type { Model } from '../emit/model';
import { generateRecording, MotionGenerator } from '../signal/motion-generator';
import { Random } from '../signal/random';
import { untrainedModel } from './untrained-model';

/** Seeded: another seed is another model of the same shape. */
export function smallModel(seed: number, windowMs = 500): Model {
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
  return untrainedModel({
    prefix: `small_${seed}`,
    labels,
    input,
    blocks,
    hidden: 16,
    random: new Random(seed),
    windows,
    selfTestWindows: 20,
    app: 'Mote test',
    seed,
  });
}
