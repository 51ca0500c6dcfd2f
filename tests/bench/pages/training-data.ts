/** The training task of the bench: 1000 windows of 33 features, 4 classes, and the studio's default kind of network. */
import { Random } from '../../../src/signal/random';

export const TASK = { windows: 1000, features: 33, classes: 4, hidden: [20, 10], batchSize: 32, learningRate: 0.005 };

/** Noisy class centres: easy enough to converge, hard enough that every epoch does the full work. */
export function makeTask(seed: number): { features: Float32Array; labels: Int32Array } {
  const random = new Random(seed);
  const centres = Float32Array.from({ length: TASK.classes * TASK.features }, () => random.normal());
  const features = new Float32Array(TASK.windows * TASK.features);
  const labels = new Int32Array(TASK.windows);
  for (let row = 0; row < TASK.windows; row++) {
    const label = row % TASK.classes;
    labels[row] = label;
    for (let i = 0; i < TASK.features; i++) {
      features[row * TASK.features + i] = (centres[label * TASK.features + i] ?? 0) + 1.5 * random.normal();
    }
  }
  return { features, labels };
}
