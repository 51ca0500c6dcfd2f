import { describe, expect, it } from 'vitest';
import type { BlockSpec } from '../../../dsp/block';
import { randomModel } from '../../../../tests/conformance/random-model';
import { boardTimes, strideUsOf } from './board-times';

const SPECTRAL: BlockSpec = {
  kind: 'spectral',
  version: 4,
  channels: [0, 1, 2],
  params: {
    ...{ scale: 1, decimation: 1, filter: 'none', cutoffHz: 10, order: 4, fftLength: 64 },
    ...{ log: true, overlap: true, improveLowFrequency: false },
  },
};
const model = randomModel(5, { channels: 3, blocks: [SPECTRAL], hidden: [20, 10] });

describe('times of a window', () => {
  it('are predicted for every board with our firmware, with features, network and error', () => {
    const times = boardTimes(model, []);
    expect(times.map(({ name }) => name)).toEqual(['Arduino Uno', 'micro:bit v1', 'micro:bit v2', 'Raspberry Pi Pico']);
    for (const { source, us, featuresUs, networkUs, error } of times) {
      expect(source).toBe('predicted');
      expect(us).toBeCloseTo((featuresUs ?? 0) + (networkUs ?? 0));
      expect(networkUs).toBeGreaterThan(10);
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(0.5);
    }
    const of = (name: string): number => times.find((time) => time.name === name)?.us ?? NaN;
    // The same code at an eighth of the clock; and a floating point unit is worth far more than its clock.
    expect(of('micro:bit v1') / of('Raspberry Pi Pico')).toBeCloseTo(125 / 16);
    expect(of('micro:bit v1') / of('micro:bit v2')).toBeGreaterThan(20);
  });

  it('are what the board measured once it did', () => {
    const times = boardTimes(model, [
      { name: 'Arduino Uno', us: 1234 },
      { name: 'My board', us: 99 },
    ]);
    expect(times[0]).toMatchObject({ name: 'Arduino Uno', source: 'measured', us: 1234, error: 0 });
    expect(times.at(-1)).toMatchObject({ name: 'My board', chip: null, source: 'measured', us: 99 });
    expect(times.filter(({ source }) => source === 'predicted')).toHaveLength(3);
  });

  it('say whether a board keeps up', () => {
    const stride = strideUsOf(model);
    const pace = (us: number) => boardTimes(model, [{ name: 'x', us }]).at(-1)?.pace;
    expect(pace(stride - 1)).toBe('fast-enough');
    expect(pace(stride + 1)).toBe('too-slow');
    const [time] = boardTimes(model, []);
    if (!time) throw new Error('nothing predicted');
    const frames = Math.round(((time.us * (1 + time.error / 2)) / 1e6) * model.input.rateHz);
    const slower = { ...model, input: { ...model.input, strideMs: (frames * 1000) / model.input.rateHz } };
    expect(boardTimes(slower, [])[0]?.pace).toBe('close');
  });
});
