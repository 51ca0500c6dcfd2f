/** Packs that the fuzzers start from: small networks that hold, together, nearly every operation. */
import { networkModel } from '../../src/emit/network-model';
import { writePack } from '../../src/emit/pack';
import { elementCount } from '../../src/graph/float-graph';
import { quantizeGraph } from '../../src/quantize/quantize-graph';
import { randomInputs, randomNetwork } from '../fixtures/sample-networks';
import { Random } from '../../src/signal/random';

/** Of networks that are small, and different. */
const SEEDS = [1, 2, 4, 7, 12];

export function packSeeds(): Uint8Array[] {
  return SEEDS.map((seed) => {
    const random = new Random(seed);
    const float = randomNetwork(random);
    const size = elementCount(float.tensors[float.input]?.shape ?? []);
    return writePack(networkModel(quantizeGraph(float, randomInputs(random, size, 8)), 'p', null));
  });
}
