/**
 * The training job: split by recording, features, training, quantization, test on held-out recordings, emission.
 * Runs in the browser's worker and on the command line alike, and gives the same bytes for the same recordings,
 * pipeline and seed, in whatever order the recordings come.
 */
import type { InputSpec } from '../dsp/block';
import { createExtractor } from '../dsp/compile';
import { buildModel } from '../emit/build-model';
import { canonicalJson } from '../emit/canonical-json';
import { LIMITS } from '../emit/check-model';
import { emitHeader } from '../emit/header';
import { EmitError } from '../emit/model';
import { writePack } from '../emit/pack';
import { checkPrefix } from '../emit/prefix';
import { measureModel } from '../emit/size';
import type { FloatGraph } from '../graph/float-graph';
import { createFloatInterpreter } from '../graph/run-float';
import { startBackend } from '../learn/backend';
import { accuracy, argmax, confusionMatrix } from '../learn/metrics';
import { LearnError, type Pipeline, type TrainReport, type TrainStage } from '../learn/pipeline';
import { checkPipeline } from '../learn/pipeline-schema';
import { layerFigures } from './layer-figures';
import { scaleFeatures, type Scaler } from '../learn/scaler';
import { trainNetwork } from '../learn/train';
import { foldInput, quantizeFeatures } from '../quantize/input-affine';
import type { InputAffine, Int8Graph } from '../quantize/int8-graph';
import { createInt8Interpreter } from '../quantize/interpreter';
import { writeFloatTflite } from '../emit/tflite/write-tflite';
import { quantizationReport } from '../quantize/error-report';
import { quantizeInDetail } from '../quantize/quantize-graph';
import { datasetHash } from '../signal/dataset-hash';
import type { LoadedRecording, SplitChoice } from '../signal/recording';
import { splitRecordings, type Split } from '../signal/split';
import { fitRecording } from './fit-recording';
import type { TrainInputs, TrainJob, TrainProgress } from './job';
import { Breather, pause } from './pause';
import { extractWindows, findWindows, readSource, thinOut, type WindowSet } from './window-set';

/** Starting WebAssembly takes well under a second; after this it never will. */
const BACKEND_TIMEOUT_MS = 30_000;
/** Held-out windows offered for the model's self-test. */
const SELF_TEST_CANDIDATES = 128;
/** Windows that calibrate the quantization: ranges do not change for more. */
const CALIBRATION_WINDOWS = 4096;
/** Windows for the report of the quantization's error. */
const REPORT_WINDOWS = 256;
/** Progress is reported for every so many windows. */
const WINDOWS_PER_REPORT = 32;
/** A label with this many times fewer training windows than another is worth a warning. */
const UNBALANCED = 3;
/** A loss of accuracy by quantization that is worth a warning. */
const NOTABLE_LOSS = 0.02;
/** Lost frames beyond this share of a recording are worth a warning. */
const NOTABLE_GAPS = 0.01;

type Stage = Exclude<TrainStage, 'train'>;

