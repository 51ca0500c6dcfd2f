/**
 * A network spec on tfjs kernels: forward pass, gradients, and the way back to plain arrays.
 *
 * The gradients of dense layers are written out instead of recorded: for small networks most of the time goes into
 * dispatching kernels, and this takes a tenth as many. The parameters' masters live in typed arrays on this side; the
 * tensors are copies that are replaced after every step (never written in place: the wasm backend caches packed
 * weights per tensor).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { FloatGraph, FloatOp, FloatTensor } from '../graph/float-graph';
import type { Random } from '../signal/random';
import type { NetworkSpec } from './pipeline';

interface DenseLayer {
  readonly kind: 'dense';
  readonly name: string;
  readonly inputs: number;
  readonly units: number;
  readonly relu: boolean;
  /** tfjs layout: `weights[input * units + unit]`. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  weightsVariable: tf.Variable<tf.Rank.R2>;
  biasVariable: tf.Variable<tf.Rank.R1>;
}

interface DropoutLayer {
  readonly kind: 'dropout';
  readonly rate: number;
}

/** One layer of a forward pass, as the way back needs it. */
type Step =
  | { readonly kind: 'dense'; readonly layer: DenseLayer; readonly input: tf.Tensor2D; readonly output: tf.Tensor2D }
  | { readonly kind: 'dropout'; readonly mask: tf.Tensor2D };

/** What one batch gave. */
export interface BatchResult {
  /** Sum over the rows of the unweighted cross-entropy. */
  readonly loss: number;
  /** Rows whose largest logit is the true class. */
  readonly correct: number;
}

/** Rows evaluated at a time, so that a large validation set does not need large activations. */
const EVALUATION_ROWS = 1024;

export class DenseNetwork {
  private readonly layers: (DenseLayer | DropoutLayer)[] = [];
  private readonly dense: DenseLayer[];
  private lossGradient = new Float32Array(0);

  constructor(
    spec: NetworkSpec,
    private readonly featureCount: number,
    private readonly classes: number,
    random: Random,
  ) {
    let inputs = featureCount;
    let hidden = 0;
    const add = (name: string, units: number, relu: boolean): void => {
      // Glorot and Bengio 2010: uniform with variance 2 / (inputs + units).
      const limit = Math.sqrt(6 / (inputs + units));
      const weights = Float32Array.from({ length: inputs * units }, () => random.between(-limit, limit));
      const bias = new Float32Array(units);
      this.layers.push({
        kind: 'dense',
        name,
        inputs,
        units,
        relu,
        weights,
        bias,
        weightsVariable: tf.tidy(() => tf.variable(tf.tensor2d(weights.slice(), [inputs, units]))),
        biasVariable: tf.tidy(() => tf.variable(tf.tensor1d(bias.slice()))),
      });
      inputs = units;
    };
    for (const layer of spec.layers) {
      if (layer.kind === 'dense') add(`hidden ${++hidden}`, layer.units, layer.activation === 'relu');
      else if (layer.rate > 0) this.layers.push({ kind: 'dropout', rate: layer.rate });
    }
    add('logits', classes, false);
    this.dense = this.layers.filter((layer) => layer.kind === 'dense');
  }

  /** The parameters' masters: weights and bias of each dense layer in turn. Call `upload` after changing them. */
  get parameters(): readonly Float32Array[] {
    return this.dense.flatMap((layer) => [layer.weights, layer.bias]);
  }

  /** Copies the masters into the tensors. */
  upload(): void {
    tf.tidy(() => {
      for (const layer of this.dense) {
        layer.weightsVariable.assign(tf.tensor2d(layer.weights.slice(), [layer.inputs, layer.units]));
        layer.biasVariable.assign(tf.tensor1d(layer.bias.slice()));
      }
    });
  }

  /**
   * Forward and backward over one batch of `rows` scaled feature vectors. `weights[class]` weighs each row's gradient,
   * `smoothing` is the share of the target spread over all classes.
   * Returns the figures and the gradients in the order of `parameters`.
   */
  gradients(
    features: Float32Array,
    labels: Int32Array,
    rows: number,
    weights: Float32Array,
    dropout: Random,
    smoothing = 0,
  ): BatchResult & { readonly gradients: readonly ArrayLike<number>[] } {
    let result: BatchResult = { loss: 0, correct: 0 };
    const gradients: ArrayLike<number>[] = [];
    // Nothing is returned from tidy: it would search every element of an array for tensors.
    tf.tidy(() => {
      const steps: Step[] = [];
      const logits = this.forward(tf.tensor2d(features, [rows, this.featureCount]), rows, dropout, steps);
      const size = rows * this.classes;
      if (this.lossGradient.length < size) this.lossGradient = new Float32Array(size);
      // Softmax and cross-entropy in one, on the logits: exact where a saturated softmax alone has no gradient.
      result = softmaxCrossEntropy(
        logits.dataSync(),
        labels,
        rows,
        this.classes,
        weights,
        this.lossGradient,
        smoothing,
      );

      let upstream = tf.tensor2d(this.lossGradient.slice(0, size), [rows, this.classes]);
      for (let i = steps.length - 1; i >= 0; i--) {
        const step = steps[i] as Step;
        switch (step.kind) {
          case 'dense': {
            const { layer, input, output } = step;
            if (layer.relu) upstream = tf.mul<tf.Tensor2D>(upstream, tf.step(output));
            // Transposed apart: the wasm backend multiplies transposed operands five times slower.
            gradients.unshift(tf.matMul(tf.transpose(input), upstream).dataSync(), tf.sum(upstream, 0).dataSync());
            if (i > 0) upstream = tf.matMul(upstream, tf.transpose(layer.weightsVariable));
            break;
          }
          case 'dropout':
            upstream = tf.mul<tf.Tensor2D>(upstream, step.mask);
            break;
        }
      }
    });
    return { ...result, gradients };
  }

