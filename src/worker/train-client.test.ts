/** Client and server joined without a real worker: messages are cloned both ways as a worker would. */
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { DspError } from '../dsp/block';
import { defaultBlock } from '../dsp/compile';
import { createRunner } from '../emit/run-model';
import { readPack } from '../emit/pack';
import { EmitError } from '../emit/model';
import { defaultPipeline } from '../learn/default-pipeline';
import { LearnError } from '../learn/pipeline';
import { generateRecording, MotionGenerator } from '../signal/motion-generator';
import { readWindow } from '../signal/window';
import { packError, unpackError } from './error-transport';
import type { TrainInputs, TrainProgress } from './job';
import { createTrainer, type Trainer, type WorkerLike } from './train-client';
import { createTrainServer } from './train-server';
import type { WorkerReply, WorkerRequest } from './train-messages';

const WASM = fileURLToPath(new URL('../../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url));

class LocalWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null;
  onerror: WorkerLike['onerror'] = null;
  onmessageerror: WorkerLike['onmessageerror'] = null;
  terminated = false;
  readonly requests: WorkerRequest[] = [];
  private readonly handle = createTrainServer((message, transfer) => {
    const data = structuredClone(message, { transfer });
    setTimeout(() => !this.terminated && this.onmessage?.({ data } as MessageEvent<WorkerReply>));
  });
  constructor(private readonly deaf = false) {}
  postMessage(message: WorkerRequest): void {
    this.requests.push(message);
    const request = structuredClone(message);
    if (!this.deaf) setTimeout(() => !this.terminated && this.handle(request));
  }
  terminate(): void {
    this.terminated = true;
  }
}

const recordings = MotionGenerator.gestures
  .slice(0, 2)
  .flatMap((gesture, g) =>
    [0, 1, 2, 3].map((i) => generateRecording({ gesture, seconds: 5, rateHz: 50, seed: 50 * g + i })),
  );
const usual = defaultPipeline(recordings.map(({ recording }) => recording));
const pipeline = { ...usual, training: { ...usual.training, epochs: 10 } };
const inputs: TrainInputs = { recordings, pipeline, seed: 3, prefix: 'demo', app: 'test', trainedOn: '' };

describe('createTrainer', () => {
  const workers: LocalWorker[] = [];
  const trainers: Trainer[] = [];
  const trainer = (deaf = false): Trainer => {
    const made = createTrainer({
      wasmPath: WASM,
      cancelTimeoutMs: deaf ? 50 : 5000,
      createWorker: () => {
        const worker = new LocalWorker(deaf);
        workers.push(worker);
        return worker;
      },
    });
    trainers.push(made);
    return made;
  };
  const run = (on: Trainer, changes: Partial<TrainInputs> = {}, signal = new AbortController().signal) =>
    on.train({ ...inputs, ...changes }, { signal, onProgress: () => undefined });

  afterEach(() => {
    for (const made of trainers) made.dispose();
    workers.length = 0;
    trainers.length = 0;
  });

  it('starts a worker only when needed, and keeps it', async () => {
    const made = trainer();
    expect(workers.length).toBe(0);
    const steps: TrainProgress[] = [];
    const outputs = await made.train(inputs, {
      signal: new AbortController().signal,
      onProgress: (step) => steps.push(step),
    });
    expect(outputs.report.epochs_run).toBeGreaterThan(0);
    expect(steps.filter(({ stage }) => stage === 'train').length).toBe(outputs.report.epochs_run);
    await run(made);
    expect(workers.length).toBe(1);
  });

  it('tests a model window by window, with the bytes that the model gives', async () => {
    const made = trainer();
    const { pack } = await run(made);
    const stranger = generateRecording({ gesture: MotionGenerator.gestures[2]!, seconds: 3, rateHz: 50, seed: 1 });
    const mute = { ...stranger, recording: { ...stranger.recording, id: 'mute', label: null } };
    const tiny = generateRecording({ gesture: MotionGenerator.gestures[0]!, seconds: 0.2, rateHz: 50, seed: 1 });
    const result = await made.evaluate({ pack, recordings: [recordings[0]!, stranger, mute, tiny] });
    expect(result.recordings.map(({ windows }) => windows.length > 0)).toEqual([true, true, true, false]);
    expect(result.recordings[3]!.problem).toContain('Too short');
    expect(result.unknownLabel).toBe(result.recordings[1]!.windows.length);
    expect(result.recordings[2]!.windows[0]!.label).toBeNull();
    const known = result.recordings[0]!.windows;
    expect(result.confusion.flat().reduce((a, b) => a + b)).toBe(known.length);

    const model = readPack(pack);
    const runner = createRunner(model);
    for (const { startMs, scores, best } of known) {
      const window = readWindow(recordings[0]!.samples, 6, Math.round(startMs / 20), runner.frames);
      const expected = runner.classify(window);
      expect(scores).toEqual(expected.scores);
      expect(best).toBe(expected.best);
    }
  });

  it('gives features of every window with names and origin, and says what cannot be used', async () => {
    const other = { ...recordings[0]!, recording: { ...recordings[0]!.recording, id: 'other', channels: [] } };
    const table = await trainer().extractFeatures({
      recordings: [...recordings, other],
      input: pipeline.input,
      blocks: pipeline.blocks,
    });
    expect(table.names.length).toBe(table.featureCount);
    expect(table.features.length).toBe(table.count * table.featureCount);
    expect(table.labels.length).toBe(table.count);
    expect(table.windows.length).toBe(table.available);
    expect(new Set(table.windows.map(({ recordingId }) => recordingId)).size).toBe(recordings.length);
    expect(table.problems.map(({ recordingId }) => recordingId)).toEqual(['other']);
    expect(table.problems[0]!.message).toContain('has no channel');
  });

  it('passes errors on with class, code and message', async () => {
    const made = trainer();
    const error = await run(made, { prefix: 'int' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EmitError);
    expect(error).toMatchObject({ code: 'bad-prefix' });
    const spectral = defaultBlock('spectral', pipeline.input);
    const blocks = [{ ...spectral, channels: [99] }];
    const problem = made.extractFeatures({ recordings, input: pipeline.input, blocks });
    await expect(problem).rejects.toBeInstanceOf(DspError);
    await expect(made.evaluate({ pack: new Uint8Array(10), recordings })).rejects.toBeInstanceOf(EmitError);
  });

  it('stops a job politely', async () => {
    const made = trainer();
    const controller = new AbortController();
    const running = made.train(
      { ...inputs, pipeline: { ...pipeline, training: { ...pipeline.training, epochs: 10_000, patience: 10_000 } } },
      { signal: controller.signal, onProgress: ({ stage }) => stage === 'train' && controller.abort() },
    );
    await expect(running).rejects.toMatchObject({ name: 'LearnError', code: 'cancelled' });
    expect(workers[0]!.terminated).toBe(false);
    await expect(run(made, {}, controller.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('ends a worker that does not stop, and starts another one next time', async () => {
    const made = trainer(true);
    const controller = new AbortController();
    const running = run(made, {}, controller.signal);
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'LearnError', code: 'cancelled' });
    expect(workers[0]!.terminated).toBe(true);
    const second = run(made);
    expect(workers.length).toBe(2);
    made.dispose();
    await expect(second).rejects.toBeInstanceOf(LearnError);
  });

  it('survives a worker that dies', async () => {
    const made = trainer(true);
    const running = run(made);
    workers[0]!.onerror?.({ message: 'out of memory' } as ErrorEvent);
    await expect(running).rejects.toMatchObject({ name: 'LearnError', code: 'backend', cause: 'out of memory' });
  });
});

describe('error transport', () => {
  it('keeps class, code, message and causes', () => {
    const error = new LearnError('diverged', 'The loss is gone.', { cause: new DspError('no-bins', 'No bins.') });
    const revived = unpackError(structuredClone(packError(error)));
    expect(revived).toBeInstanceOf(LearnError);
    expect(revived).toMatchObject({ code: 'diverged', message: 'The loss is gone.', stack: error.stack });
    expect(revived.cause).toBeInstanceOf(DspError);
    expect(unpackError(packError(new RangeError('too far')))).toMatchObject({ name: 'RangeError', message: 'too far' });
    expect(unpackError(packError('odd'))).toMatchObject({ message: 'odd' });
  });
});
