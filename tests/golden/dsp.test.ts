/**
 * Features against vectors made by running the original Python blocks. Float32 here, mostly float64 there: the
 * tolerance is ABSOLUTE + RELATIVE * |expected|, stated beside each group.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DspError, type FlattenSpec, type InputSpec, type SpectralSpec } from '../../src/dsp/block';
import { compileBlock, createExtractor, featureNames } from '../../src/dsp/compile';
import { chebyshevSections } from '../../src/dsp/filters';

const golden = resolve(process.env['MOTE_SHARED'] ?? resolve(import.meta.dirname, '../../../shared'), 'golden');
const present = existsSync(golden);
if (!present) console.warn(`skipped: golden vectors not found at ${golden} (set MOTE_SHARED)`);

function load<T>(name: string): T {
  return present ? (JSON.parse(readFileSync(resolve(golden, name), 'utf8')) as T) : ({ cases: [], motion: [] } as T);
}

interface GoldenCase<P> {
  readonly name: string;
  readonly implementation_version: number;
  readonly axes: readonly string[];
  readonly sampling_freq: number;
  readonly params: P;
  readonly raw: readonly number[];
  readonly features: readonly (number | string)[];
  readonly labels: readonly string[];
  readonly error?: string;
}

interface SpectralParams {
  readonly scale_axes?: number;
  readonly input_decimation_ratio?: SpectralSpec['params']['decimation'];
  readonly filter_type: 'none' | 'low' | 'high';
  readonly filter_cutoff: number;
  readonly filter_order: number;
  readonly analysis_type?: string;
  readonly fft_length: number;
  readonly do_log: boolean;
  readonly do_fft_overlap: boolean;
  readonly extra_low_freq?: boolean;
}

function inputOf(axes: readonly string[], rateHz: number, samples: number): InputSpec {
  const windowMs = ((samples / axes.length) * 1000) / rateHz;
  return { channels: axes.map((name) => ({ name, unit: '' })), rateHz, windowMs, strideMs: windowMs };
}

function spectralSpec(axes: readonly string[], p: SpectralParams): SpectralSpec {
  return {
    kind: 'spectral',
    version: 4,
    channels: axes.map((_, index) => index),
    params: {
      scale: p.scale_axes ?? 1,
      decimation: p.input_decimation_ratio ?? 1,
      filter: p.filter_type,
      cutoffHz: p.filter_cutoff,
      order: p.filter_order,
      fftLength: p.fft_length,
      log: p.do_log,
      overlap: p.do_fft_overlap,
      improveLowFrequency: p.extra_low_freq ?? false,
    },
  };
}

/** Expected value, or that of a constant axis where Python has NaN: skewness 0, kurtosis -3. */
function expected(value: number | string, name: string): number {
  if (typeof value === 'number') return value;
  expect(value).toBe('nan');
  return name.endsWith('Kurtosis') ? -3 : 0;
}

/** Largest error as a share of what is tolerated. */
function worst(
  actual: Float32Array,
  features: readonly (number | string)[],
  names: readonly string[],
  relative: number,
  absolute: number,
): number {
  expect(actual.length).toBe(features.length);
  const shares = features.map((value, index) => {
    const want = expected(value, names[index]!);
    return Math.abs(actual[index]! - want) / (absolute + relative * Math.abs(want));
  });
  return Math.max(...shares);
}

describe.skipIf(!present)('spectral features', () => {
  const { cases } = load<{ cases: GoldenCase<SpectralParams>[] }>('spectral_analysis.json');
  for (const c of cases) {
    if (c.params.analysis_type === 'Wavelet') {
      it.skip(`${c.name} (wavelet analysis is not offered)`, () => undefined);
    } else if (c.implementation_version < 4) {
      it.skip(`${c.name} (only version 4 is offered)`, () => undefined);
    } else if (c.error !== undefined) {
      it(`${c.name} is refused`, () => {
        const input = inputOf(c.axes, c.sampling_freq, c.raw.length);
        expect(() => compileBlock(spectralSpec(c.axes, c.params), input)).toThrow(DspError);
      });
    } else {
      it(c.name, () => {
        const input = inputOf(c.axes, c.sampling_freq, c.raw.length);
        const spec = spectralSpec(c.axes, c.params);
        const extractor = createExtractor([spec], input);
        const actual = extractor.run(Float32Array.from(c.raw));
        expect(worst(actual, c.features, extractor.featureNames, 1e-4, 2e-5)).toBeLessThan(1);
        const own = (name: string) => name.startsWith(`${c.axes[0]} `);
        const labels = featureNames(spec, input)
          .filter(own)
          .map((name) => name.slice(c.axes[0]!.length + 1));
        expect(labels).toEqual(c.labels);
      });
    }
  }
});

