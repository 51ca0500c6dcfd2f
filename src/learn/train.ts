/**
 * Trains a dense classifier. Seeded and reproducible: the same features, spec and seed give the same weights, bit for
 * bit, on the same backend and engine.
 */
import type { FloatGraph } from '../graph/float-graph';
import { Random } from '../signal/random';
import { Adam } from './adam';
import { DenseNetwork } from './dense-network';
import { LearnError, type EpochFigures, type NetworkSpec, type TrainingSpec } from './pipeline';
import { fitScaler, scaleFeatures, type Scaler } from './scaler';

/** Feature vectors with their labels: `features[row * featureCount + feature]`, `labels[row]` = class index. */
export interface FeatureSet {
  readonly features: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
  readonly featureCount: number;
}

export interface TrainOptions {
  readonly network: NetworkSpec;
  readonly training: TrainingSpec;
  /** Number of labels, at least 2. */
  readonly classes: number;
  readonly seed: number;
  readonly onEpoch: (figures: EpochFigures) => void;
  readonly signal: AbortSignal;
  /** Milliseconds clock. */
  readonly now: () => number;
  /** Lets the event loop turn, so that a request to stop can arrive. */
  readonly pause: () => Promise<void>;
}

export interface TrainedNetwork {
  /** Takes scaled features, gives class probabilities. */
  readonly graph: FloatGraph;
  /** Measured on the training windows. */
  readonly scaler: Scaler;
  readonly history: readonly EpochFigures[];
  /** The epoch (from 1) whose weights these are. */
  readonly bestEpoch: number;
}

/** The event loop turns at least this often while training. */
const PAUSE_EVERY_MS = 50;

/** A validation loss counts as better only by this much: keeps rounding noise from postponing the stop. */
const LEAST_IMPROVEMENT = 1e-4;

/**
 * Trains on `train`; `validation` (may be empty or null) decides when to stop and which epoch's weights are kept.
 * The backend must have been started. Throws LearnError `no-windows`, `one-label`, `diverged` or `cancelled`.
 */
export async function trainNetwork(
  train: FeatureSet,
  validation: FeatureSet | null,
  options: TrainOptions,
): Promise<TrainedNetwork> {
  const { training, classes, signal, now } = options;
  if (train.count === 0) throw new LearnError('no-windows', 'There is not a single window to train on.');
  if (classes < 2) throw new LearnError('one-label', 'A classifier needs at least two labels to tell apart.');
  const { featureCount } = train;
  const scaler = fitScaler(train.features, train.count, featureCount);
  const features = scaleFeatures(train.features, train.count, scaler);
  const held =
    validation && validation.count > 0
      ? { ...validation, features: scaleFeatures(validation.features, validation.count, scaler) }
      : null;
  const weights = classWeights(train.labels, classes, training.balanceClasses);

  const random = new Random(options.seed);
  const network = new DenseNetwork(options.network, featureCount, classes, random.fork());
  const shuffling = random.fork();
  const dropout = random.fork();
  try {
    const parameters = network.parameters;
    const adam = new Adam(parameters, training.learningRate);
    const order = Uint32Array.from({ length: train.count }, (_, row) => row);
    const batchSize = Math.min(training.batchSize, train.count);
    const batch = new Float32Array(batchSize * featureCount);
    const batchLabels = new Int32Array(batchSize);
    const history: EpochFigures[] = [];
    let best: { loss: number; epoch: number; parameters: Float32Array[] } | null = null;
    let lastPause = now();

    for (let epoch = 1; epoch <= training.epochs; epoch++) {
      const started = now();
      shuffling.shuffle(order);
      let loss = 0;
      let correct = 0;
      for (let start = 0; start < train.count; start += batchSize) {
        throwIfCancelled(signal);
        const rows = Math.min(batchSize, train.count - start);
        for (let row = 0; row < rows; row++) {
          const from = (order[start + row] as number) * featureCount;
          batch.set(features.subarray(from, from + featureCount), row * featureCount);
          batchLabels[row] = train.labels[order[start + row] as number] as number;
        }
        // A copy per step: the cpu backend keeps a reference to the array that a tensor is made of.
        const result = network.gradients(
          batch.slice(0, rows * featureCount),
          batchLabels,
          rows,
          weights,
          dropout,
          training.labelSmoothing,
        );
        loss += result.loss;
        correct += result.correct;
        adam.step(result.gradients);
        network.upload();
        if (now() - lastPause >= PAUSE_EVERY_MS) {
          await options.pause();
          lastPause = now();
        }
      }
      const check = held && network.evaluate(held.features, held.labels, held.count);
      if (!Number.isFinite(loss) || (check && !Number.isFinite(check.loss))) {
        throw new LearnError(
          'diverged',
          `Training went astray in epoch ${epoch}: the loss is no longer a number. Try a smaller learning rate.`,
        );
      }
      const figures: EpochFigures = {
        epoch,
        epochs: training.epochs,
        loss: loss / train.count,
        accuracy: correct / train.count,
        validationLoss: check && held ? check.loss / held.count : null,
        validationAccuracy: check && held ? check.correct / held.count : null,
        milliseconds: now() - started,
      };
      history.push(figures);
      options.onEpoch(figures);
      if (figures.validationLoss === null) continue;
      if (!best || figures.validationLoss < best.loss - LEAST_IMPROVEMENT) {
        best = { loss: figures.validationLoss, epoch, parameters: parameters.map((values) => values.slice()) };
      } else if (epoch - best.epoch >= training.patience) {
        break;
      }
    }
    throwIfCancelled(signal);
    if (best) parameters.forEach((values, index) => values.set(best.parameters[index] as Float32Array));
    return { graph: network.toGraph(), scaler, history, bestEpoch: best?.epoch ?? history.length };
  } finally {
    network.dispose();
  }
}

/** Inverse-frequency weights with mean 1 over the training windows, or all ones. */
export function classWeights(labels: Int32Array, classes: number, balance: boolean): Float32Array {
  const weights = new Float32Array(classes).fill(1);
  if (!balance) return weights;
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  const present = counts.filter((count) => count > 0).length;
  return weights.map((_, label) => (counts[label] ? labels.length / (present * counts[label]) : 0));
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw new LearnError('cancelled', 'Training was cancelled.', { cause: signal.reason });
}
