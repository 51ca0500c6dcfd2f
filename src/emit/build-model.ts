/** Joins the parts of a trained and quantized model: memory plan, self-test, checks. */
import { windowFrames, type CompiledBlock, type InputSpec } from '../dsp/block';
import type { InputAffine, Int8Graph } from '../quantize/int8-graph';
import { checkModel } from './check-model';
import type { Model, Receipt, SelfTest, Smoothing } from './model';
import { planMemory } from './plan';
import { createRunner, indexOfHighest, type ModelRunner } from './run-model';
import {
  MOST_RECORDED_WINDOWS,
  packWindow,
  RECORDED_BYTES,
  SELF_TEST_WINDOWS,
  selfTestWindow,
  unpackWindow,
} from './self-test';

export interface ModelParts {
  /** C identifier prefix; see `toPrefix`. */
  readonly prefix: string;
  readonly labels: readonly string[];
  readonly input: InputSpec;
  readonly blocks: readonly CompiledBlock[];
  readonly affine: InputAffine;
  readonly graph: Int8Graph;
  readonly smoothing: Smoothing;
  readonly receipt: Receipt;
  /**
   * Held-out windows, each `windowFrames * channels` float32 in `window[frame * channels + channel]` order. A few of
   * them go into the self-test; their spread sets the range of the generated ones. May be empty.
   */
  readonly selfTestWindows: readonly Float32Array[];
  /** How the generated windows are made; by default as many as the self-test holds, as wide as the held-out ones. */
  readonly generated?: GeneratedWindows;
}

export interface GeneratedWindows {
  /** 1..64. */
  readonly windows: number;
  /** Seeds tried, 1..16. */
  readonly seeds: number;
  /** Values reach about `offset` plus or minus `amplitude`, in every channel. */
  readonly amplitude: number;
  readonly offset: number;
}

/** Seeds tried for the generated windows; the one whose windows reach the most labels wins. */
const SEED_CANDIDATES = 16;
const FIRST_SEED = 0x4d4f5445;
const SEED_STEP = 0x9e3779b9;
/** More held-out windows than this are not looked at when choosing the recorded ones. */
const MOST_CONSIDERED = 512;
/** Scale of generated windows when there is no recorded data to take it from: about -8..8. */
const DEFAULT_SCALE = 1 / 4096;

/** Throws EmitError, DspError or QuantizeError when the parts do not make a model. Deterministic. */
export function buildModel(parts: ModelParts): Model {
  const { prefix, labels, input, blocks, affine, graph, smoothing, receipt } = parts;
  const runner = createRunner(parts);
  const plan = planMemory(graph);
  const selfTest = buildSelfTest(parts, runner);
  const model = { prefix, labels, input, blocks, affine, graph, plan, smoothing, selfTest, receipt };
  checkModel(model);
  return model;
}

function buildSelfTest(parts: ModelParts, runner: ModelRunner): SelfTest {
  const { generated } = parts;
  const channels = parts.input.channels.length;
  const values = windowFrames(parts.input) * channels;
  const windows = thin(
    parts.selfTestWindows.filter((window) => window.length === values && window.every(Number.isFinite)),
    MOST_CONSIDERED,
  );
  const channelScale = new Float32Array(channels);
  const channelOffset = new Float32Array(channels);
  for (let channel = 0; channel < channels; channel++) {
    const { largest, mean } = spread(windows, channel, channels);
    channelScale[channel] = largest / 32767;
    if (channelScale[channel] === 0) channelScale[channel] = DEFAULT_SCALE;
    channelOffset[channel] = mean;
    if (generated) {
      channelScale[channel] = Math.max(channelScale[channel] as number, generated.amplitude / 32767);
      channelOffset[channel] = generated.offset;
    }
  }

  const room = Math.max(1, Math.min(MOST_RECORDED_WINDOWS, Math.floor(RECORDED_BYTES / (2 * values))));
  const chosen = chooseWindows(windows, room, channelScale, runner);
  const recorded = new Int16Array(chosen.length * values);
  chosen.forEach((window, index) => recorded.set(window, index * values));

  let best: SelfTest | undefined;
  let mostLabels = 0;
  for (
    let candidate = 0;
    candidate < (generated?.seeds ?? SEED_CANDIDATES) && mostLabels < parts.labels.length;
    candidate++
  ) {
    const seed = (FIRST_SEED + Math.imul(candidate, SEED_STEP)) >>> 0;
    const asked = {
      channelScale,
      channelOffset,
      recorded,
      recordedCount: chosen.length,
      generatedCount: generated?.windows ?? SELF_TEST_WINDOWS - chosen.length,
      seed,
    };
    const { selfTest, reached } = answer(asked, parts, runner);
    if (reached > mostLabels) [best, mostLabels] = [selfTest, reached];
  }
  return best as SelfTest;
}

/** Every n-th element, so that at most `most` remain. */
function thin<T>(items: readonly T[], most: number): T[] {
  const step = Math.max(1, Math.ceil(items.length / most));
  return items.filter((_, index) => index % step === 0);
}

/** Largest magnitude and mean of a channel. */
function spread(
  windows: readonly Float32Array[],
  channel: number,
  channels: number,
): { readonly largest: number; readonly mean: number } {
  let largest = 0;
  let sum = 0;
  let count = 0;
  for (const window of windows) {
    for (let i = channel; i < window.length; i += channels) {
      const value = window[i] as number;
      largest = Math.max(largest, Math.abs(value));
      sum += value;
      count++;
    }
  }
  return { largest, mean: count === 0 ? 0 : sum / count };
}

/** Up to `room` windows as int16, taking turns between the labels that the model gives them. */
function chooseWindows(
  windows: readonly Float32Array[],
  room: number,
  scale: Float32Array,
  runner: ModelRunner,
): Int16Array[] {
  const perLabel = new Map<number, Int16Array[]>();
  for (const window of windows) {
    const packed = packWindow(window, scale);
    const restored = new Float32Array(window.length);
    unpackWindow(packed, scale, restored);
    const label = runner.classify(restored).best;
    perLabel.set(label, [...(perLabel.get(label) ?? []), packed]);
  }
  const queues = [...perLabel].sort(([a], [b]) => a - b).map(([, queue]) => queue);
  const chosen: Int16Array[] = [];
  for (let turn = 0; chosen.length < Math.min(room, windows.length); turn++) {
    for (const queue of queues) {
      const window = queue[turn];
      if (window && chosen.length < room) chosen.push(window);
    }
  }
  return chosen;
}

/** Fills in what the model answers, and counts the labels among the answers. */
function answer(
  asked: Omit<SelfTest, 'featureCrc' | 'scores'>,
  parts: ModelParts,
  runner: ModelRunner,
): { readonly selfTest: SelfTest; readonly reached: number } {
  const windows = asked.recordedCount + asked.generatedCount;
  const featureCrc = new Uint32Array(windows);
  const scores = new Int8Array(windows * parts.labels.length);
  const selfTest = { ...asked, featureCrc, scores };
  const reached = new Set<number>();
  for (let index = 0; index < windows; index++) {
    const result = runner.classify(selfTestWindow({ input: parts.input, selfTest }, index));
    featureCrc[index] = result.featureCrc;
    scores.set(result.scores, index * parts.labels.length);
    reached.add(indexOfHighest(result.scores));
  }
  return { selfTest, reached: reached.size };
}