export const trainJob: TrainJob = async (inputs, { onProgress, signal, now, wasmPath }) => {
  const throwIfCancelled = (): void => {
    if (signal.aborted) throw new LearnError('cancelled', 'Training was cancelled.', { cause: signal.reason });
  };
  throwIfCancelled();
  const pipeline = checkPipeline(inputs.pipeline);
  checkPrefix(inputs.prefix);
  const { input } = pipeline;
  const extractor = createExtractor(pipeline.blocks, input);

  const clock = new StageClock(now, onProgress);
  const breather = new Breather(now, throwIfCancelled);
  const backend = startBackend(wasmPath);
  // A failure counts where the backend is needed, not before.
  backend.catch(() => undefined);

  clock.enter('load');
  const warnings: string[] = [];
  const { recordings, hash } = await loadRecordings(inputs, clock, breather, warnings);
  const split = splitRecordings(recordings, { validationShare: pipeline.training.validationShare });
  warnings.push(...split.warnings);
  const labels = labelsToLearn(split, pipeline);

  clock.enter('features');
  const sides = [split.train, split.validation, split.test] as const;
  const total = sides.reduce((sum, side) => sum + findWindows(side, input).windows.length, 0);
  const onWindow = clock.counter(total);
  const extract = (side: readonly LoadedRecording[]): Promise<WindowSet> =>
    extractWindows(side, input, extractor, labels, breather, onWindow);
  const train = await extract(split.train);
  const validation = await extract(split.validation);
  const test = await extract(split.test);
  warnings.push(...warnOfWindows(labels, train, validation, test, pipeline));

  clock.enter('train');
  const { note } = await withTimeout(backend);
  if (note) warnings.push(note);
  const trained = await trainNetwork(train, validation, {
    network: pipeline.network,
    training: pipeline.training,
    classes: labels.length,
    seed: inputs.seed,
    onEpoch: (figures) => onProgress({ stage: 'train', figures }),
    signal,
    now,
    pause,
  });

  clock.enter('quantize');
  const calibration = clock.each(thinOut(rows(scaled(train, trained.scaler), train), CALIBRATION_WINDOWS));
  const quantized = quantizeInDetail(trained.graph, calibration);
  const { graph } = quantized;
  const affine = foldInput(trained.scaler, graph.tensors[graph.input] as { scale: number; zeroPoint: number });
  await breather.breathe();
  const judged = test.count > 0 ? test : train;
  const judgedRows = thinOut(rows(scaled(judged, trained.scaler), judged), REPORT_WINDOWS);
  const errors = quantizationReport(quantized.float, graph, judgedRows);
  await breather.breathe();

  clock.enter('test');
  const tested = await testBoth(trained.graph, trained.scaler, graph, affine, test, labels.length, clock, breather);
  if (tested.float !== null && tested.int8 !== null && tested.int8 < tested.float - NOTABLE_LOSS) {
    warnings.push(
      `Quantization costs accuracy: ${percent(tested.float)} in float, ${percent(tested.int8)} in int8 on the same windows.`,
    );
  }

  clock.enter('emit');
  const held = test.count > 0 ? { side: split.test, set: test } : { side: split.train, set: train };
  const model = buildModel({
    prefix: inputs.prefix,
    labels,
    input,
    blocks: extractor.blocks,
    affine,
    graph,
    smoothing: pipeline.smoothing,
    receipt: {
      app: inputs.app,
      trainedOn: inputs.trainedOn,
      dataset: hash,
      seed: inputs.seed,
      split: {
        trainRecordings: train.recordings + validation.recordings,
        testRecordings: test.recordings,
        trainWindows: train.count + validation.count,
        testWindows: test.count,
      },
      accuracyFloat: tested.float,
      accuracyInt8: tested.int8,
      pipeline: canonicalJson(pipeline),
    },
    selfTestWindows: thinOut(held.set.sources, SELF_TEST_CANDIDATES).map((at) => readSource(held.side, at, input)),
  });
  await breather.breathe();
  const pack = writePack(model);
  const header = emitHeader(pack);
  const size = measureModel(model);
  clock.finish();

  const perLabel = (...sets: WindowSet[]): number[] => countLabels(labels.length, ...sets.map((set) => set.labels));
  const report: TrainReport = {
    labels,
    seed: inputs.seed,
    dataset_hash: hash,
    recordings: { train: train.recordings, validation: validation.recordings, test: test.recordings },
    windows: { train: train.count, validation: validation.count, test: test.count },
    windows_per_label: { train: perLabel(train, validation), test: perLabel(test) },
    accuracy: { float: tested.float, int8: tested.int8 },
    confusion: { float: tested.confusionFloat, int8: tested.confusionInt8 },
    epochs_run: trained.history.length,
    best_epoch: trained.bestEpoch,
    history: trained.history,
    ram: size.ram,
    flash_weights: size.flashWeights,
    pack_bytes: pack.length,
    seconds: clock.seconds,
    quantization: {
      windows: errors.inputs,
      held_out: test.count > 0,
      agreement: errors.argmaxAgreement,
      layers: errors.layers.map(layerFigures),
    },
    warnings: [...new Set(warnings)],
    pipeline,
  };
  const floatTflite = writeFloatTflite(trained.graph, { labels, description: 'Made with Mote, not quantized' });
  return { pack, header, floatTflite, report };
};

/** Times the stages and reports progress within them. */
class StageClock {
  readonly seconds: Partial<Record<TrainStage, number>> = {};
  private stage: TrainStage | null = null;
  private entered = 0;

  constructor(
    private readonly now: () => number,
    private readonly onProgress: (progress: TrainProgress) => void,
  ) {}

  enter(stage: TrainStage): void {
    this.finish();
    this.stage = stage;
    this.entered = this.now();
    if (stage !== 'train') this.onProgress({ stage, done: 0, total: 1 });
  }

