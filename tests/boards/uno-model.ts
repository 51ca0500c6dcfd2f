/** Gesture models for an Uno: three axes of an analog accelerometer, in volts, nobody trained them. */
import { compileBlock } from '../../src/dsp/compile';
import type { BlockSpec, InputSpec, SpectralSpec } from '../../src/dsp/block';
import type { Model } from '../../src/emit/model';
import { generateRecording, MotionGenerator } from '../../src/signal/motion-generator';
import { Random } from '../../src/signal/random';
import { untrainedModel } from '../../src/board/untrained-model';

export const RATE_HZ = 50;
/** As the firmware tells: 5 V in 1023 steps. */
export const SCALE = Math.fround(5 / 1023);
/** ADXL335 at 5 V: 2.5 V at rest, 0.33 V per g. */
const VOLTS_PER_G = 0.33;
const GRAVITY = 9.80665;

/** Volts of a moving accelerometer, frame by frame, in steps of the converter. */
export function motionVolts(gesture: string, seconds: number, seed: number): Float32Array {
  const { samples, recording } = generateRecording({ gesture, seconds, rateHz: RATE_HZ, seed });
  const channels = recording.channels.length;
  return Float32Array.from({ length: (samples.length / channels) * 3 }, (_, i) => {
    const acceleration = samples[Math.floor(i / 3) * channels + (i % 3)] ?? 0;
    const steps = Math.round((2.5 + (acceleration / GRAVITY) * VOLTS_PER_G) / SCALE);
    return Math.max(0, Math.min(1023, steps)) * SCALE;
  });
}

export const FLATTEN: BlockSpec = {
  kind: 'flatten',
  version: 1,
  channels: [0, 1, 2],
  params: {
    scale: 1,
    average: true,
    minimum: true,
    maximum: true,
    rms: true,
    stdev: true,
    skewness: true,
    kurtosis: true,
  },
};

export const SPECTRAL: SpectralSpec = {
  kind: 'spectral',
  version: 4,
  channels: [0, 1, 2],
  params: {
    scale: 1,
    decimation: 1,
    filter: 'low',
    cutoffHz: 8,
    order: 6,
    fftLength: 16,
    log: true,
    overlap: true,
    improveLowFrequency: false,
  },
};

export const RAW: BlockSpec = { kind: 'raw', version: 1, channels: [2, 0, 1], params: { scale: 2, average: 5 } };

export interface UnoModelOptions {
  readonly seed: number;
  readonly windowMs: number;
  readonly blocks: readonly BlockSpec[];
  readonly hidden: number;
}

export function unoModel({ seed, windowMs, blocks: specs, hidden }: UnoModelOptions): Model {
  const labels = [...MotionGenerator.gestures];
  const channels = ['A0', 'A1', 'A2'].map((name) => ({ name, unit: 'V' }));
  const input: InputSpec = { channels, rateHz: RATE_HZ, windowMs, strideMs: windowMs / 2 };
  const blocks = specs.map((spec) => compileBlock(spec, input));
  const values = Math.round((windowMs * RATE_HZ) / 1000) * 3;
  const windows = labels
    .map((gesture) => motionVolts(gesture, 8, seed))
    .flatMap((samples) =>
      Array.from({ length: Math.floor(samples.length / values) }, (_, i) =>
        samples.slice(i * values, (i + 1) * values),
      ),
    );
  return untrainedModel({
    prefix: 'gestures',
    labels,
    input,
    blocks,
    hidden,
    random: new Random(seed),
    windows,
    selfTestWindows: windows.length,
    smoothing: { windows: 3, threshold: 0.4 },
    app: 'Mote test',
    seed,
  });
}
