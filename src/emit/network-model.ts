/** A bare network as a model, so that packs and boards can hold it: its window is the network's input. */
import { windowFrames, type InputSpec } from '../dsp/block';
import { compileBlock } from '../dsp/compile';
import { elementCount } from '../graph/float-graph';
import type { Int8Graph } from '../quantize/int8-graph';
import { buildModel } from './build-model';
import { LIMITS } from './check-model';
import { EmitError, type Model } from './model';
import { multiplyAdds } from './network-cost';
import { MOST_RECORDED_WINDOWS, SELF_TEST_WINDOWS } from './self-test';

/** Multiply-adds spent on the known answers: a fraction of a second. */
const SELF_TEST_WORK = 30_000_000;
const MOST_SEEDS = 16;
const MOST_NAME_BYTES = 63;

/**
 * One channel, one value per frame, in the units of the network's float input. Labels are used when there is one per
 * output, else the outputs are numbered. Throws EmitError when a pack cannot hold the network, QuantizeError when the
 * network cannot run.
 */
export function networkModel(graph: Int8Graph, prefix: string, labels: readonly string[] | null): Model {
  const input = graph.tensors[graph.input];
  if (!input) throw new EmitError('bad-model', 'The network has no input.');
  const features = elementCount(input.shape);
  const outputs = elementCount(graph.tensors[graph.output]?.shape ?? []);
  if (outputs > LIMITS.labels) {
    throw new EmitError(
      'too-large',
      `The network gives ${outputs} values, and a pack holds a class for each, ${LIMITS.labels} at most. Use its header.`,
    );
  }
  const milliseconds = 1000 * features;
  const spec: InputSpec = {
    channels: [{ name: 'value', unit: '' }],
    rateHz: 1,
    windowMs: milliseconds,
    strideMs: milliseconds,
  };
  if (windowFrames(spec) !== features) throw new EmitError('too-large', 'The input of the network is too large.');
  return buildModel({
    prefix,
    labels: labels?.length === outputs ? labels : Array.from({ length: outputs }, (_, index) => String(index)),
    input: spec,
    blocks: [compileBlock({ kind: 'raw', version: 1, channels: [0], params: { scale: 1 } }, spec)],
    affine: {
      a: new Float32Array(features).fill(1 / input.scale),
      b: new Float32Array(features).fill(input.zeroPoint),
    },
    graph: { ...graph, tensors: graph.tensors.map((tensor, id) => ({ ...tensor, name: shortName(tensor.name, id) })) },
    smoothing: { windows: 1, threshold: 0 },
    receipt: {
      app: 'Mote',
      trainedOn: '',
      dataset: '',
      seed: 0,
      split: { trainRecordings: 0, testRecordings: 0, trainWindows: 0, testWindows: 0 },
      accuracyFloat: null,
      accuracyInt8: null,
      pipeline: '',
    },
    selfTestWindows: [],
    generated: { ...effort(graph), amplitude: 128 * input.scale, offset: -input.zeroPoint * input.scale },
  });
}

/** Fewer known answers for networks that take long. */
function effort(graph: Int8Graph): { readonly windows: number; readonly seeds: number } {
  const work = Math.max(
    1,
    graph.ops.reduce((sum, op) => sum + multiplyAdds(op, graph), 0),
  );
  const runs = Math.floor(SELF_TEST_WORK / work);
  const windows = Math.min(SELF_TEST_WINDOWS, Math.max(MOST_RECORDED_WINDOWS, runs));
  return { windows, seeds: Math.min(MOST_SEEDS, Math.max(1, Math.floor(runs / windows))) };
}

/** Converters join the names of all layers that they fused; such names are for nobody. */
function shortName(name: string, id: number): string {
  return new TextEncoder().encode(name).length <= MOST_NAME_BYTES && !name.includes('\0') ? name : `tensor ${id}`;
}
