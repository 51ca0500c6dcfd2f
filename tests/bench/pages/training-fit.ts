/** The reference: what a tfjs beginner writes. Plain `model.fit` on the main thread, default backend, default options. */
import * as tf from '@tensorflow/tfjs';
import { TASK } from './training-data';

export interface EpochTimes {
  readonly backend: string;
  /** Milliseconds per epoch, warm-up left out. */
  readonly epochs: readonly number[];
}

export async function fitWithTfjs(
  features: Float32Array,
  labels: Int32Array,
  epochs: number,
  warmUp: number,
): Promise<EpochTimes> {
  await tf.ready();
  const model = tf.sequential();
  TASK.hidden.forEach((units, index) =>
    model.add(tf.layers.dense({ units, activation: 'relu', ...(index === 0 ? { inputShape: [TASK.features] } : {}) })),
  );
  model.add(tf.layers.dense({ units: TASK.classes, activation: 'softmax' }));
  model.compile({
    optimizer: tf.train.adam(TASK.learningRate),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  const xs = tf.tensor2d(features, [TASK.windows, TASK.features]);
  const ys = tf.oneHot(tf.tensor1d(labels, 'int32'), TASK.classes);
  const times: number[] = [];
  let started = 0;
  await model.fit(xs, ys, {
    epochs: epochs + warmUp,
    batchSize: TASK.batchSize,
    callbacks: {
      onEpochBegin: () => void (started = performance.now()),
      onEpochEnd: () => void times.push(performance.now() - started),
    },
  });
  xs.dispose();
  ys.dispose();
  model.optimizer.dispose();
  model.dispose();
  return { backend: tf.getBackend(), epochs: times.slice(warmUp) };
}
