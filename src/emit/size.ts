/** Sizes of a model on the board, counted from what `model.h` declares. */
import { windowFrames } from '../dsp/block';
import type { Model, ModelSize } from './model';
import { lowerGraph } from './lower-graph';
import { emitNetworkCode } from './network-header';
import { planNetwork } from './network-plan';
import { writePack } from './pack';
import type { Target } from './target';

function roundUp4(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

/** Float32 of scratch memory: what the hungriest block needs. */
export function scratchFloats(model: Pick<Model, 'blocks'>): number {
  return Math.max(...model.blocks.map((block) => block.scratchFloats));
}

export function featureCount(model: Pick<Model, 'blocks'>): number {
  return model.blocks.reduce((sum, block) => sum + block.featureCount, 0);
}

/** Bytes of the header's one static variable, `<prefix>_memory`, with `arenaBytes` for the network. Stack not included. */
function stateBytes(model: Model, arenaBytes: number): number {
  const window = 4 * windowFrames(model.input) * model.input.channels.length;
  const features = 4 * featureCount(model);
  const work = Math.max(4 * scratchFloats(model), roundUp4(arenaBytes));
  const stream = 2 * 4;
  const { windows } = model.smoothing;
  const smoothing = windows > 1 ? 2 * 4 + roundUp4(windows * model.labels.length) : 0;
  return window + features + work + stream + smoothing;
}

/** Bytes of the constants that every classification reads beside the network's. Labels and self-test not included. */
function featureConstantBytes(model: Model): number {
  const blocks = model.blocks.reduce(
    (sum, block) => sum + block.channels.length + 4 * block.ints.length + 4 * block.floats.length,
    0,
  );
  return blocks + 4 * (model.affine.a.length + model.affine.b.length);
}

/** Sizes of the model as a header for the target, and as a pack. */
export function measureModel(model: Model, target: Target = 'generic'): ModelSize {
  const graph = lowerGraph(model.graph);
  const plan = planNetwork(graph, target);
  const { constantBytes } = emitNetworkCode(graph, plan, { prefix: model.prefix, target });
  return {
    ram: stateBytes(model, plan.arenaBytes),
    flashWeights: featureConstantBytes(model) + constantBytes,
    pack: writePack(model).length,
  };
}
