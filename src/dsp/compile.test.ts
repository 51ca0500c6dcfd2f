import { describe, expect, it } from 'vitest';
import { DspError, type DspErrorCode, type InputSpec, type SpectralSpec } from './block';
import { checkCompiledBlock, compileBlock, createExtractor, defaultBlock, featureNames } from './compile';

const input: InputSpec = {
  channels: [
    { name: 'accX', unit: 'm/s2' },
    { name: 'accY', unit: 'm/s2' },
  ],
  rateHz: 100,
  windowMs: 1000,
  strideMs: 500,
};

function codeOf(action: () => unknown): DspErrorCode | null {
  try {
    action();
  } catch (error) {
    if (error instanceof DspError) return error.code;
    throw error;
  }
  return null;
}

const spectral = defaultBlock('spectral', input) as SpectralSpec;
const withParams = (params: Partial<SpectralSpec['params']>): SpectralSpec => ({
  ...spectral,
  params: { ...spectral.params, ...params },
});

describe('compileBlock', () => {
  const refused: readonly (readonly [DspErrorCode, SpectralSpec])[] = [
    ['fft-length', withParams({ fftLength: 48 })],
    ['fft-length', withParams({ fftLength: 8 })],
    ['fft-length', withParams({ fftLength: NaN })],
    ['filter-order', withParams({ filter: 'low', order: 5 })],
    ['filter-order', withParams({ filter: 'low', order: 10 })],
    ['filter-cutoff', withParams({ filter: 'low', cutoffHz: 50 })],
    ['filter-cutoff', withParams({ filter: 'high', cutoffHz: -1 })],
    ['filter-cutoff', withParams({ filter: 'low', cutoffHz: 4.6, decimation: 10 })],
    ['filter-unstable', withParams({ filter: 'high', cutoffHz: 1e-4 })],
    ['no-bins', withParams({ filter: 'low', cutoffHz: 1 })],
    ['window-too-short', withParams({ improveLowFrequency: true, fftLength: 64 })],
    ['bad-scale', withParams({ scale: 0 })],
    ['bad-scale', withParams({ scale: 1e300 })],
    ['bad-block', withParams({ decimation: 7 as 10 })],
    ['no-channels', { ...spectral, channels: [] }],
    ['channel-out-of-range', { ...spectral, channels: [2] }],
    ['bad-block', { ...spectral, version: 3 as 4 }],
  ];
  for (const [code, spec] of refused) {
    it(`refuses with ${code}: ${JSON.stringify(spec.params)}`, () => {
      expect(codeOf(() => compileBlock(spec, input))).toBe(code);
    });
  }

  it('averages raw frames', () => {
    const spec = { kind: 'raw', version: 1, channels: [1], params: { scale: 2, average: 40 } } as const;
    const extractor = createExtractor([spec], input);
    expect(extractor.featureNames).toEqual(['accY 0 ms', 'accY 400 ms']);
    const window = Float32Array.from({ length: 200 }, (_, i) => (i % 2 === 1 ? (i - 1) / 2 : 1e9));
    expect([...extractor.run(window)]).toEqual([39, 119]);
    for (const average of [0, 1.5, 101]) {
      expect(() => compileBlock({ ...spec, params: { scale: 1, average } }, input)).toThrow(DspError);
    }
  });

  it('refuses a window that is too long', () => {
    expect(codeOf(() => compileBlock(spectral, { ...input, windowMs: 1e6 }))).toBe('window-too-long');
  });

  it('has as many names as features, for every block', () => {
    for (const kind of ['raw', 'flatten', 'spectral'] as const) {
      const spec = defaultBlock(kind, input);
      expect(featureNames(spec, input)).toHaveLength(compileBlock(spec, input).featureCount);
    }
    const low = withParams({ improveLowFrequency: true, filter: 'low', cutoffHz: 5 });
    const names = featureNames(low, { ...input, windowMs: 2000 });
    expect(names).toHaveLength(compileBlock(low, { ...input, windowMs: 2000 }).featureCount);
    expect(names.slice(0, 7)).toEqual([
      'accX RMS',
      'accX Skewness',
      'accX Kurtosis',
      'accX Spectral Skewness',
      'accX Spectral Kurtosis',
      'accX Spectral Power 3.12 - 9.38 Hz',
      'accY RMS',
    ]);
    expect(names).toContain('accY Kurtosis LF');
  });
});

