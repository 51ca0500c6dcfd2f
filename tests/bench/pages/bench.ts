/** Hands the measurements to the script that drives this page. */
import { drawFrames } from './scope-bench';
import { makeTask } from './training-data';
import { fitWithTfjs, type EpochTimes } from './training-fit';
import type { OursRequest } from './training-ours.worker';

async function trainOurs(epochs: number, warmUp: number): Promise<EpochTimes> {
  const worker = new Worker(new URL('./training-ours.worker.ts', import.meta.url), { type: 'module' });
  const { features, labels } = makeTask(1);
  const answer = new Promise<EpochTimes>((resolve, reject) => {
    worker.addEventListener('message', (event: MessageEvent<EpochTimes>) => resolve(event.data));
    worker.addEventListener('error', (event) => reject(new Error(event.message)));
  });
  const wasmPath = new URL('tfjs/', document.baseURI).href;
  worker.postMessage({ features, labels, epochs, warmUp, wasmPath } satisfies OursRequest);
  try {
    return await answer;
  } finally {
    worker.terminate();
  }
}

function trainPlain(epochs: number, warmUp: number): Promise<EpochTimes> {
  const { features, labels } = makeTask(1);
  return fitWithTfjs(features, labels, epochs, warmUp);
}

const bench = { trainOurs, trainPlain, drawFrames };
export type Bench = typeof bench;
Object.assign(window, { bench });
