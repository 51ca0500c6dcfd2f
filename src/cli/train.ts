/** `train INPUTS... --out DIR`: recordings in, model.h, model.mote and report.json out. */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InputSpec } from '../dsp/block';
import { emitHeader } from '../emit/header';
import { readPack } from '../emit/pack';
import { checkPrefix } from '../emit/prefix';
import { writeTflite } from '../emit/tflite/write-tflite';
import { TARGETS } from '../emit/target';
import { pipelineForInput, suggestInput } from '../learn/default-pipeline';
import type { Pipeline } from '../learn/pipeline';
import { parsePipeline } from '../learn/pipeline-schema';
import type { LoadedRecording } from '../signal/recording';
import { labelsOf } from '../signal/split';
import type { TrainProgress } from '../worker/job';
import { trainJob } from '../worker/train-job';
import { numberOf, type Arguments } from './arguments';
import { bundleFlag, bundleFormatOf, bundleZip } from './bundle';
import { readCollection, readInput } from './input-files';
import { createProgress, printResult, say } from './output';
import { makeFolder } from './output-folder';
import { targetOf } from './target-flag';
import { UsageError } from './usage-error';
import type { Verb } from './verb';

export const MAX_MILLISECONDS = 60_000;
const MAX_RATE_HZ = 200_000;
const MAX_SEED = 2 ** 32 - 1;
const DEFAULT_SEED = 1;
const DEFAULT_PREFIX = 'model';

