import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readPack } from '../emit/pack';
import { runSelfTest } from '../emit/run-model';
import { defaultPipeline } from '../learn/default-pipeline';
import type { Pipeline } from '../learn/pipeline';
import { parsePipeline } from '../learn/pipeline-schema';
import { contentHash } from '../signal/dataset-hash';
import { generateRecording, MotionGenerator } from '../signal/motion-generator';
import { PRISTINE, type LoadedRecording } from '../signal/recording';
import type { TrainInputs, TrainOutputs, TrainProgress } from './job';
import { trainJob } from './train-job';

const WASM = fileURLToPath(new URL('../../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url));
const SHARED = process.env['MOTE_SHARED'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const MAGIC_WAND = join(SHARED, 'data/motion_magic_wand/csv');

const GESTURES = MotionGenerator.gestures.slice(0, 3);

function generated(perLabel: number, seconds = 6): LoadedRecording[] {
  return GESTURES.flatMap((gesture, g) =>
    Array.from({ length: perLabel }, (_, i) => generateRecording({ gesture, seconds, rateHz: 50, seed: 100 * g + i })),
  );
}

function short(pipeline: Pipeline): Pipeline {
  return { ...pipeline, training: { ...pipeline.training, epochs: 30, patience: 10 } };
}

function train(
  recordings: LoadedRecording[],
  changes: Partial<TrainInputs> = {},
  options: { onProgress?: (progress: TrainProgress) => void; signal?: AbortSignal } = {},
): Promise<TrainOutputs> {
  const pipeline = changes.pipeline ?? short(defaultPipeline(recordings.map(({ recording }) => recording)));
  return trainJob(
    { recordings, seed: 1, prefix: 'gestures', app: 'test', trainedOn: '', ...changes, pipeline },
    {
      onProgress: options.onProgress ?? (() => undefined),
      signal: options.signal ?? new AbortController().signal,
      now: () => performance.now(),
      wasmPath: WASM,
    },
  );
}

describe('trainJob', () => {
  const recordings = generated(6);
  const progress: TrainProgress[] = [];
  let outputs: TrainOutputs;

  beforeAll(async () => {
    outputs = await train(recordings, {}, { onProgress: (step) => progress.push(step) });
  });

  it('trains a model that knows held-out recordings, as a pack and a header', () => {
    const { report, pack, header } = outputs;
    expect(report.labels).toEqual([...GESTURES].sort());
    expect(report.accuracy.int8).toBeGreaterThan(0.9);
    expect(report.accuracy.float! - report.accuracy.int8!).toBeLessThan(0.03);
    expect(report.recordings.train + report.recordings.validation + report.recordings.test).toBe(18);
    expect(report.recordings.test).toBeGreaterThanOrEqual(3);
    expect(report.confusion.int8.flat().reduce((a, b) => a + b)).toBe(report.windows.test);
    expect(report.windows_per_label.test.reduce((a, b) => a + b)).toBe(report.windows.test);
    expect(report.pack_bytes).toBe(pack.length);
    expect(report.ram).toBeGreaterThan(100);
    expect(header).toContain('gestures_push');
    expect(report.dataset_hash).toMatch(/^[0-9a-f]{64}$/);
    const model = readPack(pack);
    expect(model.labels).toEqual(report.labels);
    expect(runSelfTest(model)).toBe(0);
    expect(parsePipeline(model.receipt.pipeline)).toEqual(report.pipeline);
  });

  it('reports every stage in order, each to its end, and times it', () => {
    const stages = [...new Set(progress.map(({ stage }) => stage))];
    expect(stages).toEqual(['load', 'features', 'train', 'quantize', 'test', 'emit']);
    expect(Object.keys(outputs.report.seconds)).toEqual(stages);
    expect(progress.filter(({ stage }) => stage === 'train').length).toBe(outputs.report.epochs_run);
    for (const step of progress) if (step.stage !== 'train') expect(step.done).toBeLessThanOrEqual(step.total);
  });

  it('gives the same bytes again, in whatever order the recordings come', async () => {
    const again = await train([...recordings].reverse());
    expect(again.pack).toEqual(outputs.pack);
    expect(again.header).toBe(outputs.header);
    expect((await train(recordings, { seed: 2 })).header).not.toBe(outputs.header);
  });

  it('tests on the recordings given for that, and on nothing that was trained on', async () => {
    const test = generated(8).filter(({ recording }) => !recordings.some((r) => r.recording.id === recording.id));
    const leaked = recordings[0]!;
    const { report } = await train(recordings, { testRecordings: [...test, leaked] });
    expect(report.recordings.test).toBe(7);
    expect(report.recordings.train + report.recordings.validation).toBe(17);
    expect(report.warnings.join(' ')).toContain('given more than once');
  });

  it('says honestly what is thin', async () => {
    const few = [...generated(1), generateRecording({ gesture: GESTURES[0]!, seconds: 0.3, rateHz: 50, seed: 9 })];
    const gappy = few.map((loaded, i) =>
      i === 0
        ? { ...loaded, recording: { ...loaded.recording, quality: { ...PRISTINE, lostFrames: 30, gaps: 2 } } }
        : loaded,
    );
    const { report } = await train(gappy, { pipeline: short(defaultPipeline([few[0]!.recording])) });
    expect(report.accuracy).toEqual({ float: null, int8: null });
    expect(report.windows.test).toBe(0);
    const warnings = report.warnings.join('\n');
    expect(warnings).toContain('Nothing is held out');
    expect(warnings).toContain('shorter than one window');
    expect(warnings).toContain('30 frames lost');
  });

  it('takes channels by name and resamples other rates', async () => {
    const swapped = recordings.map((loaded, i): LoadedRecording => {
      if (i % 2) return loaded;
      const { recording, samples } = loaded;
      const width = recording.channels.length;
      const turned = new Float32Array(samples.length);
      samples.forEach((value, at) => (turned[at - (at % width) + (width - 1 - (at % width))] = value));
      return { recording: { ...recording, channels: [...recording.channels].reverse() }, samples: turned };
    });
    const pipeline = short(defaultPipeline([recordings[0]!.recording]));
    const same = await train(swapped, { pipeline });
    expect(readPack(same.pack).graph).toEqual(readPack((await train(recordings, { pipeline })).pack).graph);

    const slow = short({ ...pipeline, input: { ...pipeline.input, rateHz: 25 } });
    const { report } = await train(recordings, { pipeline: slow });
    expect(report.warnings.join(' ')).toContain('resampled to 25 Hz');
    expect(report.accuracy.int8).toBeGreaterThan(0.8);
  });

  it('refuses what makes no model, before it spends time', async () => {
    const unlabelled = recordings.map((r) => ({ ...r, recording: { ...r.recording, label: null } }));
    const pipeline = short(defaultPipeline([recordings[0]!.recording]));
    await expect(train(unlabelled, { pipeline })).rejects.toMatchObject({ name: 'LearnError', code: 'no-data' });
    const one = recordings.filter(({ recording }) => recording.label === GESTURES[0]);
    await expect(train(one)).rejects.toMatchObject({ code: 'one-label' });
    const skewed = recordings.map((loaded): LoadedRecording => {
      const split = loaded.recording.label === GESTURES[0] ? 'train' : 'test';
      return { ...loaded, recording: { ...loaded.recording, split } };
    });
    await expect(train(skewed)).rejects.toThrow(/Only “.*” is left to learn.*Move some of them to training/);
    const long = { ...pipeline, input: { ...pipeline.input, windowMs: 30_000 } };
    await expect(train(recordings, { pipeline: long })).rejects.toMatchObject({ code: 'no-windows' });
    const channels = [{ name: 'pressure', unit: 'Pa' }];
    const blocks = pipeline.blocks.map((block) => ({ ...block, channels: [0] }));
    const other = { ...pipeline, blocks, input: { ...pipeline.input, channels } };
    await expect(train(recordings, { pipeline: other })).rejects.toMatchObject({ code: 'channel-mismatch' });
    await expect(train(recordings, { prefix: '1;' })).rejects.toMatchObject({ name: 'EmitError', code: 'bad-prefix' });
    await expect(train(recordings, { pipeline: {} as Pipeline })).rejects.toMatchObject({ code: 'bad-pipeline' });
  });

  it.each(['load', 'features', 'train', 'test'] as const)('stops when asked to during %s', async (stage) => {
    const controller = new AbortController();
    const onProgress = (step: TrainProgress) => {
      if (step.stage === stage) controller.abort();
    };
    await expect(train(recordings, {}, { onProgress, signal: controller.signal })).rejects.toMatchObject({
      name: 'LearnError',
      code: 'cancelled',
    });
  });
});

describe.skipIf(!existsSync(MAGIC_WAND))('real gestures (skipped without the shared data)', () => {
  function magicWand(): LoadedRecording[] {
    return readdirSync(MAGIC_WAND)
      .sort()
      .map((file) => {
        const [header, ...lines] = readFileSync(join(MAGIC_WAND, file), 'utf8').trim().split('\n');
        const names = header!.split(',').slice(1);
        const samples = Float32Array.from(lines.flatMap((line) => line.split(',').slice(1).map(Number)));
        return {
          recording: {
            // As the importer names it: the split follows from this.
            id: `file-${contentHash(names.length, 100, samples).slice(0, 32)}`,
            name: file,
            createdAt: 0,
            sessionId: 'magic-wand',
            channels: names.map((name) => ({ name: name.trim(), unit: name.startsWith('acc') ? 'm/s2' : 'deg/s' })),
            rateHz: 100,
            measuredRateHz: null,
            frames: lines.length,
            label: file.split('.')[0]!,
            segments: [],
            split: 'auto',
            source: { kind: 'file', fileName: file, format: 'csv' },
            quality: PRISTINE,
          },
          samples,
        };
      });
  }

  it('magic wand: at least 90 % on held-out recordings, int8 within 1 point of float', async () => {
    const recordings = magicWand();
    expect(recordings.length).toBe(648);
    const pipeline = defaultPipeline(recordings.map(({ recording }) => recording));
    expect(pipeline.input.windowMs).toBe(1500);
    const { report } = await train(recordings, { pipeline });
    expect(report.warnings).toEqual([]);
    expect(report.accuracy.float).toBeGreaterThanOrEqual(0.9);
    expect(report.accuracy.int8).toBeGreaterThanOrEqual(0.9);
    expect(Math.abs(report.accuracy.float! - report.accuracy.int8!)).toBeLessThanOrEqual(0.01);
  });
});
