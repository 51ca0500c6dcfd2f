import { describe, expect, it } from 'vitest';
import { EXP_TABLE, RECIPROCAL_TABLE, SIGMOID_TABLE, sigmoidInt16, softmaxInt16 } from './ops/int16-tables';
import { sigmoidParameters, softmaxParametersInt16 } from './ops/int16-parameters';
import { mbqm } from './requantize';

describe('tables', () => {
  it('are those of TensorFlow Lite at its published places', () => {
    const published = [
      32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432,
    ];
    expect(Array.from(SIGMOID_TABLE.subarray(0, 14), (value) => value + 32768)).toEqual(published);
    const end = [65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535];
    expect(Array.from(SIGMOID_TABLE.subarray(244), (value) => value + 32768)).toEqual(end);
    // All of the 256 published values add up to this.
    expect(SIGMOID_TABLE.reduce((sum, value) => sum + value + 32768, 0)).toBe(15_670_629);
    // exp(-10) is 1.49 steps: raised, since interpolation falls short of the 1.50 in the middle.
    expect([EXP_TABLE[0], EXP_TABLE[512], RECIPROCAL_TABLE[0], RECIPROCAL_TABLE[512]]).toEqual([
      2, 32767, 32767, 16384,
    ]);
  });

  it('rise and fall without a step back', () => {
    for (let i = 1; i <= 512; i++) {
      expect(EXP_TABLE[i]).toBeGreaterThanOrEqual(EXP_TABLE[i - 1] as number);
      expect(RECIPROCAL_TABLE[i]).toBeLessThanOrEqual(RECIPROCAL_TABLE[i - 1] as number);
    }
  });
});

describe('functions', () => {
  it.each(['logistic', 'tanh'] as const)('%s is within three steps of the real function', (name) => {
    const real = name === 'tanh' ? Math.tanh : (x: number): number => 1 / (1 + Math.exp(-x));
    for (const scale of [2 ** -12, 2 ** -11, 0.0003, 0.00001, 0.002]) {
      const { multiplier, shift } = sigmoidParameters(name, scale);
      const half = shift > 0 ? 2 ** (shift - 1) : 0;
      let furthest = 0;
      for (let q = -32768; q <= 32767; q++) {
        const y = sigmoidInt16(name, (q * multiplier + half) >> shift);
        // Beyond 10.7 the table ends.
        furthest = Math.max(furthest, Math.abs(y - Math.min(32767, Math.round(real(q * scale) * 32768))));
      }
      expect(furthest, `scale ${scale}`).toBeLessThanOrEqual(3);
    }
  });

  it('softmax is close to the real one and adds up to 1', () => {
    const input = Int16Array.from([1000, -2000, 32767, 30000, 0, -32768]);
    const scale = 2 ** -12;
    const { multiplier, shift } = softmaxParametersInt16(scale);
    const output = new Int16Array(6);
    softmaxInt16(input, (difference) => mbqm(difference, multiplier, shift), output);
    const powers = Array.from(input, (q) => Math.exp((q - 32767) * scale));
    const sum = powers.reduce((a, b) => a + b);
    powers.forEach((power, i) => expect(Math.abs((output[i] as number) / 32768 - power / sum)).toBeLessThan(2e-4));
  });

  it('refuses inputs that the table cannot hold', () => {
    expect(() => sigmoidParameters('logistic', 3)).toThrow('too large');
  });
});
