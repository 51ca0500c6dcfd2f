import { describe, expect, it } from 'vitest';
import { accuracy, argmax, classFigures, confusionMatrix } from './metrics';

describe('metrics', () => {
  const matrix = confusionMatrix([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 1], 4);

  it('counts windows by true and predicted label', () => {
    expect(matrix).toEqual([
      [2, 1, 0, 0],
      [1, 1, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(() => confusionMatrix([0], [4], 4)).toThrow(RangeError);
  });

  it('gives the accuracy, and none without windows', () => {
    expect(accuracy(matrix)).toBe(0.5);
    expect(
      accuracy([
        [0, 0],
        [0, 0],
      ]),
    ).toBeNull();
  });

  it('gives precision, recall and F1, null where nothing can be said', () => {
    const [first, second, third, fourth] = classFigures(matrix);
    expect(first).toEqual({ precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, windows: 3 });
    expect(second).toEqual({ precision: 1 / 3, recall: 1 / 2, f1: 0.4, windows: 2 });
    expect(third).toEqual({ precision: null, recall: 0, f1: 0, windows: 1 });
    expect(fourth).toEqual({ precision: null, recall: null, f1: null, windows: 0 });
  });

  it('lets the first of equal scores win', () => {
    expect(argmax(Int8Array.of(-128, 5, 5, -1))).toBe(1);
  });
});
