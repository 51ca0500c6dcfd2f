/** The worker's side: runs the jobs that it is asked for and answers. Knows no global scope, so that tests can run it. */
import { compileJob } from './compile-job';
import { packError } from './error-transport';
import { evaluate } from './evaluate-job';
import { extractFeatures } from './feature-job';
import { trainJob } from './train-job';
import type { Jobs, JobKind, WorkerReply, WorkerRequest } from './train-messages';

/** Returns the handler of requests; `reply` posts to the app, moving `transfer` instead of copying it. */
export function createTrainServer(
  reply: (message: WorkerReply, transfer: ArrayBuffer[]) => void,
): (request: WorkerRequest) => void {
  const running = new Map<number, AbortController>();

  const run = (
    request: Extract<WorkerRequest, { type: 'start' }>,
    signal: AbortSignal,
  ): Promise<Jobs[JobKind]['outputs']> => {
    const now = (): number => performance.now();
    switch (request.kind) {
      case 'train':
        return trainJob(request.inputs, {
          onProgress: (progress) => reply({ type: 'progress', id: request.id, progress }, []),
          signal,
          now,
          wasmPath: request.wasmPath,
        });
      case 'features':
        return extractFeatures(request.inputs, { signal, now });
      case 'evaluate':
        return evaluate(request.inputs, { signal, now });
      case 'compile':
        return compileJob(request.inputs, {
          onProgress: (progress) => reply({ type: 'progress', id: request.id, progress }, []),
          signal,
          now,
        });
    }
  };

  return (request) => {
    const { id } = request;
    switch (request.type) {
      case 'cancel':
        running.get(id)?.abort();
        return;
      case 'start': {
        const controller = new AbortController();
        running.set(id, controller);
        run(request, controller.signal)
          .then(
            (outputs) => reply({ type: 'done', id, outputs }, buffersOf(outputs)),
            (error: unknown) => reply({ type: 'failed', id, error: packError(error) }, []),
          )
          .finally(() => running.delete(id));
      }
    }
  };
}

/** The large arrays of a result, which the worker does not need again. */
function buffersOf(outputs: Jobs[JobKind]['outputs']): ArrayBuffer[] {
  const large = 'pack' in outputs ? outputs.pack : 'features' in outputs ? outputs.features : null;
  return large?.buffer instanceof ArrayBuffer ? [large.buffer] : [];
}
