/** Sizes of a model on the board, counted from what `model.h` declares. */
import { windowFrames } from '../dsp/block';
import type { Model, ModelSize } from './model';
import { writePack } from './pack';
import { packableOps } from './packable';

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

/** Bytes of the header's one static variable, `struct <prefix>_state`. Stack not included. */
export function stateBytes(model: Model): number {
  const window = 4 * windowFrames(model.input) * model.input.channels.length;
  const features = 4 * featureCount(model);
  const work = Math.max(4 * scratchFloats(model), roundUp4(model.plan.arenaBytes));
  const stream = 2 * 4;
  const { windows } = model.smoothing;
  const smoothing = windows > 1 ? 2 * 4 + roundUp4(windows * model.labels.length) : 0;
  return window + features + work + stream + smoothing;
}

/** Bytes of the constants that every classification reads. Code, labels and self-test not included. */
export function constantBytes(model: Model): number {
  const blocks = model.blocks.reduce(
    (sum, block) => sum + block.channels.length + 4 * block.ints.length + 4 * block.floats.length,
    0,
  );
  const affine = 4 * (model.affine.a.length + model.affine.b.length);
  const ops = packableOps(model.graph).reduce((sum, op) => {
    switch (op.kind) {
      case 'fullyConnected':
        return sum + op.weights.length + 4 * (op.bias.length + op.multiplier.length + op.shift.length);
      case 'softmax':
        return sum;
    }
  }, 0);
  return blocks + affine + ops;
}

export function measureModel(model: Model): ModelSize {
  return { ram: stateBytes(model), flashWeights: constantBytes(model), pack: writePack(model).length };
}