describe('checkCompiledBlock', () => {
  it('accepts what the compiler writes, with the same sizes', () => {
    for (const kind of ['raw', 'flatten', 'spectral'] as const) {
      const block = compileBlock(defaultBlock(kind, input), input);
      expect(checkCompiledBlock({ ...block, featureCount: 1, scratchFloats: 0 } as typeof block, 100, 2)).toEqual(
        block,
      );
    }
  });
  it('refuses kinds and versions it does not know', () => {
    const block = compileBlock(spectral, input);
    expect(codeOf(() => checkCompiledBlock({ ...block, opcode: 99 }, 100, 2))).toBe('bad-block');
    expect(codeOf(() => checkCompiledBlock({ ...block, version: 5 }, 100, 2))).toBe('bad-block');
    expect(codeOf(() => checkCompiledBlock(block, 100, 1))).toBe('bad-block');
  });
});

describe('createExtractor', () => {
  it('concatenates the blocks in order and reuses its memory', () => {
    const extractor = createExtractor([defaultBlock('flatten', input), defaultBlock('raw', input)], input);
    expect(extractor.featureCount).toBe(14 + 200);
    expect(extractor.featureNames).toHaveLength(214);
    const window = Float32Array.from({ length: 200 }, (_, i) => i);
    const features = extractor.run(window);
    expect(features[0]).toBe(99);
    expect(features.slice(14)).toEqual(window);
    expect(extractor.run(window)).toBe(features);
  });
  it('refuses windows of another length, and no blocks', () => {
    const extractor = createExtractor([spectral], input);
    expect(codeOf(() => extractor.run(new Float32Array(3)))).toBe('window-too-short');
    expect(codeOf(() => createExtractor([], input))).toBe('bad-block');
  });
  it('finds the frequency of a sine', () => {
    const spec = withParams({ fftLength: 64, log: false });
    const extractor = createExtractor([spec], input);
    const window = Float32Array.from({ length: 200 }, (_, i) =>
      i % 2 ? 0 : Math.sin((2 * Math.PI * 12.5 * (i / 2)) / 100),
    );
    const bins = [...extractor.run(window).slice(5, 37)];
    expect(bins.indexOf(Math.max(...bins)) + 1).toBe(8);
    expect(bins[7]).toBeCloseTo(16, 1);
  });
});

/** The Butterworth cascade in double precision, direct form II, at rest at first; deviation of the output. */
function filteredDeviation(window: Float32Array, order: number, cutoffHz: number, rateHz: number): number {
  let signal = [...window];
  const a = Math.tan((Math.PI * cutoffHz) / rateHz);
  for (let i = 0; i < order / 2; i++) {
    const r = Math.sin((Math.PI * (2 * i + 1)) / (2 * order));
    const s = a * a + 2 * a * r + 1;
    const d1 = (2 * (1 - a * a)) / s;
    const d2 = -(a * a - 2 * a * r + 1) / s;
    let w1 = 0;
    let w2 = 0;
    signal = signal.map((x) => {
      const w0 = d1 * w1 + d2 * w2 + x;
      const y = ((a * a) / s) * (w0 + 2 * w1 + w2);
      w2 = w1;
      w1 = w0;
      return y;
    });
  }
  const mean = signal.reduce((sum, x) => sum + x, 0) / signal.length;
  return Math.sqrt(signal.reduce((sum, x) => sum + (x - mean) ** 2, 0) / signal.length);
}

describe('filters', () => {
  it('keep their gain at 0.5 Hz of 1000 Hz, where direct forms in float32 fail', () => {
    const slow: InputSpec = { channels: [{ name: 'a', unit: '' }], rateHz: 1000, windowMs: 20_000, strideMs: 1000 };
    const spec: SpectralSpec = {
      ...withParams({ filter: 'low', cutoffHz: 0.5, order: 8, fftLength: 4096 }),
      channels: [0],
    };
    const window = Float32Array.from({ length: 20_000 }, (_, i) => 9.81 + Math.sin((2 * Math.PI * 0.2 * i) / 1000));
    const exact = filteredDeviation(window, 8, 0.5, 1000);
    expect(Math.abs(createExtractor([spec], slow).run(window)[0]! / exact - 1)).toBeLessThan(1e-5);
  });
});