describe.skipIf(!present)('flatten features', () => {
  const { cases } = load<{
    cases: GoldenCase<Record<keyof Omit<FlattenSpec['params'], 'scale'>, boolean> & { scale_axes: number }>[];
  }>('flatten.json');
  for (const c of cases) {
    it(c.name, () => {
      const { scale_axes: scale, ...statistics } = c.params;
      const spec: FlattenSpec = {
        kind: 'flatten',
        version: 1,
        channels: c.axes.map((_, index) => index),
        params: { scale, ...statistics },
      };
      const extractor = createExtractor([spec], inputOf(c.axes, c.sampling_freq, c.raw.length));
      const actual = extractor.run(Float32Array.from(c.raw));
      expect(worst(actual, c.features, extractor.featureNames, 1e-6, 1e-6)).toBeLessThan(1);
      expect(extractor.featureNames.slice(0, c.labels.length)).toEqual(c.labels.map((l) => `${c.axes[0]} ${l}`));
    });
  }
});

interface MotionCase {
  readonly file: string;
  readonly axes: readonly string[];
  readonly sampling_freq: number;
  readonly raw: readonly number[];
  readonly spectral_v4: readonly { params: SpectralParams; features: readonly number[]; labels: readonly string[] }[];
  readonly flatten_v1: { features: readonly number[] };
}

describe.skipIf(!present)('features of real recordings', () => {
  const { motion } = load<{ motion: MotionCase[] }>('recordings/golden_dsp_sample.json');
  for (const m of motion) {
    const input = inputOf(m.axes, m.sampling_freq, m.raw.length);
    m.spectral_v4.forEach(({ params, features, labels }, index) => {
      it(`${m.file}, spectral ${index}`, () => {
        const extractor = createExtractor([spectralSpec(m.axes, params)], input);
        const actual = extractor.run(Float32Array.from(m.raw));
        expect(worst(actual, features, extractor.featureNames, 1e-4, 2e-5)).toBeLessThan(1);
        expect(extractor.featureNames.slice(0, labels.length)).toEqual(labels.map((l) => `${m.axes[0]} ${l}`));
      });
    });
    it(`${m.file}, flatten`, () => {
      const channels = m.axes.map((_, index) => index);
      const all = { average: true, minimum: true, maximum: true, rms: true, stdev: true } as const;
      const params = { scale: 1, ...all, skewness: true, kurtosis: true };
      const extractor = createExtractor([{ kind: 'flatten', version: 1, channels, params }], input);
      const actual = extractor.run(Float32Array.from(m.raw));
      // The original keeps decimals such as 10.13 in float64; as float32 samples they move by 5e-7, which shows in the
      // skewness and kurtosis of an axis whose deviation is 0.01 (gravity at rest).
      expect(worst(actual, m.flatten_v1.features, extractor.featureNames, 1e-5, 1e-4)).toBeLessThan(1);
    });
  }
});

describe.skipIf(!present)('decimation filters', () => {
  const all = load<Record<string, { sos: number[][]; zi: number[][] }>>('decimate_sos.json');
  for (const ratio of [3, 10]) {
    it(`keeping 1 of ${ratio} samples has the poles and the gain of the original`, () => {
      const { gain, sections } = chebyshevSections(ratio);
      const sos = all[ratio]!.sos;
      sections.forEach(({ g, k }, index) => {
        // Denominator of the bilinear transform of 1 / (s^2 + k s + 1) at warped frequency g.
        const scale = 1 + g * (g + k);
        expect((2 * (g * g - 1)) / scale).toBeCloseTo(sos[index]![4]!, 12);
        expect((1 - g * (k - g)) / scale).toBeCloseTo(sos[index]![5]!, 12);
      });
      const atZero = sos.reduce(
        (product, [b0, b1, b2, , a1, a2]) => (product * (b0! + b1! + b2!)) / (1 + a1! + a2!),
        1,
      );
      expect(gain).toBeCloseTo(atZero, 9);
    });
  }
});
