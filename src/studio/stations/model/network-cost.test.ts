import { expect, test } from 'vitest';
import type { LayerSpec } from '../../../learn/pipeline';
import { networkCost } from './network-cost';

const hidden: LayerSpec = { kind: 'dense', units: 10, activation: 'relu' };

test('counts weights and biases of every dense layer and of the output layer', () => {
  const { parameters } = networkCost({ layers: [hidden, { kind: 'dropout', rate: 0.5 }] }, 39, 4);
  expect(parameters).toBe(39 * 10 + 10 + 10 * 4 + 4);
});

test('a network without hidden layers is the output layer alone', () => {
  expect(networkCost({ layers: [] }, 8, 2)).toEqual({ parameters: 18, flashBytes: 8 * 2 + 12 * 2 });
});