  /** Loss and hits over `rows` scaled feature vectors, without dropout. */
  evaluate(features: Float32Array, labels: Int32Array, rows: number): BatchResult {
    let loss = 0;
    let correct = 0;
    const even = new Float32Array(this.classes).fill(1);
    for (let start = 0; start < rows; start += EVALUATION_ROWS) {
      const count = Math.min(EVALUATION_ROWS, rows - start);
      tf.tidy(() => {
        const slice = features.subarray(start * this.featureCount, (start + count) * this.featureCount);
        const logits = this.forward(tf.tensor2d(slice, [count, this.featureCount]), count, null, []).dataSync();
        const part = softmaxCrossEntropy(
          logits,
          labels.subarray(start, start + count),
          count,
          this.classes,
          even,
          null,
        );
        loss += part.loss;
        correct += part.correct;
      });
    }
    return { loss, correct };
  }

  /** The network as plain data, softmax included. */
  toGraph(): FloatGraph {
    const tensors: FloatTensor[] = [{ name: 'features', shape: [this.featureCount] }];
    const ops: FloatOp[] = [];
    for (const layer of this.dense) {
      const { inputs, units } = layer;
      const weights = new Float32Array(inputs * units);
      for (let unit = 0; unit < units; unit++) {
        for (let input = 0; input < inputs; input++) {
          weights[unit * inputs + input] = layer.weights[input * units + unit] as number;
        }
      }
      const output = tensors.push({ name: layer.name, shape: [units] }) - 1;
      ops.push({
        kind: 'fullyConnected',
        input: output - 1,
        output,
        weights,
        bias: layer.bias.slice(),
        activation: layer.relu ? 'relu' : 'none',
      });
    }
    const output = tensors.push({ name: 'scores', shape: [this.classes] }) - 1;
    ops.push({ kind: 'softmax', input: output - 1, output });
    return { tensors, ops, input: 0, output };
  }

  dispose(): void {
    for (const layer of this.dense) {
      layer.weightsVariable.dispose();
      layer.biasVariable.dispose();
    }
  }

  /** Logits of a batch. With `dropout` a fresh mask per layer and call; `steps` notes what the way back needs. */
  private forward(input: tf.Tensor2D, rows: number, dropout: Random | null, steps: Step[]): tf.Tensor2D {
    let values = input;
    let width = this.featureCount;
    for (const layer of this.layers) {
      switch (layer.kind) {
        case 'dense': {
          const output = tf.fused.matMul({
            a: values,
            b: layer.weightsVariable,
            bias: layer.biasVariable,
            activation: layer.relu ? 'relu' : 'linear',
          }) as tf.Tensor2D;
          steps.push({ kind: 'dense', layer, input: values, output });
          values = output;
          width = layer.units;
          break;
        }
        case 'dropout':
          if (dropout) {
            const mask = tf.tensor2d(dropoutMask(rows * width, layer.rate, dropout), [rows, width]);
            steps.push({ kind: 'dropout', mask });
            values = tf.mul<tf.Tensor2D>(values, mask);
          }
          break;
      }
    }
    return values;
  }
}

/** 0 with probability `rate`, else 1 / (1 - rate). */
function dropoutMask(count: number, rate: number, random: Random): Float32Array {
  const mask = new Float32Array(count);
  const keep = 1 / (1 - rate);
  const threshold = rate * 2 ** 32;
  for (let i = 0; i < count; i++) mask[i] = random.nextUint32() < threshold ? 0 : keep;
  return mask;
}

/**
 * Sum of cross-entropies and number of hits; into `gradient` d(mean weighted loss) / d(logits) when given. Label
 * smoothing changes the gradient only (target 1 - smoothing for the label, plus smoothing / classes for each), so that
 * losses stay comparable. Source: Szegedy et al., "Rethinking the Inception architecture", section 7.
 */
export function softmaxCrossEntropy(
  logits: ArrayLike<number>,
  labels: Int32Array,
  rows: number,
  classes: number,
  weights: Float32Array,
  gradient: Float32Array | null,
  smoothing = 0,
): BatchResult {
  const spread = smoothing / classes;
  let loss = 0;
  let correct = 0;
  for (let row = 0; row < rows; row++) {
    const at = row * classes;
    const label = labels[row] as number;
    let best = 0;
    for (let c = 1; c < classes; c++) if ((logits[at + c] as number) > (logits[at + best] as number)) best = c;
    if (best === label) correct++;
    const max = logits[at + best] as number;
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp((logits[at + c] as number) - max);
    loss += Math.log(sum) + max - (logits[at + label] as number);
    if (gradient) {
      const weight = (weights[label] as number) / rows;
      for (let c = 0; c < classes; c++) {
        const probability = Math.exp((logits[at + c] as number) - max) / sum;
        gradient[at + c] = weight * (probability - (c === label ? 1 - smoothing : 0) - spread);
      }
    }
  }
  return { loss, correct };
}
