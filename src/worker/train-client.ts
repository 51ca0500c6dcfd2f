/**
 * The app's side of training: jobs run in a worker that is started when it is first needed, so that the page stays
 * smooth and a job that does not stop can be ended.
 */
import { LearnError } from '../learn/pipeline';
import type { CompileInputs, CompileOutputs, CompileProgress } from './compile-job';
import { unpackError } from './error-transport';
import type { EvaluateInputs, Evaluation } from './evaluate-job';
import type { FeatureInputs, FeatureTable } from './feature-job';
import type { TrainInputs, TrainOutputs, TrainProgress } from './job';
import type { JobKind, Jobs, WorkerReply, WorkerRequest } from './train-messages';

export interface TrainOptions {
  readonly onProgress: (progress: TrainProgress) => void;
  readonly signal: AbortSignal;
}

/** All methods reject with the errors of the jobs (LearnError, DspError, EmitError, ...), class and code preserved. */
export interface Trainer {
  train(inputs: TrainInputs, options: TrainOptions): Promise<TrainOutputs>;
  /** Features of all labelled windows, for charts. */
  extractFeatures(inputs: FeatureInputs, options?: { readonly signal?: AbortSignal }): Promise<FeatureTable>;
  /** A finished model on recordings, window by window. */
  evaluate(inputs: EvaluateInputs, options?: { readonly signal?: AbortSignal }): Promise<Evaluation>;
  /** A `.tflite` to C: header, pack and memory plan. */
  compile(
    inputs: CompileInputs,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (progress: CompileProgress) => void },
  ): Promise<CompileOutputs>;
  /** Ends the worker; running jobs reject as cancelled. It starts again when needed. */
  dispose(): void;
}

/** The part of a Worker that is used. */
export interface WorkerLike {
  postMessage(message: WorkerRequest): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<WorkerReply>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  onmessageerror: ((event: MessageEvent) => void) | null;
}

export interface TrainerOptions {
  /** Folder of tfjs' wasm binaries: a URL ending in "/", absolute or relative to the page. */
  readonly wasmPath: string;
  /** Replaceable for tests. */
  readonly createWorker?: () => WorkerLike;
  /** Replaceable for tests. */
  readonly cancelTimeoutMs?: number;
}

/** A job that was asked to stop and has not after this long is ended together with the worker. */
export const CANCEL_TIMEOUT_MS = 2000;

interface PendingJob {
  readonly resolve: (outputs: Jobs[JobKind]['outputs']) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: (progress: TrainProgress | CompileProgress) => void;
}

export function createTrainer(options: TrainerOptions): Trainer {
  const createWorker: () => WorkerLike =
    options.createWorker ?? (() => new Worker(new URL('./train.worker.ts', import.meta.url), { type: 'module' }));
  const cancelTimeoutMs = options.cancelTimeoutMs ?? CANCEL_TIMEOUT_MS;
  const pending = new Map<number, PendingJob>();
  let worker: WorkerLike | null = null;
  let lastId = 0;

  const settle = (id: number): PendingJob | undefined => {
    const job = pending.get(id);
    pending.delete(id);
    return job;
  };

  const endWorker = (error: () => LearnError): void => {
    worker?.terminate();
    worker = null;
    for (const id of [...pending.keys()]) settle(id)?.reject(error());
  };

  const startWorker = (): WorkerLike => {
    const started = createWorker();
    started.onmessage = ({ data }) => {
      switch (data.type) {
        case 'progress':
          pending.get(data.id)?.onProgress(data.progress);
          return;
        case 'done':
          settle(data.id)?.resolve(data.outputs);
          return;
        case 'failed':
          settle(data.id)?.reject(unpackError(data.error));
          return;
      }
    };
    const crashed = (cause: unknown): void =>
      endWorker(
        () =>
          new LearnError('backend', 'The background worker stopped unexpectedly. Try again; if it persists, reload.', {
            cause,
          }),
      );
    started.onerror = (event) => crashed(event.message);
    started.onmessageerror = () => crashed('A message could not be read.');
    return started;
  };

  const cancelled = (cause?: unknown): LearnError =>
    new LearnError('cancelled', 'This was cancelled.', cause === undefined ? undefined : { cause });

  function run<Kind extends JobKind>(
    kind: Kind,
    inputs: Jobs[Kind]['inputs'],
    signal: AbortSignal | undefined,
    // Each kind of job reports its own kind of progress.
    onProgress: (progress: never) => void = () => undefined,
  ): Promise<Jobs[Kind]['outputs']> {
    if (signal?.aborted) return Promise.reject(cancelled(signal.reason));
    return new Promise<Jobs[Kind]['outputs']>((resolve, reject) => {
      worker ??= startWorker();
      const running = worker;
      const id = ++lastId;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const stop = (): void => {
        running.postMessage({ type: 'cancel', id });
        timer = setTimeout(() => {
          if (worker === running && pending.has(id)) endWorker(cancelled);
        }, cancelTimeoutMs);
      };
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
      };
      pending.set(id, {
        resolve: (outputs) => {
          done();
          resolve(outputs);
        },
        reject: (error) => {
          done();
          reject(error);
        },
        onProgress: onProgress as PendingJob['onProgress'],
      });
      signal?.addEventListener('abort', stop, { once: true });
      try {
        running.postMessage({ type: 'start', id, kind, inputs, wasmPath: absolute(options.wasmPath) } as WorkerRequest);
      } catch (error) {
        settle(id)?.reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  return {
    train: (inputs, { signal, onProgress }) => run('train', inputs, signal, onProgress),
    extractFeatures: (inputs, { signal } = {}) => run('features', inputs, signal),
    evaluate: (inputs, { signal } = {}) => run('evaluate', inputs, signal),
    compile: (inputs, { signal, onProgress } = {}) => run('compile', inputs, signal, onProgress),
    dispose: () => endWorker(cancelled),
  };
}

/** The worker's own address is another than the page's, so relative paths must be resolved here. */
function absolute(path: string): string {
  return typeof document === 'undefined' ? path : new URL(path, document.baseURI).href;
}
