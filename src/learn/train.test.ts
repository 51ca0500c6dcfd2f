import * as tf from '@tensorflow/tfjs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { Random } from '../signal/random';
import { startBackend } from './backend';
import { DenseNetwork } from './dense-network';
import { LearnError, type EpochFigures, type NetworkSpec, type TrainingSpec } from './pipeline';
import { classWeights, trainNetwork, type FeatureSet, type TrainOptions } from './train';

const WASM = fileURLToPath(new URL('../../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url));

const NETWORK: NetworkSpec = {
  layers: [
    { kind: 'dense', units: 16, activation: 'relu' },
    { kind: 'dropout', rate: 0.2 },
    { kind: 'dense', units: 8, activation: 'relu' },
  ],
};
const TRAINING: TrainingSpec = {
  epochs: 12,
  batchSize: 16,
  learningRate: 0.01,
  validationShare: 0.2,
  patience: 5,
  balanceClasses: false,
};

/** Three noisy clusters that overlap a little, far from zero and of unequal spread per feature. */
function clusters(count: number, seed: number): FeatureSet {
  const random = new Random(seed);
  const featureCount = 6;
  const features = new Float32Array(count * featureCount);
  const labels = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const label = row % 3;
    labels[row] = label;
    for (let i = 0; i < featureCount; i++) {
      const centre = (i % 3 === label ? 1.5 : 0) * 10 ** (i - 2);
      features[row * featureCount + i] = 100 + centre + random.normal() * 10 ** (i - 2);
    }
  }
  return { features, labels, count, featureCount };
}

function options(overrides: Partial<TrainOptions> = {}): TrainOptions {
  return {
    network: NETWORK,
    training: TRAINING,
    classes: 3,
    seed: 1,
    onEpoch: () => undefined,
    signal: new AbortController().signal,
    now: () => performance.now(),
    pause: () => new Promise((resolve) => setTimeout(resolve)),
    ...overrides,
  };
}

function accuracy(graph: FloatGraph, features: Float32Array, set: FeatureSet): number {
  const interpreter = createFloatInterpreter(graph);
  let correct = 0;
  for (let row = 0; row < set.count; row++) {
    const scores = interpreter.run(features.subarray(row * set.featureCount, (row + 1) * set.featureCount));
    if (scores.indexOf(Math.max(...scores)) === set.labels[row]) correct++;
  }
  return correct / set.count;
}

const weightsOf = (graph: FloatGraph): number[] =>
  graph.ops.flatMap((op) => (op.kind === 'fullyConnected' ? [...op.weights, ...op.bias] : []));

describe('trainNetwork', () => {
  beforeAll(async () => {
    expect(await startBackend(WASM)).toEqual({ name: 'wasm', note: null });
  });

  it('learns, and the plain graph computes what was trained', async () => {
    const figures: EpochFigures[] = [];
    const train = clusters(300, 1);
    const test = clusters(150, 2);
    const before = tf.memory().numTensors;
    const trained = await trainNetwork(train, clusters(60, 3), options({ onEpoch: (f) => figures.push(f) }));
    expect(tf.memory().numTensors).toBe(before);
    expect(figures).toEqual(trained.history);
    expect(figures.at(-1)!.loss).toBeLessThan(figures[0]!.loss / 2);
    const { mean, std } = trained.scaler;
    const scaled = test.features.map((value, at) => (value - mean[at % 6]!) / std[at % 6]!);
    expect(accuracy(trained.graph, scaled, test)).toBeGreaterThan(0.85);
    expect(trained.graph.tensors.map((tensor) => tensor.shape)).toEqual([[6], [16], [8], [3], [3]]);
  });

  it('is reproducible: the same seed gives the same weights, another seed others', async () => {
    const train = clusters(120, 1);
    const run = async (seed: number) => weightsOf((await trainNetwork(train, null, options({ seed }))).graph);
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  it('stops early and restores the best weights', async () => {
    const train = clusters(60, 1);
    // Labels of the held-back set are shuffled: it can only get worse with training.
    const random = new Random(5);
    const held = { ...clusters(60, 4), labels: random.shuffle(clusters(60, 4).labels) };
    const training = { ...TRAINING, epochs: 100, patience: 4, learningRate: 0.02 };
    const trained = await trainNetwork(train, held, options({ training }));
    expect(trained.history.length).toBe(trained.bestEpoch + 4);
    expect(trained.history.length).toBeLessThan(100);
    const losses = trained.history.map((figures) => figures.validationLoss!);
    expect(losses[trained.bestEpoch - 1]).toBe(Math.min(...losses));
    // The weights of the best epoch are those that a run of just so many epochs ends with.
    const short = { ...training, epochs: trained.bestEpoch };
    expect(weightsOf((await trainNetwork(train, held, options({ training: short }))).graph)).toEqual(
      weightsOf(trained.graph),
    );
  });

  it('stops when asked to, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const running = trainNetwork(
      clusters(300, 1),
      null,
      options({
        training: { ...TRAINING, epochs: 10_000 },
        signal: controller.signal,
        onEpoch: ({ epoch }) => {
          if (epoch === 3) controller.abort();
        },
      }),
    );
    await expect(running).rejects.toMatchObject({ name: 'LearnError', code: 'cancelled' });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('lets the event loop turn while it trains', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const training = { ...TRAINING, epochs: 1_000_000 };
    await expect(
      trainNetwork(clusters(300, 1), null, options({ training, signal: controller.signal })),
    ).rejects.toBeInstanceOf(LearnError);
  });

  it('refuses what cannot be trained', async () => {
    await expect(trainNetwork(clusters(0, 1), null, options())).rejects.toMatchObject({ code: 'no-windows' });
    await expect(trainNetwork(clusters(30, 1), null, options({ classes: 1 }))).rejects.toMatchObject({
      code: 'one-label',
    });
    const training = { ...TRAINING, learningRate: 1e30 };
    await expect(trainNetwork(clusters(60, 1), null, options({ training }))).rejects.toMatchObject({
      code: 'diverged',
    });
  });
});

describe('DenseNetwork', () => {
  it.each([0, 0.1])('has the gradients of tfjs’ own layers and loss, label smoothing %s', async (smoothing) => {
    await startBackend(WASM);
    const { features, labels } = clusters(24, 9);
    const scaled = features.map((value) => (value - 100) / 50);
    const spec: NetworkSpec = { layers: NETWORK.layers.filter((layer) => layer.kind === 'dense') };
    const network = new DenseNetwork(spec, 6, 3, new Random(2));
    const weights = Float32Array.of(0.5, 1, 2);
    const { gradients, loss } = network.gradients(scaled, labels, 24, weights, new Random(3), smoothing);

    const [w1, b1, w2, b2, w3, b3] = network.parameters.map((values, i) =>
      i % 2 ? tf.tensor1d(values) : tf.tensor2d(values, [[6, 16], [], [16, 8], [], [8, 3]][i] as [number, number]),
    ) as [tf.Tensor2D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D];
    const x = tf.tensor2d(scaled, [24, 6]);
    const y = tf.cast(tf.oneHot(tf.tensor1d(labels, 'int32'), 3), 'float32');
    const rowLoss = (labelSmoothing: number, ...w: tf.Tensor[]) => {
      const h1 = tf.relu(tf.add(tf.matMul(x, w[0] as tf.Tensor2D), w[1]!));
      const h2 = tf.relu(tf.add(tf.matMul(h1, w[2] as tf.Tensor2D), w[3]!));
      const logits = tf.add(tf.matMul(h2, w[4] as tf.Tensor2D), w[5]!);
      return tf.losses.softmaxCrossEntropy(y, logits, undefined, labelSmoothing, tf.Reduction.NONE);
    };
    const parameters = [w1, b1, w2, b2, w3, b3];
    const rowWeights = tf.gather(tf.tensor1d(weights), tf.tensor1d(labels, 'int32'));
    const expected = tf.grads((...w) => tf.div(tf.sum(tf.mul(rowLoss(smoothing, ...w), rowWeights)), 24))(parameters);
    const total = (tf.sum(rowLoss(0, ...parameters)).arraySync() as number) + 0;
    expect(loss).toBeCloseTo(total, 4);
    expected.forEach((gradient, i) => {
      const values = gradient.dataSync();
      expect(gradients[i]!.length).toBe(values.length);
      values.forEach((value, j) => expect(gradients[i]![j]).toBeCloseTo(value, 5));
    });
    network.dispose();
  });
});

describe('classWeights', () => {
  it('weighs rare classes up, with mean 1 over the windows', () => {
    const labels = Int32Array.of(0, 0, 0, 1);
    const weights = classWeights(labels, 3, true);
    expect([...weights]).toEqual([Math.fround(4 / 6), 2, 0]);
    expect(classWeights(labels, 3, false)).toEqual(Float32Array.of(1, 1, 1));
  });
});