/** tfjs loads its WebAssembly from here; the bundle lies in dist-cli/, beside node_modules/. */
const WASM_FOLDER = fileURLToPath(new URL('../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url));

export const trainVerb: Verb = {
  summary: 'Train a model: writes model.h, model.mote and report.json into a folder.',
  synopsis:
    'INPUTS... --out DIR [--test INPUTS...] [--pipeline FILE] [--seed N] [--window MS] [--stride MS] [--rate HZ] [--prefix NAME] [--target TARGET] [--bundle FORMAT]',
  flags: {
    out: { takes: 'one', value: 'DIR', help: 'folder for the results, made when missing' },
    test: { takes: 'many', value: 'INPUTS...', help: 'recordings for testing only (default: a fifth is held out)' },
    pipeline: { takes: 'one', value: 'FILE', help: 'pipeline as JSON, such as "pipeline" in a report.json' },
    seed: { takes: 'one', value: 'N', help: `starting point of all chance (default ${DEFAULT_SEED})` },
    window: { takes: 'one', value: 'MS', help: 'window length (default: at most 2000, what fits the recordings)' },
    stride: { takes: 'one', value: 'MS', help: 'from one window to the next (default: a quarter of the window)' },
    rate: { takes: 'one', value: 'HZ', help: 'sampling rate of the model (default: that of the recordings)' },
    target: {
      takes: 'one',
      value: 'TARGET',
      help: `core that model.h is made for: ${TARGETS.join(', ')}; default generic`,
    },
    prefix: { takes: 'one', value: 'NAME', help: `first part of all names in model.h (default ${DEFAULT_PREFIX})` },
    bundle: bundleFlag,
  },
  async execute(args, signal) {
    const out = args.one('out');
    if (args.inputs.length === 0) throw new UsageError('bad-arguments', 'train needs at least one file or folder');
    if (out === undefined) throw new UsageError('bad-arguments', 'train needs --out DIR');
    const seed = numberOf(args, 'seed', { minimum: 0, maximum: MAX_SEED, whole: true }) ?? DEFAULT_SEED;
    const prefix = args.one('prefix') ?? DEFAULT_PREFIX;
    checkPrefix(prefix);
    const target = targetOf(args);
    const format = bundleFormatOf(args);
    const wanted = wantedInput(args);
    const pipelineFile = args.one('pipeline');
    const given = pipelineFile === undefined ? null : parsePipeline(await readText(pipelineFile));

    const started = performance.now();
    const { recordings, notes } = usableSplit(await readCollection(args.inputs, signal, wanted));
    const testInputs = args.many('test');
    const testRecordings = testInputs.length === 0 ? null : await readCollection(testInputs, signal, wanted);
    const reading = (performance.now() - started) / 1000;
    say(`${recordings.length} recordings${testRecordings ? `, ${testRecordings.length} for testing` : ''}`);

    const pipeline = choosePipeline(given, recordings, wanted);
    await makeFolder(out);
    const show = createProgress();
    const { pack, header, floatTflite, report } = await trainJob(
      {
        recordings,
        ...(testRecordings && { testRecordings }),
        pipeline,
        seed,
        prefix,
        app: `Mote ${__APP_VERSION__}`,
        // No day: the same data and seed give the same bytes tomorrow.
        trainedOn: '',
      },
      {
        onProgress: (progress) => show(describeProgress(progress), isLast(progress)),
        signal,
        now: () => performance.now(),
        wasmPath: WASM_FOLDER,
      },
    );
    const seconds = { ...report.seconds, load: (report.seconds.load ?? 0) + reading };
    const warnings = [...notes, ...report.warnings];
    const { graph: network, labels } = readPack(pack);
    await writeResults(out, {
      'model.h': target === 'generic' ? header : emitHeader(pack, target),
      'model.mote': pack,
      'model.tflite': writeTflite(network, { labels }),
      'model-float.tflite': floatTflite,
      'report.json': `${JSON.stringify({ ...report, seconds, warnings }, null, 2)}\n`,
      ...(format && bundleZip(pack, format, target)),
    });
    for (const warning of warnings) say(`note: ${warning}`);
    printResult({
      out,
      labels: report.labels,
      recordings: report.recordings,
      windows: report.windows,
      accuracy: report.accuracy,
      ram: report.ram,
      flash_weights: report.flash_weights,
      pack_bytes: report.pack_bytes,
      warnings,
    });
  },
};

/**
 * Folders named after sets decide the split, unless that leaves fewer than two labels to learn while there are more:
 * then every recording is free to train or test.
 */
function usableSplit(recordings: readonly LoadedRecording[]): {
  readonly recordings: readonly LoadedRecording[];
  readonly notes: readonly string[];
} {
  const labels = (of: readonly LoadedRecording[]) => new Set(of.flatMap(({ recording }) => labelsOf(recording))).size;
  const learnable = labels(recordings.filter(({ recording }) => recording.split !== 'test'));
  if (learnable >= 2 || labels(recordings) < 2) return { recordings, notes: [] };
  return {
    recordings: recordings.map(({ recording, samples }) => ({ recording: { ...recording, split: 'auto' }, samples })),
    notes: [
      'The folders named after training and testing leave fewer than two labels to learn, so they were not followed: ' +
        'the split was made anew, by recording.',
    ],
  };
}

type WantedInput = Partial<Pick<InputSpec, 'windowMs' | 'strideMs' | 'rateHz'>>;

function wantedInput(args: Arguments): WantedInput {
  const windowMs = numberOf(args, 'window', { minimum: 0.01, maximum: MAX_MILLISECONDS });
  const strideMs = numberOf(args, 'stride', { minimum: 0.01, maximum: MAX_MILLISECONDS });
  const rateHz = numberOf(args, 'rate', { minimum: 0.001, maximum: MAX_RATE_HZ });
  return {
    ...(windowMs !== undefined && { windowMs }),
    ...(strideMs !== undefined && { strideMs }),
    ...(rateHz !== undefined && { rateHz }),
  };
}

/** The pipeline from the file, or the default for the data; flags win over both. */
function choosePipeline(given: Pipeline | null, recordings: readonly LoadedRecording[], wanted: WantedInput): Pipeline {
  if (given) return { ...given, input: { ...given.input, ...wanted } };
  const suggested = suggestInput(recordings.map(({ recording }) => recording));
  // A window of one's own, without a stride, keeps the usual overlap.
  const overlap = suggested.strideMs / suggested.windowMs;
  const strideMs = wanted.windowMs === undefined ? suggested.strideMs : wanted.windowMs * overlap;
  return pipelineForInput({ ...suggested, strideMs, ...wanted });
}

async function readText(path: string): Promise<string> {
  const bytes = await readInput(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError('unreadable-file', `${path} is not text`, { cause });
  }
}

/** Every file appears whole or not at all. */
async function writeResults(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    const unfinished = `${path}.${process.pid}.part`;
    try {
      await writeFile(unfinished, content);
      await rename(unfinished, path);
    } catch (cause) {
      throw new UsageError('cannot-write', `cannot write ${path}: ${(cause as Error).message}`, { cause });
    }
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function describeProgress(progress: TrainProgress): string {
  if (progress.stage !== 'train') return `${progress.stage} ${progress.done}/${progress.total}`;
  const { epoch, epochs, loss, accuracy, validationLoss, validationAccuracy } = progress.figures;
  const held =
    validationLoss === null || validationAccuracy === null
      ? ''
      : `, held back: loss ${validationLoss.toFixed(4)}, accuracy ${percent(validationAccuracy)}`;
  return `epoch ${epoch}/${epochs}: loss ${loss.toFixed(4)}, accuracy ${percent(accuracy)}${held}`;
}

function isLast(progress: TrainProgress): boolean {
  return progress.stage !== 'train' && progress.done === progress.total;
}