  finish(): void {
    const { stage } = this;
    if (stage === null) return;
    this.seconds[stage] = (this.now() - this.entered) / 1000;
    if (stage !== 'train') this.onProgress({ stage, done: 1, total: 1 });
    this.stage = null;
  }

  /** A function to call once per item of `total`; reports now and then. */
  counter(total: number): () => void {
    const stage = this.stage as Stage;
    let done = 0;
    return () => {
      done++;
      if (done % WINDOWS_PER_REPORT === 0 || done === total) this.onProgress({ stage, done, total });
    };
  }

  /** The items themselves, reporting while they are taken. */
  *each<T>(items: readonly T[]): Generator<T> {
    const count = this.counter(items.length);
    for (const item of items) {
      yield item;
      count();
    }
  }
}

/** Recordings fitted to the input, sorted, each with its side when test recordings were given apart. */
async function loadRecordings(
  { recordings, testRecordings, pipeline }: TrainInputs,
  clock: StageClock,
  breather: Breather,
  warnings: string[],
): Promise<{ readonly recordings: readonly LoadedRecording[]; readonly hash: string }> {
  const onSide = (list: readonly LoadedRecording[], split: SplitChoice): LoadedRecording[] =>
    list.map((loaded) => ({ ...loaded, recording: { ...loaded.recording, split } }));
  const all = testRecordings ? [...onSide(testRecordings, 'test'), ...onSide(recordings, 'train')] : recordings;

  // Test recordings come first: one that is given on both sides must not be trained on.
  const unique = new Map<string, LoadedRecording>();
  for (const loaded of all) if (!unique.has(loaded.recording.id)) unique.set(loaded.recording.id, loaded);
  const twice = all.length - unique.size;
  if (twice > 0) {
    warnings.push(
      testRecordings
        ? `${count(twice, 'recording')} given more than once ${are(twice)} used once, for testing if given for testing.`
        : `${count(twice, 'recording')} given more than once ${are(twice)} used once.`,
    );
  }
  const sorted = [...unique.values()].sort((a, b) => (a.recording.id < b.recording.id ? -1 : 1));
  if (!sorted.some(({ recording }) => recording.label !== null || recording.segments.length > 0)) {
    throw new LearnError('no-data', 'There is no labelled recording to train on. Record or import some first.');
  }

  const onRecording = clock.counter(sorted.length);
  const fitted: LoadedRecording[] = [];
  let resampled = 0;
  for (const loaded of sorted) {
    const fit = fitRecording(loaded, pipeline.input);
    if (fit.recording.rateHz !== loaded.recording.rateHz) resampled++;
    fitted.push(fit);
    onRecording();
    await breather.breathe();
  }
  if (resampled > 0) {
    warnings.push(`${count(resampled, 'recording')} ${are(resampled)} resampled to ${pipeline.input.rateHz} Hz.`);
  }
  const gappy = sorted.filter(({ recording }) => recording.quality.lostFrames > NOTABLE_GAPS * recording.frames);
  if (gappy.length > 0) {
    const lost = gappy.reduce((sum, { recording }) => sum + recording.quality.lostFrames, 0);
    warnings.push(
      `${count(gappy.length, 'recording')} ${gappy.length === 1 ? 'has' : 'have'} gaps ` +
        `(${count(lost, 'frame')} lost): what lies beside a gap is not how it was.`,
    );
  }
  return { recordings: fitted, hash: datasetHash(sorted) };
}

/** Labels that have windows to learn from, in alphabetical order. */
function labelsToLearn(split: Split<LoadedRecording>, { input }: Pipeline): string[] {
  const labels = labelsWithWindows(split.train, input);
  const everywhere = labelsWithWindows([...split.train, ...split.validation, ...split.test], input);
  if (everywhere.length === 0) {
    throw new LearnError(
      'no-windows',
      `No recording is as long as one window (${input.windowMs} ms). Choose a shorter window.`,
    );
  }
  if (everywhere.length === 1) {
    throw new LearnError(
      'one-label',
      `All windows have the label “${everywhere[0]}”. Record at least one other kind of motion.`,
    );
  }
  if (labels.length < 2) {
    throw new LearnError(
      'one-label',
      `${labels.length === 0 ? 'No label' : `Only “${labels[0]}”`} is left to learn: the recordings of all other labels ` +
        'are set aside for testing. Move some of them to training.',
    );
  }
  if (labels.length > LIMITS.labels) {
    throw new EmitError('too-large', `A model can tell at most ${LIMITS.labels} labels apart, not ${labels.length}.`);
  }
  const long = labels.find((label) => label === '' || new TextEncoder().encode(label).length > LIMITS.textBytes);
  if (long !== undefined) {
    throw new EmitError('bad-label', `The label “${long.slice(0, 40)}” must have 1 to ${LIMITS.textBytes} bytes.`);
  }
  return labels;
}

