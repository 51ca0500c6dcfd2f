import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from './backend';
import { trainNetwork } from './train';

describe('startBackend', () => {
  it('falls back to plain JavaScript, says so, and can train there reproducibly', async () => {
    const backend = await startBackend('/no/such/folder/');
    expect(backend.name).toBe('cpu');
    expect(backend.note).toContain('slower');
    expect(tf.getBackend()).toBe('cpu');
    expect(await startBackend('/no/such/folder/')).toBe(backend);

    const features = Float32Array.from({ length: 80 }, (_, i) => Math.sin(i) + (i % 4 < 2 ? 1 : -1));
    const labels = Int32Array.from({ length: 40 }, (_, row) => row % 2);
    const before = tf.memory().numTensors;
    const run = () =>
      trainNetwork({ features, labels, count: 40, featureCount: 2 }, null, {
        network: {
          layers: [
            { kind: 'dense', units: 8, activation: 'relu' },
            { kind: 'dropout', rate: 0.2 },
          ],
        },
        training: {
          epochs: 20,
          batchSize: 8,
          learningRate: 0.02,
          validationShare: 0,
          patience: 5,
          balanceClasses: false,
        },
        classes: 2,
        seed: 4,
        onEpoch: () => undefined,
        signal: new AbortController().signal,
        now: () => performance.now(),
        pause: () => Promise.resolve(),
      });
    const first = await run();
    expect(first.history.at(-1)!.accuracy).toBeGreaterThan(0.9);
    expect((await run()).graph).toEqual(first.graph);
    expect(tf.memory().numTensors).toBe(before);
  });
});
