import { expect, test } from 'vitest';
import { Random } from '../../../signal/random';
import { principalComponents, project } from './principal-components';

const pause = () => Promise.resolve();

test('finds the two directions of a flat cloud in five dimensions, and how much they hold', async () => {
  const random = new Random(3);
  const count = 400;
  const first = [3, 0, 4, 0, 0].map((value) => value / 5);
  const second = [0, 1, 0, 0, 0];
  const rows = new Float32Array(count * 5);
  for (let row = 0; row < count; row++) {
    const a = random.normal() * 4;
    const b = random.normal() * 2;
    for (let i = 0; i < 5; i++)
      rows[row * 5 + i] = a * (first[i] as number) + b * (second[i] as number) + random.normal() * 0.01;
  }
  const { axes, explained } = await principalComponents(rows, count, 5, { pause });
  const along = (axis: Float64Array, direction: readonly number[]) =>
    Math.abs(direction.reduce((sum, value, i) => sum + value * (axis[i] as number), 0));
  expect(along(axes[0], first)).toBeGreaterThan(0.99);
  expect(along(axes[1], second)).toBeGreaterThan(0.99);
  expect(explained[0] + explained[1]).toBeGreaterThan(0.999);
  expect(explained[0]).toBeGreaterThan(explained[1]);
  const spread = (axis: Float64Array) =>
    Math.sqrt(project(rows, count, axis).reduce((sum, v) => sum + v * v, 0) / count);
  expect(spread(axes[0])).toBeGreaterThan(3.4);
  expect(spread(axes[1])).toBeGreaterThan(1.7);
});

test('rows without any spread give no share instead of NaN', async () => {
  const { explained } = await principalComponents(new Float32Array(12), 3, 4, { pause });
  expect(explained).toEqual([0, 0]);
});

test('pause can stop it', async () => {
  const stop = () => Promise.reject(new Error('stopped'));
  await expect(principalComponents(Float32Array.of(1, 2, 3, 4), 2, 2, { pause: stop })).rejects.toThrow('stopped');
});