function labelsWithWindows(recordings: readonly LoadedRecording[], input: InputSpec): string[] {
  return [...new Set(findWindows(recordings, input).windows.map(({ label }) => label))].sort();
}

function warnOfWindows(
  labels: readonly string[],
  train: WindowSet,
  validation: WindowSet,
  test: WindowSet,
  pipeline: Pipeline,
): string[] {
  const warnings: string[] = [];
  const tooShort = train.tooShort + validation.tooShort + test.tooShort;
  if (tooShort > 0) {
    warnings.push(
      `${count(tooShort, 'recording or segment', 'recordings or segments')} ${are(tooShort)} shorter than one window ` +
        `(${pipeline.input.windowMs} ms) and left out.`,
    );
  }
  const unknown = validation.unknownLabel + test.unknownLabel;
  if (unknown > 0) {
    warnings.push(`${count(unknown, 'window')} with a label that nothing was learned about ${are(unknown)} left out.`);
  }
  const learned = countLabels(labels.length, train.labels);
  const most = Math.max(...learned);
  const least = Math.min(...learned);
  if (most >= UNBALANCED * least) {
    warnings.push(
      `The labels are unbalanced: ${most} training windows of “${labels[learned.indexOf(most)]}”, ${least} of ` +
        `“${labels[learned.indexOf(least)]}”` +
        (pipeline.training.balanceClasses ? '; rare ones weigh more in training.' : '. Record more of the rare ones.'),
    );
  }
  if (test.count === 0) {
    warnings.push('Nothing is held out for testing: how well this model recognises new data is not known.');
  }
  return warnings;
}

interface Tested {
  readonly float: number | null;
  readonly int8: number | null;
  readonly confusionFloat: number[][];
  readonly confusionInt8: number[][];
}

/** The float and the int8 network on the very same held-out windows. */
async function testBoth(
  float: FloatGraph,
  scaler: Scaler,
  int8: Int8Graph,
  affine: InputAffine,
  test: WindowSet,
  classes: number,
  clock: StageClock,
  breather: Breather,
): Promise<Tested> {
  const floatNetwork = createFloatInterpreter(float);
  const int8Network = createInt8Interpreter(int8);
  const quantized = new Int8Array(test.featureCount);
  const byFloat = new Int32Array(test.count);
  const byInt8 = new Int32Array(test.count);
  const scaledRows = rows(scaled(test, scaler), test);
  const onWindow = clock.counter(test.count);
  for (const [window, features] of rows(test.features, test).entries()) {
    byFloat[window] = argmax(floatNetwork.run(scaledRows[window] as Float32Array));
    byInt8[window] = argmax(int8Network.run(quantizeFeatures(features, affine, quantized)));
    onWindow();
    await breather.breathe();
  }
  const confusionFloat = confusionMatrix(test.labels, byFloat, classes);
  const confusionInt8 = confusionMatrix(test.labels, byInt8, classes);
  return { float: accuracy(confusionFloat), int8: accuracy(confusionInt8), confusionFloat, confusionInt8 };
}

function scaled(set: WindowSet, scaler: Scaler): Float32Array {
  return scaleFeatures(set.features, set.count, scaler);
}

function rows(features: Float32Array, { count, featureCount }: WindowSet): Float32Array[] {
  return Array.from({ length: count }, (_, i) => features.subarray(i * featureCount, (i + 1) * featureCount));
}

function countLabels(labels: number, ...sets: Int32Array[]): number[] {
  const counts = new Array<number>(labels).fill(0);
  for (const set of sets) for (const label of set) counts[label] = (counts[label] as number) + 1;
  return counts;
}

async function withTimeout<T>(starting: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new LearnError('backend', 'Training could not start: the compute backend does not answer. Reload the page.'),
        ),
      BACKEND_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([starting, late]);
  } finally {
    clearTimeout(timer);
  }
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function are(number: number): string {
  return number === 1 ? 'is' : 'are';
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
