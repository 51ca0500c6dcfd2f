/** Ours: the studio's trainer in a module worker, as the studio runs it. */
import { startBackend } from '../../../src/learn/backend';
import { trainNetwork } from '../../../src/learn/train';
import { TASK } from './training-data';

export interface OursRequest {
  readonly features: Float32Array;
  readonly labels: Int32Array;
  readonly epochs: number;
  readonly warmUp: number;
  readonly wasmPath: string;
}

self.addEventListener('message', (event: MessageEvent<OursRequest>) => {
  void run(event.data);
});

async function run({ features, labels, epochs, warmUp, wasmPath }: OursRequest): Promise<void> {
  const backend = await startBackend(wasmPath);
  const times: number[] = [];
  await trainNetwork({ features, labels, count: TASK.windows, featureCount: TASK.features }, null, {
    network: { layers: TASK.hidden.map((units) => ({ kind: 'dense', units, activation: 'relu' })) },
    training: {
      epochs: epochs + warmUp,
      batchSize: TASK.batchSize,
      learningRate: TASK.learningRate,
      validationShare: 0,
      patience: epochs + warmUp,
      balanceClasses: false,
    },
    classes: TASK.classes,
    seed: 1,
    onEpoch: (figures) => void times.push(figures.milliseconds),
    signal: new AbortController().signal,
    now: () => performance.now(),
    pause: () => new Promise((resolve) => setTimeout(resolve)),
  });
  self.postMessage({ backend: backend.name, epochs: times.slice(warmUp) });
}
