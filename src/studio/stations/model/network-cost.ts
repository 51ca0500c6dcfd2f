/** What a network costs on a board. */
import type { NetworkSpec } from '../../../learn/pipeline';

export interface NetworkCost {
  /** Weights and biases. */
  readonly parameters: number;
  /** Bytes of constants: int8 weights; int32 bias, multiplier and shift per unit. */
  readonly flashBytes: number;
}

const BYTES_PER_UNIT = 12;

export function networkCost(network: NetworkSpec, features: number, labels: number): NetworkCost {
  const units = network.layers.flatMap((layer) => (layer.kind === 'dense' ? [layer.units] : []));
  let inputs = features;
  let parameters = 0;
  let flashBytes = 0;
  for (const outputs of [...units, labels]) {
    parameters += (inputs + 1) * outputs;
    flashBytes += (inputs + BYTES_PER_UNIT) * outputs;
    inputs = outputs;
  }
  return { parameters, flashBytes };
}
